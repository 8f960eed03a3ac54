"""Lies that were planned ahead: false closes whose hashes were put on chain day by day, so that every hash is right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest
from report_sample import SHARE, is_signed, published, sample_declared, sample_facts
from tallystick.domain.closes import DailyClose, SecurityClose
from tallystick.domain.report_anchors import day_number, days_hash
from tallystick.domain.reserve_report.checks import Check, Status
from tallystick.domain.reserve_report.declared import Declared
from tallystick.domain.reserve_report.document import build_document, report_bytes
from tallystick.domain.reserve_report.facts import ClosedDay, ReportFacts
from tallystick.domain.reserve_report.verification import verify_document

ALPHA: Final = "US0378331005"


def anchored(facts: ReportFacts, declared: Declared) -> ReportFacts:
    """The chain, had these closes been put on it."""
    running, days = declared.days_before, list[ClosedDay]()
    for close in declared.closes:
        number = day_number(close.day)
        running = days_hash(running, number, close.hash, close.slot)
        days.append(ClosedDay(number, close.hash, close.slot, running, close.block_time))
    draw = facts.draw and replace(facts.draw, days_hash=running)
    return replace(facts, closed_days=tuple(days), days_hash=running, draw=draw)


def failures(facts: ReportFacts, declared: Declared) -> list[Check]:
    """What fails of a report of these, published."""
    content = report_bytes(build_document(facts, declared))
    return [
        each for each in verify_document(content, published(facts, content), is_signed) if each.status is Status.FAILED
    ]


def rechained(declared: Declared, told: Callable[[DailyClose], DailyClose]) -> Declared:
    """The declaration with other closes, each naming the one before."""
    previous, closes = declared.closes[0].previous, list[DailyClose]()
    for close in declared.closes:
        closes.append(replace(told(close), previous=previous))
        previous = closes[-1].hash
    return replace(declared, closes=tuple(closes))


def of_alpha(change: Callable[[SecurityClose], SecurityClose]) -> Callable[[DailyClose], DailyClose]:
    return lambda close: replace(
        close, securities=tuple(change(each) if each.isin == ALPHA else each for each in close.securities)
    )


def test_closes_that_are_true_hold() -> None:
    declared = rechained(sample_declared(), lambda close: close)
    assert failures(anchored(sample_facts(), declared), declared) == []


def without_second_statement(declared: Declared) -> Declared:
    """The as-of close has no statement of ALPA's second account: that custodian was late."""
    second = declared.closes[-1].securities[1].statements[1].account_hash
    *others, last = declared.closes
    parts = (
        replace(each, statements=tuple(one for one in each.statements if one.account_hash != second))
        for each in last.securities
    )
    last = replace(last, securities=tuple(parts))
    holdings = tuple(each for each in declared.holdings if each.account != "SAFE-2")
    custodians = tuple(each for each in declared.custodians if each.lei in {one.custodian_lei for one in holdings})
    return replace(declared, closes=(*others, last), holdings=holdings, custodians=custodians)


def test_a_report_that_a_late_statement_is_missing_in_holds() -> None:
    declared = rechained(without_second_statement(sample_declared()), lambda close: close)
    assert failures(anchored(sample_facts(), declared), declared) == []


def test_an_account_that_is_not_on_chain_is_noticed_where_a_statement_is_late() -> None:
    declared = without_second_statement(sample_declared())
    facts = sample_facts()
    other = tuple(replace(each, custody_accounts_hash=b"\7" * 32) for each in facts.securities)
    declared = rechained(declared, lambda close: close)
    facts = anchored(replace(facts, securities=other), declared)
    assert {each.section for each in failures(facts, declared)} == {"assets"}


def test_a_close_that_counts_one_account_twice_is_noticed() -> None:
    twice = of_alpha(lambda each: replace(each, statements=(*each.statements, each.statements[-1])))
    declared = rechained(sample_declared(), twice)
    failed = failures(anchored(sample_facts(), declared), declared)
    assert {each.section for each in failed} == {"backing", "every table"}


def test_a_day_that_was_closed_once_it_was_mended_is_noticed() -> None:
    """That of the 28th was made in the last minute of the 31st."""
    facts, declared = sample_facts(), sample_declared()
    last = replace(declared.closes[-1], day="2026-10-28")
    timing = tuple(replace(each, day=last.day) for each in declared.timing)
    declared = rechained(replace(declared, closes=(*declared.closes[:-1], last), timing=timing), lambda close: close)
    facts = anchored(facts, declared)
    (failed,) = (each for each in failures(facts, declared) if each.section == "backing")
    assert failed.path == f"/declared/closes/contents/{len(declared.closes) - 1}/block_time"


def test_a_movement_that_the_statement_has_already_is_not_called_shown() -> None:
    facts, declared = sample_facts(), sample_declared()
    again = replace(declared.timing[0], reference="REF-0", amount=10 * SHARE)
    content = report_bytes(build_document(facts, replace(declared, timing=(*declared.timing, again))))
    checks = verify_document(content, published(facts, content), is_signed)
    (found,) = [each for each in checks if each.name == "movements since the statements"]
    assert (found.status, "is the issuer's word" in found.words) == (Status.STATED, True)


@pytest.mark.parametrize("other", ["surplus", "inventory", "residue"])
def test_a_dividend_with_a_part_below_nothing_is_noticed(other: str) -> None:
    declared = sample_declared()
    (dividend,) = declared.dividends
    parts: dict[str, Any] = {"fee": -400, other: getattr(dividend, other) + 500}
    declared = replace(declared, dividends=(replace(dividend, **parts),))
    assert [each.section for each in failures(sample_facts(), declared)] == ["every table"]
