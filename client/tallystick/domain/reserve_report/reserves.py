"""The test of backing at the as-of and on the drawn day, and day by day through the month.

What is held is what the custodians' statements say with the movements since then; what is attested is the reserve in
force on chain less the shares redeemed since. Both have to cover what the tokens require, their share equivalent
rounded up: a liability is never rounded down.
"""

from __future__ import annotations

from collections.abc import Sequence

from tallystick.domain.canonical import CanonicalValue
from tallystick.domain.closes import DailyClose
from tallystick.domain.report_anchors import day_text, first_day
from tallystick.domain.reserve_report.facts import SecurityAt, SecurityFacts
from tallystick.domain.reserve_report.material import Material, Row, titled, with_figures
from tallystick.domain.reserve_report.values import address, digits, grouped, moment, ratio


def backing_rows(material: Material, figures: Sequence[SecurityAt], close: DailyClose) -> list[Row]:
    """The test of every security with its figures at a close."""
    return [_test(material, security, at, close) for security, at in with_figures(material, figures)]


def second_look(material: Material) -> Row:
    """The same test on the drawn day, or why there is none."""
    draw, close = material.facts.draw, drawn_close(material)
    drawn = draw if draw and draw.drawn_day else None
    rows: list[Row] = []
    if drawn is None:
        words = "No day of this month was drawn on chain, so there is no second look."
    elif close is None:
        words = f"{drawn_date(material)} was drawn on chain, and was left out of the daily closes: no second look."
    else:
        place = material.declared.closes.index(close)
        rows = backing_rows(material, [each.days[place] for each in material.facts.securities], close)
        failed = [str(row["ticker"]) for row in rows if not row["is_passed"]]
        outcome = f"did not pass: {', '.join(failed)}" if failed else "passed for every security"
        words = f"{close.day} was drawn on chain after the month had ended; its test {outcome}."
    if drawn and drawn.attempts > 1:
        words += f" The draw was requested {drawn.attempts} times: ask the issuer why."
    return {
        "draw": {
            "account": address(drawn.address),
            "attempts": drawn.attempts,
            "target_slot": drawn.target_slot,
            "drawn_slot": drawn.drawn_slot,
            "slot_hash": drawn.slot_hash.hex(),
            "day": drawn_date(material),
        }
        if drawn
        else None,
        "close": {"day": close.day, "slot": close.slot, "time": moment(close.block_time), "hash": close.hash.hex()}
        if close
        else None,
        "test": rows,
        "words": words,
    }


def drawn_date(material: Material) -> str | None:
    """The drawn day as YYYY-MM-DD; None while none is drawn."""
    draw = material.facts.draw
    return day_text(first_day(material.facts.period) + draw.drawn_day - 1) if draw and draw.drawn_day else None


def drawn_close(material: Material) -> DailyClose | None:
    """The close of the drawn day; None when none is drawn, or its day was left out."""
    day = drawn_date(material)
    return next((each for each in material.declared.closes if each.day == day), None)


def backing(material: Material) -> list[CanonicalValue]:
    """Each close of the month: what was required, what was attested, what was on the statements."""
    rows: list[CanonicalValue] = []
    for place, close in enumerate(material.declared.closes):
        securities: list[CanonicalValue] = []
        for security, at in with_figures(material, [each.days[place] for each in material.facts.securities]):
            part, on_statements = material.closed(security, close), material.on_statements(security, close)
            securities.append(
                {
                    "isin": security.isin,
                    "supply": digits(at.supply),
                    "required": digits(at.required),
                    "attested": digits(material.attested(security, at)),
                    "on_statements": None if on_statements is None else digits(on_statements),
                    "breaks": len(part.breaks) if part else 0,
                }
            )
        rows.append(
            {
                "day": close.day,
                "slot": close.slot,
                "time": moment(close.block_time),
                "close": material.close_hashes[place].hex(),
                "securities": securities,
            }
        )
    return rows


def _test(material: Material, security: SecurityFacts, at: SecurityAt, close: DailyClose) -> Row:
    on_statements = material.on_statements(security, close)
    timing = material.timing(security, close.day)
    attested, required = material.attested(security, at), at.required
    held = None if on_statements is None else on_statements + timing
    # Where no statement tells of any, none are held: enough for no tokens at all.
    is_passed = (held or 0) >= required and attested >= required
    return {
        **titled(security),
        "on_statements": None if on_statements is None else digits(on_statements),
        "timing": digits(timing),
        "held": None if held is None else digits(held),
        "attested": digits(attested),
        "required": digits(required),
        "surplus": None if held is None else digits(held - required),
        "ratio": None if held is None else ratio(held, required),
        "is_passed": is_passed,
        "words": _words(held, attested, required, security.decimals),
    }


def _words(held: int | None, attested: int, required: int, decimals: int) -> str:
    needed = grouped(required, decimals)
    if held is None and not required:
        return "pass: there are no tokens, and no shares are required"
    if held is None:
        return f"not passed: the close rests on no custodian's statement, and {needed} shares are required"
    found = f"{grouped(held, decimals)} shares held for {needed} required"
    if held < required:
        return f"not passed: {found}, {grouped(required - held, decimals)} missing"
    if attested < required:
        return f"not passed: {found}, but only {grouped(attested, decimals)} attested on chain"
    if held == required:
        return f"pass: {found}, none missing"
    return f"pass: {found}, none missing, {grouped(held - required, decimals)} more than required"
