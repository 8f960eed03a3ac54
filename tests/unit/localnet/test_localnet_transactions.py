"""Sending, simulating and looking back, as solana-py does it."""

from __future__ import annotations

import base64

import pytest
from asking import Raw
from solana.rpc.async_api import AsyncClient
from solana.rpc.core import RPCException
from solana.rpc.models import TxOpts
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0, MessageV1, TransactionConfig
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction
from tallystick.adapters.chain.ledger import Ledger
from tallystick.adapters.clock import ManualClock
from tallystick.domain.base58 import base58_encode

SOL = 10**9
RECEIVER = Keypair.from_seed(bytes([2] * 32)).pubkey()
SKIP = TxOpts(skip_preflight=True)
ROOMY = TransactionConfig(compute_unit_limit=10_000, loaded_accounts_data_size_limit=100_000)


def pay(payer: Keypair, lamports: int = SOL) -> Instruction:
    return transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=RECEIVER, lamports=lamports))


def signed(ledger: Ledger, payer: Keypair, instruction: Instruction, *, version: int = 0) -> VersionedTransaction:
    blockhash = ledger.latest_blockhash().blockhash
    if version:
        return VersionedTransaction(MessageV1.try_compile(payer.pubkey(), [instruction], blockhash, ROOMY), [payer])
    return VersionedTransaction(MessageV0.try_compile(payer.pubkey(), [instruction], [], blockhash), [payer])


def base64_of(transaction: VersionedTransaction) -> str:
    return base64.b64encode(bytes(transaction)).decode()


@pytest.mark.parametrize("version", [0, 1])
async def test_a_transfer_is_sent_and_found(
    client: AsyncClient, raw: Raw, ledger: Ledger, payer: Keypair, version: int
) -> None:
    transaction = signed(ledger, payer, pay(payer), version=version)
    signature = (await client.send_raw_transaction(bytes(transaction))).value
    assert signature == transaction.signatures[0]
    assert (await client.get_balance(RECEIVER)).value == SOL
    (status,) = (await client.get_signature_statuses([signature])).value
    assert status is not None
    assert status.err is None
    found = await raw.ask("getTransaction", str(signature), {"maxSupportedTransactionVersion": 1})
    assert (found["version"], found["slot"], found["meta"]["err"]) == (version, status.slot, None)
    assert found["meta"]["postBalances"][1] - found["meta"]["preBalances"][1] == SOL
    assert found["transaction"]["signatures"] == [str(signature)]


async def test_a_transaction_comes_back_byte_for_byte(raw: Raw, ledger: Ledger, payer: Keypair) -> None:
    transaction = signed(ledger, payer, pay(payer))
    signature = await raw.ask("sendTransaction", base58_encode(bytes(transaction)))
    config = {"encoding": "base64", "maxSupportedTransactionVersion": 0}
    assert (await raw.ask("getTransaction", signature, config))["transaction"] == [base64_of(transaction), "base64"]
    config["encoding"] = "base58"
    found = await raw.ask("getTransaction", signature, config)
    assert found["transaction"] == [base58_encode(bytes(transaction)), "base58"]


async def test_a_version_must_be_asked_for(raw: Raw, ledger: Ledger, payer: Keypair) -> None:
    signature = await raw.ask("sendTransaction", base58_encode(bytes(signed(ledger, payer, pay(payer), version=1))))
    code, message = await raw.refused("getTransaction", signature, {"maxSupportedTransactionVersion": 0})
    assert code == -32015
    assert message.startswith("Transaction version (1) is not supported by the requesting client.")
    assert (await raw.refused("getTransaction", signature))[0] == -32015
    slot = ledger.slot
    assert (await raw.refused("getBlock", slot))[0] == -32015


async def test_preflight_refuses_with_the_simulation(
    client: AsyncClient, raw: Raw, ledger: Ledger, payer: Keypair
) -> None:
    before = ledger.transaction_count
    transaction = signed(ledger, payer, pay(payer, 100 * SOL))
    with pytest.raises(RPCException, match="custom program error: 0x1"):
        await client.send_raw_transaction(bytes(transaction))
    params = [base64_of(transaction), {"encoding": "base64"}]
    answer = await raw.post({"jsonrpc": "2.0", "id": 7, "method": "sendTransaction", "params": params})
    assert answer["error"]["code"] == -32002
    assert answer["error"]["data"]["err"] == {"InstructionError": [0, {"Custom": 1}]}
    assert answer["error"]["data"]["unitsConsumed"] == 150
    assert ledger.transaction_count == before


async def test_without_preflight_a_failure_lands(client: AsyncClient, ledger: Ledger, payer: Keypair) -> None:
    transaction = signed(ledger, payer, pay(payer, 100 * SOL))
    signature = (await client.send_raw_transaction(bytes(transaction), SKIP)).value
    (status,) = (await client.get_signature_statuses([signature])).value
    assert status is not None
    assert status.err is not None
    assert (await client.get_balance(RECEIVER)).value == 0


async def test_an_expired_blockhash_is_not_found(
    client: AsyncClient, raw: Raw, ledger: Ledger, payer: Keypair, clock: ManualClock
) -> None:
    transaction = signed(ledger, payer, pay(payer))
    blockhash = transaction.message.recent_blockhash
    assert (await raw.ask("isBlockhashValid", str(blockhash)))["value"]
    clock.advance(61)
    assert not (await raw.ask("isBlockhashValid", str(blockhash)))["value"]
    code, message = await raw.refused("sendTransaction", base64_of(transaction), {"encoding": "base64"})
    assert (code, message) == (-32002, "Transaction simulation failed: Blockhash not found")
    await client.send_raw_transaction(bytes(transaction), SKIP)
    assert (await client.get_signature_statuses([transaction.signatures[0]], True)).value == [None]
    assert (await client.get_balance(RECEIVER)).value == 0


async def test_a_second_sending_is_already_processed(
    client: AsyncClient, raw: Raw, ledger: Ledger, payer: Keypair
) -> None:
    transaction = signed(ledger, payer, pay(payer))
    await client.send_raw_transaction(bytes(transaction))
    code, message = await raw.refused("sendTransaction", base64_of(transaction), {"encoding": "base64"})
    assert (code, message) == (-32002, "Transaction simulation failed: This transaction has already been processed")
    assert (await client.get_balance(RECEIVER)).value == SOL


async def test_a_wrong_signature_does_not_pass_preflight(raw: Raw, ledger: Ledger, payer: Keypair) -> None:
    message = signed(ledger, payer, pay(payer)).message
    forged = VersionedTransaction.populate(message, [Signature.from_bytes(bytes([9] * 64))])
    code, text = await raw.refused("sendTransaction", base64_of(forged), {"encoding": "base64"})
    assert (code, text) == (-32002, "Transaction simulation failed: Transaction did not pass signature verification")
    assert ledger.account(RECEIVER) is None


async def test_a_simulation_shows_accounts_and_moves_nothing(raw: Raw, ledger: Ledger, payer: Keypair) -> None:
    message = MessageV0.try_compile(payer.pubkey(), [pay(payer)], [], Hash.default())
    unsigned = VersionedTransaction.populate(message, [Signature.default()])
    result = await raw.ask(
        "simulateTransaction",
        base64_of(unsigned),
        {
            "encoding": "base64",
            "replaceRecentBlockhash": True,
            "innerInstructions": True,
            "accounts": {"encoding": "base64", "addresses": [str(RECEIVER), str(payer.pubkey())]},
        },
    )
    value = result["value"]
    assert (value["err"], value["unitsConsumed"], value["fee"]) == (None, 150, 5_000)
    assert [each["lamports"] for each in value["accounts"]] == [SOL, 9 * SOL - 5_000]
    assert value["innerInstructions"] == []
    assert value["replacementBlockhash"]["blockhash"] == str(ledger.latest_blockhash().blockhash)
    assert ledger.account(RECEIVER) is None


async def test_signatures_are_not_checked_on_a_replaced_blockhash(raw: Raw, ledger: Ledger, payer: Keypair) -> None:
    config = {"encoding": "base64", "sigVerify": True, "replaceRecentBlockhash": True}
    refused = await raw.refused("simulateTransaction", base64_of(signed(ledger, payer, pay(payer))), config)
    assert refused == (-32602, "sigVerify may not be used with replaceRecentBlockhash")


@pytest.mark.parametrize(
    ("text", "config", "message"),
    [
        ("@@", {"encoding": "base64"}, "invalid base64 encoding: InvalidByte(0, 64)"),
        ("0O", {}, "invalid base58 encoding: InvalidCharacter { character: '0', index: 0 }"),
        ("AQ==", {"encoding": "json"}, "unsupported encoding: json. Supported encodings: base58, base64"),
        ("AQ==", {"encoding": "base64"}, "failed to deserialize solana_transaction::versioned::VersionedTransaction"),
        (base64.b64encode(bytes(1_233)).decode(), {"encoding": "base64"}, "decoded solana_transaction"),
        ("A" * 5_465, {"encoding": "base64"}, "base64 encoded solana_transaction"),
    ],
)
async def test_what_is_no_transaction_is_named(raw: Raw, text: str, config: dict[str, str], message: str) -> None:
    code, found = await raw.refused("sendTransaction", text, config)
    assert code == -32602
    assert found.startswith(message)


async def test_an_address_has_its_history(client: AsyncClient, ledger: Ledger, payer: Keypair) -> None:
    sent = []
    for lamports in (SOL, SOL + 1, SOL + 2):
        transaction = signed(ledger, payer, pay(payer, lamports))
        sent.append((await client.send_raw_transaction(bytes(transaction))).value)
    found = (await client.get_signatures_for_address(RECEIVER, limit=2)).value
    assert [each.signature for each in found] == [sent[2], sent[1]]
    found = (await client.get_signatures_for_address(RECEIVER, before=sent[2], until=sent[0])).value
    assert [each.signature for each in found] == [sent[1]]


async def test_history_before_an_unknown_signature_is_refused(raw: Raw) -> None:
    unknown = str(Signature.from_bytes(bytes([9] * 64)))
    code, message = await raw.refused("getSignaturesForAddress", str(RECEIVER), {"before": unknown})
    assert (code, message) == (-32020, f"Transaction {unknown} not found")


async def test_a_block_holds_its_transaction(client: AsyncClient, ledger: Ledger, payer: Keypair) -> None:
    transaction = signed(ledger, payer, pay(payer))
    await client.send_raw_transaction(bytes(transaction))
    slot = ledger.slot
    block = (await client.get_block(slot, max_supported_transaction_version=0)).value
    assert block is not None
    assert block.transactions is not None
    assert len(block.transactions) == 1
    assert block.blockhash == ledger.latest_blockhash().blockhash
    before = (await client.get_block(slot - 1)).value
    assert before is not None
    assert before.blockhash == block.previous_blockhash


async def test_a_fee_is_told_for_a_message_that_could_land(client: AsyncClient, ledger: Ledger, payer: Keypair) -> None:
    message = signed(ledger, payer, pay(payer)).message
    assert isinstance(message, MessageV0)
    assert (await client.get_fee_for_message(message)).value == 5_000
    stale = MessageV0.try_compile(payer.pubkey(), [pay(payer)], [], Hash.default())
    assert (await client.get_fee_for_message(stale)).value is None


async def test_an_airdrop_arrives(client: AsyncClient) -> None:
    signature = (await client.request_airdrop(RECEIVER, 5 * SOL)).value
    assert (await client.get_balance(RECEIVER)).value == 5 * SOL
    found = (await client.get_transaction(signature)).value
    assert found is not None


async def test_a_call_to_no_program_is_named_by_preflight(raw: Raw, ledger: Ledger, payer: Keypair) -> None:
    transaction = signed(ledger, payer, Instruction(Pubkey.new_unique(), b"", []))
    code, message = await raw.refused("sendTransaction", base64_of(transaction), {"encoding": "base64"})
    assert (code, message) == (-32002, "Transaction simulation failed: Attempt to load a program that does not exist")
