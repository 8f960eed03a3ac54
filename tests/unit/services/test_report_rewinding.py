"""Whatever is changed, closed, taken back or renamed after the as-of, the facts of the as-of stay what they were."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from desk import ACCOUNT, DAY, SHARE
from reporting_desk import COURT, PERIOD, ReportingDesk
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, TransferParams, create_account
from solders.system_program import transfer as pay
from tallystick.adapters.chain.ledger import Ledger
from tallystick.adapters.chain.memory import MemoryChain
from tallystick.adapters.chain.protocol import SignatureInfo
from tallystick.domain.amounts import MULTIPLIER_ONE
from tallystick.domain.reserve_report.facts import Moment, OrderOutcome, ReportFacts, Unserved
from tallystick.errors import LedgerError
from tallystick.program.addresses import order_address
from tallystick.program.generated.accounts import Security
from tallystick.program.generated.types import ActionKind, RoleKind
from tallystick.program.token import TOKEN_2022_PROGRAM, transfer_checked
from tallystick.services.holdings import plan_reissue
from tallystick.services.issuers import plan_revoke_role
from tallystick.services.plans import Plan, new_action
from tallystick.services.report_facts import gather_facts
from tallystick.services.report_figures import NOTHING
from tallystick.services.securities import CustodyAccount, plan_list_security, security_of
from tallystick.services.security_metadata import Metadata, plan_announce_metadata, plan_update_metadata
from tallystick.services.security_policy import plan_update_policy
from tallystick.services.seizures import find_seizures, plan_name_seizure_account, plan_propose_seizure, plan_seize
from tallystick.services.subscription import order_id, plan_cancel_subscription, plan_open_subscription
from tallystick.services.vetoes import plan_veto_role
from test_report_facts import ForgetfulChain

LOOSE_SIZE = 170
"""A token account with the pausable extension alone."""
FIXED_SIZE = LOOSE_SIZE + 4
"""The same with an owner that can never change."""
FIX_OWNER = b"\x16"
"""InitializeImmutableOwner."""


class AskingChain(MemoryChain):
    """Keeps whose histories are asked for."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger)
        self.asked: set[Pubkey] = set()

    async def get_signatures_for_address(self, address: Pubkey, **options: Any) -> list[SignatureInfo]:
        self.asked.add(address)
        return await super().get_signatures_for_address(address, **options)


@pytest.fixture
async def desk() -> ReportingDesk:
    """Alice has 300 tokens, bob 200, and a second has passed."""
    desk = ReportingDesk()
    await desk.begin()
    await desk.give("alice", 300 * SHARE, "s-1")
    await desk.give("bob", 200 * SHARE, "s-2")
    desk.warp(1)
    return desk


async def stays(desk: ReportingDesk, *steps: Callable[[], Awaitable[object]]) -> ReportFacts:
    """The facts of now, which are the same after the steps, and whose register is the close's."""
    close, moment = await desk.close()
    then = await desk.gather(moment)
    for step in steps:
        await step()
    later = await desk.gather(moment)
    assert later.unserved == frozenset()
    for ours, theirs in zip(later.securities, then.securities, strict=True):
        assert ours == theirs
    assert later == then
    [closed], [found] = close.securities, later.securities
    assert found.register is not None
    assert found.register.root == closed.register_root
    return later


async def send(desk: ReportingDesk, name: str, *instructions: Instruction, also: str = "payer") -> None:
    """One transaction, signed by its payer, `name` and `also`."""
    signatories = ((desk[name], "signer"), (desk[also], "signer"))
    action = new_action(f"{name}:{desk.moment.slot}", "send", instructions, desk["payer"], *signatories)
    await desk.run(Plan("send", (action,)))


async def make_loose(desk: ReportingDesk, owner: str, *, is_fixed: bool = False) -> Pubkey:
    """A token account of somebody that is not its associated one; its owner can never change when it is fixed."""
    address, size = desk["pauper"], FIXED_SIZE if is_fixed else LOOSE_SIZE
    rent = desk.chain.ledger.minimum_balance(size)
    make = create_account(
        CreateAccountParams(
            from_pubkey=desk["payer"],
            to_pubkey=address,
            lamports=rent,
            space=size,
            owner=TOKEN_2022_PROGRAM,
        )
    )
    accounts = [AccountMeta(address, False, True), AccountMeta(desk.mint, False, False)]
    initialize = Instruction(TOKEN_2022_PROGRAM, b"\x12" + bytes(desk[owner]), accounts)
    fix = Instruction(TOKEN_2022_PROGRAM, FIX_OWNER, accounts[:1])
    await send(desk, "pauper", make, *((fix,) if is_fixed else ()), initialize)
    return address


def give_away(account: Pubkey, owner: Pubkey, new_owner: Pubkey) -> Instruction:
    """SetAuthority of a token account's owner, which names no mint."""
    accounts = [AccountMeta(account, False, True), AccountMeta(owner, True, False)]
    return Instruction(TOKEN_2022_PROGRAM, b"\x06\x02\x01" + bytes(new_owner), accounts)


def transfer(desk: ReportingDesk, source: Pubkey, destination: Pubkey, owner: str, raw: int) -> Instruction:
    return transfer_checked(
        source=source, mint=desk.mint, destination=destination, authority=desk[owner], amount=raw, decimals=6
    )


async def test_an_account_that_was_given_away_since(desk: ReportingDesk) -> None:
    loose = await make_loose(desk, "alice")
    await send(desk, "alice", transfer(desk, desk.tokens_of("alice"), loose, "alice", 50 * SHARE))
    facts = await stays(desk, lambda: send(desk, "alice", give_away(loose, desk["alice"], desk["heir"])))
    register = facts.securities[0].register
    assert register is not None
    assert register.find(bytes(desk["heir"])) is None
    assert register.find(bytes(desk["alice"])).raw == 300 * SHARE  # type: ignore[union-attr]


async def test_an_account_that_was_given_away_emptied_and_closed_since(desk: ReportingDesk) -> None:
    loose = await make_loose(desk, "alice")
    await send(desk, "alice", transfer(desk, desk.tokens_of("alice"), loose, "alice", 50 * SHARE))
    accounts = [AccountMeta(loose, False, True), AccountMeta(desk["payer"], False, True)]
    close = Instruction(TOKEN_2022_PROGRAM, b"\x09", [*accounts, AccountMeta(desk["heir"], True, False)])
    await stays(
        desk,
        lambda: send(desk, "alice", give_away(loose, desk["alice"], desk["heir"])),
        lambda: send(desk, "heir", transfer(desk, loose, desk.tokens_of("bob"), "heir", 50 * SHARE)),
        lambda: send(desk, "heir", close),
    )
    assert desk.chain.ledger.account(loose) is None


@pytest.mark.parametrize("is_fixed", [True, False])
async def test_only_an_account_whose_owner_could_have_changed_has_its_history_read(
    desk: ReportingDesk, is_fixed: bool
) -> None:
    loose = await make_loose(desk, "stranger", is_fixed=is_fixed)
    await send(desk, "alice", transfer(desk, desk.tokens_of("alice"), loose, "alice", 50 * SHARE))
    _, moment = await desk.close()
    asking = AskingChain(desk.chain.ledger)
    facts = await desk.gather(moment, chain=asking)
    register = facts.securities[0].register
    assert register is not None
    assert register.find(bytes(desk["stranger"])).raw == 50 * SHARE  # type: ignore[union-attr]
    assert (loose in asking.asked) is not is_fixed
    assert desk.tokens_of("alice") not in asking.asked


async def test_an_account_that_was_given_away_and_closed_since_and_whose_address_has_another_one_that_cannot_be(
    desk: ReportingDesk,
) -> None:
    loose = await make_loose(desk, "alice")
    await send(desk, "alice", transfer(desk, desk.tokens_of("alice"), loose, "alice", 50 * SHARE))
    accounts = [AccountMeta(loose, False, True), AccountMeta(desk["payer"], False, True)]
    close = Instruction(TOKEN_2022_PROGRAM, b"\x09", [*accounts, AccountMeta(desk["heir"], True, False)])

    async def make_again() -> None:
        await make_loose(desk, "bob", is_fixed=True)
        await send(desk, "bob", transfer(desk, desk.tokens_of("bob"), loose, "bob", 1))

    await stays(
        desk,
        lambda: send(desk, "alice", give_away(loose, desk["alice"], desk["heir"])),
        lambda: send(desk, "heir", transfer(desk, loose, desk.tokens_of("bob"), "heir", 50 * SHARE)),
        lambda: send(desk, "heir", close),
        make_again,
    )


class WithoutAddress(ForgetfulChain):
    """A node that does not list the transactions of one address."""

    address: Pubkey

    async def get_signatures_for_address(self, address: Pubkey, **arguments: Any) -> list[SignatureInfo]:
        return [] if address == self.address else await super().get_signatures_for_address(address, **arguments)


async def loose_and_forgotten(desk: ReportingDesk) -> tuple[Pubkey, Moment, int]:
    """Alice's own account with 50 shares, the moment of a close long after, and the slot from which on a node still has
    something of the mint before that moment, and nothing of the account."""
    loose = await make_loose(desk, "alice")
    await send(desk, "alice", transfer(desk, desk.tokens_of("alice"), loose, "alice", 50 * SHARE))
    desk.warp(DAY)
    await desk.move("bob", "heir", SHARE)
    desk.warp(1)
    _, moment = await desk.close()
    return loose, moment, max(each.slot for each in desk.chain.ledger.history(desk.mint) if each.slot <= moment.slot)


async def test_an_old_account_that_is_nobodys_associated_one_does_not_keep_the_register_back(
    desk: ReportingDesk,
) -> None:
    """Anybody can make one, and leave dust in it."""
    loose, moment, since = await loose_and_forgotten(desk)
    whole = await desk.gather(moment)
    await send(desk, "alice", give_away(loose, desk["alice"], desk["heir"]))
    facts = await desk.gather(moment, chain=ForgetfulChain(desk.chain.ledger, since=since))
    assert facts.securities[0].register == whole.securities[0].register is not None
    assert Unserved.REGISTERS not in facts.unserved


async def test_an_account_whose_own_transactions_a_node_hides_keeps_the_register_back(desk: ReportingDesk) -> None:
    loose, moment, since = await loose_and_forgotten(desk)
    await send(desk, "alice", transfer(desk, loose, desk.tokens_of("bob"), "alice", SHARE))
    chain = WithoutAddress(desk.chain.ledger, since=since)
    chain.address = loose
    facts = await desk.gather(moment, chain=chain)
    assert (facts.securities[0].register, Unserved.REGISTERS in facts.unserved) == (None, True)


async def test_an_account_made_since_is_in_no_register_of_before(desk: ReportingDesk) -> None:
    facts = await stays(desk, lambda: desk.move("alice", "stranger", 50 * SHARE), lambda: make_loose(desk, "bob"))
    register = facts.securities[0].register
    assert register is not None
    assert {entry.owner for entry in register.entries} == {bytes(desk["alice"]), bytes(desk["bob"])}


async def test_a_seizure_and_a_reissue_since_leave_holders_and_freezes_as_they_were(desk: ReportingDesk) -> None:
    await desk.run(
        await plan_name_seizure_account(
            desk.chain, payer=desk["payer"], security=desk.security, wallet=desk["treasury"]
        )
    )
    desk.warp(2)
    await desk.freeze("alice")
    await desk.run(
        await plan_propose_seizure(
            desk.chain,
            payer=desk["payer"],
            security=desk.security,
            compliance=desk["compliance"],
            wallet=desk["alice"],
            reference="CASE-7",
            reason=COURT,
            raw=100 * SHARE,
        )
    )

    async def seize() -> None:
        [(seizure, _)] = await find_seizures(desk.chain, desk.security)
        plan = await plan_seize(desk.chain, payer=desk["payer"], compliance=desk["compliance-2"], seizure=seizure)
        await desk.run(plan)

    async def reissue() -> None:
        await desk.approve_as("bob-2", "bob")
        plan = await plan_reissue(
            desk.chain,
            payer=desk["payer"],
            security=desk.security,
            compliance=desk["compliance"],
            second=desk["compliance-2"],
            old_wallet=desk["bob"],
            new_wallet=desk["bob-2"],
            evidence_hash=b"v" * 32,
        )
        await desk.run(plan)

    facts = await stays(desk, seize, reissue)
    [security] = facts.securities
    assert [(each.status, each.executed_at) for each in security.seizures] == [("proposed", 0)]
    assert security.register is not None
    assert {each.owner: each.frozen_raw for each in security.register.entries} == {
        bytes(desk["alice"]): 300 * SHARE,
        bytes(desk["bob"]): 0,
    }
    [executed] = (await desk.gather(desk.moment)).securities[0].seizures
    assert executed.status == "executed"


async def test_names_and_custody_accounts_that_changed_since(desk: ReportingDesk) -> None:
    metadata = Metadata("Another Inc.", "ANTHR", "https://example.com/other.json", "US5949181045", b"u" * 32)
    accounts = (ACCOUNT, CustodyAccount(ACCOUNT.custodian_lei, "SAFE 2"))

    async def rename() -> None:
        await desk.run(
            await plan_announce_metadata(desk.chain, payer=desk["payer"], security=desk.security, metadata=metadata)
        )
        desk.warp(DAY + 1)
        await desk.run(await plan_update_metadata(desk.chain, payer=desk["payer"], security=desk.security))

    async def declare() -> None:
        plan = await plan_update_policy(
            desk.chain, payer=desk["payer"], security=desk.security, changes={}, custody_accounts=accounts
        )
        await desk.run(plan)
        desk.warp(2)

    facts = await stays(desk, rename, declare)
    assert [(each.isin, each.ticker, each.name) for each in facts.securities] == [
        ("US0378331005", "EXMPL", "Example Inc.")
    ]
    after = desk.moment
    renamed = await stays(desk, declare_back(desk), rename_back(desk))
    assert [(each.isin, each.ticker, each.name) for each in renamed.securities] == [
        ("US5949181045", "ANTHR", "Another Inc.")
    ]
    assert renamed.securities[0].custody_accounts_hash != facts.securities[0].custody_accounts_hash
    assert renamed.as_of.slot >= after.slot


def declare_back(desk: ReportingDesk) -> Callable[[], Awaitable[None]]:
    async def declare() -> None:
        plan = await plan_update_policy(
            desk.chain, payer=desk["payer"], security=desk.security, changes={"margin": 5}, custody_accounts=(ACCOUNT,)
        )
        await desk.run(plan)

    return declare


def rename_back(desk: ReportingDesk) -> Callable[[], Awaitable[None]]:
    async def rename() -> None:
        metadata = Metadata("Example Inc.", "EXMPL", "https://example.com/terms.json", "US0378331005", b"t" * 32)
        await desk.run(
            await plan_announce_metadata(desk.chain, payer=desk["payer"], security=desk.security, metadata=metadata)
        )
        desk.warp(DAY + 1)
        await desk.run(await plan_update_metadata(desk.chain, payer=desk["payer"], security=desk.security))

    return rename


async def test_a_guardians_removal_that_was_vetoed_since(desk: ReportingDesk) -> None:
    await desk.run(
        await plan_revoke_role(
            desk.chain, payer=desk["payer"], issuer=desk.issuer, kind=RoleKind.GUARDIAN, holder=desk["guardian"]
        )
    )

    async def veto() -> None:
        plan = await plan_veto_role(
            desk.chain,
            payer=desk["payer"],
            issuer=desk.issuer,
            guardian=desk["guardian"],
            kind=RoleKind.GUARDIAN,
            holder=desk["guardian"],
            compliance=desk["compliance"],
        )
        await desk.run(plan)

    facts = await stays(desk, veto)
    [guardian] = [each for each in facts.roles if each.kind == "guardian"]
    assert guardian.ends_at == desk.now + 1
    [kept] = [each for each in (await desk.gather(desk.moment)).roles if each.kind == "guardian"]
    assert kept.ends_at == 0


async def test_a_role_that_was_ended_and_is_granted_anew_since(desk: ReportingDesk) -> None:
    await desk.run(
        await plan_revoke_role(
            desk.chain, payer=desk["payer"], issuer=desk.issuer, kind=RoleKind.ATTESTOR, holder=desk["attestor-3"]
        )
    )
    ended = desk.now
    desk.warp(5)
    facts = await stays(desk, lambda: desk.grant("attestor-3", RoleKind.ATTESTOR))
    [role] = [each for each in facts.roles if each.holder == bytes(desk["attestor-3"])]
    assert (role.ends_at, role.grants) == (ended, 1)


async def test_a_split_that_was_taken_back_since(desk: ReportingDesk) -> None:
    await desk.executed(desk.split(after=2 * DAY), ActionKind.FORWARD_SPLIT, event="CA-SPLIT")
    desk.warp(1)

    async def cancel() -> None:
        await desk.run(await desk.plan_cancel(desk.at("CA-SPLIT")))

    async def announce_again() -> None:
        terms = desk.split(new=5, after=3 * DAY)
        plan = await desk.plan_announce(terms, ActionKind.FORWARD_SPLIT, event="CA-SPLIT", corrects=True)
        await desk.run(plan)

    facts = await stays(desk, cancel, announce_again)
    [security] = facts.securities
    assert (security.as_of.multiplier, security.as_of.pending_multiplier) == (MULTIPLIER_ONE, 4 * MULTIPLIER_ONE)
    assert [(each.status, each.multiplier_after) for each in security.actions] == [("executed", 4 * MULTIPLIER_ONE)]
    after = (await desk.gather(desk.moment)).securities[0]
    assert after.as_of.pending_multiplier == 0
    assert [(each.status, each.version) for each in after.actions] == [("replaced", 1), ("announced", 2)]


async def test_a_split_that_was_executed_and_taken_back_since(desk: ReportingDesk) -> None:
    await desk.approved(desk.split(after=2 * DAY), ActionKind.FORWARD_SPLIT, event="CA-SPLIT")

    async def execute_and_cancel() -> None:
        await desk.run(await desk.plan_execute(desk.at("CA-SPLIT")))
        await desk.run(await desk.plan_cancel(desk.at("CA-SPLIT")))

    facts = await stays(desk, execute_and_cancel)
    [security] = facts.securities
    assert security.as_of.pending_multiplier == 0
    assert [(each.status, each.multiplier_after) for each in security.actions] == [("approved", 0)]


async def test_splits_in_force_at_each_moment(desk: ReportingDesk) -> None:
    moments = [desk.moment]
    for number, ratio in enumerate((4, 3)):
        terms = desk.split(new=ratio, after=DAY)
        await desk.executed(terms, ActionKind.FORWARD_SPLIT, event=f"CA-{number}")
        desk.warp(1)
        moments.append(desk.moment)
        desk.warp(DAY)
        moments.append(desk.moment)
    facts = await desk.gather(*moments)
    found = [
        (each.multiplier // MULTIPLIER_ONE, each.pending_multiplier // MULTIPLIER_ONE)
        for each in facts.securities[0].days
    ]
    assert found == [(1, 0), (1, 4), (4, 0), (4, 12), (12, 0)]


async def test_a_subscription_ends_with_its_deadline_whenever_it_is_cancelled(desk: ReportingDesk) -> None:
    order = await desk.subscribe("bob", 9 * SHARE, "s-late")
    deadline = desk.now + DAY
    desk.warp(DAY + 5)

    async def cancel() -> None:
        await desk.run(
            await plan_cancel_subscription(
                desk.chain, payer=desk["payer"], authority=desk["operator"], order=order, reason_code=4
            )
        )

    facts = await stays(desk, cancel)
    [late] = [each for each in facts.securities[0].orders if each.address == bytes(order)]
    assert (late.outcome, late.ended_at, late.reason_code) == (OrderOutcome.CANCELLED, deadline, 0)


async def test_a_distribution_that_is_closed_by_the_as_of_says_what_came_back(desk: ReportingDesk) -> None:
    await desk.approved()
    await desk.registers.add(desk.register())
    await desk.confirmations.add(desk.confirmation())
    record = await desk.funded()
    await desk.pushed(record)
    await desk.run(await desk.plan_claim(record, "stranger"))
    desk.warp(1)
    await desk.closed(record)
    facts = await stays(desk)
    [paid] = facts.securities[0].distributions
    assert (paid.status, paid.paid_entries, paid.refunded) == ("closed", paid.entries, record.total - paid.paid)
    assert paid.closed_at == desk.now


async def test_a_security_listed_behind_the_as_of_is_not_in_the_report() -> None:
    desk = ReportingDesk()
    await desk.initialize()
    await desk.grant_all()
    moment = desk.moment
    await desk.list()
    facts = await desk.gather(moment)
    assert (facts.securities, facts.unserved) == ((), frozenset())
    [listed] = (await desk.gather(desk.moment)).securities
    assert listed.as_of == listed.opening == NOTHING
    assert listed.register is not None
    assert listed.register.entries == ()


async def test_a_security_whose_address_somebody_named_before_it_was_listed_is_not_in_the_report() -> None:
    """Anybody can: the address follows from issuer and id, and a report of before must not change with it."""
    desk = ReportingDesk()
    await desk.initialize()
    await desk.grant_all()
    gift = pay(TransferParams(from_pubkey=desk["payer"], to_pubkey=desk.security, lamports=1_000_000))
    await desk.run(Plan("gift", (new_action("gift", "gift", gift, desk["payer"]),)))
    opening = desk.moment
    desk.warp(DAY)
    moment = desk.moment
    await desk.list()
    facts = await gather_facts(desk.chain, desk.issuer, PERIOD, moment, (moment,), desk.clock, opening=opening)
    assert (facts.securities, facts.unserved) == ((), frozenset())


async def test_each_security_has_its_own_figures_and_comes_by_isin(desk: ReportingDesk) -> None:
    spec = replace(desk.spec(), security_id="EXAMPLE-B", isin="US0231351067", ticker="OTHER")
    await desk.run(await plan_list_security(desk.chain, payer=desk["payer"], issuer=desk.issuer, spec=spec))
    other = security_of(desk.issuer, "EXAMPLE-B")
    order = order_id("s-other")
    await desk.run(
        await plan_open_subscription(
            desk.chain,
            payer=desk["payer"],
            authority=desk["operator"],
            security=other.security,
            wallet=desk["alice"],
            reference="s-other",
            shares=SHARE,
            settle_by=desk.now + DAY,
        )
    )
    first, second = (await desk.gather(desk.moment)).securities
    assert (first.isin, first.ticker, second.isin) == ("US0231351067", "OTHER", "US0378331005")
    assert [each.address for each in first.orders] == [bytes(order_address(other.security, desk["alice"], order))]
    assert (first.as_of.supply, second.as_of.supply) == (0, 500 * SHARE)
    assert first.register is not None
    assert first.register.entries == ()
    assert second.register is not None
    assert second.register.total == 500 * SHARE


async def test_a_month_later_the_opening_is_what_the_month_began_with(desk: ReportingDesk) -> None:
    before = (await desk.gather(desk.moment)).securities[0].as_of
    desk.warp(20 * DAY)
    await desk.attest(900 * SHARE)
    await desk.give("alice", 7 * SHARE, "s-3")
    facts = await desk.gather(desk.moment, period=PERIOD + 1)
    [security] = facts.securities
    assert security.opening == before
    assert (len(security.fills), security.as_of.supply) == (1, before.supply + 7 * SHARE)
    assert [each.shares for each in security.attestations] == [1_000 * SHARE, 900 * SHARE]


async def test_accounts_that_contradict_the_security_are_refused(desk: ReportingDesk) -> None:
    ledger = desk.chain.ledger
    account = ledger.account(desk.security)
    assert account is not None
    changed = replace(Security.decode(account.data), redeemed=1)
    ledger.set_account(desk.security, replace(account, data=changed.encode()))
    with pytest.raises(LedgerError, match="redeemed 0, the security itself says 1"):
        await desk.gather(desk.moment)
