"""The journal of custody movements: entered by hand or read from the custodian, and which orders each is for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from tallystick.domain.amounts import U64_MAX
from tallystick.domain.identifiers import canonical_spelling, custody_account_hash, movement_hash, parse_lei
from tallystick.domain.orders import MovementDirection
from tallystick.errors import AmountError, IdentifierError, StoreConflict


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """The shares (base units) of a movement that are meant for one order (its address, 32 bytes)."""

    order: bytes
    shares: int


@dataclass(frozen=True, slots=True)
class CustodyMovement:
    """One transfer in a custodian's books. Shares in base units; times in seconds since 1970 UTC.

    `security` is its address (32 bytes). `booked_at` is the moment from which the custodian's books contain it, None
    while it is only instructed. Account and reference are kept in canonical spelling. IdentifierError or AmountError
    for what cannot be one; the parts never exceed the movement.
    """

    custodian_lei: str
    account: str
    reference: str
    direction: MovementDirection
    shares: int
    security: bytes
    recorded_at: int
    booked_at: int | None = None
    parts: tuple[PlannedPart, ...] = ()

    def __post_init__(self) -> None:
        parse_lei(self.custodian_lei)
        object.__setattr__(self, "account", canonical_spelling(self.account))
        object.__setattr__(self, "reference", canonical_spelling(self.reference))
        if len(self.security) != 32 or any(len(part.order) != 32 for part in self.parts):
            raise IdentifierError("A movement's security and orders are addresses of 32 bytes.")
        if not 0 < self.shares <= U64_MAX:
            raise AmountError(f"A movement of {self.shares} shares (base units) is none; 1 to 2^64-1 are expected.")
        if len({part.order for part in self.parts}) != len(self.parts) or any(p.shares <= 0 for p in self.parts):
            raise AmountError("Each order is planned once in a movement, with a quantity above zero.")
        planned = sum(part.shares for part in self.parts)
        if planned > self.shares:
            raise AmountError(
                f"{planned} shares (base units) are planned of a movement of {self.shares}.",
                hint="Plan at most what moved.",
            )
        object.__setattr__(self, "parts", tuple(sorted(self.parts, key=lambda part: part.order)))

    @property
    def hash(self) -> bytes:
        """32 bytes: how the chain names it."""
        return movement_hash(self.custodian_lei, self.account, self.reference)

    @property
    def account_hash(self) -> bytes:
        """32 bytes: how the chain names its account."""
        return custody_account_hash(self.custodian_lei, self.account)


class MovementJournal(Protocol):
    """Where movements are kept. Every method raises StoreError when the store does not answer."""

    async def record(self, movement: CustodyMovement) -> CustodyMovement:
        """Keep a movement, and return it as it is kept. The same again changes nothing (the first `recorded_at` and the
        parts stay); a `booked_at` where there was none is added. StoreConflict when the same reference of the security
        says other shares, another direction or another time of booking."""
        ...

    async def get(self, security: bytes, movement: bytes) -> CustodyMovement | None:
        """The movement with that hash, None when there is none."""
        ...

    async def list(self, security: bytes | None = None) -> tuple[CustodyMovement, ...]:
        """All movements, of one security when it is named, in the order they were recorded."""
        ...


def merge(kept: CustodyMovement, new: CustodyMovement) -> CustodyMovement:
    """What MovementJournal.record keeps when there is one already. StoreConflict when they disagree."""
    if (kept.direction, kept.shares) != (new.direction, new.shares):
        raise StoreConflict(
            f"Movement {kept.reference} is in the journal as {kept.shares} shares (base units) {kept.direction.value};"
            f" {new.shares} {new.direction.value} were given.",
            hint="A reference is one movement. Look it up in the custodian's books.",
        )
    if kept.booked_at is None:
        return replace(kept, booked_at=new.booked_at)
    if new.booked_at not in (None, kept.booked_at):
        raise StoreConflict(
            f"Movement {kept.reference} is in the journal as booked at {kept.booked_at}, not {new.booked_at}.",
            hint="Look it up in the custodian's books; what decides reserves is not overwritten.",
        )
    return kept


class MemoryMovementJournal:
    """A journal for the length of a process."""

    def __init__(self) -> None:
        self._kept: dict[tuple[bytes, bytes], CustodyMovement] = {}

    async def record(self, movement: CustodyMovement) -> CustodyMovement:
        key = (movement.security, movement.hash)
        kept = self._kept.get(key)
        self._kept[key] = movement if kept is None else merge(kept, movement)
        return self._kept[key]

    async def get(self, security: bytes, movement: bytes) -> CustodyMovement | None:
        return self._kept.get((security, movement))

    async def list(self, security: bytes | None = None) -> tuple[CustodyMovement, ...]:
        return tuple(each for each in self._kept.values() if security in (None, each.security))


__all__ = ["CustodyMovement", "MemoryMovementJournal", "MovementJournal", "PlannedPart"]
