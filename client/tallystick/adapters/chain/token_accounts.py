"""All token accounts of one mint at one slot, kept in 74 bytes each: a million of them fit where objects would not.

What is no token account is sorted out here, as Token-2022 itself tells accounts apart: by size, and for extended ones
by the byte of kind at offset 165; a multisig has 355 bytes and no kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Final, overload

from solders.pubkey import Pubkey

from tallystick.domain.register import TokenAccount
from tallystick.errors import LedgerError
from tallystick.program.token import (
    ACCOUNT_KIND,
    ACCOUNT_SIZE,
    MINT_OFFSET,
    OWNER_OFFSET,
    STATE_OFFSET,
    TOKEN_2022_PROGRAM,
    TokenAccountState,
)

MULTISIG_SIZE: Final = 355

_ROW: Final = Struct("<32s32sQ?x")
_MARKED_ROW: Final = Struct("<32s32sQ??")
_ACCOUNT: Final = Struct("<32s32s8s")
_PROGRAM: Final = bytes(TOKEN_2022_PROGRAM)
_UNINITIALIZED: Final = int(TokenAccountState.UNINITIALIZED)
_INITIALIZED: Final = int(TokenAccountState.INITIALIZED)
_FROZEN: Final = int(TokenAccountState.FROZEN)
_IMMUTABLE_OWNER: Final = bytes([ACCOUNT_KIND]) + (7).to_bytes(2, "little") + bytes(2)
"""What stands behind the account proper when its first extension is ImmutableOwner, as in every associated account."""
_MARKS: Final = {(one, other): bytes([one, other]) for one in (False, True) for other in (False, True)}
"""The end of a row: whether it is frozen, whether its owner can never change."""
assert (MINT_OFFSET, OWNER_OFFSET) == (0, 32)


@dataclass(frozen=True, slots=True)
class TokenAccounts(Sequence[TokenAccount]):
    """Token accounts of one mint, all read at `slot`; each object is made when it is read."""

    slot: int
    rows: bytes

    def __len__(self) -> int:
        return len(self.rows) // _ROW.size

    @overload
    def __getitem__(self, index: int) -> TokenAccount: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[TokenAccount, ...]: ...
    def __getitem__(self, index: int | slice) -> TokenAccount | tuple[TokenAccount, ...]:
        if isinstance(index, slice):
            return tuple(self[each] for each in range(*index.indices(len(self))))
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        return TokenAccount(*_ROW.unpack_from(self.rows, index % len(self) * _ROW.size))

    def __iter__(self) -> Iterator[TokenAccount]:
        return (TokenAccount(*row) for row in self.plain())

    def plain(self) -> Iterator[tuple[bytes, bytes, int, bool]]:
        """Address and owner (32 bytes each), raw units, whether it is frozen."""
        return _ROW.iter_unpack(self.rows)

    def marked(self) -> Iterator[tuple[bytes, bytes, int, bool, bool]]:
        """The same, and whether its owner can never change: the account's first extension says so."""
        return _MARKED_ROW.iter_unpack(self.rows)


def token_account_row(mint: bytes, address: bytes, program: bytes, data: bytes) -> bytes:
    """One row of TokenAccounts; empty for what is no initialized Token-2022 account of `mint`.

    LedgerError when what has the size and kind of a token account is none.
    """
    size = len(data)
    if program != _PROGRAM or size < ACCOUNT_SIZE or size == MULTISIG_SIZE:
        return b""
    if size > ACCOUNT_SIZE and data[ACCOUNT_SIZE] != ACCOUNT_KIND:
        return b""
    found_mint, owner, amount = _ACCOUNT.unpack_from(data)
    state = data[STATE_OFFSET]
    if found_mint != mint or state == _UNINITIALIZED:
        return b""
    if state not in (_INITIALIZED, _FROZEN):
        raise LedgerError(f"The token account at {Pubkey.from_bytes(address)} is neither initialized nor frozen.")
    marks = _MARKS[state == _FROZEN, data.startswith(_IMMUTABLE_OWNER, ACCOUNT_SIZE)]
    return b"".join((address, owner, amount, marks))


__all__ = ["MULTISIG_SIZE", "TokenAccounts", "token_account_row"]
