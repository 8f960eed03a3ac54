"""The theft table of SECURITY.md, continued: the keys that pay dividends. Conventions as in test_theft.py."""

from __future__ import annotations

from dataclasses import replace

from authority import ROWS, Mark, tried
from chain_in_process import key
from distributions import DISTRIBUTOR, FUNDER, PAYOUT_KEY, payout
from tallystick.program.generated.types import RoleKind
from thief import movers, powers, thief_of
from world import DAY, World

THIEFS_WALLET = key("thief's wallet")


def test_d1_a_stolen_distributor_opens_what_it_likes_and_nothing_of_it_is_paid() -> None:
    world = World.fresh()
    made = payout(world).do_prepare()
    stolen = replace(made, wallets=(THIEFS_WALLET, *made.wallets[1:]))
    made.payment.write_account(THIEFS_WALLET)
    thief = thief_of(world, world.alpha.key(DISTRIBUTOR), THIEFS_WALLET)
    thief.does(stolen.open(payout_key=THIEFS_WALLET))
    thief.cannot("DistributionNotApproved", stolen.pay_batch(0, payout_key=THIEFS_WALLET))
    thief.cannot("DistributionNotApproved", stolen.pay_entitlement(THIEFS_WALLET))
    world.chain.refuse("DistributionNotApproved", stolen.fund())
    world.chain.refuse("DistributionDiffers", stolen.approve(root=made.tree.root))


def test_d2_a_stolen_distributor_closes_only_what_is_over_and_the_rest_goes_where_it_was_approved_to_go() -> None:
    world = World.fresh()
    made = payout(world).do_fund()
    thief = thief_of(world, world.alpha.key(DISTRIBUTOR))
    made.payment.write_account(THIEFS_WALLET)
    thief.cannot("DistributionNotOver", made.close())
    world.chain.warp(31 * DAY)
    thief.cannot("WrongRefund", made.close(refund=made.payment.tokens(THIEFS_WALLET)))
    thief.cannot("WrongRentRecipient", made.close(rent_recipient=THIEFS_WALLET))
    before = world.chain.balance(made.refund)
    thief.does(made.close())
    assert world.chain.balance(made.refund) == before + made.total


def test_d3_a_stolen_distributor_may_nothing_else() -> None:
    assert powers("distributor") == {"open_distribution", "close_distribution"}


def test_cd1_distributor_and_corporate_actions_together_pay_themselves_what_others_fund() -> None:
    world = World.fresh()
    made = payout(world).do_prepare()
    stolen = replace(made, wallets=(THIEFS_WALLET, *made.wallets[1:]))
    made.payment.write_account(THIEFS_WALLET)
    alpha = world.alpha
    thief = thief_of(world, alpha.key(DISTRIBUTOR), alpha.key(RoleKind.CORPORATE_ACTIONS), THIEFS_WALLET)
    thief.does(stolen.open(payout_key=THIEFS_WALLET))
    thief.does(stolen.approve())
    thief.cannot("NotFunded", stolen.pay_batch(0, payout_key=THIEFS_WALLET))
    world.chain.send(stolen.fund())
    thief.does(stolen.pay_batch(0, payout_key=THIEFS_WALLET))
    assert stolen.paid(THIEFS_WALLET) == [stolen.amounts[0]]


def test_y1_a_stolen_payout_key_pays_the_right_people_or_skips_and_redirects_nothing() -> None:
    world = World.fresh()
    made = payout(world).do_fund()
    thief = thief_of(world, PAYOUT_KEY)
    mine = made.payment.write_account(THIEFS_WALLET)
    accounts = [made.payment.tokens(wallet) for wallet in made.wallets[: made.size]]
    redirected, more = [mine, *accounts[1:]], tuple(amount + 1 for amount in made.amounts[: made.size])
    thief.cannot("ProofDiffers", made.pay_batch(0, recipients=redirected))
    thief.cannot("ProofDiffers", made.pay_batch(0, amounts=more))
    thief.does(made.pay_batch(0, 0b011))
    assert made.paid(*made.wallets[:3]) == [0, 0, made.amounts[2]]
    assert powers("payout key") == {"pay_batch"}


def test_y2_a_stolen_payout_key_pays_nobody_twice_and_no_more_than_was_funded() -> None:
    world = World.fresh()
    made = payout(world).do_approve()
    thief = thief_of(world, PAYOUT_KEY)
    thief.cannot("NotFunded", made.pay_batch(0))
    world.chain.send(made.fund())
    thief.does(made.pay_batch(0))
    once = made.paid(*made.wallets)
    world.chain.attempt(made.pay_batch(0))
    assert made.paid(*made.wallets) == once


def test_y3_whom_the_payout_key_skips_anybody_pays() -> None:
    world = World.fresh()
    made = payout(world).do_fund()
    thief_of(world, PAYOUT_KEY).does(made.pay_batch(0, 0b001))
    thief_of(world).does(made.pay_entitlement(world.alice))
    assert made.paid(world.alice) == [made.amounts[0]]
    assert {column for column, mark in tried("pay_entitlement").marks.items() if mark is not Mark.ALONE} == set()


def test_m1_a_stolen_funder_loses_its_own_money_and_has_no_power() -> None:
    world = World.fresh()
    made = payout(world).do_approve()
    thief_of(world, FUNDER).does(made.fund())
    assert world.chain.balance(made.escrow) == made.total
    assert {row for row in ROWS if tried(row).marks["funder"] and not tried(row).marks["stranger"]} == {
        "fund_distribution"
    }
    assert powers("funder") & movers() == {"fund_distribution"}
