"""A report's charts are exact drawings of the document: well-formed, within their frame, readable, always the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import combinations, pairwise
from typing import Any
from xml.etree import ElementTree

import paper_material as material
import pytest
from hypothesis import given
from hypothesis import strategies as some
from tallystick.adapters.publish import drawing, fonts, reading
from tallystick.adapters.publish.charts import charts, parts

SVG = "{http://www.w3.org/2000/svg}"
DOCUMENTS = {
    "sample": material.sample_document,
    "failing": material.failing,
    "awkward": material.awkward,
    "one security, one day": lambda: material.enlarged(1, days=1),
    "one security": lambda: material.enlarged(1),
    "forty securities": lambda: material.enlarged(40),
    "forty securities, one day": lambda: material.enlarged(40, days=1),
}

Box = tuple[int, int, int, int]


@pytest.fixture(params=DOCUMENTS)
def document(request: pytest.FixtureRequest) -> dict[str, Any]:
    return DOCUMENTS[request.param]()


def drawn(document: Mapping[str, Any], *, is_paper: bool = False) -> dict[str, ElementTree.Element]:
    return {name: ElementTree.fromstring(each) for name, each in charts(document, is_paper=is_paper).items()}


def hundredths(text: str) -> int:
    units, _, rest = text.partition(".")
    assert re.fullmatch(r"[0-9]+", units), text
    assert len(rest) <= 2
    return int(units) * 100 + int(rest.ljust(2, "0") or 0)


def labels(svg: ElementTree.Element) -> Iterator[tuple[str, Box]]:
    """Every text with the box that it takes: left, top, right, bottom."""
    for each in svg.iter(f"{SVG}text"):
        size, x, y = (hundredths(each.attrib[name]) for name in ("font-size", "x", "y"))
        long = fonts.width(each.text or "", size, is_bold=each.get("font-weight") == "bold")
        left = {"start": x, "middle": x - long // 2, "end": x - long}[each.attrib["text-anchor"]]
        yield each.text or "", (left, y - size * 7 // 10, left + long, y + size // 5)


def points(line: ElementTree.Element) -> list[tuple[int, int]]:
    found = [each.split(",") for each in line.attrib["points"].split(" ")]
    return [(hundredths(x), hundredths(y)) for x, y in found]


def test_every_chart_says_what_it_shows(document: dict[str, Any]) -> None:
    for name, svg in drawn(document).items():
        title, description = svg.find(f"{SVG}title"), svg.find(f"{SVG}desc")
        assert title is not None
        assert description is not None
        assert title.text
        assert description.text
        assert svg.attrib["aria-labelledby"].split() == [title.attrib["id"], description.attrib["id"]], name


def test_ids_are_of_one_chart_alone(document: dict[str, Any]) -> None:
    ids = [each.attrib["id"] for svg in drawn(document).values() for each in svg.iter() if "id" in each.attrib]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("is_paper", [True, False])
def test_no_label_touches_another_or_leaves_the_frame(document: dict[str, Any], is_paper: bool) -> None:
    for name, svg in drawn(document, is_paper=is_paper).items():
        wide, high = hundredths(svg.attrib["width"]), hundredths(svg.attrib["height"])
        assert svg.attrib["viewBox"] == f"0 0 {svg.attrib['width']} {svg.attrib['height']}"
        found = list(labels(svg))
        for text, (left, top, right, bottom) in found:
            assert left >= 0, (name, text)
            assert top >= 0, (name, text)
            assert right <= wide, (name, text)
            assert bottom <= high, (name, text)
        for (one, first), (other, second) in combinations(found, 2):
            is_apart = first[2] <= second[0] or second[2] <= first[0] or first[3] <= second[1] or second[3] <= first[1]
            assert is_apart, (name, one, other)


def test_every_shape_lies_within_the_frame(document: dict[str, Any]) -> None:
    for name, svg in drawn(document).items():
        wide, high = hundredths(svg.attrib["width"]), hundredths(svg.attrib["height"])
        for each in svg.iter():
            across = [hundredths(each.attrib[key]) for key in ("x", "x1", "x2", "cx") if key in each.attrib]
            down = [hundredths(each.attrib[key]) for key in ("y", "y1", "y2", "cy") if key in each.attrib]
            if each.tag == f"{SVG}rect":
                across.append(across[0] + hundredths(each.attrib["width"]))
                down.append(down[0] + hundredths(each.attrib["height"]))
            if each.tag == f"{SVG}polyline":
                across += [x for x, _ in points(each)]
                down += [y for _, y in points(each)]
            assert all(0 <= value <= wide for value in across), (name, each.tag, each.attrib)
            assert all(0 <= value <= high for value in down), (name, each.tag, each.attrib)


def test_the_same_document_gives_the_same_text() -> None:
    assert charts(material.sample_document()) == charts(material.sample_document())


def test_paper_and_page_differ_by_colours_alone() -> None:
    document = material.enlarged(1)
    page, paper = charts(document), charts(document, is_paper=True)
    assert "var(" not in "".join(paper.values())
    for name, svg in page.items():
        assert re.sub(r"var\(--chart-[a-z]+, (#[0-9a-f]{6})\)", r"\1", svg) == paper[name]
        assert not re.search(r"style=|<style|class=|#[0-9a-f]{6}(?!\))", svg)


def test_every_security_has_its_figures_in_the_reserve_chart(document: dict[str, Any]) -> None:
    found = charts(document)
    texts = [text for name in parts(found, "reserve") for text, _ in labels(ElementTree.fromstring(found[name]))]
    for each in document["test"]:
        assert reading.amount(each["held"], each["decimals"]) in texts
        assert reading.amount(each["required"], each["decimals"]) in texts
    assert texts.count("FAIL") == sum(1 for each in document["test"] if not each["is_passed"])


def test_bars_are_as_long_as_what_they_stand_for() -> None:
    document = material.failing()
    svg = drawn(document)["reserve"]
    rows = list(svg.iter(f"{SVG}g"))
    for row, each in zip(rows, document["test"], strict=True):
        held, required = (hundredths(box.attrib["width"]) for box in row.iter(f"{SVG}rect"))
        longest = max(held, required)
        most = max(int(each["held"]), int(each["required"]))
        assert held == int(each["held"]) * longest // most
        assert required == int(each["required"]) * longest // most


def test_lines_go_through_every_close_in_its_place(document: dict[str, Any]) -> None:
    found = charts(document)
    panels = [
        panel for name in parts(found, "backing") for panel in ElementTree.fromstring(found[name]).iter(f"{SVG}g")
    ]
    assert len(panels) == len(document["test"])
    for panel, security in zip(panels, document["test"], strict=True):
        closes = [
            next(each for each in close["securities"] if each["isin"] == security["isin"])
            for close in document["backing"]
        ]
        attested, required = (points(each) for each in panel.iter(f"{SVG}polyline"))
        assert len(attested) == len(required) == len(closes)
        for place, close in enumerate(closes):
            above = (attested[place][1] > required[place][1]) - (attested[place][1] < required[place][1])
            more = (int(close["required"]) > int(close["attested"])) - (int(close["required"]) < int(close["attested"]))
            assert above in (more, 0)
            assert attested[place][0] == required[place][0]
        assert all(one[0] < other[0] for one, other in pairwise(attested))


def test_a_day_with_too_little_is_marked_and_named() -> None:
    svg = drawn(material.sample_document())["backing"]
    texts = [text for text, _ in labels(svg)]
    assert texts.count("SHORT at 3 closes") == 1
    assert texts.count("short at no close") == 2
    description = svg.find(f"{SVG}desc")
    assert description is not None
    assert "GAMC: less than required at 3 closes" in (description.text or "")


def test_a_day_without_a_statement_has_no_circle() -> None:
    document = material.enlarged(1)
    circles = len(list(drawn(document)["backing"].iter(f"{SVG}circle")))
    document["backing"][3]["securities"][0]["on_statements"] = None
    assert len(list(drawn(document)["backing"].iter(f"{SVG}circle"))) == circles - 1


def test_bars_of_breaks_and_orders_carry_their_numbers() -> None:
    document = material.sample_document()
    svgs = drawn(document)
    ageing = [text for text, _ in labels(svgs["ageing"])]
    assert ageing[1::2] == [["up to 1 d", "up to 3 d", "up to 7 d", "up to 30 d", "over 30 d"][at] for at in range(5)]
    assert ageing[2::2] == [str(each["open"]) for each in document["differences"]["ageing"]]
    settling = [text for text, _ in labels(svgs["settling"])]
    for kind in ("subscriptions", "redemptions"):
        settled = sum(each[kind]["settled"] for each in document["activity"])
        assert f"{kind.capitalize()}: {settled} settled" in settling


def test_nothing_to_show_is_said() -> None:
    document = material.sample_document()
    for each in document["differences"]["ageing"]:
        each["open"] = 0
    for each in document["activity"]:
        for kind in ("subscriptions", "redemptions"):
            for bucket in each[kind]["buckets"]:
                bucket["orders"] = 0
    document["test"] = document["backing"] = []
    svgs = drawn(document)
    assert set(svgs) == {"ageing", "settling"}
    assert "No break was open" in [text for text, _ in labels(svgs["ageing"])]
    assert "Redemptions: none settled" in [text for text, _ in labels(svgs["settling"])]


def test_markup_in_a_ticker_is_text() -> None:
    document = material.sample_document()
    document["test"][0]["ticker"] = '"><script>&'
    document["test"][0]["words"] = "</desc><script>alert(1)</script>"
    for svg in drawn(document).values():
        assert not list(svg.iter(f"{SVG}script"))
    assert any("><scri" in text for text, _ in labels(drawn(document)["reserve"]))


@given(some.integers(0, 2**70), some.integers(0, 2**70), some.integers(2, 8))
def test_ticks_are_round_and_few(one: int, other: int, at_most: int) -> None:
    low, high = sorted((one, other))
    found = drawing.ticks(low, high, at_most)
    assert len(found) <= at_most
    assert all(low <= each <= high for each in found)
    assert len({later - earlier for earlier, later in pairwise(found)}) <= 1


@given(some.integers(0, 10**9))
def test_a_coordinate_is_exact_decimal_text(value: int) -> None:
    assert hundredths(drawing.coordinate(value)) == value
    assert drawing.coordinate(-value) in ("0", f"-{drawing.coordinate(value)}")
