"""A push over JSON-RPC with everything in a store on disk, as `tally dividend push` does it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pushing_desk import SETTINGS, SOL, PushingDesk
from tallystick.adapters.chain.rpc import RpcChain, RpcLimits
from tallystick.adapters.clock import SystemClock
from tallystick.adapters.store.store import open_store
from tallystick.localnet import LocalnetServer
from tallystick.services.payout_report import LeftReason, Share


async def test_a_push_over_two_endpoints_at_a_rate_and_its_rerun(tmp_path: Path) -> None:
    clock = SystemClock()
    desk = PushingDesk(count=12, size=5, clock=clock)
    for number in (3, 11):
        desk.close_account(number)
    rent = desk.ledger.minimum_balance(165)
    settings = replace(SETTINGS, poll_every=0.01, rent_cap=rent)
    limits = RpcLimits(requests_per_second=500)
    with LocalnetServer(desk.ledger, port=0) as one, LocalnetServer(desk.ledger, port=0) as other:
        async with (
            await open_store(f"sqlite:///{tmp_path / 'store.db'}") as store,
            RpcChain([one.url, other.url], clock, limits=limits) as chain,
        ):
            desk.store, desk.outbox = store.payouts, store.outbox
            await desk.planned()
            report = await desk.push(chain=chain, settings=settings)
            assert (report.stopped, report.is_complete) == ("", True)
            assert report.left == {LeftReason.MISSING: Share(1, 1_011)}
            assert (report.rent, report.accounts_opened) == (rent, 1)
            again = await desk.push(chain=chain, settings=replace(settings, rent_cap=SOL))
            assert (again.accounts_opened, again.left, again.paid_now) == (1, {}, Share(1, 1_011))
    assert desk.balances() == desk.due()
