"""What a verification finds: one check after the other, as data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_SERVED = "not served"
    """The node does not serve what it takes; the words say what was checked instead."""
    STATED = "stated"
    """Nothing on chain can show it: it is the issuer's word, or a custodian's."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a report, in words. Where it failed at one figure, `path` is the JSON pointer (RFC 6901) to it, and
    both values are as JSON: `expected` of the chain or of the arithmetic, `found` of the report."""

    name: str
    section: str
    status: Status
    words: str
    path: str = ""
    expected: str = ""
    found: str = ""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """The first thing of a check that is not as it has to be."""

    words: str
    path: str = ""
    expected: str = ""
    found: str = ""


def check_of(name: str, section: str, disagreement: Disagreement | None, words: str) -> Check:
    """A check that failed with the disagreement, or passed in these words."""
    if disagreement is None:
        return Check(name, section, Status.PASSED, words)
    wrong = disagreement
    return Check(name, section, Status.FAILED, wrong.words, wrong.path, wrong.expected, wrong.found)
