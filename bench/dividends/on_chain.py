"""What paying a list costs and how fast it goes, on a solana-test-validator of this machine, read back from the chain.

usage: uv run python bench/dividends/on_chain.py [--holders 57000] [--single 1000] [--seed N]

The same client sends all of it, in one run: batches of 57 by pay_batch, in SPL Token and in Token-2022; 60 plain
transfers to a transaction, which is what fits one without any receipt; and one plain transfer to a transaction.
Prints Markdown.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tallystick.adapters.chain.outbox import MemoryOutbox, OutboxRow, OutboxState
from tallystick.adapters.chain.rpc import RpcChain
from tallystick.adapters.chain.signers import KeypairSigner
from tallystick.adapters.clock import SystemClock
from tallystick.adapters.store.payouts import MemoryPayoutStore
from tallystick.domain.distribution_tree import DistributionTree, Entry
from tallystick.domain.dividends import PayoutBatch, PayoutLine, PayoutRecord, PayoutState
from tallystick.program import addresses
from tallystick.program.distribution_account import HEADER_LENGTH
from tallystick.program.token import (
    SPL_TOKEN_PROGRAM,
    TOKEN_2022_PROGRAM,
    create_associated_token_account_idempotent,
)
from tallystick.services.payout_calls import PayoutCalls
from tallystick.services.payout_flights import Draft, Flights, FlightSettings, Limits
from tallystick.services.payout_push import PushSettings, push
from tallystick.services.payout_report import PushProgress, Stage

ROOT = Path(__file__).resolve().parents[2]
sys.path += [str(Path(__file__).parent), str(ROOT / "tests/e2e")]

import peers  # noqa: E402
from clusters import Cluster, run_validator  # noqa: E402
from live_cluster import Live  # noqa: E402
from live_issuer import SOL  # noqa: E402
from live_opening import Opened, fund_from, open_issuer  # noqa: E402
from live_payouts import announce, committed, issue, make_mint, open_funded, second_key  # noqa: E402

BATCH, OPENED, PLAIN = 57, 12, 60
"""Recipients of one transaction: of pay_batch; whose accounts it opens; of plain transfers."""
IN_FLIGHT = 128
DECIMALS = 6
TRANSFER_CHECKED = b"\x0c"
LIMITS = Limits(1_400_000, 4 * 1024 * 1024)
COLUMNS = (
    "| way | holders | transactions | holders a transaction | bytes a transaction | lamports a holder | CU a holder"
    " | receipt, bytes a holder | seconds | holders a second |"
)
SAMPLE = 200
"""Transactions of each kind that are read back."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One way of paying. `seconds` until the last payment was final; `size` in bytes of the longest transaction; `fee`
    (lamports), `units` (compute units) and `receipt` (bytes kept on chain) for each holder."""

    name: str
    holders: int
    transactions: int
    seconds: float
    size: int
    fee: float
    units: float
    receipt: float


async def land_all(
    chain: RpcChain, payer: Keypair, groups: Sequence[Sequence[Instruction]], limits: Limits = LIMITS
) -> tuple[float, tuple[OutboxRow, ...]]:
    """Send each group as one transaction, through the same flights as a push; seconds until all are final."""
    clock, outbox = SystemClock(), MemoryOutbox()
    flights = Flights(chain, outbox, clock, KeypairSigner(payer), FlightSettings(in_flight=IN_FLIGHT))
    drafts = [Draft(f"bench:{number}", 1, number, tuple(group), limits) for number, group in enumerate(groups)]
    started = clock.monotonic()
    while drafts or len(flights):
        room = max(min(flights.room, 32), 0)
        await flights.launch(drafts[:room])
        del drafts[:room]
        for landing in await flights.look():
            if landing.state is not OutboxState.LANDED:
                raise SystemExit(f"{landing.row.intent} is {landing.state}: {landing.error}")
        if not room or not drafts:
            await clock.sleep(0.1)
    seconds = clock.monotonic() - started
    return seconds, await outbox.find("bench:")


@dataclass(frozen=True, slots=True)
class Funded:
    """A distribution that can be paid. `source` is the account that its money came from."""

    address: Pubkey
    action: Pubkey
    mint: Pubkey
    source: Pubkey
    tree: DistributionTree
    expires_at: int


def transfers(program: Pubkey, funded: Funded, owner: Pubkey, at_once: int, holders: int) -> list[list[Instruction]]:
    """Checked transfers of the same amounts to the same accounts, `at_once` to a transaction."""

    def transfer(entry: Entry) -> Instruction:
        metas = [
            AccountMeta(funded.source, is_signer=False, is_writable=True),
            AccountMeta(funded.mint, is_signer=False, is_writable=False),
            AccountMeta(Pubkey.from_bytes(entry.address), is_signer=False, is_writable=True),
            AccountMeta(owner, is_signer=True, is_writable=False),
        ]
        return Instruction(program, TRANSFER_CHECKED + entry.amount.to_bytes(8, "little") + bytes([DECIMALS]), metas)

    made = [transfer(entry) for batch in funded.tree.batches for entry in batch.entries][:holders]
    return [made[at : at + at_once] for at in range(0, len(made), at_once)]


def make_amounts(holders: int, seed: int) -> dict[Pubkey, int]:
    """Recipients nobody has the keys of, and amounts that differ."""
    owners = (
        Keypair.from_seed(hashlib.sha256(f"{seed}:{number}".encode()).digest()).pubkey() for number in range(holders)
    )
    return {owner: 1_000 + number % 997 for number, owner in enumerate(sorted(owners, key=bytes))}


async def fund_list(live: Live, opened: Opened, program: Pubkey, payout: Pubkey, amounts: dict[Pubkey, int]) -> Funded:
    """A distribution of this list, opened, approved and funded, and money for the transfers beside it."""
    second = await second_key(Live(live.cluster, live.chain, opened.desk.payer), opened)
    action = await announce(live, opened, second)
    mint = await make_mint(live, program)
    address = addresses.distribution_address(action, 0)
    places = committed(list(amounts), program, mint)
    entries = [Entry(*place, amount) for place, amount in zip(places, amounts.values(), strict=True)]
    tree = DistributionTree(bytes(address), entries)
    source = await issue(live, program, mint, 3 * tree.total)
    expires_at = await open_funded(
        live,
        opened,
        second,
        program=program,
        mint=mint,
        action=action,
        source=source,
        payout=payout,
        tree=tree,
    )
    return Funded(address, action, mint, source, tree, expires_at)


async def keep_list(
    opened: Opened, program: Pubkey, funded: Funded, payout: Pubkey, amounts: dict[Pubkey, int]
) -> tuple[PayoutRecord, MemoryPayoutStore]:
    """The list of a funded distribution in a store, as planning would have left it."""
    tree = funded.tree
    lines = [
        PayoutLine(bytes(owner), entry.address, entry.bump, entry.amount)
        for owner, entry in zip(amounts, (entry for batch in tree.batches for entry in batch.entries), strict=True)
    ]
    record = PayoutRecord(
        address=bytes(funded.address),
        security=bytes(opened.share.address),
        action=bytes(funded.action),
        number=0,
        payment_mint=bytes(funded.mint),
        token_program=bytes(program),
        payment_decimals=DECIMALS,
        payout_key=bytes(payout),
        refund=bytes(funded.source),
        root=tree.root,
        batches=len(tree.batches),
        entries=tree.entries,
        total=tree.total,
        expires_at=funded.expires_at,
        document=b"{}",
        created_at=0,
        state=PayoutState.APPROVED,
    )
    store = MemoryPayoutStore()
    starts = range(0, len(lines), BATCH)
    await store.add(record, [PayoutBatch(at // BATCH, tuple(lines[at : at + BATCH])) for at in starts], [], [])
    return record, store


async def measure_program(
    live: Live, opened: Opened, program: Pubkey, holders: int, single: int, seed: int, name: str
) -> list[Measured]:
    """Pay one list by pay_batch, then the same list by plain transfers."""
    chain, payout, payer = live.chain, Keypair(), live.payer
    await fund_from(chain, payout.pubkey(), lamports=10 * SOL)
    amounts = make_amounts(holders, seed)
    funded = await fund_list(live, opened, program, payout.pubkey(), amounts)
    record, store = await keep_list(opened, program, funded, payout.pubkey(), amounts)
    openings = [
        create_associated_token_account_idempotent(
            payer=payer.pubkey(), wallet=owner, mint=funded.mint, token_program=program
        )
        for owner in amounts
    ]
    await land_all(chain, payer, [openings[at : at + OPENED] for at in range(0, holders, OPENED)])

    outbox, clock, began = MemoryOutbox(), SystemClock(), 0.0

    async def note(stage: Stage, progress: PushProgress) -> bool:
        # The canary and the first hundredth each wait until they are final; what is measured is the rest.
        nonlocal began
        began = clock.monotonic()
        return True

    signer = KeypairSigner(payout)
    report = await push(
        chain,
        store,
        outbox,
        clock,
        await PayoutCalls.load(store, funded.address, signer.pubkey),
        signer,
        settings=PushSettings(in_flight=IN_FLIGHT, poll_every=0.1),
        confirm_stage=note,
    )
    seconds = clock.monotonic() - began
    if not report.is_complete or report.paid.entries != holders:
        raise SystemExit(f"{name}: {report}")
    first = 1 + -(-record.batches // 100)
    rest = [row for row in await outbox.find("dividend:") if row.state is OutboxState.LANDED][first:]
    paid = sum(len(batch.entries) for batch in funded.tree.batches) - BATCH * (record.batches - len(rest))
    account = await chain.get_account(funded.address)
    assert account is not None
    receipt = (len(account.data) - HEADER_LENGTH) / holders
    found = [await measured(chain, f"pay_batch, {name}", paid, rest, seconds, receipt)]
    for at_once, some in ((PLAIN, holders), (1, single)):
        groups = transfers(program, funded, payer.pubkey(), at_once, some)
        seconds, rows = await land_all(chain, payer, groups)
        words = "plain transfers" if at_once > 1 else "one plain transfer to a transaction"
        found.append(await measured(chain, f"{words}, {name}", some, rows, seconds, 0.0))
    return found


async def measured(
    chain: RpcChain, name: str, holders: int, rows: Sequence[OutboxRow], seconds: float, receipt: float
) -> Measured:
    """With fees and units read back from a sample of the transactions, evenly spread."""
    sample = rows[:: max(len(rows) // SAMPLE, 1)]
    landed = [await chain.get_transaction(row.signature, "finalized") for row in sample]
    fees = sum(each.fee for each in landed if each is not None)
    units = sum(each.units or 0 for each in landed if each is not None)
    recipients = holders / len(rows) * sum(each is not None for each in landed)
    size = max(len(row.transaction) for row in rows)
    return Measured(name, holders, len(rows), seconds, size, fees / recipients, units / recipients, receipt)


async def measure(cluster: Cluster, holders: int, single: int, seed: int) -> list[str]:
    """The whole table, as lines of Markdown."""
    opened = await open_issuer(cluster)
    lines = [COLUMNS, "| --- |" + " ---: |" * (COLUMNS.count("|") - 2)]
    async with RpcChain([cluster.url], SystemClock()) as chain:
        live = Live(cluster, chain, Keypair())
        await fund_from(chain, live.payer.pubkey(), lamports=500 * SOL)
        for program, name in ((SPL_TOKEN_PROGRAM, "SPL Token"), (TOKEN_2022_PROGRAM, "Token-2022")):
            for each in await measure_program(live, opened, program, holders, single, seed, name):
                each_time = each.holders / each.transactions
                lines.append(
                    f"| {each.name} | {each.holders:,} | {each.transactions:,} | {each_time:.1f} |"
                    f" {each.size:,} | {each.fee:,.1f} | {each.units:,.0f} | {each.receipt:.2f} | {each.seconds:,.1f} |"
                    f" {each.holders / each.seconds:,.0f} |"
                )
        per_byte = await chain.get_minimum_balance_for_rent_exemption(0) // peers.OVERHEAD
    lines += ["", f"For 1,000,000 holders, by arithmetic, at {per_byte:,} lamports of rent a byte:", ""]
    return lines + peers.table(10**6, per_byte)


def main() -> None:
    """Run it once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--holders", type=int, default=1_000 * BATCH)
    parser.add_argument("--single", type=int, default=1_000, help="holders paid by one transfer to a transaction")
    parser.add_argument("--seed", type=int, default=20261127)
    given = parser.parse_args()
    with run_validator() as cluster:
        print("\n".join(asyncio.run(measure(cluster, given.holders, given.single, given.seed))))


if __name__ == "__main__":
    main()
