"""Our order book against the chain: the orders we recorded and the movements we told the program of.

A movement is known by the hash of custodian, account and reference; an order by its address. What the chain has and our
books do not is somebody else's doing; what our books have and the chain does not is still to be done.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from solders.pubkey import Pubkey

from tallystick.domain.amounts import format_base_units, format_shares
from tallystick.domain.breaks import Break, BreakKind
from tallystick.domain.identifiers import custody_account_hash, movement_hash
from tallystick.domain.orders import MovementDirection, OrderKind
from tallystick.program.generated import types
from tallystick.program.generated.accounts import Movement, Order
from tallystick.services.books import SecurityBook


@dataclass(frozen=True, slots=True)
class BookedMovement:
    """A transfer in the custodian's books that we know of, in shares (base units).

    `booked_at` is the moment from which the custodian's books contain it, seconds since 1970 UTC; None while it is only
    instructed, and then it explains nothing.
    """

    custodian_lei: str
    account: str
    reference: str
    direction: MovementDirection
    shares: int
    booked_at: int | None = None

    @property
    def hash(self) -> bytes:
        """32 bytes that the chain knows the movement by."""
        return movement_hash(self.custodian_lei, self.account, self.reference)

    @property
    def account_hash(self) -> bytes:
        """The custody account it is of."""
        return custody_account_hash(self.custodian_lei, self.account)


@dataclass(frozen=True, slots=True)
class BookedOrder:
    """An order that we recorded: shares of a subscription, raw units of a redemption (base units)."""

    address: Pubkey
    kind: OrderKind
    quantity: int


class OrderBook(Protocol):
    """What our books say of a security. Raises StoreError."""

    async def movements_of(self, security: Pubkey) -> Sequence[BookedMovement]: ...
    async def orders_of(self, security: Pubkey) -> Sequence[BookedOrder]: ...


class MemoryOrderBook:
    """An order book in memory."""

    def __init__(self) -> None:
        self._movements: dict[Pubkey, list[BookedMovement]] = {}
        self._orders: dict[Pubkey, list[BookedOrder]] = {}

    def record_movement(self, security: Pubkey, movement: BookedMovement) -> None:
        """Keep a movement."""
        self._movements.setdefault(security, []).append(movement)

    def record_order(self, security: Pubkey, order: BookedOrder) -> None:
        """Keep an order."""
        self._orders.setdefault(security, []).append(order)

    async def movements_of(self, security: Pubkey) -> Sequence[BookedMovement]:
        """In the order they were recorded."""
        return tuple(self._movements.get(security, ()))

    async def orders_of(self, security: Pubkey) -> Sequence[BookedOrder]:
        """In the order they were recorded."""
        return tuple(self._orders.get(security, ()))


@dataclass(frozen=True, slots=True)
class OpenMovement:
    """A movement of our books and how many of its shares (base units) no fill has used yet."""

    movement: BookedMovement
    unused: int

    @property
    def signed_unused(self) -> int:
        """Unused shares, below zero for a movement out of custody."""
        return signed(self.movement.direction, self.unused)


def signed(direction: MovementDirection, shares: int) -> int:
    """Shares as custody sees them: received above zero, delivered below."""
    return shares if direction is MovementDirection.RECEIVED else -shares


def open_movements(book: SecurityBook, movements: Sequence[BookedMovement]) -> tuple[OpenMovement, ...]:
    """Movements of our books with shares that no fill on chain has used. A correction gives nothing back."""
    used: dict[bytes, int] = defaultdict(int)
    for fill in book.fills.values():
        movement = book.movements.get(fill.movement)
        if movement is not None and fill.kind is not types.FillKind.CORRECTION:
            used[movement.reference_hash] += fill.shares
    found = (OpenMovement(each, each.shares - used[each.hash]) for each in movements)
    return tuple(each for each in found if each.unused > 0)


def order_book_breaks(
    book: SecurityBook, movements: Sequence[BookedMovement], orders: Sequence[BookedOrder]
) -> tuple[Break, ...]:
    """Every difference between our order book and the chain; nothing when they say the same."""
    return (*_movement_breaks(book, movements), *_open_breaks(book, movements), *_order_breaks(book, orders))


def _movement_breaks(book: SecurityBook, movements: Sequence[BookedMovement]) -> Iterator[Break]:
    ours = {movement.hash: movement for movement in movements}
    for address, theirs in book.movements.items():
        mine = ours.get(theirs.reference_hash)
        reference = theirs.reference_hash.hex()
        if mine is None:
            shares = format_base_units(theirs.allocated, book.decimals)
            message = f"{book.isin}: movement {address}, with {shares} filled, is not in our books."
            yield Break(
                BreakKind.MOVEMENT_MISMATCH, message, book.isin, "", f"{reference}/unknown", theirs.allocated, book.now
            )
        elif (mine.shares, _DIRECTIONS[mine.direction]) != (theirs.shares, theirs.direction):
            yield _differs(book, mine, theirs)


def _differs(book: SecurityBook, mine: BookedMovement, theirs: Movement) -> Break:
    ours, chain = (format_base_units(each, book.decimals) for each in (mine.shares, theirs.shares))
    message = (
        f"{book.isin}: movement {mine.reference} of account {mine.account} is {mine.direction.value} {ours} in our "
        f"books and {theirs.direction.name.lower()} {chain} on chain."
    )
    reference = f"{mine.hash.hex()}/differs"
    return Break(
        BreakKind.MOVEMENT_MISMATCH, message, book.isin, mine.account, reference, theirs.shares - mine.shares, book.now
    )


def _open_breaks(book: SecurityBook, movements: Sequence[BookedMovement]) -> Iterator[Break]:
    for each in open_movements(book, movements):
        if each.movement.booked_at is None:
            continue
        mine, unused = each.movement, format_shares(each.unused, book.decimals)
        message = (
            f"{book.isin}: {unused} of movement {mine.reference} ({mine.direction.value}, account "
            f"{mine.account}) not settled against any order."
        )
        yield Break(
            BreakKind.PENDING_SETTLEMENT, message, book.isin, mine.account, mine.hash.hex(), each.unused, book.now
        )


def _order_breaks(book: SecurityBook, orders: Sequence[BookedOrder]) -> Iterator[Break]:
    ours = {order.address: order for order in orders}
    for address, theirs in book.orders.items():
        mine = ours.get(address)
        if mine is None:
            message = f"{book.isin}: order {address} of {theirs.holder} is not in our books."
            yield _order_break(book, address, "unknown", message, theirs.quantity)
        elif (mine.quantity, _KINDS[mine.kind]) != (theirs.quantity, theirs.kind):
            message = _order_message(book, mine, theirs)
            yield _order_break(book, address, "differs", message, theirs.quantity - mine.quantity)
    for address, mine in ours.items():
        if address not in book.orders:
            message = f"{book.isin}: order {address} of our books is not on chain."
            yield _order_break(book, address, "missing", message, mine.quantity)


def _order_message(book: SecurityBook, mine: BookedOrder, theirs: Order) -> str:
    ours, chain = (format_base_units(each, book.decimals) for each in (mine.quantity, theirs.quantity))
    return (
        f"{book.isin}: order {mine.address} is a {mine.kind.value} of {ours} in our books "
        f"and a {theirs.kind.name.lower()} of {chain} on chain."
    )


def _order_break(book: SecurityBook, address: Pubkey, what: str, message: str, amount: int) -> Break:
    return Break(BreakKind.ORDER_MISMATCH, message, book.isin, "", f"{address}/{what}", amount, book.now)


_DIRECTIONS: Final = {
    MovementDirection.RECEIVED: types.Direction.IN,
    MovementDirection.DELIVERED: types.Direction.OUT,
}
_KINDS: Final = {
    OrderKind.SUBSCRIPTION: types.OrderKind.SUBSCRIPTION,
    OrderKind.REDEMPTION: types.OrderKind.REDEMPTION,
}
