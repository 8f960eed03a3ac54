"""The register of statements in the store."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tallystick.adapters.store.engine import Database
from tallystick.adapters.store.statement_documents import decode_statement, encode_statement
from tallystick.adapters.store.statements import (
    Registration,
    StatementStatus,
    StoredStatement,
    conflict_between,
    conflict_reason,
    duplicate_break,
    first_usable,
    new_stored,
    no_statement,
    require_reason,
)
from tallystick.adapters.store.tables import statements
from tallystick.domain.breaks import Break
from tallystick.domain.holdings import StatementOfHoldings


class SqlStatementRegister:
    """Statements in the store; see the StatementRegister Protocol for what each method promises and raises."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, statement: StatementOfHoldings) -> Registration:
        """Keep a statement, and mark conflicts, in one transaction."""
        new = new_stored(statement)
        content = encode_statement(statement)
        finding: Break | None = None
        async with self._database.transaction() as connection:
            kept = await _list(connection, new.account_hash)
            for earlier in kept:
                if earlier.key == new.key:
                    return Registration(earlier, duplicate_break(statement))
            for earlier in kept:
                conflict = conflict_between(statement, earlier.statement)
                if conflict is None or earlier.status is StatementStatus.REJECTED:
                    continue
                finding = conflict
                new = replace(new, status=StatementStatus.CONFLICTING, reason=conflict_reason(earlier))
                await _mark(connection, earlier.key, StatementStatus.CONFLICTING, conflict_reason(new))
            await connection.execute(
                statements.insert().values(
                    key=new.key,
                    custodian=statement.custodian_lei,
                    account_hash=new.account_hash,
                    as_of=statement.as_of,
                    received_at=statement.received_at,
                    statement_id=statement.statement_id,
                    format=statement.format,
                    status=new.status.value,
                    reason=new.reason,
                    content=content,
                )
            )
        return Registration(new, finding)

    async def get(self, key: bytes) -> StoredStatement | None:
        """The statement under that key, None when there is none."""
        async with self._database.reading() as connection:
            return await _get(connection, key)

    async def list(self, account_hash: bytes | None = None) -> tuple[StoredStatement, ...]:
        """All statements, of one account when it is named, newest first."""
        async with self._database.reading() as connection:
            return await _list(connection, account_hash)

    async def latest(self, account_hash: bytes, *, until: int | None = None) -> StoredStatement | None:
        """The newest whole statement of an account that is not rejected."""
        return first_usable(await self.list(account_hash), until)

    async def decide(self, key: bytes, status: StatementStatus, reason: str) -> StoredStatement:
        """Record somebody's decision and its reason."""
        reason = require_reason(reason)
        async with self._database.transaction() as connection:
            found = await _get(connection, key)
            if found is None:
                raise no_statement(key)
            await _mark(connection, key, status, reason)
        return replace(found, status=status, reason=reason)


async def _get(connection: AsyncConnection, key: bytes) -> StoredStatement | None:
    row = (await connection.execute(select(statements).where(statements.c.key == key))).one_or_none()
    return None if row is None else _stored(row)


async def _list(connection: AsyncConnection, account_hash: bytes | None) -> tuple[StoredStatement, ...]:
    query = select(statements).order_by(statements.c.as_of.desc(), statements.c.received_at.desc(), statements.c.id)
    if account_hash is not None:
        query = query.where(statements.c.account_hash == account_hash)
    return tuple(_stored(row) for row in await connection.execute(query))


async def _mark(connection: AsyncConnection, key: bytes, status: StatementStatus, reason: str) -> None:
    values = {"status": status.value, "reason": reason}
    await connection.execute(update(statements).where(statements.c.key == key).values(values))


def _stored(row: Row[Any]) -> StoredStatement:
    return StoredStatement(
        row.key, row.account_hash, decode_statement(row.content), StatementStatus(row.status), row.reason
    )


__all__ = ["SqlStatementRegister"]
