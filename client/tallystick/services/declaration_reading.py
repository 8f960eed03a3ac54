"""Reads a declared file strictly: every entry by name and kind, and what is wrong with its name and line."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final, TypeVar

from tallystick.domain.amounts import Quantity, parse_quantity
from tallystick.errors import InputError

TEXT_LIMIT: Final = 8_000
"""Characters of one text: an assertion has a page, not a book."""
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_HEADER: Final = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_.-]+)\s*\]\]?")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entries:
    """One table of the file, whose entries are taken one by one; `close` refuses what nobody took.

    `path` names the table (custodians[2]), empty for the file; `text` is the file, to name lines, or empty.
    """

    content: Mapping[str, Any]
    path: str = ""
    text: str = ""
    taken: set[str] = field(default_factory=set)

    def name(self, key: str) -> str:
        """An entry's name with the table it is in."""
        return f"{self.path}.{key}" if self.path else key

    def fault(self, key: str, what: str) -> InputError:
        """The error for an entry, with the line it is on where that can be told."""
        line = _line(self.text, self.path, key)
        return InputError(f"{self.name(key)}{f' (line {line})' if line else ''}: {what}.")

    def words(self, key: str, *, is_required: bool = False) -> str:
        """A text without control characters, trimmed; empty when it is not there, or refused when it has to be."""
        self.taken.add(key)
        value = self.content.get(key, "")
        if not isinstance(value, str):
            raise self.fault(key, f"text in quotes expected, found {value!r}")
        text = value.replace("\r\n", "\n").strip()
        if is_required and not text:
            raise self.fault(key, "a text is needed here")
        if len(text) > TEXT_LIMIT:
            raise self.fault(key, f"{len(text):,} characters, and {TEXT_LIMIT:,} are the most")
        if _CONTROLS.search(text) is not None:
            raise self.fault(key, "control characters are in this text")
        return text

    def parsed(self, key: str, parse: Callable[[str], T]) -> T:
        """A text that has to be there and that `parse` accepts."""
        text = self.words(key, is_required=True)
        try:
            return parse(text)
        except (InputError, ValueError) as error:
            raise self.fault(key, str(error).rstrip(".")) from error

    def quantity(self, key: str) -> Quantity:
        """An exact number of shares, zero when it is not there."""
        return self.parsed(key, parse_quantity) if key in self.content else Quantity(0)

    def moment(self, key: str) -> int:
        """A time with its zone, in seconds since 1970 UTC: as TOML writes it, or as text in RFC 3339."""
        self.taken.add(key)
        value = self.content.get(key)
        if isinstance(value, str):
            with contextlib.suppress(ValueError):
                value = datetime.fromisoformat(value)
        if not isinstance(value, datetime) or value.tzinfo is None:
            raise self.fault(key, "a time with its zone expected, as 2026-10-31T20:00:00Z")
        return int(value.astimezone(UTC).timestamp())

    def day(self, key: str) -> str:
        """A day as YYYY-MM-DD: as TOML writes it, or as text; empty when it is not there."""
        self.taken.add(key)
        value = self.content.get(key, "")
        if isinstance(value, str) and value:
            with contextlib.suppress(ValueError):
                value = date.fromisoformat(value)
        if value == "":
            return ""
        if not isinstance(value, date) or isinstance(value, datetime):
            raise self.fault(key, "a day expected, as 2026-11-12")
        return value.isoformat()

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, each of them there."""
        self.taken.add(key)
        value = self.content.get(key, [])
        if not isinstance(value, list):
            raise self.fault(key, "a list of texts expected")
        each = Entries({str(number): item for number, item in enumerate(value, 1)}, self.name(key), self.text)
        return tuple(each.words(number, is_required=True) for number in each.content)

    def table(self, key: str) -> Entries | None:
        """The table of that name, None when it is not there."""
        self.taken.add(key)
        value = self.content.get(key)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise self.fault(key, f"a table expected, written [{self.name(key)}]")
        return Entries(value, self.name(key), self.text)

    def tables(self, key: str) -> list[Entries]:
        """Every table of a list of them."""
        self.taken.add(key)
        value = self.content.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
            raise self.fault(key, f"a list of tables expected, each written [[{self.name(key)}]]")
        return [Entries(each, f"{self.name(key)}[{number}]", self.text) for number, each in enumerate(value, 1)]

    def close(self) -> None:
        """InputError for an entry that nobody took: a misspelled one would be lost without a word."""
        for key in self.content:
            if key not in self.taken:
                raise self.fault(key, f"nothing is known of this entry; known are {', '.join(sorted(self.taken))}")


def require_once(entries: Entries, key: str, value: T, seen: set[T]) -> T:
    """The value; InputError when another table had it."""
    if value in seen:
        raise entries.fault(key, "another table of this list is about the same")
    seen.add(value)
    return value


def _line(text: str, path: str, key: str) -> int | None:
    """The line of an entry, counted from 1: of `key = …` within its table. None when it cannot be told."""
    table = ""
    seen: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if (match := _HEADER.match(line)) is not None:
            name = match[2]
            for parent, count in seen.items():
                name = name.replace(f"{parent}.", f"{parent}[{count}].", 1) if name.startswith(f"{parent}.") else name
            if match[1] == "[[":
                seen[match[2]] = seen.get(match[2], 0) + 1
                name = f"{name}[{seen[match[2]]}]"
            table = name
        elif table == path and re.match(rf"\s*{re.escape(key)}\s*=", line):
            return number
        if table == (f"{path}.{key}" if path else key) and match is not None:
            return number
    return None


__all__ = ["Entries", "require_once"]
