"""A pushing process killed with SIGKILL at random moments, and started again: each owner has its amount, once."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from random import Random

from clusters import LOCALNET, VALIDATOR, Cluster, Fund
from live_cluster import Live
from live_distribution import Funded, fund_distribution
from live_issuer import SOL
from live_opening import Opened
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tallystick.adapters.chain.outbox import OutboxState
from tallystick.adapters.chain.rpc import RpcChain
from tallystick.adapters.store.store import open_store
from tallystick.domain.dividends import PayoutBatch, PayoutLine, PayoutRecord, PayoutState
from tallystick.program.token import SPL_TOKEN_PROGRAM, decode_token_account

BATCHES, SIZE = 40, 3
KILLS = {LOCALNET: 6, VALIDATOR: 20}
"""How often the process is killed."""
LONGEST = {LOCALNET: 1.2, VALIDATOR: 3.0}
"""Seconds between the moment that a process begins to push and its end, at most."""
SLOW, FAST = ("1", "0.2"), ("16", "0.05")
"""Transactions in flight and seconds between looks: slow enough to be killed in it, and as it is."""
SCRIPT = Path(__file__).parent / "pushing.py"
WITHIN_SECONDS = 120


def record_of(made: Funded, opened: Opened, payout: Pubkey) -> PayoutRecord:
    """What the store says of it."""
    return PayoutRecord(
        address=bytes(made.address),
        security=bytes(opened.share.address),
        action=bytes(made.action),
        number=0,
        payment_mint=bytes(made.mint),
        token_program=bytes(SPL_TOKEN_PROGRAM),
        payment_decimals=6,
        payout_key=bytes(payout),
        refund=bytes(made.source),
        root=made.tree.root,
        batches=len(made.tree.batches),
        entries=made.tree.entries,
        total=made.tree.total,
        expires_at=made.expires_at,
        document=b"{}",
        created_at=0,
        batch_size=SIZE,
        state=PayoutState.APPROVED,
    )


async def start(*arguments: str) -> Process:
    """A process that has begun to push."""
    process = await asyncio.create_subprocess_exec(sys.executable, str(SCRIPT), *arguments, stdout=PIPE)
    assert process.stdout is not None
    async with asyncio.timeout(WITHIN_SECONDS):
        assert await process.stdout.readline() == b"pushing\n"
    return process


async def test_a_push_killed_again_and_again_pays_everybody_once(
    cluster: Cluster, chain: RpcChain, fund: Fund, opened: Opened, tmp_path: Path
) -> None:
    seed = int(os.environ.get("TALLY_SEED", "0")) or secrets.randbits(32)
    print(f"TALLY_SEED={seed}")
    rng, live, payout = Random(seed), Live(cluster, chain, Keypair()), Keypair()
    await fund(live.payer.pubkey(), payout.pubkey(), lamports=20 * SOL)
    wallets = sorted((Keypair().pubkey() for _ in range(BATCHES * SIZE)), key=bytes)
    amounts = {wallet: 1_000 + place for place, wallet in enumerate(wallets)}
    made = await fund_distribution(live, opened, SPL_TOKEN_PROGRAM, payout.pubkey(), amounts, SIZE)
    funded = await chain.get_account(made.escrow)
    while await chain.get_account(made.escrow, "finalized") != funded:
        await live.clock.sleep(0.2)
    addresses = [Pubkey.from_bytes(entry.address) for batch in made.tree.batches for entry in batch.entries]
    entries = [entry for batch in made.tree.batches for entry in batch.entries]
    lines = [
        PayoutLine(bytes(wallet), entry.address, entry.bump, entry.amount)
        for wallet, entry in zip(wallets, entries, strict=True)
    ]
    batches = [PayoutBatch(place, tuple(lines[place * SIZE : (place + 1) * SIZE])) for place in range(BATCHES)]
    store_url, key_file = f"sqlite:///{tmp_path / 'store.db'}", tmp_path / "payout.json"
    key_file.touch(mode=0o600)
    key_file.write_text(payout.to_json())
    async with await open_store(store_url) as store:
        await store.payouts.add(record_of(made, opened, payout.pubkey()), batches, (), ())

    async def balances() -> list[int]:
        _, found = await chain.get_accounts(addresses)
        return [decode_token_account(account.data).amount for account in found if account is not None]

    asked, wanted = (cluster.url, store_url, str(made.address), str(key_file)), list(amounts.values())
    killed_in_the_middle = 0
    for _ in range(KILLS[cluster.name]):
        process = await start(*asked, *SLOW)
        await asyncio.sleep(rng.uniform(0, LONGEST[cluster.name]))
        if process.returncode is None:
            process.kill()
        await process.wait()
        found = await balances()
        assert all(balance in (0, amount) for balance, amount in zip(found, wanted, strict=True))
        killed_in_the_middle += process.returncode == -9 and 0 in found
    last = await start(*asked, *FAST)
    async with asyncio.timeout(WITHIN_SECONDS):
        told, _ = await last.communicate()
    report = json.loads(told)
    assert await balances() == wanted
    assert await live.raw(made.escrow) == 0
    assert (report["complete"], report["paid"], report["amount"]) == (True, len(wanted), made.tree.total)
    assert killed_in_the_middle > KILLS[cluster.name] // 2
    async with await open_store(store_url) as store:
        assert await store.outbox.pending() == ()
        rows = await store.outbox.find(f"dividend:{made.address}:")
        assert {row.state for row in rows} <= {OutboxState.LANDED, OutboxState.DEAD}
