"""The demo does what it tells, leaves what it names, and replaces only what it wrote itself."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from tallystick.domain.closes import NO_PREVIOUS, parse_close
from tallystick.program.artifacts import PROGRAM, checksums
from tallystick_cli.profile import read_profile
from test_cli_help import ALL, options_of
from typing_in import Terminal, Typed


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Typed]:
    folder = tmp_path_factory.mktemp("demo") / "output"
    return folder, Terminal(folder / "unused.toml").type("demo", "--output", folder, "--json")


def test_the_demo_ends_well_with_one_json_document(told: tuple[Path, Typed]) -> None:
    _, typed = told
    assert typed.code == 0, typed.err
    assert typed.document["first_reconciliation_is_clean"]


def test_the_second_statement_is_short_by_ten_shares(told: tuple[Path, Typed]) -> None:
    [found] = told[1].document["second_reconciliation_breaks"]
    assert (found["kind"], found["instrument"], found["amount"]) == ("QUANTITY_SHORT", "US0378331005", 10 * 10**8)


def test_three_attacks_are_refused_by_the_program_in_its_own_words(told: tuple[Path, Typed]) -> None:
    reserve, movement, holder = (each["program"] for each in told[1].document["refusals"])
    assert "ReserveExceeded" in reserve
    assert "MovementExceeded" in movement
    assert "AccountNotInitialized" in holder


def test_what_the_programs_words_do_not_say_the_demo_says_in_plain_ones(told: tuple[Path, Typed]) -> None:
    meanings = [each["meaning"] for each in told[1].document["refusals"]]
    assert meanings[:2] == ["", ""]
    assert "compliance has not approved this wallet" in meanings[2]
    assert meanings[2] in " ".join(told[1].err.split())


def test_every_file_that_the_demo_names_is_there(told: tuple[Path, Typed]) -> None:
    assert [name for name, path in told[1].document["files"].items() if not Path(path).exists()] == []


def test_the_closes_file_is_the_close_whose_hash_was_told_and_names_the_packaged_program(
    told: tuple[Path, Typed],
) -> None:
    folder, typed = told
    close = parse_close((folder / "close-day-1.json").read_bytes(), NO_PREVIOUS)
    assert close.hash.hex() == typed.document["close"]
    assert close.program_hash.hex() == checksums()[PROGRAM]
    assert sorted(each.supply for each in close.securities) == [60 * 10**8, 80 * 10**8, 90 * 10**8]


def test_the_reconciliations_are_written_as_told(told: tuple[Path, Typed]) -> None:
    clean, broken = (json.loads((told[0] / f"reconciliation-day-{day}.json").read_bytes()) for day in (1, 2))
    assert (clean["is_clean"], broken["is_clean"]) == (True, False)


def test_the_profile_it_leaves_is_complete(told: tuple[Path, Typed]) -> None:
    profile = read_profile(told[0] / "profile.toml")
    assert profile.issuer.address
    assert [each.symbol for each in profile.securities] == ["tAAPL", "tMSFT", "tNVDA"]
    assert len(profile.keys.attestors) == 3


def test_every_command_line_that_the_demo_tells_exists(told: tuple[Path, Typed]) -> None:
    by_path = dict(ALL)
    for line in told[1].document["commands"]:
        program, *words = shlex.split(line)
        names = next(tuple(words[:size]) for size in (3, 2, 1) if tuple(words[:size]) in by_path)
        assert program == "tally"
        assert {word for word in words if word.startswith("--")} - options_of(by_path[names]) == set(), line


def test_a_folder_that_is_somebody_elses_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    typed = Terminal(tmp_path / "unused.toml").type("demo", "--output", tmp_path)
    assert typed.code == 2
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
