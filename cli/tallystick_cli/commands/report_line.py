"""tally report line: one line of a custodian's statement with the proof that a report rests on it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text
from tallystick.domain.canonical import canonical_json
from tallystick.domain.reserve_report.statement_lines import StatementLineProof
from tallystick.errors import InputError
from tallystick.services.report_line import prove_lines

from tallystick_cli.command import command
from tallystick_cli.commands.report import MonthArgument, VersionOption, app
from tallystick_cli.commands.report_publish import find_report
from tallystick_cli.context import StoredReport, Tally
from tallystick_cli.files import write_file
from tallystick_cli.render import facts, instant_text, shown_path, stack, table


@dataclass(frozen=True, slots=True)
class LinesProved:
    """The lines of one security on one statement, each with its proof, and where they were written."""

    report: StoredReport
    proofs: tuple[StatementLineProof, ...]
    files: tuple[Path, ...] = ()
    exit_code: int = 0

    def document(self) -> dict[str, object]:
        """The proofs as the files have them."""
        return {
            "report": self.report.name,
            "digest": self.report.digest.hex(),
            "files": [str(each) for each in self.files],
            "proofs": [each.document() for each in self.proofs],
        }

    def view(self) -> RenderableType:
        """The lines, and what they are proved against."""
        first = self.proofs[0]
        rows = table("Line", "ISIN", "Aggregate", "Place", right=["Line", "Aggregate"])
        for each in self.proofs:
            line = each.line
            rows.add_row(str(line["position"]), str(line["isin"]), str(line["aggregate"]), str(line["place"]))
        as_of = first.line["as_of"]
        head = facts(
            [
                ("Statement", f"{first.line['statement_id'] or '(no id)'} of {first.line['account']}"),
                ("As of", f"{instant_text(as_of)}" if isinstance(as_of, int) else ""),
                ("Report", self.report.name),
                ("Root", first.root.hex()),
                ("Lines in all", f"{first.size:,}"),
                ("Written to", "\n".join(shown_path(each) for each in self.files)),
            ]
        )
        note = "Private: each shows one line, and nothing of any other. Whoever has it and the report can check it."
        return stack(head, rows, Text(note, style="dim"))


@command(
    app,
    "line",
    examples=(
        "tally report line 2026-10 --isin US0378331005 --statement STMT-2026-10-31",
        "tally report line 2026-10 --isin US0378331005 --statement f5277df3 --out for-the-auditor.json",
    ),
)
async def line(
    tally: Tally,
    month: MonthArgument,
    isin: Annotated[str, typer.Option(help="The security, by ISIN or symbol.")],
    statement: Annotated[str, typer.Option(help="The statement's id, or the first digits of its hash in the report.")],
    account: Annotated[str | None, typer.Option(help="The account, where several statements have one id.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where the proof goes; else line.json here.")] = None,
    version: VersionOption = None,
) -> LinesProved:
    """Prove one line of a custodian's statement against a report, for an auditor or a holder who may see it.

    The file has the line, its salt and the hashes up to the root in the report. A security with several lines on the
    statement makes a file for each, numbered.
    """
    report = await find_report(tally, month, version)
    known = {each.symbol.upper(): each.isin for each in tally.profile.securities}
    books = await tally.open_store()
    wanted = known.get(isin.upper(), isin.upper())
    proofs = await prove_lines(books.report_books(), report, wanted, statement, account)
    target = out or Path("line.json")
    files = [target] if len(proofs) == 1 else [_numbered(target, number) for number in range(1, len(proofs) + 1)]
    for file, proof in zip(files, proofs, strict=True):
        if file.exists() and file.read_bytes() != canonical_json(proof.document()):
            raise InputError(f"{file} is there already, with something else.", hint="Name another with --out.")
        write_file(file, canonical_json(proof.document()))
    await (await tally.open_trail()).note(
        "report line",
        report.name,
        {"isin": wanted, "statement": str(proofs[0].line["statement_id"]), "lines": len(proofs)},
    )
    return LinesProved(report, proofs, tuple(files))


def _numbered(file: Path, number: int) -> Path:
    return file.with_name(f"{file.stem}-{number}{file.suffix}")


__all__ = ["app"]
