"""An issuer from nothing: opened by the upgrade authority, its roles granted and in force, a security listed."""

from __future__ import annotations

from dataclasses import astuple
from typing import cast

from live_cluster import Live
from live_issuer import DAY, HOUR, LEI, POLICY, Desk, Share, digest
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tallystick.domain.amounts import float_bits_to_multiplier
from tallystick.program import addresses
from tallystick.program.generated import accounts, errors, events
from tallystick.program.generated.types import RoleKind, SecurityStatus
from tallystick.program.text import decode_text
from tallystick.program.token_extensions import ExtensionType

MULTIPLIER_ONE = 10**18


async def test_the_upgrade_authority_opens_an_issuer_with_its_first_guardian(live: Live, desk: Desk) -> None:
    new = Desk(desk.payer)
    landed = await live.land(*new.initialize(live.cluster.upgrade_authority))
    issuer = await live.read(accounts.Issuer, new.address)
    assert (issuer.admin, issuer.delay, issuer.lei) == (new.admin.pubkey(), 1, LEI)
    assert (issuer.pending_admin, issuer.securities, issuer.attestor_epoch) == (Pubkey.default(), 0, 0)
    assert decode_text(issuer.name) == "Example Issuer"
    guardian = await live.read(accounts.Role, new.role(RoleKind.GUARDIAN, new.guardian))
    assert guardian.in_force_from == guardian.granted_at
    authority = live.cluster.upgrade_authority.pubkey()
    assert landed.events == (
        events.IssuerInitialized(new.address, new.admin.pubkey(), new.guardian.pubkey(), authority, 1),
    )


async def test_another_key_than_the_upgrade_authority_opens_no_issuer(live: Live, desk: Desk) -> None:
    new = Desk(desk.payer)
    await live.refuse(errors.NotUpgradeAuthority, *new.initialize(Keypair()))
    assert await live.chain.get_account(new.address) is None


async def test_every_granted_role_is_in_force_after_the_delay(live: Live, desk: Desk) -> None:
    new = Desk(desk.payer)
    grants = await new.do_open(live)
    roles = {key.pubkey(): await live.read(accounts.Role, new.role(kind, key)) for kind, key in new.granted}
    for landed in grants:
        [granted] = landed.events
        assert isinstance(granted, events.RoleGranted)
        role = roles[granted.holder]
        assert (granted.issuer, granted.kind, granted.in_force_from) == (role.issuer, role.kind, role.in_force_from)
        assert role.in_force_from == role.granted_at + new.delay
    now = await live.now()
    assert all(role.in_force_from <= now < role.ends_at for role in roles.values())
    epochs = {cast("events.RoleGranted", landed.events[0]).attestor_epoch for landed in grants}
    assert max(epochs) == (await live.read(accounts.Issuer, new.address)).attestor_epoch == len(new.attestors)


async def test_a_role_does_nothing_before_the_delay_is_over(live: Live, desk: Desk) -> None:
    new, wallet = Desk(desk.payer, delay=HOUR), Keypair().pubkey()
    await live.send(*new.initialize(live.cluster.upgrade_authority))
    await live.send(*new.grant(RoleKind.COMPLIANCE, new.compliance))
    await live.refuse(errors.RoleNotInForce, *new.approve(wallet, await live.now() + DAY))
    assert await live.chain.get_account(new.holder(wallet)) is None


async def test_a_key_gets_no_second_exclusive_role(live: Live, desk: Desk) -> None:
    await live.refuse(errors.KeyHoldsAnotherRole, *desk.grant(RoleKind.ATTESTOR, desk.operator))


async def test_a_listed_security_has_its_mint_with_every_extension_and_its_metadata(live: Live, desk: Desk) -> None:
    share = Share(desk)
    landed = await live.land(*share.list_security())
    mint, extensions = await live.mint(share.mint), (await live.mint(share.mint)).extensions
    assert (mint.mint_authority, mint.freeze_authority) == (share.address, share.address)
    assert (mint.supply, mint.decimals) == (0, 6)
    assert sorted(extensions.types) == [
        ExtensionType.DEFAULT_ACCOUNT_STATE,
        ExtensionType.PERMANENT_DELEGATE,
        ExtensionType.METADATA_POINTER,
        ExtensionType.TOKEN_METADATA,
        ExtensionType.SCALED_UI_AMOUNT,
        ExtensionType.PAUSABLE,
        ExtensionType.PERMISSIONED_BURN,
    ]
    assert extensions.permanent_delegate == extensions.permissioned_burn == share.address
    assert extensions.default_account_state == 1
    assert extensions.metadata_pointer == share.mint
    assert extensions.pausable is not None
    assert astuple(extensions.pausable) == (share.address, False)
    scaled = extensions.scaled_ui_amount
    assert scaled is not None
    assert scaled.authority == share.address
    assert float_bits_to_multiplier(scaled.current_bits(await live.now())) == MULTIPLIER_ONE
    metadata = extensions.metadata
    assert metadata is not None
    assert (metadata.update_authority, metadata.mint) == (share.address, share.mint)
    assert (metadata.name, metadata.symbol) == ("Example Inc.", "EXAMPLE")
    assert metadata.uri == "https://example.com/terms.json"
    assert metadata.additional == (("isin", "US0378331005"), ("issuer", LEI.decode()))
    escrow = await live.token(share.escrow)
    assert (escrow.mint, escrow.owner, escrow.amount) == (share.mint, share.address, 0)
    state = await share.state(live)
    assert (state.issuer, state.mint, state.escrow) == (desk.address, share.mint, share.escrow)
    assert (state.policy, state.status, state.multiplier) == (POLICY, SecurityStatus.ACTIVE, MULTIPLIER_ONE)
    assert (state.reserve, state.attestations, state.minted, state.burnt) == (0, 0, 0, 0)
    assert landed.events == (
        events.SecurityListed(
            issuer=desk.address,
            security=share.address,
            mint=share.mint,
            security_id=share.security_id,
            isin=b"US0378331005",
            decimals=6,
            permissioned=False,
            custody_accounts_hash=state.custody_accounts_hash,
            terms_hash=digest("terms"),
        ),
    )


async def test_a_limit_is_in_force_after_the_delay_and_not_before(live: Live, desk: Desk) -> None:
    share = Share(desk)
    await live.send(*share.list_security())
    landed = await live.land(*share.set_limit(mint_cap=5, burn_cap=6, window=DAY))
    limit = await live.read(accounts.Limit, share.limit)
    assert (limit.mint_cap, limit.burn_cap, limit.window) == (0, 0, 0)
    assert (limit.pending_mint_cap, limit.pending_burn_cap, limit.pending_window) == (5, 6, DAY)
    assert landed.events == (
        events.LimitSet(share.address, share.limit, desk.operator.pubkey(), 5, 6, DAY, limit.pending_from),
    )


async def test_an_approved_holder_is_on_chain_without_its_name(live: Live, desk: Desk) -> None:
    wallet = Keypair().pubkey()
    until = await live.now() + DAY
    landed = await live.land(*desk.approve(wallet, until, classes=0b101))
    holder = await live.read(accounts.Holder, addresses.holder_address(desk.address, wallet))
    assert (holder.wallet, holder.classes, holder.approved_until, holder.suspended_at) == (wallet, 0b101, until, 0)
    assert landed.events == (events.HolderApproved(desk.address, desk.holder(wallet), wallet, 0b101, until),)
