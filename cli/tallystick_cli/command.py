"""What every command has in common: its options, how it runs, how its outcome and its failures reach the caller.

A command is an async function of a Tally and its own arguments that returns an Output. `@command` puts it into a group
with examples in its help, and adds --profile, --json, --verbose and, where something is signed, --yes and --dry-run.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Annotated, Any, Concatenate, Final, ParamSpec, TypeVar

import structlog
import typer
from rich.markup import escape
from rich.traceback import Traceback
from tallystick.errors import TallystickError

from tallystick_cli.context import Tally
from tallystick_cli.dry_run import DryRunEnded
from tallystick_cli.failures import DEFECT, INTERRUPTED, exit_code, failure_document, failure_panel
from tallystick_cli.profile import PROFILE_VARIABLE, profile_path
from tallystick_cli.render import Output, console, json_text

P = ParamSpec("P")
T = TypeVar("T", bound=Output)

SecurityArgument = Annotated[str, typer.Argument(metavar="SECURITY", help="Symbol, ISIN or id.")]
_EVERYWHERE: Final = "Everywhere"
ProfileOption = Annotated[
    Path | None,
    typer.Option(
        "--profile",
        metavar="FILE",
        rich_help_panel=_EVERYWHERE,
        help=f"The profile; else {PROFILE_VARIABLE}, else ~/.config/tallystick/profile.toml.",
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="One JSON document on stdout, nothing else.", rich_help_panel=_EVERYWHERE)
]
VerboseOption = Annotated[
    bool, typer.Option("--verbose", help="Tell on stderr what is done meanwhile.", rich_help_panel=_EVERYWHERE)
]
YesOption = Annotated[
    bool,
    typer.Option("--yes", "-y", help="Sign without asking; for scripts.", rich_help_panel=_EVERYWHERE),
]
DryRunOption = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Simulate it and show each effect; nothing is signed, stored or sent.",
        rich_help_panel=_EVERYWHERE,
    ),
]


def command(
    app: typer.Typer, name: str | None = None, *, examples: Sequence[str], signs: bool = False
) -> Callable[
    [Callable[Concatenate[Tally, P], Coroutine[Any, Any, T]]], Callable[Concatenate[Tally, P], Coroutine[Any, Any, T]]
]:
    """Register an async function as a command of `app`. The function itself stays as it is, to be called by others."""

    def register(
        function: Callable[Concatenate[Tally, P], Coroutine[Any, Any, T]],
    ) -> Callable[Concatenate[Tally, P], Coroutine[Any, Any, T]]:
        @functools.wraps(function)
        def run(
            *args: Any,
            profile: Path | None = None,
            as_json: bool = False,
            verbose: bool = False,
            yes: bool = False,
            dry_run: bool = False,
            **kwargs: Any,
        ) -> None:
            code = run_command(
                lambda tally: function(tally, *args, **kwargs),
                profile=profile,
                is_json=as_json,
                is_verbose=verbose,
                is_yes=yes,
                is_dry_run=dry_run,
            )
            if code:
                raise typer.Exit(code)

        # typer keeps the line ends of the source, which are no ends on a terminal of another width.
        run.__doc__ = "\n\n".join(" ".join(each.split()) for each in (function.__doc__ or "").split("\n\n"))
        _, *own = inspect.signature(function, eval_str=True).parameters.values()
        shared = [
            _option("profile", ProfileOption, None),
            _option("as_json", JsonOption, False),
            _option("verbose", VerboseOption, False),
            *([_option("yes", YesOption, False), _option("dry_run", DryRunOption, False)] if signs else []),
        ]
        parameters = [*own, *shared]
        # typer reads the signature and the hints, not the code.
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        del run.__wrapped__
        app.command(name, epilog=_epilog(examples))(run)
        return function

    return register


def run_command(
    function: Callable[[Tally], Coroutine[Any, Any, Output]],
    *,
    profile: Path | None = None,
    is_json: bool = False,
    is_verbose: bool = False,
    is_yes: bool = False,
    is_dry_run: bool = False,
) -> int:
    """Run one command to its end and return its exit code; nothing is raised."""
    configure_logging(is_verbose)
    out, err = console(), console(stderr=True)
    tally = Tally(
        profile_path(profile),
        is_json=is_json,
        is_yes=is_yes,
        is_dry_run=is_dry_run,
        is_verbose=is_verbose,
        out=out,
        err=err,
    )

    async def run() -> Output:
        async with tally:
            try:
                return await function(tally)
            except DryRunEnded as ended:
                return ended.output

    try:
        output = asyncio.run(run())
    except TallystickError as error:
        if is_json:
            out.file.write(json_text(failure_document(error)) + "\n")
        else:
            err.print(failure_panel(error))
        return exit_code(error)
    except typer.Exit as leaving:
        return leaving.exit_code
    except (KeyboardInterrupt, EOFError):
        err.print("Interrupted. What was sent before is in the outbox: tally outbox resume")
        return INTERRUPTED
    except Exception as error:
        err.print(Traceback.from_exception(type(error), error, error.__traceback__, show_locals=False))
        err.print("This is a defect of tally, not of your input. Please report it with the lines above.")
        if is_json:
            document = {"type": type(error).__name__, "message": str(error), "next": "Report this defect."}
            out.file.write(json_text({"error": document, "exit_code": DEFECT}) + "\n")
        return DEFECT
    if is_json:
        out.file.write(json_text(output.document()) + "\n")
    else:
        out.print(output.view())
    return output.exit_code


def configure_logging(is_verbose: bool) -> None:
    """structlog to stderr; warnings alone unless verbose. httpx logs URLs, which may hold keys: it is kept quiet."""
    level = logging.INFO if is_verbose else logging.WARNING
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=level, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s", force=True)
    for name in ("httpx", "httpcore", "alembic", "sqlalchemy", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _option(name: str, annotation: Any, default: object) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _epilog(examples: Sequence[str]) -> str:
    """Examples for the end of a help page; typer keeps lines apart only when they are paragraphs."""
    return "\n\n".join(["[bold]Examples[/bold]", *(f"  [dim]$[/dim] {escape(example)}" for example in examples)])
