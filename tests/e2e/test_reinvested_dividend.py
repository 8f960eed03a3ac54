"""A dividend that bought shares reaches the holders by the multiplier, from the custodian's files to the close."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import pytest
from clusters import LOCALNET, VALIDATOR
from live_actions import Actors, appoint
from live_books import LEI, Books, signers, statement_of
from live_cluster import Live
from live_issuer import HOUR, ONE, POLICY, Desk, Share, digest
from solders.keypair import Keypair
from tallystick.adapters.store.store import open_store
from tallystick.domain.amounts import MULTIPLIER_ONE, Rounding, multiplier_to_float_bits, share_equivalent
from tallystick.domain.closes import DailyClose
from tallystick.errors import Refused
from tallystick.program.generated import events
from tallystick.program.generated.accounts import CorporateAction
from tallystick.program.generated.types import ActionKind
from tallystick.services.attestation import plan_attest
from tallystick.services.daily_close import close_day, closing_day
from tallystick.services.plans import Plan
from tallystick.services.reconciliation_custody import DeclaredSecurity
from tallystick.services.reinvestment import (
    Reinvestment,
    find_reinvestment,
    plan_execute_reinvested,
    plan_reinvest,
)
from tallystick.services.securities import CustodyAccount, SecuritySpec, plan_list_security

ISIN, ACCOUNT, EVENT = "US0378331005", CustodyAccount(LEI, "SAFE 1"), "CA-2026-31"
AHEAD = {LOCALNET: 600, VALIDATOR: 30}
"""Seconds from announcing to taking effect, for three transactions on a busy machine; a localnet's are not waited."""


@dataclass(frozen=True, slots=True)
class Reinvesting:
    """An issuer whose custodian reports 100 shares, with 30 tokens at one holder."""

    books: Books
    actors: Actors
    holder: Keypair
    start: int

    @property
    def live(self) -> Live:
        """The cluster."""
        return self.books.live

    @property
    def share(self) -> Share:
        """The security."""
        return self.actors.share

    async def attest(self) -> None:
        """Two attestors, by the newest statement."""
        desk = self.share.desk
        plan = await plan_attest(
            self.live.chain,
            self.books.store.statements,
            payer=desk.payer.pubkey(),
            security=self.share.address,
            custody_accounts=[ACCOUNT],
            attestors=[key.pubkey() for key in desk.attestors[:2]],
        )
        await self.books.carry_out(plan, 2)

    async def find(self, event: str = EVENT) -> Reinvestment:
        """One share was bought."""
        return await find_reinvestment(
            self.live.chain,
            self.books.store.statements,
            self.books.store.journal,
            security=self.share.address,
            custody_accounts=[ACCOUNT],
            event_id=event,
            bought=ONE,
        )

    async def plan_execute(self) -> Plan:
        """By the announcer's key."""
        return await plan_execute_reinvested(
            self.live.chain,
            self.books.store.statements,
            self.books.store.journal,
            payer=self.live.payer.pubkey(),
            executor=self.actors.announcer.pubkey(),
            action=self.actors.at(EVENT),
            custody_accounts=[ACCOUNT],
        )

    async def close(self) -> DailyClose:
        """Today's close, once all is finalized."""
        await self.books.finalized()
        return await close_day(
            self.live.chain,
            self.share.desk.address,
            await closing_day(self.live.chain),
            [DeclaredSecurity(self.share.address, (ACCOUNT,))],
            await self.books.statements(),
            self.books.closes,
            self.books.breaks,
            self.live.clock,
            registers=self.books.store.registers,
        )


@pytest.fixture
async def reinvesting(live: Live, tmp_path: Path) -> AsyncIterator[Reinvesting]:
    """A new issuer; a notice of one second, and nothing minted within the hour before a change."""
    desk, holder = Desk(live.payer), Keypair()
    await desk.do_open(live)
    share = Share(desk, name="example")
    policy = replace(POLICY, notice=1, change_window=HOUR)
    spec = SecuritySpec(
        share.name, ISIN, "EXAMPLE", "Example Inc.", 6, (ACCOUNT,), policy, digest("terms"), "https://example.com/t"
    )
    keys = signers([live.payer, desk.admin, *desk.attestors])
    async with await open_store(f"sqlite:///{tmp_path / 'books.sqlite'}") as store:
        books = Books(live, store, tmp_path / "statements", keys)
        listed = await plan_list_security(live.chain, payer=live.payer.pubkey(), issuer=desk.address, spec=spec)
        await books.carry_out(listed, 1)
        await live.send(*share.set_limit())
        await desk.do_approve(live, holder)
        made = Reinvesting(books, await appoint(live, share), holder, await live.now() - 600)
        await books.receive(statement_of(ACCOUNT.account, ISIN, "100", made.start, "1"))
        await made.attest()
        await share.do_subscribe(live, holder, 30 * ONE)
        yield made


async def test_bought_shares_reach_every_holder_and_the_exact_multiplier_is_kept(reinvesting: Reinvesting) -> None:
    live, share, actors = reinvesting.live, reinvesting.share, reinvesting.actors
    with pytest.raises(Refused, match="do not show 1 share bought"):
        await reinvesting.find()
    await reinvesting.books.receive(statement_of(ACCOUNT.account, ISIN, "101", reinvesting.start + 60, "2"))
    found, effective_at = await reinvesting.find(), await live.now() + AHEAD[live.cluster.name]
    assert (found.numerator, found.denominator) == (31, 30)
    plan = await plan_reinvest(
        live.chain,
        found,
        payer=live.payer.pubkey(),
        announcer=actors.announcer.pubkey(),
        event_id=EVENT,
        effective_at=effective_at,
    )
    await actors.carry_out(live, plan)
    await actors.carry_out(live, await actors.plan_approve(live, EVENT))
    executed = await actors.carry_out(live, await reinvesting.plan_execute())
    after = 31 * MULTIPLIER_ONE // 30
    assert executed.events == (
        events.ActionExecuted(
            security=share.address,
            action=actors.at(EVENT),
            executed_by=actors.announcer.pubkey(),
            multiplier_before=MULTIPLIER_ONE,
            multiplier_after=after,
            effective_at=effective_at,
        ),
    )
    kept = await live.read(CorporateAction, actors.at(EVENT))
    assert (kept.kind, kept.terms.numerator, kept.terms.denominator) == (ActionKind.REINVESTED_DIVIDEND, 31, 30)
    assert (kept.multiplier_after, kept.terms.evidence_hash) == (after, found.evidence_hash)

    await live.until(effective_at)
    mint, now = await live.mint(share.mint), await live.now()
    assert mint.extensions.scaled_ui_amount is not None
    bits = mint.extensions.scaled_ui_amount.current_bits(now)
    assert bits == found.multiplier_bits == multiplier_to_float_bits(after)
    assert await live.raw(share.tokens(reinvesting.holder)) == 30 * ONE
    assert 30 * ONE < share_equivalent(mint.supply, after, Rounding.UP) <= 31 * ONE
    assert Fraction(after, MULTIPLIER_ONE) <= Fraction(31, 30)

    with pytest.raises(Refused, match="since the last reinvested dividend was announced"):
        await reinvesting.find("CA-2026-32")
    [line] = (await reinvesting.close()).securities
    assert (line.multiplier, line.multiplier_bits) == (after, bits)
