"""What a distribution takes on a running cluster: a payment token, accounts of it, an approved action, the money."""

from __future__ import annotations

import asyncio
import secrets

from live_cluster import Live
from live_issuer import DAY, digest
from live_opening import Opened
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account
from tallystick.domain.distribution_tree import DistributionTree
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
    """A mint whose authority is the payer, who may freeze accounts of it too."""
    mint, payer = Keypair(), live.payer.pubkey()
    initialize = Instruction(
        program,
        bytes([20, 6]) + bytes(payer) + b"\1" + bytes(payer),
        [AccountMeta(mint.pubkey(), is_signer=False, is_writable=True)],
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


async def open_funded(
    live: Live,
    opened: Opened,
    second: Keypair,
    *,
    program: Pubkey,
    mint: Pubkey,
    action: Pubkey,
    source: Pubkey,
    payout: Pubkey,
    tree: DistributionTree,
) -> int:
    """Open, approve and fund a distribution of a list; when it expires."""
    desk, distribution = opened.desk, addresses.distribution_address(action, 0)
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
    return expires_at


async def second_key(live: Live, opened: Opened) -> Keypair:
    """Another corporate actions key, in force. `live` pays as the desk does."""
    second = Keypair()
    grant, admin = opened.desk.grant(RoleKind.CORPORATE_ACTIONS, second)
    await live.send(grant, admin)
    await live.until(await live.now() + opened.desk.delay)
    return second


def committed(wallets: list[Pubkey], program: Pubkey, mint: Pubkey) -> list[tuple[bytes, int]]:
    """Address and bump of everybody's associated account."""
    found = [
        Pubkey.find_program_address([bytes(wallet), bytes(program), bytes(mint)], ASSOCIATED_TOKEN_PROGRAM)
        for wallet in wallets
    ]
    return [(bytes(address), bump) for address, bump in found]
