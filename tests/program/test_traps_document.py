"""docs/traps.md names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROWS = [
    [cell.strip() for cell in line.strip().strip("|").split("|")]
    for line in (ROOT / "docs" / "traps.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith(("| trap |", "| --- "))
]
NAMED = re.compile(r"`(tests/[\w/]+\.py)`: (test_\w+)")
TO_COME = re.compile(r"to come: (test_\w+)")


def files_with(name: str) -> list[Path]:
    """Files under tests in which there is a test of that name."""
    definition = re.compile(rf"^\s*(?:async )?def {name}\(", re.MULTILINE)
    return [path for path in (ROOT / "tests").rglob("test_*.py") if definition.search(path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].replace(" ", "_"))
def test_a_trap_is_set_in_a_test_that_exists_or_is_to_come(row: list[str]) -> None:
    _, where = row
    if named := NAMED.fullmatch(where):
        assert ROOT / named.group(1) in files_with(named.group(2))
    else:
        to_come = TO_COME.fullmatch(where)
        assert to_come, f"a test, or one to come, expected: {where}"
        assert files_with(to_come.group(1)) == [], "it is there now: name its file in docs/traps.md"
