"""A plan simulated on a cluster says what that cluster then does: on the localnet and on solana-test-validator."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from live_cluster import Live
from live_issuer import DAY, ONE, Desk, Share
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tallystick.adapters.chain.rpc import RpcChain
from tallystick.errors import ProgramError
from tallystick.program.addresses import holder_address, order_address
from tallystick.program.generated import accounts, errors
from tallystick.program.token import associated_token_address
from tallystick.services.effects import AccountChange
from tallystick.services.holders import plan_approve_holder
from tallystick.services.movements import MovementReference, Part
from tallystick.services.plans import Plan, execute
from tallystick.services.simulation import ActionEffects, Simulated, simulate_plan
from tallystick.services.subscription import order_id, plan_open_subscription, plan_settle_subscription


def change(effects: ActionEffects, address: Pubkey) -> AccountChange:
    [found] = [each for each in effects.changes if each.address == address]
    return found


def fields(effects: ActionEffects, address: Pubkey) -> dict[str, tuple[Any, Any]]:
    return {
        each.name: (each.old.content if each.old else None, each.new.content if each.new else None)
        for each in change(effects, address).fields
    }


async def approval(live: Live, desk: Desk, wallet: Pubkey) -> Plan:
    return await plan_approve_holder(
        live.chain,
        payer=live.payer.pubkey(),
        issuer=desk.address,
        compliance=desk.compliance.pubkey(),
        wallet=wallet,
        investor_id=secrets.token_bytes(32),
        classes=1,
        approved_until=await live.now() + DAY,
        evidence_hash=secrets.token_bytes(32),
    )


async def subscription(live: Live, desk: Desk, share: Share, wallet: Pubkey, reference: str) -> Plan:
    return await plan_open_subscription(
        live.chain,
        payer=live.payer.pubkey(),
        authority=desk.operator.pubkey(),
        security=share.address,
        wallet=wallet,
        reference=reference,
        shares=3 * ONE,
        settle_by=await live.now() + DAY,
    )


async def test_a_dry_run_moves_nothing_and_says_what_then_happens(live: Live, desk: Desk) -> None:
    wallet = Keypair().pubkey()
    plan, holder = await approval(live, desk, wallet), holder_address(desk.address, wallet)
    [action] = (await simulate_plan(live.chain, plan)).actions
    assert await live.chain.get_account(holder) is None
    assert action.outcome is Simulated.SUCCEEDS
    assert [event.name for event in action.events] == ["HolderApproved"]
    assert (change(action, holder).kind, change(action, holder).is_new) == ("Holder", True)
    signers = {each.pubkey: each for each in live.signers(desk.compliance)}
    [result] = await execute(plan, live.sender, signers)
    result.require_done()
    assert (action.fee, action.units) == (result.fee, result.units)
    landed = await live.read(accounts.Holder, holder)
    assert fields(action, holder)["approved_until"] == (None, landed.approved_until)
    account = await live.chain.get_account(holder)
    assert account is not None
    assert fields(action, holder)["lamports"] == (None, account.lamports)


async def test_transactions_that_build_on_each_other_are_simulated_together(
    live: Live, desk: Desk, share: Share, wallets: tuple[Keypair, ...]
) -> None:
    references = [f"DRY {secrets.token_hex(4)}" for _ in range(2)]
    orders = []
    for wallet, reference in zip(wallets, references, strict=False):
        plan = await subscription(live, desk, share, wallet.pubkey(), reference)
        signers = {each.pubkey: each for each in live.signers(desk.operator)}
        for result in await execute(plan, live.sender, signers):
            result.require_done()
        orders.append(order_address(share.address, wallet.pubkey(), order_id(reference)))
    movement = MovementReference("529900T8BM49AURSDO55", "SAFE 1", references[0], 6 * ONE)
    plan = await plan_settle_subscription(
        live.chain,
        payer=live.payer.pubkey(),
        operator=desk.operator.pubkey(),
        security=share.address,
        movement=movement,
        parts=[Part(order, 3 * ONE) for order in orders],
    )
    supply = (await live.mint(share.mint)).supply
    first, second = (await simulate_plan(live.chain, plan)).actions
    assert (await live.mint(share.mint)).supply == supply
    assert (first.outcome, second.outcome) == (Simulated.SUCCEEDS, Simulated.SUCCEEDS), (first.error, second)
    assert (first.together_with, second.together_with) == ((), (1,))
    assert [[event.name for event in each.events] for each in (first, second)] == [["SubscriptionSettled"]] * 2
    assert fields(first, share.mint)["supply"] == (supply, supply + 3 * ONE)
    assert fields(second, share.mint)["supply"] == (supply + 3 * ONE, supply + 6 * ONE)
    assert fields(second, movement.address(share.address)) == {"allocated": (3 * ONE, 6 * ONE)}
    tokens = associated_token_address(wallets[1].pubkey(), share.mint)
    assert fields(second, tokens)["amount"][1] - (fields(second, tokens)["amount"][0] or 0) == 3 * ONE
    assert await live.chain.get_account(movement.address(share.address)) is None


async def test_a_refusal_has_the_words_of_a_real_one(live: Live, desk: Desk, share: Share) -> None:
    """The wallet is suspended between plan and simulation."""
    wallet = Keypair()
    await live.send(*desk.approve(wallet.pubkey(), await live.now() + DAY))
    plan = await subscription(live, desk, share, wallet.pubkey(), "DRY")
    await live.send(*desk.suspend(wallet.pubkey()))
    effects = await simulate_plan(live.chain, plan)
    with pytest.raises(ProgramError) as real:
        await execute(plan, live.sender, {each.pubkey: each for each in live.signers(desk.operator)})
    assert effects.refusal is not None
    assert type(effects.refusal) is type(real.value) is errors.HolderSuspended
    assert (effects.refusal.message, effects.refusal.error) == (real.value.message, real.value.error)
    assert await live.chain.get_account(order_address(share.address, wallet.pubkey(), order_id("DRY"))) is None


async def test_a_payer_without_lamports_is_refused_as_the_cluster_would(
    chain: RpcChain, live: Live, desk: Desk
) -> None:
    plan = await plan_approve_holder(
        chain,
        payer=Keypair().pubkey(),
        issuer=desk.address,
        compliance=desk.compliance.pubkey(),
        wallet=Keypair().pubkey(),
        investor_id=bytes(31) + b"1",
        classes=1,
        approved_until=await live.now() + DAY,
        evidence_hash=bytes(31) + b"1",
    )
    refusal = (await simulate_plan(chain, plan)).refusal
    assert refusal is not None
    assert refusal.error == "AccountNotFound"
