"""Tokens in escrow, burnt or returned; a wrong mint undone; what events say is what accounts say."""

from __future__ import annotations

import asyncio

import pytest
from live_cluster import Live
from live_issuer import ONE, REDEEM, Desk, Movement, Order, Share
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tallystick.program import addresses
from tallystick.program.generated import accounts, errors, events
from tallystick.program.generated.types import Direction, FillKind, OrderKind, OrderStatus, RoleKind

MULTIPLIER_ONE = 10**18


@pytest.fixture
async def holder(live: Live, desk: Desk, share: Share) -> Keypair:
    """A new wallet with ten shares."""
    wallet = Keypair()
    await desk.do_approve(live, wallet)
    await share.do_subscribe(live, wallet, 10 * ONE)
    return wallet


async def test_a_redemption_is_escrowed_accepted_and_burnt(live: Live, share: Share, holder: Keypair) -> None:
    before, order, movement = await share.state(live), Order(share.address, holder, 4 * ONE), Movement(4 * ONE)
    requested = await live.land(*share.request_redemption(order))
    opened = await live.read(accounts.Order, order.address)
    assert (opened.kind, opened.status, opened.quantity) == (OrderKind.REDEMPTION, OrderStatus.OPEN, 4 * ONE)
    assert opened.accept_by == opened.opened_at + share.policy.accept_period
    assert requested.events == (
        events.RedemptionRequested(
            share.address, order.address, holder.pubkey(), order.order_id, 4 * ONE, opened.accept_by
        ),
    )
    escrowed = await share.state(live)
    assert escrowed.escrowed == before.escrowed + 4 * ONE == await live.raw(share.escrow)
    assert await live.raw(share.tokens(holder)) == 6 * ONE

    agreed = await live.land(*share.accept_redemption(order))
    accepted = await live.read(accounts.Order, order.address)
    assert accepted.status is OrderStatus.ACCEPTED
    assert accepted.settle_by == accepted.status_at + share.policy.settle_period
    assert agreed.events == (
        events.RedemptionAccepted(share.address, order.address, holder.pubkey(), 4 * ONE, accepted.settle_by),
    )

    burnt = await live.land(*share.settle_redemption(order, movement))
    after, settled = await share.state(live), await live.read(accounts.Order, order.address)
    fill = await live.read(accounts.Fill, share.fill(movement, order))
    used = await live.read(accounts.Movement, share.movement(movement))
    assert (settled.status, settled.filled) == (OrderStatus.SETTLED, 4 * ONE)
    assert (fill.kind, fill.raw, fill.shares, fill.multiplier) == (FillKind.BURN, 4 * ONE, 4 * ONE, MULTIPLIER_ONE)
    assert (used.direction, used.shares, used.allocated) == (Direction.OUT, 4 * ONE, 4 * ONE)
    assert (after.redeemed, after.burnt) == (before.redeemed + 4 * ONE, before.burnt + 4 * ONE)
    assert (after.escrowed, after.accepted) == (before.escrowed, before.accepted)
    assert (await live.mint(share.mint)).supply == after.minted - after.burnt
    assert burnt.events == (
        events.RedemptionSettled(
            security=share.address,
            order=order.address,
            holder=holder.pubkey(),
            movement=fill.movement,
            fill=share.fill(movement, order),
            raw=fill.raw,
            shares=fill.shares,
            multiplier=fill.multiplier,
            status=settled.status,
        ),
    )


async def test_the_operator_returns_what_it_did_not_settle(live: Live, share: Share, holder: Keypair) -> None:
    before = await share.state(live)
    order = await share.do_request(live, holder, 5 * ONE, accept=True)
    await live.send(*share.settle_redemption(order, Movement(2 * ONE), 2 * ONE))
    landed = await live.land(*share.cancel_redemption(order))
    cancelled = await live.read(accounts.Order, order.address)
    assert (cancelled.status, cancelled.filled, cancelled.reason_code) == (OrderStatus.CANCELLED, 2 * ONE, 4)
    assert await live.raw(share.tokens(holder)) == 8 * ONE
    state = await share.state(live)
    assert (state.escrowed, state.accepted) == (before.escrowed, before.accepted)
    assert landed.events == (
        events.RedemptionReturned(
            share.address,
            order.address,
            holder.pubkey(),
            share.desk.operator.pubkey(),
            3 * ONE,
            OrderStatus.CANCELLED,
            4,
        ),
    )


async def test_a_holder_cancels_until_the_operator_has_accepted(live: Live, share: Share, holder: Keypair) -> None:
    early, late = await asyncio.gather(
        share.do_request(live, holder, ONE), share.do_request(live, holder, 2 * ONE, accept=True)
    )
    await live.send(*share.cancel_redemption(early, by_holder=True))
    assert await live.raw(share.tokens(holder)) == 8 * ONE
    await live.refuse(errors.NotHolderNorOperator, *share.cancel_redemption(late, by_holder=True))
    await live.send(*share.cancel_redemption(late))
    assert await live.raw(share.tokens(holder)) == 10 * ONE


async def test_a_redemption_is_not_settled_before_it_is_accepted(live: Live, share: Share, holder: Keypair) -> None:
    order = await share.do_request(live, holder, ONE)
    await live.refuse(errors.OrderNotAccepted, *share.settle_redemption(order, Movement(ONE)))
    await live.send(*share.cancel_redemption(order))


async def test_a_movement_that_came_in_settles_no_redemption(live: Live, share: Share, holder: Keypair) -> None:
    _, came_in = await share.do_subscribe(live, holder, ONE)
    order = await share.do_request(live, holder, ONE, accept=True)
    await live.refuse(errors.MovementDiffers, *share.settle_redemption(order, came_in))
    await live.send(*share.cancel_redemption(order))


async def test_nobody_redeems_what_another_wallet_holds(live: Live, share: Share, holder: Keypair) -> None:
    order = Order(share.address, holder, 11 * ONE)
    refusal = await live.refuse_by_token_program(*share.request_redemption(order))
    assert "InsufficientFunds" in refusal.message


async def test_a_hold_stops_a_redemption_and_not_its_return(live: Live, desk: Desk, holder: Keypair) -> None:
    share, owner = await Share(desk).do_list(live, 10 * ONE), desk.compliance
    await share.do_subscribe(live, holder, 2 * ONE)
    order = await share.do_request(live, holder, ONE)
    await live.send(*share.place_hold(1, REDEEM, owner, RoleKind.COMPLIANCE, None))
    await live.refuse(errors.RedeemHeld, *share.accept_redemption(order))
    await live.refuse(errors.RedeemHeld, *share.request_redemption(Order(share.address, holder, ONE)))
    await live.send(*share.cancel_redemption(order, by_holder=True))
    assert await live.raw(share.tokens(holder)) == 2 * ONE


async def test_shares_that_were_redeemed_since_the_statement_back_no_new_mint(
    live: Live, desk: Desk, holder: Keypair
) -> None:
    share = await Share(desk).do_list(live, 5 * ONE)
    await share.do_subscribe(live, holder, 5 * ONE)
    order = await share.do_request(live, holder, 2 * ONE, accept=True)
    await live.send(*share.settle_redemption(order, Movement(2 * ONE)))
    again = await share.do_order(live, holder, ONE)
    await live.refuse(errors.ReserveExceeded, *share.settle_subscription(again, Movement(ONE)))
    await share.do_attest(live, 4 * ONE)
    await live.send(*share.settle_subscription(again, Movement(ONE)))
    assert (await live.mint(share.mint)).supply == 4 * ONE


async def test_an_unaccepted_redemption_is_withdrawn_after_its_deadline(
    live: Live, desk: Desk, holder: Keypair
) -> None:
    share = await Share(desk).with_policy(accept_period=2).do_list(live, 10 * ONE)
    await share.do_subscribe(live, holder, ONE)
    order = await share.do_request(live, holder, ONE)
    accept_by = (await live.read(accounts.Order, order.address)).accept_by
    await live.until(accept_by + 1)
    await live.refuse(errors.DeadlinePassed, *share.accept_redemption(order))
    await withdrawn(live, share, order)


async def test_an_accepted_redemption_is_withdrawn_when_it_was_not_settled_in_time(
    live: Live, desk: Desk, holder: Keypair
) -> None:
    share = await Share(desk).with_policy(settle_period=1).do_list(live, 10 * ONE)
    await share.do_subscribe(live, holder, ONE)
    order = await share.do_request(live, holder, ONE, accept=True)
    settle_by = (await live.read(accounts.Order, order.address)).settle_by
    await live.until(settle_by + 1)
    await withdrawn(live, share, order)
    await live.refuse(errors.OrderNotAccepted, *share.settle_redemption(order, Movement(ONE)))


async def withdrawn(live: Live, share: Share, order: Order) -> None:
    """The holder takes everything back alone, and the event says so."""
    landed = await live.land(*share.withdraw_redemption(order))
    state, closed = await share.state(live), await live.read(accounts.Order, order.address)
    assert (closed.status, closed.filled) == (OrderStatus.WITHDRAWN, 0)
    assert (state.escrowed, state.accepted, await live.raw(share.escrow)) == (0, 0, 0)
    assert await live.raw(share.tokens(order.wallet)) == order.quantity
    wallet = order.wallet.pubkey()
    assert landed.events == (
        events.RedemptionReturned(
            share.address, order.address, wallet, wallet, order.quantity, OrderStatus.WITHDRAWN, 0
        ),
    )


async def test_a_redemption_is_not_withdrawn_before_its_deadline(live: Live, share: Share, holder: Keypair) -> None:
    order = await share.do_request(live, holder, ONE)
    await live.refuse(errors.DeadlineNotPassed, *share.withdraw_redemption(order))
    await live.send(*share.cancel_redemption(order))


async def test_a_wrong_mint_is_corrected_by_burning_inventory(live: Live, desk: Desk, holder: Keypair) -> None:
    share = await Share(desk).do_list(live, 20 * ONE)
    order, movement = await share.do_subscribe(live, holder, 10 * ONE)
    wrong = share.fill(movement, order)
    landed = await live.land(*share.correct_fill(wrong, 0, holder, 3 * ONE))
    correction = addresses.correction_address(wrong, 0)
    fill, fixed = await live.read(accounts.Fill, wrong), await live.read(accounts.Fill, correction)
    assert (fill.raw, fill.corrected_raw, fill.corrections, fill.corrects) == (10 * ONE, 3 * ONE, 1, Pubkey.default())
    assert (fixed.kind, fixed.corrects, fixed.raw, fixed.shares) == (FillKind.CORRECTION, wrong, 3 * ONE, 3 * ONE)
    assert landed.events == (
        events.FillCorrected(share.address, wrong, correction, share.tokens(holder), 3 * ONE, 3 * ONE),
    )
    state = await share.state(live)
    assert (await live.mint(share.mint)).supply == state.minted - state.burnt == 7 * ONE
    assert (await live.read(accounts.Movement, share.movement(movement))).allocated == 10 * ONE
    await live.refuse(errors.CorrectionExceeded, *share.correct_fill(wrong, 1, holder, 7 * ONE + 1))
