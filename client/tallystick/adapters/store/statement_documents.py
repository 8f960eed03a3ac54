"""Statements of holdings as JSON documents and back, without losing anything a reader found in the file."""

from __future__ import annotations

import json
from typing import Any, Final

from tallystick.domain.amounts import Quantity, parse_quantity
from tallystick.domain.canonical import CanonicalValue, canonical_json
from tallystick.domain.holdings import (
    Basis,
    Completeness,
    HoldingLine,
    Price,
    StatementOfHoldings,
    SubBalance,
    Unit,
)
from tallystick.errors import LedgerError, TallystickError

VERSION: Final = 1


def encode_statement(statement: StatementOfHoldings) -> bytes:
    """The statement as canonical JSON. InputError for text in it that is not valid Unicode."""
    document: dict[str, CanonicalValue] = {
        "version": VERSION,
        "custodian": statement.custodian_lei,
        "account": statement.account,
        "as_of": statement.as_of,
        "received_at": statement.received_at,
        "statement_id": statement.statement_id,
        "basis": statement.basis.value,
        "completeness": statement.completeness.value,
        "has_activity": statement.has_activity,
        "lines": [_line_document(line) for line in statement.lines],
        "source_hashes": [each.hex() for each in statement.source_hashes],
        "format": statement.format,
        "parser_version": statement.parser_version,
        "frequency": statement.frequency,
        "encumbered": statement.encumbered,
        "first_page": statement.first_page,
        "last_page": statement.last_page,
        "ends": statement.ends,
    }
    return canonical_json(document)


def decode_statement(content: bytes) -> StatementOfHoldings:
    """The statement of a document. LedgerError when it is none of this version."""
    try:
        document = json.loads(content)
        if document["version"] != VERSION:
            raise LedgerError(
                f"A stored statement has version {document['version']}; {VERSION} was expected.",
                hint="A newer version of tallystick wrote it; upgrade.",
            )
        return StatementOfHoldings(
            custodian_lei=document["custodian"],
            account=document["account"],
            as_of=document["as_of"],
            received_at=document["received_at"],
            statement_id=document["statement_id"],
            basis=Basis(document["basis"]),
            completeness=Completeness(document["completeness"]),
            has_activity=document["has_activity"],
            lines=tuple(_line(each) for each in document["lines"]),
            source_hashes=tuple(bytes.fromhex(each) for each in document["source_hashes"]),
            format=document["format"],
            parser_version=document["parser_version"],
            frequency=document["frequency"],
            encumbered=document["encumbered"],
            first_page=document["first_page"],
            last_page=document["last_page"],
            ends=document["ends"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise LedgerError(f"A stored statement does not decode: {error!r}") from error
    except LedgerError:
        raise
    except TallystickError as error:
        raise LedgerError(f"A stored statement does not decode: {error.message}") from error


def _line_document(line: HoldingLine) -> dict[str, CanonicalValue]:
    return {
        "isin": line.isin,
        "aggregate": str(line.aggregate),
        "unit": line.unit.value,
        "sub_balances": [_part_document(part) for part in line.sub_balances],
        "available": _text(line.available),
        "not_available": _text(line.not_available),
        "place": line.place,
        "other_id": line.other_id,
        "description": line.description,
        "price": None if line.price is None else [str(line.price.amount), line.price.currency, line.price.date],
        "where": line.where,
    }


def _part_document(part: SubBalance) -> dict[str, CanonicalValue]:
    return {
        "code": part.code,
        "quantity": str(part.quantity),
        "available": part.available,
        "unit": part.unit.value,
        "parts": [_part_document(each) for each in part.parts],
        "where": part.where,
    }


def _line(document: dict[str, Any]) -> HoldingLine:
    price = document["price"]
    return HoldingLine(
        isin=document["isin"],
        aggregate=_quantity(document["aggregate"]),
        unit=Unit(document["unit"]),
        sub_balances=tuple(_part(each) for each in document["sub_balances"]),
        available=_optional(document["available"]),
        not_available=_optional(document["not_available"]),
        place=document["place"],
        other_id=document["other_id"],
        description=document["description"],
        price=None if price is None else Price(_quantity(price[0]), price[1], price[2]),
        where=document["where"],
    )


def _part(document: dict[str, Any]) -> SubBalance:
    return SubBalance(
        code=document["code"],
        quantity=_quantity(document["quantity"]),
        available=document["available"],
        unit=Unit(document["unit"]),
        parts=tuple(_part(each) for each in document["parts"]),
        where=document["where"],
    )


def _text(quantity: Quantity | None) -> str | None:
    return None if quantity is None else str(quantity)


def _optional(text: str | None) -> Quantity | None:
    return None if text is None else _quantity(text)


def _quantity(text: str) -> Quantity:
    return parse_quantity(text, allow_negative=True)


__all__ = ["decode_statement", "encode_statement"]
