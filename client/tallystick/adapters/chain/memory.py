"""MemoryChain: a cluster in this process, for tests and demonstrations."""

from __future__ import annotations

from collections.abc import Sequence

from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from tallystick.adapters.chain.ledger import Ledger
from tallystick.adapters.chain.protocol import (
    Account,
    Blockhash,
    Commitment,
    ConfirmedTransaction,
    InnerInstruction,
    MemcmpFilter,
    ProgramAccounts,
    SignatureInfo,
    SignatureStatus,
    Simulation,
    TokenBalance,
)
from tallystick.adapters.chain.records import Balances, Landed, Outcome
from tallystick.adapters.chain.token_accounts import TokenAccounts, token_account_row
from tallystick.errors import RpcError
from tallystick.program.token import MINT_OFFSET, TOKEN_2022_PROGRAM

_INVALID_PARAMS = -32602
_MIN_CONTEXT_SLOT_NOT_REACHED = -32016


class MemoryChain:
    """The Chain Protocol over a Ledger. Every commitment answers alike: what landed is final at once."""

    def __init__(self, ledger: Ledger | None = None) -> None:
        self.ledger = ledger or Ledger()

    async def get_genesis_hash(self) -> Hash:
        return self.ledger.genesis_hash

    async def get_slot(self, commitment: Commitment = "confirmed") -> int:
        return self.ledger.slot

    async def get_block_height(self, commitment: Commitment = "confirmed") -> int:
        return self.ledger.slot

    async def get_block_time(self, slot: int) -> int | None:
        return self.ledger.block_time(slot)

    async def get_latest_blockhash(self, commitment: Commitment = "confirmed") -> Blockhash:
        return self.ledger.latest_blockhash()

    async def get_minimum_balance_for_rent_exemption(self, size: int) -> int:
        return self.ledger.minimum_balance(size)

    async def get_balance(self, address: Pubkey, commitment: Commitment = "confirmed") -> int:
        account = self.ledger.account(address)
        return account.lamports if account else 0

    async def get_account(self, address: Pubkey, commitment: Commitment = "confirmed") -> Account | None:
        return self.ledger.account(address)

    async def get_accounts(
        self, addresses: Sequence[Pubkey], commitment: Commitment = "confirmed"
    ) -> tuple[int, list[Account | None]]:
        return self.ledger.slot, [self.ledger.account(address) for address in addresses]

    async def get_program_accounts(
        self,
        program: Pubkey,
        filters: Sequence[MemcmpFilter | int] = (),
        *,
        commitment: Commitment = "confirmed",
        min_context_slot: int | None = None,
        data_slice: tuple[int, int] | None = None,
    ) -> ProgramAccounts:
        slot = self.ledger.slot
        if min_context_slot is not None and slot < min_context_slot:
            raise RpcError(
                _MIN_CONTEXT_SLOT_NOT_REACHED,
                "Minimum context slot has not been reached",
                {"contextSlot": slot},
                hint="wait for the cluster to reach the slot, then ask again",
            )
        found = {
            address: _sliced(account, data_slice)
            for address, account in self.ledger.program_accounts(
                program, lambda data: all(_passes(data, each) for each in filters)
            ).items()
        }
        return ProgramAccounts(slot, found)

    async def get_token_accounts(
        self, mint: Pubkey, *, commitment: Commitment = "confirmed", min_context_slot: int | None = None
    ) -> TokenAccounts:
        wanted = [MemcmpFilter(MINT_OFFSET, bytes(mint))]
        found = await self.get_program_accounts(
            TOKEN_2022_PROGRAM, wanted, commitment=commitment, min_context_slot=min_context_slot
        )
        rows = (
            token_account_row(bytes(mint), bytes(address), bytes(account.owner), account.data)
            for address, account in found.accounts.items()
        )
        return TokenAccounts(found.slot, b"".join(rows))

    async def simulate(self, transaction: bytes, *, watch: Sequence[Pubkey] | None = None) -> Simulation:
        outcome = self.ledger.simulate(_decode(transaction), check_blockhash=False)
        watched: dict[Pubkey, Account | None] = {}
        inner: tuple[InnerInstruction, ...] = ()
        if watch is not None and outcome.error is None:
            found = {address: outcome.changed.get(address) or self.ledger.account(address) for address in watch}
            watched = {address: each if each and each.lamports else None for address, each in found.items()}
            inner = _inner(outcome)
        return Simulation(outcome.error, outcome.logs, outcome.units, outcome.loaded_data, watched, inner)

    async def send(self, transaction: bytes) -> Signature:
        decoded = _decode(transaction)
        self.ledger.submit(decoded)
        return decoded.signatures[0]

    async def get_signature_statuses(
        self, signatures: Sequence[Signature], *, search_history: bool = False
    ) -> list[SignatureStatus | None]:
        found = [self.ledger.landed(signature) for signature in signatures]
        return [SignatureStatus(each.slot, "finalized", each.outcome.error) if each else None for each in found]

    async def is_absent_everywhere(self, signature: Signature) -> bool:
        return self.ledger.landed(signature) is None

    @property
    def endpoint_count(self) -> int:
        return 1

    async def get_transaction(
        self, signature: Signature, commitment: Commitment = "confirmed"
    ) -> ConfirmedTransaction | None:
        landed = self.ledger.landed(signature)
        return _confirmed(landed) if landed else None

    async def get_signatures_for_address(
        self,
        address: Pubkey,
        *,
        limit: int = 1000,
        before: Signature | None = None,
        until: Signature | None = None,
        commitment: Commitment = "confirmed",
    ) -> list[SignatureInfo]:
        found = self.ledger.history(address, limit=limit, before=before, until=until)
        return [SignatureInfo(each.signature, each.slot, each.outcome.error, each.block_time) for each in found]

    async def request_airdrop(self, address: Pubkey, lamports: int) -> Signature:
        return self.ledger.airdrop(address, lamports)


def _decode(transaction: bytes) -> VersionedTransaction:
    try:
        return VersionedTransaction.from_bytes(transaction)
    except Exception as error:  # solders raises several types here, and each means the same
        raise RpcError(
            _INVALID_PARAMS, f"failed to deserialize a transaction: {error}", hint="send a signed wire transaction"
        ) from error


def _passes(data: bytes, wanted: MemcmpFilter | int) -> bool:
    if isinstance(wanted, int):
        return len(data) == wanted
    return data[wanted.offset : wanted.offset + len(wanted.data)] == wanted.data


def _sliced(account: Account, data_slice: tuple[int, int] | None) -> Account:
    if data_slice is None:
        return account
    offset, length = data_slice
    return Account(account.owner, account.lamports, account.data[offset : offset + length], account.executable)


def _confirmed(landed: Landed) -> ConfirmedTransaction:
    outcome = landed.outcome
    return ConfirmedTransaction(
        landed.signature,
        landed.slot,
        landed.block_time,
        outcome.error,
        outcome.fee or 0,
        outcome.units,
        outcome.logs,
        outcome.addresses,
        _inner(outcome),
        _token_balances(outcome.before, outcome.addresses),
        _token_balances(outcome.after, outcome.addresses),
    )


def _token_balances(balances: Balances, keys: Sequence[Pubkey]) -> tuple[TokenBalance, ...]:
    return tuple(TokenBalance(keys[each.index], each.mint, each.owner, each.amount) for each in balances.tokens)


def _inner(outcome: Outcome) -> tuple[InnerInstruction, ...]:
    keys = outcome.addresses
    return tuple(
        InnerInstruction(
            each.parent,
            keys[each.instruction.program_id_index],
            tuple(keys[index] for index in bytes(each.instruction.accounts)),
            bytes(each.instruction.data),
        )
        for each in outcome.inner
    )
