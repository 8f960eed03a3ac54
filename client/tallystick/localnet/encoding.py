"""Accounts as RPC writes them: base58, base64, base64+zstd, and parsed where a parser exists."""

from __future__ import annotations

import base64
from typing import Any

from tallystick.adapters.chain.ledger import Ledger
from tallystick.adapters.chain.protocol import Account
from tallystick.domain.base58 import base58_encode
from tallystick.localnet.faults import INVALID_REQUEST, Fault, invalid
from tallystick.localnet.params import Config
from tallystick.localnet.parsed import parsed_account

_ENCODINGS = ("binary", "base58", "base64", "jsonParsed", "base64+zstd")
_MAX_BASE58 = 128
_RENT_EXEMPT_EPOCH = (1 << 64) - 1
_ZSTD_BLOCK = 128 * 1024


def encoding_of(config: Config, default: str = "binary") -> str:
    """The account encoding asked for."""
    encoding = config.text("encoding") or default
    if encoding not in _ENCODINGS:
        names = ", ".join(f"`{each}`" for each in _ENCODINGS)
        raise invalid(f"Invalid params: unknown variant `{encoding}`, expected one of {names}.")
    return encoding


def slice_of(config: Config) -> tuple[int, int] | None:
    """The `dataSlice` asked for, as offset and length."""
    wanted = config.mapping("dataSlice")
    if wanted is None:
        return None
    offset, length = wanted.integer("offset"), wanted.integer("length")
    if offset is None or length is None:
        missing = "offset" if offset is None else "length"
        raise invalid(f"Invalid params: missing field `{missing}`.")
    return offset, length


def account_as_json(
    ledger: Ledger, account: Account, encoding: str, data_slice: tuple[int, int] | None = None
) -> dict[str, Any]:
    """One account. `space` is the full size, whatever slice was asked for."""
    data = account.data
    if data_slice is not None:
        data = data[data_slice[0] : data_slice[0] + data_slice[1]]
    written: Any = None
    if encoding == "jsonParsed":
        written = parsed_account(ledger, account)
    if written is None:
        written = _data_as_json(data, encoding)
    return {
        "data": written,
        "executable": account.executable,
        "lamports": account.lamports,
        "owner": str(account.owner),
        "rentEpoch": _RENT_EXEMPT_EPOCH,
        "space": len(account.data),
    }


def _data_as_json(data: bytes, encoding: str) -> Any:
    if encoding in ("binary", "base58"):
        if len(data) > _MAX_BASE58:
            raise Fault(
                INVALID_REQUEST,
                "Encoded binary (base 58) data should be less than 128 bytes, please use Base64 encoding.",
            )
        return base58_encode(data) if encoding == "binary" else [base58_encode(data), "base58"]
    if encoding == "base64+zstd":
        return [base64.b64encode(_zstd(data)).decode(), encoding]
    return [base64.b64encode(data).decode(), "base64"]


def _zstd(data: bytes) -> bytes:
    """A Zstandard frame (RFC 8878) of raw blocks: every decoder reads it, and nothing is compressed."""
    frame = bytearray(b"\x28\xb5\x2f\xfd\xa0" + len(data).to_bytes(4, "little"))
    for start in range(0, max(len(data), 1), _ZSTD_BLOCK):
        block = data[start : start + _ZSTD_BLOCK]
        last = start + _ZSTD_BLOCK >= len(data)
        frame += (int(last) | len(block) << 3).to_bytes(3, "little") + block
    return bytes(frame)
