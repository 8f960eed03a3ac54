"""Builds a month's reserve report from the chain and the issuer's books, and keeps it as a draft.

The chain's figures are gathered as a stranger gathers them, and compared with the daily closes before anything is
built: a difference between the two is for a person to explain, never for a report to hide. What a stranger would refuse
is not kept. The same inputs make the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.clock import Clock
from tallystick.adapters.store.closes import CloseStore
from tallystick.adapters.store.reports import ReportState, StoredReport
from tallystick.domain.canonical import CanonicalValue
from tallystick.domain.closes import DailyClose, SecurityClose
from tallystick.domain.register import Register
from tallystick.domain.report_anchors import period_text
from tallystick.domain.reserve_report.changes import leaf_changes
from tallystick.domain.reserve_report.codec import read_declared
from tallystick.domain.reserve_report.declared import Change, Correction, Declared
from tallystick.domain.reserve_report.document import build_document, read_report, report_bytes
from tallystick.domain.reserve_report.facts import ReportFacts, SecurityAt, SecurityFacts, Unserved
from tallystick.domain.reserve_report.published import report_uri
from tallystick.errors import LedgerError, Refused
from tallystick.program.addresses import security_address
from tallystick.program.generated.constants import PROGRAM_ID
from tallystick.services.report_closes import MonthCloses, drawn_day, read_month
from tallystick.services.report_figures import NOTHING
from tallystick.services.report_history import Progress
from tallystick.services.report_inputs import ReportBooks, ReportProfile, collect_declared
from tallystick.services.report_rehearsal import require_verifiable

FIGURES: Final = (
    "supply",
    "minted",
    "burnt",
    "escrow",
    "redeemed",
    "required",
    "multiplier",
    "reserve",
    "reserve_as_of",
    "attestation",
)
"""What a daily close and the chain both say of a security, under the same names."""


@dataclass(frozen=True, slots=True)
class Built:
    """A report as it is kept now. `is_changed` when this run made its bytes; `changes` are those of a correction.

    `missing_days` are days of the month without a close on chain, `drawn_day` is None where the report has no second
    look.
    """

    report: StoredReport
    document: Mapping[str, CanonicalValue]
    is_changed: bool
    missing_days: tuple[str, ...]
    drawn_day: str | None
    changes: tuple[Change, ...] = ()


async def build_report(
    chain: Chain,
    books: ReportBooks,
    profile: ReportProfile,
    issuer: Pubkey,
    period: int,
    clock: Clock,
    *,
    is_draw_needed: bool = True,
    reason: str = "",
    program_id: Pubkey = PROGRAM_ID,
    progress: Progress | None = None,
) -> Built:
    """Build the report of a period (YYYYMM) and keep it as a draft; the same again changes nothing.

    A published report is corrected by its next version, with a `reason`, and only when something differs. Refused, with
    what to do, for a month that is not ready (report_closes.py), whose day is not drawn unless that is not needed, or
    whose history the endpoint does not serve; when a published report would change and no reason is given, and when a
    reason is given and nothing changed. LedgerError, with both values, when chain and closes differ. StoreConflict
    while a publication is under way.
    """
    month, facts = await read_month(
        chain, books.closes, issuer, period, clock, program_id=program_id, progress=progress
    )
    facts = await with_kept_registers(facts, books.closes, month.as_of)
    _require_served(facts)
    if is_draw_needed and drawn_day(facts) is None:
        raise Refused(
            "The day of the second look is not drawn yet.",
            hint="Draw it with: tally report draw (one drawn just now counts once it is final, in some 15 seconds) — "
            "or build with --without-draw, and the report says so.",
        )
    require_agreement(facts, month)
    known = await books.reports.find(bytes(issuer), period)
    published = await _last_published(books, bytes(issuer), period)
    version = published.version if published else 1
    declared = await collect_declared(chain, books, profile, month, facts, version)
    require_inventory(facts, declared)
    if published is None:
        if reason:
            raise Refused(
                "There is no published report of this month to correct.", hint="Build it without --correct first."
            )
        return await _keep(books, known, facts, declared, month, clock)
    declared = replace(declared, correction=_correction_of(published))
    if report_bytes(build_document(facts, declared)) == published.content:
        if reason:
            raise Refused(f"Nothing changed since {published.name} was published, so there is nothing to correct.")
        return Built(published, read_report(published.content), False, month.missing, drawn_day(facts))
    pending = known if known is not None and known.version > published.version else None
    reason = reason or (_reason_of(pending) if pending else "")
    before = read_report(published.content)
    if not reason:
        changes = leaf_changes(before, build_document(facts, declared))
        raise Refused(
            f"{published.name} is published, and {len(changes):,} of its values would change now; the first is"
            f" {changes[0].path}: {changes[0].before or 'absent'} would be {changes[0].after or 'absent'}.",
            hint="Publish a new version that says what changed: "
            f"tally report build {period_text(published.period)} --correct 'why'",
        )
    version = published.version + 1
    declared = replace(
        declared,
        version=version,
        uri=report_uri(profile.uri, month.period, version),
        correction=Correction(reason, ()),
    )
    changes = leaf_changes(before, build_document(facts, declared))
    declared = replace(declared, correction=Correction(reason, changes))
    return await _keep(books, pending, facts, declared, month, clock)


async def with_kept_registers(facts: ReportFacts, closes: CloseStore, as_of: DailyClose) -> ReportFacts:
    """The facts with the registers of holders that were kept with the as-of close, where the node did not serve what
    moved tokens since: the close names their roots, so they are the same. LedgerError for a register of another root.
    """
    if Unserved.REGISTERS not in facts.unserved:
        return facts
    kept = {each.mint: await kept_register(closes, as_of, each) for each in as_of.securities}
    securities = tuple(replace(each, register=each.register or kept.get(each.mint)) for each in facts.securities)
    unserved = (
        facts.unserved if any(each.register is None for each in securities) else facts.unserved - {Unserved.REGISTERS}
    )
    return replace(facts, securities=securities, unserved=unserved)


async def kept_register(closes: CloseStore, close: DailyClose, security: SecurityClose) -> Register | None:
    """The register of holders of one security that was kept with a close; None when none was, or a later close took its
    place. LedgerError when its root is not the close's."""
    found = await closes.register(bytes(security_address(Pubkey.from_bytes(security.mint))), close.day)
    if found is None:
        return None
    if found.slot != close.slot or found.register.root != security.register_root:
        raise LedgerError(
            f"The register kept for {security.isin} is not the one that the close of {close.day} names.",
            hint="Restore the store from a backup; the chain has the holders too: ask an archive node.",
        )
    return found.register


def require_agreement(facts: ReportFacts, month: MonthCloses) -> None:
    """LedgerError, with both values, unless the chain says of every security at every close what the close says."""
    by_mint = {each.mint: each for each in facts.securities}
    for place, close in enumerate(month.closes):
        for part in close.securities:
            security = by_mint.get(part.mint)
            if security is None:
                raise _disagreement(close, part, "mint", "none of the issuer's", part.mint)
            _require_figures(close, part, security.days[place])
        listed = {part.mint for part in close.securities}
        for security in facts.securities:
            if security.mint not in listed and security.days[place] != NOTHING:
                raise LedgerError(
                    f"{security.isin} has figures on chain at the close of {close.day}, and the close does not have it."
                )
    for part in month.as_of.securities:
        _require_register(month.as_of, part, by_mint[part.mint])


def require_inventory(facts: ReportFacts, declared: Declared) -> None:
    """LedgerError unless the declared wallets hold what the as-of close counted as the issuer's own."""
    wallets = {each.isin: frozenset(each.inventory) for each in declared.wallets}
    parts = {each.mint: each for each in declared.closes[-1].securities}
    for security in facts.securities:
        part, own = parts.get(security.mint), wallets.get(security.isin, frozenset())
        if part is None or security.register is None:
            continue
        held = sum(each.raw for each in security.register.entries if each.owner in own)
        if held != part.inventory:
            raise LedgerError(
                f"The inventory wallets of {security.isin} hold {held} raw units at the as-of; the close of"
                f" {declared.closes[-1].day} has {part.inventory} in inventory.",
                hint="The profile's inventory was changed since: declare the wallets that were there at the close.",
            )


def _require_figures(close: DailyClose, part: SecurityClose, at: SecurityAt) -> None:
    for name in FIGURES:
        on_chain, in_close = getattr(at, name), getattr(part, name)
        if on_chain != in_close:
            raise _disagreement(close, part, name.replace("_", " "), on_chain, in_close)


def _require_register(close: DailyClose, part: SecurityClose, security: SecurityFacts) -> None:
    register = security.register
    if register is None:
        return
    if len(register.entries) != part.holders:
        raise _disagreement(close, part, "number of holders", len(register.entries), part.holders)
    root = register.root
    if root != part.register_root:
        raise _disagreement(close, part, "register root", root, part.register_root)


def _disagreement(close: DailyClose, part: SecurityClose, name: str, on_chain: object, in_close: object) -> LedgerError:
    one, other = (each.hex() if isinstance(each, bytes) else each for each in (on_chain, in_close))
    return LedgerError(
        f"{part.isin} at the close of {close.day}, slot {close.slot}: the {name} is {one} by the chain and {other} by"
        " the close.",
        hint="Nothing was built. Find out which of the two is wrong before anything is said of this month.",
    )


def _require_served(facts: ReportFacts) -> None:
    if facts.unserved:
        raise Refused(
            f"The endpoint does not serve all of this month any more: {', '.join(sorted(facts.unserved))}.",
            hint="Build with an endpoint that keeps the whole history: [cluster] urls in the profile.",
        )


async def _last_published(books: ReportBooks, issuer: bytes, period: int) -> StoredReport | None:
    found = [each for each in await books.reports.list(issuer, period) if each.state is ReportState.PUBLISHED]
    return found[-1] if found else None


async def _keep(
    books: ReportBooks,
    known: StoredReport | None,
    facts: ReportFacts,
    declared: Declared,
    month: MonthCloses,
    clock: Clock,
) -> Built:
    document = build_document(facts, declared)
    content = report_bytes(document)
    require_verifiable(content, facts, declared)
    kept = await books.reports.draft(facts.issuer, month.period, declared.version, content, clock.now())
    changes = declared.correction.changes if declared.correction else ()
    is_changed = known is None or known.content != content
    return Built(kept, document, is_changed, month.missing, drawn_day(facts), changes)


def _correction_of(report: StoredReport) -> Correction | None:
    return read_declared(read_report(report.content)["declared"]).correction


def _reason_of(report: StoredReport) -> str:
    found = _correction_of(report)
    return found.reason if found else ""


__all__ = [
    "Built",
    "build_report",
    "kept_register",
    "require_agreement",
    "with_kept_registers",
]
