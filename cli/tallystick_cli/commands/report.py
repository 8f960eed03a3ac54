"""tally report: the monthly reserve report; its commands are in files of their own."""

from __future__ import annotations

import typer

app = typer.Typer(no_args_is_help=True, help="The monthly reserve report: build it, agree to it, publish it, check it.")
