"""Each instruction does what it says: its event, its accounts, the tokens."""

from __future__ import annotations

from cases import NEWCOMER
from issuers import LEI
from solders.pubkey import Pubkey
from tallystick.domain.identifiers import custody_accounts_hash
from tallystick.program import addresses
from tallystick.program.generated import accounts, events, types
from tallystick.program.generated.types import FillKind, OrderKind, OrderStatus, RoleKind, SecurityStatus, VetoSubject
from tallystick.program.text import encode_text
from tallystick.program.token import TokenAccountState
from tallystick.program.token_extensions import ExtensionType
from tallystick.services.attestation import given_approvals
from world import (
    CUSTODY,
    DAY,
    HOUR,
    IN,
    MULTIPLIER_ONE,
    ONE,
    OUT,
    SCOPE_TRANSFER,
    Issuer,
    Movement,
    Security,
    World,
    digest,
)

FOREVER = 2**63 - 1
NOBODY = Pubkey.default()


def test_initialize_makes_the_issuer_and_a_guardian_in_force_at_once() -> None:
    chain = World.fresh().chain
    third = Issuer(chain, "third", delay=DAY)
    receipt = chain.send(third.initialize())
    guardian = third.key(RoleKind.GUARDIAN)
    assert receipt.events == (
        events.IssuerInitialized(third.address, third.admin, guardian, chain.upgrade_authority, DAY),
    )
    state = third.state
    assert (state.admin, state.pending_admin, state.pending_admin_from, state.delay) == (third.admin, NOBODY, 0, DAY)
    assert (state.attestor_epoch, state.securities, state.lei) == (0, 0, LEI)
    assert state.issuer_id == addresses.issuer_id(third.admin, third.nonce)
    assert state.name == encode_text("third", 64)
    role = chain.read(accounts.Role, third.role(RoleKind.GUARDIAN))
    assert (role.kind, role.holder, role.in_force_from, role.ends_at) == (
        RoleKind.GUARDIAN, guardian, chain.now, FOREVER,
    )  # fmt: skip


def test_propose_admin_names_a_key_that_may_accept_after_the_delay() -> None:
    world = World.fresh()
    receipt = world.chain.send(world.alpha.propose_admin(NEWCOMER))
    after = world.chain.now + world.alpha.delay
    assert receipt.events == (events.AdminProposed(world.alpha.address, world.alpha.admin, NEWCOMER, after),)
    assert (world.alpha.state.pending_admin, world.alpha.state.pending_admin_from) == (NEWCOMER, after)
    assert world.alpha.state.admin == world.alpha.admin


def test_propose_admin_of_nobody_withdraws_the_proposal() -> None:
    world = World.fresh()
    world.chain.send(world.alpha.propose_admin(NEWCOMER))
    world.chain.send(world.alpha.propose_admin(NOBODY))
    assert (world.alpha.state.pending_admin, world.alpha.state.pending_admin_from) == (NOBODY, 0)


def test_accept_admin_hands_over() -> None:
    world = World.fresh()
    world.chain.send(world.alpha.propose_admin(NEWCOMER))
    world.chain.warp(world.alpha.delay)
    receipt = world.chain.send(world.alpha.accept_admin(NEWCOMER))
    assert receipt.events == (events.AdminAccepted(world.alpha.address, world.alpha.admin, NEWCOMER),)
    state = world.alpha.state
    assert (state.admin, state.pending_admin, state.pending_admin_from) == (NEWCOMER, NOBODY, 0)


def test_grant_role_of_an_attestor_waits_and_starts_a_new_epoch() -> None:
    world = World.fresh()
    epoch = world.alpha.state.attestor_epoch
    receipt = world.chain.send(world.alpha.grant_role(RoleKind.ATTESTOR, NEWCOMER))
    role, now = world.alpha.role(RoleKind.ATTESTOR, NEWCOMER), world.chain.now
    assert receipt.events == (
        events.RoleGranted(world.alpha.address, role, RoleKind.ATTESTOR, NEWCOMER, now + 1, epoch + 1),
    )
    state = world.chain.read(accounts.Role, role)
    assert (state.granted_at, state.in_force_from, state.ends_at, state.grants) == (now, now + 1, FOREVER, 1)
    assert world.alpha.state.attestor_epoch == epoch + 1


def test_revoke_role_ends_it_at_once() -> None:
    world = World.fresh()
    epoch = world.alpha.state.attestor_epoch
    receipt = world.chain.send(world.alpha.revoke_role(RoleKind.OPERATOR))
    role, holder = world.alpha.role(RoleKind.OPERATOR), world.alpha.key(RoleKind.OPERATOR)
    assert receipt.events == (
        events.RoleRevoked(world.alpha.address, role, RoleKind.OPERATOR, holder, world.chain.now, epoch),
    )
    assert world.chain.read(accounts.Role, role).ends_at == world.chain.now


def test_veto_ends_a_role_before_it_starts() -> None:
    world = World.fresh()
    world.chain.send(world.alpha.grant_role(RoleKind.ATTESTOR, NEWCOMER))
    epoch = world.alpha.state.attestor_epoch
    role = world.alpha.role(RoleKind.ATTESTOR, NEWCOMER)
    receipt = world.chain.send(world.alpha.veto(role=role))
    assert receipt.events == (
        events.ChangeVetoed(world.alpha.address, world.alpha.key(RoleKind.GUARDIAN), VetoSubject.ROLE, role),
    )
    assert world.chain.read(accounts.Role, role).ends_at == world.chain.now
    assert world.alpha.state.attestor_epoch == epoch + 1


def test_veto_drops_a_loosened_limit() -> None:
    world = World.fresh()
    before = world.chain.read(accounts.Limit, world.acme.limit())
    world.chain.send(world.acme.set_limit(mint_cap=10**13))
    receipt = world.chain.send(world.alpha.veto(security=world.acme.address, limit=world.acme.limit()))
    assert [each.subject for each in receipt.events if isinstance(each, events.ChangeVetoed)] == [world.acme.limit()]
    assert world.chain.read(accounts.Limit, world.acme.limit()) == before


def test_veto_drops_a_proposed_admin() -> None:
    world = World.fresh()
    world.chain.send(world.alpha.propose_admin(NEWCOMER))
    receipt = world.chain.send(world.alpha.veto())
    assert [each.subject for each in receipt.events if isinstance(each, events.ChangeVetoed)] == [world.alpha.address]
    assert world.alpha.state.pending_admin == NOBODY


def test_list_security_makes_the_mint_with_its_extensions_and_the_escrow() -> None:
    world = World.fresh()
    gamma = Security(world.alpha, "GAMMA")
    receipt = world.chain.send(gamma.list_security())
    accounts_hash = custody_accounts_hash(CUSTODY)
    assert receipt.events == (
        events.SecurityListed(
            world.alpha.address, gamma.address, gamma.mint, gamma.security_id, b"US0378331005", 6, False,
            accounts_hash, digest("terms"),
        ),
    )  # fmt: skip
    state = gamma.state
    assert (state.status, state.decimals, state.policy) == (SecurityStatus.ACTIVE, 6, gamma.policy)
    assert (state.multiplier, state.minted, state.burnt, state.reserve) == (MULTIPLIER_ONE, 0, 0, 0)
    assert (state.custody_accounts, state.custody_accounts_hash) == (2, accounts_hash)
    assert world.alpha.state.securities == 3
    mint, extensions = gamma.minted, gamma.minted.extensions
    assert (mint.mint_authority, mint.freeze_authority, mint.supply, mint.decimals) == (
        gamma.address, gamma.address, 0, 6,
    )  # fmt: skip
    assert set(extensions.types) == {
        ExtensionType.METADATA_POINTER, ExtensionType.PERMANENT_DELEGATE, ExtensionType.DEFAULT_ACCOUNT_STATE,
        ExtensionType.SCALED_UI_AMOUNT, ExtensionType.PAUSABLE, ExtensionType.PERMISSIONED_BURN,
        ExtensionType.TOKEN_METADATA,
    }  # fmt: skip
    assert extensions.permanent_delegate == extensions.permissioned_burn == gamma.address
    assert extensions.pausable is not None
    assert (extensions.pausable.authority, extensions.pausable.paused) == (gamma.address, False)
    assert extensions.default_account_state == TokenAccountState.INITIALIZED
    metadata = extensions.metadata
    assert metadata is not None
    assert (metadata.name, metadata.symbol, metadata.update_authority) == ("GAMMA Inc.", "GAMMA", gamma.address)
    assert metadata.additional == (("isin", "US0378331005"), ("issuer", LEI.decode()))
    escrow = world.chain.token(gamma.escrow)
    assert (escrow.owner, escrow.mint, escrow.amount) == (gamma.address, gamma.mint, 0)


def test_set_limit_loosens_after_the_delay_and_tightens_at_once() -> None:
    world = World.fresh()
    chain, acme = world.chain, world.acme
    operator, now = world.alpha.key(RoleKind.OPERATOR), world.chain.now
    receipt = chain.send(acme.set_limit(mint_cap=10**13))
    assert receipt.events == (
        events.LimitSet(acme.address, acme.limit(), operator, 10**13, 10**12, DAY, now + world.alpha.delay),
    )
    assert chain.read(accounts.Limit, acme.limit()).mint_cap == 10**12
    receipt = chain.send(acme.set_limit(mint_cap=5, burn_cap=6, window=2 * DAY))
    assert receipt.events == (events.LimitSet(acme.address, acme.limit(), operator, 5, 6, 2 * DAY, now),)
    limit = chain.read(accounts.Limit, acme.limit())
    assert (limit.mint_cap, limit.burn_cap, limit.window, limit.pending_from) == (5, 6, 2 * DAY, 0)


def test_place_hold_on_transfers_pauses_the_mint_and_release_hold_resumes_it() -> None:
    world = World.fresh()
    chain, acme, owner = world.chain, world.acme, world.alpha.key(RoleKind.COMPLIANCE)
    receipt = chain.send(acme.place_hold(1, SCOPE_TRANSFER))
    hold = acme.hold(owner, 1)
    assert receipt.events == (
        events.HoldPlaced(acme.address, hold, owner, RoleKind.COMPLIANCE, SCOPE_TRANSFER, 7, chain.now + HOUR),
    )
    assert (acme.state.mint_holds, acme.state.redeem_holds, acme.state.transfer_holds) == (0, 0, 1)
    chain.refuse("token:67", acme.transfer(acme.tokens(world.alice), world.alice, acme.tokens(world.bob), 1))
    receipt = chain.send(acme.release_hold(1))
    assert receipt.events == (events.HoldReleased(acme.address, hold, owner, SCOPE_TRANSFER, False),)
    assert acme.state.transfer_holds == 0
    assert chain.read(accounts.Hold, hold).released_at == chain.now
    chain.send(acme.transfer(acme.tokens(world.alice), world.alice, acme.tokens(world.bob), 1))


def test_approve_holder_writes_the_record_and_approving_again_lifts_a_suspension() -> None:
    world = World.fresh()
    chain, alpha, until = world.chain, world.alpha, world.chain.now + DAY
    record = alpha.holder(NEWCOMER)
    receipt = chain.send(alpha.approve_holder(NEWCOMER, approved_until=until, classes=5))
    assert receipt.events == (events.HolderApproved(alpha.address, record, NEWCOMER, 5, until),)
    chain.send(alpha.suspend_holder(NEWCOMER))
    assert chain.read(accounts.Holder, record).suspended_at == chain.now
    chain.send(alpha.approve_holder(NEWCOMER))
    state = chain.read(accounts.Holder, record)
    assert (state.wallet, state.suspended_at, state.classes) == (NEWCOMER, 0, 1)


def test_suspend_holder_says_when_and_why() -> None:
    world = World.fresh()
    record = world.alpha.holder(world.alice)
    receipt = world.chain.send(world.alpha.suspend_holder(world.alice))
    assert receipt.events == (events.HolderSuspended(world.alpha.address, record, world.alice),)
    state = world.chain.read(accounts.Holder, record)
    assert (state.suspended_at, state.evidence_hash) == (world.chain.now, digest("suspicion"))


def test_attest_puts_a_reserve_in_force_at_the_threshold() -> None:
    world = World.fresh()
    chain, alpha, acme = world.chain, world.alpha, world.acme
    chain.warp(HOUR)
    content, before = acme.content(9_000 * ONE), acme.state
    content_hash = addresses.attestation_hash(acme.address, content)
    address, epoch = addresses.attestation_address(acme.address, content_hash), alpha.state.attestor_epoch
    first, second = chain.send(acme.attest(content, 1)), chain.send(acme.attest(content, 2))
    assert first.events == (
        events.AttestationApproved(
            acme.address, address, alpha.key(RoleKind.ATTESTOR, 1), digest("received 1"), 1, 2, epoch, content
        ),
    )
    state = acme.state
    assert second.events[1] == events.ReserveAttested(
        acme.address, address, content.as_of, 9_000 * ONE, content.redeemed, state.attestations_hash
    )
    assert (state.reserve, state.reserve_as_of, state.attestation) == (9_000 * ONE, content.as_of, address)
    assert state.attestations == before.attestations + 1
    attestation = chain.read(accounts.Attestation, address)
    attestors = [alpha.key(RoleKind.ATTESTOR, each) for each in (1, 2)]
    assert [each.attestor for each in given_approvals(attestation)] == attestors
    assert attestation.in_force_at == chain.now


def test_open_subscription_by_the_holder_writes_an_open_order() -> None:
    world = World.fresh()
    chain, acme, by = world.chain, world.acme, world.chain.now + HOUR
    receipt = chain.send(acme.open_subscription(world.alice, "new", 250_000, HOUR))
    order = world.order("new")
    assert receipt.events == (events.SubscriptionOpened(acme.address, order, world.alice, digest("new"), 250_000, by),)
    state = chain.read(accounts.Order, order)
    assert (state.kind, state.status, state.quantity, state.filled, state.settle_by, state.accept_by) == (
        OrderKind.SUBSCRIPTION, OrderStatus.OPEN, 250_000, 0, by, 0,
    )  # fmt: skip


def test_settle_subscription_mints_a_quarter_of_a_share_and_then_the_rest() -> None:
    world = World.fresh()
    chain, acme, order = world.chain, world.acme, world.order("open")
    before, balance = acme.state, chain.balance(acme.tokens(world.alice))
    first, rest = Movement("m1", ONE), Movement("m2", 50 * ONE)
    receipt = chain.send(acme.settle_subscription(order, first, ONE // 4))
    fill = acme.fill(first, order)
    assert receipt.events == (
        events.SubscriptionSettled(
            acme.address, order, world.alice, acme.movement(first), fill, ONE // 4, ONE // 4, MULTIPLIER_ONE,
            OrderStatus.OPEN,
        ),
    )  # fmt: skip
    state = chain.read(accounts.Fill, fill)
    assert (state.kind, state.shares, state.raw, state.order) == (FillKind.MINT, ONE // 4, ONE // 4, order)
    movement = chain.read(accounts.Movement, acme.movement(first))
    assert (movement.direction, movement.shares, movement.allocated) == (types.Direction.IN, ONE, ONE // 4)
    receipt = chain.send(acme.settle_subscription(order, rest, 50 * ONE - ONE // 4))
    assert chain.read(accounts.Order, order).status is OrderStatus.SETTLED
    assert chain.balance(acme.tokens(world.alice)) == balance + 50 * ONE
    assert acme.state.minted == before.minted + 50 * ONE
    assert acme.minted.supply == acme.state.minted - acme.state.burnt
    assert chain.read(accounts.Limit, acme.limit()).mint_used > 0


def test_settle_subscription_fills_two_orders_from_one_block_movement() -> None:
    world = World.fresh()
    for wallet in (world.alice, world.bob):
        world.chain.send(world.acme.settle_subscription(world.order("open", wallet=wallet), IN, 50 * ONE))
    assert world.chain.read(accounts.Movement, world.acme.movement(IN)).allocated == 700 * ONE


def test_cancel_subscription_ends_it_with_its_reason() -> None:
    world = World.fresh()
    order, operator = world.order("open"), world.alpha.key(RoleKind.OPERATOR)
    receipt = world.chain.send(world.acme.cancel_subscription(order))
    assert receipt.events == (
        events.SubscriptionCancelled(world.acme.address, order, world.alice, operator, 50 * ONE, 9),
    )
    state = world.chain.read(accounts.Order, order)
    assert (state.status, state.reason_code) == (OrderStatus.CANCELLED, 9)


def test_cancel_subscription_is_the_holders_after_the_deadline() -> None:
    world = World.fresh()
    world.chain.warp(30 * DAY + 1)
    world.chain.send(world.acme.cancel_subscription(world.order("open"), by_holder=True))
    assert world.chain.read(accounts.Order, world.order("open")).status is OrderStatus.CANCELLED


def test_request_redemption_puts_tokens_in_escrow() -> None:
    world = World.fresh()
    chain, acme, by = world.chain, world.acme, world.chain.now + DAY
    escrow, state = chain.balance(acme.escrow), acme.state
    receipt = chain.send(acme.request_redemption(world.alice, "new", 7 * ONE))
    order = world.order("new")
    assert receipt.events == (events.RedemptionRequested(acme.address, order, world.alice, digest("new"), 7 * ONE, by),)
    assert chain.balance(acme.escrow) == escrow + 7 * ONE
    assert acme.state.escrowed == state.escrowed + 7 * ONE
    assert chain.read(accounts.Order, order).accept_by == by


def test_accept_redemption_starts_the_second_deadline() -> None:
    world = World.fresh()
    order, by, before = world.order("requested"), world.chain.now + 2 * DAY, world.acme.state
    receipt = world.chain.send(world.acme.accept_redemption(order))
    assert receipt.events == (events.RedemptionAccepted(world.acme.address, order, world.alice, 10 * ONE, by),)
    state = world.chain.read(accounts.Order, order)
    assert (state.status, state.settle_by) == (OrderStatus.ACCEPTED, by)
    assert world.acme.state.accepted == before.accepted + 10 * ONE


def test_settle_redemption_burns_from_escrow() -> None:
    world = World.fresh()
    chain, acme, order = world.chain, world.acme, world.order("accepted", wallet=world.bob)
    before, supply, escrow = acme.state, acme.minted.supply, chain.balance(acme.escrow)
    receipt = chain.send(acme.settle_redemption(order, OUT, 20 * ONE))
    fill = acme.fill(OUT, order)
    assert receipt.events == (
        events.RedemptionSettled(
            acme.address, order, world.bob, acme.movement(OUT), fill, 20 * ONE, 20 * ONE, MULTIPLIER_ONE,
            OrderStatus.SETTLED,
        ),
    )  # fmt: skip
    after = acme.state
    assert (acme.minted.supply, chain.balance(acme.escrow)) == (supply - 20 * ONE, escrow - 20 * ONE)
    assert (after.redeemed, after.burnt) == (before.redeemed + 20 * ONE, before.burnt + 20 * ONE)
    assert (after.escrowed, after.accepted) == (before.escrowed - 20 * ONE, before.accepted - 20 * ONE)
    assert chain.read(accounts.Fill, fill).kind is FillKind.BURN


def test_cancel_redemption_returns_what_was_not_burnt() -> None:
    world = World.fresh()
    chain, acme, order = world.chain, world.acme, world.order("accepted")
    balance, operator = chain.balance(acme.tokens(world.alice)), world.alpha.key(RoleKind.OPERATOR)
    receipt = chain.send(acme.cancel_redemption(order))
    assert receipt.events == (
        events.RedemptionReturned(acme.address, order, world.alice, operator, 15 * ONE, OrderStatus.CANCELLED, 11),
    )
    assert chain.balance(acme.tokens(world.alice)) == balance + 15 * ONE


def test_cancel_redemption_is_the_holders_until_it_is_accepted() -> None:
    world = World.fresh()
    world.chain.send(world.acme.cancel_redemption(world.order("requested"), by_holder=True))
    assert world.chain.read(accounts.Order, world.order("requested")).status is OrderStatus.CANCELLED


def test_withdraw_redemption_returns_the_rest_after_either_deadline() -> None:
    world = World.fresh()
    chain, acme = world.chain, world.acme
    balance = chain.balance(acme.tokens(world.alice))
    chain.set_time(chain.read(accounts.Order, world.order("requested")).accept_by + 1)
    receipt = chain.send(acme.withdraw_redemption(world.order("requested")))
    assert receipt.events == (
        events.RedemptionReturned(
            acme.address, world.order("requested"), world.alice, world.alice, 10 * ONE, OrderStatus.WITHDRAWN, 0
        ),
    )
    chain.set_time(chain.read(accounts.Order, world.order("accepted")).settle_by + 1)
    chain.send(acme.withdraw_redemption(world.order("accepted")))
    assert chain.balance(acme.tokens(world.alice)) == balance + 25 * ONE


def test_correct_fill_burns_inventory_and_names_the_fill() -> None:
    world = World.fresh()
    chain, acme, fill = world.chain, world.acme, world.fill()
    inventory, supply = acme.tokens(world.bob), acme.minted.supply
    receipt = chain.send(acme.correct_fill(fill, world.bob, 3 * ONE))
    correction = addresses.correction_address(fill, 0)
    assert receipt.events == (events.FillCorrected(acme.address, fill, correction, inventory, 3 * ONE, 3 * ONE),)
    state = chain.read(accounts.Fill, correction)
    assert (state.kind, state.corrects, state.raw) == (FillKind.CORRECTION, fill, 3 * ONE)
    wrong = chain.read(accounts.Fill, fill)
    assert (wrong.corrected_raw, wrong.corrections) == (3 * ONE, 1)
    assert acme.minted.supply == supply - 3 * ONE
    assert chain.read(accounts.Movement, acme.movement(IN)).allocated == 600 * ONE
