"""Confirmations of our own making, for the demo and for round trips in tests.

They have the fields that decide, in the order of the standards; they are no custodian's files and not schema-complete.
"""

from __future__ import annotations

from typing import Final

from lxml import etree

from tallystick.adapters.clock import instant
from tallystick.adapters.custody.seev036 import ROOTS
from tallystick.adapters.custody.xml import Element, namespace
from tallystick.domain.amounts import Quantity
from tallystick.domain.confirmations import CashConfirmation, ConfirmationFunction
from tallystick.errors import InputError

SEEV036_VERSIONS: Final = (
    *(f"001.{version:02d}" for version in range(1, 17)),
    *(f"002.{version:02d}" for version in range(7, 17)),
)
_URN: Final = "urn:iso:std:iso:20022:tech:xsd:"
_HEADER: Final = "head.001.001.02"


def write_mt566(confirmation: CashConfirmation, *, has_envelope: bool = True, line_end: str = "\r\n") -> bytes:
    """An MT566, with blocks 1 to 5 around the text or without. Tax stands as one TAXR."""
    is_new = confirmation.function is ConfirmationFunction.NEW
    sign = "CRED" if is_new else "DEBT"
    currency = confirmation.currency
    lines = [
        ":16R:GENL",
        f":20C::CORP//{confirmation.event_id}",
        f":20C::SEME//{confirmation.reference}",
        f":23G:{confirmation.function.value}",
        f":22F::CAEV//{confirmation.event_code}",
    ]
    if not is_new:
        lines += [":16R:LINK", f":20C::PREV//{confirmation.reverses}", ":16S:LINK"]
    lines += [
        ":16S:GENL",
        ":16R:USECU",
        f":97A::SAFE//{confirmation.account}",
        f":35B:ISIN {confirmation.isin}",
        "SAMPLE SHARE",
        f":93B::ELIG//UNIT/{_comma(confirmation.eligible)}",
        f":93B::CONB//UNIT/{_comma(confirmation.eligible)}",
        ":16S:USECU",
    ]
    if confirmation.record_date:
        date = confirmation.record_date.replace("-", "")
        lines += [":16R:CADETL", f":98A::RDTE//{date}", ":16S:CADETL"]
    posted = confirmation.posted.replace("-", "")
    lines += [
        ":16R:CACONF",
        ":13A::CAON//001",
        ":22F::CAOP//CASH",
        ":16R:CASHMOVE",
        f":22H::CRDB//{sign}",
        f":19B::PSTA//{currency}{_comma(confirmation.net)}",
        f":19B::GRSS//{currency}{_comma(confirmation.gross)}",
        f":19B::NETT//{currency}{_comma(confirmation.net)}",
    ]
    if confirmation.tax.units:
        lines.append(f":19B::TAXR//{currency}{_comma(confirmation.tax)}")
    lines += [f":98A::POST//{posted}", f":98A::VALU//{posted}", ":16S:CASHMOVE", ":16S:CACONF"]
    if has_envelope:
        before = "{1:F01SAMPLEXXAXXX0000000000}{2:O5661200261113SAMPLEXXAXXX00000000002611131200N}{4:"
        lines = [before, *lines, "-}{5:{CHK:000000000000}}"]
    return line_end.join([*lines, ""]).encode("ascii")


def write_seev036(confirmation: CashConfirmation, version: str = "001.15") -> bytes:
    """A seev.036, or a seev.037 for a reversal, behind a business application header. `version` is a family and a
    version, such as 002.15. InputError for versions that are not written."""
    if version not in SEEV036_VERSIONS:
        raise InputError(f"{version!r} is not written; {', '.join(SEEV036_VERSIONS)} are.")
    kind = "seev.036" if confirmation.function is ConfirmationFunction.NEW else "seev.037"
    message = f"{kind}.{version}"
    is_early = version == "001.01"
    document = etree.Element(f"{{{_URN}{message}}}Document", nsmap={None: _URN + message})
    root = _add(document, ROOTS[kind][0])
    if is_early:
        _add(root, "Id", "Id", text=confirmation.reference)
    if kind == "seev.037":
        _add(root, "MvmntConfId", "Id", text=confirmation.reverses)
    general = _add(root, "CorpActnGnlInf")
    _add(general, "CorpActnEvtId", text=confirmation.event_id)
    _add(general, "EvtTp", "Cd", text=confirmation.event_code)
    names = ("UndrlygSctyId", "Id") if is_early else ("FinInstrmId",)
    _add(general, *names, "ISIN", text=confirmation.isin)
    account = _add(root, "AcctDtls")
    _add(account, "SfkpgAcct", text=confirmation.account)
    balance = _add(account, "Bal", "ConfdBal", "Bal")
    _add(balance, "ShrtLngPos", text="LONG")
    _add(balance, "QtyChc", "Qty", "Unit", text=str(confirmation.eligible))
    if confirmation.record_date:
        _add(root, "CorpActnDtls", "DtDtls", "RcrdDt", "Dt", "Dt", text=confirmation.record_date)
    confirmed = _add(root, "CorpActnConfDtls")
    _add(confirmed, "OptnNb", "Nb", text="001")
    _add(confirmed, "OptnTp", "Cd", text="CASH")
    _movement(_add(confirmed, "CshMvmntDtls"), confirmation)
    if is_early:
        return _written(document)
    envelope = etree.Element("BusinessMessage")
    header = etree.SubElement(envelope, f"{{{_URN}{_HEADER}}}AppHdr", nsmap={None: _URN + _HEADER})
    _add(header, "BizMsgIdr", text=confirmation.reference)
    _add(header, "MsgDefIdr", text=message)
    _add(header, "CreDt", text=instant(confirmation.received_at))
    envelope.append(document)
    return _written(envelope)


def _movement(movement: Element, confirmation: CashConfirmation) -> None:
    _add(movement, "CdtDbtInd", text="CRDT" if confirmation.function is ConfirmationFunction.NEW else "DBIT")
    amounts = _add(movement, "AmtDtls")
    _money(amounts, "PstngAmt", confirmation.net, confirmation.currency)
    _money(amounts, "GrssCshAmt", confirmation.gross, confirmation.currency)
    _money(amounts, "NetCshAmt", confirmation.net, confirmation.currency)
    if confirmation.tax.units:
        _money(amounts, "WhldgTaxAmt", confirmation.tax, confirmation.currency)
    dates = _add(movement, "DtDtls")
    _add(dates, "PstngDt", "Dt", text=confirmation.posted)
    _add(dates, "ValDt", "Dt", text=confirmation.posted)


def _money(parent: Element, name: str, amount: Quantity, currency: str) -> None:
    _add(parent, name, text=str(amount)).set("Ccy", currency)


def _add(parent: Element, *names: str, text: str | None = None) -> Element:
    prefix = f"{{{namespace(parent)}}}"
    current = parent
    for name in names:
        current = etree.SubElement(current, prefix + name)
    if text is not None:
        current.text = text
    return current


def _written(element: Element) -> bytes:
    return etree.tostring(element, xml_declaration=True, encoding="UTF-8", pretty_print=True).rstrip(b"\n")


def _comma(quantity: Quantity) -> str:
    whole, _, fraction = str(quantity).partition(".")
    return f"{whole},{fraction}"


__all__ = ["SEEV036_VERSIONS", "write_mt566", "write_seev036"]
