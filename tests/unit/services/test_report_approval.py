"""Agreement to a report: by a second person's key, over these very bytes, or not at all."""

from __future__ import annotations

from dataclasses import replace

import pytest
from desk import key
from publishing_desk import PERIOD, PublishingDesk
from solders.pubkey import Pubkey
from solders.signature import Signature
from tallystick.adapters.chain.signers import KeypairSigner
from tallystick.adapters.store.reports import MemoryReportStore, ReportState, StoredReport
from tallystick.domain.reserve_report.published import approval_message
from tallystick.errors import LedgerError, Refused, StoreConflict
from tallystick.program.generated.types import RoleKind
from tallystick.services.report_approval import (
    Rebuilt,
    Review,
    adopt_approval,
    approve_report,
    is_signed,
    published_approval,
    require_approved,
    review_report,
)
from tallystick.services.report_publications import publisher_keys


@pytest.fixture
async def desk() -> PublishingDesk:
    """An issuer whose publisher may publish."""
    desk = PublishingDesk()
    await desk.open()
    return desk


def review(report: StoredReport, *problems: str, rebuilt: Rebuilt | None = None) -> Review:
    return review_report(report, lambda _: problems, rebuilt)


async def approvals(desk: PublishingDesk) -> list[object]:
    return [each.approval for each in await desk.reports.list(bytes(desk.issuer))]


async def test_the_second_person_signs_the_digest_and_anybody_checks_it(desk: PublishingDesk) -> None:
    report = await desk.approved()
    approval = published_approval(report)
    assert (report.state, approval.approver) == (ReportState.APPROVED, str(desk["approver"]))
    assert Signature.from_string(approval.signature).verify(desk["approver"], approval_message(report.digest))
    assert await desk.approve(report) == report


async def test_a_publishers_key_agrees_to_nothing(desk: PublishingDesk) -> None:
    report = await desk.draft()
    with pytest.raises(Refused, match=f"{desk['publisher']} publishes reports"):
        await desk.approve(report, "publisher")
    assert await approvals(desk) == [None]


async def test_publishers_are_read_from_the_chain_and_those_to_come_are_among_them(desk: PublishingDesk) -> None:
    await desk.grant("bob", RoleKind.PUBLISHER)
    assert await publisher_keys(desk.chain, desk.issuer) == {desk["publisher"], desk["bob"]}


async def test_what_does_not_add_up_is_not_signed(desk: PublishingDesk) -> None:
    found = review(await desk.draft(), "/test/0/surplus is 1; 2 was expected.")
    with pytest.raises(Refused, match="/test/0/surplus is 1"):
        await approve_report(desk.reports, found, KeypairSigner(key("approver")), desk.clock, publishers=[])
    assert await approvals(desk) == [None]


async def test_a_draft_that_somebody_reformatted_is_no_report(desk: PublishingDesk) -> None:
    with pytest.raises(LedgerError, match="not in canonical form"):
        review(await desk.draft(content=await desk.content() + b"\n"))


async def test_a_report_of_another_month_or_issuer_is_not_signed(desk: PublishingDesk) -> None:
    other = await desk.draft(content=await desk.content(PERIOD - 1))
    assert "it says of itself that it is 2026-07 v1" in review(other).troubles[0]
    other = await desk.draft(content=await desk.content(issuer={"address": str(desk["bob"])}))
    assert review(other).troubles == (f"it is of issuer {desk['bob']}.",)


async def test_own_sources_confirm_it_or_raise_a_doubt(desk: PublishingDesk) -> None:
    report = await desk.draft()
    assert review(report, rebuilt=Rebuilt(report.content)).is_rebuilt
    assert review(report, rebuilt=Rebuilt(report.content)).doubts == ()
    for rebuilt, doubt in (
        (None, "was not built again"),
        (Rebuilt(reason="no closes"), "could not be built again here: no closes"),
        (Rebuilt(b"{}"), "own sources make another report"),
    ):
        found = review(report, rebuilt=rebuilt)
        assert not found.is_rebuilt
        assert doubt in found.doubts[0]
        assert found.troubles == ()


async def test_a_draft_built_anew_takes_the_approval_back(desk: PublishingDesk) -> None:
    before = await desk.approved()
    after = await desk.draft(content=await desk.content(as_of={"slot": 1}))
    assert (after.state, after.approval) == (ReportState.DRAFT, None)
    with pytest.raises(StoreConflict, match="built anew meanwhile"):
        await desk.approve(before)
    forged = replace(after, approval=before.approval)
    assert not is_signed(published_approval(forged))
    with pytest.raises(Refused, match="no signature over its hash"):
        require_approved(forged, approvers=[desk["approver"]], publishers=[])


async def test_who_the_profile_does_not_name_counts_for_nothing(desk: PublishingDesk) -> None:
    report = await desk.approved()
    assert require_approved(report, approvers=[desk["approver"]], publishers=[desk["publisher"]])
    with pytest.raises(Refused, match="which the profile does not name"):
        require_approved(report, approvers=[desk["bob"]], publishers=[])
    with pytest.raises(Refused, match="another person's key"):
        require_approved(report, approvers=[desk["approver"]], publishers=[desk["approver"]])


async def test_an_approval_signed_on_another_machine_is_taken_up(desk: PublishingDesk) -> None:
    report = await desk.draft()
    here, desk.reports = desk.reports, MemoryReportStore()
    signed = published_approval(await desk.approve(await desk.draft(content=report.content)))
    desk.reports = here
    taken = await adopt_approval(desk.reports, report, signed, desk.clock, publishers=[desk["publisher"]])
    assert published_approval(taken) == signed
    assert await adopt_approval(desk.reports, taken, signed, desk.clock, publishers=[]) == taken


async def test_an_approval_that_is_none_of_this_report_is_not_taken_up(desk: PublishingDesk) -> None:
    report = await desk.draft()
    elsewhere = await PublishingDesk().reports.draft(report.issuer, PERIOD, 1, report.content, 1)
    scratch = MemoryReportStore()
    await scratch.draft(report.issuer, PERIOD, 1, report.content, 1)
    good = published_approval(
        await approve_report(scratch, review(elsewhere), KeypairSigner(key("approver")), desk.clock, publishers=[])
    )
    cases = {
        "digest": replace(good, digest=bytes(32)),
        "no signature of": replace(good, approver=str(desk["bob"])),
        "is no signature": replace(good, signature=str(Signature.default())),
        "no signature": replace(good, approver="not base 58"),
    }
    for said, wrong in cases.items():
        with pytest.raises(Refused, match=said):
            await adopt_approval(desk.reports, report, wrong, desk.clock, publishers=[])
    with pytest.raises(Refused, match="publishes reports"):
        await adopt_approval(desk.reports, report, good, desk.clock, publishers=[Pubkey.from_string(good.approver)])
    assert await approvals(desk) == [None]
