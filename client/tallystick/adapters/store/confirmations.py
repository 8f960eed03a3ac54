"""Custodians' confirmations of cash as they were read."""

from __future__ import annotations

import json
from typing import Final, Protocol

from tallystick.domain.amounts import parse_quantity
from tallystick.domain.canonical import canonical_json
from tallystick.domain.confirmations import CashConfirmation, ConfirmationFunction
from tallystick.domain.identifiers import canonical_spelling
from tallystick.errors import LedgerError, StoreConflict, TallystickError

VERSION: Final = 1


class ConfirmationStore(Protocol):
    """Where confirmations are kept. Every method raises StoreError when the store does not answer."""

    async def add(self, confirmation: CashConfirmation) -> CashConfirmation:
        """Keep one, and return it as it is kept. The same file again changes nothing; StoreConflict for another of the
        same custodian, account and reference."""
        ...

    async def list(self, isin: str, event_id: str) -> tuple[CashConfirmation, ...]:
        """All of one event, however its id is spelled, reversals too, in the order they were received."""
        ...


class MemoryConfirmationStore:
    """Confirmations for the length of a process."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, str], CashConfirmation] = {}

    async def add(self, confirmation: CashConfirmation) -> CashConfirmation:
        kept = self._kept.setdefault(confirmation_key(confirmation), confirmation)
        require_same(kept, confirmation)
        return kept

    async def list(self, isin: str, event_id: str) -> tuple[CashConfirmation, ...]:
        event = canonical_spelling(event_id)
        return tuple(
            each for each in self._kept.values() if (each.isin, canonical_spelling(each.event_id)) == (isin, event)
        )


def confirmation_key(confirmation: CashConfirmation) -> tuple[str, str, str]:
    """What one message is known by: custodian, account and reference, in their one spelling."""
    return (
        confirmation.custodian_lei,
        canonical_spelling(confirmation.account),
        canonical_spelling(confirmation.reference),
    )


def require_same(kept: CashConfirmation, new: CashConfirmation) -> None:
    """StoreConflict when the same key holds another file."""
    if kept.source_hash != new.source_hash:
        raise StoreConflict(
            f"The confirmation {new.reference} of account {new.account} was received before as another file"
            f" ({kept.source_hash.hex()}): net {kept.net} {kept.currency} there, {new.net} {new.currency} here.",
            hint="A reference is one message. Ask the custodian which one stands, and for a reversal of the other.",
        )


def encode_confirmation(confirmation: CashConfirmation) -> bytes:
    """The confirmation as canonical JSON; amounts as exact decimal text."""
    return canonical_json(
        {
            "version": VERSION,
            "custodian": confirmation.custodian_lei,
            "account": confirmation.account,
            "reference": confirmation.reference,
            "function": confirmation.function.value,
            "event_id": confirmation.event_id,
            "event_code": confirmation.event_code,
            "isin": confirmation.isin,
            "eligible": str(confirmation.eligible),
            "currency": confirmation.currency,
            "gross": str(confirmation.gross),
            "tax": str(confirmation.tax),
            "net": str(confirmation.net),
            "posted": confirmation.posted,
            "record_date": confirmation.record_date,
            "source_hash": confirmation.source_hash.hex(),
            "format": confirmation.format,
            "received_at": confirmation.received_at,
            "reverses": confirmation.reverses,
        }
    )


def decode_confirmation(content: bytes) -> CashConfirmation:
    """The confirmation of a document. LedgerError when it is none of this version."""
    try:
        document = json.loads(content)
        if document["version"] != VERSION:
            raise LedgerError(
                f"A stored confirmation has version {document['version']}; {VERSION} was expected.",
                hint="A newer version of tallystick wrote it; upgrade.",
            )
        return CashConfirmation(
            custodian_lei=document["custodian"],
            account=document["account"],
            reference=document["reference"],
            function=ConfirmationFunction(document["function"]),
            event_id=document["event_id"],
            event_code=document["event_code"],
            isin=document["isin"],
            eligible=parse_quantity(document["eligible"]),
            currency=document["currency"],
            gross=parse_quantity(document["gross"]),
            tax=parse_quantity(document["tax"]),
            net=parse_quantity(document["net"]),
            posted=document["posted"],
            record_date=document["record_date"],
            source_hash=bytes.fromhex(document["source_hash"]),
            format=document["format"],
            received_at=document["received_at"],
            reverses=document["reverses"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise LedgerError(f"A stored confirmation does not decode: {error!r}") from error
    except LedgerError:
        raise
    except TallystickError as error:
        raise LedgerError(f"A stored confirmation does not decode: {error.message}") from error


__all__ = [
    "ConfirmationStore",
    "MemoryConfirmationStore",
    "confirmation_key",
    "decode_confirmation",
    "encode_confirmation",
    "require_same",
]
