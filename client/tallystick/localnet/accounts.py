"""Methods that read accounts."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from tallystick.adapters.chain.ledger import Ledger
from tallystick.localnet.encoding import account_as_json, encoding_of, slice_of
from tallystick.localnet.faults import invalid, wrong_type
from tallystick.localnet.params import Config, Params, base58_bytes, pubkey_of
from tallystick.localnet.parsed import is_token_account

MAX_ACCOUNTS = 100
_MAX_FILTERS = 4
_MAX_MEMCMP = 128


class Filters:
    """The `filters` of getProgramAccounts: every one must pass."""

    def __init__(self, config: Config) -> None:
        listed = config.members.get("filters") or []
        if not isinstance(listed, list):
            raise wrong_type(listed, "a sequence")
        if len(listed) > _MAX_FILTERS:
            raise invalid(f"Too many filters provided; max {_MAX_FILTERS}")
        self.sizes: list[int] = []
        self.matches: list[tuple[int, bytes]] = []
        self.token_accounts = False
        for each in listed:
            self._add(each)

    def pass_data(self, data: bytes) -> bool:
        """Whether sizes and bytes match."""
        return all(len(data) == size for size in self.sizes) and all(
            data[offset : offset + len(wanted)] == wanted for offset, wanted in self.matches
        )

    def _add(self, entry: Any) -> None:
        if entry == "tokenAccountState" or entry == {"tokenAccountState": None}:
            self.token_accounts = True
            return
        if not isinstance(entry, dict) or len(entry) != 1:
            raise wrong_type(entry, "a filter")
        ((name, value),) = entry.items()
        if name == "dataSize":
            size = Config(entry).integer("dataSize")
            self.sizes.append(size or 0)
        elif name == "memcmp" and isinstance(value, dict):
            self.matches.append(_memcmp(Config(value)))
        else:
            raise invalid(
                f"Invalid params: unknown variant `{name}`, expected one of `dataSize`, `memcmp`, `tokenAccountState`."
            )


def get_balance(ledger: Ledger, params: Params) -> Any:
    address = params.pubkey(0)
    context = params.config(1).context(ledger)
    account = ledger.account(address)
    return {"context": context, "value": account.lamports if account else 0}


def get_account_info(ledger: Ledger, params: Params) -> Any:
    address = params.pubkey(0)
    config = params.config(1, "struct RpcAccountInfoConfig")
    encoding, data_slice = encoding_of(config), slice_of(config)
    context = config.context(ledger)
    account = ledger.account(address)
    value = None if account is None else account_as_json(ledger, account, encoding, data_slice)
    return {"context": context, "value": value}


def get_multiple_accounts(ledger: Ledger, params: Params) -> Any:
    addresses = [pubkey_of(text) for text in params.texts(0, MAX_ACCOUNTS)]
    config = params.config(1, "struct RpcAccountInfoConfig")
    encoding, data_slice = encoding_of(config, "base64"), slice_of(config)
    context = config.context(ledger)
    accounts = [ledger.account(address) for address in addresses]
    value = [account_as_json(ledger, each, encoding, data_slice) if each else None for each in accounts]
    return {"context": context, "value": value}


def get_program_accounts(ledger: Ledger, params: Params) -> Any:
    program = params.pubkey(0)
    config = params.config(1, "struct RpcProgramAccountsConfig")
    encoding, data_slice = encoding_of(config), slice_of(config)
    filters = Filters(config)
    context = config.context(ledger)
    value = [
        {"account": account_as_json(ledger, account, encoding, data_slice), "pubkey": str(address)}
        for address, account in ledger.program_accounts(program, filters.pass_data).items()
        if not filters.token_accounts or is_token_account(account)
    ]
    return {"context": context, "value": value} if config.boolean("withContext") else value


def _memcmp(config: Config) -> tuple[int, bytes]:
    offset, wanted = config.integer("offset"), config.members.get("bytes")
    if offset is None or wanted is None:
        raise invalid(f"Invalid params: missing field `{'offset' if offset is None else 'bytes'}`.")
    if isinstance(wanted, list):
        data = _byte_list(wanted)
    elif not isinstance(wanted, str):
        raise wrong_type(wanted, "a string")
    elif config.text("encoding") == "base64":
        try:
            data = base64.b64decode(wanted, validate=True)
        except binascii.Error as error:
            raise invalid(f"Invalid param: Base64DecodeError({error})") from None
    else:
        data = base58_bytes(wanted, "Invalid param: Base58DecodeError({})")
    if len(data) > _MAX_MEMCMP:
        raise invalid("Invalid param: DataTooLarge")
    return offset, data


def _byte_list(values: list[Any]) -> bytes:
    if not all(isinstance(value, int) and 0 <= value < 256 for value in values):
        raise wrong_type(values, "a sequence of bytes")
    return bytes(values)
