"""The custodians' ids of corporate action events: the chain has their hashes alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tallystick.domain.identifiers import canonical_spelling, event_hash
from tallystick.errors import IdentifierError


@dataclass(frozen=True, slots=True)
class KnownEvent:
    """One event of a security (its address, 32 bytes) by the custodian's id of it, kept in canonical spelling.

    `recorded_at` in seconds since 1970 UTC. IdentifierError for what cannot be one.
    """

    security: bytes
    event_id: str
    recorded_at: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "event_id", canonical_spelling(self.event_id))
        if len(self.security) != 32:
            raise IdentifierError("An event's security is an address of 32 bytes.")

    @property
    def hash(self) -> bytes:
        """32 bytes: how the chain names it."""
        return event_hash(self.event_id)


class EventBook(Protocol):
    """Where event ids are kept. Every method raises StoreError when the store does not answer."""

    async def record(self, event: KnownEvent) -> KnownEvent:
        """Keep an event, and return it as it is kept; the first `recorded_at` stays."""
        ...

    async def list(self, security: bytes | None = None) -> tuple[KnownEvent, ...]:
        """All events, of one security when it is named, in the order they were recorded."""
        ...


class MemoryEventBook:
    """Event ids for the length of a process."""

    def __init__(self) -> None:
        self._kept: dict[tuple[bytes, bytes], KnownEvent] = {}

    async def record(self, event: KnownEvent) -> KnownEvent:
        return self._kept.setdefault((event.security, event.hash), event)

    async def list(self, security: bytes | None = None) -> tuple[KnownEvent, ...]:
        return tuple(each for each in self._kept.values() if security in (None, each.security))


__all__ = ["EventBook", "KnownEvent", "MemoryEventBook"]
