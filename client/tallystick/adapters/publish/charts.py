"""A report's charts as SVG, by name: backing, reserve, ageing, settling.

With more securities than one drawing takes there are backing-2, backing-3 and so on after it, likewise for reserve.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any

from tallystick.adapters.publish.chart_backing import backing_charts
from tallystick.adapters.publish.chart_bars import ageing_chart, reserve_charts, settling_chart
from tallystick.adapters.publish.drawing import Palette
from tallystick.errors import InputError


def charts(document: Mapping[str, Any], *, is_paper: bool = False) -> Mapping[str, str]:
    """Every chart of a document: an element `svg` that stands alone or within a page.

    The colours are the custom properties --chart-ink, -muted, -grid, -reserve, -required, -short and -surface of the
    page it is in. On paper they are fixed, and a drawing is lower, so that it leaves no half page empty. Same document,
    same text. InputError for a document that lacks a figure.
    """
    colours = Palette.of_paper() if is_paper else Palette.of_page()
    try:
        return {
            **_numbered("reserve", reserve_charts(document, colours, rows=6 if is_paper else 28)),
            **_numbered("backing", backing_charts(document, colours, rows=1 if is_paper else 7)),
            "ageing": ageing_chart(document, colours),
            "settling": settling_chart(document, colours),
        }
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise InputError(f"This report lacks what every report has: {error!r}.") from error


def parts(found: Mapping[str, str], name: str) -> list[str]:
    """The names of a chart's drawings in their order: backing, backing-2 and so on."""
    return [each for each in found if each == name or each.rpartition("-")[0] == name]


def described(drawing: str) -> str:
    """What a drawing says in words."""
    return unescape(drawing.partition("<desc")[2].partition(">")[2].partition("</desc>")[0])


def _numbered(name: str, drawings: Iterator[str]) -> dict[str, str]:
    return {name if number == 1 else f"{name}-{number}": each for number, each in enumerate(drawings, start=1)}
