"""What the program keeps of reports: periods and days as numbers, the running hash of closed days, the drawn day.

The same arithmetic as on chain, so that anybody recomputes it. Sources: state/period.rs, state/issuer.rs and
state/day_draw.rs of the program.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final

from tallystick.domain.canonical import sha256
from tallystick.domain.closes import DailyClose
from tallystick.errors import InputError, LedgerError

NO_DAYS: Final = bytes(32)
"""The running hash of an issuer that has closed no day on chain."""
_EPOCH: Final = date(1970, 1, 1)
_DAYS_TAG: Final = b"tallystick:days"
_DRAW_TAG: Final = b"tallystick:draw"


def day_number(day: str) -> int:
    """Days from 1970-01-01 to a day written YYYY-MM-DD. InputError when it is none, or earlier."""
    try:
        number = (date.fromisoformat(day) - _EPOCH).days
    except ValueError as error:
        raise InputError(f"{day!r} is not a day; write YYYY-MM-DD.") from error
    if number < 0:
        raise InputError(f"{day} is before 1970.")
    return number


def day_text(number: int) -> str:
    """The day with that number as YYYY-MM-DD. InputError when there is none."""
    try:
        if number < 0:
            raise OverflowError
        return date.fromordinal(_EPOCH.toordinal() + number).isoformat()
    except (OverflowError, ValueError) as error:
        raise InputError(f"{number} is not the number of a day from 1970 to 9999.") from error


def first_day(period: int) -> int:
    """Number of the first day of a period YYYYMM. InputError when it is no month from 1970 to 9999."""
    year, month = divmod(period, 100)
    if not (1970 <= year <= 9999 and 1 <= month <= 12):
        raise InputError(f"{period} is not a period; write YYYYMM, from 197001.")
    return (date(year, month, 1) - _EPOCH).days


def days_in(period: int) -> int:
    """How many days a period has. InputError as first_day, and for 999912, after which the program counts no day."""
    first = first_day(period)
    return first_day(period + 89 if period % 100 == 12 else period + 1) - first


def period_of(day: int) -> int:
    """The period that the day with that number is in. InputError when there is no such day."""
    year, month, _ = day_text(day).split("-")
    return int(year) * 100 + int(month)


def parse_period(text: str) -> int:
    """A month written YYYY-MM as the program counts it, YYYYMM. InputError when it is none from 1970-01 to 9999-11."""
    year, dash, month = text.partition("-")
    is_written = dash == "-" and (len(year), len(month)) == (4, 2) and (year + month).isascii() and text.count("-") == 1
    if not is_written or not (year + month).isdigit():
        raise InputError(f"{text!r} is not a month; write YYYY-MM, as 2026-10.")
    period = int(year) * 100 + int(month)
    try:
        days_in(period)
    except InputError as error:
        raise InputError(f"{text!r} is not a month; write YYYY-MM, from 1970-01.") from error
    return period


def period_text(period: int) -> str:
    """A period YYYYMM as YYYY-MM. InputError as first_day."""
    first_day(period)
    return f"{period // 100:04}-{period % 100:02}"


def days_hash(previous: bytes, day: int, close_hash: bytes, as_of_slot: int) -> bytes:
    """SHA-256("tallystick:days", running hash before, day as u32, hash of the close, slot as u64), little-endian.

    LedgerError when a hash has not 32 bytes or a number does not fit.
    """
    if len(previous) != 32 or len(close_hash) != 32:
        raise LedgerError("A running hash and the hash of a close have 32 bytes each.")
    try:
        return sha256(_DAYS_TAG, previous, day.to_bytes(4, "little"), close_hash, as_of_slot.to_bytes(8, "little"))
    except OverflowError as error:
        raise LedgerError(f"Day {day} or slot {as_of_slot} does not fit the program's field.") from error


def days_hash_of(closes: Iterable[DailyClose], *, previous: bytes = NO_DAYS) -> bytes:
    """The running hash that the program has once these closes, oldest first, were closed on chain."""
    for close in closes:
        previous = days_hash(previous, day_number(close.day), close.hash, close.slot)
    return previous


def drawn_day(issuer: bytes, period: int, slot_hash: bytes) -> int:
    """The day of the month, from 1, that a slot's hash decides for an issuer's period.

    The first eight bytes of SHA-256("tallystick:draw", issuer, period as u32, slot hash) modulo the days of the month.
    InputError for a period that is none; LedgerError when a key or hash has not 32 bytes.
    """
    if len(issuer) != 32 or len(slot_hash) != 32:
        raise LedgerError("An issuer's address and a slot's hash have 32 bytes each.")
    digest = sha256(_DRAW_TAG, issuer, period.to_bytes(4, "little"), slot_hash)
    return int.from_bytes(digest[:8], "little") % days_in(period) + 1
