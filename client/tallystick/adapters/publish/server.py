"""The published folder over http from this process: for a holder's check, and to look at a report before it is public.

Only 127.0.0.1 listens. Browsers count it as a secure context, so the page's check has its hash functions there. Files
are read from the folder and from nowhere else: no links that lead out of it, nothing whose name begins with a dot.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from tallystick.adapters.web_server import WebServer, listen
from tallystick.errors import ConfigurationError

HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8788

_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".pdf": "application/pdf",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
_HEADERS: Final = {
    "Cache-Control": "no-cache",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
# What a page's own policy cannot say: who may frame it. The rest is said again; script and style are the page's to say.
_PAGE_POLICY: Final = (
    "connect-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


class PublishedFiles(StaticFiles):
    """Files below one folder, with fixed types, whatever the machine's own table of them says."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder, html=True, follow_symlink=False)

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """Nothing for a name that begins with a dot, which is a file on its way."""
        if any(part.startswith(".") and part != "." for part in Path(path).parts):
            return "", None
        return super().lookup_path(path)

    async def get_response(self, path: str, scope: MutableMapping[str, Any]) -> Response:
        """The file with the headers that every answer has."""
        response = await super().get_response(path, scope)
        kind = _TYPES.get(Path(str(getattr(response, "path", ""))).suffix)
        if kind is not None:
            response.headers["Content-Type"] = kind
        response.headers.update(_HEADERS)
        if kind == _TYPES[".html"]:
            response.headers["Content-Security-Policy"] = _PAGE_POLICY
        return response


class SiteServer:
    """Serves a folder while the `async with` block runs. Port 0 takes a free one; `url` says which.

    Entering raises ConfigurationError when there is no index in the folder, or the port cannot be listened on.
    """

    def __init__(self, folder: Path, port: int = DEFAULT_PORT) -> None:
        self.folder = folder
        self._port = port
        self._server: WebServer | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where it listens, e.g. http://127.0.0.1:8788/."""
        return f"http://{HOST}:{self._port}/"

    async def __aenter__(self) -> SiteServer:
        if not await asyncio.to_thread((self.folder / "index.html").is_file):
            raise ConfigurationError(
                f"There is no published report in {self.folder}: it has no index.html.",
                hint="Publish one with: tally report publish — or name the folder.",
            )
        listening = self._listen()
        application = Starlette(routes=[Mount("/", PublishedFiles(self.folder))])
        self._server = WebServer(application)
        self._task = await self._server.start(listening, f"The server on {self.url}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task

    async def wait(self) -> None:
        """Return when the server ends."""
        if self._task is not None:
            await asyncio.shield(self._task)

    def _listen(self) -> socket.socket:
        hint = "Something else listens there; choose another port (0 takes a free one)."
        listening = listen(HOST, self._port, self.url, hint)
        self._port = listening.getsockname()[1]
        return listening
