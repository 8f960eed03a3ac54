"""ISO 20022 semt.002, the custodian's statement of holdings, in every published version.

Two layouts: `CtdyStmtOfHldgs` (semt.002.001.01 and .02) and `SctiesBalCtdyRpt` (from .03, and the ISO 15022
coexistence family semt.002.002). The version is told by namespace *and* root. Inside, elements we have no use for are
ignored; those that decide are required, once each, and read strictly. Account level only: a report with balances of
sub-accounts is refused, because whether those are inside the account's own balances differs between custodians.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from tallystick.adapters.custody.errors import (
    MalformedStatement,
    UnsupportedStatement,
    WrongCustodian,
)
from tallystick.adapters.custody.instants import parse_iso_date, parse_iso_date_time
from tallystick.adapters.custody.pages import check_unique
from tallystick.adapters.custody.profiles import StatementProfile
from tallystick.adapters.custody.semt002_balances import BalanceNames, read_balance
from tallystick.adapters.custody.xml import (
    Element,
    boolean,
    content,
    elements,
    local_name,
    namespace,
    only,
    optional,
    parse_xml,
    path,
    required,
    several,
)
from tallystick.domain.canonical import sha256
from tallystick.domain.holdings import Basis, Completeness, HoldingLine, StatementOfHoldings
from tallystick.domain.identifiers import canonical_spelling
from tallystick.errors import IdentifierError

PARSER_VERSION: Final = 1

_NAMESPACE: Final = re.compile(
    r"(?:urn:iso:std:iso:20022:tech:xsd:|urn:swift:xsd:(?:[A-Za-z0-9.]+\$)?)(semt\.002\.(00[12])\.([0-9]{2}))"
)
_EXTENSIONS: Final = frozenset({"SplmtryData", "Xtnsn"})
_CODES: Final = frozenset({"Cd", "StmtBsisAsCd", "StmtUpdTpAsCd", "FrqcyAsCd"})


@dataclass(frozen=True, slots=True)
class _Layout:
    """Element names that differ between the two layouts."""

    pagination: str
    statement_id: str
    account: tuple[str, ...]
    balance: BalanceNames


_CUSTODY_STATEMENT: Final = _Layout(
    pagination="MsgPgntn",
    statement_id="Ref",
    account=("AcctDtls", "Id"),
    balance=BalanceNames(
        "AggtQty", "AvlblQty", "NotAvlblQty", "BalBrkdwnDtls", "AddtlBalBrkdwnDtls", ("FinInstrmDtls", "Id"), False
    ),
)
_BALANCE_REPORT: Final = _Layout(
    pagination="Pgntn",
    statement_id="StmtId",
    account=("SfkpgAcct",),
    balance=BalanceNames("AggtBal", "AvlblBal", "NotAvlblBal", "BalBrkdwn", "AddtlBalBrkdwn", ("FinInstrmId",), True),
)


def read_semt002(data: bytes, profile: StatementProfile, received_at: int) -> StatementOfHoldings:
    """One file, that is one page, as a statement; join_pages puts several together.

    Raises the StatementErrors of this package and nothing else. `received_at` in seconds since 1970 UTC.
    """
    document = _find_document(parse_xml(data, profile.maximum_bytes))
    message, layout, root = _dispatch(document)
    _check_namespaces(root)
    _check_servicer(root, profile)
    page = required(root, layout.pagination)
    number = content(required(page, "PgNb"))
    if re.fullmatch(r"[0-9]{1,5}", number) is None or int(number) == 0:
        raise MalformedStatement(f"{number[:40]!r} is not a page number from 1 to 99999", where=path(page))
    details = required(root, "StmtGnlDtls")
    has_activity = boolean(required(details, "ActvtyInd"))
    lines = tuple(
        read_balance(balance, layout.balance, position)
        for position, balance in enumerate(several(root, "BalForAcct"), start=1)
    )
    _check_lines(root, lines, has_activity)
    encumbered = optional(details, "SctyIntrstOrSetOff")
    identifier = optional(details, layout.statement_id)
    return StatementOfHoldings(
        custodian_lei=profile.custodian_lei,
        account=_account(root, layout),
        as_of=_as_of(required(details, "StmtDtTm"), profile),
        received_at=received_at,
        statement_id="" if identifier is None else content(identifier),
        basis=_basis(required(details, "StmtBsis")),
        completeness=_completeness(required(details, "UpdTp")),
        has_activity=has_activity,
        lines=lines,
        source_hashes=(sha256(data),),
        format=message,
        parser_version=PARSER_VERSION,
        frequency=_frequency(details),
        encumbered=None if encumbered is None else boolean(encumbered),
        first_page=int(number),
        last_page=int(number),
        ends=boolean(required(page, "LastPgInd")),
    )


def _find_document(root: Element) -> Element:
    """The Document element, be it the root or inside an envelope with a business application header."""
    if local_name(root) == "Document":
        return root
    found = [
        element
        for element in root.iter("{*}Document")
        if _NAMESPACE.fullmatch(namespace(element)) or namespace(element) == namespace(root)
    ]
    if len(found) != 1:
        raise UnsupportedStatement(
            f"The file holds {len(found)} semt.002 documents where one was expected",
            where=path(root),
            hint="Pass each statement or page as a file of its own.",
        )
    _check_header(root, found[0])
    return found[0]


def _check_header(envelope: Element, document: Element) -> None:
    """A header that announces another message than follows is a mix-up of files."""
    match = _NAMESPACE.fullmatch(namespace(document))
    for definition in envelope.iter("{*}MsgDefIdr"):
        if match is not None and namespace(definition) != namespace(document) and content(definition) != match[1]:
            raise MalformedStatement(
                f"The header announces {content(definition)[:40]!r}, the document is {match[1]}", where=path(definition)
            )


def _dispatch(document: Element) -> tuple[str, _Layout, Element]:
    match = _NAMESPACE.fullmatch(namespace(document))
    if match is None:
        raise UnsupportedStatement(
            f"The document's namespace {namespace(document)[:120]!r} is not one of semt.002",
            where=path(document),
            hint="Statements of holdings are read from semt.002 and CSV.",
        )
    message, family, version = match[1], match[2], int(match[3])
    root = only(document)
    early = family == "001" and version <= 2
    expected = {("001", 1): message, ("001", 2): "CtdyStmtOfHldgsV02"}.get((family, version), "SctiesBalCtdyRpt")
    if local_name(root) != expected or version == 0:
        raise UnsupportedStatement(
            f"The message {local_name(root)!r} does not belong to {message}; {expected!r} was expected",
            where=path(root),
        )
    return message, _CUSTODY_STATEMENT if early else _BALANCE_REPORT, root


def _check_namespaces(root: Element) -> None:
    """Elements of another namespace would be passed over, and with them maybe a pledge; only extensions have them."""
    for child in root:
        if not isinstance(child.tag, str) or local_name(child) in _EXTENSIONS:
            continue
        if namespace(child) != namespace(root):
            raise MalformedStatement(
                f"{local_name(child)} has the namespace {namespace(child)[:120]!r} of another message",
                where=path(child),
            )
        _check_namespaces(child)


def _check_servicer(root: Element, profile: StatementProfile) -> None:
    servicer = optional(root, "AcctSvcr")
    lei = None if servicer is None else optional(servicer, "LEI")
    if lei is not None and content(lei) != profile.custodian_lei:
        raise WrongCustodian(
            f"The account servicer is {content(lei)[:40]}, the profile's custodian is {profile.custodian_lei}",
            where=path(lei),
            hint="Read the file with the profile of the custodian that sent it.",
        )


def _check_lines(root: Element, lines: tuple[HoldingLine, ...], has_activity: bool) -> None:
    for sub_account in several(root, "SubAcctDtls"):
        if several(sub_account, "BalForSubAcct"):
            raise UnsupportedStatement(
                "The statement has balances of sub-accounts",
                where=path(sub_account),
                hint="Ask the custodian for a statement of each account on its own.",
            )
    if lines and not has_activity:
        raise MalformedStatement("The statement says that it has no activity, and lists balances", where=path(root))
    check_unique(lines)


def _account(root: Element, layout: _Layout) -> str:
    element = required(root, *layout.account)
    if layout is _CUSTODY_STATEMENT:
        element = required(only(element), *_early_account(only(element)))
    else:
        element = required(element, "Id")
    try:
        return canonical_spelling(content(element))
    except IdentifierError as error:
        raise MalformedStatement(f"The account is not one: {error.message}", where=path(element)) from error


def _early_account(choice: Element) -> tuple[str, ...]:
    return ("Prtry", "Id") if local_name(choice) == "SmplId" else ("Id", "Prtry", "Id")


def _as_of(choice: Element, profile: StatementProfile) -> int:
    element = only(choice)
    if local_name(element) == "Dt":
        return parse_iso_date(content(element), profile, path(element))
    if local_name(element) == "DtTm":
        return parse_iso_date_time(content(element), profile, path(element))
    raise MalformedStatement(f"Expected Dt or DtTm, found {local_name(element)}", where=path(element))


def _basis(choice: Element) -> Basis:
    element = only(choice)
    if local_name(element) not in _CODES:
        return Basis.PROPRIETARY
    code = content(element)
    if code not in {"SETT", "TRAD", "CONT"}:
        raise MalformedStatement(f"{code[:40]!r} is no statement basis; SETT, TRAD or CONT are", where=path(element))
    return Basis(code)


def _completeness(choice: Element) -> Completeness:
    element = only(choice)
    if local_name(element) not in _CODES:
        return Completeness.PROPRIETARY
    code = content(element)
    if code not in {"COMP", "DELT"}:
        raise MalformedStatement(f"{code[:40]!r} is no update type; COMP or DELT are", where=path(element))
    return Completeness(code)


def _frequency(details: Element) -> str:
    choice = optional(details, "Frqcy")
    if choice is None:
        return ""
    element = only(choice)
    if local_name(element) in _CODES:
        return content(element)
    return "PRTRY:" + "/".join(content(child) for child in elements(element))
