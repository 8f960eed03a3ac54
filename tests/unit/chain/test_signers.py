"""Key files, signatures, and keeping a secret."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import to_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction
from tallystick.adapters.chain.signers import KeypairSigner, SignedTransaction, TransactionSigner
from tallystick.adapters.chain.transactions import Version, build_transaction, sign_transaction
from tallystick.errors import ChainError, ConfigurationError, InputError

PAYER = Keypair.from_seed(bytes([1] * 32))
OTHER = Keypair.from_seed(bytes([2] * 32))


def key_file(path: Path, content: str, mode: int = 0o600) -> Path:
    file = path / "id.json"
    file.write_text(content)
    file.chmod(mode)
    return file


def unsigned(version: Version = 0, lamports: int = 1) -> VersionedTransaction:
    """A transaction that PAYER pays for and OTHER must sign too."""
    return build_transaction(
        [transfer(TransferParams(from_pubkey=OTHER.pubkey(), to_pubkey=PAYER.pubkey(), lamports=lamports))],
        PAYER.pubkey(),
        Hash.default(),
        version=version,
        compute_unit_limit=1_000,
        loaded_accounts_data_size_limit=32_768,
    )


@dataclass
class KeychainSigned:
    """The shape of what solana-keychain 2.0 returns."""

    encoded_transaction: str
    signature: Signature
    is_complete: bool
    transaction: VersionedTransaction


@dataclass
class KeychainSigner:
    """The shape of solana-keychain 2.0's TransactionSigner: signs the given object in place, async."""

    keypair: Keypair = field(repr=False)

    @property
    def pubkey(self) -> Pubkey:
        return self.keypair.pubkey()

    async def sign_transaction(self, transaction: VersionedTransaction) -> KeychainSigned:
        required = transaction.message.header.num_required_signatures
        place = transaction.message.account_keys[:required].index(self.pubkey)
        signatures = list(transaction.signatures)
        signatures[place] = self.keypair.sign_message(to_bytes_versioned(transaction.message))
        transaction.signatures = signatures
        return KeychainSigned("", signatures[place], False, transaction)

    async def sign_message(self, message: bytes) -> Signature:
        return self.keypair.sign_message(message)

    async def is_available(self) -> bool:
        return True


def test_a_key_file_of_the_solana_command_line_is_read(tmp_path: Path) -> None:
    file = key_file(tmp_path, PAYER.to_json())
    assert KeypairSigner.from_file(file).pubkey == PAYER.pubkey()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o644])
def test_a_key_file_open_to_group_or_others_is_refused_with_the_command_that_closes_it(
    tmp_path: Path, mode: int
) -> None:
    file = key_file(tmp_path, PAYER.to_json(), mode)
    with pytest.raises(ConfigurationError, match="open to other accounts") as caught:
        KeypairSigner.from_file(file)
    assert caught.value.hint is not None
    assert f"chmod 600 {file}" in caught.value.hint


SECRET = list(bytes(PAYER))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "not json",
        "{}",
        json.dumps(SECRET[:32]),
        json.dumps([*SECRET, 0]),
        json.dumps([*SECRET[:63], 256]),
        json.dumps([*SECRET[:63], True]),
        json.dumps([*SECRET[:63], (SECRET[63] + 1) % 256]),
        json.dumps(SECRET)[:-2],
    ],
    ids=["empty", "text", "object", "half", "long", "not a byte", "boolean", "other public key", "cut off"],
)
def test_a_key_file_that_holds_no_keypair_is_refused_without_showing_what_it_holds(
    tmp_path: Path, content: str
) -> None:
    with pytest.raises(ConfigurationError, match="does not hold a keypair") as caught:
        KeypairSigner.from_file(key_file(tmp_path, content))
    assert caught.value.__cause__ is None
    assert str(SECRET[5]) + ", " + str(SECRET[6]) not in f"{caught.value} {caught.value.hint}"


def test_a_key_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.json cannot be read"):
        KeypairSigner.from_file(tmp_path / "absent.json")


def test_a_signer_shows_its_address_and_never_its_secret() -> None:
    signer = KeypairSigner(PAYER)
    shown = f"{signer!r} {signer} {[signer]}"
    assert str(PAYER.pubkey()) in shown
    assert str(PAYER) not in shown
    assert PAYER.to_json() not in shown


@pytest.mark.parametrize("version", ["legacy", 0, 1])
async def test_every_version_is_signed_by_a_keypair_and_a_keychain_together(version: Version) -> None:
    signers: list[TransactionSigner] = [KeypairSigner(PAYER), KeychainSigner(OTHER)]
    signed = await sign_transaction(unsigned(version), signers)
    assert signed.verify_with_results() == [True, True]
    assert signed.message == unsigned(version).message


async def test_a_missing_signer_is_named() -> None:
    with pytest.raises(InputError, match=str(OTHER.pubkey())):
        await sign_transaction(unsigned(), [KeypairSigner(PAYER)])


async def test_a_signer_that_is_not_asked_for_is_named() -> None:
    stranger = Keypair.from_seed(bytes([3] * 32))
    with pytest.raises(InputError, match=str(stranger.pubkey())):
        await sign_transaction(unsigned(), [KeypairSigner(PAYER), KeypairSigner(OTHER), KeypairSigner(stranger)])


async def test_a_keypair_asked_to_sign_what_is_not_its_own_refuses() -> None:
    with pytest.raises(InputError, match="not a signer"):
        await KeypairSigner(Keypair.from_seed(bytes([3] * 32))).sign_transaction(unsigned())


@dataclass
class Misbehaving:
    """Signs as OTHER, wrongly."""

    kind: str

    @property
    def pubkey(self) -> Pubkey:
        return OTHER.pubkey()

    async def sign_transaction(self, transaction: VersionedTransaction) -> SignedTransaction:
        if self.kind == "down":
            raise RuntimeError("token=SECRET expired")
        if self.kind == "rewrites":
            return SignedTransaction(unsigned(lamports=999))
        return SignedTransaction(transaction)


@pytest.mark.parametrize(
    ("kind", "message"),
    [("down", "did not sign"), ("rewrites", "another message"), ("does not sign", "does not verify")],
)
async def test_a_signer_that_fails_rewrites_or_does_not_sign_stops_the_transaction(kind: str, message: str) -> None:
    with pytest.raises(ChainError, match=message) as caught:
        await sign_transaction(unsigned(), [KeypairSigner(PAYER), Misbehaving(kind)])
    assert "SECRET" not in f"{caught.value} {caught.value.hint}"
