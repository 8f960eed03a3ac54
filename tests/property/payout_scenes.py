"""Distributions that schedules push: approved and funded in the real program, each built once on one chain."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from actions import dividend
from chain_in_process import START, Chain, key
from distributions import Payout
from issuers import Issuer
from payments import Payment
from securities import Security
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tallystick.domain.distribution_tree import DistributionTree
from tallystick.domain.dividends import HolderClass, PayoutBatch, PayoutLine, PayoutRecord, PayoutState
from tallystick.program.token import SPL_TOKEN_PROGRAM, TOKEN_2022_PROGRAM

PAYER = Keypair.from_seed(bytes([7] * 32))
"""The payout key, which pays the fees too."""
SHAPES = ((3, 8), (4, 15), (5, 27), (8, 38), (3, 6), (7, 7), (20, 33))
"""Entries of a batch, and entries in all. The last has batches whose accounts one transaction cannot open."""
LEFT_TO_CLAIM = 5
"""Of so many holders the last is one that is left to claim."""


@dataclass(frozen=True)
class Scene:
    """A distribution that can be paid: what is on chain, and what the books say of it."""

    name: str
    payout: Payout
    tree: DistributionTree
    lines: tuple[PayoutLine, ...]
    record: PayoutRecord
    batches: tuple[PayoutBatch, ...]

    @property
    def address(self) -> Pubkey:
        """The distribution."""
        return Pubkey.from_bytes(self.record.address)


@dataclass(frozen=True)
class Stage:
    """One chain and its scenes."""

    chain: Chain
    scenes: tuple[Scene, ...]


@cache
def stage() -> Stage:
    """Built at the first call."""
    chain = Chain()
    alpha = Issuer(chain, "alpha").do_open(corporate_actions=2, attestor=3, operator=2)
    acme = Security(alpha, "ACME")
    acme.do_list(10**12)
    chain.warp(alpha.delay)
    chain.fund(PAYER.pubkey(), 10**12)
    scenes = [
        _scene(acme, program, number, entries, size)
        for program in (SPL_TOKEN_PROGRAM, TOKEN_2022_PROGRAM)
        for number, (size, entries) in enumerate(SHAPES)
    ]
    return Stage(chain, tuple(scenes))


def _scene(acme: Security, program: Pubkey, number: int, entries: int, size: int) -> Scene:
    chain = acme.chain
    name = f"{'SPL' if program == SPL_TOKEN_PROGRAM else 'T22'} {number}"
    action = replace(dividend(acme), event=name)
    left = entries // LEFT_TO_CLAIM
    wallets = sorted((key(f"{name} holder {each}") for each in range(entries - left)), key=bytes)
    others = sorted((key(f"{name} other {each}") for each in range(left)), key=bytes)
    classes = [HolderClass.WALLET] * len(wallets)
    classes += [HolderClass.PROGRAM if place % 2 else HolderClass.FROZEN for place in range(left)]
    amounts = tuple(1_000_000 * (place + 1) + place for place in range(entries))
    payout = Payout(action, Payment(chain, program), (*wallets, *others), amounts, size)
    payout.do_prepare()
    payout.payment.write_account(PAYER.pubkey(), 2**60)
    chain.send(payout.open(payout_key=PAYER.pubkey()))
    while not payout.account.is_full_grown:
        chain.send(payout.grow())
    chain.send(payout.approve())
    chain.send(payout.fund())
    tree = payout.tree
    lines = tuple(
        PayoutLine(bytes(wallet), entry.address, entry.bump, entry.amount, kind)
        for wallet, entry, kind in zip(
            payout.wallets, (entry for batch in tree.batches for entry in batch.entries), classes, strict=True
        )
    )
    batches = tuple(
        PayoutBatch(index, lines[start : start + size]) for index, start in enumerate(range(0, entries, size))
    )
    state = payout.state
    record = PayoutRecord(
        address=bytes(payout.address),
        security=bytes(acme.address),
        action=bytes(action.address),
        number=0,
        payment_mint=bytes(payout.payment.mint),
        token_program=bytes(program),
        payment_decimals=6,
        payout_key=bytes(PAYER.pubkey()),
        refund=bytes(payout.refund),
        root=tree.root,
        batches=len(tree.batches),
        entries=tree.entries,
        total=tree.total,
        expires_at=state.expires_at,
        document=b"{}",
        created_at=START,
        batch_size=size,
        state=PayoutState.APPROVED,
    )
    return Scene(name, payout, tree, lines, record, batches)


__all__ = ["PAYER", "SHAPES", "Scene", "Stage", "stage"]
