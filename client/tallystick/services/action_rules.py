"""What the program would refuse of a corporate action, said in words before anybody signs.

Source: programs/tallystick/src/state/corporate_action.rs and programs/tallystick/src/state/security.rs.
"""

from __future__ import annotations

from typing import Final

from tallystick.domain.amounts import U64_MAX, U128_MAX, Rounding, format_shares, format_tokens, share_equivalent
from tallystick.errors import InputError, Refused
from tallystick.program.generated.accounts import CorporateAction, Role, Security
from tallystick.program.generated.types import ActionKind, ActionStatus, ActionTerms, RoleKind
from tallystick.services.action_reads import (
    CHANGES_MULTIPLIER,
    PAYS_CASH,
    after_ratio,
    kind_text,
    moment_text,
    ratio_text,
    terms_text,
)
from tallystick.services.chain_reads import ticker_of
from tallystick.services.rules import BASIS_POINTS, is_in_force, policy_at

ROLE: Final = RoleKind.CORPORATE_ACTIONS
"""Whose keys announce, approve and execute."""
NO_CURRENCY: Final = bytes(3)


def require_terms(kind: ActionKind, terms: ActionTerms) -> None:
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


def is_announced(latest: CorporateAction, kind: ActionKind, terms: ActionTerms) -> bool:
    return (latest.kind, latest.terms) == (kind, terms) and latest.status is not ActionStatus.CANCELLED


def require_correctable(event: str, latest: CorporateAction, now: int, *, corrects: bool) -> None:
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


def require_within_bound(security: Security, terms: ActionTerms, now: int) -> None:
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


def require_notice(security: Security, terms: ActionTerms, now: int) -> None:
    """Refused when less than the policy's notice is left until the effective time."""
    notice = policy_at(security, now).notice
    if terms.effective_at - now < notice:
        given = moment_text(terms.effective_at) if terms.effective_at else "none"
        raise Refused(
            f"This security's policy promises {notice} s of notice: announced now, the earliest effective time is"
            f" {moment_text(now + notice)}; {given} was given.",
            hint="Choose a later effective time, with some minutes to spare for signing.",
        )


def require_no_change_pending(security: Security, now: int) -> None:
    """Refused while another change waits; one whose time has come makes room."""
    if now < security.multiplier_effective_at:
        at = moment_text(security.multiplier_effective_at)
        raise Refused(
            f"Another change of the multiplier is pending until {at}; one waits at a time.",
            hint=f"Execute this one after {at}, or cancel the other first; tally action list shows it.",
        )


def require_expressible(security: Security, before: int, terms: ActionTerms) -> int:
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


def require_not_ended(action: CorporateAction) -> None:
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


def require_cancellable(action: CorporateAction, security: Security, now: int) -> None:
    """Refused for what has ended or taken effect."""
    if action.status is ActionStatus.REPLACED:
        require_not_ended(action)
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


def require_live_approval(action: CorporateAction, role: Role | None, now: int) -> None:
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


__all__ = [
    "NO_CURRENCY",
    "ROLE",
    "is_announced",
    "require_cancellable",
    "require_correctable",
    "require_expressible",
    "require_live_approval",
    "require_no_change_pending",
    "require_not_ended",
    "require_notice",
    "require_terms",
    "require_within_bound",
]
