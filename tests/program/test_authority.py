"""Who may call what: every row and column of docs/authority.md. TALLY_WRITE_AUTHORITY=1 writes the page anew.

`MAY` is declared here, by hand, from the design. What the program does is found by trying, in authority.py.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
from authority import KEYS, MEANING, ROWS, Mark, instruction_of, tried
from tallystick.program.generated.instructions import INSTRUCTIONS

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "authority.md"
ALONE, OWN, SECOND, BESIDE, NEVER = Mark.ALONE, Mark.OWN, Mark.SECOND, Mark.BESIDE, Mark.NEVER
May = dict[str, Mark]


def only(*keys: str, mark: Mark = ALONE) -> May:
    """These keys, and nobody else."""
    return dict.fromkeys(keys, mark)


ANYONE: May = only(*KEYS)
HOLDER_OR_OPERATOR = only("operator", "holder")

MAY: dict[str, May] = {
    # An issuer begins with two signatures: the upgrade authority's, and of the key that becomes its admin, whichever.
    "initialize": only(*KEYS, mark=BESIDE) | only("upgrade authority"),
    "propose_admin": only("admin"),
    "accept_admin": only("pending admin"),
    "grant_role": only("admin"),
    "revoke_role": only("admin"),
    "veto": only("guardian"),
    "veto, role": only("guardian"),
    "veto, own removal": only("guardian", mark=SECOND) | only("compliance", mark=BESIDE),
    "list_security": only("admin"),
    "set_limit": only("admin"),
    "place_hold": only("operator", "compliance", "corporate actions", "reconciliation", "guardian"),
    "release_hold": only("reconciliation", "compliance", mark=BESIDE),
    "release_hold, of compliance": only("compliance", mark=OWN),
    "release_hold, expired": ANYONE,
    "release_hold, of a revoked owner": only("admin", "guardian", mark=BESIDE),
    "approve_holder": only("compliance"),
    "suspend_holder": only("compliance"),
    "attest": only("attestor", mark=SECOND),
    "attest, for the first time": only("attestor"),
    "open_subscription": HOLDER_OR_OPERATOR,
    "open_subscription, by the holder": HOLDER_OR_OPERATOR,
    "settle_subscription": only("operator"),
    "cancel_subscription": only("operator"),
    "cancel_subscription, after its deadline": HOLDER_OR_OPERATOR,
    "request_redemption": only("holder"),
    "accept_redemption": only("operator"),
    "settle_redemption": only("operator"),
    "cancel_redemption": HOLDER_OR_OPERATOR,
    "cancel_redemption, not accepted yet": HOLDER_OR_OPERATOR,
    "cancel_redemption, accepted": only("operator"),
    "withdraw_redemption": only("holder"),
    "correct_fill": only("operator", "inventory's owner", mark=BESIDE),
    "announce_action": only("corporate actions"),
    "approve_action": only("corporate actions", mark=SECOND),
    "cancel_action": only("corporate actions", "guardian"),
    "execute_action": only("corporate actions"),
    "retire_security": only("corporate actions"),
    "close_day": only("publisher"),
    "request_draw": only("publisher"),
    # There is one slot whose hash decides, so it does not matter who asks.
    "draw_day": ANYONE,
    "publish_report": only("publisher"),
    "open_distribution": only("distributor"),
    "grow_distribution": ANYONE,
    "approve_distribution": only("corporate actions"),
    "fund_distribution": only("funder"),
    "pay_batch": only("payout key"),
    "pay_entitlement": ANYONE,
    "close_distribution": only("distributor"),
    "update_policy": only("admin"),
    "name_seizure_account": only("admin"),
    "announce_metadata": only("admin"),
    "update_metadata": only("admin"),
    "freeze_account": only("compliance"),
    "thaw_account": only("compliance"),
    "thaw_account, permissioned": only("compliance"),
    "propose_seizure": only("compliance"),
    "seize": only("compliance", mark=SECOND),
    "reissue": only("compliance", mark=BESIDE),
}
"""Which keys may make which call, as the design says. A row that is missing here fails."""

WHO_SIGNS = {
    "ComplianceMissing", "ConstraintSeeds", "GuardianNeedsCompliance", "NotAdmin", "NotHoldOwner",
    "NotHolderNorOperator", "NotPayoutKey", "NotPendingAdmin", "NotUpgradeAuthority", "RoleCannotHold",
    "RoleOfAnotherHolder", "RoleOfAnotherKind", "WrongHolderRecord", "WrongTokenAccount",
    "spl-token:4",  # The token program's: the money is another's.
}  # fmt: skip
"""Errors that say the key is not the one, or that an account is not that key's. Another error would mean that the call
was refused for something else, and that this table proves nothing."""
OTHERWISE: dict[tuple[str, str], set[str]] = {
    ("cancel_subscription", "holder"): {"DeadlineNotPassed"},
}
"""Cells in which another rule refuses as well."""

TEXT = """# Who may call what

Every instruction, and every key that the design knows. `tests/program/test_authority.py` takes the valid call of each
instruction and signs it with each key: in one signer's place, in several, in all, with that key's own role and limit or
with the rightful ones. This page says what was accepted. The test fails while it says something else, or while that is
not what the design declares in the test. `TALLY_WRITE_AUTHORITY=1 uv run pytest tests/program/test_authority.py` writes
it anew. {tries:,} calls were refused for it; where a key may never, with an error about who signs; and after none of
them had anything moved.

| mark | means |
|---|---|
{meaning}

A fee payer signs every call and pays what it creates; that gives no power. **holder** is the one whose order or tokens
the call is about, **another holder** is approved and has tokens of its own, **funder** is whoever owns the money. In
`initialize` the upgrade authority may name any key the admin of a new issuer, if that key signs too.

{table}

What each key can do at worst with what it may call is in [SECURITY.md](../SECURITY.md).
"""


def page() -> str:
    """The document as it should be."""
    lines = ["| call | " + " | ".join(KEYS) + " |", "|---" * (len(KEYS) + 1) + "|"]
    for row in sorted(ROWS, key=lambda row: list(INSTRUCTIONS).index(instruction_of(row))):
        name, comma, how = row.partition(",")
        lines.append(f"| `{name}`{comma}{how} | " + " | ".join(tried(row).marks.values()) + " |")
    return TEXT.format(
        meaning="\n".join(f"| {mark or 'none'} | {meaning} |" for mark, meaning in MEANING.items()),
        tries=sum(tried(row).refused for row in ROWS),
        table="\n".join(lines),
    )


def test_every_call_that_is_tried_is_declared_and_none_else() -> None:
    assert set(MAY) == set(ROWS)
    assert {instruction_of(row) for row in ROWS} == set(INSTRUCTIONS)


@pytest.mark.parametrize("row", ROWS)
def test_the_keys_that_may_call_are_those_that_the_design_says(row: str) -> None:
    found = {column: mark for column, mark in tried(row).marks.items() if mark is not NEVER}
    assert found == MAY[row]


@pytest.mark.parametrize("row", ROWS)
def test_nothing_moves_when_another_key_signs(row: str) -> None:
    assert tried(row).moved == ()


@pytest.mark.parametrize("row", ROWS)
def test_another_key_is_refused_for_who_it_is(row: str) -> None:
    found = tried(row)
    refused = {column: errors for column, errors in found.refusals.items() if found.marks[column] is NEVER}
    assert all(refused.values())
    assert {
        (column, error)
        for column, errors in refused.items()
        for error in errors - WHO_SIGNS - OTHERWISE.get((row, column), set())
    } == set()


def test_no_key_may_alone_make_half_of_the_calls() -> None:
    alone = Counter(column for row in ROWS for column, mark in tried(row).marks.items() if mark in (ALONE, OWN, SECOND))
    anyone = sum(MAY[row] == ANYONE for row in ROWS)
    assert alone["stranger"] == alone["another holder"] == anyone
    assert max(alone.values()) < len(ROWS) / 2


def test_the_document_says_what_was_tried() -> None:
    text = page()
    if os.environ.get("TALLY_WRITE_AUTHORITY"):
        DOCUMENT.write_text(text, encoding="utf-8")
    assert DOCUMENT.read_text(encoding="utf-8") == text, "write it anew with TALLY_WRITE_AUTHORITY=1"
