"""The register of one security at the record date of one event, and how each owner in it is to be paid."""

from __future__ import annotations

from dataclasses import dataclass

from tallystick.domain.dividends import HolderClass


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
    gave this same register.
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

    @property
    def total(self) -> int:
        """Raw units of all positions together."""
        return sum(position.raw for position in self.positions)


__all__ = ["Position", "RecordRegister"]
