"""The outbox in the store: what chain/outbox.py promises, on disk before the call returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from solders.signature import Signature
from sqlalchemy import ColumnElement, Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tallystick.adapters.chain.outbox import OutboxOutcome, OutboxRow, OutboxState, check_new, check_transition
from tallystick.adapters.store.engine import Database
from tallystick.adapters.store.tables import outbox
from tallystick.errors import StoreConflict, StoreError

_AT_ONCE: Final = 500
"""Values of one IN list; SQLite takes 32,766."""
_LAST: Final = chr(0x10FFFF)


class SqlOutbox:
    """Signed transactions in the store; see the Outbox Protocol for what each method promises and raises."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get_by_intent(self, intent: str) -> tuple[OutboxRow, ...]:
        """All attempts of the intent, oldest first."""
        async with self._database.reading() as connection:
            return await _rows(connection, outbox.c.intent == intent)

    async def find(self, prefix: str) -> tuple[OutboxRow, ...]:
        """All attempts of every intent that begins with the prefix, oldest first."""
        async with self._database.reading() as connection:
            return await _rows(connection, outbox.c.intent.between(prefix, prefix + _LAST))

    async def put_signed(self, row: OutboxRow) -> None:
        """Store a new row. The write lock is taken before the earlier ones are read, so two processes never both do."""
        await self.put_signed_all([row])

    async def put_signed_all(self, rows: Sequence[OutboxRow]) -> None:
        """Store new rows in one transaction; the write lock is taken as for one."""
        async with self._database.transaction() as connection:
            for at in range(0, len(rows), _AT_ONCE):
                await _put(connection, rows[at : at + _AT_ONCE])

    async def mark_sent(self, signature: Signature, at: int) -> None:
        """A signed row becomes sent; any other keeps its state."""
        await self.mark_sent_all([signature], at)

    async def mark_sent_all(self, signatures: Sequence[Signature], at: int) -> None:
        """Signed rows become sent; others keep their state."""
        async with self._database.transaction() as connection:
            for start in range(0, len(signatures), _AT_ONCE):
                part = signatures[start : start + _AT_ONCE]
                found = await _states(connection, part)
                signed = [bytes(each) for each in part if found[bytes(each)].state is OutboxState.SIGNED]
                await connection.execute(
                    update(outbox)
                    .where(outbox.c.signature.in_(signed))
                    .values(state=OutboxState.SENT.value, updated_at=at)
                )

    async def mark_outcome(
        self,
        signature: Signature,
        state: OutboxState,
        *,
        at: int,
        slot: int | None = None,
        units: int | None = None,
        fee: int | None = None,
        error: str | None = None,
    ) -> None:
        """Record what became of it; None keeps what is there."""
        await self.mark_outcomes([OutboxOutcome(signature, state, slot, units, fee, error)], at=at)

    async def mark_outcomes(self, outcomes: Sequence[OutboxOutcome], *, at: int) -> None:
        """Record what became of several in one transaction."""
        async with self._database.transaction() as connection:
            for start in range(0, len(outcomes), _AT_ONCE):
                part = outcomes[start : start + _AT_ONCE]
                found = await _states(connection, [each.signature for each in part])
                for each in part:
                    row = found[bytes(each.signature)]
                    check_transition(row, each.state)
                    found[bytes(each.signature)] = replace(row, state=each.state)
                    known = {"slot": each.slot, "units": each.units, "fee": each.fee, "error": each.error}
                    values = {name: value for name, value in known.items() if value is not None}
                    await _set(connection, each.signature, state=each.state.value, updated_at=at, **values)

    async def pending(self) -> tuple[OutboxRow, ...]:
        """All rows whose fate is open, oldest first."""
        open_states = [state.value for state in (OutboxState.SIGNED, OutboxState.SENT, OutboxState.UNKNOWN)]
        async with self._database.reading() as connection:
            return await _rows(connection, outbox.c.state.in_(open_states))


async def _rows(connection: AsyncConnection, condition: ColumnElement[bool]) -> tuple[OutboxRow, ...]:
    found = await connection.execute(select(outbox).where(condition).order_by(outbox.c.id))
    return tuple(_row(each) for each in found)


async def _put(connection: AsyncConnection, rows: Sequence[OutboxRow]) -> None:
    signatures = [bytes(row.signature) for row in rows]
    taken = select(outbox.c.signature).where(outbox.c.signature.in_(signatures))
    seen = set((await connection.execute(taken)).scalars())
    intents = {row.intent: () for row in rows}
    earlier: dict[str, tuple[OutboxRow, ...]] = dict(intents)
    for known in await _rows(connection, outbox.c.intent.in_(intents)):
        earlier[known.intent] += (known,)
    for row in rows:
        if bytes(row.signature) in seen:
            raise StoreConflict(f"Signature {row.signature} is already in the outbox.")
        check_new(row, earlier[row.intent])
        earlier[row.intent] += (row,)
        seen.add(bytes(row.signature))
    await connection.execute(outbox.insert(), [_values(row) for row in rows])


async def _states(connection: AsyncConnection, signatures: Sequence[Signature]) -> dict[bytes, OutboxRow]:
    """The rows of these signatures. StoreError when one is missing."""
    wanted = [bytes(each) for each in signatures]
    rows = {bytes(row.signature): row for row in await _rows(connection, outbox.c.signature.in_(wanted))}
    for signature in signatures:
        if bytes(signature) not in rows:
            raise StoreError(f"Signature {signature} is not in the outbox.")
    return rows


async def _set(connection: AsyncConnection, signature: Signature, **values: Any) -> None:
    await connection.execute(update(outbox).where(outbox.c.signature == bytes(signature)).values(**values))


def _values(row: OutboxRow) -> dict[str, object]:
    return {
        "intent": row.intent,
        "attempt": row.attempt,
        "digest": row.digest,
        "signature": bytes(row.signature),
        "bytes": row.transaction,
        "last_valid_block_height": row.last_valid_block_height,
        "commitment": row.commitment,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "state": row.state.value,
        "slot": row.slot,
        "units": row.units,
        "fee": row.fee,
        "error": row.error,
    }


def _row(row: Row[Any]) -> OutboxRow:
    return OutboxRow(
        intent=row.intent,
        attempt=row.attempt,
        digest=row.digest,
        signature=Signature.from_bytes(row.signature),
        transaction=row.bytes,
        last_valid_block_height=row.last_valid_block_height,
        commitment=row.commitment,
        created_at=row.created_at,
        updated_at=row.updated_at,
        state=OutboxState(row.state),
        slot=row.slot,
        units=row.units,
        fee=row.fee,
        error=row.error,
    )


__all__ = ["SqlOutbox"]
