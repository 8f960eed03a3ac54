"""What an issuer declares, as JSON and back: the document's key `declared`.

Closes stand in it as their canonical content, oldest first, with the hash of the close before the first, and of those
between that were left out on chain: from these every hash of theirs follows.
"""

from __future__ import annotations

import json
from datetime import date
from itertools import pairwise
from typing import Any, Final, cast

from tallystick.domain.canonical import CanonicalValue, canonical_json
from tallystick.domain.closes import DailyClose, close_hash, parse_close
from tallystick.domain.reserve_report.declared import (
    CONTROL_TOTALS,
    Assertion,
    Change,
    Correction,
    Declared,
    DeclaredAccount,
    DeclaredBreak,
    DeclaredCustodian,
    DeclaredDividend,
    DeclaredHolding,
    DeclaredPrice,
    DeclaredTiming,
    DeclaredWallets,
    Examination,
    Officer,
    StatementPart,
    StatementTree,
)
from tallystick.domain.reserve_report.shapes import (
    SECONDS,
    Address,
    Amount,
    Count,
    Flag,
    Hex,
    Items,
    Maybe,
    Pair,
    Record,
    Schema,
    Text,
    members,
    object_schema,
    unfit,
)
from tallystick.errors import InputError, LedgerError

_CLOSE: Final[Schema] = {"$ref": "#/$defs/close"}
_LEFT_OUT: Final = Pair("before", Text(), "close", Hex())
"""The day of a close, and the hash of the one that it names, which is on no chain."""


class Closes:
    """Closes, oldest first, as {previous, contents, left_out}. Each names the one before it, but those that `left_out`
    has by their day: they name a close that is not here, by its hash."""

    def write(self, value: tuple[DailyClose, ...]) -> CanonicalValue:
        if not value:
            raise InputError("A report needs at least one daily close.", hint="Close a day with: tally close")
        left_out: list[CanonicalValue] = []
        for before, close in pairwise(value):
            if not _follows(close, before):
                raise InputError(f"The close of {close.day} does not follow the close of {before.day}.")
            if close.previous != before.hash:
                left_out.append(_LEFT_OUT.write((close.day, close.previous)))
        return {
            "contents": [_content(each) for each in value],
            "left_out": left_out,
            "previous": value[0].previous.hex(),
        }

    def read(self, value: object, path: str) -> tuple[DailyClose, ...]:
        found = members(value, ("contents", "left_out", "previous"), path)
        previous, contents = Hex().read(found["previous"], f"{path}/previous"), found["contents"]
        if not isinstance(contents, list) or not contents:
            raise unfit(f"{path}/contents", "a list of at least one close", contents)
        apart = [*Items(_LEFT_OUT).read(found["left_out"], f"{path}/left_out")]
        closes: list[DailyClose] = []
        for index, content in enumerate(contents):
            is_behind = apart and closes and isinstance(content, dict) and content.get("day") == apart[0][0]
            if is_behind and apart[0][1] != previous:
                previous = apart.pop(0)[1]
            close, previous = _read_close(content, previous, f"{path}/contents/{index}")
            if closes and not _follows(close, closes[-1]):
                raise InputError(f"{path}/contents/{index}: {close.day} does not follow {closes[-1].day}.")
            closes.append(close)
        if apart:
            raise InputError(f"{path}/left_out: the close of {apart[0][0]} is not here, or names the one before it.")
        return tuple(closes)

    def schema(self) -> Schema:
        return object_schema(
            {
                "contents": {"items": _CLOSE, "minItems": 1, "type": "array"},
                "left_out": Items(_LEFT_OUT).schema(),
                "previous": Hex().schema(),
            }
        )


class OneClose:
    """A close as {content, previous}."""

    def write(self, value: DailyClose) -> CanonicalValue:
        return {"content": _content(value), "previous": value.previous.hex()}

    def read(self, value: object, path: str) -> DailyClose:
        found = members(value, ("content", "previous"), path)
        previous = Hex().read(found["previous"], f"{path}/previous")
        return _read_close(found["content"], previous, f"{path}/content")[0]

    def schema(self) -> Schema:
        return object_schema({"content": _CLOSE, "previous": Hex().schema()})


_TEXT, _AMOUNT, _HEX, _ADDRESS = Text(), Amount(), Hex(), Address()

DECLARED: Final = Record(
    Declared,
    {
        "period": Count(999_912),
        "version": Count(65_535),
        "generator": _TEXT,
        "uri": _TEXT,
        "basis": _TEXT,
        "criteria": Items(_TEXT),
        "days_before": _HEX,
        "opening": Maybe(OneClose()),
        "closes": Closes(),
        "custodians": Items(
            Record(
                DeclaredCustodian,
                dict.fromkeys(
                    (
                        "lei",
                        "name",
                        "kind",
                        "jurisdiction",
                        "regulator",
                        "account_title",
                        "segregation",
                        "liens",
                    ),
                    _TEXT,
                ),
            )
        ),
        "holdings": Items(
            Record(
                DeclaredHolding,
                {
                    "isin": _TEXT,
                    "custodian_lei": _TEXT,
                    "account": _TEXT,
                    "statement_hash": _HEX,
                    "statement_id": _TEXT,
                    "as_of": SECONDS,
                    "aggregate": _AMOUNT,
                    "settled": _AMOUNT,
                    "taken_off": Items(Pair("code", _TEXT, "quantity", _AMOUNT)),
                    "unsettled_buys": _AMOUNT,
                    "unsettled_sells": _AMOUNT,
                    "in_transit": _AMOUNT,
                    "pending_entitlements": _AMOUNT,
                    "is_encumbered": Maybe(Flag()),
                },
            )
        ),
        "without_statement": Items(Record(DeclaredAccount, dict.fromkeys(("isin", "custodian_lei", "account"), _TEXT))),
        "timing": Items(
            Record(
                DeclaredTiming,
                {
                    "day": _TEXT,
                    "isin": _TEXT,
                    "account": _TEXT,
                    "reference": _TEXT,
                    "amount": _AMOUNT,
                    "kind": _TEXT,
                },
            )
        ),
        "wallets": Items(
            Record(DeclaredWallets, {"isin": _TEXT, "inventory": Items(_ADDRESS), "lost": Items(_ADDRESS)})
        ),
        "breaks": Items(
            Record(
                DeclaredBreak,
                {
                    "id": _HEX,
                    "kind": _TEXT,
                    "instrument": _TEXT,
                    "account": _TEXT,
                    "reference": _TEXT,
                    "message": _TEXT,
                    "amount": Maybe(_AMOUNT),
                    "first_seen": SECONDS,
                    "closed_at": SECONDS,
                    "owner": _TEXT,
                },
            )
        ),
        "dividends": Items(
            Record(
                DeclaredDividend,
                {
                    "distribution": _ADDRESS,
                    **dict.fromkeys(
                        ("gross", "withheld_upstream", *CONTROL_TOTALS),
                        _AMOUNT,
                    ),
                },
            )
        ),
        "statements": Record(
            StatementTree,
            {
                "root": _HEX,
                "lines": Count(),
                "statements": Items(
                    Record(
                        StatementPart,
                        {
                            "custodian_lei": _TEXT,
                            "account": _TEXT,
                            "statement_id": _TEXT,
                            "as_of": SECONDS,
                            "lines": Count(),
                        },
                    )
                ),
            },
        ),
        "prices": Items(
            Record(
                DeclaredPrice,
                {"isin": _TEXT, "amount": _TEXT, "currency": _TEXT, "source": _TEXT, "at": SECONDS},
            )
        ),
        "assertion": Maybe(
            Record(
                Assertion,
                {
                    "text": _TEXT,
                    "officers": Items(
                        Record(
                            Officer,
                            {
                                "name": _TEXT,
                                "title": _TEXT,
                                "key": Address(is_optional=True),
                                "signature": Address(64, is_optional=True),
                            },
                        )
                    ),
                },
            )
        ),
        "examination": Maybe(
            Record(
                Examination,
                {
                    "examiner": _TEXT,
                    "standard": _TEXT,
                    "opinion": _TEXT,
                    "date": _TEXT,
                    "document_uri": _TEXT,
                    "document_hash": Hex(is_optional=True),
                },
            )
        ),
        "correction": Maybe(
            Record(
                Correction,
                {
                    "reason": _TEXT,
                    "changes": Items(Record(Change, dict.fromkeys(("path", "before", "after"), _TEXT))),
                },
            )
        ),
    },
)
"""The shape of the document's key `declared`."""


def declared_document(declared: Declared) -> dict[str, CanonicalValue]:
    """The declaration as JSON. InputError when its closes do not follow one another, or there is none."""
    return cast("dict[str, CanonicalValue]", DECLARED.write(declared))


def read_declared(document: object, path: str = "/declared") -> Declared:
    """The declaration that declared_document made this of; InputError with the JSON pointer of what is not so."""
    return cast("Declared", DECLARED.read(document, path))


def _read_close(document: Any, previous: bytes, path: str) -> tuple[DailyClose, bytes]:
    """A close and its hash."""
    content = canonical_json(document)
    try:
        return parse_close(content, previous), close_hash(previous, content)
    except LedgerError as error:
        raise InputError(f"{path}: {error}") from error


def _follows(close: DailyClose, before: DailyClose) -> bool:
    """As verify_chain has it; which each names follows from how they are read."""
    is_later = date.fromisoformat(close.day) > date.fromisoformat(before.day) and close.slot > before.slot
    return is_later and close.issuer == before.issuer


def _content(close: DailyClose) -> CanonicalValue:
    content: Any = json.loads(close.content)
    return cast("CanonicalValue", content)
