"""Numbers and times as a report's readers see them are exactly those of the document."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some
from tallystick.adapters.publish import reading
from tallystick.errors import InputError


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        ("0", 6, "0"),
        ("1250500000", 6, "1,250.5"),
        ("-1", 9, "−0.000000001"),
        (18_446_744_073_709_551_615, 0, "18,446,744,073,709,551,615"),
        (None, 6, "–"),
    ],
)
def test_an_amount_has_grouped_digits_and_every_place(value: int | str | None, decimals: int, text: str) -> None:
    assert reading.amount(value, decimals) == text


@given(some.integers(-(2**128), 2**128), some.integers(0, 18))
def test_an_amount_reads_back_as_what_it_was(value: int, decimals: int) -> None:
    text = reading.amount(value, decimals).replace(",", "").replace("−", "-")
    number, _, fraction = text.partition(".")
    assert int(number + fraction.ljust(decimals, "0")) == value


def test_a_column_has_the_same_places_in_every_row() -> None:
    column = reading.amounts([("1250500000", 6), ("-250000", 6), (None, 6), ("7", 0)])
    assert column == ["1,250.50", "−0.25", "–", "7.00"]


def test_a_surplus_carries_a_sign_and_zero_does_not() -> None:
    assert [reading.signed(each) for each in ("12.5", "−3", "0", "0.00", "–")] == ["+12.5", "−3", "0", "0.00", "–"]


@pytest.mark.parametrize(
    ("ratio", "text"),
    [("1.000000", "100.0000 %"), ("0.999999", "99.9999 %"), ("1234.5", "123,450 %"), ("0", "0 %"), (None, "–")],
)
def test_a_ratio_is_per_cent_with_two_places_fewer(ratio: str | None, text: str) -> None:
    assert reading.per_cent(ratio) == text


def test_basis_points_and_multipliers_are_exact() -> None:
    assert reading.basis_points(1500) == "15 %"
    assert reading.basis_points(1) == "0.01 %"
    assert reading.multiplier("1002739726027397260") == "1.00273972602739726"


def test_times_are_read_as_utc() -> None:
    assert reading.instant("2026-10-31T23:59:12Z") == "2026-10-31 23:59:12"
    assert reading.instant(1_793_491_152) == "2026-10-31 23:59:12"
    assert reading.instant_in_words("2026-10-31T23:59:12Z") == "31 October 2026, 23:59:12 UTC"
    assert reading.day("2026-10-01") == "1 October 2026"
    assert reading.period("2026-02") == "February 2026"
    assert reading.instant("2026-11-01T00:59:12+01:00") == "2026-10-31 23:59:12"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (93_784, "1 d 2 h 3 min 4 s"), ("86400", "1 d"), (None, "–")],
)
def test_a_duration_names_what_is_not_none(seconds: int | str | None, text: str) -> None:
    assert reading.duration(seconds) == text


def test_a_long_hash_is_short_and_a_short_word_is_whole() -> None:
    assert reading.short("ab" * 32) == "abababab…abababab"
    assert reading.short("2026-10") == "2026-10"


@pytest.mark.parametrize(
    "call",
    [
        lambda: reading.grouped("1e5"),
        lambda: reading.whole(True),
        lambda: reading.whole("1.5"),
        lambda: reading.instant("yesterday"),
        lambda: reading.instant(10**20),
        lambda: reading.duration(-1),
        lambda: reading.per_cent("all"),
    ],
)
def test_what_is_no_value_of_a_report_is_refused(call) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError):
        call()
