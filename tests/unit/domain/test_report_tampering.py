"""Every value of a report is changed, one at a time, and verification has to fail each time.

First as a forger would: the file is changed and the publication on chain is not. Then as an issuer would who lies: the
changed file is what was is_signed, published, so that only its content can give it away."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from report_sample import is_signed, published, sample_facts, sample_report
from tallystick.domain.base58 import base58_decode, base58_encode
from tallystick.domain.canonical import canonical_json
from tallystick.domain.reserve_report.checks import Check, Status
from tallystick.domain.reserve_report.comparison import Place, leaves_of, pointer
from tallystick.domain.reserve_report.facts import ReportFacts
from tallystick.domain.reserve_report.verification import document_checks, verify_document
from tallystick.domain.reserve_report.verify_anchor import verify_anchor

NOT_NOTICED: Final[dict[str, str]] = {}
"""JSON pointers whose change verification cannot notice, each with the reason. There is none."""

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def sample() -> Any:
    return json.loads(sample_report()[0])


def changed(value: Any) -> Any:
    """Another value of the same kind: what a check of types alone would not notice."""
    if value is None:
        return "1"
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, list):
        return [0]
    if isinstance(value, dict):
        return {"": 0}
    if re.fullmatch(r"-?\d+", value):
        return str(int(value) + 1)
    if re.fullmatch(r"([0-9a-f]{2})+", value):
        return f"{int(value[:2], 16) ^ 1:02x}{value[2:]}"
    if _TIME.fullmatch(value):
        return f"{value[:-2]}{(int(value[-2]) + 1) % 10}Z"
    if len(value) > 40 and re.fullmatch(r"[1-9A-HJ-NP-Za-km-z]+", value):
        raw = base58_decode(value)
        return base58_encode(raw[:-1] + bytes([raw[-1] ^ 1]))
    return value + "x"


def tampered(document: Any, place: Place, change: Callable[[Any, Any], None]) -> bytes:
    """The bytes of the document with one place changed; the document itself stays as it is."""
    holder = document
    for step in place[:-1]:
        holder = holder[step]
    before = holder.copy()
    change(holder, place[-1])
    content = canonical_json(document)
    holder.clear()
    holder.extend(before) if isinstance(holder, list) else holder.update(before)
    return content


def change_value(holder: Any, step: Any) -> None:
    holder[step] = changed(holder[step])


def remove(holder: Any, step: Any) -> None:
    del holder[step]


def add(holder: Any, step: Any) -> None:
    if isinstance(holder, list):
        holder.insert(step, holder[step])
    else:
        holder["unexpected"] = 0


def first_failure(content: bytes, facts: ReportFacts) -> Check | None:
    """The first check that fails; those behind it are not made."""
    checks = document_checks(content, facts, is_signed)
    return next((each for each in checks if each.status is Status.FAILED), None)


def kinds_of_places(document: Any) -> Iterator[Place]:
    """One place of each kind: the first of those that differ by their indices alone."""
    known: set[tuple[object, ...]] = set()
    for place, _ in leaves_of(document):
        kind = tuple("*" if isinstance(step, int) else step for step in place)
        if kind not in known:
            known.add(kind)
            yield place


def test_the_report_as_it_was_made_fails_no_check() -> None:
    content, facts = sample_report()
    found = verify_document(content, facts, is_signed)
    assert {each.status for each in found} == {Status.PASSED, Status.STATED}
    assert len(found) > 30


def test_no_value_can_be_changed_by_a_forger_or_by_a_lying_issuer(
    record_property: Callable[[str, object], None],
) -> None:
    content, honest = sample_report()
    document, facts = json.loads(content), sample_facts()
    places = [place for place, _ in leaves_of(document)]
    by_a_forger, by_the_issuer = list[str](), list[str]()
    for place in places:
        told = tampered(document, place, change_value)
        assert told != content
        if verify_anchor(told, honest, honest.period, 2).status is not Status.FAILED:
            by_a_forger.append(pointer(place))
        if first_failure(told, published(facts, told)) is None:
            by_the_issuer.append(pointer(place))
    record_property("values_changed", len(places))
    print(f"{len(places)} values changed, one at a time")
    assert by_a_forger == []
    assert sorted(by_the_issuer) == sorted(NOT_NOTICED)
    assert len(places) > 2_400


@pytest.mark.parametrize("change", [remove, add])
def test_a_lying_issuer_cannot_publish_a_report_with_a_value_less_or_more(
    change: Callable[[Any, Any], None], record_property: Callable[[str, object], None]
) -> None:
    document, facts = sample(), sample_facts()
    places = list(kinds_of_places(document))
    for place in places:
        content = tampered(document, place, change)
        assert first_failure(content, published(facts, content)) is not None, pointer(place)
    record_property("places_changed", len(places))
    print(f"{len(places)} kinds of places, {change.__name__}")
