"""Distributions and their lists: the same promises in memory and in the store."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tallystick.adapters.store.payouts import MemoryPayoutStore, PayoutStore
from tallystick.adapters.store.store import Store, open_store
from tallystick.domain.dividends import (
    Carry,
    EntitlementPage,
    HolderClass,
    PayoutBatch,
    PayoutLine,
    PayoutRecord,
    PayoutState,
)
from tallystick.errors import InputError, LedgerError, StoreConflict, StoreError

BATCHES = tuple(
    PayoutBatch(
        index,
        tuple(
            PayoutLine(bytes([index, place]) + bytes(30), bytes([index, place]) + b"a" * 30, 255, 10 + place, kind)
            for place, kind in enumerate((HolderClass.WALLET, HolderClass.FROZEN))
        ),
    )
    for index in range(3)
)
PAGES = tuple(EntitlementPage(number, bytes([10 * number]) * 32, b"page %d" % number) for number in range(3))
CARRIES = (Carry(b"x" * 32, 7), Carry(b"y" * 32, -3))


def record(number: int = 0, **changes: object) -> PayoutRecord:
    made = PayoutRecord(
        address=bytes([100 + number]) * 32,
        security=b"s" * 32,
        action=b"c" * 32,
        number=number,
        payment_mint=b"m" * 32,
        token_program=b"t" * 32,
        payment_decimals=6,
        payout_key=b"k" * 32,
        refund=b"f" * 32,
        root=b"r" * 32,
        batches=3,
        entries=6,
        total=63,
        expires_at=200,
        document=b"{}",
        created_at=100,
        batch_size=2,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.fixture(params=["memory", "file"])
def payouts(request: pytest.FixtureRequest, store: Store) -> PayoutStore:
    """A store of distributions of each kind."""
    return MemoryPayoutStore() if request.param == "memory" else store.payouts


async def add(payouts: PayoutStore, each: PayoutRecord | None = None, carries: tuple[Carry, ...] = ()) -> PayoutRecord:
    return await payouts.add(each or record(), BATCHES, PAGES, carries)


async def test_a_plan_is_read_back_as_it_was_given(payouts: PayoutStore) -> None:
    assert await add(payouts) == record()
    address = record().address
    assert await payouts.find(address) == record()
    assert await payouts.batches(address) == BATCHES
    assert await payouts.batches(address, 1, 1) == BATCHES[1:2]
    assert await payouts.batches(address, 2) == BATCHES[2:]
    assert await payouts.batches(address, 3) == ()
    for page in PAGES:
        assert await payouts.page_of(address, page.first_owner) == page


async def test_what_was_never_added_is_not_found(payouts: PayoutStore) -> None:
    assert await payouts.find(b"?" * 32) is None
    assert await payouts.batches(b"?" * 32) == ()
    assert await payouts.rent_reserved(b"?" * 32) == 0
    with pytest.raises(StoreError):
        await payouts.set_state(b"?" * 32, PayoutState.OPENED)
    with pytest.raises(StoreError):
        await payouts.reserve_rent(b"?" * 32, [b"a" * 32], 1, 10)


async def test_the_same_plan_again_changes_nothing(payouts: PayoutStore) -> None:
    await add(payouts)
    await payouts.set_state(record().address, PayoutState.APPROVED)
    again = await payouts.add(record(created_at=999), (), (), ())
    assert again == record(state=PayoutState.APPROVED)
    assert await payouts.batches(record().address) == BATCHES


@pytest.mark.parametrize("state", [PayoutState.PLANNED, PayoutState.DISCARDED])
async def test_another_plan_replaces_one_that_was_not_opened(payouts: PayoutStore, state: PayoutState) -> None:
    await add(payouts, carries=CARRIES)
    await payouts.set_state(record().address, state)
    other = record(root=b"R" * 32, batches=1, entries=2, total=21)
    assert await payouts.add(other, BATCHES[:1], PAGES[:1], ()) == other
    assert await payouts.find(other.address) == other
    assert await payouts.batches(other.address) == BATCHES[:1]
    assert await payouts.page_of(other.address, b"\xff" * 32) == PAGES[0]


@pytest.mark.parametrize("state", [PayoutState.OPENED, PayoutState.APPROVED])
async def test_another_plan_replaces_none_that_is_further(payouts: PayoutStore, state: PayoutState) -> None:
    await add(payouts)
    await payouts.set_state(record().address, state)
    with pytest.raises(StoreConflict, match=str(state)):
        await add(payouts, record(root=b"R" * 32))
    assert await payouts.find(record().address) == record(state=state)
    assert await payouts.batches(record().address) == BATCHES


async def test_two_distributions_of_one_number_are_refused(payouts: PayoutStore) -> None:
    await add(payouts)
    with pytest.raises(StoreConflict):
        await add(payouts, record(address=b"o" * 32))
    assert await payouts.find(b"o" * 32) is None


@pytest.mark.parametrize("change", [{"batches": 2}, {"entries": 5}, {"total": 64}])
async def test_a_list_that_is_not_what_its_record_says_is_refused_whole(
    payouts: PayoutStore, change: dict[str, int]
) -> None:
    with pytest.raises(InputError):
        await add(payouts, record(**change))
    assert await payouts.find(record().address) is None
    assert await payouts.batches(record().address) == ()


async def test_a_list_whose_source_breaks_leaves_nothing(payouts: PayoutStore) -> None:
    def broken() -> Iterator[PayoutBatch]:
        yield BATCHES[0]
        raise LedgerError("the rest is damaged")

    with pytest.raises(LedgerError):
        await payouts.add(record(), broken(), PAGES, CARRIES)
    assert await payouts.find(record().address) is None
    assert await payouts.batches(record().address) == ()


@pytest.mark.parametrize(
    ("steps", "allowed"),
    [
        ([PayoutState.OPENED, PayoutState.APPROVED, PayoutState.CLOSED], True),
        ([PayoutState.OPENED, PayoutState.OPENED], True),
        ([PayoutState.OPENED, PayoutState.DISCARDED], True),
        ([PayoutState.APPROVED, PayoutState.DISCARDED], False),
        ([PayoutState.APPROVED, PayoutState.PLANNED], False),
        ([PayoutState.CLOSED], False),
        ([PayoutState.APPROVED, PayoutState.CLOSED, PayoutState.APPROVED], False),
    ],
)
async def test_a_distribution_goes_forward_and_is_given_up_only_before_its_approval(
    payouts: PayoutStore, steps: list[PayoutState], allowed: bool
) -> None:
    await add(payouts)
    for state in steps[:-1]:
        await payouts.set_state(record().address, state)
    if allowed:
        await payouts.set_state(record().address, steps[-1])
    else:
        with pytest.raises(StoreConflict):
            await payouts.set_state(record().address, steps[-1])
    found = await payouts.find(record().address)
    assert found is not None
    assert found.state is (steps[-1] if allowed else ([PayoutState.PLANNED, *steps])[-2])


async def test_distributions_are_listed_by_action_and_number(payouts: PayoutStore) -> None:
    second, first = record(1), record(0)
    other = record(5, action=b"b" * 32, security=b"S" * 32)
    for each in (second, other, first):
        await add(payouts, each)
    assert await payouts.list() == (other, first, second)
    assert await payouts.list(action=b"c" * 32) == (first, second)
    assert await payouts.list(security=b"S" * 32) == (other,)
    assert await payouts.list(security=b"S" * 32, action=b"c" * 32) == ()


@pytest.mark.parametrize(
    ("owner", "page"),
    [(bytes(32), 0), (bytes([9]) * 32, 0), (bytes([10]) * 32, 1), (bytes([19]) * 32, 1), (b"\xff" * 32, 2)],
)
async def test_an_owner_is_looked_for_in_the_last_page_that_begins_before(
    payouts: PayoutStore, owner: bytes, page: int
) -> None:
    await add(payouts)
    assert await payouts.page_of(record().address, owner) == PAGES[page]


async def test_an_owner_before_the_first_page_is_in_none(payouts: PayoutStore) -> None:
    await payouts.add(record(), BATCHES, PAGES[1:], ())
    assert await payouts.page_of(record().address, bytes(32)) is None


async def test_what_is_carried_is_the_sum_over_what_was_approved(payouts: PayoutStore) -> None:
    await add(payouts, record(0), CARRIES)
    await add(payouts, record(1), (Carry(b"x" * 32, -7), Carry(b"z" * 32, 5)))
    await add(payouts, record(2), (Carry(b"x" * 32, 1_000),))
    await add(payouts, record(3, payment_mint=b"n" * 32), (Carry(b"x" * 32, 9),))
    assert await payouts.carried(b"s" * 32, b"m" * 32) == {}
    for number in (0, 1, 3):
        await payouts.set_state(record(number).address, PayoutState.APPROVED)
    await payouts.set_state(record(2).address, PayoutState.DISCARDED)
    assert await payouts.carried(b"s" * 32, b"m" * 32) == {b"y" * 32: -3, b"z" * 32: 5}
    besides = await payouts.carried(b"s" * 32, b"m" * 32, besides=[record(1).address])
    assert besides == {b"x" * 32: 7, b"y" * 32: -3}
    await payouts.set_state(record(0).address, PayoutState.CLOSED)
    assert await payouts.carried(b"s" * 32, b"m" * 32) == {b"y" * 32: -3, b"z" * 32: 5}


async def test_rent_is_reserved_once_for_an_account_and_never_beyond_the_cap(payouts: PayoutStore) -> None:
    await add(payouts)
    await add(payouts, record(1))
    address, accounts = record().address, [bytes([place]) * 32 for place in range(5)]
    assert await payouts.reserve_rent(address, accounts[:2], 10, 35) == tuple(accounts[:2])
    assert await payouts.reserve_rent(address, accounts, 10, 35) == (accounts[2],)
    assert await payouts.reserve_rent(address, accounts, 10, 35) == ()
    assert await payouts.rent_reserved(address) == 30
    assert await payouts.reserved_of(address, accounts) == frozenset(accounts[:3])
    assert await payouts.reserve_rent(address, [accounts[4], accounts[4]], 5, 40) == (accounts[4],)
    assert await payouts.rent_reserved(record(1).address) == 0
    assert await payouts.reserved_of(record(1).address, accounts) == frozenset()


async def test_an_account_that_costs_nothing_is_refused(payouts: PayoutStore) -> None:
    await add(payouts)
    with pytest.raises(InputError):
        await payouts.reserve_rent(record().address, [b"a" * 32], 0, 10)
    assert await payouts.rent_reserved(record().address) == 0


async def test_a_plan_outlives_the_process(url: str, store: Store) -> None:
    await add(store.payouts, carries=CARRIES)
    await store.payouts.reserve_rent(record().address, [b"a" * 32], 10, 10)
    async with await open_store(url) as again:
        assert await again.payouts.find(record().address) == record()
        assert await again.payouts.batches(record().address) == BATCHES
        assert await again.payouts.reserve_rent(record().address, [b"a" * 32, b"b" * 32], 10, 10) == ()


async def test_a_damaged_batch_is_told(url: str, store: Store) -> None:
    await add(store.payouts)
    with sqlite3.connect(Path(url.removeprefix("sqlite:///"))) as raw:
        raw.execute("UPDATE payout_batches SET content = x'00' WHERE number = 1")
    raw.close()
    with pytest.raises(LedgerError, match="Batch 1"):
        await store.payouts.batches(record().address)


async def test_a_missing_batch_is_told(url: str, store: Store) -> None:
    await add(store.payouts)
    with sqlite3.connect(Path(url.removeprefix("sqlite:///"))) as raw:
        raw.execute("DELETE FROM payout_batches WHERE number = 1")
    raw.close()
    with pytest.raises(LedgerError, match="Batch 1 of a distribution is missing"):
        await store.payouts.batches(record().address)


async def test_which_entries_are_paid_is_kept_and_replaced(payouts: PayoutStore) -> None:
    await add(payouts)
    address, batches = record().address, record().batches
    assert await payouts.paid(address) == ()
    for words in ((0,) * batches, (2**57 - 1,) * batches, (2**64 - 1,) * batches):
        await payouts.keep_paid(address, words)
        assert await payouts.paid(address) == words


@pytest.mark.parametrize("words", [(), (1,) * 99, (-1,), (2**64,)])
async def test_bits_of_another_length_are_refused(payouts: PayoutStore, words: tuple[int, ...]) -> None:
    await add(payouts)
    with pytest.raises(InputError):
        await payouts.keep_paid(record().address, words)
    with pytest.raises(StoreError):
        await payouts.keep_paid(b"?" * 32, (0,))
    assert await payouts.paid(record().address) == ()
