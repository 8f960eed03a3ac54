"""One valid call of every instruction of distributions; conventions as in cases.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from distributions import payout
from issuers import DAY
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from world import World


def open_distribution(world: World) -> Instruction:
    """A second one, linked to the first: the variant that names the most accounts."""
    opened = payout(world).do_open()
    return replace(opened, number=1).open(linked_to=opened.address)


def grow_distribution(world: World) -> Instruction:
    """The second step of two."""
    made = payout(world).do_prepare()
    world.chain.send(made.open(batches=1_300, entries=1_300))
    return made.grow()


def second_growing(world: World) -> Pubkey:
    """Another one that has still to grow."""
    second = replace(payout(world), number=1)
    world.chain.send(second.open(batches=1_300, entries=1_300))
    return second.address


def approve_distribution(world: World) -> Instruction:
    """The first of its action, which executes that."""
    return payout(world).do_open().approve()


def fund_distribution(world: World) -> Instruction:
    """In full."""
    return payout(world).do_approve().fund()


def pay_batch(world: World) -> Instruction:
    """Three recipients."""
    return payout(world).do_fund().pay_batch(0)


def pay_entitlement(world: World) -> Instruction:
    """Alice's."""
    return payout(world).do_fund().pay_entitlement(world.alice)


def close_distribution(world: World) -> Instruction:
    """Expired, with money left."""
    made = payout(world).do_fund()
    world.chain.send(made.pay_batch(0))
    world.chain.warp(31 * DAY)
    return made.close()


DISTRIBUTION_CASES: dict[str, Callable[[World], Instruction]] = {
    case.__name__: case
    for case in (
        open_distribution, grow_distribution, approve_distribution, fund_distribution, pay_batch, pay_entitlement,
        close_distribution,
    )
}  # fmt: skip
