"""Tables for an auditor: each value in the one spelling that the column has, exact, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from enum import Enum, IntEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tallystick.domain.audit_tables import csv_lines, csv_table, instant_text, json_table, plain, row_of


class Kind(Enum):
    ONE = "one"


class Code(IntEnum):
    TWO_WORDS = 2


@dataclass(frozen=True, slots=True)
class Inner:
    raw: int
    reference_hash: bytes


@dataclass(frozen=True, slots=True)
class Outer:
    address: bytes
    content_hash: bytes
    settled_at: int
    slot: int
    kind: Kind
    code: Code
    is_done: bool
    note: str | None
    parts: tuple[Inner, ...]


OUTER = Outer(b"\x01" * 32, b"\xab" * 32, 1_793_491_152, 2**63, Kind.ONE, Code.TWO_WORDS, True, None, ())


def test_the_name_of_a_field_says_how_it_is_spelled() -> None:
    assert row_of(OUTER) == {
        "address": "4vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi",
        "content_hash": "ab" * 32,
        "settled_at": "2026-10-31T23:59:12Z",
        "slot": str(2**63),
        "kind": "one",
        "code": "two_words",
        "is_done": True,
        "note": None,
        "parts": [],
    }
    assert plain(Inner(-5, bytes(32))) == {"raw": "-5", "reference_hash": None}


def test_what_is_put_in_front_and_left_out_is() -> None:
    assert list(row_of(OUTER, without=("parts", "note"), isin="X"))[:2] == ["isin", "address"]
    assert "parts" not in row_of(OUTER, without=("parts",))


@pytest.mark.parametrize(("seconds", "text"), [(0, None), (1, "1970-01-01T00:00:01Z"), (2**63 - 1, "never")])
def test_a_time_that_is_none_or_never_comes_is_said(seconds: int, text: str | None) -> None:
    assert instant_text(seconds) == text


def test_a_value_that_no_table_has_is_a_defect() -> None:
    with pytest.raises(TypeError):
        plain(1.5)


def test_cells_that_a_spreadsheet_would_run_are_text_and_the_json_has_them_as_they_are() -> None:
    rows = [{"a": "=1+1", "b": "-5"}, {"a": "@x", "b": "-5-5"}, {"b": "+1"}]
    assert csv_table(rows) == b"a,b\r\n'=1+1,-5\r\n'@x,'-5-5\r\n,'+1\r\n"
    assert json.loads(json_table(rows)) == rows


def test_an_empty_table_has_its_head() -> None:
    assert csv_table([], ("day", "hash")) == b"day,hash\r\n"


def test_lines_are_written_as_rows_are() -> None:
    rows = [{"owner": "=1", "raw": "5"}, {"owner": None, "raw": "-5"}, {"owner": 'a,"b', "raw": "0"}]
    lines = ([each["owner"], each["raw"]] for each in rows)
    assert csv_lines(("owner", "raw"), lines) == csv_table(rows)


CELL = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=20)


@given(st.lists(st.fixed_dictionaries({"a": CELL, "b": CELL}), min_size=1, max_size=5))
def test_any_text_is_read_back_from_its_cell(rows: list[dict[str, str]]) -> None:
    read = list(csv.DictReader(io.StringIO(csv_table(rows).decode(), newline="")))
    assert [
        {name: text[1:] if text[:1] == "'" and text != row[name] else text for name, text in each.items()}
        for each, row in zip(read, rows, strict=True)
    ] == rows
