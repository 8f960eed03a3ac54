"""One valid call of every instruction of the IDL, in the world of world.py. What an attack breaks one thing of."""

from __future__ import annotations

from collections.abc import Callable

from action_cases import ACTION_CASES
from control_cases import CONTROL_CASES, thaw_permissioned
from distribution_cases import DISTRIBUTION_CASES
from report_cases import REPORT_CASES
from solders.instruction import Instruction
from tallystick.program.generated.types import RoleKind
from world import DAY, IN, ONE, OUT, SCOPE_TRANSFER, Movement, Security, World, key

Case = Callable[[World], Instruction]
"""Sends what has to come before, and returns the instruction."""
NEWCOMER = key("newcomer")


def initialize(world: World) -> Instruction:
    """A third issuer."""
    return type(world.alpha)(world.chain, "third").initialize()


def propose_admin(world: World) -> Instruction:
    """A newcomer."""
    return world.alpha.propose_admin(NEWCOMER)


def accept_admin(world: World) -> Instruction:
    """The newcomer, after the delay."""
    world.chain.send(world.alpha.propose_admin(NEWCOMER))
    world.chain.warp(world.alpha.delay)
    return world.alpha.accept_admin(NEWCOMER)


def grant_role(world: World) -> Instruction:
    """A newcomer becomes an operator."""
    return world.alpha.grant_role(RoleKind.OPERATOR, NEWCOMER)


def revoke_role(world: World) -> Instruction:
    """The second operator."""
    return world.alpha.revoke_role(RoleKind.OPERATOR, 2)


def veto(world: World) -> Instruction:
    """Of a limit that would be loosened: the variant that names the most accounts."""
    world.chain.send(world.acme.set_limit(mint_cap=10**13))
    return world.alpha.veto(security=world.acme.address, limit=world.acme.limit())


def veto_own_removal(world: World) -> Instruction:
    """Of a guardian's removal by that guardian, with compliance beside it."""
    world.chain.send(world.alpha.revoke_role(RoleKind.GUARDIAN))
    return world.alpha.veto(role=world.alpha.role(RoleKind.GUARDIAN), **world.alpha.beside(RoleKind.COMPLIANCE))


def list_security(world: World) -> Instruction:
    """A third security."""
    return Security(world.alpha, "GAMMA").list_security()


def set_limit(world: World) -> Instruction:
    """A first limit for the operator of another security."""
    return world.beta.set_limit(operator=world.alpha.key(RoleKind.OPERATOR, 2))


def place_hold(world: World) -> Instruction:
    """Compliance stops transfers."""
    return world.acme.place_hold(1, SCOPE_TRANSFER)


def release_hold(world: World) -> Instruction:
    """The reconciliation key, with compliance beside it: the variant that names the most accounts."""
    world.chain.send(world.acme.place_hold(1, SCOPE_TRANSFER, RoleKind.RECONCILIATION))
    return world.acme.release_hold(1, RoleKind.RECONCILIATION, consent=RoleKind.COMPLIANCE)


def approve_holder(world: World) -> Instruction:
    """A newcomer."""
    return world.alpha.approve_holder(NEWCOMER)


def suspend_holder(world: World) -> Instruction:
    """Alice."""
    return world.alpha.suspend_holder(world.alice)


def attest(world: World) -> Instruction:
    """The second approval, which puts the reserve in force."""
    world.chain.warp(DAY // 2)
    content = world.acme.content(9_000 * ONE)
    world.chain.send(world.acme.attest(content, 1))
    return world.acme.attest(content, 2)


def open_subscription(world: World) -> Instruction:
    """By an operator for Alice: the variant that names the most accounts."""
    alpha = world.alpha
    return world.acme.open_subscription(
        world.alice, "new", 5 * ONE, authority=alpha.key(RoleKind.OPERATOR), role=alpha.role(RoleKind.OPERATOR)
    )


def settle_subscription(world: World) -> Instruction:
    """A part of Alice's order, from a new movement; one whose addresses need as many tries as they do on average."""
    return world.acme.settle_subscription(world.order("open"), Movement("fresh in 2", 30 * ONE))


def cancel_subscription(world: World) -> Instruction:
    """By an operator."""
    return world.acme.cancel_subscription(world.order("open"))


def request_redemption(world: World) -> Instruction:
    """By Alice."""
    return world.acme.request_redemption(world.alice, "new", 7 * ONE)


def accept_redemption(world: World) -> Instruction:
    """Of Alice's."""
    return world.acme.accept_redemption(world.order("requested"))


def settle_redemption(world: World) -> Instruction:
    """A part of Bob's, against a movement that Alice's used a part of."""
    return world.acme.settle_redemption(world.order("accepted", wallet=world.bob), OUT, 8 * ONE)


def cancel_redemption(world: World) -> Instruction:
    """By an operator."""
    return world.acme.cancel_redemption(world.order("requested"))


def withdraw_redemption(world: World) -> Instruction:
    """By Alice, after the deadline."""
    world.chain.warp(DAY + 1)
    return world.acme.withdraw_redemption(world.order("requested"))


def correct_fill(world: World) -> Instruction:
    """Bob's tokens are the inventory that undoes a part of Alice's mint."""
    return world.acme.correct_fill(world.fill(), world.bob, 3 * ONE)


def veto_role(world: World) -> Instruction:
    """Of a role that waits."""
    world.chain.send(world.alpha.grant_role(RoleKind.OPERATOR, NEWCOMER))
    return world.alpha.veto(role=world.alpha.role(RoleKind.OPERATOR, NEWCOMER))


VARIANTS: dict[tuple[str, str], Case] = {
    ("veto", "role"): veto_role,
    ("thaw_account", "holder"): thaw_permissioned,
    ("veto", "cosigner"): veto_own_removal,
    ("veto", "cosigner_role"): veto_own_removal,
}
"""Calls in which an account is there that the usual call of its instruction leaves out."""
CASES: dict[str, Case] = {
    case.__name__: case
    for case in (
        initialize, propose_admin, accept_admin, grant_role, revoke_role, veto, list_security, set_limit, place_hold,
        release_hold, approve_holder, suspend_holder, attest, open_subscription, settle_subscription,
        cancel_subscription, request_redemption, accept_redemption, settle_redemption, cancel_redemption,
        withdraw_redemption, correct_fill,
    )
} | ACTION_CASES | CONTROL_CASES | DISTRIBUTION_CASES | REPORT_CASES  # fmt: skip
assert IN.shares > OUT.shares
