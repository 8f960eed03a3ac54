"""Distributions as they were planned, batch by batch; what was carried forward; and the rent spent on accounts."""

from __future__ import annotations

import builtins
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from tallystick.domain.dividends import Carry, EntitlementPage, PayoutBatch, PayoutRecord, PayoutState
from tallystick.errors import InputError, StoreConflict, StoreError


class PayoutStore(Protocol):
    """Where distributions are kept. Writes are durable when the call returns; all methods raise StoreError."""

    async def add(
        self,
        record: PayoutRecord,
        batches: Iterable[PayoutBatch],
        pages: Iterable[EntitlementPage],
        carries: Iterable[Carry],
    ) -> PayoutRecord:
        """Keep a plan, all of it or nothing. The same plan again changes nothing; another one at the same address
        replaces it while it is only planned, or was discarded. StoreConflict when it is further than that."""
        ...

    async def find(self, address: bytes) -> PayoutRecord | None: ...

    async def list(self, *, security: bytes | None = None, action: bytes | None = None) -> tuple[PayoutRecord, ...]:
        """Distributions in the order of their action and number."""
        ...

    async def set_state(self, address: bytes, state: PayoutState) -> None: ...

    async def batches(self, address: bytes, first: int = 0, count: int | None = None) -> tuple[PayoutBatch, ...]:
        """Batches from `first`, at most `count`, in their order. LedgerError when one is damaged."""
        ...

    async def page_of(self, address: bytes, owner: bytes) -> EntitlementPage | None:
        """The page in which `owner` would be: the last one that does not begin behind it."""
        ...

    async def carried(
        self, security: bytes, payment_mint: bytes, *, besides: Collection[bytes] = ()
    ) -> dict[bytes, int]:
        """What each owner has carried forward: the sum over distributions that were approved, or closed after it,
        without the distributions at `besides`. Owners with zero are left out."""
        ...

    async def reserve_rent(
        self, address: bytes, accounts: Sequence[bytes], lamports: int, cap: int
    ) -> tuple[bytes, ...]:
        """Write down, before they are sent, that these token accounts will be created for `lamports` each; return those
        that may be. An account that was reserved before for this distribution may be created no second time, so that
        nobody earns rent by closing it; and all reserved together never exceed `cap` lamports."""
        ...

    async def reserved_of(self, address: bytes, accounts: Collection[bytes]) -> frozenset[bytes]:
        """Which of these token accounts were reserved for a distribution."""
        ...

    async def rent_reserved(self, address: bytes) -> int:
        """Lamports reserved so far for a distribution."""
        ...

    async def keep_paid(self, address: bytes, words: Sequence[int]) -> None:
        """Write down which entries of a distribution are paid, a number of up to 57 bits for each batch: before it is
        closed, which leaves only their hash on chain. What is kept replaces what was."""
        ...

    async def paid(self, address: bytes) -> tuple[int, ...]:
        """The same; empty when nothing was kept."""
        ...


REPLACEABLE = frozenset({PayoutState.PLANNED, PayoutState.DISCARDED})
"""States in which another plan may take a plan's place."""
COUNTING = frozenset({PayoutState.APPROVED, PayoutState.CLOSED})
"""States in which what a plan carries forward counts."""
NEXT_STATES = {
    PayoutState.PLANNED: frozenset({PayoutState.OPENED, PayoutState.APPROVED, PayoutState.DISCARDED}),
    PayoutState.OPENED: frozenset({PayoutState.APPROVED, PayoutState.DISCARDED}),
    PayoutState.APPROVED: frozenset({PayoutState.CLOSED}),
    PayoutState.DISCARDED: frozenset({PayoutState.PLANNED}),
    PayoutState.CLOSED: frozenset[PayoutState](),
}


def check_state(record: PayoutRecord, state: PayoutState) -> None:
    """StoreConflict unless a distribution may go to `state`; the same again is allowed."""
    if state is not record.state and state not in NEXT_STATES[record.state]:
        raise StoreConflict(f"Distribution {record.number} is {record.state} and cannot become {state}.")


def check_contents(record: PayoutRecord, batches: int, entries: int, total: int) -> None:
    """InputError unless batches, entries and total are what the record says."""
    if (batches, entries, total) != (record.batches, record.entries, record.total):
        raise InputError(
            f"The plan says {record.batches:,} batches, {record.entries:,} entries and {record.total} base units; "
            f"given were {batches:,}, {entries:,} and {total}."
        )


def check_words(record: PayoutRecord, words: Sequence[int]) -> None:
    """InputError unless there is a word of 64 bits for each batch."""
    if len(words) != record.batches or any(not 0 <= word < 2**64 for word in words):
        raise InputError(f"Bits of {record.batches:,} batches are expected, a word of 64 for each.")


def is_same_plan(one: PayoutRecord, other: PayoutRecord) -> bool:
    """Whether two records are of one plan, however far each is and whenever it was made."""
    return replace(one, state=other.state, created_at=other.created_at) == other


class MemoryPayoutStore:
    """Distributions kept as long as this process lives. For tests."""

    def __init__(self) -> None:
        self._records: dict[bytes, PayoutRecord] = {}
        self._batches: dict[bytes, builtins.list[PayoutBatch]] = {}
        self._pages: dict[bytes, builtins.list[EntitlementPage]] = {}
        self._carries: dict[bytes, builtins.list[Carry]] = {}
        self._rent: dict[bytes, dict[bytes, int]] = {}
        self._paid: dict[bytes, tuple[int, ...]] = {}

    async def add(
        self,
        record: PayoutRecord,
        batches: Iterable[PayoutBatch],
        pages: Iterable[EntitlementPage],
        carries: Iterable[Carry],
    ) -> PayoutRecord:
        known = self._records.get(record.address)
        if known is not None and is_same_plan(known, record) and known.state is not PayoutState.DISCARDED:
            return known
        if known is not None and known.state not in REPLACEABLE:
            raise StoreConflict(f"Another plan of this distribution is {known.state} already.")
        for each in self._records.values():
            if (each.action, each.number) == (record.action, record.number) and each.address != record.address:
                raise StoreConflict("The action has a distribution of this number at another address.")
        kept = list(batches)
        entries = sum(len(batch.lines) for batch in kept)
        check_contents(record, len(kept), entries, sum(batch.total for batch in kept))
        self._records[record.address] = record
        self._batches[record.address] = kept
        self._pages[record.address] = list(pages)
        self._carries[record.address] = list(carries)
        self._rent[record.address] = {}
        self._paid.pop(record.address, None)
        return record

    async def find(self, address: bytes) -> PayoutRecord | None:
        return self._records.get(address)

    async def list(self, *, security: bytes | None = None, action: bytes | None = None) -> tuple[PayoutRecord, ...]:
        found = [
            record
            for record in self._records.values()
            if security in (None, record.security) and action in (None, record.action)
        ]
        return tuple(sorted(found, key=lambda record: (record.action, record.number)))

    async def set_state(self, address: bytes, state: PayoutState) -> None:
        record = self._require(address)
        check_state(record, state)
        self._records[address] = replace(record, state=state)

    async def batches(self, address: bytes, first: int = 0, count: int | None = None) -> tuple[PayoutBatch, ...]:
        kept = self._batches.get(address, [])
        return tuple(kept[first : None if count is None else first + count])

    async def page_of(self, address: bytes, owner: bytes) -> EntitlementPage | None:
        found = [page for page in self._pages.get(address, []) if page.first_owner <= owner]
        return found[-1] if found else None

    async def carried(
        self, security: bytes, payment_mint: bytes, *, besides: Collection[bytes] = ()
    ) -> dict[bytes, int]:
        found: dict[bytes, int] = {}
        for address, record in self._records.items():
            if (record.security, record.payment_mint) != (security, payment_mint) or address in besides:
                continue
            if record.state in COUNTING:
                for carry in self._carries[address]:
                    found[carry.owner] = found.get(carry.owner, 0) + carry.change
        return {owner: amount for owner, amount in found.items() if amount}

    async def reserve_rent(
        self, address: bytes, accounts: Sequence[bytes], lamports: int, cap: int
    ) -> tuple[bytes, ...]:
        self._require(address)
        reserved = self._rent[address]
        allowed = allowed_accounts(accounts, reserved, sum(reserved.values()), lamports, cap)
        reserved.update(dict.fromkeys(allowed, lamports))
        return allowed

    async def reserved_of(self, address: bytes, accounts: Collection[bytes]) -> frozenset[bytes]:
        return frozenset(self._rent.get(address, {})) & frozenset(accounts)

    async def rent_reserved(self, address: bytes) -> int:
        return sum(self._rent.get(address, {}).values())

    async def keep_paid(self, address: bytes, words: Sequence[int]) -> None:
        check_words(self._require(address), words)
        self._paid[address] = tuple(words)

    async def paid(self, address: bytes) -> tuple[int, ...]:
        return self._paid.get(address, ())

    def _require(self, address: bytes) -> PayoutRecord:
        record = self._records.get(address)
        if record is None:
            raise StoreError("The store has no distribution at this address.")
        return record


def allowed_accounts(
    accounts: Sequence[bytes], reserved: Collection[bytes], spent: int, lamports: int, cap: int
) -> tuple[bytes, ...]:
    """Those of `accounts` that were not reserved and fit under `cap` beside `spent`. InputError unless `lamports` is
    above zero."""
    if lamports <= 0:
        raise InputError(f"An account costs more than {lamports} lamports.")
    fresh = [account for account in dict.fromkeys(accounts) if account not in reserved]
    return tuple(fresh[: max(cap - spent, 0) // lamports])


__all__ = [
    "COUNTING",
    "NEXT_STATES",
    "REPLACEABLE",
    "MemoryPayoutStore",
    "PayoutStore",
    "allowed_accounts",
    "check_contents",
    "check_state",
    "check_words",
    "is_same_plan",
]
