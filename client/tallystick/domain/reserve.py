"""What of a statement of holdings may count as reserve: the aggregate less everything that is not free.

The aggregate balance of semt.002 and MT535 *includes* every sub-balance ("breakdown of the aggregate balance"), so what
is pledged, lent or otherwise not free is taken off the aggregate once. A custodian that reports a sub-balance outside
its aggregate needs a table of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from tallystick.domain.amounts import Quantity, format_base_units
from tallystick.domain.breaks import Break, BreakEffect, BreakKind
from tallystick.domain.holdings import Completeness, HoldingLine, StatementOfHoldings, SubBalance, Unit
from tallystick.domain.identifiers import is_isin

NOT_AVAILABLE: Final = "NAVL"
"""The code under which an unexplained not-available quantity is taken off."""

_AVAILABLE: Final = frozenset({"AVAI", "TAVI", "AWAS"})


class Treatment(Enum):
    """What a sub-balance does to the reserve."""

    COUNTED = "counted"
    TAKEN_OFF = "taken_off"


_TAKEN_OFF: Final = (
    # lent, borrowed, collateral, margin, pledged: somebody else has a claim, or the share is not ours
    "BORR",
    "BODE",
    "BORE",
    "COLI",
    "COLO",
    "LOAN",
    "LODE",
    "LORE",
    "MARG",
    "PLED",
    # blocked or restricted: cannot be delivered to a holder today
    "BLOK",
    "BLOT",
    "BLOV",
    "RSTR",
    # on the way in or out, or called: not settled with us, or about to leave
    "PECA",
    "PEDA",
    "PEND",
    "PENR",
    "PDMT",
    "PDUM",
    "PRMT",
    "PRUM",
    "BTRA",
    "TRAN",
    "DRAW",
    # narrative only: nobody can tell what it is
    "OTHR",
)
_COUNTED: Final = (
    # available, or a statement about form and place that takes nothing away
    "AVAI",
    "TAVI",
    "AWAS",
    "CLEN",
    "COLA",
    "DIRT",
    "ISSU",
    "NOMI",
    "QUAS",
    "SPOS",
    "UNRG",
    # kept still during a corporate action, at the registrar, or deposited with documents: still held for us
    "BLCA",
    "REGO",
    "WDOC",
)

DEFAULT_TREATMENTS: Final[Mapping[str, Treatment]] = MappingProxyType(
    dict.fromkeys(_TAKEN_OFF, Treatment.TAKEN_OFF) | dict.fromkeys(_COUNTED, Treatment.COUNTED)
)
"""Codes of SecuritiesBalanceType in semt.002 (all versions) and MT535; any other code is not counted and a break."""


@dataclass(frozen=True, slots=True)
class ReserveFinding:
    """What of a holding may count, in base units; None when that cannot be said, and `breaks` then tells why.

    `taken_off` lists the codes and base units that were left out of the aggregate.
    """

    quantity: int | None
    taken_off: tuple[tuple[str, int], ...] = ()
    breaks: tuple[Break, ...] = ()


def reserve_quantity(
    line: HoldingLine,
    decimals: int,
    treatments: Mapping[str, Treatment] = DEFAULT_TREATMENTS,
    *,
    account: str = "",
    as_of: int | None = None,
) -> ReserveFinding:
    """The free shares of one balance in shares x 10^decimals, or the breaks that stand in the way. Never rounds.

    Taken off: every sub-balance the table takes off or does not know, and what the custodian calls not available
    beyond what its sub-balances explain (code NAVL).
    """
    off = _not_counted(line.sub_balances, treatments)
    unexplained = _unexplained(line)
    if unexplained is not None:
        off.append((SubBalance(NOT_AVAILABLE, unexplained), True))

    def found(kind: BreakKind, message: str, reference: str = "", amount: int | None = None) -> Break:
        at = f" (at {line.where})" if line.where else ""
        return Break(kind, f"{line.isin}: {message}{at}", line.isin, account, reference, amount, as_of)

    doubts = _quantity_doubts(line, decimals, off, found)
    if doubts:
        return ReserveFinding(None, breaks=tuple(doubts))
    taken: dict[str, int] = {}
    for part, _ in off:
        taken[part.code] = taken.get(part.code, 0) + part.quantity.to_base_units(decimals)
    known = {part.code for part, is_known in off if is_known}
    breaks: list[Break] = []
    for code, amount in sorted(taken.items()):
        text = format_base_units(amount, decimals)
        if code not in known:
            message = f"{text} under {code!r}, a kind of balance we have no rule for; not counted."
            breaks.append(found(BreakKind.UNKNOWN_SUB_BALANCE, message, code, amount))
        elif amount:
            breaks.append(found(BreakKind.ENCUMBERED, f"{text} under {code} not free; not counted.", code, amount))
    taken_off = tuple((code, amount) for code, amount in sorted(taken.items()) if amount)
    remaining = line.aggregate.to_base_units(decimals) - sum(taken.values())
    if remaining < 0:
        message = f"{format_base_units(-remaining, decimals)} more are not free than are held in all."
        breaks.append(found(BreakKind.NEGATIVE_QUANTITY, message, amount=remaining))
        return ReserveFinding(None, taken_off, tuple(breaks))
    return ReserveFinding(remaining, taken_off, tuple(breaks))


def statement_reserve(
    statement: StatementOfHoldings,
    isin: str,
    decimals: int,
    treatments: Mapping[str, Treatment] = DEFAULT_TREATMENTS,
) -> ReserveFinding:
    """The free shares of one instrument on a statement: the sum over its balances, in shares x 10^decimals.

    None when any balance has no certain quantity. A whole, complete statement without the instrument says zero and
    carries the break MISSING_IN_CUSTODY; any other statement without it says nothing.
    """
    lines = statement.lines_of(isin)
    if not lines:
        certain = statement.is_whole and statement.completeness is Completeness.COMPLETE
        return ReserveFinding(
            0 if certain else None,
            breaks=(
                Break(
                    BreakKind.MISSING_IN_CUSTODY,
                    f"{isin} is not on statement {statement.statement_id or '(no id)'} of account {statement.account}.",
                    isin,
                    statement.account,
                    as_of=statement.as_of,
                ),
            ),
        )
    findings = [
        reserve_quantity(line, decimals, treatments, account=statement.account, as_of=statement.as_of) for line in lines
    ]
    taken: dict[str, int] = {}
    for finding in findings:
        for code, amount in finding.taken_off:
            taken[code] = taken.get(code, 0) + amount
    total: int | None = 0
    for finding in findings:
        total = None if total is None or finding.quantity is None else total + finding.quantity
    return ReserveFinding(total, tuple(sorted(taken.items())), tuple(b for f in findings for b in f.breaks))


def identification_breaks(statement: StatementOfHoldings) -> tuple[Break, ...]:
    """Breaks for balances that name their instrument wrongly (check digit) or not by an ISIN."""
    breaks: list[Break] = []
    for line in statement.lines:
        at = f" (at {line.where})" if line.where else ""
        if not line.isin:
            breaks.append(
                Break(
                    BreakKind.UNKNOWN_ISIN,
                    f"A balance of {line.other_id or 'an unnamed instrument'} has no ISIN{at}.",
                    "",
                    statement.account,
                    line.other_id,
                    None,
                    statement.as_of,
                )
            )
        elif not is_isin(line.isin):
            breaks.append(
                Break(
                    BreakKind.BAD_ISIN,
                    f"{line.isin!r} is not an ISIN with a right check digit{at}.",
                    line.isin,
                    statement.account,
                    "",
                    None,
                    statement.as_of,
                )
            )
    return tuple(breaks)


def encumbrance_break(statement: StatementOfHoldings) -> Break | None:
    """The break for an account that its custodian reports under a lien or right of set-off; it blocks, unlike a pledge
    of known size, because nobody can say how many shares are free."""
    if not statement.encumbered:
        return None
    return Break(
        BreakKind.ENCUMBERED,
        f"The custodian reports a security interest, lien or right of set-off on account {statement.account}.",
        "",
        statement.account,
        "SctyIntrstOrSetOff",
        None,
        statement.as_of,
        BreakEffect.BLOCK_MINT,
    )


def _quantity_doubts(
    line: HoldingLine,
    decimals: int,
    off: Sequence[tuple[SubBalance, bool]],
    found: Callable[[BreakKind, str, str, int | None], Break],
) -> list[Break]:
    """Breaks that leave no certain number: not shares, finer than the token, below zero."""
    if line.unit is not Unit.SHARES:
        message = f"reported as {line.unit.value} where a number of shares was expected."
        return [found(BreakKind.WRONG_UNIT, message, line.unit.value, None)]
    doubts = [
        found(BreakKind.WRONG_UNIT, f"{part.code} is reported as {part.unit.value}, not in shares.", part.code, None)
        for part, _ in off
        if part.unit is not Unit.SHARES
    ]
    for code, quantity in [("", line.aggregate), *((part.code, part.quantity) for part, _ in off)]:
        what = f"{quantity} under {code}" if code else f"{quantity}"
        if quantity.scale > decimals:
            message = f"{what} has {quantity.scale} decimals, the token has {decimals}."
            doubts.append(found(BreakKind.TOO_MANY_DECIMALS, message, code, None))
        elif quantity.is_negative:
            message = f"{what} is less than nothing."
            doubts.append(found(BreakKind.NEGATIVE_QUANTITY, message, code, quantity.to_base_units(decimals)))
    return doubts


def _not_counted(parts: Sequence[SubBalance], treatments: Mapping[str, Treatment]) -> list[tuple[SubBalance, bool]]:
    """The outermost parts that are not counted, and whether their code is known. Parts of those are inside them."""
    outermost: list[tuple[SubBalance, bool]] = []
    for part in parts:
        treatment = treatments.get(part.code)
        if treatment is Treatment.COUNTED:
            outermost.extend(_not_counted(part.parts, treatments))
        else:
            outermost.append((part, treatment is Treatment.TAKEN_OFF))
    return outermost


def _unexplained(line: HoldingLine) -> Quantity | None:
    """What is reported as not available beyond the sub-balances that can be the reason."""
    if line.not_available is None:
        return None
    rest = line.not_available
    for part in line.sub_balances:
        if part.available is not True and part.code not in _AVAILABLE:
            rest = rest + -part.quantity
    return rest if rest.units > 0 else None
