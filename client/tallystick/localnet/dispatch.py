"""Which method answers what, and JSON-RPC 2.0 around it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tallystick.adapters.chain.ledger import Ledger
from tallystick.localnet import accounts, cluster, history, sending, tokens
from tallystick.localnet.faults import INVALID_REQUEST, METHOD_NOT_FOUND, PARSE_ERROR, Fault, invalid
from tallystick.localnet.params import Params


@dataclass(frozen=True, slots=True)
class Method:
    """A method and how many parameters it takes."""

    answer: Callable[[Ledger, Params], Any]
    least: int
    most: int


METHODS: dict[str, Method] = {
    "getAccountInfo": Method(accounts.get_account_info, 1, 2),
    "getBalance": Method(accounts.get_balance, 1, 2),
    "getBlock": Method(history.get_block, 1, 2),
    "getBlockHeight": Method(cluster.get_slot, 0, 1),
    "getBlockTime": Method(cluster.get_block_time, 1, 1),
    "getBlocks": Method(history.get_blocks, 1, 3),
    "getBlocksWithLimit": Method(history.get_blocks_with_limit, 2, 3),
    "getEpochInfo": Method(cluster.get_epoch_info, 0, 1),
    "getEpochSchedule": Method(cluster.get_epoch_schedule, 0, 0),
    "getFeeForMessage": Method(cluster.get_fee_for_message, 1, 2),
    "getFirstAvailableBlock": Method(cluster.get_first_available_block, 0, 0),
    "getGenesisHash": Method(cluster.get_genesis_hash, 0, 0),
    "getHealth": Method(cluster.get_health, 0, 0),
    "getIdentity": Method(cluster.get_identity, 0, 0),
    "getLatestBlockhash": Method(cluster.get_latest_blockhash, 0, 1),
    "getMinimumBalanceForRentExemption": Method(cluster.get_minimum_balance_for_rent_exemption, 1, 2),
    "getMultipleAccounts": Method(accounts.get_multiple_accounts, 1, 2),
    "getProgramAccounts": Method(accounts.get_program_accounts, 1, 2),
    "getRecentPrioritizationFees": Method(cluster.get_recent_prioritization_fees, 0, 1),
    "getSignatureStatuses": Method(history.get_signature_statuses, 1, 2),
    "getSignaturesForAddress": Method(history.get_signatures_for_address, 1, 2),
    "getSlot": Method(cluster.get_slot, 0, 1),
    "getSlotLeader": Method(cluster.get_slot_leader, 0, 1),
    "getTokenAccountBalance": Method(tokens.get_token_account_balance, 1, 2),
    "getTokenAccountsByDelegate": Method(tokens.get_token_accounts_by_delegate, 2, 3),
    "getTokenAccountsByOwner": Method(tokens.get_token_accounts_by_owner, 2, 3),
    "getTokenLargestAccounts": Method(tokens.get_token_largest_accounts, 1, 2),
    "getTokenSupply": Method(tokens.get_token_supply, 1, 2),
    "getTransaction": Method(history.get_transaction, 1, 2),
    "getTransactionCount": Method(cluster.get_transaction_count, 0, 1),
    "getVersion": Method(cluster.get_version, 0, 0),
    "isBlockhashValid": Method(cluster.is_blockhash_valid, 1, 2),
    "minimumLedgerSlot": Method(cluster.get_first_available_block, 0, 0),
    "requestAirdrop": Method(sending.request_airdrop, 2, 3),
    "sendTransaction": Method(sending.send_transaction, 1, 2),
    "simulateTransaction": Method(sending.simulate_transaction, 1, 2),
    "tally_warp": Method(cluster.tally_warp, 1, 1),
}


def answer_body(ledger: Ledger, body: bytes) -> bytes:
    """The answer to a request, or to a batch of them; empty when nothing was to be answered."""
    try:
        request = json.loads(body)
    except (ValueError, RecursionError):
        request = None
    if isinstance(request, list) and all(isinstance(each, dict) for each in request):
        answers = [answer for each in request if (answer := _answer(ledger, each)) is not None]
        return json.dumps(answers).encode() if answers or not request else b""
    if isinstance(request, dict):
        answer = _answer(ledger, request)
        return b"" if answer is None else json.dumps(answer).encode()
    return json.dumps({"jsonrpc": "2.0", "error": Fault(PARSE_ERROR, "Parse error").as_json(), "id": None}).encode()


def _answer(ledger: Ledger, request: dict[str, Any]) -> dict[str, Any] | None:
    if "id" not in request:
        return None
    answer: dict[str, Any] = {"jsonrpc": "2.0"}
    try:
        answer["result"] = _result(ledger, request)
    except Fault as fault:
        answer["error"] = fault.as_json()
    answer["id"] = request["id"]
    return answer


def _result(ledger: Ledger, request: dict[str, Any]) -> Any:
    if request.get("jsonrpc") != "2.0":
        raise Fault(INVALID_REQUEST, "Unsupported JSON-RPC protocol version")
    method = METHODS.get(str(request.get("method")))
    if method is None:
        raise Fault(METHOD_NOT_FOUND, "Method not found")
    values = request.get("params")
    values = [] if values is None else values
    if not isinstance(values, list):
        raise invalid("`params` should be an array")
    if len(values) < method.least:
        raise invalid(f"`params` should have at least {method.least} argument(s)")
    if len(values) > method.most:
        fault = invalid(f"Invalid parameters: Expected from {method.least} to {method.most} parameters.")
        fault.data = f'"Got: {len(values)}"'
        raise fault
    return method.answer(ledger, Params(values))
