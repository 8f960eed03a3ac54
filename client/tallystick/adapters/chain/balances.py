"""What the accounts of a transaction hold: lamports, and tokens of both token programs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Account
from tallystick.adapters.chain.records import Balances, TokenBalance

TOKEN_PROGRAM = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
TOKEN_2022_PROGRAM = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
_MINT_SIZE = 82
_ACCOUNT_SIZE = 165


def balances_of(keys: Sequence[Pubkey], read: Callable[[Pubkey], Account | None]) -> Balances:
    """Lamports of each account, 0 where there is none, and the initialised token accounts among them."""
    lamports: list[int] = []
    tokens: list[TokenBalance] = []
    for index, key in enumerate(keys):
        account = read(key)
        lamports.append(account.lamports if account else 0)
        if account is None or account.owner not in (TOKEN_PROGRAM, TOKEN_2022_PROGRAM):
            continue
        data = account.data
        if len(data) < _ACCOUNT_SIZE or data[108] == 0 or (len(data) > _ACCOUNT_SIZE and data[_ACCOUNT_SIZE] != 2):
            continue
        mint = Pubkey.from_bytes(data[:32])
        described = read(mint)
        if described is not None and len(described.data) >= _MINT_SIZE:
            amount = int.from_bytes(data[64:72], "little")
            owner = Pubkey.from_bytes(data[32:64])
            tokens.append(TokenBalance(index, mint, owner, account.owner, amount, described.data[44]))
    return Balances(tuple(lamports), tuple(tokens))
