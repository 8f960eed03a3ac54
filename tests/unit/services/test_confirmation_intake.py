"""A confirmation's file is kept before it is read, and registered only when it is ours."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from tallystick.adapters.custody.archive import MemoryStatementArchive
from tallystick.adapters.custody.confirmation_samples import write_mt566, write_seev036
from tallystick.adapters.custody.errors import ConfirmsNothing
from tallystick.adapters.custody.profiles import StatementProfile
from tallystick.adapters.store.confirmations import MemoryConfirmationStore
from tallystick.domain.amounts import Quantity
from tallystick.domain.confirmations import CashConfirmation, ConfirmationFunction, settled_cash
from tallystick.errors import Refused, StatementError, StoreConflict
from tallystick.services.confirmation_intake import receive_confirmation, require_event

LEI, ISIN, NOW = "HWUPKR0MPOU8FGXBT394", "US0378331005", 1_795_000_000
PAID = CashConfirmation(
    custodian_lei=LEI,
    account="ACC-1",
    reference="C-1",
    function=ConfirmationFunction.NEW,
    event_id="CA-17",
    event_code="DVCA",
    isin=ISIN,
    eligible=Quantity(1_000),
    currency="USD",
    gross=Quantity(260),
    tax=Quantity(39),
    net=Quantity(221),
    posted="2026-11-13",
    record_date="2026-11-10",
    source_hash=b"",
    format="",
    received_at=NOW,
)
REVERSAL = replace(PAID, reference="R-1", function=ConfirmationFunction.REVERSAL, reverses="C-1")


class Intake:
    """An archive and a store, and files that come in."""

    def __init__(self) -> None:
        self.archive = MemoryStatementArchive()
        self.store = MemoryConfirmationStore()

    async def receive(self, data: bytes, isin: str | None = None, event_id: str | None = None) -> CashConfirmation:
        return await receive_confirmation(
            data,
            StatementProfile(LEI),
            self.archive,
            self.store,
            accounts=("acc-1", "ACC-2"),
            received_at=NOW,
            isin=isin,
            event_id=event_id,
        )

    async def has_only_the_file(self, data: bytes) -> bool:
        kept = await self.archive.holds(hashlib.sha256(data).digest())
        return kept and await self.store.list(ISIN, "CA-17") == ()


async def test_both_formats_are_registered_and_net() -> None:
    intake = Intake()
    await intake.receive(write_mt566(PAID), ISIN, "ca-17")
    await intake.receive(write_seev036(REVERSAL))
    corrected = replace(PAID, reference="C-3", gross=Quantity(250), net=Quantity(211))
    kept = await intake.receive(write_seev036(corrected))
    assert await intake.archive.holds(kept.source_hash)
    assert settled_cash(await intake.store.list(ISIN, "CA-17")).net == Quantity(211)


async def test_the_same_file_again_changes_nothing() -> None:
    intake = Intake()
    first = await intake.receive(write_mt566(PAID))
    assert await intake.receive(write_mt566(PAID)) == first
    assert len(await intake.store.list(ISIN, "CA-17")) == 1


async def test_another_file_of_the_same_reference_is_a_conflict() -> None:
    intake = Intake()
    first = await intake.receive(write_mt566(PAID))
    with pytest.raises(StoreConflict, match="received before as another file"):
        await intake.receive(write_seev036(PAID))
    assert await intake.store.list(ISIN, "CA-17") == (first,)


async def test_an_account_that_is_not_ours_is_kept_and_not_registered() -> None:
    intake, data = Intake(), write_mt566(replace(PAID, account="ACC-9"))
    with pytest.raises(Refused, match="account ACC-9, which is not declared"):
        await intake.receive(data)
    assert await intake.has_only_the_file(data)


@pytest.mark.parametrize(
    ("isin", "event_id", "text"),
    [("US5949181045", "CA-17", f"is of {ISIN}, not of US5949181045"), (ISIN, "CA-18", "event CA-17, not of CA-18")],
)
async def test_another_event_or_security_is_kept_and_not_registered(isin: str, event_id: str, text: str) -> None:
    intake, data = Intake(), write_mt566(PAID)
    with pytest.raises(Refused, match=text):
        await intake.receive(data, isin, event_id)
    assert await intake.has_only_the_file(data)


@pytest.mark.parametrize(
    ("data", "error"),
    [(b"no confirmation", StatementError), (write_mt566(PAID).replace(b"{2:O566", b"{2:O564"), ConfirmsNothing)],
)
async def test_what_cannot_be_read_is_kept_and_not_registered(data: bytes, error: type[StatementError]) -> None:
    intake = Intake()
    with pytest.raises(error):
        await intake.receive(data)
    assert await intake.has_only_the_file(data)


def test_an_event_is_the_same_however_it_is_spelled() -> None:
    require_event(PAID, isin=ISIN, event_id=" ca-17 ")
