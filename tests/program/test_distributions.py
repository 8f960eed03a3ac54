"""What distributions do: who is paid, once, what is skipped, and what is left when they are closed."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from distribution_substitutes import MINTS_PLAIN
from distributions import FUNDER, PAYOUT_KEY, TREASURY, Payout, full_batch, payout, send_version_1
from payments import (
    HOOK,
    MEMO_TRANSFER,
    Payment,
    confidential_account,
    extension,
    fee,
    fee_config,
)
from solders.account import Account
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from tallystick.adapters.chain.transactions import build_transaction
from tallystick.domain.distribution_tree import Batch, Entry
from tallystick.domain.merkle import MerkleTree
from tallystick.program.distribution_account import HEADER_LENGTH
from tallystick.program.generated import events
from tallystick.program.generated.constants import PROGRAM_ID
from tallystick.program.generated.types import ActionStatus, DistributionStatus
from tallystick.program.token import SPL_TOKEN_PROGRAM, SYSTEM_PROGRAM, TOKEN_2022_PROGRAM, TokenAccountState
from world import DAY, World, key

PROGRAMS = pytest.mark.parametrize("program", [SPL_TOKEN_PROGRAM, TOKEN_2022_PROGRAM], ids=["spl", "token_2022"])
ALL = 2**57 - 1


def test_a_distribution_is_opened_approved_funded_paid_and_closed() -> None:
    world = World.fresh()
    chain, made = world.chain, payout(world).do_prepare()
    opened = chain.send(made.open()).events[0]
    assert isinstance(opened, events.DistributionOpened)
    assert (opened.root, opened.batches, opened.entries, opened.total) == (made.tree.root, 3, 7, 28_000_000)
    assert made.state.status is DistributionStatus.OPEN
    assert made.action.state.distributions == 1
    approved = chain.send(made.approve()).events[0]
    assert isinstance(approved, events.DistributionApproved)
    assert made.action.state.status is ActionStatus.EXECUTED
    funded = chain.send(made.fund()).events[0]
    assert isinstance(funded, events.DistributionFunded)
    assert (funded.raw, funded.funded, chain.balance(made.escrow)) == (28_000_000,) * 3
    paid = [chain.send(made.pay_batch(batch)).events[0] for batch in range(3)]
    assert paid == [
        events.BatchPaid(made.address, 0, 0b111, 6_000_000),
        events.BatchPaid(made.address, 1, 0b111, 15_000_000),
        events.BatchPaid(made.address, 2, 0b1, 7_000_000),
    ]
    assert made.paid(*made.wallets) == list(made.amounts)
    assert (made.state.paid, made.state.paid_entries, chain.balance(made.escrow)) == (28_000_000, 7, 0)
    assert made.bits == (0b111, 0b111, 0b1)
    closed = chain.send(made.close()).events[0]
    bits = b"".join(word.to_bytes(8, "little") for word in (7, 7, 1))
    assert isinstance(closed, events.DistributionClosed)
    assert (closed.paid, closed.paid_entries, closed.refunded) == (28_000_000, 7, 0)
    assert closed.bits_hash == made.state.bits_hash == hashlib.sha256(bits).digest()
    assert made.state.status is DistributionStatus.CLOSED


@PROGRAMS
def test_a_second_call_pays_nothing_changes_nothing_and_says_nothing(program: Pubkey) -> None:
    world = World.fresh()
    made = payout(world, program).do_fund()
    world.chain.send(made.pay_batch(0))
    before = world.chain.state()
    receipt = world.chain.send(made.pay_batch(0))
    assert receipt.events == ()
    assert world.chain.state() == before


@PROGRAMS
def test_what_was_skipped_is_paid_once_later(program: Pubkey) -> None:
    world = World.fresh()
    made = payout(world, program).do_fund()
    first = world.chain.send(made.pay_batch(0, 0b010)).events[0]
    assert first == events.BatchPaid(made.address, 0, 0b101, 4_000_000)
    second = world.chain.send(made.pay_batch(0)).events[0]
    assert second == events.BatchPaid(made.address, 0, 0b010, 2_000_000)
    assert world.chain.send(made.pay_batch(0)).events == ()
    assert made.paid(*made.wallets[:3]) == [1_000_000, 2_000_000, 3_000_000]


def test_skipping_everybody_pays_nobody() -> None:
    world = World.fresh()
    made = payout(world).do_fund()
    assert world.chain.send(made.pay_batch(0, 2**64 - 1)).events == ()
    assert made.bits == (0, 0, 0)


def _frozen(made: Payout, wallet: Pubkey) -> None:
    made.payment.write_account(wallet, state=TokenAccountState.FROZEN)


def _closed(made: Payout, wallet: Pubkey) -> None:
    made.chain.write(made.payment.tokens(wallet), Account(0, b"", SYSTEM_PROGRAM, False, 0))


def _reowned(made: Payout, wallet: Pubkey) -> None:
    made.payment.write_account(wallet, owner=key("a buyer of accounts"))


def _of_another_mint(made: Payout, wallet: Pubkey) -> None:
    made.payment.write_account(wallet, mint=key("another mint"))


def _not_initialized(made: Payout, wallet: Pubkey) -> None:
    made.payment.write_account(wallet, state=TokenAccountState.UNINITIALIZED)


def _of_another_program(made: Payout, wallet: Pubkey) -> None:
    address = made.payment.write_account(wallet)
    account = made.chain.find(address)
    assert account is not None
    made.chain.write(address, Account(account.lamports, account.data, PROGRAM_ID, False, 0))


def _lamports_only(made: Payout, wallet: Pubkey) -> None:
    made.chain.fund(made.payment.tokens(wallet))


def _too_short(made: Payout, wallet: Pubkey) -> None:
    address = made.payment.write_account(wallet)
    account = made.chain.find(address)
    assert account is not None
    made.chain.write(address, Account(account.lamports, account.data[:100], account.owner, False, 0))


def _wants_a_memo(made: Payout, wallet: Pubkey) -> None:
    made.payment.write_account(wallet, extensions=extension(7, b"") + extension(MEMO_TRANSFER, b"\1"))


def _confidential_only(made: Payout, wallet: Pubkey) -> None:
    made.payment.write_account(wallet, extensions=confidential_account(plain_credits=False))


OBSTACLES = (
    _frozen, _closed, _reowned, _of_another_mint, _not_initialized, _of_another_program, _lamports_only, _too_short,
)  # fmt: skip
OF_TOKEN_2022 = (_wants_a_memo, _confidential_only)
CASES = [
    pytest.param(program, obstacle, id=f"{name}-{obstacle.__name__.strip('_')}")
    for name, program, obstacles in (
        ("spl", SPL_TOKEN_PROGRAM, OBSTACLES),
        ("token_2022", TOKEN_2022_PROGRAM, OBSTACLES + OF_TOKEN_2022),
    )
    for obstacle in obstacles
]


@pytest.mark.parametrize(("program", "obstacle"), CASES)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_recipient_fails_nobody_else_and_is_paid_once_when_it_can_be(
    program: Pubkey, obstacle: type, place: int
) -> None:
    world = World.fresh()
    made = payout(world, program).do_fund()
    others = 0b111 ^ 1 << place
    obstacle(made, made.wallets[place])
    paid = world.chain.send(made.pay_batch(0)).events[0]
    assert isinstance(paid, events.BatchPaid)
    assert paid.paid == others
    assert made.bits == (others, 0, 0)
    made.payment.write_account(made.wallets[place])
    again = world.chain.send(made.pay_batch(0)).events[0]
    assert again == events.BatchPaid(made.address, 0, 1 << place, made.amounts[place])
    assert world.chain.send(made.pay_batch(0)).events == ()
    assert made.paid(*made.wallets[:3]) == list(made.amounts[:3])


@PROGRAMS
def test_everybody_in_the_way_is_nobody_paid(program: Pubkey) -> None:
    world = World.fresh()
    made = payout(world, program).do_fund()
    for wallet in made.wallets[:3]:
        _frozen(made, wallet)
    assert world.chain.send(made.pay_batch(0)).events == ()
    assert made.state.paid_entries == 0


def test_accounts_with_and_without_extensions_are_paid_alike() -> None:
    world = World.fresh()
    made = payout(world, TOKEN_2022_PROGRAM).do_fund()
    made.payment.write_account(made.wallets[0], extensions=b"")
    made.payment.write_account(made.wallets[1], extensions=confidential_account(plain_credits=True))
    made.payment.write_account(made.wallets[2], extensions=extension(7, b"") + extension(MEMO_TRANSFER, b"\0"))
    paid = world.chain.send(made.pay_batch(0)).events[0]
    assert paid == events.BatchPaid(made.address, 0, 0b111, 6_000_000)


@pytest.mark.parametrize("name", MINTS_PLAIN)
def test_a_mint_that_only_looks_like_one_that_is_refused_pays(name: str) -> None:
    world = World.fresh()
    plain = Payment(world.chain, TOKEN_2022_PROGRAM, mint_extensions=MINTS_PLAIN[name])
    extensions = extension(7, b"")
    if "fee" in name:
        extensions += extension(2, bytes(8))
    if "hook" in name:
        extensions += extension(15, b"\0")
    made = payout(world, payment=plain).do_prepare()
    for wallet in (*made.wallets, TREASURY):
        plain.write_account(wallet, extensions=extensions)
    plain.write_account(FUNDER, 2**60, extensions=extensions)
    for each in (made.open, made.approve, made.fund, made.pay_batch):
        world.chain.send(each())
    assert made.paid(*made.wallets[:3]) == list(made.amounts[:3])


def test_the_escrow_among_the_entries_is_left_out() -> None:
    world = World.fresh()
    made = payout(world, count=2)
    made = replace(made, wallets=(world.alice, made.address)).do_prepare()
    world.chain.send(made.open())
    world.chain.send(made.approve(), made.fund())
    paid = world.chain.send(made.pay_batch(0)).events[0]
    assert paid == events.BatchPaid(made.address, 0, 0b01, 1_000_000)
    assert world.chain.balance(made.escrow) == 2_000_000


def test_one_account_twice_in_a_batch_is_two_entries_each_paid_once() -> None:
    world = World.fresh()
    made = payout(world, count=2).do_prepare()
    address, bump = made.payment.find(world.alice)
    pair = Batch(0, (Entry(bytes(address), bump, 5), Entry(bytes(address), bump, 6)))
    root = MerkleTree([pair.leaf(bytes(made.address))]).root
    world.chain.send(made.open(root=root, batches=1, entries=2, total=11))
    world.chain.send(made.approve(root=root, entries=2, total=11), made.fund(11))
    call = made.pay_batch(
        0, recipients=[address, address], bumps=bytes([bump, bump]), amounts=(5, 6), proof=(),
        entries_root=pair.entries_root, batch=0,
    )  # fmt: skip
    assert world.chain.send(call).events == (events.BatchPaid(made.address, 0, 0b11, 11),)
    assert made.paid(world.alice) == [11]
    assert world.chain.send(call).events == ()


def test_a_distribution_pays_while_money_lasts_and_goes_on_when_more_comes() -> None:
    world = World.fresh()
    made = payout(world).do_approve()
    world.chain.send(made.fund(7_000_000))
    world.chain.send(made.pay_batch(0))
    world.chain.refuse("NotFunded", made.pay_batch(1))
    world.chain.send(made.fund(21_000_000))
    world.chain.send(made.pay_batch(1))
    assert made.state.paid == 21_000_000


def test_money_sent_to_the_escrow_unasked_pays_nobody_and_is_refunded() -> None:
    world = World.fresh()
    made = payout(world).do_approve()
    made.payment.write_account(made.address, 10**9, owner=made.address)
    world.chain.refuse("NotFunded", made.pay_batch(0))
    world.chain.warp(31 * DAY)
    closed = world.chain.send(made.close()).events[0]
    assert isinstance(closed, events.DistributionClosed)
    assert closed.refunded == 10**9
    assert made.paid(TREASURY) == [10**9]


def test_an_entry_is_claimed_by_anyone_for_its_owner() -> None:
    world = World.fresh()
    made = payout(world).do_fund()
    claimed = world.chain.send(made.pay_entitlement(world.bob)).events[0]
    assert claimed == events.EntitlementPaid(
        made.address, 0, 1, world.bob, made.payment.tokens(world.bob), 2_000_000
    )  # fmt: skip
    assert made.paid(world.bob) == [2_000_000]
    paid = world.chain.send(made.pay_batch(0)).events[0]
    assert paid == events.BatchPaid(made.address, 0, 0b101, 4_000_000)
    assert made.paid(world.bob) == [2_000_000]


def test_who_has_no_record_with_the_issuer_claims_too() -> None:
    world = World.fresh()
    made = payout(world).do_fund()
    nobody = made.wallets[5]
    assert world.chain.find(world.alpha.holder(nobody)) is None
    world.chain.send(made.pay_entitlement(nobody))
    assert made.paid(nobody) == [6_000_000]


def test_a_suspended_holder_claims_when_the_suspension_ends() -> None:
    world = World.fresh()
    made = payout(world).do_fund()
    world.chain.send(world.alpha.suspend_holder(world.alice))
    world.chain.refuse("HolderSuspended", made.pay_entitlement(world.alice))
    world.chain.send(world.alpha.approve_holder(world.alice))
    world.chain.send(made.pay_entitlement(world.alice))
    assert made.paid(world.alice) == [1_000_000]


def test_closing_leaves_a_header_and_returns_what_the_bits_and_the_escrow_cost() -> None:
    world = World.fresh()
    chain, made = world.chain, payout(world).do_fund()
    chain.send(made.pay_batch(0))
    rent = chain.svm.minimum_balance_for_rent_exemption
    before, escrow = chain.find(chain.payer), chain.find(made.escrow)
    assert before is not None
    assert escrow is not None
    chain.warp(31 * DAY)
    chain.send(made.close())
    account, after = chain.find(made.address), chain.find(chain.payer)
    assert account is not None
    assert after is not None
    assert len(account.data) == HEADER_LENGTH
    assert account.lamports == rent(HEADER_LENGTH)
    freed = rent(HEADER_LENGTH + 3 * 8) - rent(HEADER_LENGTH)
    assert after.lamports - before.lamports == freed + escrow.lamports
    assert chain.find(made.escrow) is None
    assert made.paid(TREASURY) == [22_000_000]
    assert (made.state.paid, made.state.paid_entries) == (6_000_000, 3)


def test_a_closed_distribution_is_never_opened_again() -> None:
    world = World.fresh()
    made = payout(world).do_fund()
    again = made.open()
    for batch in range(3):
        world.chain.send(made.pay_batch(batch))
    world.chain.send(made.close())
    world.chain.refuse("system:0", again)
    world.chain.refuse("DistributionNotApproved", made.pay_batch(0))


def test_a_distribution_that_nobody_approved_is_closed_at_once_and_the_next_number_is_opened() -> None:
    world = World.fresh()
    made = payout(world).do_open()
    world.chain.send(made.close())
    second = replace(made, number=1)
    world.chain.send(second.open(linked_to=made.address))
    assert second.state.linked_to == made.address
    assert second.action.state.distributions == 2


def test_a_distribution_is_closed_the_second_it_expires_and_pays_until_then() -> None:
    world = World.fresh()
    made = payout(world).do_fund()
    world.chain.set_time(made.state.expires_at - 1)
    world.chain.refuse("DistributionNotOver", made.close())
    world.chain.set_time(made.state.expires_at)
    world.chain.send(made.pay_batch(0))
    world.chain.send(made.close())


def test_a_hook_or_fee_that_comes_later_stops_payments_and_its_end_lets_them_go_on() -> None:
    world = World.fresh()
    made = payout(world, TOKEN_2022_PROGRAM).do_fund()
    for found in (extension(HOOK, bytes(32) + bytes(key("hook"))), fee_config(fee(0, 1), fee(0, 1))):
        made.payment.write_mint(found)
        world.chain.refuse("PaymentMintRefused", made.pay_batch(0))
    made.payment.write_mint()
    world.chain.send(made.pay_batch(0))


def test_what_one_distribution_paid_says_nothing_about_the_next() -> None:
    world = World.fresh()
    first = payout(world).do_fund()
    second = replace(first, number=1)
    world.chain.send(second.open())
    world.chain.send(second.approve(), second.fund())
    for made in (first, second):
        world.chain.send(made.pay_batch(0))
    assert first.paid(world.alice) == [2_000_000]


def test_arguments_are_read_to_the_last_byte() -> None:
    world = World.fresh()
    made = payout(world).do_fund()
    call = made.pay_batch(0)
    for data in (bytes(call.data) + b"\0", bytes(call.data)[:-1], bytes(call.data)[:8]):
        world.chain.refuse("InstructionDidNotDeserialize", Instruction(PROGRAM_ID, data, call.accounts))


def test_a_million_holders_bits_grow_in_fourteen_steps_and_their_rent_comes_back() -> None:
    world = World.fresh()
    chain, made = world.chain, payout(world).do_prepare()
    batches = 17_544
    start = chain.find(chain.payer)
    assert start is not None
    chain.send(made.open(batches=batches, entries=10**6, total=10**12))
    steps = 1
    while not made.account.is_full_grown:
        chain.send(made.grow())
        steps += 1
    assert (steps, len(made.bits)) == (14, batches)
    chain.send(made.approve(entries=10**6, total=10**12))
    chain.warp(31 * DAY)
    chain.send(made.close())
    end, tombstone = chain.find(chain.payer), chain.find(made.address)
    assert end is not None
    assert tombstone is not None
    assert start.lamports - end.lamports == tombstone.lamports
    assert made.state.bits_hash == hashlib.sha256(bytes(8 * batches)).digest()


# At the limit of a transaction ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "each"), [(SPL_TOKEN_PROGRAM, 700), (TOKEN_2022_PROGRAM, 2_200)], ids=["spl", "token_2022"]
)
def test_57_of_a_million_holders_are_paid_by_one_transaction(program: Pubkey, each: int) -> None:
    world = World.fresh()
    made, call = full_batch(world, program)
    receipt, size = send_version_1(world.chain, call)
    assert made.paid(*made.wallets) == list(made.amounts)
    assert made.bits[0] == ALL
    assert size <= 4_096
    assert receipt.units <= 57 * each, f"{receipt.units} units, {receipt.units / 57:.0f} each"


def test_a_claim_by_one_of_a_million_holders_fits_the_smallest_transaction() -> None:
    world = World.fresh()
    made = payout(world, count=57, size=57).do_fund()
    call = made.pay_entitlement(made.wallets[3], batch_proof=(bytes(32),) * 15)
    transaction = build_transaction(
        [call], PAYOUT_KEY, world.chain.svm.latest_blockhash(), version=0, compute_unit_limit=50_000,
        loaded_accounts_data_size_limit=8 * 1024 * 1024,
    )  # fmt: skip
    assert len(bytes(transaction)) <= 1_232


def test_more_accounts_than_a_batch_has_are_refused() -> None:
    world = World.fresh()
    made = payout(world, count=57, size=57).do_fund()
    repeated = [made.payment.tokens(world.alice)] * 58
    world.chain.refuse("BatchOutOfBounds", made.pay_batch(0, recipients=repeated))
