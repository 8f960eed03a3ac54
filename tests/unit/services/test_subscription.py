"""Subscriptions: what is refused in words before it is signed, and what settles."""

from __future__ import annotations

import pytest
from desk import DAY, SHARE, Desk, movement
from solders.pubkey import Pubkey
from tallystick.adapters.chain.protocol import Account
from tallystick.errors import InputError, Refused
from tallystick.program.addresses import holder_address
from tallystick.program.generated.accounts import Fill, Order
from tallystick.program.generated.types import OrderStatus, RoleKind
from tallystick.program.token import TokenAccountState, associated_token_address
from tallystick.services.chain_reads import list_fills, read
from tallystick.services.holders import plan_approve_holder, plan_suspend_holder
from tallystick.services.holds import Scope, plan_place_hold
from tallystick.services.issuers import plan_revoke_role
from tallystick.services.movements import MovementReference, Part
from tallystick.services.plans import Plan
from tallystick.services.securities import plan_set_limit
from tallystick.services.subscription import (
    plan_cancel_subscription,
    plan_open_subscription,
    plan_settle_subscription,
)

BLOCK = movement("BLOCK 1", 100 * SHARE)


async def order_of(desk: Desk, address: Pubkey) -> Order:
    found = await read(desk.chain, Order, address)
    assert found is not None
    return found


async def open_again(desk: Desk, **changes: object) -> str:
    """What opening alice's order is refused with; nothing is there afterwards that was not before."""
    values: dict[str, object] = {
        "payer": desk["payer"],
        "authority": desk["operator"],
        "security": desk.security,
        "wallet": desk["alice"],
        "reference": "o-1",
        "shares": SHARE,
        "settle_by": desk.now + DAY,
    }
    before = desk.chain.ledger.transaction_count
    with pytest.raises(Refused) as refused:
        await plan_open_subscription(desk.chain, **(values | changes))  # type: ignore[arg-type]
    assert desk.chain.ledger.transaction_count == before
    assert refused.value.hint
    return refused.value.message


async def settle_refused(desk: Desk, *parts: Part, of: MovementReference = BLOCK) -> str:
    """What a settlement is refused with; nothing was minted and nothing was sent."""
    before = (desk.supply, desk.chain.ledger.transaction_count, desk.state(desk.security))
    with pytest.raises(Refused) as refused:
        await desk.plan_settle(of, *parts)
    assert (desk.supply, desk.chain.ledger.transaction_count, desk.state(desk.security)) == before
    assert refused.value.hint
    return refused.value.message


async def test_one_movement_settles_several_orders_and_a_fraction_of_a_share(ready: Desk) -> None:
    first = await ready.subscribe("alice", 99 * SHARE, "o-1")
    second = await ready.subscribe("bob", SHARE // 4, "o-1")
    plan = await ready.plan_settle(BLOCK, Part(first, 60 * SHARE), Part(second, SHARE // 4))
    await ready.run(plan)
    assert (ready.tokens("alice"), ready.tokens("bob")) == (60 * SHARE, SHARE // 4)
    assert (await order_of(ready, second)).status is OrderStatus.SETTLED
    assert (await order_of(ready, first)).filled == 60 * SHARE
    again = await ready.plan_settle(BLOCK, Part(first, 60 * SHARE), Part(second, SHARE // 4))
    assert again.is_empty
    assert len(again.notes) == 2


async def test_a_plan_leaves_out_the_part_that_is_settled_and_keeps_the_rest(ready: Desk) -> None:
    first, second = [await ready.subscribe(name, 10 * SHARE, "o-1") for name in ("alice", "bob")]
    await ready.run(await ready.plan_settle(BLOCK, Part(first, 10 * SHARE)))
    plan = await ready.plan_settle(BLOCK, Part(first, 10 * SHARE), Part(second, 10 * SHARE))
    assert [action.intent.split(":")[1] for action in plan.actions] == [str(second)]
    await ready.run(plan)
    assert ready.supply == 20 * SHARE


async def test_intents_name_order_and_movement_and_the_program_guards_them(ready: Desk) -> None:
    order = await ready.subscribe("alice", SHARE, "o-1")
    [action] = (await ready.plan_settle(BLOCK, Part(order, SHARE))).actions
    assert action.intent == f"settle:{order}:{BLOCK.address(ready.security)}"
    assert action.is_guarded
    assert action.is_done is not None
    assert await action.is_done() is False
    await ready.run(await ready.plan_settle(BLOCK, Part(order, SHARE)))
    assert await action.is_done() is True
    assert len((await list_fills(ready.chain, ready.security)).accounts) == 1


async def test_the_holder_orders_and_cancels_after_the_deadline_by_itself(ready: Desk) -> None:
    plan = await plan_open_subscription(
        ready.chain,
        payer=ready["alice"],
        authority=ready["alice"],
        security=ready.security,
        wallet=ready["alice"],
        reference="mine",
        shares=SHARE,
        settle_by=ready.now + 50,
    )
    await ready.run(plan)
    order = ready.order("alice", "mine")

    async def cancel() -> Plan:
        return await plan_cancel_subscription(
            ready.chain, payer=ready["alice"], authority=ready["alice"], order=order, reason_code=3
        )

    with pytest.raises(Refused, match="may end this order after"):
        await cancel()
    ready.warp(60)
    await ready.run(await cancel())
    assert (await order_of(ready, order)).status is OrderStatus.CANCELLED
    assert (await cancel()).is_empty


async def test_an_operator_cancels_at_any_time_and_a_settled_order_never(ready: Desk) -> None:
    open_order = await ready.subscribe("alice", SHARE, "o-1")
    settled = await ready.give("bob", SHARE, "o-2")
    plan = await plan_cancel_subscription(
        ready.chain, payer=ready["payer"], authority=ready["operator"], order=open_order, reason_code=1
    )
    await ready.run(plan)
    assert (await order_of(ready, open_order)).reason_code == 1
    with pytest.raises(Refused, match="finished"):
        await plan_cancel_subscription(
            ready.chain, payer=ready["payer"], authority=ready["operator"], order=settled, reason_code=1
        )


async def test_an_order_is_refused_to_a_wallet_that_nobody_approved(ready: Desk) -> None:
    assert "no approved holder" in await open_again(ready, wallet=ready["stranger"])


async def test_an_order_is_refused_to_a_suspended_wallet(ready: Desk) -> None:
    await ready.run(
        await plan_suspend_holder(
            ready.chain,
            payer=ready["payer"],
            issuer=ready.issuer,
            compliance=ready["compliance"],
            wallet=ready["alice"],
            evidence_hash=b"s" * 32,
        )
    )
    assert "suspended" in await open_again(ready)


async def test_an_order_is_refused_once_the_approval_lapsed(ready: Desk) -> None:
    ready.warp(366 * DAY)
    assert "lapsed" in await open_again(ready)


async def test_an_order_is_refused_to_the_wrong_permission_class(ready: Desk) -> None:
    await ready.run(
        await plan_approve_holder(
            ready.chain,
            payer=ready["payer"],
            issuer=ready.issuer,
            compliance=ready["compliance"],
            wallet=ready["alice"],
            investor_id=b"a" * 32,
            classes=2,
            approved_until=ready.now + DAY,
            evidence_hash=b"e" * 32,
        )
    )
    assert "permission classes" in await open_again(ready)


async def test_an_order_is_refused_by_a_key_that_is_no_operator(ready: Desk) -> None:
    assert "no operator" in await open_again(ready, authority=ready["stranger"])


async def test_an_order_is_refused_with_a_deadline_in_the_past(ready: Desk) -> None:
    assert "deadline" in await open_again(ready, settle_by=ready.now)


async def test_an_order_is_refused_with_a_deadline_too_far_ahead(ready: Desk) -> None:
    assert "deadline" in await open_again(ready, settle_by=ready.now + 90 * DAY + 1)


async def test_a_reference_in_use_for_another_quantity_is_refused(ready: Desk) -> None:
    await ready.subscribe("alice", SHARE, "o-1")
    assert "another order" in await open_again(ready, shares=2 * SHARE)


async def test_the_same_order_again_plans_nothing(ready: Desk) -> None:
    await ready.subscribe("alice", SHARE, "o-1")
    plan = await plan_open_subscription(
        ready.chain,
        payer=ready["payer"],
        authority=ready["operator"],
        security=ready.security,
        wallet=ready["alice"],
        reference="o-1",
        shares=SHARE,
        settle_by=ready.now + 5,
    )
    assert plan.is_empty


async def test_a_mint_beyond_the_reserve_is_refused_with_the_missing_shares(ready: Desk) -> None:
    order = await ready.subscribe("alice", 2_000 * SHARE, "o-1")
    message = await settle_refused(ready, Part(order, 1_001 * SHARE), of=movement("BIG", 2_000 * SHARE))
    assert "it takes 1001 shares and the reserve backs 1000, 1 too few" in message


async def test_the_whole_reserve_is_mintable_to_the_last_unit(ready: Desk) -> None:
    order = await ready.subscribe("alice", 1_000 * SHARE, "o-1")
    await ready.run(await ready.plan_settle(movement("ALL", 1_000 * SHARE), Part(order, 1_000 * SHARE)))
    small = await ready.subscribe("bob", 1, "o-2")
    assert "too few" in await settle_refused(ready, Part(small, 1))


async def test_parts_are_checked_against_the_reserve_together(ready: Desk) -> None:
    orders = [await ready.subscribe(name, 600 * SHARE, "o-1") for name in ("alice", "bob")]
    parts = [Part(order, 600 * SHARE) for order in orders]
    assert "200 too few" in await settle_refused(ready, *parts, of=movement("BIG", 1_200 * SHARE))


async def test_a_stale_reserve_backs_nothing(ready: Desk) -> None:
    order = await ready.subscribe("alice", SHARE, "o-1")
    ready.warp(DAY - 10)
    assert (await ready.plan_settle(BLOCK, Part(order, SHARE))).actions
    ready.warp(12)
    order = await ready.subscribe("alice", SHARE, "o-2")
    assert "at most 86400 s" in await settle_refused(ready, Part(order, SHARE))


async def test_nothing_is_minted_before_a_reserve_was_attested(desk: Desk) -> None:
    await desk.initialize()
    await desk.grant_all()
    await desk.list()
    await desk.approve("alice")
    order = await desk.subscribe("alice", SHARE, "o-1")
    assert "No reserve is in force" in await settle_refused(desk, Part(order, SHARE))


async def test_a_movement_is_never_used_beyond_its_shares(ready: Desk) -> None:
    orders = [await ready.subscribe(name, 10 * SHARE, "o-1") for name in ("alice", "bob")]
    small = movement("SMALL", 15 * SHARE)
    await ready.run(await ready.plan_settle(small, Part(orders[0], 10 * SHARE)))
    message = await settle_refused(ready, Part(orders[1], 10 * SHARE), of=small)
    assert "5 of 15 shares unused; asked for: 10 shares" in message


async def test_a_second_settlement_with_the_same_movement_is_refused(ready: Desk) -> None:
    order = await ready.subscribe("alice", 10 * SHARE, "o-1")
    await ready.run(await ready.plan_settle(BLOCK, Part(order, 4 * SHARE)))
    assert "was settled with this movement" in await settle_refused(ready, Part(order, 6 * SHARE))


async def test_a_movement_given_with_other_shares_is_refused(ready: Desk) -> None:
    orders = [await ready.subscribe(name, SHARE, "o-1") for name in ("alice", "bob")]
    await ready.run(await ready.plan_settle(BLOCK, Part(orders[0], SHARE)))
    other = movement("BLOCK 1", 101 * SHARE)
    assert "on chain as 100 shares in" in await settle_refused(ready, Part(orders[1], SHARE), of=other)


async def test_a_movement_is_the_same_however_it_is_spelled(ready: Desk) -> None:
    order = await ready.subscribe("alice", SHARE, "o-1")
    await ready.run(await ready.plan_settle(BLOCK, Part(order, SHARE)))
    spelled = type(BLOCK)(BLOCK.custodian_lei, " safe   1", "block 1 ", BLOCK.shares)
    assert (await ready.plan_settle(spelled, Part(order, SHARE))).is_empty


async def test_a_part_beyond_its_order_is_refused(ready: Desk) -> None:
    order = await ready.subscribe("alice", SHARE, "o-1")
    assert "has 1 share left; asked for: 2 shares" in await settle_refused(ready, Part(order, 2 * SHARE))


async def test_an_order_past_its_deadline_is_not_settled(ready: Desk) -> None:
    plan = await plan_open_subscription(
        ready.chain,
        payer=ready["payer"],
        authority=ready["operator"],
        security=ready.security,
        wallet=ready["alice"],
        reference="soon",
        shares=SHARE,
        settle_by=ready.now + 50,
    )
    await ready.run(plan)
    ready.warp(60)
    assert "was to be settled by" in await settle_refused(ready, Part(ready.order("alice", "soon"), SHARE))


async def test_a_hold_on_minting_stops_a_settlement(ready: Desk) -> None:
    order = await ready.subscribe("alice", SHARE, "o-1")
    await ready.run(
        await plan_place_hold(
            ready.chain,
            payer=ready["payer"],
            security=ready.security,
            owner=ready["compliance"],
            kind=RoleKind.COMPLIANCE,
            reference="h-1",
            scope=Scope.MINT,
            reason_code=1,
            reason="books differ",
        )
    )
    assert "1 holds on minting" in await settle_refused(ready, Part(order, SHARE))


async def test_an_operator_without_a_limit_mints_nothing(ready: Desk) -> None:
    await ready.grant("stranger", RoleKind.OPERATOR)
    ready.warp(2)
    order = await ready.subscribe("alice", SHARE, "o-1")
    with pytest.raises(Refused, match="no limit in force"):
        await _settle_as(ready, "stranger", order, SHARE)
    assert ready.supply == 0


async def test_a_limit_that_was_tightened_stops_what_exceeds_it(ready: Desk) -> None:
    await ready.run(
        await plan_set_limit(
            ready.chain,
            payer=ready["payer"],
            security=ready.security,
            operator=ready["operator"],
            mint_cap=10 * SHARE,
            burn_cap=10 * SHARE,
            window=DAY,
        )
    )
    order = await ready.subscribe("alice", 20 * SHARE, "o-1")
    await ready.run(await ready.plan_settle(movement("A", 8 * SHARE), Part(order, 8 * SHARE)))
    message = await settle_refused(ready, Part(order, 3 * SHARE), of=movement("B", 3 * SHARE))
    assert "3 tokens would exceed this operator's limit; left to mint: 2" in message


async def test_a_revoked_operator_settles_nothing(ready: Desk) -> None:
    order = await ready.subscribe("alice", SHARE, "o-1")
    await ready.run(
        await plan_revoke_role(
            ready.chain, payer=ready["payer"], issuer=ready.issuer, kind=RoleKind.OPERATOR, holder=ready["operator"]
        )
    )
    assert "no operator" in await settle_refused(ready, Part(order, SHARE))


async def test_an_order_named_twice_is_refused(ready: Desk) -> None:
    order = await ready.subscribe("alice", 2 * SHARE, "o-1")
    with pytest.raises(InputError, match="named twice"):
        await ready.plan_settle(BLOCK, Part(order, SHARE), Part(order, SHARE))


async def test_what_the_plan_allows_the_program_allows_and_fills_say_so(ready: Desk) -> None:
    order = await ready.give("alice", 7 * SHARE, "o-1")
    [fill] = (await list_fills(ready.chain, ready.security)).accounts.values()
    assert isinstance(fill, Fill)
    assert (fill.order, fill.shares, fill.raw) == (order, 7 * SHARE, 7 * SHARE)
    assert ready.state(holder_address(ready.issuer, ready["alice"])) != (None,)


async def _settle_as(desk: Desk, operator: str, order: Pubkey, shares: int) -> None:
    await plan_settle_subscription(
        desk.chain,
        payer=desk["payer"],
        operator=desk[operator],
        security=desk.security,
        movement=BLOCK,
        parts=[Part(order, shares)],
    )


async def test_nothing_is_minted_to_a_frozen_account(ready: Desk) -> None:
    await ready.give("alice", SHARE, "first")
    order = await ready.subscribe("alice", SHARE, "o-1")
    address = associated_token_address(ready["alice"], ready.mint)
    account = ready.chain.ledger.account(address)
    assert account is not None
    frozen = bytearray(account.data)
    frozen[108] = TokenAccountState.FROZEN
    ready.chain.ledger.set_account(address, Account(account.owner, account.lamports, bytes(frozen)))
    assert "is frozen" in await settle_refused(ready, Part(order, SHARE))
