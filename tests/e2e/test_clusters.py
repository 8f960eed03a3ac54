"""Both clusters run the same programs, for the same upgrade authority."""

from __future__ import annotations

import json
from pathlib import Path

from clusters import Cluster, Fund
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from tallystick.adapters.chain.rpc import RpcChain

PROGRAM = Path(__file__).resolve().parents[2] / "client/tallystick/program"
LOADER = Pubkey.from_string("BPFLoaderUpgradeab1e11111111111111111111111")
TOKEN_2022 = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
# Layouts of the upgradeable loader. A program: u32 tag, address of its data. Data: u32 tag, u64 slot, authority after
# one byte that says whether there is one, code.
DATA_ADDRESS, HAS_AUTHORITY, AUTHORITY, CODE = slice(4, 36), 12, slice(13, 45), slice(45, None)


async def program_data(chain: RpcChain, program: Pubkey) -> bytes:
    account = await chain.get_account(program)
    assert account is not None
    assert account.executable
    assert account.owner == LOADER
    data = await chain.get_account(Pubkey.from_bytes(account.data[DATA_ADDRESS]))
    assert data is not None
    return data.data


async def test_the_cluster_runs_the_committed_program(chain: RpcChain) -> None:
    address = json.loads((PROGRAM / "tallystick.json").read_text())["address"]
    data = await program_data(chain, Pubkey.from_string(address))
    assert data[CODE].rstrip(b"\0") == (PROGRAM / "tallystick.so").read_bytes().rstrip(b"\0")


async def test_the_upgrade_authority_is_the_one_the_tests_sign_with(chain: RpcChain, cluster: Cluster) -> None:
    address = json.loads((PROGRAM / "tallystick.json").read_text())["address"]
    data = await program_data(chain, Pubkey.from_string(address))
    assert data[HAS_AUTHORITY] == 1
    assert Pubkey.from_bytes(data[AUTHORITY]) == cluster.upgrade_authority.pubkey()


async def test_the_cluster_runs_the_committed_token_program(chain: RpcChain) -> None:
    data = await program_data(chain, TOKEN_2022)
    assert data[CODE].rstrip(b"\0") == (PROGRAM / "token_2022.so").read_bytes().rstrip(b"\0")


async def test_the_faucet_funds_a_new_key(chain: RpcChain, fund: Fund) -> None:
    address = Keypair().pubkey()
    assert await chain.get_balance(address) == 0
    await fund(address, lamports=3 * 10**9)
    assert await chain.get_balance(address) == 3 * 10**9
