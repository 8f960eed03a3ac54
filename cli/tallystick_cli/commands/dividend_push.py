"""tally dividend push: the payments sent in batches, a canary first, with what is paid and left told meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text
from solders.pubkey import Pubkey
from tallystick.domain.amounts import parse_base_units
from tallystick.domain.dividends import PayoutBatch, PayoutRecord
from tallystick.errors import Refused
from tallystick.program.distribution_account import DistributionAccount
from tallystick.program.generated.types import DistributionStatus
from tallystick.services.chain_reads import chain_time
from tallystick.services.distribution_books import follow_distribution
from tallystick.services.distribution_reads import read_distribution
from tallystick.services.payout_calls import PayoutCalls
from tallystick.services.payout_push import PushSettings, push
from tallystick.services.payout_report import LeftReason, PushReport, Stage, read_obstacles
from tallystick.services.payout_skips import read_skips
from tallystick.services.plans import Plan, new_action
from tallystick.services.securities import security_of

from tallystick_cli.actions import EventArgument
from tallystick_cli.approval import ask, count
from tallystick_cli.command import SecurityArgument, command
from tallystick_cli.commands.dividend import app
from tallystick_cli.context import Chain, Outcome, SendResult, Tally, TransactionSigner
from tallystick_cli.dividends import (
    Dividend,
    NumberOption,
    cash_text,
    exact_text,
    find_dividend,
    find_record,
)
from tallystick_cli.dry_run import LAMPORT_DECIMALS, end_dry_run
from tallystick_cli.failures import DONE, REFUSED, UNKNOWN
from tallystick_cli.push_display import Display, Stages, interruption
from tallystick_cli.render import amount, facts, stack, table, when

__all__ = ["app"]


class LastStage(StrEnum):
    """Where a push may be told to end."""

    CANARY = "canary"
    SAMPLE = "sample"


LOOKED_AT = 20
"""Batches in which a dry run looks for a wallet that can be paid."""


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
    address = Pubkey.from_bytes(record.address)
    account = (await read_distribution(chain, address)).require()
    _require_pushable(record, account)
    calls = await PayoutCalls.load(books.payouts, address, payer.pubkey, suspended=skips.suspended, frozen=skips.frozen)
    plan = await _plan(chain, dividend, account, calls, payer, lamports)
    await end_dry_run(tally, plan, [payer])
    if not tally.is_yes and not plan.is_empty:
        ask(tally, plan)
    stops = {LastStage.CANARY: (Stage.CANARY, Stage.SAMPLE), LastStage.SAMPLE: (Stage.SAMPLE,)}
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
            calls,
            payer,
            settings=PushSettings(in_flight=in_flight, rent_cap=lamports),
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
    chain: Chain,
    dividend: Dividend,
    account: DistributionAccount,
    calls: PayoutCalls,
    payer: TransactionSigner,
    lamports: int,
) -> Plan:
    """What will be sent, in one line, with the first payment alone as the transaction to look at. Empty when nothing is
    left that a push may pay."""
    record = calls.record
    targets = [calls.target(batch, word) for batch, word in enumerate(account.words)]
    payments, batches = sum(each.bit_count() for each in targets), sum(each > 0 for each in targets)
    counted = "1 batch" if batches == 1 else f"{batches:,} batches"
    title = f"Push distribution {record.number} of {dividend.event}"
    before = account.fields.paid_entries
    left = record.entries - before - payments
    notes = [
        f"{count(payments, 'payment')} in {counted}; {before:,} of {record.entries:,} paid.",
        f"Of {cash_text(record, record.total)}, {cash_text(record, account.fields.paid)} are paid.",
    ]
    if left:
        notes.append(f"{left:,} are left out: programs, suspended holders, and holders whose tokens are frozen.")
    if lamports:
        notes.append(f"Missing payment accounts are opened for up to {amount(lamports, LAMPORT_DECIMALS)} SOL.")
    else:
        notes.append("Missing payment accounts are not opened; their owners' payments are left to claim.")
    canary = await _canary(chain, calls, targets)
    if canary is None:
        return Plan(title, (), tuple(notes))
    batch, bit = canary
    action = new_action(
        f"push:{Pubkey.from_bytes(record.address)}",
        f"Pay {count(payments, 'holder')} in {counted}{'' if before else ', one wallet first'}",
        calls.pay(batch, bit),
        payer.pubkey,
        (payer.pubkey, "payout"),
        is_guarded=True,
        version=1,
    )
    return Plan(title, (action,), tuple(notes))


async def _canary(chain: Chain, calls: PayoutCalls, targets: Sequence[int]) -> tuple[PayoutBatch, int] | None:
    """A batch, and the bit of an entry in it that a push may pay: the first one among some batches whose account takes
    it, else the first of all. None when nothing is left."""
    first: tuple[PayoutBatch, int] | None = None
    for number in [number for number, target in enumerate(targets) if target][:LOOKED_AT]:
        batch = await calls.batch(number)
        places = [place for place in range(len(batch.lines)) if targets[number] >> place & 1]
        first = first or (batch, 1 << places[0])
        reasons = await read_obstacles(chain, calls.record, [batch.lines[place] for place in places])
        for place, reason in zip(places, reasons, strict=True):
            if reason is None:
                return batch, 1 << place
    return first


def _require_pushable(record: PayoutRecord, account: DistributionAccount) -> None:
    """Refused before anybody is asked, in the words that tell what comes first."""
    fields = account.fields
    if fields.status is DistributionStatus.CLOSED:
        raise Refused(
            f"It was closed on {when(fields.closed_at)} UTC; nothing is paid from it any more.",
            hint="Whoever is still owed something is paid by a linked one: tally dividend plan --correct",
        )
    if fields.status is DistributionStatus.OPEN:
        raise Refused("It is not approved yet.", hint="A second key approves it with: tally dividend approve")
    if fields.funded < fields.total:
        missing = cash_text(record, fields.total - fields.funded)
        raise Refused(f"{missing} are missing in escrow.", hint="Fund it first: tally dividend fund")
