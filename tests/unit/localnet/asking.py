"""A plain JSON-RPC client for tests."""

from __future__ import annotations

from typing import Any

import httpx

START = 1_790_000_000


class Raw:
    """Sends JSON-RPC as it is written."""

    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        self.client = client
        self.url = url

    async def ask(self, method: str, *params: object) -> Any:
        """The `result`; an error fails the test."""
        answer = await self.post({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
        assert "error" not in answer, answer
        return answer["result"]

    async def refused(self, method: str, *params: object) -> tuple[int, str]:
        """Code and message of the error; a result fails the test."""
        answer = await self.post({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
        assert "result" not in answer, answer
        return answer["error"]["code"], answer["error"]["message"]

    async def post(self, body: object) -> Any:
        """Whatever comes back, as JSON."""
        return (await self.client.post(self.url, json=body)).json()
