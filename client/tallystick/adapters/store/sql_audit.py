"""The audit log in the store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, select

from tallystick.adapters.store.audit import AuditEntry, next_entry, verify_entries
from tallystick.adapters.store.engine import Database
from tallystick.adapters.store.tables import audit
from tallystick.domain.canonical import CanonicalValue


class SqlAuditLog:
    """Entries in the store; see the AuditLog Protocol for what each method promises and raises."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(
        self, *, at: int, actor: str, action: str, subject: str, details: Mapping[str, CanonicalValue] | None = None
    ) -> AuditEntry:
        """Add an entry behind the newest one, under the write lock."""
        async with self._database.transaction() as connection:
            newest = select(audit).order_by(audit.c.sequence.desc()).limit(1)
            row = (await connection.execute(newest)).one_or_none()
            entry = next_entry(None if row is None else _entry(row), at, actor, action, subject, details)
            await connection.execute(
                audit.insert().values(
                    sequence=entry.sequence, previous=entry.previous, hash=entry.hash, content=entry.content
                )
            )
        return entry

    async def entries(self) -> tuple[AuditEntry, ...]:
        """All entries, oldest first."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(audit).order_by(audit.c.sequence))
            return tuple(_entry(row) for row in rows)

    async def verify(self) -> bytes:
        """Check every hash and return the newest."""
        return verify_entries(await self.entries())


def _entry(row: Row[Any]) -> AuditEntry:
    return AuditEntry(row.sequence, row.previous, row.hash, row.content)


__all__ = ["SqlAuditLog"]
