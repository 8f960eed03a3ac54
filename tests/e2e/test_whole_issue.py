"""A whole issue through the services: statements, attestation, subscriptions, redemption, daily close, reconciliation.

Everything that signs is planned, read out and carried out as the command line does it, with the outbox on disk; and
planned again afterwards, which must leave nothing to do.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from live_books import LEI, Books, signers, statement_of
from live_cluster import Live
from live_issuer import DAY, ONE, POLICY, Desk, digest
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tallystick.adapters.chain.sender import SettledAt
from tallystick.adapters.store.journal import CustodyMovement
from tallystick.adapters.store.registers import MemoryRegisterStore
from tallystick.adapters.store.store import open_store
from tallystick.domain.breaks import BreakKind
from tallystick.domain.closes import DailyClose
from tallystick.domain.orders import MovementDirection, OrderKind
from tallystick.errors import Refused
from tallystick.program.artifacts import program_binary
from tallystick.program.generated.accounts import Attestation, Security
from tallystick.program.generated.types import RoleKind
from tallystick.services.attestation import build_claim, plan_attest
from tallystick.services.daily_close import close_day, closing_day, verify_closes
from tallystick.services.holders import investor_id, plan_approve_holder
from tallystick.services.issuers import issuer_status, plan_grant_role, plan_initialize
from tallystick.services.movements import MovementReference, Part
from tallystick.services.plans import Plan
from tallystick.services.reconciliation import ReconciliationReport, reconcile
from tallystick.services.reconciliation_custody import DeclaredSecurity
from tallystick.services.reconciliation_orders import BookedMovement, BookedOrder
from tallystick.services.redemption import plan_accept_redemption, plan_request_redemption, plan_settle_redemption
from tallystick.services.securities import (
    CustodyAccount,
    SecuritySpec,
    plan_list_security,
    plan_set_limit,
    security_of,
    security_status,
)
from tallystick.services.subscription import plan_open_subscription, plan_settle_subscription

ISIN = "US0378331005"
ACCOUNTS = (CustodyAccount(LEI, "SAFE 1"), CustodyAccount(LEI, "SAFE 2"))
QUARTER = ONE // 4


@dataclass(frozen=True, slots=True)
class Story:
    """One issuer, its security, and what the custodian's books look like. Times by both clocks, the earlier one."""

    books: Books
    desk: Desk
    security: Pubkey
    wallets: tuple[Keypair, ...]
    start: int

    @property
    def live(self) -> Live:
        """The cluster."""
        return self.books.live

    @property
    def declared(self) -> DeclaredSecurity:
        """What the profile says of the security."""
        return DeclaredSecurity(self.security, ACCOUNTS)

    # Plans ------------------------------------------------------------------------------------------------------------

    async def attest(self, attestors: int) -> Plan:
        """Approve the newest statements with the first `attestors` keys."""
        return await plan_attest(
            self.live.chain,
            self.books.store.statements,
            payer=self.desk.payer.pubkey(),
            security=self.security,
            custody_accounts=ACCOUNTS,
            attestors=[key.pubkey() for key in self.desk.attestors[:attestors]],
            journal=self.books.store.journal,
        )

    async def subscribe(self, wallet: Keypair, shares: int) -> Plan:
        """Order shares for a wallet."""
        return await plan_open_subscription(
            self.live.chain,
            payer=self.desk.payer.pubkey(),
            authority=wallet.pubkey(),
            security=self.security,
            wallet=wallet.pubkey(),
            reference="first",
            shares=shares,
            settle_by=self.start + 2 * DAY,
        )

    async def settle(self, movement: MovementReference, *parts: Part) -> Plan:
        """Settle subscriptions from one movement."""
        return await plan_settle_subscription(
            self.live.chain,
            payer=self.desk.payer.pubkey(),
            operator=self.desk.operator.pubkey(),
            security=self.security,
            movement=movement,
            parts=parts,
        )

    async def reconcile(self, commitment: SettledAt = "finalized") -> ReconciliationReport:
        """Compare everything, once all of it is as settled as asked."""
        if commitment == "finalized":
            await self.books.finalized()
        return await reconcile(
            self.live.chain,
            self.desk.address,
            [self.declared],
            await self.books.statements(),
            self.books.order_book,
            self.books.breaks,
            self.live.clock,
            commitment=commitment,
        )

    async def book(self, movement: MovementReference, direction: MovementDirection, booked_at: int) -> None:
        """Record a movement as the custodian booked it, in the journal and for reconciliation."""
        await self.books.store.journal.record(
            CustodyMovement(
                LEI,
                movement.account,
                movement.reference,
                direction,
                movement.shares,
                bytes(self.security),
                booked_at + 1,
                booked_at,
            )
        )
        booked = BookedMovement(LEI, movement.account, movement.reference, direction, movement.shares, booked_at)
        self.books.order_book.record_movement(self.security, booked)

    async def open_orders(self, *shares: int) -> list[Part]:
        """One subscription for each wallet, signed by it."""

        async def one(wallet: Keypair, quantity: int) -> Part:
            plan = await self.subscribe(wallet, quantity)
            order = plan.actions[0].instructions[0].accounts[5].pubkey
            await self.books.carry_out(plan, 1)
            self.books.order_book.record_order(self.security, BookedOrder(order, OrderKind.SUBSCRIPTION, quantity))
            return Part(order, quantity)

        return await asyncio.gather(*map(one, self.wallets, shares))

    async def redeem(self, wallet: Keypair, raw: int, movement: MovementReference) -> None:
        """Request, accept, and settle against shares that left custody."""
        chain, payer, operator = self.live.chain, self.desk.payer.pubkey(), self.desk.operator.pubkey()
        request = await plan_request_redemption(
            chain, payer=payer, security=self.security, wallet=wallet.pubkey(), reference="redeem", raw=raw
        )
        order = request.actions[0].instructions[0].accounts[4].pubkey
        await self.books.carry_out(request, 1)
        self.books.order_book.record_order(self.security, BookedOrder(order, OrderKind.REDEMPTION, raw))
        accept = await plan_accept_redemption(chain, payer=payer, operator=operator, order=order)
        await self.books.carry_out(accept, 1)

        async def settle() -> Plan:
            return await plan_settle_redemption(
                chain,
                payer=payer,
                operator=operator,
                security=self.security,
                movement=movement,
                parts=[Part(order, raw)],
            )

        await self.books.carry_out(await settle(), 1)
        assert (await settle()).is_empty


@pytest.fixture
async def story(live: Live, tmp_path: Path, desk: Desk) -> AsyncIterator[Story]:
    """A new issuer with all its roles, a listed security with a limit in force, and three approved holders."""
    new, wallets = Desk(desk.payer), (Keypair(), Keypair(), Keypair())
    keys = signers([new.payer, new.admin, live.cluster.upgrade_authority, *(key for _, key in new.granted), *wallets])
    async with await open_store(f"sqlite:///{tmp_path / 'books.sqlite'}") as store:
        books = Books(live, store, tmp_path / "statements", keys)
        security = await open_through_services(books, new, wallets)
        start = min(await live.now(), live.clock.now()) - 600
        yield Story(books, new, security, wallets, start)


async def open_through_services(books: Books, desk: Desk, wallets: tuple[Keypair, ...]) -> Pubkey:
    """Initialize, grant, list, limit and approve by plans; returns the security."""
    chain, payer, issuer = books.live.chain, desk.payer.pubkey(), desk.address

    async def initialize() -> Plan:
        return await plan_initialize(
            chain,
            payer=payer,
            admin=desk.admin.pubkey(),
            guardian=desk.guardian.pubkey(),
            nonce=desk.nonce,
            name="Example Issuer",
            lei=LEI,
            delay=desk.delay,
        )

    await books.carry_out(await initialize(), 1)
    assert (await initialize()).is_empty

    async def grant(kind: RoleKind, key: Keypair) -> None:
        plan = await plan_grant_role(chain, payer=payer, issuer=issuer, kind=kind, holder=key.pubkey())
        await books.carry_out(plan, 1)

    await asyncio.gather(*(grant(kind, key) for kind, key in desk.granted))
    with pytest.raises(Refused, match="is operator, and so cannot be attestor"):
        await plan_grant_role(chain, payer=payer, issuer=issuer, kind=RoleKind.ATTESTOR, holder=desk.operator.pubkey())
    spec = SecuritySpec(
        "aapl", ISIN, "AAPL", "Apple Inc.", 6, ACCOUNTS, POLICY, digest("terms"), "https://example.com/terms.json"
    )
    await books.carry_out(await plan_list_security(chain, payer=payer, issuer=issuer, spec=spec), 1)
    assert (await plan_list_security(chain, payer=payer, issuer=issuer, spec=spec)).is_empty
    security = security_of(issuer, "aapl").security
    limit = await plan_set_limit(
        chain,
        payer=payer,
        security=security,
        operator=desk.operator.pubkey(),
        mint_cap=10**10,
        burn_cap=10**10,
        window=DAY,
    )
    await books.carry_out(limit, 1)
    now = await books.live.now()
    await books.live.until(now + desk.delay)

    async def approve(wallet: Keypair) -> None:
        plan = await plan_approve_holder(
            chain,
            payer=payer,
            issuer=issuer,
            compliance=desk.compliance.pubkey(),
            wallet=wallet.pubkey(),
            investor_id=investor_id(b"s" * 32, str(wallet.pubkey())),
            classes=1,
            approved_until=now + 90 * DAY,
            evidence_hash=digest("evidence"),
        )
        await books.carry_out(plan, 1)

    await asyncio.gather(*map(approve, wallets))
    status = await issuer_status(chain, issuer)
    assert {kind: len(status.keys(kind)) for kind, _ in desk.granted} == {
        kind: 3 if kind is RoleKind.ATTESTOR else 1 for kind, _ in desk.granted
    }
    return security


async def test_a_whole_issue_from_a_statement_to_a_break(story: Story) -> None:
    books, live, desk, start = story.books, story.live, story.desk, story.start
    block = MovementReference(LEI, "SAFE 1", "BLOCK 1", 160 * ONE)
    await story.book(block, MovementDirection.RECEIVED, start - 60)
    await books.receive(statement_of("SAFE 1", ISIN, "120", start, "1A"))
    with pytest.raises(Refused, match="no statement of account SAFE 2"):
        await story.attest(3)
    await books.receive(statement_of("SAFE 2", ISIN, "40", start + 1, "1B"))

    # Two of three attestors.
    await books.carry_out(await story.attest(1), 1)
    assert (await live.read(Security, story.security)).reserve == 0
    await books.carry_out(await story.attest(3), 1)
    attested = await live.read(Security, story.security)
    assert (attested.reserve, attested.reserve_as_of, attested.reserve_redeemed) == (160 * ONE, start, 0)
    assert (await story.attest(3)).is_empty

    # Three subscriptions, one of a quarter of a share, from one movement.
    parts = await story.open_orders(100 * ONE, 50 * ONE, QUARTER)
    await books.carry_out(await story.settle(block, *parts), 3)
    assert (await story.settle(block, *parts)).is_empty
    status = await security_status(live.chain, story.security)
    assert status.supply == status.required == 150 * ONE + QUARTER
    assert status.backing == 160 * ONE

    # Refused in words before anything is signed.
    stranger = Keypair()
    with pytest.raises(Refused, match="no approved holder"):
        await story.subscribe(stranger, ONE)
    outbox_before = await books.store.outbox.pending()
    again = await plan_open_subscription(
        live.chain,
        payer=desk.payer.pubkey(),
        authority=story.wallets[0].pubkey(),
        security=story.security,
        wallet=story.wallets[0].pubkey(),
        reference="second",
        shares=11 * ONE,
        settle_by=start + 2 * DAY,
    )
    order = again.actions[0].instructions[0].accounts[5].pubkey
    await books.carry_out(again, 1)
    books.order_book.record_order(story.security, BookedOrder(order, OrderKind.SUBSCRIPTION, 11 * ONE))
    with pytest.raises(Refused, match=r"has 9\.75 of 160 shares unused"):
        await story.settle(block, Part(order, 11 * ONE))
    unattested = MovementReference(LEI, "SAFE 1", "BLOCK 2", 11 * ONE)
    with pytest.raises(Refused, match=r"reserve does not cover this.*1\.25 too few"):
        await story.settle(unattested, Part(order, 11 * ONE))
    assert await books.store.outbox.pending() == outbox_before == ()
    await books.carry_out(await story.settle(block, Part(order, 9 * ONE + 3 * QUARTER)), 1)

    # Forty shares leave custody after the statements.
    delivery = MovementReference(LEI, "SAFE 1", "OUT 1", 40 * ONE)
    await story.book(delivery, MovementDirection.DELIVERED, start + 60)
    await story.redeem(story.wallets[0], 40 * ONE, delivery)
    state = await live.read(Security, story.security)
    assert (state.redeemed, state.minted - state.burnt) == (40 * ONE, 120 * ONE)

    # Clean on the old statements with the delivery between the as-ofs, and on a new one without.
    report = await story.reconcile("confirmed")
    assert report.is_clean, report.json().decode()
    [bridge] = report.securities[0].custody.bridge
    assert (bridge.kind, bridge.reference, bridge.amount) == (BreakKind.TIMING_ASOF, "OUT 1", -40 * ONE)
    await books.receive(statement_of("SAFE 1", ISIN, "80", start + 120, "2A"))
    await books.receive(statement_of("SAFE 2", ISIN, "40", start + 121, "2B"))
    claim = await build_claim(
        live.chain,
        books.store.statements,
        security=story.security,
        custody_accounts=ACCOUNTS,
        journal=books.store.journal,
    )
    assert (claim.content.shares, claim.content.redeemed) == (120 * ONE, 40 * ONE)
    await books.carry_out(await story.attest(2), 2)
    assert (await live.read(Attestation, claim.address)).in_force_at > 0
    report = await story.reconcile()
    assert report.is_clean, report.json().decode()
    [security] = report.securities
    assert (security.supply, security.holders) == (120 * ONE, 3)
    assert security.custody.surplus == 0

    # The day is closed once, at a finalized slot.
    day = await closing_day(live.chain)

    async def close_today() -> DailyClose:
        return await close_day(
            live.chain,
            desk.address,
            day,
            [story.declared],
            await books.statements(),
            books.closes,
            books.breaks,
            live.clock,
            registers=MemoryRegisterStore(),
        )

    close = await close_today()
    assert close.slot <= await live.chain.get_slot("finalized")
    assert close.program_hash == hashlib.sha256(program_binary()).digest()
    [line] = close.securities
    assert (line.supply, line.reserve, line.redeemed, line.breaks) == (120 * ONE, 120 * ONE, 40 * ONE, ())
    assert line.register_root == security.register_root
    assert line.attestation == claim.content_hash
    assert await close_today() == close
    assert await verify_closes(books.closes, desk.address) == (close,)

    # A statement that is ten shares short.
    await books.receive(statement_of("SAFE 1", ISIN, "70", start + 180, "3A"))
    report = await story.reconcile()
    [record] = report.all_breaks
    assert (record.found.kind, record.found.amount) == (BreakKind.QUANTITY_SHORT, 10 * ONE)
    assert record.found.instrument == ISIN
    assert [each.found.kind for each in (await story.reconcile()).all_breaks] == [BreakKind.QUANTITY_SHORT]
