"""Movements between custodians' statements and the chain: those on chain have to fit, others are the issuer's word."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from report_sample import ISSUER, PERIOD, SHARE, is_signed, key, published, sample_declared, sample_facts
from tallystick.domain.report_anchors import drawn_day
from tallystick.domain.reserve_report.checks import Check, Status
from tallystick.domain.reserve_report.declared import DeclaredTiming
from tallystick.domain.reserve_report.document import build_document, report_bytes
from tallystick.domain.reserve_report.facts import ReportFacts
from tallystick.domain.reserve_report.verification import verify_document

ISIN = "US0378331005"
DELIVERED = DeclaredTiming("2026-10-31", ISIN, "SAFE-1", "DLV-77", -5 * SHARE, "TIMING_ASOF")


def of(facts: ReportFacts, isin: str, **changes: Any) -> ReportFacts:
    """The chain, with other facts of one security."""
    securities = (replace(each, **changes) if each.isin == isin else each for each in facts.securities)
    return replace(facts, securities=tuple(securities))


def half_used() -> ReportFacts:
    """The chain, where the receipt of the fourth day was booked with 16 shares, 10 of them used, and the delivery
    of the last came after the statement."""
    facts = sample_facts()
    first, *others, last = next(each for each in facts.securities if each.isin == ISIN).movements
    late = replace(last, recorded_at=facts.as_of.time - 60)
    return of(facts, ISIN, movements=(replace(first, shares=16 * SHARE), *others, late))


def check(facts: ReportFacts, *timing: DeclaredTiming) -> tuple[Check, list[Check]]:
    """The check of the movements, and every check that failed."""
    content = report_bytes(build_document(facts, replace(sample_declared(), timing=timing)))
    checks = verify_document(content, published(facts, content), is_signed)
    (found,) = [each for each in checks if each.name == "movements since the statements"]
    return found, [each for each in checks if each.status is Status.FAILED]


def test_what_no_order_used_yet_is_taken_off_the_statements() -> None:
    unused = DeclaredTiming("2026-10-31", ISIN, "SAFE-1", "REF-0", -6 * SHARE, "PENDING_SETTLEMENT")
    found, failed = check(half_used(), DELIVERED, unused)
    assert (found.status, failed) == (Status.STATED, [])


@pytest.mark.parametrize("amount", [6 * SHARE, -10 * SHARE, -16 * SHARE])
def test_what_no_order_used_yet_is_the_rest_of_its_movement(amount: int) -> None:
    unused = DeclaredTiming("2026-10-31", ISIN, "SAFE-1", "REF-0", amount, "PENDING_SETTLEMENT")
    found, _ = check(half_used(), DELIVERED, unused)
    assert (found.status, found.path) == (Status.FAILED, "/declared/timing/1/amount")


def test_one_movement_may_be_both_booked_since_and_not_used() -> None:
    both = [
        DeclaredTiming("2026-10-31", ISIN, "SAFE-1", "REF-0", 16 * SHARE, "TIMING_ASOF"),
        DeclaredTiming("2026-10-31", ISIN, "SAFE-1", "REF-0", -6 * SHARE, "PENDING_SETTLEMENT"),
    ]
    _, failed = check(half_used(), DELIVERED, *both)
    assert failed == []


def test_one_movement_under_two_spellings_is_counted_once() -> None:
    found, _ = check(half_used(), DELIVERED, replace(DELIVERED, account="safe-1", reference="dlv-77"))
    assert found.status is not Status.PASSED
    found, _ = check(half_used(), DELIVERED, replace(DELIVERED, reference="dlv-77"))
    assert (found.status, found.path) == (Status.FAILED, "/declared/timing/1")


def test_a_movement_that_the_chain_does_not_have_is_the_issuers_word() -> None:
    found, failed = check(sample_facts(), DELIVERED, replace(DELIVERED, reference="ELSEWHERE", amount=9 * SHARE))
    assert (found.status, failed) == (Status.STATED, [])
    assert "1 of 2" in found.words


def test_a_correction_since_gives_a_movement_nothing_back() -> None:
    """On the drawn day, the 20th, ten shares of a receipt were used, and one was not; of the ten one was corrected."""
    isin, facts = "US0231351067", sample_facts()
    drawn = next(hashed for hashed in map(str, count()) if drawn_day(ISSUER, PERIOD, key(hashed)) == 20)
    assert facts.draw is not None
    facts = replace(facts, draw=replace(facts.draw, slot_hash=key(drawn), drawn_day=20))
    beta = next(each for each in facts.securities if each.isin == isin)
    first, used, corrected = beta.movements
    fills = (*beta.fills[:2], replace(beta.fills[2], movement=used.address))
    movements = (first, replace(used, shares=used.shares + SHARE), corrected)
    facts = of(facts, isin, fills=fills, movements=movements)
    found, _ = check(facts, DeclaredTiming("2026-10-20", isin, "SAFE-1", "REF-1", -SHARE, "PENDING_SETTLEMENT"))
    assert found.status is Status.STATED


@pytest.mark.parametrize(
    "wrong",
    [
        replace(DELIVERED, reference="X", day="2026-10-30"),
        replace(DELIVERED, reference="X", isin="GB0002634946"),
        replace(DELIVERED, reference="X", kind="QUANTITY_SHORT"),
        DELIVERED,
    ],
)
def test_a_movement_of_nothing_in_the_report_is_refused(wrong: DeclaredTiming) -> None:
    _, failed = check(sample_facts(), DELIVERED, wrong)
    assert "declared" in {each.section for each in failed}
