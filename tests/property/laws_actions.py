"""Corporate actions in the laws' state machine, and law 5: announced before done.

Some events are real, and the custodian's shares follow what is executed for them; some are made up by stolen keys.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from typing import Any

from actions import NO_TERMS, Action
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from laws_acting import NOTICE, PICK, Acting
from laws_world import (
    MULTIPLIER_ONE,
    Chain,
    Change,
    Custodian,
    Issuer,
    Mirror,
    Pubkey,
    Receipt,
    RoleKind,
    Security,
    accounts,
    events,
    types,
)
from solders.instruction import Instruction
from tallystick.program.generated.types import ActionKind, ActionStatus, SecurityStatus

CORPORATE_ACTIONS = RoleKind.CORPORATE_ACTIONS
SPLITS = (ActionKind.FORWARD_SPLIT, ActionKind.STOCK_DIVIDEND, ActionKind.REINVESTED_DIVIDEND)
CASH = (ActionKind.CASH_DIVIDEND, ActionKind.MERGER, ActionKind.SPIN_OFF)
FAIR = [(2, 1), (10, 1), (3, 2), (7, 3), (21, 20)]
RATIOS = [*FAIR, (11, 1), (1, 1), (2**64 - 1, 1), (2**64 - 1, 2**64 - 2), (0, 1), (1, 0)]
SMALLEST, LARGEST = MULTIPLIER_ONE // 100, 100 * MULTIPLIER_ONE
"""Between which real events keep the multiplier."""


@dataclass(slots=True)
class Announcement:
    """What was announced, when, under which policy, and who approved it."""

    action: Action
    at: int
    policy: types.Policy
    announcer: Pubkey
    real: bool
    approver: Pubkey | None = None
    approved_at: int = 0
    ended: bool = False


class ActionRules(Acting):
    """Anybody announces, approves, executes and cancels anything."""

    def begin(self, chain: Chain, alpha: Issuer, acme: Security, custodian: Custodian, mirror: Mirror) -> None:
        """A new program of steps."""
        super().begin(chain, alpha, acme, custodian, mirror)
        self.announced: dict[Pubkey, Announcement] = {}

    # Steps -----------------------------------------------------------------------------------------------------------

    @rule(
        kind=st.sampled_from([*SPLITS, ActionKind.REVERSE_SPLIT]), ratio=st.sampled_from(RATIOS),
        notice=st.sampled_from([0, NOTICE - 1, NOTICE, NOTICE + 60]), pick=PICK, real=st.booleans(),
    )  # fmt: skip
    def change_is_announced(self, kind: ActionKind, ratio: tuple[int, int], notice: int, pick: int, real: bool) -> None:
        """Of any ratio, with any notice; only a fair one is real."""
        numerator, denominator = ratio if kind is not ActionKind.REVERSE_SPLIT else ratio[::-1]
        terms = replace(NO_TERMS, numerator=numerator, denominator=denominator, effective_at=self.chain.now + notice)
        self._announce(Action(self.acme, kind, terms, self.fresh("event")), pick, real=real and self._is_fair(terms))

    @rule(kind=st.sampled_from([*CASH, ActionKind.CASH_DIVIDEND]), pick=PICK, bad=st.booleans())
    def cash_is_announced(self, kind: ActionKind, pick: int, bad: bool) -> None:
        """A dividend and its kind; some say what they may not."""
        now = self.chain.now
        terms = replace(
            NO_TERMS, ex_at=now, record_at=now, pay_at=now + 60, gross_per_share=10**18,
            currency=b"usd" if bad and pick % 2 else b"USD", numerator=int(bad and pick % 3 == 0),
        )  # fmt: skip
        self._announce(Action(self.acme, kind, terms, self.fresh("event")), pick, real=True)

    @precondition(lambda self: self.announced)
    @rule(pick=PICK, ratio=st.sampled_from(FAIR), version=st.sampled_from([1, 1, 1, 0, 2]))
    def action_is_corrected(self, pick: int, ratio: tuple[int, int], version: int) -> None:
        """By another version, which is mostly the next one; the notice starts anew."""
        old = self.pick_action(pick)
        if old is None:
            return
        action = old.action
        action = replace(action, version=action.version + version)
        if action.terms.numerator:
            up = action.terms.numerator >= action.terms.denominator
            numerator, denominator = ratio if up else ratio[::-1]
            action = action.with_terms(
                numerator=numerator, denominator=denominator, effective_at=self.chain.now + NOTICE
            )
        self._announce(action, pick, real=old.real and self._is_fair(action.terms), replaced=old.action.address)

    @precondition(lambda self: self.announced)
    @rule(pick=PICK, same=st.booleans())
    def action_is_approved(self, pick: int, same: bool) -> None:
        """By a second key, or by the one that announced it."""
        found = self.pick_action(pick, ActionStatus.ANNOUNCED)
        if found is not None:
            self._approve(found, found.announcer if same else self.second_key(found.announcer, pick))

    @precondition(lambda self: self.announced)
    @rule(pick=PICK, others_approval=st.booleans())
    def action_is_executed(self, pick: int, others_approval: bool) -> None:
        """Mostly one that was approved, with its approver's role or another's."""
        found = self.pick_action(pick, ActionStatus.APPROVED)
        if found is not None:
            self._execute(found, pick, self.holder_of(CORPORATE_ACTIONS, pick) if others_approval else found.approver)

    @precondition(lambda self: self.announced)
    @rule(pick=PICK, by_guardian=st.booleans())
    def action_is_cancelled(self, pick: int, by_guardian: bool) -> None:
        """Mostly one that was executed, at any time."""
        found = self.pick_action(pick, ActionStatus.EXECUTED)
        if found is not None:
            kind = RoleKind.GUARDIAN if by_guardian else CORPORATE_ACTIONS
            self.act(found.action.cancel(**self.acting(kind, pick, "authority")))

    @rule(
        ratio=st.sampled_from(FAIR), reverse=st.booleans(), pick=PICK, real=st.sampled_from([True, True, False]),
        wait=st.sampled_from([None, None, NOTICE - 1, NOTICE, NOTICE + 1]),
    )  # fmt: skip
    def split_goes_through(
        self, ratio: tuple[int, int], reverse: bool, pick: int, real: bool, wait: int | None
    ) -> None:
        """Announced, approved and executed; then its time may come."""
        numerator, denominator = ratio[::-1] if reverse else ratio
        kind = ActionKind.REVERSE_SPLIT if reverse else ActionKind.FORWARD_SPLIT
        notice = self.notice()
        terms = replace(NO_TERMS, numerator=numerator, denominator=denominator, effective_at=self.chain.now + notice)
        if not self._is_fair(terms):
            return
        action = Action(self.acme, kind, terms, self.fresh("event"))
        self._announce(action, pick, real=real)
        found = self.announced.get(action.address)
        if found is not None:
            self._approve(found, self.second_key(found.announcer, pick))
            self._execute(found, pick, found.approver)
            self.pass_time(0 if wait is None else wait + notice - NOTICE)

    @rule(pick=PICK, wait=st.sampled_from([0, NOTICE - 1, NOTICE, 2 * NOTICE]), enough=st.integers(0, 4))
    def security_is_delisted(self, pick: int, wait: int, enough: int) -> None:
        """Seldom, since little can happen afterwards."""
        if enough and self.security.status is SecurityStatus.ACTIVE:
            return
        terms = replace(NO_TERMS, effective_at=self.chain.now + self.notice())
        action = Action(self.acme, ActionKind.DELISTING, terms, self.fresh("event"))
        self._announce(action, pick, real=True)
        found = self.announced.get(action.address)
        if found is not None:
            self._approve(found, self.second_key(found.announcer, pick))
            self.pass_time(wait)
            self._retire(found, pick)

    @precondition(lambda self: self.announced)
    @rule(pick=PICK)
    def any_action_retires(self, pick: int) -> None:
        """Mostly not a delisting whose time came."""
        found = self.pick_action(pick, ActionStatus.APPROVED)
        if found is not None:
            self._retire(found, pick)

    # How -------------------------------------------------------------------------------------------------------------

    def notice(self) -> int:
        """The policy's, now."""
        return self.policy().notice

    def _is_fair(self, terms: types.ActionTerms) -> bool:
        """Whether a custodian would ever say so."""
        if (terms.numerator, terms.denominator) not in FAIR and (terms.denominator, terms.numerator) not in FAIR:
            return False
        return SMALLEST <= self.multiplier(2**62) * terms.numerator // terms.denominator <= LARGEST

    def pick_action(self, pick: int, status: ActionStatus | None = None) -> Announcement | None:
        """Mostly one of that status."""
        having = [
            self.announced[address]
            for address, each in self.sorted_of(accounts.CorporateAction)
            if status is None or each.status is status
        ]
        if not having or pick % 10 == 9:
            having = [self.announced[address] for address, _ in self.sorted_of(accounts.CorporateAction)]
        return having[pick // 10 % len(having)] if having else None

    def second_key(self, first: Pubkey, pick: int) -> Pubkey:
        """A corporate actions key, another if there is one."""
        found = self.holder_of(CORPORATE_ACTIONS, pick)
        return found if found != first else self.holder_of(CORPORATE_ACTIONS, pick + 1)

    def _announce(self, action: Action, pick: int, *, real: bool, **change: Any) -> None:
        who = self.holder_of(CORPORATE_ACTIONS, pick)
        made = Announcement(action, self.chain.now, self.policy(), who, real)
        call = action.announce(announcer=who, role=self.alpha.role(CORPORATE_ACTIONS, who), **change)
        known = self.announced.get(action.address)
        if self.act(call) is not None:
            assert known is None, "law 8: announced at an address that was used"
            self.announced[action.address] = made

    def _approve(self, found: Announcement, who: Pubkey) -> None:
        self.act(found.action.approve(approver=who, role=self.alpha.role(CORPORATE_ACTIONS, who)))

    def _execute(self, found: Announcement, pick: int, approver: Pubkey | None) -> None:
        shown = self.alpha.role(CORPORATE_ACTIONS, approver or found.announcer)
        acting = self.acting(CORPORATE_ACTIONS, pick, "executor")
        self.act(found.action.execute(approver_role=shown, **acting))

    def _retire(self, found: Announcement, pick: int) -> None:
        shown = self.alpha.role(CORPORATE_ACTIONS, found.approver or found.announcer)
        self.act(found.action.retire(approver_role=shown, **self.acting(CORPORATE_ACTIONS, pick, "executor")))

    # Law 5 -----------------------------------------------------------------------------------------------------------

    def check_receipt(self, receipt: Receipt, call: Instruction) -> None:
        """Follow every action, and prove of what was executed that it was announced, approved and within bounds."""
        for event in receipt.events:
            match event:
                case events.ActionAnnounced():
                    self._in_force(CORPORATE_ACTIONS, event.announcer)
                    if event.action_version > 1:
                        assert not self._did_execute(event.replaces), "law 5: replaced after it was executed"
                        self.announced[event.replaces].ended = True
                case events.ActionApproved():
                    self._law_5_approval(event)
                case events.ActionExecuted():
                    self._law_5_execution(event)
                case events.ActionCancelled():
                    self._law_5_cancellation(event)
                case events.SecurityRetired():
                    found = self._law_5_approved(event.action)
                    assert found.action.kind is ActionKind.DELISTING
                    assert self.chain.now >= found.action.terms.effective_at >= found.at + found.policy.notice
                case events.SubscriptionOpened() | events.SubscriptionSettled():
                    assert self.security.status is SecurityStatus.ACTIVE, "a retired security mints"
                case _:
                    pass
        super().check_receipt(receipt, call)

    def _did_execute(self, action: Pubkey) -> bool:
        return any(each.action == action for each in self.changes)

    def _law_5_approval(self, event: events.ActionApproved) -> None:
        found = self.announced[event.action]
        assert event.approver != found.announcer, "law 5: approved by its announcer"
        assert found.approver is None, "law 5: approved twice"
        assert not found.ended, "law 5: approved after its end"
        self._in_force(CORPORATE_ACTIONS, event.approver)
        found.approver, found.approved_at = event.approver, self.chain.now

    def _law_5_approved(self, action: Pubkey) -> Announcement:
        found = self.announced[action]
        assert not found.ended, "law 5: executed twice, or after its end"
        assert found.approver is not None, "law 5: nobody approved it"
        self._in_force(CORPORATE_ACTIONS, found.approver, found.approved_at)
        found.ended = True
        return found

    def _law_5_execution(self, event: events.ActionExecuted) -> None:
        found, now = self._law_5_approved(event.action), self.chain.now
        self._in_force(CORPORATE_ACTIONS, event.executed_by)
        terms = found.action.terms
        assert terms.effective_at - found.at >= found.policy.notice, "law 5: too short a notice"
        assert now < terms.effective_at == event.effective_at, "law 5: executed after its time"
        assert all(each.effective_at <= now for each in self.changes), "law 5: while another change pends"
        policy, ratio = self.policy(), Fraction(terms.numerator, terms.denominator)
        most = Fraction(policy.max_change_numerator, policy.max_change_denominator)
        assert 1 / most <= ratio <= most, "law 5: outside the bound"
        before = self.multiplier()
        after = before * terms.numerator // terms.denominator
        assert (event.multiplier_before, event.multiplier_after) == (before, after)
        assert after > 0
        self.changes.append(
            Change(event.action, terms.effective_at, before, after, terms.numerator, terms.denominator, found.real)
        )

    def _law_5_cancellation(self, event: events.ActionCancelled) -> None:
        role = self.of(accounts.Role)
        kinds = [
            kind
            for kind in (CORPORATE_ACTIONS, RoleKind.GUARDIAN)
            if (found := role.get(self.alpha.role(kind, event.cancelled_by))) is not None
            and found.in_force_from <= self.chain.now < found.ends_at
        ]
        assert kinds, "law 5: cancelled by nobody who may"
        self.announced[event.action].ended = True
        for each in [each for each in self.changes if each.action == event.action]:
            assert self.chain.now < each.effective_at, "law 5: cancelled after it took effect"
            self.changes.remove(each)

    def check_now(self) -> None:
        """Law 5 too: the multiplier is what the executed actions make it, here and in Token-2022, now and later."""
        super().check_now()
        now, state = self.chain.now, self.security
        shown = self.minted.extensions.scaled_ui_amount
        assert shown is not None
        ahead = [each.effective_at for each in self.changes if each.effective_at > now]
        for when in (now, *(each + offset for each in ahead for offset in (-1, 0, 1))):
            matured = state.multiplier_effective_at != 0 and when >= state.multiplier_effective_at
            exact = state.pending_multiplier if matured else state.multiplier
            assert exact == self.multiplier(when), "law 5: the multiplier"
            assert is_greatest_double_below(shown.current_bits(when), exact), "law 5: the chain's multiplier"


@cache
def is_greatest_double_below(bits: int, exact: int) -> bool:
    """Whether the double of these bits is the greatest that is not above the multiplier."""
    value: float = struct.unpack("<d", struct.pack("<Q", bits))[0]
    return Fraction(value) <= Fraction(exact, MULTIPLIER_ONE) < Fraction(math.nextafter(value, math.inf))
