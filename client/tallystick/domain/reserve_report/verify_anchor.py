"""Whether a report is the one that was published, and the publications are one unbroken chain."""

from __future__ import annotations

from tallystick.domain.canonical import sha256
from tallystick.domain.report_anchors import first_day, period_of, period_text
from tallystick.domain.reserve_report.checks import Check, Disagreement, Status, check_of
from tallystick.domain.reserve_report.comparison import differ
from tallystick.domain.reserve_report.declared import Declared
from tallystick.domain.reserve_report.facts import PublicationFacts, ReportFacts
from tallystick.domain.reserve_report.values import address, report_account

NONE = bytes(32)
HASH = "hash on chain"
PUBLICATION = "publication"
"""Checks that hold a report against its own publication."""


def verify_anchor(content: bytes, facts: ReportFacts, period: int, version: int) -> Check:
    """Whether the publication of this period and version has the hash of these bytes."""
    own = publication_of(facts, period, version)
    name, digest = f"{period_text(period)} version {version}", sha256(content)
    if own is None:
        words = f"Nothing was published on chain for {name} of this issuer."
        return Check(HASH, "anchor", Status.FAILED, words)
    wrong = None
    if own.hash != digest:
        wrong = Disagreement(
            f"The SHA-256 of this file is {digest.hex()}; on chain it is {own.hash.hex()}. It is another file.",
            "",
            own.hash.hex(),
            digest.hex(),
        )
    return check_of(HASH, "anchor", wrong, f"SHA-256 {digest.hex()} is the one published as {name}.")


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
    )
    later = [each for each in facts.publications if each.period == own.period and each.version > own.version]
    words = f"The account {address(own.address)} has the as-of slot and the address of this report."
    if later:
        words += f" It was superseded by version {later[-1].version}."
    return (check_of(PUBLICATION, "anchor", wrong, words), _verify_chain(facts, own), _verify_opening(facts, own))


def publication_of(facts: ReportFacts, period: int, version: int) -> PublicationFacts | None:
    """The publication of one version of one month."""
    found = (each for each in facts.publications if (each.period, each.version) == (period, version))
    return next(found, None)


def publication_to_come(content: bytes, facts: ReportFacts, declared: Declared) -> PublicationFacts:
    """The publication as the chain will have it, but for who publishes it and when."""
    last = facts.publications[-1] if facts.publications else None
    same = [each for each in facts.publications if each.period == declared.period]
    return PublicationFacts(
        address=report_account(facts.program, facts.issuer, declared.period, declared.version),
        period=declared.period,
        version=declared.version,
        hash=sha256(content),
        uri=declared.uri,
        as_of_slot=facts.as_of.slot,
        previous=last.address if last else NONE,
        previous_hash=last.hash if last else NONE,
        corrects=same[-1].address if same else NONE,
        days_hash=facts.days_hash,
        published_by=NONE,
        published_at=0,
    )


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


def _verify_opening(facts: ReportFacts, own: PublicationFacts) -> Check:
    """That this month begins where the one reported before it ended; what lies between is in no report, which is said
    where whole months were left out."""
    name, opening = "opening", facts.opening.slot if facts.opening else 0
    before = [each for each in facts.publications if each.period < own.period]
    last = max(before, key=lambda each: (each.period, each.version), default=None)
    if last is None and facts.opening:
        words = (
            f"No earlier month was reported. That no close lies between slot {opening}, behind which this one begins, "
        )
        words += "and its first is the issuer's word."
        return Check(name, "header", Status.STATED, words)
    if last is None:
        return check_of(name, "header", None, "No earlier month was reported.")
    ended = f"{period_text(last.period)} version {last.version} ended with slot {last.as_of_slot}"
    is_next = last.period == period_of(first_day(own.period) - 1)
    if opening > last.as_of_slot and not is_next:
        words = f"The report of {ended}; this one begins behind slot {opening}. What lies between is in neither."
        return Check(name, "header", Status.STATED, words)
    wrong = _unequal("/header/opening/slot", last.as_of_slot, opening)
    return check_of(name, "header", wrong, f"The report of {ended}, where this one begins.")


def _unequal(path: str, expected: str | int, found: str | int) -> Disagreement | None:
    return None if expected == found else differ(path, expected, found)
