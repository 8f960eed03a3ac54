"""Movements between statements and chain, as they were at a close that is past."""

from __future__ import annotations

from typing import Any

import pytest
from desk import ACCOUNT
from solders.pubkey import Pubkey
from tallystick.adapters.store.journal import CustodyMovement
from tallystick.domain.closes import NO_PREVIOUS, DailyClose, SecurityClose, StatementReference
from tallystick.domain.orders import MovementDirection
from tallystick.program.generated.accounts import Fill, Movement
from tallystick.program.generated.types import Direction, FillKind
from tallystick.services.report_timing import timing_at, used_shares

ISIN = "US0378331005"
AS_OF, CLOSED_AT = 100, 200


def security(*, is_stated: bool = True) -> SecurityClose:
    statements = (StatementReference(ACCOUNT.hash, b"h" * 32, (b"f" * 32,), AS_OF, 50),) if is_stated else ()
    return SecurityClose(ISIN, b"m" * 32, 6, 0, 10**18, 0, 0, 0, 0, 0, 0, 0, 0, bytes(32), 0, bytes(32), statements)


def close(part: SecurityClose) -> DailyClose:
    return DailyClose(b"i" * 32, "cluster", bytes(32), "2026-10-12", 7, CLOSED_AT, NO_PREVIOUS, (part,))


def booked(at: int | None, shares: int = 10, *, is_out: bool = False, reference: str = "REF") -> CustodyMovement:
    direction = MovementDirection.DELIVERED if is_out else MovementDirection.RECEIVED
    return CustodyMovement(ACCOUNT.custodian_lei, ACCOUNT.account, reference, direction, shares, b"s" * 32, 1, at)


def lines(movement: CustodyMovement, used: int = 0, *, is_stated: bool = True) -> list[tuple[int, str]]:
    part = security(is_stated=is_stated)
    found = timing_at(close(part), part, [movement], {movement.hash: used})
    assert {(each.day, each.isin, each.account, each.reference) for each in found} <= {
        ("2026-10-12", ISIN, ACCOUNT.account, "REF")
    }
    return [(each.amount, each.kind) for each in found]


@pytest.mark.parametrize(
    ("movement", "used", "expected"),
    [
        (booked(150), 10, [(10, "TIMING_ASOF")]),
        (booked(150, is_out=True), 10, [(-10, "TIMING_ASOF")]),
        (booked(90), 10, []),
        (booked(AS_OF), 10, []),
        (booked(90), 4, [(-6, "PENDING_SETTLEMENT")]),
        (booked(90, is_out=True), 4, [(6, "PENDING_SETTLEMENT")]),
        (booked(150), 4, [(10, "TIMING_ASOF"), (-6, "PENDING_SETTLEMENT")]),
        (booked(CLOSED_AT), 10, [(10, "TIMING_ASOF")]),
        (booked(CLOSED_AT + 1), 0, []),
        (booked(None), 0, []),
    ],
)
def test_what_was_booked_since_and_what_waits_is_named(
    movement: CustodyMovement, used: int, expected: list[tuple[int, str]]
) -> None:
    assert lines(movement, used) == expected


def test_without_a_statement_there_is_nothing_to_stand_between() -> None:
    assert lines(booked(150), is_stated=False) == []


def test_lines_are_in_the_order_of_their_booking_and_name() -> None:
    part = security()
    journal = [booked(160, reference="C"), booked(150, reference="B"), booked(150, reference="A")]
    used = {each.hash: 10 for each in journal}
    assert [each.reference for each in timing_at(close(part), part, journal, used)] == ["A", "B", "C"]


def fill(movement: Pubkey, shares: int, settled_at: int, kind: FillKind = FillKind.MINT) -> Fill:
    values: dict[str, Any] = {
        "version": 1,
        "bump": 255,
        "kind": kind,
        "security": Pubkey.default(),
        "movement": movement,
        "order": Pubkey.default(),
        "shares": shares,
        "raw": shares,
        "multiplier": 10**18,
        "settled_at": settled_at,
        "corrects": Pubkey.default(),
        "corrected_raw": 0,
        "corrections": 0,
        "reserved": bytes(64),
    }
    return Fill(**values)


def test_used_is_what_fills_until_the_moment_took_and_a_correction_gives_nothing_back() -> None:
    address = Pubkey.from_bytes(b"a" * 32)
    movement = Movement(
        version=1,
        bump=255,
        security=Pubkey.default(),
        reference_hash=b"r" * 32,
        direction=Direction.IN,
        shares=100,
        allocated=60,
        recorded_at=1,
        reserved=bytes(64),
    )
    fills = [
        fill(address, 10, 90),
        fill(address, 20, CLOSED_AT),
        fill(address, 30, CLOSED_AT + 1),
        fill(address, 5, 95, FillKind.CORRECTION),
        fill(Pubkey.default(), 7, 90),
    ]
    assert used_shares({address: movement}, fills, CLOSED_AT) == {b"r" * 32: 30}
