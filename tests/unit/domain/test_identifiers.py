"""Check digits, the canonical spelling and the hashes that stand for accounts and movements."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import isin as stdnum_isin
from stdnum import lei as stdnum_lei
from tallystick.domain.identifiers import (
    canonical_spelling,
    custody_account_hash,
    event_hash,
    is_isin,
    movement_hash,
    parse_isin,
    parse_lei,
)
from tallystick.errors import IdentifierError

LEI = "HWUPKR0MPOU8FGXBT394"
SHARES = ("US0378331005", "US5949181045", "US0231351067", "US88160R1014", "GB0002634946", "DE000A0WMPJ6")
ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


@pytest.mark.parametrize("isin", SHARES)
def test_real_isins_are_accepted(isin: str) -> None:
    assert parse_isin(isin) == isin


@pytest.mark.parametrize("isin", SHARES)
@pytest.mark.parametrize("wrong", range(1, 10))
def test_every_wrong_check_digit_is_refused(isin: str, wrong: int) -> None:
    changed = isin[:11] + str((int(isin[11]) + wrong) % 10)
    with pytest.raises(IdentifierError, match="check digit"):
        parse_isin(changed)
    assert not is_isin(changed)


@pytest.mark.parametrize(
    "text",
    ["", "US037833100", "US03783310055", "us0378331005", "U10378331005", "US0378331-05", "US037833100５", "NOTISIN"],
)
def test_text_that_is_no_isin_is_refused(text: str) -> None:
    with pytest.raises(IdentifierError):
        parse_isin(text)


@given(st.sampled_from(["US", "DE", "GB", "FR", "JP", "XS"]), st.text(ALPHANUMERIC, min_size=9, max_size=9))
def test_isin_check_digits_agree_with_stdnum(country: str, body: str) -> None:
    good = country + body + stdnum_isin.calc_check_digit(country + body)
    assert is_isin(good)
    for digit in "0123456789":
        assert is_isin(good[:11] + digit) == stdnum_isin.is_valid(good[:11] + digit)


@given(st.text(ALPHANUMERIC, min_size=18, max_size=18), st.integers(0, 99))
def test_lei_check_digits_agree_with_stdnum(body: str, digits: int) -> None:
    candidate = f"{body}{digits:02d}"
    try:
        accepted = parse_lei(candidate) == candidate
    except IdentifierError:
        accepted = False
    assert accepted == stdnum_lei.is_valid(candidate)


@pytest.mark.parametrize("text", ["", LEI[:19], LEI + "0", LEI.lower(), LEI[:18] + "AA", "HWUPKR0MPOU8FGXBT39４"])
def test_text_that_is_no_lei_is_refused(text: str) -> None:
    with pytest.raises(IdentifierError):
        parse_lei(text)


def test_a_swapped_pair_in_an_lei_is_refused() -> None:
    with pytest.raises(IdentifierError, match="check digits 94 where"):
        parse_lei("WHUPKR0MPOU8FGXBT394")


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("abc-123", "ABC-123"),
        ("  a   b\tc\n", "A B C"),
        ("ＡＢ１２", "AB12"),
        ("a\u00a0b", "A B"),
        ("x" * 35, "X" * 35),
    ],
)
def test_spellings_of_one_account_are_one(text: str, spelling: str) -> None:
    assert canonical_spelling(text) == spelling


@pytest.mark.parametrize(
    "text", ["", "   ", "x" * 36, "a_b", "a;b", "ä", "a*", "a\x00b", "a\u200bb", "АBC", "x" * 1000]
)
def test_spellings_outside_the_set_or_length_are_refused(text: str) -> None:
    with pytest.raises(IdentifierError):
        canonical_spelling(text)


@given(st.text(max_size=300))
def test_canonical_spelling_settles_at_once(text: str) -> None:
    try:
        once = canonical_spelling(text)
    except IdentifierError:
        return
    assert canonical_spelling(once) == once


def test_the_account_hash_is_the_published_one() -> None:
    expected = hashlib.sha256(b"tallystick:custody-account" + LEI.encode() + b"ACC-1").digest()
    assert custody_account_hash(LEI, " acc-1 ") == expected
    assert expected.hex() == "6fd73a3d580134afe24074126a316660495471f97b73d03a8abf98a3633ca646"


def test_the_movement_hash_is_the_published_one() -> None:
    expected = hashlib.sha256(b"tallystick:movement" + LEI.encode() + b"\x05ACC-1" + b"\x08BLOCK 42").digest()
    assert movement_hash(LEI, "acc-1", "block  42") == expected
    assert expected.hex() == "83f1e6315d3c5c72af32904ef52333b44fcb2285ddecba267ad62606a1b1a571"


def test_moving_a_character_from_account_to_reference_changes_the_movement() -> None:
    assert movement_hash(LEI, "AB", "C") != movement_hash(LEI, "A", "BC")
    assert movement_hash(LEI, "AB", "C") != movement_hash(LEI, "C", "AB")


def test_hashes_refuse_a_wrong_custodian() -> None:
    with pytest.raises(IdentifierError):
        custody_account_hash("HWUPKR0MPOU8FGXBT395", "ACC-1")
    with pytest.raises(IdentifierError):
        movement_hash("HWUPKR0MPOU8FGXBT395", "ACC-1", "R")


def test_an_event_has_one_hash_however_its_id_is_spelled() -> None:
    expected = hashlib.sha256(b"tallystick:event" + b"CA/2026 0042").digest()
    assert {event_hash(text) for text in ("CA/2026 0042", " ca/2026  0042\n")} == {expected}
    with pytest.raises(IdentifierError):
        event_hash("")
