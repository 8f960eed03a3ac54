"""A reinvested dividend is announced on shares that a statement shows, and never makes the supply exceed them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from acting_desk import EVENT, NOTICE, WINDOW, ActingDesk
from desk import ACCOUNT, SHARE, movement
from hypothesis import given
from hypothesis import strategies as st
from tallystick.adapters.clock import instant
from tallystick.adapters.store.audit import MemoryAuditLog
from tallystick.adapters.store.journal import CustodyMovement
from tallystick.adapters.store.statements import StatementStatus
from tallystick.domain.amounts import (
    MULTIPLIER_ONE,
    Rounding,
    changed_multiplier,
    float_bits_to_multiplier,
    multiplier_to_float_bits,
    share_equivalent,
)
from tallystick.domain.orders import MovementDirection
from tallystick.errors import AmountError, Refused
from tallystick.program.generated.accounts import CorporateAction
from tallystick.program.generated.types import ActionKind, ActionStatus, RoleKind
from tallystick.program.token import decode_mint
from tallystick.services.attestation import StatementsRefused
from tallystick.services.audit_trail import AuditTrail
from tallystick.services.chain_reads import require
from tallystick.services.holds import Scope, plan_place_hold
from tallystick.services.movements import Part
from tallystick.services.plans import Plan, execute
from tallystick.services.redemption import (
    plan_accept_redemption,
    plan_request_redemption,
    plan_settle_redemption,
)
from tallystick.services.reinvestment import (
    Reinvestment,
    find_reinvestment,
    plan_execute_reinvested,
    plan_reinvest,
)
from tallystick.services.securities import CustodyAccount

DRIP = ActionKind.REINVESTED_DIVIDEND
BOUGHT = 12_500_000
"""12.5 shares."""
OTHER = CustodyAccount("529900T8BM49AURSDO55", "SAFE 2")


class Reinvesting(ActingDesk):
    """A desk with tokens out, whose custodian reports after each step. The whole notice is inside the mint window."""

    accounts: tuple[CustodyAccount, ...] = (ACCOUNT,)

    async def begin(self, reserve: int = 500 * SHARE, tokens: int = 400 * SHARE, **policy: int) -> None:
        await self.ready(reserve, **{"change_window": 10 * NOTICE, **policy})
        if tokens:
            await self.give("alice", tokens, "s-1")

    async def report(self, shares: int, *, account: CustodyAccount = ACCOUNT, **changes: object) -> None:
        """A newer statement."""
        self.warp(10)
        await self.receive(shares, account, **changes)

    async def move(
        self, reference: str, shares: int, *, booked_at: int | None = None, is_in: bool = True, is_booked: bool = True
    ) -> None:
        """A movement in the journal, booked now unless said otherwise."""
        self.warp(1)
        await self.journal.record(
            CustodyMovement(
                ACCOUNT.custodian_lei,
                ACCOUNT.account,
                reference,
                MovementDirection.RECEIVED if is_in else MovementDirection.DELIVERED,
                shares,
                bytes(self.security),
                self.now,
                (self.now if booked_at is None else booked_at) if is_booked else None,
            )
        )

    async def find(self, bought: int = BOUGHT, event: str = EVENT) -> Reinvestment:
        return await find_reinvestment(
            self.chain,
            self.statements,
            self.journal,
            security=self.security,
            custody_accounts=self.accounts,
            event_id=event,
            bought=bought,
        )

    async def plan(
        self,
        found: Reinvestment | None = None,
        *,
        event: str = EVENT,
        after: int = 2 * NOTICE,
        evidence: bytes | None = None,
        corrects: bool = False,
    ) -> Plan:
        return await plan_reinvest(
            self.chain,
            found or await self.find(event=event),
            payer=self["payer"],
            announcer=self["actions-1"],
            event_id=event,
            effective_at=self.now + after,
            evidence_hash=evidence,
            corrects=corrects,
        )

    async def announced(self, event: str = EVENT, **options: int) -> None:
        await self.run(await self.plan(event=event, **options))  # type: ignore[arg-type]
        await self.run(await self.plan_approve(self.at(event)))

    async def plan_set(self, event: str = EVENT) -> Plan:
        return await plan_execute_reinvested(
            self.chain,
            self.statements,
            self.journal,
            payer=self["payer"],
            executor=self["actions-1"],
            action=self.at(event),
            custody_accounts=self.accounts,
        )

    async def refused(self, text: str, **options: object) -> None:
        """find refuses, and nothing is on chain of it."""
        with pytest.raises(Refused, match=text):
            await self.find(**options)  # type: ignore[arg-type]
        assert self.state(self.at()) == (None,)


@pytest.fixture
async def desk() -> Reinvesting:
    """500 shares in custody and 400 tokens out."""
    made = Reinvesting()
    await made.begin()
    return made


async def test_bought_shares_reach_the_holders_and_the_surplus_stays(desk: Reinvesting) -> None:
    await desk.report(500 * SHARE + BOUGHT)
    found = await desk.find()
    assert (found.numerator, found.denominator) == (33, 32)
    assert (found.required, found.held_before, found.held_after) == (400 * SHARE, 500 * SHARE, 500 * SHARE + BOUGHT)
    await desk.announced()
    await desk.run(await desk.plan_set())
    await desk.until((await require(desk.chain, CorporateAction, desk.at())).terms.effective_at)
    account = await desk.account()
    assert account.pending_multiplier == found.multiplier_after == 33 * MULTIPLIER_ONE // 32
    assert share_equivalent(desk.supply, account.pending_multiplier, Rounding.UP) == 400 * SHARE + BOUGHT
    mint = desk.chain.ledger.account(desk.mint)
    assert mint is not None
    scaled = decode_mint(mint.data).extensions.scaled_ui_amount
    assert scaled is not None
    assert scaled.current_bits(desk.now) == found.multiplier_bits


async def test_whoever_signs_sees_the_exact_ratio_and_the_double_and_the_audit_log_keeps_them() -> None:
    desk = Reinvesting()
    await desk.begin(500 * SHARE, 300 * SHARE)
    await desk.report(500 * SHARE + SHARE)
    found = await desk.find(SHARE)
    plan = await desk.plan(found)
    told, bits = " ".join(plan.notes), f"0x{found.multiplier_bits:016x}"
    assert "Exactly: 1 x 301 / 300, to 18 places 1.003333333333333333;" in told
    assert f"in Token-2022 the double 1.0033333333333332 (bits {bits})" in told
    assert "In custody 500 → 501 free shares" in told
    assert "300 tokens require 300 shares; with the bought ones 301, of 501 that back." in told
    assert found.details["multiplier_bits"] == bits
    assert (found.details["numerator"], found.details["denominator"]) == ("301", "300")
    log = MemoryAuditLog()
    await execute(plan, desk.sender, desk.signers, trail=AuditTrail(log, desk.clock, "tester"))
    begun = (await log.entries())[0].content.decode()
    assert "reinvested dividend 301:300" in begun
    assert f"multiplier 1 → 1.003333333333333333, in Token-2022 the double 1.0033333333333332 (bits {bits})" in begun


async def test_the_evidence_is_the_newest_statement_or_the_confirmation(desk: Reinvesting) -> None:
    await desk.report(500 * SHARE + BOUGHT)
    newest = (await desk.statements.list())[0].statement
    assert (await desk.find()).evidence_hash == newest.source_hashes[0]
    await desk.run(await desk.plan(evidence=b"c" * 32))
    action = await require(desk.chain, CorporateAction, desk.at())
    assert (action.kind, action.status, bytes(action.terms.evidence_hash)) == (DRIP, ActionStatus.ANNOUNCED, b"c" * 32)


async def test_the_same_reinvestment_again_makes_an_empty_plan(desk: Reinvesting) -> None:
    await desk.report(500 * SHARE + BOUGHT)
    at = desk.now + 2 * NOTICE
    await desk.run(await desk.plan(after=at - desk.now))
    again = await desk.plan(after=at - desk.now)
    assert (again.is_empty, "says so already" in " ".join(again.notes)) == (True, True)


# What the statements have to show -------------------------------------------------------------------------------------


async def test_before_the_statement_nothing_is_announced(desk: Reinvesting) -> None:
    await desk.refused("there is no earlier statement")
    await desk.report(500 * SHARE)
    await desk.refused(r"do not show 12\.5 shares bought.*: 0 since")


@pytest.mark.parametrize("short", [-1, 1])
async def test_one_base_unit_more_or_less_is_refused(desk: Reinvesting, short: int) -> None:
    await desk.report(500 * SHARE + BOUGHT + short)
    await desk.refused("do not show")


async def test_a_purchase_in_parts_and_reports_after_it_are_found(desk: Reinvesting) -> None:
    before = desk.now
    for shares in (500 * SHARE + 5 * SHARE, 500 * SHARE + BOUGHT, 500 * SHARE + BOUGHT):
        await desk.report(shares)
    found = await desk.find()
    assert (found.held_before, found.as_of_before <= before) == (500 * SHARE, True)


async def test_named_movements_are_no_purchase(desk: Reinvesting) -> None:
    await desk.move("IN 2", 40 * SHARE)
    await desk.move("OUT 1", 3 * SHARE, is_in=False)
    await desk.report(500 * SHARE + 37 * SHARE + BOUGHT)
    found = await desk.find()
    assert (found.moved, found.bought) == (37 * SHARE, BOUGHT)
    assert "37 shares by named movements" in found.notes[0]


async def test_shares_of_a_subscription_are_not_taken_for_bought_ones(desk: Reinvesting) -> None:
    await desk.move("IN 2", BOUGHT)
    await desk.report(500 * SHARE + BOUGHT)
    await desk.refused("do not show")


async def test_movements_booked_outside_the_two_statements_do_not_count(desk: Reinvesting) -> None:
    await desk.move("IN 2", 7 * SHARE, booked_at=desk.now - 1_000)
    await desk.report(500 * SHARE + BOUGHT)
    desk.warp(5)
    await desk.move("IN 3", 9 * SHARE)
    assert (await desk.find()).moved == 0


async def test_a_movement_booked_at_an_as_of_is_on_that_statement(desk: Reinvesting) -> None:
    before = (await desk.statements.list())[0].statement.as_of
    await desk.move("IN 2", 7 * SHARE, booked_at=before)
    await desk.report(503 * SHARE + BOUGHT)
    await desk.move("IN 3", 3 * SHARE, booked_at=desk.now - 1)
    assert (await desk.statements.list())[0].statement.as_of == desk.now - 1
    assert (await desk.find()).moved == 3 * SHARE


async def test_a_rejected_statement_is_no_statement_before_the_purchase(desk: Reinvesting) -> None:
    await desk.report(501 * SHARE)
    rejected = (await desk.statements.list())[0]
    await desk.statements.decide(rejected.key, StatementStatus.REJECTED, "the custodian took it back")
    await desk.report(501 * SHARE + BOUGHT)
    await desk.refused("do not show")


async def test_pledged_shares_are_not_bought_ones(desk: Reinvesting) -> None:
    await desk.report(500 * SHARE + BOUGHT, pledged=BOUGHT)
    await desk.refused("do not show")


async def test_conflicting_statements_decide_nothing(desk: Reinvesting) -> None:
    await desk.report(500 * SHARE + BOUGHT)
    newest = (await desk.statements.list())[0]
    await desk.statements.decide(newest.key, StatementStatus.CONFLICTING, "another file says less")
    with pytest.raises(StatementsRefused):
        await desk.find()


async def test_accounts_are_taken_together() -> None:
    desk = Reinvesting()
    desk.accounts = (ACCOUNT, OTHER)
    await desk.initialize()
    await desk.grant_all()
    await desk.grant("actions-1", RoleKind.CORPORATE_ACTIONS)
    desk.warp(2)
    await desk.list(*desk.accounts)
    await desk.approve("alice")
    await desk.report(300 * SHARE)
    await desk.report(200 * SHARE, account=OTHER)
    await desk.run(await desk.plan_attest(*desk.accounts))
    await desk.give("alice", 400 * SHARE, "s-1")
    await desk.report(200 * SHARE + BOUGHT, account=OTHER)
    found = await desk.find()
    assert (found.held_before, found.held_after) == (500 * SHARE, 500 * SHARE + BOUGHT)


async def test_one_purchase_is_reinvested_once(desk: Reinvesting) -> None:
    await desk.report(500 * SHARE + BOUGHT)
    await desk.announced("CA-OTHER")
    await desk.refused("since the last reinvested dividend was announced do not show")
    await desk.report(500 * SHARE + BOUGHT)
    await desk.refused("since the last reinvested dividend was announced do not show")
    await desk.report(500 * SHARE + 2 * BOUGHT)
    assert (await desk.find()).held_before == 500 * SHARE + BOUGHT


async def test_a_cancelled_reinvestment_gives_its_purchase_back(desk: Reinvesting) -> None:
    await desk.report(500 * SHARE + BOUGHT)
    await desk.announced("CA-OTHER")
    await desk.run(await desk.plan_cancel(desk.at("CA-OTHER")))
    await desk.report(500 * SHARE + BOUGHT)
    assert (await desk.find()).bought == BOUGHT


# What is never announced or executed ----------------------------------------------------------------------------------


async def test_without_tokens_nothing_is_reinvested() -> None:
    desk = Reinvesting()
    await desk.begin(tokens=0)
    await desk.report(500 * SHARE + BOUGHT)
    await desk.refused("There are no tokens")


async def test_shares_that_settled_redemptions_have_still_to_take_back_nothing() -> None:
    desk = Reinvesting()
    await desk.begin(400 * SHARE, 400 * SHARE)
    await redeem(desk, 100 * SHARE)
    await desk.move("OUT 1", 100 * SHARE, is_in=False, is_booked=False)
    await desk.report(400 * SHARE + BOUGHT)
    found = await desk.find()
    assert (found.required, found.backing) == (300 * SHARE, 300 * SHARE + BOUGHT)


async def test_a_supply_that_is_not_backed_is_refused() -> None:
    desk = Reinvesting()
    await desk.begin(400 * SHARE, 400 * SHARE)
    await desk.report(399 * SHARE)
    await desk.report(399 * SHARE + BOUGHT)
    await desk.refused(r"400 tokens would require 412\.5 shares; the newest statements back 411\.5")


@pytest.mark.parametrize("bought", [0, -1])
async def test_nothing_bought_is_no_reinvestment(desk: Reinvesting, bought: int) -> None:
    with pytest.raises(AmountError):
        await desk.find(bought)


async def test_another_change_that_is_pending_comes_first(desk: Reinvesting) -> None:
    await desk.executed(desk.split(after=2 * NOTICE), event="SPLIT")
    await desk.report(500 * SHARE + BOUGHT)
    with pytest.raises(Refused, match="Another change of the multiplier is pending until"):
        await desk.plan()
    assert desk.state(desk.at()) == (None,)


async def test_the_notice_of_the_policy_is_kept(desk: Reinvesting) -> None:
    await desk.report(500 * SHARE + BOUGHT)
    with pytest.raises(Refused, match=f"promises {NOTICE} s of notice"):
        await desk.plan(after=NOTICE - 1)


async def test_tokens_minted_since_the_announcement_stop_it() -> None:
    desk = Reinvesting()
    await desk.begin(450 * SHARE, 400 * SHARE)
    await desk.report(450 * SHARE + BOUGHT)
    await desk.announced()
    await desk.give("bob", 50 * SHARE, "s-2")
    before = desk.state(desk.security, desk.mint, desk.at())
    with pytest.raises(Refused, match=r"450 tokens would require 464\.0625 shares; .* back 462\.5"):
        await desk.plan_set()
    assert desk.state(desk.security, desk.mint, desk.at()) == before
    found = await desk.find()
    assert (found.numerator, found.denominator) == (37, 36)


async def test_nothing_is_executed_while_tokens_may_still_be_minted() -> None:
    desk = Reinvesting()
    await desk.begin(change_window=WINDOW)
    await desk.report(500 * SHARE + BOUGHT)
    await desk.announced()
    effective = (await require(desk.chain, CorporateAction, desk.at())).terms.effective_at
    with pytest.raises(Refused, match=f"may be minted until {instant(effective - WINDOW)}"):
        await desk.plan_set()
    await desk.until(effective - WINDOW)
    assert not (await desk.plan_set()).is_empty


async def test_a_hold_on_minting_lets_it_be_executed_early() -> None:
    desk = Reinvesting()
    await desk.begin(change_window=WINDOW)
    await desk.report(500 * SHARE + BOUGHT)
    await desk.announced()
    await desk.run(
        await plan_place_hold(
            desk.chain,
            payer=desk["payer"],
            security=desk.security,
            owner=desk["compliance"],
            kind=RoleKind.COMPLIANCE,
            reference="H-1",
            scope=Scope.MINT,
            reason="dividend",
            reason_code=0,
            expires_at=None,
        )
    )
    plan = await desk.plan_set()
    assert "At the new multiplier 400 tokens require 412.5 shares, of 512.5 that back" in plan.notes[0]
    effective = (await require(desk.chain, CorporateAction, desk.at())).terms.effective_at
    assert plan.notes[1].startswith(f"Keep the hold on minting until {instant(effective - WINDOW)}")
    assert f"bits 0x{multiplier_to_float_bits(33 * MULTIPLIER_ONE // 32):016x}" in plan.actions[0].summary


async def test_what_was_executed_makes_an_empty_plan(desk: Reinvesting) -> None:
    await desk.report(500 * SHARE + BOUGHT)
    await desk.announced()
    await desk.run(await desk.plan_set())
    assert (await desk.plan_set()).is_empty


async def redeem(desk: Reinvesting, raw: int) -> None:
    """Alice redeems, and it is settled by the movement OUT 1."""
    await desk.run(
        await plan_request_redemption(
            desk.chain,
            payer=desk["payer"],
            security=desk.security,
            wallet=desk["alice"],
            reference="r-1",
            raw=raw,
        )
    )
    order, operator = desk.order("alice", "r-1"), desk["operator"]
    await desk.run(await plan_accept_redemption(desk.chain, payer=desk["payer"], operator=operator, order=order))
    await desk.run(
        await plan_settle_redemption(
            desk.chain,
            payer=desk["payer"],
            operator=operator,
            security=desk.security,
            movement=movement("OUT 1", raw),
            parts=[Part(order, raw)],
        )
    )


# The arithmetic -------------------------------------------------------------------------------------------------------


@given(
    supply=st.integers(1, 10**15),
    multiplier=st.integers(MULTIPLIER_ONE // 1_000, 1_000 * MULTIPLIER_ONE),
    bought=st.integers(1, 10**15),
)
def test_what_the_supply_requires_never_grows_by_more_than_was_bought(
    supply: int, multiplier: int, bought: int
) -> None:
    required = share_equivalent(supply, multiplier, Rounding.UP)
    after = changed_multiplier(multiplier, required + bought, required)
    assert share_equivalent(supply, after, Rounding.UP) <= required + bought
    bits = multiplier_to_float_bits(after)
    assert float_bits_to_multiplier(bits) <= after <= Fraction(multiplier * (required + bought), required)
