"""Types `tally` command lines, as a person or a script would, and keeps what came back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tallystick_cli.main import app
from typer.testing import CliRunner

ISSUER_LEI = "EXAMPLEISSUERLTD0093"
CUSTODIAN_LEI = "EXAMPLECUSTODYBANK81"
ACCOUNT = "SAFE-4711"


@dataclass(frozen=True, slots=True)
class Typed:
    """What a command line did. `out` and `err` are the two streams."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout; fails when there is anything else on it."""
        found: dict[str, Any] = json.loads(self.out)
        return found


class Terminal:
    """One person's terminal: a profile, and no TTY to ask at."""

    def __init__(self, profile: Path) -> None:
        self.profile = profile

    def type(self, *words: object) -> Typed:
        """Run one command line with this profile."""
        result = CliRunner().invoke(app, [str(word) for word in (*words, "--profile", self.profile)])
        return Typed(result.exit_code, result.stdout, result.stderr)

    def json(self, *words: object) -> dict[str, Any]:
        """Run one command line with --json that has to succeed, and return its document."""
        typed = self.type(*words, "--json")
        assert typed.code == 0, typed.out + typed.err
        return typed.document

    def init(self, url: str, *more: object) -> dict[str, Any]:
        """A profile for a cluster, with new keys."""
        return self.json(
            "init",
            "--name",
            "Example Issuer Ltd",
            "--lei",
            ISSUER_LEI,
            "--url",
            url,
            "--custodian-lei",
            CUSTODIAN_LEI,
            "--custodian-name",
            "Example Custody Bank",
            "--account",
            ACCOUNT,
            "--new-keys",
            *more,
        )
