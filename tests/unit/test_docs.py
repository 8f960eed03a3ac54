"""Documentation names only paths and commands that exist."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tallystick_cli.main import COMMANDS, load
from typer.core import TyperGroup

TALLY = {name: load(name) for name in COMMANDS}
ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("bench", "cli", "client", "docs", "programs", "tests", "toolchain", ".ci")
# Files of the root are recognised by their ending; other words with a dot are names of code.
ROOT_FILE = re.compile(r"[\w.-]+\.(md|toml|lock)|Makefile|LICENSE")
# What a run writes is named in the docs and is not in the repository.
WRITTEN_BY_RUNS = ("tests/interop/.venv",)

FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")


def documents() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("toolchain/*.md"), *(ROOT / "docs").rglob("*.md")])


def command_lines(text: str) -> Iterator[str]:
    """What a reader may type: inline code, and the lines of shell blocks without their prompt and comment."""
    for language, block in FENCE.findall(text):
        if language in ("sh", "bash", "console", "shell"):
            for line in block.replace("\\\n", " ").splitlines():
                yield re.sub(r"\s+#.*$", "", line.strip().removeprefix("$ "))
    yield from INLINE.findall(FENCE.sub("", text))


def expand_braces(word: str) -> list[str]:
    """`a/{b,c}.md` as a/b.md and a/c.md."""
    match = re.search(r"\{([^{}]*)\}", word)
    if not match:
        return [word]
    return [
        path
        for choice in match.group(1).split(",")
        for path in expand_braces(word[: match.start()] + choice.strip() + word[match.end() :])
    ]


def paths_named(text: str) -> set[str]:
    """Every path of this repository in code, as written, without a trailing :line or /."""
    words = {re.sub(r":\d+$", "", word.strip("\"'();:,")) for line in command_lines(text) for word in line.split()}
    return {
        word.removeprefix("./").rstrip("/")
        for word in words
        if ("/" in word and word.removeprefix("./").split("/")[0] in FOLDERS) or ROOT_FILE.fullmatch(word)
    }


def missing_paths(text: str) -> list[str]:
    """Paths that match nothing here. NNNN, <name> and NAME in a path stand for anything."""
    return sorted(
        path
        for named in paths_named(text)
        for path in expand_braces(named)
        if path not in WRITTEN_BY_RUNS and not any(ROOT.glob(re.sub(r"<[^>]*>|NNNN|\b[A-Z]{4,}\b(?!\.|$)", "*", path)))
    )


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def missing_targets(text: str) -> list[str]:
    named = {
        word
        for line in command_lines(text)
        if (match := re.match(r"make((?: [a-z][a-z-]*)+)", line))
        for word in match.group(1).split()
    }
    return sorted(named - make_targets())


def find_command(words: list[str]) -> str | None:
    """The first word that no group of `tally` knows, or None."""
    commands: Mapping[str, object] = TALLY
    for word in words:
        if word not in commands:
            return word
        command = commands[word]
        if not isinstance(command, TyperGroup):
            return None
        commands = command.commands
    return None


def missing_commands(text: str) -> list[str]:
    """`tally` command lines that name a command that is not there; what follows a command is its arguments."""
    return sorted(
        line
        for line in command_lines(text)
        if (match := re.match(r"(?:uv run (?:--\S+ )*)?tally((?: [a-z][a-z-]*)*)", line))
        and find_command(match.group(1).split())
    )


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_document_names_only_paths_that_exist(path: Path) -> None:
    assert missing_paths(path.read_text()) == []


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_document_links_only_to_files_that_exist(path: Path) -> None:
    targets = [link for link in LINK.findall(FENCE.sub("", path.read_text())) if "://" not in link and "@" not in link]
    assert [link for link in targets if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_document_names_only_make_targets_that_exist(path: Path) -> None:
    assert missing_targets(path.read_text()) == []


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_document_names_only_tally_commands_that_exist(path: Path) -> None:
    assert missing_commands(path.read_text()) == []


def test_a_path_that_is_gone_is_found_in_inline_code_and_in_shell_blocks() -> None:
    text = "See `client/gone.py:12`, `tests/{unit,gone}`.\n```sh\n$ toolchain/gone all  # note\n```\n"
    assert missing_paths(text) == ["client/gone.py", "tests/gone", "toolchain/gone"]


def test_a_path_pattern_that_matches_is_no_missing_path() -> None:
    assert missing_paths("`tests/unit/*.py` and `toolchain/install` and `pyproject.toml` and `some.name()`") == []


def test_a_make_target_that_is_gone_is_found() -> None:
    assert missing_targets("Run `make test` or `make gone`.") == ["gone"]


def test_a_tally_command_that_is_gone_is_found() -> None:
    assert missing_commands("```console\n$ tally status --json\n$ uv run tally gone\n```") == ["uv run tally gone"]


def test_the_commands_that_the_makefile_lists_have_a_line_of_help() -> None:
    makefile = (ROOT / "Makefile").read_text()
    described = set(re.findall(r"^([a-z][a-z-]*):.*## \S", makefile, re.MULTILINE))
    assert make_targets() - described == {"uv"}
