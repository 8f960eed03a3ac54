"""SWIFT FIN is taken apart strictly: blocks nest and match, fields are complete, numbers are exact."""

from __future__ import annotations

from contextlib import suppress

import pytest
from confirmation_material import changed, swift
from hypothesis import given
from hypothesis import strategies as st
from tallystick.adapters.custody.errors import (
    BadQuantity,
    MalformedStatement,
    StatementTooLarge,
    TruncatedStatement,
    UnsupportedStatement,
)
from tallystick.adapters.custody.iso15022 import Field, parse_date, parse_fin, parse_number
from tallystick.domain.amounts import Quantity
from tallystick.errors import StatementError

BARE = b""":16R:GENL
:20C::SEME//A-1
:70E::ADTX//FIRST LINE
SECOND LINE
:16R:LINK
:20C::PREV//A-0
:16S:LINK
:22F::CAEV/ISSUER/DVCA
:35B:ISIN US0378331005
APPLE INC
:16S:GENL
"""


def test_the_text_is_a_tree_with_qualifiers_continuation_lines_and_places() -> None:
    message = parse_fin(BARE)
    general = message.text.required("GENL")
    assert message.type == ""
    assert general.field("20C", "SEME") == Field("20C", "SEME", "", "A-1", 2)
    assert general.field("70E", "ADTX").value == "FIRST LINE\nSECOND LINE"
    assert general.field("22F", "CAEV") == Field("22F", "CAEV", "ISSUER", "DVCA", 8)
    assert general.field("35B") == Field("35B", "", "", "ISIN US0378331005\nAPPLE INC", 9)
    assert general.required("LINK").field("20C", "PREV").where == "line 6"


@pytest.mark.parametrize(
    "wrap",
    [
        lambda text: text,
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: b"\n\n" + text + b"\n  \n",
        lambda text: text + b"-\n",
        lambda text: text + b"-}",
        lambda text: b"{4:\n" + text + b"-}",
        lambda text: b"{1:F01A}{3:{108:REF}}{4:\r\n" + text.replace(b"\n", b"\r\n") + b"-}{5:{CHK:1}{TNG:}}{S:{COP:P}}",
    ],
)
def test_what_stands_around_the_text_changes_nothing_in_it(wrap: object) -> None:
    assert callable(wrap)
    fields = [(each.tag, each.value) for each in parse_fin(wrap(BARE)).text.required("GENL").fields]
    assert fields == [(each.tag, each.value) for each in parse_fin(BARE).text.required("GENL").fields]


@pytest.mark.parametrize(("header", "kind"), [("{2:I566AAAAN}", "566"), ("{2:O5641200}", "564"), ("", "")])
def test_the_type_is_in_the_application_header(header: str, kind: str) -> None:
    assert parse_fin(b"{1:F01A}" + header.encode() + b"{4:\n" + BARE + b"-}").type == kind


@pytest.mark.parametrize(
    ("data", "error", "text"),
    [
        (b"", TruncatedStatement, "empty"),
        (b"{1:F01A}{2:I566A}", TruncatedStatement, "no block 4"),
        (b"{4:\n" + BARE, TruncatedStatement, "not closed by -}"),
        (BARE.replace(b":16S:GENL\n", b""), TruncatedStatement, "GENL is not closed"),
        (BARE.replace(b":16S:LINK\n", b""), MalformedStatement, "GENL is closed where LINK is open"),
        (BARE + b":16S:GENL\n", MalformedStatement, "closed where none is open"),
        (BARE.replace(b"16R:LINK", b"16R:link"), MalformedStatement, "no name of a block"),
        (BARE.replace(b":22F:", b" :22F:"), MalformedStatement, "neither a field nor"),
        (BARE.replace(b":22F:", b":2F:"), MalformedStatement, "neither a field nor"),
        (BARE.replace(b"SECOND", b"-SECOND"), MalformedStatement, "neither a field nor"),
        (BARE.replace(b"SECOND LINE", b""), MalformedStatement, "empty line"),
        (b"TEXT\n" + BARE, MalformedStatement, "before the first field"),
        (BARE.replace(b"::SEME//", b"::SEM//"), MalformedStatement, "no qualifier"),
        (b"{4:" + BARE + b"-}", MalformedStatement, "line of its own"),
        (b"{2:I566A}{1:F01A}{4:\n" + BARE + b"-}", MalformedStatement, "out of order"),
        (b"{2:I566A}junk{4:\n" + BARE + b"-}", MalformedStatement, "not blocks 1 to 3"),
        (b"{2:X566A}{4:\n" + BARE + b"-}", MalformedStatement, "no application header"),
        (b"{4:\n" + BARE + b"-}junk", MalformedStatement, "other than a trailer"),
        (b"{4:\n" + BARE + b"-}\n{1:F01A}{4:\n" + BARE + b"-}", UnsupportedStatement, "several messages"),
        (BARE.replace(b"APPLE", b"\xc4PPLE"), UnsupportedStatement, "0xc4.*line 10"),
        (BARE.replace(b"APPLE", b"AP\rPLE"), UnsupportedStatement, "0x0d"),
        (BARE + b":16R:A\n" * 9, MalformedStatement, "more than 8 deep"),
        (BARE + b"X" * 100_000, StatementTooLarge, "at most 100000"),
    ],
)
def test_damage_is_a_named_error(data: bytes, error: type[StatementError], text: str) -> None:
    with pytest.raises(error, match=text):
        parse_fin(data)


def test_a_profile_may_allow_less() -> None:
    with pytest.raises(StatementTooLarge, match="at most 10"):
        parse_fin(BARE, 10)


def test_a_field_that_stands_twice_is_refused_when_it_is_asked_for() -> None:
    message = parse_fin(BARE.replace(b":70E:", b":20C::SEME//A-2\n:70E:"))
    with pytest.raises(MalformedStatement, match=r":20C::SEME stands twice.*line 3"):
        message.text.required("GENL").field("20C", "SEME")


def test_what_is_missing_is_named_with_its_place() -> None:
    text = parse_fin(BARE).text
    with pytest.raises(MalformedStatement, match=r":98A::POST is missing.*GENL, line 1"):
        text.required("GENL").field("98A 98C", "POST")
    with pytest.raises(MalformedStatement, match="block USECU is missing"):
        text.required("USECU")
    with pytest.raises(MalformedStatement, match="2 blocks GENL"):
        parse_fin(BARE + BARE).text.optional("GENL")


@pytest.mark.parametrize(
    ("text", "quantity"), [("1234,5", Quantity(12345, 1)), ("1234,", Quantity(1234)), ("0,", Quantity(0))]
)
def test_numbers_have_a_decimal_comma(text: str, quantity: Quantity) -> None:
    assert parse_number(text, "line 1") == quantity


def test_a_sign_stands_for_below_zero_where_that_is_allowed() -> None:
    assert parse_number("N12,5", "line 1", allow_negative=True) == Quantity(-125, 1)
    with pytest.raises(BadQuantity, match="has a sign"):
        parse_number("N12,5", "line 1")
    with pytest.raises(BadQuantity, match="has a sign"):
        parse_number("N0,", "line 1", allow_negative=True)


@pytest.mark.parametrize("text", ["", "12", "1.5", ",5", "-1,", "1,2,3", "1 234,", "1e3,", "9" * 31 + ","])
def test_other_numbers_are_refused(text: str) -> None:
    with pytest.raises(BadQuantity):
        parse_number(text, "line 1")


@pytest.mark.parametrize(
    ("tag", "value", "expected"),
    [
        ("98A", "20261113", "2026-11-13"),
        ("98C", "20261113120000", "2026-11-13"),
        ("98E", "20261113235959,123/N0500", "2026-11-13"),
    ],
)
def test_dates_are_read_with_and_without_time(tag: str, value: str, expected: str) -> None:
    assert parse_date(Field(tag, "POST", "", value, 1)) == expected


@pytest.mark.parametrize(
    ("tag", "value"),
    [("98A", "20261301"), ("98A", "UKWN"), ("98A", "20261113120000"), ("98C", "20261113"), ("98C", "20261113250000")],
)
def test_other_dates_are_refused(tag: str, value: str) -> None:
    with pytest.raises(MalformedStatement):
        parse_date(Field(tag, "POST", "", value, 1))


@given(st.binary(max_size=200), st.integers(0, 800))
def test_any_damage_ends_in_a_statement_error_or_a_tree(noise: bytes, position: int) -> None:
    data = swift()
    with suppress(StatementError):
        parse_fin(data[:position] + noise + data[position:])


def test_the_sample_is_read_with_any_line_end() -> None:
    assert parse_fin(changed("\n", "\r\n", swift())).type == "566"
