"""A reserve report with very many holders: what its files take to make, how large they are, how long a browser checks.

usage: uv run python bench/reports/scale.py [--holders 1000000] [--seed 20261127] [--runs 15]

Runs the code that `tally close` and `tally report build, approve, publish` run, from a list of token accounts to files
that are durable on disk; making the list is not measured. Seconds are of the wall clock, memory is the peak of the
process so far. The browser starts each check with an empty cache, of another holder, over http from this machine; the
phone is the same browser slowed down to a fourth. Prints Markdown.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Browser, async_playwright
from tallystick.adapters.publish.charts import charts
from tallystick.adapters.publish.folder import LocalPublishFolder
from tallystick.adapters.publish.server import SiteServer
from tallystick.adapters.publish.site import render_page
from tallystick.domain.base58 import base58_encode
from tallystick.domain.canonical import canonical_json, sha256
from tallystick.domain.close_register import CloseRegister, pack_close_register, unpack_close_register
from tallystick.domain.register import Register, TokenAccount, build_register
from tallystick.domain.reserve_report.document import build_document, report_bytes
from tallystick.domain.reserve_report.published import Approval, approval_bytes, version_folder
from tallystick.domain.reserve_report.shards import LIMIT, shard_register

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests/unit/domain"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests/browser"))

from chromium import ARGUMENTS, browser_path
from report_sample import sample_declared, sample_facts

SEED: Final = 20_261_127
TICKER: Final = "BETB"
SLOWER: Final = 4
"""How many times slower the phone's processor is."""


@dataclass(slots=True)
class Parts:
    """Each part's name, seconds, and the peak of memory in bytes once it ended."""

    found: list[tuple[str, float, int]] = field(default_factory=list)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Measure what runs inside."""
        began = time.perf_counter()
        yield
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        self.found.append((name, time.perf_counter() - began, peak))


@dataclass(frozen=True, slots=True)
class Files:
    """What was written of the holders: how many files, bytes in all, bytes of the largest."""

    number: int
    total: int
    largest: int


def make_accounts(holders: int, seed: int) -> list[TokenAccount]:
    """One account for each holder, in no order."""
    draw = random.Random(seed)  # noqa: S311 - a bench, not a secret
    return [TokenAccount(draw.randbytes(32), draw.randbytes(32), draw.randrange(1, 10**9)) for _ in range(holders)]


async def build(path: Path, accounts: list[TokenAccount], parts: Parts) -> tuple[Register, Files]:
    """Every file of a version that a holder's check needs."""
    folder, version = LocalPublishFolder(path), version_folder(202610, 2)
    with parts.part("merge accounts by owner"):
        register = build_register(accounts)
    with parts.part("root of the register, kept with the close"):
        root = register.root
        packed = pack_close_register(CloseRegister(bytes(32), bytes(32), "2026-10-31", 306_696_000, root, register))
    with parts.part("read it again, checked"):
        register = unpack_close_register(packed).register
    with parts.part("report.json"):
        facts = sample_facts()
        securities = tuple(
            replace(each, register=register) if each.ticker == TICKER else each for each in facts.securities
        )
        document: dict[str, Any] = json.loads(
            report_bytes(build_document(replace(facts, securities=securities), sample_declared()))
        )
        # The sample's close has its own few holders; of the bench's close these are the root and the number.
        row = next(each for each in document["holders"]["securities"] if each["ticker"] == TICKER)
        row |= {"root": root.hex(), "holders": len(register.entries)}
        document["holders"]["securities"] = [row]
        content = canonical_json(document)
        await folder.write(f"{version}/report.json", content)
    with parts.part("page"):
        approval = approval_bytes(Approval(sha256(content), document["header"]["program"], "1" * 64))
        await folder.write(f"{version}/index.html", render_page(content, approval, charts(document)))
        await folder.write("index.html", b"<!DOCTYPE html>")
    sizes = []
    with parts.part("holders' proofs, durable on disk"):
        slot = document["holders"]["slot"]
        for name, data in shard_register(register, isin=row["isin"], mint=row["mint"], slot=slot):
            await folder.write(f"{version}/holders/{row['isin']}/{name}", data)
            sizes.append(len(data))
    return register, Files(len(sizes), sum(sizes), max(sizes))


async def check(path: Path, owners: list[bytes], slower: int) -> list[float]:
    """Seconds from a click to the answer, as the page's own clock has them, each in a browser that has seen nothing."""
    seconds = []
    async with SiteServer(path, 0) as server, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=browser_path(), args=ARGUMENTS)
        for owner in owners:
            seconds.append(await _check_once(browser, server.url, owner, slower))
        await browser.close()
    return seconds


async def _check_once(browser: Browser, url: str, owner: bytes, slower: int) -> float:
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(f"{url}{version_folder(202610, 2)}/index.html")
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


def measure(holders: int, seed: int, runs: int) -> str:
    """The tables for one size."""
    parts = Parts()
    with tempfile.TemporaryDirectory() as name:
        register, files = asyncio.run(build(Path(name), make_accounts(holders, seed), parts))
        owners = [random.Random(seed + run).choice(register.entries).owner for run in range(runs)]  # noqa: S311
        lines = [f"| {holders:,} holders | seconds | peak memory |", "| --- | ---: | ---: |"]
        lines += [f"| {name} | {seconds:.2f} | {peak / 2**20:,.0f} MiB |" for name, seconds, peak in parts.found]
        lines += [f"| **all** | **{sum(each[1] for each in parts.found):.1f}** | |", ""]
        lines += ["| files of the holders | |", "| --- | ---: |"]
        lines += [f"| files | {files.number:,} |", f"| bytes in all | {files.total:,} |"]
        lines += [f"| largest, of {LIMIT:,} allowed | {files.largest:,} |", ""]
        lines += ["| one holder in a browser | median | slowest |", "| --- | ---: | ---: |"]
        if browser_path() is None:
            return "\n".join([*lines, "| no Chromium on this machine | | |"])
        for device, slower in (("this machine", 1), ("phone", SLOWER)):
            seconds = asyncio.run(check(Path(name), owners, slower))
            lines.append(f"| {device} | {statistics.median(seconds):.2f} s | {max(seconds):.2f} s |")
    return "\n".join(lines)


def main() -> None:
    """Measure one size."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--holders", type=int, default=1_000_000)
    arguments.add_argument("--seed", type=int, default=SEED)
    arguments.add_argument("--runs", type=int, default=15)
    given = arguments.parse_args()
    print(f"seed {given.seed}, Python {sys.version.split()[0]}, {given.runs} runs in the browser\n")
    print(measure(given.holders, given.seed, given.runs))


if __name__ == "__main__":
    main()
