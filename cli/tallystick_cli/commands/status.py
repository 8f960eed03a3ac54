"""tally status: one screen that says what is backed, what is open and what is stale."""

from __future__ import annotations

from dataclasses import dataclass, field

import typer
from rich.console import Group, RenderableType
from rich.text import Text
from tallystick.domain.amounts import format_base_units
from tallystick.domain.break_records import BreakRecord
from tallystick.services.issuers import IssuerStatus, RoleState, issuer_status
from tallystick.services.securities import SecurityStatus, security_of, security_status
from tallystick.services.waiting_changes import Waiting, waiting_changes

from tallystick_cli.command import command
from tallystick_cli.commands.dividend_view import ListShown, list_distributions
from tallystick_cli.commands.outbox import pending_table
from tallystick_cli.commands.reconcile import breaks_of
from tallystick_cli.context import OutboxRow, StoredStatement, Tally
from tallystick_cli.orders import OrdersShown, find_orders, orders_table
from tallystick_cli.profile import SecuritySection
from tallystick_cli.render import ago, amount, heading, instant_text, stack, table
from tallystick_cli.waiting import waiting_document, waiting_line

app = typer.Typer()


@dataclass(frozen=True, slots=True)
class Status:
    """Everything at a glance; `now` is the chain's clock. Breaks are those of the last reconciliation, dividends
    those whose distribution is not closed."""

    issuer: IssuerStatus
    name: str
    cluster: str
    securities: tuple[tuple[SecuritySection, SecurityStatus, tuple[BreakRecord, ...]], ...]
    orders: OrdersShown
    pending: tuple[OutboxRow, ...]
    statements: tuple[tuple[str, StoredStatement | None], ...]
    last_close: str
    waiting: tuple[tuple[str, Waiting], ...] = ()
    dividends: ListShown = field(default_factory=lambda: ListShown(()))
    exit_code: int = 0

    @property
    def now(self) -> int:
        """The chain's clock, seconds since 1970 UTC."""
        return self.issuer.now

    def document(self) -> dict[str, object]:
        """The same as plain data."""
        return {
            "issuer": str(self.issuer.address),
            "name": self.name,
            "slot": self.issuer.slot,
            "chain_time": instant_text(self.now),
            "securities": [
                {
                    "symbol": section.symbol,
                    "isin": section.isin,
                    "supply": format_base_units(status.supply, section.decimals),
                    "required_shares": format_base_units(status.required, section.decimals),
                    "backing_shares": format_base_units(status.backing, section.decimals),
                    "mintable": format_base_units(status.room, section.decimals),
                    "is_backed": status.required <= status.backing,
                    "reserve_as_of": instant_text(status.security.reserve_as_of),
                    "trouble": status.trouble,
                    "open_breaks": len(breaks),
                }
                for section, status, breaks in self.securities
            ],
            "open_orders": [row.document() for row in self.orders.rows],
            "pending_transactions": [
                {"intent": row.intent, "signature": str(row.signature), "state": row.state.value}
                for row in self.pending
            ],
            "statements": [
                {
                    "account": account,
                    "as_of": instant_text(kept.statement.as_of) if kept else None,
                    "status": kept.status.value if kept else "missing",
                }
                for account, kept in self.statements
            ],
            "waiting_changes": [{"security": symbol, **waiting_document(each)} for symbol, each in self.waiting],
            "waiting_roles": sum(each.state is RoleState.WAITING for each in self.issuer.roles),
            "last_close": self.last_close or None,
            "dividends": self.dividends.document()["distributions"],
        }

    def view(self) -> RenderableType:
        """One screen."""
        head = Text.assemble(
            (self.name, "bold"), (f" · {self.cluster} · slot {self.issuer.slot} · {instant_text(self.now)}", "dim")
        )
        return stack(head, self._backed(), self._open(), self._waits(), self._stale())

    def _backed(self) -> RenderableType:
        if not self.securities:
            return Text("No security is listed yet. List one with: tally security list", style="dim")
        numbers = ["Tokens", "Require", "Backed by", "Mintable"]
        rows = table("Backed", *numbers, "Reserve as of", "Holds", "", right=numbers)
        for section, status, breaks in self.securities:
            security, decimals = status.security, section.decimals
            is_backed = status.required <= status.backing
            held = [name for name in ("mint", "redeem", "transfer") if getattr(security, f"{name}_holds")]
            mark = Text("✓", style="green") if is_backed and not breaks and not status.trouble else Text("!", "yellow")
            if not is_backed:
                mark = Text("✗", style="bold red")
            rows.add_row(
                section.symbol,
                amount(status.supply, decimals),
                amount(status.required, decimals),
                Text(amount(status.backing, decimals), style="" if is_backed else "bold red"),
                amount(status.room, decimals),
                ago(security.reserve_as_of, self.now),
                Text(", ".join(held), style="red"),
                mark,
            )
        return rows

    def _open(self) -> RenderableType:
        parts: list[RenderableType] = []
        if self.orders.rows:
            parts.append(orders_table(self.orders.rows, self.now))
        if self.pending:
            parts.append(pending_table(self.pending, self.now))
        found = [(section, breaks) for section, _, breaks in self.securities if breaks]
        parts += [breaks_of(breaks, section.decimals, self.now) for section, breaks in found]
        if self.dividends.rows:
            parts.append(self.dividends.view())
        if not parts:
            return Text("✓ Nothing is open: no order, no transaction, no dividend, no break.", style="green")
        return stack(heading("Open"), *parts)

    def _waits(self) -> RenderableType | None:
        if not self.waiting:
            return None
        lines = Group(*(Text(f"• {symbol} {waiting_line(each)}", style="yellow") for symbol, each in self.waiting))
        return stack(heading("Waits"), lines)

    def _stale(self) -> RenderableType:
        lines: list[str] = []
        for section, status, _ in self.securities:
            if status.trouble:
                lines.append(f"{section.symbol}: {status.trouble}")
        for account, kept in self.statements:
            if kept is None:
                lines.append(f"No statement of {account} was received yet.")
            elif kept.status.value != "usable":
                lines.append(f"The newest statement of {account} is {kept.status.value}: {kept.reason}")
        waiting = sum(each.state is RoleState.WAITING for each in self.issuer.roles)
        if waiting:
            lines.append(f"{waiting} granted roles wait for the issuer's delay.")
        lines += [] if self.last_close else ["No day was closed yet."]
        if not lines:
            return Text(f"✓ Nothing is stale. Last close: {self.last_close}", style="green")
        return stack(heading("Stale"), Text("\n".join(f"• {line}" for line in lines), style="yellow"))


@command(app, "status", examples=("tally status", "tally status --json | jq '.securities[].is_backed'"))
async def status(tally: Tally) -> Status:
    """One screen: what is backed, what is open, what is stale."""
    chain, books = tally.open_chain(), await tally.open_store()
    issuer = await issuer_status(chain, tally.issuer)
    securities = []
    waiting: list[tuple[str, Waiting]] = []
    for section in tally.profile.securities:
        address = security_of(tally.issuer, section.id).security
        found = await security_status(chain, address)
        securities.append((section, found, await books.breaks.records(bytes(address))))
        changes = await waiting_changes(chain, address, found.security, found.now)
        waiting += [(section.symbol, each) for each in changes]
    statements = [
        (f"{custodian.name or custodian.lei} / {account}", await books.latest_statement(custodian.lei, account))
        for custodian in tally.profile.custodians
        for account in custodian.accounts
    ]
    last = await books.closes.last(bytes(tally.issuer))
    return Status(
        issuer,
        tally.profile.issuer.name,
        tally.cluster_name,
        tuple(securities),
        (await find_orders(tally, None)).only_live(),
        await books.outbox.pending(),
        tuple(statements),
        f"{last.day} at slot {last.slot}" if last else "",
        tuple(waiting),
        await list_distributions(tally, tally.profile.securities, is_going=True),
    )
