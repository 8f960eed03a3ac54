"""The register of holders at a slot of the past: today's token accounts, and back through what moved tokens since.

What an account held then is what the oldest later transaction that names it says of it before. Every token account of
our mint is pausable, so each transfer, mint and burn names the mint, and its history has them all. An owner changes
without it (SetAuthority), except where it never can, as in an associated account: any other account's own history is
read too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain, ConfirmedTransaction, SignatureInfo
from tallystick.adapters.chain.token_accounts import TokenAccounts
from tallystick.domain.register import Register, merge_rows
from tallystick.errors import LedgerError
from tallystick.program.token import TOKEN_2022_PROGRAM, find_associated_token_address
from tallystick.services.report_history import AT_ONCE, list_since_slot, oldest_first, read_transactions

_FREEZE: Final = b"\x0a"
_THAW: Final = b"\x0b"
"""Token-2022's instructions, by their first byte; the account is the first that each names."""
_PROGRAM: Final = bytes(TOKEN_2022_PROGRAM)


@dataclass(slots=True)
class Rewinding:
    """What was before the transactions seen so far, which come oldest first: `held` has owner and raw units of each
    token account named, None where there was none yet; `frozen` what is known of it having been frozen. `left` are
    the raw units that the last transaction left in it; `has_gap` that the next one did not find them there."""

    mint: Pubkey
    held: dict[bytes, tuple[bytes, int] | None] = field(default_factory=dict)
    frozen: dict[bytes, bool] = field(default_factory=dict)
    left: dict[bytes, int] = field(default_factory=dict)
    has_gap: bool = False

    def see(self, transaction: ConfirmedTransaction) -> None:
        """The next transaction."""
        if transaction.error is not None:
            return
        before = {each.account: each for each in transaction.before if each.mint == self.mint}
        after = {each.account: each for each in transaction.after if each.mint == self.mint}
        for instruction in transaction.inner:
            if instruction.program == TOKEN_2022_PROGRAM and instruction.data[:1] in (_FREEZE, _THAW):
                self.frozen.setdefault(bytes(instruction.accounts[0]), instruction.data[:1] == _THAW)
        for account in before.keys() | after.keys():
            first, last = before.get(account), after.get(account)
            address, found, left = bytes(account), first.raw if first else 0, last.raw if last else 0
            self.held.setdefault(address, (bytes(first.owner), first.raw) if first else None)
            if found != left:
                # What is frozen neither gives nor takes.
                self.frozen.setdefault(address, False)
            self.has_gap = self.has_gap or self.left.get(address, found) != found
            self.left[address] = left

    def leads_to(self, today: TokenAccounts) -> bool:
        """Whether no transaction is missing between those seen, nor between the last and today, as far as they show."""
        left = dict(self.left)
        return (
            not self.has_gap
            and all(left.pop(address, raw) == raw for address, _, raw, _ in today.plain())
            and not any(left.values())
        )


async def rewind_register(
    chain: Chain,
    mint: Pubkey,
    today: TokenAccounts,
    rewinding: Rewinding,
    slot: int,
    supply: int,
) -> Register | None:
    """The register of a mint at the end of `slot`. `rewinding` has seen every transaction of the mint from there to
    `today`; `supply` (raw units) is what the accounts have to add up to.

    None where the node left a transaction out, or does not serve those of an account that is not its owner's associated
    one. LedgerError when the accounts do not add up. ChainError.
    """
    if not rewinding.leads_to(today):
        return None
    frozen = rewinding.frozen
    loose = [
        address
        for address, owner in _could_change(today, rewinding.held)
        if not _is_associated(address, owner, bytes(mint))
    ]
    held = dict(rewinding.held)
    for start in range(0, len(loose), AT_ONCE):
        part = loose[start : start + AT_ONCE]
        read = await asyncio.gather(*(_own_rewinding(chain, each, mint, slot, today.slot) for each in part))
        for address, found in zip(part, read, strict=True):
            # What names the mint and the account is in the history of both.
            if found is None or (address in held and address not in found.held):
                return None
            if address in found.held:
                held[address] = found.held[address]
    register = merge_rows(_then(today, held, frozen))
    if register.total != supply:
        raise LedgerError(
            f"Mint {mint}: its token accounts at slot {slot} come to {register.total} raw units, its supply then was"
            f" {supply}.",
            hint="The node left a transaction or an account out; ask another one.",
        )
    return register


def _then(
    today: TokenAccounts, held: Mapping[bytes, tuple[bytes, int] | None], frozen: Mapping[bytes, bool]
) -> Iterator[tuple[bytes, bytes, int, bool]]:
    """Every token account that held something then: address, owner, raw units, whether it was frozen."""
    closed = set(held)
    for address, owner, raw, is_frozen in today.plain():
        closed.discard(address)
        was = held.get(address, (owner, raw))
        if was is not None and was[1]:
            yield address, was[0], was[1], frozen.get(address, is_frozen)
    for address in closed:
        if (was := held[address]) is not None and was[1]:
            yield address, was[0], was[1], frozen.get(address, False)


def _could_change(
    today: TokenAccounts, held: Mapping[bytes, tuple[bytes, int] | None]
) -> Iterator[tuple[bytes, bytes]]:
    """Address and owner of every account that held something then, but those whose owner can never change: one that the
    mint's history does not name since is the very account of then, and not another one at its address."""
    closed = set(held)
    for address, owner, raw, _, is_fixed in today.marked():
        if address in held:
            closed.discard(address)
            if (was := held[address]) is not None and was[1]:
                yield address, was[0]
        elif raw and not is_fixed:
            yield address, owner
    for address in closed:
        if (was := held[address]) is not None and was[1]:
            yield address, was[0]


def _is_associated(address: bytes, owner: bytes, mint: bytes) -> bool:
    return bytes(find_associated_token_address(owner, mint, _PROGRAM)[0]) == address


async def _own_rewinding(chain: Chain, address: bytes, mint: Pubkey, slot: int, until: int) -> Rewinding | None:
    """What an account was before its own transactions behind a slot; None when one of them is not served.

    They need not reach back to the slot themselves: a node forgets by slots, and those of the mint do.
    """
    listing = await list_since_slot(chain, Pubkey.from_bytes(address), slot)
    found = Rewinding(mint)
    lines = [line for line in listing.lines if line.slot <= until]
    return found if await see_all(chain, lines, found) else None


async def see_all(
    chain: Chain, lines: Sequence[SignatureInfo], rewinding: Rewinding, told: Callable[[int], None] | None = None
) -> bool:
    """Show a rewinding all of these transactions, oldest first; False when the node does not serve one."""
    async for transaction in read_transactions(chain, oldest_first(lines), told):
        if transaction is None:
            return False
        rewinding.see(transaction)
    return True


__all__ = ["Rewinding", "rewind_register", "see_all"]
