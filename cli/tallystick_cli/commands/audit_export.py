"""tally audit export: the evidence behind the reports as files, for whoever has neither our store nor our program."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Group, RenderableType
from rich.text import Text
from tallystick.domain.report_anchors import parse_period
from tallystick.program.text import decode_text
from tallystick.services.audit_export import Exported, export_audit
from tallystick.services.chain_reads import list_securities

from tallystick_cli.approval import count
from tallystick_cli.command import command
from tallystick_cli.commands.audit import app
from tallystick_cli.context import Tally
from tallystick_cli.failures import DONE, REFUSED
from tallystick_cli.render import facts, shown_path, stack

SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was exported, and to where."""

    exported: Exported
    folder: Path

    @property
    def exit_code(self) -> int:
        """1 when something that should be there was not to be had."""
        return REFUSED if self.exported.missing else DONE

    def document(self) -> dict[str, object]:
        """Every file with its SHA-256, and what is missing."""
        return {
            "folder": str(self.folder),
            "manifest": self.exported.manifest_hash.hex(),
            "periods": list(self.exported.periods),
            "files": {name: digest.hex() for name, digest in self.exported.files},
            "missing": [{"name": name, "reason": reason} for name, reason in self.exported.missing],
        }

    def view(self) -> RenderableType:
        """What is there, the hash to note, and what is missing."""
        done = Text.assemble(
            ("✓ ", "green"), f"{count(len(self.exported.files), 'file')} written, read back, and as they were meant."
        )
        found = facts(
            [
                ("Folder", shown_path(self.folder)),
                ("Months", ", ".join(self.exported.periods) or "none has a report yet"),
                ("Manifest", f"SHA-256 {self.exported.manifest_hash.hex()}"),
            ]
        )
        lost = [Text(f"✗ {name}: {reason}", style="red") for name, reason in self.exported.missing[:SHOWN]]
        if len(self.exported.missing) > SHOWN:
            lost.append(Text(f"and {len(self.exported.missing) - SHOWN} more, all named in manifest.json", style="red"))
        step = Text("README.txt says what each file is and how it is checked. Send the manifest's SHA-256 another way.")
        return stack(done, found, Group(*lost) if lost else None, step)


@command(
    app,
    "export",
    examples=(
        "tally audit export /media/auditor/2026-10 --period 2026-10",
        "tally audit export ./evidence        # every month that has a report, and the whole of the books",
        "cd ./evidence && sha256sum -c SHA256SUMS",
    ),
)
async def export(
    tally: Tally,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="An empty folder, or one that does not exist yet.")],
    period: Annotated[
        str | None,
        typer.Option("--period", metavar="MONTH", help="One month, as 2026-10; else every one with a report."),
    ] = None,
) -> Evidence:
    """Write the evidence behind the reports as files: closes, statements as received, books, what the chain says.

    Nothing of ours is needed to read it: README.txt says what each file is and how to check it by hand. The month's
    figures are read from the chain anew. The same books and the same chain make the same bytes. Holders' addresses and
    the custodians' statements are in it: give it to whom they may be given. Exit 1 when something is missing.
    """
    chain, books = tally.open_chain(), await tally.open_store()
    listed = (await list_securities(chain, tally.issuer)).accounts
    securities = {bytes(address): decode_text(each.isin) for address, each in listed.items()}
    with tally.err.status("Reading …") as status:
        exported = await export_audit(
            chain,
            tally.audit_sources(books, securities),
            tally.open_reports_folder(folder),
            tally.open_reports_folder(),
            tally.clock,
            period=None if period is None else parse_period(period),
            pdf=tally.report_renderers(books).pdf,
            on_file=lambda name, number: status.update(f"Writing {name} · {number:,} files"),
            progress=lambda what, done, total: status.update(f"Reading {what} {done:,} of {total:,}"),
        )
    return Evidence(exported, folder)


__all__ = ["app"]
