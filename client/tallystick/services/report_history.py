"""Reading back what an address's transactions did, and saying whether a node served all of them.

A node that has forgotten gives a shorter list and no error. So a history counts as whole only when the list reached
something from before the wanted span, or the transaction that made the address; and a transaction that was listed and
is not given is missing. Nothing is guessed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain, ConfirmedTransaction, SignatureInfo
from tallystick.errors import LedgerError, RpcError
from tallystick.program.event_decoding import decode_events
from tallystick.program.generated.constants import PROGRAM_ID
from tallystick.program.layout import EventLayout

PAGE: Final = 1_000
"""Signatures asked for at once."""
AT_ONCE: Final = 16
"""Requests in flight at once."""

_FORGOTTEN: Final = frozenset({-32001, -32004, -32009, -32011})
"""Agave's codes for a block that was cleaned up, that it does not have, that its archive does not have, and for a node
that keeps no history."""

Progress: TypeAlias = Callable[[str, int, int], None]
"""Told what is being read, how much of it was read, and how much there is."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Signatures of one address, newest first, down to a bound; failed ones are among them.

    `reaches` says that the node listed something beyond the bound, so that what lies within it is all there is.
    """

    address: Pubkey
    lines: tuple[SignatureInfo, ...]
    reaches: bool

    def later_than(self, slot: int) -> tuple[SignatureInfo, ...]:
        """Those behind a slot."""
        return tuple(line for line in self.lines if line.slot > slot)

    def until(self, slot: int) -> tuple[SignatureInfo, ...]:
        """Those up to a slot."""
        return tuple(line for line in self.lines if line.slot <= slot)


async def list_back(chain: Chain, address: Pubkey, is_beyond: Callable[[SignatureInfo], bool]) -> Listing:
    """An address's finalized signatures back to the first that `is_beyond`, which is left out. ChainError; LedgerError
    for a list that is not newest first, or has a signature twice: it would never end, or end too early."""
    found: list[SignatureInfo] = []
    while True:
        before = found[-1].signature if found else None
        try:
            page = await chain.get_signatures_for_address(address, limit=PAGE, before=before, commitment="finalized")
        except RpcError as error:
            if error.code in _FORGOTTEN:
                return Listing(address, tuple(found), reaches=False)
            raise
        _require_order(address, [*found[-1:], *page])
        for line in page:
            if is_beyond(line):
                return Listing(address, tuple(found), reaches=True)
            found.append(line)
        if len(page) < PAGE:
            return Listing(address, tuple(found), reaches=False)


def _require_order(address: Pubkey, lines: Sequence[SignatureInfo]) -> None:
    is_ordered = all(newer.slot >= older.slot for newer, older in pairwise(lines))
    if not is_ordered or len({line.signature for line in lines}) != len(lines):
        raise LedgerError(
            f"The node does not list the transactions of {address} newest first and each once.",
            hint="Ask another node.",
        )


async def list_since_slot(chain: Chain, address: Pubkey, slot: int) -> Listing:
    """An address's signatures behind a slot."""
    return await list_back(chain, address, lambda line: line.slot <= slot)


async def list_since_time(chain: Chain, address: Pubkey, time: int) -> Listing:
    """An address's signatures from a second on (unix seconds); what has no known time counts as within."""
    return await list_back(chain, address, lambda line: line.block_time is not None and line.block_time < time)


def oldest_first(*listings: Sequence[SignatureInfo]) -> tuple[SignatureInfo, ...]:
    """Lines of several addresses that executed, each once, oldest first; within a slot in the order of their listing,
    which is that of the block."""
    once = {line.signature: line for lines in listings for line in reversed(lines) if line.error is None}
    return tuple(sorted(once.values(), key=lambda line: line.slot))


async def read_transactions(
    chain: Chain, lines: Sequence[SignatureInfo], told: Callable[[int], None] | None = None
) -> AsyncIterator[ConfirmedTransaction | None]:
    """The transactions of these lines in their order, AT_ONCE of them asked for at once; None for one not served."""
    for start in range(0, len(lines), AT_ONCE):
        part = lines[start : start + AT_ONCE]
        found = await asyncio.gather(*(_transaction(chain, line) for line in part))
        for transaction in found:
            yield transaction
        if told is not None:
            told(start + len(part))


async def _transaction(chain: Chain, line: SignatureInfo) -> ConfirmedTransaction | None:
    try:
        return await chain.get_transaction(line.signature, "finalized")
    except RpcError as error:
        if error.code in _FORGOTTEN:
            return None
        raise


async def read_block_times(chain: Chain, slots: Sequence[int]) -> tuple[int | None, ...]:
    """The time of each slot's block (unix seconds), AT_ONCE of them asked for at once; None where it is not served."""
    found: list[int | None] = []
    for start in range(0, len(slots), AT_ONCE):
        found += await asyncio.gather(*(_block_time(chain, slot) for slot in slots[start : start + AT_ONCE]))
    return tuple(found)


async def _block_time(chain: Chain, slot: int) -> int | None:
    try:
        return await chain.get_block_time(slot)
    except RpcError as error:
        if error.code in _FORGOTTEN:
            return None
        raise


def events_in(transaction: ConfirmedTransaction, program_id: Pubkey = PROGRAM_ID) -> tuple[EventLayout, ...]:
    """The program's events in the order it emitted them; none of a transaction that failed."""
    if transaction.error is not None:
        return ()
    inner = ((each.program, each.accounts, each.data) for each in transaction.inner)
    return tuple(decode_events(inner, program_id=program_id))


__all__ = [
    "AT_ONCE",
    "Listing",
    "Progress",
    "events_in",
    "list_back",
    "list_since_slot",
    "list_since_time",
    "oldest_first",
    "read_block_times",
    "read_transactions",
]
