"""The proofs of all holders of one security as small files, so that a holder fetches one of them and names nobody.

The register's leaves, in the order of its owners, are cut into shards of 1,024. Each is a whole subtree of the tree
(merkle.py): levels of that tree pair neighbours from the left, so node k ten levels up covers leaves 1,024 k to
1,024 (k + 1), or to the last. A shard therefore holds its leaves and the path from the root of its subtree to the
register's root. An index names the first owner of each shard; a browser finds its shard in it and asks for no address.

Who is not in the register sees it too: owners are in order, so the two neighbours of a missing one stand side by side,
in one shard or at the edge of two.

Files are canonical JSON of at most 64 KiB (LIMIT), described in docs/integrators.md. An index of more than 1,024 shards
is itself cut into pages, which is enough for 2^30 holders.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from tallystick.domain.canonical import CanonicalValue, canonical_json, sha256
from tallystick.domain.merkle import EMPTY_ROOT, LEAF_PREFIX, MerkleTree, root_of_proof
from tallystick.domain.register import ADDRESS_LENGTH, Register
from tallystick.errors import InputError, LedgerError

SHARD_LEAVES: Final = 1_024
PAGE_SHARDS: Final = 1_024
LIMIT: Final = 64 * 1024
"""Bytes of any file here."""
INDEX_NAME: Final = "index.json"
INDEX_FORMAT: Final = "tallystick holders index"
SHARD_FORMAT: Final = "tallystick holders shard"
PROOF_FORMAT: Final = "tallystick holder proof"
VERSION: Final = 1
_LEAF: Final = ADDRESS_LENGTH + 8


@dataclass(frozen=True, slots=True)
class Shard:
    """One shard as it was read: what it says of the register, its leaves (owner, raw units) and its path, lowest first.

    `start` is the place of its first leaf in the register, `size` how many holders the register has.
    """

    isin: str
    mint: str
    slot: int
    root: bytes
    size: int
    start: int
    leaves: tuple[tuple[bytes, int], ...]
    path: tuple[bytes, ...]

    def is_of(self, *, isin: str, mint: str, slot: int, root: bytes, size: int) -> bool:
        """True when it is a shard of that register and of no other, whole and in order: all hashes computed anew."""
        if (self.isin, self.mint, self.slot, self.root, self.size) != (isin, mint, slot, root, size):
            return False
        if self.start % SHARD_LEAVES or not 0 <= self.start < size:
            return False
        if len(self.leaves) != min(SHARD_LEAVES, size - self.start):
            return False
        if any(owner >= following for (owner, _), (following, _) in pairwise(self.leaves)):
            return False
        if any(raw == 0 for _, raw in self.leaves):
            return False
        subtree = _subtree_root([owner + raw.to_bytes(8, "little") for owner, raw in self.leaves])
        shards = -(-size // SHARD_LEAVES)
        return root_of_proof(subtree, self.start // SHARD_LEAVES, shards, self.path) == root


def shard_register(register: Register, *, isin: str, mint: str, slot: int) -> Iterator[tuple[str, bytes]]:
    """Names and contents of every file of one security's register at a slot: the index first, then the shards in order.

    Hashes each leaf and node once and keeps the roots of the shards alone. `mint` is its address in base 58.
    LedgerError for more than 2^30 holders.
    """
    entries = register.entries
    size, starts = len(entries), range(0, len(entries), SHARD_LEAVES)
    if len(starts) > PAGE_SHARDS**2:
        raise LedgerError(f"A register of {size} holders has more shards than an index can name.")
    tree = MerkleTree([_subtree_root(_leaves(register, start)) for start in starts]) if size else None
    root = tree.root if tree else EMPTY_ROOT
    head: dict[str, CanonicalValue] = {
        "version": VERSION,
        "isin": isin,
        "mint": mint,
        "slot": slot,
        "root": root.hex(),
        "size": size,
    }
    yield from index_files(head, [entries[start].owner for start in starts])
    for number, start in enumerate(starts):
        assert tree is not None
        document: dict[str, CanonicalValue] = {
            **head,
            "format": SHARD_FORMAT,
            "start": start,
            "leaves": _text(b"".join(_leaves(register, start))),
            "path": [each.hex() for each in tree.proof(number)],
        }
        yield shard_name(number), canonical_json(document)


def holder_proof(register: Register, owner: bytes, *, isin: str, mint: str, slot: int) -> bytes:
    """One holder's proof as a file of its own, for who has no web server: canonical JSON.

    LedgerError for somebody who is not a holder.
    """
    proof = register.proof(owner)
    return canonical_json(
        {
            "format": PROOF_FORMAT,
            "version": VERSION,
            "isin": isin,
            "mint": mint,
            "slot": slot,
            "root": register.root.hex(),
            "size": proof.size,
            "index": proof.index,
            "leaf": _text(proof.owner + proof.raw.to_bytes(8, "little")),
            "path": [each.hex() for each in proof.path],
        }
    )


def shard_name(number: int) -> str:
    """The file of a shard, counted from 0."""
    return f"{number:05d}.json"


def read_shard(content: bytes) -> Shard:
    """The shard in a file; InputError when it is none. What it says is checked by Shard.is_of alone."""
    try:
        document: dict[str, Any] = json.loads(content)
        if document["format"] != SHARD_FORMAT or document["version"] != VERSION:
            raise ValueError(f"format {document['format']!r}, version {document['version']!r}")
        packed = b64decode(document["leaves"], validate=True)
        if len(packed) % _LEAF:
            raise ValueError(f"{len(packed)} bytes are no leaves of {_LEAF}")
        parts = [packed[place : place + _LEAF] for place in range(0, len(packed), _LEAF)]
        return Shard(
            isin=str(document["isin"]),
            mint=str(document["mint"]),
            slot=int(document["slot"]),
            root=bytes.fromhex(document["root"]),
            size=int(document["size"]),
            start=int(document["start"]),
            leaves=tuple((part[:ADDRESS_LENGTH], int.from_bytes(part[ADDRESS_LENGTH:], "little")) for part in parts),
            path=tuple(bytes.fromhex(each) for each in document["path"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise InputError(f"This is not a shard of a register of holders: {error}.") from error


def find_shard(firsts: Sequence[bytes], owner: bytes) -> int:
    """Which shard an owner is in, if in any: the last whose first owner is not after it, else the first one."""
    return max(bisect_right(firsts, owner) - 1, 0)


def raw_of(owner: bytes, shards: Sequence[Shard]) -> int | None:
    """Raw units that shards of one register show for an owner: 0 when they show that it has none, None when neither.

    The shards have been checked by Shard.is_of. Absence is shown by two neighbouring leaves around the owner, or by the
    register's first or last leaf.
    """
    ordered = sorted(shards, key=lambda each: each.start)
    for shard, following in zip(ordered, [*ordered[1:], None], strict=True):
        owners = [each for each, _ in shard.leaves]
        place = bisect_left(owners, owner)
        if place < len(owners) and owners[place] == owner:
            return shard.leaves[place][1]
        end = shard.start + len(owners)
        before = place > 0 or shard.start == 0
        is_joined = following is not None and following.start == end and owner < following.leaves[0][0]
        after = place < len(owners) or end == shard.size or is_joined
        if before and after:
            return 0
    return None


def index_files(head: Mapping[str, CanonicalValue], firsts: Sequence[bytes]) -> Iterator[tuple[str, bytes]]:
    """index.json alone, or index.json that names the first owners of pages, then those; `firsts` are of the shards."""
    head = {**head, "format": INDEX_FORMAT}
    if len(firsts) <= PAGE_SHARDS:
        yield INDEX_NAME, canonical_json({**head, "firsts": _text(b"".join(firsts))})
        return
    starts = range(0, len(firsts), PAGE_SHARDS)
    yield INDEX_NAME, canonical_json({**head, "pages": _text(b"".join(firsts[start] for start in starts))})
    for number, start in enumerate(starts):
        page = b"".join(firsts[start : start + PAGE_SHARDS])
        yield f"index-{number:05d}.json", canonical_json({**head, "page": number, "firsts": _text(page)})


def _leaves(register: Register, start: int) -> list[bytes]:
    return [entry.leaf for entry in register.entries[start : start + SHARD_LEAVES]]


def _subtree_root(leaves: Sequence[bytes]) -> bytes:
    return MerkleTree([sha256(LEAF_PREFIX, leaf) for leaf in leaves]).root


def _text(data: bytes) -> str:
    return b64encode(data).decode("ascii")
