"""The breaks that were open at a moment of a report's month, from the records as they are today.

A record knows when a break was first seen and when its state last changed, and a daily close names the breaks that were
open when it was made. Where both speak, the close decides: it cannot be changed any more. Of a break that closed and
came back after the as-of, the time at which it closed is gone; then it is taken to have closed by the first close that
no longer names it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tallystick.adapters.store.breaks import BreakStore
from tallystick.domain.break_records import BreakRecord, BreakState
from tallystick.domain.breaks import Break
from tallystick.domain.closes import DailyClose
from tallystick.domain.reserve_report.declared import DeclaredBreak
from tallystick.errors import LedgerError


async def month_breaks(
    store: BreakStore,
    issuer: bytes,
    securities: Iterable[bytes],
    closes: Sequence[DailyClose],
    opening: DailyClose | None,
    begins: int,
    conflicts: Sequence[Break] = (),
) -> tuple[DeclaredBreak, ...]:
    """Breaks of the issuer and its securities (32-byte addresses), by first seen and id.

    `closes` are the month's, `opening` the one before, and `begins` the month's first moment in seconds since 1970.
    `conflicts` are those of statements, for closes made when nobody had reconciled. LedgerError when the as-of close
    names a break that nobody knows any more.
    """
    named = [_named(close) for close in closes]
    before = _named(opening) if opening else frozenset[bytes]()
    found: dict[bytes, DeclaredBreak] = {}
    for scope in (*securities, issuer):
        for record in await store.records(scope, open_only=False):
            declared = _declared(
                record,
                closes,
                named,
                before,
                begins,
                has_opening=opening is not None,
                is_issuers=scope == issuer,
            )
            if declared is not None:
                found.setdefault(record.id, declared)
    for conflict in conflicts:
        if conflict.id in named[-1] and conflict.id not in found:
            seen = next(close.block_time for close, ids in zip(closes, named, strict=True) if conflict.id in ids)
            found[conflict.id] = _break(conflict, seen, 0, "")
    unknown = sorted(each.hex() for each in named[-1] - found.keys())
    if unknown:
        raise LedgerError(
            f"The close of {closes[-1].day} names breaks that this store does not know: {', '.join(unknown)}.",
            hint="Build where the day was closed and reconciled, or restore that store.",
        )
    return tuple(sorted(found.values(), key=lambda each: (each.first_seen, each.id)))


def _declared(
    record: BreakRecord,
    closes: Sequence[DailyClose],
    named: Sequence[frozenset[bytes]],
    before: frozenset[bytes],
    begins: int,
    *,
    has_opening: bool,
    is_issuers: bool,
) -> DeclaredBreak | None:
    """A record as it was at the as-of; None when it was open at no moment of the month."""
    as_of = closes[-1].block_time
    is_named = any(record.id in ids for ids in named)
    if record.first_seen > as_of and not is_named:
        return None
    by_then = (close.block_time for close, ids in zip(closes, named, strict=True) if record.id in ids)
    # Whoever reconciles is ahead of the slot that a close is of, by some seconds.
    first_seen = min(record.first_seen, next(by_then, as_of), begins if record.id in before else as_of)
    has_gone = has_opening and not is_issuers and record.id not in before and record.first_seen <= begins
    if record.id in named[-1]:
        return _break(record.found, first_seen, 0, record.owner)
    is_back = record.state is BreakState.REOPENED and record.changed_at > as_of
    if record.state is BreakState.CLOSED and record.changed_at <= as_of:
        closed_at = record.changed_at
        if has_gone and not is_named and closed_at <= closes[0].block_time:
            # The opening close does not name it any more: it counts as closed in the month before.
            return None
    elif is_issuers and not is_named and not is_back:
        # No close names the breaks of the whole issuer, but conflicts of statements: their own times decide.
        return _break(record.found, first_seen, 0, record.owner)
    elif is_named or record.id in before or (is_back and first_seen > begins):
        closed_at = _gone_by(record.id, first_seen, closes, named)
    else:
        # It was found right after the as-of close was made, or came back long after it was gone.
        return None
    if closed_at <= begins and not is_named and record.id not in before:
        return None
    return _break(record.found, first_seen, max(closed_at, first_seen), record.owner)


def _gone_by(break_id: bytes, first_seen: int, closes: Sequence[DailyClose], named: Sequence[frozenset[bytes]]) -> int:
    """The time of the first close after the last one that names the break, and after it was first seen."""
    last = max((place for place, ids in enumerate(named) if break_id in ids), default=-1)
    later = (close.block_time for close in closes[last + 1 :] if close.block_time >= first_seen)
    return next(later, closes[-1].block_time)


def _named(close: DailyClose) -> frozenset[bytes]:
    return frozenset(each for security in close.securities for each in security.breaks)


def _break(found: Break, first_seen: int, closed_at: int, owner: str) -> DeclaredBreak:
    return DeclaredBreak(
        id=found.id,
        kind=found.kind.value,
        instrument=found.instrument,
        account=found.account,
        reference=found.reference,
        message=found.message,
        amount=found.amount,
        first_seen=first_seen,
        closed_at=closed_at,
        owner=owner,
    )


__all__ = ["month_breaks"]
