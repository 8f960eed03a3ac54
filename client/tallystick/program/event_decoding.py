"""Events of the program, found among the inner instructions of a transaction.

`emit_cpi!` (anchor-lang 1.2, src/event.rs) makes the program call itself with the event as data, signed by a PDA that
only the program can sign for; it refuses such a call from anyone who lacks that signature. So an inner instruction of a
transaction that executed is an event of ours if and only if it names our program, carries the tag, and its only account
is our event authority. In a transaction that failed nothing happened: its inner instructions are no events.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from solders.pubkey import Pubkey

from tallystick.errors import LedgerError
from tallystick.program.generated.constants import PROGRAM_ID
from tallystick.program.generated.events import EVENTS
from tallystick.program.generated.pdas import event_authority_address
from tallystick.program.layout import EventLayout

EVENT_TAG = bytes.fromhex("e445a52e51cb9a1d")
"""Leading bytes of every event instruction: the first 8 of SHA-256("anchor:event"), the last of them first."""

InnerCall = tuple[Pubkey, Sequence[Pubkey], bytes]
"""Program called, accounts passed, data."""


def decode_event(data: bytes) -> EventLayout:
    """Decode an event without its tag. LedgerError for one this version of the client does not know."""
    for discriminator, kind in EVENTS.items():
        if data.startswith(discriminator):
            return kind.decode(data)
    raise LedgerError(
        f"event {data[:8].hex()} is not known: it was emitted by a newer version of the program; upgrade tallystick"
    )


def decode_events(inner: Iterable[InnerCall], *, program_id: Pubkey = PROGRAM_ID) -> list[EventLayout]:
    """The program's events in the order it emitted them, from the inner instructions of an executed transaction.

    Whatever else the transaction called is passed over, tag or no tag: a look-alike is no event. LedgerError for an
    event that does not decode, or that this version of the client does not know.
    """
    authority = event_authority_address(program_id=program_id)
    events = []
    for program, accounts, data in inner:
        if program == program_id and tuple(accounts) == (authority,) and data.startswith(EVENT_TAG):
            events.append(decode_event(data[len(EVENT_TAG) :]))
    return events
