"""Money on a localnet: a mint of SPL Token and what people have of it, made by transactions as anybody makes them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account
from tallystick.adapters.chain.outbox import MemoryOutbox
from tallystick.adapters.chain.rpc import RpcChain
from tallystick.adapters.chain.sender import Sender
from tallystick.adapters.chain.signers import KeypairSigner
from tallystick.adapters.clock import SystemClock
from tallystick.program.token import (
    SPL_TOKEN_PROGRAM,
    associated_token_address,
    create_associated_token_account_idempotent,
    decode_token_account,
)

DECIMALS = 6
MINT_SIZE, RENT = 82, 10**7
INITIALIZE_MINT, MINT_TO = 20, 7


class Money:
    """A mint whose authority is the key in `payer`; amounts in base units."""

    def __init__(self, url: str, payer: Path) -> None:
        self.url = url
        self.payer = KeypairSigner.from_file(payer)
        self.mint = Keypair.from_seed(b"dollars".ljust(32, b"."))

    @property
    def address(self) -> Pubkey:
        """The mint."""
        return self.mint.pubkey()

    def make(self) -> None:
        """The mint, with no tokens."""
        authority = self.payer.pubkey
        params = CreateAccountParams(
            from_pubkey=authority, to_pubkey=self.address, lamports=RENT, space=MINT_SIZE, owner=SPL_TOKEN_PROGRAM
        )
        initialize = Instruction(
            SPL_TOKEN_PROGRAM,
            bytes([INITIALIZE_MINT, DECIMALS]) + bytes(authority) + b"\0",
            [AccountMeta(self.address, is_signer=False, is_writable=True)],
        )
        self._send("mint", [create_account(params), initialize], KeypairSigner(self.mint))

    def open_account(self, wallet: Pubkey, amount: int = 0) -> None:
        """A wallet's associated account, with an amount."""
        account = associated_token_address(wallet, self.address, SPL_TOKEN_PROGRAM)
        steps = [
            create_associated_token_account_idempotent(
                payer=self.payer.pubkey, wallet=wallet, mint=self.address, token_program=SPL_TOKEN_PROGRAM
            )
        ]
        if amount:
            metas = [
                AccountMeta(self.address, is_signer=False, is_writable=True),
                AccountMeta(account, is_signer=False, is_writable=True),
                AccountMeta(self.payer.pubkey, is_signer=True, is_writable=False),
            ]
            steps.append(Instruction(SPL_TOKEN_PROGRAM, bytes([MINT_TO]) + amount.to_bytes(8, "little"), metas))
        self._send(f"account:{wallet}", steps)

    def of(self, wallet: Pubkey) -> int | None:
        """What a wallet has; None without an account."""
        return asyncio.run(self._of(wallet))

    async def _of(self, wallet: Pubkey) -> int | None:
        chain = RpcChain((self.url,), SystemClock())
        try:
            found = await chain.get_account(associated_token_address(wallet, self.address, SPL_TOKEN_PROGRAM))
        finally:
            await chain.aclose()
        return None if found is None else decode_token_account(found.data).amount

    def _send(self, intent: str, instructions: Sequence[Instruction], *signers: KeypairSigner) -> None:
        asyncio.run(self._sent(intent, instructions, signers))

    async def _sent(self, intent: str, instructions: Sequence[Instruction], signers: Sequence[KeypairSigner]) -> None:
        chain = RpcChain((self.url,), SystemClock())
        try:
            sender = Sender(chain, MemoryOutbox(), SystemClock())
            result = await sender.send(
                tuple(instructions), [self.payer, *signers], intent=intent, payer=self.payer.pubkey
            )
            result.require_done()
        finally:
            await chain.aclose()
