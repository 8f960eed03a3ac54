"""tally report serve: the published folder over http on this machine, where the holders' check works."""

from __future__ import annotations

import asyncio
import signal
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from tallystick_cli.command import command
from tallystick_cli.commands.report import app
from tallystick_cli.context import Tally
from tallystick_cli.render import facts, json_text, shown_path, stack


@dataclass(frozen=True, slots=True)
class Site:
    """A folder that is served, or was."""

    url: str
    folder: Path
    has_ended: bool = False
    exit_code: int = 0

    def document(self) -> dict[str, object]:
        """Where it is."""
        return {"url": self.url, "folder": str(self.folder)}

    def view(self) -> RenderableType:
        """The address, or a goodbye."""
        if self.has_ended:
            return Text("No longer served; the files are where they were.", style="dim")
        return stack(
            Text.assemble(("✓ ", "green"), ("Published reports, on this machine alone", "bold")),
            facts([("Open", self.url), ("Folder", shown_path(self.folder)), ("Stop", "Ctrl-C")]),
        )


@command(
    app,
    "serve",
    examples=(
        "tally report serve",
        "tally report serve ./downloaded-reports --port 0 --no-open",
    ),
)
async def report_serve(
    tally: Tally,
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="FOLDER", help="A folder of published reports; else the profile's own.", file_okay=False
        ),
    ] = None,
    port: Annotated[int, typer.Option(help="Port of 127.0.0.1; 0 takes a free one.", min=0, max=65535)] = 8788,
    open_page: Annotated[bool, typer.Option("--open/--no-open", help="Open it in a browser.")] = True,
) -> Site:
    """Serve published reports on 127.0.0.1: pages as they will be seen, with the holders' own check."""
    served = folder or tally.folder / tally.profile.report.folder
    async with tally.new_site_server(served, port) as server:
        site = Site(server.url, served)
        if tally.is_json:
            tally.out.file.write(json_text(site.document()) + "\n")
            tally.out.file.flush()
        else:
            tally.out.print(site.view())
            if open_page:
                await asyncio.to_thread(webbrowser.open, site.url)
        waiting = asyncio.create_task(server.wait())
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, waiting.cancel)
        try:
            await waiting
        except asyncio.CancelledError:
            waiting.cancel()
    if tally.is_json:
        # The one document was written when it began to answer.
        raise typer.Exit(0)
    return Site(site.url, served, has_ended=True)
