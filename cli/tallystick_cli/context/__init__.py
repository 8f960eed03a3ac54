"""The wiring of the command: the profile at hand, and one Tally per run, which builds adapters on top of it.

The only folder of the command that imports tallystick.adapters; what commands need of them, they take from here.
"""

from __future__ import annotations

from tallystick.adapters.chain.outbox import Outbox, OutboxRow
from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.chain.send_result import Outcome, SendResult
from tallystick.adapters.chain.signers import KeypairSigner, TransactionSigner
from tallystick.adapters.clock import Clock, SystemClock
from tallystick.adapters.custody.confirmation_samples import write_mt566
from tallystick.adapters.custody.samples import write_semt002
from tallystick.adapters.store.audit import AuditEntry, first_misfit
from tallystick.adapters.store.declarations import StoredAssertion, StoredDeclaration
from tallystick.adapters.store.events import KnownEvent
from tallystick.adapters.store.journal import CustodyMovement, PlannedPart
from tallystick.adapters.store.orders import BookedOrder
from tallystick.adapters.store.reports import ReportState, StoredReport
from tallystick.adapters.store.statements import StatementStatus, StoredStatement

from tallystick_cli.context.books import Books
from tallystick_cli.context.tally import Tally, new_memory_outbox, statement_profile

__all__ = [
    "AuditEntry",
    "BookedOrder",
    "Books",
    "Chain",
    "Clock",
    "CustodyMovement",
    "KeypairSigner",
    "KnownEvent",
    "Outbox",
    "OutboxRow",
    "Outcome",
    "PlannedPart",
    "ReportState",
    "SendResult",
    "StatementStatus",
    "StoredAssertion",
    "StoredDeclaration",
    "StoredReport",
    "StoredStatement",
    "SystemClock",
    "Tally",
    "TransactionSigner",
    "first_misfit",
    "new_memory_outbox",
    "statement_profile",
    "write_mt566",
    "write_semt002",
]
