"""Values as an auditor reads them without our program: plain JSON, and tables as CSV with the same columns.

Integers are decimal text, since many readers lose those above 2^53; times are RFC 3339 in UTC; hashes are hex,
addresses, keys and signatures base 58. Nothing, 0 seconds and 32 zero bytes are null in JSON and an empty cell.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum, IntEnum
from typing import Final

from tallystick.domain.base58 import base58_encode
from tallystick.domain.canonical import CanonicalValue, canonical_json

Row = Mapping[str, CanonicalValue]

_TIMES: Final = frozenset({"time", "block_time", "first_seen", "last_seen", "as_of", "reserve_as_of", "in_force_from"})
_HASHES: Final = frozenset({"attestation", "id", "root", "key"})
_LATEST: Final = 253_402_300_799
"""9999-12-31T23:59:59Z; the program's "never" is beyond it."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def plain(value: object, name: str = "") -> CanonicalValue:
    """A value, or everything in it, as plain data; `name` is the field it stands in, which says what it is.

    Of a dataclass all fields. TypeError for a value that no table has.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return value.name.lower() if isinstance(value, IntEnum) else plain(value.value)
    if isinstance(value, int):
        return instant_text(value) if is_time(name) else str(value)
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return bytes_text(value, name)
    if is_dataclass(value) and not isinstance(value, type):
        return row_of(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item, str(key)) for key, item in value.items()}
    if isinstance(value, Sequence | frozenset):
        items = sorted(value, key=str) if isinstance(value, frozenset) else value
        return [plain(each, name) for each in items]
    raise TypeError(f"{type(value).__name__} stands in no table.")


def row_of(value: object, *, without: Iterable[str] = (), **more: object) -> dict[str, CanonicalValue]:
    """A dataclass as a row: its fields but those `without`, and `more` in front of them."""
    left_out = set(without)
    own = {
        each.name: plain(getattr(value, each.name), each.name)
        for each in fields(value)  # type: ignore[arg-type]
        if each.name not in left_out
    }
    return {**{name: plain(item, name) for name, item in more.items()}, **own}


def is_time(name: str) -> bool:
    """Whether a field of that name holds seconds since 1970."""
    return name in _TIMES or name.endswith("_at")


def instant_text(seconds: int) -> str | None:
    """Seconds since 1970 UTC as RFC 3339; None for 0, "never" for what the program never reaches."""
    if seconds == 0:
        return None
    if not 0 < seconds <= _LATEST:
        return "never"
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def bytes_text(value: bytes, name: str = "") -> str | None:
    """Bytes by the name of their field: hashes in hex, everything else in base 58; None for nothing but zeros."""
    if not any(value):
        return None
    is_hash = name in _HASHES or name.endswith(("hash", "hashes", "root"))
    return value.hex() if is_hash else base58_encode(value)


def json_table(rows: Sequence[Row]) -> bytes:
    """Rows as canonical JSON."""
    return canonical_json([dict(each) for each in rows])


def csv_table(rows: Sequence[Row], columns: Sequence[str] = ()) -> bytes:
    """Rows as CSV (RFC 4180, UTF-8): a head, then a line for each. `columns` come first, others as rows have them.

    What is no single value is JSON in its cell. Text that a spreadsheet would run as a formula has an apostrophe in
    front; the JSON beside it has it as it is.
    """
    names = list(dict.fromkeys([*columns, *(name for each in rows for name in each)]))
    return csv_lines(names, ([each.get(name) for name in names] for each in rows))


def csv_lines(columns: Sequence[str], lines: Iterable[Sequence[CanonicalValue]]) -> bytes:
    """The same from lines that have a value for each column, of which there may be a million."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in line] for line in lines)
    return text.getvalue().encode()


def _cell(value: CanonicalValue) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        is_number = value.removeprefix("-").isascii() and value.removeprefix("-").isdecimal()
        return f"'{value}" if value.startswith(_FORMULA) and not is_number else value
    return canonical_json(value).decode()


__all__ = [
    "Row",
    "bytes_text",
    "csv_lines",
    "csv_table",
    "instant_text",
    "is_time",
    "json_table",
    "plain",
    "row_of",
]
