"""Compliance of a live issuer: two keys, and the plans of control that operators run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from live_books import signers
from live_cluster import Landed, Live, events_of
from live_issuer import DAY, Share, digest
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tallystick.program.addresses import seizure_address
from tallystick.program.generated.types import RoleKind, VetoSubject
from tallystick.services.holdings import Reason, plan_freeze, plan_reissue, plan_thaw
from tallystick.services.plans import Plan, execute
from tallystick.services.security_policy import plan_update_policy
from tallystick.services.seizures import plan_name_seizure_account, plan_propose_seizure, plan_seize, seizure_id
from tallystick.services.vetoes import plan_veto_setting

COURT = Reason("court order 7", 3)
CASE = "CASE-7"


@dataclass(frozen=True, slots=True)
class Control:
    """Compliance's first key is the desk's; `second` is another."""

    share: Share
    second: Keypair

    @property
    def first(self) -> Keypair:
        """The desk's compliance key."""
        return self.share.desk.compliance

    def seizure(self, wallet: Keypair) -> Pubkey:
        """The seizure CASE of a wallet's associated account."""
        return seizure_address(self.share.address, self.share.tokens(wallet), seizure_id(CASE))

    async def plan_freeze(self, live: Live, wallet: Keypair) -> Plan:
        """By the first key."""
        return await plan_freeze(
            live.chain,
            payer=live.payer.pubkey(),
            security=self.share.address,
            compliance=self.first.pubkey(),
            wallet=wallet.pubkey(),
            reason=COURT,
        )

    async def plan_thaw(self, live: Live, wallet: Keypair) -> Plan:
        """By the first key."""
        return await plan_thaw(
            live.chain,
            payer=live.payer.pubkey(),
            security=self.share.address,
            compliance=self.first.pubkey(),
            wallet=wallet.pubkey(),
            reason=COURT,
        )

    async def plan_propose(self, live: Live, wallet: Keypair, raw: int | None = None) -> Plan:
        """By the first key."""
        return await plan_propose_seizure(
            live.chain,
            payer=live.payer.pubkey(),
            security=self.share.address,
            compliance=self.first.pubkey(),
            wallet=wallet.pubkey(),
            reference=CASE,
            reason=COURT,
            raw=raw,
        )

    async def plan_seize(self, live: Live, wallet: Keypair) -> Plan:
        """By the second key."""
        return await plan_seize(
            live.chain, payer=live.payer.pubkey(), compliance=self.second.pubkey(), seizure=self.seizure(wallet)
        )

    async def plan_name(self, live: Live, wallet: Keypair) -> Plan:
        """A wallet's account as the seizure account, by the admin."""
        return await plan_name_seizure_account(
            live.chain, payer=live.payer.pubkey(), security=self.share.address, wallet=wallet.pubkey()
        )

    async def plan_reissue(self, live: Live, old: Keypair, new: Keypair) -> Plan:
        """By both keys."""
        return await plan_reissue(
            live.chain,
            payer=live.payer.pubkey(),
            security=self.share.address,
            compliance=self.first.pubkey(),
            second=self.second.pubkey(),
            old_wallet=old.pubkey(),
            new_wallet=new.pubkey(),
            evidence_hash=digest("affidavit"),
        )

    async def plan_policy(self, live: Live, changes: Mapping[str, int]) -> Plan:
        """By the admin."""
        return await plan_update_policy(
            live.chain, payer=live.payer.pubkey(), security=self.share.address, changes=changes
        )

    async def plan_veto(self, live: Live, subject: VetoSubject) -> Plan:
        """By the guardian."""
        return await plan_veto_setting(
            live.chain,
            payer=live.payer.pubkey(),
            security=self.share.address,
            guardian=self.share.desk.guardian.pubkey(),
            subject=subject,
        )

    async def carry_out(self, live: Live, plan: Plan) -> Landed:
        """Sign and send a plan of one transaction; what landed, with its events."""
        desk = self.share.desk
        keys = (live.payer, self.first, self.second, desk.admin, desk.guardian)
        [result] = await execute(plan, live.sender, signers(keys))
        signature = result.require_done().signature
        assert signature is not None
        transaction = await live.transaction(signature)
        return Landed(result, transaction, events_of(transaction))

    async def do_approve(self, live: Live, wallet: Keypair, investor: str) -> None:
        """A wallet of an investor."""
        until = await live.now() + 365 * DAY
        await live.send(*self.share.desk.approve(wallet.pubkey(), until, investor=investor))


async def appoint(live: Live, share: Share) -> Control:
    """A second compliance key, in force."""
    control, desk = Control(share, Keypair()), share.desk
    await live.send(*desk.grant(RoleKind.COMPLIANCE, control.second))
    await live.until(await live.now() + desk.delay)
    return control
