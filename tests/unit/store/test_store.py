"""The file under the store: how it is opened, migrated, locked and refused."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from tallystick.adapters import store as room
from tallystick.adapters.store import migrate
from tallystick.adapters.store.engine import Database
from tallystick.adapters.store.store import Store, open_store
from tallystick.adapters.store.tables import metadata, orders
from tallystick.errors import ConfigurationError, StoreConflict, StoreError

ORDER = {
    "address": b"a" * 32,
    "security": b"s" * 32,
    "holder": b"h" * 32,
    "kind": "subscription",
    "quantity": 1,
    "reference": "o-1",
    "recorded_at": 1,
}


def everything_imported() -> None:
    """Every module of the room, so that each has put its tables into the metadata."""
    for found in pkgutil.iter_modules(room.__path__, f"{room.__name__}."):
        if not found.ispkg:
            importlib.import_module(found.name)


def file_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


async def revision_of(store: Store) -> object:
    async with store.database.reading() as connection:
        return (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar()


async def test_the_migrated_tables_are_the_ones_in_the_code(store: Store) -> None:
    everything_imported()

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, metadata))

    async with store.database.reading() as connection:
        assert await connection.run_sync(differences) == []


async def test_opening_again_changes_nothing(url: str) -> None:
    for _ in range(2):
        async with await open_store(url) as store:
            assert await revision_of(store) == migrate.head()


async def test_a_store_from_every_earlier_revision_is_brought_up_to_date(tmp_path: Path) -> None:
    scripts = ScriptDirectory(str(Path(migrate.__file__).parent / "migrations"))
    revisions = [script.revision for script in scripts.walk_revisions()]
    assert revisions[-1] == "0001"
    for revision in revisions:
        url = f"sqlite:///{tmp_path / revision}.db"
        database = Database.connect(url)
        await migrate.upgrade(database, revision)
        await database.close()
        async with await open_store(url) as store:
            assert await revision_of(store) == migrate.head()


async def test_a_store_of_a_newer_version_is_refused_untouched(url: str) -> None:
    async with await open_store(url):
        pass
    with sqlite3.connect(file_of(url)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StoreError, match="schema 9999, written by a newer version"):
        await open_store(url)


def test_a_downgrade_is_not_offered() -> None:
    scripts = ScriptDirectory(str(Path(migrate.__file__).parent / "migrations"))
    assert [script.revision for script in scripts.walk_revisions() if hasattr(script.module, "downgrade")] == []


async def test_several_openings_of_a_new_store_at_once_migrate_once(tmp_path: Path) -> None:
    for number in range(5):
        opened = await asyncio.gather(*(open_store(f"sqlite:///{tmp_path / str(number)}.db") for _ in range(4)))
        for store in opened:
            await store.close()


@pytest.mark.parametrize(
    "url",
    ["", "store.db", "postgresql://db/x", "sqlite://", "sqlite:///:memory:"],
)
async def test_what_is_no_sqlite_file_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"SQLite file|address of a store"):
        await open_store(url)


async def test_a_file_that_is_no_store_is_refused_and_kept(url: str) -> None:
    file_of(url).parent.mkdir()
    file_of(url).write_bytes(b"not a database, but somebody's letters" * 100)
    with pytest.raises(StoreError, match="not a database"):
        await open_store(url)
    assert file_of(url).read_bytes().startswith(b"not a database")


async def test_the_file_is_set_up_to_outlive_a_power_cut(store: Store) -> None:
    async with store.database.reading() as connection:
        found = [
            (await connection.execute(text(f"PRAGMA {name}"))).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    assert found == ["wal", 2, 1, 15_000]


async def test_a_transaction_that_raises_leaves_nothing(store: Store) -> None:
    async def insert_and_fail() -> None:
        async with store.database.transaction() as connection:
            await connection.execute(orders.insert().values(ORDER))
            raise KeyError

    with pytest.raises(KeyError):
        await insert_and_fail()
    assert await store.orders.list() == ()


async def test_broken_uniqueness_is_a_conflict(store: Store) -> None:
    async def insert_twice() -> None:
        async with store.database.transaction() as connection:
            for _ in range(2):
                await connection.execute(orders.insert().values(ORDER))

    with pytest.raises(StoreConflict, match="under the same key"):
        await insert_twice()
    assert await store.orders.list() == ()


async def test_a_writer_waits_for_another_from_its_first_read_on(store: Store) -> None:
    order: list[str] = []

    async def write(name: str) -> None:
        async with store.database.transaction() as connection:
            order.append(f"{name} reads")
            await connection.execute(orders.select())
            await asyncio.sleep(0.05)
            order.append(f"{name} writes")

    await asyncio.gather(write("a"), write("b"))
    assert [step.split()[1] for step in order] == ["reads", "writes", "reads", "writes"]


async def test_a_reader_sees_one_state_while_somebody_writes(store: Store) -> None:
    async with store.database.reading() as reading:
        assert (await reading.execute(orders.select())).all() == []
        async with store.database.transaction() as writing:
            await writing.execute(orders.insert().values(ORDER))
        assert (await reading.execute(orders.select())).all() == []
    assert len(await store.orders.list()) == 1


@pytest.mark.parametrize("quantity", [2**63 - 1, 2**63, 2**64 - 1, 2**127, -1])
async def test_an_amount_comes_back_as_it_was_whatever_its_size(store: Store, quantity: int) -> None:
    async with store.database.transaction() as connection:
        await connection.execute(orders.insert().values({**ORDER, "quantity": quantity}))
    async with store.database.reading() as connection:
        assert (await connection.execute(orders.select())).one().quantity == quantity
