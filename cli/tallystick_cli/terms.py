"""Terms of a corporate action as people type them: kind, ratio, cash and tax, in exact integers."""

from __future__ import annotations

import re
from math import gcd
from typing import Final

from tallystick.domain.amounts import U64_MAX, U128_MAX, parse_base_units, parse_quantity
from tallystick.errors import AmountError, InputError
from tallystick.program.generated.types import ActionKind
from tallystick.services.action_reads import CODES, GROSS_DECIMALS, kind_text

_CURRENCY: Final = re.compile(r"[A-Z]{3}")
KINDS: Final = ", ".join(f"{kind_text(kind).replace(' ', '-')} ({code})" for kind, code in CODES.items())


def parse_kind(text: str) -> ActionKind:
    """A kind by its name (forward-split) or ISO 20022 code (SPLF). InputError for anything else."""
    wanted = text.strip().upper()
    for kind, code in CODES.items():
        if wanted in (code, kind.name, kind.name.replace("_", "-")):
            return kind
    raise InputError(f"{text!r} is no kind of corporate action.", hint=f"Kinds: {KINDS}.")


def parse_ratio(text: str) -> tuple[int, int]:
    """New and old shares in lowest terms: 4:1, 1:500, 1.05:1. InputError for anything else."""
    sides = re.split("[:/]", text.strip())
    try:
        if len(sides) != 2:
            raise AmountError("two sides are expected")
        new, old = (parse_quantity(side.strip()) for side in sides)
    except AmountError as error:
        raise InputError(
            f"{text!r} is no ratio.", hint="Write new shares, a colon and old shares: 4:1, 1:500, 1.05:1."
        ) from error
    scale = max(new.scale, old.scale)
    numerator, denominator = new.to_base_units(scale), old.to_base_units(scale)
    divisor = gcd(numerator, denominator)
    if numerator == 0 or denominator == 0 or max(numerator, denominator) // divisor > U64_MAX:
        raise InputError(
            f"The ratio {text} has a side that is zero or does not fit.", hint="New shares come first, then old ones."
        )
    return numerator // divisor, denominator // divisor


def parse_percent(text: str) -> int:
    """Basis points of a percentage: 15% or 15 is 1500. AmountError or InputError for anything else or over 100%."""
    points = parse_base_units(text.strip().removesuffix("%").strip(), 2)
    if points > 10_000:
        raise InputError(f"{text!r} is more than all of it.", hint="At most 100% can be withheld.")
    return points


def parse_gross(text: str) -> int:
    """Cash for one share in units of the currency x 10^18. AmountError for what is no exact decimal."""
    return parse_base_units(text.strip(), GROSS_DECIMALS, maximum=U128_MAX)


def parse_currency(text: str) -> bytes:
    """ISO 4217: three letters. InputError for anything else."""
    code = text.strip().upper()
    if _CURRENCY.fullmatch(code) is None:
        raise InputError(f"{text!r} is no currency.", hint="Write its three letters, such as USD.")
    return code.encode("ascii")
