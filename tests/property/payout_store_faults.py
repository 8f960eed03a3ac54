"""A process that can be killed at every write and broadcast, and a store that can be put back to an older copy."""

from __future__ import annotations

import asyncio
import inspect
import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from payout_cluster import FaultyPayoutCluster, WrongOnChainError
from solders.signature import Signature
from tallystick.adapters.chain.outbox import MemoryOutbox, OutboxRow
from tallystick.adapters.store.payouts import MemoryPayoutStore
from tallystick.adapters.store.store import Store, open_store

DEADLY = frozenset(
    {"send", "put_signed", "put_signed_all", "mark_sent", "mark_sent_all", "mark_outcome", "mark_outcomes",
     "reserve_rent", "set_state"}
)  # fmt: skip
"""Calls before and after which a process may be killed."""


class Crash(BaseException):
    """The process is killed here; nothing of it has an effect any more."""


@dataclass
class Life:
    """One process from its start to its end. It dies at the `dies_at`-th moment before or after a write or broadcast,
    counted from 1; None lets it live."""

    dies_at: int | None = None
    moments: int = 0
    is_dead: bool = False
    died_at: str = ""

    def pass_moment(self, what: str, *, is_deadly: bool) -> None:
        """Raises Crash where the process dies, and ever after."""
        if is_deadly and not self.is_dead:
            self.moments += 1
            if self.moments == self.dies_at:
                self.is_dead, self.died_at = True, what
        if self.is_dead:
            raise Crash(what)


class Mortal:
    """An adapter as one life has it."""

    def __init__(self, life: Life, adapter: Any) -> None:
        self._life = life
        self._adapter = adapter

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._adapter, name)
        if not inspect.iscoroutinefunction(found):
            return found
        is_deadly = name in DEADLY

        async def call(*arguments: Any, **named: Any) -> Any:
            self._life.pass_moment(f"before {name}", is_deadly=is_deadly)
            result = await found(*arguments, **named)
            self._life.pass_moment(f"after {name}", is_deadly=is_deadly)
            return result

        return call


class WatchingOutbox:
    """An outbox that says so the moment a signature is stored while an earlier one of its intent may yet land, if it
    `is_strict`. `left_alone` are owners whom nothing that is stored through it may pay."""

    def __init__(
        self, outbox: Any, cluster: FaultyPayoutCluster, *, is_strict: bool, left_alone: frozenset[bytes]
    ) -> None:
        self._outbox = outbox
        self._cluster = cluster
        self._is_strict = is_strict
        self._left_alone = left_alone
        self.signed: list[Signature] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._outbox, name)

    async def put_signed(self, row: OutboxRow) -> None:
        """As promised, and watched."""
        await self.put_signed_all([row])

    async def put_signed_all(self, rows: Sequence[OutboxRow]) -> None:
        """As promised, and watched."""
        earlier = [(row, await self._outbox.get_by_intent(row.intent)) for row in rows]
        await self._outbox.put_signed_all(rows)
        self.signed += [row.signature for row in rows]
        self._cluster.stored.update(row.transaction for row in rows)
        self._cluster.arrive()
        if not self._is_strict:
            return
        self._cluster.left_alone.update((row.signature, self._left_alone) for row in rows)
        for row, before in earlier:
            self._cluster.superseded.update(each.signature for each in before)
            for each in before:
                if self._cluster.can_land(each.transaction):
                    what = f"{row.intent}: attempt {row.attempt} was stored while attempt {each.attempt} may still land"
                    self._cluster.violations.append(what)
                    raise WrongOnChainError(what)


class Stores(Protocol):
    """Outbox and payouts of one schedule, which can be put back to what they were when a copy was taken."""

    @property
    def outbox(self) -> Any: ...
    @property
    def payouts(self) -> Any: ...
    def take(self) -> None: ...
    def put_back(self, pick: int) -> None: ...
    def close(self) -> None: ...


class MemoryStores:
    """In memory."""

    def __init__(self) -> None:
        self.outbox = MemoryOutbox()
        self.payouts = MemoryPayoutStore()
        self._copies: list[tuple[Any, Any]] = []

    def take(self) -> None:
        """Keep a copy."""
        self._copies.append((_copied(vars(self.outbox)), _copied(vars(self.payouts))))

    def put_back(self, pick: int) -> None:
        """Put both back to one of the copies."""
        for kept, copy in zip((self.outbox, self.payouts), self._copies[pick % len(self._copies)], strict=True):
            vars(kept).update(_copied(copy))

    def close(self) -> None:
        """Nothing to do."""


class SqlStores:
    """In a SQLite file; what waits for it waits in real time, and the schedule's time stands still."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="payouts")
        self._path = Path(self._folder.name) / "store.db"
        shutil.copy(_empty_store(), self._path)
        self._copies = 0
        self._open()

    def _open(self) -> None:
        self._store: Store = _wait(open_store, f"sqlite:///{self._path}")
        self.outbox, self.payouts = Elsewhere(self._store.outbox), Elsewhere(self._store.payouts)

    def _copy(self, number: int) -> Path:
        return Path(self._folder.name) / f"copy{number}.db"

    def take(self) -> None:
        """Keep a copy of the file."""
        _wait(self._store.close)
        shutil.copy(self._path, self._copy(self._copies))
        self._copies += 1
        self._open()

    def put_back(self, pick: int) -> None:
        """Put the file back to one of the copies."""
        _wait(self._store.close)
        shutil.copy(self._copy(pick % self._copies), self._path)
        self._open()

    def close(self) -> None:
        """Close and remove it."""
        _wait(self._store.close)
        self._folder.cleanup()


class Elsewhere:
    """An adapter whose calls run in a loop of their own, while everything here waits."""

    def __init__(self, adapter: Any) -> None:
        self._adapter = adapter

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._adapter, name)

        async def call(*arguments: Any, **named: Any) -> Any:
            return _wait(found, *arguments, **named)

        return call


@cache
def _real_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return loop


def _wait(call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    return asyncio.run_coroutine_threadsafe(call(*arguments, **named), _real_loop()).result()


@cache
def _empty_store() -> Path:
    path = Path(_folder().name) / "empty.db"
    store = _wait(open_store, f"sqlite:///{path}")
    _wait(store.close)
    return path


@cache
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="payouts")


def _copied(value: Any) -> Any:
    """Containers anew, and what is frozen as it is."""
    if isinstance(value, dict):
        return {key: _copied(each) for key, each in value.items()}
    return type(value)(map(_copied, value)) if isinstance(value, list | set) else value


__all__ = ["Crash", "Life", "MemoryStores", "Mortal", "SqlStores", "Stores", "WatchingOutbox"]
