"""The token that a dividend is paid in: what the program asks of its mint, asked beforehand and refused in words.

Source: programs/tallystick/src/payment.rs (require_plain_mint, require_no_security).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Account, Chain
from tallystick.errors import LedgerError, Refused
from tallystick.program.addresses import security_address
from tallystick.program.borsh import Reader
from tallystick.program.token import (
    ACCOUNT_SIZE,
    SPL_TOKEN_PROGRAM,
    TOKEN_2022_PROGRAM,
    decode_mint,
)
from tallystick.program.token_extensions import read_entries
from tallystick.services.chain_reads import CLOCK

_FEE, _NOT_TRANSFERABLE, _HOOK = 1, 9, 14
_OLDER_BASIS_POINTS, _NEWER_EPOCH, _NEWER_BASIS_POINTS = 72 + 16, 90, 90 + 16
_HOOK_PROGRAM: Final = 32
_EPOCH: Final = 16
"""Where the clock says the epoch."""
_OTHER: Final = "Declare another mint for this currency under [[dividends.payment]] of the profile."


@dataclass(frozen=True, slots=True)
class PaymentMint:
    """A mint that plain transfers move whole, by the token program that owns it."""

    address: Pubkey
    token_program: Pubkey
    decimals: int


async def read_payment_mint(chain: Chain, mint: Pubkey) -> PaymentMint:
    """The mint at an address. Refused where the program would refuse to pay with it."""
    _, accounts = await chain.get_accounts([mint, CLOCK])
    return check_payment_mint(mint, dict(zip((mint, CLOCK), accounts, strict=True)))


def check_payment_mint(mint: Pubkey, accounts: Mapping[Pubkey, Account | None]) -> PaymentMint:
    """The same of accounts that were read, the clock among them."""
    account, clock = accounts[mint], accounts[CLOCK]
    if account is None or account.owner not in (SPL_TOKEN_PROGRAM, TOKEN_2022_PROGRAM):
        raise Refused(f"{mint} is no mint of SPL Token or Token-2022 on this cluster.", hint=_OTHER)
    try:
        found = decode_mint(account.data)
    except LedgerError as error:
        raise Refused(f"{mint} is no mint: {error.message}.", hint=_OTHER) from error
    if found.mint_authority == security_address(mint):
        raise Refused(
            f"{mint} is a security of this program, and shares are not paid as cash.",
            hint="A dividend in shares is announced as a corporate action that changes the multiplier.",
        )
    if account.owner == TOKEN_2022_PROGRAM and len(account.data) > ACCOUNT_SIZE + 1:
        epoch = int.from_bytes(clock.data[_EPOCH : _EPOCH + 8], "little") if clock is not None else 0
        for kind, reader in read_entries(Reader(account.data[ACCOUNT_SIZE + 1 :], "payment mint")):
            trouble = _trouble(kind, reader.fixed(reader.remaining), epoch)
            if trouble:
                raise Refused(
                    f"The payment token {mint} {trouble}, so plain transfers do not move it whole.", hint=_OTHER
                )
    return PaymentMint(mint, account.owner, found.decimals)


def _trouble(kind: int, value: bytes, epoch: int) -> str:
    """Why an extension keeps a mint from being paid with; empty when it does not."""
    if kind == _NOT_TRANSFERABLE:
        return "cannot be transferred"
    if kind == _HOOK and any(value[_HOOK_PROGRAM : _HOOK_PROGRAM + 32]):
        return "has a transfer hook"
    if kind == _FEE:
        is_newer = epoch >= int.from_bytes(value[_NEWER_EPOCH : _NEWER_EPOCH + 8], "little")
        at = _NEWER_BASIS_POINTS if is_newer else _OLDER_BASIS_POINTS
        if any(value[at : at + 2]):
            return "takes a fee for each transfer"
    return ""


__all__ = ["PaymentMint", "check_payment_mint", "read_payment_mint"]
