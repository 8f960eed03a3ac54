"""A dividend's desk: an approved action, a register at its record date, cash confirmed, and the keys that pay it.

Owners of the register need no tokens: what is under test begins at the register. The payment token is written past
every rule; the program that pays is the real one.
"""

from __future__ import annotations

from dataclasses import replace

from acting_desk import EVENT, NOTHING, ActingDesk
from desk import ACCOUNT, DECIMALS, ISIN, SHARE, key
from solders.pubkey import Pubkey
from tallystick.adapters.chain.protocol import Account
from tallystick.adapters.store.confirmations import MemoryConfirmationStore
from tallystick.adapters.store.payouts import MemoryPayoutStore
from tallystick.adapters.store.registers import MemoryRegisterStore
from tallystick.domain.amounts import MULTIPLIER_ONE, Quantity, parse_quantity
from tallystick.domain.confirmations import CashConfirmation, ConfirmationFunction
from tallystick.domain.dividends import HolderClass, PayoutRecord
from tallystick.domain.identifiers import event_hash
from tallystick.domain.record_register import Position, RecordRegister
from tallystick.domain.withholding import WithholdingRule, WithholdingTable
from tallystick.program.distribution_account import DistributionAccount
from tallystick.program.generated.types import ActionKind, ActionTerms, RoleKind
from tallystick.program.token import SPL_TOKEN_PROGRAM, associated_token_address, decode_token_account
from tallystick.services.distribution_books import follow_distribution, keep_bits
from tallystick.services.distribution_payments import plan_claim, plan_fund_distribution
from tallystick.services.distributions import (
    plan_approve_distribution,
    plan_close_distribution,
    plan_open_distribution,
)
from tallystick.services.dividend_plan import DividendPlan, compute_dividend, plan_dividend
from tallystick.services.dividend_rules import DividendRequest, DividendRules
from tallystick.services.payout_calls import PayoutCalls
from tallystick.services.payout_push import PushSettings, push
from tallystick.services.payout_report import PushReport
from tallystick.services.plans import Plan

MONEY = 6
CENTS = 10**MONEY
RENT = 10**7
YEAR = 365 * 24 * 3600
HOLDINGS = {
    "alice": (400 * SHARE, HolderClass.WALLET),
    "bob": (300 * SHARE + 500_001, HolderClass.WALLET),
    "stranger": (100 * SHARE, HolderClass.PROGRAM),
    "heir": (99 * SHARE, HolderClass.FROZEN),
    "authority": (50 * SHARE, HolderClass.INVENTORY),
    "pauper": (1, HolderClass.WALLET),
}
"""Who held how much at the record date, in raw units, and how each is paid."""
TABLE = WithholdingTable(
    (
        WithholdingRule("standard", 0, "2020-01-01", "withheld upstream"),
        WithholdingRule("treaty", 500, "2020-01-01", "article 10"),
    ),
    "standard",
    "opinion of counsel",
)


class PayingDesk(ActingDesk):
    """Everything of one event, EVENT; `rules` and `request` may be changed by name."""

    names = (*ActingDesk.names, "distributor", "treasury", "payout", "pauper")

    def __init__(self) -> None:
        super().__init__()
        self.registers = MemoryRegisterStore()
        self.confirmations = MemoryConfirmationStore()
        self.payouts = MemoryPayoutStore()
        self.payment = key("dollars").pubkey()
        for name in ("payout", "treasury", "distributor"):
            self.chain.ledger.airdrop(self[name], 100 * 10**9)

    @classmethod
    async def opened(cls) -> PayingDesk:
        """Ready, with the action approved, the register taken and the cash confirmed."""
        desk = cls()
        await desk.ready()
        await desk.grant("distributor", RoleKind.DISTRIBUTOR)
        desk.warp(2)
        await desk.approved(desk.terms(), ActionKind.CASH_DIVIDEND)
        await desk.registers.add(desk.register())
        await desk.confirmations.add(desk.confirmation())
        desk.write_mint()
        desk.write_account("treasury", 10**12)
        for name in ("alice", "bob", "stranger", "heir", "pauper"):
            desk.write_account(name)
        return desk

    def terms(self) -> ActionTerms:
        """0.24 USD a share, of which the custodian's country withholds 15%."""
        return replace(
            NOTHING,
            ex_at=self.now,
            record_at=self.now,
            pay_at=self.now,
            gross_per_share=24 * 10**16,
            currency=b"USD",
            withholding=1_500,
        )

    def register(self, **holdings: int) -> RecordRegister:
        """Of HOLDINGS, raw units of some changed by name."""
        positions = [
            Position(bytes(self[name]), holdings.get(name, raw), kind) for name, (raw, kind) in HOLDINGS.items()
        ]
        positions.sort(key=lambda position: position.owner)
        at = self._record_at
        return RecordRegister(
            security=bytes(self.security),
            event_hash=event_hash(EVENT),
            mint=bytes(self.mint),
            slot=100,
            block_time=at,
            record_at=at,
            supply=sum(position.raw for position in positions),
            decimals=DECIMALS,
            multiplier=MULTIPLIER_ONE,
            multiplier_bits=0x3FF0000000000000,
            root=b"r" * 32,
            witnesses=1,
            positions=tuple(positions),
        )

    def confirmation(self, **change: object) -> CashConfirmation:
        """Of 1,000 shares: 240 gross less 36 tax."""
        made = CashConfirmation(
            custodian_lei=ACCOUNT.custodian_lei,
            account=ACCOUNT.account,
            reference="CONF-1",
            function=ConfirmationFunction.NEW,
            event_id=EVENT,
            event_code="DVCA",
            isin=ISIN,
            eligible=Quantity(1_000),
            currency="USD",
            gross=Quantity(240),
            tax=Quantity(36),
            net=Quantity(204),
            posted="2026-09-20",
            record_date="",
            source_hash=b"c" * 32,
            format="MT566",
            received_at=self.now,
        )
        return replace(made, **change)  # type: ignore[arg-type]

    def rules(self, **change: object) -> DividendRules:
        """Paid in `payment`, at least a cent, no fee; bob by treaty."""
        made = DividendRules(
            payment_mints={"USD": self.payment},
            table=TABLE,
            refund_owner=self["treasury"],
            tax_classes={bytes(self["bob"]): "treaty"},
            minimum=parse_quantity("0.01"),
        )
        return replace(made, **change)  # type: ignore[arg-type]

    def request(self, **change: object) -> DividendRequest:
        """Of EVENT, claimed for a year."""
        made = DividendRequest(
            action=self.at(),
            event_id=EVENT,
            isin=ISIN,
            accounts=(ACCOUNT,),
            payout_key=self["payout"],
            expires_at=self._record_at + YEAR,
        )
        return replace(made, **change)  # type: ignore[arg-type]

    async def compute(
        self, rules: DividendRules | None = None, number: int | None = None, **change: object
    ) -> DividendPlan:
        """Kept nowhere."""
        stores = (self.registers, self.confirmations, self.payouts)
        asked = self.request(**change)
        return await compute_dividend(self.chain, *stores, rules or self.rules(), asked, number=number)

    async def plan(self, rules: DividendRules | None = None, **change: object) -> PayoutRecord:
        """Computed and kept."""
        stores = (self.registers, self.confirmations, self.payouts)
        return (await plan_dividend(self.chain, *stores, rules or self.rules(), self.request(**change))).record

    # Each step's plan ------------------------------------------------------------------------------------------------

    async def plan_open(self, record: PayoutRecord, by: str = "distributor", refund: str = "treasury") -> Plan:
        return await plan_open_distribution(
            self.chain, record, payer=self["payer"], distributor=self[by], refund_owner=self[refund]
        )

    async def plan_second(
        self, record: PayoutRecord, by: str = "actions-2", recomputed: PayoutRecord | None = None
    ) -> Plan:
        return await plan_approve_distribution(
            self.chain, self.payouts, record, payer=self["payer"], approver=self[by], recomputed=recomputed or record
        )

    async def plan_fund(self, record: PayoutRecord, by: str = "treasury", source: Pubkey | None = None) -> Plan:
        return await plan_fund_distribution(self.chain, record, payer=self["payer"], funder=self[by], source=source)

    async def plan_claim(self, record: PayoutRecord, name: str) -> Plan:
        return await plan_claim(self.chain, self.payouts, record, payer=self["payer"], wallet=self[name])

    async def plan_close(self, record: PayoutRecord, by: str = "distributor") -> Plan:
        return await plan_close_distribution(
            self.chain, record, payer=self["payer"], distributor=self[by], refund_owner=self["treasury"]
        )

    async def approve_it(self, record: PayoutRecord) -> None:
        """Opened and approved."""
        await self.run(await self.plan_open(record))
        await self.run(await self.plan_second(record))
        await follow_distribution(self.chain, self.payouts, record)

    async def funded(self, rules: DividendRules | None = None, **change: object) -> PayoutRecord:
        """Planned, opened, approved and funded."""
        record = await self.plan(rules, **change)
        await self.approve_it(record)
        await self.run(await self.plan_fund(record))
        found = await self.payouts.find(record.address)
        assert found is not None
        return found

    async def pushed(self, record: PayoutRecord, *suspended: str) -> PushReport:
        """Everybody who can be."""
        payer, address = self.signers[self["payout"]], Pubkey.from_bytes(record.address)
        left_out = [bytes(self[name]) for name in suspended]
        calls = await PayoutCalls.load(self.payouts, address, payer.pubkey, suspended=left_out)
        settings = PushSettings(unpaid_limit=10_000)
        return await push(self.chain, self.payouts, self.outbox, self.clock, calls, payer, settings=settings)

    async def closed(self, record: PayoutRecord) -> PayoutRecord:
        """Closed, and the store knows what was paid."""
        plan = await self.plan_close(record)
        await keep_bits(self.chain, self.payouts, record)
        await self.run(plan)
        return (await follow_distribution(self.chain, self.payouts, record))[0]

    # What is there ---------------------------------------------------------------------------------------------------

    def account_of(self, record: PayoutRecord) -> DistributionAccount:
        """The distribution as the chain has it."""
        found = self.chain.ledger.account(Pubkey.from_bytes(record.address))
        assert found is not None
        return DistributionAccount.decode(found.data)

    def money(self, name: str) -> int:
        """Base units in somebody's payment account."""
        found = self.chain.ledger.account(associated_token_address(self[name], self.payment, SPL_TOKEN_PROGRAM))
        return 0 if found is None else decode_token_account(found.data).amount

    def write_mint(self, decimals: int = MONEY) -> None:
        """The payment token."""
        authority = b"\1\0\0\0" + bytes(key("mint authority").pubkey())
        data = authority + (2**60).to_bytes(8, "little") + bytes([decimals, 1]) + authority
        self.chain.ledger.set_account(self.payment, Account(SPL_TOKEN_PROGRAM, RENT, data))

    def write_account(self, name: str, amount: int = 0, *, state: int = 1, held_by: str | None = None) -> None:
        """Somebody's associated payment account; state 2 is frozen."""
        address = associated_token_address(self[name], self.payment, SPL_TOKEN_PROGRAM)
        data = bytes(self.payment) + bytes(self[held_by or name]) + amount.to_bytes(8, "little")
        data = (data.ljust(108, b"\0") + bytes([state])).ljust(165, b"\0")
        self.chain.ledger.set_account(address, Account(SPL_TOKEN_PROGRAM, RENT, data))

    def close_account(self, name: str) -> None:
        """Somebody's payment account is gone."""
        address = associated_token_address(self[name], self.payment, SPL_TOKEN_PROGRAM)
        self.chain.ledger.set_account(address, Account(Pubkey.default(), 0, b""))

    async def approved(
        self, terms: ActionTerms | None = None, kind: ActionKind = ActionKind.CASH_DIVIDEND, *, event: str = EVENT
    ) -> Pubkey:
        """Announced by one key and approved by the other; its record date is the register's."""
        terms = terms or self.terms()
        self._record_at = terms.record_at
        return await super().approved(terms, kind, event=event)
