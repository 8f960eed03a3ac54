"""Books made by the program itself, through the plans that operators run, reconcile clean at every step."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from desk import ACCOUNT, DECIMALS, ISIN, SHARE, Desk, movement
from solders.pubkey import Pubkey
from tallystick.adapters.store.breaks import MemoryBreakStore
from tallystick.adapters.store.closes import MemoryCloseStore
from tallystick.adapters.store.registers import MemoryRegisterStore
from tallystick.domain.breaks import BreakKind
from tallystick.domain.holdings import StatementOfHoldings
from tallystick.domain.orders import MovementDirection, OrderKind
from tallystick.program import addresses
from tallystick.program.generated.types import RoleKind
from tallystick.services.corrections import plan_correct_fill
from tallystick.services.daily_close import close_day, verify_closes
from tallystick.services.holds import Scope, plan_place_hold
from tallystick.services.movements import Part
from tallystick.services.reconciliation import ReconciliationReport, reconcile
from tallystick.services.reconciliation_custody import DeclaredSecurity
from tallystick.services.reconciliation_orders import BookedMovement, BookedOrder, MemoryOrderBook
from tallystick.services.redemption import (
    plan_accept_redemption,
    plan_cancel_redemption,
    plan_request_redemption,
    plan_settle_redemption,
)


@dataclass
class Backoffice:
    """A desk, our order book, the statements received, and what was found so far."""

    desk: Desk
    book: MemoryOrderBook = field(default_factory=MemoryOrderBook)
    breaks: MemoryBreakStore = field(default_factory=MemoryBreakStore)
    statements: list[StatementOfHoldings] = field(default_factory=list)

    @property
    def declared(self) -> list[DeclaredSecurity]:
        return [DeclaredSecurity(self.desk.security, (ACCOUNT,), (self.desk["bob"],))]

    def booked(self, reference: str, shares: int, at: int, *, out: bool = False) -> None:
        direction = MovementDirection.DELIVERED if out else MovementDirection.RECEIVED
        self.book.record_movement(
            self.desk.security, BookedMovement(ACCOUNT.custodian_lei, ACCOUNT.account, reference, direction, shares, at)
        )

    async def subscribe(self, name: str, shares: int, reference: str) -> Pubkey:
        order = await self.desk.subscribe(name, shares, reference)
        self.book.record_order(self.desk.security, BookedOrder(order, OrderKind.SUBSCRIPTION, shares))
        return order

    async def redeem(self, name: str, raw: int, reference: str) -> Pubkey:
        await self.desk.run(
            await plan_request_redemption(
                self.desk.chain,
                payer=self.desk["payer"],
                security=self.desk.security,
                wallet=self.desk[name],
                reference=reference,
                raw=raw,
            )
        )
        order = self.desk.order(name, reference)
        self.book.record_order(self.desk.security, BookedOrder(order, OrderKind.REDEMPTION, raw))
        return order

    async def accept(self, order: Pubkey) -> None:
        await self.desk.run(
            await plan_accept_redemption(
                self.desk.chain, payer=self.desk["payer"], operator=self.desk["operator"], order=order
            )
        )

    async def report(self, shares: int) -> None:
        self.desk.warp(1)
        self.statements.append(await self.desk.receive(shares))

    async def attest(self) -> None:
        await self.desk.run(await self.desk.plan_attest())

    async def reconcile(self) -> ReconciliationReport:
        return await reconcile(
            self.desk.chain, self.desk.issuer, self.declared, self.statements, self.book, self.breaks, self.desk.clock
        )

    async def found(self) -> dict[BreakKind, int | None]:
        return {each.found.kind: each.found.amount for each in (await self.reconcile()).all_breaks}


@pytest.fixture
async def office(ready: Desk) -> Backoffice:
    """A thousand shares came, were attested, and all were minted: 990 to alice, 10 to bob, the issuer's inventory."""
    office = Backoffice(ready)
    office.statements = [each.statement for each in await ready.statements.list()]
    office.booked("BLOCK 1", 1_000 * SHARE, office.statements[0].as_of - 60)
    orders = [
        (await office.subscribe(name, shares, reference), shares)
        for name, shares, reference in (("alice", 990 * SHARE, "S1"), ("bob", 10 * SHARE, "S2"))
    ]
    block = movement("BLOCK 1", 1_000 * SHARE)
    await ready.run(await ready.plan_settle(block, *(Part(order, shares) for order, shares in orders)))
    return office


async def test_a_security_that_was_just_listed_is_clean(desk: Desk) -> None:
    await desk.initialize()
    await desk.grant_all()
    await desk.list()
    report = await Backoffice(desk).reconcile()
    assert report.is_clean
    assert report.securities[0].custody.held is None


async def test_an_issuer_without_securities_is_clean(desk: Desk) -> None:
    await desk.initialize()
    report = await reconcile(desk.chain, desk.issuer, [], [], MemoryOrderBook(), MemoryBreakStore(), desk.clock)
    assert (report.is_clean, report.securities) == (True, ())


async def test_minted_in_full_is_clean_and_backed_to_the_share(office: Backoffice) -> None:
    report = await office.reconcile()
    assert [each.found.message for each in report.all_breaks] == []
    custody = report.securities[0].custody
    assert (custody.held, custody.required, custody.surplus) == (1_000 * SHARE, 1_000 * SHARE, 0)
    assert report.securities[0].classes.inventory == 10 * SHARE


async def test_a_redemption_is_clean_while_it_waits_and_pending_once_its_shares_left(office: Backoffice) -> None:
    desk = office.desk
    order = await office.redeem("alice", 40 * SHARE, "R1")
    assert await office.found() == {}
    await office.accept(order)
    assert await office.found() == {}
    desk.warp(1)
    office.booked("OUT 1", 40 * SHARE, desk.now, out=True)
    assert await office.found() == {BreakKind.PENDING_SETTLEMENT: 40 * SHARE}
    await desk.run(
        await plan_settle_redemption(
            desk.chain,
            payer=desk["payer"],
            operator=desk["operator"],
            security=desk.security,
            movement=movement("OUT 1", 40 * SHARE),
            parts=[Part(order, 40 * SHARE)],
        )
    )
    # The statement is from before the delivery: the named movement bridges the two.
    report = await office.reconcile()
    assert report.is_clean
    assert [line.amount for line in report.securities[0].custody.bridge] == [-40 * SHARE]
    await office.report(960 * SHARE)
    await office.attest()
    report = await office.reconcile()
    assert report.is_clean
    assert (report.securities[0].reserve, report.securities[0].custody.bridge) == (960 * SHARE, ())


async def test_a_statement_ten_shares_short_is_short_by_ten_shares(office: Backoffice) -> None:
    await office.report(990 * SHARE)
    assert await office.found() == {BreakKind.QUANTITY_SHORT: 10 * 10**DECIMALS}
    await office.report(1_000 * SHARE)
    assert await office.found() == {}


async def test_an_accepted_redemption_that_was_attested_and_returned_is_clean(office: Backoffice) -> None:
    desk = office.desk
    order = await office.redeem("alice", 40 * SHARE, "R1")
    await office.accept(order)
    await office.report(1_000 * SHARE)
    await office.attest()
    assert await office.found() == {}
    await desk.run(
        await plan_cancel_redemption(
            desk.chain, payer=desk["payer"], authority=desk["operator"], order=order, reason_code=1
        )
    )
    assert await office.found() == {}


async def test_a_correction_is_clean_once_the_shares_that_never_came_are_gone(office: Backoffice) -> None:
    desk = office.desk
    await office.report(996 * SHARE)
    assert await office.found() == {BreakKind.QUANTITY_SHORT: 4 * SHARE}
    order = desk.order("bob", "S2")
    await desk.run(
        await plan_correct_fill(
            desk.chain,
            payer=desk["payer"],
            operator=desk["operator"],
            inventory_owner=desk["bob"],
            fill=addresses.fill_address(movement("BLOCK 1", 1_000 * SHARE).address(desk.security), order),
            corrected_raw=4 * SHARE,
        )
    )
    assert await office.found() == {}


async def test_holds_are_clean(office: Backoffice) -> None:
    desk = office.desk
    await desk.run(
        await plan_place_hold(
            desk.chain,
            payer=desk["payer"],
            security=desk.security,
            owner=desk["compliance"],
            kind=RoleKind.COMPLIANCE,
            reference="H1",
            scope=Scope.TRANSFER,
            reason_code=1,
            reason="a test",
        )
    )
    assert await office.found() == {}


async def test_a_holder_that_ordered_past_our_books_is_found(office: Backoffice) -> None:
    desk = office.desk
    await desk.run(
        await plan_request_redemption(
            desk.chain,
            payer=desk["payer"],
            security=desk.security,
            wallet=desk["alice"],
            reference="OWN",
            raw=3 * SHARE,
        )
    )
    assert await office.found() == {BreakKind.ORDER_MISMATCH: 3 * SHARE}


async def test_the_day_closes_over_what_the_program_made(office: Backoffice) -> None:
    desk, closes = office.desk, MemoryCloseStore()
    report = await office.reconcile()
    made = await close_day(
        desk.chain,
        desk.issuer,
        "2026-09-21",
        office.declared,
        office.statements,
        closes,
        office.breaks,
        desk.clock,
        registers=MemoryRegisterStore(),
    )
    (security,) = made.securities
    assert (security.isin, security.supply, security.holders) == (ISIN, 1_000 * SHARE, 2)
    assert security.register_root == report.securities[0].register_root
    assert [each.quantity for each in security.statements] == [1_000 * SHARE]
    assert await verify_closes(closes, desk.issuer) == (made,)
