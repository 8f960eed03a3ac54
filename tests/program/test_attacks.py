"""Every account of every instruction, attacked one thing at a time: one error, and nothing moved.

The list is computed from the IDL. An instruction or account that has no attack fails the first tests here.
"""

from __future__ import annotations

from itertools import permutations

import pytest
from attacks import PROGRAMS, Attack, generic_attacks, index_of, valid_call
from cases import CASES
from chain_in_process import Refusal, with_account
from sanctioned import SANCTIONED
from substitutes import SUBSTITUTES
from substituting import Run
from tallystick.program.generated.instructions import INSTRUCTIONS
from world import World

PLACES = [(name, account.name) for name, layout in INSTRUCTIONS.items() for account in layout.accounts]
GENERIC = list(generic_attacks())
SUBSTITUTED = [
    Attack(instruction, account, name, expected, run)
    for (instruction, account), substitutes in SUBSTITUTES.items()
    for name, expected, run in substitutes
]
ACCEPTED = [
    (instruction, account, reason, run)
    for (instruction, account), equivalents in SANCTIONED.items()
    for reason, run in equivalents
]
TWICE = [
    (name, account.name, again.name)
    for name, layout in INSTRUCTIONS.items()
    for account, again in permutations((each for each in layout.accounts if each.writable), 2)
    if not account.signer
]
"""Anchor's own check is switched off (`dup`): what two places may hold is told apart by type, owner and address."""


def test_every_instruction_of_the_idl_has_a_valid_call() -> None:
    assert set(CASES) == set(INSTRUCTIONS)


def test_every_account_of_every_instruction_is_attacked() -> None:
    attacked = {(each.instruction, each.account) for each in GENERIC}
    assert [place for place in PLACES if place not in attacked] == [("veto", "program")]


def test_every_account_but_programs_is_substituted_or_may_be() -> None:
    fixed = PROGRAMS | {"event_authority"}
    chosen = [place for place in PLACES if place[1] not in fixed]
    assert [place for place in chosen if place not in SUBSTITUTES and place not in SANCTIONED] == []


def test_no_attack_is_on_an_account_that_is_gone() -> None:
    assert [place for place in (*SUBSTITUTES, *SANCTIONED) if place not in PLACES] == []


@pytest.mark.parametrize("instruction", CASES)
def test_the_call_that_is_attacked_is_valid(instruction: str) -> None:
    world = World.fresh()
    assert world.chain.send(valid_call(world, instruction, "")).events


@pytest.mark.parametrize("attack", [*GENERIC, *SUBSTITUTED], ids=str)
def test_one_broken_account_is_refused_and_nothing_moves(attack: Attack) -> None:
    world = World.fresh()
    call = valid_call(world, attack.instruction, attack.account)
    broken = attack.run(world, call, index_of(attack.instruction, attack.account))
    world.chain.refuse(attack.expected, broken)


@pytest.mark.parametrize(("instruction", "account", "again"), TWICE)
def test_no_account_is_written_in_two_places(instruction: str, account: str, again: str) -> None:
    world = World.fresh()
    call = valid_call(world, instruction, account)
    twice = call.accounts[index_of(instruction, again)].pubkey
    with pytest.raises(Refusal):
        world.chain.send(with_account(call, index_of(instruction, account), pubkey=twice))


@pytest.mark.parametrize(("instruction", "account", "reason", "run"), ACCEPTED)
def test_an_equivalent_account_is_accepted(instruction: str, account: str, reason: str, run: Run) -> None:
    world = World.fresh()
    call = valid_call(world, instruction, account)
    assert reason
    assert world.chain.send(run(world, call, index_of(instruction, account))).events
