"""The clusters that end-to-end tests run on, under the same ids: the localnet and solana-test-validator.

A test that takes `cluster` (or `chain`, `fund`) runs once on each. Marked `warp` it needs days to pass, and runs on the
localnet alone; marked `validator` it runs on that alone. Without a validator its half is skipped with one countable
reason; TALLY_REQUIRE_VALIDATOR=1 makes that a failure.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator

import pytest
from clusters import LOCALNET, VALIDATOR, Cluster, Fund, has_validator, run_localnet, run_validator
from live_cluster import Live
from live_issuer import SOL, Desk, Share
from live_opening import Opened, fund_from, open_issuer
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tallystick.adapters.chain.rpc import RpcChain
from tallystick.adapters.clock import SystemClock

MISSING = "no solana-test-validator on this machine; get it with: make validator"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The same test on every cluster it can run on; session scope, so that each cluster starts once."""
    if "cluster_name" not in metafunc.fixturenames:
        return
    names = []
    if metafunc.definition.get_closest_marker("validator") is None:
        names.append(pytest.param(LOCALNET))
    if metafunc.definition.get_closest_marker("warp") is None:
        names.append(pytest.param(VALIDATOR, marks=pytest.mark.validator))
    metafunc.parametrize("cluster_name", names, scope="session")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """What needs a validator is skipped, or fails, before any fixture starts."""
    if item.get_closest_marker("validator") and not has_validator():
        if os.environ.get("TALLY_REQUIRE_VALIDATOR"):
            pytest.fail(f"TALLY_REQUIRE_VALIDATOR is set: {MISSING}", pytrace=False)
        pytest.skip(MISSING)


@pytest.fixture(scope="session")
def cluster(cluster_name: str) -> Iterator[Cluster]:
    """One cluster for the whole session: tests keep apart by using issuers and keys of their own."""
    with run_localnet() if cluster_name == LOCALNET else run_validator() as cluster:
        yield cluster


@pytest.fixture
async def chain(cluster: Cluster) -> AsyncIterator[RpcChain]:
    """The cluster as the library sees it."""
    async with RpcChain([cluster.url], SystemClock()) as chain:
        yield chain


@pytest.fixture
def fund(chain: RpcChain) -> Fund:
    """The faucet: `await fund(address, ..., lamports=10**10)`."""

    async def fund(*addresses: Pubkey, lamports: int = 10 * SOL) -> None:
        await fund_from(chain, *addresses, lamports=lamports)

    return fund


@pytest.fixture(scope="session")
def opened(cluster: Cluster) -> Opened:
    """An issuer opened once for each cluster, for tests that leave it as it was or act on wallets of their own."""
    return asyncio.run(open_issuer(cluster))


@pytest.fixture
def desk(opened: Opened) -> Desk:
    """The session's issuer."""
    return opened.desk


@pytest.fixture
def share(opened: Opened) -> Share:
    """The session's security, of which there is enough in reserve for tests that subscribe a few shares."""
    return opened.share


@pytest.fixture
def wallets(opened: Opened) -> tuple[Keypair, ...]:
    """Three wallets that the session's issuer has approved."""
    return opened.wallets


@pytest.fixture
def live(cluster: Cluster, chain: RpcChain, desk: Desk) -> Live:
    """The cluster, with the session's payer."""
    return Live(cluster, chain, desk.payer)
