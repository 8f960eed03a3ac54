"""RpcChain over HTTP and MemoryChain in the process read the same ledger alike."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction
from tallystick.adapters.chain.ledger import Ledger
from tallystick.adapters.chain.memory import MemoryChain
from tallystick.adapters.chain.protocol import Account, Chain, MemcmpFilter
from tallystick.adapters.chain.rpc import RpcChain
from tallystick.adapters.clock import SystemClock

SOL = 10**9
RECEIVER = Keypair.from_seed(bytes([2] * 32)).pubkey()
PROGRAM = Keypair.from_seed(bytes([4] * 32)).pubkey()


@pytest.fixture
async def chains(url: str, ledger: Ledger) -> AsyncIterator[tuple[Chain, Chain]]:
    async with RpcChain([url], SystemClock()) as rpc:
        yield rpc, MemoryChain(ledger)


def signed(ledger: Ledger, payer: Keypair, lamports: int) -> VersionedTransaction:
    instruction = transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=RECEIVER, lamports=lamports))
    blockhash = ledger.latest_blockhash().blockhash
    return VersionedTransaction(MessageV0.try_compile(payer.pubkey(), [instruction], [], blockhash), [payer])


async def test_a_transaction_reads_alike(chains: tuple[Chain, Chain], ledger: Ledger, payer: Keypair) -> None:
    rpc, memory = chains
    transaction = signed(ledger, payer, SOL)
    assert await rpc.simulate(bytes(transaction)) == await memory.simulate(bytes(transaction))
    watch = [payer.pubkey(), RECEIVER, PROGRAM]
    watched = await rpc.simulate(bytes(transaction), watch=watch)
    assert watched == await memory.simulate(bytes(transaction), watch=watch)
    assert watched.accounts[RECEIVER] == Account(Pubkey.default(), SOL, b"")
    assert watched.accounts[PROGRAM] is None
    assert await memory.get_account(RECEIVER) is None
    signature = await rpc.send(bytes(transaction))
    unknown = Signature.from_bytes(bytes([9] * 64))
    found = await memory.get_transaction(signature)
    assert found is not None
    assert await rpc.get_transaction(signature) == found
    assert await rpc.get_transaction(unknown) is None
    asked = [signature, unknown]
    assert await rpc.get_signature_statuses(asked) == await memory.get_signature_statuses(asked)
    assert await rpc.get_signatures_for_address(RECEIVER) == await memory.get_signatures_for_address(RECEIVER)
    assert not await rpc.is_absent_everywhere(signature)
    assert await rpc.is_absent_everywhere(unknown)


async def test_a_failure_reads_alike(chains: tuple[Chain, Chain], ledger: Ledger, payer: Keypair) -> None:
    rpc, memory = chains
    signature = await rpc.send(bytes(signed(ledger, payer, 100 * SOL)))
    found = await rpc.get_transaction(signature)
    assert found is not None
    assert found.error is not None
    assert found == await memory.get_transaction(signature)
    assert await rpc.get_balance(RECEIVER) == await memory.get_balance(RECEIVER) == 0


async def test_accounts_read_alike(chains: tuple[Chain, Chain], ledger: Ledger) -> None:
    rpc, memory = chains
    keys = [Keypair.from_seed(bytes([number] * 32)).pubkey() for number in (10, 11, 12)]
    for key, data in zip(keys, (b"shares", b"sharks", b"stocks"), strict=True):
        ledger.set_account(key, Account(PROGRAM, SOL, data))
    asked = [*keys, RECEIVER]
    assert await rpc.get_accounts(asked) == await memory.get_accounts(asked)
    assert await rpc.get_account(keys[0]) == await memory.get_account(keys[0]) == Account(PROGRAM, SOL, b"shares")
    filters = [MemcmpFilter(0, b"sh"), 6]
    found = await rpc.get_program_accounts(PROGRAM, filters, data_slice=(3, 2))
    assert found == await memory.get_program_accounts(PROGRAM, filters, data_slice=(3, 2))
    assert {key: account.data for key, account in found.accounts.items()} == {keys[0]: b"re", keys[1]: b"rk"}


async def test_the_cluster_reads_alike(chains: tuple[Chain, Chain]) -> None:
    rpc, memory = chains
    assert await rpc.get_genesis_hash() == await memory.get_genesis_hash()
    assert await rpc.get_latest_blockhash() == await memory.get_latest_blockhash()
    slot = await memory.get_slot()
    assert (await rpc.get_slot(), await rpc.get_block_height()) == (slot, await memory.get_block_height())
    for asked in (slot, slot + 1):
        assert await rpc.get_block_time(asked) == await memory.get_block_time(asked)
    rent = await memory.get_minimum_balance_for_rent_exemption(165)
    assert await rpc.get_minimum_balance_for_rent_exemption(165) == rent


async def test_an_airdrop_over_either_arrives(chains: tuple[Chain, Chain]) -> None:
    rpc, memory = chains
    await rpc.request_airdrop(RECEIVER, SOL)
    await memory.request_airdrop(RECEIVER, SOL)
    assert await rpc.get_balance(RECEIVER) == 2 * SOL
    assert await memory.get_balance(Pubkey.default()) == await rpc.get_balance(Pubkey.default())
