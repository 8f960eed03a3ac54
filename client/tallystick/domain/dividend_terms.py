"""What a dividend is paid from, and what one raw unit of the security gets of it, exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import gcd

from tallystick.domain.amounts import MULTIPLIER_ONE, Quantity
from tallystick.domain.record_register import RecordRegister
from tallystick.domain.withholding import BASIS_POINTS
from tallystick.errors import InputError, Refused


@dataclass(frozen=True, slots=True)
class DividendTerms:
    """What a dividend is paid from and how. `eligible` in shares; `gross`, `tax` and `net` in units of the currency, as
    the custodian's confirmations sum up; `rates` are basis points by tax class, those of the record date; `fee` in
    basis points of the gross amount; `minimum` in base units, the least that is paid to anybody.

    Raises InputError for terms that nothing can be paid by.
    """

    eligible: Quantity
    gross: Quantity
    tax: Quantity
    net: Quantity
    payment_decimals: int
    rates: Mapping[str, int]
    default_class: str
    fee: int = 0
    minimum: int = 0

    def __post_init__(self) -> None:
        if self.eligible.units <= 0 or self.net.units <= 0 or self.gross.is_negative or self.tax.is_negative:
            raise InputError(
                f"A dividend needs shares and cash: {self.eligible} shares, gross {self.gross}, tax {self.tax}, net "
                f"{self.net} are none.",
                hint="Add the custodian's confirmations of the event; after a reversal nothing may be left to pay.",
            )
        if self.gross + -self.tax != self.net:
            raise InputError(
                f"Gross {self.gross} less tax {self.tax} is not net {self.net}.",
                hint="Compare the custodian's confirmations; nothing is assumed about the difference.",
            )
        if self.default_class not in self.rates:
            raise InputError(f"The default tax class {self.default_class} has no rate.")
        if any(not 0 <= part <= BASIS_POINTS for part in (*self.rates.values(), self.fee)):
            raise InputError("Rates and fee are between 0 and 10,000 basis points.")
        if self.minimum < 0 or self.payment_decimals < 0:
            raise InputError("The minimum payout and the decimals of the payment mint are 0 or more.")


@dataclass(frozen=True, slots=True)
class UnitShares:
    """Parts of one raw unit, all over `whole`: gross, upstream tax, fee, and by class withholding and net."""

    whole: int
    gross: int
    upstream: int
    fee: int
    withheld: Mapping[str, int]
    net: Mapping[str, int]

    def require_class(self, name: str) -> None:
        """InputError for a tax class without a rate, or whose deductions are above the gross amount."""
        if name not in self.net:
            raise InputError(
                f"Tax class {name} has no rate at the record date.",
                hint="Add it to [[dividends.withholding]], or correct the class of the owners that name it.",
            )
        if self.net[name] < 0:
            raise InputError(
                f"Tax class {name}: withholding and fee are more than what the custodian's tax left.",
                hint="Compare the rates with the tax that the confirmations show.",
            )


def unit_shares(register: RecordRegister, terms: DividendTerms) -> UnitShares:
    """Parts of one raw unit. Refused when all raw units have more shares than the custodian paid on."""
    token_shares = MULTIPLIER_ONE * 10**register.decimals  # raw x multiplier / this is shares
    held = register.total * register.multiplier * 10**terms.eligible.scale
    if held > terms.eligible.units * token_shares:
        raise Refused(
            f"The register has more shares than the {terms.eligible} that the custodian paid on.",
            hint="A confirmation is missing, or shares were in custody elsewhere; read all confirmations of the event.",
        )
    scale = max(terms.gross.scale, terms.tax.scale)
    unit = register.multiplier * 10 ** (terms.eligible.scale + terms.payment_decimals)
    gross = terms.gross.units * 10 ** (scale - terms.gross.scale) * unit
    upstream = terms.tax.units * 10 ** (scale - terms.tax.scale) * unit
    whole = token_shares * terms.eligible.units * 10**scale * BASIS_POINTS
    common = gcd(whole, gross, upstream * BASIS_POINTS)  # in each part below
    whole, gross, upstream = whole // common, gross // common, upstream * BASIS_POINTS // common
    return UnitShares(
        whole=whole,
        gross=gross * BASIS_POINTS,
        upstream=upstream,
        fee=gross * terms.fee,
        withheld={name: gross * rate for name, rate in terms.rates.items()},
        net={name: gross * (BASIS_POINTS - rate - terms.fee) - upstream for name, rate in terms.rates.items()},
    )


def is_as_announced(terms: DividendTerms, gross_per_share: int) -> bool:
    """True when the gross amount is the announced one (18 places) for all eligible shares, rounded to cents or nearer:
    at most half a cent apart."""
    scale = 18 + terms.eligible.scale + terms.gross.scale
    gross = terms.gross.units * 10 ** (scale - terms.gross.scale)
    announced = gross_per_share * terms.eligible.units * 10**terms.gross.scale
    difference: int = 2 * abs(gross - announced) * 100
    return difference <= int(10**scale)


__all__ = ["DividendTerms", "UnitShares", "is_as_announced", "unit_shares"]
