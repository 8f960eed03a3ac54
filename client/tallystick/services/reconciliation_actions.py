"""The multiplier held against the corporate actions that were executed: law 5 says that nothing else changes it."""

from __future__ import annotations

from collections.abc import Iterator

from tallystick.domain.amounts import MULTIPLIER_ONE
from tallystick.domain.breaks import Break, BreakKind
from tallystick.program.generated.types import ActionStatus
from tallystick.services.action_reads import CHANGES_MULTIPLIER, moment_text, multiplier_text
from tallystick.services.books import SecurityBook


def action_breaks(book: SecurityBook) -> tuple[Break, ...]:
    """Every multiplier of the security, in force or pending, that no executed action explains."""
    return tuple(_breaks(book))


def _breaks(book: SecurityBook) -> Iterator[Break]:
    executed = [
        each
        for each in book.actions.values()
        if each.status is ActionStatus.EXECUTED and each.kind in CHANGES_MULTIPLIER
    ]
    executed.sort(key=lambda each: each.terms.effective_at)
    in_force, pending, effective_at = MULTIPLIER_ONE, 0, 0
    for action in executed:
        if action.multiplier_before != (pending or in_force):
            yield _break(
                book,
                "history",
                f"an action that was executed for {moment_text(action.terms.effective_at)} started from the multiplier"
                f" {multiplier_text(action.multiplier_before)} where {multiplier_text(pending or in_force)} was"
                " expected",
            )
        if action.terms.effective_at <= book.now:
            in_force = action.multiplier_after
        else:
            pending, effective_at = action.multiplier_after, action.terms.effective_at
    if book.multiplier != in_force:
        yield _break(
            book,
            "in force",
            f"the multiplier in force is {multiplier_text(book.multiplier)} and executed corporate actions make it"
            f" {multiplier_text(in_force)}",
        )
    waits = (0, 0) if book.has_matured_change else _pending(book)
    if waits != (pending, effective_at):
        yield _break(
            book,
            "pending",
            f"the multiplier waits to become {_waiting(*waits)} and executed corporate actions make it wait to become"
            f" {_waiting(pending, effective_at)}",
        )


def _pending(book: SecurityBook) -> tuple[int, int]:
    return book.security.pending_multiplier, book.security.multiplier_effective_at


def _waiting(multiplier: int, at: int) -> str:
    return f"{multiplier_text(multiplier)} at {moment_text(at)}" if at else "nothing else"


def _break(book: SecurityBook, which: str, what: str) -> Break:
    reference = f"announced {which}"
    return Break(BreakKind.MULTIPLIER_MISMATCH, f"{book.isin}: {what}.", book.isin, "", reference, None, book.now)


__all__ = ["action_breaks"]
