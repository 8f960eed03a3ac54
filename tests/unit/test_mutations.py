"""Every guard that the mutation check takes out is in the program, once, as listed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "toolchain"))

import mutation_check

LISTED = mutation_check.guards()


@pytest.mark.parametrize("guard", LISTED, ids=lambda guard: guard.name.replace(" ", "_"))
def test_a_listed_guard_is_in_the_program_once(guard: object) -> None:
    assert mutation_check.problems([guard]) == []


def test_every_law_that_the_program_holds_has_guards() -> None:
    laws = {guard.serves for guard in LISTED if guard.serves.startswith("law ")}
    assert laws >= {f"law {number}" for number in (1, 2, 3, 6, 7, 8)}


def test_a_guard_that_is_gone_is_named(tmp_path: Path) -> None:
    guard = mutation_check.Guard("the door", "law 1", "door.rs", "require!(shut);", "")
    path = tmp_path / guard.path
    assert mutation_check.problems([guard], tmp_path) == [f"the door: {guard.path} does not exist"]
    path.parent.mkdir(parents=True)
    for text, expected in (
        ("require!(open);", [f"the door: {guard.path} has its line 0 times, once expected"]),
        ("require!(shut);", []),
        ("require!(shut); require!(shut);", [f"the door: {guard.path} has its line 2 times, once expected"]),
    ):
        path.write_text(text)
        assert mutation_check.problems([guard], tmp_path) == expected


def test_two_guards_of_one_name_are_refused(tmp_path: Path) -> None:
    entry = '[[guard]]\nname = "a"\nserves = "law 1"\nfile = "f"\nline = "l"\ninstead = ""\n'
    path = tmp_path / "guards.toml"
    path.write_text(entry * 2)
    with pytest.raises(SystemExit, match="listed twice: a"):
        mutation_check.guards(path)


def test_the_document_counts_what_was_found() -> None:
    guard = mutation_check.Guard("the door", "law 1", "door.rs", "a", "b")
    text = mutation_check.document(
        [
            (guard, mutation_check.Result("killed", "tests/program/test_x.py::test_y", 90)),
            (guard, mutation_check.Result("not run")),
        ],
        "2026-11-27",
        "5ba1",
    )
    assert "Written 2026-11-27" in text
    assert "`5ba1`" in text
    assert "2 guards: 1 killed, 0 survived, 1 not run." in text
    assert "| killed | program/test_x.py::test_y | 90 |" in text


def test_a_kill_stands_while_its_test_is_there_and_a_survival_until_the_tests_change() -> None:
    here = "tests/unit/test_mutations.py::test_two_guards_of_one_name_are_refused[a]"
    for outcome, test, holds in (("killed", here, True), ("killed", f"{here[:-3]}_x", False), ("SURVIVED", "", False)):
        result = mutation_check.Result(outcome, test, 1, "before")
        assert result.holds("after") is holds
        assert result.holds("before")
