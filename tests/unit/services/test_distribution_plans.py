"""A distribution is opened, approved by a second key, funded, claimed and closed; what the program would refuse is said
in words beforehand, and nothing moves."""

from __future__ import annotations

from dataclasses import replace

import pytest
from desk import DAY, key
from paying_desk import CENTS, YEAR, PayingDesk
from solders.hash import Hash
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from tallystick.adapters.chain.transactions import Version, build_transaction
from tallystick.domain.distribution_tree import DistributionTree, Entry
from tallystick.domain.dividends import PayoutBatch, PayoutLine, PayoutRecord, PayoutState
from tallystick.errors import InputError, LedgerError, Refused
from tallystick.program.generated.types import DistributionStatus, RoleKind
from tallystick.program.token import SPL_TOKEN_PROGRAM, associated_token_address
from tallystick.services.distribution_books import follow_distribution
from tallystick.services.distribution_payments import SHORT_PROOF
from tallystick.services.distribution_reads import bits_before_close, hash_of_bits
from tallystick.services.dividend_reads import distribution_progress
from tallystick.services.holders import plan_suspend_holder
from tallystick.services.plans import Plan


async def refused(desk: PayingDesk, made: object, said: str) -> Refused:
    """The plan is refused, and nothing was sent."""
    before = desk.chain.ledger.transaction_count
    with pytest.raises(Refused, match=said) as error:
        await made  # type: ignore[misc]
    assert desk.chain.ledger.transaction_count == before
    return error.value


async def test_the_whole_life_of_a_distribution() -> None:
    desk = await PayingDesk.opened()
    record = await desk.plan()
    await desk.run(await desk.plan_open(record))
    account = desk.account_of(record)
    assert (account.fields.root, account.fields.opener) == (record.root, desk["distributor"])
    await desk.run(await desk.plan_second(record))
    await desk.run(await desk.plan_fund(record))
    assert desk.account_of(record).fields.funded == record.total
    report = await desk.pushed(record)
    assert report.paid.entries == 3
    await desk.run(await desk.plan_claim(record, "stranger"))
    assert desk.money("stranger") == 100 * 204 * CENTS // 1_000
    record = await desk.closed(record)
    assert record.state is PayoutState.CLOSED
    assert await desk.payouts.paid(record.address) == (0b1111,)
    assert desk.account_of(record).fields.status is DistributionStatus.CLOSED


async def test_every_step_that_was_done_plans_nothing_again() -> None:
    desk = await PayingDesk.opened()
    record = await desk.funded()
    await desk.pushed(record)
    await desk.run(await desk.plan_claim(record, "stranger"))
    for plan in (
        await desk.plan_open(record),
        await desk.plan_second(record),
        await desk.plan_fund(record),
        await desk.plan_claim(record, "alice"),
    ):
        assert (plan.is_empty, len(plan.notes)) == (True, 1), plan.title
    await desk.closed(record)
    assert (await desk.plan_close(record)).is_empty


async def test_a_missing_refund_account_is_created_with_the_opening() -> None:
    desk = await PayingDesk.opened()
    record = await desk.plan()
    desk.close_account("treasury")
    await desk.run(await desk.plan_open(record))
    assert desk.chain.ledger.account(Pubkey.from_bytes(record.refund)) is not None


async def test_another_refund_owner_than_the_plans_is_no_input() -> None:
    desk = await PayingDesk.opened()
    with pytest.raises(InputError, match="refund account"):
        await desk.plan_open(await desk.plan(), refund="alice")


async def test_an_opening_takes_a_distributor_in_force() -> None:
    desk = await PayingDesk.opened()
    await refused(desk, desk.plan_open(await desk.plan(), by="alice"), "no distributor")


async def test_a_plan_of_another_number_is_not_opened() -> None:
    desk = await PayingDesk.opened()
    record = replace(await desk.plan(), number=1, address=bytes(key("elsewhere").pubkey()))
    await refused(desk, desk.plan_open(record), "has opened 0")


async def test_an_expiry_that_has_passed_is_not_opened() -> None:
    desk = await PayingDesk.opened()
    record = await desk.plan(expires_at=desk.now - 1)
    await refused(desk, desk.plan_open(record), "within ten years")


async def test_a_large_account_grows_in_steps_and_carries_on_where_it_stopped() -> None:
    desk = await PayingDesk.opened()
    record, batches = large(await desk.plan(), 3_000)
    await desk.payouts.add(record, batches, (), ())
    plan = await desk.plan_open(record)
    assert [action.intent.split(":")[0] for action in plan.actions] == ["open-distribution", "grow-distribution"]
    await desk.run(Plan(plan.title, plan.actions[:1]))
    await refused(desk, desk.plan_second(record), "has to grow by 2 steps")
    rest = await desk.plan_open(record)
    assert len(rest.actions) == 1
    await desk.run(rest)
    assert desk.account_of(record).is_full_grown
    await desk.run(await desk.plan_second(record))


async def test_who_opened_cannot_approve() -> None:
    desk = await PayingDesk.opened()
    record = await desk.plan()
    await desk.grant("actions-2", RoleKind.DISTRIBUTOR)
    desk.warp(2)
    await desk.run(await desk.plan_open(record, by="actions-2"))
    await refused(desk, desk.plan_second(record), "cannot approve it")
    await desk.run(await desk.plan_second(record, by="actions-1"))


async def test_an_approval_compares_what_the_approver_computed_alone() -> None:
    desk = await PayingDesk.opened()
    record = await desk.plan()
    await desk.run(await desk.plan_open(record))
    own = (await desk.compute(desk.rules(fee=10), number=0)).record
    error = await refused(desk, desk.plan_second(record, recomputed=own), "What you computed yourself has the root")
    assert "Sign nothing" in str(error.hint)
    later = replace(record, expires_at=record.expires_at + 1)
    await refused(desk, desk.plan_second(record, recomputed=later), "the expiry")
    same = (await desk.compute(number=0)).record
    assert not (await desk.plan_second(record, recomputed=same)).is_empty


async def test_a_list_that_was_changed_in_the_store_is_not_approved() -> None:
    desk = await PayingDesk.opened()
    record = await desk.plan()
    await desk.run(await desk.plan_open(record))
    [batch] = desk.payouts._batches[record.address]
    lines = (replace(batch.lines[0], amount=batch.lines[0].amount + 1), *batch.lines[1:])
    desk.payouts._batches[record.address] = [replace(batch, lines=lines)]
    with pytest.raises(LedgerError, match="come to the root"):
        await desk.plan_second(record)


async def test_a_plan_that_was_replaced_after_the_opening_is_not_approved() -> None:
    desk = await PayingDesk.opened()
    record = await desk.plan()
    await desk.run(await desk.plan_open(record))
    other = (await desk.compute(number=0, expires_at=record.expires_at + 7)).record
    await refused(desk, desk.plan_second(other), "The plan in the store has the expiry")


async def test_money_waits_for_the_approval() -> None:
    desk = await PayingDesk.opened()
    record = await desk.plan()
    await refused(desk, desk.plan_fund(record), "not opened yet")
    await desk.run(await desk.plan_open(record))
    await refused(desk, desk.plan_fund(record), "not approved")


async def test_a_funder_without_enough_is_told_how_much_is_missing() -> None:
    desk = await PayingDesk.opened()
    record = await desk.plan()
    await desk.approve_it(record)
    desk.write_account("treasury", record.total - 1)
    error = await refused(desk, desk.plan_fund(record), "are missing")
    assert "0.000001 more" in str(error.hint)
    source = associated_token_address(desk["alice"], desk.payment, SPL_TOKEN_PROGRAM)
    await refused(desk, desk.plan_fund(record, source=source), "belongs to")
    await refused(desk, desk.plan_fund(record, source=key("nowhere").pubkey()), "no account of the payment token")


async def test_a_claim_creates_a_missing_account_and_fits_a_transaction() -> None:
    desk = await PayingDesk.opened()
    record = await desk.funded()
    desk.close_account("alice")
    plan = await desk.plan_claim(record, "alice")
    assert [action.intent.split(":")[0] for action in plan.actions] == ["payment-account", "claim"]
    await desk.run(plan)
    assert desk.money("alice") >= 81_600_000


async def test_a_claim_with_the_longest_short_proof_fits_1232_bytes() -> None:
    desk = await PayingDesk.opened()
    record = await desk.funded()
    [action] = (await desk.plan_claim(record, "alice")).actions
    [instruction] = action.instructions
    more = SHORT_PROOF - 2  # four entries of one batch: two hashes
    build(action.payer, longer(instruction, more), version=0)
    with pytest.raises(InputError, match="version 0 allows 1232"):
        build(action.payer, longer(instruction, more + 1), version=0)
    build(action.payer, longer(instruction, 24 - 2), version=1)  # 57 entries of 200,000 batches


async def test_nobody_claims_for_who_has_no_payment() -> None:
    desk = await PayingDesk.opened()
    record = await desk.funded()
    await refused(desk, desk.plan_claim(record, "authority"), "has no payment")
    await refused(desk, desk.plan_claim(record, "guardian"), "has no payment")


async def test_a_suspended_holder_is_not_paid_by_a_claim() -> None:
    desk = await PayingDesk.opened()
    record = await desk.funded()
    await desk.run(
        await plan_suspend_holder(
            desk.chain,
            payer=desk["payer"],
            issuer=desk.issuer,
            compliance=desk["compliance"],
            wallet=desk["bob"],
            evidence_hash=b"e" * 32,
        )
    )
    await refused(desk, desk.plan_claim(record, "bob"), "was suspended")
    assert desk.money("bob") == 0


@pytest.mark.parametrize(("change", "said"), [({"state": 2}, "is frozen"), ({"held_by": "bob"}, "another owner")])
async def test_an_account_that_takes_nothing_is_named(change: dict[str, object], said: str) -> None:
    desk = await PayingDesk.opened()
    record = await desk.funded()
    desk.write_account("alice", **change)  # type: ignore[arg-type]
    await refused(desk, desk.plan_claim(record, "alice"), said)


async def test_a_claim_waits_for_the_money() -> None:
    desk = await PayingDesk.opened()
    record = await desk.plan()
    await desk.approve_it(record)
    error = await refused(desk, desk.plan_claim(record, "alice"), "left in escrow")
    assert "tally dividend fund" in str(error.hint)


async def test_a_close_waits_for_the_expiry_while_somebody_is_unpaid() -> None:
    desk = await PayingDesk.opened()
    record = await desk.funded()
    await desk.pushed(record)
    await refused(desk, desk.plan_close(record), "1 of 4 payments are not made")
    desk.warp(YEAR + DAY)
    before = desk.money("treasury")
    record = await desk.closed(record)
    assert desk.money("treasury") - before == 100 * 204 * CENTS // 1_000
    assert (await distribution_progress(desk.chain, desk.payouts, record)).unpaid_entries == 1


async def test_one_that_was_never_approved_is_closed_at_once_and_counts_for_nothing() -> None:
    desk = await PayingDesk.opened()
    record = await desk.plan()
    await desk.run(await desk.plan_open(record))
    record = await desk.closed(record)
    assert record.state is PayoutState.DISCARDED
    assert (await desk.plan()).number == 1


async def test_a_payment_between_the_reading_and_the_close_is_found_in_the_history() -> None:
    desk = await PayingDesk.opened()
    record = await desk.funded()
    await desk.pushed(record)
    words = desk.account_of(record).words
    await desk.payouts.keep_paid(record.address, words)
    await desk.run(await desk.plan_claim(record, "stranger"))
    await desk.run(await desk.plan_close(record))
    record, _ = await follow_distribution(desk.chain, desk.payouts, record)
    assert (await desk.payouts.paid(record.address)) == (words[0] | 0b1000 | 0b0100,)


async def test_bits_that_nobody_knows_any_more_are_not_guessed() -> None:
    desk = await PayingDesk.opened()
    record = await desk.funded()
    await desk.pushed(record)
    address = Pubkey.from_bytes(record.address)
    with pytest.raises(LedgerError, match="do not have the hash"):
        await bits_before_close(desk.chain, address, record.batches, b"h" * 32, ())
    known = desk.account_of(record).words
    assert await bits_before_close(desk.chain, address, record.batches, hash_of_bits(known), ()) == known


async def test_the_next_step_is_told_at_each_state() -> None:
    desk = await PayingDesk.opened()
    record = await desk.plan()

    async def step() -> str:
        return (await distribution_progress(desk.chain, desk.payouts, record)).next_step

    assert "dividend open" in await step()
    await desk.run(await desk.plan_open(record))
    assert "dividend approve" in await step()
    await desk.run(await desk.plan_second(record))
    assert "dividend fund" in await step()
    await desk.run(await desk.plan_fund(record))
    assert "dividend push" in await step()
    await desk.pushed(record)
    assert "dividend claim" in await step()
    await desk.run(await desk.plan_claim(record, "stranger"))
    assert "dividend close" in await step()
    await desk.closed(record)
    assert await step() == ""


async def test_an_endpoint_that_is_behind_takes_nothing_back() -> None:
    desk = await PayingDesk.opened()
    record = await desk.plan()
    await desk.run(await desk.plan_open(record))
    older = desk.chain.ledger.account(Pubkey.from_bytes(record.address))
    await desk.run(await desk.plan_second(record))
    await follow_distribution(desk.chain, desk.payouts, record)
    desk.chain.ledger.set_account(Pubkey.from_bytes(record.address), older)
    followed, seen = await follow_distribution(desk.chain, desk.payouts, record)
    assert followed.state is PayoutState.APPROVED
    assert seen.require().fields.status is DistributionStatus.OPEN


async def test_another_plan_at_the_same_address_is_not_taken_for_the_chains() -> None:
    desk = await PayingDesk.opened()
    record = await desk.plan()
    await desk.run(await desk.plan_open(record))
    other = replace(record, root=b"o" * 32)
    with pytest.raises(Refused, match="was opened with the root"):
        await distribution_progress(desk.chain, desk.payouts, other)


def large(record: PayoutRecord, batches: int) -> tuple[PayoutRecord, list[PayoutBatch]]:
    """The same distribution of one entry to a batch."""
    lines = [PayoutLine(number.to_bytes(32, "big"), number.to_bytes(32, "big"), 255, 1) for number in range(batches)]
    tree = DistributionTree(record.address, [Entry(line.address, line.bump, line.amount) for line in lines], size=1)
    made = replace(record, root=tree.root, batches=batches, entries=batches, total=batches, batch_size=1)
    return made, [PayoutBatch(number, (line,)) for number, line in enumerate(lines)]


def longer(instruction: Instruction, hashes: int) -> Instruction:
    """With so many hashes more."""
    return Instruction(instruction.program_id, instruction.data + bytes(32 * hashes), instruction.accounts)


def build(payer: Pubkey, instruction: Instruction, *, version: Version) -> None:
    """With both limits, as the sender does; InputError when it does not fit."""
    build_transaction(
        [instruction],
        payer,
        Hash.default(),
        version=version,
        compute_unit_limit=200_000,
        loaded_accounts_data_size_limit=10**6,
    )
