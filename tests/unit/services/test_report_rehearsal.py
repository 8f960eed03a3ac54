"""What a stranger would refuse is not built: the checks of verification are made before anything is kept."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from building_desk import BuildingDesk
from desk import SHARE
from tallystick.adapters.store.closes import StoredClose
from tallystick.domain.canonical import canonical_json
from tallystick.domain.reserve_report.document import build_document, report_bytes
from tallystick.domain.reserve_report.verify_anchor import publication_to_come
from tallystick.errors import LedgerError
from tallystick.services import report_rehearsal

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "domain"))

from report_sample import sample_declared, sample_facts


def test_the_publication_to_come_follows_the_last_one_and_corrects_the_version_before() -> None:
    facts, declared = sample_facts(), sample_declared()
    own = publication_to_come(b"{}", facts, declared)
    last = facts.publications[-1]
    assert (own.period, own.version, own.previous, own.previous_hash) == (202610, 2, last.address, last.hash)
    assert own.corrects == last.address


def test_a_figure_that_a_stranger_would_refuse_is_named_with_both_values() -> None:
    facts, declared = sample_facts(), sample_declared()
    document = json.loads(report_bytes(build_document(facts, declared)))
    document["tokens"][0]["supply"] = "1"
    with pytest.raises(LedgerError, match=r"A stranger would refuse this report: tokens: .*/tokens/0/supply"):
        report_rehearsal.require_verifiable(canonical_json(document), facts, declared)


async def test_a_close_that_names_another_program_stops_the_build_and_nothing_is_kept() -> None:
    desk = BuildingDesk()
    await desk.begin()
    await desk.give("alice", 300 * SHARE, "s-1")
    await desk.attest(300 * SHARE)
    made = await desk.end_day()
    false = replace(made, program_hash=bytes(32))
    desk.closes.rows[bytes(desk.issuer)] = [StoredClose(false.day, false.previous, false.hash, false.content)]
    desk.warp(9 * 86_400)
    await desk.anchor(false)
    with pytest.raises(LedgerError, match="A stranger would refuse this report: program"):
        await desk.build()
    assert await desk.reports() == ()
