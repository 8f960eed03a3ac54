"""What the chain says of one security, held against itself: counters, fills, orders, escrow, register, holds.

The program keeps all of this equal (docs/architecture.md, laws 1 to 3 and 6), so a break found here means that an
account was written by something else, a cluster answered wrongly, or the program has a fault. Each check states one
equality and yields a break with the difference; none raises.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from solders.pubkey import Pubkey

from tallystick.domain.amounts import format_base_units
from tallystick.domain.breaks import Break, BreakKind
from tallystick.domain.register import supply_break
from tallystick.program.generated.accounts import Fill, Order
from tallystick.program.generated.types import Direction, FillKind, OrderKind, OrderStatus
from tallystick.services.books import SecurityBook
from tallystick.services.rules import policy_at

SCOPE_MINT: Final = 1
SCOPE_REDEEM: Final = 2
SCOPE_TRANSFER: Final = 4
"""Bits of a hold's scope (state/hold.rs)."""


def chain_breaks(book: SecurityBook) -> tuple[Break, ...]:
    """Every difference between two things the chain says of this security; nothing when all of it fits."""
    return (
        *_supply_breaks(book),
        *_register_breaks(book),
        *_movement_breaks(book),
        *_order_breaks(book),
        *_escrow_breaks(book),
        *_hold_breaks(book),
        *_limit_breaks(book),
    )


def is_live(order: Order) -> bool:
    """True while something can still happen to an order."""
    return order.status in (OrderStatus.OPEN, OrderStatus.ACCEPTED)


def _supply_breaks(book: SecurityBook) -> Iterator[Break]:
    """The mint's supply is what the security counted, and that is what its fills made."""
    security, minted, burnt, redeemed = book.security, 0, 0, 0
    for fill in book.fills.values():
        if fill.kind is FillKind.MINT:
            minted += fill.raw
        else:
            burnt += fill.raw
            redeemed += fill.shares if fill.kind is FillKind.BURN else 0
    for what, reference, is_so, expected in (
        ("The mint's supply, against minted less burnt,", "supply", book.mint.supply, security.minted - security.burnt),
        ("What the security counts as minted, against its fills,", "minted", security.minted, minted),
        ("What the security counts as burnt, against its fills,", "burnt", security.burnt, burnt),
        ("Shares the security counts as redeemed, against its fills,", "redeemed", security.redeemed, redeemed),
    ):
        if is_so != expected:
            yield _break(book, BreakKind.UNAUTHORISED_SUPPLY, what, reference, is_so, expected)
    cap = policy_at(security, book.now).supply_cap
    if book.mint.supply > cap:
        yield _break(
            book,
            BreakKind.UNAUTHORISED_SUPPLY,
            "The supply, against its cap,",
            "cap",
            book.mint.supply,
            cap,
        )


def _register_breaks(book: SecurityBook) -> Iterator[Break]:
    """The token accounts of one slot hold the supply of that slot."""
    holders = book.holders
    found = supply_break(holders.register, holders.supply, book.isin, book.now)
    if found is not None:
        yield found
    elif not holders.is_settled:
        yield Break(
            BreakKind.REGISTER_MISMATCH,
            f"{book.isin}: the supply at the slot of the register could not be read.",
            book.isin,
            "",
            "register",
            None,
            book.now,
        )


def _movement_breaks(book: SecurityBook) -> Iterator[Break]:
    """A movement has allocated what its fills used, and never more than it moved. A correction gives nothing back."""
    used: dict[Pubkey, int] = defaultdict(int)
    corrected: dict[Pubkey, int] = defaultdict(int)
    for address, fill in book.fills.items():
        if fill.kind is FillKind.CORRECTION:
            corrected[fill.corrects] += fill.raw
        else:
            used[fill.movement] += fill.shares
        yield from _fill_breaks(book, address, fill)
    for address, movement in book.movements.items():
        reference = movement.reference_hash.hex()
        if movement.allocated != used[address]:
            what = f"What movement {address} has allocated, against its fills,"
            yield _break(book, BreakKind.MOVEMENT_MISMATCH, what, reference, movement.allocated, used[address])
        if movement.allocated > movement.shares:
            what = f"What movement {address} has allocated, against what it moved,"
            yield _break(
                book, BreakKind.MOVEMENT_MISMATCH, what, f"{reference}/exceeded", movement.allocated, movement.shares
            )
    for address, fill in book.fills.items():
        if fill.corrected_raw != corrected[address]:
            what = f"What fill {address} counts as corrected, against its corrections,"
            yield _break(
                book, BreakKind.MOVEMENT_MISMATCH, what, f"{address}/corrected", fill.corrected_raw, corrected[address]
            )


def _fill_breaks(book: SecurityBook, address: Pubkey, fill: Fill) -> Iterator[Break]:
    movement, direction = book.movements.get(fill.movement), _DIRECTIONS[fill.kind]
    if movement is None:
        message = f"{book.isin}: fill {address} used movement {fill.movement}, which the chain does not have."
    elif movement.direction is not direction:
        message = (
            f"{book.isin}: fill {address} is a {fill.kind.name.lower()}, its movement {fill.movement} "
            f"goes {movement.direction.name.lower()}."
        )
    else:
        return
    yield Break(BreakKind.MOVEMENT_MISMATCH, message, book.isin, "", str(address), fill.shares, book.now)


_DIRECTIONS: Final = {
    FillKind.MINT: Direction.IN,
    FillKind.CORRECTION: Direction.IN,
    FillKind.BURN: Direction.OUT,
}


def _order_breaks(book: SecurityBook) -> Iterator[Break]:
    """An order is filled by what its fills settled: shares of a subscription, raw units of a redemption."""
    filled: dict[Pubkey, int] = defaultdict(int)
    for address, fill in book.fills.items():
        if fill.order not in book.orders:
            message = f"{book.isin}: fill {address} settled order {fill.order}, which the chain does not have."
            yield Break(BreakKind.ORDER_MISMATCH, message, book.isin, "", str(fill.order), fill.raw, book.now)
        elif fill.kind is not FillKind.CORRECTION:
            is_subscription = book.orders[fill.order].kind is OrderKind.SUBSCRIPTION
            filled[fill.order] += fill.shares if is_subscription else fill.raw
    for address, order in book.orders.items():
        if order.filled != filled[address]:
            what = f"What order {address} counts as filled, against its fills,"
            yield _break(book, BreakKind.ORDER_MISMATCH, what, f"{address}/filled", order.filled, filled[address])


def _escrow_breaks(book: SecurityBook) -> Iterator[Break]:
    """The escrow has at least what live redemptions put into it; more is dust that somebody sent there."""
    live = [order for order in book.orders.values() if order.kind is OrderKind.REDEMPTION and is_live(order)]
    escrowed = sum(order.quantity - order.filled for order in live)
    accepted = sum(order.quantity - order.filled for order in live if order.status is OrderStatus.ACCEPTED)
    security = book.security
    if security.escrowed != escrowed:
        what = "What the security counts in escrow, against live redemptions,"
        yield _break(book, BreakKind.ESCROW_MISMATCH, what, "escrowed", security.escrowed, escrowed)
    if security.accepted != accepted:
        what = "What the security counts as accepted, against accepted redemptions,"
        yield _break(book, BreakKind.ESCROW_MISMATCH, what, "accepted", security.accepted, accepted)
    balance = book.holders.balance_of(security.escrow)
    if balance is None or balance < security.escrowed:
        what = f"What is in escrow {security.escrow}, against what the security counts there,"
        yield _break(book, BreakKind.ESCROW_MISMATCH, what, "balance", balance or 0, security.escrowed)


def _hold_breaks(book: SecurityBook) -> Iterator[Break]:
    """Hold counts are the live holds by scope, and the mint is paused while a transfer hold lives."""
    security = book.security
    live = [hold for hold in book.holds.values() if hold.released_at == 0]
    for name, bit, count in (
        ("mint", SCOPE_MINT, security.mint_holds),
        ("redeem", SCOPE_REDEEM, security.redeem_holds),
        ("transfer", SCOPE_TRANSFER, security.transfer_holds),
    ):
        expected = sum(1 for hold in live if hold.scope & bit)
        if count != expected:
            message = f"{book.isin}: {count} {name} holds are counted, {expected} are live."
            yield Break(BreakKind.HOLD_MISMATCH, message, book.isin, "", name, count - expected, book.now)
    pausable = book.mint.extensions.pausable
    if pausable is not None and pausable.paused != (security.transfer_holds > 0):
        message = (
            f"{book.isin}: the mint is {'' if pausable.paused else 'not '}paused, "
            f"with {security.transfer_holds} transfer holds."
        )
        yield Break(BreakKind.HOLD_MISMATCH, message, book.isin, "", "paused", None, book.now)


def _limit_breaks(book: SecurityBook) -> Iterator[Break]:
    """Nothing was minted or burnt without a limit, nor is more used of one than was minted or burnt in all."""
    security = book.security
    for name, total, used in (
        ("minted", security.minted, [limit.mint_used for limit in book.limits.values() if limit.mint_used_at]),
        ("burnt", security.burnt, [limit.burn_used for limit in book.limits.values() if limit.burn_used_at]),
    ):
        if total and not used:
            message = f"{book.isin}: {format_base_units(total, book.decimals)} were {name} and no limit was used."
            yield Break(BreakKind.LIMIT_MISMATCH, message, book.isin, "", name, total, book.now)
        elif sum(used) > total:
            what = f"What operators' limits count as {name}, against what was {name} in all,"
            yield _break(book, BreakKind.LIMIT_MISMATCH, what, name, sum(used), total)


def _break(book: SecurityBook, kind: BreakKind, what: str, reference: str, is_so: int, expected: int) -> Break:
    amounts = (format_base_units(each, book.decimals) for each in (is_so, expected))
    message = "{}: {} is {} where {} was expected.".format(book.isin, what, *amounts)
    return Break(kind, message, book.isin, "", reference, is_so - expected, book.now)
