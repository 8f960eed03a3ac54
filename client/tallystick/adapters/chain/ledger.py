"""A Solana cluster in memory: LiteSVM executes, this keeps blocks, history and time. For development and tests.

Every transaction gets a block of its own and is final once it landed. LiteSVM leaves these to its caller, and they
are done here as Agave 4.2 does them: blockhash age, repeated signatures, the limits and priority fee of version 1
(LiteSVM reads none of them), the limit on loaded data, and fees for transactions whose accounts could not be loaded.
Durable nonces are not accepted: a transaction needs a recent blockhash.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import defaultdict
from collections.abc import Callable, Sequence

from solders.account import Account as RawAccount
from solders.clock import Clock as ClockSysvar
from solders.compute_budget import ComputeBudget
from solders.epoch_schedule import EpochSchedule
from solders.hash import Hash
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import Message, MessageV1
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata, SimulatedTransactionInfo, TransactionMetadata

from tallystick.adapters.chain.agave_errors import FEES_ONLY, error_as_json
from tallystick.adapters.chain.balances import balances_of
from tallystick.adapters.chain.protocol import Account, Blockhash
from tallystick.adapters.chain.records import Balances, Block, Inner, Landed, Outcome
from tallystick.adapters.chain.timeline import MAX_BLOCKHASH_AGE, SLOTS_PER_EPOCH, Timeline
from tallystick.adapters.chain.wire import (
    LOOKUP_TABLE_PROGRAM,
    Limits,
    Loaded,
    LookupFailed,
    fee_of,
    limits_of,
    lookups,
    sane,
    table_addresses,
)
from tallystick.adapters.clock import Clock, SystemClock
from tallystick.errors import InputError

SYSTEM_PROGRAM = Pubkey.default()
LOADER = Pubkey.from_string("BPFLoaderUpgradeab1e11111111111111111111111")
_ACCOUNT_OVERHEAD = 64
_TABLE_SIZE = 8_248
_PROGRAMDATA_HEADER = 45
_FAUCET_LAMPORTS = 500_000_000 * 10**9
_NO_SIGNATURE = Signature.default()
_Overlay = dict[Pubkey, Account]


class Ledger:
    """One cluster. Its time follows `clock` plus what `warp` added; `seed` fixes hashes and keys, for tests.

    Not safe for use from several threads.
    """

    def __init__(self, clock: Clock | None = None, *, seed: bytes | None = None) -> None:
        seed = secrets.token_bytes(32) if seed is None else seed
        self._timeline = Timeline(clock or SystemClock(), seed)
        self._budget = ComputeBudget(True)
        self._svm = LiteSVM().with_sigverify(False).with_blockhash_check(False).with_transaction_history(0)
        self._svm.set_epoch_schedule(EpochSchedule.without_warmup())
        self._by_signature: dict[Signature, Landed] = {}
        self._by_address: dict[Pubkey, list[Landed]] = defaultdict(list)
        self._by_slot: dict[int, Landed] = {}
        self._synced: tuple[int, int] = (-1, -1)
        self._faucet = Keypair.from_seed(hashlib.sha256(b"faucet" + seed).digest())
        self.genesis_hash = Hash(hashlib.sha256(b"genesis" + seed).digest())
        self.identity = Keypair.from_seed(hashlib.sha256(b"identity" + seed).digest()).pubkey()
        self.set_account(self._faucet.pubkey(), Account(SYSTEM_PROGRAM, _FAUCET_LAMPORTS, b""))
        self._sync()

    # Time ------------------------------------------------------------------------------------------------------------

    @property
    def slot(self) -> int:
        """The newest slot, which is also the block height: every slot has a block."""
        self._sync()
        return self._timeline.slot

    @property
    def timestamp(self) -> int:
        """Seconds since 1970, as programs read them from the Clock sysvar."""
        self._sync()
        return self._timeline.timestamp

    @property
    def transaction_count(self) -> int:
        """Transactions that landed since genesis."""
        return len(self._by_signature)

    def warp(self, seconds: int) -> tuple[int, int]:
        """Move time ahead, and return the new slot and time. InputError unless `seconds` is at least 1."""
        self._timeline.warp(seconds)
        self._sync()
        return self._timeline.slot, self._timeline.timestamp

    def latest_blockhash(self) -> Blockhash:
        """The newest blockhash and the last block height it is good for."""
        self._sync()
        slot = self._timeline.slot
        return Blockhash(self._timeline.blockhash(slot), slot + MAX_BLOCKHASH_AGE)

    def is_blockhash_valid(self, blockhash: Hash) -> bool:
        """Whether a transaction that names `blockhash` could land now."""
        self._sync()
        age = self._timeline.age(blockhash)
        return age is not None and age <= MAX_BLOCKHASH_AGE

    def block_time(self, slot: int) -> int | None:
        """Seconds since 1970 of a block, None for a slot that has not come."""
        return self._timeline.time_of(slot) if 0 <= slot <= self.slot else None

    def block(self, slot: int) -> Block | None:
        """The block of `slot`, None for a slot that has not come."""
        if not 0 <= slot <= self.slot:
            return None
        landed = self._by_slot.get(slot)
        line = self._timeline
        previous = line.blockhash(slot - 1) if slot else Hash.default()
        return Block(slot, line.blockhash(slot), previous, line.time_of(slot), (landed,) if landed else ())

    # Accounts --------------------------------------------------------------------------------------------------------

    def account(self, address: Pubkey) -> Account | None:
        """The account at `address`, None when it holds no lamports."""
        self._sync()
        return self._read(address)

    def program_accounts(
        self, program: Pubkey, is_wanted: Callable[[bytes], bool] = lambda _: True
    ) -> dict[Pubkey, Account]:
        """Every account that `program` owns and whose data is wanted, in the order of their addresses."""
        self._sync()
        found = [
            (address, Account(program, raw.lamports, data, raw.executable))
            for address, raw in self._svm.get_program_accounts(program)
            if raw.lamports and is_wanted(data := bytes(raw.data))
        ]
        return dict(sorted(found, key=lambda pair: bytes(pair[0])))

    def set_account(self, address: Pubkey, account: Account) -> None:
        """Write an account past every rule of the runtime."""
        self._svm.set_account(address, RawAccount(account.lamports, account.data, account.owner, account.executable, 0))

    def minimum_balance(self, size: int) -> int:
        """Lamports that exempt `size` bytes of data from rent."""
        return self._svm.minimum_balance_for_rent_exemption(size)

    def add_program(self, program: Pubkey, binary: bytes, upgrade_authority: Pubkey | None = None) -> None:
        """Deploy `binary` at `program` under the upgradeable loader; without an authority it is final."""
        self._sync()
        self._svm.add_program(program, binary)
        address, _ = Pubkey.find_program_address([bytes(program)], LOADER)
        stored = self._read(address)
        if stored is None or stored.owner != LOADER:
            raise InputError(f"expected programdata at {address} after deploying {program}; the runtime made none")
        option = b"\1" + bytes(upgrade_authority) if upgrade_authority else bytes(33)
        header = (3).to_bytes(4, "little") + (0).to_bytes(8, "little") + option
        data = header + stored.data[_PROGRAMDATA_HEADER:]
        self.set_account(address, Account(LOADER, stored.lamports, data))

    def airdrop(self, address: Pubkey, lamports: int) -> Signature:
        """Send `lamports` from the faucet in a transaction of its own. InputError when the faucet cannot."""
        instruction = transfer(TransferParams(from_pubkey=self._faucet.pubkey(), to_pubkey=address, lamports=lamports))
        blockhash = self.latest_blockhash().blockhash
        message = Message.new_with_blockhash([instruction], self._faucet.pubkey(), blockhash)
        transaction = VersionedTransaction(message, [self._faucet])
        trial = self.simulate(transaction)
        if trial.error is not None:
            raise InputError(f"the faucet cannot send {lamports} lamports to {address}: {trial.error}")
        self.submit(transaction)
        return transaction.signatures[0]

    # Transactions ----------------------------------------------------------------------------------------------------

    def submit(self, transaction: VersionedTransaction) -> Outcome:
        """Take a transaction without preflight: it lands, with its error if it has one, or leaves no trace."""
        self._sync()
        refusal = self._refusal(transaction, verify=True)
        if refusal is not None:
            return refusal
        slot = self._timeline.next_block()
        self._sync()
        outcome = self._execute(transaction, commit=True)
        if outcome.landed:
            landed = Landed(transaction.signatures[0], slot, self._timeline.timestamp, transaction, outcome)
            self._by_signature[landed.signature] = landed
            self._by_slot[slot] = landed
            for address in dict.fromkeys(outcome.addresses):
                self._by_address[address].append(landed)
        return outcome

    def simulate(
        self, transaction: VersionedTransaction, *, verify: bool = False, check_blockhash: bool = True
    ) -> Outcome:
        """Run a transaction on the newest state and keep nothing of it."""
        self._sync()
        refusal = self._refusal(transaction, verify=verify, check_blockhash=check_blockhash)
        return refusal or self._execute(transaction, commit=False)

    def landed(self, signature: Signature) -> Landed | None:
        """The transaction with this first signature, if it landed."""
        return self._by_signature.get(signature)

    def history(
        self, address: Pubkey, *, limit: int = 1000, before: Signature | None = None, until: Signature | None = None
    ) -> list[Landed]:
        """Transactions that named `address`, newest first, between two signatures (both left out)."""
        newest = self._by_signature[before].slot if before in self._by_signature else None
        oldest = self._by_signature[until].slot if until in self._by_signature else -1
        found: list[Landed] = []
        for each in reversed(self._by_address.get(address, [])):
            if each.slot <= oldest or len(found) == limit:
                break
            if newest is None or each.slot < newest:
                found.append(each)
        return found

    # Execution -------------------------------------------------------------------------------------------------------

    def _sync(self) -> None:
        line = self._timeline
        line.catch_up()
        if self._synced == (line.slot, line.timestamp):
            return
        if self._synced[0] != line.slot:
            self._svm.set_slot_hashes(line.recent[1:])
        epoch = line.slot // SLOTS_PER_EPOCH
        start = line.time_of(epoch * SLOTS_PER_EPOCH)
        self._svm.set_clock(ClockSysvar(line.slot, start, epoch, epoch + 1, line.timestamp))
        self._synced = (line.slot, line.timestamp)

    def _read(self, address: Pubkey) -> Account | None:
        raw = self._svm.get_account(address)
        return _account(raw) if raw is not None and raw.lamports else None

    def _refusal(
        self, transaction: VersionedTransaction, *, verify: bool, check_blockhash: bool = True
    ) -> Outcome | None:
        """The checks before the fee payer is looked at; what fails one leaves no trace."""
        if not sane(transaction):
            return self._refused(transaction, "SanitizeFailure")
        try:
            loaded = self._lookup(transaction)
        except LookupFailed as failure:
            return self._refused(transaction, str(failure))
        if verify and not all(transaction.verify_with_results()):
            return self._refused(transaction, "SignatureFailure")
        keys = (*transaction.message.account_keys, *loaded.writable, *loaded.readonly)
        if len(set(keys)) != len(keys):
            return self._refused(transaction, "AccountLoadedTwice", loaded)
        if check_blockhash:
            age = self._timeline.age(transaction.message.recent_blockhash)
            if age is None or age > MAX_BLOCKHASH_AGE:
                return self._refused(transaction, "BlockhashNotFound", loaded)
            if transaction.signatures[0] in self._by_signature:
                return self._refused(transaction, "AlreadyProcessed", loaded)
        payer = self._read(keys[0])
        fee = fee_of(transaction.message)
        if payer is None:
            return self._refused(transaction, "AccountNotFound", loaded)
        if payer.owner != SYSTEM_PROGRAM or payer.data:
            return self._refused(transaction, "InvalidAccountForFee", loaded)
        if payer.lamports < fee:
            return self._refused(transaction, "InsufficientFundsForFee", loaded)
        if 0 < payer.lamports - fee < self.minimum_balance(0):
            return self._refused(transaction, {"InsufficientFundsForRent": {"account_index": 0}}, loaded)
        return None

    def _refused(self, transaction: VersionedTransaction, error: object, loaded: Loaded | None = None) -> Outcome:
        loaded = loaded or Loaded()
        keys = (*transaction.message.account_keys, *loaded.writable, *loaded.readonly)
        balances = self._balances(keys, {})
        return Outcome(
            error, False, None, 0, 0, (), (), None, balances, balances, keys, loaded, executed=False, changed={}
        )

    def _lookup(self, transaction: VersionedTransaction) -> Loaded:
        writable: list[Pubkey] = []
        readonly: list[Pubkey] = []
        tables = lookups(transaction.message)
        for address, writes, reads in tables:
            table = self._read(address)
            if table is None:
                raise LookupFailed("AddressLookupTableNotFound")
            if table.owner != LOOKUP_TABLE_PROGRAM:
                raise LookupFailed("InvalidAddressLookupTableOwner")
            writable += table_addresses(table.data, writes)
            readonly += table_addresses(table.data, reads)
        return Loaded(tuple(writable), tuple(readonly), len(tables))

    def _execute(self, transaction: VersionedTransaction, *, commit: bool) -> Outcome:
        message = transaction.message
        loaded = self._lookup(transaction)
        keys = (*message.account_keys, *loaded.writable, *loaded.readonly)
        limits, fee = limits_of(message), fee_of(message)
        before = self._balances(keys, {})
        payer = self._read(keys[0])
        assert payer is not None, "a transaction without a fee payer is refused before this"
        size = self._loaded_size(keys, loaded)
        unloadable = self._unloadable(transaction, size, limits)
        if unloadable is not None:
            size = _ACCOUNT_OVERHEAD if unloadable == "ProgramAccountNotFound" else 0
            return self._fee_only(unloadable, keys, loaded, payer, fee, size, commit=commit)
        self._budget.compute_unit_limit = limits.units
        self._budget.heap_size = limits.heap
        self._svm.with_compute_budget(self._budget)
        extra = limits.priority if isinstance(message, MessageV1) else 0
        if extra:
            self._pay(keys[0], payer, extra)
        result: TransactionMetadata | FailedTransactionMetadata | SimulatedTransactionInfo
        result = self._svm.send_transaction(transaction) if commit else self._svm.simulate_transaction(transaction)
        meta = result if isinstance(result, TransactionMetadata) else result.meta()
        error = error_as_json(result) if isinstance(result, FailedTransactionMetadata) else None
        executed = error is None or bool(meta.logs()) or meta.signature() != _NO_SIGNATURE
        if extra and (not commit or not executed):
            self.set_account(keys[0], payer)
        if not executed:
            if error in FEES_ONLY or (isinstance(error, dict) and "InstructionError" in error):
                return self._fee_only(error, keys, loaded, payer, fee, size, commit=commit)
            return self._refused(transaction, error, loaded)
        changed: _Overlay = {}
        if isinstance(result, SimulatedTransactionInfo):
            changed = {address: _account(raw) for address, raw in result.post_accounts()}
        elif not commit:
            changed = {keys[0]: Account(payer.owner, payer.lamports - fee, payer.data)}
        returned = meta.return_data()
        inner = tuple(
            Inner(parent, each.instruction(), each.stack_height())
            for parent, group in enumerate(meta.inner_instructions())
            for each in group
        )
        return Outcome(
            error,
            True,
            fee,
            meta.compute_units_consumed(),
            size,
            tuple(meta.logs()),
            inner,
            (returned.program_id, bytes(returned.data)) if returned.data else None,
            before,
            self._balances(keys, changed),
            keys,
            loaded,
            executed=True,
            changed=changed if error is None else {},
        )

    def _fee_only(
        self,
        error: object,
        keys: tuple[Pubkey, ...],
        loaded: Loaded,
        payer: Account,
        fee: int,
        size: int,
        *,
        commit: bool,
    ) -> Outcome:
        before = self._balances(keys, {})
        if commit:
            self._pay(keys[0], payer, fee)
        after = self._balances(keys, {keys[0]: Account(payer.owner, payer.lamports - fee, payer.data)})
        return Outcome(error, True, fee, 0, size, (), (), None, before, after, keys, loaded, executed=False, changed={})

    def _pay(self, address: Pubkey, payer: Account, lamports: int) -> None:
        self.set_account(address, Account(payer.owner, payer.lamports - lamports, payer.data))

    def _unloadable(self, transaction: VersionedTransaction, size: int, limits: Limits) -> str | None:
        if size > limits.loaded_data:
            return "MaxLoadedAccountsDataSizeExceeded"
        keys = transaction.message.account_keys
        for each in transaction.message.instructions:
            program = self._read(keys[each.program_id_index])
            if program is None:
                return "ProgramAccountNotFound"
            if not program.executable:
                return "InvalidProgramForExecution"
        return None

    def _loaded_size(self, keys: tuple[Pubkey, ...], loaded: Loaded) -> int:
        """Bytes loaded as SIMD-0186 counts them: 64 an account, its data, the data of programs, and lookup tables."""
        total = _TABLE_SIZE * loaded.tables
        counted = set(keys)
        for key in keys:
            account = self._read(key)
            if account is None:
                continue
            total += _ACCOUNT_OVERHEAD + len(account.data)
            if account.owner == LOADER and len(account.data) == 36 and account.data[:4] == b"\2\0\0\0":
                address = Pubkey.from_bytes(account.data[4:])
                stored = None if address in counted else self._read(address)
                counted.add(address)
                if stored is not None:
                    total += _ACCOUNT_OVERHEAD + len(stored.data)
        return total

    def _balances(self, keys: Sequence[Pubkey], overlay: _Overlay) -> Balances:
        return balances_of(keys, lambda key: overlay.get(key) or self._read(key))


def _account(raw: RawAccount) -> Account:
    return Account(raw.owner, raw.lamports, bytes(raw.data), raw.executable)
