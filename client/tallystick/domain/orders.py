"""Orders, movements and fills: what a holder asked for, what the custodian booked, and which part settles which.

Subscription: shares come in, tokens are minted. Redemption: tokens are escrowed, burnt on settlement or returned.
Addresses are 32 bytes; times are seconds since 1970 UTC; shares and raw units are base units (see amounts.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from tallystick.domain.breaks import Break, BreakKind
from tallystick.errors import LedgerError


class OrderKind(Enum):
    """Which way an order goes."""

    SUBSCRIPTION = "subscription"
    REDEMPTION = "redemption"


class OrderStatus(Enum):
    """Where an order is. OPEN is a subscription's first status, REQUESTED a redemption's."""

    OPEN = "open"
    REQUESTED = "requested"
    ACCEPTED = "accepted"
    SETTLED = "settled"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"

    @property
    def is_final(self) -> bool:
        """True when nothing can happen to the order any more."""
        return self in _FINAL


_FINAL: Final = frozenset({OrderStatus.SETTLED, OrderStatus.CANCELLED, OrderStatus.WITHDRAWN})

_TRANSITIONS: Final[dict[OrderKind, dict[OrderStatus, frozenset[OrderStatus]]]] = {
    OrderKind.SUBSCRIPTION: {
        OrderStatus.OPEN: frozenset({OrderStatus.SETTLED, OrderStatus.CANCELLED}),
    },
    OrderKind.REDEMPTION: {
        OrderStatus.REQUESTED: frozenset({OrderStatus.ACCEPTED, OrderStatus.CANCELLED, OrderStatus.WITHDRAWN}),
        OrderStatus.ACCEPTED: frozenset({OrderStatus.SETTLED, OrderStatus.CANCELLED, OrderStatus.WITHDRAWN}),
    },
}


def first_status(kind: OrderKind) -> OrderStatus:
    """The status a new order has."""
    return OrderStatus.OPEN if kind is OrderKind.SUBSCRIPTION else OrderStatus.REQUESTED


def next_statuses(kind: OrderKind, status: OrderStatus) -> frozenset[OrderStatus]:
    """The statuses that may follow; a partial settlement changes none. Empty for a final status."""
    return _TRANSITIONS[kind].get(status, frozenset())


class MovementDirection(Enum):
    """Which way shares moved in the custodian's books, seen from the issuer's account."""

    RECEIVED = "received"
    DELIVERED = "delivered"


@dataclass(frozen=True, slots=True)
class Order:
    """One subscription or redemption.

    `quantity` and `filled` are shares for a subscription and raw units for a redemption. `accept_by` and `settle_by`
    are a redemption's two deadlines (0 for a subscription). LedgerError when a field cannot be.
    """

    id: bytes
    security: bytes
    holder: bytes
    kind: OrderKind
    quantity: int
    filled: int
    status: OrderStatus
    status_at: int
    accept_by: int = 0
    settle_by: int = 0

    def __post_init__(self) -> None:
        if any(len(each) != 32 for each in (self.id, self.security, self.holder)):
            raise LedgerError("An order's id, security and holder have 32 bytes each.")
        if self.quantity <= 0 or not 0 <= self.filled <= self.quantity:
            raise LedgerError(f"An order of {self.quantity} cannot have {self.filled} filled.")
        if self.status not in {first_status(self.kind), *_REACHABLE[self.kind]}:
            raise LedgerError(f"A {self.kind.value} is never {self.status.value}.")

    @property
    def remaining(self) -> int:
        """What is still to be filled, in the unit of `quantity`; 0 once the status is final."""
        return 0 if self.status.is_final else self.quantity - self.filled

    @property
    def escrowed(self) -> int:
        """Raw units of a redemption that are in escrow now; 0 for a subscription."""
        return self.remaining if self.kind is OrderKind.REDEMPTION else 0

    def is_withdrawable(self, now: int) -> bool:
        """True when the holder of a redemption may take the rest back without asking anyone."""
        if self.status is OrderStatus.REQUESTED:
            return now > self.accept_by
        return self.status is OrderStatus.ACCEPTED and now > self.settle_by


_REACHABLE: Final = {
    kind: frozenset(status for targets in table.values() for status in targets) | frozenset(table)
    for kind, table in _TRANSITIONS.items()
}


@dataclass(frozen=True, slots=True)
class Movement:
    """One transfer in the custodian's books; `reference` is the movement hash of identifiers.py. Amounts in shares."""

    reference: bytes
    security: bytes
    direction: MovementDirection
    shares: int
    allocated: int

    @property
    def unallocated(self) -> int:
        """Shares that no fill has used; negative when fills exceed the movement, which the program forbids."""
        return self.shares - self.allocated


@dataclass(frozen=True, slots=True)
class Fill:
    """The part of a movement that one order settled against: shares, raw units and the multiplier used (18 places).

    `corrects` names the fill that this one undoes, None for an ordinary one.
    """

    movement: bytes
    order: bytes
    shares: int
    raw: int
    multiplier: int
    settled_at: int
    corrects: bytes | None = None


def movement_breaks(movement: Movement, fills: Sequence[Fill], instrument: str) -> tuple[Break, ...]:
    """Breaks when a movement's fills are not what it says is allocated, or are more than it moved."""
    filled = sum(fill.shares if fill.corrects is None else -fill.shares for fill in fills)
    reference = movement.reference.hex()
    breaks: list[Break] = []
    if filled != movement.allocated:
        breaks.append(Break(
            BreakKind.MOVEMENT_MISMATCH,
            f"Movement {reference}: {movement.allocated} shares (base units) are allocated, its fills have {filled}.",
            instrument, "", reference, filled - movement.allocated,
        ))
    if filled > movement.shares:
        breaks.append(Break(
            BreakKind.MOVEMENT_MISMATCH,
            f"Movement {reference}: {movement.shares} shares (base units) were moved, its fills have {filled}.",
            instrument, "", reference + "/exceeded", filled - movement.shares,
        ))
    return tuple(breaks)
