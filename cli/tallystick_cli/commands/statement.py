"""tally statement: receive the custodian's files, and show what they say."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text
from tallystick.domain.amounts import format_base_units
from tallystick.domain.breaks import Break
from tallystick.domain.reserve import ReserveFinding, statement_reserve
from tallystick.errors import ConfigurationError, InputError
from tallystick.services.statement_intake import receive_statement

from tallystick_cli.command import command
from tallystick_cli.context import Books, StatementStatus, StoredStatement, Tally, statement_profile
from tallystick_cli.failures import DONE, REFUSED
from tallystick_cli.files import read_file
from tallystick_cli.profile import Custodian, SecuritySection
from tallystick_cli.render import ago, amount, facts, instant_text, short, stack, table, when

app = typer.Typer(no_args_is_help=True, help="Statements of holdings: receive the custodian's files and read them.")
StatementArgument = Annotated[
    str,
    typer.Argument(
        metavar="STATEMENT", help="Its id, or the first digits of its key; tally statement list shows both."
    ),
]


class Decision(StrEnum):
    """What somebody decided about a statement."""

    USABLE = "usable"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class StatementShown:
    """One statement: what it says of each security of ours, and what was found when it was received."""

    stored: StoredStatement
    reserves: tuple[tuple[SecuritySection, ReserveFinding], ...]
    custodian: str
    now: int
    finding: Break | None = None
    is_new: bool | None = None

    @property
    def exit_code(self) -> int:
        """1 for a statement that conflicts with another one."""
        return REFUSED if self.stored.status is StatementStatus.CONFLICTING else DONE

    def document(self) -> dict[str, object]:
        """The statement's head, and the free shares of each security."""
        statement = self.stored.statement
        document: dict[str, object] = {
            "key": self.stored.key.hex(),
            "status": self.stored.status.value,
            "reason": self.stored.reason or None,
            "statement_id": statement.statement_id,
            "custodian": statement.custodian_lei,
            "account": statement.account,
            "as_of": instant_text(statement.as_of),
            "received_at": instant_text(statement.received_at),
            "format": statement.format,
            "basis": statement.basis.value,
            "completeness": statement.completeness.value,
            "files": [each.hex() for each in statement.source_hashes],
            "securities": [
                {
                    "security": section.symbol,
                    "isin": section.isin,
                    "free_shares": None
                    if found.quantity is None
                    else format_base_units(found.quantity, section.decimals),
                    "taken_off": {code: format_base_units(units, section.decimals) for code, units in found.taken_off},
                    "breaks": [each.document() for each in found.breaks],
                }
                for section, found in self.reserves
            ],
        }
        if self.is_new is not None:
            document |= {"is_new": self.is_new, "finding": self.finding.document() if self.finding else None}
        return document

    def view(self) -> RenderableType:
        """The head, then a line for each security."""
        statement = self.stored.statement
        verdict = None
        if self.is_new is not None:
            mark = ("✓ ", "green") if self.finding is None else ("! ", "yellow")
            text = "Received and kept." if self.finding is None else self.finding.message
            verdict = Text.assemble(mark, text)
        status, completeness = self.stored.status, statement.completeness.value
        head = facts(
            [
                (
                    "Statement",
                    " · ".join(
                        (statement.statement_id or "(no id)", statement.format, statement.basis.value, completeness)
                    ),
                ),
                ("Custodian", f"{self.custodian} {statement.custodian_lei}".strip()),
                ("Account", statement.account),
                ("As of", f"{when(statement.as_of)} UTC ({ago(statement.as_of, self.now)})"),
                ("Status", Text(status.value, style="green" if status is StatementStatus.USABLE else "bold red")),
                ("Why", self.stored.reason),
                ("Key", self.stored.key.hex()),
            ]
        )
        rows = table("Security", "ISIN", "Free shares", "Not counted", "", right=["Free shares"])
        for section, found in self.reserves:
            off = ", ".join(f"{amount(units, section.decimals)} {code}" for code, units in found.taken_off)
            free = "not certain" if found.quantity is None else amount(found.quantity, section.decimals)
            rows.add_row(
                section.symbol,
                section.isin,
                free,
                off,
                Text("; ".join(each.message for each in found.breaks), "yellow"),
            )
        return stack(verdict, head, rows)


@command(
    app,
    "add",
    examples=(
        "tally statement add semt002-2026-11-23.xml",
        "tally statement add page1.xml page2.xml --custodian 5493…   # the pages of one statement",
    ),
)
async def add(
    tally: Tally,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="ISO 20022 semt.002 or CSV; several are pages of one.")
    ],
    custodian: Annotated[
        str | None, typer.Option(help="The custodian's LEI or name; needed when the profile has several.")
    ] = None,
) -> StatementShown:
    """Keep a statement as received, read it and register it."""
    section = _custodian(tally, custodian)
    books = await tally.open_store()
    registration = await receive_statement(
        [read_file(file) for file in files],
        statement_profile(section),
        tally.open_archive(),
        books.statements,
        accounts=section.accounts,
        received_at=tally.clock.now(),
    )
    return _shown(tally, registration.stored, registration.finding, registration.is_new)


@dataclass(frozen=True, slots=True)
class StatementsShown:
    """All statements, newest first."""

    statements: tuple[StoredStatement, ...]
    custodians: dict[str, str]
    now: int
    exit_code: int = 0

    def document(self) -> dict[str, object]:
        """Key, account, as-of and status of each."""
        return {
            "statements": [
                {
                    "key": each.key.hex(),
                    "statement_id": each.statement.statement_id,
                    "custodian": each.statement.custodian_lei,
                    "account": each.statement.account,
                    "as_of": instant_text(each.statement.as_of),
                    "status": each.status.value,
                }
                for each in self.statements
            ]
        }

    def view(self) -> RenderableType:
        """A table."""
        if not self.statements:
            return Text("No statement was received yet. Read one with: tally statement add FILE", style="dim")
        rows = table("Statement", "Custodian", "Account", "As of (UTC)", "Age", "Status", "Key")
        for each in self.statements:
            statement = each.statement
            style = "green" if each.status is StatementStatus.USABLE else "red"
            rows.add_row(
                statement.statement_id or "(no id)",
                self.custodians.get(statement.custodian_lei, statement.custodian_lei),
                statement.account,
                when(statement.as_of),
                ago(statement.as_of, self.now),
                Text(each.status.value, style=style),
                short(each.key, 6),
            )
        return rows


@command(app, "list", examples=("tally statement list", "tally statement list --json"))
async def list_(tally: Tally) -> StatementsShown:
    """Every statement that was received, newest first."""
    kept = await (await tally.open_store()).statements.list()
    return StatementsShown(kept, {each.lei: each.name for each in tally.profile.custodians}, tally.clock.now())


@command(app, "show", examples=("tally statement show STMT-2026-11-23", "tally statement show 4f1c2a --json"))
async def show(tally: Tally, statement: StatementArgument) -> StatementShown:
    """What one statement says of each security, and what of it may count."""
    return _shown(tally, await _find(await tally.open_store(), statement))


@command(
    app,
    "decide",
    examples=("tally statement decide 4f1c2a rejected --reason 'the custodian withdrew it on the phone, ticket 881'",),
)
async def decide(
    tally: Tally,
    statement: StatementArgument,
    decision: Annotated[Decision, typer.Argument(help="May it be used?")],
    reason: Annotated[str, typer.Option(help="Why, for whoever reads it later.")],
) -> StatementShown:
    """Decide about a statement: which of two conflicting ones may be used."""
    books = await tally.open_store()
    stored = await _find(books, statement)
    decided = await books.statements.decide(stored.key, StatementStatus(decision.value), reason)
    await (await tally.open_trail()).note(f"statement {decision.value}", stored.key.hex(), {"reason": reason})
    return _shown(tally, decided)


def _shown(
    tally: Tally, stored: StoredStatement, finding: Break | None = None, is_new: bool | None = None
) -> StatementShown:
    statement = stored.statement
    sections = [
        each
        for each in tally.profile.securities
        if any((a.custodian, a.account) == (statement.custodian_lei, statement.account) for a in each.accounts)
    ]
    reserves = tuple((each, statement_reserve(statement, each.isin, each.decimals)) for each in sections)
    name = next((each.name for each in tally.profile.custodians if each.lei == statement.custodian_lei), "")
    return StatementShown(stored, reserves, name, tally.clock.now(), finding, is_new)


def _custodian(tally: Tally, given: str | None) -> Custodian:
    if given is not None:
        return tally.profile.custodian(given)
    declared = tally.profile.custodians
    if len(declared) != 1:
        raise ConfigurationError(
            f"The profile declares {len(declared)} custodians; whose file is it?", hint="Name it with --custodian."
        )
    return declared[0]


async def _find(books: Books, name: str) -> StoredStatement:
    kept = await books.statements.list()
    found = [each for each in kept if each.statement.statement_id == name]
    found = found or [each for each in kept if len(name) >= 4 and each.key.hex().startswith(name.lower())]
    if len(found) != 1:
        what = f"{len(found)} statements fit {name!r}." if found else f"No statement {name!r} was received."
        raise InputError(what, hint="See: tally statement list — and name the first digits of its key.")
    return found[0]
