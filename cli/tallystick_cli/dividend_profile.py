"""The profile's [dividends]: how cash is paid, what is withheld of whom, and why; declared once, used for every event.

[dividends]
refund = "treasury"              # a wallet: gets what nobody claimed
minimum = "0.10"                 # least that is paid, in the currency; less is carried forward
fee = "0%"                       # of the gross amount
claim = "365d"                   # from the pay date until the unclaimed rest may be taken back
default_class = "standard"
default_reason = "Opinion of counsel of 2026-01-05"
[[dividends.payment]]            # one token for each currency
currency = "USD"
mint = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
[[dividends.withholding]]        # a dated table; 0% needs a reason too
class = "standard"
rate = "0%"
from = "2026-01-01"
reason = "Withheld upstream by the custodian in full"
[[dividends.holders]]            # owners of another class
wallet = "anna"
class = "treaty"
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from solders.pubkey import Pubkey
from tallystick.domain.amounts import Quantity, parse_quantity
from tallystick.domain.withholding import WithholdingRule, WithholdingTable
from tallystick.errors import TallystickError

from tallystick_cli.moments import parse_span
from tallystick_cli.terms import parse_currency, parse_percent


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PaymentSection(_Section):
    """The token in which a currency is paid."""

    currency: str
    mint: str

    @field_validator("currency")
    @classmethod
    def _currency(cls, text: str) -> str:
        return parse_currency(text).decode("ascii")

    @field_validator("mint")
    @classmethod
    def _mint(cls, text: str) -> str:
        try:
            return str(Pubkey.from_string(text))
        except ValueError:
            raise ValueError(f"the mint's address in base 58 expected, found {text!r}") from None


class WithholdingSection(_Section):
    """From a day on, owners of a class have this rate withheld."""

    tax_class: str = Field(alias="class")
    rate: str
    from_date: str = Field(alias="from")
    reason: str

    @property
    def rule(self) -> WithholdingRule:
        """The same with its rate in basis points."""
        return WithholdingRule(self.tax_class, parse_percent(self.rate), self.from_date, self.reason)


class HolderClassSection(_Section):
    """An owner, by a wallet's name or address, whose class is not the default."""

    wallet: str
    tax_class: str = Field(alias="class")


class DividendsSection(_Section):
    """See the top of this file. Empty until the first dividend: then every text of it is needed."""

    refund: str = ""
    minimum: str = "0"
    fee: str = "0%"
    claim: str = "365d"
    default_class: str = ""
    default_reason: str = ""
    payment: tuple[PaymentSection, ...] = ()
    withholding: tuple[WithholdingSection, ...] = ()
    holders: tuple[HolderClassSection, ...] = ()

    @model_validator(mode="after")
    def _together(self) -> DividendsSection:
        currencies = [each.currency for each in self.payment]
        if len(set(currencies)) != len(currencies):
            raise ValueError("each currency is paid in one token")
        wallets = [each.wallet for each in self.holders]
        if len(set(wallets)) != len(wallets):
            raise ValueError("each wallet has one tax class")
        try:
            parse_percent(self.fee)
            parse_span(self.claim)
            parse_quantity(self.minimum)
            if self.default_class or self.withholding:
                known = {rule.tax_class for rule in self.table.rules}
                unknown = sorted({each.tax_class for each in self.holders} - known)
                if unknown:
                    raise ValueError(f"no [[dividends.withholding]] has the class {', '.join(unknown)}")
        except TallystickError as error:
            raise ValueError(error.message) from error
        return self

    @property
    def table(self) -> WithholdingTable:
        """The dated table. InputError when it is none yet."""
        rules = tuple(each.rule for each in self.withholding)
        return WithholdingTable(rules, self.default_class, self.default_reason)

    @property
    def fee_points(self) -> int:
        """Basis points of the gross amount."""
        return parse_percent(self.fee)

    @property
    def minimum_quantity(self) -> Quantity:
        """In units of the currency."""
        return parse_quantity(self.minimum)

    @property
    def claim_seconds(self) -> int:
        """From the pay date on."""
        return parse_span(self.claim)


__all__ = ["DividendsSection", "HolderClassSection", "PaymentSection", "WithholdingSection"]
