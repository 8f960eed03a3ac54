"""Roles as they were at the as-of: from their accounts, and where one was granted anew since, from its transactions."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.domain.reserve_report.facts import RoleFacts
from tallystick.program.generated import events
from tallystick.program.generated.accounts import Role
from tallystick.program.generated.types import RoleKind, VetoSubject
from tallystick.program.layout import EventLayout
from tallystick.services.report_history import (
    AT_ONCE,
    events_in,
    list_back,
    list_since_slot,
    oldest_first,
    read_transactions,
)
from tallystick.services.report_instants import Step
from tallystick.services.report_lists import NEVER, Month, role_facts


async def roles_then(
    chain: Chain, roles: Mapping[Pubkey, Role], delay: int, month: Month, program_id: Pubkey
) -> tuple[tuple[RoleFacts, ...], bool]:
    """Roles granted by the as-of as they were then, and whether the node served what the accounts do not say.

    An account has its last grant alone, and forgets a guardian's removal that was vetoed. Such a role that is not
    served is left out, or given as it is now. ChainError.
    """
    then = dict(roles)
    is_served = True
    asked = [address for address, role in roles.items() if await _leaves_doubt(chain, address, role, month, program_id)]
    for start in range(0, len(asked), AT_ONCE):
        part = asked[start : start + AT_ONCE]
        read = await asyncio.gather(*(_role_then(chain, each, roles[each], month, program_id) for each in part))
        for address, role in zip(part, read, strict=True):
            if role is None:
                is_served = False
            else:
                then[address] = role
    return role_facts(then.items(), delay, month), is_served


async def _leaves_doubt(chain: Chain, address: Pubkey, role: Role, month: Month, program_id: Pubkey) -> bool:
    """Whether its account may not say what the role was at the as-of. A guardian's is named by whatever the guardian
    does, and by whoever likes to: only a veto since counts."""
    if not month.is_by(role.granted_at, address, Step.MADE):
        return role.grants > 1
    if role.kind is not RoleKind.GUARDIAN or role.ends_at != NEVER:
        return False
    later = await list_since_slot(chain, address, month.as_of.slot)
    async for transaction in read_transactions(chain, oldest_first(later.lines)):
        if transaction is None or any(_is_veto(each, address) for each in events_in(transaction, program_id)):
            return True
    return False


def _is_veto(event: EventLayout, address: Pubkey) -> bool:
    return isinstance(event, events.ChangeVetoed) and event.kind is VetoSubject.ROLE and event.subject == address


async def _role_then(chain: Chain, address: Pubkey, role: Role, month: Month, program_id: Pubkey) -> Role | None:
    """The role at the as-of, from its own transactions; None when not every grant of it is among them. One that was
    first granted behind the as-of is given as it is."""
    listing = await list_back(chain, address, lambda _: False)
    found: Role | None = None
    then: Role | None = None
    grants = 0
    async for transaction in read_transactions(chain, oldest_first(listing.lines)):
        if transaction is None or transaction.block_time is None:
            return None
        for event in events_in(transaction, program_id):
            grants += _grants(event, address, role)
            found = _after(event, address, replace(role, grants=grants), found, transaction.block_time)
        if transaction.slot <= month.as_of.slot:
            then = found
    return (then or role) if grants == role.grants else None


def _grants(event: EventLayout, address: Pubkey, role: Role) -> bool:
    """Whether an event granted this role; the first guardian's comes with the issuer."""
    if isinstance(event, events.IssuerInitialized):
        return role.kind is RoleKind.GUARDIAN and event.guardian == role.holder and event.issuer == role.issuer
    return isinstance(event, events.RoleGranted) and event.role == address


def _after(event: EventLayout, address: Pubkey, role: Role, found: Role | None, time: int) -> Role | None:
    """What a role is after an event at `time` (unix seconds); `found` is what it was, `role` its fixed fields."""
    if _grants(event, address, role):
        in_force_from = event.in_force_from if isinstance(event, events.RoleGranted) else time
        return replace(role, granted_at=time, in_force_from=in_force_from, ends_at=NEVER)
    match event:
        case events.RoleRevoked(role=named) if named == address and found is not None:
            return replace(found, ends_at=event.ends_at)
        case events.ChangeVetoed(kind=VetoSubject.ROLE, subject=named) if named == address and found is not None:
            is_grant = found.in_force_from > time and found.ends_at == NEVER
            return replace(found, ends_at=time if is_grant else NEVER)
        case _:
            return found


__all__ = ["roles_then"]
