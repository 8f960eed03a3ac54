"""A world in which every instruction has something to act on, and something of the same type to be mistaken for it.

Two issuers. Of the first, two securities, two keys of each role, and two holders with orders in every state; of the
second, one of each. Built once; `World.fresh()` puts everything back.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from chain_in_process import Chain, Receipt, Refusal, State, digest, key, with_account
from issuers import CUSTODY, DAY, HOUR, MULTIPLIER_ONE, ONE, SCOPE_MINT, SCOPE_REDEEM, SCOPE_TRANSFER, Issuer, copy_to
from securities import POLICY, Movement, Security
from solders.pubkey import Pubkey

IN = Movement("block in", 1_000 * ONE)
"""1,000 shares came in; 600 of them are used."""
OUT = Movement("block out", 100 * ONE)
"""100 shares went out; 5 of them are used."""


@dataclass(frozen=True, slots=True)
class World:
    """Names for what is there. Orders are named by holder and state."""

    chain: Chain
    alpha: Issuer
    omega: Issuer
    acme: Security
    beta: Security
    foreign: Security
    alice: Pubkey
    bob: Pubkey
    stranger: Pubkey
    start: State
    started: int

    @staticmethod
    def fresh() -> World:
        """The world as it was built."""
        world = _world()
        world.chain.restore(world.start, world.started)
        return world

    def order(self, name: str, security: Security | None = None, wallet: Pubkey | None = None) -> Pubkey:
        """The order of that name, Alice's in acme unless said otherwise."""
        return (security or self.acme).order(wallet or self.alice, name)

    def fill(self, wallet: Pubkey | None = None) -> Pubkey:
        """The mint that Alice, or Bob, got from the block movement."""
        return self.acme.fill(IN, self.order("filled", wallet=wallet))


@cache
def _world() -> World:
    chain = Chain()
    counts = {
        "attestor": 3,
        "operator": 2,
        "compliance": 2,
        "reconciliation": 2,
        "corporate_actions": 2,
        "publisher": 2,
    }
    alpha = Issuer(chain, "alpha").do_open(**counts, guardian=2)
    omega = Issuer(chain, "omega").do_open(publisher=1)
    alice, bob, stranger = (chain.fund(key(name)) for name in ("alice", "bob", "stranger"))
    for issuer in (alpha, omega):
        issuer.do_approve(alice, bob)
    acme, beta, foreign = Security(alpha, "ACME"), Security(alpha, "BETA"), Security(omega, "FOREIGN")
    for security in (acme, beta, foreign):
        security.do_list(10_000 * ONE)
    second = Security(alpha, "ACME", operator=2)
    chain.send(second.set_limit())
    chain.warp(alpha.delay)
    for security in (acme, beta, foreign):
        for wallet, shares in ((alice, 400), (bob, 200)):
            order = security.do_open(wallet, "filled", shares * ONE)
            chain.send(security.settle_subscription(order, IN, shares * ONE))
            security.do_open(wallet, "open", 50 * ONE)
            security.do_request(wallet, "requested", 10 * ONE)
            security.do_request(wallet, "accepted", 20 * ONE, accept=True)
        chain.send(security.settle_redemption(security.order(alice, "accepted"), OUT, 5 * ONE))
    chain.send(acme.create_tokens(stranger))
    return World(chain, alpha, omega, acme, beta, foreign, alice, bob, stranger, chain.state(), chain.now)


__all__ = [
    "CUSTODY", "DAY", "HOUR", "IN", "MULTIPLIER_ONE", "ONE", "OUT", "POLICY", "SCOPE_MINT", "SCOPE_REDEEM",
    "SCOPE_TRANSFER", "Chain", "Issuer", "Movement", "Receipt", "Refusal", "Security", "World", "copy_to", "digest",
    "key", "with_account",
]  # fmt: skip
