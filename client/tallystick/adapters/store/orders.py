"""The order book: what was asked for under which of our own references, apart from what the chain says of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

from sqlalchemy import Row, select

from tallystick.adapters.store.engine import Database
from tallystick.adapters.store.tables import orders
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


class SqlOrderBook:
    """The order book in the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, order: BookedOrder) -> BookedOrder:
        """Keep an order; the same again changes nothing."""
        async with self._database.transaction() as connection:
            row = (await connection.execute(select(orders).where(orders.c.address == order.address))).one_or_none()
            if row is not None:
                return require_same(_order(row), order)
            await connection.execute(
                orders.insert().values(
                    address=order.address,
                    security=order.security,
                    holder=order.holder,
                    kind=order.kind.value,
                    quantity=order.quantity,
                    reference=order.reference,
                    recorded_at=order.recorded_at,
                )
            )
        return order

    async def get(self, address: bytes) -> BookedOrder | None:
        """The order at that address, None when the book has none."""
        async with self._database.reading() as connection:
            row = (await connection.execute(select(orders).where(orders.c.address == address))).one_or_none()
        return None if row is None else _order(row)

    async def list(self, security: bytes | None = None) -> tuple[BookedOrder, ...]:
        """All orders, of one security when it is named, in the order they were recorded."""
        query = select(orders).order_by(orders.c.id)
        if security is not None:
            query = query.where(orders.c.security == security)
        async with self._database.reading() as connection:
            return tuple(_order(row) for row in await connection.execute(query))


def _order(row: Row[Any]) -> BookedOrder:
    return BookedOrder(
        row.address, row.security, row.holder, OrderKind(row.kind), row.quantity, row.reference, row.recorded_at
    )


__all__ = ["BookedOrder", "MemoryOrderBook", "OrderBook", "SqlOrderBook"]
