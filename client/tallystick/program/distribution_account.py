"""A distribution's account: fields as of every account, and behind them the bits of what was paid.

Source: state/distribution.rs. `generated.accounts.Distribution` alone reads the fields of one that has no bits left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tallystick.program.generated.accounts import Distribution

HEADER_LENGTH: Final = 602
"""Bytes before the first word."""
WORD: Final = 8
MAX_GROWTH: Final = 10_240
"""Bytes by which one instruction grows the account."""


@dataclass(frozen=True, slots=True)
class DistributionAccount:
    """`words` has one number for each batch, whose bit 0 says whether its first entry was paid; none once closed, and
    fewer while it grows. `length` is the account's, in bytes."""

    fields: Distribution
    words: tuple[int, ...]
    length: int

    @staticmethod
    def decode(data: bytes) -> DistributionAccount:
        """LedgerError if the bytes are anything else."""
        fields, bits = Distribution.decode(data[:HEADER_LENGTH]), data[HEADER_LENGTH:]
        whole = len(bits) - len(bits) % WORD
        words = tuple(int.from_bytes(bits[at : at + WORD], "little") for at in range(0, whole, WORD))
        return DistributionAccount(fields, words, len(data))

    @property
    def growth_steps(self) -> int:
        """How many calls of grow_distribution it still takes."""
        return -(-(HEADER_LENGTH + WORD * self.fields.batches - self.length) // MAX_GROWTH)

    @property
    def is_full_grown(self) -> bool:
        """Whether there is a word for each batch."""
        return self.growth_steps == 0

    def is_paid(self, batch: int, index: int) -> bool:
        """Whether an entry was paid."""
        return bool(self.words[batch] >> index & 1)
