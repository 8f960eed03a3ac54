"""tally report approve and publish: a second person agrees to the bytes, then files and chain, in that order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text
from solders.pubkey import Pubkey
from tallystick.domain.report_anchors import parse_period, period_text
from tallystick.domain.reserve_report.checks import Status
from tallystick.domain.reserve_report.codec import read_declared
from tallystick.domain.reserve_report.document import read_report
from tallystick.domain.reserve_report.published import Approval, approval_bytes, read_approval, read_header
from tallystick.domain.reserve_report.verify_arithmetic import verify_arithmetic
from tallystick.errors import ConfigurationError, InputError, Refused
from tallystick.services.report_approval import (
    Rebuilt,
    Review,
    adopt_approval,
    approve_report,
    published_approval,
    require_approved,
    require_second_key,
    review_report,
    sign_approval,
)
from tallystick.services.report_publications import plan_publish_report, publisher_keys
from tallystick.services.report_publish import (
    Published,
    adopt_publications,
    finish_publication,
    lay_out,
    require_publishable,
)
from tallystick.services.report_rebuild import rebuild_report
from tallystick.services.report_verify import Verified

from tallystick_cli.approval import Signed, confirm, count, given_key, sign
from tallystick_cli.command import command
from tallystick_cli.commands.report import MonthArgument, VersionOption, app
from tallystick_cli.commands.report_verify import ReportVerified, check_file
from tallystick_cli.context import KeypairSigner, StoredReport, Tally
from tallystick_cli.files import read_file, write_file
from tallystick_cli.render import facts, instant_text, shown_path, stack, when


@dataclass(frozen=True, slots=True)
class Approved:
    """A report that a second person agreed to, or would: `approval` is None in a dry run."""

    review: Review
    approval: Approval | None
    written: Path | None = None
    verified: Verified | None = None
    """Of a draft that came as a file: its figures against the chain."""
    exit_code: int = 0

    def document(self) -> dict[str, object]:
        """What was agreed to, by whom, and the signature."""
        report, header = self.review.report, self.review.header
        return {
            "dry_run": self.approval is None,
            "period": period_text(report.period),
            "version": report.version,
            "digest": report.digest.hex(),
            "is_passed": header.is_passed,
            "words": header.words,
            "is_rebuilt": self.review.is_rebuilt,
            "doubts": list(self.review.doubts),
            "approver": self.approval.approver if self.approval else None,
            "signature": self.approval.signature if self.approval else None,
            "written": str(self.written) if self.written else None,
        }

    def view(self) -> RenderableType:
        """The report, then the signature and what comes next."""
        if self.approval is None:
            dry = Text("Dry run: nothing was signed or stored.", style="bold")
            return stack(dry, review_view(self.review, self.verified))
        done = Text.assemble(("✓ ", "green"), f"Report {self.review.report.name} is approved.")
        signed = facts(
            [
                ("Digest", self.approval.digest.hex()),
                ("Approved by", self.approval.approver),
                ("Signature", self.approval.signature),
                ("Written to", shown_path(self.written) if self.written else ""),
            ]
        )
        month = period_text(self.review.report.period)
        next_step = f"A publisher publishes it: tally report publish {month}"
        if self.verified is not None:
            next_step = f"Send the file to the publisher, who takes it up: tally report approve {month} --signed FILE"
        return stack(done, signed, Text(next_step))


@dataclass(frozen=True, slots=True)
class Released:
    """A report that the chain has. `signed` is the transaction of now, `adopted` names versions that the store had to
    take up from chain and folder first."""

    published: Published
    signed: Signed
    folder: Path
    uri: str
    adopted: tuple[str, ...] = ()
    exit_code: int = 0

    def document(self) -> dict[str, object]:
        """Where it is, on chain and in the folder."""
        report, anchor = self.published.report, self.published.anchor
        return {
            "period": period_text(report.period),
            "version": report.version,
            "digest": report.digest.hex(),
            "uri": self.uri,
            "account": anchor.account,
            "signature": anchor.signature or None,
            "slot": anchor.slot or None,
            "published_at": instant_text(anchor.published_at),
            "folder": str(self.folder),
            "files": list(self.published.files),
            "adopted": list(self.adopted),
            "transactions": self.signed.document()["transactions"],
        }

    def view(self) -> RenderableType:
        """One line, then where it is."""
        report, anchor = self.published.report, self.published.anchor
        lines = [
            Text.assemble(("• ", "yellow"), f"{name} was on chain already; the store has taken it up.")
            for name in self.adopted
        ]
        done = Text.assemble(("✓ ", "green"), f"Report {report.name} is published.")
        found = facts(
            [
                ("Digest", report.digest.hex()),
                ("Account", anchor.account),
                ("Transaction", anchor.signature or "this endpoint no longer tells"),
                ("Published", f"{when(anchor.published_at)} UTC"),
                ("Files", f"{count(len(self.published.files), 'file')} in {shown_path(self.folder)}"),
                ("Address", self.uri),
            ]
        )
        step = f"Anybody checks it: tally report verify {shown_path(self.folder / _report_path(report))} --url RPC"
        return stack(Group(*lines) if lines else None, done, found, Text(step))


@command(
    app,
    "approve",
    signs=True,
    examples=(
        "tally report approve 2026-10",
        "tally report approve 2026-10 --key /media/stick/approver.json --out approval.json",
        "tally report approve 2026-10 --draft report.json --out approval.json   # on the second person's own machine",
        "tally report approve 2026-10 --signed approval.json   # there, taken up by the publisher",
    ),
)
async def approve(
    tally: Tally,
    month: MonthArgument,
    key: Annotated[
        Path | None, typer.Option("--key", metavar="FILE", help="The key file; else the profile's report_approver.")
    ] = None,
    signed: Annotated[
        Path | None,
        typer.Option(
            "--signed", metavar="FILE", help="Take up an approval that was signed elsewhere, and sign nothing."
        ),
    ] = None,
    draft: Annotated[
        Path | None,
        typer.Option(
            "--draft", metavar="FILE", help="The draft's report.json, where the store is another; needs --out."
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write approval.json too.")] = None,
    version: VersionOption = None,
) -> Approved:
    """Agree to a report before it is published: a second person, with a key that publishes nothing.

    Shown is the digest that is signed and the verdict it stands for. The draft is checked for canonical form and its
    own arithmetic, and built again from this machine's sources; what differs is said. Best on the second person's own
    machine: --draft checks every figure against the chain first, as tally report verify --draft does. Building another
    draft takes an approval back.
    """
    if draft is not None:
        if signed is not None or version is not None or out is None:
            raise InputError(
                "--draft goes with --out, and with neither --signed nor --version.",
                hint="Sign the draft: tally report approve MONTH --draft FILE --out approval.json",
            )
        return await _approve_draft(tally, parse_period(month), draft, key, out)
    books = await tally.open_store()
    report = await find_report(tally, month, version)
    review = review_report(report, document_problems, await rebuild(tally, report)).require_sound()
    publishers = await publisher_keys(tally.open_chain(), tally.issuer)
    if signed is not None:
        approval = read_approval(read_file(signed))
        if tally.is_dry_run:
            return Approved(review, None)
        kept = await adopt_approval(books.reports, report, approval, tally.clock, publishers=publishers)
    else:
        signer = _approver(tally, key)
        if tally.is_dry_run:
            return Approved(review, None)
        _confirm_approval(tally, review, signer.pubkey)
        kept = await approve_report(books.reports, review, signer, tally.clock, publishers=publishers)
    approval = published_approval(kept)
    if kept.approval != report.approval:
        await _note_approval(tally, review, approval)
    if out is not None:
        write_file(out, approval_bytes(approval))
    return Approved(replace(review, report=kept), approval, out)


async def _approve_draft(tally: Tally, period: int, draft: Path, key: Path | None, out: Path) -> Approved:
    """Agree to a draft that came as a file, on a machine whose store does not have it."""
    content = read_file(draft)
    header = read_header(content)
    report = StoredReport(bytes(tally.issuer), period, header.version, content, built_at=0)
    chain = tally.open_chain()
    verified = await check_file(tally, chain, draft, content, issuer=tally.issuer, is_draft=True)
    failure = verified.first_failure
    if failure is not None:
        raise Refused(
            f"The draft does not hold: {failure.name}: {failure.words}",
            hint=f"Sign nothing. See all of it: tally report verify {draft} --draft --url RPC",
        )
    if not verified.is_draft:
        raise Refused(f"The chain has report {report.name} already.", hint="A published report takes no approval.")
    review = review_report(report, document_problems, await rebuild(tally, report)).require_sound()
    signer = _approver(tally, key)
    publishers = await publisher_keys(chain, tally.issuer)
    require_second_key(signer.pubkey, publishers)
    if tally.is_dry_run:
        return Approved(review, None, verified=verified)
    _confirm_approval(tally, review, signer.pubkey, verified)
    approval = await sign_approval(review, signer, publishers=publishers)
    await _note_approval(tally, review, approval)
    write_file(out, approval_bytes(approval))
    return Approved(review, approval, out, verified)


def _approver(tally: Tally, key: Path | None) -> KeypairSigner:
    return given_key(key) if key is not None else tally.signer("report_approver")


def _confirm_approval(tally: Tally, review: Review, key: Pubkey, verified: Verified | None = None) -> None:
    """Show what is signed and ask, unless that was answered on the command line."""
    if not tally.is_yes:
        confirm(
            tally,
            lambda: approval_panel(tally, review, key, verified),
            f"Approve report {review.report.name}: this signs its digest",
            "Sign that you agree to this report?",
        )


async def _note_approval(tally: Tally, review: Review, approval: Approval) -> None:
    await (await tally.open_trail()).note(
        "report approve",
        review.report.name,
        {"digest": review.report.digest.hex(), "approver": approval.approver, "is_rebuilt": review.is_rebuilt},
    )


@command(
    app,
    "publish",
    signs=True,
    examples=(
        "tally report publish 2026-10 --dry-run",
        "tally report publish 2026-10",
        "tally report publish 2026-10 --folder /srv/reports --yes",
    ),
)
async def publish(
    tally: Tally,
    month: MonthArgument,
    folder: Annotated[
        Path | None, typer.Option("--folder", metavar="FOLDER", help="Where the files go; else the profile's folder.")
    ] = None,
    version: VersionOption = None,
) -> Released:
    """Publish an approved report: its files into the folder, its hash on chain, then the index of all reports.

    However often it is run and wherever it was cut off, it completes what is missing and publishes once; exit 3 while
    the outcome is not known. Files of a published version stay as they are. After: bring the folder to the web server.
    """
    chain, books = tally.open_chain(), await tally.open_store()
    place = tally.open_reports_folder(folder)
    adopted: tuple[StoredReport, ...] = ()
    if not tally.is_dry_run:
        adopted = await adopt_publications(chain, books.reports, place, tally.issuer, tally.clock)
    report = await find_report(tally, month, version)
    header = read_header(report.content)
    if not tally.is_dry_run:
        await require_publishable(chain, books.reports, report)
    publisher = tally.signer("publisher")
    payer = tally.payer(publisher)
    approval = published_approval(report)
    plan = await plan_publish_report(
        chain,
        header,
        payer=payer.pubkey,
        publisher=publisher.pubkey,
        notes=(
            header.words,
            f"Approved by {approval.approver}.",
            f"To be found at {header.uri}; the files are written before anything is signed.",
        ),
    )
    if not plan.is_empty:
        require_approved(report, approvers=_approvers(tally), publishers=await publisher_keys(chain, tally.issuer))
    renderers = tally.report_renderers(books)

    async def write_files() -> None:
        with tally.err.status("Writing …") as status:
            await lay_out(
                books.reports,
                place,
                report,
                approval,
                renderers,
                lambda name, number: status.update(f"Writing {name} · {number:,} files"),
            )

    signed = await sign(tally, plan, payer, publisher, prepare=write_files)
    if plan.is_empty:
        await write_files()
    with tally.err.status("Waiting until the chain has it for good …"):
        published = await finish_publication(chain, books.reports, place, tally.clock, report, renderers)
    return Released(published, signed, tally.reports_path(folder), header.uri, tuple(each.name for each in adopted))


async def find_report(tally: Tally, month: str, version: int | None) -> StoredReport:
    """A version of a month's report in the store. Refused when there is none."""
    period = parse_period(month)
    found = await (await tally.open_store()).reports.find(bytes(tally.issuer), period, version)
    if found is None:
        name = f"version {version} of the report for {period_text(period)}" if version else period_text(period)
        raise Refused(
            f"The store has no report for {name}." if version is None else f"The store has no {name}.",
            hint=f"Build it: tally report build {period_text(period)}. What that needs first is told by: tally report"
            f" status {period_text(period)}",
        )
    return found


def document_problems(content: bytes) -> tuple[str, ...]:
    """What does not add up within a report, in words. InputError when it is not one in canonical form."""
    document = read_report(content)
    read_declared(document["declared"])
    found = verify_arithmetic(document)
    return (found.words,) if found.status is Status.FAILED else ()


async def rebuild(tally: Tally, report: StoredReport) -> Rebuilt:
    """The report as this machine's own sources make it."""
    books = await tally.open_store()
    with tally.err.status("Building it again …") as status:

        def tell(what: str, done: int, total: int) -> None:
            status.update(f"Building it again · {what} {done:,} of {total:,}")

        return await rebuild_report(
            tally.open_chain(), books.report_books(), tally.report_profile(), report, tally.clock, progress=tell
        )


def review_view(review: Review, verified: Verified | None = None) -> RenderableType:
    """A report as it is looked at before somebody agrees to it."""
    report, header = review.report, review.header
    verdict = Text.assemble(
        ("✓ passed" if header.is_passed else "✗ not passed", "green" if header.is_passed else "bold red"),
        f" · {header.words}",
    )
    rows = facts(
        [
            ("Report", report.name + (f", built {when(report.built_at)} UTC" if report.built_at else "")),
            ("Verdict", verdict),
            ("Digest", report.digest.hex()),
            ("As of slot", f"{header.as_of_slot:,}"),
            ("Previous", header.previous or "none, this is the first"),
            ("Corrects", header.corrects),
            ("Address", header.uri),
        ]
    )
    doubts = [Text(f"• {each}", style="yellow") for each in review.doubts]
    if verified is not None:
        doubts.insert(0, ReportVerified(verified).legend())
    if review.is_rebuilt:
        doubts.append(Text("✓ This machine's own sources make the very same bytes.", style="green"))
    return stack(rows, Group(*doubts) if doubts else None)


def approval_panel(tally: Tally, review: Review, key: Pubkey, verified: Verified | None = None) -> RenderableType:
    """What would be signed, and by whom."""
    signs = facts([("Signs", Text(f"{key} {tally.name_of(key)}".strip()))])
    title = f"[bold]Approve report {review.report.name}[/bold]"
    return Panel(stack(review_view(review, verified), signs), title=title, title_align="left", border_style="cyan")


def _approvers(tally: Tally) -> frozenset[Pubkey]:
    """Whose agreement counts, as the profile says. ConfigurationError when it names nobody."""
    named = [Pubkey.from_string(each) for each in tally.profile.report.approvers]
    if tally.profile.keys.report_approver:
        named.append(tally.signer("report_approver").pubkey)
    if not named:
        raise ConfigurationError(
            "The profile names nobody who may approve reports.",
            hint="Name their addresses under [report] approvers, or a key file under [keys] report_approver.",
        )
    return frozenset(named)


def _report_path(report: StoredReport) -> Path:
    return Path(period_text(report.period)) / f"v{report.version}" / "report.json"


__all__ = ["app", "find_report"]
