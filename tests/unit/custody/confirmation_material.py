"""Confirmations for the tests of their readers, and ways to break their files one thing at a time."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st
from tallystick.adapters.custody.confirmation_samples import write_mt566, write_seev036
from tallystick.adapters.custody.profiles import StatementProfile
from tallystick.domain.amounts import Quantity
from tallystick.domain.confirmations import CashConfirmation, ConfirmationFunction

LEI = "HWUPKR0MPOU8FGXBT394"
APPLE, MICROSOFT = "US0378331005", "US5949181045"
RECEIVED = 1_795_000_000
PROFILE = StatementProfile(LEI)
CONFIRMATION = CashConfirmation(
    custodian_lei=LEI,
    account="ACC-1",
    reference="CONF-20261113-1",
    function=ConfirmationFunction.NEW,
    event_id="CA-2026-17",
    event_code="DVCA",
    isin=APPLE,
    eligible=Quantity(1_000),
    currency="USD",
    gross=Quantity(260),
    tax=Quantity(39),
    net=Quantity(221),
    posted="2026-11-13",
    record_date="2026-11-10",
    source_hash=b"",
    format="",
    received_at=RECEIVED,
)
REVERSAL = replace(
    CONFIRMATION,
    reference="CONF-20261114-1",
    function=ConfirmationFunction.REVERSAL,
    reverses=CONFIRMATION.reference,
)


def swift(confirmation: CashConfirmation = CONFIRMATION, *, has_envelope: bool = True) -> bytes:
    return write_mt566(confirmation, has_envelope=has_envelope, line_end="\n")


def xml(confirmation: CashConfirmation = CONFIRMATION, version: str = "001.15") -> bytes:
    return write_seev036(confirmation, version)


def changed(old: str, new: str, data: bytes) -> bytes:
    """The file with the first occurrence of `old` replaced; the test fails when there is none."""
    assert old.encode() in data, f"{old} is not in the sample"
    return data.replace(old.encode(), new.encode(), 1)


def comparable(confirmation: CashConfirmation) -> CashConfirmation:
    """Without what a file cannot carry: its own hash and format."""
    return replace(confirmation, source_hash=b"", format="")


_words = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?().,'+", min_size=1, max_size=35)
_money = st.builds(Quantity, st.integers(0, 10**13), st.integers(0, 5))


@st.composite
def confirmations(draw: st.DrawFn) -> CashConfirmation:
    """Any confirmation, new or a reversal."""
    net, tax = draw(_money), draw(_money)
    is_new = draw(st.booleans())
    return CashConfirmation(
        custodian_lei=LEI,
        account=draw(_words),
        reference=draw(_words),
        function=ConfirmationFunction.NEW if is_new else ConfirmationFunction.REVERSAL,
        event_id=draw(_words),
        event_code=draw(st.sampled_from(["DVCA", "DRIP", "MRGR"])),
        isin=draw(st.sampled_from([APPLE, MICROSOFT])),
        eligible=draw(st.builds(Quantity, st.integers(1, 10**15), st.integers(0, 9))),
        currency=draw(st.sampled_from(["USD", "EUR", "JPY"])),
        gross=net + tax,
        tax=tax,
        net=net,
        posted=draw(st.dates()).isoformat(),
        record_date=draw(st.one_of(st.just(""), st.dates().map(lambda day: day.isoformat()))),
        source_hash=b"",
        format="",
        received_at=RECEIVED,
        reverses="" if is_new else draw(_words),
    )
