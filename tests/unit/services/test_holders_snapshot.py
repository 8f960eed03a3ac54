"""A snapshot has every token account of a mint at one slot, nothing else, and says when it is not complete."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from accounts_on_chain import RENT, token_account
from book_on_chain import HOLDERS, INVENTORY, ONE, BookOnChain, busy_book, key
from solders.pubkey import Pubkey
from tallystick.adapters.chain.memory import MemoryChain
from tallystick.adapters.chain.protocol import Account, Commitment, MemcmpFilter, ProgramAccounts
from tallystick.adapters.chain.snapshot import snapshot_holders, snapshot_mints
from tallystick.errors import ChainError, LedgerError, Refused, RpcError
from tallystick.program.token import TOKEN_2022_PROGRAM


@pytest.fixture
def book() -> BookOnChain:
    return busy_book()


class MovingChain(MemoryChain):
    """A cluster whose slot moves with every request, and where something may happen in between.

    `after_listing` runs when holders were listed; `offset` is added to the slot of that answer.
    """

    def __init__(self, book: BookOnChain, after_listing: Callable[[int], None], *, offset: int = 0) -> None:
        super().__init__(book.ledger)
        self.asked = 0
        self.slot = book.ledger.slot
        self._after_listing = after_listing
        self._offset = offset

    async def get_accounts(
        self, addresses: Sequence[Pubkey], commitment: Commitment = "confirmed"
    ) -> tuple[int, list[Account | None]]:
        self.slot += 1
        return self.slot, (await super().get_accounts(addresses, commitment))[1]

    async def get_program_accounts(
        self,
        program: Pubkey,
        filters: Sequence[MemcmpFilter | int] = (),
        *,
        commitment: Commitment = "confirmed",
        min_context_slot: int | None = None,
        data_slice: tuple[int, int] | None = None,
    ) -> ProgramAccounts:
        self.slot += 1
        self.asked += 1
        found = await super().get_program_accounts(program, filters, commitment=commitment, data_slice=data_slice)
        self._after_listing(self.asked)
        return ProgramAccounts(self.slot + self._offset, found.accounts)


def put(book: BookOnChain, name: str, data: bytes, owner: Pubkey = TOKEN_2022_PROGRAM) -> None:
    book.written.add(key(name))
    book.ledger.set_account(key(name), Account(owner, RENT, data))


async def test_plain_and_extended_accounts_are_both_there(book: BookOnChain) -> None:
    snapshot = await snapshot_holders(book.chain, book.mint, book.clock)
    assert snapshot.is_complete
    assert snapshot.total == snapshot.supply == 955 * ONE
    sizes = {len(account.data) for account in book.ledger.program_accounts(TOKEN_2022_PROGRAM).values()}
    assert {165, 170} <= sizes
    assert snapshot.balance_of(book.account_of(HOLDERS[1])) == 180 * ONE
    assert snapshot.balance_of(key("nobody")) is None
    assert snapshot.slot == book.ledger.slot


async def test_owners_with_several_accounts_are_one_holder(book: BookOnChain) -> None:
    book.set_balance(HOLDERS[1], 100 * ONE)
    put(book, "second account", token_account(book.mint, HOLDERS[1], 80 * ONE, frozen=True))
    snapshot = (await snapshot_holders(book.chain, book.mint, book.clock)).require_complete()
    entry = snapshot.register.find(bytes(HOLDERS[1]))
    assert entry is not None
    assert (entry.raw, entry.frozen_raw, entry.accounts) == (180 * ONE, 80 * ONE, 2)
    classes = snapshot.classes(book.escrow, [INVENTORY])
    assert (classes.frozen, classes.inventory, classes.escrow) == (80 * ONE, 95 * ONE, 50 * ONE)
    assert classes.holders == 730 * ONE


async def test_what_only_looks_like_an_account_is_not_counted(book: BookOnChain) -> None:
    account = token_account(book.mint, key("owner"), 10 * ONE)
    extended = token_account(book.mint, key("owner"), 10 * ONE, extended=True)
    put(book, "multisig", account.ljust(355, b"\0"))
    put(book, "multisig with the kind of an account", (account + b"\2").ljust(355, b"\0"))
    put(book, "mint", account + b"\1" + extended[166:])
    put(book, "uninitialised", account[:108] + b"\0" + account[109:])
    put(book, "short", account[:164])
    put(book, "other program", account, key("other program"))
    put(book, "other mint", token_account(book.other_mint, key("owner"), 10 * ONE))
    snapshot = await snapshot_holders(book.chain, book.mint, book.clock)
    assert snapshot.is_complete
    assert len(snapshot.accounts) == 7


async def test_holders_that_do_not_add_up_are_refused(book: BookOnChain) -> None:
    book.set_balance(HOLDERS[0], book.balances[HOLDERS[0]] - 1)
    snapshot = await snapshot_holders(book.chain, book.mint, book.clock)
    assert snapshot.is_settled
    assert not snapshot.is_complete
    with pytest.raises(Refused, match=f"hold {955 * ONE - 1} raw units, its supply is {955 * ONE}"):
        snapshot.require_complete()


async def test_a_mint_between_the_requests_is_read_again(book: BookOnChain) -> None:
    def mint(asked: int) -> None:
        if asked == 1:
            book.set_supply(book.supply + 5)
            book.set_balance(HOLDERS[0], book.balances[HOLDERS[0]] + 5)

    chain = MovingChain(book, mint)
    snapshot = (await snapshot_holders(chain, book.mint, book.clock)).require_complete()
    assert chain.asked == 2
    assert snapshot.total == 955 * ONE + 5


async def test_a_supply_that_never_stands_still_is_no_complete_register(book: BookOnChain) -> None:
    chain = MovingChain(book, lambda asked: book.set_supply(955 * ONE + asked))
    snapshot = await snapshot_holders(chain, book.mint, book.clock, attempts=4)
    assert chain.asked == 4
    assert not snapshot.is_settled
    with pytest.raises(Refused, match="its supply changed"):
        snapshot.require_complete()


async def test_an_answer_from_an_older_slot_is_not_trusted(book: BookOnChain) -> None:
    chain = MovingChain(book, lambda _: None, offset=-5)
    assert not (await snapshot_holders(chain, book.mint, book.clock, attempts=3)).is_complete


async def test_several_mints_are_read_at_one_slot_or_not_at_all(book: BookOnChain) -> None:
    found = await snapshot_mints(book.chain, [book.mint, book.other_mint], book.clock)
    assert {each.slot for each in found.values()} == {book.ledger.slot}
    assert found[book.other_mint].is_complete
    with pytest.raises(ChainError, match="at one slot"):
        await snapshot_mints(MovingChain(book, lambda _: None), [book.mint, book.other_mint], book.clock, attempts=3)


async def test_a_node_that_is_behind_is_waited_for(book: BookOnChain) -> None:
    lowest = book.ledger.slot + 5
    snapshot = await snapshot_holders(book.chain, book.mint, book.clock, min_context_slot=lowest)
    assert snapshot.slot >= lowest


async def test_another_error_of_the_node_is_not_waited_for(book: BookOnChain) -> None:
    def fail(_: int) -> None:
        raise RpcError(-32010, "excluded from account secondary indexes")

    with pytest.raises(RpcError, match="secondary indexes"):
        await snapshot_holders(MovingChain(book, fail), book.mint, book.clock)


async def test_an_address_without_a_mint_is_named(book: BookOnChain) -> None:
    with pytest.raises(LedgerError, match=str(key("nowhere"))):
        await snapshot_holders(book.chain, key("nowhere"), book.clock)
