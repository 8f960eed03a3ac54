"""Moments as people type them: a date, a date and time, or a span from now; what happened is never later than now."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from tallystick.errors import InputError

from tallystick_cli.render import instant_text

_SPAN: Final = re.compile(r"\+?([0-9]{1,6})(s|min|h|d)")
_SECONDS: Final = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
PAST_FORM: Final = "2027-01-31T17:00:00Z, or 2027-01-31 for that day's end (24:00 UTC)"
FORM: Final = "90d, 12h, 30min, 2027-01-31 or 2027-01-31T17:00:00Z"


def parse_span(text: str) -> int:
    """Seconds of a span: 90d, 12h, 30min, 45s, or seconds alone. InputError for anything else."""
    if text.strip().isdecimal():
        return int(text)
    if match := _SPAN.fullmatch(text.strip()):
        return int(match[1]) * _SECONDS[match[2]]
    raise InputError(f"{text!r} is no span of time.", hint="Write 90d, 12h, 30min or 45s.")


def parse_moment(text: str, now: int) -> int:
    """Seconds since 1970 UTC: a span from `now` (90d, 12h, 30min, 45s), a date (its end, 24:00 UTC), or a date and time
    with its zone. InputError for anything else."""
    if match := _SPAN.fullmatch(text.strip()):
        return now + int(match[1]) * _SECONDS[match[2]]
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InputError(f"{text!r} is no moment.", hint=f"Write {FORM}.") from None
    if len(text.strip()) == len("2027-01-31"):
        return int(moment.replace(tzinfo=UTC).timestamp()) + 86_400
    if moment.tzinfo is None:
        raise InputError(f"{text!r} names no zone.", hint="Write Z behind it for UTC, or an offset such as +01:00.")
    return int(moment.timestamp())


def parse_past(text: str, now: int) -> int:
    """Seconds since 1970 UTC of something that happened: a date (its end, 24:00 UTC), or a date and time with its zone.
    InputError for anything else, and for what is later than `now`."""
    if _SPAN.fullmatch(text.strip()):
        raise InputError(f"{text!r} is a span, and a moment is expected.", hint=f"Write {PAST_FORM}.")
    moment = parse_moment(text, now)
    if moment > now:
        raise InputError(
            f"{text!r} is later than now, {instant_text(now)} by the chain's clock.",
            hint="Write when it happened; for today the time too, with its zone.",
        )
    return moment
