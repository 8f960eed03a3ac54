"""How wide each column of a table is on paper, and in which size: by its texts, so that nothing overflows.

A table that would need type too small to read is laid out as one list for each of its rows. Lengths are hundredths of a
point.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tallystick.adapters.publish.blocks import Column, Kind, Row, Table, Tone
from tallystick.adapters.publish.fonts import breakable, shown, width
from tallystick.adapters.publish.reading import short

ROOM: Final = 48_180
"""Between the margins of a page: 170 mm."""
SIZES: Final = (800, 750, 700, 650)
INSET: Final = 320
"""Left and right of every cell."""
GAP: Final = 700
"""More to the left of words that follow figures."""
_MONO: Final = 600
"""Thousandths of the font size that every character of the monospaced font is wide."""
_MONO_SIZE: Final = 90
"""Codes are set in that many hundredths of a table's size."""
UNBROKEN: Final = 22
"""Characters of a word that any column has room for, where words have to be broken."""
LINE: Final = 56
"""Characters of a word that a line has room for."""
_TRIES: Final = (*((size, LINE) for size in SIZES[:3]), *((size, UNBROKEN) for size in SIZES))
"""Rather smaller type than broken words, and rather broken words than the smallest type."""
_HASH: Final = 64
"""Characters of a SHA-256 in hex."""
_UNIT: Final = re.compile(r"(?<=[0-9]) (?=(?:d|h|min|s|%)(?: |$))")


@dataclass(frozen=True, slots=True)
class LaidOut:
    """A table as it is set: texts ready to be shown, the size, and a width for each column; no widths for lists."""

    titles: tuple[str, ...]
    kinds: tuple[Kind, ...]
    rows: tuple[tuple[str, ...], ...]
    tones: tuple[Tone, ...]
    size: int
    gaps: tuple[int, ...]
    widths: tuple[int, ...]


def laid_out(table: Table) -> LaidOut:
    """The largest size in which every column has room for its longest word, figure or code."""
    titles = tuple(shown(each.title) for each in table.columns)
    kinds = tuple(each.kind for each in table.columns)
    tones = tuple(each.tone for each in table.rows)
    gaps = tuple(
        GAP if before is Kind.NUMBER and kind is not Kind.NUMBER else 0
        for before, kind in zip((Kind.TEXT, *kinds), kinds, strict=False)
    )
    for size, longest in _TRIES:
        cells = tuple(_shown(row, table.columns, longest) for row in table.rows)
        least = [
            _least(titles[at], [row[at] for row in cells], kind, size) + 2 * INSET + gaps[at]
            for at, kind in enumerate(kinds)
        ]
        if sum(least) <= ROOM:
            most = [
                max(each, _natural([row[at] for row in cells], kinds[at], size) + 2 * INSET + gaps[at])
                for at, each in enumerate(least)
            ]
            return LaidOut(titles, kinds, cells, tones, size, gaps, _shared(least, most))
    cells = tuple(_shown(row, table.columns, LINE) for row in table.rows)
    return LaidOut(titles, kinds, cells, tones, SIZES[0], gaps, ())


def in_lines(code: str) -> str:
    """A code in lines as long as a hash, so that nothing has to break it."""
    return "\n".join(code[at : at + _HASH] for at in range(0, len(code), _HASH))


def _shown(row: Row, columns: Sequence[Column], longest: int) -> tuple[str, ...]:
    return tuple(_cell(cell, column.kind, longest) for cell, column in zip(row.cells, columns, strict=True))


def _cell(text: str, kind: Kind, longest: int) -> str:
    """A figure is never broken, nor a number from its unit."""
    if kind is Kind.CODE:
        return shown(short(text))
    if kind is Kind.WHOLE:
        return in_lines(shown(text))
    return _UNIT.sub("\N{NO-BREAK SPACE}", shown(text) if kind is Kind.NUMBER else breakable(text, longest))


def _least(title: str, cells: Sequence[str], kind: Kind, size: int) -> int:
    """What a column cannot do without. Bold is wider, and a row may be bold."""
    words = list(title.split(" "))
    if kind is Kind.TEXT:
        words += [word for cell in cells for word in cell.split(" ")]
    elif kind is Kind.NUMBER:
        words += cells
    widest = max((width(_part(word), size, is_bold=True) for word in words), default=0)
    if kind is Kind.CODE:
        widest = max(widest, max((len(cell) for cell in cells), default=0) * _mono(size))
    return max(widest, (_HASH + 1) * _mono(size)) if kind is Kind.WHOLE else widest


def _natural(cells: Sequence[str], kind: Kind, size: int) -> int:
    """What a column would take to have every cell in one line."""
    if kind is Kind.WHOLE:
        return (_HASH + 1) * _mono(size)
    return max((width(cell.replace("\u200b", ""), size, is_bold=True) for cell in cells), default=0)


def _part(word: str) -> str:
    """What cannot be broken of a word."""
    return word.replace("\u200b", "")[:UNBROKEN] if "\u200b" in word else word


def _mono(size: int) -> int:
    return -(-size * _MONO_SIZE * _MONO // 100_000)


def _shared(least: Sequence[int], most: Sequence[int]) -> tuple[int, ...]:
    """The whole room: each column's least, then what it would like as far as there is room, then the rest alike."""
    spare, wanted = ROOM - sum(least), sum(most) - sum(least)
    if wanted > spare:
        return tuple(low + (high - low) * spare // wanted for low, high in zip(least, most, strict=True))
    rest = (spare - wanted) // len(most)
    return tuple(each + rest for each in most)
