"""What a simulated plan says is what the plan does afterwards; and it moves nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from desk import DAY, SHARE, Desk, key, movement
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from tallystick.adapters.chain.protocol import Account, Simulation
from tallystick.errors import ChainError, ProgramError, RpcError, TransactionError
from tallystick.program.addresses import holder_address
from tallystick.program.generated import errors
from tallystick.program.generated.accounts import Order, Security
from tallystick.program.generated.types import OrderStatus
from tallystick.program.token import associated_token_address
from tallystick.program.units import Unit
from tallystick.services.effects import AccountChange, Value
from tallystick.services.holders import plan_suspend_holder
from tallystick.services.movements import Part
from tallystick.services.plans import Action, Plan, new_action
from tallystick.services.simulation import ActionEffects, Simulated, simulate_plan
from tallystick.services.subscription import plan_open_subscription

SOL = 10**9


def change(effects: ActionEffects, address: Pubkey) -> AccountChange:
    [found] = [each for each in effects.changes if each.address == address]
    return found


def moved(effects: ActionEffects, address: Pubkey) -> dict[str, tuple[Any, Any]]:
    """Old and new content by field."""
    return {
        each.name: (each.old.content if each.old else None, each.new.content if each.new else None)
        for each in change(effects, address).fields
    }


async def subscription(desk: Desk, name: str = "alice", shares: int = 5 * SHARE) -> Plan:
    return await plan_open_subscription(
        desk.chain,
        payer=desk["payer"],
        authority=desk["operator"],
        security=desk.security,
        wallet=desk[name],
        reference="o-1",
        shares=shares,
        settle_by=desk.now + DAY,
    )


async def two_settlements(desk: Desk) -> Plan:
    """One movement against two orders: the second builds on the first."""
    orders = [await desk.subscribe(name, 3 * SHARE, "o-1") for name in ("alice", "bob")]
    return await desk.plan_settle(movement("IN 1", 9 * SHARE), *(Part(order, 3 * SHARE) for order in orders))


class Between:
    """A chain to which something happens with each simulation."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def __getattr__(self, name: str) -> Any:
        return getattr(self.desk.chain, name)


async def test_a_subscription_is_shown_as_a_new_order_with_its_event_and_moves_nothing(ready: Desk) -> None:
    plan, before = await subscription(ready), ready.chain.ledger.transaction_count
    effects = await simulate_plan(ready.chain, plan)
    [action] = effects.actions
    assert (action.outcome, action.together_with, action.error) == (Simulated.SUCCEEDS, (), None)
    order = change(action, ready.order("alice", "o-1"))
    assert (order.kind, order.is_new, order.is_closed) == ("Order", True, False)
    fields = {each.name: each for each in order.fields}
    assert fields["quantity"].old is None
    assert fields["quantity"].new == Value(5 * SHARE, Unit.AMOUNT, 6)
    assert fields["status"].new == Value(OrderStatus.OPEN)
    assert fields["settle_by"].new == Value(ready.now + DAY, Unit.TIME)
    assert not {"version", "bump", "reserved", "filled"} & fields.keys(), "what goes without saying is not said"
    [event] = action.events
    assert event.name == "SubscriptionOpened"
    assert dict(event.fields)["shares"] == Value(5 * SHARE, Unit.AMOUNT, 6)
    assert effects.names[ready.security] == "EXMPL"
    assert ready.chain.ledger.transaction_count == before
    assert ready.state(order.address) == (None,)
    assert await ready.outbox.get_by_intent(plan.actions[0].intent) == ()


async def test_what_was_simulated_is_what_happens(ready: Desk) -> None:
    plan = await two_settlements(ready)
    effects = await simulate_plan(ready.chain, plan)
    results = await ready.run(plan)
    assert [(each.units, each.fee) for each in effects.actions] == [(each.units, each.fee) for each in results]
    assert effects.fee == sum(each.fee or 0 for each in results)
    last = {each.address: each for action in effects.actions for each in action.changes}
    for address, told in last.items():
        account = ready.chain.ledger.account(address)
        assert account is not None
        lamports = [each.new.content for each in told.fields if each.name == "lamports" and each.new]
        assert lamports in ([], [account.lamports])
    security = Security.decode(ready.state(ready.security)[0] or b"")
    assert moved(effects.actions[1], ready.security)["minted"] == (3 * SHARE, security.minted)


async def test_an_action_that_builds_on_another_is_simulated_together_with_it(ready: Desk) -> None:
    effects = await simulate_plan(ready.chain, await two_settlements(ready))
    first, second = effects.actions
    assert (first.together_with, second.together_with) == ((), (1,))
    assert moved(first, ready.mint)["supply"] == (0, 3 * SHARE)
    assert moved(second, ready.mint)["supply"] == (3 * SHARE, 6 * SHARE)
    assert [event.name for event in second.events] == ["SubscriptionSettled"]
    tokens = associated_token_address(ready["bob"], ready.mint)
    assert change(second, tokens).kind == "token account"
    assert moved(second, tokens)["amount"] == (None, 3 * SHARE)
    payer = ready["payer"]
    assert moved(first, payer)["lamports"][1] == moved(second, payer)["lamports"][0]


async def test_the_approval_that_puts_a_reserve_in_force_says_so(ready: Desk) -> None:
    ready.warp(1)
    await ready.receive(2_000 * SHARE)
    effects = await simulate_plan(ready.chain, await ready.plan_attest())
    assert [[event.name for event in each.events] for each in effects.actions] == [
        ["AttestationApproved"],
        ["AttestationApproved", "ReserveAttested"],
    ]
    assert moved(effects.actions[1], ready.security)["reserve"] == (1_000 * SHARE, 2_000 * SHARE)


async def test_independent_actions_are_simulated_alone_and_the_payers_balance_goes_on(ready: Desk) -> None:
    both = [await subscription(ready, name) for name in ("alice", "bob")]
    plan = Plan("Both", tuple(action for each in both for action in each.actions))
    first, second = (await simulate_plan(ready.chain, plan)).actions
    assert (first.together_with, second.together_with) == ((), ())
    payer = ready["payer"]
    assert moved(first, payer)["lamports"][1] == moved(second, payer)["lamports"][0]


async def test_a_refusal_is_told_in_the_words_of_a_real_one_and_ends_the_plan(ready: Desk) -> None:
    plan = await two_settlements(ready)
    suspension = await plan_suspend_holder(
        ready.chain,
        payer=ready["payer"],
        issuer=ready.issuer,
        compliance=ready["compliance"],
        wallet=ready["alice"],
        evidence_hash=b"e" * 32,
    )
    await ready.run(suspension)
    effects = await simulate_plan(ready.chain, plan)
    with pytest.raises(ProgramError) as real:
        await ready.run(plan)
    refused, behind = effects.actions
    assert refused.outcome is Simulated.REFUSED
    assert type(refused.error) is type(real.value) is errors.HolderSuspended
    assert refused.error is not None
    assert (refused.error.message, refused.error.error) == (real.value.message, real.value.error)
    assert effects.refusal is refused.error
    assert (behind.outcome, behind.reason) == (Simulated.UNKNOWN, "The plan ends at 1, which would be refused.")
    assert (refused.events, refused.changes) == ((), ())


async def test_a_refusal_behind_others_is_told_as_if_it_were_alone(ready: Desk) -> None:
    plan = await two_settlements(ready)
    wrong = replace(plan.actions[0], intent="again")
    effects = await simulate_plan(ready.chain, replace(plan, actions=(*plan.actions, wrong)))
    third = effects.actions[2]
    await ready.run(plan)
    with pytest.raises(TransactionError) as real:
        await ready.run(Plan("Again", (replace(wrong, is_done=None),)))
    assert (third.outcome, third.together_with) == (Simulated.REFUSED, (1, 2))
    assert third.error is not None
    assert (third.error.message, third.error.error) == (real.value.message, real.value.error)


async def test_together_too_much_for_one_transaction_is_not_simulated_and_says_why(ready: Desk) -> None:
    def send(number: int) -> Action:
        lamports = TransferParams(from_pubkey=ready["alice"], to_pubkey=ready["heir"], lamports=SOL + number)
        return new_action(f"send {number}", "Send", (transfer(lamports),) * 40, ready["alice"])

    plan = Plan("Many", tuple(send(number) for number in range(3)))
    effects = await simulate_plan(ready.chain, plan)
    assert effects.actions[0].outcome is Simulated.SUCCEEDS
    assert {each.outcome for each in effects.actions[1:]} == {Simulated.UNKNOWN}
    assert "one transaction" in effects.actions[1].reason
    assert effects.refusal is None


async def test_what_is_withheld_is_told_with_its_reason_and_so_is_what_builds_on_it(ready: Desk) -> None:
    plan = await two_settlements(ready)
    effects = await simulate_plan(ready.chain, plan, withheld={plan.actions[0].intent: "Not today."})
    assert [each.reason for each in effects.actions] == [
        "Not today.",
        "It builds on 1, which could not be simulated.",
    ]
    assert effects.actions[0].changes == ()


async def test_a_payer_that_cannot_pay_for_all_of_it_is_refused_where_it_runs_dry(ready: Desk) -> None:
    """Each alone could be paid for."""
    poor, receivers = key("stranger").pubkey(), [Pubkey.new_unique() for _ in range(3)]
    ready.chain.ledger.airdrop(poor, 5 * SOL)
    plan = Plan(
        "Pay",
        tuple(
            new_action(
                str(each), "Pay", transfer(TransferParams(from_pubkey=poor, to_pubkey=each, lamports=2 * SOL)), poor
            )
            for each in receivers
        ),
    )
    effects = await simulate_plan(ready.chain, plan)
    assert [each.outcome for each in effects.actions] == [Simulated.SUCCEEDS, Simulated.SUCCEEDS, Simulated.REFUSED]
    assert effects.refusal is not None
    assert "SOL" in (effects.refusal.hint or "")


async def test_an_account_that_is_closed_is_told_with_what_it_gives_back(ready: Desk) -> None:
    giver = ready["alice"]
    held = ready.chain.ledger.account(giver)
    assert held is not None
    everything = TransferParams(from_pubkey=giver, to_pubkey=ready["heir"], lamports=held.lamports)
    plan = Plan("Empty", (new_action("empty", "Empty", transfer(everything), ready["payer"], (giver, "giver")),))
    [action] = (await simulate_plan(ready.chain, plan)).actions
    assert moved(action, giver) == {"lamports": (held.lamports, None)}


async def test_accounts_that_move_meanwhile_are_simulated_again(ready: Desk) -> None:
    class Once(Between):
        calls = 0

        async def simulate(self, transaction: bytes, *, watch: Sequence[Pubkey] | None = None) -> Simulation:
            self.calls += 1
            found = await self.desk.chain.simulate(transaction, watch=watch)
            if self.calls == 1:
                self.desk.chain.ledger.airdrop(self.desk["payer"], SOL)
            return found

    chain = Once(ready)
    effects = await simulate_plan(chain, await subscription(ready))
    held = ready.chain.ledger.account(ready["payer"])
    assert held is not None
    assert chain.calls == 2
    assert moved(effects.actions[0], ready["payer"])["lamports"][0] == held.lamports


async def test_accounts_that_never_stand_still_are_told(ready: Desk) -> None:
    class Always(Between):
        async def simulate(self, transaction: bytes, *, watch: Sequence[Pubkey] | None = None) -> Simulation:
            self.desk.chain.ledger.airdrop(self.desk["payer"], SOL)
            return await self.desk.chain.simulate(transaction, watch=watch)

    with pytest.raises(ChainError, match="changed during each"):
        await simulate_plan(Always(ready), await subscription(ready))


async def test_a_node_that_does_not_take_them_together_is_told(ready: Desk) -> None:
    class Old(Between):
        async def simulate(self, transaction: bytes, *, watch: Sequence[Pubkey] | None = None) -> Simulation:
            if len(transaction) > 1_000:
                raise RpcError(-32602, "too large")
            return await self.desk.chain.simulate(transaction, watch=watch)

    effects = await simulate_plan(Old(ready), await two_settlements(ready))
    assert effects.actions[1].outcome is Simulated.UNKNOWN
    assert "too large" in effects.actions[1].reason


async def test_an_account_that_does_not_decode_is_shown_by_size_and_hash(ready: Desk) -> None:
    plan, order = await subscription(ready), ready.order("alice", "o-1")

    class Newer(Between):
        async def simulate(self, transaction: bytes, *, watch: Sequence[Pubkey] | None = None) -> Simulation:
            found = await self.desk.chain.simulate(transaction, watch=watch)
            account = found.accounts[order]
            assert account is not None
            return replace(found, accounts={**found.accounts, order: replace(account, data=b"newer" * 9)})

    [action] = (await simulate_plan(Newer(ready), plan)).actions
    assert change(action, order).kind == "account"
    assert moved(action, order)["bytes"] == (None, 45)


async def test_a_plan_without_actions_asks_for_nothing(ready: Desk) -> None:
    effects = await simulate_plan(ready.chain, Plan("Nothing"))
    assert (effects.actions, effects.refusal, effects.fee) == ((), None, 0)


async def test_a_change_of_an_account_lists_only_what_differs(ready: Desk) -> None:
    order = await ready.subscribe("alice", 5 * SHARE, "o-1")
    plan = await ready.plan_settle(movement("IN 1", 2 * SHARE), Part(order, 2 * SHARE))
    [action] = (await simulate_plan(ready.chain, plan)).actions
    assert moved(action, order) == {"filled": (0, 2 * SHARE), "fills": (0, 1)}
    assert Order.decode(ready.state(order)[0] or b"").filled == 0
    assert holder_address(ready.issuer, ready["alice"]) not in {each.address for each in action.changes}
    assert Account(Pubkey.default(), 1, b"") not in action.changes
