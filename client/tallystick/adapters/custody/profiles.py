"""What an operator declares about a custodian's files, because the files do not say it themselves."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import Final

from tallystick.domain.holdings import Basis, Completeness
from tallystick.domain.identifiers import canonical_spelling, parse_lei
from tallystick.errors import ConfigurationError

MAXIMUM_BYTES: Final = 64 * 1024 * 1024
_ENCODINGS: Final = frozenset({"ascii", "cp1252", "iso8859-1", "iso8859-15", "utf-16", "utf-8"})


@dataclass(frozen=True, slots=True)
class CsvProfile:
    """How one custodian's CSV is read. Column fields hold the header's text; empty means that there is no such column.

    `basis` and `completeness` are declared, since a CSV does not carry them: ask the custodian, in writing.
    `sub_balances` maps columns to codes of domain/reserve.py. `account` is the account when no column names it.
    `date_format` is for strptime; with `%z` it carries its own zone. With `trailer`, the last record is that word and
    the number of holdings, so that a file cut at a line's end is noticed; without one it cannot be.
    ConfigurationError when fields contradict each other.
    """

    basis: Basis
    completeness: Completeness
    isin_column: str
    quantity_column: str
    as_of_column: str
    account_column: str = ""
    account: str = ""
    statement_id_column: str = ""
    place_column: str = ""
    description_column: str = ""
    not_available_column: str = ""
    sub_balances: tuple[tuple[str, str], ...] = ()
    delimiter: str = ","
    encoding: str = "utf-8"
    decimal_mark: str = "."
    thousands_mark: str = ""
    date_format: str = "%Y-%m-%d"
    trailer: str = ""

    def __post_init__(self) -> None:
        if not (self.isin_column and self.quantity_column and self.as_of_column):
            raise ConfigurationError("A CSV profile names the columns of ISIN, quantity and as-of.")
        if bool(self.account_column) == bool(self.account):
            raise ConfigurationError("A CSV profile names either the account or its column.")
        if self.account:
            canonical_spelling(self.account)
        columns = self.columns
        if len(set(columns)) != len(columns):
            raise ConfigurationError("A CSV profile uses each column once.")
        if len({code for _, code in self.sub_balances}) != len(self.sub_balances):
            raise ConfigurationError("A CSV profile uses each sub-balance code once.")
        if len(self.delimiter) != 1 or self.delimiter in '"\r\n':
            raise ConfigurationError("A CSV delimiter is one character, and neither a quote nor a line end.")
        if self.decimal_mark not in {".", ","}:
            raise ConfigurationError("The decimal mark is a point or a comma.")
        if len(self.thousands_mark) > 1 or self.thousands_mark == self.decimal_mark or self.thousands_mark.isdigit():
            raise ConfigurationError("The thousands mark is one character other than the decimal mark, or none.")
        try:
            encoding = codecs.lookup(self.encoding).name
        except LookupError:
            encoding = ""
        if encoding not in _ENCODINGS:
            raise ConfigurationError(f"{self.encoding!r} is not read; {', '.join(sorted(_ENCODINGS))} are.")

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that must be in the header."""
        named = (
            self.isin_column,
            self.quantity_column,
            self.as_of_column,
            self.account_column,
            self.statement_id_column,
            self.place_column,
            self.description_column,
            self.not_available_column,
            *(column for column, _ in self.sub_balances),
        )
        return tuple(column for column in named if column)

    @property
    def has_time(self) -> bool:
        """True when `date_format` says the time of day."""
        return any(part in self.date_format for part in ("%H", "%I", "%T", "%X", "%c"))


@dataclass(frozen=True, slots=True)
class StatementProfile:
    """One custodian's files.

    `utc_offset_minutes` is for times that carry no zone. `date_only_seconds` says when a statement that only names a
    date was taken: seconds after 00:00 UTC of that date, maybe negative or more than a day; choose the earliest moment
    it can be, since an as-of too late hides redemptions. Without them such files are refused.
    """

    custodian_lei: str
    utc_offset_minutes: int | None = None
    date_only_seconds: int | None = None
    csv: CsvProfile | None = None
    maximum_bytes: int = MAXIMUM_BYTES

    def __post_init__(self) -> None:
        parse_lei(self.custodian_lei)
        if self.utc_offset_minutes is not None and abs(self.utc_offset_minutes) > 14 * 60:
            raise ConfigurationError("An offset from UTC is at most 14 hours.")
        if self.date_only_seconds is not None and abs(self.date_only_seconds) > 3 * 86_400:
            raise ConfigurationError("A date's statement is taken within three days of it.")
        if not 0 < self.maximum_bytes <= MAXIMUM_BYTES:
            raise ConfigurationError(f"A statement has at most {MAXIMUM_BYTES} bytes.")
