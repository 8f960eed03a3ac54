"""A custodian's confirmation that cash of a corporate action arrived: what a dividend may be paid from.

Sources: ISO 15022 MT566 (Corporate Action Confirmation) and ISO 20022 seev.036 (Corporate Action Movement
Confirmation) with its reversal seev.037, whose fields this model names. An announcement (MT564, seev.031) is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from tallystick.domain.amounts import Quantity
from tallystick.domain.identifiers import canonical_spelling, custody_account_hash
from tallystick.errors import AmountError, Refused


class ConfirmationFunction(Enum):
    """What the message does (MT566 :23G:)."""

    NEW = "NEWM"
    REVERSAL = "REVR"


@dataclass(frozen=True, slots=True)
class CashConfirmation:
    """Cash of one event, credited to one account. Times in seconds since 1970 UTC; dates as ISO 8601, or empty.

    `event_id` is the custodian's id of the event (CORP), `event_code` the kind (CAEV: DVCA). `eligible` is the balance
    of shares that was paid on (CONB, else ELIG). `gross`, `tax` (all that was withheld before the account was credited)
    and `net` (NETT) are in units of `currency` (ISO 4217), and gross - tax = net. `posted` is the date of posting.
    `reference` is the message's own (SEME); `reverses` names the message that a reversal takes back, or is empty. A
    reversal's amounts are those it takes back, above zero too. AmountError for amounts that cannot be.
    """

    custodian_lei: str
    account: str
    reference: str
    function: ConfirmationFunction
    event_id: str
    event_code: str
    isin: str
    eligible: Quantity
    currency: str
    gross: Quantity
    tax: Quantity
    net: Quantity
    posted: str
    record_date: str
    source_hash: bytes
    format: str
    received_at: int
    reverses: str = ""

    def __post_init__(self) -> None:
        if self.gross + -self.tax != self.net or self.tax.is_negative or self.net.is_negative:
            raise AmountError(f"Gross {self.gross} less tax {self.tax} is not the net {self.net} of a confirmation.")
        if self.eligible.units <= 0:
            raise AmountError(f"Cash is paid on shares; {self.eligible} are eligible.")


@dataclass(frozen=True, slots=True)
class ConfirmedCash:
    """What the custodians' confirmations of one event come to, reversals applied.

    `eligible` is in shares; `gross`, `tax` and `net` are in units of `currency`. `standing` are the messages that
    count, one for each account, `taken_back` those that were reversed, with the reversals.
    """

    isin: str
    event_id: str
    event_code: str
    currency: str
    eligible: Quantity
    gross: Quantity
    tax: Quantity
    net: Quantity
    standing: tuple[CashConfirmation, ...]
    taken_back: tuple[CashConfirmation, ...] = ()


def settled_cash(confirmations: Sequence[CashConfirmation]) -> ConfirmedCash:
    """What all confirmations of one event come to. The order in which they are given does not matter.

    A reversal takes back the message it names, whole. Refused when there is none or none is left; when two are of
    different events, securities or currencies; when a reversal names no message, one reversed before, or one of other
    amounts; and when an account was paid twice without a reversal in between.
    """
    if not confirmations:
        raise Refused(
            "The custodian has confirmed no cash of this event.",
            hint="Read its confirmation (MT566 or seev.036) first; an announcement is none.",
        )
    for what, values in (
        ("events", {canonical_spelling(each.event_id) for each in confirmations}),
        ("securities", {each.isin for each in confirmations}),
        ("kinds of event", {each.event_code for each in confirmations}),
    ):
        _require_one(what, values)
    taken_back = _taken_back(confirmations)
    gone = {id(each) for each in taken_back}
    standing = tuple(each for each in confirmations if id(each) not in gone)
    if not standing:
        raise Refused(
            "Every confirmation of this event was reversed, so no cash of it is there.",
            hint="Wait for the custodian to confirm it again.",
        )
    _require_one("currencies", {each.currency for each in standing})
    paid: dict[bytes, CashConfirmation] = {}
    for each in standing:
        other = paid.setdefault(_account(each), each)
        if other is not each:
            raise Refused(
                f"Account {each.account} was paid twice: by {other.reference} and by {each.reference}, and neither was"
                " reversed.",
                hint="Ask the custodian which one stands; it has to reverse the other.",
            )
    first = standing[0]
    return ConfirmedCash(
        isin=first.isin,
        event_id=canonical_spelling(first.event_id),
        event_code=first.event_code,
        currency=first.currency,
        eligible=sum((each.eligible for each in standing), Quantity(0)),
        gross=sum((each.gross for each in standing), Quantity(0)),
        tax=sum((each.tax for each in standing), Quantity(0)),
        net=sum((each.net for each in standing), Quantity(0)),
        standing=standing,
        taken_back=taken_back,
    )


def _taken_back(confirmations: Sequence[CashConfirmation]) -> tuple[CashConfirmation, ...]:
    """Reversals and what they reverse, in the order given."""
    named: dict[tuple[bytes, str], CashConfirmation] = {}
    for each in confirmations:
        if each.function is ConfirmationFunction.NEW and named.setdefault(_key(each, each.reference), each) is not each:
            raise Refused(
                f"Two confirmations of account {each.account} have the reference {each.reference}.",
                hint="Keep the one that the custodian stands by; a reference is one message.",
            )
    gone: dict[int, CashConfirmation] = {}
    for reversal in confirmations:
        if reversal.function is not ConfirmationFunction.REVERSAL:
            continue
        reversed_one = named.get(_key(reversal, reversal.reverses))
        if reversed_one is None:
            raise Refused(
                f"{reversal.reference} reverses {reversal.reverses or 'no message'}, which was not received for account"
                f" {reversal.account}.",
                hint="Read the confirmation that it names, or ask the custodian which message it means.",
            )
        if id(reversed_one) in gone:
            raise Refused(
                f"{reversal.reference} reverses {reversal.reverses}, which was reversed before.",
                hint="Ask the custodian; one of the two reversals is a mistake.",
            )
        if _money(reversal) != _money(reversed_one):
            raise Refused(
                f"{reversal.reference} reverses {reversal.reverses} with other amounts: net {reversal.net}"
                f" {reversal.currency} of {reversed_one.net} {reversed_one.currency}.",
                hint="Only a whole confirmation is reversed; ask the custodian for that, and for a new one.",
            )
        gone |= {id(reversal): reversal, id(reversed_one): reversed_one}
    return tuple(each for each in confirmations if id(each) in gone)


def _require_one(what: str, values: set[str]) -> None:
    if len(values) > 1:
        raise Refused(
            f"The confirmations are of different {what}: {', '.join(sorted(values))}.",
            hint="Cash of one event in one currency is paid out at a time.",
        )


def _account(confirmation: CashConfirmation) -> bytes:
    return custody_account_hash(confirmation.custodian_lei, confirmation.account)


def _key(confirmation: CashConfirmation, reference: str) -> tuple[bytes, str]:
    return _account(confirmation), canonical_spelling(reference) if reference else ""


def _money(confirmation: CashConfirmation) -> tuple[str, Quantity, Quantity, Quantity, Quantity]:
    return (
        confirmation.currency,
        confirmation.eligible,
        confirmation.gross,
        confirmation.tax,
        confirmation.net,
    )


__all__ = ["CashConfirmation", "ConfirmationFunction", "ConfirmedCash", "settled_cash"]
