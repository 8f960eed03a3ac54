"""Opening the token accounts that recipients lack, under a cap on rent.

What an account costs is measured by simulation. It is written down before anything is signed, and an account that was
opened once for a distribution is never opened for it again: else its owner could close it, keep the rent, and wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from tallystick.adapters.chain.failures import error_text
from tallystick.adapters.chain.outbox import OutboxRow, OutboxState
from tallystick.adapters.store.payouts import PayoutStore
from tallystick.domain.dividends import PayoutLine
from tallystick.errors import LedgerError, TransactionError
from tallystick.program.token import ASSOCIATED_TOKEN_PROGRAM
from tallystick.services.payout_calls import ACCOUNTS_AT_ONCE, PayoutCalls
from tallystick.services.payout_flights import Draft, Flights, sized

_FAILED: Final = frozenset({OutboxState.FAILED})
_DEAD_OR_FAILED: Final = _FAILED | {OutboxState.DEAD}
_TOO_MUCH: Final = ("MaxInstructionTraceLengthExceeded", "ComputationalBudgetExceeded", "ProgramFailedToComplete")
"""Errors of a transaction that asks too much at once: an address that holds SOL already takes more instructions."""


class AccountOpening:
    """For one distribution. `rent` (lamports) and `opened` count what landed since this was made."""

    def __init__(
        self, store: PayoutStore, calls: PayoutCalls, flights: Flights, cap: int, prefix: str, *, has_witness: bool
    ) -> None:
        """`cap` in lamports; `prefix` of all intents. `has_witness`: there is a second endpoint to ask what landed."""
        self.cap = cap
        self.rent = 0
        self.opened = 0
        self._store = store
        self._calls = calls
        self._flights = flights
        self._prefix = prefix
        # Nothing on chain refuses a second opening, so that one endpoint's word is not enough to try it again.
        self._never_landed = _DEAD_OR_FAILED if has_witness else _FAILED
        self._cost = 0
        self._used: set[bytes] = set()
        self._next: dict[int, int] = {}

    def note(self, rows: Iterable[OutboxRow]) -> None:
        """What earlier runs opened: their rows, oldest first."""
        for row in rows:
            batch, number = row.intent.removeprefix(self._prefix).split(":")
            self._next[int(batch)] = max(self._next.get(int(batch), 0), int(number) + 1)
            self._mark(row, row.state)

    def settle(self, row: OutboxRow, state: OutboxState) -> int:
        """What became of one; the batch it was for."""
        self._mark(row, state)
        if state is OutboxState.LANDED:
            count = len(_accounts(row))
            self.opened += count
            self.rent += count * self._cost
        return int(row.intent.removeprefix(self._prefix).split(":")[0])

    async def drafts(self, batch: int, lines: Sequence[PayoutLine]) -> list[Draft]:
        """Transactions that open what may be opened of the accounts of these lines, which are missing; their rent is
        reserved. Raises TransactionError when one would fail, ChainError, StoreError."""
        if not self.cap:
            return []
        standing, fresh = await self._sort(lines)
        if not standing and not fresh:
            return []
        await self._measure((standing or fresh)[0])
        address = self._calls.record.address
        allowed = await self._store.reserve_rent(address, [line.address for line in fresh], self._cost, self.cap)
        found = standing + [line for line in fresh if line.address in allowed]
        made: list[Draft] = []
        for at in range(0, len(found), ACCOUNTS_AT_ONCE):
            made += await self._fitting(batch, found[at : at + ACCOUNTS_AT_ONCE])
        return made

    async def may_open(self, line: PayoutLine) -> bool:
        """Whether drafts would open the account of a line, which is missing."""
        if not self.cap:
            return False
        standing, fresh = await self._sort([line])
        if not fresh:
            return bool(standing)
        await self._measure(line)
        return await self._store.rent_reserved(self._calls.record.address) + self._cost <= self.cap

    async def _sort(self, lines: Sequence[PayoutLine]) -> tuple[list[PayoutLine], list[PayoutLine]]:
        """Those whose reservation still stands, since its transaction never landed or was never signed, and those that
        have none."""
        reserved = await self._store.reserved_of(self._calls.record.address, [line.address for line in lines])
        standing = [line for line in lines if line.address in reserved and line.address not in self._used]
        return standing, [line for line in lines if line.address not in reserved]

    async def _fitting(self, batch: int, lines: Sequence[PayoutLine]) -> list[Draft]:
        """One transaction, or two where it would be too much for one."""
        calls = self._calls.open_accounts(lines)
        try:
            limits = sized(await self._flights.simulate(calls))
        except TransactionError as error:
            if len(lines) == 1 or not any(name in error_text(error.error) for name in _TOO_MUCH):
                raise
            half = len(lines) // 2
            return await self._fitting(batch, lines[:half]) + await self._fitting(batch, lines[half:])
        number = self._next.get(batch, 0)
        self._next[batch] = number + 1
        accounts = tuple(line.address for line in lines)
        return [Draft(f"{self._prefix}{batch}:{number}", 1, batch, tuple(calls), limits, accounts)]

    async def _measure(self, line: PayoutLine) -> None:
        """Lamports that one account takes, once."""
        if self._cost:
            return
        address = Pubkey.from_bytes(line.address)
        simulation = await self._flights.simulate(self._calls.open_accounts([line]), watch=[address])
        account = simulation.accounts.get(address)
        if account is None:
            raise LedgerError(f"The cluster does not say what opening {address} would leave there.")
        self._cost = account.lamports

    def _mark(self, row: OutboxRow, state: OutboxState) -> None:
        accounts = _accounts(row)
        if state in self._never_landed:
            self._used.difference_update(accounts)
        else:
            self._used.update(accounts)


def _accounts(row: OutboxRow) -> tuple[bytes, ...]:
    """The token accounts that a stored transaction opens."""
    message = VersionedTransaction.from_bytes(row.transaction).message
    keys = message.account_keys
    return tuple(
        bytes(keys[bytes(each.accounts)[1]])
        for each in message.instructions
        if keys[each.program_id_index] == ASSOCIATED_TOKEN_PROGRAM
    )


__all__ = ["AccountOpening"]
