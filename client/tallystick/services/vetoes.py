"""The guardian's veto: stops what waits. A role's grant or a guardian's removal, a loosened limit, a proposed admin; of
a security its policy, its seizure account and announced metadata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.clock import instant
from tallystick.errors import InputError, Refused
from tallystick.program.addresses import limit_address, role_address
from tallystick.program.generated import instructions
from tallystick.program.generated.accounts import Issuer, Limit, Role, Security
from tallystick.program.generated.types import RoleKind, VetoParams, VetoSubject
from tallystick.program.text import decode_text
from tallystick.services.chain_reads import read_snapshot, require
from tallystick.services.issuers import NOBODY, require_guardian
from tallystick.services.plans import Plan, last_change, new_action
from tallystick.services.rules import FOREVER, is_in_force, kind_name, may_cosign

_SETTINGS: Final[Mapping[VetoSubject, tuple[str, str]]] = {
    VetoSubject.POLICY: ("policy", "The admin tightens it instead, at once."),
    VetoSubject.SEIZURE_ACCOUNT: ("seizure account", "The admin names none instead, at once."),
    VetoSubject.METADATA: ("metadata", "The admin announces it anew."),
}
"""Settings of a security by subject: as people say it, and what is left once it is in force."""


async def plan_veto_role(
    chain: Chain,
    *,
    payer: Pubkey,
    issuer: Pubkey,
    guardian: Pubkey,
    kind: RoleKind,
    holder: Pubkey,
    compliance: Pubkey | None = None,
) -> Plan:
    """Stop a grant that waits, or the removal of a guardian. Signed by a guardian, and for its own removal by
    `compliance` too.

    Refused when nothing of that role waits and nothing was vetoed.
    """
    address, own = role_address(issuer, kind, holder), role_address(issuer, RoleKind.GUARDIAN, guardian)
    beside = None if compliance is None or address != own else role_address(issuer, RoleKind.COMPLIANCE, compliance)
    snapshot = await read_snapshot(chain, [address, own] if beside is None else [address, own, beside])
    role = snapshot.require(Role, address, hint=f"{holder} was never made {kind_name(kind)}.")
    now, title = snapshot.now, f"Veto the grant of {kind_name(kind)} to {holder}"
    if role.in_force_from > now and role.ends_at <= now:
        return Plan(title, notes=("It was ended before it came in force.",))
    if is_in_force(role, now) and role.ends_at != FOREVER:
        title = f"Veto the removal of the guardian {holder}"
    elif not (role.in_force_from > now and role.ends_at == FOREVER):
        raise Refused(
            f"Nothing of the role {kind_name(kind)} of {holder} waits.", hint="What is in force is revoked instead."
        )
    require_guardian(snapshot, issuer, guardian)
    if address == own and (beside is None or not may_cosign(snapshot.find(Role, beside), snapshot.now)):
        raise Refused(
            "A guardian vetoes its own removal only with compliance's signature beside its own.",
            hint="Have compliance sign too, or another guardian veto it alone.",
        )
    before = role.ends_at

    async def is_done() -> bool:
        found = await require(chain, Role, address)
        return found.ends_at != before or found.grants != role.grants

    action = new_action(
        f"veto:{address}:{role.grants}:{await last_change(chain, address)}",
        title,
        instructions.veto(
            guardian=guardian,
            guardian_role=own,
            issuer=issuer,
            role=address,
            cosigner=None if beside is None else compliance,
            cosigner_role=beside,
            params=VetoParams(VetoSubject.ROLE),
        ),
        payer,
        (guardian, "guardian"),
        *([] if beside is None or compliance is None else [(compliance, "compliance")]),
        is_done=is_done,
        is_guarded=True,
    )
    return Plan(title, (action,))


async def plan_veto_limit(chain: Chain, *, payer: Pubkey, security: Pubkey, guardian: Pubkey, operator: Pubkey) -> Plan:
    """Stop a limit that was loosened and waits. Signed by a guardian."""
    issuer = (await require(chain, Security, security)).issuer
    address, own = limit_address(security, operator), role_address(issuer, RoleKind.GUARDIAN, guardian)
    snapshot = await read_snapshot(chain, [address, own])
    limit = snapshot.require(Limit, address, hint=f"No limit of {operator} was ever set.")
    title = f"Veto the waiting limit of {operator}"
    if limit.pending_from == 0:
        return Plan(title, notes=("No setting of that limit waits.",))
    if limit.pending_from <= snapshot.now:
        raise Refused("That limit is in force already.", hint="The admin tightens it instead, at once.")
    require_guardian(snapshot, issuer, guardian)

    async def is_done() -> bool:
        return (await require(chain, Limit, address)).pending_from != limit.pending_from

    action = new_action(
        f"veto:{address}:{limit.pending_from}:{await last_change(chain, address)}",
        title,
        instructions.veto(
            guardian=guardian,
            guardian_role=own,
            issuer=issuer,
            security=security,
            limit=address,
            params=VetoParams(VetoSubject.LIMIT),
        ),
        payer,
        (guardian, "guardian"),
        is_done=is_done,
        is_guarded=True,
    )
    return Plan(title, (action,))


async def plan_veto_setting(
    chain: Chain, *, payer: Pubkey, security: Pubkey, guardian: Pubkey, subject: VetoSubject
) -> Plan:
    """Stop a policy, a seizure account or metadata of a security that waits. Signed by a guardian.

    InputError for a subject that is none of these.
    """
    if subject not in _SETTINGS:
        raise InputError(f"{subject.name} is no setting of a security.", hint="Veto it as what it is.")
    name, hint = _SETTINGS[subject]
    first = await require(chain, Security, security)
    own = role_address(first.issuer, RoleKind.GUARDIAN, guardian)
    snapshot = await read_snapshot(chain, [security, own])
    account, now = snapshot.require(Security, security), snapshot.now
    title = f"Veto the waiting {name} of {decode_text(account.ticker)}"
    waits_until = _waits_until(account, subject)
    if waits_until == 0:
        return Plan(title, notes=(f"No {name} waits.",))
    if waits_until <= now and subject is not VetoSubject.METADATA:
        raise Refused(f"That {name} is in force since {instant(waits_until)}.", hint=hint)
    require_guardian(snapshot, first.issuer, guardian)

    async def is_done() -> bool:
        return _waits_until(await require(chain, Security, security), subject) != waits_until

    action = new_action(
        f"veto:{security}:{subject.name}:{waits_until}:{await last_change(chain, security)}",
        title,
        instructions.veto(
            guardian=guardian,
            guardian_role=own,
            issuer=first.issuer,
            security=security,
            params=VetoParams(subject),
        ),
        payer,
        (guardian, "guardian"),
        is_done=is_done,
        is_guarded=True,
    )
    return Plan(title, (action,))


async def plan_veto_admin(chain: Chain, *, payer: Pubkey, issuer: Pubkey, guardian: Pubkey) -> Plan:
    """Stop a proposed admin. Signed by a guardian."""
    own = role_address(issuer, RoleKind.GUARDIAN, guardian)
    snapshot = await read_snapshot(chain, [issuer, own])
    account = snapshot.require(Issuer, issuer)
    title = "Veto the proposed admin"
    if account.pending_admin == NOBODY:
        return Plan(title, notes=("No admin is proposed.",))
    require_guardian(snapshot, issuer, guardian)

    async def is_done() -> bool:
        return (await require(chain, Issuer, issuer)).pending_admin != account.pending_admin

    action = new_action(
        f"veto:{issuer}:{account.pending_admin_from}:{await last_change(chain, issuer)}",
        f"Veto {account.pending_admin} as admin",
        instructions.veto(guardian=guardian, guardian_role=own, issuer=issuer, params=VetoParams(VetoSubject.ADMIN)),
        payer,
        (guardian, "guardian"),
        is_done=is_done,
        is_guarded=True,
    )
    return Plan(title, (action,))


def _waits_until(security: Security, subject: VetoSubject) -> int:
    """When that setting counts, 0 when none waits."""
    if subject is VetoSubject.POLICY:
        return security.pending_policy_from
    return security.pending_seizure_from if subject is VetoSubject.SEIZURE_ACCOUNT else security.pending_metadata_from
