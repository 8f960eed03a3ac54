"""How a declaration is written as JSON and read back, field by field, so that the round trip is exact.

A shape reads strictly: what is missing, of another type, unknown, or written in another way than it would be written
here is an InputError with the JSON pointer (RFC 6901) of the place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias, cast

from tallystick.domain.base58 import base58_decode, base58_encode
from tallystick.domain.canonical import CanonicalValue
from tallystick.domain.reserve_report.values import LAST_SECOND
from tallystick.errors import InputError

Schema: TypeAlias = dict[str, CanonicalValue]
"""A JSON Schema (draft 2020-12)."""
COUNT_LIMIT: Final = 2**53 - 1
"""The greatest integer that every JSON reader keeps exactly (RFC 8785, section 3.2.2.3)."""


class Shape(Protocol):
    """One kind of value."""

    def write(self, value: Any) -> CanonicalValue: ...
    def read(self, value: object, path: str) -> Any:
        """InputError with the path for anything that `write` does not write."""
        ...

    def schema(self) -> Schema:
        """What `write` writes, as a JSON Schema."""
        ...


@dataclass(frozen=True, slots=True)
class Text:
    """Text as it is."""

    def write(self, value: str) -> CanonicalValue:
        return value

    def read(self, value: object, path: str) -> str:
        if not isinstance(value, str):
            raise unfit(path, "text", value)
        return value

    def schema(self) -> Schema:
        return {"type": "string"}


@dataclass(frozen=True, slots=True)
class Count:
    """A JSON integer up to `maximum`: a count, or seconds since 1970."""

    maximum: int = COUNT_LIMIT

    def write(self, value: int) -> CanonicalValue:
        return value

    def read(self, value: object, path: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= self.maximum:
            raise unfit(path, f"an integer from 0 to {self.maximum}", value)
        return value

    def schema(self) -> Schema:
        return {"maximum": self.maximum, "minimum": 0, "type": "integer"}


@dataclass(frozen=True, slots=True)
class Amount:
    """An integer as decimal text, of at most 40 digits."""

    def write(self, value: int) -> CanonicalValue:
        return str(value)

    def read(self, value: object, path: str) -> int:
        if not isinstance(value, str) or not value.removeprefix("-").isascii() or not _is_integer(value):
            raise unfit(path, "an integer as decimal text", value)
        return int(value)

    def schema(self) -> Schema:
        return {"pattern": "^(0|-?[1-9][0-9]{0,39})$", "type": "string"}


@dataclass(frozen=True, slots=True)
class Flag:
    """A boolean."""

    def write(self, value: bool) -> CanonicalValue:
        return value

    def read(self, value: object, path: str) -> bool:
        if not isinstance(value, bool):
            raise unfit(path, "true or false", value)
        return value

    def schema(self) -> Schema:
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Hex:
    """Bytes in lower case hex; none at all where `is_optional`."""

    length: int = 32
    is_optional: bool = False

    def write(self, value: bytes) -> CanonicalValue:
        return value.hex()

    def read(self, value: object, path: str) -> bytes:
        lengths = (0, self.length) if self.is_optional else (self.length,)
        try:
            found = bytes.fromhex(value) if isinstance(value, str) else None
        except ValueError:
            found = None
        if found is None or found.hex() != value or len(found) not in lengths:
            raise unfit(path, f"{self.length} bytes in hex", value)
        return found

    def schema(self) -> Schema:
        return _pattern(f"[0-9a-f]{{{2 * self.length}}}", self.is_optional)


@dataclass(frozen=True, slots=True)
class Address:
    """32 or `length` bytes in base 58; none at all where `is_optional`."""

    length: int = 32
    is_optional: bool = False

    def write(self, value: bytes) -> CanonicalValue:
        return base58_encode(value)

    def read(self, value: object, path: str) -> bytes:
        lengths = (0, self.length) if self.is_optional else (self.length,)
        try:
            found = base58_decode(value) if isinstance(value, str) and len(value) <= 2 * self.length else None
        except ValueError:
            found = None
        if found is None or len(found) not in lengths or base58_encode(found) != value:
            raise unfit(path, f"{self.length} bytes in base 58", value)
        return found

    def schema(self) -> Schema:
        return _pattern(f"[1-9A-HJ-NP-Za-km-z]{{{self.length},{self.length * 11 // 8}}}", self.is_optional)


@dataclass(frozen=True, slots=True)
class Maybe:
    """A value or null."""

    shape: Shape

    def write(self, value: Any) -> CanonicalValue:
        return None if value is None else self.shape.write(value)

    def read(self, value: object, path: str) -> Any:
        return None if value is None else self.shape.read(value, path)

    def schema(self) -> Schema:
        return {"anyOf": [self.shape.schema(), {"type": "null"}]}


@dataclass(frozen=True, slots=True)
class Items:
    """A list of one shape, as a tuple."""

    shape: Shape

    def write(self, value: tuple[Any, ...]) -> CanonicalValue:
        return [self.shape.write(each) for each in value]

    def read(self, value: object, path: str) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise unfit(path, "a list", value)
        return tuple(self.shape.read(each, f"{path}/{index}") for index, each in enumerate(value))

    def schema(self) -> Schema:
        return {"items": self.shape.schema(), "type": "array"}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two values under two names, as a tuple."""

    first: str
    first_shape: Shape
    second: str
    second_shape: Shape

    def write(self, value: tuple[Any, Any]) -> CanonicalValue:
        return {self.first: self.first_shape.write(value[0]), self.second: self.second_shape.write(value[1])}

    def read(self, value: object, path: str) -> tuple[Any, Any]:
        found = members(value, (self.first, self.second), path)
        return (
            self.first_shape.read(found[self.first], f"{path}/{self.first}"),
            self.second_shape.read(found[self.second], f"{path}/{self.second}"),
        )

    def schema(self) -> Schema:
        return object_schema({self.first: self.first_shape.schema(), self.second: self.second_shape.schema()})


@dataclass(frozen=True, slots=True)
class Record:
    """A dataclass, with a shape for each of its fields under the field's name."""

    kind: type
    shapes: Mapping[str, Shape]

    def write(self, value: Any) -> CanonicalValue:
        return {name: shape.write(getattr(value, name)) for name, shape in self.shapes.items()}

    def read(self, value: object, path: str) -> Any:
        found = members(value, tuple(self.shapes), path)
        return self.kind(**{name: shape.read(found[name], f"{path}/{name}") for name, shape in self.shapes.items()})

    def schema(self) -> Schema:
        return object_schema({name: shape.schema() for name, shape in self.shapes.items()})


SECONDS = Count(LAST_SECOND)


def object_schema(properties: Mapping[str, CanonicalValue]) -> Schema:
    """An object of exactly these members."""
    return {
        "additionalProperties": False,
        "properties": dict(properties),
        "required": sorted(properties),
        "type": "object",
    }


def members(value: object, names: tuple[str, ...], path: str) -> Mapping[str, object]:
    """The members of a JSON object that has exactly these names. InputError otherwise."""
    if not isinstance(value, dict):
        raise unfit(path, "an object", value)
    for name in names:
        if name not in value:
            raise InputError(f"{path}/{name} is missing.")
    for name in value:
        if name not in names:
            raise InputError(f"{path}/{name} is not known.")
    return cast("Mapping[str, object]", value)


def unfit(path: str, expected: str, found: object) -> InputError:
    """What is raised for a value of another kind."""
    shown = repr(found)
    return InputError(f"{path}: expected {expected}, found {shown if len(shown) <= 80 else shown[:80] + '…'}.")


def _is_integer(text: str) -> bool:
    plain = text.removeprefix("-")
    return plain.isdigit() and len(plain) <= 40 and str(int(text)) == text


def _pattern(pattern: str, is_optional: bool) -> Schema:
    return {"pattern": f"^({pattern})?$" if is_optional else f"^{pattern}$", "type": "string"}
