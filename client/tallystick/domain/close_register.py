"""The register of holders that belongs to a daily close, as it is kept for the month's report.

A close has only the register's root; for proofs of single holders somebody has to keep the holders. It is stored as
register_pages.py says, with the hash SHA-256("tallystick:close-register" || header).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from operator import attrgetter
from struct import Struct
from typing import Final

from tallystick.domain.canonical import canonical_json, sha256
from tallystick.domain.merkle import merkle_root
from tallystick.domain.register import Register, RegisterEntry
from tallystick.domain.register_pages import pack_rows, read_header, require_whole
from tallystick.errors import LedgerError

CLOSE_REGISTER_TAG: Final = b"tallystick:close-register"
CLOSE_REGISTER_VERSION: Final = 1
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
    require_whole(kept.register.entries)
    pages = pack_rows(_ROW, map(attrgetter("owner", "raw", "frozen_raw", "accounts"), kept.register.entries))
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
    return PackedCloseRegister(kept.security, kept.day, sha256(CLOSE_REGISTER_TAG, header), header, pages)


def unpack_close_register(packed: PackedCloseRegister) -> CloseRegister:
    """The register that was stored; LedgerError when it is not the one whose hash was kept."""
    damaged = LedgerError(
        f"The stored register of the close of {packed.day} is not the one whose hash was kept.",
        hint="Restore the store from a backup, and find out who changed it; the close has the register's root.",
    )
    try:
        header = read_header(packed, CLOSE_REGISTER_TAG, CLOSE_REGISTER_VERSION)
        register = Register(tuple(RegisterEntry(*row) for page in packed.pages for row in _ROW.iter_unpack(page)))
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
    require_whole(register.entries)
    return kept


__all__ = ["CloseRegister", "PackedCloseRegister", "pack_close_register", "unpack_close_register"]
