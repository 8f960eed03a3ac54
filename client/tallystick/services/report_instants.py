"""When each thing happened that an account keeps the time of, and which of a moment's second came before its end.

No account is ever closed (law 8), so today's accounts tell the past by their own times. A time has whole seconds and a
slot less than one: of what happened in the very second of a moment, the transaction's slot decides.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.domain.reserve_report.facts import Moment
from tallystick.program.generated import events
from tallystick.program.generated.types import OrderStatus, VetoSubject
from tallystick.program.layout import EventLayout
from tallystick.services.report_history import (
    AT_ONCE,
    events_in,
    list_since_time,
    oldest_first,
    read_transactions,
)


class Step(StrEnum):
    """What of an account has a time."""

    MADE = "made"
    """An order was opened, a fill settled, a hold placed, a role granted, an action announced."""
    APPROVED = "approved"
    """An action or a distribution, by its second key."""
    DECIDED = "decided"
    """What it came to: an order ended, an attestation in force, a hold released, an action executed."""


Mark: TypeAlias = tuple[Pubkey, Step]
"""One step of one account."""


@dataclass(frozen=True, slots=True)
class Instants:
    """Moments in their order, and for each the steps that came after it in its own second."""

    moments: tuple[Moment, ...]
    later: Mapping[Moment, frozenset[Mark]] = field(default_factory=dict)

    def is_by(self, moment: Moment, time: int, mark: Mark) -> bool:
        """Whether a step that has this time (unix seconds) had happened at the end of the moment."""
        return time < moment.time or (time == moment.time and mark not in self.later.get(moment, ()))

    def first(self, time: int, mark: Mark) -> int:
        """The place of the first moment by which it had happened; behind the last when it never had."""
        place = bisect_left(self.moments, time, key=lambda moment: moment.time)
        while place < len(self.moments) and not self.is_by(self.moments[place], time, mark):
            place += 1
        return place


@dataclass(frozen=True, slots=True)
class OrderOfSeconds:
    """What came later in the second of each moment; `unknown` are the steps there that the node did not tell of."""

    later: Mapping[Moment, frozenset[Mark]]
    unknown: Mapping[Moment, frozenset[Mark]]

    @property
    def is_served(self) -> bool:
        """Whether the node told of every step asked for."""
        return not any(self.unknown.values())


async def order_of_seconds(
    chain: Chain, moments: Sequence[Moment], marks: Iterable[tuple[int, Mark]], program_id: Pubkey
) -> OrderOfSeconds:
    """Ask, for every step whose time is a moment's second, in which slot it happened. ChainError.

    A step that the node does not tell of is not later, and `unknown`.
    """
    asked: dict[int, set[Mark]] = {moment.time: set() for moment in moments}
    for time, mark in marks:
        if time in asked:
            asked[time].add(mark)
    later: dict[Moment, frozenset[Mark]] = {}
    unknown: dict[Moment, frozenset[Mark]] = {}
    for time, wanted in asked.items():
        if not wanted:
            continue
        slots = await _slots_of(chain, {address for address, _ in wanted}, time, program_id)
        for moment in moments:
            if moment.time == time:
                later[moment] = frozenset(mark for mark in wanted if slots.get(mark, 0) > moment.slot)
                unknown[moment] = frozenset(mark for mark in wanted if mark not in slots)
    return OrderOfSeconds(later, unknown)


async def _slots_of(chain: Chain, addresses: set[Pubkey], time: int, program_id: Pubkey) -> dict[Mark, int]:
    """The slot of every step of these accounts in one second."""
    found: dict[Mark, int] = {}
    ordered = sorted(addresses, key=bytes)
    for start in range(0, len(ordered), AT_ONCE):
        part = ordered[start : start + AT_ONCE]
        listings = await asyncio.gather(*(list_since_time(chain, address, time) for address in part))
        lines = [line for listing in listings for line in listing.lines if line.block_time in (None, time)]
        async for transaction in read_transactions(chain, oldest_first(lines)):
            if transaction is None or transaction.block_time not in (None, time):
                continue
            for event in events_in(transaction, program_id):
                # An account keeps the time of the last such step, which comes last here.
                found.update((mark, transaction.slot) for mark in marks_of(event))
    return found


def marks_of(event: EventLayout) -> Iterator[Mark]:
    """The steps that an event tells of."""
    made, approved, decided = Step.MADE, Step.APPROVED, Step.DECIDED
    match event:
        case events.SubscriptionOpened() | events.RedemptionRequested():
            yield event.order, made
        case events.SubscriptionSettled() | events.RedemptionSettled():
            yield event.fill, made
            if event.status is OrderStatus.SETTLED:
                yield event.order, decided
        case events.FillCorrected():
            yield event.correction, made
        case events.SubscriptionCancelled() | events.RedemptionReturned():
            yield event.order, decided
        case events.ReserveAttested():
            yield event.attestation, decided
        case events.ActionAnnounced():
            yield event.action, made
            if event.replaces != Pubkey.default():
                yield event.replaces, decided
        case events.ActionApproved():
            yield event.action, approved
        case events.ActionExecuted() | events.ActionCancelled() | events.SecurityRetired():
            yield event.action, decided
        case events.DistributionOpened():
            yield event.distribution, made
        case events.DistributionApproved():
            yield event.distribution, approved
            yield event.action, decided
        case events.DistributionClosed():
            yield event.distribution, decided
        case events.HoldPlaced():
            yield event.hold, made
        case events.HoldReleased():
            yield event.hold, decided
        case events.SeizureProposed():
            yield event.seizure, made
        case events.HoldingSeized():
            yield event.seizure, decided
        case events.RoleGranted():
            yield event.role, made
        case events.RoleRevoked():
            yield event.role, decided
        case events.ChangeVetoed() if event.kind is VetoSubject.ROLE:
            yield event.subject, decided
        case _:
            return


__all__ = ["Instants", "Mark", "OrderOfSeconds", "Step", "marks_of", "order_of_seconds"]
