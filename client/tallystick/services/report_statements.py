"""The custodians' statements behind a report: what the as-of close rests on, and the tree of the month's lines."""

from __future__ import annotations

from collections.abc import Sequence

from tallystick.adapters.store.statements import StatementStatus, StoredStatement
from tallystick.domain.amounts import Quantity, format_base_units
from tallystick.domain.closes import DailyClose, SecurityClose, StatementReference
from tallystick.domain.holdings import StatementOfHoldings, statement_hash
from tallystick.domain.reserve import statement_reserve
from tallystick.domain.reserve_report.declared import DeclaredHolding
from tallystick.domain.reserve_report.statement_lines import StatementLines, statement_lines
from tallystick.errors import LedgerError
from tallystick.services.report_declaration import Declaration, OnTheWay


def holdings_at(
    close: DailyClose, stored: Sequence[StoredStatement], declaration: Declaration
) -> tuple[DeclaredHolding, ...]:
    """What each statement that a close rests on says of each security, by ISIN, custodian and account.

    LedgerError when a statement is not in the books, or says another quantity than the close.
    """
    found = [
        _holding(part, reference, _statement_of(part, reference, stored), declaration)
        for part in close.securities
        for reference in part.statements
    ]
    return tuple(sorted(found, key=lambda each: (each.isin, each.custodian_lei, each.account)))


def month_lines(
    stored: Sequence[StoredStatement], closes: Sequence[DailyClose], begins: int, seed: bytes
) -> StatementLines:
    """The tree over the lines of a month's statements: of usable ones dated after its begin (seconds since 1970 UTC)
    and not after the as-of, and of every one that a close of it rests on, whatever was decided since."""
    until = closes[-1].block_time
    sources = {
        reference.source_hashes for close in closes for part in close.securities for reference in part.statements
    }
    found: dict[tuple[str, str, int, str], StatementOfHoldings] = {}
    # Of two under one name, the one that a close rests on.
    for each in sorted(stored, key=lambda each: (each.statement.source_hashes not in sources, each.key)):
        one = each.statement
        is_used = one.source_hashes in sources
        if is_used or (each.status is StatementStatus.USABLE and begins < one.as_of <= until):
            found.setdefault((one.custodian_lei, one.account, one.as_of, one.statement_id), one)
    return statement_lines(found.values(), seed)


def _statement_of(
    part: SecurityClose, reference: StatementReference, stored: Sequence[StoredStatement]
) -> StatementOfHoldings:
    for each in stored:
        if each.account_hash == reference.account_hash and each.statement.source_hashes == reference.source_hashes:
            if statement_hash(each.statement, part.isin) == reference.statement_hash:
                return each.statement
            break
    raise LedgerError(
        f"The close rests on a statement of {part.isin} that is not in this store: {reference.statement_hash.hex()}.",
        hint="Read the file again (tally statement add), or restore the store; the archive has every file received.",
    )


def _holding(
    part: SecurityClose, reference: StatementReference, statement: StatementOfHoldings, declaration: Declaration
) -> DeclaredHolding:
    finding = statement_reserve(statement, part.isin, part.decimals)
    if finding.quantity != reference.quantity:
        now = "nothing certain" if finding.quantity is None else format_base_units(finding.quantity, part.decimals)
        raise LedgerError(
            f"Statement {statement.statement_id or '(no id)'} of account {statement.account} says {now} of {part.isin};"
            f" the close has {format_base_units(reference.quantity, part.decimals)}.",
            hint="The rules for what counts were changed since the close; report with those that it was made with.",
        )
    way = _way(part.isin, statement, declaration)
    aggregate = sum((line.aggregate for line in statement.lines_of(part.isin)), Quantity(0))
    return DeclaredHolding(
        isin=part.isin,
        custodian_lei=statement.custodian_lei,
        account=statement.account,
        statement_hash=reference.statement_hash,
        statement_id=statement.statement_id,
        as_of=statement.as_of,
        aggregate=aggregate.to_base_units(part.decimals),
        settled=reference.quantity,
        taken_off=finding.taken_off,
        unsettled_buys=way.unsettled_buys.to_base_units(part.decimals),
        unsettled_sells=way.unsettled_sells.to_base_units(part.decimals),
        in_transit=way.in_transit.to_base_units(part.decimals),
        pending_entitlements=way.pending_entitlements.to_base_units(part.decimals),
        is_encumbered=statement.encumbered,
    )


def _way(isin: str, statement: StatementOfHoldings, declaration: Declaration) -> OnTheWay:
    name = (isin, statement.custodian_lei, statement.account)
    none = OnTheWay(*name, Quantity(0), Quantity(0), Quantity(0), Quantity(0))
    found = (each for each in declaration.on_the_way if (each.isin, each.custodian_lei, each.account) == name)
    return next(found, none)


__all__ = ["holdings_at", "month_lines"]
