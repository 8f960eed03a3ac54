"""Builds a report again from sources at hand, for whoever has to agree to it: nothing is kept, nothing is signed."""

from __future__ import annotations

from dataclasses import replace

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.clock import Clock
from tallystick.adapters.store.reports import MemoryReportStore, ReportState, ReportStore, StoredReport
from tallystick.domain.reserve_report.codec import read_declared
from tallystick.domain.reserve_report.document import read_report
from tallystick.errors import TallystickError
from tallystick.services.report_approval import Rebuilt
from tallystick.services.report_build import build_report
from tallystick.services.report_history import Progress
from tallystick.services.report_inputs import ReportBooks, ReportProfile


async def rebuild_report(
    chain: Chain,
    books: ReportBooks,
    profile: ReportProfile,
    report: StoredReport,
    clock: Clock,
    *,
    progress: Progress | None = None,
) -> Rebuilt:
    """The report as these books and this chain make it; the reason where they do not suffice.

    A correction is built with the reason that it gives, and a report without a second look without one: whether these
    are right is for the person who reads them.
    """
    correction = read_declared(read_report(report.content)["declared"]).correction
    try:
        scratch = await _published_before(books.reports, report)
        built = await build_report(
            chain,
            replace(books, reports=scratch),
            profile,
            Pubkey.from_bytes(report.issuer),
            report.period,
            clock,
            is_draw_needed=False,
            reason=correction.reason if correction else "",
            progress=progress,
        )
    except TallystickError as error:
        return Rebuilt(reason=error.message)
    return Rebuilt(built.report.content)


async def _published_before(store: ReportStore, report: StoredReport) -> MemoryReportStore:
    """The month's published versions before this one, in a store of their own."""
    scratch = MemoryReportStore()
    for each in await store.list(report.issuer, report.period):
        if each.version >= report.version or each.state is not ReportState.PUBLISHED:
            continue
        assert each.approval is not None
        assert each.publication is not None
        name = (each.issuer, each.period, each.version)
        await scratch.draft(*name, each.content, each.built_at)
        await scratch.approve(*name, each.digest, each.approval)
        await scratch.begin_publication(*name, each.digest)
        await scratch.published(*name, each.digest, each.publication)
    return scratch


__all__ = ["rebuild_report"]
