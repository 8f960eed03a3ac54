"""Which way an order goes, and which way shares move at the custodian."""

from __future__ import annotations

from enum import Enum


class OrderKind(Enum):
    """Which way an order goes: shares in and tokens minted, or tokens burnt and shares, or cash for them, out."""

    SUBSCRIPTION = "subscription"
    REDEMPTION = "redemption"


class MovementDirection(Enum):
    """Which way shares moved in the custodian's books, seen from the issuer's account."""

    RECEIVED = "received"
    DELIVERED = "delivered"
