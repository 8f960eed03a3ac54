"""The register at a record date on every cluster: waited for, taken whole, and heard from two endpoints."""

from __future__ import annotations

from dataclasses import replace

from live_actions import NO_TERMS, appoint
from live_cluster import Live
from live_issuer import DAY, ONE, Desk, Share
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tallystick.adapters.chain.rpc import RpcChain
from tallystick.adapters.clock import SystemClock
from tallystick.adapters.store.registers import MemoryRegisterStore
from tallystick.domain.dividends import HolderClass
from tallystick.domain.record_register import Position
from tallystick.program.generated.types import ActionKind
from tallystick.services.record_register import take_register, wait_for_record_date

AHEAD = 15
"""Seconds from announcing to the record date."""


async def test_a_register_is_taken_once_its_moment_has_come(live: Live, desk: Desk) -> None:
    share = await Share(desk).do_list(live, 100 * ONE)
    actors = await appoint(live, share)
    first, second = Keypair(), Keypair()
    await desk.do_approve(live, first, second)
    await share.do_subscribe(live, first, 10 * ONE)
    await share.do_subscribe(live, second, 5 * ONE)
    await share.do_request(live, first, 4 * ONE)
    record_at = await live.now() + AHEAD
    terms = replace(
        NO_TERMS,
        ex_at=record_at,
        record_at=record_at,
        pay_at=record_at + DAY,
        gross_per_share=10**17,
        currency=b"USD",
    )
    await actors.carry_out(live, await actors.plan_announce(live, "CA-1", ActionKind.CASH_DIVIDEND, terms))
    action, clock, store = actors.at("CA-1"), SystemClock(), MemoryRegisterStore()
    waited: list[int] = []
    assert await wait_for_record_date(live.chain, action, clock, waited.append) >= record_at
    assert waited
    url = live.cluster.url
    async with RpcChain([url], clock) as chain, RpcChain([f"{url}/"], clock) as witness:
        taken = await take_register(
            chain, share.address, action, [second.pubkey()], store, clock, witnesses=[witness], attempts=12
        )
        again = await take_register(chain, share.address, action, [], store, clock)
    register = taken.register
    expected = [
        Position(bytes(first.pubkey()), 10 * ONE, HolderClass.WALLET, escrowed_raw=4 * ONE),
        Position(bytes(second.pubkey()), 5 * ONE, HolderClass.INVENTORY),
    ]
    assert list(register.positions) == sorted(expected, key=lambda each: each.owner)
    assert (register.supply, register.witnesses, register.multiplier) == (15 * ONE, 2, 10**18)
    assert 0 <= register.block_time - register.record_at < 600
    assert register.mint == bytes(share.mint)
    assert Pubkey.from_bytes(register.security) == share.address
    assert (again.is_new, again.hash) == (False, taken.hash)
