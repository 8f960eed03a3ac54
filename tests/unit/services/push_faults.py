"""Stands before a chain, an outbox or a store, and does something at a call of them: dies, drops, lies, waits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

from tallystick.adapters.chain.protocol import SignatureStatus, Simulation

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
