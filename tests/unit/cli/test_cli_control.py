"""Control of holdings, policy and metadata, typed: two compliance keys of one profile, and what waits is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_desk import Desk, open_issuer
from custody_files import BOOKED, statement_file
from tallystick.errors import AmountError, InputError
from tallystick_cli.moments import parse_span
from tallystick_cli.policy_terms import parse_settings
from tallystick_cli.profile import read_profile
from typing_in import CUSTODIAN_LEI, Typed

DAY = 86_400
DELAY = 100


@pytest.fixture(scope="module")
def desk(new_desk: Desk) -> Desk:
    """The usual desk, whose changes wait long enough to be looked at and vetoed."""
    return open_issuer(new_desk, DELAY)


@pytest.fixture(scope="module")
def backed(desk: Desk) -> Desk:
    """Six tokens of anna's, a second wallet of hers, and the treasury's account for seizures in force."""
    type_ = desk.terminal.json
    type_("statement", "add", statement_file(desk.folder, "STMT-1", "10", ago=30))
    type_("attest", "tAAPL", "--yes")
    type_("order", "subscribe", "tAAPL", "anna", "6", "--reference", "S-1", "--yes")
    type_("order", "settle", "tAAPL", "S-1", "--movement", "TRF-1", "--moved", "6", *BOOKED, "--yes")
    type_("holder", "approve", "eve", "--investor", "KYC-1", "--yes")
    type_("security", "seizure-account", "tAAPL", "operator", "--yes")
    desk.warp(DELAY + 1)
    evidence(desk).write_bytes(b"affidavit")
    return desk


def evidence(desk: Desk) -> Path:
    return desk.folder / "affidavit.pdf"


def type_(desk: Desk, *words: object) -> Typed:
    return desk.terminal.type(*words, "--yes", "--json")


def refused(desk: Desk, *words: object) -> str:
    """The message of a command that ends with 1, and moved nothing."""
    before = desk.transactions()
    typed = type_(desk, *words)
    assert (typed.code, desk.transactions()) == (1, before), typed.out + typed.err
    return str(typed.document["error"]["message"])


def test_init_makes_two_compliance_keys_and_a_single_one_of_old_is_read(desk: Desk) -> None:
    keys = read_profile(desk.terminal.profile).keys
    assert len(keys.compliance) == 2
    assert type(keys)(compliance="keys/one.json").compliance == ("keys/one.json",)
    roles = desk.terminal.json("issuer", "status")["roles"]
    assert [each["state"] for each in roles if each["kind"] == "compliance"] == ["in force", "in force"]


def test_a_holding_is_frozen_shown_and_thawed(backed: Desk) -> None:
    terminal = backed.terminal
    terminal.json("holding", "freeze", "tAAPL", "anna", "--reason", "court order 7", "--yes")
    shown = terminal.json("holding", "show", "tAAPL", "anna")
    assert (shown["state"], shown["frozen_tokens"], shown["tokens"]) == ("frozen", "6", "6")
    [frozen] = terminal.json("holding", "show", "tAAPL")["frozen"]
    assert (frozen["name"], frozen["tokens"]) == ("anna", "6")
    again = terminal.json("holding", "freeze", "tAAPL", "anna", "--reason", "court order 7", "--yes")
    assert again["transactions"] == []
    for words in (("holding", "show", "tAAPL"), ("holding", "show", "tAAPL", "anna"), ("seizure", "list", "--all")):
        typed = terminal.type(*words)
        assert (typed.code, typed.err) == (0, ""), words
        assert typed.out.strip()
    terminal.json("holding", "thaw", "tAAPL", "anna", "--reason", "lifted", "--yes")
    assert terminal.json("holding", "show", "tAAPL", "anna")["state"] == "free"


def test_a_seizure_is_proposed_by_one_key_and_executed_by_the_other(backed: Desk) -> None:
    terminal = backed.terminal
    words = ("seizure", "propose", "tAAPL", "anna", "--quantity", "2", "--reference", "CASE-7", "--reason", "court")
    terminal.json(*words, "--yes")
    [waiting] = terminal.json("status")["waiting_changes"]
    assert (waiting["security"], waiting["kind"]) == ("tAAPL", "seizure")
    assert "Waits" in terminal.type("status").out
    [listed] = terminal.json("seizure", "list")["seizures"]
    assert (listed["state"], listed["tokens"], listed["name"]) == ("proposed", "2", "anna")
    assert "second key" in refused(backed, "seizure", "execute", listed["seizure"], "--key", 1)
    terminal.json("seizure", "execute", listed["seizure"], "--yes")
    [done] = terminal.json("seizure", "list", "tAAPL", "--all")["seizures"]
    assert done["state"] == "executed"
    assert done["executed_by"] != done["proposer"]
    assert terminal.json("seizure", "list")["seizures"] == []
    assert terminal.json("holding", "show", "tAAPL", "anna")["tokens"] == "4"
    assert terminal.json("security", "show", "tAAPL")["seizure_account"] == done["destination"]


def test_a_dry_run_of_a_seizure_shows_its_effect_and_moves_nothing(backed: Desk) -> None:
    before = backed.transactions()
    typed = backed.terminal.type(
        "seizure", "propose", "tAAPL", "anna", "--reference", "CASE-9", "--reason", "court", "--dry-run", "--json"
    )
    assert typed.code == 0, typed.out + typed.err
    assert typed.document["dry_run"]
    assert "SeizureProposed" in typed.out
    assert backed.transactions() == before


def test_a_tightened_policy_is_in_force_and_a_loosened_one_waits_and_is_vetoed(backed: Desk) -> None:
    terminal = backed.terminal
    terminal.json("security", "policy", "tAAPL", "--set", "margin=1%", "--set", "notice=2d", "--yes")
    shown = terminal.json("security", "show", "tAAPL")
    assert (shown["policy"]["margin_percent"], shown["policy"]["notice_seconds"], shown["waiting"]) == (
        "1",
        2 * DAY,
        [],
    )
    terminal.json("security", "policy", "tAAPL", "--set", "supply-cap=2000", "--yes")
    [waiting] = terminal.json("security", "show", "tAAPL")["waiting"]
    assert waiting["kind"] == "policy"
    assert "supply cap: 1000 tokens -> 2000 tokens (looser)" in waiting["change"]
    terminal.json("issuer", "veto", "--policy", "tAAPL", "--yes")
    backed.warp(DELAY + 1)
    shown = terminal.json("security", "show", "tAAPL")
    assert (shown["policy"]["supply_cap"], shown["waiting"]) == ("1000", [])
    terminal.json("security", "policy", "tAAPL", "--set", "supply-cap=2000", "--yes")
    assert len(terminal.json("security", "policy", "tAAPL", "--withdraw", "--yes")["transactions"]) == 1
    assert terminal.json("security", "show", "tAAPL")["waiting"] == []


def test_other_custody_accounts_are_declared_in_the_profile_once_they_are_in_force(backed: Desk) -> None:
    terminal = backed.terminal
    before = read_profile(terminal.profile).security("tAAPL").accounts
    accounts = [f"{each.custodian}/{each.account}" for each in before]
    words = [word for each in (*accounts, f"{CUSTODIAN_LEI}/SAFE-4712") for word in ("--account", each)]
    terminal.json("security", "policy", "tAAPL", *words, "--yes")
    assert read_profile(terminal.profile).security("tAAPL").accounts == before
    backed.warp(DELAY + 1)
    terminal.json("security", "policy", "tAAPL", *words, "--yes")
    assert [each.account for each in read_profile(terminal.profile).security("tAAPL").accounts] == [
        *(each.account for each in before),
        "SAFE-4712",
    ]


def test_metadata_is_announced_vetoed_announced_and_written(backed: Desk) -> None:
    terminal = backed.terminal
    words = ("security", "metadata", "announce", "tAAPL", "--name", "Apple Holdings Inc.")
    terminal.json(*words, "--yes")
    terminal.json("issuer", "veto", "--metadata", "tAAPL", "--yes")
    assert terminal.json("security", "metadata", "apply", "tAAPL", "--yes")["transactions"] == []
    terminal.json(*words, "--yes")
    assert "can be written from" in refused(backed, "security", "metadata", "apply", "tAAPL")
    backed.warp(2 * DAY + 1)
    terminal.json("security", "metadata", "apply", "tAAPL", "--yes")
    assert read_profile(terminal.profile).security("tAAPL").name == "Apple Holdings Inc."


def test_a_named_seizure_account_is_vetoed(backed: Desk) -> None:
    terminal = backed.terminal
    before = terminal.json("security", "show", "tAAPL")["seizure_account"]
    terminal.json("security", "seizure-account", "tAAPL", "eve", "--yes")
    assert [each["kind"] for each in terminal.json("security", "show", "tAAPL")["waiting"]] == ["seizure account"]
    terminal.json("issuer", "veto", "--seizure-account", "tAAPL", "--yes")
    backed.warp(DELAY + 1)
    assert terminal.json("security", "show", "tAAPL")["seizure_account"] == before


def test_a_lost_keys_holding_is_reissued_by_two_keys(backed: Desk) -> None:
    words = ("holding", "reissue", "tAAPL", "anna", "eve", "--evidence", evidence(backed))
    assert "two compliance keys" in refused(backed, *words, "--second-key", 1)
    backed.terminal.json(*words, "--yes")
    assert backed.terminal.json("holding", "show", "tAAPL", "eve")["tokens"] == "4"
    old = backed.terminal.json("holding", "show", "tAAPL", "anna")
    assert (old["state"], old["tokens"]) == ("frozen", "0")
    assert old["suspended_at"]
    assert backed.terminal.json(*words, "--yes")["transactions"] == []


def test_a_permissioned_security_is_listed_and_its_holder_thawed_before_the_first_mint(backed: Desk) -> None:
    terminal = backed.terminal
    terminal.json(
        "security",
        "list",
        "US5949181045",
        "--symbol",
        "tFUND",
        "--name",
        "Fund",
        "--cap",
        10,
        "--permissioned",
        "--account",
        f"{CUSTODIAN_LEI}/SAFE-4711",
        "--yes",
    )
    assert terminal.json("security", "show", "tFUND")["is_permissioned"]
    terminal.json("holding", "thaw", "tFUND", "eve", "--reason", "approved holder", "--yes")
    assert terminal.json("holding", "show", "tFUND", "eve")["state"] == "free"
    assert "was suspended" in refused(backed, "holding", "thaw", "tFUND", "anna", "--reason", "x")


@pytest.mark.parametrize(
    "words",
    [
        ("issuer", "veto"),
        ("issuer", "veto", "--policy", "tAAPL", "--metadata", "tAAPL"),
        ("issuer", "veto", "--policy", "tAAPL", "--key", "anna"),
        ("security", "policy", "tAAPL"),
        ("security", "policy", "tAAPL", "--withdraw", "--set", "margin=1%"),
        ("security", "policy", "tAAPL", "--set", "margin"),
        ("security", "policy", "tAAPL", "--account", "SAFE-1"),
        ("security", "seizure-account", "tAAPL"),
        ("security", "seizure-account", "tAAPL", "anna", "--none"),
        ("security", "metadata", "announce", "tAAPL"),
    ],
    ids=" ".join,
)
def test_what_says_nothing_or_two_things_is_exit_2(backed: Desk, words: tuple[str, ...]) -> None:
    before = backed.transactions()
    typed = type_(backed, *words)
    assert (typed.code, backed.transactions()) == (2, before), typed.out


def test_settings_are_typed_as_people_say_them() -> None:
    texts = ["margin=1.5%", "supply-cap=2,000,000", "notice=2d", "max-age=90", "max-change=50:1", "classes=0b101"]
    assert parse_settings(texts, 2) == {
        "margin": 150,
        "supply_cap": 200_000_000,
        "notice": 2 * DAY,
        "max_attestation_age": 90,
        "max_change_numerator": 50,
        "max_change_denominator": 1,
        "allowed_classes": 5,
    }
    for wrong in (["margin"], ["margins=1%"], ["margin=1%", "margin=2%"], ["notice=soon"], ["threshold=two"]):
        with pytest.raises((InputError, AmountError)):
            parse_settings(wrong, 2)
    with pytest.raises(InputError):
        parse_settings(["max-change=2/1", "max-change=3/1"], 2)
    assert [parse_span(text) for text in ("5", "5s", "2min", "1h", "1d")] == [5, 5, 120, 3600, DAY]
    with pytest.raises(InputError):
        parse_span("1 week")


def test_a_document_is_json(backed: Desk) -> None:
    assert json.loads(backed.terminal.type("seizure", "list", "--json").out) == {"seizures": []}
