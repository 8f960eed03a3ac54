"""What speaks against the statements themselves: too old, incomplete, of another account, encumbered, unknown ISINs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from solders.pubkey import Pubkey

from tallystick.domain.breaks import Break, BreakKind
from tallystick.domain.evidence import repetition_break, supports_attestation
from tallystick.domain.holdings import StatementOfHoldings
from tallystick.domain.identifiers import custody_account_hash
from tallystick.domain.reserve import Treatment
from tallystick.program.text import decode_text
from tallystick.services.books import IssuerBooks, SecurityBook
from tallystick.services.reconciliation_custody import DeclaredSecurity, newest_statement
from tallystick.services.rules import policy_at


def statement_breaks(
    books: IssuerBooks,
    declared: Mapping[Pubkey, DeclaredSecurity],
    statements: Sequence[StatementOfHoldings],
    now: int,
    treatments: Mapping[str, Treatment],
    conflicting: Sequence[StatementOfHoldings] = (),
) -> tuple[Break, ...]:
    """Everything that speaks against the newest usable statement of each declared account, and any newer than it.

    A statement is for all securities that declare its account; the strictest of their ages counts. Statements of
    accounts that no security declares are breaks too, and so is each of those `conflicting` under one name.
    """
    holding: dict[bytes, list[SecurityBook]] = {}
    for book in books.securities:
        for account in declared[book.address].accounts:
            holding.setdefault(account.hash, []).append(book)
    by_account: dict[bytes, list[StatementOfHoldings]] = {}
    for statement in statements:
        key = custody_account_hash(statement.custodian_lei, statement.account)
        by_account.setdefault(key, []).append(statement)
    found: dict[bytes, Break] = {}
    for key, received in by_account.items():
        for each in _account_breaks(key, received, holding.get(key, []), now, treatments):
            found.setdefault(each.id, each)
    for each in conflict_breaks(conflicting):
        found.setdefault(each.id, each)
    return tuple(found.values())


def conflict_breaks(conflicting: Sequence[StatementOfHoldings]) -> tuple[Break, ...]:
    """One break for each name under which statements with different contents were received."""
    found = (_conflict(statement) for statement in conflicting)
    return tuple({each.id: each for each in found}.values())


def _conflict(statement: StatementOfHoldings) -> Break:
    name = statement.statement_id or "(no id)"
    return Break(
        BreakKind.CONFLICTING_STATEMENT,
        f"Statement {name} was received with different contents; none is used.",
        "",
        statement.account,
        statement.statement_id,
        None,
        statement.as_of,
    )


def _account_breaks(
    account: bytes,
    received: Sequence[StatementOfHoldings],
    securities: Sequence[SecurityBook],
    now: int,
    treatments: Mapping[str, Treatment],
) -> Iterator[Break]:
    used = newest_statement(account, received)
    current = [each for each in received if used is None or each.as_of > used.as_of or each is used]
    earlier_isins = {decode_text(book.security.previous_isin, "previous isin") for book in securities} - {""}
    for statement in current:
        for each in supports_attestation(
            statement,
            accounts=[account] if securities else [],
            securities={book.isin: book.decimals for book in securities},
            maximum_age=min((policy_at(book.security, now).max_attestation_age for book in securities), default=0),
            now=now,
            treatments=treatments,
        ):
            if each.kind is BreakKind.UNKNOWN_ISIN and each.instrument in earlier_isins:
                yield replace(each, kind=BreakKind.ISIN_CHANGED, effect=None)
            elif securities or each.kind is BreakKind.WRONG_ACCOUNT:
                yield each
    if used is not None:
        for statement in received:
            repeated = repetition_break(used, statement) if statement is not used else None
            if repeated is not None and repeated.kind is BreakKind.CONFLICTING_STATEMENT:
                yield repeated
