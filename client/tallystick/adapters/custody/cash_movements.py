"""Movements of cash in a confirmation, whatever its format: which amounts there are, and what they come to.

Amounts have the names of ISO 15022's field 19B. NETT is what may be paid out; it is read and never computed. PSTA, what
was posted, is information, as long as it is in the same currency and no less.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tallystick.adapters.custody.errors import ContradictoryCash, MalformedStatement, UnsupportedStatement
from tallystick.domain.amounts import Quantity
from tallystick.domain.confirmations import ConfirmationFunction

GROSS: Final = "GRSS"
NET: Final = "NETT"
POSTED: Final = "PSTA"
TAXES: Final = ("TAXR", "WITL", "WITF")
"""Withholding tax; second level, once local, tax; foreign tax, in versions before 2014."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in units of a currency, ISO 4217."""

    currency: str
    amount: Quantity


@dataclass(frozen=True, slots=True)
class CashMovement:
    """One credit or debit. `posted` is a date in ISO 8601; `others` names amounts that nothing is computed from."""

    is_credit: bool
    amounts: Mapping[str, Money]
    posted: str
    where: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CashTotals:
    """All movements of a message together; `posted` is the latest date."""

    currency: str
    gross: Quantity
    tax: Quantity
    net: Quantity
    posted: str


def add_up(movements: Sequence[CashMovement], function: ConfirmationFunction) -> CashTotals:
    """The sum over a message's movements.

    UnsupportedStatement when there is none, or one goes the other way than the function's; MalformedStatement when
    gross or net is missing; ContradictoryCash for several currencies, where gross less tax is not net, and where less
    than the net was posted.
    """
    if not movements:
        raise UnsupportedStatement(
            "The message moves no cash", hint="Securities alone are not paid out; see the statement of holdings."
        )
    gross = tax = net = Quantity(0)
    currency = ""
    for movement in movements:
        _require_direction(movement, function)
        own = _required(movement, NET)
        parts = [_required(movement, GROSS), *(movement.amounts[each] for each in TAXES if each in movement.amounts)]
        posting = [movement.amounts[POSTED]] if POSTED in movement.amounts else []
        currencies = {each.currency for each in (own, *parts, *posting)} | ({currency} if currency else set())
        if len(currencies) > 1:
            raise ContradictoryCash(
                f"The cash is in several currencies: {', '.join(sorted(currencies))}",
                where=movement.where,
                hint="Ask the custodian for a confirmation of each currency on its own, without a conversion.",
            )
        (currency,) = currencies
        withheld = sum((each.amount for each in parts[1:]), Quantity(0))
        if parts[0].amount + -withheld != own.amount:
            others = f"; {', '.join(movement.others)} also stand there" if movement.others else ""
            raise ContradictoryCash(
                f"Gross {parts[0].amount} less tax {withheld} is not the net {own.amount} {currency}{others}",
                where=movement.where,
                hint="Nothing is paid from a confirmation that does not add up; ask the custodian to correct it.",
            )
        for each in posting:
            if (each.amount + -own.amount).is_negative:
                raise ContradictoryCash(
                    f"Posted are {each.amount} {currency}, less than the net {own.amount}",
                    where=movement.where,
                    hint="More than arrived is never paid out; ask the custodian what was deducted.",
                )
        gross, tax, net = gross + parts[0].amount, tax + withheld, net + own.amount
    return CashTotals(currency, gross, tax, net, max(each.posted for each in movements))


def _require_direction(movement: CashMovement, function: ConfirmationFunction) -> None:
    if movement.is_credit == (function is ConfirmationFunction.NEW):
        return
    said, expected = ("debited", "credited") if not movement.is_credit else ("credited", "debited")
    raise UnsupportedStatement(
        f"The account is {said} where a {'new message' if expected == 'credited' else 'reversal'} has it {expected}",
        where=movement.where,
        hint="Nothing is paid from it; ask the custodian what it means.",
    )


def _required(movement: CashMovement, name: str) -> Money:
    found = movement.amounts.get(name)
    if found is None:
        text = {GROSS: "gross amount (GRSS)", NET: "net amount (NETT)"}[name]
        raise MalformedStatement(
            f"The {text} is missing, and is not computed from the others",
            where=movement.where,
            hint="Ask the custodian for a confirmation with gross, taxes and net.",
        )
    return found


__all__ = ["GROSS", "NET", "POSTED", "TAXES", "CashMovement", "CashTotals", "Money", "add_up"]
