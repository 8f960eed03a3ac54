"""Dates and times of statements as whole seconds since 1970 UTC. Nothing about zones or times of day is assumed."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from tallystick.adapters.custody.errors import MalformedStatement, UnsupportedStatement
from tallystick.adapters.custody.profiles import CsvProfile, StatementProfile

_DATE: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(Z|[+-][0-9]{2}:[0-9]{2})?")
_DATE_TIME: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]{1,12})?(Z|[+-][0-9]{2}:[0-9]{2})?"
)


def parse_iso_date(text: str, profile: StatementProfile, where: str) -> int:
    """An ISO 20022 date as the instant the profile declares for it; a zone behind the date is not used."""
    match = _DATE.fullmatch(text)
    if match is None:
        raise MalformedStatement(f"{text[:40]!r} is not a date such as 2026-11-23", where=where)
    try:
        midnight = datetime.fromisoformat(match[1]).replace(tzinfo=UTC)
    except ValueError as error:
        raise MalformedStatement(f"{text!r} is not a date of the calendar", where=where) from error
    return _of_date(midnight, profile, where)


def parse_iso_date_time(text: str, profile: StatementProfile, where: str) -> int:
    """An ISO 20022 date and time; parts of a second are dropped, so that an as-of is never later than stated."""
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise MalformedStatement(f"{text[:40]!r} is not a date and time such as 2026-11-23T17:00:00Z", where=where)
    try:
        instant = datetime.fromisoformat(match[1] + (match[2] or ""))
    except ValueError as error:
        raise MalformedStatement(f"{text!r} is not a moment of the calendar", where=where) from error
    return _of_date_time(instant, profile, where)


def iso_date_of(text: str, where: str) -> str:
    """The date of an ISO 20022 date, or date and time, as written; its zone and time of day are checked and dropped."""
    match = _DATE.fullmatch(text) or _DATE_TIME.fullmatch(text)
    if match is None:
        raise MalformedStatement(f"{text[:40]!r} is not a date such as 2026-11-23", where=where)
    try:
        datetime.fromisoformat(match[1])
    except ValueError as error:
        raise MalformedStatement(f"{text!r} is not a moment of the calendar", where=where) from error
    return match[1][:10]


def parse_csv_instant(text: str, csv: CsvProfile, profile: StatementProfile, where: str) -> int:
    """A cell in the profile's date format."""
    try:
        instant = datetime.strptime(text, csv.date_format)  # noqa: DTZ007 - the zone is added or demanded below
    except (ValueError, re.error) as error:
        message = f"{text[:40]!r} is not a date in the format {csv.date_format!r}"
        raise MalformedStatement(message, where=where) from error
    if csv.has_time:
        return _of_date_time(instant, profile, where)
    return _of_date(instant.replace(tzinfo=UTC), profile, where)


def _of_date(midnight: datetime, profile: StatementProfile, where: str) -> int:
    if profile.date_only_seconds is None:
        raise UnsupportedStatement(
            "The statement names only a date, and the profile does not say when on that date it is taken",
            where=where,
            hint="Ask the custodian and set date_only_seconds (seconds after 00:00 UTC) in its profile.",
        )
    return _seconds(midnight, where) + profile.date_only_seconds


def _of_date_time(instant: datetime, profile: StatementProfile, where: str) -> int:
    if instant.tzinfo is None:
        if profile.utc_offset_minutes is None:
            raise UnsupportedStatement(
                "The statement's time has no zone, and the profile does not say which it is",
                where=where,
                hint="Ask the custodian and set utc_offset_minutes in its profile.",
            )
        instant = instant.replace(tzinfo=timezone(timedelta(minutes=profile.utc_offset_minutes)))
    return _seconds(instant, where)


def _seconds(instant: datetime, where: str) -> int:
    if not 1970 < instant.year < 9000:
        raise MalformedStatement(f"A statement of the year {instant.year} cannot be", where=where)
    return int(instant.replace(microsecond=0).timestamp())
