"""A custodian's confirmation that cash of a corporate action arrived: what a dividend may be paid from.

Sources: ISO 15022 MT566 (Corporate Action Confirmation) and ISO 20022 seev.036 (Corporate Action Movement
Confirmation), whose fields this model names. An announcement (MT564, seev.031) is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tallystick.domain.amounts import Quantity


class ConfirmationFunction(Enum):
    """What the message does (MT566 :23G:)."""

    NEW = "NEWM"
    REVERSAL = "REVR"


@dataclass(frozen=True, slots=True)
class CashConfirmation:
    """Cash of one event, credited to one account. Times in seconds since 1970 UTC; dates as ISO 8601, or empty.

    `event_id` is the custodian's id of the event (CORP), `event_code` the kind (CAEV: DVCA). `eligible` is the balance
    of shares that was paid on (CONB, else ELIG). `gross`, `tax` (all that was withheld before the account was credited)
    and `net` (NETT) are in units of `currency` (ISO 4217), and gross - tax = net. `posted` is the date of posting.
    `reference` is the message's own (SEME); `reverses` names the message that a reversal takes back, or is empty.
    """

    custodian_lei: str
    account: str
    reference: str
    function: ConfirmationFunction
    event_id: str
    event_code: str
    isin: str
    eligible: Quantity
    currency: str
    gross: Quantity
    tax: Quantity
    net: Quantity
    posted: str
    record_date: str
    source_hash: bytes
    format: str
    received_at: int
    reverses: str = ""


__all__ = ["CashConfirmation", "ConfirmationFunction"]
