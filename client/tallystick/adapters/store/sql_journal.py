"""The journal of custody movements in the store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tallystick.adapters.store.engine import Database
from tallystick.adapters.store.journal import CustodyMovement, PlannedPart, merge
from tallystick.adapters.store.tables import movement_parts, movements
from tallystick.domain.orders import MovementDirection


class SqlMovementJournal:
    """Movements in the store; see the MovementJournal Protocol for what each method promises and raises."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, movement: CustodyMovement) -> CustodyMovement:
        """Keep a movement, or add when it was booked."""
        async with self._database.transaction() as connection:
            found = await _find(connection, movement.security, movement.hash)
            if found is None:
                inserted = await connection.scalars(
                    movements.insert()
                    .returning(movements.c.id)
                    .values(
                        reference_hash=movement.hash,
                        custodian=movement.custodian_lei,
                        account=movement.account,
                        reference=movement.reference,
                        security=movement.security,
                        direction=movement.direction.value,
                        shares=movement.shares,
                        booked_at=movement.booked_at,
                        recorded_at=movement.recorded_at,
                    )
                )
                await _write_parts(connection, inserted.one(), movement.parts)
                return movement
            row, kept = found
            merged = merge(kept, movement)
            if merged != kept:
                await connection.execute(
                    update(movements).where(movements.c.id == row).values(booked_at=merged.booked_at)
                )
            return merged

    async def get(self, security: bytes, movement: bytes) -> CustodyMovement | None:
        """The movement with that hash, None when there is none."""
        async with self._database.reading() as connection:
            found = await _find(connection, security, movement)
        return None if found is None else found[1]

    async def list(self, security: bytes | None = None) -> tuple[CustodyMovement, ...]:
        """All movements, of one security when it is named, in the order they were recorded."""
        conditions = [] if security is None else [movements.c.security == security]
        async with self._database.reading() as connection:
            return tuple(movement for _, movement in await _select(connection, *conditions))


async def _find(connection: AsyncConnection, security: bytes, movement: bytes) -> tuple[int, CustodyMovement] | None:
    found = await _select(connection, movements.c.security == security, movements.c.reference_hash == movement)
    return found[0] if found else None


async def _select(connection: AsyncConnection, *conditions: ColumnElement[bool]) -> list[tuple[int, CustodyMovement]]:
    rows = (await connection.execute(select(movements).where(*conditions).order_by(movements.c.id))).all()
    wanted = select(movement_parts).join(movements).where(*conditions)
    parts: defaultdict[int, list[PlannedPart]] = defaultdict(list)
    for part in await connection.execute(wanted):
        parts[part.movement].append(PlannedPart(part.order, part.shares))
    return [(row.id, _movement(row, parts[row.id])) for row in rows]


async def _write_parts(connection: AsyncConnection, row: int, parts: Sequence[PlannedPart]) -> None:
    for part in parts:
        await connection.execute(movement_parts.insert().values(movement=row, order=part.order, shares=part.shares))


def _movement(row: Row[Any], parts: Sequence[PlannedPart]) -> CustodyMovement:
    return CustodyMovement(
        row.custodian,
        row.account,
        row.reference,
        MovementDirection(row.direction),
        row.shares,
        row.security,
        row.recorded_at,
        row.booked_at,
        tuple(parts),
    )


__all__ = ["SqlMovementJournal"]
