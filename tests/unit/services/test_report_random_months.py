"""A month of random steps, several in one second: every figure of every moment is recomputed at the end."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import pytest
from desk import DAY, SHARE
from reporting_desk import ReportingDesk
from solders.pubkey import Pubkey
from tallystick.domain.reserve_report.facts import Moment, SecurityAt
from tallystick.errors import Refused, TransactionError
from tallystick.program.generated.types import ActionKind
from tallystick.services.books import read_books
from tallystick.services.redemption import plan_cancel_redemption

STEPS = 50
STEPS_OF = {"give": 5, "ask": 5, "settle": 5, "give_back": 2, "move": 5, "freeze": 3, "attest": 4, "split": 1}
"""How often each step is tried."""
WALLETS = ("alice", "bob", "heir", "stranger")


@dataclass(frozen=True)
class Recorded:
    """What was read at a moment, when it was now."""

    moment: Moment
    figures: SecurityAt
    root: bytes
    frozen: int


class RandomMonth:
    """A desk, and steps chosen by a seed."""

    def __init__(self, seed: int) -> None:
        self.desk = ReportingDesk()
        self.random = Random(seed)
        self.number = 0
        self.asked: dict[Pubkey, int] = {}
        self.recorded: list[Recorded] = []
        self.done: list[str] = []

    async def run(self) -> None:
        await self.desk.begin()
        await self.desk.approve("heir", "stranger")
        await self.desk.give("alice", 200 * SHARE, "s-0")
        await self.record()
        for _ in range(STEPS):
            self.number += 1
            step = self.random.choices([*STEPS_OF], [*STEPS_OF.values()])[0]
            try:
                await getattr(self, step)()
                self.done.append(step)
            except (Refused, TransactionError):
                pass
            if self.random.random() < 0.4:
                self.desk.warp(self.random.choice((1, 1, 2, 3_600)))
            await self.record()

    async def record(self) -> None:
        books = await read_books(self.desk.chain, self.desk.issuer, self.desk.clock)
        [book] = books.securities
        security, attested = book.security, book.attestations.get(book.security.attestation)
        waits = security.multiplier_effective_at > book.now
        figures = SecurityAt(
            minted=security.minted,
            burnt=security.burnt,
            escrow=security.escrowed,
            redeemed=security.redeemed,
            reserve=security.reserve,
            reserve_as_of=security.reserve_as_of,
            attestation=attested.content_hash if attested else bytes(32),
            multiplier=book.multiplier,
            pending_multiplier=security.pending_multiplier if waits else 0,
            pending_at=security.multiplier_effective_at if waits else 0,
        )
        register = book.holders.register
        frozen = sum(entry.frozen_raw for entry in register.entries)
        moment = Moment(books.slot, self.desk.now)
        if not self.recorded or moment.slot > self.recorded[-1].moment.slot:
            self.recorded.append(Recorded(moment, figures, register.root, frozen))

    def wallet(self) -> str:
        return self.random.choice(WALLETS)

    async def give(self) -> None:
        await self.desk.give(self.wallet(), self.random.randrange(1, 20) * SHARE, f"s-{self.number}")

    async def ask(self) -> None:
        name, raw = self.wallet(), self.random.randrange(1, 9) * SHARE
        order = await self.desk.ask(name, raw, f"r-{self.number}", accept=self.random.random() < 0.8)
        self.asked[order] = raw

    async def settle(self) -> None:
        order = self.random.choice([*self.asked] or [self.desk["payer"]])
        raw = self.random.randrange(max(self.asked.get(order, 1), 1)) + 1
        books = await read_books(self.desk.chain, self.desk.issuer, self.desk.clock)
        shares = raw * books.securities[0].multiplier // 10**18
        await self.desk.pay_out(order, raw, f"r-{self.number}", shares)
        self.asked[order] -= raw

    async def give_back(self) -> None:
        order = self.random.choice([*self.asked] or [self.desk["payer"]])
        plan = await plan_cancel_redemption(
            self.desk.chain, payer=self.desk["payer"], authority=self.desk["operator"], order=order, reason_code=1
        )
        await self.desk.run(plan)

    async def move(self) -> None:
        await self.desk.move(self.wallet(), self.wallet(), self.random.randrange(1, 30) * SHARE)

    async def freeze(self) -> None:
        name = self.wallet()
        await (self.desk.freeze(name) if self.random.random() < 0.5 else self.desk.thaw(name))

    async def attest(self) -> None:
        await self.desk.attest(self.random.randrange(20_000, 30_000) * SHARE)

    async def split(self) -> None:
        event, after = f"CA-{self.number}", self.random.choice((150, DAY))
        terms = self.desk.split(new=self.random.choice((2, 3)), after=after)
        if self.random.random() < 0.3:
            await self.desk.executed(terms, ActionKind.FORWARD_SPLIT, event=event)
            await self.desk.run(await self.desk.plan_cancel(self.desk.at(event)))
        else:
            await self.desk.executed(terms, ActionKind.FORWARD_SPLIT, event=event)
            self.desk.warp(self.random.choice((1, 200)))


@pytest.mark.parametrize("seed", range(4))
async def test_every_figure_of_every_moment_is_recomputed(seed: int) -> None:
    month = RandomMonth(seed)
    await month.run()
    assert len(month.done) > STEPS // 4, month.done
    moments = [each.moment for each in month.recorded]
    facts = await month.desk.gather(*moments)
    assert facts.unserved == frozenset()
    for recorded, found in zip(month.recorded, facts.securities[0].days, strict=True):
        assert found == recorded.figures, recorded.moment
    for recorded in month.random.sample(month.recorded, 6):
        then = await month.desk.gather(recorded.moment)
        register = then.securities[0].register
        assert register is not None
        frozen = sum(entry.frozen_raw for entry in register.entries)
        assert (register.root, frozen) == (recorded.root, recorded.frozen), recorded.moment
        assert then.securities[0].as_of == recorded.figures
