"""A localnet whose clock moves only when told to, and the client that asks it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from asking import START, Raw
from solana.rpc.async_api import AsyncClient
from solders.keypair import Keypair
from tallystick.adapters.chain.ledger import Ledger
from tallystick.adapters.clock import ManualClock
from tallystick.localnet import LocalnetServer, create_ledger


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def ledger(clock: ManualClock) -> Ledger:
    return create_ledger(clock, seed=b"tests")


@pytest.fixture
async def url(ledger: Ledger) -> AsyncIterator[str]:
    async with LocalnetServer(ledger, port=0) as server:
        yield server.url


@pytest.fixture
async def raw(url: str) -> AsyncIterator[Raw]:
    async with httpx.AsyncClient(verify=False) as client:
        yield Raw(client, url)


@pytest.fixture
async def client(url: str) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(url) as client:
        yield client


@pytest.fixture
def payer(ledger: Ledger) -> Keypair:
    """A key with 10 SOL."""
    key = Keypair.from_seed(bytes([1] * 32))
    ledger.airdrop(key.pubkey(), 10 * 10**9)
    return key
