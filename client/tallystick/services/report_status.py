"""How far a month's report is: each step with what it came to, and what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.store.declarations import StoredDeclaration
from tallystick.adapters.store.reports import ReportState, StoredReport
from tallystick.domain.canonical import sha256
from tallystick.domain.closes import DailyClose
from tallystick.domain.report_anchors import day_number, day_text, days_in, first_day, period_of, period_text
from tallystick.program.addresses import draw_address
from tallystick.program.generated.accounts import DayDraw, Issuer
from tallystick.program.generated.constants import PROGRAM_ID
from tallystick.services.chain_reads import chain_time, read, require
from tallystick.services.daily_close import verify_closes
from tallystick.services.report_closes import DAY
from tallystick.services.report_days import anchored_closes
from tallystick.services.report_inputs import ReportBooks, newest_declaration


@dataclass(frozen=True, slots=True)
class OfficerStatus:
    """One officer of the declared assertion; `is_signed` when a signature is of its text and of the as-of close."""

    name: str
    title: str
    is_signed: bool


@dataclass(frozen=True, slots=True)
class MonthStatus:
    """A month's report at `now` by the chain's clock. Days are YYYY-MM-DD.

    `closed` are days with a close, `waiting` those of them that can still be put on chain, `missing` days that are over
    and have none. `draw` is the day's draw on chain, and `drawn_day` what it came to.
    """

    period: int
    now: int
    is_over: bool
    closed: tuple[str, ...]
    anchored: tuple[str, ...]
    waiting: tuple[str, ...]
    missing: tuple[str, ...]
    draw: DayDraw | None
    drawn_day: str | None
    declaration: StoredDeclaration | None
    officers: tuple[OfficerStatus, ...]
    reports: tuple[StoredReport, ...]

    @property
    def next_step(self) -> str:
        """What has to be done next; empty when nothing has to."""
        return next_step(self)


def last_month(now: int) -> int:
    """The period before the one that a moment (seconds since 1970 UTC) is in."""
    return period_of(first_day(period_of(now // DAY)) - 1)


async def month_status(
    chain: Chain, books: ReportBooks, issuer: Pubkey, period: int | None = None, *, program_id: Pubkey = PROGRAM_ID
) -> MonthStatus:
    """How far the report of a period is, of the month before the chain's clock unless it is named.

    LedgerError when the store's closes are not those on chain. InputError for no period.
    """
    now = await chain_time(chain, "finalized")
    period = last_month(now) if period is None else period
    first = first_day(period)
    until = first + days_in(period)
    account = await require(chain, Issuer, issuer, commitment="finalized")
    stored = await verify_closes(books.closes, issuer)
    of_month = [each for each in stored if first <= day_number(each.day) < until]
    anchored = [each for each in anchored_closes(account, stored) if each in of_month]
    closed = {each.day for each in of_month}
    draw = await read(chain, DayDraw, draw_address(issuer, period, program_id=program_id), "finalized")
    return MonthStatus(
        period=period,
        now=now,
        is_over=now >= until * DAY,
        closed=tuple(each.day for each in of_month),
        anchored=tuple(each.day for each in anchored),
        waiting=tuple(each.day for each in of_month if not account.days or day_number(each.day) > account.last_day),
        missing=tuple(day for day in map(day_text, range(first, min(until, now // DAY))) if day not in closed),
        draw=draw,
        drawn_day=day_text(first + draw.drawn_day - 1) if draw is not None and draw.drawn_day else None,
        declaration=await books.declarations.newest(bytes(issuer), period),
        officers=await _officers(books, bytes(issuer), period, anchored),
        reports=await books.reports.list(bytes(issuer), period),
    )


def next_step(status: MonthStatus) -> str:
    """What has to be done next; empty when nothing has to."""
    month = period_text(status.period)
    newest = status.reports[-1] if status.reports else None
    if newest is not None and newest.state is not ReportState.DRAFT:
        return {
            ReportState.APPROVED: f"A publisher publishes it: tally report publish {month}",
            ReportState.PUBLISHING: f"Its publication was begun; carry it on: tally report publish {month}",
            ReportState.PUBLISHED: f"Anybody checks it: tally report verify FILE --url RPC. A mistake is corrected by a"
            f" new version: tally report build {month} --correct 'why'",
        }[newest.state]
    if not status.is_over:
        first = day_text(first_day(status.period))
        if day_text(status.now // DAY) < first:
            return f"The month has not begun. From {first} on, once each day is over, close it: tally close DAY"
        return "The month goes on. Once a day is over, close it: tally close DAY"
    if not status.closed:
        return f"No day of {month} was closed, so there can be no report of it."
    if status.waiting:
        return "Put the closed days on chain: tally report anchor-days"
    if status.drawn_day is None:
        return f"Draw the day of the second look: tally report draw {month}"
    if newest is not None:
        return f"A second person looks at it and agrees: tally report approve {month}"
    if status.declaration is None:
        return f"Declare what no chain says: tally report declare {month} --template — or build without it"
    unsigned = [each.name for each in status.officers if not each.is_signed]
    if unsigned:
        return f"{', '.join(unsigned)} may sign the assertion: tally report assert {month} — then build it"
    return f"Build it: tally report build {month}"


async def _officers(
    books: ReportBooks, issuer: bytes, period: int, anchored: Sequence[DailyClose]
) -> tuple[OfficerStatus, ...]:
    declaration = await newest_declaration(books.declarations, issuer, period)
    as_of = anchored[-1].hash if anchored else b""
    text_hash = sha256(declaration.assertion_text.encode("utf-8"))
    signed = {
        each.officer
        for each in await books.declarations.assertions(issuer, period)
        if (each.close_hash, each.text_hash) == (as_of, text_hash)
    }
    return tuple(OfficerStatus(each.name, each.title, each.name in signed) for each in declaration.officers)


__all__ = ["MonthStatus", "OfficerStatus", "last_month", "month_status", "next_step"]
