"""A report's sections for its readers, in the order of the document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tallystick.adapters.publish.blocks import Section
from tallystick.adapters.publish.sections.assets import assets, backing, backing_by_day
from tallystick.adapters.publish.sections.differences import activity, differences
from tallystick.adapters.publish.sections.events import control_log, corporate_actions
from tallystick.adapters.publish.sections.evidence import anchors, assertion, checking, holders, statements
from tallystick.adapters.publish.sections.outcome import correction, second_look, summary
from tallystick.adapters.publish.sections.tokens import roll_forward, tokens


def sections(document: Mapping[str, Any], digest: str) -> tuple[Section, ...]:
    """Everything that the document says, as readers see it; `digest` is the SHA-256 of its bytes in hex."""
    return (
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
