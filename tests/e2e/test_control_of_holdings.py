"""Freeze, seize, reissue, permissioned securities and policies that change: by the keys that may, on every cluster."""

from __future__ import annotations

import pytest
from clusters import LOCALNET, VALIDATOR
from live_cluster import Live
from live_control import COURT, Control, appoint
from live_issuer import ONE, Desk, Movement, Share, digest
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tallystick.errors import Refused
from tallystick.program.generated import accounts, errors, events, instructions, types
from tallystick.program.generated.types import RoleKind, SeizureStatus, VetoSubject
from tallystick.program.token import transfer_checked
from tallystick.services.rules import policy_at, seizure_account_at

DELAY = {LOCALNET: 600, VALIDATOR: 30}
"""Seconds that changes of the waiting issuer wait, for a veto on a busy machine; a localnet's are not waited."""


@pytest.fixture
async def control(live: Live, desk: Desk) -> Control:
    """A security of its own with 100 shares attested, and a second compliance key."""
    return await appoint(live, await Share(desk).do_list(live, 100 * ONE))


@pytest.fixture
async def holder(live: Live, control: Control) -> Keypair:
    """A new wallet with ten tokens."""
    wallet = Keypair()
    await control.do_approve(live, wallet, "investor")
    await control.share.do_subscribe(live, wallet, 10 * ONE)
    return wallet


def transfer(share: Share, source: Keypair, destination: Keypair, raw: int) -> tuple[Instruction, Keypair]:
    """As any wallet does it."""
    return transfer_checked(
        source=share.tokens(source),
        mint=share.mint,
        destination=share.tokens(destination),
        authority=source.pubkey(),
        amount=raw,
        decimals=6,
    ), source


async def test_a_frozen_account_moves_nothing_until_it_is_thawed(live: Live, control: Control, holder: Keypair) -> None:
    share, other = control.share, Keypair()
    await live.send([share.create_tokens(other)])
    frozen = await control.carry_out(live, await control.plan_freeze(live, holder))
    account, wallet, by = share.tokens(holder), holder.pubkey(), control.first.pubkey()
    assert frozen.events == (events.AccountFrozen(share.address, account, wallet, by, COURT.code, COURT.hash),)
    assert (await live.token(account)).frozen
    refusal = await live.refuse_by_token_program(*transfer(share, holder, other, ONE))
    assert "frozen" in refusal.message.lower()
    assert (await control.plan_freeze(live, holder)).is_empty
    thawed = await control.carry_out(live, await control.plan_thaw(live, holder))
    assert thawed.events == (events.AccountThawed(share.address, account, wallet, by, COURT.code, COURT.hash),)
    await live.send(*transfer(share, holder, other, ONE))
    assert (await live.raw(account), await live.raw(share.tokens(other))) == (9 * ONE, ONE)


async def test_the_escrow_is_never_frozen(live: Live, control: Control) -> None:
    share = control.share
    instruction = instructions.freeze_account(
        compliance=control.first.pubkey(),
        role=share.desk.role(RoleKind.COMPLIANCE, control.first),
        security=share.address,
        mint=share.mint,
        token_account=share.escrow,
        wallet=share.address,
        params=types.FreezeAccountParams(COURT.code, COURT.hash),
    )
    await live.refuse(errors.OwnedByProgram, instruction, control.first)


async def test_two_keys_seize_what_one_alone_cannot(live: Live, control: Control, holder: Keypair) -> None:
    share, treasury = control.share, Keypair()
    await control.carry_out(live, await control.plan_name(live, treasury))
    state = await share.state(live)
    await live.until(state.pending_seizure_from)
    state = await share.state(live)
    assert seizure_account_at(state, await live.now()) == share.tokens(treasury)
    await control.carry_out(live, await control.plan_freeze(live, holder))
    proposed = await control.carry_out(live, await control.plan_propose(live, holder, 4 * ONE))
    seizure = control.seizure(holder)
    found = await live.read(accounts.Seizure, seizure)
    assert (found.status, found.raw, found.wallet) == (SeizureStatus.PROPOSED, 4 * ONE, holder.pubkey())
    assert [type(each) for each in proposed.events] == [events.SeizureProposed]
    assert (await control.plan_propose(live, holder, 4 * ONE)).is_empty

    def seize(by: Keypair) -> tuple[Instruction, Keypair]:
        return instructions.seize(
            compliance=by.pubkey(),
            role=share.desk.role(RoleKind.COMPLIANCE, by),
            proposer_role=share.desk.role(RoleKind.COMPLIANCE, control.first),
            security=share.address,
            seizure=seizure,
            mint=share.mint,
            source=share.tokens(holder),
            wallet=holder.pubkey(),
            destination=share.tokens(treasury),
        ), by

    await live.refuse(errors.SecondKeyMissing, *seize(control.first))
    seized = await control.carry_out(live, await control.plan_seize(live, holder))
    assert seized.events == (
        events.HoldingSeized(
            security=share.address,
            seizure=seizure,
            source=share.tokens(holder),
            wallet=holder.pubkey(),
            destination=share.tokens(treasury),
            raw=4 * ONE,
            seized_by=control.second.pubkey(),
        ),
    )
    source = await live.token(share.tokens(holder))
    assert (source.amount, source.frozen, await live.raw(share.tokens(treasury))) == (6 * ONE, True, 4 * ONE)
    await live.refuse(errors.SeizureExecuted, *seize(control.second))
    assert (await control.plan_seize(live, holder)).is_empty


async def test_a_lost_keys_tokens_are_reissued_by_two_keys(live: Live, control: Control, holder: Keypair) -> None:
    share, new = control.share, Keypair()
    with pytest.raises(Refused, match="is no approved holder"):
        await control.plan_reissue(live, holder, new)
    await control.do_approve(live, new, "investor")
    plan = await control.plan_reissue(live, holder, new)

    def reissue(second: Keypair) -> tuple[Instruction, Keypair]:
        return instructions.reissue(
            compliance=control.first.pubkey(),
            role=share.desk.role(RoleKind.COMPLIANCE, control.first),
            second_compliance=second.pubkey(),
            second_role=share.desk.role(RoleKind.COMPLIANCE, second),
            security=share.address,
            old_holder=share.desk.holder(holder.pubkey()),
            new_holder=share.desk.holder(new.pubkey()),
            mint=share.mint,
            source=share.tokens(holder),
            old_wallet=holder.pubkey(),
            destination=share.tokens(new),
            params=types.ReissueParams(digest("affidavit")),
        ), control.first

    landed = await control.carry_out(live, plan)
    assert [type(each) for each in landed.events] == [events.HoldingReissued]
    assert await live.raw(share.tokens(new)) == 10 * ONE
    old = await live.token(share.tokens(holder))
    assert (old.amount, old.frozen) == (0, True)
    assert (await live.read(accounts.Holder, share.desk.holder(holder.pubkey()))).suspended_at
    assert (await control.plan_reissue(live, holder, new)).is_empty
    await live.refuse(errors.SecondKeyMissing, *reissue(control.first))


async def test_a_permissioned_account_is_thawed_before_the_first_mint(live: Live, desk: Desk) -> None:
    share = await Share(desk, permissioned=True).do_list(live, 10 * ONE)
    control, wallet, stranger = await appoint(live, share), Keypair(), Keypair()
    await control.do_approve(live, wallet, "investor")
    order, movement = await share.do_order(live, wallet, ONE), Movement(ONE)
    assert (await live.token(share.tokens(wallet))).frozen
    await live.refuse_by_token_program(*share.settle_subscription(order, movement))
    await control.carry_out(live, await control.plan_thaw(live, wallet))
    await live.send(*share.settle_subscription(order, movement))
    assert await live.raw(share.tokens(wallet)) == ONE
    await live.send([share.create_tokens(stranger)])
    with pytest.raises(Refused, match="is no approved holder"):
        await control.plan_thaw(live, stranger)
    instruction = instructions.thaw_account(
        compliance=control.first.pubkey(),
        role=desk.role(RoleKind.COMPLIANCE, control.first),
        security=share.address,
        mint=share.mint,
        token_account=share.tokens(stranger),
        wallet=stranger.pubkey(),
        holder=desk.holder(stranger.pubkey()),
        params=types.ThawAccountParams(COURT.code, COURT.hash),
    )
    await live.refuse(errors.HolderRecordMissing, instruction, control.first)
    await live.refuse_by_token_program(*transfer(share, wallet, stranger, ONE))


async def test_a_policy_tightens_at_once_and_what_loosens_waits_and_is_vetoed(live: Live, desk: Desk) -> None:
    slow = Desk(desk.payer, DELAY[live.cluster.name])
    await live.send(*slow.initialize(live.cluster.upgrade_authority))
    share = Share(slow)
    await live.send(*share.list_security())
    control = Control(share, Keypair())
    tightened = await control.carry_out(live, await control.plan_policy(live, {"margin": 100, "threshold": 3}))
    [said] = tightened.events
    assert isinstance(said, events.PolicyUpdated)
    state = await share.state(live)
    assert (state.policy.margin, state.policy.threshold, state.pending_policy_from) == (100, 3, 0)

    cap = 2 * share.policy.supply_cap
    await control.carry_out(live, await control.plan_policy(live, {"supply_cap": cap}))
    state = await share.state(live)
    assert policy_at(state, await live.now()).supply_cap == share.policy.supply_cap
    assert state.pending_policy.supply_cap == cap
    vetoed = await control.carry_out(live, await control.plan_veto(live, VetoSubject.POLICY))
    guardian = slow.guardian.pubkey()
    assert vetoed.events == (events.ChangeVetoed(slow.address, guardian, VetoSubject.POLICY, share.address),)
    state = await share.state(live)
    assert (state.pending_policy_from, state.policy.supply_cap) == (0, share.policy.supply_cap)

    await control.carry_out(live, await control.plan_policy(live, {"supply_cap": cap}))
    state = await share.state(live)
    await live.until(state.pending_policy_from)
    assert policy_at(state, await live.now()).supply_cap == cap
    with pytest.raises(Refused, match="is in force since"):
        await control.plan_veto(live, VetoSubject.POLICY)
    await live.refuse(errors.NothingToVeto, *veto_policy(slow, share.address))


def veto_policy(desk: Desk, security: Pubkey) -> tuple[Instruction, Keypair]:
    """As the guardian."""
    return instructions.veto(
        guardian=desk.guardian.pubkey(),
        guardian_role=desk.role(RoleKind.GUARDIAN, desk.guardian),
        issuer=desk.address,
        security=security,
        params=types.VetoParams(VetoSubject.POLICY),
    ), desk.guardian
