"""The order book: what was asked for under which of our own references, apart from what the chain says of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from tallystick.domain.orders import OrderKind
from tallystick.errors import IdentifierError, StoreConflict


@dataclass(frozen=True, slots=True)
class BookedOrder:
    """One order as our books have it.

    Addresses of 32 bytes; `quantity` in shares for a subscription, in raw units for a redemption; `reference` is the
    text its order id was hashed from; time in seconds since 1970 UTC.
    """

    address: bytes
    security: bytes
    holder: bytes
    kind: OrderKind
    quantity: int
    reference: str
    recorded_at: int

    def __post_init__(self) -> None:
        if any(len(each) != 32 for each in (self.address, self.security, self.holder)):
            raise IdentifierError("An order's address, security and holder have 32 bytes each.")


class OrderBook(Protocol):
    """Where orders are kept. Every method raises StoreError when the store does not answer."""

    async def record(self, order: BookedOrder) -> BookedOrder:
        """Keep an order, and return it as it is kept. The same again changes nothing; StoreConflict when the address
        already stands for another one."""
        ...

    async def get(self, address: bytes) -> BookedOrder | None:
        """The order at that address, None when the book has none."""
        ...

    async def list(self, security: bytes | None = None) -> tuple[BookedOrder, ...]:
        """All orders, of one security when it is named, in the order they were recorded."""
        ...


def require_same(kept: BookedOrder, new: BookedOrder) -> BookedOrder:
    """The order that is kept. StoreConflict when the new one says something else."""
    if replace(new, recorded_at=kept.recorded_at) != kept:
        raise StoreConflict(
            f"The order {kept.reference} is in the book with other terms (quantity {kept.quantity} base units).",
            hint="Choose another reference for another order.",
        )
    return kept


class MemoryOrderBook:
    """An order book for the length of a process."""

    def __init__(self) -> None:
        self._kept: dict[bytes, BookedOrder] = {}

    async def record(self, order: BookedOrder) -> BookedOrder:
        return require_same(self._kept.setdefault(order.address, order), order)

    async def get(self, address: bytes) -> BookedOrder | None:
        return self._kept.get(address)

    async def list(self, security: bytes | None = None) -> tuple[BookedOrder, ...]:
        return tuple(each for each in self._kept.values() if security in (None, each.security))


__all__ = ["BookedOrder", "MemoryOrderBook", "OrderBook"]
