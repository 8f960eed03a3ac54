"""A day of an operator, typed: statement, attestation, orders, redemption, reconciliation and close."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_desk import Desk
from custody_files import BOOKED, statement_file


@pytest.fixture(scope="module")
def backed(desk: Desk) -> Desk:
    """Ten shares attested, and six tokens minted to anna for six of them."""
    desk.terminal.json("statement", "add", statement_file(desk.folder, "STMT-1", "10", ago=30))
    desk.terminal.json("attest", "tAAPL", "--yes")
    desk.terminal.json("order", "subscribe", "tAAPL", "anna", "6", "--reference", "S-1", "--yes")
    desk.terminal.json("order", "settle", "tAAPL", "S-1", "--movement", "TRF-1", "--moved", "10", *BOOKED, "--yes")
    return desk


def test_the_day_is_told_in_one_status(backed: Desk) -> None:
    [security] = backed.terminal.json("status")["securities"]
    assert (security["supply"], security["backing_shares"], security["mintable"]) == ("6", "10", "4")
    assert security["is_backed"]


def test_status_and_every_list_can_be_looked_at(backed: Desk) -> None:
    for words in (
        ("status",),
        ("issuer", "status"),
        ("security", "show", "tAAPL"),
        ("holder", "show"),
        ("statement", "list"),
        ("statement", "show", "STMT-1"),
        ("order", "list", "--all"),
        ("order", "show", "S-1"),
        ("hold", "list"),
        ("outbox", "list"),
        ("closes",),
    ):
        typed = backed.terminal.type(*words)
        assert (typed.code, typed.err) == (0, ""), words
        assert typed.out.strip(), words


def test_an_order_is_found_by_its_reference_with_its_fills(backed: Desk) -> None:
    order = backed.terminal.json("order", "show", "S-1")
    assert (order["status"], order["holder_name"], order["filled"]) == ("settled", "anna", "6")
    assert [fill["shares"] for fill in order["fills"]] == ["6"]


def test_shares_of_a_movement_that_no_order_used_are_a_break_and_exit_1(backed: Desk) -> None:
    typed = backed.terminal.type("reconcile", "--json")
    assert typed.code == 1
    [security] = typed.document["securities"]
    assert [each["kind"] for each in security["breaks"]] == ["PENDING_SETTLEMENT"]


def test_a_mint_beyond_the_reserve_is_refused_and_moves_nothing(backed: Desk) -> None:
    backed.terminal.json("order", "subscribe", "tAAPL", "anna", "5", "--reference", "S-2", "--yes")
    before = backed.transactions()
    typed = backed.terminal.type(
        "order", "settle", "tAAPL", "S-2", "--movement", "TRF-2", "--moved", "5", *BOOKED, "--yes", "--json"
    )
    assert typed.code == 1
    assert "reserve" in typed.document["error"]["message"]
    assert backed.transactions() == before
    assert "TRF-2" not in backed.terminal.type("reconcile", "--json").out


def test_a_wallet_nobody_approved_is_refused(backed: Desk) -> None:
    typed = backed.terminal.type("order", "subscribe", "tAAPL", "eve", "1", "--reference", "S-3", "--yes")
    assert typed.code == 1
    assert "approved" in typed.err


def test_a_redemption_goes_from_escrow_to_burnt(backed: Desk) -> None:
    type_ = backed.terminal.json
    type_("order", "redeem", "tAAPL", "anna", "2", "--reference", "R-1", "--yes")
    type_("order", "accept", "R-1", "--yes")
    type_("order", "settle-redemption", "tAAPL", "R-1", "--movement", "TRF-3", "--moved", "2", *BOOKED, "--yes")
    assert type_("order", "show", "R-1")["status"] == "settled"
    [security] = type_("status")["securities"]
    assert security["supply"] == "4"


def test_settling_again_finds_the_movement_used_and_signs_nothing(backed: Desk) -> None:
    before = backed.transactions()
    again = backed.terminal.json("order", "settle", "tAAPL", "S-1=6", "--movement", "trf-1", "--moved", "10", "--yes")
    assert (again["transactions"], backed.transactions()) == ([], before)


def test_a_close_is_made_once_and_its_file_is_what_was_hashed(backed: Desk) -> None:
    out = backed.folder / "close.json"
    first = backed.terminal.json("close", "--out", out)
    again = backed.terminal.json("close", first["content"]["day"])
    assert first["hash"] == again["hash"]
    assert json.loads(out.read_bytes()) == first["content"]
    assert [each["registers"] for each in first["content"]["securities"]] == [[]]
    assert [each["hash"] for each in backed.terminal.json("closes")["closes"]] == [first["hash"]]


def test_a_hold_stops_and_its_release_lets_go(backed: Desk) -> None:
    placed = backed.terminal.json(
        "hold",
        "place",
        "tAAPL",
        "--by",
        "compliance",
        "--scope",
        "mint",
        "--reference",
        "H-7",
        "--reason",
        "x",
        "--yes",
    )
    assert backed.terminal.json("security", "show", "tAAPL")["holds"]["mint"] == 1
    backed.terminal.json("hold", "release", placed["hold"], "--yes")
    assert backed.terminal.json("security", "show", "tAAPL")["holds"]["mint"] == 0


def test_a_file_that_is_no_statement_is_exit_2_with_its_place_and_is_kept(backed: Desk, tmp_path: Path) -> None:
    broken = tmp_path / "broken.xml"
    broken.write_text("<Document><oops></Document>")
    kept = {path.name for path in (backed.folder / "statements").rglob("*") if path.is_file()}
    typed = backed.terminal.type("statement", "add", broken, "--json")
    assert typed.code == 2
    assert typed.document["error"]["where"]
    assert len({path.name for path in (backed.folder / "statements").rglob("*") if path.is_file()} - kept) == 1
    assert "broken" not in json.dumps(backed.terminal.json("statement", "list"))


def test_a_statement_of_an_account_that_is_not_ours_is_refused(backed: Desk, tmp_path: Path) -> None:
    typed = backed.terminal.type("statement", "add", statement_file(tmp_path, "STMT-8", "1", account="OTHER-1"))
    assert typed.code == 1
    assert "OTHER-1" in typed.err
    assert "STMT-8" not in json.dumps(backed.terminal.json("statement", "list"))


def test_the_same_file_twice_is_one_statement(backed: Desk) -> None:
    file = next(backed.folder.glob("STMT-1-*.xml"))
    document = backed.terminal.json("statement", "add", file)
    assert (document["is_new"], document["finding"]["kind"]) == (False, "DUPLICATE_STATEMENT")


def test_another_file_under_the_same_name_is_a_conflict_until_somebody_decides(backed: Desk, tmp_path: Path) -> None:
    first = backed.terminal.json("statement", "add", statement_file(tmp_path, "STMT-5", "10", ago=20))
    typed = backed.terminal.type("statement", "add", statement_file(tmp_path, "STMT-5", "9", ago=20), "--json")
    assert typed.code == 1
    assert typed.document["status"] == "conflicting"
    attested = backed.terminal.type("attest", "tAAPL", "--yes")
    assert attested.code == 1
    assert "CONFLICTING_STATEMENT" in attested.err
    for key, decision in ((typed.document["key"], "rejected"), (first["key"], "usable")):
        backed.terminal.json("statement", "decide", key[:12], decision, "--reason", "the custodian said so")
    assert backed.terminal.json("attest", "tAAPL", "--yes")["transactions"]


def test_an_unknown_security_names_those_there_are(backed: Desk) -> None:
    typed = backed.terminal.type("security", "show", "tTSLA")
    assert typed.code == 2
    assert "tAAPL" in typed.err


def test_more_decimals_than_the_token_has_are_refused(backed: Desk) -> None:
    typed = backed.terminal.type("order", "subscribe", "tAAPL", "anna", "0.123456789", "--reference", "S-9", "--yes")
    assert typed.code == 2
    assert "decimals" in typed.err
