"""Books are read as one state, or read again; a transaction in flight is never a break."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from book_on_chain import HOLDERS, ONE, BookOnChain, busy_book, key
from solders.pubkey import Pubkey
from tallystick.adapters.chain.memory import MemoryChain
from tallystick.adapters.chain.protocol import Commitment, MemcmpFilter, ProgramAccounts
from tallystick.errors import ChainError, LedgerError
from tallystick.program.generated.accounts import Order, Security
from tallystick.services.books import read_books


@pytest.fixture
def book() -> BookOnChain:
    return busy_book()


class BusyChain(MemoryChain):
    """A cluster where `happens` runs whenever the orders of the first security were listed."""

    def __init__(self, book: BookOnChain, happens: Callable[[int], None]) -> None:
        super().__init__(book.ledger)
        self.asked = 0
        self._security = bytes(book.security)
        self._happens = happens

    async def get_program_accounts(
        self,
        program: Pubkey,
        filters: Sequence[MemcmpFilter | int] = (),
        *,
        commitment: Commitment = "confirmed",
        min_context_slot: int | None = None,
        data_slice: tuple[int, int] | None = None,
    ) -> ProgramAccounts:
        found = await super().get_program_accounts(
            program, filters, commitment=commitment, min_context_slot=min_context_slot, data_slice=data_slice
        )
        wanted = [each.data for each in filters if isinstance(each, MemcmpFilter)]
        if wanted == [Order.DISCRIMINATOR, self._security]:
            self.asked += 1
            self._happens(self.asked)
        return found


async def test_books_have_everything_the_chain_has(book: BookOnChain) -> None:
    books = await read_books(book.chain, book.issuer, book.clock)
    apple, microsoft = books.securities
    assert (apple.address, microsoft.address) == (book.security, book.other)
    assert (len(apple.orders), len(apple.movements), len(apple.fills)) == (9, 3, 8)
    assert (len(apple.limits), len(apple.attestations), len(apple.holds)) == (1, 1, 0)
    assert (microsoft.orders, microsoft.movements, microsoft.fills) == ({}, {}, {})
    assert (books.now, books.slot) == (book.now, book.ledger.slot)
    assert (apple.required, apple.multiplier, apple.multiplier_changed_at) == (955 * ONE, 10**18, 0)


async def test_a_security_that_changes_while_it_is_read_is_read_again(book: BookOnChain) -> None:
    def happens(asked: int) -> None:
        if asked == 1:
            book.change(Security, book.security, lambda s: replace(s, redeemed=s.redeemed + 1))

    chain = BusyChain(book, happens)
    books = await read_books(chain, book.issuer, book.clock)
    assert chain.asked == 2
    assert books.securities[0].security == book.read(Security, book.security)


async def test_a_security_that_never_stands_still_is_not_guessed(book: BookOnChain) -> None:
    chain = BusyChain(
        book, lambda _: book.change(Security, book.security, lambda s: replace(s, redeemed=s.redeemed + 1))
    )
    with pytest.raises(ChainError, match="changed in each of 3 readings"):
        await read_books(chain, book.issuer, book.clock, attempts=3)
    assert chain.asked == 3


async def test_a_difference_that_is_gone_at_the_second_reading_is_no_break(book: BookOnChain) -> None:
    order = next(each for each in book.orders if book.read(Order, each.address).filled == 500 * ONE)
    book.change(Order, order.address, lambda o: replace(o, filled=o.filled - 3))

    def happens(asked: int) -> None:
        if asked == 1:
            book.change(Order, order.address, lambda o: replace(o, filled=o.filled + 3))

    chain = BusyChain(book, happens)
    assert (await book.reconcile(chain=chain)).is_clean
    assert chain.asked == 2


async def test_a_difference_that_stays_is_read_twice_and_is_a_break(book: BookOnChain) -> None:
    book.set_balance(HOLDERS[0], book.balances[HOLDERS[0]] - 1)
    chain = BusyChain(book, lambda _: None)
    assert len((await book.reconcile(chain=chain)).all_breaks) == 1
    assert chain.asked == 2


async def test_an_issuer_that_is_not_there_is_named(book: BookOnChain) -> None:
    with pytest.raises(LedgerError, match="There is no Issuer"):
        await read_books(book.chain, key("nobody"), book.clock)


async def test_a_security_of_another_issuer_is_refused(book: BookOnChain) -> None:
    book.change(Security, book.security, lambda s: replace(s, issuer=key("another issuer")))
    with pytest.raises(LedgerError, match="is of issuer"):
        await read_books(book.chain, book.issuer, book.clock, securities=[book.security])
