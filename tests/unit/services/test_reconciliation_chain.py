"""What the chain says of a security is held against itself: each equality broken once, alone, with its amount."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import pytest
from book_on_chain import APPLE, DAY, HOLDERS, MICROSOFT, ONE, BookOnChain, busy_book, key
from solders.pubkey import Pubkey
from tallystick.domain.breaks import BreakEffect, BreakKind
from tallystick.program.generated import accounts
from tallystick.program.generated.accounts import CorporateAction, Fill, Limit, Movement, Order, Security
from tallystick.program.generated.constants import PROGRAM_ID
from tallystick.program.generated.types import ActionStatus
from tallystick.program.layout import AccountLayout
from tallystick.services.chain_reads import list_actions
from tallystick.services.reconciliation import ReconciliationReport

Layout = TypeVar("Layout", bound=AccountLayout)
Damage = Callable[[BookOnChain], None]


@pytest.fixture
def book() -> BookOnChain:
    """The busy book that nobody broke."""
    return busy_book()


def kinds(report: ReconciliationReport) -> set[BreakKind]:
    return {each.found.kind for each in report.all_breaks}


def first(book: BookOnChain, kind: type[Layout], wanted: Callable[[Layout], bool]) -> Pubkey:
    """The first account of a kind, by address, that is as wanted."""
    for address, account in book.ledger.program_accounts(PROGRAM_ID).items():
        if account.data[:8] == kind.DISCRIMINATOR and wanted(kind.decode(account.data)):
            return address
    raise AssertionError(f"no such {kind.__name__}")


def security(how: Callable[[Security], Security]) -> Damage:
    return lambda book: book.change(accounts.Security, book.security, how)


def one(kind: type[Layout], wanted: Callable[[Layout], bool], how: Callable[[Layout], Layout]) -> Damage:
    return lambda book: book.change(kind, first(book, kind, wanted), how)


def extension(kind: int, offset: int, data: bytes) -> Damage:
    return lambda book: book.patch(book.mint, book.extension(kind) + offset, data)


def escrow_is_emptied(book: BookOnChain) -> None:
    book.set_balance(HOLDERS[3], book.balances[HOLDERS[3]] + book.escrowed)
    book.set_escrow(0)


def a_live_hold_is_not_counted(book: BookOnChain) -> None:
    book.hold(2)
    security(lambda s: replace(s, redeem_holds=0))(book)


def a_fill_is_gone(book: BookOnChain) -> None:
    book.remove(first(book, Fill, lambda fill: fill.shares == 250_000))


def a_redemption_is_gone(book: BookOnChain) -> None:
    gone = first(book, Order, lambda order: order.quantity == 20 * ONE)
    book.remove(gone)
    book.orders = [order for order in book.orders if order.address != gone]


def another_isin(book: BookOnChain) -> None:
    account = book.ledger.account(book.mint)
    assert account is not None
    book.patch(book.mint, account.data.index(APPLE.encode()), MICROSOFT.encode())


THIEF = bytes(key("thief"))
CASES: dict[str, tuple[Damage, BreakKind, dict[str, int | None]]] = {
    "the counters of minted and burnt are raised": (
        security(lambda s: replace(s, minted=s.minted + 7, burnt=s.burnt + 7)),
        BreakKind.UNAUTHORISED_SUPPLY,
        {"minted": 7, "burnt": 7},
    ),
    "the counter of redeemed shares is raised": (
        security(lambda s: replace(s, redeemed=s.redeemed + 4)),
        BreakKind.UNAUTHORISED_SUPPLY,
        {"redeemed": 4},
    ),
    "the supply is above its cap": (
        security(lambda s: replace(s, policy=replace(s.policy, supply_cap=950 * ONE))),
        BreakKind.UNAUTHORISED_SUPPLY,
        {"cap": 5 * ONE},
    ),
    "tokens are gone from a holder": (
        lambda book: book.set_balance(HOLDERS[0], book.balances[HOLDERS[0]] - 9),
        BreakKind.REGISTER_MISMATCH,
        {"register": -9},
    ),
    "a stranger has tokens of nowhere": (
        lambda book: book.set_balance(key("stranger"), 11, extended=True),
        BreakKind.REGISTER_MISMATCH,
        {"register": 11},
    ),
    "fewer tokens are counted in escrow": (
        security(lambda s: replace(s, escrowed=s.escrowed - 1)),
        BreakKind.ESCROW_MISMATCH,
        {"escrowed": -1},
    ),
    "fewer tokens are counted as accepted": (
        security(lambda s: replace(s, accepted=s.accepted - 6)),
        BreakKind.ESCROW_MISMATCH,
        {"accepted": -6},
    ),
    "the escrow is emptied": (escrow_is_emptied, BreakKind.ESCROW_MISMATCH, {"balance": -50 * ONE}),
    "a waiting redemption is gone": (a_redemption_is_gone, BreakKind.ESCROW_MISMATCH, {"escrowed": 20 * ONE}),
    "a hold is counted that nobody placed": (
        security(lambda s: replace(s, mint_holds=1)),
        BreakKind.HOLD_MISMATCH,
        {"mint": 1},
    ),
    "a live hold is not counted": (a_live_hold_is_not_counted, BreakKind.HOLD_MISMATCH, {"redeem": -1}),
    "the mint is paused without a hold": (
        lambda book: book.set_paused(True),
        BreakKind.HOLD_MISMATCH,
        {"paused": None},
    ),
    "a limit counts more than was minted": (
        one(Limit, lambda _: True, lambda used: replace(used, mint_used=used.mint_used + 5)),
        BreakKind.LIMIT_MISMATCH,
        {"minted": 5},
    ),
    "there is no limit": (
        lambda book: book.remove(first(book, Limit, lambda _: True)),
        BreakKind.LIMIT_MISMATCH,
        {"minted": 1_000 * ONE, "burnt": 45 * ONE},
    ),
    "somebody else may mint": (
        lambda book: book.patch(book.mint, 4, THIEF),
        BreakKind.MINT_MISMATCH,
        {"mint authority": None},
    ),
    "nobody may freeze": (
        lambda book: book.patch(book.mint, 46, bytes(36)),
        BreakKind.MINT_MISMATCH,
        {"freeze authority": None},
    ),
    "somebody else is permanent delegate": (
        extension(12, 0, THIEF),
        BreakKind.MINT_MISMATCH,
        {"permanent delegate": None},
    ),
    "somebody else may burn": (
        extension(28, 0, THIEF),
        BreakKind.MINT_MISMATCH,
        {"permissioned burn authority": None},
    ),
    "somebody else may pause": (extension(26, 0, THIEF), BreakKind.MINT_MISMATCH, {"pause authority": None}),
    "somebody else may set the multiplier": (
        extension(25, 0, THIEF),
        BreakKind.MINT_MISMATCH,
        {"multiplier authority": None},
    ),
    "somebody else may rename it": (
        extension(19, 0, THIEF),
        BreakKind.MINT_MISMATCH,
        {"metadata update authority": None},
    ),
    "its metadata is elsewhere": (extension(18, 32, THIEF), BreakKind.MINT_MISMATCH, {"metadata pointer": None}),
    "its metadata names another mint": (extension(19, 32, THIEF), BreakKind.MINT_MISMATCH, {"metadata mint": None}),
    "its metadata names another ISIN": (another_isin, BreakKind.MINT_MISMATCH, {"metadata isin": None}),
    "new accounts start frozen": (
        extension(6, 0, b"\2"),
        BreakKind.MINT_MISMATCH,
        {"default account state": None},
    ),
    "it has a close authority and no delegate": (
        extension(12, -4, b"\3"),
        BreakKind.MINT_MISMATCH,
        {"permanent delegate": None, "extension PERMANENT_DELEGATE": None, "extension MINT_CLOSE_AUTHORITY": None},
    ),
    "its decimals are others": (
        lambda book: book.patch(book.mint, 44, b"\7"),
        BreakKind.MINT_MISMATCH,
        {"decimals": None},
    ),
    "its multiplier is one bit off": (
        extension(25, 48, (0x3FF0000000000001).to_bytes(8, "little")),
        BreakKind.MULTIPLIER_MISMATCH,
        {"in force": None},
    ),
    "a multiplier waits that nobody announced": (
        lambda book: extension(25, 40, (book.now + DAY).to_bytes(8, "little"))(book),
        BreakKind.MULTIPLIER_MISMATCH,
        {"pending": None},
    ),
}


@pytest.mark.parametrize("name", CASES)
async def test_one_broken_thing_is_one_kind_of_break_with_the_exact_amount(book: BookOnChain, name: str) -> None:
    damage, kind, amounts = CASES[name]
    assert (await book.reconcile()).is_clean
    damage(book)
    report = await book.reconcile()
    assert kinds(report) == {kind}, [each.found.message for each in report.all_breaks]
    assert {each.found.reference: each.found.amount for each in report.all_breaks} == amounts
    assert {each.found.instrument for each in report.all_breaks} == {APPLE}


DOUBLED = (0x4000000000000000).to_bytes(8, "little")


def both_wait(book: BookOnChain, bits: bytes, later: int = 0) -> None:
    """Security and mint wait for twice the multiplier tomorrow, as execute_action has them, or nearly."""
    at = book.now + DAY
    security(lambda s: replace(s, pending_multiplier=2 * 10**18, multiplier_effective_at=at))(book)
    book.executed(10**18, 2 * 10**18, at)
    extension(25, 40, (at + later).to_bytes(8, "little") + bits)(book)


async def test_a_change_that_security_and_mint_both_wait_for_is_no_break(book: BookOnChain) -> None:
    both_wait(book, DOUBLED)
    assert (await book.reconcile()).is_clean


@pytest.mark.parametrize(
    ("bits", "later"), [(DOUBLED[:7] + b"\x3f", 0), (DOUBLED, 1)], ids=["another number", "another time"]
)
async def test_a_change_that_the_mint_waits_for_otherwise_is_a_break(
    book: BookOnChain, bits: bytes, later: int
) -> None:
    both_wait(book, bits, later)
    (found,) = (await book.reconcile()).all_breaks
    assert (found.found.kind, found.found.reference) == (BreakKind.MULTIPLIER_MISMATCH, "pending")


def announced(report: ReconciliationReport) -> list[tuple[BreakKind, str]]:
    return [(each.found.kind, each.found.reference) for each in report.all_breaks]


async def test_a_change_that_security_and_mint_wait_for_and_no_action_announced_is_a_break(book: BookOnChain) -> None:
    both_wait(book, DOUBLED)
    [action] = {*book.written} & {*(await list_actions(book.chain, book.security)).accounts}
    book.change(CorporateAction, action, lambda a: replace(a, status=ActionStatus.APPROVED))
    assert announced(await book.reconcile()) == [(BreakKind.MULTIPLIER_MISMATCH, "announced pending")]


async def test_a_multiplier_in_force_that_no_action_made_is_a_break(book: BookOnChain) -> None:
    security(lambda s: replace(s, pending_multiplier=2 * 10**18, multiplier_effective_at=book.now))(book)
    extension(25, 40, book.now.to_bytes(8, "little") + DOUBLED)(book)
    report = await book.reconcile()
    assert (BreakKind.MULTIPLIER_MISMATCH, "announced in force") in announced(report)


async def test_an_executed_action_that_did_not_change_the_multiplier_is_a_break(book: BookOnChain) -> None:
    book.executed(10**18, 2 * 10**18, book.now - 1)
    assert announced(await book.reconcile()) == [(BreakKind.MULTIPLIER_MISMATCH, "announced in force")]


async def test_an_action_that_did_not_start_where_the_one_before_ended_is_a_break(book: BookOnChain) -> None:
    book.executed(10**18, 2 * 10**18, book.now - 2)
    book.executed(3 * 10**18, 10**18, book.now - 1)
    assert announced(await book.reconcile()) == [(BreakKind.MULTIPLIER_MISMATCH, "announced history")]


async def test_a_movement_that_allocated_less_than_its_fills_used_is_a_break(book: BookOnChain) -> None:
    one(Movement, lambda m: m.allocated == 40 * ONE, lambda m: replace(m, allocated=m.allocated - 2))(book)
    (found,) = (await book.reconcile()).all_breaks
    assert (found.found.kind, found.found.amount) == (BreakKind.MOVEMENT_MISMATCH, -2)


async def test_a_movement_that_is_exceeded_is_a_break_of_its_own(book: BookOnChain) -> None:
    one(Movement, lambda m: m.allocated == 40 * ONE, lambda m: replace(m, shares=m.shares - 2))(book)
    report = await book.reconcile()
    assert kinds(report) == {BreakKind.MOVEMENT_MISMATCH}
    by_end = {each.found.reference.rpartition("/")[2]: each.found.amount for each in report.all_breaks}
    assert by_end == {"exceeded": 2, "differs": -2}


async def test_a_movement_that_goes_the_other_way_than_its_fill_is_a_break(book: BookOnChain) -> None:
    address = first(book, Movement, lambda m: m.allocated == 40 * ONE)
    book.change(Movement, address, lambda m: replace(m, direction=0))  # type: ignore[arg-type]
    report = await book.reconcile()
    assert kinds(report) == {BreakKind.MOVEMENT_MISMATCH}
    assert any("goes in" in each.found.message for each in report.all_breaks)


async def test_a_correction_that_its_fill_does_not_count_is_a_break(book: BookOnChain) -> None:
    one(Fill, lambda f: f.corrected_raw > 0, lambda f: replace(f, corrected_raw=0))(book)
    (found,) = (await book.reconcile()).all_breaks
    assert (found.found.kind, found.found.amount) == (BreakKind.MOVEMENT_MISMATCH, -5 * ONE)


async def test_an_order_that_counts_less_than_its_fills_is_a_break(book: BookOnChain) -> None:
    one(Order, lambda o: o.quantity == 500 * ONE, lambda o: replace(o, filled=o.filled - 3))(book)
    (found,) = (await book.reconcile()).all_breaks
    assert (found.found.kind, found.found.amount) == (BreakKind.ORDER_MISMATCH, -3)


async def test_a_fill_that_is_gone_is_missed_everywhere(book: BookOnChain) -> None:
    a_fill_is_gone(book)
    report = await book.reconcile()
    assert kinds(report) == {
        BreakKind.UNAUTHORISED_SUPPLY,
        BreakKind.MOVEMENT_MISMATCH,
        BreakKind.ORDER_MISMATCH,
        BreakKind.PENDING_SETTLEMENT,
        BreakKind.QUANTITY_SHORT,
    }
    assert {each.found.amount for each in report.all_breaks} == {250_000}


async def test_supply_that_no_fill_made_is_unauthorised_and_not_backed(book: BookOnChain) -> None:
    book.set_supply(book.supply + 25)
    book.set_balance(HOLDERS[0], book.balances[HOLDERS[0]] + 25)
    report = await book.reconcile()
    assert {each.found.kind: each.found.amount for each in report.all_breaks} == {
        BreakKind.UNAUTHORISED_SUPPLY: 25,
        BreakKind.QUANTITY_SHORT: 25,
    }
    halting = next(each for each in report.all_breaks if each.found.kind is BreakKind.UNAUTHORISED_SUPPLY)
    assert (halting.found.effect, halting.owner) == (BreakEffect.HALT, "security")


async def test_dust_in_escrow_is_no_break(book: BookOnChain) -> None:
    book.set_escrow(book.escrowed + 13)
    book.set_balance(HOLDERS[3], book.balances[HOLDERS[3]] - 13)
    assert (await book.reconcile()).is_clean


async def test_a_transfer_hold_that_pauses_the_mint_is_no_break(book: BookOnChain) -> None:
    book.hold(7)
    assert (await book.reconcile()).is_clean


async def test_a_transfer_between_holders_is_no_break(book: BookOnChain) -> None:
    book.set_balance(HOLDERS[1], book.balances[HOLDERS[1]] - 17)
    book.set_balance(key("newcomer"), 17, frozen=True)
    report = await book.reconcile()
    assert report.is_clean
    assert next(each for each in report.securities if each.isin == APPLE).classes.frozen == 17
