"""The register of holders of one security at one slot: token accounts merged by owner, with a Merkle root.

A leaf is the owner's 32 bytes and the raw units as u64, little endian; leaves are in the order of the owners' bytes,
each owner once, none with zero. The tree is the one of merkle.py. So a holder can prove an entry with a path of hashes
and without anybody else's data.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from tallystick.domain.amounts import U64_MAX
from tallystick.domain.breaks import Break, BreakKind
from tallystick.domain.merkle import merkle_proof, merkle_root, verify_proof
from tallystick.errors import LedgerError

ADDRESS_LENGTH: Final = 32


@dataclass(frozen=True, slots=True)
class TokenAccount:
    """One token account of the mint: its address and owner (32 bytes each), raw units, and whether it is frozen."""

    address: bytes
    owner: bytes
    raw: int
    frozen: bool = False


@dataclass(frozen=True, slots=True)
class RegisterEntry:
    """One holder: raw units in all accounts together, how many of them are frozen, and in how many accounts."""

    owner: bytes
    raw: int
    frozen_raw: int
    accounts: int

    @property
    def leaf(self) -> bytes:
        """Owner (32 bytes) and raw units (u64, little endian)."""
        return self.owner + self.raw.to_bytes(8, "little")


@dataclass(frozen=True)
class Register:
    """Holders in the order of their address bytes. Without slots, so that sum and root are computed once: there may be
    a million holders."""

    entries: tuple[RegisterEntry, ...]

    @cached_property
    def total(self) -> int:
        """Raw units of all holders together."""
        return sum(entry.raw for entry in self.entries)

    @cached_property
    def root(self) -> bytes:
        """32 bytes."""
        return merkle_root(entry.leaf for entry in self.entries)

    def find(self, owner: bytes) -> RegisterEntry | None:
        """The entry of one holder, if it is one."""
        index = bisect_left(self.entries, owner, key=lambda entry: entry.owner)
        if index < len(self.entries) and self.entries[index].owner == owner:
            return self.entries[index]
        return None

    def proof(self, owner: bytes) -> RegisterProof:
        """The proof that `owner` holds what its entry says; LedgerError for somebody who is not a holder."""
        entry = self.find(owner)
        if entry is None:
            raise LedgerError("That address holds none of this security in this register.")
        index = self.entries.index(entry)
        path = merkle_proof([each.leaf for each in self.entries], index)
        return RegisterProof(entry.owner, entry.raw, index, len(self.entries), path)


@dataclass(frozen=True, slots=True)
class RegisterProof:
    """One holder's entry, its place in the register, the register's size, and the hashes up to the root."""

    owner: bytes
    raw: int
    index: int
    size: int
    path: tuple[bytes, ...]

    def proves(self, root: bytes) -> bool:
        """True when a register with this root has this entry."""
        if len(self.owner) != ADDRESS_LENGTH or not 0 < self.raw <= U64_MAX:
            return False
        return verify_proof(root, self.owner + self.raw.to_bytes(8, "little"), self.index, self.size, self.path)


def build_register(accounts: Iterable[TokenAccount]) -> Register:
    """Merge token accounts by owner; owners with nothing are left out. LedgerError as merge_rows."""
    return merge_rows((each.address, each.owner, each.raw, each.frozen) for each in accounts)


def merge_rows(rows: Iterable[tuple[bytes, bytes, int, bool]]) -> Register:
    """The same from rows with the fields of a TokenAccount.

    LedgerError when an address is not 32 bytes, an amount is not a u64, or an account appears twice (a list read in
    pages at different slots).
    """
    seen: set[bytes] = set()
    totals: dict[bytes, tuple[int, int, int]] = {}
    for address, owner, amount, is_frozen in rows:
        if len(address) != ADDRESS_LENGTH or len(owner) != ADDRESS_LENGTH:
            raise LedgerError("A token account's address and owner have 32 bytes each.")
        if not 0 <= amount <= U64_MAX:
            raise LedgerError(f"A token account holds between 0 and 2^64 - 1 raw units, not {amount}.")
        if address in seen:
            raise LedgerError(f"Token account {address.hex()} is listed twice.", hint="Read all accounts at one slot.")
        seen.add(address)
        if amount == 0:
            continue
        raw, frozen, count = totals.get(owner, (0, 0, 0))
        totals[owner] = raw + amount, frozen + (amount if is_frozen else 0), count + 1
    register = Register(tuple(RegisterEntry(owner, *totals[owner]) for owner in sorted(totals)))
    if register.total > U64_MAX:
        raise LedgerError("The accounts together hold more than a mint can have issued (u64).")
    return register


def supply_break(register: Register, supply: int, instrument: str, as_of: int | None = None) -> Break | None:
    """A break when the holders together do not hold the mint's supply (both in raw units of the same slot)."""
    difference = register.total - supply
    if difference == 0:
        return None
    return Break(
        BreakKind.REGISTER_MISMATCH,
        f"{instrument}: the token accounts hold {register.total} raw units, the mint's supply is {supply}.",
        instrument,
        "",
        "register",
        difference,
        as_of,
    )
