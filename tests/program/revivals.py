"""Accounts that were closed, and that somebody brought back: what each account of a valid call might have become."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from attacks import FIXED, PROGRAMS, WALLETS
from solders.account import Account
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from tallystick.program.generated.constants import PROGRAM_ID
from tallystick.program.layout import AccountRole
from tallystick.program.token import SYSTEM_PROGRAM, TOKEN_2022_PROGRAM
from world import World

Change = Callable[[Account], Account]
MADE_BY_TOKEN_2022 = {("list_security", "mint"), ("list_security", "escrow")}
SPACE = 400
"""Bytes of an account that is there before the program makes it: as good a length as any."""


def emptied(found: Account) -> Account:
    """Closed: nothing is there."""
    return Account(0, b"", SYSTEM_PROGRAM, False, 0)


def refunded(found: Account) -> Account:
    """Closed, and lamports sent to its address."""
    return Account(found.lamports, b"", SYSTEM_PROGRAM, False, 0)


def given_away(found: Account) -> Account:
    """Its bytes are there still, under the system program."""
    return Account(found.lamports, found.data, SYSTEM_PROGRAM, False, 0)


def zeroed(found: Account) -> Account:
    """Its program has it again, with nothing written in it."""
    return Account(found.lamports, bytes(len(found.data)), found.owner, False, 0)


CLOSED: dict[str, Change] = {"emptied": emptied, "emptied, with lamports": refunded}
REVIVED: dict[str, Change] = {"old bytes, no program": given_away, "zeros": zeroed}


def does_not_apply(role: AccountRole) -> str | None:
    """Why an account can be neither closed nor brought back, from what the IDL says of it; None where it can."""
    if role.signer:
        return "a key: what counts is its signature"
    if role.name in WALLETS:
        return "a wallet: what counts is its address, and that this program does not own it"
    if role.name in PROGRAMS or role.name == "event_authority":
        return "holds no state"
    if role.name in FIXED:
        return "the runtime's own"
    return None


def changed(world: World, call: Instruction, index: int, change: Change) -> bool:
    """Bring an account of the call into that state. False where it is not there, so that it cannot have been closed."""
    address = call.accounts[index].pubkey
    found = world.chain.find(address)
    if found is None:
        return False
    world.chain.write(address, change(found))
    return True


def made_before(world: World, instruction: str, account: str, address: Pubkey) -> None:
    """An account that the instruction makes is there, of the right program, with nothing in it."""
    owner = TOKEN_2022_PROGRAM if (instruction, account) in MADE_BY_TOKEN_2022 else PROGRAM_ID
    world.chain.write(address, Account(10**10, bytes(SPACE), owner, False, 0))


def pairs(call: Instruction) -> Iterator[tuple[int, int]]:
    """Every place of a call, and every other account of the same call that could be given in it."""
    for place, meta in enumerate(call.accounts):
        for source, other in enumerate(call.accounts):
            if meta.pubkey != other.pubkey:
                yield place, source
