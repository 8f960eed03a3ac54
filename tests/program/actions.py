"""Builders of corporate actions; conventions as in issuers.py. `split`, `dividend` and `delisting` make the usual."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import remembered_addresses as addresses
from chain_in_process import Receipt, digest
from issuers import DAY, build
from securities import Security
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from tallystick.domain.identifiers import event_hash
from tallystick.program.generated import accounts, instructions, types
from tallystick.program.generated.types import ActionKind, RoleKind

CORPORATE_ACTIONS = RoleKind.CORPORATE_ACTIONS
NO_TERMS = types.ActionTerms(
    ex_at=0,
    record_at=0,
    pay_at=0,
    effective_at=0,
    numerator=0,
    denominator=0,
    gross_per_share=0,
    currency=bytes(3),
    withholding=0,
    evidence_hash=digest("notice of the custodian"),
)


@dataclass(frozen=True, slots=True)
class Action:
    """One version of an event of a security. `announcer` and `approver` are numbers of corporate actions keys."""

    security: Security
    kind: ActionKind
    terms: types.ActionTerms
    event: str = "EVENT 1"
    version: int = 1
    announcer: int = 1
    approver: int = 2

    @property
    def event_hash(self) -> bytes:
        """The hash of the event's id."""
        return event_hash(self.event)

    @property
    def address(self) -> Pubkey:
        """The action account."""
        return addresses.action_address(self.security.address, self.event_hash, self.version)

    @property
    def state(self) -> accounts.CorporateAction:
        """The account."""
        return self.security.chain.read(accounts.CorporateAction, self.address)

    def with_terms(self, **change: Any) -> Action:
        """The same with some terms changed."""
        return replace(self, terms=replace(self.terms, **change))

    def next(self, **change: Any) -> Action:
        """The version that replaces this one, some of its terms changed."""
        return replace(self.with_terms(**change), version=self.version + 1)

    def _key(self, number: int) -> Pubkey:
        return self.security.issuer.key(CORPORATE_ACTIONS, number)

    def _role(self, number: int) -> Pubkey:
        return self.security.issuer.role(CORPORATE_ACTIONS, number)

    # Instructions ----------------------------------------------------------------------------------------------------

    def announce(self, **change: Any) -> Instruction:
        """Announce it; a version above 1 in place of the one before."""
        params = types.AnnounceActionParams(self.event_hash, self.version, self.kind, self.terms)
        before = replace(self, version=self.version - 1).address if self.version > 1 else None
        return build(
            instructions.announce_action,
            change,
            payer=self.security.chain.payer,
            announcer=self._key(self.announcer),
            role=self._role(self.announcer),
            security=self.security.address,
            replaced=before,
            params=params,
        )

    def approve(self, **change: Any) -> Instruction:
        """Approve it as the second key."""
        return build(
            instructions.approve_action,
            change,
            approver=self._key(self.approver),
            role=self._role(self.approver),
            security=self.security.address,
            action=self.address,
        )

    def execute(self, **change: Any) -> Instruction:
        """Execute it as the announcer."""
        return build(
            instructions.execute_action,
            change,
            executor=self._key(self.announcer),
            role=self._role(self.announcer),
            approver_role=self._role(self.approver),
            security=self.security.address,
            action=self.address,
            mint=self.security.mint,
        )

    def cancel(self, kind: RoleKind = CORPORATE_ACTIONS, number: int = 1, **change: Any) -> Instruction:
        """Cancel it as a corporate actions key, or as a guardian."""
        issuer = self.security.issuer
        return build(
            instructions.cancel_action,
            change,
            authority=issuer.key(kind, number),
            role=issuer.role(kind, number),
            security=self.security.address,
            action=self.address,
            mint=self.security.mint,
            params=types.CancelActionParams(13, digest("reason")),
        )

    def retire(self, **change: Any) -> Instruction:
        """Retire the security as the announcer."""
        return build(
            instructions.retire_security,
            change,
            executor=self._key(self.announcer),
            role=self._role(self.announcer),
            approver_role=self._role(self.approver),
            security=self.security.address,
            action=self.address,
        )

    # Doing -----------------------------------------------------------------------------------------------------------

    def do_announce(self) -> Action:
        """Announce it."""
        self.security.chain.send(self.announce())
        return self

    def do_approve(self) -> Action:
        """Announce and approve it."""
        self.security.chain.send(self.announce(), self.approve())
        return self

    def do_execute(self) -> Receipt:
        """Announce, approve and execute it; a delisting after its notice. The last one's receipt."""
        self.do_approve()
        if self.kind is not ActionKind.DELISTING:
            return self.security.chain.send(self.execute())
        self.security.chain.set_time(self.terms.effective_at)
        return self.security.chain.send(self.retire())

    def do_take_effect(self) -> Action:
        """Announce, approve and execute it, and let it take effect."""
        self.do_execute()
        self.security.chain.set_time(self.terms.effective_at)
        return self


def split(security: Security, new: int, old: int = 1, **terms: Any) -> Action:
    """A split of `new` shares for `old` ones, forward or reverse, in effect after the policy's notice."""
    kind = ActionKind.FORWARD_SPLIT if new > old else ActionKind.REVERSE_SPLIT
    effective_at = security.chain.now + security.policy.notice
    action = Action(security, kind, replace(NO_TERMS, numerator=new, denominator=old, effective_at=effective_at))
    return action.with_terms(**terms)


def dividend(security: Security, gross: int = 24 * 10**16, **terms: Any) -> Action:
    """A cash dividend of `gross` x 10^-18 dollars a share, counted in a day and paid a day later."""
    now = security.chain.now
    action = Action(
        security,
        ActionKind.CASH_DIVIDEND,
        replace(
            NO_TERMS,
            ex_at=now + DAY,
            record_at=now + DAY,
            pay_at=now + 2 * DAY,
            gross_per_share=gross,
            currency=b"USD",
            withholding=1_500,
        ),
    )
    return action.with_terms(**terms)


def delisting(security: Security, **terms: Any) -> Action:
    """A delisting after the policy's notice."""
    effective_at = security.chain.now + security.policy.notice
    return Action(security, ActionKind.DELISTING, replace(NO_TERMS, effective_at=effective_at)).with_terms(**terms)
