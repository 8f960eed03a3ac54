"""tally demo: the whole path once, on an embedded cluster, told step by step."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.panel import Panel
from rich.text import Text
from tallystick.errors import ConfigurationError
from tallystick.localnet import LocalnetServer, create_ledger

from tallystick_cli.command import command
from tallystick_cli.commands.close import Closed
from tallystick_cli.commands.init import make_key
from tallystick_cli.commands.reconcile import Reconciled
from tallystick_cli.context import Tally
from tallystick_cli.demo.cluster import DemoClock
from tallystick_cli.demo.dividend import DividendStory
from tallystick_cli.demo.month import MonthStory
from tallystick_cli.demo.narrator import Narrator
from tallystick_cli.demo.payout import DividendTold
from tallystick_cli.demo.refusals import Refusal
from tallystick_cli.demo.reporting import ReportStory, ReportTold
from tallystick_cli.demo.story import Story
from tallystick_cli.render import amount, facts, heading, shown_path, stack, table

MARK = ".tallystick-demo"

app = typer.Typer()


@dataclass(frozen=True, slots=True)
class Told:
    """What the demo showed and wrote. `seconds` is how long it took."""

    folder: Path
    closed: Closed
    clean: Reconciled
    dividend: DividendTold
    broken: Reconciled
    report: ReportTold
    refusals: tuple[Refusal, ...]
    commands: tuple[str, ...]
    transactions: int
    seconds: int
    is_serving: bool = False
    exit_code: int = 0

    def document(self) -> dict[str, object]:
        """Files, refusals, breaks and the command lines that did it."""
        return {
            "output": str(self.folder),
            "files": {name: str(path) for name, path in self.files()},
            "close": self.closed.close.hash.hex(),
            "first_reconciliation_is_clean": self.clean.report.is_clean,
            "dividend": self.dividend.document(),
            "second_reconciliation_breaks": [record.found.document() for record in self.broken.report.all_breaks],
            "report": self.report.document(),
            "refusals": [each.document() for each in self.refusals],
            "commands": list(self.commands),
            "transactions": self.transactions,
            "seconds": self.seconds,
        }

    def files(self) -> list[tuple[str, Path]]:
        """What was written, by name."""
        return [
            ("custodian's files", self.folder / "custodian"),
            ("statements as received", self.folder / "statements"),
            ("store", self.folder / "tallystick.sqlite3"),
            ("daily close", self.folder / "close-day-1.json"),
            ("clean reconciliation", self.folder / "reconciliation-day-1.json"),
            ("reconciliation with the break", self.folder / "reconciliation-day-2.json"),
            ("a holder's dividend, with proof", self.folder / "dividend-carla.json"),
            ("the month's report", self.report.page),
            ("all reports, for a web server", self.report.site),
            ("profile and keys", self.folder / "profile.toml"),
        ]

    def view(self) -> RenderableType:
        """The figures, what was refused, the break, and where everything is."""
        numbers = ["Tokens", "Shares required", "Held, day 1", "Held, day 2"]
        rows = table("Security", *numbers, "", right=numbers)
        for before, after in zip(self.clean.report.securities, self.broken.report.securities, strict=True):
            decimals = after.decimals
            held = [
                None if side.held is None else side.held + sum(line.amount for line in side.bridge)
                for side in (before.custody, after.custody)
            ]
            cells = ["?" if each is None else amount(each, decimals) for each in held]
            mark = Text("✓", style="green") if after.is_clean else Text("✗", style="bold red")
            rows.add_row(
                after.ticker, amount(after.supply, decimals), amount(after.custody.required, decimals), *cells, mark
            )
        found = [each.found.kind.value for each in self.broken.report.all_breaks]
        done = Text(
            f"{self.transactions} transactions in {self.seconds} s · {len(self.refusals)} attacks refused · "
            f"{self.report.closed.number} days closed · found and mended: {', '.join(found)}",
            style="dim",
        )
        paid = Text(self.dividend.line())
        reported = Text(
            f"The reserve report of {self.report.period} is published and on chain: "
            f"{len(self.report.verified.verified.checks)} checks by a stranger, and one changed unit was found."
        )
        files = facts([(name, shown_path(path)) for name, path in self.files()])
        profile = f"TALLY_PROFILE={shown_path(self.folder / 'profile.toml')}"
        if self.is_serving:
            going = Text(
                "The cluster goes on until Ctrl-C. In another terminal:\n"
                f"  {profile} tally status\n  {profile} tally report serve"
            )
        else:
            going = Text(
                f"The cluster ended with the demo. To go on with it: tally demo --serve, and in another terminal:\n"
                f"  {profile} tally status\n"
                "The report's page opens as a file too; served, a holder's browser fetches its own proof:\n"
                f"  {profile} tally report serve"
            )
        return Panel(
            stack(rows, paid, reported, done, heading("Written"), files, heading("Go on"), going),
            title="[bold]One token, one share, checked by anyone[/bold]",
            title_align="left",
            border_style="green",
        )


@command(
    app,
    "demo",
    examples=("tally demo", "tally demo --output /tmp/demo --serve   # then, in another terminal: tally status"),
)
async def demo(
    tally: Tally,
    output: Annotated[Path, typer.Option(help="Where everything is written; a former demo there is replaced.")] = Path(
        "demo-output"
    ),
    serve: Annotated[bool, typer.Option("--serve", help="Keep the cluster afterwards, until Ctrl-C.")] = False,
    port: Annotated[int, typer.Option(help="Port of the cluster; 0 takes a free one.", min=0, max=65535)] = 0,
) -> Told:
    """The whole path once: statement, attestation, tokens, redemption, dividend, a break, closes, a reserve report."""
    started = tally.clock.monotonic()
    folder = _fresh(output)
    clock = DemoClock(tally.clock)
    upgrade_key = folder / "keys" / "upgrade-authority.json"
    ledger = create_ledger(clock.cluster, upgrade_authority=make_key(upgrade_key))
    console = tally.err if tally.is_json else tally.out
    async with (
        LocalnetServer(ledger, port=port) as server,
        Tally(
            folder / "profile.toml", is_json=tally.is_json, is_yes=True, out=tally.out, err=tally.err, clock=clock
        ) as own,
    ):
        tell = Narrator(console)
        story = Story(own, clock, server.url, folder, upgrade_key, tell)
        await story.open_issuer()
        await story.list_shares()
        await story.approve_holders()
        await story.attest_reserve()
        await story.settle_subscriptions()
        refusals = await story.show_refusals()
        await story.redeem()
        closed, clean = await story.end_the_day()
        dividend = await DividendStory(own, clock, server.url, folder, tell).tell_all()
        broken = await story.show_break()
        await story.mend_break()
        await MonthStory(own, clock, server.url, folder, tell).tell_all()
        report = await ReportStory(own, clock, server.url, folder, tell).tell_all()
        await clock.catch_up(server.url)
        told = Told(
            folder,
            closed,
            clean,
            dividend,
            broken,
            report,
            refusals,
            tuple(tell.commands),
            ledger.transaction_count,
            round(tally.clock.monotonic() - started),
            is_serving=serve,
        )
        if serve and not tally.is_json:
            console.print()
            console.print(told.view())
            try:
                await server.wait()
            except asyncio.CancelledError:
                raise typer.Exit(0) from None
    return told


def _fresh(folder: Path) -> Path:
    """An empty folder for the demo. ConfigurationError when something else than a former demo is in it."""
    folder = folder.absolute()
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise ConfigurationError(
            f"{folder} is not empty, and no former demo wrote it.", hint="Name another folder with --output."
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / MARK).write_text("Written by tally demo, which replaces this folder.\n", encoding="utf-8")
    return folder
