"""Token-2022 extensions (type, length, value after byte 165) as `jsonParsed` writes them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from solders.pubkey import Pubkey

_FIRST = 166
SCALED_UI_AMOUNT = 25
_STATES = ("uninitialized", "initialized", "frozen")


def extensions_of(data: bytes) -> dict[int, bytes]:
    """Each extension's bytes by its type number."""
    found: dict[int, bytes] = {}
    at = _FIRST
    while at + 4 <= len(data):
        kind, length = struct.unpack_from("<HH", data, at)
        if kind == 0:
            break
        found[kind] = data[at + 4 : at + 4 + length]
        at += 4 + length
    return found


def current_multiplier(scaled: bytes, now: int) -> float:
    """The multiplier in force at `now`: the new one from its time on."""
    old, effective, new = struct.unpack_from("<dqd", scaled, 32)
    return float(new if now >= effective else old)


def extensions_as_json(data: bytes) -> list[dict[str, Any]]:
    """The `extensions` list; what has no writer here is `unparseableExtension`, as Agave says it."""
    written: list[dict[str, Any]] = []
    for kind, value in extensions_of(data).items():
        name, writer = _WRITERS.get(kind, ("unparseableExtension", None))
        entry: dict[str, Any] = {"extension": name}
        if writer is not None:
            entry["state"] = writer(value)
        written.append(entry)
    return written


def _optional(value: bytes, offset: int) -> str | None:
    raw = value[offset : offset + 32]
    return None if raw == bytes(32) else str(Pubkey.from_bytes(raw))


def _u64(value: bytes, offset: int) -> int:
    return int.from_bytes(value[offset : offset + 8], "little")


def _number(value: float) -> str:
    """An f64 as Rust prints it: no exponent, no trailing `.0`."""
    text = f"{value:.20f}" if "e" in repr(value) else repr(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _scaled(value: bytes) -> dict[str, Any]:
    old, effective, new = struct.unpack_from("<dqd", value, 32)
    return {
        "authority": _optional(value, 0),
        "multiplier": _number(old),
        "newMultiplier": _number(new),
        "newMultiplierEffectiveTimestamp": effective,
    }


def _transfer_fee(value: bytes, offset: int) -> dict[str, Any]:
    epoch, maximum, points = struct.unpack_from("<QQH", value, offset)
    return {"epoch": epoch, "maximumFee": maximum, "transferFeeBasisPoints": points}


def _transfer_fee_config(value: bytes) -> dict[str, Any]:
    return {
        "newerTransferFee": _transfer_fee(value, 90),
        "olderTransferFee": _transfer_fee(value, 72),
        "transferFeeConfigAuthority": _optional(value, 0),
        "withdrawWithheldAuthority": _optional(value, 32),
        "withheldAmount": _u64(value, 64),
    }


def _metadata(value: bytes) -> dict[str, Any]:
    at = 64

    def text() -> str:
        nonlocal at
        length = int.from_bytes(value[at : at + 4], "little")
        at += 4 + length
        return value[at - length : at].decode("utf-8", "replace")

    name, symbol, uri = text(), text(), text()
    count = int.from_bytes(value[at : at + 4], "little")
    at += 4
    return {
        "additionalMetadata": [[text(), text()] for _ in range(count)],
        "mint": str(Pubkey.from_bytes(value[32:64])),
        "name": name,
        "symbol": symbol,
        "updateAuthority": _optional(value, 0),
        "uri": uri,
    }


_WRITERS: dict[int, tuple[str, Callable[[bytes], dict[str, Any]] | None]] = {
    1: ("transferFeeConfig", _transfer_fee_config),
    2: ("transferFeeAmount", lambda value: {"withheldAmount": _u64(value, 0)}),
    3: ("mintCloseAuthority", lambda value: {"closeAuthority": _optional(value, 0)}),
    6: ("defaultAccountState", lambda value: {"accountState": _STATES[value[0]]}),
    7: ("immutableOwner", None),
    8: ("memoTransfer", lambda value: {"requireIncomingTransferMemos": bool(value[0])}),
    9: ("nonTransferable", None),
    11: ("cpiGuard", lambda value: {"lockCpi": bool(value[0])}),
    12: ("permanentDelegate", lambda value: {"delegate": _optional(value, 0)}),
    13: ("nonTransferableAccount", None),
    14: ("transferHook", lambda value: {"authority": _optional(value, 0), "programId": _optional(value, 32)}),
    15: ("transferHookAccount", lambda value: {"transferring": bool(value[0])}),
    18: ("metadataPointer", lambda value: {"authority": _optional(value, 0), "metadataAddress": _optional(value, 32)}),
    19: ("tokenMetadata", _metadata),
    SCALED_UI_AMOUNT: ("scaledUiAmountConfig", _scaled),
    26: ("pausableConfig", lambda value: {"authority": _optional(value, 0), "paused": bool(value[32])}),
    27: ("pausableAccount", None),
    28: ("permissionedBurnConfig", lambda value: {"authority": _optional(value, 0)}),
}
