"""Freeze, thaw and reissue: what happens, to which accounts, and who is refused."""

from __future__ import annotations

import pytest
from controlling_desk import ControllingDesk
from desk import SHARE, movement
from solders.pubkey import Pubkey
from tallystick.errors import InputError, Refused, TransactionError
from tallystick.program.addresses import holder_address
from tallystick.program.generated.accounts import Holder
from tallystick.program.generated.types import RoleKind
from tallystick.program.token import create_associated_token_account_idempotent
from tallystick.services.chain_reads import require
from tallystick.services.holders import plan_suspend_holder
from tallystick.services.holding_reads import list_frozen
from tallystick.services.holdings import Reason, plan_freeze
from tallystick.services.holds import Scope, plan_place_hold
from tallystick.services.issuers import plan_revoke_role
from tallystick.services.movements import Part
from tallystick.services.plans import Plan, new_action
from tallystick.services.redemption import plan_cancel_redemption, plan_request_redemption


@pytest.fixture
async def held() -> ControllingDesk:
    """Alice holds ten tokens, bob five."""
    desk = ControllingDesk()
    await desk.ready()
    await desk.give("alice", 10 * SHARE, "A-1")
    await desk.give("bob", 5 * SHARE, "B-1")
    return desk


async def test_a_frozen_account_moves_nothing_until_it_is_thawed(held: ControllingDesk) -> None:
    plan = await held.plan_freeze()
    assert plan.signers[held["compliance"]] == ("compliance",)
    await held.run(plan)
    assert ((await held.holding()).state, (await held.holding()).frozen_raw) == ("frozen", 10 * SHARE)
    before = held.state(held.account("alice"), held.account("bob"))
    with pytest.raises(TransactionError):
        await held.run(held.transfer("alice", "bob", SHARE))
    assert held.state(held.account("alice"), held.account("bob")) == before
    again = await held.plan_freeze()
    assert again.is_empty
    assert "frozen already" in again.notes[0]
    await held.run(await held.plan_thaw())
    assert (await held.plan_thaw()).is_empty
    await held.run(held.transfer("alice", "bob", SHARE))
    assert held.tokens("bob") == 6 * SHARE
    await held.run(await held.plan_freeze())
    assert (await held.holding()).state == "frozen"


async def test_every_account_of_the_wallet_is_frozen_whatever_its_size(held: ControllingDesk) -> None:
    old = held.plant("alice", 2 * SHARE)
    holding = await held.holding()
    assert ([each.address for each in holding.accounts], holding.raw) == ([held.account("alice"), old], 12 * SHARE)
    await held.run(await held.plan_freeze(account=old))
    assert ((await held.holding()).state, (await held.holding()).frozen_raw) == ("partly frozen", 2 * SHARE)
    assert [each.address for each in await list_frozen(held.chain, held.security)] == [old]
    rest = await held.plan_freeze()
    assert len(rest.actions) == 1
    await held.run(rest)
    assert (await held.holding()).state == "frozen"
    assert len((await held.plan_thaw()).actions) == 2
    await held.run(await held.plan_thaw())
    assert await list_frozen(held.chain, held.security) == ()


async def test_every_account_of_a_lost_key_is_emptied(held: ControllingDesk) -> None:
    old = held.plant("alice", 2 * SHARE)
    await held.approve_as("alice-2", "alice")
    plan = await held.plan_reissue()
    assert len(plan.actions) == 2
    await held.run(plan)
    assert held.tokens("alice-2") == 12 * SHARE
    emptied = (await held.holding()).find(old)
    assert emptied is not None
    assert (emptied.raw, emptied.is_frozen) == (0, True)


async def test_a_suspended_holder_is_named_before_its_account_is_thawed(held: ControllingDesk) -> None:
    await held.approve_as("alice-2", "alice")
    await held.run(await held.plan_reissue())
    assert any("is suspended since" in note for note in (await held.plan_thaw()).notes)


async def test_only_compliance_freezes(held: ControllingDesk) -> None:
    with pytest.raises(Refused, match="is no compliance"):
        await held.plan_freeze(by="operator")
    await held.run(await held.plan_freeze())
    with pytest.raises(Refused, match="is no compliance"):
        await held.plan_thaw(by="operator")


async def test_an_escrow_is_never_frozen(held: ControllingDesk) -> None:
    with pytest.raises(Refused, match="is an account of the program"):
        await plan_freeze(
            held.chain,
            payer=held["payer"],
            security=held.security,
            compliance=held["compliance"],
            wallet=held.security,
            reason=Reason("x"),
        )


async def test_a_wallet_without_an_account_has_nothing_to_freeze_or_thaw(held: ControllingDesk) -> None:
    with pytest.raises(Refused, match="has no token account"):
        await held.plan_freeze("stranger")
    with pytest.raises(Refused, match="has no token account"):
        await held.plan_thaw("stranger")


async def test_an_account_of_another_wallet_is_refused(held: ControllingDesk) -> None:
    with pytest.raises(Refused, match="is no token account of"):
        await held.plan_freeze(account=held.account("bob"))


def test_a_reason_has_a_text_and_a_code_of_16_bits() -> None:
    with pytest.raises(InputError):
        Reason("")
    with pytest.raises(InputError):
        Reason("x", 2**16)


async def test_nothing_is_minted_or_returned_to_a_frozen_account(held: ControllingDesk) -> None:
    order = await held.subscribe("alice", SHARE, "A-2")
    await held.run(
        await plan_request_redemption(
            held.chain, payer=held["payer"], security=held.security, wallet=held["alice"], reference="R-1", raw=SHARE
        )
    )
    await held.run(await held.plan_freeze())
    with pytest.raises(Refused, match="is frozen"):
        await held.plan_settle(movement("IN A-2", SHARE), Part(order, SHARE))
    with pytest.raises(Refused, match="is frozen"):
        await plan_cancel_redemption(
            held.chain,
            payer=held["payer"],
            authority=held["operator"],
            order=held.order("alice", "R-1"),
            reason_code=1,
        )


async def create_account(desk: ControllingDesk, name: str) -> None:
    made = create_associated_token_account_idempotent(payer=desk["payer"], wallet=desk[name], mint=desk.mint)
    await desk.run(Plan("make", (new_action(f"make:{name}", "make", made, desk["payer"]),)))


async def test_a_permissioned_account_is_made_and_thawed_before_the_first_mint() -> None:
    desk = ControllingDesk()
    await desk.ready(permissioned=True)
    order = await desk.subscribe("alice", SHARE, "A-1")
    with pytest.raises(Refused, match="new ones are frozen"):
        await desk.plan_settle(movement("IN A-1", SHARE), Part(order, SHARE))
    await desk.run(await desk.plan_thaw())
    await desk.run(await desk.plan_settle(movement("IN A-1", SHARE), Part(order, SHARE)))
    assert desk.tokens("alice") == SHARE
    assert (await desk.plan_thaw()).is_empty


async def test_a_permissioned_account_of_a_wallet_that_may_not_hold_stays_frozen() -> None:
    desk = ControllingDesk()
    await desk.ready(permissioned=True)
    await create_account(desk, "stranger")
    with pytest.raises(Refused, match="is no approved holder"):
        await desk.plan_thaw("stranger")
    await desk.approve_as("stranger", "stranger", classes=2)
    with pytest.raises(Refused, match="permission classes"):
        await desk.plan_thaw("stranger")
    await desk.run(
        await plan_suspend_holder(
            desk.chain,
            payer=desk["payer"],
            issuer=desk.issuer,
            compliance=desk["compliance"],
            wallet=desk["alice"],
            evidence_hash=b"x" * 32,
        )
    )
    with pytest.raises(Refused, match="was suspended"):
        await desk.plan_thaw()
    assert (await desk.holding("stranger")).state == "frozen"


async def test_a_lost_keys_tokens_are_reissued_once_by_two_keys(held: ControllingDesk) -> None:
    await held.approve_as("alice-2", "alice")
    plan = await held.plan_reissue()
    assert plan.signers[held["compliance-2"]] == ("second compliance",)
    await held.run(plan)
    assert (held.tokens("alice"), held.tokens("alice-2")) == (0, 10 * SHARE)
    assert (await held.holding()).state == "frozen"
    assert (await held.holding("alice-2")).state == "free"
    assert (await require(held.chain, Holder, holder_address(held.issuer, held["alice"]))).suspended_at
    again = await held.plan_reissue()
    assert again.is_empty
    assert "nothing is left" in again.notes[0]


async def test_a_frozen_holding_is_reissued_too(held: ControllingDesk) -> None:
    await held.approve_as("alice-2", "alice")
    await held.run(await held.plan_freeze())
    await held.run(await held.plan_reissue())
    assert held.tokens("alice-2") == 10 * SHARE


async def test_a_permissioned_holding_is_reissued_to_an_account_that_is_made_and_thawed() -> None:
    desk = ControllingDesk()
    await desk.ready(permissioned=True)
    await desk.run(await desk.plan_thaw())
    await desk.give("alice", SHARE, "A-1")
    await desk.approve_as("alice-2", "alice")
    await desk.run(await desk.plan_reissue())
    assert desk.tokens("alice-2") == SHARE


async def test_one_compliance_key_reissues_nothing(held: ControllingDesk) -> None:
    await held.approve_as("alice-2", "alice")
    with pytest.raises(Refused, match="one was given twice"):
        await held.plan_reissue(second="compliance")
    with pytest.raises(Refused, match="is no compliance"):
        await held.plan_reissue(second="operator")
    assert held.tokens("alice") == 10 * SHARE


async def test_a_reissue_to_another_investor_is_refused(held: ControllingDesk) -> None:
    with pytest.raises(Refused, match="are not two wallets of one investor"):
        await held.plan_reissue(new="bob")
    with pytest.raises(Refused, match="are not two wallets of one investor"):
        await held.plan_reissue(new="alice")
    with pytest.raises(Refused, match="is no approved holder"):
        await held.plan_reissue(new="alice-2")
    with pytest.raises(Refused, match="has no holder record"):
        await held.plan_reissue(old="stranger", new="bob")


async def test_a_reissue_to_a_frozen_account_is_refused(held: ControllingDesk) -> None:
    await held.approve_as("alice-2", "alice")
    await create_account(held, "alice-2")
    await held.run(await held.plan_freeze("alice-2"))
    with pytest.raises(Refused, match="of the new wallet is frozen"):
        await held.plan_reissue()


async def test_nothing_is_reissued_of_an_empty_wallet(held: ControllingDesk) -> None:
    await held.approve_as("alice-2", "alice")
    await held.run(held.transfer("alice", "bob", 10 * SHARE))
    with pytest.raises(Refused, match="holds nothing"):
        await held.plan_reissue()


async def test_a_transfer_hold_stops_a_reissue(held: ControllingDesk) -> None:
    await held.approve_as("alice-2", "alice")
    await hold_transfers(held)
    with pytest.raises(Refused, match="holds on transfers"):
        await held.plan_reissue()


async def test_a_revoked_second_key_reissues_nothing(held: ControllingDesk) -> None:
    await held.approve_as("alice-2", "alice")
    await held.run(
        await plan_revoke_role(
            held.chain,
            payer=held["payer"],
            issuer=held.issuer,
            kind=RoleKind.COMPLIANCE,
            holder=held["compliance-2"],
        )
    )
    with pytest.raises(Refused, match="is no compliance"):
        await held.plan_reissue()


async def hold_transfers(desk: ControllingDesk) -> Pubkey:
    await desk.run(
        await plan_place_hold(
            desk.chain,
            payer=desk["payer"],
            security=desk.security,
            owner=desk["compliance"],
            kind=RoleKind.COMPLIANCE,
            reference="h-1",
            scope=Scope.TRANSFER,
            reason_code=1,
            reason="court",
        )
    )
    return desk.security
