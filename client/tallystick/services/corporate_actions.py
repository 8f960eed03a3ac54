"""Corporate actions: announced by one key, approved by a second, and only then done (law 5); delisting retires.

Each plan reads first and refuses in words what the program would refuse. A ratio is new to old shares.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.domain.amounts import (
    U64_MAX,
    U128_MAX,
    Rounding,
    format_shares,
    format_tokens,
    share_equivalent,
)
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
    after_ratio,
    effect_notes,
    effect_of,
    find_versions,
    kind_text,
    moment_text,
    multiplier_text,
    new_effect,
    ratio_text,
    terms_notes,
    terms_text,
)
from tallystick.services.chain_reads import Snapshot, list_actions, list_roles, read, read_snapshot, require, ticker_of
from tallystick.services.plans import Plan, new_action, require_text_reference
from tallystick.services.rules import BASIS_POINTS, is_in_force, kind_name, multiplier_at, policy_at, require_role

REASON_TAG: Final = b"tallystick:action-reason"
SLACK: Final = 120
"""Seconds between planning and the last moment below which a plan says how little time is left to sign."""
NO_CURRENCY: Final = bytes(3)
_ROLE: Final = RoleKind.CORPORATE_ACTIONS


def cancel_reason_hash(reason: str) -> bytes:
    """32 bytes for a cancellation's reason: SHA-256("tallystick:action-reason" || text). InputError for none."""
    return sha256(REASON_TAG, require_text_reference(reason, 2_000).encode())


def announced_version(versions: Sequence[tuple[Pubkey, CorporateAction]], kind: ActionKind, terms: ActionTerms) -> int:
    """The version, of an event's so far, under which these terms are announced, or were."""
    if not versions:
        return 1
    latest = versions[-1][1]
    return latest.action_version + (not _is_announced(latest, kind, terms))


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
    _require_terms(kind, terms)
    event, hashed = canonical_spelling(event_id), event_hash(event_id)
    versions = await find_versions(chain, security, hashed)
    latest_address, latest = versions[-1] if versions else (None, None)
    version = announced_version(versions, kind, terms)
    address = action_address(security, hashed, version)
    account = await require(chain, Security, security)
    role = role_address(account.issuer, _ROLE, announcer)
    snapshot = await read_snapshot(chain, [security, role, address])
    account, now = snapshot.require(Security, security), snapshot.now
    title = f"Announce {_name(kind, terms, account)}, event {event}, version {version}"
    if latest is not None:
        if _is_announced(latest, kind, terms):
            return Plan(title, notes=(f"This version says so already, at {latest_address}.",))
        _require_correctable(event, latest, now, corrects=corrects)
    elif corrects:
        raise Refused(
            f"Nothing was announced of the event {event}, so there is nothing to correct.",
            hint="Check the event's id; announce a new event without --corrects.",
        )
    if kind is ActionKind.DELISTING and account.status is not SecurityStatus.ACTIVE:
        raise Refused(f"{ticker_of(account)} is retired already.", hint="Nothing to do: it is delisted once.")
    require_role(snapshot.find(Role, role), _ROLE, announcer, now)
    if kind in CHANGES_MULTIPLIER:
        _require_within_bound(account, terms, now)
    if kind not in PAYS_CASH:
        _require_notice(account, terms, now)
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
        (announcer, kind_name(_ROLE)),
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
    role = role_address(issuer, _ROLE, approver)
    snapshot = await read_snapshot(chain, [action, found.security, role])
    found, account, now = (
        snapshot.require(CorporateAction, action),
        snapshot.require(Security, found.security),
        snapshot.now,
    )
    title = f"Approve {_described(found, account)}"
    if found.status in (ActionStatus.APPROVED, ActionStatus.EXECUTED):
        return Plan(title, notes=(f"{found.approver} approved it on {moment_text(found.approved_at)}.",))
    _require_not_ended(found)
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
    require_role(snapshot.find(Role, role), _ROLE, approver, now)
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
        (approver, kind_name(_ROLE)),
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
    own = {kind: role_address(issuer, kind, authority) for kind in (_ROLE, RoleKind.GUARDIAN)}
    snapshot = await read_snapshot(chain, [action, found.security, *own.values()])
    found, account, now = (
        snapshot.require(CorporateAction, action),
        snapshot.require(Security, found.security),
        snapshot.now,
    )
    title = f"Cancel {_described(found, account)}"
    if found.status is ActionStatus.CANCELLED:
        return Plan(title, notes=(f"It was cancelled on {moment_text(found.status_at)}.",))
    _require_cancellable(found, account, now)
    kind = next((each for each, role in own.items() if is_in_force(snapshot.find(Role, role), now)), _ROLE)
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


async def plan_execute_action(chain: Chain, *, payer: Pubkey, executor: Pubkey, action: Pubkey) -> Plan:
    """Let an approved action change the multiplier at its effective time. Signed by any corporate actions key.

    Refused when the approver's role did not stay in force, the effective time has passed, the bound was tightened, or
    another change is pending.
    """
    found = await require(chain, CorporateAction, action)
    account, snapshot, role, approver_role = await _for_execution(chain, found, action, executor)
    found, now = snapshot.require(CorporateAction, action), snapshot.now
    title = f"Execute {_described(found, account)}"
    at = moment_text(found.terms.effective_at)
    if found.status is ActionStatus.EXECUTED:
        changed = ""
        if found.multiplier_after:
            done = (multiplier_text(each) for each in (found.multiplier_before, found.multiplier_after))
            changed = f": multiplier {' → '.join(done)} at {at}"
        return Plan(title, notes=(f"It was executed on {moment_text(found.status_at)}{changed}.",))
    _require_not_ended(found)
    if found.kind not in CHANGES_MULTIPLIER:
        how = (
            "It pays cash, through a distribution that is planned and opened for it: tally dividend --help"
            if found.kind in PAYS_CASH
            else "Retire the security with: tally security retire"
        )
        raise Refused(
            f"A {kind_text(found.kind)} does not change the multiplier; it is not executed this way.", hint=how
        )
    _require_live_approval(found, snapshot.find(Role, approver_role), now)
    require_role(snapshot.find(Role, role), _ROLE, executor, now)
    if now >= found.terms.effective_at:
        raise Refused(
            f"Its effective time {at} has passed, and the multiplier never changes in the past.",
            hint="Announce a version with a later time: tally action announce --corrects",
        )
    _require_within_bound(account, found.terms, now)
    _require_no_change_pending(account, now)
    before = multiplier_at(account, now)
    after = _require_expressible(account, before, found.terms)
    notes = list(effect_notes(new_effect(found.terms, account, before, after), account))
    notes.append(f"Until {at} it can be taken back: tally action cancel")

    async def is_done() -> bool:
        return (await require(chain, CorporateAction, action)).status is ActionStatus.EXECUTED

    instruction = instructions.execute_action(
        executor=executor,
        role=role,
        approver_role=approver_role,
        security=found.security,
        action=action,
        mint=account.mint,
    )
    step = new_action(
        f"execute:{action}",
        title,
        instruction,
        payer,
        (executor, kind_name(_ROLE)),
        is_done=is_done,
        is_guarded=True,
    )
    return Plan(title, (step,), tuple(notes))


async def plan_retire_security(chain: Chain, *, payer: Pubkey, executor: Pubkey, action: Pubkey) -> Plan:
    """Retire a security by its approved delisting, once the effective time has come. Signed by any corporate actions
    key. For good: nothing is subscribed or minted any more; redemptions go on."""
    found = await require(chain, CorporateAction, action)
    account, snapshot, role, approver_role = await _for_execution(chain, found, action, executor)
    found, now = snapshot.require(CorporateAction, action), snapshot.now
    title = f"Retire {ticker_of(account)}"
    if found.kind is not ActionKind.DELISTING:
        raise Refused(
            f"A {kind_text(found.kind)} does not retire a security.", hint="Announce a delisting, and have it approved."
        )
    if found.status is ActionStatus.EXECUTED:
        return Plan(title, notes=(f"It was retired on {moment_text(found.status_at)}.",))
    if account.status is not SecurityStatus.ACTIVE:
        return Plan(title, notes=("It is retired already, by another delisting.",))
    _require_not_ended(found)
    _require_live_approval(found, snapshot.find(Role, approver_role), now)
    require_role(snapshot.find(Role, role), _ROLE, executor, now)
    if now < found.terms.effective_at:
        raise Refused(
            f"The delisting takes effect at {moment_text(found.terms.effective_at)},"
            f" {found.terms.effective_at - now} s from now.",
            hint="Run this again then; until then it can be cancelled with: tally action cancel",
        )
    supply = max(account.minted - account.burnt, 0)
    notes = (
        "For good: nothing is subscribed or minted any more, and open subscriptions can only be cancelled.",
        f"Redemptions go on; {format_tokens(supply, account.decimals)} are out.",
    )

    async def is_done() -> bool:
        return (await require(chain, Security, found.security)).status is SecurityStatus.RETIRED

    instruction = instructions.retire_security(
        executor=executor, role=role, approver_role=approver_role, security=found.security, action=action
    )
    step = new_action(
        f"retire:{action}",
        title,
        instruction,
        payer,
        (executor, kind_name(_ROLE)),
        is_done=is_done,
        is_guarded=True,
    )
    return Plan(title, (step,), notes)


async def find_delisting(chain: Chain, security: Pubkey) -> Pubkey:
    """The delisting that retires a security: the one that was executed, else the newest that has not ended.

    Refused when there is none.
    """
    found = await list_actions(chain, security)
    order = {ActionStatus.EXECUTED: 2, ActionStatus.APPROVED: 1, ActionStatus.ANNOUNCED: 0}
    delistings = [
        (order[each.status], each.announced_at, each.action_version, address)
        for address, each in found.accounts.items()
        if each.kind is ActionKind.DELISTING and each.status in order
    ]
    if not delistings:
        raise Refused(
            "No delisting of this security is announced.",
            hint="Announce it with: tally action announce SECURITY EVENT --kind delisting --effective …",
        )
    return max(delistings, key=lambda each: each[:3])[3]


async def _for_execution(
    chain: Chain, found: CorporateAction, action: Pubkey, executor: Pubkey
) -> tuple[Security, Snapshot, Pubkey, Pubkey]:
    """The security, a snapshot of it with the action and both roles, and the addresses of those."""
    issuer = (await require(chain, Security, found.security)).issuer
    role, approver_role = (role_address(issuer, _ROLE, key) for key in (executor, found.approver))
    snapshot = await read_snapshot(chain, [action, found.security, role, approver_role])
    return snapshot.require(Security, found.security), snapshot, role, approver_role


def _require_terms(kind: ActionKind, terms: ActionTerms) -> None:
    """InputError for terms that are not of this kind (state/corporate_action.rs, ActionTerms.require_fit)."""
    if len(terms.evidence_hash) != 32 or not any(terms.evidence_hash):
        raise InputError("The SHA-256 of the custodian's notice is expected, 32 bytes.")
    if not 0 <= terms.withholding <= BASIS_POINTS:
        raise InputError(f"At most 100% of tax can be withheld, not {terms.withholding} basis points.")
    times = (terms.ex_at, terms.record_at, terms.pay_at, terms.effective_at)
    if min(times) < 0:
        raise InputError("Times before 1970 are none; leave out those that the event has not.")
    name, changes, pays = kind_text(kind), kind in CHANGES_MULTIPLIER, kind in PAYS_CASH
    if pays:
        if terms.record_at == 0 or terms.pay_at < terms.record_at:
            raise InputError(
                f"A {name} has a record time and a pay time that is not before it.",
                hint="Holders are counted at the record time and paid from the pay time on.",
            )
        if not 0 < terms.gross_per_share <= U128_MAX:
            raise InputError(f"A {name} pays an amount above zero for each share.", hint="Give the gross amount.")
        if len(terms.currency) != 3 or not (terms.currency.isalpha() and terms.currency.isupper()):
            raise InputError(f"A {name} pays in a currency of three capital letters, such as USD.")
    elif terms.gross_per_share or terms.currency != NO_CURRENCY:
        raise InputError(f"A {name} pays no cash.", hint="Announce the cash as an event of its own.")
    new, old = terms.numerator, terms.denominator
    if not changes:
        if new or old:
            raise InputError(f"A {name} leaves the multiplier, so it has no ratio.")
        return
    if not (1 <= new <= U64_MAX and 1 <= old <= U64_MAX):
        raise InputError(f"A {name} has a ratio of new to old shares, such as 4:1.")
    if kind is ActionKind.REVERSE_SPLIT and new >= old:
        raise InputError(
            f"{ratio_text(terms)} makes no fewer shares; a reverse split does.",
            hint="Write new shares first: 1:500 is one new share for 500 old ones.",
        )
    if kind is ActionKind.REINVESTED_DIVIDEND and new < old:
        raise InputError(
            f"{ratio_text(terms)} makes fewer shares; a reinvested dividend never does.",
            hint="Write new shares first, such as 1013:1000.",
        )
    if kind in (ActionKind.FORWARD_SPLIT, ActionKind.STOCK_DIVIDEND) and new <= old:
        raise InputError(
            f"{ratio_text(terms)} makes no more shares; a {name} does.",
            hint="Write all shares after it first: 4:1 is four shares where there was one, 21:20 a dividend of 5%.",
        )


def _is_announced(latest: CorporateAction, kind: ActionKind, terms: ActionTerms) -> bool:
    return (latest.kind, latest.terms) == (kind, terms) and latest.status is not ActionStatus.CANCELLED


def _require_correctable(event: str, latest: CorporateAction, now: int, *, corrects: bool) -> None:
    """Refused when the newest version of an event is not to be replaced, or cannot be."""
    version, since = latest.action_version, moment_text(latest.status_at)
    what = f"{kind_text(latest.kind)} {terms_text(latest.kind, latest.terms)}".strip()
    if latest.status is ActionStatus.EXECUTED:
        is_pending = latest.kind in CHANGES_MULTIPLIER and now < latest.terms.effective_at
        hint = (
            f"Until {moment_text(latest.terms.effective_at)} cancel it first: tally action cancel"
            if is_pending
            else "What has happened is not corrected; announce an event of its own that makes up for it."
        )
        raise Refused(f"Version {version} of {event} was executed on {since}, and is not replaced.", hint=hint)
    if latest.status is ActionStatus.CANCELLED and not corrects:
        raise Refused(
            f"Version {version} of {event} was cancelled on {since}.",
            hint="Announce it anew as the next version with --corrects; its notice starts anew.",
        )
    if not corrects:
        raise Refused(
            f"{event} was announced already as version {version}, with other terms: {what}.",
            hint="If this corrects it, say --corrects; the notice and the approval start anew.",
        )


def _require_within_bound(security: Security, terms: ActionTerms, now: int) -> None:
    """Refused for a ratio beyond the policy's largest change, up or down."""
    policy = policy_at(security, now)
    most, least = policy.max_change_numerator, policy.max_change_denominator
    new, old = terms.numerator, terms.denominator
    if new * least > old * most or old * least > new * most:
        raise Refused(
            f"{ratio_text(terms)} is a larger change than this security's policy allows: from {least}:{most} to"
            f" {most}:{least}.",
            hint="Check the ratio (new shares first). If it is right, split it into several events, or have the admin"
            " loosen the policy.",
        )


def _require_notice(security: Security, terms: ActionTerms, now: int) -> None:
    """Refused when less than the policy's notice is left until the effective time."""
    notice = policy_at(security, now).notice
    if terms.effective_at - now < notice:
        given = moment_text(terms.effective_at) if terms.effective_at else "none"
        raise Refused(
            f"This security's policy promises {notice} s of notice: announced now, the earliest effective time is"
            f" {moment_text(now + notice)}; {given} was given.",
            hint="Choose a later effective time, with some minutes to spare for signing.",
        )


def _require_no_change_pending(security: Security, now: int) -> None:
    """Refused while another change waits; one whose time has come makes room."""
    if now < security.multiplier_effective_at:
        at = moment_text(security.multiplier_effective_at)
        raise Refused(
            f"Another change of the multiplier is pending until {at}; one waits at a time.",
            hint=f"Execute this one after {at}, or cancel the other first; tally action list shows it.",
        )


def _require_expressible(security: Security, before: int, terms: ActionTerms) -> int:
    """The multiplier after the ratio. Refused when there is none, or the supply would be too many shares."""
    after, supply = after_ratio(before, terms), max(security.minted - security.burnt, 0)
    if after is None or share_equivalent(supply, after, Rounding.UP) > U64_MAX:
        raise Refused(
            f"{ratio_text(terms)} leaves no multiplier at which the shares of the whole supply"
            f" ({format_tokens(supply, security.decimals)}) can be written; at most"
            f" {format_shares(U64_MAX, security.decimals)} can.",
            hint="Use a smaller ratio.",
        )
    return after


def _require_not_ended(action: CorporateAction) -> None:
    """Refused for a version that was cancelled or replaced."""
    since = moment_text(action.status_at)
    if action.status is ActionStatus.CANCELLED:
        raise Refused(
            f"Version {action.action_version} was cancelled on {since}.",
            hint="Announce the event anew: tally action announce --corrects",
        )
    if action.status is ActionStatus.REPLACED:
        raise Refused(
            f"Version {action.action_version} was replaced on {since} by version {action.action_version + 1}.",
            hint="Use the newest version; tally action show lists them.",
        )


def _require_cancellable(action: CorporateAction, security: Security, now: int) -> None:
    """Refused for what has ended or taken effect."""
    if action.status is ActionStatus.REPLACED:
        _require_not_ended(action)
    if action.status is not ActionStatus.EXECUTED:
        return
    at = moment_text(action.terms.effective_at)
    if action.kind in CHANGES_MULTIPLIER:
        if now < action.terms.effective_at:
            return
        raise Refused(
            f"It took effect at {at}, and what has taken effect is not taken back.",
            hint="Announce an event of its own that makes up for it, such as a reverse split.",
        )
    if action.kind in PAYS_CASH:
        raise Refused(
            "Its distribution was approved, so it is no longer cancelled.", hint="See to the distribution itself."
        )
    raise Refused(
        f"{ticker_of(security)} was retired by it on {moment_text(action.status_at)}, which is for good.",
        hint="List the share class as a new security.",
    )


def _require_live_approval(action: CorporateAction, role: Role | None, now: int) -> None:
    """Refused unless a second key approved, whose role stayed in force since."""
    if action.status is not ActionStatus.APPROVED:
        raise Refused(
            f"Nobody but its announcer {action.announcer} stands behind it: it is not approved.",
            hint="A second corporate actions key approves it: tally action approve",
        )
    if role is None or not is_in_force(role, now) or role.in_force_from > action.approved_at:
        ended = (
            f"ended on {moment_text(role.ends_at)}"
            if role is not None and role.ends_at <= now
            else "did not stay in force since"
        )
        raise Refused(
            f"{action.approver} approved it on {moment_text(action.approved_at)}, and its role {ended}; only a live"
            " key's approval counts.",
            hint="Announce it anew and have another key approve it: tally action announce --corrects",
        )


async def _keys_in_force(chain: Chain, issuer: Pubkey, now: int) -> Sequence[Pubkey]:
    roles = (await list_roles(chain, issuer)).accounts.values()
    return sorted((r.holder for r in roles if r.kind is _ROLE and is_in_force(r, now)), key=bytes)


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


def _name(kind: ActionKind, terms: ActionTerms, security: Security) -> str:
    ticker, what = ticker_of(security), terms_text(kind, terms)
    if kind in CHANGES_MULTIPLIER:
        return f"{kind_text(kind)} {what} of {ticker}"
    return f"{kind_text(kind)} of {ticker}" + (f" ({what})" if what else "")


def _described(action: CorporateAction, security: Security) -> str:
    return f"{_name(action.kind, action.terms, security)}, version {action.action_version}"


__all__ = [
    "announced_version",
    "cancel_reason_hash",
    "effect_of",
    "find_delisting",
    "plan_announce_action",
    "plan_approve_action",
    "plan_cancel_action",
    "plan_execute_action",
    "plan_retire_security",
]
