"""Who signs: a Protocol that solana-keychain's `TransactionSigner` fits, and a keypair in this process."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from solders.keypair import Keypair
from solders.message import to_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from tallystick.errors import ConfigurationError, InputError


class SignedByOne(Protocol):
    """What a signer hands back: `transaction` carries its signature and all that were there before."""

    @property
    def transaction(self) -> VersionedTransaction: ...


class TransactionSigner(Protocol):
    """Signs a transaction exactly as given: the part of solana-keychain 2.0's `TransactionSigner` that is used here.

    Its `ModifyingSigner` and `SendingSigner` do not fit on purpose: bytes that a provider rewrites or sends by itself
    cannot be stored before the first broadcast.
    """

    @property
    def pubkey(self) -> Pubkey: ...

    async def sign_transaction(self, transaction: VersionedTransaction) -> SignedByOne: ...


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A transaction with one more signature in it."""

    transaction: VersionedTransaction


@dataclass(frozen=True, slots=True)
class KeypairSigner:
    """A keypair held in this process. Its secret never appears in `repr`, `str` or an error."""

    keypair: Keypair = field(repr=False)
    pubkey: Pubkey = field(init=False)
    """Kept, since computing it takes as long as signing."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "pubkey", self.keypair.pubkey())

    @classmethod
    def from_file(cls, path: Path) -> KeypairSigner:
        """Read a Solana CLI keypair file (a JSON array of 64 byte values).

        Raises ConfigurationError when it is missing, readable or writable by group or others, or not such a file.
        """
        try:
            with path.open("rb") as file:
                mode = stat.S_IMODE(_mode_of(file.fileno()))
                if mode & 0o077:
                    raise ConfigurationError(
                        f"Key file {path} is open to other accounts of this machine (mode {mode:04o}).",
                        hint=f"Close it with: chmod 600 {path} — and rotate the key if others may have read it.",
                    )
                content = file.read(4096)
        except OSError as error:
            raise ConfigurationError(
                f"Key file {path} cannot be read: {error.strerror or type(error).__name__}.",
                hint="Check the path in the profile, or create a key with: solana-keygen new -o <path>",
            ) from error
        return cls(_keypair_from_json(content, path))

    def __repr__(self) -> str:
        return f"KeypairSigner({self.pubkey})"

    async def sign_transaction(self, transaction: VersionedTransaction) -> SignedTransaction:
        """Put this key's signature in its place. Raises InputError when the transaction does not ask for it."""
        message = transaction.message
        required = message.account_keys[: message.header.num_required_signatures]
        if self.pubkey not in required:
            raise InputError(
                f"{self.pubkey} is not a signer of this transaction; it asks for {', '.join(map(str, required))}."
            )
        signatures = list(transaction.signatures)
        signatures[required.index(self.pubkey)] = self.keypair.sign_message(to_bytes_versioned(message))
        return SignedTransaction(VersionedTransaction.populate(message, signatures))

    async def sign_message(self, message: bytes) -> Signature:
        """An ed25519 signature over exactly these bytes."""
        return self.keypair.sign_message(message)


@dataclass(frozen=True, slots=True)
class AddressOnly:
    """The place of a signer whose key is not at hand: enough to make a plan and to simulate it."""

    pubkey: Pubkey

    async def sign_transaction(self, transaction: VersionedTransaction) -> SignedTransaction:
        """Never: raises ConfigurationError."""
        raise ConfigurationError(f"The key of {self.pubkey} is not here; nothing was signed.")


def _mode_of(descriptor: int) -> int:
    # The open file is asked, not the path: the path may be swapped between the check and the read.
    return os.fstat(descriptor).st_mode


def _keypair_from_json(content: bytes, path: Path) -> Keypair:
    hint = "Expected a Solana CLI keypair file: a JSON array of 64 numbers from 0 to 255."
    try:
        values = json.loads(content)
        if not isinstance(values, list) or len(values) != 64 or not all(type(value) is int for value in values):
            raise ConfigurationError(f"Key file {path} does not hold a keypair.", hint=hint)
        return Keypair.from_bytes(bytes(values))
    except ValueError:
        # No cause is attached: a decoder's message may quote the secret.
        raise ConfigurationError(f"Key file {path} does not hold a keypair.", hint=hint) from None


__all__ = ["AddressOnly", "KeypairSigner", "SignedByOne", "SignedTransaction", "TransactionSigner"]
