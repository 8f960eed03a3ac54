"""A month that ends while the test runs: closed, drawn, reported, approved, published, and verified by a stranger."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from clusters import LOCALNET, VALIDATOR, Cluster, run_localnet, run_validator
from rich.console import Console
from tallystick.adapters.clock import SystemClock
from tallystick.domain.canonical import canonical_json
from tallystick.domain.reserve_report.checks import Status
from tallystick.domain.reserve_report.published import REPORT
from tallystick.domain.reserve_report.shards import read_shard
from tallystick.services.chain_reads import chain_time
from tallystick_cli.commands import (
    close,
    order,
    reconcile,
    report_build,
    report_days,
    report_declare,
    report_publish,
    report_verify,
)
from tallystick_cli.commands.init import make_key
from tallystick_cli.context import Tally
from tallystick_cli.demo.cast import APPLE
from tallystick_cli.demo.cluster import DAY, LaggingClock
from tallystick_cli.demo.narrator import Narrator
from tallystick_cli.demo.reporting import ADDRESS, DECLARED, OFFICER
from tallystick_cli.demo.story import Story

BEFORE_MIDNIGHT = {LOCALNET: 10, VALIDATOR: 60}
"""Seconds of the month that are left when the cluster starts, enough for an issuer and its first tokens."""


CUSTODIAN_BEHIND = 30
"""Seconds by which we are behind the cluster, whose own clock may be late: no statement is of the future."""


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
    behind = now - (end - BEFORE_MIDNIGHT[cluster_name])
    clock = WaitingClock(behind + CUSTODIAN_BEHIND)
    last_day = datetime.fromtimestamp(end - DAY, UTC).date().isoformat()
    with run_localnet(LaggingClock(behind)) if cluster_name == LOCALNET else run_validator(-behind) as cluster:
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
    tally, period = story.tally, month.period
    await finalized(tally)
    assert (await reconcile.reconcile_now(tally)).report.is_clean
    await midnight(month, tally)
    closed = await close.close(tally, month.last_day)
    assert closed.close.day == month.last_day

    # The day goes on chain, and a day of the month is drawn by a slot that nobody knew.
    assert (await report_days.anchor_days(tally)).plan.actions
    assert not (await report_days.anchor_days(tally)).plan.actions
    drawn = await report_days.draw(tally, period)
    assert (drawn.is_new, drawn.draw.drawn_day in range(1, 32)) == (True, True)
    assert not (await report_days.draw(tally, period)).is_new
    await finalized(tally)

    # Built twice, the same bytes; approved by another key; published, and published again.
    file = tally.folder / "declared.toml"
    file.write_text(DECLARED)
    tally.change_profile(lambda document: document.update(report={"uri": ADDRESS}))
    await report_declare.declare(tally, period, file)
    make_key(tally.folder / "officer.json")
    await report_declare.assert_month(tally, period, officer=OFFICER, key=tally.folder / "officer.json")
    built = await report_build.build(tally, period)
    assert (await report_build.build(tally, period)).report.content == built.report.content
    await report_publish.approve(tally, period)
    published = await report_publish.publish(tally, period)
    assert published.exit_code == 0
    before = {path: path.read_bytes() for path in (tally.folder / "reports").rglob("*") if path.is_file()}
    assert (await report_publish.publish(tally, period)).exit_code == 0
    assert {path: path.read_bytes() for path in before} == before

    # Tokens move on; the report is of its slot. The stranger has the files and an endpoint, and no profile.
    await order.redeem(tally, APPLE.symbol, "anna", "1", reference="R-9")
    await finalized(tally)
    folder = tally.folder / "reports" / period / "v1"
    stranger = Tally(tally.folder / "none.toml", out=tally.out, err=tally.err, clock=month.clock)
    async with stranger:
        verified = (await report_verify.report_verify(stranger, folder / REPORT, url=month.cluster.url)).verified
        assert verified.is_verified, verified.first_failure
        statuses = {check.status for check in verified.checks}
        assert statuses == {Status.PASSED, Status.STATED}
        for path, words in TAMPERED.items():
            changed = tally.folder / "changed.json"
            changed.write_bytes(change(folder / REPORT, path))
            refused = (await report_verify.report_verify(stranger, changed, url=month.cluster.url)).verified
            assert not refused.is_verified
            assert refused.first_figure is not None
            assert refused.first_figure.path == path, words

    # A holder's proof leads to the root in the report.
    [holding] = [
        each
        for each in json.loads((folder / REPORT).read_bytes())["holders"]["securities"]
        if each["isin"] == APPLE.isin
    ]
    shard = read_shard((folder / "holders" / APPLE.isin / "00000.json").read_bytes())
    assert (shard.root.hex(), shard.size) == (holding["root"], holding["holders"])


TAMPERED = {
    "/tokens/0/supply": "a supply",
    "/roll_forward/0/minted": "what was minted",
    "/test/0/attested": "a reserve",
    "/holders/securities/0/holders": "how many holders",
    "/control_log/roles/0/kind": "a role",
}
"""Figures that a stranger recomputes from the chain, one changed at a time."""


def change(file: Path, path: str) -> bytes:
    """The report with one figure changed, in canonical form again."""
    document = json.loads(file.read_bytes())
    *parents, last = path.strip("/").split("/")
    place = document
    for name in parents:
        place = place[int(name)] if isinstance(place, list) else place[name]
    value = place[last]
    if isinstance(value, int):
        place[last] = value + 1
    else:
        place[last] = str(int(value) + 1) if value.isdigit() else f"{value}s"
    return canonical_json(document)


async def midnight(month: Month, tally: Tally) -> None:
    """Wait until the month has ended on the cluster."""
    while True:
        now = await chain_time(tally.open_chain(), "finalized")
        if datetime.fromtimestamp(now, UTC).strftime("%Y-%m") != month.period:
            return
        await month.clock.sleep(0.5)


async def finalized(tally: Tally) -> None:
    """Wait until what was confirmed is final."""
    chain = tally.open_chain()
    slot = await chain.get_slot("confirmed")
    while await chain.get_slot("finalized") < slot:
        await tally.clock.sleep(0.2)
