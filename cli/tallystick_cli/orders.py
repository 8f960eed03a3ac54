"""Orders and movements as people name and see them, for the order commands and the status screen."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from rich.console import RenderableType
from rich.text import Text
from solders.pubkey import Pubkey
from tallystick.domain.amounts import format_base_units, parse_base_units
from tallystick.domain.orders import MovementDirection
from tallystick.errors import ConfigurationError, InputError, Refused, TallystickError
from tallystick.program.generated.accounts import Fill, Movement, Order
from tallystick.program.generated.types import OrderKind, OrderStatus
from tallystick.services.chain_reads import chain_time, list_fills, list_orders, read, require
from tallystick.services.movements import MovementReference, Part
from tallystick.services.plans import Plan
from tallystick.services.securities import security_of
from tallystick.services.subscription import LIVE

from tallystick_cli.approval import Signed, sign
from tallystick_cli.context import CustodyMovement, Tally, TransactionSigner
from tallystick_cli.moments import PAST_FORM, parse_past
from tallystick_cli.profile import SecuritySection
from tallystick_cli.render import amount, facts, instant_text, short, stack, table, when, when_short, words


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order on chain, with our own reference of it and the holder's name, where there are any."""

    section: SecuritySection
    address: Pubkey
    order: Order
    reference: str
    holder_name: str

    @property
    def deadline(self) -> int:
        """What the order has to happen by next, 0 when nothing can happen any more."""
        if self.order.status not in LIVE:
            return 0
        waits = self.order.kind is OrderKind.REDEMPTION and self.order.status is OrderStatus.OPEN
        return self.order.accept_by if waits else self.order.settle_by

    def document(self) -> dict[str, object]:
        """The order as plain data; quantities in shares (subscription) or tokens (redemption)."""
        order, decimals = self.order, self.section.decimals
        return {
            "order": str(self.address),
            "reference": self.reference or None,
            "security": self.section.symbol,
            "kind": order.kind.name.lower(),
            "status": order.status.name.lower(),
            "holder": str(order.holder),
            "holder_name": self.holder_name or None,
            "quantity": format_base_units(order.quantity, decimals),
            "filled": format_base_units(order.filled, decimals),
            "opened_at": instant_text(order.opened_at),
            "deadline": instant_text(self.deadline),
        }


@dataclass(frozen=True, slots=True)
class OrdersShown:
    """Orders, oldest first. `now` is the chain's clock."""

    rows: tuple[OrderRow, ...]
    now: int
    exit_code: int = 0

    def only_live(self) -> OrdersShown:
        """Those at which something can still happen."""
        return replace(self, rows=tuple(row for row in self.rows if row.order.status in LIVE))

    def document(self) -> dict[str, object]:
        """Every order."""
        return {"orders": [row.document() for row in self.rows]}

    def view(self) -> RenderableType:
        """A table."""
        if not self.rows:
            return Text("No orders.", style="dim")
        return orders_table(self.rows, self.now)


@dataclass(frozen=True, slots=True)
class OrderShown:
    """One order with its fills, oldest first."""

    row: OrderRow
    fills: tuple[tuple[Pubkey, Fill], ...]
    now: int
    exit_code: int = 0

    def document(self) -> dict[str, object]:
        """The order and each fill."""
        decimals = self.row.section.decimals
        fills = [
            {
                "fill": str(address),
                "kind": fill.kind.name.lower(),
                "movement": str(fill.movement),
                "shares": format_base_units(fill.shares, decimals),
                "tokens": format_base_units(fill.raw, decimals),
                "settled_at": instant_text(fill.settled_at),
                "undone_tokens": format_base_units(fill.corrected_raw, decimals),
            }
            for address, fill in self.fills
        ]
        return self.row.document() | {"fills": fills}

    def view(self) -> RenderableType:
        """Facts, then fills."""
        row, order = self.row, self.row.order
        decimals, unit = row.section.decimals, "shares" if order.kind is OrderKind.SUBSCRIPTION else "tokens"
        head = facts(
            [
                (
                    "Order",
                    f"{order.kind.name.lower()} of {amount(order.quantity, decimals)} {unit} of {row.section.symbol}",
                ),
                ("Reference", row.reference),
                ("Address", str(row.address)),
                ("Holder", f"{row.holder_name} {order.holder}".strip()),
                ("Status", f"{words(order.status.name)} since {when(order.status_at)} UTC"),
                ("Filled", f"{amount(order.filled, decimals)} {unit}"),
                ("Deadline", _deadline(row, self.now) if row.deadline else ""),
            ]
        )
        if not self.fills:
            return head
        fills = table("Fill", "Kind", "Shares", "Tokens", "Settled (UTC)", right=["Shares", "Tokens"])
        for address, fill in self.fills:
            fills.add_row(
                Text(str(address), overflow="fold"),
                words(fill.kind.name),
                amount(fill.shares, decimals),
                amount(fill.raw, decimals),
                when(fill.settled_at),
            )
        return stack(head, fills)


def orders_table(rows: Sequence[OrderRow], now: int) -> RenderableType:
    """Orders, one line each."""
    made = table(
        "Order", "Security", "Kind", "Holder", "Quantity", "Filled", "Status", "Deadline", right=["Quantity", "Filled"]
    )
    for row in rows:
        order, decimals = row.order, row.section.decimals
        made.add_row(
            row.reference or short(row.address),
            row.section.symbol,
            words(order.kind.name),
            row.holder_name or short(order.holder),
            amount(order.quantity, decimals),
            amount(order.filled, decimals),
            words(order.status.name),
            _deadline(row, now),
        )
    return made


def _deadline(row: OrderRow, now: int) -> Text:
    if not row.deadline:
        return Text("")
    return Text(when_short(row.deadline), style="red" if row.deadline < now else "")


async def find_orders(tally: Tally, security: str | None) -> OrdersShown:
    """Every order of one security, or of all of the profile."""
    chain, books = tally.open_chain(), await tally.open_store()
    references = {each.address: each.reference for each in await books.orders.list()}
    names = tally.known_names()
    rows: list[OrderRow] = []
    for section in [tally.profile.security(security)] if security else tally.profile.securities:
        found = await list_orders(chain, security_of(tally.issuer, section.id).security)
        rows += [
            OrderRow(section, address, order, references.get(bytes(address), ""), names.get(order.holder, ""))
            for address, order in found.accounts.items()
        ]
    rows.sort(key=lambda row: (row.order.opened_at, row.reference, bytes(row.address)))
    return OrdersShown(tuple(rows), await chain_time(chain))


async def order_with_fills(tally: Tally, row: OrderRow, now: int) -> OrderShown:
    """One order and its fills."""
    found = await list_fills(tally.open_chain(), row.order.security)
    fills = [(address, fill) for address, fill in found.accounts.items() if fill.order == row.address]
    fills.sort(key=lambda each: (each[1].settled_at, bytes(each[0])))
    return OrderShown(row, tuple(fills), now)


async def find_order(tally: Tally, name: str) -> Pubkey:
    """An order by our reference or its address. InputError when there is none, or the reference is of several."""
    books = await tally.open_store()
    found = [each for each in await books.orders.list() if each.reference == name]
    if len(found) > 1:
        raise InputError(f"{name!r} is the reference of {len(found)} orders.", hint="Name the order's address.")
    if found:
        return Pubkey.from_bytes(found[0].address)
    try:
        return Pubkey.from_string(name)
    except ValueError:
        raise InputError(
            f"{name!r} is neither an order's address nor a reference in the order book.",
            hint="See: tally order list --all",
        ) from None


async def parse_parts(tally: Tally, section: SecuritySection, texts: Sequence[str]) -> list[Part]:
    """ORDER or ORDER=QUANTITY each; without a quantity, what is left of the order."""
    parts: list[Part] = []
    for text in texts:
        name, equals, quantity = text.rpartition("=")
        address = await find_order(tally, name if equals else text)
        if equals:
            parts.append(Part(address, parse_base_units(quantity, section.decimals)))
        else:
            order = await require(tally.open_chain(), Order, address)
            parts.append(Part(address, order.quantity - order.filled or order.quantity))
    return parts


def custody_movement(
    tally: Tally, section: SecuritySection, custodian: str | None, account: str | None, reference: str, moved: str
) -> MovementReference:
    """A movement as a person names it; custodian and account may be left out where there is only one.

    ConfigurationError when they are needed, or not declared for the security.
    """
    declared = [
        each
        for each in section.accounts
        if custodian in (None, each.custodian, _name(tally, each.custodian)) and account in (None, each.account)
    ]
    if len(declared) != 1:
        known = ", ".join(f"{each.custodian}/{each.account}" for each in section.accounts)
        raise ConfigurationError(
            f"{len(declared)} declared custody accounts of {section.symbol} fit; one was expected.",
            hint=f"Name it with --custodian and --account; declared: {known}.",
        )
    return MovementReference(
        declared[0].custodian, declared[0].account, reference, parse_base_units(moved, section.decimals)
    )


async def booking_time(tally: Tally, security: Pubkey, reference: MovementReference, given: str | None) -> int:
    """When the custodian booked a movement, in seconds since 1970 UTC: `given` as a person types it, the first time,
    and what the journal has from then on. It is never guessed, since reconciliation tells by it which statements
    contain the movement.

    InputError when the journal does not know it and none is given; Refused when the journal has another one.
    """
    known = await (await tally.open_store()).journal.get(bytes(security), reference.hash)
    kept = known.booked_at if known else None
    if given is None:
        if kept is None:
            raise InputError(
                f"Movement {reference.reference} is used for the first time: when did the custodian book it?",
                hint="Give --booked-at: the booking time in the custodian's settlement confirmation or list of "
                f"transactions, not the time of this command. Write {PAST_FORM}.",
            )
        return kept
    booked_at = parse_past(given, await chain_time(tally.open_chain()))
    if kept not in (None, booked_at):
        raise Refused(
            f"Conflict: the journal has movement {reference.reference} as booked at {instant_text(kept or 0)}, and "
            f"{instant_text(booked_at)} was given.",
            hint="Look it up in the custodian's books, and leave --booked-at out: the journal's time is used.",
        )
    return booked_at


async def sign_settlement(
    tally: Tally,
    plan: Plan,
    payer: TransactionSigner,
    operator: TransactionSigner,
    security: Pubkey,
    reference: MovementReference,
    direction: MovementDirection,
    booked_at: int,
) -> Signed:
    """Carry out a settlement and keep its movement in the journal, also when only some of its orders were settled.

    `booked_at` is the custodian's booking time in seconds since 1970 UTC. Raises what `sign` raises.
    """
    chain, place = tally.open_chain(), reference.address(security)
    try:
        signed = await sign(tally, plan, payer, operator, details={"movement": str(place)})
    except TallystickError:
        # What failed is told; this only keeps the books beside a part that landed, and never hides the failure.
        with suppress(TallystickError):
            if await read(chain, Movement, place) is not None:
                await record_movement(tally, security, reference, direction, booked_at)
        raise
    await record_movement(tally, security, reference, direction, booked_at)
    return signed


async def record_movement(
    tally: Tally, security: Pubkey, reference: MovementReference, direction: MovementDirection, booked_at: int
) -> None:
    """Keep a settled movement in the journal, with the custodian's booking time in seconds since 1970 UTC."""
    books, now = await tally.open_store(), await chain_time(tally.open_chain())
    await books.journal.record(
        CustodyMovement(
            reference.custodian_lei,
            reference.account,
            reference.reference,
            direction,
            reference.shares,
            bytes(security),
            now,
            booked_at,
        )
    )


def _name(tally: Tally, lei: str) -> str:
    return next((each.name for each in tally.profile.custodians if each.lei == lei), "")
