"""tally report anchor-days, draw: daily closes put on chain, and the day of the second look drawn there."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import RenderableType
from rich.text import Text
from tallystick.domain.report_anchors import parse_period, period_text
from tallystick.program.generated.accounts import DayDraw
from tallystick.services.daily_close import verify_closes
from tallystick.services.plans import Action, Plan, execute
from tallystick.services.report_days import plan_anchor_days
from tallystick.services.report_draw import DrawState, draw_period, plan_request_draw, read_draw

from tallystick_cli.approval import Signed, ask, sign
from tallystick_cli.command import command
from tallystick_cli.commands.report import MonthArgument, app
from tallystick_cli.context import SendResult, Tally
from tallystick_cli.dry_run import end_dry_run
from tallystick_cli.render import facts, instant_text, stack, when

__all__ = ["app"]


@command(
    app,
    "anchor-days",
    signs=True,
    examples=(
        "tally report anchor-days",
        "tally report anchor-days --dry-run",
        "15 0 * * *  tally report anchor-days --yes --json   # cron, after tally close",
    ),
)
async def anchor_days(tally: Tally) -> Signed:
    """Put every daily close on chain that is not there yet, in order: its hash, day and slot.

    A day that has not ended waits. Signed by the publisher's key.
    """
    signer = tally.signer("publisher")
    payer = tally.payer(signer)
    store = await tally.open_store()
    plan = await plan_anchor_days(
        tally.open_chain(),
        await verify_closes(store.closes, tally.issuer),
        payer=payer.pubkey,
        issuer=tally.issuer,
        publisher=signer.pubkey,
    )
    return await sign(tally, plan, payer, signer)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A month's draw; `is_new` when this run, or somebody while it ran, drew it."""

    period: int
    draw: DayDraw
    is_new: bool
    exit_code: int = 0

    @property
    def day(self) -> str:
        """The day of the second look, YYYY-MM-DD."""
        return f"{period_text(self.period)}-{self.draw.drawn_day:02}"

    def document(self) -> dict[str, object]:
        """The day, what decided it, and how often it was requested."""
        draw = self.draw
        return {
            "period": period_text(self.period),
            "day": self.day,
            "is_new": self.is_new,
            "attempts": draw.attempts,
            "target_slot": draw.target_slot,
            "drawn_slot": draw.drawn_slot,
            "slot_hash": draw.slot_hash.hex(),
            "days_hash": draw.days_hash.hex(),
            "drawn_at": instant_text(draw.drawn_at),
        }

    def view(self) -> RenderableType:
        """The same for a person."""
        draw = self.draw
        head = Text.assemble(("✓ ", "green"), (f"{self.day} is drawn", "bold"))
        if not self.is_new:
            head.append(" · it was before, and is final", style="dim")
        rows = [
            ("Decided by", f"slot {draw.drawn_slot:,}, the first at or after {draw.target_slot:,} with a block"),
            ("Its hash", draw.slot_hash.hex()),
            ("Requested", "once" if draw.attempts == 1 else f"{draw.attempts} times; each but the last was missed"),
            ("Drawn", f"{when(draw.drawn_at)} UTC"),
        ]
        return stack(head, facts(rows))


@command(
    app,
    "draw",
    signs=True,
    examples=("tally report draw 2026-10", "tally report draw 2026-10 --dry-run", "tally report draw 2026-10 --json"),
)
async def draw(tally: Tally, month: MonthArgument) -> Drawn:
    """Draw the day of a month on which the report repeats its test: requested, waited for, and drawn.

    A slot that is still to come decides, in about 13 seconds. If the chain forgets its hash before the draw, it is
    requested anew, and the account shows how often. Signed by the publisher's key.
    """
    period = parse_period(month)
    chain, signer = tally.open_chain(), tally.signer("publisher")
    payer = tally.payer(signer)
    seen = await read_draw(chain, tally.issuer, period)
    if seen.draw is not None and seen.state is DrawState.DRAWN:
        return Drawn(period, seen.draw, is_new=False)
    request = await plan_request_draw(
        chain, payer=payer.pubkey, issuer=tally.issuer, publisher=signer.pubkey, period=period
    )
    plan = _agreed(request, period)
    await end_dry_run(tally, plan, (payer, signer))
    if not tally.is_yes:
        ask(tally, plan)
    sender, trail = await tally.open_sender(), await tally.open_trail()
    with tally.err.status("") as status:

        def tell(action: Action, result: SendResult | None) -> None:
            if result is None:
                status.update(f"{action.summary} …")

        async def carry_out(step: Plan) -> None:
            for result in await execute(step, sender, tally.ring(payer, signer), tell, trail=trail):
                result.require_done()

        drawn = await draw_period(
            chain,
            tally.clock,
            carry_out,
            payer=payer.pubkey,
            issuer=tally.issuer,
            publisher=signer.pubkey,
            period=period,
            on_wait=lambda left: status.update(f"waiting for the slot that decides, {left} more …"),
        )
    return Drawn(period, drawn, is_new=True)


def _agreed(plan: Plan, period: int) -> Plan:
    """What is agreed to once: the request, and what follows from it."""
    title = f"Draw the day of {period_text(period)}"
    following = (
        "The day is drawn by another transaction, paid by the same key, once the slot that decides has a hash.",
        "If that is missed, it is requested and drawn anew, and the account counts the attempts.",
    )
    return Plan(title, plan.actions, (*plan.notes, *following))
