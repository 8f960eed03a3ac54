"""Distributions in the laws' state machine, and law 4: paid once, never more than funded.

What everybody received is counted from balances, before and after each transaction, and held against what the list
commits to, the bits, and the totals that the distribution keeps.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from actions import NO_TERMS, Action
from chain_in_process import Refusal
from distributions import DISTRIBUTOR, FUNDER, PAYOUT_KEY, TREASURY, Payout
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from laws_acting import PICK, WALLETS
from laws_actions import CASH, CORPORATE_ACTIONS, ActionRules
from laws_world import (
    DAY,
    HOUR,
    Chain,
    Custodian,
    Issuer,
    Mirror,
    Pubkey,
    Receipt,
    Security,
    accounts,
    events,
    key,
)  # fmt: skip
from payments import IMMUTABLE_OWNER, MEMO_TRANSFER, Payment, extension, fee, fee_config
from solders.account import Account
from solders.instruction import Instruction
from tallystick.domain.distribution_tree import Batch, DistributionTree, Entry
from tallystick.domain.merkle import MerkleTree
from tallystick.program.distribution_account import HEADER_LENGTH, DistributionAccount
from tallystick.program.generated.types import ActionStatus
from tallystick.program.token import (
    SPL_TOKEN_PROGRAM,
    SYSTEM_PROGRAM,
    TOKEN_2022_PROGRAM,
    TokenAccountState,
    transfer_checked,
)

RECIPIENTS = (*WALLETS, *(key(f"recipient {number}") for number in range(4)))
THIEF = key("thief")
PROGRAMS = (SPL_TOKEN_PROGRAM, SPL_TOKEN_PROGRAM, TOKEN_2022_PROGRAM)
FORGED = [None, None, None, None, "amount", "bump", "order", "proof", "batch", "root", "recipient", "key", "another's"]
STATES = ["frozen", "plain", "memo", "closed", "re-owned", "of another mint"]
FUNDED = ["all", "all", "half", "one", "zero", "too much"]


def payment(chain: Chain, program: Pubkey) -> Payment:
    """The money, of either token program."""
    return Payment(chain, program)


def prepare_payments(chain: Chain) -> None:
    """Both kinds of money, in everybody's accounts."""
    for each in (PAYOUT_KEY, FUNDER, TREASURY, THIEF, *RECIPIENTS):
        if chain.find(each) is None:
            chain.fund(each)
    for program in set(PROGRAMS):
        money = payment(chain, program)
        money.write_mint()
        for wallet in (*RECIPIENTS, TREASURY, THIEF):
            money.write_account(wallet, 10)
        money.write_account(FUNDER, 2**62)


class List(Payout):
    """A payout whose list nobody checked: it may name an account twice."""

    __slots__ = ()

    @property
    def tree(self) -> DistributionTree:
        """What it commits to."""
        found = tuple(
            Entry(bytes(address), bump, amount)
            for (address, bump), amount in zip(map(self.payment.find, self.wallets), self.amounts, strict=True)
        )
        return _tree(bytes(self.address), found, self.size)


@lru_cache(1_000)
def _tree(distribution: bytes, entries: tuple[Entry, ...], size: int) -> DistributionTree:
    """A tree past the check that no recipient occurs twice."""
    made = object.__new__(DistributionTree)
    made.distribution, made.entries = distribution, len(entries)
    made.total = sum(entry.amount for entry in entries)
    made.batches = tuple(
        Batch(index, entries[start : start + size]) for index, start in enumerate(range(0, len(entries), size))
    )
    made.tree = MerkleTree([batch.leaf(distribution) for batch in made.batches])
    return made


@dataclass(slots=True)
class Book:
    """What a distribution was opened with, and what happened since."""

    payout: Payout
    tree: DistributionTree
    opener: Pubkey
    words: list[int] = field(default_factory=list)
    arrived: int = 0
    dust: int = 0
    received: Counter[Pubkey] = field(default_factory=Counter)
    approved: bool = False
    closed: bool = False

    def entry(self, batch: int, index: int) -> tuple[Pubkey, int]:
        """Account and amount."""
        found = self.tree.batches[batch].entries[index]
        return Pubkey.from_bytes(found.address), found.amount

    def committed(self) -> Counter[Pubkey]:
        """What the list gives each account in all."""
        owed: Counter[Pubkey] = Counter()
        for batch in self.tree.batches:
            for each in batch.entries:
                owed[Pubkey.from_bytes(each.address)] += each.amount
        return owed

    def paid(self) -> list[tuple[Pubkey, int]]:
        """Entries whose bit is set."""
        return [self.entry(batch, index) for batch, word in enumerate(self.words) for index in bits_of(word)]


def bits_of(word: int) -> list[int]:
    """Places of the bits that are set."""
    return [place for place in range(64) if word >> place & 1]


class PaymentRules(ActionRules):
    """Distributors, payout keys, recipients and strangers try everything."""

    def begin(self, chain: Chain, alpha: Issuer, acme: Security, custodian: Custodian, mirror: Mirror) -> None:
        """A new program of steps."""
        super().begin(chain, alpha, acme, custodian, mirror)
        self.books: dict[Pubkey, Book] = {}
        self.opening: tuple[Payout, DistributionTree, Pubkey] | None = None
        self.takes_fee = False
        self.skipped = 0
        self.stale: set[Pubkey] = set()

    # Steps -----------------------------------------------------------------------------------------------------------

    @rule(
        program=st.sampled_from(PROGRAMS), pick=PICK, size=st.sampled_from([1, 2, 3, 7]), twice=st.booleans(),
        funded=st.sampled_from(FUNDED), life=st.sampled_from([60, HOUR, DAY]),
    )  # fmt: skip
    def dividend_is_distributed(
        self, program: Pubkey, pick: int, size: int, twice: bool, funded: str, life: int
    ) -> None:
        """Announced, approved, opened, approved and funded; the list may name an account twice."""
        now = self.chain.now
        terms = replace(NO_TERMS, ex_at=now, record_at=now, pay_at=now, gross_per_share=10**18, currency=b"USD")
        action = Action(self.acme, CASH[pick % 3], terms, self.fresh("event"))
        self._announce(action, pick, real=True)
        found = self.announced.get(action.address)
        if found is None:
            return
        self._approve(found, self.second_key(found.announcer, pick))
        book = self._open(action, program, pick, size, 0, twice=twice, life=life)
        if book is not None:
            self._approve_distribution(book, self.second_key(book.opener, pick))
            self._fund(book, funded)

    @precondition(lambda self: self.of(accounts.CorporateAction))
    @rule(
        program=st.sampled_from(PROGRAMS), pick=PICK, size=st.sampled_from([1, 3]),
        number=st.sampled_from([0, 0, 1, -1]), linked=st.booleans(),
    )  # fmt: skip
    def distribution_is_opened(self, program: Pubkey, pick: int, size: int, number: int, linked: bool) -> None:
        """For any action, again, or with a number that is not next."""
        found = [(address, each) for address, each in self.sorted_of(accounts.CorporateAction) if each.distributions]
        if not found or pick % 5 == 0:
            found = self.sorted_of(accounts.CorporateAction)
        if found:
            address, state = found[pick % len(found)]
            change: dict[str, Any] = {}
            earlier = [each for each, book in self.books.items() if book.payout.action.address == address]
            if linked and earlier:
                change = {"linked_to": earlier[0]}
            wanted = max(0, state.distributions + number)
            self._open(self.announced[address].action, program, pick, size, wanted, **change)

    @precondition(lambda self: self.books)
    @rule(pick=PICK, same=st.booleans(), lie=st.sampled_from([None, None, "root", "total", "entries"]))
    def distribution_is_approved(self, pick: int, same: bool, lie: str | None) -> None:
        """By another key or by the opener, who may hold both roles; saying what it is or not."""
        book = self._pick_book(pick, approved=False)
        if book is not None:
            lies: dict[str, Any] = {"root": bytes(32), "total": 1, "entries": 1}
            who = book.opener if same else self.holder_of(CORPORATE_ACTIONS, pick)
            self._approve_distribution(book, who, **({lie: lies[lie]} if lie else {}))

    @precondition(lambda self: self.books)
    @rule(pick=PICK, how=st.sampled_from(FUNDED))
    def distribution_is_funded(self, pick: int, how: str) -> None:
        """A part, the rest, or more than all."""
        book = self._pick_book(pick)
        if book is not None:
            self._fund(book, how)

    @precondition(lambda self: self.books)
    @rule(
        pick=PICK,
        batch=st.integers(0, 7),
        skip=st.sampled_from([0, 0, 1, 5, 2**64 - 1]),
        forged=st.sampled_from(FORGED),
    )
    def batch_is_paid(self, pick: int, batch: int, skip: int, forged: str | None) -> None:
        """By the payout key with any mask; or with something forged."""
        book = self._pick_book(pick)
        if book is not None:
            self._pay(book, batch % len(book.tree.batches), skip, forged)

    @precondition(lambda self: self.books)
    @rule(pick=PICK, skip=st.sampled_from([0, 0, 2]), again=st.booleans())
    def everything_is_paid(self, pick: int, skip: int, again: bool) -> None:
        """Batch by batch, perhaps twice."""
        book = self._pick_book(pick)
        if book is not None:
            for batch in [*range(len(book.tree.batches))] * (1 + again):
                self._pay(book, batch, skip, None)

    @precondition(lambda self: self.books)
    @rule(
        pick=PICK, wallet=st.integers(0, 6), how_many=st.sampled_from([1, 1, 7]),
        forged=st.sampled_from([None, None, None, "amount", "index", "holder", "to"])
    )  # fmt: skip
    def entitlement_is_claimed(self, pick: int, wallet: int, how_many: int, forged: str | None) -> None:
        """By anyone, for any recipient, or for all; or with something forged."""
        book = self._pick_book(pick)
        if book is None:
            return
        payout = book.payout
        change: dict[str, Any] = {
            "amount": {"raw": 10**6}, "index": {"index": 1}, "holder": {"holder": self.alpha.holder(THIEF)},
            "to": {"destination": payout.payment.tokens(THIEF)}, None: {},
        }[forged]  # fmt: skip
        for place in range(wallet, wallet + how_many):
            who = payout.wallets[place % 7]
            batch, index = divmod(payout.wallets.index(who), payout.size)
            due = self._payable(book, batch, 0).get(index)
            record = self.of(accounts.Holder).get(self.alpha.holder(who))
            made = self.act(payout.pay_entitlement(who, **change))
            may = due is not None and self._may_pay(book) and not (record and record.suspended_at)
            if (
                forged is None
                and due is not None
                and due[1] <= book.arrived - book.received.total() + due[1] * bool(made)
            ):
                assert (made is not None) is may, "law 4: a claim that was due, or was not"

    @precondition(lambda self: self.books)
    @rule(wallet=st.integers(0, 6), program=st.sampled_from(PROGRAMS), state=st.sampled_from(STATES))
    def recipient_changes(self, wallet: int, program: Pubkey, state: str) -> None:
        """Its account is frozen, wants memos, is closed, is somebody else's, or as it was."""
        money, owner = payment(self.chain, program), RECIPIENTS[wallet]
        address = money.tokens(owner)
        amount = self.chain.balance(address) if self.chain.find(address) is not None else 0
        match state:
            case "closed":
                self.chain.write(address, Account(0, b"", SYSTEM_PROGRAM, False, 0))
            case "frozen":
                money.write_account(owner, amount, state=TokenAccountState.FROZEN)
            case "re-owned":
                money.write_account(owner, amount, owner=THIEF)
            case "of another mint":
                money.write_account(owner, amount, mint=self.acme.mint)
            case "memo" if money.is_token_2022:
                wants = extension(IMMUTABLE_OWNER, b"") + extension(MEMO_TRANSFER, b"\1")
                money.write_account(owner, amount, extensions=wants)
            case _:
                money.write_account(owner, amount)

    @precondition(lambda self: self.books)
    @rule(on=st.booleans())
    def payment_mint_takes_a_fee(self, on: bool) -> None:
        """Its issuer decides so, or takes it back."""
        self.takes_fee = on
        payment(self.chain, TOKEN_2022_PROGRAM).write_mint(fee_config(fee(0, 100), fee(0, 100)) if on else b"")

    @precondition(lambda self: self.books)
    @rule(pick=PICK, raw=st.integers(1, 20), source=st.integers(0, 6))
    def money_is_sent_unasked(self, pick: int, raw: int, source: int) -> None:
        """A recipient sends what it has to an escrow, or to another."""
        book = self._pick_book(pick)
        if book is None:
            return
        money, wallet = book.payout.payment, RECIPIENTS[source]
        target = book.payout.escrow if pick % 3 else money.tokens(RECIPIENTS[pick % 7])
        call = transfer_checked(
            source=money.tokens(wallet), mint=money.mint, destination=target, authority=wallet, amount=raw, decimals=6,
            token_program=money.program,
        )  # fmt: skip
        if self._try(call) and target == book.payout.escrow and not book.closed:
            book.dust += raw

    @precondition(lambda self: self.books)
    @rule(pick=PICK, wait=st.sampled_from([0, 0, 60, HOUR, DAY]), wrong=st.sampled_from([None, None, "refund", "rent"]))
    def distribution_is_closed(self, pick: int, wait: int, wrong: str | None) -> None:
        """Before or after its time. Not while the mint has the fee that was written to it: accounts of a real one have
        room for it from the start, and these have none."""
        book = self._pick_book(pick)
        if book is not None and not (self.takes_fee and book.payout.payment.is_token_2022):
            self.pass_time(wait)
            change: dict[str, Any] = {
                "refund": {"refund": book.payout.payment.tokens(THIEF)}, "rent": {"rent_recipient": THIEF}, None: {},
            }[wrong]  # fmt: skip
            self.act(book.payout.close(**self.acting(DISTRIBUTOR, pick, "distributor"), **change))

    # How -------------------------------------------------------------------------------------------------------------

    def _pick_book(self, pick: int, *, approved: bool = True) -> Book | None:
        found = [each for each in self.books.values() if not each.closed and each.approved is approved]
        found = [each for each in found if each.arrived > each.received.total()] or found
        if not found or pick % 10 == 9:
            found = list(self.books.values())
        return found[pick // 10 % len(found)] if found else None

    def _open(
        self, action: Action, program: Pubkey, pick: int, size: int, number: int, *, twice: bool = False,
        life: int = DAY, **change: Any,
    ) -> Book | None:  # fmt: skip
        wallets = (*RECIPIENTS[:-1], RECIPIENTS[0]) if twice else RECIPIENTS
        amounts = tuple(1 + (pick + place) % 5 for place in range(len(wallets)))
        payout = List(action, payment(self.chain, program), wallets, amounts, size, number, life)
        who = self.holder_of(DISTRIBUTOR, pick)
        self.opening = payout, payout.tree, who
        made = self.act(payout.open(distributor=who, role=self.alpha.role(DISTRIBUTOR, who), **change))
        self.opening = None
        return self.books[payout.address] if made is not None else None

    def _approve_distribution(self, book: Book, who: Pubkey, **change: Any) -> None:
        role = self.alpha.role(CORPORATE_ACTIONS, who)
        self.act(book.payout.approve(approver=who, role=role, **change))

    def _fund(self, book: Book, how: str) -> None:
        missing = book.payout.total - book.arrived
        raw = {"all": missing, "half": missing // 2, "one": 1, "zero": 0, "too much": missing + 1}[how]
        self.act(book.payout.fund(raw))

    def _try(self, call: Instruction) -> bool:
        """Send what is no call of the program."""
        return not isinstance(self.chain.attempt(call), Refusal)

    def _pay(self, book: Book, batch: int, skip: int, forged: str | None) -> None:
        payout = book.payout
        entries = book.tree.batches[batch].entries
        honest = payout.batch_params(batch, skip)
        recipients = [Pubkey.from_bytes(each.address) for each in entries]
        change: dict[str, Any] = {}
        match forged:
            case "amount":
                change["amounts"] = (honest.amounts[0] + 1, *honest.amounts[1:])
            case "bump":
                change["bumps"] = bytes([honest.bumps[0] - 1]) + honest.bumps[1:]
            case "order":
                recipients, change["amounts"] = recipients[::-1], honest.amounts[::-1]
            case "proof":
                change["proof"] = (*honest.proof[:-1], bytes(32))
            case "batch":
                change["batch"] = (batch + 1) % 4
            case "root":
                change["entries_root"] = bytes(32)
            case "recipient":
                recipients[0] = payout.payment.tokens(THIEF)
            case "key":
                change["payout_key"] = THIEF
            case "another's":
                others = [each for each in self.books.values() if each is not book]
                if others:
                    change |= {"distribution": others[0].payout.address, "escrow": others[0].payout.escrow}
            case _:
                pass
        payable = self._payable(book, batch, skip)
        call = payout.pay_batch(batch, skip, recipients=recipients, **change)
        self.skipped = skip
        made = self.act(call)
        self.skipped = 0
        if forged is not None:
            moved = [each for each in (made.events if made else ()) if isinstance(each, events.BatchPaid)]
            assert forged in ("order", "another's", "batch", "bump", "proof") or not moved, f"law 4: forged {forged}"
            return
        due = sum(amount for _, amount in payable.values())
        if self._may_pay(book) and (made is not None or due <= book.arrived - sum(amount for _, amount in book.paid())):
            assert made is not None, "law 4: what one recipient did failed the others' payment"
            assert all(book.words[batch] >> index & 1 for index in payable), "law 4: one that could be paid was not"
        else:
            assert made is None or not due

    def _may_pay(self, book: Book) -> bool:
        return book.approved and not book.closed and not (self.takes_fee and book.payout.payment.is_token_2022)

    def _payable(self, book: Book, batch: int, skip: int) -> dict[int, tuple[Pubkey, int]]:
        """Entries of a batch that are unpaid and not skipped, and whose account takes a plain transfer."""
        found = {}
        for index in range(len(book.tree.batches[batch].entries)):
            address, amount = book.entry(batch, index)
            unpaid = not (book.words[batch] | skip) >> index & 1
            if unpaid and self._takes(book.payout.payment, address):
                found[index] = (address, amount)
        return found

    def _takes(self, money: Payment, address: Pubkey) -> bool:
        found = self.chain.find(address)
        if found is None or found.owner != money.program:
            return False
        state = self.chain.token(address)
        wants_memo = MEMO_TRANSFER in state.extensions
        is_its_owners = money.tokens(state.owner) == address
        return state.mint == money.mint and not state.frozen and is_its_owners and not wants_memo

    # Law 4 -----------------------------------------------------------------------------------------------------------

    def check_receipt(self, receipt: Receipt, call: Instruction) -> None:
        """Follow every distribution by what really moved."""
        for event in receipt.events:
            match event:
                case events.DistributionOpened():
                    assert self.opening is not None
                    payout, tree, who = self.opening
                    assert event.distribution not in self.books, "law 4: opened again"
                    self._in_force(DISTRIBUTOR, who)
                    self.books[event.distribution] = Book(payout, tree, who, [0] * len(tree.batches))
                    self.stale.add(event.distribution)
                case events.DistributionApproved():
                    self._law_4_approval(event)
                case events.DistributionFunded():
                    book = self.books[event.distribution]
                    arrived = self._moved(book.payout.escrow)
                    assert book.approved
                    assert event.raw == arrived > 0
                    book.arrived += arrived
                    self.stale.add(event.distribution)
                case events.BatchPaid():
                    self._law_4_payment(event.distribution, event.raw, {event.batch: event.paid})
                case events.EntitlementPaid():
                    self._law_4_payment(event.distribution, event.raw, {event.batch: 1 << event.index})
                    record = self.of(accounts.Holder).get(self.alpha.holder(event.owner))
                    assert record is None or not record.suspended_at, "law 4: claimed for one who is suspended"
                case events.DistributionClosed():
                    self._law_4_close(event)
                case _:
                    pass
        super().check_receipt(receipt, call)

    def _law_4_approval(self, event: events.DistributionApproved) -> None:
        book = self.books[event.distribution]
        assert not book.approved
        assert not book.closed
        assert event.root_approver != book.opener, "law 4: approved by its opener"
        self._in_force(CORPORATE_ACTIONS, event.root_approver)
        assert event.root == book.tree.root
        assert event.total == book.tree.total
        assert len(self._account(book).words) == len(book.words), "law 4: approved before it had its bits"
        found = self.announced[event.action]
        assert found.approver is not None, "law 5: cash that nobody approved"
        assert self.of(accounts.CorporateAction)[event.action].status is ActionStatus.EXECUTED
        book.approved = True
        self.stale.add(event.distribution)

    def _law_4_payment(self, distribution: Pubkey, raw: int, claimed: dict[int, int]) -> None:
        book = self.books[distribution]
        assert book.approved, "law 4: paid before its approval"
        assert not book.closed, "law 4: paid after its close"
        expected: Counter[Pubkey] = Counter()
        for batch, (old, new) in enumerate(zip(book.words, self._account(book).words, strict=True)):
            assert new & old == old, "law 4: a bit was cleared"
            assert not old & claimed.get(batch, 0), "law 4: paid twice"
            assert new & ~old == claimed.get(batch, 0), "law 4: other bits than the event says"
            assert not new & ~old & self.skipped, "law 4: skipped, and paid"
            for index in bits_of(new & ~old):
                address, amount = book.entry(batch, index)
                expected[address] += amount
            book.words[batch] = new
        for address in self.given:
            if self._is_money(book, address) and address != book.payout.escrow:
                assert self._moved(address) == expected[address], "law 4: another amount than was committed"
        assert self._moved(book.payout.escrow) == -expected.total() == -raw
        for address in expected:
            assert self._takes(book.payout.payment, address), "law 4: paid to one that is not its owner's"
        book.received += expected
        assert all(amount <= book.committed()[each] for each, amount in book.received.items()), (
            "law 4: more than committed"
        )
        self.stale.add(distribution)

    def _is_money(self, book: Book, address: Pubkey) -> bool:
        found = self.chain.find(address)
        return found is not None and found.owner == book.payout.payment.program and address != book.payout.payment.mint

    def _law_4_close(self, event: events.DistributionClosed) -> None:
        book = self.books[event.distribution]
        state = self.of(accounts.Distribution)[event.distribution]
        everything = sum(len(batch.entries) for batch in book.tree.batches)
        assert not book.closed
        assert not book.approved or self.chain.now >= state.expires_at or len(book.paid()) == everything
        assert self.chain.find(book.payout.escrow) is None
        rest = book.arrived - book.received.total() + book.dust
        assert self._moved(book.payout.refund) == event.refunded == rest, "law 4: the rest"
        words = b"".join(each.to_bytes(8, "little") for each in book.words)
        assert state.bits_hash == hashlib.sha256(words).digest(), "law 8: the tombstone"
        book.closed = True
        self.stale.add(event.distribution)

    def _account(self, book: Book) -> DistributionAccount:
        found = self.chain.find(book.payout.address)
        assert found is not None, "law 8: a distribution is gone"
        return DistributionAccount.decode(found.data)

    def check_now(self) -> None:
        """Law 4 too, of every distribution that something happened to."""
        super().check_now()
        for book in (self.books[address] for address in self.stale):
            account = self._account(book)
            state, paid = account.fields, book.paid()
            assert list(account.words) == ([] if book.closed else book.words), "law 4: the bits"
            assert account.length == HEADER_LENGTH + 8 * len(account.words)
            total = sum(amount for _, amount in paid)
            assert (state.paid, state.paid_entries) == (total, len(paid)), "law 4: what was paid"
            assert total == book.received.total() <= state.funded == book.arrived <= state.total
            if not book.closed:
                assert self.chain.balance(book.payout.escrow) == state.funded - state.paid + book.dust
        self.stale = set()
