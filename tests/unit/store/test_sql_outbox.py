"""The outbox in the store behaves as the one in memory does, whatever is asked of the two."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

import pytest
from solders.signature import Signature
from tallystick.adapters.chain.outbox import MemoryOutbox, Outbox, OutboxRow, OutboxState
from tallystick.adapters.store.store import Store, open_store
from tallystick.errors import StoreConflict, StoreError


def row(attempt: int = 1, *, intent: str = "settle:1:1", signature: int = 1) -> OutboxRow:
    return OutboxRow(
        intent=intent,
        attempt=attempt,
        digest=b"d" * 32,
        signature=Signature(bytes([signature] * 64)),
        transaction=b"bytes",
        last_valid_block_height=150,
        commitment="confirmed",
        created_at=1,
        updated_at=1,
    )


async def test_a_row_comes_back_as_it_was_after_a_restart(store: Store, url: str) -> None:
    await store.outbox.put_signed(row())
    await store.outbox.mark_outcome(
        row().signature, OutboxState.FAILED, at=5, slot=7, units=8, fee=2**64 - 1, error='{"InstructionError":[0]}'
    )
    async with await open_store(url) as reopened:
        assert await reopened.outbox.get_by_intent("settle:1:1") == (
            replace(
                row(),
                state=OutboxState.FAILED,
                updated_at=5,
                slot=7,
                units=8,
                fee=2**64 - 1,
                error='{"InstructionError":[0]}',
            ),
        )
        assert await reopened.outbox.pending() == ()


async def test_of_two_that_store_the_same_attempt_at_once_one_is_refused(store: Store, url: str) -> None:
    async with await open_store(url) as other:
        results = await asyncio.gather(
            store.outbox.put_signed(row(signature=1)),
            other.outbox.put_signed(row(signature=2)),
            return_exceptions=True,
        )
    assert sorted(type(each).__name__ for each in results) == ["NoneType", "StoreConflict"]
    assert len(await store.outbox.get_by_intent("settle:1:1")) == 1


@pytest.mark.parametrize("seed", range(12))
async def test_any_sequence_of_calls_has_the_same_effect_as_in_memory(store: Store, seed: int) -> None:
    chance = random.Random(seed)
    memory = MemoryOutbox()
    signature = 0
    refusals = 0
    for _ in range(40):
        intent = chance.choice(["a", "b"])
        kind = chance.randrange(4)
        if kind == 0:
            signature += chance.randrange(2)
            attempt = len(await memory.get_by_intent(intent)) + chance.choice([0, 1, 1, 1])
            new = row(attempt, intent=intent, signature=signature % 256)

            async def call(outbox: Outbox, new: OutboxRow = new) -> None:
                await outbox.put_signed(new)
        elif kind == 1:
            at, which = chance.randrange(100), Signature(bytes([chance.randrange(signature + 2) % 256] * 64))

            async def call(outbox: Outbox, at: int = at, which: Signature = which) -> None:  # type: ignore[misc]
                await outbox.mark_sent(which, at)
        else:
            state, which = chance.choice(list(OutboxState)), Signature(bytes([chance.randrange(signature + 2)] * 64))
            slot, fee = chance.choice([None, 5]), chance.choice([None, 2**63])

            async def call(  # type: ignore[misc]
                outbox: Outbox,
                state: OutboxState = state,
                which: Signature = which,
                slot: int | None = slot,
                fee: int | None = fee,
            ) -> None:
                await outbox.mark_outcome(which, state, at=9, slot=slot, fee=fee)

        outcomes = []
        for outbox in (memory, store.outbox):
            try:
                await call(outbox)
                outcomes.append("done")
            except StoreConflict:
                outcomes.append("conflict")
            except StoreError:
                outcomes.append("missing")
        assert outcomes[0] == outcomes[1]
        refusals += outcomes[0] != "done"
    for intent in ("a", "b"):
        assert await store.outbox.get_by_intent(intent) == await memory.get_by_intent(intent)
    assert await store.outbox.pending() == await memory.pending()
    assert 0 < refusals < 40
