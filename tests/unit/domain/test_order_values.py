"""Orders move only forward; fills never exceed their movement unseen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tallystick.domain.breaks import BreakKind
from tallystick.domain.orders import (
    Fill,
    Movement,
    MovementDirection,
    Order,
    OrderKind,
    OrderStatus,
    first_status,
    movement_breaks,
    next_statuses,
)
from tallystick.errors import LedgerError

REDEMPTION = Order(
    b"\1" * 32, b"\2" * 32, b"\3" * 32, OrderKind.REDEMPTION, 100, 40, OrderStatus.ACCEPTED, 1_000, 1_500, 2_000
)
SUBSCRIPTION = Order(b"\1" * 32, b"\2" * 32, b"\3" * 32, OrderKind.SUBSCRIPTION, 100, 0, OrderStatus.OPEN, 1_000)
MOVEMENT = Movement(b"\4" * 32, b"\2" * 32, MovementDirection.RECEIVED, 100, 70)
FILLS = [Fill(MOVEMENT.reference, b"\1" * 32, 70, 70, 10**18, 1_000)]


def test_an_order_starts_in_the_first_status_of_its_kind() -> None:
    assert first_status(OrderKind.SUBSCRIPTION) is OrderStatus.OPEN
    assert first_status(OrderKind.REDEMPTION) is OrderStatus.REQUESTED


@pytest.mark.parametrize("kind", OrderKind)
@pytest.mark.parametrize("status", [OrderStatus.SETTLED, OrderStatus.CANCELLED, OrderStatus.WITHDRAWN])
def test_nothing_follows_a_final_status(kind: OrderKind, status: OrderStatus) -> None:
    assert status.is_final
    assert next_statuses(kind, status) == frozenset()


def test_a_redemption_is_accepted_before_it_settles() -> None:
    assert OrderStatus.SETTLED not in next_statuses(OrderKind.REDEMPTION, OrderStatus.REQUESTED)
    assert OrderStatus.SETTLED in next_statuses(OrderKind.REDEMPTION, OrderStatus.ACCEPTED)


def test_a_subscription_is_never_withdrawn_or_accepted() -> None:
    assert next_statuses(OrderKind.SUBSCRIPTION, OrderStatus.OPEN) == {OrderStatus.SETTLED, OrderStatus.CANCELLED}
    with pytest.raises(LedgerError, match="never accepted"):
        replace(SUBSCRIPTION, status=OrderStatus.ACCEPTED)


def test_only_what_a_redemption_has_left_is_in_escrow() -> None:
    assert REDEMPTION.escrowed == 60
    assert replace(REDEMPTION, status=OrderStatus.CANCELLED).escrowed == 0
    assert SUBSCRIPTION.escrowed == 0
    assert SUBSCRIPTION.remaining == 100


@pytest.mark.parametrize(
    ("status", "now", "withdrawable"),
    [
        (OrderStatus.REQUESTED, 1_500, False), (OrderStatus.REQUESTED, 1_501, True),
        (OrderStatus.ACCEPTED, 2_000, False), (OrderStatus.ACCEPTED, 2_001, True),
        (OrderStatus.SETTLED, 9_999, False), (OrderStatus.CANCELLED, 9_999, False),
    ],
)
def test_a_holder_takes_back_the_rest_after_the_deadline_and_not_before(
    status: OrderStatus, now: int, withdrawable: bool
) -> None:
    assert replace(REDEMPTION, status=status).is_withdrawable(now) is withdrawable


@pytest.mark.parametrize(
    "change", [{"id": b""}, {"holder": bytes(31)}, {"quantity": 0}, {"filled": -1}, {"filled": 101}]
)
def test_an_order_that_cannot_be_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(LedgerError):
        replace(REDEMPTION, **change)  # type: ignore[arg-type]


def test_a_movement_whose_fills_are_what_is_allocated_has_no_break() -> None:
    assert movement_breaks(MOVEMENT, FILLS, "I") == ()
    assert MOVEMENT.unallocated == 30


def test_a_correcting_fill_gives_back_what_it_undoes() -> None:
    undone = [*FILLS, replace(FILLS[0], corrects=b"\5" * 32)]
    assert movement_breaks(replace(MOVEMENT, allocated=0), undone, "I") == ()


def test_fills_beyond_the_allocation_or_the_movement_are_breaks() -> None:
    (found,) = movement_breaks(replace(MOVEMENT, allocated=60), FILLS, "I")
    assert (found.kind, found.amount) == (BreakKind.MOVEMENT_MISMATCH, 10)
    (over,) = movement_breaks(replace(MOVEMENT, shares=50), FILLS, "I")
    assert over.amount == 20
    assert over.id != found.id
