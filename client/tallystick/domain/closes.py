"""The daily close: a day's supply, register root and statements per security at one finalized slot, hash-chained.

Content is canonical JSON; the hash of a close covers the hash of the close before it, so that no day can be changed,
removed or inserted later without every following hash changing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from tallystick.domain.canonical import CanonicalValue, canonical_json, sha256
from tallystick.errors import LedgerError

CLOSE_TAG: Final = b"tallystick:daily-close"
CLOSE_VERSION: Final = 2
"""Of what is written now; version 1 had no registers at record dates."""
_VERSIONS: Final = range(1, CLOSE_VERSION + 1)
NO_PREVIOUS: Final = bytes(32)
"""What the first close of an issuer names as the one before it."""


@dataclass(frozen=True, slots=True)
class StatementReference:
    """A statement that a close rests on. Hashes have 32 bytes; the quantity is free shares in base units."""

    account_hash: bytes
    statement_hash: bytes
    source_hashes: tuple[bytes, ...]
    as_of: int
    quantity: int


@dataclass(frozen=True, slots=True)
class RegisterReference:
    """The register at a record date that a close takes up: hash of its event, its slot, its own hash (32 bytes)."""

    event_hash: bytes
    slot: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class SecurityClose:
    """One security at the close's slot.

    Raw units: supply, inventory (held by the issuer), escrow (in open redemptions), minted and burnt in all.
    Shares in base units: required (share equivalent of the supply, rounded up), reserve (attested, in force; 0 without
    one), redeemed (in all). `multiplier` has 18 places, `multiplier_bits` are the 64 bits of the double that the mint
    has in force for it. `attestation` is the content hash in force, 32 zero bytes without one. `breaks` are ids of the
    breaks open at the close. `registers` are those taken at record dates that no close before this one took up.
    """

    isin: str
    mint: bytes
    decimals: int
    supply: int
    multiplier: int
    required: int
    reserve: int
    reserve_as_of: int
    redeemed: int
    minted: int
    burnt: int
    inventory: int
    escrow: int
    register_root: bytes
    holders: int
    attestation: bytes
    statements: tuple[StatementReference, ...] = ()
    breaks: tuple[bytes, ...] = ()
    multiplier_bits: int = 0
    registers: tuple[RegisterReference, ...] = ()


@dataclass(frozen=True, slots=True)
class DailyClose:
    """One issuer's close of one day (`day` as YYYY-MM-DD) at one finalized slot; block time in seconds since 1970 UTC.

    `previous` is the hash of the close before, NO_PREVIOUS for the first. `cluster` is the genesis hash in base 58,
    `program_hash` the SHA-256 of the program that ran. `version` is that of its content.
    """

    issuer: bytes
    cluster: str
    program_hash: bytes
    day: str
    slot: int
    block_time: int
    previous: bytes
    securities: tuple[SecurityClose, ...]
    version: int = CLOSE_VERSION

    @property
    def content(self) -> bytes:
        """Canonical JSON, without the link to the close before."""
        return close_content(self)

    @property
    def hash(self) -> bytes:
        """32 bytes; see close_hash."""
        return close_hash(self.previous, self.content)


def close_hash(previous: bytes, content: bytes) -> bytes:
    """SHA-256("tallystick:daily-close" || hash of the close before (32 bytes) || SHA-256(content))."""
    if len(previous) != 32:
        raise LedgerError(f"The hash of the close before has 32 bytes, not {len(previous)}.")
    return sha256(CLOSE_TAG, previous, sha256(content))


def close_content(close: DailyClose) -> bytes:
    """A close as canonical JSON: securities by ISIN and mint, statements by account, breaks by id, registers by slot.

    Bytes are hex; amounts and multipliers are decimal text, since many JSON readers lose integers above 2^53.
    LedgerError for a close of a version that cannot say what it holds.
    """
    if close.version not in _VERSIONS or (close.version == 1 and any(each.registers for each in close.securities)):
        raise LedgerError(f"A daily close of version {close.version} cannot say what this one holds.")
    securities: list[CanonicalValue] = [
        {
            "attestation": security.attestation.hex(),
            "breaks": sorted(each.hex() for each in security.breaks),
            "burnt": str(security.burnt),
            "decimals": security.decimals,
            "escrow": str(security.escrow),
            "holders": security.holders,
            "inventory": str(security.inventory),
            "isin": security.isin,
            "mint": security.mint.hex(),
            "minted": str(security.minted),
            "multiplier": str(security.multiplier),
            "multiplier_bits": str(security.multiplier_bits),
            "redeemed": str(security.redeemed),
            "register_root": security.register_root.hex(),
            "required": str(security.required),
            "reserve": str(security.reserve),
            "reserve_as_of": security.reserve_as_of,
            "statements": [
                {
                    "account": statement.account_hash.hex(),
                    "as_of": statement.as_of,
                    "quantity": str(statement.quantity),
                    "sources": [each.hex() for each in statement.source_hashes],
                    "statement": statement.statement_hash.hex(),
                }
                for statement in sorted(security.statements, key=lambda each: (each.account_hash, each.statement_hash))
            ],
            "supply": str(security.supply),
            **(_registers_document(security) if close.version > 1 else {}),
        }
        for security in sorted(close.securities, key=lambda each: (each.isin, each.mint))
    ]
    return canonical_json(
        {
            "block_time": close.block_time,
            "cluster": close.cluster,
            "day": close.day,
            "issuer": close.issuer.hex(),
            "program": close.program_hash.hex(),
            "securities": securities,
            "slot": close.slot,
            "version": close.version,
        }
    )


def parse_close(content: bytes, previous: bytes) -> DailyClose:
    """The close that `content` is the canonical JSON of; LedgerError when it is not exactly that."""
    try:
        close = _close_from_document(json.loads(content), previous)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise LedgerError(f"This is not the content of a daily close: {error!r}.") from error
    if close.content != content:
        raise LedgerError("This content of a daily close is not in canonical form; it was changed since.")
    return close


def verify_chain(closes: Sequence[DailyClose], *, previous: bytes = NO_PREVIOUS) -> None:
    """LedgerError unless each close names the one before it, of the same issuer, on a later day and slot."""
    before: DailyClose | None = None
    for close in closes:
        if close.previous != previous:
            raise LedgerError(
                f"The close of {close.day} names {close.previous.hex()} as the one before; expected {previous.hex()}.",
                hint="A close is missing, was inserted, or was changed.",
            )
        if before is not None and (
            close.issuer != before.issuer
            or date.fromisoformat(close.day) <= date.fromisoformat(before.day)
            or close.slot <= before.slot
        ):
            raise LedgerError(f"The close of {close.day} does not follow the close of {before.day}.")
        before, previous = close, close.hash


def _close_from_document(document: Any, previous: bytes) -> DailyClose:
    version = _integer(document["version"])
    if version not in _VERSIONS:
        raise LedgerError(f"A daily close of version {version}; this program reads 1 to {CLOSE_VERSION}.")
    date.fromisoformat(document["day"])
    return DailyClose(
        issuer=bytes.fromhex(document["issuer"]),
        cluster=_text(document["cluster"]),
        program_hash=bytes.fromhex(document["program"]),
        day=document["day"],
        slot=_integer(document["slot"]),
        block_time=_integer(document["block_time"]),
        previous=previous,
        securities=tuple(_security_from_document(each, version) for each in document["securities"]),
        version=version,
    )


def _registers_document(security: SecurityClose) -> dict[str, CanonicalValue]:
    return {
        "registers": [
            {"event": each.event_hash.hex(), "register": each.hash.hex(), "slot": each.slot}
            for each in sorted(security.registers, key=lambda each: (each.slot, each.event_hash))
        ]
    }


def _security_from_document(document: Any, version: int) -> SecurityClose:
    return SecurityClose(
        isin=_text(document["isin"]),
        mint=bytes.fromhex(document["mint"]),
        decimals=_integer(document["decimals"]),
        supply=int(_text(document["supply"])),
        multiplier=int(_text(document["multiplier"])),
        required=int(_text(document["required"])),
        reserve=int(_text(document["reserve"])),
        reserve_as_of=_integer(document["reserve_as_of"]),
        redeemed=int(_text(document["redeemed"])),
        minted=int(_text(document["minted"])),
        burnt=int(_text(document["burnt"])),
        inventory=int(_text(document["inventory"])),
        escrow=int(_text(document["escrow"])),
        register_root=bytes.fromhex(document["register_root"]),
        holders=_integer(document["holders"]),
        attestation=bytes.fromhex(document["attestation"]),
        statements=tuple(
            StatementReference(
                account_hash=bytes.fromhex(each["account"]),
                statement_hash=bytes.fromhex(each["statement"]),
                source_hashes=tuple(bytes.fromhex(source) for source in each["sources"]),
                as_of=_integer(each["as_of"]),
                quantity=int(_text(each["quantity"])),
            )
            for each in document["statements"]
        ),
        breaks=tuple(bytes.fromhex(each) for each in document["breaks"]),
        multiplier_bits=int(_text(document["multiplier_bits"])),
        registers=tuple(
            RegisterReference(bytes.fromhex(each["event"]), _integer(each["slot"]), bytes.fromhex(each["register"]))
            for each in (document["registers"] if version > 1 else ())
        ),
    )


def _integer(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"expected an integer, found {value!r}")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, found {value!r}")
    return value
