"""A terminal with a cluster behind it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from tallystick.localnet import LocalnetServer
from typing_in import Terminal

WITHIN_SECONDS = 60
"""How long the cluster may take to answer."""
NEAR = 1_800
"""Seconds before midnight from which on it is near: longer than the tests of a module take."""


@dataclass(frozen=True, slots=True)
class Desk:
    """A terminal on a running localnet."""

    terminal: Terminal
    server: LocalnetServer
    folder: Path

    @property
    def url(self) -> str:
        """The localnet."""
        return self.server.url

    def ask(self, method: str, *params: object) -> Any:
        """What the cluster answers."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return httpx.post(self.url, json=request, trust_env=False, timeout=WITHIN_SECONDS).json()["result"]

    def warp(self, seconds: int) -> None:
        """Let time pass on the cluster."""
        self.ask("tally_warp", {"seconds": seconds})

    def now(self) -> datetime:
        """By the cluster's clock."""
        return datetime.fromtimestamp(self.ask("getBlockTime", self.ask("getSlot")), UTC)

    def pass_midnight(self) -> None:
        """Where midnight is near, let it pass: what is typed next is all of one day, and of one month."""
        tomorrow = self.now().replace(hour=0, minute=0, second=0) + timedelta(days=1)
        left = int((tomorrow - self.now()).total_seconds())
        if left < NEAR:
            self.warp(left + 1)

    def end_month(self, seconds: int = 60) -> None:
        """Let the cluster's month end, and so many seconds more pass."""
        began = self.now()
        first_of_next = (began.replace(day=1) + timedelta(days=32)).replace(day=1, hour=0, minute=0, second=0)
        self.warp(int((first_of_next - began).total_seconds()) + seconds)

    def transactions(self) -> int:
        """Transactions that landed so far: what proves that nothing moved."""
        count: int = self.ask("getTransactionCount")
        return count


def open_issuer(desk: Desk, delay: int) -> Desk:
    """An issuer in force with its roles, one security, its limit and one approved holder; changes wait `delay` s."""
    type_, warp = desk.terminal.json, desk.warp
    type_("issuer", "init", "--delay", delay, "--yes")
    for role in ("attestor", "operator", "compliance", "reconciliation"):
        type_("issuer", "role", "grant", role, "--yes")
    warp(delay + 1)
    type_("security", "list", "US0378331005", "--symbol", "tAAPL", "--name", "Apple Inc. share", "--cap", 1000, "--yes")
    type_("security", "limit", "tAAPL", "--mint", 500, "--burn", 500, "--yes")
    type_("holder", "approve", "anna", "--investor", "KYC-1", "--yes")
    warp(delay + 1)
    return desk
