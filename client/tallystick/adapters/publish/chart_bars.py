"""Bars: supply and reserve by security, the age of open breaks, the time that orders took to settle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tallystick.adapters.publish.drawing import (
    SMALL_SIZE,
    UNIT,
    WIDTH,
    Palette,
    box,
    cut,
    drawing,
    element,
    label,
    line,
    room_for,
    scaled,
)
from tallystick.adapters.publish.reading import amount, count, counted, up_to

_ROWS_WITHOUT_HEAD: Final = 6
"""Drawings of so few rows stand directly below each other, and the first alone has the legend."""
_ROW: Final = 29 * UNIT
_HEAD: Final = 40 * UNIT
_BAR_LEFT: Final = 86 * UNIT
_GAP: Final = 14 * UNIT
_BUCKET: Final = 22 * UNIT


@dataclass(frozen=True, slots=True)
class Bars:
    """Where the bars end and the figures of what is held: as far right as every figure of the document allows."""

    wide: int
    held_right: int

    @classmethod
    def of(cls, tests: Sequence[Mapping[str, Any]]) -> Bars:
        """Room for the longest figure of each column; the bars have the rest."""
        held, required = (
            max((room_for(amount(each[name], each["decimals"]), SMALL_SIZE) for each in tests), default=0)
            for name in ("held", "required")
        )
        held_right = WIDTH - max(required, room_for("required", SMALL_SIZE)) - _GAP
        return cls(held_right - max(held, room_for("no statement", SMALL_SIZE)) - _GAP - _BAR_LEFT, held_right)


def reserve_charts(document: Mapping[str, Any], palette: Palette, *, rows: int) -> Iterator[str]:
    """Shares required by all tokens and shares held, a row for each security with a scale of its own."""
    tests: Sequence[Mapping[str, Any]] = document["test"]
    bars = Bars.of(tests)
    pages = [tests[at : at + rows] for at in range(0, len(tests), rows)]
    for number, page in enumerate(pages, start=1):
        part = f", part {number} of {len(pages)}" if len(pages) > 1 else ""
        head = _HEAD if number == 1 or rows > _ROWS_WITHOUT_HEAD else 0
        yield drawing(
            f"reserve-{number}",
            f"Supply and reserve by security{part}",
            "In shares; each row has its own scale. "
            + " ".join(f"{each['ticker']}: {each['words']}." for each in page),
            head + _ROW * len(page),
            [
                *(_heads(bars, palette) if head else ()),
                *(
                    element("g", "".join(_row(each, head + place * _ROW, bars, palette)))
                    for place, each in enumerate(page)
                ),
            ],
        )


def _heads(bars: Bars, palette: Palette) -> Iterator[str]:
    y = 11 * UNIT
    yield box(_BAR_LEFT, y - 8 * UNIT, 18 * UNIT, 8 * UNIT, fill=palette.reserve)
    yield label(_BAR_LEFT + 23 * UNIT, y, "held", palette.muted, size=SMALL_SIZE)
    x = _BAR_LEFT + 60 * UNIT
    yield box(x, y - 8 * UNIT, 18 * UNIT, 8 * UNIT, fill="none", stroke=palette.required, dash="2 1.5")
    yield label(x + 23 * UNIT, y, "required; each row has its own scale", palette.muted, size=SMALL_SIZE)
    for right, words in ((bars.held_right, "held"), (WIDTH, "required")):
        yield label(right, _HEAD - 9 * UNIT, words, palette.muted, size=SMALL_SIZE, anchor="end")
    yield line(0, _HEAD - 4 * UNIT, WIDTH, _HEAD - 4 * UNIT, palette.grid)


def _row(test: Mapping[str, Any], y: int, bars: Bars, palette: Palette) -> Iterator[str]:
    required, decimals = int(test["required"]), test["decimals"]
    held = None if test["held"] is None else int(test["held"])
    longest = max(required, held or 0, 1)
    has_failed = not test["is_passed"]
    ink, fill = (palette.short, palette.short) if has_failed else (palette.ink, palette.reserve)
    baseline, name_room = y + 13 * UNIT, _BAR_LEFT - 8 * UNIT
    yield label(
        0, baseline, cut(test["ticker"], name_room, SMALL_SIZE, is_bold=True), ink, size=SMALL_SIZE, is_bold=True
    )
    if has_failed:
        yield label(0, baseline + 9 * UNIT, "FAIL", ink, size=SMALL_SIZE)
    yield box(_BAR_LEFT, y + 4 * UNIT, scaled(max(held or 0, 0), 0, longest, bars.wide), 8 * UNIT, fill=fill)
    yield box(
        _BAR_LEFT,
        y + 14 * UNIT,
        scaled(required, 0, longest, bars.wide),
        8 * UNIT,
        fill="none",
        stroke=palette.required,
        dash="2 1.5",
    )
    held_words = "no statement" if held is None else amount(held, decimals)
    yield label(bars.held_right, baseline, held_words, ink, size=SMALL_SIZE, anchor="end")
    yield label(WIDTH, baseline, amount(required, decimals), palette.ink, size=SMALL_SIZE, anchor="end")
    yield line(0, y + 26 * UNIT, WIDTH, y + 26 * UNIT, palette.grid)


def ageing_chart(document: Mapping[str, Any], palette: Palette) -> str:
    """Open breaks by their age."""
    buckets = [(each["up_to_days"], each["open"]) for each in document["differences"]["ageing"]]
    rows = [
        (up_to(None if limit is None else limit * 86_400, lower * 86_400), found)
        for (limit, found), lower in zip(buckets, [0, *(each[0] or 0 for each in buckets)], strict=False)
    ]
    total = sum(found for _, found in rows)
    words = f"{counted(total, 'break was', 'breaks were')} open" if total else "no break was open"
    return drawing(
        "ageing",
        "Breaks open at the as-of time, by age",
        _described(rows, "break", "breaks"),
        _bars_high(rows),
        list(_bars(0, WIDTH, words.capitalize(), rows, palette.muted, palette)),
    )


def settling_chart(document: Mapping[str, Any], palette: Palette) -> str:
    """Settled subscriptions and redemptions of all securities, by the time they took."""
    gap = 36 * UNIT
    wide = (WIDTH - gap) // 2
    content, described, high = list[str](), list[str](), 0
    for place, kind in enumerate(("subscriptions", "redemptions")):
        rows = _settled(document, kind)
        total = sum(found for _, found in rows)
        words = f"{kind.capitalize()}: {count(total)} settled" if total else f"{kind.capitalize()}: none settled"
        content += _bars(place * (wide + gap), wide, words, rows, palette.reserve, palette)
        described.append(f"{words}. {_described(rows, 'order', 'orders')}")
        high = max(high, _bars_high(rows))
    return drawing("settling", "Time that orders took to settle", " ".join(described), high, content)


def _settled(document: Mapping[str, Any], kind: str) -> list[tuple[str, int]]:
    found: dict[int | None, int] = {}
    for security in document["activity"]:
        for bucket in security[kind]["buckets"]:
            limit = bucket["up_to_seconds"]
            found[limit] = found.get(limit, 0) + bucket["orders"]
    ordered = sorted(found.items(), key=lambda each: (each[0] is None, each[0] or 0))
    lower = [0, *(limit or 0 for limit, _ in ordered)]
    return [(up_to(limit, below), orders) for (limit, orders), below in zip(ordered, lower, strict=False)]


def _described(rows: Sequence[tuple[str, int]], one: str, many: str) -> str:
    return ", ".join(f"{name}: {counted(found, one, many)}" for name, found in rows) + "."


def _bars_high(rows: Sequence[object]) -> int:
    return 24 * UNIT + _BUCKET * len(rows) + 4 * UNIT


def _bars(x: int, wide: int, title: str, rows: Sequence[tuple[str, int]], fill: str, palette: Palette) -> Iterator[str]:
    yield label(x, 12 * UNIT, cut(title, wide, SMALL_SIZE, is_bold=True), palette.ink, size=SMALL_SIZE, is_bold=True)
    most = max((found for _, found in rows), default=0)
    left = x + max((room_for(name, SMALL_SIZE) for name, _ in rows), default=0) + 8 * UNIT
    longest = x + wide - left - room_for(count(most), SMALL_SIZE) - 8 * UNIT
    for place, (name, found) in enumerate(rows):
        y = 24 * UNIT + place * _BUCKET
        long = scaled(found, 0, max(most, 1), longest)
        yield label(left - 6 * UNIT, y + 11 * UNIT, name, palette.muted, size=SMALL_SIZE, anchor="end")
        if found:
            yield box(left, y + 2 * UNIT, long, 12 * UNIT, fill=fill)
        yield label(left + long + 5 * UNIT, y + 11 * UNIT, count(found), palette.ink, size=SMALL_SIZE)
    yield line(left, 22 * UNIT, left, 24 * UNIT + len(rows) * _BUCKET, palette.muted)
