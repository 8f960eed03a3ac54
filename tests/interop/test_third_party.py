"""A client we did not write, with nothing but our IDL: it builds the same bytes, places an order and reads accounts."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from anchorpy import Context, Idl, Program, Provider
from conftest import GOLDEN, IDL, ROOT, Found
from place_order import place_order
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed
from solders.pubkey import Pubkey

Json = Any
RAW: Json = json.loads(IDL.read_text())
TYPES = {item["name"]: item["type"] for item in RAW["types"]}


@pytest.fixture(scope="session")
def program(idl: str) -> Program:
    """The program as anchorpy understands it; it connects to nothing."""
    return Program(Idl.from_json(idl), Pubkey.from_string(RAW["address"]), Provider.readonly("http://127.0.0.1:1"))


def given(program: Program, kind: Json, value: Json) -> Any:
    """A golden file's plain value as anchorpy takes it."""
    match kind:
        case "pubkey":
            return Pubkey.from_string(value)
        case "bytes":
            return bytes.fromhex(value)
        case {"array": ["u8", _]}:
            return list(bytes.fromhex(value))
        case {"option": inner}:
            return None if value is None else given(program, inner, value)
        case {"vec": inner} | {"array": [inner, _]}:
            return [given(program, inner, item) for item in value]
        case {"defined": {"name": name}} if TYPES[name]["kind"] == "enum":
            return getattr(program.type[name], value)()
        case {"defined": {"name": name}}:
            return {
                field["name"]: given(program, field["type"], value[field["name"]]) for field in TYPES[name]["fields"]
            }
    return value


def plain(kind: Json, value: Any) -> Json:
    """What anchorpy decoded as a golden file's plain value."""
    match kind:
        case "pubkey":
            return str(value)
        case "bytes" | {"array": ["u8", _]}:
            return bytes(value).hex()
        case {"option": inner}:
            return None if value is None else plain(inner, value)
        case {"vec": inner} | {"array": [inner, _]}:
            return [plain(inner, item) for item in value]
        case {"defined": {"name": name}} if TYPES[name]["kind"] == "enum":
            return type(value).__name__
        case {"defined": {"name": name}}:
            return {one["name"]: plain(one["type"], getattr(value, one["name"])) for one in TYPES[name]["fields"]}
    return value


def golden(kind: str) -> list[Any]:
    files = sorted((GOLDEN / kind).glob("*.json"))
    assert files
    return [pytest.param(json.loads(path.read_text()), id=path.stem) for path in files]


@pytest.mark.parametrize("case", golden("instructions"))
def test_anchorpy_builds_the_same_instruction(program: Program, case: Json) -> None:
    item = next(one for one in RAW["instructions"] if one["name"] == case["name"])
    arguments = [given(program, arg["type"], case["arguments"][arg["name"]]) for arg in item["args"]]
    accounts = {one["name"]: Pubkey.from_string(one["address"]) for one in case["accounts"]}
    built = program.instruction[case["name"]](*arguments, ctx=Context(accounts=accounts))
    assert bytes(built.data).hex() == case["data"]
    left_out = {one["name"] for one in item["accounts"] if one.get("optional")}
    for meta, account in zip(built.accounts, case["accounts"], strict=True):
        assert str(meta.pubkey) == account["address"]
        if account["name"] not in left_out:
            assert (meta.is_signer, meta.is_writable) == (account["signer"], account["writable"]), account["name"]


@pytest.mark.parametrize("case", golden("accounts"))
def test_anchorpy_decodes_the_same_account(program: Program, case: Json) -> None:
    decoded = program.coder.accounts.decode(bytes.fromhex(case["data"]))
    assert plain({"defined": {"name": case["name"]}}, decoded) == case["fields"]


@pytest.mark.parametrize("case", golden("events"))
def test_anchorpy_decodes_the_same_event(program: Program, case: Json) -> None:
    decoded = program.coder.events.parse(bytes.fromhex(case["data"]))
    assert decoded.name == case["name"]
    assert plain({"defined": {"name": case["name"]}}, decoded.data) == case["fields"]


def test_an_order_placed_with_anchorpy_is_open_on_chain(found: Found, idl: str) -> None:
    address, order = asyncio.run(place_order(found.url, idl, found.wallet, found.security, 1_250_000))
    assert (type(order.kind).__name__, type(order.status).__name__) == ("Subscription", "Open")
    assert (order.security, order.holder) == (found.security, found.wallet.pubkey())
    assert (order.quantity, order.filled, order.version) == (1_250_000, 0, 1)
    again = asyncio.run(fetch(found, idl, "Order", address))
    assert again == order


def test_an_order_for_no_shares_is_refused_with_the_programs_message(found: Found, idl: str) -> None:
    before = asyncio.run(orders(found, idl))
    with pytest.raises(Exception) as refused:  # noqa: PT011 (which exception is anchorpy's own affair)
        asyncio.run(place_order(found.url, idl, found.wallet, found.security, 0))
    assert next(error["msg"] for error in RAW["errors"] if error["name"] == "ZeroQuantity") in str(refused.value)
    assert asyncio.run(orders(found, idl)) == before


def test_the_security_that_anchorpy_reads_is_the_one_listed(found: Found, idl: str) -> None:
    security = asyncio.run(fetch(found, idl, "Security", found.security))
    assert security.issuer == found.issuer
    assert bytes(security.isin) == b"US0378331005"
    assert security.multiplier == 10**18
    assert type(security.status).__name__ == "Active"


def test_the_example_is_a_command_too(found: Found, tmp_path: Path) -> None:
    wallet = tmp_path / "wallet.json"
    wallet.write_text(found.wallet.to_json())
    script = Path(__file__).with_name("place_order.py")
    command = [sys.executable, str(script), found.url, str(IDL), str(wallet), str(found.security), "5"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "quantity=5," in done.stdout


def test_the_example_in_the_docs_is_the_file_that_ran() -> None:
    text = (ROOT / "docs" / "integrators.md").read_text()
    assert f"```python\n{Path(__file__).with_name('place_order.py').read_text()}```\n" in text


async def fetch(found: Found, idl: str, name: str, address: Pubkey) -> Any:
    async with AsyncClient(found.url, Confirmed) as connection:
        program = Program(Idl.from_json(idl), Pubkey.from_string(RAW["address"]), Provider(connection, None))
        return await program.account[name].fetch(address)


async def orders(found: Found, idl: str) -> int:
    """How many orders there are."""
    async with AsyncClient(found.url, Confirmed) as connection:
        program = Program(Idl.from_json(idl), Pubkey.from_string(RAW["address"]), Provider(connection, None))
        accounts = await connection.get_program_accounts(program.program_id, encoding="base64")
        wanted = program.coder.accounts.acc_name_to_discriminator["Order"]
        return sum(one.account.data[:8] == wanted for one in accounts.value)
