"""A month's report is told step by step, and what comes next is named."""

from __future__ import annotations

from building_desk import BuildingDesk
from tallystick.adapters.store.reports import ReportApproval
from tallystick.services.report_declaration import declaration_content, parse_declaration
from tallystick.services.report_status import MonthStatus, last_month, month_status

PERIOD = 202609


async def status(desk: BuildingDesk, period: int | None = PERIOD) -> MonthStatus:
    return await month_status(desk.chain, desk.books, desk.issuer, period)


async def test_a_month_to_come_has_not_begun() -> None:
    desk = BuildingDesk()
    await desk.begin()
    assert (await status(desk, 202701)).next_step.startswith("The month has not begun. From 2027-01-01 on")


async def test_each_step_names_the_next() -> None:
    desk = BuildingDesk()
    await desk.begin()
    first = await status(desk)
    assert (first.is_over, first.closed, len(first.missing)) == (False, (), 20)
    assert "tally close" in first.next_step
    await desk.end_day()
    await desk.end_day()
    desk.warp(8 * 86_400)
    waiting = await status(desk)
    assert waiting.waiting == waiting.closed == ("2026-09-21", "2026-09-22")
    assert (waiting.anchored, len(waiting.missing)) == ((), 28)
    assert "anchor-days" in waiting.next_step
    await desk.anchor()
    anchored = await status(desk)
    assert (anchored.waiting, anchored.anchored) == ((), waiting.closed)
    assert (anchored.draw, anchored.drawn_day) == (None, None)
    assert "tally report draw 2026-09" in anchored.next_step
    report = (await desk.build()).report
    name = (report.issuer, report.period, report.version, report.digest)
    await desk.books.reports.approve(*name, ReportApproval(b"k" * 32, b"s" * 64, desk.now))
    assert "tally report publish 2026-09" in (await status(desk)).next_step
    await desk.books.reports.begin_publication(*name)
    assert "carry it on" in (await status(desk)).next_step


async def test_a_published_report_is_checked_by_anybody() -> None:
    desk = BuildingDesk()
    await desk.month()
    await desk.publish((await desk.build()).report)
    told = await status(desk)
    assert told.reports == tuple(await desk.reports())
    assert "tally report verify" in told.next_step


async def test_officers_are_told_whether_they_signed() -> None:
    desk = BuildingDesk()
    await desk.month()
    text = '[assertion]\ntext = "x"\n[[assertion.officers]]\nname = "Jo"\ntitle = "CEO"'
    content = declaration_content(parse_declaration(text))
    await desk.books.declarations.declare(bytes(desk.issuer), PERIOD, content, desk.now)
    told = await status(desk)
    assert told.declaration is not None
    assert [(each.name, each.title, each.is_signed) for each in told.officers] == [("Jo", "CEO", False)]


async def test_a_month_that_nobody_closed_has_no_report() -> None:
    desk = BuildingDesk()
    await desk.month()
    assert "no report of it" in (await status(desk, 202608)).next_step


async def test_without_a_month_it_is_the_last_one_that_is_over() -> None:
    desk = BuildingDesk()
    await desk.month()
    assert (await status(desk, None)).period == PERIOD
    assert last_month(31 * 86_400) == 197001
    assert last_month(365 * 86_400) == 197012
