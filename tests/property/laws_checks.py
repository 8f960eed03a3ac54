"""The laws of the program, checked against the chain's accounts and an honest custodian's books."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeVar, cast

from chain_in_process import Refusal
from laws_world import (
    COUNTERS,
    EXCLUSIVE,
    FIXED,
    MULTIPLIER_ONE,
    Chain,
    Change,
    Custodian,
    FillKind,
    Issuer,
    Mirror,
    Movement,
    OrderKind,
    OrderStatus,
    Pubkey,
    Receipt,
    RoleKind,
    Security,
    accounts,
    events,
    shares_up,
    types,
)  # fmt: skip
from solders.account import Account
from solders.instruction import Instruction
from tallystick.program.generated.errors import ERRORS
from tallystick.program.layout import AccountLayout

Layout = TypeVar("Layout", bound=AccountLayout)
NAMES = {each.name for each in ERRORS.values()}
FRAMEWORK = {
    "AccountNotInitialized", "AccountOwnedByWrongProgram", "ConstraintSeeds", "ConstraintAddress", "system:0",
    "token:1", "token:17", "token:67",
}  # fmt: skip
"""Refusals that are not ours: no such account; too few tokens (1); frozen (17); paused (67). Anything else is a panic
or a hole."""
ENDED = (OrderStatus.SETTLED, OrderStatus.CANCELLED, OrderStatus.WITHDRAWN)
HELD_BY_MINT = (events.SubscriptionSettled,)
HELD_BY_REDEEM = (events.RedemptionRequested, events.RedemptionSettled)
EXPIRE = (
    RoleKind.OPERATOR, RoleKind.RECONCILIATION, RoleKind.DISTRIBUTOR, RoleKind.PUBLISHER, RoleKind.GUARDIAN,
)  # fmt: skip
"""Whose holds end by themselves: those of machines, and the guardian's."""
LARGEST_CAP, WINDOW = 2_000, 3_600


@dataclass(frozen=True, slots=True)
class Delivery:
    """When and by which movement the shares of a redemption left custody."""

    when: int
    movement: Movement


class LawChecks:
    """The model beside the chain, and what must be true of both."""

    chain: Chain
    alpha: Issuer
    acme: Security
    custodian: Custodian

    def begin(self, chain: Chain, alpha: Issuer, acme: Security, custodian: Custodian, mirror: Mirror) -> None:
        """A new program of steps."""
        self.chain, self.alpha, self.acme, self.custodian, self.mirror = chain, alpha, acme, custodian, mirror
        self.started = chain.now
        self.moved, self.checked_at = True, 0
        self.changes: list[Change] = []
        self.split_by: set[Pubkey] = set()
        self.movements: list[Movement] = []
        self.delivered: dict[Pubkey, Delivery] = {}
        self.used: dict[tuple[Pubkey, str], list[tuple[int, int]]] = {}
        self.hold_number = self.names = 0
        self.minted = acme.minted
        self.given: dict[Pubkey, Account | None] = {}

    def of(self, kind: type[Layout]) -> dict[Pubkey, Layout]:
        """Accounts of a type as of the last check."""
        return cast("dict[Pubkey, Layout]", self.mirror.by_type[kind])

    def sorted_of(self, kind: type[Layout]) -> list[tuple[Pubkey, Layout]]:
        """The same in an order that is the same in every run."""
        return sorted(self.of(kind).items(), key=lambda item: bytes(item[0]))

    def all_of(self, kind: type[Layout]) -> list[Layout]:
        """The same without addresses."""
        return list(self.of(kind).values())

    def fresh(self, name: str) -> str:
        """A name used once."""
        self.names += 1
        return f"{name} {self.names}"

    # The custodian's side --------------------------------------------------------------------------------------------

    def pass_time(self, seconds: int) -> None:
        """The clock moves; a real change of the multiplier whose time came splits the custodian's shares then."""
        self.chain.warp(seconds)
        for each in self.changes:
            if each.action not in self.split_by and self.chain.now >= each.effective_at:
                self.split_by.add(each.action)
                if each.real:
                    held = self.custodian.held
                    self.custodian.move(held * each.numerator // each.denominator - held, each.effective_at)

    def multiplier(self, when: int | None = None) -> int:
        """In force then, or now, by the actions that were executed and not cancelled."""
        when = self.chain.now if when is None else when
        return next((each.after for each in reversed(self.changes) if each.effective_at <= when), MULTIPLIER_ONE)

    def receive(self, shares: int) -> Movement:
        """Shares come in, a second after whatever was stated before."""
        self.pass_time(1)
        self.custodian.move(shares, self.chain.now)
        self.movements.append(Movement(self.fresh("in"), shares))
        return self.movements[-1]

    def deliver(self, order: Pubkey) -> None:
        """Shares of an accepted redemption go out, once."""
        state = self.chain.read(accounts.Order, order)
        if state.status is not OrderStatus.ACCEPTED or order in self.delivered:
            return
        raw = state.quantity - state.filled
        shares = min(raw * self.multiplier() // MULTIPLIER_ONE, self.custodian.held)
        if shares:
            self.pass_time(1)
            self.custodian.move(-shares, self.chain.now)
            self.movements.append(Movement(self.fresh("out"), shares))
            self.delivered[order] = Delivery(self.chain.now, self.movements[-1])

    def pick_movement(self, pick: int, fake: bool, shares: int) -> Movement:
        """One of the books, or one made up."""
        if fake or not self.movements:
            return Movement(self.fresh("made up"), shares)
        return self.movements[-1 - pick % len(self.movements)]

    def headroom(self) -> int:
        """Shares that the program will still mint for, by its own numbers."""
        state = self.security
        left = state.reserve - max(0, state.redeemed - state.reserve_redeemed)
        bound = left * (10_000 - self.policy().margin) // 10_000
        return bound - shares_up(self.minted.supply, self.multiplier())

    def honest_content(self, as_of: int, *, unsettled: bool) -> types.AttestationContent:
        """What was held, and how much of what was redeemed had left, at the as-of."""
        shares = self.custodian.held_at(as_of)
        redeemed = sum(each.shares for each in self._burns() if self._had_left(each.order, as_of))
        if unsettled:
            live = [order for order, each in self.of(accounts.Order).items() if each.status is OrderStatus.ACCEPTED]
            redeemed += sum(self.delivered[each].movement.shares for each in live if self._had_left(each, as_of))
        lines = self.acme.content(shares, as_of=as_of).lines
        security = self.security
        supersedes = security.attestation if as_of == security.reserve_as_of else Pubkey.default()
        return types.AttestationContent(as_of, shares, redeemed, supersedes, lines)

    def _burns(self) -> list[accounts.Fill]:
        return [each for each in self.all_of(accounts.Fill) if each.kind is FillKind.BURN]

    def _had_left(self, order: Pubkey, as_of: int) -> bool:
        return order in self.delivered and self.delivered[order].when <= as_of

    # After an attempt ------------------------------------------------------------------------------------------------

    def before(self, *calls: Instruction) -> dict[Pubkey, Account | None]:
        """Every account that a transaction of these calls is given; it can change no other."""
        named = {meta.pubkey for call in calls for meta in call.accounts} - {self.chain.fee_payer}
        return {address: self.chain.find(address) for address in named}

    def check_refusal(self, refusal: Refusal, before: dict[Pubkey, Account | None]) -> None:
        """A refusal is a named error, and nothing moved."""
        assert refusal.name in NAMES | FRAMEWORK, refusal
        for address, account in before.items():
            assert self.chain.find(address) == account, f"{address} moved: {refusal}"

    def check_receipt(self, receipt: Receipt, call: Instruction) -> None:
        """Law 1 after a mint, and what the operator used of its limit (law 7)."""
        for event in receipt.events:
            if isinstance(event, HELD_BY_MINT):
                self._not_held(1)
            elif isinstance(event, HELD_BY_REDEEM):
                self._not_held(2)
            if isinstance(event, events.HoldReleased):
                self._law_6_release(event, call)
            if isinstance(event, events.SubscriptionSettled):
                self._law_1_backing()
                self._used(call, "mint", event.raw)
            elif isinstance(event, (events.RedemptionSettled, events.FillCorrected)):
                self._used(call, "burn", event.raw)

    def _in_force(self, kind: RoleKind, who: Pubkey, since: int | None = None) -> None:
        role = self.of(accounts.Role).get(self.alpha.role(kind, who))
        assert role is not None, f"law 7: {who} has no role"
        since = self.chain.now if since is None else since
        assert role.in_force_from <= since <= self.chain.now < role.ends_at, f"law 7: {kind.name} not in force"

    def is_in_force(self, kind: RoleKind, who: Pubkey) -> bool:
        """Whether a key may act as that now."""
        role = self.of(accounts.Role).get(self.alpha.role(kind, who))
        return role is not None and role.in_force_from <= self.chain.now < role.ends_at

    def _not_held(self, bit: int) -> None:
        live = [each for each in self.all_of(accounts.Hold) if each.released_at == 0]
        assert not any(each.scope & (bit | 4) for each in live), "law 6: in spite of a hold"

    def _law_6_release(self, event: events.HoldReleased, call: Instruction) -> None:
        hold = self.of(accounts.Hold)[event.hold]
        if self.chain.now >= hold.expires_at:
            return
        beside = {each.pubkey for each in call.accounts if each.is_signer}
        if self.is_in_force(hold.owner_kind, hold.owner):
            assert event.released_by == hold.owner, "law 6: released by another than its owner"
            wanted = RoleKind.COMPLIANCE if hold.owner_kind is RoleKind.RECONCILIATION else None
        else:
            assert event.released_by == self.issuer.admin, "law 6: released by another than the admin"
            wanted = RoleKind.GUARDIAN
        assert wanted is None or any(self.is_in_force(wanted, each) for each in beside), "law 6: without consent"

    def _used(self, call: Instruction, what: str, raw: int) -> None:
        operator = call.accounts[1].pubkey
        uses = self.used.setdefault((operator, what), [])
        uses.append((self.chain.now, raw))
        total = 0
        for when, amount in reversed(uses):
            total += amount
            span = max(0, self.chain.now - when)
            assert total <= LARGEST_CAP - (-LARGEST_CAP * span // WINDOW), "law 7: more than the limit recovers"

    def _law_1_backing(self) -> None:
        security, now = self.security, self.chain.now
        as_of = security.reserve_as_of
        assert security.reserve == self.custodian.held_at(as_of), "the reserve in force is what was held"
        assert 0 <= now - as_of <= self.policy().max_attestation_age, "a fresh reserve"
        left = sum(each.shares for each in self._burns() if not self._had_left(each.order, as_of))
        bound = (security.reserve - left) * (10_000 - self.policy().margin) // 10_000
        owed = shares_up(self.minted.supply, self.multiplier())
        assert owed <= bound, f"law 1: {owed} owed, {bound} backed ({left} left since the as-of)"

    # After every step ------------------------------------------------------------------------------------------------

    def look(self, touched: Collection[Pubkey]) -> None:
        """Read again what an accepted transaction was given."""
        for address in touched:
            self._law_8_history(address, *self.mirror.read(address))
        if self.acme.mint in touched:
            self.minted = self.acme.minted
        self.moved = True

    @property
    def security(self) -> accounts.Security:
        """The security, as it is."""
        return self.of(accounts.Security)[self.acme.address]

    def policy(self) -> types.Policy:
        """The policy in force."""
        state = self.security
        return state.pending_policy if 0 < state.pending_policy_from <= self.chain.now else state.policy

    @property
    def issuer(self) -> accounts.Issuer:
        """The issuer, as it is."""
        return self.of(accounts.Issuer)[self.alpha.address]

    def check_laws(self) -> None:
        """What accepted transactions, or time, may have broken."""
        if self.moved or self.checked_at != self.chain.now:
            self.moved, self.checked_at = False, self.chain.now
            self.check_now()

    def check_now(self) -> None:
        """Laws 2, 3, 6 and 7; areas add theirs."""
        self._law_2_supply()
        self._law_3_escrow()
        self._law_6_holds()
        self._law_7_powers()

    def _law_2_supply(self) -> None:
        security, fills = self.security, self.of(accounts.Fill)
        minted = sum(each.raw for each in fills.values() if each.kind is FillKind.MINT)
        burnt = sum(each.raw for each in fills.values() if each.kind is not FillKind.MINT)
        assert (security.minted, security.burnt) == (minted, burnt)
        assert self.minted.supply == minted - burnt
        of_movement, of_order, of_fill = (defaultdict[Pubkey, list[accounts.Fill]](list) for _ in range(3))
        for each in fills.values():
            if each.kind is FillKind.CORRECTION:
                of_fill[each.corrects].append(each)
            else:
                of_movement[each.movement].append(each)
                of_order[each.order].append(each)
        for address, movement in self.of(accounts.Movement).items():
            kind = FillKind.MINT if movement.direction is types.Direction.IN else FillKind.BURN
            assert all(each.kind is kind for each in of_movement[address])
            assert sum(each.shares for each in of_movement[address]) == movement.allocated <= movement.shares
        for address, fill in fills.items():
            assert sum(each.raw for each in of_fill[address]) == fill.corrected_raw <= fill.raw
        for address, order in self.of(accounts.Order).items():
            unit = "shares" if order.kind is OrderKind.SUBSCRIPTION else "raw"
            assert sum(getattr(each, unit) for each in of_order[address]) == order.filled <= order.quantity

    def _law_3_escrow(self) -> None:
        security = self.security
        live = {
            address: each
            for address, each in self.of(accounts.Order).items()
            if each.kind is OrderKind.REDEMPTION and each.status not in ENDED
        }
        rest = {address: each.quantity - each.filled for address, each in live.items()}
        accepted = sum(rest[address] for address, each in live.items() if each.status is OrderStatus.ACCEPTED)
        assert security.escrowed == sum(rest.values()) <= self.chain.balance(self.acme.escrow)
        assert security.accepted == accepted
        for address, order in live.items():
            deadline = order.settle_by if order.status is OrderStatus.ACCEPTED else order.accept_by
            refusal = self.chain.would(self.acme.withdraw_redemption(address))
            if self.chain.now <= deadline:
                assert refusal == "DeadlineNotPassed"
            else:
                frozen = self.chain.token(self.acme.tokens(order.holder)).frozen
                reasons = {"token:67"} if security.transfer_holds else set[str]()
                assert refusal in (reasons | {"token:17"} if frozen else reasons or {None}), refusal

    def _law_6_holds(self) -> None:
        security = self.security
        live = [each for each in self.all_of(accounts.Hold) if each.released_at == 0]
        for bit, count in ((1, security.mint_holds), (2, security.redeem_holds), (4, security.transfer_holds)):
            assert sum(bool(each.scope & bit) for each in live) == count
        pausable = self.minted.extensions.pausable
        assert pausable is not None
        assert pausable.paused == (security.transfer_holds > 0)
        assert all(each.expires_at - each.placed_at <= 72 * 3_600 for each in live if each.owner_kind in EXPIRE)

    def _law_7_powers(self) -> None:
        now, issuer = self.chain.now, self.issuer
        held: dict[Pubkey, list[RoleKind]] = {}
        for role in self.all_of(accounts.Role):
            if role.kind in EXCLUSIVE and now < role.ends_at:
                held.setdefault(role.holder, []).append(role.kind)
            waited = role.in_force_from - role.granted_at
            assert waited == issuer.delay or (role.holder == self.alpha.key(RoleKind.GUARDIAN) and waited == 0)
        assert all(len(kinds) == 1 for kinds in held.values()), held
        assert issuer.admin not in held

    def _law_8_history(self, address: Pubkey, old: AccountLayout | None, new: AccountLayout | None) -> None:
        if old is None:
            return
        assert type(new) is type(old), f"law 8: {address} is gone"
        for field in COUNTERS.get(type(old), ()):
            assert getattr(new, field) >= getattr(old, field), f"law 8: {field} went down"
        for field in FIXED.get(type(old), ()):
            assert getattr(new, field) == getattr(old, field), f"law 8: {field} changed"
        if isinstance(old, accounts.Order) and old.status in ENDED:
            assert new == old, "law 8: an order that ended"
