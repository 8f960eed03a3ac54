"""MemoryChain, through the Chain Protocol."""

from __future__ import annotations

import pytest
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price, set_loaded_accounts_data_size_limit
from solders.hash import Hash
from solders.instruction import AccountMeta, CompiledInstruction, Instruction
from solders.keypair import Keypair
from solders.message import (
    Message,
    MessageAddressTableLookup,
    MessageHeader,
    MessageV0,
    MessageV1,
    TransactionConfig,
)
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import CreateAccountParams, TransferParams, create_account, transfer
from solders.transaction import VersionedTransaction
from tallystick.adapters.chain.balances import TOKEN_2022_PROGRAM
from tallystick.adapters.chain.ledger import LOADER, Ledger
from tallystick.adapters.chain.memory import MemoryChain
from tallystick.adapters.chain.protocol import Account, Chain, MemcmpFilter
from tallystick.adapters.chain.wire import LOOKUP_TABLE_PROGRAM
from tallystick.adapters.clock import ManualClock
from tallystick.errors import InputError, RpcError

START = 1_790_000_000
SOL = 10**9
PAYER = Keypair.from_seed(bytes([1] * 32))
RECEIVER = Keypair.from_seed(bytes([2] * 32)).pubkey()
ROOMY = TransactionConfig(compute_unit_limit=10_000, loaded_accounts_data_size_limit=100_000)
MEMO = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")


class Desk:
    """A cluster whose clock moves only when told to, and a payer with 10 SOL."""

    def __init__(self) -> None:
        self.clock = ManualClock(START)
        self.ledger = Ledger(self.clock, seed=b"tests")
        self.chain: Chain = MemoryChain(self.ledger)
        self.ledger.airdrop(PAYER.pubkey(), 10 * SOL)

    def balance(self, address: Pubkey = RECEIVER) -> int:
        account = self.ledger.account(address)
        return account.lamports if account else 0

    def signed(self, *instructions: Instruction, blockhash: Hash | None = None) -> VersionedTransaction:
        blockhash = blockhash or self.ledger.latest_blockhash().blockhash
        return VersionedTransaction(MessageV0.try_compile(PAYER.pubkey(), instructions, [], blockhash), [PAYER])

    def signed_1(self, config: TransactionConfig | None, *instructions: Instruction) -> VersionedTransaction:
        blockhash = self.ledger.latest_blockhash().blockhash
        message = MessageV1.try_compile(PAYER.pubkey(), instructions, blockhash, config)
        return VersionedTransaction(message, [PAYER])

    async def error_of(self, signature: Signature) -> object:
        (status,) = await self.chain.get_signature_statuses([signature])
        assert status is not None, "expected the transaction to have landed"
        return status.error


@pytest.fixture
def desk() -> Desk:
    return Desk()


def pay(lamports: int = SOL) -> Instruction:
    return transfer(TransferParams(from_pubkey=PAYER.pubkey(), to_pubkey=RECEIVER, lamports=lamports))


async def test_a_transfer_moves_lamports_and_costs_five_thousand(desk: Desk) -> None:
    before = desk.balance(PAYER.pubkey())
    signature = await desk.chain.send(bytes(desk.signed(pay())))
    assert await desk.error_of(signature) is None
    assert await desk.chain.get_balance(RECEIVER) == SOL
    assert desk.balance(PAYER.pubkey()) == before - SOL - 5_000


async def test_each_transaction_gets_a_block_of_its_own(desk: Desk) -> None:
    slots = []
    for lamports in (SOL, SOL + 1, SOL + 2):
        signature = await desk.chain.send(bytes(desk.signed(pay(lamports))))
        transaction = await desk.chain.get_transaction(signature)
        assert transaction is not None
        slots.append(transaction.slot)
    assert slots == [slots[0], slots[0] + 1, slots[0] + 2]
    assert await desk.chain.get_block_height() == slots[-1]


async def test_a_failing_transaction_lands_with_its_error_and_costs_the_fee(desk: Desk) -> None:
    before = desk.balance(PAYER.pubkey())
    signature = await desk.chain.send(bytes(desk.signed(pay(100 * SOL))))
    assert await desk.error_of(signature) == {"InstructionError": [0, {"Custom": 1}]}
    assert desk.balance() == 0
    assert desk.balance(PAYER.pubkey()) == before - 5_000


async def test_a_repeated_signature_changes_nothing(desk: Desk) -> None:
    raw = bytes(desk.signed(pay()))
    signature = await desk.chain.send(raw)
    height = desk.ledger.slot
    assert await desk.chain.send(raw) == signature
    assert (desk.balance(), desk.ledger.slot) == (SOL, height)
    assert desk.ledger.submit(VersionedTransaction.from_bytes(raw)).error == "AlreadyProcessed"


async def test_a_blockhash_is_good_for_150_blocks(desk: Desk) -> None:
    latest = await desk.chain.get_latest_blockhash()
    late = desk.signed(pay(), blockhash=latest.blockhash)
    desk.clock.advance(0.4 * 150)
    assert await desk.chain.get_block_height() == latest.last_valid_block_height
    assert desk.ledger.is_blockhash_valid(latest.blockhash)
    assert desk.ledger.simulate(late).error is None
    desk.clock.advance(0.4)
    assert not desk.ledger.is_blockhash_valid(latest.blockhash)
    assert desk.ledger.submit(late).error == "BlockhashNotFound"
    assert await desk.chain.is_absent_everywhere(late.signatures[0])
    assert desk.balance() == 0


async def test_an_unknown_blockhash_is_dropped_in_silence(desk: Desk) -> None:
    transaction = desk.signed(pay(), blockhash=Hash.new_unique())
    assert await desk.chain.send(bytes(transaction)) == transaction.signatures[0]
    assert await desk.chain.get_signature_statuses([transaction.signatures[0]]) == [None]
    assert desk.balance() == 0


async def test_a_wrong_signature_is_dropped_and_costs_nothing(desk: Desk) -> None:
    before = desk.balance(PAYER.pubkey())
    forged = VersionedTransaction.populate(desk.signed(pay()).message, [Signature.from_bytes(bytes([9] * 64))])
    assert desk.ledger.submit(forged).error == "SignatureFailure"
    assert (desk.balance(), desk.balance(PAYER.pubkey())) == (0, before)


@pytest.mark.parametrize(("lamports", "error"), [(0, "AccountNotFound"), (4_999, "InsufficientFundsForFee")])
async def test_a_payer_without_the_fee_is_refused_before_execution(desk: Desk, lamports: int, error: str) -> None:
    poor = Keypair.from_seed(bytes([3] * 32))
    if lamports:
        desk.ledger.set_account(poor.pubkey(), Account(Pubkey.default(), lamports, b""))
    instruction = transfer(TransferParams(from_pubkey=poor.pubkey(), to_pubkey=RECEIVER, lamports=1))
    blockhash = desk.ledger.latest_blockhash().blockhash
    message = MessageV0.try_compile(poor.pubkey(), [instruction], [], blockhash)
    outcome = desk.ledger.submit(VersionedTransaction(message, [poor]))
    assert (outcome.error, outcome.landed) == (error, False)
    assert desk.balance(poor.pubkey()) == lamports


async def test_a_call_to_no_program_lands_and_costs_the_fee(desk: Desk) -> None:
    before = desk.balance(PAYER.pubkey())
    signature = await desk.chain.send(bytes(desk.signed(Instruction(Pubkey.new_unique(), b"", []))))
    assert await desk.error_of(signature) == "ProgramAccountNotFound"
    assert desk.balance(PAYER.pubkey()) == before - 5_000


async def test_more_loaded_data_than_asked_for_lands_and_costs_the_fee(desk: Desk) -> None:
    before = desk.balance(PAYER.pubkey())
    transaction = desk.signed(set_loaded_accounts_data_size_limit(100), pay())
    signature = await desk.chain.send(bytes(transaction))
    assert await desk.error_of(signature) == "MaxLoadedAccountsDataSizeExceeded"
    assert (desk.balance(), desk.balance(PAYER.pubkey())) == (0, before - 5_000)


async def test_a_legacy_transaction_lands(desk: Desk) -> None:
    message = Message.new_with_blockhash([pay()], PAYER.pubkey(), desk.ledger.latest_blockhash().blockhash)
    signature = await desk.chain.send(bytes(VersionedTransaction(message, [PAYER])))
    assert await desk.error_of(signature) is None
    assert desk.balance() == SOL


async def test_a_version_1_transaction_lands_within_its_limits(desk: Desk) -> None:
    signature = await desk.chain.send(bytes(desk.signed_1(ROOMY, pay())))
    assert await desk.error_of(signature) is None
    assert desk.balance() == SOL


@pytest.mark.parametrize(
    ("config", "error"),
    [
        (None, "MaxLoadedAccountsDataSizeExceeded"),
        (TransactionConfig(compute_unit_limit=10_000), "MaxLoadedAccountsDataSizeExceeded"),
        (
            TransactionConfig(loaded_accounts_data_size_limit=100_000),
            {"InstructionError": [0, "ComputationalBudgetExceeded"]},
        ),
    ],
)
async def test_version_1_limits_that_are_not_set_are_nothing(
    desk: Desk, config: TransactionConfig | None, error: object
) -> None:
    signature = await desk.chain.send(bytes(desk.signed_1(config, pay())))
    assert await desk.error_of(signature) == error
    assert desk.balance() == 0


async def test_a_version_1_priority_fee_is_paid_in_lamports(desk: Desk) -> None:
    before = desk.balance(PAYER.pubkey())
    config = TransactionConfig(priority_fee=77, compute_unit_limit=10_000, loaded_accounts_data_size_limit=100_000)
    signature = await desk.chain.send(bytes(desk.signed_1(config, pay())))
    transaction = await desk.chain.get_transaction(signature)
    assert transaction is not None
    assert transaction.fee == 5_077
    assert desk.balance(PAYER.pubkey()) == before - SOL - 5_077


async def test_a_version_0_priority_fee_is_price_times_limit(desk: Desk) -> None:
    before = desk.balance(PAYER.pubkey())
    transaction = desk.signed(set_compute_unit_limit(1_001), set_compute_unit_price(1_000), pay())
    await desk.chain.send(bytes(transaction))
    assert desk.balance(PAYER.pubkey()) == before - SOL - 5_000 - 2  # 1.001 lamports, rounded up


async def test_a_compute_limit_stops_a_program(desk: Desk) -> None:
    call = Instruction(TOKEN_2022_PROGRAM, b"\x15", [])
    signature = await desk.chain.send(bytes(desk.signed(set_compute_unit_limit(200), call)))
    assert await desk.error_of(signature) == {"InstructionError": [1, "ProgramFailedToComplete"]}


async def test_a_simulation_reports_and_moves_nothing(desk: Desk) -> None:
    before = desk.balance(PAYER.pubkey())
    config = TransactionConfig(priority_fee=77, compute_unit_limit=10_000, loaded_accounts_data_size_limit=100_000)
    unsigned = VersionedTransaction.populate(desk.signed_1(config, pay()).message, [Signature.default()])
    result = await desk.chain.simulate(bytes(unsigned))
    assert (result.error, result.units) == (None, 150)
    assert result.loaded_data == 64 + 64 + len(b"system_program")
    assert result.logs[-1] == "Program 11111111111111111111111111111111 success"
    assert (desk.balance(), desk.balance(PAYER.pubkey())) == (0, before)


async def test_a_failed_simulation_moves_nothing(desk: Desk) -> None:
    before = desk.balance(PAYER.pubkey())
    result = await desk.chain.simulate(bytes(desk.signed(pay(100 * SOL))))
    assert result.error == {"InstructionError": [0, {"Custom": 1}]}
    assert desk.balance(PAYER.pubkey()) == before


async def test_bytes_that_are_no_transaction_are_refused(desk: Desk) -> None:
    with pytest.raises(RpcError) as refused:
        await desk.chain.send(b"\x01\x02\x03")
    assert refused.value.code == -32602


async def test_program_accounts_pass_every_filter(desk: Desk) -> None:
    program, other = Pubkey.new_unique(), Pubkey.new_unique()
    wanted, short, foreign = Pubkey.new_unique(), Pubkey.new_unique(), Pubkey.new_unique()
    desk.ledger.set_account(wanted, Account(program, SOL, b"abcdef"))
    desk.ledger.set_account(short, Account(program, SOL, b"abc"))
    desk.ledger.set_account(foreign, Account(other, SOL, b"abcdef"))
    found = await desk.chain.get_program_accounts(program)
    assert set(found.accounts) == {wanted, short}
    found = await desk.chain.get_program_accounts(program, [6])
    assert set(found.accounts) == {wanted}
    found = await desk.chain.get_program_accounts(program, [MemcmpFilter(1, b"bcd")], data_slice=(2, 3))
    assert {key: account.data for key, account in found.accounts.items()} == {wanted: b"cde"}
    found = await desk.chain.get_program_accounts(program, [MemcmpFilter(0, b"abc"), 3])
    assert set(found.accounts) == {short}
    with pytest.raises(RpcError) as early:
        await desk.chain.get_program_accounts(program, min_context_slot=found.slot + 1)
    assert early.value.code == -32016


async def test_an_emptied_account_is_gone(desk: Desk) -> None:
    desk.ledger.set_account(RECEIVER, Account(Pubkey.default(), SOL, b""))
    desk.ledger.set_account(RECEIVER, Account(Pubkey.default(), 0, b""))
    assert await desk.chain.get_account(RECEIVER) is None
    assert RECEIVER not in (await desk.chain.get_program_accounts(Pubkey.default())).accounts


async def test_accounts_come_in_the_order_asked(desk: Desk) -> None:
    slot, accounts = await desk.chain.get_accounts([RECEIVER, PAYER.pubkey()])
    assert accounts[0] is None
    assert accounts[1] is not None
    assert accounts[1].lamports == 10 * SOL
    assert slot == await desk.chain.get_slot()


async def test_an_address_has_its_history_newest_first(desk: Desk) -> None:
    sent = [await desk.chain.send(bytes(desk.signed(pay(SOL + each)))) for each in range(4)]
    history = await desk.chain.get_signatures_for_address(RECEIVER)
    assert [each.signature for each in history] == sent[::-1]
    part = await desk.chain.get_signatures_for_address(RECEIVER, before=sent[3], until=sent[0])
    assert [each.signature for each in part] == [sent[2], sent[1]]
    one = await desk.chain.get_signatures_for_address(RECEIVER, limit=1)
    assert [each.signature for each in one] == [sent[3]]


async def test_inner_instructions_name_programs_and_accounts(desk: Desk) -> None:
    mint = Keypair.from_seed(bytes([5] * 32))
    seeds = [bytes(RECEIVER), bytes(TOKEN_2022_PROGRAM), bytes(mint.pubkey())]
    associated = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
    address, _ = Pubkey.find_program_address(seeds, associated)
    space = 82
    create = create_account(
        CreateAccountParams(
            from_pubkey=PAYER.pubkey(),
            to_pubkey=mint.pubkey(),
            lamports=desk.ledger.minimum_balance(space),
            space=space,
            owner=TOKEN_2022_PROGRAM,
        )
    )
    data = bytes([20, 6]) + bytes(PAYER.pubkey()) + b"\0"
    initialize = Instruction(TOKEN_2022_PROGRAM, data, [AccountMeta(mint.pubkey(), False, True)])
    open_account = Instruction(
        associated,
        b"\1",
        [
            AccountMeta(PAYER.pubkey(), True, True),
            AccountMeta(address, False, True),
            AccountMeta(RECEIVER, False, False),
            AccountMeta(mint.pubkey(), False, False),
            AccountMeta(Pubkey.default(), False, False),
            AccountMeta(TOKEN_2022_PROGRAM, False, False),
        ],
    )
    blockhash = desk.ledger.latest_blockhash().blockhash
    message = MessageV0.try_compile(PAYER.pubkey(), [create, initialize, open_account], [], blockhash)
    signature = await desk.chain.send(bytes(VersionedTransaction(message, [PAYER, mint])))
    transaction = await desk.chain.get_transaction(signature)
    assert transaction is not None
    assert transaction.error is None
    assert [each.parent for each in transaction.inner] == [2] * 4
    assert transaction.inner[1].program == Pubkey.default()
    assert transaction.inner[1].accounts == (PAYER.pubkey(), address)
    assert transaction.inner[3].accounts == (address, mint.pubkey())


async def test_the_time_of_a_slot_that_was_told_stays() -> None:
    clock = ManualClock(START)
    ledger = Ledger(clock)
    told: dict[int, int | None] = {}
    for _ in range(200):
        clock.advance(0.37)
        told.setdefault(ledger.slot, ledger.block_time(ledger.slot))
        if ledger.slot % 50 == 0:
            ledger.warp(3)
    assert {slot: ledger.block_time(slot) for slot in told} == told
    times = [ledger.block_time(slot) or 0 for slot in range(ledger.slot + 1)]
    assert times == sorted(times)


async def test_a_warp_moves_the_clock_the_slots_and_what_programs_read(desk: Desk) -> None:
    slot = desk.ledger.slot
    assert desk.ledger.warp(86_400) == (slot + 216_000, START + 86_400)
    clock = desk.ledger.account(Pubkey.from_string("SysvarC1ock11111111111111111111111111111111"))
    assert clock is not None
    assert int.from_bytes(clock.data[:8], "little") == slot + 216_000
    assert int.from_bytes(clock.data[32:40], "little") == START + 86_400
    assert await desk.chain.get_block_time(slot) == START
    assert await desk.chain.get_block_time(slot + 216_000) == START + 86_400
    assert await desk.chain.get_block_time(slot + 216_001) is None


async def test_a_warp_does_not_go_back(desk: Desk) -> None:
    slot = desk.ledger.slot
    with pytest.raises(InputError):
        desk.ledger.warp(0)
    assert desk.ledger.slot == slot


async def test_a_warp_expires_what_was_signed_before(desk: Desk) -> None:
    old = desk.signed(pay())
    desk.ledger.warp(3600)
    assert desk.ledger.submit(old).error == "BlockhashNotFound"
    signature = await desk.chain.send(bytes(desk.signed(pay())))
    assert await desk.error_of(signature) is None


async def test_time_follows_the_clock_after_a_warp(desk: Desk) -> None:
    desk.ledger.warp(100)
    desk.clock.advance(50)
    assert desk.ledger.timestamp == START + 150


async def test_a_deployed_program_has_its_upgrade_authority(desk: Desk) -> None:
    _, binary = token_program_binary(desk.ledger)
    program = Pubkey.new_unique()
    desk.ledger.add_program(program, binary, PAYER.pubkey())
    address, stored = programdata(desk.ledger, program)
    assert address == Pubkey.find_program_address([bytes(program)], LOADER)[0]
    assert stored.data[:13] == (3).to_bytes(4, "little") + bytes(8) + b"\1"
    assert stored.data[13:45] == bytes(PAYER.pubkey())
    assert stored.data[45:] == binary
    signature = await desk.chain.send(bytes(desk.signed(Instruction(program, b"\1", []))))
    assert await desk.error_of(signature) == {"InstructionError": [0, "NotEnoughAccountKeys"]}


async def test_a_program_without_an_authority_is_final(desk: Desk) -> None:
    _, binary = token_program_binary(desk.ledger)
    program = Pubkey.new_unique()
    desk.ledger.add_program(program, binary)
    assert programdata(desk.ledger, program)[1].data[12] == 0


async def test_two_clusters_are_told_apart_by_their_genesis(desk: Desk) -> None:
    assert await MemoryChain().get_genesis_hash() != await desk.chain.get_genesis_hash()
    assert await MemoryChain().get_genesis_hash() != await MemoryChain().get_genesis_hash()


async def test_the_faucet_says_when_it_cannot_pay(desk: Desk) -> None:
    with pytest.raises(InputError, match="faucet"):
        await desk.chain.request_airdrop(RECEIVER, 1 << 60)
    assert desk.balance() == 0


def programdata(ledger: Ledger, program: Pubkey) -> tuple[Pubkey, Account]:
    account = ledger.account(program)
    assert account is not None
    address = Pubkey.from_bytes(account.data[4:36])
    stored = ledger.account(address)
    assert stored is not None
    return address, stored


def token_program_binary(ledger: Ledger) -> tuple[Pubkey, bytes]:
    address, stored = programdata(ledger, TOKEN_2022_PROGRAM)
    return address, stored.data[45:]


def table(*addresses: Pubkey) -> bytes:
    """An active lookup table: type 1, not deactivated, extended at slot 0, no authority."""
    header = (1).to_bytes(4, "little") + b"\xff" * 8 + bytes(8 + 1 + 1 + 32 + 2)
    return header + b"".join(bytes(address) for address in addresses)


def looking_up(desk: Desk, address: Pubkey, *, index: int = 0) -> VersionedTransaction:
    """A transfer whose receiver is entry `index` of the lookup table at `address`."""
    lookup = MessageAddressTableLookup(address, bytes([index]), b"")
    call = CompiledInstruction(1, (2).to_bytes(4, "little") + SOL.to_bytes(8, "little"), bytes([0, 2]))
    blockhash = desk.ledger.latest_blockhash().blockhash
    message = MessageV0(MessageHeader(1, 0, 1), [PAYER.pubkey(), Pubkey.default()], blockhash, [call], [lookup])
    return VersionedTransaction(message, [PAYER])


async def test_an_address_is_looked_up_in_a_table(desk: Desk) -> None:
    address = Pubkey.new_unique()
    desk.ledger.set_account(address, Account(LOOKUP_TABLE_PROGRAM, SOL, table(RECEIVER)))
    signature = await desk.chain.send(bytes(looking_up(desk, address)))
    assert await desk.error_of(signature) is None
    assert desk.balance() == SOL
    transaction = await desk.chain.get_transaction(signature)
    assert transaction is not None
    assert transaction.accounts == (PAYER.pubkey(), Pubkey.default(), RECEIVER)
    assert len(await desk.chain.get_signatures_for_address(RECEIVER)) == 1


@pytest.mark.parametrize(
    ("account", "index", "error"),
    [
        (None, 0, "AddressLookupTableNotFound"),
        (Account(Pubkey.default(), SOL, table(RECEIVER)), 0, "InvalidAddressLookupTableOwner"),
        (Account(LOOKUP_TABLE_PROGRAM, SOL, table(RECEIVER)), 1, "InvalidAddressLookupTableIndex"),
        (Account(LOOKUP_TABLE_PROGRAM, SOL, b""), 0, "InvalidAddressLookupTableData"),
    ],
)
async def test_a_table_that_cannot_be_read_is_named(
    desk: Desk, account: Account | None, index: int, error: str
) -> None:
    address = Pubkey.new_unique()
    if account is not None:
        desk.ledger.set_account(address, account)
    assert desk.ledger.submit(looking_up(desk, address, index=index)).error == error
    assert desk.balance() == 0


async def test_an_instruction_to_the_fee_payer_is_not_sane(desk: Desk) -> None:
    blockhash = desk.ledger.latest_blockhash().blockhash
    call = CompiledInstruction(0, b"", b"")
    message = MessageV0(MessageHeader(1, 0, 0), [PAYER.pubkey()], blockhash, [call], [])
    assert desk.ledger.submit(VersionedTransaction(message, [PAYER])).error == "SanitizeFailure"
