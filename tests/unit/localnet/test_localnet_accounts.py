"""Reading accounts and tokens over HTTP."""

from __future__ import annotations

import base64
import struct

import pytest
from asking import Raw
from solana.rpc.async_api import AsyncClient
from solana.rpc.models import MemcmpOpts, TokenAccountOpts
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tallystick.adapters.chain.balances import TOKEN_2022_PROGRAM, TOKEN_PROGRAM
from tallystick.adapters.chain.ledger import Ledger
from tallystick.adapters.chain.protocol import Account
from tallystick.domain.base58 import base58_encode

SOL = 10**9
PROGRAM = Keypair.from_seed(bytes([4] * 32)).pubkey()
OWNER = Keypair.from_seed(bytes([5] * 32)).pubkey()
AUTHORITY = Keypair.from_seed(bytes([6] * 32)).pubkey()


def address(number: int) -> Pubkey:
    return Keypair.from_seed(bytes([number] * 32)).pubkey()


def mint_data(supply: int, decimals: int, *extensions: tuple[int, bytes]) -> bytes:
    """A mint: authority, supply, decimals, initialised, no freeze authority; extensions after byte 165."""
    base = b"\1\0\0\0" + bytes(AUTHORITY) + struct.pack("<QBB", supply, decimals, 1) + bytes(36)
    return base if not extensions else base + bytes(83) + b"\1" + written(*extensions)


def token_data(mint: Pubkey, owner: Pubkey, amount: int, *extensions: tuple[int, bytes]) -> bytes:
    """A token account: mint, owner, amount, no delegate, initialised."""
    base = bytes(mint) + bytes(owner) + struct.pack("<Q", amount) + bytes(36) + b"\1" + bytes(56)
    return base if not extensions else base + b"\2" + written(*extensions)


def written(*extensions: tuple[int, bytes]) -> bytes:
    return b"".join(struct.pack("<HH", kind, len(value)) + value for kind, value in extensions)


def put(ledger: Ledger, number: int, owner: Pubkey, data: bytes) -> Pubkey:
    ledger.set_account(address(number), Account(owner, SOL, data))
    return address(number)


async def test_an_account_comes_in_each_encoding(raw: Raw, ledger: Ledger) -> None:
    key = put(ledger, 10, PROGRAM, b"shares")
    found = {}
    for encoding in ("base58", "base64", "base64+zstd", "jsonParsed"):
        answer = await raw.ask("getAccountInfo", str(key), {"encoding": encoding})
        found[encoding] = answer["value"]["data"]
    assert found["base58"] == [base58_encode(b"shares"), "base58"]
    assert found["base64"] == found["jsonParsed"] == [base64.b64encode(b"shares").decode(), "base64"]
    text, name = found["base64+zstd"]
    frame = base64.b64decode(text)
    assert name == "base64+zstd"
    assert frame[:4] == b"\x28\xb5\x2f\xfd"
    assert frame.endswith(b"shares")
    assert (await raw.ask("getAccountInfo", str(key)))["value"]["data"] == base58_encode(b"shares")


async def test_a_slice_keeps_the_full_size_beside_it(raw: Raw, ledger: Ledger) -> None:
    key = put(ledger, 10, PROGRAM, b"shares")
    config = {"encoding": "base64", "dataSlice": {"offset": 2, "length": 3}}
    value = (await raw.ask("getAccountInfo", str(key), config))["value"]
    assert (base64.b64decode(value["data"][0]), value["space"]) == (b"are", 6)


async def test_large_data_is_not_written_in_base58(raw: Raw, ledger: Ledger) -> None:
    key = put(ledger, 10, PROGRAM, bytes(129))
    code, message = await raw.refused("getAccountInfo", str(key), {"encoding": "base58"})
    assert code == -32600
    assert message.startswith("Encoded binary (base 58) data should be less than 128 bytes")


async def test_missing_accounts_are_null_in_their_place(client: AsyncClient, ledger: Ledger) -> None:
    key = put(ledger, 10, PROGRAM, b"shares")
    found = (await client.get_multiple_accounts([address(11), key])).value
    assert found[0] is None
    assert found[1] is not None
    assert (found[1].data, found[1].lamports, found[1].owner) == (b"shares", SOL, PROGRAM)


async def test_a_hundred_accounts_are_the_most(raw: Raw) -> None:
    keys = [str(address(10))] * 101
    assert await raw.refused("getMultipleAccounts", keys) == (-32602, "Too many inputs provided; max 100")


async def test_program_accounts_pass_filters(client: AsyncClient, ledger: Ledger) -> None:
    key = put(ledger, 10, PROGRAM, b"shares")
    put(ledger, 11, PROGRAM, b"stocks")
    put(ledger, 12, PROGRAM, b"shared!")
    put(ledger, 13, OWNER, b"shares")
    filters = [6, MemcmpOpts(offset=0, bytes=base58_encode(b"sh"))]
    found = (await client.get_program_accounts(PROGRAM, encoding="base64", filters=filters)).value
    assert [each.pubkey for each in found] == [key]


async def test_program_accounts_come_with_their_slot(raw: Raw, ledger: Ledger) -> None:
    key = put(ledger, 10, PROGRAM, b"shares")
    wanted = base64.b64encode(b"are").decode()
    answer = await raw.ask(
        "getProgramAccounts",
        str(PROGRAM),
        {
            "withContext": True,
            "encoding": "base64",
            "dataSlice": {"offset": 0, "length": 0},
            "filters": [{"memcmp": {"offset": 2, "bytes": wanted, "encoding": "base64"}}],
        },
    )
    assert answer["context"]["slot"] == ledger.slot
    assert [(each["pubkey"], each["account"]["data"]) for each in answer["value"]] == [(str(key), ["", "base64"])]


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ([{"dataSize": 1}] * 5, "Too many filters provided; max 4"),
        ([{"size": 1}], "Invalid params: unknown variant `size`"),
        ([{"memcmp": {"offset": 0, "bytes": "0"}}], "Invalid param: Base58DecodeError"),
        ([{"memcmp": {"bytes": "1"}}], "Invalid params: missing field `offset`."),
    ],
)
async def test_a_wrong_filter_is_named(raw: Raw, filters: list[object], message: str) -> None:
    code, found = await raw.refused("getProgramAccounts", str(PROGRAM), {"filters": filters})
    assert code == -32602
    assert found.startswith(message)


async def test_token_balances_follow_decimals(client: AsyncClient, ledger: Ledger) -> None:
    mint = put(ledger, 20, TOKEN_PROGRAM, mint_data(1_234_500, 6))
    account = put(ledger, 21, TOKEN_PROGRAM, token_data(mint, OWNER, 250_000))
    put(ledger, 22, TOKEN_PROGRAM, token_data(mint, address(7), 984_500))
    balance = (await client.get_token_account_balance(account)).value
    assert (balance.amount, balance.decimals, balance.ui_amount_string) == ("250000", 6, "0.25")
    supply = (await client.get_token_supply(mint)).value
    assert (supply.amount, supply.ui_amount_string) == ("1234500", "1.2345")
    largest = (await client.get_token_largest_accounts(mint)).value
    assert [each.amount.amount for each in largest] == ["984500", "250000"]
    owned = (await client.get_token_accounts_by_owner(OWNER, TokenAccountOpts(mint=mint))).value
    assert [each.pubkey for each in owned] == [account]
    owned = (await client.get_token_accounts_by_owner(OWNER, TokenAccountOpts(program_id=TOKEN_PROGRAM))).value
    assert [each.pubkey for each in owned] == [account]
    owned = (await client.get_token_accounts_by_owner(OWNER, TokenAccountOpts(program_id=TOKEN_2022_PROGRAM))).value
    assert owned == []


async def test_a_token_account_is_parsed(client: AsyncClient, ledger: Ledger) -> None:
    mint = put(ledger, 20, TOKEN_2022_PROGRAM, mint_data(500, 2))
    account = put(ledger, 21, TOKEN_2022_PROGRAM, token_data(mint, OWNER, 500, (7, b""), (27, b"")))
    parsed = (await client.get_account_info_json_parsed(account)).value
    assert parsed is not None
    body = parsed.data.parsed  # type: ignore[union-attr]
    assert body["type"] == "account"
    assert body["info"]["tokenAmount"] == {"amount": "500", "decimals": 2, "uiAmount": 5.0, "uiAmountString": "5"}
    assert (body["info"]["mint"], body["info"]["owner"]) == (str(mint), str(OWNER))
    assert body["info"]["extensions"] == [{"extension": "immutableOwner"}, {"extension": "pausableAccount"}]


async def test_a_mint_is_parsed_with_its_multiplier_by_the_clusters_time(raw: Raw, ledger: Ledger) -> None:
    due = ledger.timestamp + 1_000
    scaled = bytes(AUTHORITY) + struct.pack("<dqd", 1.0, due, 2.5)
    mint = put(ledger, 20, TOKEN_2022_PROGRAM, mint_data(400, 2, (25, scaled), (12, bytes(AUTHORITY))))
    value = (await raw.ask("getAccountInfo", str(mint), {"encoding": "jsonParsed"}))["value"]
    info = value["data"]["parsed"]["info"]
    assert (info["supply"], info["decimals"], info["mintAuthority"]) == ("400", 2, str(AUTHORITY))
    assert info["freezeAuthority"] is None
    assert info["extensions"] == [
        {
            "extension": "scaledUiAmountConfig",
            "state": {
                "authority": str(AUTHORITY),
                "multiplier": "1",
                "newMultiplier": "2.5",
                "newMultiplierEffectiveTimestamp": due,
            },
        },
        {"extension": "permanentDelegate", "state": {"delegate": str(AUTHORITY)}},
    ]
    before = (await raw.ask("getTokenSupply", str(mint)))["value"]
    await raw.ask("tally_warp", {"seconds": 1_000})
    after = (await raw.ask("getTokenSupply", str(mint)))["value"]
    assert (before["amount"], before["uiAmountString"]) == ("400", "4")
    assert (after["amount"], after["uiAmountString"]) == ("400", "10")


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("getTokenAccountBalance", "Invalid param: not a Token account"),
        ("getTokenSupply", "Invalid param: not a Token mint"),
        ("getTokenLargestAccounts", "Invalid param: Token mint could not be unpacked"),
    ],
)
async def test_what_is_no_token_is_named(raw: Raw, ledger: Ledger, method: str, message: str) -> None:
    key = put(ledger, 10, PROGRAM, bytes(165))
    assert await raw.refused(method, str(key)) == (-32602, message)
