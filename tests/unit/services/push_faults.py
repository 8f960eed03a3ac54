"""Stands before a chain, an outbox or a store, and does something at a call of them: dies, drops, lies, waits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, cast

from solders.pubkey import Pubkey
from solders.signature import Signature
from tallystick.adapters.chain.memory import MemoryChain
from tallystick.adapters.chain.protocol import Account, Commitment, SignatureStatus, Simulation
from tallystick.adapters.clock import Clock
from tallystick.program.token import ASSOCIATED_TOKEN_PROGRAM

WRITES = frozenset(
    {"send", "put_signed_all", "mark_sent_all", "mark_outcomes", "reserve_rent"}
)  # fmt: skip


class Crash(BaseException):
    """The process dies here."""


class CrashAt:
    """Dies at the n-th write: before it when `is_before`, else as soon as it is done. Nothing works after that."""

    def __init__(self, number: int, *, is_before: bool) -> None:
        self.left = number
        self.is_before = is_before
        self.is_dead = False

    def watch(self, inner: Any) -> Any:
        """`inner` until death."""
        return Watched(inner, self._call)

    async def _call(self, name: str, call: Callable[[], Awaitable[Any]]) -> Any:
        if self.is_dead:
            raise Crash(name)
        if name in WRITES:
            self.left -= 1
        if self.left == 0 and name in WRITES:
            if not self.is_before:
                await call()
            self.is_dead = True
            raise Crash(name)
        return await call()


class Watched:
    """`inner`, each of whose calls goes through `on_call` with its name and a way to make it."""

    def __init__(self, inner: Any, on_call: Callable[[str, Callable[[], Awaitable[Any]]], Awaitable[Any]]) -> None:
        self._inner = inner
        self._on_call = on_call

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found):
            return found

        async def through(*arguments: Any, **options: Any) -> Any:
            return await self._on_call(name, lambda: found(*arguments, **options))

        return through


def dropping(inner: Any, count: int) -> Any:
    """Loses the first broadcasts."""
    left = [count]

    async def on_call(name: str, call: Callable[[], Awaitable[Any]]) -> Any:
        if name == "send" and left[0] > 0:
            left[0] -= 1
            return None
        return await call()

    return Watched(inner, on_call)


class LosingOpenings:
    """Loses the first broadcasts of transactions that open accounts. So many endpoints, which agree."""

    def __init__(self, inner: Any, count: int, endpoints: int) -> None:
        self._inner = inner
        self._left = count
        self.endpoint_count = endpoints

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def send(self, transaction: bytes) -> Any:
        if bytes(ASSOCIATED_TOKEN_PROGRAM) in transaction and self._left > 0:
            self._left -= 1
            return None
        return await self._inner.send(transaction)


def forgetful(inner: Any) -> Any:
    """Knows no signature, and says so."""

    async def on_call(name: str, call: Callable[[], Awaitable[Any]]) -> Any:
        answer = await call()
        if name == "get_signature_statuses":
            return [None for _ in cast("list[SignatureStatus | None]", answer)]
        return True if name == "is_absent_everywhere" else answer

    return Watched(inner, on_call)


def stingy(inner: Any, *lies: int) -> Any:
    """Says of these simulations, counted from 1, that they took next to nothing."""
    made = [0]

    async def on_call(name: str, call: Callable[[], Awaitable[Any]]) -> Any:
        answer = await call()
        made[0] += name == "simulate"
        if name == "simulate" and made[0] in lies:
            return Simulation(answer.error, answer.logs, 1_000, answer.loaded_data, answer.accounts)
        return answer

    return Watched(inner, on_call)


def before(inner: Any, wanted: str, number: int, happens: Callable[[], None]) -> Any:
    """Something happens just before the n-th call of a name."""
    left = [number]

    async def on_call(name: str, call: Callable[[], Awaitable[Any]]) -> Any:
        if name == wanted:
            left[0] -= 1
            if left[0] == 0:
                happens()
        return await call()

    return Watched(inner, on_call)


class LaggingChain:
    """Finality as on a public cluster: 12.8 s behind, as are accounts read at finalized, while blocks are confirmed
    after one second. Only accounts of `addresses` are kept for reading back."""

    SECONDS, CONFIRMED_AFTER = 12.8, 1.0

    def __init__(self, inner: MemoryChain, clock: Clock, addresses: Sequence[Pubkey]) -> None:
        self._inner = inner
        self._clock = clock
        self._addresses = addresses
        self._sent: dict[Signature, float] = {}
        self._past: list[tuple[float, int, dict[Pubkey, Account | None]]] = []
        self.remember()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def remember(self) -> None:
        """Take in what was written past the transactions."""
        found = {address: self._inner.ledger.account(address) for address in self._addresses}
        self._past.append((self._clock.monotonic(), self._inner.ledger.slot, found))

    def _finalized(self) -> tuple[int, dict[Pubkey, Account | None]]:
        horizon = self._clock.monotonic() - self.SECONDS
        at, slot, found = [each for each in self._past if each[0] <= horizon or each is self._past[0]][-1]
        return slot + int(max(horizon - at, 0) * 2.5), found

    async def send(self, transaction: bytes) -> Signature:
        signature = await self._inner.send(transaction)
        if self._inner.ledger.landed(signature) is not None and signature not in self._sent:
            self._sent[signature] = self._clock.monotonic()
            self.remember()
        return signature

    async def get_signature_statuses(
        self, signatures: Sequence[Signature], *, search_history: bool = False
    ) -> list[SignatureStatus | None]:
        found = await self._inner.get_signature_statuses(signatures)
        return [
            each and replace(each, commitment=self._depth(key)) for key, each in zip(signatures, found, strict=True)
        ]

    def _depth(self, signature: Signature) -> Commitment:
        age = self._clock.monotonic() - self._sent[signature]
        return "processed" if age < self.CONFIRMED_AFTER else "confirmed" if age < self.SECONDS else "finalized"

    async def get_slot(self, commitment: Commitment = "confirmed") -> int:
        return self._finalized()[0] if commitment == "finalized" else await self._inner.get_slot()

    async def get_block_height(self, commitment: Commitment = "confirmed") -> int:
        return await self.get_slot(commitment)

    async def get_accounts(
        self, addresses: Sequence[Pubkey], commitment: Commitment = "confirmed"
    ) -> tuple[int, list[Account | None]]:
        if commitment != "finalized":
            return await self._inner.get_accounts(addresses)
        slot, found = self._finalized()
        return slot, [found[address] for address in addresses]
