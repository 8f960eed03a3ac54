"""A desk on which a month happens: orders of every outcome, a split, a dividend, control of holdings, daily closes."""

from __future__ import annotations

from datetime import UTC, datetime

from desk import ACCOUNT, DAY, movement
from paying_desk import PayingDesk
from solders.pubkey import Pubkey
from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.store.breaks import MemoryBreakStore
from tallystick.adapters.store.closes import MemoryCloseStore
from tallystick.adapters.store.registers import MemoryRegisterStore
from tallystick.domain.closes import DailyClose
from tallystick.domain.reserve_report.facts import Moment, ReportFacts
from tallystick.program.addresses import fill_address, movement_address
from tallystick.program.generated.types import RoleKind
from tallystick.program.token import (
    associated_token_address,
    create_associated_token_account_idempotent,
    transfer_checked,
)
from tallystick.services.corrections import plan_correct_fill
from tallystick.services.daily_close import close_day
from tallystick.services.holders import plan_approve_holder
from tallystick.services.holdings import Reason, plan_freeze, plan_thaw
from tallystick.services.movements import Part
from tallystick.services.plans import Plan, new_action
from tallystick.services.reconciliation_custody import DeclaredSecurity
from tallystick.services.redemption import (
    plan_accept_redemption,
    plan_request_redemption,
    plan_settle_redemption,
)
from tallystick.services.report_facts import gather_facts

PERIOD = 202609
"""The month that desks begin in."""
COURT = Reason("court order 7", 3)


class ReportingDesk(PayingDesk):
    """What is done to alice unless another is named."""

    names = (*PayingDesk.names, "compliance-2", "publisher", "alice-2", "bob-2")

    def __init__(self) -> None:
        super().__init__()
        self.closes = MemoryCloseStore()
        for name in ("publisher", "bob"):
            self.chain.ledger.airdrop(self[name], 100 * 10**9)

    async def begin(self) -> None:
        """Everything before the first order, with 1,000 shares attested, and every role that a month needs."""
        await self.ready()
        for name, kind in (
            ("publisher", RoleKind.PUBLISHER),
            ("distributor", RoleKind.DISTRIBUTOR),
            ("compliance-2", RoleKind.COMPLIANCE),
        ):
            await self.grant(name, kind)
        self.warp(2)
        self.write_mint()
        self.write_account("treasury", 10**12)
        for name in ("alice", "bob", "stranger", "heir", "pauper"):
            self.write_account(name)

    # Orders ----------------------------------------------------------------------------------------------------------

    async def ask(self, name: str, raw: int, reference: str, *, accept: bool = True) -> Pubkey:
        """A redemption, accepted unless said otherwise."""
        plan = await plan_request_redemption(
            self.chain, payer=self["payer"], security=self.security, wallet=self[name], reference=reference, raw=raw
        )
        await self.run(plan)
        order = self.order(name, reference)
        if accept:
            await self.run(
                await plan_accept_redemption(self.chain, payer=self["payer"], operator=self["operator"], order=order)
            )
        return order

    async def pay_out(self, order: Pubkey, raw: int, reference: str, shares: int | None = None) -> None:
        """Settle `raw` units of a redemption with a movement of its own."""
        shares = raw if shares is None else shares
        plan = await plan_settle_redemption(
            self.chain,
            payer=self["payer"],
            operator=self["operator"],
            security=self.security,
            movement=movement(f"OUT {reference}", shares),
            parts=[Part(order, raw)],
        )
        await self.run(plan)

    async def correct(self, name: str, reference: str, shares: int, corrected: int) -> None:
        """Undo part of what `give` minted, out of its own holder's tokens."""
        moved = movement_address(self.security, movement(f"IN {reference}", shares).hash)
        plan = await plan_correct_fill(
            self.chain,
            payer=self["payer"],
            operator=self["operator"],
            inventory_owner=self[name],
            fill=fill_address(moved, self.order(name, reference)),
            corrected_raw=corrected,
        )
        await self.run(plan)

    # Holdings --------------------------------------------------------------------------------------------------------

    def tokens_of(self, name: str) -> Pubkey:
        """Somebody's associated account of the security."""
        return associated_token_address(self[name], self.mint)

    async def move(self, source: str, destination: str, raw: int) -> None:
        """A holder moves tokens, as any wallet does; the receiver's account is made where it is missing."""
        make = create_associated_token_account_idempotent(payer=self["payer"], wallet=self[destination], mint=self.mint)
        transfer = transfer_checked(
            source=self.tokens_of(source),
            mint=self.mint,
            destination=self.tokens_of(destination),
            authority=self[source],
            amount=raw,
            decimals=6,
        )
        intent = f"move:{self.now}:{source}:{destination}:{raw}"
        action = new_action(intent, "move", (make, transfer), self["payer"], (self[source], "holder"))
        await self.run(Plan("move", (action,)))

    async def freeze(self, name: str = "alice") -> None:
        await self.run(
            await plan_freeze(
                self.chain,
                payer=self["payer"],
                security=self.security,
                compliance=self["compliance"],
                wallet=self[name],
                reason=COURT,
            )
        )

    async def thaw(self, name: str = "alice") -> None:
        await self.run(
            await plan_thaw(
                self.chain,
                payer=self["payer"],
                security=self.security,
                compliance=self["compliance"],
                wallet=self[name],
                reason=COURT,
            )
        )

    async def approve_as(self, name: str, investor: str) -> None:
        """Another wallet of an investor."""
        await self.run(
            await plan_approve_holder(
                self.chain,
                payer=self["payer"],
                issuer=self.issuer,
                compliance=self["compliance"],
                wallet=self[name],
                investor_id=investor.encode().ljust(32, b"."),
                classes=1,
                approved_until=self.now + 365 * DAY,
                evidence_hash=b"e" * 32,
            )
        )

    # The report ------------------------------------------------------------------------------------------------------

    @property
    def moment(self) -> Moment:
        """Now."""
        return Moment(self.chain.ledger.slot, self.now)

    @property
    def today(self) -> str:
        """The day that it is."""
        return datetime.fromtimestamp(self.now, UTC).date().isoformat()

    async def close(self) -> tuple[DailyClose, Moment]:
        """Close the day, and when that was."""
        made = await close_day(
            self.chain,
            self.issuer,
            self.today,
            [DeclaredSecurity(self.security, (ACCOUNT,))],
            [each.statement for each in await self.statements.list()],
            self.closes,
            MemoryBreakStore(),
            self.clock,
            registers=MemoryRegisterStore(),
        )
        return made, Moment(made.slot, made.block_time)

    async def gather(self, *moments: Moment, chain: Chain | None = None, period: int = PERIOD) -> ReportFacts:
        """The facts at the last of these moments."""
        return await gather_facts(chain or self.chain, self.issuer, period, moments[-1], moments, self.clock)
