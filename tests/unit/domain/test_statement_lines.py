"""One line of a custodian's statement is shown without the others, and none that is not on it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tallystick.domain.amounts import Quantity
from tallystick.domain.canonical import canonical_json
from tallystick.domain.holdings import Basis, Completeness, HoldingLine, StatementOfHoldings, SubBalance
from tallystick.domain.reserve_report.declared import StatementTree
from tallystick.domain.reserve_report.statement_lines import (
    StatementLines,
    line_salt,
    read_line_proof,
    statement_lines,
)
from tallystick.errors import InputError

SEED = bytes(range(32))
VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "statement_lines.json"


def statement(account: str, statement_id: str, *quantities: int) -> StatementOfHoldings:
    lines = tuple(
        HoldingLine(
            "US0378331005",
            Quantity(quantity),
            sub_balances=(SubBalance("PLED", Quantity(1)), SubBalance("AVAI", Quantity(quantity - 1))),
            place="EUROCLEAR",
        )
        for quantity in quantities
    )
    return StatementOfHoldings(
        "HWUPKR0MPOU8FGXBT394",
        account,
        1_793_404_800,
        1_793_408_400,
        statement_id,
        Basis.SETTLED,
        Completeness.COMPLETE,
        True,
        lines,
        (bytes(32),),
        "semt.002",
        1,
    )


def month() -> StatementLines:
    return statement_lines([statement("SAFE-2", "B", 70, 80), statement("SAFE-1", "A", 100, 200, 300)], SEED)


@pytest.mark.parametrize("index", range(5))
def test_each_line_is_proved_by_its_file(index: int) -> None:
    proof = month().proof(index)
    assert read_line_proof(canonical_json(proof.document())).proves(month().tree)


def test_lines_are_ordered_by_account_and_not_as_given() -> None:
    again = statement_lines([statement("SAFE-1", "A", 100, 200, 300), statement("SAFE-2", "B", 70, 80)], SEED)
    assert again == month()
    assert [each.account for each in again.tree.statements] == ["SAFE-1", "SAFE-2"]


def test_a_line_is_found_by_its_place_in_its_statement() -> None:
    assert month().find("HWUPKR0MPOU8FGXBT394", "SAFE-2", "B", 1) == 4


@pytest.mark.parametrize("name", ["account", "aggregate", "as_of", "isin", "salt", "sub_balances", "position"])
def test_a_changed_line_is_not_proved(name: str) -> None:
    proof = month().proof(2)
    changed: dict[str, Any] = dict(proof.line)
    changed[name] = changed[name] + ([] if name == "sub_balances" else 1 if isinstance(changed[name], int) else "0")
    if name == "sub_balances":
        changed[name] = changed[name][:1]
    assert not replace(proof, line=changed).proves(month().tree)


def test_a_proof_is_of_the_tree_that_the_report_states() -> None:
    proof, tree = month().proof(0), month().tree
    assert not proof.proves(replace(tree, lines=6))
    assert not replace(proof, index=1).proves(tree)
    assert not proof.proves(statement_lines([statement("SAFE-1", "A", 100)], SEED).tree)


def test_salts_are_another_for_each_line_and_each_seed() -> None:
    salts = {line["salt"] for line in month().lines}
    other = statement_lines([statement("SAFE-1", "A", 100, 200, 300)], bytes(32))
    assert len(salts) == 5
    assert not salts & {line["salt"] for line in other.lines}


def test_a_month_without_lines_has_no_tree() -> None:
    assert statement_lines([statement("SAFE-1", "A")], SEED).tree == StatementTree()


def test_a_statement_given_twice_is_refused() -> None:
    with pytest.raises(InputError, match="twice"):
        statement_lines([statement("SAFE-1", "A", 1), statement("SAFE-1", "A", 2)], SEED)


def test_a_short_seed_is_refused() -> None:
    with pytest.raises(InputError, match="32 bytes"):
        statement_lines([], bytes(31))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": "another"}, "not a"),
        ({"index": -1}, "/index"),
        ({"path": ["00"]}, "/path/0"),
        ({"line": {}}, "/line/account is missing"),
        ({"more": 1}, "/more is not known"),
    ],
)
def test_what_is_no_proof_is_refused(change: dict[str, Any], words: str) -> None:
    document = month().proof(0).document() | change
    with pytest.raises(InputError, match=words):
        read_line_proof(json.dumps(document).encode())


def test_the_published_vectors_hold() -> None:
    vectors = json.loads(VECTORS.read_bytes())
    seed = bytes.fromhex(vectors["seed"])
    first = vectors["proofs"][0]["line"]
    place = (first["custodian"], first["account"], first["as_of"], first["statement_id"], first["position"])
    assert line_salt(seed, *place).hex() == first["salt"]
    assert month().tree.root.hex() == vectors["root"]
    assert [month().proof(index).document() for index in range(5)] == vectors["proofs"]
