"""A stranger checks a published report with its file and an endpoint: what holds is said, what does not is named."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from building_desk import BuildingDesk
from desk import key
from rich.console import Console
from solders.pubkey import Pubkey
from tallystick.adapters.chain.memory import MemoryChain
from tallystick.adapters.chain.signers import KeypairSigner
from tallystick.adapters.publish.charts import charts
from tallystick.adapters.publish.folder import MemoryPublishFolder
from tallystick.adapters.publish.pdf import render_pdf
from tallystick.adapters.publish.site import proof_of_reserves, render_index, render_page
from tallystick.domain.canonical import canonical_json
from tallystick.domain.reserve_report.checks import Check, Status
from tallystick.domain.reserve_report.published import read_header
from tallystick.localnet import LocalnetServer
from tallystick.services.plans import execute
from tallystick.services.report_approval import Rebuilt, approve_report, published_approval, review_report
from tallystick.services.report_holders import holder_files
from tallystick.services.report_publications import plan_publish_report
from tallystick.services.report_publish import Renderers, finish_publication, lay_out
from tallystick.services.report_verify import FILES, Verified, verify_report
from tallystick_cli.commands.report_verify import ReportVerified
from tallystick_cli.main import app
from typer.testing import CliRunner

TOP = "2026-09/v1"


def page(content: bytes, approval: bytes) -> bytes:
    return render_page(content, approval, charts(json.loads(content)))


@dataclass(frozen=True, slots=True)
class Shown:
    """What the world has: a chain, and the files of one version."""

    desk: BuildingDesk
    content: bytes
    files: Mapping[str, bytes]

    async def verify(self, content: bytes | None = None, **changes: Any) -> Verified:
        given: dict[str, Any] = {
            "issuer": self.desk.issuer,
            "files": self.files,
            "render_pdf": render_pdf,
            "render_page": page,
        }
        return await verify_report(self.desk.chain, content or self.content, self.desk.clock, **(given | changes))

    def changed(self, *path: str, value: Any) -> bytes:
        """The report with another value at a place."""
        document: Any = json.loads(self.content)
        holder = document
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = value
        return canonical_json(document)


async def published() -> Shown:
    """A month that was built, approved and published with the files as they are really made."""
    desk, folder = BuildingDesk(), MemoryPublishFolder()
    await desk.month()
    report = (await desk.build()).report
    review = review_report(report, lambda _: (), Rebuilt(report.content))
    signer = KeypairSigner(key("approver"))
    report = await approve_report(desk.books.reports, review, signer, desk.clock, publishers=[desk["publisher"]])
    header = read_header(report.content)

    def holders(content: bytes) -> AsyncIterator[tuple[str, bytes]]:
        return holder_files(desk.closes, content)

    made = Renderers(render_pdf, page, holders, render_index, proof_of_reserves)
    plan = await plan_publish_report(desk.chain, header, payer=desk["payer"], publisher=desk["publisher"])
    await lay_out(desk.books.reports, folder, report, published_approval(report), made)
    await execute(plan, desk.sender, desk.signers)
    await finish_publication(desk.chain, desk.books.reports, folder, desk.clock, report, made)
    files = {name: folder.files[f"{TOP}/{name}"] for name in FILES}
    return Shown(desk, report.content, files)


@pytest.fixture(scope="module")
def shown() -> Shown:
    return asyncio.run(published())


def failed(verified: Verified) -> list[str]:
    return [each.name for each in verified.checks if each.status is Status.FAILED]


async def test_a_published_report_holds_with_all_its_files(shown: Shown) -> None:
    verified = await shown.verify()
    assert failed(verified) == []
    assert verified.is_verified
    assert [each.name for each in verified.checks[-4:]] == list(FILES)
    assert {each.status for each in verified.checks} == {Status.PASSED, Status.STATED}


async def test_without_the_issuers_address_the_reader_is_told_to_compare_it(shown: Shown) -> None:
    first = (await shown.verify(issuer=None)).checks[0]
    assert (first.status, "compare it" in first.words) == (Status.STATED, True)


async def test_the_report_of_another_issuer_is_refused(shown: Shown) -> None:
    verified = await shown.verify(issuer=Pubkey.from_bytes(b"\7" * 32))
    assert failed(verified) == ["issuer"]


async def test_a_changed_figure_is_named_with_both_values(shown: Shown) -> None:
    document = json.loads(shown.content)
    supply = document["tokens"][0]["supply"]
    document["tokens"][0]["supply"] = str(int(supply) + 1)
    verified = await shown.verify(canonical_json(document))
    assert failed(verified)[0] == "hash on chain"
    figure = next(each for each in verified.checks if each.path == "/tokens/0/supply")
    assert (figure.expected, figure.found) == (json.dumps(supply), json.dumps(str(int(supply) + 1)))


async def test_a_report_that_was_never_published_is_refused(shown: Shown) -> None:
    document = json.loads(shown.content)
    document["header"]["version"] = document["declared"]["version"] = 2
    assert failed(await shown.verify(canonical_json(document))) == ["hash on chain"]


async def test_a_report_of_another_cluster_is_refused(shown: Shown) -> None:
    elsewhere = shown.changed("header", "cluster", value=str(Pubkey.from_bytes(b"\3" * 32)))
    assert failed(await shown.verify(elsewhere)) == ["cluster"]


async def test_an_opening_that_is_behind_the_month_is_found(shown: Shown) -> None:
    last = json.loads(shown.content)["declared"]["closes"]["contents"][-1]
    opening = {"content": last, "previous": "00" * 32}
    verified = await shown.verify(shown.changed("declared", "opening", value=opening))
    assert failed(verified) == ["figures"]


@pytest.mark.parametrize("content", [b"", b"{}", b"no JSON", b'{"format":"tallystick reserve report"}'])
async def test_what_is_no_report_fails_in_form(shown: Shown, content: bytes) -> None:
    verified = await shown.verify(content or b" ")
    assert (failed(verified), verified.header) == (["form"], None)


@pytest.mark.parametrize("name", FILES)
async def test_a_changed_file_beside_it_is_found(shown: Shown, name: str) -> None:
    files = dict(shown.files) | {name: shown.files[name][:-1] + b"x"}
    found = failed(await shown.verify(files=files))
    assert name in found
    assert set(found) <= {name, "index.html"}


async def test_a_missing_approval_is_said(shown: Shown) -> None:
    (found,) = [each for each in (await shown.verify(files={})).checks if each.name == "approval.json"]
    assert found.status is Status.STATED


async def test_days_without_a_close_are_said(shown: Shown) -> None:
    (found,) = [each for each in (await shown.verify()).checks if each.name == "closed days on chain"]
    days = 30 - len(json.loads(shown.content)["declared"]["closes"]["contents"])
    assert days > 0
    assert f"without one, on chain or here: {days}." in found.words


async def test_the_approval_of_another_report_is_found(shown: Shown) -> None:
    other = json.loads(shown.files["approval.json"]) | {"digest": "00" * 32}
    files = dict(shown.files) | {"approval.json": canonical_json(other)}
    assert "approval.json" in failed(await shown.verify(files=files))


async def test_an_approval_with_somebody_elses_signature_is_found(shown: Shown) -> None:
    other = json.loads(shown.files["approval.json"]) | {"approver": str(shown.desk["publisher"])}
    files = {"approval.json": canonical_json(other)}
    assert failed(await shown.verify(files=files)) == ["approval.json"]


@pytest.mark.parametrize("version", [True, 0, -1, 65_536, "1", None])
async def test_a_version_that_there_cannot_be_fails_in_form(shown: Shown, version: object) -> None:
    assert failed(await shown.verify(shown.changed("header", "version", value=version))) == ["form"]


async def test_a_declaration_of_no_month_fails_by_its_period(shown: Shown) -> None:
    verified = await shown.verify(shown.changed("declared", "period", value=0))
    assert [each.path for each in verified.checks if each.name == "declaration"] == ["/declared/period"]


async def test_a_close_of_no_slot_fails_before_the_node_is_asked(shown: Shown) -> None:
    document: Any = json.loads(shown.content)
    document["declared"]["closes"]["contents"][0]["slot"] = -5
    verified = await shown.verify(canonical_json(document))
    assert [each.path for each in verified.checks if each.status is Status.FAILED] == [
        "/declared/closes/contents/0/slot"
    ]


class Forgetful(MemoryChain):
    """A node that no longer tells when blocks were."""

    async def get_block_time(self, slot: int) -> int | None:
        return None


async def test_a_node_that_forgot_block_times_is_said(shown: Shown) -> None:
    chain = Forgetful(shown.desk.chain.ledger)
    verified = await verify_report(chain, shown.content, shown.desk.clock)
    assert failed(verified) == []
    assert [each.name for each in verified.checks if each.status is Status.NOT_SERVED] == ["as-of and block times"]


class Shifted(MemoryChain):
    """A chain whose blocks were a second later than the closes say."""

    async def get_block_time(self, slot: int) -> int | None:
        return (self.ledger.block_time(slot) or 0) + 1


async def test_a_close_with_another_time_than_its_block_is_found(shown: Shown) -> None:
    verified = await verify_report(Shifted(shown.desk.chain.ledger), shown.content, shown.desk.clock)
    assert failed(verified) == ["as-of and block times"]


def typed(shown: Shown, folder: Path, content: bytes, *more: str) -> tuple[int, str, str]:
    """The command, with nothing but the published files and an endpoint."""
    file = folder / "report.json"
    file.write_bytes(content)
    for name, data in shown.files.items():
        (folder / name).write_bytes(data)
    with LocalnetServer(shown.desk.chain.ledger, port=0) as server:
        words = ["report", "verify", str(file), "--url", server.url, *more]
        result = CliRunner().invoke(app, words, env={"TALLY_PROFILE": str(folder / "none.toml"), "COLUMNS": "160"})
    return result.exit_code, result.stdout, result.stderr


def test_the_command_needs_no_profile_and_no_store(shown: Shown, tmp_path: Path) -> None:
    code, out, err = typed(shown, tmp_path, shown.content, "--json", "--issuer", str(shown.desk.issuer))
    assert code == 0, out + err
    document = json.loads(out)
    assert document["is_verified"]
    assert document["counts"]["failed"] == document["counts"]["not_served"] == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["report.json", *FILES])


def test_the_command_shows_the_first_figure_that_disagrees_and_exits_with_one(shown: Shown, tmp_path: Path) -> None:
    code, out, _ = typed(shown, tmp_path, shown.content.replace(b'"is_passed":true', b'"is_passed":false', 1))
    assert code == 1
    assert "The report does not hold: hash on chain" in out
    assert json.loads(shown.content)["header"]["report_id"]


def test_the_command_says_that_a_report_holds(shown: Shown, tmp_path: Path) -> None:
    code, out, err = typed(shown, tmp_path, shown.content)
    assert code == 0, out + err
    assert "The report of 2026-09, version 1, holds" in out


def test_the_command_does_not_say_that_all_holds_where_not_all_was_served(shown: Shown) -> None:
    checks = (Check("daily closes", "days", Status.NOT_SERVED, "The node does not serve them."),)
    told = ReportVerified(Verified(read_header(shown.content), checks)).outcome()
    assert "holds as far as this node serves it: 1 check is not whole" in str(told)


def test_the_command_refuses_what_is_no_address(shown: Shown, tmp_path: Path) -> None:
    code, _, err = typed(shown, tmp_path, shown.content, "--issuer", "nobody")
    assert code == 2
    assert "is no address" in err


def test_the_command_says_that_a_corrected_version_is_superseded(shown: Shown) -> None:
    header = read_header(shown.content)
    checks = (Check("hash on chain", "anchor", Status.PASSED, "It is the one published."),)
    console = Console(width=100, record=True, file=StringIO())
    console.print(ReportVerified(Verified(header, checks, 3)).view())
    shown_text = console.export_text()
    assert "✓ 1 holds" in shown_text
    assert "Version 3 supersedes it" in shown_text
    assert ReportVerified(Verified(header, checks)).document()["superseded_by"] is None


def test_the_table_names_what_passed_by_part_and_has_the_words_of_what_did_not() -> None:
    checks = (
        Check("opening", "header", Status.PASSED, "Where the report before ended."),
        Check("header", "header", Status.PASSED, "Values built again and equal: 22."),
        Check("daily closes", "days", Status.NOT_SERVED, "The node does not serve them."),
        Check("summary", "summary", Status.FAILED, "/summary/holders is 4; expected 3."),
    )

    def lines(*, is_verbose: bool) -> list[str]:
        console = Console(width=80, record=True, file=StringIO())
        console.print(ReportVerified(Verified(None, checks), is_verbose).view())
        return [" ".join(each.split()) for each in console.export_text().splitlines()]

    short = lines(is_verbose=False)
    assert short[2:5] == [
        "✓ header opening · header",
        "○ days daily closes: The node does not serve them.",
        "✗ summary summary: /summary/holders is 4; expected 3.",
    ]
    assert any("--verbose" in each for each in short)
    long = lines(is_verbose=True)
    assert long[2:4] == [
        "✓ header opening: Where the report before ended.",
        "✓ header: Values built again and equal: 22.",
    ]


def test_a_dead_endpoint_that_was_given_is_not_looked_for_in_a_profile(shown: Shown, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_bytes(shown.content)
    words = ["report", "verify", str(file), "--url", "http://127.0.0.1:1", "--json"]
    result = CliRunner().invoke(app, words, env={"TALLY_PROFILE": str(tmp_path / "none.toml")})
    error = json.loads(result.stdout)
    assert error["exit_code"] == 4
    assert "--url" in error["error"]["next"]
    assert "profile" not in error["error"]["next"]
