"""A movement in a custodian's books as a settlement names it, and the parts of it that are orders'."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solders.pubkey import Pubkey

from tallystick.domain.amounts import U64_MAX, format_base_units, format_shares
from tallystick.domain.identifiers import movement_hash
from tallystick.errors import AmountError, InputError, Refused
from tallystick.program.addresses import movement_address
from tallystick.program.generated.accounts import Movement
from tallystick.program.generated.types import Direction, MovementParams


@dataclass(frozen=True, slots=True)
class MovementReference:
    """One transfer at a custodian: its LEI, account and reference as its books have them, and all shares (base units)
    that moved. IdentifierError or AmountError for what cannot be one."""

    custodian_lei: str
    account: str
    reference: str
    shares: int

    def __post_init__(self) -> None:
        _ = self.hash
        if not 0 < self.shares <= U64_MAX:
            raise AmountError(f"A movement of {self.shares} shares (base units) is none; 1 to 2^64-1 are expected.")

    @property
    def hash(self) -> bytes:
        """32 bytes, the same however account and reference are spelled."""
        return movement_hash(self.custodian_lei, self.account, self.reference)

    @property
    def params(self) -> MovementParams:
        """What the program is told."""
        return MovementParams(reference_hash=self.hash, shares=self.shares)

    def address(self, security: Pubkey) -> Pubkey:
        """Where the program keeps it."""
        return movement_address(security, self.hash)


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a movement that one order settles with: shares for a subscription, raw units for a redemption."""

    order: Pubkey
    quantity: int


def require_parts(parts: Sequence[Part]) -> None:
    """InputError unless there are parts, each order is there once, and each quantity is above zero."""
    if not parts:
        raise InputError("No order was named to settle.", hint="Name at least one order and its quantity.")
    if len({part.order for part in parts}) != len(parts):
        raise InputError("An order is named twice: a movement settles each order once.", hint="Add its quantities up.")
    for part in parts:
        if not 0 < part.quantity <= U64_MAX:
            raise AmountError(f"{part.quantity} is no quantity for order {part.order}; above zero is expected.")


def require_movement_room(
    movement: Movement | None, reference: MovementReference, direction: Direction, shares: int, decimals: int
) -> None:
    """Refused unless the movement, if it was used before, says the same, and `shares` of it are still unused."""
    allocated = 0
    if movement is not None:
        if movement.direction is not direction or movement.shares != reference.shares:
            way = "in" if movement.direction is Direction.IN else "out"
            raise Refused(
                f"Movement {reference.reference} is on chain as {format_shares(movement.shares, decimals)}"
                f" {way}; given: {format_shares(reference.shares, decimals)}"
                f" {'in' if direction is Direction.IN else 'out'}.",
                hint="A reference is one movement. Look it up in the custodian's books.",
            )
        allocated = movement.allocated
    left = reference.shares - allocated
    if shares > left:
        raise Refused(
            f"Movement {reference.reference} has {format_base_units(left, decimals)} of"
            f" {format_shares(reference.shares, decimals)} unused;"
            f" asked for: {format_shares(shares, decimals)}.",
            hint="A movement is never used twice. Settle less, or name the movement that brought the other shares.",
        )


__all__ = ["MovementReference", "Part", "require_movement_room", "require_parts"]
