"""A correction lists every leaf that differs, once, with both values."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tallystick.domain.reserve_report.changes import leaf_changes
from tallystick.domain.reserve_report.declared import Change


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [Change("/a", "1", "2")]),
        ({"a": "1"}, {"a": 1}, [Change("/a", '"1"', "1")]),
        ({"a": None}, {"a": False}, [Change("/a", "null", "false")]),
        ({"a": 1, "b": 2}, {"b": 2}, [Change("/a", "1", "")]),
        ({"a": 1}, {}, [Change("/a", "1", ""), Change("", "", "{}")]),
        ({}, {"a": {"b": [1, 2]}}, [Change("", "{}", ""), Change("/a/b/0", "", "1"), Change("/a/b/1", "", "2")]),
        ({"a": [1]}, {"a": [1, 2]}, [Change("/a/1", "", "2")]),
        ({"a": []}, {"a": [1]}, [Change("/a", "[]", ""), Change("/a/0", "", "1")]),
        ({"a": [1]}, {"a": {"0": 1}}, [Change("/a/0", "1", ""), Change("/a/0", "", "1")]),
        ({"a": [1]}, {"a": 1}, [Change("/a/0", "1", ""), Change("/a", "", "1")]),
        ({"a~/b": 1}, {"a~/b": 2}, [Change("/a~0~1b", "1", "2")]),
        (
            {"a": [*range(11)]},
            {"a": [*range(10), "x"], "Z": 1},
            [Change("/Z", "", "1"), Change("/a/10", "10", '"x"')],
        ),
    ],
)
def test_leaves_that_differ_are_listed(before: Any, after: Any, expected: list[Change]) -> None:
    assert list(leaf_changes(before, after)) == expected


def test_what_differs_between_any_two_versions_is_not_listed() -> None:
    before = {"header": {"version": 1, "previous": None, "corrects": None, "basis": "x"}, "declared": {"uri": "a"}}
    after = {
        "header": {"version": 2, "previous": {"hash": "00"}, "corrects": {"changes": [1]}, "basis": "y"},
        "declared": {"correction": {"changes": [{"path": "/x"}]}, "uri": "b"},
    }
    assert leaf_changes(before, after) == (
        Change("/declared/uri", '"a"', '"b"'),
        Change("/header/basis", '"x"', '"y"'),
    )


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab~/"), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES, VALUES)
def test_there_are_changes_exactly_where_two_documents_differ(before: Any, after: Any) -> None:
    changes = leaf_changes(before, after)
    assert (not changes) == (json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True))
    assert all(each.before != each.after for each in changes)
