"""What could be passed in an account's place where a security or a holding is controlled, and the error for it."""

from __future__ import annotations

from control import Control
from control_cases import NEW_WALLET
from substituting import (
    ADMIN_SIGNER,
    BETA,
    COMPLIANCE,
    COMPLIANCE_ROLE,
    COMPLIANCE_SIGNER,
    FOREIGN,
    MINT,
    OPERATOR,
    OTHER_ISSUER,
    SEEDS,
    STRANGER,
    Substitute,
    instead,
    lookalike,
    other,
    role_attacks,
)
from world import ONE, World


def acting(world: World) -> dict[str, object]:
    """The first issuer's compliance, where another issuer's is expected."""
    return {"compliance": world.alpha.key(COMPLIANCE), "role": world.alpha.role(COMPLIANCE)}


OF_ADMIN = [
    other("of another issuer", "SecurityOfAnotherIssuer", FOREIGN),
]
SECOND_ROLE = role_attacks(COMPLIANCE, OPERATOR, 2)
BOBS_OF_ACME = other("of another wallet", "WrongWallet", lambda world: world.acme.tokens(world.bob))
OF_ANOTHER_MINT = other("of another mint", "WrongTokenAccount", lambda world: world.beta.tokens(world.alice))
THE_ESCROW = other("the escrow", "WrongWallet", lambda world: world.acme.escrow)

CONTROL_SUBSTITUTES: dict[tuple[str, str], list[Substitute]] = {
    **{(name, "admin"): ADMIN_SIGNER for name in (
        "update_policy", "name_seizure_account", "announce_metadata", "update_metadata")},
    **{(name, "issuer"): [other("another issuer", "NotAdmin", OTHER_ISSUER)] for name in (
        "update_policy", "name_seizure_account", "announce_metadata", "update_metadata")},
    ("update_policy", "security"): OF_ADMIN,
    ("announce_metadata", "security"): OF_ADMIN,
    ("name_seizure_account", "security"): [*OF_ADMIN, other("another security", "WrongTokenAccount", BETA)],
    ("name_seizure_account", "seizure_account"): [
        OF_ANOTHER_MINT,
        BOBS_OF_ACME,
        THE_ESCROW,
        other("a look-alike of another wallet's", "WrongWallet", lookalike(lambda world: world.acme.tokens(world.bob))),
    ],
    ("name_seizure_account", "wallet"): [other("another wallet", "WrongWallet", STRANGER)],
    ("update_metadata", "security"): [*OF_ADMIN, other("another security", "MintOfAnotherSecurity", BETA)],
    ("update_metadata", "mint"): MINT,
    ("freeze_account", "compliance"): COMPLIANCE_SIGNER,
    ("freeze_account", "role"): COMPLIANCE_ROLE,
    ("freeze_account", "security"): [
        other("another security", "MintOfAnotherSecurity", BETA),
        other("of another issuer", "RoleOfAnotherIssuer", FOREIGN),
        instead("of another issuer throughout", "RoleOfAnotherIssuer", lambda world: Control(
            world.foreign).freeze_account(world.alice, **acting(world))),
    ],
    ("freeze_account", "mint"): MINT,
    ("freeze_account", "token_account"): [OF_ANOTHER_MINT, BOBS_OF_ACME, THE_ESCROW],
    ("freeze_account", "wallet"): [
        other("another wallet", "WrongWallet", STRANGER),
        instead("the security, with its escrow", "OwnedByProgram", lambda world: Control(
            world.acme).freeze_account(world.acme.address)),
    ],
    ("thaw_account", "compliance"): COMPLIANCE_SIGNER,
    ("thaw_account", "role"): COMPLIANCE_ROLE,
    ("thaw_account", "security"): [
        other("another security", "MintOfAnotherSecurity", BETA),
        other("of another issuer", "RoleOfAnotherIssuer", FOREIGN),
        instead("of another issuer throughout", "RoleOfAnotherIssuer", lambda world: Control(
            world.foreign).thaw_account(world.alice, **acting(world))),
    ],
    ("thaw_account", "mint"): MINT,
    ("thaw_account", "token_account"): [OF_ANOTHER_MINT, BOBS_OF_ACME, THE_ESCROW],
    ("thaw_account", "wallet"): [
        other("another wallet", "WrongWallet", STRANGER),
        instead("the security, with its escrow", "OwnedByProgram", lambda world: Control(
            world.acme).thaw_account(world.acme.address)),
    ],
    ("thaw_account", "holder"): [
        other("of another wallet", SEEDS, lambda world: world.alpha.holder(world.bob)),
        other("of another issuer", SEEDS, lambda world: world.omega.holder(world.alice)),
    ],
    ("propose_seizure", "compliance"): COMPLIANCE_SIGNER,
    ("propose_seizure", "role"): COMPLIANCE_ROLE,
    ("propose_seizure", "security"): [
        other("another security", SEEDS, BETA),
        other("of another issuer", SEEDS, FOREIGN),
        instead("of another issuer throughout", "RoleOfAnotherIssuer", lambda world: Control(
            world.foreign).propose_seizure(world.alice, ONE, **acting(world))),
    ],
    ("propose_seizure", "source"): [
        other("of another wallet", SEEDS, lambda world: world.acme.tokens(world.bob)),
        instead("of another wallet, with its seizure", "WrongWallet", lambda world: Control(
            world.acme).propose_seizure(world.alice, ONE, source=world.acme.tokens(world.bob))),
        instead("of another mint, with its seizure", "WrongTokenAccount", lambda world: Control(
            world.acme).propose_seizure(world.alice, ONE, source=world.beta.tokens(world.alice))),
        instead("the escrow, with its seizure", "WrongWallet", lambda world: Control(
            world.acme).propose_seizure(world.alice, ONE, source=world.acme.escrow)),
    ],
    ("propose_seizure", "wallet"): [
        other("another wallet", "WrongWallet", STRANGER),
        instead("the security, with its escrow", "OwnedByProgram", lambda world: Control(
            world.acme).propose_seizure(world.acme.address, ONE)),
    ],
    ("propose_seizure", "seizure"): [
        other("of another number", SEEDS, lambda world: Control(world.acme).seizure(
            world.acme.tokens(world.alice), 2)),
        other("of another account", SEEDS, lambda world: Control(world.acme).seizure(world.acme.tokens(world.bob))),
        other("of another security", SEEDS, lambda world: Control(world.beta).seizure(
            world.acme.tokens(world.alice))),
    ],
    ("seize", "compliance"): [
        other("a stranger", "RoleOfAnotherHolder", STRANGER),
        other("the proposer", "RoleOfAnotherHolder", lambda world: world.alpha.key(COMPLIANCE)),
        instead("the proposer, with its role", "SecondKeyMissing", lambda world: Control(world.acme).seize(
            world.alice, **acting(world))),
    ],
    ("seize", "role"): SECOND_ROLE,
    ("seize", "proposer_role"): COMPLIANCE_ROLE,
    ("seize", "security"): [
        other("another security", "MintOfAnotherSecurity", BETA),
        other("of another issuer", "RoleOfAnotherIssuer", FOREIGN),
    ],
    ("seize", "seizure"): [
        other("of another account", "WrongTokenAccount", lambda world: proposed(world, world.acme, world.bob)),
        other("of another security", "AccountOfAnotherSecurity", lambda world: proposed(
            world, world.beta, world.alice)),
    ],
    ("seize", "mint"): MINT,
    ("seize", "source"): [
        other("of another wallet", "WrongTokenAccount", lambda world: world.acme.tokens(world.bob)),
        OF_ANOTHER_MINT,
        other("the escrow", "WrongTokenAccount", lambda world: world.acme.escrow),
    ],
    ("seize", "wallet"): [other("another wallet", "WrongWallet", STRANGER)],
    ("seize", "destination"): [
        other("of the second key's choice", "WrongSeizureAccount", lambda world: world.acme.tokens(world.stranger)),
        OF_ANOTHER_MINT,
        other("the escrow", "WrongSeizureAccount", lambda world: world.acme.escrow),
    ],
    ("reissue", "compliance"): COMPLIANCE_SIGNER,
    ("reissue", "role"): COMPLIANCE_ROLE,
    ("reissue", "second_compliance"): [
        other("a stranger", "RoleOfAnotherHolder", STRANGER),
        other("the first", "RoleOfAnotherHolder", lambda world: world.alpha.key(COMPLIANCE)),
        instead("the first, with its role", "SecondKeyMissing", lambda world: Control(world.acme).reissue(
            world.alice, NEW_WALLET, second_compliance=world.alpha.key(COMPLIANCE),
            second_role=world.alpha.role(COMPLIANCE))),
    ],
    ("reissue", "second_role"): SECOND_ROLE,
    ("reissue", "security"): [
        other("another security", "MintOfAnotherSecurity", BETA),
        other("of another issuer", "RoleOfAnotherIssuer", FOREIGN),
    ],
    ("reissue", "old_holder"): [
        other("of another wallet", "WrongHolderRecord", lambda world: world.alpha.holder(world.bob)),
        other("of another issuer", "WrongHolderRecord", lambda world: world.omega.holder(world.alice)),
    ],
    ("reissue", "new_holder"): [
        other("of another wallet", "WrongHolderRecord", lambda world: world.alpha.holder(world.bob)),
        other("of another issuer", "WrongHolderRecord", lambda world: world.omega.holder(world.alice)),
    ],
    ("reissue", "mint"): MINT,
    ("reissue", "source"): [
        BOBS_OF_ACME,
        OF_ANOTHER_MINT,
        THE_ESCROW,
    ],
    ("reissue", "old_wallet"): [
        other("another wallet", "WrongHolderRecord", STRANGER),
        instead("the security, with its escrow", "OwnedByProgram", lambda world: of_the_security(world)),
    ],
    ("reissue", "destination"): [
        other("of another wallet", "WrongHolderRecord", lambda world: world.acme.tokens(world.bob)),
        other("of another mint", "WrongHolderRecord", lambda world: world.beta.tokens(world.alice)),
        instead("of another mint of the new wallet", "WrongTokenAccount", lambda world: Control(world.acme).reissue(
            world.alice, NEW_WALLET, destination=new_tokens_in_beta(world))),
        instead("the escrow", "WrongTokenAccount", lambda world: to_the_security(world)),
    ],
}  # fmt: skip


def proposed(world: World, security: object, wallet: object) -> object:
    """Another seizure that was proposed."""
    control = Control(security)  # type: ignore[arg-type]
    world.chain.send(control.propose_seizure(wallet, ONE, 9))  # type: ignore[arg-type]
    return control.seizure(control.security.tokens(wallet), 9)  # type: ignore[arg-type]


def of_the_security(world: World) -> object:
    """A reissue of the escrow, where compliance approved the security itself."""
    world.chain.send(world.alpha.approve_holder(world.acme.address))
    return Control(world.acme).reissue(world.acme.address, NEW_WALLET)


def to_the_security(world: World) -> object:
    """A reissue into the escrow, where compliance approved the security itself."""
    world.chain.send(world.alpha.approve_holder(world.acme.address))
    return Control(world.acme).reissue(world.alice, world.acme.address)


def new_tokens_in_beta(world: World) -> object:
    """The new wallet's token account of another security."""
    world.chain.send(world.beta.create_tokens(NEW_WALLET))
    return world.beta.tokens(NEW_WALLET)
