"""The wiring: one Tally per command run, which builds the adapters it is asked for and closes them at the end.

The only file of the command that imports tallystick.adapters; what commands need of them, they take from here.
"""

from __future__ import annotations

import getpass
import json
import os
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from rich.console import Console
from solders.hash import Hash
from solders.pubkey import Pubkey
from tallystick.adapters.chain.outbox import MemoryOutbox, Outbox, OutboxRow
from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.chain.rpc import RpcChain, RpcLimits
from tallystick.adapters.chain.send_result import Outcome, SendResult
from tallystick.adapters.chain.sender import Sender
from tallystick.adapters.chain.signers import AddressOnly, KeypairSigner, TransactionSigner
from tallystick.adapters.clock import Clock, SystemClock
from tallystick.adapters.custody.archive import FolderStatementArchive, StatementArchive
from tallystick.adapters.custody.confirmation_samples import write_mt566
from tallystick.adapters.custody.profiles import CsvProfile, StatementProfile
from tallystick.adapters.custody.samples import write_semt002
from tallystick.adapters.publish.folder import LocalPublishFolder, PublishFolder
from tallystick.adapters.publish.server import SiteServer
from tallystick.adapters.store.audit import AuditEntry, AuditLog, first_misfit
from tallystick.adapters.store.breaks import BreakStore
from tallystick.adapters.store.closes import CloseStore
from tallystick.adapters.store.confirmations import ConfirmationStore
from tallystick.adapters.store.declarations import DeclarationStore, StoredAssertion, StoredDeclaration
from tallystick.adapters.store.events import EventBook, KnownEvent
from tallystick.adapters.store.journal import CustodyMovement, MovementJournal, PlannedPart
from tallystick.adapters.store.orders import BookedOrder, OrderBook
from tallystick.adapters.store.payouts import PayoutStore
from tallystick.adapters.store.registers import RegisterStore
from tallystick.adapters.store.reports import ReportState, ReportStore, StoredReport
from tallystick.adapters.store.statements import StatementRegister, StatementStatus, StoredStatement
from tallystick.domain.amounts import parse_base_units
from tallystick.domain.holdings import Basis, Completeness, StatementOfHoldings
from tallystick.errors import ConfigurationError, InputError
from tallystick.program import PROGRAM_ID, program_error
from tallystick.services import reconciliation_orders
from tallystick.services.audit_books import AuditSources
from tallystick.services.audit_trail import AuditTrail
from tallystick.services.plans import Plan
from tallystick.services.reconciliation_custody import CustodyAccount, DeclaredSecurity
from tallystick.services.report_holders import holder_files
from tallystick.services.report_inputs import ReportBooks, ReportProfile
from tallystick.services.report_publish import Renderers
from tallystick.services.securities import security_of

from tallystick_cli.profile import SEVERAL, Custodian, Keys, Profile, change_profile, read_profile

if TYPE_CHECKING:
    from tallystick.adapters.store.store import Store

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

SQLITE: Final = ("sqlite+aiosqlite:///", "sqlite:///")


class Tally:
    """What a command works with. Use as an async context manager; nothing is opened before it is asked for."""

    def __init__(
        self,
        path: Path,
        *,
        is_json: bool = False,
        is_yes: bool = False,
        is_dry_run: bool = False,
        is_verbose: bool = False,
        out: Console | None = None,
        err: Console | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.path = path
        self.is_json = is_json
        self.is_yes = is_yes
        self.is_dry_run = is_dry_run
        self.is_verbose = is_verbose
        self.out = out or Console(highlight=False)
        self.err = err or Console(stderr=True, highlight=False)
        self.clock: Clock = clock or SystemClock()
        self._stack = AsyncExitStack()
        self._profile: Profile | None = None
        self._chain: Chain | None = None
        self._endpoints: tuple[Chain, ...] = ()
        self._books: Books | None = None
        self._signers: dict[str, KeypairSigner] = {}

    async def __aenter__(self) -> Tally:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    @property
    def profile(self) -> Profile:
        """The profile. ConfigurationError when there is none, or it is wrong."""
        if self._profile is None:
            self._profile = read_profile(self.path)
        return self._profile

    def change_profile(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Let `change` alter the profile's document, and write it back. Never in a dry run."""
        self._forbid_in_dry_run("change the profile")
        change_profile(self.path, change)
        self._profile = None

    @property
    def folder(self) -> Path:
        """The profile's folder, which its paths are relative to."""
        return self.path.parent

    @property
    def can_ask(self) -> bool:
        """True when a person sits at the terminal."""
        return sys.stdin is not None and sys.stdin.isatty()

    @property
    def issuer(self) -> Pubkey:
        """The issuer's address. ConfigurationError before `tally issuer init`."""
        address = self.profile.issuer.address
        if not address:
            raise ConfigurationError(
                "The profile names no issuer yet.", hint="Open one with: tally issuer init — it writes the address."
            )
        return Pubkey.from_string(address)

    def open_chain(self) -> Chain:
        """The cluster behind the profile's endpoints."""
        if self._chain is None:
            self._chain = self._new_chain(self.profile.cluster.urls)
        return self._chain

    def open_chain_at(self, url: str) -> Chain:
        """A cluster that no profile names, behind one endpoint. ConfigurationError when it is no URL."""
        chain = RpcChain((url,), self.clock)
        self._stack.push_async_callback(chain.aclose)
        return chain

    def open_endpoints(self) -> tuple[Chain, ...]:
        """The same cluster through each endpoint alone, in the profile's order: to hear it from more than one."""
        if not self._endpoints:
            self._endpoints = tuple(self._new_chain((url,)) for url in self.profile.cluster.urls)
        return self._endpoints

    def _new_chain(self, urls: Sequence[str]) -> Chain:
        cluster = self.profile.cluster
        genesis = None
        if cluster.genesis_hash:
            try:
                genesis = Hash.from_string(cluster.genesis_hash)
            except ValueError as error:
                raise ConfigurationError("[cluster] genesis_hash is not a hash in base 58.") from error
        limits = RpcLimits(requests_per_second=cluster.requests_per_second)
        chain = RpcChain(urls, self.clock, genesis_hash=genesis, limits=limits)
        self._stack.push_async_callback(chain.aclose)
        return chain

    @property
    def cluster_name(self) -> str:
        """The endpoints without path or query, which may hold keys."""
        parts = [urlsplit(url) for url in self.profile.cluster.urls]
        return ", ".join(f"{each.hostname}:{each.port}" if each.port else str(each.hostname) for each in parts)

    def open_archive(self) -> StatementArchive:
        """The folder of statement files as received."""
        return FolderStatementArchive(self.folder / self.profile.store.archive)

    def new_site_server(self, folder: Path, port: int) -> SiteServer:
        """A server of published reports on this machine, not yet started."""
        return SiteServer(folder, port)

    def store_url(self) -> str:
        """The store's URL, a relative file taken from the profile's folder."""
        url = self.profile.store.url
        for prefix in SQLITE:
            if url.startswith(prefix):
                return f"{prefix}{(self.folder / url.removeprefix(prefix)).absolute()}"
        return url

    async def open_store(self) -> Books:
        """The backoffice's books, brought up to date. StoreError or ConfigurationError when they cannot be opened."""
        if self._books is None:
            # The database's libraries take as long to import as all the rest; help and usage errors do without them.
            from tallystick.adapters.store.store import open_store

            store = await self._stack.enter_async_context(await open_store(self.store_url()))
            self._books = Books(store)
        return self._books

    def reports_path(self, given: Path | None = None) -> Path:
        """Where reports are published: what was given, else the profile's folder."""
        return given if given is not None else self.folder / self.profile.report.folder

    def open_reports_folder(self, given: Path | None = None) -> PublishFolder:
        """That folder, for whoever writes published files."""
        return LocalPublishFolder(self.reports_path(given))

    def report_profile(self) -> ReportProfile:
        """What the profile says of the issuer's reports."""
        custodians = {each.lei: each.name for each in self.profile.custodians}
        return ReportProfile(custodians, self.declared_securities(), self.profile.report.uri)

    def audit_sources(self, books: Books, securities: Mapping[bytes, str]) -> AuditSources:
        """What an auditor's export is taken from."""
        return AuditSources(
            self.issuer,
            securities,
            books.closes,
            books.statements,
            self.open_archive(),
            books.journal,
            books.orders,
            books.events,
            books.confirmations,
            books.breaks,
            books.payouts,
            books.declarations,
            books.audit,
            books.reports,
        )

    def paper_renderers(self) -> tuple[Callable[[bytes], bytes], Callable[[bytes, bytes], bytes]]:
        """How the PDF is made of report.json, and the page of report.json and approval.json."""
        # Typesetting takes long to import, and few commands need it.
        from tallystick.adapters.publish.charts import charts
        from tallystick.adapters.publish.pdf import render_pdf
        from tallystick.adapters.publish.site import render_page

        def page(content: bytes, approval: bytes) -> bytes:
            return render_page(content, approval, charts(json.loads(content)))

        return render_pdf, page

    def report_renderers(self, books: Books) -> Renderers:
        """How the files of a report are made; the holders' from the registers kept with its close."""
        from tallystick.adapters.publish.site import proof_of_reserves, render_index

        render_pdf, render_page = self.paper_renderers()
        return Renderers(
            render_pdf,
            render_page,
            lambda content: holder_files(books.closes, content),
            render_index,
            proof_of_reserves,
        )

    async def open_sender(self) -> Sender:
        """The sender whose outbox is in the store."""
        return self.new_sender((await self.open_store()).outbox)

    async def open_trail(self) -> AuditTrail:
        """The audit log, in the name of whoever gave the command."""
        return AuditTrail((await self.open_store()).audit, self.clock, self.actor)

    @property
    def actor(self) -> str:
        """Who gave the command, as this machine knows them: account@host."""
        try:
            account = getpass.getuser()
        except (KeyError, OSError):  # an account without a name, as in some containers
            account = f"uid {os.getuid()}"
        return f"{account}@{socket.gethostname()}"

    def declared_securities(self) -> list[DeclaredSecurity]:
        """What the profile declares of each security off chain."""
        return [
            DeclaredSecurity(
                security_of(self.issuer, each.id).security,
                tuple(CustodyAccount(account.custodian, account.account) for account in each.accounts),
                tuple(Pubkey.from_string(wallet) for wallet in each.inventory),
                parse_base_units(each.surplus, each.decimals),
            )
            for each in self.profile.securities
        ]

    def write_file(self, path: Path, content: bytes) -> None:
        """Write a result where it was asked for. InputError when that is not possible."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError as error:
            raise InputError(f"{path} cannot be written: {error.strerror}.") from error

    def new_sender(self, outbox: Outbox) -> Sender:
        """The one way transactions leave, with the program's own errors in its words. None leaves in a dry run."""
        self._forbid_in_dry_run("send")
        return Sender(self.open_chain(), outbox, self.clock, program_errors={PROGRAM_ID: program_error})

    def signer(self, role: str) -> KeypairSigner:
        """The key that the profile names for a role: admin, operator, attestors.1 … ConfigurationError without one.

        Of several keys without a number, the first.
        """
        asked = role
        name, _, number = role.partition(".")
        if name in SEVERAL and not number:
            role, number = f"{name}.1", "1"
        if role not in self._signers:
            keys = self.profile.keys
            named = getattr(keys, name)
            if number:
                named = named[int(number) - 1] if 1 <= int(number) <= len(named) else ""
            if not named:
                raise ConfigurationError(
                    f"This needs the {asked.replace('_', ' ')} key, and the profile names none.",
                    hint=f"Run it where that key is, or name its file under [keys] {name} in {self.path}.",
                )
            self._signers[role] = KeypairSigner.from_file(self.folder / named)
        return self._signers[role]

    def numbered(self, role: str) -> list[str]:
        """The names of a role's keys where the profile may name several: attestors.1, attestors.2 …"""
        return [f"{role}.{number}" for number in range(1, len(getattr(self.profile.keys, role)) + 1)]

    def own_keys(self) -> dict[str, Pubkey]:
        """Every key that the profile names, by role. ConfigurationError when a file cannot be used."""
        keys = self.profile.keys
        roles = [name for name in type(keys).model_fields if name not in SEVERAL and getattr(keys, name)]
        roles += [each for name in SEVERAL for each in self.numbered(name)]
        found = {role: self.signer(role).pubkey for role in roles}
        return found | {
            name: self.wallet_signer(name).pubkey for name, wallet in self.profile.wallets.items() if wallet.key
        }

    def wallet_signer(self, name: str) -> TransactionSigner:
        """The key of a wallet of the profile. ConfigurationError without one; in a dry run its address is enough."""
        wallet = self.profile.wallets.get(name)
        if wallet is None:
            wallet = next((each for each in self.profile.wallets.values() if each.address == name), None)
        if self.is_dry_run and (wallet is None or not wallet.key):
            return AddressOnly(self.profile.wallet(name))
        if wallet is None or not wallet.key:
            raise ConfigurationError(
                f"The wallet's own key has to sign, and the profile names none for {name}.",
                hint="Name the file under [wallets.NAME] key, or let the holder sign it in their own wallet.",
            )
        signer = KeypairSigner.from_file(self.folder / wallet.key)
        if str(signer.pubkey) != wallet.address:
            raise ConfigurationError(f"The key file of wallet {name} is of {signer.pubkey}, not {wallet.address}.")
        return signer

    def address(self, name: str) -> Pubkey:
        """What a person names: an address, a wallet of the profile, or a role whose key the profile has (operator,
        attestors.1). ConfigurationError for anything else."""
        role, _, number = name.partition(".")
        if role in Keys.model_fields and (
            role in SEVERAL if number.isdecimal() else not number and role != "attestors"
        ):
            return self.signer(name).pubkey
        return self.profile.wallet(name)

    def payer(self, acting: TransactionSigner) -> TransactionSigner:
        """Who pays fees and rent: the profile's payer, else the acting key."""
        return self.signer("payer") if self.profile.keys.payer else acting

    def absent(self, plan: Plan, signers: Sequence[TransactionSigner]) -> tuple[Pubkey, ...]:
        """Keys that a plan needs and that are not among `signers`, or are there by their address alone."""
        present = {each.pubkey for each in signers if not isinstance(each, AddressOnly)}
        return tuple(key for key in plan.signers if key not in present)

    def ring(self, *signers: TransactionSigner) -> dict[Pubkey, TransactionSigner]:
        """Signers by their address."""
        return {each.pubkey: each for each in signers}

    def investor_salt(self) -> bytes:
        """The issuer's secret for investors' hashes. ConfigurationError when its file is missing or wrong."""
        named = self.profile.issuer.investor_salt
        try:
            if not named:
                raise FileNotFoundError("[issuer] investor_salt is not set")
            return bytes.fromhex((self.folder / named).read_text(encoding="ascii").strip())
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"The salt for investors' hashes cannot be read: {error}",
                hint="Make one with: openssl rand -hex 32 — keep it secret and for ever, and name its file under "
                "[issuer] investor_salt.",
            ) from error

    def known_names(self) -> dict[Pubkey, str]:
        """Names by address: the profile's wallets, and the roles whose keys were used."""
        roles = {each.pubkey: role for role, each in self._signers.items()}
        return roles | {Pubkey.from_string(each.address): name for name, each in self.profile.wallets.items()}

    def name_of(self, key: Pubkey) -> str:
        """What the profile calls an address: a wallet's name or empty."""
        return self.profile.wallet_name(key)

    def _forbid_in_dry_run(self, what: str) -> None:
        # A command that gets here forgot to end its dry run where signing begins (dry_run.py): a defect, not a refusal.
        if self.is_dry_run:
            raise AssertionError(f"a dry run may not {what}")


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


def new_memory_outbox() -> Outbox:
    """An outbox for the length of one command, for effects that are harmless to repeat."""
    return MemoryOutbox()


def statement_profile(custodian: Custodian) -> StatementProfile:
    """How a custodian's files are read, from its section of the profile. ConfigurationError for contradictions."""
    layout = custodian.csv
    csv = None
    if layout is not None:
        plain: Mapping[str, Any] = layout.model_dump(exclude={"basis", "completeness", "sub_balances"})
        csv = CsvProfile(
            basis=Basis(layout.basis),
            completeness=Completeness(layout.completeness),
            sub_balances=tuple(layout.sub_balances.items()),
            **plain,
        )
    return StatementProfile(
        custodian.lei,
        utc_offset_minutes=custodian.utc_offset_minutes,
        date_only_seconds=custodian.date_only_seconds,
        csv=csv,
    )
