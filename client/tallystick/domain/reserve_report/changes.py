"""Every leaf in which two versions of one month's report differ: what a correction lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from tallystick.domain.canonical import CanonicalValue, canonical_json
from tallystick.domain.reserve_report.declared import Change

APART: Final = ("/header/version", "/header/previous", "/header/corrects", "/declared/correction")
"""What differs between any two versions, and the list itself: not listed."""


def leaf_changes(before: CanonicalValue, after: CanonicalValue) -> tuple[Change, ...]:
    """The leaves that differ, as JSON pointers (RFC 6901) in the order of keys and places, with both values as JSON.

    A leaf is a value that is no object or list with members, so that an empty list that was filled is a change too;
    what is absent is an empty text.
    """
    return tuple(_changes(before, after, ""))


def _changes(before: CanonicalValue, after: CanonicalValue, path: str) -> Iterator[Change]:
    if path in APART:
        return
    olds, news = _members(before), _members(after)
    if olds is None and news is None:
        if _json(before) != _json(after):
            yield Change(path, _json(before), _json(after))
        return
    if (olds is None) != (news is None) or isinstance(before, Mapping) != isinstance(after, Mapping):
        # One of the two is no list or object with members, or not of the same kind: all of one goes, all of the other
        # comes.
        yield from _gone(before, path)
        yield from _come(after, path)
        return
    for key in _keys(olds or {}, news or {}):
        at = f"{path}/{key.replace('~', '~0').replace('/', '~1')}"
        if key not in (news or {}):
            yield from _gone((olds or {})[key], at)
        elif key not in (olds or {}):
            yield from _come((news or {})[key], at)
        else:
            yield from _changes((olds or {})[key], (news or {})[key], at)


def _gone(value: CanonicalValue, path: str) -> Iterator[Change]:
    yield from (Change(at, _json(leaf), "") for at, leaf in _leaves(value, path))


def _come(value: CanonicalValue, path: str) -> Iterator[Change]:
    yield from (Change(at, "", _json(leaf)) for at, leaf in _leaves(value, path))


def _leaves(value: CanonicalValue, path: str) -> Iterator[tuple[str, CanonicalValue]]:
    if path in APART:
        return
    members = _members(value)
    if members is None:
        yield path, value
        return
    for key in _keys(members, {}):
        yield from _leaves(members[key], f"{path}/{key.replace('~', '~0').replace('/', '~1')}")


def _members(value: CanonicalValue) -> Mapping[str, CanonicalValue] | None:
    """The members of an object or list by key or place; None for a leaf, and for an object or list without any."""
    if isinstance(value, Mapping):
        return value or None
    if isinstance(value, list | tuple):
        return {str(place): each for place, each in enumerate(value)} or None
    return None


def _keys(one: Mapping[str, CanonicalValue], other: Mapping[str, CanonicalValue]) -> list[str]:
    return sorted({*one, *other}, key=lambda key: (int(key), "") if key.isdecimal() else (-1, key))


def _json(value: CanonicalValue) -> str:
    return canonical_json(value).decode("utf-8")


__all__ = ["APART", "leaf_changes"]
