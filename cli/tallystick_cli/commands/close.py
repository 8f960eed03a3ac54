"""tally close: the daily close, hash-chained; make today's, show and verify all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text
from tallystick.domain.closes import DailyClose
from tallystick.services.daily_close import close_day, closing_day, verify_closes

from tallystick_cli.command import command
from tallystick_cli.context import Tally
from tallystick_cli.files import write_file
from tallystick_cli.render import amount, facts, short, shown_path, stack, table, when

app = typer.Typer()


@dataclass(frozen=True, slots=True)
class Closed:
    """One day's close, and how many the chain of closes has."""

    close: DailyClose
    number: int
    symbols: dict[str, str]
    written: Path | None = None
    exit_code: int = 0

    def document(self) -> dict[str, object]:
        """The close's canonical content, its hash and the one before."""
        content: dict[str, object] = json.loads(self.close.content)
        return {
            "hash": self.close.hash.hex(),
            "previous": self.close.previous.hex(),
            "number": self.number,
            "content": content,
        }

    def view(self) -> RenderableType:
        """The securities at the close, and the hash that the next one names."""
        close = self.close
        numbers = ["Supply", "Require", "Reserve", "Escrow", "Own", "Holders"]
        rows = table("Security", *numbers, "Register", "Breaks", right=[*numbers, "Breaks"])
        for each in close.securities:
            breaks = Text(str(len(each.breaks)), style="red" if each.breaks else "green")
            rows.add_row(
                self.symbols.get(each.isin, each.isin),
                amount(each.supply, each.decimals),
                amount(each.required, each.decimals),
                amount(each.reserve, each.decimals),
                amount(each.escrow, each.decimals),
                amount(each.inventory, each.decimals),
                str(each.holders),
                short(each.register_root),
                breaks,
            )
        head = Text.assemble(
            ("✓ ", "green"),
            (f"{close.day} is closed", "bold"),
            (f" · close {self.number} · slot {close.slot} · {when(close.block_time)} UTC", "dim"),
        )
        chain = facts(
            [
                ("Hash", close.hash.hex()),
                ("Before", close.previous.hex() if any(close.previous) else "none, this is the first"),
                ("Program", close.program_hash.hex()),
                ("Written to", shown_path(self.written) if self.written else ""),
            ]
        )
        return stack(head, rows, self._registers(), chain)

    def _registers(self) -> RenderableType | None:
        """Registers at record dates that this close takes up."""
        found = [(each, register) for each in self.close.securities for register in each.registers]
        if not found:
            return None
        rows = table("Security", "Event", "Slot", "Register at the record date", right=["Slot"])
        for each, register in found:
            name = self.symbols.get(each.isin, each.isin)
            rows.add_row(name, short(register.event_hash), str(register.slot), register.hash.hex())
        return rows


@command(
    app,
    "close",
    examples=(
        "tally close",
        "tally close 2026-11-23 --out close-2026-11-23.json",
        "5 0 * * *  tally reconcile --json; tally close $(date -u -d yesterday +%F)   # cron",
    ),
)
async def close(
    tally: Tally,
    day: Annotated[
        str | None, typer.Argument(metavar="DAY", help="YYYY-MM-DD in UTC; else the chain's today, which goes on.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the close's canonical content too.")] = None,
) -> Closed:
    """Close a day: supply, register root, statements and breaks of every security, chained to the close before."""
    store, chain = await tally.open_store(), tally.open_chain()
    made = await close_day(
        chain,
        tally.issuer,
        await closing_day(chain) if day is None else day,
        tally.declared_securities(),
        await store.usable_statements(),
        store.closes,
        store.breaks,
        tally.clock,
        registers=store.registers,
        conflicting=await store.conflicting_statements(),
    )
    number = len(await verify_closes(store.closes, tally.issuer))
    if out is not None:
        write_file(out, made.content)
    return Closed(made, number, {each.isin: each.symbol for each in tally.profile.securities}, out)


@dataclass(frozen=True, slots=True)
class ClosesShown:
    """Every close, verified."""

    closes: tuple[DailyClose, ...]
    exit_code: int = 0

    def document(self) -> dict[str, object]:
        """Day, slot and hashes of each."""
        return {
            "is_verified": True,
            "closes": [
                {"day": each.day, "slot": each.slot, "hash": each.hash.hex(), "previous": each.previous.hex()}
                for each in self.closes
            ],
        }

    def view(self) -> RenderableType:
        """A line for each close."""
        if not self.closes:
            return Text("No day was closed yet. Close today with: tally close", style="dim")
        rows = table("Day", "Slot", "Securities", "Hash", right=["Slot", "Securities"])
        for each in self.closes:
            rows.add_row(each.day, str(each.slot), str(len(each.securities)), each.hash.hex())
        return Group(rows, Text(), Text("✓ Every close names the one before it, and none was changed.", style="green"))


@command(app, "closes", examples=("tally closes", "tally closes --json"))
async def closes(tally: Tally) -> ClosesShown:
    """All daily closes, after checking that none was changed, removed or inserted."""
    store = await tally.open_store()
    return ClosesShown(await verify_closes(store.closes, tally.issuer))
