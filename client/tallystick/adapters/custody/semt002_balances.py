"""One balance of a semt.002: aggregate, availability, sub-balances, instrument, place, price."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from tallystick.adapters.custody.errors import BadQuantity, MalformedStatement
from tallystick.adapters.custody.xml import (
    Element,
    boolean,
    content,
    elements,
    local_name,
    only,
    optional,
    path,
    required,
    several,
)
from tallystick.domain.amounts import Quantity, parse_quantity
from tallystick.domain.holdings import HoldingLine, Price, SubBalance, Unit
from tallystick.errors import AmountError

_UNITS: Final = {
    "Unit": Unit.SHARES,
    "FaceAmt": Unit.FACE_AMOUNT,
    "AmtsdVal": Unit.AMORTISED_VALUE,
    "DgtlTknUnit": Unit.DIGITAL_TOKENS,
}
_WRAPPERS: Final = frozenset({"Qty", "QtyAndAvlbty"})
_PROPRIETARY: Final = {"Prtry": "Bal", "QtyAsDSS": "Bal", "OrgnlAndCurFace": "FaceAmt"}
PLEDGED: Final = "PLED"


@dataclass(frozen=True, slots=True)
class BalanceNames:
    """Element names of a balance that differ between the layouts, and whether the aggregate must say long or short."""

    aggregate: str
    available: str
    not_available: str
    breakdown: str
    additional: str
    instrument: tuple[str, ...]
    says_long_or_short: bool


@dataclass(frozen=True, slots=True)
class _Measured:
    quantity: Quantity
    unit: Unit
    available: bool | None


def read_balance(balance: Element, names: BalanceNames, position: int) -> HoldingLine:
    """A BalForAcct as a line; `position` counts them from 1."""
    instrument = required(balance, *names.instrument)
    isin, other_id = _identity(instrument)
    aggregate_element = required(balance, names.aggregate)
    if names.says_long_or_short:
        required(aggregate_element, "ShrtLngInd")
    aggregate = _measure(aggregate_element)
    places = several(balance, "BalAtSfkpgPlc")
    own = _breakdown(balance, names)
    description = optional(instrument, "Desc")
    return HoldingLine(
        isin=isin,
        aggregate=aggregate.quantity,
        unit=aggregate.unit,
        sub_balances=(*own, *_only_at_places(own, places, names)),
        available=_same_unit(optional(balance, names.available), aggregate.unit),
        not_available=_not_available(balance, places, names, aggregate.unit),
        place=_place(balance),
        other_id=other_id,
        description="" if description is None else content(description),
        price=_price(balance),
        where=f"BalForAcct[{position}], line {balance.sourceline}",
    )


def _identity(instrument: Element) -> tuple[str, str]:
    """The ISIN as written, or what else there is, such as CUSIP 037833100."""
    nested = optional(instrument, "Id")  # semt.002.001.03 has one level more
    holder = instrument if nested is None else nested
    isin = optional(holder, "ISIN")
    if isin is not None:
        return content(isin), ""
    return "", " ".join(_texts(element for element in elements(holder) if local_name(element) != "Desc"))[:140]


def _measure(element: Element) -> _Measured:
    """Walk down a quantity of any version: wrappers, indicators on the way, and one number at the end."""
    short: bool | None = None
    available: bool | None = None
    current = element
    while True:
        for indicator in elements(current):
            if local_name(indicator) == "ShrtLngInd":
                short = _is_short(indicator, short)
            elif local_name(indicator) == "AvlbtyInd":
                available = boolean(indicator)
        choices = [
            child
            for child in elements(current)
            if local_name(child) in _WRAPPERS or local_name(child) in _UNITS or local_name(child) in _PROPRIETARY
        ]
        if len(choices) != 1:
            raise MalformedStatement(
                f"{local_name(current)} holds {len(choices)} quantities where one was expected", where=path(current)
            )
        (current,) = choices
        name = local_name(current)
        if name in _UNITS:
            return _Measured(_signed(current, short), _UNITS[name], available)
        if name in _PROPRIETARY:
            return _Measured(_signed(required(current, _PROPRIETARY[name]), short), _unit_of(name), available)


def _unit_of(name: str) -> Unit:
    return Unit.FACE_AMOUNT if name == "OrgnlAndCurFace" else Unit.PROPRIETARY


def _is_short(indicator: Element, before: bool | None) -> bool:
    code = content(indicator)
    if code not in {"LONG", "SHOR"} or before is not None:
        raise MalformedStatement(f"{code[:40]!r}: expected LONG or SHOR, once", where=path(indicator))
    return code == "SHOR"


def _signed(element: Element, short: bool | None) -> Quantity:
    try:
        quantity = parse_quantity(content(element), allow_negative=True)
    except AmountError as error:
        raise BadQuantity(error.message, where=path(element), hint=error.hint) from error
    if quantity.is_negative and short is not None:
        raise BadQuantity(f"{quantity} has a sign and says long or short as well", where=path(element))
    return -quantity if short else quantity


def _breakdown(balance: Element, names: BalanceNames) -> tuple[SubBalance, ...]:
    for element in elements(balance):
        name = local_name(element)
        if "BalBrkdwn" in name and name not in {names.breakdown, names.additional}:
            raise MalformedStatement(f"{name} belongs to another version of semt.002", where=path(element))
    return tuple(
        _sub_balance(element) for name in (names.breakdown, names.additional) for element in several(balance, name)
    )


def _sub_balance(element: Element) -> SubBalance:
    measured = _measure(required(element, "Qty"))
    parts = tuple(_sub_balance(part) for part in several(element, "AddtlBalBrkdwnDtls"))
    where = f"{local_name(element)}, line {element.sourceline}"
    return SubBalance(_sub_balance_code(element), measured.quantity, measured.available, measured.unit, parts, where)


def _sub_balance_code(element: Element) -> str:
    extended = optional(element, "XtndedSubBalTp")
    if extended is not None:
        return "PRTRY:" + content(extended)
    kind = required(element, "SubBalTp")
    if not list(elements(kind)):
        return content(kind)
    choice = only(kind)
    if local_name(choice) in {"Cd", "Strd"}:
        return content(choice)
    return "PRTRY:" + "/".join(_texts([choice]))


def _only_at_places(own: tuple[SubBalance, ...], places: list[Element], names: BalanceNames) -> tuple[SubBalance, ...]:
    """Sub-balances that only the breakdown by safekeeping place tells, beyond what the balance itself tells.

    The places repeat the aggregate, so only the excess of each code counts. A place with a pledgee, or given for an
    exposure, is pledged whole.
    """
    told: dict[tuple[str, Unit], Quantity] = {}
    for part in own:
        key = (part.code, part.unit)
        told[key] = told.get(key, Quantity(0)) + part.quantity
    found: dict[tuple[str, Unit], SubBalance] = {}
    for place in places:
        for part in _place_parts(place, names):
            key = (part.code, part.unit)
            before = found.get(key)
            if before is None:
                found[key] = replace(part, available=None)
            else:
                total = before.quantity + part.quantity
                found[key] = replace(before, quantity=total, parts=(*before.parts, *part.parts))
    excess = ((part, part.quantity + -told.get(key, Quantity(0))) for key, part in found.items())
    return tuple(replace(part, quantity=quantity) for part, quantity in excess if quantity.units > 0)


def _place_parts(place: Element, names: BalanceNames) -> tuple[SubBalance, ...]:
    if optional(place, "Pldgee") is None and optional(place, "XpsrTp") is None:
        return _breakdown(place, names)
    whole = _measure(required(place, names.aggregate))
    return (SubBalance(PLEDGED, whole.quantity, None, whole.unit, (), f"BalAtSfkpgPlc, line {place.sourceline}"),)


def _same_unit(element: Element | None, unit: Unit) -> Quantity | None:
    if element is None:
        return None
    measured = _measure(element)
    if measured.unit is not unit:
        raise MalformedStatement(f"{measured.unit.value} where the aggregate is in {unit.value}", where=path(element))
    return measured.quantity


def _not_available(balance: Element, places: list[Element], names: BalanceNames, unit: Unit) -> Quantity | None:
    total = _same_unit(optional(balance, names.not_available), unit)
    if total is not None:
        return total
    for place in places:
        at_place = _same_unit(optional(place, names.not_available), unit)
        if at_place is not None:
            total = at_place if total is None else total + at_place
    return total


def _place(balance: Element) -> str:
    place = optional(balance, "SfkpgPlc")
    return "" if place is None else "/".join(_texts([place]))


def _price(balance: Element) -> Price | None:
    """The first price that is an amount; prices are for information, so an odd one is left out, not refused."""
    for details in several(balance, "PricDtls"):
        try:
            amount = required(details, "Val", "Amt")
            quantity = parse_quantity(content(amount))
        except (MalformedStatement, AmountError):
            continue
        quoted = optional(details, "QtnDt")
        return Price(quantity, amount.get("Ccy", ""), "" if quoted is None else "".join(_texts([quoted])))
    return None


def _texts(roots: Iterable[Element]) -> Iterator[str]:
    """The texts of all elements without children, in document order."""
    for root in roots:
        children = list(elements(root))
        if children:
            yield from _texts(children)
        else:
            yield content(root)
