"""tally dividend: a cash dividend from the register at the record date to the close of its distribution."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text
from solders.pubkey import Pubkey
from tallystick.domain.dividends import PayoutRecord, PayoutState
from tallystick.errors import ConfigurationError, Refused
from tallystick.program.addresses import distribution_address
from tallystick.services.distribution_books import follow_distribution, keep_bits
from tallystick.services.distribution_payments import plan_claim, plan_fund_distribution
from tallystick.services.distribution_reads import read_distribution
from tallystick.services.distribution_terms import require_recomputed
from tallystick.services.distributions import (
    plan_approve_distribution,
    plan_close_distribution,
    plan_open_distribution,
)
from tallystick.services.dividend_plan import compute_dividend, plan_dividend
from tallystick.services.payout_lines import plan_document
from tallystick.services.plans import Plan
from typer.core import TyperGroup

from tallystick_cli.actions import EventArgument
from tallystick_cli.approval import Signed, sign
from tallystick_cli.command import SecurityArgument, command
from tallystick_cli.context import Tally, TransactionSigner
from tallystick_cli.dividends import (
    TOTALS,
    AcceptOption,
    ConfirmationOption,
    CorrectOption,
    Dividend,
    FeeOption,
    MinimumOption,
    NumberOption,
    any_signer,
    cash_text,
    dividend_request,
    dividend_rules,
    exact_text,
    find_dividend,
    find_record,
    plan_notes,
    receive_confirmations,
    require_still_confirmed,
)
from tallystick_cli.render import facts, instant_text, stack, table, when, words


class InOrder(TyperGroup):
    """Lists the commands as they are used, whichever file they are in."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The way of a dividend, then the others."""
        steps = ("record", "plan", "open", "approve", "fund", "push", "status", "claim", "statement", "close")
        others = [name for name in super().list_commands(ctx) if name not in steps]
        return [*(name for name in steps if name in self.commands), *others]


app = typer.Typer(
    cls=InOrder,
    no_args_is_help=True,
    help="Pay a cash dividend: every holder at the record date, once, from cash that the custodian confirmed.\n\n"
    "In this order: record (the register at the record date) · plan (who is owed what; signs nothing) · open ·"
    " approve (a second key) · fund · push · close. Meanwhile status tells what comes next, claim pays one holder,"
    " and statement shows a holder's part with its proof.",
)
ACTIONS = "corporate_actions"


@dataclass(frozen=True, slots=True)
class Planned:
    """A dividend as planned, and what it is computed from."""

    symbol: str
    event: str
    record: PayoutRecord
    plan: dict[str, Any]
    exit_code: int = 0

    def document(self) -> dict[str, object]:
        """Address, root, totals and counts; the whole document under `plan`."""
        record = self.record
        totals = self.plan["totals"]
        return {
            "security": self.symbol,
            "event": self.event,
            "distribution": str(Pubkey.from_bytes(record.address)),
            "number": record.number,
            "state": record.state.value,
            "root": record.root.hex(),
            "entries": record.entries,
            "batches": record.batches,
            "total": exact_text(record, record.total),
            "currency": self.plan["cash"]["currency"],
            "expires_at": instant_text(record.expires_at),
            "totals": {name: exact_text(record, totals[name]) for name in ("net", *dict(TOTALS))},
            "carried": {name: exact_text(record, totals[name]) for name in ("carried_in", "carried_out", "already")},
            "plan": self.plan,
        }

    def view(self) -> RenderableType:
        """The control totals, who is paid how, and what comes next."""
        record, plan = self.record, self.plan
        totals, cash = plan["totals"], plan["cash"]
        head = facts(
            [
                ("Event", f"{self.event} of {self.symbol}, distribution {record.number}"),
                ("Cash", f"{cash['gross']} gross - {cash['tax']} tax = {cash['net']} {cash['currency']} net"),
                ("For", f"{cash['eligible']} shares, by {', '.join(each['reference'] for each in cash['standing'])}"),
                ("Register", f"{plan['register']['owners']:,} owners at slot {plan['register']['slot']:,}"),
                ("Paid in", f"{plan['payment']['mint']} ({record.payment_decimals} decimals)"),
                ("Claims until", f"{when(record.expires_at)} UTC"),
                ("Root", record.root.hex()),
            ]
        )
        used = table("Of the net amount", cash["currency"], right=[cash["currency"]])
        for name, title in TOTALS:
            if int(totals[name]):
                used.add_row(title, cash_text(record, int(totals[name])))
        used.add_row("Net amount confirmed", Text(cash_text(record, int(totals["net"])), style="bold"))
        paid = table("Owners", "Number", "Payments", "Amount", "", right=["Number", "Payments", "Amount"])
        for name in _HOW:
            each = plan["counts"]["classes"][name]
            if each["owners"]:
                amount = cash_text(record, int(each["amount"]))
                paid.add_row(words(name), f"{each['owners']:,}", f"{each['payments']:,}", amount, _HOW[name])
        carried = record.total - int(totals["entitled"])
        if before := int(totals["already"]):
            paid.add_row("", "", "", cash_text(record, before), "committed before, and not paid again")
        elif carried > 0:
            paid.add_row("", "", "", cash_text(record, carried), "of it carried forward from earlier dividends")
        paid.add_row("", "", f"{record.entries:,}", Text(cash_text(record, record.total), style="bold"), "to fund")
        differences = plan["differences"]
        notes = [Text(f"• {each} Accepted: {differences['accepted']}", "yellow") for each in differences["found"]]
        is_planned = record.state is PayoutState.PLANNED
        following = "Next, a distributor opens it: tally dividend open" if is_planned else "See: tally dividend status"
        step = Text(f"Nothing was signed. {following}", style="dim")
        return stack(head, used, paid, Group(*notes) if notes else None, step)


_HOW = {
    "wallet": "pushed",
    "program": "left to claim",
    "frozen": "pushed once thawed",
    "inventory": "not paid",
}


@command(
    app,
    "plan",
    examples=(
        "tally dividend plan tAAPL CA-30 --confirmation mt566.txt",
        "tally dividend plan tAAPL CA-30 --minimum 0.10 --expires 730d --json",
        "tally dividend plan tAAPL CA-30 --correct   # pays what earlier distributions of the event did not",
        "tally dividend plan tAAPL CA-30 --number 0   # one that is opened, for a store that lost it",
        "tally dividend plan tAAPL CA-30 --accept-difference 'gross rounded by the custodian, its mail of 3 May'",
    ),
)
async def plan(
    tally: Tally,
    security: SecurityArgument,
    event: EventArgument,
    confirmation: ConfirmationOption = None,
    minimum: MinimumOption = None,
    fee: FeeOption = None,
    expires: Annotated[
        str | None,
        typer.Option(help="Until when it may be claimed: 365d after the pay date, or a moment; else the profile's."),
    ] = None,
    correct: CorrectOption = False,
    accept_difference: AcceptOption = None,
    payout_key: Annotated[
        str | None, typer.Option(help="Who will push: an address or wallet; else the profile's payout key.")
    ] = None,
    number: Annotated[
        int | None,
        typer.Option("--number", help="One that is opened, computed anew for a store without it.", min=0, max=65535),
    ] = None,
) -> Planned:
    """Compute who is owed what, from the register and the cash that custodians confirmed. Signs nothing.

    Before: tally dividend record. After: tally dividend open. The same sources make the same root on any machine; until
    it is opened, planning again replaces the plan.
    """
    dividend = await find_dividend(tally, security, event)
    rules = dividend_rules(tally, minimum, fee)
    await receive_confirmations(tally, dividend, confirmation)
    books = await tally.open_store()
    chain = tally.open_chain()
    if number is None:
        key = tally.signer("payout").pubkey if payout_key is None else tally.address(payout_key)
    else:
        seen = (await read_distribution(chain, distribution_address(dividend.address, number))).require().fields
        key = seen.payout_key
    request = dividend_request(
        tally, dividend, payout_key=key, expires=expires, corrects=correct, accepted=accept_difference
    )
    if number is not None:
        request = replace(request, expires_at=seen.expires_at)
    made = await plan_dividend(
        chain, books.registers, books.confirmations, books.payouts, rules, request, number=number
    )
    return Planned(dividend.section.symbol, dividend.event, made.record, dict(plan_document(made.record)))


@command(
    app,
    "open",
    signs=True,
    examples=("tally dividend open tAAPL CA-30 --dry-run", "tally dividend open tAAPL CA-30 --yes"),
)
async def open_(tally: Tally, security: SecurityArgument, event: EventArgument, number: NumberOption = None) -> Signed:
    """Open the planned distribution on chain: its root, its escrow, and a bit for each payment.

    Before: tally dividend plan. After: a second key approves it (tally dividend approve). No money moves; rent goes
    back to the fee payer at the close. Run it again to carry on where it stopped.
    """
    dividend, record = await _planned(tally, security, event, number)
    if record.state is PayoutState.PLANNED:
        await require_still_confirmed(tally, record)
    signer = tally.signer("distributor")
    payer = tally.payer(signer)
    made = await plan_open_distribution(
        tally.open_chain(),
        record,
        payer=payer.pubkey,
        distributor=signer.pubkey,
        refund_owner=_refund_owner(record),
    )
    return await _sign(tally, _with_notes(record, made), dividend, record, payer, signer)


@command(
    app,
    "approve",
    signs=True,
    examples=(
        "tally dividend approve tAAPL CA-30 --confirmation mt566.txt",
        "tally dividend approve tAAPL CA-30 --minimum 0.10 --key 2 --yes",
    ),
)
async def approve(
    tally: Tally,
    security: SecurityArgument,
    event: EventArgument,
    confirmation: ConfirmationOption = None,
    minimum: MinimumOption = None,
    fee: FeeOption = None,
    correct: CorrectOption = False,
    accept_difference: AcceptOption = None,
    key: Annotated[
        int | None,
        typer.Option("--key", help="Number of the corporate actions key of the profile; else one that may.", min=1),
    ] = None,
) -> Signed:
    """Approve who is paid what: a corporate actions key that did not open it.

    Everything is computed anew from your own register, confirmations and profile, and compared with the chain: root,
    entries, total, refund account and expiry. Give the terms that the plan was given. Best on another machine, with the
    register taken there (tally dividend record) and the custodian's file as you got it. After: tally dividend fund.
    """
    dividend = await find_dividend(tally, security, event)
    chain, books = tally.open_chain(), await tally.open_store()
    opened = dividend.action.distributions - 1
    if opened < 0:
        raise Refused(
            f"No distribution of {dividend.event} is opened.", hint="A distributor opens it: tally dividend open"
        )
    seen = (await read_distribution(chain, distribution_address(dividend.address, opened))).require().fields
    signer = _second_key(tally, seen.opener, key)
    payer = tally.payer(signer)
    rules = dividend_rules(tally, minimum, fee)
    if not tally.is_dry_run:
        await receive_confirmations(tally, dividend, confirmation)
    request = dividend_request(
        tally, dividend, payout_key=seen.payout_key, corrects=correct, accepted=accept_difference
    )
    request = replace(request, expires_at=seen.expires_at)
    own = await compute_dividend(
        chain, books.registers, books.confirmations, books.payouts, rules, request, number=opened
    )
    try:
        require_recomputed(own.record, seen)
    except Refused as error:
        yours = " ".join(plan_notes(own.record, plan_document(own.record)))
        raise Refused(
            error.message,
            hint=f"{error.hint} Yours: {yours} The opener's is shown there by: tally dividend plan --number {opened}",
        ) from error
    known = await books.payouts.find(own.record.address)
    if tally.is_dry_run and (known is None or known.root != own.record.root):
        raise Refused(
            "A dry run keeps nothing, and this store has no plan of the distribution yet.",
            hint=f"Compute it here first: tally dividend plan --number {opened}",
        )
    # One that is planned here and differs from what was opened is replaced; the opened one never is.
    record = (
        known
        if tally.is_dry_run and known
        else await books.payouts.add(own.record, own.batches, own.pages, own.carries)
    )
    made = await plan_approve_distribution(
        chain,
        books.payouts,
        record,
        payer=payer.pubkey,
        approver=signer.pubkey,
        recomputed=own.record,
    )
    return await _sign(tally, _with_notes(record, made), dividend, record, payer, signer)


@command(
    app,
    "fund",
    signs=True,
    examples=(
        "tally dividend fund tAAPL CA-30 --dry-run",
        "tally dividend fund tAAPL CA-30 --from treasury --yes",
    ),
)
async def fund(
    tally: Tally,
    security: SecurityArgument,
    event: EventArgument,
    from_: Annotated[
        str | None,
        typer.Option("--from", help="Who owns the money: a wallet or key of the profile; else its refund wallet."),
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="The token account with the money; else the owner's associated one.")
    ] = None,
    number: NumberOption = None,
) -> Signed:
    """Move what is missing into the distribution's escrow.

    Before: tally dividend approve. After: tally dividend push. Only the committed payments are made from the escrow;
    what is left at the close goes back to the refund account.
    """
    dividend, record = await _planned(tally, security, event, number)
    funder = any_signer(tally, from_ or tally.profile.dividends.refund)
    payer = tally.payer(funder)
    made = await plan_fund_distribution(
        tally.open_chain(),
        record,
        payer=payer.pubkey,
        funder=funder.pubkey,
        source=tally.profile.wallet(source) if source else None,
    )
    try:
        await require_still_confirmed(tally, record)
    except Refused as error:
        made = replace(made, notes=(f"Look first. {error.message}", *made.notes))
    return await _sign(tally, made, dividend, record, payer, funder)


@command(
    app,
    "claim",
    signs=True,
    examples=(
        "tally dividend claim tAAPL CA-30 anna --dry-run",
        "tally dividend claim tAAPL CA-30 9xQeWvG816bUx9EPjHmaT23yvVM2ZWbrrpZb9PusVFin --yes",
    ),
)
async def claim(
    tally: Tally,
    security: SecurityArgument,
    event: EventArgument,
    wallet: Annotated[str, typer.Argument(metavar="WALLET", help="The holder: a name of the profile or an address.")],
    number: NumberOption = None,
) -> Signed:
    """Pay one holder that no push has paid; anybody may, and it always goes to the holder.

    Creates the holder's account of the payment token where it is missing, at the fee payer's cost. A suspended holder
    is refused in words, and so is an account that is frozen or was given away.
    """
    dividend, record = await _planned(tally, security, event, number)
    owner = tally.address(wallet)
    payer = tally.signer("payer") if tally.profile.keys.payer else tally.wallet_signer(wallet)
    books = await tally.open_store()
    made = await plan_claim(tally.open_chain(), books.payouts, record, payer=payer.pubkey, wallet=owner)
    return await _sign(tally, made, dividend, record, payer)


@command(
    app,
    "close",
    signs=True,
    examples=("tally dividend close tAAPL CA-30 --dry-run", "tally dividend close tAAPL CA-30 --yes"),
)
async def close(tally: Tally, security: SecurityArgument, event: EventArgument, number: NumberOption = None) -> Signed:
    """End the distribution and take the unpaid rest back to the refund account.

    Only once every holder is paid or the expiry has come; one that was never approved, at any time. The store keeps
    which payments were made: on chain only their hash stays. After, where somebody is still owed: tally dividend plan
    --correct.
    """
    dividend, record = await _planned(tally, security, event, number)
    signer = tally.signer("distributor")
    payer = tally.payer(signer)
    chain, books = tally.open_chain(), await tally.open_store()
    made = await plan_close_distribution(
        chain, record, payer=payer.pubkey, distributor=signer.pubkey, refund_owner=_refund_owner(record)
    )
    if not made.is_empty and not tally.is_dry_run:
        await keep_bits(chain, books.payouts, record)
    return await _sign(tally, made, dividend, record, payer, signer)


async def _planned(tally: Tally, security: str, event: str, number: int | None) -> tuple[Dividend, PayoutRecord]:
    dividend = await find_dividend(tally, security, event)
    return dividend, await find_record(tally, dividend, number)


def _refund_owner(record: PayoutRecord) -> Pubkey:
    return Pubkey.from_string(plan_document(record)["payment"]["refund_owner"])


def _with_notes(record: PayoutRecord, made: Plan) -> Plan:
    """The plan with the dividend's sources and totals before its own notes."""
    return (
        made
        if made.is_empty
        else Plan(made.title, made.actions, (*plan_notes(record, plan_document(record)), *made.notes))
    )


async def _sign(
    tally: Tally, made: Plan, dividend: Dividend, record: PayoutRecord, *signers: TransactionSigner
) -> Signed:
    """Carry the plan out, and bring the store's books in line with the chain."""
    details = {
        "event": dividend.event,
        "number": str(record.number),
        "distribution": str(Pubkey.from_bytes(record.address)),
    }
    signed = await sign(tally, made, *signers, details=details)
    await follow_distribution(tally.open_chain(), (await tally.open_store()).payouts, record)
    return signed


def _second_key(tally: Tally, opener: Pubkey, number: int | None) -> TransactionSigner:
    """The key of that number, else the first of the profile that did not open it, else the first."""
    if number is not None:
        return tally.signer(f"{ACTIONS}.{number}")
    keys = [tally.signer(each) for each in tally.numbered(ACTIONS)]
    if not keys:
        raise ConfigurationError(
            "The profile names no corporate actions keys.",
            hint="Run it where the second key is, or name its file under [keys] corporate_actions.",
        )
    return next((each for each in keys if each.pubkey != opener), keys[0])
