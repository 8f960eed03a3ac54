"""The bytes Borsh writes, read and written exactly: little endian, one tag byte for options and enums, u32 lengths.

Only program/ uses this. Reading raises LedgerError, because bytes that do not decode are not what they claim to be;
writing raises AmountError or InputError, because the value came from the caller. Rules: https://borsh.io.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import NoReturn, Protocol, TypeVar

from solders.pubkey import Pubkey

from tallystick.errors import AmountError, InputError, LedgerError

T = TypeVar("T")
E = TypeVar("E", bound=IntEnum)


class Reader:
    """Reads `data` from the front; `what` names it in errors, e.g. "account Order"."""

    __slots__ = ("_data", "_offset", "_what")

    def __init__(self, data: bytes, what: str) -> None:
        self._data = bytes(data)
        self._offset = 0
        self._what = what

    @property
    def offset(self) -> int:
        """Bytes read so far."""
        return self._offset

    @property
    def remaining(self) -> int:
        """Bytes not read yet."""
        return len(self._data) - self._offset

    def fail(self, problem: str) -> NoReturn:
        """Raise LedgerError for `problem`, with what was read and where."""
        raise LedgerError(f"{self._what}: {problem} at byte {self._offset} of {len(self._data)}")

    def fixed(self, size: int) -> bytes:
        """Exactly `size` bytes."""
        if size > self.remaining:
            self.fail(f"truncated: {size} bytes expected, {self.remaining} left")
        start = self._offset
        self._offset += size
        return self._data[start : self._offset]

    def discriminator(self, expected: bytes) -> None:
        """The leading bytes that say which type follows."""
        if self.remaining < len(expected):
            self.fail(f"truncated: a discriminator of {len(expected)} bytes expected, {self.remaining} left")
        found = self.fixed(len(expected))
        if found != expected:
            self._offset -= len(expected)
            self.fail(f"discriminator {expected.hex()} expected, found {found.hex()}: these bytes are another type")

    def unsigned(self, size: int) -> int:
        """An unsigned integer of `size` bytes."""
        return int.from_bytes(self.fixed(size), "little")

    def signed(self, size: int) -> int:
        """A two's complement integer of `size` bytes."""
        return int.from_bytes(self.fixed(size), "little", signed=True)

    def u8(self) -> int:
        return self.unsigned(1)

    def u16(self) -> int:
        return self.unsigned(2)

    def u32(self) -> int:
        return self.unsigned(4)

    def u64(self) -> int:
        return self.unsigned(8)

    def u128(self) -> int:
        return self.unsigned(16)

    def u256(self) -> int:
        return self.unsigned(32)

    def i8(self) -> int:
        return self.signed(1)

    def i16(self) -> int:
        return self.signed(2)

    def i32(self) -> int:
        return self.signed(4)

    def i64(self) -> int:
        return self.signed(8)

    def i128(self) -> int:
        return self.signed(16)

    def i256(self) -> int:
        return self.signed(32)

    def f32(self) -> float:
        value: float = struct.unpack("<f", self.fixed(4))[0]
        return value

    def f64(self) -> float:
        value: float = struct.unpack("<d", self.fixed(8))[0]
        return value

    def boolean(self) -> bool:
        tag = self.u8()
        if tag > 1:
            self._offset -= 1
            self.fail(f"a bool of 0 or 1 expected, found {tag}")
        return tag == 1

    def pubkey(self) -> Pubkey:
        return Pubkey.from_bytes(self.fixed(32))

    def byte_string(self) -> bytes:
        """A u32 length and that many bytes."""
        return self.fixed(self.u32())

    def string(self) -> str:
        """A u32 length and that many bytes of UTF-8."""
        raw = self.byte_string()
        try:
            return raw.decode()
        except UnicodeDecodeError:
            self.fail("UTF-8 text expected, found other bytes")

    def option(self, read: Callable[[], T]) -> T | None:
        """A tag byte, then the value if it is 1."""
        tag = self.u8()
        if tag > 1:
            self._offset -= 1
            self.fail(f"an option tag of 0 or 1 expected, found {tag}")
        return read() if tag else None

    def array(self, read: Callable[[], T], count: int) -> tuple[T, ...]:
        """Exactly `count` values."""
        return tuple(read() for _ in range(count))

    def vec(self, read: Callable[[], T]) -> tuple[T, ...]:
        """A u32 count and that many values."""
        count = self.u32()
        if count > self.remaining:
            self.fail(f"truncated: a list of {count} values expected, {self.remaining} bytes left")
        return self.array(read, count)

    def variant(self, kind: type[E]) -> E:
        """One byte that names a variant of `kind`."""
        tag = self.u8()
        try:
            return kind(tag)
        except ValueError:
            self._offset -= 1
            self.fail(f"a variant of {kind.__name__} (0 to {len(kind) - 1}) expected, found {tag}")

    def finish(self) -> None:
        """Nothing may be left: an event or an instruction is exactly as long as its content."""
        if self.remaining:
            self.fail(f"{self.remaining} bytes left over")

    def finish_padded(self) -> None:
        """Only zeros may be left: an account of fixed size is allocated with room, and room nobody wrote is zero."""
        if any(self._data[self._offset :]):
            self.fail(
                "bytes other than zero after the last known field: the account was written by a newer version of the"
                " program; upgrade tallystick"
            )


class Writable(Protocol):
    """A value that writes itself."""

    def write(self, writer: Writer) -> None: ...


class Writer:
    """Collects bytes. `name` in each call says in errors which value did not fit."""

    __slots__ = ("_data",)

    def __init__(self, start: bytes = b"") -> None:
        self._data = bytearray(start)

    def finish(self) -> bytes:
        """Everything written."""
        return bytes(self._data)

    def _integer(self, value: int, size: int, signed: bool, name: str) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            kind = f"{'i' if signed else 'u'}{size * 8}"
            raise AmountError(f"{name}: an integer in base units expected for {kind}, got {type(value).__name__}")
        try:
            self._data += int(value).to_bytes(size, "little", signed=signed)
        except OverflowError:
            kind = f"{'i' if signed else 'u'}{size * 8}"
            low = -(1 << (size * 8 - 1)) if signed else 0
            high = (1 << (size * 8 - (1 if signed else 0))) - 1
            raise AmountError(f"{name}: {value} does not fit {kind}; {low} to {high} expected") from None

    def u8(self, value: int, name: str = "value") -> None:
        self._integer(value, 1, False, name)

    def u16(self, value: int, name: str = "value") -> None:
        self._integer(value, 2, False, name)

    def u32(self, value: int, name: str = "value") -> None:
        self._integer(value, 4, False, name)

    def u64(self, value: int, name: str = "value") -> None:
        self._integer(value, 8, False, name)

    def u128(self, value: int, name: str = "value") -> None:
        self._integer(value, 16, False, name)

    def u256(self, value: int, name: str = "value") -> None:
        self._integer(value, 32, False, name)

    def i8(self, value: int, name: str = "value") -> None:
        self._integer(value, 1, True, name)

    def i16(self, value: int, name: str = "value") -> None:
        self._integer(value, 2, True, name)

    def i32(self, value: int, name: str = "value") -> None:
        self._integer(value, 4, True, name)

    def i64(self, value: int, name: str = "value") -> None:
        self._integer(value, 8, True, name)

    def i128(self, value: int, name: str = "value") -> None:
        self._integer(value, 16, True, name)

    def i256(self, value: int, name: str = "value") -> None:
        self._integer(value, 32, True, name)

    def f32(self, value: float, name: str = "value") -> None:
        try:
            self._data += struct.pack("<f", value)
        except (struct.error, OverflowError):
            raise InputError(f"{name}: a number that fits f32 expected, got {value!r}") from None

    def f64(self, value: float, name: str = "value") -> None:
        try:
            self._data += struct.pack("<d", value)
        except struct.error:
            raise InputError(f"{name}: a number that fits f64 expected, got {value!r}") from None

    def boolean(self, value: bool, name: str = "value") -> None:
        if not isinstance(value, bool):
            raise InputError(f"{name}: True or False expected, got {value!r}")
        self._data.append(1 if value else 0)

    def pubkey(self, value: Pubkey, name: str = "value") -> None:
        if not isinstance(value, Pubkey):
            raise InputError(f"{name}: a Pubkey expected, got {type(value).__name__}")
        self._data += bytes(value)

    def fixed(self, value: bytes, size: int, name: str = "value") -> None:
        """Exactly `size` bytes."""
        if not isinstance(value, bytes) or len(value) != size:
            found = f"{len(value)} bytes" if isinstance(value, bytes) else type(value).__name__
            raise InputError(f"{name}: exactly {size} bytes expected, got {found}")
        self._data += value

    def byte_string(self, value: bytes, name: str = "value") -> None:
        """A u32 length and the bytes."""
        if not isinstance(value, bytes):
            raise InputError(f"{name}: bytes expected, got {type(value).__name__}")
        self.u32(len(value), name)
        self._data += value

    def string(self, value: str, name: str = "value") -> None:
        """A u32 length and the text as UTF-8."""
        if not isinstance(value, str):
            raise InputError(f"{name}: text expected, got {type(value).__name__}")
        self.byte_string(value.encode(), name)

    def nested(self, value: Writable) -> None:
        """A value that writes itself."""
        value.write(self)

    def nested_option(self, value: Writable | None) -> None:
        """A tag byte, then the value if there is one."""
        self.option(value, self.nested)

    def option(self, value: T | None, write: Callable[[T], object]) -> None:
        """A tag byte, then the value if there is one."""
        self._data.append(0 if value is None else 1)
        if value is not None:
            write(value)

    def array(self, values: Sequence[T], count: int, write: Callable[[T], object], name: str = "value") -> None:
        """Exactly `count` values."""
        if len(values) != count:
            raise InputError(f"{name}: exactly {count} values expected, got {len(values)}")
        for value in values:
            write(value)

    def vec(self, values: Sequence[T], write: Callable[[T], object], name: str = "value") -> None:
        """A u32 count and the values."""
        self.u32(len(values), name)
        for value in values:
            write(value)
