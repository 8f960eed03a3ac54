"""A register at a record date is stored once, whole, and read back only as it was."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import update
from tallystick.adapters.store.registers import MemoryRegisterStore, RegisterStore
from tallystick.adapters.store.store import Store
from tallystick.adapters.store.tables import register_pages, registers
from tallystick.domain.dividends import HolderClass
from tallystick.domain.record_register import Position, RecordRegister, pack_register, register_hash, unpack_register
from tallystick.errors import LedgerError, StoreConflict

PROGRAM = b"p" * 32


def owner(number: int) -> bytes:
    return number.to_bytes(32, "big")


POSITIONS = (
    Position(owner(1), 10, HolderClass.WALLET),
    Position(owner(2), 20, HolderClass.FROZEN, frozen_raw=5, escrowed_raw=3),
    Position(owner(3), 2**63, HolderClass.PROGRAM, program=PROGRAM),
    *(Position(owner(10 + number), 1, HolderClass.WALLET) for number in range(2_000)),
)
REGISTER = RecordRegister(
    security=b"s" * 32,
    event_hash=b"e" * 32,
    mint=b"m" * 32,
    slot=7,
    block_time=105,
    record_at=100,
    supply=sum(each.raw for each in POSITIONS),
    decimals=6,
    multiplier=10**18,
    multiplier_bits=4_607_182_418_800_017_408,
    root=b"r" * 32,
    witnesses=2,
    positions=POSITIONS,
    late_reason="the node was down",
)


@pytest.fixture(params=["memory", "database"])
def kept(request: pytest.FixtureRequest, store: Store) -> RegisterStore:
    return MemoryRegisterStore() if request.param == "memory" else store.registers


async def test_a_register_reads_back_whole(kept: RegisterStore) -> None:
    await kept.add(REGISTER)
    assert await kept.find(REGISTER.security, REGISTER.event_hash) == REGISTER
    assert await kept.find(REGISTER.security, b"x" * 32) is None
    assert await kept.find(b"x" * 32, REGISTER.event_hash) is None


async def test_a_register_of_nobody_reads_back_too(kept: RegisterStore) -> None:
    empty = replace(REGISTER, positions=(), supply=0)
    await kept.add(empty)
    assert await kept.find(empty.security, empty.event_hash) == empty


async def test_the_same_register_again_changes_nothing_and_another_is_refused(kept: RegisterStore) -> None:
    await kept.add(REGISTER)
    await kept.add(REGISTER)
    with pytest.raises(StoreConflict, match="stored already"):
        await kept.add(replace(REGISTER, slot=8))
    assert await kept.find(REGISTER.security, REGISTER.event_hash) == REGISTER


async def test_hashes_are_listed_by_slot(kept: RegisterStore) -> None:
    earlier = replace(REGISTER, event_hash=b"f" * 32, slot=3)
    other = replace(REGISTER, security=b"t" * 32)
    for register in (REGISTER, earlier, other):
        await kept.add(register)
    assert await kept.hashes(REGISTER.security) == (
        (earlier.event_hash, 3, earlier.hash),
        (REGISTER.event_hash, 7, REGISTER.hash),
    )


async def test_a_page_that_was_edited_in_the_database_is_found(store: Store) -> None:
    await store.registers.add(REGISTER)
    page = pack_register(REGISTER).pages[2]
    async with store.database.transaction() as connection:
        edited = update(register_pages).where(register_pages.c.number == 2).values(content=page[:-60] + page[-59:])
        await connection.execute(edited)
    with pytest.raises(LedgerError, match="hash was kept"):
        await store.registers.find(REGISTER.security, REGISTER.event_hash)


async def test_a_page_that_is_gone_is_found(store: Store) -> None:
    await store.registers.add(REGISTER)
    async with store.database.transaction() as connection:
        await connection.execute(register_pages.delete().where(register_pages.c.number == 2))
    with pytest.raises(LedgerError, match="hash was kept"):
        await store.registers.find(REGISTER.security, REGISTER.event_hash)


async def test_a_register_under_the_name_of_another_event_is_found(store: Store) -> None:
    await store.registers.add(REGISTER)
    async with store.database.transaction() as connection:
        await connection.execute(update(registers).values(event_hash=b"x" * 32))
    with pytest.raises(LedgerError, match="hash was kept"):
        await store.registers.find(REGISTER.security, b"x" * 32)


def test_every_byte_of_a_stored_register_counts() -> None:
    packed = pack_register(REGISTER)
    assert unpack_register(packed) == REGISTER
    for damaged in (
        replace(packed, header=packed.header.replace(b'"witnesses":2', b'"witnesses":3')),
        replace(packed, hash=bytes(32)),
        replace(packed, pages=packed.pages[::-1]),
        replace(packed, pages=(packed.pages[0][:-1] + b"\x01", *packed.pages[1:])),
        replace(packed, header=b"{}", hash=register_hash(b"{}")),
        replace(packed, slot=8),
    ):
        with pytest.raises(LedgerError, match="hash was kept"):
            unpack_register(damaged)


@pytest.mark.parametrize(
    ("positions", "supply", "message"),
    [
        (POSITIONS[1::-1], 30, "once, in order"),
        ((POSITIONS[0], POSITIONS[0]), 20, "once, in order"),
        ((Position(owner(1), 0, HolderClass.WALLET),), 0, "once, in order"),
        (POSITIONS[:1], 11, "raw units"),
    ],
)
def test_a_register_that_is_none_cannot_be_stored(positions: tuple[Position, ...], supply: int, message: str) -> None:
    with pytest.raises(LedgerError, match=message):
        pack_register(replace(REGISTER, positions=positions, supply=supply))
