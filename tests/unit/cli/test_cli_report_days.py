"""Closes typed each day are anchored, and a month's day is drawn by one command."""

from __future__ import annotations

import pytest
from cli_desk import Desk

DAY = 86_400


@pytest.fixture(scope="module")
def closed(desk: Desk) -> Desk:
    """A publisher, and two days closed that have ended."""
    type_ = desk.terminal.json
    type_("issuer", "role", "grant", "publisher", "--yes")
    desk.warp(2)
    for _ in range(2):
        type_("close")
        desk.warp(DAY)
    return desk


def test_days_are_shown_in_a_dry_run_then_anchored_and_never_twice(closed: Desk) -> None:
    before = closed.transactions()
    shown = closed.terminal.json("report", "anchor-days", "--dry-run")
    assert (shown["dry_run"], closed.transactions()) == (True, before)
    done = closed.terminal.json("report", "anchor-days", "--yes")
    assert [each["outcome"] for each in done["transactions"]] == ["landed"]
    assert "Close 2 days on chain" in done["transactions"][0]["summary"]
    again = closed.terminal.json("report", "anchor-days", "--yes")
    assert again["transactions"] == []


def test_a_draw_waits_until_the_month_is_over(closed: Desk) -> None:
    before = closed.transactions()
    typed = closed.terminal.type("report", "draw", closed.now().strftime("%Y-%m"), "--yes", "--json")
    assert typed.code == 1
    assert "by the chain's clock" in typed.document["error"]["message"]
    assert closed.transactions() == before


def test_what_is_no_month_is_refused(closed: Desk) -> None:
    assert closed.terminal.type("report", "draw", "October", "--yes", "--json").code == 2


def test_the_day_of_a_month_is_drawn_and_final(closed: Desk) -> None:
    month = closed.now()
    closed.end_month()
    closed.terminal.json("close")
    closed.warp(DAY)
    period = month.strftime("%Y-%m")
    refused = closed.terminal.type("report", "draw", period, "--yes", "--json")
    assert "tally report anchor-days" in refused.document["error"]["next"]
    closed.terminal.json("report", "anchor-days", "--yes")
    shown = closed.terminal.json("report", "draw", period, "--dry-run")
    assert shown["dry_run"] is True
    drawn = closed.terminal.json("report", "draw", period, "--yes")
    assert drawn["day"].startswith(f"{period}-")
    assert (drawn["is_new"], drawn["attempts"], drawn["drawn_slot"]) == (True, 1, drawn["target_slot"])
    before = closed.transactions()
    again = closed.terminal.json("report", "draw", period, "--yes")
    assert (again["is_new"], again["day"], closed.transactions()) == (False, drawn["day"], before)
