"""Many transactions on their way at once: signed, stored, broadcast, and followed to their fate together.

The rules are those of the sender (adapters/chain/sender.py), and so is the outbox. What differs is that work is shared:
one blockhash for all that are signed within seconds, one write for a group, one question for up to 256 signatures. That
another signature is safe after an expiry rests on the program, which pays an entry once, whatever an endpoint says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from solders.instruction import Instruction
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from tallystick.adapters.chain.failures import error_text, transaction_error
from tallystick.adapters.chain.outbox import Outbox, OutboxOutcome, OutboxRow, OutboxState
from tallystick.adapters.chain.protocol import Blockhash, Chain, SignatureStatus, Simulation
from tallystick.adapters.chain.sender import instructions_digest
from tallystick.adapters.chain.signers import TransactionSigner
from tallystick.adapters.chain.transactions import (
    MAX_COMPUTE_UNITS,
    MAX_LOADED_ACCOUNTS_DATA,
    build_transaction,
    loaded_data_limit,
    sign_transaction,
)
from tallystick.adapters.chain.wire import LAMPORTS_PER_SIGNATURE
from tallystick.adapters.clock import Clock
from tallystick.errors import ChainError, LedgerError, TransactionError
from tallystick.program import PROGRAM_ID, program_error

_BLOCKHASH_FOR: Final = 2.0
"""Seconds for which one blockhash is given to new transactions, and to how many groups of them."""
_BLOCKHASH_GROUPS: Final = 2
_SETTLE_EVERY: Final = 2.0
"""Seconds between questions about those that are confirmed and not yet finalized."""


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FlightSettings:
    """`in_flight` transactions that no node has confirmed yet; seconds between looks and between broadcasts of one, and
    until one is given up as unknown; lamports of priority fee for each."""

    in_flight: int = 64
    poll_every: float = 0.5
    broadcast_every: float = 2.0
    patience: float = 180.0
    priority_fee: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one transaction: compute units, and bytes of accounts that it loads."""

    units: int = MAX_COMPUTE_UNITS
    loaded: int = MAX_LOADED_ACCOUNTS_DATA


@dataclass(frozen=True, slots=True)
class Draft:
    """A transaction to be signed: attempt `attempt` at `intent`, which is about batch `batch`. `accounts` are the token
    accounts that it opens; none when it pays."""

    intent: str
    attempt: int
    batch: int
    instructions: tuple[Instruction, ...]
    limits: Limits
    accounts: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Landing:
    """What became of one: LANDED or FAILED at finalized, DEAD, or UNKNOWN; `fee` in lamports."""

    row: OutboxRow
    state: OutboxState
    slot: int | None = None
    fee: int = 0
    error: TransactionError | None = None


@dataclass(slots=True)
class _Flight:
    row: OutboxRow
    give_up_at: float
    broadcast_at: float
    look_at: float
    needs_history: bool
    is_seen: bool = False
    is_expired: bool = False
    error: object | None = None


class Flights:
    """See the module. Every method raises StoreError; `launch` raises ChainError before anything is stored."""

    def __init__(
        self, chain: Chain, outbox: Outbox, clock: Clock, payer: TransactionSigner, settings: FlightSettings
    ) -> None:
        self._chain = chain
        self._outbox = outbox
        self._clock = clock
        self._payer = payer
        self._settings = settings
        self._flights: dict[bytes, _Flight] = {}
        self._blockhash: Blockhash | None = None
        self._blockhash_at = 0.0
        self._groups = 0
        self.trouble = ""

    def __len__(self) -> int:
        return len(self._flights)

    @property
    def room(self) -> int:
        """How many more may be launched now."""
        return self._settings.in_flight - sum(not each.is_seen for each in self._flights.values())

    def executed(self) -> set[str]:
        """Intents of those in flight that executed without error, at confirmed."""
        return {each.row.intent for each in self._flights.values() if each.is_seen and each.error is None}

    def errors(self) -> list[tuple[OutboxRow, object]]:
        """Those in flight that executed with an error, at confirmed: not final yet."""
        return [(each.row, each.error) for each in self._flights.values() if each.error is not None]

    def build(self, instructions: Sequence[Instruction], limits: Limits, blockhash: Blockhash) -> VersionedTransaction:
        """An unsigned transaction of version 1. InputError when it does not fit one."""
        return build_transaction(
            instructions,
            self._payer.pubkey,
            blockhash.blockhash,
            version=1,
            compute_unit_limit=limits.units,
            loaded_accounts_data_size_limit=limits.loaded,
            priority_fee=self._settings.priority_fee,
        )

    async def simulate(
        self, instructions: Sequence[Instruction], *, watch: Sequence[Pubkey] | None = None
    ) -> Simulation:
        """Run without limits. TransactionError, in the program's words, when it would fail."""
        draft = self.build(instructions, Limits(), await self.blockhash())
        found = await self._chain.simulate(bytes(draft), watch=watch)
        if found.error is not None:
            raise transaction_error(
                found.error, found.logs, None, message=draft.message, program_errors={PROGRAM_ID: program_error}
            )
        return found

    async def blockhash(self) -> Blockhash:
        """A recent blockhash, the same for some seconds."""
        is_old = self._clock.monotonic() - self._blockhash_at >= _BLOCKHASH_FOR
        if self._blockhash is None or is_old or self._groups >= _BLOCKHASH_GROUPS:
            self._blockhash = await self._chain.get_latest_blockhash()
            self._blockhash_at = self._clock.monotonic()
            self._groups = 0
        return self._blockhash

    async def launch(self, drafts: Sequence[Draft]) -> None:
        """Sign all, store all, then broadcast all."""
        if not drafts:
            return
        blockhash = await self.blockhash()
        self._groups += 1
        signed = await together(
            *(sign_transaction(self.build(each.instructions, each.limits, blockhash), [self._payer]) for each in drafts)
        )
        now = self._clock.now()
        rows = [
            OutboxRow(
                intent=draft.intent,
                attempt=draft.attempt,
                digest=instructions_digest(self._payer.pubkey, draft.instructions),
                signature=transaction.signatures[0],
                transaction=bytes(transaction),
                last_valid_block_height=blockhash.last_valid_block_height,
                commitment="finalized",
                created_at=now,
                updated_at=now,
            )
            for draft, transaction in zip(drafts, signed, strict=True)
        ]
        await self._outbox.put_signed_all(rows)
        self._take(rows, needs_history=False)
        await self._broadcast([self._flights[bytes(row.signature)] for row in rows])
        await self._outbox.mark_sent_all([row.signature for row in rows], self._clock.now())

    def adopt(self, rows: Sequence[OutboxRow]) -> None:
        """Follow what an earlier run left open."""
        self._take(rows, needs_history=True)

    async def look(self) -> list[Landing]:
        """Ask once, broadcast again what is due, and give those whose fate is known now. A cluster that does not answer
        is waited for until patience ends."""
        fates: dict[bytes, Landing] = {}
        for step in (self._ask, self._push_on):
            try:
                await step(fates)
            except (ChainError, LedgerError) as error:
                self.trouble = error.message
        now = self._clock.monotonic()
        for key, flight in self._flights.items():
            if key not in fates and now >= flight.give_up_at:
                fates[key] = Landing(flight.row, OutboxState.UNKNOWN)
        if not fates:
            return []
        outcomes = [
            OutboxOutcome(
                each.row.signature,
                each.state,
                slot=each.slot,
                fee=each.fee or None,
                error=None if each.error is None else error_text(each.error.error),
            )
            for each in fates.values()
        ]
        await self._outbox.mark_outcomes(outcomes, at=self._clock.now())
        for key, each in fates.items():
            del self._flights[key]
            if each.state is not OutboxState.LANDED:
                # The same instructions on the same blockhash would be the same signature.
                self._blockhash = None
        return list(fates.values())

    def _take(self, rows: Sequence[OutboxRow], *, needs_history: bool) -> None:
        now = self._clock.monotonic()
        for row in rows:
            broadcast_at = now if needs_history else now + self._settings.broadcast_every
            self._flights[bytes(row.signature)] = _Flight(
                row, now + self._settings.patience, broadcast_at, now, needs_history
            )

    async def _ask(self, fates: dict[bytes, Landing]) -> None:
        now = self._clock.monotonic()
        due = [each for each in self._flights.values() if each.look_at <= now]
        for search_history in (False, True):
            asked = [each for each in due if each.needs_history is search_history]
            if not asked:
                continue
            statuses = await self._chain.get_signature_statuses(
                [each.row.signature for each in asked], search_history=search_history
            )
            for flight, status in zip(asked, statuses, strict=True):
                await self._note(flight, status, fates)

    async def _note(self, flight: _Flight, status: SignatureStatus | None, fates: dict[bytes, Landing]) -> None:
        """Take in one answer."""
        flight.needs_history = flight.is_expired
        flight.is_seen = status is not None and status.commitment != "processed"
        flight.error = status.error if status is not None and flight.is_seen else None
        if flight.is_seen:
            flight.look_at = self._clock.monotonic() + _SETTLE_EVERY
        if status is None or status.commitment != "finalized":
            return
        row, fee = flight.row, LAMPORTS_PER_SIGNATURE + self._settings.priority_fee
        if status.error is None:
            fates[bytes(row.signature)] = Landing(row, OutboxState.LANDED, status.slot, fee)
            return
        error = await self._failure(row, status.error)
        fates[bytes(row.signature)] = Landing(row, OutboxState.FAILED, status.slot, fee, error)

    async def _failure(self, row: OutboxRow, error: object) -> TransactionError:
        logs: tuple[str, ...] = ()
        try:
            found = await self._chain.get_transaction(row.signature, "finalized")
            logs = found.logs if found else ()
        except (ChainError, LedgerError):
            pass  # The failure is known without its logs.
        message = VersionedTransaction.from_bytes(row.transaction).message
        return transaction_error(
            error, logs, str(row.signature), message=message, program_errors={PROGRAM_ID: program_error}
        )

    async def _push_on(self, fates: dict[bytes, Landing]) -> None:
        """Broadcast again what no node has confirmed; find those that are dead, in this order: the finalized height is
        beyond their last, then no endpoint knows them."""
        now = self._clock.monotonic()
        loose = [each for key, each in self._flights.items() if key not in fates and not each.is_seen]
        due = [each for each in loose if each.broadcast_at <= now and not each.is_expired]
        if due:
            height = await self._chain.get_block_height("finalized")
            alive = [each for each in due if each.row.last_valid_block_height >= height]
            for each in due:
                each.is_expired = each.needs_history = each.row.last_valid_block_height < height
            await self._broadcast(alive)
        expired = [each for each in loose if each.is_expired]
        if not expired:
            return
        statuses = await self._chain.get_signature_statuses(
            [each.row.signature for each in expired], search_history=True
        )
        for flight, status in zip(expired, statuses, strict=True):
            await self._note(flight, status, fates)
            if status is None and await self._chain.is_absent_everywhere(flight.row.signature):
                fates[bytes(flight.row.signature)] = Landing(flight.row, OutboxState.DEAD)

    async def _broadcast(self, flights: Sequence[_Flight]) -> None:
        """Send the stored bytes. A refusal proves nothing, so it is only remembered."""

        async def one(flight: _Flight) -> None:
            try:
                await self._chain.send(flight.row.transaction)
            except ChainError as error:
                self.trouble = error.message
            flight.broadcast_at = self._clock.monotonic() + self._settings.broadcast_every

        await together(*(one(each) for each in flights))


def sized(simulation: Simulation) -> Limits:
    """Limits for what was simulated: a quarter and a constant more, since state moves; bytes in whole pages."""
    units = min(simulation.units + simulation.units // 4 + 3_000, MAX_COMPUTE_UNITS)
    return Limits(units, loaded_data_limit(simulation.loaded_data))


async def together(*calls: Awaitable[T]) -> list[T]:
    """The results of all, once every one of them has ended; raises the first error."""
    results = await asyncio.gather(*calls, return_exceptions=True)
    for each in results:
        if isinstance(each, BaseException):
            raise each
    return [each for each in results if not isinstance(each, BaseException)]


__all__ = ["Draft", "FlightSettings", "Flights", "Landing", "Limits", "sized", "together"]
