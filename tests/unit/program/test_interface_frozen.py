"""The interface that others build on is the one that the last decision record about it names."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tallystick.domain.canonical import sha256
from tallystick.program import artifacts

DECISIONS = Path(__file__).resolve().parents[3] / "docs" / "decisions"
NAMED = re.compile(r"^    ([0-9a-f]{64})$", re.MULTILINE)
READ_BY_PEOPLE = {"docs", "msg", "description"}


def bare(value: Any) -> Any:
    """A part of the IDL without what people read."""
    if isinstance(value, dict):
        return {name: bare(each) for name, each in value.items() if name not in READ_BY_PEOPLE}
    return [bare(each) for each in value] if isinstance(value, list) else value


def interface(idl: dict[str, Any]) -> str:
    """SHA-256 of the interface; the program's address is an issuer's own."""
    parts = {name: bare(each) for name, each in idl.items() if name not in ("address", "metadata")}
    return sha256(json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()).hex()


def test_the_interface_is_the_one_that_the_newest_record_names() -> None:
    named = [found for path in sorted(DECISIONS.glob("*.md")) for found in NAMED.findall(path.read_text("utf-8"))]
    assert interface(json.loads(artifacts.idl())) == named[-1], (
        "the interface is frozen: a change needs a decision record with the new hash and a migration note"
    )


def test_words_are_no_part_of_it_and_everything_else_is() -> None:
    idl = json.loads(artifacts.idl())
    before = interface(idl)
    idl["errors"][0]["msg"] = idl["instructions"][0]["docs"] = "other words"
    assert interface(idl) == before
    idl["errors"][0]["code"] += 1
    assert interface(idl) != before
