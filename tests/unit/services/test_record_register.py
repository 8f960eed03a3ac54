"""The register at a record date: taken when the moment has come, whole, by every endpoint alike, and once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from accounts_on_chain import RENT, token_account
from book_on_chain import DAY, HOLDERS, INVENTORY, ONE, BookOnChain, busy_book, digest, key
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tallystick.adapters.chain.memory import MemoryChain
from tallystick.adapters.chain.protocol import Account, Commitment, MemcmpFilter, ProgramAccounts
from tallystick.adapters.store.registers import MemoryRegisterStore
from tallystick.domain.dividends import HolderClass
from tallystick.domain.record_register import Position
from tallystick.domain.register import build_register
from tallystick.errors import ChainError, InputError, LedgerError, Refused
from tallystick.program import addresses, token
from tallystick.program.generated import accounts, types
from tallystick.program.generated.constants import PROGRAM_ID
from tallystick.services.record_register import TakenRegister, take_register, wait_for_record_date

WALLET = Keypair.from_seed(digest("a wallet")).pubkey()
COLD = Keypair.from_seed(digest("a frozen wallet")).pubkey()
POOL = Pubkey.find_program_address([b"pool"], key("an exchange"))[0]


class RecordDay:
    """A busy book, an announced dividend whose record date has just come, and a store without a register."""

    def __init__(self) -> None:
        self.book = busy_book()
        self.store = MemoryRegisterStore()
        self.record_at = self.book.now - 5
        self.event = digest("dividend")
        self.action = addresses.action_address(self.book.security, self.event, 1)
        self.announce()

    def announce(self, **change: Any) -> None:
        terms = types.ActionTerms(
            ex_at=self.record_at,
            record_at=self.record_at,
            pay_at=self.record_at + DAY,
            effective_at=0,
            numerator=0,
            denominator=0,
            gross_per_share=10**17,
            currency=b"USD",
            withholding=0,
            evidence_hash=digest("notice"),
        )
        self.book.write(
            self.action,
            replace(
                accounts.CorporateAction(
                    version=1,
                    bump=255,
                    kind=types.ActionKind.CASH_DIVIDEND,
                    status=types.ActionStatus.APPROVED,
                    security=self.book.security,
                    event_hash=self.event,
                    action_version=1,
                    replaces=Pubkey.default(),
                    terms=replace(terms, record_at=change.pop("record_at", self.record_at)),
                    announcer=key("corporate actions 1"),
                    approver=key("corporate actions 2"),
                    announced_at=1,
                    approved_at=1,
                    status_at=1,
                    multiplier_before=0,
                    multiplier_after=0,
                    distributions=0,
                    reserved=bytes(64),
                ),
                **change,
            ),
        )

    def give(self, owner: Pubkey, raw: int, **kind: bool) -> None:
        """Tokens out of the issuer's inventory."""
        self.book.give(INVENTORY, -raw)
        self.book.set_balance(owner, raw, **kind)

    async def take(self, **change: Any) -> TakenRegister:
        arguments: dict[str, Any] = {
            "chain": self.book.chain,
            "security": self.book.security,
            "action": self.action,
            "inventory": [INVENTORY],
            "store": self.store,
            "clock": self.book.clock,
        }
        return await take_register(**(arguments | change))


@pytest.fixture
def day() -> RecordDay:
    return RecordDay()


class OtherNode(MemoryChain):
    """Another endpoint of the same cluster, which tells of a mint's accounts what `tell` makes of them."""

    def __init__(self, book: BookOnChain, tell: Callable[[dict[Pubkey, Account], int], None] | None = None) -> None:
        super().__init__(book.ledger)
        self.asked = 0
        self._tell = tell

    async def get_program_accounts(
        self,
        program: Pubkey,
        filters: Sequence[MemcmpFilter | int] = (),
        *,
        commitment: Commitment = "confirmed",
        min_context_slot: int | None = None,
        data_slice: tuple[int, int] | None = None,
    ) -> ProgramAccounts:
        found = await super().get_program_accounts(program, filters, commitment=commitment)
        if program == token.TOKEN_2022_PROGRAM:
            self.asked += 1
            if self._tell:
                self._tell(found.accounts, self.asked)
        return found


def by_owner(taken: TakenRegister) -> dict[bytes, Position]:
    return {position.owner: position for position in taken.register.positions}


async def test_every_owner_is_there_once_with_its_class(day: RecordDay) -> None:
    book = day.book
    day.give(WALLET, 10 * ONE, extended=True)
    day.give(COLD, 7 * ONE, extended=False, frozen=True)
    day.give(POOL, 6 * ONE)
    day.book.written.add(POOL)
    book.ledger.set_account(POOL, Account(key("an exchange"), RENT, b"state"))
    second = token_account(book.mint, COLD, 2 * ONE, extended=True)
    book.give(INVENTORY, -2 * ONE)
    book.written.add(key("second account"))
    book.ledger.set_account(key("second account"), Account(token.TOKEN_2022_PROGRAM, RENT, second))
    taken = await day.take()
    found, register = by_owner(taken), taken.register
    assert found[bytes(WALLET)] == Position(bytes(WALLET), 10 * ONE, HolderClass.WALLET)
    assert found[bytes(COLD)] == Position(bytes(COLD), 9 * ONE, HolderClass.FROZEN, frozen_raw=7 * ONE)
    pool = Position(bytes(POOL), 6 * ONE, HolderClass.PROGRAM, program=bytes(key("an exchange")))
    assert found[bytes(POOL)] == pool
    own = found[bytes(INVENTORY)]
    assert (own.raw, own.holder_class) == (70 * ONE, HolderClass.INVENTORY)
    sizes = {len(account.data) for account in book.ledger.program_accounts(token.TOKEN_2022_PROGRAM).values()}
    assert {165, 170} <= sizes
    assert [each.owner for each in register.positions] == sorted(found)
    assert register.total == register.supply == book.supply == 955 * ONE
    assert (register.slot, register.block_time, register.record_at) == (book.ledger.slot, book.now, book.now - 5)
    assert (register.multiplier, register.decimals, register.witnesses) == (10**18, 6, 1)
    assert taken.is_new
    assert register.late_reason == ""
    assert taken.sent_to_escrow == 0


async def test_the_root_is_that_of_the_register_of_all_token_accounts(day: RecordDay) -> None:
    listed = await day.book.chain.get_token_accounts(day.book.mint)
    assert (await day.take()).register.root == build_register(listed).root


async def test_what_a_redemption_has_in_escrow_is_its_holders(day: RecordDay) -> None:
    found = by_owner(await day.take())
    first, second = found[bytes(HOLDERS[0])], found[bytes(HOLDERS[1])]
    assert (first.raw, first.escrowed_raw) == (day.book.balances[HOLDERS[0]] + 30 * ONE, 30 * ONE)
    assert (second.raw, second.escrowed_raw) == (200 * ONE, 20 * ONE)
    assert bytes(day.book.security) not in found


async def test_dust_sent_to_the_escrow_stops_nothing_and_is_nobodys(day: RecordDay) -> None:
    day.book.set_escrow(day.book.escrowed + 3)
    day.book.give(INVENTORY, -3)
    taken = await day.take()
    assert taken.sent_to_escrow == 3
    assert by_owner(taken)[bytes(day.book.security)].holder_class is HolderClass.INVENTORY
    assert by_owner(taken)[bytes(HOLDERS[1])].raw == 200 * ONE


async def test_a_holder_with_everything_in_escrow_is_in_the_register(day: RecordDay) -> None:
    day.book.give(INVENTORY, day.book.balances[HOLDERS[1]])
    day.book.set_balance(HOLDERS[1], 0)
    assert by_owner(await day.take())[bytes(HOLDERS[1])].raw == 20 * ONE


async def test_an_empty_frozen_account_freezes_nobody(day: RecordDay) -> None:
    day.give(WALLET, ONE)
    day.book.written.add(key("empty"))
    empty = token_account(day.book.mint, WALLET, 0, frozen=True)
    day.book.ledger.set_account(key("empty"), Account(token.TOKEN_2022_PROGRAM, RENT, empty))
    assert by_owner(await day.take())[bytes(WALLET)].holder_class is HolderClass.WALLET


async def test_an_inventory_wallet_is_that_first(day: RecordDay) -> None:
    day.book.set_balance(INVENTORY, day.book.balances[INVENTORY], frozen=True)
    own = by_owner(await day.take())[bytes(INVENTORY)]
    assert (own.holder_class, own.frozen_raw) == (HolderClass.INVENTORY, 95 * ONE)


async def test_a_register_is_taken_once(day: RecordDay) -> None:
    first = await day.take()
    day.book.give(HOLDERS[1], -ONE)
    day.book.give(HOLDERS[2], ONE)
    day.book.clock.advance(30 * DAY)
    again = await day.take()
    assert not again.is_new
    assert (again.register, again.hash) == (first.register, first.hash)


async def test_before_the_record_date_it_is_refused(day: RecordDay) -> None:
    day.announce(record_at=day.book.now + 60)
    with pytest.raises(Refused, match="has not come"):
        await day.take()
    assert day.store.rows == {}


async def test_long_after_the_record_date_it_needs_a_reason_that_is_kept(day: RecordDay) -> None:
    day.announce(record_at=day.book.now - 3_601)
    with pytest.raises(Refused, match="3601 s ago"):
        await day.take(late_reason=" ")
    assert day.store.rows == {}
    assert (await day.take(late_reason="transfers were on hold")).register.late_reason == "transfers were on hold"


async def test_a_longer_lateness_may_be_allowed(day: RecordDay) -> None:
    day.announce(record_at=day.book.now - 3_601)
    assert (await day.take(longest_lateness=3_601, late_reason="not needed")).register.late_reason == ""


async def test_holdings_that_are_not_the_supply_are_refused(day: RecordDay) -> None:
    day.book.give(HOLDERS[0], -1)
    with pytest.raises(Refused, match="incomplete"):
        await day.take()
    assert day.store.rows == {}


async def test_an_account_that_is_listed_twice_is_refused(day: RecordDay) -> None:
    class Doubled(MemoryChain):
        async def get_token_accounts(self, mint: Pubkey, **more: Any) -> Any:
            found = await super().get_token_accounts(mint, **more)
            rows = found.rows
            account = next(each for each in found if each.raw == 95 * ONE)  # twice, in place of two of the same sum
            size = len(rows) // len(found)
            at = list(found).index(account) * size
            return replace(found, rows=rows[:at] + rows[at : at + size] + rows[at:])

    day.book.set_supply(day.book.supply + 95 * ONE)
    with pytest.raises(LedgerError, match="twice"):
        await day.take(chain=Doubled(day.book.ledger))
    assert day.store.rows == {}


@pytest.mark.parametrize("change", [-1, 1])
async def test_redemptions_that_are_not_what_the_security_counts_are_refused(day: RecordDay, change: int) -> None:
    day.book.change(accounts.Security, day.book.security, lambda s: replace(s, escrowed=s.escrowed + change))
    with pytest.raises(Refused, match="Live redemptions have 50 tokens"):
        await day.take()
    assert day.store.rows == {}


async def test_an_escrow_with_less_than_the_redemptions_is_refused(day: RecordDay) -> None:
    day.book.set_escrow(day.book.escrowed - 1)
    day.book.give(INVENTORY, 1)
    with pytest.raises(Refused, match="the escrow holds 49"):
        await day.take()
    assert day.store.rows == {}


@pytest.mark.parametrize("status", [types.ActionStatus.CANCELLED, types.ActionStatus.REPLACED])
async def test_an_action_that_ended_has_no_register(day: RecordDay, status: types.ActionStatus) -> None:
    day.announce(status=status)
    with pytest.raises(Refused, match=status.name.lower()):
        await day.take()
    assert day.store.rows == {}


async def test_an_action_of_another_security_is_refused(day: RecordDay) -> None:
    with pytest.raises(InputError, match="of security"):
        await day.take(security=day.book.other)


async def test_an_action_without_a_record_date_is_refused(day: RecordDay) -> None:
    day.announce(record_at=0)
    with pytest.raises(Refused, match="no record date"):
        await day.take()


async def test_a_record_date_that_was_changed_afterwards_is_refused(day: RecordDay) -> None:
    taken = await day.take()
    day.announce(record_at=day.record_at - 1)
    with pytest.raises(Refused, match="was taken for"):
        await day.take()
    assert (await day.store.find(bytes(day.book.security), day.event)) == taken.register


async def test_a_second_endpoint_that_says_the_same_is_counted(day: RecordDay) -> None:
    witness = OtherNode(day.book)
    assert (await day.take(witnesses=[witness])).register.witnesses == 2
    assert witness.asked == 1


def swap(book: BookOnChain) -> Callable[[dict[Pubkey, Account], int], None]:
    """One holder's balance is told as another's, so that the sum stays."""
    one, other = book.account_of(HOLDERS[2]), book.account_of(HOLDERS[3])

    def tell(listed: dict[Pubkey, Account], asked: int) -> None:
        for place, source in ((one, other), (other, one)):
            data = book.account(place).data
            listed[place] = replace(listed[place], data=data[:64] + book.account(source).data[64:72] + data[72:])

    return tell


async def test_endpoints_that_differ_are_refused_with_the_first_owner(day: RecordDay) -> None:
    witness = OtherNode(day.book, swap(day.book))
    first = min(HOLDERS[2], HOLDERS[3], key=bytes)
    with pytest.raises(Refused, match=f"in each of 3 readings. The first difference is {first}: endpoint 1 says"):
        await day.take(witnesses=[OtherNode(day.book), witness], attempts=3)
    assert witness.asked == 3
    assert day.store.rows == {}


async def test_endpoints_that_differ_in_what_is_frozen_are_refused(day: RecordDay) -> None:
    place = day.book.account_of(HOLDERS[2])

    def thaw(listed: dict[Pubkey, Account], asked: int) -> None:
        data = day.book.account(place).data
        listed[place] = replace(listed[place], data=data[:108] + b"\2" + data[109:])

    with pytest.raises(Refused, match=r"\(0 frozen\).*\(150 frozen\)"):
        await day.take(witnesses=[OtherNode(day.book, thaw)])


async def test_an_endpoint_with_another_multiplier_is_refused(day: RecordDay) -> None:
    class Doubled(MemoryChain):
        async def get_accounts(self, addresses: Sequence[Pubkey], *more: Any, **named: Any) -> Any:
            slot, found = await super().get_accounts(addresses, *more, **named)
            return slot, [
                self._doubled(each) if at == day.book.security else each
                for at, each in zip(addresses, found, strict=True)
            ]

        def _doubled(self, account: Account | None) -> Account | None:
            assert account is not None
            security = accounts.Security.decode(account.data)
            return replace(account, data=replace(security, multiplier=2 * security.multiplier).encode())

    with pytest.raises(Refused, match="Endpoint 2 has another mint, decimals or multiplier"):
        await day.take(witnesses=[Doubled(day.book.ledger)])
    assert day.store.rows == {}


async def test_an_endpoint_with_the_escrow_of_other_redemptions_is_refused(day: RecordDay) -> None:
    class Swapped(MemoryChain):
        async def get_program_accounts(self, program: Pubkey, *more: Any, **named: Any) -> Any:
            found = await super().get_program_accounts(program, *more, **named)
            changed = {at: self._swapped(each) for at, each in found.accounts.items()}
            return replace(found, accounts=changed) if program == PROGRAM_ID else found

        def _swapped(self, account: Account) -> Account:
            if not account.data.startswith(accounts.Order.DISCRIMINATOR):
                return account
            order = accounts.Order.decode(account.data)
            return replace(account, data=replace(order, holder=HOLDERS[3]).encode())

    with pytest.raises(Refused, match="Endpoint 2 has the escrowed tokens of other redemptions"):
        await day.take(witnesses=[Swapped(day.book.ledger)])
    assert day.store.rows == {}


async def test_a_difference_that_passes_is_read_again(day: RecordDay) -> None:
    lie = swap(day.book)
    witness = OtherNode(day.book, lambda listed, asked: lie(listed, asked) if asked == 1 else None)
    assert (await day.take(witnesses=[witness])).register.witnesses == 2
    assert witness.asked == 2


async def test_a_security_that_changes_while_it_is_read_is_read_again(day: RecordDay) -> None:
    def settle(listed: dict[Pubkey, Account], asked: int) -> None:
        if asked == 1:
            day.book.change(accounts.Security, day.book.security, lambda s: replace(s, attestations=9))

    chain = OtherNode(day.book, settle)
    assert (await day.take(chain=chain)).is_new
    assert chain.asked == 2


async def test_a_security_that_never_stands_still_is_given_up(day: RecordDay) -> None:
    def settle(listed: dict[Pubkey, Account], asked: int) -> None:
        day.book.change(accounts.Security, day.book.security, lambda s: replace(s, attestations=100 + asked))

    with pytest.raises(ChainError, match="changed in each of 4"):
        await day.take(chain=OtherNode(day.book, settle), attempts=4)
    assert day.store.rows == {}


async def test_lamports_sent_to_the_security_do_not_stop_it(day: RecordDay) -> None:
    def send(listed: dict[Pubkey, Account], asked: int) -> None:
        account = day.book.account(day.book.security)
        day.book.ledger.set_account(day.book.security, replace(account, lamports=account.lamports + 1))

    chain = OtherNode(day.book, send)
    await day.take(chain=chain)
    assert chain.asked == 1


async def test_the_multiplier_in_force_at_the_slot_is_kept(day: RecordDay) -> None:
    day.book.change(
        accounts.Security,
        day.book.security,
        lambda s: replace(s, pending_multiplier=2 * 10**18, multiplier_effective_at=day.book.now),
    )
    assert (await day.take()).register.multiplier == 2 * 10**18


async def test_waiting_ends_when_the_record_date_has_come(day: RecordDay) -> None:
    day.announce(record_at=day.book.now + 70)
    left: list[int] = []
    now = await wait_for_record_date(day.book.chain, day.action, day.book.clock, left.append)
    assert left[0] == 70
    assert left == sorted(left, reverse=True)
    assert now >= day.book.read(accounts.CorporateAction, day.action).terms.record_at
    assert (await day.take()).is_new


async def test_more_owners_without_a_key_than_one_request_holds(day: RecordDay) -> None:
    pools = [Pubkey.find_program_address([b"pool", bytes([number])], PROGRAM_ID)[0] for number in range(120)]
    for pool in pools:
        day.give(pool, ONE // 2)
    found = by_owner(await day.take())
    assert {found[bytes(pool)].holder_class for pool in pools} == {HolderClass.PROGRAM}
    assert {found[bytes(pool)].program for pool in pools} == {b""}
