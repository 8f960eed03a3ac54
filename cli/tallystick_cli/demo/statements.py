"""The custodian's part in the demo: it writes semt.002 files, which the real reader reads back."""

from __future__ import annotations

from pathlib import Path

from tallystick.domain.amounts import parse_quantity
from tallystick.domain.holdings import Basis, Completeness, HoldingLine, StatementOfHoldings

from tallystick_cli.context import write_semt002
from tallystick_cli.demo.cast import ACCOUNT, CUSTODIAN_LEI, SHARES

MESSAGE = "semt.002.001.11"


def write_statement(folder: Path, statement_id: str, as_of: int, quantities: dict[str, str]) -> Path:
    """A custodian's statement file; `quantities` are shares by symbol, `as_of` in seconds since 1970 UTC."""
    statement = StatementOfHoldings(
        custodian_lei=CUSTODIAN_LEI,
        account=ACCOUNT,
        as_of=as_of,
        received_at=as_of,
        statement_id=statement_id,
        basis=Basis.SETTLED,
        completeness=Completeness.COMPLETE,
        has_activity=True,
        lines=tuple(
            HoldingLine(share.isin, parse_quantity(quantities[share.symbol]), description=share.name)
            for share in SHARES
        ),
        source_hashes=(),
        format=MESSAGE,
        parser_version=0,
        frequency="DAIL",
        encumbered=False,
    )
    file = folder / f"{statement_id}.xml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(write_semt002(statement, MESSAGE))
    return file
