"""A live cluster as an issuer's software meets it: RpcChain over HTTP, the Sender with its outbox, the cluster's time.

What a test does goes through the same path as what an operator does. `refuse` shows a refusal twice: the simulation
names the error before anything is stored, and the same instructions, broadcast past it, land as a failure and move
nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import pytest
from clusters import LOCALNET, Cluster
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature
from tallystick.adapters.chain.failures import transaction_error
from tallystick.adapters.chain.outbox import MemoryOutbox, Outbox
from tallystick.adapters.chain.protocol import Account, ConfirmedTransaction
from tallystick.adapters.chain.rpc import RpcChain
from tallystick.adapters.chain.send_result import SendResult
from tallystick.adapters.chain.sender import Sender, SendSettings
from tallystick.adapters.chain.signers import KeypairSigner
from tallystick.adapters.chain.transactions import Version, build_transaction, sign_transaction
from tallystick.adapters.clock import SystemClock
from tallystick.errors import TransactionError
from tallystick.program.errors import program_error
from tallystick.program.event_decoding import decode_events
from tallystick.program.generated.constants import PROGRAM_ID
from tallystick.program.layout import AccountLayout, EventLayout
from tallystick.program.token import Mint, TokenAccount, decode_mint, decode_token_account

Layout = TypeVar("Layout", bound=AccountLayout)
Refusal = TypeVar("Refusal", bound=TransactionError)

SLOT_HASHES = Pubkey.from_string("SysvarS1otHashes111111111111111111111111111")
"""The cluster's record of its last slots and their hashes, which moves with time."""
CLOCK = Pubkey.from_string("SysvarC1ock11111111111111111111111111111111")
PROGRAM_ERRORS = {PROGRAM_ID: program_error}
SETTINGS = SendSettings(poll_every=0.1, broadcast_every=2.0, patience=60.0)
UNITS, LOADED_DATA = 400_000, 8 * 1024 * 1024
WITHIN_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Landed:
    """A transaction that executed, and the events that our program emitted in it, in order."""

    result: SendResult
    transaction: ConfirmedTransaction
    events: tuple[EventLayout, ...]


class Live:
    """One cluster, and one payer whose fees and rent it all is."""

    def __init__(self, cluster: Cluster, chain: RpcChain, payer: Keypair, outbox: Outbox | None = None) -> None:
        self.cluster = cluster
        self.chain = chain
        self.payer = payer
        self.clock = SystemClock()
        self.outbox = outbox or MemoryOutbox()
        self.sender = self.sender_over(self.outbox)

    def sender_over(self, outbox: Outbox, settings: SendSettings = SETTINGS) -> Sender:
        """Another process's sender, as it would find `outbox` after a restart."""
        return Sender(self.chain, outbox, self.clock, program_errors=PROGRAM_ERRORS, settings=settings)

    def signers(self, *keys: Keypair) -> list[KeypairSigner]:
        """The payer, then each key once."""
        return [KeypairSigner(key) for key in dict.fromkeys((self.payer, *keys))]

    async def send(
        self, instructions: Instruction | Sequence[Instruction], *keys: Keypair, intent: str = "", version: Version = 0
    ) -> SendResult:
        """Send as one transaction, confirmed when it returns. Raises the TransactionError of a refusal."""
        listed = [instructions] if isinstance(instructions, Instruction) else list(instructions)
        intent = intent or f"test:{secrets.token_hex(8)}"
        result = await self.sender.send(listed, self.signers(*keys), intent=intent, version=version)
        return result.require_done()

    async def land(
        self, instructions: Instruction | Sequence[Instruction], *keys: Keypair, version: Version = 0
    ) -> Landed:
        """Send, and read what landed with its events."""
        result = await self.send(instructions, *keys, version=version)
        assert result.signature is not None
        transaction = await self.transaction(result.signature)
        assert transaction.error is None
        return Landed(result, transaction, events_of(transaction))

    async def transaction(self, signature: Signature) -> ConfirmedTransaction:
        """A confirmed transaction; a node may know its status a moment before it can show it."""
        deadline = self.clock.monotonic() + WITHIN_SECONDS
        while (found := await self.chain.get_transaction(signature)) is None:
            assert self.clock.monotonic() < deadline, f"{signature} is confirmed and cannot be read"
            await self.clock.sleep(0.1)
        return found

    async def refuse(self, error: type[Refusal], instruction: Instruction, *keys: Keypair) -> Refusal:
        """Expect exactly this error, from the simulation and from the chain, and that no account moved."""
        named = list(dict.fromkeys(each.pubkey for each in instruction.accounts))
        named = [each for each in named if each not in (self.payer.pubkey(), SLOT_HASHES)]
        _, before = await self.chain.get_accounts(named)
        intent = f"refused:{secrets.token_hex(8)}"
        with pytest.raises(TransactionError) as simulated:
            await self.sender.send([instruction], self.signers(*keys), intent=intent)
        assert type(simulated.value) is error, f"{error.__name__} expected: {simulated.value}\n{simulated.value.logs}"
        assert await self.outbox.get_by_intent(intent) == ()
        executed = await self.fail(instruction, *keys)
        assert type(executed) is error
        _, after = await self.chain.get_accounts(named)
        assert after == before, f"{error.__name__}, but these moved: {moved(named, before, after)}"
        return simulated.value

    async def refuse_by_token_program(self, instruction: Instruction, *keys: Keypair) -> TransactionError:
        """As `refuse`, where it is Token-2022 that says no."""
        refusal = await self.refuse(TransactionError, instruction, *keys)
        assert refusal.message.startswith("Token-2022 refused")
        return refusal

    async def fail(self, instruction: Instruction, *keys: Keypair) -> TransactionError:
        """Broadcast without asking first, and the error that it landed with."""
        latest = await self.chain.get_latest_blockhash()
        built = build_transaction(
            [instruction],
            self.payer.pubkey(),
            latest.blockhash,
            compute_unit_limit=UNITS,
            loaded_accounts_data_size_limit=LOADED_DATA,
        )
        signed = await sign_transaction(built, self.signers(*keys))
        signature = await self.chain.send(bytes(signed))
        deadline = self.clock.monotonic() + WITHIN_SECONDS
        while True:
            [status] = await self.chain.get_signature_statuses([signature])
            if status is not None and status.commitment in ("confirmed", "finalized"):
                break
            assert self.clock.monotonic() < deadline, f"{signature} did not land"
            await self.clock.sleep(0.1)
        assert status.error is not None, "it was to be refused, and executed"
        landed = await self.transaction(signature)
        assert events_of(landed) == ()
        return transaction_error(
            status.error, landed.logs, str(signature), message=signed.message, program_errors=PROGRAM_ERRORS
        )

    # Reading ---------------------------------------------------------------------------------------------------------

    async def read(self, kind: type[Layout], address: Pubkey) -> Layout:
        """The program's account there."""
        account = await self._account(address)
        assert account.owner == PROGRAM_ID
        return kind.decode(account.data)

    async def mint(self, address: Pubkey) -> Mint:
        """A mint."""
        return decode_mint((await self._account(address)).data)

    async def token(self, address: Pubkey) -> TokenAccount:
        """A token account."""
        return decode_token_account((await self._account(address)).data)

    async def raw(self, address: Pubkey) -> int:
        """Raw units in a token account."""
        return (await self.token(address)).amount

    async def _account(self, address: Pubkey) -> Account:
        account = await self.chain.get_account(address)
        assert account is not None, f"there is no account at {address}"
        return account

    # Time ------------------------------------------------------------------------------------------------------------

    async def now(self) -> int:
        """Unix seconds by the cluster's clock: the last 8 of the Clock sysvar's 40 bytes."""
        return int.from_bytes((await self._account(CLOCK)).data[32:40], "little", signed=True)

    async def until(self, moment: int) -> None:
        """Return when the cluster's clock has reached `moment`: a localnet's is moved, a validator's is waited for."""
        missing = moment - await self.now()
        if missing > 0 and self.cluster.name == LOCALNET:
            await warp(self.cluster, missing)
        while await self.now() < moment:
            await self.clock.sleep(0.1)


async def warp(cluster: Cluster, seconds: int) -> None:
    """Move a localnet's clock and slots ahead."""
    request = {"jsonrpc": "2.0", "id": 1, "method": "tally_warp", "params": [{"seconds": seconds}]}
    async with httpx.AsyncClient(trust_env=False, timeout=WITHIN_SECONDS) as client:
        answer: dict[str, Any] = (await client.post(cluster.url, json=request)).json()
    assert "result" in answer, answer


def events_of(transaction: ConfirmedTransaction) -> tuple[EventLayout, ...]:
    """The program's events among the inner instructions; none when the transaction failed."""
    if transaction.error is not None:
        return ()
    return tuple(decode_events((each.program, each.accounts, each.data) for each in transaction.inner))


def moved(named: Sequence[Pubkey], before: Sequence[Account | None], after: Sequence[Account | None]) -> list[str]:
    """Addresses whose accounts differ."""
    return [str(key) for key, old, new in zip(named, before, after, strict=True) if old != new]
