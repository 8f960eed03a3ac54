"""Builders of distributions; conventions as in issuers.py. `payout` makes the usual one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import remembered_addresses as addresses
from actions import Action, dividend
from chain_in_process import Chain, Receipt, Refusal, key, refusal_name
from issuers import DAY, Issuer, build
from payments import Payment
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.transaction_metadata import FailedTransactionMetadata, TransactionMetadata
from tallystick.adapters.chain.transactions import build_transaction
from tallystick.domain.distribution_tree import MAX_ENTRIES, Batch, DistributionTree, Entry
from tallystick.domain.merkle import MerkleTree
from tallystick.program.distribution_account import DistributionAccount
from tallystick.program.generated import accounts, instructions, types
from tallystick.program.generated.types import RoleKind
from tallystick.program.token import SPL_TOKEN_PROGRAM
from world import World

DISTRIBUTOR, CORPORATE_ACTIONS = RoleKind.DISTRIBUTOR, RoleKind.CORPORATE_ACTIONS
PAYOUT_KEY, TREASURY, FUNDER = key("payout"), key("treasury"), key("funder")


@dataclass(frozen=True, slots=True)
class Payout:
    """A distribution of `amounts` to `wallets`, `size` to a batch."""

    action: Action
    payment: Payment
    wallets: tuple[Pubkey, ...]
    amounts: tuple[int, ...]
    size: int = MAX_ENTRIES
    number: int = 0
    expires_in: int = 30 * DAY

    @property
    def chain(self) -> Chain:
        """Where it is."""
        return self.action.security.chain

    @property
    def issuer(self) -> Issuer:
        """Who pays."""
        return self.action.security.issuer

    @property
    def address(self) -> Pubkey:
        """The distribution account."""
        return addresses.distribution_address(self.action.address, self.number)

    @property
    def escrow(self) -> Pubkey:
        """Its escrow."""
        return self.payment.tokens(self.address)

    @property
    def refund(self) -> Pubkey:
        """Where closing sends the rest."""
        return self.payment.tokens(TREASURY)

    @property
    def state(self) -> accounts.Distribution:
        """The fields of its account."""
        return self.account.fields

    @property
    def account(self) -> DistributionAccount:
        """Its account."""
        found = self.chain.find(self.address)
        assert found is not None
        return DistributionAccount.decode(found.data)

    @property
    def bits(self) -> tuple[int, ...]:
        """The word of each batch."""
        return self.account.words

    @property
    def tree(self) -> DistributionTree:
        """What it commits to; built on each call."""
        found = [
            Entry(bytes(address), bump, amount)
            for (address, bump), amount in zip(map(self.payment.find, self.wallets), self.amounts, strict=True)
        ]
        return DistributionTree(bytes(self.address), found, size=self.size)

    @property
    def total(self) -> int:
        """All amounts together."""
        return sum(self.amounts)

    def paid(self, *wallets: Pubkey) -> list[int]:
        """What these wallets have."""
        return [self.payment.balance(wallet) for wallet in wallets]

    # Instructions ----------------------------------------------------------------------------------------------------

    def open(self, **change: Any) -> Instruction:
        """Open it; fields of the params may be given by name."""
        tree = self.tree
        params = types.OpenDistributionParams(
            number=self.number,
            root=tree.root,
            batches=len(tree.batches),
            entries=tree.entries,
            total=tree.total,
            payout_key=PAYOUT_KEY,
            expires_at=self.chain.now + self.expires_in,
        )
        params = replace(params, **{name: change.pop(name) for name in params.__slots__ if name in change})
        return build(
            instructions.open_distribution,
            change,
            payer=self.chain.payer,
            distributor=self.issuer.key(DISTRIBUTOR),
            role=self.issuer.role(DISTRIBUTOR),
            security=self.action.security.address,
            action=self.action.address,
            payment_mint=self.payment.mint,
            escrow=self.escrow,
            refund=self.refund,
            token_program=self.payment.program,
            params=params,
        )

    def grow(self, **change: Any) -> Instruction:
        """One step of growth."""
        return build(instructions.grow_distribution, change, payer=self.chain.payer, distribution=self.address)

    def approve(self, **change: Any) -> Instruction:
        """Approve it with the second key; fields of the params may be given by name."""
        tree = self.tree
        params = types.ApproveDistributionParams(
            root=tree.root,
            entries=tree.entries,
            total=tree.total,
            refund=self.refund,
            expires_at=0 if "expires_at" in change else self.state.expires_at,
        )
        params = replace(params, **{name: change.pop(name) for name in params.__slots__ if name in change})
        return build(
            instructions.approve_distribution,
            change,
            approver=self.issuer.key(CORPORATE_ACTIONS),
            role=self.issuer.role(CORPORATE_ACTIONS),
            action=self.action.address,
            distribution=self.address,
            params=params,
        )

    def fund(self, raw: int | None = None, **change: Any) -> Instruction:
        """Fund it, in full unless said otherwise."""
        return build(
            instructions.fund_distribution,
            change,
            funder=FUNDER,
            source=self.payment.tokens(FUNDER),
            distribution=self.address,
            payment_mint=self.payment.mint,
            escrow=self.escrow,
            token_program=self.payment.program,
            params=types.FundDistributionParams(self.total if raw is None else raw),
        )

    def batch_params(self, at: int, skip: int = 0, /, **change: Any) -> types.PayBatchParams:
        """What a call says of a batch; fields may be given by name."""
        tree = self.tree
        found: Batch = tree.batches[at]
        params = types.PayBatchParams(
            batch=at,
            entries_root=found.entries_root,
            skip=skip,
            bumps=bytes(entry.bump for entry in found.entries),
            amounts=tuple(entry.amount for entry in found.entries),
            proof=tree.proof(at),
        )
        return replace(params, **change)

    def pay_batch(
        self, at: int = 0, skip: int = 0, /, *, recipients: list[Pubkey] | None = None, **change: Any
    ) -> Instruction:
        """Pay a batch; fields of the params may be given by name."""
        names = types.PayBatchParams.__slots__
        params = self.batch_params(at, skip, **{name: change.pop(name) for name in names if name in change})
        if recipients is None:
            recipients = [Pubkey.from_bytes(entry.address) for entry in self.tree.batches[at].entries]
        return build(
            instructions.pay_batch,
            change,
            payout_key=PAYOUT_KEY,
            distribution=self.address,
            escrow=self.escrow,
            payment_mint=self.payment.mint,
            token_program=self.payment.program,
            params=params,
            remaining_accounts=[AccountMeta(each, is_signer=False, is_writable=True) for each in recipients],
        )

    def pay_entitlement(self, wallet: Pubkey, **change: Any) -> Instruction:
        """Pay one wallet's entry; fields of the params may be given by name."""
        tree = self.tree
        batch, index = divmod(self.wallets.index(wallet), self.size)
        found = tree.batches[batch]
        entry = found.entries[index]
        params = types.PayEntitlementParams(
            batch=batch,
            count=len(found.entries),
            index=index,
            bump=entry.bump,
            raw=entry.amount,
            flat_hash=found.flat_hash,
            entry_proof=found.tree.proof(index),
            batch_proof=tree.proof(batch),
        )
        params = replace(params, **{name: change.pop(name) for name in params.__slots__ if name in change})
        return build(
            instructions.pay_entitlement,
            change,
            distribution=self.address,
            destination=Pubkey.from_bytes(entry.address),
            holder=self.issuer.holder(wallet),
            payment_mint=self.payment.mint,
            escrow=self.escrow,
            token_program=self.payment.program,
            params=params,
        )

    def close(self, **change: Any) -> Instruction:
        """Close it."""
        return build(
            instructions.close_distribution,
            change,
            distributor=self.issuer.key(DISTRIBUTOR),
            role=self.issuer.role(DISTRIBUTOR),
            distribution=self.address,
            rent_recipient=self.chain.payer,
            payment_mint=self.payment.mint,
            escrow=self.escrow,
            refund=self.refund,
            token_program=self.payment.program,
        )

    # Doing -----------------------------------------------------------------------------------------------------------

    def do_prepare(self) -> Payout:
        """What has to be there: an approved action, the distributors, the mint, everybody's accounts."""
        issuer = self.issuer
        for number in (1, 2):
            if self.chain.find(issuer.role(DISTRIBUTOR, number)) is None:
                self.chain.send(issuer.grant_role(DISTRIBUTOR, number))
        self.chain.warp(issuer.delay)
        if self.chain.find(self.action.address) is None:
            self.action.do_approve()
        self.payment.write_mint()
        for wallet in (*self.wallets, TREASURY):
            self.payment.write_account(wallet)
        self.payment.write_account(FUNDER, 2**62)
        for each in (PAYOUT_KEY, FUNDER):
            self.chain.fund(each)
        return self

    def do_open(self) -> Payout:
        """Prepare and open it, grown to its full size."""
        self.do_prepare()
        self.chain.send(self.open())
        while not self.account.is_full_grown:
            self.chain.send(self.grow())
        return self

    def do_approve(self) -> Payout:
        """Open and approve it."""
        self.do_open()
        self.chain.send(self.approve())
        return self

    def do_fund(self) -> Payout:
        """Open, approve and fund it in full."""
        self.do_approve()
        self.chain.send(self.fund())
        return self


def wallets(world: World, count: int) -> tuple[Pubkey, ...]:
    """Alice, Bob, and so many more."""
    return (world.alice, world.bob, *(key(f"holder {number}") for number in range(2, count)))[:count]


def payout(world: World, program: Pubkey = SPL_TOKEN_PROGRAM, count: int = 7, size: int = 3, **change: Any) -> Payout:
    """A cash dividend of acme to seven wallets, in batches of three: 1.00, 2.00 and so on."""
    made = Payout(
        action=dividend(world.acme),
        payment=Payment(world.chain, program),
        wallets=wallets(world, count),
        amounts=tuple(1_000_000 * (place + 1) for place in range(count)),
        size=size,
    )
    return replace(made, **change)


@cache
def _leaves(count: int) -> list[bytes]:
    return [hashlib.sha256(number.to_bytes(4, "little")).digest() for number in range(count)]


def full_batch(world: World, program: Pubkey) -> tuple[Payout, Instruction]:
    """57 recipients, as the one batch that is real among those of a million holders; and the call that pays them."""
    made = payout(world, program, count=57, size=57).do_prepare()
    tree = made.tree
    leaves = [tree.batches[0].leaf(bytes(made.address)), *_leaves(17_544)[1:]]
    forest = MerkleTree(leaves)
    known = {"root": forest.root, "entries": 10**6, "total": made.total}
    world.chain.send(made.open(batches=17_544, **known))
    while not made.account.is_full_grown:
        world.chain.send(made.grow())
    world.chain.send(made.approve(**known))
    world.chain.send(made.fund())
    return made, made.pay_batch(0, proof=forest.proof(0))


def send_version_1(chain: Chain, *found: Instruction, payer: Pubkey = PAYOUT_KEY) -> tuple[Receipt, int]:
    """Execute as one transaction of version 1, made by the project's own code; its size too. Raises Refusal."""
    transaction = build_transaction(
        found,
        payer,
        Hash.default(),
        version=1,
        compute_unit_limit=1_400_000,
        loaded_accounts_data_size_limit=8 * 1024 * 1024,
    )
    chain.known.update(transaction.message.account_keys)
    result = chain.svm.send_transaction(transaction)
    if isinstance(result, FailedTransactionMetadata):
        logs = tuple(result.meta().logs())
        raise Refusal(refusal_name(result.err(), logs), logs)
    assert isinstance(result, TransactionMetadata)
    receipt = Receipt((), tuple(result.logs()), result.compute_units_consumed())
    return receipt, len(bytes(transaction))


__all__ = [
    "CORPORATE_ACTIONS", "DISTRIBUTOR", "FUNDER", "PAYOUT_KEY", "TREASURY", "Payout", "full_batch", "payout",
    "send_version_1", "wallets",
]  # fmt: skip
