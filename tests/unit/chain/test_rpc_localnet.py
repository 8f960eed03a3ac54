"""The sender through RpcChain over HTTP to the localnet: every version, and what the reads say of it afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, TransferParams, create_account, transfer
from tallystick.adapters.chain.ledger import Ledger
from tallystick.adapters.chain.outbox import MemoryOutbox, OutboxState
from tallystick.adapters.chain.protocol import Chain, MemcmpFilter
from tallystick.adapters.chain.rpc import RpcChain, RpcLimits
from tallystick.adapters.chain.send_result import Outcome
from tallystick.adapters.chain.sender import Sender
from tallystick.adapters.chain.signers import KeypairSigner
from tallystick.adapters.chain.transactions import Version
from tallystick.adapters.clock import SystemClock
from tallystick.errors import RpcError, TransactionError
from tallystick.localnet.server import LocalnetServer

PAYER = Keypair.from_seed(bytes([4] * 32))
OWNER = Pubkey.from_bytes(bytes([6] * 32))
SOL = 1_000_000_000
REFUSING_PORT = "http://127.0.0.1:9"


@pytest.fixture
async def chain() -> AsyncIterator[RpcChain]:
    """A localnet behind two endpoints, the first of which refuses, with 10 SOL in PAYER."""
    limits = RpcLimits(first_rest=0.01)
    async with (
        LocalnetServer(Ledger(), port=0) as server,
        RpcChain([REFUSING_PORT, server.url], SystemClock(), limits=limits) as chain,
    ):
        await chain.request_airdrop(PAYER.pubkey(), 10 * SOL)
        yield chain


def sender(chain: Chain, outbox: MemoryOutbox) -> Sender:
    return Sender(chain, outbox, SystemClock())


@pytest.mark.parametrize("version", ["legacy", 0, 1])
async def test_a_transfer_of_every_version_lands_once_with_its_fee_and_units(chain: RpcChain, version: Version) -> None:
    outbox = MemoryOutbox()
    pay = transfer(TransferParams(from_pubkey=PAYER.pubkey(), to_pubkey=OWNER, lamports=SOL))
    for _ in range(2):
        result = await sender(chain, outbox).send(
            [pay], [KeypairSigner(PAYER)], intent="pay", version=version, priority_fee=50
        )
        assert (result.outcome, result.fee) == (Outcome.LANDED, 5_050)
    assert await chain.get_balance(OWNER) == SOL
    assert await chain.get_balance(PAYER.pubkey()) == 9 * SOL - 5_050
    assert result.signature is not None
    found = await chain.get_transaction(result.signature)
    assert found is not None
    assert (found.slot, found.units, found.accounts[0]) == (result.slot, result.units, PAYER.pubkey())
    assert not await chain.is_absent_everywhere(result.signature)
    assert result.signature in [line.signature for line in await chain.get_signatures_for_address(OWNER)]


async def test_a_transfer_that_cannot_succeed_is_raised_by_the_simulation_and_moves_nothing(chain: RpcChain) -> None:
    outbox = MemoryOutbox()
    pay = transfer(TransferParams(from_pubkey=PAYER.pubkey(), to_pubkey=OWNER, lamports=99 * SOL))
    with pytest.raises(TransactionError, match="ResultWithNegativeLamports, 1"):
        await sender(chain, outbox).send([pay], [KeypairSigner(PAYER)], intent="pay")
    assert await outbox.get_by_intent("pay") == ()
    assert await chain.get_balance(PAYER.pubkey()) == 10 * SOL


async def test_accounts_of_a_program_are_found_by_size_and_content_at_one_slot(chain: RpcChain) -> None:
    account = Keypair.from_seed(bytes([5] * 32))
    create = create_account(
        CreateAccountParams(from_pubkey=PAYER.pubkey(), to_pubkey=account.pubkey(), lamports=SOL, space=40, owner=OWNER)
    )
    outbox = MemoryOutbox()
    signers = [KeypairSigner(PAYER), KeypairSigner(account)]
    result = await sender(chain, outbox).send([create], signers, intent="create", version=1)
    assert [row.state for row in await outbox.get_by_intent("create")] == [OutboxState.LANDED]
    found = await chain.get_program_accounts(OWNER, [40, MemcmpFilter(8, bytes(2))], data_slice=(0, 4))
    assert {address: each.data for address, each in found.accounts.items()} == {account.pubkey(): bytes(4)}
    assert result.slot is not None
    assert found.slot >= result.slot
    assert (await chain.get_program_accounts(OWNER, [MemcmpFilter(8, b"\x01")])).accounts == {}
    slot, accounts = await chain.get_accounts([account.pubkey(), *[OWNER] * 150])
    assert slot >= result.slot
    assert [each is not None for each in accounts] == [True] + [False] * 150
    with pytest.raises(RpcError) as caught:
        await chain.get_program_accounts(OWNER, min_context_slot=10**9)
    assert caught.value.code == -32016


async def test_times_heights_and_rent_are_read(chain: RpcChain) -> None:
    slot = await chain.get_slot("finalized")
    assert await chain.get_block_height("finalized") <= await chain.get_block_height("processed")
    assert (await chain.get_block_time(slot) or 0) > 1_600_000_000
    assert await chain.get_minimum_balance_for_rent_exemption(165) > 0
    assert (await chain.get_latest_blockhash()).last_valid_block_height > await chain.get_block_height()
    assert chain.endpoint_count == 2
