"""The site of published reports: pages that load nothing and run nothing but their own, and a file for machines."""

from __future__ import annotations

import json
import re
import sys
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "domain"))

from report_sample import sample_declared, sample_facts, sample_report
from tallystick.adapters.publish.charts import charts
from tallystick.adapters.publish.site import proof_of_reserves, render_index, render_page
from tallystick.domain.canonical import canonical_json
from tallystick.domain.reserve_report.document import build_document, report_bytes
from tallystick.domain.reserve_report.published import Anchor, Approval, PublishedVersion, approval_bytes
from tallystick.errors import InputError

HOSTILE = "\"><script>x</script>'&{{ 7 * 7 }}<img src=http://x onerror=x>"
SECTIONS = [
    "test",
    "check",
    "second-look",
    "tokens",
    "roll-forward",
    "assets",
    "backing",
    "differences",
    "activity",
    "corporate-actions",
    "control-log",
    "statements",
    "holders",
    "assertion",
    "corrections",
    "anchor",
]


class Page(HTMLParser):
    """What of a page a test looks at: elements with their attributes, and what is in scripts and styles."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inline: list[tuple[str, str]] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1][0] in ("script", "style") and data.strip():
            self.inline.append((self.elements[-1][0], data))

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag in tags]

    @property
    def policy(self) -> dict[str, list[str]]:
        """The content security policy: rules by name."""
        (text,) = [each["content"] or "" for each in self.all("meta") if each.get("http-equiv")]
        return {rule.split()[0]: rule.split()[1:] for rule in text.split("; ")}


def approval_of(content: bytes) -> bytes:
    return approval_bytes(Approval(sha256(content).digest(), "4MTAEVooG6kHz2HBQGw9C8DqjvmkrAoRpJoY7g9o6pvg", "5sig"))


def rendered(content: bytes) -> bytes:
    return render_page(content, approval_of(content), charts(json.loads(content)))


def sample() -> Any:
    return json.loads(sample_report()[0])


def bare() -> bytes:
    """A report whose issuer declares nothing but its closes, of which no day was drawn."""
    declared = replace(
        sample_declared(),
        custodians=(),
        holdings=(),
        timing=(),
        wallets=(),
        breaks=(),
        dividends=(),
        prices=(),
        assertion=None,
        examination=None,
    )
    facts = replace(sample_facts(), draw=None, log=(), roles=())
    securities = tuple(
        replace(each, register=None, actions=(), distributions=(), holds=(), seizures=(), orders=(), attestations=())
        for each in facts.securities
    )
    return report_bytes(build_document(replace(facts, securities=securities), declared))


def version(number: int, content: bytes | None = None) -> PublishedVersion:
    document = sample()
    document["header"]["version"] = number
    found = content or canonical_json(document)
    anchor = Anchor(f"account{number}", sha256(found).digest(), 300 + number, "sig", 1_793_700_000)
    return PublishedVersion(202610, number, found, anchor)


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The paths of all text in a document."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(item, str):
            yield (*path, key)
        elif isinstance(item, dict | list):
            yield from leaves(item, (*path, key))


def test_the_same_report_gives_the_same_page() -> None:
    content = sample_report()[0]
    assert rendered(content) == rendered(content)


def test_a_page_has_every_section_in_order_and_says_where_each_is() -> None:
    page = Page(rendered(sample_report()[0]))
    assert [each["id"] for each in page.all("section")] == SECTIONS
    links = [each["href"] for each in page.all("a") if (each["href"] or "").startswith("#")]
    # Before the contents: what skips to the report, the check, and what a correction changed.
    assert links[3 : 3 + len(SECTIONS)] == [f"#{section}" for section in SECTIONS]


@pytest.mark.parametrize("content", [sample_report()[0], bare()], ids=["full", "bare"])
def test_headings_follow_each_other_and_every_table_has_a_caption_and_scopes(content: bytes) -> None:
    page = Page(rendered(content))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(each.get("scope") in ("col", "row") for each in page.all("th"))
    ids = [each["id"] for _, each in page.elements if "id" in each]
    assert len(ids) == len(set(ids))


def test_only_the_pages_own_script_and_style_are_allowed() -> None:
    page = Page(rendered(sample_report()[0]))
    allowed = {
        tag: f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
        for tag, text in page.inline
        if not text.startswith("{")
    }
    assert page.policy == {
        "default-src": ["'none'"],
        "script-src": [allowed["script"]],
        "style-src": [allowed["style"]],
        "connect-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
    }


@pytest.mark.parametrize("page", [rendered(sample_report()[0]), render_index([version(1)])], ids=["page", "index"])
def test_a_page_loads_nothing_and_has_nothing_that_its_policy_blocks(page: bytes) -> None:
    found = Page(page)
    for tag, attributes in found.elements:
        assert not [name for name in attributes if name.startswith("on") or name in ("style", "src", "action")], tag
        for name in ("href", "xlink:href"):
            assert not re.match(r"\w+:|//", (attributes.get(name) or "").replace("data:,", "")), (tag, attributes)


def test_no_text_of_a_report_becomes_markup() -> None:
    document = sample()
    plain = Page(rendered(canonical_json(document)))
    kept = {"isin", "mint", "ticker", "kind"}
    changed = 0
    for path in leaves(document):
        name, place = str(path[-1]), document
        for step in path[:-1]:
            place = place[step]
        is_number_or_time = re.fullmatch(r"-?[0-9.]+|[0-9]{4}-[0-9:TZ-]+", place[path[-1]])
        if path[0] != "declared" and name not in kept and not is_number_or_time:
            place[path[-1]] = HOSTILE
            changed += 1
    for row in [*document["test"], *document["tokens"], *document["second_look"]["test"], *document["activity"]]:
        row["ticker"] = HOSTILE
    assert changed > 200
    page = rendered(canonical_json(document))
    assert [tag for tag, _ in Page(page).elements] == [tag for tag, _ in plain.elements]
    assert b"{{ 7 * 7 }}" in page


def test_a_report_without_declarations_draw_or_register_says_so() -> None:
    text = rendered(bare()).decode()
    for words in (
        "No statement was used by the as-of close.",
        "not declared",
        "No day of this month was drawn on chain",
        "not examined",
    ):
        assert words in text


def test_a_failed_test_is_not_shown_as_passed() -> None:
    document = sample()
    document["summary"]["is_passed"] = document["test"][0]["is_passed"] = False
    document["test"][0] |= {"held": None, "surplus": None, "ratio": None}
    document["second_look"]["test"] = []
    text = rendered(canonical_json(document)).decode()
    assert '<span class="seal failed"' in text
    assert text.count("✕ failed") == 1


def test_days_without_a_close_are_named() -> None:
    document = sample()
    document["days"]["left_out"] = []
    assert "not closed:" not in rendered(canonical_json(document)).decode()
    document["days"]["left_out"] = ["2026-10-30", "2026-10-31"]
    assert "Days that were not closed: 2026-10-30, 2026-10-31." in rendered(canonical_json(document)).decode()


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(InputError):
        render_page(b"{", b"{}", {})
    with pytest.raises(InputError):
        render_page(b"[]", b"{}", {})


@pytest.mark.parametrize("missing", [("header", "version"), ("backing", 0, "securities", 0, "required"), ("holders",)])
def test_a_report_that_lacks_a_figure_is_refused(missing: tuple[str | int, ...]) -> None:
    document = sample()
    holder = document
    for step in missing[:-1]:
        holder = holder[step]
    del holder[missing[-1]]
    with pytest.raises(InputError, match="lacks"):
        rendered(canonical_json(document))


def test_the_approval_of_another_report_is_refused() -> None:
    content = sample_report()[0]
    with pytest.raises(InputError, match="another report"):
        render_page(content, approval_of(b"another"), {})


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb (WCAG 2.2)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        *((text, ground) for text in ("ink", "quiet", "accent") for ground in ("paper", "card", "sunk")),
        *((text, ground) for text in ("good", "bad") for ground in ("paper", "card")),
        *((text, f"{text}-soft") for text in ("good", "bad", "warn")),
        *(("ink", f"{ground}-soft") for ground in ("good", "bad", "warn")),
        ("accent", "warn-soft"),
        ("paper", "accent"),
    ],
)
def test_text_stands_out_from_its_ground(text: str, ground: str, scheme: int) -> None:
    (_, style) = next(each for each in Page(render_index([])).inline if each[0] == "style")
    block = re.findall(r":root \{(.*?)\}", style, re.DOTALL)[scheme]
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))
    lighter, darker = sorted((luminance(colours[text]), luminance(colours[ground])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def test_the_index_lists_the_newest_version_first_and_marks_what_it_supersedes() -> None:
    text = render_index([version(1), version(2)]).decode()
    assert text.index("October 2026, version 2") < text.index("October 2026, version 1")
    assert text.count("superseded by version 2") == 1
    assert "2026-10/v1/report.pdf" in text


def test_an_index_without_reports_says_so() -> None:
    assert "No report was published yet." in render_index([]).decode()


def test_machines_read_each_security_and_where_its_figures_are_from() -> None:
    first, second = version(1), version(2)
    document = json.loads(proof_of_reserves([first, second]))
    alpha = next(each for each in document["securities"] if each["ticker"] == "ALPA")
    report = json.loads(second.content)
    figures = {name: alpha[name] for name in ("isin", "supply", "required", "held", "ratio", "is_passed", "decimals")}
    assert figures == {
        "isin": "US0378331005",
        "supply": "90000000",
        "required": "90000000",
        "held": "90000000",
        "ratio": "1.000000",
        "is_passed": True,
        "decimals": 6,
    }
    assert alpha["hash"] == sha256(second.content).hexdigest()
    assert (alpha["account"], alpha["superseded_by"]) == ("account2", None)
    assert alpha["as_of"] == report["header"]["as_of"]
    assert [each["version"] for each in document["reports"]] == [2, 1]
    assert document["reports"][1]["superseded_by"] == {
        "version": 2,
        "hash": alpha["hash"],
        "account": "account2",
    }
    assert document["reports"][1]["path"] == "2026-10/v1/report.json"
    assert document["reports"][1]["anchor"]["published_at"] == "2026-11-03T10:00:00Z"


def test_machines_read_an_empty_list_before_the_first_report() -> None:
    document = json.loads(proof_of_reserves([]))
    assert (document["securities"], document["reports"], document["issuer"]) == ([], [], None)
