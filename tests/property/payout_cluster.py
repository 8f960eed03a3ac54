"""A cluster that drops, delays, repeats, forgets, lies and forks, with the real program in it: what a client sees.

A read at `confirmed` or `finalized` gives the state of that depth, as the endpoint that answers has it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from payout_ledger import BLOCKHASH_LIFE, PayoutLedger, Record, WrongOnChainError
from solders.account import Account as RawAccount
from solders.hash import Hash
from solders.instruction import CompiledInstruction
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata, SimulatedTransactionInfo, TransactionMetadata
from tallystick.adapters.chain.agave_errors import error_as_json
from tallystick.adapters.chain.protocol import (
    Account,
    Blockhash,
    Commitment,
    ConfirmedTransaction,
    InnerInstruction,
    MemcmpFilter,
    ProgramAccounts,
    SignatureInfo,
    SignatureStatus,
    Simulation,
)
from tallystick.adapters.chain.wire import limits_of
from tallystick.errors import EndpointError, RpcError

T = TypeVar("T")

CONFIRMED_AFTER = 2
LAG = 40
"""Blocks by which an endpoint that is behind is behind."""
GOOD, DEAD, FORGETFUL, BEHIND = "good", "dead", "forgetful", "behind"


class Fate(Protocol):
    """What the weather does to one call: `refuses` before anything, `loses` the answer after the effect, gives it
    `late` by so many seconds, or repeats a `stale` one."""

    @property
    def refuses(self) -> bool: ...
    @property
    def loses(self) -> bool: ...
    @property
    def late(self) -> float: ...
    @property
    def stale(self) -> bool: ...


@dataclass
class FaultyPayoutCluster(PayoutLedger):
    """The Chain of one schedule. What is public may be set by a test at any time.

    `endpoints`: how each of them is. `drop_sends`: how many broadcasts to lose next; `send_delay`: seconds until one
    arrives. `weather` is asked before each call, with its name.
    """

    endpoints: tuple[str, ...] = (GOOD, GOOD)
    drop_sends: int = 0
    send_delay: float = 0.0
    weather: Callable[[str], Fate | None] = lambda name: None
    _last_answers: dict[object, Any] = field(default_factory=dict)

    # How an endpoint sees it -----------------------------------------------------------------------------------------

    def _node(self) -> str:
        """The endpoint that answers: the first that does at all."""
        node = next((each for each in self.endpoints if each != DEAD), None)
        if node is None:
            raise EndpointError("No endpoint answered.")
        return node

    def _depth(self, commitment: Commitment, node: str) -> int:
        tip = {
            "processed": self.height,
            "confirmed": max(self.height - CONFIRMED_AFTER, self.finalized),
            "finalized": self.finalized,
        }[commitment]
        return tip - LAG if node == BEHIND else tip

    def _read(self, address: Pubkey, commitment: Commitment, node: str) -> Account | None:
        versions = self._versions.get(address)
        if versions is None:
            found = self.find(address)
        else:
            depth = self._depth(commitment, node)
            found = next(account for height, account in reversed(versions) if height <= depth)
        return _plain(found)

    def _status(self, signature: Signature, node: str) -> SignatureStatus | None:
        record = self._by_signature.get(signature)
        if record is None or node == FORGETFUL or record.height > self._depth("processed", node):
            return None
        commitment: Commitment = "processed"
        for each in ("confirmed", "finalized"):
            if record.height <= self._depth(each, node):  # type: ignore[arg-type]
                commitment = each  # type: ignore[assignment]
        return SignatureStatus(record.height, commitment, record.error)

    async def _ask(self, name: str, about: object, answer: Callable[[], T]) -> T:
        fate = self.weather(name)
        if fate is not None and fate.refuses:
            await asyncio.sleep(0.05)
            raise EndpointError(f"{name} was refused")
        self.arrive()
        if fate is not None and fate.stale and (name, about) in self._last_answers:
            await asyncio.sleep(0.02)
            return self._last_answers[name, about]  # type: ignore[no-any-return]
        found = self._last_answers[name, about] = answer()
        await asyncio.sleep(0.02 + (fate.late if fate is not None else 0.0))
        if fate is not None and fate.loses:
            raise EndpointError(f"{name} timed out")
        return found

    # The Chain -------------------------------------------------------------------------------------------------------

    @property
    def endpoint_count(self) -> int:
        return len(self.endpoints)

    async def get_genesis_hash(self) -> Hash:
        return await self._ask("get_genesis_hash", None, lambda: Hash(hashlib.sha256(b"genesis").digest()))

    async def get_slot(self, commitment: Commitment = "confirmed") -> int:
        return await self._ask("get_slot", commitment, lambda: self._depth(commitment, self._node()))

    async def get_block_height(self, commitment: Commitment = "confirmed") -> int:
        def answer() -> int:
            node = self._node()
            if commitment != "finalized":
                return self._depth(commitment, node)
            return min(self._depth(commitment, each) for each in self.endpoints if each != DEAD)

        return await self._ask("get_block_height", commitment, answer)

    async def get_block_time(self, slot: int) -> int | None:
        return await self._ask("get_block_time", slot, self.clock.now)

    async def get_latest_blockhash(self, commitment: Commitment = "confirmed") -> Blockhash:
        def answer() -> Blockhash:
            born = self._depth(commitment, self._node())
            return Blockhash(self._new_blockhash(born), born + BLOCKHASH_LIFE)

        return await self._ask("get_latest_blockhash", commitment, answer)

    async def get_minimum_balance_for_rent_exemption(self, size: int) -> int:
        return await self._ask("get_minimum_balance_for_rent_exemption", size, lambda: self.rent(size))

    def rent(self, size: int) -> int:
        """Lamports that exempt so many bytes."""
        return self._svm.minimum_balance_for_rent_exemption(size)

    async def get_balance(self, address: Pubkey, commitment: Commitment = "confirmed") -> int:
        found = await self._ask("get_balance", (address, commitment), lambda: self._read_one(address, commitment))
        return found.lamports if found else 0

    async def get_account(self, address: Pubkey, commitment: Commitment = "confirmed") -> Account | None:
        return await self._ask("get_account", (address, commitment), lambda: self._read_one(address, commitment))

    def _read_one(self, address: Pubkey, commitment: Commitment) -> Account | None:
        return self._read(address, commitment, self._node())

    async def get_accounts(
        self, addresses: Sequence[Pubkey], commitment: Commitment = "confirmed"
    ) -> tuple[int, list[Account | None]]:
        def answer() -> tuple[int, list[Account | None]]:
            node = self._node()
            return self._depth(commitment, node), [self._read(each, commitment, node) for each in addresses]

        slot, found = await self._ask("get_accounts", (tuple(addresses), commitment), answer)
        return slot, list(found)

    async def get_program_accounts(
        self,
        program: Pubkey,
        filters: Sequence[MemcmpFilter | int] = (),
        *,
        commitment: Commitment = "confirmed",
        min_context_slot: int | None = None,
        data_slice: tuple[int, int] | None = None,
    ) -> ProgramAccounts:
        raise EndpointError("This cluster lists no accounts.")

    async def simulate(self, transaction: bytes, *, watch: Sequence[Pubkey] | None = None) -> Simulation:
        def answer() -> Simulation:
            self._node()
            return self._simulate(self._decode(transaction), watch)

        return await self._ask("simulate", (transaction, tuple(watch or ())), answer)

    def _simulate(self, decoded: VersionedTransaction, watch: Sequence[Pubkey] | None) -> Simulation:
        loaded = self._loaded_size(decoded.message.account_keys)
        if loaded > limits_of(decoded.message).loaded_data:
            return Simulation("MaxLoadedAccountsDataSizeExceeded", (), 0, loaded)
        self._set_units(decoded.message)
        result = self._svm.simulate_transaction(decoded)
        meta = result.meta()
        error = error_as_json(result) if isinstance(result, FailedTransactionMetadata) else None
        watched: dict[Pubkey, Account | None] = {}
        inner: tuple[InnerInstruction, ...] = ()
        if watch is not None and isinstance(result, SimulatedTransactionInfo):
            changed = dict(result.post_accounts())
            watched = {each: _plain(changed.get(each) or self.find(each)) for each in watch}
            inner = _inner(meta, decoded.message.account_keys)
        return Simulation(error, tuple(meta.logs()), meta.compute_units_consumed(), loaded, watched, inner)

    async def send(self, transaction: bytes) -> Signature:
        def answer() -> Signature:
            self._node()
            if transaction not in self.stored:
                self._violate("signed bytes were broadcast that are not in the store")
            self._ever_sent[transaction] = None
            if self.drop_sends > 0:
                self.drop_sends -= 1
            else:
                self._in_flight.append((self.clock.monotonic() + self.send_delay, len(self._in_flight), transaction))
            return self._decode(transaction).signatures[0]

        return await self._ask("send", transaction, answer)

    async def get_signature_statuses(
        self, signatures: Sequence[Signature], *, search_history: bool = False
    ) -> list[SignatureStatus | None]:
        def answer() -> list[SignatureStatus | None]:
            node = self._node()
            asked = [each for each in self.endpoints if each != DEAD] if search_history else [node]
            return [self._most_settled(each, asked) for each in signatures]

        return list(await self._ask("get_signature_statuses", (tuple(signatures), search_history), answer))

    def _most_settled(self, signature: Signature, nodes: Sequence[str]) -> SignatureStatus | None:
        depth = {"processed": 0, "confirmed": 1, "finalized": 2}
        known = [status for node in nodes if (status := self._status(signature, node)) is not None]
        return max(known, key=lambda status: depth[status.commitment], default=None)

    async def is_absent_everywhere(self, signature: Signature) -> bool:
        def answer() -> bool:
            if DEAD in self.endpoints or (BEHIND in self.endpoints and len(set(self.endpoints)) > 1):
                return False
            return all(self._status(signature, node) is None for node in self.endpoints)

        fate_name = "is_absent_everywhere"
        # Never a stale answer: the Protocol promises a bank no older than the newest finalized slot.
        self._last_answers.pop((fate_name, signature), None)
        return await self._ask(fate_name, signature, answer)

    async def get_transaction(
        self, signature: Signature, commitment: Commitment = "confirmed"
    ) -> ConfirmedTransaction | None:
        def answer() -> ConfirmedTransaction | None:
            node = self._node()
            record = self._by_signature.get(signature)
            if record is None or node == FORGETFUL or record.height > self._depth(commitment, node):
                return None
            meta = record.meta
            return ConfirmedTransaction(
                signature,
                record.height,
                None,
                record.error,
                record.fee,
                meta.compute_units_consumed() if meta else 0,
                tuple(meta.logs()) if meta else (),
                record.keys,
                _inner(meta, record.keys) if meta and record.error is None else (),
            )

        return await self._ask("get_transaction", (signature, commitment), answer)

    async def get_signatures_for_address(
        self,
        address: Pubkey,
        *,
        limit: int = 1000,
        before: Signature | None = None,
        until: Signature | None = None,
        commitment: Commitment = "confirmed",
    ) -> list[SignatureInfo]:
        def answer() -> list[SignatureInfo]:
            depth = self._depth(commitment, self._node())
            return [
                SignatureInfo(each.signature, each.height, each.error, None)
                for each in reversed(self.landed)
                if each.signature is not None and address in each.keys and each.height <= depth
            ][:limit]

        return await self._ask("get_signatures_for_address", (address, commitment), answer)

    async def request_airdrop(self, address: Pubkey, lamports: int) -> Signature:
        raise RpcError(-32601, "no faucet here", None)


def _plain(account: RawAccount | None) -> Account | None:
    if account is None or not account.lamports:
        return None
    return Account(account.owner, account.lamports, bytes(account.data), account.executable)


def _inner(meta: TransactionMetadata, keys: Sequence[Pubkey]) -> tuple[InnerInstruction, ...]:
    found = []
    for parent, group in enumerate(meta.inner_instructions()):
        for each in group:
            call: CompiledInstruction = each.instruction()
            accounts = tuple(keys[index] for index in bytes(call.accounts))
            found.append(InnerInstruction(parent, keys[call.program_id_index], accounts, bytes(call.data)))
    return tuple(found)


__all__ = ["BEHIND", "DEAD", "FORGETFUL", "GOOD", "Fate", "FaultyPayoutCluster", "Record", "WrongOnChainError"]
