"""Changing what an issuer promised for a security: what tightens counts at once, what loosens waits for a veto."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.clock import instant
from tallystick.domain.amounts import U64_MAX, format_base_units, format_tokens
from tallystick.domain.identifiers import custody_accounts_hash
from tallystick.errors import InputError
from tallystick.program.generated import instructions
from tallystick.program.generated.accounts import Issuer, Security
from tallystick.program.generated.types import Policy, UpdatePolicyParams
from tallystick.services.chain_reads import read_snapshot, require, ticker_of
from tallystick.services.plans import Plan, last_change, new_action
from tallystick.services.rules import custody_accounts_at, policy_at
from tallystick.services.securities import MAXIMUM_CUSTODY_ACCOUNTS, CustodyAccount

DAY: Final = 24 * 3600
BOUNDS: Final[Mapping[str, tuple[int, int]]] = {
    "threshold": (2, 8),
    "margin": (0, 5_000),
    "max_attestation_age": (1, 7 * DAY),
    "supply_cap": (1, U64_MAX),
    "accept_period": (1, 30 * DAY),
    "settle_period": (1, 30 * DAY),
    "notice": (1, 90 * DAY),
    "change_window": (1, 7 * DAY),
    "max_change_numerator": (1, U64_MAX),
    "max_change_denominator": (1, U64_MAX),
    "allowed_classes": (1, U64_MAX),
}
"""Least and most of each setting (programs/tallystick/src/constants.rs, state/policy.rs)."""
_MORE_IS_STRICTER: Final = frozenset({"threshold", "margin", "notice", "change_window"})


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """One setting, before and after as people read them, and whether that loosens what was promised."""

    name: str
    before: str
    after: str
    is_looser: bool

    def __str__(self) -> str:
        return f"{self.name}: {self.before} -> {self.after} ({'looser' if self.is_looser else 'tighter'})"


async def plan_update_policy(
    chain: Chain,
    *,
    payer: Pubkey,
    security: Pubkey,
    changes: Mapping[str, int],
    custody_accounts: Sequence[CustodyAccount] | None = None,
) -> Plan:
    """Change settings of the policy in force, by their field names; and the declared custody accounts, where given.

    Signed by the admin. Everything counts at once where nothing is loosened; else everything waits the issuer's delay
    together. What waited before is dropped: without any change, that is all that happens. InputError for a setting out
    of bounds.
    """
    account = await require(chain, Security, security)
    snapshot = await read_snapshot(chain, [security, account.issuer, account.mint])
    account, issuer, now = snapshot.require(Security, security), snapshot.require(Issuer, account.issuer), snapshot.now
    before, accounts_before = policy_at(account, now), custody_accounts_at(account, now)
    policy = changed_policy(before, changes)
    accounts = accounts_before if custody_accounts is None else accounts_hash(custody_accounts)
    title = f"Change the policy of {ticker_of(account)}"
    different = policy_changes(before, policy, account.decimals, accounts_before, accounts)
    waits = account.pending_policy_from > now
    if not different and not waits:
        return Plan(title, notes=("That is the policy in force already.",))
    pending = (account.pending_policy, (account.pending_custody_accounts_hash, account.pending_custody_accounts))
    if waits and pending == (policy, accounts):
        return Plan(title, notes=(f"It waits until {instant(account.pending_policy_from)}.",))
    is_loosened = any(each.is_looser for each in different)
    notes = [str(each) for each in different]
    if is_loosened:
        tight = [each.name for each in different if not each.is_looser]
        notes.append(f"It waits {span_text(issuer.delay)} after it is signed, unless a guardian vetoes it.")
        if tight:
            notes.append(
                f"What tightens waits with it: {', '.join(tight)}. Change it alone, first, to have it at once."
            )
    elif different:
        notes.append("Nothing is loosened: it is in force at once.")
    supply = snapshot.mint(account.mint).supply
    if policy.supply_cap < min(supply, before.supply_cap):
        notes.append(
            f"There are {format_tokens(supply, account.decimals)}, more than this cap: nothing is minted before as many"
            " are redeemed, and reconciliation shows UNAUTHORISED_SUPPLY until then."
        )
    if waits:
        dropped = policy_changes(before, account.pending_policy, account.decimals, accounts_before, pending[1])
        until = instant(account.pending_policy_from)
        notes.append(f"What waits until {until} is dropped: {'; '.join(map(str, dropped))}.")

    async def is_done() -> bool:
        state = await require(chain, Security, security)
        if state.pending_policy_from:
            found = state.pending_policy, state.pending_custody_accounts_hash, state.pending_custody_accounts
        else:
            found = state.policy, state.custody_accounts_hash, state.custody_accounts
        return found == (policy, *accounts)

    action = new_action(
        f"policy:{security}:{await last_change(chain, security)}",
        f"{title}: {', '.join(each.name for each in different) or 'drop what waits'}",
        instructions.update_policy(
            admin=issuer.admin,
            issuer=account.issuer,
            security=security,
            params=UpdatePolicyParams(policy, *accounts),
        ),
        payer,
        (issuer.admin, "admin"),
        is_done=is_done,
    )
    return Plan(title, (action,), tuple(notes))


def changed_policy(policy: Policy, changes: Mapping[str, int]) -> Policy:
    """The policy with these settings. InputError for a name that is none, and for what the program refuses."""
    unknown = sorted(set(changes) - set(BOUNDS))
    if unknown:
        raise InputError(f"A policy has no {', '.join(unknown)}.", hint=f"Settings: {', '.join(BOUNDS)}.")
    changed = replace(policy, **changes)
    for name, (least, most) in BOUNDS.items():
        if not least <= getattr(changed, name) <= most:
            raise InputError(f"{_said(name)} of {least} to {most} is expected, not {getattr(changed, name)}.")
    if changed.max_change_numerator < changed.max_change_denominator:
        raise InputError(
            f"The largest change is a ratio of at least 1, not {_ratio(changed)}.", hint="Write 50/1 for fifty to one."
        )
    return changed


def policy_changes(
    before: Policy, after: Policy, decimals: int, accounts_before: tuple[bytes, int], accounts_after: tuple[bytes, int]
) -> tuple[PolicyChange, ...]:
    """Each setting that differs (state/policy.rs, Policy::is_no_looser_than). Other custody accounts are looser."""
    found: list[PolicyChange] = []
    for each in fields(Policy):
        old, new = getattr(before, each.name), getattr(after, each.name)
        if old == new or each.name.startswith("max_change"):
            continue
        show = _shown(each.name, decimals)
        if each.name == "allowed_classes":
            is_looser = bool(new & ~old)
        else:
            is_looser = new < old if each.name in _MORE_IS_STRICTER else new > old
        found.append(PolicyChange(_said(each.name), show(old), show(new), is_looser))
    if _ratio(before) != _ratio(after):
        wider = after.max_change_numerator * before.max_change_denominator
        found.append(
            PolicyChange(
                "largest multiplier change",
                _ratio(before),
                _ratio(after),
                wider > before.max_change_numerator * after.max_change_denominator,
            )
        )
    if accounts_before != accounts_after:
        old_text, new_text = (f"{number} ({digest.hex()[:8]}…)" for digest, number in (accounts_before, accounts_after))
        found.append(PolicyChange("custody accounts", old_text, new_text, True))
    return tuple(found)


def waiting_policy(security: Security, now: int) -> tuple[PolicyChange, ...]:
    """What would change when the policy that waits comes in force; nothing when none waits."""
    if security.pending_policy_from <= now:
        return ()
    pending = security.pending_custody_accounts_hash, security.pending_custody_accounts
    return policy_changes(
        security.policy, security.pending_policy, security.decimals, custody_accounts_at(security, now), pending
    )


def accounts_hash(accounts: Sequence[CustodyAccount]) -> tuple[bytes, int]:
    """Hash and number of custody accounts as the program is told. InputError for none, too many, or one twice."""
    if not 1 <= len(accounts) <= MAXIMUM_CUSTODY_ACCOUNTS:
        raise InputError(f"1 to {MAXIMUM_CUSTODY_ACCOUNTS} custody accounts are declared for a security.")
    return custody_accounts_hash([each.hash for each in accounts]), len(accounts)


def span_text(seconds: int) -> str:
    """Seconds in the largest unit that says them exactly: 2 d, 36 h, 90 min, 100 s."""
    for unit, length in (("d", DAY), ("h", 3600), ("min", 60)):
        if seconds and seconds % length == 0:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def _said(name: str) -> str:
    return {"max_attestation_age": "age of a statement", "allowed_classes": "classes that may order"}.get(
        name, name.replace("_", " ")
    )


def _shown(name: str, decimals: int) -> Callable[[int], str]:
    if name == "margin":
        return lambda value: f"{format_base_units(value, 2)}%"
    if name == "supply_cap":
        return lambda value: f"{format_base_units(value, decimals)} tokens"
    if name == "allowed_classes":
        return lambda value: f"{value:b} (bits)"
    if name == "threshold":
        return lambda value: f"{value} attestors"
    return span_text


def _ratio(policy: Policy) -> str:
    return f"{policy.max_change_numerator}/{policy.max_change_denominator}"


__all__ = [
    "BOUNDS",
    "PolicyChange",
    "accounts_hash",
    "changed_policy",
    "plan_update_policy",
    "policy_changes",
    "span_text",
    "waiting_policy",
]
