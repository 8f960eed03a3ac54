"""Plans are carried out once: what is done is left out, and a crash is carried on with the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from desk import DAY, SHARE, Desk, movement
from solders.pubkey import Pubkey
from solders.signature import Signature
from tallystick.adapters.chain.outbox import OutboxState
from tallystick.adapters.chain.send_result import Outcome, SendResult
from tallystick.adapters.store.store import open_store
from tallystick.errors import ConfigurationError, InputError
from tallystick.services.movements import Part
from tallystick.services.plans import Action, execute, new_action, require_text_reference
from tallystick.services.subscription import plan_open_subscription


class PowerCut(BaseException):
    """The machine goes off."""


class DyingChain:
    """A cluster that is asked everything, and to which nothing can be sent before the power goes."""

    def __init__(self, chain: Any) -> None:
        self._chain = chain

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)

    async def send(self, transaction: bytes) -> Signature:
        raise PowerCut


async def test_a_crash_between_storing_and_sending_is_carried_on_with_the_same_bytes(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    desk = Desk()
    await desk.ready()
    order = await desk.subscribe("alice", 5 * SHARE, "o-1")
    block = movement("IN 1", 5 * SHARE)
    plan = await desk.plan_settle(block, Part(order, 5 * SHARE))
    async with await open_store(url) as store:
        dying = desk.new_sender(DyingChain(desk.chain), store.outbox)
        with pytest.raises(PowerCut):
            await execute(plan, dying, desk.signers)
    assert desk.supply == 0
    async with await open_store(url) as store:
        [stored] = await store.outbox.pending()
        assert stored.state is OutboxState.SIGNED
        again = await desk.plan_settle(block, Part(order, 5 * SHARE))
        [result] = await execute(again, desk.new_sender(desk.chain, store.outbox), desk.signers)
        assert (result.outcome, result.signatures) == (Outcome.LANDED, (stored.signature,))
        [row] = await store.outbox.get_by_intent(stored.intent)
        assert (row.state, row.transaction) == (OutboxState.LANDED, stored.transaction)
    assert desk.supply == 5 * SHARE
    assert (await desk.plan_settle(block, Part(order, 5 * SHARE))).is_empty


async def test_an_old_plan_carried_out_twice_has_its_effect_once(ready: Desk) -> None:
    order = await ready.subscribe("alice", 5 * SHARE, "o-1")
    plan = await ready.plan_settle(movement("IN 1", 9 * SHARE), Part(order, 2 * SHARE))
    await ready.run(plan)
    [again] = await ready.run(plan)
    assert again.detail == "It landed in an earlier run."
    assert ready.supply == 2 * SHARE


async def test_another_machine_without_the_outbox_sees_that_the_effect_is_there(ready: Desk) -> None:
    order = await ready.subscribe("alice", 5 * SHARE, "o-1")
    plan = await ready.plan_settle(movement("IN 1", 5 * SHARE), Part(order, 5 * SHARE))
    await ready.run(plan)
    [result] = await execute(plan, ready.new_sender(ready.chain, Desk().outbox), ready.signers)
    assert (result.outcome, result.signatures) == (Outcome.ALREADY_DONE, ())


async def test_a_missing_signer_is_named_with_its_capacity_before_anything_is_signed(ready: Desk) -> None:
    order = await ready.subscribe("alice", 5 * SHARE, "o-1")
    plan = await ready.plan_settle(movement("IN 1", 5 * SHARE), Part(order, 5 * SHARE))
    signers = {key: signer for key, signer in ready.signers.items() if key != ready["operator"]}
    before = ready.chain.ledger.transaction_count
    with pytest.raises(ConfigurationError, match=f"{ready['operator']} \\(operator\\)"):
        await execute(plan, ready.sender, signers)
    assert ready.chain.ledger.transaction_count == before
    assert await ready.outbox.get_by_intent(plan.actions[0].intent) == ()


async def test_a_signer_given_for_another_key_is_refused(ready: Desk) -> None:
    order = await ready.subscribe("alice", 5 * SHARE, "o-1")
    plan = await ready.plan_settle(movement("IN 1", 5 * SHARE), Part(order, 5 * SHARE))
    swapped = {**ready.signers, ready["operator"]: ready.signers[ready["stranger"]]}
    with pytest.raises(ConfigurationError, match="signs as"):
        await execute(plan, ready.sender, swapped)


async def test_progress_is_told_before_and_after_each_action(ready: Desk) -> None:
    orders = [await ready.subscribe(name, SHARE, "o-1") for name in ("alice", "bob")]
    plan = await ready.plan_settle(movement("IN 1", 2 * SHARE), *(Part(order, SHARE) for order in orders))
    told: list[tuple[str, bool]] = []

    def note(action: Action, result: SendResult | None) -> None:
        told.append((action.intent, result is not None))

    await execute(plan, ready.sender, ready.signers, note)
    assert told == [(action.intent, after) for action in plan.actions for after in (False, True)]


async def test_a_plan_stops_behind_an_action_that_is_not_done(ready: Desk) -> None:
    orders = [await ready.subscribe(name, SHARE, "o-1") for name in ("alice", "bob")]
    plan = await ready.plan_settle(movement("IN 1", 2 * SHARE), *(Part(order, SHARE) for order in orders))

    class LosingChain(DyingChain):
        async def send(self, transaction: bytes) -> Signature:
            return Signature.default()

    [result] = await execute(plan, ready.new_sender(LosingChain(ready.chain)), ready.signers)
    assert not result.is_done
    assert ready.supply == 0


def test_a_key_in_two_capacities_signs_once() -> None:
    payer, other = Pubkey.new_unique(), Pubkey.new_unique()
    action = new_action("i", "s", (), payer, (other, "operator"), (payer, "holder"))
    assert (action.signers, action.roles) == ((payer, other), ("fee payer and holder", "operator"))


@pytest.mark.parametrize("reference", ["", "   ", "a\nb", "x" * 141])
def test_a_reference_that_cannot_be_one_is_refused(reference: str) -> None:
    with pytest.raises(InputError, match="reference of 1 to 140"):
        require_text_reference(reference)


async def test_the_same_reference_of_two_holders_is_two_orders(ready: Desk) -> None:
    first = await ready.subscribe("alice", SHARE, "o-1")
    second = await ready.subscribe("bob", SHARE, "o-1")
    assert first != second
    plan = await plan_open_subscription(
        ready.chain,
        payer=ready["payer"],
        authority=ready["operator"],
        security=ready.security,
        wallet=ready["bob"],
        reference=" o-1 ",
        shares=SHARE,
        settle_by=ready.now + DAY,
    )
    assert plan.is_empty
