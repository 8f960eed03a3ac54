"""A push from its first batch to its report, against the program in this process: what the client itself needs.

usage: uv run python bench/dividends/whole_push.py [--holders 100000] [--in-flight 256]

The ledger lands everything at once, so nothing waits for a network: this shows that the client keeps up, and in how
much memory. Store and outbox are SQLite files, flushed to disk before each broadcast. The ledger runs on the same core
and is part of both figures; how much of the time it takes is measured by handing it the same transactions again, which
it executes once more without paying anybody. Prints Markdown.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import sys
import tempfile
import time
from pathlib import Path

from solders.transaction import VersionedTransaction
from tallystick.adapters.clock import SystemClock
from tallystick.adapters.store.store import open_store
from tallystick.services.payout_push import PushSettings
from tallystick.services.payout_report import PushProgress

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests/unit/services"))

from pushing_desk import PushingDesk  # noqa: E402

BATCH = 57
COLUMNS = (
    "| holders | batches | seconds | holders a second | CPU, s | of it the ledger, s | memory, MiB"
    " | with the accounts, MiB |"
)
AGAIN = 500
"""Transactions that the ledger executes again."""


async def measure(holders: int, in_flight: int) -> list[str]:
    """The table, as lines of Markdown."""
    desk = PushingDesk(count=holders, size=BATCH, clock=SystemClock())
    prepared = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with tempfile.TemporaryDirectory() as folder:
        async with await open_store(f"sqlite:///{folder}/store.sqlite3") as store:
            desk.store, desk.outbox = store.payouts, store.outbox
            await desk.planned()

            def tell(progress: PushProgress) -> None:
                print(f"\r{progress.stage} {progress.paid:,} of {progress.entries:,}", end="", file=sys.stderr)

            began, cpu = time.monotonic(), time.process_time()
            report = await desk.push(settings=PushSettings(in_flight=in_flight, poll_every=0.05), on_progress=tell)
            seconds, cpu = time.monotonic() - began, time.process_time() - cpu
            print(file=sys.stderr)
            if not report.is_complete or desk.balances() != desk.due():
                raise SystemExit(f"Not everybody was paid: {report}")
            rows = await store.outbox.find("dividend:")
        sample = [VersionedTransaction.from_bytes(row.transaction) for row in rows[:AGAIN]]
        again = time.process_time()
        for transaction in sample:
            desk.ledger.simulate(transaction, check_blockhash=False)
        ledger = (time.process_time() - again) / len(sample) * len(rows)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    figures = (
        f"{holders:,}",
        f"{report.transactions - 1:,}",
        f"{seconds:,.1f}",
        f"{holders / seconds:,.0f}",
        f"{cpu:,.1f}",
        f"{ledger:,.1f}",
        f"{(peak - prepared) // 1024:,}",
        f"{peak // 1024:,}",
    )
    return [COLUMNS, "|" + " ---: |" * len(figures), f"| {' | '.join(figures)} |"]


def main() -> None:
    """Run it once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--holders", type=int, default=100_000)
    parser.add_argument("--in-flight", type=int, default=256)
    given = parser.parse_args()
    print("\n".join(asyncio.run(measure(given.holders, given.in_flight))))


if __name__ == "__main__":
    main()
