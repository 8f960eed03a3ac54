"""Successive dividends of one security, corrected, carried forward and closed unpaid: nobody loses or gains a unit.

The model beside them is a ledger by owner in fractions, which knows nothing of carrying or differences: whatever the
order of events, what an owner was paid, carries, and may still be paid by a correction is the sum of its exact parts,
rounded by less than one base unit for each dividend.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction

from hypothesis import example, given, settings
from hypothesis import strategies as st
from tallystick.adapters.store.payouts import MemoryPayoutStore
from tallystick.domain.amounts import MULTIPLIER_ONE, Quantity
from tallystick.domain.dividends import CarriedBefore, HolderClass, PayoutBatch, PayoutLine, PayoutRecord, PayoutState
from tallystick.domain.entitlements import DividendTerms, compute_entitlements, payout_lines
from tallystick.domain.record_register import Position, RecordRegister

OWNERS = [bytes([number]) * 32 for number in range(1, 5)]
SECURITY, MINT = b"s" * 32, b"m" * 32
ELIGIBLE = 100
RATES = {"none": 0, "treaty": 1_500}
TAX_CLASSES = {OWNERS[1]: "treaty"}


@dataclass(frozen=True)
class Step:
    """One distribution: of which action, for how much cash, the minimum, and how it ends. `paid` are the lines that are
    paid before a close, bit by bit."""

    action: int
    net: int
    minimum: int
    ending: str
    paid: int


@dataclass
class World:
    """The store, each action's register, and the model's ledgers."""

    registers: list[RecordRegister]
    payouts: MemoryPayoutStore = field(default_factory=MemoryPayoutStore)
    paid: dict[bytes, int] = field(default_factory=lambda: defaultdict(int))
    last: dict[int, dict[bytes, Fraction]] = field(default_factory=dict)
    most: dict[int, dict[bytes, Fraction]] = field(default_factory=dict)
    unpaid: dict[int, dict[bytes, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    cash: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    numbers: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    async def take(self, step: Step) -> None:
        """Compute a distribution as the services do, and let it end."""
        number, register = self.numbers[step.action], self.registers[step.action]
        self.numbers[step.action] += 1
        terms = DividendTerms(
            Quantity(ELIGIBLE), Quantity(step.net), Quantity(0), Quantity(step.net), 0, RATES, "none", 0, step.minimum
        )
        earlier = await self.payouts.list(action=bytes([step.action]) * 32)
        committed = [each for each in earlier if each.state in (PayoutState.APPROVED, PayoutState.CLOSED)]
        already: dict[bytes, int] = defaultdict(int)
        for other in committed:
            words = await self.payouts.paid(other.address) if other.state is PayoutState.CLOSED else None
            for batch in await self.payouts.batches(other.address):
                for index, line in enumerate(batch.lines):
                    if words is None or words[batch.index] >> index & 1:
                        already[line.owner] += line.amount
        before = CarriedBefore.of(
            await self.payouts.carried(SECURITY, MINT),
            await self.payouts.carried(SECURITY, MINT, besides=[each.address for each in committed]),
        )
        for owner, units in before.used.items():
            already[owner] += units
        owed = compute_entitlements(register, terms, tax_classes=TAX_CLASSES, carried=before.carried, already=already)
        lines = payout_lines(owed.entitlements, lambda owner: (owner, 255))
        if not lines:
            return  # Nothing is planned then, and nothing changes.
        record = _record(step.action, number, lines)
        await self.payouts.add(record, [PayoutBatch(0, tuple(lines))], (), owed.carry_changes(before.kept))
        if step.ending == "discarded":
            await self.payouts.set_state(record.address, PayoutState.DISCARDED)
            return
        await self.payouts.set_state(record.address, PayoutState.APPROVED)
        self._count(step, register, lines)
        if step.ending == "closed":
            bits = step.paid & (1 << len(lines)) - 1
            await self.payouts.keep_paid(record.address, [bits])
            await self.payouts.set_state(record.address, PayoutState.CLOSED)
            for index, line in enumerate(lines):
                if not bits >> index & 1:
                    self.paid[line.owner] -= line.amount
                    self.unpaid[step.action][line.owner] += line.amount

    def _count(self, step: Step, register: RecordRegister, lines: list[PayoutLine]) -> None:
        exact = {each.owner: _exact(each, step.net) for each in register.positions}
        self.last[step.action] = exact
        most = self.most.setdefault(step.action, exact)
        self.most[step.action] = {owner: max(part, most[owner]) for owner, part in exact.items()}
        self.cash[step.action] = max(self.cash[step.action], step.net)
        self.unpaid[step.action].clear()
        for line in lines:
            self.paid[line.owner] += line.amount

    async def check(self) -> None:
        """Each owner's lifetime against the model's."""
        carried = await self.payouts.carried(SECURITY, MINT)
        rounding = len(self.last)
        for owner in OWNERS:
            unpaid = sum(each[owner] for each in self.unpaid.values())
            had = self.paid[owner] + carried.get(owner, 0) + unpaid
            least = sum((each.get(owner, Fraction(0)) for each in self.last.values()), Fraction(0))
            most = sum((each.get(owner, Fraction(0)) for each in self.most.values()), Fraction(0))
            assert least - rounding <= had <= most + rounding, owner
            assert carried.get(owner, 0) >= 0
        assert sum(self.paid.values()) + sum(carried.values()) <= sum(self.cash.values())


def _exact(position: Position, net: int) -> Fraction:
    if position.holder_class is HolderClass.INVENTORY:
        return Fraction(0)
    rate = RATES[TAX_CLASSES.get(position.owner, "none")]
    return Fraction(position.raw * net, ELIGIBLE) * (1 - Fraction(rate, 10_000))


def _record(action: int, number: int, lines: list[PayoutLine]) -> PayoutRecord:
    return PayoutRecord(
        address=bytes([action, number]) * 16,
        security=SECURITY,
        action=bytes([action]) * 32,
        number=number,
        payment_mint=MINT,
        token_program=b"t" * 32,
        payment_decimals=0,
        payout_key=b"k" * 32,
        refund=b"r" * 32,
        root=b"R" * 32,
        batches=1,
        entries=len(lines),
        total=sum(line.amount for line in lines),
        expires_at=1,
        document=b"{}",
        created_at=0,
    )


def _register(raws: list[int], is_own: bool) -> RecordRegister:
    kinds = [HolderClass.INVENTORY if is_own and not number else HolderClass.WALLET for number in range(len(OWNERS))]
    positions = tuple(Position(owner, raw, kind) for owner, raw, kind in zip(OWNERS, raws, kinds, strict=True) if raw)
    return RecordRegister(
        security=SECURITY,
        event_hash=b"e" * 32,
        mint=b"m" * 32,
        slot=1,
        block_time=1,
        record_at=1,
        supply=sum(raws),
        decimals=0,
        multiplier=MULTIPLIER_ONE,
        multiplier_bits=0,
        root=bytes(32),
        witnesses=1,
        positions=positions,
    )


registers = st.lists(
    st.builds(_register, st.lists(st.integers(0, 25), min_size=4, max_size=4), st.booleans()), min_size=2, max_size=2
)
minimums = st.sampled_from([0, 10, 25])
endings = st.sampled_from(["approved", "approved", "closed", "discarded"])
steps = st.lists(
    st.builds(Step, st.integers(0, 1), st.integers(1, 150), minimums, endings, st.integers(0, 15)),
    min_size=3,
    max_size=9,
)


SMALL = [_register([5, 20, 20, 20], False)] * 2
"""Where the first owner carries 3 of 60, the next dividend of 160 pays them with its 8, and the first is corrected."""


def _corrected(*nets: int) -> list[Step]:
    return [Step(action, cash, 10, "approved", 0) for action, cash in ((0, 60), (1, 160), *((0, net) for net in nets))]


@example(SMALL, _corrected(300))  # pays 12 of 15
@example(SMALL, _corrected(220))  # carries 8 of 11
@example(SMALL, _corrected(220, 300))  # carries 8, then pays 12
@example(SMALL, _corrected(20))  # paid 2 too much
@settings(max_examples=300, deadline=None)
@given(registers, steps)
async def test_whatever_the_order_everybody_has_the_sum_of_the_exact_parts(
    taken: list[RecordRegister], sequence: list[Step]
) -> None:
    world = World(taken)
    for step in sequence:
        await world.take(step)
        await world.check()
