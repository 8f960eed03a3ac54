"""What reconciliation and the close make of conflicting statements, and of shares beyond what tokens require."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cli_desk import Desk
from test_cli_operations import statement_file
from typing_in import Terminal


@pytest.fixture(scope="module")
def held(desk: Desk) -> Desk:
    """Twelve and a half shares on a statement, and no token yet."""
    desk.terminal.json("statement", "add", statement_file(desk.folder, "STMT-1", "12.5", ago=60))
    return desk


def security_breaks(terminal: Terminal) -> list[tuple[str, int]]:
    [security] = terminal.type("reconcile", "--json").document["securities"]
    return [(each["kind"], int(each["amount"])) for each in security["breaks"]]


def with_surplus(desk: Desk, surplus: str) -> Terminal:
    """The same desk under a profile that declares a surplus."""
    profile = desk.folder / f"surplus-{surplus}.toml"
    text = desk.terminal.profile.read_text()
    profile.write_text(text.replace("[[securities]]", f'[[securities]]\nsurplus = "{surplus}"'))
    return Terminal(profile)


def test_shares_beyond_what_is_required_are_a_break(held: Desk) -> None:
    assert security_breaks(held.terminal) == [("QUANTITY_OVER", 1_250_000_000)]


@pytest.mark.parametrize("surplus", ["12.5", "13"])
def test_a_declared_surplus_covers_them(held: Desk, surplus: str) -> None:
    assert security_breaks(with_surplus(held, surplus)) == []


def test_what_exceeds_the_declared_surplus_is_the_break(held: Desk) -> None:
    assert security_breaks(with_surplus(held, "12.25")) == [("QUANTITY_OVER", 25_000_000)]


def test_conflicting_statements_are_a_break_and_in_the_close_until_somebody_decides(held: Desk, tmp_path: Path) -> None:
    type_ = held.terminal.json
    kept = [
        held.terminal.type("statement", "add", statement_file(tmp_path, "STMT-2", shares, ago=20), "--json").document
        for shares in ("12.5", "11")
    ]
    run = held.terminal.type("reconcile", "--json")
    conflict: Any
    [conflict] = [each for each in run.document["breaks"] if each["kind"] == "CONFLICTING_STATEMENT"]
    assert run.code == 1
    assert "STMT-2" in conflict["message"]
    [closed] = type_("close")["content"]["securities"]
    assert conflict["id"] in closed["breaks"]
    for each, decision in zip(kept, ("usable", "rejected"), strict=True):
        type_("statement", "decide", each["key"], decision, "--reason", "the custodian said so")
    assert held.terminal.type("reconcile", "--json").document["breaks"] == []
