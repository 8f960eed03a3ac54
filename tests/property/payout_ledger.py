"""The truth beneath a faulty cluster: blocks by time, forks, the real program, and a ledger of balances beside it.

One LiteSVM is the state at the tip. Every account that something wrote is kept by height, so that a fork can take back
what is not finalized, and the cluster can show the state of any depth. What each recipient received and spent is
counted here from balances alone, and checked with every transaction that lands.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from payout_scenes import Scene
from payout_time import VirtualClock
from solders.account import Account as RawAccount
from solders.compute_budget import ComputeBudget
from solders.hash import Hash
from solders.instruction import Instruction
from solders.litesvm import LiteSVM
from solders.message import Message, MessageV1
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata, TransactionMetadata
from tallystick.adapters.chain.agave_errors import error_as_json
from tallystick.adapters.chain.wire import fee_of, is_writable, limits_of
from tallystick.program.distribution_account import HEADER_LENGTH, WORD
from tallystick.program.token import ASSOCIATED_TOKEN_PROGRAM, SYSTEM_PROGRAM

BLOCKS_PER_SECOND = 2.5
BLOCKHASH_LIFE = 150
FINALIZED_AFTER = 32
FIRST_HEIGHT = 1_000_000
ACCOUNT_OVERHEAD = 64
AMOUNT = 64
"""Where a token account says how much is in it."""
OUT_OF_UNITS = {"InstructionError": [0, "ComputationalBudgetExceeded"]}
NOBODY = RawAccount(0, b"", SYSTEM_PROGRAM, False, 0)


class WrongOnChainError(AssertionError):
    """What the ledger of balances found wrong on chain."""


@dataclass
class Record:
    """What one landed transaction, or one act of a holder, did. `raw` is None for an act, which `again` repeats."""

    height: int
    raw: bytes | None
    signature: Signature | None
    error: object | None = None
    fee: int = 0
    payer: Pubkey | None = None
    received: Counter[bytes] = field(default_factory=Counter)
    spent: Counter[bytes] = field(default_factory=Counter)
    created: Counter[bytes] = field(default_factory=Counter)
    keys: tuple[Pubkey, ...] = ()
    meta: TransactionMetadata | None = None
    again: Callable[[], None] | None = None


@dataclass
class PayoutLedger:
    """One schedule's. What is public may be set by a test at any time.

    `failures`: how many of the payer's transactions that land next fail in execution. `stored` are the bytes that the
    store has had, `superseded` the signatures in whose place others were stored, `left_alone` the owners whom the
    signer of a signature must not pay.
    """

    scene: Scene
    clock: VirtualClock
    payer: Pubkey
    failures: int = 0
    stored: set[bytes] = field(default_factory=set)
    superseded: set[Signature] = field(default_factory=set)
    left_alone: dict[Signature, frozenset[bytes]] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    landed: list[Record] = field(default_factory=list)
    received: Counter[bytes] = field(default_factory=Counter)
    spent: Counter[bytes] = field(default_factory=Counter)
    created: Counter[bytes] = field(default_factory=Counter)
    opened: set[bytes] = field(default_factory=set)
    """Accounts that a transaction of the payer's was to open, landed at some time, whether they were there or not."""
    executions: int = 0
    """Transactions executed, those that a fork took back too."""
    undone: int = 0
    _versions: dict[Pubkey, list[tuple[int, RawAccount | None]]] = field(default_factory=dict)
    _blockhashes: dict[Hash, int] = field(default_factory=dict)
    _by_signature: dict[Signature, Record] = field(default_factory=dict)
    _in_flight: list[tuple[float, int, bytes]] = field(default_factory=list)
    _ever_sent: dict[bytes, None] = field(default_factory=dict)
    _decoded: dict[bytes, VersionedTransaction] = field(default_factory=dict)
    _given_up: int = 0
    _finalized: int = 0
    _units: int = 0

    def __post_init__(self) -> None:
        self._svm: LiteSVM = self.scene.payout.chain.svm
        self._budget = ComputeBudget(True)
        self._committed = {line.address: line.amount for line in self.scene.lines}
        self._owners = {line.address: line.owner for line in self.scene.lines}
        self._distribution = self.scene.address
        self._escrow = self.scene.payout.escrow
        self._sizes: dict[Pubkey, int] = {}

    @property
    def height(self) -> int:
        """The newest block's."""
        return FIRST_HEIGHT + int(self.clock.monotonic() * BLOCKS_PER_SECOND) - self._given_up

    @property
    def finalized(self) -> int:
        """The newest finalized block's; never goes back."""
        self._finalized = max(self._finalized, self.height - FINALIZED_AFTER)
        return self._finalized

    def can_land(self, transaction: bytes) -> bool:
        """Whether these bytes could still bring their effect about, if a copy turned up."""
        decoded = self._decode(transaction)
        born = self._blockhashes.get(decoded.message.recent_blockhash)
        is_alive = born is not None and born + BLOCKHASH_LIFE >= self.height
        return is_alive and decoded.signatures[0] not in self._by_signature

    def fate_of(self, signature: Signature) -> str:
        """Whether it `landed` or `failed`, or is `absent`, on the fork that is the chain now."""
        record = self._by_signature.get(signature)
        return "absent" if record is None else "landed" if record.error is None else "failed"

    def find(self, address: Pubkey) -> RawAccount | None:
        """The account at the tip, None when there is none."""
        found = self._svm.get_account(address)
        return found if found is not None and found.lamports else None

    def write(self, address: Pubkey, account: RawAccount | None) -> None:
        """Write an account as the newest block's."""
        self._remember(address)
        self._svm.set_account(address, account or NOBODY)
        self._versions[address].append((self.height, account))

    def prepare(self, address: Pubkey, account: RawAccount | None) -> None:
        """Write an account as it was before the first block."""
        self._remember(address)
        self._svm.set_account(address, account or NOBODY)
        self._versions[address].append((-1, account))

    def amount(self, address: Pubkey) -> int:
        """Raw units in a token account, 0 when there is none."""
        return _amount(self.find(address))

    def words(self) -> list[int]:
        """The bits of each batch at the tip."""
        return _words(self.find(self._distribution))

    def act(self, change: Callable[[Record], None]) -> None:
        """Let somebody else's act take place in a block of its own."""
        record = Record(self.height, None, None, again=lambda: self.act(change))
        change(record)
        self._keep(record)

    def submit(self, instruction: Instruction) -> None:
        """Execute somebody else's instruction in a block of its own."""
        self.arrive()
        blockhash = self._new_blockhash(self.height)
        message = Message.new_with_blockhash([instruction], self.scene.payout.chain.fee_payer, blockhash)
        signature = Signature(hashlib.sha512(bytes(blockhash)).digest())
        self._land(bytes(VersionedTransaction.populate(message, [signature])), self.height)

    def fork(self, depth: int, delay: float | None, *, loses_blockhashes: bool) -> None:
        """Give up the newest `depth` blocks, none that is finalized. What was in them is tried again after `delay`
        seconds, or never; what names a blockhash of theirs cannot land any more, if they lose them."""
        self.arrive()
        point = max(self.finalized, self.height - depth)
        gone = [each for each in self.landed if each.height > point]
        self.landed = [each for each in self.landed if each.height <= point]
        for versions in self._versions.values():
            if versions[-1][0] > point:
                while versions[-1][0] > point:
                    versions.pop()
        for address, versions in self._versions.items():
            self._svm.set_account(address, versions[-1][1] or NOBODY)
        if loses_blockhashes:
            self._blockhashes = {each: born for each, born in self._blockhashes.items() if born <= point}
        self._given_up += self.height - point
        self.undone += len(gone)
        for record in gone:
            self.received -= record.received
            self.spent -= record.spent
            self.created -= record.created
            if record.signature is not None:
                del self._by_signature[record.signature]
            if delay is not None and record.raw is not None:
                self._in_flight.append((self.clock.monotonic() + delay, len(self._in_flight), record.raw))
            elif delay is not None and record.again is not None:
                record.again()

    def duplicate_sent(self, delay: float) -> None:
        """Another copy of everything ever sent turns up after `delay` seconds."""
        at = self.clock.monotonic() + delay
        self._in_flight += [(at, place, transaction) for place, transaction in enumerate(self._ever_sent)]

    def arrive(self) -> None:
        """Take in every copy that is due. What comes twice, or too late, changes nothing."""
        now = self.clock.monotonic()
        if not any(at <= now for at, _, _ in self._in_flight):
            return
        due = sorted(each for each in self._in_flight if each[0] <= now)
        self._in_flight = [each for each in self._in_flight if each[0] > now]
        for at, _, transaction in due:
            height = self.height - int((now - at) * BLOCKS_PER_SECOND)
            height = max(height, self.landed[-1].height if self.landed else 0)
            decoded = self._decode(transaction)
            born = self._blockhashes.get(decoded.message.recent_blockhash)
            if decoded.signatures[0] in self._by_signature or born is None or born + BLOCKHASH_LIFE < height:
                continue
            self._land(transaction, height)

    def restore(self) -> None:
        """Put every account back to how it was before the first block."""
        for address, versions in self._versions.items():
            self._svm.set_account(address, versions[0][1] or NOBODY)
        self._versions.clear()

    # Execution -------------------------------------------------------------------------------------------------------

    def _remember(self, address: Pubkey) -> None:
        if address not in self._versions:
            self._versions[address] = [(-1, self.find(address))]

    def _keep(self, record: Record) -> None:
        self.landed.append(record)
        self.received += record.received
        self.spent += record.spent
        self.created += record.created
        for address, raw in record.received.items():
            if self.received[address] > self._committed.get(address, 0):
                self._violate(
                    f"{Pubkey.from_bytes(address)} received {self.received[address]:,}, {raw:,} of it now: "
                    f"more than committed"
                )

    def _violate(self, what: str) -> None:
        self.violations.append(what)
        raise WrongOnChainError(what)

    def _land(self, transaction: bytes, height: int) -> None:
        decoded = self._decode(transaction)
        message, keys = decoded.message, decoded.message.account_keys
        written = [each for place, each in enumerate(keys) if is_writable(message, place)]
        for address in written:
            self._remember(address)
        before = {address: self._versions[address][-1][1] for address in written}
        payer, fee = before[keys[0]], fee_of(message)
        left = -1 if payer is None else payer.lamports - fee
        if payer is None or left < 0 or 0 < left < self._svm.minimum_balance_for_rent_exemption(0):
            return
        self.executions += 1
        record = Record(height, transaction, decoded.signatures[0], fee=fee, payer=keys[0], keys=tuple(keys))
        if self.failures and keys[0] == self.payer:
            self.failures -= 1
            record.error = OUT_OF_UNITS
        elif self._loaded_size(keys) > limits_of(message).loaded_data:
            record.error = "MaxLoadedAccountsDataSizeExceeded"
        else:
            self._set_units(message)
            result = self._svm.send_transaction(decoded)
            if isinstance(result, FailedTransactionMetadata):
                record.error, record.meta = error_as_json(result), result.meta()
            else:
                assert isinstance(result, TransactionMetadata)
                record.meta = result
        rest = self._svm.get_account(keys[0]) or NOBODY
        if record.error is not None or isinstance(message, MessageV1):
            # LiteSVM reads no priority fee of version 1, and some failures never came to it.
            start = payer if record.error is not None else rest
            owed = fee if record.error is not None else limits_of(message).priority
            self._svm.set_account(
                keys[0], RawAccount(start.lamports - owed, start.data, start.owner, start.executable, 0)
            )
        self._by_signature[decoded.signatures[0]] = record
        after = {address: self.find(address) for address in written}
        for address in written:
            if after[address] != before[address]:
                self._versions[address].append((height, after[address]))
        self._check(record, before, after)

    def _check(
        self, record: Record, before: dict[Pubkey, RawAccount | None], after: dict[Pubkey, RawAccount | None]
    ) -> None:
        """Law 4 of one transaction: what moved is what the bits say, each bit once."""
        for address in after:
            raw = bytes(address)
            if raw in self._committed:
                change = _amount(after[address]) - _amount(before[address])
                if change > 0:
                    record.received[raw] += change
                elif change < 0:
                    self._violate(f"{address} lost {-change:,}")
                if before[address] is None and after[address] is not None and record.payer == self.payer:
                    record.created[raw] += 1
                if record.payer == self.payer and record.error is None and ASSOCIATED_TOKEN_PROGRAM in record.keys:
                    self.opened.add(raw)
        self._keep(record)
        if record.signature in self.superseded:
            self._violate(f"{record.signature} landed after another one was signed in its place")
        alone = self.left_alone.get(record.signature, frozenset()) if record.signature is not None else frozenset()
        if paid := [each for each in record.received if self._owners[each] in alone]:
            self._violate(f"{Pubkey.from_bytes(paid[0])} was paid by a push that was to leave it alone")
        if self._distribution not in after:
            return
        old, new = (_words(each.get(self._distribution)) for each in (before, after))
        expected: Counter[bytes] = Counter()
        for batch, (was, now) in enumerate(zip(old, new, strict=True)):
            if was & ~now:
                self._violate(f"a bit of batch {batch} was cleared")
            for place, line in enumerate(self.scene.batches[batch].lines):
                if (now & ~was) >> place & 1:
                    expected[line.address] += line.amount
        if expected != record.received:
            self._violate("other amounts moved than the bits say")
        left = _amount(before.get(self._escrow)) - _amount(after.get(self._escrow))
        if left != expected.total():
            self._violate(f"{left:,} left the escrow and {expected.total():,} arrived")

    def _set_units(self, message: object) -> None:
        units = limits_of(message).units  # type: ignore[arg-type]
        if units != self._units:
            self._units = units
            self._budget.compute_unit_limit = units
            self._svm.with_compute_budget(self._budget)

    def _loaded_size(self, keys: Sequence[Pubkey]) -> int:
        """About what SIMD-0186 counts: 64 bytes an account, and its data; those of programs too."""
        return sum(self._size_of(address) for address in keys)

    def _size_of(self, address: Pubkey) -> int:
        if address in self._sizes:
            return self._sizes[address]
        found = self.find(address)
        if found is None:
            return 0
        size = ACCOUNT_OVERHEAD + len(found.data)
        if found.executable:
            if len(found.data) == 36:
                stored = self._svm.get_account(Pubkey.from_bytes(found.data[4:]))
                size += ACCOUNT_OVERHEAD + (len(stored.data) if stored else 0)
            self._sizes[address] = size
        return size

    def _decode(self, transaction: bytes) -> VersionedTransaction:
        found = self._decoded.get(transaction)
        if found is None:
            found = self._decoded[transaction] = VersionedTransaction.from_bytes(transaction)
        return found

    def _new_blockhash(self, born: int) -> Hash:
        blockhash = Hash(hashlib.sha256(f"{self.clock.monotonic()} {len(self._blockhashes)} {born}".encode()).digest())
        self._blockhashes[blockhash] = born
        return blockhash


def _amount(account: RawAccount | None) -> int:
    if account is None or len(account.data) < 165:
        return 0
    return int.from_bytes(account.data[AMOUNT : AMOUNT + 8], "little")


def _words(account: RawAccount | None) -> list[int]:
    data = account.data[HEADER_LENGTH:] if account is not None else b""
    return [int.from_bytes(data[at : at + WORD], "little") for at in range(0, len(data), WORD)]


__all__ = ["BLOCKHASH_LIFE", "PayoutLedger", "Record", "WrongOnChainError"]
