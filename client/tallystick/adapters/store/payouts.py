"""Distributions as they were planned, batch by batch; what was carried forward; and the rent spent on accounts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from tallystick.domain.dividends import Carry, EntitlementPage, PayoutBatch, PayoutRecord, PayoutState


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

    async def pages(self, address: bytes, first: int = 0, count: int | None = None) -> tuple[EntitlementPage, ...]: ...

    async def carried(self, security: bytes, payment_mint: bytes, *, besides: bytes = b"") -> dict[bytes, int]:
        """What each owner has carried forward: the sum over distributions that were approved, or closed after it,
        without the distribution at `besides`. Owners with zero are left out."""
        ...

    async def reserve_rent(
        self, address: bytes, accounts: Sequence[bytes], lamports: int, cap: int
    ) -> tuple[bytes, ...]:
        """Write down, before they are sent, that these token accounts will be created for `lamports` each; return those
        that may be. An account that was reserved before for this distribution may be created no second time, so that
        nobody earns rent by closing it; and all reserved together never exceed `cap` lamports."""
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
