"""Slots, blockhashes and block times of the in-memory ledger."""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections import deque

from solders.hash import Hash

from tallystick.adapters.clock import Clock
from tallystick.errors import InputError

SLOT_MILLISECONDS = 400
SLOTS_PER_EPOCH = 432_000
MAX_BLOCKHASH_AGE = 150
"""A transaction lands while its blockhash is at most this many blocks old (Agave's MAX_PROCESSING_AGE)."""
_REMEMBERED = 513


class Timeline:
    """A cluster's time: a block every 400 ms of the Clock, one more for each transaction, and what `warp` adds.

    Every slot has a block, so the block height is the slot. Blockhashes follow from the seed and the slot alone.
    """

    def __init__(self, clock: Clock, seed: bytes) -> None:
        self._clock = clock
        self._seed = seed
        self._offset = 0
        self._slot = 1
        self._timestamp = clock.now()
        self._anchor = round(clock.monotonic() * 1000)
        self._marks: list[tuple[int, int]] = [(0, self._timestamp)]
        self._told: list[tuple[int, int]] = []
        self._recent: deque[tuple[int, Hash]] = deque(
            ((slot, self.blockhash(slot)) for slot in range(2)), maxlen=_REMEMBERED
        )
        self._slots = {value: slot for slot, value in self._recent}

    @property
    def slot(self) -> int:
        """The newest slot, which is also the block height."""
        return self._slot

    @property
    def timestamp(self) -> int:
        """Seconds since 1970 at the newest slot; never goes back."""
        return self._timestamp

    @property
    def recent(self) -> list[tuple[int, Hash]]:
        """The newest 513 slots and their blockhashes, newest first."""
        return list(reversed(self._recent))

    def catch_up(self) -> None:
        """Add the blocks that the Clock's passing made since the last call."""
        elapsed = (round(self._clock.monotonic() * 1000) - self._anchor) // SLOT_MILLISECONDS
        if elapsed > 0:
            self._anchor += elapsed * SLOT_MILLISECONDS
            self._advance(elapsed)
        self._timestamp = max(self._timestamp, self._clock.now() + self._offset)

    def next_block(self) -> int:
        """Open a new block now, and return its slot."""
        self.catch_up()
        self._advance(1)
        self._mark()
        return self._slot

    def warp(self, seconds: int) -> None:
        """Move the cluster's time `seconds` ahead, with the slots that would have passed."""
        if seconds < 1:
            raise InputError(f"expected a warp of at least 1 second, got {seconds}: time only moves ahead")
        self.catch_up()
        self._mark()
        self._offset += seconds
        self._advance(seconds * 1000 // SLOT_MILLISECONDS)
        self._timestamp = max(self._timestamp + seconds, self._clock.now() + self._offset)
        self._mark()

    def blockhash(self, slot: int) -> Hash:
        """The blockhash of `slot`."""
        return Hash(hashlib.sha256(b"block" + self._seed + slot.to_bytes(8, "little")).digest())

    def age(self, blockhash: Hash) -> int | None:
        """Blocks since `blockhash`, or None when it is unknown or forgotten."""
        slot = self._slots.get(blockhash)
        return None if slot is None else self._slot - slot

    def time_of(self, slot: int) -> int:
        """Seconds since 1970 of `slot`'s block: an estimate where it is not known; once told, it stays."""
        behind = bisect_left(self._told, (slot, 0))
        if behind < len(self._told) and self._told[behind][0] == slot:
            return self._told[behind][1]
        place = bisect_right(self._marks, (slot, 1 << 62)) - 1
        start, time = self._marks[place]
        estimate = time + (slot - start) * SLOT_MILLISECONDS // 1000
        limit = self._marks[place + 1][1] if place + 1 < len(self._marks) else self._timestamp
        # Between what was told of the slots around it.
        lowest = self._told[behind - 1][1] if behind else 0
        highest = self._told[behind][1] if behind < len(self._told) else limit
        told = max(lowest, min(estimate, limit, highest))
        self._told.insert(behind, (slot, told))
        return told

    def _advance(self, slots: int) -> None:
        first = max(self._slot + 1, self._slot + slots - _REMEMBERED + 1)
        self._slot += slots
        for slot in range(first, self._slot + 1):
            if len(self._recent) == _REMEMBERED:
                self._slots.pop(self._recent[0][1], None)
            value = self.blockhash(slot)
            self._recent.append((slot, value))
            self._slots[value] = slot

    def _mark(self) -> None:
        if self._marks[-1][0] == self._slot:
            self._marks[-1] = (self._slot, self._timestamp)
        else:
            self._marks.append((self._slot, self._timestamp))
