"""A terminal with a cluster behind it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from tallystick.localnet import LocalnetServer
from typing_in import Terminal


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
        """What the localnet answers."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return httpx.post(self.url, json=request, trust_env=False).json()["result"]

    def warp(self, seconds: int) -> None:
        """Let time pass on the cluster."""
        self.ask("tally_warp", {"seconds": seconds})

    def now(self) -> datetime:
        """By the cluster's clock."""
        return datetime.fromtimestamp(self.ask("getBlockTime", self.ask("getSlot")), UTC)

    def transactions(self) -> int:
        """Transactions that landed so far: what proves that nothing moved."""
        return int(self.ask("getTransactionCount"))


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
