"""Text as the program keeps it: UTF-8 in a field of fixed size, zeros on the right (state/issuer.rs, is_text)."""

from __future__ import annotations

import unicodedata

from tallystick.errors import InputError, LedgerError


def encode_text(value: str, size: int, name: str = "text") -> bytes:
    """`value` as `size` bytes. InputError if it is too long, or has characters that the program refuses."""
    if any(unicodedata.category(character) == "Cc" for character in value):
        raise InputError(f"{name}: text without control characters expected, got {value!r}")
    try:
        raw = value.encode()
    except UnicodeEncodeError:
        raise InputError(f"{name}: valid Unicode expected, got an unpaired surrogate") from None
    if len(raw) > size:
        raise InputError(f"{name}: at most {size} bytes of UTF-8 fit, got {len(raw)}; shorten {value!r}")
    return raw.ljust(size, b"\0")


def decode_text(field: bytes, name: str = "text") -> str:
    """The text of a field; empty if nothing was written. LedgerError if it is no text or not padded on the right."""
    raw = field.rstrip(b"\0")
    if b"\0" in raw:
        raise LedgerError(f"{name}: zeros only after the text expected, found one inside {raw!r}")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise LedgerError(f"{name}: UTF-8 text expected, found {raw.hex()}") from None
