"""Base58 of any length, as Solana's RPC writes account data, instruction data and whole transactions."""

from __future__ import annotations

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}


def base58_encode(data: bytes) -> str:
    """Each leading zero byte becomes one leading `1`."""
    zeros = len(data) - len(data.lstrip(b"\0"))
    number = int.from_bytes(data, "big")
    letters: list[str] = []
    while number:
        number, digit = divmod(number, 58)
        letters.append(_ALPHABET[digit])
    return "1" * zeros + "".join(reversed(letters))


def base58_decode(text: str) -> bytes:
    """The bytes of `text`. ValueError names the first letter that is not base58."""
    number = 0
    for position, letter in enumerate(text):
        value = _VALUES.get(letter)
        if value is None:
            raise ValueError(f"expected base58, found {letter!r} at position {position}")
        number = number * 58 + value
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
