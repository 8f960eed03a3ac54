"""The movements between what custodians' statements say and what the chain says at a daily close.

The same two kinds as in reconciliation_custody.py, recomputed for a close that is past: what was booked since a
statement and until the close, and what was booked and no order had used by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from solders.pubkey import Pubkey

from tallystick.adapters.store.journal import CustodyMovement
from tallystick.domain.breaks import BreakKind
from tallystick.domain.closes import DailyClose, SecurityClose
from tallystick.domain.reserve_report.declared import DeclaredTiming
from tallystick.program.generated.accounts import Fill, Movement
from tallystick.program.generated.types import FillKind
from tallystick.services.reconciliation_orders import signed


def timing_at(
    close: DailyClose, security: SecurityClose, journal: Sequence[CustodyMovement], used: Mapping[bytes, int]
) -> tuple[DeclaredTiming, ...]:
    """The movements of one security between its statements and a close. `used` are shares that fills had used by then,
    by the hash of the movement's reference. Empty where the close rests on no statement."""
    if not security.statements:
        return ()
    as_ofs = {each.account_hash: each.as_of for each in security.statements}
    return tuple(_lines(close, security.isin, journal, as_ofs, used))


def used_shares(movements: Mapping[Pubkey, Movement], fills: Iterable[Fill], until: int) -> dict[bytes, int]:
    """Shares that fills until a moment (seconds since 1970 UTC) used of each movement, by its reference hash. A
    correction gives nothing back. `movements` by address."""
    used: dict[bytes, int] = {}
    for fill in fills:
        movement = movements.get(fill.movement)
        if movement is not None and fill.kind is not FillKind.CORRECTION and fill.settled_at <= until:
            used[movement.reference_hash] = used.get(movement.reference_hash, 0) + fill.shares
    return used


def _lines(
    close: DailyClose,
    isin: str,
    journal: Sequence[CustodyMovement],
    as_ofs: Mapping[bytes, int],
    used: Mapping[bytes, int],
) -> Iterator[DeclaredTiming]:
    booked = [each for each in journal if each.booked_at is not None and each.booked_at <= close.block_time]
    for each in sorted(booked, key=lambda each: (each.booked_at, each.custodian_lei, each.account, each.reference)):
        if each.booked_at is not None and each.booked_at > as_ofs.get(each.account_hash, each.booked_at):
            yield _line(close, isin, each, signed(each.direction, each.shares), BreakKind.TIMING_ASOF)
        unused = each.shares - used.get(each.hash, 0)
        if unused > 0:
            yield _line(close, isin, each, -signed(each.direction, unused), BreakKind.PENDING_SETTLEMENT)


def _line(close: DailyClose, isin: str, movement: CustodyMovement, amount: int, kind: BreakKind) -> DeclaredTiming:
    return DeclaredTiming(close.day, isin, movement.account, movement.reference, amount, kind.value)


__all__ = ["timing_at", "used_shares"]
