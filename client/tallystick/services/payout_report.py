"""How far a push is, and at its end what was paid and what was left, each with its reason read from the accounts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Account, Chain, Commitment
from tallystick.domain.dividends import HolderClass, PayoutLine, PayoutRecord
from tallystick.errors import LedgerError
from tallystick.program.borsh import Reader
from tallystick.program.distribution_account import DistributionAccount
from tallystick.program.token import (
    ACCOUNT_KIND,
    ACCOUNT_SIZE,
    OWNER_OFFSET,
    STATE_OFFSET,
    TOKEN_2022_PROGRAM,
    TokenAccountState,
)
from tallystick.program.token_extensions import read_entries
from tallystick.services.payout_calls import PayoutCalls
from tallystick.services.payout_flights import together

_CONFIDENTIAL_ACCOUNT: Final = 5
_MEMO_TRANSFER: Final = 8
_PLAIN_CREDITS: Final = 262
"""Where the confidential extension says whether plain credits are taken; as programs/tallystick/src/payment.rs."""
_ACCOUNTS_AT_ONCE: Final = 100
"""Accounts of one question, and how many questions are asked at once."""
_CALLS_AT_ONCE: Final = 8


class Stage(StrEnum):
    """The parts of a push, in their order."""

    RESUME = "resume"
    """What an earlier run left in flight is followed to its fate."""
    CANARY = "canary"
    """One wallet is paid."""
    SAMPLE = "sample"
    """One batch in a hundred is paid."""
    REST = "rest"
    """Everything else."""


class LeftReason(StrEnum):
    """Why an entry is not paid. All but the last two are left to claim."""

    MISSING = "has no token account"
    FROZEN_ACCOUNT = "token account is frozen"
    REOWNED = "token account was given to another owner"
    WANTS_MEMO = "token account asks for a memo"
    NO_PLAIN_CREDITS = "token account takes confidential credits alone"
    NOT_AN_ACCOUNT = "another kind of account is at the address"
    PROGRAM_OWNED = "owner is a program's address"
    FROZEN_HOLDER = "holder's tokens are frozen"
    SUSPENDED = "holder is suspended"
    UNKNOWN = "in a transaction whose fate is unknown"
    PAYABLE = "could be paid by pushing again"


@dataclass(frozen=True, slots=True)
class Share:
    """Entries of a list, and base units of the payment mint that they come to."""

    entries: int = 0
    amount: int = 0

    def plus(self, amount: int) -> Share:
        """With one more entry."""
        return Share(self.entries + 1, self.amount + amount)


@dataclass(frozen=True, slots=True)
class PushProgress:
    """A push at one moment. Counts are entries, but `in_flight` and `unknown`, which are transactions; `lamports` are
    fees and rent so far; `seconds_left` is an estimate, None while there is nothing to base it on. `canary` is the
    token account of the wallet that this push paid first, None where an earlier one did."""

    stage: Stage
    entries: int
    paid: int
    skipped: int
    in_flight: int
    unknown: int
    lamports: int
    seconds_left: int | None
    canary: Pubkey | None = None


@dataclass(frozen=True, slots=True)
class PushReport:
    """What a push did and what is left, from the distribution's bits at finalized.

    `paid` is of the whole distribution, whoever paid it; `paid_now` what came to it since this push began. `left` has a
    share for each reason that occurs. `unknown` are batches with a transaction that is neither on chain nor provably
    dead. `fees` in lamports: 5,000 and the priority fee for each transaction that landed, as the cluster charges them.
    `rent`: lamports in the accounts it opened. `stopped` says why it ended before its end, and is empty when it did
    not.
    """

    stage: Stage
    entries: int
    total: int
    paid: Share
    paid_now: Share
    left: Mapping[LeftReason, Share] = field(default_factory=dict)
    unknown: tuple[int, ...] = ()
    transactions: int = 0
    fees: int = 0
    rent: int = 0
    accounts_opened: int = 0
    seconds: float = 0.0
    stopped: str = ""

    @property
    def is_complete(self) -> bool:
        """True when nothing is left that pushing could pay."""
        return not self.stopped and not self.unknown and LeftReason.PAYABLE not in self.left

    @property
    def holders_per_second(self) -> float:
        """Entries paid by this push, for each second it took."""
        return self.paid_now.entries / self.seconds if self.seconds > 0 else 0.0


def obstacle(account: Account | None, line: PayoutLine, record: PayoutRecord) -> LeftReason | None:
    """Why the program would not pay an entry into this account, None where it would: the same checks in the same order
    as `obstacle` in programs/tallystick/src/payment.rs."""
    if account is None or (not account.data and account.owner == Pubkey.default()):
        return LeftReason.MISSING
    data, is_token_2022 = account.data, record.token_program == bytes(TOKEN_2022_PROGRAM)
    has_length = len(data) == ACCOUNT_SIZE or (
        is_token_2022 and len(data) > ACCOUNT_SIZE and data[ACCOUNT_SIZE] == ACCOUNT_KIND
    )
    if bytes(account.owner) != record.token_program or not has_length or data[:32] != record.payment_mint:
        return LeftReason.NOT_AN_ACCOUNT
    if data[STATE_OFFSET] == TokenAccountState.FROZEN:
        return LeftReason.FROZEN_ACCOUNT
    if data[STATE_OFFSET] != TokenAccountState.INITIALIZED:
        return LeftReason.NOT_AN_ACCOUNT
    if len(data) > ACCOUNT_SIZE and (refusal := _refusal(data)) is not None:
        return refusal
    # The address is derived from one owner alone, so that any other has been given the account.
    return None if data[OWNER_OFFSET : OWNER_OFFSET + 32] == line.owner else LeftReason.REOWNED


def _refusal(data: bytes) -> LeftReason | None:
    for kind, value in read_entries(Reader(data[ACCOUNT_SIZE + 1 :], "token account")):
        content = value.fixed(value.remaining)
        if kind == _MEMO_TRANSFER and content[:1] != b"\0":
            return LeftReason.WANTS_MEMO
        if kind == _CONFIDENTIAL_ACCOUNT and content[_PLAIN_CREDITS : _PLAIN_CREDITS + 1] == b"\0":
            return LeftReason.NO_PLAIN_CREDITS
    return None


@dataclass(frozen=True, slots=True)
class Stock:
    """What is paid and what is left of a distribution; `payable` are the batches with something that could be paid."""

    paid: Share
    left: Mapping[LeftReason, Share]
    payable: tuple[int, ...] = ()


async def take_stock(chain: Chain, calls: PayoutCalls, account: DistributionAccount, unknown: Collection[int]) -> Stock:
    """What is paid, and of everything whose bit is not set why not, reading its token accounts at finalized.

    `unknown` are batches with a transaction whose fate is open. Raises ChainError when the accounts cannot be read.
    """
    left: dict[LeftReason, Share] = {}
    payable: dict[int, None] = {}
    waiting: list[tuple[int, PayoutLine]] = []

    def leave(reason: LeftReason, line: PayoutLine) -> None:
        left[reason] = left.get(reason, Share()).plus(line.amount)

    async def look(lines: Sequence[tuple[int, PayoutLine]]) -> None:
        parts = [lines[at : at + _ACCOUNTS_AT_ONCE] for at in range(0, len(lines), _ACCOUNTS_AT_ONCE)]
        found = await together(*(read_obstacles(chain, calls.record, [line for _, line in part]) for part in parts))
        reasons = [reason for part in found for reason in part]
        for (number, line), reason in zip(lines, reasons, strict=True):
            leave(reason or LeftReason.PAYABLE, line)
            if reason is None:
                payable[number] = None

    for number, word in enumerate(account.words):
        if word.bit_count() == calls.sizes[number]:
            continue
        for place, line in enumerate((await calls.batch(number)).lines):
            if word >> place & 1:
                continue
            if (reason := _left_alone(line, calls)) is not None:
                leave(reason, line)
            elif number in unknown:
                leave(LeftReason.UNKNOWN, line)
            else:
                waiting.append((number, line))
        if len(waiting) >= _CALLS_AT_ONCE * _ACCOUNTS_AT_ONCE:
            await look(waiting)
            waiting.clear()
    await look(waiting)
    return Stock(Share(account.fields.paid_entries, account.fields.paid), left, tuple(payable))


async def read_obstacles(
    chain: Chain, record: PayoutRecord, lines: Sequence[PayoutLine], commitment: Commitment = "finalized"
) -> list[LeftReason | None]:
    """What stands in the way of each of up to 100 entries."""
    if not lines:
        return []
    _, found = await chain.get_accounts([Pubkey.from_bytes(line.address) for line in lines], commitment)
    return [_obstacle(account, line, record) for account, line in zip(found, lines, strict=True)]


def _obstacle(account: Account | None, line: PayoutLine, record: PayoutRecord) -> LeftReason | None:
    try:
        return obstacle(account, line, record)
    except LedgerError:  # its extensions do not decode
        return LeftReason.NOT_AN_ACCOUNT


def _left_alone(line: PayoutLine, calls: PayoutCalls) -> LeftReason | None:
    if line.holder_class in (HolderClass.PROGRAM, HolderClass.INVENTORY):
        return LeftReason.PROGRAM_OWNED
    if line.owner in calls.suspended:
        return LeftReason.SUSPENDED
    return LeftReason.FROZEN_HOLDER if line.owner in calls.frozen else None


__all__ = [
    "LeftReason",
    "PushProgress",
    "PushReport",
    "Share",
    "Stage",
    "Stock",
    "obstacle",
    "read_obstacles",
    "take_stock",
]
