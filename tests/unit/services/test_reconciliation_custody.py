"""A book that nobody broke reconciles clean; one broken thing is one kind of break, with the exact amount."""

from __future__ import annotations

import json
import struct
from dataclasses import replace

import pytest
from book_on_chain import (
    APPLE,
    CUSTODY,
    DAY,
    HOLDERS,
    LEI,
    ONE,
    START,
    BookOnChain,
    busy_book,
    digest,
    key,
)
from tallystick.domain.amounts import Quantity
from tallystick.domain.break_records import BreakState
from tallystick.domain.breaks import BreakEffect, BreakKind
from tallystick.domain.holdings import Basis, HoldingLine, SubBalance
from tallystick.domain.identifiers import custody_account_hash
from tallystick.domain.orders import MovementDirection, OrderKind
from tallystick.errors import ConfigurationError
from tallystick.program.generated import accounts
from tallystick.services.reconciliation import ReconciliationReport, SecurityReport
from tallystick.services.reconciliation_custody import CustodyAccount, DeclaredSecurity
from tallystick.services.reconciliation_orders import BookedMovement, BookedOrder


@pytest.fixture
def book() -> BookOnChain:
    """The busy book that nobody broke."""
    return busy_book()


def apple(report: ReconciliationReport) -> SecurityReport:
    return next(each for each in report.securities if each.isin == APPLE)


def kinds(report: ReconciliationReport) -> set[BreakKind]:
    return {each.found.kind for each in report.all_breaks}


def amounts(report: ReconciliationReport) -> dict[str, int | None]:
    return {each.found.reference: each.found.amount for each in report.all_breaks}


async def test_a_book_that_nobody_broke_reconciles_clean(book: BookOnChain) -> None:
    report = await book.reconcile()
    assert [each.found.message for each in report.all_breaks] == []
    assert report.is_clean
    security = apple(report)
    assert security.is_clean
    assert (security.supply, security.custody.required, security.custody.held) == (955 * ONE, 955 * ONE, 955 * ONE)
    assert security.custody.surplus == 0
    assert security.reserve == 955 * ONE
    assert security.custody.as_of == security.reserve_as_of == book.now - 60
    assert report.chain_time == book.now
    classes = security.classes
    assert (classes.escrow, classes.inventory, classes.frozen) == (50 * ONE, 95 * ONE, 0)
    assert classes.holders == 810 * ONE
    assert security.holders == 7


async def test_a_statement_that_is_ten_shares_short_is_short_by_exactly_ten_shares(book: BookOnChain) -> None:
    book.clock.advance(600)
    book.statements.append(book.statement(0, shares=book.custody(0, book.now) - 10 * ONE))
    report = await book.reconcile()
    (found,) = report.all_breaks
    assert (found.found.kind, found.found.amount) == (BreakKind.QUANTITY_SHORT, 10 * ONE)
    assert found.found.effect is BreakEffect.BLOCK_MINT
    assert found.found.instrument == APPLE
    assert apple(report).custody.surplus == -10 * ONE
    assert not report.is_clean


async def test_one_base_unit_too_many_is_over_by_one(book: BookOnChain) -> None:
    book.clock.advance(600)
    book.statements.append(book.statement(1, shares=book.statements[1].lines[0].aggregate.to_base_units(6) + 1))
    report = await book.reconcile()
    assert kinds(report) == {BreakKind.QUANTITY_OVER}
    assert amounts(report) == {"custody": 1}


async def test_a_declared_surplus_is_no_break_and_more_than_it_is(book: BookOnChain) -> None:
    book.clock.advance(600)
    held = book.statements[1].lines[0].aggregate.to_base_units(6)
    book.statements.append(book.statement(1, shares=held + 7))
    first, other = book.declared
    assert (await book.reconcile(declared=(replace(first, surplus=7), other))).is_clean
    report = await book.reconcile(declared=(replace(first, surplus=5), other))
    assert amounts(report) == {"custody": 2}


# Between the as-ofs ---------------------------------------------------------------------------------------------------


async def test_a_movement_booked_after_the_statement_bridges_the_two_as_ofs(book: BookOnChain) -> None:
    late = book.move("BLOCK-3", 8 * ONE)
    book.mint_fill(book.order(OrderKind.SUBSCRIPTION, 8 * ONE, HOLDERS[2]), late, 8 * ONE)
    report = await book.reconcile()
    assert report.is_clean
    (line,) = apple(report).custody.bridge
    assert (line.kind, line.reference, line.amount) == (BreakKind.TIMING_ASOF, "BLOCK-3", 8 * ONE)


async def test_the_same_movement_without_a_later_booking_is_a_shortfall(book: BookOnChain) -> None:
    late = book.move("BLOCK-3", 8 * ONE, booked_at=START)
    book.mint_fill(book.order(OrderKind.SUBSCRIPTION, 8 * ONE, HOLDERS[2]), late, 8 * ONE)
    report = await book.reconcile()
    assert kinds(report) == {BreakKind.QUANTITY_SHORT}
    assert amounts(report) == {"custody": 8 * ONE}


async def test_shares_that_left_custody_for_an_accepted_redemption_are_pending_not_short(book: BookOnChain) -> None:
    out = book.move("OUT-2", 30 * ONE, out=True)
    book.clock.advance(600)
    book.statements.append(book.statement(0))
    report = await book.reconcile()
    (found,) = report.all_breaks
    assert (found.found.kind, found.found.amount) == (BreakKind.PENDING_SETTLEMENT, 30 * ONE)
    assert found.found.effect is BreakEffect.WARN
    assert found.found.reference == out.hash.hex()
    assert apple(report).custody.surplus == 0


async def test_shares_that_arrived_and_are_not_minted_are_pending_not_over(book: BookOnChain) -> None:
    arrived = book.move("BLOCK-3", 8 * ONE)
    book.mint_fill(book.order(OrderKind.SUBSCRIPTION, 5 * ONE), arrived, 5 * ONE)
    book.clock.advance(600)
    book.statements.append(book.statement(0))
    report = await book.reconcile()
    assert kinds(report) == {BreakKind.PENDING_SETTLEMENT}
    assert amounts(report) == {arrived.hash.hex(): 3 * ONE}


async def test_statements_from_before_a_multiplier_change_are_a_corporate_action_in_flight(book: BookOnChain) -> None:
    now = book.now
    book.patch(book.mint, book.extension(25) + 48, struct.pack("<d", 2.0))
    book.patch(book.mint, book.extension(25) + 40, (now - 1).to_bytes(8, "little", signed=True))
    book.change(
        accounts.Security,
        book.security,
        lambda s: replace(s, pending_multiplier=2 * 10**18, multiplier_effective_at=now - 1),
    )
    book.executed(10**18, 2 * 10**18, now - 1)
    report = await book.reconcile()
    assert kinds(report) == {BreakKind.CA_IN_FLIGHT}
    assert amounts(report) == {"multiplier": -955 * ONE}
    assert apple(report).custody.required == 1_910 * ONE


# Custody and statements -----------------------------------------------------------------------------------------------


async def test_without_a_statement_nothing_is_said_to_be_backed(book: BookOnChain) -> None:
    book.statements.clear()
    report = await book.reconcile()
    assert {(each.found.kind, each.found.reference) for each in report.all_breaks} == {
        (BreakKind.GAP, "statement"),
        (BreakKind.GAP, "attested"),
    }
    assert apple(report).custody.held is None
    assert apple(report).custody.surplus is None


async def test_a_traded_statement_is_never_compared(book: BookOnChain) -> None:
    book.clock.advance(600)
    book.statements.append(book.statement(0, basis=Basis.TRADED, shares=0))
    report = await book.reconcile()
    assert kinds(report) == {BreakKind.BASIS_MISMATCH}
    assert apple(report).custody.held == 955 * ONE


async def test_pledged_shares_are_not_counted_and_are_missing(book: BookOnChain) -> None:
    book.clock.advance(600)
    line = HoldingLine(APPLE, Quantity(book.custody(0, book.now), 6), sub_balances=(SubBalance("PLED", Quantity(7)),))
    book.statements.append(book.statement(0, lines=(line,)))
    report = await book.reconcile()
    assert {each.found.kind: each.found.amount for each in report.all_breaks} == {
        BreakKind.ENCUMBERED: 7 * ONE,
        BreakKind.QUANTITY_SHORT: 7 * ONE,
    }


async def test_an_old_statement_is_stale(book: BookOnChain) -> None:
    book.clock.advance(DAY + 1)
    report = await book.reconcile()
    assert kinds(report) == {BreakKind.STALE_STATEMENT}
    assert {each.found.account for each in report.breaks} == {"ACC-1", "ACC-2"}


async def test_a_statement_of_an_undeclared_account_is_the_wrong_account(book: BookOnChain) -> None:
    book.statements.append(replace(book.statements[0], account="ACC-9", statement_id="X"))
    report = await book.reconcile()
    (found,) = report.breaks
    assert (found.found.kind, found.found.account) == (BreakKind.WRONG_ACCOUNT, "ACC-9")


async def test_another_instrument_in_the_account_is_unknown(book: BookOnChain) -> None:
    book.clock.advance(600)
    statement = book.statement(0)
    amazon = HoldingLine("US0231351067", Quantity(7))
    book.statements.append(replace(statement, lines=(*statement.lines, amazon)))
    report = await book.reconcile()
    (found,) = report.breaks
    assert (found.found.kind, found.found.instrument) == (BreakKind.UNKNOWN_ISIN, "US0231351067")


async def test_an_earlier_isin_on_a_statement_is_a_renumbering(book: BookOnChain) -> None:
    book.change(accounts.Security, book.security, lambda s: replace(s, previous_isin=b"US0231351067"))
    book.clock.advance(600)
    statement = book.statement(0)
    book.statements.append(replace(statement, lines=(*statement.lines, HoldingLine("US0231351067", Quantity(7)))))
    assert kinds(await book.reconcile()) == {BreakKind.ISIN_CHANGED}


async def test_another_statement_under_the_same_name_conflicts(book: BookOnChain) -> None:
    book.statements.insert(0, replace(book.statements[0], source_hashes=(digest("other"),), received_at=START))
    report = await book.reconcile()
    assert kinds(report) == {BreakKind.CONFLICTING_STATEMENT}


async def test_conflicting_statements_are_used_for_nothing_and_are_one_break(book: BookOnChain) -> None:
    one = book.statement(0, shares=0)
    report = await book.reconcile(conflicting=[one, replace(one, source_hashes=(digest("other"),))])
    (found,) = report.breaks
    assert (found.found.kind, found.found.reference) == (BreakKind.CONFLICTING_STATEMENT, one.statement_id)
    assert apple(report).custody.held == 955 * ONE


async def test_a_reserve_that_counts_other_redemptions_than_its_attestation_is_a_break(book: BookOnChain) -> None:
    book.change(accounts.Security, book.security, lambda s: replace(s, reserve_redeemed=s.reserve_redeemed - 5))
    assert kinds(await book.reconcile()) == {BreakKind.RESERVE_MISMATCH}


async def test_a_movement_that_is_only_instructed_explains_nothing(book: BookOnChain) -> None:
    movement = BookedMovement(LEI, "ACC-1", "BLOCK-3", MovementDirection.RECEIVED, 8 * ONE)
    book.movements.append((movement, CUSTODY[1]))
    assert (await book.reconcile()).is_clean
    book.mint_fill(book.order(OrderKind.SUBSCRIPTION, 8 * ONE, HOLDERS[2]), movement, 8 * ONE)
    assert amounts(await book.reconcile()) == {"custody": 8 * ONE}


async def test_accounts_that_are_not_the_listed_ones_are_the_wrong_accounts(book: BookOnChain) -> None:
    first, other = book.declared
    elsewhere = CustodyAccount(LEI, "ACC-1-OLD")
    declared = (replace(first, accounts=(*CUSTODY, elsewhere)), other)
    book.statements.append(replace(book.statement(0, shares=0), account=elsewhere.account))
    report = await book.reconcile(declared=declared)
    assert {(each.found.kind, each.found.reference) for each in report.all_breaks} == {
        (BreakKind.WRONG_ACCOUNT, "custody_accounts"),
        # No line of the attestation is of that account.
        (BreakKind.RESERVE_MISMATCH, "attested"),
    }


async def test_a_reserve_that_statements_do_not_say_is_a_break(book: BookOnChain) -> None:
    book.attest([book.statements[0], book.statement(1, as_of=book.statements[1].as_of, shares=195 * ONE)])
    report = await book.reconcile()
    (found,) = report.all_breaks
    assert (found.found.kind, found.found.amount) == (BreakKind.RESERVE_MISMATCH, 100 * ONE)


async def test_a_reserve_in_force_that_its_attestation_does_not_have_is_a_break(book: BookOnChain) -> None:
    book.change(accounts.Security, book.security, lambda s: replace(s, reserve=s.reserve + 3))
    report = await book.reconcile()
    (found,) = report.all_breaks
    assert (found.found.kind, found.found.amount, found.found.reference) == (BreakKind.RESERVE_MISMATCH, 3, "in force")


async def test_newer_statements_do_not_disturb_the_attested_ones(book: BookOnChain) -> None:
    book.clock.advance(600)
    book.statements += [book.statement(0), book.statement(1, shares=95 * ONE)]
    assert (await book.reconcile()).is_clean


# Our order book -------------------------------------------------------------------------------------------------------


async def test_an_order_that_we_do_not_know_is_a_break(book: BookOnChain) -> None:
    book.order(OrderKind.SUBSCRIPTION, 6 * ONE)
    known = book.orders.pop()
    report = await book.reconcile()
    assert amounts(report) == {f"{known.address}/unknown": 6 * ONE}
    assert kinds(report) == {BreakKind.ORDER_MISMATCH}


async def test_an_order_of_another_quantity_differs_by_it(book: BookOnChain) -> None:
    book.orders[0] = replace(book.orders[0], quantity=book.orders[0].quantity - 2)
    report = await book.reconcile()
    assert kinds(report) == {BreakKind.ORDER_MISMATCH}
    assert amounts(report) == {f"{book.orders[0].address}/differs": 2}


async def test_an_order_that_never_came_on_chain_is_a_break(book: BookOnChain) -> None:
    book.orders.append(BookedOrder(key("nowhere"), OrderKind.SUBSCRIPTION, 5))
    report = await book.reconcile()
    assert amounts(report) == {f"{key('nowhere')}/missing": 5}


async def test_a_fill_with_a_movement_that_we_do_not_know_is_a_break(book: BookOnChain) -> None:
    (unknown, _), *book.movements = book.movements
    report = await book.reconcile()
    assert kinds(report) == {BreakKind.MOVEMENT_MISMATCH}
    assert amounts(report) == {f"{unknown.hash.hex()}/unknown": 900 * ONE}


async def test_a_movement_of_other_shares_differs_by_them(book: BookOnChain) -> None:
    movement, account = book.movements[0]
    book.movements[0] = replace(movement, shares=movement.shares - 1), account
    report = await book.reconcile()
    assert kinds(report) == {BreakKind.MOVEMENT_MISMATCH}
    assert amounts(report) == {f"{movement.hash.hex()}/differs": 1}


async def test_a_movement_the_other_way_differs(book: BookOnChain) -> None:
    movement, account = book.movements[0]
    book.movements[0] = replace(movement, direction=MovementDirection.DELIVERED), account
    assert kinds(await book.reconcile()) == {BreakKind.MOVEMENT_MISMATCH}


# Across runs ----------------------------------------------------------------------------------------------------------


async def test_a_break_ages_closes_and_reopens_under_one_id(book: BookOnChain) -> None:
    def escrow(by: int) -> None:
        book.change(accounts.Security, book.security, lambda s: replace(s, escrowed=s.escrowed + by))

    escrow(-1)
    (first_run,) = (await book.reconcile()).all_breaks
    started = book.now
    book.clock.advance(3_600)
    escrow(-1)
    (second_run,) = (await book.reconcile()).all_breaks
    assert (second_run.id, second_run.first_seen, second_run.age(book.now)) == (first_run.id, started, 3_600)
    assert (second_run.found.amount, second_run.state) == (-2, BreakState.OPEN)
    escrow(2)
    assert (await book.reconcile()).is_clean
    (closed,) = await book.breaks.records(bytes(book.security), open_only=False)
    assert (closed.state, closed.changed_at) == (BreakState.CLOSED, book.now)
    book.clock.advance(60)
    escrow(-1)
    (again,) = (await book.reconcile()).all_breaks
    assert (again.id, again.state, again.first_seen) == (first_run.id, BreakState.REOPENED, started)


async def test_the_report_is_canonical_json_with_what_is_backed(book: BookOnChain) -> None:
    report = await book.reconcile()
    document = json.loads(report.json())
    assert document["is_clean"] is True
    assert document["slot"] == report.slot
    security = next(each for each in document["securities"] if each["isin"] == APPLE)
    assert (security["held"], security["required"], security["surplus"]) == ("955000000", "955000000", "0")
    assert {each["account"] for each in security["statements"]} == {
        custody_account_hash(LEI, each.account).hex() for each in CUSTODY
    }


async def test_a_declared_security_that_is_not_listed_is_a_mistake_of_the_profile(book: BookOnChain) -> None:
    declared = (*book.declared, DeclaredSecurity(key("elsewhere"), CUSTODY))
    with pytest.raises(ConfigurationError, match=str(key("elsewhere"))):
        await book.reconcile(declared=declared)
