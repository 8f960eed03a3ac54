"""What a distribution takes on any cluster: a payment mint with money, everybody's accounts, an approved dividend."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass

from live_cluster import Live
from live_issuer import DAY, digest
from live_opening import Opened
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account
from tallystick.domain.distribution_tree import DistributionTree, Entry
from tallystick.program import addresses
from tallystick.program.generated import instructions, types
from tallystick.program.generated.types import ActionKind, RoleKind
from tallystick.program.token import (
    ASSOCIATED_TOKEN_PROGRAM,
    associated_token_address,
    create_associated_token_account_idempotent,
)

AT_ONCE = 10
MINT_SIZE, RENT = 82, 10**7
"""Bytes of a mint, and lamports that are more than its rent."""


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


@dataclass(frozen=True, slots=True)
class Funded:
    """A distribution that can be paid. `source` is the account that its money came from, which refunds go to."""

    address: Pubkey
    action: Pubkey
    mint: Pubkey
    source: Pubkey
    escrow: Pubkey
    tree: DistributionTree
    expires_at: int


async def appoint_second(live: Live, opened: Opened) -> Keypair:
    """Another corporate actions key, in force."""
    desk, second = opened.desk, Keypair()
    grant, admin = desk.grant(RoleKind.CORPORATE_ACTIONS, second)
    await Live(live.cluster, live.chain, desk.payer).send(grant, admin)
    await live.until(await live.now() + desk.delay)
    return second


async def fund_distribution(
    live: Live,
    opened: Opened,
    program: Pubkey,
    payout: Pubkey,
    amounts: dict[Pubkey, int],
    size: int,
    *,
    has_accounts: bool = True,
) -> Funded:
    """Open, approve and fund one that pays these wallets, in their order and `size` to a batch; with their accounts,
    unless said otherwise."""
    desk, payer, wallets = opened.desk, live.payer.pubkey(), list(amounts)
    second = await appoint_second(live, opened)
    action = await announce(live, opened, second)
    mint = await make_mint(live, program)
    if has_accounts:
        await make_accounts(live, program, mint, wallets)
    source = await issue(live, program, mint, sum(amounts.values()))
    address = addresses.distribution_address(action, 0)
    entries = []
    for wallet, amount in amounts.items():
        seeds = [bytes(wallet), bytes(program), bytes(mint)]
        found, bump = Pubkey.find_program_address(seeds, ASSOCIATED_TOKEN_PROGRAM)
        entries.append(Entry(bytes(found), bump, amount))
    tree = DistributionTree(bytes(address), entries, size=size)
    escrow = associated_token_address(address, mint, program)
    expires_at = await live.now() + DAY
    await live.send(
        instructions.open_distribution(
            payer=payer,
            distributor=desk.distributor.pubkey(),
            role=desk.role(RoleKind.DISTRIBUTOR, desk.distributor),
            security=opened.share.address,
            action=action,
            token_program=program,
            payment_mint=mint,
            escrow=escrow,
            refund=source,
            params=types.OpenDistributionParams(
                0, tree.root, len(tree.batches), tree.entries, tree.total, payout, expires_at
            ),
        ),
        desk.distributor,
    )
    await live.send(
        instructions.approve_distribution(
            approver=second.pubkey(),
            role=desk.role(RoleKind.CORPORATE_ACTIONS, second),
            action=action,
            distribution=address,
            params=types.ApproveDistributionParams(tree.root, tree.entries, tree.total, source, expires_at),
        ),
        second,
    )
    await live.send(
        instructions.fund_distribution(
            funder=payer,
            source=source,
            distribution=address,
            payment_mint=mint,
            escrow=escrow,
            token_program=program,
            params=types.FundDistributionParams(tree.total),
        )
    )
    return Funded(address, action, mint, source, escrow, tree, expires_at)
