"""What the chain says for a month's report, read alike by the issuer and by a stranger who trusts the chain alone.

Accounts with times of their own come first: none is ever closed, so today's accounts tell the past, on any node and at
any time. Transactions come second, for what accounts do not keep (the control log, payments since the as-of, the
register at a slot); a node may have forgotten them, and then that is said. What is recomputed for now equals the
counters of the accounts, or nothing is handed out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain as chain_of
from itertools import pairwise
from typing import Final

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain, MemcmpFilter
from tallystick.adapters.clock import Clock, instant
from tallystick.domain.register import Register
from tallystick.domain.report_anchors import days_in, first_day
from tallystick.domain.reserve_report.facts import (
    DrawFacts,
    Moment,
    PublicationFacts,
    ReportFacts,
    SecurityFacts,
    Unserved,
)
from tallystick.errors import ChainError, InputError, LedgerError
from tallystick.program.addresses import draw_address
from tallystick.program.distribution_account import HEADER_LENGTH
from tallystick.program.generated.accounts import DayDraw, Distribution, ReserveReport, Role, Seizure
from tallystick.program.generated.constants import PROGRAM_ID
from tallystick.program.generated.types import RoleKind
from tallystick.program.text import decode_text
from tallystick.services.books import IssuerBooks, SecurityBook, read_books
from tallystick.services.chain_reads import list_all, list_roles, read
from tallystick.services.daily_close import deployed_program
from tallystick.services.report_distributions import distributions_then
from tallystick.services.report_figures import Records, figures_at, require_counters
from tallystick.services.report_history import Listing, Progress, list_since_slot, list_since_time, read_block_times
from tallystick.services.report_instants import Instants, Mark, Step, order_of_seconds
from tallystick.services.report_lists import (
    NEVER,
    Month,
    action_facts,
    attestation_facts,
    fill_facts,
    hold_facts,
    movement_facts,
    order_facts,
    revoked_at,
    seizure_facts,
)
from tallystick.services.report_lives import Life, read_lives
from tallystick.services.report_log import read_closed_days, read_log
from tallystick.services.report_register import Rewinding, rewind_register, see_all
from tallystick.services.report_roles import roles_then
from tallystick.services.report_terms import Terms, terms_then

DAY: Final = 86_400
LAST_SLOT: Final = 2**64 - 1
"""Of a moment that is a whole second: nothing in it came later."""


class Doubt(StrEnum):
    """Which steps of a moment's second, of those that the node does not tell the order of, count as behind its end."""

    ALL = "all"
    ADDITIONS = "additions"
    """Those that add to supply or escrow."""
    OTHERS = "others"


@dataclass(frozen=True, slots=True)
class _Read:
    """All accounts of an issuer, and the moments that figures are wanted of: the end of the month before, those of the
    report, and now."""

    books: IssuerBooks
    records: Mapping[Pubkey, Records]
    roles: Mapping[Pubkey, Role]
    instants: Instants
    lives: Mapping[Pubkey, Life]
    month: Month
    unserved: frozenset[Unserved]


async def gather_facts(
    chain: Chain,
    issuer: Pubkey,
    period: int,
    as_of: Moment,
    moments: Sequence[Moment],
    clock: Clock,
    *,
    opening: Moment | None = None,
    doubtful: Collection[Moment] = (),
    doubt: Doubt = Doubt.ALL,
    program_id: Pubkey = PROGRAM_ID,
    progress: Progress | None = None,
) -> ReportFacts:
    """Everything the chain says for the report of one period (YYYYMM), as it was at the end of the as-of's slot.

    `moments` are those of the month's closes, oldest first; the last is the as-of. The month begins behind `opening`,
    the moment of the close before the first of them, so that reports join without gap or overlap; without one, with the
    period's first second. What the node does not serve is in the facts' `unserved`, and the figures that do not need it
    are right all the same. Of what happened in the very second of a moment, what is not served counts as before its
    end, and at `doubtful` ones the steps of `doubt` as behind it. InputError for moments that do not end with the as-of
    or are out of order. LedgerError when a moment's slot is of another time, or accounts do not agree with each other;
    ChainError when the cluster does not answer or has not reached the as-of.
    """
    start, until = first_day(period) * DAY, (first_day(period) + days_in(period)) * DAY
    before = opening or Moment(LAST_SLOT, start - 1)
    _require_moments(as_of, moments, before)
    read = await _read_all(chain, issuer, as_of, moments, before, until, doubtful, doubt, clock, program_id)
    month, unserved = read.month, set(read.unserved)
    if not await _has_times(chain, _of_slots(before, moments)):
        unserved.add(Unserved.TIMES)

    listings: dict[Pubkey, Listing] = {}
    for address in (issuer, *(book.address for book in read.books.securities)):
        since = list_since_slot(chain, address, opening.slot) if opening else list_since_time(chain, address, start)
        listings[address] = await since
    begun = {issuer} | {
        address
        for address, records in read.records.items()
        if any(month.is_by(time, *mark) for time, mark in records.marks())
    }
    log = await read_log(chain, issuer, listings, as_of, begun, program_id, progress)
    if not log.is_whole:
        unserved.add(Unserved.LOG)
    publishers = [address for address, role in read.roles.items() if role.kind is RoleKind.PUBLISHER]
    since_opening = min(start, before.time)
    closed_days, is_whole = await read_closed_days(chain, issuer, publishers, period, since_opening, program_id)
    if not is_whole:
        unserved.add(Unserved.CLOSED_DAYS)
    roles, is_served = await roles_then(chain, read.roles, read.books.issuer.delay, month, program_id)
    if not is_served:
        unserved.add(Unserved.ROLES)

    securities: list[SecurityFacts] = []
    for book in read.books.securities:
        if book.address in log.listed_later:
            continue
        of_both = listings[issuer], listings[book.address]
        terms, is_served = await terms_then(chain, book, *of_both, as_of, program_id)
        if not is_served:
            unserved.add(Unserved.TERMS)
        facts, missing = await _security(chain, read, book, terms, program_id, progress)
        securities.append(facts)
        unserved |= missing
    securities.sort(key=lambda each: (each.isin, each.mint))
    program_hash, program_slot = await deployed_program(chain, program_id)
    return ReportFacts(
        cluster=str(await chain.get_genesis_hash()),
        program=bytes(program_id),
        program_hash=program_hash,
        program_slot=program_slot,
        issuer=bytes(issuer),
        issuer_name=decode_text(read.books.issuer.name, "name"),
        lei=decode_text(read.books.issuer.lei, "lei"),
        period=period,
        as_of=as_of,
        opening=opening,
        moments=tuple(moments),
        securities=tuple(securities),
        roles=roles,
        log=log.entries,
        closed_days=closed_days,
        days_hash=read.books.issuer.days_hash,
        draw=await _draw(chain, issuer, period, program_id),
        publications=await _publications(chain, issuer, read.books.issuer.last_report),
        unserved=frozenset(unserved),
    )


def _require_moments(as_of: Moment, moments: Sequence[Moment], opening: Moment) -> None:
    is_in_time = all(earlier.time <= later.time for earlier, later in pairwise((opening, *moments)))
    is_in_slots = all(earlier.slot < later.slot for earlier, later in pairwise(_of_slots(opening, moments)))
    if not moments or moments[-1] != as_of or not (is_in_time and is_in_slots):
        raise InputError(
            f"The moments of a report are in order, behind {instant(opening.time)}, and the last is its as-of.",
            hint="Take slot and block time of each daily close of the month.",
        )


def _of_slots(opening: Moment, moments: Sequence[Moment]) -> tuple[Moment, ...]:
    """The moments that are the end of a slot: an opening that is only a second is none."""
    return tuple(moments) if opening.slot == LAST_SLOT else (opening, *moments)


async def _has_times(chain: Chain, moments: Sequence[Moment]) -> bool:
    """Whether the node told the time of every moment's slot. LedgerError when one is another: figures go by the time,
    and whoever wrote it down must not choose it."""
    times = await read_block_times(chain, [moment.slot for moment in moments])
    for moment, time in zip(moments, times, strict=True):
        if time not in (None, moment.time):
            raise LedgerError(
                f"Slot {moment.slot} is of {instant(time or 0)} on this cluster, not of {instant(moment.time)}.",
                hint="The report names another cluster, or a time that its slot did not have.",
            )
    return None not in times


async def _read_all(
    chain: Chain,
    issuer: Pubkey,
    as_of: Moment,
    moments: Sequence[Moment],
    opening: Moment,
    until: int,
    doubtful: Collection[Moment],
    doubt: Doubt,
    clock: Clock,
    program_id: Pubkey,
) -> _Read:
    """The accounts, and the order of what happened in the very second of a moment."""
    books = await read_books(chain, issuer, clock, program_id=program_id)
    if books.slot < as_of.slot:
        raise ChainError(
            f"The node has finalized slot {books.slot}; the report is of slot {as_of.slot}.",
            hint="Run this again in some seconds, or ask a node of the cluster that the report names.",
        )
    records = {book.address: await _records(chain, book, as_of.slot, program_id) for book in books.securities}
    found = await list_roles(chain, issuer, commitment="finalized", min_context_slot=as_of.slot)
    roles = dict(sorted(found.accounts.items(), key=lambda item: bytes(item[0])))
    marks = chain_of(_role_marks(roles, books.issuer.delay), *(each.marks() for each in records.values()))
    order = await order_of_seconds(chain, _of_slots(opening, moments), marks, program_id)
    unserved = set() if order.is_served else {Unserved.ORDER_OF_SECOND}
    now = Moment(LAST_SLOT, books.now)
    additions = frozenset(chain_of(*(each.additions() for each in records.values())))
    later = {
        moment: marks | (_behind(order.unknown[moment], additions, doubt) if moment in doubtful else frozenset())
        for moment, marks in order.later.items()
    }
    instants = Instants((opening, *moments, now), later)
    actions = {address: each for record in records.values() for address, each in record.actions.items()}
    lives, is_served = await read_lives(chain, actions, instants.moments, program_id)
    if not is_served:
        unserved.add(Unserved.ACTIONS)
    month = Month(opening, until, as_of, instants)
    return _Read(books, records, roles, instants, lives, month, frozenset(unserved))


def _behind(unknown: frozenset[Mark], additions: frozenset[Mark], doubt: Doubt) -> frozenset[Mark]:
    match doubt:
        case Doubt.ALL:
            return unknown
        case Doubt.ADDITIONS:
            return unknown & additions
        case Doubt.OTHERS:
            return unknown - additions


def _role_marks(roles: Mapping[Pubkey, Role], delay: int) -> Iterator[tuple[int, Mark]]:
    for address, role in roles.items():
        yield role.granted_at, (address, Step.MADE)
        if role.ends_at != NEVER:
            yield revoked_at(role, delay), (address, Step.DECIDED)


async def _records(chain: Chain, book: SecurityBook, lowest: int, program_id: Pubkey) -> Records:
    """A security's accounts, read at the slot `lowest` or later."""
    of_security = ("security", bytes(book.address))
    seizures, distributions = await asyncio.gather(
        list_all(chain, Seizure, of_security, commitment="finalized", min_context_slot=lowest),
        _distributions(chain, book.address, lowest, program_id),
    )
    return Records(
        attestations=book.attestations,
        orders=book.orders,
        movements=book.movements,
        fills=book.fills,
        holds=book.holds,
        actions=book.actions,
        seizures=seizures.accounts,
        distributions=distributions,
    )


async def _security(
    chain: Chain, read: _Read, book: SecurityBook, terms: Terms, program_id: Pubkey, progress: Progress | None
) -> tuple[SecurityFacts, set[Unserved]]:
    """One security's facts, and what of them the node did not serve."""
    records, month, missing = read.records[book.address], read.month, set[Unserved]()
    opening, *days, now = figures_at(records, read.lives, read.instants)
    require_counters(now, book.address, book.security, book.attestations, book.now)
    register = await _register(chain, book, month.as_of, days[-1].supply, program_id, progress)
    if register is None:
        missing.add(Unserved.REGISTERS)
    distributions, is_served = await distributions_then(chain, records.distributions, month, program_id, progress)
    if not is_served:
        missing.add(Unserved.DISTRIBUTIONS)
    attestors = {role.holder: role for role in read.roles.values() if role.kind is RoleKind.ATTESTOR}
    facts = SecurityFacts(
        address=bytes(book.address),
        mint=bytes(book.security.mint),
        isin=terms.isin,
        ticker=terms.ticker,
        name=terms.name,
        decimals=book.decimals,
        opening=opening,
        as_of=days[-1],
        days=tuple(days),
        fills=fill_facts(records, month),
        movements=movement_facts(records, month),
        orders=order_facts(records, month),
        attestations=attestation_facts(records, month, attestors),
        actions=action_facts(records, read.lives, month),
        distributions=distributions,
        holds=hold_facts(records, month),
        seizures=seizure_facts(records.seizures, month),
        custody_accounts_hash=terms.custody_accounts_hash,
        register=register,
    )
    return facts, missing


async def _register(
    chain: Chain, book: SecurityBook, as_of: Moment, supply: int, program_id: Pubkey, progress: Progress | None
) -> Register | None:
    """The register at the as-of's slot; None where the node does not serve what moved tokens since."""
    mint, today = book.security.mint, book.holders.require_complete().accounts
    listing = await list_since_slot(chain, mint, as_of.slot)
    rewinding = Rewinding(mint)
    lines = [line for line in listing.lines if line.slot <= today.slot]
    told = None if progress is None else (lambda done: progress("register", done, len(lines)))
    if not listing.reaches or not await see_all(chain, lines, rewinding, told):
        return None
    return await rewind_register(chain, mint, today, rewinding, as_of.slot, supply)


async def _distributions(chain: Chain, security: Pubkey, lowest: int, program_id: Pubkey) -> dict[Pubkey, Distribution]:
    """A security's distributions, without the bits of what was paid: for a million holders those are 140 KB."""
    wanted = [
        MemcmpFilter(0, Distribution.DISCRIMINATOR),
        MemcmpFilter(Distribution.OFFSETS["security"], bytes(security)),
    ]
    found = await chain.get_program_accounts(
        program_id, wanted, commitment="finalized", min_context_slot=lowest, data_slice=(0, HEADER_LENGTH)
    )
    return {address: Distribution.decode(account.data) for address, account in found.accounts.items()}


async def _draw(chain: Chain, issuer: Pubkey, period: int, program_id: Pubkey) -> DrawFacts | None:
    address = draw_address(issuer, period, program_id=program_id)
    draw = await read(chain, DayDraw, address, "finalized")
    if draw is None:
        return None
    return DrawFacts(
        address=bytes(address),
        attempts=draw.attempts,
        target_slot=draw.target_slot,
        days_hash=draw.days_hash,
        drawn_slot=draw.drawn_slot,
        slot_hash=draw.slot_hash,
        drawn_day=draw.drawn_day,
        drawn_at=draw.drawn_at,
    )


async def _publications(chain: Chain, issuer: Pubkey, last: Pubkey) -> tuple[PublicationFacts, ...]:
    """Every publication of an issuer, oldest first: each names the one before. LedgerError when one is not listed."""
    found = (await list_all(chain, ReserveReport, ("issuer", bytes(issuer)), commitment="finalized")).accounts
    publications: list[PublicationFacts] = []
    while last in found:
        report = found.pop(last)
        publications.append(
            PublicationFacts(
                address=bytes(last),
                period=report.period,
                version=report.report_version,
                hash=report.hash,
                uri=decode_text(report.uri, "uri"),
                as_of_slot=report.as_of_slot,
                previous=bytes(report.previous),
                previous_hash=report.previous_hash,
                corrects=bytes(report.corrects),
                days_hash=report.days_hash,
                published_by=bytes(report.published_by),
                published_at=report.published_at,
            )
        )
        last = report.previous
    if last != Pubkey.default():
        raise LedgerError(
            f"The node did not list the publication {last} of issuer {issuer}, which its last one leads back to.",
            hint="Ask another node.",
        )
    return tuple(reversed(publications))


__all__ = ["Doubt", "Progress", "gather_facts"]
