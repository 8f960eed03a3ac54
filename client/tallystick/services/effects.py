"""What a transaction changes, field by field: accounts before and after it as values with units, and its events.

Generic over the generated layouts: an account or event that the program gets tomorrow is shown without a line here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from enum import IntEnum
from typing import Any, Final, TypeAlias

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Account
from tallystick.domain.amounts import float_bits_to_multiplier
from tallystick.errors import AmountError, LedgerError
from tallystick.program.distribution_account import DistributionAccount
from tallystick.program.generated.accounts import ACCOUNTS, Distribution, Security
from tallystick.program.generated.constants import PROGRAM_ID
from tallystick.program.layout import AccountLayout, EventLayout
from tallystick.program.text import decode_text
from tallystick.program.token import (
    SPL_TOKEN_PROGRAM,
    SYSTEM_PROGRAM,
    TOKEN_2022_PROGRAM,
    Mint,
    TokenAccount,
    decode_mint,
    decode_token_account,
)
from tallystick.program.token_extensions import ExtensionType, MintExtensions
from tallystick.program.units import Unit, unit_of

Scalar: TypeAlias = int | bool | str | bytes | Pubkey | IntEnum

WALLET: Final = "wallet"
TOKEN_ACCOUNT: Final = "token account"  # noqa: S105 (a kind of account)
MINT: Final = "mint"
# Said once by the account being new; a change of one in an account that exists is shown.
_SAME_IN_ALL: Final = frozenset({"version", "bump", "reserved"})
_TOKEN_UNITS: Final[Mapping[tuple[str, str], Unit]] = {
    ("TokenAccount", "amount"): Unit.AMOUNT,
    ("TokenAccount", "delegated_amount"): Unit.AMOUNT,
    ("TokenAccount", "native_reserve"): Unit.LAMPORTS,
    ("Mint", "supply"): Unit.AMOUNT,
    ("ScaledUiAmount", "effective_at"): Unit.TIME,
}
_FLOATS: Final = frozenset({"multiplier_bits", "new_multiplier_bits"})


@dataclass(frozen=True, slots=True)
class Value:
    """One value and its unit. `decimals` are those of an AMOUNT; None where the security is not known."""

    content: Scalar
    unit: Unit = Unit.NUMBER
    decimals: int | None = None


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of an account, by its dotted name. None where there is no account, or no such field in it."""

    name: str
    old: Value | None
    new: Value | None


@dataclass(frozen=True, slots=True)
class AccountChange:
    """One account that differs. `kind` is a layout's name, "wallet", "mint", "token account" or "account"."""

    address: Pubkey
    kind: str
    is_new: bool
    is_closed: bool
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class EventShown:
    """One event, its fields in order."""

    name: str
    fields: tuple[tuple[str, Value], ...]


@dataclass(slots=True)
class Known:
    """What values are shown with: decimals by security and mint, and names by address."""

    decimals: dict[Pubkey, int] = field(default_factory=dict)
    names: dict[Pubkey, str] = field(default_factory=dict)

    def learn(self, address: Pubkey, account: Account | None) -> None:
        """Take decimals and names from a security, distribution or mint; anything else says nothing."""
        decoded = decode_any(account)
        if isinstance(decoded, Security):
            self.decimals[address] = self.decimals[decoded.mint] = decoded.decimals
            ticker = decode_text(decoded.ticker)
            self.names[address] = ticker
            self.names[decoded.mint] = f"{ticker} mint"
            self.names[decoded.escrow] = f"{ticker} escrow"
        elif isinstance(decoded, Distribution):
            self.decimals[address] = decoded.payment_decimals
        elif isinstance(decoded, Mint):
            self.decimals[address] = decoded.decimals


def decode_any(account: Account | None) -> AccountLayout | Mint | TokenAccount | None:
    """The account as a value, None where it is of no kind that is known here, or does not decode."""
    if account is None:
        return None
    try:
        if account.owner == PROGRAM_ID:
            layout = ACCOUNTS.get(account.data[:8])
            if layout is Distribution:
                return DistributionAccount.decode(account.data).fields  # behind them are the bits of what was paid
            return layout.decode(account.data) if layout else None
        if account.owner in (SPL_TOKEN_PROGRAM, TOKEN_2022_PROGRAM):
            try:
                return decode_mint(account.data)
            except LedgerError:
                return decode_token_account(account.data)
    except LedgerError:
        return None
    return None


def named_by(value: object) -> Iterable[Pubkey]:
    """Distributions, securities and mints whose decimals `value` needs."""
    for name in ("distribution", "security", "mint"):
        if isinstance(found := getattr(value, name, None), Pubkey):
            yield found


def is_wallet(account: Account | None) -> bool:
    """True where there is nothing but lamports."""
    return account is None or (account.owner == SYSTEM_PROGRAM and not account.data)


def account_change(address: Pubkey, old: Account | None, new: Account | None, known: Known) -> AccountChange | None:
    """What differs between two states of an account, None when nothing does.

    Of a new account only what was set is listed: the rest is zero.
    """
    if old == new:
        return None
    had, has = not is_wallet(old), not is_wallet(new)
    shown = new if has or not had else old
    before, after = _fields(address, old, known), _fields(address, new, known)
    changes = [
        FieldChange(name, before.get(name), after.get(name))
        for name in {**before, **after}
        if before.get(name) != after.get(name)
    ]
    if has and not had:
        changes = [each for each in changes if each.new is None or not _goes_without_saying(each.name, each.new)]
    if had and not has:
        changes = [each for each in changes if each.name == "lamports"]
    return AccountChange(address, _kind(shown), has and not had, had and not has, tuple(changes))


def event_shown(event: EventLayout, known: Known) -> EventShown:
    """An event's fields with their units."""
    decimals = getattr(event, "decimals", None)
    if not isinstance(decimals, int):
        decimals = next((known.decimals[key] for key in named_by(event) if key in known.decimals), None)
    return EventShown(type(event).__name__, tuple(_flat(event, decimals)))


def _fields(address: Pubkey, account: Account | None, known: Known) -> dict[str, Value]:
    if account is None:
        return {}
    found: dict[str, Value] = {}
    decoded = decode_any(account)
    if decoded is not None:
        keys = (address, *named_by(decoded))
        decimals = next((known.decimals[key] for key in keys if key in known.decimals), None)
        found = dict(_flat(decoded, decimals))
    elif not is_wallet(account):
        found = {
            "owner": Value(account.owner),
            "bytes": Value(len(account.data)),
            "sha256": Value(hashlib.sha256(account.data).digest()),
        }
    return found | {"lamports": Value(account.lamports, Unit.LAMPORTS)}


def _flat(value: Any, decimals: int | None, prefix: str = "") -> Iterable[tuple[str, Value]]:
    """Dotted names and values of a dataclass, in order; what is None is left out."""
    for each in fields(value):
        content, name = getattr(value, each.name), f"{prefix}{each.name}"
        if isinstance(content, MintExtensions):
            yield from _flat(content, decimals, prefix)
        elif is_dataclass(content):
            yield from _flat(content, decimals, f"{name}.")
        elif isinstance(content, tuple) and any(is_dataclass(item) for item in content):
            for number, item in enumerate(content, start=1):
                yield from _flat(item, decimals, f"{name}.{number}.")
        elif isinstance(content, tuple):
            yield name, Value(", ".join(_item(each.name, item) for item in content))
        elif content is not None:
            yield name, _value(type(value).__name__, each.name, content, decimals)


def _value(kind: str, name: str, content: Scalar, decimals: int | None) -> Value:
    if not isinstance(content, int) or isinstance(content, bool | IntEnum):
        return Value(content)
    if name in _FLOATS:
        try:
            return Value(float_bits_to_multiplier(content), Unit.MULTIPLIER)
        except AmountError:
            return Value(content)
    unit = _TOKEN_UNITS.get((kind, name)) or unit_of(kind, name)
    return Value(content, unit, decimals if unit is Unit.AMOUNT else None)


def _item(name: str, item: Any) -> str:
    if isinstance(item, tuple):
        return " ".join(str(part) for part in item)
    if name in ("types", "extensions") and item in set(ExtensionType):
        return ExtensionType(item).name.replace("_", " ").lower()
    return str(item)


def _kind(account: Account | None) -> str:
    if is_wallet(account):
        return WALLET
    decoded = decode_any(account)
    if decoded is None:
        return "account"
    return {"Mint": MINT, "TokenAccount": TOKEN_ACCOUNT}.get(type(decoded).__name__, type(decoded).__name__)


def _goes_without_saying(name: str, value: Value) -> bool:
    content = value.content
    if name in _SAME_IN_ALL:
        return True
    if isinstance(content, IntEnum):
        return False
    return not (any(bytes(content)) if isinstance(content, bytes | Pubkey) else content)


__all__ = [
    "MINT",
    "TOKEN_ACCOUNT",
    "WALLET",
    "AccountChange",
    "EventShown",
    "FieldChange",
    "Known",
    "Scalar",
    "Value",
    "account_change",
    "decode_any",
    "event_shown",
    "is_wallet",
    "named_by",
]
