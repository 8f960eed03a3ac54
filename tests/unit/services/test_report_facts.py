"""What the chain said at a moment is read again long after it, whatever happened since."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container
from dataclasses import replace

import pytest
from desk import DAY, SHARE, movement
from paying_desk import CENTS
from reporting_desk import PERIOD, ReportingDesk
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from tallystick.adapters.chain.ledger import Ledger
from tallystick.adapters.chain.memory import MemoryChain
from tallystick.adapters.chain.protocol import Commitment, ConfirmedTransaction, SignatureInfo
from tallystick.adapters.chain.rpc import RpcChain, RpcLimits
from tallystick.adapters.clock import SystemClock
from tallystick.domain.amounts import MULTIPLIER_ONE
from tallystick.domain.closes import DailyClose
from tallystick.domain.dividends import PayoutRecord
from tallystick.domain.register import Register
from tallystick.domain.reserve_report.facts import Moment, OrderOutcome, ReportFacts, Unserved
from tallystick.errors import ChainError, InputError, LedgerError, RpcError
from tallystick.localnet import LocalnetServer
from tallystick.program.addresses import hold_address, role_address
from tallystick.program.generated.types import ActionKind, RoleKind
from tallystick.services.holds import Scope, hold_id, plan_place_hold, plan_release_hold
from tallystick.services.issuers import plan_revoke_role
from tallystick.services.movements import Part
from tallystick.services.plans import Plan, new_action
from tallystick.services.redemption import plan_cancel_redemption, plan_withdraw_redemption
from tallystick.services.report_figures import NOTHING
from tallystick.services.subscription import plan_cancel_subscription


async def half_a_month(desk: ReportingDesk) -> PayoutRecord:
    """Orders of every outcome, a correction, a split that waits, a frozen holder, a dividend paid in part, a hold."""
    await desk.begin()
    await desk.give("alice", 300 * SHARE, "s-1")
    await desk.give("bob", 200 * SHARE, "s-2")
    order = await desk.subscribe("bob", 50 * SHARE, "s-3")
    await desk.run(await desk.plan_settle(movement("IN s-3", 20 * SHARE), Part(order, 20 * SHARE)))
    dropped = await desk.subscribe("alice", 9 * SHARE, "s-4")
    await desk.run(
        await plan_cancel_subscription(
            desk.chain, payer=desk["payer"], authority=desk["operator"], order=dropped, reason_code=4
        )
    )
    await desk.correct("bob", "s-2", 200 * SHARE, 5 * SHARE)
    withdrawn = await desk.ask("alice", 10 * SHARE, "r-1", accept=False)
    desk.warp(101)
    await desk.run(await plan_withdraw_redemption(desk.chain, payer=desk["payer"], order=withdrawn))
    cancelled = await desk.ask("bob", 30 * SHARE, "r-2")
    await desk.run(
        await plan_cancel_redemption(
            desk.chain, payer=desk["payer"], authority=desk["operator"], order=cancelled, reason_code=6
        )
    )
    partly = await desk.ask("alice", 60 * SHARE, "r-3")
    await desk.pay_out(partly, 25 * SHARE, "r-3")
    await desk.move("alice", "heir", 7 * SHARE)
    await desk.move("bob", "stranger", 3 * SHARE)
    await desk.freeze("heir")
    await desk.attest(1_050 * SHARE)
    await desk.executed(desk.split(after=DAY), ActionKind.FORWARD_SPLIT, event="CA-SPLIT")
    await desk.approved()
    await desk.registers.add(desk.register())
    await desk.confirmations.add(desk.confirmation())
    record = await desk.funded()
    await desk.run(await desk.plan_claim(record, "stranger"))
    await hold(desk)
    return record


async def hold(desk: ReportingDesk) -> None:
    """By reconciliation, for an hour."""
    await desk.run(
        await plan_place_hold(
            desk.chain,
            payer=desk["payer"],
            security=desk.security,
            owner=desk["compliance"],
            kind=RoleKind.COMPLIANCE,
            reference="H-1",
            scope=Scope.MINT,
            reason_code=2,
            reason="look",
        )
    )


async def much_more(desk: ReportingDesk, record: PayoutRecord) -> None:
    """Everything that was open is closed, and tokens go round."""
    found = hold_address(desk.security, desk["compliance"], hold_id("H-1"))
    await desk.run(await plan_release_hold(desk.chain, payer=desk["payer"], hold=found, keys=[desk["compliance"]]))
    await desk.pay_out(desk.order("alice", "r-3"), 35 * SHARE, "r-3b")
    await desk.thaw("heir")
    await desk.move("heir", "bob", 7 * SHARE)
    await desk.move("alice", "alice-2", 20 * SHARE)
    await desk.freeze("stranger")
    await desk.correct("bob", "s-2", 200 * SHARE, 8 * SHARE)
    await desk.attest(1_000 * SHARE)
    await desk.run(await desk.plan_settle(movement("IN s-3b", 30 * SHARE), Part(desk.order("bob", "s-3"), 30 * SHARE)))
    await desk.pushed(record)
    await desk.closed(record)
    desk.warp(2 * DAY)
    await desk.attest(4_000 * SHARE)
    await desk.give("alice", 40 * SHARE, "s-9")
    await desk.ask("alice", 4 * SHARE, "r-9")
    await desk.run(
        await plan_revoke_role(
            desk.chain,
            payer=desk["payer"],
            issuer=desk.issuer,
            kind=RoleKind.RECONCILIATION,
            holder=desk["reconciliation"],
        )
    )
    desk.warp(2)
    await desk.grant("reconciliation", RoleKind.RECONCILIATION)


def require_same_as(close: DailyClose, facts: ReportFacts) -> None:
    """Every figure of the close is in the facts."""
    [closed], [found] = close.securities, facts.securities
    at, register = found.as_of, found.register
    assert register is not None
    assert (at.supply, at.required, at.minted, at.burnt) == (
        closed.supply,
        closed.required,
        closed.minted,
        closed.burnt,
    )
    assert (at.redeemed, at.escrow, at.multiplier) == (closed.redeemed, closed.escrow, closed.multiplier)
    assert (at.reserve, at.reserve_as_of, at.attestation) == (
        closed.reserve,
        closed.reserve_as_of,
        closed.attestation,
    )
    assert (register.root, len(register.entries)) == (closed.register_root, closed.holders)
    assert (found.isin, found.mint, found.decimals) == (closed.isin, closed.mint, closed.decimals)
    assert (facts.program_hash, facts.cluster) == (close.program_hash, close.cluster)


class ForgetfulChain(MemoryChain):
    """A node that has no transactions before a slot, loses those of some slots though it lists them, or hides them."""

    def __init__(self, ledger: Ledger, since: int = 0, lost: Container[int] = (), hidden: Container[int] = ()) -> None:
        super().__init__(ledger)
        self.since = since
        self.lost = lost
        self.hidden = hidden

    async def get_signatures_for_address(
        self,
        address: Pubkey,
        *,
        limit: int = 1000,
        before: Signature | None = None,
        until: Signature | None = None,
        commitment: Commitment = "confirmed",
    ) -> list[SignatureInfo]:
        found = await super().get_signatures_for_address(address, limit=limit, before=before, until=until)
        return [line for line in found if line.slot >= self.since and line.slot not in self.hidden]

    async def get_transaction(
        self, signature: Signature, commitment: Commitment = "confirmed"
    ) -> ConfirmedTransaction | None:
        found = await super().get_transaction(signature)
        return found if found and found.slot >= self.since and found.slot not in self.lost else None


def accounts_only(facts: ReportFacts) -> ReportFacts:
    """Without what only transactions tell."""
    securities = tuple(replace(each, register=None, distributions=()) for each in facts.securities)
    return replace(facts, securities=securities, log=(), closed_days=(), roles=(), unserved=frozenset())


async def test_facts_of_a_moment_stay_what_they_were() -> None:
    desk = ReportingDesk()
    record = await half_a_month(desk)
    close, moment = await desk.close()
    then = await desk.gather(moment)
    require_same_as(close, then)
    assert then.unserved == frozenset()
    await much_more(desk, record)
    later = await desk.gather(moment)
    require_same_as(close, later)
    assert later == then
    now = await desk.gather(moment, desk.moment)
    assert now.securities[0].days[0] == then.securities[0].as_of
    assert now.securities[0].as_of != then.securities[0].as_of


async def test_the_same_facts_come_over_json_rpc() -> None:
    desk = ReportingDesk()
    record = await half_a_month(desk)
    _, moment = await desk.close()
    await much_more(desk, record)
    expected = await desk.gather(moment)
    with LocalnetServer(desk.chain.ledger, port=0) as server:
        async with RpcChain([server.url], SystemClock(), limits=RpcLimits(requests_per_second=1_000)) as chain:
            assert await desk.gather(moment, chain=chain) == expected


async def test_every_part_of_a_month_is_there() -> None:
    desk = ReportingDesk()
    record = await half_a_month(desk)
    _, moment = await desk.close()
    await much_more(desk, record)
    facts = await desk.gather(moment)
    [security] = facts.securities
    assert (security.opening, security.days) == (NOTHING, (security.as_of,))
    assert security.as_of.pending_multiplier == 4 * MULTIPLIER_ONE
    assert sorted(each.kind for each in security.fills) == ["burn", "correction", "mint", "mint", "mint"]
    assert [each.direction for each in security.movements].count("delivery") == 1
    assert sorted((each.kind, each.outcome.value) for each in security.orders) == [
        ("redemption", "open"),
        ("redemption", "returned"),
        ("redemption", "returned"),
        ("subscription", "cancelled"),
        ("subscription", "open"),
        ("subscription", "settled"),
        ("subscription", "settled"),
    ]
    assert [len(each.approvals) for each in security.attestations] == [2, 2]
    assert all(approval.has_role for each in security.attestations for approval in each.approvals)
    assert {(each.kind, each.status) for each in security.actions} == {
        ("forward_split", "executed"),
        ("cash_dividend", "executed"),
    }
    [paid] = security.distributions
    assert (paid.status, paid.paid_entries, paid.paid, paid.funded) == (
        "approved",
        1,
        100 * 204 * CENTS // 1_000,
        record.total,
    )
    [held] = security.holds
    assert (held.scopes, held.owner_kind, held.released_at) == (("mint",), "compliance", 0)
    happened = Counter(each.event for each in facts.log)
    assert (happened["AccountFrozen"], happened["HoldPlaced"], happened["FillCorrected"]) == (1, 1, 1)
    assert (happened["IssuerInitialized"], happened["SecurityListed"], happened["AccountThawed"]) == (1, 1, 0)
    assert {each.kind: each.ends_at for each in facts.roles}["reconciliation"] == 0
    frozen = {each.owner: each.frozen_raw for each in (security.register or Register(())).entries}
    assert {owner for owner, raw in frozen.items() if raw} == {bytes(desk["heir"])}


async def test_a_node_without_history_still_tells_every_figure_that_accounts_keep() -> None:
    desk = ReportingDesk()
    record = await half_a_month(desk)
    desk.warp(1)
    _, moment = await desk.close()
    whole = await desk.gather(moment)
    desk.warp(1)
    pruned = desk.moment.slot
    await much_more(desk, record)
    facts = await desk.gather(moment, chain=ForgetfulChain(desk.chain.ledger, since=pruned))
    assert accounts_only(facts) == accounts_only(whole)
    assert facts.securities[0].register is None
    assert facts.log == ()
    assert facts.unserved == {
        Unserved.LOG,
        Unserved.CLOSED_DAYS,
        Unserved.REGISTERS,
        Unserved.DISTRIBUTIONS,
        Unserved.ROLES,
        Unserved.TERMS,
    }


async def test_history_back_to_the_as_of_is_enough_for_what_moved_since() -> None:
    desk = ReportingDesk()
    record = await half_a_month(desk)
    desk.warp(1)
    close, moment = await desk.close()
    whole = await desk.gather(moment)
    await much_more(desk, record)
    kept = desk.chain.ledger.history(desk.mint)
    newest_before = max(each.slot for each in kept if each.slot <= moment.slot)
    touched = [desk.security, desk.issuer, Pubkey.from_bytes(record.address), desk.mint]
    since = min(max(e.slot for e in desk.chain.ledger.history(each) if e.slot <= moment.slot) for each in touched)
    assert since <= newest_before
    facts = await desk.gather(moment, chain=ForgetfulChain(desk.chain.ledger, since=since))
    require_same_as(close, facts)
    assert facts.securities[0].distributions == whole.securities[0].distributions
    assert facts.unserved == {Unserved.LOG, Unserved.CLOSED_DAYS, Unserved.ROLES}


async def test_a_transaction_that_is_listed_and_not_given_is_not_served() -> None:
    desk = ReportingDesk()
    await desk.begin()
    await desk.give("alice", 300 * SHARE, "s-1")
    desk.warp(1)
    _, moment = await desk.close()
    await desk.move("alice", "bob", SHARE)
    lost = {desk.moment.slot}
    await desk.move("alice", "bob", 2 * SHARE)
    facts = await desk.gather(moment, chain=ForgetfulChain(desk.chain.ledger, lost=lost))
    assert (facts.unserved, facts.securities[0].register) == ({Unserved.REGISTERS}, None)


@pytest.mark.parametrize("number", [1, 2])
async def test_a_transfer_that_a_node_hides_is_missed(number: int) -> None:
    desk = ReportingDesk()
    await desk.begin()
    await desk.give("alice", 300 * SHARE, "s-1")
    desk.warp(1)
    _, moment = await desk.close()
    slots = []
    for raw in (1, 2, 3):
        await desk.move("alice", "bob", raw)
        slots.append(desk.moment.slot)
    facts = await desk.gather(moment, chain=ForgetfulChain(desk.chain.ledger, hidden={slots[number]}))
    assert (facts.unserved, facts.securities[0].register) == ({Unserved.REGISTERS}, None)


async def test_the_second_of_a_moment_is_split_by_slots() -> None:
    desk = ReportingDesk()
    await desk.begin()
    desk.warp(1)
    moments, minted = [], []
    for number in range(4):
        await desk.give("alice", (number + 1) * SHARE, f"s-{number}")
        moments.append(desk.moment)
        minted.append(sum(range(number + 2)) * SHARE)
    assert len({moment.time for moment in moments}) == 1
    facts = await desk.gather(*moments)
    assert [each.minted for each in facts.securities[0].days] == minted
    earlier = await desk.gather(*moments[:2])
    assert earlier.unserved == frozenset()
    assert len(earlier.securities[0].fills) == 2
    assert {each.outcome for each in earlier.securities[0].orders} == {OrderOutcome.SETTLED}
    assert earlier.securities[0].register is not None
    assert earlier.securities[0].register.total == minted[1]


async def test_a_second_whose_order_is_not_served_is_said() -> None:
    desk = ReportingDesk()
    await desk.begin()
    desk.warp(1)
    await desk.give("alice", SHARE, "s-1")
    moment = desk.moment
    await desk.give("alice", SHARE, "s-2")
    facts = await desk.gather(moment, chain=ForgetfulChain(desk.chain.ledger, since=moment.slot + 1))
    assert Unserved.ORDER_OF_SECOND in facts.unserved


async def test_a_time_that_a_slot_did_not_have_is_refused() -> None:
    desk = ReportingDesk()
    await desk.begin()
    moment = desk.moment
    with pytest.raises(LedgerError, match=f"Slot {moment.slot} is of "):
        await desk.gather(replace(moment, time=moment.time - 1))


@pytest.mark.parametrize("code", [-32001, -32011])
async def test_times_that_a_node_has_forgotten_are_said(code: int) -> None:
    class WithoutTimes(MemoryChain):
        async def get_block_time(self, slot: int) -> int | None:
            raise RpcError(code, "Block 1 cleaned up, does not exist on node")

    desk = ReportingDesk()
    await desk.begin()
    whole = await desk.gather(desk.moment)
    facts = await desk.gather(desk.moment, chain=WithoutTimes(desk.chain.ledger))
    assert facts == replace(whole, unserved=frozenset({Unserved.TIMES}))


async def test_whoever_names_a_guardians_role_since_leaves_no_doubt_of_it() -> None:
    desk = ReportingDesk()
    await desk.begin()
    moment = desk.moment
    desk.warp(60)
    role = role_address(desk.issuer, RoleKind.GUARDIAN, desk["guardian"])
    gift = transfer(TransferParams(from_pubkey=desk["payer"], to_pubkey=role, lamports=1_000_000))
    await desk.run(Plan("gift", (new_action("gift", "gift", gift, desk["payer"]),)))
    facts = await desk.gather(moment, chain=ForgetfulChain(desk.chain.ledger, since=moment.slot))
    assert Unserved.ROLES not in facts.unserved


async def test_a_node_that_has_not_reached_the_as_of_is_waited_for() -> None:
    desk = ReportingDesk()
    await desk.begin()
    ahead = Moment(desk.moment.slot + 1_000, desk.now + 400)
    with pytest.raises(ChainError, match="has finalized slot"):
        await desk.gather(ahead)


async def test_moments_that_do_not_end_with_the_as_of_are_refused() -> None:
    desk = ReportingDesk()
    await desk.begin()
    first = desk.moment
    desk.warp(1)
    with pytest.raises(InputError, match="in order"):
        await desk.gather(desk.moment, first)
    with pytest.raises(InputError, match="behind 2026-09-30T23:59:59Z"):
        await desk.gather(first, period=PERIOD + 1)
