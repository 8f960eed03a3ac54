"""Redemptions: tokens go to escrow, are accepted, and burnt for shares that left custody; or they go back."""

from __future__ import annotations

from collections.abc import Sequence

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.clock import instant
from tallystick.domain.amounts import U64_MAX, Rounding, format_shares, format_tokens, share_equivalent
from tallystick.errors import AmountError, Refused
from tallystick.program.addresses import fill_address, holder_address, limit_address, order_address, role_address
from tallystick.program.generated import instructions
from tallystick.program.generated.accounts import Fill, Holder, Limit, Movement, Order, Role, Security
from tallystick.program.generated.types import (
    CancelRedemptionParams,
    Direction,
    OrderKind,
    OrderStatus,
    RequestRedemptionParams,
    RoleKind,
    SettleRedemptionParams,
)
from tallystick.program.token import associated_token_address, create_associated_token_account_idempotent
from tallystick.services.chain_reads import Snapshot, read, read_snapshot, require
from tallystick.services.holding_reads import require_receiving
from tallystick.services.movements import MovementReference, Part, require_movement_room, require_parts
from tallystick.services.plans import Action, Plan, new_action
from tallystick.services.rules import (
    multiplier_at,
    policy_at,
    require_limit,
    require_may_order,
    require_redeem_not_held,
    require_role,
)
from tallystick.services.subscription import describe_order, order_id, require_live, split_settled


async def plan_request_redemption(
    chain: Chain,
    *,
    payer: Pubkey,
    security: Pubkey,
    wallet: Pubkey,
    reference: str,
    raw: int,
    source: Pubkey | None = None,
) -> Plan:
    """Put `raw` token units in escrow to redeem them. Signed by the holder.

    `source` is the wallet's token account, its associated one unless given.
    """
    if not 0 < raw <= U64_MAX:
        raise AmountError(f"A quantity above zero is expected, not {raw}.")
    identifier = order_id(reference)
    address = order_address(security, wallet, identifier)
    account = await require(chain, Security, security)
    holder = holder_address(account.issuer, wallet)
    source = source or associated_token_address(wallet, account.mint)
    snapshot = await read_snapshot(chain, [security, address, holder, source])
    account, decimals = snapshot.require(Security, security), account.decimals
    title = f"Redeem {format_tokens(raw, decimals)} of {wallet} ({reference})"
    existing = snapshot.find(Order, address)
    if existing is not None:
        if (existing.kind, existing.quantity) != (OrderKind.REDEMPTION, raw):
            raise Refused(
                f"{reference!r} is another order of {wallet}: {describe_order(existing, decimals)}.",
                hint="Choose another reference for another order.",
            )
        return Plan(title, notes=(f"The order {address} exists: {describe_order(existing, decimals)}.",))
    require_redeem_not_held(account)
    require_may_order(snapshot.find(Holder, holder), wallet, account, snapshot.now)
    _require_tokens(snapshot, source, wallet, account, raw)

    async def is_done() -> bool:
        return await read(chain, Order, address) is not None

    instruction = instructions.request_redemption(
        payer=payer,
        wallet=wallet,
        security=security,
        holder=holder,
        order=address,
        mint=account.mint,
        source=source,
        escrow=account.escrow,
        params=RequestRedemptionParams(order_id=identifier, raw=raw),
    )
    action = new_action(
        f"redeem:{address}", title, instruction, payer, (wallet, "holder"), is_done=is_done, is_guarded=True
    )
    period = policy_at(account, snapshot.now).accept_period
    return Plan(title, (action,), (f"Not accepted within {period} s, the holder may take the tokens back.",))


async def plan_accept_redemption(chain: Chain, *, payer: Pubkey, operator: Pubkey, order: Pubkey) -> Plan:
    """Commit to a redemption, before the custodian is instructed. Signed by an operator."""
    first = await require(chain, Order, order)
    security = await require(chain, Security, first.security)
    role = role_address(security.issuer, RoleKind.OPERATOR, operator)
    holder = holder_address(security.issuer, first.holder)
    snapshot = await read_snapshot(chain, [order, first.security, role, holder])
    account, security = snapshot.require(Order, order), snapshot.require(Security, first.security)
    title = f"Accept the redemption {order}"
    _require_redemption(account, order)
    if account.status in (OrderStatus.ACCEPTED, OrderStatus.SETTLED):
        return Plan(title, notes=(f"That happened: {describe_order(account, security.decimals)}.",))
    require_live(account, security.decimals)
    require_role(snapshot.find(Role, role), RoleKind.OPERATOR, operator, snapshot.now)
    require_redeem_not_held(security)
    require_may_order(snapshot.find(Holder, holder), account.holder, security, snapshot.now)
    if snapshot.now > account.accept_by:
        raise Refused(
            f"It was to be accepted by {instant(account.accept_by)}.",
            hint="The holder may take the tokens back; cancel it, or ask for another order.",
        )

    async def is_done() -> bool:
        return (await require(chain, Order, order)).status in (OrderStatus.ACCEPTED, OrderStatus.SETTLED)

    quantity = format_tokens(account.quantity, security.decimals)
    action = new_action(
        f"accept:{order}",
        f"{title} of {quantity}",
        instructions.accept_redemption(
            operator=operator, role=role, security=account.security, holder=holder, order=order
        ),
        payer,
        (operator, "operator"),
        is_done=is_done,
        is_guarded=True,
    )
    period = policy_at(security, snapshot.now).settle_period
    note = f"Instruct the custodian next: not settled within {period} s of the acceptance, the"
    return Plan(title, (action,), (f"{note} holder may take the tokens back.",))


async def plan_settle_redemption(
    chain: Chain,
    *,
    payer: Pubkey,
    operator: Pubkey,
    security: Pubkey,
    movement: MovementReference,
    parts: Sequence[Part],
) -> Plan:
    """Burn escrowed tokens for shares that left custody: one movement for one or more orders, each part in raw units.

    One transaction for each order, signed by the operator. Checked for all parts together before the first is signed;
    parts that are settled already are left out.
    """
    require_parts(parts)
    account = await require(chain, Security, security)
    orders = {part.order: await require(chain, Order, part.order) for part in parts}
    place = movement.address(security)
    role, limit = role_address(account.issuer, RoleKind.OPERATOR, operator), limit_address(security, operator)
    holders = {part.order: holder_address(account.issuer, orders[part.order].holder) for part in parts}
    fills = {part.order: fill_address(place, part.order) for part in parts}
    snapshot = await read_snapshot(chain, [security, role, limit, place, *orders, *holders.values(), *fills.values()])
    account, decimals = snapshot.require(Security, security), account.decimals
    title = f"Settle {len(parts)} redemptions with movement {movement.reference}"
    todo, notes = split_settled(snapshot, parts, fills, decimals, of_raw=True)
    if not todo:
        return Plan(title, notes=notes)
    require_role(snapshot.find(Role, role), RoleKind.OPERATOR, operator, snapshot.now)
    require_redeem_not_held(account)
    multiplier = multiplier_at(account, snapshot.now)
    shares = {part.order: share_equivalent(part.quantity, multiplier, Rounding.DOWN) for part in todo}
    for part in todo:
        order = snapshot.require(Order, part.order)
        _require_settleable(order, part, security, decimals)
        require_may_order(snapshot.find(Holder, holders[part.order]), order.holder, account, snapshot.now)
        if shares[part.order] == 0:
            raise Refused(
                f"{format_tokens(part.quantity, decimals)}: less than one share unit.",
                hint="Settle it together with more tokens.",
            )
    require_movement_room(snapshot.find(Movement, place), movement, Direction.OUT, sum(shares.values()), decimals)
    require_limit(snapshot.find(Limit, limit), sum(part.quantity for part in todo), snapshot.now, decimals, mint=False)

    def settle(part: Part) -> Action:
        instruction = instructions.settle_redemption(
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
            escrow=account.escrow,
            params=SettleRedemptionParams(movement=movement.params, raw=part.quantity),
        )

        async def is_done() -> bool:
            return await read(chain, Fill, fills[part.order]) is not None

        what = f"{format_tokens(part.quantity, decimals)} of {orders[part.order].holder}"
        return new_action(
            f"settle:{part.order}:{place}",
            f"Burn {what} for {format_shares(shares[part.order], decimals)} that left custody",
            instruction,
            payer,
            (operator, "operator"),
            is_done=is_done,
            is_guarded=True,
        )

    return Plan(title, tuple(settle(part) for part in todo), notes)


async def plan_cancel_redemption(
    chain: Chain,
    *,
    payer: Pubkey,
    authority: Pubkey,
    order: Pubkey,
    reason_code: int,
    destination: Pubkey | None = None,
) -> Plan:
    """End a redemption and return what was not burnt. Signed by an operator; by the holder until it is accepted.

    `destination` is a token account of the holder, its associated one unless given. `reason_code` (u16) is from the
    issuer's own table. No hold but a paused mint stops it.
    """
    first = await require(chain, Order, order)
    security = await require(chain, Security, first.security)
    role = role_address(security.issuer, RoleKind.OPERATOR, authority)
    snapshot = await read_snapshot(chain, [order, first.security, role])
    account, title = snapshot.require(Order, order), f"Cancel the redemption {order}"
    _require_redemption(account, order)
    if account.status is OrderStatus.CANCELLED:
        return Plan(title, notes=(f"It was cancelled on {instant(account.status_at)}.",))
    require_live(account, security.decimals)
    is_holder = authority == account.holder
    if not is_holder:
        require_role(snapshot.find(Role, role), RoleKind.OPERATOR, authority, snapshot.now)
    elif account.status is OrderStatus.ACCEPTED:
        raise Refused(
            "It was accepted, so the custodian may have been instructed: only an operator may cancel it.",
            hint=f"Not settled by {instant(account.settle_by)}, the holder takes the tokens back.",
        )
    _require_not_paused(snapshot.require(Security, first.security))

    async def is_done() -> bool:
        return (await require(chain, Order, order)).status is OrderStatus.CANCELLED

    place, preparing = _destination(payer, account, security, destination)
    require_receiving(await read_snapshot(chain, [place]), place, account.holder, security)
    instruction = instructions.cancel_redemption(
        authority=authority,
        role=None if is_holder else role,
        security=account.security,
        order=order,
        mint=security.mint,
        escrow=security.escrow,
        destination=place,
        params=CancelRedemptionParams(reason_code=reason_code),
    )
    action = new_action(
        f"cancel:{order}",
        f"{title}; returned to {account.holder}: {_rest(account, security)}",
        (*preparing, instruction),
        payer,
        (authority, "holder" if is_holder else "operator"),
        is_done=is_done,
        is_guarded=True,
    )
    return Plan(title, (action,))


async def plan_withdraw_redemption(
    chain: Chain, *, payer: Pubkey, order: Pubkey, destination: Pubkey | None = None
) -> Plan:
    """Take back what was not accepted, or accepted and not settled, in time. Signed by the holder, who asks nobody."""
    first = await require(chain, Order, order)
    security = await require(chain, Security, first.security)
    snapshot = await read_snapshot(chain, [order, first.security])
    account, title = snapshot.require(Order, order), f"Take back the redemption {order}"
    _require_redemption(account, order)
    if account.status is OrderStatus.WITHDRAWN:
        return Plan(title, notes=(f"That happened on {instant(account.status_at)}.",))
    require_live(account, security.decimals)
    deadline = account.settle_by if account.status is OrderStatus.ACCEPTED else account.accept_by
    if snapshot.now <= deadline:
        raise Refused(
            f"The operator has until {instant(deadline)}.", hint=f"Run this again in {deadline - snapshot.now + 1} s."
        )
    _require_not_paused(snapshot.require(Security, first.security))

    async def is_done() -> bool:
        return (await require(chain, Order, order)).status is OrderStatus.WITHDRAWN

    place, preparing = _destination(payer, account, security, destination)
    require_receiving(await read_snapshot(chain, [place]), place, account.holder, security)
    instruction = instructions.withdraw_redemption(
        wallet=account.holder,
        security=account.security,
        order=order,
        mint=security.mint,
        escrow=security.escrow,
        destination=place,
    )
    action = new_action(
        f"withdraw:{order}",
        f"{title}: {_rest(account, security)}",
        (*preparing, instruction),
        payer,
        (account.holder, "holder"),
        is_done=is_done,
        is_guarded=True,
    )
    return Plan(title, (action,))


def _destination(
    payer: Pubkey, order: Order, security: Security, destination: Pubkey | None
) -> tuple[Pubkey, tuple[Instruction, ...]]:
    """Where the tokens return to, and what makes sure that it exists."""
    if destination is not None:
        return destination, ()
    preparing = create_associated_token_account_idempotent(payer=payer, wallet=order.holder, mint=security.mint)
    return associated_token_address(order.holder, security.mint), (preparing,)


def _require_tokens(snapshot: Snapshot, source: Pubkey, wallet: Pubkey, security: Security, raw: int) -> None:
    found = snapshot.token_account(source)
    held = found.amount if found is not None and found.mint == security.mint and found.owner == wallet else 0
    if held < raw:
        raise Refused(
            f"{wallet} has {format_tokens(held, security.decimals)} in {source};"
            f" to be redeemed: {format_tokens(raw, security.decimals)}.",
            hint="Redeem less, or name the token account that holds them.",
        )
    if found is not None and found.frozen:
        raise Refused(f"The token account {source} is frozen.", hint="Ask compliance; nothing was signed.")


def _require_redemption(order: Order, address: Pubkey) -> None:
    if order.kind is not OrderKind.REDEMPTION:
        raise Refused(f"{address} is a subscription.", hint="Name a redemption.")


def _require_not_paused(security: Security) -> None:
    if security.transfer_holds:
        raise Refused(
            f"{security.transfer_holds} holds on transfers pause this token; nothing returns before they end.",
            hint="See who owns them with: tally hold list",
        )


def _require_settleable(order: Order, part: Part, security: Pubkey, decimals: int) -> None:
    if order.security != security:
        raise Refused(f"Order {part.order} is of another security.", hint="Name the order's own security.")
    _require_redemption(order, part.order)
    require_live(order, decimals)
    if order.status is not OrderStatus.ACCEPTED:
        raise Refused(f"Order {part.order} was not accepted yet.", hint="Accept it, then instruct the custodian.")
    if part.quantity > order.quantity - order.filled:
        rest = format_tokens(order.quantity - order.filled, decimals)
        raise Refused(
            f"Order {part.order} has {rest} left; asked for: {format_tokens(part.quantity, decimals)}.",
            hint="Settle at most what is left of it.",
        )


def _rest(order: Order, security: Security) -> str:
    return format_tokens(order.quantity - order.filled, security.decimals)
