"""The fonts that a report is set in, which come with this package: what they can show, and how wide it is.

Only two tables of a TrueType file are read: `cmap`, from characters to glyphs, and `hmtx`, from glyphs to widths
(OpenType 1.9.1, cmap format 4 and hmtx).
"""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

SANS: Final = "IBM Plex Sans"
MONO: Final = "IBM Plex Mono"
_ZERO_WIDTH_SPACE: Final = "\u200b"
_HIDDEN: Final = ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp")


def font_folder() -> Traversable:
    """Where the font files and their licence are."""
    return files("tallystick.adapters.publish").joinpath("fonts")


def shown(text: str) -> str:
    """The text with every character that the fonts cannot show, or that shows nothing, as its code: [U+4E2D].

    So a name in another script is a name that can be looked up, and a direction mark cannot turn figures around. The
    document itself has the characters.
    """
    advances = _advances("IBMPlexSans-Regular.ttf")
    return "".join(
        each
        if ord(each) in advances and unicodedata.category(each) not in _HIDDEN
        else " "
        if each in "\n\r\t"
        else f"[U+{ord(each):04X}]"
        for each in text
    )


def breakable(text: str, longest: int) -> str:
    """The text as shown, that may be broken anywhere within words of more characters than `longest`.

    Who copies such a word gets the breaks with it, so codes are never made breakable.
    """
    return " ".join(word if len(word) <= longest else _ZERO_WIDTH_SPACE.join(word) for word in shown(text).split(" "))


def width(text: str, size: int, *, is_bold: bool = False) -> int:
    """How wide a line of text is, in the unit of `size`, which is the font size; rounded up."""
    advances = _advances("IBMPlexSans-Bold.ttf" if is_bold else "IBMPlexSans-Regular.ttf")
    return -(-sum(advances.get(ord(each), 1000) for each in text) * size // 1000)


def fitted(text: str, room: int, size: int, *, is_bold: bool = False) -> str:
    """The text as far as it fits into `room`, with … where something was left out."""
    if width(text, size, is_bold=is_bold) <= room:
        return text
    for length in range(len(text) - 1, 0, -1):
        candidate = text[:length].rstrip() + "…"
        if width(candidate, size, is_bold=is_bold) <= room:
            return candidate
    return "…"


@cache
def _advances(name: str) -> Mapping[int, int]:
    """Thousandths of the font size by character code."""
    content = font_folder().joinpath(name).read_bytes()
    tables = {
        content[at : at + 4]: struct.unpack(">I", content[at + 8 : at + 12])[0]
        for at in range(12, 12 + 16 * struct.unpack(">H", content[4:6])[0], 16)
    }
    per_em = _number(content, tables[b"head"] + 18)
    metrics = _number(content, tables[b"hhea"] + 34)
    return {
        character: -(-1000 * _number(content, tables[b"hmtx"] + 4 * min(glyph, metrics - 1)) // per_em)
        for character, glyph in _characters(content, tables[b"cmap"]).items()
    }


def _characters(content: bytes, start: int) -> dict[int, int]:
    """Glyph by character code, from the subtable of format 4: segments of characters that follow one another."""
    found: dict[int, int] = {}
    for record in range(start + 4, start + 4 + 8 * _number(content, start + 2), 8):
        table = start + struct.unpack(">I", content[record + 4 : record + 8])[0]
        if _number(content, table) != 4:
            continue
        size = _number(content, table + 6)
        for segment in range(table + 14, table + 14 + size, 2):
            last, first = _number(content, segment), _number(content, segment + size + 2)
            delta, offset = _number(content, segment + 2 * size + 2), _number(content, segment + 3 * size + 2)
            for character in range(first, last + 1):
                glyph = character
                if offset:
                    glyph = _number(content, segment + 3 * size + 2 + offset + 2 * (character - first))
                if (glyph := (glyph + delta) % 65536 if glyph or not offset else 0) and character != 0xFFFF:
                    found[character] = glyph
    return found


def _number(content: bytes, at: int) -> int:
    return int.from_bytes(content[at : at + 2], "big")
