"""Crashes between signing and knowing: the bytes in the outbox are carried on with, and nothing happens twice."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import pytest
from live_cluster import SETTINGS, Live
from live_issuer import ONE, Movement, Order, Share
from solders.keypair import Keypair
from tallystick.adapters.chain.outbox import MemoryOutbox, OutboxRow, OutboxState
from tallystick.adapters.chain.send_result import Outcome
from tallystick.errors import StoreConflict
from tallystick.program.generated import accounts, errors
from tallystick.program.generated.types import OrderStatus


class Crash(Exception):  # noqa: N818 (it ends the process, it is not an error of it)
    """The process ends here."""


class CrashingOutbox(MemoryOutbox):
    """Ends the process once: after the bytes are stored, and before they are broadcast."""

    def __init__(self) -> None:
        super().__init__()
        self.is_armed = True

    async def put_signed(self, row: OutboxRow) -> None:
        await super().put_signed(row)
        if self.is_armed:
            self.is_armed = False
            raise Crash


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A settlement whose process ended between storing and sending."""

    live: Live
    share: Share
    order: Order
    movement: Movement
    outbox: MemoryOutbox
    row: OutboxRow

    async def run_again(self, movement: Movement | None = None) -> Outcome:
        """The same intent in a new process; returns its outcome."""
        instruction, *keys = self.share.settle_subscription(self.order, movement or self.movement)
        result = await self.live.sender_over(self.outbox).send(
            [instruction], self.live.signers(*keys), intent=self.row.intent, is_done=self.is_settled, is_guarded=True
        )
        assert result.intent == self.row.intent
        return result.outcome

    async def is_settled(self) -> bool:
        """Whether the effect is on chain."""
        return await self.live.chain.get_account(self.share.fill(self.movement, self.order)) is not None

    async def tokens(self) -> int:
        """Raw units that the holder got."""
        return await self.live.raw(self.share.tokens(self.order.wallet))


async def interrupt(live: Live, share: Share, wallet: Keypair) -> Interrupted:
    """Settle one share for a new token holder, in a process that ends after put_signed."""
    await share.desk.do_approve(live, wallet)
    order, movement, outbox = await share.do_order(live, wallet, ONE), Movement(ONE), CrashingOutbox()
    instruction, *keys = share.settle_subscription(order, movement)
    intent = f"settle:{order.address}:{secrets.token_hex(4)}"
    with pytest.raises(Crash):
        await live.sender_over(outbox).send([instruction], live.signers(*keys), intent=intent)
    [row] = await outbox.get_by_intent(intent)
    assert row.state is OutboxState.SIGNED
    assert [await live.chain.get_signature_statuses([row.signature])] == [[None]]
    return Interrupted(live, share, order, movement, outbox, row)


async def test_resume_lands_the_signature_that_was_stored_before_the_crash(live: Live, share: Share) -> None:
    crashed = await interrupt(live, share, Keypair())
    [result] = await live.sender_over(crashed.outbox).resume()
    assert result.outcome is Outcome.LANDED
    assert result.signatures == (crashed.row.signature,)
    assert bytes((await live.transaction(crashed.row.signature)).signature) == bytes(crashed.row.signature)
    assert await crashed.tokens() == ONE
    assert (await live.read(accounts.Order, crashed.order.address)).status is OrderStatus.SETTLED
    assert await live.sender_over(crashed.outbox).resume() == ()


async def test_the_same_intent_run_again_sends_the_stored_bytes_and_no_others(live: Live, share: Share) -> None:
    crashed = await interrupt(live, share, Keypair())
    assert await crashed.run_again() is Outcome.LANDED
    assert await crashed.run_again() is Outcome.LANDED
    [row] = await crashed.outbox.get_by_intent(crashed.row.intent)
    assert (row.signature, row.state) == (crashed.row.signature, OutboxState.LANDED)
    assert await crashed.tokens() == ONE


async def test_what_landed_before_the_crash_is_found_and_not_sent_again(live: Live, share: Share) -> None:
    crashed = await interrupt(live, share, Keypair())
    await live.chain.send(crashed.row.transaction)
    assert await crashed.run_again() is Outcome.LANDED
    assert await crashed.tokens() == ONE
    [row] = await crashed.outbox.get_by_intent(crashed.row.intent)
    landed = await live.transaction(row.signature)
    assert (row.slot, row.units, row.fee) == (landed.slot, landed.units, landed.fee)


async def test_an_intent_does_not_take_other_instructions_while_its_bytes_may_land(live: Live, share: Share) -> None:
    crashed = await interrupt(live, share, Keypair())
    with pytest.raises(StoreConflict):
        await crashed.run_again(Movement(2 * ONE))
    assert [row.signature for row in await crashed.outbox.get_by_intent(crashed.row.intent)] == [crashed.row.signature]
    await live.sender_over(crashed.outbox).resume()
    assert await crashed.tokens() == ONE


async def test_a_stored_transaction_that_the_program_refuses_is_told_as_that(live: Live, share: Share) -> None:
    crashed = await interrupt(live, share, Keypair())
    await live.send(*share.desk.suspend(crashed.order.wallet.pubkey()))
    [result] = await live.sender_over(crashed.outbox, SETTINGS).resume()
    assert result.outcome is Outcome.FAILED
    assert type(result.error) is errors.HolderSuspended
    assert await crashed.tokens() == 0
    [row] = await crashed.outbox.get_by_intent(crashed.row.intent)
    assert row.state is OutboxState.FAILED
