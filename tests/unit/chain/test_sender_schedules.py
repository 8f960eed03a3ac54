"""Whatever the cluster and the process do, in whatever order: one intent never takes effect twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from faulty_cluster import Crash, FaultyCluster, WatchingOutbox
from hypothesis import example, given, settings
from hypothesis import strategies as st
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from tallystick.adapters.chain.outbox import OutboxState
from tallystick.adapters.chain.send_result import Outcome, SendResult
from tallystick.adapters.chain.sender import Sender, SendSettings
from tallystick.adapters.chain.signers import KeypairSigner
from tallystick.adapters.clock import ManualClock
from tallystick.errors import EndpointError, TallystickError

PAYER = Keypair.from_seed(bytes([9] * 32))
PAYMENT = transfer(TransferParams(from_pubkey=PAYER.pubkey(), to_pubkey=Pubkey.default(), lamports=1))
INTENT = "pay:1"
# Few looks, so that many schedules fit into a second.
SETTINGS = SendSettings(poll_every=2.0, broadcast_every=4.0, patience=100.0, attempts=2)

Fault = tuple[str, float]
FAULTS: st.SearchStrategy[Fault] = st.one_of(
    st.tuples(st.sampled_from(["crash", "refuse"]), st.just(0.0)),
    st.tuples(st.just("fork"), st.sampled_from([0.0, 1.0, 4.0])),
    st.tuples(st.just("drop"), st.sampled_from([1.0, 5.0, 30.0, 100.0])),
    st.tuples(st.just("delay"), st.sampled_from([0.0, 3.0, 30.0, 59.0, 61.0, 90.0])),
    st.tuples(st.just("jump"), st.sampled_from([1.0, 20.0, 59.0, 73.0, 500.0])),
    st.tuples(st.sampled_from(["dead", "forgetful"]), st.sampled_from([-1.0, 0.0, 1.0])),
    st.tuples(st.just("duplicate"), st.sampled_from([1.0, 40.0, 75.0])),
)
SCHEDULES = st.lists(st.tuples(st.integers(1, 40), FAULTS), max_size=25)


def faults_of(cluster: FaultyCluster, schedule: list[tuple[int, Fault]]) -> Callable[[str], None]:
    """Before each call, count down to the next fault of the schedule and let it happen."""
    left = list(schedule)
    waited = 0

    def on_call(name: str) -> None:
        nonlocal waited
        waited += 1
        if not left or waited < left[0][0]:
            return
        waited = 0
        (_, (kind, amount)) = left.pop(0)
        if kind == "crash":
            raise Crash
        if kind == "refuse":
            raise EndpointError(f"{name} was refused")
        if kind == "fork":
            cluster.fork(amount)
        elif kind == "drop":
            cluster.drop_sends = int(amount)
        elif kind == "delay":
            cluster.send_delay = amount
        elif kind == "jump":
            cluster.clock.advance(amount)
        elif kind == "duplicate":
            cluster.duplicate_sent(amount)
        elif kind == "dead":
            cluster.dead = frozenset() if amount < 0 else frozenset({int(amount)})
        else:
            # One endpoint may be wrong about history; that another is right is what two are for.
            cluster.forgetful = frozenset() if amount < 0 else frozenset({int(amount)} & set(range(cluster.endpoints)))

    return on_call


LYING_WITNESS: list[tuple[int, Fault]] = [(18, ("drop", 1.0)), (40, ("forgetful", 0.0)), (28, ("fork", 0.0))]
"""The only endpoint forgets a signature that landed after all."""
REFUSED_AT_LAST: list[tuple[int, Fault]] = [
    (1, ("crash", 0.0)), (1, ("crash", 0.0)), (1, ("fork", 0.0)), (6, ("crash", 0.0)), (13, ("refuse", 0.0)),
    (40, ("forgetful", 0.0)), (26, ("crash", 0.0)),
]  # fmt: skip
"""The guard refuses the last signature, since an earlier one took effect."""
ALONE: dict[str, Any] = {
    "endpoints": 1,
    "is_guarded": True,
    "is_checked": True,
    "resumes": [False] * 4,
    "drop_sends": 0,
}


@settings(max_examples=250, deadline=None)
@example(schedule=LYING_WITNESS, send_delay=60.5, **ALONE)
@example(schedule=REFUSED_AT_LAST, send_delay=50.0, **ALONE)
@given(
    schedule=SCHEDULES,
    endpoints=st.sampled_from([1, 2]),
    is_guarded=st.booleans(),
    is_checked=st.booleans(),
    resumes=st.lists(st.booleans(), min_size=4, max_size=4),
    drop_sends=st.sampled_from([0, 1, 1_000]),
    send_delay=st.sampled_from([0.0, 50.0, 57.0, 59.0, 59.8, 60.5]),
)
def test_no_schedule_stores_two_signatures_that_can_both_take_effect(
    schedule: list[tuple[int, Fault]],
    endpoints: int,
    is_guarded: bool,
    is_checked: bool,
    resumes: list[bool],
    drop_sends: int,
    send_delay: float,
) -> None:
    clock = ManualClock()
    cluster = FaultyCluster(
        clock,
        endpoints=endpoints,
        is_guarded=is_guarded,
        confirmed_after=20,
        drop_sends=drop_sends,
        send_delay=send_delay,
    )
    outbox = WatchingOutbox(cluster)
    cluster.on_call = faults_of(cluster, schedule)

    async def live(resumes_first: bool) -> SendResult | None:
        """One life of the process; None when it ended in a crash, or before anything was sent."""
        sender = Sender(cluster, outbox, clock, settings=SETTINGS)  # type: ignore[arg-type]
        try:
            if resumes_first:
                await sender.resume()
            return await sender.send(
                [PAYMENT],
                [KeypairSigner(PAYER)],
                intent=INTENT,
                is_done=cluster.is_done if is_checked else None,
                is_guarded=is_guarded,
            )
        except (Crash, TallystickError):
            return None

    async def lives() -> SendResult | None:
        result = None
        for resumes_first in resumes:
            result = await live(resumes_first)
            if result is not None:
                check(result)
        # Then the weather clears.
        cluster.on_call = lambda name: None
        cluster.drop_sends, cluster.send_delay = 0, 0.0
        cluster.dead = cluster.forgetful = frozenset()
        for _ in range(3):
            clock.advance(400)
            result = await live(False) or result
        return result

    def check(result: SendResult) -> None:
        if result.outcome is Outcome.LANDED:
            assert result.signature in cluster.effects
        if result.outcome is Outcome.ALREADY_DONE:
            assert cluster.effects
        if result.outcome is Outcome.FAILED:
            assert result.signature not in cluster.effects

    result = asyncio.run(lives())
    clock.advance(1_000)
    cluster.arrive()
    assert len(cluster.effects) <= 1
    if result is not None:
        check(result)
    rows = asyncio.run(outbox.get_by_intent(INTENT))
    if endpoints == 1 and not is_guarded:
        assert len(rows) <= 1
    if not is_checked:
        assert len(rows) <= 1
    if is_checked and (endpoints > 1 or is_guarded):
        assert result is not None
        assert result.is_done, "with a check and a witness, clear weather always brings the effect about"
        assert len(cluster.effects) == 1
        # The guard may have refused the last one, because an earlier one had taken effect.
        assert rows[-1].state in (OutboxState.LANDED, OutboxState.DEAD) or (
            is_guarded and rows[-1].state is OutboxState.FAILED
        )
