"""Reads a report's PDF back: its text by section, and every value of the document as it should stand in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

import pypdfium2
from tallystick.adapters.publish import fonts, reading

SECTIONS: Final = {
    "summary": "Summary",
    "test": "Summary",
    "second_look": "Second look",
    "tokens": "Tokens",
    "roll_forward": "Roll-forward",
    "assets": "Assets",
    "backing": "Backing over the month",
    "differences": "Differences",
    "activity": "Activity",
    "corporate_actions": "Corporate actions",
    "earlier_distributions": "Corporate actions",
    "control_log": "Control log",
    "statements": "Statements",
    "holders": "Holders",
    "assertion": "Assertion and examination",
    "days": "Anchors",
    "anchor": "Anchors",
}
BY_DAY: Final = "Backing day by day"
COVER: Final = "cover"

_EIGHTEEN: Final = {"multiplier", "before", "after", "opening_multiplier", "closing_multiplier", "gross_per_share"}
_NUMBER: Final = re.compile(r"[+\N{MINUS SIGN}]?[0-9][0-9,]*(?:\.[0-9]+)?")
# What no reader looks for: the order of events within a transaction, the ratio of an action that has none.
_NOT_SHOWN: Final = {"place"}


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value of a document, with the decimals that count for it."""

    path: tuple[str, ...]
    value: Any
    decimals: int

    @property
    def name(self) -> str:
        return next(each for each in reversed(self.path) if not each.isdigit())

    @property
    def section(self) -> str:
        if self.path[0] == "header":
            known = {"corrects": "What this version corrects", "previous": "Anchors"}
            return known.get(self.path[1], COVER)
        return BY_DAY if "securities" in self.path and self.path[0] == "backing" else SECTIONS[self.path[0]]


def pages(paper: bytes) -> list[str]:
    """The text of every page."""
    document = pypdfium2.PdfDocument(paper)
    try:
        return [page.get_textpage().get_text_bounded().replace("\r\n", "\n") for page in document]
    finally:
        document.close()


def compact(text: str) -> str:
    """Without anything that depends on where a line was broken."""
    return re.sub(r"[\s\u00a0\u200b\u00ad\ufffe\x02]", "", text)


def by_section(paper: bytes) -> dict[str, str]:
    """The text below each heading; the first page under its own name."""
    first, *rest = pages(paper)
    found, current = {COVER: first}, ""
    lines = [each.split("\n") for each in rest]
    on_every_page = set.intersection(*map(set, lines))
    for line in (line for page in lines for line in page if line not in on_every_page and not _FOOT.match(line)):
        heading = re.fullmatch(r"(?:[0-9]+|Appendix [A-Z]) +(\S.*)", line.strip())
        if heading and heading.group(1) in {*SECTIONS.values(), BY_DAY, "What this version corrects"} | _OTHERS:
            current = heading.group(1)
        found[current] = found.get(current, "") + line + "\n"
    return found


_FOOT: Final = re.compile(r"SHA-256 of report\.json \S+ [0-9]+ of [0-9]+")
_OTHERS: Final = {"How to check this report", "Keys and hashes in full"}


def numbers(text: str) -> Counter[str]:
    """Every number of a text in one spelling, with how often it stands there."""
    return Counter(normal(each) for each in _NUMBER.findall(text))


def normal(text: str) -> str:
    """A number without grouping, plus sign and zeros that say nothing."""
    plain = text.replace(",", "").replace("\N{MINUS SIGN}", "-").lstrip("+")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def leaves(document: Mapping[str, Any]) -> Iterator[Leaf]:
    """Every value that the paper shows; what is declared stands in it as part of the sections."""
    by_isin = {each["isin"]: each["decimals"] for each in document["test"]}
    tickers = {each["isin"]: each["ticker"] for each in document["test"]}
    for name, value in document.items():
        if name in ("declared", "format", "format_version"):
            continue
        if name == "backing":
            value = _without_repetition(value)
        if name == "days":
            value = {**value, "left_out": _ends(value["left_out"])}
        for leaf in _leaves((name,), value, 0, by_isin):
            # A security goes by its ticker where its ISIN is in another section, and has its decimals there too.
            if leaf.name == "isin":
                yield replace(leaf, value=tickers.get(leaf.value, leaf.value))
            elif leaf.name not in ("decimals", "payment_decimals") or name == "tokens":
                yield leaf
    for isin in tickers:
        yield Leaf(("tokens", "isin"), isin, 0)


def _without_repetition(closes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The closes without a security's figures that are those of the close before."""
    last: dict[str, Any] = {}
    found = []
    for close in closes:
        found.append({**close, "securities": [each for each in close["securities"] if last.get(each["isin"]) != each]})
        last |= {each["isin"]: each for each in close["securities"]}
    return found


def _ends(days: list[str]) -> list[str]:
    """Without the days that have a day in the list before and after them: the paper has the ends of such a row."""
    numbers = {date.fromisoformat(each).toordinal() for each in days}
    return [each for each in days if not {(day := date.fromisoformat(each).toordinal()) - 1, day + 1} <= numbers]


def _leaves(path: tuple[str, ...], value: Any, decimals: int, by_isin: Mapping[str, int]) -> Iterator[Leaf]:
    if isinstance(value, Mapping):
        own = value.get("payment_decimals", value.get("decimals", by_isin.get(value.get("isin", ""), decimals)))
        # An action without a multiplier has no ratio.
        hidden = _NOT_SHOWN | ({"numerator", "denominator"} if value.get("multiplier", 1) is None else set())
        # Zero says that an action pays no cash.
        hidden |= {"gross_per_share", "withholding"} if value.get("gross_per_share") == "0" else set()
        for name, each in value.items():
            if name not in hidden:
                yield from _leaves((*path, name), each, own, by_isin)
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from _leaves((*path, str(place)), each, decimals, by_isin)
    elif value is not None and value != "":
        yield Leaf(path, value, decimals)


def number_of(leaf: Leaf) -> str | None:
    """The number that should stand on paper; None for what is not one."""
    value, name = leaf.value, leaf.name
    if isinstance(value, bool) or name.startswith("up_to") or name.endswith("seconds"):
        return None
    if name == "ratio":
        return normal(reading.per_cent(value).removesuffix(" %"))
    if leaf.path[0] == "assets" and leaf.path[-2] in ("price", "market_value") and name == "amount":
        return normal(value)
    if not isinstance(value, int) and not re.fullmatch(r"-?[0-9]+", value):
        return None
    scale = 0 if isinstance(value, int) or name in ("multiplier_bits", "numerator", "denominator") else leaf.decimals
    if name == "withholding":
        scale = 2
    if name in _EIGHTEEN and isinstance(value, str):
        scale = 18
    return normal(reading.amount(value, scale))


def texts_of(leaf: Leaf) -> list[str]:
    """The ways in which a value that is no number may stand on paper, without blanks."""
    value, name = leaf.value, leaf.name
    if isinstance(value, bool):
        return ["yes", "pass", "onhold"] if value else ["no", "FAIL", "open"]
    if name.endswith("seconds"):
        return [compact(reading.duration(value))]
    if name.startswith("up_to"):
        return [compact(reading.duration(value * 86_400 if name.endswith("days") else value))]
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z", value):
        return [compact(reading.instant(value)), compact(reading.instant_in_words(value))]
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return [value, compact(reading.day(value))]
    if name == "kind" and leaf.path[0] == "differences":
        return [compact(value.replace("_", " ").lower())]
    if name == "unit":
        return ["tokens" if value == "raw" else value]
    words = [value, value.replace("_", " "), reading.short(value), value.capitalize()]
    if name == "kind" and "timing" in leaf.path:
        words = ["booked since the statement", "not used by an order yet"]
    if leaf.path == ("header", "period"):
        words = [reading.period(value)]
    return [compact(fonts.shown(each)) for each in words]
