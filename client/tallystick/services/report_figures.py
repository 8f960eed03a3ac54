"""A security's figures at moments of the past, recomputed from its accounts as they are now.

Fills, orders, attestations and actions are never closed and carry their times; the Security account keeps the same
figures as counters, of now alone. What is recomputed for now must therefore equal the counters.
Semantics: programs/tallystick/src/state/security.rs and the instructions of orders.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from solders.pubkey import Pubkey

from tallystick.domain.amounts import MULTIPLIER_ONE
from tallystick.domain.reserve_report.facts import SecurityAt
from tallystick.errors import LedgerError
from tallystick.program.generated.accounts import (
    Attestation,
    CorporateAction,
    Distribution,
    Fill,
    Hold,
    Movement,
    Order,
    Security,
    Seizure,
)
from tallystick.program.generated.types import ActionStatus, FillKind, OrderKind, OrderStatus
from tallystick.services.report_instants import Instants, Mark, Step
from tallystick.services.report_lives import Life, life_of, turn_at

NOTHING: Final = SecurityAt(0, 0, 0, 0, 0, 0, bytes(32), MULTIPLIER_ONE)
"""Before there was a security, and of one with which nothing has happened yet: accounts do not tell the two apart."""


@dataclass(frozen=True, slots=True)
class Records:
    """Everything that one security's accounts say, as they are now."""

    attestations: Mapping[Pubkey, Attestation] = field(default_factory=dict)
    orders: Mapping[Pubkey, Order] = field(default_factory=dict)
    movements: Mapping[Pubkey, Movement] = field(default_factory=dict)
    fills: Mapping[Pubkey, Fill] = field(default_factory=dict)
    holds: Mapping[Pubkey, Hold] = field(default_factory=dict)
    actions: Mapping[Pubkey, CorporateAction] = field(default_factory=dict)
    seizures: Mapping[Pubkey, Seizure] = field(default_factory=dict)
    distributions: Mapping[Pubkey, Distribution] = field(default_factory=dict)

    def marks(self) -> Iterator[tuple[int, Mark]]:
        """Every step that one of them keeps the time of."""
        made, approved, decided = Step.MADE, Step.APPROVED, Step.DECIDED
        yield from ((each.settled_at, (address, made)) for address, each in self.fills.items())
        for address, order in self.orders.items():
            yield order.opened_at, (address, made)
            if order.status not in (OrderStatus.OPEN, OrderStatus.ACCEPTED):
                yield order.status_at, (address, decided)
        for address, attestation in self.attestations.items():
            if attestation.in_force_at:
                yield attestation.in_force_at, (address, decided)
        for address, action in self.actions.items():
            for turn in life_of(action):
                yield turn.time, (address, _STEPS.get(turn.status, decided))
        for address, hold in self.holds.items():
            yield hold.placed_at, (address, made)
            if hold.released_at:
                yield hold.released_at, (address, decided)
        for address, seizure in self.seizures.items():
            yield seizure.proposed_at, (address, made)
            if seizure.executed_at:
                yield seizure.executed_at, (address, decided)
        for address, distribution in self.distributions.items():
            yield distribution.opened_at, (address, made)
            if distribution.approved_at:
                yield distribution.approved_at, (address, approved)
            if distribution.closed_at:
                yield distribution.closed_at, (address, decided)

    def additions(self) -> Iterator[Mark]:
        """The steps among them that add to supply or escrow."""
        yield from ((address, Step.MADE) for address, each in self.fills.items() if each.kind is FillKind.MINT)
        yield from ((address, Step.MADE) for address, each in self.orders.items() if each.kind is OrderKind.REDEMPTION)


_STEPS: Final = {ActionStatus.ANNOUNCED: Step.MADE, ActionStatus.APPROVED: Step.APPROVED}


def figures_at(records: Records, lives: Mapping[Pubkey, Life], instants: Instants) -> tuple[SecurityAt, ...]:
    """The figures at each of the instants' moments, in their order."""
    minted, burnt, redeemed = _fill_sums(records, instants)
    escrow = _escrow_sums(records, instants)
    attested = _attested(records, instants)
    found = []
    for place, _ in enumerate(instants.moments):
        attestation = attested[place]
        multiplier, pending, pending_at = _multiplier(records, lives, instants, place)
        found.append(
            SecurityAt(
                minted=minted[place],
                burnt=burnt[place],
                escrow=escrow[place],
                redeemed=redeemed[place],
                reserve=attestation.shares if attestation else 0,
                reserve_as_of=attestation.as_of if attestation else 0,
                attestation=attestation.content_hash if attestation else bytes(32),
                multiplier=multiplier,
                pending_multiplier=pending,
                pending_at=pending_at,
            )
        )
    return tuple(found)


def in_force_order(attestations: Mapping[Pubkey, Attestation]) -> tuple[tuple[Pubkey, Attestation], ...]:
    """Attestations that came in force, in the order in which they did: by as-of, and of one as-of each behind the one
    that it replaced (Security::require_newer)."""
    in_force = {address: each for address, each in attestations.items() if each.in_force_at}
    depths: dict[Pubkey, int] = {}
    for address, attestation in in_force.items():
        depth, before = 0, in_force.get(attestation.supersedes)
        while before is not None and before.as_of == attestation.as_of:
            depth, before = depth + 1, in_force.get(before.supersedes)
        depths[address] = depth
    ordered = sorted(in_force.items(), key=lambda item: (item[1].as_of, depths[item[0]]))
    return tuple(ordered)


def require_counters(
    figures: SecurityAt, address: Pubkey, security: Security, attestations: Mapping[Pubkey, Attestation], now: int
) -> None:
    """LedgerError naming the first figure of now that is not what the Security account says."""
    attestation = attestations.get(security.attestation)
    has_matured = 0 < security.multiplier_effective_at <= now
    is_pending = security.multiplier_effective_at > now
    expected = SecurityAt(
        minted=security.minted,
        burnt=security.burnt,
        escrow=security.escrowed,
        redeemed=security.redeemed,
        reserve=security.reserve,
        reserve_as_of=security.reserve_as_of,
        attestation=attestation.content_hash if attestation else bytes(32),
        multiplier=security.pending_multiplier if has_matured else security.multiplier,
        pending_multiplier=security.pending_multiplier if is_pending else 0,
        pending_at=security.multiplier_effective_at if is_pending else 0,
    )
    for name in SecurityAt.__slots__:
        ours, theirs = getattr(figures, name), getattr(expected, name)
        if ours != theirs:
            raise LedgerError(
                f"Security {address}: its accounts come to {name} {_text(ours)}, the security itself says"
                f" {_text(theirs)}.",
                hint="The node did not list every account of the program; ask another one.",
            )


def _text(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _fill_sums(records: Records, instants: Instants) -> tuple[list[int], list[int], list[int]]:
    """Raw units minted, raw units burnt (corrections are burnt), and shares redeemed: a correction redeems none."""
    minted, burnt, redeemed = (_steps(instants) for _ in range(3))
    for address, fill in records.fills.items():
        place = instants.first(fill.settled_at, (address, Step.MADE))
        (minted if fill.kind is FillKind.MINT else burnt)[place] += fill.raw
        if fill.kind is FillKind.BURN:
            redeemed[place] += fill.shares
    return list(accumulate(minted)), list(accumulate(burnt)), list(accumulate(redeemed))


def _escrow_sums(records: Records, instants: Instants) -> list[int]:
    """Raw units of redemptions under way: what was asked, less what was burnt, less what was returned."""
    escrow = _steps(instants)
    for address, order in records.orders.items():
        if order.kind is not OrderKind.REDEMPTION:
            continue
        escrow[instants.first(order.opened_at, (address, Step.MADE))] += order.quantity
        if order.status in (OrderStatus.CANCELLED, OrderStatus.WITHDRAWN):
            escrow[instants.first(order.status_at, (address, Step.DECIDED))] -= order.quantity - order.filled
    for address, fill in records.fills.items():
        if fill.kind is FillKind.BURN:
            escrow[instants.first(fill.settled_at, (address, Step.MADE))] -= fill.raw
    return list(accumulate(escrow))


def _attested(records: Records, instants: Instants) -> list[Attestation | None]:
    """The attestation in force at each moment."""
    found: list[Attestation | None] = [None] * len(instants.moments)
    for address, attestation in in_force_order(records.attestations):
        first = instants.first(attestation.in_force_at, (address, Step.DECIDED))
        found[first:] = [attestation] * (len(found) - first)
    return found


def _multiplier(records: Records, lives: Mapping[Pubkey, Life], instants: Instants, place: int) -> tuple[int, int, int]:
    """The multiplier in force at a moment, and the one that waited with its time; zeros where none did."""
    moment = instants.moments[place]
    in_force, since, pending, pending_at = MULTIPLIER_ONE, 0, 0, 0
    for address, action in records.actions.items():
        if not action.multiplier_after:
            continue
        turn = turn_at(lives[address], address, moment, instants)
        if turn is None or turn.status is not ActionStatus.EXECUTED:
            continue
        effective_at = action.terms.effective_at
        if effective_at > moment.time:
            pending, pending_at = action.multiplier_after, effective_at
        elif effective_at > since:
            in_force, since = action.multiplier_after, effective_at
    return in_force, pending, pending_at


def _steps(instants: Instants) -> list[int]:
    """A change for each moment, and one for what came after all of them."""
    return [0] * (len(instants.moments) + 1)


__all__ = ["NOTHING", "Records", "figures_at", "in_force_order", "require_counters"]
