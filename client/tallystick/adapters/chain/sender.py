"""The one way a transaction leaves this library.

Simulate to size it; sign; store the bytes; only then broadcast, and broadcast the same bytes again until their fate is
known. Another signature for the same intent is made only when the earlier one is provably dead, shown in this order:
the finalized block height is beyond its last valid height; then no endpoint knows it, history searched; then its effect
is not on chain. In any other order a transaction that lands between two questions would be sent twice.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.hash import Hash
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from tallystick.adapters.chain.failures import ProgramErrors, error_text, transaction_error
from tallystick.adapters.chain.outbox import NEXT_STATES, Outbox, OutboxRow, OutboxState
from tallystick.adapters.chain.protocol import Chain, ConfirmedTransaction, SignatureStatus
from tallystick.adapters.chain.send_result import Outcome, SendResult
from tallystick.adapters.chain.signers import TransactionSigner
from tallystick.adapters.chain.transactions import (
    MAX_COMPUTE_UNITS,
    MAX_LOADED_ACCOUNTS_DATA,
    Version,
    build_transaction,
    loaded_data_limit,
    sign_transaction,
)
from tallystick.adapters.clock import Clock
from tallystick.errors import ChainError, InputError, LedgerError, StoreConflict, TransactionError

SettledAt = Literal["confirmed", "finalized"]
IsDone = Callable[[], Awaitable[bool]]

_DEPTH: Final = {"processed": 0, "confirmed": 1, "finalized": 2}


@dataclass(frozen=True, slots=True)
class SendSettings:
    """Seconds between looks and between broadcasts, seconds until a call gives up as unknown, signatures per call.

    A blockhash lives 150 blocks (30 to 60 s as slot times go) and finality takes about 13 s more, so the patience lets
    one call see an expiry through.
    """

    poll_every: float = 0.5
    broadcast_every: float = 2.0
    patience: float = 180.0
    attempts: int = 3


@dataclass(frozen=True, slots=True)
class _Order:
    """What a caller asked for, once."""

    intent: str
    instructions: tuple[Instruction, ...]
    signers: tuple[TransactionSigner, ...]
    payer: Pubkey
    version: Version
    commitment: SettledAt
    priority_fee: int
    lookup_tables: tuple[AddressLookupTableAccount, ...]
    digest: bytes


class Sender:
    """Sends, resumes and tells the outcome; see the module. `program_errors` maps programs to their own error codes."""

    def __init__(
        self,
        chain: Chain,
        outbox: Outbox,
        clock: Clock,
        *,
        program_errors: Mapping[Pubkey, ProgramErrors] | None = None,
        settings: SendSettings | None = None,
    ) -> None:
        self._chain = chain
        self._outbox = outbox
        self._clock = clock
        self._program_errors = dict(program_errors or {})
        self._settings = settings or SendSettings()

    async def send(
        self,
        instructions: Sequence[Instruction],
        signers: Sequence[TransactionSigner],
        *,
        intent: str,
        payer: Pubkey | None = None,
        version: Version = 0,
        commitment: SettledAt = "confirmed",
        priority_fee: int = 0,
        lookup_tables: Sequence[AddressLookupTableAccount] = (),
        is_done: IsDone | None = None,
        is_guarded: bool = False,
    ) -> SendResult:
        """Bring `intent` about once, and say what became of it.

        `intent` names the effect, stably over reruns (`settle:<order>:<movement>`): where an earlier call left a
        signature that landed, its result is returned; one that may still land is carried on with, never doubled; one
        that failed or is dead is followed by a new attempt. `payer` is the first signer unless given. `priority_fee` in
        lamports. `is_done` reads the chain, at confirmed or finalized, for the effect; without it nothing is signed a
        second time after an expiry. `is_guarded` says that the program itself lets the effect happen only once (a
        one-shot account): with a single endpoint, whose word is then all there is, only that allows another signature.

        Raises, before anything is stored or sent: InputError; TransactionError or ProgramError from the simulation;
        ChainError when the cluster or a signer does not answer; StoreConflict when `intent` already stands for other
        instructions; StoreError at any time. Once bytes are stored it returns: UNKNOWN is an outcome, not an error.
        """
        if not signers or not instructions or not intent:
            raise InputError("A transaction needs an intent, at least one instruction and at least one signer.")
        if commitment not in ("confirmed", "finalized"):
            raise InputError(f"An outcome is decided at confirmed or finalized, not at {commitment!r}.")
        payer = payer or signers[0].pubkey
        order = _Order(
            intent,
            tuple(instructions),
            tuple(signers),
            payer,
            version,
            commitment,
            priority_fee,
            tuple(lookup_tables),
            instructions_digest(payer, instructions),
        )
        result = await self._carry_on(order, is_done, is_guarded)
        for _ in range(self._settings.attempts):
            if result is not None:
                return result
            result = await self._attempt(order, is_done, is_guarded)
        return result or await self._expired(order)

    async def resume(self) -> tuple[SendResult, ...]:
        """Carry on with every signature whose fate is open: look, and broadcast the same bytes; never sign."""

        async def one(row: OutboxRow) -> SendResult:
            result = await self._follow(row, row.commitment, None, False, is_new=False)
            return result or await self._result(row, Outcome.UNKNOWN, "It is dead; run its intent again.")

        return tuple(await asyncio.gather(*(one(row) for row in await self._outbox.pending())))

    async def _carry_on(self, order: _Order, is_done: IsDone | None, is_guarded: bool) -> SendResult | None:
        """The result of an earlier call's attempt, or None when a new attempt may be signed."""
        rows = await self._outbox.get_by_intent(order.intent)
        if not rows:
            return None
        last = rows[-1]
        if last.digest != order.digest and not last.is_replaceable:
            raise StoreConflict(
                f"{order.intent} already stands for other instructions, and {last.signature} is {last.state}.",
                hint="Choose another intent for another effect, or see what became of this one with resume.",
            )
        if last.state is OutboxState.LANDED and not _is_weaker(last.commitment, order.commitment):
            return await self._result(last, Outcome.LANDED, "It landed in an earlier run.")
        if last.state is OutboxState.DEAD or (last.state is OutboxState.FAILED and last.commitment == "finalized"):
            return None
        if last.state is OutboxState.FAILED:
            # A failure that is not finalized can be undone by a fork, and the same bytes succeed on the other side.
            result = await self._follow(last, "finalized", is_done, is_guarded, is_new=False)
            return None if result is None or result.outcome is Outcome.FAILED else result
        return await self._follow(last, order.commitment, is_done, is_guarded, is_new=False)

    async def _attempt(self, order: _Order, is_done: IsDone | None, is_guarded: bool) -> SendResult | None:
        """Sign, store, broadcast and follow one attempt; None when it is dead and another may be signed."""
        rows = await self._outbox.get_by_intent(order.intent)
        if rows and rows[-1].state is OutboxState.DEAD and is_done is None:
            raise InputError(
                f"{order.intent} expired before; another signature needs a check whether its effect is on chain.",
                hint="Pass is_done, as the call that expired did.",
            )
        signatures = tuple(row.signature for row in rows)
        if is_done is not None and await is_done():
            return SendResult(Outcome.ALREADY_DONE, order.intent, signatures, detail="Its effect is on chain already.")
        try:
            transaction, last_valid = await self._prepare(order)
        except TransactionError:
            if is_done is not None and await is_done():
                detail = "Its effect came onto the chain meanwhile."
                return SendResult(Outcome.ALREADY_DONE, order.intent, signatures, detail=detail)
            raise
        now = self._clock.now()
        row = OutboxRow(
            intent=order.intent,
            attempt=len(rows) + 1,
            digest=order.digest,
            signature=transaction.signatures[0],
            transaction=bytes(transaction),
            last_valid_block_height=last_valid,
            commitment=order.commitment,
            created_at=now,
            updated_at=now,
        )
        try:
            await self._outbox.put_signed(row)
        except StoreConflict:
            # Somebody else stored this attempt first; theirs is followed and ours is forgotten, never having been sent.
            if len(await self._outbox.get_by_intent(order.intent)) == len(rows):
                raise
            return await self._carry_on(order, is_done, is_guarded)
        return await self._follow(row, order.commitment, is_done, is_guarded, is_new=True)

    async def _prepare(self, order: _Order) -> tuple[VersionedTransaction, int]:
        """A signed transaction sized by simulation, and its last valid block height. Raises the simulation's error."""
        blockhash = await self._chain.get_latest_blockhash()
        draft = _build(order, blockhash.blockhash, MAX_COMPUTE_UNITS, MAX_LOADED_ACCOUNTS_DATA)
        simulation = await self._chain.simulate(bytes(draft))
        if simulation.error is not None:
            raise self._error(simulation.error, simulation.logs, None, draft)
        # A fifth more and a constant: other transactions move the state in between, and bumps cost 1,500 a try.
        units = min(simulation.units + simulation.units // 5 + 3_000, MAX_COMPUTE_UNITS)
        transaction = _build(order, blockhash.blockhash, units, loaded_data_limit(simulation.loaded_data))
        return await sign_transaction(transaction, order.signers), blockhash.last_valid_block_height

    async def _follow(
        self, row: OutboxRow, commitment: str, is_done: IsDone | None, is_guarded: bool, *, is_new: bool
    ) -> SendResult | None:
        """Broadcast and look until the fate of `row` is known or patience ends; None when it is dead and may be
        replaced."""
        give_up_at = self._clock.monotonic() + self._settings.patience
        broadcast_at = self._clock.monotonic()
        search_history, is_expired, trouble = not is_new, False, ""
        if is_new:
            trouble = await self._broadcast(row)
            broadcast_at += self._settings.broadcast_every
        while True:
            try:
                [status] = await self._chain.get_signature_statuses([row.signature], search_history=search_history)
                search_history = is_expired
                if status is not None and not _is_weaker(status.commitment, commitment):
                    return await self._settle(row, status, is_done)
                if is_expired and status is None:
                    verdict = await self._bury(row, is_done, is_guarded)
                    if verdict is not None:
                        return None if verdict == "dead" else verdict
                elif not is_expired and self._clock.monotonic() >= broadcast_at and _is_loose(status):
                    is_expired = await self._chain.get_block_height("finalized") > row.last_valid_block_height
                    if is_expired:
                        search_history = True
                        continue
                    trouble = await self._broadcast(row)
                    broadcast_at = self._clock.monotonic() + self._settings.broadcast_every
            except (ChainError, LedgerError) as error:
                trouble = error.message
            if self._clock.monotonic() >= give_up_at:
                detail = f"{row.signature} was sent; it is neither on chain nor provably dead. {trouble}".strip()
                return await self._mark(row, OutboxState.UNKNOWN, Outcome.UNKNOWN, detail)
            await self._clock.sleep(self._settings.poll_every)

    async def _bury(
        self, row: OutboxRow, is_done: IsDone | None, is_guarded: bool
    ) -> SendResult | Literal["dead"] | None:
        """After the expiry, in this order: absent everywhere, then not done. "dead" when another may be signed, None to
        look again."""
        if not await self._chain.is_absent_everywhere(row.signature):
            return None
        if is_done is None:
            detail = f"{row.signature} expired and no endpoint knows it; run its intent again to see its effect."
            return await self._mark(row, OutboxState.UNKNOWN, Outcome.UNKNOWN, detail)
        if await is_done():
            detail = f"{row.signature} expired and no endpoint knows it, but its effect is on chain."
            return await self._mark(row, OutboxState.DEAD, Outcome.ALREADY_DONE, detail)
        if self._chain.endpoint_count < 2 and not is_guarded:
            detail = (
                f"{row.signature} expired and the only endpoint does not know it; that is one witness, and nothing on "
                "chain stops a second effect. Add an endpoint of another provider and run this again."
            )
            return await self._mark(row, OutboxState.UNKNOWN, Outcome.UNKNOWN, detail)
        await self._mark(row, OutboxState.DEAD, Outcome.FAILED, "")
        return "dead"

    async def _broadcast(self, row: OutboxRow) -> str:
        """Send the stored bytes; what went wrong, or nothing. A refusal proves nothing, so it is only remembered."""
        trouble = ""
        try:
            await self._chain.send(row.transaction)
        except ChainError as error:
            trouble = error.message
        await self._outbox.mark_sent(row.signature, self._clock.now())
        return trouble

    async def _settle(self, row: OutboxRow, status: SignatureStatus, is_done: IsDone | None) -> SendResult:
        """Record an execution, told by its error and not by its confirmation alone. One that failed because its effect
        is there already (the guard refused it) is no failure of the intent."""
        landed = await self._details(row, status)
        row = replace(
            row,
            slot=status.slot,
            units=landed.units if landed else None,
            fee=landed.fee if landed else None,
            error=None if status.error is None else error_text(status.error),
        )
        if status.error is None:
            return await self._mark(row, OutboxState.LANDED, Outcome.LANDED, f"{row.signature} executed.")
        transaction = VersionedTransaction.from_bytes(row.transaction)
        error = self._error(status.error, landed.logs if landed else (), str(row.signature), transaction)
        try:
            if is_done is not None and await is_done():
                detail = f"{row.signature} was refused, but its effect is on chain: {error.message}"
                return await self._mark(row, OutboxState.FAILED, Outcome.ALREADY_DONE, detail)
        except (ChainError, LedgerError):
            pass  # The failure is known, and is told; whether something else did the work is asked again next time.
        return await self._mark(row, OutboxState.FAILED, Outcome.FAILED, error.message, error)

    async def _details(self, row: OutboxRow, status: SignatureStatus) -> ConfirmedTransaction | None:
        """Units, fee and logs; a node may tell the status a moment before it can tell these, and none are needed."""
        for turn in range(3):
            if turn:
                await self._clock.sleep(self._settings.poll_every)
            try:
                depth: SettledAt = "finalized" if status.commitment == "finalized" else "confirmed"
                if (found := await self._chain.get_transaction(row.signature, depth)) is not None:
                    return found
            except (ChainError, LedgerError):
                continue
        return None

    async def _mark(
        self, row: OutboxRow, state: OutboxState, outcome: Outcome, detail: str, error: TransactionError | None = None
    ) -> SendResult:
        rows = await self._outbox.get_by_intent(row.intent)
        now_is = next((each.state for each in rows if each.signature == row.signature), row.state)
        if state in NEXT_STATES[now_is]:
            await self._outbox.mark_outcome(
                row.signature, state, at=self._clock.now(), slot=row.slot, units=row.units, fee=row.fee, error=row.error
            )
        return await self._result(row, outcome, detail, error)

    async def _result(
        self, row: OutboxRow, outcome: Outcome, detail: str, error: TransactionError | None = None
    ) -> SendResult:
        rows = await self._outbox.get_by_intent(row.intent)
        signatures = tuple(each.signature for each in rows if each.attempt <= row.attempt)
        return SendResult(outcome, row.intent, signatures, row.slot, row.units, row.fee, error, detail)

    async def _expired(self, order: _Order) -> SendResult:
        rows = await self._outbox.get_by_intent(order.intent)
        if self._chain.endpoint_count < 2:
            detail = (
                f"{len(rows)} signatures of {order.intent} expired and the only endpoint knows none of them; that is "
                "one witness. Run this again to see its effect."
            )
            return await self._result(rows[-1], Outcome.UNKNOWN, detail)
        detail = f"{len(rows)} signatures of {order.intent} expired, each proven not to have landed: nothing happened."
        error = TransactionError(
            detail,
            error="Expired",
            signature=str(rows[-1].signature),
            hint="The cluster is congested or the endpoints do not pass transactions on; raise the priority fee.",
        )
        return await self._result(rows[-1], Outcome.FAILED, detail, error)

    def _error(
        self, error: object, logs: Sequence[str], signature: str | None, transaction: VersionedTransaction
    ) -> TransactionError:
        return transaction_error(
            error, logs, signature, message=transaction.message, program_errors=self._program_errors
        )


def _build(order: _Order, blockhash: Hash, units: int, loaded: int) -> VersionedTransaction:
    return build_transaction(
        order.instructions,
        order.payer,
        blockhash,
        version=order.version,
        compute_unit_limit=units,
        loaded_accounts_data_size_limit=loaded,
        priority_fee=order.priority_fee,
        lookup_tables=order.lookup_tables,
    )


def _is_loose(status: SignatureStatus | None) -> bool:
    """Whether a fork may still drop it, so that sending again helps."""
    return status is None or status.commitment == "processed"


def _is_weaker(commitment: str, than: str) -> bool:
    return _DEPTH[commitment] < _DEPTH[than]


def instructions_digest(payer: Pubkey, instructions: Sequence[Instruction]) -> bytes:
    """SHA-256 of what is asked for; limits, fees and blockhash are left out, as they differ between attempts."""
    digest = hashlib.sha256(bytes(payer))
    for each in instructions:
        digest.update(bytes(each.program_id) + len(each.accounts).to_bytes(4, "little"))
        for meta in each.accounts:
            digest.update(bytes(meta.pubkey) + bytes([meta.is_signer, meta.is_writable]))
        digest.update(len(each.data).to_bytes(4, "little") + bytes(each.data))
    return digest.digest()


__all__ = ["IsDone", "SendSettings", "Sender", "SettledAt", "instructions_digest"]
