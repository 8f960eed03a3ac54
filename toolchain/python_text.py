"""Pieces of Python text: modules, docstrings, names."""

from __future__ import annotations

import json
import keyword
import re
import textwrap
from collections.abc import Iterable


def module(doc: str, body: str, *imports: tuple[str, ...]) -> str:
    """Docstring, the imports whose names the body uses, body."""
    groups: dict[int, list[str]] = {0: [], 1: [], 2: [], 3: []}
    for source, *names in imports:
        used = [name for name in names if re.search(rf"\b{name}\b", _code(body))]
        if used:
            rank = {"": 3, "solders": 1, "tallystick": 2}.get(source.split(".")[0], 0)
            groups[rank].append(f"from {source} import {', '.join(used)}")
    text = "\n\n".join("\n".join(group) for group in groups.values() if group)
    future = "from __future__ import annotations\n\n" if body else ""
    return f"{docstring((doc,), 0)}\n\n{future}{text}\n\n{body}"


def _code(body: str) -> str:
    """The body without its docstrings, so that a word in one is not taken for a use."""
    return re.sub(r'"""(?:\\.|[^\\])*?"""', "", body, flags=re.DOTALL)


def docstring(lines: Iterable[str], indent: int) -> str:
    """A docstring of wrapped lines; list items hang."""
    pad, wrapped = " " * indent, []
    for line in lines:
        text = line.strip().replace("\\", "\\\\").replace('"""', "'''")
        hanging = "  " if text.startswith("- ") else ""
        wrapped += textwrap.wrap(text, 112 - indent, subsequent_indent=hanging, break_long_words=False) or [""]
    while wrapped and not wrapped[-1]:
        wrapped.pop()
    if wrapped and wrapped[-1].endswith('"'):
        wrapped[-1] += " "
    if len(wrapped) == 1:
        return f'{pad}"""{wrapped[0]}"""'
    return f'{pad}"""' + "\n".join([wrapped[0], *(f"{pad}{line}".rstrip() for line in wrapped[1:]), f'{pad}"""'])


def long_string(start: str, text: str) -> list[str]:
    """An assignment of text, in parts where one line is too short."""
    if len(start) + len(json.dumps(text)) <= 118:
        return [start + json.dumps(text, ensure_ascii=False)]
    parts = textwrap.wrap(text, 100, drop_whitespace=False, break_long_words=False)
    return [f"{start}(", *(f"        {json.dumps(part, ensure_ascii=False)}" for part in parts), "    )"]


def indent(text: str, by: int) -> str:
    return textwrap.indent(text, " " * by)


def safe(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) else name


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def sentence(name: str) -> str:
    return snake(name).replace("_", " ").capitalize()


_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def base58(key: bytes) -> str:
    """A key as addresses are written."""
    number, text = int.from_bytes(key, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = _ALPHABET[digit] + text
    return "1" * (len(key) - len(key.lstrip(b"\0"))) + text
