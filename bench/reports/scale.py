"""A reserve report with very many holders: what each command takes, how large the files are, how long a browser checks.

usage: uv run python bench/reports/scale.py [--holders 1000000] [--seed 20261127] [--later 1000] [--runs 15]

Runs the commands of a month's end as an operator types them, each in a process of its own, against a localnet in
another one (month.py): over HTTP, with books in SQLite and files that are durable on disk. `--later` are transfers
between the last close and the report, by which the register is rewound. Seconds are of the wall clock and of the
command's own CPU; what the localnet takes to answer is in the former alone, and its CPU stands beside. Memory is each
command's peak. The browser starts each check with an empty cache, of another holder, over http from this machine; the
phone is the same browser slowed down to a fourth. Prints Markdown.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from playwright.async_api import Browser, async_playwright
from tallystick.adapters.publish.server import SiteServer
from tallystick.domain.base58 import base58_encode
from tallystick.domain.report_anchors import parse_period
from tallystick.domain.reserve_report.published import HOLDERS, REPORT, version_folder
from tallystick.domain.reserve_report.shards import LIMIT, read_shard
from tallystick_cli.demo.cast import APPLE

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests/browser"))

from chromium import ARGUMENTS, browser_path

SEED: Final = 20_261_127
SLOWER: Final = 4
"""How many times slower the phone's processor is."""
TALLY: Final = str(Path(sys.executable).with_name("tally"))


@dataclass(frozen=True, slots=True)
class Step:
    """One command: seconds of the wall clock and of its own CPU, the cluster's CPU seconds meanwhile, and the peak of
    its memory in bytes."""

    name: str
    wall: float
    cpu: float
    cluster: float
    peak: int

    @property
    def row(self) -> str:
        """A line of the table."""
        return f"| {self.name} | {self.wall:.1f} | {self.cpu:.1f} | {self.cluster:.1f} | {self.peak / 2**20:,.0f} MiB |"


@dataclass(slots=True)
class Cluster:
    """The process of month.py, with the month that ends there."""

    process: subprocess.Popen[str]
    url: str
    period: str
    day: str

    @property
    def cpu(self) -> float:
        """CPU seconds that it took so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def go_on(self) -> None:
        """From the last close to three weeks later."""
        _pipe(self.process.stdin).write("\n")
        _pipe(self.process.stdin).flush()
        _told(self.process)


@contextmanager
def run_cluster(folder: Path, holders: int, seed: int, later: int) -> Iterator[Cluster]:
    """A cluster with so many holders, whose month has just ended."""
    command = [sys.executable, str(Path(__file__).with_name("month.py")), str(folder)]
    command += ["--holders", str(holders), "--seed", str(seed), "--later", str(later)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            told = _told(process)
            yield Cluster(process, told["url"], told["period"], told["day"])
        finally:
            _pipe(process.stdin).close()
            process.wait(60)


def _told(process: subprocess.Popen[str]) -> dict[str, Any]:
    line = _pipe(process.stdout).readline()
    if not line:
        raise SystemExit("The cluster ended; what it said is above.")
    told: dict[str, Any] = json.loads(line)
    return told


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe


def run(cluster: Cluster, folder: Path, name: str, *arguments: str) -> Step:
    """Run a command of tally to its end. SystemExit, with what it said, when it fails."""
    environment = os.environ | {"TALLY_PROFILE": str(folder / "profile.toml")}
    with tempfile.TemporaryFile("w+") as said:
        before, began = cluster.cpu, time.perf_counter()
        process = subprocess.Popen(  # noqa: S603
            [TALLY, *arguments], env=environment, stdout=said, stderr=subprocess.STDOUT
        )
        _, status, used = os.wait4(process.pid, 0)
        wall, process.returncode = time.perf_counter() - began, os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise SystemExit(f"tally {' '.join(arguments)} ended with {process.returncode}:\n{said.read()}")
    step = Step(name, wall, used.ru_utime + used.ru_stime, cluster.cpu - before, used.ru_maxrss * 1024)
    print(step.row, file=sys.stderr)
    return step


def run_month(cluster: Cluster, folder: Path) -> list[Step]:
    """Every command from the last close of a month to an auditor's copy of its report."""
    period = cluster.period
    report = folder / "reports" / version_folder(parse_period(period), 1) / REPORT
    statement = f"STMT-{cluster.day}"
    month = [
        run(cluster, folder, "`reconcile`", "reconcile"),
        run(cluster, folder, "`close`, its register kept", "close", cluster.day),
    ]
    cluster.go_on()
    return [
        *month,
        run(cluster, folder, "`report build`, with its PDF", "report", "build", period),
        run(cluster, folder, "`report approve`, built again", "report", "approve", period, "--yes"),
        run(cluster, folder, "`report publish`, durable on disk", "report", "publish", period, "--yes"),
        run(cluster, folder, "`report verify`, every file", "report", "verify", str(report), "--url", cluster.url),
        run(cluster, folder, "`report line`", *_line(folder, period, statement)),
        run(cluster, folder, "`audit export`", "audit", "export", str(folder / "evidence"), "--period", period),
    ]


def _line(folder: Path, period: str, statement: str) -> Sequence[str]:
    out = str(folder / "line.json")
    return ("report", "line", period, "--isin", APPLE.isin, "--statement", statement, "--out", out)


async def check(path: Path, version: str, owners: list[bytes], slower: int) -> list[float]:
    """Seconds from a click to the answer, as the page's own clock has them, each in a browser that has seen nothing."""
    seconds = []
    async with SiteServer(path, 0) as server, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=browser_path(), args=ARGUMENTS)
        for owner in owners:
            seconds.append(await _check_once(browser, f"{server.url}{version}", owner, slower))
        await browser.close()
    return seconds


async def _check_once(browser: Browser, url: str, owner: bytes, slower: int) -> float:
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(f"{url}/index.html")
    session = await context.new_cdp_session(page)
    await session.send("Emulation.setCPUThrottlingRate", {"rate": slower})
    await page.fill("#address", base58_encode(owner))
    milliseconds: float = await page.evaluate(
        """() => new Promise((done) => {
            const list = document.getElementById("address-results");
            const began = performance.now();
            new MutationObserver(() => {
                if (list.querySelector(".held")) done(performance.now() - began);
                else if (list.querySelector("[data-state]")) throw new Error(list.innerText);
            }).observe(list, { childList: true });
            document.getElementById("address-form").requestSubmit();
        })"""
    )
    await context.close()
    return milliseconds / 1000


def measure(holders: int, seed: int, later: int, runs: int) -> str:
    """The tables for one size."""
    draw = random.Random(seed)  # noqa: S311 - a bench, not a secret
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with run_cluster(folder, holders, seed, later) as cluster:
            steps = run_month(cluster, folder)
        version = version_folder(parse_period(cluster.period), 1)
        files = sorted((folder / "reports" / version / HOLDERS / APPLE.isin).glob("*.json"))
        sizes = [file.stat().st_size for file in files]
        lines = [f"| {holders:,} holders | seconds | CPU, s | the localnet's CPU, s | peak memory |"]
        lines += ["| --- | ---: | ---: | ---: | ---: |", *(each.row for each in steps)]
        lines += ["", "| files of the holders | |", "| --- | ---: |"]
        lines += [f"| files | {len(files):,} |", f"| bytes in all | {sum(sizes):,} |"]
        lines += [f"| largest, of {LIMIT:,} allowed | {max(sizes):,} |", ""]
        lines += ["| one holder in a browser | median | slowest |", "| --- | ---: | ---: |"]
        if browser_path() is None:
            return "\n".join([*lines, "| no Chromium on this machine | | |"])
        shards = [draw.choice([file for file in files if not file.stem.startswith("index")]) for _ in range(runs)]
        owners = [draw.choice(read_shard(file.read_bytes()).leaves)[0] for file in shards]
        for device, slower in (("this machine", 1), ("phone", SLOWER)):
            seconds = asyncio.run(check(folder / "reports", version, owners, slower))
            lines.append(f"| {device} | {statistics.median(seconds):.2f} s | {max(seconds):.2f} s |")
    return "\n".join(lines)


def main() -> None:
    """Measure one size."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--holders", type=int, default=1_000_000)
    arguments.add_argument("--seed", type=int, default=SEED)
    arguments.add_argument("--later", type=int, default=1_000)
    arguments.add_argument("--runs", type=int, default=15)
    given = arguments.parse_args()
    print(f"seed {given.seed}, Python {sys.version.split()[0]}, {given.runs} runs in the browser\n")
    print(measure(given.holders, given.seed, given.later, given.runs))


if __name__ == "__main__":
    main()
