"""Daily closes in the store."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Integer, LargeBinary, RowMapping, String, Table, UniqueConstraint, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from tallystick.adapters.store.closes import StoredClose, is_stored, require_next
from tallystick.adapters.store.engine import Database
from tallystick.adapters.store.tables import metadata
from tallystick.domain.closes import DailyClose

closes: Final = Table(
    "closes",
    metadata,
    Column("issuer", LargeBinary(32), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("slot", Integer, nullable=False),
    Column("previous", LargeBinary(32), nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("content", LargeBinary, nullable=False),
    # Two closes that name the same one before would be two histories.
    UniqueConstraint("issuer", "previous"),
    UniqueConstraint("hash"),
)


class DatabaseCloseStore:
    """Closes in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, close: DailyClose) -> DailyClose:
        async with self._database.transaction() as connection:
            rows = await _rows(connection, close.issuer)
            if not is_stored(close, rows):
                require_next(close, rows[-1].read() if rows else None)
                await connection.execute(
                    insert(closes).values(
                        issuer=close.issuer,
                        day=close.day,
                        slot=close.slot,
                        previous=close.previous,
                        hash=close.hash,
                        content=close.content,
                    )
                )
        return close

    async def find(self, issuer: bytes, day: str) -> DailyClose | None:
        wanted = select(closes).where(closes.c.issuer == issuer, closes.c.day == day)
        async with self._database.reading() as connection:
            row = (await connection.execute(wanted)).mappings().first()
        return _stored(row).read() if row is not None else None

    async def last(self, issuer: bytes) -> DailyClose | None:
        wanted = select(closes).where(closes.c.issuer == issuer).order_by(closes.c.day.desc()).limit(1)
        async with self._database.reading() as connection:
            row = (await connection.execute(wanted)).mappings().first()
        return _stored(row).read() if row is not None else None

    async def all(self, issuer: bytes) -> tuple[DailyClose, ...]:
        async with self._database.reading() as connection:
            return tuple(row.read() for row in await _rows(connection, issuer))


async def _rows(connection: AsyncConnection, issuer: bytes) -> list[StoredClose]:
    wanted = select(closes).where(closes.c.issuer == issuer).order_by(closes.c.day)
    return [_stored(row) for row in (await connection.execute(wanted)).mappings()]


def _stored(row: RowMapping) -> StoredClose:
    return StoredClose(row["day"], row["previous"], row["hash"], row["content"])
