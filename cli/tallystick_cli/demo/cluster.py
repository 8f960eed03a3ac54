"""The demo's cluster and its time: it begins with a month that is over, and is moved to now in the end."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import httpx
from tallystick.errors import ChainError

from tallystick_cli.context import Clock, SystemClock

HOUR = 3600
DAY = 24 * HOUR
MORNING = 8 * HOUR
"""Seconds after midnight at which the demo's days begin."""
AFTER_MIDNIGHT = 5 * 60
"""Seconds after midnight at which the day before is closed."""
INTO_THE_MONTH = HOUR
"""Seconds after a month's end that are over before the demo tells that month: more than it moves its cluster past it,
so that the cluster is never ahead of the machine."""


def first_morning(now: int) -> int:
    """When the demo begins: the first morning of the newest month (UTC) that ended an hour before `now`."""
    month = datetime.fromtimestamp(now - INTO_THE_MONTH, UTC).replace(day=1, hour=0, minute=0, second=0)
    return int((month - timedelta(days=1)).replace(day=1).timestamp()) + MORNING


class LaggingClock:
    """The machine's clock, `behind` seconds late."""

    def __init__(self, behind: int) -> None:
        self._machine = SystemClock()
        self._behind = behind

    def now(self) -> int:
        return self._machine.now() - self._behind

    def monotonic(self) -> float:
        return self._machine.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._machine.sleep(seconds)


class DemoClock(LaggingClock):
    """Follows the demo's cluster: late by what was not warped yet."""

    def __init__(self, machine: Clock) -> None:
        now = machine.now()
        behind = now - first_morning(now)
        super().__init__(behind)
        self.cluster: Clock = LaggingClock(behind)
        """What the cluster runs on before anybody warps it."""

    def today(self) -> date:
        """The cluster's day (UTC)."""
        return datetime.fromtimestamp(self.now(), UTC).date()

    async def warp(self, url: str, seconds: int) -> None:
        """Move the cluster, and this clock with it. ChainError when the cluster does not answer as it should."""
        request = {"jsonrpc": "2.0", "id": 1, "method": "tally_warp", "params": [{"seconds": seconds}]}
        async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
            answer = (await client.post(url, json=request)).json()
        if "result" not in answer:
            raise ChainError(f"The localnet did not move its time: {answer.get('error')}")
        self._behind -= seconds

    async def next_day(self, url: str, seconds: int = MORNING) -> None:
        """Move the cluster to the day that comes, so many seconds after midnight."""
        await self.warp(url, (self.now() // DAY + 1) * DAY + seconds - self.now())

    async def catch_up(self, url: str) -> None:
        """Move the cluster to the machine's own time."""
        await self.warp(url, self._behind)
