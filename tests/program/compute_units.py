"""How many compute units each instruction takes, with and without what it calls, from a transaction's logs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from attacks import ADDRESS_ONLY, CREATED
from cases import CASES, NEWCOMER, Case, veto_role
from distributions import PAYOUT_KEY, full_batch
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from tallystick.program.generated.constants import PROGRAM_ID
from tallystick.program.generated.instructions import INSTRUCTIONS
from tallystick.program.generated.types import RoleKind
from tallystick.program.token import SPL_TOKEN_PROGRAM, SYSTEM_PROGRAM, TOKEN_2022_PROGRAM
from world import IN, ONE, SCOPE_MINT, World

BUILTIN_UNITS = 150
"""What a call of the system program takes; it logs no number."""
CALL_FEE = 946
"""What the runtime charges the caller for each call, whatever is called (SIMD-0339). Part of `own`."""
_INVOKE = re.compile(r"Program (\w+) invoke \[(\d+)\]")
_CONSUMED = re.compile(r"Program (\w+) consumed (\d+) of \d+ compute units")
_ENDED = re.compile(r"Program \w+ success")


@dataclass(frozen=True, slots=True)
class Row:
    """Compute units of one call. `own` is `total` less what the called programs took; `tries` is how many bumps were
    tried in vain before the addresses it derives were found: luck of the keys."""

    name: str
    total: int
    own: int
    calls: int
    tries: int


def _settle_again(world: World) -> Instruction:
    return world.acme.settle_subscription(world.order("open"), IN, 30 * ONE)


def _release_own(world: World) -> Instruction:
    world.chain.send(world.acme.place_hold(1, SCOPE_MINT))
    return world.acme.release_hold(1)


def _grant_again(world: World) -> Instruction:
    world.chain.send(world.alpha.revoke_role(RoleKind.OPERATOR, 2))
    return world.alpha.grant_role(RoleKind.OPERATOR, 2)


def _pay_full_batch(program: Pubkey) -> Case:
    """57 recipients, of a million holders."""
    return lambda world: full_batch(world, program)[1]


def _pay_nobody(world: World) -> Instruction:
    made, call = full_batch(world, SPL_TOKEN_PROGRAM)
    assert made.bits[0] == 0
    world.chain.send(call, payer=PAYOUT_KEY)
    return call


FULL_SPL, FULL_TOKEN_2022 = "pay_batch, 57 recipients, SPL Token", "pay_batch, 57 recipients, Token-2022"
VARIANTS: dict[str, Case] = {
    FULL_SPL: _pay_full_batch(SPL_TOKEN_PROGRAM),
    FULL_TOKEN_2022: _pay_full_batch(TOKEN_2022_PROGRAM),
    "pay_batch, 57 recipients, all paid before": _pay_nobody,
    "grant_role, to a key that had it": _grant_again,
    "release_hold, by its owner, mint only": _release_own,
    "settle_subscription, movement used before": _settle_again,
    "veto, of a role": veto_role,
}


def measure() -> list[Row]:
    """A row for each call, by name."""
    rows = []
    for name, case in sorted((CASES | VARIANTS).items()):
        world = World.fresh()
        call = case(world)
        receipt = world.chain.send(call, payer=PAYOUT_KEY if name.startswith("pay_batch") else None)
        called = units_called(receipt.logs)
        rows.append(Row(name, receipt.units, receipt.units - sum(called), len(called), tries(world, name, call)))
    return rows


def tries(world: World, name: str, call: Instruction) -> int:
    """Bumps tried in vain, over every address that the instruction derives rather than reads."""
    instruction = name.partition(",")[0]
    total = 0
    for each, meta in zip(INSTRUCTIONS[instruction].accounts, call.accounts, strict=False):
        if each.name in CREATED.get(instruction, ()):
            total += 255 - _bump(world, meta.pubkey)
        elif instruction in ("grant_role", "accept_admin") and each.name in ADDRESS_ONLY:
            kind = RoleKind[each.name.removesuffix("_role").upper()]
            holder = world.alpha.key(RoleKind.OPERATOR, 2) if "had it" in name else NEWCOMER
            seeds = [b"role", bytes(world.alpha.address), bytes([kind]), bytes(holder)]
            address, bump = Pubkey.find_program_address(seeds, PROGRAM_ID)
            assert address == meta.pubkey
            total += 255 - bump
    return total


def _bump(world: World, address: Pubkey) -> int:
    """The bump an account of ours keeps behind its version; 255 for those of Token-2022, which keep none."""
    account = world.chain.find(address)
    assert account is not None
    return account.data[9] if account.owner == PROGRAM_ID else 255


def units_called(logs: Sequence[str]) -> list[int]:
    """What each direct call took, in order."""
    found: list[int] = []
    stack: list[str] = []
    consumed: int | None = None
    for line in logs:
        if match := _INVOKE.fullmatch(line):
            stack.append(match.group(1))
            consumed = None
        elif match := _CONSUMED.fullmatch(line):
            consumed = int(match.group(2))
        elif _ENDED.fullmatch(line):
            program = stack.pop()
            if len(stack) == 1:
                assert consumed is not None or program == str(SYSTEM_PROGRAM), f"{program} logged no number"
                found.append(BUILTIN_UNITS if consumed is None else consumed)
            consumed = None
    return found


def table(rows: list[Row]) -> str:
    """As Markdown."""
    lines = [
        "| instruction | total | without what it calls | calls | bumps in vain |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    lines += [f"| {each.name} | {each.total:,} | {each.own:,} | {each.calls} | {each.tries} |" for each in rows]
    return "\n".join(lines)
