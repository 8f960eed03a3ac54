"""Two months typed one after the other: the second report begins where the first ended, is corrected, and all hold."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from cli_desk import Desk
from custody_files import BOOKED, statement_file
from tallystick_cli.profile import change_profile

Versions = dict[str, dict[str, Any]]


def end_month(desk: Desk) -> str:
    """Five past the midnight that ends a month, and its last day closed then. The month, as YYYY-MM."""
    desk.end_month(300)
    last = (desk.now() - timedelta(days=1)).date().isoformat()
    desk.terminal.json("close", last)
    return last[:7]


def release(desk: Desk, month: str, *more: object) -> dict[str, Any]:
    """Built, agreed to and published; the report as it is in the folder."""
    type_ = desk.terminal.json
    type_("report", "build", month, *more)
    type_("report", "approve", month, "--yes")
    published = type_("report", "publish", month, "--yes")
    version = published["uri"].split("/")[-2]
    file = desk.folder / "reports" / month / version / "report.json"
    return {"file": file, "document": json.loads(file.read_bytes())}


@pytest.fixture(scope="module")
def versions(desk: Desk) -> Versions:
    """Ten shares in one month, two of them asked back, and in the next given back to the holder; a correction of it."""
    type_, found = desk.terminal.json, Versions()
    change_profile(desk.terminal.profile, lambda document: document.update(report={"uri": "https://example.com/r"}))
    type_("issuer", "role", "grant", "publisher", "--yes")
    desk.warp(2)
    type_("statement", "add", statement_file(desk.folder, "STMT-1", "10", ago=30))
    type_("attest", "tAAPL", "--yes")
    type_("order", "subscribe", "tAAPL", "anna", "10", "--reference", "S-1", "--yes")
    type_("order", "settle", "tAAPL", "S-1", "--movement", "TRF-1", "--moved", "10", *BOOKED, "--yes")
    type_("order", "redeem", "tAAPL", "anna", "2", "--reference", "R-1", "--yes")
    for name in ("first", "second"):
        month = end_month(desk)
        if name == "first":
            type_("order", "cancel", "R-1", "--reason", "6", "--yes")
        desk.warp(60)
        type_("report", "anchor-days", "--yes")
        type_("report", "draw", month, "--yes")
        found[name] = release(desk, month)
    file = desk.folder / "declared.toml"
    file.write_text('basis = "Better said"\n', encoding="utf-8")
    type_("report", "declare", month, file)
    found["corrected"] = release(desk, month, "--correct", "the basis was unclear")
    return found


def test_the_second_month_begins_where_the_first_ended(versions: Versions) -> None:
    first, second = (versions[name]["document"] for name in ("first", "second"))
    assert second["header"]["opening"] == first["header"]["as_of"]
    assert second["header"]["previous"]["period"] == first["header"]["period"]
    [before], [after] = first["roll_forward"], second["roll_forward"]
    share = 10 ** before["decimals"]
    amounts = [(int(row["opening"]), int(row["minted"]), int(row["closing"])) for row in (before, after)]
    assert amounts == [(0, 10 * share, 10 * share), (10 * share, 0, 10 * share)]
    activity = [document["activity"][0]["redemptions"] for document in (first, second)]
    assert [(row["opened"], row["returned"], row["open"]) for row in activity] == [(1, 0, 1), (0, 1, 0)]


@pytest.mark.parametrize("name", ["first", "second", "corrected"])
def test_every_version_holds(desk: Desk, versions: Versions, name: str) -> None:
    issuer = versions[name]["document"]["header"]["issuer"]["address"]
    verified = desk.terminal.json("report", "verify", versions[name]["file"], "--url", desk.url, "--issuer", issuer)
    assert verified["is_verified"], [each for each in verified["checks"] if each["status"] == "failed"]
    assert verified["counts"]["not_served"] == 0
    assert verified["superseded_by"] == (2 if name == "second" else None)
