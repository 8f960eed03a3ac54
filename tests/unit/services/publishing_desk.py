"""A desk that publishes reports: a publisher, a second person, a store, a folder, and renderers that only say what they
were given."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from desk import Desk, key
from solders.pubkey import Pubkey
from tallystick.adapters.chain.signers import KeypairSigner
from tallystick.adapters.publish.folder import MemoryPublishFolder
from tallystick.adapters.store.reports import MemoryReportStore, StoredReport
from tallystick.domain.canonical import canonical_json, sha256
from tallystick.domain.report_anchors import period_text
from tallystick.domain.reserve_report.published import (
    PublishedVersion,
    anchor_bytes,
    read_approval,
    read_header,
    report_uri,
)
from tallystick.program.addresses import report_address
from tallystick.program.generated.accounts import Issuer
from tallystick.program.generated.types import RoleKind
from tallystick.services.chain_reads import require
from tallystick.services.plans import Plan
from tallystick.services.report_approval import approve_report, review_report
from tallystick.services.report_publications import plan_publish_report
from tallystick.services.report_publish import Renderers

PERIOD, PERIOD_BEFORE = 202608, 202607
"""The last two months that have ended where a desk's clock begins."""
NONE = Pubkey.default()


class PublishingDesk(Desk):
    """An issuer with a publisher, and reports with nothing in them but what publishing needs."""

    names = (*Desk.names, "publisher", "approver")

    def __init__(self) -> None:
        super().__init__(seed=b"the same cluster each time")
        self.reports = MemoryReportStore()
        self.folder = MemoryPublishFolder()
        self.renderers = plain_renderers()

    async def open(self) -> None:
        """The issuer, and the publisher's role in force."""
        await self.initialize()
        await self.grant("publisher", RoleKind.PUBLISHER)
        self.warp(2)

    async def content(self, period: int = PERIOD, version: int = 1, **changes: Any) -> bytes:
        """report.json after the issuer's last publication; `changes` to its header."""
        issuer = await require(self.chain, Issuer, self.issuer)
        corrects = report_address(self.issuer, period, version - 1) if version > 1 else None
        header = {
            "as_of": {"slot": self.chain.ledger.slot - 1},
            "cluster": str(self.chain.ledger.genesis_hash),
            "corrects": {"account": str(corrects)} if corrects else None,
            "issuer": {"address": str(self.issuer)},
            "period": period_text(period),
            "previous": None
            if issuer.last_report == NONE
            else {"account": str(issuer.last_report), "hash": issuer.last_report_hash.hex()},
            "version": version,
        }
        return canonical_json(
            {
                "anchor": {"uri": report_uri("https://reports.example.com", period, version)},
                "header": header | changes,
                "summary": {"is_passed": True, "words": "Every token has its share."},
            }
        )

    async def draft(self, period: int = PERIOD, version: int = 1, content: bytes | None = None) -> StoredReport:
        """A report as it was built."""
        made = content or await self.content(period, version)
        return await self.reports.draft(bytes(self.issuer), period, version, made, self.clock.now())

    async def approve(self, report: StoredReport, name: str = "approver") -> StoredReport:
        """A second person's agreement."""
        review = review_report(report, lambda _: (), None)
        publishers = [self["publisher"]]
        return await approve_report(self.reports, review, KeypairSigner(key(name)), self.clock, publishers=publishers)

    async def approved(self, period: int = PERIOD, version: int = 1) -> StoredReport:
        """A report that may be published."""
        return await self.approve(await self.draft(period, version))

    async def plan(self, report: StoredReport) -> Plan:
        """Its publication."""
        header = read_header(report.content)
        return await plan_publish_report(self.chain, header, payer=self["payer"], publisher=self["publisher"])

    async def publish_elsewhere(self, content: bytes) -> None:
        """Its hash on chain, by somebody who uses another store and another folder."""
        header = read_header(content)
        plan = await plan_publish_report(self.chain, header, payer=self["payer"], publisher=self["publisher"])
        await self.run(plan)


def plain_renderers(shards: int = 3) -> Renderers:
    """Each file says what it was made from."""

    async def holders(content: bytes) -> AsyncIterator[tuple[str, bytes]]:
        for number in range(shards):
            yield f"US0378331005/{number:05d}.json", sha256(content, bytes([number])).hex().encode()

    def page(content: bytes, approval: bytes) -> bytes:
        return f"page of {sha256(content).hex()} approved by {read_approval(approval).approver}".encode()

    def index(versions: Sequence[PublishedVersion]) -> bytes:
        for each in versions:
            assert (each.anchor.hash, each.anchor.account) == (sha256(each.content), _account(each))
        return "\n".join(["index", *(each.anchor.hash.hex() for each in versions)]).encode()

    def proof_of_reserves(versions: Sequence[PublishedVersion]) -> bytes:
        return b"[" + b",".join(anchor_bytes(each.anchor) for each in versions) + b"]"

    return Renderers(
        lambda content: b"pdf of " + sha256(content).hex().encode(), page, holders, index, proof_of_reserves
    )


def _account(version: PublishedVersion) -> str:
    issuer = Pubkey.from_string(read_header(version.content).issuer)
    return str(report_address(issuer, version.period, version.version))
