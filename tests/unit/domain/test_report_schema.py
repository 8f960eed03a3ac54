"""The published schema is that of the program, holds for the sample, and takes nothing that is not in a report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from report_sample import sample_report
from tallystick.domain.reserve_report.comparison import Place, leaves_of, pointer
from tallystick.domain.reserve_report.schema import report_schema

PUBLISHED = Path(__file__).resolve().parents[3] / "docs" / "schema" / "reserve-report-1.json"


def validator() -> Draft202012Validator:
    return Draft202012Validator(report_schema())


def short_sample() -> Any:
    """The sample with one close, and one row of each day's: the schema knows no more than one of a kind."""
    document = json.loads(sample_report()[0])
    document["backing"] = document["backing"][:1]
    document["declared"]["closes"]["contents"] = document["declared"]["closes"]["contents"][9:10]
    return document


def objects_of(value: Any, place: Place = ()) -> list[tuple[Place, dict[str, Any]]]:
    """Every object of a document, one for each kind of place."""
    found: list[tuple[Place, dict[str, Any]]] = [(place, value)] if isinstance(value, dict) else []
    parts = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for step, each in parts:
        found += objects_of(each, (*place, step))
    return found


def test_the_published_schema_is_the_programs() -> None:
    assert json.loads(PUBLISHED.read_bytes()) == report_schema(), "run tests/vectors/write_report_schema.py"


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(report_schema())


def test_the_sample_is_a_report() -> None:
    assert [each.message for each in validator().iter_errors(json.loads(sample_report()[0]))] == []


def test_every_object_has_exactly_its_members() -> None:
    document = short_sample()
    for place, each in objects_of(document):
        if place[-1:] == ("details",):
            continue
        each["unexpected"] = 0
        assert not validator().is_valid(document), pointer(place)
        del each["unexpected"]
        for name in list(each):
            kept = each.pop(name)
            # A close of version 1 has no registers.
            assert name == "registers" or not validator().is_valid(document), pointer((*place, name))
            each[name] = kept


@pytest.mark.parametrize("wrong", [1.5, -1, ["x"]])
def test_no_value_is_of_another_type(wrong: Any) -> None:
    document = short_sample()
    kinds: dict[tuple[object, ...], Place] = {}
    for place, _ in leaves_of(document):
        kinds.setdefault(tuple("*" if isinstance(step, int) else step for step in place), place)
    signed = {
        "age_seconds",
        "seconds",
        "median_seconds",
        "percentile_95_seconds",
        "as_of",
        "reserve_as_of",
        "block_time",
    }
    for place in kinds.values():
        if "details" in place or (wrong == -1 and place[-1] in signed):
            continue
        holder = document
        for step in place[:-1]:
            holder = holder[step]
        kept, holder[place[-1]] = holder[place[-1]], wrong
        assert not validator().is_valid(document), pointer(place)
        holder[place[-1]] = kept
