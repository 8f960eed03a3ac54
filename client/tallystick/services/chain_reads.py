"""Typed reads of the program's accounts: one account, many at one slot, or all of a kind.

An account that another program owns is none of ours, whatever its bytes say: LedgerError. Every function raises
ChainError when the cluster does not answer, and LedgerError for bytes that do not decode.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Account, Chain, Commitment, MemcmpFilter
from tallystick.errors import LedgerError, Refused
from tallystick.program import token
from tallystick.program.generated.accounts import (
    CorporateAction,
    Fill,
    Hold,
    Holder,
    Issuer,
    Limit,
    Movement,
    Order,
    Role,
    Security,
    Seizure,
)
from tallystick.program.generated.constants import PROGRAM_ID
from tallystick.program.layout import AccountLayout
from tallystick.program.text import decode_text

CLOCK: Final = Pubkey.from_string("SysvarC1ock11111111111111111111111111111111")
_CLOCK_SIZE: Final = 40
_WORDS: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_CHANGED: Final = "Check the address, and that the endpoints serve the cluster it is on."

A = TypeVar("A", bound=AccountLayout)


@dataclass(frozen=True, slots=True)
class Found(Generic[A]):
    """Accounts of one kind by address, all read at `slot`."""

    slot: int
    accounts: dict[Pubkey, A] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Accounts read at one slot; `now` is the chain's clock at it, seconds since 1970 UTC. None: no such account."""

    slot: int
    now: int
    accounts: dict[Pubkey, Account | None]

    def find(self, kind: type[A], address: Pubkey) -> A | None:
        """The account at an address that was asked for, None when there is none. LedgerError for another kind."""
        return decode(kind, address, self.accounts[address])

    def require(self, kind: type[A], address: Pubkey, hint: str = _CHANGED) -> A:
        """The same; Refused when there is none."""
        found = self.find(kind, address)
        if found is None:
            raise _missing(kind, address, hint)
        return found

    def mint(self, address: Pubkey) -> token.Mint:
        """A Token-2022 mint that was asked for. Refused when there is none, LedgerError when it is none of those."""
        account = self.accounts[address]
        if account is None:
            raise Refused(f"There is no mint at {address}.", hint=_CHANGED)
        if account.owner != token.TOKEN_2022_PROGRAM:
            raise LedgerError(f"{address} belongs to {account.owner}, a mint of Token-2022 was expected.")
        return token.decode_mint(account.data)

    def token_account(self, address: Pubkey) -> token.TokenAccount | None:
        """A Token-2022 account that was asked for, None when there is none. LedgerError when it is none of those."""
        account = self.accounts[address]
        if account is None or account.owner == token.SYSTEM_PROGRAM:
            return None
        if account.owner != token.TOKEN_2022_PROGRAM:
            raise LedgerError(f"{address} belongs to {account.owner}, an account of Token-2022 was expected.")
        return token.decode_token_account(account.data)


def decode(kind: type[A], address: Pubkey, account: Account | None) -> A | None:
    """An account of ours from its bytes; None when there is none. LedgerError for another owner or kind.

    An address that merely holds lamports is no account yet: anyone can send some there.
    """
    if account is None or (account.owner == token.SYSTEM_PROGRAM and not account.data):
        return None
    if account.owner != PROGRAM_ID:
        raise LedgerError(f"{address} belongs to {account.owner}; an account of {PROGRAM_ID} was expected.")
    return kind.decode(account.data)


async def read_snapshot(chain: Chain, addresses: Sequence[Pubkey], commitment: Commitment = "confirmed") -> Snapshot:
    """The accounts at these addresses and the chain's clock, all at one slot."""
    wanted = list(dict.fromkeys((*addresses, CLOCK)))
    slot, accounts = await chain.get_accounts(wanted, commitment)
    by_address = dict(zip(wanted, accounts, strict=True))
    return Snapshot(slot, _clock(by_address[CLOCK]), by_address)


async def chain_time(chain: Chain, commitment: Commitment = "confirmed") -> int:
    """Seconds since 1970 UTC by the chain's clock, by which the program decides every deadline."""
    return _clock(await chain.get_account(CLOCK, commitment))


async def newest_finalized(chain: Chain) -> tuple[int, int]:
    """The newest finalized slot and its time: its block's, or the clock of the chain where the node has none."""
    slot = await chain.get_slot("finalized")
    block_time = await chain.get_block_time(slot)
    return slot, await chain_time(chain, "finalized") if block_time is None else block_time


async def read(chain: Chain, kind: type[A], address: Pubkey, commitment: Commitment = "confirmed") -> A | None:
    """One account of ours, None when there is none."""
    return decode(kind, address, await chain.get_account(address, commitment))


async def require(
    chain: Chain, kind: type[A], address: Pubkey, *, hint: str = _CHANGED, commitment: Commitment = "confirmed"
) -> A:
    """One account of ours; Refused when there is none."""
    found = await read(chain, kind, address, commitment)
    if found is None:
        raise _missing(kind, address, hint)
    return found


async def list_all(
    chain: Chain,
    kind: type[A],
    *filters: tuple[str, bytes],
    commitment: Commitment = "confirmed",
    min_context_slot: int | None = None,
) -> Found[A]:
    """Every account of a kind whose fields have these bytes (field name, bytes), at one slot."""
    wanted = [MemcmpFilter(0, kind.DISCRIMINATOR)]
    wanted += [MemcmpFilter(kind.OFFSETS[name], value) for name, value in filters]
    found = await chain.get_program_accounts(
        PROGRAM_ID, wanted, commitment=commitment, min_context_slot=min_context_slot
    )
    return Found(found.slot, {address: kind.decode(account.data) for address, account in found.accounts.items()})


async def list_issuers(
    chain: Chain, *, commitment: Commitment = "confirmed", min_context_slot: int | None = None
) -> Found[Issuer]:
    """Every issuer of the program."""
    return await list_all(chain, Issuer, commitment=commitment, min_context_slot=min_context_slot)


async def list_securities(
    chain: Chain, issuer: Pubkey, *, commitment: Commitment = "confirmed", min_context_slot: int | None = None
) -> Found[Security]:
    """An issuer's securities."""
    return await list_all(
        chain, Security, ("issuer", bytes(issuer)), commitment=commitment, min_context_slot=min_context_slot
    )


async def list_roles(
    chain: Chain, issuer: Pubkey, *, commitment: Commitment = "confirmed", min_context_slot: int | None = None
) -> Found[Role]:
    """An issuer's roles, ended ones too."""
    return await list_all(
        chain, Role, ("issuer", bytes(issuer)), commitment=commitment, min_context_slot=min_context_slot
    )


async def list_holders(
    chain: Chain, issuer: Pubkey, *, commitment: Commitment = "confirmed", min_context_slot: int | None = None
) -> Found[Holder]:
    """Wallets that were ever approved for an issuer."""
    return await list_all(
        chain, Holder, ("issuer", bytes(issuer)), commitment=commitment, min_context_slot=min_context_slot
    )


async def list_limits(
    chain: Chain, security: Pubkey, *, commitment: Commitment = "confirmed", min_context_slot: int | None = None
) -> Found[Limit]:
    """What operators may mint and burn of a security."""
    return await _of_security(chain, Limit, security, commitment, min_context_slot)


async def list_holds(
    chain: Chain, security: Pubkey, *, commitment: Commitment = "confirmed", min_context_slot: int | None = None
) -> Found[Hold]:
    """A security's holds, released ones too."""
    return await _of_security(chain, Hold, security, commitment, min_context_slot)


async def list_actions(
    chain: Chain, security: Pubkey, *, commitment: Commitment = "confirmed", min_context_slot: int | None = None
) -> Found[CorporateAction]:
    """A security's corporate actions, every version of each."""
    return await _of_security(chain, CorporateAction, security, commitment, min_context_slot)


async def list_orders(
    chain: Chain, security: Pubkey, *, commitment: Commitment = "confirmed", min_context_slot: int | None = None
) -> Found[Order]:
    """A security's subscriptions and redemptions, finished ones too."""
    return await _of_security(chain, Order, security, commitment, min_context_slot)


async def list_movements(
    chain: Chain, security: Pubkey, *, commitment: Commitment = "confirmed", min_context_slot: int | None = None
) -> Found[Movement]:
    """Custody movements that fills of a security used."""
    return await _of_security(chain, Movement, security, commitment, min_context_slot)


async def list_fills(
    chain: Chain, security: Pubkey, *, commitment: Commitment = "confirmed", min_context_slot: int | None = None
) -> Found[Fill]:
    """A security's mints, burns and corrections."""
    return await _of_security(chain, Fill, security, commitment, min_context_slot)


async def list_seizures(
    chain: Chain, security: Pubkey, *, commitment: Commitment = "confirmed", min_context_slot: int | None = None
) -> Found[Seizure]:
    """A security's seizures, executed and expired ones too."""
    return await _of_security(chain, Seizure, security, commitment, min_context_slot)


async def _of_security(
    chain: Chain, kind: type[A], security: Pubkey, commitment: Commitment, min_context_slot: int | None
) -> Found[A]:
    return await list_all(
        chain, kind, ("security", bytes(security)), commitment=commitment, min_context_slot=min_context_slot
    )


def _clock(account: Account | None) -> int:
    if account is None or len(account.data) != _CLOCK_SIZE:
        raise LedgerError(f"The cluster has no clock of {_CLOCK_SIZE} bytes at {CLOCK}.")
    return int.from_bytes(account.data[32:], "little", signed=True)


def _missing(kind: type[AccountLayout], address: Pubkey, hint: str) -> Refused:
    return Refused(f"There is no {_WORDS.sub(' ', kind.__name__).lower()} at {address}.", hint=hint)


def ticker_of(security: Security) -> str:
    """The security's symbol."""
    return decode_text(security.ticker, "ticker")


__all__ = [
    "CLOCK",
    "Found",
    "Snapshot",
    "chain_time",
    "decode",
    "list_actions",
    "list_all",
    "list_fills",
    "list_holders",
    "list_holds",
    "list_issuers",
    "list_limits",
    "list_movements",
    "list_orders",
    "list_roles",
    "list_securities",
    "list_seizures",
    "newest_finalized",
    "read",
    "read_snapshot",
    "require",
    "ticker_of",
]
