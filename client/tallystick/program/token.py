"""The parts of Token-2022 that the client needs: addresses, two instructions, and what a mint and an account say.

Layouts: spl-token-2022-interface 3.1 (Mint 82 bytes, Account 165, then one byte of kind and type-length-value
extensions); spl-associated-token-account-interface 2.0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeVar

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from tallystick.program.borsh import Reader, Writer
from tallystick.program.token_extensions import MintExtensions, read_entries, read_mint_extensions

T = TypeVar("T")

TOKEN_2022_PROGRAM = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
SPL_TOKEN_PROGRAM = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
"""The older token program; distributions may pay a token of either."""
ASSOCIATED_TOKEN_PROGRAM = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
SYSTEM_PROGRAM = Pubkey.default()

MINT_SIZE = 82
ACCOUNT_SIZE = 165
"""Bytes of an account without extensions; an extended mint is padded to the same length."""
MINT_OFFSET = 0
"""Where a token account names its mint: to find the holders of a mint, whatever the size of their accounts."""
OWNER_OFFSET = 32
"""Where a token account names its owner."""
STATE_OFFSET = 108
"""Where a token account says whether it is frozen."""
ACCOUNT_KIND = 2
"""What an extended token account has at ACCOUNT_SIZE."""
_MINT_KIND = 1


class TokenAccountState(IntEnum):
    """What may be done with a token account."""

    UNINITIALIZED = 0
    INITIALIZED = 1
    FROZEN = 2


@dataclass(frozen=True, slots=True)
class TokenAccount:
    """A token account. `amount` and `delegated_amount` in raw units; `extensions` are the extension type numbers."""

    mint: Pubkey
    owner: Pubkey
    amount: int
    delegate: Pubkey | None
    state: TokenAccountState
    native_reserve: int | None
    delegated_amount: int
    close_authority: Pubkey | None
    extensions: tuple[int, ...] = ()

    @property
    def frozen(self) -> bool:
        """No transfer, burn or mint touches it until it is thawed."""
        return self.state is TokenAccountState.FROZEN


@dataclass(frozen=True, slots=True)
class Mint:
    """A mint. `supply` in raw units."""

    mint_authority: Pubkey | None
    supply: int
    decimals: int
    freeze_authority: Pubkey | None
    extensions: MintExtensions


def associated_token_address(wallet: Pubkey, mint: Pubkey, token_program: Pubkey = TOKEN_2022_PROGRAM) -> Pubkey:
    """Where a wallet keeps its tokens of a mint unless it says otherwise."""
    return find_associated_token_address(bytes(wallet), bytes(mint), bytes(token_program))[0]


def find_associated_token_address(wallet: bytes, mint: bytes, token_program: bytes) -> tuple[Pubkey, int]:
    """The same from 32 bytes each, with the bump of the address."""
    return Pubkey.find_program_address([wallet, token_program, mint], ASSOCIATED_TOKEN_PROGRAM)


def create_associated_token_account_idempotent(
    *, payer: Pubkey, wallet: Pubkey, mint: Pubkey, token_program: Pubkey = TOKEN_2022_PROGRAM
) -> Instruction:
    """Make sure the wallet's associated account exists; `payer` signs and pays its rent if it does not."""
    accounts = [
        AccountMeta(payer, is_signer=True, is_writable=True),
        AccountMeta(associated_token_address(wallet, mint, token_program), is_signer=False, is_writable=True),
        AccountMeta(wallet, is_signer=False, is_writable=False),
        AccountMeta(mint, is_signer=False, is_writable=False),
        AccountMeta(SYSTEM_PROGRAM, is_signer=False, is_writable=False),
        AccountMeta(token_program, is_signer=False, is_writable=False),
    ]
    return Instruction(ASSOCIATED_TOKEN_PROGRAM, b"\x01", accounts)


def transfer_checked(
    *,
    source: Pubkey,
    mint: Pubkey,
    destination: Pubkey,
    authority: Pubkey,
    amount: int,
    decimals: int,
    token_program: Pubkey = TOKEN_2022_PROGRAM,
) -> Instruction:
    """Move `amount` raw units between two token accounts; `authority` signs. AmountError if it does not fit u64."""
    writer = Writer(b"\x0c")
    writer.u64(amount, "transfer_checked.amount")
    writer.u8(decimals, "transfer_checked.decimals")
    accounts = [
        AccountMeta(source, is_signer=False, is_writable=True),
        AccountMeta(mint, is_signer=False, is_writable=False),
        AccountMeta(destination, is_signer=False, is_writable=True),
        AccountMeta(authority, is_signer=True, is_writable=False),
    ]
    return Instruction(token_program, writer.finish(), accounts)


def decode_token_account(data: bytes) -> TokenAccount:
    """A token account with or without extensions. LedgerError if the bytes are anything else, or not initialized."""
    reader = Reader(data, "token account")
    mint, owner, amount = reader.pubkey(), reader.pubkey(), reader.u64()
    delegate = _optional(reader, reader.pubkey)
    state = reader.variant(TokenAccountState)
    native = _optional(reader, reader.u64)
    delegated = reader.u64()
    close_authority = _optional(reader, reader.pubkey)
    if state is TokenAccountState.UNINITIALIZED:
        reader.fail("an initialized token account expected, found one that is not")
    extensions: tuple[int, ...] = ()
    if reader.remaining:
        _kind(reader, ACCOUNT_KIND, "a token account")
        extensions = tuple(kind for kind, _ in read_entries(reader))
    return TokenAccount(mint, owner, amount, delegate, state, native, delegated, close_authority, extensions)


def decode_mint(data: bytes) -> Mint:
    """A mint and its extensions. LedgerError if the bytes are anything else, or not initialized."""
    reader = Reader(data, "mint")
    mint_authority = _optional(reader, reader.pubkey)
    supply, decimals, initialized = reader.u64(), reader.u8(), reader.boolean()
    freeze_authority = _optional(reader, reader.pubkey)
    if not initialized:
        reader.fail("an initialized mint expected, found one that is not")
    extensions = MintExtensions()
    if reader.remaining:
        if any(reader.fixed(ACCOUNT_SIZE - MINT_SIZE)):
            reader.fail("zeros between a mint and its extensions expected: these bytes are a token account")
        _kind(reader, _MINT_KIND, "a mint")
        extensions = read_mint_extensions(reader)
    return Mint(mint_authority, supply, decimals, freeze_authority, extensions)


def _kind(reader: Reader, expected: int, name: str) -> None:
    found = reader.u8()
    if found != expected:
        reader.fail(f"{name} (kind {expected}) expected, found kind {found}")


def _optional(reader: Reader, read: Callable[[], T]) -> T | None:
    """Four bytes that say whether there is a value, and its bytes, which are there either way."""
    tag = reader.u32()
    if tag > 1:
        reader.fail(f"an option tag of 0 or 1 expected, found {tag}")
    value = read()
    return value if tag else None
