"""A token that distributions pay, of SPL Token or Token-2022, and accounts of it in every state that matters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from chain_in_process import Chain, key
from solders.account import Account
from solders.pubkey import Pubkey
from tallystick.program.token import (
    ASSOCIATED_TOKEN_PROGRAM,
    SPL_TOKEN_PROGRAM,
    TOKEN_2022_PROGRAM,
    TokenAccountState,
)

FEE_CONFIG, CONFIDENTIAL_ACCOUNT, IMMUTABLE_OWNER, MEMO_TRANSFER, NON_TRANSFERABLE, HOOK = 1, 5, 7, 8, 9, 14
"""Extension types of Token-2022."""
AMOUNT_OFFSET, STATE_OFFSET, KIND_OFFSET = 64, 108, 165
LAMPORTS = 10**7
DECIMALS = 6


def extension(kind: int, value: bytes) -> bytes:
    """One extension as it is stored."""
    return kind.to_bytes(2, "little") + len(value).to_bytes(2, "little") + value


def fee(epoch: int, basis_points: int, maximum: int = 10**9) -> bytes:
    """One of the two fees of the fee extension."""
    return epoch.to_bytes(8, "little") + maximum.to_bytes(8, "little") + basis_points.to_bytes(2, "little")


def fee_config(older: bytes, newer: bytes) -> bytes:
    """The fee extension of a mint."""
    return extension(FEE_CONFIG, bytes(32 + 32 + 8) + older + newer)


def confidential_account(*, plain_credits: bool) -> bytes:
    """The extension of an account that can hold confidential balances."""
    return extension(CONFIDENTIAL_ACCOUNT, b"\1" + bytes(260) + b"\1" + bytes([plain_credits]) + bytes(32))


@lru_cache(20_000)
def _find(wallet: Pubkey, program: Pubkey, mint: Pubkey) -> tuple[Pubkey, int]:
    return Pubkey.find_program_address([bytes(wallet), bytes(program), bytes(mint)], ASSOCIATED_TOKEN_PROGRAM)


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment token, of the program given; `mint_extensions` as stored."""

    chain: Chain
    program: Pubkey = SPL_TOKEN_PROGRAM
    name: str = "dollars"
    mint_extensions: bytes = b""

    @property
    def mint(self) -> Pubkey:
        """The mint."""
        return key(f"{self.name} of {self.program}")

    @property
    def is_token_2022(self) -> bool:
        """Whether its accounts may have extensions."""
        return self.program == TOKEN_2022_PROGRAM

    def find(self, wallet: Pubkey) -> tuple[Pubkey, int]:
        """The wallet's associated account and its bump."""
        return _find(wallet, self.program, self.mint)

    def tokens(self, wallet: Pubkey) -> Pubkey:
        """The wallet's associated account."""
        return self.find(wallet)[0]

    def write_mint(self, extensions: bytes | None = None) -> Pubkey:
        """The mint, written past every rule; with other extensions than before if they are given."""
        extensions = self.mint_extensions if extensions is None else extensions
        supply = (2**63).to_bytes(8, "little")
        authority = b"\1\0\0\0" + bytes(key(f"{self.name} issuer"))
        data = authority + supply + bytes([DECIMALS, 1]) + authority
        if extensions:
            data = data.ljust(KIND_OFFSET, b"\0") + b"\1" + extensions
        self.chain.write(self.mint, Account(LAMPORTS, data, self.program, False, 0))
        return self.mint

    def write_account(
        self,
        wallet: Pubkey,
        amount: int = 0,
        *,
        owner: Pubkey | None = None,
        mint: Pubkey | None = None,
        state: TokenAccountState = TokenAccountState.INITIALIZED,
        extensions: bytes | None = None,
        address: Pubkey | None = None,
    ) -> Pubkey:
        """The wallet's associated account, written past every rule."""
        data = bytes(mint or self.mint) + bytes(owner or wallet) + amount.to_bytes(8, "little")
        data = data.ljust(STATE_OFFSET, b"\0") + bytes([state])
        data = data.ljust(KIND_OFFSET, b"\0")
        if extensions is None and self.is_token_2022:
            extensions = extension(IMMUTABLE_OWNER, b"")
        if extensions:
            data += b"\2" + extensions
        address = address or self.tokens(wallet)
        self.chain.write(address, Account(LAMPORTS, data, self.program, False, 0))
        return address

    def balance(self, wallet: Pubkey) -> int:
        """Raw units in the wallet's associated account."""
        return self.chain.balance(self.tokens(wallet))
