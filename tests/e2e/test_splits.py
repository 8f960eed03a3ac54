"""A split, a reverse split that is taken back, a retirement: two keys, a notice of seconds, on every cluster."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from clusters import LOCALNET, VALIDATOR
from live_actions import CORPORATE_ACTIONS, NO_TERMS, Actors, appoint, ratio
from live_cluster import Live
from live_issuer import DAY, ONE, Desk, Movement, Order, Share
from solders.keypair import Keypair
from tallystick.domain.amounts import MULTIPLIER_ONE, multiplier_to_float_bits
from tallystick.errors import Refused
from tallystick.program.generated import accounts, errors, events, instructions
from tallystick.program.generated.types import ActionKind, ActionStatus, SecurityStatus

AHEAD = {LOCALNET: 600, VALIDATOR: 30}
"""Seconds from announcing to taking effect, for three transactions on a busy machine; a localnet's are not waited."""


@pytest.fixture
async def actors(live: Live, desk: Desk) -> Actors:
    """A security with a notice of one second and 100 shares attested, and two keys."""
    share = await Share(desk).with_policy(notice=1, change_window=1).do_list(live, 100 * ONE)
    return await appoint(live, share)


@pytest.fixture
async def holder(live: Live, actors: Actors) -> Keypair:
    """A new wallet with ten tokens."""
    wallet = Keypair()
    await actors.share.desk.do_approve(live, wallet)
    await actors.share.do_subscribe(live, wallet, 10 * ONE)
    return wallet


async def bits_in_force(live: Live, share: Share) -> int:
    """The double that Token-2022 shows amounts by."""
    mint, now = await live.mint(share.mint), await live.now()
    assert mint.extensions.scaled_ui_amount is not None
    return mint.extensions.scaled_ui_amount.current_bits(now)


async def test_a_split_takes_effect_by_itself_and_a_redemption_pays_the_new_shares(
    live: Live, actors: Actors, holder: Keypair
) -> None:
    share, effective_at = actors.share, await live.now() + AHEAD[live.cluster.name]
    announced = await actors.carry_out(
        live, await actors.plan_announce(live, "CA-1", ActionKind.FORWARD_SPLIT, ratio(4, 1, effective_at))
    )
    [said] = announced.events
    assert isinstance(said, events.ActionAnnounced)
    assert (said.action, said.action_version, said.announcer) == (actors.at("CA-1"), 1, actors.announcer.pubkey())
    approved = await actors.carry_out(live, await actors.plan_approve(live, "CA-1"))
    assert approved.events == (events.ActionApproved(share.address, actors.at("CA-1"), actors.approver.pubkey()),)
    executed = await actors.carry_out(live, await actors.plan_execute(live, "CA-1"))
    assert executed.events == (
        events.ActionExecuted(
            security=share.address,
            action=actors.at("CA-1"),
            executed_by=actors.announcer.pubkey(),
            multiplier_before=MULTIPLIER_ONE,
            multiplier_after=4 * MULTIPLIER_ONE,
            effective_at=effective_at,
        ),
    )
    assert await bits_in_force(live, share) == multiplier_to_float_bits(MULTIPLIER_ONE)
    await live.until(effective_at)
    assert await bits_in_force(live, share) == multiplier_to_float_bits(4 * MULTIPLIER_ONE)
    assert await live.raw(share.tokens(holder)) == 10 * ONE

    order = await share.do_request(live, holder, 2 * ONE, accept=True)
    await live.send(*share.settle_redemption(order, Movement(8 * ONE)))
    state = await share.state(live)
    assert (state.redeemed, state.burnt) == (8 * ONE, 2 * ONE)

    again = await share.do_order(live, holder, 4 * ONE)
    await live.refuse(errors.ReserveBeforeMultiplierChange, *share.settle_subscription(again, Movement(4 * ONE)))
    await live.until(effective_at + 3)
    content = share.content(400 * ONE, effective_at + 1, state.redeemed)
    await asyncio.gather(*(live.send(*share.attest(content, attestor)) for attestor in (0, 1)))
    await live.send(*share.settle_subscription(again, Movement(4 * ONE)))
    assert await live.raw(share.tokens(holder)) == 9 * ONE


async def test_a_reverse_split_is_taken_back_and_the_old_reserve_backs_again(
    live: Live, actors: Actors, holder: Keypair
) -> None:
    share, effective_at = actors.share, await live.now() + AHEAD[live.cluster.name]
    await actors.do_approve(live, "CA-2", ActionKind.REVERSE_SPLIT, ratio(1, 10, effective_at))
    await actors.carry_out(live, await actors.plan_execute(live, "CA-2"))
    assert (await share.state(live)).pending_multiplier == MULTIPLIER_ONE // 10
    cancelled = await actors.carry_out(live, await actors.plan_cancel(live, "CA-2"))
    [said] = cancelled.events
    assert isinstance(said, events.ActionCancelled)
    assert (said.previous_status, said.cancelled_by) == (ActionStatus.EXECUTED, share.desk.guardian.pubkey())
    await live.until(effective_at)
    state = await share.state(live)
    assert (state.multiplier, state.pending_multiplier) == (MULTIPLIER_ONE, 0)
    assert await bits_in_force(live, share) == multiplier_to_float_bits(MULTIPLIER_ONE)
    await share.do_subscribe(live, holder, ONE)
    assert await live.raw(share.tokens(holder)) == 11 * ONE


async def test_a_retired_security_mints_no_more_and_redeems_on(live: Live, actors: Actors, holder: Keypair) -> None:
    share, desk = actors.share, actors.share.desk
    terms = replace(NO_TERMS, effective_at=await live.now() + AHEAD[live.cluster.name])
    order = await share.do_order(live, holder, ONE)
    await actors.do_approve(live, "CA-3", ActionKind.DELISTING, terms)
    with pytest.raises(Refused, match="takes effect at"):
        await actors.plan_retire(live, "CA-3")
    early = instructions.retire_security(
        executor=actors.announcer.pubkey(),
        role=desk.role(CORPORATE_ACTIONS, actors.announcer),
        approver_role=desk.role(CORPORATE_ACTIONS, actors.approver),
        security=share.address,
        action=actors.at("CA-3"),
    )
    await live.refuse(errors.EffectiveTimeAhead, early, actors.announcer)
    await live.until(terms.effective_at)
    retired = await actors.carry_out(live, await actors.plan_retire(live, "CA-3"))
    assert retired.events == (events.SecurityRetired(share.address, actors.at("CA-3"), actors.announcer.pubkey()),)
    assert (await share.state(live)).status is SecurityStatus.RETIRED
    await live.refuse(errors.SecurityRetired, *share.settle_subscription(order, Movement(ONE)))
    late = Order(share.address, holder, ONE)
    await live.refuse(errors.SecurityRetired, *share.open_subscription(late, await live.now() + DAY))
    redeemed = await share.do_request(live, holder, 3 * ONE, accept=True)
    await live.send(*share.settle_redemption(redeemed, Movement(3 * ONE)))
    assert (await live.read(accounts.CorporateAction, actors.at("CA-3"))).status is ActionStatus.EXECUTED
    assert await live.raw(share.tokens(holder)) == 7 * ONE
