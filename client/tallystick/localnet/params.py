"""Reads a request's parameters, or faults as Agave does."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.signature import Signature

from tallystick.adapters.chain.ledger import Ledger
from tallystick.domain.base58 import base58_decode
from tallystick.localnet.faults import MIN_CONTEXT_SLOT_NOT_REACHED, Fault, invalid, wrong_type

API_VERSION = "4.2.2"
"""The Agave release whose answers these imitate."""


def pubkey_of(text: Any, prefix: str = "Invalid param: ") -> Pubkey:
    """A base58 address."""
    return Pubkey.from_bytes(_sized(text, 32, prefix))


def signature_of(text: Any) -> Signature:
    """A base58 signature."""
    return Signature.from_bytes(_sized(text, 64, "Invalid param: "))


def hash_of(text: Any) -> Hash:
    """A base58 blockhash."""
    return Hash(_sized(text, 32, ""))


def base58_bytes(text: str, words: str = "invalid base58 encoding: {}") -> bytes:
    """Base58 of any length, faulting as a transaction would; `words` are those around the problem."""
    try:
        return base58_decode(text)
    except ValueError:
        index = next(index for index, letter in enumerate(text) if not _is_base58(letter))
        problem = f"InvalidCharacter {{ character: '{text[index]}', index: {index} }}"
        raise invalid(words.format(problem)) from None


def base64_bytes(text: str) -> bytes:
    """Base64, faulting as a transaction or message would."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        for index, letter in enumerate(text):
            if not (letter.isascii() and (letter.isalnum() or letter in "+/=")):
                raise invalid(f"invalid base64 encoding: InvalidByte({index}, {ord(letter)})") from None
        raise invalid("invalid base64 encoding: InvalidPadding") from None


class Config:
    """The configuration object of a request."""

    def __init__(self, members: dict[str, Any]) -> None:
        self.members = members

    def boolean(self, name: str, default: bool = False) -> bool:
        """A flag; null counts as absent."""
        value = self.members.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise wrong_type(value, "a boolean")
        return value

    def integer(self, name: str) -> int | None:
        """A whole number not below 0, or None."""
        value = self.members.get(name)
        if value is None:
            return None
        return whole(value, "u64")

    def text(self, name: str) -> str | None:
        """A string, or None."""
        value = self.members.get(name)
        if value is not None and not isinstance(value, str):
            raise wrong_type(value, "a string")
        return value

    def mapping(self, name: str) -> Config | None:
        """A nested object, or None."""
        value = self.members.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise wrong_type(value, f"struct {name}")
        return Config(value)

    @property
    def below_confirmed(self) -> bool:
        """Whether the commitment asked for is `processed`."""
        return self.text("commitment") in ("processed", "recent")

    def require_confirmed(self) -> None:
        """Fault when a method over blocks is asked at `processed`."""
        if self.below_confirmed:
            raise invalid("Method does not support commitment below `confirmed`")

    def context(self, ledger: Ledger) -> dict[str, Any]:
        """The `context` of an answer; faults when `minContextSlot` has not come."""
        slot = ledger.slot
        wanted = self.integer("minContextSlot")
        if wanted is not None and slot < wanted:
            raise Fault(
                MIN_CONTEXT_SLOT_NOT_REACHED, "Minimum context slot has not been reached", {"contextSlot": slot}
            )
        return {"apiVersion": API_VERSION, "slot": slot}


class Params:
    """The positional parameters of a request."""

    def __init__(self, values: list[Any]) -> None:
        self.values = values

    def value(self, index: int) -> Any:
        """The parameter, None when absent."""
        return self.values[index] if index < len(self.values) else None

    def text(self, index: int) -> str:
        """A string."""
        value = self.value(index)
        if not isinstance(value, str):
            raise wrong_type(value, "a string")
        return value

    def texts(self, index: int, limit: int) -> list[str]:
        """A list of at most `limit` strings."""
        values = self.value(index)
        if not isinstance(values, list):
            raise wrong_type(values, "a sequence")
        if len(values) > limit:
            raise invalid(f"Too many inputs provided; max {limit}")
        for value in values:
            if not isinstance(value, str):
                raise wrong_type(value, "a string")
        return values

    def pubkey(self, index: int) -> Pubkey:
        """A base58 address."""
        return pubkey_of(self.text(index))

    def integer(self, index: int, kind: str = "u64") -> int:
        """A whole number not below 0."""
        return whole(self.value(index), kind)

    def config(self, index: int, struct: str = "struct RpcContextConfig") -> Config:
        """The configuration object, empty when absent."""
        value = self.value(index)
        if value is None:
            return Config({})
        if not isinstance(value, dict):
            raise wrong_type(value, struct)
        return Config(value)

    def config_or_encoding(self, index: int) -> Config:
        """The configuration object, or its `encoding` alone in the older form."""
        value = self.value(index)
        return Config({"encoding": value}) if isinstance(value, str) else self.config(index)


def whole(value: Any, kind: str) -> int:
    """A whole number not below 0; `kind` is the type the fault names."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong_type(value, kind)
    if not 0 <= value < 1 << 64:
        raise invalid(f"Invalid params: invalid value: integer `{value}`, expected {kind}.")
    return value


def _sized(text: Any, size: int, prefix: str) -> bytes:
    if not isinstance(text, str):
        raise wrong_type(text, "a string")
    try:
        decoded = base58_decode(text)
    except ValueError:
        raise invalid(f"{prefix}Invalid") from None
    if len(decoded) != size:
        raise invalid(f"{prefix}WrongSize")
    return decoded


def _is_base58(letter: str) -> bool:
    return letter.isascii() and letter.isalnum() and letter not in "0OIl"
