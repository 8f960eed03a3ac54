"""In what unit each integer of the program's accounts, types and events is: read from the IDL's own documentation.

Every field of an account says its unit and clock where the program declares it. Fields of events mostly say nothing and
are named alike, so they are taken to mean what fields of that name mean everywhere else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Final

from tallystick.program import artifacts

_MOMENT: Final = re.compile(r"_(at|by|from|until|date)$")
CASH: Final = frozenset({"raw", "funded", "paid", "total", "refunded"})
_BITS: Final = ("BatchPaid", "paid")
"""Which entries of a batch, one bit each."""
_INTEGER: Final = re.compile(r"[ui](8|16|32|64|128)")


class Unit(StrEnum):
    """What an integer counts."""

    NUMBER = "number"
    TIME = "unix seconds"
    SECONDS = "seconds"
    AMOUNT = "shares or tokens x 10^decimals of the security, cash x 10^decimals of the payment token"
    MULTIPLIER = "multiplier x 10^18"
    BASIS_POINTS = "basis points"
    SCOPE = "bits of a hold's scope"
    LAMPORTS = "lamports"
    DAY = "days since 1970-01-01"
    PERIOD = "month as YYYYMM"


def unit_of(kind: str, field: str) -> Unit:
    """The unit of `field` of the type, account or event `kind`; NUMBER for what is not known."""
    documented, by_name = _units()
    if (kind, field) in documented:
        return documented[kind, field]
    if field in by_name:
        return by_name[field]
    return Unit.TIME if _MOMENT.search(field) else Unit.NUMBER


def _unit_said(text: str) -> Unit:
    if "YYYYMM" in text:
        return Unit.PERIOD
    if "counted from 1970-01-01" in text.lower():
        return Unit.DAY
    if text.startswith("Unix seconds"):
        return Unit.TIME
    if text.startswith("Seconds"):
        return Unit.SECONDS
    if text.startswith(("Raw ", "In the quantity's unit")) or "x 10^decimals" in text:
        return Unit.AMOUNT
    if text.startswith("Multiplier") or "18 places" in text:
        return Unit.MULTIPLIER
    if text.startswith("Basis points"):
        return Unit.BASIS_POINTS
    return Unit.SCOPE if "SCOPE_" in text else Unit.NUMBER


@cache
def _units() -> tuple[Mapping[tuple[str, str], Unit], Mapping[str, Unit]]:
    """Units by type and field, and by field alone where all documented fields of that name agree, arguments aside."""
    documented: dict[tuple[str, str], Unit] = {}
    by_name: dict[str, set[Unit]] = {}
    for kind in json.loads(artifacts.idl())["types"]:
        fields = [each for each in kind["type"].get("fields", ()) if isinstance(each, dict)]
        # What a distribution and its events count is the payment token's, and named like the security's.
        pays = kind["name"] == "Distribution" or any(each["name"] == "distribution" for each in fields)
        for field in fields:
            if not isinstance(field["type"], str) or not _INTEGER.fullmatch(field["type"]):
                continue
            if pays and field["name"] in CASH:
                is_bits = (kind["name"], field["name"]) == _BITS
                documented[kind["name"], field["name"]] = Unit.NUMBER if is_bits else Unit.AMOUNT
            elif field.get("docs"):
                unit = _unit_said(" ".join(field["docs"]))
                documented[kind["name"], field["name"]] = unit
                if not kind["name"].endswith("Params"):
                    by_name.setdefault(field["name"], set()).add(unit)
    return documented, {name: units.pop() for name, units in by_name.items() if len(units) == 1}


__all__ = ["Unit", "unit_of"]
