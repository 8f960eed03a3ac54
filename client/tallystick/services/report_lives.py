"""What a corporate action was at a moment: from its account where that is enough, else from its own transactions.

An account has the time of its last change of status, its announcement and its approval. An action that was replaced, or
executed and taken back, has been something in between at a time that it no longer says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.domain.reserve_report.facts import Moment
from tallystick.program.generated import events
from tallystick.program.generated.accounts import CorporateAction
from tallystick.program.generated.types import ActionStatus
from tallystick.program.layout import EventLayout
from tallystick.services.report_history import AT_ONCE, events_in, list_since_time, oldest_first, read_transactions
from tallystick.services.report_instants import Instants, Step


@dataclass(frozen=True, slots=True)
class Turn:
    """A status that an action took at a time (unix seconds); `slot` where its transaction was read."""

    status: ActionStatus
    time: int
    slot: int | None = None


Life = tuple[Turn, ...]
"""All turns of an action, in order."""


def life_of(action: CorporateAction) -> Life:
    """The turns that the account alone tells; of one that leaves doubt, without what lay in between."""
    turns = [Turn(ActionStatus.ANNOUNCED, action.announced_at)]
    if action.approved_at:
        turns.append(Turn(ActionStatus.APPROVED, action.approved_at))
    if action.status not in (ActionStatus.ANNOUNCED, ActionStatus.APPROVED):
        turns.append(Turn(action.status, action.status_at))
    return tuple(turns)


def leaves_doubt(action: CorporateAction, moments: Sequence[Moment]) -> bool:
    """Whether at one of the moments it may have been something that its account does not say."""
    was_more = action.status is ActionStatus.REPLACED or (
        action.status is ActionStatus.CANCELLED and action.multiplier_after != 0
    )
    known = max(action.announced_at, action.approved_at)
    return was_more and any(known <= moment.time <= action.status_at for moment in moments)


def turn_at(life: Life, address: Pubkey, moment: Moment, instants: Instants) -> Turn | None:
    """The last turn by a moment; None when it was not announced yet."""
    found: Turn | None = None
    for turn in life:
        if turn.slot is not None and turn.time == moment.time:
            has_come = turn.slot <= moment.slot
        else:
            has_come = instants.is_by(moment, turn.time, (address, _STEP.get(turn.status, Step.DECIDED)))
        found = turn if has_come else found
    return found


_STEP = {ActionStatus.ANNOUNCED: Step.MADE, ActionStatus.APPROVED: Step.APPROVED}


async def read_lives(
    chain: Chain, actions: Mapping[Pubkey, CorporateAction], moments: Sequence[Moment], program_id: Pubkey
) -> tuple[dict[Pubkey, Life], bool]:
    """Every action's turns, and whether the node served what the accounts do not say. ChainError."""
    lives = {address: life_of(action) for address, action in actions.items()}
    doubtful = sorted((each for each, action in actions.items() if leaves_doubt(action, moments)), key=bytes)
    is_served = True
    for start in range(0, len(doubtful), AT_ONCE):
        part = doubtful[start : start + AT_ONCE]
        read = await asyncio.gather(*(_read_life(chain, each, actions[each], program_id) for each in part))
        for address, life in zip(part, read, strict=True):
            if life is None:
                is_served = False
            else:
                lives[address] = life
    return lives, is_served


async def _read_life(chain: Chain, address: Pubkey, action: CorporateAction, program_id: Pubkey) -> Life | None:
    """All turns from the action's own transactions; None when the node has not all of them."""
    listing = await list_since_time(chain, address, action.announced_at)
    turns: list[Turn] = []
    async for transaction in read_transactions(chain, oldest_first(listing.lines)):
        if transaction is None or transaction.block_time is None:
            return None
        for status in _statuses(address, events_in(transaction, program_id)):
            if not any(turn.status is status for turn in turns):
                turns.append(Turn(status, transaction.block_time, transaction.slot))
    is_whole = turns and turns[0].status is ActionStatus.ANNOUNCED and turns[-1].status is action.status
    return tuple(turns) if is_whole else None


def _statuses(address: Pubkey, happened: Iterable[EventLayout]) -> Iterable[ActionStatus]:
    for event in happened:
        match event:
            case events.ActionAnnounced():
                if event.action == address:
                    yield ActionStatus.ANNOUNCED
                elif event.replaces == address:
                    yield ActionStatus.REPLACED
            case events.ActionApproved(action=action) if action == address:
                yield ActionStatus.APPROVED
            case events.ActionCancelled(action=action) if action == address:
                yield ActionStatus.CANCELLED
            case (
                events.ActionExecuted(action=action)
                | events.SecurityRetired(action=action)
                | events.DistributionApproved(action=action)
            ) if action == address:
                yield ActionStatus.EXECUTED
            case _:
                continue


__all__ = ["Life", "Turn", "leaves_doubt", "life_of", "read_lives", "turn_at"]
