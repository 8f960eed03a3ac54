"""Registers at record dates, each taken once and never changed: a Protocol, and in memory.

What is stored is the canonical header with its hash, and pages of positions that the header names by their Merkle root;
what is read is checked against both, so that a row that somebody edited is found when it is read.
"""

from __future__ import annotations

from typing import Protocol

from tallystick.domain.record_register import PackedRegister, RecordRegister, pack_register, unpack_register
from tallystick.errors import StoreConflict


class RegisterStore(Protocol):
    """Where registers are kept. Writes are durable when the call returns; all methods raise StoreError."""

    async def add(self, register: RecordRegister) -> RecordRegister:
        """Keep a register. The same again changes nothing; StoreConflict for another one of the same event."""
        ...

    async def find(self, security: bytes, event_hash: bytes) -> RecordRegister | None:
        """The register of an event, whole; LedgerError when what is stored does not have its hash any more."""
        ...

    async def hashes(self, security: bytes) -> tuple[tuple[bytes, int, bytes], ...]:
        """Event hash, slot and hash of every register of a security, by slot: what the daily close takes up."""
        ...


class MemoryRegisterStore:
    """Registers in memory, gone with the process. `rows` are public so that tests can tamper with them."""

    def __init__(self) -> None:
        self.rows: dict[tuple[bytes, bytes], PackedRegister] = {}

    async def add(self, register: RecordRegister) -> RecordRegister:
        packed = pack_register(register)
        stored = self.rows.setdefault((register.security, register.event_hash), packed)
        require_same(packed, stored.hash)
        return register

    async def find(self, security: bytes, event_hash: bytes) -> RecordRegister | None:
        packed = self.rows.get((security, event_hash))
        return unpack_register(packed) if packed else None

    async def hashes(self, security: bytes) -> tuple[tuple[bytes, int, bytes], ...]:
        rows = (row for row in self.rows.values() if row.security == security)
        return tuple(sorted(((row.event_hash, row.slot, row.hash) for row in rows), key=lambda row: (row[1], row[0])))


def require_same(packed: PackedRegister, stored: bytes) -> None:
    """StoreConflict unless the register's hash is the one stored for its event."""
    if packed.hash != stored:
        raise StoreConflict(
            f"Another register of event {packed.event_hash.hex()} is stored already.",
            hint="A register is taken once; the stored one counts.",
        )
