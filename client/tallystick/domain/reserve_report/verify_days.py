"""Whether the daily closes are those on chain with the chain's own figures, and the drawn day is the one drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from tallystick.domain.amounts import multiplier_to_float_bits
from tallystick.domain.closes import DailyClose, SecurityClose
from tallystick.domain.report_anchors import NO_DAYS, day_number, day_text, days_in, drawn_day, first_day, period_of
from tallystick.domain.reserve_report.checks import Check, Disagreement, Status, check_of
from tallystick.domain.reserve_report.comparison import INSTEAD, differ
from tallystick.domain.reserve_report.facts import SecurityAt, Unserved
from tallystick.domain.reserve_report.material import Material
from tallystick.domain.reserve_report.reserves import drawn_date
from tallystick.domain.reserve_report.values import SECONDS_PER_DAY, moment

FIGURES: Final = (
    "supply",
    "multiplier",
    "required",
    "reserve",
    "reserve_as_of",
    "redeemed",
    "minted",
    "burnt",
    "escrow",
    "attestation",
)
"""Figures that a close and the chain both have, under the same names."""
_NO_OPENING: Final = "Days before the month were closed on chain, and the report has no opening."
_AMOUNTS: Final = ("supply", "required", "redeemed", "minted", "burnt", "escrow")


def verify_closes(material: Material, otherwise: Sequence[Material] = ()) -> tuple[Check, ...]:
    """The closes' own chain and figures, then their running hash on chain. Figures of `otherwise` are as good, where
    the node does not tell what came first in the second of a close."""
    return (_verify_figures(material, otherwise), _verify_running_hash(material))


def verify_draw(material: Material) -> Check:
    """The drawn day from the slot's hash, and that the closes were final when it was asked for."""
    facts, draw = material.facts, material.facts.draw
    if draw is None or not draw.drawn_day:
        words = "No day of this month was drawn on chain."
        return Check("drawn day", "second_look", Status.STATED, words)
    computed, hashes = drawn_day(facts.issuer, facts.period, draw.slot_hash), material.running_hashes
    wrong: Disagreement | None = None
    if computed != draw.drawn_day:
        wrong = differ("/second_look/draw/day", computed, draw.drawn_day)
    elif draw.drawn_slot < draw.target_slot:
        wrong = differ("/second_look/draw/drawn_slot", draw.target_slot, draw.drawn_slot)
    elif draw.days_hash in hashes[:-1]:
        wrong = Disagreement("The draw was requested before the last close of the month was put on chain.")
    # Another hash is of later days: the program draws when the month's days are final (state/day_draw.rs).
    when = "when the month's last close was the last" if draw.days_hash == hashes[-1] else "when later days were closed"
    words = f"The hash of slot {draw.drawn_slot} draws {drawn_date(material)}; it was asked for {when}."
    if wrong is None and draw.attempts > 1:
        words += f" The draw was requested {draw.attempts} times: ask the issuer why."
        return Check("drawn day", "second_look", Status.STATED, words)
    return check_of("drawn day", "second_look", wrong, words)


def _verify_figures(material: Material, otherwise: Sequence[Material]) -> Check:
    closes, facts = material.declared.closes, material.facts
    wrong = next(_disagreements(material, otherwise), None)
    words = (
        f"{len(closes)} daily closes follow one another, and {len(FIGURES)} figures of each of {len(facts.securities)} "
        "securities are those recomputed from fills, orders, attestations and actions."
    )
    return check_of("daily closes", "backing", wrong, words)


def _disagreements(material: Material, otherwise: Sequence[Material]) -> Iterator[Disagreement]:
    declared = material.declared
    if declared.opening:
        openings = _possible((material, *otherwise), None)
        yield from _of_close(material, declared.opening, "/declared/opening/content", openings, is_opening=True)
    elif declared.days_before != NO_DAYS:
        yield Disagreement(_NO_OPENING, "/declared/opening")
    for place, close in enumerate(declared.closes):
        figures = _possible((material, *otherwise), place)
        yield from _of_close(material, close, f"/declared/closes/contents/{place}", figures)


def _possible(materials: Sequence[Material], place: int | None) -> dict[bytes, list[SecurityAt]]:
    """The figures of each security at a close, or at the opening, by its mint: one for each order that is possible."""
    found: dict[bytes, list[SecurityAt]] = {}
    for material in materials:
        for security in material.facts.securities:
            at = security.opening if place is None else security.days[place]
            found.setdefault(security.mint, []).append(at)
    return found


def _of_close(
    material: Material,
    close: DailyClose,
    path: str,
    figures: dict[bytes, list[SecurityAt]],
    *,
    is_opening: bool = False,
) -> Iterator[Disagreement]:
    facts = material.facts
    if close.issuer != facts.issuer:
        yield differ(f"{path}/issuer", facts.issuer.hex(), close.issuer.hex())
    if close.cluster != facts.cluster:
        yield differ(f"{path}/cluster", facts.cluster, close.cluster)
    is_of_period = period_of(day_number(close.day)) == facts.period
    if is_of_period == is_opening:
        yield Disagreement(f"{path}: {close.day} is not a day that belongs there.", path)
    if close.block_time // SECONDS_PER_DAY - day_number(close.day) not in (0, 1):
        # As close_day has it: else a bad day could be closed once it is mended.
        words = f"{path}: {close.day} was closed at {moment(close.block_time)}, neither on its day nor the day after."
        yield Disagreement(words, f"{path}/block_time")
    identities = {each.mint: (each.isin, each.decimals) for each in facts.securities}
    counted = set[tuple[str, bytes]]()
    for index, part in enumerate(close.securities):
        at = figures.pop(part.mint, None)
        if at is None:
            yield Disagreement(f"{path}/securities/{index}: the issuer has no such security, or it is twice.", path)
            continue
        if (part.isin, part.decimals) != identities[part.mint]:
            yield differ(f"{path}/securities/{index}", list(identities[part.mint]), [part.isin, part.decimals])
        yield from _of_security(part, at, f"{path}/securities/{index}")
        for statement in part.statements:
            # Two securities of one ISIN may not both rest on the same shares.
            if (part.isin, statement.account_hash) in counted:
                at_statements = f"{path}/securities/{index}/statements"
                yield Disagreement(f"{at_statements}: one account's shares are counted twice.", at_statements)
            counted.add((part.isin, statement.account_hash))
    for mint, possible in figures.items():
        if all(at.minted or at.reserve for at in possible):
            yield Disagreement(f"{path}: {identities[mint][0]} is missing.", path)


def _of_security(part: SecurityClose, possible: Sequence[SecurityAt], path: str) -> Iterator[Disagreement]:
    for name in FIGURES:
        values, found = [getattr(at, name) for at in possible], getattr(part, name)
        # Of several fills in one second some may have come before the close, and some behind it.
        if found not in values and not (name in _AMOUNTS and min(values) <= found <= max(values)):
            texts = (each.hex() if isinstance(each, bytes) else str(each) for each in (values[0], found))
            yield differ(f"{path}/{name}", *texts)
    bits = [multiplier_to_float_bits(at.multiplier) if at.multiplier else 0 for at in possible]
    if part.multiplier_bits not in bits:
        yield differ(f"{path}/multiplier_bits", str(bits[0]), str(part.multiplier_bits))


def _verify_running_hash(material: Material) -> Check:
    facts, closes, hashes = material.facts, material.declared.closes, material.running_hashes
    name, section, last = "closed days on chain", "days", hashes[-1]
    known = {
        facts.days_hash,
        *(each.days_hash for each in facts.publications),
        *(each.days_hash for each in facts.closed_days),
        *((facts.draw.days_hash,) if facts.draw else ()),
    } - {NO_DAYS}
    if last not in known and Unserved.CLOSED_DAYS in facts.unserved:
        words = "The node does not serve the events of closed days, and no account holds the running hash after the "
        words += "month's last: that these closes are those on chain it cannot show. Their figures were recomputed."
        return Check(name, section, Status.NOT_SERVED, words)
    if last not in known:
        words = f"The running hash over the month's closes, {last.hex()}, is nowhere on chain."
        return Check(name, section, Status.FAILED, words, "/days/after")
    if Unserved.CLOSED_DAYS in facts.unserved:
        words = f"The node does not serve the events of closed days; {INSTEAD[Unserved.CLOSED_DAYS]}, and is there. "
        words += "Whether days before the first close or behind the last were left out, it does not tell."
        return Check(name, section, Status.NOT_SERVED, words)
    first = first_day(facts.period)
    events = {each.day: each for each in facts.closed_days if first <= each.day < first + days_in(facts.period)}
    wrong: Disagreement | None = None
    for index, (close, hashed, running) in enumerate(zip(closes, material.close_hashes, hashes, strict=True)):
        event, path = events.pop(day_number(close.day), None), f"/declared/closes/contents/{index}"
        if event is None:
            wrong = wrong or Disagreement(f"{close.day} was not closed on chain.", path)
        elif (event.close_hash, event.as_of_slot, event.days_hash) != (hashed, close.slot, running):
            wrong = wrong or differ(path, event.close_hash.hex(), hashed.hex())
    wrong = wrong or _wrong_opening(material)
    if events and wrong is None:
        wrong = Disagreement(f"{len(events)} days that were closed on chain are not in the report.", "/days/count")
    words = f"All {len(closes)} closes have the hash and slot that were put on chain, in one running hash."
    if len(closes) < days_in(facts.period):
        words += f" Days of the month without one, on chain or here: {days_in(facts.period) - len(closes)}."
    if material.declared.opening and material.declared.days_before == NO_DAYS:
        words += " The close before the first is on none: no day before this month was put there."
    if wrong is None and material.left_out:
        words += (
            f" {material.left_out} of them name as the one before a close that was made and left out on chain: ask "
        )
        words += "the issuer why."
        return Check(name, section, Status.STATED, words)
    return check_of(name, section, wrong, words)


def _wrong_opening(material: Material) -> Disagreement | None:
    """The opening is the last day closed on chain before the month's first; where none ever was, it is on none."""
    opening, path = material.declared.opening, "/declared/opening/content"
    before = [each for each in material.facts.closed_days if each.day < first_day(material.facts.period)]
    if not before and material.declared.days_before == NO_DAYS:
        return None
    if opening is None:
        return Disagreement(_NO_OPENING, "/declared/opening")
    if not before:
        return Disagreement(f"{path}: {opening.day} was not closed on chain, and days before the month were.", path)
    last = max(before, key=lambda each: each.day)
    found = (day_number(opening.day), opening.hash, opening.slot, material.declared.days_before)
    if (last.day, last.close_hash, last.as_of_slot, last.days_hash) == found:
        return None
    words = f"{path}: this is not the close of {day_text(last.day)}, the last put on chain before the month."
    return Disagreement(words, path, last.close_hash.hex(), opening.hash.hex())
