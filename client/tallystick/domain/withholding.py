"""What an issuer withholds from a dividend, by tax class and day. Rates in basis points of the gross amount.

Whether a second withholding applies beside the custodian's is a question of law, so nothing is assumed: every rate is
written down with the day it begins and a reason, 0 % as well, and so is the class of owners nobody has classified.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from tallystick.errors import InputError

BASIS_POINTS: Final = 10_000
"""The whole, in basis points."""


@dataclass(frozen=True, slots=True)
class WithholdingRule:
    """From `from_date` (YYYY-MM-DD) on, owners of `tax_class` have `rate_bp` basis points withheld. Raises InputError
    for a rate that is none, a day that is none, or no written reason."""

    tax_class: str
    rate_bp: int
    from_date: str
    reason: str

    def __post_init__(self) -> None:
        if not self.tax_class.strip():
            raise InputError("A rate of withholding tax needs the name of a class.")
        if not 0 <= self.rate_bp <= BASIS_POINTS:
            raise InputError(
                f"Tax class {self.tax_class}: a rate is between 0 and 100 %, not {self.rate_bp} basis points."
            )
        _require_day(self.from_date)
        if not self.reason.strip():
            raise InputError(
                f"Tax class {self.tax_class}: its rate from {self.from_date} has no reason.",
                hint="Write the law, treaty or opinion that it rests on; 0 % needs one too.",
            )


@dataclass(frozen=True, slots=True)
class WithholdingTable:
    """Dated rates, and the class of owners without one. Raises InputError where the default has no written reason, no
    rate at all, or two rules of a class begin on one day."""

    rules: tuple[WithholdingRule, ...]
    default_class: str
    default_reason: str

    def __post_init__(self) -> None:
        if not self.default_class.strip() or not self.default_reason.strip():
            raise InputError(
                "Owners without a tax class need a default class and a written reason for it.",
                hint="Name the class and the reason in the profile's [dividends].",
            )
        if all(rule.tax_class != self.default_class for rule in self.rules):
            raise InputError(
                f"The default tax class {self.default_class} has no rate.",
                hint="Add a rule for it to [[dividends.withholding]], with the day it begins and a reason.",
            )
        _require_one_each(self.rules)

    def rates_on(self, day: str) -> dict[str, int]:
        """Basis points by class in force on a day (YYYY-MM-DD). InputError when the default class has none yet."""
        rates = rates_on(self.rules, day)
        if self.default_class not in rates:
            raise InputError(
                f"The default tax class {self.default_class} has no rate on {day}.",
                hint="Add a rule that begins on that day or before it.",
            )
        return rates


def rates_on(rules: Iterable[WithholdingRule], day: str) -> dict[str, int]:
    """Basis points by class in force on a day (YYYY-MM-DD): of each class the rule that began last. Classes whose first
    rule begins later are left out. InputError for a day that is none or two rules of a class from one day."""
    _require_day(day)
    rules = tuple(rules)
    _require_one_each(rules)
    in_force = sorted((rule for rule in rules if rule.from_date <= day), key=lambda rule: rule.from_date)
    return {rule.tax_class: rule.rate_bp for rule in in_force}


def _require_one_each(rules: tuple[WithholdingRule, ...]) -> None:
    seen: set[tuple[str, str]] = set()
    for rule in rules:
        if (rule.tax_class, rule.from_date) in seen:
            raise InputError(f"Tax class {rule.tax_class} has two rates from {rule.from_date}.", hint="Keep one.")
        seen.add((rule.tax_class, rule.from_date))


def _require_day(text: str) -> None:
    try:
        is_day = date.fromisoformat(text).isoformat() == text
    except ValueError:
        is_day = False
    if not is_day:
        raise InputError(f"{text!r} is not a day; write YYYY-MM-DD.")


__all__ = ["BASIS_POINTS", "WithholdingRule", "WithholdingTable", "rates_on"]
