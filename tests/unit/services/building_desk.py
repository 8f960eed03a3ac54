"""A desk whose month is over: days closed and put on chain, books in memory, and a report to build."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from desk import ACCOUNT, SHARE
from reporting_desk import PERIOD, ReportingDesk
from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.store.breaks import MemoryBreakStore
from tallystick.adapters.store.closes import MemoryCloseStore
from tallystick.adapters.store.declarations import MemoryDeclarationStore
from tallystick.adapters.store.journal import CustodyMovement
from tallystick.adapters.store.reports import MemoryReportStore, ReportApproval, ReportPublication, StoredReport
from tallystick.domain.closes import DailyClose
from tallystick.domain.orders import MovementDirection
from tallystick.domain.report_anchors import day_number
from tallystick.domain.reserve_report.published import read_header
from tallystick.program.generated.instructions import close_day as close_day_instruction
from tallystick.program.generated.pdas import role_address
from tallystick.program.generated.types import CloseDayParams, RoleKind
from tallystick.services.daily_close import close_day
from tallystick.services.plans import Plan, new_action
from tallystick.services.reconciliation_custody import DeclaredSecurity
from tallystick.services.report_build import Built, build_report
from tallystick.services.report_inputs import ReportBooks, ReportProfile
from tallystick.services.report_publications import plan_publish_report

DAYS_TO_OCTOBER = 10
"""From the day on which desks begin, 2026-09-21, to the first of the next month."""
DAY = 86_400


class BuildingDesk(ReportingDesk):
    """`accounts` are the custody accounts by the profile, `inventory` the issuer's own wallets, by their names here."""

    def __init__(self) -> None:
        super().__init__()
        self.closes = MemoryCloseStore()
        self.breaks = MemoryBreakStore()
        self.books = ReportBooks(
            self.closes,
            self.statements,
            self.journal,
            self.breaks,
            self.payouts,
            MemoryDeclarationStore(),
            MemoryReportStore(),
        )
        self.accounts = (ACCOUNT,)
        self.inventory: tuple[str, ...] = ()
        self.uri = "https://reports.example.com"

    @property
    def declared(self) -> DeclaredSecurity:
        """What the profile says of the security."""
        return DeclaredSecurity(self.security, self.accounts, tuple(self[name] for name in self.inventory))

    @property
    def profile(self) -> ReportProfile:
        """What the issuer says of itself."""
        return ReportProfile({ACCOUNT.custodian_lei: "Example Custody"}, [self.declared], self.uri)

    async def end_day(self, seconds: int = DAY) -> DailyClose:
        """Close the day, and let so much time pass."""
        made = await close_day(
            self.chain,
            self.issuer,
            self.today,
            [self.declared],
            [each.statement for each in await self.statements.list()],
            self.closes,
            self.breaks,
            self.clock,
            registers=self.registers,
        )
        if seconds:
            self.warp(seconds)
        return made

    async def anchor(self, *closes: DailyClose) -> None:
        """Put closes on chain, all of them unless some are named."""
        publisher = self["publisher"]
        for close in closes or await self.closes.all(bytes(self.issuer)):
            instruction = close_day_instruction(
                publisher=publisher,
                role=role_address(self.issuer, RoleKind.PUBLISHER, publisher),
                issuer=self.issuer,
                params=CloseDayParams(day=day_number(close.day), close_hash=close.hash, as_of_slot=close.slot),
            )
            action = new_action(f"anchor:{close.day}", "anchor", instruction, self["payer"], (publisher, "publisher"))
            await self.run(Plan("anchor", (action,)))

    def book(self, reference: str, shares: int, booked_at: int, *, is_out: bool = False) -> CustodyMovement:
        """A movement of our own journal."""
        direction = MovementDirection.DELIVERED if is_out else MovementDirection.RECEIVED
        return CustodyMovement(
            ACCOUNT.custodian_lei,
            ACCOUNT.account,
            reference,
            direction,
            shares,
            bytes(self.security),
            self.now,
            booked_at,
        )

    async def month(self) -> list[DailyClose]:
        """Two holders, statements, two closed days, the month over and its closes on chain."""
        await self.begin()
        await self.journal.record(self.book("IN S-1", 300 * SHARE, self.now))
        await self.journal.record(self.book("IN S-2", 200 * SHARE, self.now))
        await self.give("alice", 300 * SHARE, "s-1")
        await self.give("bob", 200 * SHARE, "s-2")
        await self.attest(500 * SHARE)
        closes = [await self.end_day()]
        await self.move("alice", "heir", 7 * SHARE)
        await self.attest(510 * SHARE)
        closes.append(await self.end_day())
        self.warp((DAYS_TO_OCTOBER - 2) * DAY)
        await self.anchor()
        return closes

    async def build(self, chain: Chain | None = None, **changes: Any) -> Built:
        """The report, without a drawn day unless it is wanted."""
        profile = replace(self.profile, **{key: changes.pop(key) for key in ("uri",) if key in changes})
        return await build_report(
            chain or self.chain,
            self.books,
            profile,
            self.issuer,
            changes.pop("period", PERIOD),
            self.clock,
            **({"is_draw_needed": False} | changes),
        )

    async def publish(self, report: StoredReport) -> StoredReport:
        """Approved by anybody, and its hash on chain; no file is written."""
        name = (report.issuer, report.period, report.version, report.digest)
        await self.books.reports.approve(*name, ReportApproval(b"k" * 32, b"s" * 64, self.now))
        await self.books.reports.begin_publication(*name)
        plan = await plan_publish_report(
            self.chain, read_header(report.content), payer=self["payer"], publisher=self["publisher"]
        )
        [done] = await self.run(plan)
        return await self.books.reports.published(
            *name, ReportPublication(bytes(done.signature or b""), done.slot or 0, self.now)
        )

    async def reports(self) -> Sequence[StoredReport]:
        """Everything that is kept."""
        return await self.books.reports.list(bytes(self.issuer))
