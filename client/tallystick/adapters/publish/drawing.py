"""SVG text by integers: the same bytes on every machine.

Coordinates are hundredths of a unit and are written with two places, so nothing is rounded but by whole hundredths.
Presentation attributes alone are used: a page with a strict content security policy ignores styles within its markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from tallystick.adapters.publish.fonts import SANS, fitted, shown, width

UNIT: Final = 100
"""Hundredths in one unit of the drawing."""
WIDTH: Final = 600 * UNIT
"""Of every chart."""
TEXT_SIZE: Final = 11 * UNIT
SMALL_SIZE: Final = 9 * UNIT
_MARGIN_FOR_OTHER_FONTS: Final = 108
"""A page may be read without our fonts: a text gets that many hundredths of its width."""


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of a chart. What a colour says, a dash, a shape or a word says too."""

    ink: str
    muted: str
    grid: str
    reserve: str
    required: str
    short: str
    surface: str

    @classmethod
    def of_page(cls) -> Palette:
        """Custom properties of the page, so that it can be light or dark; the paper's colours where it sets none."""
        paper = cls.of_paper()
        return cls(*(f"var(--chart-{name}, {getattr(paper, name)})" for name in cls.__slots__))

    @classmethod
    def of_paper(cls) -> Palette:
        """Colours on white, each with a contrast of at least 4.5 where text is set in it (WCAG 2.2, 1.4.3)."""
        return cls("#16202c", "#5b6673", "#d5dae0", "#1f6f8b", "#16202c", "#b3261e", "#ffffff")


def element(name: str, content: str = "", **attributes: str | int) -> str:
    """One element; integers are coordinates in hundredths, an underscore in a name is a hyphen."""
    written = "".join(
        f" {key.rstrip('_').replace('_', '-')}={quoteattr(value if isinstance(value, str) else coordinate(value))}"
        for key, value in attributes.items()
    )
    return f"<{name}{written}>{content}</{name}>" if content else f"<{name}{written}/>"


def coordinate(value: int) -> str:
    """Hundredths as decimal text: 1250 is 12.5."""
    sign, (units, rest) = "-" if value < 0 else "", divmod(abs(value), UNIT)
    return f"{sign}{units}.{rest:02d}".rstrip("0").rstrip(".")


def drawing(name: str, title: str, description: str, height: int, content: Sequence[str]) -> str:
    """A whole SVG with its title and description for who cannot see it."""
    return element(
        "svg",
        element("title", escape(shown(title)), id=f"chart-{name}-title")
        + element("desc", escape(shown(description)), id=f"chart-{name}-description")
        + "".join(content),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {coordinate(WIDTH)} {coordinate(height)}",
        width=WIDTH,
        height=height,
        role="img",
        aria_labelledby=f"chart-{name}-title chart-{name}-description",
        font_family=f"{SANS}, system-ui, sans-serif",
    )


def label(
    x: int, y: int, words: str, fill: str, *, size: int = TEXT_SIZE, anchor: str = "start", is_bold: bool = False
) -> str:
    """A line of text whose baseline is at y."""
    weight = {"font_weight": "bold"} if is_bold else {}
    return element("text", escape(shown(words)), x=x, y=y, font_size=size, fill=fill, text_anchor=anchor, **weight)


def room_for(words: str, size: int, *, is_bold: bool = False) -> int:
    """How much room a text needs, in whatever sans-serif font it is read."""
    return width(shown(words), size, is_bold=is_bold) * _MARGIN_FOR_OTHER_FONTS // 100


def cut(words: str, room: int, size: int, *, is_bold: bool = False) -> str:
    """The text as far as it fits."""
    return fitted(shown(words), room * 100 // _MARGIN_FOR_OTHER_FONTS, size, is_bold=is_bold)


def line(x1: int, y1: int, x2: int, y2: int, stroke: str, *, weight: int = 60, dash: str = "") -> str:
    """A straight line."""
    dashes = {"stroke_dasharray": dash} if dash else {}
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=stroke, stroke_width=weight, **dashes)


def box(x: int, y: int, wide: int, high: int, *, fill: str, stroke: str = "", dash: str = "") -> str:
    """A rectangle; with an outline where one is given."""
    outline = {"stroke": stroke, "stroke_width": "0.8"} if stroke else {}
    dashes = {"stroke_dasharray": dash} if dash else {}
    return element("rect", x=x, y=y, width=wide, height=high, fill=fill, **outline, **dashes)


def path(points: Sequence[tuple[int, int]], stroke: str, *, weight: int = 150, dash: str = "") -> str:
    """A line through points."""
    dashes = {"stroke_dasharray": dash} if dash else {}
    return element(
        "polyline",
        points=" ".join(f"{coordinate(x)},{coordinate(y)}" for x, y in points),
        fill="none",
        stroke=stroke,
        stroke_width=weight,
        stroke_linejoin="round",
        **dashes,
    )


def dot(x: int, y: int, radius: int, *, fill: str, stroke: str) -> str:
    """A small circle."""
    return element("circle", cx=x, cy=y, r=radius, fill=fill, stroke=stroke, stroke_width="0.8")


def scaled(value: int, low: int, high: int, length: int) -> int:
    """Where a value lies on a length that goes from low to high, rounded down to hundredths."""
    return (value - low) * length // (high - low) if high > low else length // 2


def ticks(low: int, high: int, at_most: int) -> list[int]:
    """Round numbers between low and high, a step of 1, 2 or 5 times a power of ten apart, at most so many."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            size = step * factor
            first = -(-low // size) * size
            if (high - first) // size + 1 <= at_most:
                return list(range(first, high + 1, size))
        step *= 10
