"""Every method the localnet serves, asked of it and of solana-test-validator: what differs is committed as a document.

TALLY_WRITE_DIFFERENCES=1 writes docs/localnet_differences.md anew; read its diff before committing it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from clusters import Cluster, run_localnet
from rpc_script import Call, calls, told
from rpc_shapes import Shape, differences, shape_of
from tallystick.localnet.dispatch import METHODS

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/localnet_differences.md"
OURS_ALONE = {"tally_warp"}
HEADER = """\
# Where the localnet differs from a validator

`tests/e2e/test_localnet_differs.py` tells `tally localnet` and solana-test-validator the same story, asks both the same
questions and compares the shape of the answers: which members, of what kind, with which error code and message. This
page is written by it; the test fails when it no longer says what is so.

Known without asking:

- What landed is final at once: every commitment answers alike, and `confirmations` is never a number.
- There is a block every 400 ms of the clock and one more for each transaction, which is alone in it; no slot is skipped
  and nothing is forgotten. There are no votes, leaders, stake or rewards.
- `tally_warp` moves time; a validator has no such method.
- Durable nonces are not accepted, and there is no websocket.
- Instructions are not parsed: `jsonParsed` writes them as a validator writes those of unknown programs. Accounts are
  parsed for tokens, mints, upgradeable programs and the clock.
- `base64+zstd` is a valid frame that compresses nothing.

"""


@pytest.mark.validator
async def test_what_differs_from_a_validator_is_documented(cluster: Cluster) -> None:
    with run_localnet() as localnet:
        ours, asked = await answers(localnet.url)
    theirs, asked_there = await answers(cluster.url)
    assert asked == asked_there
    assert {method for _, method in asked} >= set(METHODS) - OURS_ALONE, "a served method is not compared"
    text = document(asked, ours, theirs)
    if os.environ.get("TALLY_WRITE_DIFFERENCES"):
        DOCUMENT.write_text(text)
    assert DOCUMENT.read_text() == text, "run this with TALLY_WRITE_DIFFERENCES=1 and read the diff"


async def answers(url: str) -> tuple[list[Shape], list[tuple[str, str]]]:
    """The shape of each answer, and what was asked."""
    async with told(url) as story:
        script: list[Call] = await calls(story)
        shapes = [shape_of(await story.post(method, params)) for _, method, params in script]
        return shapes, [(name, method) for name, method, _ in script]


def document(asked: list[tuple[str, str]], ours: list[Shape], theirs: list[Shape]) -> str:
    """The committed page."""
    rows: list[str] = []
    alike = 0
    for (name, method), mine, other in zip(asked, ours, theirs, strict=True):
        found = differences(mine, other)
        alike += not found
        rows += [
            f"| {method} | {name or 'plain'} | `{path}` | {cell(here)} | {cell(there)} |" for path, here, there in found
        ]
    table = "\n".join(["| method | asked | where | localnet | validator |", "|---|---|---|---|---|", *rows])
    return (
        f"{HEADER}Of {len(asked)} questions about {len({method for _, method in asked})} methods, {alike} are answered "
        f"alike. The others:\n\n{table}\n"
    )


def cell(text: str) -> str:
    """Text that cannot break the table."""
    return text.replace("|", "\\|").replace("\n", " ")
