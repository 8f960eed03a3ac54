"""Which closes a month rests on: those on chain, with none left out since the as-of of the month before."""

from __future__ import annotations

from building_desk import BuildingDesk
from desk import DAY, SHARE
from tallystick.domain.closes import DailyClose
from tallystick.services.report_closes import MonthCloses, read_month_closes


async def closes_of_two_months(desk: BuildingDesk) -> list[DailyClose]:
    """The last three of September and the first of October, and October over; none is on chain."""
    await desk.begin()
    await desk.give("alice", 300 * SHARE, "s-1")
    desk.warp(7 * DAY)
    made = [await desk.end_day() for _ in range(4)]
    assert [each.day for each in made] == ["2026-09-28", "2026-09-29", "2026-09-30", "2026-10-01"]
    desk.warp(32 * DAY)
    return made


async def read(desk: BuildingDesk, period: int) -> MonthCloses:
    return await read_month_closes(desk.chain, desk.closes, desk.issuer, period)


async def test_the_opening_is_the_as_of_of_the_month_before() -> None:
    desk = BuildingDesk()
    made = await closes_of_two_months(desk)
    await desk.anchor()
    september, october = await read(desk, 202609), await read(desk, 202610)
    assert (september.opening, september.as_of) == (None, made[2])
    assert (october.opening, october.closes) == (made[2], (made[3],))


async def test_a_month_begins_behind_the_last_close_that_was_not_left_out_on_chain() -> None:
    desk = BuildingDesk()
    first, second, third, fourth = await closes_of_two_months(desk)
    await desk.anchor(first, second, fourth)
    september, october = await read(desk, 202609), await read(desk, 202610)
    assert (september.as_of, third.day in september.missing) == (second, True)
    assert (october.opening, october.closes) == (second, (fourth,))


async def test_a_day_left_out_on_chain_between_others_is_a_day_without_a_close() -> None:
    desk = BuildingDesk()
    first, second, third, fourth = await closes_of_two_months(desk)
    await desk.anchor(first, third, fourth)
    september = await read(desk, 202609)
    assert (september.closes, second.day in september.missing) == ((first, third), True)


async def test_a_month_may_begin_behind_closes_of_a_time_when_none_was_put_on_chain() -> None:
    desk = BuildingDesk()
    *_, third, fourth = await closes_of_two_months(desk)
    await desk.anchor(fourth)
    october = await read(desk, 202610)
    assert (october.opening, october.closes) == (third, (fourth,))


async def test_a_month_of_which_the_first_close_was_left_out_on_chain_begins_with_the_calendar() -> None:
    desk = BuildingDesk()
    first, second, third, fourth = await closes_of_two_months(desk)
    await desk.anchor(second, third, fourth)
    september = await read(desk, 202609)
    assert (september.opening, september.closes, september.days_before) == (None, (second, third), bytes(32))
    assert first.day in september.missing
