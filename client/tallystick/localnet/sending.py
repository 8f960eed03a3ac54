"""Methods that send or simulate transactions."""

from __future__ import annotations

from typing import Any

from solders.message import MessageV1
from solders.transaction import VersionedTransaction

from tallystick.adapters.chain.agave_errors import error_as_text
from tallystick.adapters.chain.ledger import Ledger
from tallystick.adapters.chain.records import Outcome
from tallystick.adapters.chain.wire import sane
from tallystick.errors import InputError
from tallystick.localnet.encoding import account_as_json, encoding_of
from tallystick.localnet.faults import PREFLIGHT_FAILURE, Fault, invalid
from tallystick.localnet.params import Config, Params, base58_bytes, base64_bytes, pubkey_of
from tallystick.localnet.transaction_json import (
    inner_as_json,
    loaded_as_json,
    return_data_as_json,
    token_balances_as_json,
)

# By whether the transaction is of version 1.
_MAX_RAW = {False: 1_232, True: 4_096}
_MAX_TEXT = {("base64", False): 1_644, ("base58", False): 1_683, ("base64", True): 5_464, ("base58", True): 5_594}
_TYPE = "solana_transaction::versioned::VersionedTransaction"


def send_transaction(ledger: Ledger, params: Params) -> Any:
    """Without preflight a transaction that cannot land is dropped without a word, as on Agave."""
    config = params.config(1, "struct RpcSendTransactionConfig")
    transaction = _decode(params.text(0), config)
    config.context(ledger)
    config.integer("maxRetries")
    if not config.boolean("skipPreflight"):
        trial = ledger.simulate(transaction, verify=True)
        if trial.error is not None:
            body = _simulation(trial) | {
                "accounts": None,
                "innerInstructions": None,
                "loadedAddresses": None,
                "postBalances": None,
                "postTokenBalances": None,
                "preBalances": None,
                "preTokenBalances": None,
                "replacementBlockhash": None,
            }
            text = f"Transaction simulation failed: {error_as_text(trial.error)}"
            raise Fault(PREFLIGHT_FAILURE, text, body)
    ledger.submit(transaction)
    return str(transaction.signatures[0])


def simulate_transaction(ledger: Ledger, params: Params) -> Any:
    config = params.config(1, "struct RpcSimulateTransactionConfig")
    transaction = _decode(params.text(0), config)
    verify, replace = config.boolean("sigVerify"), config.boolean("replaceRecentBlockhash")
    if verify and replace:
        raise invalid("sigVerify may not be used with replaceRecentBlockhash")
    context = config.context(ledger)
    outcome = ledger.simulate(transaction, verify=verify, check_blockhash=not replace)
    latest = ledger.latest_blockhash()
    replacement = {"blockhash": str(latest.blockhash), "lastValidBlockHeight": latest.last_valid_block_height}
    value = _simulation(outcome) | {
        "accounts": _accounts(ledger, outcome, config.mapping("accounts"), len(transaction.message.account_keys)),
        "innerInstructions": inner_as_json(outcome, parsed=True) if config.boolean("innerInstructions") else None,
        "loadedAddresses": loaded_as_json(outcome),
        "postBalances": list(outcome.after.lamports),
        "postTokenBalances": token_balances_as_json(outcome, outcome.after),
        "preBalances": list(outcome.before.lamports),
        "preTokenBalances": token_balances_as_json(outcome, outcome.before),
        "replacementBlockhash": replacement if replace else None,
    }
    if outcome.error == "SignatureFailure":
        value |= dict.fromkeys(("postBalances", "postTokenBalances", "preBalances", "preTokenBalances"))
    return {"context": context, "value": value}


def request_airdrop(ledger: Ledger, params: Params) -> Any:
    address, lamports = params.pubkey(0), params.integer(1)
    params.config(2)
    try:
        return str(ledger.airdrop(address, lamports))
    except InputError as error:
        raise invalid(f"Invalid param: {error.message}") from None


def _decode(text: str, config: Config) -> VersionedTransaction:
    encoding = config.text("encoding") or "base58"
    if encoding not in ("base58", "base64"):
        raise invalid(f"unsupported encoding: {encoding}. Supported encodings: base58, base64")
    if len(text) > _MAX_TEXT[encoding, True]:
        raise _text_too_large(encoding, len(text), version_1=True)
    raw = base58_bytes(text) if encoding == "base58" else base64_bytes(text)
    version_1 = raw[:1] == b"\x81"
    if len(text) > _MAX_TEXT[encoding, version_1]:
        raise _text_too_large(encoding, len(text), version_1=version_1)
    limit = _MAX_RAW[version_1]
    if len(raw) > limit:
        raise invalid(f"decoded {_TYPE} too large: {len(raw)} bytes (max: {limit} bytes)")
    try:
        transaction = VersionedTransaction.from_bytes(raw)
    except Exception as error:  # solders raises several types here, and each means the same
        raise invalid(f"failed to deserialize {_TYPE}: {error}") from None
    if bytes(transaction) != raw or isinstance(transaction.message, MessageV1) != version_1:
        raise invalid(f"failed to deserialize {_TYPE}: the transaction has bytes left over")
    if not sane(transaction):
        raise invalid(f"invalid transaction: {error_as_text('SanitizeFailure')}")
    return transaction


def _text_too_large(encoding: str, size: int, *, version_1: bool) -> Fault:
    limit = _MAX_TEXT[encoding, version_1]
    return invalid(
        f"{encoding} encoded {_TYPE} too large: {size} bytes (max: encoded/raw {limit}/{_MAX_RAW[version_1]})"
    )


def _simulation(outcome: Outcome) -> dict[str, Any]:
    return {
        "err": outcome.error,
        "fee": outcome.fee,
        "loadedAccountsDataSize": outcome.loaded_data,
        "logs": list(outcome.logs),
        "returnData": return_data_as_json(outcome),
        "unitsConsumed": outcome.units,
    }


def _accounts(ledger: Ledger, outcome: Outcome, config: Config | None, known: int) -> list[Any] | None:
    if config is None:
        return None
    encoding = encoding_of(config, "base64")
    if encoding in ("binary", "base58"):
        raise invalid("base58 encoding not supported")
    addresses = Params([config.members.get("addresses")]).texts(0, 1 << 16)
    if len(addresses) > known:
        raise invalid(f"Too many accounts provided; max {known}")
    keys = [pubkey_of(text) for text in addresses]
    if outcome.error is not None:
        return [None] * len(keys)
    accounts = [outcome.changed.get(key) or ledger.account(key) for key in keys]
    return [account_as_json(ledger, each, encoding) if each and each.lamports else None for each in accounts]
