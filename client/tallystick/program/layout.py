"""What every generated account, event and instruction shares."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Self

from solders.pubkey import Pubkey

from tallystick.errors import IdentifierError
from tallystick.program.borsh import Reader, Writer


class AccountLayout(ABC):
    """An account of the program: a discriminator, then fields in Borsh."""

    __slots__ = ()

    DISCRIMINATOR: ClassVar[bytes]
    """The leading bytes that name the type."""
    SIZE: ClassVar[int | None]
    """Bytes of discriminator and content, or None if the content's length varies."""
    OFFSETS: ClassVar[dict[str, int]]
    """Where each field starts, discriminator included, as far as that is the same in every account: for filters."""

    @classmethod
    @abstractmethod
    def read(cls, reader: Reader) -> Self:
        """The fields in order. Raises LedgerError."""

    @abstractmethod
    def write(self, writer: Writer) -> None:
        """The fields in order. Raises AmountError or InputError for a value that does not fit."""

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Decode account data. Raises LedgerError: another discriminator, truncated, or a value no writer produces.

        An account may be larger than its content. Where the content has a fixed size the rest must be zero; where it
        varies, the program leaves older bytes behind the end and they are not looked at.
        """
        reader = Reader(data, f"account {cls.__name__}")
        reader.discriminator(cls.DISCRIMINATOR)
        value = cls.read(reader)
        if cls.SIZE is not None:
            reader.finish_padded()
        return value

    def encode(self) -> bytes:
        """Discriminator and content, without room behind it."""
        writer = Writer(self.DISCRIMINATOR)
        self.write(writer)
        return writer.finish()


class EventLayout(ABC):
    """An event of the program: a discriminator, then fields in Borsh, and nothing else."""

    __slots__ = ()

    DISCRIMINATOR: ClassVar[bytes]
    """The leading bytes that name the type."""

    @classmethod
    @abstractmethod
    def read(cls, reader: Reader) -> Self:
        """The fields in order. Raises LedgerError."""

    @abstractmethod
    def write(self, writer: Writer) -> None:
        """The fields in order. Raises AmountError or InputError for a value that does not fit."""

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Decode event data. Raises LedgerError: another discriminator, truncated, or bytes left over."""
        reader = Reader(data, f"event {cls.__name__}")
        reader.discriminator(cls.DISCRIMINATOR)
        value = cls.read(reader)
        reader.finish()
        return value

    def encode(self) -> bytes:
        """Discriminator and content."""
        writer = Writer(self.DISCRIMINATOR)
        self.write(writer)
        return writer.finish()


@dataclass(frozen=True, slots=True)
class AccountRole:
    """One account an instruction takes: may it be written, must it sign, may it be left out, is it always the same."""

    name: str
    writable: bool = False
    signer: bool = False
    optional: bool = False
    address: Pubkey | None = None


@dataclass(frozen=True, slots=True)
class InstructionLayout:
    """What identifies an instruction and the accounts it takes, in order."""

    name: str
    discriminator: bytes
    accounts: tuple[AccountRole, ...]


def exactly(value: bytes, size: int, name: str) -> bytes:
    """`value`, if it is `size` bytes; otherwise IdentifierError, since another length is another address."""
    if len(value) != size:
        raise IdentifierError(f"{name}: exactly {size} bytes expected in an address seed, got {len(value)}")
    return value


def integer_seed(value: int, size: int, name: str, *, signed: bool = False) -> bytes:
    """`value` as `size` little-endian bytes. Raises IdentifierError if it does not fit."""
    try:
        return value.to_bytes(size, "little", signed=signed)
    except OverflowError:
        raise IdentifierError(f"{name}: {value} does not fit the {size} bytes of an address seed") from None
