"""tally report build, show and status: the draft of a month's report, its verdict, and what comes next."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text
from tallystick.domain.report_anchors import parse_period, period_text
from tallystick.domain.reserve_report.document import read_report
from tallystick.domain.reserve_report.published import APPROVAL, PAGE, PDF, REPORT, approval_bytes, version_folder
from tallystick.errors import Refused
from tallystick.services.report_approval import published_approval
from tallystick.services.report_build import Built, build_report
from tallystick.services.report_status import MonthStatus, month_status

from tallystick_cli.approval import count
from tallystick_cli.command import command
from tallystick_cli.commands.report import MonthArgument, VersionOption, app
from tallystick_cli.commands.report_publish import find_report
from tallystick_cli.context import ReportState, StoredReport, Tally
from tallystick_cli.files import write_file
from tallystick_cli.render import amount, facts, instant_text, shown_path, stack, table, when

DRAFTS = "report-drafts"
"""The folder of drafts, beside the profile."""


@dataclass(frozen=True, slots=True)
class ReportShown:
    """A version of a report. `built` is None for one that was only looked up; `files` are what was written."""

    report: StoredReport
    built: Built | None = None
    files: tuple[Path, ...] = ()
    exit_code: int = 0

    def document(self) -> dict[str, object]:
        """State, digest and verdict, and the whole report under `report`."""
        report, document = self.report, read_report(self.report.content)
        shown: dict[str, object] = {
            "period": period_text(report.period),
            "version": report.version,
            "state": report.state.value,
            "digest": report.digest.hex(),
            "built_at": instant_text(report.built_at),
            "files": [str(each) for each in self.files],
            "summary": document["summary"],
        }
        if self.built is not None:
            shown |= {
                "is_changed": self.built.is_changed,
                "missing_days": list(self.built.missing_days),
                "drawn_day": self.built.drawn_day,
                "changes": [
                    {"path": each.path, "before": each.before, "after": each.after} for each in self.built.changes
                ],
            }
        return shown | {"report": document}

    def view(self) -> RenderableType:
        """The verdict of each security, then what else a reader asks first."""
        report = self.report
        document: dict[str, Any] = json.loads(report.content)
        word = ("Built" if self.built.is_changed else "Unchanged") if self.built else "Report"
        head = Text.assemble(
            (
                "✓ " if document["summary"]["is_passed"] else "✗ ",
                "green" if document["summary"]["is_passed"] else "red",
            ),
            (f"{word}: {report.name}", "bold"),
            (f" · {report.state.value} · as of {document['header']['as_of']['time']}", "dim"),
        )
        second = document["second_look"]
        rows = facts(
            [
                ("Verdict", document["summary"]["words"]),
                ("Second look", second["words"]),
                ("Breaks open", str(document["summary"]["breaks_open"])),
                ("Holders", f"{document['summary']['holders']:,}"),
                ("Asserted", document["assertion"]["words"]),
                ("Examined", document["assertion"]["examination_words"]),
                ("Not closed", _days(self.built.missing_days) if self.built else ""),
                ("Corrects", _correction(document)),
                ("Digest", report.digest.hex()),
                ("Built", f"{when(report.built_at)} UTC"),
                ("Written to", "\n".join(shown_path(each) for each in self.files)),
            ]
        )
        return stack(head, _verdicts(document["test"]), rows, Text(_following(report), style="dim"))


@command(
    app,
    "build",
    examples=(
        "tally report build 2026-10",
        "tally report build 2026-10 --out draft --json",
        "tally report build 2026-10 --correct 'a statement was read twice'   # once it is published",
    ),
)
async def build(
    tally: Tally,
    month: MonthArgument,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where the draft's files go; else beside the profile.")
    ] = None,
    without_draw: Annotated[
        bool, typer.Option("--without-draw", help="Build though no day was drawn; the report says so.")
    ] = False,
    correct: Annotated[
        str | None, typer.Option(metavar="WHY", help="Make the next version of a published report, for this reason.")
    ] = None,
) -> ReportShown:
    """Build the report of a month from chain, closes, statements and what was declared; keep it as a draft.

    Every figure of the chain is compared with the closes first; a difference stops it. The same sources make the same
    bytes, so that building again tells whether anything changed; a new draft takes an approval back. A published report
    never changes: --correct makes its next version, which lists what changed.
    """
    period = parse_period(month)
    if correct is not None and not correct.strip():
        raise Refused("A correction needs a reason.", hint="Say why after --correct, for whoever reads the report.")
    books = await tally.open_store()
    with tally.err.status("Reading the month …") as status:

        def tell(what: str, done: int, total: int) -> None:
            status.update(f"Reading {what} · {done:,} of {total:,}")

        built = await build_report(
            tally.open_chain(),
            books.report_books(),
            tally.report_profile(),
            tally.issuer,
            period,
            tally.clock,
            is_draw_needed=not without_draw,
            reason=correct.strip() if correct else "",
            progress=tell,
        )
        status.update("Drawing the paper …")
        files = await _write(tally, built.report, out)
    if built.is_changed:
        await (await tally.open_trail()).note(
            "report build", built.report.name, {"digest": built.report.digest.hex(), "changes": len(built.changes)}
        )
    return ReportShown(built.report, built, files)


@command(app, "show", examples=("tally report show 2026-10", "tally report show 2026-10 --version 1 --json"))
async def show(tally: Tally, month: MonthArgument, version: VersionOption = None) -> ReportShown:
    """A version of a month's report as it is kept, and its verdict."""
    return ReportShown(await find_report(tally, month, version))


@dataclass(frozen=True, slots=True)
class StatusShown:
    """How far a month's report is."""

    status: MonthStatus
    exit_code: int = 0

    def document(self) -> dict[str, object]:
        """Each step, and what comes next."""
        status = self.status
        return {
            "period": period_text(status.period),
            "is_over": status.is_over,
            "closed": list(status.closed),
            "anchored": list(status.anchored),
            "waiting": list(status.waiting),
            "missing": list(status.missing),
            "draw_attempts": status.draw.attempts if status.draw else 0,
            "drawn_day": status.drawn_day,
            "declaration": {
                "number": status.declaration.number,
                "digest": status.declaration.digest.hex(),
                "declared_at": instant_text(status.declaration.declared_at),
            }
            if status.declaration
            else None,
            "officers": [
                {"name": each.name, "title": each.title, "is_signed": each.is_signed} for each in status.officers
            ],
            "versions": [
                {"version": each.version, "state": each.state.value, "digest": each.digest.hex()}
                for each in status.reports
            ],
            "next": status.next_step,
        }

    def view(self) -> RenderableType:
        """A line for each step."""
        status = self.status
        rows = table("", "Step", "State")
        for is_done, step, state in _steps(status):
            rows.add_row(Text("✓", "green") if is_done else Text("·", "yellow"), step, state)
        head = Text(f"Report of {period_text(status.period)}", style="bold")
        return stack(head, rows, Text(status.next_step))


@command(app, "status", examples=("tally report status", "tally report status 2026-10 --json"))
async def status(
    tally: Tally,
    month: Annotated[
        str | None, typer.Argument(metavar="MONTH", help="As 2026-10; else the last that is over.")
    ] = None,
) -> StatusShown:
    """How far a month's report is, step by step, and what comes next."""
    books = await tally.open_store()
    period = None if month is None else parse_period(month)
    return StatusShown(await month_status(tally.open_chain(), books.report_books(), tally.issuer, period))


def _steps(status: MonthStatus) -> list[tuple[bool, str, str]]:
    closed, newest = len(status.closed), status.reports[-1] if status.reports else None
    missing = f", not closed: {_days(status.missing)}" if status.missing else ""
    signed = [each.name for each in status.officers if each.is_signed]
    draw = status.drawn_day or ("requested, not drawn" if status.draw else "not requested")
    if status.draw and status.draw.attempts > 1:
        draw += f" (requested {status.draw.attempts} times)"
    declared = f"declaration {status.declaration.number}" if status.declaration else "nothing declared"
    states = {state: place for place, state in enumerate(ReportState)}
    place = -1 if newest is None else states[newest.state]
    return [
        (closed > 0 and not status.missing, "Days closed", f"{count(closed, 'day')}{missing}"),
        (
            closed > 0 and not status.waiting,
            "On chain",
            count(len(status.anchored), "day") + (f", waiting: {_days(status.waiting)}" if status.waiting else ""),
        ),
        (status.drawn_day is not None, "Drawn day", draw),
        (status.declaration is not None, "Declared", declared),
        (
            bool(signed) and len(signed) == len(status.officers),
            "Asserted",
            f"{len(signed)} of {count(len(status.officers), 'officer')} signed" if status.officers else "by nobody",
        ),
        (newest is not None, "Built", f"version {newest.version}, {newest.digest.hex()}" if newest else "no"),
        (place >= states[ReportState.APPROVED], "Approved", _moment(newest, newest and newest.approval)),
        (place == states[ReportState.PUBLISHED], "Published", _moment(newest, newest and newest.publication)),
    ]


def _moment(report: StoredReport | None, step: Any) -> str:
    if step is None:
        under_way = report is not None and report.state is ReportState.PUBLISHING
        return "begun" if under_way else "no"
    at: int = step.approved_at if hasattr(step, "approved_at") else step.published_at
    return f"{when(at)} UTC"


def _days(days: tuple[str, ...]) -> str:
    """Days of one month, runs of them as first to last."""
    runs: list[list[str]] = []
    for day in days:
        if runs and int(runs[-1][-1][8:]) + 1 == int(day[8:]):
            runs[-1].append(day)
        else:
            runs.append([day])
    return ", ".join(run[0] if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)


def _verdicts(test: list[dict[str, Any]]) -> RenderableType:
    numbers = ["Required", "Held", "Attested", "Surplus", "Ratio"]
    rows = table("Security", *numbers, "Result", right=numbers)
    for row in test:
        figures = [row[name.lower()] for name in numbers[:-1]]
        passed = Text("passed", "green") if row["is_passed"] else Text("not passed", "bold red")
        shown = [amount(int(each), row["decimals"]) if each is not None else "unknown" for each in figures]
        rows.add_row(row["ticker"], *shown, row["ratio"] or "", passed)
    return rows


def _correction(document: dict[str, Any]) -> str:
    corrects = document["header"]["corrects"]
    if corrects is None:
        return ""
    return f"version {corrects['version']}: {corrects['reason']} ({count(len(corrects['changes']), 'change')})"


def _following(report: StoredReport) -> str:
    month = period_text(report.period)
    return {
        ReportState.DRAFT: f"Nothing was signed. A second person agrees to it: tally report approve {month}",
        ReportState.APPROVED: f"A publisher publishes it: tally report publish {month}",
        ReportState.PUBLISHING: f"Its publication was begun; carry it on: tally report publish {month}",
        ReportState.PUBLISHED: "It is published and stays as it is; a correction is a new version.",
    }[report.state]


async def _write(tally: Tally, report: StoredReport, out: Path | None) -> tuple[Path, ...]:
    """The draft's files: the report and its paper, and the page once somebody approved it."""
    folder = out or tally.folder / DRAFTS / version_folder(report.period, report.version)
    renderers = tally.report_renderers(await tally.open_store())
    files = {REPORT: report.content, PDF: await asyncio.to_thread(renderers.pdf, report.content)}
    if report.approval is not None:
        approval = approval_bytes(published_approval(report))
        files |= {APPROVAL: approval, PAGE: await asyncio.to_thread(renderers.page, report.content, approval)}
    for name, content in files.items():
        write_file(folder / name, content)
    return tuple(folder / name for name in files)


__all__ = ["app"]
