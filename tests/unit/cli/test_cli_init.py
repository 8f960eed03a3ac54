"""tally init: a profile entirely by options, or a clear word of what is missing."""

from __future__ import annotations

import stat
from pathlib import Path

from tallystick.adapters.chain.signers import KeypairSigner
from tallystick_cli.profile import read_profile
from typing_in import ACCOUNT, CUSTODIAN_LEI, ISSUER_LEI, Terminal

URL = "http://127.0.0.1:8899"


def test_what_init_was_given_is_what_the_profile_says(terminal: Terminal) -> None:
    terminal.init(URL, "--url", "https://rpc.example.com", "--account", "safe 2", "--wallet", "anna")
    profile = read_profile(terminal.profile)
    assert (profile.issuer.name, profile.issuer.lei, profile.issuer.address) == ("Example Issuer Ltd", ISSUER_LEI, "")
    assert profile.cluster.urls == (URL, "https://rpc.example.com")
    assert (profile.custodians[0].lei, profile.custodians[0].accounts) == (CUSTODIAN_LEI, (ACCOUNT, "SAFE 2"))
    assert len(profile.keys.attestors) == 3


def test_every_key_that_init_names_is_a_key_file_of_its_owner_alone(terminal: Terminal) -> None:
    document = terminal.init(URL, "--wallet", "anna")
    assert {row["key"] for row in document["keys"]} >= {"admin", "guardian", "operator", "attestor-3", "anna"}
    assert len({row["address"] for row in document["keys"]}) == len(document["keys"])
    for row in document["keys"]:
        assert stat.S_IMODE(Path(row["file"]).stat().st_mode) == 0o600
        assert str(KeypairSigner.from_file(Path(row["file"])).pubkey) == row["address"]


def test_a_profile_that_is_there_is_not_replaced(terminal: Terminal) -> None:
    terminal.profile.write_text("version = 1\n")
    typed = terminal.type("init", "--name", "x", "--lei", ISSUER_LEI)
    assert typed.code == 2
    assert "--force" in typed.err
    assert terminal.profile.read_text() == "version = 1\n"


def test_a_key_that_is_there_is_never_overwritten(terminal: Terminal) -> None:
    terminal.init(URL)
    key = terminal.profile.parent / "keys" / "admin.json"
    before = key.read_bytes()
    typed = terminal.type(
        "init",
        "--force",
        "--new-keys",
        "--name",
        "x",
        "--lei",
        ISSUER_LEI,
        "--custodian-lei",
        CUSTODIAN_LEI,
        "--account",
        ACCOUNT,
    )
    assert typed.code == 2
    assert "left alone" in typed.err
    assert key.read_bytes() == before


def test_without_a_terminal_a_missing_answer_is_named(terminal: Terminal) -> None:
    typed = terminal.type("init", "--name", "x")
    assert typed.code == 2
    assert "--lei" in typed.err
    assert not terminal.profile.exists()


def test_an_lei_with_wrong_check_digits_writes_nothing(terminal: Terminal) -> None:
    typed = terminal.type("init", "--name", "x", "--lei", "EXAMPLEISSUERLTD0094", "--json")
    assert typed.code == 2
    assert typed.document["error"]["type"] == "IdentifierError"
    assert not terminal.profile.exists()


def test_the_salt_of_investors_is_kept_when_a_profile_is_replaced(terminal: Terminal) -> None:
    terminal.init(URL)
    salt = (terminal.profile.parent / "keys" / "investor-salt.hex").read_text()
    terminal.json(
        "init",
        "--force",
        "--no-keys",
        "--name",
        "x",
        "--lei",
        ISSUER_LEI,
        "--custodian-lei",
        CUSTODIAN_LEI,
        "--account",
        ACCOUNT,
    )
    assert (terminal.profile.parent / "keys" / "investor-salt.hex").read_text() == salt
