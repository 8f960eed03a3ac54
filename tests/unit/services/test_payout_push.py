"""Everybody on a list who can be paid is paid once, and everybody else is told apart."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import cast

import pytest
from push_faults import Crash, CrashAt, LosingOpenings, Watched, before, dropping, forgetful, stingy
from pushing_desk import IMMUTABLE_OWNER, SETTINGS, SOL, PushingDesk, wallet
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from tallystick.adapters.chain.outbox import MemoryOutbox, Outbox, OutboxState
from tallystick.adapters.chain.protocol import Account, Chain
from tallystick.domain.dividends import HolderClass, PayoutBatch
from tallystick.errors import InputError, LedgerError, Refused, StoreConflict
from tallystick.program.generated.types import DistributionStatus
from tallystick.program.token import SPL_TOKEN_PROGRAM, TOKEN_2022_PROGRAM, TokenAccountState
from tallystick.services.payout_calls import PayoutCalls
from tallystick.services.payout_flights import Draft, Flights, Limits
from tallystick.services.payout_report import LeftReason, PushProgress, Share, Stage

MEMO = IMMUTABLE_OWNER + (8).to_bytes(2, "little") + (1).to_bytes(2, "little") + b"\1"
NO_MEMO = MEMO[:-1] + b"\0"
CONFIDENTIAL = (5).to_bytes(2, "little") + (295).to_bytes(2, "little") + bytes(261) + b"\1\0" + bytes(32)
PROGRAMS = pytest.mark.parametrize("program", [SPL_TOKEN_PROGRAM, TOKEN_2022_PROGRAM], ids=["spl", "token_2022"])
OPENING = replace(SETTINGS, rent_cap=SOL)


async def intents(desk: PushingDesk) -> list[str]:
    """Intents of everything signed, without their first part and the distribution."""
    prefix = f":{desk.address}:"
    return [row.intent.replace(prefix, " ") for row in await desk.outbox.find("dividend")]


# Stages --------------------------------------------------------------------------------------------------------------


@PROGRAMS
async def test_everybody_is_paid_once(program: Pubkey) -> None:
    desk = await PushingDesk(program=program).planned()
    report = await desk.push()
    assert (report.stopped, report.is_complete, report.left) == ("", True, {})
    assert desk.balances() == desk.due()
    assert report.paid == report.paid_now == Share(10, desk.record.total)
    again = await desk.push()
    assert (again.transactions, again.paid_now.entries, again.is_complete) == (0, 0, True)
    assert desk.balances() == desk.due()


async def test_one_wallet_is_paid_first_and_then_one_batch_in_a_hundred() -> None:
    desk = await PushingDesk(count=303, size=3).planned()
    asked: list[tuple[Stage, int, int]] = []

    async def go_on(stage: Stage, progress: PushProgress) -> bool:
        asked.append((stage, progress.paid, sum(balance != 0 for balance in desk.balances())))
        assert progress.canary == Pubkey.from_bytes(desk.lines[0].address)
        return True

    assert (await desk.push(confirm_stage=go_on)).is_complete
    assert asked == [(Stage.CANARY, 1, 1), (Stage.SAMPLE, 6, 6)]
    assert desk.balances() == desk.due()


@pytest.mark.parametrize(("last", "paid"), [(Stage.CANARY, 1), (Stage.SAMPLE, 3)])
async def test_a_person_may_stop_it_between_stages_and_the_next_run_goes_on(last: Stage, paid: int) -> None:
    desk = await PushingDesk().planned()

    async def stop_at(stage: Stage, _: PushProgress) -> bool:
        return stage is not last

    report = await desk.push(confirm_stage=stop_at)
    assert (report.stage, report.paid.entries, report.is_complete) == (last, paid, False)
    assert str(last) in report.stopped
    assert report.left[LeftReason.PAYABLE].entries == 10 - paid
    again = await desk.push(confirm_stage=stop_at)
    assert (again.transactions, again.paid.entries, again.stopped) == (0, paid, report.stopped)
    assert (await desk.push()).is_complete
    assert desk.balances() == desk.due()


async def test_after_a_stop_behind_the_first_wallet_the_next_run_looks_at_a_hundredth_first() -> None:
    desk = await PushingDesk().planned()

    async def stop(stage: Stage, _: PushProgress) -> bool:
        return False

    await desk.push(confirm_stage=stop)
    asked: list[tuple[Stage, Stage]] = []

    async def go_on(stage: Stage, progress: PushProgress) -> bool:
        asked.append((stage, progress.stage))
        return True

    await desk.push(confirm_stage=go_on)
    assert asked == [(Stage.CANARY, Stage.RESUME), (Stage.SAMPLE, Stage.SAMPLE)]
    assert desk.balances() == desk.due()


async def test_a_stop_lets_what_is_in_flight_land_and_launches_nothing_more() -> None:
    desk = await PushingDesk().planned()
    looks = iter([False, True])
    report = await desk.push(should_stop=lambda: next(looks, True))
    assert (report.paid.entries, report.transactions) == (1, 1)
    assert "stop" in report.stopped
    assert [row.state for row in await desk.outbox.find("dividend")] == [OutboxState.LANDED]


async def test_progress_ends_with_what_the_report_says() -> None:
    desk = await PushingDesk().planned()
    told: list[PushProgress] = []
    report = await desk.push(on_progress=told.append, suspended=(desk.lines[4].owner,))
    assert [each.stage for each in told][-1] is Stage.REST
    assert (told[-1].paid, told[-1].skipped, told[-1].in_flight) == (9, 1, 0)
    assert told[-1].lamports == report.fees == 5_000 * report.transactions


# Who is left out -----------------------------------------------------------------------------------------------------


async def test_who_is_left_out_is_not_paid_and_is_told_by_reason() -> None:
    desk = await PushingDesk(classes={1: HolderClass.PROGRAM, 2: HolderClass.FROZEN, 3: HolderClass.FROZEN}).planned()
    report = await desk.push(suspended=(desk.lines[7].owner,), frozen=(desk.lines[2].owner,))
    assert desk.balances() == desk.due(1, 2, 7)
    assert report.left == {
        LeftReason.PROGRAM_OWNED: Share(1, 1_001),
        LeftReason.FROZEN_HOLDER: Share(1, 1_002),
        LeftReason.SUSPENDED: Share(1, 1_007),
    }
    assert report.is_complete
    assert (await desk.push(frozen=(desk.lines[2].owner,))).is_complete
    assert desk.balances() == desk.due(1, 2), "who is suspended no longer is paid"


@PROGRAMS
async def test_accounts_that_take_nothing_fail_nobody_else_and_are_told_by_reason(program: Pubkey) -> None:
    desk = await PushingDesk(program=program).planned()
    desk.close_account(2)
    desk.write_account(desk.lines[3].owner, state=TokenAccountState.FROZEN)
    desk.write_account(desk.lines[4].owner, held_by=bytes(wallet(99).pubkey()))
    left = {
        LeftReason.MISSING: Share(1, 1_002),
        LeftReason.FROZEN_ACCOUNT: Share(1, 1_003),
        LeftReason.REOWNED: Share(1, 1_004),
    }
    unpaid = [2, 3, 4]
    if program == TOKEN_2022_PROGRAM:
        desk.write_account(desk.lines[5].owner, extensions=MEMO)
        desk.write_account(desk.lines[6].owner, extensions=CONFIDENTIAL)
        desk.write_account(desk.lines[7].owner, extensions=NO_MEMO)
        left |= {LeftReason.WANTS_MEMO: Share(1, 1_005), LeftReason.NO_PLAIN_CREDITS: Share(1, 1_006)}
        unpaid += [5, 6]
    report = await desk.push()
    assert report.left == left
    assert (report.is_complete, report.stopped) == (True, "")
    paid = [0 if number in unpaid else line.amount for number, line in enumerate(desk.lines)]
    assert [balance or 0 for balance in desk.balances()] == paid
    before_again = await intents(desk)
    assert (await desk.push()).left == left
    assert await intents(desk) == before_again, "nothing is sent for entries that cannot be paid"


async def test_a_first_hundredth_with_too_many_unpaid_stops_the_push() -> None:
    desk = await PushingDesk().planned()
    desk.close_account(1)
    desk.close_account(2)
    report = await desk.push(settings=replace(SETTINGS, unpaid_limit=2_500))
    assert "could not be paid" in report.stopped
    assert [balance or 0 for balance in desk.balances()] == [1_000, *([0] * 9)]


# Missing accounts ----------------------------------------------------------------------------------------------------


@PROGRAMS
async def test_missing_accounts_are_opened_once_and_paid(program: Pubkey) -> None:
    desk = await PushingDesk(program=program).planned()
    for number in (0, 4, 5):
        desk.close_account(number)
    report = await desk.push(settings=OPENING)
    assert (report.accounts_opened, report.is_complete, report.left) == (3, True, {})
    assert desk.balances() == desk.due()
    size = 165 if program == SPL_TOKEN_PROGRAM else 170
    assert report.rent == 3 * desk.ledger.minimum_balance(size) == await desk.store.rent_reserved(bytes(desk.address))


async def test_an_account_that_was_opened_and_closed_is_not_opened_again() -> None:
    desk = await PushingDesk(classes={5: HolderClass.FROZEN}).planned()
    desk.close_account(4)
    await desk.push(settings=OPENING, frozen=(desk.lines[5].owner,))
    assert desk.balance(4) == 1_004
    desk.write_distribution()
    desk.write_account(bytes(desk.address), desk.record.total)
    desk.close_account(4)
    report = await desk.push(settings=OPENING, frozen=(desk.lines[5].owner,))
    assert report.accounts_opened == 0
    assert report.left[LeftReason.MISSING] == Share(1, 1_004)


@pytest.mark.parametrize("affordable", [0, 1, 2])
async def test_a_cap_on_rent_holds_over_all_runs(affordable: int) -> None:
    desk = await PushingDesk().planned()
    for number in (1, 4, 7):
        desk.close_account(number)
    cap = (affordable + 1) * desk.ledger.minimum_balance(165) - 1
    for _ in range(2):
        report = await desk.push(settings=replace(SETTINGS, rent_cap=cap))
        assert report.left == {LeftReason.MISSING: Share(3 - affordable, sum([1_001, 1_004, 1_007][affordable:]))}
        assert await desk.store.rent_reserved(bytes(desk.address)) == affordable * desk.ledger.minimum_balance(165)


async def test_a_wallet_whose_account_may_not_be_opened_is_no_first_wallet() -> None:
    desk = await PushingDesk().planned()
    for number in range(10):
        desk.close_account(number)
    cap = 2 * desk.ledger.minimum_balance(165)
    await desk.push(settings=replace(SETTINGS, rent_cap=cap))
    desk.outbox = MemoryOutbox()
    report = await desk.push(settings=replace(SETTINGS, rent_cap=cap))
    assert (report.stopped, report.is_complete) == ("", True)
    assert report.left[LeftReason.MISSING].entries == 8


@pytest.mark.parametrize("endpoints", [1, 2])
async def test_an_opening_is_tried_again_only_when_two_endpoints_say_it_is_dead(endpoints: int) -> None:
    desk = await PushingDesk().planned()
    desk.close_account(4)
    chain = cast("Chain", LosingOpenings(desk.chain, 35, endpoints))
    report = await desk.push(chain=chain, settings=OPENING)
    assert report.stopped == ""
    assert report.accounts_opened == endpoints - 1
    assert report.left == ({} if endpoints == 2 else {LeftReason.MISSING: Share(1, 1_004)})
    states = [row.state for row in await desk.outbox.find("dividend-accounts")]
    assert states == [OutboxState.DEAD, OutboxState.LANDED][:endpoints]


async def test_openings_that_never_land_are_given_up_and_the_others_paid() -> None:
    desk = await PushingDesk().planned()
    desk.close_account(4)
    chain = cast("Chain", LosingOpenings(desk.chain, 10**6, 2))
    report = await desk.push(chain=chain, settings=replace(OPENING, attempts=2))
    assert report.stopped == ""
    assert [row.state for row in await desk.outbox.find("dividend-accounts")] == [OutboxState.DEAD] * 2
    assert desk.balances() == [None if number == 4 else line.amount for number, line in enumerate(desk.lines)]


async def test_without_a_cap_nothing_is_opened() -> None:
    desk = await PushingDesk().planned()
    desk.close_account(4)
    report = await desk.push()
    assert (report.rent, report.left) == (0, {LeftReason.MISSING: Share(1, 1_004)})
    assert desk.balance(4) is None


async def test_addresses_that_hold_sol_already_are_opened_too() -> None:
    desk = await PushingDesk(count=20, size=10).planned()
    for line in desk.lines:
        desk.ledger.set_account(Pubkey.from_bytes(line.address), Account(Pubkey.default(), SOL // 1_000, b""))
    report = await desk.push(settings=OPENING)
    assert (report.accounts_opened, report.stopped) == (20, "")
    assert desk.balances() == desk.due()


async def test_more_accounts_than_one_transaction_opens_take_several() -> None:
    desk = await PushingDesk(count=57, size=57).planned()
    for number in range(57):
        desk.close_account(number)
    report = await desk.push(settings=OPENING)
    assert (report.accounts_opened, report.stopped) == (57, "")
    assert desk.balances() == desk.due()
    assert [each for each in await intents(desk) if each.startswith("dividend-accounts")] == [
        f"dividend-accounts 0:{number}" for number in range(7)
    ]


# Refusals ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"status": DistributionStatus.OPEN}, "only an approved one pays"),
        ({"status": DistributionStatus.CLOSED}, "only an approved one pays"),
        ({"funded": 5}, "holds 5 of"),
        ({"payout_key": Pubkey.default()}, "is paid by"),
    ],
)
async def test_a_distribution_that_cannot_be_pushed_is_refused(change: dict[str, object], words: str) -> None:
    desk = await PushingDesk().planned()
    desk.write_distribution(**change)
    with pytest.raises(Refused, match=words):
        await desk.push()
    assert await intents(desk) == []


async def test_a_payer_with_too_little_is_refused() -> None:
    desk = await PushingDesk().planned()
    desk.ledger.set_account(desk.payout.pubkey, Account(Pubkey.default(), 900_000, b""))
    with pytest.raises(Refused, match=r"holds 0\.0009 SOL"):
        await desk.push()
    assert await intents(desk) == []


async def test_a_list_that_is_not_the_committed_one_is_refused() -> None:
    desk = PushingDesk()
    first = desk.batches[0]
    lines = (replace(first.lines[0], amount=1_001), replace(first.lines[1], amount=1_000), *first.lines[2:])
    await desk.store.add(desk.record, (PayoutBatch(0, lines), *desk.batches[1:]), (), ())
    with pytest.raises(LedgerError, match="not the one its record names"):
        await desk.push()
    assert await intents(desk) == []


async def test_a_list_of_another_distribution_at_the_address_is_refused() -> None:
    desk = await PushingDesk().planned()
    desk.write_distribution(root=b"r" * 32)
    with pytest.raises(LedgerError, match="commits to"):
        await desk.push()
    assert await intents(desk) == []


@pytest.mark.parametrize(
    "setting", [{"in_flight": 0}, {"attempts": 0}, {"priority_fee": -1}, {"rent_cap": -1}, {"unpaid_limit": -1}]
)
def test_settings_with_which_nothing_is_sent_are_refused(setting: dict[str, int]) -> None:
    with pytest.raises(InputError):
        replace(SETTINGS, **setting)  # type: ignore[arg-type]


async def test_a_priority_fee_is_paid_and_counted() -> None:
    desk = await PushingDesk().planned()
    before_it = desk.ledger.account(desk.payout.pubkey)
    report = await desk.push(settings=replace(SETTINGS, priority_fee=777))
    after = desk.ledger.account(desk.payout.pubkey)
    assert before_it is not None
    assert after is not None
    assert before_it.lamports - after.lamports == report.fees == report.transactions * 5_777


async def test_a_batch_too_large_for_a_transaction_is_refused_before_anything_is_signed() -> None:
    desk = await PushingDesk(count=57, size=57).planned()
    calls = await PayoutCalls.load(desk.store, desk.address, desk.payout.pubkey)
    call = calls.pay(await calls.batch(0), 1)
    flights = Flights(desk.chain, desk.outbox, desk.clock, desk.payout, SETTINGS.flights)
    longer = Instruction(call.program_id, bytes(call.data) + bytes(2_000), call.accounts)
    with pytest.raises(InputError, match="4096"):
        await flights.launch([Draft("dividend:x:0:0", 1, 0, (longer,), Limits())])
    assert await intents(desk) == []


async def test_a_list_that_the_store_does_not_have_is_refused() -> None:
    with pytest.raises(Refused, match="has no list"):
        await PushingDesk().push()


# Faults --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, 22))
async def test_a_run_that_dies_at_any_write_is_carried_on(number: int, is_before: bool) -> None:
    desk = await PushingDesk().planned()
    for missing in (1, 4):
        desk.close_account(missing)
    fault = CrashAt(number, is_before=is_before)
    chain, store, outbox = desk.chain, desk.store, desk.outbox
    desk.store, desk.outbox = fault.watch(store), fault.watch(outbox)
    with pytest.raises(Crash):
        await desk.push(chain=fault.watch(chain), settings=OPENING)
    desk.store, desk.outbox = store, outbox
    report = await desk.push(settings=OPENING)
    assert (report.is_complete, report.left) == (True, {})
    assert desk.balances() == desk.due()
    assert await desk.store.rent_reserved(bytes(desk.address)) == 2 * desk.ledger.minimum_balance(165)
    assert await desk.outbox.pending() == ()


async def test_a_store_that_forgot_everything_pays_nobody_twice() -> None:
    desk = await PushingDesk().planned()
    looks = iter([False, False, False])
    await desk.push(should_stop=lambda: next(looks, True))
    other = PushingDesk()
    desk.store, desk.outbox = (await other.planned()).store, other.outbox
    assert (await desk.push()).is_complete
    assert desk.balances() == desk.due()


@pytest.mark.parametrize("lost", [1, 3, 40])
async def test_transactions_that_expire_unseen_are_signed_again(lost: int) -> None:
    desk = await PushingDesk().planned()
    report = await desk.push(chain=dropping(desk.chain, lost))
    assert (report.stopped, report.is_complete) == ("", True)
    assert desk.balances() == desk.due()
    states = [row.state for row in await desk.outbox.find("dividend")]
    assert states.count(OutboxState.DEAD) == (1 if lost == 40 else 0)


async def test_a_push_of_which_nothing_lands_ends() -> None:
    desk = await PushingDesk().planned()
    settings = replace(SETTINGS, in_flight=1, patience=10**6)
    report = await desk.push(chain=dropping(desk.chain, 10**6), settings=settings)
    assert "do not land" in report.stopped
    assert [row.state for row in await desk.outbox.find("dividend")] == [OutboxState.DEAD] * 2
    assert (await desk.push()).is_complete


async def test_a_payer_that_runs_out_of_sol_is_told_when_it_is_asked_again() -> None:
    desk = await PushingDesk().planned()

    def spend() -> None:
        desk.ledger.set_account(desk.payout.pubkey, Account(Pubkey.default(), 1_000, b""))

    report = await desk.push(chain=before(desk.chain, "send", 2, spend))
    assert "InsufficientFundsForFee" in report.stopped
    assert report.paid.entries == 1
    assert {row.state for row in await desk.outbox.find("dividend")} == {OutboxState.LANDED, OutboxState.DEAD}


async def test_an_endpoint_without_history_leads_to_no_second_payment() -> None:
    desk = await PushingDesk().planned()
    report = await desk.push(chain=forgetful(desk.chain))
    assert (report.stopped, report.is_complete) == ("", True)
    assert desk.balances() == desk.due()


async def test_a_transaction_that_is_neither_seen_nor_dead_is_unknown_and_not_failed() -> None:
    desk = await PushingDesk().planned()
    report = await desk.push(chain=dropping(desk.chain, 10**6), settings=replace(SETTINGS, patience=20.0))
    assert (report.unknown, report.is_complete) == ((0,), False)
    assert report.left[LeftReason.UNKNOWN].entries == 3
    assert [row.state for row in await desk.outbox.pending()] == [OutboxState.UNKNOWN]
    assert (await desk.push()).is_complete
    assert desk.balances() == desk.due()


async def test_a_transaction_that_fails_stops_the_push_in_the_programs_words() -> None:
    desk = await PushingDesk().planned()

    def close() -> None:
        desk.write_distribution(status=DistributionStatus.CLOSED, closed_at=1)

    report = await desk.push(chain=before(desk.chain, "send", 1, close))
    assert "DistributionNotApproved" in report.stopped
    assert (report.paid.entries, report.transactions, report.fees) == (0, 1, 5_000)
    assert set(desk.balances()) == {0}
    assert [row.state for row in await desk.outbox.find("dividend")] == [OutboxState.FAILED]


async def test_a_transaction_that_would_fail_stops_the_push_before_anything_is_signed() -> None:
    desk = await PushingDesk().planned()

    def close() -> None:
        desk.write_distribution(status=DistributionStatus.CLOSED, closed_at=1)

    report = await desk.push(chain=before(desk.chain, "simulate", 1, close))
    assert "would fail" in report.stopped
    assert await intents(desk) == []


@pytest.mark.parametrize("lie", [1, 2])
async def test_a_batch_that_outgrew_its_limits_is_simulated_by_itself_and_sent_again(lie: int) -> None:
    desk = await PushingDesk(count=60, size=20).planned()
    report = await desk.push(chain=stingy(desk.chain, lie))
    assert (report.stopped, report.is_complete) == ("", True)
    assert desk.balances() == desk.due()
    assert OutboxState.FAILED in [row.state for row in await desk.outbox.find("dividend")]


async def test_a_batch_that_outgrows_its_own_limits_too_stops_the_push() -> None:
    desk = await PushingDesk().planned()
    report = await desk.push(chain=stingy(desk.chain, 1, 2))
    assert "ComputationalBudgetExceeded" in report.stopped
    assert [row.state for row in await desk.outbox.find("dividend")] == [OutboxState.FAILED] * 2
    assert set(desk.balances()) == {0}


@pytest.mark.parametrize("in_flight", [1, 2, 64])
async def test_a_cluster_that_is_slow_to_finalize_is_waited_for(in_flight: int) -> None:
    desk = await PushingDesk().planned()
    desk.close_account(4)
    chain = desk.lagging()
    report = await desk.push(chain=chain, settings=replace(OPENING, in_flight=in_flight))
    assert (report.stopped, report.is_complete, report.left) == ("", True, {})
    assert (report.transactions, report.accounts_opened) == (6, 1)
    assert desk.balances() == desk.due()
    assert {row.state for row in await desk.outbox.find("dividend")} == {OutboxState.LANDED}


async def test_what_was_funded_a_moment_ago_is_pushed_once_that_is_final() -> None:
    desk = await PushingDesk().planned()
    desk.write_distribution(funded=0)
    chain = desk.lagging()
    desk.clock.advance(20)  # type: ignore[attr-defined]
    desk.write_distribution()
    chain.remember()
    assert (await desk.push(chain=chain)).is_complete
    assert desk.clock.monotonic() > 20 + chain.SECONDS


async def test_more_than_may_be_in_flight_are_confirmed_before_any_is_final() -> None:
    desk = await PushingDesk(count=120, size=3).planned()
    waiting: list[int] = []
    report = await desk.push(
        chain=desk.lagging(),
        settings=replace(SETTINGS, in_flight=4),
        on_progress=lambda progress: waiting.append(progress.in_flight),
    )
    assert report.is_complete
    assert max(waiting) > 4


async def test_two_pushes_at_once_cannot_sign_the_same_payment() -> None:
    desk = await PushingDesk().planned()
    outbox, others = desk.outbox, [1]

    async def on_call(name: str, call: Callable[[], Awaitable[object]]) -> object:
        if name == "put_signed_all" and others:
            others.clear()
            desk.outbox = outbox
            assert (await desk.push()).is_complete
        return await call()

    desk.outbox = cast("Outbox", Watched(outbox, on_call))
    with pytest.raises(StoreConflict):
        await desk.push()
    assert desk.balances() == desk.due()
