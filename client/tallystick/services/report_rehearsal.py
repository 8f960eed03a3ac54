"""Checks a report as a stranger will, before anybody agrees to it: what would be refused later is not built now."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from tallystick.domain.canonical import sha256
from tallystick.domain.reserve_report.checks import Status
from tallystick.domain.reserve_report.declared import Declared
from tallystick.domain.reserve_report.facts import PublicationFacts, ReportFacts
from tallystick.domain.reserve_report.values import report_account
from tallystick.domain.reserve_report.verification import verify_document
from tallystick.errors import LedgerError
from tallystick.services.report_verify import is_signed_by

NONE: Final = bytes(32)


def require_verifiable(content: bytes, facts: ReportFacts, declared: Declared) -> None:
    """LedgerError, with the first figure that would disagree, unless report.json holds once it is published."""
    published = replace(facts, publications=(*facts.publications, publication_to_come(content, facts, declared)))
    for check in verify_document(content, published, is_signed_by):
        if check.status is Status.FAILED:
            where = f" ({check.path}: {check.found} where the chain has {check.expected})" if check.path else ""
            raise LedgerError(
                f"A stranger would refuse this report: {check.name}: {check.words}{where}",
                hint="Nothing was built. Find out which of the two is wrong before anything is said of this month.",
            )


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
