"""The loop of a push: which batch is signed next, what became of it, and what its bits say.

What is paid is read from the distribution's bits at finalized, what was signed from the outbox; nothing is guessed. An
intent is `dividend:<distribution>:<batch>:<round>`: a round ends when a transaction of it lands, and entries that it
could not pay are for the next one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from tallystick.adapters.chain.failures import error_text
from tallystick.adapters.chain.outbox import OutboxRow, OutboxState
from tallystick.adapters.chain.protocol import Account, Chain
from tallystick.adapters.clock import Clock
from tallystick.errors import ChainError, InputError, Refused, TransactionError
from tallystick.program.distribution_account import DistributionAccount
from tallystick.services.distribution_reads import decode_distribution
from tallystick.services.payout_accounts import AccountOpening
from tallystick.services.payout_calls import PayoutCalls
from tallystick.services.payout_flights import Draft, Flights, FlightSettings, Landing, Limits, sized, together
from tallystick.services.payout_report import LeftReason, read_obstacles

_GROUP: Final = 32
"""Transactions signed and stored together."""
_OUT_OF_LIMITS: Final = ("ComputationalBudgetExceeded", "MaxLoadedAccountsDataSizeExceeded")
"""Errors of a transaction whose own limits were too low for it."""
_MANY: Final = 2
"""Times `in_flight`: so many that are unknown, or dead one after another, end a push."""
_OUT_OF_UNITS: Final = "exceeded CUs meter"
"""How the runtime logs that a program ran out of units, which it may call ProgramFailedToComplete."""


@dataclass(frozen=True, slots=True)
class PushSettings:
    """`in_flight`: transactions that no node has confirmed yet. `poll_every`, `broadcast_every`: seconds between looks,
    and between broadcasts of one transaction. `patience`: seconds until one is given up as unknown. `priority_fee`:
    lamports for each transaction. `rent_cap`: the most lamports that opening accounts may ever cost a distribution.
    `unpaid_limit`: basis points of the sample's recipients that may stay unpaid before the push stops.
    `attempts`: transactions signed for one batch in one run, at most."""

    in_flight: int = 64
    poll_every: float = 0.5
    broadcast_every: float = 2.0
    patience: float = 180.0
    priority_fee: int = 0
    rent_cap: int = 0
    unpaid_limit: int = 2_500
    attempts: int = 5

    def __post_init__(self) -> None:
        """InputError for settings with which nothing would ever be sent, or never be given up."""
        if self.in_flight < 1 or self.attempts < 1:
            raise InputError("A push needs at least one transaction in flight and one attempt for each batch.")
        if min(self.priority_fee, self.rent_cap, self.unpaid_limit) < 0:
            raise InputError("Priority fee, cap on rent and limit of unpaid recipients must be 0 or more.")

    @property
    def flights(self) -> FlightSettings:
        """What concerns transactions on their way."""
        return FlightSettings(self.in_flight, self.poll_every, self.broadcast_every, self.patience, self.priority_fee)


class PushLoop:
    """One run over one distribution. What is public may be read at any time."""

    def __init__(
        self,
        chain: Chain,
        clock: Clock,
        calls: PayoutCalls,
        flights: Flights,
        opening: AccountOpening,
        settings: PushSettings,
        should_stop: Callable[[], bool],
        tell: Callable[[], None],
    ) -> None:
        self.stopped = ""
        """Why nothing more is launched; empty while all is well."""
        self.paid = self.skipped = self.assumed = 0
        """Entries: paid by their bits as last read, skipped and not paid, and paid since by what landed."""
        self.floor = 0
        """The newest slot in which a transaction of this run landed."""
        self.transactions = self.fees = 0
        self.unknown: set[int] = set()
        self._chain = chain
        self._clock = clock
        self._calls = calls
        self._flights = flights
        self._opening = opening
        self._settings = settings
        self._should_stop = should_stop
        self._tell = tell
        self._distribution = Pubkey.from_bytes(calls.record.address)
        self._prefix = f"dividend:{self._distribution}:"
        self._words = [0] * calls.record.batches
        self._only = -1
        self._is_stale = False
        self._trouble_since: float | None = None
        # By batch: the round and the attempts in it; transactions signed in this run; bits that the last was to set.
        self._rounds: dict[int, tuple[int, int]] = {}
        self._tries: dict[int, int] = {}
        self._expected: dict[int, int] = {}
        self._openings: dict[int, int] = {}
        self._accounts_done: set[int] = set()
        self._waiting: dict[int, set[str]] = {}
        self._alone: set[int] = set()
        self._outgrew: set[int] = set()
        self._dead_in_a_row = 0
        self._limits = Limits(0, 0)
        self._sized_for = 0
        self._sizing = asyncio.Lock()

    # What the chain says ---------------------------------------------------------------------------------------------

    async def read_words(self, floor: int = 0) -> DistributionAccount:
        """The distribution at finalized, at `floor` or a later slot. Refused when there is none, ChainError when no
        endpoint tells it before patience ends."""
        found = await self.read_account(self._distribution, floor)
        account = decode_distribution(self._distribution, found)
        if account is None:
            raise Refused(f"There is no distribution at {self._distribution}.", hint="Open it: tally dividend open")
        for batch, word in enumerate(account.words[: len(self._words)]):
            # Bits are never cleared: a node that lags must not make us forget one.
            self._words[batch] |= word
        self._is_stale = False
        self.assumed = 0
        self.paid = sum(word.bit_count() for word in self._words)
        skips = zip(self._calls.skips, self._words, strict=True)
        self.skipped = sum((skip & ~word).bit_count() for skip, word in skips)
        return account

    async def read_account(self, address: Pubkey, floor: int = 0) -> Account | None:
        """An account at finalized, at `floor` or a later slot; asked again until patience ends."""
        give_up_at = self._clock.monotonic() + self._settings.patience
        while True:
            trouble = ChainError(f"No endpoint has finalized slot {floor} yet.", hint="Run this again.")
            try:
                slot, [account] = await self._chain.get_accounts([address], "finalized")
                if slot >= floor:
                    return account
            except ChainError as error:
                trouble = error
            if self._clock.monotonic() >= give_up_at:
                raise trouble
            await self._clock.sleep(self._settings.poll_every)

    def target(self, batch: int) -> int:
        """The bits of a batch that may be set now."""
        return self._calls.target(batch, self._words[batch]) & self._only

    def unpaid_batches(self) -> list[int]:
        """Batches with an entry that may be paid, in their order."""
        return [batch for batch in range(self._calls.record.batches) if self.target(batch)]

    def paid_in(self, batch: int) -> int:
        """Entries of a batch that are paid."""
        return self._words[batch].bit_count()

    def may_try(self, batch: int) -> bool:
        """Whether another transaction of a batch may be signed in this run."""
        return batch not in self.unknown and self._tries.get(batch, 0) < self._settings.attempts

    # Sending ---------------------------------------------------------------------------------------------------------

    async def resume(self, opening: Sequence[OutboxRow], paying: Sequence[OutboxRow]) -> list[int]:
        """Follow what earlier runs left open and learn their rounds; batches of which a payment landed."""
        self._opening.note(opening)
        for row in sorted(paying, key=lambda row: (*self._place(row), row.attempt)):
            batch, round_ = self._place(row)
            self._rounds[batch] = (round_ + 1, 0) if row.state is OutboxState.LANDED else (round_, row.attempt)
        self._flights.adopt([row for row in (*opening, *paying) if row.is_open])
        await self._fly([], is_resuming=True)
        return [batch for batch, (round_, _) in self._rounds.items() if round_]

    async def send_one(self, batch: int, place: int) -> bool:
        """Pay one entry and follow it to its fate; False when nothing was signed."""
        before = self._tries.get(batch, 0)
        self._only = 1 << place
        await self._fly([batch])
        self._only = -1
        self._accounts_done.discard(batch)
        return self._tries.get(batch, 0) > before

    async def send(self, batches: Iterable[int]) -> None:
        """Pay what can be paid of these batches and follow everything to its fate, or until this is stopped."""
        await self._fly(batches)

    def stop(self, why: str) -> None:
        """Launch nothing more; the first reason stays."""
        self.stopped = self.stopped or why

    async def _fly(self, batches: Iterable[int], *, is_resuming: bool = False) -> None:
        queue = deque(batches)
        while queue or len(self._flights):
            has_launched = await self._launch(queue)
            for landing in await self._flights.look():
                self._settle(landing, queue, is_resuming=is_resuming)
            self._release(queue)
            self._notice_errors()
            if self.stopped:
                queue.clear()
            self._tell()
            if not (has_launched and queue) and (queue or len(self._flights)):
                await self._clock.sleep(self._settings.poll_every)
        self._waiting.clear()

    async def _launch(self, queue: deque[int]) -> bool:
        """Sign and send the next group; False when there is no room, or the cluster does not answer."""
        group: list[int] = []
        while queue and len(group) < min(self._flights.room, _GROUP) and not self.stopped:
            if self._should_stop():
                self.stop("It was told to stop.")
            else:
                group.append(queue.popleft())
        if not group:
            return False
        try:
            if self._is_stale:
                await self.read_words(await self._chain.get_slot("finalized"))
            drafts = [each for part in await together(*map(self._prepare, group)) for each in part]
            await self._flights.launch(drafts)
        except TransactionError as error:
            self.stop(f"A transaction would fail: {error.message}")
            return False
        except ChainError as error:
            queue.extendleft(reversed(group))
            self._is_troubled(error)
            return False
        self._trouble_since = None
        for draft in drafts:
            if draft.accounts:
                self._waiting.setdefault(draft.batch, set()).add(draft.intent)
        for batch in {draft.batch for draft in drafts}:
            tries = self._openings if batch in self._waiting else self._tries
            tries[batch] = tries.get(batch, 0) + 1
            if batch in self._waiting:
                self._accounts_done.add(batch)
        return True

    def _is_troubled(self, error: ChainError) -> None:
        now = self._clock.monotonic()
        if self._trouble_since is None:
            self._trouble_since = now
        if now - self._trouble_since >= self._settings.patience:
            self.stop(f"The cluster does not answer: {error.message}")

    async def _prepare(self, number: int) -> list[Draft]:
        """What to send next for a batch: what opens accounts, else what pays; nothing when nothing can be paid."""
        target = self.target(number)
        if not target or not self.may_try(number):
            return []
        batch = await self._calls.batch(number)
        round_, attempts = self._rounds.get(number, (0, 0))
        may_open = self._settings.rent_cap > 0
        if number not in self._accounts_done and (may_open or round_):
            lines = [line for place, line in enumerate(batch.lines) if target >> place & 1]
            reasons = await read_obstacles(self._chain, self._calls.record, lines, "confirmed")
            pairs = zip(lines, reasons, strict=True)
            missing = [line for line, reason in pairs if reason is LeftReason.MISSING]
            if missing and may_open and (opening := await self._opening.drafts(number, missing)):
                return opening
            if all(reasons):
                return []
        call = self._calls.pay(batch, target)
        limits = await self._size(number, target, call)
        self._expected[number] = target
        return [Draft(f"{self._prefix}{number}:{round_}", attempts + 1, number, (call,), limits)]

    async def _size(self, number: int, target: int, call: Instruction) -> Limits:
        """Limits of a payment: those of the largest that was simulated, or its own after one that did not land,
        which also tells why one is dropped: a payer without SOL."""
        if number in self._alone:
            own = sized(await self._flights.simulate([call]))
            # Others are like it, so that few more transactions fail for the same reason.
            self._limits = Limits(max(own.units, self._limits.units), max(own.loaded, self._limits.loaded))
            return own
        async with self._sizing:
            if target.bit_count() > self._sized_for:
                found = sized(await self._flights.simulate([call]))
                self._limits = Limits(max(found.units, self._limits.units), max(found.loaded, self._limits.loaded))
                self._sized_for = target.bit_count()
            return self._limits

    # What became of it -----------------------------------------------------------------------------------------------

    def _settle(self, landing: Landing, queue: deque[int], *, is_resuming: bool) -> None:
        row, state = landing.row, landing.state
        self.floor = max(self.floor, landing.slot or 0)
        self.fees += landing.fee
        self.transactions += landing.fee > 0
        if row.intent.startswith(self._prefix):
            number = self._settle_payment(landing)
            if state in (OutboxState.FAILED, OutboxState.DEAD) and not is_resuming:
                self._is_stale = True
                queue.appendleft(number)
        else:
            number = self._settle_opening(landing)
        if state is OutboxState.UNKNOWN:
            self.unknown.add(number)
            self._waiting.pop(number, None)
        if state is not OutboxState.LANDED:
            self._alone.add(number)
        if landing.error is not None:
            is_known = _is_out_of_limits(landing.error.error, landing.error.logs) and number not in self._outgrew
            self._outgrew.add(number)
            if not is_known:
                self.stop(f"A transaction failed: {landing.error.message}")
        self._dead_in_a_row = self._dead_in_a_row + 1 if state is OutboxState.DEAD else 0
        if max(self._dead_in_a_row, len(self.unknown)) >= _MANY * self._settings.in_flight:
            self.stop(f"Transactions are sent and do not land. {self._flights.trouble}".strip())

    def _settle_payment(self, landing: Landing) -> int:
        number, round_ = self._place(landing.row)
        if landing.state is OutboxState.LANDED:
            self._rounds[number] = (round_ + 1, 0)
            self.assumed += (self._expected.get(number, 0) & ~self._words[number]).bit_count()
        else:
            self._rounds[number] = (round_, landing.row.attempt)
        return number

    def _settle_opening(self, landing: Landing) -> int:
        number = self._opening.settle(landing.row, landing.state)
        self._waiting.get(number, set()).discard(landing.row.intent)
        if landing.state is OutboxState.DEAD and self._openings.get(number, 0) < self._settings.attempts:
            self._accounts_done.discard(number)
        return number

    def _release(self, queue: deque[int]) -> None:
        """Queue the batches whose accounts are open at confirmed, or were not to be opened after all."""
        if not self._waiting:
            return
        executed = self._flights.executed()
        for number in [number for number, intents in self._waiting.items() if intents <= executed]:
            del self._waiting[number]
            queue.appendleft(number)

    def _notice_errors(self) -> None:
        """Launch nothing more from the moment an error is seen, though it is not final."""
        for row, error in self._flights.errors():
            if not _is_out_of_limits(error, (_OUT_OF_UNITS,)):
                self.stop(f"A transaction failed: {row.signature} with {error_text(error)}")

    def _place(self, row: OutboxRow) -> tuple[int, int]:
        """Batch and round of a payment's intent."""
        number, round_ = row.intent.removeprefix(self._prefix).split(":")
        return int(number), int(round_)


def _is_out_of_limits(error: object, logs: Sequence[str]) -> bool:
    text = error_text(error)
    if any(name in text for name in _OUT_OF_LIMITS):
        return True
    return "ProgramFailedToComplete" in text and any(_OUT_OF_UNITS in line for line in logs)


__all__ = ["PushLoop", "PushSettings"]
