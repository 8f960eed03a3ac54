"""Lies told alike in what is declared and in every section made from it, of figures that the chain can show.

The lying issuer builds its report from other facts and another declaration than the true ones, and publishes it: hash
and publication are right. The chain's own facts have to give it away.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest
from report_sample import (
    DAY,
    MONTH,
    SHARE,
    is_signed,
    key,
    published,
    sample_declared,
    sample_facts,
    sample_register,
    sample_report,
)
from tallystick.domain.amounts import MULTIPLIER_ONE
from tallystick.domain.breaks import BreakKind, break_id
from tallystick.domain.closes import DailyClose, SecurityClose
from tallystick.domain.register import Register
from tallystick.domain.reserve_report.checks import Status
from tallystick.domain.reserve_report.declared import Declared, DeclaredBreak
from tallystick.domain.reserve_report.document import build_document, report_bytes
from tallystick.domain.reserve_report.facts import ReportFacts, SecurityAt, SecurityFacts
from tallystick.domain.reserve_report.verification import verify_document

Lie = Callable[[ReportFacts, Declared], tuple[ReportFacts, Declared]]
"""What a lying issuer builds its report from instead of the truth."""


def alpha(facts: ReportFacts) -> SecurityFacts:
    return next(each for each in facts.securities if each.ticker == "ALPA")


def of_alpha(facts: ReportFacts, **changes: Any) -> ReportFacts:
    """The facts with other ones of ALPA."""
    told = replace(alpha(facts), **changes)
    return replace(facts, securities=tuple(told if each.ticker == "ALPA" else each for each in facts.securities))


def at_all_times(facts: ReportFacts, change: Callable[[SecurityAt], SecurityAt]) -> ReportFacts:
    """The facts with other figures of ALPA from the opening on."""
    truth = alpha(facts)
    days = tuple(change(each) for each in truth.days)
    return of_alpha(facts, opening=change(truth.opening), as_of=change(truth.as_of), days=days)


def rechained(declared: Declared, closes: list[DailyClose]) -> Declared:
    """The declaration with other closes, each naming the one before."""
    previous, chained = declared.closes[0].previous, list[DailyClose]()
    for close in closes:
        chained.append(replace(close, previous=previous))
        previous = chained[-1].hash
    return replace(declared, closes=tuple(chained))


def in_closes(declared: Declared, change: Callable[[SecurityClose], SecurityClose]) -> Declared:
    """The declaration with other figures of ALPA in every close, the opening one too."""

    def told(close: DailyClose) -> DailyClose:
        is_alpha = alpha(sample_facts()).isin
        return replace(
            close, securities=tuple(change(each) if each.isin == is_alpha else each for each in close.securities)
        )

    assert declared.opening is not None
    opening = told(declared.opening)
    closes = [told(each) for each in declared.closes]
    closes[0] = replace(closes[0], previous=opening.hash)
    return rechained(replace(declared, opening=opening, closes=tuple(closes)), closes)


def figure(name: str, by: int) -> Lie:
    """ALPA has another figure at every moment, in facts and closes alike; what follows from it follows."""

    def lie(facts: ReportFacts, declared: Declared) -> tuple[ReportFacts, Declared]:
        facts = at_all_times(facts, lambda each: replace(each, **{name: getattr(each, name) + by}))
        told = alpha(facts).as_of
        return facts, in_closes(
            declared,
            lambda each: replace(
                each,
                **{name: getattr(each, name) + by},
                supply=each.supply + (by if name == "minted" else -by if name == "burnt" else 0),
                required=told.required if name == "multiplier" else each.required + (by if name == "minted" else 0),
            ),
        )

    return lie


def chain(**changes: Any) -> Lie:
    return lambda facts, declared: (replace(facts, **changes), declared)


def security(**changes: Any) -> Lie:
    return lambda facts, declared: (of_alpha(facts, **changes), declared)


def declaration(**changes: Any) -> Lie:
    return lambda facts, declared: (facts, replace(declared, **changes))


def closes(change: Callable[[SecurityClose], SecurityClose]) -> Lie:
    return lambda facts, declared: (facts, in_closes(declared, change))


def left_out_day(facts: ReportFacts, declared: Declared) -> tuple[ReportFacts, Declared]:
    """The tenth day was never closed."""
    told = tuple(replace(each, days=each.days[:9] + each.days[10:]) for each in facts.securities)
    facts = replace(facts, securities=told, moments=facts.moments[:9] + facts.moments[10:])
    return facts, rechained(declared, [*declared.closes[:9], *declared.closes[10:]])


def another_account(facts: ReportFacts, declared: Declared) -> tuple[ReportFacts, Declared]:
    holdings = (replace(declared.holdings[0], account="SAFE-9"), *declared.holdings[1:])
    timing = (replace(declared.timing[0], account="SAFE-9"),)
    return facts, replace(declared, holdings=holdings, timing=timing)


def more_settled(facts: ReportFacts, declared: Declared) -> tuple[ReportFacts, Declared]:
    first = declared.holdings[0]
    told = replace(first, settled=first.settled + SHARE, aggregate=first.aggregate + SHARE)
    return facts, replace(declared, holdings=(told, *declared.holdings[1:]))


def another_report_before(facts: ReportFacts, declared: Declared) -> tuple[ReportFacts, Declared]:
    told = replace(facts.publications[-1], hash=key("another report"))
    return replace(facts, publications=(*facts.publications[:-1], told)), declared


def gamma_without(**changes: Any) -> Lie:
    """GAMC is told of without something."""

    def lie(facts: ReportFacts, declared: Declared) -> tuple[ReportFacts, Declared]:
        told = (replace(each, **changes) if each.ticker == "GAMC" else each for each in facts.securities)
        return replace(facts, securities=tuple(told)), declared

    return lie


def another_opening(facts: ReportFacts, declared: Declared) -> tuple[ReportFacts, Declared]:
    """The close before the month said another supply, and the month's closes follow it."""
    assert declared.opening is not None
    first = replace(declared.opening.securities[0], supply=declared.opening.securities[0].supply + 1)
    opening = replace(declared.opening, securities=(first, *declared.opening.securities[1:]))
    closes = [replace(declared.closes[0], previous=opening.hash), *declared.closes[1:]]
    return facts, rechained(replace(declared, opening=opening, closes=tuple(closes)), closes)


def hidden_break(facts: ReportFacts, declared: Declared) -> tuple[ReportFacts, Declared]:
    return facts, replace(declared, breaks=declared.breaks[:1] + declared.breaks[2:])


def break_of(ticker: str, **times: int) -> Lie:
    """The named break of a security was open at other times."""

    def lie(facts: ReportFacts, declared: Declared) -> tuple[ReportFacts, Declared]:
        isin = next(each.isin for each in facts.securities if each.ticker == ticker)
        first = next(each for each in declared.breaks if each.instrument == isin)
        breaks = (replace(first, **times), *(each for each in declared.breaks if each is not first))
        return facts, replace(declared, breaks=breaks)

    return lie


def truth() -> ReportFacts:
    return sample_facts()


LIES: Final[dict[str, tuple[Lie, str]]] = {
    "more was minted": (figure("minted", SHARE), "tokens"),
    "less was burnt": (figure("burnt", -1), "tokens"),
    "more is in escrow": (figure("escrow", 1), "tokens"),
    "the multiplier is another": (figure("multiplier", MULTIPLIER_ONE), "tokens"),
    "the reserve is larger": (figure("reserve", SHARE), "test"),
    "fewer shares were redeemed": (figure("redeemed", 1), "test"),
    "a fill is left out": (security(fills=alpha(truth()).fills[1:]), "roll_forward"),
    "a movement is left out": (security(movements=alpha(truth()).movements[1:]), "roll_forward"),
    "an order settled sooner": (
        security(orders=tuple(replace(each, opened_at=each.opened_at + 1) for each in alpha(truth()).orders)),
        "activity",
    ),
    "a return is hidden": (security(orders=alpha(truth()).orders[:3]), "activity"),
    "an attestor approved who did not": (
        security(
            attestations=tuple(replace(each, approvals=each.approvals[:1]) for each in alpha(truth()).attestations)
        ),
        "assets",
    ),
    "an action is hidden": (security(actions=()), "corporate_actions"),
    "a distribution paid more": (
        security(distributions=tuple(replace(each, paid=each.total) for each in alpha(truth()).distributions)),
        "corporate_actions",
    ),
    "a holder is left out": (security(register=Register(sample_register("US0378331005").entries[1:])), "tokens"),
    "a role is hidden": (chain(roles=truth().roles[1:]), "control_log"),
    "a change of control is hidden": (chain(log=truth().log[1:]), "control_log"),
    "a hold is hidden": (gamma_without(holds=()), "differences"),
    "a seizure is hidden": (gamma_without(seizures=()), "control_log"),
    "the month opened with another supply": (another_opening, "backing"),
    "the issuer has another name": (chain(issuer_name="Another Issuer Ltd"), "header"),
    "the program is another": (chain(program=key("another program")), "header"),
    "the report before is another": (another_report_before, "header"),
    "no day was drawn": (chain(draw=None), "second_look"),
    "the draw was asked for once": (chain(draw=replace(truth().draw, attempts=2)), "second_look"),  # type: ignore[type-var]
    "a day is left out": (left_out_day, "every section"),
    "the closes have another register": (
        closes(lambda each: replace(each, register_root=key("another register"))),
        "days",
    ),
    "the closes have more holders": (closes(lambda each: replace(each, holders=each.holders + 1)), "holders"),
    "the closes have no breaks": (closes(lambda each: replace(each, breaks=())), "days"),
    "the closes have less inventory": (closes(lambda each: replace(each, inventory=0)), "days"),
    "the days before are others": (declaration(days_before=key("other days")), "days"),
    "a statement is another": (
        declaration(
            holdings=(
                replace(sample_declared().holdings[0], statement_hash=key("another statement")),
                *sample_declared().holdings[1:],
            )
        ),
        "assets",
    ),
    "a custody account is another": (another_account, "assets"),
    "more is settled in custody": (more_settled, "assets"),
    "a movement since is smaller": (
        declaration(timing=(replace(sample_declared().timing[0], amount=-4 * SHARE),)),
        "assets",
    ),
    "a break is hidden": (hidden_break, "differences"),
    "a break is closed": (
        declaration(
            breaks=tuple(replace(each, closed_at=each.first_seen + DAY // 4) for each in sample_declared().breaks)
        ),
        "differences",
    ),
    "a break is younger": (break_of("ALPA", first_seen=MONTH + 30 * DAY), "differences"),
    "a break was over sooner": (break_of("GAMC", closed_at=MONTH + 8 * DAY), "differences"),
    "a break is of another kind": (
        declaration(breaks=tuple(replace(each, kind="TIMING_ASOF") for each in sample_declared().breaks)),
        "differences",
    ),
    "own tokens are not declared": (declaration(wallets=()), "holders"),
    "a dividend's division pays less": (
        declaration(dividends=(replace(sample_declared().dividends[0], amount=19_000, carried_out=1_350),)),
        "every table",
    ),
    "the report is elsewhere": (declaration(uri="https://elsewhere.example/report.json"), "anchor"),
}
"""A lie, and the section in which it is noticed."""


@pytest.mark.parametrize("name", LIES)
def test_a_lie_told_alike_everywhere_is_noticed(name: str) -> None:
    lie, section = LIES[name]
    told = report_bytes(build_document(*lie(sample_facts(), sample_declared())))
    # It is what was published: the publication is true, and so is all else on chain.
    checks = verify_document(told, published(sample_facts(), told), is_signed)
    assert section in {each.section for each in checks if each.status is Status.FAILED}


def test_a_signature_of_somebody_else_is_noticed() -> None:
    content, facts = sample_report()
    checks = verify_document(content, facts, lambda *_: False)
    assert [each.section for each in checks if each.status is Status.FAILED] == ["assertion"]


def test_a_break_that_no_close_can_name_is_told_without_a_contradiction() -> None:
    kind = BreakKind.STALE_STATEMENT
    whole = DeclaredBreak(
        break_id(kind, "", "SAFE-1", ""), kind.value, "", "SAFE-1", "", "too old", None, MONTH + DAY, 0, "custody"
    )
    declared = replace(sample_declared(), breaks=(*sample_declared().breaks, whole))
    told = report_bytes(build_document(sample_facts(), declared))
    checks = verify_document(told, published(sample_facts(), told), is_signed)
    assert [each for each in checks if each.status is Status.FAILED] == []


def test_a_break_of_a_security_that_the_last_close_does_not_name_is_a_contradiction() -> None:
    kind, isin = BreakKind.STALE_STATEMENT, alpha(sample_facts()).isin
    added = DeclaredBreak(
        break_id(kind, isin, "SAFE-1", ""), kind.value, isin, "SAFE-1", "", "too old", None, MONTH + DAY, 0, "custody"
    )
    declared = replace(sample_declared(), breaks=(*sample_declared().breaks, added))
    told = report_bytes(build_document(sample_facts(), declared))
    checks = verify_document(told, published(sample_facts(), told), is_signed)
    assert [each.section for each in checks if each.status is Status.FAILED] == ["differences"]
