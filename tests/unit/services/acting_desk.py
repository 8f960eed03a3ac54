"""A desk with two corporate actions keys, and the plans of corporate actions in one line each."""

from __future__ import annotations

from dataclasses import replace

from desk import SHARE, Desk
from solders.pubkey import Pubkey
from tallystick.domain.identifiers import event_hash
from tallystick.program.addresses import action_address
from tallystick.program.generated.accounts import CorporateAction, Security
from tallystick.program.generated.types import ActionKind, ActionTerms, RoleKind
from tallystick.services.action_execution import plan_execute_action, plan_retire_security
from tallystick.services.chain_reads import require
from tallystick.services.corporate_actions import (
    plan_announce_action,
    plan_approve_action,
    plan_cancel_action,
)
from tallystick.services.plans import Plan

NOTICE, WINDOW = 100, 50
EVENT = "CA-1"
NOTHING = ActionTerms(
    ex_at=0,
    record_at=0,
    pay_at=0,
    effective_at=0,
    numerator=0,
    denominator=0,
    gross_per_share=0,
    currency=bytes(3),
    withholding=0,
    evidence_hash=b"e" * 32,
)


class ActingDesk(Desk):
    """What is done of an event EVENT unless another is named."""

    async def ready(self, reserve: int = 1_000 * SHARE, **policy: int) -> None:
        """Everything before the first action: short notice, and both keys in force; `policy` beside that."""
        await self.initialize()
        await self.grant_all()
        for name in ("actions-1", "actions-2"):
            await self.grant(name, RoleKind.CORPORATE_ACTIONS)
        self.warp(2)
        await self.list(**{"notice": NOTICE, "change_window": WINDOW, **policy})
        await self.approve("alice", "bob")
        await self.attest(reserve)

    def at(self, event: str = EVENT, version: int = 1) -> Pubkey:
        """Where a version of an action is."""
        return action_address(self.security, event_hash(event), version)

    def split(self, new: int = 4, old: int = 1, *, after: int = 2 * NOTICE, **changes: object) -> ActionTerms:
        """A ratio that takes effect `after` seconds from now."""
        terms = replace(NOTHING, numerator=new, denominator=old, effective_at=self.now + after)
        return replace(terms, **changes)  # type: ignore[arg-type]

    async def plan_announce(
        self,
        terms: ActionTerms,
        kind: ActionKind = ActionKind.FORWARD_SPLIT,
        *,
        event: str = EVENT,
        by: str = "actions-1",
        corrects: bool = False,
    ) -> Plan:
        return await plan_announce_action(
            self.chain,
            payer=self["payer"],
            security=self.security,
            announcer=self[by],
            event_id=event,
            kind=kind,
            terms=terms,
            corrects=corrects,
        )

    async def plan_approve(
        self, action: Pubkey | None = None, by: str = "actions-2", evidence: bytes | None = None
    ) -> Plan:
        return await plan_approve_action(
            self.chain,
            payer=self["payer"],
            approver=self[by],
            action=action or self.at(),
            evidence_hash=evidence,
        )

    async def plan_cancel(self, action: Pubkey | None = None, by: str = "actions-1") -> Plan:
        return await plan_cancel_action(
            self.chain, payer=self["payer"], authority=self[by], action=action or self.at(), reason="withdrawn"
        )

    async def plan_execute(self, action: Pubkey | None = None, by: str = "actions-1") -> Plan:
        return await plan_execute_action(self.chain, payer=self["payer"], executor=self[by], action=action or self.at())

    async def plan_retire(self, action: Pubkey | None = None, by: str = "actions-1") -> Plan:
        return await plan_retire_security(
            self.chain, payer=self["payer"], executor=self[by], action=action or self.at()
        )

    async def approved(
        self, terms: ActionTerms | None = None, kind: ActionKind = ActionKind.FORWARD_SPLIT, *, event: str = EVENT
    ) -> Pubkey:
        """Announced by one key and approved by the other."""
        await self.run(await self.plan_announce(terms or self.split(), kind, event=event))
        await self.run(await self.plan_approve(self.at(event)))
        return self.at(event)

    async def executed(
        self, terms: ActionTerms | None = None, kind: ActionKind = ActionKind.FORWARD_SPLIT, *, event: str = EVENT
    ) -> Pubkey:
        """Approved, and waiting for its effective time."""
        action = await self.approved(terms, kind, event=event)
        await self.run(await self.plan_execute(action))
        return action

    async def action(self, version: int = 1, event: str = EVENT) -> CorporateAction:
        """The account of an action."""
        return await require(self.chain, CorporateAction, self.at(event, version))

    async def account(self) -> Security:
        """The account of the security."""
        return await require(self.chain, Security, self.security)

    async def until(self, moment: int) -> None:
        """Let time pass until a moment."""
        if moment > self.now:
            self.warp(moment - self.now)
