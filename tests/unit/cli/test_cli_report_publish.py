"""A report agreed to and published by typing: by two people, once, whatever one of them types twice."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cli_desk import Desk
from custody_files import BOOKED, statement_file
from solders.pubkey import Pubkey
from solders.signature import Signature
from tallystick.adapters.chain.signers import KeypairSigner
from tallystick_cli.commands.init import make_key
from tallystick_cli.profile import change_profile
from typing_in import Terminal

DAY = 86_400
TALLY = "from tallystick_cli.main import main; main()"


@pytest.fixture(scope="module")
def month(desk: Desk) -> str:
    """A month that is over, its days on chain and one of them drawn, its report built."""
    type_ = desk.terminal.json
    change_profile(desk.terminal.profile, lambda document: document.update(report={"uri": "https://example.com/r"}))
    type_("issuer", "role", "grant", "publisher", "--yes")
    desk.warp(2)
    type_("statement", "add", statement_file(desk.folder, "STMT-1", "10", ago=30))
    type_("attest", "tAAPL", "--yes")
    type_("order", "subscribe", "tAAPL", "anna", "10", "--reference", "S-1", "--yes")
    type_("order", "settle", "tAAPL", "S-1", "--movement", "TRF-1", "--moved", "10", *BOOKED, "--yes")
    month = str(type_("close")["content"]["day"])[:7]
    desk.end_month()
    type_("close")
    desk.warp(DAY)
    type_("report", "anchor-days", "--yes")
    type_("report", "draw", month, "--yes")
    type_("report", "build", month)
    return month


@pytest.fixture(scope="module")
def approved(desk: Desk, month: str) -> dict[str, Any]:
    """Agreed to by the second person."""
    return desk.terminal.json("report", "approve", month, "--yes", "--out", desk.folder / "approval.json")


@pytest.fixture(scope="module")
def killed(desk: Desk, month: str, approved: dict[str, Any]) -> list[int]:
    """Processes that publish, each killed as soon as a certain file is in place; how they ended."""
    ended = []
    for name in ("report.json", "holders", "anchor.json"):
        place = desk.folder / "reports" / month / "v1" / name
        command = [sys.executable, "-c", TALLY, "report", "publish", month, "--yes", "--profile", desk.terminal.profile]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None and not place.exists():
                time.sleep(0.002)
            process.kill()
        ended.append(process.returncode)
    return ended


@pytest.fixture(scope="module")
def published(desk: Desk, month: str, killed: list[int]) -> dict[str, Any]:
    """Published at last."""
    return desk.terminal.json("report", "publish", month, "--yes")


def address(desk: Desk, role: str) -> str:
    return str(KeypairSigner.from_file(desk.folder / "keys" / f"{role}.json").pubkey)


def state(desk: Desk, month: str) -> str:
    [version] = desk.terminal.json("report", "status", month)["versions"]
    return str(version["state"])


def test_before_anybody_agreed_nothing_is_published(desk: Desk, month: str) -> None:
    before = desk.transactions()
    typed = desk.terminal.type("report", "publish", month, "--yes", "--json")
    assert typed.code == 1
    assert "tally report approve" in typed.document["error"]["next"]
    assert desk.transactions() == before
    assert not (desk.folder / "reports").exists()


def test_agreeing_is_shown_first_and_a_dry_run_signs_nothing(desk: Desk, month: str) -> None:
    shown = desk.terminal.json("report", "approve", month, "--dry-run")
    assert (shown["dry_run"], shown["signature"], shown["is_rebuilt"], shown["doubts"]) == (True, None, True, [])
    assert shown["is_passed"] is True
    typed = desk.terminal.type("report", "approve", month, "--json")
    assert (typed.code, "--yes" in typed.document["error"]["next"]) == (2, True)
    assert "very same bytes" in desk.terminal.type("report", "approve", month, "--dry-run").out
    assert state(desk, month) == "draft"


def test_the_publishers_own_key_agrees_to_nothing(desk: Desk, month: str) -> None:
    key = desk.folder / "keys" / "publisher.json"
    typed = desk.terminal.type("report", "approve", month, "--key", key, "--yes", "--json")
    assert typed.code == 1
    assert "another person's key" in typed.document["error"]["message"]
    assert state(desk, month) == "draft"


def test_what_is_signed_is_the_digest_and_it_is_in_the_audit_log(
    desk: Desk, month: str, approved: dict[str, Any]
) -> None:
    written = json.loads((desk.folder / "approval.json").read_bytes())
    assert {name: written[name] for name in ("approver", "digest", "signature")} == {
        "approver": address(desk, "report-approver"),
        "digest": approved["digest"],
        "signature": approved["signature"],
    }
    signature, key = Signature.from_string(written["signature"]), Pubkey.from_string(written["approver"])
    assert signature.verify(key, b"tallystick:report-approval" + bytes.fromhex(written["digest"]))
    entries = desk.terminal.json("audit", "list", "--all")["entries"]
    [entry] = [each["content"] for each in entries if each["content"]["action"] == "report approve"]
    assert (entry["subject"], entry["details"]["digest"]) == (f"{month} v1", approved["digest"])


def test_an_approval_made_elsewhere_is_taken_up_and_the_same_again_changes_nothing(
    desk: Desk, month: str, approved: dict[str, Any]
) -> None:
    again = desk.terminal.json("report", "approve", month, "--signed", desk.folder / "approval.json")
    assert (again["signature"], again["approver"]) == (approved["signature"], approved["approver"])
    wrong = desk.folder / "wrong.json"
    wrong.write_bytes((desk.folder / "approval.json").read_bytes().replace(b'"digest":"', b'"digest":"00'))
    assert desk.terminal.type("report", "approve", month, "--signed", wrong).code == 5
    assert desk.terminal.type("report", "approve", month, "--signed", desk.folder / "none.json").code == 2


def test_a_second_person_checks_and_signs_a_draft_on_a_machine_that_has_nothing_else(
    desk: Desk, month: str, approved: dict[str, Any], tmp_path: Path
) -> None:
    there, draft = _second_machine(desk, tmp_path), tmp_path / "report.json"
    shutil.copy(desk.folder / "report-drafts" / month / "v1" / "report.json", draft)
    checked = there.json("report", "approve", month, "--draft", draft, "--out", tmp_path / "approval.json", "--dry-run")
    assert (checked["signature"], checked["is_passed"]) == (None, True)
    assert not (tmp_path / "approval.json").exists()
    signed = there.json("report", "approve", month, "--draft", draft, "--out", tmp_path / "approval.json", "--yes")
    assert (signed["digest"], signed["signature"]) == (approved["digest"], approved["signature"])
    taken = desk.terminal.json("report", "approve", month, "--signed", tmp_path / "approval.json")
    assert taken["signature"] == signed["signature"]


def test_a_draft_with_one_changed_figure_is_not_signed(
    desk: Desk, month: str, approved: dict[str, Any], tmp_path: Path
) -> None:
    there, draft = _second_machine(desk, tmp_path), tmp_path / "report.json"
    content = (desk.folder / "report-drafts" / month / "v1" / "report.json").read_bytes()
    draft.write_bytes(content.replace(b'"supply":"1000000000"', b'"supply":"1000000001"', 1))
    assert draft.read_bytes() != content
    words = ("report", "approve", month, "--draft", draft, "--out", tmp_path / "approval.json", "--yes", "--json")
    typed = there.type(*words)
    assert typed.code == 1
    assert "The draft does not hold: " in typed.document["error"]["message"]
    assert not (tmp_path / "approval.json").exists()
    assert there.json("audit", "list", "--all")["entries"] == []


def test_a_draft_without_a_place_for_the_approval_or_of_another_month_is_not_signed(
    desk: Desk, month: str, approved: dict[str, Any], tmp_path: Path
) -> None:
    there, draft = _second_machine(desk, tmp_path), desk.folder / "report-drafts" / month / "v1" / "report.json"
    typed = there.type("report", "approve", month, "--draft", draft, "--yes", "--json")
    assert (typed.code, "--out" in typed.document["error"]["next"]) == (2, True)
    out = tmp_path / "approval.json"
    typed = there.type("report", "approve", "2020-01", "--draft", draft, "--out", out, "--yes", "--json")
    assert (typed.code, out.exists()) == (1, False)
    assert f"it is {month} v1" in typed.document["error"]["message"]


def test_a_key_file_that_was_named_and_is_not_there_is_not_looked_for_in_the_profile(
    desk: Desk, month: str, approved: dict[str, Any]
) -> None:
    typed = desk.terminal.type("report", "approve", month, "--key", desk.folder / "none.json", "--yes", "--json")
    assert typed.code == 2
    assert "--key" in typed.document["error"]["next"]
    assert "profile" not in typed.document["error"]["next"]


def test_who_the_profile_does_not_name_counts_for_nothing(desk: Desk, month: str, approved: dict[str, Any]) -> None:
    other = desk.folder / "keys" / "somebody.json"
    if not other.exists():
        make_key(other)
    desk.terminal.json("report", "approve", month, "--key", other, "--yes")
    before = desk.transactions()
    typed = desk.terminal.type("report", "publish", month, "--yes", "--json")
    assert (typed.code, desk.transactions()) == (1, before)
    assert "does not name for that" in typed.document["error"]["message"]
    desk.terminal.json("report", "approve", month, "--signed", desk.folder / "approval.json")


def test_a_dry_run_shows_the_publication_and_writes_nothing(desk: Desk, month: str, approved: dict[str, Any]) -> None:
    before = desk.transactions()
    shown = desk.terminal.json("report", "publish", month, "--dry-run")
    assert shown["dry_run"] is True
    [transaction] = shown["transactions"]
    assert transaction["outcome"] == "would succeed"
    assert [each["event"] for each in transaction["events"]] == ["ReportPublished"]
    assert approved["approver"] in " ".join(shown["notes"])
    assert (desk.transactions(), state(desk, month)) == (before, "approved")
    assert not (desk.folder / "reports").exists()


def test_a_publication_is_on_chain_and_in_the_folder(desk: Desk, month: str, published: dict[str, Any]) -> None:
    top = desk.folder / "reports" / month / "v1"
    content = (top / "report.json").read_bytes()
    assert published["digest"] == sha256(content).hexdigest()
    assert published["uri"] == f"https://example.com/r/{month}/v1/report.json"
    assert sorted(each.name for each in top.iterdir()) == [
        "anchor.json",
        "approval.json",
        "holders",
        "index.html",
        "report.json",
        "report.pdf",
    ]
    assert (top / "approval.json").read_bytes() == (desk.folder / "approval.json").read_bytes()
    assert json.loads((top / "anchor.json").read_bytes())["signature"] == published["signature"]
    assert f"{month}/v1/" in (desk.folder / "reports" / "index.html").read_text()
    assert state(desk, month) == "published"


def test_killed_where_files_appear_it_is_published_once_and_whole(
    desk: Desk, month: str, killed: list[int], published: dict[str, Any], tmp_path: Path
) -> None:
    assert killed[:2] == [-signal.SIGKILL] * 2
    assert desk.terminal.json("outbox", "list")["pending"] == []
    found = desk.ask("getSignaturesForAddress", published["account"])
    assert [each["signature"] for each in found] == [published["signature"]]
    desk.terminal.json("report", "publish", month, "--folder", tmp_path, "--yes")
    assert _files(desk.folder / "reports") == _files(tmp_path)


def test_published_again_nothing_moves(desk: Desk, month: str, published: dict[str, Any]) -> None:
    before, files = desk.transactions(), _files(desk.folder / "reports")
    again = desk.terminal.json("report", "publish", month, "--yes")
    assert (again["transactions"], again["signature"]) == ([], published["signature"])
    assert (desk.transactions(), _files(desk.folder / "reports")) == (before, files)
    assert "is published" in desk.terminal.type("report", "publish", month, "--yes").out


def test_a_restored_store_finds_what_is_published(
    desk: Desk, month: str, published: dict[str, Any], tmp_path: Path
) -> None:
    copy = _copy(desk, tmp_path)
    with sqlite3.connect(tmp_path / "tallystick.sqlite3") as connection:
        connection.execute("UPDATE reports SET state = 'approved', signature = NULL, slot = NULL, published_at = NULL")
    connection.close()
    found = copy.json("report", "publish", month, "--yes")
    assert found["adopted"] == [f"{month} v1"]
    assert found["transactions"] == []
    assert _files(tmp_path / "reports") == _files(desk.folder / "reports")


def test_the_evidence_is_exported_and_the_sums_are_right(
    desk: Desk, month: str, published: dict[str, Any], tmp_path: Path
) -> None:
    folder = tmp_path / "evidence"
    made = desk.terminal.json("audit", "export", folder, "--period", month)
    assert made["missing"] == []
    files = _files(folder)
    assert {name: sha256(data).hexdigest() for name, data in files.items() if name not in made["files"]} == {}
    assert {name: sha256(files[name]).hexdigest() for name in made["files"]} == made["files"]
    assert made["manifest"] == sha256(files["manifest.json"]).hexdigest()
    reports = desk.folder / "reports" / month / "v1"
    for name in ("report.json", "report.pdf", "approval.json", "anchor.json"):
        assert files[f"months/{month}/report/v1/{name}"] == (reports / name).read_bytes()
    statement = next((desk.folder / "statements").rglob("??????????*"))
    assert files[f"statements/received/{statement.name}"] == statement.read_bytes()
    assert desk.terminal.type("audit", "export", folder, "--period", month).code == 0
    (folder / "mine.txt").write_text("x")
    assert desk.terminal.type("audit", "export", folder, "--period", month).code == 1


def test_a_month_without_a_report_is_said(desk: Desk) -> None:
    for words in (("approve", "2020-01"), ("publish", "2020-01")):
        typed = desk.terminal.type("report", *words, "--yes", "--json")
        assert typed.code == 1
        assert "tally report build 2020-01" in typed.document["error"]["next"]
    assert desk.terminal.type("report", "publish", "2020-13", "--yes").code == 2


def _second_machine(desk: Desk, folder: Path) -> Terminal:
    """A profile with the issuer's address and the approver's key; no store, no drafts, no other keys."""
    terminal = Terminal(folder / "profile.toml")
    named = ("--name", "Example Issuer Ltd", "--lei", "EXAMPLEISSUERLTD0093", "--url", desk.url, "--no-keys")
    terminal.json("init", *named, "--custodian-lei", "EXAMPLECUSTODYBANK81", "--account", "SAFE-4711")
    issuer = desk.terminal.json("issuer", "status")["issuer"]

    def change(document: dict[str, Any]) -> None:
        document["issuer"]["address"] = issuer
        document["keys"] = {"report_approver": str(desk.folder / "keys" / "report-approver.json")}

    change_profile(terminal.profile, change)
    return terminal


def _copy(desk: Desk, folder: Path) -> Terminal:
    """The same profile, folder of reports and keys, over a copy of the store."""
    text = desk.terminal.profile.read_text().replace('"keys/', f'"{desk.folder}/keys/')
    (folder / "profile.toml").write_text(text)
    (folder / "profile.toml").chmod(0o600)
    shutil.copytree(desk.folder / "reports", folder / "reports")
    with (
        sqlite3.connect(desk.folder / "tallystick.sqlite3") as source,
        sqlite3.connect(folder / "tallystick.sqlite3") as target,
    ):
        source.backup(target)
    source.close()
    target.close()
    return Terminal(folder / "profile.toml")


def _files(folder: Path) -> dict[str, bytes]:
    return {str(each.relative_to(folder)): each.read_bytes() for each in sorted(folder.rglob("*")) if each.is_file()}
