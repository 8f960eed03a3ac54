"""A cluster that drops, delays, duplicates, forgets and forks, on a clock that moves only when somebody sleeps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from solders.hash import Hash
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from tallystick.adapters.chain.outbox import MemoryOutbox, OutboxRow
from tallystick.adapters.chain.protocol import Blockhash, Commitment, ConfirmedTransaction, SignatureStatus, Simulation
from tallystick.adapters.clock import ManualClock
from tallystick.errors import EndpointError

BLOCKS_PER_SECOND = 2.5
BLOCKHASH_LIFE = 150
FINALIZED_AFTER = 32
ALREADY_IN_USE = {"InstructionError": [0, {"Custom": 0}]}


class Crash(BaseException):
    """The process dies here."""


@dataclass
class Landed:
    height: int
    error: object | None


@dataclass
class FaultyCluster:
    """`endpoints` nodes over one truth. What is public may be set by a test at any time.

    `is_guarded`: the program lets the effect happen once; a second execution fails. `drop_sends`: how many broadcasts
    to lose next. `send_delay`: seconds until a broadcast arrives. `forgetful`: indexes of nodes that never know a
    signature, nor what it did. `has_history` False: no node knows a signature, all know what it did. `dead`: indexes
    of nodes that do not answer. `confirmed_after`: the age in blocks from which no fork takes a block back.
    `execution_error`: what each execution fails with. `on_call` runs before each call with its name and may raise, or
    change the cluster.
    """

    clock: ManualClock
    endpoints: int = 2
    is_guarded: bool = False
    drop_sends: int = 0
    send_delay: float = 0.0
    forgetful: frozenset[int] = frozenset()
    has_history: bool = True
    dead: frozenset[int] = frozenset()
    confirmed_after: int = 2
    execution_error: object | None = None
    simulation_error: object | None = None
    logs: tuple[str, ...] = ()
    on_call: Callable[[str], None] = lambda name: None
    calls: list[str] = field(default_factory=list)
    sent: list[tuple[float, bytes]] = field(default_factory=list)
    effects: list[Signature] = field(default_factory=list)
    _blockhashes: dict[Hash, int] = field(default_factory=dict)
    _landed: dict[Signature, Landed] = field(default_factory=dict)
    _in_flight: list[tuple[float, bytes]] = field(default_factory=list)
    _given_up: int = 0
    _finalized: int = 0

    # The truth, which no client sees.

    @property
    def height(self) -> int:
        return self._height_at(self.clock.monotonic())

    @property
    def finalized(self) -> int:
        self._finalized = max(self._finalized, self.height - FINALIZED_AFTER)
        return self._finalized

    def _height_at(self, seconds: float) -> int:
        return 1_000 + int(seconds * BLOCKS_PER_SECOND) - self._given_up

    def can_land(self, transaction: bytes) -> bool:
        """Whether these bytes could still bring their effect about, if a copy turned up."""
        decoded = VersionedTransaction.from_bytes(transaction)
        is_alive = self._blockhashes[decoded.message.recent_blockhash] >= self.height
        return is_alive and decoded.signatures[0] not in self._landed

    def fork(self, delay: float = 0.0) -> None:
        """Blocks that are not confirmed are given up; what was in them is tried again after `delay` seconds."""
        self.arrive()
        _ = self.finalized
        blocks = self.confirmed_after - 1
        for signature, landed in list(self._landed.items()):
            if self.height - landed.height < blocks:
                del self._landed[signature]
                self.effects = [each for each in self.effects if each != signature]
                copy = next(each for _, each in self.sent if _signature(each) == signature)
                self._in_flight.append((self.clock.monotonic() + delay, copy))
        self._given_up += blocks

    def duplicate_sent(self, delay: float) -> None:
        """Another copy of everything ever sent turns up after `delay` seconds."""
        at = self.clock.monotonic() + delay
        self._in_flight += [(at, transaction) for transaction in {each for _, each in self.sent}]

    def arrive(self) -> None:
        """Take in every copy that is due. What comes twice, or too late, changes nothing."""
        due = sorted(each for each in self._in_flight if each[0] <= self.clock.monotonic())
        self._in_flight = [each for each in self._in_flight if each not in due]
        for at, transaction in due:
            decoded = VersionedTransaction.from_bytes(transaction)
            signature, height = decoded.signatures[0], self._height_at(at)
            if signature in self._landed or self._blockhashes[decoded.message.recent_blockhash] < height:
                continue
            error = ALREADY_IN_USE if self.is_guarded and self.effects else self.execution_error
            self._landed[signature] = Landed(height, error)
            if error is None:
                self.effects.append(signature)

    async def is_done(self) -> bool:
        """The caller's own check of the one-shot account, at finalized, at the first endpoint: it may be stale too."""
        self._called("is_done")
        if 0 in self.forgetful:
            return False
        return any(self._landed[each].height <= self.finalized for each in self.effects)

    # The Chain, as far as a sender asks it.

    @property
    def endpoint_count(self) -> int:
        return self.endpoints

    async def get_latest_blockhash(self, commitment: Commitment = "confirmed") -> Blockhash:
        self._called("get_latest_blockhash")
        blockhash = Hash(bytes(Keypair().pubkey()))
        self._blockhashes[blockhash] = self.height + BLOCKHASH_LIFE
        return Blockhash(blockhash, self.height + BLOCKHASH_LIFE)

    async def get_block_height(self, commitment: Commitment = "confirmed") -> int:
        self._called(f"get_block_height {commitment}")
        confirmed = self.height - self.confirmed_after
        return {"processed": self.height, "confirmed": confirmed, "finalized": self.finalized}[commitment]

    async def simulate(self, transaction: bytes, *, watch: Sequence[Pubkey] | None = None) -> Simulation:
        self._called("simulate")
        await asyncio.sleep(0)
        return Simulation(self.simulation_error, self.logs, units=1_000, loaded_data=5_000)

    async def send(self, transaction: bytes) -> Signature:
        self._called("send")
        self.sent.append((self.clock.monotonic(), transaction))
        if self.drop_sends > 0:
            self.drop_sends -= 1
        else:
            self._in_flight.append((self.clock.monotonic() + self.send_delay, transaction))
        return VersionedTransaction.from_bytes(transaction).signatures[0]

    async def get_signature_statuses(
        self, signatures: list[Signature], *, search_history: bool = False
    ) -> list[SignatureStatus | None]:
        self._called("get_signature_statuses")
        nodes = [node for node in range(self.endpoints) if node not in self.dead]
        if not nodes:
            raise EndpointError("No endpoint answered.")
        asked = nodes if search_history else nodes[:1]
        return [None if set(asked) <= self.forgetful else self._status(each) for each in signatures]

    async def is_absent_everywhere(self, signature: Signature) -> bool:
        self._called("is_absent_everywhere")
        if self.dead:
            return False
        knowing = set(range(self.endpoints)) - self.forgetful
        return not knowing or self._status(signature) is None

    async def get_transaction(
        self, signature: Signature, commitment: Commitment = "confirmed"
    ) -> ConfirmedTransaction | None:
        self._called("get_transaction")
        landed = self._landed.get(signature)
        if landed is None:
            return None
        return ConfirmedTransaction(signature, landed.height, None, landed.error, 5_000, 777, self.logs, (), ())

    def _status(self, signature: Signature) -> SignatureStatus | None:
        landed = self._landed.get(signature)
        if landed is None or not self.has_history:
            return None
        age = self.height - landed.height
        is_final = landed.height <= self.finalized
        commitment: Commitment = "finalized" if is_final else "processed" if age < self.confirmed_after else "confirmed"
        return SignatureStatus(landed.height, commitment, landed.error)

    def _called(self, name: str) -> None:
        self.on_call(name)
        self.calls.append(name)
        self.arrive()


def _signature(transaction: bytes) -> Signature:
    return VersionedTransaction.from_bytes(transaction).signatures[0]


class WatchingOutbox(MemoryOutbox):
    """Fails the test the moment a signature is stored while an earlier one of its intent may yet land, or has taken
    effect and nothing on chain refuses the second."""

    def __init__(self, cluster: FaultyCluster) -> None:
        super().__init__()
        self._cluster = cluster

    async def put_signed(self, row: OutboxRow) -> None:
        self._cluster.arrive()
        earlier = await self.get_by_intent(row.intent)
        await super().put_signed(row)
        self._cluster.calls.append("put_signed")
        for each in earlier:
            is_refused = self._cluster.is_guarded and each.signature in self._cluster.effects
            assert is_refused or each.signature not in self._cluster.effects, "a second one after the first took effect"
            assert not self._cluster.can_land(each.transaction), "a second signature while the first can land"
