"""What the chain says for one month's report, evaluated at its as-of slot: figures, never accounts.

Whoever builds a report and whoever verifies it reads these in the same way (services/report_facts.py). Addresses,
keys and hashes have 32 bytes, times are seconds since 1970 UTC by the chain's clock, quantities of tokens are raw
units, shares are base units (shares x 10^decimals), multipliers have 18 places.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tallystick.domain.amounts import Rounding, share_equivalent
from tallystick.domain.canonical import CanonicalValue
from tallystick.domain.register import Register


@dataclass(frozen=True, slots=True)
class Moment:
    """The end of a slot. Of two things in one second, the slot says which came first."""

    slot: int
    time: int


@dataclass(frozen=True, slots=True)
class SecurityAt:
    """One security's figures at a moment, recomputed from fills, orders, attestations and actions.

    `minted` and `burnt` in all (raw, corrections are burnt), `escrow` the raw units of redemptions that are under way,
    `redeemed` the shares of settled redemptions in all. `reserve` and `reserve_as_of` are of the attestation in force,
    `attestation` its content hash (zeros without one). `pending_multiplier` is 0 where no change is waiting.
    """

    minted: int
    burnt: int
    escrow: int
    redeemed: int
    reserve: int
    reserve_as_of: int
    attestation: bytes
    multiplier: int
    pending_multiplier: int = 0
    pending_at: int = 0

    @property
    def supply(self) -> int:
        """Raw units in all."""
        return self.minted - self.burnt

    @property
    def required(self) -> int:
        """Shares that have to be held for the supply: its share equivalent, rounded up. 0 before it was listed."""
        return share_equivalent(self.supply, self.multiplier, Rounding.UP) if self.multiplier else 0


@dataclass(frozen=True, slots=True)
class FillFacts:
    """One fill of the month: `kind` is mint, burn or correction; `corrects` is zeros but of a correction."""

    address: bytes
    kind: str
    movement: bytes
    order: bytes
    shares: int
    raw: int
    multiplier: int
    settled_at: int
    corrects: bytes = bytes(32)


@dataclass(frozen=True, slots=True)
class MovementFacts:
    """A movement that fills of the month used: `direction` is receipt or delivery; `allocated` by all fills until the
    as-of."""

    address: bytes
    reference_hash: bytes
    direction: str
    shares: int
    allocated: int
    recorded_at: int


class OrderOutcome(StrEnum):
    """What had become of an order at the as-of."""

    OPEN = "open"
    """Nothing decided, or accepted and not yet settled, or settled in part."""
    SETTLED = "settled"
    CANCELLED = "cancelled"
    """A subscription that was called off, or expired."""
    RETURNED = "returned"
    """A redemption whose tokens went back, by the operator or to the holder who took them."""


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """One order opened by the as-of that was open or ended in the month.

    `kind` is subscription (quantity in shares) or redemption (quantity in raw units), `filled` in the same unit by the
    as-of. `ended_at` is when the outcome came, 0 while open; of a settled order the time of its last fill. One that was
    open at the opening already `is_carried`: an earlier month counts it as opened.
    """

    address: bytes
    kind: str
    holder: bytes
    quantity: int
    filled: int
    opened_at: int
    outcome: OrderOutcome
    ended_at: int = 0
    reason_code: int = 0
    is_carried: bool = False


@dataclass(frozen=True, slots=True)
class ApprovalFacts:
    """One attestor's approval; `has_role` says whether the attestor's role was in force then."""

    attestor: bytes
    received_hash: bytes
    approved_at: int
    has_role: bool


@dataclass(frozen=True, slots=True)
class AttestationFacts:
    """One attestation that was in force on a day of the month. `threshold` is how many approvals it came in force with:
    what the policy asked for, or more where the policy was lowered while it waited."""

    address: bytes
    content_hash: bytes
    as_of: int
    shares: int
    redeemed: int
    in_force_at: int
    threshold: int
    approvals: tuple[ApprovalFacts, ...]


@dataclass(frozen=True, slots=True)
class ActionFacts:
    """One corporate action announced by the as-of that became something in the month, or of which a date is in it.

    `kind` and `status` are the program's words in lower case; `status` and what follows it are those of the as-of.
    Dates are 0 where the terms have none. `gross_per_share` has 18 places, `withholding` is in basis points.
    """

    address: bytes
    security: bytes
    event_hash: bytes
    version: int
    replaces: bytes
    kind: str
    status: str
    announced_at: int
    approved_at: int
    status_at: int
    ex_at: int
    record_at: int
    pay_at: int
    effective_at: int
    numerator: int
    denominator: int
    gross_per_share: int
    currency: str
    withholding: int
    multiplier_before: int
    multiplier_after: int


@dataclass(frozen=True, slots=True)
class DistributionFacts:
    """One distribution opened by the as-of and not closed before the month; `total`, `funded`, `paid` and `refunded` in
    raw units of the payment mint, as they were at the as-of. `status` is open, approved or closed."""

    address: bytes
    security: bytes
    action: bytes
    number: int
    payment_mint: bytes
    payment_decimals: int
    root: bytes
    entries: int
    total: int
    funded: int
    paid: int
    paid_entries: int
    refunded: int
    status: str
    opened_at: int
    approved_at: int
    expires_at: int
    closed_at: int


@dataclass(frozen=True, slots=True)
class HoldFacts:
    """One hold that covered a moment of the month. `scopes` are of mint, redeem, transfer; `released_at` is 0 unless it
    was released by the as-of, `expires_at` where it has no end."""

    address: bytes
    owner: bytes
    owner_kind: str
    scopes: tuple[str, ...]
    reason_code: int
    placed_at: int
    expires_at: int
    released_at: int


@dataclass(frozen=True, slots=True)
class SeizureFacts:
    """One seizure proposed or executed in the month; `executed_at` is 0 unless it was executed by the as-of."""

    address: bytes
    wallet: bytes
    raw: int
    reason_code: int
    status: str
    proposed_at: int
    executed_at: int


@dataclass(frozen=True, slots=True)
class SecurityFacts:
    """One security that was listed by the as-of.

    `opening` has the figures at the opening of the report (ReportFacts), `days` those of each of its moments, of which
    the as-of is one. `register` is the register of holders at the as-of slot, rewound from today's accounts and what
    the mint's transactions moved since; None where the node does not serve those. Fills, orders and what else there is
    many of are in the order of their times, then addresses.
    """

    address: bytes
    mint: bytes
    isin: str
    ticker: str
    name: str
    decimals: int
    opening: SecurityAt
    as_of: SecurityAt
    days: tuple[SecurityAt, ...]
    fills: tuple[FillFacts, ...] = ()
    movements: tuple[MovementFacts, ...] = ()
    orders: tuple[OrderFacts, ...] = ()
    attestations: tuple[AttestationFacts, ...] = ()
    actions: tuple[ActionFacts, ...] = ()
    distributions: tuple[DistributionFacts, ...] = ()
    holds: tuple[HoldFacts, ...] = ()
    seizures: tuple[SeizureFacts, ...] = ()
    custody_accounts_hash: bytes = bytes(32)
    register: Register | None = None


@dataclass(frozen=True, slots=True)
class RoleFacts:
    """A role that was in force, or granted, by the as-of; `ends_at` is 0 unless it was revoked by then."""

    kind: str
    holder: bytes
    granted_at: int
    in_force_from: int
    ends_at: int
    grants: int


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One event of the month that changed who may do what, or what may be done: from the transactions themselves.

    `details` are the event's fields as JSON: keys and addresses in base 58, hashes in hex, amounts as text. `place`
    tells the events of one transaction apart.
    """

    slot: int
    time: int
    signature: str
    place: int
    event: str
    details: Mapping[str, CanonicalValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClosedDay:
    """A day that was closed on chain (`day` counts from 1970-01-01), from its event."""

    day: int
    close_hash: bytes
    as_of_slot: int
    days_hash: bytes
    closed_at: int


@dataclass(frozen=True, slots=True)
class DrawFacts:
    """The draw of the period's day. `drawn_day` is the day of the month, 0 while nothing is drawn."""

    address: bytes
    attempts: int
    target_slot: int
    days_hash: bytes
    drawn_slot: int
    slot_hash: bytes
    drawn_day: int
    drawn_at: int


@dataclass(frozen=True, slots=True)
class PublicationFacts:
    """One published version of one month's report. `previous` and `corrects` are zeros where there is none."""

    address: bytes
    period: int
    version: int
    hash: bytes
    uri: str
    as_of_slot: int
    previous: bytes
    previous_hash: bytes
    corrects: bytes
    days_hash: bytes
    published_by: bytes
    published_at: int


class Unserved(StrEnum):
    """What a node did not serve, so that figures resting on it could not be recomputed."""

    LOG = "transactions of the issuer and its securities in the month"
    CLOSED_DAYS = "transactions that closed the month's days"
    DISTRIBUTIONS = "transactions that paid distributions since the as-of"
    REGISTERS = "transactions that moved tokens since the as-of"
    ORDER_OF_SECOND = "transactions of a moment's last second"
    ROLES = "transactions that granted roles anew or vetoed a removal since the as-of"
    ACTIONS = "transactions of corporate actions that were taken back or replaced"
    TIMES = "times of the slots that the closes name"
    TERMS = "transactions that changed a security's names or custody accounts since the as-of"


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """Everything the chain says for the report of one period (YYYYMM) of one issuer.

    The report's month runs from `opening`, the as-of of the month before, which is not in it, to `as_of`, which is;
    without one, from the month's first second. `moments` are those of the month's closes, the last is the as-of.
    `roles` are of the as-of, `log` is of the month up to the as-of, oldest first. `publications` are all of the issuer,
    oldest first. `closed_days` are the month's, behind the last that was closed before it. `days_hash` is the issuer's
    running hash now. `program_hash` is the SHA-256 of the program deployed now, `program_slot` the slot it was deployed
    in. What the node did not serve is in `unserved`, by what it is.
    """

    cluster: str
    program: bytes
    program_hash: bytes
    issuer: bytes
    issuer_name: str
    lei: str
    period: int
    as_of: Moment
    moments: tuple[Moment, ...]
    securities: tuple[SecurityFacts, ...]
    roles: tuple[RoleFacts, ...] = ()
    log: tuple[LogEntry, ...] = ()
    closed_days: tuple[ClosedDay, ...] = ()
    days_hash: bytes = bytes(32)
    draw: DrawFacts | None = None
    publications: tuple[PublicationFacts, ...] = ()
    unserved: frozenset[Unserved] = frozenset()
    opening: Moment | None = None
    program_slot: int | None = None
