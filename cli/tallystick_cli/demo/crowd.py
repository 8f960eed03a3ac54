"""Five hundred holders: wallets made from a seed, to which the five first holders send most of their tokens."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias, TypeVar

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tallystick.program.token import (
    TOKEN_2022_PROGRAM,
    associated_token_address,
    create_associated_token_account_idempotent,
    transfer_checked,
)

from tallystick_cli.context import KeypairSigner, Tally, TransactionSigner, new_memory_outbox

T = TypeVar("T")

CROWD: Final = 495
RECIPIENTS_AT_ONCE: Final = 9
"""In one transaction: opening an account and sending to it takes seven instructions with those they call, of 64."""
IN_FLIGHT: Final = 8
"""Transactions on their way at once."""

Parcel: TypeAlias = tuple[str, Sequence[Instruction], Sequence[TransactionSigner]]
"""A transaction: a name that no other has, what it does, and who signs beside the fee payer."""


class Lot(StrEnum):
    """What is special about a holder when the dividend is paid."""

    FROZEN_TOKENS = "compliance froze its tokens before the record date"
    PROGRAM = "its address is a program's"
    NO_ACCOUNT = "it never opened an account for dollars"
    CLOSED = "it closed its account for dollars after the record date"
    FROZEN_ACCOUNT = "the dollar's issuer froze its account for dollars"
    GIVEN_AWAY = "it gave its account for dollars to somebody else"
    ORDINARY = "nothing"


NUMBERS: Final[Mapping[Lot, int]] = {
    Lot.FROZEN_TOKENS: 1,
    Lot.PROGRAM: 3,
    Lot.NO_ACCOUNT: 6,
    Lot.CLOSED: 3,
    Lot.FROZEN_ACCOUNT: 1,
    Lot.GIVEN_AWAY: 1,
}
"""How many there are of each; all others are ordinary."""
NAMES: Final[Mapping[Lot, str]] = {Lot.FROZEN_TOKENS: "frank", Lot.FROZEN_ACCOUNT: "heidi", Lot.GIVEN_AWAY: "ivan"}
"""Of lots with one holder."""


@dataclass(frozen=True, slots=True)
class CrowdHolder:
    """One of them. `key` is None for a program's address. `raw` are the tokens it is sent, in raw units."""

    address: Pubkey
    key: KeypairSigner | None
    lot: Lot
    raw: int


def make_crowd() -> tuple[CrowdHolder, ...]:
    """The same wallets and amounts each time: 0.01 to 0.29 tokens, and a few raw units more that divide nothing."""
    lots = [lot for lot, number in NUMBERS.items() for _ in range(number)]
    lots += [Lot.ORDINARY] * (CROWD - len(lots))
    made: list[CrowdHolder] = []
    for number, lot in enumerate(lots):
        raw = 10**6 * (1 + number * 37 % 29) + number * 7_919 % 100_000
        if lot is Lot.PROGRAM:
            seeds = [b"demo pool", bytes([number])]
            made.append(CrowdHolder(Pubkey.find_program_address(seeds, TOKEN_2022_PROGRAM)[0], None, lot, raw))
        else:
            key = KeypairSigner(Keypair.from_seed(hashlib.sha256(f"demo holder {number}".encode()).digest()))
            made.append(CrowdHolder(key.pubkey, key, lot, raw))
    return tuple(made)


def of_lot(crowd: Iterable[CrowdHolder], lot: Lot) -> list[CrowdHolder]:
    """Those of one lot."""
    return [each for each in crowd if each.lot is lot]


def parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """In pieces of up to `size`."""
    return (items[start : start + size] for start in range(0, len(items), size))


async def spread(
    tally: Tally, mint: Pubkey, decimals: int, crowd: Sequence[CrowdHolder], sources: Mapping[str, int]
) -> int:
    """Send each its tokens, by plain transfers of Token-2022 from the wallets of `sources`, which name what each may
    give away in raw units. Returns the number of transactions."""
    left = dict(sources)
    given: dict[str, list[CrowdHolder]] = {name: [] for name in sources}
    for holder in crowd:
        source = max(left, key=lambda name: left[name])
        left[source] -= holder.raw
        given[source].append(holder)
    parcels: list[Parcel] = []
    for source, holders in given.items():
        signer, payer = tally.wallet_signer(source), tally.signer("payer").pubkey
        for number, part in enumerate(parts(holders, RECIPIENTS_AT_ONCE)):
            steps: list[Instruction] = []
            for holder in part:
                steps += (
                    create_associated_token_account_idempotent(payer=payer, wallet=holder.address, mint=mint),
                    transfer_checked(
                        source=associated_token_address(signer.pubkey, mint),
                        mint=mint,
                        destination=associated_token_address(holder.address, mint),
                        authority=signer.pubkey,
                        amount=holder.raw,
                        decimals=decimals,
                    ),
                )
            parcels.append((f"spread:{source}:{number}", steps, [signer]))
    return await send_all(tally, parcels)


async def send_all(tally: Tally, parcels: Sequence[Parcel]) -> int:
    """Send transactions of version 1, some at a time, paid by the fee payer; the number of them. Raises what the first
    raises that fails."""
    sender, payer = tally.new_sender(new_memory_outbox()), tally.signer("payer")
    turn = asyncio.Semaphore(IN_FLIGHT)

    async def send(name: str, steps: Sequence[Instruction], signers: Sequence[TransactionSigner]) -> None:
        unique = {each.pubkey: each for each in (payer, *signers)}
        async with turn:
            result = await sender.send(
                steps, list(unique.values()), intent=f"demo:{name}", payer=payer.pubkey, version=1
            )
        result.require_done()

    await asyncio.gather(*(send(*parcel) for parcel in parcels))
    return len(parcels)
