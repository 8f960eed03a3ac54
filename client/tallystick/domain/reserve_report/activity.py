"""Subscriptions and redemptions of the month, and how long they took to settle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tallystick.domain.canonical import CanonicalValue
from tallystick.domain.reserve_report.facts import OrderOutcome, SecurityFacts
from tallystick.domain.reserve_report.material import Material, Row, titled
from tallystick.domain.reserve_report.values import digits

TIMES: Final = (3_600, 14_400, 86_400, 172_800, 432_000, None)
"""Seconds up to which an order counts to a bucket: an hour, four, a day, two, five; None is everything longer."""


def activity(material: Material) -> list[CanonicalValue]:
    """Of each security, its orders that were opened, settled or called off in the month, or are open at the as-of."""
    return [
        {
            **titled(security),
            "subscriptions": _orders(security, "subscription", OrderOutcome.CANCELLED),
            "redemptions": _orders(security, "redemption", OrderOutcome.RETURNED),
        }
        for security in material.securities
    ]


def nearest_rank(values: Sequence[int], percent: int) -> int | None:
    """The smallest value that at least `percent` of 100 of the values do not exceed; None without values."""
    if not values:
        return None
    return sorted(values)[-(-len(values) * percent // 100) - 1]


def _orders(security: SecurityFacts, kind: str, called_off: OrderOutcome) -> Row:
    orders = [each for each in security.orders if each.kind == kind]
    settled = [each for each in orders if each.outcome is OrderOutcome.SETTLED]
    times = [each.ended_at - each.opened_at for each in settled]
    return {
        "opened": sum(1 for each in orders if not each.is_carried),
        "settled": len(settled),
        called_off.value: sum(1 for each in orders if each.outcome is called_off),
        "open": sum(1 for each in orders if each.outcome is OrderOutcome.OPEN),
        # Shares of subscriptions, raw units of redemptions.
        "quantity": digits(sum(each.filled for each in settled)),
        "median_seconds": nearest_rank(times, 50),
        "percentile_95_seconds": nearest_rank(times, 95),
        "buckets": [
            {"up_to_seconds": limit, "orders": sum(1 for time in times if _bucket(time) == limit)} for limit in TIMES
        ],
    }


def _bucket(time: int) -> int | None:
    return next((limit for limit in TIMES if limit is not None and time <= limit), None)
