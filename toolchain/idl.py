"""An Anchor IDL (spec 0.1.0, as anchor 1.2 writes it) as plain values; refuses what it does not know."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

SPEC = "0.1.0"
INTEGERS = {f"{sign}{bits}": bits // 8 for sign in "ui" for bits in (8, 16, 32, 64, 128, 256)}


class IdlError(Exception):
    """The IDL says something the generator does not know; the message says where."""


@dataclass(frozen=True)
class Integer:
    """u8 to u256, i8 to i256."""

    name: str

    @property
    def size(self) -> int:
        return INTEGERS[self.name]


@dataclass(frozen=True)
class Simple:
    """bool, f32, f64, pubkey, string or bytes."""

    name: str


@dataclass(frozen=True)
class FixedBytes:
    """[u8; N]."""

    size: int


@dataclass(frozen=True)
class Option:
    inner: Type


@dataclass(frozen=True)
class Vec:
    inner: Type


@dataclass(frozen=True)
class Array:
    inner: Type
    count: int


@dataclass(frozen=True)
class Defined:
    name: str


Type = Integer | Simple | FixedBytes | Option | Vec | Array | Defined


@dataclass(frozen=True)
class Field:
    name: str
    type: Type
    docs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Struct:
    name: str
    fields: tuple[Field, ...]
    docs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Enum:
    """`variants` maps a name to its fields, in order; an enum without any fields is a plain one."""

    name: str
    variants: tuple[tuple[str, tuple[Field, ...]], ...]
    docs: tuple[str, ...] = ()

    @property
    def plain(self) -> bool:
        return not any(fields for _, fields in self.variants)


@dataclass(frozen=True)
class ConstSeed:
    value: bytes


@dataclass(frozen=True)
class ArgSeed:
    path: tuple[str, ...]
    type: Type


@dataclass(frozen=True)
class AccountSeed:
    """`path` is the account (flattened name), then fields of its content; `type` is None when the IDL does not say."""

    path: tuple[str, ...]
    type: Type | None


Seed = ConstSeed | ArgSeed | AccountSeed


@dataclass(frozen=True)
class Pda:
    """`program` None is the program of the IDL."""

    seeds: tuple[Seed, ...]
    program: ConstSeed | AccountSeed | None


@dataclass(frozen=True)
class Account:
    name: str
    docs: tuple[str, ...]
    writable: bool
    signer: bool
    optional: bool
    address: str | None
    pda: Pda | None


@dataclass(frozen=True)
class Instruction:
    name: str
    docs: tuple[str, ...]
    discriminator: bytes
    accounts: tuple[Account, ...]
    args: tuple[Field, ...]


@dataclass(frozen=True)
class Tagged:
    """An account or event: a struct with a discriminator."""

    discriminator: bytes
    struct: Struct


@dataclass(frozen=True)
class Error:
    code: int
    name: str
    message: str


@dataclass(frozen=True)
class Constant:
    name: str
    docs: tuple[str, ...]
    value: int | bool | str | bytes


@dataclass
class Idl:
    address: str
    name: str
    version: str
    types: dict[str, Struct | Enum] = field(default_factory=dict)
    instructions: list[Instruction] = field(default_factory=list)
    accounts: list[Tagged] = field(default_factory=list)
    events: list[Tagged] = field(default_factory=list)
    errors: list[Error] = field(default_factory=list)
    constants: list[Constant] = field(default_factory=list)

    def size(self, type_: Type) -> int | None:
        """Bytes a value takes, or None if that varies."""
        match type_:
            case Integer() | FixedBytes():
                return type_.size
            case Simple(name):
                return {"bool": 1, "f32": 4, "f64": 8, "pubkey": 32}.get(name)
            case Array(inner, count):
                one = self.size(inner)
                return None if one is None else one * count
            case Defined(name):
                definition = self.types[name]
                if isinstance(definition, Enum):
                    return 1 if definition.plain else None
                sizes = [self.size(item.type) for item in definition.fields]
                return None if None in sizes else sum(size or 0 for size in sizes)
            case _:
                return None


def load(path: Path) -> Idl:
    """Read an IDL. Raises IdlError naming the place it does not know."""
    return _Parser(json.loads(path.read_text())).parse()


class _Parser:
    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.raw = raw
        spec = raw["metadata"]["spec"]
        if spec != SPEC:
            raise IdlError(f"IDL spec {SPEC} expected, found {spec}: read its changes, then extend toolchain/idl.py")
        self.aliases = {
            item["name"]: item["type"]["alias"] for item in raw.get("types", []) if item["type"]["kind"] == "type"
        }
        self.idl = Idl(raw["address"], raw["metadata"]["name"], raw["metadata"]["version"])

    def parse(self) -> Idl:
        for item in self.raw.get("types", []):
            if item["name"] not in self.aliases:
                self.idl.types[item["name"]] = self.definition(item)
        for item in self.raw.get("instructions", []):
            self.idl.instructions.append(self.instruction(item))
        self.idl.accounts = [self.tagged(item) for item in self.raw.get("accounts", [])]
        self.idl.events = [self.tagged(item) for item in self.raw.get("events", [])]
        self.idl.errors = [
            Error(item["code"], item["name"], item.get("msg", "")) for item in self.raw.get("errors", [])
        ]
        self.idl.constants = [self.constant(item) for item in self.raw.get("constants", [])]
        return self.idl

    def definition(self, item: Mapping[str, Any]) -> Struct | Enum:
        name, docs, body = item["name"], tuple(item.get("docs", ())), item["type"]
        if not name.isidentifier():
            raise IdlError(f"type {name}: two types share this name; rename one of them in the program")
        if item.get("serialization", "borsh") != "borsh":
            raise IdlError(f"type {name}: serialization {item['serialization']} is not read here, only borsh")
        if item.get("generics"):
            raise IdlError(f"type {name}: generic types are not read here")
        if body["kind"] == "struct":
            return Struct(name, self.fields(body.get("fields"), name), docs)
        if body["kind"] == "enum":
            variants = tuple(
                (one["name"], self.fields(one.get("fields"), f"{name}::{one['name']}")) for one in body["variants"]
            )
            return Enum(name, variants, docs)
        raise IdlError(f"type {name}: kind {body['kind']} is not known")

    def fields(self, raw: list[Any] | None, where: str) -> tuple[Field, ...]:
        """Named fields, or those of a tuple as field_0, field_1."""
        if not raw:
            return ()
        if isinstance(raw[0], dict) and "type" in raw[0] and "name" in raw[0]:
            return tuple(
                Field(one["name"], self.type(one["type"], f"{where}.{one['name']}"), tuple(one.get("docs", ())))
                for one in raw
            )
        return tuple(Field(f"field_{index}", self.type(one, f"{where}.{index}")) for index, one in enumerate(raw))

    def type(self, raw: Any, where: str) -> Type:
        if isinstance(raw, str):
            if raw in INTEGERS:
                return Integer(raw)
            if raw in ("bool", "f32", "f64", "pubkey", "string", "bytes"):
                return Simple(raw)
        elif "option" in raw:
            return Option(self.type(raw["option"], where))
        elif "vec" in raw:
            inner = self.type(raw["vec"], where)
            return Simple("bytes") if inner == Integer("u8") else Vec(inner)
        elif "array" in raw:
            inner, count = self.type(raw["array"][0], where), raw["array"][1]
            if isinstance(count, int):
                return FixedBytes(count) if inner == Integer("u8") else Array(inner, count)
        elif "defined" in raw and not raw["defined"].get("generics"):
            name = raw["defined"]["name"]
            return self.type(self.aliases[name], where) if name in self.aliases else Defined(name)
        raise IdlError(f"{where}: type {raw} is not known")

    def tagged(self, item: Mapping[str, Any]) -> Tagged:
        definition = self.idl.types.get(item["name"])
        if not isinstance(definition, Struct):
            raise IdlError(f"{item['name']}: an account or event must be a struct defined under types")
        return Tagged(bytes(item["discriminator"]), definition)

    def constant(self, item: Mapping[str, Any]) -> Constant:
        """Values are in Rust's debug notation."""
        type_, text = self.type(item["type"], item["name"]), item["value"]
        value: int | bool | str | bytes
        match type_:
            case Integer():
                value = int(text.replace("_", ""))
            case Simple("bool"):
                value = text == "true"
            case Simple("string"):
                value = str(json.loads(text))
            case Simple("bytes") | FixedBytes():
                value = bytes(json.loads(text))
            case Simple("pubkey"):
                value = str(text)
            case _:
                raise IdlError(f"constant {item['name']}: type {item['type']} is not known")
        return Constant(item["name"], tuple(item.get("docs", ())), value)

    def instruction(self, item: Mapping[str, Any]) -> Instruction:
        where = f"instruction {item['name']}"
        args = self.fields(item["args"], where)
        accounts = self.accounts(item["accounts"], "", {one.name: one.type for one in args}, where)
        return Instruction(item["name"], tuple(item.get("docs", ())), bytes(item["discriminator"]), accounts, args)

    def accounts(self, items: list[Any], prefix: str, args: Mapping[str, Type], where: str) -> tuple[Account, ...]:
        """Accounts in order; those of a composite are flattened as composite_name."""
        found: list[Account] = []
        for item in items:
            if "accounts" in item:
                found += self.accounts(item["accounts"], f"{prefix}{item['name']}_", args, where)
                continue
            found.append(
                Account(
                    name=prefix + item["name"],
                    docs=tuple(item.get("docs", ())),
                    writable=item.get("writable", False),
                    signer=item.get("signer", False),
                    optional=item.get("optional", False),
                    address=item.get("address"),
                    pda=self.pda(item["pda"], prefix, args, where) if "pda" in item else None,
                )
            )
        if [one.name for one in found[-2:]] == ["event_authority", "program"]:
            # #[event_cpi] appends these two; Anchor 1.2 keeps their addresses to itself (anchor-syn, event_cpi.rs).
            found[-2] = replace(found[-2], pda=Pda((ConstSeed(b"__event_authority"),), None))
        return tuple(found)

    def pda(self, raw: Mapping[str, Any], prefix: str, args: Mapping[str, Type], where: str) -> Pda | None:
        """The seeds, or None when one names an argument that the instruction does not have under that name."""
        seeds = [self.seed(one, prefix, args, where) for one in raw["seeds"]]
        if not seeds or any(seed is None for seed in seeds):
            return None
        program = self.seed(raw["program"], prefix, args, where) if "program" in raw else None
        if isinstance(program, ArgSeed):
            raise IdlError(f"{where}: a program given as an argument is not known")
        return Pda(tuple(seed for seed in seeds if seed is not None), program)

    def seed(self, raw: Mapping[str, Any], prefix: str, args: Mapping[str, Type], where: str) -> Seed | None:
        if raw["kind"] == "const":
            return ConstSeed(bytes(raw["value"]))
        path = tuple(raw["path"].split("."))
        if raw["kind"] == "arg":
            type_ = self.walk(args.get(path[0]), path[1:])
            return None if type_ is None else ArgSeed(path, type_)
        if raw["kind"] == "account":
            content = self.walk(Defined(raw["account"]), path[1:]) if len(path) > 1 and "account" in raw else None
            return AccountSeed((prefix + path[0], *path[1:]), Simple("pubkey") if len(path) == 1 else content)
        raise IdlError(f"{where}: seed kind {raw['kind']} is not known")

    def walk(self, type_: Type | None, path: tuple[str, ...]) -> Type | None:
        """The type of a field reached by names, or None."""
        for name in path:
            definition = self.idl.types.get(type_.name) if isinstance(type_, Defined) else None
            if not isinstance(definition, Struct):
                return None
            type_ = next((one.type for one in definition.fields if one.name == name), None)
        return type_
