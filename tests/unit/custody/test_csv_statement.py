"""CSV is read by a declared layout; every error has its line, and nothing is guessed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from custody_material import (
    APPLE,
    AS_OF,
    CSV,
    CSV_PROFILE,
    LEI,
    MICROSOFT,
    PROFILE,
    RECEIVED,
    STATEMENT,
    changed,
    comma_separated,
    comparable,
)
from tallystick.adapters.custody.errors import (
    BadQuantity,
    DuplicateHolding,
    MalformedStatement,
    StatementTooLarge,
    TruncatedStatement,
    UnsupportedStatement,
)
from tallystick.adapters.custody.profiles import CsvProfile, StatementProfile
from tallystick.adapters.custody.reader import read_statement
from tallystick.adapters.custody.samples import write_csv
from tallystick.domain.amounts import Quantity
from tallystick.domain.breaks import BreakKind
from tallystick.domain.holdings import Basis, Completeness, HoldingLine, StatementOfHoldings, SubBalance
from tallystick.domain.reserve import identification_breaks, statement_reserve
from tallystick.errors import ConfigurationError, IdentifierError, InputError, StatementError


def read(data: bytes, profile: StatementProfile = CSV_PROFILE) -> StatementOfHoldings:
    return read_statement(data, profile, RECEIVED)


def with_layout(change: Callable[[CsvProfile], CsvProfile], **fields: object) -> StatementProfile:
    return replace(CSV_PROFILE, csv=change(CSV), **fields)  # type: ignore[arg-type]


def test_a_csv_says_the_same_as_the_statement_it_was_written_from() -> None:
    statement = read(comma_separated())
    assert comparable(statement) == STATEMENT
    assert (statement.format, statement.lines[1].where) == ("csv", "line 3")


def test_the_declared_basis_and_completeness_are_those_of_the_statement() -> None:
    profile = with_layout(lambda csv: replace(csv, basis=Basis.TRADED, completeness=Completeness.DELTA))
    statement = read(comma_separated(), profile)
    assert (statement.basis, statement.completeness) == (Basis.TRADED, Completeness.DELTA)


def test_pledged_and_lent_columns_are_taken_off() -> None:
    assert statement_reserve(read(comma_separated()), MICROSOFT, 1).quantity == 25_005 - 300


LOCALE = replace(
    CSV,
    delimiter=";",
    encoding="cp1252",
    decimal_mark=",",
    thousands_mark=".",
    date_format="%d.%m.%Y",
    trailer="",
    account_column="",
    account="acc-1",
)
LOCALE_PROFILE = StatementProfile(LEI, date_only_seconds=AS_OF % 86_400, csv=LOCALE)


def test_a_layout_with_other_marks_dates_and_encoding_is_read() -> None:
    data = write_csv(STATEMENT, LOCALE_PROFILE)
    assert b"2.500,5;18.11.2026" in data
    assert comparable(read(data, LOCALE_PROFILE)) == STATEMENT


@pytest.mark.parametrize(
    "text",
    ["", "-", "1e3", "1,000", "1 000", "1.000.000", "(5)", "NaN", "１", "5-", "$5", "0x1", "9" * 81, "1'000", "--1"],
)
def test_a_quantity_in_another_spelling_than_declared_is_refused_with_line_and_column(text: str) -> None:
    with pytest.raises(MalformedStatement, match=r"line 2"):
        read(changed(",100000,", f',"{text}",', comma_separated()))


def test_a_decimal_mark_at_the_end_is_exact() -> None:
    assert read(changed("100000,", "1.,", comma_separated())).lines[0].aggregate == Quantity(1)


@pytest.mark.parametrize("text", ["1.00", "10.00", ".100", "1..000", "1000.000", "1.000.00", "1,000,5", "1.0000"])
def test_a_group_that_is_not_of_three_digits_is_refused(text: str) -> None:
    with pytest.raises(BadQuantity, match="line 2, Quantity"):
        read(changed("100.000;", f"{text};", write_csv(STATEMENT, LOCALE_PROFILE)), LOCALE_PROFILE)


def test_a_negative_quantity_is_read_and_gives_no_reserve() -> None:
    statement = read(changed(",100000,", ",-100000,", comma_separated()))
    assert statement.lines[0].aggregate == Quantity(-100_000)
    assert statement_reserve(statement, APPLE, 0).quantity is None


def test_a_wrong_isin_is_a_break_and_not_an_error() -> None:
    statement = read(changed(APPLE, "US0378331006", comma_separated()))
    assert [found.kind for found in identification_breaks(statement)] == [BreakKind.BAD_ISIN]


def test_a_missing_isin_is_a_break_and_not_an_error() -> None:
    statement = read(changed(APPLE, "", comma_separated()))
    assert [found.kind for found in identification_breaks(statement)] == [BreakKind.UNKNOWN_ISIN]


@pytest.mark.parametrize(
    ("old", "new", "error", "where"),
    [
        ("ISIN,", "Isin,", MalformedStatement, "line 1"),
        ("ISIN,", "ISIN,ISIN,", MalformedStatement, "line 1"),
        ("Quantity,", "", MalformedStatement, "line 1"),
        (f"{MICROSOFT},", "", MalformedStatement, "line 3"),
        (f"{MICROSOFT},", f"{MICROSOFT},,", MalformedStatement, "line 3"),
        (MICROSOFT, APPLE, DuplicateHolding, "line 3"),
        ("TOTAL,3", "TOTAL,4", TruncatedStatement, "line 5"),
        ("TOTAL,3", "TOTAL,2", TruncatedStatement, "line 5"),
        ("TOTAL,3", "TOTAL", MalformedStatement, "line 5"),
        ("TOTAL,3", "TOTAL,3,x", MalformedStatement, "line 5"),
        ("TOTAL,3", "TOTAL,three", MalformedStatement, "line 5"),
        ("TOTAL,3\r\n", "", TruncatedStatement, "line 5"),
        ("TOTAL,3", "TOTAL,3\r\nX", MalformedStatement, "line 6"),
        ("ACC-1", "ACC-2", MalformedStatement, "line 4"),
        ("STMT-2", "STMT-3", MalformedStatement, "line 4"),
        ("2026-11-18T", "2026-11-17T", MalformedStatement, "line 4"),
        ("ACC-1", "ACC_1", MalformedStatement, "line 2"),
        ("ACC-1", "", MalformedStatement, "line 2"),
        ("2026-11-18T", "18/11/2026T", MalformedStatement, "line 2"),
        ("2026-11-18T", "", MalformedStatement, "line 2"),
        (APPLE, f'"{APPLE}', TruncatedStatement, "line"),
        (APPLE, f'"{APPLE}"x', MalformedStatement, "line 2"),
        (APPLE, f"{APPLE}\x00", MalformedStatement, "line 2"),
    ],
)
def test_one_defect_is_one_error_with_its_line(old: str, new: str, error: type[StatementError], where: str) -> None:
    with pytest.raises(error) as caught:
        read(changed(old, new, comma_separated()))
    assert caught.value.where is not None
    assert caught.value.where.startswith(where)


def test_a_header_alone_is_refused_because_its_account_is_unknown() -> None:
    with pytest.raises(MalformedStatement, match="no holdings"):
        read(comma_separated().split(b"\r\n")[0] + b"\r\nTOTAL,0\r\n")


@pytest.mark.parametrize("data", [b"", b"\r\n", b" ", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedStatement):
        read(data)


def test_columns_we_do_not_know_and_blank_lines_are_passed_over() -> None:
    rows = comma_separated().decode().split("\r\n")
    more = [rows[0] + ",Extra", "", *(row + ",x" for row in rows[1:4]), ",,", rows[4], ""]
    assert comparable(read("\r\n".join(more).encode())) == STATEMENT


def test_a_byte_order_mark_is_passed_over() -> None:
    assert comparable(read(b"\xef\xbb\xbf" + comma_separated())) == STATEMENT
    wide = with_layout(lambda csv: replace(csv, encoding="utf-16"))
    assert comparable(read(write_csv(STATEMENT, wide), wide)) == STATEMENT


def test_bytes_that_are_not_in_the_declared_encoding_are_refused() -> None:
    with pytest.raises(UnsupportedStatement, match="utf-8"):
        read(changed("NCSD", "NC\u00c4", comma_separated()).decode().encode("latin-1"))


def test_a_file_cut_at_any_byte_is_refused_when_a_trailer_is_declared() -> None:
    data = comma_separated()
    for length in range(len(data) - 2):
        with pytest.raises(StatementError):
            read(data[:length])


def test_a_file_without_a_trailer_must_end_its_last_line() -> None:
    data = write_csv(STATEMENT, LOCALE_PROFILE)
    with pytest.raises(TruncatedStatement, match="last line"):
        read(data[:-2], LOCALE_PROFILE)
    with pytest.raises(StatementError):
        read(data[: data.rindex(b";")], LOCALE_PROFILE)


def test_a_csv_without_a_declared_layout_is_refused() -> None:
    with pytest.raises(UnsupportedStatement, match="does not say how to read a CSV"):
        read(comma_separated(), PROFILE)


def test_a_csv_beyond_the_size_limit_is_refused() -> None:
    with pytest.raises(StatementTooLarge):
        read(comma_separated(), replace(CSV_PROFILE, maximum_bytes=10))


def test_a_time_or_date_without_its_declaration_is_refused() -> None:
    no_zone = with_layout(lambda csv: replace(csv, date_format="%Y-%m-%dT%H:%M:%S"))
    data = changed("+0000", "", comma_separated(), times=3)
    with pytest.raises(UnsupportedStatement, match="no zone"):
        read(data, no_zone)
    assert read(data, replace(no_zone, utc_offset_minutes=60)).as_of == AS_OF - 3600
    with pytest.raises(UnsupportedStatement, match="only a date"):
        read(write_csv(STATEMENT, LOCALE_PROFILE), replace(LOCALE_PROFILE, date_only_seconds=None))


@pytest.mark.parametrize(
    "change",
    [
        {"isin_column": ""},
        {"quantity_column": ""},
        {"as_of_column": ""},
        {"account": "ACC-1"},
        {"account_column": ""},
        {"quantity_column": "ISIN"},
        {"delimiter": ""},
        {"delimiter": "ab"},
        {"delimiter": '"'},
        {"decimal_mark": ";"},
        {"thousands_mark": "."},
        {"thousands_mark": "00"},
        {"thousands_mark": "0"},
        {"encoding": "klingon"},
        {"encoding": "hex"},
        {"encoding": "utf-7"},
        {"sub_balances": (("A", "PLED"), ("B", "PLED"))},
    ],
)
def test_a_layout_that_contradicts_itself_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        replace(CSV, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [{"utc_offset_minutes": 841}, {"date_only_seconds": 260_000}, {"maximum_bytes": 0}, {"maximum_bytes": 2**40}],
)
def test_a_profile_out_of_bounds_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        replace(CSV_PROFILE, **change)  # type: ignore[arg-type]


def test_a_profile_needs_a_right_lei() -> None:
    with pytest.raises(IdentifierError):
        StatementProfile("HWUPKR0MPOU8FGXBT395")


@pytest.mark.parametrize(
    "statement",
    [
        replace(STATEMENT, lines=()),
        replace(STATEMENT, basis=Basis.TRADED),
        replace(STATEMENT, lines=(HoldingLine(APPLE, Quantity(1), sub_balances=(SubBalance("MARG", Quantity(1)),)),)),
    ],
)
def test_a_sample_that_the_layout_cannot_say_is_not_written(statement: StatementOfHoldings) -> None:
    with pytest.raises(InputError):
        write_csv(statement, CSV_PROFILE)
