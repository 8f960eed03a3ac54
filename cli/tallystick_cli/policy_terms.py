"""Settings of a policy as people type them: margin=1%, supply-cap=2000000, notice=2d, max-change=50/1."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from tallystick.domain.amounts import parse_base_units
from tallystick.errors import InputError

from tallystick_cli.moments import parse_span
from tallystick_cli.terms import parse_percent, parse_ratio

SETTINGS: Final[Mapping[str, str]] = {
    "threshold": "threshold",
    "margin": "margin",
    "max-age": "max_attestation_age",
    "supply-cap": "supply_cap",
    "accept-period": "accept_period",
    "settle-period": "settle_period",
    "notice": "notice",
    "change-window": "change_window",
    "max-change": "max_change",
    "classes": "allowed_classes",
}
"""Fields of the policy by the names of the options of `tally security list`."""
NAMES: Final = ", ".join(SETTINGS)


def parse_settings(texts: Sequence[str], decimals: int) -> dict[str, int]:
    """Policy fields from NAME=VALUE. InputError or AmountError for a name or value that is none, or a name twice."""
    found: dict[str, int] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or name not in SETTINGS:
            raise InputError(f"{text!r} is no setting.", hint=f"Write NAME=VALUE with one of: {NAMES}.")
        field = SETTINGS[name]
        if field in found or (field == "max_change" and "max_change_numerator" in found):
            raise InputError(f"{name} is set twice.", hint="Say it once.")
        if field == "max_change":
            found["max_change_numerator"], found["max_change_denominator"] = parse_ratio(value)
        else:
            found[field] = _parser(field, decimals)(value)
    return found


def _parser(field: str, decimals: int) -> Callable[[str], int]:
    if field == "margin":
        return parse_percent
    if field == "supply_cap":
        return lambda value: parse_base_units(value.replace(",", "").replace("_", ""), decimals)
    if field in ("threshold", "allowed_classes"):
        return _whole
    return parse_span


def _whole(text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        raise InputError(f"{text!r} is no whole number.", hint="Write 3, or bits as 0b101.") from None
