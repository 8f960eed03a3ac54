"""A cash dividend's list: who held the security at the record date, what each is owed, and where it is sent.

Amounts of cash are integers in base units of the payment mint, amounts of the security raw units. How entitlements are
computed is in entitlements.py; how the list becomes a tree, in distribution_tree.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from struct import Struct
from typing import Final

from tallystick.domain.distribution_tree import Entry
from tallystick.errors import LedgerError

_LINE: Final = Struct("<32s32sBQB")
LINE_LENGTH: Final = _LINE.size
"""Bytes of one line of a batch as it is stored."""


class HolderClass(IntEnum):
    """How an owner at the record date is paid. The numbers are stored and never change their meaning."""

    WALLET = 0
    """An address that a key can have: pushed to."""
    PROGRAM = 1
    """An address that no key has (off the curve): a program owns it. Left to claim."""
    FROZEN = 2
    """At least part of the balance was frozen at the record date: not pushed to while it is; left to claim."""
    INVENTORY = 3
    """The issuer's own wallet: never paid from a distribution."""


@dataclass(frozen=True, slots=True)
class PayoutLine:
    """One payment of a distribution: the owner, its associated token account of the payment mint with its bump (32
    bytes each, and one), base units above zero, and how the owner is paid."""

    owner: bytes
    address: bytes
    bump: int
    amount: int
    holder_class: HolderClass = HolderClass.WALLET

    @property
    def entry(self) -> Entry:
        """The entry of the committed tree."""
        return Entry(self.address, self.bump, self.amount)


@dataclass(frozen=True, slots=True)
class PayoutBatch:
    """The lines that one call of pay_batch pays, in the order of their bits."""

    index: int
    lines: tuple[PayoutLine, ...]

    @property
    def content(self) -> bytes:
        """As it is stored: LINE_LENGTH bytes for each line."""
        return b"".join(
            _LINE.pack(line.owner, line.address, line.bump, line.amount, line.holder_class) for line in self.lines
        )

    @staticmethod
    def parse(index: int, content: bytes) -> PayoutBatch:
        """A batch from its stored content; LedgerError when it is none."""
        if not content or len(content) % LINE_LENGTH:
            raise LedgerError(f"Batch {index} of a distribution is damaged in the store.")
        try:
            lines = tuple(
                PayoutLine(owner, address, bump, amount, HolderClass(kind))
                for owner, address, bump, amount, kind in _LINE.iter_unpack(content)
            )
        except ValueError as error:
            raise LedgerError(f"Batch {index} of a distribution is damaged in the store.") from error
        return PayoutBatch(index, lines)

    @property
    def total(self) -> int:
        """Base units of all lines."""
        return sum(line.amount for line in self.lines)


class PayoutState(StrEnum):
    """How far a distribution is, as our own books know it; the chain decides."""

    PLANNED = "planned"
    OPENED = "opened"
    APPROVED = "approved"
    CLOSED = "closed"
    DISCARDED = "discarded"
    """Planned or opened, and given up before it was approved: nothing of it counts."""


@dataclass(frozen=True, slots=True)
class PayoutRecord:
    """A distribution as planned. Addresses, root and hashes have 32 bytes; times in seconds since 1970 UTC.

    `document` is the plan in canonical JSON: its sources, terms, control totals (services/dividend_plan.py).
    `batches`, `entries` and `total` as committed on chain; `batch_size` is the most lines of one batch.
    """

    address: bytes
    security: bytes
    action: bytes
    number: int
    payment_mint: bytes
    token_program: bytes
    payment_decimals: int
    payout_key: bytes
    refund: bytes
    root: bytes
    batches: int
    entries: int
    total: int
    expires_at: int
    document: bytes
    created_at: int
    batch_size: int = 57
    state: PayoutState = PayoutState.PLANNED


@dataclass(frozen=True, slots=True)
class Carry:
    """What an owner's carried balance changes by with a distribution: above zero when too little to pay is kept for
    the next one, below when an earlier balance is paid with it. Base units of the payment mint."""

    owner: bytes
    change: int


@dataclass(frozen=True, slots=True)
class CarriedBefore:
    """What owners carried into an action; base units by owner. `carried` is of other actions. `kept` is what the
    action's own distributions changed of the balance and nothing has used since; `used` is what these carried and
    dividends of other actions have paid since: of this action's part it is paid."""

    carried: Mapping[bytes, int]
    kept: Mapping[bytes, int]
    used: Mapping[bytes, int]

    @staticmethod
    def of(balance: Mapping[bytes, int], others: Mapping[bytes, int]) -> CarriedBefore:
        """From the balance as it is, and what it would be by other actions alone. LedgerError for a balance below
        zero."""
        if any(units < 0 for units in balance.values()):
            raise LedgerError(
                "More was paid of what an owner carried than was carried.",
                hint="This store misses a dividend of the security; run it where all of them were planned.",
            )
        carried = {owner: units for owner, units in others.items() if units > 0}
        used = {owner: -units for owner, units in others.items() if units < 0}
        kept = {owner: balance.get(owner, 0) - carried.get(owner, 0) for owner in {*balance, *carried}}
        return CarriedBefore(carried, {owner: units for owner, units in kept.items() if units}, used)


@dataclass(frozen=True, slots=True)
class EntitlementPage:
    """Entitlements of consecutive owners as they are stored (entitlements.py packs them); pages are in the order of
    owners, `first_owner` is the first one's address."""

    number: int
    first_owner: bytes
    content: bytes


__all__ = [
    "LINE_LENGTH",
    "CarriedBefore",
    "Carry",
    "EntitlementPage",
    "HolderClass",
    "PayoutBatch",
    "PayoutLine",
    "PayoutRecord",
    "PayoutState",
]
