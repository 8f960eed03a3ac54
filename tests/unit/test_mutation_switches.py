"""A switch says the same as the guard while it is in, and as what stands instead when it is out."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "toolchain"))

from mutation_check import Guard, guards, layers
from mutation_forks import CRASHED, waiting
from mutation_switches import MARK, SWITCH, switched, with_taken_out

AFTER = "\n    pub door: Box<Account<'info, Door>>,\n"


@pytest.mark.parametrize(
    ("line", "instead", "expected"),
    [
        ("require!(shut, E::Open);", "", "if !crate::without(7) { require!(shut, E::Open); } "),
        ("    self.shut()?;\n    if a", "    if a", "if !crate::without(7) { self.shut()?; } if a"),
        ("a <= b,", "true,", "(if crate::without(7) { true } else { a <= b }),\n"),
        ("a == b && c == d,", "c == d,", "(crate::without(7) || (a == b )) && c == d,"),
        ("a == b && ", "", "(crate::without(7) || (a == b )) && "),
        ("&& a == b\n", "", "&& (if crate::without(7) { true } else { a == b })\n"),
        ("|| a(b),", "|| true,", "|| (if crate::without(7) { true } else { a(b) }),\n"),
        ("a == 0\n || now", "true\n || now", "(if crate::without(7) { true } else { a == 0 })\n || now"),
        ("let a = b(c)?;", "let a = 0;", "let a = (if crate::without(7) { 0 } else { b(c)? });"),
        ("if a == b {", "if false {", "if (if crate::without(7) { false } else { a == b }) {"),
        ("if a.b(&c)", "if true", "if (if crate::without(7) { true } else { a.b(&c) })\n"),
        (".all(|a| a.b != c),", ".all(|_| true),", ".all(|a| crate::without(7) || a.b != c),"),
        (".filter(|a| *a <= b);", ";", ".filter(|a| crate::without(7) || *a <= b);"),
        ("a == Some([0; 32]),", "true,", "(if crate::without(7) { true } else { a == Some([0; 32]) }),\n"),
        ("constraint = a == b @ E::F,\n", "", "constraint = crate::without(7) || (a == b) @ E::F,\n"),
        (
            "#[account(mut, has_one = key @ E::F)]",
            "#[account(mut)]",
            "#[account(mut, constraint = crate::without(7) || door.key == key.key() @ E::F)]",
        ),
        (
            "#[account(address = HERE @ E::F)]",
            "",
            "#[account(constraint = crate::without(7) || door.key() == HERE @ E::F)]",
        ),
    ],
)
def test_a_guard_gets_a_switch(line: str, instead: str, expected: str) -> None:
    assert switched(line, instead, line + AFTER, 7) == expected


@pytest.mark.parametrize(
    ("line", "instead"),
    [("A => return Err(b),", "A => {},"), ("|| a,", "b,"), ("(a,", "(true,"), ("let a = b;", "let c = b;"), ("a", "")],
)
def test_what_no_rule_covers_is_built_alone(line: str, instead: str) -> None:
    assert switched(line, instead, line + AFTER, 7) is None


def test_guards_that_overlap_are_in_different_programs(tmp_path: Path) -> None:
    path = tmp_path / Guard("", "", "door.rs", "", "").path
    path.parent.mkdir(parents=True)
    path.write_text("require!(shut && locked, E::Open); require!(dark, E::Light);")
    listed = [
        Guard("shut", "law 1", "door.rs", "shut && locked,", "locked,"),
        Guard("locked", "law 1", "door.rs", "shut && locked,", "shut,"),
        Guard("dark", "law 1", "door.rs", "require!(dark, E::Light);", ""),
        Guard("odd", "law 1", "door.rs", "shut", ""),
    ]
    programs, alone = layers(listed, tmp_path)
    assert [[each.guard.name for each in program] for program in programs] == [["shut", "dark"], ["locked"]]
    assert [each.name for each in alone] == ["odd"]


def test_every_listed_guard_gets_a_switch_so_that_a_run_is_short() -> None:
    listed = guards()
    programs, alone = layers(listed)
    assert sum(map(len, programs)) + len(alone) == len(listed)
    assert len(alone) <= len(listed) // 20, [each.name for each in alone]


def test_the_number_is_behind_the_mark_in_the_file() -> None:
    program = b"before" + MARK + bytes(len(MARK) % 2) + b"\0\0" + b"behind"
    changed = with_taken_out(program, 300)
    assert changed == program.replace(b"\0\0behind", b"\x2c\x01behind")
    assert with_taken_out(changed, 0) == program


def test_the_program_asks_for_the_number_each_time() -> None:
    assert "read_volatile" in SWITCH
    assert MARK.decode() in SWITCH


def test_tests_are_collected_once_and_run_on_each_program(tmp_path: Path) -> None:
    (tmp_path / "test_door.py").write_text(
        "import os\nfrom pathlib import Path\n"
        "def content():\n    return Path(os.environ['TALLYSTICK_PROGRAM_SO']).read_text()\n"
        "def test_first():\n    assert True\n"
        "def test_shut():\n    assert 'shut' in content()\n"
        "def test_dark():\n    assert 'dark' in content()\n"
        "def test_crash():\n    assert 'crash' not in content() or os._exit(1)\n"
    )
    with waiting(("test_door.py",), tmp_path, tmp_path / "log") as tests:
        for content, failed in (
            ("shut dark", ""),
            ("open dark", "test_door.py::test_shut"),
            ("shut light", "test_door.py::test_dark"),
            ("shut dark crash", CRASHED),
            ("dark shut", ""),
        ):
            (tmp_path / "program").write_text(content)
            assert tests.first_failure(tmp_path / "program") == failed
