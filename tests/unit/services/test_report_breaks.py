"""Breaks as they were at a report's as-of: the closes decide where they speak, the records' own times elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tallystick.adapters.store.breaks import MemoryBreakStore
from tallystick.domain.breaks import Break, BreakKind
from tallystick.domain.closes import NO_PREVIOUS, DailyClose, SecurityClose
from tallystick.domain.reserve_report.declared import DeclaredBreak
from tallystick.errors import LedgerError
from tallystick.services.report_breaks import month_breaks

ISSUER, SECURITY = b"i" * 32, b"s" * 32
SHORT = Break(BreakKind.QUANTITY_SHORT, "short", "US0378331005", "", "custody", 5)
STALE = Break(BreakKind.STALE_STATEMENT, "stale", "", "SAFE 1", "S-1")
CONFLICT = Break(BreakKind.CONFLICTING_STATEMENT, "conflict", "", "SAFE 1", "S-2")
BEGINS = 100
"""The opening close; those of the month are at 200, 300 and 400."""


def closed(at: int, *breaks: Break) -> DailyClose:
    security = SecurityClose(
        "US0378331005",
        b"m" * 32,
        6,
        0,
        10**18,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        bytes(32),
        0,
        bytes(32),
        (),
        tuple(each.id for each in breaks),
    )
    return DailyClose(ISSUER, "cluster", bytes(32), "2026-10-01", at, at, NO_PREVIOUS, (security,))


async def found(
    runs: Sequence[tuple[int, Sequence[Break]]],
    closes: Sequence[Sequence[Break]] = ((), (), ()),
    opening: Sequence[Break] = (),
    *,
    scope: bytes = SECURITY,
    conflicts: Sequence[Break] = (),
) -> tuple[DeclaredBreak, ...]:
    store = MemoryBreakStore()
    for at, breaks in runs:
        await store.record(scope, breaks, at)
    month = [closed(200 + 100 * place, *named) for place, named in enumerate(closes)]
    return await month_breaks(store, ISSUER, [SECURITY], month, closed(BEGINS, *opening), BEGINS, conflicts)


def times(breaks: Sequence[DeclaredBreak]) -> list[tuple[int, int]]:
    return [(each.first_seen, each.closed_at) for each in breaks]


@pytest.mark.parametrize(
    ("runs", "closes", "opening", "expected"),
    [
        pytest.param([(150, [SHORT])], ((SHORT,),) * 3, (), [(150, 0)], id="open at the as-of"),
        pytest.param([(50, [SHORT])], ((SHORT,),) * 3, (SHORT,), [(50, 0)], id="open since before the month"),
        pytest.param([(150, [SHORT]), (250, [])], ((SHORT,), (), ()), (), [(150, 250)], id="closed in the month"),
        pytest.param([(210, [SHORT]), (250, [])], ((), (), ()), (), [(210, 250)], id="between two closes"),
        pytest.param([(50, [SHORT]), (150, [])], ((), (), ()), (SHORT,), [(50, 150)], id="closed at its begin"),
        pytest.param([(50, [SHORT]), (90, [])], ((), (), ()), (), [], id="closed before the month"),
        pytest.param([(450, [SHORT])], ((), (), ()), (), [], id="found after the month"),
        pytest.param([(150, [SHORT]), (450, [])], ((SHORT,),) * 3, (), [(150, 0)], id="closed after the as-of"),
        pytest.param([(405, [SHORT])], ((), (), (SHORT,)), (), [(400, 0)], id="found while the as-of was closed"),
        pytest.param([(350, [SHORT])], ((SHORT,),) * 3, (), [(200, 0)], id="named before the record that is left"),
        pytest.param(
            [(150, [SHORT]), (250, []), (350, [SHORT])],
            ((SHORT,), (), (SHORT,)),
            (),
            [(150, 0)],
            id="back by the as-of",
        ),
        pytest.param(
            [(150, [SHORT]), (250, []), (450, [SHORT])], ((SHORT,), (), ()), (), [(150, 300)], id="back after the as-of"
        ),
        pytest.param(
            [(210, [SHORT]), (250, []), (450, [SHORT])], ((), (), ()), (), [(210, 300)], id="back, and in no close"
        ),
        pytest.param(
            [(50, [SHORT]), (90, []), (450, [SHORT])], ((), (), ()), (), [], id="closed before the month and back"
        ),
    ],
)
async def test_a_break_of_a_security_is_told_as_the_closes_have_it(
    runs: list[tuple[int, list[Break]]],
    closes: Sequence[Sequence[Break]],
    opening: Sequence[Break],
    expected: list[tuple[int, int]],
) -> None:
    assert times(await found(runs, closes, opening)) == expected


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        pytest.param([(150, [STALE])], [(150, 0)], id="open"),
        pytest.param([(150, [STALE]), (250, [])], [(150, 250)], id="closed in the month"),
        pytest.param([(150, [STALE]), (450, [])], [(150, 0)], id="closed after it"),
        pytest.param([(50, [STALE]), (90, [])], [], id="closed before it"),
        pytest.param([(450, [STALE])], [], id="found after it"),
        pytest.param([(150, [STALE]), (250, []), (350, [STALE])], [(150, 0)], id="back by the as-of"),
        pytest.param([(50, [STALE]), (90, []), (450, [STALE])], [], id="back long after"),
    ],
)
async def test_a_break_of_the_issuer_is_told_by_its_own_times(
    runs: list[tuple[int, list[Break]]], expected: list[tuple[int, int]]
) -> None:
    assert times(await found(runs, scope=ISSUER)) == expected


@pytest.mark.parametrize(
    ("runs", "closes", "expected"),
    [
        pytest.param([(405, [SHORT])], (True, True), ([(400, 0)], [(400, 0)]), id="found while the first was closed"),
        pytest.param([(405, [SHORT])], (False, True), ([], [(405, 0)]), id="found right after"),
        pytest.param([(150, [SHORT]), (405, [])], (False, False), ([(150, 400)], []), id="closed meanwhile"),
        pytest.param([(150, [SHORT]), (400, [])], (True, False), ([(150, 0)], [(150, 400)]), id="closed in its second"),
    ],
)
async def test_a_break_at_the_end_of_a_month_is_opened_and_closed_in_one(
    runs: list[tuple[int, list[Break]]], closes: tuple[bool, bool], expected: tuple[list[tuple[int, int]], ...]
) -> None:
    store = MemoryBreakStore()
    for at, breaks in runs:
        await store.record(SECURITY, breaks, at)
    middle, last = closed(400, *([SHORT] if closes[0] else [])), closed(600, *([SHORT] if closes[1] else []))
    early = closed(200, *([SHORT] if runs[0][0] < 200 else []))
    first = await month_breaks(store, ISSUER, [SECURITY], [early, middle], closed(BEGINS), BEGINS)
    second = await month_breaks(store, ISSUER, [SECURITY], [closed(500), last], middle, 400)
    assert (times(first), times(second)) == expected


async def test_everything_about_a_break_is_told() -> None:
    [one] = await found([(150, [SHORT])], ((SHORT,),) * 3)
    assert one == DeclaredBreak(
        SHORT.id, "QUANTITY_SHORT", "US0378331005", "", "custody", "short", 5, 150, 0, "custody"
    )


async def test_a_conflict_that_nobody_recorded_is_told_from_the_statements() -> None:
    [one] = await found([], ((), (CONFLICT,), (CONFLICT,)), conflicts=[CONFLICT])
    assert (one.id, one.first_seen, one.closed_at) == (CONFLICT.id, 300, 0)


async def test_a_break_that_only_the_close_knows_stops_the_report() -> None:
    with pytest.raises(LedgerError, match=SHORT.id.hex()):
        await found([], ((), (), (SHORT,)))
