"""An issuer with a key for each role, and its securities, as builders of instructions with real signers.

`Desk` and `Share` hold keys and addresses alone, so one of them serves a whole session: whoever has a `Live` can act.
Methods named after an instruction return it with the keys that sign it; methods that start with `do_` send it.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from dataclasses import dataclass, field, replace

from live_cluster import Landed, Live
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tallystick.domain.identifiers import custody_accounts_hash
from tallystick.program import addresses
from tallystick.program.generated import accounts, instructions, types
from tallystick.program.generated.types import RoleKind
from tallystick.program.text import encode_text
from tallystick.program.token import associated_token_address, create_associated_token_account_idempotent

HOUR, DAY = 3_600, 86_400
ONE = 10**6
"""One share: the securities here have 6 decimals."""
LEI = b"HWUPKR0MPOU8FGXBT394"
SOL = 10**9
MINT, REDEEM, TRANSFER = 1, 2, 4
"""Bits of a hold's scope."""
POLICY = types.Policy(
    threshold=2,
    margin=0,
    max_attestation_age=7 * DAY,
    supply_cap=10**15,
    accept_period=DAY,
    settle_period=2 * DAY,
    notice=DAY,
    change_window=HOUR,
    max_change_numerator=10,
    max_change_denominator=1,
    allowed_classes=0b1,
)

Signed = tuple[Instruction, *tuple[Keypair, ...]]
"""An instruction and the keys that sign it beside the payer."""


def digest(text: str) -> bytes:
    """32 bytes that stand for a document."""
    return hashlib.sha256(text.encode()).digest()


CUSTODY = sorted([digest("custody account 1"), digest("custody account 2")])


@dataclass(frozen=True, slots=True)
class Desk:
    """An issuer's keys. `delay` in seconds. Keys and nonce are new with each desk, so that desks never meet."""

    payer: Keypair
    delay: int = 1
    nonce: int = field(default_factory=lambda: secrets.randbits(63))
    admin: Keypair = field(default_factory=Keypair)
    guardian: Keypair = field(default_factory=Keypair)
    attestors: tuple[Keypair, ...] = field(default_factory=lambda: (Keypair(), Keypair(), Keypair()))
    operator: Keypair = field(default_factory=Keypair)
    compliance: Keypair = field(default_factory=Keypair)
    corporate_actions: Keypair = field(default_factory=Keypair)
    distributor: Keypair = field(default_factory=Keypair)
    reconciliation: Keypair = field(default_factory=Keypair)
    publisher: Keypair = field(default_factory=Keypair)

    @property
    def address(self) -> Pubkey:
        """The issuer account."""
        return addresses.issuer_address(addresses.issuer_id(self.admin.pubkey(), self.nonce))

    @property
    def granted(self) -> tuple[tuple[RoleKind, Keypair], ...]:
        """Every role that is granted, in order; the guardian's comes with the issuer."""
        return (
            *((RoleKind.ATTESTOR, key) for key in self.attestors),
            (RoleKind.OPERATOR, self.operator),
            (RoleKind.COMPLIANCE, self.compliance),
            (RoleKind.CORPORATE_ACTIONS, self.corporate_actions),
            (RoleKind.DISTRIBUTOR, self.distributor),
            (RoleKind.RECONCILIATION, self.reconciliation),
            (RoleKind.PUBLISHER, self.publisher),
        )

    def role(self, kind: RoleKind, key: Keypair) -> Pubkey:
        """The role account of a key."""
        return addresses.role_address(self.address, kind, key.pubkey())

    def holder(self, wallet: Pubkey) -> Pubkey:
        """The record of a wallet."""
        return addresses.holder_address(self.address, wallet)

    def initialize(self, authority: Keypair) -> Signed:
        """Open the issuer, with its first guardian."""
        params = types.InitializeParams(
            nonce=self.nonce,
            guardian=self.guardian.pubkey(),
            delay=self.delay,
            name=encode_text("Example Issuer", 64),
            lei=LEI,
        )
        return (
            instructions.initialize(
                payer=self.payer.pubkey(),
                admin=self.admin.pubkey(),
                upgrade_authority=authority.pubkey(),
                issuer=self.address,
                params=params,
            ),
            self.admin,
            authority,
        )

    def grant(self, kind: RoleKind, key: Keypair) -> Signed:
        """Grant a role."""
        return instructions.grant_role(
            payer=self.payer.pubkey(),
            admin=self.admin.pubkey(),
            issuer=self.address,
            params=types.GrantRoleParams(kind=kind, holder=key.pubkey()),
        ), self.admin

    def approve(self, wallet: Pubkey, until: int, classes: int = 1, investor: str = "") -> Signed:
        """Approve a wallet, until unix seconds; an investor of its own unless one is named."""
        params = types.ApproveHolderParams(
            wallet=wallet,
            investor_id=digest(investor or f"investor {wallet}"),
            classes=classes,
            approved_until=until,
            evidence_hash=digest("evidence"),
        )
        return instructions.approve_holder(
            payer=self.payer.pubkey(),
            compliance=self.compliance.pubkey(),
            role=self.role(RoleKind.COMPLIANCE, self.compliance),
            issuer=self.address,
            params=params,
        ), self.compliance

    def suspend(self, wallet: Pubkey) -> Signed:
        """Suspend a wallet."""
        return instructions.suspend_holder(
            compliance=self.compliance.pubkey(),
            role=self.role(RoleKind.COMPLIANCE, self.compliance),
            issuer=self.address,
            holder=self.holder(wallet),
            params=types.SuspendHolderParams(digest("suspicion")),
        ), self.compliance

    async def do_open(self, live: Live) -> list[Landed]:
        """Open the issuer, grant every role, and wait until all are in force; the grants, as they landed."""
        await live.send(*self.initialize(live.cluster.upgrade_authority))
        grants = await asyncio.gather(*(live.land(*self.grant(kind, key)) for kind, key in self.granted))
        await live.until(await live.now() + self.delay)
        return list(grants)

    async def do_approve(self, live: Live, *wallets: Keypair) -> None:
        """Approve wallets for a year."""
        until = await live.now() + 365 * DAY
        await asyncio.gather(*(live.send(*self.approve(wallet.pubkey(), until)) for wallet in wallets))


@dataclass(frozen=True, slots=True)
class Movement:
    """A transfer in the custodian's books: `shares` x 10^decimals in all."""

    shares: int
    reference: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def params(self) -> types.MovementParams:
        """What an instruction says of it."""
        return types.MovementParams(digest(self.reference), self.shares)


@dataclass(frozen=True, slots=True)
class Order:
    """A wallet's order. `quantity` in shares x 10^decimals to subscribe, in raw units to redeem."""

    security: Pubkey
    wallet: Keypair
    quantity: int
    order_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    @property
    def address(self) -> Pubkey:
        """The order account."""
        return addresses.order_address(self.security, self.wallet.pubkey(), self.order_id)


@dataclass(frozen=True, slots=True)
class Share:
    """A listed security of a desk."""

    desk: Desk
    policy: types.Policy = POLICY
    name: str = field(default_factory=lambda: f"example-{secrets.token_hex(6)}")
    permissioned: bool = False

    @property
    def security_id(self) -> bytes:
        """Its id, part of the mint's address."""
        return encode_text(self.name, 32)

    @property
    def mint(self) -> Pubkey:
        """The mint."""
        return addresses.mint_address(self.desk.address, self.security_id)

    @property
    def address(self) -> Pubkey:
        """The security account."""
        return addresses.security_address(self.mint)

    @property
    def escrow(self) -> Pubkey:
        """The escrow."""
        return associated_token_address(self.address, self.mint)

    @property
    def limit(self) -> Pubkey:
        """The operator's limit."""
        return addresses.limit_address(self.address, self.desk.operator.pubkey())

    def tokens(self, wallet: Keypair) -> Pubkey:
        """A wallet's associated token account."""
        return associated_token_address(wallet.pubkey(), self.mint)

    def movement(self, movement: Movement) -> Pubkey:
        """The account of a movement."""
        return addresses.movement_address(self.address, digest(movement.reference))

    def fill(self, movement: Movement, order: Order) -> Pubkey:
        """The fill of a movement and an order."""
        return addresses.fill_address(self.movement(movement), order.address)

    def hold(self, owner: Keypair, hold_id: int) -> Pubkey:
        """A hold."""
        return addresses.hold_address(self.address, owner.pubkey(), hold_id)

    @property
    def _operator_role(self) -> Pubkey:
        return self.desk.role(RoleKind.OPERATOR, self.desk.operator)

    # Instructions ----------------------------------------------------------------------------------------------------

    def list_security(self) -> Signed:
        """List it."""
        params = types.ListSecurityParams(
            security_id=self.security_id,
            isin=b"US0378331005",
            ticker=encode_text("EXAMPLE", 16),
            decimals=6,
            name="Example Inc.",
            uri="https://example.com/terms.json",
            terms_hash=digest("terms"),
            custody_accounts_hash=custody_accounts_hash(CUSTODY),
            custody_accounts=len(CUSTODY),
            permissioned=self.permissioned,
            policy=self.policy,
        )
        return instructions.list_security(
            payer=self.desk.payer.pubkey(),
            admin=self.desk.admin.pubkey(),
            issuer=self.desk.address,
            mint=self.mint,
            escrow=self.escrow,
            params=params,
        ), self.desk.admin

    def set_limit(self, mint_cap: int = 10**12, burn_cap: int = 10**12, window: int = DAY) -> Signed:
        """Set the operator's limit."""
        return instructions.set_limit(
            payer=self.desk.payer.pubkey(),
            admin=self.desk.admin.pubkey(),
            issuer=self.desk.address,
            security=self.address,
            params=types.SetLimitParams(self.desk.operator.pubkey(), mint_cap, burn_cap, window),
        ), self.desk.admin

    def content(self, shares: int, as_of: int, redeemed: int = 0) -> types.AttestationContent:
        """A claim of `shares` on both custody accounts, a third of them on the second."""
        return types.AttestationContent(
            as_of=as_of,
            shares=shares,
            redeemed=redeemed,
            supersedes=Pubkey.default(),
            lines=(
                types.StatementLine(CUSTODY[0], shares - shares // 3, digest("statement 1"), as_of),
                types.StatementLine(CUSTODY[1], shares // 3, digest("statement 2"), as_of + 1),
            ),
        )

    def attestation(self, content: types.AttestationContent) -> Pubkey:
        """The account of a claim."""
        return addresses.attestation_address(self.address, addresses.attestation_hash(self.address, content))

    def attest(self, content: types.AttestationContent, attestor: int) -> Signed:
        """Approve a claim as one of the attestors."""
        key = self.desk.attestors[attestor]
        params = types.AttestParams(
            content_hash=addresses.attestation_hash(self.address, content),
            received_hash=digest(f"received by {attestor}"),
            content=content,
        )
        return instructions.attest(
            payer=self.desk.payer.pubkey(),
            attestor=key.pubkey(),
            role=self.desk.role(RoleKind.ATTESTOR, key),
            issuer=self.desk.address,
            security=self.address,
            params=params,
        ), key

    def place_hold(self, hold_id: int, scope: int, owner: Keypair, kind: RoleKind, expires_at: int | None) -> Signed:
        """Place a hold."""
        return instructions.place_hold(
            payer=self.desk.payer.pubkey(),
            owner=owner.pubkey(),
            role=self.desk.role(kind, owner),
            security=self.address,
            mint=self.mint,
            params=types.PlaceHoldParams(hold_id, scope, 7, digest("reason"), expires_at),
        ), owner

    def release_hold(self, hold_id: int, owner: Keypair, kind: RoleKind, *, signed_by: Keypair | None = None) -> Signed:
        """Release a hold, as its owner unless another key signs."""
        key = signed_by or owner
        return instructions.release_hold(
            authority=key.pubkey(),
            issuer=self.desk.address,
            security=self.address,
            hold=self.hold(owner, hold_id),
            owner_role=self.desk.role(kind, owner),
            mint=self.mint,
        ), key

    def create_tokens(self, wallet: Keypair) -> Instruction:
        """Make sure of a wallet's token account."""
        return create_associated_token_account_idempotent(
            payer=self.desk.payer.pubkey(), wallet=wallet.pubkey(), mint=self.mint
        )

    def open_subscription(self, order: Order, settle_by: int) -> Signed:
        """Order tokens for shares."""
        wallet = order.wallet.pubkey()
        return instructions.open_subscription(
            payer=self.desk.payer.pubkey(),
            authority=wallet,
            security=self.address,
            holder=self.desk.holder(wallet),
            order=order.address,
            params=types.OpenSubscriptionParams(order.order_id, order.quantity, settle_by),
        ), order.wallet

    def settle_subscription(self, order: Order, movement: Movement, shares: int | None = None) -> Signed:
        """Mint for the whole order, or for `shares` of it."""
        return instructions.settle_subscription(
            payer=self.desk.payer.pubkey(),
            operator=self.desk.operator.pubkey(),
            role=self._operator_role,
            security=self.address,
            limit=self.limit,
            holder=self.desk.holder(order.wallet.pubkey()),
            order=order.address,
            movement=self.movement(movement),
            fill=self.fill(movement, order),
            mint=self.mint,
            recipient=self.tokens(order.wallet),
            params=types.SettleSubscriptionParams(movement.params, order.quantity if shares is None else shares),
        ), self.desk.operator

    def cancel_subscription(self, order: Order, *, by_holder: bool = False, reason: int = 3) -> Signed:
        """End a subscription, as the operator unless the holder does."""
        key = order.wallet if by_holder else self.desk.operator
        return instructions.cancel_subscription(
            authority=key.pubkey(),
            role=None if by_holder else self._operator_role,
            security=self.address,
            order=order.address,
            params=types.CancelSubscriptionParams(reason),
        ), key

    def request_redemption(self, order: Order) -> Signed:
        """Put tokens in escrow."""
        return instructions.request_redemption(
            payer=self.desk.payer.pubkey(),
            wallet=order.wallet.pubkey(),
            security=self.address,
            holder=self.desk.holder(order.wallet.pubkey()),
            order=order.address,
            mint=self.mint,
            source=self.tokens(order.wallet),
            escrow=self.escrow,
            params=types.RequestRedemptionParams(order.order_id, order.quantity),
        ), order.wallet

    def accept_redemption(self, order: Order) -> Signed:
        """Commit to a redemption."""
        return instructions.accept_redemption(
            operator=self.desk.operator.pubkey(),
            role=self._operator_role,
            security=self.address,
            holder=self.desk.holder(order.wallet.pubkey()),
            order=order.address,
        ), self.desk.operator

    def settle_redemption(self, order: Order, movement: Movement, raw: int | None = None) -> Signed:
        """Burn the whole order, or `raw` units of it."""
        return instructions.settle_redemption(
            payer=self.desk.payer.pubkey(),
            operator=self.desk.operator.pubkey(),
            role=self._operator_role,
            security=self.address,
            limit=self.limit,
            holder=self.desk.holder(order.wallet.pubkey()),
            order=order.address,
            movement=self.movement(movement),
            fill=self.fill(movement, order),
            mint=self.mint,
            escrow=self.escrow,
            params=types.SettleRedemptionParams(movement.params, order.quantity if raw is None else raw),
        ), self.desk.operator

    def cancel_redemption(self, order: Order, *, by_holder: bool = False, reason: int = 4) -> Signed:
        """End a redemption and return the rest, as the operator unless the holder does."""
        key = order.wallet if by_holder else self.desk.operator
        return instructions.cancel_redemption(
            authority=key.pubkey(),
            role=None if by_holder else self._operator_role,
            security=self.address,
            order=order.address,
            mint=self.mint,
            escrow=self.escrow,
            destination=self.tokens(order.wallet),
            params=types.CancelRedemptionParams(reason),
        ), key

    def withdraw_redemption(self, order: Order) -> Signed:
        """Take back the rest after a deadline."""
        return instructions.withdraw_redemption(
            wallet=order.wallet.pubkey(),
            security=self.address,
            order=order.address,
            mint=self.mint,
            escrow=self.escrow,
            destination=self.tokens(order.wallet),
        ), order.wallet

    def correct_fill(self, fill: Pubkey, corrections: int, inventory: Keypair, raw: int) -> Signed:
        """Undo `raw` units of a fill that has had `corrections` before, by burning `inventory`'s tokens."""
        return (
            instructions.correct_fill(
                payer=self.desk.payer.pubkey(),
                operator=self.desk.operator.pubkey(),
                role=self._operator_role,
                inventory_owner=inventory.pubkey(),
                security=self.address,
                limit=self.limit,
                fill=fill,
                correction=addresses.correction_address(fill, corrections),
                mint=self.mint,
                inventory=self.tokens(inventory),
                params=types.CorrectFillParams(raw),
            ),
            self.desk.operator,
            inventory,
        )

    # Doing -----------------------------------------------------------------------------------------------------------

    async def do_list(self, live: Live, reserve: int) -> Share:
        """List it, with a limit in force and `reserve` shares x 10^decimals attested."""
        await live.send(*self.list_security())
        await live.send(*self.set_limit())
        await asyncio.gather(self.do_attest(live, reserve), live.until(await live.now() + self.desk.delay))
        return self

    async def do_attest(self, live: Live, shares: int) -> None:
        """Two of three attestors approve a claim as of a minute ago, or just after the claim in force."""
        state = await self.state(live)
        as_of = max(await live.now() - 60, state.reserve_as_of + 1)
        content = self.content(shares, as_of, state.redeemed)
        await asyncio.gather(*(live.send(*self.attest(content, attestor)) for attestor in (0, 1)))

    async def do_order(self, live: Live, wallet: Keypair, shares: int) -> Order:
        """An approved wallet opens a subscription; its token account is made beside it."""
        order = Order(self.address, wallet, shares)
        opened, *keys = self.open_subscription(order, await live.now() + DAY)
        await live.send([self.create_tokens(wallet), opened], *keys)
        return order

    async def do_subscribe(self, live: Live, wallet: Keypair, shares: int) -> tuple[Order, Movement]:
        """Order, and settle from a movement of its own."""
        order, movement = await self.do_order(live, wallet, shares), Movement(shares)
        await live.send(*self.settle_subscription(order, movement))
        return order, movement

    async def do_request(self, live: Live, wallet: Keypair, raw: int, *, accept: bool = False) -> Order:
        """Request a redemption, and accept it where said."""
        order = Order(self.address, wallet, raw)
        await live.send(*self.request_redemption(order))
        if accept:
            await live.send(*self.accept_redemption(order))
        return order

    async def state(self, live: Live) -> accounts.Security:
        """The security account."""
        return await live.read(accounts.Security, self.address)

    def with_policy(self, **change: int) -> Share:
        """Another security of the desk whose policy differs."""
        return Share(self.desk, replace(self.policy, **change))
