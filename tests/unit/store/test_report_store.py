"""Reports and what is declared for them: the same promises in memory and in the store."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import update
from tallystick.adapters.store.declarations import DeclarationStore, MemoryDeclarationStore, StoredAssertion
from tallystick.adapters.store.reports import (
    MemoryReportStore,
    ReportApproval,
    ReportPublication,
    ReportState,
    ReportStore,
    StoredReport,
)
from tallystick.adapters.store.store import Store, open_store
from tallystick.adapters.store.tables import declarations as declaration_table
from tallystick.adapters.store.tables import reports as report_table
from tallystick.domain.canonical import sha256
from tallystick.errors import InputError, LedgerError, StoreConflict, StoreError

ISSUER, OTHER = b"i" * 32, b"o" * 32
PERIOD = 202610
CONTENT, NEWER = b'{"a":1}', b'{"a":2}'
APPROVAL = ReportApproval(b"k" * 32, b"s" * 64, 60)
PUBLICATION = ReportPublication(b"t" * 64, 2**40, 70)


@pytest.fixture(params=["memory", "file"])
def kept(request: pytest.FixtureRequest, store: Store) -> ReportStore:
    return MemoryReportStore() if request.param == "memory" else store.reports


@pytest.fixture(params=["memory", "file"])
def declared(request: pytest.FixtureRequest, store: Store) -> DeclarationStore:
    return MemoryDeclarationStore() if request.param == "memory" else store.declarations


async def draft(kept: ReportStore, content: bytes = CONTENT, version: int = 1, at: int = 50) -> StoredReport:
    return await kept.draft(ISSUER, PERIOD, version, content, at)


async def bring_to(kept: ReportStore, state: ReportState, version: int = 1) -> StoredReport:
    report = await draft(kept, version=version)
    name = (ISSUER, PERIOD, version, report.digest)
    if state is not ReportState.DRAFT:
        report = await kept.approve(*name, APPROVAL)
    if state in (ReportState.PUBLISHING, ReportState.PUBLISHED):
        report = await kept.begin_publication(*name)
    if state is ReportState.PUBLISHED:
        report = await kept.published(*name, PUBLICATION)
    assert report.state is state
    return report


async def test_a_version_goes_from_draft_to_published_and_reads_back_at_each_step(kept: ReportStore) -> None:
    for state in ReportState:
        report = await bring_to(kept, state)
        assert await kept.find(ISSUER, PERIOD) == report == await kept.find(ISSUER, PERIOD, 1)
    assert (report.digest, report.approval, report.publication) == (sha256(CONTENT), APPROVAL, PUBLICATION)
    assert report.name == "2026-10 v1"


async def test_another_draft_takes_the_place_of_one_and_its_approval_falls(kept: ReportStore) -> None:
    await bring_to(kept, ReportState.APPROVED)
    report = await draft(kept, NEWER, at=55)
    assert report == StoredReport(ISSUER, PERIOD, 1, NEWER, 55) == await kept.find(ISSUER, PERIOD)


@pytest.mark.parametrize("state", list(ReportState))
async def test_the_same_content_again_changes_nothing(kept: ReportStore, state: ReportState) -> None:
    report = await bring_to(kept, state)
    assert await draft(kept, at=99) == report == await kept.find(ISSUER, PERIOD)


@pytest.mark.parametrize("state", [ReportState.PUBLISHING, ReportState.PUBLISHED])
async def test_from_the_begin_of_its_publication_on_a_version_never_changes(
    kept: ReportStore, state: ReportState
) -> None:
    report = await bring_to(kept, state)
    with pytest.raises(StoreConflict, match=str(state)):
        await draft(kept, NEWER)
    with pytest.raises(StoreConflict, match="approval stands"):
        await kept.approve(ISSUER, PERIOD, 1, report.digest, replace(APPROVAL, approver=b"z" * 32))
    assert await kept.begin_publication(ISSUER, PERIOD, 1, report.digest) == report
    assert await kept.find(ISSUER, PERIOD) == report


async def test_a_publication_that_never_arrives_gives_the_version_free(kept: ReportStore) -> None:
    report = await bring_to(kept, ReportState.PUBLISHING)
    freed = await kept.abandon_publication(ISSUER, PERIOD, 1, report.digest)
    assert freed == replace(report, state=ReportState.APPROVED)
    assert (await draft(kept, NEWER)).state is ReportState.DRAFT


@pytest.mark.parametrize("state", [ReportState.DRAFT, ReportState.APPROVED, ReportState.PUBLISHED])
async def test_only_a_publication_under_way_is_given_up(kept: ReportStore, state: ReportState) -> None:
    report = await bring_to(kept, state)
    with pytest.raises(StoreConflict, match="under way"):
        await kept.abandon_publication(ISSUER, PERIOD, 1, report.digest)
    assert await kept.find(ISSUER, PERIOD) == report


async def test_what_nobody_approved_is_not_published(kept: ReportStore) -> None:
    report = await bring_to(kept, ReportState.DRAFT)
    with pytest.raises(StoreConflict, match="Nobody approved"):
        await kept.begin_publication(ISSUER, PERIOD, 1, report.digest)
    with pytest.raises(StoreConflict, match="begun"):
        await kept.published(ISSUER, PERIOD, 1, report.digest, PUBLICATION)
    assert await kept.find(ISSUER, PERIOD) == report


async def test_what_is_written_down_first_of_a_publication_stays(kept: ReportStore) -> None:
    report = await bring_to(kept, ReportState.PUBLISHED)
    assert await kept.published(ISSUER, PERIOD, 1, report.digest, replace(PUBLICATION, slot=9)) == report


async def test_a_step_names_the_content_that_it_is_about(kept: ReportStore) -> None:
    report = await bring_to(kept, ReportState.APPROVED)
    for step in (kept.begin_publication, kept.abandon_publication):
        with pytest.raises(StoreConflict, match="anew"):
            await step(ISSUER, PERIOD, 1, sha256(NEWER))
        with pytest.raises(StoreError, match="no such report"):
            await step(OTHER, PERIOD, 1, report.digest)
    with pytest.raises(StoreConflict, match="anew"):
        await kept.approve(ISSUER, PERIOD, 1, sha256(NEWER), APPROVAL)
    with pytest.raises(StoreConflict, match="anew"):
        await kept.published(ISSUER, PERIOD, 1, sha256(NEWER), PUBLICATION)
    assert await kept.find(ISSUER, PERIOD) == report


@pytest.mark.parametrize("change", [{"approver": b"k"}, {"signature": b"s" * 63}])
async def test_an_approval_without_a_whole_key_or_signature_is_refused(
    kept: ReportStore, change: dict[str, bytes]
) -> None:
    report = await draft(kept)
    with pytest.raises(InputError):
        await kept.approve(ISSUER, PERIOD, 1, report.digest, replace(APPROVAL, **change))  # type: ignore[arg-type]
    assert await kept.find(ISSUER, PERIOD) == report


async def test_a_correction_follows_a_published_version(kept: ReportStore) -> None:
    await bring_to(kept, ReportState.PUBLISHING)
    with pytest.raises(StoreConflict, match="not published"):
        await draft(kept, NEWER, version=2)
    first = await bring_to(kept, ReportState.PUBLISHED)
    second = await draft(kept, NEWER, version=2)
    await kept.draft(ISSUER, 202609, 1, CONTENT, 1)
    await kept.draft(OTHER, PERIOD, 1, CONTENT, 1)
    assert await kept.find(ISSUER, PERIOD) == second
    assert await kept.list(ISSUER, PERIOD) == (first, second)
    assert [each.period for each in await kept.list(ISSUER)] == [202609, PERIOD, PERIOD]
    with pytest.raises(StoreConflict, match="not published"):
        await draft(kept, NEWER, version=4)
    with pytest.raises(InputError):
        await draft(kept, NEWER, version=0)


async def test_a_report_outlives_the_process(url: str, store: Store) -> None:
    report = await bring_to(store.reports, ReportState.PUBLISHED)
    async with await open_store(url) as again:
        assert await again.reports.find(ISSUER, PERIOD) == report


async def test_a_report_that_was_edited_in_the_database_is_found(store: Store) -> None:
    await draft(store.reports)
    async with store.database.transaction() as connection:
        await connection.execute(update(report_table).values(content=NEWER))
    for step in (store.reports.find(ISSUER, PERIOD), store.reports.list(ISSUER), draft(store.reports)):
        with pytest.raises(LedgerError, match="changed since"):
            await step


async def test_the_newest_declaration_counts_and_every_one_is_kept(declared: DeclarationStore) -> None:
    assert await declared.newest(ISSUER, PERIOD) is None
    first = await declared.declare(ISSUER, PERIOD, CONTENT, 1)
    assert await declared.declare(ISSUER, PERIOD, CONTENT, 2) == first
    second = await declared.declare(ISSUER, PERIOD, NEWER, 3)
    third = await declared.declare(ISSUER, PERIOD, CONTENT, 4)
    await declared.declare(OTHER, PERIOD, NEWER, 5)
    await declared.declare(ISSUER, 202609, NEWER, 5)
    assert await declared.history(ISSUER, PERIOD) == (first, second, third)
    assert await declared.newest(ISSUER, PERIOD) == third
    assert [each.number for each in (first, second, third)] == [1, 2, 3]


async def test_a_declaration_that_was_edited_in_the_database_is_found(store: Store) -> None:
    await store.declarations.declare(ISSUER, PERIOD, CONTENT, 1)
    async with store.database.transaction() as connection:
        await connection.execute(update(declaration_table).values(content=NEWER))
    with pytest.raises(LedgerError, match="changed since"):
        await store.declarations.newest(ISSUER, PERIOD)


async def test_a_seed_is_drawn_once_for_each_period(declared: DeclarationStore) -> None:
    seeds = [await declared.seed(*each) for each in ((ISSUER, PERIOD), (ISSUER, 202609), (OTHER, PERIOD))]
    assert len(set(seeds)) == 3
    assert {len(each) for each in seeds} == {32}
    assert await declared.seed(ISSUER, PERIOD) == seeds[0]


async def test_a_seed_outlives_the_process(url: str, store: Store) -> None:
    seed = await store.declarations.seed(ISSUER, PERIOD)
    async with await open_store(url) as again:
        assert await again.declarations.seed(ISSUER, PERIOD) == seed


async def test_an_officer_s_newest_signature_is_kept(declared: DeclarationStore) -> None:
    made = StoredAssertion("Jo Bell", b"c" * 32, b"t" * 32, b"k" * 32, b"s" * 64, 7)
    other = replace(made, officer="Ann Arc")
    for each in (made, other, replace(made, asserted_at=9)):
        await declared.assert_by(ISSUER, PERIOD, each)
    assert await declared.assertions(ISSUER, PERIOD) == (other, replace(made, asserted_at=9))
    assert await declared.assertions(OTHER, PERIOD) == ()
    with pytest.raises(InputError):
        await declared.assert_by(ISSUER, PERIOD, replace(made, signature=b"s"))
    assert len(await declared.assertions(ISSUER, PERIOD)) == 2
