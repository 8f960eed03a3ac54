"""A Merkle tree over SHA-256 as in RFC 6962, section 2.1: leaves and nodes are hashed with different first bytes.

leaf = SHA-256(0x00 || data), node = SHA-256(0x01 || left || right), the tree of no leaves = SHA-256(""). A tree of n
leaves splits at the largest power of two below n, so an odd last node moves up unchanged and is never doubled.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tallystick.domain.canonical import sha256
from tallystick.errors import InputError

LEAF_PREFIX: Final = b"\x00"
NODE_PREFIX: Final = b"\x01"
EMPTY_ROOT: Final = sha256(b"")


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The root of the leaves in the order given."""
    level = [sha256(LEAF_PREFIX, leaf) for leaf in leaves]
    if not level:
        return EMPTY_ROOT
    while len(level) > 1:
        level = _next_level(level)
    return level[0]


def merkle_proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The audit path of the leaf at `index`, lowest node first; InputError when there is no such leaf."""
    if not 0 <= index < len(leaves):
        raise InputError(f"There is no leaf {index} in a tree of {len(leaves)}.")
    level = [sha256(LEAF_PREFIX, leaf) for leaf in leaves]
    path: list[bytes] = []
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        level = _next_level(level)
        index //= 2
    return tuple(path)


def verify_proof(root: bytes, leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bool:
    """True when `leaf` is the one at `index` of the tree of `size` leaves with this root. Never raises."""
    if not 0 <= index < size:
        return False
    node, last, used = sha256(LEAF_PREFIX, leaf), size - 1, 0
    while last > 0:
        has_sibling = index % 2 == 1 or index < last
        if has_sibling:
            if used == len(proof) or len(proof[used]) != 32:
                return False
            sibling, used = proof[used], used + 1
            node = sha256(NODE_PREFIX, sibling, node) if index % 2 else sha256(NODE_PREFIX, node, sibling)
        index, last = index // 2, last // 2
    return used == len(proof) and node == root


def _next_level(level: Sequence[bytes]) -> list[bytes]:
    pairs = [sha256(NODE_PREFIX, level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
    return [*pairs, level[-1]] if len(level) % 2 else pairs
