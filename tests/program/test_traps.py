"""Traps that others fell into, each set for this program."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from actions import split
from attacks import index_of
from cases import CASES, NEWCOMER
from chain_in_process import Chain, digest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.rent import Rent
from solders.system_program import TransferParams, transfer
from tallystick.errors import IdentifierError
from tallystick.program import addresses, artifacts
from tallystick.program.event_decoding import EVENT_TAG
from tallystick.program.generated import accounts, events
from tallystick.program.generated.constants import PROGRAM_ID
from tallystick.program.generated.types import OrderStatus, RoleKind
from world import (
    DAY,
    HOUR,
    MULTIPLIER_ONE,
    ONE,
    SCOPE_MINT,
    SCOPE_REDEEM,
    SCOPE_TRANSFER,
    Issuer,
    Movement,
    Security,
    World,
)  # fmt: skip

# Addresses that somebody was at before -------------------------------------------------------------------------------


CREATED_ADDRESSES = {
    "initialize": ("issuer", "guardian_role"),
    "grant_role": ("role",),
    "list_security": ("security", "mint", "escrow"),
    "set_limit": ("limit",),
    "place_hold": ("hold",),
    "approve_holder": ("holder",),
    "open_subscription": ("order",),
    "settle_subscription": ("movement", "fill"),
    "request_redemption": ("order",),
    "correct_fill": ("correction",),
    "announce_action": ("action",),
    "request_draw": ("draw",),
    "publish_report": ("report",),
    "propose_seizure": ("seizure",),
}


@pytest.mark.parametrize("case", CREATED_ADDRESSES)
@pytest.mark.parametrize("lamports", [890_880, 10**10])
def test_lamports_sent_to_an_address_beforehand_stop_nothing(case: str, lamports: int) -> None:

    world = World.fresh()
    call = CASES[case](world)
    for account in CREATED_ADDRESSES[case]:
        target = call.accounts[index_of(case, account)].pubkey
        payer = world.chain.payer
        world.chain.send(transfer(TransferParams(from_pubkey=payer, to_pubkey=target, lamports=lamports)))
    assert world.chain.send(call).events


@pytest.mark.parametrize("dearer", [1, 3])
def test_rent_is_what_the_chain_asks_for(dearer: int) -> None:
    chain = Chain()
    rent = chain.svm.get_rent()
    chain.svm.set_rent(Rent.with_lamports_per_byte(rent.lamports_per_byte * dearer))
    issuer = Issuer(chain, "alpha").do_open()
    security = Security(issuer, "ACME")
    chain.send(security.list_security())
    for address in (issuer.address, security.address, security.mint, security.escrow):
        account = chain.find(address)
        assert account is not None
        assert account.lamports >= chain.svm.minimum_balance_for_rent_exemption(len(account.data))


def test_no_seed_is_longer_than_32_bytes() -> None:
    idl = json.loads(artifacts.idl())
    constants = [
        (instruction["name"], account["name"], len(seed["value"]))
        for instruction in idl["instructions"]
        for account in instruction["accounts"]
        for seed in account.get("pda", {}).get("seeds", ())
        if seed["kind"] == "const"
    ]
    assert constants
    assert [each for each in constants if each[2] > 32] == []
    world = World.fresh()
    with pytest.raises(IdentifierError):
        addresses.order_address(world.acme.address, world.alice, bytes(33))


def test_an_order_id_that_another_holder_used_is_free() -> None:
    world = World.fresh()
    world.chain.send(world.acme.open_subscription(world.bob, "squatted", ONE))
    assert world.chain.send(world.acme.open_subscription(world.alice, "squatted", ONE)).events


def test_an_order_id_is_used_once_by_a_holder_whatever_the_kind() -> None:
    world = World.fresh()
    chain, acme = world.chain, world.acme
    chain.send(acme.cancel_subscription(world.order("open")))
    chain.refuse("system:0", acme.open_subscription(world.alice, "open", ONE))
    chain.refuse("system:0", acme.request_redemption(world.alice, "open", ONE))


def test_a_hold_id_is_used_once() -> None:
    world = World.fresh()
    world.chain.send(world.acme.place_hold(1, SCOPE_MINT))
    world.chain.send(world.acme.release_hold(1))
    world.chain.refuse("system:0", world.acme.place_hold(1, SCOPE_REDEEM))


# Movements -----------------------------------------------------------------------------------------------------------


def test_a_movement_settles_one_order_once() -> None:
    world = World.fresh()
    movement = Movement("once", 50 * ONE)
    world.chain.send(world.acme.settle_subscription(world.order("open"), movement, 10 * ONE))
    world.chain.refuse("FillExists", world.acme.settle_subscription(world.order("open"), movement, 10 * ONE))


def test_addresses_of_movements_and_fills_are_the_canonical_ones_whatever_their_bump() -> None:
    world = World.fresh()
    bumps = set()
    for number in range(80):
        movement = Movement(f"one of many {number}", ONE)
        world.chain.send(world.acme.settle_subscription(world.order("open"), movement, ONE // 4))
        bumps.add(world.chain.read(accounts.Movement, world.acme.movement(movement)).bump)
        bumps.add(world.chain.read(accounts.Fill, world.acme.fill(movement, world.order("open"))).bump)
    assert len(bumps) > 5


def test_a_movement_has_no_second_address_at_a_lower_bump() -> None:
    world = World.fresh()
    seeds = [b"movement", bytes(world.acme.address), digest("twice")]
    _, canonical = Pubkey.find_program_address(seeds, PROGRAM_ID)
    lower = next(found for bump in range(canonical - 1, -1, -1) if (found := _at_bump(seeds, bump)))
    fill = addresses.fill_address(lower, world.order("open"))
    settle = world.acme.settle_subscription
    world.chain.refuse(
        "ConstraintSeeds", settle(world.order("open"), Movement("twice", ONE), movement=lower, fill=fill)
    )


def _at_bump(seeds: list[bytes], bump: int) -> Pubkey | None:
    """The address at that bump, None where there is none. The exception's type is not public."""
    try:
        return Pubkey.create_program_address([*seeds, bytes([bump])], PROGRAM_ID)
    except BaseException:
        return None


def test_a_movement_is_not_minted_twice_by_two_orders() -> None:
    world = World.fresh()
    movement = Movement("once", 50 * ONE)
    world.chain.send(world.acme.settle_subscription(world.order("open"), movement))
    second = world.acme.settle_subscription(world.order("open", wallet=world.bob), movement, 1)
    world.chain.refuse("MovementExceeded", second)


def test_a_corrected_mint_does_not_free_its_movement() -> None:
    world = World.fresh()
    chain, acme, movement = world.chain, world.acme, Movement("once", 50 * ONE)
    chain.send(acme.settle_subscription(world.order("open"), movement))
    chain.send(acme.correct_fill(acme.fill(movement, world.order("open")), world.alice, 50 * ONE))
    chain.refuse("MovementExceeded", acme.settle_subscription(world.order("open", wallet=world.bob), movement, 1))


@pytest.mark.parametrize("shares", [49 * ONE, 51 * ONE])
def test_a_movement_cannot_be_told_anew(shares: int) -> None:
    world = World.fresh()
    world.chain.send(world.acme.settle_subscription(world.order("open"), Movement("once", 50 * ONE), ONE))
    again = world.acme.settle_subscription(world.order("open", wallet=world.bob), Movement("once", shares), ONE)
    world.chain.refuse("MovementDiffers", again)


def test_a_correction_is_not_corrected() -> None:
    world = World.fresh()
    chain, acme, fill = world.chain, world.acme, world.fill()
    chain.send(acme.correct_fill(fill, world.bob, ONE))
    chain.refuse("WrongFill", acme.correct_fill(addresses.correction_address(fill, 0), world.bob, ONE))


# Reserve -------------------------------------------------------------------------------------------------------------


def test_an_equal_as_of_counts_where_it_names_what_it_supersedes() -> None:
    world = World.fresh()
    acme, before = world.acme, world.acme.state
    content = replace(acme.content(9_000 * ONE, as_of=before.reserve_as_of), supersedes=before.attestation)
    for attestor in (1, 2):
        world.chain.send(acme.attest(content, attestor))
    assert acme.state.reserve == 9_000 * ONE
    assert acme.state.attestations_hash != before.attestations_hash


def test_an_attestation_superseded_meanwhile_never_comes_in_force() -> None:
    world = World.fresh()
    world.chain.warp(HOUR)
    older, newer = world.acme.content(99_000 * ONE), world.acme.content(9_000 * ONE, as_of=world.chain.now - 10)
    world.chain.send(world.acme.attest(older, 1))
    for attestor in (1, 2):
        world.chain.send(world.acme.attest(newer, attestor))
    world.chain.refuse("AttestationNotNewer", world.acme.attest(older, 2))


@pytest.mark.parametrize("change", ["grant", "revoke", "veto"])
def test_a_new_attestor_epoch_voids_approvals_given_before(change: str) -> None:
    world = World.fresh()
    chain, alpha, acme = world.chain, world.alpha, world.acme
    chain.warp(HOUR)
    content = acme.content(9_000 * ONE)
    if change == "veto":
        chain.send(alpha.grant_role(RoleKind.ATTESTOR, NEWCOMER))
    chain.send(acme.attest(content, 1))
    moved = {
        "grant": alpha.grant_role(RoleKind.ATTESTOR, NEWCOMER),
        "revoke": alpha.revoke_role(RoleKind.ATTESTOR, 3),
        "veto": alpha.veto(role=alpha.role(RoleKind.ATTESTOR, NEWCOMER)),
    }
    chain.send(moved[change])
    chain.send(acme.attest(content, 2))
    assert acme.state.reserve == 10_000 * ONE
    chain.send(acme.attest(content, 1))
    assert acme.state.reserve == 9_000 * ONE


def test_a_reverse_split_opens_no_headroom_on_an_old_attestation() -> None:
    world = World.fresh()
    action = split(world.acme, 1, 10)
    action.do_execute()
    world.chain.set_time(action.terms.effective_at - 1)
    world.acme.do_attest(9_000 * ONE)
    world.chain.set_time(action.terms.effective_at)
    world.chain.refuse("ReserveBeforeMultiplierChange", CASES["settle_subscription"](world))


def test_a_pending_multiplier_takes_effect_by_the_clock_alone() -> None:
    world = World.fresh()
    chain, acme, order = world.chain, world.acme, world.order("open")
    acme.rewrite(pending_multiplier=2 * MULTIPLIER_ONE, multiplier_effective_at=chain.now + 2 * HOUR)
    chain.send(acme.settle_subscription(order, Movement("before", 10 * ONE)))
    chain.warp(3 * HOUR)
    acme.do_attest(20_000 * ONE)
    receipt = chain.send(acme.settle_subscription(order, Movement("after", 10 * ONE)))
    settled = [each for each in receipt.events if isinstance(each, events.SubscriptionSettled)]
    assert [(each.raw, each.multiplier) for each in settled] == [(5 * ONE, 2 * MULTIPLIER_ONE)]


def test_after_a_reverse_split_a_new_attestation_backs_its_shares_and_no_more() -> None:
    world = World.fresh()
    chain, acme, order = world.chain, world.acme, world.order("open")
    split(acme, 1, 10).do_take_effect()
    chain.warp(HOUR)
    owed = -(-acme.minted.supply // 10)
    acme.do_attest(owed)
    chain.refuse("ReserveExceeded", acme.settle_subscription(order, Movement("one", 1), 1))
    chain.warp(HOUR)
    acme.do_attest(owed + 1)
    receipt = chain.send(acme.settle_subscription(order, Movement("one", 1), 1))
    assert [each.raw for each in receipt.events if isinstance(each, events.SubscriptionSettled)] == [10]


def test_the_part_of_a_share_that_the_supply_stands_for_needs_a_whole_one() -> None:
    world = World.fresh()
    chain, acme, order = world.chain, world.acme, world.order("open")
    split(acme, MULTIPLIER_ONE + 1, MULTIPLIER_ONE).do_take_effect()
    chain.warp(HOUR)
    after = acme.minted.supply + 9
    acme.do_attest(after)
    call = acme.settle_subscription(order, Movement("ten", 10))
    chain.refuse("ReserveExceeded", call)
    chain.warp(HOUR)
    acme.do_attest(after + 1)
    chain.send(call)
    assert acme.minted.supply == after


def test_what_was_redeemed_since_the_as_of_is_no_longer_reserve() -> None:
    world = World.fresh()
    chain, acme = world.chain, world.acme
    chain.warp(HOUR)
    supply = acme.minted.supply
    acme.do_attest(supply)
    out = Movement("paid out", 15 * ONE)
    chain.send(acme.settle_redemption(world.order("accepted"), out, 15 * ONE))
    chain.refuse("ReserveExceeded", acme.settle_subscription(world.order("open"), Movement("in", ONE)))


def test_an_attestation_cannot_count_what_is_only_accepted() -> None:
    world = World.fresh()
    world.chain.warp(HOUR)
    content = world.acme.content(9_000 * ONE, redeemed=world.acme.state.redeemed + 1)
    world.chain.refuse("RedeemedTooHigh", world.acme.attest(content))


def test_a_redemption_given_back_does_not_hide_a_later_one_from_the_reserve() -> None:
    world = World.fresh()
    chain, acme = world.chain, world.acme
    returned, settled = world.order("accepted"), world.order("accepted", wallet=world.bob)
    chain.warp(HOUR)
    supply = acme.minted.supply
    acme.do_attest(supply)
    chain.send(acme.cancel_redemption(returned))
    chain.send(acme.settle_redemption(settled, Movement("to bob", 20 * ONE), 20 * ONE))
    refused = acme.settle_subscription(world.order("open"), Movement("in", ONE), 1)
    chain.refuse("ReserveExceeded", refused)


# Limits --------------------------------------------------------------------------------------------------------------


def newly_limited(world: World, window: int) -> tuple[Security, Pubkey]:
    """A security with an operator who may mint 10 shares a window and has not begun, and an order of 50."""
    security = replace(world.beta, operator=2)
    world.chain.send(security.set_limit(10 * ONE, ONE, window))
    world.chain.warp(HOUR)
    return security, world.order("open", security)


def test_a_limit_gives_no_second_cap_at_the_edge_of_its_window() -> None:
    world = World.fresh()
    security, order = newly_limited(world, HOUR)
    world.chain.send(security.settle_subscription(order, Movement("a", 10 * ONE)))
    world.chain.warp(HOUR // 2)
    world.chain.refuse("LimitExceeded", security.settle_subscription(order, Movement("b", 5 * ONE + 1)))
    world.chain.send(security.settle_subscription(order, Movement("c", 5 * ONE)))
    world.chain.refuse("LimitExceeded", security.settle_subscription(order, Movement("d", 1)))


def test_revoking_and_granting_again_gives_no_limit_back() -> None:
    world = World.fresh()
    security, order = newly_limited(world, 30 * DAY)
    world.chain.send(security.settle_subscription(order, Movement("a", 10 * ONE)))
    world.chain.send(world.alpha.revoke_role(RoleKind.OPERATOR, 2))
    world.chain.warp(1)
    world.chain.send(world.alpha.grant_role(RoleKind.OPERATOR, 2))
    world.chain.warp(world.alpha.delay)
    world.chain.refuse("LimitExceeded", security.settle_subscription(order, Movement("b", ONE)))


def test_raising_a_limit_gives_no_use_back() -> None:
    world = World.fresh()
    security, order = newly_limited(world, 30 * DAY)
    world.chain.send(security.settle_subscription(order, Movement("a", 10 * ONE)))
    world.chain.send(security.set_limit(12 * ONE, ONE, 30 * DAY))
    world.chain.warp(world.alpha.delay)
    world.chain.refuse("LimitExceeded", security.settle_subscription(order, Movement("b", 2 * ONE + 10**5)))
    world.chain.send(security.settle_subscription(order, Movement("c", 2 * ONE)))


def test_a_clock_that_goes_back_recovers_no_limit() -> None:
    world = World.fresh()
    security, order = newly_limited(world, HOUR)
    world.chain.send(security.settle_subscription(order, Movement("a", 10 * ONE)))
    world.chain.warp(-30)
    world.chain.refuse("LimitExceeded", security.settle_subscription(order, Movement("b", 1)))


# Powers and holds ----------------------------------------------------------------------------------------------------


def test_a_guardians_removal_waits_and_it_can_veto_meanwhile() -> None:
    world = World.fresh()
    chain, alpha = world.chain, world.alpha
    chain.send(alpha.revoke_role(RoleKind.GUARDIAN))
    chain.send(alpha.propose_admin(NEWCOMER))
    chain.send(alpha.veto())
    chain.send(alpha.veto(role=alpha.role(RoleKind.GUARDIAN), **alpha.beside(RoleKind.COMPLIANCE)))
    chain.warp(DAY)
    chain.send(alpha.propose_admin(NEWCOMER))
    chain.send(alpha.veto())


def test_a_guardian_is_gone_after_the_delay() -> None:
    world = World.fresh()
    chain, alpha = world.chain, world.alpha
    chain.send(alpha.revoke_role(RoleKind.GUARDIAN))
    chain.warp(alpha.delay)
    chain.send(alpha.propose_admin(NEWCOMER))
    chain.refuse("RoleNotInForce", alpha.veto())


def test_two_holds_that_overlap_are_two_reasons() -> None:
    world = World.fresh()
    chain, acme = world.chain, world.acme
    chain.send(acme.place_hold(1, SCOPE_TRANSFER))
    chain.send(acme.place_hold(2, SCOPE_TRANSFER, RoleKind.OPERATOR))
    chain.send(acme.release_hold(1))
    sent = acme.transfer(acme.tokens(world.alice), world.alice, acme.tokens(world.bob), 1)
    chain.refuse("token:67", sent)
    chain.send(acme.release_hold(2, RoleKind.OPERATOR))
    chain.send(sent)


def test_admin_and_guardian_together_lift_the_hold_of_a_role_that_ended() -> None:
    world = World.fresh()
    chain, alpha, acme = world.chain, world.alpha, world.acme
    chain.send(acme.place_hold(1, SCOPE_MINT, expires_in=None))
    chain.send(alpha.revoke_role(RoleKind.COMPLIANCE))
    chain.send(acme.release_hold(1, consent=RoleKind.GUARDIAN, authority=alpha.admin))
    assert acme.state.mint_holds == 0


@pytest.mark.parametrize("scope", [SCOPE_MINT, SCOPE_REDEEM])
def test_no_hold_stops_a_return(scope: int) -> None:
    world = World.fresh()
    chain, acme = world.chain, world.acme
    chain.send(acme.place_hold(1, scope, expires_in=None))
    chain.send(acme.cancel_redemption(world.order("accepted")))
    chain.warp(DAY + 1)
    chain.send(acme.withdraw_redemption(world.order("requested")))


def test_neither_suspension_nor_a_lapsed_approval_stops_a_return() -> None:
    world = World.fresh()
    chain, acme = world.chain, world.acme
    chain.send(world.alpha.suspend_holder(world.alice))
    chain.warp(400 * DAY)
    for name in ("requested", "accepted"):
        chain.send(acme.withdraw_redemption(world.order(name)))
        assert chain.read(accounts.Order, world.order(name)).status is OrderStatus.WITHDRAWN


# Events --------------------------------------------------------------------------------------------------------------


def test_nobody_else_emits_an_event_of_the_program() -> None:
    world = World.fresh()
    faked = events.AdminAccepted(world.alpha.address, world.alpha.admin, world.stranger)
    authority = addresses.event_authority_address()
    for signs in (False, True):
        signer = AccountMeta(world.stranger if signs else authority, is_signer=signs, is_writable=False)
        call = Instruction(PROGRAM_ID, EVENT_TAG + faked.encode(), [signer])
        world.chain.refuse("ConstraintSeeds" if signs else "ConstraintSigner", call)


def test_an_unknown_instruction_is_refused() -> None:
    world = World.fresh()
    world.chain.refuse("InstructionFallbackNotFound", Instruction(PROGRAM_ID, b"no such1", []))
