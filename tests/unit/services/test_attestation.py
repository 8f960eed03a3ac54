"""Attestations: what the statements must be, what is claimed of them, and who has approved."""

from __future__ import annotations

from dataclasses import replace

import pytest
from desk import ACCOUNT, DAY, SHARE, Desk, movement, statement
from tallystick.adapters.store.journal import CustodyMovement
from tallystick.adapters.store.statements import StatementStatus
from tallystick.domain.breaks import BreakKind
from tallystick.domain.holdings import Basis, Completeness, HoldingLine, statement_hash
from tallystick.domain.orders import MovementDirection
from tallystick.errors import Refused
from tallystick.program.generated.accounts import Attestation, Security
from tallystick.program.generated.types import RoleKind
from tallystick.services.attestation import StatementsRefused, build_claim, given_approvals
from tallystick.services.chain_reads import require
from tallystick.services.issuers import plan_revoke_role
from tallystick.services.movements import Part
from tallystick.services.plans import Plan
from tallystick.services.redemption import (
    plan_accept_redemption,
    plan_request_redemption,
    plan_settle_redemption,
)
from tallystick.services.securities import CustodyAccount

SECOND = CustodyAccount(ACCOUNT.custodian_lei, "SAFE 2")


@pytest.fixture
async def listed(desk: Desk) -> Desk:
    """A security without a reserve."""
    await desk.initialize()
    await desk.grant_all()
    await desk.list()
    await desk.approve("alice")
    return desk


async def refused(desk: Desk, *accounts: CustodyAccount) -> StatementsRefused:
    """Why no attestation is planned; nothing was sent."""
    before = desk.chain.ledger.transaction_count
    with pytest.raises(StatementsRefused) as caught:
        await desk.plan_attest(*accounts)
    assert desk.chain.ledger.transaction_count == before
    return caught.value


async def reserve(desk: Desk) -> tuple[int, int, int]:
    """Reserve, its as-of, and the redeemed figure in it."""
    security = await require(desk.chain, Security, desk.security)
    return security.reserve, security.reserve_as_of, security.reserve_redeemed


async def test_two_of_three_attestors_put_a_statement_in_force_once(listed: Desk) -> None:
    made = await listed.receive(500 * SHARE, pledged=20 * SHARE)
    plan = await listed.plan_attest()
    assert [action.signers[-1] for action in plan.actions] == [listed["attestor-1"], listed["attestor-2"]]
    assert any("20 under PLED not free" in note for note in plan.notes)
    await listed.run(plan)
    assert await reserve(listed) == (480 * SHARE, made.as_of, 0)
    assert (await listed.plan_attest()).is_empty


async def test_the_claim_names_the_statement_and_the_file_as_received(listed: Desk) -> None:
    made = await listed.receive(5 * SHARE)
    claim = await build_claim(listed.chain, listed.statements, security=listed.security, custody_accounts=[ACCOUNT])
    [line] = claim.content.lines
    assert (line.account, line.shares, line.as_of) == (ACCOUNT.hash, 5 * SHARE, made.as_of)
    assert line.statement_hash == statement_hash(made, "US0378331005")
    assert claim.received_hash == made.source_hashes[0]


async def test_an_approval_on_chain_is_not_planned_again(listed: Desk) -> None:
    await listed.receive(5 * SHARE)
    first = await listed.plan_attest()
    await listed.run(Plan(first.title, first.actions[:1]))
    second = await listed.plan_attest()
    assert [action.signers[-1] for action in second.actions] == [listed["attestor-2"]]
    assert await reserve(listed) == (0, 0, 0)
    await listed.run(second)
    assert (await reserve(listed))[0] == 5 * SHARE


async def test_a_revoked_attestor_voids_open_approvals_and_is_left_out(listed: Desk) -> None:
    await listed.receive(5 * SHARE)
    first = await listed.plan_attest()
    await listed.run(Plan(first.title, first.actions[:1]))
    await listed.run(
        await plan_revoke_role(
            listed.chain,
            payer=listed["payer"],
            issuer=listed.issuer,
            kind=RoleKind.ATTESTOR,
            holder=listed["attestor-1"],
        )
    )
    plan = await listed.plan_attest()
    assert [action.signers[-1] for action in plan.actions] == [listed["attestor-2"], listed["attestor-3"]]
    await listed.run(plan)
    claim = await build_claim(listed.chain, listed.statements, security=listed.security, custody_accounts=[ACCOUNT])
    assert len(given_approvals(await require(listed.chain, Attestation, claim.address))) == 2


async def test_no_attestor_in_force_is_refused(listed: Desk) -> None:
    await listed.receive(5 * SHARE)
    for number in (1, 2, 3):
        await listed.run(
            await plan_revoke_role(
                listed.chain,
                payer=listed["payer"],
                issuer=listed.issuer,
                kind=RoleKind.ATTESTOR,
                holder=listed[f"attestor-{number}"],
            )
        )
    with pytest.raises(Refused, match="None of the 3 keys"):
        await listed.plan_attest()


async def test_a_missing_statement_is_named(listed: Desk) -> None:
    assert "no statement of account SAFE 1" in (await refused(listed)).message


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"basis": Basis.TRADED}, BreakKind.BASIS_MISMATCH),
        ({"completeness": Completeness.DELTA}, BreakKind.BASIS_MISMATCH),
        ({"lines": ()}, BreakKind.MISSING_IN_CUSTODY),
        ({"encumbered": True}, BreakKind.ENCUMBERED),
    ],
)
async def test_a_statement_that_is_no_evidence_stops_the_attestation(
    listed: Desk, change: dict[str, object], kind: BreakKind
) -> None:
    await listed.receive(5 * SHARE, **change)
    error = await refused(listed)
    assert [each.kind for each in error.breaks if each.stops_attestation] == [kind]
    assert kind.value in error.message


async def test_a_stale_statement_stops_the_attestation(listed: Desk) -> None:
    await listed.receive(5 * SHARE)
    listed.warp(DAY + 1)
    assert "STALE_STATEMENT" in (await refused(listed)).message


async def test_a_statement_of_a_moment_that_has_not_come_is_refused(listed: Desk) -> None:
    await listed.statements.add(statement(5 * SHARE, listed.now + 60))
    with pytest.raises(Refused, match="the chain's clock shows"):
        await listed.plan_attest()
    listed.warp(61)
    assert (await listed.plan_attest()).actions


async def test_a_conflict_stops_the_attestation_until_somebody_decides(listed: Desk) -> None:
    right = await listed.receive(5 * SHARE, statement_id="S-1")
    wrong = statement(6 * SHARE, right.as_of, statement_id="S-1")
    found = await listed.statements.add(wrong)
    assert "CONFLICTING_STATEMENT" in (await refused(listed)).message
    await listed.statements.decide(found.stored.key, StatementStatus.REJECTED, "recalled by the custodian")
    assert "CONFLICTING_STATEMENT" in (await refused(listed)).message
    await listed.statements.decide(right.source_hashes[0], StatementStatus.USABLE, "confirmed by telephone")
    await listed.run(await listed.plan_attest())
    assert (await reserve(listed))[0] == 5 * SHARE


async def test_other_custody_accounts_than_declared_are_refused(listed: Desk) -> None:
    await listed.receive(5 * SHARE)
    with pytest.raises(Refused, match="are not the 1 that the security declares"):
        await listed.plan_attest(ACCOUNT, SECOND)


async def test_every_declared_account_has_its_line_and_the_earliest_as_of_counts(desk: Desk) -> None:
    await desk.initialize()
    await desk.grant_all()
    await desk.list(ACCOUNT, SECOND)
    first = await desk.receive(5 * SHARE)
    desk.warp(100)
    assert "account SAFE 2" in (await refused(desk, ACCOUNT, SECOND)).message
    await desk.receive(0, SECOND, lines=())
    await desk.run(await desk.plan_attest(SECOND, ACCOUNT))
    assert await reserve(desk) == (5 * SHARE, first.as_of, 0)


async def test_sixteen_accounts_fit_a_transaction(desk: Desk) -> None:
    accounts = [CustodyAccount(ACCOUNT.custodian_lei, f"SAFE {number}") for number in range(16)]
    await desk.initialize()
    await desk.grant_all()
    await desk.list(*accounts)
    for account in accounts:
        await desk.receive(SHARE, account)
    await desk.run(await desk.plan_attest(*accounts))
    assert (await reserve(desk))[0] == 16 * SHARE


async def test_a_reserve_never_goes_back_in_time(listed: Desk) -> None:
    older = statement(9 * SHARE, listed.now)
    listed.warp(100)
    newer = await listed.receive(5 * SHARE)
    await listed.run(await listed.plan_attest())
    await listed.statements.decide(newer.source_hashes[0], StatementStatus.REJECTED, "a test")
    await listed.statements.add(older)
    with pytest.raises(Refused, match="is in force; these statements are of"):
        await listed.plan_attest()


async def test_a_corrected_statement_of_the_same_moment_supersedes_the_one_in_force(listed: Desk) -> None:
    wrong = await listed.receive(6 * SHARE, statement_id="S-1")
    await listed.run(await listed.plan_attest())
    first = (await require(listed.chain, Security, listed.security)).attestation
    await listed.statements.decide(wrong.source_hashes[0], StatementStatus.REJECTED, "recalled by the custodian")
    await listed.statements.add(statement(5 * SHARE, wrong.as_of, statement_id="S-1"))
    await listed.run(await listed.plan_attest())
    security = await require(listed.chain, Security, listed.security)
    assert security.reserve == 5 * SHARE
    assert (await require(listed.chain, Attestation, security.attestation)).supersedes == first
    assert (await listed.plan_attest()).is_empty


async def test_other_securities_on_a_statement_are_told_and_stop_nothing(listed: Desk) -> None:
    made = statement(5 * SHARE, listed.now)
    other = HoldingLine("US5949181045", made.lines[0].aggregate)
    await listed.statements.add(replace(made, lines=(*made.lines, other)))
    plan = await listed.plan_attest()
    assert any("US5949181045 is not a security of ours" in note for note in plan.notes)
    assert len(plan.actions) == 2


async def redeem(desk: Desk, shares: int) -> None:
    """Alice's accepted redemption."""
    await desk.run(
        await plan_request_redemption(
            desk.chain, payer=desk["payer"], security=desk.security, wallet=desk["alice"], reference="out", raw=shares
        )
    )
    await desk.run(
        await plan_accept_redemption(
            desk.chain, payer=desk["payer"], operator=desk["operator"], order=desk.order("alice", "out")
        )
    )


async def settle_redemption(desk: Desk, shares: int) -> None:
    await desk.run(
        await plan_settle_redemption(
            desk.chain,
            payer=desk["payer"],
            operator=desk["operator"],
            security=desk.security,
            movement=movement("OUT", shares),
            parts=[Part(desk.order("alice", "out"), shares)],
        )
    )


async def test_what_was_settled_before_the_as_of_is_in_the_redeemed_figure(ready: Desk) -> None:
    await ready.give("alice", 10 * SHARE, "in")
    await redeem(ready, 4 * SHARE)
    await settle_redemption(ready, 4 * SHARE)
    await ready.attest(996 * SHARE)
    assert (await reserve(ready))[2] == 4 * SHARE
    assert (await ready.plan_attest()).is_empty


async def test_what_is_settled_after_the_as_of_is_not_in_it(ready: Desk) -> None:
    await ready.give("alice", 10 * SHARE, "in")
    await redeem(ready, 4 * SHARE)
    ready.warp(1)
    await ready.receive(1_000 * SHARE)
    ready.warp(10)
    await settle_redemption(ready, 4 * SHARE)
    await ready.run(await ready.plan_attest())
    assert (await reserve(ready))[2] == 0


async def test_what_the_custodian_booked_before_the_as_of_counts_however_late_it_is_settled(ready: Desk) -> None:
    await ready.give("alice", 1_000 * SHARE, "in")
    await redeem(ready, 4 * SHARE)
    booked = ready.now
    ready.warp(10)
    await ready.receive(999 * SHARE)
    await ready.journal.record(
        CustodyMovement(
            ACCOUNT.custodian_lei,
            ACCOUNT.account,
            "OUT",
            MovementDirection.DELIVERED,
            4 * SHARE,
            bytes(ready.security),
            ready.now,
            booked,
        )
    )
    ready.warp(10)
    await settle_redemption(ready, 4 * SHARE)
    await ready.run(await ready.plan_attest())
    assert (await reserve(ready))[2] == 4 * SHARE
    order = await ready.subscribe("alice", 3 * SHARE, "again")
    await ready.run(await ready.plan_settle(movement("IN AGAIN", 3 * SHARE), Part(order, 3 * SHARE)))
    assert ready.supply == 999 * SHARE


async def test_a_delivery_that_is_not_booked_yet_does_not_count(ready: Desk) -> None:
    await ready.give("alice", 10 * SHARE, "in")
    await redeem(ready, 4 * SHARE)
    await settle_redemption(ready, 4 * SHARE)
    await ready.journal.record(
        CustodyMovement(
            ACCOUNT.custodian_lei,
            ACCOUNT.account,
            "OUT",
            MovementDirection.DELIVERED,
            4 * SHARE,
            bytes(ready.security),
            ready.now,
        )
    )
    await ready.attest(1_000 * SHARE)
    assert (await reserve(ready))[2] == 0


async def test_what_the_custodian_booked_after_the_as_of_does_not_count(ready: Desk) -> None:
    await ready.give("alice", 10 * SHARE, "in")
    await redeem(ready, 4 * SHARE)
    await settle_redemption(ready, 4 * SHARE)
    ready.warp(10)
    await ready.receive(1_000 * SHARE)
    await ready.journal.record(
        CustodyMovement(
            ACCOUNT.custodian_lei,
            ACCOUNT.account,
            "OUT",
            MovementDirection.DELIVERED,
            4 * SHARE,
            bytes(ready.security),
            ready.now,
            ready.now + 5,
        )
    )
    ready.warp(10)
    await ready.run(await ready.plan_attest())
    assert (await reserve(ready))[2] == 0
