"""Dated rates of withholding tax: the one in force on a day, and nothing without a reason."""

from __future__ import annotations

import pytest
from tallystick.domain.withholding import WithholdingRule, WithholdingTable, rates_on
from tallystick.errors import InputError

RULES = (
    WithholdingRule("treaty", 1_500, "2026-01-01", "treaty with the holder's country"),
    WithholdingRule("treaty", 1_000, "2026-07-01", "treaty as revised"),
    WithholdingRule("none", 0, "2025-01-01", "withheld by the custodian already"),
)


def test_the_rule_that_began_last_is_in_force() -> None:
    assert rates_on(RULES, "2025-12-31") == {"none": 0}
    assert rates_on(RULES, "2026-06-30") == {"none": 0, "treaty": 1_500}
    assert rates_on(tuple(reversed(RULES)), "2026-07-01") == {"none": 0, "treaty": 1_000}


def test_a_table_gives_the_rates_of_a_day_with_its_default() -> None:
    table = WithholdingTable(RULES, "none", "withheld by the custodian already")
    assert table.rates_on("2026-01-01") == {"none": 0, "treaty": 1_500}
    with pytest.raises(InputError, match="no rate on 2024-12-31"):
        table.rates_on("2024-12-31")


@pytest.mark.parametrize(("default", "reason"), [("", "a reason"), ("none", ""), ("none", " "), ("other", "a reason")])
def test_a_default_without_reason_or_rate_is_refused(default: str, reason: str) -> None:
    with pytest.raises(InputError, match="default"):
        WithholdingTable(RULES, default, reason)


@pytest.mark.parametrize(
    ("name", "rate", "day", "reason"),
    [
        ("", 0, "2026-01-01", "a reason"),
        ("a", -1, "2026-01-01", "a reason"),
        ("a", 10_001, "2026-01-01", "a reason"),
        ("a", 1, "2026-13-01", "a reason"),
        ("a", 1, "20260101", "a reason"),
        ("a", 0, "2026-01-01", " "),
    ],
)
def test_a_rule_that_is_none_is_refused(name: str, rate: int, day: str, reason: str) -> None:
    with pytest.raises(InputError):
        WithholdingRule(name, rate, day, reason)


def test_two_rates_of_a_class_from_one_day_are_refused() -> None:
    with pytest.raises(InputError, match="two rates"):
        rates_on((*RULES, RULES[0]), "2026-01-01")
    with pytest.raises(InputError, match="two rates"):
        WithholdingTable((*RULES, RULES[0]), "none", "a reason")
