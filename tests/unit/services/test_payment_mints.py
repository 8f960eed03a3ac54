"""A token that plain transfers do not move whole is no payment, and the refusal says why."""

from __future__ import annotations

import pytest
from desk import key
from solders.pubkey import Pubkey
from tallystick.adapters.chain.protocol import Account
from tallystick.errors import Refused
from tallystick.program.addresses import security_address
from tallystick.program.token import SPL_TOKEN_PROGRAM, TOKEN_2022_PROGRAM
from tallystick.services.chain_reads import CLOCK
from tallystick.services.payment_mints import PaymentMint, check_payment_mint

MINT = key("dollars").pubkey()
SYSVAR = Pubkey.from_string("Sysvar1111111111111111111111111111111111111")
EPOCH = 700
FEE, NOT_TRANSFERABLE, CONFIDENTIAL_MINT, HOOK = 1, 9, 4, 14


def mint(
    *extensions: tuple[int, bytes], authority: Pubkey | None = None, program: Pubkey = TOKEN_2022_PROGRAM
) -> Account:
    """A mint of six decimals."""
    named = b"\1\0\0\0" + bytes(authority or key("authority").pubkey())
    data = named + bytes(8) + bytes([6, 1]) + bytes(36)
    if extensions:
        data = data.ljust(165, b"\0") + b"\1"
        for kind, value in extensions:
            data += kind.to_bytes(2, "little") + len(value).to_bytes(2, "little") + value
    return Account(program, 10**7, data)


def fee(older: int, newer: int, from_epoch: int) -> bytes:
    """Two authorities, what was withheld, and two fees: epoch, maximum, basis points."""
    old = bytes(8) + (10**9).to_bytes(8, "little") + older.to_bytes(2, "little")
    new = from_epoch.to_bytes(8, "little") + (10**9).to_bytes(8, "little") + newer.to_bytes(2, "little")
    return bytes(72) + old + new


def check(account: Account | None) -> PaymentMint:
    clock = Account(SYSVAR, 1, bytes(16) + EPOCH.to_bytes(8, "little") + bytes(16))
    return check_payment_mint(MINT, {MINT: account, CLOCK: clock})


@pytest.mark.parametrize(
    "account",
    [
        mint(program=SPL_TOKEN_PROGRAM),
        mint(),
        mint((HOOK, bytes(64))),
        mint((HOOK, b"\1" * 32 + bytes(32)), (CONFIDENTIAL_MINT, bytes(65))),
        mint((FEE, fee(0, 0, 5))),
        mint((FEE, fee(0, 50, EPOCH + 1))),
        mint((FEE, fee(50, 0, EPOCH))),
    ],
)
def test_a_mint_that_plain_transfers_move_whole_is_taken(account: Account) -> None:
    assert check(account) == PaymentMint(MINT, account.owner, 6)


@pytest.mark.parametrize(
    ("account", "said"),
    [
        (mint((FEE, fee(50, 0, EPOCH + 1))), "takes a fee"),
        (mint((FEE, fee(0, 50, EPOCH))), "takes a fee"),
        (mint((HOOK, bytes(32) + b"\1" * 32)), "has a transfer hook"),
        (mint((NOT_TRANSFERABLE, b"")), "cannot be transferred"),
        (mint(authority=security_address(MINT)), "is a security"),
        (mint(program=CLOCK), "no mint"),
        (Account(TOKEN_2022_PROGRAM, 1, bytes(82)), "no mint"),
        (None, "no mint"),
    ],
)
def test_a_mint_that_the_program_refuses_is_refused_in_words(account: Account | None, said: str) -> None:
    with pytest.raises(Refused, match=said):
        check(account)
