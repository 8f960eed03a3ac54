"""docs/attack_coverage.md: every account of every instruction, every attack, what came of it. Computed from the IDL.

TALLY_WRITE_ATTACK_COVERAGE=1 writes it anew. It fails on a blank, on an attack that was accepted without a reason in
sanctioned.py, and on another error than the page says.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest
from attack_coverage import COLUMNS, Table, blanks, markdown, table, unexplained
from cases import CASES
from sanctioned import CLOSES, HARMLESS_ABSENCE, SAME_KEY_TWICE
from tallystick.program.generated.constants import PROGRAM_ID
from tallystick.program.generated.instructions import INSTRUCTIONS
from world import World

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "attack_coverage.md"
TEXT = """# Attack coverage

One thing broken of one account of one valid call, for every instruction, account and attack: {accounts} accounts,
{attacks} kinds of attack. Every refusal was shown to move nothing. Computed from the IDL by
`tests/program/test_attack_coverage.py`, which fails on an empty cell; `TALLY_WRITE_ATTACK_COVERAGE=1 uv run pytest
tests/program/test_attack_coverage.py` writes this page anew.

- **unsigned**: the signature is missing. **read only**: the account is not writable in the transaction.
- **other owner**: the same bytes at the same address belong to another program. **elsewhere**: another address, another
  program. **other type**: an account of another type of the same program.
- **another's**: a real account of the same type, of another role, key, order, security or issuer; or one in a state in
  which it does not count.
- **twice**: each other account of the same call in this one's place as well.
- **closed**: emptied, with and without lamports at the address. **revived**: the old bytes under the system program,
  and zeros under the account's own program.

A name is the error with which it was refused; several where the attack has several forms. `ok` is accepted, `-` does
not apply; the number is the reason below.

{table}
"""


@cache
def _table() -> Table:
    return table()


def test_no_cell_is_blank() -> None:
    assert set(_table()) == {(name, each.name) for name, layout in INSTRUCTIONS.items() for each in layout.accounts}
    assert blanks(_table()) == []


def test_every_attack_that_was_accepted_has_its_reason() -> None:
    assert unexplained(_table()) == []


@pytest.mark.parametrize("instruction", CASES)
def test_no_call_closes_what_the_program_made(instruction: str) -> None:
    world = World.fresh()
    call = CASES[instruction](world)
    ours = {address for address, account in world.chain.state().items() if account.owner == PROGRAM_ID}
    world.chain.send(call)
    names = {
        meta.pubkey: each.name for each, meta in zip(INSTRUCTIONS[instruction].accounts, call.accounts, strict=False)
    }
    after = world.chain.state()
    closed = {names.get(each, str(each)) for each in ours if each not in after or after[each].owner != PROGRAM_ID}
    assert closed == CLOSES.get(instruction, set())


def test_the_document_says_what_came_of_each_attack() -> None:
    text = TEXT.format(accounts=len(_table()), attacks=len(COLUMNS), table=markdown(_table()))
    if os.environ.get("TALLY_WRITE_ATTACK_COVERAGE"):
        DOCUMENT.write_text(text, encoding="utf-8")
    assert DOCUMENT.read_text(encoding="utf-8") == text, "write it anew with TALLY_WRITE_ATTACK_COVERAGE=1"


def test_every_reason_to_accept_is_needed() -> None:
    notes = {note for row in _table().values() for cell in row.values() for note in cell.notes}
    unused = [each.reason for each in SAME_KEY_TWICE if f"accepted: {each.reason}" not in notes]
    unused += [reason for reason in HARMLESS_ABSENCE.values() if not any(note.endswith(reason) for note in notes)]
    assert unused == []
