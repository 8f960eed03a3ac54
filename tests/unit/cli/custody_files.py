"""Statements of the custodian as files, for tests that type."""

from __future__ import annotations

from pathlib import Path

from tallystick.adapters.clock import SystemClock
from tallystick.adapters.custody.samples import write_semt002
from tallystick.domain.amounts import parse_quantity
from tallystick.domain.holdings import Basis, Completeness, HoldingLine, StatementOfHoldings
from typing_in import ACCOUNT, CUSTODIAN_LEI

APPLE = "US0378331005"
BOOKED = ("--booked-at", "2026-01-01T12:00:00Z")
"""When a movement was booked, as it is typed."""


def statement_file(folder: Path, name: str, shares: str, *, account: str = ACCOUNT, ago: int = 0) -> Path:
    """A complete statement of so many Apple shares, as of `ago` seconds ago, in `folder`."""
    as_of = SystemClock().now() - ago
    statement = StatementOfHoldings(
        CUSTODIAN_LEI,
        account,
        as_of,
        as_of,
        name,
        Basis.SETTLED,
        Completeness.COMPLETE,
        True,
        (HoldingLine(APPLE, parse_quantity(shares)),),
        (),
        "semt.002.001.11",
        0,
        encumbered=False,
    )
    file = folder / f"{name}-{shares}.xml"
    file.write_bytes(write_semt002(statement))
    return file
