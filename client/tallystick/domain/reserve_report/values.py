"""How values are written in a report: addresses in base 58, hashes in hex, amounts as decimal text, times as RFC 3339.

Nothing is a float, and an amount is never a JSON number: many readers lose integers above 2^53.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from tallystick.domain.amounts import format_base_units
from tallystick.domain.base58 import base58_encode
from tallystick.domain.canonical import sha256
from tallystick.domain.report_anchors import first_day
from tallystick.errors import InputError

SECONDS_PER_DAY: Final = 86_400
LAST_SECOND: Final = 253_402_300_799
"""9999-12-31T23:59:59Z, the last that RFC 3339 can write."""

_FIELD: Final = 2**255 - 19
_CURVE_D: Final = -121_665 * pow(121_666, -1, _FIELD) % _FIELD
_PROGRAM_ADDRESS: Final = b"ProgramDerivedAddress"


def address(key: bytes) -> str:
    """32 bytes in base 58."""
    return base58_encode(key)


def digits(amount: int) -> str:
    """An integer as decimal text."""
    return str(amount)


def moment(seconds: int) -> str:
    """Seconds since 1970 UTC as RFC 3339. InputError when there is no such time before the year 10000."""
    if not 0 <= seconds <= LAST_SECOND:
        raise InputError(f"{seconds} is not a time from 1970 to 9999, in seconds since 1970.")
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_or_none(seconds: int) -> str | None:
    """As moment; None for 0, which stands for no time."""
    return moment(seconds) if seconds else None


def month_of(period: int) -> tuple[int, int]:
    """The first second of a period, and the first after it."""
    following = period + 89 if period % 100 == 12 else period + 1
    return first_day(period) * SECONDS_PER_DAY, first_day(following) * SECONDS_PER_DAY


def ratio(held: int, required: int) -> str | None:
    """held / required with six places, rounded down; None when nothing is required."""
    if required <= 0:
        return None
    scaled = held * 10**6 // required
    whole, rest = divmod(abs(scaled), 10**6)
    return f"{'-' if scaled < 0 else ''}{whole}.{rest:06d}"


def grouped(amount: int, decimals: int) -> str:
    """Base units as decimal text for a sentence: 1,250.25."""
    whole, point, fraction = format_base_units(abs(amount), decimals).partition(".")
    return f"{'-' if amount < 0 else ''}{int(whole):,}{point}{fraction}"


def program_address(program: bytes, *seeds: bytes) -> bytes:
    """The address that a program derives from seeds: the first bump from 255 down whose hash is no Ed25519 key.

    InputError when no bump gives one. Source: Solana, Pubkey::find_program_address.
    """
    for bump in range(255, -1, -1):
        found = sha256(*seeds, bytes([bump]), program, _PROGRAM_ADDRESS)
        if not _is_on_curve(found):
            return found
    raise InputError("These seeds have no program address.")


def report_account(program: bytes, issuer: bytes, period: int, version: int) -> bytes:
    """Where the program keeps one version of one month's report. Source: instructions/report/publish.rs."""
    return program_address(program, b"report", issuer, period.to_bytes(4, "little"), version.to_bytes(2, "little"))


def _is_on_curve(key: bytes) -> bool:
    """Whether 32 bytes are a point of Ed25519 (RFC 8032, section 5.1.3)."""
    y = int.from_bytes(key, "little") & (2**255 - 1)
    square = y * y % _FIELD
    x_square = (square - 1) * pow(_CURVE_D * square + 1, -1, _FIELD) % _FIELD
    return x_square == 0 or pow(x_square, (_FIELD - 1) // 2, _FIELD) == 1
