"""A Chromium for the whole session, and a published folder that each test may change."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit" / "domain"))

from chromium import ARGUMENTS, browser_path
from holder_page import HTTP, HolderPage, Screen
from published_folder import PublishedFolder, publish
from tallystick.adapters.publish.server import SiteServer

MISSING = "no Chromium on this machine; get it with: toolchain/install browser"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of this folder needs the browser, and shares its event loop."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Without a browser a test is skipped, or fails where one is required."""
    if Path(__file__).parent in item.path.parents and browser_path() is None:
        if os.environ.get("TALLY_REQUIRE_BROWSER"):
            pytest.fail(f"TALLY_REQUIRE_BROWSER is set: {MISSING}", pytrace=False)
        pytest.skip(MISSING)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=browser_path(), args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> PublishedFolder:
    """One published version with three registers, the largest of three shards."""
    return publish(tmp_path_factory.mktemp("published"))


@pytest.fixture
def folder(published: PublishedFolder, tmp_path: Path) -> PublishedFolder:
    """A copy of the published folder, for one test to change."""
    shutil.copytree(published.path, tmp_path / "reports")
    return published.at(tmp_path / "reports")


class Opening:
    """Opens the page of a version: over http from our own server, or as a file."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._closing: list[Callable[[], object]] = []

    async def __call__(
        self,
        folder: PublishedFolder,
        way: str = HTTP,
        screen: Screen | None = None,
        *,
        has_script: bool = True,
        host: str = "127.0.0.1",
        before: str = "",
    ) -> HolderPage:
        server = None
        if way == HTTP:
            server = SiteServer(folder.path, 0)
            await server.__aenter__()
            self._closing.append(lambda: server.__aexit__(None, None, None))
        base = server.url.replace("127.0.0.1", host) if server else folder.path.as_uri() + "/"
        page = await HolderPage.open(
            self._browser, base, folder, screen or Screen(), has_script=has_script, before=before
        )
        self._closing.append(page.close)
        return page

    async def aclose(self) -> None:
        for close in reversed(self._closing):
            await close()  # type: ignore[misc]


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Browser) -> AsyncIterator[Opening]:
    opening = Opening(browser)
    yield opening
    await opening.aclose()
