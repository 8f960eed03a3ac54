"""Daily closes in the store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Column, Integer, LargeBinary, RowMapping, String, Table, UniqueConstraint, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from tallystick.adapters.store.closes import StoredClose, is_stored, require_next, require_of_close
from tallystick.adapters.store.engine import Database
from tallystick.adapters.store.tables import close_register_pages, close_registers, metadata
from tallystick.domain.close_register import (
    CloseRegister,
    PackedCloseRegister,
    pack_close_register,
    unpack_close_register,
)
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

    async def append(self, close: DailyClose, registers: Sequence[CloseRegister] = ()) -> DailyClose:
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
                await _keep_registers(connection, close, registers)
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

    async def register(self, security: bytes, day: str) -> CloseRegister | None:
        wanted = select(close_registers).where(close_registers.c.security == security, close_registers.c.day == day)
        async with self._database.reading() as connection:
            row = (await connection.execute(wanted)).one_or_none()
            if row is None:
                return None
            pages = (
                select(close_register_pages.c.content)
                .where(close_register_pages.c.register == row.id)
                .order_by(close_register_pages.c.number)
            )
            contents = tuple((await connection.execute(pages)).scalars())
        return unpack_close_register(PackedCloseRegister(row.security, row.day, row.hash, row.header, contents))


async def _keep_registers(connection: AsyncConnection, close: DailyClose, registers: Sequence[CloseRegister]) -> None:
    """In the place of those of the month's earlier closes: a report rests on the newest."""
    earlier = select(close_registers.c.id).where(
        close_registers.c.issuer == close.issuer, close_registers.c.day.startswith(close.day[:7])
    )
    await connection.execute(delete(close_register_pages).where(close_register_pages.c.register.in_(earlier)))
    await connection.execute(delete(close_registers).where(close_registers.c.id.in_(earlier)))
    for each in registers:
        packed = pack_close_register(require_of_close(each, close))
        added = await connection.execute(
            close_registers.insert().values(
                issuer=each.issuer, security=each.security, day=each.day, hash=packed.hash, header=packed.header
            )
        )
        (number,) = added.inserted_primary_key or (None,)
        if packed.pages:
            await connection.execute(
                close_register_pages.insert(),
                [{"register": number, "number": index, "content": page} for index, page in enumerate(packed.pages)],
            )


async def _rows(connection: AsyncConnection, issuer: bytes) -> list[StoredClose]:
    wanted = select(closes).where(closes.c.issuer == issuer).order_by(closes.c.day)
    return [_stored(row) for row in (await connection.execute(wanted)).mappings()]


def _stored(row: RowMapping) -> StoredClose:
    return StoredClose(row["day"], row["previous"], row["hash"], row["content"])
