"""tally audit: what was decided and signed here, and whether anybody changed what is written of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text
from tallystick.errors import InputError

from tallystick_cli.command import command
from tallystick_cli.context import AuditEntry, Outcome, Tally, first_misfit
from tallystick_cli.failures import DONE, REFUSED
from tallystick_cli.render import facts, short, stack, when

app = typer.Typer(no_args_is_help=True, help="The audit log: who signed and decided what, and when.")


@dataclass(frozen=True, slots=True)
class Verified:
    """The log as a chain of hashes. `misfit` is the number of the first entry that does not fit, `noted` a hash that
    somebody wrote down, and `is_noted_there` whether an entry has it."""

    entries: tuple[AuditEntry, ...]
    misfit: int | None
    noted: bytes | None = None

    @property
    def is_noted_there(self) -> bool:
        """False when the hash that somebody noted is of no entry any more."""
        return self.noted is None or any(each.hash == self.noted for each in self.entries)

    @property
    def exit_code(self) -> int:
        """1 when anything was changed."""
        return DONE if self.misfit is None and self.is_noted_there else REFUSED

    def document(self) -> dict[str, object]:
        """The verdict, and the newest hash."""
        return {
            "is_verified": self.exit_code == DONE,
            "entries": len(self.entries),
            "first_misfit": self.misfit,
            "is_noted_hash_there": None if self.noted is None else self.is_noted_there,
            "newest": _hex(self.entries[-1].hash) if self.entries else None,
        }

    def view(self) -> RenderableType:
        """One line, then the hash to note."""
        if self.misfit is not None:
            verdict = Text(
                f"✗ Entry {self.misfit} of {len(self.entries)} does not follow from the one before it: it was changed, "
                "or one before it was removed or inserted.",
                style="bold red",
            )
            step = "Keep the store as it is, compare a backup, and find out who. See: tally audit list --all"
        elif not self.is_noted_there:
            verdict = Text("✗ No entry has the hash that was noted: entries were removed.", style="bold red")
            step = "Keep the store as it is, compare a backup, and find out who."
        elif not self.entries:
            return Text("Nothing was signed or decided yet.", style="dim")
        else:
            verdict = Text(f"✓ {_entries(len(self.entries))}; each follows from the one before it.", style="green")
            step = (
                "Note the newest hash elsewhere: tally audit verify --noted HASH then finds entries that were removed."
            )
        newest = facts([("Newest", _hex(self.entries[-1].hash) if self.entries else "")])
        return stack(verdict, newest, Text(step))


@dataclass(frozen=True, slots=True)
class Listed:
    """Entries, newest first. `misfit` is the number of the first one of all that does not fit, `names` are ours."""

    entries: tuple[tuple[int, AuditEntry], ...]
    left_out: int
    misfit: int | None
    names: Mapping[str, str] = field(default_factory=dict)
    exit_code: int = DONE

    def document(self) -> dict[str, object]:
        """Each entry as it was written, with its hash."""
        return {
            "entries": [
                {"number": number, "hash": _hex(entry.hash), "fits": self._fits(number), "content": _content(entry)}
                for number, entry in self.entries
            ],
            "left_out": self.left_out,
        }

    def view(self) -> RenderableType:
        """Two lines for each entry: when, who and which step; then what."""
        if not self.entries:
            return Text("Nothing was signed or decided yet.", style="dim")
        lines: list[RenderableType] = []
        for number, entry in self.entries:
            content = _content(entry)
            at = content.get("at")
            head = (
                f" · {when(at) if isinstance(at, int) else '?'} UTC · {content.get('actor', '?')}"
                f" · {short(_hex(entry.hash))}"
            )
            step = (str(content.get("action", "unreadable")), "bold" if self._fits(number) else "bold red")
            lines.append(Text.assemble(f"{number} ", step, (head, "dim")))
            if told := self._told(content):
                lines.append(Padding(Text(told), (0, 0, 0, 2), expand=False))
        left = f"{_entries(self.left_out)} before these; all of them: tally audit list --all"
        bad = f"✗ From entry {self.misfit} on the log was changed; see: tally audit verify"
        return stack(
            Group(*lines),
            Text(left, style="dim") if self.left_out else None,
            Text(bad, style="bold red") if self.misfit is not None else None,
        )

    def _told(self, content: Mapping[str, Any]) -> str:
        """What an entry is about: the plan's words, or what became of it, with our own names."""
        details = content.get("details")
        found: Mapping[str, Any] = details if isinstance(details, dict) else {}
        # What landed says nothing more than its signature; what did not, says why.
        is_landed = found.get("outcome") == Outcome.LANDED.value
        said = short(str(found.get("signature")), 8) if is_landed else found.get("detail")
        told = " · ".join(
            str(each) for each in (found.get("summary"), found.get("outcome"), said, found.get("reason")) if each
        )
        for address, name in self.names.items():
            told = told.replace(address, name)
        return told or str(content.get("subject", ""))

    def _fits(self, number: int) -> bool:
        return self.misfit is None or number < self.misfit


@command(
    app,
    "verify",
    examples=(
        "tally audit verify",
        "tally audit verify --json | jq -r .newest   # note it where nobody here can change it",
        "tally audit verify --noted 5d1c…            # and later: is everything of then still there?",
    ),
)
async def verify(
    tally: Tally,
    noted: Annotated[
        str | None, typer.Option(metavar="HASH", help="The newest hash of an earlier day; an entry has to have it.")
    ] = None,
) -> Verified:
    """Walk the hash chain of the audit log. Exit 1 when an entry was changed, inserted or removed."""
    entries = await (await tally.open_store()).audit.entries()
    return Verified(entries, first_misfit(entries), _parse_hash(noted))


@command(app, "list", examples=("tally audit list", "tally audit list --all --json"))
async def list_(
    tally: Tally,
    all_: Annotated[bool, typer.Option("--all", help="All entries; else the newest 20.")] = False,
) -> Listed:
    """What was signed and decided, newest first: once before signing, once with the outcome."""
    entries = await (await tally.open_store()).audit.entries()
    numbered = list(enumerate(entries, 1))
    shown = numbered if all_ else numbered[-20:]
    names = {str(key): name for key, name in tally.known_names().items()}
    return Listed(tuple(reversed(shown)), len(numbered) - len(shown), first_misfit(entries), names)


def _parse_hash(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        noted = bytes.fromhex(text)
    except ValueError:
        noted = b""
    if len(noted) != 32:
        raise InputError(
            f"{text!r} is no hash: 64 hex digits are expected.", hint="tally audit verify shows the newest one."
        )
    return noted


def _content(entry: AuditEntry) -> dict[str, Any]:
    """What was written; empty when somebody put in something else."""
    try:
        content = json.loads(entry.content)
    except (TypeError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _entries(number: int) -> str:
    return "1 entry" if number == 1 else f"{number} entries"


def _hex(value: object) -> str:
    # SQLite keeps whatever type somebody wrote into a column.
    return value.hex() if isinstance(value, bytes) else str(value)
