"""A dividend is planned from a register and confirmed cash alone, adds up, and is the same on every machine."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from acting_desk import EVENT
from desk import SHARE, key
from paying_desk import CENTS, PayingDesk
from solders.pubkey import Pubkey
from tallystick.adapters.store.confirmations import MemoryConfirmationStore
from tallystick.adapters.store.payouts import MemoryPayoutStore
from tallystick.adapters.store.registers import MemoryRegisterStore
from tallystick.domain.amounts import Quantity, parse_quantity
from tallystick.domain.confirmations import ConfirmationFunction
from tallystick.domain.dividends import HolderClass, PayoutState
from tallystick.domain.identifiers import event_hash
from tallystick.errors import ConfigurationError, InputError, Refused
from tallystick.program.token import ASSOCIATED_TOKEN_PROGRAM, SPL_TOKEN_PROGRAM
from tallystick.services.dividend_plan import payment_account, plan_dividend, record_day
from tallystick.services.payment_mints import PaymentMint
from tallystick.services.payout_lines import plan_document


async def test_what_was_confirmed_is_accounted_for_to_the_last_base_unit() -> None:
    desk = await PayingDesk.opened()
    plan = await desk.compute()
    totals = plan.entitlements.totals
    assert totals.net == 204 * CENTS
    used = totals.entitled + totals.withheld + totals.fee + totals.carried_forward
    assert used + totals.inventory + totals.surplus + totals.residue == totals.net
    assert totals.inventory == 50 * 204 * CENTS // 1_000
    assert plan.record.total == totals.amount == sum(line.amount for line in plan.lines)


async def test_each_owner_gets_its_shares_of_the_net_less_its_own_withholding() -> None:
    desk = await PayingDesk.opened()
    paid = {line.owner: line.amount for line in (await desk.compute()).lines}
    assert paid[bytes(desk["alice"])] in (81_600_000, 81_600_001)  # 400 of 1,000 shares, and at most one unit more
    # 300.500001 shares: 0.204 a share upstream of the treaty's 5% of the gross 0.24.
    assert paid[bytes(desk["bob"])] in (57_696_000, 57_696_001)
    assert bytes(desk["authority"]) not in paid
    assert bytes(desk["pauper"]) not in paid


async def test_the_same_sources_make_the_same_bytes_on_another_machine() -> None:
    desk = await PayingDesk.opened()
    first = await desk.plan()
    register = await desk.registers.find(bytes(desk.security), event_hash(EVENT))
    assert register is not None
    desk.warp(1_000)
    other, known = desk, desk.confirmations
    other.registers, other.confirmations = MemoryRegisterStore(), MemoryConfirmationStore()
    other.payouts = MemoryPayoutStore()
    await other.registers.add(register)
    for each in await known.list("US0378331005", EVENT):
        await other.confirmations.add(replace(each, received_at=each.received_at + 77))
    second = await other.plan()
    assert (second.root, second.document) == (first.root, first.document)


async def test_planning_again_keeps_the_first_record() -> None:
    desk = await PayingDesk.opened()
    first = await desk.plan()
    desk.warp(100)
    assert await desk.plan() == first


async def test_the_document_names_sources_totals_and_classes() -> None:
    desk = await PayingDesk.opened()
    record = await desk.plan()
    found: dict[str, Any] = json.loads(record.document)
    assert found["cash"]["standing"][0]["sha256"] == (b"c" * 32).hex()
    [(_, _, hashed)] = await desk.registers.hashes(bytes(desk.security))
    assert (found["register"]["hash"], found["register"]["owners"]) == (hashed.hex(), 6)
    assert found["withholding"]["classes"]["treaty"] == {
        "rate_bp": 500,
        "from": "2020-01-01",
        "reason": "article 10",
    }
    assert found["counts"]["pushed"] == 2
    assert {name: each["payments"] for name, each in found["counts"]["classes"].items()} == {
        "wallet": 2,
        "program": 1,
        "frozen": 1,
        "inventory": 0,
    }
    assert found["tree"]["root"] == record.root.hex()


async def test_lines_that_are_pushed_come_first_and_each_part_is_in_the_owners_order() -> None:
    desk = await PayingDesk.opened()
    lines = (await desk.compute()).lines
    kinds = [line.holder_class is HolderClass.WALLET for line in lines]
    assert kinds == sorted(kinds, reverse=True)
    for part in (lines[:2], lines[2:]):
        assert [line.owner for line in part] == sorted(line.owner for line in part)


async def test_what_is_below_the_minimum_is_carried_forward_and_counts_once_approved() -> None:
    desk = await PayingDesk.opened()
    rules = desk.rules(minimum=parse_quantity("25"))
    record = await desk.plan(rules)
    mint = bytes(desk.payment)
    assert await desk.payouts.carried(record.security, mint) == {}
    await desk.approve_it(record)
    carried = await desk.payouts.carried(record.security, mint)
    assert carried[bytes(desk["heir"])] == 99 * 204 * CENTS // 1_000


async def _second_event(desk: PayingDesk) -> Pubkey:
    """CA-2, of the same terms, with its register and confirmation."""
    action = await desk.approved(desk.terms(), event="CA-2")
    await desk.registers.add(replace(desk.register(), event_hash=event_hash("CA-2")))
    await desk.confirmations.add(desk.confirmation(event_id="CA-2", reference="CONF-2"))
    return action


async def test_what_is_carried_counts_by_the_chain_though_the_store_has_not_heard_of_the_approval() -> None:
    desk = await PayingDesk.opened()
    record = await desk.plan(desk.rules(minimum=parse_quantity("25")))
    await desk.run(await desk.plan_open(record))
    await desk.run(await desk.plan_second(record))  # by somebody else: nothing of it is written down here
    second = await desk.compute(action=await _second_event(desk), event_id="CA-2")
    carried = 99 * 204 * CENTS // 1_000
    paid = {line.owner: line.amount for line in second.lines}
    assert paid[bytes(desk["heir"])] in (2 * carried, 2 * carried + 1)


async def test_a_correction_does_not_pay_again_what_the_next_dividend_paid_of_it() -> None:
    desk = await PayingDesk.opened()
    record = await desk.plan(desk.rules(minimum=parse_quantity("25")))
    await desk.approve_it(record)
    action = await _second_event(desk)
    second = await desk.plan(action=action, event_id="CA-2")
    await desk.approve_it(second)  # pays what the heir carried
    with pytest.raises(Refused, match="paid before"):
        await desk.compute(corrects=True)


async def test_an_older_copy_of_the_store_plans_no_next_dividend() -> None:
    desk = await PayingDesk.opened()
    record = await desk.plan(desk.rules(minimum=parse_quantity("25")))
    await desk.approve_it(record)
    action = await _second_event(desk)
    desk.payouts = MemoryPayoutStore()
    with pytest.raises(Refused, match="does not know what it carries forward"):
        await desk.compute(action=action, event_id="CA-2")


async def test_a_correction_in_another_token_is_refused() -> None:
    desk = await PayingDesk.opened()
    await desk.funded()
    desk.payment = key("euros").pubkey()
    desk.write_mint()
    with pytest.raises(Refused, match="base units of two tokens are not the same"):
        await desk.compute(corrects=True)


async def test_without_a_register_the_hint_says_how_to_take_one() -> None:
    desk = await PayingDesk.opened()
    desk.registers = MemoryRegisterStore()
    with pytest.raises(Refused, match="No register") as refused:
        await desk.plan()
    assert "tally dividend record" in str(refused.value.hint)
    assert await desk.payouts.list() == ()


async def test_cash_that_nobody_confirmed_is_not_planned() -> None:
    desk = await PayingDesk.opened()
    desk.confirmations = MemoryConfirmationStore()
    with pytest.raises(Refused, match="confirmed no cash"):
        await desk.plan()
    assert await desk.payouts.list() == ()


async def test_a_reversed_confirmation_leaves_nothing_to_plan() -> None:
    desk = await PayingDesk.opened()
    await desk.confirmations.add(
        desk.confirmation(
            reference="REV-1", function=ConfirmationFunction.REVERSAL, reverses="CONF-1", source_hash=b"d" * 32
        )
    )
    with pytest.raises(Refused, match="reversed"):
        await desk.plan()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"gross": Quantity(250), "net": Quantity(214)}, "is not the announced"),
        ({"event_code": "CAPG"}, "CAPG"),
        ({"record_date": "2020-01-31"}, "2020-01-31"),
    ],
)
async def test_a_difference_from_the_announcement_needs_a_reason(change: dict[str, object], said: str) -> None:
    desk = await PayingDesk.opened()
    desk.confirmations = MemoryConfirmationStore()
    await desk.confirmations.add(desk.confirmation(**change))
    with pytest.raises(Refused, match=said) as refused:
        await desk.plan()
    assert "--accept-difference" in str(refused.value.hint)
    record = await desk.plan(accepted="the custodian's mail of 3 May")
    found = plan_document(record)["differences"]
    assert (len(found["found"]), found["accepted"]) == (1, "the custodian's mail of 3 May")


async def test_another_currency_is_never_accepted() -> None:
    desk = await PayingDesk.opened()
    desk.confirmations = MemoryConfirmationStore()
    await desk.confirmations.add(desk.confirmation(currency="EUR"))
    with pytest.raises(Refused, match="USD was announced"):
        await desk.plan(desk.rules(payment_mints={"EUR": desk.payment}), accepted="any reason")


async def test_a_currency_without_a_token_is_a_matter_of_the_profile() -> None:
    desk = await PayingDesk.opened()
    with pytest.raises(ConfigurationError, match="no payment token for USD"):
        await desk.plan(desk.rules(payment_mints={}))


async def test_more_shares_than_the_custodian_paid_on_are_refused() -> None:
    desk = await PayingDesk.opened()
    desk.registers = MemoryRegisterStore()
    await desk.registers.add(desk.register(alice=900 * SHARE))
    with pytest.raises(Refused, match="more shares"):
        await desk.plan()


async def test_a_confirmation_of_an_account_that_is_not_declared_is_refused() -> None:
    desk = await PayingDesk.opened()
    with pytest.raises(Refused, match="not of this security"):
        await desk.plan(accounts=())


async def test_cash_that_is_posted_on_a_day_to_come_is_not_planned() -> None:
    desk = await PayingDesk.opened()
    desk.confirmations = MemoryConfirmationStore()
    await desk.confirmations.add(desk.confirmation(posted="2099-01-01"))
    with pytest.raises(Refused, match="that day has not come"):
        await desk.plan()
    assert await desk.payouts.list() == ()


async def test_a_register_of_another_record_date_is_refused() -> None:
    desk = await PayingDesk.opened()
    desk.registers = MemoryRegisterStore()
    await desk.registers.add(replace(desk.register(), record_at=1))
    with pytest.raises(Refused, match="The register is of"):
        await desk.plan()


async def test_another_event_than_the_actions_is_no_input() -> None:
    desk = await PayingDesk.opened()
    with pytest.raises(InputError, match="is not the one of the action"):
        await desk.plan(event_id="CA-99")


async def test_a_security_is_no_payment_token() -> None:
    desk = await PayingDesk.opened()
    with pytest.raises(Refused, match="is a security"):
        await desk.plan(desk.rules(payment_mints={"USD": desk.mint}))


async def test_what_is_no_mint_is_no_payment_token() -> None:
    desk = await PayingDesk.opened()
    with pytest.raises(Refused, match="no mint"):
        await desk.plan(desk.rules(payment_mints={"USD": key("nobody").pubkey()}))


async def test_a_second_distribution_has_to_be_called_a_correction() -> None:
    desk = await PayingDesk.opened()
    await desk.funded()
    with pytest.raises(Refused, match="was approved") as refused:
        await desk.plan()
    assert "--correct" in str(refused.value.hint)
    with pytest.raises(Refused, match="below the minimum, paid before"):
        await desk.plan(corrects=True)


async def test_there_is_nothing_to_correct_before_the_first() -> None:
    desk = await PayingDesk.opened()
    with pytest.raises(Refused, match="nothing to correct"):
        await desk.plan(corrects=True)


async def test_one_that_is_opened_and_undecided_stands_in_the_way() -> None:
    desk = await PayingDesk.opened()
    await desk.run(await desk.plan_open(await desk.plan()))
    with pytest.raises(Refused, match="not approved"):
        await desk.plan()


async def test_one_that_nobody_approved_is_in_nobodys_way_though_its_plan_is_gone() -> None:
    desk = await PayingDesk.opened()
    record = await desk.plan()
    await desk.plan(desk.rules(fee=1))  # replaces it while the opening is on its way
    await desk.run(await desk.plan_open(record))
    await desk.run(await desk.plan_close(record))
    assert (await desk.compute()).record.number == 1


async def test_a_correction_pays_only_what_a_closed_distribution_did_not() -> None:
    desk = await PayingDesk.opened()
    first = await desk.funded()
    await desk.pushed(first)
    desk.warp(366 * 24 * 3600)
    closed = await desk.closed(first)
    assert closed.state is PayoutState.CLOSED
    again = await desk.compute(corrects=True, expires_at=desk.now + 1_000)
    owed = {line.owner for line in again.lines}
    assert owed == {bytes(desk["stranger"])}  # the frozen one was pushed: its tokens are not frozen any more
    assert again.record.number == 1


async def test_a_store_that_lost_a_distribution_gets_it_again_from_the_same_sources() -> None:
    desk = await PayingDesk.opened()
    record = await desk.funded()
    desk.payouts = MemoryPayoutStore()
    stores = (desk.registers, desk.confirmations, desk.payouts)
    with pytest.raises(Refused, match="What you computed yourself"):
        await plan_dividend(desk.chain, *stores, desk.rules(fee=1), desk.request(), number=0)
    assert await desk.payouts.list() == ()
    plan = await plan_dividend(desk.chain, *stores, desk.rules(), desk.request(), number=0)
    assert replace(plan.record, created_at=record.created_at) == record
    assert (await desk.pushed(plan.record)).paid.entries == 3


def test_payment_accounts_are_the_associated_ones() -> None:
    mint, owner = key("dollars").pubkey(), key("alice").pubkey()
    address, bump = payment_account(PaymentMint(mint, SPL_TOKEN_PROGRAM, 6))(bytes(owner))
    seeds = [bytes(owner), bytes(SPL_TOKEN_PROGRAM), bytes(mint)]
    assert (Pubkey.from_bytes(address), bump) == Pubkey.find_program_address(seeds, ASSOCIATED_TOKEN_PROGRAM)


@pytest.mark.parametrize(("record_at", "day"), [(1_778_457_600, "2026-05-10"), (1_778_457_599, "2026-05-10")])
def test_a_record_date_that_ends_at_midnight_is_the_day_before(record_at: int, day: str) -> None:
    assert record_day(record_at) == day
