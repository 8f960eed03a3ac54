"""Two documents compared leaf by leaf, and which leaves a node may have left without evidence."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from tallystick.domain.canonical import CanonicalValue
from tallystick.domain.reserve_report.checks import Disagreement
from tallystick.domain.reserve_report.facts import Unserved

Place: TypeAlias = tuple[str | int, ...]
"""Keys and indices from the document's root."""

_ANY: Final = "*"
_PAID: Final = ("funded", "paid", "paid_entries", "unclaimed", "refunded", "status", "closed_at")
_OF_REGISTER: Final = ("frozen", "lost", "inventory_total", "redeemable", "redeemable_shares")

_NAMED: Final[tuple[Place, ...]] = (
    *((section, _ANY) for section in ("test", "tokens", "roll_forward", "assets", "activity")),
    *((section, _ANY) for section in ("corporate_actions", "earlier_distributions")),
    ("second_look", "test", _ANY),
    ("differences", "holds", _ANY),
    ("control_log", "seizures", _ANY),
    ("holders", "securities", _ANY),
)
"""Rows that begin with a security's ISIN and ticker."""

RESTS_ON: Final[Mapping[Unserved, tuple[Place, ...]]] = {
    Unserved.LOG: (("control_log", "entries"),),
    Unserved.DISTRIBUTIONS: (
        *(("corporate_actions", _ANY, "distributions", _ANY, name) for name in _PAID),
        *(("earlier_distributions", _ANY, "distribution", name) for name in _PAID),
    ),
    Unserved.REGISTERS: (
        *(("tokens", _ANY, name) for name in _OF_REGISTER),
        ("tokens", _ANY, "inventory", _ANY, "raw"),
    ),
    Unserved.ROLES: (("control_log", "roles"),),
    Unserved.ACTIONS: (
        *(("corporate_actions", _ANY, name) for name in ("status", "status_at", "multiplier")),
        ("tokens", _ANY, "pending"),
    ),
    Unserved.TERMS: (*((*row, "ticker") for row in _NAMED), ("tokens", _ANY, "name")),
}
"""Places of a document that cannot be recomputed without what a node did not serve, with all that is below them."""

INSTEAD: Final[Mapping[Unserved, str]] = {
    Unserved.LOG: "roles, holds and seizures were read from their accounts, and a security of which nothing is as old "
    "as the as-of counts as listed since",
    Unserved.CLOSED_DAYS: "the running hash of the closes was compared with those that accounts hold",
    Unserved.DISTRIBUTIONS: "root, entries and total were read from each distribution, and its sums were checked",
    Unserved.REGISTERS: "supply and escrow were recomputed, sums and inventory compared with the anchored close",
    Unserved.ROLES: "attestors' roles were read from their accounts",
    Unserved.ACTIONS: "terms and dates were read from each action, and the multiplier from the anchored closes",
    Unserved.TERMS: "ISINs were taken from the anchored closes",
    Unserved.TIMES: "the times that the anchored closes have were taken",
    Unserved.ORDER_OF_SECOND: "values that it decides were left out, and figures at closes are those of either order",
}
"""What stands in for what a node did not serve."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many leaves were compared and left out, and the first that differs."""

    leaves: int
    skipped: int
    difference: Disagreement | None


def compare(expected: CanonicalValue, found: CanonicalValue, place: Place, skipped: Collection[Place]) -> Comparison:
    """Leaf by leaf, keys in their order; values of another JSON type differ."""
    leaves = left_out = 0
    difference: Disagreement | None = None
    for at, is_skipped, wanted, given in _pairs(expected, found, place, skipped):
        if is_skipped:
            left_out += 1
            continue
        leaves += 1
        if difference is None and (type(wanted) is not type(given) or wanted != given):
            difference = differ(pointer(at), wanted, given)
    return Comparison(leaves, left_out, difference)


def differing(one: CanonicalValue, other: CanonicalValue, place: Place) -> Iterator[Place]:
    """Where two documents differ: leaves, and lists that have not as many entries."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for key in sorted(one):
            yield from differing(one[key], other[key], (*place, key))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from differing(left, right, (*place, index))
    elif one != other:
        yield place


def differ(path: str, expected: object, found: object) -> Disagreement:
    """A disagreement at one place of the report, with both values."""
    return Disagreement(f"{path} is {shown(found)}; expected {shown(expected)}.", path, shown(expected), shown(found))


def pointer(place: Place) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join(f"/{str(each).replace('~', '~0').replace('/', '~1')}" for each in place)


def shown(value: object) -> str:
    """A value as JSON; what is absent in a word."""
    if value is ABSENT:
        return "absent"
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= 200 else f"{text[:200]}…"


def leaves_of(value: CanonicalValue, place: Place = ()) -> Iterator[tuple[Place, CanonicalValue]]:
    """Every value that holds no other, with its place; an empty list or object is one too."""
    if isinstance(value, Mapping) and value:
        for key in sorted(value):
            yield from leaves_of(value[key], (*place, key))
    elif isinstance(value, Sequence) and not isinstance(value, str) and value:
        for index, each in enumerate(value):
            yield from leaves_of(each, (*place, index))
    else:
        yield place, value


def is_within(place: Place, patterns: Collection[Place]) -> bool:
    """Whether a place is at or below one of the patterns."""
    return any(
        len(place) >= len(pattern) and all(want in (_ANY, step) for want, step in zip(pattern, place, strict=False))
        for pattern in patterns
    )


class _Absent:
    """What stands where one of two documents has nothing."""


ABSENT: Final = _Absent()


def _pairs(
    expected: object, found: object, place: Place, skipped: Collection[Place]
) -> Iterator[tuple[Place, bool, object, object]]:
    """Each leaf of either document: its place, whether it is left out, both values."""
    if skipped and is_within(place, skipped):
        # The key has to be there all the same.
        yield place, expected is not ABSENT and found is not ABSENT, expected, found
    elif isinstance(expected, dict) and isinstance(found, dict) and (expected or found):
        for key in sorted({*expected, *found}):
            yield from _pairs(expected.get(key, ABSENT), found.get(key, ABSENT), (*place, key), skipped)
    elif isinstance(expected, list) and isinstance(found, list) and (expected or found):
        for index in range(max(len(expected), len(found))):
            wanted, given = (each[index] if index < len(each) else ABSENT for each in (expected, found))
            yield from _pairs(wanted, given, (*place, index), skipped)
    else:
        yield place, False, expected, found
