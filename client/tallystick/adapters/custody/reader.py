"""One way in for a custodian's file, whatever its format."""

from __future__ import annotations

from tallystick.adapters.custody.csv_statement import read_csv
from tallystick.adapters.custody.pages import join_pages
from tallystick.adapters.custody.profiles import StatementProfile
from tallystick.adapters.custody.semt002 import read_semt002
from tallystick.domain.evidence import supports_attestation
from tallystick.domain.holdings import StatementOfHoldings

__all__ = ["join_pages", "read_statement", "supports_attestation"]

_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_XML_STARTS = (b"<", b"<\x00", b"\x00<")


def read_statement(data: bytes, profile: StatementProfile, received_at: int) -> StatementOfHoldings:
    """A file as received, as a statement: XML when its first character is `<`, else CSV by the profile.

    Raises a StatementError that names the line or path, never anything else, and never returns a number it had to
    guess. `received_at` in seconds since 1970 UTC. Whether the statement is good for anything is another question:
    ask supports_attestation.
    """
    start = data[:256]
    for mark in _MARKS:
        start = start.removeprefix(mark)
    if start.lstrip(b" \t\r\n").startswith(_XML_STARTS):
        return read_semt002(data, profile, received_at)
    return read_csv(data, profile, received_at)
