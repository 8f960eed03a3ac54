"""Errors, addresses and shipped files of the program."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

import golden_values
import pytest
from solders.pubkey import Pubkey
from tallystick.domain.identifiers import custody_accounts_hash
from tallystick.errors import AmountError, IdentifierError, InputError, LedgerError
from tallystick.program import addresses, artifacts
from tallystick.program.errors import program_error
from tallystick.program.generated.constants import PROGRAM_ID
from tallystick.program.generated.errors import ERRORS
from tallystick.program.generated.types import AttestationContent, MetadataParams, RoleKind, StatementLine

KEY = Pubkey.from_bytes(b"\x07" * 32)


def test_every_error_of_the_program_has_its_class_with_code_name_and_text() -> None:
    listed = [(error["code"], error["name"], error["msg"]) for error in golden_values.idl()["errors"]]
    assert [(kind.code, kind.name, kind.text) for kind in ERRORS.values()] == listed
    assert list(ERRORS) == [code for code, _, _ in listed]


def test_a_code_of_the_program_becomes_its_exception_with_logs() -> None:
    code = min(ERRORS)
    error = program_error(code, ["Program log: x"], "signature")
    assert type(error) is ERRORS[code]
    assert error is not None
    assert (error.logs, error.signature) == (("Program log: x",), "signature")


@pytest.mark.parametrize("code", [0, 2006, 5999, 1_000_000])
def test_a_code_the_program_does_not_have_is_none_of_its_errors(code: int) -> None:
    assert program_error(code) is None


def test_an_issuer_id_is_bound_to_the_admin_and_the_nonce() -> None:
    expected = hashlib.sha256(b"tallystick:issuer" + bytes(KEY) + b"\x02\x01" + bytes(6)).digest()
    assert addresses.issuer_id(KEY, 258) == expected
    with pytest.raises(AmountError, match="nonce"):
        addresses.issuer_id(KEY, -1)


def test_an_attestation_hash_covers_the_security_and_every_line() -> None:
    line = StatementLine(account=b"a" * 32, shares=5, statement_hash=b"s" * 32, as_of=9)
    content = AttestationContent(as_of=9, shares=5, redeemed=1, supersedes=Pubkey.default(), lines=(line,))
    borsh = b"\x09" + bytes(7) + b"\x05" + bytes(7) + b"\x01" + bytes(7) + bytes(32) + b"\x01\x00\x00\x00"
    borsh += b"a" * 32 + b"\x05" + bytes(7) + b"s" * 32 + b"\x09" + bytes(7)
    expected = hashlib.sha256(b"tallystick:attestation" + bytes(KEY) + borsh).digest()
    assert addresses.attestation_hash(KEY, content) == expected


def test_a_metadata_hash_covers_the_security_and_every_field() -> None:
    params = MetadataParams(name="N", ticker=b"T" * 16, uri="U", isin=b"US0378331005", terms_hash=b"t" * 32)
    borsh = b"\x01\0\0\0N" + b"T" * 16 + b"\x01\0\0\0U" + b"US0378331005" + b"t" * 32
    expected = hashlib.sha256(b"tallystick:metadata" + bytes(KEY) + borsh).digest()
    assert addresses.metadata_hash(KEY, params) == expected


def test_custody_accounts_are_hashed_sorted() -> None:
    low, high = b"\x01" * 32, b"\x02" * 32
    expected = hashlib.sha256(low + high).digest()
    assert custody_accounts_hash([high, low]) == expected
    for wrong in ([low, low], [b"short"]):
        with pytest.raises(InputError, match="distinct custody account hashes"):
            custody_accounts_hash(wrong)


SECOND, HASH = Pubkey.from_bytes(b"\x08" * 32), b"h" * 32
ADDRESSES = {
    "issuer": (addresses.issuer_address(HASH), [b"issuer", HASH]),
    "role": (addresses.role_address(KEY, RoleKind.GUARDIAN, SECOND), [b"role", bytes(KEY), b"\x07", bytes(SECOND)]),
    "limit": (addresses.limit_address(KEY, SECOND), [b"limit", bytes(KEY), bytes(SECOND)]),
    "security": (addresses.security_address(KEY), [b"security", bytes(KEY)]),
    "mint": (addresses.mint_address(KEY, HASH), [b"mint", bytes(KEY), HASH]),
    "attestation": (addresses.attestation_address(KEY, HASH), [b"attestation", bytes(KEY), HASH]),
    "order": (addresses.order_address(KEY, SECOND, HASH), [b"order", bytes(KEY), bytes(SECOND), HASH]),
    "movement": (addresses.movement_address(KEY, HASH), [b"movement", bytes(KEY), HASH]),
    "fill": (addresses.fill_address(KEY, SECOND), [b"fill", bytes(KEY), bytes(SECOND)]),
    "correction": (addresses.correction_address(KEY, 258), [b"correction", bytes(KEY), b"\x02\x01"]),
    "holder": (addresses.holder_address(KEY, SECOND), [b"holder", bytes(KEY), bytes(SECOND)]),
    "seizure": (
        addresses.seizure_address(KEY, SECOND, 258),
        [b"seizure", bytes(KEY), bytes(SECOND), b"\x02\x01" + bytes(6)],
    ),
    "hold": (addresses.hold_address(KEY, SECOND, 258), [b"hold", bytes(KEY), bytes(SECOND), b"\x02\x01" + bytes(6)]),
    "distribution": (addresses.distribution_address(KEY, 258), [b"distribution", bytes(KEY), b"\x02\x01"]),
    "action": (addresses.action_address(KEY, HASH, 258), [b"action", bytes(KEY), HASH, b"\x02\x01"]),
    "draw": (addresses.draw_address(KEY, 258), [b"draw", bytes(KEY), b"\x02\x01\0\0"]),
    "report": (
        addresses.report_address(KEY, 258, 259),
        [b"report", bytes(KEY), b"\x02\x01\0\0", b"\x03\x01"],
    ),
}
SEEDED_AS = {"CorporateAction": "action", "DayDraw": "draw", "ReserveReport": "report"}
"""Accounts whose first seed is another word than their name."""


@pytest.mark.parametrize("account", ADDRESSES)
def test_an_address_has_the_seeds_of_the_design(account: str) -> None:
    found, seeds = ADDRESSES[account]
    assert found == Pubkey.find_program_address(seeds, PROGRAM_ID)[0]


def test_every_account_of_the_program_has_an_address_function() -> None:
    of_accounts = {name.removesuffix("_address") for name in addresses.__all__ if name.endswith("_address")}
    missing = {
        SEEDED_AS.get(item["name"], item["name"].lower()) for item in golden_values.idl()["accounts"]
    } - of_accounts
    assert missing == set()


@pytest.mark.parametrize("build", [addresses.order_address, addresses.mint_address], ids=["order", "mint"])
def test_a_seed_of_another_length_is_refused(build: Callable[..., Pubkey]) -> None:
    keys = [KEY, KEY] if build is addresses.order_address else [KEY]
    with pytest.raises(IdentifierError, match="exactly 32 bytes expected"):
        build(*keys, b"short")


@pytest.mark.parametrize("name", [artifacts.PROGRAM, artifacts.TOKEN_2022, artifacts.IDL])
def test_a_shipped_file_has_the_hash_that_was_committed_with_it(name: str) -> None:
    assert hashlib.sha256(artifacts.artifact(name)).hexdigest() == artifacts.checksums()[name]


def test_the_shipped_programs_are_programs_and_the_idl_is_of_this_one() -> None:
    assert artifacts.program_binary()[:4] == b"\x7fELF"
    assert artifacts.token_2022_binary()[:4] == b"\x7fELF"
    assert json.loads(artifacts.idl())["address"] == str(PROGRAM_ID)


def test_a_file_that_is_not_listed_is_not_returned() -> None:
    with pytest.raises(LedgerError, match="not listed"):
        artifacts.artifact("borsh.py")
