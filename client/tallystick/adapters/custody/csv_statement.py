"""Statements of holdings as CSV, by a column mapping that the operator declares; every error has its line."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from typing import Final

from tallystick.adapters.custody.errors import (
    BadQuantity,
    MalformedStatement,
    StatementTooLarge,
    TruncatedStatement,
    UnsupportedStatement,
)
from tallystick.adapters.custody.instants import parse_csv_instant
from tallystick.adapters.custody.pages import check_unique
from tallystick.adapters.custody.profiles import CsvProfile, StatementProfile
from tallystick.domain.amounts import Quantity, parse_quantity
from tallystick.domain.canonical import sha256
from tallystick.domain.holdings import HoldingLine, StatementOfHoldings, SubBalance
from tallystick.domain.identifiers import canonical_spelling
from tallystick.errors import AmountError, IdentifierError

PARSER_VERSION: Final = 1
FORMAT: Final = "csv"


def read_csv(data: bytes, profile: StatementProfile, received_at: int) -> StatementOfHoldings:
    """A CSV file as one whole statement.

    All rows must agree on account, as-of and statement id. UnsupportedStatement without a CSV profile; otherwise the
    StatementErrors of this package. `received_at` in seconds since 1970 UTC.
    """
    layout = profile.csv
    if layout is None:
        raise UnsupportedStatement(
            "The file is not XML, and the profile does not say how to read a CSV",
            hint="Declare the columns of the custodian's CSV in its profile.",
        )
    rows = list(_rows(_text(data, layout, profile.maximum_bytes), layout))
    if not rows:
        raise MalformedStatement(
            "The file has no holdings, so its account and as-of are unknown",
            where="line 2",
            hint="Ask the custodian for a statement in a format that says so, such as semt.002.",
        )
    headers = {_header(row, where, layout, profile) for row, where in rows}
    if len(headers) != 1:
        raise MalformedStatement(
            f"The rows name {len(headers)} different accounts, as-ofs or statement ids",
            where=rows[-1][1],
            hint="Pass each account's statement as a file of its own.",
        )
    ((account, as_of, statement_id),) = headers
    lines = tuple(_line(row, where, layout) for row, where in rows)
    check_unique(lines)
    return StatementOfHoldings(
        custodian_lei=profile.custodian_lei,
        account=account,
        as_of=as_of,
        received_at=received_at,
        statement_id=statement_id,
        basis=layout.basis,
        completeness=layout.completeness,
        has_activity=True,
        lines=lines,
        source_hashes=(sha256(data),),
        format=FORMAT,
        parser_version=PARSER_VERSION,
    )


def _text(data: bytes, layout: CsvProfile, maximum_bytes: int) -> str:
    if len(data) > maximum_bytes:
        raise StatementTooLarge(f"The file has {len(data)} bytes; at most {maximum_bytes} are read.")
    try:
        text = data.decode(layout.encoding).removeprefix("\ufeff")
    except UnicodeError as error:
        raise UnsupportedStatement(
            f"The file is not {layout.encoding} text, which its profile declares",
            hint="Correct the encoding in the custodian's profile, or ask for the file again.",
        ) from error
    if "\x00" in text:
        raise MalformedStatement("The file holds a NUL character", where=_line_at(text, text.index("\x00")))
    if not text:
        raise TruncatedStatement("The file is empty", where="line 1")
    if not layout.trailer and not text.endswith(("\n", "\r")):
        raise TruncatedStatement("The last line does not end", where=_line_at(text, len(text)))
    return text


def _rows(text: str, layout: CsvProfile) -> Iterator[tuple[Mapping[str, str], str]]:
    """Each holding's cells by header, and its line. Blank lines are passed over."""
    header: list[str] | None = None
    count = 0
    trailer_at = ""
    for cells, where in _records(text, layout):
        if trailer_at:
            raise MalformedStatement(f"A record follows the trailer ({trailer_at})", where=where)
        if header is None:
            header = _checked_header(cells, layout, where)
        elif layout.trailer and cells[0] == layout.trailer:
            _check_trailer(cells, count, where)
            trailer_at = where
        elif len(cells) != len(header):
            raise MalformedStatement(f"The record has {len(cells)} cells, the header {len(header)}", where=where)
        else:
            count += 1
            yield dict(zip(header, cells, strict=True)), where
    if header is None:
        raise MalformedStatement("The file has no header", where="line 1")
    if layout.trailer and not trailer_at:
        raise TruncatedStatement(f"The last record {layout.trailer!r} is missing", where=_line_at(text, len(text)))


def _line_at(text: str, position: int) -> str:
    return f"line {text.count(chr(10), 0, position) + 1}"


def _records(text: str, layout: CsvProfile) -> Iterator[tuple[list[str], str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=layout.delimiter, strict=True)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            kind = TruncatedStatement if "unexpected end of data" in str(error) else MalformedStatement
            raise kind(f"The file is not CSV: {error}", where=f"line {reader.line_num}") from error
        stripped = [cell.strip() for cell in cells]
        if any(stripped):
            yield stripped, f"line {reader.line_num}"


def _checked_header(cells: list[str], layout: CsvProfile, where: str) -> list[str]:
    for column in layout.columns:
        times = cells.count(column)
        if times != 1:
            raise MalformedStatement(
                f"The header has the column {column!r} {times} times where once was expected",
                where=where,
                hint=f"The header is: {', '.join(cells)[:300]}. Correct the profile, or ask what changed.",
            )
    return cells


def _check_trailer(cells: list[str], count: int, where: str) -> None:
    stated = cells[1] if len(cells) > 1 else ""
    if re.fullmatch(r"[0-9]{1,9}", stated) is None or any(cells[2:]):
        raise MalformedStatement("The trailer does not state the number of holdings and nothing else", where=where)
    if int(stated) != count:
        raise TruncatedStatement(f"The trailer states {int(stated)} holdings, the file has {count}", where=where)


def _header(row: Mapping[str, str], where: str, layout: CsvProfile, profile: StatementProfile) -> tuple[str, int, str]:
    try:
        account = canonical_spelling(row[layout.account_column] if layout.account_column else layout.account)
    except IdentifierError as error:
        raise MalformedStatement(f"The account is not one: {error.message}", where=where) from error
    as_of = parse_csv_instant(row[layout.as_of_column], layout, profile, where)
    return account, as_of, row[layout.statement_id_column] if layout.statement_id_column else ""


def _line(row: Mapping[str, str], where: str, layout: CsvProfile) -> HoldingLine:
    sub_balances = tuple(
        SubBalance(code, quantity, where=f"{where}, {column}")
        for column, code in layout.sub_balances
        if row[column]
        for quantity in [_quantity(row[column], layout, f"{where}, {column}")]
        if quantity.units
    )
    blocked = row[layout.not_available_column] if layout.not_available_column else ""
    return HoldingLine(
        isin=row[layout.isin_column],
        aggregate=_quantity(row[layout.quantity_column], layout, f"{where}, {layout.quantity_column}"),
        sub_balances=sub_balances,
        not_available=_quantity(blocked, layout, f"{where}, {layout.not_available_column}") if blocked else None,
        place=row[layout.place_column] if layout.place_column else "",
        description=row[layout.description_column] if layout.description_column else "",
        where=where,
    )


def _quantity(text: str, layout: CsvProfile, where: str) -> Quantity:
    """A number in the profile's spelling; groups, when there are any, must be of three digits each."""
    mark = re.escape(layout.decimal_mark)
    groups = rf"[0-9]{{1,3}}(?:{re.escape(layout.thousands_mark)}[0-9]{{3}})+|" if layout.thousands_mark else ""
    match = re.fullmatch(rf"([+-]?)({groups}[0-9]+)(?:{mark}([0-9]*))?", text, re.ASCII)
    if match is None:
        raise BadQuantity(
            f"{text[:40]!r} is not a quantity with decimal mark {layout.decimal_mark!r}",
            where=where,
            hint="Correct the marks in the custodian's profile; nothing is guessed.",
        )
    sign, whole, fraction = match.groups()
    if layout.thousands_mark:
        whole = whole.replace(layout.thousands_mark, "")
    try:
        return parse_quantity(f"{sign}{whole}.{fraction or ''}", allow_negative=True)
    except AmountError as error:
        raise BadQuantity(error.message, where=where) from error
