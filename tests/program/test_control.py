"""Policy, metadata, permission, freezing, seizure, reissue and the guardian: each does what it says, and what it must
not be able to do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cases import CASES, NEWCOMER
from chain_in_process import digest
from control import EVIDENCE, Control
from control_cases import NEW_WALLET
from solders.pubkey import Pubkey
from tallystick.domain.identifiers import custody_accounts_hash
from tallystick.program import addresses
from tallystick.program.generated import accounts, events, types
from tallystick.program.generated.types import OrderStatus, RoleKind, SeizureStatus, VetoSubject
from tallystick.program.text import encode_text
from tallystick.program.token import TokenAccountState
from world import CUSTODY, DAY, HOUR, ONE, SCOPE_MINT, SCOPE_TRANSFER, Movement, Security, World

NOBODY = Pubkey.default()
SEIZURE_PERIOD = 7 * DAY

# Policy --------------------------------------------------------------------------------------------------------------


def test_update_policy_tightens_at_once_and_drops_what_waited() -> None:
    world = World.fresh()
    control, acme = Control(world.acme), world.acme
    world.chain.send(control.update_policy(supply_cap=2 * 10**15))
    before = acme.state
    receipt = world.chain.send(control.update_policy(margin=100))
    policy = replace(before.policy, margin=100)
    assert receipt.events == (
        events.PolicyUpdated(acme.address, policy, before.custody_accounts_hash, 2, world.chain.now),
    )
    state = acme.state
    assert (state.policy, state.pending_policy_from, state.pending_policy.supply_cap) == (policy, 0, 0)


def test_update_policy_loosens_after_the_delay_without_anybodys_step() -> None:
    world = World.fresh()
    control, acme = Control(world.acme), world.acme
    world.chain.send(control.update_policy(threshold=3, margin=5_000))
    refused = acme.settle_subscription(world.order("open"), Movement("much", 50 * ONE))
    acme.rewrite(reserve=acme.minted.supply + ONE, reserve_redeemed=acme.state.redeemed)
    world.chain.refuse("ReserveExceeded", refused)
    receipt = world.chain.send(control.update_policy(threshold=3, margin=0))
    assert [each.in_force_from for each in receipt.events if isinstance(each, events.PolicyUpdated)] == [
        world.chain.now + world.alpha.delay
    ]
    world.chain.refuse("ReserveExceeded", acme.settle_subscription(world.order("open"), Movement("some", ONE)))
    world.chain.warp(world.alpha.delay)
    world.chain.send(acme.settle_subscription(world.order("open"), Movement("some", ONE)))
    assert (acme.state.policy.margin, acme.state.pending_policy.margin) == (5_000, 0)


TIGHT = {
    "threshold": 3, "margin": 100, "max_attestation_age": DAY // 2, "supply_cap": 10**14, "accept_period": DAY // 2,
    "settle_period": DAY, "notice": 2 * DAY, "change_window": 2 * HOUR, "max_change_numerator": 5,
}  # fmt: skip
LOOSER = [
    ("threshold", 2), ("margin", 99), ("max_attestation_age", DAY // 2 + 1), ("supply_cap", 10**14 + 1),
    ("accept_period", DAY // 2 + 1), ("settle_period", DAY + 1), ("notice", 2 * DAY - 1),
    ("change_window", 2 * HOUR - 1), ("max_change_numerator", 6), ("allowed_classes", 0b11),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), LOOSER, ids=[field for field, _ in LOOSER])
def test_a_policy_that_is_looser_in_one_thing_alone_waits(field: str, value: int) -> None:
    world = World.fresh()
    control, acme = Control(world.acme), world.acme
    world.chain.send(control.update_policy(**TIGHT))
    tight = acme.state.policy
    (event,) = world.chain.send(control.update_policy(**TIGHT | {field: value})).events
    assert isinstance(event, events.PolicyUpdated)
    assert event.in_force_from == world.chain.now + world.alpha.delay
    assert (acme.state.policy, acme.state.pending_policy) == (tight, replace(tight, **{field: value}))


def test_a_policy_that_counts_without_a_step_is_written_down_by_the_next_update() -> None:
    world = World.fresh()
    control, acme = Control(world.acme), world.acme
    world.chain.send(control.update_policy(supply_cap=2 * 10**15))
    world.chain.warp(world.alpha.delay)
    looser = replace(acme.state.policy, supply_cap=2 * 10**15)
    params = types.UpdatePolicyParams(replace(looser, margin=1), acme.state.custody_accounts_hash, 2)
    world.chain.send(control.update_policy(params=params))
    assert (acme.state.policy, acme.state.pending_policy_from) == (replace(looser, margin=1), 0)


def test_other_custody_accounts_wait_and_then_every_attestation_lists_them() -> None:
    world = World.fresh()
    control, acme = Control(world.acme), world.acme
    third = digest("custody account 3")
    accounts_hash = custody_accounts_hash([*CUSTODY, third])
    world.chain.send(control.update_policy(custody_accounts_hash=accounts_hash, custody_accounts=3))
    world.chain.warp(HOUR)
    content = acme.content(9_000 * ONE)
    world.chain.refuse("CustodyAccountsDiffer", acme.attest(content))
    lines = sorted(
        (*content.lines, types.StatementLine(third, 0, digest("statement 3"), content.as_of)),
        key=lambda line: line.account,
    )
    for number in (1, 2):
        world.chain.send(acme.attest(replace(content, lines=tuple(lines)), number))
    assert acme.state.reserve == 9_000 * ONE


def test_a_higher_threshold_counts_for_attestations_that_are_half_approved() -> None:
    world = World.fresh()
    acme = world.acme
    world.chain.warp(HOUR)
    content = acme.content(9_000 * ONE)
    world.chain.send(acme.attest(content, 1))
    world.chain.send(Control(acme).update_policy(threshold=3))
    world.chain.send(acme.attest(content, 2))
    assert acme.state.reserve == 10_000 * ONE
    world.chain.send(acme.attest(content, 3))
    assert acme.state.reserve == 9_000 * ONE


@pytest.mark.parametrize("subject", [VetoSubject.POLICY, VetoSubject.SEIZURE_ACCOUNT, VetoSubject.METADATA])
def test_a_guardian_stops_a_setting_that_waits(subject: VetoSubject) -> None:
    world = World.fresh()
    waiting = {
        VetoSubject.POLICY: "update_policy",
        VetoSubject.SEIZURE_ACCOUNT: "name_seizure_account",
        VetoSubject.METADATA: "announce_metadata",
    }
    before = world.acme.state
    world.chain.send(CASES[waiting[subject]](world))
    assert world.acme.state != before
    receipt = world.chain.send(world.alpha.veto(subject, security=world.acme.address))
    guardian = world.alpha.key(RoleKind.GUARDIAN)
    assert receipt.events == (events.ChangeVetoed(world.alpha.address, guardian, subject, world.acme.address),)
    assert world.acme.state == before


def test_metadata_is_vetoed_until_it_is_written_even_after_the_notice() -> None:
    world = World.fresh()
    call = CASES["update_metadata"](world)
    world.chain.send(world.alpha.veto(VetoSubject.METADATA, security=world.acme.address))
    world.chain.refuse("MetadataNotAnnounced", call)


# Metadata ------------------------------------------------------------------------------------------------------------


def test_announce_metadata_publishes_the_whole_content_and_changes_nothing_yet() -> None:
    world = World.fresh()
    control, acme, before = Control(world.acme), world.acme, world.acme.minted
    params = control.metadata()
    receipt = world.chain.send(control.announce_metadata())
    content_hash = addresses.metadata_hash(acme.address, params)
    assert receipt.events == (
        events.MetadataAnnounced(
            acme.address, params.name, params.ticker, params.uri, params.isin, params.terms_hash, content_hash,
            world.chain.now + DAY,
        ),
    )  # fmt: skip
    state = acme.state
    assert (state.pending_metadata_hash, state.pending_metadata_from) == (content_hash, world.chain.now + DAY)
    assert (state.isin, acme.minted) == (b"US0378331005", before)


def test_update_metadata_writes_what_was_announced_and_pays_for_what_the_mint_grows_by() -> None:
    world = World.fresh()
    control, acme = Control(world.acme), world.acme
    params = control.metadata(name="n" * 64, uri="https://example.com/" + "x" * 180)
    control.do_announce(params)
    receipt = world.chain.send(control.update_metadata(params))
    content_hash = addresses.metadata_hash(acme.address, params)
    assert receipt.events == (
        events.MetadataUpdated(acme.address, content_hash, params.isin, b"US0378331005", params.terms_hash),
    )
    metadata = acme.minted.extensions.metadata
    assert metadata is not None
    assert (metadata.name, metadata.symbol, metadata.uri) == (params.name, "RNMD", params.uri)
    assert dict(metadata.additional)["isin"] == "US5949181045"
    state = acme.state
    assert (state.isin, state.previous_isin, state.ticker) == (params.isin, b"US0378331005", encode_text("RNMD", 16))
    assert (state.terms_hash, state.pending_metadata_from) == (params.terms_hash, 0)
    mint = world.chain.find(acme.mint)
    assert mint is not None
    assert mint.lamports >= world.chain.svm.minimum_balance_for_rent_exemption(len(mint.data))


def test_metadata_without_another_isin_keeps_the_previous_one() -> None:
    world = World.fresh()
    control, acme = Control(world.acme), world.acme
    for params in (control.metadata(), control.metadata(name="Again Inc.", uri="u")):
        control.do_announce(params)
        world.chain.send(control.update_metadata(params))
    assert (acme.state.isin, acme.state.previous_isin) == (b"US5949181045", b"US0378331005")


# Permissioned securities ---------------------------------------------------------------------------------------------


def permissioned(world: World) -> Security:
    """A listed one, with a reserve; token accounts start frozen."""
    security = Security(world.alpha, "PERMITTED")
    world.chain.send(security.list_security(permissioned=True))
    world.chain.send(security.set_limit())
    world.chain.warp(world.alpha.delay)
    security.do_attest(10_000 * ONE)
    return security


def test_token_accounts_of_a_permissioned_security_start_frozen_but_for_the_escrow() -> None:
    world = World.fresh()
    security = permissioned(world)
    control = Control(security)
    assert security.state.permissioned
    assert security.minted.extensions.default_account_state == TokenAccountState.FROZEN
    world.chain.send(security.create_tokens(world.alice))
    assert control.is_frozen(security.tokens(world.alice))
    assert not control.is_frozen(security.escrow)


def test_a_permissioned_holding_is_ordered_redeemed_and_returned_once_it_is_thawed() -> None:
    world = World.fresh()
    chain, security = world.chain, permissioned(world)
    order = security.do_open(world.alice, "first", 50 * ONE)
    settle = security.settle_subscription(order, Movement("in first", 50 * ONE))
    chain.refuse("token:17", settle)
    chain.send(Control(security).thaw_account(world.alice))
    chain.send(settle)
    redemption = security.do_request(world.alice, "back", 20 * ONE, accept=True)
    chain.send(security.settle_redemption(redemption, Movement("out", 5 * ONE), 5 * ONE))
    chain.send(security.cancel_redemption(redemption))
    assert chain.balance(security.tokens(world.alice)) == 45 * ONE


def test_no_token_of_a_permissioned_security_reaches_a_stranger() -> None:
    world = World.fresh()
    chain, security = world.chain, permissioned(world)
    order = security.do_open(world.alice, "first", 50 * ONE)
    chain.send(Control(security).thaw_account(world.alice))
    chain.send(security.settle_subscription(order, Movement("in first", 50 * ONE)))
    chain.send(security.create_tokens(world.stranger))
    sent = security.transfer(security.tokens(world.alice), world.alice, security.tokens(world.stranger), 1)
    chain.refuse("token:17", sent)
    chain.refuse("HolderRecordMissing", Control(security).thaw_account(world.stranger))


# Freezing ------------------------------------------------------------------------------------------------------------


def test_freeze_account_stops_everything_in_and_out_and_thaw_account_lets_it_go_on() -> None:
    world = World.fresh()
    control, acme, tokens = Control(world.acme), world.acme, world.acme.tokens(world.alice)
    compliance = world.alpha.key(RoleKind.COMPLIANCE)
    receipt = world.chain.send(control.freeze_account(world.alice))
    assert receipt.events == (
        events.AccountFrozen(acme.address, tokens, world.alice, compliance, 21, digest("reason")),
    )
    out = acme.transfer(tokens, world.alice, acme.tokens(world.bob), 1)
    world.chain.refuse("token:17", out)
    world.chain.refuse("token:17", acme.transfer(acme.tokens(world.bob), world.bob, tokens, 1))
    receipt = world.chain.send(control.thaw_account(world.alice))
    assert receipt.events == (
        events.AccountThawed(acme.address, tokens, world.alice, compliance, 22, digest("reason to thaw")),
    )
    world.chain.send(out)


def test_accounts_are_frozen_and_thawed_under_a_transfer_hold() -> None:
    world = World.fresh()
    control = Control(world.acme)
    world.chain.send(world.acme.place_hold(1, SCOPE_TRANSFER))
    world.chain.send(control.freeze_account(world.alice))
    world.chain.send(control.thaw_account(world.alice))
    assert not control.is_frozen(world.acme.tokens(world.alice))


def test_an_open_security_is_thawed_for_a_wallet_without_a_record() -> None:
    world = World.fresh()
    control = Control(world.acme)
    world.chain.send(control.freeze_account(world.stranger))
    world.chain.send(control.thaw_account(world.stranger))
    assert not control.is_frozen(world.acme.tokens(world.stranger))


def test_a_frozen_holder_waits_for_its_return_or_takes_it_to_another_account_and_nobody_else_gets_it() -> None:
    world = World.fresh()
    chain, acme, control = world.chain, world.acme, Control(world.acme)
    chain.send(control.freeze_account(world.alice))
    chain.warp(DAY + 1)
    call = acme.withdraw_redemption(world.order("requested"))
    chain.refuse("token:17", call)
    chain.refuse("WrongTokenAccount", acme.withdraw_redemption(
        world.order("requested"), destination=acme.tokens(world.bob)))  # fmt: skip
    chain.send(control.thaw_account(world.alice))
    chain.send(call)
    assert chain.read(accounts.Order, world.order("requested")).status is OrderStatus.WITHDRAWN


# Seizure -------------------------------------------------------------------------------------------------------------


def test_name_seizure_account_waits_and_clearing_it_does_not() -> None:
    world = World.fresh()
    control, acme = Control(world.acme), world.acme
    account = control.do_name_seizure_account()
    assert (acme.state.seizure_account, acme.state.pending_seizure_account) == (NOBODY, account)
    receipt = world.chain.send(control.name_seizure_account(None))
    assert receipt.events == (events.SeizureAccountNamed(acme.address, NOBODY, world.chain.now),)
    assert (acme.state.seizure_account, acme.state.pending_seizure_from) == (NOBODY, 0)


@pytest.mark.parametrize("frozen", [False, True])
def test_two_compliance_keys_seize_a_part_and_the_source_stays_as_frozen_as_it_was(frozen: bool) -> None:
    world = World.fresh()
    chain, control, acme, alpha = world.chain, Control(world.acme), world.acme, world.alpha
    source, balance = acme.tokens(world.alice), world.chain.balance(acme.tokens(world.alice))
    if frozen:
        chain.send(control.freeze_account(world.alice))
    destination = control.do_name_seizure_account()
    proposer, second = alpha.key(RoleKind.COMPLIANCE), alpha.key(RoleKind.COMPLIANCE, 2)
    receipt = chain.send(control.propose_seizure(world.alice, 7 * ONE))
    seizure, now = control.seizure(source), chain.now
    assert receipt.events == (
        events.SeizureProposed(
            acme.address, seizure, source, world.alice, 7 * ONE, 23, digest("court order"), proposer,
            now + SEIZURE_PERIOD,
        ),
    )  # fmt: skip
    chain.warp(SEIZURE_PERIOD - 1)
    receipt = chain.send(control.seize(world.alice))
    assert receipt.events == (
        events.HoldingSeized(acme.address, seizure, source, world.alice, destination, 7 * ONE, second),
    )
    assert (chain.balance(source), chain.balance(destination)) == (balance - 7 * ONE, 7 * ONE)
    assert control.is_frozen(source) == frozen
    state = control.read_seizure(world.alice)
    assert (state.status, state.seized_by, state.destination) == (SeizureStatus.EXECUTED, second, destination)
    assert (state.proposer, state.proposed_at, state.executed_at) == (proposer, now, chain.now)


def test_a_seizure_changes_neither_supply_nor_escrow() -> None:
    world = World.fresh()
    call = CASES["seize"](world)
    before, supply = world.acme.state, world.acme.minted.supply
    world.chain.send(call)
    assert (world.acme.state, world.acme.minted.supply) == (before, supply)


def test_a_stolen_compliance_key_proposes_and_cannot_seize() -> None:
    world = World.fresh()
    control = Control(world.acme)
    control.do_propose_seizure(world.alice, ONE)
    alone = {"compliance": world.alpha.key(RoleKind.COMPLIANCE), "role": world.alpha.role(RoleKind.COMPLIANCE)}
    world.chain.refuse("SecondKeyMissing", control.seize(world.alice, **alone))
    world.chain.send(world.alpha.revoke_role(RoleKind.COMPLIANCE))
    world.chain.refuse("RoleNotInForce", control.seize(world.alice))


def test_a_seizure_id_is_used_once() -> None:
    world = World.fresh()
    control = Control(world.acme)
    world.chain.send(control.propose_seizure(world.alice, ONE))
    world.chain.refuse("system:0", control.propose_seizure(world.alice, 2 * ONE))
    world.chain.send(control.propose_seizure(world.alice, 2 * ONE, 2))


# Reissue -------------------------------------------------------------------------------------------------------------


def test_reissue_moves_everything_suspends_the_old_wallet_and_leaves_its_account_frozen() -> None:
    world = World.fresh()
    chain, control, acme, alpha = world.chain, Control(world.acme), world.acme, world.alpha
    source, destination = acme.tokens(world.alice), control.do_approve_new_wallet(NEW_WALLET)
    balance, supply = chain.balance(source), acme.minted.supply
    receipt = chain.send(control.reissue(world.alice, NEW_WALLET))
    assert receipt.events == (
        events.HoldingReissued(
            acme.address, source, world.alice, destination, NEW_WALLET, digest("investor"), balance, EVIDENCE
        ),
    )
    assert (chain.balance(source), chain.balance(destination)) == (0, balance)
    assert control.is_frozen(source)
    assert not control.is_frozen(destination)
    old = chain.read(accounts.Holder, alpha.holder(world.alice))
    assert (old.suspended_at, old.evidence_hash) == (chain.now, EVIDENCE)
    assert acme.minted.supply == supply


def test_reissue_of_a_wallet_that_was_suspended_and_frozen_first() -> None:
    world = World.fresh()
    chain, alpha = world.chain, world.alpha
    chain.send(alpha.suspend_holder(world.alice))
    suspended_at = chain.now
    chain.warp(HOUR)
    call = CASES["reissue"](world)
    chain.send(call)
    assert chain.read(accounts.Holder, alpha.holder(world.alice)).suspended_at == suspended_at


def test_what_a_lost_wallet_has_in_escrow_is_returned_to_it_and_reissued_then() -> None:
    world = World.fresh()
    chain, control, acme = world.chain, Control(world.acme), world.acme
    destination = control.do_approve_new_wallet(NEW_WALLET)
    chain.send(control.reissue(world.alice, NEW_WALLET))
    before = chain.balance(destination)
    back = acme.cancel_redemption(world.order("requested"))
    chain.refuse("token:17", back)
    chain.send(control.thaw_account(world.alice))
    chain.send(back)
    chain.send(control.reissue(world.alice, NEW_WALLET))
    assert chain.balance(destination) == before + 10 * ONE


# Guardians -----------------------------------------------------------------------------------------------------------


def test_a_stolen_guardian_is_gone_after_the_delay() -> None:
    world = World.fresh()
    chain, alpha = world.chain, world.alpha
    chain.send(alpha.revoke_role(RoleKind.GUARDIAN))
    chain.refuse("GuardianNeedsCompliance", alpha.veto(role=alpha.role(RoleKind.GUARDIAN)))
    chain.warp(alpha.delay)
    chain.send(alpha.propose_admin(NEWCOMER))
    chain.refuse("RoleNotInForce", alpha.veto())


def test_another_guardian_vetoes_a_removal_alone() -> None:
    world = World.fresh()
    chain, alpha = world.chain, world.alpha
    chain.send(alpha.revoke_role(RoleKind.GUARDIAN))
    second = {
        "guardian": alpha.key(RoleKind.GUARDIAN, 2),
        "guardian_role": alpha.role(RoleKind.GUARDIAN, 2),
    }
    chain.send(alpha.veto(role=alpha.role(RoleKind.GUARDIAN), **second))
    chain.warp(alpha.delay)
    chain.send(alpha.propose_admin(NEWCOMER))
    chain.send(alpha.veto())


@pytest.mark.parametrize("covering", ["nothing", "a grant that waits", "a grant that was vetoed"])
def test_a_stolen_admin_that_first_ends_compliance_does_not_remove_the_veto(covering: str) -> None:
    world = World.fresh()
    chain, alpha = world.chain, world.alpha
    for number in (1, 2):
        chain.send(alpha.revoke_role(RoleKind.COMPLIANCE, number))
    chain.warp(1)
    if covering != "nothing":
        chain.send(alpha.grant_role(RoleKind.COMPLIANCE))
    if covering == "a grant that was vetoed":
        chain.send(alpha.veto(role=alpha.role(RoleKind.COMPLIANCE)))
    chain.send(alpha.revoke_role(RoleKind.GUARDIAN))
    chain.send(alpha.veto(role=alpha.role(RoleKind.GUARDIAN), **alpha.beside(RoleKind.COMPLIANCE)))
    chain.warp(DAY)
    chain.send(alpha.propose_admin(NEWCOMER))
    chain.send(alpha.veto())


def test_a_guardians_hold_ends_by_itself() -> None:
    world = World.fresh()
    chain, acme = world.chain, world.acme
    chain.send(acme.place_hold(1, SCOPE_MINT, RoleKind.GUARDIAN, expires_in=3 * DAY))
    chain.warp(3 * DAY)
    chain.send(acme.release_hold(1, RoleKind.GUARDIAN, authority=world.stranger))
    assert acme.state.mint_holds == 0
