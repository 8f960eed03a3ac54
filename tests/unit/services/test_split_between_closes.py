"""A change of the multiplier is no break while it waits nor once it is in force, and the register stays what it was."""

from __future__ import annotations

import struct
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from acting_desk import EVENT, NOTICE, WINDOW, ActingDesk
from desk import ACCOUNT, DAY, SHARE, movement
from tallystick.adapters.store.breaks import MemoryBreakStore
from tallystick.adapters.store.closes import MemoryCloseStore
from tallystick.adapters.store.registers import MemoryRegisterStore
from tallystick.domain.amounts import MULTIPLIER_ONE, multiplier_to_float_bits
from tallystick.domain.breaks import BreakKind
from tallystick.domain.closes import DailyClose
from tallystick.domain.holdings import StatementOfHoldings
from tallystick.domain.orders import MovementDirection, OrderKind
from tallystick.program.generated.types import ActionKind
from tallystick.program.token import TOKEN_2022_PROGRAM
from tallystick.services.daily_close import close_day, verify_closes
from tallystick.services.movements import Part
from tallystick.services.reconciliation import ReconciliationReport, reconcile
from tallystick.services.reconciliation_custody import DeclaredSecurity
from tallystick.services.reconciliation_orders import BookedMovement, BookedOrder, MemoryOrderBook


class Office:
    """A desk with 1,000 shares in custody and 400 tokens at alice, and its books."""

    def __init__(self, desk: ActingDesk) -> None:
        self.desk = desk
        self.book = MemoryOrderBook()
        self.breaks = MemoryBreakStore()
        self.closes = MemoryCloseStore()
        self.statements: list[StatementOfHoldings] = []

    @property
    def declared(self) -> list[DeclaredSecurity]:
        return [DeclaredSecurity(self.desk.security, (ACCOUNT,))]

    async def begin(self) -> None:
        await self.desk.ready(400 * SHARE)
        self.statements = [each.statement for each in await self.desk.statements.list()]
        order = await self.desk.subscribe("alice", 400 * SHARE, "s-1")
        await self.desk.run(await self.desk.plan_settle(movement("IN 1", 400 * SHARE), Part(order, 400 * SHARE)))
        booked = BookedMovement(
            ACCOUNT.custodian_lei,
            ACCOUNT.account,
            "IN 1",
            MovementDirection.RECEIVED,
            400 * SHARE,
            self.statements[0].as_of - 60,
        )
        self.book.record_movement(self.desk.security, booked)
        self.book.record_order(self.desk.security, BookedOrder(order, OrderKind.SUBSCRIPTION, 400 * SHARE))

    async def report(self, shares: int) -> None:
        """A new statement, attested."""
        self.desk.warp(1)
        self.statements.append(await self.desk.receive(shares))
        await self.desk.run(await self.desk.plan_attest())

    async def reconcile(self) -> ReconciliationReport:
        return await reconcile(
            self.desk.chain, self.desk.issuer, self.declared, self.statements, self.book, self.breaks, self.desk.clock
        )

    async def kinds(self) -> list[BreakKind]:
        return [each.found.kind for each in (await self.reconcile()).all_breaks]

    async def close(self) -> DailyClose:
        day = datetime.fromtimestamp(self.desk.now, UTC).date().isoformat()
        return await close_day(
            self.desk.chain,
            self.desk.issuer,
            day,
            self.declared,
            self.statements,
            self.closes,
            self.breaks,
            self.desk.clock,
            registers=MemoryRegisterStore(),
        )

    def patch_double(self, multiplier: int, effective_at: int) -> None:
        """Write the mint's new multiplier past the program."""
        account = self.desk.chain.ledger.account(self.desk.mint)
        assert account is not None
        assert account.owner == TOKEN_2022_PROGRAM
        old = struct.pack("<HH", 25, 56)
        value = account.data.index(old) + 4
        data = bytearray(account.data)
        data[value + 40 : value + 56] = struct.pack("<qQ", effective_at, multiplier_to_float_bits(multiplier))
        self.desk.chain.ledger.set_account(self.desk.mint, replace(account, data=bytes(data)))


@pytest.fixture
async def office() -> Office:
    office = Office(ActingDesk())
    await office.begin()
    return office


async def test_a_split_between_two_closes_leaves_every_balance_and_multiplies_what_is_required(office: Office) -> None:
    desk = office.desk
    first = await office.close()
    terms = desk.split(4, after=DAY)
    await desk.executed(terms)
    assert await office.kinds() == []
    await desk.until(terms.effective_at)
    assert await office.kinds() == [BreakKind.CA_IN_FLIGHT]
    desk.warp(1)
    office.statements.append(await desk.receive(1_600 * SHARE))
    plan = await desk.plan_attest()
    assert "from 1 to 4: 400 shares were attested before, which the change makes 1600 shares" in " ".join(plan.notes)
    await desk.run(plan)
    assert "First statement" not in " ".join((await desk.plan_attest()).notes)
    report = await office.reconcile()
    assert report.all_breaks == ()
    second = await office.close()
    before, after = first.securities[0], second.securities[0]
    assert (before.supply, before.register_root, before.holders) == (after.supply, after.register_root, after.holders)
    assert (before.multiplier, after.multiplier) == (MULTIPLIER_ONE, 4 * MULTIPLIER_ONE)
    assert (before.required, after.required, after.reserve) == (400 * SHARE, 1_600 * SHARE, 1_600 * SHARE)
    assert after.multiplier_bits == multiplier_to_float_bits(4 * MULTIPLIER_ONE)
    assert (await verify_closes(office.closes, desk.issuer)) == (first, second)
    assert report.securities[0].custody.surplus == 0


async def test_a_change_is_no_break_while_it_waits_nor_after_it_was_taken_back(office: Office) -> None:
    desk = office.desk
    terms = desk.split(1, 2)
    await desk.executed(terms, ActionKind.REVERSE_SPLIT)
    for moment in (desk.now, terms.effective_at - WINDOW, terms.effective_at - 1):
        await desk.until(moment)
        assert await office.kinds() == []
    await desk.run(await desk.plan_cancel())
    assert await office.kinds() == []
    await desk.until(terms.effective_at + 1)
    assert await office.kinds() == []


@pytest.mark.parametrize(("new", "old", "kind"), [(4, 1, ActionKind.FORWARD_SPLIT), (1, 2, ActionKind.REVERSE_SPLIT)])
async def test_a_custodian_who_books_the_change_early_is_in_flight_and_attestors_are_warned(
    office: Office, new: int, old: int, kind: ActionKind
) -> None:
    desk = office.desk
    await desk.executed(desk.split(new, old), kind)
    desk.warp(1)
    office.statements.append(await desk.receive(400 * SHARE * new // old))
    assert await office.kinds() == [BreakKind.CA_IN_FLIGHT]
    assert "Approve only if the custodian has not booked the change" in " ".join((await desk.plan_attest()).notes)


async def test_shares_that_are_short_while_a_change_waits_are_short(office: Office) -> None:
    desk = office.desk
    await desk.executed(desk.split(4))
    desk.warp(1)
    office.statements.append(await desk.receive(399 * SHARE))
    assert await office.kinds() == [BreakKind.QUANTITY_SHORT]


async def test_two_changes_in_a_row_are_clean_before_and_after_each(office: Office) -> None:
    desk = office.desk
    first, second = desk.split(2), desk.split(3, 2, after=4 * NOTICE)
    await desk.executed(first)
    await desk.approved(second, event="CA-2")
    await desk.until(first.effective_at)
    await office.report(800 * SHARE)
    assert await office.kinds() == []
    await desk.run(await desk.plan_execute(desk.at("CA-2")))
    assert await office.kinds() == []
    await desk.until(second.effective_at)
    await office.report(1_200 * SHARE)
    report = await office.reconcile()
    assert (report.all_breaks, report.securities[0].multiplier) == ((), 3 * MULTIPLIER_ONE)


async def test_a_change_of_the_mint_that_no_action_announced_is_a_break(office: Office) -> None:
    office.patch_double(2 * MULTIPLIER_ONE, office.desk.now)
    assert await office.kinds() == [BreakKind.MULTIPLIER_MISMATCH]


async def test_a_change_that_waits_in_the_mint_alone_or_at_another_time_is_a_break(office: Office) -> None:
    desk = office.desk
    office.patch_double(2 * MULTIPLIER_ONE, desk.now + 1_000)
    assert await office.kinds() == [BreakKind.MULTIPLIER_MISMATCH]
    office.patch_double(MULTIPLIER_ONE, 0)
    terms = desk.split(2)
    await desk.executed(terms)
    office.patch_double(2 * MULTIPLIER_ONE, terms.effective_at + 1)
    assert await office.kinds() == [BreakKind.MULTIPLIER_MISMATCH]
    assert (await desk.action(event=EVENT)).multiplier_after == 2 * MULTIPLIER_ONE
