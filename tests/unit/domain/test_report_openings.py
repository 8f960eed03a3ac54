"""A month begins where the one reported before it ended, or its check says what is in neither."""

from __future__ import annotations

from dataclasses import replace

import pytest
from report_sample import is_signed, sample_report
from tallystick.domain.reserve_report.checks import Check, Status
from tallystick.domain.reserve_report.facts import ReportFacts
from tallystick.domain.reserve_report.verification import verify_document


def opening_check(facts: ReportFacts) -> Check:
    content, _ = sample_report()
    [found] = [each for each in verify_document(content, facts, is_signed) if each.name == "opening"]
    return found


def with_september(by: int, period: int = 202609) -> ReportFacts:
    """The publication of September, or another month, is of an as-of so many slots behind this month's opening."""
    _, facts = sample_report()
    september, *others = facts.publications
    changed = replace(september, as_of_slot=september.as_of_slot + by, period=period)
    return replace(facts, publications=(changed, *others))


def test_a_month_that_joins_the_one_before_passes() -> None:
    found = opening_check(with_september(0))
    assert (found.status, "2026-09 version 1" in found.words) == (Status.PASSED, True)


def test_what_lies_between_two_reports_is_said_where_a_month_was_left_out() -> None:
    found = opening_check(with_september(-1, period=202608))
    assert (found.status, "in neither" in found.words) == (Status.STATED, True)


@pytest.mark.parametrize(("by", "period"), [(1, 202609), (-1, 202609), (1, 202608)])
def test_a_month_that_begins_elsewhere_than_the_one_before_ended_fails(by: int, period: int) -> None:
    found = opening_check(with_september(by, period))
    assert (found.status, found.path) == (Status.FAILED, "/header/opening/slot")


@pytest.mark.parametrize(("by", "status"), [(0, Status.PASSED), (1, Status.FAILED)])
def test_of_a_corrected_month_the_last_version_counts(by: int, status: Status) -> None:
    facts = with_september(0)
    september, *others = facts.publications
    second = replace(
        september,
        version=2,
        address=b"2" * 32,
        previous=others[-1].address,
        previous_hash=others[-1].hash,
        corrects=september.address,
        as_of_slot=september.as_of_slot + by,
    )
    assert opening_check(replace(facts, publications=(september, *others, second))).status is status


def test_without_an_earlier_report_the_opening_is_the_issuers_word() -> None:
    _, facts = sample_report()
    own = replace(facts.publications[-1], previous=bytes(32), previous_hash=bytes(32))
    found = opening_check(replace(facts, publications=(own,)))
    assert (found.status, "is the issuer's word" in found.words) == (Status.STATED, True)
