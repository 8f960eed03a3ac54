"""A holder in front of a report's page: what she types and chooses, and what the page answers and asks for."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, BrowserContext, Page
from published_folder import PublishedFolder

HTTP: Final = "http"
FILE: Final = "file"


@dataclass(frozen=True, slots=True)
class Screen:
    """A size in CSS pixels, and whether its owner prefers dark pages."""

    width: int = 1440
    height: int = 900
    scheme: str = "light"


@dataclass(frozen=True, slots=True)
class Result:
    """One line of an answer: held, absent, mismatch or problem, and its words."""

    state: str
    head: str
    text: str


@dataclass(slots=True)
class HolderPage:
    """An open page. `requests` are addresses it asked for, `errors` what its console and its script complained of."""

    page: Page
    context: BrowserContext
    base: str
    folder: PublishedFolder
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @classmethod
    async def open(
        cls,
        browser: Browser,
        base: str,
        folder: PublishedFolder,
        screen: Screen,
        *,
        has_script: bool = True,
        before: str = "",
    ) -> HolderPage:
        """The page of the version below `base`; `before` is a script that changes the browser beforehand."""
        context = await browser.new_context(
            viewport={"width": screen.width, "height": screen.height},
            color_scheme=screen.scheme,  # type: ignore[arg-type]
            java_script_enabled=has_script,
        )
        page = await context.new_page()
        await page.add_init_script(before)
        opened = cls(page, context, base, folder)
        page.on("request", lambda request: opened.requests.append(request.url))
        page.on("pageerror", lambda error: opened.errors.append(str(error)))
        page.on(
            "console",
            lambda message: opened.errors.append(message.text) if message.type in ("error", "warning") else None,
        )
        await page.goto(f"{base}{folder.version.relative_to(folder.path)}/index.html")
        return opened

    async def close(self) -> None:
        await self.context.close()

    @property
    def asked(self) -> list[str]:
        """Paths asked for, below the folder of the version."""
        start = f"{self.base}{self.folder.version.relative_to(self.folder.path)}/"
        return [request.removeprefix(start) for request in self.requests]

    async def choose(self, *files: Path) -> None:
        """Choose the version's folder, or single files, as one has to where the page is a file."""
        if files:
            await self.page.set_input_files("#files", list(files))
        else:
            await self.page.set_input_files("#folder", self.folder.version)

    async def check(self, address: str) -> list[Result]:
        """Enter an address and read the answer, one line for each security."""
        await self.page.fill("#address", address)
        await self.page.click("#address-form button")
        return await self.results("address-results")

    async def check_proof(self, *files: Path) -> list[Result]:
        """Choose proofs as files and read the answer."""
        await self.page.click("summary:has-text('proof as a file')")
        await self.page.set_input_files("#proof", list(files))
        return await self.results("proof-results")

    async def compare(self, text: str) -> Result:
        """Paste a hash from the chain and read the answer."""
        await self.page.click("summary:has-text('anchored on chain')")
        await self.page.fill("#chain-hash", text)
        await self.page.click("#chain-form button")
        (result,) = await self.results("chain-result")
        return result

    async def approval(self) -> Result:
        """What the page found of the second person's signature."""
        (result,) = await self.results("approval-result")
        return result

    async def results(self, name: str) -> list[Result]:
        """The lines of an answer, once there is one."""
        lines = self.page.locator(f"#{name} .result[data-state]")
        await lines.first.wait_for(timeout=20_000)
        return [
            Result(
                await line.get_attribute("data-state") or "",
                await line.locator("strong").inner_text(),
                await line.locator("p").inner_text(),
            )
            for line in await lines.all()
        ]
