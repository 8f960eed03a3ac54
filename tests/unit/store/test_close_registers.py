"""The registers of a month's newest close are kept with it, whole, and read back only as they were."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import update
from tallystick.adapters.store.closes import CloseStore, MemoryCloseStore
from tallystick.adapters.store.store import Store, open_store
from tallystick.adapters.store.tables import close_register_pages, close_registers
from tallystick.domain.close_register import CloseRegister, pack_close_register, unpack_close_register
from tallystick.domain.closes import NO_PREVIOUS, DailyClose, SecurityClose
from tallystick.domain.register import Register, RegisterEntry
from tallystick.errors import LedgerError, StoreConflict

ISSUER, SECURITY = b"i" * 32, b"s" * 32


def owner(number: int) -> bytes:
    return number.to_bytes(32, "big")


REGISTER = Register(
    (
        RegisterEntry(owner(1), 10, 0, 1),
        RegisterEntry(owner(2), 2**63, 5, 70_000),
        *(RegisterEntry(owner(10 + number), 1, 1, 1) for number in range(2_000)),
    )
)


def security_close(register: Register) -> SecurityClose:
    return SecurityClose(
        "US0378331005", b"m" * 32, 6, 0, 10**18, 0, 0, 0, 0, 0, 0, 0, 0, register.root, 0, bytes(32), ()
    )


def closed(day: str, slot: int, previous: bytes = NO_PREVIOUS, register: Register = REGISTER) -> DailyClose:
    return DailyClose(ISSUER, "cluster", bytes(32), day, slot, slot, previous, (security_close(register),))


def of(close: DailyClose, register: Register = REGISTER, security: bytes = SECURITY) -> CloseRegister:
    return CloseRegister(close.issuer, security, close.day, close.slot, register.root, register)


FIRST = closed("2026-10-30", 5)


@pytest.fixture(params=["memory", "file"])
def closes(request: pytest.FixtureRequest, store: Store) -> CloseStore:
    return MemoryCloseStore() if request.param == "memory" else store.closes


async def test_a_register_reads_back_whole(closes: CloseStore) -> None:
    await closes.append(FIRST, [of(FIRST), of(FIRST, security=b"t" * 32)])
    assert await closes.register(SECURITY, FIRST.day) == of(FIRST)
    assert await closes.register(b"t" * 32, FIRST.day) == of(FIRST, security=b"t" * 32)
    assert await closes.register(SECURITY, "2026-10-29") is None


async def test_a_register_of_nobody_reads_back_too(closes: CloseStore) -> None:
    close = closed("2026-10-30", 5, register=Register(()))
    await closes.append(close, [of(close, Register(()))])
    assert await closes.register(SECURITY, close.day) == of(close, Register(()))


async def test_a_later_close_of_the_month_takes_the_place_and_one_of_another_month_does_not(
    closes: CloseStore,
) -> None:
    second = closed("2026-10-31", 6, FIRST.hash)
    third = closed("2026-11-01", 7, second.hash)
    for each in (FIRST, second, third):
        await closes.append(each, [of(each)])
    assert await closes.register(SECURITY, FIRST.day) is None
    assert await closes.register(SECURITY, second.day) == of(second)
    assert await closes.register(SECURITY, third.day) == of(third)


async def test_a_close_without_registers_leaves_none_of_its_month(closes: CloseStore) -> None:
    await closes.append(FIRST, [of(FIRST)])
    await closes.append(closed("2026-10-31", 6, FIRST.hash))
    assert await closes.register(SECURITY, FIRST.day) is None


async def test_the_same_close_again_changes_no_register(closes: CloseStore) -> None:
    await closes.append(FIRST, [of(FIRST)])
    await closes.append(FIRST)
    assert await closes.register(SECURITY, FIRST.day) == of(FIRST)


@pytest.mark.parametrize(
    "change", [{"day": "2026-10-29"}, {"slot": 6}, {"issuer": b"j" * 32}, {"root": bytes(32)}], ids=str
)
async def test_neither_is_kept_when_a_register_is_of_another_close(
    closes: CloseStore, change: dict[str, object]
) -> None:
    with pytest.raises(LedgerError, match="not of that close"):
        await closes.append(FIRST, [of(FIRST), replace(of(FIRST), **change)])  # type: ignore[arg-type]
    assert await closes.all(ISSUER) == ()
    assert await closes.register(SECURITY, FIRST.day) is None


async def test_a_close_that_does_not_follow_leaves_the_registers_as_they_are(closes: CloseStore) -> None:
    await closes.append(FIRST, [of(FIRST)])
    other = closed("2026-10-31", 6)
    with pytest.raises(StoreConflict):
        await closes.append(other, [of(other)])
    assert await closes.register(SECURITY, FIRST.day) == of(FIRST)


async def test_a_register_outlives_the_process(url: str, store: Store) -> None:
    await store.closes.append(FIRST, [of(FIRST)])
    async with await open_store(url) as again:
        assert await again.closes.register(SECURITY, FIRST.day) == of(FIRST)


async def test_a_page_that_was_edited_or_is_gone_is_found(store: Store) -> None:
    await store.closes.append(FIRST, [of(FIRST)])
    page = pack_close_register(of(FIRST)).pages[2]
    for change in (
        update(close_register_pages).where(close_register_pages.c.number == 2).values(content=page[:-1] + b"\x07"),
        close_register_pages.delete().where(close_register_pages.c.number == 2),
    ):
        async with store.database.transaction() as connection:
            await connection.execute(change)
        with pytest.raises(LedgerError, match="hash was kept"):
            await store.closes.register(SECURITY, FIRST.day)


async def test_a_register_under_another_day_is_found(store: Store) -> None:
    await store.closes.append(FIRST, [of(FIRST)])
    async with store.database.transaction() as connection:
        await connection.execute(update(close_registers).values(day="2026-10-29"))
    with pytest.raises(LedgerError, match="hash was kept"):
        await store.closes.register(SECURITY, "2026-10-29")


def test_every_part_of_a_stored_register_counts() -> None:
    packed = pack_close_register(of(FIRST))
    assert unpack_close_register(packed) == of(FIRST)
    for damaged in (
        replace(packed, header=packed.header.replace(b'"slot":5', b'"slot":6')),
        replace(packed, hash=bytes(32)),
        replace(packed, pages=packed.pages[::-1]),
        replace(packed, security=b"t" * 32),
    ):
        with pytest.raises(LedgerError, match="hash was kept"):
            unpack_close_register(damaged)


@pytest.mark.parametrize(
    "entries",
    [REGISTER.entries[1::-1], REGISTER.entries[:1] * 2, (RegisterEntry(owner(1), 0, 0, 1),)],
    ids=["order", "twice", "empty"],
)
def test_a_register_that_is_none_cannot_be_stored(entries: tuple[RegisterEntry, ...]) -> None:
    with pytest.raises(LedgerError, match="once, in order"):
        pack_close_register(of(FIRST, Register(entries)))
