"""A day is closed once, over complete registers of one slot, and no stored close can be changed unseen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from book_on_chain import APPLE, CUSTODY, DAY, HOLDERS, INVENTORY, MICROSOFT, ONE, BookOnChain, busy_book, key
from solders.pubkey import Pubkey
from tallystick.adapters.chain.memory import MemoryChain
from tallystick.adapters.chain.protocol import Commitment
from tallystick.adapters.store.closes import CloseStore, MemoryCloseStore, StoredClose
from tallystick.adapters.store.registers import MemoryRegisterStore, RegisterStore
from tallystick.adapters.store.sql_closes import DatabaseCloseStore
from tallystick.adapters.store.store import open_store
from tallystick.domain.amounts import multiplier_to_float_bits
from tallystick.domain.breaks import BreakKind
from tallystick.domain.closes import NO_PREVIOUS, DailyClose, RegisterReference, parse_close
from tallystick.domain.dividends import HolderClass
from tallystick.domain.holdings import statement_hash
from tallystick.domain.merkle import EMPTY_ROOT
from tallystick.domain.record_register import Position, RecordRegister
from tallystick.errors import ConfigurationError, InputError, LedgerError, Refused, StoreConflict
from tallystick.program.artifacts import PROGRAM, checksums
from tallystick.program.generated import accounts
from tallystick.services.chain_reads import chain_time
from tallystick.services.daily_close import close_day, closing_day, deployed_program_hash, verify_closes
from tallystick.services.reconciliation_custody import DeclaredSecurity


@pytest.fixture
def book() -> BookOnChain:
    return busy_book()


def today(book: BookOnChain, later: int = 0) -> str:
    return datetime.fromtimestamp(book.now + later * DAY, UTC).date().isoformat()


async def close(
    book: BookOnChain,
    day: str | None = None,
    *,
    closes: CloseStore | None = None,
    registers: RegisterStore | None = None,
    declared: Sequence[DeclaredSecurity] | None = None,
) -> DailyClose:
    return await close_day(
        book.chain,
        book.issuer,
        day or today(book),
        book.declared if declared is None else declared,
        book.statements,
        closes or book.closes,
        book.breaks,
        book.clock,
        registers=registers or MemoryRegisterStore(),
    )


async def test_a_close_says_what_the_chain_and_custody_said(book: BookOnChain) -> None:
    made = await close(book)
    apple, microsoft = made.securities
    assert (apple.isin, microsoft.isin) == (APPLE, MICROSOFT)
    security = book.read(accounts.Security, book.security)
    assert (apple.supply, apple.required, apple.reserve) == (955 * ONE, 955 * ONE, 955 * ONE)
    assert (apple.minted, apple.burnt, apple.redeemed) == (1_000 * ONE, 45 * ONE, 40 * ONE)
    assert (apple.escrow, apple.inventory, apple.holders) == (50 * ONE, 95 * ONE, 7)
    assert (apple.multiplier, apple.multiplier_bits) == (10**18, multiplier_to_float_bits(10**18))
    assert apple.attestation == book.read(accounts.Attestation, security.attestation).content_hash
    assert {each.statement_hash for each in apple.statements} == {
        statement_hash(each, APPLE) for each in book.statements
    }
    by_account = {
        account.hash: statement.lines[0].aggregate.to_base_units(6)
        for account, statement in zip(CUSTODY, book.statements, strict=True)
    }
    assert {each.account_hash: each.quantity for each in apple.statements} == by_account
    assert apple.breaks == ()
    assert (microsoft.supply, microsoft.holders, microsoft.register_root) == (0, 0, EMPTY_ROOT)
    assert (made.slot, made.block_time, made.previous) == (book.ledger.slot, book.now, NO_PREVIOUS)
    assert made.cluster == str(book.ledger.genesis_hash)


async def test_the_register_proves_each_holder_against_the_close(book: BookOnChain) -> None:
    made = await close(book)
    report = await book.reconcile()
    assert report.securities[0].register_root == made.securities[0].register_root
    book.set_balance(HOLDERS[1], book.balances[HOLDERS[1]] - 1)
    book.set_balance(INVENTORY, book.balances[INVENTORY] + 1)
    moved = await book.reconcile()
    assert moved.securities[0].register_root != made.securities[0].register_root


async def test_the_holders_behind_a_root_are_kept_with_the_close(book: BookOnChain) -> None:
    made = await close(book)
    for address, each in zip((book.security, book.other), made.securities, strict=True):
        kept = await book.closes.register(bytes(address), made.day)
        assert kept is not None
        assert (kept.register.root, kept.root, kept.slot) == (each.register_root, each.register_root, made.slot)
        assert kept.register.total == each.supply


async def test_the_program_is_named_by_the_hash_of_its_file(book: BookOnChain) -> None:
    assert (await close(book)).program_hash.hex() == checksums()[PROGRAM]


async def test_the_hash_does_not_count_zeros_behind_the_program_but_any_other_byte(book: BookOnChain) -> None:
    class Padded(MemoryChain):
        behind = b""

        async def get_account(self, address: Pubkey, commitment: Commitment = "confirmed"):  # type: ignore[no-untyped-def]
            account = await super().get_account(address, commitment)
            return replace(account, data=account.data + self.behind) if account else None

    chain = Padded(book.ledger)
    plain = await deployed_program_hash(chain)
    chain.behind = bytes(1_000)
    assert await deployed_program_hash(chain) == plain
    chain.behind = bytes(1_000) + b"\1"
    assert await deployed_program_hash(chain) != plain


async def test_open_breaks_are_in_the_close(book: BookOnChain) -> None:
    book.change(accounts.Security, book.security, lambda s: replace(s, escrowed=s.escrowed - 1))
    report = await book.reconcile()
    made = await close(book)
    assert made.securities[0].breaks == tuple(each.id for each in report.all_breaks)


async def test_a_conflict_of_statements_is_in_the_close_of_each_security_with_that_account(book: BookOnChain) -> None:
    one = book.statements.pop()
    other = replace(one, source_hashes=(bytes(32),))
    of_others = replace(one, account="SOMEBODY-ELSES")
    report = await book.reconcile(conflicting=[one, other])
    [conflict] = [each for each in report.breaks if each.found.kind is BreakKind.CONFLICTING_STATEMENT]
    made = await close_day(
        book.chain,
        book.issuer,
        today(book),
        book.declared,
        book.statements,
        book.closes,
        book.breaks,
        book.clock,
        registers=MemoryRegisterStore(),
        conflicting=[one, other, of_others],
    )
    of_apple = [each.id for each in report.securities[0].breaks]
    assert made.securities[0].breaks == (*of_apple, conflict.id)


async def test_the_same_day_again_is_the_stored_close(book: BookOnChain) -> None:
    first = await close(book)
    book.set_balance(HOLDERS[1], book.balances[HOLDERS[1]] - 1)
    book.clock.advance(60)
    assert await close(book, first.day) == first
    assert await book.closes.all(bytes(book.issuer)) == (first,)


async def test_seconds_after_midnight_today_is_the_day_of_what_is_final() -> None:
    class Lagging(MemoryChain):
        """What is final is 13 seconds behind what is confirmed, as on a cluster."""

        async def get_block_time(self, slot: int) -> int | None:
            found = await super().get_block_time(slot)
            return None if found is None else found - 13

    book = BookOnChain()  # The others share one, whose time this moves to no whole slot.
    book.clock.advance(DAY - book.now % DAY + 5)
    book.chain = Lagging(book.ledger)
    assert await chain_time(book.chain) == book.now
    with pytest.raises(Refused, match="can be closed on its day or the day after"):
        await close(book, today(book))
    day = await closing_day(book.chain)
    assert day == today(book, -1)
    assert (await close(book, day)).day == day


async def test_each_day_names_the_one_before(book: BookOnChain) -> None:
    first = await close(book)
    book.clock.advance(DAY)
    second = await close(book)
    book.clock.advance(3 * DAY)
    third = await close(book)
    assert (second.previous, third.previous) == (first.hash, second.hash)
    assert await verify_closes(book.closes, book.issuer) == (first, second, third)


async def test_yesterday_can_still_be_closed(book: BookOnChain) -> None:
    assert (await close(book, today(book, -1))).day == today(book, -1)


@pytest.mark.parametrize("later", [1, -2])
async def test_another_day_is_refused_and_nothing_is_stored(book: BookOnChain, later: int) -> None:
    with pytest.raises(Refused, match="on its day or the day after"):
        await close(book, today(book, later))
    assert await book.closes.all(bytes(book.issuer)) == ()


async def test_a_day_before_the_last_one_closed_is_refused(book: BookOnChain) -> None:
    first = await close(book)
    with pytest.raises(Refused, match="is closed already"):
        await close(book, today(book, -1))
    assert await book.closes.all(bytes(book.issuer)) == (first,)


@pytest.mark.parametrize("day", ["x", "2026-13-01", "20261119", "2026-W47-4", "yesterday"])
async def test_what_is_no_day_is_an_input_error(book: BookOnChain, day: str) -> None:
    with pytest.raises(InputError, match="is not a day"):
        await close(book, day)


async def test_an_incomplete_register_is_never_closed(book: BookOnChain) -> None:
    book.set_balance(HOLDERS[1], book.balances[HOLDERS[1]] - 1)
    with pytest.raises(Refused, match="incomplete"):
        await close(book)
    assert await book.closes.all(bytes(book.issuer)) == ()


async def test_a_declared_security_of_somebody_else_is_a_mistake_of_the_profile(book: BookOnChain) -> None:
    with pytest.raises(ConfigurationError):
        await close(book, declared=[DeclaredSecurity(key("elsewhere"), CUSTODY)])


# The chain of closes -------------------------------------------------------------------------------------------------


async def three_days(book: BookOnChain) -> MemoryCloseStore:
    for _ in range(3):
        await close(book)
        book.clock.advance(DAY)
    return book.closes


def changed(row: StoredClose) -> StoredClose:
    return replace(row, content=row.content.replace(b'"supply":"955000000"', b'"supply":"955000001"'))


def changed_with_its_hash(row: StoredClose) -> StoredClose:
    other = changed(row)
    return replace(other, hash=parse_close(other.content, other.previous).hash)


async def test_a_changed_close_is_found(book: BookOnChain) -> None:
    store = await three_days(book)
    rows = store.rows[bytes(book.issuer)]
    kept = list(rows)
    rows[1] = changed(kept[1])
    assert rows[1] != kept[1]
    with pytest.raises(LedgerError, match="changed since"):
        await verify_closes(store, book.issuer)


@pytest.mark.parametrize("index", [0, 1])
async def test_a_close_changed_together_with_its_hash_breaks_the_next_link(book: BookOnChain, index: int) -> None:
    store = await three_days(book)
    rows = store.rows[bytes(book.issuer)]
    rows[index] = changed_with_its_hash(rows[index])
    with pytest.raises(LedgerError, match="names"):
        await verify_closes(store, book.issuer)


async def test_a_removed_close_is_found(book: BookOnChain) -> None:
    store = await three_days(book)
    del store.rows[bytes(book.issuer)][1]
    with pytest.raises(LedgerError, match="names"):
        await verify_closes(store, book.issuer)


async def test_closes_in_another_order_are_found(book: BookOnChain) -> None:
    store = await three_days(book)
    store.rows[bytes(book.issuer)].reverse()
    with pytest.raises(LedgerError):
        await verify_closes(store, book.issuer)


async def test_a_changed_close_is_never_built_upon(book: BookOnChain) -> None:
    store = await three_days(book)
    rows = store.rows[bytes(book.issuer)]
    rows[2] = changed(rows[2])
    with pytest.raises(LedgerError):
        await close(book)
    assert len(rows) == 3


async def test_closes_in_the_database_are_those_in_memory(book: BookOnChain, tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path}/books.db")
    async with store:
        closes = DatabaseCloseStore(store.database)
        for _ in range(2):
            assert await close(book, closes=closes) == await close(book)
            book.clock.advance(DAY)
        assert await verify_closes(closes, book.issuer) == await verify_closes(book.closes, book.issuer)
        last = await closes.last(bytes(book.issuer))
        assert last is not None
        assert last == await closes.find(bytes(book.issuer), last.day) == await closes.append(last)
        for other in (
            replace(last, slot=last.slot + 1),
            replace(last, day="2030-01-01"),
            replace(last, day="2030-01-01", slot=last.slot, previous=last.hash),
        ):
            with pytest.raises(StoreConflict):
                await closes.append(other)
            with pytest.raises(StoreConflict):
                await book.closes.append(other)
        assert len(await closes.all(bytes(book.issuer))) == 2
        assert await closes.all(bytes(key("other"))) == ()
        assert await closes.find(bytes(book.issuer), "2030-01-01") is None
    again = await open_store(f"sqlite:///{tmp_path}/books.db")
    async with again:
        assert await DatabaseCloseStore(again.database).last(bytes(book.issuer)) == last
        async with again.database.transaction() as connection:
            await connection.exec_driver_sql(
                "UPDATE closes SET content = CAST(replace(CAST(content AS TEXT), '955000000', '955000001') AS BLOB)"
            )
        with pytest.raises(LedgerError, match="changed since"):
            await verify_closes(DatabaseCloseStore(again.database), book.issuer)


def register_of(book: BookOnChain, event: str, slot: int) -> RecordRegister:
    return RecordRegister(
        security=bytes(book.security),
        event_hash=event.encode().ljust(32),
        mint=bytes(book.mint),
        slot=slot,
        block_time=book.now,
        record_at=book.now,
        supply=1,
        decimals=6,
        multiplier=10**18,
        multiplier_bits=0,
        root=bytes(32),
        witnesses=1,
        positions=(Position(b"o" * 32, 1, HolderClass.WALLET),),
    )


def reference(register: RecordRegister) -> RegisterReference:
    return RegisterReference(register.event_hash, register.slot, register.hash)


async def test_a_close_takes_up_the_registers_that_no_close_before_it_did(book: BookOnChain) -> None:
    kept = MemoryRegisterStore()
    first, late = (register_of(book, event, book.ledger.slot) for event in ("first", "stored late"))
    ahead = register_of(book, "ahead", book.ledger.slot + 10_000_000)
    await kept.add(first)
    await kept.add(ahead)
    made = await close(book, registers=kept)
    assert [each.registers for each in made.securities] == [(reference(first),), ()]
    await kept.add(late)  # of a slot before the close, stored after it
    book.clock.advance(DAY)
    second = await close(book, registers=kept)
    assert second.securities[0].registers == (reference(late),)
    book.clock.advance(DAY)
    assert (await close(book, registers=kept)).securities[0].registers == ()
    assert [each.day for each in await verify_closes(book.closes, book.issuer)] == [made.day, second.day, today(book)]
