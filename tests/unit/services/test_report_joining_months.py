"""Months that follow one another tell everything once, wherever one ends, within a second in which much happens too."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from reporting_desk import PERIOD, ReportingDesk
from tallystick.domain.reserve_report.facts import Moment, OrderOutcome, ReportFacts, SecurityFacts
from tallystick.services.report_facts import gather_facts
from test_report_facts import half_a_month, much_more
from test_report_random_months import RandomMonth


@dataclass(frozen=True, slots=True)
class World:
    """A cluster on which everything happened, and the end of every slot of it from the issuer's first second on."""

    desk: ReportingDesk
    moments: Sequence[Moment]

    async def gather(self, opening: Moment | None, as_of: Moment) -> ReportFacts:
        desk = self.desk
        return await gather_facts(desk.chain, desk.issuer, PERIOD, as_of, [as_of], desk.clock, opening=opening)

    async def months(self, *ends: Moment) -> list[ReportFacts]:
        """From the calendar's first second to the first end, and from each end to the next."""
        return [await self.gather(opening, as_of) for opening, as_of in pairwise((None, *ends)) if as_of]


async def everything() -> World:
    desk = ReportingDesk()
    record = await half_a_month(desk)
    await much_more(desk, record)
    await desk.freeze("bob")
    await desk.thaw("bob")
    ledger = desk.chain.ledger
    slots = {each.slot for address in (desk.issuer, desk.security, desk.mint) for each in ledger.history(address)}
    listed = min(each.slot for each in ledger.history(desk.security))
    moments = [Moment(slot, ledger.block_time(slot) or 0) for slot in sorted(slots) if slot >= listed]
    return World(desk, moments)


@pytest.fixture(scope="module")
def world() -> World:
    return asyncio.run(everything())


LISTS = ("movements", "orders", "attestations", "actions", "distributions", "holds", "seizures")
"""Of what may last longer than a month: a month tells what changed in it."""


def told(security: SecurityFacts, name: str) -> set[Any]:
    """One of these lists, whichever month tells it."""
    found = getattr(security, name)
    return {replace(each, is_carried=False) for each in found} if name == "orders" else set(found)


def require_joined(months: Sequence[ReportFacts], wholes: Sequence[ReportFacts]) -> None:
    """That the months are the whole, each part of it in one of them. `wholes` are from the first month's begin to the
    end of each."""
    assert all(each.unserved == frozenset() for each in (*months, *wholes))
    assert [entry for month in months for entry in month.log] == list(wholes[-1].log)
    parts = [one for each in months for one in each.securities]
    until = [one for each in wholes for one in each.securities]
    found = until[-1]
    fills = [fill for each in parts for fill in each.fills]
    assert sorted(fills, key=lambda each: (each.settled_at, each.address)) == list(found.fills)
    opened = [order.address for each in parts for order in each.orders if not order.is_carried]
    assert sorted(opened) == sorted(each.address for each in found.orders)
    ended = [order.address for each in parts for order in each.orders if order.outcome is not OrderOutcome.OPEN]
    assert sorted(ended) == sorted(each.address for each in found.orders if each.outcome is not OrderOutcome.OPEN)
    for place, (before, after) in enumerate(pairwise(parts)):
        assert after.opening == before.as_of
        still_open = {each.address for each in before.orders if each.outcome is OrderOutcome.OPEN}
        assert {each.address for each in after.orders if each.is_carried} == still_open
        in_force = before.attestations[-1:]
        assert after.attestations[: len(in_force)] == in_force
        for name in LISTS:
            told_before, told_by_then = told(until[place], name), told(until[place + 1], name)
            assert told_by_then - told_before <= told(after, name) <= told_by_then, name
        assert {each.address for each in before.holds if not each.released_at} <= {each.address for each in after.holds}
        paying = {each.address for each in before.distributions if not each.closed_at}
        assert paying <= {each.address for each in after.distributions}
        assert not {each.address for each in before.holds if each.released_at} & {each.address for each in after.holds}
    assert [each.roles for each in months] == [each.roles for each in wholes]


async def test_two_months_are_the_whole_wherever_the_first_ends(world: World) -> None:
    last = world.moments[-1]
    whole = await world.gather(None, last)
    for end in world.moments[:-1]:
        first, second = await world.months(end, last)
        require_joined([first, second], [first, whole])


async def test_three_months_are_the_whole_wherever_they_end(world: World) -> None:
    random = Random(7)
    last = world.moments[-1]
    whole = await world.gather(None, last)
    for _ in range(25):
        begin, end = sorted(random.sample(world.moments[:-1], 2), key=lambda moment: moment.slot)
        months = await world.months(begin, end, last)
        require_joined(months, [months[0], await world.gather(None, end), whole])


async def test_most_of_it_happens_in_the_seconds_of_these_ends(world: World) -> None:
    times = Counter(moment.time for moment in world.moments)
    assert max(times.values()) > 10
    assert sum(count > 1 for count in times.values()) > 5


@pytest.mark.parametrize("seed", range(100, 103))
async def test_months_of_random_steps_are_the_whole(seed: int) -> None:
    month = RandomMonth(seed)
    await month.run()
    world = World(month.desk, [each.moment for each in month.recorded])
    last = world.moments[-1]
    whole = await world.gather(None, last)
    for _ in range(12):
        begin, end = sorted(month.random.sample(world.moments[:-1], 2), key=lambda moment: moment.slot)
        months = await world.months(begin, end, last)
        require_joined(months, [months[0], await world.gather(None, end), whole])
