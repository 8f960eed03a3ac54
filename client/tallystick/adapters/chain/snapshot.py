"""Everybody who holds a mint at one slot: all its Token-2022 accounts, and the supply they have to add up to.

One request, filtered by mint and not by size: accounts of 165 bytes exist beside extended ones, and a second request
would be answered at another slot.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Account, Chain, Commitment
from tallystick.adapters.chain.token_accounts import TokenAccounts
from tallystick.adapters.clock import Clock
from tallystick.domain.register import Register, merge_rows
from tallystick.errors import ChainError, LedgerError, Refused, RpcError
from tallystick.program.token import TOKEN_2022_PROGRAM, decode_mint

ATTEMPTS: Final = 12
"""How often the slots of one snapshot may differ before it is given up."""
PAUSE: Final = 0.4
"""Seconds between attempts: about one slot."""

_MIN_CONTEXT_SLOT_NOT_REACHED: Final = -32016


@dataclass(frozen=True, slots=True)
class HolderClasses:
    """The supply by who has it, in raw units; the four add up to what all accounts hold.

    `escrow` is the security's escrow account, `inventory` the accounts of declared wallets, `frozen` other accounts
    that are frozen, `holders` everything else.
    """

    escrow: int
    inventory: int
    frozen: int
    holders: int


@dataclass(frozen=True)
class HoldersSnapshot:
    """All token accounts of `mint` at `slot`, in no order, and the mint's supply at that slot. Without slots, so that
    sum and register are computed once.

    `supply` in raw units. `is_settled` is False when no supply could be read that is known to be of that slot.
    """

    mint: Pubkey
    slot: int
    supply: int
    accounts: TokenAccounts
    is_settled: bool = True

    @cached_property
    def total(self) -> int:
        """Raw units of all accounts together."""
        return sum(raw for _, _, raw, _ in self.accounts.plain())

    @property
    def is_complete(self) -> bool:
        """True when the accounts add up to the supply of the same slot; nothing rests on a snapshot that is not."""
        return self.is_settled and self.total == self.supply

    @cached_property
    def register(self) -> Register:
        """The accounts merged by owner."""
        return merge_rows(self.accounts.plain())

    def balance_of(self, address: Pubkey) -> int | None:
        """Raw units in one token account; None when there is no such account."""
        key = bytes(address)
        return next((raw for account, _, raw, _ in self.accounts.plain() if account == key), None)

    def classes(self, escrow: Pubkey, inventory: Collection[Pubkey]) -> HolderClasses:
        """Who has the supply; `escrow` is a token account, `inventory` are wallets."""
        wallets, own = {bytes(wallet) for wallet in inventory}, bytes(escrow)
        sums = {"escrow": 0, "inventory": 0, "frozen": 0, "holders": 0}
        for address, owner, raw, is_frozen in self.accounts.plain():
            if address == own:
                sums["escrow"] += raw
            elif owner in wallets:
                sums["inventory"] += raw
            else:
                sums["frozen" if is_frozen else "holders"] += raw
        return HolderClasses(**sums)

    def require_complete(self) -> HoldersSnapshot:
        """Itself; Refused when the accounts do not add up to the supply, or were not read at one slot."""
        if not self.is_complete:
            reason = (
                f"its token accounts hold {self.total} raw units, its supply is {self.supply}"
                if self.is_settled
                else "its supply changed whenever its accounts were read"
            )
            raise Refused(
                f"The register of mint {self.mint} at slot {self.slot} is incomplete: {reason}.",
                hint="Run again when no transaction is in flight; if it stays, compare another RPC provider's answer.",
            )
        return self


async def snapshot_holders(
    chain: Chain,
    mint: Pubkey,
    clock: Clock,
    *,
    commitment: Commitment = "finalized",
    min_context_slot: int | None = None,
    attempts: int = ATTEMPTS,
) -> HoldersSnapshot:
    """The holders of one mint at one slot, not before `min_context_slot`; see snapshot_mints."""
    found = await snapshot_mints(
        chain, [mint], clock, commitment=commitment, min_context_slot=min_context_slot, attempts=attempts
    )
    return found[mint]


async def snapshot_mints(
    chain: Chain,
    mints: Sequence[Pubkey],
    clock: Clock,
    *,
    commitment: Commitment = "finalized",
    min_context_slot: int | None = None,
    attempts: int = ATTEMPTS,
) -> dict[Pubkey, HoldersSnapshot]:
    """The holders of several mints, all at one slot.

    Mints are read before and after their holders, and all is read again while the slots differ or a mint changed in
    between. When it never works out the last snapshot says so (`is_settled`, `is_complete`); nothing is guessed.
    ChainError when the requests never met one slot, or the cluster did not answer; LedgerError when a mint is none.
    """
    latest: dict[Pubkey, HoldersSnapshot] | None = None
    for attempt in range(attempts):
        if attempt:
            await clock.sleep(PAUSE)
        try:
            found = await _read_once(chain, mints, commitment, min_context_slot)
        except RpcError as error:
            if error.code != _MIN_CONTEXT_SLOT_NOT_REACHED:
                raise
            continue
        if found is not None:
            latest = found
            if all(each.is_settled for each in found.values()):
                return found
    if latest is None:
        raise ChainError(
            f"The holders of {len(mints)} mints could not be read at one slot in {attempts} attempts.",
            hint="Run again later, or ask a node that answers faster.",
        )
    return latest


async def _read_once(
    chain: Chain, mints: Sequence[Pubkey], commitment: Commitment, min_context_slot: int | None
) -> dict[Pubkey, HoldersSnapshot] | None:
    """One attempt; None when the holders of different mints were read at different slots."""
    before_slot, before = await chain.get_accounts(mints, commitment)
    lowest = max(before_slot, min_context_slot or 0)
    listings = await asyncio.gather(
        *(chain.get_token_accounts(mint, commitment=commitment, min_context_slot=lowest) for mint in mints)
    )
    slots = {listing.slot for listing in listings}
    if len(slots) > 1:
        return None
    after_slot, after = await chain.get_accounts(mints, commitment)
    found: dict[Pubkey, HoldersSnapshot] = {}
    for mint, listing, old, new in zip(mints, listings, before, after, strict=True):
        first, last = _supply(mint, old), _supply(mint, new)
        total = sum(raw for _, _, raw, _ in listing.plain())
        if listing.slot in (before_slot, after_slot):
            supply, settled = (first if listing.slot == before_slot else last), True
        else:
            # Unchanged on both sides of the slot, and equal to the sum at the slot: that was the supply at the slot.
            between = before_slot <= listing.slot <= after_slot
            supply, settled = last, between and first == last == total
        found[mint] = HoldersSnapshot(mint, listing.slot, supply, listing, settled)
    return found


def _supply(mint: Pubkey, account: Account | None) -> int:
    if account is None or account.owner != TOKEN_2022_PROGRAM:
        raise LedgerError(
            f"There is no Token-2022 mint at {mint}.",
            hint="Check the mint's address, and which cluster the profile names.",
        )
    return decode_mint(account.data).supply
