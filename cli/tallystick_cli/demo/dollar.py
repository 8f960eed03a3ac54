"""The demo dollar: a token of SPL Token that stands in for a stablecoin, with an issuer that may freeze it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account
from tallystick.program.token import (
    MINT_SIZE,
    SPL_TOKEN_PROGRAM,
    associated_token_address,
    create_associated_token_account_idempotent,
)

from tallystick_cli.context import KeypairSigner, Tally
from tallystick_cli.demo.crowd import Parcel, parts, send_all

DECIMALS: Final = 6
ACCOUNTS_AT_ONCE: Final = 10
"""Opened by one transaction, which may have 64 instructions with those that they call."""
# Instructions of SPL Token, and the authority over an account that SetAuthority may hand on.
_SET_AUTHORITY: Final = 6
_MINT_TO: Final = 7
_CLOSE_ACCOUNT: Final = 9
_FREEZE_ACCOUNT: Final = 10
_THAW_ACCOUNT: Final = 11
_INITIALIZE_MINT: Final = 20
_ACCOUNT_OWNER: Final = b"\x02"
_SOME: Final = b"\x01"


def _key(name: str) -> KeypairSigner:
    return KeypairSigner(Keypair.from_seed(hashlib.sha256(name.encode()).digest()))


@dataclass(frozen=True, slots=True)
class DemoDollar:
    """Its mint, and its issuer, who mints and freezes. The profile's payer pays for everything."""

    tally: Tally
    mint: KeypairSigner
    issuer: KeypairSigner

    @staticmethod
    def of(tally: Tally) -> DemoDollar:
        """The same keys each time."""
        return DemoDollar(tally, _key("demo dollar"), _key("issuer of the demo dollar"))

    @property
    def address(self) -> Pubkey:
        """The mint's."""
        return self.mint.pubkey

    def account(self, wallet: Pubkey) -> Pubkey:
        """Where a wallet has its dollars."""
        return associated_token_address(wallet, self.address, SPL_TOKEN_PROGRAM)

    async def make(self, wallet: Pubkey, amount: int) -> None:
        """The mint, and all the dollars there are, `amount` base units, in a wallet's account."""
        payer = self.tally.signer("payer").pubkey
        rent = await self.tally.open_chain().get_minimum_balance_for_rent_exemption(MINT_SIZE)
        authority = bytes(self.issuer.pubkey)
        steps = [
            create_account(
                CreateAccountParams(
                    from_pubkey=payer,
                    to_pubkey=self.address,
                    lamports=rent,
                    space=MINT_SIZE,
                    owner=SPL_TOKEN_PROGRAM,
                )
            ),
            self._call(bytes([_INITIALIZE_MINT, DECIMALS]) + authority + _SOME + authority, self.address),
            self._opening(wallet),
            self._call(
                bytes([_MINT_TO]) + amount.to_bytes(8, "little"),
                self.address,
                self.account(wallet),
                signer=self.issuer.pubkey,
            ),
        ]
        await self._send(("mint", steps, [self.mint, self.issuer]))

    async def open_accounts(self, wallets: Sequence[Pubkey]) -> None:
        """An account for each wallet."""
        await self._send(
            *(
                (f"open:{number}", [self._opening(each) for each in part], [])
                for number, part in enumerate(parts(wallets, ACCOUNTS_AT_ONCE))
            )
        )

    async def close(self, owners: Sequence[KeypairSigner]) -> None:
        """Each owner closes its account, and its rent goes to the payer."""
        payer = self.tally.signer("payer").pubkey
        steps = [
            self._call(bytes([_CLOSE_ACCOUNT]), self.account(each.pubkey), payer, signer=each.pubkey) for each in owners
        ]
        await self._send(("close", steps, owners))

    async def give_away(self, owner: KeypairSigner, to: Pubkey) -> None:
        """An owner makes somebody else the owner of its account, whose address stays."""
        data = bytes([_SET_AUTHORITY]) + _ACCOUNT_OWNER + _SOME + bytes(to)
        await self._send(("give", [self._call(data, self.account(owner.pubkey), signer=owner.pubkey)], [owner]))

    async def freeze(self, wallet: Pubkey) -> None:
        """The issuer freezes a wallet's account."""
        await self._send(("freeze", [self._by_issuer(_FREEZE_ACCOUNT, wallet)], [self.issuer]))

    async def thaw(self, wallet: Pubkey) -> None:
        """The issuer lets it take part again."""
        await self._send(("thaw", [self._by_issuer(_THAW_ACCOUNT, wallet)], [self.issuer]))

    def _opening(self, wallet: Pubkey) -> Instruction:
        payer = self.tally.signer("payer").pubkey
        return create_associated_token_account_idempotent(
            payer=payer, wallet=wallet, mint=self.address, token_program=SPL_TOKEN_PROGRAM
        )

    def _by_issuer(self, code: int, wallet: Pubkey) -> Instruction:
        return self._call(bytes([code]), self.account(wallet), self.address, signer=self.issuer.pubkey)

    def _call(self, data: bytes, *writable: Pubkey, signer: Pubkey | None = None) -> Instruction:
        metas = [AccountMeta(each, is_signer=False, is_writable=True) for each in writable]
        if signer is not None:
            metas.append(AccountMeta(signer, is_signer=True, is_writable=False))
        return Instruction(SPL_TOKEN_PROGRAM, data, metas)

    async def _send(self, *parcels: Parcel) -> None:
        await send_all(self.tally, [(f"dollar:{name}", steps, signers) for name, steps, signers in parcels])
