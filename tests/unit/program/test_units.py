"""Every integer that a person is shown has the unit its field was declared with."""

from __future__ import annotations

import re

import golden_values
import pytest
from tallystick.program.units import Unit, unit_of

INTEGERS = [
    (kind["name"], field["name"])
    for kind in golden_values.idl()["types"]
    for field in kind["type"].get("fields", ())
    if isinstance(field, dict) and isinstance(field["type"], str) and re.fullmatch(r"[ui]\d+", field["type"])
]


@pytest.mark.parametrize(
    ("kind", "field", "unit"),
    [
        ("DayClosed", "day", Unit.DAY),
        ("Issuer", "last_day", Unit.DAY),
        ("Issuer", "last_period", Unit.PERIOD),
        ("ReserveReport", "period", Unit.PERIOD),
        ("ReportPublished", "period", Unit.PERIOD),
        ("Order", "quantity", Unit.AMOUNT),
        ("Order", "filled", Unit.AMOUNT),
        ("Order", "settle_by", Unit.TIME),
        ("Order", "fills", Unit.NUMBER),
        ("Security", "multiplier", Unit.MULTIPLIER),
        ("Security", "pending_multiplier", Unit.MULTIPLIER),
        ("Security", "reserve_as_of", Unit.TIME),
        ("Security", "minted", Unit.AMOUNT),
        ("Security", "decimals", Unit.NUMBER),
        ("Policy", "margin", Unit.BASIS_POINTS),
        ("Policy", "notice", Unit.SECONDS),
        ("Policy", "supply_cap", Unit.AMOUNT),
        ("Hold", "scope", Unit.SCOPE),
        ("HoldPlaced", "scope", Unit.SCOPE),
        ("SubscriptionSettled", "raw", Unit.AMOUNT),
        ("SubscriptionSettled", "multiplier", Unit.MULTIPLIER),
        ("LimitSet", "window", Unit.SECONDS),
        ("AdminProposed", "acceptable_from", Unit.TIME),
        ("Distribution", "funded", Unit.AMOUNT),
        ("BatchPaid", "raw", Unit.AMOUNT),
        ("BatchPaid", "paid", Unit.NUMBER),
        ("DistributionClosed", "refunded", Unit.AMOUNT),
        ("Unheard", "of", Unit.NUMBER),
    ],
)
def test_a_field_has_the_unit_of_its_declaration(kind: str, field: str, unit: Unit) -> None:
    assert unit_of(kind, field) is unit


def test_every_signed_integer_is_a_time_or_a_span() -> None:
    """The program keeps moments and spans in i64, and nothing else."""
    signed = [
        (kind["name"], field["name"])
        for kind in golden_values.idl()["types"]
        for field in kind["type"].get("fields", ())
        if isinstance(field, dict) and field["type"] == "i64"
    ]
    assert [each for each in signed if unit_of(*each) not in (Unit.TIME, Unit.SECONDS)] == []


def test_no_small_integer_is_an_amount() -> None:
    small = [(kind, field) for kind, field in INTEGERS if field in ("decimals", "version", "bump", "approvals")]
    assert {unit_of(*each) for each in small} == {Unit.NUMBER}
