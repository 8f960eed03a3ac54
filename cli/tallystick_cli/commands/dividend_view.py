"""tally dividend status and statement: how far a distribution is, and one holder's part with its proof."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text
from solders.pubkey import Pubkey
from tallystick.domain.dividends import PayoutState
from tallystick.errors import InputError, Refused
from tallystick.services.distribution_reads import read_distribution
from tallystick.services.dividend_reads import DistributionProgress, distribution_progress
from tallystick.services.dividend_statements import holder_statement, verify_statement
from tallystick.services.payout_lines import plan_document
from tallystick.services.securities import security_of

from tallystick_cli.command import command
from tallystick_cli.commands.dividend import app
from tallystick_cli.context import Tally
from tallystick_cli.dividends import (
    NumberOption,
    cash_text,
    exact_text,
    find_dividend,
    find_record,
)
from tallystick_cli.failures import DONE, REFUSED
from tallystick_cli.files import read_file, write_file
from tallystick_cli.profile import SecuritySection
from tallystick_cli.render import facts, heading, instant_text, json_text, shown_path, stack, table, when, words

__all__ = ["app"]


@dataclass(frozen=True, slots=True)
class StatusShown:
    """How far a distribution is. `names` are ours, by address."""

    symbol: str
    event: str
    currency: str
    progress: DistributionProgress
    names: Mapping[Pubkey, str]
    exit_code: int = DONE

    def document(self) -> dict[str, object]:
        """State, amounts, what is unpaid by class of owner, and what comes next."""
        progress, record, account = self.progress, self.progress.record, self.progress.account
        fields = account.fields if account is not None else None
        return {
            "security": self.symbol,
            "event": self.event,
            "distribution": str(Pubkey.from_bytes(record.address)),
            "number": record.number,
            "state": record.state.value,
            "currency": self.currency,
            "root": record.root.hex(),
            "entries": record.entries,
            "total": exact_text(record, record.total),
            "funded": exact_text(record, fields.funded if fields else 0),
            "paid": exact_text(record, fields.paid if fields else 0),
            "paid_entries": fields.paid_entries if fields else 0,
            "unpaid_entries": progress.unpaid_entries,
            "classes": {
                kind.name.lower(): {
                    "entries": each.entries,
                    "amount": exact_text(record, each.amount),
                    "unpaid_entries": each.unpaid_entries,
                    "unpaid_amount": exact_text(record, each.unpaid_amount),
                }
                for kind, each in progress.classes.items()
            },
            "opener": str(fields.opener) if fields else None,
            "approver": str(fields.root_approver) if fields and fields.approved_at else None,
            "opened_at": instant_text(fields.opened_at) if fields else None,
            "approved_at": instant_text(fields.approved_at) if fields else None,
            "expires_at": instant_text(record.expires_at),
            "closed_at": instant_text(fields.closed_at) if fields else None,
            "payout_key": str(Pubkey.from_bytes(record.payout_key)),
            "refund": str(Pubkey.from_bytes(record.refund)),
            "slot": progress.slot,
            "next": progress.next_step or None,
        }

    def view(self) -> RenderableType:
        """Facts, what is unpaid by class, and the next step."""
        progress, record, account = self.progress, self.progress.record, self.progress.account
        fields = account.fields if account is not None else None
        total = f"{cash_text(record, record.total)} {self.currency} to {record.entries:,} holders"
        rows: list[tuple[str, RenderableType | str]] = [
            ("Event", f"{self.event} of {self.symbol}, distribution {record.number}"),
            ("State", record.state.value),
            ("Pays", total),
        ]
        if fields is not None:
            rows += [
                ("Funded", cash_text(record, fields.funded)),
                ("Paid", f"{cash_text(record, fields.paid)} to {fields.paid_entries:,} holders"),
                ("Opened", f"{when(fields.opened_at)} UTC by {self._key(fields.opener)}"),
                (
                    "Approved",
                    f"{when(fields.approved_at)} UTC by {self._key(fields.root_approver)}"
                    if fields.approved_at
                    else "",
                ),
                ("Closed", f"{when(fields.closed_at)} UTC" if fields.closed_at else ""),
            ]
        rows += [
            ("Claims until", f"{when(record.expires_at)} UTC"),
            ("Root", record.root.hex()),
            ("Address", str(Pubkey.from_bytes(record.address))),
            ("Next", progress.next_step),
        ]
        parts = table("Owners", "Payments", "Unpaid", "Amount unpaid", right=["Payments", "Unpaid", "Amount unpaid"])
        for kind, each in progress.classes.items():
            parts.add_row(
                words(kind.name), f"{each.entries:,}", f"{each.unpaid_entries:,}", cash_text(record, each.unpaid_amount)
            )
        return stack(facts(rows), parts)

    def _key(self, key: Pubkey) -> str:
        return f"{self.names.get(key, '')} {key}".strip()


@dataclass(frozen=True, slots=True)
class ListShown:
    """Every distribution in the store, as (symbol, event, progress)."""

    rows: tuple[tuple[str, str, DistributionProgress], ...]
    exit_code: int = DONE

    def document(self) -> dict[str, object]:
        """State, total, paid and next step of each."""
        return {
            "distributions": [
                {
                    "security": symbol,
                    "event": event,
                    "number": each.record.number,
                    "distribution": str(Pubkey.from_bytes(each.record.address)),
                    "state": each.record.state.value,
                    "entries": each.record.entries,
                    "unpaid_entries": each.unpaid_entries,
                    "total": exact_text(each.record, each.record.total),
                    "next": each.next_step or None,
                }
                for symbol, event, each in self.rows
            ]
        }

    def view(self) -> RenderableType:
        """A table, by security and event."""
        if not self.rows:
            return Text("No dividend is planned. Begin with: tally dividend record", style="dim")
        shown = table("Security", "Event", "No.", "State", "Total", "Unpaid", "Next", right=["No.", "Total", "Unpaid"])
        for symbol, event, each in self.rows:
            shown.add_row(
                symbol,
                event,
                str(each.record.number),
                each.record.state.value,
                cash_text(each.record, each.record.total),
                f"{each.unpaid_entries:,}",
                each.next_step,
            )
        return shown


@command(
    app,
    "status",
    examples=("tally dividend status", "tally dividend status tAAPL CA-30", "tally dividend status tAAPL CA-30 --json"),
)
async def status(
    tally: Tally,
    security: Annotated[str | None, typer.Argument(metavar="SECURITY", help="Symbol, ISIN or id; else all.")] = None,
    event: Annotated[str | None, typer.Argument(metavar="EVENT", help="The custodian's id of the event.")] = None,
    number: NumberOption = None,
) -> StatusShown | ListShown:
    """How far a distribution is: opened, approved, funded, paid, what is unpaid and why, and what comes next."""
    chain, books = tally.open_chain(), await tally.open_store()
    if security is not None and event is not None:
        dividend = await find_dividend(tally, security, event)
        record = await find_record(tally, dividend, number)
        progress = await distribution_progress(chain, books.payouts, record)
        currency = bytes(dividend.action.terms.currency).decode("ascii", errors="replace")
        return StatusShown(dividend.section.symbol, dividend.event, currency, progress, tally.known_names())
    sections = [tally.profile.security(security)] if security else tally.profile.securities
    return await list_distributions(tally, sections)


async def list_distributions(tally: Tally, sections: Sequence[SecuritySection], *, is_going: bool = False) -> ListShown:
    """The distributions of some securities that are in the store; only those that are neither closed nor discarded
    where `is_going`."""
    chain, books, rows = tally.open_chain(), await tally.open_store(), []
    for section in sections:
        address = security_of(tally.issuer, section.id).security
        for record in await books.payouts.list(security=bytes(address)):
            if is_going and record.state in (PayoutState.CLOSED, PayoutState.DISCARDED):
                continue
            progress = await distribution_progress(chain, books.payouts, record)
            rows.append((section.symbol, str(plan_document(record)["event"]), progress))
    rows.sort(key=lambda row: (row[0], row[1], row[2].record.number))
    return ListShown(tuple(rows))


@dataclass(frozen=True, slots=True)
class StatementShown:
    """One holder's statement, or its check. `problems` are what is wrong with it."""

    statement: Mapping[str, Any]
    problems: tuple[str, ...] = ()
    is_checked: bool = False
    file: Path | None = None

    @property
    def exit_code(self) -> int:
        """1 when a statement that was checked does not hold."""
        return REFUSED if self.problems else DONE

    def document(self) -> dict[str, object]:
        """The statement itself; of a check, the verdict."""
        if self.is_checked:
            return {"holder": self.statement["holder"], "is_right": not self.problems, "problems": list(self.problems)}
        return dict(self.statement)

    def view(self) -> RenderableType:
        """The parts as a sum, then the payment."""
        statement, cash = self.statement, self.statement["cash"]
        position = statement["position"]
        payment, parts = statement["payment"], table("", cash["currency"], right=[cash["currency"]])
        for name, title in _LINES:
            if cash[name].strip("-0.") or name in ("gross", "amount"):
                sign = "-" if name in _LESS and not cash[name].startswith("-") else ""
                parts.add_row(self._title(name, title), f"{sign}{cash[name].removeprefix('-') if sign else cash[name]}")
        head = facts(
            [
                ("Holder", statement["holder"]),
                ("Event", f"{statement['event']} of {statement['isin']}, distribution {statement['number']}"),
                ("Record date", statement["record_at"]),
                ("Held", f"{position['tokens']} tokens, which stood for {position['shares']} shares"),
            ]
        )
        rows: list[tuple[str, RenderableType | str]] = []
        if payment is None:
            rows.append(("Not paid", statement["not_paid_because"]))
        else:
            rows += [
                ("Paid", "yes, finalized" if payment["is_paid"] else f"not yet; distribution {payment['state']}"),
                ("Transaction", payment["signature"] or ""),
                ("To account", payment["account"]),
                ("Distribution", payment["distribution"]),
                ("Root", payment["root"]),
                ("Claim until", payment["may_claim_until"] or ""),
                ("Proof", f"batch {payment['batch']}, entry {payment['index']}; in full with --json"),
            ]
        verdict = None
        if self.is_checked:
            lines = [Text(f"✗ {each}", "bold red") for each in self.problems]
            right = Text("✓ It adds up, and its proofs lead to the root that the chain has.", "green")
            verdict = Group(*lines) if lines else right
        written = Text(f"Written to {shown_path(self.file)}.", "dim") if self.file is not None else None
        return stack(head, heading("How it comes about"), parts, facts(rows), verdict, written)

    def _title(self, name: str, title: str) -> str:
        held = self.statement["cash"]["withholding"]
        if name == "withheld" and held is not None:
            return f"{title}: {held['rate_percent']}% of class {held['class']} ({held['reason']})"
        return title


_LINES = (
    ("gross", "Gross"),
    ("upstream_tax", "Tax withheld before the custodian was credited"),
    ("withheld", "Tax withheld by the issuer"),
    ("fee", "Fee"),
    ("kept_by_issuer", "The issuer's own"),
    ("rounding", "Rounding to whole units"),
    ("net", "Net"),
    ("carried_in", "Carried forward from earlier dividends"),
    ("paid_before", "Committed by earlier distributions of this event"),
    ("paid_too_much", "Committed too much"),
    ("carried_out", "Carried forward to the next dividend"),
    ("amount", "Amount of this payment"),
)
_LESS = frozenset({"upstream_tax", "withheld", "fee", "kept_by_issuer", "paid_before", "carried_out"})


@command(
    app,
    "statement",
    examples=(
        "tally dividend statement tAAPL CA-30 anna",
        "tally dividend statement tAAPL CA-30 anna --out anna.json",
        "tally dividend statement --check anna.json",
    ),
)
async def statement(
    tally: Tally,
    security: Annotated[str | None, typer.Argument(metavar="SECURITY", help="Symbol, ISIN or id.")] = None,
    event: Annotated[str | None, typer.Argument(metavar="EVENT", help="The custodian's id of the event.")] = None,
    wallet: Annotated[
        str | None, typer.Argument(metavar="WALLET", help="The holder: a name of the profile or an address.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the statement there as JSON, for the holder.")] = None,
    check: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Check a statement instead: sums, proofs, and the chain's root.")
    ] = None,
    number: NumberOption = None,
) -> StatementShown:
    """What one holder was owed and how it came about, with the proof of the payment; or check such a statement."""
    if check is not None:
        return await _check(tally, check)
    if security is None or event is None or wallet is None:
        raise InputError("SECURITY, EVENT and WALLET are needed, or --check FILE.")
    dividend = await find_dividend(tally, security, event)
    record = await find_record(tally, dividend, number)
    books = await tally.open_store()
    made = await holder_statement(tally.open_chain(), books.payouts, books.outbox, record, tally.address(wallet))
    if out is not None:
        write_file(out, (json_text(made) + "\n").encode())
    return StatementShown(made, file=out)


async def _check(tally: Tally, file: Path) -> StatementShown:
    """A statement against itself and against the chain."""
    try:
        document = json.loads(read_file(file))
    except ValueError as error:
        raise InputError(f"{file} is no JSON document.") from error
    if not isinstance(document, dict):
        raise InputError(f"{file} is no statement of a dividend.")
    problems = list(verify_statement(document))
    payment = document["payment"]
    if payment is not None and not problems:
        seen = await read_distribution(tally.open_chain(), Pubkey.from_string(payment["distribution"]))
        if seen.account is None:
            raise Refused(
                f"There is no distribution {payment['distribution']} on this cluster.",
                hint="Check which cluster the profile names; before the opening there is nothing to compare.",
            )
        fields = seen.account.fields
        if fields.root.hex() != payment["root"] or fields.payment_mint != Pubkey.from_string(payment["mint"]):
            problems.append("The distribution on chain has another root or pays another token.")
        elif not fields.approved_at:
            problems.append("Nobody has approved the distribution: its root is no more than one key's word.")
        # The bits of a closed one are gone.
        elif seen.account.words and payment["is_paid"] and not seen.account.is_paid(payment["batch"], payment["index"]):
            problems.append("The statement says it was paid, and the distribution's bit says it was not.")
    return StatementShown(document, tuple(problems), is_checked=True)
