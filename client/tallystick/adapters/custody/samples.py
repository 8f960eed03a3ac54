"""Statement files of our own making, for the demo, for trying a profile out, and for round trips in tests.

They have the elements that decide, in the order of the schemas; they are no custodian's files and not schema-complete.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from lxml import etree

from tallystick.adapters.clock import instant
from tallystick.adapters.custody.profiles import CsvProfile, StatementProfile
from tallystick.adapters.custody.xml import Element, namespace
from tallystick.domain.amounts import Quantity
from tallystick.domain.holdings import Basis, Completeness, HoldingLine, StatementOfHoldings, SubBalance, Unit
from tallystick.errors import InputError

SEMT002_VERSIONS: Final = (
    *(f"semt.002.001.{version:02d}" for version in range(1, 13)),
    *(f"semt.002.002.{version:02d}" for version in range(9, 13)),
)
_URN: Final = "urn:iso:std:iso:20022:tech:xsd:"
_HEADER: Final = "head.001.001.02"
_LEAVES: Final = {
    Unit.SHARES: "Unit",
    Unit.FACE_AMOUNT: "FaceAmt",
    Unit.AMORTISED_VALUE: "AmtsdVal",
    Unit.DIGITAL_TOKENS: "DgtlTknUnit",
}
_OWN_CODE: Final = "OWNC"
_OWN_ISSUER: Final = "TALLYSTICK"


@dataclass(frozen=True, slots=True)
class _Message:
    """A version of the message, and what is different in it."""

    name: str
    family: int
    version: int

    @property
    def is_early(self) -> bool:
        return self.family == 1 and self.version <= 2

    @property
    def wraps_availability(self) -> bool:
        """From .09 the available balance and sub-balances have one level more."""
        return self.version >= 9

    @property
    def has_lien_flag(self) -> bool:
        return self.version >= 11

    @property
    def root(self) -> str:
        if not self.is_early:
            return "SctiesBalCtdyRpt"
        return self.name if self.version == 1 else "CtdyStmtOfHldgsV02"


def split_pages(statement: StatementOfHoldings, lines_per_page: int) -> tuple[StatementOfHoldings, ...]:
    """The statement as pages of at most so many lines, numbered from 1."""
    if lines_per_page < 1:
        raise InputError("A page has at least one line.")
    chunks = [
        statement.lines[start : start + lines_per_page] for start in range(0, len(statement.lines), lines_per_page)
    ] or [()]
    return tuple(
        replace(statement, lines=lines, first_page=number, last_page=number, ends=number == len(chunks))
        for number, lines in enumerate(chunks, start=1)
    )


def write_semt002(statement: StatementOfHoldings, message: str = "semt.002.001.11", *, envelope: bool = False) -> bytes:
    """One page as a semt.002 of the version named, such as semt.002.001.05; with `envelope`, behind a head.001.

    InputError for versions that are not written, and for content the version has no element for.
    """
    if message not in SEMT002_VERSIONS:
        raise InputError(f"{message!r} is not written; {', '.join(SEMT002_VERSIONS)} are.")
    if statement.first_page != statement.last_page:
        raise InputError("A file is one page; split the statement first.")
    kind = _Message(message, int(message[9:12]), int(message[13:]))
    if statement.encumbered is not None and not kind.has_lien_flag:
        raise InputError(f"{message} cannot say whether the account is encumbered; .11 and later can.")
    document = etree.Element(f"{{{_URN}{message}}}Document", nsmap={None: _URN + message})
    root = _add(document, kind.root)
    if kind.is_early:
        _early_head(root, statement, kind)
    else:
        _head(root, statement)
    for line in statement.lines:
        _balance(_add(root, "BalForAcct"), line, kind)
    whole = _in_envelope(document, statement, message) if envelope else document
    return etree.tostring(whole, xml_declaration=True, encoding="UTF-8", pretty_print=True).rstrip(b"\n")


def write_csv(statement: StatementOfHoldings, profile: StatementProfile) -> bytes:
    """A whole statement as CSV in the profile's layout.

    InputError without a CSV profile, without holdings, and for content the layout has no column for.
    """
    layout = profile.csv
    if layout is None or not statement.lines:
        raise InputError("A CSV needs a CSV profile and at least one holding.")
    if (statement.basis, statement.completeness) != (layout.basis, layout.completeness):
        raise InputError("The profile declares another basis or completeness than the statement's.")
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=layout.delimiter, lineterminator="\r\n")
    writer.writerow(layout.columns)
    as_of = _csv_instant(statement.as_of, layout, profile)
    for line in statement.lines:
        cells = _csv_cells(statement, line, layout, as_of)
        writer.writerow([cells.get(column, "") for column in layout.columns])
    if layout.trailer:
        writer.writerow([layout.trailer, str(len(statement.lines))])
    return text.getvalue().encode(layout.encoding)


def _add(parent: Element, *names: str, text: str | None = None) -> Element:
    """Add a chain of child elements in the parent's namespace, and return the last one."""
    prefix = f"{{{namespace(parent)}}}"
    current = parent
    for name in names:
        current = etree.SubElement(current, prefix + name)
    if text is not None:
        current.text = text
    return current


def _in_envelope(document: Element, statement: StatementOfHoldings, message: str) -> Element:
    envelope = etree.Element("BusinessMessage")
    header = etree.SubElement(envelope, f"{{{_URN}{_HEADER}}}AppHdr", nsmap={None: _URN + _HEADER})
    _add(header, "BizMsgIdr", text=statement.statement_id or "NONE")
    _add(header, "MsgDefIdr", text=message)
    _add(header, "CreDt", text=instant(statement.as_of))
    envelope.append(document)
    return envelope


def _early_head(root: Element, statement: StatementOfHoldings, kind: _Message) -> None:
    if kind.version == 2:
        identification = _add(root, "MsgId")
        _add(identification, "Id", text=statement.statement_id or "NONE")
        _add(identification, "CreDtTm", text=instant(statement.as_of))
    _pagination(_add(root, "MsgPgntn"), statement)
    details = _add(root, "StmtGnlDtls")
    if statement.statement_id:
        _add(details, "Ref", text=statement.statement_id)
    _add(details, "StmtDtTm", "DtTm", text=instant(statement.as_of))
    if statement.frequency:
        _choice(_add(details, "Frqcy"), statement.frequency, "FrqcyAsCd", "FrqcyAsDSS")
    _choice(_add(details, "UpdTp"), statement.completeness.value, "StmtUpdTpAsCd", "StmtUpdTpAsDSS")
    _add(details, "ActvtyInd", text=_boolean(statement.has_activity))
    _choice(_add(details, "StmtBsis"), statement.basis.value, "StmtBsisAsCd", "StmtBsisAsDSS")
    account = _add(root, "AcctDtls")
    _add(account, "Id", "SmplId", "Prtry", "Id", text=statement.account)
    _add(account, "FngbInd", text="true")


def _head(root: Element, statement: StatementOfHoldings) -> None:
    _pagination(_add(root, "Pgntn"), statement)
    details = _add(root, "StmtGnlDtls")
    if statement.statement_id:
        _add(details, "StmtId", text=statement.statement_id)
    _add(details, "StmtDtTm", "DtTm", text=instant(statement.as_of))
    if statement.frequency:
        _choice(_add(details, "Frqcy"), statement.frequency, "Cd", "Prtry")
    _choice(_add(details, "UpdTp"), statement.completeness.value, "Cd", "Prtry")
    _choice(_add(details, "StmtBsis"), statement.basis.value, "Cd", "Prtry")
    _add(details, "ActvtyInd", text=_boolean(statement.has_activity))
    _add(details, "SubAcctInd", text="false")
    if statement.encumbered is not None:
        _add(details, "SctyIntrstOrSetOff", text=_boolean(statement.encumbered))
    _add(root, "SfkpgAcct", "Id", text=statement.account)


def _pagination(element: Element, statement: StatementOfHoldings) -> None:
    _add(element, "PgNb", text=str(statement.first_page))
    _add(element, "LastPgInd", text=_boolean(statement.ends))


def _choice(element: Element, value: str, code: str, proprietary: str) -> None:
    if value in {Basis.PROPRIETARY.value, Completeness.PROPRIETARY.value}:
        own = _add(element, proprietary)
        _add(own, "Id", text=_OWN_CODE)
        _add(own, "Issr", text=_OWN_ISSUER)
    else:
        _add(element, code, text=value)


def _balance(balance: Element, line: HoldingLine, kind: _Message) -> None:
    if kind.is_early:
        _measure(_add(balance, "AggtQty"), line.aggregate, line.unit)
        _optional_quantity(balance, "AvlblQty", line.available, line.unit)
        _optional_quantity(balance, "NotAvlblQty", line.not_available, line.unit)
        _place(balance, line.place, kind)
        _instrument(_add(balance, "FinInstrmDtls", "Id"), line, kind)
        for part in line.sub_balances:
            _early_sub_balance(_add(balance, "BalBrkdwnDtls"), part)
        return
    _instrument(_add(balance, "FinInstrmId"), line, kind)
    aggregate = _add(balance, "AggtBal")
    _add(aggregate, "ShrtLngInd", text="SHOR" if line.aggregate.is_negative else "LONG")
    magnitude = -line.aggregate if line.aggregate.is_negative else line.aggregate
    wrapped = line.unit is not Unit.PROPRIETARY
    _measure(_add(aggregate, "Qty", "Qty") if wrapped else _add(aggregate, "Qty"), magnitude, line.unit)
    if line.available is not None:
        available = _add(balance, "AvlblBal")
        target = _add(available, "Qty") if kind.wraps_availability else available
        _measure(target, line.available, line.unit)
    _optional_quantity(balance, "NotAvlblBal", line.not_available, line.unit)
    _place(balance, line.place, kind)
    for part in line.sub_balances:
        _sub_balance(_add(balance, "BalBrkdwn"), part, kind)


def _instrument(element: Element, line: HoldingLine, kind: _Message) -> None:
    if not kind.is_early and (kind.family, kind.version) == (1, 3):
        _identity(_add(element, "Id"), line, kind)
    else:
        _identity(element, line, kind)
    if line.description and not kind.is_early:
        _add(element, "Desc", text=line.description)


def _identity(element: Element, line: HoldingLine, kind: _Message) -> None:
    if line.isin:
        _add(element, "ISIN", text=line.isin)
    elif line.other_id:
        _add(element, "OthrPrtryId" if kind.is_early else "OthrId", "Id", text=line.other_id)


def _measure(element: Element, quantity: Quantity, unit: Unit) -> None:
    """A quantity below `element`, which holds the choice of kinds of quantity."""
    if unit is Unit.PROPRIETARY:
        own = _add(element, "Prtry")
        _add(own, "Id", text=_OWN_CODE)
        _add(own, "Issr", text=_OWN_ISSUER)
        _add(own, "Bal", text=str(quantity))
    else:
        _add(element, "Qty", _LEAVES[unit], text=str(quantity))


def _optional_quantity(balance: Element, name: str, quantity: Quantity | None, unit: Unit) -> None:
    if quantity is not None:
        _measure(_add(balance, name), quantity, unit)


def _sub_balance(element: Element, part: SubBalance, kind: _Message) -> None:
    if part.code.startswith("PRTRY:"):
        own = _add(element, "SubBalTp", "Prtry")
        texts = part.code.removeprefix("PRTRY:").split("/", 2)
        if not all(texts):
            raise InputError(f"{part.code!r} has an empty part; expected PRTRY:code, or PRTRY:code/issuer/scheme.")
        for name, text in zip(("Id", "Issr", "SchmeNm"), texts, strict=False):
            _add(own, name, text=text)
    else:
        _add(element, "SubBalTp", "Cd", text=part.code)
    quantity = _add(element, "Qty")
    _availability(_add(quantity, "Qty") if kind.wraps_availability else quantity, part)
    for inner in part.parts:
        _sub_balance(_add(element, "AddtlBalBrkdwnDtls"), inner, kind)


def _early_sub_balance(element: Element, part: SubBalance) -> None:
    _availability(_add(element, "Qty"), part)
    if part.code.startswith("PRTRY:"):
        _add(element, "XtndedSubBalTp", text=part.code.removeprefix("PRTRY:"))
    else:
        _add(element, "SubBalTp", text=part.code)
    for inner in part.parts:
        _early_sub_balance(_add(element, "AddtlBalBrkdwnDtls"), inner)


def _availability(element: Element, part: SubBalance) -> None:
    if part.available is None:
        _measure(element, part.quantity, part.unit)
        return
    if part.unit is Unit.PROPRIETARY:
        raise InputError("A proprietary quantity cannot say whether it is available.")
    both = _add(element, "QtyAndAvlbty")
    _measure(both, part.quantity, part.unit)
    _add(both, "AvlbtyInd", text=_boolean(part.available))


def _place(balance: Element, place: str, kind: _Message) -> None:
    if not place:
        return
    element = _add(balance, "SfkpgPlc")
    if kind.version >= 9:
        element = _add(element, "SfkpgPlcFrmt")
    if re.fullmatch(r"[A-Z]{2}", place):
        _add(element, "IdAsCtry" if kind.is_early else "Ctry", text=place)
        return
    code, _, identification = place.partition("/")
    if re.fullmatch(r"[A-Z]{4}", code) is None or not identification:
        raise InputError(f"{place!r} is no safekeeping place: expected a country, or a code and an id, NCSD/DTCYUS33.")
    if kind.is_early:
        element = _add(element, "Id")
        _add(element, "PlcSfkpg", text=code)
        _add(element, "Pty", "BICOrBEI", text=identification)
    else:
        element = _add(element, "TpAndId")
        _add(element, "SfkpgPlcTp", text=code)
        _add(element, "Id", text=identification)


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _csv_instant(as_of: int, layout: CsvProfile, profile: StatementProfile) -> str:
    if layout.has_time:
        zone = timezone(timedelta(minutes=profile.utc_offset_minutes or 0))
        return datetime.fromtimestamp(as_of, zone).strftime(layout.date_format)
    midnight = as_of - (profile.date_only_seconds or 0)
    if midnight % 86_400:
        raise InputError("The profile's date format cannot say the statement's time of day.")
    return datetime.fromtimestamp(midnight, UTC).strftime(layout.date_format)


def _csv_cells(statement: StatementOfHoldings, line: HoldingLine, layout: CsvProfile, as_of: str) -> dict[str, str]:
    columns = {code: column for column, code in layout.sub_balances}
    cells = {
        layout.isin_column: line.isin,
        layout.quantity_column: _csv_quantity(line.aggregate, layout),
        layout.as_of_column: as_of,
        layout.account_column: statement.account,
        layout.statement_id_column: statement.statement_id,
        layout.place_column: line.place,
        layout.description_column: line.description,
        layout.not_available_column: "" if line.not_available is None else _csv_quantity(line.not_available, layout),
    }
    if line.unit is not Unit.SHARES or any(part.code not in columns or part.parts for part in line.sub_balances):
        raise InputError(f"The CSV layout has no column for a part of {line.isin}.")
    return cells | {columns[part.code]: _csv_quantity(part.quantity, layout) for part in line.sub_balances}


def _csv_quantity(quantity: Quantity, layout: CsvProfile) -> str:
    whole, point, fraction = str(quantity).partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    return sign + layout.thousands_mark.join(_thousands(digits)) + (layout.decimal_mark if point else "") + fraction


def _thousands(digits: str) -> Sequence[str]:
    head = len(digits) % 3
    return [part for part in (digits[:head], *(digits[i : i + 3] for i in range(head, len(digits), 3))) if part]
