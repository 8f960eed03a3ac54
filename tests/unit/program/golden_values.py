"""One sample of every instruction, account and event, and the bytes they become: tests/unit/program/golden/.

The values of a golden file are plain JSON, so that another client can encode them and compare (tests/interop does).
`uv run python tests/unit/program/golden_values.py` writes the files; a test says when they no longer hold.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from pathlib import Path
from typing import Any

from solders.pubkey import Pubkey
from tallystick.program.generated import accounts, events, instructions, types

GOLDEN = Path(__file__).with_name("golden")
IDL = Path(__file__).resolve().parents[3] / "client" / "tallystick" / "program" / "tallystick.json"
KINDS = ("instructions", "accounts", "events")

Json = Any


def idl() -> Json:
    """The committed IDL."""
    return json.loads(IDL.read_text())


def names(kind: str) -> list[str]:
    """The names of all instructions, accounts or events."""
    return [item["name"] for item in idl()[kind]]


def golden(kind: str, name: str) -> Json:
    """What the golden file of this instruction, account or event should say."""
    if kind == "instructions":
        return _instruction(name)
    layout = getattr(accounts if kind == "accounts" else events, name)
    fields = {field["name"]: _sample(field["type"], f"{name}.{field['name']}") for field in _definition(name)["fields"]}
    value = layout(
        **{field["name"]: _value(field["type"], fields[field["name"]]) for field in _definition(name)["fields"]}
    )
    assert layout.decode(value.encode()) == value
    return {"name": name, "fields": fields, "data": value.encode().hex()}


def written(golden_value: Json) -> str:
    """The text of a golden file."""
    return json.dumps(golden_value, indent=2, ensure_ascii=False) + "\n"


def _instruction(name: str) -> Json:
    item = next(one for one in idl()["instructions"] if one["name"] == name)
    function = getattr(instructions, name)
    parameters = inspect.signature(function).parameters
    needed = [one["name"] for one in item["accounts"] if parameters[one["name"]].default is inspect.Parameter.empty]
    given = {account: str(_key(f"{name}.{account}")) for account in needed}
    arguments = {arg["name"]: _sample(arg["type"], f"{name}.{arg['name']}") for arg in item["args"]}
    built = function(
        **{account: Pubkey.from_string(key) for account, key in given.items()},
        **{arg["name"]: _value(arg["type"], arguments[arg["name"]]) for arg in item["args"]},
    )
    return {
        "name": name,
        "given": given,
        "arguments": arguments,
        "program": str(built.program_id),
        "data": bytes(built.data).hex(),
        "accounts": [
            {"name": one["name"], "address": str(meta.pubkey), "signer": meta.is_signer, "writable": meta.is_writable}
            for one, meta in zip(item["accounts"], built.accounts, strict=True)
        ],
    }


def _definition(name: str) -> Json:
    return next(item["type"] for item in idl()["types"] if item["name"] == name)


def _digest(path: str) -> bytes:
    return hashlib.sha256(f"tallystick golden {path}".encode()).digest()


def _key(path: str) -> Pubkey:
    return Pubkey.from_bytes(_digest(path))


def _sample(kind: Json, path: str) -> Json:
    """A plain JSON value of this IDL type: bytes as hex, keys in base58, enums as the name of the variant."""
    digest = _digest(path)
    match kind:
        case "bool":
            return digest[0] % 2 == 1
        case "pubkey":
            return str(_key(path))
        case "string":
            return f"text of {path}"
        case "bytes":
            return digest[:5].hex()
        case str() if kind[0] in "ui":
            return int.from_bytes(digest[: int(kind[1:]) // 8], "little", signed=kind[0] == "i")
        case {"option": inner}:
            return _sample(inner, path) if digest[0] % 2 else None
        case {"vec": inner}:
            return [_sample(inner, f"{path}[{index}]") for index in range(3)]
        case {"array": ["u8", size]}:
            return hashlib.shake_128(digest).digest(size).hex()
        case {"array": [inner, count]}:
            return [_sample(inner, f"{path}[{index}]") for index in range(count)]
        case {"defined": {"name": name}}:
            definition = _definition(name)
            if definition["kind"] == "enum":
                assert not any("fields" in variant for variant in definition["variants"])
                return definition["variants"][digest[0] % len(definition["variants"])]["name"]
            return {field["name"]: _sample(field["type"], f"{path}.{field['name']}") for field in definition["fields"]}
    raise AssertionError(f"no sample for {kind}")


def _value(kind: Json, sample: Json) -> Any:
    """The sample as the generated client takes it."""
    match kind:
        case "pubkey":
            return Pubkey.from_string(sample)
        case "bytes" | {"array": ["u8", _]}:
            return bytes.fromhex(sample)
        case {"option": inner}:
            return None if sample is None else _value(inner, sample)
        case {"vec": inner} | {"array": [inner, _]}:
            return tuple(_value(inner, item) for item in sample)
        case {"defined": {"name": name}}:
            definition, target = _definition(name), getattr(types, name)
            if definition["kind"] == "enum":
                return target([variant["name"] for variant in definition["variants"]].index(sample))
            return target(
                **{field["name"]: _value(field["type"], sample[field["name"]]) for field in definition["fields"]}
            )
    return sample


def main() -> None:
    """Write all golden files, and remove those of what no longer exists."""
    for kind in KINDS:
        folder = GOLDEN / kind
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob("*.json"):
            path.unlink()
        for name in names(kind):
            (folder / f"{name}.json").write_text(written(golden(kind, name)))


if __name__ == "__main__":
    main()
