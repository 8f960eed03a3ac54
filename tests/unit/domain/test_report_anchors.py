"""Days, periods and draws are what the program makes of them: the vectors are those of its own tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tallystick.domain.closes import NO_PREVIOUS, DailyClose
from tallystick.domain.report_anchors import (
    NO_DAYS,
    day_number,
    day_text,
    days_hash,
    days_hash_of,
    days_in,
    drawn_day,
    first_day,
    period_of,
)
from tallystick.errors import InputError, LedgerError

PERIODS = [
    (197001, 0, 31),
    (197002, 31, 28),
    (200002, 10_988, 29),
    (202402, 19_754, 29),
    (202512, 20_423, 31),
    (202601, 20_454, 31),
    (202604, 20_544, 30),
    (210002, 47_513, 28),
    (999911, 2_932_836, 30),
]
"""Period, its first day, its days."""
TWO_DAYS = bytes.fromhex("dd524f95324039a037002372fce9cbe7c27d8ec553894d8c734baa52cc785194")
DRAWS = [(202602, 0, 13), (202602, 7, 11), (202601, 7, 5), (202402, 255, 13)]
"""Period, the byte that the slot's hash repeats, the day."""
ISSUER = b"\1" * 32


@pytest.mark.parametrize(("period", "first", "days"), PERIODS)
def test_a_period_has_its_first_day_and_its_days(period: int, first: int, days: int) -> None:
    assert (first_day(period), days_in(period)) == (first, days)
    assert period_of(first) == period_of(first + days - 1) == period


@pytest.mark.parametrize("period", [0, 196912, 202600, 202613, 1_000_001])
def test_what_is_no_month_is_refused(period: int) -> None:
    with pytest.raises(InputError, match="is not a period"):
        first_day(period)


def test_a_day_is_counted_from_1970() -> None:
    assert (day_number("1970-01-01"), day_number("2026-01-01")) == (0, 20_454)
    assert day_text(20_454) == "2026-01-01"


@pytest.mark.parametrize("refused", [lambda: day_number("1969-12-31"), lambda: day_number("x"), lambda: day_text(-1)])
def test_what_is_no_day_is_refused(refused: Callable[[], object]) -> None:
    with pytest.raises(InputError):
        refused()


def test_closed_days_are_chained_as_the_program_does() -> None:
    one = days_hash(NO_DAYS, 20_454, b"\1" * 32, 5)
    assert days_hash(one, 20_456, b"\2" * 32, 9) == TWO_DAYS


def test_the_running_hash_follows_from_the_daily_closes() -> None:
    first = DailyClose(ISSUER, "cluster", bytes(32), "2026-01-01", 5, 1_767_312_000, NO_PREVIOUS, ())
    second = DailyClose(ISSUER, "cluster", bytes(32), "2026-01-02", 9, 1_767_398_400, first.hash, ())
    expected = days_hash(days_hash(NO_DAYS, 20_454, first.hash, 5), 20_455, second.hash, 9)
    assert days_hash_of([first, second]) == expected
    assert days_hash_of([second], previous=days_hash_of([first])) == expected


@pytest.mark.parametrize(
    "wrong", [(b"", 1, bytes(32), 1), (bytes(32), -1, bytes(32), 1), (bytes(32), 1, bytes(32), 2**64)]
)
def test_what_does_not_fit_is_refused(wrong: tuple[bytes, int, bytes, int]) -> None:
    with pytest.raises(LedgerError):
        days_hash(*wrong)


@pytest.mark.parametrize(("period", "byte", "day"), DRAWS)
def test_the_day_is_what_the_hash_says(period: int, byte: int, day: int) -> None:
    assert drawn_day(ISSUER, period, bytes([byte]) * 32) == day


def test_a_draw_needs_whole_hashes() -> None:
    with pytest.raises(LedgerError, match="32 bytes"):
        drawn_day(ISSUER, 202602, b"short")
