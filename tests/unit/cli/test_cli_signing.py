"""Nothing is signed without agreement, and nothing twice."""

from __future__ import annotations

import json

import pytest
from cli_desk import Desk
from tallystick.services.plans import Plan
from tallystick_cli.approval import joined
from typing_in import Terminal

SIGNING = [
    ("issuer", "role", "grant", "publisher", "anna"),
    ("issuer", "role", "revoke", "reconciliation", "reconciliation"),
    ("issuer", "admin", "propose", "anna"),
    ("security", "list", "US5949181045", "--symbol", "tMSFT", "--name", "Microsoft", "--cap", "10"),
    ("security", "limit", "tAAPL", "--mint", "1", "--burn", "1"),
    ("holder", "approve", "eve", "--investor", "KYC-2"),
    ("holder", "suspend", "anna"),
    ("security", "policy", "tAAPL", "--set", "margin=1%"),
    ("security", "seizure-account", "tAAPL", "operator"),
    ("security", "metadata", "announce", "tAAPL", "--name", "Another"),
    ("order", "subscribe", "tAAPL", "anna", "1", "--reference", "S-1"),
    (
        "hold",
        "place",
        "tAAPL",
        "--by",
        "compliance",
        "--scope",
        "mint",
        "--reference",
        "H-1",
        "--reason",
        "x",
    ),
]


@pytest.mark.parametrize("words", SIGNING, ids=lambda words: " ".join(words[:3]))
def test_without_a_terminal_and_without_yes_nothing_is_signed(desk: Desk, words: tuple[str, ...]) -> None:
    before, profile = desk.transactions(), desk.terminal.profile.read_bytes()
    typed = desk.terminal.type(*words)
    assert typed.code == 2
    assert "--yes" in typed.err
    assert typed.out == ""
    assert (desk.transactions(), desk.terminal.profile.read_bytes()) == (before, profile)


def test_a_second_run_finds_nothing_left_to_do(desk: Desk) -> None:
    words = ("issuer", "role", "grant", "distributor", "eve", "--yes")
    first = desk.terminal.json(*words)
    before = desk.transactions()
    second = desk.terminal.json(*words)
    assert len(first["transactions"]) == 1
    assert (second["transactions"], desk.transactions()) == ([], before)
    assert "already" in second["notes"][0]


def test_a_signed_transaction_is_told_with_signature_outcome_and_cost(desk: Desk) -> None:
    [transaction] = desk.terminal.json("issuer", "role", "grant", "publisher", "eve", "--yes")["transactions"]
    assert transaction["outcome"] == "landed"
    assert len(transaction["signature"]) > 80
    assert transaction["fee_lamports"] > 0
    assert transaction["compute_units"] > 0


def test_what_is_refused_beforehand_is_exit_1_and_moves_nothing(desk: Desk) -> None:
    before = desk.transactions()
    typed = desk.terminal.type("issuer", "role", "grant", "guardian", "operator", "--yes", "--json")
    assert typed.code == 1
    assert typed.document["error"]["type"] == "Refused"
    assert "separate key" in typed.document["error"]["next"]
    assert desk.transactions() == before


def test_a_key_the_profile_does_not_name_is_asked_for_by_its_role(desk: Desk) -> None:
    profile = desk.terminal.profile
    other = Terminal(profile.with_name("without-compliance.toml"))
    lines = profile.read_text().splitlines()
    other.profile.write_text("\n".join(line for line in lines if not line.startswith("compliance =")))
    before = desk.transactions()
    typed = other.type("holder", "approve", "eve", "--investor", "KYC-9", "--yes")
    assert typed.code == 2
    assert "compliance key" in typed.err
    assert desk.transactions() == before


def test_a_cluster_that_does_not_answer_is_exit_4(desk: Desk) -> None:
    other = Terminal(desk.terminal.profile.with_name("nowhere.toml"))
    other.profile.write_text(desk.terminal.profile.read_text().replace(desk.url, "http://127.0.0.1:9"))
    typed = other.type("issuer", "status", "--json")
    assert typed.code == 4
    assert typed.document["error"]["type"] == "EndpointError"


def test_a_note_of_one_plan_among_several_says_which() -> None:
    plan = joined("Both", [Plan("One", notes=("shared", "own")), Plan("Two", notes=("shared",))])
    assert plan.notes == ("shared", "One: own")


def test_a_json_document_is_all_there_is_on_stdout(desk: Desk) -> None:
    typed = desk.terminal.type("status", "--json")
    assert json.loads(typed.out)["name"] == "Example Issuer Ltd"
    assert typed.err == ""
