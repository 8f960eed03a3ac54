"""Everybody's holdings of one security at one finalized slot, with what the escrow holds of whom.

Tokens of live redemptions are in the security's escrow; they are still their holders'. The security's account counts
them and changes with every order, so orders read between two equal readings of it are those of the slot between.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.chain.snapshot import HoldersSnapshot, snapshot_holders
from tallystick.adapters.chain.token_accounts import TokenAccounts
from tallystick.adapters.clock import Clock
from tallystick.domain.amounts import format_tokens
from tallystick.domain.merkle import merkle_root
from tallystick.errors import ChainError, LedgerError, Refused, RpcError
from tallystick.program.generated.accounts import Order, Security
from tallystick.program.generated.types import OrderKind
from tallystick.services.chain_reads import Snapshot, list_all, read_snapshot
from tallystick.services.reconciliation_chain import is_live
from tallystick.services.rules import multiplier_at

ATTEMPTS: Final = 5
"""How often holdings may change while they are read before it is given up."""
PAUSE: Final = 0.4
"""Seconds between attempts."""

_MIN_CONTEXT_SLOT_NOT_REACHED: Final = -32016


@dataclass(frozen=True, slots=True)
class Holdings:
    """Raw units by owner (32 bytes) at `slot`: all of them in `raw`, those in frozen accounts in `frozen` too.

    The escrow account is under its owner, the security's address.
    """

    slot: int
    supply: int
    raw: Mapping[bytes, int]
    frozen: Mapping[bytes, int]

    @property
    def root(self) -> bytes:
        """The Merkle root of all owners and what each has, as register.py builds it; computed on each call."""
        return merkle_root(owner + self.raw[owner].to_bytes(8, "little") for owner in sorted(self.raw))

    def first_difference(self, other: Holdings) -> bytes | None:
        """The first owner of whom the two say different things; None when there is none."""
        owners = self.raw.keys() | other.raw.keys() if self.raw != other.raw else set()
        owners |= self.frozen.keys() | other.frozen.keys()
        return min((owner for owner in owners if self.of(owner) != other.of(owner)), default=None)

    def of(self, owner: bytes) -> tuple[int, int]:
        """Raw units, and those of them in frozen accounts."""
        return self.raw.get(owner, 0), self.frozen.get(owner, 0)


@dataclass(frozen=True, slots=True)
class SecurityHoldings:
    """Holdings of a security, the multiplier in force for them (18 places, and the double's bits), raw units in escrow
    by holder of a live redemption, and the chain's clock after the slot."""

    holdings: Holdings
    security: Security
    multiplier: int
    multiplier_bits: int
    escrowed: Mapping[bytes, int]
    now: int


async def read_security_holdings(
    chain: Chain, address: Pubkey, mint: Pubkey, clock: Clock, *, min_context_slot: int = 0, attempts: int = ATTEMPTS
) -> SecurityHoldings:
    """Holdings of a security at one finalized slot, with the redemptions that have tokens in its escrow then.

    ChainError when security or mint changed whenever they were read. Refused when the holdings do not add up to the
    supply, redemptions not to what the security counts in escrow, or when the escrow holds less than that.
    """
    for attempt in range(attempts):
        if attempt:
            await clock.sleep(PAUSE)
        before = await read_snapshot(chain, [address, mint], "finalized")
        holders = await snapshot_holders(chain, mint, clock, min_context_slot=max(before.slot, min_context_slot))
        try:
            orders = await list_all(
                chain,
                Order,
                ("security", bytes(address)),
                ("kind", bytes([OrderKind.REDEMPTION])),
                commitment="finalized",
                min_context_slot=before.slot,
            )
        except RpcError as error:
            if error.code != _MIN_CONTEXT_SLOT_NOT_REACHED:
                raise
            continue
        after = await read_snapshot(chain, [address, mint], "finalized")
        security = before.require(Security, address)
        multiplier, bits = _multiplier(security, before, mint)
        is_same = all(_content(before, each) == _content(after, each) for each in (address, mint))
        is_between = all(before.slot <= slot <= after.slot for slot in (holders.slot, orders.slot))
        if is_same and is_between and (multiplier, bits) == _multiplier(security, after, mint):
            merged = merge_by_owner(holders)
            escrowed = _escrowed(security, holders, list(orders.accounts.values()))
            return SecurityHoldings(merged, security, multiplier, bits, escrowed, after.now)
    raise ChainError(
        f"The accounts of security {address} changed in each of {attempts} readings.",
        hint="Run again; a hold on minting and redeeming over the record date leaves the holdings in peace.",
    )


def merge_by_owner(holders: HoldersSnapshot) -> Holdings:
    """A snapshot by owner. Refused when it is incomplete, LedgerError when an account occurs twice in it."""
    accounts = holders.require_complete().accounts
    _require_each_once(accounts)
    raw: dict[bytes, int] = {}
    frozen: dict[bytes, int] = {}
    for _, owner, amount, is_frozen in accounts.plain():
        if amount:
            raw[owner] = raw.get(owner, 0) + amount
            if is_frozen:
                frozen[owner] = frozen.get(owner, 0) + amount
    return Holdings(holders.slot, holders.supply, raw, frozen)


def _require_each_once(accounts: TokenAccounts) -> None:
    if len({address for address, _, _, _ in accounts.plain()}) != len(accounts):
        raise LedgerError("A token account is listed twice.", hint="Ask another endpoint; this one put pages together.")


def _escrowed(security: Security, holders: HoldersSnapshot, redemptions: Sequence[Order]) -> dict[bytes, int]:
    """What the escrow holds of whom. Refused when that is not exactly what the security counts there, or not there.

    More in the escrow than that is dust that somebody sent: it stays with the escrow's owner and stops nothing.
    """
    found: dict[bytes, int] = {}
    for order in redemptions:
        rest = order.quantity - order.filled if is_live(order) else 0
        if rest:
            holder = bytes(order.holder)
            found[holder] = found.get(holder, 0) + rest
    total, balance = sum(found.values()), holders.balance_of(security.escrow) or 0
    if total != security.escrowed or balance < total:
        counted, held, owed = (format_tokens(each, security.decimals) for each in (security.escrowed, balance, total))
        raise Refused(
            f"Live redemptions have {owed} in escrow, the security counts {counted}, the escrow holds {held}.",
            hint="Nobody's part can be said before these agree. Run tally reconcile, or ask another endpoint.",
        )
    return found


def _multiplier(security: Security, snapshot: Snapshot, mint: Pubkey) -> tuple[int, int]:
    scaled = snapshot.mint(mint).extensions.scaled_ui_amount
    return multiplier_at(security, snapshot.now), scaled.current_bits(snapshot.now) if scaled else 0


def _content(snapshot: Snapshot, address: Pubkey) -> tuple[Pubkey, bytes] | None:
    # Not the lamports: anybody may send some.
    account = snapshot.accounts[address]
    return None if account is None else (account.owner, account.data)


__all__ = ["ATTEMPTS", "Holdings", "SecurityHoldings", "merge_by_owner", "read_security_holdings"]
