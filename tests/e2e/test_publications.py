"""Days are closed, a day is drawn by a slot that nobody knew, and reports are published, on both clusters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from live_cluster import SLOT_HASHES, Live
from live_issuer import DAY, Desk, Signed, digest
from live_opening import Opened
from solders.pubkey import Pubkey
from tallystick.domain.report_anchors import NO_DAYS, days_hash, drawn_day
from tallystick.program import addresses
from tallystick.program.generated import accounts, errors, events, instructions, types
from tallystick.program.generated.types import RoleKind
from tallystick.program.text import encode_text

SECONDS_TO_TARGET = 14
"""32 slots of 400 ms, and one more in which the hash is known."""


def acting(desk: Desk) -> dict[str, Pubkey]:
    """The publisher's accounts."""
    publisher = desk.publisher
    return {
        "publisher": publisher.pubkey(),
        "role": desk.role(RoleKind.PUBLISHER, publisher),
        "issuer": desk.address,
    }


def close(desk: Desk, day: int, slot: int) -> Signed:
    """Close a day."""
    params = types.CloseDayParams(day, digest(f"close of {day}"), slot)
    return instructions.close_day(**acting(desk), params=params), desk.publisher


def request(desk: Desk, period: int) -> Signed:
    """Ask for a period's day."""
    params = types.RequestDrawParams(period)
    return instructions.request_draw(**acting(desk), payer=desk.payer.pubkey(), params=params), desk.publisher


def publish(
    desk: Desk, period: int, version: int, slot: int, previous: Pubkey | None = None, corrects: Pubkey | None = None
) -> Signed:
    """Publish a version of a report."""
    params = types.PublishReportParams(
        period, version, digest(f"report {version}"), encode_text("https://example.com/report.json", 200), slot
    )
    return instructions.publish_report(
        **acting(desk), payer=desk.payer.pubkey(), previous=previous, corrects=corrects, params=params
    ), desk.publisher


def last_period(now: int) -> int:
    """The month before this one."""
    before = datetime.fromtimestamp(now, UTC).replace(day=1) - timedelta(days=1)
    return before.year * 100 + before.month


async def recorded(live: Live) -> dict[int, bytes]:
    """The hashes that the cluster remembers, by slot."""
    account = await live.chain.get_account(SLOT_HASHES)
    assert account is not None
    count = int.from_bytes(account.data[:8], "little")
    entries = [account.data[8 + 40 * place :][:40] for place in range(count)]
    return {int.from_bytes(entry[:8], "little"): entry[8:] for entry in entries}


async def test_a_month_is_closed_drawn_and_published(live: Live, opened: Opened) -> None:
    desk = opened.desk
    now, slot = await live.now(), await live.chain.get_slot()
    yesterday, period = now // DAY - 1, last_period(now)
    draw = addresses.draw_address(desk.address, period)

    closed = await live.land(*close(desk, yesterday, slot))
    expected = days_hash(NO_DAYS, yesterday, digest(f"close of {yesterday}"), slot)
    assert [each.days_hash for each in closed.events if isinstance(each, events.DayClosed)] == [expected]
    await live.refuse(errors.DayNotEnded, *close(desk, now // DAY + 1, slot))

    await live.land(*request(desk, period))
    target = (await live.read(accounts.DayDraw, draw)).target_slot
    await live.refuse(errors.DrawTooEarly, instructions.draw_day(draw=draw))
    await live.refuse(errors.DrawPending, *request(desk, period))
    await live.until(await live.now() + SECONDS_TO_TARGET)
    while await live.chain.get_slot() <= target:
        await live.clock.sleep(0.2)
    await live.land(instructions.draw_day(draw=draw))
    drawn, hashes = await live.read(accounts.DayDraw, draw), await recorded(live)
    assert drawn.drawn_slot == min(each for each in hashes if each >= target)
    assert drawn.slot_hash == hashes[drawn.drawn_slot]
    assert drawn.drawn_day == drawn_day(bytes(desk.address), period, drawn.slot_hash)
    await live.refuse(errors.DrawFinal, instructions.draw_day(draw=draw))

    first, second = (addresses.report_address(desk.address, period, version) for version in (1, 2))
    await live.land(*publish(desk, period, 1, slot))
    await live.land(*publish(desk, period, 2, slot, previous=first, corrects=first))
    report = await live.read(accounts.ReserveReport, second)
    assert (report.previous, report.corrects, report.previous_hash) == (first, first, digest("report 1"))
    assert report.days_hash == expected
    await live.refuse(errors.NotLastReport, *publish(desk, period, 3, slot, previous=first, corrects=second))
