"""The books as files for an auditor: daily closes, statements as received, movements, orders, breaks, the audit log."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from solders.pubkey import Pubkey

from tallystick.adapters.custody.archive import StatementArchive
from tallystick.adapters.store.audit import AuditLog
from tallystick.adapters.store.breaks import BreakStore
from tallystick.adapters.store.closes import CloseStore
from tallystick.adapters.store.confirmations import ConfirmationStore, encode_confirmation
from tallystick.adapters.store.declarations import DeclarationStore
from tallystick.adapters.store.events import EventBook
from tallystick.adapters.store.journal import MovementJournal
from tallystick.adapters.store.orders import OrderBook
from tallystick.adapters.store.payouts import PayoutStore
from tallystick.adapters.store.reports import ReportStore
from tallystick.adapters.store.statement_documents import encode_statement
from tallystick.adapters.store.statements import StatementRegister, StoredStatement
from tallystick.domain.audit_tables import Row, csv_table, json_table, plain, row_of
from tallystick.domain.break_records import BreakRecord
from tallystick.domain.canonical import sha256
from tallystick.domain.closes import DailyClose
from tallystick.domain.report_anchors import day_number, days_in, first_day
from tallystick.errors import StoreError
from tallystick.services.daily_close import verify_closes

Files: TypeAlias = "AsyncIterator[tuple[str, bytes]]"
"""Names below the folder of the export, and contents."""
Missing: TypeAlias = Callable[[str, str], None]
"""Told what should be in the export and is not to be had, and why."""


@dataclass(frozen=True, slots=True)
class AuditSources:
    """The stores that an export is taken from. `securities` are ISINs by address (32 bytes)."""

    issuer: Pubkey
    securities: Mapping[bytes, str]
    closes: CloseStore
    statements: StatementRegister
    archive: StatementArchive
    journal: MovementJournal
    orders: OrderBook
    events: EventBook
    confirmations: ConfirmationStore
    breaks: BreakStore
    payouts: PayoutStore
    declarations: DeclarationStore
    audit: AuditLog
    reports: ReportStore


def table(name: str, rows: Sequence[Row], columns: Sequence[str] = ()) -> tuple[tuple[str, bytes], ...]:
    """Rows as name.json and name.csv."""
    return (f"{name}.json", json_table(rows)), (f"{name}.csv", csv_table(rows, columns))


async def books_files(sources: AuditSources, period: int | None, missing: Missing) -> Files:
    """Every file of the books; of closes and statements those that the report of a period rests on, all without one.

    LedgerError when the closes, or the audit log, are not what was written.
    """
    closes = await _closes(sources, period)
    for close in closes:
        yield f"closes/{close.day}.json", close.content
    rows = [_close_row(each) for each in closes]
    for name, data in table("closes/closes", rows, ("day", "slot", "block_time", "previous", "content_sha256", "hash")):
        yield name, data
    async for name, data in _statement_files(sources, period, closes, missing):
        yield name, data
    for name, data in await _book_tables(sources):
        yield name, data
    async for name, data in _confirmation_files(sources, missing):
        yield name, data
    for payout in await sources.payouts.list():
        yield f"dividends/{Pubkey.from_bytes(payout.address)}.json", payout.document
    entries = await sources.audit.entries()
    await sources.audit.verify()
    yield "audit-log/entries.jsonl", b"".join(entry.content + b"\n" for entry in entries)
    chain = [{"sequence": str(e.sequence), "previous": e.previous.hex(), "hash": e.hash.hex()} for e in entries]
    for name, data in table("audit-log/chain", chain, ("sequence", "previous", "hash")):
        yield name, data


async def _closes(sources: AuditSources, period: int | None) -> tuple[DailyClose, ...]:
    """A period's closes and the one before them, with which its month begins."""
    found = await verify_closes(sources.closes, sources.issuer)
    if period is None:
        return found
    first = first_day(period)
    inside = [place for place, each in enumerate(found) if first <= day_number(each.day) < first + days_in(period)]
    return found[max(0, inside[0] - 1) : inside[-1] + 1] if inside else ()


def _close_row(close: DailyClose) -> Row:
    return {
        "day": close.day,
        "slot": str(close.slot),
        "block_time": plain(close.block_time, "block_time"),
        "previous": close.previous.hex(),
        "content_sha256": sha256(close.content).hex(),
        "hash": close.hash.hex(),
        "file": f"closes/{close.day}.json",
    }


async def _statement_files(
    sources: AuditSources, period: int | None, closes: Sequence[DailyClose], missing: Missing
) -> Files:
    """Statements as they came and as they were read, the oldest first."""
    used = {
        source
        for close in closes
        for security in close.securities
        for reference in security.statements
        for source in reference.source_hashes
    }
    since, until = (closes[0].block_time, closes[-1].block_time) if closes else (0, 0)

    def is_wanted(stored: StoredStatement) -> bool:
        if period is None or used.intersection(stored.statement.source_hashes):
            return True
        return bool(closes) and since <= stored.statement.as_of <= until

    kept = [each for each in await sources.statements.list() if is_wanted(each)]
    kept.sort(key=lambda each: (each.statement.as_of, each.key))
    received = {each for stored in kept for each in stored.statement.source_hashes}
    async for name, data in _received_files(sources, "statements/received", received, missing):
        yield name, data
    rows: list[Row] = []
    for stored in kept:
        content = encode_statement(stored.statement)
        yield f"statements/read/{stored.key.hex()}.json", content
        rows.append(_statement_row(stored, content))
    for name, data in table("statements/statements", rows, ("key", "custodian", "account", "statement_id", "as_of")):
        yield name, data


def _statement_row(stored: StoredStatement, content: bytes) -> Row:
    statement = stored.statement
    return {
        "key": stored.key.hex(),
        "custodian": statement.custodian_lei,
        "account": statement.account,
        "statement_id": statement.statement_id,
        "as_of": plain(statement.as_of, "as_of"),
        "received_at": plain(statement.received_at, "received_at"),
        "status": stored.status.value,
        "reason": stored.reason,
        "account_hash": stored.account_hash.hex(),
        "received": [each.hex() for each in statement.source_hashes],
        "read_sha256": sha256(content).hex(),
        "lines": str(len(statement.lines)),
    }


async def _confirmation_files(sources: AuditSources, missing: Missing) -> Files:
    """The custodians' confirmations of cash as they came and as they were read, by event."""
    found = [
        confirmation
        for event in await sources.events.list()
        if event.security in sources.securities
        for confirmation in await sources.confirmations.list(sources.securities[event.security], event.event_id)
    ]
    found.sort(key=lambda each: (each.received_at, each.source_hash))
    received = {each.source_hash for each in found}
    async for name, data in _received_files(sources, "dividends/received", received, missing):
        yield name, data
    rows = [json.loads(encode_confirmation(each)) for each in found]
    for name, data in table("dividends/confirmations", rows, ("isin", "event_id", "function", "reference")):
        yield name, data


async def _received_files(sources: AuditSources, folder: str, received: set[bytes], missing: Missing) -> Files:
    """Files as a custodian sent them, named by their SHA-256."""
    for source in sorted(received):
        try:
            yield f"{folder}/{source.hex()}", await sources.archive.get(source)
        except StoreError as error:
            missing(f"{folder}/{source.hex()}", error.message)


async def _book_tables(sources: AuditSources) -> list[tuple[str, bytes]]:
    """Our own books: the journal of movements, the order book, and the life of every break."""
    movements = [row_of(each, reference_hash=each.hash) for each in await sources.journal.list()]
    orders = [row_of(each) for each in await sources.orders.list()]
    scopes = (bytes(sources.issuer), *sorted(sources.securities))
    breaks = [_break_row(record) for scope in scopes for record in await sources.breaks.records(scope, open_only=False)]
    return [
        *table("books/movements", movements, ("security", "custodian_lei", "account", "reference")),
        *table("books/orders", orders, ("security", "address", "kind")),
        *table("books/breaks", breaks, ("id", "kind", "instrument", "state")),
    ]


def _break_row(record: BreakRecord) -> Row:
    own = row_of(record.found)
    life = row_of(record, without=("found",))
    return {"id": record.id.hex(), **own, **life}


__all__ = ["AuditSources", "Files", "Missing", "books_files", "table"]
