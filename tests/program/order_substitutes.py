"""What could be passed in an account's place where orders are opened, settled and ended, and the error for it."""

from __future__ import annotations

from substituting import (
    ALICE,
    BETA,
    BOB,
    BOBS_IN_BETA,
    BOBS_OPEN,
    BOBS_REQUESTED,
    ESCROW,
    FILL_IN_BETA,
    FOREIGN,
    LIMIT,
    MINT,
    OPEN_IN_BETA,
    OPERATOR,
    OPERATOR_2,
    OPERATOR_ROLE,
    OPERATOR_SIGNER,
    SEEDS,
    STRANGER,
    Substitute,
    as_alpha,
    correction,
    holder_attacks,
    instead,
    order_attacks,
    other,
    token_attacks,
    with_correction,
    with_fill,
)
from world import IN, OUT, Movement

ORDER_SUBSTITUTES: dict[tuple[str, str], list[Substitute]] = {
    ("open_subscription", "authority"): [
        other("a stranger", "RoleOfAnotherHolder", STRANGER),
        other("another operator", "RoleOfAnotherHolder", OPERATOR_2),
        other("another holder", "RoleOfAnotherHolder", BOB),
    ],
    ("open_subscription", "role"): OPERATOR_ROLE,
    ("open_subscription", "security"): [
        other("another security", SEEDS, BETA),
        other("of another issuer", SEEDS, FOREIGN),
        instead("of another issuer throughout", "RoleOfAnotherIssuer", lambda world: world.foreign.open_subscription(
            world.alice, "new", 5, authority=world.alpha.key(OPERATOR), role=world.alpha.role(OPERATOR))),
    ],
    ("open_subscription", "holder"): [
        other("of another wallet", SEEDS, lambda world: world.alpha.holder(world.bob)),
        other("of another issuer", "WrongHolderRecord", lambda world: world.omega.holder(world.alice)),
        *holder_attacks(ALICE)[2:],
    ],
    ("open_subscription", "order"): [
        other("of another wallet", SEEDS, lambda world: world.order("new", wallet=world.bob)),
        other("of another security", SEEDS, lambda world: world.order("new", world.beta)),
        other("one that exists", SEEDS, lambda world: world.order("open")),
    ],
    ("settle_subscription", "operator"): OPERATOR_SIGNER,
    ("settle_subscription", "role"): OPERATOR_ROLE,
    ("settle_subscription", "security"): [
        other("another security", "AccountOfAnotherSecurity", BETA),
        other("of another issuer", "RoleOfAnotherIssuer", FOREIGN),
        instead("of another issuer throughout", "RoleOfAnotherIssuer", lambda world: world.foreign.settle_subscription(
            world.order("open", world.foreign), Movement("fresh in 2", 30), **as_alpha(world))),
    ],
    ("settle_subscription", "limit"): LIMIT,
    ("settle_subscription", "holder"): holder_attacks(ALICE),
    ("settle_subscription", "order"): [
        other("of another holder", "WrongHolderRecord", BOBS_OPEN),
        other("of another security", "AccountOfAnotherSecurity", OPEN_IN_BETA),
        with_fill("of another holder, with its fill", "WrongHolderRecord", BOBS_OPEN),
        with_fill("of another security, with its fill", "AccountOfAnotherSecurity", OPEN_IN_BETA),
        with_fill("of another kind, with its fill", "OrderOfWrongKind", lambda world: world.order("requested")),
    ],
    ("settle_subscription", "movement"): [
        other("another movement", SEEDS, lambda world: world.acme.movement(IN)),
        other("of another security", SEEDS, lambda world: world.beta.movement(Movement("fresh in 2", 0))),
    ],
    ("settle_subscription", "fill"): [
        other("of another order", SEEDS, lambda world: world.fill()),
        other("of another movement", SEEDS, lambda world: world.acme.fill(IN, world.order("open"))),
    ],
    ("settle_subscription", "mint"): MINT,
    ("settle_subscription", "recipient"): token_attacks(ALICE),
    ("cancel_subscription", "authority"): [
        other("a stranger", "RoleOfAnotherHolder", STRANGER),
        other("another operator", "RoleOfAnotherHolder", OPERATOR_2),
        other("the holder", "RoleOfAnotherHolder", ALICE),
    ],
    ("cancel_subscription", "role"): OPERATOR_ROLE,
    ("cancel_subscription", "security"): [
        other("another security", "AccountOfAnotherSecurity", BETA),
        other("of another issuer", "AccountOfAnotherSecurity", FOREIGN),
    ],
    ("cancel_subscription", "order"): order_attacks("open", wrong_kind="requested"),
    ("request_redemption", "wallet"): [
        other("a stranger", SEEDS, STRANGER),
        other("another holder", SEEDS, BOB),
        other("the operator", SEEDS, lambda world: world.alpha.key(OPERATOR)),
    ],
    ("request_redemption", "security"): [
        other("another security", SEEDS, BETA),
        other("of another issuer", SEEDS, FOREIGN),
        instead("of another issuer throughout", "WrongHolderRecord", lambda world: world.foreign.request_redemption(
            world.alice, "new", 7, holder=world.alpha.holder(world.alice))),
    ],
    ("request_redemption", "holder"): holder_attacks(ALICE),
    ("request_redemption", "order"): [
        other("of another wallet", SEEDS, lambda world: world.order("new", wallet=world.bob)),
        other("one that exists", SEEDS, lambda world: world.order("open")),
    ],
    ("request_redemption", "mint"): MINT,
    ("request_redemption", "source"): token_attacks(ALICE),
    ("request_redemption", "escrow"): ESCROW,
    ("accept_redemption", "operator"): OPERATOR_SIGNER,
    ("accept_redemption", "role"): OPERATOR_ROLE,
    ("accept_redemption", "security"): [
        other("another security", "AccountOfAnotherSecurity", BETA),
        other("of another issuer", "RoleOfAnotherIssuer", FOREIGN),
    ],
    ("accept_redemption", "holder"): holder_attacks(ALICE),
    ("accept_redemption", "order"): [
        *order_attacks("requested", wrong_kind="open"),
        other("of another holder", "WrongHolderRecord", BOBS_REQUESTED),
        other("accepted already", "OrderNotOpen", lambda world: world.order("accepted")),
    ],
    ("settle_redemption", "operator"): OPERATOR_SIGNER,
    ("settle_redemption", "role"): OPERATOR_ROLE,
    ("settle_redemption", "security"): [
        other("another security", "WrongEscrow", BETA),
        other("of another issuer", "RoleOfAnotherIssuer", FOREIGN),
        instead("of another issuer throughout", "RoleOfAnotherIssuer", lambda world: world.foreign.settle_redemption(
            world.order("accepted", world.foreign, world.bob), OUT, 8, **as_alpha(world))),
    ],
    ("settle_redemption", "limit"): LIMIT,
    ("settle_redemption", "holder"): holder_attacks(BOB),
    ("settle_redemption", "order"): [
        other("of another holder", "WrongHolderRecord", lambda world: world.order("accepted")),
        with_fill("of another security, with its fill", "AccountOfAnotherSecurity", BOBS_IN_BETA),
        with_fill("of another kind, with its fill", "OrderOfWrongKind", BOBS_OPEN),
        with_fill("not accepted, with its fill", "OrderNotAccepted", BOBS_REQUESTED),
    ],
    ("settle_redemption", "movement"): [
        other("another movement", SEEDS, lambda world: world.acme.movement(IN)),
        other("of another security", SEEDS, lambda world: world.beta.movement(OUT)),
    ],
    ("settle_redemption", "fill"): [
        other("of another order", SEEDS, lambda world: world.acme.fill(OUT, world.order("accepted"))),
        other("of another movement", SEEDS, lambda world: world.fill(world.bob)),
    ],
    ("settle_redemption", "mint"): MINT,
    ("settle_redemption", "escrow"): ESCROW,
    ("cancel_redemption", "authority"): [
        other("a stranger", "RoleOfAnotherHolder", STRANGER),
        other("another operator", "RoleOfAnotherHolder", OPERATOR_2),
    ],
    ("cancel_redemption", "role"): OPERATOR_ROLE,
    ("cancel_redemption", "security"): [
        other("another security", "WrongEscrow", BETA),
        other("of another issuer", "WrongEscrow", FOREIGN),
    ],
    ("cancel_redemption", "order"): [
        *order_attacks("requested", wrong_kind="open"),
        other("of another holder", "WrongTokenAccount", BOBS_REQUESTED),
    ],
    ("cancel_redemption", "mint"): MINT,
    ("cancel_redemption", "escrow"): ESCROW,
    ("cancel_redemption", "destination"): token_attacks(ALICE),
    ("withdraw_redemption", "wallet"): [
        other("a stranger", "NotHolderNorOperator", STRANGER),
        other("another holder", "NotHolderNorOperator", BOB),
        other("the operator", "NotHolderNorOperator", lambda world: world.alpha.key(OPERATOR)),
    ],
    ("withdraw_redemption", "security"): [
        other("another security", "WrongEscrow", BETA),
        other("of another issuer", "WrongEscrow", FOREIGN),
    ],
    ("withdraw_redemption", "order"): [
        *order_attacks("requested", wrong_kind="open"),
        other("of another holder", "NotHolderNorOperator", BOBS_REQUESTED),
        other("before its deadline", "DeadlineNotPassed", lambda world: world.order("accepted")),
    ],
    ("withdraw_redemption", "mint"): MINT,
    ("withdraw_redemption", "escrow"): ESCROW,
    ("withdraw_redemption", "destination"): token_attacks(ALICE),
    ("correct_fill", "operator"): OPERATOR_SIGNER,
    ("correct_fill", "role"): OPERATOR_ROLE,
    ("correct_fill", "inventory_owner"): [
        other("a stranger", "WrongTokenAccount", STRANGER),
        other("another holder", "WrongTokenAccount", ALICE),
    ],
    ("correct_fill", "security"): [
        other("another security", "AccountOfAnotherSecurity", BETA),
        other("of another issuer", "RoleOfAnotherIssuer", FOREIGN),
    ],
    ("correct_fill", "limit"): LIMIT,
    ("correct_fill", "fill"): [
        other("of another order", SEEDS, lambda world: world.fill(world.bob)),
        with_correction("of another security", "WrongFill", FILL_IN_BETA),
        with_correction("a burn", "WrongFill", lambda world: world.acme.fill(OUT, world.order("accepted"))),
    ],
    ("correct_fill", "correction"): [
        other("one too far", SEEDS, lambda world: correction(world.fill(), 1)),
        other("of another fill", SEEDS, lambda world: correction(world.fill(world.bob), 0)),
    ],
    ("correct_fill", "mint"): MINT,
    ("correct_fill", "inventory"): token_attacks(BOB),
}  # fmt: skip
