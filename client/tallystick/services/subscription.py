"""Subscriptions: shares come into custody, tokens are minted for them once, to approved holders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.clock import instant
from tallystick.domain.amounts import U64_MAX, format_base_units, format_shares, format_tokens, raw_from_shares
from tallystick.domain.canonical import sha256
from tallystick.errors import AmountError, Refused
from tallystick.program.addresses import (
    fill_address,
    holder_address,
    limit_address,
    order_address,
    role_address,
)
from tallystick.program.generated import instructions
from tallystick.program.generated.accounts import Fill, Holder, Limit, Movement, Order, Role, Security
from tallystick.program.generated.types import (
    CancelSubscriptionParams,
    Direction,
    OpenSubscriptionParams,
    OrderKind,
    OrderStatus,
    RoleKind,
    SettleSubscriptionParams,
)
from tallystick.program.token import associated_token_address, create_associated_token_account_idempotent
from tallystick.services.chain_reads import Snapshot, read, read_snapshot, require
from tallystick.services.holding_reads import require_receiving
from tallystick.services.movements import MovementReference, Part, require_movement_room, require_parts
from tallystick.services.plans import Action, Plan, new_action, require_text_reference
from tallystick.services.rules import (
    multiplier_at,
    require_active,
    require_limit,
    require_may_order,
    require_mint_not_held,
    require_mint_room,
    require_role,
)

ORDER_TAG: Final = b"tallystick:order"
MAXIMUM_PERIOD: Final = 90 * 24 * 3600
"""Seconds a subscription may stay open (programs/tallystick/src/constants.rs)."""
LIVE: Final = frozenset({OrderStatus.OPEN, OrderStatus.ACCEPTED})


def order_id(reference: str) -> bytes:
    """32 bytes for the caller's own reference of an order: SHA-256("tallystick:order" || text, trimmed).

    With the holder's wallet it is the order's address, so each holder uses a reference once per security. InputError
    for a reference that is none.
    """
    return sha256(ORDER_TAG, require_text_reference(reference).encode())


async def plan_open_subscription(
    chain: Chain,
    *,
    payer: Pubkey,
    authority: Pubkey,
    security: Pubkey,
    wallet: Pubkey,
    reference: str,
    shares: int,
    settle_by: int,
) -> Plan:
    """Order tokens for `shares` (base units). Signed by the wallet, or by an operator for it.

    `settle_by` in seconds since 1970 UTC, at most 90 days ahead; name the same one when running this again.
    """
    _require_quantity(shares)
    address = order_address(security, wallet, order_id(reference))
    account = await require(chain, Security, security)
    role = role_address(account.issuer, RoleKind.OPERATOR, authority)
    holder = holder_address(account.issuer, wallet)
    snapshot = await read_snapshot(chain, [address, role, holder])
    title = f"Subscribe {format_shares(shares, account.decimals)} for {wallet} ({reference})"
    existing = snapshot.find(Order, address)
    if existing is not None:
        if (existing.kind, existing.quantity) != (OrderKind.SUBSCRIPTION, shares):
            raise Refused(
                f"{reference!r} is another order of {wallet}: {describe_order(existing, account.decimals)}.",
                hint="Choose another reference for another order.",
            )
        return Plan(title, notes=(f"The order {address} exists: {describe_order(existing, account.decimals)}.",))
    if authority != wallet:
        require_role(snapshot.find(Role, role), RoleKind.OPERATOR, authority, snapshot.now)
    require_active(account)
    require_may_order(snapshot.find(Holder, holder), wallet, account, snapshot.now)
    if not snapshot.now < settle_by <= snapshot.now + MAXIMUM_PERIOD:
        raise Refused(
            f"A deadline after {instant(snapshot.now)} and at most 90 days ahead is expected, not"
            f" {instant(settle_by)}.",
            hint="The chain's clock decides, not this machine's.",
        )

    async def is_done() -> bool:
        return await read(chain, Order, address) is not None

    instruction = instructions.open_subscription(
        payer=payer,
        authority=authority,
        role=None if authority == wallet else role,
        security=security,
        holder=holder,
        order=address,
        params=OpenSubscriptionParams(order_id=order_id(reference), shares=shares, settle_by=settle_by),
    )
    action = new_action(
        f"open:{address}",
        f"{title}, to be settled by {instant(settle_by)}",
        instruction,
        payer,
        (authority, "holder" if authority == wallet else "operator"),
        is_done=is_done,
        is_guarded=True,
    )
    return Plan(title, (action,))


async def plan_settle_subscription(
    chain: Chain,
    *,
    payer: Pubkey,
    operator: Pubkey,
    security: Pubkey,
    movement: MovementReference,
    parts: Sequence[Part],
) -> Plan:
    """Mint for shares that came into custody: one movement into one or more orders, each part in shares (base units).

    One transaction for each order, signed by the operator; it makes the holder's token account where that is missing.
    Everything is checked for all parts together before the first is signed, and Refused says what is missing: role,
    limit, holds, reserve, supply cap, holder, deadline, what is left of order and movement. Parts that are settled
    already are left out.
    """
    require_parts(parts)
    account = await require(chain, Security, security)
    orders = {part.order: await require(chain, Order, part.order) for part in parts}
    place = movement.address(security)
    role, limit = role_address(account.issuer, RoleKind.OPERATOR, operator), limit_address(security, operator)
    holders = {part.order: holder_address(account.issuer, orders[part.order].holder) for part in parts}
    fills = {part.order: fill_address(place, part.order) for part in parts}
    recipients = {part.order: associated_token_address(orders[part.order].holder, account.mint) for part in parts}
    snapshot = await read_snapshot(
        chain,
        [security, account.mint, role, limit, place, *orders, *holders.values(), *fills.values(), *recipients.values()],
    )
    account, decimals = snapshot.require(Security, security), account.decimals
    title = f"Settle {len(parts)} subscriptions with movement {movement.reference}"
    todo, notes = split_settled(snapshot, parts, fills, decimals, of_raw=False)
    if not todo:
        return Plan(title, notes=notes)
    require_movement_room(
        snapshot.find(Movement, place), movement, Direction.IN, sum(part.quantity for part in todo), decimals
    )
    require_role(snapshot.find(Role, role), RoleKind.OPERATOR, operator, snapshot.now)
    require_active(account)
    require_mint_not_held(account)
    multiplier = multiplier_at(account, snapshot.now)
    raw = 0
    for part in todo:
        order = snapshot.require(Order, part.order)
        _require_settleable(order, part, security, decimals, snapshot.now)
        require_may_order(snapshot.find(Holder, holders[part.order]), order.holder, account, snapshot.now)
        require_receiving(snapshot, recipients[part.order], order.holder, account)
        units = raw_from_shares(part.quantity, multiplier)
        if units == 0:
            raise Refused(
                f"{format_shares(part.quantity, decimals)}: less than one token unit.",
                hint="Settle it together with more shares.",
            )
        raw += units
    require_limit(snapshot.find(Limit, limit), raw, snapshot.now, decimals, mint=True)
    require_mint_room(account, snapshot.mint(account.mint).supply, raw, snapshot.now)

    def settle(part: Part) -> Action:
        wallet = orders[part.order].holder
        instruction = instructions.settle_subscription(
            payer=payer,
            operator=operator,
            role=role,
            security=security,
            limit=limit,
            holder=holders[part.order],
            order=part.order,
            movement=place,
            fill=fills[part.order],
            mint=account.mint,
            recipient=recipients[part.order],
            params=SettleSubscriptionParams(movement=movement.params, shares=part.quantity),
        )

        async def is_done() -> bool:
            return await read(chain, Fill, fills[part.order]) is not None

        tokens = format_tokens(raw_from_shares(part.quantity, multiplier), decimals)
        return new_action(
            f"settle:{part.order}:{place}",
            f"Mint {tokens} for {format_shares(part.quantity, decimals)} to {wallet}",
            (create_associated_token_account_idempotent(payer=payer, wallet=wallet, mint=account.mint), instruction),
            payer,
            (operator, "operator"),
            is_done=is_done,
            is_guarded=True,
        )

    return Plan(title, tuple(settle(part) for part in todo), notes)


async def plan_cancel_subscription(
    chain: Chain, *, payer: Pubkey, authority: Pubkey, order: Pubkey, reason_code: int
) -> Plan:
    """End a subscription; what was filled stays. Signed by an operator, or by the holder once its deadline passed.

    `reason_code` (u16) is from the issuer's own table.
    """
    account = await require(chain, Order, order)
    security = await require(chain, Security, account.security)
    role = role_address(security.issuer, RoleKind.OPERATOR, authority)
    snapshot = await read_snapshot(chain, [order, role])
    account = snapshot.require(Order, order)
    title = f"Cancel the subscription {order}"
    if account.kind is not OrderKind.SUBSCRIPTION:
        raise Refused(f"{order} is a redemption.", hint="Cancel it as one.")
    if account.status is OrderStatus.CANCELLED:
        return Plan(title, notes=(f"It was cancelled on {instant(account.status_at)}.",))
    require_live(account, security.decimals)
    is_holder = authority == account.holder
    if not is_holder:
        require_role(snapshot.find(Role, role), RoleKind.OPERATOR, authority, snapshot.now)
    elif snapshot.now <= account.settle_by:
        raise Refused(
            f"The holder may end this order after {instant(account.settle_by)}.",
            hint="An operator may cancel it before.",
        )

    async def is_done() -> bool:
        return (await require(chain, Order, order)).status is OrderStatus.CANCELLED

    instruction = instructions.cancel_subscription(
        authority=authority,
        role=None if is_holder else role,
        security=account.security,
        order=order,
        params=CancelSubscriptionParams(reason_code=reason_code),
    )
    rest = format_shares(account.quantity - account.filled, security.decimals)
    action = new_action(
        f"cancel:{order}",
        f"{title}; not filled: {rest}",
        instruction,
        payer,
        (authority, "holder" if is_holder else "operator"),
        is_done=is_done,
        is_guarded=True,
    )
    return Plan(title, (action,))


def describe_order(order: Order, decimals: int) -> str:
    """An order in a few words."""
    unit = "shares" if order.kind is OrderKind.SUBSCRIPTION else "tokens"
    quantity, filled = (format_base_units(amount, decimals) for amount in (order.quantity, order.filled))
    return f"{order.kind.name.lower()} of {quantity} {unit}, {filled} filled, {order.status.name.lower()}"


def require_live(order: Order, decimals: int) -> None:
    """Refused for an order at which nothing can happen any more."""
    if order.status not in LIVE:
        raise Refused(f"This order is finished: {describe_order(order, decimals)}.", hint="Nothing to do.")


def split_settled(
    snapshot: Snapshot, parts: Sequence[Part], fills: dict[Pubkey, Pubkey], decimals: int, *, of_raw: bool
) -> tuple[list[Part], tuple[str, ...]]:
    """Parts that are still to settle, and a note for each that is settled. Refused when that was with another amount,
    since a movement settles an order once. `of_raw` says that quantities are raw units, not shares."""
    todo: list[Part] = []
    notes: list[str] = []
    for part in parts:
        fill = snapshot.find(Fill, fills[part.order])
        if fill is None:
            todo.append(part)
            continue
        settled = fill.raw if of_raw else fill.shares
        if settled != part.quantity:
            raise Refused(
                f"Order {part.order} was settled with this movement on {instant(fill.settled_at)}, for"
                f" {format_base_units(settled, decimals)} and not {format_base_units(part.quantity, decimals)}.",
                hint="A movement settles an order once. Settle the rest with another movement.",
            )
        notes.append(f"Order {part.order} was settled with this movement on {instant(fill.settled_at)}.")
    return todo, tuple(notes)


def _require_settleable(order: Order, part: Part, security: Pubkey, decimals: int, now: int) -> None:
    if order.security != security:
        raise Refused(f"Order {part.order} is of another security.", hint="Name the order's own security.")
    if order.kind is not OrderKind.SUBSCRIPTION:
        raise Refused(f"{part.order} is a redemption.", hint="Settle it as one.")
    require_live(order, decimals)
    if now > order.settle_by:
        raise Refused(
            f"Order {part.order} was to be settled by {instant(order.settle_by)}.",
            hint="Cancel it and open another one.",
        )
    if part.quantity > order.quantity - order.filled:
        rest = format_shares(order.quantity - order.filled, decimals)
        raise Refused(
            f"Order {part.order} has {rest} left; asked for: {format_shares(part.quantity, decimals)}.",
            hint="Settle at most what is left of it.",
        )


def _require_quantity(amount: int) -> None:
    if not 0 < amount <= U64_MAX:
        raise AmountError(f"A quantity above zero is expected, not {amount}.")
