"""tally reconcile: custodians, chain and order book against each other; exit 1 on breaks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from tallystick.domain.break_records import BreakRecord
from tallystick.domain.breaks import BreakEffect
from tallystick.services.reconciliation import ReconciliationReport, SecurityReport, reconcile

from tallystick_cli.command import command
from tallystick_cli.context import Tally
from tallystick_cli.failures import DONE, REFUSED
from tallystick_cli.files import write_file
from tallystick_cli.render import ago, amount, shown_path, stack, table, when, when_short, words

app = typer.Typer()
_STOPS: Final = frozenset({BreakEffect.HALT, BreakEffect.BLOCK_MINT, BreakEffect.QUARANTINE})
_EFFECTS: Final = {
    BreakEffect.HALT: "stop the security",
    BreakEffect.BLOCK_MINT: "mint nothing",
    BreakEffect.QUARANTINE: "use the document for nothing",
    BreakEffect.NOT_EVIDENCE: "attest nothing from it",
    BreakEffect.NOT_COUNTED: "not counted",
    BreakEffect.TICKET: "look at it",
    BreakEffect.WARN: "watch it",
    BreakEffect.NOTE: "for information",
}


@dataclass(frozen=True, slots=True)
class Reconciled:
    """One run's report."""

    report: ReconciliationReport
    written: Path | None = None

    @property
    def exit_code(self) -> int:
        """1 when anything differs."""
        return DONE if self.report.is_clean else REFUSED

    def document(self) -> dict[str, object]:
        """The report's own document: amounts as decimal text of base units."""
        document: dict[str, object] = json.loads(self.report.json())
        return document

    def view(self) -> RenderableType:
        """The securities, then every break with what it stops."""
        report = self.report
        place = Text(f"Chain at slot {report.slot}, {when(report.chain_time)} UTC", style="dim")
        written = Text(f"Written to {shown_path(self.written)}", style="dim") if self.written else None
        if report.is_clean:
            verdict = Text("✓ Clean: custodians, chain and order book agree to the last unit.", style="bold green")
            return stack(securities_table(report.securities), verdict, Group(place, *([written] if written else [])))
        number = len(report.all_breaks)
        verdict = Text(f"✗ {number} break{'' if number == 1 else 's'}", style="bold red")
        parts = [breaks_of(each.breaks, each.decimals, report.ran_at) for each in report.securities if each.breaks]
        general = breaks_of(report.breaks, 0, report.ran_at) if report.breaks else None
        return stack(
            securities_table(report.securities),
            verdict,
            *parts,
            general,
            Group(place, *([written] if written else [])),
        )


def securities_table(securities: tuple[SecurityReport, ...]) -> Table:
    """What is held against what is required, one line for each security."""
    numbers = ["Tokens", "Require", "Held", "Moved since", "Surplus"]
    rows = table("Security", *numbers, "Statement (UTC)", "", right=numbers)
    for each in securities:
        custody, decimals = each.custody, each.decimals
        bridge = sum(line.amount for line in custody.bridge)
        surplus = Text("?" if custody.surplus is None else amount(custody.surplus, decimals))
        if custody.surplus is None or custody.surplus < 0:
            surplus.stylize("bold red")
        rows.add_row(
            each.ticker,
            amount(each.supply, decimals),
            amount(custody.required, decimals),
            "?" if custody.held is None else amount(custody.held, decimals),
            amount(bridge, decimals) if bridge else "",
            surplus,
            when_short(custody.as_of or 0),
            Text("✓", style="green") if each.is_clean else Text("✗", style="red"),
        )
    return rows


def breaks_of(records: tuple[BreakRecord, ...], decimals: int, now: int) -> RenderableType:
    """Breaks below each other: kind, what it stops, whose it is, its age, and the message in full."""
    lines: list[RenderableType] = []
    for record in records:
        found = record.found
        effect = found.effect
        style = "red" if effect in _STOPS else "yellow"
        size = "" if found.amount is None else f" · {amount(found.amount, decimals)}"
        lines.append(
            Text.assemble(
                (found.kind.value, f"bold {style}"),
                (size, style),
                (f" · {_EFFECTS[effect] if effect else ''} · for {words(record.owner)}", "dim"),
                (f" · first seen {ago(record.first_seen, now)}", "dim"),
            )
        )
        lines.append(Padding(Text(found.message), (0, 0, 0, 2), expand=False))
    return Group(*lines)


@command(
    app,
    "reconcile",
    examples=(
        "tally reconcile",
        "tally reconcile --json --out reconciliation.json || mail -s breaks ops@example.com < reconciliation.json",
        "0 * * * *  tally reconcile --profile /etc/tally.toml --json   # cron: exit 1 on breaks",
    ),
)
async def reconcile_now(
    tally: Tally,
    out: Annotated[Path | None, typer.Option(help="Write the report as canonical JSON too.")] = None,
) -> Reconciled:
    """Compare custodians, chain and order book of every security. Exit 1 when anything differs."""
    store = await tally.open_store()
    report = await reconcile(
        tally.open_chain(),
        tally.issuer,
        tally.declared_securities(),
        await store.usable_statements(),
        store,
        store.breaks,
        tally.clock,
        conflicting=await store.conflicting_statements(),
    )
    if out is not None:
        write_file(out, report.json())
    return Reconciled(report, out)
