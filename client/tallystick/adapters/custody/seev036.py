"""ISO 20022 seev.036, the custodian's confirmation of a movement, and seev.037, its reversal, as far as they move cash.

Every published version of both families (001, and 002 for coexistence with ISO 15022). The message is told by namespace
*and* root; inside, elements without a use are passed over. From version 02 on a message has its own reference in the
business application header alone, so that a file without the header is refused: a reversal could not name it.
"""

from __future__ import annotations

import re
from typing import Final

from tallystick.adapters.custody.cash_movements import CashMovement, Money, add_up
from tallystick.adapters.custody.documents import MessageName, check_namespaces, find_document, message_name
from tallystick.adapters.custody.errors import (
    BadQuantity,
    ConfirmsNothing,
    MalformedStatement,
    UnsupportedStatement,
)
from tallystick.adapters.custody.instants import iso_date_of
from tallystick.adapters.custody.profiles import StatementProfile
from tallystick.adapters.custody.xml import (
    Element,
    content,
    elements,
    local_name,
    only,
    optional,
    parse_xml,
    path,
    required,
    several,
)
from tallystick.domain.amounts import Quantity, parse_quantity
from tallystick.domain.canonical import sha256
from tallystick.domain.confirmations import CashConfirmation, ConfirmationFunction
from tallystick.domain.identifiers import canonical_spelling, parse_isin
from tallystick.errors import AmountError, IdentifierError

ROOTS: Final = {
    "seev.036": ("CorpActnMvmntConf", ConfirmationFunction.NEW),
    "seev.037": ("CorpActnMvmntRvslAdvc", ConfirmationFunction.REVERSAL),
}
_ANNOUNCEMENTS: Final = frozenset({"seev.031", "seev.035"})
_AMOUNTS: Final = {
    "PstngAmt": "PSTA",
    "GrssCshAmt": "GRSS",
    "NetCshAmt": "NETT",
    "WhldgTaxAmt": "TAXR",
    "ScndLvlTaxAmt": "WITL",
    "WhldgOfLclTaxAmt": "WITL",
    "WhldgOfFrgnTaxAmt": "WITF",
}
_QUANTITY_WRAPPERS: Final = frozenset({"Bal", "ElgblBal", "QtyChc", "SgndQty", "Qty"})
_QUANTITY_REFUSED: Final = frozenset(
    {"NotElgblBal", "PrtryQty", "OrgnlAndCurFaceAmt", "OrgnlAndCurFace", "FaceAmt", "AmtsdVal", "DgtlTknUnit"}
)
_SIGN: Final = frozenset({"ShrtLngPos", "ShrtLngInd"})


def read_seev036(data: bytes, profile: StatementProfile, received_at: int) -> CashConfirmation:
    """One message. `received_at` in seconds since 1970 UTC. Raises the StatementErrors of this package, nothing else.

    ConfirmsNothing for an announcement (seev.031, seev.035) and for a copy or duplicate of a confirmation.
    """
    top = parse_xml(data, profile.maximum_bytes)
    document = find_document(top, "seev.036")
    name = _require_message(document)
    root_name, function = ROOTS[name.kind]
    root = only(document)
    if local_name(root) != root_name or name.version == 0:
        raise UnsupportedStatement(
            f"The message {local_name(root)!r} does not belong to {name}; {root_name!r} was expected", where=path(root)
        )
    check_namespaces(root)
    general, account = required(root, "CorpActnGnlInf"), required(root, "AcctDtls")
    confirmed = required(root, "CorpActnConfDtls")
    totals = add_up([_movement(each) for each in several(confirmed, "CshMvmntDtls")], function)
    reverses = _spelled(required(root, "MvmntConfId", "Id")) if function is ConfirmationFunction.REVERSAL else ""
    return CashConfirmation(
        custodian_lei=profile.custodian_lei,
        account=_spelled(required(account, "SfkpgAcct")),
        reference=_reference(top, root),
        function=function,
        event_id=_spelled(required(general, "CorpActnEvtId")),
        event_code=_event_code(required(general, "EvtTp")),
        isin=_isin(general),
        eligible=_eligible(required(account, "Bal")),
        currency=totals.currency,
        gross=totals.gross,
        tax=totals.tax,
        net=totals.net,
        posted=totals.posted,
        record_date=_record_date(root),
        source_hash=sha256(data),
        format=str(name),
        received_at=received_at,
        reverses=reverses,
    )


def _require_message(document: Element) -> MessageName:
    name = message_name(document)
    if name is not None and name.kind in _ANNOUNCEMENTS:
        raise ConfirmsNothing(
            f"The message is a {name}: it announces the event and confirms no cash",
            where=path(document),
            hint="Pay from the seev.036 that follows when the cash was posted.",
        )
    if name is None or name.kind not in ROOTS or name.family not in ("001", "002"):
        raise UnsupportedStatement(
            f"The message {name or 'without a namespace of ISO 20022'} confirms no cash",
            where=path(document),
            hint="Confirmations of cash are read from MT566, seev.036 and, for reversals, seev.037.",
        )
    return name


def _reference(top: Element, root: Element) -> str:
    """The message's own: in the header, or in itself in version 01."""
    headers = [each for each in top.iter("{*}BizMsgIdr") if _parent_name(each) == "AppHdr"]
    copies = [each for each in top.iter("{*}CpyDplct") if _parent_name(each) in ("AppHdr", "Id")]
    if copies:
        raise ConfirmsNothing(
            f"The message is a copy or duplicate ({content(copies[0])[:40]}) of another one",
            where=path(copies[0]),
            hint="Read the original; a copy is never a second payment.",
        )
    own = optional(root, "Id")
    found = [*headers, *([required(own, "Id")] if own is not None else [])]
    references = {_spelled(each) for each in found}
    if not references:
        raise UnsupportedStatement(
            "The message has no reference of its own: the business application header is missing",
            where=path(root),
            hint="Ask the custodian for the file with its header (AppHdr, BizMsgIdr); reversals name that reference.",
        )
    if len(headers) > 1 or len(references) > 1:
        raise MalformedStatement("The message has several references", where=path(found[-1]))
    return references.pop()


def _parent_name(element: Element) -> str:
    """The parent's name without its namespace, empty for the root."""
    parent = element.getparent()
    return "" if parent is None else local_name(parent)


def _movement(element: Element) -> CashMovement:
    direction = required(element, "CdtDbtInd")
    if content(direction) not in {"CRDT", "DBIT"}:
        raise MalformedStatement(f"{content(direction)[:40]!r} is neither CRDT nor DBIT", where=path(direction))
    amounts: dict[str, Money] = {}
    others: list[str] = []
    for child in elements(required(element, "AmtDtls")):
        code = _AMOUNTS.get(local_name(child))
        if code is None:
            others.append(local_name(child))
        elif code in amounts:
            raise MalformedStatement(f"There are two amounts {code} in one movement", where=path(child))
        else:
            amounts[code] = _money(child)
    posted = _date(required(element, "DtDtls", "PstngDt"))
    if not posted:
        raise MalformedStatement("The date of posting is not known, so the cash is not there", where=path(element))
    return CashMovement(content(direction) == "CRDT", amounts, posted, path(element), tuple(others))


def _money(element: Element) -> Money:
    currency = element.get("Ccy", "")
    if re.fullmatch(r"[A-Z]{3}", currency) is None:
        raise MalformedStatement(f"{local_name(element)} has the currency {currency[:40]!r}", where=path(element))
    return Money(currency, _number(element))


def _number(element: Element) -> Quantity:
    try:
        return parse_quantity(content(element))
    except AmountError as error:
        raise BadQuantity(error.message, where=path(element), hint=error.hint) from error


def _eligible(balances: Element) -> Quantity:
    """The confirmed balance, else the eligible one, in shares: walk down to the one number there is."""
    confirmed = optional(balances, "ConfdBal")
    current = confirmed if confirmed is not None else required(balances, "TtlElgblBal")
    while True:
        choices = []
        for child in elements(current):
            name = local_name(child)
            if name in _QUANTITY_REFUSED:
                raise UnsupportedStatement(f"{name} is no balance of eligible shares", where=path(child))
            if name in _SIGN and content(child) != "LONG":
                raise BadQuantity(f"The balance is {content(child)[:40]!r}, not LONG", where=path(child))
            if name in _QUANTITY_WRAPPERS or name == "Unit":
                choices.append(child)
        if len(choices) != 1:
            raise MalformedStatement(
                f"{local_name(current)} holds {len(choices)} quantities where one was expected", where=path(current)
            )
        (current,) = choices
        if local_name(current) == "Unit":
            break
    quantity = _number(current)
    if not quantity.units:
        raise BadQuantity("Cash is paid on shares, and no share is eligible", where=path(current))
    return quantity


def _isin(general: Element) -> str:
    instrument = optional(general, "FinInstrmId")
    if instrument is None:
        instrument = required(general, "UndrlygSctyId")
    nested = optional(instrument, "Id")
    element = required(instrument if nested is None else nested, "ISIN")
    try:
        return parse_isin(content(element))
    except IdentifierError as error:
        raise MalformedStatement(error.message, where=path(element), hint=error.hint) from error


def _event_code(choice: Element) -> str:
    element = only(choice)
    code = content(element) if local_name(element) == "Cd" else ""
    if re.fullmatch(r"[A-Z0-9]{4}", code) is None:
        raise UnsupportedStatement("The event has no code that is known", where=path(element))
    return code


def _record_date(root: Element) -> str:
    details = optional(root, "CorpActnDtls")
    dates = None if details is None else optional(details, "DtDtls")
    element = None if dates is None else optional(dates, "RcrdDt")
    return "" if element is None else _date(element)


def _date(choice: Element) -> str:
    """The date of a choice of any version as ISO 8601; empty where it is a code (unknown, open)."""
    element = only(choice)
    if local_name(element) == "Dt" and len(element):
        element = only(element)
    if local_name(element) in ("Dt", "DtTm"):
        return iso_date_of(content(element), path(element))
    if local_name(element) == "DtCd":
        return ""
    raise MalformedStatement(f"Expected Dt or DtTm, found {local_name(element)}", where=path(element))


def _spelled(element: Element) -> str:
    try:
        return canonical_spelling(content(element))
    except IdentifierError as error:
        raise MalformedStatement(error.message, where=path(element), hint=error.hint) from error


__all__ = ["ROOTS", "read_seev036"]
