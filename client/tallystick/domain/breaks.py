"""Breaks: differences that reading or reconciliation found, as data.

The identity of a break is what it is about, not what it measures today: kind, instrument, account and reference. So the
same difference keeps its id, and ages, across runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from tallystick.domain.canonical import CanonicalValue, sha256

BREAK_TAG: Final = b"tallystick:break"


class BreakKind(Enum):
    """What differs. The value is the name that is stored and shown."""

    TIMING_ASOF = "TIMING_ASOF"
    """As-ofs differ and a named movement lies between them."""
    PENDING_SETTLEMENT = "PENDING_SETTLEMENT"
    """A trade or order that is not settled yet explains the difference."""
    QUANTITY_SHORT = "QUANTITY_SHORT"
    """Shares backing the tokens are fewer than required."""
    QUANTITY_OVER = "QUANTITY_OVER"
    """Shares backing the tokens are more than required."""
    MISSING_IN_CUSTODY = "MISSING_IN_CUSTODY"
    """A security of ours that the custodian does not list."""
    UNEXPECTED_HOLDING = "UNEXPECTED_HOLDING"
    """A holding that belongs to no security of ours."""
    UNKNOWN_ISIN = "UNKNOWN_ISIN"
    """An instrument without an ISIN, or with one our registry does not have."""
    BAD_ISIN = "BAD_ISIN"
    """An ISIN whose check digit is wrong."""
    ISIN_CHANGED = "ISIN_CHANGED"
    """An earlier ISIN of a security of ours."""
    WRONG_ACCOUNT = "WRONG_ACCOUNT"
    """A custodian or account that is not declared for the security."""
    ENCUMBERED = "ENCUMBERED"
    """Shares pledged, lent, posted as collateral or otherwise not free, or the account is under a lien."""
    UNKNOWN_SUB_BALANCE = "UNKNOWN_SUB_BALANCE"
    """A sub-balance whose code is in no table; not counted until somebody decides."""
    NEGATIVE_QUANTITY = "NEGATIVE_QUANTITY"
    """A short position, or more taken off than there is."""
    TOO_MANY_DECIMALS = "TOO_MANY_DECIMALS"
    """A quantity finer than the token."""
    WRONG_UNIT = "WRONG_UNIT"
    """A quantity that is not in shares (a face amount, an amortised value, digital tokens)."""
    DUPLICATE_STATEMENT = "DUPLICATE_STATEMENT"
    """The same statement again, byte for byte."""
    CONFLICTING_STATEMENT = "CONFLICTING_STATEMENT"
    """The same statement id with other content."""
    STALE_STATEMENT = "STALE_STATEMENT"
    """A statement older than allowed, or dated in the future."""
    MISSING_PAGE = "MISSING_PAGE"
    """Not all pages of the statement are here."""
    GAP = "GAP"
    """A day or period without a statement or a close."""
    BASIS_MISMATCH = "BASIS_MISMATCH"
    """Not a complete statement on settlement basis."""
    CA_IN_FLIGHT = "CA_IN_FLIGHT"
    """A corporate action has passed its date on one side only."""
    MULTIPLIER_MISMATCH = "MULTIPLIER_MISMATCH"
    """The multiplier of the mint is not the one of our books."""
    UNAUTHORISED_SUPPLY = "UNAUTHORISED_SUPPLY"
    """Supply is not minted fills minus burnt ones."""
    REGISTER_MISMATCH = "REGISTER_MISMATCH"
    """The token accounts do not add up to the supply."""
    ESCROW_MISMATCH = "ESCROW_MISMATCH"
    """The escrow does not hold what open redemptions put into it."""
    ORDER_MISMATCH = "ORDER_MISMATCH"
    """The order book and the chain say different things of an order."""
    MOVEMENT_MISMATCH = "MOVEMENT_MISMATCH"
    """A movement's fills are not what was allocated, or exceed it."""
    RESERVE_MISMATCH = "RESERVE_MISMATCH"
    """The attested reserve is not what the statements it rests on say."""
    HOLD_MISMATCH = "HOLD_MISMATCH"
    """A security's counts of holds, or its mint's pause, are not what its live holds say."""
    MINT_MISMATCH = "MINT_MISMATCH"
    """An authority, extension or name of the mint is not the one it was listed with."""
    LIMIT_MISMATCH = "LIMIT_MISMATCH"
    """More was minted or burnt than the operators' limits allow, or without any limit."""
    PRICE_STALE = "PRICE_STALE"
    """A price older than the statement; valuation only."""
    PARSE_ERROR = "PARSE_ERROR"
    """A file that could not be read."""


class BreakEffect(Enum):
    """What an open break stops, strongest first."""

    HALT = "halt"
    """Stop the security and page somebody."""
    BLOCK_MINT = "block_mint"
    """No mint, and a report only with a qualification."""
    QUARANTINE = "quarantine"
    """The document is kept apart and used for nothing."""
    NOT_EVIDENCE = "not_evidence"
    """The document may inform, but supports neither attestation nor report."""
    NOT_COUNTED = "not_counted"
    """The quantity is left out of the reserve; what remains may be used."""
    TICKET = "ticket"
    """Somebody has to look; nothing is stopped."""
    WARN = "warn"
    """Expected to go away by itself; escalates with age."""
    NOTE = "note"
    """For information."""


DEFAULT_EFFECTS: Final[dict[BreakKind, BreakEffect]] = {
    BreakKind.TIMING_ASOF: BreakEffect.WARN,
    BreakKind.PENDING_SETTLEMENT: BreakEffect.WARN,
    BreakKind.QUANTITY_SHORT: BreakEffect.BLOCK_MINT,
    BreakKind.QUANTITY_OVER: BreakEffect.TICKET,
    BreakKind.MISSING_IN_CUSTODY: BreakEffect.BLOCK_MINT,
    BreakKind.UNEXPECTED_HOLDING: BreakEffect.TICKET,
    BreakKind.UNKNOWN_ISIN: BreakEffect.TICKET,
    BreakKind.BAD_ISIN: BreakEffect.NOT_COUNTED,
    BreakKind.ISIN_CHANGED: BreakEffect.NOT_COUNTED,
    BreakKind.WRONG_ACCOUNT: BreakEffect.QUARANTINE,
    BreakKind.ENCUMBERED: BreakEffect.NOT_COUNTED,
    BreakKind.UNKNOWN_SUB_BALANCE: BreakEffect.NOT_COUNTED,
    BreakKind.NEGATIVE_QUANTITY: BreakEffect.BLOCK_MINT,
    BreakKind.TOO_MANY_DECIMALS: BreakEffect.BLOCK_MINT,
    BreakKind.WRONG_UNIT: BreakEffect.BLOCK_MINT,
    BreakKind.DUPLICATE_STATEMENT: BreakEffect.NOTE,
    BreakKind.CONFLICTING_STATEMENT: BreakEffect.QUARANTINE,
    BreakKind.STALE_STATEMENT: BreakEffect.NOT_EVIDENCE,
    BreakKind.MISSING_PAGE: BreakEffect.NOT_EVIDENCE,
    BreakKind.GAP: BreakEffect.NOT_EVIDENCE,
    BreakKind.BASIS_MISMATCH: BreakEffect.NOT_EVIDENCE,
    BreakKind.CA_IN_FLIGHT: BreakEffect.BLOCK_MINT,
    BreakKind.MULTIPLIER_MISMATCH: BreakEffect.BLOCK_MINT,
    BreakKind.UNAUTHORISED_SUPPLY: BreakEffect.HALT,
    BreakKind.REGISTER_MISMATCH: BreakEffect.HALT,
    BreakKind.ESCROW_MISMATCH: BreakEffect.BLOCK_MINT,
    BreakKind.ORDER_MISMATCH: BreakEffect.TICKET,
    BreakKind.MOVEMENT_MISMATCH: BreakEffect.BLOCK_MINT,
    BreakKind.RESERVE_MISMATCH: BreakEffect.BLOCK_MINT,
    BreakKind.HOLD_MISMATCH: BreakEffect.BLOCK_MINT,
    BreakKind.MINT_MISMATCH: BreakEffect.HALT,
    BreakKind.LIMIT_MISMATCH: BreakEffect.TICKET,
    BreakKind.PRICE_STALE: BreakEffect.NOTE,
    BreakKind.PARSE_ERROR: BreakEffect.QUARANTINE,
}


@dataclass(frozen=True, slots=True)
class Break:
    """One difference.

    `instrument` is an ISIN or another name of the security, `account` a custody account, wallet or order book,
    `reference` what in it (a statement id, an order, a sub-balance code); each may be empty. `amount` is in
    base units of the security, None when there is none to state; the kind says which way it goes. `as_of` is in
    seconds since 1970 UTC. `effect` is the usual one of the kind unless given.
    """

    kind: BreakKind
    message: str
    instrument: str = ""
    account: str = ""
    reference: str = ""
    amount: int | None = None
    as_of: int | None = None
    effect: BreakEffect | None = None

    def __post_init__(self) -> None:
        if self.effect is None:
            object.__setattr__(self, "effect", DEFAULT_EFFECTS[self.kind])

    @property
    def id(self) -> bytes:
        """32 bytes that stay the same while this difference exists; see break_id."""
        return break_id(self.kind, self.instrument, self.account, self.reference)

    @property
    def stops_attestation(self) -> bool:
        """True when the statement or security it was found in may not support an attestation while it is open."""
        return self.effect in _STOPS_ATTESTATION

    def document(self) -> dict[str, CanonicalValue]:
        """The break as plain data for JSON; bytes as hex."""
        effect = self.effect or DEFAULT_EFFECTS[self.kind]
        return {
            "account": self.account,
            "amount": self.amount,
            "as_of": self.as_of,
            "effect": effect.value,
            "id": self.id.hex(),
            "instrument": self.instrument,
            "kind": self.kind.value,
            "message": self.message,
            "reference": self.reference,
        }


_STOPS_ATTESTATION: Final = frozenset(
    {BreakEffect.HALT, BreakEffect.BLOCK_MINT, BreakEffect.QUARANTINE, BreakEffect.NOT_EVIDENCE}
)


def break_id(kind: BreakKind, instrument: str, account: str, reference: str) -> bytes:
    """SHA-256 of "tallystick:break" and the four fields, each after its length in bytes (u32, little endian)."""
    fields = [field.encode("utf-8", "surrogatepass") for field in (kind.value, instrument, account, reference)]
    return sha256(BREAK_TAG, *(len(field).to_bytes(4, "little") + field for field in fields))
