"""SWIFT FIN messages of category 5 (ISO 15022): blocks, fields, and the tree of 16R and 16S.

What stands around block 4 is optional: files come as the network delivers them, {1:}{2:}{3:}{4: to -}{5:}, or as the
text of block 4 alone. Sources: SWIFT's general rules for fields (decimal comma, qualifiers, character set x) and the
User Handbook's pages on iso20022.org.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, time
from typing import Final

from tallystick.adapters.custody.errors import (
    BadQuantity,
    MalformedStatement,
    StatementTooLarge,
    TruncatedStatement,
    UnsupportedStatement,
)
from tallystick.domain.amounts import Quantity

MAXIMUM_BYTES: Final = 100_000
"""SWIFT carries at most 10,000 characters in one message."""
MAXIMUM_DEPTH: Final = 8
"""Levels of blocks; category 5 has at most four."""
MAXIMUM_DIGITS: Final = 30
"""Characters of a number with its comma: 15d, and 30d for digital tokens."""

_FIELD: Final = re.compile(r":([0-9]{2}[A-Z]?):(.*)")
_QUALIFIED: Final = re.compile(r":([A-Z0-9]{4})/([A-Z0-9]{0,8})/(.*)", re.DOTALL)
_BLOCK_NAME: Final = re.compile(r"[A-Z0-9]{1,16}")
_APPLICATION_HEADER: Final = re.compile(r"[IO]([0-9]{3})")
_NUMBER: Final = re.compile(r"(N?)([0-9]+),([0-9]*)")
_DATE: Final = re.compile(r"([0-9]{8})(?:([0-9]{6})(?:,[0-9]{1,3})?(?:/N?[0-9]{2}(?:[0-9]{2})?)?)?")


@dataclass(frozen=True, slots=True)
class Field:
    """One field. A generic one, `:20C::SEME//X`, has a qualifier, maybe a data source scheme, and what is behind both;
    any other has its whole content as `value`. Continuation lines are joined by a line feed. `line` counts from 1."""

    tag: str
    qualifier: str
    scheme: str
    value: str
    line: int

    @property
    def where(self) -> str:
        """Where it is, for a person."""
        return f"line {self.line}"


@dataclass(frozen=True, slots=True)
class Block:
    """What stands between 16R and 16S of one name; the outermost has no name. Everything in the order of the file."""

    name: str
    line: int
    fields: tuple[Field, ...]
    blocks: tuple[Block, ...]

    @property
    def where(self) -> str:
        """Where it starts, for a person."""
        return f"{self.name or 'the message'}, line {self.line}"

    def several(self, name: str) -> tuple[Block, ...]:
        """All blocks of that name right below."""
        return tuple(each for each in self.blocks if each.name == name)

    def optional(self, name: str) -> Block | None:
        """The block of that name right below; MalformedStatement when there are two."""
        found = self.several(name)
        if len(found) > 1:
            raise MalformedStatement(f"There are {len(found)} blocks {name} where one may be", where=found[1].where)
        return found[0] if found else None

    def required(self, name: str) -> Block:
        """The one block of that name right below; MalformedStatement when there is none, or two."""
        found = self.optional(name)
        if found is None:
            raise MalformedStatement(f"The block {name} is missing", where=self.where)
        return found

    def find(self, tags: str, qualifier: str = "") -> Field | None:
        """The field with one of the tags (apart by blanks) and that qualifier; MalformedStatement for two of them."""
        wanted = tags.split()
        found = [each for each in self.fields if each.tag in wanted and each.qualifier == qualifier]
        if len(found) > 1:
            raise MalformedStatement(
                f"{_shown(wanted[0], qualifier)} stands twice where once is allowed", where=found[1].where
            )
        return found[0] if found else None

    def field(self, tags: str, qualifier: str = "") -> Field:
        """As find; MalformedStatement when there is none."""
        found = self.find(tags, qualifier)
        if found is None:
            raise MalformedStatement(f"{_shown(tags.split()[0], qualifier)} is missing", where=self.where)
        return found


@dataclass(frozen=True, slots=True)
class FinMessage:
    """A message: its type, such as 566, or empty where the file has no application header; and the text's tree."""

    type: str
    text: Block


def parse_fin(data: bytes, maximum_bytes: int = MAXIMUM_BYTES) -> FinMessage:
    """One message. StatementTooLarge; UnsupportedStatement for bytes outside SWIFT's character sets, and for several
    messages in one file; TruncatedStatement when it ends early; MalformedStatement for anything else that is wrong."""
    limit = min(maximum_bytes, MAXIMUM_BYTES)
    if len(data) > limit:
        raise StatementTooLarge(f"The file has {len(data)} bytes; at most {limit} are read of a SWIFT message.")
    _require_plain(data)
    lines = data.decode("ascii").replace("\r\n", "\n").split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    start = next((number for number, line in enumerate(lines) if line.strip()), None)
    if start is None:
        raise TruncatedStatement("The file is empty")
    if not lines[start].startswith("{"):
        last = len(lines) - (lines[-1] in ("-", "-}"))
        return FinMessage("", _parse_text(lines, start, last))
    return _parse_envelope(lines, start)


def parse_number(text: str, where: str, *, allow_negative: bool = False) -> Quantity:
    """Digits with one decimal comma, which always stands: 1234,5 or 1234, or N12,5 below zero. BadQuantity."""
    match = _NUMBER.fullmatch(text)
    if match is None or len(text) > MAXIMUM_DIGITS + 1:
        raise BadQuantity(f"{text[:40]!r} is not a number of SWIFT, such as 1234,5 or 1234,", where=where)
    sign, whole, fraction = match.groups()
    units = int(whole + fraction)
    if sign and not (units and allow_negative):
        raise BadQuantity(f"{text} has a sign where none may stand", where=where)
    return Quantity(-units if sign else units, len(fraction))


def parse_date(field: Field) -> str:
    """The date of a 98A, 98C or 98E as ISO 8601; its time of day is dropped. MalformedStatement."""
    match = _DATE.fullmatch(field.value) if field.tag in ("98A", "98C", "98E") else None
    if match is None or (field.tag == "98A") != (match[2] is None):
        raise MalformedStatement(
            f"{field.value[:40]!r} is not a date such as :98A::POST//20261113, or one with a time", where=field.where
        )
    try:
        if match[2] is not None:
            time(int(match[2][:2]), int(match[2][2:4]), int(match[2][4:]))
        return date(int(match[1][:4]), int(match[1][4:6]), int(match[1][6:])).isoformat()
    except ValueError as error:
        raise MalformedStatement(f"{field.value!r} is not a moment of the calendar", where=field.where) from error


def _require_plain(data: bytes) -> None:
    text = data.replace(b"\r\n", b"\n")
    for position, byte in enumerate(text):
        if byte == 0x0A or 0x20 <= byte < 0x7F:
            continue
        line = text.count(b"\n", 0, position) + 1
        raise UnsupportedStatement(
            f"The file has the byte 0x{byte:02x}, which is in none of SWIFT's character sets",
            where=f"line {line}",
            hint="Take the message as SWIFT delivered it: ASCII, with lines that end in CR LF or LF.",
        )


def _parse_envelope(lines: list[str], start: int) -> FinMessage:
    """Blocks 1 to 5 on their lines. Only block 4 spans lines; what stands before it fits on its line."""
    head, opening = _before_text(lines, start)
    end = next((number for number in range(opening + 1, len(lines)) if lines[number].startswith("-}")), None)
    if end is None:
        raise TruncatedStatement("Block 4 is not closed by -}", where=f"line {len(lines)}")
    trailer = lines[end].removeprefix("-}") + "".join(lines[end + 1 :])
    if re.fullmatch(r"(?:\{[5S]:(?:\{[^{}]*\})*\})*", trailer.replace(" ", "")) is None:
        if "{1:" in trailer or "{4:" in trailer:
            raise UnsupportedStatement(
                "The file holds several messages", where=f"line {end + 1}", hint="Pass each message as its own file."
            )
        raise MalformedStatement("Something other than a trailer stands behind block 4", where=f"line {end + 1}")
    return FinMessage(_type_of(head, start), _parse_text(lines, opening + 1, end))


def _before_text(lines: list[str], start: int) -> tuple[str, int]:
    """What stands before block 4, and the number of the line that opens it."""
    head = ""
    for number in range(start, len(lines)):
        before, opened, behind = lines[number].partition("{4:")
        head += before
        if opened:
            if behind.strip():
                raise MalformedStatement("Block 4 starts on a line of its own", where=f"line {number + 1}")
            return head, number
    raise TruncatedStatement("The file has no block 4", where=f"line {len(lines)}")


def _type_of(head: str, start: int) -> str:
    where = f"line {start + 1}"
    blocks = re.findall(r"\{([123]):((?:[^{}]|\{[^{}]*\})*)\}", head)
    if "".join(f"{{{number}:{content}}}" for number, content in blocks) != head.strip():
        raise MalformedStatement("What stands before block 4 is not blocks 1 to 3", where=where)
    numbers = [number for number, _ in blocks]
    if numbers != sorted(set(numbers)):
        raise MalformedStatement("The blocks before block 4 are double or out of order", where=where)
    application = dict(blocks).get("2")
    if application is None:
        return ""
    match = _APPLICATION_HEADER.match(application)
    if match is None:
        raise MalformedStatement(f"{application[:40]!r} is no application header", where=where)
    return match[1]


def _parse_text(lines: list[str], start: int, end: int) -> Block:
    """The tree of block 4, lines[start:end]."""
    open_blocks: list[tuple[str, int, list[Field], list[Block]]] = [("", start + 1, [], [])]
    for tag, value, line in _split_fields(lines, start, end):
        name, _, fields, _ = open_blocks[-1]
        if tag not in ("16R", "16S"):
            fields.append(_field(tag, value, line))
            continue
        if _BLOCK_NAME.fullmatch(value) is None:
            raise MalformedStatement(f"{value[:40]!r} is no name of a block", where=f"line {line}")
        if tag == "16R":
            if len(open_blocks) > MAXIMUM_DEPTH:
                raise MalformedStatement(f"Blocks nest more than {MAXIMUM_DEPTH} deep", where=f"line {line}")
            open_blocks.append((value, line, [], []))
        elif value != name:
            expected = f"{name} is open" if name else "none is open"
            raise MalformedStatement(f"The block {value} is closed where {expected}", where=f"line {line}")
        else:
            open_blocks[-2][3].append(_closed(open_blocks.pop()))
    if len(open_blocks) > 1:
        name, line, _, _ = open_blocks[-1]
        raise TruncatedStatement(f"The block {name} is not closed", where=f"line {line}")
    return _closed(open_blocks[0])


def _closed(block: tuple[str, int, list[Field], list[Block]]) -> Block:
    name, line, fields, blocks = block
    return Block(name, line, tuple(fields), tuple(blocks))


def _split_fields(lines: list[str], start: int, end: int) -> list[tuple[str, str, int]]:
    """Tag, content with its continuation lines, and line of each field."""
    found: list[tuple[str, str, int]] = []
    for number in range(start, end):
        line, where = lines[number].rstrip(" "), f"line {number + 1}"
        match = _FIELD.fullmatch(line)
        if match is not None:
            found.append((match[1], match[2], number + 1))
        elif not line:
            raise MalformedStatement("An empty line stands in the message", where=where)
        elif line[0] in ":-{" or _FIELD.match(line.lstrip()):
            # An indented field would be text of the one before it, and a tax or an amount would be lost.
            raise MalformedStatement(f"{line[:40]!r} is neither a field nor the next line of one", where=where)
        elif not found:
            raise MalformedStatement(f"{line[:40]!r} stands before the first field", where=where)
        else:
            tag, value, first = found[-1]
            found[-1] = (tag, f"{value}\n{line}", first)
    return found


def _field(tag: str, value: str, line: int) -> Field:
    if not value.startswith(":"):
        return Field(tag, "", "", value, line)
    match = _QUALIFIED.fullmatch(value)
    if match is None:
        raise MalformedStatement(f"{value[:40]!r} has no qualifier such as :SEME//", where=f"line {line}")
    return Field(tag, match[1], match[2], match[3], line)


def _shown(tag: str, qualifier: str) -> str:
    return f":{tag}::{qualifier}" if qualifier else f":{tag}:"


__all__ = ["Block", "Field", "FinMessage", "parse_date", "parse_fin", "parse_number"]
