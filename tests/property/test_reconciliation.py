"""Any book that keeps the program's rules reconciles clean; any one thing changed in it is at least one break."""

from __future__ import annotations

import asyncio
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hypothesis import given, note, settings
from hypothesis import strategies as st
from solders.pubkey import Pubkey
from tallystick.domain.amounts import multiplier_to_float_bits, raw_from_shares
from tallystick.domain.breaks import Break
from tallystick.domain.orders import OrderKind
from tallystick.program.generated import types
from tallystick.program.generated.accounts import Fill, Hold, Limit, Movement, Order, Security
from tallystick.program.generated.constants import PROGRAM_ID
from tallystick.program.layout import AccountLayout
from tallystick.services.reconciliation_orders import BookedMovement

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit" / "services"))
from book_on_chain import HOLDERS, INVENTORY, BookOnChain, empty_book

SCALED_UI_AMOUNT = 25
multipliers = st.one_of(
    st.just(10**18),
    st.integers(10**17, 10**20),
    st.builds(lambda n, d: n * 10**18 // d, st.integers(1, 500), st.integers(1, 500)),
)


@dataclass
class Deed:
    """What a book is made of, drawn beforehand so that a failure shrinks."""

    kind: str
    holder: Pubkey
    account: int
    shares: int
    parts: list[int]


deeds = st.lists(
    st.builds(
        Deed,
        kind=st.sampled_from(["subscribe", "redeem", "wait", "accept", "correct", "transfer", "hold"]),
        holder=st.sampled_from([*HOLDERS, INVENTORY]),
        account=st.integers(0, 1),
        shares=st.integers(10**3, 10**12),
        parts=st.lists(st.integers(1, 100), min_size=1, max_size=3),
    ),
    min_size=1,
    max_size=8,
)


def split(total: int, parts: list[int]) -> list[int]:
    """`total` in as many whole pieces as there are parts, in about their proportions."""
    pieces = [total * each // sum(parts) for each in parts[:-1]]
    return [each for each in [*pieces, total - sum(pieces)] if each]


def subscribe(book: BookOnChain, deed: Deed, name: str) -> None:
    """One movement, an order for each part, each filled whole or in two steps by another movement."""
    pieces = [each for each in split(deed.shares, deed.parts) if raw_from_shares(each, book.multiplier)]
    if not pieces:
        return
    block = book.move(f"IN-{name}", sum(pieces), account=deed.account)
    for piece in pieces:
        book.mint_fill(book.order(OrderKind.SUBSCRIPTION, piece, deed.holder), block, piece)


def redeem(book: BookOnChain, deed: Deed, name: str) -> None:
    """A redemption of some of what the holder has, half of it settled, the rest still accepted."""
    quantity = book.balances.get(deed.holder, 0) // len(deed.parts)
    raw = quantity // 2
    shares = raw * book.multiplier // 10**18
    if not shares or shares > book.custody(deed.account, book.now):
        return
    order = book.order(OrderKind.REDEMPTION, quantity, deed.holder, accepted=True)
    book.burn_fill(order, book.move(f"OUT-{name}", shares, out=True, account=deed.account), raw)


def correct(book: BookOnChain, deed: Deed, name: str) -> None:
    """A wrong mint to inventory, undone; the shares that came for it never did."""
    if not raw_from_shares(deed.shares, book.multiplier):
        return
    movement = book.move(f"WRONG-{name}", deed.shares, account=deed.account)
    order = book.order(OrderKind.SUBSCRIPTION, deed.shares, INVENTORY)
    fill = book.mint_fill(order, movement, deed.shares, to=INVENTORY)
    book.correct(fill, book.read(Fill, fill).raw)
    book.never_came.append((deed.account, deed.shares))


def do(book: BookOnChain, deed: Deed, name: str) -> None:
    balance = book.balances.get(deed.holder, 0)
    if deed.kind == "subscribe":
        subscribe(book, deed, name)
    elif deed.kind == "redeem":
        redeem(book, deed, name)
    elif deed.kind == "correct":
        correct(book, deed, name)
    elif deed.kind in ("wait", "accept") and balance:
        book.order(OrderKind.REDEMPTION, max(1, balance // 3), deed.holder, accepted=deed.kind == "accept")
    elif deed.kind == "transfer" and balance:
        book.give(deed.holder, -(balance // 2))
        book.give(INVENTORY, balance // 2)
    elif deed.kind == "hold":
        book.hold(1 + deed.shares % 7, number=int(name))


def build(multiplier: int, drawn: list[Deed]) -> BookOnChain:
    """A book that keeps the rules, and statements of it that were attested."""
    book = empty_book()
    book.clock.advance(3_600)
    book.change(Security, book.security, lambda s: replace(s, multiplier=multiplier))
    book.executed(10**18, multiplier, 1)
    bits = multiplier_to_float_bits(multiplier)
    value = book.extension(SCALED_UI_AMOUNT)
    book.patch(book.mint, value + 32, struct.pack("<Qq", bits, 0) + struct.pack("<Q", bits))
    first = Deed("subscribe", HOLDERS[0], 0, 10**9, [3, 2])
    for number, deed in enumerate([first, *drawn]):
        do(book, deed, str(number))
    book.report()
    fills = [each for each in contents(book, Fill).values() if each.kind is not types.FillKind.CORRECTION]
    kept = (len(fills) + 1) * (multiplier // 10**18 + 2)
    book.declared = (replace(book.declared[0], surplus=kept), book.declared[1])
    book.clock.advance(60)
    return book


def contents(book: BookOnChain, kind: type[Any]) -> dict[Pubkey, Any]:
    """All accounts of a kind."""
    found = book.ledger.program_accounts(PROGRAM_ID).items()
    return {address: kind.decode(each.data) for address, each in found if each.data[:8] == kind.DISCRIMINATOR}


def breaks(book: BookOnChain) -> list[Break]:
    return [each.found for each in asyncio.run(book.reconcile()).all_breaks]


@settings(max_examples=60, deadline=None)
@given(multipliers, deeds)
def test_a_book_that_keeps_the_rules_reconciles_clean(multiplier: int, drawn: list[Deed]) -> None:
    assert [each.message for each in breaks(build(multiplier, drawn))] == []


def bump(name: str, by: int) -> Callable[[Any], Any]:
    return lambda content: replace(content, **{name: max(0, getattr(content, name) + by)})


FIELDS: list[tuple[type[AccountLayout], str]] = [
    (Security, "minted"),
    (Security, "burnt"),
    (Security, "redeemed"),
    (Security, "escrowed"),
    (Security, "accepted"),
    (Security, "mint_holds"),
    (Security, "redeem_holds"),
    (Security, "transfer_holds"),
    (Security, "reserve"),
    (Security, "reserve_as_of"),
    (Movement, "shares"),
    (Movement, "allocated"),
    (Fill, "shares"),
    (Fill, "raw"),
    (Fill, "corrected_raw"),
    (Order, "quantity"),
    (Order, "filled"),
]


def change_a_field(book: BookOnChain, which: int, by: int) -> str:
    kind, name = FIELDS[which % len(FIELDS)]
    holds = name.endswith("_holds")
    there = sorted(contents(book, kind), key=bytes)
    address = book.security if kind is Security else there[which % len(there)]
    book.change(kind, address, bump(name, 1 if holds else by))
    return f"{kind.__name__}.{name} {by:+}"


def change_a_balance(book: BookOnChain, which: int, by: int) -> str:
    owners = sorted(book.balances, key=bytes)
    book.give(owners[which % len(owners)], by)
    return f"a balance {by:+}"


def change_the_supply(book: BookOnChain, which: int, by: int) -> str:
    book.set_supply(book.supply + by)
    return f"supply {by:+}"


def mint_beside_the_program(book: BookOnChain, which: int, by: int) -> str:
    book.set_supply(book.supply + by)
    book.give(HOLDERS[0], by)
    return f"supply and a balance {by:+}"


def change_a_statement(book: BookOnChain, which: int, by: int) -> str:
    index = which % 2
    old = book.statements[index]
    quantity = old.lines[0].aggregate.to_base_units(6) + by
    book.statements[index] = book.statement(index, as_of=old.as_of, shares=quantity)
    return f"statement {index} {by:+}"


def forget_a_movement(book: BookOnChain, which: int, by: int) -> str:
    movement: BookedMovement = book.movements.pop(which % len(book.movements))[0]
    return f"forgot {movement.reference}"


def forget_an_order(book: BookOnChain, which: int, by: int) -> str:
    return f"forgot {book.orders.pop(which % len(book.orders)).address}"


def remove_an_account(book: BookOnChain, which: int, by: int) -> str:
    kind = (Movement, Fill, Order, Limit)[which % 4]
    address = sorted(contents(book, kind), key=bytes)[which % len(contents(book, kind))]
    book.remove(address)
    return f"removed a {kind.__name__}"


def toggle_the_pause(book: BookOnChain, which: int, by: int) -> str:
    book.set_paused(not any(each.scope & 4 for each in contents(book, Hold).values()))
    return "toggled the pause"


def empty_the_escrow(book: BookOnChain, which: int, by: int) -> str:
    if book.escrowed:
        book.give(HOLDERS[0], book.escrowed)
        book.set_escrow(0)
        return "emptied the escrow"
    return change_the_supply(book, which, by)


DAMAGES = [
    change_a_field,
    change_a_balance,
    change_the_supply,
    mint_beside_the_program,
    change_a_statement,
    forget_a_movement,
    forget_an_order,
    remove_an_account,
    toggle_the_pause,
    empty_the_escrow,
]


@settings(max_examples=150, deadline=None)
@given(multipliers, deeds, st.sampled_from(DAMAGES), st.integers(0, 10**6), st.integers(1, 1_000))
def test_any_one_thing_changed_is_at_least_one_break(
    multiplier: int, drawn: list[Deed], damage: Callable[[BookOnChain, int, int], str], which: int, by: int
) -> None:
    book = build(multiplier, drawn)
    note(damage(book, which, by))
    assert breaks(book) != []
