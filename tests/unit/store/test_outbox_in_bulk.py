"""Many rows of the outbox in one write, under the same rules as one: in memory and in the store."""

from __future__ import annotations

from dataclasses import replace

import pytest
from solders.signature import Signature
from tallystick.adapters.chain.outbox import MemoryOutbox, Outbox, OutboxOutcome, OutboxRow, OutboxState
from tallystick.adapters.store.store import Store
from tallystick.errors import StoreConflict, StoreError


def row(number: int, intent: str | None = None, attempt: int = 1) -> OutboxRow:
    return OutboxRow(
        intent=intent or f"dividend:a:{number}:0",
        attempt=attempt,
        digest=b"d" * 32,
        signature=Signature(number.to_bytes(2, "big") * 32),
        transaction=b"bytes %d" % number,
        last_valid_block_height=150,
        commitment="finalized",
        created_at=1,
        updated_at=1,
    )


def unstored(number: int) -> Signature:
    return row(number).signature


@pytest.fixture(params=["memory", "file"])
def outbox(request: pytest.FixtureRequest, store: Store) -> Outbox:
    """An outbox of each kind."""
    return MemoryOutbox() if request.param == "memory" else store.outbox


async def test_rows_are_found_by_the_beginning_of_their_intent(outbox: Outbox) -> None:
    rows = [row(1), row(2), row(3, "dividend:b:1:0"), row(4, "dividend-accounts:a:1:0"), row(5, "dividend:a")]
    await outbox.put_signed_all(rows)
    assert await outbox.find("dividend:a:") == tuple(rows[:2])
    assert await outbox.find("dividend:") == (*rows[:3], rows[4])
    assert await outbox.find("dividend") == tuple(rows)
    assert await outbox.find("dividend:c") == ()


async def test_more_rows_than_one_statement_takes_are_stored(outbox: Outbox) -> None:
    rows = [row(number) for number in range(1, 1_203)]
    await outbox.put_signed_all(rows)
    await outbox.mark_sent_all([each.signature for each in rows], 2)
    await outbox.mark_outcomes([OutboxOutcome(each.signature, OutboxState.LANDED, slot=9) for each in rows], at=3)
    found = await outbox.find("dividend:")
    assert found == tuple(replace(each, state=OutboxState.LANDED, slot=9, updated_at=3) for each in rows)


async def test_nothing_to_write_writes_nothing(outbox: Outbox) -> None:
    await outbox.put_signed_all([])
    await outbox.mark_sent_all([], 1)
    await outbox.mark_outcomes([], at=1)
    assert await outbox.pending() == ()


@pytest.mark.parametrize(
    "wrong",
    [
        row(1, "another"),
        row(2, "another", attempt=2),
        row(2, "dividend:a:1:0", attempt=2),
        replace(row(2), state=OutboxState.SENT),
        replace(row(3), intent="another"),
    ],
    ids=["signature taken", "attempt out of turn", "earlier one open", "not signed", "twice in one write"],
)
async def test_one_row_that_may_not_be_stored_keeps_all_out(outbox: Outbox, wrong: OutboxRow) -> None:
    await outbox.put_signed_all([row(1)])
    with pytest.raises(StoreConflict):
        await outbox.put_signed_all([row(3), wrong, row(4)])
    assert await outbox.pending() == (row(1),)


async def test_attempts_of_one_intent_follow_each_other(outbox: Outbox) -> None:
    await outbox.put_signed_all([row(1), row(2)])
    await outbox.mark_outcomes(
        [OutboxOutcome(row(1).signature, OutboxState.DEAD), OutboxOutcome(row(2).signature, OutboxState.FAILED)], at=2
    )
    await outbox.put_signed_all([row(3, "dividend:a:1:0", 2), row(4, "dividend:a:2:0", 2)])
    assert [each.attempt for each in await outbox.get_by_intent("dividend:a:2:0")] == [1, 2]


async def test_two_attempts_of_one_intent_in_one_write_are_refused(outbox: Outbox) -> None:
    with pytest.raises(StoreConflict):
        await outbox.put_signed_all([row(1), row(2, "dividend:a:1:0", 2)])
    assert await outbox.pending() == ()


async def test_marking_sent_leaves_what_went_further(outbox: Outbox) -> None:
    await outbox.put_signed_all([row(1), row(2)])
    await outbox.mark_outcomes([OutboxOutcome(row(1).signature, OutboxState.LANDED)], at=2)
    await outbox.mark_sent_all([row(1).signature, row(2).signature], 3)
    assert [(each.state, each.updated_at) for each in await outbox.find("")] == [
        (OutboxState.LANDED, 2),
        (OutboxState.SENT, 3),
    ]


async def test_one_signature_that_is_not_there_changes_none(outbox: Outbox) -> None:
    await outbox.put_signed_all([row(1)])
    with pytest.raises(StoreError):
        await outbox.mark_sent_all([row(1).signature, unstored(9)], 2)
    with pytest.raises(StoreError):
        await outbox.mark_outcomes(
            [OutboxOutcome(row(1).signature, OutboxState.DEAD), OutboxOutcome(unstored(9), OutboxState.DEAD)], at=2
        )
    assert await outbox.find("") == (row(1),)


async def test_one_change_that_is_not_allowed_changes_none(outbox: Outbox) -> None:
    await outbox.put_signed_all([row(1), row(2)])
    await outbox.mark_outcome(row(2).signature, OutboxState.DEAD, at=2)
    with pytest.raises(StoreConflict):
        await outbox.mark_outcomes(
            [OutboxOutcome(row(1).signature, OutboxState.LANDED), OutboxOutcome(row(2).signature, OutboxState.LANDED)],
            at=3,
        )
    assert [each.state for each in await outbox.find("")] == [OutboxState.SIGNED, OutboxState.DEAD]


async def test_what_is_known_is_kept_when_a_later_mark_does_not_say_it(outbox: Outbox) -> None:
    await outbox.put_signed_all([row(1)])
    failed = OutboxOutcome(row(1).signature, OutboxState.FAILED, 7, 8, 9, "e")
    await outbox.mark_outcomes([failed], at=2)
    await outbox.mark_outcomes([OutboxOutcome(row(1).signature, OutboxState.FAILED)], at=3)
    [now] = await outbox.find("")
    assert (now.slot, now.units, now.fee, now.error, now.updated_at) == (7, 8, 9, "e", 3)
