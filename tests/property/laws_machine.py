"""Anybody does anything to the built program, in any order; after every step the laws are checked (laws_checks.py)."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache
from typing import Any

from chain_in_process import State
from control import CUSTODIAN_WALLET, Control
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from laws_acting import DELAY, HELD, PICK, POOL, SMALL, TERMS, WALLETS
from laws_control import OTHER_WALLET, ControlRules
from laws_payments import PaymentRules, prepare_payments
from laws_reports import ReportRules
from laws_world import (
    DAY,
    HOUR,
    Chain,
    Custodian,
    Issuer,
    Mirror,
    Movement,
    Pubkey,
    RoleKind,
    Security,
    accounts,
    digest,
    types,
)  # fmt: skip

KINDS = list(RoleKind)
LIVES = [60, 60, HOUR, 4 * DAY, None]
HOLDING = [RoleKind.COMPLIANCE, RoleKind.OPERATOR, RoleKind.RECONCILIATION, RoleKind.GUARDIAN, RoleKind.ATTESTOR]
SCOPES = [1, 1, 2, 2, 3, 4, 6, 7, 0, 8]
CONSENTS = [None, None, RoleKind.COMPLIANCE, RoleKind.GUARDIAN, RoleKind.OPERATOR]


steps: Counter[str] = Counter()
"""How many steps were taken in this session."""


class Laws(PaymentRules, ControlRules, ReportRules, RuleBasedStateMachine):
    """The steps. Numbers are small on purpose: rounding shows at once."""

    @initialize(permissioned=st.booleans())
    def start(self, permissioned: bool) -> None:
        """An issuer, its roles on keys of the pool, one security with a reserve, three approved holders."""
        self.begin(*_begun(permissioned))

    def teardown(self) -> None:
        """Nothing happened on the chain that was not looked at."""
        if hasattr(self, "mirror"):
            self.check_laws()
            self.mirror.check_complete()

    # Time and the custodian ------------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([1, 1, 30, 60, 60, 300, 600, HOUR, 2 * HOUR, 4 * HOUR, DAY]))
    def time_passes(self, seconds: int) -> None:
        """The clock jumps."""
        self.pass_time(seconds)

    @rule(shares=SMALL)
    def custodian_receives(self, shares: int) -> None:
        """Shares come in, with a movement in the books."""
        self.receive(shares)

    @precondition(lambda self: self.security.escrowed)
    @rule(pick=PICK)
    def custodian_delivers(self, pick: int) -> None:
        """Shares of an accepted redemption go out."""
        order = self.pick_order(pick, types.OrderKind.REDEMPTION)
        if order is not None:
            self.deliver(order)

    @rule(age=st.sampled_from([0, 1, 60, 600, HOUR, 5 * HOUR]), pick=PICK, unsettled=st.booleans(), both=st.booleans())
    def attestors_attest(self, age: int, pick: int, unsettled: bool, both: bool) -> None:
        """What the custodian really held; `unsettled` counts what left for redemptions not settled yet too."""
        content = self.honest_content(self.chain.now - age, unsettled=unsettled)
        picks = (pick, pick + 1) if both else (pick,)
        for each in picks:
            self.act(self.acme.attest(content, **self.acting(RoleKind.ATTESTOR, each, "attestor")))

    @rule(pick=PICK, unsettled=st.booleans())
    def statement_comes_between_delivery_and_settlement(self, pick: int, unsettled: bool) -> None:
        """Shares of a redemption are out of the books, and its tokens are not burnt yet."""
        order = self.pick_order(pick, types.OrderKind.REDEMPTION)
        if order is not None:
            self.deliver(order)
            content = self.honest_content(self.chain.now, unsettled=unsettled)
            for each in (pick, pick + 1):
                self.act(self.acme.attest(content, **self.acting(RoleKind.ATTESTOR, each, "attestor")))

    # Orders ----------------------------------------------------------------------------------------------------------

    @rule(wallet=st.integers(0, 2), shares=SMALL, settle_in=st.sampled_from([1, HOUR, 30 * DAY]))
    def holder_subscribes(self, wallet: int, shares: int, settle_in: int) -> None:
        """An order in."""
        self.act(self.acme.open_subscription(WALLETS[wallet], self.fresh("order"), shares, settle_in))

    @rule(pick=PICK, shares=SMALL, movement=PICK, lie=st.sampled_from([0, 0, 0, 1, -1]), fake=st.booleans())
    def operator_settles_subscription(self, pick: int, shares: int, movement: int, lie: int, fake: bool) -> None:
        """Against a movement of the books, a wrong account of it, or one made up."""
        order = self.pick_order(pick, types.OrderKind.SUBSCRIPTION)
        if order is None:
            return
        chosen = self.pick_movement(movement, fake and shares % 3 == 0, shares)
        chosen = replace(chosen, shares=max(0, chosen.shares + lie))
        state = self.chain.read(accounts.Order, order)
        open_shares = state.quantity - state.filled
        amount = min(shares, open_shares, chosen.shares) if pick % 7 != 6 else shares
        self.act(self.acme.settle_subscription(order, chosen, amount, **self.operator(pick)))

    @rule(wallet=st.integers(0, 2), shares=SMALL, pick=st.integers(1, 1_000))
    def a_subscription_goes_through(self, wallet: int, shares: int, pick: int) -> None:
        """Shares in, order, mint. Hypothesis takes the first name most often."""
        movement, order_id = self.receive(shares), self.fresh("order")
        if self.act(self.acme.open_subscription(WALLETS[wallet], order_id, shares)) is not None:
            order = self.acme.order(WALLETS[wallet], order_id)
            self.act(self.acme.settle_subscription(order, movement, shares, **self.operator(pick)))

    @rule(wallet=st.integers(0, 2), pick=st.integers(1, 1_000), more=st.integers(0, 1))
    def operator_mints_all_it_can(self, wallet: int, pick: int, more: int) -> None:
        """A stolen operator key: made-up movements, up to what the program lets it mint, or one unit more."""
        shares, order_id = self.headroom() + more, self.fresh("order")
        if shares > 0 and self.act(self.acme.open_subscription(WALLETS[wallet], order_id, shares)) is not None:
            order, movement = self.acme.order(WALLETS[wallet], order_id), Movement(self.fresh("made up"), shares)
            self.act(self.acme.settle_subscription(order, movement, **self.operator(pick)))

    @rule(wallet=st.integers(0, 2), raw=SMALL, accept=st.booleans(), pick=PICK)
    def holder_redeems(self, wallet: int, raw: int, accept: bool, pick: int) -> None:
        """An order out, which may be accepted at once."""
        order_id, balance = self.fresh("order"), self.chain.balance(self.acme.tokens(WALLETS[wallet]))
        raw = min(raw, balance) if balance and pick % 10 != 9 else raw
        if self.act(self.acme.request_redemption(WALLETS[wallet], order_id, raw)) is not None and accept:
            self._accept(self.acme.order(WALLETS[wallet], order_id), pick)

    @precondition(lambda self: self.security.escrowed)
    @rule(pick=PICK)
    def operator_accepts(self, pick: int) -> None:
        """Any order."""
        order = self.pick_order(pick, types.OrderKind.REDEMPTION)
        if order is not None:
            self._accept(order, pick)

    def _accept(self, order: Pubkey, pick: int) -> None:
        self.act(self.acme.accept_redemption(order, **self.acting(RoleKind.OPERATOR, pick, "operator")))

    @precondition(lambda self: self.security.escrowed)
    @rule(pick=PICK, raw=SMALL, movement=PICK, other=st.booleans())
    def operator_settles_redemption(self, pick: int, raw: int, movement: int, other: bool) -> None:
        """Against the movement that took its shares out, or any."""
        order = self.pick_order(pick, types.OrderKind.REDEMPTION)
        if order is None:
            return
        if pick % 4 != 3:
            self._accept(order, pick)
            self.deliver(order)
        delivered = self.delivered.get(order)
        chosen = delivered.movement if delivered and not other else self.pick_movement(movement, raw % 3 == 0, raw)
        state = self.chain.read(accounts.Order, order)
        amount = state.quantity - state.filled if raw % 2 == 0 and state.filled < state.quantity else raw
        self.act(self.acme.settle_redemption(order, chosen, amount, **self.operator(pick)))

    @rule(wallet=st.integers(0, 2), raw=SMALL, pick=PICK)
    def redemption_goes_through(self, wallet: int, raw: int, pick: int) -> None:
        """Requested, accepted, delivered and settled; or as far as that goes."""
        order_id, balance = self.fresh("order"), self.chain.balance(self.acme.tokens(WALLETS[wallet]))
        raw = min(raw, balance)
        if not raw or self.act(self.acme.request_redemption(WALLETS[wallet], order_id, raw)) is None:
            return
        order = self.acme.order(WALLETS[wallet], order_id)
        self._accept(order, pick)
        self.deliver(order)
        delivered = self.delivered.get(order)
        if delivered is not None:
            self.act(self.acme.settle_redemption(order, delivered.movement, raw, **self.operator(pick)))

    @rule(pick=PICK, by_holder=st.booleans(), redemption=st.booleans())
    def order_is_cancelled(self, pick: int, by_holder: bool, redemption: bool) -> None:
        """By the operator or by its holder, of whatever kind."""
        order = self.pick_order(pick, types.OrderKind.REDEMPTION if redemption else types.OrderKind.SUBSCRIPTION)
        if order is None:
            return
        acting = {} if by_holder else self.acting(RoleKind.OPERATOR, pick, "authority")
        cancel = self.acme.cancel_redemption if redemption else self.acme.cancel_subscription
        self.act(cancel(order, by_holder=by_holder, **acting))

    @precondition(lambda self: self.security.escrowed)
    @rule(pick=PICK)
    def holder_withdraws(self, pick: int) -> None:
        """Before or after the deadline."""
        order = self.pick_order(pick, types.OrderKind.REDEMPTION)
        if order is not None:
            self.act(self.acme.withdraw_redemption(order))

    @rule(pick=PICK, wallet=st.integers(0, 2), raw=SMALL)
    def operator_corrects(self, pick: int, wallet: int, raw: int) -> None:
        """Any fill, with a holder's tokens for inventory."""
        fills = self.sorted_of(accounts.Fill)
        if fills:
            address, state = fills[pick % len(fills)]
            self.act(self.acme.correct_fill(address, WALLETS[wallet], raw, state.corrections, **self.operator(pick)))

    @rule(source=st.integers(0, 2), to=st.integers(0, 3), raw=SMALL)
    def tokens_are_sent(self, source: int, to: int, raw: int) -> None:
        """Between holders, or as dust to the escrow."""
        raw = min(raw, self.chain.balance(self.acme.tokens(WALLETS[source])) // 4 + 1)
        target = self.acme.escrow if to == 3 else self.acme.tokens(WALLETS[to])
        self.act(self.acme.transfer(self.acme.tokens(WALLETS[source]), WALLETS[source], target, raw))

    # Holds, holders, limits ------------------------------------------------------------------------------------------

    @rule(kind=st.sampled_from(HOLDING), scope=st.sampled_from(SCOPES), pick=PICK, life=st.sampled_from(LIVES))
    def somebody_holds(self, kind: RoleKind, scope: int, pick: int, life: int | None) -> None:
        """Any role, any scope, any life."""
        if self.all_of(accounts.Hold) and pick % 4 == 0:
            return
        self.hold_number += 1
        acting = self.acting(kind, pick, "owner")
        self.act(self.acme.place_hold(self.hold_number, scope, kind, life, **acting))

    @precondition(lambda self: self.of(accounts.Hold))
    @rule(pick=PICK, who=st.sampled_from(["owner", "anyone", "admin"]), cosigner=st.sampled_from(CONSENTS))
    def somebody_releases(self, pick: int, who: str, cosigner: RoleKind | None) -> None:
        """Any hold, mostly one that is live, by its owner, anyone or the admin, with any cosigner."""
        holds = self.sorted_of(accounts.Hold)
        live = [item for item in holds if item[1].released_at == 0]
        chosen = live if pick % 10 != 9 else holds
        if not chosen:
            return
        address, hold = chosen[pick // 10 % len(chosen)]
        authority = {"owner": hold.owner, "anyone": POOL[pick % len(POOL)], "admin": self.issuer.admin}[who]
        beside: dict[str, Any] = {}
        if cosigner is not None:
            signer = self.holder_of(cosigner, pick)
            beside = {"cosigner": signer, "cosigner_role": self.alpha.role(cosigner, signer)}
        role = self.alpha.role(hold.owner_kind, hold.owner)
        self.act(self.acme.release_hold(0, authority=authority, hold=address, owner_role=role, **beside))

    @rule(wallet=st.integers(0, 2), approve=st.integers(0, 3), pick=PICK)
    def compliance_decides(self, wallet: int, approve: int, pick: int) -> None:
        """Approves, for a short or a long time, or suspends."""
        acting = self.acting(RoleKind.COMPLIANCE, pick, "compliance")
        if approve:
            investor = digest(f"investor {wallet // 2}")
            until = self.chain.now + (HOUR if approve == 1 else 400 * DAY)
            self.act(self.alpha.approve_holder(WALLETS[wallet], approved_until=until, investor_id=investor, **acting))
        else:
            self.act(self.alpha.suspend_holder(WALLETS[wallet], **acting))

    @rule(pick=PICK, mint_cap=st.sampled_from([0, 100, 500, 2_000]), burn_cap=st.sampled_from([100, 500, 2_000]))
    def admin_limits(self, pick: int, mint_cap: int, burn_cap: int) -> None:
        """Tighter or looser."""
        operator = self.holder_of(RoleKind.OPERATOR, pick)
        self.act(self.acme.set_limit(mint_cap, burn_cap, HOUR, operator, admin=self.issuer.admin))

    # Powers ----------------------------------------------------------------------------------------------------------

    @rule(kind=st.sampled_from(KINDS), pick=PICK)
    def admin_grants(self, kind: RoleKind, pick: int) -> None:
        """Any role to any key; often one that few have."""
        if pick % 3 == 0:
            alive = [each.kind for each in self.all_of(accounts.Role) if self.chain.now < each.ends_at]
            kind = min(KINDS, key=alive.count)
        self.act(self.alpha.grant_role(kind, POOL[pick % len(POOL)], admin=self.issuer.admin))

    @rule(pick=PICK)
    def admin_revokes(self, pick: int) -> None:
        """Any role; seldom the last one of its kind, since little could happen afterwards."""
        roles = self.sorted_of(accounts.Role)
        alive = [each for each in roles if self.chain.now < each[1].ends_at]
        address, role = (alive if pick % 8 else roles)[pick % len(alive if pick % 8 else roles)]
        if pick % 7 and sum(each.kind is role.kind and self.chain.now < each.ends_at for _, each in roles) < 2:
            return
        self.act(self.alpha.revoke_role(role.kind, role.holder, admin=self.issuer.admin, role=address))

    @rule(pick=PICK, accept=st.booleans())
    def admin_moves(self, pick: int, accept: bool) -> None:
        """Proposes a key of the pool, or the proposed one accepts."""
        state = self.issuer
        if state.pending_admin_from and accept:
            self.act(self.alpha.accept_admin(state.pending_admin))
        else:
            pending = POOL[pick % len(POOL)] if pick % 3 == 2 else POOL[-1 - pick % 4]
            self.act(self.alpha.propose_admin(pending, admin=state.admin))

    @invariant()
    def laws_hold(self) -> None:
        """All of them, after every step."""
        steps[self.__class__.__name__] += 1
        self.check_laws()


def _first_tokens(chain: Chain, alpha: Issuer, acme: Security) -> None:
    """A reserve in force, and 300 tokens for each holder."""
    content = acme.content(HELD, as_of=chain.now)
    for attestor in POOL[:2]:
        role = alpha.role(RoleKind.ATTESTOR, attestor)
        chain.send(acme.attest(content, attestor=attestor, role=role))
    for wallet in WALLETS:
        order, operator = acme.do_open(wallet, "first", 300), POOL[3]
        role, limit = alpha.role(RoleKind.OPERATOR, operator), acme.limit(operator)
        movement = Movement(f"first {wallet}", 300)
        chain.send(acme.settle_subscription(order, movement, operator=operator, role=role, limit=limit))


@cache
def _built(permissioned: bool) -> tuple[Chain, Issuer, Security, State, int, Mirror]:
    """The start of every program of a kind, built once."""
    chain = Chain()
    alpha = Issuer(chain, "laws", delay=DELAY)
    chain.send(alpha.initialize())
    wanted = {RoleKind.ATTESTOR: 3, RoleKind.OPERATOR: 2, RoleKind.COMPLIANCE: 2, RoleKind.RECONCILIATION: 1,
              RoleKind.CORPORATE_ACTIONS: 3, RoleKind.DISTRIBUTOR: 2, RoleKind.PUBLISHER: 1}  # fmt: skip
    pool = iter(POOL)
    for kind, count in wanted.items():
        for _ in range(count):
            chain.send(alpha.grant_role(kind, next(pool)))
    chain.warp(DELAY)
    acting = {"compliance": POOL[5], "role": alpha.role(RoleKind.COMPLIANCE, POOL[5])}
    acme = Security(alpha, "LAWS", TERMS)
    chain.send(acme.list_security(permissioned=permissioned))
    for number, wallet in enumerate(WALLETS):
        chain.fund(wallet)
        chain.send(alpha.approve_holder(wallet, investor_id=digest(f"investor {number // 2}"), **acting))
    for wallet in (*WALLETS, CUSTODIAN_WALLET, OTHER_WALLET):
        chain.send(acme.create_tokens(wallet))
        if permissioned and wallet in WALLETS:
            chain.send(Control(acme).thaw_account(wallet, **acting))
    for operator in POOL[3:5]:
        chain.send(acme.set_limit(2_000, 2_000, HOUR, operator))
    chain.warp(DELAY)
    _first_tokens(chain, alpha, acme)
    prepare_payments(chain)
    return chain, alpha, acme, chain.state(), chain.now, Mirror(chain)


def _begun(permissioned: bool) -> tuple[Chain, Issuer, Security, Custodian, Mirror]:
    """A new program's start."""
    chain, alpha, acme, state, now, mirror = _built(permissioned)
    chain.restore(state, now)
    chain.known.intersection_update({*state, chain.fee_payer})
    return chain, alpha, acme, Custodian(HELD, [(0, HELD)]), mirror.copy()
