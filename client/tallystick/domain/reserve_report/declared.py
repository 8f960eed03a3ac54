"""What a report holds that no chain shows: the issuer's word, kept apart under the document's key `declared`.

Addresses, keys and hashes have 32 bytes, times are seconds since 1970 UTC, shares are base units. An empty text or None
means that nothing was declared, and the report says so.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from tallystick.domain.closes import DailyClose


@dataclass(frozen=True, slots=True)
class DeclaredHolding:
    """What one custodian's statement, used by the as-of close, says of one security in one account.

    `settled` are the free shares, `taken_off` what of the aggregate was not counted, by code. The four kinds of shares
    on their way are for information: none is counted as held.
    """

    isin: str
    custodian_lei: str
    account: str
    statement_hash: bytes
    statement_id: str
    as_of: int
    aggregate: int
    settled: int
    taken_off: tuple[tuple[str, int], ...] = ()
    unsettled_buys: int = 0
    unsettled_sells: int = 0
    in_transit: int = 0
    pending_entitlements: int = 0
    is_encumbered: bool | None = None
    """The custodian's own flag; None when its format cannot say."""


@dataclass(frozen=True, slots=True)
class DeclaredAccount:
    """A custody account of one security of which the as-of close uses no statement, as before the first one arrives."""

    isin: str
    custodian_lei: str
    account: str


@dataclass(frozen=True, slots=True)
class DeclaredTiming:
    """A movement between what custodians' statements say and what the chain says at the close of `day` (YYYY-MM-DD).

    `amount` is in shares as it is added to what the statements say: a receipt above, a delivery below zero. `kind` is
    TIMING_ASOF for one that was booked since the statement, PENDING_SETTLEMENT for one that no order used yet.
    """

    day: str
    isin: str
    account: str
    reference: str
    amount: int
    kind: str


@dataclass(frozen=True, slots=True)
class DeclaredCustodian:
    """Who holds the shares, and under which terms."""

    lei: str
    name: str = ""
    kind: str = ""
    jurisdiction: str = ""
    regulator: str = ""
    account_title: str = ""
    segregation: str = ""
    liens: str = ""
    """Pledges, liens, lending and rehypothecation in words, "none" where there are none."""


@dataclass(frozen=True, slots=True)
class DeclaredPrice:
    """A price of one share: for information, never part of the test. `amount` is exact decimal text."""

    isin: str
    amount: str
    currency: str
    source: str
    at: int


@dataclass(frozen=True, slots=True)
class DeclaredWallets:
    """Wallets of a security that hold the issuer's own tokens, and those whose tokens nobody can redeem any more."""

    isin: str
    inventory: tuple[bytes, ...] = ()
    lost: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class DeclaredBreak:
    """One break that was open at a moment of the month up to the as-of. `id` is what the daily closes name.

    `amount` is in the unit of its kind (breaks.py), None when there is none. `closed_at` is 0 unless it was closed by
    the as-of. `instrument` is an ISIN, or empty for a break of the whole issuer.
    """

    id: bytes
    kind: str
    instrument: str
    account: str
    reference: str
    message: str
    amount: int | None
    first_seen: int
    closed_at: int
    owner: str


@dataclass(frozen=True, slots=True)
class DeclaredDividend:
    """What the custodians confirmed for one distribution and how it was divided, in base units of the payment mint.

    `gross` and `withheld_upstream` are the custodians' figures; the others are the control totals of
    domain/entitlements.py under the same names and equations, with `net` what arrived and `amount` what the
    distribution commits.
    """

    distribution: bytes
    gross: int
    withheld_upstream: int
    net: int
    entitled: int
    withheld: int
    fee: int
    carried_forward: int
    inventory: int
    surplus: int
    residue: int
    carried_in: int
    carried_out: int
    already: int
    overpaid: int
    amount: int


CONTROL_TOTALS: Final = tuple(each.name for each in fields(DeclaredDividend))[3:]
"""The control totals of a division, behind the distribution and the custodians' two figures."""


@dataclass(frozen=True, slots=True)
class StatementPart:
    """One statement of the month whose lines are in the tree (statement_lines.py)."""

    custodian_lei: str
    account: str
    statement_id: str
    as_of: int
    lines: int


@dataclass(frozen=True, slots=True)
class StatementTree:
    """The Merkle root over the salted lines of the month's statements, and how many there are; zeros without any."""

    root: bytes = bytes(32)
    lines: int = 0
    statements: tuple[StatementPart, ...] = ()


@dataclass(frozen=True, slots=True)
class Officer:
    """Who asserts. The signature (64 bytes, empty without one) is Ed25519 by `key` over assertion_message."""

    name: str
    title: str
    key: bytes = b""
    signature: bytes = b""


@dataclass(frozen=True, slots=True)
class Assertion:
    """Management's assertion, in words."""

    text: str
    officers: tuple[Officer, ...]


@dataclass(frozen=True, slots=True)
class Examination:
    """Who examined the report, by which standard, with what opinion. `document_hash` is empty where none was given."""

    examiner: str
    standard: str
    opinion: str
    date: str
    document_uri: str = ""
    document_hash: bytes = b""


@dataclass(frozen=True, slots=True)
class Change:
    """One leaf that a correction changed: a JSON pointer (RFC 6901) and both values as JSON, empty where absent."""

    path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Correction:
    """Why a version corrects the one before, and everything it changed."""

    reason: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Declared:
    """Everything of a report that the chain does not show.

    `closes` are those of the month, oldest first; the last is the as-of. `opening` is the close that the first of them
    names as the one before: the as-of of the month before. None when the first is the issuer's first. `days_before` is
    the running hash of closed days on chain before the first of them. `uri` is where the report is to be found.
    `timing` is of the as-of close and of the drawn day's.
    """

    period: int
    version: int
    generator: str
    uri: str
    basis: str
    criteria: tuple[str, ...]
    days_before: bytes
    closes: tuple[DailyClose, ...]
    opening: DailyClose | None = None
    custodians: tuple[DeclaredCustodian, ...] = ()
    holdings: tuple[DeclaredHolding, ...] = ()
    without_statement: tuple[DeclaredAccount, ...] = ()
    timing: tuple[DeclaredTiming, ...] = ()
    wallets: tuple[DeclaredWallets, ...] = ()
    breaks: tuple[DeclaredBreak, ...] = ()
    dividends: tuple[DeclaredDividend, ...] = ()
    statements: StatementTree = StatementTree()
    prices: tuple[DeclaredPrice, ...] = ()
    assertion: Assertion | None = None
    examination: Examination | None = None
    correction: Correction | None = None
