"""Confirmations of one event add up to the cash that is there: reversals take back, and doubts are refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tallystick.domain.amounts import Quantity
from tallystick.domain.confirmations import CashConfirmation, ConfirmationFunction, settled_cash
from tallystick.errors import AmountError, Refused

PAID = CashConfirmation(
    custodian_lei="HWUPKR0MPOU8FGXBT394",
    account="ACC-1",
    reference="C-1",
    function=ConfirmationFunction.NEW,
    event_id="CA-17",
    event_code="DVCA",
    isin="US0378331005",
    eligible=Quantity(1_000),
    currency="USD",
    gross=Quantity(260),
    tax=Quantity(39),
    net=Quantity(221),
    posted="2026-11-13",
    record_date="2026-11-10",
    source_hash=b"1" * 32,
    format="MT566",
    received_at=100,
)
SECOND = replace(
    PAID,
    account="ACC-2",
    reference="C-2",
    eligible=Quantity(5, 1),
    gross=Quantity(13, 2),
    tax=Quantity(0),
    net=Quantity(13, 2),
    posted="2026-11-16",
    source_hash=b"2" * 32,
)


def reversal_of(paid: CashConfirmation, reference: str = "R-1") -> CashConfirmation:
    return replace(
        paid,
        reference=reference,
        function=ConfirmationFunction.REVERSAL,
        reverses=paid.reference,
        source_hash=b"r" * 32,
    )


def test_accounts_are_added() -> None:
    cash = settled_cash([PAID, SECOND])
    assert (cash.eligible, cash.gross, cash.tax, cash.net) == (
        Quantity(10005, 1),
        Quantity(26013, 2),
        Quantity(39),
        Quantity(22113, 2),
    )
    assert (cash.currency, cash.isin, cash.event_id, cash.event_code) == ("USD", PAID.isin, "CA-17", "DVCA")
    assert [each.reference for each in cash.standing] == ["C-1", "C-2"]


def test_a_reversed_confirmation_makes_room_for_a_new_one() -> None:
    corrected = replace(PAID, reference="C-3", gross=Quantity(250), net=Quantity(211))
    reversal = reversal_of(PAID)
    cash = settled_cash([PAID, reversal, corrected])
    assert (cash.net, cash.standing, cash.taken_back) == (Quantity(211), (corrected,), (PAID, reversal))
    assert [each.reference for each in (*cash.standing, *cash.taken_back)] == ["C-3", "C-1", "R-1"]


def test_names_are_the_same_however_they_are_spelled() -> None:
    reversal = replace(reversal_of(PAID), account="acc-1", reverses=" c-1 ", event_id="ca-17")
    assert settled_cash([PAID, reversal, SECOND]).standing == (SECOND,)


@given(st.permutations([PAID, reversal_of(PAID), replace(PAID, reference="C-3"), SECOND]))
def test_the_order_does_not_matter(given: list[CashConfirmation]) -> None:
    cash = settled_cash(given)
    assert (cash.net, {each.reference for each in cash.standing}) == (Quantity(22113, 2), {"C-2", "C-3"})


@pytest.mark.parametrize(
    ("confirmations", "text"),
    [
        ([], "confirmed no cash"),
        ([PAID, reversal_of(PAID)], "Every confirmation of this event was reversed"),
        ([PAID, replace(PAID, reference="C-3")], "paid twice: by C-1 and by C-3"),
        ([PAID, replace(SECOND, currency="EUR")], "different currencies: EUR, USD"),
        ([PAID, replace(SECOND, event_id="CA-18")], "different events: CA-17, CA-18"),
        ([PAID, replace(SECOND, isin="US5949181045")], "different securities"),
        ([PAID, replace(SECOND, event_code="DRIP")], "different kinds of event"),
        ([reversal_of(PAID)], "reverses C-1, which was not received"),
        ([PAID, replace(reversal_of(PAID), account="ACC-2")], "not received for account ACC-2"),
        ([PAID, replace(reversal_of(PAID), reverses="")], "reverses no message"),
        ([PAID, reversal_of(PAID), reversal_of(PAID, "R-2")], "R-2 reverses C-1, which was reversed before"),
        ([PAID, replace(reversal_of(PAID), gross=Quantity(259), net=Quantity(220))], "with other amounts: net 220 USD"),
        ([PAID, replace(reversal_of(PAID), eligible=Quantity(999))], "with other amounts"),
        ([PAID, reversal_of(PAID), reversal_of(reversal_of(PAID), "R-2")], "reverses R-1, which was not received"),
        ([PAID, replace(PAID, net=Quantity(260), tax=Quantity(0))], "have the reference C-1"),
    ],
)
def test_doubts_are_refused(confirmations: list[CashConfirmation], text: str) -> None:
    with pytest.raises(Refused, match=text):
        settled_cash(confirmations)


@pytest.mark.parametrize(
    "change",
    [
        {"net": Quantity(222)},
        {"tax": Quantity(-1), "net": Quantity(261)},
        {"gross": Quantity(-1), "tax": Quantity(0), "net": Quantity(-1)},
        {"eligible": Quantity(0)},
    ],
)
def test_amounts_that_cannot_be_are_no_confirmation(change: dict[str, Quantity]) -> None:
    with pytest.raises(AmountError):
        replace(PAID, **change)  # type: ignore[arg-type]
