"""What a wallet holds of a security: all its token accounts, frozen or not, and whether it may hold at all.

A wallet may own several token accounts of one mint, extended ones and plain ones of 165 bytes. What is decided of a
wallet concerns all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain, Commitment, MemcmpFilter
from tallystick.errors import LedgerError, Refused
from tallystick.program.addresses import holder_address
from tallystick.program.generated.accounts import Holder, Security
from tallystick.program.generated.constants import PROGRAM_ID
from tallystick.program.token import (
    MINT_OFFSET,
    OWNER_OFFSET,
    STATE_OFFSET,
    TOKEN_2022_PROGRAM,
    TokenAccount,
    TokenAccountState,
    associated_token_address,
    decode_token_account,
)
from tallystick.services.chain_reads import Snapshot, read_snapshot, require

SELDOM_SIZES = frozenset({82, 355})
"""Sizes that no token account has: a mint without extensions, a multisig."""


@dataclass(frozen=True, slots=True)
class HoldingAccount:
    """One token account of a wallet."""

    address: Pubkey
    account: TokenAccount

    @property
    def raw(self) -> int:
        """Raw units in it."""
        return self.account.amount

    @property
    def is_frozen(self) -> bool:
        """Whether nothing goes in or out."""
        return self.account.frozen


@dataclass(frozen=True, slots=True)
class Holding:
    """A wallet and what it has of a security. `record` is None for a wallet that compliance never approved; `accounts`
    are in the order of their addresses, the associated one first. `now` is the chain's clock at `slot`."""

    slot: int
    now: int
    security: Pubkey
    listed: Security
    wallet: Pubkey
    record: Holder | None
    accounts: tuple[HoldingAccount, ...]

    @property
    def associated(self) -> Pubkey:
        """Where the wallet keeps its tokens unless it says otherwise; it need not exist."""
        return associated_token_address(self.wallet, self.listed.mint)

    @property
    def raw(self) -> int:
        """Raw units in all."""
        return sum(each.raw for each in self.accounts)

    @property
    def frozen_raw(self) -> int:
        """Raw units in frozen accounts."""
        return sum(each.raw for each in self.accounts if each.is_frozen)

    @property
    def state(self) -> str:
        """In a few words: none, free, frozen or partly frozen."""
        frozen = sum(each.is_frozen for each in self.accounts)
        if not self.accounts:
            return "no token account"
        return "frozen" if frozen == len(self.accounts) else "partly frozen" if frozen else "free"

    def find(self, address: Pubkey) -> HoldingAccount | None:
        """One of its accounts."""
        return next((each for each in self.accounts if each.address == address), None)


async def find_holding(
    chain: Chain, security: Pubkey, wallet: Pubkey, *, commitment: Commitment = "confirmed"
) -> Holding:
    """What a wallet has of a security. Refused when there is no such security."""
    listed = await require(chain, Security, security, commitment=commitment)
    record = holder_address(listed.issuer, wallet)
    snapshot = await read_snapshot(chain, [security, record], commitment)
    wanted = [MemcmpFilter(MINT_OFFSET, bytes(listed.mint)), MemcmpFilter(OWNER_OFFSET, bytes(wallet))]
    found = await chain.get_program_accounts(
        TOKEN_2022_PROGRAM, wanted, commitment=commitment, min_context_slot=snapshot.slot
    )
    associated = associated_token_address(wallet, listed.mint)
    accounts = [
        HoldingAccount(address, decode_token_account(account.data))
        for address, account in found.accounts.items()
        if len(account.data) not in SELDOM_SIZES
    ]
    accounts.sort(key=lambda each: (each.address != associated, bytes(each.address)))
    return Holding(
        found.slot,
        snapshot.now,
        security,
        snapshot.require(Security, security),
        wallet,
        snapshot.find(Holder, record),
        tuple(accounts),
    )


async def list_frozen(chain: Chain, security: Pubkey) -> tuple[HoldingAccount, ...]:
    """Every frozen token account of a security, in the order of their addresses. Refused when there is none such."""
    mint = (await require(chain, Security, security)).mint
    wanted = [
        MemcmpFilter(MINT_OFFSET, bytes(mint)),
        MemcmpFilter(STATE_OFFSET, bytes([TokenAccountState.FROZEN])),
    ]
    found = (await chain.get_program_accounts(TOKEN_2022_PROGRAM, wanted)).accounts
    return tuple(
        HoldingAccount(address, decode_token_account(found[address].data))
        for address in sorted(found, key=bytes)
        if len(found[address].data) not in SELDOM_SIZES
    )


async def require_wallet(chain: Chain, wallet: Pubkey) -> None:
    """Refused for an account of the program: what an escrow holds is never frozen, thawed or seized."""
    account = await chain.get_account(wallet)
    if account is not None and account.owner == PROGRAM_ID:
        raise Refused(
            f"{wallet} is an account of the program, and no wallet: what it owns is never frozen, thawed or seized.",
            hint="Name the wallet of a holder; tokens in redemption return to it first.",
        )


async def require_token_account(chain: Chain, address: Pubkey, mint: Pubkey) -> TokenAccount:
    """A token account of this mint. Refused for anything else."""
    snapshot = await read_snapshot(chain, [address])
    try:
        found = snapshot.token_account(address)
    except LedgerError:
        found = None
    if found is None or found.mint != mint:
        raise Refused(
            f"{address} is no token account of the mint {mint}.",
            hint="See a wallet's accounts with: tally holding show",
        )
    return found


def require_receiving(snapshot: Snapshot, address: Pubkey, wallet: Pubkey, security: Security) -> None:
    """Refused where tokens cannot arrive: in a frozen account, or in none where a new one would be frozen."""
    found = snapshot.token_account(address)
    if found is None and security.permissioned:
        raise Refused(
            f"{wallet} has no token account yet, and of this security new ones are frozen.",
            hint="Have compliance make and thaw it with: tally holding thaw",
        )
    if found is not None and found.frozen:
        raise Refused(
            f"The token account {address} is frozen.",
            hint="Compliance decides whether it is thawed, with: tally holding thaw",
        )


__all__ = [
    "Holding",
    "HoldingAccount",
    "find_holding",
    "list_frozen",
    "require_receiving",
    "require_token_account",
    "require_wallet",
]
