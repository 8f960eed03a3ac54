"""Distributions as they were at the as-of: today's account, less what its own transactions paid and funded since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.domain.reserve_report.facts import DistributionFacts
from tallystick.program.generated import events
from tallystick.program.generated.accounts import Distribution
from tallystick.program.generated.types import DistributionStatus
from tallystick.program.layout import EventLayout
from tallystick.services.report_history import (
    Progress,
    events_in,
    list_since_slot,
    list_since_time,
    oldest_first,
    read_transactions,
)
from tallystick.services.report_instants import Step
from tallystick.services.report_lists import Month
from tallystick.services.report_log import makes


@dataclass(slots=True)
class _Since:
    """What a distribution's transactions behind a slot did, in raw units and entries."""

    funded: int = 0
    paid: int = 0
    entries: int = 0
    refunded: int = 0

    def see(self, event: EventLayout) -> None:
        match event:
            case events.DistributionFunded():
                self.funded += event.raw
            case events.BatchPaid():
                self.paid += event.raw
                self.entries += event.paid.bit_count()
            case events.EntitlementPaid():
                self.paid += event.raw
                self.entries += 1
            case events.DistributionClosed():
                self.refunded = event.refunded
            case _:
                return


async def distributions_then(
    chain: Chain,
    distributions: Mapping[Pubkey, Distribution],
    month: Month,
    program_id: Pubkey,
    progress: Progress | None = None,
) -> tuple[tuple[DistributionFacts, ...], bool]:
    """Distributions opened by the as-of and not closed before the month, and whether the node served all of their
    transactions that this takes. What is not served is given as it is now. ChainError."""
    wanted = {
        address: each
        for address, each in distributions.items()
        if month.is_by(each.opened_at, address, Step.MADE)
        and not month.is_earlier(each.closed_at, address, Step.DECIDED)
    }
    found: list[DistributionFacts] = []
    is_served = True
    for done, (address, each) in enumerate(wanted.items()):
        is_closed = month.is_by(each.closed_at, address, Step.DECIDED)
        since = await _refund(chain, address, each.closed_at, program_id) if is_closed else None
        if since is None:
            since = await _since(chain, address, month.as_of.slot, program_id)
            is_served = is_served and since is not None and not is_closed
        found.append(_facts(address, each, since or _Since(), month, is_closed=is_closed))
        if progress is not None:
            progress("distributions", done + 1, len(wanted))
    return tuple(sorted(found, key=lambda each: (each.opened_at, each.address))), is_served


def _facts(address: Pubkey, each: Distribution, since: _Since, month: Month, *, is_closed: bool) -> DistributionFacts:
    approved_at = each.approved_at if month.is_by(each.approved_at, address, Step.APPROVED) else 0
    status = DistributionStatus.APPROVED if approved_at else DistributionStatus.OPEN
    return DistributionFacts(
        address=bytes(address),
        security=bytes(each.security),
        action=bytes(each.action),
        number=each.number,
        payment_mint=bytes(each.payment_mint),
        payment_decimals=each.payment_decimals,
        root=each.root,
        entries=each.entries,
        total=each.total,
        funded=each.funded - since.funded,
        paid=each.paid - since.paid,
        paid_entries=each.paid_entries - since.entries,
        refunded=since.refunded if is_closed else 0,
        status=(DistributionStatus.CLOSED if is_closed else status).name.lower(),
        opened_at=each.opened_at,
        approved_at=approved_at,
        expires_at=each.expires_at,
        closed_at=each.closed_at if is_closed else 0,
    )


async def _since(chain: Chain, address: Pubkey, slot: int, program_id: Pubkey) -> _Since | None:
    """What happened behind a slot; None when the node has not all of it."""
    listing = await list_since_slot(chain, address, slot)
    since, is_made = _Since(), listing.reaches
    async for transaction in read_transactions(chain, oldest_first(listing.lines)):
        if transaction is None:
            return None
        for event in events_in(transaction, program_id):
            is_made = is_made or address in makes(event)
            if getattr(event, "distribution", None) == address:
                since.see(event)
    return since if is_made else None


async def _refund(chain: Chain, address: Pubkey, closed_at: int, program_id: Pubkey) -> _Since | None:
    """What the close sent back, which its event alone says; None when the node has it no more."""
    listing = await list_since_time(chain, address, closed_at)
    async for transaction in read_transactions(chain, oldest_first(listing.lines)):
        for event in events_in(transaction, program_id) if transaction is not None else ():
            if isinstance(event, events.DistributionClosed) and event.distribution == address:
                return _Since(refunded=event.refunded)
    return None


__all__ = ["distributions_then"]
