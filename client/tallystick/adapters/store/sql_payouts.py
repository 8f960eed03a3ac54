"""Distributions in the store: what payouts.py promises, on disk before the call returns."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from sqlalchemy import Row, Table, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tallystick.adapters.store.engine import Database
from tallystick.adapters.store.payouts import (
    COUNTING,
    REPLACEABLE,
    allowed_accounts,
    check_contents,
    check_state,
    check_words,
    is_same_plan,
)
from tallystick.adapters.store.tables import carries as carry_table
from tallystick.adapters.store.tables import entitlement_pages, payout_accounts, payout_batches, payout_bits, payouts
from tallystick.domain.dividends import Carry, EntitlementPage, PayoutBatch, PayoutRecord, PayoutState
from tallystick.errors import InputError, LedgerError, StoreConflict, StoreError

_ROWS_AT_ONCE: Final = 500
"""Rows of one INSERT: a plan for a million holders is never in memory twice."""
_WORD: Final = 8
_FIELDS: Final = tuple(PayoutRecord.__slots__)


class SqlPayoutStore:
    """Distributions in the store; see the PayoutStore Protocol for what each method promises and raises."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self,
        record: PayoutRecord,
        batches: Iterable[PayoutBatch],
        pages: Iterable[EntitlementPage],
        carries: Iterable[Carry],
    ) -> PayoutRecord:
        """Keep a plan in one transaction, its parts as they come."""
        async with self._database.transaction() as connection:
            row = await _find(connection, record.address)
            if row is not None:
                known = _record(row)
                if is_same_plan(known, record) and known.state is not PayoutState.DISCARDED:
                    return known
                if known.state not in REPLACEABLE:
                    raise StoreConflict(f"Another plan of this distribution is {known.state} already.")
                for table in (payout_batches, entitlement_pages, carry_table, payout_accounts, payout_bits):
                    await connection.execute(delete(table).where(table.c.payout == row.id))
                await connection.execute(delete(payouts).where(payouts.c.id == row.id))
            values = {name: getattr(record, name) for name in _FIELDS} | {"state": record.state.value}
            made = await connection.execute(payouts.insert().values(**values))
            assert made.inserted_primary_key is not None
            [key] = made.inserted_primary_key
            counted = [0, 0, 0]
            await _stream(connection, payout_batches, _batch_rows(key, batches, counted))
            check_contents(record, *counted)
            await _stream(
                connection,
                entitlement_pages,
                (
                    {"payout": key, "number": page.number, "first_owner": page.first_owner, "content": page.content}
                    for page in pages
                ),
            )
            await _stream(
                connection,
                carry_table,
                ({"payout": key, "owner": each.owner, "change": each.change} for each in carries),
            )
        return record

    async def find(self, address: bytes) -> PayoutRecord | None:
        """The distribution at an address."""
        async with self._database.reading() as connection:
            row = await _find(connection, address)
        return None if row is None else _record(row)

    async def list(self, *, security: bytes | None = None, action: bytes | None = None) -> tuple[PayoutRecord, ...]:
        """Distributions in the order of their action and number."""
        query = select(payouts).order_by(payouts.c.action, payouts.c.number)
        if security is not None:
            query = query.where(payouts.c.security == security)
        if action is not None:
            query = query.where(payouts.c.action == action)
        async with self._database.reading() as connection:
            return tuple(_record(row) for row in await connection.execute(query))

    async def set_state(self, address: bytes, state: PayoutState) -> None:
        """Write down how far a distribution is."""
        async with self._database.transaction() as connection:
            row = await _require(connection, address)
            check_state(_record(row), state)
            await connection.execute(update(payouts).where(payouts.c.id == row.id).values(state=state.value))

    async def batches(self, address: bytes, first: int = 0, count: int | None = None) -> tuple[PayoutBatch, ...]:
        """Batches from `first`, at most `count`."""
        if first < 0 or (count is not None and count < 0):
            raise InputError("Batches are counted from 0.")
        query = (
            select(payout_batches)
            .join(payouts, payouts.c.id == payout_batches.c.payout)
            .where(payouts.c.address == address, payout_batches.c.number >= first)
            .order_by(payout_batches.c.number)
            .limit(count)
        )
        async with self._database.reading() as connection:
            rows = list(await connection.execute(query))
        for place, row in enumerate(rows):
            if row.number != first + place:
                raise LedgerError(f"Batch {first + place} of a distribution is missing in the store.")
        return tuple(PayoutBatch.parse(row.number, row.content) for row in rows)

    async def page_of(self, address: bytes, owner: bytes) -> EntitlementPage | None:
        """The last page that does not begin behind `owner`."""
        query = (
            select(entitlement_pages)
            .join(payouts, payouts.c.id == entitlement_pages.c.payout)
            .where(payouts.c.address == address, entitlement_pages.c.first_owner <= owner)
            .order_by(entitlement_pages.c.number.desc())
            .limit(1)
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else _page(row)

    async def carried(
        self, security: bytes, payment_mint: bytes, *, besides: Collection[bytes] = ()
    ) -> dict[bytes, int]:
        """What each owner has carried forward."""
        query = (
            select(carry_table.c.owner, carry_table.c.change)
            .join(payouts, payouts.c.id == carry_table.c.payout)
            .where(
                payouts.c.security == security,
                payouts.c.payment_mint == payment_mint,
                payouts.c.address.not_in(besides),
                payouts.c.state.in_([state.value for state in COUNTING]),
            )
        )
        found: dict[bytes, int] = {}
        async with self._database.reading() as connection:
            for row in await connection.execute(query):
                found[row.owner] = found.get(row.owner, 0) + row.change
        return {owner: amount for owner, amount in found.items() if amount}

    async def reserve_rent(
        self, address: bytes, accounts: Sequence[bytes], lamports: int, cap: int
    ) -> tuple[bytes, ...]:
        """Reserve what fits under the cap; read and written under one lock."""
        async with self._database.transaction() as connection:
            row = await _require(connection, address)
            reserved = await _reserved(connection, row.id, accounts)
            allowed = allowed_accounts(accounts, reserved, await _spent(connection, row.id), lamports, cap)
            if allowed:
                await connection.execute(
                    payout_accounts.insert(),
                    [{"payout": row.id, "account": each, "lamports": lamports} for each in allowed],
                )
        return allowed

    async def reserved_of(self, address: bytes, accounts: Collection[bytes]) -> frozenset[bytes]:
        """Which of these accounts were reserved."""
        async with self._database.reading() as connection:
            row = await _find(connection, address)
            return frozenset() if row is None else await _reserved(connection, row.id, accounts)

    async def rent_reserved(self, address: bytes) -> int:
        """Lamports reserved so far."""
        async with self._database.reading() as connection:
            row = await _find(connection, address)
            return 0 if row is None else await _spent(connection, row.id)

    async def keep_paid(self, address: bytes, words: Sequence[int]) -> None:
        """Write down which entries are paid, in place of what was there."""
        async with self._database.transaction() as connection:
            row = await _require(connection, address)
            check_words(_record(row), words)
            content = b"".join(word.to_bytes(_WORD, "little") for word in words)
            await connection.execute(delete(payout_bits).where(payout_bits.c.payout == row.id))
            await connection.execute(payout_bits.insert().values(payout=row.id, words=content))

    async def paid(self, address: bytes) -> tuple[int, ...]:
        """Which entries are paid, a word for each batch."""
        query = (
            select(payout_bits.c.words)
            .join(payouts, payouts.c.id == payout_bits.c.payout)
            .where(payouts.c.address == address)
        )
        async with self._database.reading() as connection:
            content = (await connection.execute(query)).scalar_one_or_none() or b""
        return tuple(int.from_bytes(content[at : at + _WORD], "little") for at in range(0, len(content), _WORD))


async def _stream(connection: AsyncConnection, table: Table, rows: Iterator[dict[str, object]]) -> None:
    while part := list(islice(rows, _ROWS_AT_ONCE)):
        await connection.execute(table.insert(), part)


def _batch_rows(key: int, batches: Iterable[PayoutBatch], counted: list[int]) -> Iterator[dict[str, object]]:
    """Rows of the batches; counts them, their lines and base units into `counted` on the way."""
    for batch in batches:
        if batch.index != counted[0]:
            raise InputError(f"Batch {counted[0]} expected, found {batch.index}.")
        counted[0] += 1
        counted[1] += len(batch.lines)
        counted[2] += batch.total
        yield {"payout": key, "number": batch.index, "content": batch.content}


async def _find(connection: AsyncConnection, address: bytes) -> Row[Any] | None:
    return (await connection.execute(select(payouts).where(payouts.c.address == address))).one_or_none()


async def _require(connection: AsyncConnection, address: bytes) -> Row[Any]:
    row = await _find(connection, address)
    if row is None:
        raise StoreError("The store has no distribution at this address.")
    return row


async def _reserved(connection: AsyncConnection, key: int, accounts: Collection[bytes]) -> frozenset[bytes]:
    wanted, found = list(accounts), set[bytes]()
    for at in range(0, len(wanted), _ROWS_AT_ONCE):
        query = select(payout_accounts.c.account).where(
            payout_accounts.c.payout == key, payout_accounts.c.account.in_(wanted[at : at + _ROWS_AT_ONCE])
        )
        found.update((await connection.execute(query)).scalars())
    return frozenset(found)


async def _spent(connection: AsyncConnection, key: int) -> int:
    query = select(func.coalesce(func.sum(payout_accounts.c.lamports), 0)).where(payout_accounts.c.payout == key)
    return int((await connection.execute(query)).scalar_one())


def _record(row: Row[Any]) -> PayoutRecord:
    values = {name: getattr(row, name) for name in _FIELDS} | {"state": PayoutState(row.state)}
    return PayoutRecord(**values)


def _page(row: Row[Any]) -> EntitlementPage:
    return EntitlementPage(row.number, row.first_owner, row.content)


__all__ = ["SqlPayoutStore"]
