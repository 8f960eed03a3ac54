"""What waits at a security, as it is shown: by tally status and tally security show."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text
from tallystick.domain.amounts import format_base_units
from tallystick.program.generated.types import Policy
from tallystick.services.waiting_changes import Waiting

from tallystick_cli.render import instant_text, when


def waiting_line(waiting: Waiting) -> str:
    """One change in one line."""
    verb = "until" if waiting.kind == "seizure" else "from"
    return f"{waiting.kind} {verb} {when(waiting.at)} UTC: {waiting.text}"


def waiting_text(waiting: Sequence[Waiting]) -> RenderableType:
    """A line for each."""
    return Group(*(Text(f"• {waiting_line(each)}", style="yellow") for each in waiting))


def waiting_document(waiting: Waiting) -> dict[str, object]:
    """The same as plain data."""
    return {"kind": waiting.kind, "change": waiting.text, "at": instant_text(waiting.at)}


def policy_document(policy: Policy, decimals: int) -> dict[str, object]:
    """A policy under the names in which it is set; periods in seconds."""
    return {
        "threshold": policy.threshold,
        "margin_percent": format_base_units(policy.margin, 2),
        "max_age_seconds": policy.max_attestation_age,
        "supply_cap": format_base_units(policy.supply_cap, decimals),
        "accept_period_seconds": policy.accept_period,
        "settle_period_seconds": policy.settle_period,
        "notice_seconds": policy.notice,
        "change_window_seconds": policy.change_window,
        "max_change": f"{policy.max_change_numerator}/{policy.max_change_denominator}",
        "classes": policy.allowed_classes,
    }
