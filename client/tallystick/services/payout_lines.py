"""Payments of a planned distribution as the store has them: one owner's line, the whole tree, and a line's proof."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tallystick.adapters.store.payouts import PayoutStore
from tallystick.domain.distribution_tree import DistributionTree
from tallystick.domain.dividends import PayoutBatch, PayoutLine, PayoutRecord
from tallystick.errors import LedgerError

SCHEMA: Final = "tallystick.dividend-plan/1"
"""Version of a plan's document."""


@dataclass(frozen=True, slots=True)
class PlacedLine:
    """A payment and its place: the batch, how many lines that has, and the line's index in it."""

    line: PayoutLine
    batch: int
    count: int
    index: int


@dataclass(frozen=True, slots=True)
class EntryProof:
    """What the program is shown to pay one entry: hashes of 32 bytes, the lowest first (docs/merkle.md)."""

    placed: PlacedLine
    flat_hash: bytes
    entry_proof: tuple[bytes, ...]
    batch_proof: tuple[bytes, ...]


def plan_document(record: PayoutRecord) -> Mapping[str, Any]:
    """The plan's document as plain data. LedgerError when it is none of ours."""
    try:
        found = json.loads(record.document)
    except ValueError as error:
        raise LedgerError("The plan of this distribution is damaged in the store.") from error
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        raise LedgerError(
            "The plan of this distribution was written by another version.", hint="Use the tally that planned it."
        )
    return found


async def find_line(payouts: PayoutStore, record: PayoutRecord, owner: bytes) -> PlacedLine | None:
    """An owner's payment, None when there is none. Lines that are pushed come first, each part in the owners' order."""
    pushed = plan_document(record)["counts"]["pushed"]
    for first, end in ((0, pushed), (pushed, record.entries)):
        found = await _search(payouts, record, owner, first, end)
        if found is not None:
            return found
    return None


async def _search(payouts: PayoutStore, record: PayoutRecord, owner: bytes, first: int, end: int) -> PlacedLine | None:
    """Binary search among the lines from `first` up to `end`, reading a batch for each step."""
    while first < end:
        middle = (first + end) // 2
        number = middle // record.batch_size
        [batch] = await payouts.batches(record.address, number, 1)
        begin = number * record.batch_size
        low, high = max(first - begin, 0), min(end - begin, len(batch.lines))
        at = bisect_left(batch.lines, owner, low, high, key=lambda line: line.owner)
        if at < high and batch.lines[at].owner == owner:
            return PlacedLine(batch.lines[at], number, len(batch.lines), at)
        if at == low:
            end = begin + low
        elif at == high:
            first = begin + high
        else:
            return None
    return None


async def whole_tree(payouts: PayoutStore, record: PayoutRecord) -> DistributionTree:
    """The tree of all payments, built anew. LedgerError when it is not the one that was planned."""
    return tree_of(record, await payouts.batches(record.address))


def tree_of(record: PayoutRecord, batches: tuple[PayoutBatch, ...]) -> DistributionTree:
    """The tree over batches of the store. LedgerError when it is not the one that was planned."""
    entries = [line.entry for batch in batches for line in batch.lines]
    if not entries:
        raise LedgerError("The payments of this distribution are gone from the store.", hint="Restore a backup.")
    tree = DistributionTree(record.address, entries, size=record.batch_size)
    found = (tree.root, len(tree.batches), tree.entries, tree.total)
    if found != (record.root, record.batches, record.entries, record.total):
        raise LedgerError(
            f"The payments in the store come to the root {tree.root.hex()}, the plan says {record.root.hex()}.",
            hint="Somebody changed the store; restore a backup before anything of it is signed.",
        )
    return tree


def proof_of(tree: DistributionTree, placed: PlacedLine) -> EntryProof:
    """The proof of one payment."""
    batch = tree.batches[placed.batch]
    return EntryProof(placed, batch.flat_hash, batch.tree.proof(placed.index), tree.proof(placed.batch))


__all__ = [
    "SCHEMA",
    "EntryProof",
    "PlacedLine",
    "find_line",
    "plan_document",
    "proof_of",
    "tree_of",
    "whole_tree",
]
