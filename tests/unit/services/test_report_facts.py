"""What the chain said at a moment is read again long after it, whatever happened since."""

from __future__ import annotations

from desk import DAY, SHARE, movement
from reporting_desk import ReportingDesk
from tallystick.domain.closes import DailyClose
from tallystick.domain.dividends import PayoutRecord
from tallystick.domain.reserve_report.facts import ReportFacts
from tallystick.program.addresses import hold_address
from tallystick.program.generated.types import ActionKind, RoleKind
from tallystick.services.holds import Scope, hold_id, plan_place_hold, plan_release_hold
from tallystick.services.issuers import plan_revoke_role
from tallystick.services.movements import Part
from tallystick.services.redemption import plan_cancel_redemption, plan_withdraw_redemption
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
