"""Who may act changes only as announced: handovers wait, guardians veto, and what is revoked ends at once."""

from __future__ import annotations

import asyncio

from live_cluster import Live
from live_issuer import DAY, HOUR, MINT, ONE, Desk, Movement, Share, Signed
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tallystick.program.generated import accounts, errors, events, instructions, types
from tallystick.program.generated.types import RoleKind, VetoSubject
from tallystick.services.attestation import given_approvals


async def opened(live: Live, payer: Keypair, delay: int) -> Desk:
    """An issuer of its own, with no role but its guardian's."""
    desk = Desk(payer, delay)
    await live.send(*desk.initialize(live.cluster.upgrade_authority))
    return desk


def propose(desk: Desk, admin: Pubkey) -> Signed:
    """Name the next admin."""
    params = types.ProposeAdminParams(pending_admin=admin)
    return instructions.propose_admin(admin=desk.admin.pubkey(), issuer=desk.address, params=params), desk.admin


def accept(desk: Desk, admin: Keypair) -> Signed:
    """Take over."""
    return instructions.accept_admin(pending_admin=admin.pubkey(), issuer=desk.address), admin


def revoke(desk: Desk, kind: RoleKind, key: Keypair) -> Signed:
    """End a role."""
    role = desk.role(kind, key)
    return instructions.revoke_role(admin=desk.admin.pubkey(), issuer=desk.address, role=role), desk.admin


def veto(
    desk: Desk, *, role: Pubkey | None = None, security: Pubkey | None = None, limit: Pubkey | None = None
) -> Signed:
    """Stop what waits: the proposed admin unless a role or a limit is named."""
    subject = VetoSubject.ROLE if role else VetoSubject.LIMIT if limit else VetoSubject.ADMIN
    return instructions.veto(
        guardian=desk.guardian.pubkey(),
        guardian_role=desk.role(RoleKind.GUARDIAN, desk.guardian),
        issuer=desk.address,
        role=role,
        security=security,
        limit=limit,
        params=types.VetoParams(subject),
    ), desk.guardian


async def test_an_admin_hands_over_in_two_steps(live: Live, desk: Desk) -> None:
    new, successor = await opened(live, desk.payer, 1), Keypair()
    proposed = await live.land(*propose(new, successor.pubkey()))
    issuer = await live.read(accounts.Issuer, new.address)
    assert (issuer.admin, issuer.pending_admin) == (new.admin.pubkey(), successor.pubkey())
    assert proposed.events == (
        events.AdminProposed(new.address, new.admin.pubkey(), successor.pubkey(), issuer.pending_admin_from),
    )
    await live.refuse(errors.NotPendingAdmin, *accept(new, Keypair()))
    await live.until(issuer.pending_admin_from)
    accepted = await live.land(*accept(new, successor))
    issuer = await live.read(accounts.Issuer, new.address)
    assert (issuer.admin, issuer.pending_admin, issuer.pending_admin_from) == (successor.pubkey(), Pubkey.default(), 0)
    assert accepted.events == (events.AdminAccepted(new.address, new.admin.pubkey(), successor.pubkey()),)
    await live.refuse(errors.NotAdmin, *new.grant(RoleKind.OPERATOR, new.operator))


async def test_a_guardian_stops_a_handover_that_waits(live: Live, desk: Desk) -> None:
    new, thief = await opened(live, desk.payer, HOUR), Keypair()
    await live.send(*propose(new, thief.pubkey()))
    await live.refuse(errors.DelayNotOver, *accept(new, thief))
    landed = await live.land(*veto(new))
    assert landed.events == (events.ChangeVetoed(new.address, new.guardian.pubkey(), VetoSubject.ADMIN, new.address),)
    assert (await live.read(accounts.Issuer, new.address)).pending_admin == Pubkey.default()
    await live.refuse(errors.NotPendingAdmin, *accept(new, thief))
    await live.refuse(errors.NothingToVeto, *veto(new))


async def test_a_guardian_stops_a_grant_that_waits(live: Live, desk: Desk) -> None:
    new = await opened(live, desk.payer, HOUR)
    await live.send(*new.grant(RoleKind.OPERATOR, new.operator))
    role = new.role(RoleKind.OPERATOR, new.operator)
    landed = await live.land(*veto(new, role=role))
    assert landed.events == (events.ChangeVetoed(new.address, new.guardian.pubkey(), VetoSubject.ROLE, role),)
    assert (await live.read(accounts.Role, role)).ends_at < (await live.read(accounts.Role, role)).in_force_from
    await live.refuse(errors.NothingToVeto, *veto(new, role=role))


async def test_a_guardian_stops_a_limit_that_waits(live: Live, desk: Desk) -> None:
    new = await opened(live, desk.payer, HOUR)
    share = Share(new)
    await live.send(*share.list_security())
    await live.send(*share.set_limit())
    landed = await live.land(*veto(new, security=share.address, limit=share.limit))
    assert landed.events == (events.ChangeVetoed(new.address, new.guardian.pubkey(), VetoSubject.LIMIT, share.limit),)
    limit = await live.read(accounts.Limit, share.limit)
    assert (limit.mint_cap, limit.pending_mint_cap, limit.pending_from) == (0, 0, 0)


async def test_a_guardian_is_removed_only_after_the_delay_and_does_not_stop_that_alone(live: Live, desk: Desk) -> None:
    new = await opened(live, desk.payer, HOUR)
    landed = await live.land(*revoke(new, RoleKind.GUARDIAN, new.guardian))
    [revoked] = landed.events
    assert isinstance(revoked, events.RoleRevoked)
    role = new.role(RoleKind.GUARDIAN, new.guardian)
    assert revoked.ends_at == (await live.read(accounts.Role, role)).ends_at > await live.now()
    await live.refuse(errors.GuardianNeedsCompliance, *veto(new, role=role))
    assert (await live.read(accounts.Role, role)).ends_at == revoked.ends_at


async def test_a_revoked_operator_settles_nothing_more(live: Live, desk: Desk, wallets: tuple[Keypair, ...]) -> None:
    new = Desk(desk.payer)
    await new.do_open(live)
    share = Share(new)
    await asyncio.gather(share.do_list(live, 10 * ONE), new.do_approve(live, wallets[0]))
    order = await share.do_order(live, wallets[0], ONE)
    landed = await live.land(*revoke(new, RoleKind.OPERATOR, new.operator))
    ended = await live.read(accounts.Role, new.role(RoleKind.OPERATOR, new.operator))
    assert isinstance(landed.events[0], events.RoleRevoked)
    assert landed.events[0].ends_at == ended.ends_at <= await live.now()
    await live.refuse(errors.RoleNotInForce, *share.settle_subscription(order, Movement(ONE)))
    assert (await live.mint(share.mint)).supply == 0


async def test_approvals_from_before_an_attestor_was_revoked_do_not_count(live: Live, desk: Desk) -> None:
    new = Desk(desk.payer)
    await new.do_open(live)
    share = Share(new)
    await live.send(*share.list_security())
    content = share.content(10 * ONE, await live.now() - 60)
    await live.send(*share.attest(content, 0))
    await live.send(*revoke(new, RoleKind.ATTESTOR, new.attestors[2]))
    await live.send(*share.attest(content, 1))
    attestation = await live.read(accounts.Attestation, share.attestation(content))
    assert [each.attestor for each in given_approvals(attestation)] == [new.attestors[1].pubkey()]
    assert (await share.state(live)).reserve == 0
    await live.refuse(errors.RoleNotInForce, *share.attest(content, 2))
    await live.send(*share.attest(content, 0))
    assert (await share.state(live)).reserve == 10 * ONE


async def test_admin_and_guardian_together_lift_a_revoked_owners_hold(live: Live, desk: Desk) -> None:
    new = Desk(desk.payer)
    await new.do_open(live)
    share = Share(new)
    await live.send(*share.list_security())
    expires_at = await live.now() + DAY
    await live.send(*share.place_hold(1, MINT, new.reconciliation, RoleKind.RECONCILIATION, expires_at))
    await live.send(*revoke(new, RoleKind.RECONCILIATION, new.reconciliation))
    alone = share.release_hold(1, new.reconciliation, RoleKind.RECONCILIATION, signed_by=new.admin)
    await live.refuse(errors.NotHoldOwner, *alone)
    together = instructions.release_hold(
        authority=new.admin.pubkey(),
        issuer=new.address,
        security=share.address,
        hold=share.hold(new.reconciliation, 1),
        owner_role=new.role(RoleKind.RECONCILIATION, new.reconciliation),
        cosigner=new.guardian.pubkey(),
        cosigner_role=new.role(RoleKind.GUARDIAN, new.guardian),
        mint=share.mint,
    )
    landed = await live.land(together, new.admin, new.guardian)
    assert landed.events == (
        events.HoldReleased(share.address, share.hold(new.reconciliation, 1), new.admin.pubkey(), MINT, False),
    )
    assert (await share.state(live)).mint_holds == 0
