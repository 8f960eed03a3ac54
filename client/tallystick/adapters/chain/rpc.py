"""The `Chain` over JSON-RPC: any Solana cluster, through one endpoint or several with failover."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from functools import partial
from types import TracebackType
from typing import Any, Final

import httpx
from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from tallystick.adapters.chain import rpc_shapes
from tallystick.adapters.chain.json_rpc import JsonRpc, RpcLimits
from tallystick.adapters.chain.json_stream import ListingReader
from tallystick.adapters.chain.protocol import (
    Account,
    Blockhash,
    Commitment,
    ConfirmedTransaction,
    MemcmpFilter,
    ProgramAccounts,
    SignatureInfo,
    SignatureStatus,
    Simulation,
)
from tallystick.adapters.chain.token_accounts import TokenAccounts
from tallystick.adapters.clock import Clock
from tallystick.errors import ChainError, InputError, RpcError
from tallystick.program.token import MINT_OFFSET, TOKEN_2022_PROGRAM

# Agave's limits per request: MAX_MULTIPLE_ACCOUNTS, MAX_GET_SIGNATURE_STATUSES_QUERY_ITEMS,
# MAX_GET_CONFIRMED_SIGNATURES_FOR_ADDRESS2_LIMIT.
_ACCOUNTS_AT_ONCE: Final = 100
_STATUSES_AT_ONCE: Final = 256
_HISTORY_AT_ONCE: Final = 1_000
_ONE_SLOT_TRIES: Final = 12
# Kept open between bursts: a push sends 32 transactions at once, and opening a connection takes longer than a request.
_OPEN_CONNECTIONS: Final = 40
# Block not available, slot skipped, skipped in long-term storage, status not yet available: there is no block time.
_NO_BLOCK: Final = frozenset({-32004, -32007, -32009, -32014})
_DEPTH: Final[dict[Commitment, int]] = {"processed": 0, "confirmed": 1, "finalized": 2}


class RpcChain:
    """A cluster behind JSON-RPC endpoints, the preferred first. Use as an async context manager, or call `aclose`.

    Besides the errors of `Chain`, any method raises ClusterMismatch when two endpoints serve different clusters or one
    serves another than `genesis_hash`, and LedgerError when an answer has not the documented shape.
    """

    def __init__(
        self,
        endpoints: Sequence[str],
        clock: Clock,
        *,
        genesis_hash: Hash | None = None,
        limits: RpcLimits | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        limits = limits or RpcLimits()
        # A proxy from the environment never helps to reach this machine itself.
        direct: dict[str, httpx.AsyncBaseTransport | None] = {"all://localhost": None, "all://127.0.0.1": None}
        pool = httpx.Limits(max_connections=100, max_keepalive_connections=_OPEN_CONNECTIONS)
        self._client = httpx.AsyncClient(transport=transport, mounts=None if transport else direct, limits=pool)
        self._clock = clock
        self._limits = limits
        self._rpc = JsonRpc(endpoints, clock, self._client, limits, str(genesis_hash) if genesis_hash else None)

    async def __aenter__(self) -> RpcChain:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    @property
    def endpoint_count(self) -> int:
        return len(self._rpc.endpoints)

    async def get_genesis_hash(self) -> Hash:
        return rpc_shapes.read("getGenesisHash", Hash.from_string, await self._rpc.establish())

    async def get_slot(self, commitment: Commitment = "confirmed") -> int:
        return rpc_shapes.read("getSlot", rpc_shapes.whole, await self._rpc.call("getSlot", [_at(commitment)]))

    async def get_block_height(self, commitment: Commitment = "confirmed") -> int:
        """The block height. At `finalized` every endpoint that is well is asked and the lowest answer is given: this
        height proves that transactions are dead, and one node that runs ahead, or lies, must not be enough."""
        if commitment != "finalized":
            answer = await self._rpc.call("getBlockHeight", [_at(commitment)])
            return rpc_shapes.read("getBlockHeight", rpc_shapes.whole, answer)
        answers = await self._rpc.call_all(
            "getBlockHeight", [_at(commitment)], within=self._limits.short_timeout, skips_resting=True
        )
        heights = [
            rpc_shapes.read("getBlockHeight", rpc_shapes.whole, answer)
            for answer in answers
            if not isinstance(answer, ChainError)
        ]
        if not heights:
            answer = await self._rpc.call("getBlockHeight", [_at(commitment)])
            return rpc_shapes.read("getBlockHeight", rpc_shapes.whole, answer)
        return min(heights)

    async def get_block_time(self, slot: int) -> int | None:
        """Seconds since 1970; None when the slot has no block or its time is not known."""
        try:
            answer = await self._rpc.call("getBlockTime", [slot])
        except RpcError as error:
            if error.code in _NO_BLOCK:
                return None
            raise
        return rpc_shapes.read("getBlockTime", rpc_shapes.block_time, answer)

    async def get_latest_blockhash(self, commitment: Commitment = "confirmed") -> Blockhash:
        answer = await self._rpc.call("getLatestBlockhash", [_at(commitment)])
        return rpc_shapes.read("getLatestBlockhash", rpc_shapes.blockhash, answer)

    async def get_minimum_balance_for_rent_exemption(self, size: int) -> int:
        answer = await self._rpc.call("getMinimumBalanceForRentExemption", [size])
        return rpc_shapes.read("getMinimumBalanceForRentExemption", rpc_shapes.whole, answer)

    async def get_balance(self, address: Pubkey, commitment: Commitment = "confirmed") -> int:
        answer = await self._rpc.call("getBalance", [str(address), _at(commitment)])
        return rpc_shapes.read("getBalance", lambda value: rpc_shapes.whole(value["value"]), answer)

    async def get_account(self, address: Pubkey, commitment: Commitment = "confirmed") -> Account | None:
        answer = await self._rpc.call("getAccountInfo", [str(address), _at(commitment) | {"encoding": "base64"}])
        return rpc_shapes.read("getAccountInfo", lambda value: rpc_shapes.account(value["value"]), answer)

    async def get_accounts(
        self, addresses: Sequence[Pubkey], commitment: Commitment = "confirmed"
    ) -> tuple[int, list[Account | None]]:
        """The slot and the accounts in the order asked. More than 100 are read in chunks, again until all are of one
        slot; ChainError when that does not happen in 12 tries."""
        chunks = [addresses[at : at + _ACCOUNTS_AT_ONCE] for at in range(0, len(addresses), _ACCOUNTS_AT_ONCE)]
        if not chunks:
            return await self.get_slot(commitment), []
        floor: int | None = None
        for turn in range(_ONE_SLOT_TRIES):
            if turn:
                await self._clock.sleep(0.05 * turn)
            parts = await asyncio.gather(*(self._get_accounts_chunk(chunk, commitment, floor) for chunk in chunks))
            slots = {slot for slot, _ in parts}
            if len(slots) == 1:
                return slots.pop(), [each for _, part in parts for each in part]
            floor = max(slots)
        raise ChainError(
            f"{len(addresses)} accounts could not be read at one slot in {_ONE_SLOT_TRIES} tries.",
            hint="The endpoint answers from several nodes or is too slow; use another, or ask for fewer at once.",
        )

    async def _get_accounts_chunk(
        self, chunk: Sequence[Pubkey], commitment: Commitment, floor: int | None
    ) -> tuple[int, list[Account | None]]:
        config = _at(commitment) | {"encoding": "base64"} | ({} if floor is None else {"minContextSlot": floor})
        answer = await self._rpc.call("getMultipleAccounts", [[str(address) for address in chunk], config])
        return rpc_shapes.read("getMultipleAccounts", partial(rpc_shapes.accounts, count=len(chunk)), answer)

    async def get_program_accounts(
        self,
        program: Pubkey,
        filters: Sequence[MemcmpFilter | int] = (),
        *,
        commitment: Commitment = "confirmed",
        min_context_slot: int | None = None,
        data_slice: tuple[int, int] | None = None,
    ) -> ProgramAccounts:
        """All accounts of `program` that pass every filter, at one slot, not before `min_context_slot`.

        `data_slice` is (offset, length) in bytes.
        """
        config = _at(commitment) | {"encoding": "base64", "withContext": True}
        if filters:
            config["filters"] = [_filter(each) for each in filters]
        if min_context_slot is not None:
            config["minContextSlot"] = min_context_slot
        if data_slice is not None:
            config["dataSlice"] = {"offset": data_slice[0], "length": data_slice[1]}
        answer = await self._rpc.call("getProgramAccounts", [str(program), config])
        return rpc_shapes.read("getProgramAccounts", rpc_shapes.program_accounts, answer)

    async def get_token_accounts(
        self, mint: Pubkey, *, commitment: Commitment = "confirmed", min_context_slot: int | None = None
    ) -> TokenAccounts:
        """All Token-2022 accounts of a mint, whatever their size, at one slot; read while the answer arrives."""
        config = _at(commitment) | {
            "encoding": "base64",
            "withContext": True,
            "filters": [_filter(MemcmpFilter(MINT_OFFSET, bytes(mint)))],
        }
        if min_context_slot is not None:
            config["minContextSlot"] = min_context_slot
        method, rows = "getProgramAccounts", bytearray()

        def open_reader() -> ListingReader:
            rows.clear()
            row = partial(rpc_shapes.token_account_row, bytes(mint))
            return ListingReader(lambda element: rows.extend(rpc_shapes.read(method, row, element)))

        reader = await self._rpc.call_listing(method, [str(TOKEN_2022_PROGRAM), config], open_reader)
        return TokenAccounts(rpc_shapes.read(method, rpc_shapes.slot_of, reader.result), bytes(rows))

    async def simulate(self, transaction: bytes, *, watch: Sequence[Pubkey] | None = None) -> Simulation:
        config = _at("confirmed") | {"encoding": "base64", "sigVerify": False, "replaceRecentBlockhash": True}
        if watch is not None:
            config["innerInstructions"] = True
            config["accounts"] = {"encoding": "base64", "addresses": [str(address) for address in watch]}
        answer = await self._rpc.call("simulateTransaction", [_base64(transaction), config])
        return rpc_shapes.read("simulateTransaction", partial(rpc_shapes.simulation, watch=watch), answer)

    async def send(self, transaction: bytes) -> Signature:
        """Broadcast through every endpoint at once; returns when one took it.

        Raises RpcError or EndpointError when none took it, which does not prove that none passed it on.
        """
        try:
            signature = VersionedTransaction.from_bytes(transaction).signatures[0]
        except (ValueError, IndexError) as error:
            raise InputError("These bytes are not a serialised transaction.") from error
        # No preflight: it was simulated. No retries by the node: the caller sends again, and knows when to stop.
        config = {"encoding": "base64", "skipPreflight": True, "maxRetries": 0}
        answers = await self._rpc.call_all(
            "sendTransaction", [_base64(transaction), config], within=self._limits.short_timeout
        )
        refusals = [answer for answer in answers if isinstance(answer, ChainError)]
        if len(refusals) == len(answers):
            raise next((each for each in refusals if isinstance(each, RpcError)), refusals[0])
        return signature

    async def get_signature_statuses(
        self, signatures: Sequence[Signature], *, search_history: bool = False
    ) -> list[SignatureStatus | None]:
        """The statuses in the order asked. With `search_history` every endpoint is asked, and for each signature the
        most settled answer is given: one node without history must not hide what another knows."""
        found: list[SignatureStatus | None] = []
        for at in range(0, len(signatures), _STATUSES_AT_ONCE):
            part = signatures[at : at + _STATUSES_AT_ONCE]
            params = [[str(each) for each in part], {"searchTransactionHistory": search_history}]
            answers: list[Any] = []
            if search_history:
                answers = [
                    answer
                    for answer in await self._rpc.call_all("getSignatureStatuses", params)
                    if not isinstance(answer, ChainError)
                ]
            if not answers:
                answers = [await self._rpc.call("getSignatureStatuses", params)]
            shape = partial(rpc_shapes.statuses, count=len(part))
            columns = [rpc_shapes.read("getSignatureStatuses", shape, answer) for answer in answers]
            found.extend(_most_settled(row) for row in zip(*columns, strict=True))
        return found

    async def is_absent_everywhere(self, signature: Signature) -> bool:
        """True only if every endpoint answered, with history searched, that it does not know the signature, each from
        a bank no older than the newest finalized slot of any of them: a node that lags proves nothing."""
        slots = await self._rpc.call_all("getSlot", [_at("finalized")])
        params = [[str(signature)], {"searchTransactionHistory": True}]
        answers = await self._rpc.call_all("getSignatureStatuses", params)
        if any(isinstance(answer, ChainError) for answer in [*slots, *answers]):
            return False
        finalized = max(rpc_shapes.read("getSlot", rpc_shapes.whole, slot) for slot in slots)
        for answer in answers:
            seen_at = rpc_shapes.read("getSignatureStatuses", rpc_shapes.slot_of, answer)
            known = rpc_shapes.read("getSignatureStatuses", partial(rpc_shapes.statuses, count=1), answer)
            if known[0] is not None or seen_at < finalized:
                return False
        return True

    async def get_transaction(
        self, signature: Signature, commitment: Commitment = "confirmed"
    ) -> ConfirmedTransaction | None:
        if commitment == "processed":
            raise InputError("A transaction can be read at confirmed or finalized, not at processed.")
        # Without the version number one version 1 transaction makes the whole request fail.
        config = _at(commitment) | {"encoding": "json", "maxSupportedTransactionVersion": 1}
        answer = await self._rpc.call("getTransaction", [str(signature), config])
        return rpc_shapes.read("getTransaction", rpc_shapes.transaction, answer)

    async def get_signatures_for_address(
        self,
        address: Pubkey,
        *,
        limit: int = 1000,
        before: Signature | None = None,
        until: Signature | None = None,
        commitment: Commitment = "confirmed",
    ) -> list[SignatureInfo]:
        """Newest first; more than 1,000 are read in pages. `before` and `until` are left out themselves."""
        found: list[SignatureInfo] = []
        while len(found) < limit:
            config = _at(commitment) | {"limit": min(limit - len(found), _HISTORY_AT_ONCE)}
            if (edge := found[-1].signature if found else before) is not None:
                config["before"] = str(edge)
            if until is not None:
                config["until"] = str(until)
            answer = await self._rpc.call("getSignaturesForAddress", [str(address), config])
            page = rpc_shapes.read("getSignaturesForAddress", rpc_shapes.signature_infos, answer)
            found.extend(page)
            if len(page) < _HISTORY_AT_ONCE:
                break
        return found

    async def request_airdrop(self, address: Pubkey, lamports: int) -> Signature:
        answer = await self._rpc.call("requestAirdrop", [str(address), lamports])
        return rpc_shapes.read("requestAirdrop", Signature.from_string, answer)


def _at(commitment: Commitment) -> dict[str, object]:
    return {"commitment": commitment}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _filter(each: MemcmpFilter | int) -> dict[str, object]:
    if isinstance(each, int):
        return {"dataSize": each}
    return {"memcmp": {"offset": each.offset, "bytes": _base64(each.data), "encoding": "base64"}}


def _most_settled(answers: Sequence[SignatureStatus | None]) -> SignatureStatus | None:
    known = [answer for answer in answers if answer is not None]
    return max(known, key=lambda status: _DEPTH[status.commitment], default=None)


__all__ = ["RpcChain", "RpcLimits"]
