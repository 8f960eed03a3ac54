"""A report's facts are read from a live cluster as they were at a finalized slot, on both clusters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from live_cluster import Live
from live_issuer import ONE, Movement
from live_opening import open_issuer
from solders.keypair import Keypair
from tallystick.domain.reserve_report.facts import Moment, OrderOutcome, ReportFacts
from tallystick.program.token import transfer_checked
from tallystick.services.books import IssuerBooks, read_books
from tallystick.services.report_facts import gather_facts

NEAR = 300
"""Seconds before a month's end from which on it is near: longer than this test takes."""


async def pass_months_end(live: Live) -> None:
    """Where the month's end is near, let it pass: without an earlier close a report tells nothing from before it."""
    now = datetime.fromtimestamp(await live.now(), UTC)
    end = (now.replace(day=1) + timedelta(days=32)).replace(day=1, hour=0, minute=0, second=0)
    if end - now < timedelta(seconds=NEAR):
        await live.until(int(end.timestamp()))


async def finalized(live: Live) -> None:
    """Return when all that is confirmed now is finalized."""
    slot = await live.chain.get_slot("confirmed")
    while await live.chain.get_slot("finalized") < slot:
        await live.clock.sleep(0.2)


async def moment_of(live: Live, books: IssuerBooks) -> Moment:
    """The end of the books' slot."""
    time = await live.chain.get_block_time(books.slot)
    assert time is not None
    return Moment(books.slot, time)


async def test_facts_of_a_finalized_slot_stay_what_they_were(live: Live) -> None:
    await pass_months_end(live)
    opened = await open_issuer(live.cluster)
    desk, share, wallets = opened.desk, opened.share, opened.wallets
    live = Live(live.cluster, live.chain, desk.payer)

    async def gather(moment: Moment) -> ReportFacts:
        month = datetime.fromtimestamp(moment.time, UTC)
        period = month.year * 100 + month.month
        return await gather_facts(live.chain, desk.address, period, moment, [moment], live.clock)

    async def move(source: Keypair, destination: Keypair, raw: int) -> None:
        transfer = transfer_checked(
            source=share.tokens(source),
            mint=share.mint,
            destination=share.tokens(destination),
            authority=source.pubkey(),
            amount=raw,
            decimals=6,
        )
        await live.send([share.create_tokens(destination), transfer], source)

    await share.do_subscribe(live, wallets[0], 5 * ONE)
    await share.do_subscribe(live, wallets[1], 3 * ONE)
    order = await share.do_request(live, wallets[0], 2 * ONE, accept=True)
    await live.send(*share.settle_redemption(order, Movement(ONE), ONE))
    await move(wallets[1], wallets[2], ONE)
    await finalized(live)
    books = await read_books(live.chain, desk.address, live.clock)
    moment = await moment_of(live, books)
    then = await gather(moment)
    [book], [security] = books.securities, then.securities
    assert then.unserved == frozenset()
    assert (security.as_of.minted, security.as_of.burnt, security.as_of.escrow) == (8 * ONE, ONE, ONE)
    assert security.register is not None
    assert security.register.root == book.holders.register.root
    assert sorted(each.outcome for each in security.orders) == [
        OrderOutcome.OPEN,
        OrderOutcome.SETTLED,
        OrderOutcome.SETTLED,
    ]
    assert {"IssuerInitialized", "RoleGranted", "SecurityListed", "LimitSet"} <= {each.event for each in then.log}

    await live.send(*share.settle_redemption(order, Movement(ONE), ONE))
    await share.do_subscribe(live, wallets[2], 4 * ONE)
    await move(wallets[0], wallets[1], 2 * ONE)
    await finalized(live)
    assert await gather(moment) == then
    later = await gather(await moment_of(live, await read_books(live.chain, desk.address, live.clock)))
    assert later.securities[0].as_of.supply == 10 * ONE
