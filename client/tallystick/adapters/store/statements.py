"""Statements that were received: what they said, and whether they may be used.

The same bytes twice are one statement. Another file under the same custodian, account and statement id is a conflict:
it is kept and shown, and neither of the two is used until somebody decided.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from tallystick.domain.breaks import Break, BreakKind
from tallystick.domain.canonical import sha256
from tallystick.domain.evidence import repetition_break
from tallystick.domain.holdings import StatementOfHoldings
from tallystick.domain.identifiers import custody_account_hash
from tallystick.errors import InputError, StoreError


class StatementStatus(StrEnum):
    """Whether a statement may be used."""

    USABLE = "usable"
    CONFLICTING = "conflicting"
    """Another file says something else under the same name; somebody has to decide."""
    REJECTED = "rejected"
    """Somebody decided that it is not to be used."""


@dataclass(frozen=True, slots=True)
class StoredStatement:
    """One statement as it was kept. `key` has 32 bytes (statement_key), `reason` says why its status is what it is."""

    key: bytes
    account_hash: bytes
    statement: StatementOfHoldings
    status: StatementStatus = StatementStatus.USABLE
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Registration:
    """What came of adding a statement. `finding` is the break for a duplicate or a conflict, None for a new one."""

    stored: StoredStatement
    finding: Break | None = None

    @property
    def is_new(self) -> bool:
        """True when these bytes were not there before."""
        return self.finding is None or self.finding.kind is not BreakKind.DUPLICATE_STATEMENT


class StatementRegister(Protocol):
    """Where statements are kept. Every method raises StoreError when the store does not answer."""

    async def add(self, statement: StatementOfHoldings) -> Registration:
        """Keep a statement. Nothing changes when the same bytes were added before; a conflict marks both statements."""
        ...

    async def get(self, key: bytes) -> StoredStatement | None:
        """The statement under that key, None when there is none."""
        ...

    async def list(self, account_hash: bytes | None = None) -> tuple[StoredStatement, ...]:
        """All statements, of one account when it is named, newest as-of first and of those the last received first."""
        ...

    async def latest(self, account_hash: bytes, *, until: int | None = None) -> StoredStatement | None:
        """The statement of an account with the newest as-of not after `until` that is not rejected, whole pages only.

        A conflicting one is returned too, with its status: an older one in its stead would hide the conflict.
        """
        ...

    async def decide(self, key: bytes, status: StatementStatus, reason: str) -> StoredStatement:
        """Record somebody's decision and its reason. StoreError when there is no such statement, InputError without a
        reason."""
        ...


def statement_key(statement: StatementOfHoldings) -> bytes:
    """32 bytes: the SHA-256 of the one file as received, or of the pages' hashes in page order.

    InputError for a statement that names no file.
    """
    if not statement.source_hashes:
        raise InputError("A statement without a source file cannot be kept.", hint="Read it from the file as received.")
    if len(statement.source_hashes) == 1:
        return statement.source_hashes[0]
    return sha256(*statement.source_hashes)


def conflict_between(statement: StatementOfHoldings, earlier: StatementOfHoldings) -> Break | None:
    """The break when two statements say different things under one name; a page beside the whole is none."""
    sources, before = set(statement.source_hashes), set(earlier.source_hashes)
    if sources <= before or before <= sources:
        return None
    found = repetition_break(statement, earlier)
    return found if found is not None and found.kind is BreakKind.CONFLICTING_STATEMENT else None


def duplicate_break(statement: StatementOfHoldings) -> Break:
    """The break for a statement whose bytes were kept before."""
    name = statement.statement_id or "(no id)"
    return Break(
        BreakKind.DUPLICATE_STATEMENT,
        f"Statement {name} was received before, byte for byte.",
        "",
        statement.account,
        statement.statement_id,
        None,
        statement.as_of,
    )


def new_stored(statement: StatementOfHoldings) -> StoredStatement:
    """A statement as it is kept first. InputError or IdentifierError when it cannot be."""
    account = custody_account_hash(statement.custodian_lei, statement.account)
    return StoredStatement(statement_key(statement), account, statement)


def conflict_reason(other: StoredStatement) -> str:
    """What is shown beside a conflicting statement."""
    return f"Another file has the same statement id: SHA-256 {other.key.hex()}."


def order_newest(stored: StoredStatement) -> tuple[int, int]:
    """Sorts by as-of, then by receipt."""
    return stored.statement.as_of, stored.statement.received_at


def require_reason(reason: str) -> str:
    """The reason, trimmed. InputError when there is none."""
    if not reason.strip():
        raise InputError("A decision about a statement needs a reason.", hint="Say why, for whoever reads it later.")
    return reason.strip()


class MemoryStatementRegister:
    """Statements for the length of a process."""

    def __init__(self) -> None:
        self._kept: dict[bytes, StoredStatement] = {}

    async def add(self, statement: StatementOfHoldings) -> Registration:
        new = new_stored(statement)
        if new.key in self._kept:
            return Registration(self._kept[new.key], duplicate_break(statement))
        finding: Break | None = None
        for earlier in await self.list(new.account_hash):
            conflict = conflict_between(statement, earlier.statement)
            if conflict is None or earlier.status is StatementStatus.REJECTED:
                continue
            finding = conflict
            new = replace(new, status=StatementStatus.CONFLICTING, reason=conflict_reason(earlier))
            self._kept[earlier.key] = replace(earlier, status=StatementStatus.CONFLICTING, reason=conflict_reason(new))
        self._kept[new.key] = new
        return Registration(new, finding)

    async def get(self, key: bytes) -> StoredStatement | None:
        return self._kept.get(key)

    async def list(self, account_hash: bytes | None = None) -> tuple[StoredStatement, ...]:
        found = [each for each in self._kept.values() if account_hash in (None, each.account_hash)]
        return tuple(sorted(found, key=order_newest, reverse=True))

    async def latest(self, account_hash: bytes, *, until: int | None = None) -> StoredStatement | None:
        return first_usable(await self.list(account_hash), until)

    async def decide(self, key: bytes, status: StatementStatus, reason: str) -> StoredStatement:
        reason = require_reason(reason)
        if key not in self._kept:
            raise no_statement(key)
        self._kept[key] = replace(self._kept[key], status=status, reason=reason)
        return self._kept[key]


def first_usable(newest_first: tuple[StoredStatement, ...], until: int | None) -> StoredStatement | None:
    """What StatementRegister.latest promises, of statements newest first."""
    return next(
        (
            each
            for each in newest_first
            if each.statement.is_whole
            and each.status is not StatementStatus.REJECTED
            and (until is None or each.statement.as_of <= until)
        ),
        None,
    )


def no_statement(key: bytes) -> StoreError:
    """The error for a key under which nothing is kept."""
    return StoreError(f"No statement {key.hex()} was kept.", hint="List what was received with: tally statement list")


__all__ = [
    "MemoryStatementRegister",
    "Registration",
    "StatementRegister",
    "StatementStatus",
    "StoredStatement",
    "conflict_between",
    "statement_key",
]
