"""How many redeemed shares had left custody at a statement's as-of.

The program takes from a reserve what was redeemed since its as-of. A redeemed share that the statement no longer
contains must therefore be in this figure, or it is taken off twice; one that the statement still contains must not be,
or tokens are minted on shares about to leave. Where it is not known, it is left out: that only mints less.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from solders.pubkey import Pubkey

from tallystick.adapters.store.journal import CustodyMovement
from tallystick.domain.amounts import Rounding, share_equivalent
from tallystick.domain.orders import MovementDirection
from tallystick.program.addresses import movement_address
from tallystick.program.generated.accounts import Fill, Order
from tallystick.program.generated.types import FillKind, OrderStatus


def redeemed_before(
    security: Pubkey,
    as_of: int,
    statements: Mapping[bytes, int],
    fills: Iterable[Fill],
    orders: Mapping[Pubkey, Order],
    journal: Sequence[CustodyMovement],
    multiplier: int,
) -> int:
    """Shares (base units) redeemed in all that had left custody at `as_of`, the earliest of `statements`.

    `statements` maps custody account hashes to the as-ofs of their statements. A burn whose movement is in the journal
    counts when the custodian booked it by the as-of of its own account's statement; an instructed one that is not
    booked does not. A burn whose movement is in no journal counts when it was settled by `as_of`, since an operator
    settles what the custodian has booked. What was booked by then for an accepted redemption counts before the
    settlement too, up to what is left of the order.
    """
    known = {
        movement_address(security, each.hash): each
        for each in journal if each.direction is MovementDirection.DELIVERED
    }
    total = 0
    settled: set[tuple[Pubkey, bytes]] = set()
    for fill in fills:
        if fill.kind is not FillKind.BURN:
            continue
        settled.add((fill.movement, bytes(fill.order)))
        entry = known.get(fill.movement)
        if _left(entry, statements, as_of) if entry is not None else fill.settled_at <= as_of:
            total += fill.shares
    left = {
        bytes(address): share_equivalent(order.quantity - order.filled, multiplier, Rounding.DOWN)
        for address, order in orders.items() if order.status is OrderStatus.ACCEPTED
    }
    for address, entry in known.items():
        if not _left(entry, statements, as_of):
            continue
        for part in entry.parts:
            if (address, part.order) not in settled:
                counted = min(part.shares, left.get(part.order, 0))
                left[part.order] = left.get(part.order, 0) - counted
                total += counted
    return total


def _left(entry: CustodyMovement, statements: Mapping[bytes, int], as_of: int) -> bool:
    return entry.booked_at is not None and entry.booked_at <= statements.get(entry.account_hash, as_of)
