"""`tally localnet`: Solana JSON-RPC 2.0 over HTTP from one process, for development and tests only.

It answers as Agave 4.2's RPC does for the methods in dispatch.py, out of a Ledger in memory that ends with the process.
It is no validator: there is no consensus and no stake, everything is final as soon as it landed, keys and money are
worth nothing, and anyone who reaches the port may send to it and move its time. It listens on 127.0.0.1 unless told
otherwise.
What differs from a validator is measured and kept in docs/localnet_differences.md.

There is no websocket: clients poll, as ours does. Durable nonces are not accepted.

One method is ours: `tally_warp`, params `[{"seconds": n}]`, moves the cluster's clock and its slots n seconds ahead
(n >= 1; blockhashes older than 60 seconds expire with it) and answers `{"slot": ..., "unixTimestamp": ...}`.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from types import TracebackType

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tallystick.adapters.chain.ledger import Ledger
from tallystick.adapters.web_server import WebServer, listen
from tallystick.localnet.dispatch import answer_body

BANNER = "Tallystick localnet, for development only: state is in memory and ends with this process."
_MAX_BODY = 50 * 1024


def application(ledger: Ledger) -> Starlette:
    """The ASGI application that serves `ledger`: POST / is JSON-RPC, GET /health says ok."""

    async def rpc(request: Request) -> Response:
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if kind != "application/json":
            text = "Supplied content type is not allowed. Content-Type: application/json is required\n"
            return PlainTextResponse(text, status_code=415)
        try:
            body = await request.body()
        except ClientDisconnect:
            return Response(status_code=400)  # Nobody is left to read it.
        if len(body) > _MAX_BODY:
            return PlainTextResponse(f"Payload too large: at most {_MAX_BODY} bytes\n", status_code=413)
        return Response(answer_body(ledger, body), media_type="application/json")

    async def health(request: Request) -> Response:
        return PlainTextResponse("ok")

    return Starlette(
        routes=[Route("/", rpc, methods=["POST"]), Route("/health", health, methods=["GET"])],
        middleware=[Middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["POST"], allow_headers=["*"])],
    )


class LocalnetServer:
    """Serves a ledger while the `async with` block runs, or the `with` block, from a thread of its own.

    Port 0 takes a free one; `url` says which. While a `with` block runs, the ledger belongs to its thread: reach it
    over `url`. Entering raises ConfigurationError when the address cannot be listened on.
    """

    def __init__(self, ledger: Ledger, host: str = "127.0.0.1", port: int = 8899) -> None:
        self.ledger = ledger
        self._host = host
        self._port = port
        self._server: WebServer | None = None
        self._task: asyncio.Task[None] | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it listens, e.g. http://127.0.0.1:8899."""
        return f"http://{self._host}:{self._port}"

    async def __aenter__(self) -> LocalnetServer:
        listening = self._listen()
        self._server = WebServer(application(self.ledger))
        self._task = await self._server.start(listening, f"The localnet on {self.url}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task

    def __enter__(self) -> LocalnetServer:
        listening = self._listen()
        self._server = WebServer(application(self.ledger))
        self._thread = threading.Thread(target=self._server.run, args=([listening],), name="localnet", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()

    async def wait(self) -> None:
        """Return when the server ends."""
        if self._task is not None:
            await asyncio.shield(self._task)

    def _listen(self) -> socket.socket:
        hint = "Another cluster may be running there; stop it, or choose another port (0 takes a free one)."
        listening = listen(self._host, self._port, self.url, hint)
        self._port = listening.getsockname()[1]
        return listening


async def serve(
    ledger: Ledger, host: str = "127.0.0.1", port: int = 8899, *, started: Callable[[LocalnetServer], None]
) -> None:
    """Serve until cancelled. `started` is called once with the server, when it answers.

    Raises ConfigurationError when the address cannot be listened on.
    """
    async with LocalnetServer(ledger, host, port) as server:
        started(server)
        await server.wait()
