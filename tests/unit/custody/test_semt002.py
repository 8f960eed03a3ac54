"""semt.002 is read in every version, strictly where it decides; a broken file is a named error with its place."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from time import process_time

import pytest
from custody_material import APPLE, AS_OF, LEI, MICROSOFT, PROFILE, RECEIVED, STATEMENT, changed, comparable, xml
from tallystick.adapters.custody.errors import (
    BadQuantity,
    DuplicateHolding,
    ForbiddenXml,
    MalformedStatement,
    StatementTooLarge,
    TruncatedStatement,
    UnsupportedStatement,
    WrongCustodian,
)
from tallystick.adapters.custody.profiles import StatementProfile
from tallystick.adapters.custody.reader import read_statement
from tallystick.adapters.custody.samples import SEMT002_VERSIONS, write_semt002
from tallystick.domain.amounts import Quantity
from tallystick.domain.breaks import BreakKind
from tallystick.domain.holdings import Basis, Completeness, HoldingLine, StatementOfHoldings, SubBalance, Unit
from tallystick.domain.reserve import statement_reserve
from tallystick.errors import InputError, StatementError


def read(data: bytes, profile: StatementProfile = PROFILE) -> StatementOfHoldings:
    return read_statement(data, profile, RECEIVED)


@pytest.mark.parametrize("version", SEMT002_VERSIONS)
def test_every_version_says_the_same_of_the_same_statement(version: str) -> None:
    statement = read(xml(version=version))
    assert comparable(statement) == STATEMENT
    assert statement.format == version


def test_a_statement_knows_its_file_and_the_place_of_each_line() -> None:
    data = xml()
    statement = read(data)
    assert statement.source_hashes == (hashlib.sha256(data).digest(),)
    assert statement.received_at == RECEIVED
    assert re.fullmatch(r"BalForAcct\[2\], line \d+", statement.lines[1].where)


def test_a_statement_behind_a_business_header_is_read() -> None:
    assert comparable(read(xml(envelope=True))) == STATEMENT


def test_a_header_that_announces_another_message_is_refused() -> None:
    data = changed("<MsgDefIdr>semt.002.001.11", "<MsgDefIdr>semt.017.001.11", xml(envelope=True))
    with pytest.raises(MalformedStatement, match=r"announces 'semt\.017\.001\.11'"):
        read(data)


def test_two_documents_in_one_file_are_refused() -> None:
    document = xml().split(b"?>", 1)[1]
    with pytest.raises(UnsupportedStatement, match="holds 2"):
        read(b"<Envelope>" + document + document + b"</Envelope>")


def test_an_envelope_without_a_document_is_refused() -> None:
    with pytest.raises(UnsupportedStatement, match="holds 0"):
        read(b"<Envelope><a/></Envelope>")


def test_swift_s_own_namespace_is_read() -> None:
    data = changed("urn:iso:std:iso:20022:tech:xsd:", "urn:swift:xsd:swift.if.ia$")
    assert comparable(read(data)) == STATEMENT


def test_prefixes_comments_and_byte_order_marks_change_nothing() -> None:
    data = xml().replace(b"xmlns=", b"xmlns:s=")
    data = re.sub(rb"<(/?)([A-Z])", rb"<\1s:\2", data)
    data = data.replace(b"<s:SfkpgAcct>", b"<!-- the account --><?note here?><s:SfkpgAcct>")
    assert comparable(read(b"\xef\xbb\xbf" + data)) == STATEMENT


def test_elements_without_a_use_are_passed_over() -> None:
    data = changed("</AggtBal>", "</AggtBal><DaysAcrd>3</DaysAcrd><FutureElement><A>1</A></FutureElement>")
    assert comparable(read(data)) == STATEMENT


@pytest.mark.parametrize(
    ("namespace", "root"),
    [
        ("semt.003.001.11", "SctiesBalAcctgRpt"),
        ("semt.002.003.11", "SctiesBalCtdyRpt"),
        ("semt.002.001.2", "SctiesBalCtdyRpt"),
        ("camt.053.001.08", "BkToCstmrStmt"),
        ("", "SctiesBalCtdyRpt"),
        ("semt.002.001.11", "CtdyStmtOfHldgsV02"),
        ("semt.002.001.02", "SctiesBalCtdyRpt"),
        ("semt.002.002.02", "CtdyStmtOfHldgsV02"),
        ("semt.002.001.00", "SctiesBalCtdyRpt"),
    ],
)
def test_another_message_or_a_root_that_does_not_belong_is_refused(namespace: str, root: str) -> None:
    data = changed("semt.002.001.11", namespace).replace(b"SctiesBalCtdyRpt", root.encode())
    with pytest.raises(UnsupportedStatement):
        read(data)


@pytest.mark.parametrize(
    "element",
    [
        "Pgntn",
        "PgNb",
        "LastPgInd",
        "StmtGnlDtls",
        "StmtDtTm",
        "UpdTp",
        "StmtBsis",
        "ActvtyInd",
        "SfkpgAcct",
        "FinInstrmId",
        "AggtBal",
        "ShrtLngInd",
        "SubBalTp",
    ],
)
def test_a_deciding_element_that_is_missing_is_named(element: str) -> None:
    data, count = re.subn(rf"\s*<{element}>.*?</{element}>".encode(), b"", xml(), count=1, flags=re.S)
    assert count == 1
    with pytest.raises(MalformedStatement, match=f"{element} is missing") as caught:
        read(data)
    assert caught.value.where is not None
    assert "line" in caught.value.where


@pytest.mark.parametrize(
    "element",
    [
        "Pgntn",
        "PgNb",
        "LastPgInd",
        "StmtGnlDtls",
        "StmtId",
        "StmtDtTm",
        "UpdTp",
        "StmtBsis",
        "ActvtyInd",
        "SfkpgAcct",
        "FinInstrmId",
        "ISIN",
        "AggtBal",
        "ShrtLngInd",
        "SubBalTp",
        "Unit",
        "Qty",
        "NotAvlblBal",
        "SfkpgPlc",
    ],
)
def test_a_deciding_element_that_is_there_twice_is_refused(element: str) -> None:
    data, count = re.subn(rf"(<{element}>.*?</{element}>)".encode(), rb"\1\1", xml(), count=1, flags=re.S)
    assert count == 1
    with pytest.raises(MalformedStatement):
        read(data)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<Cd>SETT</Cd>", "<Cd>SETTLED</Cd>"),
        ("<Cd>SETT</Cd>", "<Cd> </Cd>"),
        ("<Cd>COMP</Cd>", "<Cd>FULL</Cd>"),
        ("<PgNb>1<", "<PgNb>0<"),
        ("<PgNb>1<", "<PgNb>-1<"),
        ("<PgNb>1<", "<PgNb>123456<"),
        ("<PgNb>1<", "<PgNb>１<"),
        ("<LastPgInd>true<", "<LastPgInd>yes<"),
        ("<ActvtyInd>true<", "<ActvtyInd>TRUE<"),
        ("<ActvtyInd>true<", "<ActvtyInd>false<"),
        ("<Id>ACC-1<", "<Id>ACC_1<"),
        ("<Id>ACC-1<", f"<Id>{'A' * 36}<"),
        (">LONG<", ">SHORT<"),
        (">LONG<", "><"),
        ("<DtTm>2026", "<DtTm>26"),
        ("<DtTm>2026-", "<DtTm>2026-2"),
        ("<DtTm>2026-11", "<DtTm>2026-13"),
        ("<DtTm>", "<DtTm><b/>"),
        ("Z</DtTm>", "+25:00</DtTm>"),
        ("<DtTm>2026", "<DtTm>0001"),
        ("DtTm>2026", "DtTm>9999"),
        ("<Unit>100000<", "<Units>100000</Units><Unit><"),
    ],
)
def test_a_deciding_value_that_is_none_is_refused_with_its_place(old: str, new: str) -> None:
    with pytest.raises(MalformedStatement) as caught:
        read(changed(old, new))
    assert caught.value.where is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "1e5",
        "NaN",
        "INF",
        "1,000",
        "1 000",
        "0x1F",
        "1..2",
        "--1",
        "½",
        "１２",
        "9" * 81,
        "1<!-- -->0",
        "1<b/>0",
        "-5",
    ],
)
def test_a_quantity_that_is_not_exact_is_refused_with_its_path(text: str) -> None:
    with pytest.raises(MalformedStatement) as caught:
        read(changed("<Unit>100000<", f"<Unit>{text}<"))
    assert "BalForAcct[1]/AggtBal/Qty/Qty/Qty" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("100000.000", Quantity(100_000)),
        ("+5", Quantity(5)),
        (".25", Quantity(25, 2)),
        ("\n 7 ", Quantity(7)),
        ("<![CDATA[12]]>", Quantity(12)),
        ("&#49;2", Quantity(12)),
        ("0", Quantity(0)),
        ("123456789012345678.123456789", Quantity(123456789012345678123456789, 9)),
    ],
)
def test_a_quantity_in_any_exact_spelling_is_read(text: str, quantity: Quantity) -> None:
    assert read(changed("<Unit>100000<", f"<Unit>{text}<")).lines[0].aggregate == quantity


def test_a_short_position_is_negative_and_gives_no_reserve() -> None:
    statement = read(changed(">LONG<", ">SHOR<"))
    assert statement.lines[0].aggregate == Quantity(-100_000)
    finding = statement_reserve(statement, APPLE, 6)
    assert finding.quantity is None
    assert [found.kind for found in finding.breaks] == [BreakKind.NEGATIVE_QUANTITY]


def test_a_sign_and_an_indicator_together_are_refused() -> None:
    with pytest.raises(BadQuantity, match="sign"):
        read(changed("<Unit>100000<", "<Unit>-100000<", changed(">LONG<", ">SHOR<")))


@pytest.mark.parametrize(
    ("leaf", "unit"),
    [("FaceAmt", Unit.FACE_AMOUNT), ("AmtsdVal", Unit.AMORTISED_VALUE), ("DgtlTknUnit", Unit.DIGITAL_TOKENS)],
)
def test_another_kind_of_quantity_is_kept_apart_from_shares(leaf: str, unit: Unit) -> None:
    statement = read(changed("<Unit>100000</Unit>", f"<{leaf}>100000</{leaf}>"))
    assert statement.lines[0].unit is unit
    assert statement_reserve(statement, APPLE, 0).quantity is None


def test_face_and_amortised_value_together_are_no_shares() -> None:
    data = re.sub(
        rb"<Qty>\s*<Unit>100000</Unit>\s*</Qty>",
        b"<OrgnlAndCurFace><FaceAmt>9</FaceAmt><AmtsdVal>8</AmtsdVal></OrgnlAndCurFace>",
        xml(),
    )
    assert read(data).lines[0].unit is Unit.FACE_AMOUNT


def test_what_is_not_available_in_another_unit_than_the_aggregate_is_refused() -> None:
    with pytest.raises(MalformedStatement, match="FAMT where the aggregate is in UNIT"):
        read(changed("<Unit>30</Unit>", "<FaceAmt>30</FaceAmt>"))


@pytest.mark.parametrize(
    ("old", "new", "field", "value"),
    [
        ("<Cd>SETT</Cd>", "<Cd>TRAD</Cd>", "basis", Basis.TRADED),
        ("<Cd>SETT</Cd>", "<Cd>CONT</Cd>", "basis", Basis.CONTRACTUAL),
        ("<Cd>SETT</Cd>", "<Prtry><Id>SETT</Id><Issr>X</Issr></Prtry>", "basis", Basis.PROPRIETARY),
        ("<Cd>COMP</Cd>", "<Cd>DELT</Cd>", "completeness", Completeness.DELTA),
        ("<Cd>COMP</Cd>", "<Prtry><Id>COMP</Id></Prtry>", "completeness", Completeness.PROPRIETARY),
        ("<LastPgInd>true", "<LastPgInd>0", "ends", False),
        ("<PgNb>1<", "<PgNb>00002<", "first_page", 2),
        ("<SubAcctInd>", "<SctyIntrstOrSetOff>1</SctyIntrstOrSetOff><SubAcctInd>", "encumbered", True),
        ("<UpdTp>", "<Frqcy><Cd>DAIL</Cd></Frqcy><UpdTp>", "frequency", "DAIL"),
        ("<UpdTp>", "<Frqcy><Prtry><Id>HOUR</Id><Issr>X</Issr></Prtry></Frqcy><UpdTp>", "frequency", "PRTRY:HOUR/X"),
        ("<Id>ACC-1<", "<Id> acc-1 <", "account", "ACC-1"),
        ("<StmtId>STMT-20261118</StmtId>", "", "statement_id", ""),
        ("Z</DtTm>", ".999Z</DtTm>", "as_of", AS_OF),
        ("Z</DtTm>", "+02:00</DtTm>", "as_of", AS_OF - 7200),
        ("Z</DtTm>", "-05:00</DtTm>", "as_of", AS_OF + 18_000),
    ],
)
def test_a_field_of_the_header_is_read_as_it_stands(old: str, new: str, field: str, value: object) -> None:
    assert getattr(read(changed(old, new)), field) == value


def with_date(text: str) -> bytes:
    return re.sub(rb"<DtTm>.*?</DtTm>", text.encode(), xml(), count=1)


def test_a_statement_that_names_only_a_date_needs_a_declared_time_of_day() -> None:
    with pytest.raises(UnsupportedStatement, match="only a date"):
        read(with_date("<Dt>2026-11-18</Dt>"))
    declared = StatementProfile(LEI, date_only_seconds=79_200)
    assert read(with_date("<Dt>2026-11-18</Dt>"), declared).as_of == 1_794_960_000 + 79_200


def test_a_time_without_a_zone_needs_a_declared_one() -> None:
    with pytest.raises(UnsupportedStatement, match="no zone"):
        read(with_date("<DtTm>2026-11-18T17:00:00</DtTm>"))
    declared = StatementProfile(LEI, utc_offset_minutes=-300)
    assert read(with_date("<DtTm>2026-11-18T17:00:00</DtTm>"), declared).as_of == 1_794_960_000 + 22 * 3600


@pytest.mark.parametrize("text", ["<Dt>2026-02-30</Dt>", "<Dt>18.11.2026</Dt>", "<Tm>12:00</Tm>", "", "<Dt/>"])
def test_a_date_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(MalformedStatement):
        read(with_date(text), StatementProfile(LEI, date_only_seconds=0))


def test_a_statement_without_holdings_is_a_statement() -> None:
    empty = replace(STATEMENT, lines=(), has_activity=False)
    assert comparable(read(xml(empty))) == empty


def test_a_statement_of_another_custodian_is_refused() -> None:
    other = "<AcctSvcr><Id><AnyBIC>ABCDUS33</AnyBIC></Id><LEI>{}</LEI></AcctSvcr><SfkpgAcct>"
    with pytest.raises(WrongCustodian):
        read(changed("<SfkpgAcct>", other.format("529900T8BM49AURSDO55")))
    assert comparable(read(changed("<SfkpgAcct>", other.format(LEI)))) == STATEMENT


def test_balances_of_sub_accounts_are_refused() -> None:
    sub = "<SubAcctDtls><SfkpgAcct><Id>S</Id></SfkpgAcct><BalForSubAcct/></SubAcctDtls></SctiesBalCtdyRpt>"
    with pytest.raises(UnsupportedStatement, match="sub-accounts"):
        read(changed("</SctiesBalCtdyRpt>", sub))
    without = sub.replace("<BalForSubAcct/>", "")
    assert comparable(read(changed("</SctiesBalCtdyRpt>", without))) == STATEMENT


def test_one_instrument_twice_at_one_place_is_refused_and_at_two_places_added() -> None:
    with pytest.raises(DuplicateHolding, match=r"US5949181045 is listed twice, first at BalForAcct\[1\]"):
        read(changed(APPLE, MICROSOFT))
    two = replace(STATEMENT.lines[0], place="ICSD/MGTCBEBE")
    statement = read(xml(replace(STATEMENT, lines=(*STATEMENT.lines, two))))
    assert statement_reserve(statement, APPLE, 0).quantity == 200_000


def test_an_instrument_without_an_isin_is_kept_by_its_other_name() -> None:
    other = "<OthrId><Id>037833100</Id><Tp><Cd>CUSP</Cd></Tp></OthrId><Desc>Apple</Desc>"
    (first, *_) = read(changed(f"<ISIN>{APPLE}</ISIN>", other)).lines
    assert (first.isin, first.other_id, first.description) == ("", "037833100 CUSP", "Apple")


def test_a_price_is_kept_and_an_odd_one_left_out() -> None:
    price = '<PricDtls><Val><Amt Ccy="USD">{}</Amt></Val><QtnDt><Dt>2026-11-18</Dt></QtnDt></PricDtls></BalForAcct>'
    priced = read(changed("</BalForAcct>", price.format("271.50"))).lines[0].price
    assert priced is not None
    assert (priced.amount, priced.currency, priced.date) == (Quantity(2715, 1), "USD", "2026-11-18")
    assert read(changed("</BalForAcct>", price.format("unknown"))).lines[0].price is None


def test_a_custodian_s_own_kind_of_sub_balance_keeps_its_code_and_is_not_counted() -> None:
    own = "<Prtry><Id>XLOC</Id><Issr>BANK</Issr></Prtry>"
    statement = read(changed("<Cd>PLED</Cd>", own))
    assert statement.lines[1].sub_balances[0].code == "PRTRY:XLOC/BANK"
    finding = statement_reserve(statement, MICROSOFT, 1)
    assert finding.quantity == 25_005 - 300
    assert BreakKind.UNKNOWN_SUB_BALANCE in [found.kind for found in finding.breaks]


PLACES = """<BalAtSfkpgPlc><SfkpgPlc><SfkpgPlcFrmt><Ctry>US</Ctry></SfkpgPlcFrmt></SfkpgPlc>{pledgee}
<AggtBal><ShrtLngInd>LONG</ShrtLngInd><Qty><Qty><Qty><Unit>40</Unit></Qty></Qty></Qty></AggtBal>
<NotAvlblBal><Qty><Unit>{blocked}</Unit></Qty></NotAvlblBal>
<BalBrkdwn><SubBalTp><Cd>{code}</Cd></SubBalTp><Qty><Qty><Qty><Unit>{units}</Unit></Qty></Qty></Qty></BalBrkdwn>
</BalAtSfkpgPlc></BalForAcct>"""


@pytest.mark.parametrize(
    ("places", "off"),
    [
        ([("", 0, "PLED", 5)], {"PLED": 5}),
        ([("", 0, "PLED", 5), ("", 0, "PLED", 6)], {"PLED": 11}),
        ([("", 9, "PLED", 5)], {"NAVL": 4, "PLED": 5}),
        ([("<Pldgee><LEI>529900T8BM49AURSDO55</LEI></Pldgee>", 0, "PLED", 5)], {"PLED": 40}),
        ([("<Pldgee/>", 0, "NOMI", 5)], {"PLED": 40}),
        ([("<XpsrTp><Cd>SLOA</Cd></XpsrTp>", 0, "NOMI", 5)], {"PLED": 40}),
    ],
)
def test_what_only_a_place_tells_is_taken_off(places: list[tuple[str, int, str, int]], off: dict[str, int]) -> None:
    blocks = "".join(
        PLACES.format(pledgee=pledgee, blocked=blocked, code=code, units=units).replace("</BalForAcct>", "")
        for pledgee, blocked, code, units in places
    )
    statement = read(changed("</BalForAcct>", blocks + "</BalForAcct>"))
    assert dict(statement_reserve(statement, APPLE, 0).taken_off) == off


@pytest.mark.parametrize(("at_place", "off"), [(20, 20), (15, 20), (26, 26)])
def test_what_the_account_and_a_place_both_tell_is_taken_off_once(at_place: int, off: int) -> None:
    data = xml()
    before, found, after = data.partition(b"<Unit>10</Unit>")
    block = PLACES.format(pledgee="", blocked=0, code="PLED", units=at_place).encode()
    statement = read(before + found + after.replace(b"</BalForAcct>", block, 1))
    taken = dict(statement_reserve(statement, MICROSOFT, 1).taken_off)
    assert taken["PLED"] == off * 10


@pytest.mark.parametrize("name", ["BalBrkdwnDtls", "AddtlBalBrkdwnDtls", "XBalBrkdwn"])
def test_a_breakdown_of_another_version_is_refused_and_not_passed_over(name: str) -> None:
    data = xml().replace(b"<BalBrkdwn>", f"<{name}>".encode()).replace(b"</BalBrkdwn>", f"</{name}>".encode())
    with pytest.raises(MalformedStatement, match="another version"):
        read(data)


def test_an_element_of_another_namespace_is_refused_outside_extensions() -> None:
    foreign = '<o:BalBrkdwn xmlns:o="urn:other"/>'
    with pytest.raises(MalformedStatement, match="namespace 'urn:other'"):
        read(changed("</BalForAcct>", foreign + "</BalForAcct>"))
    extension = f"<SplmtryData><Envlp>{foreign}</Envlp></SplmtryData></BalForAcct>"
    assert comparable(read(changed("</BalForAcct>", extension))) == STATEMENT


@pytest.mark.parametrize("version", ["semt.002.001.02", "semt.002.001.05", "semt.002.001.11", "semt.002.002.11"])
def test_a_file_cut_at_any_byte_is_refused(version: str) -> None:
    data = xml(replace(STATEMENT, lines=STATEMENT.lines[:2]), version)
    for length in range(len(data)):
        with pytest.raises(StatementError):
            read(data[:length])


def test_a_file_cut_in_the_middle_is_called_truncated() -> None:
    data = xml()
    for length in (len(data) // 2, len(data) - 1):
        with pytest.raises(TruncatedStatement):
            read(data[:length])
    with pytest.raises(TruncatedStatement, match="inside a character"):
        read(changed("ACC-1", "ACC-é")[: xml().index(b"ACC-1") + 5])


LAUGHS = """<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><Document>&c;</Document>"""


@pytest.mark.parametrize(
    "text",
    [
        LAUGHS,
        '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Document>&x;</Document>',
        '<!DOCTYPE Document SYSTEM "http://127.0.0.1:1/semt.dtd"><Document/>',
        "\n<!-- hello -->\n<!DOCTYPE Document><Document/>",
        '<Document><!ENTITY x "y"></Document>',
    ],
)
def test_document_types_and_entities_are_forbidden(text: str) -> None:
    with pytest.raises(ForbiddenXml) as caught:
        read(text.encode())
    assert caught.value.where is not None


def test_an_entity_nobody_declared_is_refused() -> None:
    with pytest.raises(MalformedStatement):
        read(changed("ACC-1", "&account;"))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "utf-7"])
def test_another_encoding_than_utf_8_is_refused(encoding: str) -> None:
    text = xml().decode().replace("UTF-8", encoding).replace("ACC-1", "ACC-1é")
    with pytest.raises(StatementError):
        read(text.encode(encoding))


def test_a_declared_encoding_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(UnsupportedStatement, match="UTF-7"):
        read(changed("UTF-8", "UTF-7"))


def test_a_file_beyond_the_size_limit_is_refused_unparsed() -> None:
    with pytest.raises(StatementTooLarge, match="at most 100 "):
        read(xml(), StatementProfile(LEI, maximum_bytes=100))
    padded = xml() + b" " * (64 * 1024 * 1024)
    with pytest.raises(StatementTooLarge):
        read(padded)


@pytest.mark.parametrize("depth", [100, 300, 5_000, 100_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    deep = "<a>" * depth + "</a>" * depth
    with pytest.raises(MalformedStatement):
        read(changed("</BalForAcct>", deep + "</BalForAcct>"))


def test_many_balances_are_read_in_reasonable_time() -> None:
    lines = tuple(
        HoldingLine("", Quantity(n), other_id=f"X{n}", sub_balances=STATEMENT.lines[1].sub_balances)
        for n in range(5_000)
    )
    data = xml(replace(STATEMENT, lines=lines))
    started = process_time()
    assert len(read(data).lines) == 5_000
    assert process_time() - started < 10  # about one second; minutes if a step looked at all balances for each


@pytest.mark.parametrize(
    ("statement", "version"),
    [
        (STATEMENT, "semt.002.001.99"),
        (replace(STATEMENT, encumbered=True), "semt.002.001.05"),
        (replace(STATEMENT, last_page=2), "semt.002.001.11"),
        (replace(STATEMENT, lines=(HoldingLine(APPLE, Quantity(1), place="vault"),)), "semt.002.001.11"),
        (
            replace(
                STATEMENT,
                lines=(HoldingLine(APPLE, Quantity(1), sub_balances=(SubBalance("PRTRY:A//B", Quantity(1)),)),),
            ),
            "semt.002.001.11",
        ),
        (
            replace(
                STATEMENT,
                lines=(
                    HoldingLine(
                        APPLE,
                        Quantity(1),
                        sub_balances=(SubBalance("PLED", Quantity(1), available=False, unit=Unit.PROPRIETARY),),
                    ),
                ),
            ),
            "semt.002.001.11",
        ),
    ],
)
def test_a_sample_that_its_version_cannot_say_is_not_written(statement: StatementOfHoldings, version: str) -> None:
    with pytest.raises(InputError):
        write_semt002(statement, version)
