"""The report as one JSON document: a pure function of what the chain says and what the issuer declares.

Its bytes are canonical JSON (RFC 8785); their SHA-256 is what is published on chain.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from tallystick.domain.canonical import CanonicalValue, canonical_json
from tallystick.domain.reserve_report.activity import activity
from tallystick.domain.reserve_report.assertion import assertion, days, statements
from tallystick.domain.reserve_report.assets import assets
from tallystick.domain.reserve_report.codec import declared_document
from tallystick.domain.reserve_report.control_log import control_log
from tallystick.domain.reserve_report.corporate_actions import corporate_actions, earlier_distributions
from tallystick.domain.reserve_report.declared import Declared
from tallystick.domain.reserve_report.differences import differences
from tallystick.domain.reserve_report.facts import ReportFacts, SecurityAt
from tallystick.domain.reserve_report.header import FORMAT, FORMAT_VERSION, anchor, header, summary
from tallystick.domain.reserve_report.material import Material
from tallystick.domain.reserve_report.reserves import backing, backing_rows, second_look
from tallystick.domain.reserve_report.tokens import holders, roll_forward, tokens
from tallystick.errors import InputError

SIZE_LIMIT: Final = 64 * 2**20
"""Bytes of the longest document that is read."""


SECTIONS: Final[Mapping[str, Callable[[Material], CanonicalValue]]] = {
    "header": header,
    "summary": summary,
    "test": lambda material: [*backing_rows(material, _as_of(material), material.close)],
    "second_look": second_look,
    "tokens": tokens,
    "roll_forward": roll_forward,
    "assets": assets,
    "backing": backing,
    "differences": differences,
    "activity": activity,
    "corporate_actions": corporate_actions,
    "earlier_distributions": earlier_distributions,
    "control_log": control_log,
    "statements": statements,
    "holders": holders,
    "assertion": assertion,
    "days": days,
    "anchor": anchor,
    "declared": lambda material: declared_document(material.declared),
}
"""What each section is made by, in the order in which a reader follows them."""


def build_document(facts: ReportFacts, declared: Declared) -> dict[str, CanonicalValue]:
    """The document of one report. InputError when facts and declaration are not of the same period and moments."""
    material = Material(facts, declared)
    sections = {name: section(material) for name, section in SECTIONS.items()}
    return {"format": FORMAT, "format_version": FORMAT_VERSION, **sections}


def report_bytes(document: dict[str, CanonicalValue]) -> bytes:
    """The document as canonical JSON, as it is published."""
    return canonical_json(document)


def read_report(content: bytes) -> dict[str, CanonicalValue]:
    """The document that these bytes are the canonical JSON of. InputError when they are not, or of another format."""
    if len(content) > SIZE_LIMIT:
        raise InputError(f"A report of {len(content)} bytes; at most {SIZE_LIMIT} are read.")
    try:
        found: Any = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(f"This is not a report: {error}.") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise InputError(f"This is not a report: its format is not {FORMAT!r}.")
    version = found.get("format_version")
    if version != FORMAT_VERSION or isinstance(version, bool):
        raise InputError(f"A report of format version {version!r}; this program reads {FORMAT_VERSION}.")
    try:
        is_canonical = canonical_json(found) == content
    except (InputError, RecursionError) as error:
        raise InputError(f"This is not a report: {error}") from error
    if not is_canonical:
        raise InputError("This report is not in canonical form; it was changed or reformatted since it was made.")
    return cast("dict[str, CanonicalValue]", found)


def _as_of(material: Material) -> list[SecurityAt]:
    return [each.as_of for each in material.facts.securities]
