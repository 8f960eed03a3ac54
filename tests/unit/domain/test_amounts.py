"""Amounts are exact: text, base units, shares and raw units."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tallystick.domain.amounts import (
    MULTIPLIER_ONE,
    U64_MAX,
    U128_MAX,
    Quantity,
    Rounding,
    changed_multiplier,
    float_bits_to_multiplier,
    float_bits_to_text,
    format_base_units,
    format_shares,
    format_tokens,
    multiplier_to_float_bits,
    parse_base_units,
    parse_quantity,
    raw_from_shares,
    share_equivalent,
)
from tallystick.errors import AmountError


@pytest.mark.parametrize(
    ("text", "decimals", "amount"),
    [
        ("0", 0, 0),
        ("1", 6, 1_000_000),
        ("0.25", 6, 250_000),
        ("10.500000000", 1, 105),
        (".5", 1, 5),
        ("7.", 0, 7),
        ("+3", 2, 300),
        ("18446744073709551615", 0, U64_MAX),
        ("00012", 0, 12),
    ],
)
def test_exact_text_becomes_base_units(text: str, decimals: int, amount: int) -> None:
    assert parse_base_units(text, decimals) == amount


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "1 ",
        " 1",
        "1e3",
        "1E3",
        "NaN",
        "Infinity",
        "-Infinity",
        "1,000",
        "1_000",
        "0x10",
        ".",
        "+",
        "-",
        "--1",
        "1.2.3",
        "١٢",
        "１２",
        "1\n",
        "1\x00",
        "½",
        "1" * 81,
    ],
)
def test_text_that_is_no_exact_decimal_is_refused(text: str) -> None:
    with pytest.raises(AmountError):
        parse_quantity(text, allow_negative=True)


def test_more_decimals_than_the_token_has_are_refused_and_not_rounded() -> None:
    with pytest.raises(AmountError, match="7 decimals where at most 6"):
        parse_base_units("0.1234567", 6)


def test_a_negative_amount_is_refused_unless_asked_for() -> None:
    with pytest.raises(AmountError, match="negative"):
        parse_base_units("-1", 0)
    assert parse_base_units("-1", 0, allow_negative=True) == -1
    assert parse_base_units("-0", 0) == 0


def test_an_amount_beyond_u64_is_refused_unless_the_maximum_is_u128() -> None:
    with pytest.raises(AmountError, match="does not fit"):
        parse_base_units("18446744073709551616", 0)
    assert parse_base_units(str(U128_MAX), 0, maximum=U128_MAX) == U128_MAX


@given(st.integers(0, U64_MAX), st.integers(0, 18))
def test_formatting_and_parsing_are_inverse(amount: int, decimals: int) -> None:
    assert parse_base_units(format_base_units(amount, decimals), decimals) == amount


@given(st.integers(), st.integers(0, 30), st.integers(0, 10))
def test_equal_quantities_are_equal_objects(units: int, scale: int, zeros: int) -> None:
    quantity = Quantity(units, scale)
    assert quantity == Quantity(units * 10**zeros, scale + zeros)
    assert Fraction(quantity.units, 10**quantity.scale) == Fraction(units, 10**scale)


@given(st.integers(), st.integers(0, 20), st.integers(), st.integers(0, 20))
def test_adding_quantities_is_exact(a: int, a_scale: int, b: int, b_scale: int) -> None:
    total = Quantity(a, a_scale) + Quantity(b, b_scale)
    assert Fraction(total.units, 10**total.scale) == Fraction(a, 10**a_scale) + Fraction(b, 10**b_scale)


def test_a_quantity_with_a_negative_scale_is_refused() -> None:
    with pytest.raises(AmountError):
        Quantity(1, -1)


multipliers = st.integers(1, 10**24)


@given(st.integers(0, U64_MAX), multipliers)
def test_liabilities_round_up_and_claims_round_down_by_less_than_one(raw: int, multiplier: int) -> None:
    exact = Fraction(raw * multiplier, MULTIPLIER_ONE)
    up, down = share_equivalent(raw, multiplier, Rounding.UP), share_equivalent(raw, multiplier, Rounding.DOWN)
    assert down <= exact <= up
    assert up - exact < 1
    assert exact - down < 1


@given(st.integers(0, 2**40), multipliers.filter(lambda m: m >= 10**12))
def test_raw_units_for_shares_never_claim_more_than_the_shares(shares: int, multiplier: int) -> None:
    raw = raw_from_shares(shares, multiplier)
    assert share_equivalent(raw, multiplier, Rounding.UP) <= shares
    assert Fraction((raw + 1) * multiplier, MULTIPLIER_ONE) > shares


@pytest.mark.parametrize("multiplier", [0, -1, U128_MAX + 1])
def test_a_multiplier_out_of_range_is_refused(multiplier: int) -> None:
    with pytest.raises(AmountError, match="multiplier"):
        share_equivalent(1, multiplier, Rounding.UP)
    with pytest.raises(AmountError, match="multiplier"):
        raw_from_shares(1, multiplier)


def test_raw_units_beyond_u64_are_refused() -> None:
    with pytest.raises(AmountError, match="raw units"):
        raw_from_shares(U64_MAX, 1)


@given(st.integers(1, 10**30))
def test_the_double_is_the_greatest_not_above_the_exact_multiplier(multiplier: int) -> None:
    bits = multiplier_to_float_bits(multiplier)
    value = struct.unpack("<d", struct.pack("<Q", bits))[0]
    above = struct.unpack("<d", struct.pack("<Q", bits + 1))[0]
    assert Fraction(value) <= Fraction(multiplier, MULTIPLIER_ONE) < Fraction(above)


def test_known_multipliers_have_known_bits() -> None:
    assert multiplier_to_float_bits(MULTIPLIER_ONE) == 0x3FF0000000000000
    assert multiplier_to_float_bits(2 * MULTIPLIER_ONE) == 0x4000000000000000
    assert multiplier_to_float_bits(MULTIPLIER_ONE // 10) == 0x3FB9999999999999
    assert float_bits_to_multiplier(0x3FF8000000000000) == 15 * 10**17


VECTORS = Path(__file__).resolve().parents[2] / "vectors"


def vectors(name: str) -> list[list[int]]:
    """Lines of numbers that programs/tallystick/src/state/shares.rs is tested with too."""
    lines = (VECTORS / name).read_text().splitlines()
    return [[int(number) for number in line.split()] for line in lines if not line.startswith("#")]


@pytest.mark.parametrize(("multiplier", "bits"), vectors("multiplier_doubles.txt"))
def test_the_double_is_the_one_that_the_program_writes(multiplier: int, bits: int) -> None:
    assert multiplier_to_float_bits(multiplier) == bits


@pytest.mark.parametrize(("multiplier", "numerator", "denominator", "changed"), vectors("multiplier_changes.txt"))
def test_a_multiplier_changes_as_in_the_program(
    multiplier: int, numerator: int, denominator: int, changed: int
) -> None:
    if changed:
        assert changed_multiplier(multiplier, numerator, denominator) == changed
    else:
        with pytest.raises(AmountError, match="multiplier"):
            changed_multiplier(multiplier, numerator, denominator)


@pytest.mark.parametrize(("numerator", "denominator"), [(0, 1), (1, 0), (2**64, 1), (1, -1)])
def test_a_ratio_of_what_is_no_u64_above_zero_is_refused(numerator: int, denominator: int) -> None:
    with pytest.raises(AmountError, match="ratio"):
        changed_multiplier(MULTIPLIER_ONE, numerator, denominator)


@pytest.mark.parametrize("bits", [0x7FF0000000000000, 0x7FF8000000000000, 0, 0xBFF0000000000000, 1, -1, 2**64])
def test_bits_that_are_no_positive_multiplier_are_refused(bits: int) -> None:
    with pytest.raises(AmountError):
        float_bits_to_multiplier(bits)


@pytest.mark.parametrize(
    ("amount", "shares", "tokens"),
    [
        (10, "1 share", "1 token"),
        (0, "0 shares", "0 tokens"),
        (1, "0.1 shares", "0.1 tokens"),
        (110, "11 shares", "11 tokens"),
        (-10, "-1 shares", "-1 tokens"),
    ],
)
def test_only_exactly_one_is_singular(amount: int, shares: str, tokens: str) -> None:
    assert (format_shares(amount, 1), format_tokens(amount, 1)) == (shares, tokens)


def test_a_double_is_shown_as_the_shortest_text_that_stands_for_it() -> None:
    assert float_bits_to_text(multiplier_to_float_bits(MULTIPLIER_ONE // 3)) == "0.3333333333333333"
    assert float_bits_to_text(multiplier_to_float_bits(4 * MULTIPLIER_ONE)) == "4.0"
