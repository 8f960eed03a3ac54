"""What the outbox allows, which any implementation of it must."""

from __future__ import annotations

from dataclasses import replace

import pytest
from solders.signature import Signature
from tallystick.adapters.chain.outbox import NEXT_STATES, MemoryOutbox, OutboxRow, OutboxState
from tallystick.errors import StoreConflict, StoreError


def row(attempt: int = 1, *, intent: str = "settle:1:1", signature: int | None = None) -> OutboxRow:
    return OutboxRow(
        intent=intent,
        attempt=attempt,
        digest=b"d",
        signature=Signature(bytes([signature or attempt] * 64)),
        transaction=b"secret bytes",
        last_valid_block_height=150,
        commitment="confirmed",
        created_at=1,
        updated_at=1,
    )


async def outbox_in(state: OutboxState) -> MemoryOutbox:
    """An outbox whose one row is in `state`."""
    outbox = MemoryOutbox()
    await outbox.put_signed(row())
    if state is OutboxState.SENT:
        await outbox.mark_sent(row().signature, 2)
    elif state is not OutboxState.SIGNED:
        await outbox.mark_outcome(row().signature, state, at=2)
    return outbox


@pytest.mark.parametrize("state", list(OutboxState))
async def test_a_next_attempt_is_stored_only_after_a_dead_or_a_failed_one(state: OutboxState) -> None:
    outbox = await outbox_in(state)
    if state in (OutboxState.DEAD, OutboxState.FAILED):
        await outbox.put_signed(row(2))
        assert [each.attempt for each in await outbox.get_by_intent("settle:1:1")] == [1, 2]
    else:
        with pytest.raises(StoreConflict):
            await outbox.put_signed(row(2))
        assert [each.attempt for each in await outbox.get_by_intent("settle:1:1")] == [1]


@pytest.mark.parametrize("attempt", [0, 1, 3])
async def test_an_attempt_out_of_its_turn_is_refused(attempt: int) -> None:
    outbox = await outbox_in(OutboxState.DEAD)
    with pytest.raises(StoreConflict):
        await outbox.put_signed(row(attempt, signature=9))
    assert len(await outbox.get_by_intent("settle:1:1")) == 1


async def test_a_signature_is_stored_once_whatever_its_intent() -> None:
    outbox = await outbox_in(OutboxState.SIGNED)
    with pytest.raises(StoreConflict):
        await outbox.put_signed(row(intent="another"))
    assert await outbox.get_by_intent("another") == ()


async def test_a_row_that_is_not_new_is_refused() -> None:
    with pytest.raises(StoreConflict, match="must be signed"):
        await MemoryOutbox().put_signed(replace(row(), state=OutboxState.SENT))


@pytest.mark.parametrize("before", list(OutboxState))
@pytest.mark.parametrize("after", [state for state in OutboxState if state is not OutboxState.SIGNED])
async def test_a_state_changes_only_as_the_machine_allows(before: OutboxState, after: OutboxState) -> None:
    outbox = await outbox_in(before)
    if after in NEXT_STATES[before]:
        await outbox.mark_outcome(row().signature, after, at=3)
    else:
        with pytest.raises(StoreConflict):
            await outbox.mark_outcome(row().signature, after, at=3)
    [now] = await outbox.get_by_intent("settle:1:1")
    assert now.state is (after if after in NEXT_STATES[before] else before)


@pytest.mark.parametrize("state", [state for state in OutboxState if state is not OutboxState.SIGNED])
async def test_marking_sent_changes_nothing_that_went_further(state: OutboxState) -> None:
    outbox = await outbox_in(state)
    await outbox.mark_sent(row().signature, 9)
    assert [each.state for each in await outbox.get_by_intent("settle:1:1")] == [state]


@pytest.mark.parametrize("state", list(OutboxState))
async def test_only_rows_whose_fate_is_open_are_pending(state: OutboxState) -> None:
    outbox = await outbox_in(state)
    is_open = state in (OutboxState.SIGNED, OutboxState.SENT, OutboxState.UNKNOWN)
    assert [each.state for each in await outbox.pending()] == ([state] if is_open else [])


async def test_what_is_known_is_kept_when_a_later_mark_does_not_say_it() -> None:
    outbox = await outbox_in(OutboxState.SENT)
    await outbox.mark_outcome(row().signature, OutboxState.FAILED, at=3, slot=7, units=8, fee=9, error="e")
    await outbox.mark_outcome(row().signature, OutboxState.FAILED, at=4)
    [now] = await outbox.get_by_intent("settle:1:1")
    assert (now.slot, now.units, now.fee, now.error, now.updated_at) == (7, 8, 9, "e", 4)


async def test_a_signature_that_was_never_stored_cannot_be_marked() -> None:
    with pytest.raises(StoreError):
        await MemoryOutbox().mark_sent(row().signature, 1)
    with pytest.raises(StoreError):
        await MemoryOutbox().mark_outcome(row().signature, OutboxState.LANDED, at=1)


def test_a_row_does_not_print_its_bytes() -> None:
    assert "secret bytes" not in repr(row())
