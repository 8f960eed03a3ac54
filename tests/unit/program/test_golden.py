"""The bytes of every instruction, account and event stay what they were."""

from __future__ import annotations

import hashlib
import json

import golden_values
import pytest
from generation import generate

CASES = [(kind, name) for kind in golden_values.KINDS for name in golden_values.names(kind)]
SPACES = {"instructions": "global", "accounts": "account", "events": "event"}


@pytest.mark.parametrize(("kind", "name"), CASES, ids=[f"{kind}-{name}" for kind, name in CASES])
def test_bytes_are_what_the_golden_file_says(kind: str, name: str) -> None:
    path = golden_values.GOLDEN / kind / f"{name}.json"
    assert path.exists(), "run tests/unit/program/golden_values.py and read what it wrote"
    assert golden_values.written(golden_values.golden(kind, name)) == path.read_text()


@pytest.mark.parametrize(("kind", "name"), CASES, ids=[f"{kind}-{name}" for kind, name in CASES])
def test_bytes_start_with_anchors_discriminator(kind: str, name: str) -> None:
    data = bytes.fromhex(json.loads((golden_values.GOLDEN / kind / f"{name}.json").read_text())["data"])
    assert data[:8] == hashlib.sha256(f"{SPACES[kind]}:{name}".encode()).digest()[:8]


def test_there_is_a_golden_file_for_everything_and_for_nothing_else() -> None:
    found = {(path.parent.name, path.stem) for path in golden_values.GOLDEN.glob("*/*.json")}
    assert found == set(CASES)


def test_the_committed_client_is_what_the_committed_idl_generates() -> None:
    done = generate("--check")
    assert done.returncode == 0, done.stderr
