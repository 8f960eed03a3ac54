"""One Tally per command run, which builds the adapters it is asked for and closes them at the end."""

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
from tallystick.adapters.chain.outbox import MemoryOutbox, Outbox
from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.chain.rpc import RpcChain, RpcLimits
from tallystick.adapters.chain.sender import Sender
from tallystick.adapters.clock import Clock, SystemClock
from tallystick.adapters.custody.archive import FolderStatementArchive, StatementArchive
from tallystick.adapters.custody.profiles import CsvProfile, StatementProfile
from tallystick.adapters.publish.folder import LocalPublishFolder, PublishFolder
from tallystick.domain.amounts import parse_base_units
from tallystick.domain.holdings import Basis, Completeness
from tallystick.errors import ConfigurationError
from tallystick.program import PROGRAM_ID, program_error
from tallystick.services.audit_books import AuditSources
from tallystick.services.audit_trail import AuditTrail
from tallystick.services.reconciliation_custody import CustodyAccount, DeclaredSecurity
from tallystick.services.report_holders import holder_files
from tallystick.services.report_inputs import ReportProfile
from tallystick.services.report_publish import Renderers
from tallystick.services.securities import security_of

from tallystick_cli.context.books import Books
from tallystick_cli.context.profile_at_hand import ProfileAtHand
from tallystick_cli.profile import Custodian

if TYPE_CHECKING:
    from tallystick.adapters.publish.server import SiteServer

SQLITE: Final = ("sqlite+aiosqlite:///", "sqlite:///")


class Tally(ProfileAtHand):
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
        super().__init__(path, is_dry_run=is_dry_run)
        self.is_json = is_json
        self.is_yes = is_yes
        self.is_verbose = is_verbose
        self.out = out or Console(highlight=False)
        self.err = err or Console(stderr=True, highlight=False)
        self.clock: Clock = clock or SystemClock()
        self._stack = AsyncExitStack()
        self._chain: Chain | None = None
        self._endpoints: tuple[Chain, ...] = ()
        self._books: Books | None = None

    async def __aenter__(self) -> Tally:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    @property
    def can_ask(self) -> bool:
        """True when a person sits at the terminal."""
        return sys.stdin is not None and sys.stdin.isatty()

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
        from tallystick.adapters.publish.server import SiteServer

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

    def new_sender(self, outbox: Outbox) -> Sender:
        """The one way transactions leave, with the program's own errors in its words. None leaves in a dry run."""
        self._forbid_in_dry_run("send")
        return Sender(self.open_chain(), outbox, self.clock, program_errors={PROGRAM_ID: program_error})


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
