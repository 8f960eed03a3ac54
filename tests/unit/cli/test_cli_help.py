"""Every command explains itself, with examples that are command lines of ours."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator

import pytest
import typer
from tallystick_cli.main import app
from typer.core import TyperCommand, TyperGroup

ROOT = typer.main.get_command(app)


def commands(group: object = ROOT, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], TyperCommand]]:
    assert isinstance(group, TyperGroup)
    for name, found in group.commands.items():
        if isinstance(found, TyperGroup):
            yield from commands(found, (*path, name))
        else:
            assert isinstance(found, TyperCommand)
            yield (*path, name), found


def options_of(command: TyperCommand) -> set[str]:
    return {name for each in command.params for name in (*each.opts, *each.secondary_opts) if name.startswith("-")}


def examples_of(command: TyperCommand) -> list[str]:
    lines = (command.epilog or "").split("\n\n")[1:]
    return [line.replace("[dim]$[/dim]", "").replace("\\[", "[").strip() for line in lines]


def tally_lines(example: str) -> list[list[str]]:
    """The `tally` calls of an example, which may stand in a cron line or beside another command."""
    bare = example.split("   #")[0]
    calls = [part for part in bare.replace("||", ";").replace("|", ";").split(";") if "tally " in part]
    return [shlex.split(part[part.index("tally ") :], comments=True)[1:] for part in calls]


ALL = list(commands())
IDS = [" ".join(path) for path, _ in ALL]


def test_the_commands_of_the_floor_plan_are_there() -> None:
    wanted = {
        "init",
        "status",
        "issuer init",
        "issuer status",
        "issuer role grant",
        "issuer role revoke",
        "issuer admin propose",
        "issuer admin accept",
        "issuer veto",
        "security list",
        "security limit",
        "security show",
        "holder approve",
        "holder suspend",
        "holder show",
        "statement add",
        "statement list",
        "statement show",
        "attest",
        "order subscribe",
        "order settle",
        "order cancel",
        "order redeem",
        "order accept",
        "order settle-redemption",
        "order withdraw",
        "order correct",
        "order list",
        "order show",
        "hold place",
        "hold release",
        "hold list",
        "action announce",
        "action approve",
        "action cancel",
        "action execute",
        "action list",
        "action show",
        "security retire",
        "security policy",
        "security seizure-account",
        "security metadata announce",
        "security metadata apply",
        "holding freeze",
        "holding thaw",
        "holding reissue",
        "holding show",
        "seizure propose",
        "seizure execute",
        "seizure list",
        "close",
        "reconcile",
        "localnet",
        "program deploy",
        "program verify",
        "outbox resume",
        "audit list",
        "audit verify",
        "demo",
    }
    assert wanted - set(IDS) == set()


@pytest.mark.parametrize(("path", "command"), ALL, ids=IDS)
def test_a_command_says_what_it_does_and_shows_an_example_of_itself(
    path: tuple[str, ...], command: TyperCommand
) -> None:
    assert command.help
    lines = [words for example in examples_of(command) for words in tally_lines(example)]
    assert any(tuple(words[: len(path)]) == path for words in lines), examples_of(command)


@pytest.mark.parametrize(("path", "command"), ALL, ids=IDS)
def test_examples_use_only_commands_and_options_that_exist(path: tuple[str, ...], command: TyperCommand) -> None:
    by_path = dict(ALL)
    for words in (words for example in examples_of(command) for words in tally_lines(example)):
        names = next(tuple(words[:size]) for size in (3, 2, 1) if tuple(words[:size]) in by_path)
        known = options_of(by_path[names])
        assert {word for word in words if word.startswith("--")} - known == set(), words


@pytest.mark.parametrize(("path", "command"), ALL, ids=IDS)
def test_every_command_has_json_and_a_profile(path: tuple[str, ...], command: TyperCommand) -> None:
    assert {"--json", "--profile"} <= options_of(command)


def test_every_option_says_what_it_is() -> None:
    silent = [
        f"{' '.join(path)} {each.opts}"
        for path, command in ALL
        for each in command.params
        if not getattr(each, "help", None)
    ]
    assert silent == []


def test_help_does_without_the_libraries_of_the_database() -> None:
    program = "import sys, tallystick_cli.main; print(sorted({'alembic', 'sqlalchemy'} & {*sys.modules}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
