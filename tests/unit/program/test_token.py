"""Token-2022 accounts and mints, from bytes that the real token program wrote into LiteSVM, and from broken ones."""

from __future__ import annotations

import struct

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import Message
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account
from solders.transaction import Transaction
from solders.transaction_metadata import TransactionMetadata
from tallystick.errors import AmountError, LedgerError
from tallystick.program import token
from tallystick.program.token_extensions import ExtensionType, Pausable, ScaledUiAmount

PROGRAM = token.TOKEN_2022_PROGRAM
TWO_AND_A_HALF = struct.unpack("<Q", struct.pack("<d", 2.5))[0]
ONE = struct.unpack("<Q", struct.pack("<d", 1.0))[0]


class Bench:
    """LiteSVM with one mint that has the extensions a security has, and two wallets."""

    def __init__(self) -> None:
        self.svm = LiteSVM()
        self.payer, self.wallet, self.mint = Keypair(), Keypair(), Keypair()
        self.svm.airdrop(self.payer.pubkey(), 10**10)
        self.svm.airdrop(self.wallet.pubkey(), 10**10)
        self.authority = self.payer.pubkey()
        key, mint = bytes(self.authority), self.mint.pubkey()
        initialisations = [
            b"\x2b\x00" + key + struct.pack("<d", 1.0),
            b"\x2c\x00" + key,
            b"\x23" + key,
            b"\x1c\x00\x02",
            b"\x2e\x00" + key,
            b"\x27\x00" + key + bytes(mint),
        ]
        # 166 bytes, then per extension 4 of type and length: 56, 33, 32, 1, 32, 64.
        size = 166 + 6 * 4 + 56 + 33 + 32 + 1 + 32 + 64
        create = create_account(
            CreateAccountParams(from_pubkey=self.authority, to_pubkey=mint, lamports=10**8, space=size, owner=PROGRAM)
        )
        on_mint = [AccountMeta(mint, is_signer=False, is_writable=True)]
        self.run(
            create,
            *(Instruction(PROGRAM, data, on_mint) for data in initialisations),
            Instruction(PROGRAM, b"\x14\x06" + key + b"\x01" + key, on_mint),
            signers=[self.mint],
        )

    def run(self, *instructions: Instruction, signers: list[Keypair] | None = None) -> None:
        message = Message.new_with_blockhash(list(instructions), self.payer.pubkey(), self.svm.latest_blockhash())
        keys = [self.payer, *(signers or [])]
        result = self.svm.send_transaction(Transaction(keys, message, self.svm.latest_blockhash()))
        assert isinstance(result, TransactionMetadata), result
        self.svm.expire_blockhash()

    def data(self, address: Pubkey) -> bytes:
        account = self.svm.get_account(address)
        assert account is not None
        return bytes(account.data)

    def open_account(self, wallet: Pubkey) -> Pubkey:
        mint = self.mint.pubkey()
        self.run(token.create_associated_token_account_idempotent(payer=self.authority, wallet=wallet, mint=mint))
        return token.associated_token_address(wallet, mint)

    def by_authority(self, data: bytes, *writable: Pubkey) -> Instruction:
        metas = [AccountMeta(key, is_signer=False, is_writable=True) for key in writable]
        return Instruction(PROGRAM, data, [*metas, AccountMeta(self.authority, is_signer=True, is_writable=False)])

    def thaw(self, account: Pubkey) -> None:
        self.run(self.by_authority(b"\x0b", account, self.mint.pubkey()))


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


def test_a_mint_says_what_its_extensions_say(bench: Bench) -> None:
    mint = token.decode_mint(bench.data(bench.mint.pubkey()))
    authority = bench.authority
    assert (mint.mint_authority, mint.freeze_authority, mint.supply, mint.decimals) == (authority, authority, 0, 6)
    found = mint.extensions
    assert found.scaled_ui_amount == ScaledUiAmount(authority, ONE, 0, ONE)
    assert found.pausable == Pausable(authority, paused=False)
    assert found.permanent_delegate == authority
    assert found.default_account_state == token.TokenAccountState.FROZEN
    assert found.permissioned_burn == authority
    assert found.metadata_pointer == bench.mint.pubkey()
    assert found.metadata is None
    assert ExtensionType.MINT_CLOSE_AUTHORITY not in found.types


def test_a_paused_mint_with_a_pending_multiplier_says_so() -> None:
    bench = Bench()
    mint = bench.mint.pubkey()
    bench.run(bench.by_authority(b"\x2c\x01", mint))
    bench.run(bench.by_authority(b"\x2b\x01" + struct.pack("<dq", 2.5, 2_000_000_000), mint))
    found = token.decode_mint(bench.data(mint)).extensions
    assert found.pausable == Pausable(bench.authority, paused=True)
    scaled = found.scaled_ui_amount
    assert scaled == ScaledUiAmount(bench.authority, ONE, 2_000_000_000, TWO_AND_A_HALF)
    assert scaled is not None
    assert scaled.current_bits(1_999_999_999) == ONE
    assert scaled.current_bits(2_000_000_000) == TWO_AND_A_HALF


def test_metadata_of_a_mint_is_read() -> None:
    bench = Bench()
    mint = bench.mint.pubkey()
    text = b"".join(struct.pack("<I", len(part)) + part for part in (b"Example Inc.", b"EX", b"https://example.com"))
    initialise = Instruction(
        PROGRAM,
        bytes([210, 225, 30, 162, 88, 184, 77, 141]) + text,
        [
            AccountMeta(mint, is_signer=False, is_writable=True),
            AccountMeta(bench.authority, is_signer=False, is_writable=False),
            AccountMeta(mint, is_signer=False, is_writable=False),
            AccountMeta(bench.authority, is_signer=True, is_writable=False),
        ],
    )
    field = bytes([221, 233, 49, 45, 181, 202, 220, 200]) + b"\x03"
    field += b"".join(struct.pack("<I", len(part)) + part for part in (b"isin", b"US0378331005"))
    bench.run(initialise, bench.by_authority(field, mint))
    metadata = token.decode_mint(bench.data(mint)).extensions.metadata
    assert metadata is not None
    assert (metadata.update_authority, metadata.mint) == (bench.authority, mint)
    assert (metadata.name, metadata.symbol, metadata.uri) == ("Example Inc.", "EX", "https://example.com")
    assert metadata.additional == (("isin", "US0378331005"),)


def test_an_associated_account_is_made_once_and_starts_frozen(bench: Bench) -> None:
    address = bench.open_account(bench.wallet.pubkey())
    assert bench.open_account(bench.wallet.pubkey()) == address
    account = token.decode_token_account(bench.data(address))
    assert (account.mint, account.owner, account.amount) == (bench.mint.pubkey(), bench.wallet.pubkey(), 0)
    assert account.frozen
    assert account.delegate is None
    assert account.close_authority is None
    assert account.native_reserve is None
    assert set(account.extensions) == {ExtensionType.IMMUTABLE_OWNER, ExtensionType.PAUSABLE_ACCOUNT}
    assert len(bench.data(address)) > token.ACCOUNT_SIZE


def test_a_transfer_moves_raw_units() -> None:
    bench = Bench()
    source, destination = (bench.open_account(key) for key in (bench.wallet.pubkey(), bench.payer.pubkey()))
    for account in (source, destination):
        bench.thaw(account)
    bench.run(bench.by_authority(b"\x07" + (1_000).to_bytes(8, "little"), bench.mint.pubkey(), source))
    transfer = token.transfer_checked(
        source=source, mint=bench.mint.pubkey(), destination=destination, authority=bench.wallet.pubkey(),
        amount=400, decimals=6,
    )  # fmt: skip
    bench.run(transfer, signers=[bench.wallet])
    assert token.decode_token_account(bench.data(source)).amount == 600
    assert token.decode_token_account(bench.data(destination)).amount == 400
    assert token.decode_mint(bench.data(bench.mint.pubkey())).supply == 1_000


def test_an_amount_that_does_not_fit_is_refused(bench: Bench) -> None:
    key = bench.authority
    with pytest.raises(AmountError, match=r"transfer_checked\.amount"):
        token.transfer_checked(source=key, mint=key, destination=key, authority=key, amount=2**64, decimals=6)


def test_a_token_account_of_165_bytes_is_read_too(bench: Bench) -> None:
    data = bytes(bench.mint.pubkey()) + bytes(bench.authority) + (7).to_bytes(8, "little")
    data += b"\x01\x00\x00\x00" + bytes(bench.wallet.pubkey()) + b"\x01" + bytes(12) + (5).to_bytes(8, "little")
    account = token.decode_token_account(data + bytes(36))
    assert (account.amount, account.delegate, account.delegated_amount) == (7, bench.wallet.pubkey(), 5)
    assert account.extensions == ()


def test_a_mint_is_no_token_account_and_the_other_way_round(bench: Bench) -> None:
    account = bench.data(bench.open_account(bench.wallet.pubkey()))
    with pytest.raises(LedgerError, match=r"^mint: "):
        token.decode_mint(account)
    with pytest.raises(LedgerError, match=r"^token account: "):
        token.decode_token_account(bench.data(bench.mint.pubkey()))


@pytest.mark.parametrize("size", [0, 81, 120, 165, 200])
def test_a_mint_cut_short_is_refused(bench: Bench, size: int) -> None:
    data = bench.data(bench.mint.pubkey())[:size]
    with pytest.raises(LedgerError, match="truncated"):
        token.decode_mint(data)


def test_an_uninitialized_mint_is_refused() -> None:
    with pytest.raises(LedgerError, match="an initialized mint expected"):
        token.decode_mint(bytes(82))


def test_an_extension_that_appears_twice_is_refused(bench: Bench) -> None:
    data = bench.data(bench.mint.pubkey())
    with pytest.raises(LedgerError, match="extension 25 once expected"):
        token.decode_mint(data + data[166:])


def test_an_extension_longer_than_it_should_be_is_refused() -> None:
    data = bytes(45) + b"\x01" + bytes(36 + 83) + b"\x01" + struct.pack("<HH", 26, 34) + bytes(34)
    with pytest.raises(LedgerError, match="extension 26: 1 bytes left over"):
        token.decode_mint(data)


def test_bytes_behind_the_last_extension_must_be_zero(bench: Bench) -> None:
    data = bench.data(bench.mint.pubkey())
    assert token.decode_mint(data + bytes(7)) == token.decode_mint(data)
    with pytest.raises(LedgerError, match="zeros after the last extension expected"):
        token.decode_mint(data + b"\0\0\1")
