"""What was signed and what became of it: the record that makes a crash between signing and sending harmless.

One row is one signed transaction. An intent (`settle:<order>:<movement>`) has one row per attempt, and

    signed ─► sent ─► landed | failed | dead        signed, sent ─► unknown ─► landed | failed | dead

A row is `signed` before its first broadcast, so `signed` means: it may or may not have reached the cluster.
`dead` is proven: this signature can never land. Only after `dead` or `failed` may the next attempt be stored.
`failed` may still turn to `landed`: at `confirmed`, a fork may take the block that failed back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, Protocol

from solders.signature import Signature

from tallystick.adapters.chain.protocol import Commitment
from tallystick.errors import StoreConflict, StoreError


class OutboxState(StrEnum):
    """Where one signed transaction stands."""

    SIGNED = "signed"
    SENT = "sent"
    UNKNOWN = "unknown"
    LANDED = "landed"
    FAILED = "failed"
    DEAD = "dead"


_OPEN: Final = frozenset({OutboxState.SIGNED, OutboxState.SENT, OutboxState.UNKNOWN})
_REPLACEABLE: Final = frozenset({OutboxState.DEAD, OutboxState.FAILED})
_OUTCOMES: Final = frozenset({OutboxState.UNKNOWN, OutboxState.LANDED, OutboxState.FAILED, OutboxState.DEAD})
NEXT_STATES: Final[Mapping[OutboxState, frozenset[OutboxState]]] = {
    OutboxState.SIGNED: _OUTCOMES | {OutboxState.SENT},
    OutboxState.SENT: _OUTCOMES | {OutboxState.SENT},
    OutboxState.UNKNOWN: _OUTCOMES,
    OutboxState.FAILED: frozenset({OutboxState.FAILED, OutboxState.LANDED}),
    OutboxState.LANDED: frozenset({OutboxState.LANDED}),
    OutboxState.DEAD: frozenset({OutboxState.DEAD}),
}


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One signed transaction.

    `digest` is the SHA-256 of what the intent does (its instructions and payer), `attempt` counts from 1 within the
    intent, `commitment` is the one asked for. `slot`, `units` (compute units), `fee` (lamports) and `error` (the
    cluster's execution error as JSON) are known once it landed or failed. Times in seconds since 1970.
    """

    intent: str
    attempt: int
    digest: bytes
    signature: Signature
    transaction: bytes = field(repr=False)
    last_valid_block_height: int
    commitment: Commitment
    created_at: int
    updated_at: int
    state: OutboxState = OutboxState.SIGNED
    slot: int | None = None
    units: int | None = None
    fee: int | None = None
    error: str | None = None

    @property
    def is_open(self) -> bool:
        """True while its fate is not settled."""
        return self.state in _OPEN

    @property
    def is_replaceable(self) -> bool:
        """True when another attempt of the same intent may be stored."""
        return self.state in _REPLACEABLE


@dataclass(frozen=True, slots=True)
class OutboxOutcome:
    """What became of one signature, as mark_outcome takes it; None keeps what is there."""

    signature: Signature
    state: OutboxState
    slot: int | None = None
    units: int | None = None
    fee: int | None = None
    error: str | None = None


class Outbox(Protocol):
    """Where signed transactions are kept. A write has reached durable storage when the call returns.

    Every method raises StoreError when the store does not answer.
    """

    async def get_by_intent(self, intent: str) -> tuple[OutboxRow, ...]:
        """All attempts of the intent, oldest first; empty when there is none."""
        ...

    async def find(self, prefix: str) -> tuple[OutboxRow, ...]:
        """All attempts of every intent that begins with `prefix`, oldest first."""
        ...

    async def put_signed(self, row: OutboxRow) -> None:
        """Store a new row, all at once or not at all.

        Raises StoreConflict unless `row.state` is signed, its signature is new, `row.attempt` is the number of earlier
        attempts plus one, and the latest earlier attempt is replaceable. Two processes that try the same attempt at
        once: one of them gets StoreConflict.
        """
        ...

    async def put_signed_all(self, rows: Sequence[OutboxRow]) -> None:
        """Store new rows, all of them or none, each as put_signed would after those before it."""
        ...

    async def mark_sent(self, signature: Signature, at: int) -> None:
        """A signed row becomes sent; any other keeps its state. Raises StoreError when there is no such row."""
        ...

    async def mark_sent_all(self, signatures: Sequence[Signature], at: int) -> None:
        """mark_sent of several, all or none."""
        ...

    async def mark_outcome(
        self,
        signature: Signature,
        state: OutboxState,
        *,
        at: int,
        slot: int | None = None,
        units: int | None = None,
        fee: int | None = None,
        error: str | None = None,
    ) -> None:
        """Record what became of it; None keeps what is there.

        Raises StoreConflict when NEXT_STATES does not allow the change, StoreError when there is no such row.
        """
        ...

    async def mark_outcomes(self, outcomes: Sequence[OutboxOutcome], *, at: int) -> None:
        """mark_outcome of several, all or none."""
        ...

    async def pending(self) -> tuple[OutboxRow, ...]:
        """All rows that are signed, sent or unknown, oldest first."""
        ...


def check_new(row: OutboxRow, earlier: tuple[OutboxRow, ...]) -> None:
    """Raise StoreConflict unless `row` may follow `earlier`, the attempts of its intent, oldest first."""
    if row.state is not OutboxState.SIGNED:
        raise StoreConflict(f"A new outbox row must be signed, not {row.state}.")
    if row.attempt != len(earlier) + 1:
        raise StoreConflict(f"Attempt {row.attempt} of {row.intent} must come after {len(earlier)} earlier ones.")
    if earlier and not earlier[-1].is_replaceable:
        raise StoreConflict(
            f"{row.intent} has a signature that is {earlier[-1].state} and may be on chain: {earlier[-1].signature}.",
            hint="Resume it; a second signature is stored only once the first can no longer land.",
        )


def check_transition(row: OutboxRow, state: OutboxState) -> None:
    """Raise StoreConflict unless `row` may go to `state`."""
    if state not in NEXT_STATES[row.state]:
        raise StoreConflict(f"{row.signature} is {row.state} and cannot become {state}.")


class MemoryOutbox:
    """An outbox that lives as long as this process. For tests and demonstrations: a crash loses it."""

    def __init__(self) -> None:
        self._rows: dict[Signature, OutboxRow] = {}
        self._signatures: dict[str, list[Signature]] = {}

    async def get_by_intent(self, intent: str) -> tuple[OutboxRow, ...]:
        return tuple(self._rows[each] for each in self._signatures.get(intent, ()))

    async def find(self, prefix: str) -> tuple[OutboxRow, ...]:
        return tuple(row for row in self._rows.values() if row.intent.startswith(prefix))

    async def put_signed(self, row: OutboxRow) -> None:
        await self.put_signed_all([row])

    async def put_signed_all(self, rows: Sequence[OutboxRow]) -> None:
        earlier = {row.intent: await self.get_by_intent(row.intent) for row in rows}
        seen = set(self._rows)
        for row in rows:
            if row.signature in seen:
                raise StoreConflict(f"Signature {row.signature} is already in the outbox.")
            check_new(row, earlier[row.intent])
            earlier[row.intent] += (row,)
            seen.add(row.signature)
        for row in rows:
            self._rows[row.signature] = row
            self._signatures.setdefault(row.intent, []).append(row.signature)

    async def mark_sent(self, signature: Signature, at: int) -> None:
        await self.mark_sent_all([signature], at)

    async def mark_sent_all(self, signatures: Sequence[Signature], at: int) -> None:
        for row in [self._get(signature) for signature in signatures]:
            if row.state is OutboxState.SIGNED:
                self._rows[row.signature] = replace(row, state=OutboxState.SENT, updated_at=at)

    async def mark_outcome(
        self,
        signature: Signature,
        state: OutboxState,
        *,
        at: int,
        slot: int | None = None,
        units: int | None = None,
        fee: int | None = None,
        error: str | None = None,
    ) -> None:
        await self.mark_outcomes([OutboxOutcome(signature, state, slot, units, fee, error)], at=at)

    async def mark_outcomes(self, outcomes: Sequence[OutboxOutcome], *, at: int) -> None:
        changed: dict[Signature, OutboxRow] = {}
        for each in outcomes:
            row = changed.get(each.signature) or self._get(each.signature)
            check_transition(row, each.state)
            changed[each.signature] = replace(
                row,
                state=each.state,
                updated_at=at,
                slot=row.slot if each.slot is None else each.slot,
                units=row.units if each.units is None else each.units,
                fee=row.fee if each.fee is None else each.fee,
                error=row.error if each.error is None else each.error,
            )
        self._rows |= changed

    async def pending(self) -> tuple[OutboxRow, ...]:
        return tuple(row for row in self._rows.values() if row.is_open)

    def _get(self, signature: Signature) -> OutboxRow:
        row = self._rows.get(signature)
        if row is None:
            raise StoreError(f"Signature {signature} is not in the outbox.")
        return row


__all__ = [
    "NEXT_STATES",
    "MemoryOutbox",
    "Outbox",
    "OutboxOutcome",
    "OutboxRow",
    "OutboxState",
    "check_new",
    "check_transition",
]
