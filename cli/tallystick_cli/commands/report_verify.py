"""tally report verify: check a published report against the chain, with no profile and no database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text
from solders.pubkey import Pubkey
from tallystick.domain.report_anchors import period_text
from tallystick.domain.reserve_report.checks import Check, Status
from tallystick.domain.reserve_report.published import HOLDERS, PAGE, PDF, read_header
from tallystick.errors import ConfigurationError, EndpointError, InputError, LedgerError
from tallystick.services.report_verify import FILES, Verified, verify_report

from tallystick_cli.command import command
from tallystick_cli.commands.report import app
from tallystick_cli.context import Chain, Tally
from tallystick_cli.files import read_file
from tallystick_cli.render import facts, short, stack, table

_MARKS: Final = {
    Status.PASSED: ("✓", "green"),
    Status.FAILED: ("✗", "bold red"),
    Status.NOT_SERVED: ("○", "yellow"),
    Status.STATED: ("·", "cyan"),
}


@dataclass(frozen=True, slots=True)
class ReportVerified:
    """Every check of a report, and how it ended."""

    verified: Verified
    is_verbose: bool = False

    @property
    def exit_code(self) -> int:
        """1 when a check failed."""
        return 0 if self.verified.is_verified else 1

    def document(self) -> dict[str, object]:
        """The report, whether it holds, and each check with both values where it failed."""
        header, checks = self.verified.header, self.verified.checks
        return {
            "report": header
            and {
                "issuer": header.issuer,
                "period": period_text(header.period),
                "version": header.version,
                "hash": header.hash.hex(),
                "as_of_slot": header.as_of_slot,
            },
            "is_verified": self.verified.is_verified,
            "is_draft": self.verified.is_draft,
            "superseded_by": self.verified.superseded_by,
            "counts": {each.value.replace(" ", "_"): _count(checks, each) for each in Status},
            "checks": [
                {
                    "name": each.name,
                    "section": each.section,
                    "status": each.status.value,
                    "words": each.words,
                    "path": each.path or None,
                    "expected": each.expected or None,
                    "found": each.found or None,
                }
                for each in checks
            ],
        }

    def view(self) -> RenderableType:
        """The checks by the part of the report they are of, what the marks mean, and the outcome.

        Those that passed are named in one line for each part, the words are for the others; verbose has all words.
        """
        parts: dict[str, list[Check]] = {}
        for each in self.verified.checks:
            parts.setdefault(each.section, []).append(each)
        rows = table("", "Part", "Checks")
        for section, checks in parts.items():
            name = section.replace("_", " ")
            for status, words in self._lines(checks):
                mark, style = _MARKS[status]
                rows.add_row(Text(mark, style=style), Text(name, style="dim"), words)
                name = ""
        return stack(rows, Group(self.legend(), *(() if self.is_verbose else (_MORE,))), self.outcome())

    def _lines(self, checks: Sequence[Check]) -> Iterator[tuple[Status, Text]]:
        told = [each for each in checks if self.is_verbose or each.status is not Status.PASSED]
        passed = [each.name for each in checks if each not in told]
        if passed:
            yield Status.PASSED, Text(" · ".join(passed))
        for each in told:
            yield each.status, Text.assemble((each.name, "bold"), f": {each.words}")

    def legend(self) -> Text:
        """How many checks ended in each way."""
        checks, parts = self.verified.checks, list[Text]()
        for status in Status:
            count = _count(checks, status)
            if count:
                mark, style = _MARKS[status]
                parts.append(Text.assemble((f"{mark} ", style), f"{count} {_LEGEND[status][count != 1]}"))
        return Text("   ").join(parts)

    def outcome(self) -> RenderableType:
        """Whether the report holds; else the first check that failed, and the first figure, with both values."""
        header, failure = self.verified.header, self.verified.first_failure
        if failure is not None:
            figure = self.verified.first_figure
            return stack(_failure_panel(failure), _failure_panel(figure) if figure and figure != failure else None)
        assert header is not None
        kind = "draft" if self.verified.is_draft else "report"
        words = f"The {kind} of {period_text(header.period)}, version {header.version}, holds"
        missing = _count(self.verified.checks, Status.NOT_SERVED)
        mark, style = ("○ ", "yellow") if missing else ("✓ ", "green")
        rest = f" as far as this node serves it: {missing} {'check is' if missing == 1 else 'checks are'} not whole"
        holds = Text.assemble(
            (mark, style), (words + (rest if missing else ""), "bold"), (f" · SHA-256 {short(header.hash, 8)}", "dim")
        )
        newer = self.verified.superseded_by
        if newer is None:
            return holds
        return stack(holds, Text(f"! Version {newer} supersedes it: rely on that one.", style="yellow"))


_MORE: Final = Text("What each check found: --verbose, or --json.", style="dim")
_LEGEND: Final = {
    Status.PASSED: ("holds", "hold"),
    Status.FAILED: ("does not", "do not"),
    Status.NOT_SERVED: ("the node no longer serves; what was checked instead is said",) * 2,
    Status.STATED: ("stands on somebody's word", "stand on somebody's word"),
}


def _count(checks: tuple[Check, ...], status: Status) -> int:
    return sum(1 for each in checks if each.status is status)


def _failure_panel(failure: Check) -> RenderableType:
    """The first figure that disagrees, with both values."""
    is_file = failure.section == "files"
    rows: list[tuple[str, RenderableType | str]] = [
        ("Where", failure.path),
        (
            "It has to be" if is_file else "By the chain",
            Text(failure.expected, style="green") if failure.expected else "",
        ),
        ("It is" if is_file else "In the report", Text(failure.found, style="red") if failure.found else ""),
    ]
    title = f"[bold]The report does not hold: {failure.name}[/bold]"
    return Panel(stack(Text(failure.words), facts(rows)), title=title, title_align="left", border_style="red")


@command(
    app,
    "verify",
    examples=(
        "tally report verify 2026-10/v1/report.json --url https://api.mainnet-beta.solana.com --issuer 7xKX…",
        "tally report verify report.json --url http://127.0.0.1:8899 --pdf report.pdf",
        "tally report verify report.json --url https://rpc.example.com --json   # exit 1 unless it holds",
        "tally report verify report.json --url https://rpc.example.com --draft   # before it is published",
    ),
)
async def report_verify(
    tally: Tally,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="report.json, as it was published.", dir_okay=False)],
    url: Annotated[str, typer.Option("--url", metavar="RPC", help="Any JSON-RPC endpoint of the report's cluster.")],
    issuer: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Whose report it has to be; else whom it names.")
    ] = None,
    pdf: Annotated[Path | None, typer.Option(help="The PDF; else report.pdf beside FILE.", dir_okay=False)] = None,
    page: Annotated[Path | None, typer.Option(help="The page; else index.html beside FILE.", dir_okay=False)] = None,
    corrected: Annotated[
        Path | None,
        typer.Option(
            help="report.json of the version that it corrects; else that of the folder beside.", dir_okay=False
        ),
    ] = None,
    draft: Annotated[
        bool, typer.Option("--draft", help="It need not be published yet: for whoever is asked to approve it.")
    ] = False,
) -> ReportVerified:
    """Check a published report with the file and an RPC endpoint alone: no profile, no database.

    Every figure that is on chain is recomputed and compared: supply, fills, escrow, multipliers, reserves, roles,
    actions, holders, the daily closes, the drawn day. What the node no longer serves is said, with what was checked
    instead, and what nothing on chain can show. Files beside it are made again from it. Exit 1 when a check failed. The
    endpoint is taken at its word: ask one of your own, or a second one.
    """
    try:
        verified = await check_file(
            tally,
            tally.open_chain_at(url),
            file,
            read_file(file),
            issuer=None if issuer is None else _address(issuer),
            given={name: path for name, path in ((PDF, pdf), (PAGE, page)) if path is not None},
            corrected=corrected,
            is_draft=draft,
        )
    except (EndpointError, ConfigurationError) as error:
        # No profile is read here, so none is to be corrected.
        error.hint = "Check --url, or give another endpoint of the report's cluster: --url RPC"
        raise
    return ReportVerified(verified, tally.is_verbose)


async def check_file(
    tally: Tally,
    chain: Chain,
    file: Path,
    content: bytes,
    *,
    issuer: Pubkey | None,
    given: Mapping[str, Path] | None = None,
    corrected: Path | None = None,
    is_draft: bool = False,
) -> Verified:
    """report.json, as it was read from `file`, and what lies beside it, or was given, against a chain. InputError for a
    file that cannot be read."""
    render_pdf, render_page = tally.paper_renderers()
    files = {name: (file.parent / name).read_bytes() for name in FILES if (file.parent / name).is_file()}
    files |= {name: read_file(path) for name, path in (given or {}).items()}
    files |= _holders_beside(file)
    before = read_file(corrected) if corrected else _beside(file, content)

    def progress(what: str, done: int, count: int) -> None:
        if not tally.is_json and tally.err.is_terminal:
            status.update(f"Reading the chain: {what} {done:,} of {count:,}")

    with tally.err.status("Reading the chain") as status:
        return await verify_report(
            chain,
            content,
            tally.clock,
            issuer=issuer,
            is_draft=is_draft,
            corrected=before,
            files=files,
            render_pdf=render_pdf,
            render_page=render_page,
            progress=progress,
        )


def _beside(file: Path, content: bytes) -> bytes | None:
    """The version before in the folder of all versions of a month, where FILE is in one."""
    try:
        before = file.absolute().parent.parent / f"v{read_header(content).version - 1}" / file.name
    except LedgerError:
        return None
    return before.read_bytes() if before.is_file() else None


def _holders_beside(file: Path) -> dict[str, bytes]:
    """The holders' files that lie beside the report, by their names from its folder on."""
    folder = file.parent
    return {
        path.relative_to(folder).as_posix(): read_file(path) for path in sorted((folder / HOLDERS).glob("*/*.json"))
    }


def _address(text: str) -> Pubkey:
    try:
        return Pubkey.from_string(text)
    except ValueError as error:
        raise InputError(f"{text!r} is no address.", hint="Write the issuer's address in base 58.") from error
