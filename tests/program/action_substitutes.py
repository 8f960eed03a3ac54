"""What could be passed in an account's place where corporate actions are announced and carried out."""

from __future__ import annotations

from actions import CORPORATE_ACTIONS, Action, dividend, split
from solders.pubkey import Pubkey
from substituting import (
    BETA,
    FOREIGN,
    MINT,
    OPERATOR,
    SEEDS,
    STRANGER,
    Substitute,
    first,
    instead,
    other,
    role_attacks,
)
from world import Security, World


def _signer(number: int) -> list[Substitute]:
    """Keys that are not the numbered one of corporate actions."""
    return [
        other("a stranger", "RoleOfAnotherHolder", STRANGER),
        other("another corporate actions key", "RoleOfAnotherHolder",
              lambda world: world.alpha.key(CORPORATE_ACTIONS, 3 - number)),
        other("the admin", "RoleOfAnotherHolder", lambda world: world.alpha.admin),
    ]  # fmt: skip


def _announced(security: Security) -> Pubkey:
    """Another event of a security."""
    return split(security, 2).do_announce().address


def _other_event(security: Security, made: Action) -> Pubkey:
    """Another event of a security, as far as its second key takes it."""
    return Action(security, made.kind, made.terms, event="EVENT 2").do_approve().address


def _revoke_approver(world: World) -> None:
    world.chain.send(world.alpha.revoke_role(CORPORATE_ACTIONS, 2))


def _grant_approver_again(world: World) -> None:
    _revoke_approver(world)
    world.chain.warp(1)
    world.chain.send(world.alpha.grant_role(CORPORATE_ACTIONS, 2))
    world.chain.warp(world.alpha.delay)


ROLE_1 = role_attacks(CORPORATE_ACTIONS, OPERATOR)
ROLE_2 = role_attacks(CORPORATE_ACTIONS, OPERATOR, number=2)
APPROVER_ROLE = [
    other("of another holder", "ApprovalNotLive", lambda world: world.alpha.role(CORPORATE_ACTIONS, 1)),
    other("of another kind", "RoleOfAnotherKind", lambda world: world.alpha.role(OPERATOR)),
    other("of another issuer", "RoleOfAnotherIssuer", lambda world: world.omega.role(CORPORATE_ACTIONS)),
    first("revoked", "ApprovalNotLive", _revoke_approver),
    first("revoked and granted again since", "ApprovalNotLive", _grant_approver_again),
]
IN_BETA = [
    other("of another security", "AccountOfAnotherSecurity", lambda world: _announced(world.beta)),
]
WITH_MINT = [
    other("another security", "MintOfAnotherSecurity", BETA),
    other("of another issuer", "RoleOfAnotherIssuer", FOREIGN),
]


def _alpha_executes(action: Action) -> dict[str, Pubkey]:
    """Both roles of the first issuer, where another's are expected."""
    alpha = action.security.issuer
    return {"role": alpha.role(CORPORATE_ACTIONS), "approver_role": alpha.role(CORPORATE_ACTIONS, 2)}


ACTION_SUBSTITUTES: dict[tuple[str, str], list[Substitute]] = {
    ("announce_action", "announcer"): _signer(1),
    ("announce_action", "role"): ROLE_1,
    ("announce_action", "security"): [
        other("another security", SEEDS, BETA),
        other("of another issuer", SEEDS, FOREIGN),
        instead("of another issuer throughout", "RoleOfAnotherIssuer", lambda world: split(world.foreign, 2).announce(
            announcer=world.alpha.key(CORPORATE_ACTIONS), role=world.alpha.role(CORPORATE_ACTIONS))),
    ],
    ("announce_action", "action"): [
        other("the version before", SEEDS, lambda world: split(world.acme, 2).address),
        other("a version later", SEEDS, lambda world: split(world.acme, 2).next().next().address),
        other("of another security", SEEDS, lambda world: split(world.beta, 2).next().address),
        other("of another event", SEEDS, lambda world: Action(
            world.acme, split(world.acme, 2).kind, split(world.acme, 2).terms, "EVENT 2", 2).address),
    ],
    ("announce_action", "replaced"): [
        *IN_BETA,
        other("of another event", "WrongActionVersion",
              lambda world: _other_event(world.acme, split(world.acme, 2))),
    ],
    ("approve_action", "approver"): _signer(2),
    ("approve_action", "role"): ROLE_2,
    ("approve_action", "security"): [
        other("another security", "AccountOfAnotherSecurity", BETA),
        other("of another issuer", "RoleOfAnotherIssuer", FOREIGN),
        instead("of another issuer throughout", "RoleOfAnotherIssuer",
                lambda world: split(world.foreign, 2).do_announce().approve(
                    approver=world.alpha.key(CORPORATE_ACTIONS), role=world.alpha.role(CORPORATE_ACTIONS))),
    ],
    ("approve_action", "action"): [
        *IN_BETA,
        other("approved already", "ActionNotAnnounced",
              lambda world: _other_event(world.acme, split(world.acme, 2))),
    ],
    ("execute_action", "executor"): _signer(1),
    ("execute_action", "role"): ROLE_1,
    ("execute_action", "approver_role"): APPROVER_ROLE,
    ("execute_action", "security"): [
        *WITH_MINT,
        instead("of another issuer throughout", "RoleOfAnotherIssuer",
                lambda world: split(world.foreign, 2).do_announce().execute(
                    executor=world.alpha.key(CORPORATE_ACTIONS), **_alpha_executes(split(world.acme, 2)))),
    ],
    ("execute_action", "action"): [
        *IN_BETA,
        other("that pays cash", "ActionOfWrongKind", lambda world: _other_event(world.acme, dividend(world.acme))),
    ],
    ("execute_action", "mint"): MINT,
    ("cancel_action", "authority"): _signer(1),
    ("cancel_action", "role"): ROLE_1,
    ("cancel_action", "security"): [
        *WITH_MINT,
        instead("of another issuer throughout", "RoleOfAnotherIssuer",
                lambda world: split(world.foreign, 2).do_announce().cancel(
                    authority=world.alpha.key(CORPORATE_ACTIONS), role=world.alpha.role(CORPORATE_ACTIONS))),
    ],
    ("cancel_action", "action"): IN_BETA,
    ("cancel_action", "mint"): MINT,
    ("retire_security", "executor"): _signer(1),
    ("retire_security", "role"): ROLE_1,
    ("retire_security", "approver_role"): APPROVER_ROLE,
    ("retire_security", "security"): [
        other("another security", "AccountOfAnotherSecurity", BETA),
        other("of another issuer", "RoleOfAnotherIssuer", FOREIGN),
    ],
    ("retire_security", "action"): [
        *IN_BETA,
        other("a split", "ActionOfWrongKind", lambda world: _other_event(world.acme, split(world.acme, 2))),
    ],
}  # fmt: skip
