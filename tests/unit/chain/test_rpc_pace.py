"""No endpoint is asked more often than its plan allows, however many ask at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rpc_node import Node, rpc_chain
from solders.pubkey import Pubkey
from tallystick.adapters.chain.rpc import RpcLimits
from tallystick.adapters.clock import ManualClock
from tallystick.errors import ConfigurationError


class TimedNode(Node):
    """Remembers when it was asked."""

    def __init__(self, clock: ManualClock, **answers: Any) -> None:
        super().__init__(**answers)
        self.clock = clock
        self.times: list[float] = []

    def handle(self, request: Any) -> Any:
        self.times.append(self.clock.monotonic())
        return super().handle(request)


@given(
    rate=st.sampled_from([0.5, 1.0, 3.0, 10.0, 50.0]),
    bursts=st.lists(st.tuples(st.integers(1, 12), st.floats(0, 3)), min_size=1, max_size=5),
    has_broadcasts=st.booleans(),
)
def test_no_window_sees_more_requests_than_the_rate_and_two(
    rate: float, bursts: list[tuple[int, float]], has_broadcasts: bool
) -> None:
    clock = ManualClock()
    nodes = [TimedNode(clock, getSlot=7, getBlockHeight=9) for _ in range(2)]
    chain = rpc_chain(*nodes, clock=clock, limits=RpcLimits(requests_per_second=rate))

    async def ask() -> None:
        for count, pause in bursts:
            await asyncio.gather(*(chain.get_slot() for _ in range(count)))
            if has_broadcasts:
                await chain.get_block_height("finalized")
            await clock.sleep(pause)

    asyncio.run(ask())
    for node in nodes:
        for first, begins in enumerate(node.times):
            for last in range(first, len(node.times)):
                window = node.times[last] - begins
                assert last - first + 1 <= window * rate + 2 + 1e-3


async def test_a_long_queue_is_answered_at_the_rate() -> None:
    clock = ManualClock()
    node = TimedNode(clock, getSlot=7)
    chain = rpc_chain(node, clock=clock, limits=RpcLimits(requests_per_second=10.0))
    await asyncio.gather(*(chain.get_slot() for _ in range(101)))
    assert clock.monotonic() == pytest.approx(10.0)


async def test_who_asks_first_is_answered_first() -> None:
    clock = ManualClock()
    node = TimedNode(clock, getBalance={"context": {"slot": 1}, "value": 5})
    chain = rpc_chain(node, clock=clock, limits=RpcLimits(requests_per_second=2.0))
    wallets = [Pubkey(bytes([number]) * 32) for number in range(1, 9)]
    await asyncio.gather(*(chain.get_balance(wallet) for wallet in wallets))
    assert [params[0] for method, params in node.asked if method == "getBalance"] == [str(each) for each in wallets]


async def test_without_a_limit_nobody_waits() -> None:
    clock = ManualClock()
    node = TimedNode(clock, getSlot=7)
    chain = rpc_chain(node, clock=clock)
    await asyncio.gather(*(chain.get_slot() for _ in range(100)))
    assert set(node.times) == {0.0}


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan")])
def test_a_rate_that_lets_nothing_through_is_refused(rate: float) -> None:
    with pytest.raises(ConfigurationError):
        RpcLimits(requests_per_second=rate)
