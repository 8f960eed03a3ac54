"""An issuer with two listed securities on a MemoryChain, and a book of orders written past the program's rules.

Issuer, securities, mints and escrows are made by the built program. Everything after that is written account by
account, so that a test can break exactly one thing; a book that nobody broke is as the program would have left it.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from accounts_on_chain import RENT, AccountsOnChain
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from tallystick.adapters.chain.ledger import Ledger
from tallystick.adapters.chain.memory import MemoryChain
from tallystick.adapters.chain.protocol import Account
from tallystick.adapters.clock import ManualClock
from tallystick.adapters.store.breaks import MemoryBreakStore
from tallystick.adapters.store.closes import MemoryCloseStore
from tallystick.domain.amounts import Quantity, Rounding, raw_from_shares, share_equivalent
from tallystick.domain.holdings import Basis, Completeness, HoldingLine, StatementOfHoldings, statement_hash
from tallystick.domain.identifiers import custody_accounts_hash
from tallystick.domain.orders import MovementDirection, OrderKind
from tallystick.program import addresses, token
from tallystick.program.artifacts import program_binary, token_2022_binary
from tallystick.program.generated import accounts, instructions, types
from tallystick.program.generated.constants import PROGRAM_ID
from tallystick.program.text import encode_text
from tallystick.services.reconciliation import ReconciliationReport, reconcile
from tallystick.services.reconciliation_custody import CustodyAccount, DeclaredSecurity
from tallystick.services.reconciliation_orders import BookedMovement, BookedOrder, MemoryOrderBook

START = 1_795_046_400
"""2026-11-19, 00:00 UTC."""
DAY = 86_400
DECIMALS = 6
ONE = 10**DECIMALS
"""One share."""
LEI = "HWUPKR0MPOU8FGXBT394"
APPLE, MICROSOFT = "US0378331005", "US5949181045"
CUSTODY = (CustodyAccount(LEI, "ACC-1"), CustodyAccount(LEI, "ACC-2"))
POLICY = types.Policy(
    threshold=2,
    margin=0,
    max_attestation_age=DAY,
    supply_cap=10**15,
    accept_period=DAY,
    settle_period=DAY,
    notice=DAY,
    change_window=3_600,
    max_change_numerator=10,
    max_change_denominator=1,
    allowed_classes=1,
)


def digest(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


def key(name: str) -> Pubkey:
    return Pubkey.from_bytes(digest(name))


HOLDERS = tuple(key(f"holder {number}") for number in range(5))
INVENTORY = key("inventory")


class BookOnChain(AccountsOnChain):
    """The cluster, the issuer, what is in the book of the first security, and what custodians would report of it."""

    extended = frozenset(HOLDERS[::2])

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock(START)
        self.ledger = Ledger(self.clock, seed=b"books")
        payer, admin, authority = (Keypair.from_seed(digest(name)) for name in ("payer", "admin", "authority"))
        self.ledger.add_program(token.TOKEN_2022_PROGRAM, token_2022_binary())
        self.ledger.add_program(PROGRAM_ID, program_binary(), authority.pubkey())
        self.ledger.airdrop(payer.pubkey(), 100 * RENT)
        self.issuer = addresses.issuer_address(addresses.issuer_id(admin.pubkey(), 1))
        self._send(
            instructions.initialize(
                payer=payer.pubkey(),
                admin=admin.pubkey(),
                upgrade_authority=authority.pubkey(),
                issuer=self.issuer,
                params=types.InitializeParams(
                    nonce=1, guardian=key("guardian"), delay=1, name=encode_text("Example", 64), lei=LEI.encode()
                ),
            ),
            payer,
            admin,
            authority,
        )
        self.security, self.mint = self._list("apple", APPLE, payer, admin)
        self.other, self.other_mint = self._list("microsoft", MICROSOFT, payer, admin)
        self._listed = {address: self.account(address) for address in (self.security, self.mint, self.escrow)}
        self.reset()

    def _list(self, name: str, isin: str, payer: Keypair, admin: Keypair) -> tuple[Pubkey, Pubkey]:
        security_id = encode_text(name, 32)
        mint = addresses.mint_address(self.issuer, security_id)
        security = addresses.security_address(mint)
        self._send(
            instructions.list_security(
                payer=payer.pubkey(),
                admin=admin.pubkey(),
                issuer=self.issuer,
                security=security,
                mint=mint,
                escrow=token.associated_token_address(security, mint),
                params=types.ListSecurityParams(
                    security_id=security_id,
                    isin=isin.encode(),
                    ticker=encode_text(name.upper(), 16),
                    decimals=DECIMALS,
                    name=name,
                    uri="https://example.com/terms.json",
                    terms_hash=digest("terms"),
                    custody_accounts_hash=custody_accounts_hash([each.hash for each in CUSTODY]),
                    custody_accounts=len(CUSTODY),
                    permissioned=False,
                    policy=POLICY,
                ),
            ),
            payer,
            admin,
        )
        return security, mint

    def _send(self, instruction: Instruction, *signers: Keypair) -> None:
        blockhash = self.ledger.latest_blockhash().blockhash
        message = Message.new_with_blockhash([instruction], signers[0].pubkey(), blockhash)
        ordered = {signer.pubkey(): signer for signer in signers}
        wanted = message.account_keys[: message.header.num_required_signatures]
        outcome = self.ledger.submit(VersionedTransaction(message, [ordered[each] for each in wanted]))
        assert outcome.error is None, (outcome.error, outcome.logs)

    # The book ------------------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Back to two securities that were just listed, at the beginning of a slot: five take two seconds."""
        self.clock.advance((self.now - START) % 2)
        for address in self.written:
            self.ledger.set_account(address, Account(Pubkey.default(), 0, b""))
        for address, account in self._listed.items():
            self.ledger.set_account(address, account)
        self.chain = MemoryChain(self.ledger)
        self.written.clear()
        self.balances.clear()
        self.movements: list[tuple[BookedMovement, CustodyAccount]] = []
        self.orders: list[BookedOrder] = []
        self.never_came: list[tuple[int, int]] = []
        self.statements: list[StatementOfHoldings] = []
        self.breaks = MemoryBreakStore()
        self.closes = MemoryCloseStore()
        self.declared = (
            DeclaredSecurity(self.security, CUSTODY, (INVENTORY,)),
            DeclaredSecurity(self.other, CUSTODY),
        )
        self._numbers = 0

    @property
    def now(self) -> int:
        return self.clock.now()

    @property
    def multiplier(self) -> int:
        return self.read(accounts.Security, self.security).multiplier

    def move(
        self, reference: str, shares: int, *, out: bool = False, account: int = 0, booked_at: int | None = None
    ) -> BookedMovement:
        """Shares come into custody, or leave it, and we know of it."""
        direction = MovementDirection.DELIVERED if out else MovementDirection.RECEIVED
        at = self.now if booked_at is None else booked_at
        movement = BookedMovement(LEI, CUSTODY[account].account, reference, direction, shares, at)
        self.movements.append((movement, CUSTODY[account]))
        return movement

    def order(self, kind: OrderKind, quantity: int, holder: Pubkey = HOLDERS[0], *, accepted: bool = False) -> Pubkey:
        """An order, in our books too; a redemption's tokens go to escrow."""
        self._numbers += 1
        order_id = digest(f"order {self._numbers}")
        address = addresses.order_address(self.security, holder, order_id)
        is_redemption = kind is OrderKind.REDEMPTION
        status = types.OrderStatus.ACCEPTED if accepted else types.OrderStatus.OPEN
        self.write(
            address,
            accounts.Order(
                version=1,
                bump=255,
                kind=types.OrderKind.REDEMPTION if is_redemption else types.OrderKind.SUBSCRIPTION,
                status=status,
                security=self.security,
                holder=holder,
                order_id=order_id,
                quantity=quantity,
                filled=0,
                opened_at=self.now,
                status_at=self.now,
                accept_by=self.now + DAY if is_redemption else 0,
                settle_by=self.now + DAY,
                fills=0,
                reason_code=0,
                reserved=bytes(64),
            ),
        )
        self.orders.append(BookedOrder(address, kind, quantity))
        if is_redemption:
            self.give(holder, -quantity)
            self.set_escrow(self.escrowed + quantity)
            self.change(
                accounts.Security,
                self.security,
                lambda s: replace(s, escrowed=s.escrowed + quantity, accepted=s.accepted + quantity * accepted),
            )
        return address

    def mint_fill(self, order: Pubkey, movement: BookedMovement, shares: int, *, to: Pubkey | None = None) -> Pubkey:
        """Settle `shares` of a subscription with a movement; the tokens go to its holder."""
        raw = raw_from_shares(shares, self.multiplier)
        fill = self._fill(order, movement, types.FillKind.MINT, shares, raw)
        self.change(accounts.Security, self.security, lambda s: replace(s, minted=s.minted + raw))
        self._use_limit(raw, 0)
        self.give(to or self.read(accounts.Order, order).holder, raw)
        self.set_supply(self.supply + raw)
        return fill

    def burn_fill(self, order: Pubkey, movement: BookedMovement, raw: int) -> Pubkey:
        """Settle `raw` units of an accepted redemption with a movement out of custody."""
        shares = share_equivalent(raw, self.multiplier, Rounding.DOWN)
        fill = self._fill(order, movement, types.FillKind.BURN, shares, raw)
        self.change(
            accounts.Security,
            self.security,
            lambda s: replace(
                s,
                burnt=s.burnt + raw,
                redeemed=s.redeemed + shares,
                escrowed=s.escrowed - raw,
                accepted=s.accepted - raw,
            ),
        )
        self._use_limit(0, raw)
        self.set_escrow(self.escrowed - raw)
        self.set_supply(self.supply - raw)
        return fill

    def correct(self, fill: Pubkey, raw: int) -> Pubkey:
        """Undo `raw` units of a mint with inventory."""
        wrong = self.read(accounts.Fill, fill)
        address = addresses.correction_address(fill, wrong.corrections)
        shares = share_equivalent(raw, self.multiplier, Rounding.DOWN)
        self.write(
            address,
            replace(wrong, kind=types.FillKind.CORRECTION, shares=shares, raw=raw, corrects=fill, settled_at=self.now),
        )
        self.write(fill, replace(wrong, corrected_raw=wrong.corrected_raw + raw, corrections=wrong.corrections + 1))
        self.change(accounts.Security, self.security, lambda s: replace(s, burnt=s.burnt + raw))
        self._use_limit(0, raw)
        self.give(INVENTORY, -raw)
        self.set_supply(self.supply - raw)
        return address

    def executed(self, before: int, after: int, at: int) -> Pubkey:
        """A split that was announced, approved and executed; what it does to security and mint is not written."""
        self._numbers += 1
        hashed = digest(f"event {self._numbers}")
        address = addresses.action_address(self.security, hashed, 1)
        self.write(
            address,
            accounts.CorporateAction(
                version=1,
                bump=255,
                kind=types.ActionKind.FORWARD_SPLIT,
                status=types.ActionStatus.EXECUTED,
                security=self.security,
                event_hash=hashed,
                action_version=1,
                replaces=Pubkey.default(),
                terms=types.ActionTerms(
                    ex_at=0,
                    record_at=0,
                    pay_at=0,
                    effective_at=at,
                    numerator=2,
                    denominator=1,
                    gross_per_share=0,
                    currency=bytes(3),
                    withholding=0,
                    evidence_hash=digest("notice"),
                ),
                announcer=key("corporate actions 1"),
                approver=key("corporate actions 2"),
                announced_at=1,
                approved_at=1,
                status_at=1,
                multiplier_before=before,
                multiplier_after=after,
                distributions=0,
                reserved=bytes(64),
            ),
        )
        return address

    def hold(self, scope: int, *, number: int = 1) -> Pubkey:
        """Place a hold."""
        owner = key("compliance")
        address = addresses.hold_address(self.security, owner, number)
        self.write(
            address,
            accounts.Hold(
                version=1,
                bump=255,
                security=self.security,
                owner=owner,
                owner_kind=types.RoleKind.COMPLIANCE,
                hold_id=number,
                scope=scope,
                reason_code=1,
                reason_hash=digest("reason"),
                placed_at=self.now,
                expires_at=2**63 - 1,
                released_at=0,
                reserved=bytes(64),
            ),
        )
        self.change(
            accounts.Security,
            self.security,
            lambda s: replace(
                s,
                mint_holds=s.mint_holds + (scope & 1),
                redeem_holds=s.redeem_holds + (scope >> 1 & 1),
                transfer_holds=s.transfer_holds + (scope >> 2),
            ),
        )
        if scope & 4:
            self.set_paused(True)
        return address

    # Custody -------------------------------------------------------------------------------------------------------

    def custody(self, account: int, as_of: int) -> int:
        """Shares (base units) in a custody account at a moment: movements booked until then, less what never came."""
        return sum(
            each.shares if each.direction is MovementDirection.RECEIVED else -each.shares
            for each, at in self.movements
            if at is CUSTODY[account] and (each.booked_at or 0) <= as_of
        ) - sum(shares for at, shares in self.never_came if at == account)

    def statement(self, account: int = 0, as_of: int | None = None, **change: Any) -> StatementOfHoldings:
        """What the custodian reports of an account, true unless something of it is changed; `shares` in base units."""
        at = self.now if as_of is None else as_of
        shares = change.pop("shares", self.custody(account, at))
        lines = (HoldingLine(APPLE, Quantity(shares, DECIMALS)),)
        return replace(
            StatementOfHoldings(
                custodian_lei=LEI,
                account=CUSTODY[account].account,
                as_of=at,
                received_at=at + 60,
                statement_id=f"STMT-{account}-{at}",
                basis=Basis.SETTLED,
                completeness=Completeness.COMPLETE,
                has_activity=True,
                lines=lines,
                source_hashes=(digest(f"file {account} {at} {shares}"),),
                format="test",
                parser_version=1,
            ),
            **change,
        )

    def report(self, **change: Any) -> None:
        """Statements of both accounts arrive, dated now, and the reserve in force is attested from them."""
        arrived = [self.statement(0, **change), self.statement(1, **change)]
        self.statements.extend(arrived)
        self.attest(arrived)

    def attest(self, statements: list[StatementOfHoldings]) -> Pubkey:
        """Put a reserve in force."""
        lines = tuple(
            sorted(
                (
                    types.StatementLine(
                        account=CUSTODY[index].hash,
                        shares=each.lines[0].aggregate.to_base_units(DECIMALS),
                        statement_hash=statement_hash(each, APPLE),
                        as_of=each.as_of,
                    )
                    for index, each in enumerate(statements)
                ),
                key=lambda line: line.account,
            )
        )
        security = self.read(accounts.Security, self.security)
        content = types.AttestationContent(
            as_of=min(line.as_of for line in lines),
            shares=sum(line.shares for line in lines),
            redeemed=security.redeemed,
            supersedes=Pubkey.default(),
            lines=lines,
        )
        hashed = addresses.attestation_hash(self.security, content)
        address = addresses.attestation_address(self.security, hashed)
        self.write(
            address,
            accounts.Attestation(
                version=1,
                bump=255,
                security=self.security,
                content_hash=hashed,
                as_of=content.as_of,
                shares=content.shares,
                redeemed=content.redeemed,
                supersedes=content.supersedes,
                epoch=1,
                in_force_at=self.now,
                approval_count=0,
                approvals=(types.Approval(attestor=Pubkey.default(), received_hash=bytes(32), approved_at=0),) * 8,
                reserved=bytes(64),
            ),
        )
        self.write(
            self.security,
            replace(
                security,
                reserve=content.shares,
                reserve_as_of=content.as_of,
                reserve_redeemed=content.redeemed,
                attestation=address,
                attestations=security.attestations + 1,
            ),
        )
        return address

    # Fills ---------------------------------------------------------------------------------------------------------

    def _fill(self, order: Pubkey, booked: BookedMovement, kind: types.FillKind, shares: int, raw: int) -> Pubkey:
        movement = addresses.movement_address(self.security, booked.hash)
        if self.ledger.account(movement) is None:
            direction = types.Direction.IN if kind is types.FillKind.MINT else types.Direction.OUT
            self.write(
                movement,
                accounts.Movement(
                    version=1,
                    bump=255,
                    security=self.security,
                    reference_hash=booked.hash,
                    direction=direction,
                    shares=booked.shares,
                    allocated=0,
                    recorded_at=self.now,
                    reserved=bytes(64),
                ),
            )
        self.change(accounts.Movement, movement, lambda m: replace(m, allocated=m.allocated + shares))
        done = shares if kind is types.FillKind.MINT else raw
        self.change(
            accounts.Order,
            order,
            lambda o: replace(
                o,
                filled=o.filled + done,
                fills=o.fills + 1,
                status=types.OrderStatus.SETTLED if o.filled + done == o.quantity else o.status,
            ),
        )
        address = addresses.fill_address(movement, order)
        self.write(
            address,
            accounts.Fill(
                version=1,
                bump=255,
                kind=kind,
                security=self.security,
                movement=movement,
                order=order,
                shares=shares,
                raw=raw,
                multiplier=self.multiplier,
                settled_at=self.now,
                corrects=Pubkey.default(),
                corrected_raw=0,
                corrections=0,
                reserved=bytes(64),
            ),
        )
        return address

    def _use_limit(self, minted: int, burnt: int) -> None:
        operator = key("operator")
        address = addresses.limit_address(self.security, operator)
        if self.ledger.account(address) is None:
            self.write(
                address,
                accounts.Limit(
                    version=1,
                    bump=255,
                    security=self.security,
                    holder=operator,
                    mint_cap=10**15,
                    burn_cap=10**15,
                    window=DAY,
                    pending_mint_cap=0,
                    pending_burn_cap=0,
                    pending_window=0,
                    pending_from=0,
                    mint_used=0,
                    mint_used_at=0,
                    burn_used=0,
                    burn_used_at=0,
                    reserved=bytes(64),
                ),
            )
        self.change(
            accounts.Limit,
            address,
            lambda used: replace(
                used,
                mint_used=used.mint_used + minted,
                burn_used=used.burn_used + burnt,
                mint_used_at=self.now if minted else used.mint_used_at,
                burn_used_at=self.now if burnt else used.burn_used_at,
            ),
        )

    # What is tested ------------------------------------------------------------------------------------------------

    @property
    def order_book(self) -> MemoryOrderBook:
        book = MemoryOrderBook()
        for movement, _ in self.movements:
            book.record_movement(self.security, movement)
        for order in self.orders:
            book.record_order(self.security, order)
        return book

    async def reconcile(self, **change: Any) -> ReconciliationReport:
        """One run over everything."""
        arguments: dict[str, Any] = {
            "chain": self.chain,
            "issuer": self.issuer,
            "declared": self.declared,
            "statements": self.statements,
            "order_book": self.order_book,
            "breaks": self.breaks,
            "clock": self.clock,
        }
        return await reconcile(**(arguments | change))


BOOKS: list[BookOnChain] = []
"""One cluster serves every test; each starts from securities that were just listed."""


def empty_book() -> BookOnChain:
    """Two securities that were just listed."""
    if not BOOKS:
        BOOKS.append(BookOnChain())
    BOOKS[0].reset()
    return BOOKS[0]


def busy_book() -> BookOnChain:
    """Five subscriptions from two movements, one redemption settled, one accepted, one waiting, one correction."""
    one = empty_book()
    one.clock.advance(DAY)
    block = one.move("BLOCK-1", 900 * ONE, booked_at=one.now - 3_600)
    second = one.move("BLOCK-2", 100 * ONE, account=1, booked_at=one.now - 3_600)
    for holder, shares in zip(HOLDERS, (500 * ONE, 200 * ONE, 150 * ONE, 49_750_000, 250_000), strict=True):
        one.mint_fill(one.order(OrderKind.SUBSCRIPTION, shares, holder), block, shares)
    stock = one.order(OrderKind.SUBSCRIPTION, 100 * ONE, INVENTORY)
    fill = one.mint_fill(stock, second, 100 * ONE)
    one.correct(fill, 5 * ONE)
    one.never_came.append((1, 5 * ONE))
    one.order(OrderKind.REDEMPTION, 20 * ONE, HOLDERS[1])
    leaving = one.move("OUT-1", 40 * ONE, out=True, booked_at=one.now - 1_800)
    one.burn_fill(one.order(OrderKind.REDEMPTION, 40 * ONE, HOLDERS[0], accepted=True), leaving, 40 * ONE)
    one.order(OrderKind.REDEMPTION, 30 * ONE, HOLDERS[0], accepted=True)
    one.report()
    one.clock.advance(60)
    return one
