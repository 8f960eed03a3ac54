"""What an issuer declares for a month's report, with its history: a Protocol, and in memory.

A declaration is never changed; a later one counts in its place. Beside it are the officers' signatures, and the secret
seed from which the salts of the month's statement lines are made: whoever has it opens every line.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final, Protocol

from tallystick.domain.canonical import sha256
from tallystick.errors import InputError, LedgerError

SEED_LENGTH: Final = 32


@dataclass(frozen=True, slots=True)
class StoredDeclaration:
    """What was declared for a period YYYYMM, in canonical JSON. `number` counts the issuer's (32 bytes) declarations of
    the period from 1; `declared_at` is in seconds since 1970 UTC."""

    issuer: bytes
    period: int
    number: int
    content: bytes
    declared_at: int

    @property
    def digest(self) -> bytes:
        """SHA-256 of the content."""
        return sha256(self.content)


@dataclass(frozen=True, slots=True)
class StoredAssertion:
    """An officer's signature (64 bytes, by the 32-byte key) over the assertion of one period: of a text, by its
    SHA-256, and of an as-of close, by its hash. When it was made, in seconds since 1970 UTC."""

    officer: str
    close_hash: bytes
    text_hash: bytes
    key: bytes
    signature: bytes
    asserted_at: int


class DeclarationStore(Protocol):
    """Where declarations are kept. Writes are durable when the call returns; all methods raise StoreError."""

    async def declare(self, issuer: bytes, period: int, content: bytes, at: int) -> StoredDeclaration:
        """Keep what is declared from now on. What the newest one says already changes nothing."""
        ...

    async def newest(self, issuer: bytes, period: int) -> StoredDeclaration | None:
        """The declaration that counts. LedgerError when its bytes were changed."""
        ...

    async def history(self, issuer: bytes, period: int) -> tuple[StoredDeclaration, ...]:
        """Every declaration of a period, oldest first."""
        ...

    async def assert_by(self, issuer: bytes, period: int, assertion: StoredAssertion) -> StoredAssertion:
        """Keep an officer's signature, in the place of an earlier one of the same officer."""
        ...

    async def assertions(self, issuer: bytes, period: int) -> tuple[StoredAssertion, ...]:
        """The signatures of a period, by officer."""
        ...

    async def seed(self, issuer: bytes, period: int) -> bytes:
        """The period's seed, 32 bytes: drawn at random when it is first asked for, the same ever after."""
        ...


def require_assertion(assertion: StoredAssertion) -> StoredAssertion:
    """InputError unless the assertion has a name, hashes and a key of 32 bytes, and a signature of 64."""
    lengths = [len(each) for each in (assertion.close_hash, assertion.text_hash, assertion.key, assertion.signature)]
    if not assertion.officer or lengths != [32, 32, 32, 64]:
        raise InputError("An assertion has an officer's name, two hashes, a key and a signature.")
    return assertion


def require_declared(declaration: StoredDeclaration, digest: bytes) -> StoredDeclaration:
    """LedgerError unless the bytes that were read have the hash that was kept beside them."""
    if declaration.digest != digest:
        raise LedgerError(
            f"The stored declaration {declaration.number} for period {declaration.period} was changed since.",
            hint="Restore the store from a backup, or declare anew: tally report declare",
        )
    return declaration


def new_seed() -> bytes:
    """32 random bytes."""
    return secrets.token_bytes(SEED_LENGTH)


class MemoryDeclarationStore:
    """Declarations kept as long as this process lives."""

    def __init__(self) -> None:
        self._declared: dict[tuple[bytes, int], list[StoredDeclaration]] = {}
        self._asserted: dict[tuple[bytes, int], dict[str, StoredAssertion]] = {}
        self._seeds: dict[tuple[bytes, int], bytes] = {}

    async def declare(self, issuer: bytes, period: int, content: bytes, at: int) -> StoredDeclaration:
        kept = self._declared.setdefault((issuer, period), [])
        if not kept or kept[-1].content != content:
            kept.append(StoredDeclaration(issuer, period, len(kept) + 1, content, at))
        return kept[-1]

    async def newest(self, issuer: bytes, period: int) -> StoredDeclaration | None:
        kept = self._declared.get((issuer, period), [])
        return kept[-1] if kept else None

    async def history(self, issuer: bytes, period: int) -> tuple[StoredDeclaration, ...]:
        return tuple(self._declared.get((issuer, period), []))

    async def assert_by(self, issuer: bytes, period: int, assertion: StoredAssertion) -> StoredAssertion:
        self._asserted.setdefault((issuer, period), {})[assertion.officer] = require_assertion(assertion)
        return assertion

    async def assertions(self, issuer: bytes, period: int) -> tuple[StoredAssertion, ...]:
        return tuple(sorted(self._asserted.get((issuer, period), {}).values(), key=lambda each: each.officer))

    async def seed(self, issuer: bytes, period: int) -> bytes:
        return self._seeds.setdefault((issuer, period), new_seed())


__all__ = ["DeclarationStore", "MemoryDeclarationStore", "StoredAssertion", "StoredDeclaration"]
