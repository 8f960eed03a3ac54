"""Calls about reports that one rule refuses; conventions as in refusals.py."""

from __future__ import annotations

from collections.abc import Callable

from reports import DRAW_SLOTS, LAST_DAY, PERIOD, PERIOD_BEFORE, Reports, last_midnight
from solders.instruction import Instruction
from world import DAY, World

Make = Callable[[World], Instruction]
RECORD = 512
"""Slots whose hashes the chain remembers."""
THIS_PERIOD, ITS_LAST_DAY = 202701, LAST_DAY + 31
MIDNIGHT = (ITS_LAST_DAY + 1) * DAY
"""2027-02-01 00:00:00 UTC."""


def _reports(make: Callable[[Reports], Instruction]) -> Make:
    return lambda world: make(Reports(world.alpha))


def _closed(*days: int) -> Callable[[World], object]:
    return lambda world: [world.chain.send(Reports(world.alpha).close_day(day)) for day in days]


def _published(*periods: int) -> Callable[[World], object]:
    return lambda world: Reports(world.alpha).do_publish(*periods)


def _after(prepare: Callable[[World], object], make: Callable[[Reports], Instruction]) -> Make:
    def run(world: World) -> Instruction:
        prepare(world)
        return make(Reports(world.alpha))

    return run


def _requested_and(slots: int) -> Callable[[World], object]:
    """The day is asked for, and so many slots pass."""

    def prepare(world: World) -> None:
        Reports(world.alpha).do_request()
        world.chain.set_slot(world.chain.slot + slots)

    return prepare


def _at(when: int, make: Callable[[Reports], Instruction]) -> Make:
    return _after(lambda world: world.chain.set_time(when), make)


REPORT_REFUSALS: list[tuple[str, str, Make]] = [
    ("DayNotEnded", "today", _reports(lambda reports: reports.close_day(last_midnight(reports.chain)))),
    ("DayNotEnded", "a second before midnight", _at(MIDNIGHT - 1, lambda reports: reports.close_day(ITS_LAST_DAY))),
    ("DayNotLater", "the same day again", _after(_closed(LAST_DAY), lambda reports: reports.close_day(LAST_DAY))),
    ("DayNotLater", "a day that was left out",
     _after(_closed(LAST_DAY), lambda reports: reports.close_day(LAST_DAY - 1))),
    ("HashMissing", "a close without hash", _reports(lambda reports: reports.close_day(close_hash=bytes(32)))),
    ("HashMissing", "a report without hash", _reports(lambda reports: reports.publish_report(hash=bytes(32)))),
    ("SlotInTheFuture", "a close's",
     _reports(lambda reports: reports.close_day(slot=reports.chain.slot + 1))),
    ("SlotInTheFuture", "a report's",
     _reports(lambda reports: reports.publish_report(as_of_slot=reports.chain.slot + 1))),
    ("NoPeriod", "month 13", _reports(lambda reports: reports.publish_report(202613))),
    ("NoPeriod", "month 0 of a draw", _after(_closed(LAST_DAY), lambda reports: reports.request_draw(202600))),
    ("PeriodNotEnded", "a second before midnight",
     _at(MIDNIGHT - 1, lambda reports: reports.publish_report(THIS_PERIOD))),
    ("PeriodNotEnded", "a draw in the middle of the month",
     _after(_closed(LAST_DAY), lambda reports: reports.request_draw(THIS_PERIOD))),
    ("DaysNotFinal", "nothing is closed", _reports(lambda reports: reports.request_draw())),
    ("DaysNotFinal", "the last day is open",
     _after(_closed(LAST_DAY - 1), lambda reports: reports.request_draw())),
    ("DrawPending", "asked twice", _after(_requested_and(0), lambda reports: reports.request_draw())),
    ("DrawPending", "while the target's hash is still there",
     _after(_requested_and(DRAW_SLOTS + RECORD), lambda reports: reports.request_draw())),
    ("DrawFinal", "asked again after the draw",
     _after(lambda world: Reports(world.alpha).do_draw(), lambda reports: reports.request_draw())),
    ("DrawFinal", "drawn twice",
     _after(lambda world: Reports(world.alpha).do_draw(), lambda reports: reports.draw_day())),
    ("DrawTooEarly", "at once", _after(_requested_and(0), lambda reports: reports.draw_day())),
    ("DrawTooEarly", "in the target slot, whose hash is not known in it",
     _after(_requested_and(DRAW_SLOTS), lambda reports: reports.draw_day())),
    ("DrawMissed", "by one slot",
     _after(_requested_and(DRAW_SLOTS + RECORD + 1), lambda reports: reports.draw_day())),
    ("NotLastReport", "left out",
     _after(_published(PERIOD_BEFORE), lambda reports: reports.publish_report(PERIOD, previous=None))),
    ("ReportNotNext", "version 2 of nothing", _reports(lambda reports: reports.publish_report(PERIOD, 2))),
    ("ReportNotNext", "version 0", _reports(lambda reports: reports.publish_report(PERIOD, 0))),
    ("ReportNotNext", "version 0 that corrects",
     _after(_published(PERIOD), lambda reports: reports.publish_report(PERIOD, 0, reports.report()))),
    ("ReportNotNext", "a version left out",
     _after(_published(PERIOD), lambda reports: reports.publish_report(PERIOD, 3, reports.report()))),
    ("ReportNotNext", "version 1 that corrects", _after(
        _published(PERIOD_BEFORE),
        lambda reports: reports.publish_report(PERIOD, 1, reports.report(PERIOD_BEFORE)))),
    ("PeriodPublished", "an earlier month",
     _after(_published(PERIOD), lambda reports: reports.publish_report(PERIOD_BEFORE))),
    ("BadText", "a report without address", _reports(lambda reports: reports.publish_report(uri=bytes(200)))),
]  # fmt: skip
