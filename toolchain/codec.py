"""How a type of the IDL is annotated, read and written in Python."""

from __future__ import annotations

from idl import Array, Defined, Enum, FixedBytes, Idl, IdlError, Integer, Option, Simple, Struct, Type, Vec
from python_text import docstring, indent, safe, sentence, snake

METHODS = {"bool": "boolean", "bytes": "byte_string"}
ANNOTATIONS = {"bool": "bool", "f32": "float", "f64": "float", "pubkey": "Pubkey", "string": "str", "bytes": "bytes"}


class Codec:
    """Expressions and classes for the types of one IDL."""

    def __init__(self, idl: Idl) -> None:
        self.idl = idl
        self.tagged = {item.struct.name for item in (*idl.accounts, *idl.events)}

    def qualified(self, name: str, module: str) -> str:
        if name in self.tagged:
            raise IdlError(f"{name} is an account or event and cannot be a field of another type")
        return name if module == "types" else f"types.{name}"

    def plain(self, name: str) -> bool:
        definition = self.idl.types[name]
        return isinstance(definition, Enum) and definition.plain

    def union(self, name: str) -> bool:
        return isinstance(self.idl.types[name], Enum) and not self.plain(name)

    def annotation(self, type_: Type, module: str) -> str:
        match type_:
            case Integer():
                return "int"
            case Simple(name):
                return ANNOTATIONS[name]
            case FixedBytes():
                return "bytes"
            case Option(inner):
                return f"{self.annotation(inner, module)} | None"
            case Vec(inner) | Array(inner):
                return f"tuple[{self.annotation(inner, module)}, ...]"
            case Defined(name):
                return self.qualified(name, module)

    def read(self, type_: Type, module: str) -> str:
        """An expression that reads one value from `reader`."""
        match type_:
            case Integer(name) | Simple(name):
                return f"reader.{METHODS.get(name, name)}()"
            case FixedBytes(size):
                return f"reader.fixed({size})"
            case Option(inner):
                return f"reader.option({self.reader(inner, module)})"
            case Vec(inner):
                return f"reader.vec({self.reader(inner, module)})"
            case Array(inner, count):
                return f"reader.array({self.reader(inner, module)}, {count})"
            case Defined(name):
                target = self.qualified(name, module)
                if self.plain(name):
                    return f"reader.variant({target})"
                if self.union(name):
                    return f"{target.replace(name, f'read_{snake(name)}')}(reader)"
                return f"{target}.read(reader)"

    def reader(self, type_: Type, module: str) -> str:
        if isinstance(type_, Integer | Simple):
            return self.read(type_, module).removesuffix("()")
        return f"lambda: {self.read(type_, module)}"

    def write(self, type_: Type, value: str, label: str) -> str:
        """An expression that writes `value` to `writer`."""
        match type_:
            case Integer(name) | Simple(name):
                return f'writer.{METHODS.get(name, name)}({value}, "{label}")'
            case FixedBytes(size):
                return f'writer.fixed({value}, {size}, "{label}")'
            case Option(Defined(name)) if not self.plain(name):
                return f"writer.nested_option({value})"
            case Option(inner):
                return f"writer.option({value}, {self.writer(inner, label)})"
            case Vec(inner):
                return f'writer.vec({value}, {self.writer(inner, label)}, "{label}")'
            case Array(inner, count):
                return f'writer.array({value}, {count}, {self.writer(inner, label)}, "{label}")'
            case Defined(name):
                return f'writer.u8({value}, "{label}")' if self.plain(name) else f"{value}.write(writer)"

    def writer(self, type_: Type, label: str) -> str:
        """A function that writes one value of this type."""
        if isinstance(type_, Defined) and not self.plain(type_.name):
            return "writer.nested"
        return f"lambda item: {self.write(type_, 'item', label)}"

    def struct(self, struct: Struct, module: str, base: str, extra: str = "", tag: int | None = None) -> str:
        """A frozen dataclass that reads and writes itself."""
        title = sentence(struct.name)
        lines = ["@dataclass(frozen=True, slots=True)", f"class {struct.name}{f'({base})' if base else ''}:"]
        lines += [docstring(struct.docs or (f"{title}.",), 4), ""]
        lines += [indent(extra, 4), ""] if extra else []
        for item in struct.fields:
            lines.append(f"    {safe(item.name)}: {self.annotation(item.type, module)}")
            lines += [docstring(item.docs, 4)] if item.docs else []
        lines += ["", "    @classmethod", "    def read(cls, reader: Reader) -> Self:"]
        lines.append('        """The fields in order. Raises LedgerError."""')
        arguments = "".join(f"{safe(item.name)}={self.read(item.type, module)}, " for item in struct.fields)
        lines += [f"        return cls({arguments})", "", "    def write(self, writer: Writer) -> None:"]
        lines.append(
            '        """The fields in order. Raises AmountError or InputError for a value that does not fit."""'
        )
        if tag is not None:
            lines.append(f"        writer.u8({tag})")
        for item in struct.fields:
            text = self.write(item.type, f"self.{safe(item.name)}", f"{struct.name}.{item.name}")
            lines.append(f"        {text}")
        return "\n".join(lines) + "\n\n"

    def union_enum(self, enum: Enum) -> str:
        """One dataclass for each variant, their union, and the function that reads whichever is there."""
        body, names = "", []
        for tag, (variant, fields) in enumerate(enum.variants):
            names.append(f"{enum.name}{variant}")
            docs = (f"{sentence(enum.name)}: {sentence(variant).lower()}.",)
            body += self.struct(Struct(names[-1], fields, docs), "types", "", tag=tag)
        body += f"{enum.name} = {' | '.join(names)}\n{docstring(enum.docs or (f'{sentence(enum.name)}.',), 0)}\n\n"
        body += f"def read_{snake(enum.name)}(reader: Reader) -> {enum.name}:\n"
        body += '    """One variant. Raises LedgerError."""\n    match reader.u8():\n'
        for tag, name in enumerate(names):
            body += f"        case {tag}:\n            return {name}.read(reader)\n"
        last = len(names) - 1
        body += f'    return reader.fail("a variant of {enum.name} (0 to {last}) expected, found another")\n\n'
        return body
