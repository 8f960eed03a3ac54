"""A distribution pushed to holders on every cluster: some without an account, one frozen; stopped, and carried on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from clusters import Cluster, Fund
from live_cluster import Live
from live_issuer import SOL
from live_opening import Opened
from live_payouts import announce, committed, issue, make_accounts, make_mint, open_funded, second_key
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tallystick.adapters.chain.rpc import RpcChain
from tallystick.adapters.chain.signers import KeypairSigner
from tallystick.adapters.clock import SystemClock
from tallystick.adapters.store.store import open_store
from tallystick.domain.distribution_tree import DistributionTree
from tallystick.domain.dividends import PayoutBatch, PayoutLine, PayoutRecord, PayoutState
from tallystick.program import addresses
from tallystick.program.token import SPL_TOKEN_PROGRAM, decode_token_account
from tallystick.services.payout_calls import PayoutCalls
from tallystick.services.payout_push import PushSettings, push
from tallystick.services.payout_report import LeftReason, PushProgress, Share, Stage

HOLDERS, SIZE, FROZEN, MISSING = 130, 57, 5, (6, 60, 129)


async def freeze(live: Live, mint: Pubkey, account: Pubkey) -> None:
    """By the mint's authority, who is the payer."""
    metas = [
        AccountMeta(account, is_signer=False, is_writable=True),
        AccountMeta(mint, is_signer=False, is_writable=False),
        AccountMeta(live.payer.pubkey(), is_signer=True, is_writable=False),
    ]
    await live.send(Instruction(SPL_TOKEN_PROGRAM, b"\x0a", metas))


async def test_a_push_pays_who_can_be_paid_and_the_next_the_rest(
    cluster: Cluster, chain: RpcChain, fund: Fund, opened: Opened, tmp_path: Path
) -> None:
    program = SPL_TOKEN_PROGRAM
    live, payout = Live(cluster, chain, Keypair()), Keypair()
    await fund(live.payer.pubkey(), payout.pubkey(), lamports=20 * SOL)
    second = await second_key(Live(cluster, chain, opened.desk.payer), opened)
    action = await announce(live, opened, second)
    mint = await make_mint(live, program)
    wallets = [Keypair().pubkey() for _ in range(HOLDERS)]
    await make_accounts(live, program, mint, [each for at, each in enumerate(wallets) if at not in MISSING])
    source = await issue(live, program, mint, 10**9)
    distribution = addresses.distribution_address(action, 0)
    places = committed(wallets, program, mint)
    lines = [
        PayoutLine(bytes(wallet), address, bump, 1_000 + at)
        for at, (wallet, (address, bump)) in enumerate(zip(wallets, places, strict=True))
    ]
    batches = [PayoutBatch(at // SIZE, tuple(lines[at : at + SIZE])) for at in range(0, HOLDERS, SIZE)]
    tree = DistributionTree(bytes(distribution), [line.entry for line in lines], size=SIZE)
    expires_at = await open_funded(
        live,
        opened,
        second,
        program=program,
        mint=mint,
        action=action,
        source=source,
        payout=payout.pubkey(),
        tree=tree,
    )
    await freeze(live, mint, Pubkey.from_bytes(lines[FROZEN].address))
    record = PayoutRecord(
        address=bytes(distribution),
        security=bytes(opened.share.address),
        action=bytes(action),
        number=0,
        payment_mint=bytes(mint),
        token_program=bytes(program),
        payment_decimals=6,
        payout_key=bytes(payout.pubkey()),
        refund=bytes(source),
        root=tree.root,
        batches=len(tree.batches),
        entries=tree.entries,
        total=tree.total,
        expires_at=expires_at,
        document=b"{}",
        created_at=await live.now(),
        state=PayoutState.APPROVED,
    )
    clock = SystemClock()
    rent = await chain.get_minimum_balance_for_rent_exemption(165)
    settings = PushSettings(rent_cap=2 * rent)

    async def stop_after_canary(stage: Stage, progress: PushProgress) -> bool:
        return False

    async with await open_store(f"sqlite:///{tmp_path / 'store.db'}") as store:
        await store.payouts.add(record, batches, (), ())
        signer = KeypairSigner(payout)
        calls = await PayoutCalls.load(store.payouts, distribution, signer.pubkey)
        first = await push(
            chain, store.payouts, store.outbox, clock, calls, signer,
            settings=settings, confirm_stage=stop_after_canary,
        )  # fmt: skip
        assert first.paid == Share(1, lines[0].amount)
        assert first.stage is Stage.CANARY
        held = await chain.get_balance(payout.pubkey(), "finalized")
        report = await push(
            chain, store.payouts, store.outbox, clock, calls, signer, settings=replace(settings, in_flight=2)
        )
        assert (report.stopped, report.is_complete) == ("", True)
        # The cap is for two of them; batches are made ready side by side, so that any two may be the first.
        _, opened_for = await chain.get_accounts([Pubkey.from_bytes(lines[at].address) for at in MISSING])
        [left] = [at for at, account in zip(MISSING, opened_for, strict=True) if account is None]
        unpaid = [FROZEN, left]
        assert report.left == {
            LeftReason.FROZEN_ACCOUNT: Share(1, lines[FROZEN].amount),
            LeftReason.MISSING: Share(1, lines[left].amount),
        }
        assert (report.accounts_opened, report.rent) == (2, 2 * rent)
        spent = held - await chain.get_balance(payout.pubkey(), "finalized")
        assert spent == report.fees + report.rent
        assert await store.outbox.pending() == ()
    _, found = await chain.get_accounts([Pubkey.from_bytes(line.address) for line in lines[:100]], "finalized")
    balances = [0 if each is None else decode_token_account(each.data).amount for each in found]
    assert balances == [0 if at in unpaid else line.amount for at, line in enumerate(lines[:100])]
