"""What of a security's accounts belongs in a month's report, each as it was at the as-of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from solders.pubkey import Pubkey

from tallystick.domain.reserve_report.facts import (
    ActionFacts,
    ApprovalFacts,
    AttestationFacts,
    FillFacts,
    HoldFacts,
    Moment,
    MovementFacts,
    OrderFacts,
    OrderOutcome,
    RoleFacts,
    SeizureFacts,
)
from tallystick.program.generated.accounts import Attestation, Order, Role, Seizure
from tallystick.program.generated.types import (
    ActionStatus,
    Direction,
    FillKind,
    OrderKind,
    OrderStatus,
    RoleKind,
    SeizureStatus,
)
from tallystick.program.text import decode_text
from tallystick.services.report_figures import Records, in_force_order
from tallystick.services.report_instants import Instants, Step
from tallystick.services.report_lives import Life, turn_at

SCOPES: Final = ((1, "mint"), (2, "redeem"), (4, "transfer"))
"""Bits of a hold's scope (programs/tallystick/src/state/hold.rs)."""


@dataclass(frozen=True, slots=True)
class Month:
    """A month from its opening, which is not in it, to its as-of, which is; `until` is the first second (unix) of the
    next month.

    The opening is that of the close before the month's first, else the second before the month. `instants` knows what
    came first within the seconds of these moments.
    """

    opening: Moment
    until: int
    as_of: Moment
    instants: Instants

    def is_by(self, time: int, address: Pubkey, step: Step) -> bool:
        """Whether a step had happened by the as-of; one without a time never has."""
        return time > 0 and self.instants.is_by(self.as_of, time, (address, step))

    def is_earlier(self, time: int, address: Pubkey, step: Step) -> bool:
        """Whether a step had happened by the opening; one without a time never has."""
        return time > 0 and self.instants.is_by(self.opening, time, (address, step))

    def touches(self, *times: int) -> bool:
        """Whether one of these dates (unix seconds), which have no slots, is in the month."""
        return any(self.opening.time < time < max(self.until, self.as_of.time + 1) for time in times)


def scope_names(scope: int) -> tuple[str, ...]:
    """What a hold stops, in words."""
    return tuple(name for bit, name in SCOPES if scope & bit)


def fill_facts(records: Records, month: Month) -> tuple[FillFacts, ...]:
    """Fills settled in the month by the as-of."""
    found = (
        FillFacts(
            address=bytes(address),
            kind=fill.kind.name.lower(),
            movement=bytes(fill.movement),
            order=bytes(fill.order),
            shares=fill.shares,
            raw=fill.raw,
            multiplier=fill.multiplier,
            settled_at=fill.settled_at,
            corrects=bytes(fill.corrects),
        )
        for address, fill in records.fills.items()
        if not month.is_earlier(fill.settled_at, address, Step.MADE)
        and month.is_by(fill.settled_at, address, Step.MADE)
    )
    return tuple(sorted(found, key=lambda each: (each.settled_at, each.address)))


def movement_facts(records: Records, month: Month) -> tuple[MovementFacts, ...]:
    """Movements of the month's fills. A correction leaves its movement as used as it was."""
    used: set[Pubkey] = set()
    allocated: dict[Pubkey, int] = {}
    for address, fill in records.fills.items():
        if not month.is_by(fill.settled_at, address, Step.MADE):
            continue
        if not month.is_earlier(fill.settled_at, address, Step.MADE):
            used.add(fill.movement)
        if fill.kind is not FillKind.CORRECTION:
            allocated[fill.movement] = allocated.get(fill.movement, 0) + fill.shares
    found = (
        MovementFacts(
            address=bytes(address),
            reference_hash=movement.reference_hash,
            direction="receipt" if movement.direction is Direction.IN else "delivery",
            shares=movement.shares,
            allocated=allocated.get(address, 0),
            recorded_at=movement.recorded_at,
        )
        for address, movement in records.movements.items()
        if address in used
    )
    return tuple(sorted(found, key=lambda each: (each.recorded_at, each.address)))


def order_facts(records: Records, month: Month) -> tuple[OrderFacts, ...]:
    """Orders opened by the as-of that were open or ended in the month."""
    filled: dict[Pubkey, int] = {}
    for address, fill in records.fills.items():
        if fill.kind is not FillKind.CORRECTION and month.is_by(fill.settled_at, address, Step.MADE):
            amount = fill.shares if fill.kind is FillKind.MINT else fill.raw
            filled[fill.order] = filled.get(fill.order, 0) + amount
    found: list[OrderFacts] = []
    for address, order in records.orders.items():
        if not month.is_by(order.opened_at, address, Step.MADE):
            continue
        outcome, ended_at, reason = _outcome(address, order, month)
        if outcome is not OrderOutcome.OPEN and _had_ended(address, order, ended_at, month):
            continue
        found.append(
            OrderFacts(
                address=bytes(address),
                kind=order.kind.name.lower(),
                holder=bytes(order.holder),
                quantity=order.quantity,
                filled=filled.get(address, 0),
                opened_at=order.opened_at,
                outcome=outcome,
                ended_at=ended_at,
                reason_code=reason,
                is_carried=month.is_earlier(order.opened_at, address, Step.MADE),
            )
        )
    return tuple(sorted(found, key=lambda each: (each.opened_at, each.address)))


def _outcome(address: Pubkey, order: Order, month: Month) -> tuple[OrderOutcome, int, int]:
    """What had become of an order, when, and for which reason. A subscription ends with its deadline: nothing can be
    settled after it, whenever somebody cancels it."""
    is_subscription = order.kind is OrderKind.SUBSCRIPTION
    has_ended = order.status in _ENDED and month.is_by(order.status_at, address, Step.DECIDED)
    if has_ended and order.status is OrderStatus.SETTLED:
        return OrderOutcome.SETTLED, order.status_at, 0
    if is_subscription and order.settle_by < min(month.as_of.time, order.status_at if has_ended else month.as_of.time):
        return OrderOutcome.CANCELLED, order.settle_by, order.reason_code if has_ended else 0
    if has_ended:
        outcome = OrderOutcome.CANCELLED if is_subscription else OrderOutcome.RETURNED
        return outcome, order.status_at, order.reason_code
    return OrderOutcome.OPEN, 0, 0


def _had_ended(address: Pubkey, order: Order, ended_at: int, month: Month) -> bool:
    """Whether an order that ended then had ended by the opening. A deadline is over behind its second, whatever the
    slot: in it the order can still be settled."""
    has_lapsed = order.kind is OrderKind.SUBSCRIPTION and ended_at == order.settle_by and ended_at != order.status_at
    return ended_at < month.opening.time if has_lapsed else month.is_earlier(ended_at, address, Step.DECIDED)


_ENDED: Final = (OrderStatus.SETTLED, OrderStatus.CANCELLED, OrderStatus.WITHDRAWN)


def attestation_facts(records: Records, month: Month, attestors: Mapping[Pubkey, Role]) -> tuple[AttestationFacts, ...]:
    """Attestations in force at a moment of the month, in the order they came in force: the one that was at its start,
    and those since. `attestors` are role accounts by key."""
    ordered = [
        (address, each)
        for address, each in in_force_order(records.attestations)
        if month.is_by(each.in_force_at, address, Step.DECIDED)
    ]
    earlier = sum(month.is_earlier(each.in_force_at, address, Step.DECIDED) for address, each in ordered)
    return tuple(
        AttestationFacts(
            address=bytes(address),
            content_hash=each.content_hash,
            as_of=each.as_of,
            shares=each.shares,
            redeemed=each.redeemed,
            in_force_at=each.in_force_at,
            threshold=each.approval_count,
            approvals=_approvals(each, attestors),
        )
        for address, each in ordered[max(earlier - 1, 0) :]
    )


def _approvals(attestation: Attestation, attestors: Mapping[Pubkey, Role]) -> tuple[ApprovalFacts, ...]:
    return tuple(
        ApprovalFacts(
            bytes(each.attestor),
            each.received_hash,
            each.approved_at,
            _was_in_force(attestors.get(each.attestor), each.approved_at),
        )
        for each in attestation.approvals[: attestation.approval_count]
    )


def _was_in_force(role: Role | None, time: int) -> bool:
    """Whether a role was in force in a second. Of grants before the last the account says only until when they were."""
    if role is None:
        return False
    return role.in_force_from <= time <= role.ends_at or (time < role.granted_at and time <= role.served_until)


def action_facts(records: Records, lives: Mapping[Pubkey, Life], month: Month) -> tuple[ActionFacts, ...]:
    """Actions announced by the as-of that became something in the month, or of which a date is in it."""
    found: list[ActionFacts] = []
    for address, action in records.actions.items():
        life = lives[address]
        turn = turn_at(life, address, month.as_of, month.instants)
        if turn is None:
            continue
        terms = action.terms
        approved_at = action.approved_at if month.is_by(action.approved_at, address, Step.APPROVED) else 0
        dates = (terms.ex_at, terms.record_at, terms.pay_at, terms.effective_at)
        if turn == turn_at(life, address, month.opening, month.instants) and not month.touches(*dates):
            continue
        was_executed = turn.status is ActionStatus.EXECUTED or (
            turn.status in (ActionStatus.CANCELLED, ActionStatus.REPLACED) and action.multiplier_after != 0
        )
        found.append(
            ActionFacts(
                address=bytes(address),
                security=bytes(action.security),
                event_hash=action.event_hash,
                version=action.action_version,
                replaces=bytes(action.replaces),
                kind=action.kind.name.lower(),
                status=turn.status.name.lower(),
                announced_at=action.announced_at,
                approved_at=approved_at,
                status_at=turn.time,
                ex_at=terms.ex_at,
                record_at=terms.record_at,
                pay_at=terms.pay_at,
                effective_at=terms.effective_at,
                numerator=terms.numerator,
                denominator=terms.denominator,
                gross_per_share=terms.gross_per_share,
                currency=decode_text(terms.currency, "currency"),
                withholding=terms.withholding,
                multiplier_before=action.multiplier_before if was_executed else 0,
                multiplier_after=action.multiplier_after if was_executed else 0,
            )
        )
    return tuple(sorted(found, key=lambda each: (each.announced_at, each.address)))


def hold_facts(records: Records, month: Month) -> tuple[HoldFacts, ...]:
    """Holds that covered a moment of the month. One that expired holds until somebody releases it."""
    found = []
    for address, hold in records.holds.items():
        released_at = hold.released_at if month.is_by(hold.released_at, address, Step.DECIDED) else 0
        if not month.is_by(hold.placed_at, address, Step.MADE) or month.is_earlier(released_at, address, Step.DECIDED):
            continue
        found.append(
            HoldFacts(
                address=bytes(address),
                owner=bytes(hold.owner),
                owner_kind=hold.owner_kind.name.lower(),
                scopes=scope_names(hold.scope),
                reason_code=hold.reason_code,
                placed_at=hold.placed_at,
                expires_at=0 if hold.expires_at == NEVER else hold.expires_at,
                released_at=released_at,
            )
        )
    return tuple(sorted(found, key=lambda each: (each.placed_at, each.address)))


def seizure_facts(seizures: Mapping[Pubkey, Seizure], month: Month) -> tuple[SeizureFacts, ...]:
    """Seizures proposed or executed in the month by the as-of."""
    found = []
    for address, seizure in seizures.items():
        executed_at = seizure.executed_at if month.is_by(seizure.executed_at, address, Step.DECIDED) else 0
        if not month.is_by(seizure.proposed_at, address, Step.MADE):
            continue
        is_earlier = month.is_earlier(seizure.proposed_at, address, Step.MADE)
        if is_earlier and (not executed_at or month.is_earlier(executed_at, address, Step.DECIDED)):
            continue
        status = SeizureStatus.EXECUTED if executed_at else SeizureStatus.PROPOSED
        found.append(
            SeizureFacts(
                address=bytes(address),
                wallet=bytes(seizure.wallet),
                raw=seizure.raw,
                reason_code=seizure.reason_code,
                status=status.name.lower(),
                proposed_at=seizure.proposed_at,
                executed_at=executed_at,
            )
        )
    return tuple(sorted(found, key=lambda each: (each.proposed_at, each.address)))


def role_facts(roles: Iterable[tuple[Pubkey, Role]], delay: int, month: Month) -> tuple[RoleFacts, ...]:
    """Roles granted by the as-of, each as it was then. `delay` is the issuer's."""
    found = [
        RoleFacts(
            kind=role.kind.name.lower(),
            holder=bytes(role.holder),
            granted_at=role.granted_at,
            in_force_from=role.in_force_from,
            ends_at=role.ends_at if month.is_by(revoked_at(role, delay), address, Step.DECIDED) else 0,
            grants=role.grants,
        )
        for address, role in roles
        if month.is_by(role.granted_at, address, Step.MADE)
    ]
    return tuple(sorted(found, key=lambda each: (each.granted_at, each.kind, each.holder)))


def revoked_at(role: Role, delay: int) -> int:
    """When somebody ended a role (unix seconds), 0 while nobody has. A guardian's that was in force ends the issuer's
    delay later (revoke_role.rs)."""
    if role.ends_at == NEVER:
        return 0
    asked_at = role.ends_at - delay
    return asked_at if role.kind is RoleKind.GUARDIAN and asked_at >= role.in_force_from else role.ends_at


NEVER: Final = 2**63 - 1
"""The end of a role that nobody has ended."""


__all__ = [
    "NEVER",
    "Month",
    "action_facts",
    "attestation_facts",
    "fill_facts",
    "hold_facts",
    "movement_facts",
    "order_facts",
    "revoked_at",
    "role_facts",
    "scope_names",
    "seizure_facts",
]
