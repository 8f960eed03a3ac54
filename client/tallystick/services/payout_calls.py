"""The instructions of a push: what pays a batch and what opens missing accounts, from the list as stored.

The list is read once, batch by batch, and hashed into the tree again: of a million holders only hashes stay in memory.
The same distribution, batch and set of entries always give the same instruction.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import Final

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from tallystick.adapters.store.payouts import PayoutStore
from tallystick.domain.distribution_tree import Batch
from tallystick.domain.dividends import HolderClass, PayoutBatch, PayoutLine, PayoutRecord
from tallystick.domain.merkle import MerkleTree
from tallystick.errors import LedgerError, Refused
from tallystick.program.generated import instructions, types
from tallystick.program.token import associated_token_address, create_associated_token_account_idempotent

ACCOUNTS_AT_ONCE: Final = 10
"""Accounts that one transaction opens: opening one takes six instructions with those it calls, of 64 that a transaction
may have in all (MaxInstructionTraceLengthExceeded beyond that)."""
BATCHES_AT_ONCE: Final = 64
"""Batches read from the store at a time."""


class PayoutCalls:
    """One distribution's list: `skips` has a word for each batch with the bits that a push leaves out."""

    def __init__(
        self,
        store: PayoutStore,
        record: PayoutRecord,
        payer: Pubkey,
        suspended: Collection[bytes],
        frozen: Collection[bytes],
    ) -> None:
        self.record = record
        self.suspended = frozenset(suspended)
        self.frozen = frozenset(frozen)
        self.skips: list[int] = []
        self.sizes: list[int] = []
        self._store = store
        self._payer = payer
        self._distribution = Pubkey.from_bytes(record.address)
        self._mint = Pubkey.from_bytes(record.payment_mint)
        self._program = Pubkey.from_bytes(record.token_program)
        self._escrow = associated_token_address(self._distribution, self._mint, self._program)
        self._entries_roots: list[bytes] = []
        self._window: dict[int, PayoutBatch] = {}
        self._reading = asyncio.Lock()
        self._tree: MerkleTree | None = None

    @staticmethod
    async def load(
        store: PayoutStore,
        distribution: Pubkey,
        payer: Pubkey,
        *,
        suspended: Collection[bytes] = (),
        frozen: Collection[bytes] = (),
    ) -> PayoutCalls:
        """The list of a distribution, for a push by `payer`. `suspended` are the owners whom compliance has suspended
        now, `frozen` those of whom a token account of the security is frozen now, 32 bytes each. Refused when there is
        none in the store, LedgerError when it is not the one of its record."""
        record = await store.find(bytes(distribution))
        if record is None:
            raise Refused(
                f"The store has no list of distribution {distribution}.", hint="Plan it with: tally dividend plan"
            )
        calls = PayoutCalls(store, record, payer, suspended, frozen)
        leaves, entries, total = [], 0, 0
        for first in range(0, record.batches, BATCHES_AT_ONCE):
            for stored in await store.batches(record.address, first, BATCHES_AT_ONCE):
                batch = Batch(stored.index, tuple(line.entry for line in stored.lines))
                leaves.append(batch.leaf(record.address))
                calls._entries_roots.append(batch.entries_root)
                calls.sizes.append(len(stored.lines))
                calls.skips.append(calls._skips_of(stored))
                entries, total = entries + len(stored.lines), total + stored.total
        tree = MerkleTree(leaves) if leaves else None
        if tree is None or (tree.root, len(leaves), entries, total) != (
            record.root,
            record.batches,
            record.entries,
            record.total,
        ):
            raise LedgerError(f"The stored list of distribution {distribution} is not the one its record names.")
        calls._tree = tree
        return calls

    def _skips_of(self, batch: PayoutBatch) -> int:
        word = 0
        for place, line in enumerate(batch.lines):
            is_left = line.holder_class in (HolderClass.PROGRAM, HolderClass.INVENTORY)
            if is_left or line.owner in self.suspended or line.owner in self.frozen:
                word |= 1 << place
        return word

    def target(self, batch: int, word: int) -> int:
        """The bits of a batch that a push may set: entries that are neither paid nor left out."""
        return ((1 << self.sizes[batch]) - 1) & ~word & ~self.skips[batch]

    async def batch(self, number: int) -> PayoutBatch:
        """A batch, from the store; those behind it come along."""
        async with self._reading:
            if (kept := self._window.get(number)) is not None:
                return kept
            found = await self._store.batches(self.record.address, number, BATCHES_AT_ONCE)
            if not found:
                raise LedgerError(f"Batch {number} of a distribution is missing in the store.")
            self._window = {each.index: each for each in found}
            return found[0]

    def pay(self, batch: PayoutBatch, target: int) -> Instruction:
        """The call that pays the entries of `target`, and no others."""
        assert self._tree is not None
        every = (1 << len(batch.lines)) - 1
        return instructions.pay_batch(
            payout_key=self._payer,
            distribution=self._distribution,
            escrow=self._escrow,
            payment_mint=self._mint,
            token_program=self._program,
            params=types.PayBatchParams(
                batch=batch.index,
                entries_root=self._entries_roots[batch.index],
                skip=every & ~target,
                bumps=bytes(line.bump for line in batch.lines),
                amounts=tuple(line.amount for line in batch.lines),
                proof=self._tree.proof(batch.index),
            ),
            remaining_accounts=[
                AccountMeta(Pubkey.from_bytes(line.address), is_signer=False, is_writable=True) for line in batch.lines
            ],
        )

    def open_accounts(self, lines: Sequence[PayoutLine]) -> list[Instruction]:
        """Calls that make sure these recipients' accounts exist."""
        return [
            create_associated_token_account_idempotent(
                payer=self._payer,
                wallet=Pubkey.from_bytes(line.owner),
                mint=self._mint,
                token_program=self._program,
            )
            for line in lines
        ]


__all__ = ["ACCOUNTS_AT_ONCE", "BATCHES_AT_ONCE", "PayoutCalls"]
