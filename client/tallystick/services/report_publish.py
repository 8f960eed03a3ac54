"""Publishes an approved report: its files, its hash on chain, and the indexes over all reports.

In this order, and each step may be the last before a crash: the store says that the publication begins, so that the
bytes stand; the files; the transaction, stored before it is sent; anchor.json, once the chain has it for good; the
indexes; the store says that it is published. Run again, each step finds what is done and does the rest. Only the chain
says whether a version is published, never the store or the folder.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from solders.pubkey import Pubkey
from solders.signature import Signature

from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.clock import Clock
from tallystick.adapters.publish.folder import PublishFolder
from tallystick.adapters.store.reports import (
    ReportApproval,
    ReportPublication,
    ReportState,
    ReportStore,
    StoredReport,
)
from tallystick.domain.canonical import sha256
from tallystick.domain.report_anchors import period_text
from tallystick.domain.reserve_report.published import (
    ANCHOR,
    APPROVAL,
    HOLDERS,
    INDEX,
    PAGE,
    PDF,
    PROOF_OF_RESERVES,
    REPORT,
    Anchor,
    Approval,
    PublishedVersion,
    anchor_bytes,
    approval_bytes,
    read_anchor,
    read_approval,
    read_header,
    version_folder,
)
from tallystick.errors import LedgerError, OutcomeUnknown, Refused
from tallystick.program.addresses import report_address
from tallystick.program.generated.accounts import Issuer, ReserveReport
from tallystick.services.chain_reads import read, read_snapshot
from tallystick.services.report_approval import is_signed
from tallystick.services.report_publications import (
    NONE,
    find_anchor,
    list_publications,
    name_of,
    require_next_publication,
    require_same_hash,
)

PATIENCE: Final = 60.0
"""Seconds to wait until the chain has a publication for good; finality takes about 13."""
_LOOK_EVERY: Final = 1.0

FileWritten = Callable[[str, int], None]
"""Called with the name of each file that is in place, and how many are by now."""


@dataclass(frozen=True, slots=True)
class Renderers:
    """How the files are made, each from its arguments alone, so that the same report has the same bytes for ever.

    `pdf` and `page` take report.json, the page also approval.json; `holders` gives names below holders/ and contents;
    `index` and `proof_of_reserves` take every published version in the order of publication.
    """

    pdf: Callable[[bytes], bytes]
    page: Callable[[bytes, bytes], bytes]
    holders: Callable[[bytes], AsyncIterator[tuple[str, bytes]]]
    index: Callable[[Sequence[PublishedVersion]], bytes]
    proof_of_reserves: Callable[[Sequence[PublishedVersion]], bytes]


@dataclass(frozen=True, slots=True)
class Published:
    """A version that the chain has. `files` are the names in its folder, `anchor` says where the chain has it."""

    report: StoredReport
    anchor: Anchor
    files: tuple[str, ...] = field(repr=False)


async def require_publishable(chain: Chain, store: ReportStore, report: StoredReport) -> None:
    """Refused, saying what to do, when the chain will never take this version, or is another chain.

    A publication that was begun is given up when nothing that was sent can arrive any more, so that the report can be
    built again: its account has other bytes for good, or the issuer's last publication is for good one that came after
    the one it names as previous.
    """
    header = read_header(report.content)
    cluster = str(await chain.get_genesis_hash())
    if header.cluster != cluster:
        raise Refused(
            f"Report {report.name} is of the cluster {header.cluster}; this is {cluster}.",
            hint="Check [cluster] urls in the profile; nothing was changed.",
        )
    issuer = Pubkey.from_bytes(report.issuer)
    account = report_address(issuer, report.period, report.version)
    previous = Pubkey.from_string(header.previous) if header.previous else NONE
    snapshot = await read_snapshot(chain, [issuer, account, previous], "finalized")
    there, last = snapshot.find(ReserveReport, account), snapshot.require(Issuer, issuer).last_report
    # An endpoint that lags shows an older last publication, but then not the previous one.
    is_newer = previous == NONE or snapshot.find(ReserveReport, previous) is not None
    is_taken = there is not None and there.hash != header.hash
    is_passed_over = there is None and last != previous and is_newer
    if report.state is ReportState.PUBLISHING and (is_taken or is_passed_over):
        await store.abandon_publication(report.issuer, report.period, report.version, report.digest)
    if there is not None:
        require_same_hash(header, account, there)
    else:
        require_next_publication(snapshot.require(Issuer, issuer), header)


async def adopt_publications(
    chain: Chain, store: ReportStore, folder: PublishFolder, issuer: Pubkey, clock: Clock
) -> tuple[StoredReport, ...]:
    """Take up what the chain has and the store does not know to be published: after a crash, or a restored backup.

    The bytes come from the store itself or from the folder, whichever has the hash that the chain has. Returns what was
    taken up. Refused, naming the version and what is missing, when neither has its bytes or its approval.
    """
    adopted: list[StoredReport] = []
    for account, there in await list_publications(chain, issuer):
        known = await store.find(bytes(issuer), there.period, there.report_version)
        if known is not None and known.state is ReportState.PUBLISHED and known.digest == there.hash:
            continue
        content = await _content_of(store, folder, issuer, there)
        if known is not None and known.digest != there.hash and known.state is ReportState.PUBLISHING:
            # The account is taken for good by other bytes: these never arrive.
            known = await store.abandon_publication(known.issuer, known.period, known.version, known.digest)
        name = (bytes(issuer), there.period, there.report_version)
        known = await store.draft(*name, content, clock.now())
        if known.approval is None:
            approval = await _approval_in(folder, there)
            made = ReportApproval(
                bytes(Pubkey.from_string(approval.approver)),
                bytes(Signature.from_string(approval.signature)),
                clock.now(),
            )
            known = await store.approve(*name, known.digest, made)
        await store.begin_publication(*name, known.digest)
        anchor = await _anchor_of(chain, folder, account, there)
        adopted.append(await store.published(*name, known.digest, _publication(anchor)))
    return tuple(adopted)


async def lay_out(
    store: ReportStore,
    folder: PublishFolder,
    report: StoredReport,
    approval: Approval,
    renderers: Renderers,
    on_file: FileWritten | None = None,
) -> tuple[str, ...]:
    """Say in the store that the publication begins, and put every file of the version in place. Returns their names.

    What is in place is left alone; in an anchored version files that are missing are made again, and nothing else is
    touched. What a version that was given up left behind is taken away.
    """
    await store.begin_publication(report.issuer, report.period, report.version, report.digest)
    top, content = version_folder(report.period, report.version), report.content
    is_anchored = await folder.read(f"{top}/{ANCHOR}") is not None
    there = set(await folder.list(top))
    kept = await folder.read(f"{top}/{APPROVAL}") if is_anchored else None
    approved = kept or approval_bytes(approval)
    names: list[str] = []

    async def put(name: str, make: Callable[[], bytes]) -> None:
        full = f"{top}/{name}"
        # A newer version of the renderers may draw another page; a published one stays as it was seen. What is not
        # drawn, the report itself, has to be the same.
        if name == REPORT or not (is_anchored and full in there):
            await folder.write(full, await asyncio.to_thread(make))
        names.append(full)
        if on_file is not None:
            on_file(full, len(names))

    await put(REPORT, lambda: content)
    await put(APPROVAL, lambda: approved)
    await put(PDF, partial(renderers.pdf, content))
    await put(PAGE, partial(renderers.page, content, approved))
    async for name, data in renderers.holders(content):
        await put(f"{HOLDERS}/{name}", partial(bytes, data))
    if not is_anchored:
        for stale in sorted(there.difference(names)):
            await folder.remove(stale)
    return tuple(names)


async def finish_publication(
    chain: Chain,
    store: ReportStore,
    folder: PublishFolder,
    clock: Clock,
    report: StoredReport,
    renderers: Renderers,
    *,
    patience: float = PATIENCE,
) -> Published:
    """Once the chain has the version: anchor.json, the indexes over all versions, and the store's last word.

    OutcomeUnknown while the chain does not have it for good, after `patience` seconds: nothing is known then, and it is
    run again. Refused, with both hashes, when the chain has another report under this name.
    """
    issuer = Pubkey.from_bytes(report.issuer)
    account = report_address(issuer, report.period, report.version)
    there = await _wait_for(chain, clock, account, patience)
    if there is None:
        raise OutcomeUnknown(
            f"The chain does not have {report.name} for good yet.",
            signature="",
            hint="Its files are in place and nothing was signed twice. Run the same command again; it carries on.",
        )
    require_same_hash(read_header(report.content), account, there)
    top = version_folder(report.period, report.version)
    anchor = await _anchor_of(chain, folder, account, there)
    await folder.write(f"{top}/{ANCHOR}", anchor_bytes(anchor))
    versions = await published_versions(chain, store, folder, issuer)
    await folder.write(PROOF_OF_RESERVES, renderers.proof_of_reserves(versions))
    await folder.write(INDEX, renderers.index(versions))
    kept = await store.published(report.issuer, report.period, report.version, report.digest, _publication(anchor))
    return Published(kept, anchor, tuple(await folder.list(top)))


async def published_versions(
    chain: Chain, store: ReportStore, folder: PublishFolder, issuer: Pubkey
) -> tuple[PublishedVersion, ...]:
    """Every version that the chain has for good, in the order of publication, with its bytes and its anchor.

    Refused when neither store nor folder has the bytes of one: an index without it would hide it.
    """
    return tuple(
        [
            PublishedVersion(
                there.period,
                there.report_version,
                await _content_of(store, folder, issuer, there),
                await _anchor_of(chain, folder, account, there),
            )
            for account, there in await list_publications(chain, issuer)
        ]
    )


async def _wait_for(chain: Chain, clock: Clock, account: Pubkey, patience: float) -> ReserveReport | None:
    until = clock.monotonic() + patience
    while True:
        there = await read(chain, ReserveReport, account, "finalized")
        if there is not None or clock.monotonic() >= until:
            return there
        await clock.sleep(_LOOK_EVERY)


async def _content_of(store: ReportStore, folder: PublishFolder, issuer: Pubkey, there: ReserveReport) -> bytes:
    """report.json of a publication, from the store or else from the folder."""
    known = await store.find(bytes(issuer), there.period, there.report_version)
    if known is not None and known.digest == there.hash:
        return known.content
    place = f"{version_folder(there.period, there.report_version)}/{REPORT}"
    content = await folder.read(place)
    if content is not None and sha256(content) == there.hash:
        return content
    has = f"the store's is {known.digest.hex()}" if known else "the store has none"
    raise Refused(
        f"The chain has {name_of(there.period, there.report_version)} with hash {there.hash.hex()}, and its report.json"
        f" is not here: {has}, and {place} in the folder {'has another' if content else 'is missing'}.",
        hint="Put back the report.json that was published, into the folder of reports, and run it again.",
    )


async def _approval_in(folder: PublishFolder, there: ReserveReport) -> Approval:
    """The approval that was published with a version."""
    place = f"{version_folder(there.period, there.report_version)}/{APPROVAL}"
    content = await folder.read(place)
    approval = read_approval(content) if content is not None else None
    if approval is None or approval.digest != there.hash or not is_signed(approval):
        raise Refused(
            f"The chain has {name_of(there.period, there.report_version)}, and its approval is neither in the store nor"
            f" in {place}.",
            hint=f"Have it approved again: tally report approve {period_text(there.period)}",
        )
    return approval


async def _anchor_of(chain: Chain, folder: PublishFolder, account: Pubkey, there: ReserveReport) -> Anchor:
    """Where the chain has a publication. Where a node has forgotten the transaction, what anchor.json said of it."""
    found = await find_anchor(chain, account, there)
    content = await folder.read(f"{version_folder(there.period, there.report_version)}/{ANCHOR}")
    if found.signature or content is None:
        return found
    try:
        kept = read_anchor(content)
    except LedgerError:
        return found  # Somebody changed it; it is written anew from the chain.
    same = (kept.account, kept.hash, kept.published_at) == (found.account, found.hash, found.published_at)
    return kept if same else found


def _publication(anchor: Anchor) -> ReportPublication:
    signature = bytes(Signature.from_string(anchor.signature)) if anchor.signature else bytes(64)
    return ReportPublication(signature, anchor.slot, anchor.published_at)


__all__ = [
    "NONE",
    "PATIENCE",
    "FileWritten",
    "Published",
    "Renderers",
    "adopt_publications",
    "finish_publication",
    "lay_out",
    "published_versions",
    "require_publishable",
]
