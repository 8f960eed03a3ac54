"""What each owner is owed of a dividend: exact, whole, and independent of the order anything is given in."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tallystick.domain.amounts import MULTIPLIER_ONE, Quantity, parse_quantity
from tallystick.domain.dividend_terms import is_as_announced
from tallystick.domain.dividends import Carry, HolderClass
from tallystick.domain.entitlements import (
    ControlTotals,
    DividendTerms,
    Entitlement,
    Entitlements,
    compute_entitlements,
    pack_pages,
    parse_page,
    payout_lines,
)
from tallystick.domain.record_register import Position, RecordRegister
from tallystick.errors import AmountError, InputError, LedgerError, Refused

WALLET, PROGRAM, FROZEN, INVENTORY = HolderClass
RATES = {"none": 0, "treaty": 1_500, "statutory": 3_000}


def owner(number: int) -> bytes:
    return number.to_bytes(32, "big")


def register_of(
    positions: Sequence[Position], *, decimals: int = 0, multiplier: int = MULTIPLIER_ONE
) -> RecordRegister:
    return RecordRegister(
        security=bytes(32),
        event_hash=b"e" * 32,
        mint=b"m" * 32,
        slot=7,
        block_time=1,
        record_at=1,
        supply=sum(position.raw for position in positions),
        decimals=decimals,
        multiplier=multiplier,
        multiplier_bits=0,
        root=bytes(32),
        witnesses=1,
        positions=tuple(positions),
    )


def holding(*raws: int, holder_class: HolderClass = WALLET) -> list[Position]:
    return [Position(owner(number + 1), raw, holder_class) for number, raw in enumerate(raws)]


def terms_of(
    gross: str,
    eligible: int,
    *,
    tax: str = "0",
    decimals: int = 0,
    fee: int = 0,
    minimum: int = 0,
    default: str = "none",
) -> DividendTerms:
    total, upstream = parse_quantity(gross), parse_quantity(tax)
    return DividendTerms(
        Quantity(eligible), total, upstream, total + -upstream, decimals, RATES, default, fee=fee, minimum=minimum
    )


def computed(
    register: RecordRegister,
    terms: DividendTerms,
    *,
    tax_classes: Mapping[bytes, str] | None = None,
    carried: Mapping[bytes, int] | None = None,
    already: Mapping[bytes, int] | None = None,
) -> Entitlements:
    return compute_entitlements(
        register, terms, tax_classes=tax_classes or {}, carried=carried or {}, already=already or {}
    )


def amounts(found: Entitlements) -> list[int]:
    return [each.amount for each in found.entitlements]


def exact_net(position: Position, register: RecordRegister, terms: DividendTerms, rate: int) -> Fraction:
    """The formula of docs/glossary.md by fractions, one owner at a time."""
    if position.holder_class is INVENTORY:
        return Fraction(0)
    shares = Fraction(position.raw * register.multiplier, MULTIPLIER_ONE * 10**register.decimals)
    part = shares / Fraction(terms.eligible.units, 10**terms.eligible.scale) * 10**terms.payment_decimals
    gross = part * Fraction(terms.gross.units, 10**terms.gross.scale)
    upstream = part * Fraction(terms.tax.units, 10**terms.tax.scale)
    return gross - upstream - gross * Fraction(rate, 10_000) - gross * Fraction(terms.fee, 10_000)


def test_a_pot_that_divides_pays_each_share_alike() -> None:
    found = computed(register_of(holding(1, 2, 7)), terms_of("100", 10))
    assert amounts(found) == [10, 20, 70]
    assert found.totals == ControlTotals(100, 100, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100, 3, 3)


def test_units_left_by_fractions_go_to_the_largest_of_them_and_ties_to_the_lower_owner() -> None:
    assert amounts(computed(register_of(holding(1, 1, 1)), terms_of("100", 3))) == [34, 33, 33]
    assert amounts(computed(register_of(holding(1, 1, 5)), terms_of("10", 7))) == [2, 1, 7]


def test_the_payment_mint_decimals_and_the_multiplier_scale_a_part() -> None:
    register = register_of(holding(150, 50), decimals=2, multiplier=2 * MULTIPLIER_ONE)  # 3 shares and 1 share
    found = computed(register, terms_of("1.01", 4, decimals=6))
    assert amounts(found) == [757_500, 252_500]


def test_tax_of_the_custodian_withholding_and_fee_are_taken_from_the_gross_amount() -> None:
    register = register_of(holding(40, 60))
    terms = terms_of("1000", 100, tax="150", fee=100)
    found = computed(register, terms, tax_classes={owner(2): "treaty"})
    first, second = found.entitlements
    assert (first.gross, first.upstream, first.withheld, first.fee, first.amount) == (400, 60, 0, 4, 336)
    assert (second.gross, second.upstream, second.withheld, second.fee, second.amount) == (600, 90, 90, 6, 414)
    totals = found.totals
    assert (totals.net, totals.withheld, totals.fee, totals.amount, totals.residue) == (850, 90, 10, 750, 0)


def test_a_part_below_the_minimum_is_carried_and_paid_once_it_reaches_it() -> None:
    register, terms = register_of(holding(4, 96)), terms_of("100", 100, minimum=5)
    first = computed(register, terms)
    assert amounts(first) == [0, 96]
    assert (first.totals.carried_forward, first.totals.carried_out, first.totals.entitled) == (4, 4, 96)
    assert first.carry_changes({}) == (Carry(owner(1), 4),)
    second = computed(register, terms, carried={owner(1): 4})
    assert amounts(second) == [8, 96]
    assert second.carry_changes({}) == (Carry(owner(1), -4),)
    assert second.totals.amount == second.totals.entitled + 4


def test_the_issuers_own_wallets_and_shares_without_tokens_are_named_and_not_paid() -> None:
    positions = [*holding(10, 20), Position(owner(9), 30, INVENTORY)]
    found = computed(register_of(positions), terms_of("100", 100))
    assert amounts(found) == [10, 20, 0]
    assert (found.totals.inventory, found.totals.surplus, found.totals.lines) == (30, 40, 2)
    assert found.entitlements[2].tax_class == ""


def test_a_correction_pays_positive_differences_and_records_the_others() -> None:
    register = register_of(holding(10, 20, 30))
    before = computed(register, terms_of("60", 60))
    committed = {each.owner: each.amount for each in before.entitlements}
    raised = computed(register, terms_of("120", 60), already=committed)
    assert amounts(raised) == [10, 20, 30]
    lowered = computed(register, terms_of("30", 60), already=committed)
    assert amounts(lowered) == [0, 0, 0]
    assert [each.overpaid for each in lowered.entitlements] == [5, 10, 15]
    assert lowered.totals.overpaid == 30
    assert computed(register, terms_of("60", 60), already=committed).totals.amount == 0


def test_a_difference_below_the_minimum_is_carried_forward() -> None:
    register = register_of(holding(10, 90))
    committed = {owner(1): 10, owner(2): 90}
    found = computed(register, terms_of("110", 100, minimum=5), already=committed)
    assert amounts(found) == [0, 9]
    assert [each.carried_out for each in found.entitlements] == [1, 0]


def test_a_correction_neither_uses_nor_keeps_a_carried_balance_twice() -> None:
    register, terms = register_of(holding(4, 96)), terms_of("100", 100, minimum=5)
    carried = {owner(1): 3}
    before = computed(register, terms, carried=carried)  # pays 7 with what was carried
    changes = {carry.owner: carry.change for carry in before.carry_changes({})}
    committed = {each.owner: each.amount for each in before.entitlements}
    again = computed(register, terms, carried=carried, already=committed)
    assert amounts(again) == [0, 0]
    assert again.carry_changes(changes) == ()


def test_a_register_above_the_paid_shares_is_refused() -> None:
    with pytest.raises(Refused, match="more shares than the 99"):
        computed(register_of(holding(100)), terms_of("10", 99))


def test_a_register_without_its_supply_is_refused() -> None:
    with pytest.raises(LedgerError, match="supply"):
        computed(replace(register_of(holding(100)), supply=101), terms_of("10", 200))


def test_an_owner_that_occurs_twice_is_refused() -> None:
    with pytest.raises(LedgerError, match="once"):
        computed(register_of([*holding(1), *holding(2)]), terms_of("10", 3))


def test_a_commitment_outside_the_register_is_refused() -> None:
    with pytest.raises(LedgerError, match="not in the register"):
        computed(register_of(holding(1)), terms_of("10", 3), already={owner(5): 1})


@pytest.mark.parametrize("kept", ["carried", "already"])
def test_a_balance_below_zero_is_refused(kept: str) -> None:
    with pytest.raises(LedgerError, match="below zero"):
        computed(register_of(holding(1)), terms_of("10", 3), **{kept: {owner(1): -1}})


@pytest.mark.parametrize("name", ["unknown", ""])
def test_a_tax_class_without_a_rate_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="ax class"):
        computed(register_of(holding(1)), terms_of("10", 3), tax_classes={owner(1): name})


def test_deductions_above_the_gross_amount_are_refused() -> None:
    with pytest.raises(InputError, match="more than what"):
        computed(register_of(holding(1)), terms_of("10", 1, tax="8", default="statutory"))


def test_cash_finer_than_the_payment_mint_is_refused() -> None:
    with pytest.raises(AmountError, match="decimals"):
        computed(register_of(holding(1)), terms_of("10.005", 1, decimals=2))


@pytest.mark.parametrize(
    ("gross", "tax", "net"), [("10", "1", "10"), ("0", "0", "0"), ("-1", "0", "-1"), ("1", "-1", "2")]
)
def test_amounts_that_are_no_dividend_are_refused(gross: str, tax: str, net: str) -> None:
    quantities = [parse_quantity(text, allow_negative=True) for text in (gross, tax, net)]
    with pytest.raises(InputError):
        DividendTerms(Quantity(1), *quantities, 6, RATES, "none")


def test_terms_need_a_rate_of_the_default_class() -> None:
    with pytest.raises(InputError, match="default"):
        terms_of("1", 1, default="other")


def test_gross_within_half_a_cent_is_as_announced() -> None:
    third = 333_333_333_333_333_333
    assert is_as_announced(terms_of("1000.00", 3_000), third)
    assert not is_as_announced(terms_of("1000.01", 3_000), third)
    assert not is_as_announced(terms_of("999.99", 3_000), third)
    half = 500_000_000_000_000_000
    assert is_as_announced(terms_of("1500.005", 3_000), half)
    assert is_as_announced(terms_of("1499.995", 3_000), half)
    assert not is_as_announced(terms_of("1500.0051", 3_000), half)


def test_no_owner_at_all_leaves_all_of_the_cash_to_shares_without_tokens() -> None:
    found = computed(register_of([]), terms_of("10", 3))
    assert list(found.entitlements) == []
    assert (found.totals.surplus, found.totals.amount) == (10, 0)


def test_totals_that_do_not_add_up_are_refused() -> None:
    totals = computed(register_of(holding(1, 2, 7)), terms_of("100", 10, fee=100)).totals
    for change in ({"net": 101}, {"amount": 98}, {"residue": -1, "fee": 2}, {"residue": 20, "entitled": 79}):
        with pytest.raises(LedgerError, match="add up"):
            replace(totals, **change).require_balanced()


raws = st.lists(st.integers(1, 2**56), max_size=12)


@st.composite
def dividends(draw: st.DrawFn) -> tuple[RecordRegister, DividendTerms, dict[bytes, str], dict[bytes, int]]:
    decimals = draw(st.integers(0, 9))
    multiplier = draw(st.one_of(st.just(MULTIPLIER_ONE), st.integers(10**15, 10**21)))
    classes = st.sampled_from(HolderClass)
    positions = [replace(each, holder_class=draw(classes)) for each in holding(*draw(raws))]
    register = register_of(positions, decimals=decimals, multiplier=multiplier)
    held = -(-register.total * multiplier // (MULTIPLIER_ONE * 10**decimals))
    eligible = Quantity(held + 1 + draw(st.integers(0, 10**6)), 0)
    gross = draw(st.integers(100, 10**12))
    tax = gross * draw(st.integers(0, 30)) // 100
    terms = DividendTerms(
        eligible,
        Quantity(gross, 2),
        Quantity(tax, 2),
        Quantity(gross - tax, 2),
        draw(st.integers(2, 9)),
        RATES,
        "none",
        fee=draw(st.sampled_from([0, 25])),
        minimum=draw(st.sampled_from([0, 1, 1_000])),
    )
    owners = [each.owner for each in positions]
    tax_classes = {each: draw(st.sampled_from(sorted(RATES))) for each in owners if draw(st.booleans())}
    carried = {each: draw(st.integers(0, 2_000)) for each in owners if draw(st.booleans())}
    return register, terms, tax_classes, carried


@given(dividends(), st.randoms(use_true_random=False))
def test_each_owner_gets_its_floor_or_one_more_and_all_of_it_adds_up(
    case: tuple[RecordRegister, DividendTerms, dict[bytes, str], dict[bytes, int]], order: random.Random
) -> None:
    register, terms, tax_classes, carried = case
    found = computed(register, terms, tax_classes=tax_classes, carried=carried)
    payable = Fraction(0)
    for position, each in zip(register.positions, found.entitlements, strict=True):
        net = exact_net(position, register, terms, RATES[tax_classes.get(position.owner, "none")])
        into = carried.get(position.owner, 0)
        if position.holder_class is INVENTORY:
            assert (each.amount, each.carried_out) == (0, into)
        elif net + into >= terms.minimum:
            payable += net
            assert net // 1 + into <= each.due <= net // 1 + into + 1
            assert each.carried_out == 0
        else:
            assert (each.amount, each.carried_out) == (0, net // 1 + into)
    assert found.totals.entitled == payable // 1
    assert found.totals.amount <= found.totals.net + found.totals.carried_in
    shuffled = list(register.positions)
    order.shuffle(shuffled)
    again = replace(register, positions=tuple(shuffled))
    assert computed(again, terms, tax_classes=tax_classes, carried=carried) == found


@given(dividends())
def test_a_correction_of_nothing_pays_nothing(
    case: tuple[RecordRegister, DividendTerms, dict[bytes, str], dict[bytes, int]],
) -> None:
    register, terms, tax_classes, carried = case
    before = computed(register, terms, tax_classes=tax_classes, carried=carried)
    committed = {each.owner: each.amount for each in before.entitlements if each.amount}
    changes = {carry.owner: carry.change for carry in before.carry_changes({})}
    again = computed(register, terms, tax_classes=tax_classes, carried=carried, already=committed)
    assert (again.totals.amount, again.totals.overpaid) == (0, 0)
    assert again.carry_changes(changes) == ()


def test_a_hundred_thousand_owners_share_exactly_what_there_is() -> None:
    draw = random.Random(20_261_127)
    positions = holding(*(draw.randrange(1, 10**9) for _ in range(100_000)))
    register = register_of(positions, decimals=6, multiplier=1_002_300_000_000_000_017)
    eligible = register.total * register.multiplier // (MULTIPLIER_ONE * 10**6) + 1
    found = computed(register, terms_of("1234567.89", eligible, tax="185185.18", decimals=6, default="treaty"))
    nets = [
        exact_net(each, register, terms_of("1234567.89", eligible, tax="185185.18", decimals=6), 1_500)
        for each in positions
    ]
    assert found.totals.amount == sum(nets) // 1
    assert all(net // 1 <= each.amount <= net // 1 + 1 for net, each in zip(nets, found.entitlements, strict=True))


def test_pages_give_back_what_was_packed() -> None:
    positions = [*holding(*range(1, 2_501)), Position(owner(9_999), 5, INVENTORY)]
    register = register_of(positions)
    terms = terms_of("1000000", register.total, fee=1, minimum=10)
    found = computed(register, terms, tax_classes={owner(3): "treaty"}, carried={owner(1): 3}).entitlements
    names = sorted(RATES)
    pages = list(pack_pages(found, names))
    assert [page.number for page in pages] == [0, 1, 2]
    assert pages[1].first_owner == owner(1_001)
    read: list[Entitlement] = [each for page in pages for each in parse_page(page, names)]
    assert read == list(found)
    assert found[-1] == read[-1]
    assert found[1:3] == tuple(read[1:3])


def test_a_damaged_page_is_refused() -> None:
    names = sorted(RATES)
    page = next(pack_pages(computed(register_of(holding(1, 2)), terms_of("9", 3)).entitlements, names))
    for damaged in (
        replace(page, content=page.content[:-1]),
        replace(page, content=b""),
        replace(page, first_owner=owner(2)),
        replace(page, content=page.content[:40] + b"\x09" + page.content[41:]),
    ):
        with pytest.raises(LedgerError, match="damaged"):
            parse_page(damaged, names)
    with pytest.raises(LedgerError, match="damaged"):
        parse_page(page, [])


def test_lines_that_can_be_pushed_come_first_each_part_by_owner() -> None:
    kinds = (PROGRAM, WALLET, INVENTORY, FROZEN, WALLET)
    positions = [replace(each, holder_class=kind) for each, kind in zip(holding(1, 1, 1, 1, 1), kinds, strict=True)]
    found = computed(register_of(positions), terms_of("10", 5)).entitlements
    lines = payout_lines(found, lambda each: (each[::-1], 254))
    assert [line.owner for line in lines] == [owner(2), owner(5), owner(1), owner(4)]
    assert [line.holder_class for line in lines] == [WALLET, WALLET, PROGRAM, FROZEN]
    assert (lines[0].address, lines[0].bump, lines[0].amount) == (owner(2)[::-1], 254, 2)
