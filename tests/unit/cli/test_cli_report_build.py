"""A month's report, typed: declared, asserted, built, looked at and followed; what is not ready says what to do."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cli_desk import Desk
from custody_files import BOOKED, statement_file
from tallystick.domain.reserve_report.codec import read_declared
from tallystick.domain.reserve_report.statement_lines import read_line_proof
from tallystick_cli.commands.init import make_key
from tallystick_cli.profile import change_profile

DAY = 86_400
ASSERTED = """
[assertion]
text = "We assert it."
[[assertion.officers]]
name = "Jo Bell"
title = "Chief Executive"
"""


@pytest.fixture(scope="module")
def month(desk: Desk) -> str:
    """Ten shares for ten tokens, a day closed, and the month over; nothing on chain yet."""
    type_ = desk.terminal.json
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
    return month


@pytest.fixture(scope="module")
def drawn(desk: Desk, month: str) -> str:
    """The same with its closes on chain, its day drawn, and an address for reports in the profile."""
    desk.terminal.json("report", "anchor-days", "--yes")
    desk.terminal.json("report", "draw", month, "--yes")
    change_profile(desk.terminal.profile, lambda document: document.update(report={"uri": "https://example.com/r"}))
    return month


def audit(desk: Desk) -> list[dict[str, Any]]:
    """What the audit log has of reports."""
    entries = [each["content"] for each in desk.terminal.json("audit", "list", "--all")["entries"]]
    return [each for each in entries if str(each["action"]).startswith("report ")]


def test_what_is_not_on_chain_yet_is_said_with_what_to_do(desk: Desk, month: str) -> None:
    typed = desk.terminal.type("report", "build", month, "--json")
    assert typed.code == 1
    assert "not on chain yet" in typed.document["error"]["message"]
    assert "tally report anchor-days" in typed.document["error"]["next"]
    status = desk.terminal.json("report", "status", month)
    assert (len(status["closed"]), status["anchored"], status["versions"]) == (1, [], [])
    assert "anchor-days" in status["next"]


def test_a_month_that_is_none_is_refused(desk: Desk, month: str) -> None:
    assert desk.terminal.type("report", "build", "2026-13", "--json").code == 2
    assert desk.terminal.type("report", "declare", month, "--json").code == 2
    assert desk.terminal.type("report", "show", month, "--json").code == 1


def test_a_template_is_read_back_and_kept_once(desk: Desk, drawn: str) -> None:
    typed = desk.terminal.type("report", "declare", drawn, "--template")
    file = desk.folder / "declared.toml"
    file.write_text(typed.out, encoding="utf-8")
    kept = desk.terminal.json("report", "declare", drawn, file)
    assert (kept["number"], kept["is_new"], kept["custodians"]) == (1, True, 1)
    again = desk.terminal.json("report", "declare", drawn, file)
    assert (again["number"], again["is_new"]) == (1, False)
    assert [each["action"] for each in audit(desk)].count("report declare") == 1


def test_a_declared_file_that_is_wrong_is_kept_nowhere(desk: Desk, drawn: str) -> None:
    before = desk.terminal.json("report", "status", drawn)["declaration"]
    file = desk.folder / "wrong.toml"
    file.write_text('basis = "x"\n\nprice = "7"\n', encoding="utf-8")
    typed = desk.terminal.type("report", "declare", drawn, file, "--json")
    assert typed.code == 2
    assert "price (line 3)" in typed.document["error"]["message"]
    file.write_text('[[custodians]]\nlei = "HWUPKR0MPOU8FGXBT394"\n', encoding="utf-8")
    typed = desk.terminal.type("report", "declare", drawn, file, "--json")
    assert "holds no account of the profile" in typed.document["error"]["message"]
    assert desk.terminal.json("report", "status", drawn)["declaration"] == before


def test_an_officer_signs_after_a_dry_run_that_signs_nothing(desk: Desk, drawn: str) -> None:
    file, key = desk.folder / "asserted.toml", desk.folder / "keys" / "officer.json"
    file.write_text(ASSERTED, encoding="utf-8")
    address = make_key(key)
    desk.terminal.json("report", "declare", drawn, file)
    words = ("report", "assert", drawn, "--officer", "Jo Bell", "--key", key)
    shown = desk.terminal.json(*words, "--dry-run")
    assert (shown["dry_run"], shown["signature"]) == (True, None)
    assert desk.terminal.json("report", "status", drawn)["officers"][0]["is_signed"] is False
    refused = desk.terminal.type(*words, "--json")
    assert (refused.code, "--yes" in refused.document["error"]["next"]) == (2, True)
    done = desk.terminal.json(*words, "--yes")
    assert (done["key"], done["text"]) == (str(address), "We assert it.")
    assert desk.terminal.json("report", "status", drawn)["officers"][0]["is_signed"] is True
    assert [each["action"] for each in audit(desk)].count("report assert") == 1


def test_a_report_is_built_with_its_files_and_built_again_unchanged(desk: Desk, drawn: str) -> None:
    before = desk.transactions()
    out = desk.folder / "draft"
    built = desk.terminal.json("report", "build", drawn, "--out", out)
    assert (built["version"], built["state"], built["is_changed"]) == (1, "draft", True)
    assert built["summary"]["is_passed"] is True
    assert built["drawn_day"].startswith(drawn)
    assert [Path(each).name for each in built["files"]] == ["report.json", "report.pdf"]
    content = (out / "report.json").read_bytes()
    assert sha256(content).hexdigest() == built["digest"]
    assert json.loads(content) == built["report"]
    assert (out / "report.pdf").read_bytes().startswith(b"%PDF")
    again = desk.terminal.json("report", "build", drawn, "--out", out)
    assert (again["digest"], again["is_changed"]) == (built["digest"], False)
    assert [each["action"] for each in audit(desk)].count("report build") == 1
    assert desk.transactions() == before
    assert desk.terminal.json("report", "show", drawn)["report"] == built["report"]


def test_without_a_folder_the_draft_is_beside_the_profile(desk: Desk, drawn: str) -> None:
    desk.terminal.json("report", "build", drawn)
    assert (desk.folder / "report-drafts" / drawn / "v1" / "report.json").exists()


def test_a_person_sees_the_verdict_and_what_comes_next(desk: Desk, drawn: str) -> None:
    for words in (("build", drawn), ("show", drawn), ("status", drawn), ("status",), ("declare", drawn, "--template")):
        typed = desk.terminal.type("report", *words)
        assert (typed.code, typed.err) == (0, ""), words
        assert typed.out.strip(), words
    shown = desk.terminal.type("report", "show", drawn).out
    for each in ("passed", "tAAPL", "not examined", "tally report approve"):
        assert each in shown


def test_one_line_of_a_statement_is_proved_against_the_report(desk: Desk, drawn: str) -> None:
    desk.terminal.json("report", "build", drawn)
    file = desk.folder / "line.json"
    words = ("report", "line", drawn, "--isin", "tAAPL", "--statement", "STMT-1", "--out", file)
    shown = desk.terminal.json(*words)
    document = desk.terminal.json("report", "show", drawn)["report"]
    proof = read_line_proof(file.read_bytes())
    assert proof.line["aggregate"] == "10"
    assert proof.proves(read_declared(document["declared"]).statements)
    assert shown["proofs"] == [proof.document()]
    assert desk.terminal.json(*words)["files"] == [str(file)]
    typed = desk.terminal.type(*words[:-1], desk.folder / "other.json")
    assert (typed.code, "STMT-1" in typed.out) == (0, True)


def test_a_line_that_is_on_no_statement_is_refused(desk: Desk, drawn: str) -> None:
    desk.terminal.json("report", "build", drawn)
    file = desk.folder / "no-line.json"
    for isin, statement in (("tAAPL", "STMT-9"), ("US5949181045", "STMT-1")):
        typed = desk.terminal.type(
            "report", "line", drawn, "--isin", isin, "--statement", statement, "--out", file, "--json"
        )
        assert typed.code == 2
        assert "STMT-1 of" in typed.document["error"]["next"]
    assert not file.exists()


def test_there_is_nothing_to_correct_yet(desk: Desk, drawn: str) -> None:
    typed = desk.terminal.type("report", "build", drawn, "--correct", "wrong", "--json")
    assert (typed.code, "no published report" in typed.document["error"]["message"]) == (1, True)
    assert desk.terminal.type("report", "build", drawn, "--correct", " ", "--json").code == 1
