"""JSON-RPC itself, the cluster's own facts, and time."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from asking import START, Raw
from solana.rpc.async_api import AsyncClient
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tallystick.adapters.chain.ledger import Ledger
from tallystick.adapters.clock import ManualClock
from tallystick.errors import ConfigurationError
from tallystick.localnet import LocalnetServer, create_ledger, serve
from tallystick.localnet.dispatch import METHODS

KEY = str(Keypair.from_seed(bytes([2] * 32)).pubkey())


async def test_a_batch_is_answered_in_order(raw: Raw) -> None:
    calls = [{"jsonrpc": "2.0", "id": each, "method": method} for each, method in enumerate(("getSlot", "getHealth"))]
    answers = await raw.post([*calls, {"jsonrpc": "2.0", "id": "x", "method": "nothing"}])
    assert [answer["id"] for answer in answers] == [0, 1, "x"]
    assert answers[1]["result"] == "ok"
    assert answers[2]["error"] == {"code": -32601, "message": "Method not found"}


@pytest.mark.parametrize("body", ["{", "1", "[1]", "", '"text"', "[" * 5_000])
async def test_what_is_not_a_request_is_a_parse_error(raw: Raw, body: str) -> None:
    answer = await raw.client.post(raw.url, content=body, headers={"content-type": "application/json"})
    assert answer.json() == {"jsonrpc": "2.0", "error": {"code": -32700, "message": "Parse error"}, "id": None}


async def test_an_empty_batch_is_an_empty_answer(raw: Raw) -> None:
    assert await raw.post([]) == []


async def test_a_notification_is_not_answered(raw: Raw) -> None:
    answer = await raw.client.post(raw.url, json={"jsonrpc": "2.0", "method": "getSlot"})
    assert answer.content == b""


async def test_another_version_of_json_rpc_is_refused(raw: Raw) -> None:
    answer = await raw.post({"id": 1, "method": "getSlot"})
    assert answer["error"] == {"code": -32600, "message": "Unsupported JSON-RPC protocol version"}


async def test_only_json_is_read(raw: Raw) -> None:
    answer = await raw.client.post(raw.url, content="{}", headers={"content-type": "text/plain"})
    assert answer.status_code == 415
    assert (await raw.client.get(raw.url)).status_code == 405


async def test_a_large_body_is_refused(raw: Raw) -> None:
    answer = await raw.client.post(raw.url, json=["x" * 60_000])
    assert answer.status_code == 413


async def test_health_is_asked_over_get(raw: Raw) -> None:
    assert (await raw.client.get(f"{raw.url}/health")).text == "ok"


@pytest.mark.parametrize(
    ("method", "params", "message"),
    [
        ("getBalance", [], "`params` should have at least 1 argument(s)"),
        ("getBalance", [5], "Invalid params: invalid type: integer `5`, expected a string."),
        ("getBalance", ["abc"], "Invalid param: WrongSize"),
        ("getBalance", ["0OIl"], "Invalid param: Invalid"),
        ("getSlot", [{}, {}], "Invalid parameters: Expected from 0 to 1 parameters."),
        ("getSlot", [1], "Invalid params: invalid type: integer `1`, expected struct RpcContextConfig."),
        ("getMinimumBalanceForRentExemption", [-1], "Invalid params: invalid value: integer `-1`, expected usize."),
        ("getTransaction", ["abc"], "Invalid param: WrongSize"),
        ("getTransaction", [str(KEY)], "Invalid param: WrongSize"),
        ("getSignatureStatuses", [["1" * 64] * 257], "Too many inputs provided; max 256"),
        ("getSignaturesForAddress", [KEY, {"limit": 1001}], "Invalid limit; max 1000"),
        ("getSignaturesForAddress", [KEY, {"limit": 0}], "Invalid limit; max 1000"),
        ("getBlock", [1, {"commitment": "processed"}], "Method does not support commitment below `confirmed`"),
    ],
)
async def test_wrong_parameters_are_named(raw: Raw, method: str, params: list[object], message: str) -> None:
    assert await raw.refused(method, *params) == (-32602, message)


async def test_parameters_by_name_are_refused(raw: Raw) -> None:
    answer = await raw.post({"jsonrpc": "2.0", "id": 1, "method": "getSlot", "params": {"a": 1}})
    assert answer["error"] == {"code": -32602, "message": "`params` should be an array"}


JUNK: list[object] = [None, 5, -1, 1.5, True, "text", [], {}, [[]], {"encoding": 5}, {"limit": "x"}, 1 << 70]


async def test_junk_is_answered_by_every_method_and_never_a_crash(raw: Raw) -> None:
    for method in METHODS:
        calls = [
            {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
            for junk in JUNK
            for params in ([junk], [KEY, junk], [junk, junk], [KEY, {"mint": KEY}, junk])
        ]
        for call, answer in zip(calls, await raw.post(calls), strict=True):
            assert ("result" in answer) != ("error" in answer), call
            assert answer.get("error", {}).get("code", 0) != -32603, call


async def test_a_slot_that_has_not_come_is_refused(raw: Raw, ledger: Ledger) -> None:
    slot = ledger.slot + 1
    for method in ("getBlock", "getBlockTime"):
        assert await raw.refused(method, slot) == (-32004, f"Block not available for slot {slot}")
    assert await raw.refused("getSlot", {"minContextSlot": slot}) == (
        -32016,
        "Minimum context slot has not been reached",
    )


async def test_the_version_says_that_it_is_for_development(raw: Raw) -> None:
    assert "localnet-for-development" in (await raw.ask("getVersion"))["solana-core"]


async def test_facts_of_the_cluster_agree(client: AsyncClient, ledger: Ledger) -> None:
    assert (await client.get_genesis_hash()).value == ledger.genesis_hash
    assert (await client.get_identity()).value.identity == ledger.identity
    assert (await client.get_slot()).value == (await client.get_block_height()).value == ledger.slot
    assert (await client.get_first_available_block()).value == 0
    info = (await client.get_epoch_info()).value
    assert (info.absolute_slot, info.epoch) == (ledger.slot, 0)
    assert (await client.get_epoch_schedule()).value.slots_per_epoch == 432_000
    assert (await client.get_minimum_balance_for_rent_exemption(100)).value == ledger.minimum_balance(100)
    assert (await client.get_blocks(0)).value == list(range(ledger.slot + 1))
    assert (await client.get_latest_blockhash()).value.blockhash == ledger.latest_blockhash().blockhash


async def test_a_warp_moves_slots_time_and_epoch(client: AsyncClient, raw: Raw, ledger: Ledger) -> None:
    slot = ledger.slot
    answer = await raw.ask("tally_warp", {"seconds": 3 * 86_400})
    assert answer == {"slot": slot + 648_000, "unixTimestamp": START + 3 * 86_400}
    assert (await client.get_block_time(slot + 648_000)).value == START + 3 * 86_400
    assert (await client.get_block_time(slot)).value == START
    assert (await client.get_epoch_info()).value.epoch == 1
    clock = Pubkey.from_string("SysvarC1ock11111111111111111111111111111111")
    parsed = (await client.get_account_info_json_parsed(clock)).value
    assert parsed is not None
    assert parsed.data.parsed["info"]["unixTimestamp"] == START + 3 * 86_400  # type: ignore[union-attr]


@pytest.mark.parametrize("config", [{}, {"seconds": 0}, {"seconds": -5}, {"seconds": "1"}])
async def test_a_warp_needs_whole_seconds(raw: Raw, ledger: Ledger, config: dict[str, object]) -> None:
    slot = ledger.slot
    assert (await raw.refused("tally_warp", config))[0] == -32602
    assert ledger.slot == slot


async def test_slots_pass_with_the_clock(client: AsyncClient, ledger: Ledger, clock: ManualClock) -> None:
    slot = (await client.get_slot()).value
    clock.advance(4)
    assert (await client.get_slot()).value == slot + 10
    assert ledger.timestamp == START + 4


async def test_a_port_in_use_says_so() -> None:
    async with LocalnetServer(create_ledger(), port=0) as server:
        port = int(server.url.rsplit(":", 1)[1])
        with pytest.raises(ConfigurationError, match="Cannot listen on"):
            async with LocalnetServer(create_ledger(), port=port):
                pytest.fail("two servers on one port")


async def test_serving_ends_when_cancelled() -> None:
    running: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(create_ledger(), port=0, started=lambda server: running.set_result(server.url)))
    url = await running
    async with httpx.AsyncClient(verify=False) as client:
        assert (await client.get(f"{url}/health")).text == "ok"
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with httpx.AsyncClient(verify=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"{url}/health")


def test_a_thread_serves_for_those_who_do_not_wait() -> None:
    with LocalnetServer(create_ledger(), port=0) as server:
        assert httpx.get(f"{server.url}/health").text == "ok"
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.url}/health")
