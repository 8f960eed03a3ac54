"""Opens a store: one file that holds all of this installation's books."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from tallystick.adapters.store.engine import Database
from tallystick.adapters.store.migrate import upgrade
from tallystick.adapters.store.sql_audit import SqlAuditLog
from tallystick.adapters.store.sql_breaks import DatabaseBreakStore
from tallystick.adapters.store.sql_closes import DatabaseCloseStore
from tallystick.adapters.store.sql_confirmations import SqlConfirmationStore
from tallystick.adapters.store.sql_declarations import SqlDeclarationStore
from tallystick.adapters.store.sql_events import SqlEventBook
from tallystick.adapters.store.sql_journal import SqlMovementJournal
from tallystick.adapters.store.sql_orders import SqlOrderBook
from tallystick.adapters.store.sql_outbox import SqlOutbox
from tallystick.adapters.store.sql_payouts import SqlPayoutStore
from tallystick.adapters.store.sql_registers import SqlRegisterStore
from tallystick.adapters.store.sql_reports import SqlReportStore
from tallystick.adapters.store.sql_statements import SqlStatementRegister


class Store:
    """The stores on one database. Use it with `async with`, or close it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.outbox = SqlOutbox(database)
        self.statements = SqlStatementRegister(database)
        self.journal = SqlMovementJournal(database)
        self.orders = SqlOrderBook(database)
        self.events = SqlEventBook(database)
        self.audit = SqlAuditLog(database)
        self.breaks = DatabaseBreakStore(database)
        self.closes = DatabaseCloseStore(database)
        self.registers = SqlRegisterStore(database)
        self.confirmations = SqlConfirmationStore(database)
        self.payouts = SqlPayoutStore(database)
        self.reports = SqlReportStore(database)
        self.declarations = SqlDeclarationStore(database)

    async def close(self) -> None:
        """Close every connection."""
        await self.database.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


async def open_store(url: str) -> Store:
    """The store at `sqlite:///<path>`, its tables brought up to date.

    ConfigurationError for an address that is no SQLite file; StoreError when it was written by a newer version, or
    cannot be opened or migrated.
    """
    database = Database.connect(url)
    try:
        await upgrade(database)
    except BaseException:
        await database.close()
        raise
    return Store(database)


__all__ = ["Store", "open_store"]
