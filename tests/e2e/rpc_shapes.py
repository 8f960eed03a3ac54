"""The shape of a JSON-RPC answer, and how two of them differ."""

from __future__ import annotations

from typing import Any

Shape = dict[str, frozenset[str]]
"""Path to the kinds found there; `[]` stands for every element of a list."""

# Members whose very value is part of the interface.
EXACT = {
    "amount",
    "code",
    "confirmationStatus",
    "decimals",
    "encoding",
    "err",
    "extension",
    "program",
    "status",
    "type",
    "uiAmount",
    "uiAmountString",
    "version",
}


def shape_of(answer: dict[str, Any]) -> Shape:
    """Paths and kinds of a result, or of an error with its code and message."""
    found: dict[str, set[str]] = {}
    if "error" in answer:
        error = answer["error"]
        found["error.code"] = {str(error["code"])}
        found["error.message"] = {error["message"]}
        if "data" in error:
            _walk("error.data", error["data"], found)
    else:
        _walk("result", answer["result"], found)
    return {path: frozenset(kinds) for path, kinds in found.items()}


def differences(ours: Shape, theirs: Shape) -> list[tuple[str, str, str]]:
    """Path, what the localnet has there, what the validator has; what lies under a missing path is left out."""
    found: list[tuple[str, str, str]] = []
    for path in sorted(set(ours) | set(theirs)):
        mine, other = _kinds(ours, path), _kinds(theirs, path)
        if mine == other:
            continue
        if any(path.startswith((f"{above}.", f"{above}[")) for above, _, _ in found):
            continue
        found.append((path, mine, other))
    return found


def _kinds(shape: Shape, path: str) -> str:
    return " or ".join(sorted(shape[path])) if path in shape else "absent"


def _walk(path: str, value: Any, found: dict[str, set[str]]) -> None:
    kinds = found.setdefault(path, set())
    name = path.rsplit(".", 1)[-1].removesuffix("[]")
    if isinstance(value, dict) and name not in EXACT:
        kinds.add("object")
        for key, member in value.items():
            _walk(f"{path}.{key}", member, found)
    elif isinstance(value, list) and name != "err":
        kinds.add("list" if value else "empty list")
        for member in value:
            _walk(f"{path}[]", member, found)
    elif name in EXACT and path != "result":
        kinds.add(repr(value))
    else:
        kinds.add(_kind(value))


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    return "number" if isinstance(value, float) else "string"
