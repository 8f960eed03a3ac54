"""How an account is substituted, and the substitutes that several instructions share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chain_in_process import key, with_account
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from tallystick.program import addresses
from tallystick.program.generated.instructions import INSTRUCTIONS
from tallystick.program.generated.types import RoleKind
from tallystick.program.layout import InstructionLayout
from world import IN, SCOPE_MINT, Security, World, copy_to

PUBLISHER_KIND = RoleKind.PUBLISHER
Run = Callable[[World, Instruction, int], Instruction]
Pick = Callable[[World], Pubkey]
Substitute = tuple[str, str, Run]
OPERATOR, COMPLIANCE, ATTESTOR, GUARDIAN, RECONCILIATION = (
    RoleKind.OPERATOR, RoleKind.COMPLIANCE, RoleKind.ATTESTOR, RoleKind.GUARDIAN, RoleKind.RECONCILIATION,
)  # fmt: skip


def other(name: str, expected: str, pick: Pick) -> Substitute:
    """Another account in the place."""

    def run(world: World, call: Instruction, index: int) -> Instruction:
        return with_account(call, index, pubkey=pick(world))

    return name, expected, run


def first(name: str, expected: str, prepare: Callable[[World], object]) -> Substitute:
    """Something happens first; the call stays the same."""

    def run(world: World, call: Instruction, index: int) -> Instruction:
        prepare(world)
        return call

    return name, expected, run


def instead(name: str, expected: str, make: Callable[[World], Instruction]) -> Substitute:
    """The same call, made for another security or issuer throughout, but for the one role that acts."""
    return name, expected, lambda world, call, index: make(world)


def as_alpha(world: World) -> dict[str, Any]:
    """The acting operator of the first issuer, where another's is expected."""
    return {"operator": world.alpha.key(OPERATOR), "role": world.alpha.role(OPERATOR)}


def lookalike(source: Pick) -> Pick:
    """The same bytes and owner at an address of the attacker's."""

    def pick(world: World) -> Pubkey:
        found = world.chain.find(source(world))
        assert found is not None
        return copy_to(world.chain, source(world), key("look-alike"), found.owner)

    return pick


def with_derived(index_after: str, derive: Callable[[World, Instruction, Pubkey], Pubkey]) -> Callable[..., Substitute]:
    """Another account in the place, and what is derived from it in its own: the address checks pass."""

    def make(name: str, expected: str, pick: Pick) -> Substitute:
        def run(world: World, call: Instruction, index: int) -> Instruction:
            picked = pick(world)
            names = [each.name for each in layout_of(call).accounts]
            changed = with_account(call, index, pubkey=picked)
            return with_account(changed, names.index(index_after), pubkey=derive(world, call, picked))

        return name, expected, run

    return make


def layout_of(call: Instruction) -> InstructionLayout:
    """Which instruction a call is."""
    return next(each for each in INSTRUCTIONS.values() if bytes(call.data).startswith(each.discriminator))


def _fill_of(world: World, call: Instruction, order: Pubkey) -> Pubkey:
    names = [each.name for each in layout_of(call).accounts]
    return addresses.fill_address(call.accounts[names.index("movement")].pubkey, order)


def correction(fill: Pubkey, number: int) -> Pubkey:
    """Address of a correction."""
    return addresses.correction_address(fill, number)


with_fill = with_derived("fill", _fill_of)
with_hold = with_derived("hold", lambda world, call, owner: world.acme.hold(owner, 1))
with_limit = with_derived("limit", lambda world, call, security: world.foreign.limit(world.alpha.key(OPERATOR, 2)))
with_correction = with_derived("correction", lambda world, call, fill: correction(fill, 0))


def publisher(world: World, wallet: Pubkey) -> Pubkey:
    """A role that may not place holds, of a key that has one that may."""
    world.chain.send(world.alpha.grant_role(RoleKind.PUBLISHER, wallet))
    world.chain.warp(world.alpha.delay)
    return world.alpha.role(RoleKind.PUBLISHER, wallet)


def held(world: World, security: Security, number: int) -> Pubkey:
    """Another hold: of the numbered reconciliation key on a security."""
    owner, role = world.alpha.key(RECONCILIATION, number), world.alpha.role(RECONCILIATION, number)
    world.chain.send(security.place_hold(9, SCOPE_MINT, RECONCILIATION, owner=owner, role=role))
    return security.hold(owner, 9)


def role_attacks(kind: RoleKind, another: RoleKind, number: int = 1) -> list[Substitute]:
    """Everything wrong with the role account of the numbered key."""

    another_number = 3 if kind is ATTESTOR else 3 - number
    beside = RECONCILIATION if kind is PUBLISHER_KIND else PUBLISHER_KIND

    def granted_abroad(world: World) -> Pubkey:
        world.chain.send(world.omega.grant_role(kind, world.alpha.key(kind, number)))
        world.chain.warp(world.omega.delay)
        return world.omega.role(kind, world.alpha.key(kind, number))

    def granted_beside(world: World) -> Pubkey:
        world.chain.send(world.alpha.grant_role(beside, world.alpha.key(kind, number)))
        world.chain.warp(world.alpha.delay)
        return world.alpha.role(beside, world.alpha.key(kind, number))

    def revoke(world: World) -> None:
        world.chain.send(world.alpha.revoke_role(kind, 2 if kind is ATTESTOR else number))

    def grant_again(world: World) -> None:
        revoke(world)
        world.chain.warp(1)
        world.chain.send(world.alpha.grant_role(kind, 2 if kind is ATTESTOR else number))

    return [
        other("of another holder", "RoleOfAnotherHolder", lambda world: world.alpha.role(kind, another_number)),
        other("of another kind and holder", "RoleOfAnotherKind", lambda world: world.alpha.role(another)),
        other("of another kind of the same holder", "RoleOfAnotherKind", granted_beside),
        other("of another issuer for the same holder", "RoleOfAnotherIssuer", granted_abroad),
        first("revoked", "RoleNotInForce", revoke),
        first("granted and not yet in force", "RoleNotInForce", grant_again),
    ]  # fmt: skip


COMPLIANCE_2: Pick = lambda world: world.alpha.key(COMPLIANCE, 2)  # noqa: E731
OPERATOR_2: Pick = lambda world: world.alpha.key(OPERATOR, 2)  # noqa: E731
BOBS_OPEN: Pick = lambda world: world.order("open", wallet=world.bob)  # noqa: E731
BOBS_REQUESTED: Pick = lambda world: world.order("requested", wallet=world.bob)  # noqa: E731
OPEN_IN_BETA: Pick = lambda world: world.order("open", world.beta)  # noqa: E731
BOBS_IN_BETA: Pick = lambda world: world.order("accepted", world.beta, world.bob)  # noqa: E731
FILL_IN_BETA: Pick = lambda world: world.beta.fill(IN, world.order("filled", world.beta))  # noqa: E731
PUBLISHER: Pick = lambda world: publisher(world, world.alpha.key(COMPLIANCE))  # noqa: E731
STRANGER: Pick = lambda world: world.stranger  # noqa: E731
OPERATOR_ROLE = role_attacks(OPERATOR, COMPLIANCE)
COMPLIANCE_ROLE = role_attacks(COMPLIANCE, OPERATOR)
OPERATOR_SIGNER = [
    other("a stranger", "RoleOfAnotherHolder", STRANGER),
    other("another operator", "RoleOfAnotherHolder", OPERATOR_2),
    other("the admin", "RoleOfAnotherHolder", lambda world: world.alpha.admin),
]
COMPLIANCE_SIGNER = [
    other("a stranger", "RoleOfAnotherHolder", STRANGER),
    other("another compliance key", "RoleOfAnotherHolder", COMPLIANCE_2),
    other("the admin", "RoleOfAnotherHolder", lambda world: world.alpha.admin),
]
ADMIN_SIGNER = [
    other("a stranger", "NotAdmin", STRANGER),
    other("another issuer's admin", "NotAdmin", lambda world: world.omega.admin),
    other("the guardian", "NotAdmin", lambda world: world.alpha.key(GUARDIAN)),
]
OTHER_ISSUER: Pick = lambda world: world.omega.address  # noqa: E731
BETA: Pick = lambda world: world.beta.address  # noqa: E731
FOREIGN: Pick = lambda world: world.foreign.address  # noqa: E731


def order_attacks(state: str, *, wrong_kind: str) -> list[Substitute]:
    """Orders that are not the one; `wrong_kind` is the name of one of the other kind."""
    return [
        other("of another security", "AccountOfAnotherSecurity", lambda world: world.order(state, world.beta)),
        other("of another issuer", "AccountOfAnotherSecurity", lambda world: world.order(state, world.foreign)),
        other("of another kind", "OrderOfWrongKind", lambda world: world.order(wrong_kind)),
    ]  # fmt: skip


def suspend(world: World, wallet: Pubkey) -> None:
    """Compliance suspends a holder."""
    world.chain.send(world.alpha.suspend_holder(wallet))


def holder_attacks(wallet: Callable[[World], Pubkey]) -> list[Substitute]:
    """Records that are not the order's holder's, and states in which it may not order."""
    another: Pick = lambda world: world.alpha.holder(world.bob if wallet(world) == world.alice else world.alice)  # noqa: E731
    return [
        other("of another wallet", "WrongHolderRecord", another),
        other("of another issuer", "WrongHolderRecord", lambda world: world.omega.holder(wallet(world))),
        first(
            "suspended", "HolderSuspended", lambda world: world.chain.send(world.alpha.suspend_holder(wallet(world)))
        ),
        first(
            "of another class",
            "HolderOfWrongClass",
            lambda world: world.chain.send(world.alpha.approve_holder(wallet(world), classes=0b10)),
        ),
    ]


def token_attacks(wallet: Callable[[World], Pubkey]) -> list[Substitute]:
    """Token accounts that are not the holder's of this mint."""
    another: Pick = lambda world: world.acme.tokens(world.bob if wallet(world) == world.alice else world.alice)  # noqa: E731
    return [
        other("of another holder", "WrongTokenAccount", another),
        other("of a stranger", "WrongTokenAccount", lambda world: world.acme.tokens(world.stranger)),
        other("of another mint", "WrongTokenAccount", lambda world: world.beta.tokens(wallet(world))),
        other("the escrow", "WrongTokenAccount", lambda world: world.acme.escrow),
    ]


ALICE: Pick = lambda world: world.alice  # noqa: E731
BOB: Pick = lambda world: world.bob  # noqa: E731
MINT = [
    other("of another security", "MintOfAnotherSecurity", lambda world: world.beta.mint),
    other("a look-alike", "MintOfAnotherSecurity", lookalike(lambda world: world.acme.mint)),
]
ESCROW = [
    other("of another security", "WrongEscrow", lambda world: world.beta.escrow),
    other("a holder's account", "WrongEscrow", lambda world: world.acme.tokens(world.stranger)),
    other("a look-alike", "WrongEscrow", lookalike(lambda world: world.acme.escrow)),
]
LIMIT = [
    other("of another operator", "RoleOfAnotherHolder", lambda world: world.acme.limit(world.alpha.key(OPERATOR, 2))),
    other("of another security", "AccountOfAnotherSecurity", lambda world: world.beta.limit()),
    other("of another issuer's security", "AccountOfAnotherSecurity", lambda world: world.foreign.limit()),
]
SEEDS = "ConstraintSeeds"
