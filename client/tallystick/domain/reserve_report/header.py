"""Which report this is, what it corrects, and its outcome in one sentence."""

from __future__ import annotations

from typing import Final

from tallystick.domain.canonical import CanonicalValue
from tallystick.domain.report_anchors import period_text
from tallystick.domain.reserve_report.material import Material, Row
from tallystick.domain.reserve_report.reserves import backing_rows
from tallystick.domain.reserve_report.values import address, moment, month_of, report_account

FORMAT: Final = "tallystick reserve report"
FORMAT_VERSION: Final = 1


def report_id(lei: str, period: int, version: int) -> str:
    """LEI, month and version: 529900T8BM49AURSDO55-2026-10-v1."""
    return f"{lei}-{period_text(period)}-v{version}"


def header(material: Material) -> Row:
    """Identity of the report, of its issuer, and of the reports before it."""
    facts, declared = material.facts, material.declared
    opening = declared.opening
    from_second, until_second = month_of(facts.period)
    return {
        "report_id": report_id(facts.lei, declared.period, declared.version),
        "period": period_text(declared.period),
        "version": declared.version,
        "issuer": {"address": address(facts.issuer), "name": facts.issuer_name, "lei": facts.lei},
        "cluster": facts.cluster,
        "program": address(facts.program),
        "program_hash": material.close.program_hash.hex(),
        "as_of": {"day": material.close.day, "time": moment(facts.as_of.time), "slot": facts.as_of.slot},
        "opening": {"day": opening.day, "time": moment(opening.block_time), "slot": opening.slot} if opening else None,
        "month": {"from": moment(from_second), "until": moment(until_second)},
        "previous": _previous(material),
        "corrects": _corrects(material),
        "basis": declared.basis,
        "criteria": list(declared.criteria),
        "generator": declared.generator,
    }


def summary(material: Material) -> Row:
    """Whether every security passes, in one sentence."""
    rows = backing_rows(material, [each.as_of for each in material.facts.securities], material.close)
    failed = [str(row["ticker"]) for row in rows if not row["is_passed"]]
    count, day = len(rows), material.close.day
    of_all = "The only security is" if count == 1 else f"All {count} securities are"
    if not rows:
        words = f"No security was listed on {day}."
    elif failed:
        words = f"{len(failed)} of {count} securities did not pass on {day}: {', '.join(failed)}."
    else:
        words = f"{of_all} backed share for share on {day}: what was held is what the tokens required, or more."
    closed = [material.closed(each) for each in material.securities]
    return {
        "is_passed": not failed and bool(rows),
        "words": words,
        "securities": count,
        "holders": sum(each.holders for each in closed if each),
        "breaks_open": sum(1 for each in material.declared.breaks if not each.closed_at),
    }


def anchor(material: Material) -> Row:
    """Where this report is published: its account on chain, and its address."""
    facts, declared = material.facts, material.declared
    account = report_account(facts.program, facts.issuer, declared.period, declared.version)
    return {"account": address(account), "uri": declared.uri}


def _previous(material: Material) -> CanonicalValue:
    found = material.previous_publication
    return (
        {
            "account": address(found.address),
            "hash": found.hash.hex(),
            "period": period_text(found.period),
            "version": found.version,
        }
        if found
        else None
    )


def _corrects(material: Material) -> CanonicalValue:
    found, correction = material.corrected_publication, material.declared.correction
    return (
        {
            "account": address(found.address),
            "hash": found.hash.hex(),
            "version": found.version,
            "reason": correction.reason if correction else "",
            "changes": [
                {"path": each.path, "before": each.before, "after": each.after}
                for each in (correction.changes if correction else ())
            ],
        }
        if found
        else None
    )
