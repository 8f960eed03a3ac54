"""Several files that are pages of one statement, and what all lines of a statement must have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tallystick.adapters.custody.errors import (
    DuplicateHolding,
    DuplicateStatement,
    IncompleteStatement,
    MalformedStatement,
    WrongAccount,
)
from tallystick.domain.holdings import HoldingLine, StatementOfHoldings

_COMMON = ("as_of", "statement_id", "basis", "completeness", "encumbered", "format", "frequency")


def join_pages(pages: Sequence[StatementOfHoldings]) -> StatementOfHoldings:
    """One whole statement of its pages, given in any order; a single whole statement is returned as it is.

    IncompleteStatement when a page is missing or none is marked as the last, DuplicateStatement for a page given twice
    or behind the last, WrongAccount for pages of different accounts, MalformedStatement for pages that differ in what a
    statement says once, DuplicateHolding for a balance on two pages.
    """
    if not pages:
        raise IncompleteStatement("There is no page.")
    ordered = sorted(pages, key=lambda page: page.first_page)
    first, last = ordered[0], ordered[-1]
    _check_common(ordered)
    expected = 1
    for page in ordered:
        if page.first_page < expected:
            raise DuplicateStatement(f"Page {page.first_page} of the statement was given twice.")
        if page.first_page > expected:
            raise IncompleteStatement(
                f"Page {expected} of the statement is missing.", hint="Ask the custodian for the page; nothing is lost."
            )
        expected = page.last_page + 1
    ends = [page.last_page for page in ordered if page.ends]
    if not ends:
        raise IncompleteStatement(
            f"No page is marked as the last; {last.last_page} are here.",
            hint="Wait for the rest, or ask the custodian.",
        )
    if ends != [last.last_page]:
        raise DuplicateStatement(f"Page {ends[0]} is marked as the last, and page {last.last_page} is here.")
    lines = tuple(
        replace(line, where=f"page {page.first_page}, {line.where}" if len(ordered) > 1 else line.where)
        for page in ordered
        for line in page.lines
    )
    check_unique(lines)
    return replace(
        first,
        received_at=max(page.received_at for page in ordered),
        has_activity=any(page.has_activity for page in ordered),
        lines=lines,
        source_hashes=tuple(each for page in ordered for each in page.source_hashes),
        last_page=last.last_page,
        ends=True,
    )


def check_unique(lines: Sequence[HoldingLine]) -> None:
    """DuplicateHolding when an instrument is listed twice at one place."""
    seen: dict[tuple[str, str, str], str] = {}
    for line in lines:
        key = (line.isin, "" if line.isin else line.other_id, line.place)
        if key in seen:
            raise DuplicateHolding(
                f"{line.isin or line.other_id or 'An unnamed instrument'} is listed twice, first at {seen[key]}",
                where=line.where,
                hint="Ask the custodian which of the two holds.",
            )
        seen[key] = line.where


def _check_common(pages: Sequence[StatementOfHoldings]) -> None:
    first = pages[0]
    for page in pages[1:]:
        if (page.custodian_lei, page.account) != (first.custodian_lei, first.account):
            raise WrongAccount(
                f"Page {page.first_page} is of account {page.account} at {page.custodian_lei}, "
                f"page {first.first_page} of {first.account} at {first.custodian_lei}."
            )
        for name in _COMMON:
            if getattr(page, name) != getattr(first, name):
                raise MalformedStatement(
                    f"Pages {first.first_page} and {page.first_page} differ in {name}: "
                    f"{getattr(first, name)!s} and {getattr(page, name)!s}."
                )
