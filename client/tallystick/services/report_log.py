"""The control log of a month: events that changed who may do what, from the transactions themselves.

Transactions name the issuer or the security that they change. Events of orders and holders are left out: they are in
the accounts, one for each.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import IntEnum
from typing import Final

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain, SignatureInfo
from tallystick.domain.canonical import CanonicalValue
from tallystick.domain.report_anchors import days_in, first_day
from tallystick.domain.reserve_report.facts import ClosedDay, LogEntry, Moment
from tallystick.program.generated import events
from tallystick.program.layout import EventLayout
from tallystick.program.text import decode_text
from tallystick.services.report_history import (
    Listing,
    Progress,
    events_in,
    list_since_time,
    oldest_first,
    read_transactions,
)
from tallystick.services.report_lists import scope_names

LOGGED: Final[tuple[type[EventLayout], ...]] = (
    events.IssuerInitialized,
    events.RoleGranted,
    events.RoleRevoked,
    events.ChangeVetoed,
    events.AdminProposed,
    events.AdminAccepted,
    events.SecurityListed,
    events.SecurityRetired,
    events.PolicyUpdated,
    events.LimitSet,
    events.SeizureAccountNamed,
    events.MetadataAnnounced,
    events.MetadataUpdated,
    events.HoldPlaced,
    events.HoldReleased,
    events.AccountFrozen,
    events.AccountThawed,
    events.SeizureProposed,
    events.HoldingSeized,
    events.HoldingReissued,
    events.FillCorrected,
)
"""Events that a control log holds."""
_TEXTS: Final = frozenset({"isin", "previous_isin", "ticker", "security_id", "currency"})


@dataclass(frozen=True, slots=True)
class Log:
    """A month's log; `is_whole` says whether the node served every transaction of it. `listed_later` are securities
    that were listed behind the as-of."""

    entries: tuple[LogEntry, ...]
    is_whole: bool
    listed_later: frozenset[Pubkey] = frozenset()


async def read_log(
    chain: Chain,
    issuer: Pubkey,
    listings: Mapping[Pubkey, Listing],
    as_of: Moment,
    begun: Collection[Pubkey],
    program_id: Pubkey,
    progress: Progress | None = None,
) -> Log:
    """The log of the issuer and its securities, from the listings of each since the month's first second. `begun` are
    those of them of which something is as old as the as-of."""
    lines = oldest_first(*(listing.until(as_of.slot) for listing in listings.values()))
    entries: list[LogEntry] = []
    made: set[Pubkey] = set()
    is_whole = True
    told = None if progress is None else (lambda done: progress("control log", done, len(lines)))
    async for transaction in read_transactions(chain, lines, told):
        if transaction is None or transaction.block_time is None:
            is_whole = False
            continue
        happened = events_in(transaction, program_id)
        for place, event in enumerate(happened):
            made |= makes(event)
            if isinstance(event, LOGGED) and _concerns(event, issuer, listings):
                entries.append(
                    LogEntry(
                        slot=transaction.slot,
                        time=transaction.block_time,
                        signature=str(transaction.signature),
                        place=place,
                        event=type(event).__name__,
                        details=details_of(event),
                    )
                )
    later: set[Pubkey] = set()
    for address, listing in listings.items():
        if address in made or (address in begun and listing.reaches):
            continue
        # Anybody may have named its address before it was made: what made it tells when it was listed.
        is_made = address not in begun and await _is_made_in(chain, address, listing.later_than(as_of.slot), program_id)
        if is_made:
            later.add(address)
        is_whole = is_whole and (is_made or (listing.reaches and is_made is not None))
    entries.sort(key=lambda each: (each.slot, each.signature, each.place))
    return Log(tuple(entries), is_whole, frozenset(later))


def makes(event: EventLayout) -> set[Pubkey]:
    """The addresses that an event made: nothing of them is older."""
    match event:
        case events.IssuerInitialized():
            return {event.issuer}
        case events.SecurityListed():
            return {event.security, event.mint}
        case events.RoleGranted():
            return {event.role}
        case events.DistributionOpened():
            return {event.distribution}
        case _:
            return set()


async def read_closed_days(
    chain: Chain,
    issuer: Pubkey,
    publishers: Iterable[Pubkey],
    period: int,
    since: int,
    program_id: Pubkey,
) -> tuple[tuple[ClosedDay, ...], bool]:
    """The days of a period that were closed on chain, in order, behind the last one before it that was closed since
    then; and whether the node served all transactions that can have closed one: those of the publishers' roles since
    that second (unix). ChainError."""
    listings = [await list_since_time(chain, role, since) for role in publishers]
    first, until = first_day(period), first_day(period) + days_in(period)
    found: list[ClosedDay] = []
    made: set[Pubkey] = set()
    is_whole = True
    async for transaction in read_transactions(chain, oldest_first(*(each.lines for each in listings))):
        if transaction is None:
            is_whole = False
            continue
        for event in events_in(transaction, program_id):
            made |= makes(event)
            if isinstance(event, events.DayClosed) and event.issuer == issuer and event.day < until:
                found.append(ClosedDay(event.day, event.close_hash, event.as_of_slot, event.days_hash, event.closed_at))
    is_whole = is_whole and all(each.reaches or each.address in made for each in listings)
    found.sort(key=lambda each: each.day)
    before = [each for each in found if each.day < first][-1:]
    return (*before, *(each for each in found if each.day >= first)), is_whole


def details_of(event: EventLayout) -> dict[str, CanonicalValue]:
    """An event's fields as JSON: addresses in base 58, hashes in hex, numbers as text, kinds as words."""
    return dict(_fields(event))


def _fields(value: object) -> Iterator[tuple[str, CanonicalValue]]:
    assert is_dataclass(value)
    for each in fields(value):
        yield each.name, _plain(each.name, getattr(value, each.name))


def _plain(name: str, value: object) -> CanonicalValue:
    match value:
        case Pubkey():
            return str(value)
        case bytes():
            return decode_text(value, name) if name in _TEXTS else value.hex()
        case bool() | str():
            return value
        case IntEnum():
            return value.name.lower()
        case int():
            return list(scope_names(value)) if name == "scope" else str(value)
        case _:
            return dict(_fields(value))


def _concerns(event: EventLayout, issuer: Pubkey, listings: Mapping[Pubkey, Listing]) -> bool:
    """Whether an event is of this issuer or one of its securities: a transaction may hold those of others too."""
    owner = getattr(event, "issuer", None) or getattr(event, "security", None)
    return owner == issuer or owner in listings


async def _is_made_in(chain: Chain, address: Pubkey, lines: Sequence[SignatureInfo], program_id: Pubkey) -> bool | None:
    """Whether one of these transactions made the address; None where none did and the node does not serve all."""
    is_served = True
    async for transaction in read_transactions(chain, oldest_first(lines)):
        if transaction is None:
            is_served = False
        elif any(address in makes(each) for each in events_in(transaction, program_id)):
            return True
    return False if is_served else None


__all__ = ["LOGGED", "Log", "details_of", "makes", "read_closed_days", "read_log"]
