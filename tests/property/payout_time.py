"""Time that passes only when nobody has anything left to do: an event loop whose clock jumps to the next sleeper."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")

LIFE: ContextVar[set[asyncio.Task[Any]] | None] = ContextVar("LIFE", default=None)
"""The tasks of the process that a task belongs to."""


class _Selector(selectors.DefaultSelector):
    """Waits for nothing: where the loop would sleep, its time moves."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if found or timeout == 0:
            return found
        if timeout is None:
            raise RuntimeError("Everybody waits, and nobody for the time.")
        self.loop.jump(timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in time of its own, which begins at 0. Tasks are kept by the process that they belong to."""

    def __init__(self) -> None:
        selector = _Selector()
        selector.loop = self
        self._passed = 0.0
        super().__init__(selector)
        self.set_task_factory(self._make)
        self.set_exception_handler(lambda loop, context: None)

    def time(self) -> float:
        return self._passed

    def jump(self, seconds: float) -> None:
        """Let the time pass, whoever waits."""
        self._passed += seconds

    def _make(
        self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], **options: Any
    ) -> asyncio.Task[Any]:
        task = asyncio.Task(work, loop=loop, **options)
        tasks = LIFE.get()
        if tasks is not None:
            tasks.add(task)
        return task


class VirtualClock:
    """The Clock of a VirtualLoop. It begins at `start`, seconds since 1970."""

    def __init__(self, loop: VirtualLoop, start: int) -> None:
        self._loop = loop
        self._start = start

    def now(self) -> int:
        return self._start + int(self._loop.time())

    def monotonic(self) -> float:
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def jump(self, seconds: float) -> None:
        """Let the time pass while everything stands still."""
        self._loop.jump(seconds)


def run_virtually(work: Callable[[VirtualLoop], Coroutine[Any, Any, T]]) -> T:
    """Run in a loop of its own, and leave no task behind."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(work(loop))
    finally:
        loop.run_until_complete(_end_all())
        loop.close()


async def _end_all() -> None:
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
