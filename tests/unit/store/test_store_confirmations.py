"""Confirmations of cash: the same promises in memory and in the store."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tallystick.adapters.store.confirmations import (
    ConfirmationStore,
    MemoryConfirmationStore,
    decode_confirmation,
    encode_confirmation,
)
from tallystick.adapters.store.store import Store
from tallystick.domain.amounts import Quantity
from tallystick.domain.confirmations import CashConfirmation, ConfirmationFunction
from tallystick.errors import LedgerError, StoreConflict

ISIN = "US0378331005"
PAID = CashConfirmation(
    custodian_lei="HWUPKR0MPOU8FGXBT394",
    account="ACC-1",
    reference="C-1",
    function=ConfirmationFunction.NEW,
    event_id="CA-17",
    event_code="DVCA",
    isin=ISIN,
    eligible=Quantity(10005, 1),
    currency="USD",
    gross=Quantity(26013, 2),
    tax=Quantity(39),
    net=Quantity(22113, 2),
    posted="2026-11-13",
    record_date="",
    source_hash=b"1" * 32,
    format="seev.036.001.15",
    received_at=100,
)
REVERSAL = replace(
    PAID, reference="R-1", function=ConfirmationFunction.REVERSAL, reverses="C-1", source_hash=b"2" * 32, received_at=99
)


@pytest.fixture(params=["memory", "file"])
def confirmations(request: pytest.FixtureRequest, store: Store) -> ConfirmationStore:
    return MemoryConfirmationStore() if request.param == "memory" else store.confirmations


async def test_what_was_kept_comes_back_in_the_order_it_was_received(confirmations: ConfirmationStore) -> None:
    for each in (PAID, REVERSAL):
        assert await confirmations.add(each) == each
    assert await confirmations.list(ISIN, " ca-17") == (PAID, REVERSAL)


async def test_the_same_file_again_changes_nothing(confirmations: ConfirmationStore) -> None:
    await confirmations.add(PAID)
    assert await confirmations.add(replace(PAID, received_at=500)) == PAID
    assert await confirmations.list(ISIN, "CA-17") == (PAID,)


async def test_another_file_under_one_reference_is_a_conflict(confirmations: ConfirmationStore) -> None:
    await confirmations.add(PAID)
    other = replace(PAID, account="acc-1", gross=Quantity(300), net=Quantity(261), source_hash=b"3" * 32)
    with pytest.raises(StoreConflict, match=r"net 221\.13 USD there, 261 USD here"):
        await confirmations.add(other)
    assert await confirmations.list(ISIN, "CA-17") == (PAID,)


async def test_accounts_and_custodians_have_references_of_their_own(confirmations: ConfirmationStore) -> None:
    others = [
        PAID,
        replace(PAID, account="ACC-2", source_hash=b"4" * 32),
        replace(PAID, custodian_lei="529900T8BM49AURSDO55", source_hash=b"5" * 32),
    ]
    for each in others:
        await confirmations.add(each)
    assert await confirmations.list(ISIN, "CA-17") == tuple(others)


async def test_other_events_and_securities_are_not_listed(confirmations: ConfirmationStore) -> None:
    await confirmations.add(replace(PAID, event_id="CA-18"))
    await confirmations.add(replace(PAID, reference="C-2", isin="US5949181045", source_hash=b"6" * 32))
    assert await confirmations.list(ISIN, "CA-17") == ()


def test_a_document_holds_everything() -> None:
    assert decode_confirmation(encode_confirmation(REVERSAL)) == REVERSAL


@pytest.mark.parametrize(
    "change",
    [
        (b'"version":1', b'"version":2'),
        (b'"net":"221.13"', b'"net":"221.14"'),
        (b'"net":', b'"nett":'),
        (b'"function":"NEWM"', b'"function":"CANC"'),
    ],
)
def test_another_document_does_not_decode(change: tuple[bytes, bytes]) -> None:
    content = encode_confirmation(PAID)
    assert change[0] in content
    with pytest.raises(LedgerError):
        decode_confirmation(content.replace(*change))
