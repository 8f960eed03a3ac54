"""What every instruction costs, kept in docs/compute_units.md. TALLY_WRITE_COMPUTE_UNITS=1 writes it anew."""

from __future__ import annotations

import os
from pathlib import Path

from cases import CASES
from compute_units import CALL_FEE, FULL_SPL, FULL_TOKEN_2022, Row, measure, table, units_called
from tallystick.program.artifacts import program_binary
from tallystick.program.generated.instructions import INSTRUCTIONS

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "compute_units.md"
TEXT = """# Compute units

What one call of each instruction takes, measured by `tests/program/test_compute_units.py` on the built program in
LiteSVM; `TALLY_WRITE_COMPUTE_UNITS=1 uv run pytest tests/program/test_compute_units.py` writes this page anew, and the
test fails while it says something else. A transaction may use 1,400,000.

- **total** is what the transaction's budget has to hold for it.
- **without what it calls** leaves out the units that Token-2022, the associated token program, the system program and
  the program's own event call consumed. The runtime's fee for calling, {fee} each, is the caller's and stays in.
- **bumps in vain**: an address is found by trying bumps from 255 down, and how many fail is luck of the keys. Half of
  all addresses need none; one is the average. The keys of the measured world are always the same.

{table}

## The program's size

The goal was 600 KB; it is {size:,} bytes, for {instructions} instructions. It was 1,613,352 for the first 24 of them
(docs/decisions/0021-accounts-in-place.md). Of the code, about 290 KB are Anchor's checks of the accounts passed,
6 KB an instruction, which is what makes every account's type, owner and relation plain to see in one place; 280 KB are
the handlers, and 90 KB the 16 places where Anchor makes an account. Making accounts by hand, as settlements do, would
take off a part of the last, at the price of that.

## settle_subscription

The goal was 12,000 without what it calls and 22,000 with it. It takes {own:,} and {total:,} here, of which {fees:,} are
fees for its {calls} calls, without which nothing is minted, two accounts are not created, and the event could be
dropped with the logs. The addresses of movement and fill are found by hashing and a curve check, about 250 for each
bump tried, {tries} here, against 1,500 with `find_program_address` (programs/tallystick/src/once.rs): the program finds
the bump itself, because one that the caller chose would give one custody movement two addresses, and so two mints.
Anchor's own `init` and `emit_cpi!` took 8,000 more on the same call; copying eight accounts in and out and Anchor's
check for accounts passed twice took 9,000 more (docs/decisions/0021-accounts-in-place.md).

## pay_batch

The goal was 700 for each recipient. A full batch, 57 recipients with the proof of a distribution to a million holders,
takes {spl_total:,} for each in SPL Token and {token_2022_total:,} in Token-2022; {spl_own:,} and {token_2022_own:,} of
that are the program's own, of which 160 are the hash that finds whether the recipient is still its owner's. The
program reads the accounts where the runtime laid them (programs/tallystick/src/runtime.rs) and makes one call for all
transfers.
"""
PAYMENTS = {"spl": FULL_SPL, "token_2022": FULL_TOKEN_2022}


def _each(rows: list[Row], name: str, part: str) -> int:
    """Units for each recipient of a full batch, rounded up."""
    units: int = getattr(next(each for each in rows if each.name == name), part)
    return -(-units // 57)


def test_the_document_says_what_was_measured() -> None:
    rows = measure()
    row = next(each for each in rows if each.name == "settle_subscription")
    text = TEXT.format(
        fee=CALL_FEE,
        table=table(rows),
        size=len(program_binary()),
        instructions=len(INSTRUCTIONS),
        own=row.own,
        total=row.total,
        calls=row.calls,
        fees=row.calls * CALL_FEE,
        tries=2 + row.tries,
        **{f"{name}_{part}": _each(rows, found, part) for name, found in PAYMENTS.items() for part in ("total", "own")},
    )
    assert {FULL_SPL, FULL_TOKEN_2022} <= {each.name for each in rows}
    if os.environ.get("TALLY_WRITE_COMPUTE_UNITS"):
        DOCUMENT.write_text(text, encoding="utf-8")
    assert DOCUMENT.read_text(encoding="utf-8") == text, "write it anew with TALLY_WRITE_COMPUTE_UNITS=1"


def test_every_instruction_has_a_row() -> None:
    assert {each.name for each in measure()} >= set(INSTRUCTIONS) == set(CASES)


def test_every_instruction_fits_the_default_budget_of_a_transaction() -> None:
    assert [each.name for each in measure() if each.total > 200_000] == []


def test_only_direct_calls_are_counted() -> None:
    logs = [
        "Program A invoke [1]",
        "Program B invoke [2]",
        "Program C invoke [3]",
        "Program C consumed 5 of 10 compute units",
        "Program C success",
        "Program B consumed 9 of 20 compute units",
        "Program B success",
        "Program 11111111111111111111111111111111 invoke [2]",
        "Program 11111111111111111111111111111111 success",
        "Program A consumed 30 of 99 compute units",
        "Program A success",
    ]
    assert units_called(logs) == [9, 150]
