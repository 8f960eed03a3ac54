"""tally order: subscriptions and redemptions, from asking to settling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Protocol

import typer
from solders.pubkey import Pubkey
from tallystick.domain.amounts import parse_base_units
from tallystick.domain.orders import MovementDirection
from tallystick.domain.orders import OrderKind as BookedKind
from tallystick.errors import InputError
from tallystick.program.addresses import order_address
from tallystick.program.generated.accounts import Fill, Order, Security
from tallystick.program.generated.types import OrderKind
from tallystick.services.chain_reads import chain_time, require
from tallystick.services.corrections import plan_correct_fill
from tallystick.services.movements import MovementReference, Part
from tallystick.services.plans import Plan
from tallystick.services.redemption import (
    plan_accept_redemption,
    plan_cancel_redemption,
    plan_request_redemption,
    plan_settle_redemption,
    plan_withdraw_redemption,
)
from tallystick.services.securities import security_of
from tallystick.services.subscription import (
    order_id,
    plan_cancel_subscription,
    plan_open_subscription,
    plan_settle_subscription,
)

from tallystick_cli.approval import Signed, sign
from tallystick_cli.command import SecurityArgument, command
from tallystick_cli.context import BookedOrder, Chain, Tally, TransactionSigner
from tallystick_cli.moments import FORM, PAST_FORM, parse_moment
from tallystick_cli.orders import (
    OrderShown,
    OrdersShown,
    booking_time,
    custody_movement,
    find_order,
    find_orders,
    order_with_fills,
    parse_parts,
    sign_settlement,
)

DAY = 24 * 3600

app = typer.Typer(no_args_is_help=True, help="Orders: subscriptions (shares in, tokens out) and redemptions.")
WalletArgument = Annotated[str, typer.Argument(metavar="WALLET", help="The holder's address, or its name.")]
OrderArgument = Annotated[str, typer.Argument(metavar="ORDER", help="The order's address, or your reference of it.")]
ReferenceOption = Annotated[str, typer.Option(help="Your own name of the order; each holder uses it once.")]
PartsArgument = Annotated[
    list[str],
    typer.Argument(metavar="ORDER[=QUANTITY]...", help="Orders; what is left of each unless given."),
]
MovementOption = Annotated[str, typer.Option(help="The custodian's reference of the movement.")]
MovedOption = Annotated[str, typer.Option(help="All shares that moved in it, whichever orders they are for.")]
CustodianOption = Annotated[str | None, typer.Option(help="The custodian's LEI; needed when the profile has several.")]
AccountOption = Annotated[str | None, typer.Option(help="The custody account; needed when the profile has several.")]
BookedOption = Annotated[
    str | None,
    typer.Option(
        help=f"When the custodian booked it, from its confirmation: {PAST_FORM}. Needed the first time a movement is "
        "used; the journal keeps it."
    ),
]
ReasonOption = Annotated[int, typer.Option("--reason", help="From your own table of reasons.", min=0, max=65535)]


class Actor(StrEnum):
    """Who signs what both may."""

    HOLDER = "holder"
    OPERATOR = "operator"


ByOption = Annotated[Actor, typer.Option(help="Who signs.")]


@command(
    app,
    "subscribe",
    signs=True,
    examples=(
        "tally order subscribe tAAPL anna 40 --reference S-2026-0001",
        "tally order subscribe tAAPL 7xKX… 0.25 --reference S-2026-0002 --by operator --settle-by 3d --yes",
    ),
)
async def subscribe(
    tally: Tally,
    security: SecurityArgument,
    wallet: WalletArgument,
    shares: Annotated[str, typer.Argument(help="Shares, as exact decimal text.")],
    reference: ReferenceOption,
    settle_by: Annotated[str, typer.Option(help=f"When it lapses: {FORM}; at most 90 days ahead.")] = "5d",
    by: ByOption = Actor.OPERATOR,
) -> Signed:
    """Order tokens for shares that will come into custody."""
    section = tally.profile.security(security)
    address, chain = security_of(tally.issuer, section.id).security, tally.open_chain()
    holder, quantity = tally.profile.wallet(wallet), parse_base_units(shares, section.decimals)
    actor = _actor(tally, by, wallet)
    payer, now = tally.payer(actor), await chain_time(chain)
    plan = await plan_open_subscription(
        chain,
        payer=payer.pubkey,
        authority=actor.pubkey,
        security=address,
        wallet=holder,
        reference=reference,
        shares=quantity,
        settle_by=parse_moment(settle_by, now),
    )
    order = order_address(address, holder, order_id(reference))
    signed = await sign(tally, plan, payer, actor, details={"order": str(order)})
    await (await tally.open_store()).orders.record(
        BookedOrder(bytes(order), bytes(address), bytes(holder), BookedKind.SUBSCRIPTION, quantity, reference, now)
    )
    return signed


@dataclass(frozen=True, slots=True)
class _Movement:
    """A custodian's movement as it was typed."""

    reference: str
    moved: str
    custodian: str | None
    account: str | None
    booked_at: str | None


class _PlanSettle(Protocol):
    """How one direction is settled: the planners of subscription and of redemption."""

    async def __call__(
        self,
        chain: Chain,
        *,
        payer: Pubkey,
        operator: Pubkey,
        security: Pubkey,
        movement: MovementReference,
        parts: Sequence[Part],
    ) -> Plan: ...


async def _settle(
    tally: Tally,
    security: str,
    parts: list[str],
    movement: _Movement,
    direction: MovementDirection,
    plan_settle: _PlanSettle,
) -> Signed:
    """One movement against one or more orders, and the journal beside it."""
    section = tally.profile.security(security)
    address, chain = security_of(tally.issuer, section.id).security, tally.open_chain()
    operator = tally.signer("operator")
    payer = tally.payer(operator)
    reference = custody_movement(
        tally, section, movement.custodian, movement.account, movement.reference, movement.moved
    )
    booked = await booking_time(tally, address, reference, movement.booked_at)
    plan = await plan_settle(
        chain,
        payer=payer.pubkey,
        operator=operator.pubkey,
        security=address,
        movement=reference,
        parts=await parse_parts(tally, section, parts),
    )
    return await sign_settlement(tally, plan, payer, operator, address, reference, direction, booked)


@command(
    app,
    "settle",
    signs=True,
    examples=(
        "tally order settle tAAPL S-2026-0001=25 --movement TRF-88120 --moved 100 --booked-at 2026-11-23T15:00:00Z",
        "tally order settle tAAPL S-2026-0002 S-2026-0003 --movement TRF-88120 --moved 100   # the rest of it, later",
    ),
)
async def settle(
    tally: Tally,
    security: SecurityArgument,
    parts: PartsArgument,
    movement: MovementOption,
    moved: MovedOption,
    custodian: CustodianOption = None,
    account: AccountOption = None,
    booked_at: BookedOption = None,
) -> Signed:
    """Mint for shares that came into custody: one movement into one or more orders."""
    named = _Movement(movement, moved, custodian, account, booked_at)
    return await _settle(tally, security, parts, named, MovementDirection.RECEIVED, plan_settle_subscription)


@command(
    app,
    "redeem",
    signs=True,
    examples=("tally order redeem tAAPL anna 10 --reference R-2026-0001",),
)
async def redeem(
    tally: Tally,
    security: SecurityArgument,
    wallet: WalletArgument,
    tokens: Annotated[str, typer.Argument(help="Tokens, as exact decimal text.")],
    reference: ReferenceOption,
) -> Signed:
    """Put tokens in escrow to redeem them. By the holder, whose key the profile names."""
    section = tally.profile.security(security)
    address, chain = security_of(tally.issuer, section.id).security, tally.open_chain()
    holder = tally.wallet_signer(wallet)
    payer, quantity, now = tally.payer(holder), parse_base_units(tokens, section.decimals), await chain_time(chain)
    plan = await plan_request_redemption(
        chain, payer=payer.pubkey, security=address, wallet=holder.pubkey, reference=reference, raw=quantity
    )
    order = order_address(address, holder.pubkey, order_id(reference))
    signed = await sign(tally, plan, payer, holder, details={"order": str(order)})
    await (await tally.open_store()).orders.record(
        BookedOrder(bytes(order), bytes(address), bytes(holder.pubkey), BookedKind.REDEMPTION, quantity, reference, now)
    )
    return signed


@command(app, "accept", signs=True, examples=("tally order accept R-2026-0001",))
async def accept(tally: Tally, order: OrderArgument) -> Signed:
    """Commit to a redemption, before the custodian is instructed. By an operator."""
    operator = tally.signer("operator")
    payer = tally.payer(operator)
    plan = await plan_accept_redemption(
        tally.open_chain(), payer=payer.pubkey, operator=operator.pubkey, order=await find_order(tally, order)
    )
    return await sign(tally, plan, payer, operator)


@command(
    app,
    "settle-redemption",
    signs=True,
    examples=(
        "tally order settle-redemption tAAPL R-2026-0001 --movement TRF-9 --moved 10 --booked-at 2026-11-24T09:30:00Z",
    ),
)
async def settle_redemption(
    tally: Tally,
    security: SecurityArgument,
    parts: PartsArgument,
    movement: MovementOption,
    moved: MovedOption,
    custodian: CustodianOption = None,
    account: AccountOption = None,
    booked_at: BookedOption = None,
) -> Signed:
    """Burn escrowed tokens for shares that left custody. By an operator."""
    named = _Movement(movement, moved, custodian, account, booked_at)
    return await _settle(tally, security, parts, named, MovementDirection.DELIVERED, plan_settle_redemption)


@command(
    app,
    "cancel",
    signs=True,
    examples=("tally order cancel S-2026-0001 --reason 3", "tally order cancel R-2026-0001 --by holder --reason 1"),
)
async def cancel(tally: Tally, order: OrderArgument, reason: ReasonOption = 0, by: ByOption = Actor.OPERATOR) -> Signed:
    """End an order; what was filled stays, what was escrowed returns."""
    chain, address = tally.open_chain(), await find_order(tally, order)
    account = await require(chain, Order, address)
    actor = _actor(tally, by, str(account.holder))
    payer = tally.payer(actor)
    plan_cancel = plan_cancel_subscription if account.kind is OrderKind.SUBSCRIPTION else plan_cancel_redemption
    plan = await plan_cancel(chain, payer=payer.pubkey, authority=actor.pubkey, order=address, reason_code=reason)
    return await sign(tally, plan, payer, actor)


@command(app, "withdraw", signs=True, examples=("tally order withdraw R-2026-0001",))
async def withdraw(tally: Tally, order: OrderArgument) -> Signed:
    """Take the rest of a redemption back after its deadline. By the holder, who asks nobody."""
    chain, address = tally.open_chain(), await find_order(tally, order)
    holder = tally.wallet_signer(str((await require(chain, Order, address)).holder))
    payer = tally.payer(holder)
    plan = await plan_withdraw_redemption(chain, payer=payer.pubkey, order=address)
    return await sign(tally, plan, payer, holder)


@command(app, "correct", signs=True, examples=("tally order correct 4hQx… --undone 2.5 --inventory treasury",))
async def correct(
    tally: Tally,
    fill: Annotated[str, typer.Argument(help="The address of the fill that was wrong; tally order show lists them.")],
    undone: Annotated[str, typer.Option(help="Tokens of it that are undone in all afterwards.")],
    inventory: Annotated[str, typer.Option(help="The wallet whose tokens are burnt; the profile has its key.")],
) -> Signed:
    """Undo part of a wrong mint by burning inventory, in a fill that names the wrong one."""
    chain, address = tally.open_chain(), tally.profile.wallet(fill)
    account = await require(chain, Fill, address)
    decimals = (await require(chain, Security, account.security)).decimals
    operator, owner = tally.signer("operator"), tally.wallet_signer(inventory)
    payer = tally.payer(operator)
    plan = await plan_correct_fill(
        chain,
        payer=payer.pubkey,
        operator=operator.pubkey,
        inventory_owner=owner.pubkey,
        fill=address,
        corrected_raw=parse_base_units(undone, decimals),
    )
    return await sign(tally, plan, payer, operator, owner)


@command(app, "list", examples=("tally order list", "tally order list tAAPL --all --json"))
async def list_(
    tally: Tally,
    security: Annotated[str | None, typer.Argument(help="One security; else all.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Finished ones too.")] = False,
) -> OrdersShown:
    """Orders as the chain has them, with your references."""
    shown = await find_orders(tally, security)
    return shown if all_ else shown.only_live()


@command(app, "show", examples=("tally order show S-2026-0001", "tally order show 9aB3… --json"))
async def show(tally: Tally, order: OrderArgument) -> OrderShown:
    """One order with its fills."""
    address = await find_order(tally, order)
    shown = await find_orders(tally, None)
    rows = [row for row in shown.rows if row.address == address]
    if not rows:
        raise InputError(f"{order} is no order of a security of the profile.", hint="See: tally order list --all")
    return await order_with_fills(tally, rows[0], shown.now)


def _actor(tally: Tally, by: Actor, wallet: str) -> TransactionSigner:
    return tally.signer("operator") if by is Actor.OPERATOR else tally.wallet_signer(wallet)
