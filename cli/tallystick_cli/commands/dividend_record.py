"""tally dividend record: the register at the record date, taken when it comes and kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text
from solders.pubkey import Pubkey
from tallystick.domain.amounts import format_base_units
from tallystick.domain.dividends import HolderClass
from tallystick.services.record_register import TakenRegister, take_register, wait_for_record_date

from tallystick_cli.actions import EventArgument
from tallystick_cli.command import SecurityArgument, command
from tallystick_cli.commands.dividend import app
from tallystick_cli.context import Tally
from tallystick_cli.dividends import find_dividend
from tallystick_cli.render import amount, facts, instant_text, span, stack, table, when, words

__all__ = ["app"]


@dataclass(frozen=True, slots=True)
class RegisterShown:
    """A register that was taken, now or before."""

    symbol: str
    event: str
    taken: TakenRegister
    exit_code: int = 0

    def document(self) -> dict[str, object]:
        """Hash, slot and sums; amounts of tokens as exact decimal text."""
        register = self.taken.register
        return {
            "security": self.symbol,
            "event": self.event,
            "is_new": self.taken.is_new,
            "hash": self.taken.hash.hex(),
            "root": register.root.hex(),
            "slot": register.slot,
            "block_time": instant_text(register.block_time),
            "record_at": instant_text(register.record_at),
            "late_reason": register.late_reason or None,
            "supply": format_base_units(register.supply, register.decimals),
            "owners": len(register.positions),
            "witnesses": register.witnesses,
            "sent_to_escrow": format_base_units(self.taken.sent_to_escrow, register.decimals),
            "classes": {
                kind.name.lower(): {"owners": owners, "tokens": format_base_units(raw, register.decimals)}
                for kind, (owners, raw) in self._classes().items()
            },
        }

    def view(self) -> RenderableType:
        """Facts, owners by class, and what comes next."""
        register = self.taken.register
        late = register.block_time - register.record_at
        head = facts(
            [
                ("Event", f"{self.event} of {self.symbol}"),
                ("Record date", f"{when(register.record_at)} UTC"),
                ("Taken", f"at slot {register.slot:,}, {when(register.block_time)} UTC, {span(late)} after it"),
                ("Late because", register.late_reason),
                ("Supply", f"{amount(register.supply, register.decimals)} tokens, all of them found"),
                ("Endpoints", f"{register.witnesses} gave the same holdings" if register.witnesses > 1 else "one"),
                ("Hash", self.taken.hash.hex()),
            ]
        )
        rows = table("Owners", "Number", "Tokens", "", right=["Number", "Tokens"])
        for kind, (owners, raw) in self._classes().items():
            rows.add_row(words(kind.name), f"{owners:,}", amount(raw, register.decimals), _HOW[kind])
        state = "It was taken before, and is not taken twice." if not self.taken.is_new else ""
        step = Text(f"{state} Next, with the custodian's confirmation: tally dividend plan".strip(), style="dim")
        return stack(head, rows, self._escrow(), step)

    def _classes(self) -> dict[HolderClass, tuple[int, int]]:
        found: dict[HolderClass, tuple[int, int]] = {}
        for position in self.taken.register.positions:
            owners, raw = found.get(position.holder_class, (0, 0))
            found[position.holder_class] = owners + 1, raw + position.raw
        return dict(sorted(found.items()))

    def _escrow(self) -> Text | None:
        if not self.taken.sent_to_escrow:
            return None
        sent = amount(self.taken.sent_to_escrow, self.taken.register.decimals)
        return Text(f"{sent} tokens in the escrow belong to no redemption; nobody is paid for them.", style="yellow")


_HOW = {
    HolderClass.WALLET: "pushed",
    HolderClass.PROGRAM: "left to claim: a program's address",
    HolderClass.FROZEN: "pushed once thawed",
    HolderClass.INVENTORY: "the issuer's own, not paid",
}


@command(
    app,
    "record",
    examples=(
        "tally dividend record tAAPL CA-30 --wait",
        "tally dividend record tAAPL CA-30 --late-reason 'transfers were on hold since the record date'",
        "tally dividend record tAAPL CA-30 --json",
    ),
)
async def record(
    tally: Tally,
    security: SecurityArgument,
    event: EventArgument,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the record date has come.")] = False,
    late_reason: Annotated[
        str, typer.Option(metavar="REASON", help="Why the register is right though it is taken late; it is kept.")
    ] = "",
) -> RegisterShown:
    """Take the register at the record date: every holder at one finalized slot, adding up to the supply. Signs nothing.

    The first step of a dividend. A node tells only who holds the tokens now, so start it before the record date with
    --wait. With several endpoints in the profile all have to give the same holdings. Each event's register is taken
    once. After: tally dividend plan, once the custodian has confirmed the cash.
    """
    dividend = await find_dividend(tally, security, event)
    chain, *witnesses = tally.open_endpoints()
    books = await tally.open_store()
    if wait:
        with tally.err.status("") as status:

            def tell(left: int) -> None:
                status.update(f"The record date comes in {span(left)} …")

            await wait_for_record_date(chain, dividend.address, tally.clock, tell)
    taken = await take_register(
        chain,
        dividend.security,
        dividend.address,
        [Pubkey.from_string(each) for each in dividend.section.inventory],
        books.registers,
        tally.clock,
        witnesses=witnesses,
        late_reason=late_reason,
    )
    return RegisterShown(dividend.section.symbol, dividend.event, taken)
