"""The life of a break across runs: first seen, still there, closed, back again.

A break is known by its id within a scope (a security, an issuer: whatever one run looks at as a whole), so that it ages
and is never opened twice. It is closed by not being found any more, never by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType
from typing import Final

from tallystick.domain.breaks import Break, BreakKind
from tallystick.domain.canonical import CanonicalValue


class BreakState(Enum):
    """Where a break is in its life."""

    OPEN = "open"
    CLOSED = "closed"
    REOPENED = "reopened"
    """Open again after it was closed; it keeps the day it was first seen."""

    @property
    def is_open(self) -> bool:
        """True while the difference exists."""
        return self is not BreakState.CLOSED


class BreakOwner(Enum):
    """Who has to look first."""

    CUSTODY = "custody"
    """Whoever speaks with the custodian."""
    ORDERS = "orders"
    """Whoever runs the order book."""
    CORPORATE_ACTIONS = "corporate_actions"
    """Whoever follows splits, dividends and renumberings."""
    SECURITY = "security"
    """Whoever can stop the security: nothing like this may happen at all."""


_OTHER_OWNERS: Final[Mapping[BreakKind, BreakOwner]] = {
    BreakKind.PENDING_SETTLEMENT: BreakOwner.ORDERS,
    BreakKind.ORDER_MISMATCH: BreakOwner.ORDERS,
    BreakKind.MOVEMENT_MISMATCH: BreakOwner.ORDERS,
    BreakKind.LIMIT_MISMATCH: BreakOwner.ORDERS,
    BreakKind.ISIN_CHANGED: BreakOwner.CORPORATE_ACTIONS,
    BreakKind.CA_IN_FLIGHT: BreakOwner.CORPORATE_ACTIONS,
    BreakKind.MULTIPLIER_MISMATCH: BreakOwner.CORPORATE_ACTIONS,
    BreakKind.UNAUTHORISED_SUPPLY: BreakOwner.SECURITY,
    BreakKind.REGISTER_MISMATCH: BreakOwner.SECURITY,
    BreakKind.ESCROW_MISMATCH: BreakOwner.SECURITY,
    BreakKind.HOLD_MISMATCH: BreakOwner.SECURITY,
    BreakKind.MINT_MISMATCH: BreakOwner.SECURITY,
}

DEFAULT_OWNERS: Final[Mapping[BreakKind, BreakOwner]] = MappingProxyType(
    {kind: _OTHER_OWNERS.get(kind, BreakOwner.CUSTODY) for kind in BreakKind}
)


@dataclass(frozen=True, slots=True)
class BreakRecord:
    """A break as the last run saw it, and its life so far. Times in seconds since 1970 UTC.

    `scope` has 32 bytes; `changed_at` is when the state last changed. `owner` is a BreakOwner's value, or a name that
    somebody assigned.
    """

    scope: bytes
    found: Break
    state: BreakState
    first_seen: int
    last_seen: int
    changed_at: int
    owner: str

    @property
    def id(self) -> bytes:
        """The id of the break."""
        return self.found.id

    def age(self, now: int) -> int:
        """Seconds since it was first seen, also when it was closed in between; 0 for a closed one."""
        return max(0, now - self.first_seen) if self.state.is_open else 0

    def document(self, now: int) -> dict[str, CanonicalValue]:
        """The record as plain data for JSON."""
        return {
            **self.found.document(),
            "age": self.age(now),
            "changed_at": self.changed_at,
            "first_seen": self.first_seen,
            "last_seen": self.last_seen,
            "owner": self.owner,
            "state": self.state.value,
        }


def next_records(
    known: Mapping[bytes, BreakRecord], found: Sequence[Break], scope: bytes, at: int
) -> tuple[BreakRecord, ...]:
    """All records of a scope after a run at `at` that found exactly `found`; `known` are those before it, by id.

    New breaks open, known ones go on with what was found now, closed ones that are back reopen, others close. Of two
    breaks with one id the first counts. In the order found, then closed ones.
    """
    present: dict[bytes, Break] = {}
    for each in found:
        present.setdefault(each.id, each)
    records = [_seen(known.get(key), each, scope, at) for key, each in present.items()]
    gone = [_closed(record, at) for key, record in known.items() if key not in present]
    return (*records, *gone)


def _seen(before: BreakRecord | None, found: Break, scope: bytes, at: int) -> BreakRecord:
    if before is None:
        return BreakRecord(scope, found, BreakState.OPEN, at, at, at, DEFAULT_OWNERS[found.kind].value)
    if before.state.is_open:
        return replace(before, found=found, last_seen=at)
    return replace(before, found=found, state=BreakState.REOPENED, last_seen=at, changed_at=at)


def _closed(before: BreakRecord, at: int) -> BreakRecord:
    return replace(before, state=BreakState.CLOSED, changed_at=at) if before.state.is_open else before
