"""What could be passed in an account's place and must not be.

Each substitute is a real account of the same type: another key's, order's, security's, issuer's. `SUBSTITUTES` has the
error for each; what is accepted is in sanctioned.py.
"""

from __future__ import annotations

from action_substitutes import ACTION_SUBSTITUTES
from cases import NEWCOMER
from control_substitutes import CONTROL_SUBSTITUTES
from distribution_substitutes import DISTRIBUTION_SUBSTITUTES
from order_substitutes import ORDER_SUBSTITUTES
from report_substitutes import REPORT_SUBSTITUTES
from substituting import (
    ADMIN_SIGNER,
    ATTESTOR,
    BETA,
    COMPLIANCE,
    COMPLIANCE_2,
    COMPLIANCE_ROLE,
    COMPLIANCE_SIGNER,
    FOREIGN,
    GUARDIAN,
    MINT,
    OPERATOR,
    OTHER_ISSUER,
    PUBLISHER,
    RECONCILIATION,
    SEEDS,
    STRANGER,
    Substitute,
    first,
    held,
    instead,
    lookalike,
    other,
    role_attacks,
    with_hold,
    with_limit,
)
from tallystick.program.addresses import program_data_address
from tallystick.program.generated.types import RoleKind
from world import SCOPE_MINT

SIBLINGS: dict[tuple[str, str], list[Substitute]] = {
    (instruction, f"{kind.name.lower()}_role"): [
        other("of another key", SEEDS, lambda world, kind=kind: world.alpha.role(kind)),  # type: ignore[misc]
        other("of another issuer", SEEDS, lambda world, kind=kind: world.omega.role(kind, NEWCOMER)),  # type: ignore[misc]
    ]
    for instruction in ("grant_role", "accept_admin")
    for kind in (ATTESTOR, OPERATOR, COMPLIANCE, RoleKind.CORPORATE_ACTIONS, GUARDIAN)
}

ELSEWHERE = ORDER_SUBSTITUTES | ACTION_SUBSTITUTES | CONTROL_SUBSTITUTES | DISTRIBUTION_SUBSTITUTES | REPORT_SUBSTITUTES
SUBSTITUTES: dict[tuple[str, str], list[Substitute]] = SIBLINGS | ELSEWHERE | {
    ("initialize", "admin"): [other("another admin", SEEDS, STRANGER)],
    ("initialize", "upgrade_authority"): [
        other("a stranger", "NotUpgradeAuthority", STRANGER),
        other("the admin of an issuer", "NotUpgradeAuthority", lambda world: world.alpha.admin),
    ],
    ("initialize", "program_data"): [
        other("a look-alike", SEEDS, lookalike(lambda world: program_data_address())),
    ],
    ("initialize", "issuer"): [other("an issuer that exists", SEEDS, lambda world: world.alpha.address)],
    ("initialize", "guardian_role"): [
        other("a role that exists", SEEDS, lambda world: world.alpha.role(GUARDIAN)),
    ],
    ("propose_admin", "admin"): ADMIN_SIGNER,
    ("propose_admin", "issuer"): [other("another issuer", "NotAdmin", OTHER_ISSUER)],
    ("accept_admin", "pending_admin"): [
        other("a stranger", "NotPendingAdmin", STRANGER),
        other("the admin in office", "NotPendingAdmin", lambda world: world.alpha.admin),
    ],
    ("accept_admin", "issuer"): [other("another issuer", "NotPendingAdmin", OTHER_ISSUER)],
    ("grant_role", "admin"): ADMIN_SIGNER,
    ("grant_role", "issuer"): [other("another issuer", SEEDS, OTHER_ISSUER)],
    ("grant_role", "role"): [
        other("of another key", SEEDS, lambda world: world.alpha.role(OPERATOR, 2)),
        other("of another kind", SEEDS, lambda world: world.alpha.role(COMPLIANCE, NEWCOMER)),
        other("of another issuer", SEEDS, lambda world: world.omega.role(OPERATOR, NEWCOMER)),
    ],
    ("revoke_role", "admin"): ADMIN_SIGNER,
    ("revoke_role", "issuer"): [other("another issuer", "NotAdmin", OTHER_ISSUER)],
    ("revoke_role", "role"): [
        other("of another issuer", "RoleOfAnotherIssuer", lambda world: world.omega.role(OPERATOR)),
    ],
    ("veto", "guardian"): [
        other("a stranger", "RoleOfAnotherHolder", STRANGER),
        other("the admin", "RoleOfAnotherHolder", lambda world: world.alpha.admin),
        other("another guardian", "RoleOfAnotherHolder", lambda world: world.alpha.key(GUARDIAN, 2)),
    ],
    ("veto", "guardian_role"): [
        other("of another holder", "RoleOfAnotherHolder", lambda world: world.alpha.role(GUARDIAN, 2)),
        other("of another kind", "RoleOfAnotherKind", lambda world: world.alpha.role(COMPLIANCE)),
        other("of another issuer", "RoleOfAnotherIssuer", lambda world: world.omega.role(GUARDIAN)),
    ],
    ("veto", "issuer"): [other("another issuer", "RoleOfAnotherIssuer", OTHER_ISSUER)],
    ("veto", "role"): [
        other("of another issuer", "RoleOfAnotherIssuer", lambda world: world.omega.role(OPERATOR)),
        other("in force already", "NothingToVeto", lambda world: world.alpha.role(OPERATOR)),
    ],
    ("veto", "security"): [
        other("of another issuer", "SecurityOfAnotherIssuer", FOREIGN),
        other("another security", "AccountOfAnotherSecurity", BETA),
    ],
    ("veto", "cosigner"): [
        other("a stranger", "GuardianNeedsCompliance", STRANGER),
        other("another compliance key", "GuardianNeedsCompliance", COMPLIANCE_2),
        other("another guardian", "GuardianNeedsCompliance", lambda world: world.alpha.key(GUARDIAN, 2)),
    ],
    ("veto", "cosigner_role"): [
        other("of another holder", "GuardianNeedsCompliance", lambda world: world.alpha.role(COMPLIANCE, 2)),
        other("of another kind", "GuardianNeedsCompliance", lambda world: world.alpha.role(GUARDIAN, 2)),
        other("of another issuer", "RoleOfAnotherIssuer", lambda world: world.omega.role(COMPLIANCE)),
    ],
    ("veto", "limit"): [
        other("of another security", "AccountOfAnotherSecurity", lambda world: world.beta.limit()),
        other("in force already", "NothingToVeto", lambda world: world.acme.limit(world.alpha.key(OPERATOR, 2))),
    ],
    ("list_security", "admin"): ADMIN_SIGNER,
    ("list_security", "issuer"): [other("another issuer", "NotAdmin", OTHER_ISSUER)],
    ("list_security", "security"): [other("one that exists", SEEDS, lambda world: world.acme.address)],
    ("list_security", "mint"): [other("one that exists", SEEDS, lambda world: world.acme.mint)],
    ("list_security", "escrow"): [
        other("of another security", "WrongEscrow", lambda world: world.acme.escrow),
        other("a holder's account", "WrongEscrow", lambda world: world.acme.tokens(world.alice)),
    ],
    ("set_limit", "admin"): ADMIN_SIGNER,
    ("set_limit", "issuer"): [other("another issuer", "NotAdmin", OTHER_ISSUER)],
    ("set_limit", "security"): [
        other("another security", SEEDS, lambda world: world.acme.address),
        other("of another issuer", SEEDS, FOREIGN),
        with_limit("of another issuer, with its limit", "SecurityOfAnotherIssuer", FOREIGN),
    ],
    ("set_limit", "limit"): [
        other("of another operator", SEEDS, lambda world: world.beta.limit()),
        other("of another security", SEEDS, lambda world: world.acme.limit(world.alpha.key(OPERATOR, 2))),
    ],
    ("place_hold", "owner"): [
        other("another compliance key", SEEDS, COMPLIANCE_2),
        with_hold("a stranger, with its hold", "RoleOfAnotherHolder", STRANGER),
        with_hold("another compliance key, with its hold", "RoleOfAnotherHolder", COMPLIANCE_2),
    ],
    ("place_hold", "role"): [
        each for each in role_attacks(COMPLIANCE, OPERATOR) if each[1] != "RoleOfAnotherKind"
    ]
    + [
        other("of another kind and holder", "RoleOfAnotherHolder", lambda world: world.alpha.role(ATTESTOR)),
        other("of a kind that may not hold", "RoleCannotHold", PUBLISHER),
    ],
    ("place_hold", "security"): [
        other("another security", SEEDS, BETA),
        other("of another issuer", SEEDS, FOREIGN),
        instead("of another issuer throughout", "RoleOfAnotherIssuer", lambda world: world.foreign.place_hold(
            1, SCOPE_MINT, owner=world.alpha.key(COMPLIANCE), role=world.alpha.role(COMPLIANCE),
            hold=world.foreign.hold(world.alpha.key(COMPLIANCE), 1))),
    ],
    ("place_hold", "hold"): [
        other("of another owner", SEEDS, lambda world: world.acme.hold(world.alpha.key(COMPLIANCE, 2), 1)),
        other("of another security", SEEDS, lambda world: world.beta.hold(world.alpha.key(COMPLIANCE), 1)),
    ],
    ("place_hold", "mint"): MINT,
    ("release_hold", "authority"): [
        other("a stranger", "NotHoldOwner", STRANGER),
        other("the cosigner's colleague", "NotHoldOwner", COMPLIANCE_2),
        other("the admin", "NotHoldOwner", lambda world: world.alpha.admin),
    ],
    ("release_hold", "issuer"): [other("another issuer", "SecurityOfAnotherIssuer", OTHER_ISSUER)],
    ("release_hold", "security"): [
        other("another security", "MintOfAnotherSecurity", BETA),
        other("of another issuer", "SecurityOfAnotherIssuer", FOREIGN),
        instead("of another issuer, with its mint", "SecurityOfAnotherIssuer", lambda world: world.acme.release_hold(
            1, RECONCILIATION, COMPLIANCE, security=world.foreign.address, mint=world.foreign.mint)),
    ],
    ("release_hold", "hold"): [
        other("of another owner", "RoleOfAnotherHolder", lambda world: held(world, world.acme, 2)),
        other("of another security", "AccountOfAnotherSecurity", lambda world: held(world, world.beta, 1)),
    ],
    ("release_hold", "owner_role"): [
        other("of another holder", "RoleOfAnotherHolder", lambda world: world.alpha.role(RECONCILIATION, 2)),
        other("of another kind", "RoleOfAnotherKind", lambda world: world.alpha.role(COMPLIANCE)),
        other("of another issuer", "RoleOfAnotherIssuer", lambda world: world.omega.role(RECONCILIATION)),
    ],
    ("release_hold", "cosigner"): [
        other("a stranger", "ComplianceMissing", STRANGER),
        other("another compliance key", "ComplianceMissing", COMPLIANCE_2),
    ],
    ("release_hold", "cosigner_role"): [
        other("of another holder", "ComplianceMissing", lambda world: world.alpha.role(COMPLIANCE, 2)),
        other("of another kind", "ComplianceMissing", lambda world: world.alpha.role(GUARDIAN)),
        other("of another issuer", "RoleOfAnotherIssuer", lambda world: world.omega.role(COMPLIANCE)),
        first("revoked", "ComplianceMissing", lambda world: world.chain.send(world.alpha.revoke_role(COMPLIANCE))),
    ],
    ("release_hold", "mint"): MINT,
    ("approve_holder", "compliance"): COMPLIANCE_SIGNER,
    ("approve_holder", "role"): COMPLIANCE_ROLE,
    ("approve_holder", "issuer"): [other("another issuer", SEEDS, OTHER_ISSUER)],
    ("approve_holder", "holder"): [
        other("of another wallet", SEEDS, lambda world: world.alpha.holder(world.alice)),
        other("of another issuer", SEEDS, lambda world: world.omega.holder(NEWCOMER)),
    ],
    ("suspend_holder", "compliance"): COMPLIANCE_SIGNER,
    ("suspend_holder", "role"): COMPLIANCE_ROLE,
    ("suspend_holder", "issuer"): [other("another issuer", "RoleOfAnotherIssuer", OTHER_ISSUER)],
    ("suspend_holder", "holder"): [
        other("of another issuer", "WrongHolderRecord", lambda world: world.omega.holder(world.alice)),
    ],
    ("attest", "attestor"): [
        other("a stranger", "RoleOfAnotherHolder", STRANGER),
        other("another attestor", "RoleOfAnotherHolder", lambda world: world.alpha.key(ATTESTOR, 3)),
    ],
    ("attest", "role"): role_attacks(ATTESTOR, OPERATOR),
    ("attest", "issuer"): [other("another issuer", "RoleOfAnotherIssuer", OTHER_ISSUER)],
    ("attest", "security"): [
        other("another security", SEEDS, BETA),
        other("of another issuer", SEEDS, FOREIGN),
        instead("of another issuer throughout", "SecurityOfAnotherIssuer", lambda world: world.foreign.attest(
            world.foreign.content(5), attestor=world.alpha.key(ATTESTOR), role=world.alpha.role(ATTESTOR),
            issuer=world.alpha.address)),
    ],
    ("attest", "attestation"): [
        other("the one in force", SEEDS, lambda world: world.acme.state.attestation),
        other("of another security", SEEDS, lambda world: world.beta.state.attestation),
    ],
}  # fmt: skip
