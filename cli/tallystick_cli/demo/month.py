"""The demo's other days: a close each night; each morning a statement, an attestation and a reconciliation."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from tallystick.errors import LedgerError

from tallystick_cli.commands import attest, close, order, reconcile
from tallystick_cli.commands import statement as statements
from tallystick_cli.context import Tally
from tallystick_cli.demo.cast import APPLE, PURCHASES, REDEEMED, SHARES, Purchase
from tallystick_cli.demo.cluster import AFTER_MIDNIGHT, HOUR, MORNING, DemoClock
from tallystick_cli.demo.narrator import Narrator
from tallystick_cli.demo.statements import write_statement
from tallystick_cli.render import instant_text, shown_path

WEEK = 7


@dataclass(slots=True)
class MonthStory:
    """Told from the second day's evening on. `tally` signs without asking, `url` is its cluster."""

    tally: Tally
    clock: DemoClock
    url: str
    folder: Path
    tell: Narrator
    held: dict[str, Decimal] = field(init=False)
    """Shares in custody, by symbol."""

    def __post_init__(self) -> None:
        self.held = {share.symbol: Decimal(share.shares) for share in SHARES}
        self.held[APPLE.symbol] -= Decimal(REDEEMED)

    async def tell_all(self) -> None:
        """Every day until the morning of the month's last. LedgerError when a day is not clean."""
        self.tell.step(
            "The month goes on, day by day",
            "Each night a close, each morning a statement and a reconciliation; attested weekly and before a mint.",
        )
        self.tell.print("")
        day = self.clock.today()
        while (following := day + timedelta(days=1)).month == day.month:
            await self.clock.next_day(self.url, AFTER_MIDNIGHT)
            await self.tell.run_quietly(f"tally close {day}", close.close(self.tally, str(day)))
            self.tell.mark(f"{day.day} ✓")
            await self.clock.warp(self.url, MORNING - AFTER_MIDNIGHT)
            await self._morning(following)
            day = following
        self.tell.print("")

    async def _morning(self, day: date) -> None:
        purchase = PURCHASES.get(day.day)
        if purchase is not None:
            self.held[purchase.share.symbol] += Decimal(purchase.shares)
        now = self.clock.now()
        file = write_statement(
            self.folder / "custodian", f"STMT-{day}", now - 60, {name: f"{held:f}" for name, held in self.held.items()}
        )
        await self.tell.run_quietly(f"tally statement add {shown_path(file)}", statements.add(self.tally, [file]))
        if purchase is not None or day.day % WEEK == 0 or (day + timedelta(days=1)).month != day.month:
            await self.tell.run_quietly("tally attest --all", attest.attest(self.tally, all_=True))
        if purchase is not None:
            await self._settle(purchase, instant_text(now - HOUR) or "")
        found = await self.tell.run_quietly("tally reconcile", reconcile.reconcile_now(self.tally))
        if not found.report.is_clean:
            raise LedgerError(f"Expected a clean reconciliation on {day}.", hint="Report this: it is a defect.")

    async def _settle(self, bought: Purchase, booked_at: str) -> None:
        """A holder's order and the block of shares that settles it."""
        symbol, moved = bought.share.symbol, bought.shares
        await self.tell.run_quietly(
            f"tally order subscribe {symbol} {bought.holder} {moved} --reference {bought.reference}",
            order.subscribe(self.tally, symbol, bought.holder, moved, reference=bought.reference),
        )
        await self.tell.run_quietly(
            f"tally order settle {symbol} {bought.reference} --movement {bought.movement} --moved {moved} "
            f"--booked-at {booked_at}",
            order.settle(
                self.tally, symbol, [bought.reference], movement=bought.movement, moved=moved, booked_at=booked_at
            ),
        )
