"""Publishing a report: files, chain, indexes and store, in whatever step it is cut off, end as if it had not been."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from publishing_desk import PERIOD, PERIOD_BEFORE, PublishingDesk, plain_renderers
from push_faults import Crash, Watched, dropping, forgetful
from solders.system_program import TransferParams, transfer
from tallystick.adapters.chain.protocol import Account, Commitment
from tallystick.adapters.store.reports import MemoryReportStore, ReportState, StoredReport
from tallystick.domain.canonical import sha256
from tallystick.domain.reserve_report.published import approval_bytes, read_anchor, read_header
from tallystick.errors import OutcomeUnknown, Refused, StoreConflict
from tallystick.program.addresses import report_address
from tallystick.program.generated.accounts import Issuer, ReserveReport
from tallystick.program.generated.types import RoleKind
from tallystick.services.chain_reads import require
from tallystick.services.issuers import plan_revoke_role
from tallystick.services.plans import Plan, execute
from tallystick.services.report_approval import published_approval
from tallystick.services.report_publications import list_publications
from tallystick.services.report_publish import (
    Published,
    adopt_publications,
    finish_publication,
    lay_out,
    require_publishable,
)

TOP = "2026-08/v1"
WRITES = frozenset(
    {"write", "remove", "begin_publication", "published", "send", "put_signed", "mark_sent", "mark_outcome"}
)


@dataclass(slots=True)
class Ground:
    """What a publication works with; each of it may be made to die."""

    chain: Any
    outbox: Any
    store: Any
    folder: Any
    files: list[str] = field(default_factory=list)


@pytest.fixture
async def desk() -> PublishingDesk:
    """An issuer whose publisher may publish."""
    desk = PublishingDesk()
    await desk.open()
    return desk


def ground(desk: PublishingDesk) -> Ground:
    return Ground(desk.chain, desk.outbox, desk.reports, desk.folder)


async def publish(desk: PublishingDesk, on: Ground | None = None, period: int = PERIOD) -> Published:
    """As the command does it."""
    on = on or ground(desk)
    await adopt_publications(on.chain, on.store, on.folder, desk.issuer, desk.clock)
    report = await on.store.find(bytes(desk.issuer), period)
    assert report is not None
    await require_publishable(on.chain, on.store, report)
    plan = await desk.plan(report)
    approval = published_approval(report)
    await lay_out(on.store, on.folder, report, approval, desk.renderers, lambda name, _: on.files.append(name))
    for result in await execute(plan, desk.new_sender(on.chain, on.outbox), desk.signers):
        result.require_done()
    return await finish_publication(on.chain, on.store, on.folder, desk.clock, report, desk.renderers, patience=5)


async def publish_carelessly(desk: PublishingDesk, on: Ground, period: int = PERIOD) -> None:
    """Believes what it did last time: what the store or the folder has, it takes for done."""
    report = await on.store.find(bytes(desk.issuer), period)
    assert report is not None
    if report.state is ReportState.APPROVED:
        await on.store.begin_publication(report.issuer, report.period, report.version, report.digest)
        await lay_out(on.store, on.folder, report, published_approval(report), desk.renderers)
    if report.state is not ReportState.PUBLISHED:
        plan = await desk.plan(report)
        await execute(plan, desk.new_sender(on.chain, on.outbox), desk.signers)
        await finish_publication(on.chain, on.store, on.folder, desk.clock, report, desk.renderers, patience=5)


class Dying:
    """Dies at the n-th write to any of the ground: before it, or as soon as it is done."""

    def __init__(self, number: int, *, is_before: bool) -> None:
        self.left = number
        self.is_before = is_before
        self.is_dead = False
        self.died_at = ""

    def ground(self, desk: PublishingDesk) -> Ground:
        """Everything of a desk, until death."""
        return Ground(
            Watched(desk.chain, self.call),
            Watched(desk.outbox, self.call),
            Watched(desk.reports, self.call),
            Watched(desk.folder, self.call),
        )

    async def call(self, name: str, call: Callable[[], Awaitable[Any]]) -> Any:
        if self.is_dead:
            raise Crash(name)
        self.left -= name in WRITES
        if self.left or name not in WRITES:
            return await call()
        if not self.is_before:
            await call()
        self.is_dead, self.died_at = True, name
        raise Crash(name)


async def opened() -> PublishingDesk:
    desk = PublishingDesk()
    await desk.open()
    await desk.approved()
    return desk


async def publications(desk: PublishingDesk) -> list[tuple[int, int, bytes]]:
    return [
        (each.period, each.report_version, each.hash) for _, each in await list_publications(desk.chain, desk.issuer)
    ]


async def disturbed(number: int, *, is_before: bool, publish: Callable[..., Awaitable[object]]) -> tuple[Any, str]:
    """A desk after a publication that died at its n-th write, and another run; empty when it did not die."""
    desk, dying = await opened(), Dying(number, is_before=is_before)
    try:
        await publish(desk, dying.ground(desk))
    except Crash:
        await publish(desk, ground(desk))
    return desk, dying.died_at


async def ends_alike(publish: Callable[..., Awaitable[object]], *, is_before: bool) -> list[str]:
    """Where it died, in order; each time it ended as an undisturbed publication. AssertionError otherwise."""
    undisturbed = await opened()
    await publish_whole(undisturbed)
    expected = undisturbed.folder.files
    places: list[str] = []
    while True:
        desk, died_at = await disturbed(len(places) + 1, is_before=is_before, publish=publish)
        report = await desk.reports.find(bytes(desk.issuer), PERIOD)
        assert report is not None
        assert desk.folder.files == expected, (len(places), died_at)
        assert await publications(desk) == [(PERIOD, 1, report.digest)]
        assert report.state is ReportState.PUBLISHED
        if not died_at:
            return places
        places.append(died_at)


async def publish_whole(desk: PublishingDesk) -> None:
    await publish(desk)


async def test_a_published_report_is_in_the_folder_on_chain_and_in_the_store(desk: PublishingDesk) -> None:
    report = await desk.approved()
    published = await publish(desk)
    assert await publications(desk) == [(PERIOD, 1, report.digest)]
    account = await require(desk.chain, ReserveReport, report_address(desk.issuer, PERIOD, 1))
    header = read_header(report.content)
    assert account.uri.rstrip(b"\0").decode() == header.uri
    assert (account.as_of_slot, account.published_by) == (header.as_of_slot, desk["publisher"])
    assert sorted(desk.folder.files) == [
        *(f"{TOP}/{name}" for name in ("anchor.json", "approval.json")),
        *(f"{TOP}/holders/US0378331005/0000{number}.json" for number in range(3)),
        *(f"{TOP}/{name}" for name in ("index.html", "report.json", "report.pdf")),
        "index.html",
        "proof-of-reserves.json",
    ]
    assert desk.folder.files[f"{TOP}/report.json"] == report.content
    assert desk.folder.files[f"{TOP}/approval.json"] == approval_bytes(published_approval(report))
    anchor = read_anchor(desk.folder.files[f"{TOP}/anchor.json"])
    assert (anchor.hash, anchor.account) == (report.digest, str(report_address(desk.issuer, PERIOD, 1)))
    assert anchor == published.anchor
    kept = await desk.reports.find(bytes(desk.issuer), PERIOD)
    assert kept is not None
    assert kept.state is ReportState.PUBLISHED
    assert kept.publication is not None
    assert (kept.publication.slot, kept.publication.published_at) == (anchor.slot, account.published_at)


async def test_published_again_nothing_is_written_and_nothing_signed(desk: PublishingDesk) -> None:
    report = await desk.approved()
    first = await publish(desk)
    before, sent = dict(desk.folder.files), desk.chain.ledger.slot
    assert (await desk.plan(report)).is_empty
    assert (await publish(desk)).anchor == first.anchor
    assert (desk.folder.files, desk.chain.ledger.slot) == (before, sent)


@pytest.mark.parametrize("is_before", [True, False])
async def test_wherever_it_dies_a_second_run_ends_as_if_it_had_not(is_before: bool) -> None:
    places = await ends_alike(publish_whole_on, is_before=is_before)
    # Said before the files, seven files, signed and sent, three files, and said after.
    assert places[0] == "begin_publication"
    assert places[1:8] == ["write"] * 7
    assert "put_signed" in places[8:10]
    assert "send" in places[9:11]
    assert places[-4:] == ["write", "write", "write", "published"]


async def publish_whole_on(desk: PublishingDesk, on: Ground) -> None:
    await publish(desk, on)


async def test_cut_off_twice_it_still_ends_as_if_it_had_not() -> None:
    undisturbed = await opened()
    await publish(undisturbed)
    for first in range(1, 18):
        for second in range(1 + first % 3, 18, 3):
            desk = await opened()
            for number, is_before in ((first, False), (second, True)):
                dying = Dying(number, is_before=is_before)
                with suppress(Crash):
                    await publish(desk, dying.ground(desk))
            await publish(desk)
            assert desk.folder.files == undisturbed.folder.files, (first, second)
            assert [version for _, version, _ in await publications(desk)] == [1]


@pytest.mark.parametrize("is_before", [True, False])
async def test_who_takes_the_stores_word_for_done_is_caught(is_before: bool) -> None:
    with pytest.raises(AssertionError):
        await ends_alike(publish_carelessly, is_before=is_before)


async def test_a_month_after_another_names_it_and_the_index_has_both(desk: PublishingDesk) -> None:
    before = await desk.approved(PERIOD_BEFORE)
    await publish(desk, period=PERIOD_BEFORE)
    after = await desk.approved()
    assert read_header(after.content).previous_hash == before.digest
    await publish(desk)
    correction = await desk.approved(PERIOD, 2)
    await publish(desk)
    digests = [each.digest for each in (before, after, correction)]
    assert await publications(desk) == [
        (PERIOD_BEFORE, 1, digests[0]),
        (PERIOD, 1, digests[1]),
        (PERIOD, 2, digests[2]),
    ]
    rows = desk.folder.files["index.html"].decode().splitlines()
    assert rows[1:] == [each.hex() for each in digests]
    account = await require(desk.chain, ReserveReport, report_address(desk.issuer, PERIOD, 2))
    assert account.corrects == report_address(desk.issuer, PERIOD, 1)


async def test_an_outcome_that_nobody_knows_is_unknown_and_the_next_run_completes_it(desk: PublishingDesk) -> None:
    await desk.approved()
    on = replace(ground(desk), chain=forgetful(dropping(desk.chain, 10**6)))
    with pytest.raises(OutcomeUnknown):
        await publish(desk, on)
    report = await desk.reports.find(bytes(desk.issuer), PERIOD)
    assert report is not None
    assert report.state is ReportState.PUBLISHING
    assert f"{TOP}/anchor.json" not in desk.folder.files
    assert await publications(desk) == []
    with pytest.raises(StoreConflict, match="stays as it is"):
        await desk.draft(content=await desk.content(as_of={"slot": 1}))
    await publish(desk)
    assert await publications(desk) == [(PERIOD, 1, report.digest)]


class NotYetFinal:
    """Accounts of `address` are there at confirmed and not yet at finalized."""

    def __init__(self, inner: Any, hidden: Any) -> None:
        self._inner = inner
        self._hidden = hidden

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def get_account(self, address: Any, commitment: Commitment = "confirmed") -> Account | None:
        is_hidden = commitment == "finalized" and address == self._hidden
        return None if is_hidden else await self._inner.get_account(address, commitment)


async def test_before_it_is_there_for_good_nothing_says_that_it_is(desk: PublishingDesk) -> None:
    report = await desk.approved()
    account = report_address(desk.issuer, PERIOD, 1)
    with pytest.raises(OutcomeUnknown, match="for good yet"):
        await publish(desk, replace(ground(desk), chain=NotYetFinal(desk.chain, account)))
    assert await publications(desk) == [(PERIOD, 1, report.digest)]
    assert f"{TOP}/anchor.json" not in desk.folder.files
    assert "index.html" not in desk.folder.files
    await require_publishable(desk.chain, desk.reports, await _report(desk))
    assert (await _report(desk)).state is ReportState.PUBLISHING
    await publish(desk)
    assert f"{TOP}/anchor.json" in desk.folder.files


async def test_another_publication_in_between_is_refused_before_anything_is_written(desk: PublishingDesk) -> None:
    await desk.approved()
    stranger = await desk.content(PERIOD_BEFORE)
    await desk.publish_elsewhere(stranger)
    await desk.folder.write("2026-07/v1/report.json", stranger)
    await desk.folder.write("2026-07/v1/approval.json", _approval_of(desk, await _approved_elsewhere(desk, stranger)))
    with pytest.raises(Refused, match="names as the publication before it: none"):
        await publish(desk)
    assert not any(name.startswith(TOP) for name in desk.folder.files)
    report = await desk.reports.find(bytes(desk.issuer), PERIOD)
    assert report is not None
    assert report.state is ReportState.APPROVED


async def test_a_begun_publication_that_can_never_arrive_is_given_up_and_leaves_no_file(desk: PublishingDesk) -> None:
    report = await desk.approved()
    desk.renderers = plain_renderers(shards=5)
    await lay_out(desk.reports, desk.folder, report, published_approval(report), desk.renderers)
    await desk.publish_elsewhere(await desk.content(PERIOD_BEFORE))
    with pytest.raises(Refused, match="names as the publication before it: none"):
        await require_publishable(desk.chain, desk.reports, await _report(desk))
    assert (await _report(desk)).state is ReportState.APPROVED
    desk.renderers = plain_renderers(shards=2)
    again = await desk.approved()
    await lay_out(desk.reports, desk.folder, again, published_approval(again), desk.renderers)
    assert [name for name in desk.folder.files if "/holders/" in name] == [
        f"{TOP}/holders/US0378331005/0000{number}.json" for number in range(2)
    ]
    assert desk.folder.files[f"{TOP}/report.json"] == again.content


async def test_an_endpoint_that_lags_gives_up_nothing(desk: PublishingDesk) -> None:
    old = await require(desk.chain, Issuer, desk.issuer)
    await desk.approved(PERIOD_BEFORE)
    await publish(desk, period=PERIOD_BEFORE)
    report = await desk.approved()
    await desk.reports.begin_publication(report.issuer, PERIOD, 1, report.digest)
    last = report_address(desk.issuer, PERIOD_BEFORE, 1)

    class Lagging:
        """As it was before the last month was published."""

        def __getattr__(self, name: str) -> Any:
            return getattr(desk.chain, name)

        async def get_accounts(self, addresses: Any, commitment: Commitment = "confirmed") -> Any:
            slot, found = await desk.chain.get_accounts(addresses, commitment)
            by_address = dict(zip(addresses, found, strict=True))
            by_address[last] = None
            issuer = by_address[desk.issuer]
            assert issuer is not None
            by_address[desk.issuer] = replace(issuer, data=old_data)
            return slot, [by_address[each] for each in addresses]

    account = desk.chain.ledger.account(desk.issuer)
    assert account is not None
    offset = Issuer.OFFSETS["last_report"]
    old_data = account.data[:offset] + bytes(old.last_report) + bytes(32) + account.data[offset + 64 :]
    with pytest.raises(Refused, match="last one is: none"):
        await require_publishable(Lagging(), desk.reports, await _report(desk))  # type: ignore[arg-type]
    assert (await _report(desk)).state is ReportState.PUBLISHING


async def test_another_cluster_is_refused_and_gives_up_nothing(desk: PublishingDesk) -> None:
    report = await desk.approve(await desk.draft(content=await desk.content(cluster="5" * 44)))
    await desk.reports.begin_publication(report.issuer, PERIOD, 1, report.digest)
    with pytest.raises(Refused, match="is of the cluster 5555"):
        await require_publishable(desk.chain, desk.reports, await _report(desk))
    assert (await _report(desk)).state is ReportState.PUBLISHING


async def test_a_version_that_the_chain_has_otherwise_is_refused_with_both_hashes(desk: PublishingDesk) -> None:
    report = await desk.approved()
    other = await desk.content(as_of={"slot": 1})
    await desk.publish_elsewhere(other)
    with pytest.raises(Refused) as refused:
        await require_publishable(desk.chain, desk.reports, report)
    for each in (report.digest.hex(), sha256(other).hex()):
        assert each in refused.value.message
    with pytest.raises(Refused, match="another hash"):
        await desk.plan(report)
    assert desk.folder.files == {}


async def test_a_restored_store_takes_up_what_the_chain_has_from_the_folder(desk: PublishingDesk) -> None:
    report = await desk.approved()
    await publish(desk)
    before = dict(desk.folder.files)
    desk.reports = MemoryReportStore()
    [adopted] = await adopt_publications(desk.chain, desk.reports, desk.folder, desk.issuer, desk.clock)
    assert (adopted.content, adopted.state) == (report.content, ReportState.PUBLISHED)
    assert adopted.approval is not None
    assert adopted.approval.approver == bytes(desk["approver"])
    assert await adopt_publications(desk.chain, desk.reports, desk.folder, desk.issuer, desk.clock) == ()
    await publish(desk)
    assert desk.folder.files == before


async def test_a_draft_gives_way_to_what_the_chain_has_under_its_name(desk: PublishingDesk) -> None:
    report = await desk.approved()
    await publish(desk)
    for state in (ReportState.DRAFT, ReportState.APPROVED, ReportState.PUBLISHING):
        desk.reports = MemoryReportStore()
        other = await desk.draft(content=await desk.content(previous=None, as_of={"slot": 1}))
        if state is not ReportState.DRAFT:
            await desk.approve(other)
        if state is ReportState.PUBLISHING:
            await desk.reports.begin_publication(other.issuer, PERIOD, 1, other.digest)
        [adopted] = await adopt_publications(desk.chain, desk.reports, desk.folder, desk.issuer, desk.clock)
        assert (adopted.digest, adopted.state) == (report.digest, ReportState.PUBLISHED)


async def test_without_the_bytes_that_the_chain_has_nothing_is_taken_up(desk: PublishingDesk) -> None:
    await desk.approved()
    await publish(desk)
    desk.reports = MemoryReportStore()
    report = desk.folder.files.pop(f"{TOP}/report.json")
    with pytest.raises(Refused, match=r"v1/report\.json in the folder is missing"):
        await adopt_publications(desk.chain, desk.reports, desk.folder, desk.issuer, desk.clock)
    desk.folder.files[f"{TOP}/report.json"] = report + b" "
    with pytest.raises(Refused, match=r"v1/report\.json in the folder has another"):
        await adopt_publications(desk.chain, desk.reports, desk.folder, desk.issuer, desk.clock)
    assert await desk.reports.list(bytes(desk.issuer)) == ()


async def test_without_its_approval_a_published_report_is_approved_again(desk: PublishingDesk) -> None:
    await desk.approved()
    await publish(desk)
    before = dict(desk.folder.files)
    desk.reports = MemoryReportStore()
    del desk.folder.files[f"{TOP}/approval.json"]
    with pytest.raises(Refused, match="its approval is neither"):
        await publish(desk)
    await desk.approve(await _report(desk))
    await publish(desk)
    assert desk.folder.files == before


async def test_who_named_the_account_before_is_not_taken_for_its_publication(desk: PublishingDesk) -> None:
    account = report_address(desk.issuer, PERIOD, 1)
    before = await desk.approved(PERIOD_BEFORE)
    [honest] = (await desk.plan(before)).actions
    lamports = transfer(TransferParams(from_pubkey=desk["payer"], to_pubkey=account, lamports=10**9))
    naming = replace(honest, instructions=(lamports, *honest.instructions))
    [early] = await execute(Plan("Publish, and name the next account", (naming,)), desk.sender, desk.signers)
    assert (await publish(desk, period=PERIOD_BEFORE)).anchor.signature == str(early.signature)
    await desk.approved()
    anchor = (await publish(desk)).anchor
    assert anchor.signature != str(early.signature)
    assert anchor.slot > (early.slot or 0) > 0


async def test_a_node_that_forgot_the_transaction_takes_nothing_from_the_anchor(desk: PublishingDesk) -> None:
    await desk.approved()
    first = await publish(desk)

    async def on_call(name: str, call: Callable[[], Awaitable[Any]]) -> Any:
        return [] if name == "get_signatures_for_address" else await call()

    on = replace(ground(desk), chain=Watched(desk.chain, on_call))
    assert (await publish(desk, on)).anchor == first.anchor
    del desk.folder.files[f"{TOP}/anchor.json"]
    bare = (await publish(desk, on)).anchor
    assert bare == replace(first.anchor, slot=0, signature="")
    assert (await publish(desk)).anchor == first.anchor


async def test_an_anchor_that_somebody_changed_is_written_anew(desk: PublishingDesk) -> None:
    await desk.approved()
    await publish(desk)
    before = dict(desk.folder.files)
    for change in (b"{}", before[f"{TOP}/anchor.json"].replace(b'"slot":', b'"slot":1')):
        desk.folder.files[f"{TOP}/anchor.json"] = change
        await publish(desk)
        assert desk.folder.files == before


async def test_of_a_published_version_what_is_missing_is_made_again_and_what_is_there_stays(
    desk: PublishingDesk,
) -> None:
    await desk.approved()
    await publish(desk)
    before = dict(desk.folder.files)
    for name in [each for each in before if each != f"{TOP}/anchor.json"]:
        del desk.folder.files[name]
        await publish(desk)
        assert desk.folder.files == before
    desk.renderers = replace(desk.renderers, pdf=lambda _: b"drawn by a newer version")
    await publish(desk)
    assert desk.folder.files == before


async def test_a_published_report_that_somebody_changed_is_not_overwritten_in_silence(desk: PublishingDesk) -> None:
    await desk.approved()
    await publish(desk)
    desk.folder.files[f"{TOP}/report.json"] += b" "
    with pytest.raises(StoreConflict, match=r"v1/report\.json belongs to a published version"):
        await publish(desk)


async def test_a_publisher_that_was_revoked_publishes_nothing(desk: PublishingDesk) -> None:
    await desk.approved()
    await desk.run(
        await plan_revoke_role(
            desk.chain,
            payer=desk["payer"],
            issuer=desk.issuer,
            kind=RoleKind.PUBLISHER,
            holder=desk["publisher"],
        )
    )
    with pytest.raises(Refused, match="no publisher"):
        await publish(desk)
    assert desk.folder.files == {}


async def test_a_report_that_nobody_approved_is_not_published(desk: PublishingDesk) -> None:
    await desk.draft()
    with pytest.raises(Refused, match="Nobody has approved"):
        await publish(desk)
    assert desk.folder.files == {}


async def test_progress_names_each_file_once_it_is_in_place(desk: PublishingDesk) -> None:
    await desk.approved()
    on = ground(desk)
    await publish(desk, on)
    assert on.files == [
        *(f"{TOP}/{name}" for name in ("report.json", "approval.json", "report.pdf", "index.html")),
        *(f"{TOP}/holders/US0378331005/0000{number}.json" for number in range(3)),
    ]


async def _report(desk: PublishingDesk) -> StoredReport:
    """The month's newest version; where the store has none, a draft of what the folder has."""
    found = await desk.reports.find(bytes(desk.issuer), PERIOD)
    return found or await desk.draft(content=desk.folder.files[f"{TOP}/report.json"])


async def _approved_elsewhere(desk: PublishingDesk, content: bytes) -> StoredReport:
    """The same report in somebody else's store, approved."""
    here, desk.reports = desk.reports, MemoryReportStore()
    approved = await desk.approve(await desk.draft(PERIOD_BEFORE, content=content))
    desk.reports = here
    return approved


def _approval_of(desk: PublishingDesk, report: StoredReport) -> bytes:
    return approval_bytes(published_approval(report))
