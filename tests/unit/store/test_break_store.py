"""Breaks live across runs in the database as in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection
from tallystick.adapters.store import sql_breaks as break_tables
from tallystick.adapters.store import sql_closes as close_tables
from tallystick.adapters.store.breaks import BreakStore, MemoryBreakStore
from tallystick.adapters.store.sql_breaks import DatabaseBreakStore
from tallystick.adapters.store.store import Store, open_store
from tallystick.adapters.store.tables import metadata
from tallystick.domain.break_records import DEFAULT_OWNERS, BreakState
from tallystick.domain.breaks import Break, BreakEffect, BreakKind
from tallystick.errors import LedgerError, StoreError

SCOPE, OTHER = b"s" * 32, b"o" * 32
SHORT = Break(BreakKind.QUANTITY_SHORT, "10 short", "US0378331005", "", "custody", 10, 100)
LARGE = Break(BreakKind.UNAUTHORISED_SUPPLY, "much", "US0378331005", "", "minted", -(2**128) + 1, None)
PLEDGED = Break(BreakKind.ENCUMBERED, "a lien", "", "ACC-1", "x", None, 5, BreakEffect.BLOCK_MINT)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Store]:
    store = await open_store(f"sqlite:///{tmp_path}/books.db")
    async with store:
        yield store


@pytest.fixture(params=["memory", "database"])
def store(request: pytest.FixtureRequest, database: Store) -> BreakStore:
    return MemoryBreakStore() if request.param == "memory" else DatabaseBreakStore(database.database)


async def test_what_is_recorded_reads_back_whole(store: BreakStore) -> None:
    recorded = await store.record(SCOPE, [SHORT, LARGE, PLEDGED], 1_000)
    assert [each.found for each in recorded] == [SHORT, LARGE, PLEDGED]
    assert {each.state for each in recorded} == {BreakState.OPEN}
    assert [each.owner for each in recorded] == [DEFAULT_OWNERS[each.found.kind].value for each in recorded]
    assert set(await store.records(SCOPE)) == set(recorded)
    assert await store.records(OTHER) == ()


async def test_a_break_ages_closes_and_reopens(store: BreakStore) -> None:
    await store.record(SCOPE, [SHORT], 1_000)
    (older,) = await store.record(SCOPE, [replace(SHORT, amount=12, message="12 short", as_of=200)], 2_000)
    assert (older.first_seen, older.last_seen, older.age(2_500), older.found.amount) == (1_000, 2_000, 1_500, 12)
    assert await store.record(SCOPE, [], 3_000) == ()
    (closed,) = await store.records(SCOPE, open_only=False)
    assert (closed.state, closed.changed_at, closed.last_seen, closed.age(9_000)) == (
        BreakState.CLOSED,
        3_000,
        2_000,
        0,
    )
    await store.record(SCOPE, [], 4_000)
    assert (await store.records(SCOPE, open_only=False))[0].changed_at == 3_000
    (again,) = await store.record(SCOPE, [SHORT], 5_000)
    assert (again.state, again.first_seen, again.changed_at) == (BreakState.REOPENED, 1_000, 5_000)
    (still,) = await store.record(SCOPE, [SHORT], 6_000)
    assert (still.state, still.changed_at, still.last_seen) == (BreakState.REOPENED, 5_000, 6_000)


async def test_a_run_closes_only_what_is_in_its_scope(store: BreakStore) -> None:
    await store.record(SCOPE, [SHORT], 1_000)
    await store.record(OTHER, [SHORT], 1_500)
    await store.record(OTHER, [], 2_000)
    assert [each.found for each in await store.records(SCOPE)] == [SHORT]
    assert await store.records(OTHER) == ()


async def test_one_break_found_twice_in_a_run_is_one(store: BreakStore) -> None:
    recorded = await store.record(SCOPE, [SHORT, replace(SHORT, amount=11)], 1_000)
    assert [each.found for each in recorded] == [SHORT]


async def test_an_owner_that_was_assigned_stays(store: BreakStore) -> None:
    await store.record(SCOPE, [SHORT], 1_000)
    assert (await store.assign(SCOPE, SHORT.id, "maria")).owner == "maria"
    assert (await store.record(SCOPE, [SHORT], 2_000))[0].owner == "maria"


async def test_a_break_that_is_not_there_cannot_be_assigned(store: BreakStore) -> None:
    await store.record(OTHER, [SHORT], 1_000)
    with pytest.raises(StoreError, match=SHORT.id.hex()):
        await store.assign(SCOPE, SHORT.id, "maria")


async def test_a_break_that_was_edited_in_the_database_is_found(database: Store) -> None:
    store = DatabaseBreakStore(database.database)
    await store.record(SCOPE, [SHORT], 1_000)
    async with database.database.transaction() as connection:
        await connection.exec_driver_sql("UPDATE breaks SET kind = 'QUANTITY_OVER'")
    with pytest.raises(LedgerError, match="not what its id says"):
        await store.records(SCOPE)


async def test_the_migrations_make_the_tables_that_the_code_has(database: Store) -> None:
    ours = {break_tables.breaks.name, close_tables.closes.name}

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_object": lambda _, name, kind, *rest: kind != "table" or name in ours,
            },
        )
        return list(compare_metadata(context, metadata))

    async with database.database.reading() as connection:
        assert await connection.run_sync(differences) == []
        found = await connection.run_sync(
            lambda one: {row[0] for row in one.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")}
        )
    assert ours <= found
