"""Whether a statement may support an attestation, as breaks; no break that stops one means yes."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tallystick.domain.breaks import Break, BreakKind
from tallystick.domain.holdings import Basis, Completeness, StatementOfHoldings
from tallystick.domain.identifiers import custody_account_hash, is_isin
from tallystick.domain.reserve import (
    DEFAULT_TREATMENTS,
    Treatment,
    encumbrance_break,
    identification_breaks,
    statement_reserve,
)

CLOCK_TOLERANCE = 300
"""Seconds by which a custodian's clock may be ahead of ours."""


def supports_attestation(
    statement: StatementOfHoldings,
    *,
    accounts: Collection[bytes],
    securities: Mapping[str, int],
    maximum_age: int,
    now: int,
    treatments: Mapping[str, Treatment] = DEFAULT_TREATMENTS,
) -> tuple[Break, ...]:
    """Everything that speaks against a statement; it may support an attestation when none has `stops_attestation`.

    `accounts` are the custody account hashes declared for the security, `securities` maps the ISINs to attest to their
    decimals, `maximum_age` and `now` are in seconds.
    """
    document = (
        *_document_breaks(statement),
        *_account_breaks(statement, accounts),
        *_age_breaks(statement, maximum_age, now),
    )
    encumbrance = encumbrance_break(statement)
    holdings = [
        item
        for isin, decimals in sorted(securities.items())
        for item in statement_reserve(statement, isin, decimals, treatments).breaks
    ]
    unknown = [
        Break(
            BreakKind.UNKNOWN_ISIN,
            f"{isin} is not a security of ours.",
            isin,
            statement.account,
            as_of=statement.as_of,
        )
        for isin in sorted({line.isin for line in statement.lines if is_isin(line.isin)} - set(securities))
    ]
    return (
        *document,
        *(() if encumbrance is None else (encumbrance,)),
        *identification_breaks(statement),
        *unknown,
        *holdings,
    )


def repetition_break(statement: StatementOfHoldings, earlier: StatementOfHoldings) -> Break | None:
    """The break when `statement` is `earlier` again: a duplicate byte for byte, or a conflict under the same name.

    Two statements have the same name when custodian and account agree and so do their ids, or, without ids, their
    as-ofs; and their pages overlap.
    """
    same_account = (statement.custodian_lei, statement.account) == (earlier.custodian_lei, earlier.account)
    same_name = statement.statement_id == earlier.statement_id and (
        bool(statement.statement_id) or statement.as_of == earlier.as_of
    )
    overlap = statement.first_page <= earlier.last_page and earlier.first_page <= statement.last_page
    if not (same_account and same_name and overlap):
        return None
    name = statement.statement_id or "(no id)"
    if statement.source_hashes == earlier.source_hashes:
        return Break(
            BreakKind.DUPLICATE_STATEMENT,
            f"Statement {name} was received before, byte for byte.",
            "",
            statement.account,
            statement.statement_id,
            None,
            statement.as_of,
        )
    return Break(
        BreakKind.CONFLICTING_STATEMENT,
        f"Statement {name} was received before with other content.",
        "",
        statement.account,
        statement.statement_id,
        None,
        statement.as_of,
    )


def _document_breaks(statement: StatementOfHoldings) -> tuple[Break, ...]:
    name = statement.statement_id or "(no id)"
    breaks: list[Break] = []

    def found(kind: BreakKind, message: str, reference: str) -> None:
        breaks.append(Break(kind, message, "", statement.account, reference, None, statement.as_of))

    if not statement.is_whole:
        here = f"{statement.first_page} to {statement.last_page}"
        found(BreakKind.MISSING_PAGE, f"Only pages {here} of statement {name} are here.", statement.statement_id)
    if statement.basis is not Basis.SETTLED:
        message = f"Statement {name} is on basis {statement.basis.value} where SETT (settled) was expected."
        found(BreakKind.BASIS_MISMATCH, message, "basis")
    if statement.completeness is not Completeness.COMPLETE:
        message = f"Statement {name} is of type {statement.completeness.value} where COMP (complete) was expected."
        found(BreakKind.BASIS_MISMATCH, message, "completeness")
    return tuple(breaks)


def _account_breaks(statement: StatementOfHoldings, accounts: Collection[bytes]) -> tuple[Break, ...]:
    if custody_account_hash(statement.custodian_lei, statement.account) in accounts:
        return ()
    return (
        Break(
            BreakKind.WRONG_ACCOUNT,
            f"Account {statement.account} at {statement.custodian_lei} is not declared for this security.",
            "",
            statement.account,
            "",
            None,
            statement.as_of,
        ),
    )


def _age_breaks(statement: StatementOfHoldings, maximum_age: int, now: int) -> tuple[Break, ...]:
    age = now - statement.as_of
    if age > maximum_age:
        message = f"The statement's as-of is {age} seconds ago; at most {maximum_age} are allowed."
    elif statement.as_of > min(now, statement.received_at) + CLOCK_TOLERANCE:
        message = "The statement's as-of is after it was received."
    else:
        return ()
    return (Break(BreakKind.STALE_STATEMENT, message, "", statement.account, "", None, statement.as_of),)
