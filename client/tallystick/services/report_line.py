"""One line of a custodian's statement with the proof that a report rests on it: private, for whoever may see the line.

The line, its salt and the hashes up to the root that the report states; nothing of any other line. Whoever has it and
the report checks it (docs/merkle.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tallystick.adapters.store.reports import StoredReport
from tallystick.domain.canonical import CanonicalValue
from tallystick.domain.reserve_report.codec import read_declared
from tallystick.domain.reserve_report.declared import Declared
from tallystick.domain.reserve_report.document import read_report
from tallystick.domain.reserve_report.statement_lines import StatementLineProof, StatementLines
from tallystick.errors import InputError, LedgerError
from tallystick.services.report_closes import MonthCloses
from tallystick.services.report_inputs import ReportBooks
from tallystick.services.report_statements import month_lines


async def prove_lines(
    books: ReportBooks, report: StoredReport, isin: str, statement: str, account: str | None = None
) -> tuple[StatementLineProof, ...]:
    """The proofs of every line of a security on one statement of the report's month, in the order of the file.

    `statement` is its id, or the first digits of its hash in the report; `account` tells statements of one id apart.
    InputError when no line or lines of several statements fit; LedgerError when the books no longer give the root that
    the report states.
    """
    declared = read_declared(read_report(report.content)["declared"])
    lines = await _lines(books, report, declared)
    found = [
        place
        for place, line in enumerate(lines.lines)
        if line["isin"] == isin and _fits(declared, line, statement) and account in (None, line["account"])
    ]
    if len({_name(lines.lines[place]) for place in found}) != 1:
        raise InputError(
            f"No line of {isin} is on a statement {statement!r} of {report.name}."
            if not found
            else f"Several statements of {report.name} fit {statement!r}.",
            hint=f"Its statements: {', '.join(_names(declared)) or 'none'}."
            + (" Tell them apart with --account." if found else ""),
        )
    return tuple(lines.proof(place) for place in found)


async def _lines(books: ReportBooks, report: StoredReport, declared: Declared) -> StatementLines:
    month = MonthCloses(declared.period, declared.closes, declared.opening, declared.days_before, ())
    seed = await books.declarations.seed(report.issuer, report.period)
    lines = month_lines(await books.statements.list(), month.closes, month.begins, seed)
    if lines.tree != declared.statements:
        raise LedgerError(
            f"The statements in this store give the root {lines.tree.root.hex()}; {report.name} states"
            f" {declared.statements.root.hex()}.",
            hint="A statement came or was decided about since: build the report again, or restore the store.",
        )
    return lines


def _fits(declared: Declared, line: Mapping[str, CanonicalValue], statement: str) -> bool:
    if line["statement_id"] == statement:
        return True
    return len(statement) >= 8 and any(
        each.statement_hash.hex().startswith(statement.lower())
        and (each.custodian_lei, each.account, each.statement_id, each.as_of) == _name(line)
        for each in declared.holdings
    )


def _name(line: Mapping[str, CanonicalValue]) -> tuple[CanonicalValue, ...]:
    return tuple(line[name] for name in ("custodian", "account", "statement_id", "as_of"))


def _names(declared: Declared) -> Sequence[str]:
    return [f"{each.statement_id or '(no id)'} of {each.account}" for each in declared.statements.statements]


__all__ = ["prove_lines"]
