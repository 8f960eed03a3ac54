"""Shares in, tokens out: the reserve attested by two of three, one movement for several orders, and each refusal."""

from __future__ import annotations

import asyncio
from typing import Literal

import pytest
from live_cluster import Live
from live_issuer import DAY, MINT, ONE, TRANSFER, Desk, Movement, Order, Share, digest
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tallystick.errors import TransactionError
from tallystick.program.generated import accounts, errors, events
from tallystick.program.generated.types import Direction, FillKind, OrderStatus, RoleKind
from tallystick.program.token import transfer_checked
from tallystick.services.attestation import given_approvals

MULTIPLIER_ONE = 10**18
QUARTER = ONE // 4
Wallets = tuple[Keypair, ...]


async def test_a_reserve_is_in_force_when_two_of_three_have_attested_it(live: Live, desk: Desk) -> None:
    share = Share(desk)
    await live.send(*share.list_security())
    content = share.content(30 * ONE, await live.now() - 60)
    first = await live.land(*share.attest(content, 0))
    state, attestation = await share.state(live), await live.read(accounts.Attestation, share.attestation(content))
    assert (state.reserve, state.attestations, attestation.in_force_at) == (0, 0, 0)
    [approved] = first.events
    assert isinstance(approved, events.AttestationApproved)
    assert (approved.approvals, approved.threshold, approved.content) == (1, 2, content)
    second = await live.land(*share.attest(content, 1))
    state, attestation = await share.state(live), await live.read(accounts.Attestation, share.attestation(content))
    assert (state.reserve, state.reserve_as_of, state.attestations) == (30 * ONE, content.as_of, 1)
    given = given_approvals(attestation)
    assert [each.attestor for each in given] == [key.pubkey() for key in desk.attestors[:2]]
    assert [each.received_hash for each in given] == [digest(f"received by {n}") for n in (0, 1)]
    assert attestation.in_force_at > 0
    assert second.events[1] == events.ReserveAttested(
        share.address, share.attestation(content), content.as_of, 30 * ONE, 0, state.attestations_hash
    )
    await live.refuse(errors.AttestationNotNewer, *share.attest(content, 2))


async def test_the_same_attestor_does_not_count_twice(live: Live, desk: Desk) -> None:
    share = Share(desk)
    await live.send(*share.list_security())
    content = share.content(30 * ONE, await live.now() - 60)
    await live.send(*share.attest(content, 0))
    await live.refuse(errors.AlreadyApproved, *share.attest(content, 0))
    assert (await share.state(live)).attestations == 0


async def test_one_movement_settles_several_orders_down_to_a_quarter_share(
    live: Live, desk: Desk, wallets: Wallets
) -> None:
    share = await Share(desk).do_list(live, 100 * ONE)
    quantities = (6 * ONE, 4 * ONE, QUARTER)
    movement = Movement(sum(quantities))
    orders = await asyncio.gather(
        *(share.do_order(live, wallet, shares) for wallet, shares in zip(wallets, quantities, strict=True))
    )
    for order in orders:
        landed = await live.land(*share.settle_subscription(order, movement))
        fill = await live.read(accounts.Fill, share.fill(movement, order))
        assert (fill.kind, fill.security, fill.order) == (FillKind.MINT, share.address, order.address)
        assert (fill.shares, fill.raw, fill.multiplier) == (order.quantity, order.quantity, MULTIPLIER_ONE)
        assert await live.raw(share.tokens(order.wallet)) == order.quantity
        settled = await live.read(accounts.Order, order.address)
        assert (settled.status, settled.filled, settled.fills) == (OrderStatus.SETTLED, order.quantity, 1)
        assert landed.events == (
            events.SubscriptionSettled(
                security=share.address,
                order=order.address,
                holder=order.wallet.pubkey(),
                movement=fill.movement,
                fill=share.fill(movement, order),
                shares=fill.shares,
                raw=fill.raw,
                multiplier=fill.multiplier,
                status=settled.status,
            ),
        )
    used = await live.read(accounts.Movement, share.movement(movement))
    assert (used.direction, used.shares, used.allocated) == (Direction.IN, movement.shares, movement.shares)
    assert (await live.mint(share.mint)).supply == (await share.state(live)).minted == movement.shares


async def test_an_order_is_filled_by_parts_from_two_movements(live: Live, share: Share, wallets: Wallets) -> None:
    order, first, second = await share.do_order(live, wallets[0], 5 * ONE), Movement(2 * ONE), Movement(3 * ONE)
    await live.send(*share.settle_subscription(order, first, 2 * ONE))
    half = await live.read(accounts.Order, order.address)
    assert (half.status, half.filled) == (OrderStatus.OPEN, 2 * ONE)
    await live.send(*share.settle_subscription(order, second, 3 * ONE))
    whole = await live.read(accounts.Order, order.address)
    assert (whole.status, whole.filled, whole.fills) == (OrderStatus.SETTLED, 5 * ONE, 2)


async def test_an_operator_cancels_a_subscription_and_what_was_filled_stays(
    live: Live, share: Share, wallets: Wallets
) -> None:
    order, movement = await share.do_order(live, wallets[1], 3 * ONE), Movement(ONE)
    await live.send(*share.settle_subscription(order, movement, ONE))
    landed = await live.land(*share.cancel_subscription(order))
    cancelled = await live.read(accounts.Order, order.address)
    assert (cancelled.status, cancelled.filled, cancelled.reason_code) == (OrderStatus.CANCELLED, ONE, 3)
    assert landed.events == (
        events.SubscriptionCancelled(
            share.address, order.address, order.wallet.pubkey(), share.desk.operator.pubkey(), 2 * ONE, 3
        ),
    )
    await live.refuse(errors.OrderNotOpen, *share.settle_subscription(order, Movement(2 * ONE), 2 * ONE))


@pytest.mark.parametrize("version", ["legacy", 0, 1])
async def test_a_settlement_lands_in_every_transaction_version(
    live: Live, share: Share, wallets: Wallets, version: Literal["legacy", 0, 1]
) -> None:
    order, movement = await share.do_order(live, wallets[2], ONE), Movement(ONE)
    landed = await live.land(*share.settle_subscription(order, movement), version=version)
    assert [type(each) for each in landed.events] == [events.SubscriptionSettled]
    assert (await live.read(accounts.Order, order.address)).status is OrderStatus.SETTLED
    assert landed.result.units == landed.transaction.units


# Refusals: one thing is wrong each time -------------------------------------------------------------------------------


async def test_a_mint_beyond_the_reserve_is_refused(live: Live, desk: Desk, wallets: Wallets) -> None:
    share = await Share(desk).do_list(live, 10 * ONE)
    order = await share.do_order(live, wallets[0], 10 * ONE + 1)
    movement = Movement(10 * ONE + 1)
    await live.refuse(errors.ReserveExceeded, *share.settle_subscription(order, movement))
    assert (await live.mint(share.mint)).supply == 0
    await live.send(*share.settle_subscription(order, movement, 10 * ONE))
    assert (await live.mint(share.mint)).supply == 10 * ONE


async def test_a_mint_without_any_reserve_is_refused(live: Live, desk: Desk, wallets: Wallets) -> None:
    share = Share(desk)
    await live.send(*share.list_security())
    await live.send(*share.set_limit())
    order = await share.do_order(live, wallets[0], ONE)
    await live.until((await live.read(accounts.Limit, share.limit)).pending_from)
    await live.refuse(errors.NoReserve, *share.settle_subscription(order, Movement(ONE)))


async def test_a_movement_is_not_used_beyond_what_moved(live: Live, share: Share, wallets: Wallets) -> None:
    _, movement = await share.do_subscribe(live, wallets[0], 2 * ONE)
    second = await share.do_order(live, wallets[1], ONE)
    await live.refuse(errors.MovementExceeded, *share.settle_subscription(second, movement))


async def test_a_movement_is_not_used_twice_for_one_order(live: Live, share: Share, wallets: Wallets) -> None:
    order, movement = await share.do_order(live, wallets[0], 2 * ONE), Movement(2 * ONE)
    await live.send(*share.settle_subscription(order, movement, ONE))
    await live.refuse(errors.FillExists, *share.settle_subscription(order, movement, ONE))


async def test_a_movement_does_not_change_its_size_afterwards(live: Live, share: Share, wallets: Wallets) -> None:
    _, movement = await share.do_subscribe(live, wallets[0], ONE)
    second = await share.do_order(live, wallets[1], ONE)
    grown = Movement(2 * ONE, movement.reference)
    await live.refuse(errors.MovementDiffers, *share.settle_subscription(second, grown))


async def test_a_wallet_that_nobody_approved_cannot_order(live: Live, share: Share) -> None:
    order = Order(share.address, Keypair(), ONE)
    refusal = await live.refuse(TransactionError, *share.open_subscription(order, await live.now() + DAY))
    assert "AccountNotInitialized" in refusal.message


async def test_a_wallet_of_another_permission_class_cannot_order(live: Live, desk: Desk, share: Share) -> None:
    order = Order(share.address, Keypair(), ONE)
    await live.send(*desk.approve(order.wallet.pubkey(), await live.now() + DAY, classes=0b10))
    await live.refuse(errors.HolderOfWrongClass, *share.open_subscription(order, await live.now() + DAY))


async def test_a_suspended_holder_neither_orders_nor_is_settled(live: Live, desk: Desk, share: Share) -> None:
    wallet = Keypair()
    await desk.do_approve(live, wallet)
    order = await share.do_order(live, wallet, ONE)
    landed = await live.land(*desk.suspend(wallet.pubkey()))
    assert landed.events == (events.HolderSuspended(desk.address, desk.holder(wallet.pubkey()), wallet.pubkey()),)
    await live.refuse(errors.HolderSuspended, *share.settle_subscription(order, Movement(ONE)))
    another = Order(share.address, wallet, ONE)
    await live.refuse(errors.HolderSuspended, *share.open_subscription(another, await live.now() + DAY))


async def test_nothing_is_minted_while_a_hold_covers_it(live: Live, desk: Desk, wallets: Wallets) -> None:
    share, owner = await Share(desk).do_list(live, 10 * ONE), desk.compliance
    order, movement = await share.do_order(live, wallets[0], ONE), Movement(ONE)
    landed = await live.land(*share.place_hold(1, MINT, owner, RoleKind.COMPLIANCE, None))
    hold = await live.read(accounts.Hold, share.hold(owner, 1))
    assert landed.events == (
        events.HoldPlaced(
            share.address, share.hold(owner, 1), owner.pubkey(), RoleKind.COMPLIANCE, MINT, 7, hold.expires_at
        ),
    )
    await live.refuse(errors.MintHeld, *share.settle_subscription(order, movement))
    stolen = share.release_hold(1, owner, RoleKind.COMPLIANCE, signed_by=desk.operator)
    await live.refuse(errors.NotHoldOwner, *stolen)
    await live.send(*share.release_hold(1, owner, RoleKind.COMPLIANCE))
    await live.send(*share.settle_subscription(order, movement))
    assert (await live.mint(share.mint)).supply == ONE


async def test_holders_cannot_transfer_while_a_hold_covers_that(live: Live, desk: Desk, wallets: Wallets) -> None:
    share, owner, (sender, receiver, _) = await Share(desk).do_list(live, 10 * ONE), desk.compliance, wallets
    await share.do_subscribe(live, sender, ONE)
    transfer = transfer_checked(
        source=share.tokens(sender),
        mint=share.mint,
        destination=share.tokens(receiver),
        authority=sender.pubkey(),
        amount=QUARTER,
        decimals=6,
    )
    await live.send(share.create_tokens(receiver))
    await live.send(*share.place_hold(1, TRANSFER, owner, RoleKind.COMPLIANCE, None))
    refusal = await live.refuse_by_token_program(transfer, sender)
    assert "paused" in refusal.message
    await live.send(*share.release_hold(1, owner, RoleKind.COMPLIANCE))
    await live.send(transfer, sender)
    assert await live.raw(share.tokens(receiver)) == QUARTER


async def test_an_operator_mints_no_more_than_its_limit(live: Live, desk: Desk, wallets: Wallets) -> None:
    share = await Share(desk).do_list(live, 10 * ONE)
    await live.send(*share.set_limit(mint_cap=ONE, burn_cap=ONE, window=30 * DAY))
    order, movement = await share.do_order(live, wallets[0], 2 * ONE), Movement(2 * ONE)
    await live.refuse(errors.LimitExceeded, *share.settle_subscription(order, movement))
    await live.send(*share.settle_subscription(order, movement, ONE))
    assert await live.raw(share.tokens(wallets[0])) == ONE


async def test_a_key_without_the_operators_role_settles_nothing(
    live: Live, desk: Desk, share: Share, wallets: Wallets
) -> None:
    order = await share.do_order(live, wallets[0], ONE)
    instruction = share.settle_subscription(order, Movement(ONE))[0]
    thief = Keypair()
    stolen = with_signer(instruction, desk.operator.pubkey(), thief.pubkey())
    await live.refuse(errors.RoleOfAnotherHolder, stolen, thief)


def with_signer(instruction: Instruction, old: Pubkey, new: Pubkey) -> Instruction:
    """The instruction, signed by another key."""
    metas = [
        AccountMeta(new, each.is_signer, each.is_writable) if each.pubkey == old and each.is_signer else each
        for each in instruction.accounts
    ]
    return Instruction(instruction.program_id, bytes(instruction.data), metas)
