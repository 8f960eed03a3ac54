"""A month from its books to the world: built, agreed to, published with the files as they are really made, and found by
a stranger to be what the chain shows."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from building_desk import PERIOD, BuildingDesk
from desk import SHARE, key
from solders.pubkey import Pubkey
from solders.signature import Signature
from tallystick.adapters.chain.signers import KeypairSigner
from tallystick.adapters.publish.charts import charts
from tallystick.adapters.publish.folder import LocalPublishFolder, MemoryPublishFolder, PublishFolder
from tallystick.adapters.publish.pdf import render_pdf
from tallystick.adapters.publish.site import proof_of_reserves, render_index, render_page
from tallystick.adapters.store.reports import StoredReport
from tallystick.domain.canonical import sha256
from tallystick.domain.reserve_report.checks import Status
from tallystick.domain.reserve_report.codec import read_declared
from tallystick.domain.reserve_report.document import read_report
from tallystick.domain.reserve_report.published import read_header
from tallystick.domain.reserve_report.shards import read_shard
from tallystick.domain.reserve_report.verification import verify_document
from tallystick.services.plans import execute
from tallystick.services.report_approval import Rebuilt, approve_report, published_approval, review_report
from tallystick.services.report_closes import moment_of
from tallystick.services.report_declaration import Declaration, declaration_content
from tallystick.services.report_facts import gather_facts
from tallystick.services.report_holders import holder_files
from tallystick.services.report_publications import plan_publish_report
from tallystick.services.report_publish import Published, Renderers, finish_publication, lay_out
from tallystick.services.report_rebuild import rebuild_report

TOP = "2026-09/v1"


@pytest.fixture
async def desk() -> BuildingDesk:
    """A month that is over, with its days on chain."""
    desk = BuildingDesk()
    await desk.month()
    return desk


def renderers(desk: BuildingDesk) -> Renderers:
    """As the command has them."""

    def holders(content: bytes) -> AsyncIterator[tuple[str, bytes]]:
        return holder_files(desk.closes, content)

    def page(content: bytes, approval: bytes) -> bytes:
        return render_page(content, approval, charts(json.loads(content)))

    return Renderers(render_pdf, page, holders, render_index, proof_of_reserves)


async def rebuild(desk: BuildingDesk, report: StoredReport) -> Rebuilt:
    return await rebuild_report(desk.chain, desk.books, desk.profile, report, desk.clock)


async def approve(desk: BuildingDesk, report: StoredReport) -> StoredReport:
    review = review_report(report, lambda _: (), await rebuild(desk, report))
    assert review.is_rebuilt
    signer = KeypairSigner(key("approver"))
    return await approve_report(desk.books.reports, review, signer, desk.clock, publishers=[desk["publisher"]])


async def publish(desk: BuildingDesk, report: StoredReport, folder: PublishFolder) -> Published:
    header, made = read_header(report.content), renderers(desk)
    plan = await plan_publish_report(desk.chain, header, payer=desk["payer"], publisher=desk["publisher"])
    await lay_out(desk.books.reports, folder, report, published_approval(report), made)
    await execute(plan, desk.sender, desk.signers)
    return await finish_publication(desk.chain, desk.books.reports, folder, desk.clock, report, made)


async def test_a_published_month_is_what_a_stranger_finds_on_chain(desk: BuildingDesk) -> None:
    folder = MemoryPublishFolder()
    report = await approve(desk, (await desk.build()).report)
    published = await publish(desk, report, folder)
    content = folder.files[f"{TOP}/report.json"]
    declared = read_declared(read_report(content)["declared"])
    moments = [moment_of(each) for each in declared.closes]
    opening = moment_of(declared.opening) if declared.opening else None
    facts = await gather_facts(desk.chain, desk.issuer, PERIOD, moments[-1], moments, desk.clock, opening=opening)

    def is_signed(by: bytes, message: bytes, signature: bytes) -> bool:
        return Signature.from_bytes(signature).verify(Pubkey.from_bytes(by), message)

    checks = verify_document(content, facts, is_signed)
    assert [each.words for each in checks if each.status is Status.FAILED] == []
    assert sha256(content) == published.anchor.hash
    assert folder.files[f"{TOP}/report.pdf"].startswith(b"%PDF")
    page = folder.files[f"{TOP}/index.html"].decode()
    assert sha256(content).hex() in page
    assert str(key("approver").pubkey()) in page
    listed = json.loads(folder.files["proof-of-reserves.json"])["reports"]
    assert [(each["hash"], each["anchor"]["signature"]) for each in listed] == [
        (sha256(content).hex(), published.anchor.signature)
    ]
    assert "2026-09/v1/" in folder.files["index.html"].decode()


async def test_every_holder_is_in_one_published_shard_that_proves_the_root(desk: BuildingDesk) -> None:
    folder = MemoryPublishFolder()
    await publish(desk, await approve(desk, (await desk.build()).report), folder)
    row = json.loads(folder.files[f"{TOP}/report.json"])["holders"]
    [security] = row["securities"]
    shard = read_shard(folder.files[f"{TOP}/holders/{security['isin']}/00000.json"])
    assert shard.is_of(
        isin=security["isin"],
        mint=security["mint"],
        slot=row["slot"],
        root=bytes.fromhex(security["root"]),
        size=security["holders"],
    )
    assert dict(shard.leaves) == {
        bytes(desk["alice"]): 293 * SHARE,
        bytes(desk["bob"]): 200 * SHARE,
        bytes(desk["heir"]): 7 * SHARE,
    }


async def test_files_made_again_have_the_same_bytes(desk: BuildingDesk) -> None:
    first, again = MemoryPublishFolder(), MemoryPublishFolder()
    report = await approve(desk, (await desk.build()).report)
    await publish(desk, report, first)
    await publish(desk, report, again)
    assert again.files == first.files


async def test_other_sources_make_another_report_or_say_what_they_lack(desk: BuildingDesk) -> None:
    report = (await desk.build()).report
    assert (await rebuild(desk, report)).content == report.content
    desk.uri = "https://elsewhere.example.com"
    other = await rebuild(desk, report)
    assert other.content is not None
    assert other.content != report.content
    desk.closes.rows.clear()
    assert "was closed" in (await rebuild(desk, report)).reason
    assert [each.content for each in await desk.reports()] == [report.content]


async def test_a_correction_is_built_again_with_the_reason_that_it_gives(desk: BuildingDesk) -> None:
    folder = MemoryPublishFolder()
    await publish(desk, await approve(desk, (await desk.build()).report), folder)
    await desk.books.declarations.declare(
        bytes(desk.issuer), PERIOD, declaration_content(Declaration(basis="Another basis.")), desk.now
    )
    corrected = (await desk.build(reason="The basis was wrong.")).report
    assert corrected.version == 2
    published = await publish(desk, await approve(desk, corrected), folder)
    assert published.report.version == 2
    listed = json.loads(folder.files["proof-of-reserves.json"])["reports"]
    assert {each["version"]: bool(each["superseded_by"]) for each in listed} == {2: False, 1: True}


async def test_published_into_a_folder_of_this_machine(desk: BuildingDesk, tmp_path: Path) -> None:
    folder = LocalPublishFolder(tmp_path)
    published = await publish(desk, await approve(desk, (await desk.build()).report), folder)
    assert set(published.files) == set(await folder.list(TOP))
    assert await folder.list() == (*published.files, "index.html", "proof-of-reserves.json")
