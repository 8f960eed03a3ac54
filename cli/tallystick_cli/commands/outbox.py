"""tally outbox: transactions whose fate is open, and carrying on with them."""

from __future__ import annotations

from dataclasses import dataclass

import typer
from rich.console import RenderableType
from rich.text import Text

from tallystick_cli.command import command
from tallystick_cli.context import OutboxRow, Outcome, SendResult, Tally
from tallystick_cli.failures import DONE, UNKNOWN
from tallystick_cli.render import ago, instant_text, short, stack, table

app = typer.Typer(no_args_is_help=True, help="Signed transactions whose fate is not known yet.")


@dataclass(frozen=True, slots=True)
class Pending:
    """Open rows, oldest first."""

    rows: tuple[OutboxRow, ...]
    now: int
    exit_code: int = 0

    def document(self) -> dict[str, object]:
        """Intent, signature and state of each."""
        return {
            "pending": [
                {
                    "intent": row.intent,
                    "attempt": row.attempt,
                    "signature": str(row.signature),
                    "state": row.state.value,
                    "signed_at": instant_text(row.created_at),
                    "last_valid_block_height": row.last_valid_block_height,
                }
                for row in self.rows
            ]
        }

    def view(self) -> RenderableType:
        """A table, and what to do."""
        if not self.rows:
            return Text("✓ Every transaction's fate is known.", style="green")
        return stack(pending_table(self.rows, self.now), Text("Carry on with: tally outbox resume", style="bold"))


def pending_table(rows: tuple[OutboxRow, ...], now: int) -> RenderableType:
    """Open transactions, one line each."""
    made = table("Intent", "Signature", "State", "Signed")
    for row in rows:
        made.add_row(
            Text(row.intent, overflow="fold"),
            short(str(row.signature), 8),
            Text(row.state.value, style="yellow"),
            ago(row.created_at, now),
        )
    return made


@dataclass(frozen=True, slots=True)
class Resumed:
    """What became of each open transaction."""

    results: tuple[SendResult, ...]

    @property
    def exit_code(self) -> int:
        """3 while one is still unknown."""
        return UNKNOWN if any(each.outcome is Outcome.UNKNOWN for each in self.results) else DONE

    def document(self) -> dict[str, object]:
        """Intent, signature and outcome of each."""
        return {
            "resumed": [
                {
                    "intent": each.intent,
                    "outcome": each.outcome.value,
                    "detail": each.detail,
                    "signature": str(each.signature) if each.signature else None,
                }
                for each in self.results
            ]
        }

    def view(self) -> RenderableType:
        """A line for each."""
        if not self.results:
            return Text("✓ Nothing was open.", style="green")
        made = table("Intent", "Outcome", "What is known")
        for each in self.results:
            style = {Outcome.LANDED: "green", Outcome.ALREADY_DONE: "green", Outcome.FAILED: "red"}.get(
                each.outcome, "yellow"
            )
            made.add_row(Text(each.intent, overflow="fold"), Text(each.outcome.value, style=style), each.detail)
        return made


@command(app, "list", examples=("tally outbox list", "tally outbox list --json"))
async def list_(tally: Tally) -> Pending:
    """Transactions that were signed and whose fate is not known."""
    return Pending(await (await tally.open_store()).outbox.pending(), tally.clock.now())


@command(app, "resume", examples=("tally outbox resume", "tally outbox resume --json"))
async def resume(tally: Tally) -> Resumed:
    """Look for every open transaction and broadcast the same bytes again; never signs. Exit 3 while one is unknown."""
    sender = await tally.open_sender()
    with tally.err.status("Looking for open transactions …"):
        results = await sender.resume()
    trail = await tally.open_trail()
    for result in results:
        await trail.resumed(result)
    return Resumed(results)
