"""A custodian's statement of holdings as one model, whatever file it came in.

Source: ISO 20022 semt.002 (Securities Balance Custody Report) and MT535, whose fields this model names. What of a
statement may count as reserve is in reserve.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from tallystick.domain.amounts import Quantity
from tallystick.domain.canonical import CanonicalValue, canonical_json, sha256

STATEMENT_TAG: Final = b"tallystick:statement"


class Basis(Enum):
    """What the quantities mean (MT535 :22F::STBA, semt.002 StmtBsis)."""

    SETTLED = "SETT"
    TRADED = "TRAD"
    CONTRACTUAL = "CONT"
    PROPRIETARY = "PROPRIETARY"
    """The custodian's own code; we do not know what it means."""


class Completeness(Enum):
    """Whether a holding that is absent is zero (MT535 :22F::CODE, semt.002 UpdTp)."""

    COMPLETE = "COMP"
    DELTA = "DELT"
    PROPRIETARY = "PROPRIETARY"
    """The custodian's own code; we do not know what it means."""


class Unit(Enum):
    """What a quantity counts."""

    SHARES = "UNIT"
    FACE_AMOUNT = "FAMT"
    AMORTISED_VALUE = "AMOR"
    DIGITAL_TOKENS = "DIGI"
    PROPRIETARY = "PROPRIETARY"
    """The custodian's own kind of quantity; we do not know what it counts."""


@dataclass(frozen=True, slots=True)
class SubBalance:
    """One part of the aggregate by kind. `code` is an ISO code, or "PRTRY:" and the custodian's own.

    `parts` are parts of this part (AddtlBalBrkdwnDtls); they matter only when the whole part is counted.
    """

    code: str
    quantity: Quantity
    available: bool | None = None
    unit: Unit = Unit.SHARES
    parts: tuple[SubBalance, ...] = ()
    where: str = ""


@dataclass(frozen=True, slots=True)
class Price:
    """A price on a statement: for information, never part of a quantity test. `date` is ISO 8601, or empty."""

    amount: Quantity
    currency: str
    date: str = ""


@dataclass(frozen=True, slots=True)
class HoldingLine:
    """One balance. `aggregate` is negative for a short position. `where` is a line number or element path.

    `isin` is as the custodian wrote it (upper case, maybe with a wrong check digit) or empty, then `other_id` says what
    there is. `place` tells two balances of one instrument apart (the safekeeping place).
    """

    isin: str
    aggregate: Quantity
    unit: Unit = Unit.SHARES
    sub_balances: tuple[SubBalance, ...] = ()
    available: Quantity | None = None
    not_available: Quantity | None = None
    place: str = ""
    other_id: str = ""
    description: str = ""
    price: Price | None = None
    where: str = ""


@dataclass(frozen=True, slots=True)
class StatementOfHoldings:
    """What one custodian reported of one account at one moment. Times in whole seconds since 1970 UTC.

    `account` is in canonical spelling. `encumbered` is the custodian's own flag that the account is subject to a
    security interest, lien or right of set-off; None when the format cannot say. `source_hashes` are the SHA-256 of
    the files as received, one per page, in page order.
    """

    custodian_lei: str
    account: str
    as_of: int
    received_at: int
    statement_id: str
    basis: Basis
    completeness: Completeness
    has_activity: bool
    lines: tuple[HoldingLine, ...]
    source_hashes: tuple[bytes, ...]
    format: str
    parser_version: int
    frequency: str = ""
    encumbered: bool | None = None
    first_page: int = 1
    last_page: int = 1
    ends: bool = True
    """True when `last_page` is marked as the last one."""

    @property
    def is_whole(self) -> bool:
        """True when all pages are here."""
        return self.first_page == 1 and self.ends

    def lines_of(self, isin: str) -> tuple[HoldingLine, ...]:
        """The balances of one instrument, in the order of the file."""
        return tuple(line for line in self.lines if line.isin == isin)


def normalised_content(statement: StatementOfHoldings, isin: str) -> bytes:
    """What a statement says of one instrument, as canonical JSON: the same for every copy and file format of it.

    Holds only what decides: custodian, account, as-of, statement id, basis, completeness, encumbrance, and of each
    balance the place, unit, aggregate and sub-balances. Not prices, pages, file bytes or the time of receipt.
    """
    balances = [
        {
            "aggregate": str(line.aggregate),
            "place": line.place,
            "sub_balances": sub_balance_documents(line.sub_balances),
            "unit": line.unit.value,
        }
        for line in statement.lines_of(isin)
    ]
    document: dict[str, CanonicalValue] = {
        "account": statement.account,
        "as_of": statement.as_of,
        "balances": sorted(balances, key=canonical_json),
        "basis": statement.basis.value,
        "completeness": statement.completeness.value,
        "custodian": statement.custodian_lei,
        "encumbered": bool(statement.encumbered),
        "isin": isin,
        "statement_id": statement.statement_id,
        "version": 1,
    }
    return canonical_json(document)


def statement_hash(statement: StatementOfHoldings, isin: str) -> bytes:
    """32 bytes for the chain: SHA-256("tallystick:statement" || normalised content)."""
    return sha256(STATEMENT_TAG, normalised_content(statement, isin))


def sub_balance_documents(parts: tuple[SubBalance, ...]) -> list[CanonicalValue]:
    """Sub-balances as plain data for JSON, in an order of their own."""
    documents: list[CanonicalValue] = [
        {
            "code": part.code,
            "parts": sub_balance_documents(part.parts),
            "quantity": str(part.quantity),
            "unit": part.unit.value,
        }
        for part in parts
    ]
    return sorted(documents, key=canonical_json)
