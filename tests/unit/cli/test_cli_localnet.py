"""The localnet says what it is for, and the faucet fills the profile's keys."""

from __future__ import annotations

from cli_desk import Desk
from rich.console import Console
from solders.pubkey import Pubkey
from tallystick_cli.commands.localnet import Serving
from typing_in import Terminal


def test_the_banner_says_development_and_where_it_listens() -> None:
    console = Console(width=80)
    with console.capture() as captured:
        console.print(Serving("http://127.0.0.1:8899", Pubkey.new_unique()).view())
    assert "development" in captured.get()
    assert "http://127.0.0.1:8899" in captured.get()


def test_a_port_that_is_taken_is_a_panel_that_says_so(new_desk: Desk) -> None:
    typed = new_desk.terminal.type("localnet", "--bare", "--port", new_desk.url.rpartition(":")[2])
    assert typed.code == 2
    assert "Cannot listen" in typed.err


def test_fund_fills_every_key_once(new_desk: Desk) -> None:
    before = new_desk.transactions()
    keys = new_desk.terminal.json("fund", "--sol", 5)["keys"]
    assert {"admin", "attestors.3", "anna"} <= {row["key"] for row in keys}
    assert all(int(row["lamports"]) >= 5 * 10**9 for row in keys)
    assert new_desk.transactions() == before


def test_fund_without_keys_says_how_to_make_some(terminal: Terminal) -> None:
    terminal.profile.write_text("version = 1\n")
    typed = terminal.type("fund")
    assert typed.code == 2
    assert "--new-keys" in typed.err


def test_verify_says_what_the_cluster_runs(new_desk: Desk) -> None:
    document = new_desk.terminal.json("program", "verify")
    assert document["is_packaged"]
    assert document["deployed_sha256"] == document["packaged_sha256"]


def test_deploying_what_is_deployed_signs_nothing(new_desk: Desk) -> None:
    before = new_desk.transactions()
    assert new_desk.terminal.json("program", "deploy")["is_packaged"]
    assert new_desk.transactions() == before
