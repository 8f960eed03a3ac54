"""Breaks across runs, so that they age: a Protocol, and in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from tallystick.domain.break_records import BreakRecord, next_records
from tallystick.domain.breaks import Break
from tallystick.errors import StoreError


class BreakStore(Protocol):
    """The breaks of every scope (32 bytes: a security's or an issuer's address). Raises StoreError."""

    async def record(self, scope: bytes, found: Sequence[Break], at: int) -> tuple[BreakRecord, ...]:
        """What a run at `at` found in a scope, all of it. Returns the records that are open now, in the order found."""
        ...

    async def records(self, scope: bytes, *, open_only: bool = True) -> tuple[BreakRecord, ...]:
        """The breaks of a scope, oldest first."""
        ...

    async def assign(self, scope: bytes, break_id: bytes, owner: str) -> BreakRecord:
        """Name who looks after a break. StoreError when there is no such break."""
        ...


class MemoryBreakStore:
    """Breaks in memory, gone with the process."""

    def __init__(self) -> None:
        self._records: dict[bytes, dict[bytes, BreakRecord]] = {}

    async def record(self, scope: bytes, found: Sequence[Break], at: int) -> tuple[BreakRecord, ...]:
        after = next_records(self._records.get(scope, {}), found, scope, at)
        self._records[scope] = {each.id: each for each in after}
        return tuple(each for each in after if each.state.is_open)

    async def records(self, scope: bytes, *, open_only: bool = True) -> tuple[BreakRecord, ...]:
        return oldest_first(self._records.get(scope, {}).values(), open_only)

    async def assign(self, scope: bytes, break_id: bytes, owner: str) -> BreakRecord:
        records = self._records.get(scope, {})
        if break_id not in records:
            raise unknown_break(break_id)
        records[break_id] = replace(records[break_id], owner=owner)
        return records[break_id]


def oldest_first(records: Iterable[BreakRecord], open_only: bool) -> tuple[BreakRecord, ...]:
    """What BreakStore.records promises, of the records of one scope."""
    wanted = [each for each in records if each.state.is_open or not open_only]
    return tuple(sorted(wanted, key=lambda each: (each.first_seen, each.id)))


def unknown_break(break_id: bytes) -> StoreError:
    """The error for a break that is not in the store."""
    return StoreError(f"There is no break {break_id.hex()}.", hint="List the open breaks and use one of their ids.")
