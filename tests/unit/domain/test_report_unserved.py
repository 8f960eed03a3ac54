"""What a node does not serve is said, with what was checked instead, and nothing else is left out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from report_sample import SHARE, is_signed, key, published, sample_declared, sample_facts, sample_report
from tallystick.domain.amounts import MULTIPLIER_ONE
from tallystick.domain.reserve_report.checks import Check, Status
from tallystick.domain.reserve_report.document import build_document, report_bytes
from tallystick.domain.reserve_report.facts import ReportFacts, SecurityAt, SecurityFacts, Unserved
from tallystick.domain.reserve_report.verification import verify_document


def of_securities(facts: ReportFacts, **changes: object) -> ReportFacts:
    return replace(facts, securities=tuple(replace(each, **changes) for each in facts.securities))  # type: ignore[arg-type]


def without(facts: ReportFacts, what: Unserved) -> ReportFacts:
    """What a node tells that does not serve something."""
    facts = replace(facts, unserved=frozenset({what}))
    if what is Unserved.LOG:
        return replace(facts, log=())
    if what is Unserved.CLOSED_DAYS:
        return replace(facts, closed_days=())
    if what is Unserved.REGISTERS:
        return of_securities(facts, register=None)
    if what is Unserved.ROLES:
        return replace(facts, roles=facts.roles[:-1])
    if what is Unserved.TERMS:
        return of_securities(facts, ticker="NOW", name="of now", custody_accounts_hash=key("accounts of now"))
    if what is Unserved.DISTRIBUTIONS:
        paid = {
            each.address: tuple(replace(one, paid=one.total, paid_entries=one.entries) for one in each.distributions)
            for each in facts.securities
        }
        told = tuple(replace(each, distributions=paid[each.address]) for each in facts.securities)
        return replace(facts, securities=told)
    return facts


def statuses(checks: tuple[Check, ...]) -> set[Status]:
    return {each.status for each in checks}


PARTS = [
    (Unserved.LOG, {"control_log"}),
    (Unserved.CLOSED_DAYS, {"days"}),
    (Unserved.REGISTERS, {"tokens", "holders"}),
    (Unserved.ROLES, {"control_log"}),
    (Unserved.ACTIONS, {"corporate_actions", "tokens"}),
    (Unserved.ORDER_OF_SECOND, {"every section"}),
    (Unserved.DISTRIBUTIONS, {"corporate_actions", "earlier_distributions"}),
]


@pytest.mark.parametrize(("what", "sections"), PARTS)
def test_what_is_not_served_is_said_and_all_else_is_checked(what: Unserved, sections: set[str]) -> None:
    content, facts = sample_report()
    checks = verify_document(content, without(facts, what), is_signed)
    assert Status.FAILED not in statuses(checks)
    assert {each.section for each in checks if each.status is Status.NOT_SERVED} == sections


def test_names_that_may_have_changed_are_not_compared() -> None:
    content, facts = sample_report()
    checks = verify_document(content, without(facts, Unserved.TERMS), is_signed)
    assert Status.FAILED not in statuses(checks)
    assert "assets" in {each.section for each in checks if each.status is Status.NOT_SERVED}


def test_a_figure_beside_what_is_not_served_is_still_compared() -> None:
    content, facts = sample_report()
    facts = of_securities(without(facts, Unserved.REGISTERS), name="Another name")
    failed = [each for each in verify_document(content, facts, is_signed) if each.status is Status.FAILED]
    assert [each.path for each in failed] == ["/tokens/0/name"]


def test_without_registers_the_sums_still_have_to_add_up() -> None:
    content = sample_report()[0].replace(b'"lost":"2000000"', b'"lost":"2000001"')
    facts = without(published(sample_facts(), content), Unserved.REGISTERS)
    failed = [each for each in verify_document(content, facts, is_signed) if each.status is Status.FAILED]
    assert [each.path for each in failed] == ["/tokens/1/redeemable"]


def test_a_figure_left_in_doubt_by_the_order_of_a_second_is_still_that_of_the_close() -> None:
    """One share may have been minted in the as-of's second: no reason to require fifty fewer."""
    facts = sample_facts()
    document = build_document(facts, sample_declared())
    told: Any = document["test"]
    place, row = next((place, each) for place, each in enumerate(told) if each["ticker"] == "ALPA")
    row["required"], row["surplus"] = (
        str(int(row[name]) + by * SHARE) for name, by in (("required", -50), ("surplus", 50))
    )
    content = report_bytes(document)
    facts = replace(published(facts, content), unserved=frozenset({Unserved.ORDER_OF_SECOND}))
    late = (replace(each, as_of=replace(each.as_of, minted=each.as_of.minted - SHARE)) for each in facts.securities)
    checks = verify_document(content, facts, is_signed, (replace(facts, securities=tuple(late)),))
    assert f"/test/{place}/required" in {each.path for each in checks if each.status is Status.FAILED}


def test_without_registers_inventory_is_that_of_the_close() -> None:
    """A million units of the issuer's own are told as not its own, and all sums fit."""
    document = build_document(sample_facts(), sample_declared())
    told: Any = document["tokens"]
    row = next(each for each in told if each["ticker"] == "ALPA")
    row["inventory"][0]["raw"] = row["inventory_total"] = str(6 * SHARE)
    row["redeemable"] = row["redeemable_shares"] = str(int(row["redeemable"]) + SHARE)
    content = report_bytes(document)
    facts = without(published(sample_facts(), content), Unserved.REGISTERS)
    failed = [each for each in verify_document(content, facts, is_signed) if each.status is Status.FAILED]
    assert [(each.section, each.path) for each in failed] == [("holders", "/tokens/1/inventory_total")]


def test_a_change_of_the_multiplier_taken_back_since_is_not_compared_where_it_is_not_served() -> None:
    """GAMC has one pending at the as-of; the account of its action tells only that it was taken back."""
    content, facts = sample_report()
    told = (
        replace(each, as_of=taken_back(each.as_of), days=tuple(taken_back(at) for at in each.days))
        for each in facts.securities
    )
    facts = replace(facts, securities=tuple(told), unserved=frozenset({Unserved.ACTIONS}))
    assert Status.FAILED not in statuses(verify_document(content, facts, is_signed))


def taken_back(figures: SecurityAt) -> SecurityAt:
    return replace(figures, pending_multiplier=0, pending_at=0)


def test_days_closed_behind_the_last_are_said_to_be_unseen() -> None:
    content, facts = sample_report()
    checks = verify_document(content, without(facts, Unserved.CLOSED_DAYS), is_signed)
    (found,) = [each for each in checks if each.name == "closed days on chain"]
    assert "before the first close or behind the last" in found.words


def test_a_program_that_was_changed_since_is_said() -> None:
    content, facts = sample_report()
    facts = replace(facts, program_hash=key("a later program"), program_slot=facts.as_of.slot + 1)
    checks = verify_document(content, facts, is_signed)
    assert [each.name for each in checks if each.status is Status.NOT_SERVED] == ["program"]


@pytest.mark.parametrize("closes", [1, len(sample_facts().moments)])
def test_a_program_that_was_deployed_behind_a_close_is_not_called_the_one_that_ran(closes: int) -> None:
    """The program that the closes name was put there behind the first of them, or behind all: before it another ran."""
    content, facts = sample_report()
    facts = replace(facts, program_slot=facts.moments[closes - 1].slot + 1)
    (found,) = [each for each in verify_document(content, facts, is_signed) if each.name == "program"]
    assert (found.status, "was deployed in slot" in found.words) == (Status.NOT_SERVED, True)


def test_a_close_with_another_program_than_had_been_deployed_by_then_is_found() -> None:
    content, facts = sample_report()
    facts = replace(facts, program_hash=key("the program"), program_slot=facts.moments[8].slot)
    failed = [each for each in verify_document(content, facts, is_signed) if each.status is Status.FAILED]
    assert [each.path for each in failed] == ["/declared/closes/contents/8/program"]


def test_a_draw_that_was_asked_for_twice_is_said() -> None:
    facts = sample_facts()
    assert facts.draw is not None
    facts = replace(facts, draw=replace(facts.draw, attempts=2))
    content = report_bytes(build_document(facts, sample_declared()))
    (found,) = [
        each for each in verify_document(content, published(facts, content), is_signed) if each.name == "drawn day"
    ]
    assert (found.status, "requested 2 times" in found.words) == (Status.STATED, True)


def test_a_later_version_is_told_of() -> None:
    content, facts = sample_report()
    last = facts.publications[-1]
    later = replace(
        last, address=key("later"), version=3, previous=last.address, previous_hash=last.hash, corrects=last.address
    )
    checks = verify_document(content, replace(facts, publications=(*facts.publications, later)), is_signed)
    assert Status.FAILED not in statuses(checks)
    assert any("superseded by version 3" in each.words for each in checks)


def test_a_draw_asked_for_after_later_days_were_closed_is_none_the_worse() -> None:
    facts = sample_facts()
    assert facts.draw is not None
    facts = replace(facts, draw=replace(facts.draw, days_hash=key("a day of November too")))
    content = report_bytes(build_document(facts, sample_declared()))
    checks = verify_document(content, published(facts, content), is_signed)
    assert [each.status for each in checks if each.name == "drawn day"] == [Status.PASSED]


def test_a_draw_asked_for_before_the_last_close_is_found() -> None:
    facts = sample_facts()
    assert facts.draw is not None
    facts = replace(facts, draw=replace(facts.draw, days_hash=facts.closed_days[-2].days_hash))
    content = report_bytes(build_document(facts, sample_declared()))
    checks = verify_document(content, published(facts, content), is_signed)
    assert [each.name for each in checks if each.status is Status.FAILED] == ["drawn day"]


def test_closes_that_no_account_and_no_event_shows_are_not_called_checked() -> None:
    content, facts = sample_report()
    assert facts.draw is not None
    later = key("running hash of later days")
    publications = tuple(replace(each, days_hash=later) for each in facts.publications)
    facts = replace(facts, days_hash=later, draw=replace(facts.draw, days_hash=later), publications=publications)
    checks = verify_document(content, without(facts, Unserved.CLOSED_DAYS), is_signed)
    assert [each.name for each in checks if each.status is Status.NOT_SERVED] == ["closed days on chain"]
    checks = verify_document(content, replace(facts, closed_days=()), is_signed)
    assert [each.name for each in checks if each.status is Status.FAILED] == ["closed days on chain"]
    assert Status.NOT_SERVED not in statuses(checks)


def with_another(facts: ReportFacts, **figures: int) -> ReportFacts:
    """The facts with a security that no close has; of which there is nothing, but for these figures of the as-of."""
    one = facts.securities[0]
    nothing = SecurityAt(0, 0, 0, 0, 0, 0, bytes(32), MULTIPLIER_ONE)
    other = SecurityFacts(
        address=key("another"),
        mint=key("mint of another"),
        isin="US0000000000",
        ticker="LATER",
        name="Listed later",
        decimals=6,
        opening=nothing,
        as_of=replace(nothing, **figures),
        days=(nothing,) * len(one.days),
    )
    return replace(facts, securities=(*facts.securities, other))


def test_a_security_of_which_nothing_is_known_by_then_is_left_to_the_anchored_close() -> None:
    content, facts = sample_report()
    checks = verify_document(content, without(with_another(facts), Unserved.LOG), is_signed)
    assert Status.FAILED not in statuses(checks)


@pytest.mark.parametrize("figure", ["minted", "reserve_as_of"])
def test_a_security_that_had_begun_and_is_in_no_close_is_found(figure: str) -> None:
    content, facts = sample_report()
    checks = verify_document(content, without(with_another(facts, **{figure: 1}), Unserved.LOG), is_signed)
    assert Status.FAILED in statuses(checks)


def test_a_security_that_was_listed_by_then_and_is_in_no_close_is_found() -> None:
    content, facts = sample_report()
    assert Status.FAILED in statuses(verify_document(content, with_another(facts), is_signed))


def at_the_as_of(facts: ReportFacts, by: int) -> ReportFacts:
    """As many more raw units minted by the as-of as if fills of its second had come before it, or fewer."""
    one = facts.securities[0]
    moved = replace(one.as_of, minted=one.as_of.minted + by)
    told = replace(one, as_of=moved, days=(*one.days[:-1], moved))
    return replace(facts, securities=(told, *facts.securities[1:]), unserved=frozenset({Unserved.ORDER_OF_SECOND}))


@pytest.mark.parametrize(
    ("before", "behind", "is_found"), [(2, -3, False), (2, 0, False), (2, 1, True), (-2, -1, True)]
)
def test_a_close_between_the_two_orders_of_its_second_is_right(before: int, behind: int, *, is_found: bool) -> None:
    content, facts = sample_report()
    checks = verify_document(content, at_the_as_of(facts, before), is_signed, [at_the_as_of(facts, behind)])
    [closes] = [each for each in checks if each.name == "daily closes"]
    assert (closes.status is Status.FAILED) == is_found
    [tokens] = [each for each in checks if each.name == "tokens"]
    assert tokens.status is Status.NOT_SERVED
