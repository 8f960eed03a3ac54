"""What a report consists of for its readers: sections of sentences, lists, tables and charts, all of it text.

The paper and any other rendering are made of these. Texts are the document's, as they are: whoever renders them takes
care that nothing in them is read as markup.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Tone(StrEnum):
    """What a line says of the report. Never by colour alone: the words say it too."""

    PLAIN = "plain"
    MUTED = "muted"
    PASSED = "passed"
    FAILED = "failed"
    ABSENT = "absent"
    """Something was not declared, not examined, or not served."""


class Kind(StrEnum):
    """How a value is set."""

    TEXT = "text"
    NUMBER = "number"
    CODE = "code"
    """A key, address, hash or signature: shortened in a table, in full in the appendix."""
    WHOLE = "whole"
    """A code in full."""


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph."""

    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Subheading:
    """A heading within a section."""

    text: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a list: what it is, and what it says. A code is in full here."""

    label: str
    value: str
    kind: Kind = Kind.TEXT
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Facts:
    """A list of what is said of one thing."""

    lines: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table; numbers stand to the right."""

    title: str
    kind: Kind = Kind.TEXT


@dataclass(frozen=True, slots=True)
class Row:
    """One row, a cell for each column."""

    cells: tuple[str, ...]
    tone: Tone = Tone.PLAIN
    is_total: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its caption. `otherwise` is what is said when it has no row."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    otherwise: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if any(len(row.cells) != len(self.columns) for row in self.rows):
            raise ValueError(f"A row of {self.title!r} has not one cell for each of its {len(self.columns)} columns.")


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing by its name in charts(), its caption, and what it says in words."""

    name: str
    title: str
    words: str


Block: TypeAlias = Words | Subheading | Facts | Table | Chart


@dataclass(frozen=True, slots=True)
class Section:
    """A numbered part of the report, or an appendix. `source` says what of it the chain shows, and what not."""

    title: str
    blocks: tuple[Block, ...] = ()
    is_appendix: bool = False
    source: str = ""


def text(title: str) -> Column:
    """A column of words."""
    return Column(title)


def number(title: str) -> Column:
    """A column of figures."""
    return Column(title, Kind.NUMBER)


def code(title: str) -> Column:
    """A column of keys, addresses, hashes or signatures."""
    return Column(title, Kind.CODE)


def rows(*columns: Sequence[str], tones: Sequence[Tone] = ()) -> tuple[Row, ...]:
    """Rows from columns of the same length, with a tone for each where some are given."""
    cells = list(zip(*columns, strict=True))
    return tuple(Row(each, tone) for each, tone in zip(cells, tones or [Tone.PLAIN] * len(cells), strict=True))


def codes(sections: Sequence[Section]) -> Iterator[tuple[str, str]]:
    """Every code that a table shows, each once, with the column that has it first."""
    seen: set[str] = set()
    for section in sections:
        for block in section.blocks:
            if not isinstance(block, Table):
                continue
            for row in block.rows:
                for column, cell in zip(block.columns, row.cells, strict=True):
                    if column.kind is Kind.CODE and cell not in seen:
                        seen.add(cell)
                        yield column.title, cell
