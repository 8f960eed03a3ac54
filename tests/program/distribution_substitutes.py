"""What could be passed in an account's place where distributions are opened and paid; see substitutes.py."""

from __future__ import annotations

from dataclasses import replace

from actions import CORPORATE_ACTIONS, dividend
from distributions import DISTRIBUTOR, FUNDER, PAYOUT_KEY, TREASURY, Payout, payout
from payments import HOOK, NON_TRANSFERABLE, Payment, extension, fee, fee_config
from solders.pubkey import Pubkey
from substituting import BETA, FOREIGN, OPERATOR, STRANGER, Run, Substitute, first, lookalike, other, role_attacks
from tallystick.program.generated.types import RoleKind
from tallystick.program.token import TOKEN_2022_PROGRAM
from world import World, key

EUROS = "euros"
ATTACKS = ("is not there", "is owned by another program", "is of another type")


def _another(world: World) -> Payout:
    """Another distribution of the same action, approved."""
    another = replace(payout(world), number=payout(world).action.state.distributions)
    world.chain.send(another.open())
    world.chain.send(another.approve())
    return another


def _opened(world: World) -> Pubkey:
    """Another distribution of the same action, opened."""
    another = replace(payout(world), number=payout(world).action.state.distributions)
    world.chain.send(another.open())
    return another.address


def _elsewhere(world: World) -> Payout:
    """A distribution of another action of the same security."""
    action = replace(dividend(world.acme), event="EVENT 2")
    return replace(payout(world), action=action).do_open()


def _of_beta(world: World) -> Pubkey:
    return dividend(world.beta).do_approve().address


def _euros(world: World) -> Pubkey:
    """Another mint."""
    return Payment(world.chain, name=EUROS).write_mint()


def _euros_of(wallet: Pubkey) -> Run:
    """The account of another mint."""
    return other("", "", lambda world: Payment(world.chain, name=EUROS).write_account(wallet, 10**9))[2]


def _rich(world: World) -> Pubkey:
    """The treasury's account, with enough in it."""
    return payout(world).payment.write_account(TREASURY, 10**9)


def _rich_escrow(world: World) -> Pubkey:
    """The escrow, with enough in it: somebody sent it there."""
    return payout(world).payment.write_account(payout(world).address, 10**9)


def _signer(kind: RoleKind) -> list[Substitute]:
    return [
        other("a stranger", "RoleOfAnotherHolder", STRANGER),
        other("another key of its kind", "RoleOfAnotherHolder", lambda world: world.alpha.key(kind, 2)),
        other("the admin", "RoleOfAnotherHolder", lambda world: world.alpha.admin),
    ]


ANOTHER_MINT = [
    other("another mint", "WrongPaymentMint", _euros),
    other("a look-alike", "WrongPaymentMint", lookalike(lambda world: payout(world).payment.mint)),
]
ANOTHER_ESCROW = [
    other("of another distribution", "WrongPaymentEscrow", lambda world: _another(world).escrow),
    other("a look-alike", "WrongPaymentEscrow", lookalike(lambda world: payout(world).escrow)),
    other("the funder's account", "WrongPaymentEscrow", lambda world: payout(world).payment.tokens(FUNDER)),
]
LOOKALIKE_ESCROW = [ANOTHER_ESCROW[1], ANOTHER_ESCROW[2]]

DISTRIBUTION_SUBSTITUTES: dict[tuple[str, str], list[Substitute]] = {
    ("open_distribution", "distributor"): _signer(DISTRIBUTOR),
    ("open_distribution", "role"): role_attacks(DISTRIBUTOR, OPERATOR),
    ("open_distribution", "security"): [
        other("another security", "AccountOfAnotherSecurity", BETA),
        other("of another issuer", "RoleOfAnotherIssuer", FOREIGN),
    ],
    ("open_distribution", "action"): [
        other("of another security", "ConstraintSeeds", _of_beta),
    ],
    ("open_distribution", "distribution"): [
        other("of the number before", "ConstraintSeeds", lambda world: payout(world).address),
        other("one too far", "ConstraintSeeds", lambda world: replace(payout(world), number=2).address),
    ],
    ("open_distribution", "linked_to"): [
        other("of another action", "DistributionOfAnotherAction", lambda world: _elsewhere(world).address),
    ],
    ("open_distribution", "payment_mint"): [
        other("another mint", "WrongPaymentEscrow", _euros),
        other("of another program", "WrongPaymentEscrow",
              lambda world: Payment(world.chain, TOKEN_2022_PROGRAM).write_mint()),
    ],
    ("open_distribution", "escrow"): [
        other("of another distribution", "WrongPaymentEscrow", lambda world: payout(world).escrow),
        other("the funder's account", "WrongPaymentEscrow", lambda world: payout(world).payment.tokens(FUNDER)),
    ],
    ("open_distribution", "refund"): [
        ("of another mint", "WrongRefund", _euros_of(TREASURY)),
        other("the mint", "WrongRefund", lambda world: payout(world).payment.mint),
        other("the escrow", "WrongRefund", lambda world: replace(payout(world), number=1).escrow),
    ],
    ("approve_distribution", "approver"): _signer(CORPORATE_ACTIONS),
    ("approve_distribution", "role"): role_attacks(CORPORATE_ACTIONS, OPERATOR),
    ("approve_distribution", "action"): [
        other("another action", "DistributionOfAnotherAction",
              lambda world: replace(dividend(world.acme), event="EVENT 2").do_approve().address),
        other("of another security", "DistributionOfAnotherAction", _of_beta),
    ],
    ("approve_distribution", "distribution"): [
        other("of another action", "DistributionOfAnotherAction", lambda world: _elsewhere(world).address),
        first("approved already", "DistributionNotOpen", lambda world: world.chain.send(payout(world).approve())),
    ],
    ("fund_distribution", "funder"): [other("a stranger", "spl-token:4", STRANGER)],
    ("fund_distribution", "source"): [
        other("of somebody else", "spl-token:4", _rich),
        ("of another mint", "spl-token:3", _euros_of(FUNDER)),
        other("the escrow itself", "spl-token:4", _rich_escrow),
    ],
    ("fund_distribution", "distribution"): [
        other("another one", "WrongPaymentEscrow", lambda world: _another(world).address),
    ],
    ("fund_distribution", "payment_mint"): ANOTHER_MINT,
    ("fund_distribution", "escrow"): ANOTHER_ESCROW,
    ("pay_batch", "payout_key"): [
        other("a stranger", "NotPayoutKey", STRANGER),
        other("the distributor", "NotPayoutKey", lambda world: world.alpha.key(DISTRIBUTOR)),
    ],
    ("pay_batch", "distribution"): [
        other("another one", "WrongPaymentEscrow", lambda world: _another(world).address),
        other("one that is not approved", "DistributionNotApproved", _opened),
    ],
    ("pay_batch", "payment_mint"): ANOTHER_MINT,
    ("pay_batch", "escrow"): ANOTHER_ESCROW,
    ("pay_entitlement", "distribution"): [
        other("another one", "WrongPaymentEscrow", lambda world: _another(world).address),
        other("one that is not approved", "WrongPaymentEscrow", _opened),
    ],
    ("pay_entitlement", "destination"): [
        other("somebody else's", "ProofDiffers", lambda world: payout(world).payment.tokens(world.bob)),
        other("the escrow", "ProofDiffers", lambda world: payout(world).escrow),
        other("a look-alike", "ProofDiffers", lookalike(lambda world: payout(world).payment.tokens(world.alice))),
    ],
    ("pay_entitlement", "holder"): [
        other("of somebody else", "WrongHolderRecord", lambda world: world.alpha.holder(world.bob)),
        other("of another issuer", "WrongHolderRecord", lambda world: world.omega.holder(world.alice)),
        first("suspended", "HolderSuspended",
              lambda world: world.chain.send(world.alpha.suspend_holder(world.alice))),
    ],
    ("pay_entitlement", "payment_mint"): ANOTHER_MINT,
    ("pay_entitlement", "escrow"): ANOTHER_ESCROW,
    ("close_distribution", "distributor"): _signer(DISTRIBUTOR),
    ("close_distribution", "role"): role_attacks(DISTRIBUTOR, OPERATOR),
    ("close_distribution", "distribution"): [
        other("another one", "WrongPaymentEscrow", lambda world: _another(world).address),
    ],
    ("close_distribution", "rent_recipient"): [
        other("the distributor", "WrongRentRecipient", lambda world: world.alpha.key(DISTRIBUTOR)),
    ],
    ("close_distribution", "payment_mint"): ANOTHER_MINT,
    ("close_distribution", "escrow"): LOOKALIKE_ESCROW,
    ("close_distribution", "refund"): [
        other("the payout key's", "WrongRefund",
              lambda world: payout(world).payment.write_account(PAYOUT_KEY)),
        other("a look-alike", "WrongRefund", lookalike(lambda world: payout(world).refund)),
    ],
}  # fmt: skip


MINTS_REFUSED = {
    "with a hook": extension(HOOK, bytes(32) + bytes(key("hook"))),
    "not transferable": extension(NON_TRANSFERABLE, b""),
    "with a fee": fee_config(fee(0, 0), fee(0, 1)),
    "with an old fee that is still in force": fee_config(fee(0, 5), fee(10**6, 0)),
}
"""Mints of which a plain transfer fails, or does not arrive whole."""
MINTS_PLAIN = {
    "without extensions": b"",
    "with a hook's place, and none": extension(HOOK, bytes(key("authority")) + bytes(32)),
    "with a fee of nothing": fee_config(fee(0, 0), fee(0, 0)),
    "with a fee that was taken back": fee_config(fee(0, 5), fee(0, 0)),
    "with a fee to come": fee_config(fee(0, 0), fee(10**6, 5)),
}
"""Mints that look like those, and are not."""
