"""Methods about SPL Token and Token-2022 accounts and mints."""

from __future__ import annotations

from typing import Any

from solders.pubkey import Pubkey

from tallystick.adapters.chain.balances import TOKEN_2022_PROGRAM, TOKEN_PROGRAM
from tallystick.adapters.chain.ledger import Ledger
from tallystick.adapters.chain.protocol import Account
from tallystick.localnet.encoding import account_as_json, encoding_of, slice_of
from tallystick.localnet.faults import invalid
from tallystick.localnet.params import Params, pubkey_of
from tallystick.localnet.parsed import is_mint, is_token_account, token_amount

_LARGEST = 20


def get_token_account_balance(ledger: Ledger, params: Params) -> Any:
    address = params.pubkey(0)
    context = params.config(1).context(ledger)
    account = ledger.account(address)
    if account is None:
        raise invalid("Invalid param: could not find account")
    if not is_token_account(account):
        raise invalid("Invalid param: not a Token account")
    mint = ledger.account(Pubkey.from_bytes(account.data[:32]))
    if mint is None or not is_mint(mint):
        raise invalid("Invalid param: could not find mint")
    return {"context": context, "value": token_amount(ledger, _amount(account), mint)}


def get_token_supply(ledger: Ledger, params: Params) -> Any:
    address = params.pubkey(0)
    context = params.config(1).context(ledger)
    mint = ledger.account(address)
    if mint is None:
        raise invalid("Invalid param: could not find account")
    if not is_mint(mint):
        raise invalid("Invalid param: not a Token mint")
    supply = int.from_bytes(mint.data[36:44], "little")
    return {"context": context, "value": token_amount(ledger, supply, mint)}


def get_token_largest_accounts(ledger: Ledger, params: Params) -> Any:
    address = params.pubkey(0)
    context = params.config(1).context(ledger)
    mint = _mint_of(ledger, address)
    holders = [
        (holder, _amount(account))
        for holder, account in ledger.program_accounts(mint.owner).items()
        if is_token_account(account) and account.data[:32] == bytes(address)
    ]
    holders.sort(key=lambda holder: holder[1], reverse=True)
    value = [{"address": str(holder), **token_amount(ledger, amount, mint)} for holder, amount in holders[:_LARGEST]]
    return {"context": context, "value": value}


def get_token_accounts_by_owner(ledger: Ledger, params: Params) -> Any:
    return _token_accounts(ledger, params, owner=True)


def get_token_accounts_by_delegate(ledger: Ledger, params: Params) -> Any:
    return _token_accounts(ledger, params, owner=False)


def _token_accounts(ledger: Ledger, params: Params, *, owner: bool) -> Any:
    address = bytes(params.pubkey(0))
    wanted = params.config(1, "map with a single key").members
    if len(wanted) != 1:
        raise invalid("Invalid params: invalid value: map, expected map with a single key.")
    ((name, text),) = wanted.items()
    if name not in ("mint", "programId"):
        raise invalid(f"Invalid params: unknown variant `{name}`, expected `mint` or `programId`.")
    config = params.config(2, "struct RpcAccountInfoConfig")
    encoding, data_slice = encoding_of(config), slice_of(config)
    context = config.context(ledger)
    key = pubkey_of(text)
    program = key if name == "programId" else _mint_of(ledger, key, "could not find mint").owner
    if program not in (TOKEN_PROGRAM, TOKEN_2022_PROGRAM):
        raise invalid("Invalid param: unrecognized Token program id")
    value = [
        {"account": account_as_json(ledger, account, encoding, data_slice), "pubkey": str(holder)}
        for holder, account in ledger.program_accounts(program).items()
        if is_token_account(account)
        and (name == "programId" or account.data[:32] == bytes(key))
        and (account.data[32:64] == address if owner else account.data[72:108] == b"\1\0\0\0" + address)
    ]
    return {"context": context, "value": value}


def _mint_of(ledger: Ledger, address: Pubkey, missing: str = "could not find mint") -> Account:
    mint = ledger.account(address)
    if mint is None:
        raise invalid(f"Invalid param: {missing}")
    if not is_mint(mint):
        raise invalid("Invalid param: Token mint could not be unpacked")
    return mint


def _amount(account: Account) -> int:
    return int.from_bytes(account.data[64:72], "little")
