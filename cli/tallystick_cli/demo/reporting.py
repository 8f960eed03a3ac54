"""The demo's monthly report: the month ends, its days go on chain; a report is built, approved, published, checked."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tallystick.domain.report_anchors import parse_period
from tallystick.domain.reserve_report.published import REPORT, version_folder
from tallystick.errors import LedgerError

from tallystick_cli.commands import close, report_build, report_days, report_declare, report_publish, report_verify
from tallystick_cli.commands.close import Closed
from tallystick_cli.commands.init import make_key
from tallystick_cli.commands.report_verify import ReportVerified
from tallystick_cli.context import Tally
from tallystick_cli.demo.cast import CUSTODIAN, CUSTODIAN_LEI, ISSUER
from tallystick_cli.demo.cluster import AFTER_MIDNIGHT, DemoClock
from tallystick_cli.demo.narrator import Narrator
from tallystick_cli.render import shown_path

OFFICER: Final = "Olga Example"
ADDRESS: Final = "https://reports.example.com"
DRAW_SECONDS: Final = 20
"""More than 32 slots, after which a slot's hash decides."""

DECLARED: Final = f'''\
[[custodians]]
lei = "{CUSTODIAN_LEI}"
name = "{CUSTODIAN}"
kind = "bank"
jurisdiction = "Liechtenstein"
regulator = "FMA"
account_title = "{ISSUER}, collateral account for token holders"
segregation = "segregated from the bank's own assets, held for the token holders"
liens = "none"

[assertion]
text = "We are responsible for this report, and we assert that the shares it says are held are held."
[[assertion.officers]]
name = "{OFFICER}"
title = "Chief Financial Officer"
'''


@dataclass(frozen=True, slots=True)
class ReportTold:
    """What was published and how it was checked; `refused` is what became of a copy with one figure changed."""

    closed: Closed
    period: str
    page: Path
    site: Path
    verified: ReportVerified
    refused: ReportVerified

    def document(self) -> dict[str, object]:
        """The period, the files, and what verification found of the report and of the changed copy."""
        return {
            "period": self.period,
            "page": str(self.page),
            "verified": self.verified.document(),
            "changed_copy": self.refused.document(),
        }


@dataclass(slots=True)
class ReportStory:
    """Told when the month's last day is over. `tally` signs without asking, `url` is its cluster."""

    tally: Tally
    clock: DemoClock
    url: str
    folder: Path
    tell: Narrator
    period: str = field(init=False)
    day: str = field(init=False)

    async def tell_all(self) -> ReportTold:
        """Every step. LedgerError when the report does not verify, or a changed one does."""
        today = self.clock.today().isoformat()
        self.day, self.period = today, today[:7]
        closed = await self.end_the_month()
        await self.declare()
        await self.build()
        site = self.folder / "reports"
        return await self.check(closed, site)

    async def end_the_month(self) -> Closed:
        """Five minutes after midnight the last day is closed; the closes go on chain, and a day is drawn."""
        self.tell.step(
            f"The month is over: {self.period} is closed, and a day of it is drawn",
            "Each close goes on chain as one running hash. A slot still to come picks the day that is looked at twice.",
        )
        await self.clock.next_day(self.url, AFTER_MIDNIGHT)
        closed = await self.tell.run(f"tally close {self.day}", close.close(self.tally, self.day))
        await self.tell.run("tally report anchor-days", report_days.anchor_days(self.tally))
        await self.tell.run(f"tally report draw {self.period}", self._draw())
        return closed

    async def declare(self) -> None:
        """What no chain shows: the custodian's terms, and management's assertion, signed."""
        self.tell.step(
            "What no chain shows is declared",
            "The custodian's terms, and an officer's signed assertion. What is not declared is said to be absent.",
        )
        file = self.folder / f"declared-{self.period}.toml"
        file.write_text(DECLARED, encoding="utf-8")

        def write(document: dict[str, Any]) -> None:
            document["report"] = {"uri": ADDRESS}

        self.tally.change_profile(write)
        await self.tell.run(
            f"tally report declare {self.period} {shown_path(file)}",
            report_declare.declare(self.tally, self.period, file),
            is_shown=False,
        )
        key = self.folder / "keys" / "officer.json"
        make_key(key)
        await self.tell.run(
            f"tally report assert {self.period} --officer '{OFFICER}' --key {shown_path(key)}",
            report_declare.assert_month(self.tally, self.period, officer=OFFICER, key=key),
            is_shown=False,
        )

    async def build(self) -> None:
        """Built from chain, closes and statements; agreed to by a second person; published to a folder and on chain."""
        self.tell.step(
            "The reserve report: built, approved by a second person, published",
            "Every figure of the chain is read anew and compared with the closes. The hash goes on chain last.",
        )
        await self.tell.run(f"tally report build {self.period}", report_build.build(self.tally, self.period))
        await self.tell.run(
            f"tally report approve {self.period}", report_publish.approve(self.tally, self.period), is_shown=False
        )
        await self.tell.run(f"tally report publish {self.period}", report_publish.publish(self.tally, self.period))

    async def check(self, closed: Closed, site: Path) -> ReportTold:
        """As a stranger does: with the file and an endpoint. Then a copy with one figure changed."""
        self.tell.step(
            "A stranger checks it, with the file and any RPC endpoint",
            "Nothing is believed but the chain: figures are recomputed, PDF and page are made again from the file.",
        )
        file = site / version_folder(parse_period(self.period), 1) / REPORT
        verified = await self.tell.run(
            f"tally report verify {shown_path(file)} --url {self.url}",
            report_verify.report_verify(self.tally, file, url=self.url),
        )
        if verified.exit_code:
            raise LedgerError("Expected the report to hold.", hint="Report this: it is a defect.")
        changed = self.folder / "report-changed.json"
        document = json.loads(file.read_bytes())
        document["tokens"][0]["supply"] = str(int(document["tokens"][0]["supply"]) - 1)
        changed.write_text(json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False))
        self.tell.say("The same report with one unit of one supply changed:")
        refused = await self.tell.run(
            f"tally report verify {shown_path(changed)} --url {self.url}",
            report_verify.report_verify(self.tally, changed, url=self.url),
            is_shown=False,
        )
        if not refused.exit_code:
            raise LedgerError("Expected the changed report to be refused.", hint="Report this: it is a defect.")
        self.tell.print("", refused.outcome())
        return ReportTold(closed, self.period, file.parent / "index.html", site, verified, refused)

    async def _draw(self) -> report_days.Drawn:
        """Draw, and let the slots pass that it waits for."""
        drawing = asyncio.create_task(report_days.draw(self.tally, self.period))
        await self.clock.sleep(1)
        await self.clock.warp(self.url, DRAW_SECONDS)
        return await drawing
