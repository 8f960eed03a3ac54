"""Distributions as the chain has them: the account with its bits, and which entries history says were paid."""

from __future__ import annotations

from dataclasses import dataclass

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Account, Chain, Commitment, MemcmpFilter
from tallystick.domain.canonical import sha256
from tallystick.errors import LedgerError, Refused
from tallystick.program import token
from tallystick.program.distribution_account import WORD, DistributionAccount
from tallystick.program.event_decoding import decode_events
from tallystick.program.generated.accounts import Distribution
from tallystick.program.generated.constants import PROGRAM_ID
from tallystick.program.generated.events import BatchPaid, EntitlementPaid
from tallystick.services.chain_reads import Snapshot, read_snapshot


@dataclass(frozen=True, slots=True)
class DistributionSeen:
    """A distribution at `slot`; `now` is the chain's clock there. `account` is None before it is opened."""

    address: Pubkey
    slot: int
    now: int
    account: DistributionAccount | None

    def require(self) -> DistributionAccount:
        """The account. Refused before it is opened."""
        if self.account is None:
            raise Refused(
                f"The distribution {self.address} is not opened yet.",
                hint="A distributor opens it with: tally dividend open",
            )
        return self.account


async def read_distribution(chain: Chain, address: Pubkey, commitment: Commitment = "confirmed") -> DistributionSeen:
    """A distribution and the chain's clock at one slot. LedgerError for an account that is something else."""
    snapshot = await read_snapshot(chain, [address], commitment)
    return distribution_in(snapshot, address)


async def list_distributions(chain: Chain, security: Pubkey) -> dict[Pubkey, DistributionAccount]:
    """Every distribution of a security, closed ones too."""
    wanted = [
        MemcmpFilter(0, Distribution.DISCRIMINATOR),
        MemcmpFilter(Distribution.OFFSETS["security"], bytes(security)),
    ]
    found = await chain.get_program_accounts(PROGRAM_ID, wanted)
    return {address: DistributionAccount.decode(account.data) for address, account in found.accounts.items()}


def distribution_in(snapshot: Snapshot, address: Pubkey) -> DistributionSeen:
    """A distribution among accounts that were read."""
    return DistributionSeen(
        address, snapshot.slot, snapshot.now, decode_distribution(address, snapshot.accounts[address])
    )


def decode_distribution(address: Pubkey, account: Account | None) -> DistributionAccount | None:
    """A distribution from its account; None when there is none. LedgerError for another owner or kind."""
    if account is None or (account.owner == token.SYSTEM_PROGRAM and not account.data):
        return None
    if account.owner != PROGRAM_ID:
        raise LedgerError(f"{address} belongs to {account.owner}; a distribution of {PROGRAM_ID} was expected.")
    return DistributionAccount.decode(account.data)


def hash_of_bits(words: tuple[int, ...]) -> bytes:
    """What closing leaves of the bits: SHA-256 of the words, little endian."""
    return sha256(b"".join(word.to_bytes(WORD, "little") for word in words))


async def bits_before_close(
    chain: Chain, address: Pubkey, batches: int, bits_hash: bytes, known: tuple[int, ...]
) -> tuple[int, ...]:
    """The bits that a closed distribution had, from those `known` and the events of its payments.

    LedgerError when they do not have the hash that closing left.
    """
    words = list(known) if len(known) == batches else [0] * batches
    if hash_of_bits(tuple(words)) == bits_hash:
        return tuple(words)
    before = None
    while page := await chain.get_signatures_for_address(address, before=before):
        for info in page:
            if info.error is not None:
                continue
            landed = await chain.get_transaction(info.signature)
            if landed is None:
                continue
            for event in decode_events((each.program, each.accounts, each.data) for each in landed.inner):
                if isinstance(event, BatchPaid) and event.distribution == address:
                    words[event.batch] |= event.paid
                if isinstance(event, EntitlementPaid) and event.distribution == address:
                    words[event.batch] |= 1 << event.index
        if hash_of_bits(tuple(words)) == bits_hash:
            break  # The newest are read first, and what was missing landed just before the close.
        before = page[-1].signature
    if hash_of_bits(tuple(words)) != bits_hash:
        raise LedgerError(
            "The payments of this distribution that the endpoints still know do not have the hash that closing left.",
            hint="Ask an endpoint with the whole history, then run this again: nothing was recorded.",
        )
    return tuple(words)


__all__ = [
    "DistributionSeen",
    "bits_before_close",
    "decode_distribution",
    "distribution_in",
    "hash_of_bits",
    "list_distributions",
    "read_distribution",
]
