"""What the root of a distribution commits to: batches of up to 57 entries, as docs/merkle.md says byte by byte.

The program checks a whole batch against its flat hash, and one entry of it against the root of its entries; a batch's
leaf commits to both, so it is built here from the same entries.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from tallystick.domain.amounts import U64_MAX
from tallystick.domain.merkle import MerkleTree
from tallystick.errors import AmountError, InputError

BATCH_PREFIX: Final = b"\x02"
ENTRY_PREFIX: Final = b"\x03"
FLAT_PREFIX: Final = b"\x04"
MAX_ENTRIES: Final = 57
"""Entries of a batch: 64 accounts of a transaction less the seven that are no recipients."""
MAX_BATCHES: Final = 200_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One payment: the recipient's associated token account (32 bytes), its bump, raw units of the payment mint."""

    address: bytes
    bump: int
    amount: int

    @property
    def text(self) -> bytes:
        """Address, bump, amount as u64 little endian: 41 bytes."""
        return self.address + bytes([self.bump]) + self.amount.to_bytes(8, "little")


def flat_text(entries: Iterable[Entry]) -> bytes:
    """What the flat hash of a batch is of."""
    return FLAT_PREFIX + b"".join([entry.text for entry in entries])


def flat_hash(entries: Iterable[Entry]) -> bytes:
    """The hash over all entries of a batch at once."""
    return hashlib.sha256(flat_text(entries)).digest()


def entry_leaf(index: int, entry: Entry) -> bytes:
    """The leaf of one entry in the tree of its batch."""
    return hashlib.sha256(ENTRY_PREFIX + bytes([index]) + entry.text).digest()


def batch_leaf(distribution: bytes, batch: int, count: int, flat: bytes, entries_root: bytes) -> bytes:
    """The leaf of a batch in the tree of a distribution, whose address it names."""
    text = (BATCH_PREFIX, distribution, batch.to_bytes(4, "little"), bytes([count]), flat, entries_root)
    return hashlib.sha256(b"".join(text)).digest()


@dataclass(frozen=True)
class Batch:
    """The entries that one transaction pays, in the order of their bits."""

    index: int
    entries: tuple[Entry, ...]

    @property
    def flat_hash(self) -> bytes:
        """32 bytes."""
        return self._hashes[0]

    @property
    def tree(self) -> MerkleTree:
        """Over the entries; built on each call."""
        return MerkleTree([entry_leaf(index, entry) for index, entry in enumerate(self.entries)])

    @property
    def entries_root(self) -> bytes:
        """32 bytes."""
        return self._hashes[1]

    @cached_property
    def _hashes(self) -> tuple[bytes, bytes]:
        # Both are of the same texts, which a list of a million makes only once.
        digest, texts = hashlib.sha256, [entry.text for entry in self.entries]
        leaves = [digest(ENTRY_PREFIX + bytes([index]) + text).digest() for index, text in enumerate(texts)]
        return digest(FLAT_PREFIX + b"".join(texts)).digest(), MerkleTree(leaves).root

    def leaf(self, distribution: bytes) -> bytes:
        """The leaf of this batch."""
        return batch_leaf(distribution, self.index, len(self.entries), self.flat_hash, self.entries_root)


class DistributionTree:
    """All batches of one distribution, and the tree over them."""

    def __init__(self, distribution: bytes, entries: Sequence[Entry], *, size: int = MAX_ENTRIES) -> None:
        """`distribution` is its address, 32 bytes; entries are batched in the order given, `size` to a batch.

        InputError for no entries, too many, an address that is not 32 bytes, or one that occurs twice; AmountError for
        an amount that is not above zero or a total that does not fit u64.
        """
        if len(distribution) != 32 or any(len(entry.address) != 32 for entry in entries):
            raise InputError("Addresses of 32 bytes expected.")
        if not 1 <= size <= MAX_ENTRIES:
            raise InputError(f"A batch has 1 to {MAX_ENTRIES} entries, not {size}.")
        if not entries or len(entries) > size * MAX_BATCHES:
            raise InputError(f"A distribution has 1 to {size * MAX_BATCHES:,} entries, not {len(entries):,}.")
        if len({entry.address for entry in entries}) != len(entries):
            raise InputError("A recipient occurs twice.", hint="Add the amounts of one recipient up first.")
        if any(entry.amount <= 0 or not 0 <= entry.bump <= 255 for entry in entries):
            raise AmountError("Every entry needs an amount above zero and a bump of one byte.")
        self.distribution = distribution
        self.total = sum(entry.amount for entry in entries)
        if self.total > U64_MAX:
            raise AmountError("The amounts of a distribution do not fit 64 bits together.")
        self.entries = len(entries)
        self.batches = tuple(
            Batch(index, tuple(entries[start : start + size]))
            for index, start in enumerate(range(0, len(entries), size))
        )
        self.tree = MerkleTree([batch.leaf(distribution) for batch in self.batches])

    @property
    def root(self) -> bytes:
        """32 bytes: what the second key approves."""
        return self.tree.root

    def proof(self, batch: int) -> tuple[bytes, ...]:
        """The proof of a batch; InputError when there is none."""
        return self.tree.proof(batch)
