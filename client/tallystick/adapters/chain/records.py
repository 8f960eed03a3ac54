"""What the in-memory ledger keeps of a transaction that landed, or would have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from solders.hash import Hash
from solders.instruction import CompiledInstruction
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from tallystick.adapters.chain.protocol import Account
from tallystick.adapters.chain.wire import Loaded


@dataclass(frozen=True, slots=True)
class Inner:
    """An instruction called by top-level instruction `parent`, `height` levels deep (the top is 1)."""

    parent: int
    instruction: CompiledInstruction
    height: int | None


@dataclass(frozen=True, slots=True)
class TokenBalance:
    """Tokens in the transaction's account `index`. `amount` in raw units."""

    index: int
    mint: Pubkey
    owner: Pubkey
    program: Pubkey
    amount: int
    decimals: int


@dataclass(frozen=True, slots=True)
class Balances:
    """Lamports of each account of a transaction, and the token accounts among them."""

    lamports: tuple[int, ...]
    tokens: tuple[TokenBalance, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What executing, or refusing to execute, a transaction came to.

    `error` is in Agave's JSON form. `landed` False means it was refused before execution: no fee, no trace.
    `units` in compute units, `loaded_data` in bytes, `fee` in lamports (None when nobody was found to pay it).
    `changed` holds the accounts after a successful simulation.
    """

    error: Any
    landed: bool
    fee: int | None
    units: int
    loaded_data: int
    logs: tuple[str, ...]
    inner: tuple[Inner, ...]
    return_data: tuple[Pubkey, bytes] | None
    before: Balances
    after: Balances
    addresses: tuple[Pubkey, ...]
    loaded: Loaded
    executed: bool
    changed: dict[Pubkey, Account]


@dataclass(frozen=True, slots=True)
class Landed:
    """A transaction in its block. `block_time` in seconds since 1970."""

    signature: Signature
    slot: int
    block_time: int
    transaction: VersionedTransaction
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Block:
    """One slot's block; at most one transaction is in it. `time` in seconds since 1970."""

    slot: int
    blockhash: Hash
    previous: Hash
    time: int
    transactions: tuple[Landed, ...]
