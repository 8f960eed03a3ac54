"""Corrections: a wrong mint is undone by burning inventory, in a fill of its own that names the wrong one."""

from __future__ import annotations

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.domain.amounts import U64_MAX, format_tokens
from tallystick.errors import AmountError, Refused
from tallystick.program.addresses import correction_address, limit_address, role_address
from tallystick.program.generated import instructions
from tallystick.program.generated.accounts import Fill, Limit, Role, Security
from tallystick.program.generated.types import CorrectFillParams, FillKind, RoleKind
from tallystick.program.token import associated_token_address
from tallystick.services.chain_reads import read_snapshot, require
from tallystick.services.plans import Plan, new_action
from tallystick.services.rules import require_limit, require_redeem_not_held, require_role


async def plan_correct_fill(
    chain: Chain,
    *,
    payer: Pubkey,
    operator: Pubkey,
    inventory_owner: Pubkey,
    fill: Pubkey,
    corrected_raw: int,
    inventory: Pubkey | None = None,
) -> Plan:
    """Undo part of a wrong mint, so that `corrected_raw` raw units of the fill are undone in all afterwards.

    A total, not a step: running it again after it succeeded does nothing. Signed by an operator and by the owner of the
    inventory, whose tokens (in its associated account unless `inventory` names another) are burnt. The movement stays
    used.
    """
    if not 0 < corrected_raw <= U64_MAX:
        raise AmountError(f"A total above zero is expected, not {corrected_raw}.")
    first = await require(chain, Fill, fill)
    security = await require(chain, Security, first.security)
    inventory = inventory or associated_token_address(inventory_owner, security.mint)
    role = role_address(security.issuer, RoleKind.OPERATOR, operator)
    limit = limit_address(first.security, operator)
    snapshot = await read_snapshot(chain, [fill, first.security, role, limit, inventory])
    account, security = snapshot.require(Fill, fill), snapshot.require(Security, first.security)
    decimals = security.decimals
    title = f"Undo {format_tokens(corrected_raw, decimals)} of the mint {fill}"
    if account.kind is not FillKind.MINT:
        raise Refused(f"{fill} is no mint.", hint="Only what was minted is corrected.")
    if account.corrected_raw >= corrected_raw:
        done = format_tokens(account.corrected_raw, decimals)
        return Plan(title, notes=(f"{done} of it undone already.",))
    if corrected_raw > account.raw:
        raise Refused(
            f"That mint was of {format_tokens(account.raw, decimals)}; more cannot be undone.",
            hint="Name at most what was minted.",
        )
    raw = corrected_raw - account.corrected_raw
    require_role(snapshot.find(Role, role), RoleKind.OPERATOR, operator, snapshot.now)
    require_redeem_not_held(security)
    require_limit(snapshot.find(Limit, limit), raw, snapshot.now, decimals, mint=False)
    found = snapshot.token_account(inventory)
    held = found.amount if found and found.mint == security.mint and found.owner == inventory_owner else 0
    if held < raw:
        raise Refused(
            f"The inventory {inventory} holds {format_tokens(held, decimals)} of {inventory_owner};"
            f" to be burnt: {format_tokens(raw, decimals)}.",
            hint="Buy or move tokens into the inventory first.",
        )
    correction = correction_address(fill, account.corrections)

    async def is_done() -> bool:
        return (await require(chain, Fill, fill)).corrected_raw >= corrected_raw

    instruction = instructions.correct_fill(
        payer=payer,
        operator=operator,
        role=role,
        inventory_owner=inventory_owner,
        security=account.security,
        limit=limit,
        fill=fill,
        correction=correction,
        mint=security.mint,
        inventory=inventory,
        params=CorrectFillParams(raw=raw),
    )
    action = new_action(
        f"correct:{fill}:{account.corrections}:{corrected_raw}",
        f"Burn {format_tokens(raw, decimals)} of {inventory_owner} to undo the mint {fill}",
        instruction,
        payer,
        (operator, "operator"),
        (inventory_owner, "owner of the inventory"),
        is_done=is_done,
        is_guarded=True,
    )
    return Plan(title, (action,), ("The movement stays used: nothing is ever minted against it again.",))
