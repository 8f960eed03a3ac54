"""Reserve reports in the store: what reports.py promises, on disk before the call returns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Row, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from tallystick.adapters.store.engine import Database
from tallystick.adapters.store.reports import (
    ReportApproval,
    ReportPublication,
    ReportState,
    StoredReport,
    abandoned,
    approved,
    begun,
    confirmed,
    drafted,
    require_report,
    require_unchanged,
)
from tallystick.adapters.store.tables import reports


class SqlReportStore:
    """Reports in the database; see the ReportStore Protocol for what each method promises and raises."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def draft(self, issuer: bytes, period: int, version: int, content: bytes, at: int) -> StoredReport:
        """Keep a version as it was built."""
        async with self._database.transaction() as connection:
            known, before = [await _find(connection, issuer, period, each) for each in (version, version - 1)]
            return await _keep(connection, known, drafted(known, before, issuer, period, version, content, at))

    async def find(self, issuer: bytes, period: int, version: int | None = None) -> StoredReport | None:
        """One version, the newest unless it is named."""
        async with self._database.reading() as connection:
            return await _find(connection, issuer, period, version)

    async def list(self, issuer: bytes, period: int | None = None) -> tuple[StoredReport, ...]:
        """Every version, in the order of periods and versions."""
        wanted = select(reports).where(reports.c.issuer == issuer).order_by(reports.c.period, reports.c.version)
        if period is not None:
            wanted = wanted.where(reports.c.period == period)
        async with self._database.reading() as connection:
            return tuple(_report(row) for row in await connection.execute(wanted))

    async def approve(
        self, issuer: bytes, period: int, version: int, digest: bytes, approval: ReportApproval
    ) -> StoredReport:
        """Write down an approval."""
        return await self._change(issuer, period, version, digest, lambda known: approved(known, approval))

    async def begin_publication(self, issuer: bytes, period: int, version: int, digest: bytes) -> StoredReport:
        """Write down that a version is being published."""
        return await self._change(issuer, period, version, digest, begun)

    async def abandon_publication(self, issuer: bytes, period: int, version: int, digest: bytes) -> StoredReport:
        """Write down that a publication will never arrive."""
        return await self._change(issuer, period, version, digest, abandoned)

    async def published(
        self, issuer: bytes, period: int, version: int, digest: bytes, publication: ReportPublication
    ) -> StoredReport:
        """Write down that the chain has a version."""
        return await self._change(issuer, period, version, digest, lambda known: confirmed(known, publication))

    async def _change(
        self, issuer: bytes, period: int, version: int, digest: bytes, step: Callable[[StoredReport], StoredReport]
    ) -> StoredReport:
        async with self._database.transaction() as connection:
            known = require_report(await _find(connection, issuer, period, version), digest)
            return await _keep(connection, known, step(known))


async def _find(connection: AsyncConnection, issuer: bytes, period: int, version: int | None) -> StoredReport | None:
    wanted = select(reports).where(reports.c.issuer == issuer, reports.c.period == period)
    if version is None:
        wanted = wanted.order_by(reports.c.version.desc()).limit(1)
    else:
        wanted = wanted.where(reports.c.version == version)
    row = (await connection.execute(wanted)).one_or_none()
    return None if row is None else _report(row)


async def _keep(connection: AsyncConnection, known: StoredReport | None, report: StoredReport) -> StoredReport:
    if report == known:
        return report
    approval, publication = report.approval, report.publication
    await connection.execute(
        delete(reports).where(
            reports.c.issuer == report.issuer,
            reports.c.period == report.period,
            reports.c.version == report.version,
        )
    )
    await connection.execute(
        reports.insert().values(
            issuer=report.issuer,
            period=report.period,
            version=report.version,
            content=report.content,
            digest=report.digest,
            built_at=report.built_at,
            state=report.state.value,
            approver=approval.approver if approval else None,
            approval=approval.signature if approval else None,
            approved_at=approval.approved_at if approval else None,
            signature=publication.signature if publication else None,
            slot=publication.slot if publication else None,
            published_at=publication.published_at if publication else None,
        )
    )
    return report


def _report(row: Row[Any]) -> StoredReport:
    approval = None if row.approver is None else ReportApproval(row.approver, row.approval, row.approved_at)
    publication = None if row.slot is None else ReportPublication(row.signature, row.slot, row.published_at)
    found = StoredReport(
        row.issuer, row.period, row.version, row.content, row.built_at, ReportState(row.state), approval, publication
    )
    return require_unchanged(found, row.digest)


__all__ = ["SqlReportStore"]
