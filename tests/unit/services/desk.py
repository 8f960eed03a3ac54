"""One issuer's desk for tests: a cluster in this process with the shipped programs, every key, and one security."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tallystick.adapters.chain.memory import MemoryChain
from tallystick.adapters.chain.outbox import MemoryOutbox, Outbox
from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.chain.send_result import SendResult
from tallystick.adapters.chain.sender import Sender
from tallystick.adapters.chain.signers import KeypairSigner
from tallystick.adapters.clock import ManualClock
from tallystick.adapters.store.journal import MemoryMovementJournal
from tallystick.adapters.store.statements import MemoryStatementRegister
from tallystick.domain.amounts import Quantity
from tallystick.domain.holdings import Basis, Completeness, HoldingLine, StatementOfHoldings, SubBalance
from tallystick.localnet.create import Deployment, create_ledger
from tallystick.program import PROGRAM_ID, program_error
from tallystick.program.addresses import issuer_address, issuer_id, order_address
from tallystick.program.generated.types import Policy, RoleKind
from tallystick.program.token import (
    TOKEN_2022_PROGRAM,
    associated_token_address,
    decode_mint,
    decode_token_account,
)
from tallystick.services.attestation import plan_attest
from tallystick.services.holders import plan_approve_holder
from tallystick.services.issuers import plan_grant_role, plan_initialize
from tallystick.services.movements import MovementReference, Part
from tallystick.services.plans import Plan, execute
from tallystick.services.securities import (
    CustodyAccount,
    SecuritySpec,
    plan_list_security,
    plan_set_limit,
    security_of,
)
from tallystick.services.subscription import order_id, plan_open_subscription, plan_settle_subscription

START = 1_790_000_000
DAY = 24 * 3600
LEI = "HWUPKR0MPOU8FGXBT394"
ISIN = "US0378331005"
DECIMALS = 6
SHARE = 10**DECIMALS
ACCOUNT = CustodyAccount("529900T8BM49AURSDO55", "SAFE 1")


@cache
def binary(name: str) -> bytes:
    """A program of this package."""
    return files("tallystick.program").joinpath(name).read_bytes()


def key(name: str) -> Keypair:
    """The same key for the same name, so that a test's addresses never change."""
    return Keypair.from_seed(name.encode().ljust(32, b"."))


def policy(**changes: int) -> Policy:
    """A policy that lets the tests' orders through."""
    values = {
        "threshold": 2,
        "margin": 0,
        "max_attestation_age": DAY,
        "supply_cap": 10**15,
        "accept_period": 100,
        "settle_period": 100,
        "notice": DAY,
        "change_window": DAY,
        "max_change_numerator": 10,
        "max_change_denominator": 1,
        "allowed_classes": 1,
    }
    return Policy(**(values | changes))


class Desk:
    """Keys by name, a sender, and the steps before the one a test is about."""

    names = (
        "payer",
        "admin",
        "guardian",
        "operator",
        "compliance",
        "attestor-1",
        "attestor-2",
        "attestor-3",
        "reconciliation",
        "actions-1",
        "actions-2",
        "authority",
        "alice",
        "bob",
        "stranger",
        "heir",
    )

    def __init__(self, outbox: Outbox | None = None, *, seed: bytes | None = None) -> None:
        self.clock = ManualClock(START)
        programs = {
            TOKEN_2022_PROGRAM: Deployment(binary("token_2022.so")),
            PROGRAM_ID: Deployment(binary("tallystick.so"), key("authority").pubkey()),
        }
        self.chain = MemoryChain(create_ledger(self.clock, programs, seed=seed))
        self.outbox = outbox or MemoryOutbox()
        self.sender = self.new_sender(self.chain)
        self.signers = {key(name).pubkey(): KeypairSigner(key(name)) for name in self.names}
        for name in ("payer", "alice"):
            self.chain.ledger.airdrop(key(name).pubkey(), 1_000 * 10**9)
        self.statements = MemoryStatementRegister()
        self.journal = MemoryMovementJournal()
        self.issuer = issuer_address(issuer_id(self["admin"], 1))
        self.addresses = security_of(self.issuer, "EXAMPLE-A")
        self.security, self.mint = self.addresses.security, self.addresses.mint

    def __getitem__(self, name: str) -> Pubkey:
        return key(name).pubkey()

    def new_sender(self, chain: Chain, outbox: Outbox | None = None) -> Sender:
        """The real sender, as after a restart."""
        return Sender(chain, outbox or self.outbox, self.clock, program_errors={PROGRAM_ID: program_error})

    async def run(self, plan: Plan) -> tuple[SendResult, ...]:
        """Carry a plan out; every action has to be done."""
        results = await execute(plan, self.sender, self.signers)
        for result in results:
            result.require_done()
        assert len(results) == len(plan.actions)
        return results

    def warp(self, seconds: int) -> None:
        """Let time pass on the cluster."""
        self.chain.ledger.warp(seconds)

    @property
    def now(self) -> int:
        """The chain's clock."""
        return self.chain.ledger.timestamp

    def state(self, *addresses: Pubkey) -> tuple[bytes | None, ...]:
        """Bytes of accounts: to prove that nothing moved."""
        found = [self.chain.ledger.account(address) for address in addresses]
        return tuple(None if each is None else each.data for each in found)

    @property
    def supply(self) -> int:
        """Raw units that exist."""
        account = self.chain.ledger.account(self.mint)
        assert account is not None
        return decode_mint(account.data).supply

    def tokens(self, name: str) -> int:
        """Raw units in somebody's associated account."""
        account = self.chain.ledger.account(associated_token_address(self[name], self.mint))
        return 0 if account is None else decode_token_account(account.data).amount

    async def initialize(self) -> None:
        """An issuer whose changes wait one second."""
        await self.run(
            await plan_initialize(
                self.chain,
                payer=self["payer"],
                admin=self["admin"],
                guardian=self["guardian"],
                nonce=1,
                name="Example Issuer",
                lei=LEI,
                delay=1,
            )
        )

    async def grant(self, name: str, kind: RoleKind) -> None:
        """A role, not yet in force."""
        await self.run(
            await plan_grant_role(self.chain, payer=self["payer"], issuer=self.issuer, kind=kind, holder=self[name])
        )

    async def grant_all(self) -> None:
        """Every role to its own key, in force."""
        for name in ("attestor-1", "attestor-2", "attestor-3"):
            await self.grant(name, RoleKind.ATTESTOR)
        for name in ("operator", "compliance", "reconciliation"):
            await self.grant(name, RoleKind[name.upper()])
        self.warp(2)

    def spec(self, *accounts: CustodyAccount, **changes: int) -> SecuritySpec:
        """What the security is listed with."""
        return SecuritySpec(
            "EXAMPLE-A",
            ISIN,
            "EXMPL",
            "Example Inc.",
            DECIMALS,
            accounts or (ACCOUNT,),
            policy(**changes),
            b"t" * 32,
            "https://example.com/terms.json",
        )

    async def list(self, *accounts: CustodyAccount, **changes: int) -> None:
        """The security, and a limit of a million tokens a day in force."""
        await self.run(
            await plan_list_security(
                self.chain, payer=self["payer"], issuer=self.issuer, spec=self.spec(*accounts, **changes)
            )
        )
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

    async def approve(self, *names: str) -> None:
        """Wallets that may order for a year."""
        for name in names:
            await self.run(
                await plan_approve_holder(
                    self.chain,
                    payer=self["payer"],
                    issuer=self.issuer,
                    compliance=self["compliance"],
                    wallet=self[name],
                    investor_id=name.encode().ljust(32, b"."),
                    classes=1,
                    approved_until=self.now + 365 * DAY,
                    evidence_hash=b"e" * 32,
                )
            )

    async def receive(self, shares: int, account: CustodyAccount = ACCOUNT, **changes: object) -> StatementOfHoldings:
        """A statement of `shares` (base units) as of now."""
        made = statement(shares, self.now, account, **changes)
        await self.statements.add(made)
        return made

    async def attest(self, shares: int) -> None:
        """A reserve in force, of a statement as of now."""
        self.warp(1)
        await self.receive(shares)
        await self.run(await self.plan_attest())

    async def plan_attest(self, *accounts: CustodyAccount) -> Plan:
        """By all three attestors, threshold two."""
        return await plan_attest(
            self.chain,
            self.statements,
            payer=self["payer"],
            security=self.security,
            custody_accounts=accounts or (ACCOUNT,),
            attestors=[self[f"attestor-{n}"] for n in (1, 2, 3)],
            journal=self.journal,
        )

    async def ready(self, reserve: int = 1_000 * SHARE) -> None:
        """Everything before the first order."""
        await self.initialize()
        await self.grant_all()
        await self.list()
        await self.approve("alice", "bob")
        await self.attest(reserve)

    def order(self, name: str, reference: str) -> Pubkey:
        """Where an order is."""
        return order_address(self.security, self[name], order_id(reference))

    async def subscribe(self, name: str, shares: int, reference: str) -> Pubkey:
        """An open subscription."""
        await self.run(
            await plan_open_subscription(
                self.chain,
                payer=self["payer"],
                authority=self["operator"],
                security=self.security,
                wallet=self[name],
                reference=reference,
                shares=shares,
                settle_by=self.now + DAY,
            )
        )
        return self.order(name, reference)

    async def plan_settle(self, movement: MovementReference, *parts: Part) -> Plan:
        """Mint by the operator."""
        return await plan_settle_subscription(
            self.chain,
            payer=self["payer"],
            operator=self["operator"],
            security=self.security,
            movement=movement,
            parts=parts,
        )

    async def give(self, name: str, shares: int, reference: str) -> Pubkey:
        """Tokens, by a subscription settled with a movement of its own."""
        order = await self.subscribe(name, shares, reference)
        await self.run(await self.plan_settle(movement(f"IN {reference}", shares), Part(order, shares)))
        return order


def movement(reference: str, shares: int) -> MovementReference:
    """A movement in the tests' custody account."""
    return MovementReference(ACCOUNT.custodian_lei, ACCOUNT.account, reference.upper(), shares)


def statement(shares: int, as_of: int, account: CustodyAccount = ACCOUNT, **changes: object) -> StatementOfHoldings:
    """A complete, settled statement of one holding; `changes` to its fields, `isin` and `pledged` (base units) too."""
    values = dict(changes)
    isin, pledged = str(values.pop("isin", ISIN)), values.pop("pledged", 0)
    assert isinstance(pledged, int)
    parts = (SubBalance("PLED", Quantity(pledged, DECIMALS)),) if pledged else ()
    fields: dict[str, object] = {
        "custodian_lei": account.custodian_lei,
        "account": account.account,
        "as_of": as_of,
        "received_at": as_of,
        "statement_id": f"S-{as_of}",
        "basis": Basis.SETTLED,
        "completeness": Completeness.COMPLETE,
        "has_activity": True,
        "lines": (HoldingLine(isin, Quantity(shares, DECIMALS), sub_balances=parts),),
        "source_hashes": (f"{account.account} {as_of} {shares} {pledged} {isin}".encode().ljust(32, b".")[:32],),
        "format": "semt.002",
        "parser_version": 1,
    }
    return StatementOfHoldings(**(fields | values))  # type: ignore[arg-type]
