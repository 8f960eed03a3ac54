"""Corporate actions as people look at them: how far each one is, what it does to a holder, and what to do next.

Source: programs/tallystick/src/state/corporate_action.rs. Times are seconds since 1970 UTC by the chain's clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.clock import instant
from tallystick.domain.amounts import (
    MULTIPLIER_DECIMALS,
    Rounding,
    changed_multiplier,
    float_bits_to_text,
    format_base_units,
    format_shares,
    format_tokens,
    multiplier_to_float_bits,
    share_equivalent,
)
from tallystick.errors import AmountError
from tallystick.program.generated.accounts import CorporateAction, Security
from tallystick.program.generated.types import ActionKind, ActionStatus, ActionTerms
from tallystick.services.chain_reads import list_actions, read_snapshot, require, ticker_of
from tallystick.services.rules import multiplier_at, policy_at

GROSS_DECIMALS: Final = 18
"""Places of the cash for one share."""
EXAMPLE_TOKENS: Final = 100
CODES: Final = {
    ActionKind.CASH_DIVIDEND: "DVCA",
    ActionKind.FORWARD_SPLIT: "SPLF",
    ActionKind.REVERSE_SPLIT: "SPLR",
    ActionKind.STOCK_DIVIDEND: "DVSE",
    ActionKind.REINVESTED_DIVIDEND: "DRIP",
    ActionKind.MERGER: "MRGR",
    ActionKind.SPIN_OFF: "SOFF",
    ActionKind.DELISTING: "DELI",
}
"""ISO 20022 event codes."""
CHANGES_MULTIPLIER: Final = frozenset(
    {
        ActionKind.FORWARD_SPLIT,
        ActionKind.REVERSE_SPLIT,
        ActionKind.STOCK_DIVIDEND,
        ActionKind.REINVESTED_DIVIDEND,
    }
)
PAYS_CASH: Final = frozenset({ActionKind.CASH_DIVIDEND, ActionKind.MERGER, ActionKind.SPIN_OFF})
_LAST_MOMENT: Final = 253_402_300_799
"""The end of the year 9999, behind which there are no dates."""


class ActionState(Enum):
    """How far an action is: its status, and what the clock makes of it."""

    ANNOUNCED = "announced"
    APPROVED = "approved"
    LAPSED = "lapsed"
    """Not executed before its effective time: it never will be."""
    PENDING = "pending"
    """Executed; the multiplier changes at the effective time."""
    IN_EFFECT = "in effect"
    """Executed, and its time has come."""
    CANCELLED = "cancelled"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class Effect:
    """What an action does to the multiplier, 18 places. `after` is None where the ratio leaves none. Nothing is minted
    from `window_from` until a statement from after `effective_at` is attested (law 1)."""

    before: int
    after: int | None
    effective_at: int
    window_from: int

    @property
    def text(self) -> str:
        """The exact multipliers, and the new one's double as Token-2022 keeps it."""
        if self.after is None:
            return f"{multiplier_text(self.before)} → none that can be written"
        double = float_bits_to_text(multiplier_to_float_bits(self.after))
        return f"{multiplier_text(self.before)} → {multiplier_text(self.after)} (in Token-2022 the double {double})"


@dataclass(frozen=True, slots=True)
class ActionDetails:
    """One version of an action with its security, at one slot. `versions` are all of its event, oldest first."""

    slot: int
    now: int
    address: Pubkey
    action: CorporateAction
    security: Security
    versions: tuple[tuple[Pubkey, CorporateAction], ...]

    @property
    def state(self) -> ActionState:
        """How far it is."""
        return state_of(self.action, self.now)

    @property
    def effect(self) -> Effect | None:
        """What it does, or did, to the multiplier; None for kinds that leave it."""
        return effect_of(self.action, self.security, self.now)


async def find_versions(chain: Chain, security: Pubkey, event: bytes) -> tuple[tuple[Pubkey, CorporateAction], ...]:
    """Every version of one event (its hash), oldest first; empty when nothing was announced."""
    found = await list_actions(chain, security)
    versions = [(address, each) for address, each in found.accounts.items() if each.event_hash == event]
    return tuple(sorted(versions, key=lambda each: each[1].action_version))


async def action_details(chain: Chain, action: Pubkey) -> ActionDetails:
    """One version of an action. Refused when there is none."""
    event = await require(chain, CorporateAction, action)
    versions = await find_versions(chain, event.security, event.event_hash)
    snapshot = await read_snapshot(chain, [action, event.security])
    return ActionDetails(
        snapshot.slot,
        snapshot.now,
        action,
        snapshot.require(CorporateAction, action),
        snapshot.require(Security, event.security),
        versions,
    )


def state_of(action: CorporateAction, now: int) -> ActionState:
    """How far an action is at `now`."""
    changes, has_come = action.kind in CHANGES_MULTIPLIER, now >= action.terms.effective_at
    if action.status is ActionStatus.CANCELLED:
        return ActionState.CANCELLED
    if action.status is ActionStatus.REPLACED:
        return ActionState.REPLACED
    if action.status is ActionStatus.EXECUTED:
        return ActionState.PENDING if changes and not has_come else ActionState.IN_EFFECT
    if changes and has_come:
        return ActionState.LAPSED
    return ActionState.APPROVED if action.status is ActionStatus.APPROVED else ActionState.ANNOUNCED


def effect_of(action: CorporateAction, security: Security, now: int) -> Effect | None:
    """What an action did to the multiplier, or would do if it were the next to change it."""
    if action.kind not in CHANGES_MULTIPLIER:
        return None
    if action.multiplier_after:
        return new_effect(action.terms, security, action.multiplier_before, action.multiplier_after)
    before = multiplier_at(security, now)
    return new_effect(action.terms, security, before, after_ratio(before, action.terms))


def new_effect(terms: ActionTerms, security: Security, before: int, after: int | None) -> Effect:
    """The effect of terms that change the multiplier; a policy that waits may widen or narrow the window by then."""
    policy = policy_at(security, terms.effective_at)
    return Effect(before, after, terms.effective_at, terms.effective_at - policy.change_window)


def after_ratio(multiplier: int, terms: ActionTerms) -> int | None:
    """The multiplier after the terms' ratio; None where that is none."""
    try:
        return changed_multiplier(multiplier, terms.numerator, terms.denominator)
    except AmountError:
        return None


def next_step(details: ActionDetails) -> str:
    """What has to happen next, and who does it; empty when nothing has to."""
    action, security, state = details.action, details.security, details.state
    at = moment_text(action.terms.effective_at)
    if state is ActionState.ANNOUNCED:
        return "A second corporate actions key approves it: tally action approve"
    if state is ActionState.LAPSED:
        return (
            f"It was not executed before {at} and never will be; announce a version with a later time: tally action"
            " announce --corrects"
        )
    if state is ActionState.PENDING:
        return f"It takes effect at {at} by itself; until then tally action cancel takes it back."
    if state is ActionState.APPROVED:
        if action.kind in CHANGES_MULTIPLIER:
            return f"Execute it before {at}: tally action execute"
        if action.kind in PAYS_CASH:
            record_at = moment_text(action.terms.record_at)
            return f"It is paid by a distribution; take the register at {record_at}: tally dividend record --wait"
        return f"From {at} on: tally security retire"
    is_behind = action.kind in CHANGES_MULTIPLIER and security.reserve_as_of <= action.terms.effective_at
    if state is ActionState.IN_EFFECT and is_behind:
        return f"Attest a statement from after {at}; until then nothing is minted."
    return ""


def effect_notes(effect: Effect, security: Security) -> tuple[str, ...]:
    """What a change means, in sentences: the multiplier, 100 tokens, redemptions in flight, minting."""
    decimals, at = security.decimals, moment_text(effect.effective_at)
    notes = [f"Multiplier {effect.text}, at {at}."]
    if effect.after is not None:
        raw = EXAMPLE_TOKENS * 10**decimals
        old, new = (
            format_shares(share_equivalent(raw, each, Rounding.DOWN), decimals)
            for each in (effect.before, effect.after)
        )
        notes.append(
            f"{format_tokens(raw, decimals)} stand for {old} before and for {new} after; nobody's tokens change."
        )
    if security.escrowed:
        notes.append(
            f"{format_tokens(security.escrowed, decimals)} in redemptions under way"
            f" ({format_base_units(security.accepted, decimals)} accepted): what is settled from then on is paid at the"
            " new multiplier."
        )
    notes.append(
        f"Nothing is minted from {moment_text(effect.window_from)} until a statement from after {at} is attested."
    )
    return tuple(notes)


def terms_notes(kind: ActionKind, terms: ActionTerms) -> tuple[str, ...]:
    """What is announced, in full, for whoever signs it."""
    times = (
        ("ex", terms.ex_at),
        ("record", terms.record_at),
        ("pay", terms.pay_at),
        ("effective", terms.effective_at),
    )
    dates = ", ".join(f"{name} {moment_text(at)}" for name, at in times if at)
    what = terms_text(kind, terms)
    parts = [f"{CODES[kind]} {kind_text(kind)}" + (f": {what}" if what else ""), *([dates] if dates else [])]
    return (f"{'; '.join(parts)}.", f"Notice by SHA-256: {terms.evidence_hash.hex()}")


def terms_text(kind: ActionKind, terms: ActionTerms) -> str:
    """The ratio, or the cash for one share; empty where there is neither."""
    tax = f", {percent_text(terms.withholding)} withheld" if terms.withholding else ""
    if kind in CHANGES_MULTIPLIER:
        return f"{ratio_text(terms)}{tax}"
    if kind in PAYS_CASH:
        return f"{gross_text(terms)} {currency_text(terms)} a share{tax or ', nothing withheld'}"
    return ""


def action_name(kind: ActionKind, terms: ActionTerms, security: Security) -> str:
    """What an action does to which security, in a few words."""
    ticker, what = ticker_of(security), terms_text(kind, terms)
    if kind in CHANGES_MULTIPLIER:
        return f"{kind_text(kind)} {what} of {ticker}"
    return f"{kind_text(kind)} of {ticker}" + (f" ({what})" if what else "")


def described(action: CorporateAction, security: Security) -> str:
    """The same, with the version."""
    return f"{action_name(action.kind, action.terms, security)}, version {action.action_version}"


def ratio_text(terms: ActionTerms) -> str:
    """New to old shares; empty where there is no ratio."""
    return f"{terms.numerator}:{terms.denominator}" if terms.denominator else ""


def gross_text(terms: ActionTerms) -> str:
    """Cash for one share before tax, as exact decimal text."""
    return format_base_units(terms.gross_per_share, GROSS_DECIMALS)


def currency_text(terms: ActionTerms) -> str:
    """ISO 4217, empty where no cash is paid."""
    return bytes(terms.currency).rstrip(b"\0").decode("ascii", errors="replace")


def percent_text(basis_points: int) -> str:
    """1500 as 15%."""
    return f"{format_base_units(basis_points, 2)}%"


def multiplier_text(multiplier: int) -> str:
    """A multiplier as exact decimal text."""
    return format_base_units(multiplier, MULTIPLIER_DECIMALS)


def kind_text(kind: ActionKind) -> str:
    """A kind of action as people say it: forward split."""
    return kind.name.lower().replace("_", " ")


def moment_text(seconds: int) -> str:
    """A moment in UTC; one that no calendar has as its seconds, since an announcer may write any number."""
    return instant(seconds) if 0 <= seconds <= _LAST_MOMENT else f"{seconds} s"


__all__ = [
    "CHANGES_MULTIPLIER",
    "CODES",
    "GROSS_DECIMALS",
    "PAYS_CASH",
    "ActionDetails",
    "ActionState",
    "Effect",
    "action_details",
    "action_name",
    "after_ratio",
    "currency_text",
    "described",
    "effect_notes",
    "effect_of",
    "find_versions",
    "gross_text",
    "kind_text",
    "moment_text",
    "multiplier_text",
    "new_effect",
    "next_step",
    "percent_text",
    "ratio_text",
    "state_of",
    "terms_notes",
    "terms_text",
]
