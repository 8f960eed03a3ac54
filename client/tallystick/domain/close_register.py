"""The register of holders that belongs to a daily close, as it is kept for the month's report.

A close has only the register's root; for proofs of single holders somebody has to keep the holders. It is stored as a
header in canonical JSON and pages of entries. The header has the Merkle root over the pages, so its hash,
SHA-256("tallystick:close-register" || header), is of the whole.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter
from struct import Struct
from typing import Final

from tallystick.domain.amounts import U64_MAX
from tallystick.domain.canonical import canonical_json, sha256
from tallystick.domain.merkle import merkle_root
from tallystick.domain.register import Register, RegisterEntry
from tallystick.errors import LedgerError

CLOSE_REGISTER_TAG: Final = b"tallystick:close-register"
CLOSE_REGISTER_VERSION: Final = 1
PAGE_LENGTH: Final = 1_000
"""Entries of one stored page."""

_ROW: Final = Struct("<32sQQI")
"""Owner, raw units, frozen raw units, and in how many accounts."""


@dataclass(frozen=True, slots=True)
class CloseRegister:
    """The holders of one security (32 bytes) of an issuer at the slot of its close of `day` (YYYY-MM-DD).

    `root` is the register's, which the close has too (SecurityClose.register_root).
    """

    issuer: bytes
    security: bytes
    day: str
    slot: int
    root: bytes
    register: Register


@dataclass(frozen=True, slots=True)
class PackedCloseRegister:
    """A register as it is stored. `hash` is the header's, and the header names the pages by their Merkle root."""

    security: bytes
    day: str
    hash: bytes
    header: bytes
    pages: tuple[bytes, ...]


def pack_close_register(kept: CloseRegister) -> PackedCloseRegister:
    """A register as it is stored. LedgerError unless its entries are in the order of owners, each once, none empty."""
    _require_whole(kept.register)
    pages = tuple(_pages(kept.register))
    header = canonical_json(
        {
            "day": kept.day,
            "holders": len(kept.register.entries),
            "issuer": kept.issuer.hex(),
            "pages_root": merkle_root(pages).hex(),
            "root": kept.root.hex(),
            "security": kept.security.hex(),
            "slot": kept.slot,
            "version": CLOSE_REGISTER_VERSION,
        }
    )
    return PackedCloseRegister(kept.security, kept.day, _hash(header), header, pages)


def unpack_close_register(packed: PackedCloseRegister) -> CloseRegister:
    """The register that was stored; LedgerError when it is not the one whose hash was kept."""
    damaged = LedgerError(
        f"The stored register of the close of {packed.day} is not the one whose hash was kept.",
        hint="Restore the store from a backup, and find out who changed it; the close has the register's root.",
    )
    if packed.hash != _hash(packed.header):
        raise damaged
    try:
        header = json.loads(packed.header)
        if header["pages_root"] != merkle_root(packed.pages).hex():
            raise damaged
        register = Register(
            tuple(RegisterEntry(*row) for page in packed.pages for row in _ROW.iter_unpack(page)),
        )
        kept = CloseRegister(
            issuer=bytes.fromhex(header["issuer"]),
            security=bytes.fromhex(header["security"]),
            day=header["day"],
            slot=int(header["slot"]),
            root=bytes.fromhex(header["root"]),
            register=register,
        )
    except (KeyError, TypeError, ValueError, RecursionError, struct.error) as error:
        raise damaged from error
    if (kept.security, kept.day) != (packed.security, packed.day) or len(register.entries) != header["holders"]:
        raise damaged
    _require_whole(register)
    return kept


def _hash(header: bytes) -> bytes:
    return sha256(CLOSE_REGISTER_TAG, header)


def _pages(register: Register) -> Iterator[bytes]:
    entries = register.entries
    for start in range(0, len(entries), PAGE_LENGTH):
        yield b"".join(
            [
                _ROW.pack(each.owner, each.raw, each.frozen_raw, each.accounts)
                for each in entries[start : start + PAGE_LENGTH]
            ]
        )


def _require_whole(register: Register) -> None:
    before = b""
    for owner, raw in map(attrgetter("owner", "raw"), register.entries):
        if len(owner) != 32 or owner <= before or not 0 < raw <= U64_MAX:
            raise LedgerError("A register has each owner once, in order, with a balance.")
        before = owner


__all__ = ["CloseRegister", "PackedCloseRegister", "pack_close_register", "unpack_close_register"]
