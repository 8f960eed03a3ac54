"""The store as commands use it: its parts, and what services ask of them in their own terms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from solders.pubkey import Pubkey
from tallystick.adapters.chain.outbox import Outbox
from tallystick.adapters.store.audit import AuditLog
from tallystick.adapters.store.breaks import BreakStore
from tallystick.adapters.store.closes import CloseStore
from tallystick.adapters.store.confirmations import ConfirmationStore
from tallystick.adapters.store.declarations import DeclarationStore
from tallystick.adapters.store.events import EventBook
from tallystick.adapters.store.journal import MovementJournal
from tallystick.adapters.store.orders import OrderBook
from tallystick.adapters.store.payouts import PayoutStore
from tallystick.adapters.store.registers import RegisterStore
from tallystick.adapters.store.reports import ReportStore
from tallystick.adapters.store.statements import StatementRegister, StatementStatus, StoredStatement
from tallystick.domain.holdings import StatementOfHoldings
from tallystick.services import reconciliation_orders
from tallystick.services.reconciliation_custody import CustodyAccount
from tallystick.services.report_inputs import ReportBooks

if TYPE_CHECKING:
    from tallystick.adapters.store.store import Store


class Books:
    """The store, and what services ask of it in their own terms."""

    def __init__(self, store: Store) -> None:
        self.outbox: Outbox = store.outbox
        self.statements: StatementRegister = store.statements
        self.journal: MovementJournal = store.journal
        self.orders: OrderBook = store.orders
        self.events: EventBook = store.events
        self.audit: AuditLog = store.audit
        self.breaks: BreakStore = store.breaks
        self.closes: CloseStore = store.closes
        self.registers: RegisterStore = store.registers
        self.confirmations: ConfirmationStore = store.confirmations
        self.payouts: PayoutStore = store.payouts
        self.reports: ReportStore = store.reports
        self.declarations: DeclarationStore = store.declarations

    def report_books(self) -> ReportBooks:
        """What a report is put together from."""
        return ReportBooks(
            self.closes, self.statements, self.journal, self.breaks, self.payouts, self.declarations, self.reports
        )

    async def usable_statements(self) -> list[StatementOfHoldings]:
        """Statements that were received and may be used."""
        return await self._statements(StatementStatus.USABLE)

    async def conflicting_statements(self) -> list[StatementOfHoldings]:
        """Statements that say different things under one name, and of which nobody decided yet."""
        return await self._statements(StatementStatus.CONFLICTING)

    async def latest_statement(self, custodian: str, account: str) -> StoredStatement | None:
        """The newest statement of an account, whatever its status but rejected."""
        return await self.statements.latest(CustodyAccount(custodian, account).hash)

    async def movements_of(self, security: Pubkey) -> Sequence[reconciliation_orders.BookedMovement]:
        """The journal's movements of a security, for reconciliation."""
        return [
            reconciliation_orders.BookedMovement(
                each.custodian_lei, each.account, each.reference, each.direction, each.shares, each.booked_at
            )
            for each in await self.journal.list(bytes(security))
        ]

    async def orders_of(self, security: Pubkey) -> Sequence[reconciliation_orders.BookedOrder]:
        """The book's orders of a security, for reconciliation."""
        return [
            reconciliation_orders.BookedOrder(Pubkey.from_bytes(each.address), each.kind, each.quantity)
            for each in await self.orders.list(bytes(security))
        ]

    async def _statements(self, status: StatementStatus) -> list[StatementOfHoldings]:
        return [each.statement for each in await self.statements.list() if each.status is status]
