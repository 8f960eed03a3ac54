"""A dividend to 57 holders in one transaction of version 1, through the library's own sending, on every cluster."""

from __future__ import annotations

import pytest
from clusters import Cluster, Fund
from live_cluster import Live
from live_distribution import fund_distribution
from live_issuer import SOL
from live_opening import Opened
from solders.instruction import AccountMeta
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tallystick.adapters.chain.rpc import RpcChain
from tallystick.program.generated import events, instructions, types
from tallystick.program.generated.types import RoleKind
from tallystick.program.token import SPL_TOKEN_PROGRAM, TOKEN_2022_PROGRAM, decode_token_account

RECIPIENTS = 57
PROGRAMS = pytest.mark.parametrize("program", [SPL_TOKEN_PROGRAM, TOKEN_2022_PROGRAM], ids=["spl", "token_2022"])


@PROGRAMS
async def test_57_holders_are_paid_by_one_transaction(
    cluster: Cluster, chain: RpcChain, fund: Fund, opened: Opened, program: Pubkey
) -> None:
    desk, live, payout = opened.desk, Live(cluster, chain, Keypair()), Keypair()
    await fund(live.payer.pubkey(), payout.pubkey(), lamports=20 * SOL)
    amounts = {Keypair().pubkey(): 1_000 + number for number in range(RECIPIENTS)}
    made = await fund_distribution(live, opened, program, payout.pubkey(), amounts, RECIPIENTS)
    batch = made.tree.batches[0]
    pay = instructions.pay_batch(
        payout_key=payout.pubkey(),
        distribution=made.address,
        escrow=made.escrow,
        payment_mint=made.mint,
        token_program=program,
        params=types.PayBatchParams(
            batch=0,
            entries_root=batch.entries_root,
            skip=0,
            bumps=bytes(entry.bump for entry in batch.entries),
            amounts=tuple(amounts.values()),
            proof=made.tree.proof(0),
        ),
        remaining_accounts=[
            AccountMeta(Pubkey.from_bytes(entry.address), is_signer=False, is_writable=True) for entry in batch.entries
        ],
    )
    payer = Live(cluster, chain, payout)
    landed = await payer.land(pay, version=1)
    assert landed.events == (events.BatchPaid(made.address, 0, 2**RECIPIENTS - 1, made.tree.total),)
    again = await payer.land(pay, version=1)
    assert again.events == ()
    _, found = await chain.get_accounts([Pubkey.from_bytes(entry.address) for entry in batch.entries])
    assert [decode_token_account(each.data).amount for each in found if each is not None] == list(amounts.values())

    close = instructions.close_distribution(
        distributor=desk.distributor.pubkey(),
        role=desk.role(RoleKind.DISTRIBUTOR, desk.distributor),
        distribution=made.address,
        rent_recipient=live.payer.pubkey(),
        payment_mint=made.mint,
        escrow=made.escrow,
        refund=made.source,
        token_program=program,
    )
    closed = await live.land(close, desk.distributor)
    assert [type(each) for each in closed.events] == [events.DistributionClosed]
