"""What takes minutes or days: on a localnet of its own, whose time may be moved."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from clusters import Cluster, run_localnet
from live_actions import appoint, ratio
from live_cluster import Live, warp
from live_issuer import DAY, HOUR, ONE, REDEEM, Movement, Order, Share
from live_opening import Opened, open_issuer
from solders.keypair import Keypair
from tallystick.adapters.chain.outbox import OutboxState
from tallystick.adapters.chain.rpc import RpcChain
from tallystick.adapters.chain.send_result import Outcome
from tallystick.adapters.clock import SystemClock
from tallystick.domain.amounts import MULTIPLIER_ONE
from tallystick.errors import Refused
from tallystick.program.generated import accounts, errors
from tallystick.program.generated.types import ActionKind, OrderStatus, RoleKind
from test_sender_recovery import interrupt

Wallets = tuple[Keypair, ...]
pytestmark = pytest.mark.warp
BLOCKHASH_LIVES = 120
"""Seconds after which no blockhash from before is good: 150 blocks of 400 ms, twice."""


@pytest.fixture(scope="module")
def moved_cluster(cluster_name: str) -> Iterator[Cluster]:
    """Not the session's: its time runs ahead of every other's."""
    with run_localnet() as cluster:
        yield cluster


@pytest.fixture
async def chain(moved_cluster: Cluster) -> AsyncIterator[RpcChain]:
    """The moved cluster."""
    async with RpcChain([moved_cluster.url], SystemClock()) as chain:
        yield chain


@pytest.fixture
async def opened(moved_cluster: Cluster) -> Opened:
    """A new issuer in each test: what was attested before is days old by now."""
    return await open_issuer(moved_cluster)


@pytest.fixture
def live(moved_cluster: Cluster, chain: RpcChain, opened: Opened) -> Live:
    """The moved cluster, with the issuer's payer."""
    return Live(moved_cluster, chain, opened.desk.payer)


async def test_an_expired_signature_is_replaced_only_after_proof(live: Live, share: Share) -> None:
    crashed = await interrupt(live, share, Keypair())
    await warp(live.cluster, BLOCKHASH_LIVES)
    assert await live.chain.get_block_height("finalized") > crashed.row.last_valid_block_height
    [resumed] = await live.sender_over(crashed.outbox).resume()
    assert resumed.outcome is Outcome.UNKNOWN
    assert [row.state for row in await crashed.outbox.get_by_intent(crashed.row.intent)] == [OutboxState.UNKNOWN]
    assert await crashed.run_again() is Outcome.LANDED
    dead, landed = await crashed.outbox.get_by_intent(crashed.row.intent)
    assert (dead.signature, dead.state) == (crashed.row.signature, OutboxState.DEAD)
    assert (landed.attempt, landed.state) == (2, OutboxState.LANDED)
    assert await live.chain.is_absent_everywhere(dead.signature)
    assert await crashed.tokens() == ONE


async def test_an_expired_signature_that_landed_is_not_replaced(live: Live, share: Share) -> None:
    crashed = await interrupt(live, share, Keypair())
    await live.chain.send(crashed.row.transaction)
    await warp(live.cluster, BLOCKHASH_LIVES)
    assert await crashed.run_again() is Outcome.LANDED
    [row] = await crashed.outbox.get_by_intent(crashed.row.intent)
    assert (row.signature, row.state) == (crashed.row.signature, OutboxState.LANDED)
    assert await crashed.tokens() == ONE


async def test_a_reserve_older_than_its_age_backs_no_mint(live: Live, share: Share, wallets: Wallets) -> None:
    await live.until(await live.now() + share.policy.max_attestation_age)
    order = await share.do_order(live, wallets[0], ONE)
    await live.refuse(errors.ReserveTooOld, *share.settle_subscription(order, Movement(ONE)))
    await share.do_attest(live, 1_000 * ONE)
    await live.send(*share.settle_subscription(order, Movement(ONE)))
    assert (await live.mint(share.mint)).supply == ONE


async def test_an_order_is_not_settled_after_its_deadline_and_its_holder_cancels_it(
    live: Live, share: Share, wallets: Wallets
) -> None:
    order = await share.do_order(live, wallets[0], ONE)
    by_holder = share.cancel_subscription(order, by_holder=True)
    await live.refuse(errors.DeadlineNotPassed, *by_holder)
    await live.until((await live.read(accounts.Order, order.address)).settle_by + 1)
    await live.refuse(errors.DeadlinePassed, *share.settle_subscription(order, Movement(ONE)))
    await live.send(*by_holder)
    assert (await live.read(accounts.Order, order.address)).status is OrderStatus.CANCELLED


async def test_a_redemption_is_withdrawn_after_days_and_despite_a_hold(
    live: Live, share: Share, wallets: Wallets
) -> None:
    await share.do_subscribe(live, wallets[0], 2 * ONE)
    early = await share.do_request(live, wallets[0], ONE)
    late = await share.do_request(live, wallets[0], ONE, accept=True)
    await live.send(*share.place_hold(1, REDEEM, share.desk.compliance, RoleKind.COMPLIANCE, None))
    await live.until(await live.now() + DAY + HOUR)
    await live.send(*share.withdraw_redemption(early))
    await live.refuse(errors.DeadlineNotPassed, *share.withdraw_redemption(late))
    await live.until(await live.now() + DAY)
    await live.send(*share.withdraw_redemption(late))
    assert await live.raw(share.tokens(wallets[0])) == 2 * ONE
    assert (await share.state(live)).escrowed == 0


async def test_anyone_releases_a_hold_that_expired(live: Live, share: Share) -> None:
    owner, stranger = share.desk.reconciliation, Keypair()
    expires_at = await live.now() + 72 * HOUR
    await live.refuse(errors.BadExpiry, *share.place_hold(1, REDEEM, owner, RoleKind.RECONCILIATION, expires_at + HOUR))
    await live.send(*share.place_hold(2, REDEEM, owner, RoleKind.RECONCILIATION, expires_at))
    await live.refuse(errors.ComplianceMissing, *share.release_hold(2, owner, RoleKind.RECONCILIATION))
    await live.until(expires_at)
    await live.send(*share.release_hold(2, owner, RoleKind.RECONCILIATION, signed_by=stranger))
    assert (await share.state(live)).redeem_holds == 0


async def test_an_approval_lapses(live: Live, share: Share, wallets: Wallets) -> None:
    wallet, until = Keypair(), await live.now() + DAY
    await live.send(*share.desk.approve(wallet.pubkey(), until))
    await live.until(until)
    order = Order(share.address, wallet, ONE)
    await live.refuse(errors.HolderApprovalLapsed, *share.open_subscription(order, await live.now() + DAY))


async def test_an_operators_limit_recovers_as_time_passes(live: Live, share: Share, wallets: Wallets) -> None:
    await live.send(*share.set_limit(mint_cap=4 * ONE, burn_cap=ONE, window=4 * DAY))
    await share.do_subscribe(live, wallets[0], 4 * ONE)
    order, movement = await share.do_order(live, wallets[1], 2 * ONE), Movement(2 * ONE)
    await live.refuse(errors.LimitExceeded, *share.settle_subscription(order, movement, ONE))
    await live.until(await live.now() + DAY)
    order = await share.do_order(live, wallets[1], 2 * ONE)
    await live.send(*share.settle_subscription(order, movement, ONE))
    await live.refuse(errors.LimitExceeded, *share.settle_subscription(order, Movement(ONE), ONE))


async def test_a_split_waits_its_days_of_notice_and_stops_minting_only_in_its_last_hour(
    live: Live, share: Share, wallets: Wallets
) -> None:
    actors, effective_at = await appoint(live, share), await live.now() + 3 * DAY
    split, soon = ratio(5, 1, effective_at), ratio(5, 1, effective_at - 2 * DAY - HOUR)
    with pytest.raises(Refused, match="earliest effective time"):
        await actors.plan_announce(live, "CA-1", ActionKind.FORWARD_SPLIT, soon)
    await actors.do_approve(live, "CA-1", ActionKind.FORWARD_SPLIT, split)
    await live.until(effective_at - 12 * HOUR)
    await actors.carry_out(live, await actors.plan_execute(live, "CA-1"))
    order = await share.do_order(live, wallets[0], 2 * ONE)
    await live.send(*share.settle_subscription(order, Movement(ONE), ONE))
    await live.until(effective_at - HOUR)
    await live.refuse(errors.MultiplierChangeWindow, *share.settle_subscription(order, Movement(ONE), ONE))
    await live.until(effective_at)
    await live.refuse(errors.ReserveBeforeMultiplierChange, *share.settle_subscription(order, Movement(ONE), ONE))
    await live.until(effective_at + 2 * HOUR)
    await share.do_attest(live, 5_000 * ONE)
    await live.send(*share.settle_subscription(order, Movement(ONE), ONE))
    assert await live.raw(share.tokens(wallets[0])) == ONE + ONE // 5
    assert (await share.state(live)).pending_multiplier == 5 * MULTIPLIER_ONE
