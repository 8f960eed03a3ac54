"""A Merkle tree over SHA-256 as in RFC 6962, section 2.1 (and RFC 9162): leaves and nodes have different first bytes.

leaf = SHA-256(0x00 || data), node = SHA-256(0x01 || left || right), the tree of no leaves = SHA-256(""). A tree of n
leaves splits at the largest power of two below n, so an odd last node moves up unchanged and is never doubled.
Distributions build the same tree over leaves hashed with prefixes of their own (distribution_tree.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

from tallystick.domain.canonical import sha256
from tallystick.errors import InputError

LEAF_PREFIX: Final = b"\x00"
NODE_PREFIX: Final = b"\x01"
EMPTY_ROOT: Final = sha256(b"")

_GROUP: Final = 4_096


class MerkleTree:
    """The tree over hashes of leaves, at least one. Building hashes each node once; proofs hash nothing."""

    def __init__(self, leaf_hashes: Sequence[bytes]) -> None:
        """InputError when there is no leaf."""
        if not leaf_hashes:
            raise InputError("A tree needs at least one leaf.")
        self._levels = [list(leaf_hashes)]
        while len(self._levels[-1]) > 1:
            self._levels.append(_next_level(self._levels[-1]))

    def __len__(self) -> int:
        """How many leaves."""
        return len(self._levels[0])

    @property
    def root(self) -> bytes:
        """32 bytes."""
        return self._levels[-1][0]

    def proof(self, index: int) -> tuple[bytes, ...]:
        """The inclusion proof of the leaf at `index`, lowest node first; InputError when there is no such leaf."""
        if not 0 <= index < len(self):
            raise InputError(f"There is no leaf {index} in a tree of {len(self)}.")
        path: list[bytes] = []
        for level in self._levels[:-1]:
            sibling = index ^ 1
            if sibling < len(level):
                path.append(level[sibling])
            index //= 2
        return tuple(path)


def merkle_root(leaves: Iterable[bytes]) -> bytes:
    """The root of the leaves in the order given, of which there may be a million: few of their hashes are kept at once.

    Whole groups of a power of two are whole trees within the tree, and so is what is left behind the last of them.
    """
    remaining, left, groups = iter(leaves), list[bytes](), 0  # roots of whole trees, each smaller than the one before
    while group := [hashlib.sha256(LEAF_PREFIX + leaf).digest() for leaf in islice(remaining, _GROUP)]:
        node, place = MerkleTree(group).root, groups
        while place & 1 and len(group) == _GROUP:
            node, place = sha256(NODE_PREFIX, left.pop(), node), place >> 1
        left.append(node)
        groups += 1
    if not left:
        return EMPTY_ROOT
    root = left.pop()
    while left:
        root = sha256(NODE_PREFIX, left.pop(), root)
    return root


def merkle_proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The audit path of the leaf at `index`, lowest node first; InputError when there is no such leaf."""
    if not 0 <= index < len(leaves):
        raise InputError(f"There is no leaf {index} in a tree of {len(leaves)}.")
    return MerkleTree([sha256(LEAF_PREFIX, leaf) for leaf in leaves]).proof(index)


def verify_proof(root: bytes, leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bool:
    """True when `leaf` is the one at `index` of the tree of `size` leaves with this root. Never raises."""
    return root_of_proof(sha256(LEAF_PREFIX, leaf), index, size, proof) == root


def root_of_proof(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """The root that a leaf's hash and its proof lead to; None where no tree of `size` has such a proof. Never raises.

    The program does the same (state/merkle.rs, root_of).
    """
    if not 0 <= index < size:
        return None
    node, last, used = leaf_hash, size - 1, 0
    while last > 0:
        has_sibling = index % 2 == 1 or index < last
        if has_sibling:
            if used == len(proof) or len(proof[used]) != 32:
                return None
            sibling, used = proof[used], used + 1
            node = sha256(NODE_PREFIX, sibling, node) if index % 2 else sha256(NODE_PREFIX, node, sibling)
        index, last = index // 2, last // 2
    return node if used == len(proof) else None


def _next_level(level: Sequence[bytes]) -> list[bytes]:
    digest, prefix = hashlib.sha256, NODE_PREFIX
    pairs = [digest(prefix + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)]
    return [*pairs, level[-1]] if len(level) % 2 else pairs
