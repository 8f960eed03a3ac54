"""An MT566 is the cash it says: nothing is computed that it does not say, and what contradicts itself is refused."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from confirmation_material import CONFIRMATION, PROFILE, RECEIVED, REVERSAL, changed, comparable, confirmations, swift
from hypothesis import given
from hypothesis import strategies as st
from tallystick.adapters.custody.confirmation_reader import read_confirmation
from tallystick.adapters.custody.confirmation_samples import write_mt566
from tallystick.adapters.custody.errors import (
    BadQuantity,
    ConfirmsNothing,
    ContradictoryCash,
    MalformedStatement,
    StatementTooLarge,
    TruncatedStatement,
    UnsupportedStatement,
)
from tallystick.adapters.custody.profiles import StatementProfile
from tallystick.domain.amounts import Quantity
from tallystick.domain.confirmations import CashConfirmation
from tallystick.errors import StatementError

MOVEMENT = swift()[swift().index(b":16R:CASHMOVE") : swift().index(b":16S:CACONF")].decode()


def read(data: bytes) -> CashConfirmation:
    return read_confirmation(data, PROFILE, RECEIVED)


@given(confirmations(), st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_any_confirmation_survives(confirmation: CashConfirmation, has_envelope: bool, line_end: str) -> None:
    data = write_mt566(confirmation, has_envelope=has_envelope, line_end=line_end)
    assert comparable(read(data)) == confirmation


def test_a_confirmation_knows_its_file() -> None:
    data = swift()
    confirmation = read(data)
    assert confirmation.source_hash == hashlib.sha256(data).digest()
    assert (confirmation.format, confirmation.received_at) == ("MT566", RECEIVED)


def test_the_confirmed_balance_comes_before_the_eligible_one() -> None:
    assert read(changed("CONB//UNIT/1000,", "CONB//UNIT/900,5", swift())).eligible == Quantity(9005, 1)
    assert read(changed(":93B::CONB//UNIT/1000,\n", "", swift())).eligible == Quantity(1000)
    assert read(changed(":93B::CONB//UNIT/1000,", ":93C::CONB//UNIT/ELIG/7,", swift())).eligible == Quantity(7)


def test_all_taxes_are_taken_together() -> None:
    split = changed(":19B::TAXR//USD39,", ":19B::TAXR//USD30,\n:19B::WITL//USD8,5\n:19B::WITF//USD0,5", swift())
    assert read(split).tax == Quantity(39)


def test_several_movements_of_one_currency_are_added() -> None:
    twice = read(changed(":16S:CACONF", MOVEMENT.replace("20261113", "20261115") + ":16S:CACONF", swift()))
    assert (twice.gross, twice.tax, twice.net) == (Quantity(520), Quantity(78), Quantity(442))
    assert twice.posted == "2026-11-15"


def test_the_posted_amount_is_information() -> None:
    assert read(changed("PSTA//USD221,", "PSTA//USD221,01", swift())).net == Quantity(221)
    assert comparable(read(changed(":19B::PSTA//USD221,\n", "", swift()))) == CONFIRMATION


def test_fields_without_a_use_are_passed_over() -> None:
    data = changed(":22F::CAEV", ":22F::CAMV//MAND\n:20C::COAF//OFFICIAL\n:22F::CAEV", swift())
    data = changed(":98A::VALU", ":92A::TAXR//15,\n:98A::VALU", data)
    assert comparable(read(data)) == CONFIRMATION


def test_a_reversal_debits_and_names_what_it_reverses() -> None:
    assert comparable(read(swift(REVERSAL))) == REVERSAL


@pytest.mark.parametrize(
    ("data", "error", "text"),
    [
        (changed("{2:O566", "{2:O564", swift()), ConfirmsNothing, "MT564: it announces"),
        (changed("{2:O566", "{2:O567", swift()), UnsupportedStatement, "is an MT567"),
        (changed(":23G:NEWM", ":23G:NEWM/DUPL", swift()), ConfirmsNothing, "copy or duplicate"),
        (changed(":23G:NEWM", ":23G:CANC", swift()), UnsupportedStatement, "'CANC' is not read"),
        (changed(":19B::NETT//USD221,\n", "", swift()), MalformedStatement, "NETT.* is missing, and is not computed"),
        (changed(":19B::GRSS//USD260,\n", "", swift()), MalformedStatement, "GRSS.* is missing"),
        (changed("NETT//USD221,", "NETT//USD221,01", swift()), ContradictoryCash, r"260 less tax 39 is not .* 221\.01"),
        (changed("TAXR//USD39,", "CHAR//USD39,", swift()), ContradictoryCash, "CHAR also stand there"),
        (changed("NETT//USD221,", "NETT//EUR221,", swift()), ContradictoryCash, "several currencies: EUR, USD"),
        (changed("PSTA//USD221,", "PSTA//USD220,99", swift()), ContradictoryCash, r"220\.99 USD, less than"),
        (changed("PSTA//USD", "PSTA//CHF", swift()), ContradictoryCash, "several currencies: CHF, USD"),
        (
            changed(":16S:CACONF", MOVEMENT.replace("USD", "EUR") + ":16S:CACONF", swift()),
            ContradictoryCash,
            "several currencies: EUR, USD",
        ),
        (changed("NETT//USD221,", "NETT//USD221", swift()), BadQuantity, "not a number of SWIFT"),
        (changed("NETT//USD221,", "NETT//USDN221,", swift()), BadQuantity, "not an amount"),
        (changed("NETT//USD", "GRSS//USD", swift()), MalformedStatement, "GRSS stands twice"),
        (changed("CRDB//CRED", "CRDB//DEBT", swift()), UnsupportedStatement, "debited where a new message"),
        (changed("CRDB//DEBT", "CRDB//CRED", swift(REVERSAL)), UnsupportedStatement, "credited where a reversal"),
        (changed("CRDB//CRED", "CRDB//BOTH", swift()), MalformedStatement, "neither CRED nor DEBT"),
        (changed(":20C::PREV", ":20C::RELA", swift(REVERSAL)), MalformedStatement, "names 0"),
        (changed(MOVEMENT, "", swift()), UnsupportedStatement, "moves no cash"),
        (changed("98A::POST//20261113", "98B::POST//UKWN", swift()), MalformedStatement, "POST is missing"),
        (changed("ISIN US0378331005", "ISIN US0378331006", swift()), MalformedStatement, "check digit"),
        (changed("ISIN US0378331005", "/US/037833100", swift()), UnsupportedStatement, "by its ISIN"),
        (changed("CONB//UNIT", "CONB//FAMT", swift()), UnsupportedStatement, "counts FAMT"),
        (changed("93B::CONB//UNIT/", "93C::CONB//UNIT/NELG/", swift()), UnsupportedStatement, "is NELG"),
        (changed("CONB//UNIT/1000,", "CONB//UNIT/0,", swift()), BadQuantity, "no share is eligible"),
        (changed("CONB//UNIT/1000,", "CONB//UNIT/N1000,", swift()), BadQuantity, "has a sign"),
        (changed("CAEV//DVCA", "CAEV/OWNS/DVCA", swift()), UnsupportedStatement, "no code of an event"),
        (changed("SEME//CONF-20261113-1", "SEME//A\nB", swift()), MalformedStatement, "second line"),
        (changed(":97A::SAFE", ":97A::CASH", swift()), MalformedStatement, "SAFE is missing"),
        (changed("SAFE//ACC-1", "SAFE//ACC_1", swift()), MalformedStatement, "SWIFT x set"),
        (swift()[:-40], TruncatedStatement, "not closed"),
        (b"ISIN,Quantity\n", UnsupportedStatement, "neither a SWIFT message nor XML"),
        (b"\n", TruncatedStatement, "empty"),
    ],
)
def test_one_thing_wrong_is_a_named_error(data: bytes, error: type[StatementError], text: str) -> None:
    with pytest.raises(error, match=text):
        read(data)


def test_an_announcement_without_a_header_is_told_by_its_options() -> None:
    data = swift(has_envelope=False).replace(b"CACONF", b"CAOPTN")
    with pytest.raises(ConfirmsNothing, match="MT564"):
        read(data)


def test_the_profile_limits_the_size() -> None:
    with pytest.raises(StatementTooLarge):
        read_confirmation(swift(), StatementProfile(PROFILE.custodian_lei, maximum_bytes=100), RECEIVED)


@given(st.integers(0, len(swift()) - 1), st.integers(0, 255))
def test_a_changed_byte_is_refused_or_read_and_never_another_error(position: int, byte: int) -> None:
    data = bytearray(swift())
    data[position] = byte
    try:
        confirmation = read(bytes(data))
    except StatementError:
        return
    assert confirmation.gross + -confirmation.tax == confirmation.net


def test_a_message_cut_anywhere_is_refused() -> None:
    data = swift()
    for end in range(data.index(b"\n-}") + 1):
        with pytest.raises(StatementError):
            read(data[:end])


def test_the_sample_of_no_tax_has_none() -> None:
    untaxed = replace(CONFIRMATION, tax=Quantity(0), net=CONFIRMATION.gross)
    assert comparable(read(swift(untaxed))) == untaxed
