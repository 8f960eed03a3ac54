"""Drawing the day of a month that the report looks at a second time: requested first, drawn by a slot that comes later.

The chain remembers its last 512 slots. A draw that nobody made within that time is requested anew, and the account
counts it; so requesting, waiting and drawing are one use case.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.clock import Clock, instant
from tallystick.domain.report_anchors import day_text, days_in, first_day, period_text
from tallystick.errors import LedgerError, Refused
from tallystick.program.addresses import draw_address, role_address
from tallystick.program.generated import instructions
from tallystick.program.generated.accounts import DayDraw, Issuer, Role
from tallystick.program.generated.constants import SLOT_HASHES
from tallystick.program.generated.errors import DrawFinal, DrawMissed, DrawPending, DrawTooEarly
from tallystick.program.generated.types import RequestDrawParams, RoleKind
from tallystick.services.chain_reads import Snapshot, read_snapshot, require
from tallystick.services.plans import Plan, new_action
from tallystick.services.rules import require_role

CAPACITY: Final = 512
"""Slots that the chain's record has once the chain is that old (programs/tallystick/src/slot_hashes.rs)."""
SLOT_SECONDS: Final = 0.4
LOOK_AGAIN: Final = 5
"""Slots after which the wait is told anew: somebody else may have drawn meanwhile."""
ATTEMPTS: Final = 5
"""Requests of one run after which somebody has to look why each was missed."""
DAY: Final = 86_400
_HEADER, _ENTRY = 8, 40

CarryOut: TypeAlias = Callable[[Plan], Awaitable[None]]
"""Signs and sends a plan; returns once its effect is on chain, or raises what refused it."""


class DrawState(Enum):
    """How far a draw is."""

    UNREQUESTED = "not requested"
    WAITING = "no slot at or after the target has a hash yet"
    READY = "the target's hash is there"
    MISSED = "the chain no longer has the target's hash"
    DRAWN = "drawn"


@dataclass(frozen=True, slots=True)
class DrawSeen:
    """A draw and how far it is, both at `slot`. None while it was never requested."""

    draw: DayDraw | None
    state: DrawState
    slot: int

    @property
    def slots_left(self) -> int:
        """Slots until the one behind the target, by which its hash is known."""
        return max(0, self.draw.target_slot + 1 - self.slot) if self.draw else 0


async def read_draw(chain: Chain, issuer: Pubkey, period: int) -> DrawSeen:
    """A period's draw as the chain has it. ChainError; LedgerError for a cluster without a record of slots."""
    address = draw_address(issuer, period)
    return _seen(await read_snapshot(chain, [address, SLOT_HASHES]), address)


async def plan_request_draw(chain: Chain, *, payer: Pubkey, issuer: Pubkey, publisher: Pubkey, period: int) -> Plan:
    """Ask for the day of a period, or ask anew when the last target was missed. Signed by a publisher.

    Refused while the month has not ended, while one of its days can still be closed on chain, or for a key without the
    role. InputError for no period.
    """
    after = first_day(period) + days_in(period)
    address, role = draw_address(issuer, period), role_address(issuer, RoleKind.PUBLISHER, publisher)
    snapshot = await read_snapshot(chain, [issuer, address, role, SLOT_HASHES])
    account, seen = snapshot.require(Issuer, issuer), _seen(snapshot, address)
    title = f"Request the draw of {period_text(period)}"
    draw = seen.draw
    if draw is not None and seen.state is DrawState.DRAWN:
        return Plan(title, notes=(_drawn_text(draw),))
    if draw is not None and seen.state is not DrawState.MISSED:
        return Plan(title, notes=(f"It is requested; slot {draw.target_slot} decides.",))
    if snapshot.now < after * DAY:
        raise Refused(
            f"{period_text(period)} ends on {instant(after * DAY)} by the chain's clock.",
            hint="The draw is for a month that is over. Run this again then.",
        )
    if account.last_day + 1 < after:
        raise Refused(
            f"Days of {period_text(period)} can still be closed on chain: "
            + (
                f"the last one closed is {day_text(account.last_day)}." if account.days else "none is closed there yet."
            ),
            hint=f"Anchor the closes up to {day_text(after - 1)}, or of a later day: tally report anchor-days",
        )
    require_role(snapshot.find(Role, role), RoleKind.PUBLISHER, publisher, snapshot.now)
    attempt = draw.attempts + 1 if draw else 1

    async def is_done() -> bool:
        found = (await read_draw(chain, issuer, period)).draw
        return found is not None and found.attempts >= attempt

    instruction = instructions.request_draw(
        payer=payer,
        publisher=publisher,
        role=role,
        issuer=issuer,
        draw=address,
        params=RequestDrawParams(period=period),
    )
    action = new_action(
        f"request-draw:{issuer}:{period}:{attempt}",
        f"{title}, attempt {attempt}" if attempt > 1 else title,
        instruction,
        payer,
        (publisher, "publisher"),
        is_done=is_done,
        is_guarded=True,
    )
    notes = ("The slot before was missed, and the account shows each attempt.",) if attempt > 1 else ()
    return Plan(title, (action,), notes)


async def plan_draw_day(chain: Chain, *, payer: Pubkey, issuer: Pubkey, period: int) -> Plan:
    """Draw the day once the target's hash is known. Signed by whoever pays. Refused before it is requested, too early,
    and when it was missed."""
    seen = await read_draw(chain, issuer, period)
    title = f"Draw the day of {period_text(period)}"
    draw = seen.draw
    if draw is None:
        raise Refused("This draw was not requested.", hint="A publisher requests and draws it: tally report draw")
    if seen.state is DrawState.DRAWN:
        return Plan(title, notes=(_drawn_text(draw),))
    if seen.state is DrawState.WAITING:
        raise Refused(
            f"Slot {draw.target_slot} decides, and this is slot {seen.slot}.",
            hint=f"Run this again in {round(seen.slots_left * SLOT_SECONDS) + 1} s.",
        )
    if seen.state is DrawState.MISSED:
        raise Refused(
            f"The chain no longer has the hash of slot {draw.target_slot}.",
            hint="A publisher requests it anew: tally report draw",
        )
    address = draw_address(issuer, period)

    async def is_done() -> bool:
        return (await require(chain, DayDraw, address)).drawn_day > 0

    action = new_action(
        f"draw-day:{issuer}:{period}:{draw.attempts}",
        title,
        instructions.draw_day(draw=address),
        payer,
        is_done=is_done,
        is_guarded=True,
    )
    return Plan(title, (action,))


async def draw_period(
    chain: Chain,
    clock: Clock,
    carry_out: CarryOut,
    *,
    payer: Pubkey,
    issuer: Pubkey,
    publisher: Pubkey,
    period: int,
    on_wait: Callable[[int], None] | None = None,
    attempts: int = ATTEMPTS,
) -> DayDraw:
    """Request, wait and draw, from wherever it is; the draw once it is made, by this run or by anybody.

    A target that was missed is requested anew, at most `attempts` times in this run. `on_wait` is told the slots that
    are left. Refused as plan_request_draw, and when every attempt was missed; else what `carry_out` raises.
    """
    requested = 0
    while True:
        seen = await read_draw(chain, issuer, period)
        if seen.draw is not None and seen.state is DrawState.DRAWN:
            return seen.draw
        try:
            if seen.state is DrawState.WAITING:
                if on_wait is not None:
                    on_wait(seen.slots_left)
                await clock.sleep(min(max(1, seen.slots_left), LOOK_AGAIN) * SLOT_SECONDS)
            elif seen.state is DrawState.READY:
                await carry_out(await plan_draw_day(chain, payer=payer, issuer=issuer, period=period))
            else:
                if requested == attempts:
                    raise Refused(
                        f"The draw of {period_text(period)} was requested {attempts} times, and each was missed.",
                        hint="This machine or its node is minutes behind the cluster. See why, then run it again.",
                    )
                requested += 1
                plan = await plan_request_draw(chain, payer=payer, issuer=issuer, publisher=publisher, period=period)
                await carry_out(plan)
        except (DrawFinal, DrawMissed, DrawPending, DrawTooEarly):
            # Somebody else acted, or a slot passed, between reading and sending: read again.
            await clock.sleep(SLOT_SECONDS)


def _drawn_text(draw: DayDraw) -> str:
    return f"Day {draw.drawn_day} was drawn on {instant(draw.drawn_at)} by slot {draw.drawn_slot}."


def _seen(snapshot: Snapshot, address: Pubkey) -> DrawSeen:
    draw = snapshot.find(DayDraw, address)
    record = snapshot.accounts[SLOT_HASHES]
    if record is None or len(record.data) < _HEADER:
        raise LedgerError("expected the chain's record of slot hashes", hint="Ask another node; every cluster has it.")
    if draw is None:
        return DrawSeen(None, DrawState.UNREQUESTED, snapshot.slot)
    state = DrawState.DRAWN if draw.drawn_day else _state(record.data, draw.target_slot)
    return DrawSeen(draw, state, snapshot.slot)


def _state(record: bytes, target: int) -> DrawState:
    """What the record says of a target: the number of entries, then slot and hash of each, newest first."""
    count = int.from_bytes(record[:_HEADER], "little")
    slots = [int.from_bytes(record[at : at + 8], "little") for at in range(_HEADER, _HEADER + count * _ENTRY, _ENTRY)]
    found = [slot for slot in slots if slot >= target]
    if not found:
        return DrawState.WAITING
    is_gone = len(found) == count and count >= CAPACITY and found[-1] > target
    return DrawState.MISSED if is_gone else DrawState.READY


__all__ = [
    "ATTEMPTS",
    "CarryOut",
    "DrawSeen",
    "DrawState",
    "draw_period",
    "plan_draw_day",
    "plan_request_draw",
    "read_draw",
]
