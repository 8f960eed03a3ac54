"""Reconciliation three ways per security: custodians, the chain and our order book, in exact integers, no tolerance.

What differs is data: breaks that are stored and age across runs, and close by not being found again. Only what keeps us
from looking is an exception: no answer from the cluster, a store that fails, a profile that names what is not there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain, Commitment
from tallystick.adapters.chain.snapshot import HolderClasses
from tallystick.adapters.clock import Clock
from tallystick.adapters.store.breaks import BreakStore
from tallystick.domain.break_records import BreakRecord
from tallystick.domain.breaks import Break, BreakKind
from tallystick.domain.canonical import CanonicalValue, canonical_json
from tallystick.domain.holdings import StatementOfHoldings
from tallystick.domain.reserve import DEFAULT_TREATMENTS, Treatment
from tallystick.program.generated.constants import PROGRAM_ID
from tallystick.program.text import decode_text
from tallystick.services.books import SecurityBook, read_books
from tallystick.services.reconciliation_actions import action_breaks
from tallystick.services.reconciliation_chain import chain_breaks
from tallystick.services.reconciliation_custody import CustodySide, DeclaredSecurity, compare_custody, declarations
from tallystick.services.reconciliation_mint import mint_breaks
from tallystick.services.reconciliation_orders import BookedMovement, BookedOrder, OrderBook, order_book_breaks
from tallystick.services.reconciliation_statements import statement_breaks

REPORT_VERSION = 1


@dataclass(frozen=True, slots=True)
class SecurityReport:
    """What is backed of one security and what differs.

    `custody` in shares (base units), `supply`, `classes` and `inventory` in raw units. `reserve` is the attested one in
    force and `reserve_as_of` its as-of, 0 without one. `breaks` are open, in the order found.
    """

    security: Pubkey
    isin: str
    ticker: str
    decimals: int
    multiplier: int
    supply: int
    classes: HolderClasses
    holders: int
    register_root: bytes
    reserve: int
    reserve_as_of: int
    custody: CustodySide
    breaks: tuple[BreakRecord, ...]

    @property
    def is_clean(self) -> bool:
        """True when nothing differs."""
        return not self.breaks

    def document(self, now: int) -> dict[str, CanonicalValue]:
        """The report as plain data for JSON: bytes as hex, amounts as decimal text of base units."""
        custody = self.custody
        return {
            "breaks": [each.document(now) for each in self.breaks],
            "bridge": [
                {
                    "account": line.account,
                    "amount": str(line.amount),
                    "kind": line.kind.value,
                    "reference": line.reference,
                }
                for line in custody.bridge
            ],
            "classes": {
                "escrow": str(self.classes.escrow),
                "frozen": str(self.classes.frozen),
                "holders": str(self.classes.holders),
                "inventory": str(self.classes.inventory),
            },
            "decimals": self.decimals,
            "held": _text(custody.held),
            "holders": self.holders,
            "isin": self.isin,
            "multiplier": str(self.multiplier),
            "register_root": self.register_root.hex(),
            "required": str(custody.required),
            "reserve": str(self.reserve),
            "reserve_as_of": self.reserve_as_of,
            "security": str(self.security),
            "statements": [
                {
                    "account": each.account_hash.hex(),
                    "as_of": each.as_of,
                    "quantity": str(each.quantity),
                    "statement": each.statement_hash.hex(),
                }
                for each in custody.statements
            ],
            "statements_as_of": custody.as_of,
            "supply": str(self.supply),
            "surplus": _text(custody.surplus),
            "ticker": self.ticker,
        }


@dataclass(frozen=True, slots=True)
class ReconciliationReport:
    """One run. `slot` and `chain_time` are the chain's side of the as-ofs, each statement's as-of is custody's side.

    `breaks` are those of no single security, such as a statement that is stale. Times in seconds since 1970 UTC.
    """

    issuer: Pubkey
    slot: int
    chain_time: int
    ran_at: int
    securities: tuple[SecurityReport, ...]
    breaks: tuple[BreakRecord, ...]

    @property
    def all_breaks(self) -> tuple[BreakRecord, ...]:
        """Every open break of this run."""
        return (*self.breaks, *(each for security in self.securities for each in security.breaks))

    @property
    def is_clean(self) -> bool:
        """True when nothing differs anywhere."""
        return not self.all_breaks

    def document(self) -> dict[str, CanonicalValue]:
        """The report as plain data for JSON."""
        return {
            "breaks": [each.document(self.ran_at) for each in self.breaks],
            "chain_time": self.chain_time,
            "is_clean": self.is_clean,
            "issuer": str(self.issuer),
            "ran_at": self.ran_at,
            "securities": [each.document(self.ran_at) for each in self.securities],
            "slot": self.slot,
            "version": REPORT_VERSION,
        }

    def json(self) -> bytes:
        """The document as canonical JSON: equal reports are equal bytes."""
        return canonical_json(self.document())


async def reconcile(
    chain: Chain,
    issuer: Pubkey,
    declared: Sequence[DeclaredSecurity],
    statements: Sequence[StatementOfHoldings],
    order_book: OrderBook,
    breaks: BreakStore,
    clock: Clock,
    *,
    conflicting: Sequence[StatementOfHoldings] = (),
    treatments: Mapping[str, Treatment] = DEFAULT_TREATMENTS,
    commitment: Commitment = "finalized",
    program_id: Pubkey = PROGRAM_ID,
) -> ReconciliationReport:
    """Compare everything known of an issuer's securities, and store what differs.

    `statements` are all that were received and may be used: the newest usable one of each account is compared, and
    those that the reserve in force was attested from are looked for among them. `conflicting` ones, of which nobody
    knows yet which is right, are used for nothing and are breaks. A difference within the chain counts
    only when a second reading has it too, so that a transaction in flight is no break.
    ChainError, StoreError, LedgerError for bytes that do not decode; ConfigurationError when a declared security is
    not one of this issuer's.
    """
    books = await read_books(chain, issuer, clock, commitment=commitment, program_id=program_id)
    by_address = declarations(books, declared)
    booked = {book.address: await _booked(order_book, book.address) for book in books.securities}
    seen = {each.id for book in books.securities for each in _within_chain(book, *booked[book.address])}
    if seen:
        books = await read_books(
            chain,
            issuer,
            clock,
            commitment=commitment,
            program_id=program_id,
            securities=[book.address for book in books.securities],
        )
        booked = {book.address: await _booked(order_book, book.address) for book in books.securities}
    ran_at = clock.now()
    found = statement_breaks(books, by_address, statements, books.now, treatments, conflicting)
    reports: list[SecurityReport] = []
    for book in books.securities:
        movements, orders = booked[book.address]
        side, custody = compare_custody(book, by_address[book.address], statements, movements, treatments)
        twice = [each for each in _within_chain(book, movements, orders) if each.id in seen]
        evidence = [each for each in found if each.instrument == book.isin and _is_worth_it(each, side)]
        records = await breaks.record(bytes(book.address), [*custody, *evidence, *twice], ran_at)
        reports.append(_report(book, by_address[book.address], side, records))
    ours = {book.isin for book in books.securities}
    general = [each for each in found if each.instrument not in ours]
    records = await breaks.record(bytes(issuer), general, ran_at)
    return ReconciliationReport(issuer, books.slot, books.now, ran_at, tuple(reports), records)


async def _booked(order_book: OrderBook, security: Pubkey) -> tuple[Sequence[BookedMovement], Sequence[BookedOrder]]:
    return await order_book.movements_of(security), await order_book.orders_of(security)


def _within_chain(
    book: SecurityBook, movements: Sequence[BookedMovement], orders: Sequence[BookedOrder]
) -> tuple[Break, ...]:
    """Differences that a transaction in flight could explain for a moment."""
    return (*chain_breaks(book), *mint_breaks(book), *action_breaks(book), *order_book_breaks(book, movements, orders))


def _is_worth_it(found: Break, side: CustodySide) -> bool:
    """False for an account that does not list the security and does not have to: nothing is missing."""
    is_missing = side.surplus is None or side.surplus < 0
    return found.kind is not BreakKind.MISSING_IN_CUSTODY or is_missing


def _report(
    book: SecurityBook, declared: DeclaredSecurity, side: CustodySide, records: tuple[BreakRecord, ...]
) -> SecurityReport:
    register = book.holders.register
    return SecurityReport(
        security=book.address,
        isin=book.isin,
        ticker=decode_text(book.security.ticker, "ticker"),
        decimals=book.decimals,
        multiplier=book.multiplier,
        supply=book.mint.supply,
        classes=book.holders.classes(book.security.escrow, declared.inventory),
        holders=len(register.entries),
        register_root=register.root,
        reserve=book.security.reserve,
        reserve_as_of=book.security.reserve_as_of,
        custody=side,
        breaks=records,
    )


def _text(amount: int | None) -> str | None:
    return None if amount is None else str(amount)
