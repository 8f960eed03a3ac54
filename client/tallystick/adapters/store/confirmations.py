"""Custodians' confirmations of cash as they were read."""

from __future__ import annotations

from typing import Protocol

from tallystick.domain.confirmations import CashConfirmation


class ConfirmationStore(Protocol):
    """Where confirmations are kept. Every method raises StoreError when the store does not answer."""

    async def add(self, confirmation: CashConfirmation) -> CashConfirmation:
        """Keep one. The same file again changes nothing; StoreConflict for another of the same custodian, account and
        reference."""
        ...

    async def list(self, isin: str, event_id: str) -> tuple[CashConfirmation, ...]:
        """All of one event, reversals too, in the order they were received."""
        ...
