"""The custodian's part in the demo: it writes semt.002 and MT566 files, which the real readers read back."""

from __future__ import annotations

from pathlib import Path

from tallystick.domain.amounts import parse_quantity
from tallystick.domain.confirmations import CashConfirmation, ConfirmationFunction
from tallystick.domain.holdings import Basis, Completeness, HoldingLine, StatementOfHoldings

from tallystick_cli.context import write_mt566, write_semt002
from tallystick_cli.demo.cast import ACCOUNT, CUSTODIAN_LEI, SHARES, Cash, Share
from tallystick_cli.render import instant_text

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


def write_confirmation(folder: Path, share: Share, cash: Cash, record_at: int, paid_at: int) -> Path:
    """A custodian's confirmation of a dividend's cash; moments in seconds since 1970 UTC."""
    reference = f"CONF-{cash.event}"
    confirmation = CashConfirmation(
        custodian_lei=CUSTODIAN_LEI,
        account=ACCOUNT,
        reference=reference,
        function=ConfirmationFunction.NEW,
        event_id=cash.event,
        event_code="DVCA",
        isin=share.isin,
        eligible=parse_quantity(cash.eligible),
        currency=cash.currency,
        gross=parse_quantity(cash.gross),
        tax=parse_quantity(cash.tax),
        net=parse_quantity(cash.net),
        posted=(instant_text(paid_at) or "")[:10],
        record_date=(instant_text(record_at) or "")[:10],
        source_hash=bytes(32),
        format="MT566",
        received_at=paid_at,
    )
    file = folder / f"{reference}.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(write_mt566(confirmation))
    return file
