"""Checks a published report as a stranger does: with the file and an RPC endpoint, and nothing else.

Which report it is, the file says; what the as-of slot is and which hash was published, the chain says. From there on
everything is recomputed (domain/reserve_report/verification.py). Files beside the report are made again from it and
compared byte by byte.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from solders.pubkey import Pubkey
from solders.signature import Signature

from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.clock import Clock
from tallystick.domain.canonical import sha256
from tallystick.domain.report_anchors import period_text
from tallystick.domain.reserve_report.checks import Check, Status
from tallystick.domain.reserve_report.codec import read_declared
from tallystick.domain.reserve_report.comparison import differ
from tallystick.domain.reserve_report.declared import Declared
from tallystick.domain.reserve_report.document import read_report
from tallystick.domain.reserve_report.facts import Moment, ReportFacts, Unserved
from tallystick.domain.reserve_report.published import (
    ANCHOR,
    APPROVAL,
    PAGE,
    PDF,
    ReportHeader,
    approval_message,
    read_anchor,
    read_approval,
    read_header,
)
from tallystick.domain.reserve_report.verification import verify_document
from tallystick.domain.reserve_report.verify_anchor import HASH, PUBLICATION, publication_of, publication_to_come
from tallystick.domain.reserve_report.verify_correction import verify_correction
from tallystick.domain.reserve_report.verify_shards import verify_shards
from tallystick.errors import ChainError, InputError, LedgerError, Refused, TallystickError
from tallystick.program.addresses import report_address
from tallystick.program.generated.accounts import ReserveReport
from tallystick.program.generated.constants import PROGRAM_ID
from tallystick.services.chain_reads import read
from tallystick.services.report_facts import Doubt, gather_facts
from tallystick.services.report_history import read_block_times

FILES: Final = (APPROVAL, PDF, PAGE, ANCHOR)
"""What may lie beside a report and is checked with it."""

Progress = Callable[[str, int, int], None]
"""Told what is read, how much of it, and how much there is."""
RenderPdf = Callable[[bytes], bytes]
"""report.json -> report.pdf."""
RenderPage = Callable[[bytes, bytes], bytes]
"""report.json and approval.json -> index.html."""


@dataclass(frozen=True, slots=True)
class Verified:
    """Every check of one report. `header` is None for a file that is none; `is_verified` when no check failed.

    `superseded_by` is the month's newest version on chain when that is a later one than this; `is_draft` when the chain
    does not have this one yet.
    """

    header: ReportHeader | None
    checks: tuple[Check, ...]
    superseded_by: int | None = None
    is_draft: bool = False

    @property
    def is_verified(self) -> bool:
        """True when no check failed; what was not served and what is only stated are no failures."""
        return not any(each.status is Status.FAILED for each in self.checks)

    @property
    def first_failure(self) -> Check | None:
        """The first check that failed."""
        return next((each for each in self.checks if each.status is Status.FAILED), None)

    @property
    def first_figure(self) -> Check | None:
        """The first figure of the report that disagrees."""
        return next(
            (each for each in self.checks if each.status is Status.FAILED and each.path and each.expected), None
        )


async def verify_report(
    chain: Chain,
    content: bytes,
    clock: Clock,
    *,
    issuer: Pubkey | None = None,
    is_draft: bool = False,
    corrected: bytes | None = None,
    files: Mapping[str, bytes] | None = None,
    render_pdf: RenderPdf | None = None,
    render_page: RenderPage | None = None,
    program_id: Pubkey = PROGRAM_ID,
    progress: Progress | None = None,
) -> Verified:
    """Check report.json against the chain. `issuer` is whose report it has to be, when the reader knows.

    `corrected` is report.json of the version that it corrects, to compare what changed. `files` are those that lie
    beside it, by their names (published.py); the renderers make them again, and holders' files are held against the
    report's roots. With `is_draft` a report that is not published yet is checked as it will be, but for its hash. What
    is wrong is a failed check and raises nothing. ChainError when the cluster does not answer, or the node is behind
    the report, and LedgerError when what it says contradicts itself: nothing is said of the report.
    """
    try:
        document = read_report(content)
        declared = read_declared(document["declared"])
        header = read_header(content)
    except (InputError, LedgerError, KeyError) as error:
        return Verified(None, (Check("form", "form", Status.FAILED, f"This is no report that can be read: {error}"),))
    identity, anchor = await _identify(chain, header, issuer, program_id, is_draft=is_draft)
    if any(each.status is Status.FAILED for each in identity):
        return Verified(header, identity)
    times = await _check_times(chain, declared, anchor)
    if times.status is Status.FAILED:
        return Verified(header, (*identity, times))
    try:
        facts, others = await _gather(chain, header, declared, clock, program_id, progress)
    except InputError as error:
        failed = Check("figures", "every section", Status.FAILED, f"The report's moments do not fit together: {error}")
        return Verified(header, (*identity, times, failed))
    except (LedgerError, Refused) as error:
        raise LedgerError(
            f"Nothing can be said of the report, as this node's answers do not fit together: {error.message}",
            hint=error.hint or "Ask another node.",
        ) from error
    if anchor is None:
        facts, *rest = (
            replace(each, publications=(*each.publications, publication_to_come(content, each, declared)))
            for each in (facts, *others)
        )
        others = tuple(rest)
    checks = verify_document(content, facts, is_signed_by, others)
    if anchor is None:
        # Of a publication that was made of the report itself nothing is learnt.
        checks = tuple(each for each in checks if each.name not in (HASH, PUBLICATION))
    correction = verify_correction(content, declared, facts, corrected)
    beside = _check_files(content, declared, facts, files or {}, render_pdf, render_page)
    holders = verify_shards(document, files or {})
    beside = beside if holders is None else (*beside, holders)
    versions = [each.version for each in facts.publications if each.period == header.period]
    newest = max(versions, default=header.version)
    superseded_by = newest if newest > header.version else None
    return Verified(header, (*identity, times, *checks, *correction, *beside), superseded_by, anchor is None)


def is_signed_by(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether an Ed25519 key (32 bytes) made this signature (64 bytes) of a message. Never raises."""
    try:
        return Signature.from_bytes(signature).verify(Pubkey.from_bytes(key), message)
    except ValueError:
        return False


async def _identify(
    chain: Chain, header: ReportHeader, issuer: Pubkey | None, program_id: Pubkey, *, is_draft: bool
) -> tuple[tuple[Check, ...], ReserveReport | None]:
    """Whose report it claims to be, of which cluster, and its publication; None where there is none."""
    cluster = str(await chain.get_genesis_hash())
    if header.cluster != cluster:
        wrong = differ("/header/cluster", cluster, header.cluster)
        words = "The report is of another cluster than this endpoint's."
        return (Check("cluster", "header", Status.FAILED, words, wrong.path, wrong.expected, wrong.found),), None
    try:
        named = Pubkey.from_string(header.issuer)
    except ValueError:
        return (Check("issuer", "header", Status.FAILED, f"{header.issuer!r} is no address.", "/header/issuer"),), None
    if issuer is None:
        words = f"{named} by the report's own word: compare it with the address that the issuer announces (--issuer)."
        whose = Check("issuer", "header", Status.STATED, words)
    elif issuer != named:
        wrong = differ("/header/issuer/address", str(issuer), str(named))
        words = "The report is of another issuer than the one asked for."
        return (Check("issuer", "header", Status.FAILED, words, wrong.path, wrong.expected, wrong.found),), None
    else:
        whose = Check("issuer", "header", Status.PASSED, f"It is the report of {issuer}.")
    address = report_address(named, header.period, header.version, program_id=program_id)
    anchor = await read(chain, ReserveReport, address, "finalized")
    if anchor is None:
        slot = await chain.get_slot("finalized")
        if slot < header.as_of_slot:
            raise ChainError(
                f"Nothing can be said of the report of slot {header.as_of_slot}: the node has finalized slot {slot}.",
                hint="Run this again once the node has caught up, or ask another one.",
            )
        words = f"No report of {period_text(header.period)} version {header.version} was published by {named}."
        if is_draft:
            return (
                whose,
                Check(HASH, "anchor", Status.STATED, f"Not published yet; its SHA-256 is {header.hash.hex()}."),
            ), None
        return (whose, Check(HASH, "anchor", Status.FAILED, words)), None
    return (whose,), anchor


async def _check_times(chain: Chain, declared: Declared, anchor: ReserveReport | None) -> Check:
    """The as-of slot is the one published, of a draft one that was reached; the closes' block times are the chain's."""
    name, last = "as-of and block times", declared.closes[-1]
    if anchor is None:
        if last.slot > await chain.get_slot("finalized"):
            words = f"The as-of is slot {last.slot}, which this cluster has not reached."
            return Check(name, "header", Status.FAILED, words, "/header/as_of/slot")
    elif last.slot != anchor.as_of_slot:
        wrong = differ("/header/as_of/slot", anchor.as_of_slot, last.slot)
        return Check(name, "header", Status.FAILED, wrong.words, wrong.path, wrong.expected, wrong.found)
    closes = [(f"/declared/closes/contents/{place}", close) for place, close in enumerate(declared.closes)]
    if declared.opening:
        closes.append(("/declared/opening/content", declared.opening))
    for path, close in closes:
        # A node refuses to look for other slots.
        if not 0 <= close.slot <= last.slot:
            words = f"{path}/slot: {close.slot} is no slot up to the as-of."
            return Check(name, "header", Status.FAILED, words, f"{path}/slot")
    times = await read_block_times(chain, [close.slot for _, close in closes])
    unknown = times.count(None)
    for (path, close), time in zip(closes, times, strict=True):
        if time not in (None, close.block_time):
            wrong = differ(f"{path}/block_time", time, close.block_time)
            return Check(name, "header", Status.FAILED, wrong.words, wrong.path, wrong.expected, wrong.found)
    words = f"The as-of is the end of slot {last.slot}" + (", as published." if anchor else ".")
    if unknown:
        words += f" The node no longer tells the times of {unknown} of {len(closes)} closes; those that the "
        words += "anchored closes have were taken."
        return Check(name, "header", Status.NOT_SERVED, words)
    words += f" The times of all {len(closes)} closes are those of their blocks."
    return Check(name, "header", Status.PASSED, words)


async def _gather(
    chain: Chain,
    header: ReportHeader,
    declared: Declared,
    clock: Clock,
    program_id: Pubkey,
    progress: Progress | None,
) -> tuple[ReportFacts, tuple[ReportFacts, ...]]:
    """The facts; and where the node does not serve the order of things within the second of a moment, those that would
    be with another order."""
    moments = tuple(Moment(each.slot, each.block_time) for each in declared.closes)
    opening = Moment(declared.opening.slot, declared.opening.block_time) if declared.opening else None

    async def gather(doubtful: tuple[Moment, ...] = (), doubt: Doubt = Doubt.ALL) -> ReportFacts:
        return await gather_facts(
            chain,
            Pubkey.from_string(header.issuer),
            header.period,
            moments[-1],
            moments,
            clock,
            opening=opening,
            doubtful=doubtful,
            doubt=doubt,
            program_id=program_id,
            progress=progress,
        )

    facts = await gather()
    if Unserved.ORDER_OF_SECOND not in facts.unserved:
        return facts, ()
    # What differs at the opening alone may cancel out with what differs at the as-of, and what adds to a figure within
    # one second with what takes from it.
    ends = (opening,) if opening else ()
    doubted = [(*ends, *moments), *([ends] if ends else [])]
    return facts, tuple([await gather(each, doubt) for each in doubted for doubt in Doubt])


def _check_files(
    content: bytes,
    declared: Declared,
    facts: ReportFacts,
    files: Mapping[str, bytes],
    render_pdf: RenderPdf | None,
    render_page: RenderPage | None,
) -> tuple[Check, ...]:
    """Each file beside the report that is there, in the order of FILES."""
    checks: list[Check] = []
    approval = files.get(APPROVAL)
    if approval is None:
        words = f"Without {APPROVAL} beside the report nothing here says whether a second person agreed to it."
        checks.append(Check(APPROVAL, "files", Status.STATED, words))
    else:
        checks.append(_check_approval(content, approval, declared, facts))
    if PDF in files and render_pdf is not None:
        checks.append(_check_rendered(PDF, files[PDF], lambda: render_pdf(content)))
    if PAGE in files and render_page is not None:
        if approval is None:
            words = f"The page shows who approved the report; give {APPROVAL} beside it to have it checked."
            checks.append(Check(PAGE, "files", Status.STATED, words))
        else:
            checks.append(_check_rendered(PAGE, files[PAGE], lambda: render_page(content, approval)))
    if ANCHOR in files:
        checks.append(_check_anchor_file(files[ANCHOR], declared, facts))
    return tuple(checks)


def _check_approval(content: bytes, approval: bytes, declared: Declared, facts: ReportFacts) -> Check:
    """The second person signed this very report, and is not who published it."""
    try:
        found = read_approval(approval)
        key, signature = Pubkey.from_string(found.approver), Signature.from_string(found.signature)
    except (LedgerError, ValueError) as error:
        return Check(APPROVAL, "files", Status.FAILED, f"It cannot be read: {error}")
    digest = sha256(content)
    if found.digest != digest:
        wrong = differ("", digest.hex(), found.digest.hex())
        return Check(APPROVAL, "files", Status.FAILED, "It approves another file.", "", wrong.expected, wrong.found)
    if not signature.verify(key, approval_message(digest)):
        return Check(APPROVAL, "files", Status.FAILED, f"The signature by {key} does not verify.")
    own = publication_of(facts, declared.period, declared.version)
    if own is not None and own.published_by == bytes(key):
        return Check(APPROVAL, "files", Status.FAILED, f"{key} both approved and published the report.")
    publisher = "another key published it" if own and any(own.published_by) else "it is not published yet"
    words = f"{key} signed this report, and {publisher}. Whose keys they are, the issuer tells."
    return Check(APPROVAL, "files", Status.PASSED, words)


def _check_rendered(name: str, found: bytes, render: Callable[[], bytes]) -> Check:
    """A file is what the renderer makes of the report, byte for byte."""
    try:
        expected = render()
    except TallystickError as error:
        return Check(name, "files", Status.FAILED, f"It cannot be made again: {error}")
    if found == expected:
        return Check(name, "files", Status.PASSED, f"Made again from the report, byte for byte ({len(found):,} bytes).")
    place = next((at for at, pair in enumerate(zip(expected, found, strict=False)) if pair[0] != pair[1]), len(found))
    words = (
        f"It is not what this program makes of the report: {len(found)} bytes where {len(expected)} were expected, "
        f"different from byte {place} on. Either it was changed, or another release of the program made it."
    )
    one, other = (f"SHA-256 {sha256(each).hex()}" for each in (expected, found))
    return Check(name, "files", Status.FAILED, words, "", one, other)


def _check_anchor_file(content: bytes, declared: Declared, facts: ReportFacts) -> Check:
    """anchor.json names the publication that the chain has."""
    own = publication_of(facts, declared.period, declared.version)
    try:
        found = read_anchor(content)
    except LedgerError as error:
        return Check(ANCHOR, "files", Status.FAILED, f"It cannot be read: {error}")
    if own is None or (found.account, found.hash, found.published_at) != (
        str(Pubkey.from_bytes(own.address)),
        own.hash,
        own.published_at,
    ):
        return Check(ANCHOR, "files", Status.FAILED, "It names another publication than the chain has.")
    words = f"It names the publication on chain, {found.account}; its transaction was not looked up."
    return Check(ANCHOR, "files", Status.PASSED, words)


__all__ = ["FILES", "RenderPage", "RenderPdf", "Verified", "is_signed_by", "verify_report"]
