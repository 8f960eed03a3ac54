"""Redemptions: escrowed, then burnt against a movement or returned; and the correction of a wrong mint."""

from __future__ import annotations

import pytest
from desk import DAY, SHARE, Desk, movement
from solders.pubkey import Pubkey
from tallystick.errors import Refused
from tallystick.program.addresses import fill_address
from tallystick.program.generated.accounts import Fill, Order, Security
from tallystick.program.generated.types import OrderStatus, RoleKind
from tallystick.services.chain_reads import require
from tallystick.services.corrections import plan_correct_fill
from tallystick.services.holders import plan_suspend_holder
from tallystick.services.holds import Scope, plan_place_hold
from tallystick.services.movements import Part
from tallystick.services.plans import Plan
from tallystick.services.redemption import (
    plan_accept_redemption,
    plan_cancel_redemption,
    plan_request_redemption,
    plan_settle_redemption,
    plan_withdraw_redemption,
)
from tallystick.services.securities import plan_set_limit

OUT = movement("OUT 1", 50 * SHARE)


@pytest.fixture
async def holding(ready: Desk) -> Desk:
    """Alice has ten tokens."""
    await ready.give("alice", 10 * SHARE, "in")
    return ready


async def plan_request(desk: Desk, raw: int, reference: str = "out") -> Plan:
    return await plan_request_redemption(
        desk.chain, payer=desk["payer"], security=desk.security, wallet=desk["alice"], reference=reference, raw=raw
    )


async def plan_accept(desk: Desk) -> Plan:
    return await plan_accept_redemption(
        desk.chain, payer=desk["payer"], operator=desk["operator"], order=desk.order("alice", "out")
    )


async def plan_burn(desk: Desk, raw: int) -> Plan:
    return await plan_settle_redemption(
        desk.chain,
        payer=desk["payer"],
        operator=desk["operator"],
        security=desk.security,
        movement=OUT,
        parts=[Part(desk.order("alice", "out"), raw)],
    )


async def plan_cancel(desk: Desk, name: str) -> Plan:
    return await plan_cancel_redemption(
        desk.chain, payer=desk["payer"], authority=desk[name], order=desk.order("alice", "out"), reason_code=7
    )


async def plan_withdraw(desk: Desk) -> Plan:
    return await plan_withdraw_redemption(desk.chain, payer=desk["payer"], order=desk.order("alice", "out"))


async def status(desk: Desk) -> OrderStatus:
    return (await require(desk.chain, Order, desk.order("alice", "out"))).status


async def hold(desk: Desk, scope: Scope) -> None:
    await desk.run(
        await plan_place_hold(
            desk.chain,
            payer=desk["payer"],
            security=desk.security,
            owner=desk["compliance"],
            kind=RoleKind.COMPLIANCE,
            reference="h-1",
            scope=scope,
            reason_code=1,
            reason="asked to",
        )
    )


async def test_a_redemption_is_requested_accepted_and_settled_in_two_parts(holding: Desk) -> None:
    await holding.run(await plan_request(holding, 10 * SHARE))
    assert (holding.tokens("alice"), holding.supply) == (0, 10 * SHARE)
    assert (await plan_request(holding, 10 * SHARE)).is_empty
    await holding.run(await plan_accept(holding))
    assert (await plan_accept(holding)).is_empty
    await holding.run(await plan_burn(holding, 4 * SHARE))
    assert (await plan_burn(holding, 4 * SHARE)).is_empty
    assert holding.supply == 6 * SHARE
    rest = await plan_settle_redemption(
        holding.chain,
        payer=holding["payer"],
        operator=holding["operator"],
        security=holding.security,
        movement=movement("OUT 2", 6 * SHARE),
        parts=[Part(holding.order("alice", "out"), 6 * SHARE)],
    )
    await holding.run(rest)
    security = await require(holding.chain, Security, holding.security)
    assert (holding.supply, security.redeemed, security.escrowed) == (0, 10 * SHARE, 0)
    assert await status(holding) is OrderStatus.SETTLED
    assert (await plan_accept(holding)).is_empty


async def test_more_than_the_wallet_holds_is_refused(holding: Desk) -> None:
    with pytest.raises(Refused, match=r"has 10 tokens .*: 10.000001 tokens"):
        await plan_request(holding, 10 * SHARE + 1)
    assert holding.tokens("alice") == 10 * SHARE


async def test_a_redemption_that_nobody_accepted_is_not_settled(holding: Desk) -> None:
    await holding.run(await plan_request(holding, SHARE))
    with pytest.raises(Refused, match="not accepted yet"):
        await plan_burn(holding, SHARE)
    assert holding.supply == 10 * SHARE


async def test_more_than_is_left_of_a_redemption_is_not_burnt(holding: Desk) -> None:
    await holding.run(await plan_request(holding, SHARE))
    await holding.run(await plan_accept(holding))
    with pytest.raises(Refused, match="has 1 token left; asked for: 2"):
        await plan_burn(holding, 2 * SHARE)
    assert holding.supply == 10 * SHARE


async def test_a_movement_in_is_no_movement_out(holding: Desk) -> None:
    await holding.run(await plan_request(holding, SHARE))
    await holding.run(await plan_accept(holding))
    with pytest.raises(Refused, match="10 shares in; given: 10 shares out"):
        await plan_settle_redemption(
            holding.chain,
            payer=holding["payer"],
            operator=holding["operator"],
            security=holding.security,
            movement=movement("IN in", 10 * SHARE),
            parts=[Part(holding.order("alice", "out"), SHARE)],
        )
    assert holding.supply == 10 * SHARE


async def test_a_limit_on_burns_is_kept(holding: Desk) -> None:
    await holding.run(await plan_request(holding, 5 * SHARE))
    await holding.run(await plan_accept(holding))
    await holding.run(
        await plan_set_limit(
            holding.chain,
            payer=holding["payer"],
            security=holding.security,
            operator=holding["operator"],
            mint_cap=SHARE,
            burn_cap=2 * SHARE,
            window=DAY,
        )
    )
    with pytest.raises(Refused, match="left to burn: 2"):
        await plan_burn(holding, 3 * SHARE)
    await holding.run(await plan_burn(holding, 2 * SHARE))
    assert holding.supply == 8 * SHARE


async def test_a_redemption_is_not_accepted_after_its_deadline_but_taken_back(holding: Desk) -> None:
    await holding.run(await plan_request(holding, SHARE))
    with pytest.raises(Refused, match="The operator has until"):
        await plan_withdraw(holding)
    holding.warp(102)
    with pytest.raises(Refused, match="was to be accepted by"):
        await plan_accept(holding)
    await holding.run(await plan_withdraw(holding))
    assert (await plan_withdraw(holding)).is_empty
    assert (holding.tokens("alice"), await status(holding)) == (10 * SHARE, OrderStatus.WITHDRAWN)


async def test_an_accepted_redemption_not_settled_is_taken_back_after_the_second_deadline(holding: Desk) -> None:
    await holding.run(await plan_request(holding, 3 * SHARE))
    await holding.run(await plan_accept(holding))
    await holding.run(await plan_burn(holding, SHARE))
    with pytest.raises(Refused, match="The operator has until"):
        await plan_withdraw(holding)
    holding.warp(102)
    await holding.run(await plan_withdraw(holding))
    assert (holding.tokens("alice"), holding.supply) == (9 * SHARE, 9 * SHARE)


async def test_the_holder_cancels_before_acceptance_and_only_an_operator_after(holding: Desk) -> None:
    await holding.run(await plan_request(holding, SHARE))
    assert (await plan_cancel(holding, "alice")).actions
    await holding.run(await plan_accept(holding))
    with pytest.raises(Refused, match="only an operator may cancel"):
        await plan_cancel(holding, "alice")
    await holding.run(await plan_cancel(holding, "operator"))
    assert (await plan_cancel(holding, "operator")).is_empty
    assert (holding.tokens("alice"), await status(holding)) == (10 * SHARE, OrderStatus.CANCELLED)


async def test_a_stranger_cancels_nothing(holding: Desk) -> None:
    await holding.run(await plan_request(holding, SHARE))
    with pytest.raises(Refused, match="no operator"):
        await plan_cancel(holding, "stranger")


async def test_a_redeem_hold_stops_requests_and_no_return(holding: Desk) -> None:
    await holding.run(await plan_request(holding, SHARE))
    await hold(holding, Scope.REDEEM)
    with pytest.raises(Refused, match="1 holds on redeeming"):
        await plan_request(holding, SHARE, "another")
    with pytest.raises(Refused, match="1 holds on redeeming"):
        await plan_accept(holding)
    await holding.run(await plan_cancel(holding, "alice"))
    assert holding.tokens("alice") == 10 * SHARE


async def test_a_paused_token_delays_a_return(holding: Desk) -> None:
    await holding.run(await plan_request(holding, SHARE))
    await hold(holding, Scope.TRANSFER)
    with pytest.raises(Refused, match="pause this token"):
        await plan_cancel(holding, "alice")
    assert await status(holding) is OrderStatus.OPEN


async def test_a_suspended_holder_redeems_nothing_and_gets_the_escrow_back(holding: Desk) -> None:
    await holding.run(await plan_request(holding, SHARE))
    await holding.run(
        await plan_suspend_holder(
            holding.chain,
            payer=holding["payer"],
            issuer=holding.issuer,
            compliance=holding["compliance"],
            wallet=holding["alice"],
            evidence_hash=b"s" * 32,
        )
    )
    with pytest.raises(Refused, match="suspended"):
        await plan_accept(holding)
    holding.warp(102)
    await holding.run(await plan_withdraw(holding))
    assert holding.tokens("alice") == 10 * SHARE


async def plan_correct(desk: Desk, corrected_raw: int, owner: str = "alice") -> Plan:
    fill = fill_address(movement("IN in", 10 * SHARE).address(desk.security), desk.order("alice", "in"))
    return await plan_correct_fill(
        desk.chain,
        payer=desk["payer"],
        operator=desk["operator"],
        inventory_owner=desk[owner],
        fill=fill,
        corrected_raw=corrected_raw,
    )


async def test_a_wrong_mint_is_undone_up_to_a_total_and_never_twice(holding: Desk) -> None:
    await holding.run(await plan_correct(holding, 3 * SHARE))
    assert (await plan_correct(holding, 3 * SHARE)).is_empty
    await holding.run(await plan_correct(holding, 4 * SHARE))
    fill = fill_address(movement("IN in", 10 * SHARE).address(holding.security), holding.order("alice", "in"))
    assert (await require(holding.chain, Fill, fill)).corrected_raw == 4 * SHARE
    assert (holding.supply, holding.tokens("alice")) == (6 * SHARE, 6 * SHARE)


async def test_a_correction_beyond_the_mint_is_refused(holding: Desk) -> None:
    with pytest.raises(Refused, match="was of 10 tokens"):
        await plan_correct(holding, 11 * SHARE)
    assert holding.supply == 10 * SHARE


async def test_a_correction_needs_the_inventory_that_it_burns(holding: Desk) -> None:
    with pytest.raises(Refused, match="holds 0 tokens"):
        await plan_correct(holding, SHARE, owner="bob")
    assert holding.supply == 10 * SHARE


async def test_a_redemption_names_no_account_that_is_not_there(ready: Desk) -> None:
    with pytest.raises(Refused, match="no order at"):
        await plan_cancel_redemption(
            ready.chain, payer=ready["payer"], authority=ready["operator"], order=Pubkey.new_unique(), reason_code=0
        )
