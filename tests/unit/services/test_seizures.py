"""Seizure: proposed by one key, executed by a second, to an account named before; nothing else moves tokens."""

from __future__ import annotations

import pytest
from controlling_desk import COURT, ControllingDesk
from desk import DAY, SHARE
from tallystick.errors import Refused
from tallystick.program.generated.types import RoleKind, VetoSubject
from tallystick.program.token import create_associated_token_account_idempotent
from tallystick.services.holdings import Reason
from tallystick.services.holds import Scope, plan_place_hold
from tallystick.services.issuers import plan_revoke_role
from tallystick.services.plans import Plan, new_action
from tallystick.services.rules import seizure_account_at
from tallystick.services.seizures import SeizureState, find_seizures, plan_name_seizure_account, state_of
from tallystick.services.vetoes import plan_veto_setting


@pytest.fixture
async def held() -> ControllingDesk:
    """Alice holds ten tokens; no seizure account yet."""
    desk = ControllingDesk()
    await desk.ready()
    await desk.give("alice", 10 * SHARE, "A-1")
    return desk


@pytest.fixture
async def named(held: ControllingDesk) -> ControllingDesk:
    """The treasury's account takes seizures."""
    await held.run(await held.plan_name())
    held.warp(2)
    return held


async def state(desk: ControllingDesk) -> SeizureState:
    [(_, seizure)] = await find_seizures(desk.chain, desk.security)
    return state_of(seizure, desk.now)


async def test_two_keys_seize_and_the_source_stays_frozen(named: ControllingDesk) -> None:
    await named.run(await named.plan_freeze())
    proposed = await named.plan_propose()
    assert not any("not frozen" in note for note in proposed.notes)
    await named.run(proposed)
    assert (await named.plan_propose()).is_empty
    assert await state(named) is SeizureState.PROPOSED
    await named.run(await named.plan_seize())
    assert (named.tokens("alice"), named.tokens("treasury")) == (0, 10 * SHARE)
    assert (await named.holding()).state == "frozen"
    assert await state(named) is SeizureState.EXECUTED
    assert (await named.plan_seize()).is_empty
    assert (await named.plan_propose()).is_empty


async def test_part_of_a_free_account_is_seized_and_it_stays_free(named: ControllingDesk) -> None:
    plan = await named.plan_propose(raw=3 * SHARE)
    assert any("Freeze it first" in note for note in plan.notes)
    await named.run(plan)
    await named.run(await named.plan_seize())
    assert (named.tokens("alice"), named.tokens("treasury")) == (7 * SHARE, 3 * SHARE)
    assert (await named.holding()).state == "free"


async def test_one_key_alone_seizes_nothing(named: ControllingDesk) -> None:
    await named.run(await named.plan_propose())
    with pytest.raises(Refused, match="a second key has to execute it"):
        await named.plan_seize(by="compliance")
    with pytest.raises(Refused, match="is no compliance"):
        await named.plan_seize(by="operator")
    assert named.tokens("alice") == 10 * SHARE


async def test_the_proposal_of_a_revoked_key_is_worth_nothing(named: ControllingDesk) -> None:
    await named.run(await named.plan_propose())
    await named.run(
        await plan_revoke_role(
            named.chain, payer=named["payer"], issuer=named.issuer, kind=RoleKind.COMPLIANCE, holder=named["compliance"]
        )
    )
    with pytest.raises(Refused, match="is no compliance"):
        await named.plan_seize()


async def test_a_proposal_expires_after_a_week(named: ControllingDesk) -> None:
    await named.run(await named.plan_propose())
    named.warp(7 * DAY)
    assert await state(named) is SeizureState.EXPIRED
    with pytest.raises(Refused, match="expired"):
        await named.plan_seize()
    with pytest.raises(Refused, match="expired"):
        await named.plan_propose()


async def test_a_reference_is_one_seizure(named: ControllingDesk) -> None:
    await named.run(await named.plan_propose(raw=SHARE))
    with pytest.raises(Refused, match="is another seizure"):
        await named.plan_propose(raw=2 * SHARE)
    with pytest.raises(Refused, match="is another seizure"):
        await named.plan_propose(reason=Reason("another"))
    assert (await named.plan_propose(raw=SHARE, reason=COURT)).is_empty


async def test_more_than_is_there_is_refused_and_so_is_nothing(named: ControllingDesk) -> None:
    with pytest.raises(Refused, match="to be seized: 11 tokens"):
        await named.plan_propose(raw=11 * SHARE)
    with pytest.raises(Refused, match="holds nothing"):
        await named.plan_propose("bob")


async def test_of_several_accounts_one_is_named_and_the_reference_finds_it_again(named: ControllingDesk) -> None:
    old = named.plant("alice", 2 * SHARE)
    with pytest.raises(Refused, match="in several accounts"):
        await named.plan_propose()
    with pytest.raises(Refused, match="is no token account of"):
        await named.plan_propose(account=named.account("bob"))
    await named.run(await named.plan_propose(account=old))
    assert (await named.plan_propose()).is_empty
    await named.run(await named.plan_seize())
    assert (named.tokens("alice"), named.tokens("treasury")) == (10 * SHARE, 2 * SHARE)


async def test_tokens_that_left_before_are_not_seized(named: ControllingDesk) -> None:
    await named.give("bob", SHARE, "B-1")
    await named.run(await named.plan_propose())
    await named.run(named.transfer("alice", "bob", SHARE))
    with pytest.raises(Refused, match="holds 9 tokens by now"):
        await named.plan_seize()


async def test_without_a_seizure_account_in_force_nothing_is_seized(held: ControllingDesk) -> None:
    plan = await held.plan_propose()
    assert any("No seizure account is in force" in note for note in plan.notes)
    await held.run(plan)
    with pytest.raises(Refused, match="No seizure account is in force"):
        await held.plan_seize()


async def test_a_transfer_hold_stops_a_seizure(named: ControllingDesk) -> None:
    await named.run(await named.plan_propose())
    await named.run(
        await plan_place_hold(
            named.chain,
            payer=named["payer"],
            security=named.security,
            owner=named["compliance"],
            kind=RoleKind.COMPLIANCE,
            reference="h-1",
            scope=Scope.TRANSFER,
            reason_code=1,
            reason="court",
        )
    )
    with pytest.raises(Refused, match="holds on transfers"):
        await named.plan_seize()


async def test_nothing_is_seized_into_a_frozen_account_nor_from_the_seizure_account(named: ControllingDesk) -> None:
    await named.run(await named.plan_propose())
    await named.run(await named.plan_freeze("treasury"))
    with pytest.raises(Refused, match="The seizure account"):
        await named.plan_seize()
    await named.run(await named.plan_thaw("treasury"))
    await named.run(await named.plan_seize())
    with pytest.raises(Refused, match="is the seizure account itself"):
        await named.plan_propose("treasury", reference="CASE-8")


async def test_a_named_account_waits_and_none_counts_at_once(held: ControllingDesk) -> None:
    plan = await held.plan_name()
    assert "Its token account is made first." in plan.notes
    assert any("counts 1 s after it is named" in note for note in plan.notes)
    await held.run(plan)
    assert "It waits until" in (await held.plan_name()).notes[0]
    assert seizure_account_at(await held.listed(), held.now) is None
    held.warp(2)
    assert seizure_account_at(await held.listed(), held.now) == held.account("treasury")
    assert (await held.plan_name()).is_empty
    await held.run(await held.plan_name(None))
    assert seizure_account_at(await held.listed(), held.now) is None
    assert (await held.plan_name(None)).is_empty


async def test_a_guardian_vetoes_the_account_while_it_waits(held: ControllingDesk) -> None:
    await held.run(await held.plan_name())

    async def veto(by: str = "guardian") -> Plan:
        return await plan_veto_setting(
            held.chain,
            payer=held["payer"],
            security=held.security,
            guardian=held[by],
            subject=VetoSubject.SEIZURE_ACCOUNT,
        )

    with pytest.raises(Refused, match="is no guardian"):
        await veto("admin")
    await held.run(await veto())
    assert (await veto()).is_empty
    held.warp(2)
    assert seizure_account_at(await held.listed(), held.now) is None
    await held.run(await held.plan_name())
    held.warp(2)
    with pytest.raises(Refused, match="is in force since"):
        await veto()


async def test_the_escrow_is_no_seizure_account(held: ControllingDesk) -> None:
    with pytest.raises(Refused, match="is an account of the program"):
        await plan_name_seizure_account(
            held.chain, payer=held["payer"], security=held.security, account=held.addresses.escrow
        )
    with pytest.raises(Refused, match="is no token account of the mint"):
        await plan_name_seizure_account(held.chain, payer=held["payer"], security=held.security, account=held["bob"])


async def test_another_account_replaces_the_one_that_waits(held: ControllingDesk) -> None:
    await held.run(await held.plan_name())
    made = create_associated_token_account_idempotent(payer=held["payer"], wallet=held["bob"], mint=held.mint)
    await held.run(Plan("make", (new_action("make", "make", made, held["payer"]),)))
    plan = await plan_name_seizure_account(
        held.chain, payer=held["payer"], security=held.security, account=held.account("bob")
    )
    assert any("is dropped" in note for note in plan.notes)
    await held.run(plan)
    held.warp(2)
    assert seizure_account_at(await held.listed(), held.now) == held.account("bob")
