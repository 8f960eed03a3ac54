"""Which daily closes a month's report rests on: those of the month that were closed on chain, the last is its as-of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.clock import Clock
from tallystick.adapters.store.closes import CloseStore
from tallystick.domain.closes import DailyClose
from tallystick.domain.report_anchors import day_number, day_text, days_hash_of, days_in, first_day, period_text
from tallystick.domain.reserve_report.facts import Moment, ReportFacts
from tallystick.errors import Refused
from tallystick.program.generated.accounts import Issuer
from tallystick.program.generated.constants import PROGRAM_ID
from tallystick.services.chain_reads import chain_time, require
from tallystick.services.daily_close import verify_closes
from tallystick.services.report_days import anchored_closes
from tallystick.services.report_facts import gather_facts
from tallystick.services.report_history import Progress

DAY: Final = 86_400
"""Seconds."""


@dataclass(frozen=True, slots=True)
class MonthCloses:
    """A month's closes that are on chain, oldest first.

    Each names the one before it, or one that was left out on chain. `opening` is the last on chain before them: the
    as-of of the month before. Where none is, it is the last made before the month; None for an issuer's first.
    `days_before` is the running hash of closed days before the first of them. `missing` are the days of the month, as
    YYYY-MM-DD, that are in none of them.
    """

    period: int
    closes: tuple[DailyClose, ...]
    opening: DailyClose | None
    days_before: bytes
    missing: tuple[str, ...]

    @property
    def as_of(self) -> DailyClose:
        """The last of them."""
        return self.closes[-1]

    @property
    def begins(self) -> int:
        """Seconds since 1970 UTC of the month's first moment, which is not in it: that of the opening close, else the
        one before its first second."""
        return self.opening.block_time if self.opening else first_day(self.period) * DAY - 1

    @property
    def moments(self) -> tuple[Moment, ...]:
        """When each was made."""
        return tuple(moment_of(each) for each in self.closes)


def moment_of(close: DailyClose) -> Moment:
    """Slot and block time of a close."""
    return Moment(close.slot, close.block_time)


def drawn_day(facts: ReportFacts) -> str | None:
    """The day of the month that was drawn on chain, as YYYY-MM-DD; None while none is."""
    draw = facts.draw
    return day_text(first_day(facts.period) + draw.drawn_day - 1) if draw and draw.drawn_day else None


async def read_month_closes(chain: Chain, closes: CloseStore, issuer: Pubkey, period: int) -> MonthCloses:
    """The closes that a report of the period (YYYYMM) rests on, after checking every one against the chain.

    Refused, with what to do, while the month is not over, and when it has no close, none on chain, or some that can
    still be put on chain. LedgerError when the store's closes are not those on chain. InputError for no period.
    """
    first = first_day(period)
    until = first + days_in(period)
    now = await chain_time(chain, "finalized")
    if now < until * DAY:
        raise Refused(
            f"{period_text(period)} is not over: it is {day_text(now // DAY)} on this cluster.",
            hint=f"Build its report from {day_text(until)} (UTC) on.",
        )
    account = await require(chain, Issuer, issuer, commitment="finalized")
    stored = await verify_closes(closes, issuer)
    of_month = [each for each in stored if first <= day_number(each.day) < until]
    if not of_month:
        raise Refused(
            f"No day of {period_text(period)} was closed, so there is nothing to report on.",
            hint="Close each day with: tally close — on its day or the day after.",
        )
    anchored = anchored_closes(account, stored)
    found = tuple(each for each in anchored if each in of_month)
    waiting = [each for each in of_month if not account.days or day_number(each.day) > account.last_day]
    if waiting or not found:
        raise Refused(
            f"Closes of {period_text(period)} are not on chain yet: {', '.join(each.day for each in waiting)}."
            if waiting
            else f"No close of {period_text(period)} is on chain, and later days are: it stays so.",
            hint="Put them there with: tally report anchor-days" if waiting else "There can be no report of it.",
        )
    earlier = [each for each in anchored if each.slot < found[0].slot]
    # Where none was put on chain before, the month begins behind the last that was made.
    before = earlier or [each for each in stored if day_number(each.day) < first]
    days = {each.day for each in found}
    return MonthCloses(
        period,
        found,
        before[-1] if before else None,
        days_hash_of(earlier),
        tuple(day for day in map(day_text, range(first, until)) if day not in days),
    )


async def read_month(
    chain: Chain,
    closes: CloseStore,
    issuer: Pubkey,
    period: int,
    clock: Clock,
    *,
    program_id: Pubkey = PROGRAM_ID,
    progress: Progress | None = None,
) -> tuple[MonthCloses, ReportFacts]:
    """A month's closes, and what the chain says at them. Raises what read_month_closes and gather_facts raise."""
    month = await read_month_closes(chain, closes, issuer, period)
    facts = await gather_facts(
        chain,
        issuer,
        period,
        moment_of(month.as_of),
        month.moments,
        clock,
        opening=moment_of(month.opening) if month.opening else None,
        program_id=program_id,
        progress=progress,
    )
    return month, facts


__all__ = ["MonthCloses", "drawn_day", "moment_of", "read_month", "read_month_closes"]
