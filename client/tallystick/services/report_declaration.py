"""What a person declares for a month's report in a TOML file: read strictly, and kept as canonical JSON.

What is not declared is not made up: the report says that it is absent. Only basis and criteria have texts of their own.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from solders.pubkey import Pubkey

from tallystick.domain.amounts import Quantity, parse_quantity
from tallystick.domain.canonical import canonical_json
from tallystick.domain.identifiers import canonical_spelling, parse_isin, parse_lei
from tallystick.domain.reserve_report.declared import DeclaredCustodian, DeclaredPrice, Examination
from tallystick.errors import InputError, LedgerError
from tallystick.services.declaration_reading import Entries, require_once

FORMAT: Final = "tallystick.report-declaration/1"
BASIS: Final = (
    "Quantities of shares, not values. Held are the settled and free shares on the custodians' statements that the"
    " daily close rests on, with the movements between statement and chain that are named; pledged, lent, blocked and"
    " unsettled shares are not counted. Required is the share equivalent of all tokens in existence at the slot of the"
    " close, rounded up, those in escrow and those of the issuer included."
)
CRITERIA: Final = (
    (
        "AICPA, 2025 Criteria for Stablecoin Reporting, Part I: tokens outstanding, assets held against them, and the"
        " comparison of both, applied to shares: the asset is the share itself, and the test is one of quantity."
    ),
    "Regulation (EU) 2023/1114 (MiCA), Articles 22 and 30, as a benchmark of what is disclosed and how often.",
    (
        "The test is repeated on one day of the month that is drawn on chain after the month has ended, as in the NYDFS"
        " guidance on US dollar-backed stablecoins of June 2022, which asks for one day chosen at random."
    ),
)
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_HASH: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class LostWallets:
    """Wallets (32 bytes) whose tokens of a security nobody can redeem any more."""

    isin: str
    wallets: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class OnTheWay:
    """Shares of a security on their way into or out of one custody account at the as-of: for information."""

    isin: str
    custodian_lei: str
    account: str
    unsettled_buys: Quantity
    unsettled_sells: Quantity
    in_transit: Quantity
    pending_entitlements: Quantity


@dataclass(frozen=True, slots=True)
class DeclaredOfficer:
    """Who asserts; the signature comes later, when the as-of close is known."""

    name: str
    title: str


@dataclass(frozen=True, slots=True)
class Declaration:
    """A declared file. Empty texts and None mean that nothing was declared."""

    basis: str = BASIS
    criteria: tuple[str, ...] = CRITERIA
    custodians: tuple[DeclaredCustodian, ...] = ()
    prices: tuple[DeclaredPrice, ...] = ()
    lost: tuple[LostWallets, ...] = ()
    on_the_way: tuple[OnTheWay, ...] = ()
    assertion_text: str = ""
    officers: tuple[DeclaredOfficer, ...] = ()
    examination: Examination | None = None


def parse_declaration(text: str) -> Declaration:
    """The declaration that a TOML file makes. InputError, naming entry and line, for anything that is not known, is of
    another kind, or is said twice."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"The declared file is no TOML: {error}.") from error
    return _declaration(Entries(document, "", text))


def declaration_content(declaration: Declaration) -> bytes:
    """The declaration as canonical JSON: quantities as exact decimal text, wallets in base 58, hashes in hex."""
    examination = declaration.examination
    document: dict[str, Any] = {
        "format": FORMAT,
        "basis": declaration.basis,
        "criteria": list(declaration.criteria),
        "custodians": [asdict(each) for each in declaration.custodians],
        "prices": [asdict(each) | {"at": _moment_text(each.at)} for each in declaration.prices],
        "lost": [
            {"isin": each.isin, "wallets": [str(Pubkey.from_bytes(wallet)) for wallet in each.wallets]}
            for each in declaration.lost
        ],
        "accounts": [
            {
                "isin": each.isin,
                "custodian": each.custodian_lei,
                "account": each.account,
                **{name: str(getattr(each, name)) for name in _WAYS},
            }
            for each in declaration.on_the_way
        ],
    }
    if declaration.assertion_text:
        officers = [asdict(each) for each in declaration.officers]
        document["assertion"] = {"text": declaration.assertion_text, "officers": officers}
    if examination is not None:
        document["examination"] = asdict(examination) | {"document_hash": examination.document_hash.hex()}
    return canonical_json(document)


def read_declaration(content: bytes) -> Declaration:
    """The declaration that was kept. LedgerError when these bytes are none in canonical form."""
    try:
        document = json.loads(content)
        if not isinstance(document, dict) or document.pop("format", None) != FORMAT:
            raise InputError(f"format {FORMAT} expected")
        declaration = _declaration(Entries(document))
    except (InputError, ValueError, RecursionError) as error:
        raise LedgerError(f"These bytes are no declaration for a report: {error}") from error
    if declaration_content(declaration) != content:
        raise LedgerError("This declaration for a report is not in canonical form; it was changed since.")
    return declaration


def require_known(declaration: Declaration, isins: Collection[str], accounts: Collection[tuple[str, str, str]]) -> None:
    """InputError when a declaration is about a security, custodian or account that is not the issuer's.

    `accounts` are (ISIN, LEI of the custodian, account) as the profile declares them.
    """
    leis = {lei for _, lei, _ in accounts}
    for number, custodian in enumerate(declaration.custodians, 1):
        if custodian.lei not in leis:
            raise InputError(
                f"custodians[{number}].lei: {custodian.lei} holds no account of the profile.",
                hint=f"The profile's custodians: {', '.join(sorted(leis)) or 'none'}.",
            )
    for kind, named in (
        ("prices", [each.isin for each in declaration.prices]),
        ("lost", [each.isin for each in declaration.lost]),
    ):
        for number, isin in enumerate(named, 1):
            if isin not in isins:
                raise InputError(f"{kind}[{number}].isin: {isin} is none of the issuer's securities.")
    for number, each in enumerate(declaration.on_the_way, 1):
        if (each.isin, each.custodian_lei, each.account) not in accounts:
            raise InputError(
                f"accounts[{number}]: the profile declares no account {each.account} at {each.custodian_lei} for"
                f" {each.isin}.",
                hint="Name ISIN, custodian and account as under [[securities]] of the profile.",
            )


_WAYS: Final = ("unsettled_buys", "unsettled_sells", "in_transit", "pending_entitlements")


def _declaration(entries: Entries) -> Declaration:
    custodians, prices, lost, ways = set[str](), set[str](), set[str](), set[tuple[str, str, str]]()
    found = Declaration(
        basis=entries.words("basis") or BASIS,
        criteria=entries.texts("criteria") or CRITERIA,
        custodians=tuple(_custodian(each, custodians) for each in entries.tables("custodians")),
        prices=tuple(_price(each, prices) for each in entries.tables("prices")),
        lost=tuple(_lost(each, lost) for each in entries.tables("lost")),
        on_the_way=tuple(_on_the_way(each, ways) for each in entries.tables("accounts")),
        **_assertion(entries.table("assertion")),
        examination=_examination(entries.table("examination")),
    )
    entries.close()
    return found


def _custodian(entries: Entries, seen: set[str]) -> DeclaredCustodian:
    lei = require_once(entries, "lei", entries.parsed("lei", parse_lei), seen)
    names = ("name", "kind", "jurisdiction", "regulator", "account_title", "segregation", "liens")
    found = DeclaredCustodian(lei, *(entries.words(name) for name in names))
    entries.close()
    return found


def _price(entries: Entries, seen: set[str]) -> DeclaredPrice:
    found = DeclaredPrice(
        isin=require_once(entries, "isin", entries.parsed("isin", parse_isin), seen),
        amount=str(entries.parsed("amount", parse_quantity)),
        currency=entries.parsed("currency", _currency),
        source=entries.words("source", is_required=True),
        at=entries.moment("at"),
    )
    entries.close()
    return found


def _lost(entries: Entries, seen: set[str]) -> LostWallets:
    isin = require_once(entries, "isin", entries.parsed("isin", parse_isin), seen)
    wallets: set[bytes] = set()
    for text in entries.texts("wallets"):
        try:
            wallets.add(bytes(Pubkey.from_string(text)))
        except ValueError:
            raise entries.fault("wallets", f"{text!r} is no address in base 58") from None
    if not wallets:
        raise entries.fault("wallets", "a list of addresses is needed here")
    entries.close()
    return LostWallets(isin, tuple(sorted(wallets)))


def _on_the_way(entries: Entries, seen: set[tuple[str, str, str]]) -> OnTheWay:
    isin = entries.parsed("isin", parse_isin)
    lei = entries.parsed("custodian", parse_lei)
    account = entries.parsed("account", canonical_spelling)
    require_once(entries, "account", (isin, lei, account), seen)
    found = OnTheWay(isin, lei, account, *(entries.quantity(name) for name in _WAYS))
    entries.close()
    return found


def _assertion(entries: Entries | None) -> dict[str, Any]:
    if entries is None:
        return {}
    text = entries.words("text", is_required=True)
    names: set[str] = set()
    officers: list[DeclaredOfficer] = []
    for each in entries.tables("officers"):
        name = require_once(each, "name", each.words("name", is_required=True), names)
        officers.append(DeclaredOfficer(name, each.words("title", is_required=True)))
        each.close()
    if not officers:
        raise entries.fault("officers", "an assertion is somebody's: name and title are needed here")
    entries.close()
    return {"assertion_text": text, "officers": tuple(officers)}


def _examination(entries: Entries | None) -> Examination | None:
    if entries is None:
        return None
    texts = [entries.words(name, is_required=True) for name in ("examiner", "standard", "opinion")]
    day = entries.day("date")
    if not day:
        raise entries.fault("date", "the day of the opinion is needed here")
    hashed = entries.words("document_hash")
    if hashed and _HASH.fullmatch(hashed) is None:
        raise entries.fault("document_hash", "a SHA-256 as 64 lower-case hex digits expected")
    examiner, standard, opinion = texts
    found = Examination(examiner, standard, opinion, day, entries.words("document_uri"), bytes.fromhex(hashed))
    entries.close()
    return found


def _currency(text: str) -> str:
    if _CURRENCY.fullmatch(text) is None:
        raise InputError(f"{text!r} is no currency: three upper-case letters (ISO 4217) expected.")
    return text


def _moment_text(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


__all__ = [
    "BASIS",
    "CRITERIA",
    "Declaration",
    "DeclaredOfficer",
    "LostWallets",
    "OnTheWay",
    "declaration_content",
    "parse_declaration",
    "read_declaration",
    "require_known",
]
