"""Runs one schedule against a way to push, and checks after every life and at the end what the chain says."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from chain_in_process import START
from payout_cluster import FaultyPayoutCluster
from payout_scenes import PAYER, Scene, stage
from payout_schedules import Holders, LifePlan, Schedule, Weather
from payout_store_faults import Life, MemoryStores, Mortal, SqlStores, Stores, WatchingOutbox
from payout_time import LIFE, VirtualClock, VirtualLoop, run_virtually
from solders.pubkey import Pubkey
from solders.signature import Signature
from tallystick.adapters.chain.outbox import OutboxState
from tallystick.domain.dividends import HolderClass, PayoutLine
from tallystick.errors import TallystickError
from tallystick.program.token import SPL_TOKEN_PROGRAM, TOKEN_2022_PROGRAM

PATIENCE = 20_000.0
"""Seconds after which a life that neither ended nor died is a failure."""
ACCOUNT_BYTES = {bytes(SPL_TOKEN_PROGRAM): 165, bytes(TOKEN_2022_PROGRAM): 170}
"""Of an associated account."""
LAST_RUNS = 4
"""How often a push is run in clear weather, at most, until it says that nothing is left to do."""


@dataclass
class Attempt:
    """What one process has: its adapters, whom it must not pay, and how it is stopped."""

    scene: Scene
    chain: Any
    payouts: Any
    outbox: Any
    clock: VirtualClock
    suspended: frozenset[bytes]
    frozen: frozenset[bytes]
    rent_cap: int
    in_flight: int
    should_stop: Callable[[], bool]
    confirm_stage: Callable[[object, object], Awaitable[bool]]


Pusher = Callable[[Attempt], Awaitable[Any]]


class ReportCheck(Protocol):
    """Raises where a report does not say what the chain says; whether it says that nothing is left to do."""

    def __call__(self, trial: Trial, report: Any, *, is_last: bool) -> bool: ...


@dataclass
class Counts:
    """What a run of many schedules did."""

    schedules: int = 0
    lives: int = 0
    deaths: Counter[str] = field(default_factory=Counter)
    rollbacks: int = 0
    together: int = 0
    stops: int = 0
    transactions: int = 0
    undone: int = 0
    paid: int = 0
    skipped: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        parts = [
            f"{self.schedules:,} schedules, {self.lives:,} lives ({self.together:,} two at once)",
            f"{self.deaths.total():,} killed, {self.rollbacks:,} stores put back, {self.stops:,} stopped",
            f"{self.transactions:,} transactions executed, {self.undone:,} taken back by forks",
            f"{self.paid:,} entries paid, {self.skipped:,} left",
            "faults: " + ", ".join(f"{kind} {count:,}" for kind, count in self.faults.most_common()),
            "killed: " + ", ".join(f"{kind} {count:,}" for kind, count in self.deaths.most_common()),
            "lives ended by: " + ", ".join(f"{kind} {count:,}" for kind, count in self.errors.most_common()),
        ]
        return "\n".join(parts)


class Trial:
    """One schedule while it runs."""

    def __init__(self, plan: Schedule, loop: VirtualLoop, counts: Counts, *, is_guarded: bool) -> None:
        self.plan = plan
        self.counts = counts
        self.scene = stage().scenes[plan.scene]
        self.clock = VirtualClock(loop, START)
        self.cluster = FaultyPayoutCluster(self.scene, self.clock, PAYER.pubkey())
        self.suspended = {self.scene.lines[each].owner for each in plan.suspended}
        self.frozen = {line.owner for place, line in enumerate(self.scene.lines) if place in plan.frozen}
        self.holders = Holders(self.scene, self.cluster, self.suspended, self.frozen)
        self.weather = Weather(plan, self.cluster, self.clock, self.holders)
        self.is_guarded = is_guarded
        self.stores: Stores = SqlStores() if plan.is_sql else MemoryStores()
        self.rent_each = self.cluster.rent(ACCOUNT_BYTES[self.scene.record.token_program])
        self.rent_cap = plan.rent_cap * self.rent_each
        self.rollbacks = 0
        self.signed_last: list[Signature] = []
        """What the process that began last has signed."""

    async def run(self, push: Pusher, check_report: ReportCheck | None) -> None:
        """All of it. AssertionError where something is wrong."""
        self.cluster.endpoints = ("good",) * self.plan.endpoints
        self.holders.set_up(self.plan.states)
        await self.stores.payouts.add(self.scene.record, self.scene.batches, (), ())
        self.stores.take()
        self.cluster.weather = self.weather
        for turn in self.plan.lives:
            await self._turn(turn, push, check_report)
        self.weather.clear()
        for _ in range(LAST_RUNS):
            self.clock.jump(400.0)
            self.cluster.arrive()
            report = await self._live(Life(), push, LifePlan((None,), 0.0, None, None, False), is_last=True)
            self.check()
            if check_report is None or check_report(self, report, is_last=True):
                break
        else:
            raise AssertionError(f"it says that something is left to do, after {LAST_RUNS} runs: {report}")
        self.clock.jump(1_000.0)
        self.cluster.arrive()
        self.check()
        if self.is_guarded:
            await self.check_end()
            await self.check_outbox()

    async def _turn(self, turn: LifePlan, push: Pusher, check_report: ReportCheck | None) -> None:
        self.clock.jump(turn.pause)
        if turn.rollback is not None:
            self.stores.put_back(turn.rollback)
            self.rollbacks += 1
            self.counts.rollbacks += 1
        self.counts.together += len(turn.deaths) > 1
        lives = [Life(dies_at) for dies_at in turn.deaths]
        reports = await asyncio.gather(*(self._live(life, push, turn) for life in lives))
        self.stores.take()
        self.cluster.arrive()
        self.check()
        for report in reports:
            if report is not None and check_report is not None:
                check_report(self, report, is_last=False)

    async def _live(self, life: Life, push: Pusher, turn: LifePlan, *, is_last: bool = False) -> Any:
        """One process; its report, None when it died or gave up with an error of ours."""
        self.counts.lives += 1
        looks = 0

        def should_stop() -> bool:
            nonlocal looks
            looks += 1
            return turn.stops_after is not None and looks > turn.stops_after

        async def confirm_stage(stage: object, progress: object) -> bool:
            return not turn.halts_at_stage

        programs = {line.owner for line in self.scene.lines if line.holder_class is HolderClass.PROGRAM}
        left_alone = frozenset(self.suspended | self.frozen | programs)
        outbox = WatchingOutbox(self.stores.outbox, self.cluster, is_strict=self.is_guarded, left_alone=left_alone)
        self.signed_last = outbox.signed
        attempt = Attempt(
            scene=self.scene,
            chain=Mortal(life, self.cluster),
            payouts=Mortal(life, self.stores.payouts),
            outbox=Mortal(life, outbox),
            clock=self.clock,
            suspended=frozenset(self.suspended),
            frozen=frozenset(self.frozen),
            rent_cap=self.rent_cap,
            in_flight=self.plan.in_flight,
            should_stop=should_stop,
            confirm_stage=confirm_stage,
        )
        tasks: set[asyncio.Task[Any]] = set()
        token = LIFE.set(tasks)
        work = asyncio.ensure_future(push(attempt))
        LIFE.reset(token)
        try:
            report = await asyncio.wait_for(asyncio.shield(work), PATIENCE)
        except BaseException as error:
            if isinstance(error, TimeoutError) and not work.done():
                raise AssertionError(f"a life did not end in {PATIENCE:g} s") from error
            if life.is_dead:
                self.counts.deaths[life.died_at] += 1
                return None
            if is_last or not isinstance(error, TallystickError):
                raise
            self.counts.errors[type(error).__name__] += 1
            return None
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if life.is_dead:
            raise AssertionError("it was killed and went on")
        self.counts.errors["its own end"] += 1
        self.counts.stops += looks > (turn.stops_after or looks)
        return report

    # Checks ----------------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """What has to hold at any time, from the balances alone."""
        cluster, scene = self.cluster, self.scene
        assert not cluster.violations, cluster.violations[0]
        if not self.is_guarded:
            return
        paid, words = 0, cluster.words()
        for place, line in enumerate(scene.lines):
            received = cluster.received[line.address]
            assert received in (0, line.amount), f"line {place} received {received:,} of {line.amount:,}"
            balance = cluster.amount(Pubkey.from_bytes(line.address))
            assert balance == received - cluster.spent[line.address], f"line {place} has {balance:,}"
            batch, index = divmod(place, scene.record.batch_size)
            assert bool(words[batch] >> index & 1) == bool(received), f"line {place}: the bit says otherwise"
            paid += received
        assert cluster.amount(scene.payout.escrow) == scene.record.total - paid, "the escrow"
        if not self.rollbacks:
            twice = [each for each, count in cluster.created.items() if count > 1]
            assert not twice, f"{Pubkey.from_bytes(twice[0])} was created twice at our cost"
            assert cluster.created.total() <= self.plan.rent_cap, "more rent than the cap"

    async def check_end(self) -> None:
        """Once the weather is clear and the push has run: everybody who can be paid has the committed amount."""
        for place, line in enumerate(self.scene.lines):
            received, may_be = self.cluster.received[line.address], self.may_be_paid(line)
            if received:
                self.counts.paid += 1
                continue
            self.counts.skipped += 1
            is_missing = self.cluster.find(Pubkey.from_bytes(line.address)) is None
            if may_be and is_missing:
                may_be = await self.may_be_created(line)
                assert not may_be, f"line {place} has no account, there was rent for it, and it was not paid"
            assert not (may_be and self.holders.is_payable(line)), f"line {place} could be paid and was not"

    async def check_outbox(self) -> None:
        """What the outbox says became of each signature did. Where the only endpoint may have lied, one that is called
        dead may have landed."""
        told = {OutboxState.LANDED: "landed", OutboxState.FAILED: "failed", OutboxState.DEAD: "absent"}
        for row in await self.stores.outbox.find("dividend"):
            fate = self.cluster.fate_of(row.signature)
            assert row.state in told, f"{row.intent} is left {row.state}"
            is_excused = row.state is OutboxState.DEAD and self.plan.endpoints == 1
            assert told[row.state] == fate or is_excused, f"{row.intent} is {row.state}, and {fate} on chain"

    def may_be_paid(self, line: PayoutLine) -> bool:
        """Whether a push may pay it, if its account takes it."""
        if line.holder_class is HolderClass.PROGRAM or line.owner in self.suspended:
            return False
        return line.owner not in self.frozen

    async def may_be_created(self, line: PayoutLine) -> bool:
        """Whether its account may be created at our cost: not twice, and not beyond the cap. What the only endpoint
        says was never opened may have been."""
        payouts, address = self.stores.payouts, self.scene.record.address
        if await payouts.reserved_of(address, [line.address]):
            return line.address not in self.cluster.opened and self.plan.endpoints > 1
        return bool(await payouts.rent_reserved(address) + self.rent_each <= self.rent_cap)


def run_schedule(
    plan: Schedule,
    push: Pusher,
    counts: Counts,
    check_report: ReportCheck | None = None,
    *,
    is_guarded: bool = True,
) -> AssertionError | None:
    """Run one; what was wrong, with its trace, or None. `is_guarded` says that the push pays through the program; one
    that does not is only watched for what it pays."""
    trials: list[Trial] = []

    async def work(loop: VirtualLoop) -> None:
        trial = Trial(plan, loop, counts, is_guarded=is_guarded)
        trials.append(trial)
        try:
            await trial.run(push, check_report)
        finally:
            trial.cluster.weather = lambda name: None
            trial.cluster.restore()
            trial.stores.close()

    counts.schedules += 1
    wrong: AssertionError | None = None
    try:
        run_virtually(work)
    except AssertionError as error:
        wrong = error
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        wrong = AssertionError(f"{type(error).__name__}: {error}")
        wrong.__cause__ = error
    for trial in trials:
        counts.transactions += trial.cluster.executions
        counts.undone += trial.cluster.undone
        counts.faults.update(trial.weather.happened)
    if wrong is not None and trials:
        wrong.add_note("\n".join(trials[0].weather.trace))
    return wrong


def smallest(plan: Schedule, is_wrong: Callable[[Schedule], bool], tries: int = 300) -> Schedule:
    """A schedule that is wrong too, with as few faults and lives as can be found."""
    is_smaller = True
    while is_smaller and tries > 0:
        is_smaller = False
        changes: Sequence[Schedule] = [
            *(plan.without_life(place) for place in range(len(plan.lives))),
            *(plan.without_fault(at) for at in sorted(plan.faults, reverse=True)),
        ]
        for smaller in changes:
            tries -= 1
            if is_wrong(smaller):
                plan, is_smaller = smaller, True
                break
            if tries <= 0:
                break
    return plan


__all__ = ["Attempt", "Counts", "Trial", "run_schedule", "smallest"]
