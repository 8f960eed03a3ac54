"""What each owner at the record date is owed of a dividend, exactly, and how the cash received adds up to it.

Every part of every owner is an integer over one denominator, so nothing is rounded before the end. Amounts below are
base units of the payment mint. Of N, the cash a custodian credited for E shares, an owner of s shares has N s / E less
the withholding of its class and the fee. Owners that reach the minimum get their whole units, and what their fractions
make together goes one unit each to the largest fractions, equal ones by the owner's bytes: so they get the floor of
their sum exactly. Who does not reach it carries its whole units forward. The rest of N is named: withheld, fee, the
issuer's own part, the part of shares that the custodian paid on and no token stands for, and a residue of fractions.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from itertools import islice, pairwise
from operator import attrgetter
from struct import Struct
from typing import Final, TypeAlias, overload

from tallystick.domain.dividend_terms import DividendTerms, UnitShares, unit_shares
from tallystick.domain.dividends import Carry, EntitlementPage, HolderClass, PayoutLine
from tallystick.domain.record_register import Position, RecordRegister
from tallystick.errors import AmountError, InputError, LedgerError

PAGE_LENGTH: Final = 1_000
"""Entitlements of one stored page."""

_ROW: Final = Struct("<32sQBB9Q")
_Row: TypeAlias = tuple[bytes, int, HolderClass, str, int, int, int, int, int, int, int, int, int]
_OWN: Final = HolderClass.INVENTORY
_PARTS: Final = 5
"""Sums of control totals that are rounded down on their own; each leaves less than one unit in the residue."""


@dataclass(frozen=True, slots=True)
class Entitlement:
    """One owner's part. `raw` in raw units of the security, everything else in base units of the payment mint. The
    issuer's own wallets have no tax class, nothing withheld and nothing paid.

    `gross`, `upstream` (tax withheld before the custodian was credited), `withheld` (by the issuer) and `fee` are each
    rounded down, for a statement. `carried_in` was carried from earlier actions, `already` is what earlier
    distributions of this action committed. `amount` is paid by this one, 0 when the owner is not in its tree;
    `carried_out` is carried to the next action. `overpaid` is what was committed too much; it is recorded only.
    """

    owner: bytes
    raw: int
    holder_class: HolderClass
    tax_class: str
    gross: int
    upstream: int
    withheld: int
    fee: int
    carried_in: int
    already: int
    amount: int
    carried_out: int
    overpaid: int = 0

    @property
    def due(self) -> int:
        """All that the owner is owed for this action, with what was carried in."""
        return self.already - self.overpaid + self.amount + self.carried_out


@dataclass(frozen=True, slots=True)
class ControlTotals:
    """How the cash received is used; base units, and the numbers of owners and of lines to pay.

    `net` = entitled + withheld + fee + carried_forward + inventory + surplus + residue, where `entitled` is for owners
    that reach the minimum and `carried_forward` for those that do not, both without what was carried in. And
    `entitled` + `carried_forward` + `carried_in` = `amount` + `carried_out` + `already` - `overpaid`.
    """

    net: int
    entitled: int
    withheld: int
    fee: int
    carried_forward: int
    inventory: int
    surplus: int
    residue: int
    carried_in: int
    carried_out: int
    already: int
    overpaid: int
    amount: int
    owners: int
    lines: int

    def require_balanced(self) -> ControlTotals:
        """Itself; LedgerError when the totals do not add up."""
        used = self.entitled + self.withheld + self.fee + self.carried_forward + self.inventory + self.surplus
        owed = self.entitled + self.carried_forward + self.carried_in
        booked = self.amount + self.carried_out + self.already - self.overpaid
        is_whole = all(getattr(self, each.name) >= 0 for each in fields(self))
        if not is_whole or used + self.residue != self.net or owed != booked or self.residue > self.owners + _PARTS:
            raise LedgerError(
                f"The control totals of this dividend do not add up: {self}.",
                hint="Nothing was planned. Report this with the register and the confirmations.",
            )
        return self


@dataclass(frozen=True, slots=True)
class Parts(Sequence[Entitlement]):
    """Entitlements as columns, each of them put together when it is read. `dues` are whole units of this action, and
    `shares` the parts of one raw unit."""

    positions: Sequence[Position]
    classes: Sequence[str]
    dues: Sequence[int]
    is_payable: bytearray
    shares: UnitShares
    minimum: int
    carried: Mapping[bytes, int]
    already: Mapping[bytes, int]

    def __len__(self) -> int:
        return len(self.positions)

    @overload
    def __getitem__(self, index: int) -> Entitlement: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Entitlement, ...]: ...
    def __getitem__(self, index: int | slice) -> Entitlement | tuple[Entitlement, ...]:
        if isinstance(index, slice):
            return tuple(self._at(each) for each in range(*index.indices(len(self))))
        return self._at(index)

    def __iter__(self) -> Iterator[Entitlement]:
        return (Entitlement(*row) for row in self.rows())

    def _at(self, index: int) -> Entitlement:
        at = range(len(self))[index]
        one = slice(at, at + 1)
        columns = (self.positions[one], self.classes[one], self.dues[one], self.is_payable[one])
        return next(iter(Parts(*columns, self.shares, self.minimum, self.carried, self.already)))

    def rows(self) -> Iterator[_Row]:
        """The fields of each entitlement, in their order."""
        shares, carried, already = self.shares, self.carried, self.already
        whole, gross, upstream, fee = shares.whole, shares.gross, shares.upstream, shares.fee
        parts = zip(self.positions, self.classes, self.settled(), strict=True)
        for position, name, (amount, carried_out, overpaid) in parts:
            owner, raw, kind = position.owner, position.raw, position.holder_class
            yield (
                owner,
                raw,
                kind,
                name,
                raw * gross // whole,
                raw * upstream // whole,
                0 if kind is _OWN else raw * shares.withheld[name] // whole,
                0 if kind is _OWN else raw * fee // whole,
                carried.get(owner, 0),
                already.get(owner, 0),
                amount,
                carried_out,
                overpaid,
            )

    def settled(self) -> Iterator[tuple[int, int, int]]:
        """Of each owner, what is paid now, carried out, and was committed too much."""
        carried, already, minimum = self.carried, self.already, self.minimum
        for position, due, is_payable in zip(self.positions, self.dues, self.is_payable, strict=True):
            owner = position.owner
            rest, committed = due + carried.get(owner, 0), already.get(owner, 0)
            if position.holder_class is _OWN:
                yield 0, rest, committed
                continue
            rest -= committed
            if rest <= 0:
                yield 0, 0, -rest
            elif is_payable and rest >= minimum:
                yield rest, 0, 0
            else:
                yield 0, rest, 0

    def payments(self) -> Iterator[tuple[bytes, HolderClass, int]]:
        """Owner, class and amount of those that are paid."""
        for position, (amount, _, _) in zip(self.positions, self.settled(), strict=True):
            if amount:
                yield position.owner, position.holder_class, amount


@dataclass(frozen=True, slots=True)
class Entitlements:
    """Every owner of a register, in the order of their bytes, and the control totals.

    The entitlements are made when they are read, each time anew: a million of them at once would not fit the memory
    that a plan may take.
    """

    entitlements: Parts
    totals: ControlTotals

    def carry_changes(self, earlier: Mapping[bytes, int]) -> tuple[Carry, ...]:
        """What to keep as carried with this distribution; `earlier` is what earlier ones of the same action changed of
        the balance and nothing has used since (CarriedBefore.kept)."""
        parts = self.entitlements
        kept = zip(parts.positions, parts.settled(), strict=True)
        changes = (
            Carry(owner, out - parts.carried.get(owner, 0) - earlier.get(owner, 0))
            for owner, out in ((position.owner, out) for position, (_, out, _) in kept)
            if out or owner in parts.carried or owner in earlier
        )
        return tuple(carry for carry in changes if carry.change)


def compute_entitlements(
    register: RecordRegister,
    terms: DividendTerms,
    *,
    tax_classes: Mapping[bytes, str],
    carried: Mapping[bytes, int],
    already: Mapping[bytes, int],
) -> Entitlements:
    """Every owner's part of a dividend. Owners missing from `tax_classes` are of the default class.

    `carried` is what each owner carried before this action: what distributions of this action carried, or used of it,
    is not in it. `already` is what these committed to each owner (closed ones: what they paid), with what others have
    paid of it since (CarriedBefore.used). A difference below the minimum is carried forward, not paid.

    Refused when the register has more shares than the custodian paid on; InputError for a tax class without a rate, or
    deductions above the gross amount; AmountError for a net amount finer than base units; LedgerError for a register
    that does not add up, a commitment to somebody outside it, or control totals that do not add up.
    """
    if not all(tax_classes.values()):
        raise InputError("The name of a tax class is empty.")
    if any(amount < 0 for kept in (carried, already) for amount in kept.values()):
        raise LedgerError("What was carried or committed before is below zero for somebody.")
    positions = _require_register(register, already)
    net_cash = terms.net.to_base_units(terms.payment_decimals)
    shares = unit_shares(register, terms)
    whole = shares.whole

    classes = [
        "" if position.holder_class is _OWN else tax_classes.get(position.owner, terms.default_class)
        for position in positions
    ]
    raw_by_class: dict[str, int] = {}
    for position, name in zip(positions, classes, strict=True):
        raw_by_class[name] = raw_by_class.get(name, 0) + position.raw
    own_raw = raw_by_class.pop("", 0)
    for name in raw_by_class:
        shares.require_class(name)

    units, remainders, is_payable = [0] * len(positions), [0] * len(positions), bytearray(len(positions))
    carried_forward = payable_parts = lost_parts = 0
    for index, (position, name) in enumerate(zip(positions, classes, strict=True)):
        if not name:
            continue
        amount, remainder = divmod(position.raw * shares.net[name], whole)
        units[index] = amount
        if amount + carried.get(position.owner, 0) >= terms.minimum:
            is_payable[index], remainders[index] = True, remainder
            payable_parts += amount * whole + remainder
        else:
            carried_forward += amount
            lost_parts += amount * whole + remainder
    if payable_parts + lost_parts != sum(raw * shares.net[name] for name, raw in raw_by_class.items()):
        raise LedgerError("The parts of all owners are not the part of all their shares together.")
    entitled = payable_parts // whole
    spare = entitled - (sum(units) - carried_forward)
    # Sorting is stable: equal fractions stay in the order of owners. More than `spare` are above zero.
    for index in sorted(range(len(positions)), key=remainders.__getitem__, reverse=True)[:spare]:
        units[index] += 1

    found = Parts(positions, classes, units, is_payable, shares, terms.minimum, carried, already)
    amount = carried_out = overpaid = lines = 0
    for paid, kept, too_much in found.settled():
        amount, carried_out, overpaid = amount + paid, carried_out + kept, overpaid + too_much
        lines += paid > 0
    held_raw = sum(raw_by_class.values())
    withheld = sum(raw * shares.withheld[name] for name, raw in raw_by_class.items()) // whole
    fee = held_raw * shares.fee // whole
    inventory = own_raw * (shares.gross - shares.upstream) // whole
    surplus = (net_cash * whole - (held_raw + own_raw) * (shares.gross - shares.upstream)) // whole
    totals = ControlTotals(
        net=net_cash,
        entitled=entitled,
        withheld=withheld,
        fee=fee,
        carried_forward=carried_forward,
        inventory=inventory,
        surplus=surplus,
        residue=net_cash - entitled - withheld - fee - carried_forward - inventory - surplus,
        carried_in=sum(carried.get(position.owner, 0) for position in positions),
        carried_out=carried_out,
        already=sum(already.values()),
        overpaid=overpaid,
        amount=amount,
        owners=len(found),
        lines=lines,
    )
    return Entitlements(found, totals.require_balanced())


def pack_pages(entitlements: Iterable[Entitlement], tax_class_names: Sequence[str]) -> Iterator[EntitlementPage]:
    """Entitlements, in the order of their owners, as they are stored: PAGE_LENGTH to a page. `tax_class_names` gives
    each class its number (at most 255) and has to be kept with the pages. AmountError for what does not fit u64."""
    numbers = {name: number for number, name in enumerate(("", *tax_class_names))}
    remaining = entitlements.rows() if isinstance(entitlements, Parts) else map(astuple, entitlements)
    number = 0
    while part := list(islice(remaining, PAGE_LENGTH)):
        try:
            content = b"".join([_ROW.pack(*row[:3], numbers[row[3]], *row[4:]) for row in part])
        except struct.error as error:
            raise AmountError("A part of an entitlement does not fit 64 bits.") from error
        yield EntitlementPage(number, part[0][0], content)
        number += 1


def parse_page(page: EntitlementPage, tax_class_names: Sequence[str]) -> tuple[Entitlement, ...]:
    """The entitlements of a page; LedgerError when it is damaged."""
    names = ("", *tax_class_names)
    try:
        found = tuple(
            Entitlement(owner, raw, HolderClass(kind), names[name], *parts)
            for owner, raw, kind, name, *parts in _ROW.iter_unpack(page.content)
        )
    except (struct.error, ValueError, IndexError) as error:
        raise LedgerError(f"Page {page.number} of a distribution's entitlements is damaged.") from error
    if not found or found[0].owner != page.first_owner:
        raise LedgerError(f"Page {page.number} of a distribution's entitlements is damaged.")
    return found


def payout_lines(
    entitlements: Iterable[Entitlement], find_account: Callable[[bytes], tuple[bytes, int]]
) -> list[PayoutLine]:
    """The lines to pay in the order of the tree: those that can be pushed first, then those left to claim, each by
    owner. `find_account` gives the owner's associated account of the payment mint and its bump."""
    pushed: list[PayoutLine] = []
    claimed: list[PayoutLine] = []
    for owner, holder_class, amount in (
        entitlements.payments()
        if isinstance(entitlements, Parts)
        else ((each.owner, each.holder_class, each.amount) for each in entitlements if each.amount)
    ):
        address, bump = find_account(owner)
        line = PayoutLine(owner, address, bump, amount, holder_class)
        (pushed if holder_class is HolderClass.WALLET else claimed).append(line)
    pushed.sort(key=lambda line: line.owner)
    claimed.sort(key=lambda line: line.owner)
    return pushed + claimed


def _require_register(register: RecordRegister, already: Mapping[bytes, int]) -> Sequence[Position]:
    """Positions by owner; LedgerError unless each owner is there once, and all together are the supply."""
    positions = sorted(register.positions, key=attrgetter("owner"))
    is_ascending = all(before.owner < after.owner for before, after in pairwise(positions))
    if not is_ascending or any(position.raw < 0 for position in positions):
        raise LedgerError("A register at the record date has each owner once, with 0 raw units or more.")
    if register.total != register.supply:
        raise LedgerError(
            f"The register's owners have {register.total} raw units; the supply at its slot was {register.supply}."
        )
    if already and not {position.owner for position in positions}.issuperset(already):
        raise LedgerError("An earlier distribution committed cash to somebody who is not in the register.")
    return positions


__all__ = [
    "PAGE_LENGTH",
    "ControlTotals",
    "DividendTerms",
    "Entitlement",
    "Entitlements",
    "Parts",
    "compute_entitlements",
    "pack_pages",
    "parse_page",
    "payout_lines",
]
