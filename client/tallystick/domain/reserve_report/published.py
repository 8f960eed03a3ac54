"""What belongs to a published report beside its document: names of files, its address, and the second person's word.

The folder of one version has report.json, report.pdf, approval.json, index.html and holders/, and anchor.json once the
chain has the publication. Hashes are SHA-256; a report's hash is that of report.json.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from tallystick.domain.canonical import canonical_json, sha256
from tallystick.domain.report_anchors import parse_period, period_text
from tallystick.errors import InputError, LedgerError

APPROVAL_TAG: Final = b"tallystick:report-approval"
URI_LIMIT: Final = 200
"""Bytes of an address on chain (state/reserve_report.rs)."""
VERSION_LIMIT: Final = 2**16 - 1

REPORT: Final = "report.json"
PDF: Final = "report.pdf"
PAGE: Final = "index.html"
APPROVAL: Final = "approval.json"
ANCHOR: Final = "anchor.json"
HOLDERS: Final = "holders"
INDEX: Final = "index.html"
PROOF_OF_RESERVES: Final = "proof-of-reserves.json"
_MESSAGE: Final = 'The key signed the bytes "tallystick:report-approval" followed by the 32 bytes of digest.'


def version_folder(period: int, version: int) -> str:
    """Where a version is, below the folder of all reports: 2026-10/v1. InputError when there can be none."""
    if not 1 <= version <= VERSION_LIMIT:
        raise InputError(f"{version} is not a version of a report; they count from 1.")
    return f"{period_text(period)}/v{version}"


def report_uri(base: str, period: int, version: int) -> str:
    """The address of a version's report.json below the address of all reports. InputError as require_base_uri."""
    return f"{require_base_uri(base)}/{version_folder(period, version)}/{REPORT}"


def require_base_uri(base: str) -> str:
    """The address of all reports without a slash at its end. InputError unless it is https, plain ASCII without blanks,
    query and fragment, and leaves room for every version within the chain's 200 bytes."""
    text = base.rstrip("/")
    if re.fullmatch(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~%!$&'()*+,;=:@-]+)*", text) is None:
        raise InputError(
            f"{base!r} is no address of reports.", hint="Write https://, a host and maybe a path; nothing behind it."
        )
    longest = f"{text}/{version_folder(999911, VERSION_LIMIT)}/{REPORT}"
    if len(longest) > URI_LIMIT:
        raise InputError(
            f"The address of a report may have {URI_LIMIT} bytes; below {base!r} it has up to {len(longest)}.",
            hint="Choose a shorter address.",
        )
    return text


@dataclass(frozen=True, slots=True)
class ReportHeader:
    """What of a report its publication on chain repeats. Accounts and the cluster's genesis hash are in base 58, empty
    where there is none; `hash` is the SHA-256 of the whole file."""

    hash: bytes
    cluster: str
    issuer: str
    period: int
    version: int
    as_of_slot: int
    uri: str
    previous: str = ""
    previous_hash: bytes = bytes(32)
    corrects: str = ""
    is_passed: bool = False
    words: str = ""


def read_header(content: bytes) -> ReportHeader:
    """The header of report.json. LedgerError unless the bytes are canonical JSON of a report."""
    try:
        document = json.loads(content)
        if canonical_json(document) != content:
            raise LedgerError(f"This {REPORT} is not in canonical form; it was changed since.")
        header, previous, corrects = document["header"], document["header"]["previous"], document["header"]["corrects"]
        version_folder(parse_period(_text(header, "period")), _whole(header["version"]))
        return ReportHeader(
            hash=sha256(content),
            cluster=_text(header, "cluster"),
            issuer=_text(header["issuer"], "address"),
            period=parse_period(_text(header, "period")),
            version=header["version"],
            as_of_slot=_whole(header["as_of"]["slot"]),
            uri=_text(document["anchor"], "uri"),
            previous=_text(previous, "account") if previous else "",
            previous_hash=bytes.fromhex(_text(previous, "hash")) if previous else bytes(32),
            corrects=_text(corrects, "account") if corrects else "",
            is_passed=document["summary"]["is_passed"] is True,
            words=_text(document["summary"], "words"),
        )
    except (KeyError, TypeError, ValueError, RecursionError, InputError) as error:
        raise LedgerError(f"This is no {REPORT} of a reserve report: {error!r}.") from error


@dataclass(frozen=True, slots=True)
class Approval:
    """That a second person saw a report and stands for its publication: Ed25519 by `approver` over
    approval_message(digest). `approver` (32 bytes) and `signature` (64 bytes) are in base 58, as they are published;
    whether the signature holds is for whoever reads it to check."""

    digest: bytes
    approver: str
    signature: str


def approval_message(digest: bytes) -> bytes:
    """b"tallystick:report-approval" || SHA-256 of report.json. LedgerError unless the digest has 32 bytes."""
    if len(digest) != 32:
        raise LedgerError(f"The hash of a report has 32 bytes, not {len(digest)}.")
    return APPROVAL_TAG + digest


def approval_bytes(approval: Approval) -> bytes:
    """approval.json: canonical JSON."""
    return canonical_json(
        {
            "approver": approval.approver,
            "digest": approval.digest.hex(),
            "message": _MESSAGE,
            "signature": approval.signature,
        }
    )


def read_approval(content: bytes) -> Approval:
    """The approval of approval.json. LedgerError unless the bytes are exactly what approval_bytes writes."""
    try:
        document = json.loads(content)
        approval = Approval(
            bytes.fromhex(_text(document, "digest")), _text(document, "approver"), _text(document, "signature")
        )
        is_canonical = approval_bytes(approval) == content
    except (KeyError, TypeError, ValueError, RecursionError, InputError) as error:
        raise LedgerError(f"This is no {APPROVAL}: {error!r}.") from error
    if len(approval.digest) != 32 or not is_canonical:
        raise LedgerError(f"This {APPROVAL} is not in canonical form; it was changed since.")
    return approval


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where the chain has a publication. `account` and `signature` are in base 58, `published_at` in seconds since 1970
    UTC by the chain's clock, `slot` that of the transaction, 0 where the node no longer tells it."""

    account: str
    hash: bytes
    slot: int
    signature: str
    published_at: int


@dataclass(frozen=True, slots=True)
class PublishedVersion:
    """One version that the chain has: report.json as it was published, and where the chain has its hash."""

    period: int
    version: int
    content: bytes
    anchor: Anchor


def anchor_bytes(anchor: Anchor) -> bytes:
    """anchor.json: canonical JSON; slot and signature are null where the node no longer tells the transaction."""
    return canonical_json(
        {
            "account": anchor.account,
            "hash": anchor.hash.hex(),
            "published_at": datetime.fromtimestamp(anchor.published_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "signature": anchor.signature or None,
            "slot": anchor.slot or None,
        }
    )


def read_anchor(content: bytes) -> Anchor:
    """The anchor of anchor.json. LedgerError unless the bytes are exactly what anchor_bytes writes."""
    try:
        document = json.loads(content)
        at = datetime.strptime(_text(document, "published_at"), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        anchor = Anchor(
            _text(document, "account"),
            bytes.fromhex(_text(document, "hash")),
            _whole(document["slot"] or 0),
            _text(document, "signature") if document["signature"] else "",
            int(at.timestamp()),
        )
        is_canonical = anchor_bytes(anchor) == content
    except (KeyError, TypeError, ValueError, RecursionError, InputError) as error:
        raise LedgerError(f"This is no {ANCHOR}: {error!r}.") from error
    if not is_canonical:
        raise LedgerError(f"This {ANCHOR} is not in canonical form; it was changed since.")
    return anchor


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(f"expected a whole number, found {value!r:.80}")
    return value


def _text(document: object, name: str) -> str:
    value = document[name] if isinstance(document, dict) else None
    if not isinstance(value, str):
        raise TypeError(f"{name} is text, not {value!r}")
    return value


__all__ = [
    "ANCHOR",
    "APPROVAL",
    "HOLDERS",
    "INDEX",
    "PAGE",
    "PDF",
    "PROOF_OF_RESERVES",
    "REPORT",
    "Anchor",
    "Approval",
    "PublishedVersion",
    "ReportHeader",
    "anchor_bytes",
    "approval_bytes",
    "approval_message",
    "read_anchor",
    "read_approval",
    "read_header",
    "report_uri",
    "require_base_uri",
    "version_folder",
]
