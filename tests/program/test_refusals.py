"""Every refusal of the program, triggered: the error, and nothing moved."""

from __future__ import annotations

import pytest
from attacks import generic_attacks
from refusals import REFUSALS, UNREACHABLE, Refused
from substitutes import SUBSTITUTES
from tallystick.program.generated.errors import ERRORS
from world import World


def test_every_error_of_the_program_is_triggered_or_listed_with_its_reason() -> None:
    attacked = {each.expected for each in generic_attacks()} | {
        expected for substitutes in SUBSTITUTES.values() for _, expected, _ in substitutes
    }
    triggered = {name for name, _, _ in REFUSALS} | attacked
    names = {each.name for each in ERRORS.values()}
    assert sorted(names - triggered) == sorted(UNREACHABLE)


@pytest.mark.parametrize("refused", REFUSALS, ids=lambda each: f"{each[0]}-{each[1]}".replace(" ", "_"))
def test_a_broken_rule_is_refused_and_nothing_moves(refused: Refused) -> None:
    world = World.fresh()
    name, _, make = refused
    world.chain.refuse(name, make(world))
