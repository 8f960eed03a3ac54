"""Corporate actions: announced by one key, approved by a second, cancelled by either or a guardian (law 5).

Each plan reads first and refuses in words what the program would refuse. A ratio is new to old shares.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.domain.canonical import sha256
from tallystick.domain.identifiers import canonical_spelling, event_hash
from tallystick.errors import InputError, Refused
from tallystick.program.addresses import action_address, role_address
from tallystick.program.generated import instructions
from tallystick.program.generated.accounts import CorporateAction, Role, Security
from tallystick.program.generated.types import (
    ActionKind,
    ActionStatus,
    ActionTerms,
    AnnounceActionParams,
    CancelActionParams,
    RoleKind,
    SecurityStatus,
)
from tallystick.services.action_reads import (
    CHANGES_MULTIPLIER,
    PAYS_CASH,
    action_name,
    after_ratio,
    described,
    effect_notes,
    find_versions,
    moment_text,
    multiplier_text,
    new_effect,
    terms_notes,
)
from tallystick.services.action_rules import (
    ROLE,
    is_announced,
    require_cancellable,
    require_correctable,
    require_not_ended,
    require_notice,
    require_terms,
    require_within_bound,
)
from tallystick.services.chain_reads import list_roles, read, read_snapshot, require, ticker_of
from tallystick.services.plans import Plan, new_action, require_text_reference
from tallystick.services.rules import is_in_force, kind_name, multiplier_at, policy_at, require_role

REASON_TAG: Final = b"tallystick:action-reason"
SLACK: Final = 120
"""Seconds between planning and the last moment below which a plan says how little time is left to sign."""


def cancel_reason_hash(reason: str) -> bytes:
    """32 bytes for a cancellation's reason: SHA-256("tallystick:action-reason" || text). InputError for none."""
    return sha256(REASON_TAG, require_text_reference(reason, 2_000).encode())


def announced_version(versions: Sequence[tuple[Pubkey, CorporateAction]], kind: ActionKind, terms: ActionTerms) -> int:
    """The version, of an event's so far, under which these terms are announced, or were."""
    if not versions:
        return 1
    latest = versions[-1][1]
    return latest.action_version + (not is_announced(latest, kind, terms))


async def plan_announce_action(
    chain: Chain,
    *,
    payer: Pubkey,
    security: Pubkey,
    announcer: Pubkey,
    event_id: str,
    kind: ActionKind,
    terms: ActionTerms,
    corrects: bool = False,
) -> Plan:
    """Announce what a custodian's event brings. Signed by a corporate actions key; the notice starts now.

    `event_id` is the custodian's. The first announcement of an event is version 1; with `corrects` it replaces the
    newest version, whatever its status but executed. Terms that were announced already make an empty plan.
    """
    require_terms(kind, terms)
    event, hashed = canonical_spelling(event_id), event_hash(event_id)
    versions = await find_versions(chain, security, hashed)
    latest_address, latest = versions[-1] if versions else (None, None)
    version = announced_version(versions, kind, terms)
    address = action_address(security, hashed, version)
    account = await require(chain, Security, security)
    role = role_address(account.issuer, ROLE, announcer)
    snapshot = await read_snapshot(chain, [security, role, address])
    account, now = snapshot.require(Security, security), snapshot.now
    title = f"Announce {action_name(kind, terms, account)}, event {event}, version {version}"
    if latest is not None:
        if is_announced(latest, kind, terms):
            return Plan(title, notes=(f"This version says so already, at {latest_address}.",))
        require_correctable(event, latest, now, corrects=corrects)
    elif corrects:
        raise Refused(
            f"Nothing was announced of the event {event}, so there is nothing to correct.",
            hint="Check the event's id; announce a new event without --corrects.",
        )
    if kind is ActionKind.DELISTING and account.status is not SecurityStatus.ACTIVE:
        raise Refused(f"{ticker_of(account)} is retired already.", hint="Nothing to do: it is delisted once.")
    require_role(snapshot.find(Role, role), ROLE, announcer, now)
    if kind in CHANGES_MULTIPLIER:
        require_within_bound(account, terms, now)
    if kind not in PAYS_CASH:
        require_notice(account, terms, now)
    notes = [*terms_notes(kind, terms), *_effect_notes(kind, terms, account, now)]
    if kind not in PAYS_CASH:
        left = terms.effective_at - now - policy_at(account, now).notice
        if left < SLACK:
            notes.append(f"It has to be signed within {left} s, or the notice is too short.")
    if latest is not None:
        notes.append(f"Version {latest.action_version} ({latest.status.name.lower()}) is replaced.")
    notes.append("A second corporate actions key has to approve it.")

    async def is_done() -> bool:
        return await read(chain, CorporateAction, address) is not None

    action = new_action(
        f"announce:{address}",
        title,
        instructions.announce_action(
            payer=payer,
            announcer=announcer,
            role=role,
            security=security,
            action=address,
            replaced=latest_address,
            params=AnnounceActionParams(event_hash=hashed, action_version=version, kind=kind, terms=terms),
        ),
        payer,
        (announcer, kind_name(ROLE)),
        is_done=is_done,
        is_guarded=True,
    )
    return Plan(title, (action,), tuple(notes))


async def plan_approve_action(
    chain: Chain, *, payer: Pubkey, approver: Pubkey, action: Pubkey, evidence_hash: bytes | None = None
) -> Plan:
    """Approve an announced action. Signed by another corporate actions key than the announcer's.

    With `evidence_hash`, the SHA-256 of the notice that the approver has, it is refused when the announcer's differs.
    """
    found = await require(chain, CorporateAction, action)
    issuer = (await require(chain, Security, found.security)).issuer
    role = role_address(issuer, ROLE, approver)
    snapshot = await read_snapshot(chain, [action, found.security, role])
    found, account, now = (
        snapshot.require(CorporateAction, action),
        snapshot.require(Security, found.security),
        snapshot.now,
    )
    title = f"Approve {described(found, account)}"
    if found.status in (ActionStatus.APPROVED, ActionStatus.EXECUTED):
        return Plan(title, notes=(f"{found.approver} approved it on {moment_text(found.approved_at)}.",))
    require_not_ended(found)
    if evidence_hash is not None and evidence_hash != found.terms.evidence_hash:
        raise Refused(
            f"Your notice has the SHA-256 {evidence_hash.hex()}, the announced one {found.terms.evidence_hash.hex()}.",
            hint="Do not approve before it is known which one is right; ask the custodian and the announcer.",
        )
    if found.announcer == approver:
        others = [key for key in await _keys_in_force(chain, issuer, now) if key != approver]
        known = f"These may: {', '.join(map(str, others))}." if others else "No other key has the role yet."
        raise Refused(
            f"{approver} announced this action, and the key that announced it cannot approve it.",
            hint=f"A second corporate actions key has to. {known}",
        )
    require_role(snapshot.find(Role, role), ROLE, approver, now)
    notes = [*terms_notes(found.kind, found.terms), *_effect_notes(found.kind, found.terms, account, now)]
    notes.append(f"Announced by {found.announcer} on {moment_text(found.announced_at)}.")
    if found.kind in CHANGES_MULTIPLIER:
        at = moment_text(found.terms.effective_at)
        if now >= found.terms.effective_at:
            notes.append(f"Its effective time {at} has passed: it can never be executed, approved or not.")
        else:
            notes.append(f"It has to be executed before {at}.")

    async def is_done() -> bool:
        return (await require(chain, CorporateAction, action)).approved_at != 0

    instruction = instructions.approve_action(approver=approver, role=role, security=found.security, action=action)
    step = new_action(
        f"approve:{action}",
        title,
        instruction,
        payer,
        (approver, kind_name(ROLE)),
        is_done=is_done,
        is_guarded=True,
    )
    return Plan(title, (step,), tuple(notes))


async def plan_cancel_action(
    chain: Chain, *, payer: Pubkey, authority: Pubkey, action: Pubkey, reason: str, reason_code: int = 0
) -> Plan:
    """Cancel an action that has not taken effect. Signed by a corporate actions key, or by a guardian.

    A multiplier change that was executed is taken back until its effective time. `reason_code` (u16) is from the
    issuer's own table; of `reason` only a hash goes on chain.
    """
    if not 0 <= reason_code < 2**16:
        raise InputError("A reason code of 0 to 65535 is expected.")
    params = CancelActionParams(reason_code=reason_code, reason_hash=cancel_reason_hash(reason))
    found = await require(chain, CorporateAction, action)
    issuer = (await require(chain, Security, found.security)).issuer
    own = {kind: role_address(issuer, kind, authority) for kind in (ROLE, RoleKind.GUARDIAN)}
    snapshot = await read_snapshot(chain, [action, found.security, *own.values()])
    found, account, now = (
        snapshot.require(CorporateAction, action),
        snapshot.require(Security, found.security),
        snapshot.now,
    )
    title = f"Cancel {described(found, account)}"
    if found.status is ActionStatus.CANCELLED:
        return Plan(title, notes=(f"It was cancelled on {moment_text(found.status_at)}.",))
    require_cancellable(found, account, now)
    kind = next((each for each, role in own.items() if is_in_force(snapshot.find(Role, role), now)), ROLE)
    require_role(snapshot.find(Role, own[kind]), kind, authority, now)
    notes = ["Nothing of it happens. The event can be announced anew, as a version that corrects this one."]
    if found.status is ActionStatus.EXECUTED:
        at = found.terms.effective_at
        notes.append(
            f"The multiplier stays {multiplier_text(account.multiplier)}, and the reserve in force backs as before."
        )
        notes.append(f"It has to land before {moment_text(at)}, {at - now} s from now; after that nothing undoes it.")

    async def is_done() -> bool:
        return (await require(chain, CorporateAction, action)).status is ActionStatus.CANCELLED

    instruction = instructions.cancel_action(
        authority=authority,
        role=own[kind],
        security=found.security,
        action=action,
        mint=account.mint,
        params=params,
    )
    step = new_action(
        f"cancel:{action}",
        f"{title}: {reason}",
        instruction,
        payer,
        (authority, kind_name(kind)),
        is_done=is_done,
        is_guarded=True,
    )
    return Plan(title, (step,), tuple(notes))


async def _keys_in_force(chain: Chain, issuer: Pubkey, now: int) -> Sequence[Pubkey]:
    roles = (await list_roles(chain, issuer)).accounts.values()
    return sorted((r.holder for r in roles if r.kind is ROLE and is_in_force(r, now)), key=bytes)


def _effect_notes(kind: ActionKind, terms: ActionTerms, security: Security, now: int) -> tuple[str, ...]:
    """What it would do if it were the next to change the multiplier, and that another one comes before it."""
    if kind not in CHANGES_MULTIPLIER:
        if kind is ActionKind.DELISTING:
            return ("Retires the security for good from then on; redemptions go on.",)
        return ("The multiplier stays; it is paid in cash by a distribution.",)
    before = multiplier_at(security, now)
    effect = new_effect(terms, security, before, after_ratio(before, terms))
    if now >= security.multiplier_effective_at:
        return effect_notes(effect, security)
    at = moment_text(security.multiplier_effective_at)
    pending = f"Another change is pending: to {multiplier_text(security.pending_multiplier)} at {at}."
    if terms.effective_at > security.multiplier_effective_at:
        after = after_ratio(security.pending_multiplier, terms)
        effect = new_effect(terms, security, security.pending_multiplier, after)
        return (f"{pending} This one can be executed from then on.", *effect_notes(effect, security))
    return (f"{pending} This one cannot be executed before, and would come too late.", *effect_notes(effect, security))


__all__ = [
    "announced_version",
    "cancel_reason_hash",
    "plan_announce_action",
    "plan_approve_action",
    "plan_cancel_action",
]
