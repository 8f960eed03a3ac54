"""Writes merkle.json, which the tests of the program (state/merkle.rs) and of the client read.

`uv run python tests/vectors/write_merkle.py`; a test says when the file no longer holds.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from tallystick.domain.distribution_tree import Entry, batch_leaf, entry_leaf, flat_hash, flat_text
from tallystick.domain.merkle import MerkleTree

VECTORS = Path(__file__).with_name("merkle.json")


def written() -> str:
    """The text of the file. Every value stands on a line of its own: Rust's test reads lines."""
    distribution = _digest("distribution")
    return json.dumps(
        {
            "distribution": distribution.hex(),
            "batches": [_batch(distribution, index, count) for index, count in ((0, 1), (7, 2), (17_543, 5))],
            "proofs": [_proof(count, index) for count in (1, 2, 3, 5, 6, 7, 8, 11) for index in _indices(count)]
            + [_proof(17_544, index) for index in (0, 16_384, 17_543)],
        },
        indent=1,
    ) + "\n"  # fmt: skip


def _indices(count: int) -> list[int]:
    return sorted({0, 1, count // 2, count - 1} & set(range(count)))


def _digest(name: str) -> bytes:
    return hashlib.sha256(f"tallystick vectors {name}".encode()).digest()


def _batch(distribution: bytes, index: int, count: int) -> dict[str, Any]:
    entries = [Entry(_digest(f"{index} {place}"), 255 - place, 10 ** (4 * place) + index) for place in range(count)]
    leaves = [entry_leaf(place, entry) for place, entry in enumerate(entries)]
    root = MerkleTree(leaves).root
    return {
        "batch": index,
        "count": count,
        "entries": [
            {
                "address": entry.address.hex(),
                "index": place,
                "bump": entry.bump,
                "amount": entry.amount,
                "entry_leaf": leaves[place].hex(),
            }
            for place, entry in enumerate(entries)
        ],
        "flat_text": flat_text(entries).hex(),
        "flat_hash": flat_hash(entries).hex(),
        "entries_root": root.hex(),
        "batch_leaf": batch_leaf(distribution, index, count, flat_hash(entries), root).hex(),
    }


def _proof(count: int, index: int) -> dict[str, Any]:
    leaves = [_digest(f"leaf {place} of {count}") for place in range(count)]
    tree = MerkleTree(leaves)
    return {
        "leaf": leaves[index].hex(),
        "leaf_index": index,
        "leaf_count": count,
        "proof": [node.hex() for node in tree.proof(index)],
        "root": tree.root.hex(),
    }


if __name__ == "__main__":
    VECTORS.write_text(written(), encoding="utf-8")
