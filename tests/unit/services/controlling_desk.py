"""A desk with two compliance keys, a seizure account and the plans of control in one line each."""

from __future__ import annotations

from dataclasses import replace

from desk import DAY, SHARE, Desk
from solders.pubkey import Pubkey
from tallystick.adapters.chain.protocol import Account
from tallystick.program.generated.accounts import Security
from tallystick.program.generated.types import RoleKind
from tallystick.program.token import (
    ACCOUNT_SIZE,
    TOKEN_2022_PROGRAM,
    TokenAccountState,
    associated_token_address,
    transfer_checked,
)
from tallystick.services.chain_reads import require
from tallystick.services.holders import plan_approve_holder
from tallystick.services.holding_reads import Holding, find_holding
from tallystick.services.holdings import Reason, plan_freeze, plan_reissue, plan_thaw
from tallystick.services.plans import Plan, new_action
from tallystick.services.securities import plan_list_security, plan_set_limit
from tallystick.services.seizures import (
    find_seizures,
    plan_name_seizure_account,
    plan_propose_seizure,
    plan_seize,
)

COURT = Reason("court order 7", 3)
EVIDENCE = b"v" * 32


class ControllingDesk(Desk):
    """What is done to alice unless another is named."""

    names = (*Desk.names, "compliance-2", "alice-2", "treasury")

    async def ready(self, reserve: int = 1_000 * SHARE, *, permissioned: bool = False) -> None:
        """Everything before the first order; two compliance keys."""
        await self.initialize()
        await self.grant_all()
        await self.grant("compliance-2", RoleKind.COMPLIANCE)
        self.warp(2)
        spec = replace(self.spec(), permissioned=permissioned)
        await self.run(await plan_list_security(self.chain, payer=self["payer"], issuer=self.issuer, spec=spec))
        await self.run(
            await plan_set_limit(
                self.chain,
                payer=self["payer"],
                security=self.security,
                operator=self["operator"],
                mint_cap=10**6 * SHARE,
                burn_cap=10**6 * SHARE,
                window=DAY,
            )
        )
        self.warp(2)
        await self.approve("alice", "bob")
        await self.attest(reserve)

    def account(self, name: str) -> Pubkey:
        """Somebody's associated account."""
        return associated_token_address(self[name], self.mint)

    async def holding(self, name: str = "alice") -> Holding:
        """What somebody has."""
        return await find_holding(self.chain, self.security, self[name])

    async def listed(self) -> Security:
        """The security as it stands."""
        return await require(self.chain, Security, self.security)

    async def approve_as(self, name: str, investor: str, classes: int = 1) -> None:
        """A wallet of an investor."""
        await self.run(
            await plan_approve_holder(
                self.chain,
                payer=self["payer"],
                issuer=self.issuer,
                compliance=self["compliance"],
                wallet=self[name],
                investor_id=investor.encode().ljust(32, b"."),
                classes=classes,
                approved_until=self.now + 365 * DAY,
                evidence_hash=b"e" * 32,
            )
        )

    async def plan_freeze(self, name: str = "alice", by: str = "compliance", account: Pubkey | None = None) -> Plan:
        return await plan_freeze(
            self.chain,
            payer=self["payer"],
            security=self.security,
            compliance=self[by],
            wallet=self[name],
            reason=COURT,
            account=account,
        )

    async def plan_thaw(self, name: str = "alice", by: str = "compliance") -> Plan:
        return await plan_thaw(
            self.chain,
            payer=self["payer"],
            security=self.security,
            compliance=self[by],
            wallet=self[name],
            reason=COURT,
        )

    async def plan_propose(self, name: str = "alice", **changes: object) -> Plan:
        values: dict[str, object] = {
            "payer": self["payer"],
            "security": self.security,
            "compliance": self["compliance"],
            "wallet": self[name],
            "reference": "CASE-7",
            "reason": COURT,
        }
        return await plan_propose_seizure(self.chain, **(values | changes))  # type: ignore[arg-type]

    async def plan_seize(self, by: str = "compliance-2") -> Plan:
        [(seizure, _)] = await find_seizures(self.chain, self.security)
        return await plan_seize(self.chain, payer=self["payer"], compliance=self[by], seizure=seizure)

    async def plan_name(self, name: str | None = "treasury") -> Plan:
        wallet = None if name is None else self[name]
        return await plan_name_seizure_account(self.chain, payer=self["payer"], security=self.security, wallet=wallet)

    async def plan_reissue(self, second: str = "compliance-2", new: str = "alice-2", old: str = "alice") -> Plan:
        return await plan_reissue(
            self.chain,
            payer=self["payer"],
            security=self.security,
            compliance=self["compliance"],
            second=self[second],
            old_wallet=self[old],
            new_wallet=self[new],
            evidence_hash=EVIDENCE,
        )

    def plant(self, name: str, raw: int) -> Pubkey:
        """A second token account of somebody, of 165 bytes, as older wallets make them."""
        address = self["stranger"]
        amount = raw.to_bytes(8, "little")
        data = bytes(self.mint) + bytes(self[name]) + amount + bytes(36) + bytes([TokenAccountState.INITIALIZED])
        self.chain.ledger.set_account(address, Account(TOKEN_2022_PROGRAM, 10**9, data.ljust(ACCOUNT_SIZE, b"\0")))
        return address

    def transfer(self, source: str, destination: str, raw: int) -> Plan:
        """A holder moves tokens, as any wallet does."""
        instruction = transfer_checked(
            source=self.account(source),
            mint=self.mint,
            destination=self.account(destination),
            authority=self[source],
            amount=raw,
            decimals=6,
        )
        action = new_action(f"transfer:{self.now}", "transfer", instruction, self["payer"], (self[source], "holder"))
        return Plan("transfer", (action,))
