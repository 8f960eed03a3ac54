"""What an issuer declares of its dividends once, for all events, and what is asked of one event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from solders.pubkey import Pubkey

from tallystick.domain.amounts import Quantity
from tallystick.domain.withholding import BASIS_POINTS, WithholdingTable
from tallystick.errors import ConfigurationError, InputError
from tallystick.services.securities import CustodyAccount


@dataclass(frozen=True, slots=True)
class DividendRules:
    """`payment_mints` by currency (ISO 4217), `tax_classes` by owner (32 bytes); others have the table's default
    class. `fee` in basis points of the gross amount, `minimum` the least that is paid, in units of the currency.
    `refund_owner` is the wallet that gets what nobody claimed. InputError for a fee or minimum that is none.
    """

    payment_mints: Mapping[str, Pubkey]
    table: WithholdingTable
    refund_owner: Pubkey
    tax_classes: Mapping[bytes, str] = field(default_factory=dict)
    fee: int = 0
    minimum: Quantity = field(default_factory=lambda: Quantity(0))

    def __post_init__(self) -> None:
        if not 0 <= self.fee <= BASIS_POINTS:
            raise InputError(f"A fee is between 0 and 100% of the gross amount, not {self.fee} basis points.")
        if self.minimum.is_negative:
            raise InputError(f"The least that is paid is 0 or more, not {self.minimum}.")

    def payment_mint(self, currency: str) -> Pubkey:
        """The token in which a currency is paid. ConfigurationError when none is declared."""
        mint = self.payment_mints.get(currency)
        if mint is None:
            declared = ", ".join(sorted(self.payment_mints)) or "none"
            raise ConfigurationError(
                f"The profile declares no payment token for {currency}; it has {declared}.",
                hint="Add a [[dividends.payment]] section with currency and mint.",
            )
        return mint


@dataclass(frozen=True, slots=True)
class DividendRequest:
    """Which event is paid, and how. `action` is the corporate action, `event_id` and `isin` what custodians name it by,
    `accounts` the security's custody accounts. `expires_at` is when the unclaimed rest may be taken back (seconds since
    1970 UTC). `corrects` pays what earlier distributions of the event did not; `accepted` is a written reason why
    the confirmations may differ from what was announced, or empty."""

    action: Pubkey
    event_id: str
    isin: str
    accounts: tuple[CustodyAccount, ...]
    payout_key: Pubkey
    expires_at: int
    corrects: bool = False
    accepted: str = ""


__all__ = ["DividendRequest", "DividendRules"]
