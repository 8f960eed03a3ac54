"""The database under every store: one SQLite file, opened so that what was committed is on disk.

Write-ahead log, so that readers do not stop a writer; synchronous FULL, since the outbox must outlive a power cut;
foreign keys on; and every writing transaction takes the write lock at its start (BEGIN IMMEDIATE), so that what it read
cannot change before it writes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, event, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from tallystick.errors import ConfigurationError, StoreConflict, StoreError

BUSY_TIMEOUT_MILLISECONDS: Final = 15_000
_DRIVER: Final = "sqlite+aiosqlite"
_BEGIN: Final = "tally_begin"
_WRITE_AHEAD: Final = "PRAGMA journal_mode = WAL"
_TRIES: Final = 10
_PRAGMAS: Final = (
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MILLISECONDS}",
    _WRITE_AHEAD,
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
)


class Database:
    """Connections to one store. Errors of the database leave as StoreError, broken uniqueness as StoreConflict."""

    def __init__(self, engine: AsyncEngine, url: str) -> None:
        self._engine = engine
        self.url = url

    @classmethod
    def connect(cls, url: str) -> Database:
        """A database at `sqlite+aiosqlite:///<path>` (or `sqlite:///<path>`); its folder is made when it is missing.

        ConfigurationError for anything but a SQLite file, StoreError when the folder cannot be made. Nothing is opened
        before the first transaction.
        """
        try:
            parsed = make_url(url)
        except ArgumentError as error:
            raise ConfigurationError(
                f"{url!r} is not the address of a store.", hint="Write sqlite:///<path of the file>."
            ) from error
        if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
            raise ConfigurationError(
                f"A store is a SQLite file, not {parsed.render_as_string()}.",
                hint="Write sqlite:///<path of the file>; four slashes for a path from the root.",
            )
        try:
            Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"The store's folder cannot be made: {error}", hint="Check the path.") from error
        engine = create_async_engine(parsed.set(drivername=_DRIVER))
        event.listen(engine.sync_engine, "connect", _prepare)
        event.listen(engine.sync_engine, "begin", _begin)
        return cls(engine, str(parsed.set(drivername=_DRIVER)))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A writing transaction: committed when the block ends, taken back when it raises."""
        async with self._open("IMMEDIATE") as connection:
            yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A reading transaction: one consistent state, whoever writes meanwhile."""
        async with self._open("DEFERRED") as connection:
            yield connection

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    @asynccontextmanager
    async def _open(self, mode: str) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._engine.connect() as connection:
                await connection.execution_options(**{_BEGIN: mode})
                async with connection.begin():
                    yield connection
        except IntegrityError as error:
            raise StoreConflict(
                f"The store already holds something else under the same key: {error.orig}",
                hint="Another process was faster; run the command again.",
            ) from error
        except SQLAlchemyError as error:
            raise StoreError(
                f"The store {self.url} did not do what was asked: {error}",
                hint="Check that its file can be written, that the disk has room, and that no process holds it.",
            ) from error


def _prepare(connection: Any, _record: object) -> None:
    # The driver would begin transactions by itself, and never an immediate one.
    connection.isolation_level = None
    cursor = connection.cursor()
    try:
        for pragma in _PRAGMAS:
            for turn in range(_TRIES):
                try:
                    cursor.execute(pragma)
                    break
                except sqlite3.OperationalError:
                    # Of two that open a new file at once, one is told that it is locked, without waiting. This waits.
                    if pragma != _WRITE_AHEAD or turn == _TRIES - 1:
                        raise
                    cursor.execute("BEGIN IMMEDIATE")
                    cursor.execute("COMMIT")
    finally:
        cursor.close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get(_BEGIN, 'IMMEDIATE')}")


__all__ = ["Database"]
