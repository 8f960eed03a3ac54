"""The order book in the store."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select

from tallystick.adapters.store.engine import Database
from tallystick.adapters.store.orders import BookedOrder, require_same
from tallystick.adapters.store.tables import orders
from tallystick.domain.orders import OrderKind


class SqlOrderBook:
    """Orders in the store; see the OrderBook Protocol for what each method promises and raises."""

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


__all__ = ["SqlOrderBook"]
