"""What an issuer declares of a month, put together from its books, its profile and the declared file.

Everything here is the issuer's word or a custodian's; what the chain says is read by report_facts.py and is checked
against the closes in report_build.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from solders.pubkey import Pubkey

from tallystick import __version__
from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.store.breaks import BreakStore
from tallystick.adapters.store.closes import CloseStore
from tallystick.adapters.store.declarations import DeclarationStore, StoredAssertion
from tallystick.adapters.store.journal import MovementJournal
from tallystick.adapters.store.payouts import PayoutStore
from tallystick.adapters.store.reports import ReportStore
from tallystick.adapters.store.statements import StatementRegister
from tallystick.domain.amounts import Quantity, parse_quantity
from tallystick.domain.canonical import sha256
from tallystick.domain.closes import DailyClose, SecurityClose
from tallystick.domain.identifiers import custody_accounts_hash
from tallystick.domain.reserve_report.declared import (
    CONTROL_TOTALS,
    Assertion,
    Declared,
    DeclaredAccount,
    DeclaredCustodian,
    DeclaredDividend,
    DeclaredHolding,
    DeclaredTiming,
    DeclaredWallets,
    Officer,
)
from tallystick.domain.reserve_report.facts import DistributionFacts, ReportFacts, SecurityFacts
from tallystick.domain.reserve_report.published import report_uri
from tallystick.errors import ConfigurationError, InputError
from tallystick.services.chain_reads import list_fills, list_movements
from tallystick.services.payout_lines import plan_document
from tallystick.services.reconciliation_custody import DeclaredSecurity
from tallystick.services.reconciliation_statements import conflict_breaks
from tallystick.services.report_breaks import month_breaks
from tallystick.services.report_closes import MonthCloses, drawn_day
from tallystick.services.report_declaration import Declaration, read_declaration
from tallystick.services.report_statements import holdings_at, month_lines
from tallystick.services.report_timing import timing_at, used_shares

GENERATOR: Final = f"tallystick {__version__}"


@dataclass(frozen=True, slots=True)
class ReportBooks:
    """The stores that a report is put together from."""

    closes: CloseStore
    statements: StatementRegister
    journal: MovementJournal
    breaks: BreakStore
    payouts: PayoutStore
    declarations: DeclarationStore
    reports: ReportStore


@dataclass(frozen=True, slots=True)
class ReportProfile:
    """What an issuer says of itself once and not every month: names of its custodians by LEI, its securities, and the
    address below which its reports are found."""

    custodians: Mapping[str, str]
    securities: Sequence[DeclaredSecurity]
    uri: str


async def collect_declared(
    chain: Chain, books: ReportBooks, profile: ReportProfile, month: MonthCloses, facts: ReportFacts, version: int
) -> Declared:
    """Everything of a report that the chain does not show. ConfigurationError while the profile has no address for
    reports; LedgerError when the books do not have what the closes rest on."""
    if not profile.uri:
        raise ConfigurationError(
            "The profile does not say where reports are published.",
            hint="Name the address of their folder under [report] uri, as https://reports.example.com.",
        )
    issuer, close, isins = facts.issuer, month.as_of, {each.isin for each in facts.securities}
    declaration = await newest_declaration(books.declarations, issuer, month.period)
    stored = await books.statements.list()
    assertions = await books.declarations.assertions(issuer, month.period)
    holdings, silent = holdings_at(close, stored, declaration), _without_statement(facts, profile, close)
    return Declared(
        period=month.period,
        version=version,
        generator=GENERATOR,
        uri=report_uri(profile.uri, month.period, version),
        basis=declaration.basis,
        criteria=declaration.criteria,
        days_before=month.days_before,
        closes=month.closes,
        opening=month.opening,
        custodians=_custodians(declaration, profile, (*holdings, *silent)),
        holdings=holdings,
        without_statement=silent,
        timing=await _timing(chain, books.journal, month, facts),
        wallets=_wallets(facts, profile, declaration),
        breaks=await month_breaks(
            books.breaks,
            issuer,
            [each.address for each in facts.securities],
            month.closes,
            month.opening,
            month.begins,
            conflict_breaks([each.statement for each in stored]),
        ),
        dividends=await _dividends(books.payouts, facts.securities),
        statements=month_lines(
            stored, month.closes, month.begins, await books.declarations.seed(issuer, month.period)
        ).tree,
        prices=tuple(sorted((each for each in declaration.prices if each.isin in isins), key=lambda each: each.isin)),
        assertion=_assertion(declaration, close, assertions),
        examination=declaration.examination,
    )


async def newest_declaration(declarations: DeclarationStore, issuer: bytes, period: int) -> Declaration:
    """What counts of what was declared; a declaration of nothing when there is none. LedgerError for a damaged one."""
    kept = await declarations.newest(issuer, period)
    return read_declaration(kept.content) if kept else Declaration()


def _custodians(
    declaration: Declaration, profile: ReportProfile, accounts: Iterable[DeclaredHolding | DeclaredAccount]
) -> tuple[DeclaredCustodian, ...]:
    """Every custodian of these accounts, by LEI; the file's name, else the profile's."""
    declared = {each.lei: each for each in declaration.custodians}
    found: list[DeclaredCustodian] = []
    for lei in sorted({each.custodian_lei for each in accounts}):
        each = declared.get(lei, DeclaredCustodian(lei))
        found.append(each if each.name else replace(each, name=profile.custodians.get(lei, "")))
    return tuple(found)


def _wallets(facts: ReportFacts, profile: ReportProfile, declaration: Declaration) -> tuple[DeclaredWallets, ...]:
    """The inventory of each security by the profile, and its lost wallets by the file, in the order of ISINs."""
    inventory = {
        bytes(each.security): sorted(bytes(wallet) for wallet in each.inventory) for each in profile.securities
    }
    lost = {each.isin: each.wallets for each in declaration.lost}
    found = [
        DeclaredWallets(each.isin, tuple(inventory.get(each.address, ())), lost.get(each.isin, ()))
        for each in facts.securities
    ]
    for each in found:
        for wallet in set(each.inventory) & set(each.lost):
            raise InputError(
                f"The wallet {Pubkey.from_bytes(wallet)} is inventory of {each.isin} in the profile, and lost in the"
                " declared file.",
                hint="It is one of the two: correct the profile, or declare again.",
            )
    return tuple(sorted((each for each in found if each.inventory or each.lost), key=lambda each: each.isin))


def _without_statement(facts: ReportFacts, profile: ReportProfile, close: DailyClose) -> tuple[DeclaredAccount, ...]:
    """The custody accounts of the as-of that the close uses no statement of, by ISIN, custodian and account. None of a
    security whose accounts by the profile are not those that the chain had then."""
    accounts = {bytes(each.security): {one.hash: one for one in each.accounts} for each in profile.securities}
    closed = {part.mint: {each.account_hash for each in part.statements} for part in close.securities}
    found: list[DeclaredAccount] = []
    for security in facts.securities:
        by_hash = accounts.get(security.address, {})
        if custody_accounts_hash([*by_hash]) == security.custody_accounts_hash:
            silent = by_hash.keys() - closed.get(security.mint, set())
            found += [
                DeclaredAccount(security.isin, by_hash[each].custodian_lei, by_hash[each].account) for each in silent
            ]
    return tuple(sorted(found, key=lambda each: (each.isin, each.custodian_lei, each.account)))


async def _timing(
    chain: Chain, journal: MovementJournal, month: MonthCloses, facts: ReportFacts
) -> tuple[DeclaredTiming, ...]:
    """Movements on their way at the close of the drawn day and at the as-of, in that order, by ISIN."""
    drawn, as_of = drawn_day(facts), month.as_of.block_time
    closes = [each for each in month.closes if each is month.as_of or each.day == drawn]
    found: list[DeclaredTiming] = []
    by_mint = {each.mint: each for each in facts.securities}
    movements, fills = {}, {}
    for security in facts.securities:
        address, of_month = Pubkey.from_bytes(security.address), {each.address for each in security.fills}
        movements[address] = (await list_movements(chain, address, commitment="finalized")).accounts
        settled = (await list_fills(chain, address, commitment="finalized")).accounts
        # Of those settled in the as-of's second, the facts know which came before its end.
        fills[address] = [each for name, each in settled.items() if each.settled_at < as_of or bytes(name) in of_month]
    for close in closes:
        for part in sorted(close.securities, key=lambda each: (each.isin, each.mint)):
            address = Pubkey.from_bytes(_of_mint(by_mint, part).address)
            used = used_shares(movements[address], fills[address], close.block_time)
            found += timing_at(close, part, await journal.list(bytes(address)), used)
    return tuple(found)


def _of_mint(by_mint: Mapping[bytes, SecurityFacts], part: SecurityClose) -> SecurityFacts:
    found = by_mint.get(part.mint)
    if found is None:
        raise ConfigurationError(
            f"The close has the security {part.isin}, and the chain lists no such one of this issuer.",
            hint="Check which cluster the profile names.",
        )
    return found


async def _dividends(payouts: PayoutStore, securities: Sequence[SecurityFacts]) -> tuple[DeclaredDividend, ...]:
    """The control totals of every distribution whose plan is in the books; of others nothing is said."""
    found = [await _dividend(payouts, each) for security in securities for each in security.distributions]
    return tuple(sorted((each for each in found if each), key=lambda each: each.distribution))


async def _dividend(payouts: PayoutStore, distribution: DistributionFacts) -> DeclaredDividend | None:
    record = await payouts.find(distribution.address)
    if record is None or record.root != distribution.root:
        return None
    document = plan_document(record)
    totals = {name: int(text) for name, text in document["totals"].items()}
    gross = _rounded_down(parse_quantity(document["cash"]["gross"]), record.payment_decimals)
    return DeclaredDividend(
        distribution=distribution.address,
        gross=gross,
        withheld_upstream=gross - totals["net"],
        **{name: totals[name] for name in CONTROL_TOTALS},
    )


def _rounded_down(quantity: Quantity, decimals: int) -> int:
    """Base units; a custodian's gross amount may be finer than the payment mint, its net amount never is."""
    return int(quantity.units * 10**decimals // 10**quantity.scale)


def _assertion(declaration: Declaration, close: DailyClose, signed: Sequence[StoredAssertion]) -> Assertion | None:
    """The assertion with the signatures that are of this very text and as-of close; older ones count for nothing."""
    if not declaration.assertion_text:
        return None
    text_hash = sha256(declaration.assertion_text.encode("utf-8"))
    valid = {each.officer: each for each in signed if (each.close_hash, each.text_hash) == (close.hash, text_hash)}
    return Assertion(
        declaration.assertion_text,
        tuple(
            Officer(each.name, each.title, valid[each.name].key, valid[each.name].signature)
            if each.name in valid
            else Officer(each.name, each.title)
            for each in declaration.officers
        ),
    )


__all__ = ["GENERATOR", "ReportBooks", "ReportProfile", "collect_declared", "newest_declaration"]
