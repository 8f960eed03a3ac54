"""How values look on a terminal: consoles, tables, and the words for times, amounts and addresses."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text
from solders.pubkey import Pubkey
from tallystick.domain.amounts import format_base_units


class Output(Protocol):
    """What a command hands back: data for JSON, a view for a person, and the exit code it stands for."""

    @property
    def exit_code(self) -> int: ...

    def document(self) -> Mapping[str, object]:
        """Plain data: text, integers, booleans, lists, maps. Amounts as exact decimal text."""
        ...

    def view(self) -> RenderableType:
        """What a person sees."""
        ...


def console(*, stderr: bool = False) -> Console:
    """A console that does not colour numbers by itself, and folds nothing that is copied."""
    return Console(stderr=stderr, highlight=False, soft_wrap=False)


def json_text(document: Mapping[str, object]) -> str:
    """One JSON document, indented, keys in their order."""
    return json.dumps(document, indent=2, ensure_ascii=False)


def table(*columns: str, title: str | None = None, right: Iterable[str] = ()) -> Table:
    """A plain table; columns in `right` are numbers, and are never folded."""
    made = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        collapse_padding=True,
        header_style="dim",
    )
    numbers = set(right)
    for name in columns:
        # Nothing is cut off: what is too long for its column goes on in the next line.
        made.add_column(name, justify="right" if name in numbers else "left", no_wrap=name in numbers, overflow="fold")
    return made


def facts(rows: Sequence[tuple[str, RenderableType | str]]) -> Table:
    """Two columns, a name and what it is; what is empty is left out."""
    made = Table.grid(padding=(0, 2))
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in rows:
        if value != "":
            made.add_row(name, value)
    return made


def heading(text: str) -> Text:
    """A line above a part."""
    return Text(text, style="bold")


def stack(*parts: RenderableType | None) -> Group:
    """Parts below each other, a blank line between."""
    lines: list[RenderableType] = []
    for part in parts:
        if part is not None:
            lines += [Text(), part] if lines else [part]
    return Group(*lines)


def when(seconds: int) -> str:
    """A moment, in UTC, to the second; empty for 0."""
    return "" if seconds == 0 else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def when_short(seconds: int) -> str:
    """A moment, in UTC, to the minute; empty for 0."""
    return when(seconds)[:16]


def instant_text(seconds: int) -> str | None:
    """A moment for JSON: RFC 3339; None for 0."""
    return None if seconds == 0 else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def span(seconds: int) -> str:
    """A length of time in its two largest units."""
    parts: list[str] = []
    rest = abs(seconds)
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def ago(then: int, now: int) -> str:
    """How long ago, or in how long."""
    if then == 0:
        return "never"
    return f"{span(now - then)} ago" if now >= then else f"in {span(then - now)}"


def amount(units: int, decimals: int) -> str:
    """Base units as grouped decimal text: 1,250.25."""
    whole, point, fraction = format_base_units(units, decimals).partition(".")
    sign = "-" if whole.startswith("-") else ""
    return f"{sign}{int(whole.removeprefix('-')):,}{point}{fraction}"


def short(address: Pubkey | str | bytes, keep: int = 4) -> str:
    """The first and last characters of an address or hash."""
    text = address.hex() if isinstance(address, bytes) else str(address)
    return text if len(text) <= 2 * keep + 1 else f"{text[:keep]}…{text[-keep:]}"


def shown_path(path: Path) -> str:
    """A path as short as it can be said from here."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def words(name: str) -> str:
    """CORPORATE_ACTIONS as corporate actions."""
    return name.replace("_", " ").lower()
