"""A month that ends while the test runs: closed, drawn, reported, approved, published, and verified by a stranger."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from clusters import LOCALNET, Cluster, run_localnet, run_validator
from rich.console import Console
from tallystick.adapters.clock import SystemClock
from tallystick_cli.commands import close, reconcile
from tallystick_cli.context import Tally
from tallystick_cli.demo.cluster import DAY, LaggingClock
from tallystick_cli.demo.narrator import Narrator
from tallystick_cli.demo.story import Story

BEFORE_MIDNIGHT = 45
"""Seconds of the month that are left when the cluster starts; the issuer is not ready before they are over."""


class WaitingClock(LaggingClock):
    """Behind the machine's by whole days and some seconds; where the demo moves its cluster, this waits."""

    async def warp(self, url: str, seconds: int) -> None:
        await self.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Month:
    """A cluster on which a month is about to end, and the month as YYYY-MM."""

    cluster: Cluster
    clock: WaitingClock
    period: str
    last_day: str


@pytest.fixture(scope="module")
def month(cluster_name: str) -> Iterator[Month]:
    """The last seconds of the month before this one."""
    now = SystemClock().now()
    end = int(datetime.fromtimestamp(now, UTC).replace(day=1, hour=0, minute=0, second=0).timestamp())
    behind = now - (end - BEFORE_MIDNIGHT)
    clock = WaitingClock(behind)
    last_day = datetime.fromtimestamp(end - DAY, UTC).date().isoformat()
    with run_localnet(clock) if cluster_name == LOCALNET else run_validator(-behind) as cluster:
        yield Month(cluster, clock, last_day[:7], last_day)


@pytest.fixture
async def story(month: Month, tmp_path: Path) -> AsyncIterator[Story]:
    """An issuer of three securities with five holders, in the demo's words and by the same commands."""
    upgrade_key = tmp_path / "upgrade-authority.json"
    upgrade_key.write_text(json.dumps(list(bytes(month.cluster.upgrade_authority))))
    upgrade_key.chmod(0o600)
    quiet = Console(file=StringIO())
    async with Tally(tmp_path / "profile.toml", is_yes=True, out=quiet, err=quiet, clock=month.clock) as tally:
        story = Story(tally, month.clock, month.cluster.url, tmp_path, upgrade_key, Narrator(quiet))
        await story.open_issuer()
        await story.list_shares()
        await story.approve_holders()
        await story.attest_reserve()
        await story.settle_subscriptions()
        yield story


async def test_a_month_is_reported_and_a_stranger_verifies_it(month: Month, story: Story) -> None:
    tally = story.tally
    reconciled = await reconcile.reconcile_now(tally)
    assert reconciled.report.is_clean
    closed = await close.close(tally, month.last_day)
    assert closed.close.day == month.last_day
