"""Exact quantities: decimal text, base units, shares and raw token units. No float, no rounding that is not named.

Units. *base units* are integers in units x 10^decimals of the security's mint. *shares* below are base units of the
share, *raw* are base units of the token, and the multiplier (u128, 18 decimal places, 10^18 is one) joins them:
share = raw x multiplier / 10^18. A liability is rounded up, a claim down.
"""

from __future__ import annotations

import math
import re
import struct
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import Final

from tallystick.errors import AmountError

U64_MAX: Final = 2**64 - 1
U128_MAX: Final = 2**128 - 1
MULTIPLIER_DECIMALS: Final = 18
MULTIPLIER_ONE: Final = 10**MULTIPLIER_DECIMALS
MAXIMUM_DECIMALS: Final = 18
"""No mint of ours has more; Token-2022 would allow 255."""

_TEXT_LIMIT: Final = 80
_DECIMAL_TEXT: Final = re.compile(r"([+-]?)(?:([0-9]+)(?:\.([0-9]*))?|\.([0-9]+))")


class Rounding(Enum):
    """Which way a quotient goes that is not whole: UP for what is owed to holders, DOWN for what somebody claims."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Quantity:
    """An exact decimal, units / 10^scale, always in lowest terms, so that equal values are equal objects."""

    units: int
    scale: int = 0

    def __post_init__(self) -> None:
        if self.scale < 0:
            raise AmountError(f"A quantity's scale must be 0 or more, not {self.scale}.")
        units, scale = self.units, self.scale
        while scale and units % 10 == 0:
            units, scale = units // 10, scale - 1
        object.__setattr__(self, "units", units)
        object.__setattr__(self, "scale", scale)

    def __str__(self) -> str:
        return format_base_units(self.units, self.scale)

    def __add__(self, other: Quantity) -> Quantity:
        scale = max(self.scale, other.scale)
        return Quantity(self.units * 10 ** (scale - self.scale) + other.units * 10 ** (scale - other.scale), scale)

    def __neg__(self) -> Quantity:
        return Quantity(-self.units, self.scale)

    @property
    def is_negative(self) -> bool:
        """True below zero."""
        return self.units < 0

    def to_base_units(self, decimals: int) -> int:
        """The same value as an integer in units x 10^decimals; AmountError when it has more decimals than that."""
        if self.scale > decimals:
            raise AmountError(
                f"{self} has {self.scale} decimals where at most {decimals} are allowed.",
                hint="Nothing is rounded: ask for the exact quantity, or check the decimals of the token.",
            )
        return int(self.units * 10 ** (decimals - self.scale))


def parse_quantity(text: str, *, allow_negative: bool = False) -> Quantity:
    """Exact decimal text (the lexical form of XML Schema's decimal) as a Quantity.

    AmountError for exponents, NaN, infinities, grouping, blanks, non-ASCII digits, more than 80 characters, and for
    values below zero unless `allow_negative`.
    """
    if len(text) > _TEXT_LIMIT:
        raise AmountError(f"A quantity of {len(text)} characters is not one; at most {_TEXT_LIMIT} are read.")
    match = _DECIMAL_TEXT.fullmatch(text)
    if match is None:
        raise AmountError(
            f"{text!r} is not an exact decimal quantity.",
            hint="Write digits with at most one decimal point, such as 1250.5; no exponent and no grouping.",
        )
    sign, whole, fraction, bare_fraction = match.groups()
    fraction = fraction or bare_fraction or ""
    units = int((whole or "0") + fraction)
    quantity = Quantity(-units if sign == "-" else units, len(fraction))
    if quantity.is_negative and not allow_negative:
        raise AmountError(f"{text} is negative where only zero or more is allowed.")
    return quantity


def parse_base_units(text: str, decimals: int, *, allow_negative: bool = False, maximum: int = U64_MAX) -> int:
    """Exact decimal text as an integer in units x 10^decimals, at most `maximum` in size (u64 unless said otherwise).

    AmountError when the text is not an exact decimal, has more significant decimals than `decimals`, is negative
    where that is not allowed, or does not fit.
    """
    _require_decimals(decimals)
    amount = parse_quantity(text, allow_negative=allow_negative).to_base_units(decimals)
    if abs(amount) > maximum:
        raise AmountError(
            f"{text} with {decimals} decimals does not fit: at most {format_base_units(maximum, decimals)} is allowed."
        )
    return amount


def format_base_units(amount: int, decimals: int) -> str:
    """An integer in units x 10^decimals as exact decimal text without trailing zeros: (1500, 3) is 1.5."""
    if decimals < 0:
        raise AmountError(f"Decimals must be 0 or more, not {decimals}.")
    whole, fraction = divmod(abs(amount), 10**decimals)
    sign = "-" if amount < 0 else ""
    digits = str(fraction).rjust(decimals, "0").rstrip("0") if decimals else ""
    return f"{sign}{whole}.{digits}" if digits else f"{sign}{whole}"


def format_shares(amount: int, decimals: int) -> str:
    """Base units in words: 1 share, 0.25 shares."""
    return _counted(amount, decimals, "share")


def format_tokens(amount: int, decimals: int) -> str:
    """Raw units in words: 1 token, 0.25 tokens."""
    return _counted(amount, decimals, "token")


def share_equivalent(raw: int, multiplier: int, rounding: Rounding) -> int:
    """raw x multiplier / 10^18 in shares x 10^decimals. UP for liabilities, DOWN for claimants.

    AmountError when an argument is out of range (raw u64 or a sum of them up to u128, multiplier 1..u128).
    """
    _require_range("raw units", raw, U128_MAX)
    _require_multiplier(multiplier)
    product = raw * multiplier
    return -(-product // MULTIPLIER_ONE) if rounding is Rounding.UP else product // MULTIPLIER_ONE


def raw_from_shares(shares: int, multiplier: int) -> int:
    """The most raw units that `shares` pay for: floor(shares x 10^18 / multiplier), never for the claimant.

    AmountError when an argument is out of range or the result is more than a u64.
    """
    _require_range("shares", shares, U128_MAX)
    _require_multiplier(multiplier)
    raw = shares * MULTIPLIER_ONE // multiplier
    _require_range("raw units", raw, U64_MAX)
    return raw


def changed_multiplier(multiplier: int, numerator: int, denominator: int) -> int:
    """multiplier x numerator / denominator rounded down: what a corporate action makes of it, as the program does.

    AmountError when a part of the ratio is no u64 above zero, or the result is no multiplier.
    """
    _require_multiplier(multiplier)
    for name, part in (("A ratio's numerator", numerator), ("A ratio's denominator", denominator)):
        _require_range(name, part, U64_MAX)
        if part == 0:
            raise AmountError(f"{name} must be above zero.")
    changed = multiplier * numerator // denominator
    _require_multiplier(changed)
    return changed


def multiplier_to_float_bits(multiplier: int) -> int:
    """IEEE 754 bits of the greatest double not above multiplier / 10^18: what Token-2022's scaled UI amount stores."""
    _require_multiplier(multiplier)
    exact = Fraction(multiplier, MULTIPLIER_ONE)
    nearest = multiplier / MULTIPLIER_ONE  # true division of integers is correctly rounded
    below = nearest if Fraction(nearest) <= exact else math.nextafter(nearest, 0.0)
    return int(struct.unpack("<Q", struct.pack("<d", below))[0])


def float_bits_to_multiplier(bits: int) -> int:
    """The multiplier, rounded down to 18 places, that a double's bits stand for.

    AmountError when the bits are no finite number above zero, or one outside u128 with 18 places.
    """
    _require_range("float bits", bits, U64_MAX)
    value: float = struct.unpack("<d", struct.pack("<Q", bits))[0]
    if not math.isfinite(value):
        raise AmountError("The multiplier on chain is not a finite number.")
    multiplier = math.floor(Fraction(value) * MULTIPLIER_ONE)
    _require_multiplier(multiplier)
    return multiplier


def float_bits_to_text(bits: int) -> str:
    """The double of these bits as the shortest decimal text that stands for it and no other."""
    _require_range("float bits", bits, U64_MAX)
    return repr(struct.unpack("<d", struct.pack("<Q", bits))[0])


def _counted(amount: int, decimals: int, noun: str) -> str:
    text = format_base_units(amount, decimals)
    return f"{text} {noun}" if text == "1" else f"{text} {noun}s"


def _require_decimals(decimals: int) -> None:
    if not 0 <= decimals <= MAXIMUM_DECIMALS:
        raise AmountError(f"Decimals must be between 0 and {MAXIMUM_DECIMALS}, not {decimals}.")


def _require_range(name: str, value: int, maximum: int) -> None:
    if not 0 <= value <= maximum:
        raise AmountError(f"{name} must be between 0 and {maximum}, not {value}.")


def _require_multiplier(multiplier: int) -> None:
    if not 1 <= multiplier <= U128_MAX:
        raise AmountError(f"A multiplier must be between 1 and {U128_MAX} (10^18 is one), not {multiplier}.")
