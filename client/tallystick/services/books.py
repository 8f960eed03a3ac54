"""Everything the chain says of an issuer's securities, read so that it fits together.

An RPC node answers each request at a slot of its own. A security's account changes with every settlement, acceptance,
return, hold and attestation in force, so what is read between two equal readings of it and its mint is one state; when
they differ all is read again. The register is of one slot exactly (adapters/chain/snapshot.py): tokens move between
holders without touching the security.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Account, Chain, Commitment, MemcmpFilter
from tallystick.adapters.chain.snapshot import HoldersSnapshot, snapshot_mints
from tallystick.adapters.clock import Clock
from tallystick.domain.amounts import Rounding, share_equivalent
from tallystick.errors import ChainError, LedgerError, RpcError
from tallystick.program.generated.accounts import (
    Attestation,
    CorporateAction,
    Fill,
    Hold,
    Issuer,
    Limit,
    Movement,
    Order,
    Security,
)
from tallystick.program.generated.constants import PROGRAM_ID
from tallystick.program.layout import AccountLayout
from tallystick.program.text import decode_text
from tallystick.program.token import Mint, decode_mint

CLOCK_SYSVAR: Final = Pubkey.from_string("SysvarC1ock11111111111111111111111111111111")
ATTEMPTS: Final = 12
"""How often an issuer's accounts may change while they are read before it is given up."""
PAUSE: Final = 0.4
"""Seconds between attempts."""

_TIMESTAMP_OFFSET: Final = 32
_MIN_CONTEXT_SLOT_NOT_REACHED: Final = -32016

Content = TypeVar("Content", bound=AccountLayout)


@dataclass(frozen=True, slots=True)
class SecurityBook:
    """One security as the chain has it at `slot`; `now` is the chain's clock there, seconds since 1970 UTC."""

    address: Pubkey
    slot: int
    now: int
    lei: str
    security: Security
    mint: Mint
    holders: HoldersSnapshot
    attestations: Mapping[Pubkey, Attestation]
    orders: Mapping[Pubkey, Order]
    movements: Mapping[Pubkey, Movement]
    fills: Mapping[Pubkey, Fill]
    holds: Mapping[Pubkey, Hold]
    limits: Mapping[Pubkey, Limit]
    actions: Mapping[Pubkey, CorporateAction]

    @property
    def isin(self) -> str:
        """The security's ISIN."""
        return decode_text(self.security.isin, "isin")

    @property
    def decimals(self) -> int:
        """Decimals of the token and of every quantity of shares."""
        return self.security.decimals

    @property
    def has_matured_change(self) -> bool:
        """True when the pending multiplier is in force by now."""
        return 0 < self.security.multiplier_effective_at <= self.now

    @property
    def multiplier(self) -> int:
        """The multiplier in force, 18 places (state/security.rs, multiplier_at)."""
        return self.security.pending_multiplier if self.has_matured_change else self.security.multiplier

    @property
    def multiplier_changed_at(self) -> int:
        """Seconds since 1970 of the last multiplier change in force; 0 when there was none."""
        return self.security.multiplier_effective_at if self.has_matured_change else self.security.multiplier_changed_at

    @property
    def required(self) -> int:
        """Shares (base units) that have to be held for the supply: its share equivalent, rounded up."""
        return share_equivalent(self.mint.supply, self.multiplier, Rounding.UP)


@dataclass(frozen=True, slots=True)
class IssuerBooks:
    """All securities of one issuer, by ISIN and address, registers at `slot`. `now` is the chain's clock."""

    address: Pubkey
    issuer: Issuer
    slot: int
    now: int
    securities: tuple[SecurityBook, ...]


async def read_books(
    chain: Chain,
    issuer: Pubkey,
    clock: Clock,
    *,
    securities: Sequence[Pubkey] | None = None,
    commitment: Commitment = "finalized",
    program_id: Pubkey = PROGRAM_ID,
    attempts: int = ATTEMPTS,
) -> IssuerBooks:
    """The books of an issuer, of all its securities or of those named.

    ChainError when they changed whenever they were read, LedgerError when an account does not decode or is not there.
    """
    if securities is None:
        securities = await _securities_of(chain, issuer, commitment, program_id)
    for attempt in range(attempts):
        if attempt:
            await clock.sleep(PAUSE)
        try:
            books = await _read_once(chain, issuer, securities, clock, commitment, program_id)
        except RpcError as error:
            if error.code != _MIN_CONTEXT_SLOT_NOT_REACHED:
                raise
            continue
        if books is not None:
            return books
    raise ChainError(
        f"The accounts of issuer {issuer} changed in each of {attempts} readings.",
        hint="Run again when fewer transactions are in flight.",
    )


async def _securities_of(chain: Chain, issuer: Pubkey, commitment: Commitment, program_id: Pubkey) -> list[Pubkey]:
    wanted = [MemcmpFilter(0, Security.DISCRIMINATOR), MemcmpFilter(Security.OFFSETS["issuer"], bytes(issuer))]
    found = await chain.get_program_accounts(program_id, wanted, commitment=commitment)
    return sorted(found.accounts, key=bytes)


async def _read_once(
    chain: Chain, issuer: Pubkey, addresses: Sequence[Pubkey], clock: Clock, commitment: Commitment, program_id: Pubkey
) -> IssuerBooks | None:
    """One attempt; None when something changed meanwhile."""
    _, first = await chain.get_accounts(addresses, commitment)
    found = zip(addresses, first, strict=True)
    mints = [_content(Security, address, account, program_id).mint for address, account in found]
    watched = [*addresses, *mints]
    opening, before = await chain.get_accounts([CLOCK_SYSVAR, issuer, *watched], commitment)
    holders = await snapshot_mints(chain, mints, clock, commitment=commitment, min_context_slot=opening)
    listings = await asyncio.gather(
        *(_contents(chain, kind, address, commitment, opening, program_id) for address in addresses for kind in _KINDS)
    )
    closing, after = await chain.get_accounts([CLOCK_SYSVAR, issuer, *watched], commitment)
    slots = [*(listing[0] for listing in listings), *(each.slot for each in holders.values())]
    if before[2:] != after[2:] or any(not opening <= slot <= closing for slot in slots):
        return None
    now, owner = _timestamp(after[0]), _content(Issuer, issuer, after[1], program_id)
    slot = max((each.slot for each in holders.values()), default=closing)
    books: list[SecurityBook] = []
    for index, (address, mint) in enumerate(zip(addresses, mints, strict=True)):
        security = _content(Security, address, after[2 + index], program_id)
        if security.issuer != issuer:
            raise LedgerError(f"Security {address} is of issuer {security.issuer}, not of {issuer}.")
        contents = iter(listing[1] for listing in listings[index * len(_KINDS) : (index + 1) * len(_KINDS)])
        books.append(
            SecurityBook(
                address,
                slot,
                now,
                decode_text(owner.lei, "lei"),
                security,
                _mint(mint, after[2 + len(addresses) + index]),
                holders[mint],
                attestations=_of(Attestation, next(contents)),
                orders=_of(Order, next(contents)),
                movements=_of(Movement, next(contents)),
                fills=_of(Fill, next(contents)),
                holds=_of(Hold, next(contents)),
                limits=_of(Limit, next(contents)),
                actions=_of(CorporateAction, next(contents)),
            )
        )
    books.sort(key=lambda each: (each.isin, bytes(each.address)))
    return IssuerBooks(issuer, owner, slot, now, tuple(books))


_KINDS: Final[tuple[type[AccountLayout], ...]] = (
    Attestation,
    Order,
    Movement,
    Fill,
    Hold,
    Limit,
    CorporateAction,
)


async def _contents(
    chain: Chain, kind: type[AccountLayout], security: Pubkey, commitment: Commitment, lowest: int, program_id: Pubkey
) -> tuple[int, dict[Pubkey, AccountLayout]]:
    """All accounts of one kind that belong to a security, and the slot they were read at."""
    wanted = [MemcmpFilter(0, kind.DISCRIMINATOR), MemcmpFilter(kind.OFFSETS["security"], bytes(security))]
    found = await chain.get_program_accounts(program_id, wanted, commitment=commitment, min_context_slot=lowest)
    decoded = {address: kind.decode(account.data) for address, account in found.accounts.items()}
    return found.slot, dict(sorted(decoded.items(), key=lambda item: bytes(item[0])))


def _of(kind: type[Content], contents: Mapping[Pubkey, AccountLayout]) -> dict[Pubkey, Content]:
    return {address: content for address, content in contents.items() if isinstance(content, kind)}


def _content(kind: type[Content], address: Pubkey, account: Account | None, program_id: Pubkey) -> Content:
    if account is None or account.owner != program_id:
        raise LedgerError(
            f"There is no {kind.__name__} of program {program_id} at {address}.",
            hint="Check the address, and which cluster the profile names.",
        )
    return kind.decode(account.data)


def _mint(address: Pubkey, account: Account | None) -> Mint:
    if account is None:
        raise LedgerError(f"There is no mint at {address}.")
    return decode_mint(account.data)


def _timestamp(account: Account | None) -> int:
    """Seconds since 1970 of the Clock sysvar (slot, epoch start, epoch, leader epoch, then the time; 8 bytes each)."""
    if account is None or len(account.data) < _TIMESTAMP_OFFSET + 8:
        raise LedgerError("expected the Clock sysvar", hint="Ask another node; every cluster has one.")
    return int.from_bytes(account.data[_TIMESTAMP_OFFSET : _TIMESTAMP_OFFSET + 8], "little", signed=True)
