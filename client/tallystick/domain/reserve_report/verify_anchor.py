"""Whether a report is the one that was published, and the publications are one unbroken chain."""

from __future__ import annotations

from tallystick.domain.canonical import sha256
from tallystick.domain.report_anchors import first_day, period_of
from tallystick.domain.reserve_report.checks import Check, Disagreement, Status, check_of
from tallystick.domain.reserve_report.comparison import differ
from tallystick.domain.reserve_report.declared import Declared
from tallystick.domain.reserve_report.facts import PublicationFacts, ReportFacts
from tallystick.domain.reserve_report.published import period_text
from tallystick.domain.reserve_report.values import address, report_account

NONE = bytes(32)


def verify_anchor(content: bytes, facts: ReportFacts, period: int, version: int) -> Check:
    """Whether the publication of this period and version has the hash of these bytes."""
    own = publication_of(facts, period, version)
    name, digest = f"{period_text(period)} version {version}", sha256(content)
    if own is None:
        words = f"Nothing was published on chain for {name} of this issuer."
        return Check("hash on chain", "anchor", Status.FAILED, words)
    wrong = None
    if own.hash != digest:
        wrong = Disagreement(
            f"The SHA-256 of this file is {digest.hex()}; on chain it is {own.hash.hex()}. It is another file.",
            "",
            own.hash.hex(),
            digest.hex(),
        )
    return check_of("hash on chain", "anchor", wrong, f"SHA-256 {digest.hex()} is the one published as {name}.")


def verify_publication(facts: ReportFacts, declared: Declared) -> tuple[Check, ...]:
    """What the publication says beside the hash, and the chain of all publications up to it."""
    own = publication_of(facts, declared.period, declared.version)
    if own is None:
        return ()
    account = report_account(facts.program, facts.issuer, declared.period, declared.version)
    wrong = (
        _unequal("/anchor/account", address(own.address), address(account))
        or _unequal("/header/as_of/slot", own.as_of_slot, facts.as_of.slot)
        or _unequal("/anchor/uri", own.uri, declared.uri)
        or _joins(facts, declared)
    )
    later = [each for each in facts.publications if each.period == own.period and each.version > own.version]
    words = f"The account {address(own.address)} has the as-of slot and the address of this report."
    if later:
        words += f" It was superseded by version {later[-1].version}."
    return (
        check_of("publication", "anchor", wrong, words),
        *_verify_opening(facts, declared),
        _verify_chain(facts, own),
    )


def publication_of(facts: ReportFacts, period: int, version: int) -> PublicationFacts | None:
    """The publication of one version of one month."""
    found = (each for each in facts.publications if (each.period, each.version) == (period, version))
    return next(found, None)


def _verify_chain(facts: ReportFacts, own: PublicationFacts) -> Check:
    """From this report back to the issuer's first, by address and hash; corrections name the version before."""
    before: PublicationFacts | None = None
    wrong: Disagreement | None = None
    known: dict[tuple[int, int], bytes] = {}
    count = 0
    for each in facts.publications:
        name = f"The publication of {period_text(each.period)} version {each.version}"
        if (each.previous, each.previous_hash) != ((before.address, before.hash) if before else (NONE, NONE)):
            wrong = Disagreement(f"{name} does not name the one before it.")
        elif each.corrects != (known.get((each.period, each.version - 1), b"") if each.version > 1 else NONE):
            wrong = Disagreement(f"{name} does not name the version that it corrects.")
        known[each.period, each.version] = each.address
        before, count = each, count + 1
        if wrong or each is own:
            break
    words = f"Unbroken from the issuer's first publication to this one: {count} in all."
    return check_of("chain of reports", "anchor", wrong, words)


def _joins(facts: ReportFacts, declared: Declared) -> Disagreement | None:
    """The month begins where the report of the month before ended, where there is one."""
    before = _month_before(facts, declared)
    opening = declared.opening.slot if declared.opening else 0
    return _unequal("/header/opening/slot", before.as_of_slot, opening) if before else None


def _verify_opening(facts: ReportFacts, declared: Declared) -> tuple[Check, ...]:
    """What the opening rests on where no report of the month before has it on chain."""
    opening = declared.opening
    if opening is None or _month_before(facts, declared):
        return ()
    words = f"The month begins behind slot {opening.slot}, the close of {opening.day}. No report of the month before "
    words += "ended there: its figures are the chain's, that no other close came after it is the issuer's word."
    return (Check("opening", "header", Status.STATED, words),)


def _month_before(facts: ReportFacts, declared: Declared) -> PublicationFacts | None:
    """The newest publication of the month before."""
    first = first_day(declared.period) - 1
    found = [each for each in facts.publications if first >= 0 and each.period == period_of(first)]
    return found[-1] if found else None


def _unequal(path: str, expected: str | int, found: str | int) -> Disagreement | None:
    return None if expected == found else differ(path, expected, found)
