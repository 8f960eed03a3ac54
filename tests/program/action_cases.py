"""One valid call of every instruction of corporate actions; conventions as in cases.py."""

from __future__ import annotations

from collections.abc import Callable

from actions import delisting, split
from solders.instruction import Instruction
from world import World


def announce_action(world: World) -> Instruction:
    """A second version: the variant that names the most accounts."""
    return split(world.acme, 2).do_announce().next(numerator=3).announce()


def approve_action(world: World) -> Instruction:
    """By the second key."""
    return split(world.acme, 2).do_announce().approve()


def cancel_action(world: World) -> Instruction:
    """Of one that was executed: the variant that calls Token-2022."""
    action = split(world.acme, 2)
    action.do_execute()
    return action.cancel()


def execute_action(world: World) -> Instruction:
    """A split."""
    return split(world.acme, 2).do_approve().execute()


def retire_security(world: World) -> Instruction:
    """When the delisting takes effect."""
    action = delisting(world.acme).do_approve()
    world.chain.set_time(action.terms.effective_at)
    return action.retire()


ACTION_CASES: dict[str, Callable[[World], Instruction]] = {
    case.__name__: case for case in (announce_action, approve_action, cancel_action, execute_action, retire_security)
}
