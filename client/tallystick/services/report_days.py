"""Anchoring the daily closes: each day that was closed in the books is closed on chain, in order, once.

The issuer's running hash says which of the stored closes are on chain: those that give it. Only what follows them is
closed, so that whoever has the closes recomputes the hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import comb
from typing import Final

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.domain.closes import DailyClose
from tallystick.domain.report_anchors import NO_DAYS, day_number, day_text, days_hash, days_hash_of
from tallystick.errors import LedgerError, Refused
from tallystick.program.addresses import role_address
from tallystick.program.generated import instructions
from tallystick.program.generated.accounts import Issuer, Role
from tallystick.program.generated.types import CloseDayParams, RoleKind
from tallystick.services.chain_reads import read_snapshot, require
from tallystick.services.plans import Action, Plan, new_action
from tallystick.services.rules import require_role

AT_ONCE: Final = 8
"""Days closed in one transaction: what fits its 1,232 bytes."""
MOST_LEFT_OUT: Final = 2
"""How many days in between are tried as left out, beside any number before the first that was closed on chain."""
MOST_HASHES: Final = 2_000_000
"""Hashes after which it is not tried: some seconds."""
DAY: Final = 86_400


def anchored_closes(issuer: Issuer, closes: Sequence[DailyClose]) -> tuple[DailyClose, ...]:
    """Those of an issuer's closes, oldest first, that are on chain: the ones that give its running hash.

    A day that was left out stays out. LedgerError when no choice of these closes gives the hash.
    """
    if not issuer.days:
        return ()
    known = [close for close in closes if day_number(close.day) <= issuer.last_day]
    steps = [(day_number(close.day), close.hash, close.slot) for close in known]
    if steps and steps[-1][0] == issuer.last_day:
        for left_out in range(MOST_LEFT_OUT + 1):
            start = len(known) - issuer.days - left_out
            if start < 0 or comb(issuer.days + left_out, left_out) * len(steps) > MOST_HASHES:
                break
            # The last day closed is on chain whatever is not.
            for omitted in combinations(range(start, len(steps) - 1), left_out):
                places = [place for place in range(start, len(steps)) if place not in omitted]
                running = NO_DAYS
                for place in places:
                    running = days_hash(running, *steps[place])
                if running == issuer.days_hash:
                    return tuple(known[place] for place in places)
    raise LedgerError(
        f"The stored closes up to {day_text(issuer.last_day)} do not give the running hash of the {issuer.days} days"
        f" closed on chain, {issuer.days_hash.hex()}.",
        hint="These are not the closes that were anchored. Restore the store they are in; compare: tally closes",
    )


async def plan_anchor_days(
    chain: Chain, closes: Sequence[DailyClose], *, payer: Pubkey, issuer: Pubkey, publisher: Pubkey
) -> Plan:
    """Close on chain every day that is closed in the books and not on chain yet. Signed by a publisher.

    `closes` are all of the issuer, oldest first, verified. A day that has not ended on the chain's clock waits. Refused
    for a key without the role; LedgerError when the stored closes are not those that were anchored before.
    """
    role = role_address(issuer, RoleKind.PUBLISHER, publisher)
    snapshot = await read_snapshot(chain, [issuer, role])
    account = snapshot.require(Issuer, issuer)
    title = "Anchor the daily closes"
    anchored = anchored_closes(account, closes)
    later = [close for close in closes if day_number(close.day) > account.last_day or not account.days]
    ready = [close for close in later if (day_number(close.day) + 1) * DAY <= snapshot.now]
    notes = [f"{close.day} has not ended yet; it is anchored after that." for close in later[len(ready) :]]
    left_out = sum(day_number(close.day) <= account.last_day for close in closes) - len(anchored)
    if left_out:
        notes.append(f"Of the stored closes {left_out} were left out on chain, and stay out.")
    if not ready:
        last = f"up to {day_text(account.last_day)}" if account.days else "none yet"
        return Plan(title, notes=(f"Every stored close that can be is on chain: {account.days}, {last}.", *notes))
    require_role(snapshot.find(Role, role), RoleKind.PUBLISHER, publisher, snapshot.now)
    _require_reached(ready, snapshot.slot)
    actions: list[Action] = []
    running = account.days_hash if account.days else NO_DAYS
    for start in range(0, len(ready), AT_ONCE):
        part = ready[start : start + AT_ONCE]
        running = days_hash_of(part, previous=running)
        calls = tuple(_call(close, publisher, role, issuer) for close in part)
        actions.append(_action(chain, part, running, calls, payer, issuer, publisher))
    return Plan(title, tuple(actions), tuple(notes))


def _require_reached(closes: Sequence[DailyClose], slot: int) -> None:
    ahead = next((close for close in closes if close.slot > slot), None)
    if ahead is not None:
        raise Refused(
            f"The close of {ahead.day} is of slot {ahead.slot}; this cluster is at slot {slot}.",
            hint="The closes are of another cluster, or the node is behind. Nothing was signed.",
        )


def _call(close: DailyClose, publisher: Pubkey, role: Pubkey, issuer: Pubkey) -> Instruction:
    params = CloseDayParams(day=day_number(close.day), close_hash=close.hash, as_of_slot=close.slot)
    return instructions.close_day(publisher=publisher, role=role, issuer=issuer, params=params)


def _action(
    chain: Chain,
    closes: Sequence[DailyClose],
    running: bytes,
    calls: tuple[Instruction, ...],
    payer: Pubkey,
    issuer: Pubkey,
    publisher: Pubkey,
) -> Action:
    first, last = closes[0].day, closes[-1].day

    async def is_done() -> bool:
        found = await require(chain, Issuer, issuer)
        # What was closed behind these days is compared by the next plan.
        return found.last_day > day_number(last) or found.days_hash == running

    return new_action(
        f"anchor-days:{issuer}:{day_number(last)}:{running[:8].hex()}",
        f"Close {first} on chain" if len(closes) == 1 else f"Close {len(closes)} days on chain, {first} to {last}",
        calls,
        payer,
        (publisher, "publisher"),
        is_done=is_done,
        is_guarded=True,
    )


__all__ = ["anchored_closes", "plan_anchor_days"]
