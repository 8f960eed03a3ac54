"""One valid call of every instruction about reports; conventions as in cases.py."""

from __future__ import annotations

from collections.abc import Callable

from reports import DRAW_SLOTS, LAST_DAY, PERIOD, PERIOD_BEFORE, Reports
from solders.instruction import Instruction
from world import World


def close_day(world: World) -> Instruction:
    """Yesterday."""
    return Reports(world.alpha).close_day()


def request_draw(world: World) -> Instruction:
    """Of the last month, whose last day is closed."""
    world.chain.send(Reports(world.alpha).close_day(LAST_DAY))
    return Reports(world.alpha).request_draw()


def draw_day(world: World) -> Instruction:
    """Once the target slot has a hash."""
    Reports(world.alpha).do_request()
    world.chain.set_slot(world.chain.slot + DRAW_SLOTS + 1)
    return Reports(world.alpha).draw_day()


def publish_report(world: World) -> Instruction:
    """A correction of a report that another one followed: the variant that names the most accounts."""
    reports = Reports(world.alpha)
    reports.do_publish(PERIOD_BEFORE, PERIOD)
    return reports.publish_report(PERIOD_BEFORE, 2, reports.report(PERIOD_BEFORE))


REPORT_CASES: dict[str, Callable[[World], Instruction]] = {
    case.__name__: case for case in (close_day, request_draw, draw_day, publish_report)
}
