"""A pushing process killed with SIGKILL at random moments, and started again: each owner has its amount, once."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from pathlib import Path
from random import Random

from clusters import LOCALNET, VALIDATOR, Cluster, Fund
from live_cluster import Live
from live_issuer import SOL
from live_opening import Opened
from live_payouts import announce, committed, issue, make_accounts, make_mint, open_funded, second_key
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tallystick.adapters.chain.outbox import OutboxState
from tallystick.adapters.chain.rpc import RpcChain
from tallystick.adapters.store.store import open_store
from tallystick.domain.distribution_tree import DistributionTree
from tallystick.domain.dividends import PayoutBatch, PayoutLine, PayoutRecord, PayoutState
from tallystick.program import addresses
from tallystick.program.token import SPL_TOKEN_PROGRAM, associated_token_address, decode_token_account

BATCHES, SIZE = 40, 3
KILLS = {LOCALNET: 6, VALIDATOR: 20}
"""How often the process is killed."""
LONGEST = {LOCALNET: 1.2, VALIDATOR: 3.0}
"""Seconds between the moment that a process begins to push and its end, at most."""
PAUSE = {LOCALNET: 0.2, VALIDATOR: 0.4}
"""Seconds before each batch, so that every kill finds something left to do."""
SCRIPT = Path(__file__).parent / "pushing.py"
WITHIN_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Funded:
    """A distribution that can be paid: what the store says of it, and its escrow."""

    record: PayoutRecord
    batches: tuple[PayoutBatch, ...]
    escrow: Pubkey

    @property
    def lines(self) -> list[PayoutLine]:
        """All of them, in their order."""
        return [line for batch in self.batches for line in batch.lines]


async def fund_distribution(live: Live, opened: Opened, payout: Pubkey, wallets: list[Pubkey]) -> Funded:
    """Open, approve and fund one that pays these wallets 1,000 base units, 1,001 and so on, and has finalized."""
    program, desk = SPL_TOKEN_PROGRAM, Live(live.cluster, live.chain, opened.desk.payer)
    second = await second_key(desk, opened)
    action, mint = await announce(live, opened, second), await make_mint(live, program)
    await make_accounts(live, program, mint, wallets)
    places = committed(wallets, program, mint)
    lines = [
        PayoutLine(bytes(wallet), address, bump, 1_000 + number)
        for number, (wallet, (address, bump)) in enumerate(zip(wallets, places, strict=True))
    ]
    source = await issue(live, program, mint, sum(line.amount for line in lines))
    distribution = addresses.distribution_address(action, 0)
    tree = DistributionTree(bytes(distribution), [line.entry for line in lines], size=SIZE)
    expires_at = await open_funded(
        live, opened, second, program=program, mint=mint, action=action, source=source, payout=payout, tree=tree
    )
    escrow = associated_token_address(distribution, mint, program)
    funded = await live.chain.get_account(escrow)
    while await live.chain.get_account(escrow, "finalized") != funded:
        await live.clock.sleep(0.2)
    record = PayoutRecord(
        address=bytes(distribution),
        security=bytes(opened.share.address),
        action=bytes(action),
        number=0,
        payment_mint=bytes(mint),
        token_program=bytes(program),
        payment_decimals=6,
        payout_key=bytes(payout),
        refund=bytes(source),
        root=tree.root,
        batches=len(tree.batches),
        entries=tree.entries,
        total=tree.total,
        expires_at=expires_at,
        document=b"{}",
        created_at=0,
        batch_size=SIZE,
        state=PayoutState.APPROVED,
    )
    parts = (tuple(lines[start : start + SIZE]) for start in range(0, len(lines), SIZE))
    return Funded(record, tuple(PayoutBatch(number, part) for number, part in enumerate(parts)), escrow)


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
    made = await fund_distribution(live, opened, payout.pubkey(), wallets)
    accounts, wanted = [Pubkey.from_bytes(line.address) for line in made.lines], [line.amount for line in made.lines]
    distribution = Pubkey.from_bytes(made.record.address)
    store_url, key_file = f"sqlite:///{tmp_path / 'store.db'}", tmp_path / "payout.json"
    key_file.touch(mode=0o600)
    key_file.write_text(payout.to_json())
    async with await open_store(store_url) as store:
        await store.payouts.add(made.record, made.batches, (), ())

    async def balances() -> list[int]:
        _, found = await chain.get_accounts(accounts)
        return [decode_token_account(account.data).amount for account in found if account is not None]

    asked = (cluster.url, store_url, str(distribution), str(key_file))
    killed_in_the_middle = 0
    for _ in range(KILLS[cluster.name]):
        process = await start(*asked, str(PAUSE[cluster.name]))
        await asyncio.sleep(rng.uniform(0, LONGEST[cluster.name]))
        if process.returncode is None:
            process.kill()
        await process.wait()
        found = await balances()
        assert all(balance in (0, amount) for balance, amount in zip(found, wanted, strict=True))
        killed_in_the_middle += process.returncode == -9 and 0 in found
    last = await start(*asked, "0")
    async with asyncio.timeout(WITHIN_SECONDS):
        told, _ = await last.communicate()
    report = json.loads(told)
    assert await balances() == wanted
    assert await live.raw(made.escrow) == 0
    assert (report["complete"], report["paid"], report["amount"]) == (True, len(wanted), made.record.total)
    assert killed_in_the_middle > KILLS[cluster.name] // 2
    async with await open_store(store_url) as store:
        assert await store.outbox.pending() == ()
        rows = await store.outbox.find(f"dividend:{distribution}:")
        assert {row.state for row in rows} <= {OutboxState.LANDED, OutboxState.DEAD}
