"""Registers at record dates, each taken once and never changed."""

from __future__ import annotations

from typing import Protocol

from tallystick.domain.record_register import RecordRegister


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
