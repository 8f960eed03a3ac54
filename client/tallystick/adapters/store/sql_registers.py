"""Registers at record dates in the store."""

from __future__ import annotations

from sqlalchemy import select

from tallystick.adapters.store.engine import Database
from tallystick.adapters.store.registers import require_same
from tallystick.adapters.store.tables import register_pages, registers
from tallystick.domain.record_register import PackedRegister, RecordRegister, pack_register, unpack_register


class SqlRegisterStore:
    """Registers in the database; see the RegisterStore Protocol for what each method promises and raises."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, register: RecordRegister) -> RecordRegister:
        """Keep a register whole, or nothing of it; the same again changes nothing."""
        packed = pack_register(register)
        wanted = select(registers.c.hash).where(
            registers.c.security == packed.security, registers.c.event_hash == packed.event_hash
        )
        async with self._database.transaction() as connection:
            stored = (await connection.execute(wanted)).scalar_one_or_none()
            if stored is not None:
                require_same(packed, stored)
                return register
            added = await connection.execute(
                registers.insert().values(
                    security=packed.security,
                    event_hash=packed.event_hash,
                    slot=packed.slot,
                    hash=packed.hash,
                    header=packed.header,
                )
            )
            (number,) = added.inserted_primary_key or (None,)
            if packed.pages:
                await connection.execute(
                    register_pages.insert(),
                    [{"register": number, "number": index, "content": page} for index, page in enumerate(packed.pages)],
                )
        return register

    async def find(self, security: bytes, event_hash: bytes) -> RecordRegister | None:
        """The register of an event, checked against its hash."""
        wanted = select(registers).where(registers.c.security == security, registers.c.event_hash == event_hash)
        async with self._database.reading() as connection:
            row = (await connection.execute(wanted)).one_or_none()
            if row is None:
                return None
            pages = (
                select(register_pages.c.content)
                .where(register_pages.c.register == row.id)
                .order_by(register_pages.c.number)
            )
            contents = tuple((await connection.execute(pages)).scalars())
        return unpack_register(PackedRegister(row.security, row.event_hash, row.slot, row.hash, row.header, contents))

    async def hashes(self, security: bytes) -> tuple[tuple[bytes, int, bytes], ...]:
        """Event hash, slot and hash of every register of a security, by slot."""
        wanted = (
            select(registers.c.event_hash, registers.c.slot, registers.c.hash)
            .where(registers.c.security == security)
            .order_by(registers.c.slot, registers.c.event_hash)
        )
        async with self._database.reading() as connection:
            return tuple((row.event_hash, row.slot, row.hash) for row in await connection.execute(wanted))


__all__ = ["SqlRegisterStore"]
