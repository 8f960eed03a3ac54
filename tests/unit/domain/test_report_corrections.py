"""A correction lists everything that it changed, or is found out by whoever has the version before."""

from __future__ import annotations

import json
from dataclasses import replace

from report_sample import published, sample_declared, sample_facts
from tallystick.domain.canonical import sha256
from tallystick.domain.reserve_report.changes import leaf_changes
from tallystick.domain.reserve_report.checks import Check, Status
from tallystick.domain.reserve_report.declared import Correction
from tallystick.domain.reserve_report.document import build_document, report_bytes
from tallystick.domain.reserve_report.verify_correction import verify_correction


def first_version() -> bytes:
    """Version 1, with another price."""
    declared = sample_declared()
    prices = (declared.prices[0], replace(declared.prices[1], amount="12.4"))
    return report_bytes(build_document(sample_facts(), replace(declared, version=1, prices=prices, correction=None)))


def check(corrected: bytes | None, *, hidden: int = 0) -> Check:
    """What is found of version 2, which lists all that it changed but the first few."""
    before, declared, facts = first_version(), sample_declared(), sample_facts()
    publication = replace(facts.publications[-1], hash=sha256(before))
    facts = replace(facts, publications=(*facts.publications[:-1], publication))
    changes = leaf_changes(json.loads(before), build_document(facts, declared))
    declared = replace(declared, correction=Correction("A price was of another day.", changes[hidden:]))
    content = report_bytes(build_document(facts, declared))
    (found,) = verify_correction(content, declared, published(facts, content), corrected)
    return found


def test_a_correction_that_lists_all_it_changed_passes() -> None:
    assert check(first_version()).status is Status.PASSED


def test_a_correction_that_hides_a_change_is_found() -> None:
    found = check(first_version(), hidden=1)
    assert (found.status, found.path) == (Status.FAILED, "/header/corrects/changes/0")


def test_another_file_than_the_version_before_is_refused() -> None:
    assert check(first_version() + b" ").status is Status.FAILED


def test_without_the_version_before_the_list_is_the_issuers_word() -> None:
    assert check(None).status is Status.STATED
