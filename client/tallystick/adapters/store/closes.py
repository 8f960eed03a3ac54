"""The chain of daily closes: a Protocol, in memory, and in the database. A close is added once and never changed.

What is stored is the canonical content and its hash; what is read is checked against both, so that a row that somebody
edited is found when it is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Protocol

from sqlalchemy import Column, Integer, LargeBinary, RowMapping, String, Table, UniqueConstraint, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from tallystick.adapters.store.engine import Database
from tallystick.adapters.store.tables import metadata
from tallystick.domain.closes import NO_PREVIOUS, DailyClose, parse_close
from tallystick.errors import LedgerError, StoreConflict


class CloseStore(Protocol):
    """The closes of every issuer (32 bytes). LedgerError when a stored close is not what it was; raises StoreError."""

    async def append(self, close: DailyClose) -> DailyClose:
        """Add the next close. StoreConflict unless it names the last one stored and is of a later day and slot.

        The very same close again changes nothing.
        """
        ...

    async def find(self, issuer: bytes, day: str) -> DailyClose | None:
        """The close of a day (YYYY-MM-DD)."""
        ...

    async def last(self, issuer: bytes) -> DailyClose | None:
        """The newest close."""
        ...

    async def all(self, issuer: bytes) -> tuple[DailyClose, ...]:
        """Every close, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class StoredClose:
    """A close as it is kept: day, hash of the one before, its own hash, and its content."""

    day: str
    previous: bytes
    hash: bytes
    content: bytes

    def read(self) -> DailyClose:
        """The close. LedgerError when content, day and hashes do not fit together."""
        close = parse_close(self.content, self.previous)
        if close.hash != self.hash or close.day != self.day:
            raise LedgerError(
                f"The stored close of {self.day} is not the one whose hash was kept; it was changed since.",
                hint="Compare it with a published copy, restore the store from a backup, and find out who.",
            )
        return close


class MemoryCloseStore:
    """Closes in memory, gone with the process. `rows` are public so that tests can tamper with them."""

    def __init__(self) -> None:
        self.rows: dict[bytes, list[StoredClose]] = {}

    async def append(self, close: DailyClose) -> DailyClose:
        rows = self.rows.setdefault(close.issuer, [])
        if not _is_stored(close, rows):
            _require_next(close, rows[-1].read() if rows else None)
            rows.append(StoredClose(close.day, close.previous, close.hash, close.content))
        return close

    async def find(self, issuer: bytes, day: str) -> DailyClose | None:
        return next((row.read() for row in self.rows.get(issuer, []) if row.day == day), None)

    async def last(self, issuer: bytes) -> DailyClose | None:
        rows = self.rows.get(issuer, [])
        return rows[-1].read() if rows else None

    async def all(self, issuer: bytes) -> tuple[DailyClose, ...]:
        return tuple(row.read() for row in self.rows.get(issuer, []))


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
            if not _is_stored(close, rows):
                _require_next(close, rows[-1].read() if rows else None)
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


def _is_stored(close: DailyClose, rows: list[StoredClose]) -> bool:
    return any(row.hash == close.hash and row.content == close.content for row in rows)


def _require_next(close: DailyClose, last: DailyClose | None) -> None:
    previous = last.hash if last else NO_PREVIOUS
    is_later = last is None or (date.fromisoformat(close.day) > date.fromisoformat(last.day) and close.slot > last.slot)
    if close.previous != previous or not is_later:
        raise StoreConflict(
            f"The close of {close.day} does not follow the last one stored ({last.day if last else 'none'}).",
            hint="Another process closed meanwhile; run the command again.",
        )
