"""What each instruction of corporate actions does, and the traps of a multiplier that depends on the clock."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from actions import CORPORATE_ACTIONS, Action, delisting, dividend, split
from cases import CASES
from chain_in_process import digest
from solders.instruction import AccountMeta, Instruction
from solders.message import Message
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import SimulatedTransactionInfo
from tallystick.domain.amounts import changed_multiplier, multiplier_to_float_bits
from tallystick.program.generated import accounts, events
from tallystick.program.generated.types import ActionKind, ActionStatus, OrderStatus, RoleKind, SecurityStatus
from tallystick.program.token import TOKEN_2022_PROGRAM
from world import DAY, HOUR, MULTIPLIER_ONE, ONE, Movement, Security, World

FRESH = Movement("fresh in", ONE)
AMOUNT_TO_UI_AMOUNT = b"\x17"


def shown(security: Security) -> Fraction:
    """What Token-2022 itself says one token is, to the places it shows."""
    chain = security.chain
    data = AMOUNT_TO_UI_AMOUNT + ONE.to_bytes(8, "little")
    ask = Instruction(TOKEN_2022_PROGRAM, data, [AccountMeta(security.mint, is_signer=False, is_writable=False)])
    message = Message([ask], chain.fee_payer)
    result = chain.svm.simulate_transaction(VersionedTransaction.populate(message, [Signature.default()]))
    assert isinstance(result, SimulatedTransactionInfo)
    return Fraction(bytes(result.meta().return_data().data).decode())


def in_force(security: Security) -> int:
    """The multiplier that the security's account says is in force."""
    state = security.state
    matured = state.multiplier_effective_at and security.chain.now >= state.multiplier_effective_at
    return state.pending_multiplier if matured else state.multiplier


def assert_shown_as_it_is(security: Security) -> None:
    """Token-2022's double is the greatest not above ours, at this time by the chain's clock."""
    scaled = security.minted.extensions.scaled_ui_amount
    assert scaled is not None
    assert scaled.current_bits(security.chain.now) == multiplier_to_float_bits(in_force(security))
    assert abs(shown(security) - Fraction(in_force(security), MULTIPLIER_ONE)) <= Fraction(1, 10**6)


def attested(world: World, shares: int = 9_000 * ONE) -> None:
    """A reserve in force, as of a second ago."""
    world.acme.do_attest(shares, as_of=world.chain.now - 1)


# What they do ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [lambda acme: split(acme, 2), dividend, delisting], ids=["split", "cash", "delisting"])
def test_announce_action_writes_the_first_version(make) -> None:  # type: ignore[no-untyped-def]
    world = World.fresh()
    action = make(world.acme)
    (event,) = world.chain.send(action.announce()).events
    announcer = world.alpha.key(CORPORATE_ACTIONS)
    assert event == events.ActionAnnounced(
        security=world.acme.address,
        action=action.address,
        event_hash=action.event_hash,
        action_version=1,
        replaces=Pubkey.default(),
        kind=action.kind,
        terms=action.terms,
        announcer=announcer,
    )
    state = action.state
    assert state == accounts.CorporateAction(
        version=1,
        bump=state.bump,
        kind=action.kind,
        status=ActionStatus.ANNOUNCED,
        security=world.acme.address,
        event_hash=action.event_hash,
        action_version=1,
        replaces=Pubkey.default(),
        terms=action.terms,
        announcer=announcer,
        approver=Pubkey.default(),
        announced_at=world.chain.now,
        approved_at=0,
        status_at=world.chain.now,
        multiplier_before=0,
        multiplier_after=0,
        distributions=0,
        reserved=bytes(64),
    )


def test_announce_action_of_a_new_version_replaces_the_one_before_and_its_approval() -> None:
    world = World.fresh()
    first = split(world.acme, 2).do_approve()
    world.chain.warp(HOUR)
    second = first.next(effective_at=world.chain.now + DAY)
    (event,) = world.chain.send(second.announce()).events
    assert isinstance(event, events.ActionAnnounced)
    assert (event.replaces, event.action_version) == (first.address, 2)
    assert (first.state.status, first.state.status_at) == (ActionStatus.REPLACED, world.chain.now)
    assert (second.state.status, second.state.approver) == (ActionStatus.ANNOUNCED, Pubkey.default())
    world.chain.refuse("ActionNotApproved", second.execute())


def test_a_cancelled_version_is_replaced_by_the_next() -> None:
    world = World.fresh()
    first = split(world.acme, 2).do_announce()
    world.chain.send(first.cancel())
    first.next().do_execute()
    assert first.state.status is ActionStatus.REPLACED


def test_approve_action_names_the_second_key() -> None:
    world = World.fresh()
    action = split(world.acme, 2).do_announce()
    world.chain.warp(HOUR)
    (event,) = world.chain.send(action.approve()).events
    approver = world.alpha.key(CORPORATE_ACTIONS, 2)
    assert event == events.ActionApproved(security=world.acme.address, action=action.address, approver=approver)
    state = action.state
    assert (state.status, state.approver) == (ActionStatus.APPROVED, approver)
    assert (state.approved_at, state.status_at) == (world.chain.now, world.chain.now)


@pytest.mark.parametrize(
    ("kind", "new", "old"),
    [
        (ActionKind.FORWARD_SPLIT, 7, 3),
        (ActionKind.REVERSE_SPLIT, 1, 3),
        (ActionKind.STOCK_DIVIDEND, 21, 20),
        (ActionKind.REINVESTED_DIVIDEND, 1_003, 1_000),
        (ActionKind.REINVESTED_DIVIDEND, 1, 1),
    ],
)
def test_execute_action_sets_the_multiplier_from_its_time_here_and_in_token_2022(
    kind: ActionKind, new: int, old: int
) -> None:
    world = World.fresh()
    chain, acme = world.chain, world.acme
    action = replace(split(acme, new, old), kind=kind).do_approve()
    (event,) = chain.send(action.execute()).events
    after = changed_multiplier(MULTIPLIER_ONE, new, old)
    effective_at = action.terms.effective_at
    assert event == events.ActionExecuted(
        security=acme.address,
        action=action.address,
        executed_by=world.alpha.key(CORPORATE_ACTIONS),
        multiplier_before=MULTIPLIER_ONE,
        multiplier_after=after,
        effective_at=effective_at,
    )
    state = acme.state
    assert (state.multiplier, state.pending_multiplier) == (MULTIPLIER_ONE, after)
    assert (state.multiplier_effective_at, action.state.multiplier_after) == (effective_at, after)
    for now in (chain.now, effective_at - 1, effective_at, effective_at + DAY):
        chain.set_time(now)
        assert_shown_as_it_is(acme)
    assert in_force(acme) == after


def test_execute_action_by_the_approver_alone_will_do_while_its_role_lives() -> None:
    world = World.fresh()
    action = split(world.acme, 2).do_approve()
    world.chain.send(world.alpha.revoke_role(CORPORATE_ACTIONS, 1))
    world.chain.refuse("RoleNotInForce", action.execute())
    approver = {"executor": world.alpha.key(CORPORATE_ACTIONS, 2), "role": world.alpha.role(CORPORATE_ACTIONS, 2)}
    assert world.chain.send(action.execute(**approver)).events


@pytest.mark.parametrize("kind", [CORPORATE_ACTIONS, RoleKind.GUARDIAN])
@pytest.mark.parametrize("number", [1, 2])
def test_cancel_action_ends_what_was_announced_or_approved(kind: RoleKind, number: int) -> None:
    world = World.fresh()
    for status, action in (
        (ActionStatus.ANNOUNCED, split(world.acme, 2).do_announce()),
        (ActionStatus.APPROVED, replace(dividend(world.acme), event="EVENT 2").do_approve()),
    ):
        mint = world.chain.find(world.acme.mint)
        (event,) = world.chain.send(action.cancel(kind, number)).events
        assert event == events.ActionCancelled(
            security=world.acme.address,
            action=action.address,
            cancelled_by=world.alpha.key(kind, number),
            previous_status=status,
            reason_code=13,
            reason_hash=digest("reason"),
        )
        assert action.state.status is ActionStatus.CANCELLED
        assert world.chain.find(world.acme.mint) == mint


def test_cancel_action_takes_a_pending_change_back_and_the_reserve_backs_as_before() -> None:
    world = World.fresh()
    chain, acme = world.chain, world.acme
    action = split(acme, 1, 10)
    action.do_execute()
    effective_at = action.terms.effective_at
    chain.set_time(effective_at - HOUR - 1)
    attested(world)
    chain.set_time(effective_at - 1)
    chain.refuse("MultiplierChangeWindow", acme.settle_subscription(world.order("open"), FRESH))
    (event,) = chain.send(action.cancel(RoleKind.GUARDIAN)).events
    assert isinstance(event, events.ActionCancelled)
    assert event.previous_status is ActionStatus.EXECUTED
    state = acme.state
    assert (state.pending_multiplier, state.multiplier_effective_at, state.multiplier_changed_at) == (0, 0, 0)
    for now in (effective_at - 1, effective_at, effective_at + HOUR):
        chain.set_time(now)
        assert_shown_as_it_is(acme)
    assert in_force(acme) == MULTIPLIER_ONE
    assert chain.send(acme.settle_subscription(world.order("open"), FRESH)).events


def test_retire_security_ends_minting_and_redemptions_go_on() -> None:
    world = World.fresh()
    chain, acme = world.chain, world.acme
    chain.warp(DAY // 2)
    action = delisting(acme).do_approve()
    chain.set_time(action.terms.effective_at)
    acme.do_attest(9_000 * ONE)
    (event,) = chain.send(action.retire()).events
    executor = world.alpha.key(CORPORATE_ACTIONS)
    assert event == events.SecurityRetired(security=acme.address, action=action.address, retired_by=executor)
    assert acme.state.status is SecurityStatus.RETIRED
    assert action.state.status is ActionStatus.EXECUTED
    chain.refuse("SecurityRetired", acme.settle_subscription(world.order("open"), FRESH))
    chain.refuse("SecurityRetired", acme.open_subscription(world.alice, "new", ONE))
    order = acme.do_request(world.alice, "last", ONE, accept=True)
    chain.send(acme.settle_redemption(order, Movement("last out", ONE), ONE))
    assert chain.read(accounts.Order, order).status is OrderStatus.SETTLED


def test_a_retired_security_still_pays_cash_and_its_redemptions_follow_splits() -> None:
    world = World.fresh()
    acme = world.acme
    before = replace(split(acme, 1, 2, effective_at=world.chain.now + 2 * DAY), event="EVENT 2").do_approve()
    delisting(acme).do_execute()
    world.chain.send(before.execute())
    world.chain.set_time(before.terms.effective_at)
    replace(split(acme, 3), event="EVENT 3").do_take_effect()
    assert in_force(acme) == MULTIPLIER_ONE // 2 * 3
    assert world.chain.send(replace(dividend(acme), event="EVENT 4").announce()).events


# Law 5: announced before done -----------------------------------------------------------------------------------------


def test_the_notice_of_a_new_version_starts_anew() -> None:
    world = World.fresh()
    first = split(world.acme, 2).do_approve()
    world.chain.warp(DAY - HOUR)
    world.chain.refuse("NoticeTooShort", first.next(numerator=3).announce())
    second = first.next(numerator=3, effective_at=world.chain.now + DAY)
    second.do_execute()
    world.chain.set_time(second.terms.effective_at)
    assert in_force(world.acme) == 3 * MULTIPLIER_ONE


def test_a_longer_notice_binds_what_is_announced_under_it_and_not_what_was_before() -> None:
    world = World.fresh()
    acme = world.acme
    announced = split(acme, 2).do_approve()
    acme.rewrite(policy=replace(acme.state.policy, notice=2 * DAY))
    world.chain.refuse("NoticeTooShort", replace(split(acme, 2), event="EVENT 2").announce())
    assert world.chain.send(announced.execute()).events


def test_an_approval_given_under_an_earlier_grant_does_not_count() -> None:
    world = World.fresh()
    action = split(world.acme, 2).do_approve()
    world.chain.send(world.alpha.revoke_role(CORPORATE_ACTIONS, 2))
    world.chain.refuse("ApprovalNotLive", action.execute())
    world.chain.warp(1)
    world.chain.send(world.alpha.grant_role(CORPORATE_ACTIONS, 2))
    world.chain.warp(world.alpha.delay)
    world.chain.refuse("ApprovalNotLive", action.execute())
    action.next(effective_at=world.chain.now + DAY).do_execute()
    assert action.state.status is ActionStatus.REPLACED


def test_an_event_is_announced_once_however_its_id_is_spelled() -> None:
    world = World.fresh()
    action = split(world.acme, 2).do_announce()
    world.chain.refuse("system:0", replace(action, event=" event  1").announce())


def test_a_reverse_split_of_500_for_1_can_be_said() -> None:
    world = World.fresh()
    acme = world.acme
    acme.rewrite(policy=replace(acme.state.policy, max_change_numerator=500))
    split(acme, 1, 500).do_take_effect()
    assert in_force(acme) == MULTIPLIER_ONE // 500
    assert_shown_as_it_is(acme)


# A multiplier that depends on the clock -------------------------------------------------------------------------------


def test_a_matured_change_is_folded_in_before_the_next_one_waits() -> None:
    world = World.fresh()
    chain, acme = world.chain, world.acme
    first = split(acme, 1, 3).do_take_effect()
    second = replace(split(acme, 5, 2), event="EVENT 2").do_approve()
    chain.warp(HOUR)
    chain.send(second.execute())
    third = MULTIPLIER_ONE // 3
    state = acme.state
    assert (state.multiplier, state.multiplier_changed_at) == (third, first.terms.effective_at)
    assert second.state.multiplier_before == third
    for now in (chain.now, second.terms.effective_at - 1, second.terms.effective_at):
        chain.set_time(now)
        assert_shown_as_it_is(acme)
    assert in_force(acme) == changed_multiplier(third, 5, 2)


def test_thirty_changes_in_a_row_round_down_to_18_places_each_and_overflow_nothing() -> None:
    world = World.fresh()
    acme, expected = world.acme, MULTIPLIER_ONE
    for number in range(30):
        new, old = ((3, 2), (7, 5), (1, 3), (9, 7), (5, 8))[number % 5]
        replace(split(acme, new, old), event=f"EVENT {number}").do_take_effect()
        expected = expected * new // old
        assert in_force(acme) == expected
        assert_shown_as_it_is(acme)
    assert expected % 10**9 != 0


def test_cancelling_the_second_of_two_changes_leaves_the_first() -> None:
    world = World.fresh()
    acme = world.acme
    split(acme, 1, 3).do_take_effect()
    second = replace(split(acme, 2), event="EVENT 2")
    second.do_execute()
    world.chain.send(second.cancel())
    world.chain.set_time(second.terms.effective_at)
    assert in_force(acme) == MULTIPLIER_ONE // 3
    assert_shown_as_it_is(acme)


def test_a_mint_right_before_the_execution_gives_no_headroom_after_it() -> None:
    world = World.fresh()
    chain, acme, order = world.chain, world.acme, world.order("open")
    action = split(acme, 1, 10).do_approve()
    effective_at = action.terms.effective_at
    chain.set_time(effective_at - 2)
    attested(world)
    chain.send(acme.settle_subscription(order, Movement("before", ONE)), action.execute())
    chain.refuse("MultiplierChangeWindow", acme.settle_subscription(order, FRESH))
    chain.set_time(effective_at)
    chain.refuse("ReserveBeforeMultiplierChange", acme.settle_subscription(order, FRESH))
    chain.warp(2)
    attested(world, 900 * ONE)
    (event,) = chain.send(acme.settle_subscription(order, FRESH)).events
    assert isinstance(event, events.SubscriptionSettled)
    assert event.raw == 10 * ONE


def test_a_statement_of_the_very_second_of_a_change_backs_nothing() -> None:
    world = World.fresh()
    chain, acme = world.chain, world.acme
    action = split(acme, 2).do_take_effect()
    chain.warp(1)
    acme.do_attest(9_000 * ONE, as_of=action.terms.effective_at)
    chain.refuse("ReserveBeforeMultiplierChange", acme.settle_subscription(world.order("open"), FRESH))


def test_a_redemption_across_a_split_pays_the_shares_of_the_day_it_settles() -> None:
    world = World.fresh()
    chain, acme, order = world.chain, world.acme, world.order("accepted", wallet=world.bob)
    split(acme, 3, 2).do_take_effect()
    (event,) = chain.send(acme.settle_redemption(order, Movement("out", 15 * ONE), 10 * ONE)).events
    assert isinstance(event, events.RedemptionSettled)
    assert (event.raw, event.shares, event.multiplier) == (10 * ONE, 15 * ONE, MULTIPLIER_ONE * 3 // 2)


def test_a_change_executed_while_transfers_are_held_is_shown_all_the_same() -> None:
    world = World.fresh()
    world.chain.send(CASES["place_hold"](world))
    split(world.acme, 2).do_take_effect()
    assert_shown_as_it_is(world.acme)


def test_every_kind_that_pays_cash_waits_for_its_distribution() -> None:
    world = World.fresh()
    for kind in (ActionKind.CASH_DIVIDEND, ActionKind.MERGER, ActionKind.SPIN_OFF):
        action: Action = replace(dividend(world.acme), kind=kind, event=f"EVENT {kind}").do_approve()
        world.chain.refuse("ActionOfWrongKind", action.execute())
