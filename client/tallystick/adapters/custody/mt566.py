"""ISO 15022 MT566, the custodian's confirmation of a corporate action, as far as it confirms cash.

Source: the User Handbook's pages of MT566 on iso20022.org. Fields without a use are passed over; those that decide are
required, once each, and read strictly.
"""

from __future__ import annotations

import re
from typing import Final

from tallystick.adapters.custody.cash_movements import GROSS, NET, POSTED, TAXES, CashMovement, Money, add_up
from tallystick.adapters.custody.errors import (
    BadQuantity,
    ConfirmsNothing,
    MalformedStatement,
    UnsupportedStatement,
)
from tallystick.adapters.custody.iso15022 import Block, Field, FinMessage, parse_date, parse_fin, parse_number
from tallystick.adapters.custody.profiles import StatementProfile
from tallystick.domain.amounts import Quantity
from tallystick.domain.canonical import sha256
from tallystick.domain.confirmations import CashConfirmation, ConfirmationFunction
from tallystick.domain.identifiers import canonical_spelling, parse_isin
from tallystick.errors import IdentifierError

FORMAT: Final = "MT566"
_ANNOUNCEMENTS: Final = frozenset({"564", "568"})
_READ: Final = frozenset({GROSS, NET, POSTED, *TAXES})
_MONEY: Final = re.compile(r"([A-Z]{3})([0-9].*)")
_PLAIN_BALANCE: Final = re.compile(r"([A-Z]{4})/(N?[0-9,]+)")
_CODED_BALANCE: Final = re.compile(r"([A-Z]{4})/([A-Z]{4})/(N?[0-9,]+)")


def read_mt566(data: bytes, profile: StatementProfile, received_at: int) -> CashConfirmation:
    """One message. `received_at` in seconds since 1970 UTC. Raises the StatementErrors of this package, nothing else.

    ConfirmsNothing for an announcement (MT564) and for a copy or duplicate of a confirmation.
    """
    message = parse_fin(data, profile.maximum_bytes)
    _require_type(message)
    general, underlying = message.text.required("GENL"), message.text.required("USECU")
    function = _function(general.field("23G"))
    details, confirmed = message.text.optional("CADETL"), message.text.required("CACONF")
    record_date = None if details is None else details.find("98A 98C 98E", "RDTE")
    totals = add_up([_movement(each) for each in confirmed.several("CASHMOVE")], function)
    return CashConfirmation(
        custodian_lei=profile.custodian_lei,
        account=_spelled(underlying.field("97A", "SAFE")),
        reference=_spelled(general.field("20C", "SEME")),
        function=function,
        event_id=_spelled(general.field("20C", "CORP")),
        event_code=_code(general.field("22F", "CAEV")),
        isin=_isin(underlying.field("35B")),
        eligible=_eligible(underlying),
        currency=totals.currency,
        gross=totals.gross,
        tax=totals.tax,
        net=totals.net,
        posted=totals.posted,
        record_date="" if record_date is None else parse_date(record_date),
        source_hash=sha256(data),
        format=FORMAT,
        received_at=received_at,
        reverses=_reverses(general) if function is ConfirmationFunction.REVERSAL else "",
    )


def _require_type(message: FinMessage) -> None:
    names = {each.name for each in message.text.blocks}
    if message.type in _ANNOUNCEMENTS or (not message.type and "CACONF" not in names and "CAOPTN" in names):
        raise ConfirmsNothing(
            f"The message is an MT{message.type or '564'}: it announces the event and confirms no cash",
            hint="Pay from the MT566 that follows when the cash was posted.",
        )
    if message.type not in ("", "566"):
        raise UnsupportedStatement(
            f"The message is an MT{message.type}", hint="Confirmations of cash are read from MT566 and seev.036."
        )


def _function(field: Field) -> ConfirmationFunction:
    function, _, copy = field.value.partition("/")
    if copy in {"CODU", "COPY", "DUPL"}:
        raise ConfirmsNothing(
            f"The message is a copy or duplicate ({field.value}) of another one",
            where=field.where,
            hint="Read the original; a copy is never a second payment.",
        )
    if copy or function not in {each.value for each in ConfirmationFunction}:
        raise UnsupportedStatement(
            f"The function {field.value[:40]!r} is not read; NEWM and REVR are",
            where=field.where,
            hint="Ask the custodian what it means for the cash; nothing is paid from it.",
        )
    return ConfirmationFunction(function)


def _reverses(general: Block) -> str:
    """The reference of the message that is taken back: in exactly one of the linkages (network rule C2)."""
    found = [each for link in general.several("LINK") if (each := link.find("20C", "PREV")) is not None]
    if len(found) != 1:
        raise MalformedStatement(
            f"A reversal names one message that it reverses (:20C::PREV); this one names {len(found)}",
            where=general.where,
        )
    return _spelled(found[0])


def _movement(block: Block) -> CashMovement:
    direction = block.field("22H", "CRDB")
    if direction.value not in {"CRED", "DEBT"}:
        raise MalformedStatement(f"{direction.value[:40]!r} is neither CRED nor DEBT", where=direction.where)
    amounts: dict[str, Money] = {}
    others: list[str] = []
    for field in block.fields:
        if field.tag != "19B":
            continue
        money = _money(field)
        if field.qualifier in amounts:
            raise MalformedStatement(f":19B::{field.qualifier} stands twice in one movement", where=field.where)
        if field.qualifier in _READ:
            amounts[field.qualifier] = money
        else:
            others.append(field.qualifier)
    posted = parse_date(block.field("98A 98C 98E", "POST"))
    return CashMovement(direction.value == "CRED", amounts, posted, block.where, tuple(others))


def _money(field: Field) -> Money:
    match = _MONEY.fullmatch(field.value)
    if match is None:
        raise BadQuantity(f"{field.value[:40]!r} is not an amount such as USD1234,5", where=field.where)
    return Money(match[1], parse_number(match[2], field.where))


def _eligible(underlying: Block) -> Quantity:
    """The confirmed balance, else the eligible one, in shares."""
    field = underlying.find("93B 93C", "CONB") or underlying.field("93B 93C", "ELIG")
    match = (_PLAIN_BALANCE if field.tag == "93B" else _CODED_BALANCE).fullmatch(field.value)
    if match is None or field.scheme:
        raise MalformedStatement(f"{field.value[:40]!r} is not a balance such as UNIT/1000,", where=field.where)
    if match[1] != "UNIT":
        raise UnsupportedStatement(f"The balance counts {match[1]}, not shares (UNIT)", where=field.where)
    if field.tag == "93C" and match[2] != "ELIG":
        raise UnsupportedStatement(f"The balance is {match[2]}, not eligible (ELIG)", where=field.where)
    quantity = parse_number(match[match.re.groups], field.where)
    if not quantity.units:
        raise BadQuantity("Cash is paid on shares, and no share is eligible", where=field.where)
    return quantity


def _isin(field: Field) -> str:
    first = field.value.partition("\n")[0]
    if not first.startswith("ISIN "):
        raise UnsupportedStatement("The security is not named by its ISIN", where=field.where)
    try:
        return parse_isin(first.removeprefix("ISIN "))
    except IdentifierError as error:
        raise MalformedStatement(error.message, where=field.where, hint=error.hint) from error


def _code(field: Field) -> str:
    if field.scheme or re.fullmatch(r"[A-Z0-9]{4}", field.value) is None:
        raise UnsupportedStatement(f"{field.value[:40]!r} is no code of an event that is known", where=field.where)
    return field.value


def _spelled(field: Field) -> str:
    if "\n" in field.value:
        raise MalformedStatement(f":{field.tag}::{field.qualifier} goes on in a second line", where=field.where)
    try:
        return canonical_spelling(field.value)
    except IdentifierError as error:
        raise MalformedStatement(error.message, where=field.where, hint=error.hint) from error


__all__ = ["read_mt566"]
