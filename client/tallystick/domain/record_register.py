"""The register of one security at the record date of one event, and how each owner in it is to be paid.

It is stored as register_pages.py says. Its hash, SHA-256("tallystick:record-register" || header), is what the daily
close takes up, and what is read from a store is checked against it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Any, Final

from tallystick.domain.canonical import canonical_json, sha256
from tallystick.domain.dividends import HolderClass
from tallystick.domain.merkle import merkle_root
from tallystick.domain.register_pages import pack_rows, read_header, require_whole
from tallystick.errors import LedgerError

REGISTER_TAG: Final = b"tallystick:record-register"
REGISTER_VERSION: Final = 1
_ROW: Final = Struct("<32sQBQQH")
"""Owner, raw units, class, frozen and escrowed raw units, and which program of the header owns the owner (0: none)."""


@dataclass(frozen=True, slots=True)
class Position:
    """What one owner (32 bytes) held at the record date, in raw units.

    `raw` counts every token account of the owner and what live redemptions of the owner had in escrow; `frozen_raw`
    and `escrowed_raw` are parts of it. `program` is the program that owns the owner's account when no key can have the
    address: 32 bytes, or empty when there is no such account.
    """

    owner: bytes
    raw: int
    holder_class: HolderClass
    frozen_raw: int = 0
    escrowed_raw: int = 0
    program: bytes = b""


@dataclass(frozen=True, slots=True)
class RecordRegister:
    """Positions in the order of their owners, at `slot`, read once that slot was finalized.

    `event_hash` names the event; `record_at` is the announced record date, `block_time` the slot's (seconds since 1970
    UTC). `supply` is the mint's at the slot, in raw units, and equals all positions together. `multiplier` (18 places)
    and `multiplier_bits` (the double's) are those in force at the slot. `root` is the Merkle root of the token accounts
    merged by owner (register.py), escrow's under the owner of the escrow account. `witnesses` is how many endpoints
    gave this same register. `late_reason` is why it was taken long after the record date; empty when it was not.
    """

    security: bytes
    event_hash: bytes
    mint: bytes
    slot: int
    block_time: int
    record_at: int
    supply: int
    decimals: int
    multiplier: int
    multiplier_bits: int
    root: bytes
    witnesses: int
    positions: tuple[Position, ...]
    late_reason: str = ""

    @property
    def total(self) -> int:
        """Raw units of all positions together."""
        return sum(position.raw for position in self.positions)

    @property
    def hash(self) -> bytes:
        """32 bytes; computed on each call."""
        return pack_register(self).hash


@dataclass(frozen=True, slots=True)
class PackedRegister:
    """A register as it is stored. `hash` is the header's, and the header names the pages by their Merkle root."""

    security: bytes
    event_hash: bytes
    slot: int
    hash: bytes
    header: bytes
    pages: tuple[bytes, ...]


def pack_register(register: RecordRegister) -> PackedRegister:
    """A register as it is stored. LedgerError unless positions are in the order of owners, each once, and together the
    supply."""
    _require_whole(register)
    programs = sorted({position.program for position in register.positions} - {b""})
    if len(programs) > 0xFFFF:
        raise LedgerError(f"Owners of {len(programs):,} different programs do not fit a register.")
    pages = pack_rows(_ROW, _rows(register.positions, programs))
    header = canonical_json(
        {
            "block_time": register.block_time,
            "decimals": register.decimals,
            "event": register.event_hash.hex(),
            "late_reason": register.late_reason,
            "mint": register.mint.hex(),
            "multiplier": str(register.multiplier),
            "multiplier_bits": str(register.multiplier_bits),
            "pages_root": merkle_root(pages).hex(),
            "positions": len(register.positions),
            "programs": [program.hex() for program in programs],
            "record_at": register.record_at,
            "root": register.root.hex(),
            "security": register.security.hex(),
            "slot": register.slot,
            "supply": str(register.supply),
            "version": REGISTER_VERSION,
            "witnesses": register.witnesses,
        }
    )
    return PackedRegister(register.security, register.event_hash, register.slot, register_hash(header), header, pages)


def register_hash(header: bytes) -> bytes:
    """SHA-256("tallystick:record-register" || header)."""
    return sha256(REGISTER_TAG, header)


def unpack_register(packed: PackedRegister) -> RecordRegister:
    """The register that was stored; LedgerError when it is not the one whose hash was kept."""
    damaged = LedgerError(
        f"The stored register of event {packed.event_hash.hex()} is not the one whose hash was kept.",
        hint="Compare its hash with the daily close of its day, restore the store from a backup, and find out who.",
    )
    try:
        document = read_header(packed, REGISTER_TAG, REGISTER_VERSION)
        programs = (b"", *(bytes.fromhex(each) for each in document["programs"]))
        register = RecordRegister(
            security=bytes.fromhex(document["security"]),
            event_hash=bytes.fromhex(document["event"]),
            mint=bytes.fromhex(document["mint"]),
            slot=int(document["slot"]),
            block_time=int(document["block_time"]),
            record_at=int(document["record_at"]),
            supply=int(document["supply"]),
            decimals=int(document["decimals"]),
            multiplier=int(document["multiplier"]),
            multiplier_bits=int(document["multiplier_bits"]),
            root=bytes.fromhex(document["root"]),
            witnesses=int(document["witnesses"]),
            positions=tuple(_positions(packed.pages, programs)),
            late_reason=str(document["late_reason"]),
        )
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError, struct.error) as error:
        raise damaged from error
    named = (register.security, register.event_hash, register.slot)
    if named != (packed.security, packed.event_hash, packed.slot) or len(register.positions) != document["positions"]:
        raise damaged
    _require_whole(register)
    return register


def _rows(positions: Sequence[Position], programs: Sequence[bytes]) -> Iterator[tuple[bytes | int, ...]]:
    numbers = {program: number for number, program in enumerate((b"", *programs))}
    for each in positions:
        program = numbers[each.program]
        yield each.owner, each.raw, each.holder_class, each.frozen_raw, each.escrowed_raw, program


def _positions(pages: Iterable[bytes], programs: Sequence[bytes]) -> Iterator[Position]:
    classes: dict[Any, HolderClass] = {int(each): each for each in HolderClass}
    for page in pages:
        for owner, raw, kind, frozen, escrowed, program in _ROW.iter_unpack(page):
            yield Position(owner, raw, classes[kind], frozen, escrowed, programs[program])


def _require_whole(register: RecordRegister) -> None:
    total = require_whole(register.positions)
    if total != register.supply:
        raise LedgerError(
            f"The register's owners have {total} raw units; the supply at slot {register.slot} was {register.supply}."
        )


__all__ = [
    "PackedRegister",
    "Position",
    "RecordRegister",
    "pack_register",
    "register_hash",
    "unpack_register",
]
