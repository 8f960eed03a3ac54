"""A second person's agreement to a report before it is published: what is looked at, what is signed, who may sign.

The signature is Ed25519 over b"tallystick:report-approval" || SHA-256 of report.json. It moves nothing on chain; it is
stored beside the report and published with it, so that the publisher's key alone publishes nothing unnoticed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from solders.pubkey import Pubkey
from solders.signature import Signature

from tallystick.adapters.clock import Clock
from tallystick.adapters.store.reports import ReportApproval, ReportStore, StoredReport
from tallystick.domain.report_anchors import period_text
from tallystick.domain.reserve_report.published import Approval, ReportHeader, approval_message, read_header
from tallystick.errors import Refused


class MessageSigner(Protocol):
    """Signs bytes that are no transaction."""

    @property
    def pubkey(self) -> Pubkey: ...

    async def sign_message(self, message: bytes) -> Signature: ...


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The report as the approver's own sources make it: `content` is its canonical JSON, None where they do not suffice
    and `reason` says what is missing."""

    content: bytes | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """A report before somebody agrees to it. `troubles` forbid it; `doubts` are for the person to weigh."""

    report: StoredReport
    header: ReportHeader
    troubles: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    is_rebuilt: bool = False
    """Whether the approver's own sources make the very same bytes."""

    def require_sound(self) -> Review:
        """Refused, naming the first trouble, when there is one."""
        if self.troubles:
            raise Refused(
                f"Report {self.report.name} cannot be approved: {self.troubles[0]}",
                hint=f"Build it again: tally report build {period_text(self.report.period)}",
            )
        return self


def review_report(report: StoredReport, problems: Callable[[bytes], Sequence[str]], rebuilt: Rebuilt | None) -> Review:
    """What there is to say of a report before somebody agrees to it.

    `problems` are what does not add up within the document, in words; `rebuilt` is what the approver's own sources
    make of it, None where nothing was tried. LedgerError when the content is no report in canonical form.
    """
    header = read_header(report.content)
    troubles = list(problems(report.content))
    if (header.period, header.version) != (report.period, report.version):
        troubles.insert(0, f"it says of itself that it is {period_text(header.period)} v{header.version}.")
    if header.issuer != str(Pubkey.from_bytes(report.issuer)):
        troubles.insert(0, f"it is of issuer {header.issuer}.")
    doubts: list[str] = []
    if rebuilt is None:
        doubts.append("It was not built again here.")
    elif rebuilt.content is None:
        doubts.append(f"It could not be built again here: {rebuilt.reason}")
    elif rebuilt.content != report.content:
        doubts.append("Your own sources make another report: compare the two before you agree.")
    is_rebuilt = rebuilt is not None and rebuilt.content == report.content
    return Review(report, header, tuple(troubles), tuple(doubts), is_rebuilt)


async def approve_report(
    store: ReportStore, review: Review, signer: MessageSigner, clock: Clock, *, publishers: Collection[Pubkey]
) -> StoredReport:
    """Sign the hash of the report that was reviewed, and keep the signature.

    Refused for a key that is a publisher's, and for a report with troubles. StoreConflict when it was built anew since,
    or its publication began with another approval.
    """
    review.require_sound()
    require_second_key(signer.pubkey, publishers)
    report = review.report
    signature = await signer.sign_message(approval_message(report.digest))
    return await _keep(store, report, signer.pubkey, signature, clock)


async def sign_approval(review: Review, signer: MessageSigner, *, publishers: Collection[Pubkey]) -> Approval:
    """Sign the hash of a report that no store here has. Refused as in approve_report."""
    review.require_sound()
    require_second_key(signer.pubkey, publishers)
    digest = review.report.digest
    signature = await signer.sign_message(approval_message(digest))
    return Approval(digest, str(signer.pubkey), str(signature))


async def adopt_approval(
    store: ReportStore, report: StoredReport, approval: Approval, clock: Clock, *, publishers: Collection[Pubkey]
) -> StoredReport:
    """Keep an approval that was signed elsewhere. Refused unless it is one of this very report, by no publisher."""
    if approval.digest != report.digest:
        raise Refused(
            f"This approval is of a report with digest {approval.digest.hex()}; that of {report.name} is"
            f" {report.digest.hex()}.",
            hint="Both of you build from sources of your own: compare the two reports before anybody signs.",
        )
    if not is_signed(approval):
        raise Refused(
            f"This approval is no signature of {approval.approver} over the digest {approval.digest.hex()}.",
            hint="Ask for the file again, as the second person's machine wrote it.",
        )
    key = Pubkey.from_string(approval.approver)
    require_second_key(key, publishers)
    return await _keep(store, report, key, Signature.from_string(approval.signature), clock)


def require_second_key(key: Pubkey, publishers: Collection[Pubkey]) -> None:
    """Refused when the key that would agree to a report is one that publishes."""
    if key in publishers:
        raise Refused(
            f"{key} publishes reports; another person's key agrees to them.",
            hint="Name it under [keys] report_approver in the profile of the second person.",
        )


def is_signed(approval: Approval) -> bool:
    """Whether the approver signed the digest."""
    try:
        key, signature = Pubkey.from_string(approval.approver), Signature.from_string(approval.signature)
    except ValueError:
        return False
    return signature.verify(key, approval_message(approval.digest))


def published_approval(report: StoredReport) -> Approval:
    """The approval as it is published. Refused when nobody approved."""
    if report.approval is None:
        raise Refused(
            f"Nobody has approved report {report.name}.",
            hint=f"A second person looks at it and signs: tally report approve {period_text(report.period)}",
        )
    approver = Pubkey.from_bytes(report.approval.approver)
    return Approval(report.digest, str(approver), str(Signature.from_bytes(report.approval.signature)))


def require_approved(
    report: StoredReport, *, approvers: Collection[Pubkey], publishers: Collection[Pubkey]
) -> Approval:
    """The approval as it is published. Refused unless one of `approvers`, no publisher, signed this very report."""
    approval = published_approval(report)
    if not is_signed(approval):
        raise Refused(
            f"The approval of report {report.name} by {approval.approver} is no signature over its hash"
            f" {report.digest.hex()}.",
            hint="Somebody changed the store. Find out who, and have the report approved again.",
        )
    key = Pubkey.from_string(approval.approver)
    require_second_key(key, publishers)
    if key not in approvers:
        raise Refused(
            f"Report {report.name} was approved by {key}, which the profile does not name for that.",
            hint="Name who may approve reports under [report] approvers, or its key under [keys] report_approver.",
        )
    return approval


async def _keep(
    store: ReportStore, report: StoredReport, key: Pubkey, signature: Signature, clock: Clock
) -> StoredReport:
    made, known = ReportApproval(bytes(key), bytes(signature), clock.now()), report.approval
    if known is not None and (known.approver, known.signature) == (made.approver, made.signature):
        made = known  # The same agreement again is of the time it was given first.
    return await store.approve(report.issuer, report.period, report.version, report.digest, made)


__all__ = [
    "MessageSigner",
    "Rebuilt",
    "Review",
    "adopt_approval",
    "approve_report",
    "is_signed",
    "published_approval",
    "require_approved",
    "require_second_key",
    "review_report",
    "sign_approval",
]
