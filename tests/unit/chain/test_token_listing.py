"""A long list of accounts is read while it arrives: every row once, in any spelling of JSON, or a clear error."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rpc_node import Node, Raw, RpcFailure, at_slot, raises, rpc_chain
from solders.pubkey import Pubkey
from tallystick.adapters.chain import json_stream
from tallystick.adapters.chain.json_stream import ListingReader
from tallystick.adapters.chain.rpc import RpcLimits
from tallystick.adapters.clock import ManualClock
from tallystick.domain.register import TokenAccount
from tallystick.errors import EndpointError, LedgerError, RpcError
from tallystick.program.token import TOKEN_2022_PROGRAM

MINT = Pubkey.from_bytes(b"m" * 32)
OTHER = Pubkey.from_bytes(b"o" * 32)


def data_of(owner: int, raw: int, *, state: int = 1, extended: bool = False, mint: Pubkey = MINT) -> bytes:
    plain = bytes(mint) + bytes([owner]) * 32 + raw.to_bytes(8, "little") + bytes(36) + bytes([state]) + bytes(56)
    return plain + (b"\2" + (7).to_bytes(2, "little") + bytes(2) if extended else b"")


def row(number: int, data: bytes, program: Pubkey = TOKEN_2022_PROGRAM) -> dict[str, Any]:
    account = {
        "data": [base64.b64encode(data).decode(), "base64"],
        "executable": False,
        "lamports": 2_039_280,
        "owner": str(program),
        "rentEpoch": 2**64 - 1,
        "space": len(data),
    }
    return {"pubkey": str(Pubkey.from_bytes(bytes([number]) * 32)), "account": account}


def account(number: int, owner: int, raw: int, *, frozen: bool = False) -> TokenAccount:
    return TokenAccount(bytes([number]) * 32, bytes([owner]) * 32, raw, frozen)


def split(text: bytes, *sizes: int) -> list[bytes]:
    """The text in parts of these sizes, again and again."""
    parts, at = [], 0
    while at < len(text):
        size = sizes[len(parts) % len(sizes)]
        parts.append(text[at : at + size])
        at += size
    return parts


def read(*parts: bytes) -> tuple[list[Any], ListingReader]:
    found: list[Any] = []
    reader = ListingReader(found.append)
    for part in parts:
        reader.feed(part)
    reader.finish()
    return found, reader


ELEMENTS = st.lists(
    st.recursive(
        st.one_of(st.integers(), st.text(max_size=5), st.none(), st.booleans()),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
        max_leaves=6,
    ),
    max_size=6,
)


@given(ELEMENTS, st.permutations(["jsonrpc", "id", "result"]), st.booleans(), st.sampled_from([None, 2]), st.data())
def test_any_spelling_in_any_pieces_gives_every_element_once(
    elements: list[Any], order: list[str], is_list_first: bool, indent: int | None, data: st.DataObject
) -> None:
    fields = {"context": {"slot": 7, "apiVersion": "4.4.0"}, "value": elements}
    result = dict(reversed(fields.items())) if is_list_first else fields
    answer = {"jsonrpc": "2.0", "id": 123, "result": result}
    text = json.dumps({name: answer[name] for name in order}, indent=indent, ensure_ascii=False).encode()
    found, reader = read(*split(text + b" \n", *data.draw(st.lists(st.integers(1, 9), min_size=1, max_size=5))))
    assert found == elements
    assert reader.result == {"context": fields["context"]}
    assert reader.answer == {"jsonrpc": "2.0", "id": 123}


@pytest.mark.parametrize(
    "text",
    [
        '{"id":1,"result":{"context":{"slot":7},"value":[1,2',
        '{"id":1,"result":{"context":{"slot":7},"value":[1,2]',
        '{"id":1,"result":{"context":{"slot":7},"value":[1 2]}}',
        '{"id":1,"result":{"context":{"slot":7},"value":[,1]}}',
        '{"id":1,"result":{"context":{"slot":7},"value":[1,,2]}}',
        '{"id":1,"result":{"context":{"slot":7},"value":[1,]}}',
        '{"id":1,"result":{"value":[1],"value":[2]}}',
        '{"id":1 "result":{"value":[1]}}',
        '{"id" 1,"result":{"value":[1]}}',
        "{1:1}",
        '{"id":1,"result":{"value":[1]}}}',
        '{"id":1,"result":{"value":[1]}} x',
        "[1]",
        "<html>",
        "",
        "\xff",
    ],
)
def test_what_is_cut_short_or_no_json_is_an_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - which of them is the parser's own affair
        read(text.encode("latin-1"))


def test_an_answer_without_a_list_has_no_result() -> None:
    for text in (b'{"id":1,"error":{"code":1}}', b'{"id":1,"result":{"context":{}}}', b'{"id":1,"result":5}'):
        assert read(text)[1].result is None


def test_an_endless_element_is_given_up() -> None:
    with pytest.raises(ValueError, match="nothing that is JSON"):
        read(b'{"result":{"value":["', *[b"x" * 2**20] * (json_stream.LONGEST_ELEMENT // 2**20 + 2))


async def test_accounts_of_every_size_are_read_and_nothing_else() -> None:
    rows = [
        row(1, data_of(11, 5)),
        row(2, data_of(12, 2**64 - 1, state=2, extended=True)),
        row(3, data_of(13, 5, state=0)),
        row(4, data_of(14, 5, mint=OTHER)),
        row(5, data_of(15, 5).ljust(355, b"\2")),
        row(6, data_of(16, 5) + b"\1" + bytes(40)),
        row(7, data_of(17, 5), program=OTHER),
        row(8, data_of(18, 5)[:164]),
        row(9, data_of(11, 6, extended=True)),
    ]
    node = Node(getProgramAccounts=at_slot(7, rows))
    found = await rpc_chain(node).get_token_accounts(MINT, commitment="finalized", min_context_slot=6)
    assert found.slot == 7
    assert list(found) == [account(1, 11, 5), account(2, 12, 2**64 - 1, frozen=True), account(9, 11, 6)]
    assert [is_fixed for *_, is_fixed in found.marked()] == [False, True, True]
    assert (len(found), found[-1], found[:1]) == (3, account(9, 11, 6), (account(1, 11, 5),))
    program, config = node.asked[-1][1]
    assert program == str(TOKEN_2022_PROGRAM)
    memcmp = {"offset": 0, "bytes": base64.b64encode(bytes(MINT)).decode(), "encoding": "base64"}
    assert config == {
        "commitment": "finalized",
        "encoding": "base64",
        "withContext": True,
        "filters": [{"memcmp": memcmp}],
        "minContextSlot": 6,
    }


class _Broken(httpx.AsyncByteStream):
    """A body that breaks off in the middle."""

    def __init__(self, text: bytes) -> None:
        self._text = text

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._text
        raise httpx.ReadError("reset")


def body(*rows: dict[str, Any], request_id: int = 3) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": request_id, "result": at_slot(7, list(rows))}).encode()


@pytest.mark.parametrize(
    "broken",
    [
        httpx.Response(200, stream=_Broken(body(row(1, data_of(11, 5)))[:-30])),
        httpx.Response(200, content=body(row(1, data_of(11, 5)))[:-2]),
        httpx.Response(200, content=body(row(1, data_of(11, 5)), request_id=99)),
        httpx.Response(200, json={"jsonrpc": "2.0", "id": 3, "result": []}),
        httpx.Response(200, text="<html>"),
        httpx.Response(503, text="busy"),
        httpx.Response(429, text="slow down"),
    ],
)
async def test_what_a_broken_answer_told_is_forgotten_when_the_next_endpoint_is_asked(broken: httpx.Response) -> None:
    first = Node(getProgramAccounts=raises(Raw(broken)))
    second = Node(getProgramAccounts=at_slot(8, [row(2, data_of(12, 6))]))
    found = await rpc_chain(first, second).get_token_accounts(MINT)
    assert first.methods() == ["getProgramAccounts"]
    assert (found.slot, list(found)) == (8, [account(2, 12, 6)])


async def test_an_answer_cut_short_everywhere_is_an_error_of_the_endpoint() -> None:
    node = Node(getProgramAccounts=raises(Raw(httpx.Response(200, content=body(row(1, data_of(11, 5)))[:-2]))))
    with pytest.raises(EndpointError, match="cut short"):
        await rpc_chain(node).get_token_accounts(MINT)


async def test_an_answer_larger_than_allowed_is_given_up() -> None:
    node = Node(getProgramAccounts=at_slot(7, [row(1, data_of(11, 5))]))
    with pytest.raises(EndpointError, match="more than 100 bytes"):
        await rpc_chain(node, limits=RpcLimits(rounds=1, listing_size=100)).get_token_accounts(MINT)


async def test_an_answer_that_does_not_end_is_given_up() -> None:
    class Endless(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield body(row(1, data_of(11, 5)))[:-2]
            await asyncio.sleep(60)

    node = Node(getProgramAccounts=raises(Raw(httpx.Response(200, stream=Endless()))))
    with pytest.raises(EndpointError, match=r"did not end within 0\.05 s"):
        await rpc_chain(node, limits=RpcLimits(rounds=1, listing_time=0.05)).get_token_accounts(MINT)


async def test_the_clusters_own_error_is_raised_at_once() -> None:
    node = Node(getProgramAccounts=raises(RpcFailure(-32602, "invalid filter")))
    with pytest.raises(RpcError, match="invalid filter"):
        await rpc_chain(node, clock=ManualClock()).get_token_accounts(MINT)
    assert node.methods() == ["getProgramAccounts"]


@pytest.mark.parametrize(
    "result",
    [
        {"value": []},
        {"context": {}, "value": []},
        {"context": {"slot": "7"}, "value": []},
        at_slot(7, [1]),
        at_slot(7, [{"pubkey": "x", "account": None}]),
        at_slot(7, [row(1, data_of(11, 5)) | {"pubkey": "short"}]),
        at_slot(7, [row(1, data_of(11, 5, state=3))]),
        at_slot(7, [{"pubkey": str(MINT), "account": {"owner": str(MINT), "data": ["AQ", "base58"]}}]),
        at_slot(7, [{"pubkey": str(MINT), "account": {"owner": str(MINT), "data": ["A!Q=", "base64"]}}]),
    ],
)
async def test_a_list_of_another_shape_is_never_guessed_at(result: dict[str, Any]) -> None:
    with pytest.raises(LedgerError, match="getProgramAccounts is malformed"):
        await rpc_chain(Node(getProgramAccounts=result)).get_token_accounts(MINT)
