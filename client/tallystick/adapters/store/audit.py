"""The audit log: who did what and when, each entry hashed together with the one before it.

An entry's hash is SHA-256("tallystick:audit" || hash of the previous entry || canonical JSON of the entry). Whoever
changes, removes or inserts an entry has to change every later hash; whoever noted the newest hash elsewhere sees it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from tallystick.domain.canonical import CanonicalValue, canonical_json, sha256
from tallystick.errors import InputError, LedgerError

AUDIT_TAG: Final = b"tallystick:audit"
NO_PREVIOUS: Final = bytes(32)
"""What the first entry names as the one before it."""
_KEYS: Final = {"sequence", "at", "actor", "action", "subject", "details"}


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One entry. `sequence` counts from 1, `at` is in seconds since 1970 UTC, `content` is what was hashed."""

    sequence: int
    previous: bytes
    hash: bytes
    content: bytes

    @property
    def document(self) -> Mapping[str, Any]:
        """sequence, at, actor, action, subject and details."""
        document: Mapping[str, Any] = json.loads(self.content)
        return document


class AuditLog(Protocol):
    """Where the entries are kept; nothing changes or removes one. Methods raise StoreError when the store does not
    answer."""

    async def append(
        self, *, at: int, actor: str, action: str, subject: str, details: Mapping[str, CanonicalValue] | None = None
    ) -> AuditEntry:
        """Add an entry: `actor` is a key or a person, `action` what was done, `subject` to what.

        InputError when one of them is empty or the details are not plain data.
        """
        ...

    async def entries(self) -> tuple[AuditEntry, ...]:
        """All entries, oldest first."""
        ...

    async def verify(self) -> bytes:
        """Check every hash and return the newest (32 zero bytes for an empty log). LedgerError at the first entry that
        is not what was written."""
        ...


def next_entry(
    last: AuditEntry | None,
    at: int,
    actor: str,
    action: str,
    subject: str,
    details: Mapping[str, CanonicalValue] | None,
) -> AuditEntry:
    """The entry that follows `last`."""
    if not (actor and action and subject):
        raise InputError("An audit entry names an actor, an action and a subject.")
    sequence, previous = (1, NO_PREVIOUS) if last is None else (last.sequence + 1, last.hash)
    content = canonical_json(
        {
            "sequence": sequence,
            "at": at,
            "actor": actor,
            "action": action,
            "subject": subject,
            "details": dict(details or {}),
        }
    )
    return AuditEntry(sequence, previous, sha256(AUDIT_TAG, previous, content), content)


def first_misfit(entries: Iterable[AuditEntry]) -> int | None:
    """The number, from 1, of the first of all entries (oldest first) that is not what was written; None when each
    follows from the one before it."""
    previous = NO_PREVIOUS
    for sequence, entry in enumerate(entries, 1):
        if not _fits(entry, sequence, previous):
            return sequence
        previous = entry.hash
    return None


def verify_entries(entries: Sequence[AuditEntry]) -> bytes:
    """What AuditLog.verify promises, of entries oldest first."""
    misfit = first_misfit(entries)
    if misfit is not None:
        raise LedgerError(
            f"The audit log was changed: entry {misfit} does not follow from the one before it.",
            hint="Keep this file as it is, restore the log from a backup, and find out who changed it.",
        )
    return entries[-1].hash if entries else NO_PREVIOUS


def _fits(entry: AuditEntry, sequence: int, previous: bytes) -> bool:
    # SQLite keeps whatever type somebody wrote into a column.
    if not isinstance(entry.content, bytes) or entry.previous != previous:
        return False
    if entry.hash != sha256(AUDIT_TAG, previous, entry.content):
        return False
    try:
        document = json.loads(entry.content)
    except ValueError:
        return False
    return set(document) == _KEYS and document["sequence"] == entry.sequence == sequence


class MemoryAuditLog:
    """An audit log for the length of a process."""

    def __init__(self) -> None:
        self._entries: list[AuditEntry] = []

    async def append(
        self, *, at: int, actor: str, action: str, subject: str, details: Mapping[str, CanonicalValue] | None = None
    ) -> AuditEntry:
        last = self._entries[-1] if self._entries else None
        self._entries.append(next_entry(last, at, actor, action, subject, details))
        return self._entries[-1]

    async def entries(self) -> tuple[AuditEntry, ...]:
        return tuple(self._entries)

    async def verify(self) -> bytes:
        return verify_entries(self._entries)


__all__ = ["AuditEntry", "AuditLog", "MemoryAuditLog", "first_misfit"]
