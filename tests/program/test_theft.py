"""The theft table of SECURITY.md, claim by claim: that the worst is possible, and that its bound holds.

A claim has an id in the table, and here the test that begins with it. The thief has the keys of the row, pays fees and
has all the time it wants.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from actions import Action, delisting, split
from authority import ROWS, Mark, tried
from cases import NEWCOMER
from chain_in_process import RECORDED_SLOTS, START_SLOT, Chain, Refusal, digest, key
from control import CUSTODIAN_WALLET, Control
from reports import DRAW_SLOTS, LAST_DAY, PERIOD, PERIOD_BEFORE, Reports
from solders.account import Account
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from tallystick.program.addresses import UPGRADEABLE_LOADER, program_data_address
from tallystick.program.generated import accounts
from tallystick.program.generated.constants import PROGRAM_ID
from tallystick.program.generated.types import ActionKind, RoleKind, VetoSubject
from tallystick.program.loader import read_program_data, upgrade
from tallystick.services.holders import investor_id
from thief import Thief, movers, powers, thief_of, tokens
from world import (
    DAY,
    HOUR,
    ONE,
    SCOPE_MINT,
    SCOPE_REDEEM,
    SCOPE_TRANSFER,
    Movement,
    Security,
    World,
)  # fmt: skip

SECURITY = Path(__file__).resolve().parents[2] / "SECURITY.md"
FOREVER = 400 * DAY
PAUSED, FROZEN = "token:67", "token:17"


def of_kind(world: World, kind: RoleKind, *numbers: int) -> Thief:
    """Whoever stole the numbered keys of a role, or the first."""
    return thief_of(world, *(world.alpha.key(kind, number) for number in numbers or (1,)))


def sent(world: World) -> Instruction:
    """A plain transfer among wallets."""
    return world.acme.transfer(world.acme.tokens(world.alice), world.alice, world.acme.tokens(world.bob), 1)


# The table and this file ---------------------------------------------------------------------------------------------


def rows() -> dict[str, list[str]]:
    """The claims of each row of the theft table."""
    text = SECURITY.read_text(encoding="utf-8")
    table = text.partition("## Who can do what")[2].partition("\n## ")[0]
    lines = [line.split("|")[1:-1] for line in table.splitlines() if line.startswith("| ")][1:]
    return {cells[0].strip(): sorted(set(re.findall(r"`([A-Z]+\d+)`", "|".join(cells)))) for cells in lines}


def claims_proved() -> list[str]:
    """The claims that tests begin with, here and in what continues this file."""
    found = [path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_theft*.py")]
    return [claim.upper() for text in found for claim in re.findall(r"^def test_([a-z]{1,2}\d+)_", text, re.MULTILINE)]


def test_every_row_of_the_table_has_claims_and_every_claim_a_test() -> None:
    claimed = [claim for claims in rows().values() for claim in claims]
    assert [row for row, claims in rows().items() if not claims] == []
    assert sorted(claimed) == sorted(set(claimed))
    assert sorted(claims_proved()) == sorted(claimed)


def test_what_moves_tokens_is_known() -> None:
    assert {"settle_subscription", "settle_redemption", "request_redemption", "correct_fill"} <= movers()


# The upgrade authority -----------------------------------------------------------------------------------------------


def _replacement(chain: Chain, authority: Pubkey) -> Instruction:
    """Another program, laid in a buffer of the thief's, to take the place of this one."""
    buffer = key("buffer")
    header = (1).to_bytes(4, "little") + b"\1" + bytes(authority)
    content = _deployed(chain).replace(b"Expected the reserve", b"Ignored the reserve!")
    chain.write(buffer, Account(10**12, header + content, UPGRADEABLE_LOADER, False, 0))
    return upgrade(PROGRAM_ID, buffer, chain.payer, authority)


def _deployed(chain: Chain) -> bytes:
    found = chain.find(program_data_address())
    assert found is not None
    return read_program_data(found.data).content


def test_u1_the_upgrade_authority_replaces_the_program_and_no_law_stops_it() -> None:
    chain = Chain()
    chain.send(_replacement(chain, chain.upgrade_authority))
    assert b"Ignored the reserve!" in _deployed(chain)


def test_u2_another_key_replaces_nothing_and_the_bytes_show_a_change() -> None:
    chain = Chain()
    before = _deployed(chain)
    assert isinstance(chain.attempt(_replacement(chain, key("a thief"))), Refusal)
    assert _deployed(chain) == before
    chain.send(_replacement(chain, chain.upgrade_authority))
    assert _deployed(chain) != before


def test_u3_as_long_as_the_program_is_this_one_it_may_only_begin_an_issuer() -> None:
    assert powers("upgrade authority") == set()
    assert tried("initialize").marks["upgrade authority"] is Mark.ALONE
    assert {column for column, mark in tried("initialize").marks.items() if mark is Mark.ALONE} == {"upgrade authority"}


# Admin ---------------------------------------------------------------------------------------------------------------


def test_a1_a_stolen_admin_revokes_every_role_but_the_guardians_tightens_and_lists_at_once() -> None:
    world = World.fresh()
    alpha, thief = world.alpha, thief_of(world, world.alpha.admin)
    for kind in (RoleKind.ATTESTOR, RoleKind.OPERATOR, RoleKind.COMPLIANCE, RoleKind.RECONCILIATION):
        thief.does(alpha.revoke_role(kind))
        assert not world.chain.read(accounts.Role, alpha.role(kind)).ends_at > world.chain.now
    thief.does(world.acme.set_limit(mint_cap=1, burn_cap=1, operator=alpha.key(RoleKind.OPERATOR, 2)))
    thief.does(Security(alpha, "GAMMA").list_security())
    thief.does(Control(world.acme).update_policy(supply_cap=1))
    assert world.acme.state.policy.supply_cap == 1
    thief.does(alpha.revoke_role(RoleKind.GUARDIAN))
    assert world.chain.read(accounts.Role, alpha.role(RoleKind.GUARDIAN)).ends_at == world.chain.now + alpha.delay


def test_a2_what_a_stolen_admin_grants_loosens_or_proposes_waits_and_the_guardian_vetoes_it() -> None:
    world = World.fresh()
    chain, alpha, acme = world.chain, world.alpha, world.acme
    thief = thief_of(world, alpha.admin, NEWCOMER)
    thief.does(alpha.grant_role(RoleKind.OPERATOR, NEWCOMER))
    thief.does(acme.set_limit(operator=NEWCOMER))
    thief.does(alpha.propose_admin(NEWCOMER))
    order, movement = world.order("open"), Movement("invented", ONE)
    as_operator = {
        "operator": NEWCOMER, "role": alpha.role(RoleKind.OPERATOR, NEWCOMER), "limit": acme.limit(NEWCOMER),
    }  # fmt: skip
    thief.cannot("RoleNotInForce", acme.settle_subscription(order, movement, **as_operator))
    thief.cannot("DelayNotOver", alpha.accept_admin(NEWCOMER))
    chain.send(alpha.veto(role=alpha.role(RoleKind.OPERATOR, NEWCOMER)))
    chain.send(alpha.veto(security=acme.address, limit=acme.limit(NEWCOMER)))
    chain.send(alpha.veto())
    for subject in _settings_that_wait(world, thief):
        chain.send(alpha.veto(subject, security=acme.address))
    settings = acme.state
    chain.warp(FOREVER)
    thief.cannot("MetadataNotAnnounced", Control(acme).update_metadata())
    assert acme.state == settings
    assert (settings.pending_policy_from, settings.pending_seizure_from) == (0, 0)
    thief.cannot("RoleNotInForce", acme.settle_subscription(order, movement, **as_operator))
    thief.cannot("NotPendingAdmin", alpha.accept_admin(NEWCOMER))
    assert chain.read(accounts.Limit, acme.limit(NEWCOMER)).pending_from == 0


def _settings_that_wait(world: World, thief: Thief) -> tuple[VetoSubject, ...]:
    """A looser policy, a seizure account and other metadata, announced by a thief."""
    control = Control(world.acme)
    world.chain.send(world.acme.create_tokens(CUSTODIAN_WALLET))
    thief.does(
        control.update_policy(supply_cap=2 * 10**15),
        control.name_seizure_account(CUSTODIAN_WALLET),
        control.announce_metadata(),
    )
    return VetoSubject.POLICY, VetoSubject.SEIZURE_ACCOUNT, VetoSubject.METADATA


def test_a3_unless_vetoed_a_stolen_admin_has_any_role_after_the_delay() -> None:
    world = World.fresh()
    chain, alpha, acme = world.chain, world.alpha, world.acme
    thief = thief_of(world, alpha.admin, NEWCOMER)
    thief.does(alpha.grant_role(RoleKind.OPERATOR, NEWCOMER), acme.set_limit(operator=NEWCOMER))
    chain.warp(alpha.delay)
    thief.does(
        acme.settle_subscription(
            world.order("open"),
            Movement("invented", ONE),
            operator=NEWCOMER,
            role=alpha.role(RoleKind.OPERATOR, NEWCOMER),
            limit=acme.limit(NEWCOMER),
        )
    )
    _settings_that_wait(world, thief)
    chain.warp(acme.policy.notice)
    thief.does(Control(acme).update_metadata())
    assert acme.minted.extensions.metadata is not None
    assert acme.minted.extensions.metadata.name == "Renamed Inc."


def test_a4_a_stolen_admin_takes_no_role_itself_and_moves_no_token() -> None:
    world = World.fresh()
    thief = thief_of(world, world.alpha.admin)
    for kind in (RoleKind.ATTESTOR, RoleKind.OPERATOR, RoleKind.COMPLIANCE, RoleKind.CORPORATE_ACTIONS):
        thief.cannot("KeyHoldsAnotherRole", world.alpha.grant_role(kind, world.alpha.admin))
    thief.cannot("KeyHoldsAnotherRole", world.alpha.grant_role(RoleKind.GUARDIAN, world.alpha.admin))
    assert powers("admin") & movers() == set()


def test_a5_a_stolen_admin_repeats_what_was_vetoed_and_withdraws_the_true_owners_proposals() -> None:
    world = World.fresh()
    chain, alpha = world.chain, world.alpha
    thief = thief_of(world, alpha.admin)
    for _ in range(2):
        thief.does(alpha.propose_admin(NEWCOMER))
        chain.send(alpha.veto())
        chain.send(alpha.propose_admin(key("true successor")))
        thief.does(alpha.propose_admin(Pubkey.default()))
        chain.warp(DAY)
        chain.refuse("NotPendingAdmin", alpha.accept_admin(key("true successor")))
    assert alpha.state.admin == alpha.admin


def test_a6_a_stolen_admin_does_not_remove_the_veto_not_even_by_revoking_compliance_first() -> None:
    world = World.fresh()
    chain, alpha = world.chain, world.alpha
    thief = thief_of(world, alpha.admin)
    for number in (1, 2):
        thief.does(alpha.revoke_role(RoleKind.COMPLIANCE, number), alpha.revoke_role(RoleKind.GUARDIAN, number))
    chain.send(alpha.veto(role=alpha.role(RoleKind.GUARDIAN), **alpha.beside(RoleKind.COMPLIANCE)))
    chain.send(alpha.veto(role=alpha.role(RoleKind.GUARDIAN, 2)))
    chain.warp(FOREVER)
    thief.does(alpha.propose_admin(NEWCOMER))
    chain.send(alpha.veto())


def test_a7_with_one_guardian_alone_a_stolen_admin_has_removed_the_veto_a_month_after_it_revoked_compliance() -> None:
    world = World.fresh()
    chain, omega = world.chain, world.omega
    thief = thief_of(world, omega.admin)
    thief.does(omega.revoke_role(RoleKind.COMPLIANCE))
    chain.warp(31 * DAY)
    thief.does(omega.revoke_role(RoleKind.GUARDIAN))
    too_late = omega.veto(role=omega.role(RoleKind.GUARDIAN), **omega.beside(RoleKind.COMPLIANCE))
    chain.refuse("GuardianNeedsCompliance", too_late)
    chain.warp(omega.delay)
    thief.does(omega.propose_admin(NEWCOMER))
    chain.refuse("RoleNotInForce", omega.veto())


# Guardian ------------------------------------------------------------------------------------------------------------


def test_g1_a_stolen_guardian_blocks_every_grant_limit_setting_and_change_of_admin() -> None:
    world = World.fresh()
    chain, alpha, acme = world.chain, world.alpha, world.acme
    thief = of_kind(world, RoleKind.GUARDIAN)
    for _ in range(3):
        chain.send(alpha.grant_role(RoleKind.OPERATOR, NEWCOMER))
        chain.send(acme.set_limit(mint_cap=10**13))
        chain.send(alpha.propose_admin(NEWCOMER))
        thief.does(alpha.veto(role=alpha.role(RoleKind.OPERATOR, NEWCOMER)))
        thief.does(alpha.veto(security=acme.address, limit=acme.limit()))
        thief.does(alpha.veto())
        for subject in _settings_that_wait(world, thief_of(world, alpha.admin)):
            thief.does(alpha.veto(subject, security=acme.address))
        chain.warp(DAY)


def test_g2_a_stolen_guardian_holds_for_72_hours_again_and_again() -> None:
    _holds_again_and_again(World.fresh(), RoleKind.GUARDIAN)


def test_g3_a_stolen_guardian_vetoes_its_own_removal_only_with_compliance_and_is_gone_after_the_delay() -> None:
    world = World.fresh()
    chain, alpha = world.chain, world.alpha
    thief = of_kind(world, RoleKind.GUARDIAN)
    chain.send(alpha.revoke_role(RoleKind.GUARDIAN))
    thief.cannot("GuardianNeedsCompliance", alpha.veto(role=alpha.role(RoleKind.GUARDIAN)))
    chain.warp(alpha.delay)
    chain.send(alpha.propose_admin(NEWCOMER))
    thief.cannot("RoleNotInForce", alpha.veto())
    guardian = {"guardian": alpha.key(RoleKind.GUARDIAN, 2), "guardian_role": alpha.role(RoleKind.GUARDIAN, 2)}
    chain.send(alpha.veto(**guardian))


def test_g5_a_stolen_guardian_cancels_every_corporate_action() -> None:
    world = World.fresh()
    action = split(world.acme, 2).do_approve()
    of_kind(world, RoleKind.GUARDIAN).does(action.cancel(RoleKind.GUARDIAN))
    world.chain.refuse("ActionNotApproved", action.execute())


def test_g4_a_stolen_guardian_mints_burns_and_moves_nothing() -> None:
    assert powers("guardian") & movers() == set()


# Attestors -----------------------------------------------------------------------------------------------------------


def test_at1_one_stolen_attestor_opens_attestations_and_puts_none_in_force() -> None:
    world = World.fresh()
    acme, before = world.acme, world.acme.state
    thief = of_kind(world, RoleKind.ATTESTOR)
    for number in range(3):
        world.chain.warp(HOUR)
        content = acme.content(99_000 * ONE + number)
        thief.does(acme.attest(content))
        thief.cannot("AlreadyApproved", acme.attest(content))
    assert acme.state == before


def test_at2_revoking_one_attestor_drops_what_it_approved() -> None:
    world = World.fresh()
    chain, alpha, acme = world.chain, world.alpha, world.acme
    chain.warp(HOUR)
    content = acme.content(99_000 * ONE)
    of_kind(world, RoleKind.ATTESTOR).does(acme.attest(content))
    chain.send(alpha.revoke_role(RoleKind.ATTESTOR))
    of_kind(world, RoleKind.ATTESTOR).cannot("RoleNotInForce", acme.attest(acme.content(ONE)))
    chain.send(acme.attest(content, 2))
    assert acme.state.reserve == 10_000 * ONE
    assert powers("attestor") & movers() == set()


def test_th1_as_many_stolen_attestors_as_the_threshold_put_any_reserve_in_force() -> None:
    world = World.fresh()
    chain, acme = world.chain, world.acme
    thief = of_kind(world, RoleKind.ATTESTOR, 1, 2)
    for shares, refused in ((10**15, None), (1, "ReserveExceeded")):
        chain.warp(HOUR)
        content = acme.content(shares)
        for attestor in (1, 2):
            thief.does(acme.attest(content, attestor))
        assert acme.state.reserve == shares
        minted = acme.settle_subscription(world.order("open"), Movement(f"in {shares}", ONE))
        if refused:
            chain.refuse(refused, minted)
        else:
            chain.send(minted)


def test_th2_a_false_reserve_mints_nothing_by_itself_and_no_more_than_limit_cap_and_approval_allow() -> None:
    bounds: dict[str, Callable[[World], object]] = {
        "LimitExceeded": lambda world: world.chain.send(world.acme.set_limit(mint_cap=ONE - 1)),
        "HolderSuspended": lambda world: world.chain.send(world.alpha.suspend_holder(world.alice)),
        "SupplyCapExceeded": lambda world: world.chain.send(
            Control(world.acme).update_policy(supply_cap=world.acme.minted.supply)
        ),
    }
    for refused, bound in bounds.items():
        world = World.fresh()
        world.chain.warp(HOUR)
        acme, before, content = world.acme, tokens(world), world.acme.content(10**15)
        bound(world)
        for attestor in (1, 2):
            of_kind(world, RoleKind.ATTESTOR, 1, 2).does(acme.attest(content, attestor))
        assert tokens(world) == before
        world.chain.refuse(refused, acme.settle_subscription(world.order("open"), Movement("in", ONE)))


def test_th3_the_true_attestors_undo_it_once_the_stolen_ones_are_revoked() -> None:
    world = World.fresh()
    chain, alpha, acme = world.chain, world.alpha, world.acme
    chain.warp(HOUR)
    content = acme.content(10**15)
    for attestor in (1, 2):
        of_kind(world, RoleKind.ATTESTOR, 1, 2).does(acme.attest(content, attestor))
    chain.send(acme.place_hold(1, SCOPE_MINT))
    chain.send(alpha.revoke_role(RoleKind.ATTESTOR, 1), alpha.revoke_role(RoleKind.ATTESTOR, 2))
    chain.send(alpha.grant_role(RoleKind.ATTESTOR, NEWCOMER))
    chain.warp(HOUR)
    true = acme.content(9_000 * ONE)
    chain.send(acme.attest(true, 3))
    chain.send(acme.attest(true, 3, attestor=NEWCOMER, role=alpha.role(RoleKind.ATTESTOR, NEWCOMER)))
    assert acme.state.reserve == 9_000 * ONE


# Operator ------------------------------------------------------------------------------------------------------------


def _minted_by(thief: Thief, security: Security, order: Pubkey) -> int:
    """As much as the thief can mint of an order at once, from movements that nobody booked."""
    before = security.minted.supply
    step, number = 64 * ONE, 0
    while step:
        call = security.settle_subscription(order, Movement(f"invented {number}", step))
        if thief.world.chain.would(call) is None:
            thief.does(call)
            number += 1
        else:
            step //= 2
    return security.minted.supply - before


@pytest.mark.parametrize("bound", ["reserve", "limit"])
def test_o1_a_stolen_operator_mints_for_invented_movements_up_to_reserve_and_limit(bound: str) -> None:
    world = World.fresh()
    chain, acme, room = world.chain, world.acme, 40 * ONE
    if bound == "reserve":
        chain.warp(HOUR)
        acme.do_attest(acme.minted.supply + room)
    else:
        chain.warp(DAY // 2)
        chain.send(acme.set_limit(mint_cap=room, window=30 * DAY))
    thief = of_kind(world, RoleKind.OPERATOR)
    thief.does(*_opened_by_operator(world, "stolen", 10**6 * ONE))
    assert _minted_by(thief, acme, world.order("stolen")) == room


def _opened_by_operator(world: World, name: str, shares: int) -> tuple[Instruction, ...]:
    alpha = world.alpha
    as_operator = {"authority": alpha.key(RoleKind.OPERATOR), "role": alpha.role(RoleKind.OPERATOR)}
    return (world.acme.open_subscription(world.alice, name, shares, **as_operator),)


def test_o2_a_stolen_operator_mints_to_approved_holders_only() -> None:
    world = World.fresh()
    alpha, acme = world.alpha, world.acme
    thief = of_kind(world, RoleKind.OPERATOR)
    as_operator = {"authority": alpha.key(RoleKind.OPERATOR), "role": alpha.role(RoleKind.OPERATOR)}
    thief.cannot("AccountNotInitialized", acme.open_subscription(NEWCOMER, "mine", ONE, **as_operator))
    stolen = {"wallet": world.alice, "recipient": acme.tokens(world.stranger)}
    thief.cannot("WrongTokenAccount", acme.settle_subscription(world.order("open"), Movement("in", ONE), **stolen))


def test_o3_a_stolen_operator_burns_what_is_in_escrow_without_shares_leaving_and_nothing_else() -> None:
    world = World.fresh()
    acme, balance = world.acme, world.chain.balance
    thief = of_kind(world, RoleKind.OPERATOR)
    wallets = [balance(acme.tokens(wallet)) for wallet in (world.alice, world.bob)]
    thief.does(acme.accept_redemption(world.order("requested")))
    thief.does(acme.accept_redemption(world.order("requested", wallet=world.bob)))
    for wallet, accepted in ((world.alice, 15 * ONE), (world.bob, 20 * ONE)):
        for name, raw in (("requested", 10 * ONE), ("accepted", accepted)):
            movement = Movement(f"never booked {name} {wallet}", raw)
            thief.does(acme.settle_redemption(world.order(name, wallet=wallet), movement, raw))
    assert (balance(acme.escrow), acme.state.escrowed) == (0, 0)
    assert [balance(acme.tokens(wallet)) for wallet in (world.alice, world.bob)] == wallets


def test_o4_a_stolen_operators_burns_are_limited() -> None:
    world = World.fresh()
    world.chain.warp(DAY // 2)
    world.chain.send(world.acme.set_limit(burn_cap=3 * ONE, window=30 * DAY))
    thief = of_kind(world, RoleKind.OPERATOR)
    settle = world.acme.settle_redemption
    thief.cannot("LimitExceeded", settle(world.order("accepted"), Movement("never", 4 * ONE), 4 * ONE))
    thief.does(settle(world.order("accepted"), Movement("never", 3 * ONE), 3 * ONE))
    thief.cannot("LimitExceeded", settle(world.order("accepted", wallet=world.bob), Movement("no", ONE), ONE))


def test_o5_a_stolen_operator_cancels_orders_and_returns_accepted_redemptions_to_their_holder() -> None:
    world = World.fresh()
    chain, acme = world.chain, world.acme
    thief = of_kind(world, RoleKind.OPERATOR)
    before = chain.balance(acme.tokens(world.alice))
    thief.cannot(
        "WrongTokenAccount", acme.cancel_redemption(world.order("accepted"), destination=acme.tokens(world.bob))
    )
    thief.does(acme.cancel_redemption(world.order("accepted")), acme.cancel_subscription(world.order("open")))
    assert chain.balance(acme.tokens(world.alice)) == before + 15 * ONE


def test_o6_a_stolen_operator_holds_for_72_hours_again_and_again() -> None:
    _holds_again_and_again(World.fresh(), RoleKind.OPERATOR)


def _holds_again_and_again(world: World, kind: RoleKind) -> None:
    """A machine's key, or another whose holds must expire: never longer than 72 hours at once."""
    chain, acme, thief = world.chain, world.acme, of_kind(world, kind)
    thief.cannot("BadExpiry", acme.place_hold(1, SCOPE_TRANSFER, kind, expires_in=None))
    thief.cannot("BadExpiry", acme.place_hold(1, SCOPE_TRANSFER, kind, expires_in=72 * HOUR + 1))
    for number in (1, 2):
        thief.does(acme.place_hold(number, SCOPE_TRANSFER, kind, expires_in=72 * HOUR))
        chain.refuse(PAUSED, sent(world))
        chain.warp(72 * HOUR)
        chain.send(acme.release_hold(number, kind, authority=world.stranger))
        assert not acme.state.transfer_holds
    chain.send(sent(world))
    chain.send(world.alpha.revoke_role(kind))
    chain.warp(world.alpha.delay)
    thief.cannot("RoleNotInForce", acme.place_hold(3, SCOPE_TRANSFER, kind))


def test_o7_a_stolen_operator_corrects_nothing_without_the_inventorys_owner() -> None:
    marks = tried("correct_fill").marks
    assert {column for column, mark in marks.items() if mark is not Mark.NEVER} == {"operator", "inventory's owner"}
    assert set(marks.values()) == {Mark.BESIDE, Mark.NEVER}


def test_o8_a_stolen_operator_is_stopped_at_once_by_revoking_it_or_by_a_hold() -> None:
    for stop in ("hold", "revoke"):
        world = World.fresh()
        acme, thief = world.acme, of_kind(world, RoleKind.OPERATOR)
        if stop == "hold":
            world.chain.send(acme.place_hold(1, SCOPE_MINT), acme.place_hold(2, SCOPE_REDEEM))
        else:
            world.chain.send(world.alpha.revoke_role(RoleKind.OPERATOR))
        refused = ("MintHeld", "RedeemHeld") if stop == "hold" else ("RoleNotInForce", "RoleNotInForce")
        thief.cannot(refused[0], acme.settle_subscription(world.order("open"), Movement("in", ONE)))
        thief.cannot(refused[1], acme.settle_redemption(world.order("accepted"), Movement("out", ONE), ONE))


# Compliance, corporate actions, reconciliation -----------------------------------------------------------------------


def test_c1_a_stolen_compliance_key_approves_any_wallet_and_suspends_any_holder() -> None:
    world = World.fresh()
    thief = of_kind(world, RoleKind.COMPLIANCE)
    thief.does(world.alpha.approve_holder(NEWCOMER), world.alpha.suspend_holder(world.alice))
    world.chain.refuse("HolderSuspended", world.acme.request_redemption(world.alice, "no", ONE))
    world.chain.send(world.acme.open_subscription(NEWCOMER, "yes", ONE))


def test_c2_a_stolen_compliance_key_holds_without_end_until_it_is_revoked() -> None:
    _holds_without_end(RoleKind.COMPLIANCE)


def _holds_without_end(kind: RoleKind) -> None:
    """A person's key: a hold without end, which admin and guardian release once the key is revoked."""
    world = World.fresh()
    chain, alpha, acme = world.chain, world.alpha, world.acme
    of_kind(world, kind).does(acme.place_hold(1, SCOPE_TRANSFER, kind, expires_in=None))
    chain.warp(FOREVER)
    chain.refuse(PAUSED, sent(world))
    chain.refuse("NotHoldOwner", acme.release_hold(1, kind, consent=RoleKind.GUARDIAN, authority=alpha.admin))
    chain.send(alpha.revoke_role(kind))
    chain.send(acme.release_hold(1, kind, consent=RoleKind.GUARDIAN, authority=alpha.admin))
    chain.send(sent(world))


def test_c3_suspension_stops_no_return_and_a_transfer_hold_does() -> None:
    world = World.fresh()
    chain, acme, thief = world.chain, world.acme, of_kind(world, RoleKind.COMPLIANCE)
    thief.does(world.alpha.suspend_holder(world.alice))
    chain.warp(DAY + 1)
    chain.send(acme.withdraw_redemption(world.order("requested")))
    thief.does(acme.place_hold(1, SCOPE_TRANSFER, expires_in=None))
    chain.warp(FOREVER)
    chain.refuse(PAUSED, acme.withdraw_redemption(world.order("accepted")))


def test_c4_a_stolen_compliance_key_freezes_and_thaws_any_holders_account_and_not_the_escrow() -> None:
    world = World.fresh()
    chain, acme, control = world.chain, world.acme, Control(world.acme)
    thief = of_kind(world, RoleKind.COMPLIANCE)
    thief.does(control.freeze_account(world.alice))
    chain.refuse(FROZEN, sent(world))
    thief.does(control.thaw_account(world.alice))
    chain.send(sent(world))
    thief.cannot("OwnedByProgram", control.freeze_account(acme.address))
    thief.does(control.freeze_account(world.bob))
    chain.send(world.alpha.revoke_role(RoleKind.COMPLIANCE))
    thief.cannot("RoleNotInForce", control.freeze_account(world.alice))
    other = {"compliance": world.alpha.key(RoleKind.COMPLIANCE, 2), "role": world.alpha.role(RoleKind.COMPLIANCE, 2)}
    chain.send(control.thaw_account(world.bob, **other))


def test_c5_a_stolen_compliance_key_proposes_seizures_and_neither_seizes_nor_reissues_alone() -> None:
    world = World.fresh()
    alpha, control, before = world.alpha, Control(world.acme), tokens(world)
    thief = of_kind(world, RoleKind.COMPLIANCE)
    control.do_name_seizure_account()
    thief.does(control.propose_seizure(world.alice, 7 * ONE))
    alone = {"compliance": alpha.key(RoleKind.COMPLIANCE), "role": alpha.role(RoleKind.COMPLIANCE)}
    thief.cannot("SecondKeyMissing", control.seize(world.alice, **alone))
    control.do_approve_new_wallet(NEWCOMER)
    twice = {"second_" + name: account for name, account in alone.items()}
    thief.cannot("SecondKeyMissing", control.reissue(world.alice, NEWCOMER, **twice))
    assert {address: units for address, units in tokens(world).items() if units} == {
        address: units for address, units in before.items() if units
    }
    assert tried("seize").marks["compliance"] is Mark.SECOND
    assert tried("reissue").marks["compliance"] is Mark.BESIDE
    assert powers("compliance") & movers() == {"seize", "reissue"}


def test_cc1_two_compliance_keys_seize_into_the_account_that_the_admin_named_and_no_other() -> None:
    world = World.fresh()
    chain, acme, control = world.chain, world.acme, Control(world.acme)
    thief = of_kind(world, RoleKind.COMPLIANCE, 1, 2)
    thief.does(control.propose_seizure(world.alice, 7 * ONE))
    thief.cannot("WrongSeizureAccount", control.seize(world.alice, destination=acme.tokens(world.stranger)))
    named = control.do_name_seizure_account()
    thief.cannot("WrongSeizureAccount", control.seize(world.alice, destination=acme.tokens(world.stranger)))
    supply = acme.minted.supply
    thief.does(control.seize(world.alice))
    assert (chain.balance(named), acme.minted.supply) == (7 * ONE, supply)


def test_cc2_two_compliance_keys_reissue_a_holders_tokens_to_a_wallet_that_they_approve() -> None:
    world = World.fresh()
    chain, alpha, acme, control = world.chain, world.alpha, world.acme, Control(world.acme)
    thief = thief_of(world, alpha.key(RoleKind.COMPLIANCE), alpha.key(RoleKind.COMPLIANCE, 2), NEWCOMER)
    supply, balance = acme.minted.supply, chain.balance(acme.tokens(world.alice))
    investor = chain.read(accounts.Holder, alpha.holder(world.alice)).investor_id
    thief.does(alpha.approve_holder(NEWCOMER, investor_id=investor), acme.create_tokens(NEWCOMER))
    thief.does(control.reissue(world.alice, NEWCOMER))
    assert (chain.balance(acme.tokens(NEWCOMER)), acme.minted.supply) == (balance, supply)


def test_cc3_a_transfer_hold_or_a_revocation_stops_seizure_and_reissue_at_once() -> None:
    for stop, refused in (("hold", "TransferHeld"), ("revoke", "RoleNotInForce")):
        world = World.fresh()
        alpha, control = world.alpha, Control(world.acme)
        control.do_propose_seizure(world.alice, 7 * ONE)
        control.do_approve_new_wallet(NEWCOMER)
        if stop == "hold":
            world.chain.send(world.acme.place_hold(1, SCOPE_TRANSFER, RoleKind.GUARDIAN))
        else:
            world.chain.send(alpha.revoke_role(RoleKind.COMPLIANCE))
        thief = of_kind(world, RoleKind.COMPLIANCE, 1, 2)
        thief.cannot(refused, control.seize(world.alice))
        thief.cannot(refused, control.reissue(world.alice, NEWCOMER))


def test_n1_a_stolen_corporate_actions_key_holds_without_end_until_it_is_revoked() -> None:
    _holds_without_end(RoleKind.CORPORATE_ACTIONS)


def test_n2_a_stolen_corporate_actions_key_cancels_whatever_is_announced_until_it_is_revoked() -> None:
    world = World.fresh()
    thief = thief_of(world, world.alpha.key(RoleKind.CORPORATE_ACTIONS, 2))
    action = split(world.acme, 2)
    for _ in range(2):
        world.chain.send(action.announce())
        thief.does(action.cancel(number=2))
        action = action.next()
    world.chain.send(world.alpha.revoke_role(RoleKind.CORPORATE_ACTIONS, 2))
    world.chain.send(action.announce())
    thief.cannot("RoleNotInForce", action.cancel(number=2))


@pytest.mark.parametrize("make", [lambda acme: split(acme, 10), delisting], ids=["split", "delisting"])
def test_n3_a_stolen_corporate_actions_key_changes_no_multiplier_and_retires_nothing_alone(
    make: Callable[[Security], Action],
) -> None:
    world = World.fresh()
    chain, thief = world.chain, of_kind(world, RoleKind.CORPORATE_ACTIONS)
    action, before = replace(make(world.acme), approver=1), world.acme.state
    thief.does(action.announce())
    thief.cannot("ApprovedByAnnouncer", action.approve())
    done = action.retire if action.kind is ActionKind.DELISTING else action.execute
    thief.cannot("ActionNotApproved", done())
    chain.set_time(action.terms.effective_at)
    if action.kind is ActionKind.DELISTING:
        thief.cannot("ActionNotApproved", done())
    assert world.acme.state == before
    assert powers("corporate actions") & movers() == set()


def test_ca1_two_corporate_actions_keys_change_the_multiplier_after_the_notice_within_the_largest_change() -> None:
    world = World.fresh()
    chain, acme = world.chain, world.acme
    thief = of_kind(world, RoleKind.CORPORATE_ACTIONS, 1, 2)
    thief.cannot("ChangeTooLarge", split(acme, 11).announce())
    thief.cannot("NoticeTooShort", split(acme, 10, effective_at=chain.now + acme.policy.notice - 1).announce())
    action = split(acme, 10)
    thief.does(action.announce(), action.approve(), action.execute())
    scaled = acme.minted.extensions.scaled_ui_amount
    assert scaled is not None
    assert (scaled.multiplier_bits, scaled.new_multiplier_bits) == (double_bits(1), double_bits(10))
    assert scaled.effective_at == action.terms.effective_at == chain.now + acme.policy.notice


def test_ca2_the_guardian_or_a_third_key_cancels_what_two_announced_until_it_takes_effect() -> None:
    for by, number in ((RoleKind.GUARDIAN, 1), (RoleKind.CORPORATE_ACTIONS, 2)):
        world = World.fresh()
        acme, action = world.acme, split(world.acme, 10)
        before = acme.state.multiplier
        of_kind(world, RoleKind.CORPORATE_ACTIONS, 1, 2).does(action.announce(), action.approve(), action.execute())
        world.chain.set_time(action.terms.effective_at - 1)
        world.chain.send(action.cancel(by, number))
        world.chain.warp(DAY)
        assert (acme.state.multiplier, acme.state.pending_multiplier) == (before, 0)


def test_ca3_a_reverse_split_by_two_stolen_keys_opens_no_room_to_mint() -> None:
    world = World.fresh()
    action = split(world.acme, 1, 10)
    of_kind(world, RoleKind.CORPORATE_ACTIONS, 1, 2).does(action.announce(), action.approve(), action.execute())
    world.chain.set_time(action.terms.effective_at - HOUR)
    world.acme.do_attest(world.acme.minted.supply)
    world.chain.warp(HOUR)
    refused = world.acme.settle_subscription(world.order("open"), Movement("in", ONE))
    world.chain.refuse("ReserveBeforeMultiplierChange", refused)


def double_bits(value: float) -> int:
    """The bits of a multiplier as Token-2022 keeps it."""
    return int.from_bytes(struct.pack("<d", value), "little")


def test_r1_a_stolen_reconciliation_key_holds_for_72_hours_again_and_again() -> None:
    _holds_again_and_again(World.fresh(), RoleKind.RECONCILIATION)


def test_r2_a_stolen_reconciliation_key_may_nothing_else_and_not_even_release_alone() -> None:
    assert powers("reconciliation") == {"place_hold", "release_hold"}
    world = World.fresh()
    thief = of_kind(world, RoleKind.RECONCILIATION)
    thief.does(world.acme.place_hold(1, SCOPE_MINT, RoleKind.RECONCILIATION))
    thief.cannot("ComplianceMissing", world.acme.release_hold(1, RoleKind.RECONCILIATION))


def test_p1_a_stolen_publisher_closes_and_publishes_what_it_likes_and_leaves_days_out_for_good() -> None:
    world = World.fresh()
    thief, reports = of_kind(world, RoleKind.PUBLISHER), Reports(world.alpha)
    thief.does(reports.close_day(LAST_DAY, digest("nothing")))
    thief.does(reports.publish_report(PERIOD, hash=digest("a lie")))
    world.chain.refuse("DayNotLater", reports.close_day(LAST_DAY - 1))
    assert reports.published().hash == digest("a lie")


def test_p2_a_stolen_publisher_draws_no_day_of_its_choice_and_every_further_try_is_counted() -> None:
    world = World.fresh()
    chain, thief, reports = world.chain, of_kind(world, RoleKind.PUBLISHER), Reports(world.alpha)
    thief.does(reports.close_day(LAST_DAY), reports.request_draw())
    for waited in (0, DRAW_SLOTS, RECORDED_SLOTS):
        chain.set_slot(START_SLOT + waited)
        thief.cannot("DrawPending", reports.request_draw())
    chain.set_slot(START_SLOT + DRAW_SLOTS + RECORDED_SLOTS + 1)
    thief.does(reports.request_draw())
    assert reports.drawn().attempts == 2
    chain.set_slot(chain.slot + DRAW_SLOTS + 1)
    thief_of(world).does(reports.draw_day())
    thief.cannot("DrawFinal", reports.request_draw())


def test_p3_a_stolen_publisher_rewrites_nothing_and_a_correction_names_what_it_corrects() -> None:
    world = World.fresh()
    chain, reports = world.chain, Reports(world.alpha)
    chain.send(reports.close_day(LAST_DAY))
    reports.do_publish(PERIOD_BEFORE, PERIOD)
    before, thief = reports.published(), of_kind(world, RoleKind.PUBLISHER)
    thief.cannot("DayNotLater", reports.close_day(LAST_DAY, digest("another")))
    thief.cannot("system:0", reports.publish_report(PERIOD_BEFORE))
    thief.cannot("PeriodPublished", reports.publish_report(PERIOD_BEFORE - 1))
    thief.does(reports.publish_report(PERIOD, 2, reports.report(PERIOD), hash=digest("a lie")))
    chain.send(world.alpha.revoke_role(RoleKind.PUBLISHER))
    thief.cannot("RoleNotInForce", reports.publish_report(PERIOD, 3, reports.report(PERIOD, 2)))
    assert (reports.published(), reports.published(PERIOD, 2).corrects) == (before, reports.report(PERIOD))


def test_p4_a_stolen_publisher_may_nothing_but_close_draw_and_publish() -> None:
    assert powers("publisher") == {"close_day", "request_draw", "publish_report"}


# Wallets, payers, secrets --------------------------------------------------------------------------------------------


def test_h1_a_stolen_wallet_moves_and_redeems_its_own_tokens_and_no_others() -> None:
    world = World.fresh()
    acme, balance = world.acme, world.chain.balance
    thief, others = thief_of(world, world.alice), balance(acme.tokens(world.bob))
    thief.cannot("token:4", acme.transfer(acme.tokens(world.bob), world.alice, acme.tokens(world.alice), 1))
    thief.does(acme.request_redemption(world.alice, "mine", ONE))
    rest = balance(acme.tokens(world.alice))
    thief.does(acme.transfer(acme.tokens(world.alice), world.alice, acme.tokens(world.stranger), rest))
    assert (balance(acme.tokens(world.alice)), balance(acme.tokens(world.bob))) == (0, others)


def test_h2_a_suspended_wallet_orders_nothing_and_transfers_until_its_account_is_frozen() -> None:
    world = World.fresh()
    acme, thief = world.acme, thief_of(world, world.alice)
    world.chain.send(world.alpha.suspend_holder(world.alice))
    thief.cannot("HolderSuspended", acme.open_subscription(world.alice, "no", ONE))
    thief.cannot("HolderSuspended", acme.request_redemption(world.alice, "no", ONE))
    thief.does(sent(world))
    world.chain.send(Control(acme).freeze_account(world.alice))
    thief.cannot(FROZEN, sent(world))


def test_i1_a_stolen_inventory_owner_moves_its_tokens_and_corrects_nothing_alone() -> None:
    world = World.fresh()
    thief = thief_of(world, world.bob)
    thief.does(world.acme.transfer(world.acme.tokens(world.bob), world.bob, world.acme.tokens(world.stranger), ONE))
    assert tried("correct_fill").marks["inventory's owner"] is Mark.BESIDE


def test_f1_a_stolen_fee_payer_loses_its_sol_and_has_no_power() -> None:
    world = World.fresh()
    payer = world.chain.payer
    thief_of(world, payer).does(transfer(TransferParams(from_pubkey=payer, to_pubkey=world.stranger, lamports=10**9)))
    assert {row for row in ROWS if tried(row).marks["stranger"] is Mark.ALONE} == {
        row for row in ROWS if set(tried(row).marks.values()) == {Mark.ALONE}
    }


def test_s1_whoever_has_the_salt_and_the_customers_finds_their_wallets() -> None:
    world = World.fresh()
    salt, customers = digest("the salt")[:16], [f"KYC-{number}" for number in range(100)]
    world.chain.send(world.alpha.approve_holder(NEWCOMER, investor_id=investor_id(salt, "KYC-42")))
    seen = world.chain.read(accounts.Holder, world.alpha.holder(NEWCOMER)).investor_id
    assert [each for each in customers if investor_id(salt, each) == seen] == ["KYC-42"]
    assert not [each for each in customers if investor_id(digest("another salt")[:16], each) == seen]


# Keys together -------------------------------------------------------------------------------------------------------


def test_oa1_operator_and_attestors_together_mint_without_a_share_up_to_the_limit() -> None:
    world = World.fresh()
    chain, acme, room = world.chain, world.acme, 40 * ONE
    chain.warp(DAY // 2)
    chain.send(acme.set_limit(mint_cap=room, window=30 * DAY))
    alpha = world.alpha
    thief = thief_of(
        world, alpha.key(RoleKind.OPERATOR), alpha.key(RoleKind.ATTESTOR, 1), alpha.key(RoleKind.ATTESTOR, 2)
    )
    content = acme.content(10**15)
    thief.does(acme.attest(content, 1))
    thief.does(acme.attest(content, 2))
    thief.does(*_opened_by_operator(world, "stolen", 10**6 * ONE))
    assert _minted_by(thief, acme, world.order("stolen")) == room
