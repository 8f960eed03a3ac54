"""Nodes that answer JSON-RPC as told, behind one httpx transport."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
from tallystick.adapters.chain.rpc import RpcChain, RpcLimits
from tallystick.adapters.clock import ManualClock

GENESIS = "GH7ome3EiwEr7tu9JuTh2dpYWBJK3z69Xm1ZE3MEE6JC"
OTHER_GENESIS = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"

Answer = Callable[[list[Any]], Any]


class RpcFailure(Exception):  # noqa: N818 - it is an answer
    """Answer with this JSON-RPC error object."""

    def __init__(self, code: int, message: str = "refused", data: object = None) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message, "data": data}


class Raw(Exception):  # noqa: N818 - it is an answer
    """Answer with this HTTP response, whatever was asked."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__()
        self.response = response


class Node:
    """One endpoint. `answers` maps a method to its result, or to a function of the parameters; `waited_for` is how many
    seconds each question's answer was waited for."""

    def __init__(self, genesis: str = GENESIS, **answers: Any) -> None:
        self.answers: dict[str, Any] = {"getGenesisHash": genesis, **answers}
        self.fault: Exception | None = None
        self.asked: list[tuple[str, list[Any]]] = []
        self.waited_for: list[float] = []

    def methods(self) -> list[str]:
        """The methods asked after the genesis hash."""
        return [method for method, _ in self.asked if method != "getGenesisHash"]

    def handle(self, request: httpx.Request) -> httpx.Response:
        call = json.loads(request.content)
        self.asked.append((call["method"], call["params"]))
        self.waited_for.append(request.extensions["timeout"]["read"])
        if isinstance(self.fault, Raw):
            return self.fault.response
        if self.fault is not None:
            raise self.fault
        try:
            answer = self.answers[call["method"]]
            result = answer(call["params"]) if callable(answer) else answer
        except RpcFailure as failure:
            return httpx.Response(200, json={"jsonrpc": "2.0", "id": call["id"], "error": failure.error})
        except Raw as raw:
            return raw.response
        return httpx.Response(200, json={"jsonrpc": "2.0", "id": call["id"], "result": result})


def rpc_chain(*nodes: Node, clock: ManualClock | None = None, **more: Any) -> RpcChain:
    """An RpcChain whose endpoints node0, node1 ... are `nodes`, in that order."""
    by_host = {f"node{index}.example": node for index, node in enumerate(nodes)}

    async def handle(request: httpx.Request) -> httpx.Response:
        return by_host[request.url.host].handle(request)

    urls = [f"https://{host}/?api-key=SECRET" for host in by_host]
    more.setdefault("limits", RpcLimits())
    return RpcChain(urls, clock or ManualClock(), transport=httpx.MockTransport(handle), **more)


def at_slot(slot: int, value: Any) -> dict[str, Any]:
    return {"context": {"slot": slot, "apiVersion": "4.4.0"}, "value": value}


def raises(failure: Exception) -> Answer:
    """An answer that is a failure."""

    def answer(params: list[Any]) -> Any:
        raise failure

    return answer
