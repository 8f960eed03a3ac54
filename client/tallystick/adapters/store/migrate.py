"""Brings a store's tables to what this version expects, or says clearly why it will not."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection

from tallystick.adapters.store.engine import Database
from tallystick.errors import StoreError

_SCRIPTS: Final = Path(__file__).parent / "migrations"


async def upgrade(database: Database, revision: str = "head") -> None:
    """Run the migrations that the store lacks, up to `revision`, all of them in one transaction.

    StoreError when the store was written by a newer version, or a migration fails; then nothing was changed.
    """
    async with database.transaction() as connection:
        try:
            await connection.run_sync(_upgrade, revision)
        except CommandError as error:
            raise StoreError(f"The store {database.url} cannot be brought up to date: {error}") from error


def head() -> str:
    """The newest revision that this version knows."""
    found = ScriptDirectory.from_config(_config()).get_current_head()
    if found is None:
        raise StoreError("No migration came with this installation.", hint="Reinstall tallystick.")
    return found


def _upgrade(connection: Connection, revision: str) -> None:
    config = _config()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    for current in MigrationContext.configure(connection).get_current_heads():
        if current not in known:
            raise StoreError(
                f"This store has schema {current}, written by a newer version; this one knows up to {head()}.",
                hint="Upgrade tallystick, or open the backup from before the store was upgraded.",
            )
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


__all__ = ["head", "upgrade"]
