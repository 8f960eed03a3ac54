"""The custodians' ids of corporate action events in the store."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select

from tallystick.adapters.store.engine import Database
from tallystick.adapters.store.events import KnownEvent
from tallystick.adapters.store.tables import events


class SqlEventBook:
    """Event ids in the store; see the EventBook Protocol for what each method promises and raises."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, event: KnownEvent) -> KnownEvent:
        """Keep an event; the same again changes nothing."""
        wanted = select(events).where(events.c.security == event.security, events.c.event_hash == event.hash)
        async with self._database.transaction() as connection:
            row = (await connection.execute(wanted)).one_or_none()
            if row is not None:
                return _event(row)
            await connection.execute(
                events.insert().values(
                    security=event.security,
                    event_hash=event.hash,
                    event_id=event.event_id,
                    recorded_at=event.recorded_at,
                )
            )
        return event

    async def list(self, security: bytes | None = None) -> tuple[KnownEvent, ...]:
        """All events, of one security when it is named, in the order they were recorded."""
        query = select(events).order_by(events.c.id)
        if security is not None:
            query = query.where(events.c.security == security)
        async with self._database.reading() as connection:
            return tuple(_event(row) for row in await connection.execute(query))


def _event(row: Row[Any]) -> KnownEvent:
    return KnownEvent(row.security, row.event_id, row.recorded_at)


__all__ = ["SqlEventBook"]
