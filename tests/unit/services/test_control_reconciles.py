"""What compliance and the admin did on purpose is no break: frozen, seized, permissioned, another policy or name."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from controlling_desk import ControllingDesk
from desk import ACCOUNT, DAY, ISIN, SHARE, movement
from tallystick.domain.breaks import BreakKind
from tallystick.services.books import read_books
from tallystick.services.movements import Part
from tallystick.services.reconciliation_custody import DeclaredSecurity
from tallystick.services.reconciliation_mint import mint_breaks
from tallystick.services.securities import CustodyAccount
from tallystick.services.security_metadata import Metadata, plan_announce_metadata, plan_update_metadata
from tallystick.services.security_policy import plan_update_policy
from test_reconciliation_program import Backoffice

OTHER = CustodyAccount(ACCOUNT.custodian_lei, "SAFE 2")


@dataclass
class Office(Backoffice):
    """The same books, of a desk with control."""

    accounts: tuple[CustodyAccount, ...] = (ACCOUNT,)

    @property
    def declared(self) -> list[DeclaredSecurity]:
        return [DeclaredSecurity(self.desk.security, self.accounts, (self.desk["bob"],))]

    async def mint(self, shares: int = 1_000 * SHARE) -> None:
        """All the shares that are attested, to alice."""
        self.statements = [each.statement for each in await self.desk.statements.list()]
        self.booked("BLOCK 1", shares, self.statements[0].as_of - 60)
        order = await self.subscribe("alice", shares, "S1")
        await self.desk.run(await self.desk.plan_settle(movement("BLOCK 1", shares), Part(order, shares)))


async def policy(desk: ControllingDesk, *accounts: CustodyAccount, **changes: int) -> tuple[str, ...]:
    plan = await plan_update_policy(
        desk.chain, payer=desk["payer"], security=desk.security, changes=changes, custody_accounts=accounts or None
    )
    await desk.run(plan)
    return plan.notes


@pytest.fixture
async def desk() -> ControllingDesk:
    desk = ControllingDesk()
    await desk.ready()
    return desk


async def test_what_is_frozen_and_what_was_seized_is_clean_and_told_apart(desk: ControllingDesk) -> None:
    office = Office(desk)
    await office.mint()
    await desk.run(await desk.plan_name())
    desk.warp(2)
    await desk.run(await desk.plan_freeze())
    await desk.run(await desk.plan_propose(raw=300 * SHARE))
    await desk.run(await desk.plan_seize())
    report = await office.reconcile()
    assert report.is_clean, report.all_breaks
    [security] = report.securities
    assert (security.classes.frozen, security.classes.holders) == (700 * SHARE, 300 * SHARE)
    assert security.holders == 2


async def test_a_permissioned_security_is_clean_and_another_default_state_is_a_break() -> None:
    desk = ControllingDesk()
    await desk.ready(permissioned=True)
    await desk.run(await desk.plan_thaw())
    office = Office(desk)
    await office.mint()
    report = await office.reconcile()
    assert report.is_clean, report.all_breaks
    [book] = (await read_books(desk.chain, desk.issuer, desk.clock)).securities
    assert mint_breaks(book) == ()
    other = replace(book, security=replace(book.security, permissioned=False))
    assert [(each.kind, each.reference) for each in mint_breaks(other)] == [
        (BreakKind.MINT_MISMATCH, "default account state")
    ]


async def test_custody_accounts_that_wait_are_asked_for_only_once_they_count(desk: ControllingDesk) -> None:
    office = Office(desk)
    await office.mint()
    await policy(desk, ACCOUNT, OTHER)
    assert (await office.reconcile()).is_clean
    desk.warp(2)
    office.accounts = (ACCOUNT, OTHER)
    office.statements += [await desk.receive(600 * SHARE), await desk.receive(400 * SHARE, OTHER)]
    await desk.run(await desk.plan_attest(ACCOUNT, OTHER))
    report = await office.reconcile()
    assert report.is_clean, report.all_breaks


async def test_a_policy_that_came_in_force_without_a_step_is_clean(desk: ControllingDesk) -> None:
    await policy(desk, supply_cap=500 * SHARE)
    await policy(desk, supply_cap=1_000 * SHARE)
    desk.warp(2)
    office = Office(desk)
    await office.mint()
    assert (await desk.listed()).policy.supply_cap == 500 * SHARE
    report = await office.reconcile()
    assert report.is_clean, report.all_breaks


async def test_a_cap_below_the_supply_is_said_before_it_shows(desk: ControllingDesk) -> None:
    office = Office(desk)
    await office.mint()
    notes = await policy(desk, supply_cap=999 * SHARE)
    assert any("UNAUTHORISED_SUPPLY" in note for note in notes)
    assert BreakKind.UNAUTHORISED_SUPPLY in await office.found()


async def test_other_names_are_clean_once_they_are_written(desk: ControllingDesk) -> None:
    office = Office(desk)
    await office.mint()
    new = Metadata("Another name, longer than the one before", "OTHER", "https://example.com/2", ISIN, b"u" * 32)
    await desk.run(await plan_announce_metadata(desk.chain, payer=desk["payer"], security=desk.security, metadata=new))
    desk.warp(DAY + 1)
    await desk.run(await plan_update_metadata(desk.chain, payer=desk["payer"], security=desk.security))
    await office.report(1_000 * SHARE)
    await office.attest()
    report = await office.reconcile()
    assert report.is_clean, report.all_breaks
