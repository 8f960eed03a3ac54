"""Which attack was tried on which account of which instruction, and what came of it, as a table computed from the IDL.

A cell is never empty: the errors with which the attack was refused, the reason why it was accepted, or the reason why
it does not apply.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from attacks import (
    ADDRESS_ONLY,
    CREATED,
    FIXED,
    HARMLESS,
    PROGRAMS,
    WALLETS,
    generic_attacks,
    index_of,
    is_address_only,
    valid_call,
)
from cases import VARIANTS
from chain_in_process import with_account
from revivals import CLOSED, REVIVED, Change, changed, does_not_apply, made_before, pairs
from sanctioned import HARMLESS_ABSENCE, SAME_KEY_TWICE, SANCTIONED
from solders.instruction import Instruction
from substitutes import SUBSTITUTES
from tallystick.program.generated.instructions import INSTRUCTIONS
from tallystick.program.layout import AccountRole
from world import World

COLUMNS = ("unsigned", "read only", "other owner", "elsewhere", "other type", "another's", "twice", "closed", "revived")
COLUMN_OF = {
    "does not sign": "unsigned",
    "is read only": "read only",
    "is owned by another program": "other owner",
    "is taken by another program": "other owner",
    "is an account of this program": "other owner",
    "is elsewhere": "elsewhere",
    "is not there": "elsewhere",
    "is another program": "elsewhere",
    "is of another type": "other type",
}
"""Where a generic attack stands in the table."""
ACCEPTED = "accepted: "
NOT_APPLICABLE = "-: "
UNEXPLAINED = "nothing in sanctioned.py says why: "


@dataclass(slots=True)
class Cell:
    """What came of one attack on one account."""

    errors: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """A reason, once."""
        if text not in self.notes:
            self.notes.append(text)

    def __str__(self) -> str:
        return "; ".join([", ".join(sorted(self.errors))] * bool(self.errors) + self.notes)


Place = tuple[str, str]
Table = dict[Place, dict[str, Cell]]


def table() -> Table:
    """Every account of every instruction, every attack."""
    cells: Table = {
        (instruction, account.name): defaultdict(Cell)
        for instruction, layout in INSTRUCTIONS.items()
        for account in layout.accounts
    }
    for attack in generic_attacks():
        cells[attack.instruction, attack.account][COLUMN_OF[attack.name]].errors.add(attack.expected)
    for (instruction, name, attack_name), reason in HARMLESS.items():
        cells[instruction, name][COLUMN_OF[attack_name]].note(ACCEPTED + reason)
    for place, substitutes in SUBSTITUTES.items():
        cells[place]["another's"].errors |= {expected for _, expected, _ in substitutes}
    for place, sanctioned in SANCTIONED.items():
        for reason, _ in sanctioned:
            cells[place]["another's"].note(ACCEPTED + reason)
    for instruction, layout in INSTRUCTIONS.items():
        _twice(cells, instruction)
        for case, name in VARIANTS:
            if case == instruction:
                _twice(cells, instruction, name)
        for account in layout.accounts:
            cell = cells[instruction, account.name]
            _lifeless(cell["closed"], instruction, account, CLOSED)
            _lifeless(cell["revived"], instruction, account, REVIVED)
            for column, reason in _not_applicable(instruction, account):
                if not str(cell[column]):
                    cell[column].note(NOT_APPLICABLE + reason)
    return cells


def _twice(cells: Table, instruction: str, only: str = "") -> None:
    """The same account in two places of one call, for every two that the IDL names; of a variant, those of the account
    it is for."""
    accounts = INSTRUCTIONS[instruction].accounts
    world, call = _prepared(instruction, only)
    for place, source in pairs(call):
        if max(place, source) >= len(accounts):
            continue
        name, other = accounts[place].name, accounts[source].name
        if only not in ("", name, other):
            continue
        error = world.chain.unmoved(_same(call, place, source))
        cell = cells[instruction, name]["twice"]
        if error is not None:
            cell.errors.add(error)
            continue
        reason = next((each.reason for each in SAME_KEY_TWICE if each.covers(instruction, name, other)), None)
        if reason is None:
            reason = UNEXPLAINED + f"{other}'s account"
        cell.note(ACCEPTED + reason)
        world, call = _prepared(instruction, only)


def _prepared(instruction: str, account: str) -> tuple[World, Instruction]:
    """A valid call, whose signers can all pay."""
    world = World.fresh()
    call = valid_call(world, instruction, account)
    for meta in call.accounts:
        if meta.is_signer and world.chain.find(meta.pubkey) is None:
            world.chain.fund(meta.pubkey)
    return world, call


def _same(call: Instruction, place: int, source: int) -> Instruction:
    """The same account in both places. Where a signature is asked for there is one if the account signs anyway."""
    account = call.accounts[source]
    signs = call.accounts[place].is_signer and account.is_signer
    return with_account(call, place, pubkey=account.pubkey, is_signer=signs)


def _lifeless(cell: Cell, instruction: str, account: AccountRole, changes: dict[str, Change]) -> None:
    """Closed, or brought back, before the call."""
    reason = does_not_apply(account)
    if reason is not None:
        cell.note(NOT_APPLICABLE + reason)
        return
    index = index_of(instruction, account.name)
    for name, change in changes.items():
        world = World.fresh()
        call = valid_call(world, instruction, account.name)
        if not changed(world, call, index, change):
            continue
        _record(cell, world, call, (instruction, account.name, name))
    if not cell.errors and not cell.notes:
        if changes is CLOSED:
            made = account.name in CREATED.get(instruction, ())
            cell.note(NOT_APPLICABLE + ("made here" if made else "not there, and may be missing"))
            return
        world = World.fresh()
        call = valid_call(world, instruction, account.name)
        made_before(world, instruction, account.name, call.accounts[index].pubkey)
        _record(cell, world, call, (instruction, account.name, "zeros"))


def _record(cell: Cell, world: World, call: Instruction, attack: tuple[str, str, str]) -> None:
    error = world.chain.unmoved(call)
    if error is not None:
        cell.errors.add(error)
    elif attack in HARMLESS_ABSENCE:
        cell.note(ACCEPTED + HARMLESS_ABSENCE[attack])
    else:
        cell.note(f"{ACCEPTED}{UNEXPLAINED}{attack[2]}")


def _not_applicable(instruction: str, account: AccountRole) -> Iterator[tuple[str, str]]:
    """Why an attack of a column cannot be tried, from the IDL."""
    program = account.name in PROGRAMS
    fixed = program or account.name == "event_authority" or account.name in FIXED
    if not account.signer:
        yield "unsigned", "no signature asked for"
    if not account.writable:
        yield "read only", "not written"
    if account.signer:
        for column in ("other owner", "other type", "elsewhere"):
            yield column, "a key"
    if fixed:
        for column in ("other owner", "other type", "another's"):
            yield column, "its address never changes"
    if account.name in CREATED.get(instruction, ()):
        yield "other type", "made here"
    if account.name in ADDRESS_ONLY or is_address_only(instruction, account.name):
        yield "other owner", "its address is this program's alone"
        yield "other type", "its address is of one role or record"
    if account.name in WALLETS:
        yield "other type", "any account but one of this program may own tokens"


def blanks(cells: Table) -> list[tuple[str, str, str]]:
    """Cells in which nothing stands."""
    return [(*place, column) for place, row in cells.items() for column in COLUMNS if not str(row[column])]


def unexplained(cells: Table) -> list[str]:
    """Attacks that were accepted, and nothing says why that breaks no law."""
    return [
        f"{instruction}, {account}, {column}: {note}"
        for (instruction, account), row in cells.items()
        for column, cell in row.items()
        for note in cell.notes
        if UNEXPLAINED in note
    ]


def markdown(cells: Table) -> str:
    """The table, with reasons as numbered notes."""
    notes: dict[str, int] = {}

    def text(cell: Cell) -> str:
        parts = [f"{each}" for each in sorted(cell.errors)]
        for note in cell.notes:
            kind, _, reason = note.partition(": ")
            number = notes.setdefault(reason, len(notes) + 1)
            parts.append(f"{'ok' if kind == 'accepted' else '-'} [{number}]")
        return ", ".join(parts)

    lines = [f"| instruction | account | {' | '.join(COLUMNS)} |", f"| --- | --- |{' --- |' * len(COLUMNS)}"]
    for (instruction, account), row in cells.items():
        lines.append(f"| {instruction} | {account} | {' | '.join(text(row[column]) for column in COLUMNS)} |")
    lines += ["", "## Reasons", ""]
    lines += [f"{number}. {reason}" for reason, number in notes.items()]
    return "\n".join(lines)
