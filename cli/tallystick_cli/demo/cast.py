"""Who and what the demo is about. The companies and people are invented; the three ISINs are real shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ISSUER: Final = "Example Issuer Ltd"
ISSUER_LEI: Final = "EXAMPLEISSUERLTD0093"
CUSTODIAN: Final = "Example Custody Bank"
CUSTODIAN_LEI: Final = "EXAMPLECUSTODYBANK81"
ACCOUNT: Final = "SAFE-4711"
STRANGER: Final = "eve"
TREASURY: Final = "treasury"
DECIMALS: Final = 8


@dataclass(frozen=True, slots=True)
class Share:
    """One share class: its ISIN, the token's symbol and name, and how many shares come into custody first."""

    isin: str
    symbol: str
    name: str
    shares: str
    movement: str


APPLE: Final = Share("US0378331005", "tAAPL", "Apple Inc. share", "100", "TRF-88120")
MICROSOFT: Final = Share("US5949181045", "tMSFT", "Microsoft Corp. share", "60", "TRF-88121")
NVIDIA: Final = Share("US67066G1040", "tNVDA", "NVIDIA Corp. share", "80", "TRF-88122")
SHARES: Final = (APPLE, MICROSOFT, NVIDIA)


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one holder orders, under which reference."""

    reference: str
    holder: str
    shares: str


BLOCK: Final = (
    Subscription("S-1", "anna", "40"),
    Subscription("S-2", "ben", "25"),
    Subscription("S-3", "carla", "20"),
    Subscription("S-4", "david", "14.75"),
    Subscription("S-5", "emma", "0.25"),
)
"""Five orders that one block of a hundred Apple shares settles, to the last quarter of a share."""
OTHERS: Final = {
    MICROSOFT.symbol: Subscription("S-6", "anna", "60"),
    NVIDIA.symbol: Subscription("S-7", "ben", "80"),
}


@dataclass(frozen=True, slots=True)
class Purchase:
    """A later subscription and the movement that settles it."""

    share: Share
    holder: str
    shares: str
    reference: str
    movement: str


PURCHASES: Final = {
    9: Purchase(MICROSOFT, "david", "15", "S-10", "TRF-88207"),
    20: Purchase(NVIDIA, "anna", "2.5", "S-11", "TRF-88311"),
}
"""By day of the month."""
HOLDERS: Final = tuple(each.holder for each in BLOCK)
"""In the order in which compliance approves them."""
REDEEMED: Final = "10"
MISSING: Final = "10"
"""Shares that the second day's statement is short of."""


@dataclass(frozen=True, slots=True)
class Cash:
    """What the custodian pays on a dividend: for how many shares, and what of it, in units of the currency."""

    event: str
    gross_per_share: str
    currency: str
    withholding: str
    eligible: str
    gross: str
    tax: str
    net: str


DIVIDEND: Final = Cash("CA-2026-30", "0.26", "USD", "15%", eligible="90", gross="23.4", tax="3.51", net="19.89")
"""On the Apple shares that are left after the redemption."""
IN_ESCROW: Final = "5"
"""Tokens that a holder wants to redeem when the record date comes."""
RENT_CAP: Final = "0.0125"
"""SOL for missing payment accounts: enough for six of nine."""
