"""An issuer's books beside a live cluster: the store on disk, statement files as received, and plans carried out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from live_cluster import PROGRAM_ERRORS, SETTINGS, Live
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tallystick.adapters.chain.send_result import SendResult
from tallystick.adapters.chain.sender import Sender
from tallystick.adapters.chain.signers import KeypairSigner, TransactionSigner
from tallystick.adapters.custody.archive import FolderStatementArchive
from tallystick.adapters.custody.profiles import StatementProfile
from tallystick.adapters.custody.reader import read_statement
from tallystick.adapters.custody.samples import write_semt002
from tallystick.adapters.store.sql_breaks import DatabaseBreakStore
from tallystick.adapters.store.sql_closes import DatabaseCloseStore
from tallystick.adapters.store.store import Store
from tallystick.domain.amounts import parse_quantity
from tallystick.domain.holdings import Basis, Completeness, HoldingLine, StatementOfHoldings
from tallystick.services.plans import Plan, execute
from tallystick.services.reconciliation_orders import MemoryOrderBook

LEI = "HWUPKR0MPOU8FGXBT394"
PROFILE = StatementProfile(LEI)


@dataclass(frozen=True, slots=True)
class Books:
    """What one issuer keeps. `keys` sign; `order_book` is what reconciliation compares."""

    live: Live
    store: Store
    folder: Path
    keys: Mapping[Pubkey, TransactionSigner]
    order_book: MemoryOrderBook = field(default_factory=MemoryOrderBook)

    @property
    def breaks(self) -> DatabaseBreakStore:
        """Breaks and their ages."""
        return DatabaseBreakStore(self.store.database)

    @property
    def closes(self) -> DatabaseCloseStore:
        """The chain of daily closes."""
        return DatabaseCloseStore(self.store.database)

    async def carry_out(self, plan: Plan, actions: int) -> tuple[SendResult, ...]:
        """Execute a plan of exactly so many actions through the store's outbox."""
        assert len(plan.actions) == actions, plan
        sender = Sender(
            self.live.chain, self.store.outbox, self.live.clock, program_errors=PROGRAM_ERRORS, settings=SETTINGS
        )
        results = await execute(plan, sender, self.keys)
        assert [each.require_done().is_done for each in results] == [True] * actions
        return results

    async def receive(self, statement: StatementOfHoldings) -> StatementOfHoldings:
        """A custodian's statement as a semt.002 file: kept as received, read, registered."""
        data = write_semt002(statement)
        source_hash = await FolderStatementArchive(self.folder).keep(data)
        assert source_hash == hashlib.sha256(data).digest()
        read = read_statement(data, PROFILE, statement.received_at)
        registration = await self.store.statements.add(read)
        assert registration.finding is None
        return read

    async def statements(self) -> list[StatementOfHoldings]:
        """Every statement that was received."""
        return [each.statement for each in await self.store.statements.list()]

    async def finalized(self) -> None:
        """Return when all that is confirmed now is finalized."""
        slot = await self.live.chain.get_slot("confirmed")
        while await self.live.chain.get_slot("finalized") < slot:
            await self.live.clock.sleep(0.2)


def signers(keys: Iterable[Keypair]) -> dict[Pubkey, TransactionSigner]:
    """Each key by its address."""
    return {key.pubkey(): KeypairSigner(key) for key in keys}


def statement_of(account: str, isin: str, shares: str, as_of: int, number: str) -> StatementOfHoldings:
    """A complete, settled statement of one holding."""
    return StatementOfHoldings(
        custodian_lei=LEI,
        account=account,
        as_of=as_of,
        received_at=as_of + 5,
        statement_id=f"STMT-{number}",
        basis=Basis.SETTLED,
        completeness=Completeness.COMPLETE,
        has_activity=True,
        lines=(HoldingLine(isin, parse_quantity(shares)),),
        source_hashes=(),
        format="semt.002.001.11",
        parser_version=1,
    )
