"""Distributions that one rule refuses, and the error that says which; conventions as in refusals.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from actions import dividend, split
from chain_in_process import digest
from distribution_substitutes import MINTS_REFUSED
from distributions import CORPORATE_ACTIONS, DISTRIBUTOR, FUNDER, PAYOUT_KEY, Payout, payout
from payments import MEMO_TRANSFER, confidential_account, extension
from solders.account import Account
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from tallystick.program.token import SYSTEM_PROGRAM, TOKEN_2022_PROGRAM, TokenAccountState
from world import DAY, World

Call = Callable[[World], Instruction]
Refused = tuple[str, str, Call]
TEN_YEARS = 3_653 * DAY


def _open(**params: Any) -> Call:
    """Open one with one parameter changed."""
    return lambda world: payout(world).do_prepare().open(**params)


def _approve(**params: Any) -> Call:
    return lambda world: payout(world).do_open().approve(**params)


def _funded(call: Callable[[Payout], Instruction], **made: Any) -> Call:
    return lambda world: call(payout(world, **made).do_fund())


def _approved(call: Callable[[Payout], Instruction]) -> Call:
    return lambda world: call(payout(world).do_approve())


def _opened(call: Callable[[Payout], Instruction]) -> Call:
    return lambda world: call(payout(world).do_open())


def _closed(call: Callable[[Payout], Instruction]) -> Call:
    def run(world: World) -> Instruction:
        made = payout(world).do_fund()
        prepared = call(made)
        world.chain.warp(31 * DAY)
        world.chain.send(made.close())
        return prepared

    return run


def _alice_has(program: Pubkey = TOKEN_2022_PROGRAM, **account: Any) -> Call:
    """Alice's entry, when her account is in some state."""

    def run(world: World) -> Instruction:
        made = payout(world, program).do_fund()
        made.payment.write_account(world.alice, **account)
        return made.pay_entitlement(world.alice)

    return run


def _alice_closed(world: World) -> Instruction:
    made = payout(world).do_fund()
    world.chain.write(made.payment.tokens(world.alice), Account(0, b"", SYSTEM_PROGRAM, False, 0))
    return made.pay_entitlement(world.alice)


def _mint(kind: str, call: Callable[[Payout], Instruction], prepare: Callable[[Payout], Payout]) -> Call:
    """A mint whose issuer changed it after `prepare`."""

    def run(world: World) -> Instruction:
        made = prepare(payout(world, TOKEN_2022_PROGRAM))
        made.payment.write_mint(MINTS_REFUSED[kind])
        return call(made)

    return run


def _security_as_payment(world: World) -> Instruction:
    made = payout(world, TOKEN_2022_PROGRAM).do_prepare()
    escrow = world.acme.tokens(made.address)
    return made.open(payment_mint=world.acme.mint, escrow=escrow, refund=world.acme.tokens(world.alice))


def _by_its_opener(world: World) -> Instruction:
    """The distributor is given a corporate actions role too, which law 7 allows."""
    made = payout(world).do_open()
    distributor = world.alpha.key(DISTRIBUTOR)
    world.chain.send(world.alpha.grant_role(CORPORATE_ACTIONS, distributor))
    world.chain.warp(world.alpha.delay)
    return made.approve(approver=distributor, role=world.alpha.role(CORPORATE_ACTIONS, distributor))


def _not_grown(world: World) -> Instruction:
    made = payout(world).do_prepare()
    world.chain.send(made.open(batches=1_300, entries=1_300))
    return made.approve(entries=1_300)


def _escrow_as_entry(world: World) -> Instruction:
    """The tree names the escrow: its owner is the distribution."""
    made = payout(world, count=1, size=1)
    made = replace(made, wallets=(made.address,)).do_prepare()
    world.chain.send(made.open(), made.approve(expires_at=world.chain.now + made.expires_in), made.fund())
    return made.pay_entitlement(made.address)


def _twice(world: World) -> Instruction:
    made = payout(world).do_fund()
    world.chain.send(made.pay_entitlement(world.alice))
    return made.pay_entitlement(world.alice)


def _after_its_batch(world: World) -> Instruction:
    made = payout(world).do_fund()
    world.chain.send(made.pay_batch(0))
    return made.pay_entitlement(world.alice)


def _fully_paid_count(world: World) -> Instruction:
    """The opener says fewer entries than the tree has: no more than so many are paid."""
    made = payout(world).do_prepare()
    world.chain.send(made.open(entries=3), made.approve(entries=3, expires_at=world.chain.now + made.expires_in))
    world.chain.send(made.fund(), made.pay_batch(0))
    return made.pay_batch(1)


def _pays_no_cash(world: World) -> Instruction:
    action = split(world.acme, 2).do_approve()
    return replace(payout(world), action=action).do_prepare().open()


def _refund_to_the_escrow(world: World) -> Instruction:
    """Somebody makes the escrow before: it is a token account of the payment mint like any other."""
    made = payout(world).do_prepare()
    made.payment.write_account(made.address)
    return made.open(refund=made.escrow)


def _of_another_security(world: World) -> Instruction:
    made = replace(payout(world), action=dividend(world.beta).do_approve())
    return made.do_prepare().open(security=world.acme.address)


def _announced_only(world: World) -> Instruction:
    made = payout(world)
    made.action.do_announce()
    return made.do_prepare().open()


def _cancelled_meanwhile(world: World) -> Instruction:
    made = payout(world).do_open()
    world.chain.send(made.action.cancel())
    return made.approve()


def _of_another_batch(world: World) -> Instruction:
    """The recipients and amounts of one batch under the number of another."""
    made = payout(world).do_fund()
    return made.pay_batch(0, batch=1, proof=made.tree.proof(1))


def _of_another_distribution(world: World) -> Instruction:
    """What another distribution of the same people committed to."""
    first = payout(world).do_fund()
    second = replace(first, number=1)
    world.chain.send(second.open(), second.approve(expires_at=world.chain.now + second.expires_in), second.fund())
    params = first.batch_params(0)
    return second.pay_batch(0, entries_root=params.entries_root, proof=params.proof)


def _swapped(made: Payout) -> Instruction:
    bob, alice = (made.payment.tokens(wallet) for wallet in (made.wallets[1], made.wallets[0]))
    return made.pay_batch(0, recipients=[bob, alice, made.payment.tokens(made.wallets[2])])


def _more(made: Payout, **lists: Any) -> Instruction:
    params = made.batch_params(0)
    return made.pay_batch(0, **{name: getattr(params, name) + more for name, more in lists.items()})


def _repeated(made: Payout) -> Instruction:
    """Alice three times, in place of Alice, Bob and the third."""
    return made.pay_batch(0, recipients=[made.payment.tokens(made.wallets[0])] * 3)


def _reowned(world: World) -> Instruction:
    """Alice gave her associated account to Bob; whose record is passed does not matter before that is seen."""
    made = payout(world).do_fund()
    made.payment.write_account(world.alice, owner=world.bob)
    return made.pay_entitlement(world.alice)


DISTRIBUTION_REFUSALS: list[Refused] = [
    ("AccountOfAnotherSecurity", "an action of another security", _of_another_security),
    ("ActionOfWrongKind", "a split pays no cash", _pays_no_cash),
    ("ActionNotApproved", "an action that is announced", _announced_only),
    ("ActionNotApproved", "an action that was cancelled meanwhile", _cancelled_meanwhile),
    ("DistributionNumberDiffers", "number one first",
     lambda world: replace(payout(world), number=1).do_prepare().open()),
    ("WrongRefund", "the escrow, made before", _refund_to_the_escrow),
    ("DefaultKey", "no payout key", _open(payout_key=Pubkey.default())),
    ("ExpiryOutOfBounds", "now", lambda world: _open(expires_at=world.chain.now + 1)(world)),
    ("ExpiryOutOfBounds", "over ten years", lambda world: _open(expires_at=world.chain.now + TEN_YEARS + 2)(world)),
    ("DistributionOutOfBounds", "no batches", _open(batches=0)),
    ("DistributionOutOfBounds", "too many batches", _open(batches=200_001, entries=200_001)),
    ("DistributionOutOfBounds", "fewer entries than batches", _open(entries=2)),
    ("DistributionOutOfBounds", "more entries than fit", _open(entries=3 * 57 + 1)),
    ("DistributionOutOfBounds", "nothing to pay", _open(total=0)),
    ("HashMissing", "no root", _open(root=bytes(32))),
    ("PaymentMintIsSecurity", "shares as cash", _security_as_payment),
    ("PaymentMintRefused", "no mint", lambda world: payout(world).do_prepare().open(
        payment_mint=payout(world).payment.tokens(world.alice),
        escrow=Pubkey.find_program_address(
            [bytes(payout(world).address), bytes(payout(world).payment.program),
             bytes(payout(world).payment.tokens(world.alice))],
            Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL"))[0],
        refund=payout(world).payment.write_account(FUNDER, mint=payout(world).payment.tokens(world.alice)))),
    *[("PaymentMintRefused", f"{kind}, at open", _mint(kind, Payout.open, Payout.do_prepare))
      for kind in MINTS_REFUSED],
    *[("PaymentMintRefused", f"{kind}, at funding", _mint(kind, Payout.fund, Payout.do_approve))
      for kind in MINTS_REFUSED],
    *[("PaymentMintRefused", f"{kind}, at payment", _mint(kind, Payout.pay_batch, Payout.do_fund))
      for kind in MINTS_REFUSED],
    *[("PaymentMintRefused", f"{kind}, at a claim",
       _mint(kind, lambda made: made.pay_entitlement(made.wallets[0]), Payout.do_fund)) for kind in MINTS_REFUSED],
    ("DistributionGrown", "full already", _opened(Payout.grow)),
    ("DistributionNotOpen", "grown after approval", _approved(Payout.grow)),
    ("DistributionNotOpen", "approved twice", _approved(Payout.approve)),
    ("DistributionNotOpen", "approved after its close", _closed(Payout.approve)),
    ("DistributionNotGrown", "approved before it was full", _not_grown),
    ("OpenerCannotApprove", "by the key that opened it", _by_its_opener),
    *[("DistributionDiffers", f"another {name}", _approve(**{name: value})) for name, value in {
        "root": digest("another root"), "entries": 6, "total": 1, "refund": PAYOUT_KEY, "expires_at": 1}.items()],
    ("DistributionNotApproved", "funded too early", _opened(Payout.fund)),
    ("DistributionNotApproved", "paid too early", _opened(Payout.pay_batch)),
    ("DistributionNotApproved", "claimed too early", _opened(lambda made: made.pay_entitlement(made.wallets[0]))),
    ("DistributionNotApproved", "funded after its close", _closed(lambda made: made.fund(1))),
    ("DistributionNotApproved", "paid after its close", _closed(Payout.pay_batch)),
    ("DistributionNotApproved", "claimed after its close", _closed(lambda made: made.pay_entitlement(made.wallets[0]))),
    ("ZeroQuantity", "funded with nothing", _approved(lambda made: made.fund(0))),
    ("FundedTooMuch", "more than the total", _approved(lambda made: made.fund(made.total + 1))),
    ("FundedTooMuch", "twice", _funded(Payout.fund)),
    ("NotFunded", "a batch without money", _approved(Payout.pay_batch)),
    ("NotFunded", "a claim without money", _approved(lambda made: made.pay_entitlement(made.wallets[0]))),
    ("NotFunded", "more entries than the header says", _fully_paid_count),
    ("BatchOutOfBounds", "no such batch", _funded(lambda made: made.pay_batch(0, batch=3))),
    ("BatchOutOfBounds", "no recipients", _funded(lambda made: made.pay_batch(0, recipients=[]))),
    ("BatchOutOfBounds", "a recipient less", _funded(lambda made: made.pay_batch(
        0, recipients=[made.payment.tokens(wallet) for wallet in made.wallets[:2]]))),
    ("BatchOutOfBounds", "a recipient more", _funded(lambda made: made.pay_batch(
        0, recipients=[made.payment.tokens(wallet) for wallet in made.wallets[:4]]))),
    ("BatchOutOfBounds", "an amount more", _funded(lambda made: _more(made, amounts=(1,)))),
    ("BatchOutOfBounds", "a bump more", _funded(lambda made: _more(made, bumps=b"\1"))),
    ("ProofDiffers", "no such batch, claimed", _funded(lambda made: made.pay_entitlement(made.wallets[0], batch=3))),
    ("ProofDiffers", "another batch's number", _of_another_batch),
    ("ProofDiffers", "another distribution's batch", _of_another_distribution),
    ("ProofDiffers", "more entries than the batch has", _funded(
        lambda made: made.pay_batch(0, recipients=[made.payment.tokens(wallet) for wallet in made.wallets[:4]],
                                    amounts=made.amounts[:4],
                                    bumps=bytes(made.payment.find(wallet)[1] for wallet in made.wallets[:4])))),
    ("ProofDiffers", "forged amounts", _funded(lambda made: made.pay_batch(0, amounts=(1, 2, 3)))),
    ("ProofDiffers", "forged bumps", _funded(lambda made: made.pay_batch(0, bumps=b"\1\2\3"))),
    ("ProofDiffers", "another order", _funded(_swapped)),
    ("ProofDiffers", "one recipient three times", _funded(_repeated)),
    ("ProofDiffers", "another root of entries", _funded(lambda made: made.pay_batch(0, entries_root=bytes(32)))),
    ("ProofDiffers", "a longer proof", _funded(lambda made: _more(made, proof=(bytes(32),)))),
    ("ProofDiffers", "a shorter proof", _funded(lambda made: made.pay_batch(0, proof=made.batch_params(0).proof[:-1]))),
    ("ProofDiffers", "a forged amount, though nothing is paid", _funded(
        lambda made: made.pay_batch(0, 7, amounts=(1, 2, 3)))),
    ("ProofDiffers", "a claim of more", _funded(lambda made: made.pay_entitlement(made.wallets[0], raw=2_000_000))),
    ("ProofDiffers", "a claim with another bump", _funded(lambda made: made.pay_entitlement(made.wallets[0], bump=1))),
    ("ProofDiffers", "a claim at another place", _funded(lambda made: made.pay_entitlement(made.wallets[0], index=1))),
    ("ProofDiffers", "a claim of another count", _funded(lambda made: made.pay_entitlement(made.wallets[0], count=4))),
    ("ProofDiffers", "a claim of another batch", _funded(lambda made: made.pay_entitlement(made.wallets[0], batch=1))),
    ("ProofDiffers", "a claim with another flat hash",
     _funded(lambda made: made.pay_entitlement(made.wallets[0], flat_hash=bytes(32)))),
    ("EntryPaid", "claimed twice", _twice),
    ("EntryPaid", "claimed after its batch", _after_its_batch),
    ("RecipientNotThere", "closed", _alice_closed),
    ("RecipientNotThere", "of another mint", _alice_has(mint=PAYOUT_KEY)),
    ("RecipientNotThere", "not initialized", _alice_has(state=TokenAccountState.UNINITIALIZED)),
    ("RecipientFrozen", "frozen", _alice_has(state=TokenAccountState.FROZEN)),
    ("RecipientReowned", "given to another owner", _reowned),
    ("RecipientRefuses", "wants a memo", _alice_has(extensions=extension(MEMO_TRANSFER, b"\1"))),
    ("RecipientRefuses", "takes confidential credits alone",
     _alice_has(extensions=confidential_account(plain_credits=False))),
    ("RecipientIsEscrow", "the escrow as entry", _escrow_as_entry),
    ("DistributionNotOver", "closed too early", _funded(Payout.close)),
    ("DistributionNotOver", "closed twice", _closed(Payout.close)),
]  # fmt: skip
