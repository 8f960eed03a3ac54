"""Corporate actions of a security on a live cluster, through the plans that operators run and real signers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from live_books import signers
from live_cluster import Landed, Live, events_of
from live_issuer import Share, digest
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tallystick.domain.identifiers import event_hash
from tallystick.program import addresses
from tallystick.program.generated.types import ActionKind, ActionTerms, RoleKind
from tallystick.services.action_execution import plan_execute_action, plan_retire_security
from tallystick.services.corporate_actions import (
    plan_announce_action,
    plan_approve_action,
    plan_cancel_action,
)
from tallystick.services.plans import Plan, execute

CORPORATE_ACTIONS = RoleKind.CORPORATE_ACTIONS
NO_TERMS = ActionTerms(
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
class Actors:
    """Two corporate actions keys: one announces and executes, the other approves."""

    share: Share
    announcer: Keypair
    approver: Keypair

    def at(self, event: str) -> Pubkey:
        """The first version of an event."""
        return addresses.action_address(self.share.address, event_hash(event), 1)

    async def plan_announce(self, live: Live, event: str, kind: ActionKind, terms: ActionTerms) -> Plan:
        """By the one key."""
        return await plan_announce_action(
            live.chain,
            payer=live.payer.pubkey(),
            security=self.share.address,
            announcer=self.announcer.pubkey(),
            event_id=event,
            kind=kind,
            terms=terms,
        )

    async def plan_approve(self, live: Live, event: str) -> Plan:
        """By the other."""
        return await plan_approve_action(
            live.chain, payer=live.payer.pubkey(), approver=self.approver.pubkey(), action=self.at(event)
        )

    async def plan_execute(self, live: Live, event: str) -> Plan:
        """By the one key."""
        return await plan_execute_action(
            live.chain, payer=live.payer.pubkey(), executor=self.announcer.pubkey(), action=self.at(event)
        )

    async def plan_cancel(self, live: Live, event: str) -> Plan:
        """By the guardian."""
        return await plan_cancel_action(
            live.chain,
            payer=live.payer.pubkey(),
            authority=self.share.desk.guardian.pubkey(),
            action=self.at(event),
            reason="withdrawn by the company",
        )

    async def plan_retire(self, live: Live, event: str) -> Plan:
        """By the one key."""
        return await plan_retire_security(
            live.chain, payer=live.payer.pubkey(), executor=self.announcer.pubkey(), action=self.at(event)
        )

    async def carry_out(self, live: Live, plan: Plan) -> Landed:
        """Sign and send a plan of one transaction; what landed, with its events."""
        keys = (live.payer, self.announcer, self.approver, self.share.desk.guardian)
        [result] = await execute(plan, live.sender, signers(keys))
        assert result.require_done().signature is not None
        transaction = await live.transaction(result.require_done().signature)  # type: ignore[arg-type]
        return Landed(result, transaction, events_of(transaction))

    async def do_approve(self, live: Live, event: str, kind: ActionKind, terms: ActionTerms) -> None:
        """Announce and approve."""
        await self.carry_out(live, await self.plan_announce(live, event, kind, terms))
        await self.carry_out(live, await self.plan_approve(live, event))


async def appoint(live: Live, share: Share) -> Actors:
    """Two new keys with the role, in force."""
    actors, desk = Actors(share, Keypair(), Keypair()), share.desk
    keys = (actors.announcer, actors.approver)
    await asyncio.gather(*(live.send(*desk.grant(CORPORATE_ACTIONS, key)) for key in keys))
    await live.until(await live.now() + desk.delay)
    return actors


def ratio(new: int, old: int, effective_at: int) -> ActionTerms:
    """Terms that change the multiplier."""
    return replace(NO_TERMS, numerator=new, denominator=old, effective_at=effective_at)
