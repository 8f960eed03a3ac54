"""An issuer ready for tests: every role in force, a security with a reserve, approved wallets."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from clusters import Cluster
from live_cluster import Live
from live_issuer import ONE, SOL, Desk, Share
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tallystick.adapters.chain.rpc import RpcChain
from tallystick.adapters.clock import SystemClock

FUNDED_WITHIN_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Opened:
    """What one session shares: an issuer with every role in force, a security with 1,000 shares attested, wallets."""

    desk: Desk
    share: Share
    wallets: tuple[Keypair, ...]


async def open_issuer(cluster: Cluster, reserve: int = 1_000 * ONE) -> Opened:
    """A new issuer on any cluster, on connections of its own."""
    desk = Desk(Keypair())
    share, wallets = Share(desk), (Keypair(), Keypair(), Keypair())
    async with RpcChain([cluster.url], SystemClock()) as chain:
        await fund_from(chain, desk.payer.pubkey(), lamports=200 * SOL)
        live = Live(cluster, chain, desk.payer)
        await desk.do_open(live)
        await asyncio.gather(share.do_list(live, reserve), desk.do_approve(live, *wallets))
    return Opened(desk, share, wallets)


async def fund_from(chain: RpcChain, *addresses: Pubkey, lamports: int) -> None:
    """Ask the faucet, and return when it is confirmed."""
    clock = SystemClock()
    signatures = [await chain.request_airdrop(address, lamports) for address in addresses]
    deadline = clock.monotonic() + FUNDED_WITHIN_SECONDS
    while clock.monotonic() < deadline:
        statuses = await chain.get_signature_statuses(signatures)
        if all(status and status.commitment in ("confirmed", "finalized") for status in statuses):
            return
        await clock.sleep(0.1)
    raise AssertionError(f"the faucet did not fund {addresses} within {FUNDED_WITHIN_SECONDS} s")
