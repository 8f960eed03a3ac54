"""A dividend from the register at the record date to the close, as the commands go: a store on disk, every plan carried
out through its outbox, and planned again afterwards, which must leave nothing to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from clusters import Cluster, Fund
from live_actions import NO_TERMS, appoint
from live_books import LEI, Books, signers
from live_cluster import Live
from live_control import Control
from live_issuer import DAY, ONE, SOL, Share
from live_opening import Opened
from live_payouts import issue, make_accounts, make_mint
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tallystick.adapters.chain.rpc import RpcChain
from tallystick.adapters.chain.signers import KeypairSigner
from tallystick.adapters.store.store import Store, open_store
from tallystick.domain.amounts import Quantity
from tallystick.domain.confirmations import CashConfirmation, ConfirmationFunction
from tallystick.domain.dividends import PayoutRecord, PayoutState
from tallystick.domain.withholding import WithholdingRule, WithholdingTable
from tallystick.program.generated.types import ActionKind
from tallystick.program.token import SPL_TOKEN_PROGRAM, TOKEN_2022_PROGRAM, associated_token_address
from tallystick.services.distribution_books import follow_distribution, keep_bits
from tallystick.services.distribution_payments import plan_claim, plan_fund_distribution
from tallystick.services.distributions import (
    plan_approve_distribution,
    plan_close_distribution,
    plan_open_distribution,
)
from tallystick.services.dividend_plan import compute_dividend, plan_dividend
from tallystick.services.dividend_reads import distribution_progress
from tallystick.services.dividend_rules import DividendRequest, DividendRules
from tallystick.services.dividend_statements import holder_statement, verify_statement
from tallystick.services.payout_calls import PayoutCalls
from tallystick.services.payout_push import PushSettings, push
from tallystick.services.payout_report import LeftReason
from tallystick.services.payout_skips import read_skips
from tallystick.services.plans import Plan
from tallystick.services.record_register import take_register
from tallystick.services.securities import CustodyAccount

ISIN, EVENT, ACCOUNT = "US0378331005", "CA-2026-30", CustodyAccount(LEI, "SAFE 1")
CENT = 10**4
PROGRAMS = pytest.mark.parametrize("program", [SPL_TOKEN_PROGRAM, TOKEN_2022_PROGRAM], ids=["spl", "token_2022"])
SETTINGS = PushSettings(unpaid_limit=10_000, poll_every=0.2)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A store on disk."""
    async with await open_store(f"sqlite:///{tmp_path / 'books.sqlite3'}") as opened:
        yield opened


@PROGRAMS
async def test_a_dividend_is_paid_as_the_commands_go(
    cluster: Cluster, chain: RpcChain, fund: Fund, opened: Opened, store: Store, tmp_path: Path, program: Pubkey
) -> None:
    desk = opened.desk
    live = Live(cluster, chain, desk.payer)
    share = await Share(desk).do_list(live, 1_000 * ONE)
    anna, ben, carla = opened.wallets
    await asyncio.gather(
        *(share.do_subscribe(live, wallet, shares * ONE) for wallet, shares in ((anna, 600), (ben, 300), (carla, 50)))
    )
    actors = await appoint(live, share)
    now = await live.now()
    terms = replace(NO_TERMS, ex_at=now, record_at=now, pay_at=now, gross_per_share=10**17, currency=b"USD")
    await actors.do_approve(live, EVENT, ActionKind.CASH_DIVIDEND, terms)

    payout, treasury = Keypair(), Keypair()
    await fund(payout.pubkey(), treasury.pubkey(), lamports=20 * SOL)
    money = Live(cluster, chain, treasury)
    mint = await make_mint(money, program)
    await issue(money, program, mint, 10**12)
    await make_accounts(money, program, mint, [anna.pubkey(), carla.pubkey()])
    table = WithholdingTable((WithholdingRule("all", 0, "2020-01-01", "upstream"),), "all", "opinion")
    keys = signers((desk.payer, desk.distributor, desk.compliance, actors.announcer, actors.approver, treasury))
    books = Books(live, store, tmp_path, keys)
    rules = DividendRules({"USD": mint}, table, treasury.pubkey())
    request = DividendRequest(actors.at(EVENT), EVENT, ISIN, (ACCOUNT,), payout.pubkey(), now + DAY)

    # What is computed: of 1,000 shares at 0.10, less 15%, 950 have tokens.
    await books.finalized()
    taken = await take_register(
        chain, share.address, actors.at(EVENT), [], store.registers, live.clock, witnesses=[chain]
    )
    assert (taken.register.supply, taken.register.witnesses, len(taken.register.positions)) == (950 * ONE, 2, 3)
    await store.confirmations.add(confirmation(now))
    record = (await plan_dividend(chain, store.registers, store.confirmations, store.payouts, rules, request)).record
    assert (record.total, record.entries) == (8_075 * CENT, 3)

    # Opened by one key, approved by another that computed it too, and funded.
    payer = desk.payer.pubkey()

    async def opening() -> Plan:
        distributor, owner = desk.distributor.pubkey(), treasury.pubkey()
        return await plan_open_distribution(chain, record, payer=payer, distributor=distributor, refund_owner=owner)

    async def approval() -> Plan:
        own = await compute_dividend(
            chain, store.registers, store.confirmations, store.payouts, rules, request, number=0
        )
        return await plan_approve_distribution(
            chain, store.payouts, record, payer=payer, approver=actors.approver.pubkey(), recomputed=own.record
        )

    async def funding() -> Plan:
        return await plan_fund_distribution(chain, record, payer=payer, funder=treasury.pubkey())

    for step in (opening, approval, funding):
        await books.carry_out(await step(), 1)
        assert (await step()).is_empty
    await books.finalized()
    record, _ = await follow_distribution(chain, store.payouts, record)
    assert record.state is PayoutState.APPROVED

    # Pushed: ben has no account, and carla is frozen in the security.
    await books.carry_out(await Control(share, desk.compliance).plan_freeze(live, carla), 1)
    skips = await read_skips(chain, desk.address, share.mint)
    assert (skips.suspended & {bytes(carla.pubkey())}, skips.frozen) == (frozenset(), {bytes(carla.pubkey())})
    signer, address = KeypairSigner(payout), Pubkey.from_bytes(record.address)
    calls = await PayoutCalls.load(
        store.payouts, address, signer.pubkey, suspended=skips.suspended, frozen=skips.frozen
    )
    report = await push(chain, store.payouts, store.outbox, live.clock, calls, signer, settings=SETTINGS)
    left = {reason: share_.entries for reason, share_ in report.left.items()}
    assert (report.paid.entries, left) == (1, {LeftReason.MISSING: 1, LeftReason.FROZEN_HOLDER: 1})
    assert await live.raw(associated_token_address(anna.pubkey(), mint, program)) == 5_100 * CENT

    # Claimed for the others, whose accounts are made where they are missing.
    for wallet, actions, raw in ((ben, 2, 2_550 * CENT), (carla, 1, 425 * CENT)):
        plan = await plan_claim(chain, store.payouts, record, payer=payer, wallet=wallet.pubkey())
        await books.carry_out(plan, actions)
        assert await live.raw(associated_token_address(wallet.pubkey(), mint, program)) == raw
        assert (await plan_claim(chain, store.payouts, record, payer=payer, wallet=wallet.pubkey())).is_empty
    await books.finalized()
    for wallet in (anna, ben, carla):
        found = await holder_statement(chain, store.payouts, store.outbox, record, wallet.pubkey())
        assert verify_statement(found) == ()
        assert found["payment"]["is_paid"]
        assert found["payment"]["signature"]

    # Everybody is paid: closed before its expiry, and the store knows the bits.
    await close(chain, store, books, record, desk.distributor.pubkey(), treasury.pubkey())
    progress = await distribution_progress(chain, store.payouts, record)
    assert (progress.record.state, progress.unpaid_entries, progress.next_step) == (PayoutState.CLOSED, 0, "")


async def close(
    chain: RpcChain, store: Store, books: Books, record: PayoutRecord, distributor: Pubkey, owner: Pubkey
) -> None:
    """Keep the bits, close, and record it."""
    payer = books.live.payer.pubkey()
    plan = await plan_close_distribution(chain, record, payer=payer, distributor=distributor, refund_owner=owner)
    await keep_bits(chain, store.payouts, record)
    await books.carry_out(plan, 1)
    closed, _ = await follow_distribution(chain, store.payouts, record)
    assert closed.state is PayoutState.CLOSED
    assert await store.payouts.paid(record.address) == (0b111,)


def confirmation(now: int) -> CashConfirmation:
    """100 gross for 1,000 shares, 85 net."""
    return CashConfirmation(
        custodian_lei=LEI,
        account=ACCOUNT.account,
        reference="CONF-1",
        function=ConfirmationFunction.NEW,
        event_id=EVENT,
        event_code="DVCA",
        isin=ISIN,
        eligible=Quantity(1_000),
        currency="USD",
        gross=Quantity(100),
        tax=Quantity(15),
        net=Quantity(85),
        posted="2026-11-13",
        record_date="",
        source_hash=b"c" * 32,
        format="MT566",
        received_at=now,
    )
