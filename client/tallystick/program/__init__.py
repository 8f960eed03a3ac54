"""Bytes to values and back: the program's instructions, accounts, events, errors and addresses, and Token-2022's.

Nothing here talks to a cluster. `generated/` is written from the IDL by toolchain/generate_client.py; beside it:
`addresses` (what the IDL cannot say), `event_decoding`, `errors`, `token`, `text`, `artifacts` (the shipped files).
"""

from __future__ import annotations

from tallystick.program.errors import program_error
from tallystick.program.event_decoding import decode_events
from tallystick.program.generated import accounts, events, instructions, pdas, types
from tallystick.program.generated.constants import PROGRAM_ID, PROGRAM_VERSION

__all__ = [
    "PROGRAM_ID",
    "PROGRAM_VERSION",
    "accounts",
    "decode_events",
    "events",
    "instructions",
    "pdas",
    "program_error",
    "types",
]
