"""Seeded schedules of everything that can go wrong while a distribution is pushed, and what one of them runs.

A schedule is data: which fault comes before which call, where each process dies, what the holders do meanwhile. It
follows from its seed alone, so a seed runs again alone; a fault can be taken out without moving the others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random

from payout_cluster import BEHIND, DEAD, FORGETFUL, GOOD, FaultyPayoutCluster, Record
from payout_scenes import Scene, stage
from payout_time import VirtualClock
from solders.account import Account
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from tallystick.domain.dividends import HolderClass, PayoutLine
from tallystick.program.token import SYSTEM_PROGRAM, TOKEN_2022_PROGRAM

CALLS = 400
"""Calls of the chain among which faults are spread."""

ENDPOINTS = {
    1: ((GOOD,), (FORGETFUL,), (DEAD,), (BEHIND,)),
    2: ((GOOD, GOOD), (FORGETFUL, GOOD), (GOOD, FORGETFUL), (DEAD, GOOD), (GOOD, DEAD), (BEHIND, GOOD), (GOOD, BEHIND),
        (DEAD, DEAD), (DEAD, FORGETFUL), (BEHIND, FORGETFUL)),
}  # fmt: skip
"""How endpoints may be. One of two may lie at a time; alone it may too, since the program pays once."""
FAULTS: dict[str, tuple[float, ...]] = {
    "refuse": (0.0,),
    "lose answer": (0.0,),
    "late answer": (1.0, 5.0, 20.0, 70.0),
    "stale answer": (0.0,),
    "drop": (1.0, 3.0, 10.0, 100.0),
    "delay": (0.0, 0.0, 3.0, 20.0, 55.0, 59.0, 61.0, 90.0),
    "duplicate": (0.0, 1.0, 30.0, 75.0),
    "fork never": (1.0, 3.0, 10.0, 31.0),
    "fork again": (1.0, 3.0, 10.0, 31.0),
    "fork lost": (3.0, 31.0),
    "jump": (1.0, 20.0, 59.0, 73.0, 500.0),
    "endpoints": tuple(map(float, range(10))),
    "fail": (1.0, 2.0),
    "escrow frozen": (0.0,),
    "escrow thawed": (0.0,),
    "payer is poor": (0.0, 10_000.0, 900_000.0, 2_500_000.0),
    "payer is rich": (float(10**12),),
    "claim": tuple(map(float, range(40))),
    "create": tuple(map(float, range(40))),
    "close": tuple(map(float, range(40))),
    "freeze": tuple(map(float, range(40))),
    "thaw": tuple(map(float, range(40))),
    "spend": tuple(map(float, range(40))),
    "suspend": tuple(map(float, range(40))),
    "release": tuple(map(float, range(40))),
}
"""Kinds of faults, and how much of each."""
STATES = ("ok",) * 9 + ("missing",) * 4 + ("frozen", "re-owned", "memo")
"""What an account of a recipient is at first."""
MOSTLY_MISSING = ("missing",) * 9 + ("ok",)
"""The same where hardly anybody has one."""


FROZEN_NOW = {HolderClass.WALLET: 0.03, HolderClass.FROZEN: 0.6, HolderClass.PROGRAM: 0.03}
"""How many have frozen tokens when the push begins."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens before one call of the chain."""

    kind: str
    amount: float

    @property
    def refuses(self) -> bool:
        """The call is refused."""
        return self.kind == "refuse"

    @property
    def loses(self) -> bool:
        """Its answer gets lost."""
        return self.kind == "lose answer"

    @property
    def late(self) -> float:
        """Its answer comes so many seconds late."""
        return self.amount if self.kind == "late answer" else 0.0

    @property
    def stale(self) -> bool:
        """It is answered with what it was answered before."""
        return self.kind == "stale answer"


@dataclass(frozen=True, slots=True)
class LifePlan:
    """One turn: after `pause` seconds, so many processes at once, each dying at its moment; the store is put back to
    copy `rollback` first. `stops_after` so many looks the operator stops it."""

    deaths: tuple[int | None, ...]
    pause: float
    rollback: int | None
    stops_after: int | None
    halts_at_stage: bool


@dataclass(frozen=True, slots=True)
class Schedule:
    """Everything that goes wrong. `rent_cap` in accounts that may be created."""

    seed: int
    scene: int
    endpoints: int
    faults: dict[int, Fault]
    lives: tuple[LifePlan, ...]
    states: tuple[str, ...]
    suspended: frozenset[int]
    frozen: frozenset[int]
    rent_cap: int
    in_flight: int
    is_sql: bool = False

    def without_fault(self, index: int) -> Schedule:
        """The same, less one fault."""
        return replace(self, faults={at: each for at, each in self.faults.items() if at != index})

    def without_life(self, place: int) -> Schedule:
        """The same, less one turn."""
        return replace(self, lives=self.lives[:place] + self.lives[place + 1 :])

    def describe(self) -> str:
        """For a person."""
        scene = stage().scenes[self.scene]
        lines = [
            f"seed {self.seed}: {scene.name}, {scene.record.batches} batches of {scene.record.batch_size}",
            f"{self.endpoints} endpoints, rent for {self.rent_cap} accounts, {self.in_flight} in flight",
            f"accounts: {' '.join(self.states)}; suspended {sorted(self.suspended)}, frozen {sorted(self.frozen)}",
        ]
        lines += [f"life: {each}" for each in self.lives]
        lines += [f"before call {at}: {each.kind} {each.amount:g}" for at, each in sorted(self.faults.items())]
        return "\n".join(lines)


def schedule(seed: int) -> Schedule:
    """The schedule of a seed."""
    rng = Random(seed)
    scenes = stage().scenes
    scene = rng.randrange(len(scenes))
    lines = scenes[scene].lines
    entries = len(lines)
    rate = rng.choice((0.0, 0.02, 0.05, 0.1, 0.2))
    kinds = rng.sample(list(FAULTS), rng.randint(2, len(FAULTS)))
    faults = {}
    for at in range(CALLS):
        if rng.random() < rate:
            kind = rng.choice(kinds)
            faults[at] = Fault(kind, rng.choice(FAULTS[kind]))
    states = MOSTLY_MISSING if rng.random() < 0.15 else STATES
    lives = tuple(_life(rng) for _ in range(rng.randint(1, 5)))
    return Schedule(
        seed=seed,
        scene=scene,
        endpoints=rng.choice((1, 2, 2)),
        faults=faults,
        lives=lives,
        states=tuple(rng.choice(states) for _ in range(entries)),
        suspended=frozenset(place for place in range(entries) if rng.random() < 0.05),
        frozen=frozenset(place for place, line in enumerate(lines) if rng.random() < FROZEN_NOW[line.holder_class]),
        rent_cap=rng.choice((0, 1, 3, 100)),
        in_flight=rng.choice((1, 2, 3, 64)),
    )


def _life(rng: Random) -> LifePlan:
    processes = 2 if rng.random() < 0.15 else 1
    return LifePlan(
        deaths=tuple(rng.randint(1, rng.choice((6, 20, 60))) if rng.random() < 0.7 else None for _ in range(processes)),
        pause=rng.choice((0.0, 1.0, 15.0, 59.0, 75.0, 400.0)),
        rollback=rng.randrange(5) if rng.random() < 0.2 else None,
        stops_after=rng.randint(1, 6) if rng.random() < 0.15 else None,
        halts_at_stage=rng.random() < 0.1,
    )


# What holders do ---------------------------------------------------------------------------------------------------


class Holders:
    """The recipients of one schedule, and what they do with their accounts."""

    def __init__(self, scene: Scene, cluster: FaultyPayoutCluster, suspended: set[bytes], frozen: set[bytes]) -> None:
        self.scene = scene
        self.cluster = cluster
        self.suspended = suspended
        self.frozen = frozen

    def set_up(self, states: tuple[str, ...]) -> None:
        """Give every recipient the account it begins with."""
        for line, state in zip(self.scene.lines, states, strict=True):
            address = Pubkey.from_bytes(line.address)
            found = self.cluster.find(address)
            assert found is not None
            if state == "ok":
                continue
            self.cluster.prepare(address, _account_as(state, found, self.scene))

    def do(self, kind: str, pick: int) -> bool:
        """Let one of them do something; whether there was anything to do."""
        line = self.scene.lines[pick % len(self.scene.lines)]
        address = Pubkey.from_bytes(line.address)
        found = self.cluster.find(address)
        match kind:
            case "suspend":
                self.suspended.add(line.owner)
            case "release":
                self.suspended.discard(line.owner)
            case "claim":
                if not self.is_payable(line) or self.cluster.received[line.address]:
                    return False
                self.cluster.submit(_claim(self.scene.name, pick % len(self.scene.lines)))
            case _ if (found is None) != (kind == "create"):
                return False
            case _:
                self.cluster.act(lambda record: self._change(record, line, kind))
        return True

    def _change(self, record: Record, line: PayoutLine, kind: str) -> None:
        address = Pubkey.from_bytes(line.address)
        found, amount = self.cluster.find(address), self.cluster.amount(address)
        match kind:
            case "create" if found is None:
                self.cluster.write(address, _fresh(self.scene, line))
            case "close" if found is not None:
                record.spent[line.address] += amount
                self.cluster.write(address, None)
            case "spend" if found is not None:
                record.spent[line.address] += amount
                self.cluster.write(address, _with(found, 64, bytes(8)))
            case "freeze" if found is not None:
                self.cluster.write(address, _with(found, 108, b"\2"))
            case "thaw" if found is not None:
                self.cluster.write(address, _with(_with(found, 108, b"\1"), 32, line.owner))
            case _:
                pass

    def is_payable(self, line: PayoutLine) -> bool:
        """Whether its account takes a plain transfer now."""
        return self.state_of(line) == "ok"

    def state_of(self, line: PayoutLine) -> str:
        """What its account is now, in the words of STATES."""
        found = self.cluster.find(Pubkey.from_bytes(line.address))
        if found is None:
            return "missing"
        if found.data[108] == 2:
            return "frozen"
        if found.data[-5:] == MEMO:
            return "memo"
        return "ok" if found.data[32:64] == line.owner else "re-owned"


MEMO = bytes([8, 0, 1, 0, 1])
"""The extension by which an account asks for memos."""


def _fresh(scene: Scene, line: PayoutLine) -> Account:
    chain = scene.payout.chain
    data = scene.record.payment_mint + line.owner + bytes(8)
    data = data.ljust(108, b"\0") + b"\1"
    data = data.ljust(165, b"\0")
    if scene.record.token_program == bytes(TOKEN_2022_PROGRAM):
        data += bytes([2, 7, 0, 0, 0])
    lamports = chain.svm.minimum_balance_for_rent_exemption(len(data))
    return Account(lamports, data, Pubkey.from_bytes(scene.record.token_program), False, 0)


def _with(account: Account, at: int, value: bytes) -> Account:
    data = account.data[:at] + value + account.data[at + len(value) :]
    return Account(account.lamports, data, account.owner, False, 0)


def _account_as(state: str, found: Account, scene: Scene) -> Account | None:
    match state:
        case "missing":
            return None
        case "frozen":
            return _with(found, 108, b"\2")
        case "re-owned":
            return _with(found, 32, bytes([3] * 32))
        case "memo" if scene.record.token_program == bytes(TOKEN_2022_PROGRAM):
            return Account(found.lamports, found.data + MEMO, found.owner, False, 0)
        case _:
            return found


@lru_cache(2_000)
def _claim(name: str, place: int) -> Instruction:
    scene = next(each for each in stage().scenes if each.name == name)
    return scene.payout.pay_entitlement(Pubkey.from_bytes(scene.lines[place].owner))


# The weather -------------------------------------------------------------------------------------------------------


class Weather:
    """Lets the faults of a schedule happen, each before its call, and counts them."""

    def __init__(self, plan: Schedule, cluster: FaultyPayoutCluster, clock: VirtualClock, holders: Holders) -> None:
        self.plan = plan
        self.cluster = cluster
        self.clock = clock
        self.holders = holders
        self.calls = 0
        self.is_clear = False
        self.trace: list[str] = []
        self.happened: list[str] = []

    def __call__(self, name: str) -> Fault | None:
        """What becomes of this call."""
        if self.is_clear:
            return None
        at, self.calls = self.calls, self.calls + 1
        fault = self.plan.faults.get(at)
        if fault is None:
            return None
        self.trace.append(f"{self.clock.monotonic():8.2f} s, call {at} {name}: {fault.kind} {fault.amount:g}")
        if self._let_happen(fault):
            self.happened.append(fault.kind)
        return fault

    def clear(self) -> None:
        """From now on everything works."""
        self.is_clear = True
        self.cluster.drop_sends, self.cluster.send_delay, self.cluster.failures = 0, 0.0, 0
        self.cluster.endpoints = (GOOD,) * self.plan.endpoints
        self._set_escrow(1)
        self._set_payer(10**12)

    def _set_escrow(self, state: int) -> None:
        address = self.cluster.scene.payout.escrow
        found = self.cluster.find(address)
        assert found is not None
        self.cluster.write(address, _with(found, 108, bytes([state])))

    def _set_payer(self, lamports: int) -> None:
        self.cluster.write(self.cluster.payer, Account(lamports, b"", SYSTEM_PROGRAM, False, 0) if lamports else None)

    def _let_happen(self, fault: Fault) -> bool:
        cluster = self.cluster
        match fault.kind:
            case "drop":
                cluster.drop_sends = int(fault.amount)
            case "delay":
                cluster.send_delay = fault.amount
            case "duplicate":
                cluster.duplicate_sent(fault.amount)
            case "fork never":
                cluster.fork(int(fault.amount), None, loses_blockhashes=False)
            case "fork again":
                cluster.fork(int(fault.amount), fault.amount % 4, loses_blockhashes=False)
            case "fork lost":
                cluster.fork(int(fault.amount), 1.0, loses_blockhashes=True)
            case "jump":
                self.clock.jump(fault.amount)
            case "endpoints":
                choices = ENDPOINTS[self.plan.endpoints]
                cluster.endpoints = choices[int(fault.amount) % len(choices)]
            case "fail":
                cluster.failures = int(fault.amount)
            case "escrow frozen" | "escrow thawed":
                cluster.act(lambda record: self._set_escrow(2 if fault.kind == "escrow frozen" else 1))
            case "payer is poor" | "payer is rich":
                cluster.act(lambda record: self._set_payer(int(fault.amount)))
            case "refuse" | "lose answer" | "late answer" | "stale answer":
                pass
            case kind:
                return self.holders.do(kind, int(fault.amount))
        return True


__all__ = ["FAULTS", "Fault", "Holders", "LifePlan", "Schedule", "Weather", "schedule"]
