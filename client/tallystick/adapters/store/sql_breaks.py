"""Breaks in the store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Column, Integer, LargeBinary, RowMapping, String, Table, Text, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tallystick.adapters.store.breaks import oldest_first, unknown_break
from tallystick.adapters.store.engine import Database
from tallystick.adapters.store.tables import Amount, metadata
from tallystick.domain.break_records import BreakRecord, BreakState, next_records
from tallystick.domain.breaks import Break, BreakEffect, BreakKind
from tallystick.errors import LedgerError

breaks: Final = Table(
    "breaks",
    metadata,
    Column("scope", LargeBinary(32), primary_key=True),
    Column("id", LargeBinary(32), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("message", Text, nullable=False),
    Column("instrument", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("amount", Amount),
    Column("as_of", Integer),
    Column("effect", String(16), nullable=False),
    Column("owner", Text, nullable=False),
    Column("state", String(8), nullable=False),
    Column("first_seen", Integer, nullable=False),
    Column("last_seen", Integer, nullable=False),
    Column("changed_at", Integer, nullable=False),
)


class DatabaseBreakStore:
    """Breaks in the database; a run is recorded whole or not at all."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, scope: bytes, found: Sequence[Break], at: int) -> tuple[BreakRecord, ...]:
        async with self._database.transaction() as connection:
            known = {each.id: each for each in await _read(connection, scope)}
            after = next_records(known, found, scope, at)
            await connection.execute(delete(breaks).where(breaks.c.scope == scope))
            if after:
                await connection.execute(insert(breaks), [_row(each) for each in after])
        return tuple(each for each in after if each.state.is_open)

    async def records(self, scope: bytes, *, open_only: bool = True) -> tuple[BreakRecord, ...]:
        async with self._database.reading() as connection:
            return oldest_first(await _read(connection, scope), open_only)

    async def assign(self, scope: bytes, break_id: bytes, owner: str) -> BreakRecord:
        async with self._database.transaction() as connection:
            this = (breaks.c.scope == scope) & (breaks.c.id == break_id)
            await connection.execute(update(breaks).where(this).values(owner=owner))
            row = (await connection.execute(select(breaks).where(this))).mappings().first()
        if row is None:
            raise unknown_break(break_id)
        return _record(row)


async def _read(connection: AsyncConnection, scope: bytes) -> list[BreakRecord]:
    rows = (await connection.execute(select(breaks).where(breaks.c.scope == scope))).mappings()
    return [_record(row) for row in rows]


def _row(record: BreakRecord) -> dict[str, object]:
    found = record.found
    return {
        "scope": record.scope,
        "id": record.id,
        "kind": found.kind.value,
        "message": found.message,
        "instrument": found.instrument,
        "account": found.account,
        "reference": found.reference,
        "amount": found.amount,
        "as_of": found.as_of,
        "effect": found.effect.value if found.effect else "",
        "owner": record.owner,
        "state": record.state.value,
        "first_seen": record.first_seen,
        "last_seen": record.last_seen,
        "changed_at": record.changed_at,
    }


def _record(row: RowMapping) -> BreakRecord:
    try:
        found = Break(
            BreakKind(row["kind"]),
            row["message"],
            row["instrument"],
            row["account"],
            row["reference"],
            row["amount"],
            row["as_of"],
            BreakEffect(row["effect"]),
        )
        state = BreakState(row["state"])
    except ValueError as error:
        raise LedgerError(f"The store has a break that this version does not know: {error}.") from error
    if found.id != row["id"]:
        raise LedgerError(
            f"The break {row['id'].hex()} in the store is not what its id says.",
            hint="Somebody changed it; compare a backup.",
        )
    return BreakRecord(row["scope"], found, state, row["first_seen"], row["last_seen"], row["changed_at"], row["owner"])
