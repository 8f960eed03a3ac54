"""tally report: the monthly reserve report; its commands are in files of their own."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup


class InOrder(TyperGroup):
    """Lists the commands as they are used, whichever file they are in."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The way of a report, then the others."""
        steps = (
            "status",
            "anchor-days",
            "draw",
            "declare",
            "assert",
            "build",
            "show",
            "approve",
            "publish",
            "verify",
            "serve",
            "line",
        )
        others = [name for name in super().list_commands(ctx) if name not in steps]
        return [*(name for name in steps if name in self.commands), *others]


app = typer.Typer(
    cls=InOrder,
    no_args_is_help=True,
    help="The monthly reserve report that a stranger can check.\n\n"
    "In this order: close each day of the month (tally close) · anchor-days (the closes' hashes on chain) · draw (a day"
    " that nobody chose, looked at twice) · declare (what no chain says) · assert (officers sign) · build · approve (a"
    " second person) · publish (files, then chain) · verify (as any stranger does). Meanwhile status tells what comes"
    " next.",
)

MonthArgument = Annotated[str, typer.Argument(metavar="MONTH", help="The month, as 2026-10.")]
VersionOption = Annotated[
    int | None, typer.Option("--version", help="Of the month's versions; else the newest.", min=1)
]
