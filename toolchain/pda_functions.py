"""Which addresses the IDL can derive, and how: the seeds of all instructions, brought together by their first word."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from idl import AccountSeed, ArgSeed, ConstSeed, Defined, Enum, FixedBytes, Idl, IdlError, Integer, Pda, Simple, Type
from python_text import base58


@dataclass(frozen=True)
class Parameter:
    name: str
    type: Type


@dataclass(frozen=True)
class Function:
    """`parts` are the seeds in order: bytes that never change, or a parameter."""

    name: str
    parts: tuple[bytes | Parameter, ...]

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return tuple(part for part in self.parts if isinstance(part, Parameter))


def key(pda: Pda) -> tuple[str, int] | None:
    """The first seed as a word and the number of seeds; None if the seeds do not start with a word or are not ours."""
    first = pda.seeds[0]
    if pda.program is not None or not isinstance(first, ConstSeed):
        return None
    try:
        word = first.value.decode("ascii").strip("_").replace("-", "_")
    except UnicodeDecodeError:
        return None
    return (word, len(pda.seeds)) if word.isidentifier() else None


def functions(idl: Idl) -> dict[tuple[str, int], Function]:
    """One function for each first word and number of seeds. Raises IdlError if instructions disagree on a seed."""
    groups: dict[tuple[str, int], list[Pda]] = {}
    for instruction in idl.instructions:
        for account in instruction.accounts:
            group = key(account.pda) if account.pda else None
            if account.pda and group:
                groups.setdefault(group, []).append(account.pda)
    words = Counter(word for word, _ in groups)
    return {
        group: Function(
            group[0] if words[group[0]] == 1 else f"{group[0]}_of_{group[1]}",
            tuple(_part(idl, [pda.seeds[index] for pda in pdas], group[0], index) for index in range(group[1])),
        )
        for group, pdas in sorted(groups.items())
    }


def _part(idl: Idl, seeds: list[ConstSeed | ArgSeed | AccountSeed], word: str, index: int) -> bytes | Parameter:
    constants = sorted({seed.value for seed in seeds if isinstance(seed, ConstSeed)})
    variable = [seed for seed in seeds if not isinstance(seed, ConstSeed)]
    if not variable and len(constants) == 1:
        return constants[0]
    types = sorted({seed.type for seed in variable if seed.type is not None}, key=repr)
    if not variable:
        widths = {len(value) for value in constants}
        if len(widths) != 1:
            raise IdlError(f"seed {index} of {word}: constants of several lengths; write this address by hand")
        width = widths.pop()
        return Parameter(f"seed_{index}", Integer("u8") if width == 1 else FixedBytes(width))
    if len(types) != 1:
        raise IdlError(f"seed {index} of {word}: one type expected, found {types}; write this address by hand")
    names = Counter(seed.path[-1] for seed in variable)
    best = max(names.values())
    return Parameter(min(name for name, count in names.items() if count == best), types[0])


def seed_bytes(idl: Idl, type_: Type, value: str, name: str) -> str:
    """The Python expression for the bytes of a seed of this type, given an expression for its value."""
    match type_:
        case Simple("pubkey"):
            return f"bytes({value})"
        case FixedBytes(size):
            return f'exactly({value}, {size}, "{name}")'
        case Integer(kind):
            signed = ", signed=True" if kind.startswith("i") else ""
            return f'integer_seed({value}, {type_.size}, "{name}"{signed})'
        case Simple("bytes"):
            return value
        case Simple("string"):
            return f"{value}.encode()"
        case Simple("bool"):
            return f"bytes([{value}])"
        case Defined(defined) if _plain_enum(idl, defined):
            return f"bytes([{value}])"
    raise IdlError(f"seed {name}: {type_} cannot be a seed")


def literal(idl: Idl, type_: Type, value: bytes) -> str:
    """The Python expression for a constant given where other instructions give a variable of this type."""
    match type_:
        case Simple("pubkey"):
            return f'Pubkey.from_string("{base58(value)}")'
        case FixedBytes() | Simple("bytes"):
            return repr(value)
        case Integer(kind):
            return str(int.from_bytes(value, "little", signed=kind.startswith("i")))
        case Simple("string"):
            return repr(value.decode())
        case Simple("bool"):
            return str(value != b"\0")
        case Defined(defined) if _plain_enum(idl, defined):
            return f"types.{defined}({value[0]})"
    raise IdlError(f"{type_} cannot be a seed")


def _plain_enum(idl: Idl, name: str) -> bool:
    definition = idl.types.get(name)
    return isinstance(definition, Enum) and definition.plain
