"""The accounts of one security on a MemoryChain, read and rewritten past every rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from solders.pubkey import Pubkey
from tallystick.adapters.chain.ledger import Ledger
from tallystick.adapters.chain.protocol import Account
from tallystick.program import token
from tallystick.program.generated.constants import PROGRAM_ID
from tallystick.program.layout import AccountLayout

Layout = TypeVar("Layout", bound=AccountLayout)

RENT = 10**9


def token_account(mint: Pubkey, owner: Pubkey, raw: int, *, frozen: bool = False, extended: bool = False) -> bytes:
    """The bytes of a token account; an extended one has an immutable owner."""
    plain = (
        bytes(mint)
        + bytes(owner)
        + raw.to_bytes(8, "little")
        + bytes(36)
        + bytes([2 if frozen else 1])
        + bytes(12)
        + bytes(8)
        + bytes(36)
    )
    return plain + (b"\2" + (7).to_bytes(2, "little") + bytes(2) if extended else b"")


class AccountsOnChain:
    """A ledger, one security and its mint. `written` are the addresses that no program made."""

    ledger: Ledger
    security: Pubkey
    mint: Pubkey
    extended: frozenset[Pubkey] = frozenset()
    """Wallets whose token accounts have extensions."""

    def __init__(self) -> None:
        self.written: set[Pubkey] = set()
        self.balances: dict[Pubkey, int] = {}

    @property
    def escrow(self) -> Pubkey:
        return token.associated_token_address(self.security, self.mint)

    def read(self, kind: type[Layout], address: Pubkey) -> Layout:
        return kind.decode(self.account(address).data)

    def write(self, address: Pubkey, content: AccountLayout) -> None:
        self.written.add(address)
        self.ledger.set_account(address, Account(PROGRAM_ID, RENT, content.encode()))

    def change(self, kind: type[Layout], address: Pubkey, how: Callable[[Layout], Layout]) -> None:
        """Rewrite one account of the program."""
        self.write(address, how(self.read(kind, address)))

    def remove(self, address: Pubkey) -> None:
        self.ledger.set_account(address, Account(Pubkey.default(), 0, b""))

    def patch(self, address: Pubkey, offset: int, data: bytes) -> None:
        """Overwrite bytes of an account."""
        account = self.account(address)
        patched = account.data[:offset] + data + account.data[offset + len(data) :]
        self.ledger.set_account(address, replace(account, data=patched))

    def extension(self, kind: int) -> int:
        """Where the value of a mint's extension starts."""
        data, offset = self.account(self.mint).data, 166
        while int.from_bytes(data[offset : offset + 2], "little") != kind:
            offset += 4 + int.from_bytes(data[offset + 2 : offset + 4], "little")
        return offset + 4

    @property
    def supply(self) -> int:
        return token.decode_mint(self.account(self.mint).data).supply

    def set_supply(self, raw: int) -> None:
        self.patch(self.mint, 36, raw.to_bytes(8, "little"))

    def set_paused(self, paused: bool) -> None:
        self.patch(self.mint, self.extension(26) + 32, bytes([paused]))

    @property
    def escrowed(self) -> int:
        return token.decode_token_account(self.account(self.escrow).data).amount

    def set_escrow(self, raw: int) -> None:
        self.patch(self.escrow, 64, raw.to_bytes(8, "little"))

    def account_of(self, owner: Pubkey) -> Pubkey:
        return token.associated_token_address(owner, self.mint)

    def set_balance(self, owner: Pubkey, raw: int, **kind: bool) -> None:
        """Write a wallet's token account; it has extensions when the wallet is one of `extended`."""
        extended = kind.pop("extended", owner in self.extended)
        address = self.account_of(owner)
        self.written.add(address)
        self.balances[owner] = raw
        data = token_account(self.mint, owner, raw, extended=extended, **kind)
        self.ledger.set_account(address, Account(token.TOKEN_2022_PROGRAM, RENT, data))

    def give(self, owner: Pubkey, raw: int) -> None:
        """Add to a wallet's balance, or take from it."""
        self.set_balance(owner, self.balances.get(owner, 0) + raw)

    def account(self, address: Pubkey) -> Account:
        account = self.ledger.account(address)
        assert account is not None, f"nothing at {address}"
        return account
