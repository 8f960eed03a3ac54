"""What the program will say, worked out beforehand: its arithmetic over accounts, and its refusals in words.

Sources: programs/tallystick/src/state/{security,limit,role,holder}.rs. The program decides; this only spares people a
transaction that fails. Times are seconds since 1970 UTC by the chain's clock.
"""

from __future__ import annotations

from typing import Final

from solders.pubkey import Pubkey

from tallystick.adapters.clock import instant
from tallystick.domain.amounts import (
    U64_MAX,
    Rounding,
    format_base_units,
    format_shares,
    format_tokens,
    raw_from_shares,
    share_equivalent,
)
from tallystick.errors import Refused
from tallystick.program.generated.accounts import Holder, Limit, Role, Security
from tallystick.program.generated.types import Policy, RoleKind, SecurityStatus

FOREVER: Final = 2**63 - 1
"""A time that never comes: a role nobody ended, a hold that does not expire."""
BASIS_POINTS: Final = 10_000
EXCLUSIVE: Final = frozenset(
    {
        RoleKind.ATTESTOR,
        RoleKind.OPERATOR,
        RoleKind.COMPLIANCE,
        RoleKind.CORPORATE_ACTIONS,
        RoleKind.GUARDIAN,
    }
)
"""No key holds two of these, nor one of them and admin."""
MAY_HOLD: Final = frozenset(
    {
        RoleKind.OPERATOR,
        RoleKind.COMPLIANCE,
        RoleKind.CORPORATE_ACTIONS,
        RoleKind.RECONCILIATION,
        RoleKind.GUARDIAN,
    }
)
HOLDS_EXPIRE: Final = frozenset(
    {RoleKind.OPERATOR, RoleKind.DISTRIBUTOR, RoleKind.RECONCILIATION, RoleKind.PUBLISHER, RoleKind.GUARDIAN}
)
"""Roles whose holds must expire within MACHINE_HOLD seconds: machines, and the guardian."""
MACHINE_HOLD: Final = 72 * 3600
COSIGNING_PERIOD: Final = 30 * 24 * 3600
"""Seconds after the end of a compliance role in which its key may still sign beside a guardian."""


def is_in_force(role: Role | None, now: int) -> bool:
    """Whether a role gives its key any power now."""
    return role is not None and role.in_force_from <= now < role.ends_at


def has_not_ended(role: Role | None, now: int) -> bool:
    """In force, or waiting to be."""
    return role is not None and role.grants > 0 and now < role.ends_at


def may_cosign(role: Role | None, now: int) -> bool:
    """Whether a compliance key may sign beside a guardian that vetoes its own removal: in force, or ended lately.

    Source: state/role.rs, Role::was_in_force_after.
    """
    if role is None:
        return False
    began = role.grants > 0 and role.in_force_from <= now and role.in_force_from < role.ends_at
    return (min(role.ends_at, now) if began else role.served_until) > now - COSIGNING_PERIOD


def kind_name(kind: RoleKind) -> str:
    """A role kind as people say it."""
    return kind.name.lower().replace("_", " ")


def require_role(role: Role | None, kind: RoleKind, key: Pubkey, now: int) -> None:
    """Refused unless the key's role is in force."""
    name = kind_name(kind)
    if role is None or not has_not_ended(role, now):
        raise Refused(
            f"{key} is no {name} of this issuer.",
            hint=f"Sign with a key that holds the role {name}, or have the admin grant it.",
        )
    if role.in_force_from > now:
        raise Refused(
            f"{key} is {name} only from {instant(role.in_force_from)}.",
            hint=f"Grants wait, so that a guardian can veto them. Run this again in {role.in_force_from - now} s.",
        )


def require_may_order(holder: Holder | None, wallet: Pubkey, security: Security, now: int) -> None:
    """Refused unless the wallet may order the security now."""
    holder = require_approved(holder, wallet, now)
    allowed = policy_at(security, now).allowed_classes
    if not holder.classes & allowed:
        raise Refused(
            f"{wallet} is of permission classes {holder.classes:b}; this security is for {allowed:b} (bits).",
            hint="Compliance decides which classes a wallet has.",
        )


def require_approved(holder: Holder | None, wallet: Pubkey, now: int) -> Holder:
    """The wallet's record. Refused unless it is approved now and not suspended."""
    if holder is None:
        raise Refused(f"{wallet} is no approved holder.", hint="Have compliance approve this wallet first.")
    if holder.suspended_at:
        raise Refused(
            f"{wallet} was suspended on {instant(holder.suspended_at)}.", hint="Ask compliance; nothing was signed."
        )
    if now >= holder.approved_until:
        raise Refused(
            f"The approval of {wallet} lapsed on {instant(holder.approved_until)}.",
            hint="Have compliance approve this wallet again.",
        )
    return holder


def require_active(security: Security) -> None:
    """Refused for a retired security."""
    if security.status is not SecurityStatus.ACTIVE:
        raise Refused("This security is retired: nothing is minted.", hint="Redemptions go on.")


def require_mint_not_held(security: Security) -> None:
    """Refused while a hold stops minting."""
    if security.mint_holds or security.transfer_holds:
        raise Refused(
            f"{security.mint_holds} holds on minting and {security.transfer_holds} on transfers stop this mint.",
            hint="See who owns them with: tally hold list",
        )


def require_redeem_not_held(security: Security) -> None:
    """Refused while a hold stops redeeming."""
    if security.redeem_holds or security.transfer_holds:
        raise Refused(
            f"{security.redeem_holds} holds on redeeming and {security.transfer_holds} on transfers stop this.",
            hint="See who owns them with: tally hold list",
        )


def require_transfer_not_held(security: Security) -> None:
    """Refused while a hold stops transfers: the mint is paused, for compliance too."""
    if security.transfer_holds:
        raise Refused(
            f"{security.transfer_holds} holds on transfers pause this token; nothing moves before they end.",
            hint="See who owns them with: tally hold list",
        )


def policy_at(security: Security, now: int) -> Policy:
    """The policy in force: a pending one counts from its time without anybody's step."""
    return security.pending_policy if 0 < security.pending_policy_from <= now else security.policy


def custody_accounts_at(security: Security, now: int) -> tuple[bytes, int]:
    """Hash and number of the custody accounts that an attestation has to list."""
    if 0 < security.pending_policy_from <= now:
        return security.pending_custody_accounts_hash, security.pending_custody_accounts
    return security.custody_accounts_hash, security.custody_accounts


def seizure_account_at(security: Security, now: int) -> Pubkey | None:
    """Where a seizure moves tokens to, None while no account is named."""
    pending = 0 < security.pending_seizure_from <= now
    account = security.pending_seizure_account if pending else security.seizure_account
    return None if account == Pubkey.default() else account


def multiplier_at(security: Security, now: int) -> int:
    """The multiplier in force, 18 places."""
    if security.multiplier_effective_at != 0 and now >= security.multiplier_effective_at:
        return security.pending_multiplier
    return security.multiplier


def backing(security: Security, now: int) -> int:
    """Shares (base units) that may back tokens: the reserve less what was redeemed since its as-of, less the margin."""
    since = max(security.redeemed - security.reserve_redeemed, 0)
    return max(security.reserve - since, 0) * (BASIS_POINTS - policy_at(security, now).margin) // BASIS_POINTS


def reserve_trouble(security: Security, now: int) -> str | None:
    """Why the reserve in force may back no mint at `now`, None when it may."""
    if security.reserve_as_of <= 0:
        return "No reserve is in force: nothing was attested yet."
    age, policy = now - security.reserve_as_of, policy_at(security, now)
    if age > policy.max_attestation_age:
        return (
            f"The reserve in force is of {instant(security.reserve_as_of)}, {age} s ago; at most"
            f" {policy.max_attestation_age} s are allowed."
        )
    effective = security.multiplier_effective_at
    if effective and now < effective and now >= effective - policy.change_window:
        return f"The multiplier changes at {instant(effective)}: nothing is minted this close before."
    last_change = effective if effective and now >= effective else security.multiplier_changed_at
    if security.reserve_as_of <= last_change:
        return f"The reserve in force is from before the last change of the multiplier ({instant(last_change)})."
    return None


def mint_room(security: Security, supply: int, now: int) -> int:
    """Raw units that reserve and supply cap still let be minted at `now`, given the mint's supply; 0 when none.

    Limits and holds are not part of it.
    """
    if reserve_trouble(security, now) is not None:
        return 0
    multiplier = multiplier_at(security, now)
    backed = min(raw_from_shares(min(backing(security, now), U64_MAX), multiplier), policy_at(security, now).supply_cap)
    return max(backed - supply, 0)


def require_mint_room(security: Security, supply: int, raw: int, now: int) -> None:
    """Refused unless `raw` more units fit the reserve in force and the supply cap, given the mint's supply."""
    trouble = reserve_trouble(security, now)
    if trouble is not None:
        hint = "Have the attestors attest a newer statement, then run this again."
        effective = security.multiplier_effective_at
        if effective - policy_at(security, now).change_window <= now < effective:
            hint = "Mint after the change, when a statement from after it is attested."
        raise Refused(trouble, hint=hint)
    decimals, after, cap = security.decimals, supply + raw, policy_at(security, now).supply_cap
    if after > cap:
        raise Refused(
            f"There would be {format_tokens(after, decimals)}; the supply cap is {_units(cap, decimals)}.",
            hint="Mint less.",
        )
    pending = security.pending_multiplier
    if pending and share_equivalent(after, pending, Rounding.UP) > U64_MAX:
        raise Refused(
            f"After the change of the multiplier, {format_tokens(after, decimals)} would be more shares than can be"
            " written.",
            hint="Mint less.",
        )
    needed, backed = share_equivalent(after, multiplier_at(security, now), Rounding.UP), backing(security, now)
    if needed > backed:
        raise Refused(
            f"The reserve does not cover this: it takes {format_shares(needed, decimals)} and the reserve backs"
            f" {_units(backed, decimals)}, {_units(needed - backed, decimals)} too few.",
            hint="Attest a newer statement that shows the shares, or mint less.",
        )


def mint_left(limit: Limit | None, now: int) -> int:
    """Raw units an operator may still mint at `now`; 0 without a limit in force."""
    return _left(limit, now, mint=True)


def burn_left(limit: Limit | None, now: int) -> int:
    """Raw units an operator may still burn at `now`; 0 without a limit in force."""
    return _left(limit, now, mint=False)


def require_limit(limit: Limit | None, raw: int, now: int, decimals: int, *, mint: bool) -> None:
    """Refused unless `raw` units fit what is left of the operator's limit."""
    verb = "mint" if mint else "burn"
    if limit is None or (limit.window == 0 and not 0 < limit.pending_from <= now):
        when = f" before {instant(limit.pending_from)}" if limit is not None and limit.pending_from else ""
        raise Refused(
            f"This operator has no limit in force{when}, and so may {verb} nothing.",
            hint="The admin sets one with: tally security limit — it starts after the issuer's delay.",
        )
    left = _left(limit, now, mint=mint)
    if raw > left:
        raise Refused(
            f"{format_tokens(raw, decimals)} would exceed this operator's limit; left to {verb}:"
            f" {_units(left, decimals)}.",
            hint="Wait for the limit to recover, settle less, or have the admin raise it.",
        )


def _left(limit: Limit | None, now: int, *, mint: bool) -> int:
    if limit is None:
        return 0
    cap, window, used, used_at = (
        (limit.mint_cap, limit.window, limit.mint_used, limit.mint_used_at)
        if mint
        else (limit.burn_cap, limit.window, limit.burn_used, limit.burn_used_at)
    )
    if limit.pending_from and now >= limit.pending_from:
        # Recovery up to the start of the new setting runs at the old rate.
        used, used_at = _recovered(used, used_at, cap, window, limit.pending_from)
        cap, window = limit.pending_mint_cap if mint else limit.pending_burn_cap, limit.pending_window
    if cap == 0 or window == 0:
        return 0
    used, _ = _recovered(used, used_at, cap, window, now)
    return max(cap - used, 0)


def _recovered(used: int, used_at: int, cap: int, window: int, now: int) -> tuple[int, int]:
    if window == 0 or now <= used_at or used == 0:
        return used, max(used_at, now)
    elapsed = now - used_at
    if elapsed >= window and used <= cap:
        return 0, now
    return max(used - cap * elapsed // window, 0), now


def _units(amount: int, decimals: int) -> str:
    return format_base_units(amount, decimals)
