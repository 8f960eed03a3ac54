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

from tallystick.adapters.custody.documents import check_namespaces, find_document, message_name
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
    document = find_document(parse_xml(data, profile.maximum_bytes), "semt.002")
    message, layout, root = _dispatch(document)
    check_namespaces(root)
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


def _dispatch(document: Element) -> tuple[str, _Layout, Element]:
    name = message_name(document)
    if name is None or name.kind != "semt.002" or name.family not in ("001", "002"):
        raise UnsupportedStatement(
            f"The document's namespace {namespace(document)[:120]!r} is not one of semt.002",
            where=path(document),
            hint="Statements of holdings are read from semt.002 and CSV.",
        )
    message, family, version = str(name), name.family, name.version
    root = only(document)
    early = family == "001" and version <= 2
    expected = {("001", 1): message, ("001", 2): "CtdyStmtOfHldgsV02"}.get((family, version), "SctiesBalCtdyRpt")
    if local_name(root) != expected or version == 0:
        raise UnsupportedStatement(
            f"The message {local_name(root)!r} does not belong to {message}; {expected!r} was expected",
            where=path(root),
        )
    return message, _CUSTODY_STATEMENT if early else _BALANCE_REPORT, root


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
