"""Closed days, the drawn day and published reports: what they keep, and what nobody can choose or change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from chain_in_process import SLOT_HASHES, START_SLOT, digest, slot_hash
from reports import DRAW_SLOTS, LAST_DAY, PERIOD, PERIOD_BEFORE, Reports, last_midnight
from solders.pubkey import Pubkey
from tallystick.domain.closes import NO_PREVIOUS, DailyClose
from tallystick.domain.report_anchors import (
    NO_DAYS,
    day_number,
    day_text,
    days_hash,
    days_hash_of,
    days_in,
    drawn_day,
    first_day,
)
from tallystick.program.generated import accounts, events
from tallystick.program.text import encode_text
from world import DAY, World

NOBODY = Pubkey.default()
RECORD = 512


# Closed days ---------------------------------------------------------------------------------------------------------


def test_close_day_extends_the_running_hash() -> None:
    world = World.fresh()
    chain, alpha, reports = world.chain, world.alpha, Reports(world.alpha)
    day = last_midnight(chain) - 1
    receipt = chain.send(reports.close_day(day, digest("close"), START_SLOT - 5))
    expected = days_hash(NO_DAYS, day, digest("close"), START_SLOT - 5)
    assert receipt.events == (
        events.DayClosed(
            alpha.address, day, digest("close"), START_SLOT - 5, NO_DAYS, expected, 1, reports.publisher, chain.now
        ),
    )
    assert (alpha.state.days_hash, alpha.state.days, alpha.state.last_day) == (expected, 1, day)


def test_the_running_hash_follows_from_the_daily_closes() -> None:
    world = World.fresh()
    chain, issuer = world.chain, bytes(world.alpha.address)
    closes: list[DailyClose] = []
    for day, slot in (("2026-12-30", 7), ("2026-12-31", 8), ("2027-01-04", 9)):
        previous = closes[-1].hash if closes else NO_PREVIOUS
        moment = day_number(day) * DAY
        closes.append(DailyClose(issuer, "cluster", digest("program"), day, slot, moment, previous, ()))
        chain.send(Reports(world.alpha).close_day(day_number(day), closes[-1].hash, slot))
    assert world.alpha.state.days_hash == days_hash_of(closes)
    assert day_text(world.alpha.state.last_day) == "2027-01-04"


def test_a_day_is_closed_from_its_last_midnight_on() -> None:
    world = World.fresh()
    today = last_midnight(world.chain)
    world.chain.set_time((today + 1) * DAY)
    assert world.chain.send(Reports(world.alpha).close_day(today)).events


def test_another_issuers_days_are_its_own() -> None:
    world = World.fresh()
    world.chain.send(Reports(world.alpha).close_day())
    assert (world.omega.state.days, world.omega.state.days_hash) == (0, NO_DAYS)


# The drawn day -------------------------------------------------------------------------------------------------------


def test_request_draw_names_a_slot_to_come() -> None:
    world = World.fresh()
    chain, alpha, reports = world.chain, world.alpha, Reports(world.alpha)
    chain.send(reports.close_day(LAST_DAY))
    receipt = chain.send(reports.request_draw())
    target, hashed = START_SLOT + DRAW_SLOTS, alpha.state.days_hash
    assert receipt.events == (
        events.DrawRequested(alpha.address, reports.draw(), PERIOD, 1, target, hashed, reports.publisher),
    )
    state = reports.drawn()
    assert (state.issuer, state.period, state.attempts, state.target_slot) == (alpha.address, PERIOD, 1, target)
    assert (state.requested_by, state.requested_at, state.days_hash) == (reports.publisher, chain.now, hashed)
    assert (state.drawn_day, state.drawn_slot, state.drawn_at) == (0, 0, 0)


@pytest.mark.parametrize("late", [1, 100, RECORD])
def test_draw_day_gives_the_same_day_however_late_it_is_asked(late: int) -> None:
    world = World.fresh()
    chain, alpha, reports = world.chain, world.alpha, Reports(world.alpha)
    reports.do_request()
    target = START_SLOT + DRAW_SLOTS
    chain.set_slot(target + late)
    receipt = chain.send(reports.draw_day())
    day = drawn_day(bytes(alpha.address), PERIOD, slot_hash(target))
    assert receipt.events == (
        events.DayDrawn(alpha.address, reports.draw(), PERIOD, 1, target, slot_hash(target), day),
    )
    state = reports.drawn()
    assert (state.drawn_day, state.drawn_slot, state.slot_hash, state.drawn_at) == (
        day, target, slot_hash(target), chain.now,
    )  # fmt: skip


@pytest.mark.parametrize("late", [6, 100, RECORD])
def test_a_skipped_target_gives_way_to_the_next_slot_however_late_it_is_asked(late: int) -> None:
    world = World.fresh()
    reports = Reports(world.alpha)
    reports.do_request()
    target = START_SLOT + DRAW_SLOTS
    world.chain.set_slot(target + late, skipped=range(target - 3, target + 5))
    world.chain.send(reports.draw_day())
    assert reports.drawn().drawn_slot == target + 5


def test_the_last_slots_that_are_all_skipped_draw_nothing_yet() -> None:
    world = World.fresh()
    reports = Reports(world.alpha)
    reports.do_request()
    target = START_SLOT + DRAW_SLOTS
    world.chain.set_slot(target + 3, skipped=range(target, target + 3))
    world.chain.refuse("DrawTooEarly", reports.draw_day())


def test_nobody_chooses_a_slot_by_letting_the_target_go_by() -> None:
    world = World.fresh()
    chain, reports = world.chain, Reports(world.alpha)
    reports.do_request()
    chain.set_slot(START_SLOT + DRAW_SLOTS + RECORD + 1)
    chain.refuse("DrawMissed", reports.draw_day())
    receipt = chain.send(reports.request_draw())
    again = next(each for each in receipt.events if isinstance(each, events.DrawRequested))
    assert (again.attempts, again.target_slot) == (2, chain.slot + DRAW_SLOTS)
    chain.set_slot(again.target_slot + 1)
    drawn = next(each for each in chain.send(reports.draw_day()).events if isinstance(each, events.DayDrawn))
    assert (drawn.attempts, drawn.drawn_slot) == (2, again.target_slot)


def test_a_young_chain_has_lost_no_slot() -> None:
    world = World.fresh()
    chain, reports = world.chain, Reports(world.alpha)
    chain.set_slot(10)
    reports.chain.send(reports.close_day(LAST_DAY))
    chain.send(reports.request_draw())
    chain.set_slot(500, skipped=range(10, 100))
    chain.send(reports.draw_day())
    assert reports.drawn().drawn_slot == 100


def test_no_day_of_the_period_is_closed_after_the_request() -> None:
    world = World.fresh()
    chain, reports = world.chain, Reports(world.alpha)
    reports.do_request()
    for day in range(first_day(PERIOD), first_day(PERIOD) + days_in(PERIOD)):
        chain.refuse("DayNotLater", reports.close_day(day))


def test_two_periods_are_drawn_apart() -> None:
    world = World.fresh()
    reports = Reports(world.alpha)
    for period in (PERIOD_BEFORE, PERIOD):
        reports.do_draw(period)
    assert reports.drawn(PERIOD).target_slot > reports.drawn(PERIOD_BEFORE).drawn_slot
    assert 1 <= reports.drawn(PERIOD_BEFORE).drawn_day <= 30


def test_the_record_is_the_chains() -> None:
    world = World.fresh()
    account = world.chain.find(SLOT_HASHES)
    assert account is not None
    assert len(account.data) == 20_488
    assert world.chain.svm.get_slot_hashes()[0][0] == START_SLOT - 1


# Reports -------------------------------------------------------------------------------------------------------------


def test_publish_report_keeps_what_the_report_is() -> None:
    world = World.fresh()
    chain, alpha, reports = world.chain, world.alpha, Reports(world.alpha)
    chain.send(reports.close_day(LAST_DAY))
    receipt = chain.send(reports.publish_report(as_of_slot=START_SLOT - 9))
    address, hashed, days = reports.report(), digest(f"report {PERIOD} 1"), alpha.state.days_hash
    assert receipt.events == (
        events.ReportPublished(
            alpha.address, address, PERIOD, 1, hashed, START_SLOT - 9, NOBODY, bytes(32), NOBODY, days,
            reports.publisher,
        ),
    )  # fmt: skip
    state = reports.published()
    assert replace(state, bump=0) == accounts.ReserveReport(
        version=1, bump=0, issuer=alpha.address, period=PERIOD, report_version=1, hash=hashed,
        uri=encode_text(f"https://example.com/{PERIOD}.1.json", 200), as_of_slot=START_SLOT - 9, previous=NOBODY,
        previous_hash=bytes(32), corrects=NOBODY, days_hash=days, published_by=reports.publisher,
        published_at=chain.now, reserved=bytes(64),
    )  # fmt: skip
    issuer = alpha.state
    assert (issuer.last_report, issuer.last_report_hash, issuer.last_period) == (address, hashed, PERIOD)


def test_publications_name_the_one_before_and_corrections_the_version_before() -> None:
    world = World.fresh()
    chain, reports = world.chain, Reports(world.alpha)
    reports.do_publish(PERIOD_BEFORE, PERIOD)
    chain.send(reports.publish_report(PERIOD_BEFORE, 2, reports.report(PERIOD_BEFORE)))
    chain.send(reports.publish_report(PERIOD_BEFORE, 3, reports.report(PERIOD_BEFORE, 2)))
    found = [
        (each.previous, each.previous_hash, each.corrects)
        for each in (
            reports.published(PERIOD),
            reports.published(PERIOD_BEFORE, 2),
            reports.published(PERIOD_BEFORE, 3),
        )
    ]
    first, second, third = reports.report(PERIOD_BEFORE), reports.report(PERIOD), reports.report(PERIOD_BEFORE, 2)
    assert found == [
        (first, digest(f"report {PERIOD_BEFORE} 1"), NOBODY),
        (second, digest(f"report {PERIOD} 1"), first),
        (third, digest(f"report {PERIOD_BEFORE} 2"), third),
    ]
    issuer = world.alpha.state
    assert (issuer.last_report, issuer.last_period) == (reports.report(PERIOD_BEFORE, 3), PERIOD)


def test_a_version_is_published_once() -> None:
    world = World.fresh()
    chain, reports = world.chain, Reports(world.alpha)
    reports.do_publish(PERIOD)
    chain.refuse("system:0", reports.publish_report(hash=digest("another")))
    chain.send(reports.publish_report(version=2, corrects=reports.report()))
    chain.refuse("system:0", reports.publish_report(version=2, corrects=reports.report()))


def test_of_two_publications_at_once_one_is_refused() -> None:
    world = World.fresh()
    chain, reports = world.chain, Reports(world.alpha)
    reports.do_publish(PERIOD_BEFORE)
    one, two = reports.publish_report(), reports.publish_report(PERIOD_BEFORE, 2, reports.report(PERIOD_BEFORE))
    chain.send(one)
    chain.refuse("NotLastReport", two)


def test_a_month_is_published_from_its_last_midnight_on() -> None:
    world = World.fresh()
    world.chain.set_time(int(datetime(2027, 2, 1, tzinfo=UTC).timestamp()))
    assert world.chain.send(Reports(world.alpha).publish_report(202701)).events
