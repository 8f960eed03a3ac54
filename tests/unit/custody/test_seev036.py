"""seev.036 and its reversal say the same as an MT566, in every version, and are refused for the same reasons."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from confirmation_material import CONFIRMATION, PROFILE, RECEIVED, REVERSAL, changed, comparable, confirmations, xml
from hypothesis import given
from hypothesis import strategies as st
from tallystick.adapters.custody.confirmation_reader import read_confirmation
from tallystick.adapters.custody.confirmation_samples import SEEV036_VERSIONS, write_seev036
from tallystick.adapters.custody.errors import (
    BadQuantity,
    ConfirmsNothing,
    ContradictoryCash,
    ForbiddenXml,
    MalformedStatement,
    TruncatedStatement,
    UnsupportedStatement,
)
from tallystick.domain.amounts import Quantity
from tallystick.domain.confirmations import CashConfirmation
from tallystick.errors import InputError, StatementError

MOVEMENT = re.search(rb"<CshMvmntDtls>.*</CshMvmntDtls>", xml(), re.DOTALL)
assert MOVEMENT is not None
MOVED = MOVEMENT[0].decode()


def read(data: bytes) -> CashConfirmation:
    return read_confirmation(data, PROFILE, RECEIVED)


@given(confirmations(), st.sampled_from(SEEV036_VERSIONS))
def test_any_confirmation_survives_in_any_version(confirmation: CashConfirmation, version: str) -> None:
    read_back = read(write_seev036(confirmation, version))
    assert comparable(read_back) == confirmation
    assert read_back.format.endswith(version)


def test_a_version_that_is_not_written_is_refused() -> None:
    with pytest.raises(InputError, match="is not written"):
        xml(version="003.01")


def test_a_reversal_is_a_message_of_its_own() -> None:
    confirmation = read(xml(REVERSAL))
    assert (confirmation.format, comparable(confirmation)) == ("seev.037.001.15", REVERSAL)


def test_older_balances_and_taxes_are_read() -> None:
    data = re.sub(
        rb"<ConfdBal>\s*<Bal>(.*)</Bal>\s*</ConfdBal>",
        rb"<ConfdBal><ElgblBal>\1</ElgblBal></ConfdBal>",
        xml(),
        flags=re.DOTALL,
    )
    assert b"ElgblBal" in data
    data = changed(
        '<WhldgTaxAmt Ccy="USD">39</WhldgTaxAmt>',
        '<WhldgOfFrgnTaxAmt Ccy="USD">30</WhldgOfFrgnTaxAmt><WhldgOfLclTaxAmt Ccy="USD">9.00</WhldgOfLclTaxAmt>',
        data,
    )
    assert comparable(read(data)) == CONFIRMATION


def test_a_time_of_posting_is_its_date() -> None:
    data = changed("<PstngDt>\n", "<PstngDt>", xml())
    data = re.sub(rb"<PstngDt>\s*<Dt>2026-11-13</Dt>", b"<PstngDt><DtTm>2026-11-13T23:59:59Z</DtTm>", data)
    assert b"DtTm" in data
    assert read(data).posted == "2026-11-13"


def test_a_record_date_that_is_not_known_is_empty() -> None:
    data = re.sub(rb"<RcrdDt>.*?</RcrdDt>", b"<RcrdDt><DtCd><Cd>UKWN</Cd></DtCd></RcrdDt>", xml(), flags=re.DOTALL)
    assert comparable(read(data)) == replace(CONFIRMATION, record_date="")


def test_several_movements_of_one_currency_are_added() -> None:
    assert read(changed("</CorpActnConfDtls>", MOVED + "</CorpActnConfDtls>", xml())).net == Quantity(442)


@pytest.mark.parametrize("kind", ["seev.031.001.15", "seev.035.001.16", "seev.035.002.15"])
def test_an_announcement_confirms_nothing(kind: str) -> None:
    with pytest.raises(ConfirmsNothing, match=rf"{kind}: it announces"):
        read(xml().replace(b"seev.036.001.15", kind.encode()))


@pytest.mark.parametrize("kind", ["semt.002.001.11", "seev.036.003.15", "seev.037.001.15", "seev.036.001.00"])
def test_another_message_or_root_is_refused(kind: str) -> None:
    with pytest.raises(UnsupportedStatement):
        read(xml().replace(b"seev.036.001.15", kind.encode()))


@pytest.mark.parametrize(
    "element",
    [
        "BizMsgIdr",
        "CorpActnGnlInf",
        "CorpActnEvtId",
        "EvtTp",
        "FinInstrmId",
        "AcctDtls",
        "SfkpgAcct",
        "Bal",
        "CorpActnConfDtls",
        "CshMvmntDtls",
        "CdtDbtInd",
        "AmtDtls",
        "GrssCshAmt",
        "NetCshAmt",
        "PstngDt",
    ],
)
def test_what_decides_must_be_there(element: str) -> None:
    data = re.sub(rf"<{element}\b.*</{element}>".encode(), b"", xml(), count=1, flags=re.DOTALL)
    assert data != xml()
    with pytest.raises(StatementError):
        read(data)


@pytest.mark.parametrize(
    ("data", "error", "text"),
    [
        (changed('"USD">221</Net', '"USD">221.01</Net', xml()), ContradictoryCash, r"is not the net 221\.01"),
        (xml().replace(b"WhldgTaxAmt", b"ChrgsAmt"), ContradictoryCash, "ChrgsAmt also stand there"),
        (changed('NetCshAmt Ccy="USD"', 'NetCshAmt Ccy="EUR"', xml()), ContradictoryCash, "several currencies"),
        (changed('NetCshAmt Ccy="USD"', "NetCshAmt", xml()), MalformedStatement, "has the currency ''"),
        (changed('"USD">221</Net', '"USD">221e0</Net', xml()), BadQuantity, "not an exact decimal"),
        (changed('"USD">221</Net', '"USD">-221</Net', xml()), BadQuantity, "is negative"),
        (changed(">CRDT<", ">DBIT<", xml()), UnsupportedStatement, "debited where a new message"),
        (changed(">DBIT<", ">CRDT<", xml(REVERSAL)), UnsupportedStatement, "credited where a reversal"),
        (changed(">CRDT<", ">BOTH<", xml()), MalformedStatement, "neither CRDT nor DBIT"),
        (changed(">LONG<", ">SHOR<", xml()), BadQuantity, "not LONG"),
        (changed("<Unit>1000</Unit>", "<FaceAmt>1000</FaceAmt>", xml()), UnsupportedStatement, "FaceAmt"),
        (changed("<Unit>1000</Unit>", "<Unit>0</Unit>", xml()), BadQuantity, "no share is eligible"),
        (changed("<ISIN>US0378331005", "<ISIN>US0378331006", xml()), MalformedStatement, "check digit"),
        (changed("<Cd>DVCA</Cd>", "<Prtry><Id>OWN</Id></Prtry>", xml()), UnsupportedStatement, "no code"),
        (changed("</MsgDefIdr>", "</MsgDefIdr><CpyDplct>DUPL</CpyDplct>", xml()), ConfirmsNothing, "copy or duplicate"),
        (changed("<MsgDefIdr>seev.036", "<MsgDefIdr>seev.031", xml()), MalformedStatement, "header announces"),
        (
            changed("<CorpActnMvmntConf>", "<CorpActnMvmntConf><Id><Id>X</Id></Id>", xml()),
            MalformedStatement,
            "several",
        ),
        (changed("<AmtDtls>", '<AmtDtls xmlns="urn:other">', xml()), MalformedStatement, "of another message"),
        (changed("<?xml", "<!DOCTYPE a><?xml", xml()), ForbiddenXml, "DOCTYPE"),
        (xml()[:-30], TruncatedStatement, "ends early"),
    ],
)
def test_one_thing_wrong_is_a_named_error(data: bytes, error: type[StatementError], text: str) -> None:
    with pytest.raises(error, match=text):
        read(data)


def test_a_document_without_its_header_has_no_reference() -> None:
    data = xml()
    document = data[data.index(b"<Document") : data.index(b"</Document>") + len(b"</Document>")]
    with pytest.raises(UnsupportedStatement, match="header is missing"):
        read(document)


@given(st.integers(0, len(xml()) - 1), st.integers(0, 255))
def test_a_changed_byte_is_refused_or_read_and_never_another_error(position: int, byte: int) -> None:
    data = bytearray(xml())
    data[position] = byte
    try:
        confirmation = read(bytes(data))
    except StatementError:
        return
    assert confirmation.gross + -confirmation.tax == confirmation.net
