"""What of a holding counts: the aggregate less everything that is not free; never a guessed number."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tallystick.domain.amounts import Quantity
from tallystick.domain.breaks import Break, BreakEffect, BreakKind
from tallystick.domain.evidence import repetition_break, supports_attestation
from tallystick.domain.holdings import (
    Basis,
    Completeness,
    HoldingLine,
    StatementOfHoldings,
    SubBalance,
    Unit,
    normalised_content,
    statement_hash,
)
from tallystick.domain.identifiers import custody_account_hash
from tallystick.domain.reserve import (
    DEFAULT_TREATMENTS,
    ReserveFinding,
    Treatment,
    identification_breaks,
    reserve_quantity,
    statement_reserve,
)

LEI = "HWUPKR0MPOU8FGXBT394"
APPLE, MICROSOFT = "US0378331005", "US5949181045"
NOON = 1_790_000_000


def line(units: int, *parts: SubBalance, isin: str = APPLE, scale: int = 0, **fields: object) -> HoldingLine:
    return HoldingLine(isin, Quantity(units, scale), sub_balances=parts, **fields)  # type: ignore[arg-type]


def part(code: str, units: int, scale: int = 0, **fields: object) -> SubBalance:
    return SubBalance(code, Quantity(units, scale), **fields)  # type: ignore[arg-type]


def statement(*lines: HoldingLine, **fields: object) -> StatementOfHoldings:
    base = StatementOfHoldings(
        custodian_lei=LEI,
        account="ACC-1",
        as_of=NOON,
        received_at=NOON + 60,
        statement_id="S1",
        basis=Basis.SETTLED,
        completeness=Completeness.COMPLETE,
        has_activity=True,
        lines=lines,
        source_hashes=(bytes(32),),
        format="semt.002.001.11",
        parser_version=1,
        encumbered=False,
    )
    return replace(base, **fields)  # type: ignore[arg-type]


def kinds(breaks: tuple[Break, ...]) -> list[BreakKind]:
    return [found.kind for found in breaks]


def test_shares_without_sub_balances_all_count() -> None:
    assert reserve_quantity(line(100), 6) == ReserveFinding(100_000_000)


@pytest.mark.parametrize("code", [code for code, each in DEFAULT_TREATMENTS.items() if each is Treatment.TAKEN_OFF])
def test_a_sub_balance_that_is_not_free_is_taken_off_and_named(code: str) -> None:
    finding = reserve_quantity(line(100, part(code, 30)), 2, account="ACC-1", as_of=NOON)
    assert (finding.quantity, finding.taken_off) == (7_000, ((code, 3_000),))
    (found,) = finding.breaks
    assert (found.kind, found.reference, found.amount) == (BreakKind.ENCUMBERED, code, 3_000)
    assert (found.account, found.as_of, found.effect) == ("ACC-1", NOON, BreakEffect.NOT_COUNTED)


@pytest.mark.parametrize("code", [code for code, each in DEFAULT_TREATMENTS.items() if each is Treatment.COUNTED])
def test_a_sub_balance_that_takes_nothing_away_counts(code: str) -> None:
    assert reserve_quantity(line(100, part(code, 30)), 0) == ReserveFinding(100)


def test_a_sub_balance_of_an_unknown_kind_is_not_counted_and_is_a_break() -> None:
    finding = reserve_quantity(line(100, part("ZZZZ", 30)), 0)
    assert finding.quantity == 70
    assert kinds(finding.breaks) == [BreakKind.UNKNOWN_SUB_BALANCE]


def test_a_pledge_inside_a_counted_part_is_taken_off() -> None:
    assert reserve_quantity(line(100, part("NOMI", 50, parts=(part("PLED", 20),))), 0).quantity == 80


def test_a_pledge_inside_a_lent_part_is_taken_off_once() -> None:
    assert reserve_quantity(line(100, part("LOAN", 50, parts=(part("PLED", 20),))), 0).quantity == 50


def test_a_custodians_own_table_decides() -> None:
    own = {**DEFAULT_TREATMENTS, "PRTRY:FREE": Treatment.COUNTED, "AVAI": Treatment.TAKEN_OFF}
    holding = line(100, part("PRTRY:FREE", 60), part("AVAI", 40))
    assert reserve_quantity(holding, 0, own).quantity == 60


def test_what_is_not_available_without_a_reason_is_taken_off() -> None:
    finding = reserve_quantity(line(100, part("PLED", 10), not_available=Quantity(25)), 0)
    assert (finding.quantity, finding.taken_off) == (75, (("NAVL", 15), ("PLED", 10)))


def test_what_is_not_available_for_a_counted_reason_counts() -> None:
    assert reserve_quantity(line(100, part("BLCA", 25), not_available=Quantity(25)), 0) == ReserveFinding(100)


def test_an_available_part_explains_nothing_that_is_not_available() -> None:
    holding = line(100, part("NOMI", 60, available=True), part("AVAI", 10), not_available=Quantity(30))
    assert reserve_quantity(holding, 0).quantity == 70


@pytest.mark.parametrize("unit", [unit for unit in Unit if unit is not Unit.SHARES])
def test_a_quantity_that_is_not_in_shares_gives_no_number(unit: Unit) -> None:
    finding = reserve_quantity(line(100, unit=unit), 0)
    assert (finding.quantity, kinds(finding.breaks)) == (None, [BreakKind.WRONG_UNIT])
    pledged = reserve_quantity(line(100, part("PLED", 1, unit=unit)), 0)
    assert (pledged.quantity, kinds(pledged.breaks)) == (None, [BreakKind.WRONG_UNIT])


def test_more_decimals_than_the_token_give_no_number() -> None:
    finding = reserve_quantity(line(1_001, scale=3), 2)
    assert (finding.quantity, kinds(finding.breaks)) == (None, [BreakKind.TOO_MANY_DECIMALS])
    pledged = reserve_quantity(line(10, part("PLED", 1, 3)), 2)
    assert (pledged.quantity, pledged.breaks[0].reference) == (None, "PLED")


def test_zeros_behind_the_point_are_no_decimals() -> None:
    assert reserve_quantity(line(1_000_000, scale=5), 0) == ReserveFinding(10)


@pytest.mark.parametrize("holding", [line(-1), line(5, part("PLED", -1)), line(5, part("PLED", 6))])
def test_less_than_nothing_gives_no_number(holding: HoldingLine) -> None:
    finding = reserve_quantity(holding, 0)
    assert finding.quantity is None
    assert BreakKind.NEGATIVE_QUANTITY in kinds(finding.breaks)


@given(
    st.integers(0, 10**12),
    st.lists(st.tuples(st.sampled_from([*DEFAULT_TREATMENTS, "ZZZZ"]), st.integers(0, 10**11)), max_size=6),
)
def test_the_reserve_never_exceeds_the_aggregate_less_what_is_taken_off(
    aggregate: int, parts: list[tuple[str, int]]
) -> None:
    finding = reserve_quantity(line(aggregate, *(part(code, units) for code, units in parts)), 0)
    off = sum(units for code, units in parts if DEFAULT_TREATMENTS.get(code) is not Treatment.COUNTED)
    assert finding.quantity == (aggregate - off if off <= aggregate else None)


def test_balances_of_one_instrument_are_added_up() -> None:
    held = statement(line(100, place="DTC"), line(50, part("LOAN", 5), place="CREST"), line(7, isin=MICROSOFT))
    finding = statement_reserve(held, APPLE, 0)
    assert (finding.quantity, finding.taken_off) == (145, (("LOAN", 5),))


def test_one_doubtful_balance_leaves_no_number_for_the_instrument() -> None:
    assert statement_reserve(statement(line(100), line(-1, place="X")), APPLE, 0).quantity is None


def test_an_instrument_that_is_absent_is_zero_only_on_a_whole_and_complete_statement() -> None:
    finding = statement_reserve(statement(), APPLE, 0)
    assert (finding.quantity, kinds(finding.breaks)) == (0, [BreakKind.MISSING_IN_CUSTODY])
    assert statement_reserve(statement(completeness=Completeness.DELTA), APPLE, 0).quantity is None
    assert statement_reserve(statement(ends=False), APPLE, 0).quantity is None
    assert statement_reserve(statement(first_page=2, last_page=2), APPLE, 0).quantity is None


def test_wrong_and_missing_isins_are_breaks() -> None:
    held = statement(line(1, isin="US0378331006"), HoldingLine("", Quantity(1), other_id="CUSIP 037833100"))
    assert kinds(identification_breaks(held)) == [BreakKind.BAD_ISIN, BreakKind.UNKNOWN_ISIN]
    assert identification_breaks(statement(line(1))) == ()


def against(held: StatementOfHoldings, now: int = NOON + 3600) -> tuple[Break, ...]:
    return supports_attestation(
        held, accounts={custody_account_hash(LEI, "ACC-1")}, securities={APPLE: 6}, maximum_age=86_400, now=now
    )


def test_nothing_speaks_against_a_whole_complete_settled_and_fresh_statement() -> None:
    assert against(statement(line(100))) == ()


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"basis": Basis.TRADED}, BreakKind.BASIS_MISMATCH),
        ({"basis": Basis.CONTRACTUAL}, BreakKind.BASIS_MISMATCH),
        ({"basis": Basis.PROPRIETARY}, BreakKind.BASIS_MISMATCH),
        ({"completeness": Completeness.DELTA}, BreakKind.BASIS_MISMATCH),
        ({"completeness": Completeness.PROPRIETARY}, BreakKind.BASIS_MISMATCH),
        ({"ends": False}, BreakKind.MISSING_PAGE),
        ({"first_page": 2, "last_page": 2}, BreakKind.MISSING_PAGE),
        ({"account": "ACC-2"}, BreakKind.WRONG_ACCOUNT),
        ({"encumbered": True}, BreakKind.ENCUMBERED),
        ({"as_of": NOON - 86_400}, BreakKind.STALE_STATEMENT),
        ({"as_of": NOON + 3600}, BreakKind.STALE_STATEMENT),
    ],
)
def test_one_defect_of_a_statement_is_one_break_that_stops_it(change: dict[str, object], kind: BreakKind) -> None:
    (found,) = against(statement(line(100), **change))
    assert found.kind is kind
    assert found.stops_attestation


def test_a_custodian_clock_slightly_ahead_is_tolerated() -> None:
    assert against(statement(line(1), as_of=NOON + 300, received_at=NOON), now=NOON) == ()


def test_a_lien_flag_that_is_absent_or_false_stops_nothing() -> None:
    assert against(statement(line(1), encumbered=None)) == against(statement(line(1), encumbered=False)) == ()


def test_instruments_of_others_and_known_pledges_stop_nothing() -> None:
    breaks = against(statement(line(100, part("PLED", 1)), line(5, isin=MICROSOFT)))
    assert kinds(breaks) == [BreakKind.UNKNOWN_ISIN, BreakKind.ENCUMBERED]
    assert not any(found.stops_attestation for found in breaks)


def test_the_same_statement_again_is_a_duplicate_and_other_content_a_conflict() -> None:
    first = statement(line(1))
    other = replace(first, source_hashes=(b"\1" * 32,))
    duplicate, conflict = repetition_break(first, first), repetition_break(other, first)
    assert duplicate is not None
    assert conflict is not None
    assert (duplicate.kind, conflict.kind) == (BreakKind.DUPLICATE_STATEMENT, BreakKind.CONFLICTING_STATEMENT)


@pytest.mark.parametrize("change", [{"statement_id": "S2"}, {"account": "ACC-2"}, {"first_page": 2, "last_page": 2}])
def test_another_statement_account_or_page_is_no_repetition(change: dict[str, object]) -> None:
    assert repetition_break(statement(line(1), **change), statement(line(1))) is None


def test_statements_without_ids_repeat_only_at_the_same_as_of() -> None:
    first = statement(statement_id="")
    assert repetition_break(replace(first, as_of=NOON + 1), first) is None
    assert repetition_break(first, first) is not None


def test_copies_of_a_statement_in_other_files_have_one_hash() -> None:
    first = statement(line(100, part("PLED", 1), part("LOAN", 2)), line(5, place="X"), line(9, isin=MICROSOFT))
    copy = statement(
        line(5, place="X", where="row 9", description="Apple"),
        line(100, part("LOAN", 2), part("PLED", 1)),
        received_at=NOON + 999,
        source_hashes=(b"\2" * 32,),
        format="csv",
        encumbered=None,
    )
    assert statement_hash(first, APPLE) == statement_hash(copy, APPLE)


@pytest.mark.parametrize(
    "other",
    [
        statement(line(101)),
        statement(line(100, part("PLED", 1))),
        statement(line(100), as_of=NOON + 1),
        statement(line(100), account="ACC-2"),
        statement(line(100), statement_id="S2"),
        statement(line(100), basis=Basis.TRADED),
        statement(line(100), completeness=Completeness.DELTA),
        statement(line(100), encumbered=True),
        statement(line(100, place="X")),
        statement(line(50), line(50)),
        statement(line(100, unit=Unit.FACE_AMOUNT)),
        statement(),
    ],
)
def test_any_deciding_difference_changes_the_statement_hash(other: StatementOfHoldings) -> None:
    assert statement_hash(other, APPLE) != statement_hash(statement(line(100)), APPLE)


def test_the_normalised_content_is_the_published_one() -> None:
    assert normalised_content(statement(line(1005, part("PLED", 5), scale=1, place="DTC")), APPLE) == (
        b'{"account":"ACC-1","as_of":1790000000,"balances":[{"aggregate":"100.5","place":"DTC","sub_balances":'
        b'[{"code":"PLED","parts":[],"quantity":"5","unit":"UNIT"}],"unit":"UNIT"}],"basis":"SETT","completeness":"COMP",'
        b'"custodian":"HWUPKR0MPOU8FGXBT394","encumbered":false,"isin":"US0378331005","statement_id":"S1","version":1}'
    )
