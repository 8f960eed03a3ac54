"""What did not agree in the month: breaks with their ages, the largest shortfall, and what was held."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tallystick.domain.breaks import BreakKind
from tallystick.domain.canonical import CanonicalValue
from tallystick.domain.reserve_report.declared import DeclaredBreak
from tallystick.domain.reserve_report.material import Material, Row, with_figures
from tallystick.domain.reserve_report.values import SECONDS_PER_DAY, digits, moment, moment_or_none

AGES: Final = (1, 3, 7, 30, None)
"""Whole days up to which an open break counts to a bucket; None is everything older."""
_IN_TOKENS: Final = frozenset(
    {BreakKind.UNAUTHORISED_SUPPLY.value, BreakKind.REGISTER_MISMATCH.value, BreakKind.ESCROW_MISMATCH.value}
)


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Shares that were missing from one time to another; `until` is 0 while they are."""

    isin: str
    amount: int
    began: int
    until: int


def differences(material: Material) -> Row:
    """Every break that was open in the month, and every hold that covered a moment of it."""
    now, breaks = material.now, material.declared.breaks
    still_open = [each for each in breaks if not each.closed_at]
    ages = [(now - each.first_seen) // SECONDS_PER_DAY for each in still_open]
    return {
        "open": [
            {**_break(each), "age_seconds": now - each.first_seen, "first_seen": moment(each.first_seen)}
            for each in still_open
        ],
        "opened_in_month": sum(1 for each in breaks if each.first_seen > material.begins),
        "closed_in_month": len(breaks) - len(still_open),
        "closed": [
            {
                **_break(each),
                "age_seconds": each.closed_at - each.first_seen,
                "first_seen": moment(each.first_seen),
                "closed_at": moment(each.closed_at),
            }
            for each in breaks
            if each.closed_at
        ],
        "largest_shortfall": _largest_shortfall(material),
        "ageing": [{"up_to_days": limit, "open": sum(1 for age in ages if _bucket(age) == limit)} for limit in AGES],
        "holds": [
            {
                "isin": security.isin,
                "ticker": security.ticker,
                "owner_kind": hold.owner_kind,
                "scopes": list(hold.scopes),
                "reason_code": hold.reason_code,
                "placed_at": moment(hold.placed_at),
                "released_at": moment_or_none(hold.released_at),
                "expires_at": moment_or_none(hold.expires_at),
            }
            for security in material.securities
            for hold in security.holds
        ],
    }


def _bucket(age: int) -> int | None:
    return next((limit for limit in AGES if limit is not None and age <= limit), None)


def _break(each: DeclaredBreak) -> Row:
    unit = "raw" if each.kind in _IN_TOKENS else "shares"
    return {
        "id": each.id.hex(),
        "isin": each.instrument,
        "kind": each.kind,
        "amount": None if each.amount is None else digits(each.amount),
        "unit": None if each.amount is None else unit,
        "cause": each.message,
        "account": each.account,
        "reference": each.reference,
        "owner": each.owner,
    }


def _largest_shortfall(material: Material) -> CanonicalValue:
    """The one with the most shares; of equal ones the earliest."""
    found = [*_of_breaks(material), *_of_days(material)]
    largest = min(found, key=lambda each: (-each.amount, each.began, each.isin), default=None)
    return (
        {
            "isin": largest.isin,
            "amount": digits(largest.amount),
            "from": moment(largest.began),
            "until": moment_or_none(largest.until),
            "seconds": (largest.until or material.now) - largest.began,
        }
        if largest
        else None
    )


def _of_breaks(material: Material) -> Iterator[Shortfall]:
    for each in material.declared.breaks:
        if each.kind == BreakKind.QUANTITY_SHORT.value and each.amount:
            yield Shortfall(each.instrument, abs(each.amount), each.first_seen, each.closed_at)


def _of_days(material: Material) -> Iterator[Shortfall]:
    """Runs of closes at which less was attested than required, each with the most that was missing in it."""
    moments = material.facts.moments
    runs: dict[str, Shortfall] = {}
    for place, moment_of_close in enumerate(moments):
        for security, at in with_figures(material, [each.days[place] for each in material.facts.securities]):
            missing, run = at.required - material.attested(security, at), runs.get(security.isin)
            if missing > 0:
                amount, began = (max(missing, run.amount), run.began) if run else (missing, moment_of_close.time)
                runs[security.isin] = Shortfall(security.isin, amount, began, 0)
            elif run:
                yield Shortfall(run.isin, run.amount, run.began, moment_of_close.time)
                del runs[security.isin]
    yield from runs.values()
