"""A register of holders as a store keeps it: a header in canonical JSON, and pages of rows in the order of the owners.

The header has the Merkle root over the pages, so its hash, SHA-256(tag || header), is of the whole register.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import islice
from operator import attrgetter
from struct import Struct
from typing import Any, Final, Protocol

from tallystick.domain.amounts import U64_MAX
from tallystick.domain.canonical import sha256
from tallystick.domain.merkle import merkle_root
from tallystick.errors import LedgerError

PAGE_LENGTH: Final = 1_000
"""Rows of one stored page."""


class Packed(Protocol):
    """What every kind of register has as it is stored."""

    @property
    def hash(self) -> bytes: ...
    @property
    def header(self) -> bytes: ...
    @property
    def pages(self) -> tuple[bytes, ...]: ...


def pack_rows(row: Struct, values: Iterable[tuple[Any, ...]]) -> tuple[bytes, ...]:
    """Rows as pages."""
    remaining = iter(values)
    return tuple(iter(lambda: b"".join([row.pack(*each) for each in islice(remaining, PAGE_LENGTH)]), b""))


def read_header(packed: Packed, tag: bytes, version: int) -> dict[str, Any]:
    """The fields of a header; ValueError when it is not the one whose hash was kept, of another version, or of other
    pages."""
    header: dict[str, Any] = json.loads(packed.header)
    is_kept = sha256(tag, packed.header) == packed.hash
    if not is_kept or header["version"] != version or header["pages_root"] != merkle_root(packed.pages).hex():
        raise ValueError("another register")
    return header


def require_whole(entries: Sequence[Any]) -> int:
    """The raw units of all entries together; LedgerError unless each owner is there once, in order, with a balance."""
    before, total = b"", 0
    for owner, raw in map(attrgetter("owner", "raw"), entries):
        if len(owner) != 32 or owner <= before or not 0 < raw <= U64_MAX:
            raise LedgerError("A register has each owner once, in order, with a balance.")
        before, total = owner, total + raw
    return total


__all__ = ["PAGE_LENGTH", "Packed", "pack_rows", "read_header", "require_whole"]
