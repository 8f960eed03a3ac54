"""tally report: the monthly reserve report."""

from __future__ import annotations

import typer

app = typer.Typer(no_args_is_help=True, help="The monthly reserve report, which anybody can check.")
