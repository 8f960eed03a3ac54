"""Reports to set on paper: the sample of the document, the same with many securities, or with single values changed."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "domain"))

from report_sample import sample_report
from tallystick.domain.canonical import canonical_json


def sample_content() -> bytes:
    """report.json of a month with everything in it."""
    return sample_report()[0]


def sample_document() -> dict[str, Any]:
    """The same, to be changed."""
    found: dict[str, Any] = json.loads(sample_content())
    return found


def with_value(path: Sequence[str | int], value: object, document: dict[str, Any] | None = None) -> dict[str, Any]:
    """The sample, or another document, with one value changed."""
    found = copy.deepcopy(document) if document is not None else sample_document()
    place: Any = found
    for each in path[:-1]:
        place = place[each]
    place[path[-1]] = value
    return found


def content_of(document: Mapping[str, Any]) -> bytes:
    """A document's bytes."""
    return canonical_json(dict(document))


def enlarged(securities: int, days: int | None = None) -> dict[str, Any]:
    """The sample with so many securities, made of its three, and with the first `days` closes alone."""
    document = sample_document()
    names = [each["isin"] for each in document["test"]]

    def rows(found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        by_isin = {each["isin"]: each for each in found}
        return [
            copy.deepcopy(dict(by_isin[names[number % 3]]))
            | {"isin": f"XS{number:09d}0"}
            | ({"ticker": f"SEC{number}"} if "ticker" in found[0] else {})
            for number in range(securities)
        ]

    for name in ("test", "tokens", "roll_forward", "assets", "activity"):
        document[name] = rows(document[name])
    document["second_look"]["test"] = rows(document["second_look"]["test"])
    document["holders"]["securities"] = rows(document["holders"]["securities"])
    document["backing"] = [each | {"securities": rows(each["securities"])} for each in document["backing"][:days]]
    document["summary"]["securities"] = securities
    document["control_log"]["seizures"] = []
    return document


def failing() -> dict[str, Any]:
    """The sample with one security that is three shares short, at the as-of and on the drawn day, and nobody's word."""
    document = sample_document()
    short = {
        "on_statements": "87000000",
        "timing": "0",
        "held": "87000000",
        "attested": "87000000",
        "surplus": "-3000000",
        "ratio": "0.966666",
        "is_passed": False,
        "words": "not passed: 87 shares held for 90 required, 3 missing",
    }
    for tests in (document["test"], document["second_look"]["test"]):
        next(each for each in tests if each["ticker"] == "ALPA").update(short)
    document["summary"] |= {
        "is_passed": False,
        "words": "1 of 3 securities did not pass on 2026-10-31: ALPA.",
    }
    document["second_look"]["words"] = "2026-10-20 was drawn on chain; its test did not pass: ALPA."
    document["assertion"] = {
        "words": "No assertion by the issuer's management is in this report.",
        "text": None,
        "asserted_by": [],
        "examination": None,
        "examination_words": "not examined",
    }
    return document


LONG: str = (
    "The Very Long Custodian and Depositary Receipts Company of the Northern Provinces, Successors and Assigns " * 2
)
UNBROKEN: str = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2


def awkward() -> dict[str, Any]:
    """The sample with names that are long, have no place to break, or come from other scripts, and sums near a u64."""
    document = failing()
    document["header"]["issuer"]["name"] = LONG.strip()
    for security in document["assets"]:
        for account in security["accounts"]:
            account["custodian"]["name"] = UNBROKEN
            account["custodian"]["regulator"] = "金融庁 / Ελληνική Επιτροπή / Банк России"
            account["account"] = "ACCOUNT-" + "0123456789" * 3
    for row in (*document["test"], *document["second_look"]["test"]):
        row |= {"held": str(2**64 - 1), "attested": str(2**64 - 2), "on_statements": str(2**64 - 1)}
        row |= {"required": str(2**64 - 3), "surplus": str(-(2**63)), "decimals": 9}
    for row in with_ticker(document):
        row["ticker"] = "TICKERTHATISLONG" + row["ticker"]
    return document


def with_ticker(node: object) -> Iterator[dict[str, Any]]:
    """Every object of a document that names a security by its ticker."""
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for each in children:
        yield from with_ticker(each)
    if isinstance(node, dict) and "ticker" in node:
        yield node
