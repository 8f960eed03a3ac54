"""Custodians' confirmations of cash in the store."""

from __future__ import annotations

from sqlalchemy import select

from tallystick.adapters.store.confirmations import (
    confirmation_key,
    decode_confirmation,
    encode_confirmation,
    require_same,
)
from tallystick.adapters.store.engine import Database
from tallystick.adapters.store.tables import confirmations
from tallystick.domain.confirmations import CashConfirmation
from tallystick.domain.identifiers import canonical_spelling


class SqlConfirmationStore:
    """Confirmations in the store; see the ConfirmationStore Protocol for what each method promises and raises."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, confirmation: CashConfirmation) -> CashConfirmation:
        """Keep a confirmation; the same again changes nothing."""
        custodian, account, reference = confirmation_key(confirmation)
        wanted = select(confirmations.c.content).where(
            confirmations.c.custodian == custodian,
            confirmations.c.account == account,
            confirmations.c.reference == reference,
        )
        async with self._database.transaction() as connection:
            content = (await connection.execute(wanted)).scalar_one_or_none()
            if content is not None:
                kept = decode_confirmation(content)
                require_same(kept, confirmation)
                return kept
            await connection.execute(
                confirmations.insert().values(
                    custodian=custodian,
                    account=account,
                    reference=reference,
                    isin=confirmation.isin,
                    event_id=canonical_spelling(confirmation.event_id),
                    source_hash=confirmation.source_hash,
                    received_at=confirmation.received_at,
                    content=encode_confirmation(confirmation),
                )
            )
        return confirmation

    async def list(self, isin: str, event_id: str) -> tuple[CashConfirmation, ...]:
        """All of one event, in the order they were received."""
        event = canonical_spelling(event_id)
        wanted = (
            select(confirmations.c.content)
            .where(confirmations.c.isin == isin, confirmations.c.event_id == event)
            .order_by(confirmations.c.id)
        )
        async with self._database.reading() as connection:
            return tuple(decode_confirmation(content) for content in await connection.scalars(wanted))


__all__ = ["SqlConfirmationStore"]
