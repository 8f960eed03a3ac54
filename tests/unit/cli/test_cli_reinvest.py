"""A reinvested dividend, typed: announced on the custodian's statements, executed only while they back it."""

from __future__ import annotations

import hashlib
import json

import pytest
from cli_desk import Desk
from custody_files import BOOKED, statement_file
from tallystick.domain.amounts import MULTIPLIER_ONE, multiplier_to_float_bits
from typing_in import Typed

DAY = 86_400


@pytest.fixture(scope="module")
def paid(desk: Desk) -> Desk:
    """Both corporate actions keys in force, 500 shares in custody, and 300 tokens at anna."""
    terminal = desk.terminal
    terminal.json("issuer", "role", "grant", "corporate-actions", "--yes")
    desk.warp(2)
    terminal.json("statement", "add", statement_file(desk.folder, "STMT-1", "500", ago=120))
    terminal.json("attest", "tAAPL", "--yes")
    terminal.json("order", "subscribe", "tAAPL", "anna", 300, "--reference", "W-1", "--yes")
    settle = ("order", "settle", "tAAPL", "W-1", "--movement", "DTC-1", "--moved", 300)
    terminal.json(*settle, *BOOKED, "--yes")
    return desk


def reinvest(desk: Desk, *words: object) -> Typed:
    return desk.terminal.type("dividend", "reinvest", "tAAPL", "CA-31", *words, "--yes", "--json")


def test_before_the_statement_shows_the_shares_nothing_is_signed(paid: Desk) -> None:
    before = paid.transactions()
    typed = reinvest(paid, "--bought", "1", "--effective", "2d")
    assert (typed.code, paid.transactions()) == (1, before)
    assert "do not show 1 share bought" in typed.document["error"]["message"]


def test_it_is_announced_approved_and_executed_with_both_values_of_the_multiplier(paid: Desk) -> None:
    file = statement_file(paid.folder, "STMT-2", "501", ago=60)
    paid.terminal.json("statement", "add", file)
    typed = reinvest(paid, "--bought", "1", "--effective", "2d")
    assert typed.code == 0, typed.out + typed.err
    said = typed.document
    after = 301 * MULTIPLIER_ONE // 300
    bits = f"0x{multiplier_to_float_bits(after):016x}"
    assert (said["event"], said["version"], said["bought"]) == ("CA-31", "1", "1")
    assert (said["numerator"], said["denominator"], said["multiplier_after"]) == ("301", "300", "1.003333333333333333")
    assert (said["multiplier_bits"], said["custody_before"], said["custody_after"]) == (bits, "500", "501")
    entries = json.dumps(paid.terminal.json("audit", "list"), ensure_ascii=False)
    assert f"1.003333333333333333, in Token-2022 the double 1.0033333333333332 (bits {bits})" in entries
    evidence = ("--evidence", file)
    assert paid.terminal.json("action", "approve", "tAAPL", "CA-31", *evidence, "--yes")["transactions"]
    early = paid.terminal.type("action", "execute", "tAAPL", "CA-31", "--yes", "--json")
    assert (early.code, "may be minted until" in early.document["error"]["message"]) == (1, True)
    hold = (
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
        "CA-31",
    )
    paid.terminal.json(*hold, "--yes")
    assert paid.terminal.json("action", "execute", "tAAPL", "CA-31", "--yes")["transactions"]
    shown = paid.terminal.json("action", "show", "tAAPL", "CA-31")
    assert (shown["state"], shown["ratio"], shown["multiplier_after"]) == ("pending", "301:300", "1.003333333333333333")
    assert shown["evidence_hash"] == hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_confirmation_that_cannot_be_read_is_no_evidence(paid: Desk) -> None:
    before = paid.transactions()
    empty = paid.folder / "empty.xml"
    empty.write_bytes(b"")
    for file in (empty, paid.folder / "missing.xml"):
        typed = reinvest(paid, "--bought", "1", "--effective", "2d", "--evidence", file)
        assert typed.code != 0
    assert paid.transactions() == before
