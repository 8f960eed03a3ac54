"""What the chain says of a month and the month's report, as files for an auditor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.clock import Clock
from tallystick.adapters.publish.folder import PublishFolder
from tallystick.adapters.store.reports import StoredReport
from tallystick.domain.audit_tables import Row, bytes_text, csv_lines, plain, row_of
from tallystick.domain.register import Register
from tallystick.domain.report_anchors import day_text, period_text
from tallystick.domain.reserve_report.facts import Moment, ReportFacts, SecurityAt, SecurityFacts
from tallystick.domain.reserve_report.published import ANCHOR, APPROVAL, PDF, REPORT, approval_bytes, version_folder
from tallystick.services.audit_books import AuditSources, Files, Missing, table
from tallystick.services.report_approval import published_approval
from tallystick.services.report_build import with_kept_registers
from tallystick.services.report_closes import read_month
from tallystick.services.report_history import Progress

T = TypeVar("T")


async def month_files(
    chain: Chain,
    sources: AuditSources,
    published: PublishFolder,
    clock: Clock,
    period: int,
    pdf: Callable[[bytes], bytes],
    missing: Missing,
    progress: Progress | None = None,
) -> Files:
    """Every file of one month: the chain's figures at its closes, its holders, what was declared, and its report.

    Read from the chain anew, as anybody reads it. Refused for a month that no report can be built of yet.
    """
    top = f"months/{period_text(period)}"
    month, facts = await read_month(chain, sources.closes, sources.issuer, period, clock, progress=progress)
    for each in sorted(facts.unserved):
        missing(f"{top}/chain", f"The endpoint does not serve the {each}.")
    facts = await with_kept_registers(facts, sources.closes, month.as_of)
    for name, data in chain_tables(facts):
        yield f"{top}/chain/{name}", data
    for security in facts.securities:
        if security.register is None:
            missing(f"{top}/holders/{security.isin}.csv", "The holders at the as-of are not to be had any more.")
        else:
            yield f"{top}/holders/{security.isin}.csv", _register_table(security.register)
    for declaration in await sources.declarations.history(bytes(sources.issuer), period):
        yield f"{top}/declared/{declaration.number}.json", declaration.content
    assertions = [row_of(each) for each in await sources.declarations.assertions(bytes(sources.issuer), period)]
    for name, data in table(f"{top}/declared/assertions", assertions, ("officer", "key", "signature")):
        yield name, data
    reports = await sources.reports.list(bytes(sources.issuer), period)
    for report in reports:
        async for name, data in _report_files(published, report, pdf):
            yield f"{top}/report/v{report.version}/{name}", data
    for name, data in table(f"{top}/report/versions", [_report_row(each) for each in reports], ("version", "state")):
        yield name, data


def chain_tables(facts: ReportFacts) -> Iterator[tuple[str, bytes]]:
    """Tables of what the chain says, each as JSON and CSV."""

    def of_each(name: str, columns: Sequence[str] = ()) -> tuple[tuple[str, bytes], ...]:
        rows = [row_of(each, isin=part.isin) for part in facts.securities for each in getattr(part, name)]
        return table(name, rows, ("isin", *columns))

    single = row_of(
        facts,
        without=(
            *("securities", "roles", "log", "closed_days", "draw", "publications", "moments", "unserved"),
            *("as_of", "opening"),
        ),
        unserved=sorted(facts.unserved),
        opening_slot=facts.opening.slot if facts.opening else None,
        opening_at=facts.opening.time if facts.opening else None,
        as_of_slot=facts.as_of.slot,
        as_of_at=facts.as_of.time,
    )
    yield from table("issuer", [single], ("issuer", "issuer_name", "lei", "period"))
    yield from table("securities", [_security_row(each) for each in facts.securities], ("isin", "ticker", "mint"))
    yield from table("figures", list(_figures(facts)), ("isin", "moment", "slot", "time"))
    yield from of_each("fills", ("address", "kind"))
    yield from of_each("movements", ("address", "direction"))
    yield from of_each("orders", ("address", "kind"))
    yield from of_each("attestations", ("address", "content_hash"))
    yield from of_each("actions", ("address", "kind"))
    yield from of_each("distributions", ("address", "action"))
    yield from of_each("holds", ("address", "owner_kind"))
    yield from of_each("seizures", ("address", "wallet"))
    yield from table("roles", [row_of(each) for each in facts.roles], ("kind", "holder"))
    yield from table("control-log", [row_of(each) for each in facts.log], ("slot", "time", "signature", "event"))
    closed = [row_of(each, date=day_text(each.day)) for each in facts.closed_days]
    yield from table("closed-days", closed, ("date", "day", "close_hash"))
    yield from table("draw", [row_of(facts.draw)] if facts.draw else [], ("address", "drawn_day"))
    yield from table("publications", [row_of(each) for each in facts.publications], ("period", "version", "hash"))


def _security_row(security: SecurityFacts) -> Row:
    return {
        name: plain(getattr(security, name), name)
        for name in ("isin", "ticker", "mint", "address", "name", "decimals", "custody_accounts_hash")
    }


def _figures(facts: ReportFacts) -> Iterator[Row]:
    """Each security's figures before the month, at each close, of which the last is the as-of."""
    for security in facts.securities:
        yield _figure(security, "opening", facts.opening or Moment(0, 0), security.opening)
        for moment, at in zip(facts.moments, security.days, strict=True):
            yield _figure(security, "as of" if moment == facts.as_of else "close", moment, at)


def _figure(security: SecurityFacts, name: str, moment: Moment, at: SecurityAt) -> Row:
    return row_of(
        at,
        isin=security.isin,
        moment=name,
        slot=moment.slot,
        time=moment.time,
        supply=at.supply,
        required=at.required,
    )


def _register_table(register: Register) -> bytes:
    lines = ((bytes_text(each.owner), str(each.raw), str(each.frozen_raw)) for each in register.entries)
    return csv_lines(("owner", "raw", "frozen"), lines)


async def _report_files(published: PublishFolder, report: StoredReport, pdf: Callable[[bytes], bytes]) -> Files:
    """A version's bytes, its approval and its PDF, as they were published where they were."""
    top = version_folder(report.period, report.version)
    yield REPORT, report.content
    yield PDF, await published.read(f"{top}/{PDF}") or pdf(report.content)
    if report.approval is not None:
        yield APPROVAL, await published.read(f"{top}/{APPROVAL}") or approval_bytes(published_approval(report))
    anchor = await published.read(f"{top}/{ANCHOR}")
    if anchor is not None:
        yield ANCHOR, anchor


def _report_row(report: StoredReport) -> Row:
    return {
        "version": str(report.version),
        "state": report.state.value,
        "digest": report.digest.hex(),
        "built_at": plain(report.built_at, "built_at"),
        "approver": str(Pubkey.from_bytes(report.approval.approver)) if report.approval else None,
        "approved_at": plain(report.approval.approved_at, "approved_at") if report.approval else None,
        "published_at": plain(report.publication.published_at, "published_at") if report.publication else None,
        "slot": str(report.publication.slot) if report.publication else None,
    }


__all__ = ["chain_tables", "month_files"]
