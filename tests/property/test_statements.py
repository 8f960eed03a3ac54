"""Statements survive the way through any file format; any other bytes end in a StatementError and never in a number."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tallystick.adapters.custody.profiles import CsvProfile, StatementProfile
from tallystick.adapters.custody.reader import join_pages, read_statement
from tallystick.adapters.custody.samples import SEMT002_VERSIONS, split_pages, write_csv, write_semt002
from tallystick.domain.amounts import Quantity
from tallystick.domain.holdings import (
    Basis,
    Completeness,
    HoldingLine,
    StatementOfHoldings,
    SubBalance,
    Unit,
    statement_hash,
)
from tallystick.domain.reserve import DEFAULT_TREATMENTS
from tallystick.errors import StatementError

LEI = "HWUPKR0MPOU8FGXBT394"
ISINS = ("US0378331005", "US5949181045", "US0231351067", "US88160R1014", "NOTANISIN")
CSV = CsvProfile(
    basis=Basis.SETTLED,
    completeness=Completeness.COMPLETE,
    isin_column="ISIN",
    quantity_column="Quantity",
    as_of_column="As of",
    account_column="Account",
    statement_id_column="Statement",
    place_column="Place",
    not_available_column="Blocked",
    sub_balances=(("Pledged", "PLED"), ("On loan", "LOAN")),
    date_format="%Y-%m-%dT%H:%M:%S%z",
    trailer="TOTAL",
)
PROFILE = StatementProfile(LEI, csv=CSV)
EARLY = ("semt.002.001.01", "semt.002.001.02")

quantities = st.builds(Quantity, st.integers(0, 10**18), st.integers(0, 17))
names = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+", min_size=1, max_size=20)
own_codes = st.lists(st.text("ABCDEFG0123-:", min_size=1, max_size=8), min_size=1, max_size=3).map("/".join)
codes = st.one_of(st.sampled_from(sorted(DEFAULT_TREATMENTS)), own_codes.map(lambda code: f"PRTRY:{code}"))
places = st.one_of(st.just(""), st.sampled_from(["US", "DE"]), names.map(lambda name: f"NCSD/{name}"))
units = st.sampled_from([Unit.SHARES, Unit.FACE_AMOUNT, Unit.AMORTISED_VALUE, Unit.DIGITAL_TOKENS])


def sub_balances(depth: int = 1) -> st.SearchStrategy[SubBalance]:
    inner = st.lists(sub_balances(depth - 1), max_size=2).map(tuple) if depth else st.just(())
    return st.builds(
        SubBalance,
        code=codes,
        quantity=quantities,
        available=st.sampled_from([None, True, False]),
        unit=units,
        parts=inner,
        where=st.just(""),
    )


@st.composite
def lines(draw: st.DrawFn) -> HoldingLine:
    unit = draw(st.one_of(units, st.just(Unit.PROPRIETARY)))
    aggregate = draw(quantities)
    return HoldingLine(
        isin=draw(st.sampled_from(ISINS)),
        aggregate=-aggregate if draw(st.booleans()) else aggregate,
        unit=unit,
        sub_balances=tuple(draw(st.lists(sub_balances(), max_size=3))),
        available=draw(st.none() | quantities),
        not_available=draw(st.none() | quantities),
        place=draw(places),
    )


@st.composite
def statements(draw: st.DrawFn) -> StatementOfHoldings:
    held = draw(st.lists(lines(), max_size=5, unique_by=lambda line: (line.isin, line.place)))
    return StatementOfHoldings(
        custodian_lei=LEI,
        account=draw(names),
        as_of=draw(st.integers(40_000_000, 4_000_000_000)),
        received_at=7,
        statement_id=draw(st.just("") | names),
        basis=draw(st.sampled_from(Basis)),
        completeness=draw(st.sampled_from(Completeness)),
        has_activity=bool(held) or draw(st.booleans()),
        lines=tuple(held),
        source_hashes=(),
        format="",
        parser_version=1,
        frequency=draw(st.sampled_from(["", "DAIL", "WEEK"])),
        ends=True,
    )


def plain(statement: StatementOfHoldings) -> StatementOfHoldings:
    def without_where(part: SubBalance) -> SubBalance:
        return replace(part, where="", parts=tuple(without_where(inner) for inner in part.parts))

    return replace(
        statement,
        source_hashes=(),
        format="",
        parser_version=1,
        lines=tuple(
            replace(line, where="", sub_balances=tuple(without_where(part) for part in line.sub_balances))
            for line in statement.lines
        ),
    )


@settings(max_examples=150, deadline=None)
@given(statements(), st.sampled_from(SEMT002_VERSIONS), st.booleans())
def test_any_statement_survives_any_version_of_semt_002(
    statement: StatementOfHoldings, version: str, envelope: bool
) -> None:
    read = read_statement(write_semt002(statement, version, envelope=envelope), PROFILE, 7)
    assert plain(read) == statement
    for isin in ISINS:
        assert statement_hash(read, isin) == statement_hash(statement, isin)


@settings(max_examples=60, deadline=None)
@given(statements(), st.sampled_from([v for v in SEMT002_VERSIONS if v not in EARLY]), st.integers(1, 3), st.randoms())
def test_any_statement_survives_being_sent_in_pages(
    statement: StatementOfHoldings, version: str, per_page: int, random: object
) -> None:
    files = [write_semt002(page, version) for page in split_pages(statement, per_page)]
    random.shuffle(files)  # type: ignore[attr-defined]
    whole = join_pages([read_statement(data, PROFILE, 7) for data in files])
    assert plain(replace(whole, last_page=1)) == statement


@st.composite
def csv_lines(draw: st.DrawFn) -> HoldingLine:
    positive = quantities.filter(lambda quantity: quantity.units > 0)
    parts = draw(st.lists(st.sampled_from(["PLED", "LOAN"]), unique=True))
    ordered = [code for code in ("PLED", "LOAN") if code in parts]
    return HoldingLine(
        isin=draw(st.sampled_from(ISINS)),
        aggregate=draw(quantities),
        not_available=draw(st.none() | quantities),
        sub_balances=tuple(SubBalance(code, draw(positive)) for code in ordered),
        place=draw(places),
    )


@settings(max_examples=100, deadline=None)
@given(
    st.lists(csv_lines(), min_size=1, max_size=5, unique_by=lambda line: (line.isin, line.place)),
    names,
    st.integers(40_000_000, 4_000_000_000),
    st.sampled_from([(".", ""), (",", "."), (",", " "), (".", "'")]),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-16", "cp1252"]),
)
def test_any_statement_survives_any_layout_of_csv(
    held: list[HoldingLine], account: str, as_of: int, marks: tuple[str, str], delimiter: str, encoding: str
) -> None:
    layout = replace(CSV, decimal_mark=marks[0], thousands_mark=marks[1], delimiter=delimiter, encoding=encoding)
    profile = replace(PROFILE, csv=layout)
    statement = StatementOfHoldings(
        custodian_lei=LEI,
        account=account,
        as_of=as_of,
        received_at=7,
        statement_id="S",
        basis=Basis.SETTLED,
        completeness=Completeness.COMPLETE,
        has_activity=True,
        lines=tuple(held),
        source_hashes=(),
        format="",
        parser_version=1,
    )
    assert plain(read_statement(write_csv(statement, profile), profile, 7)) == statement


SAMPLE = write_semt002(
    StatementOfHoldings(
        custodian_lei=LEI,
        account="ACC-1",
        as_of=1_795_000_000,
        received_at=7,
        statement_id="S",
        basis=Basis.SETTLED,
        completeness=Completeness.COMPLETE,
        has_activity=True,
        source_hashes=(),
        format="",
        parser_version=1,
        lines=tuple(
            HoldingLine(isin, Quantity(1000 + number), sub_balances=(SubBalance("PLED", Quantity(number)),))
            for number, isin in enumerate(ISINS)
        ),
    ),
    envelope=True,
)


def reads_or_refuses(data: bytes) -> StatementOfHoldings | None:
    """The statement, or None when it was refused; any other exception fails the test."""
    try:
        return read_statement(data, PROFILE, 7)
    except StatementError:
        return None


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_never_a_statement(data: bytes) -> None:
    assert reads_or_refuses(data) is None


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200), st.sampled_from(["<", "<?xml ", "<Document", "ISIN,Quantity,As of,Account\n", "TOTAL,"]))
def test_arbitrary_text_behind_a_promising_start_is_never_a_statement(text: str, start: str) -> None:
    assert reads_or_refuses((start + text).encode("utf-8", "replace")) is None


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_damaged_file_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(SAMPLE) - 1))
    length = data.draw(st.integers(0, 40))
    reads_or_refuses(SAMPLE[:position] + data.draw(st.binary(max_size=12)) + SAMPLE[position + length :])


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(SAMPLE) - 1), st.integers(0, len(SAMPLE) - 1))
def test_a_file_without_some_of_its_bytes_never_reads_as_fewer_holdings(start: int, end: int) -> None:
    """A gap is refused, unless it took whole balances out: then no format without a count could tell."""
    assume(start < end)
    gap = SAMPLE[start:end]
    assume(gap.count(b"<BalForAcct>") == 0 or gap.count(b"<BalForAcct>") != gap.count(b"</BalForAcct>"))
    statement = reads_or_refuses(SAMPLE[:start] + SAMPLE[end:])
    assert statement is None or len(statement.lines) == len(ISINS)


def test_a_file_cut_at_any_byte_is_refused() -> None:
    assert [length for length in range(len(SAMPLE)) if reads_or_refuses(SAMPLE[:length]) is not None] == []
