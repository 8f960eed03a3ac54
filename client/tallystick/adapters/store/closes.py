"""The chain of daily closes: a Protocol, and in memory. A close is added once and never changed.

What is stored is the canonical content and its hash; what is read is checked against both, so that a row that somebody
edited is found when it is read. The registers of holders of a month's newest close are kept beside it, for the report.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from tallystick.domain.close_register import (
    CloseRegister,
    PackedCloseRegister,
    pack_close_register,
    unpack_close_register,
)
from tallystick.domain.closes import NO_PREVIOUS, DailyClose, parse_close
from tallystick.errors import LedgerError, StoreConflict


class CloseStore(Protocol):
    """The closes of every issuer (32 bytes). LedgerError when a stored close is not what it was; raises StoreError."""

    async def append(self, close: DailyClose, registers: Sequence[CloseRegister] = ()) -> DailyClose:
        """Add the next close. StoreConflict unless it names the last one stored and is of a later day and slot.

        Its registers are kept in the same step, in the place of those of earlier closes of its month. LedgerError for
        one that is not of this close. The very same close again changes nothing.
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

    async def register(self, security: bytes, day: str) -> CloseRegister | None:
        """The register of a security (32 bytes) at the close of a day. None unless it was kept, and no later close of
        the month took its place."""
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
        self.registers: dict[bytes, list[PackedCloseRegister]] = {}

    async def append(self, close: DailyClose, registers: Sequence[CloseRegister] = ()) -> DailyClose:
        rows = self.rows.setdefault(close.issuer, [])
        if not is_stored(close, rows):
            require_next(close, rows[-1].read() if rows else None)
            packed = [pack_close_register(require_of_close(each, close)) for each in registers]
            rows.append(StoredClose(close.day, close.previous, close.hash, close.content))
            kept = self.registers.setdefault(close.issuer, [])
            kept[:] = [*(each for each in kept if each.day[:7] != close.day[:7]), *packed]
        return close

    async def find(self, issuer: bytes, day: str) -> DailyClose | None:
        return next((row.read() for row in self.rows.get(issuer, []) if row.day == day), None)

    async def last(self, issuer: bytes) -> DailyClose | None:
        rows = self.rows.get(issuer, [])
        return rows[-1].read() if rows else None

    async def all(self, issuer: bytes) -> tuple[DailyClose, ...]:
        return tuple(row.read() for row in self.rows.get(issuer, []))

    async def register(self, security: bytes, day: str) -> CloseRegister | None:
        kept = (each for packed in self.registers.values() for each in packed)
        found = next((each for each in kept if (each.security, each.day) == (security, day)), None)
        return unpack_close_register(found) if found else None


def is_stored(close: DailyClose, rows: list[StoredClose]) -> bool:
    """True when the very same close is among those of its issuer."""
    return any(row.hash == close.hash and row.content == close.content for row in rows)


def require_next(close: DailyClose, last: DailyClose | None) -> None:
    """StoreConflict unless the close names the last one stored and is of a later day and slot."""
    previous = last.hash if last else NO_PREVIOUS
    is_later = last is None or (date.fromisoformat(close.day) > date.fromisoformat(last.day) and close.slot > last.slot)
    if close.previous != previous or not is_later:
        raise StoreConflict(
            f"The close of {close.day} does not follow the last one stored ({last.day if last else 'none'}).",
            hint="Another process closed meanwhile; run the command again.",
        )


def require_of_close(kept: CloseRegister, close: DailyClose) -> CloseRegister:
    """LedgerError unless a register is of this close: of its issuer, day and slot, with a root that it has."""
    if (kept.issuer, kept.day, kept.slot) != (close.issuer, close.day, close.slot) or all(
        each.register_root != kept.root for each in close.securities
    ):
        raise LedgerError(f"A register given with the close of {close.day} is not of that close.")
    return kept
