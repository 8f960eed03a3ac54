"""Identifiers of instruments, custodians, custody accounts and movements, and the hashes that are on chain."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from tallystick.domain.canonical import sha256
from tallystick.errors import IdentifierError, InputError

CUSTODY_ACCOUNT_TAG: Final = b"tallystick:custody-account"
MOVEMENT_TAG: Final = b"tallystick:movement"
EVENT_TAG: Final = b"tallystick:event"
SPELLING_LIMIT: Final = 35
"""ISO 20022 Max35Text and SWIFT 35x: the longest safekeeping account and reference."""

_ISIN: Final = re.compile(r"[A-Z]{2}[A-Z0-9]{9}[0-9]")
_LEI: Final = re.compile(r"[A-Z0-9]{18}[0-9]{2}")
_SWIFT_X_UPPER: Final = re.compile(r"[A-Z0-9/\-?:().,'+ ]+")
_TEXT_LIMIT: Final = 256


def parse_isin(text: str) -> str:
    """The ISIN as written (12 characters, upper case) when its check digit is right (ISO 6166, Luhn over A=10..Z=35).

    IdentifierError otherwise. Whether we know the instrument is another question.
    """
    if _ISIN.fullmatch(text) is None:
        raise IdentifierError(
            f"{_shown(text)} is not an ISIN: expected two letters, nine letters or digits, and a check digit."
        )
    expected = _isin_check_digit(text[:11])
    if text[11] != expected:
        raise IdentifierError(
            f"The ISIN {text} has check digit {text[11]} where {expected} was expected.",
            hint="A digit is wrong or two are swapped; ask the sender.",
        )
    return text


def is_isin(text: str) -> bool:
    """True for an ISIN with the right check digit."""
    return _ISIN.fullmatch(text) is not None and text[11] == _isin_check_digit(text[:11])


def parse_lei(text: str) -> str:
    """The LEI as written (20 characters, upper case) when its check digits are right (ISO 17442, ISO 7064 mod 97-10).

    IdentifierError otherwise.
    """
    if _LEI.fullmatch(text) is None:
        raise IdentifierError(
            f"{_shown(text)} is not an LEI: expected 18 upper-case letters or digits and two check digits."
        )
    if _as_number(text) % 97 != 1:
        expected = 98 - _as_number(text[:18] + "00") % 97
        raise IdentifierError(
            f"The LEI {text} has check digits {text[18:]} where {expected:02d} was expected.",
            hint="A character is wrong or two are swapped; look the custodian up at gleif.org.",
        )
    return text


def canonical_spelling(text: str) -> str:
    """The one spelling of an account or a reference under which it is hashed.

    Unicode NFKC, upper case, every run of white space as one space, trimmed; then 1 to 35 characters of the SWIFT x
    set in upper case (A-Z 0-9 / - ? : ( ) . , ' + and space). IdentifierError otherwise.
    """
    if len(text) > _TEXT_LIMIT:
        raise IdentifierError(f"{len(text)} characters are too many for an account or reference (35 at most).")
    spelling = " ".join(unicodedata.normalize("NFKC", text).upper().split())
    if not 1 <= len(spelling) <= SPELLING_LIMIT:
        raise IdentifierError(
            f"{_shown(text)} has {len(spelling)} characters where 1 to {SPELLING_LIMIT} were expected.",
            hint="Use the account or reference exactly as the custodian's statement has it.",
        )
    if _SWIFT_X_UPPER.fullmatch(spelling) is None:
        raise IdentifierError(
            f"{_shown(text)} has characters outside the SWIFT x set (A-Z 0-9 / - ? : ( ) . , ' + and space).",
            hint="Use the account or reference exactly as the custodian's statement has it.",
        )
    return spelling


def custody_account_hash(custodian_lei: str, account: str) -> bytes:
    """32 bytes for a custody account: SHA-256("tallystick:custody-account" || LEI || canonical account)."""
    lei = parse_lei(custodian_lei).encode("ascii")
    return sha256(CUSTODY_ACCOUNT_TAG, lei, canonical_spelling(account).encode("utf-8"))


def custody_accounts_hash(accounts: Sequence[bytes]) -> bytes:
    """SHA-256 of the hashes of a security's custody accounts, sorted. InputError if two are the same or one is no hash.

    Source: state/attestation.rs, AttestationContent::custody_accounts_hash.
    """
    if any(len(account) != 32 for account in accounts) or len(set(accounts)) != len(accounts):
        raise InputError("distinct custody account hashes of 32 bytes expected")
    return sha256(*sorted(accounts))


def movement_hash(custodian_lei: str, account: str, reference: str) -> bytes:
    """32 bytes for one transfer in the custodian's books, the same however its account and reference are spelled.

    SHA-256("tallystick:movement" || LEI || u8 length || canonical account || u8 length || canonical reference).
    """
    lei = parse_lei(custodian_lei).encode("ascii")
    fields = [canonical_spelling(text).encode("utf-8") for text in (account, reference)]
    return sha256(MOVEMENT_TAG, lei, *(bytes([len(field)]) + field for field in fields))


def event_hash(event_id: str) -> bytes:
    """32 bytes for a custodian's corporate action event (ISO 20022 CorpActnEvtId), the same however it is spelled.

    SHA-256("tallystick:event" || canonical event id).
    """
    return sha256(EVENT_TAG, canonical_spelling(event_id).encode("utf-8"))


def _as_number(text: str) -> int:
    """Letters replaced by 10..35 and read as one decimal number."""
    return int("".join(str(int(character, 36)) for character in text))


def _isin_check_digit(body: str) -> str:
    digits = [int(digit) for character in body for digit in str(int(character, 36))]
    total = 0
    for position, digit in enumerate(reversed(digits)):
        weighted = digit * 2 if position % 2 == 0 else digit
        total += weighted - 9 if weighted > 9 else weighted
    return str(-total % 10)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")
