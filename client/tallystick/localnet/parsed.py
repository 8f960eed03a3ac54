"""The `jsonParsed` form of token accounts, mints, upgradeable programs and the clock."""

from __future__ import annotations

import struct
from typing import Any

from solders.pubkey import Pubkey

from tallystick.adapters.chain.balances import TOKEN_2022_PROGRAM, TOKEN_PROGRAM
from tallystick.adapters.chain.ledger import LOADER, Ledger
from tallystick.adapters.chain.protocol import Account
from tallystick.localnet.extensions import SCALED_UI_AMOUNT, current_multiplier, extensions_as_json, extensions_of

_PROGRAM_NAMES = {TOKEN_PROGRAM: "spl-token", TOKEN_2022_PROGRAM: "spl-token-2022"}
_SYSVAR_OWNER = Pubkey.from_string("Sysvar1111111111111111111111111111111111111")
_STATES = ("uninitialized", "initialized", "frozen")
_MINT_SIZE = 82
_ACCOUNT_SIZE = 165
_CLOCK_SIZE = 40


def is_mint(account: Account) -> bool:
    """Whether a token program's account is an initialised mint."""
    data = account.data
    if account.owner not in _PROGRAM_NAMES or len(data) < _MINT_SIZE or data[45] != 1:
        return False
    if len(data) == _MINT_SIZE:
        return True
    return account.owner == TOKEN_2022_PROGRAM and len(data) > _ACCOUNT_SIZE and data[_ACCOUNT_SIZE] == 1


def is_token_account(account: Account) -> bool:
    """Whether a token program's account is an initialised token account."""
    data = account.data
    if account.owner not in _PROGRAM_NAMES or len(data) < _ACCOUNT_SIZE or data[108] not in (1, 2):
        return False
    if len(data) == _ACCOUNT_SIZE:
        return True
    return account.owner == TOKEN_2022_PROGRAM and data[_ACCOUNT_SIZE] == 2


def token_amount(ledger: Ledger, amount: int, mint: Account) -> dict[str, Any]:
    """Raw units beside what a person reads, by the mint's decimals and its multiplier now."""
    decimals = mint.data[44]
    scaled = extensions_of(mint.data).get(SCALED_UI_AMOUNT)
    if scaled is None:
        return plain_amount(amount, decimals)
    # Token-2022 itself counts in f64 here: truncate what the multiplier made, then divide.
    units = int(amount * current_multiplier(scaled, ledger.timestamp))
    return plain_amount(units, decimals) | {"amount": str(amount)}


def plain_amount(amount: int, decimals: int) -> dict[str, Any]:
    """Raw units beside their decimal form."""
    digits = str(amount).rjust(decimals + 1, "0")
    text = digits if not decimals else f"{digits[:-decimals]}.{digits[-decimals:]}".rstrip("0").rstrip(".")
    return {"amount": str(amount), "decimals": decimals, "uiAmount": float(text), "uiAmountString": text}


def parsed_account(ledger: Ledger, account: Account) -> dict[str, Any] | None:
    """The parsed form, None when there is no parser and the data is to be written as base64."""
    kind: tuple[str, str, dict[str, Any]] | None = None
    if is_token_account(account):
        kind = _token_account(ledger, account)
    elif is_mint(account):
        kind = (_PROGRAM_NAMES[account.owner], "mint", _mint(account.data))
    elif account.owner == LOADER:
        kind = _upgradeable(account.data)
    elif account.owner == _SYSVAR_OWNER and len(account.data) == _CLOCK_SIZE:
        kind = ("sysvar", "clock", _clock(account.data))
    if kind is None:
        return None
    program, name, info = kind
    return {"parsed": {"info": info, "type": name}, "program": program, "space": len(account.data)}


def _token_account(ledger: Ledger, account: Account) -> tuple[str, str, dict[str, Any]] | None:
    data = account.data
    address = Pubkey.from_bytes(data[:32])
    mint = ledger.account(address)
    if mint is None or not is_mint(mint):
        return None
    info: dict[str, Any] = {
        "isNative": _option(data, 109) is not None,
        "mint": str(address),
        "owner": _address(data, 32),
        "state": _STATES[data[108]],
        "tokenAmount": token_amount(ledger, _u64(data, 64), mint),
    }
    if _option(data, 72) is not None:
        info["delegate"] = _address(data, 76)
        info["delegatedAmount"] = token_amount(ledger, _u64(data, 121), mint)
    if _option(data, 109) is not None:
        info["rentExemptReserve"] = plain_amount(_u64(data, 113), mint.data[44])
    if _option(data, 129) is not None:
        info["closeAuthority"] = _address(data, 133)
    if len(data) > _ACCOUNT_SIZE:
        info["extensions"] = extensions_as_json(data)
    return _PROGRAM_NAMES[account.owner], "account", info


def _mint(data: bytes) -> dict[str, Any]:
    info: dict[str, Any] = {
        "decimals": data[44],
        "freezeAuthority": _address(data, 50) if _option(data, 46) is not None else None,
        "isInitialized": data[45] == 1,
        "mintAuthority": _address(data, 4) if _option(data, 0) is not None else None,
        "supply": str(_u64(data, 36)),
    }
    if len(data) > _ACCOUNT_SIZE:
        info["extensions"] = extensions_as_json(data)
    return info


def _upgradeable(data: bytes) -> tuple[str, str, dict[str, Any]] | None:
    name = "bpf-upgradeable-loader"
    if len(data) == 36 and data[0] == 2:
        return name, "program", {"programData": _address(data, 4)}
    return None


def _clock(data: bytes) -> dict[str, Any]:
    slot, start, epoch, leader_epoch, now = struct.unpack("<QqQQq", data)
    return {
        "epoch": epoch,
        "epochStartTimestamp": start,
        "leaderScheduleEpoch": leader_epoch,
        "slot": slot,
        "unixTimestamp": now,
    }


def _option(data: bytes, offset: int) -> int | None:
    """The tag of a C option at `offset`: None or 1."""
    return 1 if data[offset : offset + 4] == b"\1\0\0\0" else None


def _address(data: bytes, offset: int) -> str:
    return str(Pubkey.from_bytes(data[offset : offset + 32]))


def _u64(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 8], "little")
