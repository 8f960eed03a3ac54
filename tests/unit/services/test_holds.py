"""Holds: who may place one, and each way of lifting it."""

from __future__ import annotations

import pytest
from desk import DAY, SHARE, Desk
from solders.pubkey import Pubkey
from tallystick.errors import InputError, Refused
from tallystick.program.addresses import hold_address
from tallystick.program.generated.accounts import Hold, Security
from tallystick.program.generated.types import RoleKind
from tallystick.services.chain_reads import require
from tallystick.services.holds import (
    ReleasePath,
    Scope,
    hold_id,
    plan_place_hold,
    plan_release_hold,
    reason_hash,
    release_of,
)
from tallystick.services.issuers import plan_revoke_role
from tallystick.services.plans import Plan

ROLES = {"compliance": RoleKind.COMPLIANCE, "reconciliation": RoleKind.RECONCILIATION, "guardian": RoleKind.GUARDIAN}


async def plan_hold(desk: Desk, name: str, expires_in: int | None = None, **changes: object) -> Plan:
    values: dict[str, object] = {
        "payer": desk["payer"],
        "security": desk.security,
        "owner": desk[name],
        "kind": ROLES.get(name, RoleKind.OPERATOR),
        "reference": "h-1",
        "scope": Scope.MINT,
        "reason_code": 1,
        "reason": "books differ",
        "expires_at": None if expires_in is None else desk.now + expires_in,
    }
    return await plan_place_hold(desk.chain, **(values | changes))  # type: ignore[arg-type]


async def place(desk: Desk, name: str, expires_in: int | None = None) -> Pubkey:
    await desk.run(await plan_hold(desk, name, expires_in))
    return hold_address(desk.security, desk[name], hold_id("h-1"))


async def plan_release(desk: Desk, hold: Pubkey, *names: str) -> Plan:
    return await plan_release_hold(desk.chain, payer=desk["payer"], hold=hold, keys=[desk[name] for name in names])


async def mint_holds(desk: Desk) -> int:
    return (await require(desk.chain, Security, desk.security)).mint_holds


async def test_a_hold_is_placed_once_and_released_once_by_its_owner(ready: Desk) -> None:
    hold = await place(ready, "compliance")
    assert (await plan_hold(ready, "compliance")).is_empty
    assert (await release_of(ready.chain, hold)).path is ReleasePath.OWNER
    with pytest.raises(Refused, match=f"by its owner; the signature of {ready['compliance']} is missing"):
        await plan_release(ready, hold, "operator")
    assert await mint_holds(ready) == 1
    await ready.run(await plan_release(ready, hold, "compliance"))
    assert await mint_holds(ready) == 0
    assert (await plan_release(ready, hold, "compliance")).is_empty
    again = await plan_hold(ready, "compliance")
    assert again.is_empty
    assert "was released" in again.notes[0]


async def test_a_reconciliation_hold_needs_compliance_beside_its_owner(ready: Desk) -> None:
    hold = await place(ready, "reconciliation", DAY)
    release = await release_of(ready.chain, hold)
    assert (release.path, release.cosigners) == (ReleasePath.OWNER_AND_COMPLIANCE, (ready["compliance"],))
    with pytest.raises(Refused, match=f"a compliance key \\({ready['compliance']}\\) is missing"):
        await plan_release(ready, hold, "reconciliation")
    plan = await plan_release(ready, hold, "reconciliation", "compliance")
    assert plan.signers[ready["compliance"]] == ("compliance",)
    await ready.run(plan)
    assert await mint_holds(ready) == 0


async def test_the_hold_of_a_revoked_owner_is_lifted_by_admin_and_guardian(ready: Desk) -> None:
    hold = await place(ready, "compliance")
    await ready.run(
        await plan_revoke_role(
            ready.chain, payer=ready["payer"], issuer=ready.issuer, kind=RoleKind.COMPLIANCE, holder=ready["compliance"]
        )
    )
    with pytest.raises(Refused, match="admin and guardian together"):
        await plan_release(ready, hold, "compliance")
    plan = await plan_release(ready, hold, "admin", "guardian")
    assert set(plan.signers) == {ready["payer"], ready["admin"], ready["guardian"]}
    await ready.run(plan)
    assert await mint_holds(ready) == 0


async def test_anyone_lifts_an_expired_hold(ready: Desk) -> None:
    hold = await place(ready, "reconciliation", 50)
    ready.warp(51)
    plan = await plan_release(ready, hold)
    assert set(plan.signers) == {ready["payer"]}
    await ready.run(plan)
    assert await mint_holds(ready) == 0


async def test_a_hold_of_a_machine_or_a_guardian_must_expire_within_three_days(ready: Desk) -> None:
    for expires_in in (None, 3 * DAY + 1):
        for name in ("operator", "guardian"):
            with pytest.raises(Refused, match="within 72 hours"):
                await plan_hold(ready, name, expires_in)
    assert (await plan_hold(ready, "operator", 3 * DAY - 5)).actions


async def test_an_attestor_places_no_hold(ready: Desk) -> None:
    with pytest.raises(Refused, match="may not hold"):
        await plan_hold(ready, "attestor-1", kind=RoleKind.ATTESTOR)


async def test_a_key_without_the_role_places_no_hold(ready: Desk) -> None:
    with pytest.raises(Refused, match="no compliance"):
        await plan_hold(ready, "operator", kind=RoleKind.COMPLIANCE)


async def test_an_expired_end_is_refused(ready: Desk) -> None:
    with pytest.raises(Refused, match="would have expired"):
        await plan_hold(ready, "compliance", 0)


async def test_a_reference_stands_for_one_hold(ready: Desk) -> None:
    await place(ready, "compliance")
    with pytest.raises(Refused, match="another hold"):
        await plan_hold(ready, "compliance", scope=Scope.REDEEM)


async def test_a_hold_without_scope_is_an_input_error(ready: Desk) -> None:
    with pytest.raises(InputError, match="A scope"):
        await plan_hold(ready, "compliance", scope=Scope(0))


async def test_the_reason_is_on_chain_as_a_hash_alone(ready: Desk) -> None:
    hold = await require(ready.chain, Hold, await place(ready, "compliance"))
    assert hold.reason_hash == reason_hash("books differ")
    assert hold_id("h-1") == hold_id(" h-1 ") != hold_id("h-2")
    assert ready.supply == 0 * SHARE
