"""Every command explains itself, with examples that are command lines of ours."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import tallystick_cli.commands
from tallystick_cli.main import COMMANDS, load
from typer.core import TyperCommand, TyperGroup

ROOT = {name: load(name) for name in COMMANDS}


def commands(
    group: Mapping[str, object] = ROOT, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], TyperCommand]]:
    for name, found in group.items():
        if isinstance(found, TyperGroup):
            yield from commands(found.commands, (*path, name))
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


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_of_each_what_its_own_help_begins_with(name: str) -> None:
    own = ROOT[name].help or ""
    assert " ".join(own.split("\n\n")[0].split()) == COMMANDS[name][0]


def test_every_file_of_commands_belongs_to_one() -> None:
    files = {each.stem for each in Path(tallystick_cli.commands.__file__).parent.glob("*.py")} - {"__init__"}
    assert files == {each for _, modules in COMMANDS.values() for each in modules}


def test_the_list_of_commands_imports_none_of_them() -> None:
    program = "import sys, tallystick_cli.main; print(*(name for name in sys.modules if name.startswith('tallystick')))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["tallystick_cli", "tallystick_cli.main"]


def test_commands_do_without_the_libraries_of_the_database_until_they_open_it() -> None:
    program = (
        "import sys; from tallystick_cli.main import COMMANDS, load; [load(name) for name in COMMANDS];"
        "print(sorted({'alembic', 'sqlalchemy'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
