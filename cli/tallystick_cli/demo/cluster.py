"""The demo's cluster and its time: it begins a day ago and is moved to now, so that two days fit into seconds."""

from __future__ import annotations

import httpx
from tallystick.errors import ChainError

from tallystick_cli.context import Clock, SystemClock

DAY = 24 * 3600


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

    def __init__(self, behind: int = DAY) -> None:
        super().__init__(behind)
        self.cluster: Clock = LaggingClock(behind)
        """What the cluster runs on before anybody warps it."""

    async def warp(self, url: str, seconds: int) -> None:
        """Move the cluster, and this clock with it. ChainError when the cluster does not answer as it should."""
        request = {"jsonrpc": "2.0", "id": 1, "method": "tally_warp", "params": [{"seconds": seconds}]}
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = (await client.post(url, json=request)).json()
        if "result" not in answer:
            raise ChainError(f"The localnet did not move its time: {answer.get('error')}")
        self._behind -= seconds

    async def catch_up(self, url: str) -> None:
        """Move the cluster to the machine's own time."""
        await self.warp(url, self._behind)
