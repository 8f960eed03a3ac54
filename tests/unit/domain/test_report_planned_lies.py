"""Lies that were planned ahead: false closes whose hashes were put on chain day by day, so that every hash is right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, cast

import pytest
from report_sample import DAY, SHARE, is_signed, published, sample_declared, sample_facts
from tallystick.domain.breaks import BreakKind, break_id
from tallystick.domain.closes import DailyClose, SecurityClose
from tallystick.domain.report_anchors import day_number, days_hash
from tallystick.domain.reserve_report.checks import Check, Status
from tallystick.domain.reserve_report.codec import read_declared
from tallystick.domain.reserve_report.declared import Declared
from tallystick.domain.reserve_report.document import build_document, report_bytes
from tallystick.domain.reserve_report.facts import ClosedDay, MovementFacts, ReportFacts, SecurityFacts
from tallystick.domain.reserve_report.verification import verify_document
from tallystick.errors import InputError

ALPHA: Final = "US0378331005"


def anchored(facts: ReportFacts, declared: Declared) -> ReportFacts:
    """The chain, had these closes been put on it."""
    running, days = declared.days_before, [each for each in facts.closed_days if each.days_hash == declared.days_before]
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


def told(facts: ReportFacts, declared: Declared, name: str) -> Check:
    """One check of a report of these, published."""
    content = report_bytes(build_document(facts, declared))
    (found,) = [each for each in verify_document(content, published(facts, content), is_signed) if each.name == name]
    return found


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


def test_an_opening_that_was_never_put_on_chain_is_noticed() -> None:
    """Its figures are right; that it had a break and rested on statements is left out of it."""
    facts, declared = sample_facts(), sample_declared()
    assert declared.opening is not None
    parts = tuple(replace(each, breaks=(), statements=()) for each in declared.opening.securities)
    opening = replace(declared.opening, securities=parts)
    first = replace(declared.closes[0], previous=opening.hash)
    declared = replace(declared, opening=opening, closes=(first, *declared.closes[1:]))
    declared = rechained(declared, lambda close: close)
    assert [each.path for each in failures(anchored(facts, declared), declared)] == ["/declared/opening/content"]


def test_an_opening_before_a_day_that_is_on_chain_is_noticed() -> None:
    """The last day of September was closed on chain too, and is in no report."""
    facts, declared = sample_facts(), sample_declared()
    (september, *october) = facts.closed_days
    later = replace(september, day=september.day + 1, days_hash=declared.days_before)
    before = replace(september, day=september.day, days_hash=b"\7" * 32)
    facts = replace(facts, closed_days=(before, later, *october))
    assert [each.path for each in failures(facts, declared)] == ["/declared/opening/content"]


def test_an_opening_of_a_time_before_any_day_was_put_on_chain_is_said_to_be_on_none() -> None:
    facts, declared = sample_facts(), replace(sample_declared(), days_before=bytes(32))
    facts = anchored(replace(facts, closed_days=facts.closed_days[1:]), declared)
    found = told(facts, declared, "closed days on chain")
    assert (found.status, "is on none" in found.words) == (Status.PASSED, True)


def test_shares_of_one_account_that_count_for_two_securities_are_noticed() -> None:
    """GAMC has the ISIN of ALPA, and rests on the statements of the same shares."""
    facts, declared = sample_facts(), sample_declared()
    (gamma,) = (each for each in facts.securities if each.ticker == "GAMC")
    alpha = next(each for each in declared.closes[-1].securities if each.isin == ALPHA)
    again = replace(gamma, isin=ALPHA)
    facts = replace(facts, securities=tuple(again if each is gamma else each for each in facts.securities))

    def doubled(close: DailyClose) -> DailyClose:
        parts = (
            replace(each, isin=ALPHA, statements=alpha.statements) if each.mint == gamma.mint else each
            for each in close.securities
        )
        return replace(close, securities=tuple(parts))

    assert declared.opening is not None
    opening = doubled(declared.opening)
    first = replace(declared.closes[0], previous=opening.hash)
    declared = rechained(replace(declared, opening=opening, closes=(first, *declared.closes[1:])), doubled)
    failed = [each for each in failures(anchored(facts, declared), declared) if each.section == "backing"]
    assert [each.words.endswith("counted twice.") for each in failed] == [True]


def test_a_close_without_the_bits_of_the_multiplier_is_noticed() -> None:
    declared = rechained(sample_declared(), of_alpha(lambda each: replace(each, multiplier_bits=0)))
    failed = failures(anchored(sample_facts(), declared), declared)
    assert {each.path.rsplit("/", 1)[-1] for each in failed} == {"multiplier_bits"}


def test_that_a_movement_was_booked_since_the_statement_is_the_issuers_word() -> None:
    """The statement may have it already, and then its shares are held twice: no chain shows when it was booked."""
    found = told(sample_facts(), sample_declared(), "movements since the statements")
    assert (found.status, "when they were booked is the issuer's word" in found.words) == (Status.STATED, True)


def later(security: SecurityFacts, since: int) -> tuple[MovementFacts, ...]:
    """Movements, those since a second twelve hours later."""
    return tuple(
        replace(each, recorded_at=each.recorded_at + DAY // 2) if each.recorded_at >= since else each
        for each in security.movements
    )


def test_a_movement_since_the_statement_that_is_not_told_is_said() -> None:
    """Five shares left behind the statement's as-of: it may still count them."""
    facts = sample_facts()
    of_31st = max(each.recorded_at for one in facts.securities for each in one.movements)
    facts = replace(facts, securities=tuple(replace(one, movements=later(one, of_31st)) for one in facts.securities))
    found = told(facts, replace(sample_declared(), timing=()), "movements since the statements")
    assert (found.status, "1 that was used on chain since" in found.words) == (Status.STATED, True)


def test_a_break_that_no_close_names_is_the_issuers_word() -> None:
    declared = sample_declared()
    first = declared.breaks[0]
    other = break_id(BreakKind(first.kind), first.instrument, first.account, "another")
    added = replace(first, id=other, reference="another", closed_at=first.first_seen + 60)
    found = told(sample_facts(), replace(declared, breaks=(*declared.breaks, added)), "breaks")
    assert (found.status, "is the issuer's word" in found.words) == (Status.STATED, True)


def test_a_close_left_out_on_chain_is_said_and_its_day_has_none() -> None:
    declared = rechained(sample_declared(), lambda close: close)
    first, second, *others = declared.closes
    told_closes = replace(declared, closes=(first, replace(others[0], previous=second.hash), *others[1:]))
    document = build_document(without_second(sample_facts()), told_closes)
    assert read_declared(document["declared"]) == told_closes
    found = told(anchored(without_second(sample_facts()), told_closes), told_closes, "closed days on chain")
    assert (found.status, "ask the issuer why" in found.words) == (Status.STATED, True)
    assert second.day in cast("Any", document)["days"]["left_out"]


def without_second(facts: ReportFacts) -> ReportFacts:
    """The chain's figures without those of the second close."""
    securities = (replace(each, days=each.days[:1] + each.days[2:]) for each in facts.securities)
    return replace(facts, securities=tuple(securities), moments=facts.moments[:1] + facts.moments[2:])


@pytest.mark.parametrize("wrong", [{"before": "2026-10-02"}, {"before": "2026-10-04"}, {"close": "0" * 64}])
def test_a_close_that_names_the_one_before_is_not_behind_a_gap(wrong: dict[str, str]) -> None:
    """Of a day that names the one before it, of a day that has no close, and of another close than the hashes allow."""
    document: Any = build_document(sample_facts(), sample_declared())["declared"]
    second = sample_declared().closes[1]
    document["closes"]["left_out"] = [{"before": second.day, "close": second.previous.hex()} | wrong]
    if "close" in wrong:
        assert read_declared(document).closes[1].hash != second.hash
    else:
        with pytest.raises(InputError, match="left_out"):
            read_declared(document)


def test_an_opening_kept_back_is_noticed() -> None:
    facts, declared = sample_facts(), replace(sample_declared(), opening=None)
    facts = replace(facts, opening=None)
    failed = failures(facts, declared)
    assert {"/declared/opening"} <= {each.path for each in failed}
