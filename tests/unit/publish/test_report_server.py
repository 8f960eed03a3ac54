"""The published folder over http: its own files with fixed types and strict headers, and nothing beside it."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from tallystick.adapters.publish.server import SiteServer
from tallystick.errors import ConfigurationError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    published = tmp_path / "reports"
    (published / "2026-10" / "v1").mkdir(parents=True)
    (tmp_path / "secret.json").write_text("{}")
    (published / "index.html").write_text("<!DOCTYPE html>")
    (published / "2026-10/v1/index.html").write_text("<!DOCTYPE html>of a version")
    (published / "2026-10/v1/report.json").write_text("{}")
    (published / "2026-10/v1/report.pdf").write_bytes(b"%PDF-1.7")
    (published / "2026-10/v1/.incoming-1").write_text("half")
    (published / "out.json").symlink_to(tmp_path / "secret.json")
    return published


@pytest.fixture
async def site(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with SiteServer(folder, 0) as server, httpx.AsyncClient(base_url=server.url, trust_env=False) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/2026-10/v1/", "text/html; charset=utf-8"),
        ("/2026-10/v1/report.json", "application/json"),
        ("/2026-10/v1/report.pdf", "application/pdf"),
    ],
)
async def test_a_file_has_its_type_and_is_never_guessed(site: httpx.AsyncClient, path: str, kind: str) -> None:
    answer = await site.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_page_may_not_be_framed_nor_ask_another_host(site: httpx.AsyncClient) -> None:
    policy = (await site.get("/2026-10/v1/index.html")).headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "connect-src 'self'" in policy


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.json",
        "/%2e%2e/secret.json",
        "/2026-10/..%2f..%2f..%2fsecret.json",
        "/out.json",
        "/2026-10/v1/.incoming-1",
        "/2026-10/v1/approval.json",
    ],
)
async def test_what_is_outside_hidden_or_absent_is_not_found(site: httpx.AsyncClient, path: str) -> None:
    answer = await site.get(path)
    assert answer.status_code == 404
    assert "half" not in answer.text


async def test_nothing_can_be_written(site: httpx.AsyncClient) -> None:
    assert (await site.put("/index.html", content=b"x")).status_code == 405
    assert (await site.get("/")).text == "<!DOCTYPE html>"


async def test_a_folder_without_an_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no index\.html"):
        async with SiteServer(tmp_path, 0):
            pass


async def test_a_port_that_is_taken_is_said(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigurationError, match="Cannot listen"):
        async with SiteServer(folder, taken.getsockname()[1]):
            pass
