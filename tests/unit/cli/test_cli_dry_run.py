"""--dry-run shows what a command would do, and does none of it."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from cli_desk import Desk
from solders.pubkey import Pubkey
from tallystick.localnet import LocalnetServer, create_ledger
from tallystick.program.text import encode_text
from tallystick.program.units import Unit
from tallystick.services.effects import Value
from tallystick.services.rules import FOREVER
from tallystick_cli.context import Tally
from tallystick_cli.dry_run import plain_value, value_text
from test_cli_help import ALL, options_of
from test_cli_operations import BOOKED, statement_file
from test_cli_signing import SIGNING
from typing_in import Terminal


@pytest.fixture(scope="module")
def backed(desk: Desk) -> Desk:
    """Ten shares attested, six of them minted to anna, and a second order of hers open."""
    type_ = desk.terminal.json
    type_("statement", "add", statement_file(desk.folder, "STMT-1", "10", ago=30))
    type_("attest", "tAAPL", "--yes")
    for number, shares in (1, "6"), (2, "2"), (3, "1"):
        type_("order", "subscribe", "tAAPL", "anna", shares, "--reference", f"S-{number}", "--yes")
    type_("order", "settle", "tAAPL", "S-1", "--movement", "TRF-1", "--moved", "10", *BOOKED, "--yes")
    return desk


def kept(desk: Desk) -> tuple[int, bytes, tuple[str, ...]]:
    """What must stay as it is: transactions on chain, the profile, and every row of the store."""
    store = desk.folder / "tallystick.sqlite3"
    with sqlite3.connect(store) as connection:
        rows = tuple(connection.iterdump())
    connection.close()
    return desk.transactions(), desk.terminal.profile.read_bytes(), rows


def test_every_command_that_signs_has_it_and_no_other() -> None:
    assert [
        path for path, command in ALL if ("--yes" in options_of(command)) != ("--dry-run" in options_of(command))
    ] == []
    assert len([path for path, command in ALL if "--dry-run" in options_of(command)]) > 15


@pytest.mark.parametrize("words", SIGNING, ids=lambda words: " ".join(words[:3]))
def test_nothing_is_signed_stored_or_sent_even_with_yes(backed: Desk, words: tuple[str, ...]) -> None:
    words = tuple("S-9" if word == "S-1" else word for word in words)
    before = kept(backed)
    document = backed.terminal.json(*words, "--dry-run", "--yes")
    assert document["dry_run"]
    assert {each["outcome"] for each in document["transactions"]} == {"would succeed"}
    assert all(each["events"] and each["changes"] for each in document["transactions"])
    assert all(each["is_here"] for each in document["signers"])
    assert document["fee_lamports"] == sum(each["fee_lamports"] for each in document["transactions"]) > 0
    assert kept(backed) == before


def test_a_settlement_is_shown_field_by_field_in_the_decimals_of_the_security(backed: Desk) -> None:
    words = ("order", "settle", "tAAPL", "S-2", "S-3", "--movement", "TRF-1", "--moved", "10")
    before = kept(backed)
    first, second = backed.terminal.json(*words, "--dry-run")["transactions"]
    assert kept(backed) == before
    changes = {each["kind"]: each for each in first["changes"]}
    assert changes["Security"]["name"] == "tAAPL"
    assert changes["mint"]["fields"] == [{"name": "supply", "old": "6", "new": "8"}]
    assert {"name": "status", "old": "open", "new": "settled"} in changes["Order"]["fields"]
    assert changes["Fill"]["is_new"]
    assert first["events"][0]["fields"]["shares"] == "2"
    assert (first["simulated_together_with"], second["simulated_together_with"]) == ([], [1])
    assert {"name": "supply", "old": "8", "new": "9"} in [
        field for each in second["changes"] if each["kind"] == "mint" for field in each["fields"]
    ]


def test_a_person_reads_it_in_words(backed: Desk) -> None:
    typed = backed.terminal.type(
        "order", "settle", "tAAPL", "S-2", "S-3", "--movement", "TRF-1", "--moved", "10", "--dry-run"
    )
    assert (typed.code, typed.err) == (0, "")
    for said in (
        "Dry run: nothing was signed, stored or sent.",
        "✓ would succeed",
        "compute units · fee 0.00001 SOL",
        "simulated together with 1",
        "» Subscription settled: security tAAPL, order",
        "holder anna, ",
        "open → settled",
        "6 → 8",
        "+ new fill ",
    ):
        assert said in typed.out, typed.out


def test_a_wallet_without_a_key_here_is_enough_and_its_absence_is_said(backed: Desk) -> None:
    other = Terminal(backed.terminal.profile.with_name("without-annas-key.toml"))
    lines = backed.terminal.profile.read_text().splitlines()
    other.profile.write_text("\n".join(line for line in lines if "wallet-anna.json" not in line))
    words = ("order", "redeem", "tAAPL", "anna", "1", "--reference", "R-1")
    assert other.type(*words, "--yes").code == 2
    document = other.json(*words, "--dry-run")
    assert [each["roles"] for each in document["signers"] if not each["is_here"]] == [["holder"]]
    assert document["transactions"][0]["events"][0]["event"] == "RedemptionRequested"
    assert "needs a key that is not here" in other.type(*words, "--dry-run").out


def test_a_refusal_of_the_plan_is_as_without_it(backed: Desk) -> None:
    words = ("issuer", "role", "grant", "guardian", "operator")
    dry = backed.terminal.type(*words, "--dry-run", "--json")
    assert dry.code == 1
    assert dry.document == backed.terminal.type(*words, "--yes", "--json").document


def test_a_refusal_of_the_cluster_has_the_words_and_the_exit_code_of_a_real_one(backed: Desk) -> None:
    poor = Terminal(backed.folder / "poor" / "profile.toml")
    poor.profile.parent.mkdir()
    poor.init(backed.url, "--upgrade-authority", backed.folder / "keys" / "upgrade.json")
    dry = poor.type("issuer", "init", "--dry-run", "--json")
    real = poor.type("issuer", "init", "--yes", "--json")
    assert (dry.code, real.code) == (1, 1)
    assert dry.document["error"] == dry.document["transactions"][0]["refusal"] == real.document["error"]
    assert dry.document["transactions"][0]["outcome"] == "would be refused"
    assert "holds no SOL" in dry.document["error"]["next"]
    shown = poor.type("issuer", "init", "--dry-run")
    assert shown.code == 1
    assert "✗ would be refused" in shown.out
    assert "The cluster refused" in shown.out


def test_what_is_done_already_leaves_nothing_to_do(backed: Desk) -> None:
    words = ("issuer", "role", "grant", "operator")
    assert backed.terminal.json(*words, "--dry-run")["transactions"] == []
    assert "Nothing is left to do" in backed.terminal.type(*words, "--dry-run").out


def test_deploying_what_is_deployed_is_nothing_left_to_do(backed: Desk) -> None:
    assert backed.terminal.json("program", "deploy", "--dry-run")["transactions"] == []


def test_a_deployment_shows_the_buffer_and_says_what_cannot_be_simulated(tmp_path: Path) -> None:
    with LocalnetServer(create_ledger(programs={}), port=0) as server:
        terminal = Terminal(tmp_path / "profile.toml")
        terminal.init(server.url)
        terminal.json("fund", "--sol", 50)
        document = terminal.json("program", "deploy", "--dry-run")
        buffer, deploy = document["transactions"]
        assert (buffer["outcome"], deploy["outcome"]) == ("would succeed", "not simulated")
        assert "before it that write the program" in deploy["reason"]
        assert "not simulated" in terminal.type("program", "deploy", "--dry-run").out
        assert terminal.json("program", "deploy", "--dry-run")["transactions"][0]["outcome"] == "would succeed"


def test_a_command_that_forgets_to_end_its_dry_run_can_neither_send_nor_write(backed: Desk) -> None:
    tally = Tally(backed.terminal.profile, is_dry_run=True)
    with pytest.raises(AssertionError, match="dry run"):
        tally.new_sender(None)  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match="dry run"):
        tally.change_profile(lambda document: None)


@pytest.mark.parametrize(
    ("value", "text", "plain"),
    [
        (Value(1_250_500_000, Unit.AMOUNT, 6), "1,250.5", "1250.5"),
        (Value(7, Unit.AMOUNT), "7", 7),
        (Value(1_790_000_000, Unit.TIME), "2026-09-21 14:13:20 UTC", "2026-09-21T14:13:20Z"),
        (Value(0, Unit.TIME), "", None),
        (Value(FOREVER, Unit.TIME), "never", "never"),
        (Value(90, Unit.SECONDS), "1 min 30 s", 90),
        (Value(5 * 10**17, Unit.MULTIPLIER), "0.5", "0.5"),
        (Value(250, Unit.BASIS_POINTS), "250 basis points", 250),
        (Value(5, Unit.SCOPE), "mint and transfer", 5),
        (Value(2_500_000_000, Unit.LAMPORTS), "2.5 SOL", 2_500_000_000),
        (Value(20_788, Unit.DAY), "2026-12-01", 20_788),
        (Value(0, Unit.DAY), "none", 0),
        (Value(202_611, Unit.PERIOD), "2026-11", 202_611),
        (Value(12_000), "12,000", 12_000),
        (Value(True), "yes", True),
        (Value(encode_text("tAAPL", 16)), "tAAPL", "tAAPL"),
        (Value(bytes(32)), "", None),
        (Value(b"\xff\x01"), "ff01", "ff01"),
        (Value("text"), "text", "text"),
    ],
)
def test_a_value_is_said_in_its_unit(value: Value, text: str, plain: object) -> None:
    assert (value_text(value), plain_value(value)) == (text, plain)


def test_nobodys_key_is_nothing() -> None:
    assert plain_value(Value(Pubkey.default())) is None
    assert plain_value(replace(Value(0), content=Pubkey.from_bytes(b"\7" * 32))) is not None
