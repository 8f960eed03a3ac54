"""Issuers, roles, the handover of the admin, vetoes, securities, limits and holders."""

from __future__ import annotations

from dataclasses import replace

import pytest
from desk import ACCOUNT, DAY, LEI, SHARE, Desk, policy
from tallystick.errors import IdentifierError, InputError, Refused
from tallystick.program.addresses import holder_address, limit_address
from tallystick.program.generated.accounts import Holder, Issuer, Limit, Security
from tallystick.program.generated.types import RoleKind
from tallystick.services.chain_reads import list_issuers, list_securities, require
from tallystick.services.holders import investor_id, plan_approve_holder, plan_suspend_holder
from tallystick.services.issuers import (
    RoleState,
    issuer_status,
    plan_accept_admin,
    plan_grant_role,
    plan_initialize,
    plan_propose_admin,
    plan_revoke_role,
)
from tallystick.services.plans import Plan
from tallystick.services.securities import CustodyAccount, plan_list_security, plan_set_limit, security_status
from tallystick.services.vetoes import plan_veto_admin, plan_veto_limit, plan_veto_role


@pytest.fixture
async def issued(desk: Desk) -> Desk:
    """An issuer with a guardian and nothing else."""
    await desk.initialize()
    return desk


async def plan_grant(desk: Desk, name: str, kind: RoleKind) -> Plan:
    return await plan_grant_role(desk.chain, payer=desk["payer"], issuer=desk.issuer, kind=kind, holder=desk[name])


async def plan_revoke(desk: Desk, name: str, kind: RoleKind) -> Plan:
    return await plan_revoke_role(desk.chain, payer=desk["payer"], issuer=desk.issuer, kind=kind, holder=desk[name])


async def plan_veto(
    desk: Desk, name: str, kind: RoleKind, guardian: str = "guardian", beside: str | None = None
) -> Plan:
    return await plan_veto_role(
        desk.chain,
        payer=desk["payer"],
        issuer=desk.issuer,
        guardian=desk[guardian],
        kind=kind,
        holder=desk[name],
        compliance=None if beside is None else desk[beside],
    )


async def propose(desk: Desk, name: str | None) -> Plan:
    return await plan_propose_admin(
        desk.chain, payer=desk["payer"], issuer=desk.issuer, new_admin=None if name is None else desk[name]
    )


async def accept(desk: Desk, name: str) -> Plan:
    return await plan_accept_admin(desk.chain, payer=desk["payer"], issuer=desk.issuer, new_admin=desk[name])


async def state(desk: Desk, name: str, kind: RoleKind) -> RoleState:
    roles = (await issuer_status(desk.chain, desk.issuer)).roles
    [found] = [each for each in roles if (each.role.kind, each.role.holder) == (kind, desk[name])]
    return found.state


async def initialize(desk: Desk, **changes: object) -> Plan:
    values: dict[str, object] = {
        "payer": desk["payer"],
        "admin": desk["admin"],
        "guardian": desk["guardian"],
        "nonce": 1,
        "name": "Example Issuer",
        "lei": LEI,
        "delay": 1,
    }
    return await plan_initialize(desk.chain, **(values | changes))  # type: ignore[arg-type]


async def test_an_issuer_is_created_once_with_its_guardian_in_force(desk: Desk) -> None:
    plan = await initialize(desk)
    assert {desk["admin"], desk["authority"], desk["payer"]} == set(plan.signers)
    await desk.run(plan)
    assert (await initialize(desk)).is_empty
    status = await issuer_status(desk.chain, desk.issuer)
    assert status.keys(RoleKind.GUARDIAN) == (desk["guardian"],)
    assert list((await list_issuers(desk.chain)).accounts) == [desk.issuer]


async def test_another_name_at_the_same_address_is_refused(issued: Desk) -> None:
    with pytest.raises(Refused, match="another issuer"):
        await initialize(issued, name="Someone Else")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"lei": LEI[:-1] + "5"}, IdentifierError),
        ({"delay": 0}, InputError),
        ({"delay": 31 * DAY}, InputError),
        ({"name": " "}, InputError),
        ({"name": "x" * 65}, InputError),
    ],
)
async def test_what_the_program_would_refuse_of_an_issuer_is_an_input_error(
    desk: Desk, change: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await initialize(desk, **change)


async def test_the_admin_is_not_its_own_guardian(desk: Desk) -> None:
    with pytest.raises(Refused, match="guardian must be a key of its own"):
        await initialize(desk, guardian=desk["admin"])


async def test_a_grant_waits_is_in_force_ends_and_is_granted_again(issued: Desk) -> None:
    for _ in range(2):
        await issued.run(await plan_grant(issued, "operator", RoleKind.OPERATOR))
        assert await state(issued, "operator", RoleKind.OPERATOR) is RoleState.WAITING
        issued.warp(2)
        assert await state(issued, "operator", RoleKind.OPERATOR) is RoleState.IN_FORCE
        assert (await plan_grant(issued, "operator", RoleKind.OPERATOR)).is_empty
        await issued.run(await plan_revoke(issued, "operator", RoleKind.OPERATOR))
        assert await state(issued, "operator", RoleKind.OPERATOR) is RoleState.ENDED
        assert (await plan_revoke(issued, "operator", RoleKind.OPERATOR)).is_empty


async def test_a_key_is_not_given_two_exclusive_roles(issued: Desk) -> None:
    await issued.run(await plan_grant(issued, "operator", RoleKind.OPERATOR))
    with pytest.raises(Refused, match="is operator, and so cannot be attestor"):
        await plan_grant(issued, "operator", RoleKind.ATTESTOR)
    assert (await plan_grant(issued, "operator", RoleKind.RECONCILIATION)).actions


async def test_the_admin_is_given_no_exclusive_role(issued: Desk) -> None:
    with pytest.raises(Refused, match="is the admin"):
        await plan_grant(issued, "admin", RoleKind.OPERATOR)


async def test_a_role_nobody_ever_had_is_not_revoked(issued: Desk) -> None:
    with pytest.raises(Refused, match="was never operator"):
        await plan_revoke(issued, "operator", RoleKind.OPERATOR)


async def test_a_guardian_vetoes_a_grant_that_waits_and_none_in_force(issued: Desk) -> None:
    await issued.run(await plan_grant(issued, "operator", RoleKind.OPERATOR))
    await issued.run(await plan_veto(issued, "operator", RoleKind.OPERATOR))
    assert await state(issued, "operator", RoleKind.OPERATOR) is RoleState.ENDED
    assert (await plan_veto(issued, "operator", RoleKind.OPERATOR)).is_empty
    await issued.run(await plan_grant(issued, "operator", RoleKind.OPERATOR))
    issued.warp(2)
    with pytest.raises(Refused, match=r"Nothing of the role operator .* waits"):
        await plan_veto(issued, "operator", RoleKind.OPERATOR)


async def test_nobody_but_a_guardian_vetoes(issued: Desk) -> None:
    await issued.run(await plan_grant(issued, "operator", RoleKind.OPERATOR))
    with pytest.raises(Refused, match="is no guardian"):
        await plan_veto(issued, "operator", RoleKind.OPERATOR, guardian="stranger")


async def test_removing_a_guardian_waits_is_vetoed_and_can_be_asked_for_again(issued: Desk) -> None:
    await issued.run(await plan_grant(issued, "heir", RoleKind.GUARDIAN))
    issued.warp(2)
    for _ in range(2):
        await issued.run(await plan_revoke(issued, "heir", RoleKind.GUARDIAN))
        assert await state(issued, "heir", RoleKind.GUARDIAN) is RoleState.ENDING
        await issued.run(await plan_veto(issued, "heir", RoleKind.GUARDIAN))
        assert await state(issued, "heir", RoleKind.GUARDIAN) is RoleState.IN_FORCE


async def test_a_guardian_vetoes_its_own_removal_with_compliance_beside_it(issued: Desk) -> None:
    await issued.run(await plan_grant(issued, "compliance", RoleKind.COMPLIANCE))
    issued.warp(2)
    await issued.run(await plan_revoke(issued, "compliance", RoleKind.COMPLIANCE))
    await issued.run(await plan_revoke(issued, "guardian", RoleKind.GUARDIAN))
    for beside in (None, "stranger"):
        with pytest.raises(Refused, match="only with compliance's signature"):
            await plan_veto(issued, "guardian", RoleKind.GUARDIAN, beside=beside)
    plan = await plan_veto(issued, "guardian", RoleKind.GUARDIAN, beside="compliance")
    assert set(plan.signers) == {issued["payer"], issued["guardian"], issued["compliance"]}
    await issued.run(plan)
    assert await state(issued, "guardian", RoleKind.GUARDIAN) is RoleState.IN_FORCE


async def test_the_admin_moves_in_two_steps_after_the_delay(issued: Desk) -> None:
    await issued.run(await propose(issued, "heir"))
    assert (await propose(issued, "heir")).is_empty
    with pytest.raises(Refused, match="may accept only from"):
        await accept(issued, "heir")
    issued.warp(2)
    await issued.run(await accept(issued, "heir"))
    assert (await accept(issued, "heir")).is_empty
    assert (await require(issued.chain, Issuer, issued.issuer)).admin == issued["heir"]


async def test_a_vetoed_proposal_is_made_again_and_withdrawn(issued: Desk) -> None:
    for _ in range(2):
        await issued.run(await propose(issued, "heir"))
        veto = await plan_veto_admin(
            issued.chain, payer=issued["payer"], issuer=issued.issuer, guardian=issued["guardian"]
        )
        await issued.run(veto)
        with pytest.raises(Refused, match="was not proposed"):
            await accept(issued, "heir")
    await issued.run(await propose(issued, "heir"))
    await issued.run(await propose(issued, None))
    assert (await propose(issued, None)).is_empty


async def test_a_key_with_an_exclusive_role_does_not_become_admin(issued: Desk) -> None:
    await issued.run(await propose(issued, "guardian"))
    issued.warp(2)
    with pytest.raises(Refused, match="is guardian, and so cannot be admin"):
        await accept(issued, "guardian")


async def test_a_security_is_listed_once_and_differences_are_named(issued: Desk) -> None:
    await issued.run(
        await plan_list_security(issued.chain, payer=issued["payer"], issuer=issued.issuer, spec=issued.spec())
    )
    again = await plan_list_security(issued.chain, payer=issued["payer"], issuer=issued.issuer, spec=issued.spec())
    assert again.is_empty
    assert list((await list_securities(issued.chain, issued.issuer)).accounts) == [issued.security]
    with pytest.raises(Refused, match="another policy"):
        await plan_list_security(
            issued.chain,
            payer=issued["payer"],
            issuer=issued.issuer,
            spec=replace(issued.spec(), policy=policy(margin=1)),
        )


@pytest.mark.parametrize(
    "change",
    [
        {"decimals": 10},
        {"isin": "US0378331006"},
        {"terms_hash": bytes(32)},
        {"name": ""},
        {"uri": "u" * 201},
        {"custody_accounts": ()},
        {"custody_accounts": (ACCOUNT, CustodyAccount(ACCOUNT.custodian_lei, "safe  1"))},
    ],
)
async def test_what_cannot_be_listed_is_an_input_error(issued: Desk, change: dict[str, object]) -> None:
    with pytest.raises(InputError):
        await plan_list_security(
            issued.chain, payer=issued["payer"], issuer=issued.issuer, spec=replace(issued.spec(), **change)
        )


async def plan_limit(desk: Desk, cap: int) -> Plan:
    return await plan_set_limit(
        desk.chain,
        payer=desk["payer"],
        security=desk.security,
        operator=desk["operator"],
        mint_cap=cap,
        burn_cap=cap,
        window=DAY,
    )


async def test_a_limit_is_loosened_after_the_delay_vetoed_and_tightened_at_once(ready: Desk) -> None:
    address = limit_address(ready.security, ready["operator"])
    assert (await plan_limit(ready, 10**6 * SHARE)).is_empty
    for _ in range(2):
        await ready.run(await plan_limit(ready, 2 * 10**6 * SHARE))
        assert (await require(ready.chain, Limit, address)).pending_from > ready.now - 1
        veto = await plan_veto_limit(
            ready.chain,
            payer=ready["payer"],
            security=ready.security,
            guardian=ready["guardian"],
            operator=ready["operator"],
        )
        await ready.run(veto)
        assert (await require(ready.chain, Limit, address)).pending_from == 0
    await ready.run(await plan_limit(ready, SHARE))
    assert (await require(ready.chain, Limit, address)).mint_cap == SHARE
    assert (await plan_limit(ready, SHARE)).is_empty


async def test_the_status_of_a_security_says_what_is_backed(ready: Desk) -> None:
    await ready.give("alice", 10 * SHARE, "o-1")
    status = await security_status(ready.chain, ready.security)
    assert (status.supply, status.required, status.backing) == (10 * SHARE, 10 * SHARE, 1_000 * SHARE)
    assert (status.room, status.trouble) == (990 * SHARE, None)
    ready.warp(2 * DAY)
    stale = await security_status(ready.chain, ready.security)
    assert stale.room == 0
    assert "ago; at most" in (stale.trouble or "")
    assert isinstance(stale.security, Security)


async def test_a_holder_is_approved_once_suspended_once_and_approved_again(ready: Desk) -> None:
    until = ready.now + DAY

    async def approve() -> Plan:
        return await plan_approve_holder(
            ready.chain,
            payer=ready["payer"],
            issuer=ready.issuer,
            compliance=ready["compliance"],
            wallet=ready["stranger"],
            investor_id=investor_id(b"s" * 16, "C-1"),
            classes=1,
            approved_until=until,
            evidence_hash=b"e" * 32,
        )

    async def suspend() -> Plan:
        return await plan_suspend_holder(
            ready.chain,
            payer=ready["payer"],
            issuer=ready.issuer,
            compliance=ready["compliance"],
            wallet=ready["stranger"],
            evidence_hash=b"f" * 32,
        )

    address = holder_address(ready.issuer, ready["stranger"])
    for _ in range(2):
        await ready.run(await approve())
        assert (await approve()).is_empty
        assert (await require(ready.chain, Holder, address)).suspended_at == 0
        await ready.run(await suspend())
        assert (await suspend()).is_empty
        assert (await require(ready.chain, Holder, address)).suspended_at > 0


async def test_only_compliance_approves(ready: Desk) -> None:
    with pytest.raises(Refused, match="no compliance"):
        await plan_approve_holder(
            ready.chain,
            payer=ready["payer"],
            issuer=ready.issuer,
            compliance=ready["operator"],
            wallet=ready["stranger"],
            investor_id=b"i" * 32,
            classes=1,
            approved_until=ready.now + 1,
            evidence_hash=b"e" * 32,
        )


async def test_an_approval_in_the_past_is_refused(ready: Desk) -> None:
    with pytest.raises(Refused, match="would have lapsed"):
        await plan_approve_holder(
            ready.chain,
            payer=ready["payer"],
            issuer=ready.issuer,
            compliance=ready["compliance"],
            wallet=ready["stranger"],
            investor_id=b"i" * 32,
            classes=1,
            approved_until=ready.now,
            evidence_hash=b"e" * 32,
        )


def test_an_investor_id_needs_a_secret_and_differs_by_salt() -> None:
    assert investor_id(b"a" * 16, "C-1") != investor_id(b"b" * 16, "C-1")
    with pytest.raises(InputError, match="salt of 16"):
        investor_id(b"short", "C-1")
