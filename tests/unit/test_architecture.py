"""Who may import whom, as drawn in docs/architecture.md, read from the source itself."""

from __future__ import annotations

import ast
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = {"client": "tallystick", "cli": "tallystick_cli"}

# A room may import itself, errors.py, and what stands here; nothing points back up.
BELOW = {
    "tallystick.errors": set[str](),
    "tallystick.domain": set[str](),
    "tallystick.program": {"tallystick.domain"},
    "tallystick.adapters": {"tallystick.program", "tallystick.domain"},
    "tallystick.localnet": {"tallystick.adapters", "tallystick.program", "tallystick.domain"},
    "tallystick.services": {"tallystick.adapters", "tallystick.program", "tallystick.domain"},
    "tallystick.jobs": {"tallystick.services", "tallystick.program", "tallystick.domain"},
    "tallystick_cli": {
        "tallystick.jobs",
        "tallystick.services",
        "tallystick.localnet",
        "tallystick.program",
        "tallystick.domain",
    },
}
# The one place that builds adapters for the command.
WIRING = PurePosixPath("cli/tallystick_cli/context")

# What one folder alone may import.
RESERVED = {
    "solana.rpc": "client/tallystick/adapters/chain",
    "construct": "client/tallystick/program",
    "borsh_construct": "client/tallystick/program",
    "sqlalchemy": "client/tallystick/adapters/store",
    "alembic": "client/tallystick/adapters/store",
    "aiosqlite": "client/tallystick/adapters/store",
    "jinja2": "client/tallystick/adapters/publish",
    "markupsafe": "client/tallystick/adapters/publish",
    "typst": "client/tallystick/adapters/publish",
    "typer": "cli",
    "click": "cli",
    "rich": "cli",
}

CLOCK = PurePosixPath("client/tallystick/adapters/clock.py")
TIME = {
    "time.time",
    "time.time_ns",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
}

NAMELESS = {"utils", "util", "helpers", "helper", "common", "misc"}


def module_of(path: PurePosixPath) -> tuple[str, ...]:
    """Dotted name of a source file, without client/ or cli/, as parts."""
    parts = path.with_suffix("").parts[1:]
    return parts[:-1] if parts[-1] == "__init__" else parts


def imported(path: PurePosixPath, tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every dotted name a file imports, with its line; `from a import b` counts as a.b, relative ones are resolved."""
    package = module_of(path) if path.name == "__init__.py" else module_of(path)[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*start, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def dotted(node: ast.expr, names: dict[str, str]) -> str:
    """`a.b.c` of an expression, its first name replaced by what was imported under it; "" for anything else."""
    if isinstance(node, ast.Name):
        return names.get(node.id, "")
    if isinstance(node, ast.Attribute):
        start = dotted(node.value, names)
        return f"{start}.{node.attr}" if start else ""
    return ""


def times_asked(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every use of a function that tells the time of day."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                names[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and (name := dotted(node, names)) in TIME:
            yield node.lineno, name


def room_of(name: str) -> str | None:
    """The longest room that a dotted name lies in, or None for what is not ours."""
    return max((room for room in BELOW if name == room or name.startswith(f"{room}.")), key=len, default=None)


def is_within(name: str, module: str) -> bool:
    return name == module or name.startswith(f"{module}.")


def broken_rules(path: PurePosixPath, source: str) -> list[str]:
    """One line for each import or call in `source` that the floor plan does not allow at `path`."""
    tree = ast.parse(source)
    own = room_of(".".join(module_of(path)))
    allowed = BELOW[own] | {own, "tallystick.errors"} if own else set(BELOW)
    if path.is_relative_to(WIRING):
        allowed = allowed | {"tallystick.adapters"}
    found = []
    for line, name in imported(path, tree):
        room = room_of(name)
        if room and room not in allowed:
            found.append(f"{path}:{line}: {own} may not import {room}")
        for module, folder in RESERVED.items():
            if is_within(name, module) and not path.is_relative_to(folder):
                found.append(f"{path}:{line}: {module} only in {folder}")
        if (
            own in ("tallystick.domain", "tallystick.errors")
            and not room
            and name.split(".")[0] not in (sys.stdlib_module_names)
        ):
            found.append(f"{path}:{line}: {own} uses the standard library only, not {name}")
    if path != CLOCK:
        found += [f"{path}:{line}: {name} only in {CLOCK}" for line, name in times_asked(tree)]
    return found


def python_files() -> list[PurePosixPath]:
    return [
        PurePosixPath(path.relative_to(ROOT).as_posix())
        for folder, package in SOURCES.items()
        for path in sorted((ROOT / folder / package).rglob("*.py"))
    ]


def test_every_import_follows_the_floor_plan() -> None:
    files = python_files()
    assert len(files) > 10, "the sources moved; this test looks in the wrong place"
    assert [line for path in files for line in broken_rules(path, (ROOT / path).read_text())] == []


def test_state_of_the_program_never_imports_its_instructions() -> None:
    files = sorted((ROOT / "programs/tallystick/src/state").rglob("*.rs"))
    assert files
    assert [str(path) for path in files if re.search(r"\binstructions\b", path.read_text())] == []


def test_every_room_has_a_name() -> None:
    named = [
        path.relative_to(ROOT).as_posix()
        for folder in ("client", "cli", "programs", "tests", "toolchain", "bench", "docs")
        for path in (ROOT / folder).rglob("*")
        if ".venv" not in path.parts and path.stem.lower() in NAMELESS
    ]
    assert named == []


@pytest.mark.parametrize(
    ("path", "source", "rule"),
    [
        ("client/tallystick/domain/a.py", "from tallystick.program import pda", "may not import tallystick.program"),
        ("client/tallystick/domain/a.py", "from ..adapters import clock", "may not import tallystick.adapters"),
        ("client/tallystick/domain/a.py", "import lxml.etree", "standard library only"),
        ("client/tallystick/program/a.py", "import tallystick.services.x", "may not import tallystick.services"),
        ("client/tallystick/adapters/a.py", "from tallystick import localnet", "may not import tallystick.localnet"),
        ("client/tallystick/services/a.py", "import tallystick_cli.main", "may not import tallystick_cli"),
        ("client/tallystick/jobs/a.py", "from tallystick.adapters import store", "may not import tallystick.adapters"),
        ("cli/tallystick_cli/commands/a.py", "import tallystick.adapters.store", "may not import tallystick.adapters"),
        ("client/tallystick/services/a.py", "from solana.rpc.async_api import AsyncClient", "solana.rpc only in"),
        ("client/tallystick/services/a.py", "from solana import rpc", "solana.rpc only in"),
        ("client/tallystick/adapters/chain/a.py", "from sqlalchemy.orm import Session", "sqlalchemy only in"),
        ("client/tallystick/localnet/a.py", "def f():\n    import rich.table", "rich only in"),
        ("client/tallystick/adapters/chain/a.py", "import construct as c", "construct only in"),
        ("client/tallystick/services/a.py", "import typst", "typst only in"),
        ("client/tallystick/services/a.py", "from jinja2 import Environment", "jinja2 only in"),
        ("client/tallystick/services/a.py", "import time as t\nx = t.time", "time.time only in"),
        ("client/tallystick/services/a.py", "from datetime import datetime\nx = datetime.now()", "now only in"),
        ("cli/tallystick_cli/a.py", "import datetime\nx = datetime.date.today()", "today only in"),
    ],
)
def test_a_file_that_breaks_one_rule_is_named_with_that_rule(path: str, source: str, rule: str) -> None:
    broken = broken_rules(PurePosixPath(path), source)
    assert len(broken) == 1
    assert broken[0].startswith(path)
    assert rule in broken[0]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("client/tallystick/domain/a.py", "from tallystick.errors import InputError\nfrom . import b\nimport decimal"),
        ("client/tallystick/services/a.py", "import tallystick.adapters.clock\nimport time\ntime.monotonic()"),
        ("client/tallystick/adapters/clock.py", "import time\ntime.time()"),
        ("client/tallystick/adapters/chain/a.py", "from solana.rpc.async_api import AsyncClient"),
        ("cli/tallystick_cli/context/tally.py", "from tallystick.adapters import chain\nimport rich"),
    ],
)
def test_a_file_within_the_floor_plan_breaks_no_rule(path: str, source: str) -> None:
    assert broken_rules(PurePosixPath(path), source) == []


def test_the_program_has_one_address_everywhere() -> None:
    declared = re.search(r'declare_id!\("(\w+)"\)', (ROOT / "programs/tallystick/src/lib.rs").read_text())
    assert declared
    configured = tomllib.loads((ROOT / "Anchor.toml").read_text())["programs"]["localnet"]["tallystick"]
    idl = json.loads((ROOT / "client/tallystick/program/tallystick.json").read_text())["address"]
    assert {configured, idl} == {declared.group(1)}
