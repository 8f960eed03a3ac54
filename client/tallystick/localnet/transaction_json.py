"""Transactions and what became of them, as RPC writes them."""

from __future__ import annotations

import base64
from itertools import groupby
from typing import Any

from solders.instruction import CompiledInstruction
from solders.message import MessageV0, MessageV1, VersionedMessage
from solders.pubkey import Pubkey

from tallystick.adapters.chain.records import Balances, Landed, Outcome
from tallystick.adapters.chain.wire import cost_units, is_writable, lookups, version_of
from tallystick.domain.base58 import base58_encode
from tallystick.localnet.faults import UNSUPPORTED_VERSION, Fault, invalid
from tallystick.localnet.parsed import plain_amount

ENCODINGS = ("json", "jsonParsed", "base64", "base58", "binary")


def checked_version(landed: Landed, newest: int | None) -> int | str | None:
    """The transaction's version; faults with -32015 above `newest`, None when versions were not asked for."""
    version = version_of(landed.transaction)
    if newest is None:
        if version == "legacy":
            return None
        raise _unsupported(version)
    if isinstance(version, int) and version > newest:
        raise _unsupported(version)
    return version


def transaction_as_json(landed: Landed, encoding: str) -> Any:
    """The transaction itself in one of ENCODINGS."""
    if encoding not in ENCODINGS:
        raise invalid("Invalid params: data did not match any variant of untagged enum RpcEncodingConfigWrapper.")
    raw = bytes(landed.transaction)
    if encoding == "base64":
        return [base64.b64encode(raw).decode(), "base64"]
    if encoding == "base58":
        return [base58_encode(raw), "base58"]
    if encoding == "binary":
        return base58_encode(raw)
    parsed = encoding == "jsonParsed"
    message = landed.transaction.message
    keys = landed.outcome.addresses
    body: dict[str, Any] = {
        "accountKeys": _parsed_keys(landed) if parsed else [str(key) for key in message.account_keys],
        "instructions": [_instruction(each, 1, keys if parsed else None) for each in message.instructions],
        "recentBlockhash": str(message.recent_blockhash),
    }
    if not parsed:
        header = message.header
        body["header"] = {
            "numReadonlySignedAccounts": header.num_readonly_signed_accounts,
            "numReadonlyUnsignedAccounts": header.num_readonly_unsigned_accounts,
            "numRequiredSignatures": header.num_required_signatures,
        }
    if isinstance(message, MessageV0):
        body["addressTableLookups"] = [
            {"accountKey": str(key), "readonlyIndexes": list(reads), "writableIndexes": list(writes)}
            for key, writes, reads in lookups(message)
        ]
    elif isinstance(message, MessageV1):
        body["transactionConfig"] = _config(message)
    return {"message": body, "signatures": [str(each) for each in landed.transaction.signatures]}


def accounts_as_json(landed: Landed) -> dict[str, Any]:
    """The short form of `transactionDetails: "accounts"`."""
    return {"accountKeys": _parsed_keys(landed), "signatures": [str(each) for each in landed.transaction.signatures]}


def meta_as_json(landed: Landed, encoding: str) -> dict[str, Any]:
    """What executing the transaction came to."""
    outcome, message = landed.outcome, landed.transaction.message
    parsed = encoding == "jsonParsed"
    writable = sum(is_writable(message, index) for index in range(len(message.account_keys)))
    meta: dict[str, Any] = {
        "computeUnitsConsumed": outcome.units,
        "costUnits": cost_units(
            message,
            writable=writable + len(outcome.loaded.writable),
            units=outcome.units,
            loaded_data=outcome.loaded_data,
        ),
        "err": outcome.error,
        "fee": outcome.fee,
        "innerInstructions": inner_as_json(outcome, parsed=parsed) if outcome.executed else None,
        "logMessages": list(outcome.logs) if outcome.executed else None,
        "postBalances": list(outcome.after.lamports),
        "postTokenBalances": token_balances_as_json(outcome, outcome.after),
        "preBalances": list(outcome.before.lamports),
        "preTokenBalances": token_balances_as_json(outcome, outcome.before),
        "rewards": [],
        "status": status_as_json(outcome.error),
    }
    if not parsed:
        meta["loadedAddresses"] = loaded_as_json(outcome)
    if outcome.return_data is not None:
        meta["returnData"] = return_data_as_json(outcome)
    return meta


def status_as_json(error: Any) -> dict[str, Any]:
    """The older form of an outcome."""
    return {"Ok": None} if error is None else {"Err": error}


def loaded_as_json(outcome: Outcome) -> dict[str, Any]:
    """Addresses that came from lookup tables."""
    return {
        "readonly": [str(key) for key in outcome.loaded.readonly],
        "writable": [str(key) for key in outcome.loaded.writable],
    }


def return_data_as_json(outcome: Outcome) -> dict[str, Any] | None:
    """What the last program returned."""
    if outcome.return_data is None:
        return None
    program, data = outcome.return_data
    return {"data": [base64.b64encode(data).decode(), "base64"], "programId": str(program)}


def inner_as_json(outcome: Outcome, *, parsed: bool) -> list[dict[str, Any]]:
    """Instructions that programs called, by the top-level instruction that led to them."""
    keys = outcome.addresses if parsed else None
    return [
        {"index": parent, "instructions": [_instruction(each.instruction, each.height, keys) for each in group]}
        for parent, group in groupby(outcome.inner, key=lambda each: each.parent)
    ]


def token_balances_as_json(outcome: Outcome, balances: Balances) -> list[dict[str, Any]]:
    """The token accounts among a transaction's accounts."""
    return [
        {
            "accountIndex": each.index,
            "mint": str(each.mint),
            "owner": str(each.owner),
            "programId": str(each.program),
            "uiTokenAmount": plain_amount(each.amount, each.decimals),
        }
        for each in balances.tokens
    ]


def _instruction(each: CompiledInstruction, height: int | None, keys: tuple[Pubkey, ...] | None) -> dict[str, Any]:
    data = base58_encode(bytes(each.data))
    if keys is None:
        return {
            "accounts": list(bytes(each.accounts)),
            "data": data,
            "programIdIndex": each.program_id_index,
            "stackHeight": height,
        }
    return {
        "accounts": [str(keys[index]) for index in bytes(each.accounts)],
        "data": data,
        "programId": str(keys[each.program_id_index]),
        "stackHeight": height,
    }


def _parsed_keys(landed: Landed) -> list[dict[str, Any]]:
    message, loaded = landed.transaction.message, landed.outcome.loaded
    signers = message.header.num_required_signatures
    static = [
        _parsed_key(key, index < signers, is_writable(message, index), "transaction")
        for index, key in enumerate(message.account_keys)
    ]
    looked_up = [_parsed_key(key, False, True, "lookupTable") for key in loaded.writable]
    return static + looked_up + [_parsed_key(key, False, False, "lookupTable") for key in loaded.readonly]


def _parsed_key(key: Pubkey, signer: bool, writable: bool, source: str) -> dict[str, Any]:
    return {"pubkey": str(key), "signer": signer, "source": source, "writable": writable}


def _config(message: VersionedMessage) -> dict[str, Any] | None:
    if not isinstance(message, MessageV1):
        return None
    config = message.config
    return {
        "computeUnitLimit": config.compute_unit_limit,
        "heapSize": config.heap_size,
        "loadedAccountsDataSizeLimit": config.loaded_accounts_data_size_limit,
        "priorityFee": config.priority_fee,
    }


def _unsupported(version: int | str) -> Fault:
    return Fault(
        UNSUPPORTED_VERSION,
        f"Transaction version ({version}) is not supported by the requesting client. Please try the request again "
        f'with the following configuration parameter: "maxSupportedTransactionVersion": {version}',
    )
