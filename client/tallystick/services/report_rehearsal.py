"""Checks a report as a stranger will, before anybody agrees to it: what would be refused later is not built now."""

from __future__ import annotations

from dataclasses import replace

from tallystick.domain.reserve_report.checks import Status
from tallystick.domain.reserve_report.declared import Declared
from tallystick.domain.reserve_report.facts import ReportFacts
from tallystick.domain.reserve_report.verification import verify_document
from tallystick.domain.reserve_report.verify_anchor import publication_to_come
from tallystick.errors import LedgerError
from tallystick.services.report_verify import is_signed_by


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
