"""Methods that look back: statuses, transactions, addresses, blocks."""

from __future__ import annotations

from typing import Any

from tallystick.adapters.chain.ledger import Ledger
from tallystick.adapters.chain.records import Landed
from tallystick.localnet.faults import BLOCK_NOT_AVAILABLE, INVALID_PARAMS, TRANSACTION_NOT_FOUND, Fault, invalid
from tallystick.localnet.params import Config, Params, signature_of
from tallystick.localnet.transaction_json import (
    accounts_as_json,
    checked_version,
    meta_as_json,
    status_as_json,
    transaction_as_json,
)

_MAX_STATUSES = 256
_MAX_HISTORY = 1_000
_MAX_BLOCKS = 500_000
_DETAILS = ("full", "accounts", "signatures", "none")


def get_signature_statuses(ledger: Ledger, params: Params) -> Any:
    """Every transaction is remembered, so `searchTransactionHistory` changes nothing."""
    signatures = [signature_of(text) for text in params.texts(0, _MAX_STATUSES)]
    config = params.config(1, "struct RpcSignatureStatusConfig")
    config.boolean("searchTransactionHistory")
    context = config.context(ledger)
    return {"context": context, "value": [_status(ledger.landed(signature)) for signature in signatures]}


def get_transaction(ledger: Ledger, params: Params) -> Any:
    signature = signature_of(params.text(0))
    config = params.config_or_encoding(1)
    config.require_confirmed()
    encoding = config.text("encoding") or "json"
    landed = ledger.landed(signature)
    if landed is None:
        return None
    body = _transaction(landed, config, encoding)
    return body | {"blockTime": landed.block_time, "slot": landed.slot, "transactionIndex": 0}


def get_signatures_for_address(ledger: Ledger, params: Params) -> Any:
    address = params.pubkey(0)
    config = params.config(1, "struct RpcSignaturesForAddressConfig")
    config.require_confirmed()
    limit = config.integer("limit")
    limit = _MAX_HISTORY if limit is None else limit
    if not 0 < limit <= _MAX_HISTORY:
        raise invalid(f"Invalid limit; max {_MAX_HISTORY}")
    before_text, until_text = config.text("before"), config.text("until")
    before = signature_of(before_text) if before_text else None
    until = signature_of(until_text) if until_text else None
    config.context(ledger)
    if before is not None and ledger.landed(before) is None:
        raise Fault(TRANSACTION_NOT_FOUND, f"Transaction {before} not found")
    return [
        {
            "blockTime": each.block_time,
            "confirmationStatus": "finalized",
            "err": each.outcome.error,
            "memo": None,
            "signature": str(each.signature),
            "slot": each.slot,
            "transactionIndex": 0,
        }
        for each in ledger.history(address, limit=limit, before=before, until=until)
    ]


def get_block(ledger: Ledger, params: Params) -> Any:
    slot = params.integer(0)
    config = params.config_or_encoding(1)
    config.require_confirmed()
    encoding = config.text("encoding") or "json"
    details = config.text("transactionDetails") or "full"
    if details not in _DETAILS:
        raise invalid("Invalid params: data did not match any variant of untagged enum RpcEncodingConfigWrapper.")
    block = ledger.block(slot)
    if block is None:
        raise Fault(BLOCK_NOT_AVAILABLE, f"Block not available for slot {slot}")
    body: dict[str, Any] = {
        "blockHeight": slot,
        "blockTime": block.time,
        "blockhash": str(block.blockhash),
        "parentSlot": max(slot - 1, 0),
        "previousBlockhash": str(block.previous),
    }
    if details == "signatures":
        body["signatures"] = [str(each.signature) for each in block.transactions]
    elif details == "full":
        body["transactions"] = [_transaction(each, config, encoding) for each in block.transactions]
        if not config.boolean("rewards", True):
            for each in body["transactions"]:
                each["meta"]["rewards"] = None
    elif details == "accounts":
        body["transactions"] = [_short(each, config) for each in block.transactions]
    if config.boolean("rewards", True):
        body["rewards"] = []
    return body


def get_blocks(ledger: Ledger, params: Params) -> Any:
    """Every slot has a block here."""
    start = params.integer(0)
    second = params.value(1)
    end = None if second is None or isinstance(second, dict) else params.integer(1)
    config = params.config(1 if isinstance(second, dict) else 2)
    config.require_confirmed()
    newest = config.context(ledger)["slot"]
    end = newest if end is None else min(end, newest)
    if end - start > _MAX_BLOCKS:
        raise Fault(INVALID_PARAMS, f"Slot range too large; max {_MAX_BLOCKS}")
    return list(range(start, end + 1))


def get_blocks_with_limit(ledger: Ledger, params: Params) -> Any:
    """Every slot has a block here."""
    start, limit = params.integer(0), params.integer(1, "usize")
    config = params.config(2)
    config.require_confirmed()
    if limit > _MAX_BLOCKS:
        raise Fault(INVALID_PARAMS, f"Limit too large; max {_MAX_BLOCKS}")
    return list(range(start, min(start + limit - 1, config.context(ledger)["slot"]) + 1))


def _status(landed: Landed | None) -> dict[str, Any] | None:
    if landed is None:
        return None
    error = landed.outcome.error
    return {
        "confirmationStatus": "finalized",
        "confirmations": None,
        "err": error,
        "slot": landed.slot,
        "status": status_as_json(error),
    }


def _transaction(landed: Landed, config: Config, encoding: str) -> dict[str, Any]:
    version = checked_version(landed, config.integer("maxSupportedTransactionVersion"))
    body = {"meta": meta_as_json(landed, encoding), "transaction": transaction_as_json(landed, encoding)}
    return body if version is None else body | {"version": version}


def _short(landed: Landed, config: Config) -> dict[str, Any]:
    version = checked_version(landed, config.integer("maxSupportedTransactionVersion"))
    meta = meta_as_json(landed, "json")
    kept = ("err", "fee", "postBalances", "postTokenBalances", "preBalances", "preTokenBalances", "status")
    body = {"meta": {name: meta[name] for name in kept}, "transaction": accounts_as_json(landed)}
    return body if version is None else body | {"version": version}
