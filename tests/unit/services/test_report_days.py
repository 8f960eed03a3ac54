"""Stored closes are anchored in order and once; a day is drawn whatever slots are missed and whoever draws it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from desk import DAY, LEI
from reporting_desk import PERIOD, ReportingDesk
from solders.pubkey import Pubkey
from tallystick.adapters.chain.outbox import MemoryOutbox
from tallystick.domain.closes import NO_PREVIOUS, DailyClose
from tallystick.domain.report_anchors import (
    day_number,
    days_hash_of,
    days_in,
    drawn_day,
    first_day,
    parse_period,
    period_text,
)
from tallystick.errors import InputError, LedgerError, Refused
from tallystick.program.addresses import report_address, role_address
from tallystick.program.generated import instructions
from tallystick.program.generated.accounts import DayDraw, Issuer
from tallystick.program.generated.types import PublishReportParams, RoleKind
from tallystick.program.text import encode_text
from tallystick.services.chain_reads import require
from tallystick.services.plans import Plan, execute, new_action
from tallystick.services.report_days import AT_ONCE, anchored_closes, plan_anchor_days
from tallystick.services.report_draw import DrawState, draw_period, plan_draw_day, plan_request_draw, read_draw


@pytest.fixture
async def desk() -> ReportingDesk:
    """An issuer with a publisher, on the last day of its first month."""
    desk = ReportingDesk()
    await desk.initialize()
    await desk.grant("publisher", RoleKind.PUBLISHER)
    desk.warp(9 * DAY)
    return desk


def make_closes(desk: ReportingDesk, count: int, *, until: int = 0) -> list[DailyClose]:
    """Closes of the last `count` days, the newest `until` days ago."""
    today = datetime.fromtimestamp(desk.now, UTC).date()
    made: list[DailyClose] = []
    for number in range(count):
        made.append(
            DailyClose(
                issuer=bytes(desk.issuer),
                cluster=LEI,
                program_hash=bytes(32),
                day=(today - timedelta(days=until + count - 1 - number)).isoformat(),
                slot=number + 1,
                block_time=desk.now,
                previous=made[-1].hash if made else NO_PREVIOUS,
                securities=(),
            )
        )
    return made


async def plan_of(desk: ReportingDesk, closes: list[DailyClose], by: str = "publisher") -> Plan:
    return await plan_anchor_days(desk.chain, closes, payer=desk["payer"], issuer=desk.issuer, publisher=desk[by])


async def issuer_of(desk: ReportingDesk) -> Issuer:
    return await require(desk.chain, Issuer, desk.issuer)


async def test_closes_are_anchored_in_order_and_once(desk: ReportingDesk) -> None:
    closes = make_closes(desk, AT_ONCE + 3, until=1)
    plan = await plan_of(desk, closes)
    assert len(plan.actions) == 2
    await desk.run(plan)
    issuer = await issuer_of(desk)
    assert (issuer.days, issuer.days_hash) == (AT_ONCE + 3, days_hash_of(closes))
    before = desk.chain.ledger.transaction_count
    again = await plan_of(desk, closes)
    assert (again.is_empty, desk.chain.ledger.transaction_count) == (True, before)


async def test_a_plan_stopped_halfway_is_carried_on(desk: ReportingDesk) -> None:
    closes = make_closes(desk, AT_ONCE + 3, until=1)
    plan = await plan_of(desk, closes)
    await desk.run(replace(plan, actions=plan.actions[:1]))
    [rest] = (await plan_of(desk, closes)).actions
    assert len(rest.instructions) == 3
    await desk.run(await plan_of(desk, closes))
    assert (await issuer_of(desk)).days_hash == days_hash_of(closes)


async def test_a_day_that_has_not_ended_waits(desk: ReportingDesk) -> None:
    closes = make_closes(desk, 2)
    plan = await plan_of(desk, closes)
    assert [len(action.instructions) for action in plan.actions] == [1]
    assert "has not ended yet" in plan.notes[0]
    await desk.run(plan)
    assert (await issuer_of(desk)).days_hash == days_hash_of(closes[:1])
    desk.warp(DAY)
    await desk.run(await plan_of(desk, closes))
    assert (await issuer_of(desk)).days_hash == days_hash_of(closes)


@pytest.mark.parametrize("left_out", [(0,), (0, 1, 2), (2,), (1, 3), (0, 1, 4)])
async def test_a_day_left_out_stays_out(desk: ReportingDesk, left_out: tuple[int, ...]) -> None:
    closes = make_closes(desk, 7, until=1)
    chosen = [close for place, close in enumerate(closes[:6]) if place not in left_out]
    await desk.run(await plan_of(desk, chosen))
    assert anchored_closes(await issuer_of(desk), closes) == tuple(chosen)
    plan = await plan_of(desk, closes)
    assert [len(action.instructions) for action in plan.actions] == [1]
    await desk.run(plan)
    assert (await issuer_of(desk)).days_hash == days_hash_of([*chosen, closes[6]])


@pytest.mark.parametrize(
    "damage",
    [
        lambda closes: [replace(closes[0], slot=9), *closes[1:]],
        lambda closes: closes[1:],
        lambda closes: [],
    ],
    ids=["changed", "missing", "none"],
)
async def test_closes_that_do_not_give_the_chains_hash_are_refused(
    desk: ReportingDesk, damage: Callable[[list[DailyClose]], list[DailyClose]]
) -> None:
    closes = make_closes(desk, 3, until=1)
    await desk.run(await plan_of(desk, closes))
    before = desk.chain.ledger.transaction_count
    with pytest.raises(LedgerError, match="do not give the running hash of the 3 days"):
        await plan_of(desk, damage(closes))
    assert desk.chain.ledger.transaction_count == before


async def test_only_a_publisher_anchors(desk: ReportingDesk) -> None:
    with pytest.raises(Refused, match="is no publisher"):
        await plan_of(desk, make_closes(desk, 1, until=1), by="operator")


async def test_a_close_of_a_slot_to_come_is_of_another_cluster(desk: ReportingDesk) -> None:
    [close] = make_closes(desk, 1, until=1)
    with pytest.raises(Refused, match="this cluster is at slot"):
        await plan_of(desk, [replace(close, slot=2**40)])


async def test_a_gather_tells_the_days_closed_and_the_draw(desk: ReportingDesk) -> None:
    closes = make_closes(desk, 5, until=1)
    await desk.run(await plan_of(desk, closes))
    moment = desk.moment
    await month_over(desk, closes)
    drawn = await draw(desk)
    facts = await desk.gather(moment)
    assert [each.close_hash for each in facts.closed_days][:5] == [close.hash for close in closes]
    assert [each.day for each in facts.closed_days][:5] == [day_number(close.day) for close in closes]
    assert facts.days_hash == (await issuer_of(desk)).days_hash
    assert facts.draw is not None
    assert (facts.draw.drawn_day, facts.draw.slot_hash) == (drawn.drawn_day, drawn.slot_hash)


async def test_a_gather_tells_every_publication_oldest_first(desk: ReportingDesk) -> None:
    moment = desk.moment
    await month_over(desk)
    previous: Pubkey | None = None
    made: list[Pubkey] = []
    for version in (1, 2, 3):
        params = PublishReportParams(
            PERIOD, version, bytes([version] * 32), encode_text("https://example.com/r.json", 200), moment.slot
        )
        call = instructions.publish_report(
            publisher=desk["publisher"],
            role=role_address(desk.issuer, RoleKind.PUBLISHER, desk["publisher"]),
            issuer=desk.issuer,
            payer=desk["payer"],
            previous=previous,
            corrects=previous,
            params=params,
        )
        action = new_action(f"publish:{version}", "publish", call, desk["payer"], (desk["publisher"], "publisher"))
        await desk.run(Plan("publish", (action,)))
        previous = report_address(desk.issuer, PERIOD, version)
        made.append(previous)
    found = (await desk.gather(moment)).publications
    assert [each.address for each in found] == [bytes(each) for each in made]
    assert [each.previous for each in found] == [bytes(32), *(bytes(each) for each in made[:2])]
    assert [each.hash for each in found] == [bytes([version] * 32) for version in (1, 2, 3)]
    assert {(each.period, each.uri, each.as_of_slot) for each in found} == {
        (PERIOD, "https://example.com/r.json", moment.slot)
    }


# The draw ------------------------------------------------------------------------------------------------------------


async def month_over(desk: ReportingDesk, closes: list[DailyClose] | None = None) -> None:
    """A later day than the month's last is closed."""
    known = closes or []
    last = (first_day(PERIOD) + days_in(PERIOD)) * DAY
    desk.warp(max(last + DAY - desk.now + 5, 1))
    [close] = make_closes(desk, 1, until=1)
    previous = known[-1].hash if known else NO_PREVIOUS
    await desk.run(await plan_of(desk, [*known, replace(close, slot=50, previous=previous)]))


async def draw(desk: ReportingDesk, on_wait: Callable[[int], None] | None = None, attempts: int = 5) -> DayDraw:
    async def carry_out(plan: Plan) -> None:
        await desk.run(plan)

    return await draw_period(
        desk.chain,
        desk.clock,
        carry_out,
        payer=desk["payer"],
        issuer=desk.issuer,
        publisher=desk["publisher"],
        period=PERIOD,
        on_wait=on_wait,
        attempts=attempts,
    )


async def plan_request(desk: ReportingDesk, period: int = PERIOD) -> Plan:
    return await plan_request_draw(
        desk.chain, payer=desk["payer"], issuer=desk.issuer, publisher=desk["publisher"], period=period
    )


async def plan_draw(desk: ReportingDesk) -> Plan:
    return await plan_draw_day(desk.chain, payer=desk["stranger"], issuer=desk.issuer, period=PERIOD)


async def test_a_day_is_requested_waited_for_and_drawn(desk: ReportingDesk) -> None:
    await month_over(desk)
    waited: list[int] = []
    drawn = await draw(desk, waited.append)
    assert drawn.drawn_slot == drawn.target_slot
    assert drawn.drawn_day == drawn_day(bytes(desk.issuer), PERIOD, drawn.slot_hash)
    assert (drawn.attempts, max(waited) > 30) == (1, True)
    before = desk.chain.ledger.transaction_count
    assert await draw(desk) == drawn
    assert (await plan_request(desk)).is_empty
    assert desk.chain.ledger.transaction_count == before


async def test_a_draw_that_was_missed_is_requested_anew_and_counted(desk: ReportingDesk) -> None:
    await month_over(desk)
    await desk.run(await plan_request(desk))
    desk.warp(600)
    assert (await read_draw(desk.chain, desk.issuer, PERIOD)).state is DrawState.MISSED
    with pytest.raises(Refused, match="no longer has the hash"):
        await plan_draw(desk)
    assert (await draw(desk)).attempts == 2


async def test_a_draw_missed_every_time_is_given_up_in_words(desk: ReportingDesk) -> None:
    await month_over(desk)
    with pytest.raises(Refused, match="requested 2 times, and each was missed"):
        await draw(desk, lambda _: desk.warp(600), attempts=2)


async def test_a_run_that_was_interrupted_goes_on_where_it_was(desk: ReportingDesk) -> None:
    await month_over(desk)
    await desk.run(await plan_request(desk))
    drawn = await draw(desk)
    assert drawn.attempts == 1


async def test_somebody_else_may_have_drawn(desk: ReportingDesk) -> None:
    await month_over(desk)
    desk.chain.ledger.airdrop(desk["stranger"], 10**9)

    async def carry_out(plan: Plan) -> None:
        if plan.title.startswith("Draw"):
            elsewhere = desk.new_sender(desk.chain, MemoryOutbox())
            await execute(await plan_draw(desk), elsewhere, desk.signers)
        await desk.run(plan)

    drawn = await draw_period(
        desk.chain,
        desk.clock,
        carry_out,
        payer=desk["payer"],
        issuer=desk.issuer,
        publisher=desk["publisher"],
        period=PERIOD,
    )
    assert drawn.attempts == 1
    assert drawn.drawn_day > 0


async def test_a_draw_waits_for_the_month_and_for_its_days(desk: ReportingDesk) -> None:
    with pytest.raises(Refused, match="ends on 2026-10-01T00:00:00Z"):
        await plan_request(desk)
    desk.warp(2 * DAY)
    with pytest.raises(Refused, match="can still be closed on chain: none is closed there yet"):
        await plan_request(desk)
    with pytest.raises(Refused, match="was not requested"):
        await plan_draw(desk)


async def test_a_draw_too_early_says_when(desk: ReportingDesk) -> None:
    await month_over(desk)
    await desk.run(await plan_request(desk))
    with pytest.raises(Refused, match="decides, and this is slot"):
        await plan_draw(desk)
    assert (await plan_request(desk)).is_empty


@pytest.mark.parametrize(("text", "period"), [("2026-10", 202610), ("1970-01", 197001), ("9999-11", 999911)])
def test_a_month_is_read_and_written(text: str, period: int) -> None:
    assert parse_period(text) == period
    assert period_text(period) == text


@pytest.mark.parametrize(
    "text", ["", "202610", "2026-1", "2026-13", "2026-00", "26-10", "1969-12", "9999-12", "2026-10-01", "+026-10"]
)
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_period(text)
