"""An http server of this process, for the localnet and for published reports: a socket, and uvicorn on it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Generator

import uvicorn
from starlette.applications import Starlette

from tallystick.errors import ConfigurationError


class WebServer(uvicorn.Server):
    """Leaves the process's signal handlers alone: whoever runs the server decides when it ends."""

    def __init__(self, application: Starlette) -> None:
        super().__init__(
            uvicorn.Config(application, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1)
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Nothing to capture."""
        yield

    async def start(self, listening: socket.socket, name: str) -> asyncio.Task[None]:
        """The task that serves, once it does. ConfigurationError, with `name`, when it ended before."""
        task = asyncio.create_task(self.serve(sockets=[listening]))
        while not self.started:
            if task.done():
                task.result()
                raise ConfigurationError(f"{name} ended before it started.")
            await asyncio.sleep(0.005)
        return task


def listen(host: str, port: int, url: str, hint: str) -> socket.socket:
    """A socket that already listens: who connects before the server runs waits for it. Port 0 takes a free one.

    ConfigurationError, with `url` and `hint`, when the address cannot be listened on.
    """
    # Told that it is TCP, asyncio turns Nagle's algorithm off, which would cost 40 ms on each answer.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen()
    except OSError as error:
        listening.close()
        raise ConfigurationError(f"Cannot listen on {url}: {error.strerror}.", hint=hint) from error
    return listening


__all__ = ["WebServer", "listen"]
