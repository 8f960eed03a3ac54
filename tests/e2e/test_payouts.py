"""A dividend to 57 holders in one transaction of version 1, through the library's own sending, on every cluster."""

from __future__ import annotations

import pytest
from clusters import Cluster, Fund
from live_cluster import Live
from live_issuer import SOL
from live_opening import Opened
from live_payouts import announce, committed, issue, make_accounts, make_mint, open_funded, second_key
from solders.instruction import AccountMeta
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tallystick.adapters.chain.rpc import RpcChain
from tallystick.domain.distribution_tree import DistributionTree, Entry
from tallystick.program import addresses
from tallystick.program.generated import events, instructions, types
from tallystick.program.generated.types import RoleKind
from tallystick.program.token import (
    SPL_TOKEN_PROGRAM,
    TOKEN_2022_PROGRAM,
    associated_token_address,
    decode_token_account,
)

RECIPIENTS = 57
PROGRAMS = pytest.mark.parametrize("program", [SPL_TOKEN_PROGRAM, TOKEN_2022_PROGRAM], ids=["spl", "token_2022"])


@PROGRAMS
async def test_57_holders_are_paid_by_one_transaction(
    cluster: Cluster, chain: RpcChain, fund: Fund, opened: Opened, program: Pubkey
) -> None:
    desk, live = opened.desk, Live(cluster, chain, Keypair())
    payout = Keypair()
    await fund(live.payer.pubkey(), payout.pubkey(), lamports=20 * SOL)
    second = await second_key(Live(cluster, chain, desk.payer), opened)
    action = await announce(live, opened, second)

    mint = await make_mint(live, program)
    wallets = [Keypair().pubkey() for _ in range(RECIPIENTS)]
    amounts = [1_000 + number for number in range(RECIPIENTS)]
    await make_accounts(live, program, mint, wallets)
    source = await issue(live, program, mint, sum(amounts))
    distribution = addresses.distribution_address(action, 0)
    places = committed(wallets, program, mint)
    entries = [Entry(address, bump, amount) for (address, bump), amount in zip(places, amounts, strict=True)]
    tree = DistributionTree(bytes(distribution), entries)
    escrow = associated_token_address(distribution, mint, program)
    await open_funded(
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
