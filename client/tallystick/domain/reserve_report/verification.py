"""Whether a report holds: it is built again from the chain and what it declares, and compared leaf by leaf.

Nothing of the document is trusted. What it declares is held against the chain where the chain, or a hash on it, can
show it; the rest is counted as the issuer's word. What a node did not serve is said, with what was checked instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tallystick.domain.canonical import CanonicalValue
from tallystick.domain.reserve_report.checks import Check, Status, check_of
from tallystick.domain.reserve_report.codec import read_declared
from tallystick.domain.reserve_report.comparison import INSTEAD, RESTS_ON, Place, compare, differ, differing
from tallystick.domain.reserve_report.declared import Declared
from tallystick.domain.reserve_report.document import SECTIONS, read_report
from tallystick.domain.reserve_report.facts import ReportFacts, SecurityFacts, Unserved
from tallystick.domain.reserve_report.material import Material
from tallystick.domain.reserve_report.verify_anchor import verify_anchor, verify_publication
from tallystick.domain.reserve_report.verify_arithmetic import verify_arithmetic
from tallystick.domain.reserve_report.verify_custody import (
    verify_attestations,
    verify_breaks,
    verify_statements,
    verify_timing,
)
from tallystick.domain.reserve_report.verify_days import verify_closes, verify_draw
from tallystick.domain.reserve_report.verify_declared import (
    IsSigned,
    issuers_word,
    verify_declared,
    verify_examination,
    verify_signatures,
)
from tallystick.domain.reserve_report.verify_holders import verify_fills, verify_holders
from tallystick.errors import TallystickError

_FORM = ("format", "format_version")
"""What the first check, of the form, has looked at."""


def verify_document(
    content: bytes, facts: ReportFacts, is_signed: IsSigned, others: Sequence[ReportFacts] = ()
) -> tuple[Check, ...]:
    """Every check of a report, in the order in which a reader follows it; nothing is raised for what is wrong in it.

    `facts` are of the issuer, period and as-of that the report has on chain, `is_signed` checks an officer's signature.
    `others` are what the facts would be if what is not known of the order within a second were another: values in which
    they differ cannot be recomputed.
    """
    return tuple(document_checks(content, facts, is_signed, others))


def document_checks(
    content: bytes, facts: ReportFacts, is_signed: IsSigned, others: Sequence[ReportFacts] = ()
) -> Iterator[Check]:
    """As verify_document, one check after the other."""
    try:
        document = read_report(content)
        declared = read_declared(document.get("declared"))
    except TallystickError as error:
        yield Check("form", "form", Status.FAILED, str(error))
        versions = [each.version for each in facts.publications if each.period == facts.period]
        yield verify_anchor(content, facts, facts.period, max(versions, default=1))
        return
    yield Check("form", "form", Status.PASSED, "Canonical JSON (RFC 8785) of format version 1.")
    if declared.period != facts.period:
        wrong = differ("/declared/period", str(facts.period), str(declared.period))
        yield check_of("declaration", "declared", wrong, "")
        return
    yield verify_anchor(content, facts, declared.period, declared.version)
    yield from verify_publication(facts, declared)
    facts = _listed_by_then(_with_isins(facts, declared), declared)
    try:
        material = Material(facts, declared)
        otherwise = [Material(_listed_by_then(_with_isins(each, declared), declared), declared) for each in others]
        yield from _compare_sections(material, otherwise, document)
    except TallystickError as error:
        yield Check("figures", "every section", Status.FAILED, f"The report cannot be built again: {error}")
        return
    if Unserved.ORDER_OF_SECOND in facts.unserved:
        words = f"The node does not serve {Unserved.ORDER_OF_SECOND}: {INSTEAD[Unserved.ORDER_OF_SECOND]}."
        yield Check("order within a second", "every section", Status.NOT_SERVED, words)
    yield verify_arithmetic(document)
    yield verify_fills(material)
    yield verify_attestations(material)
    yield from verify_closes(material, otherwise)
    yield verify_draw(material)
    yield verify_statements(material)
    yield from _first_that_holds([verify_timing(each) for each in (material, *otherwise)])
    yield verify_breaks(material)
    yield verify_holders(material, document)
    yield _verify_program(material)
    yield verify_declared(material)
    yield verify_signatures(material, is_signed)
    yield verify_examination(material)
    yield issuers_word(document["declared"])


def _with_isins(facts: ReportFacts, declared: Declared) -> ReportFacts:
    """The facts with the ISINs of the as-of close, where the node does not tell whether they changed since: that the
    close is the one on chain is checked on its own."""
    if Unserved.TERMS not in facts.unserved:
        return facts
    then = {each.mint: each.isin for each in declared.closes[-1].securities}
    securities = (replace(each, isin=then.get(each.mint, each.isin)) for each in facts.securities)
    return replace(facts, securities=tuple(securities))


def _listed_by_then(facts: ReportFacts, declared: Declared) -> ReportFacts:
    """The facts without securities of which nothing is known by the as-of and that the as-of close does not have, where
    the node does not tell when they were listed: every close has all that were."""
    if Unserved.LOG not in facts.unserved:
        return facts
    closed = {each.mint for each in declared.closes[-1].securities}
    securities = tuple(each for each in facts.securities if each.mint in closed or _has_begun(each))
    return replace(facts, securities=securities)


def _has_begun(security: SecurityFacts) -> bool:
    at = security.as_of
    return bool(at.minted or at.reserve_as_of or security.orders or security.actions or security.holds)


def _first_that_holds(found: Sequence[tuple[Check, ...]]) -> tuple[Check, ...]:
    """Of the same checks with several facts, those in which nothing fails; else the first."""
    return next((each for each in found if all(one.status is not Status.FAILED for one in each)), found[0])


def _compare_sections(
    material: Material, otherwise: Sequence[Material], found: dict[str, CanonicalValue]
) -> Iterator[Check]:
    """Each section as it is built again, compared with the report's."""
    unserved = material.facts.unserved
    skipped: list[Place] = [place for each in sorted(unserved) for place in RESTS_ON.get(each, ())]
    for section in sorted(set(found) - set(SECTIONS) - set(_FORM)):
        yield Check(section, section, Status.FAILED, f"/{section} is not known.", f"/{section}")
    for section, build in SECTIONS.items():
        name = section.replace("_", " ")
        if section not in found:
            yield Check(name, section, Status.FAILED, f"/{section} is missing.", f"/{section}")
            continue
        expected = build(material)
        doubtful = [place for each in otherwise for place in differing(expected, build(each), (section,))]
        result = compare(expected, found[section], (section,), [*skipped, *doubtful])
        wrong = result.difference
        if wrong:
            yield Check(name, section, Status.FAILED, wrong.words, wrong.path, wrong.expected, wrong.found)
        elif result.skipped:
            rests = [each for each in sorted(unserved) if any(at[0] == section for at in RESTS_ON.get(each, ()))]
            rests += [Unserved.ORDER_OF_SECOND] if doubtful else []
            instead = "; ".join(INSTEAD[each] for each in rests)
            words = f"Values built again and equal: {result.leaves}. Not served: {result.skipped}; {instead}."
            yield Check(name, section, Status.NOT_SERVED, words)
        else:
            made = "read and written alike" if section == "declared" else "built again and equal"
            yield Check(name, section, Status.PASSED, f"Values {made}: {result.leaves}.")


def _verify_program(material: Material) -> Check:
    """The program of the closes against the one that is deployed now, as far back as that one was."""
    facts, name, section = material.facts, "program", "control_log"
    now, then, slot = facts.program_hash, material.close.program_hash, facts.program_slot
    earlier = 0
    for place, close in enumerate(material.declared.closes):
        if slot is None or slot > close.slot:
            earlier += 1
        elif close.program_hash != now:
            wrong = differ(f"/declared/closes/contents/{place}/program", now.hex(), close.program_hash.hex())
            return check_of(name, section, wrong, "")
    if not earlier:
        words = f"The program of every close, {then.hex()}, is the one deployed now, and was since before the first."
        return Check(name, section, Status.PASSED, words)
    when = "at a time that the node does not tell" if slot is None else f"in slot {slot}"
    words = (
        f"The program that is deployed now, {now.hex()}, was deployed {when}, behind {earlier} of "
        f"{len(material.declared.closes)} closes. Which one ran at those is in the anchored closes, {then.hex()} at "
    )
    words += "the as-of; the chain's accounts do not tell."
    return Check(name, section, Status.NOT_SERVED, words)
