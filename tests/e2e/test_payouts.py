"""A dividend to 57 holders in one transaction of version 1, through the library's own sending, on every cluster."""

from __future__ import annotations

import asyncio
import secrets

import pytest
from clusters import Cluster, Fund
from live_cluster import Live
from live_issuer import DAY, SOL, digest
from live_opening import Opened
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account
from tallystick.adapters.chain.rpc import RpcChain
from tallystick.domain.distribution_tree import DistributionTree, Entry
from tallystick.program import addresses
from tallystick.program.generated import events, instructions, types
from tallystick.program.generated.types import ActionKind, RoleKind
from tallystick.program.token import (
    ASSOCIATED_TOKEN_PROGRAM,
    SPL_TOKEN_PROGRAM,
    TOKEN_2022_PROGRAM,
    associated_token_address,
    create_associated_token_account_idempotent,
    decode_token_account,
)

RECIPIENTS, AT_ONCE = 57, 10
MINT_SIZE, RENT = 82, 10**7
"""Bytes of a mint, and lamports that are more than its rent."""
PROGRAMS = pytest.mark.parametrize("program", [SPL_TOKEN_PROGRAM, TOKEN_2022_PROGRAM], ids=["spl", "token_2022"])


async def make_mint(live: Live, program: Pubkey) -> Pubkey:
    """A mint whose authority is the payer."""
    mint, payer = Keypair(), live.payer.pubkey()
    initialize = Instruction(
        program, bytes([20, 6]) + bytes(payer) + b"\0", [AccountMeta(mint.pubkey(), is_signer=False, is_writable=True)]
    )
    params = CreateAccountParams(
        from_pubkey=payer, to_pubkey=mint.pubkey(), lamports=RENT, space=MINT_SIZE, owner=program
    )  # fmt: skip
    await live.send([create_account(params), initialize], mint)
    return mint.pubkey()


async def make_accounts(live: Live, program: Pubkey, mint: Pubkey, wallets: list[Pubkey]) -> None:
    """Everybody's associated account."""
    payer = live.payer.pubkey()
    made = [
        create_associated_token_account_idempotent(payer=payer, wallet=wallet, mint=mint, token_program=program)
        for wallet in wallets
    ]
    await asyncio.gather(
        *(live.send(made[at : at + AT_ONCE], version=1) for at in range(0, len(made), AT_ONCE))
    )  # fmt: skip


async def issue(live: Live, program: Pubkey, mint: Pubkey, raw: int) -> Pubkey:
    """Money in the payer's own account."""
    payer = live.payer.pubkey()
    await make_accounts(live, program, mint, [payer])
    account = associated_token_address(payer, mint, program)
    metas = [
        AccountMeta(mint, is_signer=False, is_writable=True),
        AccountMeta(account, is_signer=False, is_writable=True),
        AccountMeta(payer, is_signer=True, is_writable=False),
    ]
    await live.send(Instruction(program, b"\7" + raw.to_bytes(8, "little"), metas))
    return account


async def announce(live: Live, opened: Opened, second: Keypair) -> Pubkey:
    """A dividend, announced by one key and approved by another."""
    desk, security, now = opened.desk, opened.share.address, await live.now()
    event = secrets.token_bytes(32)
    terms = types.ActionTerms(
        ex_at=now,
        record_at=now,
        pay_at=now,
        effective_at=0,
        numerator=0,
        denominator=0,
        gross_per_share=10**17,
        currency=b"USD",
        withholding=0,
        evidence_hash=digest("notice"),
    )
    announcer, role = desk.corporate_actions, RoleKind.CORPORATE_ACTIONS
    await live.send(
        instructions.announce_action(
            payer=live.payer.pubkey(),
            announcer=announcer.pubkey(),
            role=desk.role(role, announcer),
            security=security,
            params=types.AnnounceActionParams(event, 1, ActionKind.CASH_DIVIDEND, terms),
        ),
        announcer,
    )
    action = addresses.action_address(security, event, 1)
    await live.send(
        instructions.approve_action(
            approver=second.pubkey(), role=desk.role(role, second), security=security, action=action
        ),
        second,
    )
    return action


@PROGRAMS
async def test_57_holders_are_paid_by_one_transaction(
    cluster: Cluster, chain: RpcChain, fund: Fund, opened: Opened, program: Pubkey
) -> None:
    desk, live = opened.desk, Live(cluster, chain, Keypair())
    payout, second = Keypair(), Keypair()
    await fund(live.payer.pubkey(), payout.pubkey(), lamports=20 * SOL)
    grant, admin = desk.grant(RoleKind.CORPORATE_ACTIONS, second)
    await Live(cluster, chain, desk.payer).send(grant, admin)
    await live.until(await live.now() + desk.delay)
    action = await announce(live, opened, second)

    mint = await make_mint(live, program)
    wallets = [Keypair().pubkey() for _ in range(RECIPIENTS)]
    amounts = [1_000 + number for number in range(RECIPIENTS)]
    await make_accounts(live, program, mint, wallets)
    source = await issue(live, program, mint, sum(amounts))
    distribution = addresses.distribution_address(action, 0)
    entries = []
    for wallet, amount in zip(wallets, amounts, strict=True):
        seeds = [bytes(wallet), bytes(program), bytes(mint)]
        address, bump = Pubkey.find_program_address(seeds, ASSOCIATED_TOKEN_PROGRAM)
        entries.append(Entry(bytes(address), bump, amount))
    tree = DistributionTree(bytes(distribution), entries)
    escrow = associated_token_address(distribution, mint, program)
    expires_at = await live.now() + DAY
    await live.send(
        instructions.open_distribution(
            payer=live.payer.pubkey(),
            distributor=desk.distributor.pubkey(),
            role=desk.role(RoleKind.DISTRIBUTOR, desk.distributor),
            security=opened.share.address,
            action=action,
            token_program=program,
            payment_mint=mint,
            escrow=escrow,
            refund=source,
            params=types.OpenDistributionParams(
                0, tree.root, len(tree.batches), tree.entries, tree.total, payout.pubkey(), expires_at
            ),
        ),
        desk.distributor,
    )
    await live.send(
        instructions.approve_distribution(
            approver=second.pubkey(),
            role=desk.role(RoleKind.CORPORATE_ACTIONS, second),
            action=action,
            distribution=distribution,
            params=types.ApproveDistributionParams(tree.root, tree.entries, tree.total, source, expires_at),
        ),
        second,
    )
    await live.send(
        instructions.fund_distribution(
            funder=live.payer.pubkey(),
            source=source,
            distribution=distribution,
            payment_mint=mint,
            escrow=escrow,
            token_program=program,
            params=types.FundDistributionParams(tree.total),
        )
    )
    batch = tree.batches[0]
    pay = instructions.pay_batch(
        payout_key=payout.pubkey(),
        distribution=distribution,
        escrow=escrow,
        payment_mint=mint,
        token_program=program,
        params=types.PayBatchParams(
            batch=0,
            entries_root=batch.entries_root,
            skip=0,
            bumps=bytes(entry.bump for entry in entries),
            amounts=tuple(amounts),
            proof=tree.proof(0),
        ),
        remaining_accounts=[
            AccountMeta(Pubkey.from_bytes(entry.address), is_signer=False, is_writable=True) for entry in entries
        ],
    )
    payer = Live(cluster, chain, payout)
    landed = await payer.land(pay, version=1)
    assert landed.events == (events.BatchPaid(distribution, 0, 2**RECIPIENTS - 1, tree.total),)
    again = await payer.land(pay, version=1)
    assert again.events == ()
    _, found = await chain.get_accounts([Pubkey.from_bytes(entry.address) for entry in entries])
    assert [decode_token_account(each.data).amount for each in found if each is not None] == amounts

    close = instructions.close_distribution(
        distributor=desk.distributor.pubkey(),
        role=desk.role(RoleKind.DISTRIBUTOR, desk.distributor),
        distribution=distribution,
        rent_recipient=live.payer.pubkey(),
        payment_mint=mint,
        escrow=escrow,
        refund=source,
        token_program=program,
    )
    closed = await live.land(close, desk.distributor)
    assert [type(each) for each in closed.events] == [events.DistributionClosed]
