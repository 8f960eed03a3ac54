"""Whom a push leaves out when it begins: owners that compliance has suspended, and those whose tokens are frozen."""

from __future__ import annotations

from dataclasses import dataclass

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain, MemcmpFilter
from tallystick.program.token import (
    MINT_OFFSET,
    STATE_OFFSET,
    TOKEN_2022_PROGRAM,
    TokenAccountState,
    associated_token_address,
    decode_token_account,
)
from tallystick.services.chain_reads import list_holders


@dataclass(frozen=True, slots=True)
class Skips:
    """Owners, 32 bytes each."""

    suspended: frozenset[bytes]
    frozen: frozenset[bytes]


async def read_skips(chain: Chain, issuer: Pubkey, mint: Pubkey) -> Skips:
    """Owners to skip, at confirmed: a decision of a minute ago counts.

    An account of a security is frozen from the start where the security asks for that, and anybody can open one for
    anybody. So a frozen one counts where it holds something or is the owner's associated account.
    """
    holders = await list_holders(chain, issuer)
    filters = [MemcmpFilter(MINT_OFFSET, bytes(mint)), MemcmpFilter(STATE_OFFSET, bytes([TokenAccountState.FROZEN]))]
    frozen = set()
    for address, account in (await chain.get_program_accounts(TOKEN_2022_PROGRAM, filters)).accounts.items():
        found = decode_token_account(account.data)
        if found.amount or associated_token_address(found.owner, mint) == address:
            frozen.add(bytes(found.owner))
    suspended = {bytes(each.wallet) for each in holders.accounts.values() if each.suspended_at}
    return Skips(frozenset(suspended), frozenset(frozen))


__all__ = ["Skips", "read_skips"]
