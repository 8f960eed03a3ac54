"""A report's sections for its readers, in the order of the document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from tallystick.adapters.publish.blocks import Section
from tallystick.adapters.publish.sections.assets import assets, backing, backing_by_day
from tallystick.adapters.publish.sections.differences import activity, differences
from tallystick.adapters.publish.sections.events import control_log, corporate_actions
from tallystick.adapters.publish.sections.evidence import anchors, assertion, checking, holders, statements
from tallystick.adapters.publish.sections.outcome import correction, second_look, summary
from tallystick.adapters.publish.sections.tokens import roll_forward, tokens

_SOURCES: Final = {
    "Summary": "Required and attested: from the chain. On statements: from the daily close, whose hash is on chain. "
    "Booked since: declared by the issuer.",
    "What this version corrects": "Declared by the issuer. Both versions are on chain by their hashes.",
    "Second look": "The draw: from the chain. The test: as in the summary, with the close of that day.",
    "Tokens": "From the chain. Which wallets are inventory or lost: declared by the issuer.",
    "Roll-forward": "From the chain: every fill and movement of the month.",
    "Assets": "Declared by the issuer from the custodians' statements, whose hashes are in the daily close. "
    "Attestations: from the chain.",
    "Backing over the month": "Supply, required and attested: from the chain at the slot of each close. On statements "
    "and breaks: from the closes, whose running hash is on chain.",
    "Differences": "Breaks: declared by the issuer; each close names those that were open. Holds: from the chain.",
    "Activity": "From the chain: every order that was open in the month.",
    "Corporate actions": "From the chain. How cash was divided before it was paid: declared by the issuer.",
    "Control log": "From the chain. Programs: from the daily closes.",
    "Statements": "Declared by the issuer. The root commits to lines that are not public.",
    "Holders": "From the daily close, and from the chain at its slot.",
    "Assertion and examination": "Declared by the issuer. Signatures are checked with the keys given.",
    "Anchors": "From the chain.",
}
"""What of each section anyone recomputes from the chain, and what is the issuer's word."""


def sections(document: Mapping[str, Any], digest: str) -> tuple[Section, ...]:
    """Everything that the document says, as readers see it; `digest` is the SHA-256 of its bytes in hex."""
    found = (
        summary(document),
        *correction(document),
        second_look(document),
        tokens(document),
        roll_forward(document),
        assets(document),
        backing(document),
        differences(document),
        activity(document),
        corporate_actions(document),
        control_log(document),
        statements(document),
        holders(document),
        assertion(document),
        anchors(document, digest),
        checking(document, digest),
        backing_by_day(document),
    )
    return tuple(replace(each, source=_SOURCES.get(each.title, "")) for each in found)
