"""Declarations in the store: what declarations.py promises, on disk before the call returns."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, delete, select

from tallystick.adapters.store.declarations import (
    StoredAssertion,
    StoredDeclaration,
    new_seed,
    require_assertion,
    require_declared,
)
from tallystick.adapters.store.engine import Database
from tallystick.adapters.store.tables import declarations, report_assertions, statement_seeds


class SqlDeclarationStore:
    """Declarations in the database; see the DeclarationStore Protocol for what each method promises and raises."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def declare(self, issuer: bytes, period: int, content: bytes, at: int) -> StoredDeclaration:
        """Keep a declaration behind the others, unless it says the same as the newest."""
        wanted = _of_period(issuer, period).order_by(declarations.c.number.desc()).limit(1)
        async with self._database.transaction() as connection:
            row = (await connection.execute(wanted)).one_or_none()
            newest = None if row is None else _declaration(row)
            if newest is not None and newest.content == content:
                return newest
            made = StoredDeclaration(issuer, period, newest.number + 1 if newest else 1, content, at)
            await connection.execute(
                declarations.insert().values(
                    issuer=issuer,
                    period=period,
                    number=made.number,
                    content=content,
                    digest=made.digest,
                    declared_at=at,
                )
            )
        return made

    async def newest(self, issuer: bytes, period: int) -> StoredDeclaration | None:
        """The declaration that counts, checked against its hash."""
        wanted = _of_period(issuer, period).order_by(declarations.c.number.desc()).limit(1)
        async with self._database.reading() as connection:
            row = (await connection.execute(wanted)).one_or_none()
        return None if row is None else _declaration(row)

    async def history(self, issuer: bytes, period: int) -> tuple[StoredDeclaration, ...]:
        """Every declaration of a period, oldest first."""
        wanted = _of_period(issuer, period).order_by(declarations.c.number)
        async with self._database.reading() as connection:
            return tuple(_declaration(row) for row in await connection.execute(wanted))

    async def assert_by(self, issuer: bytes, period: int, assertion: StoredAssertion) -> StoredAssertion:
        """Keep an officer's newest signature."""
        require_assertion(assertion)
        table = report_assertions
        async with self._database.transaction() as connection:
            await connection.execute(
                delete(table).where(
                    table.c.issuer == issuer, table.c.period == period, table.c.officer == assertion.officer
                )
            )
            await connection.execute(
                table.insert().values(
                    issuer=issuer,
                    period=period,
                    officer=assertion.officer,
                    close=assertion.close_hash,
                    text=assertion.text_hash,
                    key=assertion.key,
                    signature=assertion.signature,
                    asserted_at=assertion.asserted_at,
                )
            )
        return assertion

    async def assertions(self, issuer: bytes, period: int) -> tuple[StoredAssertion, ...]:
        """The signatures of a period, by officer."""
        table = report_assertions
        wanted = select(table).where(table.c.issuer == issuer, table.c.period == period).order_by(table.c.officer)
        async with self._database.reading() as connection:
            return tuple(
                StoredAssertion(row.officer, row.close, row.text, row.key, row.signature, row.asserted_at)
                for row in await connection.execute(wanted)
            )

    async def seed(self, issuer: bytes, period: int) -> bytes:
        """The period's seed."""
        table = statement_seeds
        wanted = select(table.c.seed).where(table.c.issuer == issuer, table.c.period == period)
        async with self._database.transaction() as connection:
            seed: bytes | None = (await connection.execute(wanted)).scalar_one_or_none()
            if seed is None:
                seed = new_seed()
                await connection.execute(table.insert().values(issuer=issuer, period=period, seed=seed))
        return seed


def _of_period(issuer: bytes, period: int) -> Any:
    return select(declarations).where(declarations.c.issuer == issuer, declarations.c.period == period)


def _declaration(row: Row[Any]) -> StoredDeclaration:
    found = StoredDeclaration(row.issuer, row.period, row.number, row.content, row.declared_at)
    return require_declared(found, row.digest)


__all__ = ["SqlDeclarationStore"]
