"""How many redeemed shares had left custody at a statement's as-of.

The program takes from a reserve what was redeemed since its as-of. A redeemed share that the statement no longer
contains must therefore be in this figure, or it is taken off twice; one that the statement still contains must not be,
or tokens are minted on shares about to leave. Where it is not known, it is left out: that only mints less. The program
counts settled redemptions alone, so settle what the custodian has booked before attesting the statement without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from solders.pubkey import Pubkey

from tallystick.adapters.store.journal import CustodyMovement
from tallystick.domain.orders import MovementDirection
from tallystick.program.addresses import movement_address
from tallystick.program.generated.accounts import Fill
from tallystick.program.generated.types import FillKind


def redeemed_before(
    security: Pubkey,
    as_of: int,
    statements: Mapping[bytes, int],
    fills: Iterable[Fill],
    journal: Sequence[CustodyMovement],
) -> int:
    """Shares (base units) redeemed in all that had left custody at `as_of`, the earliest of `statements`.

    `statements` maps custody account hashes to the as-ofs of their statements. A burn whose movement is in the journal
    counts when the custodian booked it by the as-of of its own account's statement, however late it was settled; an
    instructed one that is not booked does not. A burn whose movement is in no journal counts when it was settled by
    `as_of`, since an operator settles what the custodian has booked.
    """
    known = {
        movement_address(security, each.hash): each for each in journal if each.direction is MovementDirection.DELIVERED
    }
    total = 0
    for fill in fills:
        if fill.kind is not FillKind.BURN:
            continue
        entry = known.get(fill.movement)
        if entry is None:
            total += fill.shares if fill.settled_at <= as_of else 0
        elif entry.booked_at is not None and entry.booked_at <= statements.get(entry.account_hash, as_of):
            total += fill.shares
    return total
