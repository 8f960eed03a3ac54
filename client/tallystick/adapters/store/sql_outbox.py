"""The outbox in the store: what chain/outbox.py promises, on disk before the call returns."""

from __future__ import annotations

from typing import Any

from solders.signature import Signature
from sqlalchemy import ColumnElement, Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tallystick.adapters.chain.outbox import OutboxRow, OutboxState, check_new, check_transition
from tallystick.adapters.store.engine import Database
from tallystick.adapters.store.tables import outbox
from tallystick.errors import StoreConflict, StoreError


class SqlOutbox:
    """Signed transactions in the store; see the Outbox Protocol for what each method promises and raises."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get_by_intent(self, intent: str) -> tuple[OutboxRow, ...]:
        """All attempts of the intent, oldest first."""
        async with self._database.reading() as connection:
            return await _rows(connection, outbox.c.intent == intent)

    async def put_signed(self, row: OutboxRow) -> None:
        """Store a new row. The write lock is taken before the earlier ones are read, so two processes never both do."""
        async with self._database.transaction() as connection:
            if await _rows(connection, outbox.c.signature == bytes(row.signature)):
                raise StoreConflict(f"Signature {row.signature} is already in the outbox.")
            check_new(row, await _rows(connection, outbox.c.intent == row.intent))
            await connection.execute(
                outbox.insert().values(
                    intent=row.intent,
                    attempt=row.attempt,
                    digest=row.digest,
                    signature=bytes(row.signature),
                    bytes=row.transaction,
                    last_valid_block_height=row.last_valid_block_height,
                    commitment=row.commitment,
                    created_at=row.created_at,
                    updated_at=row.updated_at,
                    state=row.state.value,
                    slot=row.slot,
                    units=row.units,
                    fee=row.fee,
                    error=row.error,
                )
            )

    async def mark_sent(self, signature: Signature, at: int) -> None:
        """A signed row becomes sent; any other keeps its state."""
        async with self._database.transaction() as connection:
            row = await _one(connection, signature)
            if row.state is OutboxState.SIGNED:
                await _set(connection, signature, state=OutboxState.SENT.value, updated_at=at)

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
        known = {"slot": slot, "units": units, "fee": fee, "error": error}
        async with self._database.transaction() as connection:
            check_transition(await _one(connection, signature), state)
            values = {name: value for name, value in known.items() if value is not None}
            await _set(connection, signature, state=state.value, updated_at=at, **values)

    async def pending(self) -> tuple[OutboxRow, ...]:
        """All rows whose fate is open, oldest first."""
        open_states = [state.value for state in (OutboxState.SIGNED, OutboxState.SENT, OutboxState.UNKNOWN)]
        async with self._database.reading() as connection:
            return await _rows(connection, outbox.c.state.in_(open_states))


async def _rows(connection: AsyncConnection, condition: ColumnElement[bool]) -> tuple[OutboxRow, ...]:
    found = await connection.execute(select(outbox).where(condition).order_by(outbox.c.id))
    return tuple(_row(each) for each in found)


async def _one(connection: AsyncConnection, signature: Signature) -> OutboxRow:
    rows = await _rows(connection, outbox.c.signature == bytes(signature))
    if not rows:
        raise StoreError(f"Signature {signature} is not in the outbox.")
    return rows[0]


async def _set(connection: AsyncConnection, signature: Signature, **values: Any) -> None:
    await connection.execute(update(outbox).where(outbox.c.signature == bytes(signature)).values(**values))


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
