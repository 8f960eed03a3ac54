"""The backing over the month: for every security what was attested, on statements and required, close by close."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from tallystick.adapters.publish.drawing import (
    SMALL_SIZE,
    TEXT_SIZE,
    UNIT,
    WIDTH,
    Palette,
    box,
    cut,
    dot,
    drawing,
    element,
    label,
    line,
    path,
    room_for,
    scaled,
    ticks,
)
from tallystick.adapters.publish.reading import amount, counted, day

_DASH: Final = "4 2.5"
_GAP: Final = 24 * UNIT
_LEGEND: Final = 26 * UNIT
_INSET: Final = 5 * UNIT
"""Between the first and last points and the ends of the lines behind them."""
_HEAD: Final = 32 * UNIT
_FOOT: Final = 18 * UNIT


@dataclass(frozen=True, slots=True)
class Point:
    """One security at one close, in base units of the share."""

    day: date
    required: int
    attested: int
    on_statements: int | None

    @property
    def missing(self) -> int:
        """Shares required beyond what was attested."""
        return max(0, self.required - self.attested)


@dataclass(frozen=True, slots=True)
class Series:
    """One security's month."""

    ticker: str
    decimals: int
    points: tuple[Point, ...]

    @property
    def range(self) -> tuple[int, int]:
        """Lowest and highest value of the panel, with some air; never below zero."""
        values = [each for point in self.points for each in (point.required, point.attested)]
        values += [point.on_statements for point in self.points if point.on_statements is not None]
        low, high = min(values), max(values)
        air = max((high - low) // 6, 1) if high > low else max(high // 200, 1)
        return max(0, low - air), high + air

    @property
    def words(self) -> str:
        """What the panel shows, for who cannot see it."""
        last, short = self.points[-1], [each for each in self.points if each.missing]
        outcome = (
            f"less than required at {counted(len(short), 'close', 'closes')}"
            if short
            else "less than required at no close"
        )
        return (
            f"{self.ticker}: {outcome}; at the last close {amount(last.attested, self.decimals)} attested for "
            f"{amount(last.required, self.decimals)} required."
        )


@dataclass(frozen=True, slots=True)
class Panel:
    """Where one security is drawn, and how: left and top edge, size, days on the lower axis."""

    x: int
    y: int
    wide: int
    high: int
    first: date
    last: date


def backing_charts(document: Mapping[str, Any], palette: Palette, *, rows: int) -> Iterator[str]:
    """One drawing for so many rows of securities, in their order; of drawings with one row the first has the legend."""
    found = _series(document)
    columns = 1 if len(found) == 1 else 2 if len(found) <= 12 else 3
    high = (230 if columns == 1 else 138 if columns == 2 else 122) * UNIT
    each_page = columns * rows
    pages = [found[at : at + each_page] for at in range(0, len(found), each_page)]
    for number, page in enumerate(pages, start=1):
        yield _page(page, columns, high, (number, len(pages)), palette, _LEGEND if number == 1 or rows > 1 else 0)


def _series(document: Mapping[str, Any]) -> list[Series]:
    points: dict[str, list[Point]] = {}
    for close in document["backing"]:
        for each in close["securities"]:
            statements = each["on_statements"]
            points.setdefault(each["isin"], []).append(
                Point(
                    date.fromisoformat(close["day"]),
                    int(each["required"]),
                    int(each["attested"]),
                    None if statements is None else int(statements),
                )
            )
    return [
        Series(each["ticker"], each["decimals"], tuple(points[each["isin"]]))
        for each in document["test"]
        if each["isin"] in points
    ]


def _page(
    page: Sequence[Series], columns: int, high: int, part_of: tuple[int, int], palette: Palette, legend: int
) -> str:
    days = [point.day for each in page for point in each.points]
    wide = (WIDTH - _GAP * (columns - 1)) // columns
    content = [*(_legend(palette) if legend else ())]
    for place, each in enumerate(page):
        row, column = divmod(place, columns)
        panel = Panel(column * (wide + _GAP), legend + row * high, wide, high, min(days), max(days))
        content.append(element("g", "".join(_panel(each, panel, palette))))
    rows = -(-len(page) // columns)
    number, parts = part_of
    part = f", part {number} of {parts}" if parts > 1 else ""
    return drawing(
        f"backing-{number}",
        f"Backing over the month{part}",
        "Shares at each daily close. The vertical axes do not begin at zero. " + " ".join(each.words for each in page),
        legend + rows * high,
        content,
    )


def _legend(palette: Palette) -> Iterator[str]:
    y, x = 11 * UNIT, 0
    middle, end = y - 3 * UNIT, 22 * UNIT
    for words in ("attested", "required", "on statements", "less attested than required"):
        if words == "attested":
            yield line(x, middle, x + end, middle, palette.reserve, weight=180)
        elif words == "required":
            yield line(x, middle, x + end, middle, palette.required, weight=110, dash=_DASH)
        elif words == "on statements":
            yield dot(x + end // 2, middle, 190, fill=palette.surface, stroke=palette.reserve)
        else:
            yield _band(x + 6 * UNIT, 3 * UNIT, 10 * UNIT, 10 * UNIT, palette)
        yield label(x + end + 6 * UNIT, y, words, palette.muted, size=SMALL_SIZE)
        x += end + 24 * UNIT + room_for(words, SMALL_SIZE)


def _band(x: int, y: int, wide: int, high: int, palette: Palette) -> str:
    return box(x, y, wide, high, fill="none", stroke=palette.short, dash="1.5 1.5")


def _panel(series: Series, panel: Panel, palette: Palette) -> Iterator[str]:
    yield from _title(series, panel, palette)
    low, high = series.range
    marks = ticks(low, high, 4)
    names = [amount(each, series.decimals) for each in marks]
    left = panel.x + max(room_for(each, SMALL_SIZE) for each in names) + 6 * UNIT
    wide, top = panel.x + panel.wide - left - 4 * UNIT, panel.y + _HEAD
    deep = panel.high - _HEAD - _FOOT - 8 * UNIT

    def place(point: Point, value: int) -> tuple[int, int]:
        span = (panel.last - panel.first).days
        x = left + _INSET + scaled((point.day - panel.first).days, 0, span, wide - 2 * _INSET)
        return x, top + deep - scaled(value, low, high, deep)

    for mark, name in zip(marks, names, strict=True):
        y = top + deep - scaled(mark, low, high, deep)
        yield line(left, y, left + wide, y, palette.grid)
        yield label(left - 5 * UNIT, y + 3 * UNIT, name, palette.muted, size=SMALL_SIZE, anchor="end")
    for point in series.points:
        if point.missing:
            yield _band(place(point, low)[0] - 2 * UNIT, top, 4 * UNIT, deep, palette)
    attested = [place(each, each.attested) for each in series.points]
    required = [place(each, each.required) for each in series.points]
    yield path(attested, palette.reserve, weight=180)
    yield path(required, palette.required, weight=110, dash=_DASH)
    if len(series.points) == 1:
        yield dot(*attested[0], 260, fill=palette.reserve, stroke=palette.reserve)
        x, y = required[0]
        yield line(x - 8 * UNIT, y, x + 8 * UNIT, y, palette.required, weight=110)
    for point in series.points:
        if point.on_statements is not None:
            x, y = place(point, point.on_statements)
            yield dot(x, y, 150, fill=palette.surface, stroke=palette.reserve)
    yield from _days(panel, left, wide, top + deep + 13 * UNIT, palette)


def _title(series: Series, panel: Panel, palette: Palette) -> Iterator[str]:
    short = [each for each in series.points if each.missing]
    last = series.points[-1]
    outcome = f"SHORT at {counted(len(short), 'close', 'closes')}" if short else "short at no close"
    room = panel.wide - room_for(outcome, SMALL_SIZE, is_bold=True) - 10 * UNIT
    y = panel.y + 11 * UNIT
    yield label(panel.x, y, cut(series.ticker, room, TEXT_SIZE, is_bold=True), palette.ink, is_bold=True)
    yield label(
        panel.x + panel.wide,
        y,
        outcome,
        palette.short if short else palette.muted,
        size=SMALL_SIZE,
        anchor="end",
        is_bold=bool(short),
    )
    attested, required = amount(last.attested, series.decimals), amount(last.required, series.decimals)
    figures = f"{attested} attested, {required} required"
    if room_for(figures, SMALL_SIZE) > panel.wide:
        figures = f"{attested} / {required}"
    yield label(panel.x, y + 12 * UNIT, cut(figures, panel.wide, SMALL_SIZE), palette.muted, size=SMALL_SIZE)


def _days(panel: Panel, left: int, wide: int, y: int, palette: Palette) -> Iterator[str]:
    if panel.first == panel.last:
        yield label(left + wide // 2, y, _named(panel.first), palette.muted, size=SMALL_SIZE, anchor="middle")
        return
    first, last = _named(panel.first), _named(panel.last)
    yield label(left, y, first, palette.muted, size=SMALL_SIZE)
    yield label(left + wide, y, last, palette.muted, size=SMALL_SIZE, anchor="end")


def _named(each: date) -> str:
    number, month, _ = day(each.isoformat()).split(" ")
    return f"{number} {month[:3]}"
