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
    asked = [address for address, role in roles.items() if await _leaves_doubt(chain, address, role, month)]
    for start in range(0, len(asked), AT_ONCE):
        part = asked[start : start + AT_ONCE]
        read = await asyncio.gather(*(_role_then(chain, each, roles[each], month, program_id) for each in part))
        for address, role in zip(part, read, strict=True):
            if role is None:
                is_served = False
            else:
                then[address] = role
    return role_facts(then.items(), delay, month), is_served


async def _leaves_doubt(chain: Chain, address: Pubkey, role: Role, month: Month) -> bool:
    if not month.is_by(role.granted_at, address, Step.MADE):
        return role.grants > 1
    if role.kind is not RoleKind.GUARDIAN or role.ends_at != NEVER:
        return False
    return bool((await list_since_slot(chain, address, month.as_of.slot)).lines)


async def _role_then(chain: Chain, address: Pubkey, role: Role, month: Month, program_id: Pubkey) -> Role | None:
    """The role at the as-of, from its own transactions; None when they do not reach back to its first grant. A role
    that was first granted behind the as-of comes back with that grant."""
    listing = await list_back(chain, address, lambda _: False)
    found: Role | None = None
    grants = 0
    async for transaction in read_transactions(chain, oldest_first(listing.lines)):
        if transaction is None or transaction.block_time is None:
            return None
        if transaction.slot > month.as_of.slot and found is not None:
            break
        for event in events_in(transaction, program_id):
            match event:
                case events.RoleGranted(role=named) if named == address:
                    grants += 1
                    found = replace(
                        role,
                        granted_at=transaction.block_time,
                        in_force_from=event.in_force_from,
                        ends_at=NEVER,
                        grants=grants,
                    )
                case events.IssuerInitialized() if found is None and event.guardian == role.holder:
                    grants += 1
                    at = transaction.block_time
                    found = replace(role, granted_at=at, in_force_from=at, ends_at=NEVER, grants=grants)
                case events.RoleRevoked(role=named) if named == address and found is not None:
                    found = replace(found, ends_at=event.ends_at)
                case events.ChangeVetoed(kind=VetoSubject.ROLE, subject=named) if named == address and found:
                    waits = found.in_force_from > transaction.block_time and found.ends_at == NEVER
                    found = replace(found, ends_at=transaction.block_time if waits else NEVER)
                case _:
                    continue
    return found


__all__ = ["roles_then"]
