"""RpcChain against nodes that are slow, dead, behind, limited, wrong or on another cluster."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest
from rpc_node import GENESIS, OTHER_GENESIS, Node, Raw, RpcFailure, at_slot, raises, rpc_chain
from solders.hash import Hash
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from tallystick.adapters.chain.protocol import Account, InnerInstruction, MemcmpFilter, TokenBalance
from tallystick.adapters.chain.rpc import RpcChain, RpcLimits
from tallystick.adapters.chain.transactions import build_transaction
from tallystick.adapters.clock import ManualClock
from tallystick.errors import (
    ChainError,
    ClusterMismatch,
    ConfigurationError,
    EndpointError,
    InputError,
    LedgerError,
    RpcError,
)

OWNER = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
ADDRESS = Pubkey.from_string("SysvarC1ock11111111111111111111111111111111")
SIGNATURE = Signature(bytes(range(64)))
ACCOUNT = {"owner": str(OWNER), "lamports": 9, "data": ["AQID", "base64"], "executable": False, "rentEpoch": 2**64 - 1}
FINAL = {"slot": 5, "confirmations": None, "err": None, "confirmationStatus": "finalized"}


def too_many(retry_after: str | None = None) -> Raw:
    headers = {} if retry_after is None else {"retry-after": retry_after}
    return Raw(httpx.Response(429, headers=headers, text="slow down"))


async def test_a_read_is_answered_by_the_first_endpoint_alone() -> None:
    first, second = Node(getSlot=7), Node(getSlot=8)
    assert await rpc_chain(first, second).get_slot() == 7
    assert (first.methods(), second.methods()) == (["getSlot"], [])


@pytest.mark.parametrize(
    "fault",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("gone"),
        too_many(),
        Raw(httpx.Response(503, text="busy")),
        Raw(httpx.Response(401, json={"error": "no key"})),
        Raw(httpx.Response(200, text="<html>garbage")),
        Raw(httpx.Response(200, content=b"\xff\xfe\x00")),
        Raw(httpx.Response(200, text="[" * 100_000)),
        Raw(httpx.Response(200, json=[1])),
        Raw(httpx.Response(200, json={"jsonrpc": "2.0", "id": 999_999, "result": 1})),
        Raw(httpx.Response(200, json={"jsonrpc": "2.0", "error": "no object"})),
    ],
    ids=str,
)
async def test_an_endpoint_without_a_json_rpc_answer_hands_the_read_to_the_next(fault: Exception) -> None:
    first, second = Node(getSlot=7), Node(getSlot=8)
    chain = rpc_chain(first, second)
    await chain.get_slot()
    first.fault = fault
    assert await chain.get_slot() == 8


@pytest.mark.parametrize("code", [-32005, -32016, -32011, -32010, -32603, 429])
async def test_an_error_that_another_node_may_not_have_hands_the_read_to_the_next(code: int) -> None:
    first, second = Node(getSlot=raises(RpcFailure(code))), Node(getSlot=8)
    assert await rpc_chain(first, second).get_slot() == 8


async def test_an_error_of_the_request_itself_is_raised_at_once_with_code_message_and_data() -> None:
    first, second = Node(getBalance=raises(RpcFailure(-32602, "Invalid param", {"why": 1}))), Node(getBalance=8)
    with pytest.raises(RpcError, match="Invalid param") as caught:
        await rpc_chain(first, second).get_balance(ADDRESS)
    assert (caught.value.code, caught.value.data) == (-32602, {"why": 1})
    assert second.methods() == []


async def test_an_endpoint_at_fault_rests_and_is_preferred_again_when_it_is_well() -> None:
    clock = ManualClock()
    first, second = Node(getSlot=7), Node(getSlot=8)
    chain = rpc_chain(first, second, clock=clock)
    first.fault = None
    await chain.get_slot()
    first.fault = httpx.ConnectError("refused")
    await chain.get_slot()
    asked = len(first.asked)
    assert await chain.get_slot() == 8
    assert len(first.asked) == asked, "it rests"
    first.fault = None
    clock.advance(1)
    assert await chain.get_slot() == 7


async def test_a_fault_that_repeats_rests_the_endpoint_longer_each_time() -> None:
    clock = ManualClock()
    node = Node(getSlot=7)
    chain = rpc_chain(node, clock=clock, limits=RpcLimits(rounds=4, first_rest=1.0, longest_rest=60.0))
    await chain.get_slot()
    node.fault = httpx.ConnectError("refused")
    with pytest.raises(EndpointError):
        await chain.get_slot()
    assert clock.monotonic() == pytest.approx(1 + 2 + 4)


async def test_a_rate_limited_endpoint_is_left_alone_as_long_as_it_asks() -> None:
    clock = ManualClock()
    node = Node(getSlot=7)
    chain = rpc_chain(node, clock=clock, limits=RpcLimits(rounds=2))
    await chain.get_slot()
    answers = iter([too_many("9")])

    def limited_once(params: list[Any]) -> Any:
        for failure in answers:
            raise failure
        return 7

    node.answers["getSlot"] = limited_once
    assert await chain.get_slot() == 7
    assert clock.monotonic() == pytest.approx(9)


async def test_when_no_endpoint_answers_the_error_names_each_and_shows_no_key() -> None:
    first, second = Node(getSlot=7), Node(getSlot=8)
    chain = rpc_chain(first, second, limits=RpcLimits(rounds=2))
    await chain.get_slot()
    first.fault, second.fault = httpx.ConnectError("https://node0.example/?api-key=SECRET"), too_many()
    with pytest.raises(EndpointError, match=r"node0.*could not be reached.*node1.*rate limited") as caught:
        await chain.get_slot()
    assert "SECRET" not in f"{caught.value} {caught.value.hint} {chain!r}"


async def test_when_every_endpoint_is_behind_the_last_json_rpc_error_is_raised() -> None:
    nodes = [Node(getSlot=raises(RpcFailure(-32005, "Node is behind by 42 slots"))) for _ in range(2)]
    with pytest.raises(RpcError, match="behind by 42 slots") as caught:
        await rpc_chain(*nodes).get_slot()
    assert caught.value.code == -32005
    assert [len(node.methods()) for node in nodes] == [3, 3]


async def test_endpoints_of_two_clusters_are_refused_before_anything_is_asked() -> None:
    first, second = Node(getSlot=7), Node(OTHER_GENESIS, getSlot=8)
    with pytest.raises(ClusterMismatch, match=r"node1\.example serves the cluster 5eykt"):
        await rpc_chain(first, second).get_slot()
    assert first.methods() == second.methods() == []


async def test_a_cluster_other_than_the_expected_one_is_refused() -> None:
    node = Node(OTHER_GENESIS, getSlot=7)
    with pytest.raises(ClusterMismatch, match="expected GH7ome"):
        await rpc_chain(node, genesis_hash=Hash.from_string(GENESIS)).get_slot()
    assert node.methods() == []


async def test_an_endpoint_that_was_dead_at_first_is_checked_before_it_is_used() -> None:
    first, second = Node(getSlot=7), Node(OTHER_GENESIS, getSlot=8)
    second.fault = httpx.ConnectError("refused")
    chain = rpc_chain(first, second)
    assert await chain.get_genesis_hash() == Hash.from_string(GENESIS)
    assert await chain.get_slot() == 7
    first.fault, second.fault = httpx.ConnectError("refused"), None
    with pytest.raises(ClusterMismatch):
        await chain.get_slot()
    assert second.methods() == []


@pytest.mark.parametrize("urls", [[], ["ftp://node"], ["node:8899"], ["https://a", "https://a"]])
async def test_endpoints_that_cannot_be_used_are_refused_without_showing_them(urls: list[str]) -> None:
    with pytest.raises(ConfigurationError):
        RpcChain(urls, ManualClock())


async def test_accounts_are_read_with_owner_lamports_and_data_and_absent_ones_are_none() -> None:
    node = Node(getAccountInfo=lambda params: at_slot(3, ACCOUNT if params[0] == str(ADDRESS) else None))
    chain = rpc_chain(node)
    assert await chain.get_account(ADDRESS) == Account(OWNER, 9, b"\x01\x02\x03")
    assert await chain.get_account(OWNER) is None


async def test_more_than_a_hundred_accounts_are_read_again_until_one_slot_holds() -> None:
    slots = iter([10, 11, 11, 12, 13, 13])
    node = Node(getMultipleAccounts=lambda params: at_slot(next(slots), [ACCOUNT] * len(params[0])))
    slot, accounts = await rpc_chain(node).get_accounts([ADDRESS] * 150)
    assert (slot, len(accounts)) == (13, 150)
    floors = [params[1].get("minContextSlot") for method, params in node.asked if method == "getMultipleAccounts"]
    assert floors == [None, None, 11, 11, 12, 12]


async def test_accounts_that_never_hold_one_slot_are_an_error_and_not_a_mixture() -> None:
    count = iter(range(1_000))
    node = Node(getMultipleAccounts=lambda params: at_slot(next(count), [None] * len(params[0])))
    with pytest.raises(ChainError, match="one slot"):
        await rpc_chain(node).get_accounts([ADDRESS] * 101)


async def test_program_accounts_are_asked_with_context_filters_slice_and_floor() -> None:
    node = Node(getProgramAccounts=at_slot(44, [{"pubkey": str(ADDRESS), "account": ACCOUNT}]))
    found = await rpc_chain(node).get_program_accounts(
        OWNER, [165, MemcmpFilter(4, b"\x01\x02")], commitment="finalized", min_context_slot=40, data_slice=(0, 3)
    )
    assert (found.slot, found.accounts) == (44, {ADDRESS: Account(OWNER, 9, b"\x01\x02\x03")})
    assert node.asked[-1][1] == [
        str(OWNER),
        {
            "commitment": "finalized",
            "encoding": "base64",
            "withContext": True,
            "filters": [{"dataSize": 165}, {"memcmp": {"offset": 4, "bytes": "AQI=", "encoding": "base64"}}],
            "minContextSlot": 40,
            "dataSlice": {"offset": 0, "length": 3},
        },
    ]


async def test_a_node_behind_the_asked_slot_is_passed_over() -> None:
    first = Node(getProgramAccounts=raises(RpcFailure(-32016, "Minimum context slot has not been reached")))
    second = Node(getProgramAccounts=at_slot(44, []))
    found = await rpc_chain(first, second).get_program_accounts(OWNER, min_context_slot=40)
    assert found.slot == 44


@pytest.mark.parametrize(
    "answer",
    [
        None,
        at_slot(3, ACCOUNT | {"lamports": 9.0}),
        at_slot(3, ACCOUNT | {"lamports": -1}),
        at_slot(3, ACCOUNT | {"lamports": True}),
        at_slot(3, ACCOUNT | {"owner": "nobody"}),
        at_slot(3, ACCOUNT | {"data": ["!!", "base64"]}),
        at_slot(3, ACCOUNT | {"data": {"parsed": {}}}),
        at_slot(3, ACCOUNT | {"data": ["AQID", "base58"]}),
        {"value": 1},
    ],
)
async def test_an_account_of_another_shape_is_an_error_and_never_a_guess(answer: object) -> None:
    with pytest.raises(LedgerError, match="getAccountInfo is malformed"):
        await rpc_chain(Node(getAccountInfo=answer)).get_account(ADDRESS)


def transaction() -> bytes:
    payer = Keypair.from_seed(bytes([1] * 32)).pubkey()
    instruction = transfer(TransferParams(from_pubkey=payer, to_pubkey=ADDRESS, lamports=1))
    unsigned = build_transaction(
        [instruction], payer, Hash.default(), compute_unit_limit=1_000, loaded_accounts_data_size_limit=None
    )
    return bytes(unsigned)


async def test_a_transaction_is_broadcast_through_every_endpoint_without_preflight_or_retries() -> None:
    nodes = [Node(sendTransaction=str(SIGNATURE)) for _ in range(3)]
    await rpc_chain(*nodes).send(transaction())
    for node in nodes:
        [encoded, config] = node.asked[-1][1]
        assert base64.b64decode(encoded) == transaction()
        assert config == {"encoding": "base64", "skipPreflight": True, "maxRetries": 0}


async def test_a_broadcast_waits_shortly_for_each_of_several_and_the_whole_time_for_a_single_one() -> None:
    limits = RpcLimits(timeout=10.0, short_timeout=2.0)
    for count, seconds in ((1, 10.0), (2, 2.0)):
        nodes = [Node(sendTransaction=str(SIGNATURE)) for _ in range(count)]
        await rpc_chain(*nodes, limits=limits).send(transaction())
        assert {node.waited_for[-1] for node in nodes} == {seconds}


async def test_one_endpoint_that_takes_a_transaction_is_enough() -> None:
    first, second = Node(sendTransaction=raises(RpcFailure(-32005))), Node(sendTransaction=str(SIGNATURE))
    assert await rpc_chain(first, second).send(transaction()) == Signature.default()


async def test_a_transaction_that_no_endpoint_takes_is_an_error() -> None:
    first, second = Node(sendTransaction=raises(too_many())), Node(sendTransaction=raises(RpcFailure(-32602)))
    with pytest.raises(RpcError) as caught:
        await rpc_chain(first, second).send(transaction())
    assert caught.value.code == -32602


async def test_bytes_that_are_no_transaction_are_not_broadcast() -> None:
    node = Node(sendTransaction=str(SIGNATURE))
    with pytest.raises(InputError):
        await rpc_chain(node).send(b"\x00")
    assert node.methods() == []


async def test_the_finalized_height_is_the_lowest_of_all_endpoints_that_answer() -> None:
    nodes = [Node(getBlockHeight=900), Node(getBlockHeight=700), Node(getBlockHeight=raises(RpcFailure(-32005)))]
    chain = rpc_chain(*nodes)
    assert await chain.get_block_height("finalized") == 700
    assert await chain.get_block_height("confirmed") == 900


async def test_an_endpoint_at_fault_is_left_out_of_the_finalized_height_until_it_has_rested() -> None:
    clock = ManualClock()
    first, second = Node(getBlockHeight=700), Node(getBlockHeight=900)
    chain = rpc_chain(first, second, clock=clock)
    await chain.get_genesis_hash()
    first.fault = httpx.ReadTimeout("hangs")
    assert await chain.get_block_height("finalized") == 900
    asked = len(first.asked)
    assert await chain.get_block_height("finalized") == 900
    assert len(first.asked) == asked
    first.fault = None
    clock.advance(1)
    assert await chain.get_block_height("finalized") == 700


async def test_a_status_with_an_error_is_read_with_its_error_and_commitment() -> None:
    failed = FINAL | {"err": {"InstructionError": [0, {"Custom": 1}]}, "confirmationStatus": "confirmed"}
    [status, absent] = await rpc_chain(Node(getSignatureStatuses=at_slot(9, [failed, None]))).get_signature_statuses(
        [SIGNATURE, Signature.default()]
    )
    assert status is not None
    assert (status.commitment, status.error) == ("confirmed", {"InstructionError": [0, {"Custom": 1}]})
    assert absent is None


async def test_history_is_searched_on_every_endpoint_and_the_most_settled_answer_wins() -> None:
    first = Node(getSignatureStatuses=at_slot(9, [None]))
    second = Node(getSignatureStatuses=at_slot(9, [FINAL | {"confirmationStatus": "processed"}]))
    third = Node(getSignatureStatuses=at_slot(9, [FINAL]))
    [status] = await rpc_chain(first, second, third).get_signature_statuses([SIGNATURE], search_history=True)
    assert status is not None
    assert status.commitment == "finalized"


async def test_more_statuses_than_one_request_takes_are_asked_in_parts() -> None:
    node = Node(getSignatureStatuses=lambda params: at_slot(9, [FINAL] * len(params[0])))
    assert len(await rpc_chain(node).get_signature_statuses([SIGNATURE] * 300)) == 300
    assert [len(params[0]) for method, params in node.asked if method == "getSignatureStatuses"] == [256, 44]


def witness(finalized: int = 100, seen_at: int = 130, status: object = None) -> Node:
    return Node(getSlot=finalized, getSignatureStatuses=at_slot(seen_at, [status]))


async def test_a_signature_is_absent_only_when_every_endpoint_says_so_with_history_searched() -> None:
    nodes = [witness(), witness()]
    assert await rpc_chain(*nodes).is_absent_everywhere(SIGNATURE)
    assert all(node.asked[-1][1] == [[str(SIGNATURE)], {"searchTransactionHistory": True}] for node in nodes)


@pytest.mark.parametrize(
    "second",
    [
        witness(status=FINAL),
        witness(status=FINAL | {"err": "AccountInUse"}),
        witness(seen_at=99),
        Node(getSlot=100, getSignatureStatuses=raises(RpcFailure(-32011))),
        Node(getSlot=raises(too_many()), getSignatureStatuses=at_slot(130, [None])),
    ],
    ids=["knows it", "knows it failed", "lags", "has no history", "is limited"],
)
async def test_one_endpoint_that_knows_lags_or_does_not_answer_proves_no_absence(second: Node) -> None:
    assert not await rpc_chain(witness(), second).is_absent_everywhere(SIGNATURE)


async def test_a_landed_transaction_is_read_with_its_inner_instructions_and_loaded_addresses() -> None:
    loaded = Pubkey.from_bytes(bytes([5] * 32))
    node = Node(
        getTransaction={
            "slot": 12,
            "blockTime": 1_700_000_000,
            "version": 1,
            "transaction": {
                "signatures": [str(SIGNATURE)],
                "message": {"accountKeys": [str(ADDRESS), str(OWNER)], "instructions": []},
            },
            "meta": {
                "err": None,
                "fee": 5_001,
                "computeUnitsConsumed": 321,
                "logMessages": ["one"],
                "loadedAddresses": {"writable": [str(loaded)], "readonly": []},
                "innerInstructions": [
                    {"index": 3, "instructions": [{"programIdIndex": 1, "accounts": [0, 2], "data": "Ldp"}]}
                ],
            },
        }
    )
    found = await rpc_chain(node).get_transaction(SIGNATURE)
    assert found is not None
    assert (found.slot, found.block_time, found.fee, found.units) == (12, 1_700_000_000, 5_001, 321)
    assert found.logs == ("one",)
    assert found.accounts == (ADDRESS, OWNER, loaded)
    assert found.inner == (InnerInstruction(3, OWNER, (ADDRESS, loaded), b"\x01\x02\x03"),)
    assert node.asked[-1][1][1]["maxSupportedTransactionVersion"] == 1


def holding(amount: object) -> dict[str, Any]:
    """A transaction in which one token account held nothing before and `amount` afterwards."""

    def balance(raw: object) -> dict[str, Any]:
        amounts = {"amount": raw, "decimals": 6, "uiAmount": 0.1, "uiAmountString": "0.1"}
        return {"accountIndex": 1, "mint": str(ADDRESS), "owner": str(OWNER), "uiTokenAmount": amounts}

    return {
        "slot": 12,
        "blockTime": None,
        "transaction": {
            "signatures": [str(SIGNATURE)],
            "message": {"accountKeys": [str(ADDRESS), str(OWNER)], "instructions": []},
        },
        "meta": {
            "err": None,
            "fee": 5_000,
            "preTokenBalances": [balance("0")],
            "postTokenBalances": [balance(amount)],
        },
    }


async def test_token_balances_before_and_after_are_read_as_raw_units() -> None:
    found = await rpc_chain(Node(getTransaction=holding("18446744073709551615"))).get_transaction(SIGNATURE)
    assert found is not None
    assert found.before == (TokenBalance(OWNER, ADDRESS, OWNER, 0),)
    assert found.after == (TokenBalance(OWNER, ADDRESS, OWNER, 2**64 - 1),)


@pytest.mark.parametrize("amount", [1, "-1", "1.5", "", "\u0661", None])
async def test_a_token_balance_that_is_no_whole_number_of_raw_units_is_malformed(amount: object) -> None:
    with pytest.raises(LedgerError, match="expected an amount in digits"):
        await rpc_chain(Node(getTransaction=holding(amount))).get_transaction(SIGNATURE)


async def test_history_longer_than_a_page_is_read_page_by_page_from_the_last_line() -> None:
    def lines(params: list[Any]) -> Any:
        start = 0 if "before" not in params[1] else 1_000
        each = [Signature(number.to_bytes(64, "big")) for number in range(start, start + params[1]["limit"])]
        return [{"signature": str(one), "slot": 1, "err": None, "blockTime": None} for one in each]

    node = Node(getSignaturesForAddress=lines)
    found = await rpc_chain(node).get_signatures_for_address(ADDRESS, limit=1_500)
    assert len({line.signature for line in found}) == 1_500
    assert [params[1]["limit"] for method, params in node.asked if method == "getSignaturesForAddress"] == [1_000, 500]


@pytest.mark.parametrize("code", [-32004, -32007, -32009, -32014])
async def test_a_slot_without_a_block_has_no_time(code: int) -> None:
    assert await rpc_chain(Node(getBlockTime=raises(RpcFailure(code)))).get_block_time(5) is None


async def test_a_simulation_is_read_with_units_loaded_data_and_logs() -> None:
    value = {"err": "AccountNotFound", "logs": None, "unitsConsumed": 150, "loadedAccountsDataSize": 206}
    node = Node(simulateTransaction=at_slot(9, value))
    simulation = await rpc_chain(node).simulate(transaction())
    assert (simulation.error, simulation.logs) == ("AccountNotFound", ())
    assert (simulation.units, simulation.loaded_data) == (150, 206)
    config = node.asked[-1][1][1]
    assert (config["sigVerify"], config["replaceRecentBlockhash"]) == (False, True)


async def test_a_watched_simulation_asks_for_accounts_and_inner_instructions() -> None:
    parsed = {"program": "system", "programId": str(Pubkey.default()), "parsed": {}, "stackHeight": 2}
    called = {"programId": str(OWNER), "accounts": [str(ADDRESS)], "data": "5Q", "stackHeight": 2}
    value = {
        "err": None,
        "logs": [],
        "unitsConsumed": 150,
        "accounts": [ACCOUNT, None],
        "innerInstructions": [{"index": 2, "instructions": [parsed, called]}],
    }
    node = Node(simulateTransaction=at_slot(9, value))
    simulation = await rpc_chain(node).simulate(transaction(), watch=[ADDRESS, OWNER])
    assert simulation.accounts == {ADDRESS: Account(OWNER, 9, b"\1\2\3"), OWNER: None}
    assert simulation.inner == (InnerInstruction(2, OWNER, (ADDRESS,), b"\xff"),)
    config = node.asked[-1][1][1]
    assert config["accounts"] == {"encoding": "base64", "addresses": [str(ADDRESS), str(OWNER)]}
    assert config["innerInstructions"]


async def test_a_watched_simulation_that_failed_has_no_accounts() -> None:
    value = {"err": "AccountNotFound", "logs": [], "accounts": [None], "innerInstructions": None}
    simulation = await rpc_chain(Node(simulateTransaction=at_slot(9, value))).simulate(transaction(), watch=[ADDRESS])
    assert (simulation.accounts, simulation.inner) == ({}, ())


@pytest.mark.parametrize(
    "value",
    [
        {"err": None, "accounts": [], "innerInstructions": []},
        {"err": None, "accounts": None, "innerInstructions": []},
        {"err": None, "accounts": [ACCOUNT], "innerInstructions": None},
        {"err": None, "accounts": [ACCOUNT], "innerInstructions": [{"index": 0, "instructions": [{"data": "5Q"}]}]},
    ],
)
async def test_a_watched_simulation_without_what_was_asked_is_malformed(value: dict[str, Any]) -> None:
    node = Node(simulateTransaction=at_slot(9, value))
    with pytest.raises(LedgerError, match="simulateTransaction"):
        await rpc_chain(node).simulate(transaction(), watch=[ADDRESS])
