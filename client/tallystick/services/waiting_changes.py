"""What waits at a security: settings that a guardian can veto, and seizures that a second key can execute."""

from __future__ import annotations

from dataclasses import dataclass

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.domain.amounts import format_tokens
from tallystick.program.generated.accounts import Security
from tallystick.services.security_policy import waiting_policy
from tallystick.services.seizures import SeizureState, find_seizures, state_of


@dataclass(frozen=True, slots=True)
class Waiting:
    """One change that waits: what it is, in words, and when it counts (or, of a seizure, expires); unix seconds."""

    kind: str
    text: str
    at: int


def waiting_settings(security: Security, now: int) -> tuple[Waiting, ...]:
    """Policy, seizure account and metadata that wait at `now`, in this order."""
    found: list[Waiting] = []
    if changes := waiting_policy(security, now):
        found.append(Waiting("policy", "; ".join(map(str, changes)), security.pending_policy_from))
    elif security.pending_policy_from > now:
        found.append(Waiting("policy", "the same as in force", security.pending_policy_from))
    if security.pending_seizure_from > now:
        account = security.pending_seizure_account
        found.append(Waiting("seizure account", str(account), security.pending_seizure_from))
    if security.pending_metadata_from:
        digest = security.pending_metadata_hash.hex()
        ready = "can be written" if security.pending_metadata_from <= now else "announced"
        found.append(Waiting("metadata", f"{ready}, content {digest[:16]}…", security.pending_metadata_from))
    return tuple(found)


async def waiting_seizures(chain: Chain, address: Pubkey, security: Security, now: int) -> tuple[Waiting, ...]:
    """Seizures that one key proposed and a second one can still execute."""
    return tuple(
        Waiting("seizure", f"{format_tokens(each.raw, security.decimals)} of {each.wallet} ({place})", each.expires_at)
        for place, each in await find_seizures(chain, address)
        if state_of(each, now) is SeizureState.PROPOSED
    )


async def waiting_changes(chain: Chain, address: Pubkey, security: Security, now: int) -> tuple[Waiting, ...]:
    """All of these."""
    return (*waiting_settings(security, now), *await waiting_seizures(chain, address, security, now))


__all__ = ["Waiting", "waiting_changes", "waiting_seizures", "waiting_settings"]
