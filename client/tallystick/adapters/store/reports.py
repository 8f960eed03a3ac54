"""Reserve reports as they were built, approved and published: a Protocol, and in memory.

A draft may be replaced until its publication begins, and its approval falls with it. From then on its bytes stand: what
was sent may have arrived, and the chain then has the hash of exactly these bytes. What is published never changes; a
correction is the next version.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from tallystick.domain.canonical import sha256
from tallystick.errors import InputError, LedgerError, StoreConflict, StoreError


class ReportState(StrEnum):
    """How far a version of a report is."""

    DRAFT = "draft"
    """Built; may be built again."""
    APPROVED = "approved"
    """A second person signed its hash; building something else takes that back."""
    PUBLISHING = "publishing"
    """Its publication may have been sent; nothing about it changes until what became of that is known."""
    PUBLISHED = "published"
    """The chain has its hash."""


@dataclass(frozen=True, slots=True)
class ReportApproval:
    """A second person's signature (64 bytes, Ed25519 by the 32-byte key `approver`) and when it was made, in seconds
    since 1970 UTC."""

    approver: bytes
    signature: bytes
    approved_at: int


@dataclass(frozen=True, slots=True)
class ReportPublication:
    """The transaction (64-byte signature) that put the hash on chain, its slot, and its time in seconds since 1970."""

    signature: bytes
    slot: int
    published_at: int


@dataclass(frozen=True, slots=True)
class StoredReport:
    """One version of an issuer's (32 bytes) report for a period YYYYMM: `content` is its canonical JSON, `built_at` is
    in seconds since 1970 UTC."""

    issuer: bytes
    period: int
    version: int
    content: bytes
    built_at: int
    state: ReportState = ReportState.DRAFT
    approval: ReportApproval | None = None
    publication: ReportPublication | None = None

    @property
    def digest(self) -> bytes:
        """SHA-256 of the content: what is approved, and what the chain has."""
        return sha256(self.content)

    @property
    def name(self) -> str:
        """2026-10 v1, for messages."""
        return f"{self.period // 100:04d}-{self.period % 100:02d} v{self.version}"


class ReportStore(Protocol):
    """Where reports are kept. Writes are durable when the call returns; all methods raise StoreError.

    Methods that name a `digest` raise StoreConflict when the version has another content by now, and StoreError when
    there is no such version.
    """

    async def draft(self, issuer: bytes, period: int, version: int, content: bytes, at: int) -> StoredReport:
        """Keep a version as it was built at `at`. The same content again changes nothing, whatever its state; another
        one replaces a draft, and an approved one with its approval. StoreConflict once its publication began, and
        unless the version before is published."""
        ...

    async def find(self, issuer: bytes, period: int, version: int | None = None) -> StoredReport | None:
        """One version, the newest of the period unless it is named. LedgerError when its bytes were changed."""
        ...

    async def list(self, issuer: bytes, period: int | None = None) -> tuple[StoredReport, ...]:
        """Every version of a period, or of all, in the order of periods and versions."""
        ...

    async def approve(
        self, issuer: bytes, period: int, version: int, digest: bytes, approval: ReportApproval
    ) -> StoredReport:
        """Write down a second person's approval, in the place of an earlier one. StoreConflict once its publication
        began; the same approval again changes nothing."""
        ...

    async def begin_publication(self, issuer: bytes, period: int, version: int, digest: bytes) -> StoredReport:
        """Write down, before anything is sent, that an approved version is being published; from now on its bytes
        stand. StoreConflict for one that nobody approved; one under way or published is returned as it is."""
        ...

    async def abandon_publication(self, issuer: bytes, period: int, version: int, digest: bytes) -> StoredReport:
        """Back to approved: for one whose publication is known never to arrive. StoreConflict unless it is under
        way."""
        ...

    async def published(
        self, issuer: bytes, period: int, version: int, digest: bytes, publication: ReportPublication
    ) -> StoredReport:
        """Write down that the chain has it. StoreConflict unless its publication is under way; the same again changes
        nothing, and what is written down first stays."""
        ...


OPEN_STATES = frozenset({ReportState.DRAFT, ReportState.APPROVED})
"""States in which a version may still become another one."""


def drafted(
    known: StoredReport | None,
    before: StoredReport | None,
    issuer: bytes,
    period: int,
    version: int,
    content: bytes,
    at: int,
) -> StoredReport:
    """What ReportStore.draft keeps, beside the same version `known` so far and the version `before` it."""
    made = StoredReport(issuer, period, version, content, at)
    if version < 1 or not content:
        raise InputError("A report has a content, and its versions are counted from 1.")
    if known is not None and known.content == content:
        return known
    if known is not None and known.state not in OPEN_STATES:
        raise StoreConflict(
            f"Report {known.name} is {known.state} and stays as it is.",
            hint="A change is a new version: tally report build MONTH --correct 'why'.",
        )
    if version > 1 and (before is None or before.state is not ReportState.PUBLISHED):
        raise StoreConflict(f"Report {made.name} corrects a version that is not published.")
    return made


def approved(known: StoredReport, approval: ReportApproval) -> StoredReport:
    """What ReportStore.approve keeps."""
    if len(approval.approver) != 32 or len(approval.signature) != 64:
        raise InputError("An approval has a key of 32 and a signature of 64 bytes.")
    if known.approval == approval:
        return known
    if known.state not in OPEN_STATES:
        raise StoreConflict(f"Report {known.name} is {known.state}; its approval stands.")
    return replace(known, state=ReportState.APPROVED, approval=approval)


def begun(known: StoredReport) -> StoredReport:
    """What ReportStore.begin_publication keeps."""
    if known.state is ReportState.DRAFT:
        raise StoreConflict(
            f"Nobody approved report {known.name} as it is.", hint="A second person signs it: tally report approve"
        )
    return replace(known, state=ReportState.PUBLISHING) if known.state is ReportState.APPROVED else known


def abandoned(known: StoredReport) -> StoredReport:
    """What ReportStore.abandon_publication keeps."""
    if known.state is not ReportState.PUBLISHING:
        raise StoreConflict(f"Report {known.name} is {known.state}; no publication of it is under way.")
    return replace(known, state=ReportState.APPROVED)


def confirmed(known: StoredReport, publication: ReportPublication) -> StoredReport:
    """What ReportStore.published keeps."""
    if known.state is ReportState.PUBLISHED:
        return known
    if known.state is not ReportState.PUBLISHING:
        raise StoreConflict(f"Report {known.name} is {known.state}; no publication of it was begun.")
    return replace(known, state=ReportState.PUBLISHED, publication=publication)


def require_report(known: StoredReport | None, digest: bytes) -> StoredReport:
    """The version that a method names. StoreError when there is none, StoreConflict when it is another one by now."""
    if known is None:
        raise StoreError("The store has no such report.", hint="Build it: tally report build")
    if known.digest != digest:
        raise StoreConflict(
            f"Report {known.name} was built anew meanwhile; its hash is {known.digest.hex()} now.",
            hint="Look at it again: tally report show",
        )
    return known


def require_unchanged(report: StoredReport, digest: bytes) -> StoredReport:
    """LedgerError unless the bytes that were read have the hash that was kept beside them."""
    if report.digest != digest:
        raise LedgerError(
            f"The stored report {report.name} is not the one whose hash was kept; it was changed since.",
            hint="Restore the store from a backup, and find out who changed it.",
        )
    return report


class MemoryReportStore:
    """Reports kept as long as this process lives."""

    def __init__(self) -> None:
        self._kept: dict[tuple[bytes, int, int], StoredReport] = {}

    async def draft(self, issuer: bytes, period: int, version: int, content: bytes, at: int) -> StoredReport:
        known, before = (self._kept.get((issuer, period, each)) for each in (version, version - 1))
        return self._keep(drafted(known, before, issuer, period, version, content, at))

    async def find(self, issuer: bytes, period: int, version: int | None = None) -> StoredReport | None:
        found = [each for each in await self.list(issuer, period) if version in (None, each.version)]
        return found[-1] if found else None

    async def list(self, issuer: bytes, period: int | None = None) -> tuple[StoredReport, ...]:
        found = [each for each in self._kept.values() if each.issuer == issuer and period in (None, each.period)]
        return tuple(sorted(found, key=lambda each: (each.period, each.version)))

    async def approve(
        self, issuer: bytes, period: int, version: int, digest: bytes, approval: ReportApproval
    ) -> StoredReport:
        return self._keep(approved(self._require(issuer, period, version, digest), approval))

    async def begin_publication(self, issuer: bytes, period: int, version: int, digest: bytes) -> StoredReport:
        return self._keep(begun(self._require(issuer, period, version, digest)))

    async def abandon_publication(self, issuer: bytes, period: int, version: int, digest: bytes) -> StoredReport:
        return self._keep(abandoned(self._require(issuer, period, version, digest)))

    async def published(
        self, issuer: bytes, period: int, version: int, digest: bytes, publication: ReportPublication
    ) -> StoredReport:
        return self._keep(confirmed(self._require(issuer, period, version, digest), publication))

    def _require(self, issuer: bytes, period: int, version: int, digest: bytes) -> StoredReport:
        return require_report(self._kept.get((issuer, period, version)), digest)

    def _keep(self, report: StoredReport) -> StoredReport:
        self._kept[report.issuer, report.period, report.version] = report
        return report


__all__ = [
    "MemoryReportStore",
    "ReportApproval",
    "ReportPublication",
    "ReportState",
    "ReportStore",
    "StoredReport",
]
