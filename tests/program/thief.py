"""A thief: some keys, a purse to pay fees and rent from, and unlimited time. What it sends is signed by these alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from authority import ROWS, Mark, instruction_of, tried
from cases import CASES
from chain_in_process import Receipt, Refusal
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from tallystick.program.token import TOKEN_2022_PROGRAM
from world import World

TOKEN_PROGRAMS = {TOKEN_2022_PROGRAM, Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")}
ACCOUNT_SIZE, ACCOUNT_TYPE, IS_ACCOUNT = 165, 165, 2
"""Bytes of a token account without extensions; where the type of an extended one stands."""


@dataclass(frozen=True, slots=True)
class Thief:
    """Whoever has these keys, and no other."""

    world: World
    keys: frozenset[Pubkey]

    def does(self, *calls: Instruction) -> Receipt:
        """What it can do."""
        self._require_its_own(calls)
        return self.world.chain.send(*calls)

    def cannot(self, expected: str, *calls: Instruction) -> Refusal:
        """What is refused, with this error; nothing moves."""
        self._require_its_own(calls)
        return self.world.chain.refuse(expected, *calls)

    def _require_its_own(self, calls: tuple[Instruction, ...]) -> None:
        purse = {self.world.chain.payer, self.world.chain.fee_payer}
        signers = {meta.pubkey for call in calls for meta in call.accounts if meta.is_signer}
        assert signers <= self.keys | purse, f"the thief does not have {signers - self.keys - purse}"


def thief_of(world: World, *keys: Pubkey) -> Thief:
    """Whoever stole these keys."""
    return Thief(world, frozenset(keys))


def tokens(world: World) -> dict[Pubkey, int]:
    """Raw units in every token account, and the supply of every mint."""
    return {
        address: amount
        for address, account in world.chain.state().items()
        if account.owner in TOKEN_PROGRAMS and (amount := _units(account.data))
    }


def _units(data: bytes) -> int:
    is_account = len(data) == ACCOUNT_SIZE or (len(data) > ACCOUNT_SIZE and data[ACCOUNT_TYPE] == IS_ACCOUNT)
    return int.from_bytes(data[64:72] if is_account else data[36:44], "little")


def powers(column: str) -> set[str]:
    """The instructions that a key may call, alone or beside another, where a stranger may not."""
    return {
        instruction_of(row)
        for row in ROWS
        if tried(row).marks[column] is not Mark.NEVER and tried(row).marks["stranger"] is Mark.NEVER
    }


@cache
def movers() -> frozenset[str]:
    """The instructions whose valid call mints, burns or moves tokens."""
    found = set()
    for instruction, case in CASES.items():
        world = World.fresh()
        call = case(world)
        before = tokens(world)
        world.chain.send(call)
        if tokens(world) != before:
            found.add(instruction)
    return frozenset(found)
