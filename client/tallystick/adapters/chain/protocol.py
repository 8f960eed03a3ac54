"""What the rest of the library may ask of a cluster, whichever it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.signature import Signature

from tallystick.adapters.chain.token_accounts import TokenAccounts

Commitment = Literal["processed", "confirmed", "finalized"]


@dataclass(frozen=True, slots=True)
class Account:
    """One account as a cluster holds it. `lamports` in lamports."""

    owner: Pubkey
    lamports: int
    data: bytes
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Blockhash:
    """A recent blockhash and the last block height at which a transaction naming it can land."""

    blockhash: Hash
    last_valid_block_height: int


@dataclass(frozen=True, slots=True)
class SignatureStatus:
    """What a cluster says of one signature: the slot, how settled it is, and the execution error if any."""

    slot: int
    commitment: Commitment
    error: object | None


@dataclass(frozen=True, slots=True)
class InnerInstruction:
    """One instruction called by another: `parent` is the index of the top-level instruction."""

    parent: int
    program: Pubkey
    accounts: tuple[Pubkey, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Simulation:
    """Result of running a transaction without landing it. `units` in compute units, `loaded_data` in bytes.

    Of a transaction that succeeded and was watched: `accounts` as it would leave each account watched (None: there is
    none), and `inner`, the instructions its programs called. A node leaves out those it shows in words of its own
    instead of bytes (the system program's, the token programs'), so `inner` serves to find our events and no more.
    """

    error: object | None
    logs: tuple[str, ...]
    units: int
    loaded_data: int | None
    accounts: Mapping[Pubkey, Account | None] = field(default_factory=dict)
    inner: tuple[InnerInstruction, ...] = ()


@dataclass(frozen=True, slots=True)
class TokenBalance:
    """What one token account of a transaction held, of whatever token program. `raw` in raw units."""

    account: Pubkey
    mint: Pubkey
    owner: Pubkey
    raw: int


@dataclass(frozen=True, slots=True)
class ConfirmedTransaction:
    """A landed transaction. `error` None means it executed; `fee` in lamports; `block_time` in seconds since 1970.

    `before` and `after` are the token accounts it named, as they were on either side of it: one that is in `after`
    alone was made by it, one in `before` alone was closed.
    """

    signature: Signature
    slot: int
    block_time: int | None
    error: object | None
    fee: int
    units: int | None
    logs: tuple[str, ...]
    accounts: tuple[Pubkey, ...]
    inner: tuple[InnerInstruction, ...]
    before: tuple[TokenBalance, ...] = ()
    after: tuple[TokenBalance, ...] = ()


@dataclass(frozen=True, slots=True)
class SignatureInfo:
    """One line of an address's history."""

    signature: Signature
    slot: int
    error: object | None
    block_time: int | None


@dataclass(frozen=True, slots=True)
class MemcmpFilter:
    """Keep accounts whose data at `offset` equals `data`."""

    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class ProgramAccounts:
    """Accounts of one program, all read at `slot`."""

    slot: int
    accounts: dict[Pubkey, Account] = field(default_factory=dict)


class Chain(Protocol):
    """A Solana cluster. Every method raises ChainError (errors.py) when the cluster cannot answer.

    Implementations: RpcChain (JSON-RPC, several endpoints, failover) and MemoryChain (LiteSVM in this process).
    """

    async def get_genesis_hash(self) -> Hash: ...
    async def get_slot(self, commitment: Commitment = "confirmed") -> int: ...
    async def get_block_height(self, commitment: Commitment = "confirmed") -> int: ...
    async def get_block_time(self, slot: int) -> int | None: ...
    async def get_latest_blockhash(self, commitment: Commitment = "confirmed") -> Blockhash: ...
    async def get_minimum_balance_for_rent_exemption(self, size: int) -> int: ...
    async def get_balance(self, address: Pubkey, commitment: Commitment = "confirmed") -> int: ...

    async def get_account(self, address: Pubkey, commitment: Commitment = "confirmed") -> Account | None: ...

    async def get_accounts(
        self, addresses: Sequence[Pubkey], commitment: Commitment = "confirmed"
    ) -> tuple[int, list[Account | None]]:
        """The slot they were read at, and the accounts as asked; chunks of 100 are read until one slot holds."""
        ...

    async def get_program_accounts(
        self,
        program: Pubkey,
        filters: Sequence[MemcmpFilter | int] = (),
        *,
        commitment: Commitment = "confirmed",
        min_context_slot: int | None = None,
        data_slice: tuple[int, int] | None = None,
    ) -> ProgramAccounts:
        """All accounts of `program` that pass every filter (an int is a data size), at one slot."""
        ...

    async def get_token_accounts(
        self, mint: Pubkey, *, commitment: Commitment = "confirmed", min_context_slot: int | None = None
    ) -> TokenAccounts:
        """Every Token-2022 account of a mint, whatever its size, at one slot, not before `min_context_slot`.

        LedgerError when one that has the size and kind of a token account is none.
        """
        ...

    async def simulate(self, transaction: bytes, *, watch: Sequence[Pubkey] | None = None) -> Simulation:
        """Run a serialised transaction without checking signatures, on a current blockhash.

        `watch` names accounts of the transaction whose state afterwards is wanted; with it, even empty, the inner
        instructions are told too.
        """
        ...

    async def send(self, transaction: bytes) -> Signature:
        """Broadcast a signed, serialised transaction without preflight. Returning says nothing of its execution."""
        ...

    async def get_signature_statuses(
        self, signatures: Sequence[Signature], *, search_history: bool = False
    ) -> list[SignatureStatus | None]: ...

    async def is_absent_everywhere(self, signature: Signature) -> bool:
        """True only if every endpoint answered, with history searched, that it does not know the signature."""
        ...

    @property
    def endpoint_count(self) -> int: ...

    async def get_transaction(
        self, signature: Signature, commitment: Commitment = "confirmed"
    ) -> ConfirmedTransaction | None: ...

    async def get_signatures_for_address(
        self,
        address: Pubkey,
        *,
        limit: int = 1000,
        before: Signature | None = None,
        until: Signature | None = None,
        commitment: Commitment = "confirmed",
    ) -> list[SignatureInfo]: ...

    async def request_airdrop(self, address: Pubkey, lamports: int) -> Signature: ...


__all__ = [
    "Account",
    "Blockhash",
    "Chain",
    "Commitment",
    "ConfirmedTransaction",
    "InnerInstruction",
    "MemcmpFilter",
    "ProgramAccounts",
    "SignatureInfo",
    "SignatureStatus",
    "Simulation",
    "TokenAccounts",
    "TokenBalance",
]
