"""What every section is made from: facts and declaration side by side, looked up by security and by day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from tallystick.domain.canonical import CanonicalValue
from tallystick.domain.closes import NO_PREVIOUS, DailyClose, SecurityClose
from tallystick.domain.report_anchors import day_number, days_hash
from tallystick.domain.reserve_report.declared import Declared
from tallystick.domain.reserve_report.facts import (
    AttestationFacts,
    PublicationFacts,
    ReportFacts,
    SecurityAt,
    SecurityFacts,
)
from tallystick.domain.reserve_report.values import month_of
from tallystick.errors import InputError

Row: TypeAlias = dict[str, CanonicalValue]


@dataclass(frozen=True, slots=True)
class Material:
    """Facts and declaration of one report. InputError when they are not of the same period and moments."""

    facts: ReportFacts
    declared: Declared
    close_hashes: tuple[bytes, ...] = field(init=False)
    """Of each close of the month, in their order."""

    def __post_init__(self) -> None:
        facts, declared = self.facts, self.declared
        if facts.period != declared.period:
            raise InputError(f"The declaration is of {declared.period}, the chain's figures of {facts.period}.")
        if not declared.closes:
            raise InputError("A report needs at least one daily close.", hint="Close a day with: tally close")
        moments = tuple((each.slot, each.time) for each in facts.moments)
        closes = tuple((each.slot, each.block_time) for each in declared.closes)
        if moments != closes or moments[-1] != (facts.as_of.slot, facts.as_of.time):
            raise InputError(
                "The moments of the chain's figures are not those of the declared closes.",
                hint="Read the chain at the slot and time of each close of the month.",
            )
        opening = declared.opening
        if (opening and (opening.slot, opening.block_time)) != (
            facts.opening and (facts.opening.slot, facts.opening.time)
        ):
            raise InputError("The opening of the chain's figures is not that of the declared opening close.")
        if any(len(security.days) != len(moments) for security in facts.securities):
            raise InputError("A security has not one figure for each of the report's moments.")
        object.__setattr__(self, "close_hashes", tuple(each.hash for each in declared.closes))

    @property
    def close(self) -> DailyClose:
        """The as-of close."""
        return self.declared.closes[-1]

    @property
    def running_hashes(self) -> list[bytes]:
        """The running hash of closed days after each close of the month (report_anchors.py)."""
        running, hashes = self.declared.days_before, list[bytes]()
        for close, hashed in zip(self.declared.closes, self.close_hashes, strict=True):
            running = days_hash(running, day_number(close.day), hashed, close.slot)
            hashes.append(running)
        return hashes

    @property
    def left_out(self) -> int:
        """How many of the closes name as the one before a close that was left out on chain."""
        opening = self.declared.opening
        before = (opening.hash if opening else NO_PREVIOUS, *self.close_hashes)
        return sum(close.previous != each for close, each in zip(self.declared.closes, before, strict=False))

    @property
    def now(self) -> int:
        """The as-of time."""
        return self.facts.as_of.time

    @property
    def month(self) -> tuple[int, int]:
        """The first second of the month, and the first after it."""
        return month_of(self.facts.period)

    @property
    def begins(self) -> int:
        """The time of the opening, else the second before the month: what is of the month is later."""
        return self.facts.opening.time if self.facts.opening else self.month[0] - 1

    @property
    def securities(self) -> tuple[SecurityFacts, ...]:
        """In the order of ISIN, then mint."""
        return tuple(sorted(self.facts.securities, key=lambda each: (each.isin, each.mint)))

    def closed(self, security: SecurityFacts, close: DailyClose | None = None) -> SecurityClose | None:
        """A security's part of a close, else of the as-of close."""
        found = (each for each in (close or self.close).securities if each.mint == security.mint)
        return next(found, None)

    def attestation(self, security: SecurityFacts, figures: SecurityAt) -> AttestationFacts | None:
        """The attestation that was in force with these figures."""
        found = (each for each in security.attestations if each.content_hash == figures.attestation)
        return next(found, None) if any(figures.attestation) else None

    def attested(self, security: SecurityFacts, figures: SecurityAt) -> int:
        """The reserve in force less the shares redeemed since its as-of: what law 1 counts (state/security.rs)."""
        attestation = self.attestation(security, figures)
        since = figures.redeemed - attestation.redeemed if attestation else 0
        return max(0, figures.reserve - max(0, since))

    def on_statements(self, security: SecurityFacts, close: DailyClose | None = None) -> int | None:
        """Free shares on the statements that a close rests on; None where it rests on none."""
        part = self.closed(security, close)
        return sum(each.quantity for each in part.statements) if part and part.statements else None

    def timing(self, security: SecurityFacts, day: str) -> int:
        """What movements between statements and chain add at the close of a day."""
        return sum(each.amount for each in self.declared.timing if (each.day, each.isin) == (day, security.isin))

    @property
    def own_publication(self) -> PublicationFacts | None:
        """The publication of this version, once it is on chain."""
        wanted = (self.declared.period, self.declared.version)
        return next((each for each in self.facts.publications if (each.period, each.version) == wanted), None)

    @property
    def previous_publication(self) -> PublicationFacts | None:
        """The issuer's publication before this version, of any month; the last one while this is not published."""
        own, before = self.own_publication, None
        for each in self.facts.publications:
            if each is own:
                break
            before = each
        return before

    @property
    def corrected_publication(self) -> PublicationFacts | None:
        """The version before of the same month; None for version 1. InputError when it is not on chain."""
        if self.declared.version == 1:
            return None
        wanted = (self.declared.period, self.declared.version - 1)
        for each in self.facts.publications:
            if (each.period, each.version) == wanted:
                return each
        raise InputError(f"Version {self.declared.version} corrects version {wanted[1]}, which is not on chain.")


def titled(security: SecurityFacts) -> Row:
    """What every row of a security begins with."""
    return {"isin": security.isin, "ticker": security.ticker, "decimals": security.decimals}


def with_figures(material: Material, figures: Sequence[SecurityAt]) -> Iterator[tuple[SecurityFacts, SecurityAt]]:
    """Each security with its figures, given in the order of the facts; in the order of the document."""
    by_address = {each.address: figure for each, figure in zip(material.facts.securities, figures, strict=True)}
    for security in material.securities:
        yield security, by_address[security.address]
