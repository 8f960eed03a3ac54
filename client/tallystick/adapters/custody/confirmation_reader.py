"""One way in for a custodian's confirmation of cash, whatever its format."""

from __future__ import annotations

from typing import Final

from tallystick.adapters.custody.errors import TruncatedStatement, UnsupportedStatement
from tallystick.adapters.custody.mt566 import read_mt566
from tallystick.adapters.custody.profiles import StatementProfile
from tallystick.adapters.custody.seev036 import read_seev036
from tallystick.domain.confirmations import CashConfirmation

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def read_confirmation(data: bytes, profile: StatementProfile, received_at: int) -> CashConfirmation:
    """A file as received, as a confirmation: XML when its first character is `<`, SWIFT FIN when it is `{` or `:`.

    Raises a StatementError that names the line or path, never anything else, and never returns a number it had to
    compute from others. `received_at` in seconds since 1970 UTC. Whether it is of our account and event is asked by
    services/confirmation_intake.py.
    """
    start = data.removeprefix(_BYTE_ORDER_MARK).lstrip(b" \t\r\n")[:1]
    if not start:
        raise TruncatedStatement("The file is empty")
    if start == b"<":
        return read_seev036(data, profile, received_at)
    if start in (b"{", b":"):
        return read_mt566(data, profile, received_at)
    raise UnsupportedStatement(
        "The file is neither a SWIFT message nor XML",
        where="its first character",
        hint="Confirmations of cash are read from MT566 and seev.036.",
    )


__all__ = ["read_confirmation"]
