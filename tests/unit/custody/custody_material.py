"""Statements for the tests of the readers, and ways to break their files one thing at a time."""

from __future__ import annotations

from dataclasses import replace

from tallystick.adapters.custody.profiles import CsvProfile, StatementProfile
from tallystick.adapters.custody.samples import write_csv, write_semt002
from tallystick.domain.amounts import Quantity
from tallystick.domain.holdings import Basis, Completeness, HoldingLine, StatementOfHoldings, SubBalance

LEI = "HWUPKR0MPOU8FGXBT394"
APPLE, MICROSOFT, AMAZON = "US0378331005", "US5949181045", "US0231351067"
AS_OF = 1_795_000_000
RECEIVED = AS_OF + 600
VERSION = "semt.002.001.11"
PROFILE = StatementProfile(LEI)
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
CSV_PROFILE = StatementProfile(LEI, csv=CSV)

STATEMENT = StatementOfHoldings(
    custodian_lei=LEI,
    account="ACC-1",
    as_of=AS_OF,
    received_at=RECEIVED,
    statement_id="STMT-20261118",
    basis=Basis.SETTLED,
    completeness=Completeness.COMPLETE,
    has_activity=True,
    lines=(
        HoldingLine(APPLE, Quantity(100_000), place="NCSD/DTCYUS33"),
        HoldingLine(
            MICROSOFT,
            Quantity(25_005, 1),
            place="NCSD/DTCYUS33",
            not_available=Quantity(30),
            sub_balances=(SubBalance("PLED", Quantity(20)), SubBalance("LOAN", Quantity(10))),
        ),
        HoldingLine(AMAZON, Quantity(7), place="NCSD/DTCYUS33"),
    ),
    source_hashes=(),
    format="",
    parser_version=1,
)


def xml(statement: StatementOfHoldings = STATEMENT, version: str = VERSION, *, envelope: bool = False) -> bytes:
    return write_semt002(statement, version, envelope=envelope)


def changed(old: str, new: str, data: bytes | None = None, *, times: int = 1) -> bytes:
    """The sample with the first `times` occurrences of `old` replaced; the test fails when there is none."""
    data = xml() if data is None else data
    assert old.encode() in data, f"{old} is not in the sample"
    return data.replace(old.encode(), new.encode(), times)


def comma_separated(statement: StatementOfHoldings = STATEMENT, profile: StatementProfile = CSV_PROFILE) -> bytes:
    return write_csv(statement, profile)


def comparable(statement: StatementOfHoldings) -> StatementOfHoldings:
    """Without what a file cannot carry: its own hash, format, and where things were in it."""
    lines = tuple(
        replace(line, where="", sub_balances=tuple(without_where(part) for part in line.sub_balances))
        for line in statement.lines
    )
    return replace(statement, source_hashes=(), format="", parser_version=1, lines=lines)


def without_where(part: SubBalance) -> SubBalance:
    return replace(part, where="", parts=tuple(without_where(inner) for inner in part.parts))
