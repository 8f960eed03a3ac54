"""tally dividend push: the payments sent in batches, a canary first, with what is paid and left told meanwhile."""

from __future__ import annotations

import asyncio
import signal
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

import typer
from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text
from solders.pubkey import Pubkey
from tallystick.domain.amounts import parse_base_units
from tallystick.domain.dividends import PayoutRecord
from tallystick.errors import Refused
from tallystick.services.chain_reads import chain_time
from tallystick.services.distribution_books import follow_distribution
from tallystick.services.distribution_reads import read_distribution
from tallystick.services.payout_calls import PayoutCalls
from tallystick.services.payout_push import PushSettings, push
from tallystick.services.payout_report import LeftReason, PushProgress, PushReport, Stage
from tallystick.services.payout_skips import Skips, read_skips
from tallystick.services.plans import Plan, new_action
from tallystick.services.securities import security_of

from tallystick_cli.approval import ask, count
from tallystick_cli.command import command
from tallystick_cli.commands.dividend import app
from tallystick_cli.context import Outcome, SendResult, Tally, TransactionSigner
from tallystick_cli.dividends import (
    Dividend,
    EventArgument,
    NumberOption,
    SecurityArgument,
    cash_text,
    exact_text,
    find_dividend,
    find_record,
)
from tallystick_cli.dry_run import LAMPORT_DECIMALS, end_dry_run
from tallystick_cli.failures import DONE, REFUSED, UNKNOWN
from tallystick_cli.render import amount, facts, span, stack, table, when

__all__ = ["app"]


_LOOK_EVERY: Final = 0.1
"""Seconds between two looks for Ctrl-C while an answer is awaited."""


class LastStage(StrEnum):
    """Where a push may be told to end."""

    CANARY = "canary"
    SAMPLE = "sample"


_STAGES = {
    Stage.RESUME: "carrying on",
    Stage.CANARY: "canary: one wallet",
    Stage.FIRST: "sample: one batch in a hundred",
    Stage.REST: "the rest",
}


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push did. `asked_to_stop` when it ended where --stop-after said."""

    symbol: str
    event: str
    record: PayoutRecord
    report: PushReport
    asked_to_stop: bool = False

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left that pushing could pay, wherever it ended."""
        return not self.report.unknown and LeftReason.PAYABLE not in self.report.left

    @property
    def exit_code(self) -> int:
        """3 while the fate of a transaction is open, 1 when something payable is left unasked, else 0."""
        if self.report.unknown:
            return UNKNOWN
        return DONE if self.is_finished or self.asked_to_stop else REFUSED

    def document(self) -> dict[str, object]:
        """Paid, left by reason, and what it cost."""
        report, record = self.report, self.record
        return {
            "security": self.symbol,
            "event": self.event,
            "distribution": str(Pubkey.from_bytes(record.address)),
            "number": record.number,
            "stage": report.stage.value,
            "is_finished": self.is_finished,
            "entries": report.entries,
            "total": exact_text(record, report.total),
            "paid_entries": report.paid.entries,
            "paid": exact_text(record, report.paid.amount),
            "paid_now_entries": report.paid_now.entries,
            "paid_now": exact_text(record, report.paid_now.amount),
            "left": [
                {
                    "reason": reason.value,
                    "code": reason.name.lower(),
                    "entries": share.entries,
                    "amount": exact_text(record, share.amount),
                }
                for reason, share in report.left.items()
            ],
            "unknown_batches": list(report.unknown),
            "stopped": report.stopped or None,
            "transactions": report.transactions,
            "fee_lamports": report.fees,
            "rent_lamports": report.rent,
            "accounts_opened": report.accounts_opened,
        }

    def view(self) -> RenderableType:
        """A line for what is paid and for each reason of what is not; then the cost and the next step."""
        report, record = self.report, self.record
        rows = table("", "Holders", "Amount", right=["Holders", "Amount"])
        rows.add_row(Text("Paid", "green"), f"{report.paid.entries:,}", cash_text(record, report.paid.amount))
        if report.paid_now.entries != report.paid.entries:
            rows.add_row("  of these now", f"{report.paid_now.entries:,}", cash_text(record, report.paid_now.amount))
        for reason, share in report.left.items():
            rows.add_row(
                Text(f"Not paid: {reason.value}", "yellow"), f"{share.entries:,}", cash_text(record, share.amount)
            )
        cost = facts(
            [
                ("Transactions", f"{report.transactions:,}"),
                ("Fees", f"{amount(report.fees, LAMPORT_DECIMALS)} SOL"),
                (
                    "Rent",
                    f"{amount(report.rent, LAMPORT_DECIMALS)} SOL in {count(report.accounts_opened, 'opened account')}"
                    if report.accounts_opened
                    else "",
                ),
                ("Rate", f"{rate:,.0f} holders a second" if (rate := report.holders_per_second) >= 1 else ""),
                ("Stopped", report.stopped),
            ]
        )
        return stack(rows, cost, Text(self._next()))

    def _next(self) -> str:
        if self.report.unknown:
            return "The fate of some transactions is open; nothing was signed again. Run it again to carry on."
        if not self.is_finished:
            return "Run it again to carry on: what is paid stays paid, and nobody is paid twice."
        if self.report.left:
            return "The rest is left to claim: tally dividend claim. After the expiry: tally dividend close"
        return "Everybody is paid. A distributor closes it: tally dividend close"


@command(
    app,
    "push",
    signs=True,
    examples=(
        "tally dividend push tAAPL CA-30 --dry-run",
        "tally dividend push tAAPL CA-30 --stop-after canary --yes",
        "tally dividend push tAAPL CA-30 --rent-cap 2 --in-flight 100 --yes",
    ),
)
async def push_(
    tally: Tally,
    security: SecurityArgument,
    event: EventArgument,
    stop_after: Annotated[
        LastStage | None, typer.Option(help="End after one wallet, or after one batch in a hundred.")
    ] = None,
    rent_cap: Annotated[
        str,
        typer.Option(metavar="SOL", help="Open missing payment accounts for at most so much in all."),
    ] = "0",
    in_flight: Annotated[
        int, typer.Option(help="Transactions on their way at once; fewer for a slow endpoint.", min=1, max=1_000)
    ] = 64,
    number: NumberOption = None,
) -> Pushed:
    """Send the payments: one wallet, then one batch in a hundred, then the rest; asked in between on a terminal.

    Before: tally dividend fund. After: claim for who is left, close at the end. Each holder is paid once, however often
    it is run: what is paid is read from the chain's bits. Ctrl-C stops cleanly. Skipped are suspended holders, those
    whose tokens are frozen, programs, and accounts that take nothing; each is named with its reason at the end. Exit 3
    while the fate of a transaction is open, 1 when something that could be paid is left.
    """
    dividend = await find_dividend(tally, security, event)
    record = await find_record(tally, dividend, number)
    lamports = parse_base_units(rent_cap, LAMPORT_DECIMALS)
    chain, books, payer = tally.open_chain(), await tally.open_store(), tally.signer("payout")
    now, pay_at = await chain_time(chain), dividend.action.terms.pay_at
    if now < pay_at:
        raise Refused(f"It is announced to be paid from {when(pay_at)} UTC on.", hint="Run it again then.")
    addresses = security_of(tally.issuer, dividend.section.id)
    skips = await read_skips(chain, tally.issuer, addresses.mint)
    plan = await _plan(tally, dividend, record, payer, skips, lamports)
    await end_dry_run(tally, plan, [payer])
    if not tally.is_yes and not plan.is_empty:
        ask(tally, plan)
    stops = {LastStage.CANARY: (Stage.CANARY, Stage.FIRST), LastStage.SAMPLE: (Stage.FIRST,)}
    trail = await tally.open_trail()
    for action in plan.actions:
        await trail.begin(action)
    with interruption() as is_interrupted, Display(tally.err) as display:
        asked = Stages(tally, stops.get(stop_after, ()) if stop_after else (), display, is_interrupted)
        report = await push(
            chain,
            books.payouts,
            books.outbox,
            tally.clock,
            Pubkey.from_bytes(record.address),
            payer,
            settings=PushSettings(in_flight=in_flight, rent_cap=lamports),
            suspended=skips.suspended,
            frozen=skips.frozen,
            on_progress=display.tell if tally.err.is_terminal else None,
            should_stop=is_interrupted,
            confirm_stage=asked.confirm,
        )
    for action in plan.actions:
        outcome = Outcome.UNKNOWN if report.unknown else Outcome.LANDED
        said = f"{report.paid_now.entries} paid in {report.transactions} transactions. {report.stopped}".strip()
        await trail.end(action, SendResult(outcome, action.intent, detail=said))
    await follow_distribution(chain, books.payouts, record)
    return Pushed(dividend.section.symbol, dividend.event, record, report, asked.was_told)


async def _plan(
    tally: Tally, dividend: Dividend, record: PayoutRecord, payer: TransactionSigner, skips: Skips, lamports: int
) -> Plan:
    """What will be sent, in one line, with the first payment alone as the transaction to look at. Empty when nothing is
    left that a push may pay."""
    chain, books = tally.open_chain(), await tally.open_store()
    address = Pubkey.from_bytes(record.address)
    account = (await read_distribution(chain, address)).require()
    calls = await PayoutCalls.load(books.payouts, address, payer.pubkey, suspended=skips.suspended, frozen=skips.frozen)
    targets = [calls.target(batch, word) for batch, word in enumerate(account.words)]
    payments, batches = sum(each.bit_count() for each in targets), sum(each > 0 for each in targets)
    title = f"Push distribution {record.number} of {dividend.event}"
    before = account.fields.paid_entries
    left = record.entries - before - payments
    notes = [
        f"{payments:,} of {record.entries:,} payments, {before:,} made before; batches: {batches:,}.",
        f"Of {cash_text(record, record.total)}, {cash_text(record, account.fields.paid)} are paid.",
    ]
    if left:
        notes.append(f"{left:,} are left out: programs, suspended holders, and holders whose tokens are frozen.")
    if lamports:
        notes.append(f"Missing payment accounts are opened for up to {amount(lamports, LAMPORT_DECIMALS)} SOL.")
    else:
        notes.append("Missing payment accounts are not opened; their owners' payments are left to claim.")
    for batch, target in enumerate(targets):
        if target:
            instruction = calls.pay(await calls.batch(batch), target & -target)
            action = new_action(
                f"push:{address}",
                f"Pay {count(payments, 'holder')}{'' if before else ', one wallet first'}",
                instruction,
                payer.pubkey,
                (payer.pubkey, "payout"),
                is_guarded=True,
                version=1,
            )
            return Plan(title, (action,), tuple(notes))
    return Plan(title, (), tuple(notes))


class Display:
    """Progress at the foot of a terminal, gone when something else is said or it ends."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None

    def __enter__(self) -> Display:
        return self

    def __exit__(self, *error: object) -> None:
        self.clear()

    def tell(self, progress: PushProgress) -> None:
        """Show this, in place of what was shown before."""
        if self._live is None:
            # A new one each time: one that was started again would wipe the lines that were said in between.
            self._live = Live(console=self._console, transient=True, refresh_per_second=5)
            self._live.start()
        self._live.update(progress_view(progress))

    def clear(self) -> None:
        """Leave the terminal to others."""
        if self._live is not None:
            self._live.stop()
            self._live = None


class Stages:
    """Answers whether to go on: by where it was told to end, by --yes, else by asking."""

    def __init__(
        self,
        tally: Tally,
        ends: tuple[Stage, ...],
        display: Display,
        is_interrupted: Callable[[], bool] = lambda: False,
    ) -> None:
        self._tally = tally
        self._ends = ends
        self._display = display
        self._is_interrupted = is_interrupted
        self.was_told = False

    async def confirm(self, stage: Stage, progress: PushProgress) -> bool:
        """Whether the next stage may begin. Ctrl-C is a no."""
        if stage in self._ends:
            self.was_told = True
            return False
        if self._tally.is_yes or not self._tally.can_ask:
            return True
        self._display.clear()
        self._tally.err.print(
            f"{_STAGES[stage]}: {progress.paid:,} paid, {progress.skipped:,} skipped. Look at it before you go on."
        )
        # A key that was pressed before this could be read is no consent to it.
        termios.tcflush(sys.stdin, termios.TCIFLUSH)
        self._tally.err.print("Go on? [y/N]: ", end="", markup=False)
        answer = await _typed_line(self._is_interrupted)
        if not answer:
            self._tally.err.print()
        return answer.strip().lower() in ("y", "yes")


async def _typed_line(is_interrupted: Callable[[], bool]) -> str:
    """The line that is typed; empty at the end of input, and when it is interrupted, which a thread that reads would
    not notice before the line is there."""
    loop = asyncio.get_running_loop()
    typed: asyncio.Future[str] = loop.create_future()

    def read() -> None:
        if not typed.done():
            typed.set_result(sys.stdin.readline())

    loop.add_reader(sys.stdin, read)
    try:
        while not typed.done() and not is_interrupted():
            await asyncio.wait([typed], timeout=_LOOK_EVERY)
    finally:
        loop.remove_reader(sys.stdin)
    return typed.result() if typed.done() else ""


@contextmanager
def interruption() -> Iterator[Callable[[], bool]]:
    """Ctrl-C asks for a clean end; a second one ends at once."""
    loop, flag = asyncio.get_running_loop(), [False]

    def interrupt() -> None:
        flag[0] = True
        loop.remove_signal_handler(signal.SIGINT)

    try:
        loop.add_signal_handler(signal.SIGINT, interrupt)
        has_handler = True
    except (NotImplementedError, RuntimeError, ValueError):  # no main thread to catch signals in
        has_handler = False
    try:
        yield lambda: flag[0]
    finally:
        if has_handler:
            loop.remove_signal_handler(signal.SIGINT)


def progress_view(progress: PushProgress) -> RenderableType:
    """A push at one moment."""
    rows = table(
        "Stage", "Paid", "Skipped", "In flight", "Unknown", "SOL spent", "Time left",
        right=["Paid", "Skipped", "In flight", "Unknown", "SOL spent", "Time left"],
    )  # fmt: skip
    rows.add_row(
        _STAGES[progress.stage],
        f"{progress.paid:,} of {progress.entries:,}",
        f"{progress.skipped:,}",
        f"{progress.in_flight:,}",
        f"{progress.unknown:,}",
        amount(progress.lamports, LAMPORT_DECIMALS),
        "" if progress.seconds_left is None else span(progress.seconds_left),
    )
    return rows
