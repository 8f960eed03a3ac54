"""Daily closes are canonical, chained, and read back only as they were written."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest
from tallystick.domain.closes import (
    NO_PREVIOUS,
    DailyClose,
    RegisterReference,
    SecurityClose,
    StatementReference,
    close_hash,
    parse_close,
    verify_chain,
)
from tallystick.errors import LedgerError

STATEMENT = StatementReference(b"\1" * 32, b"\2" * 32, (b"\3" * 32,), 1_790_000_000, 2**63)
APPLE = SecurityClose(
    isin="US0378331005",
    mint=b"\4" * 32,
    decimals=6,
    supply=2**64 - 1,
    multiplier=10**18,
    required=2**64 - 1,
    reserve=2**63,
    reserve_as_of=1_790_000_000,
    redeemed=3,
    minted=10,
    burnt=4,
    inventory=1,
    escrow=2,
    register_root=b"\5" * 32,
    holders=5,
    attestation=b"\6" * 32,
    statements=(STATEMENT,),
    breaks=(b"\7" * 32,),
)
FIRST = DailyClose(
    issuer=b"\x08" * 32,
    cluster="EtWTRABZaYq6iMfeYKouRu166VU2xqa1",
    program_hash=b"\x09" * 32,
    day="2026-11-23",
    slot=100,
    block_time=1_790_000_100,
    previous=NO_PREVIOUS,
    securities=(APPLE,),
)
SECOND = replace(FIRST, day="2026-11-24", slot=200, previous=FIRST.hash)
THIRD = replace(FIRST, day="2026-11-25", slot=300, previous=SECOND.hash)


def test_a_close_reads_back_as_it_was_written() -> None:
    assert parse_close(SECOND.content, SECOND.previous) == SECOND
    assert parse_close(SECOND.content, SECOND.previous).hash == SECOND.hash


# What version 1 wrote, and the hash that is in somebody's chain of closes.
WRITTEN_BEFORE = b"".join(
    [
        b'{"block_time":1790000100,"cluster":"EtWTRABZaYq6iMfeYKouRu166VU2xqa1","day":"2026-11-23",',
        b'"issuer":"%b","program":"%b","securities":[{' % (b"08" * 32, b"09" * 32),
        b'"attestation":"%b","breaks":["%b"],"burnt":"4","decimals":6,' % (b"06" * 32, b"07" * 32),
        b'"escrow":"2","holders":5,"inventory":"1","isin":"US0378331005","mint":"%b",' % (b"04" * 32),
        b'"minted":"10","multiplier":"1000000000000000000","multiplier_bits":"0","redeemed":"3",',
        b'"register_root":"%b","required":"18446744073709551615",' % (b"05" * 32),
        b'"reserve":"9223372036854775808","reserve_as_of":1790000000,"statements":[{"account":"%b",' % (b"01" * 32),
        b'"as_of":1790000000,"quantity":"9223372036854775808","sources":["%b"],' % (b"03" * 32),
        b'"statement":"%b"}],"supply":"18446744073709551615"}],"slot":100,"version":1}' % (b"02" * 32),
    ]
)
HASHED_BEFORE = "f308e920039db1bce90dd58a10bf03e1d8969b07bbdfb322025695d093427d39"


def test_a_close_of_version_1_reads_and_is_written_byte_for_byte() -> None:
    read = parse_close(WRITTEN_BEFORE, NO_PREVIOUS)
    assert read == replace(FIRST, version=1)
    assert read.content == WRITTEN_BEFORE
    assert read.hash.hex() == HASHED_BEFORE
    verify_chain([read, replace(SECOND, previous=read.hash)])


def test_registers_are_in_the_content_by_slot() -> None:
    one, other = (RegisterReference(bytes([number]) * 32, slot, b"r" * 32) for number, slot in ((2, 50), (1, 60)))
    close = replace(FIRST, securities=(replace(APPLE, registers=(other, one)),))
    expected = [
        {"event": "02" * 32, "register": b"r".hex() * 32, "slot": 50},
        {"event": "01" * 32, "register": b"r".hex() * 32, "slot": 60},
    ]
    assert json.loads(close.content)["securities"][0]["registers"] == expected
    assert parse_close(close.content, NO_PREVIOUS).securities[0].registers == (one, other)
    assert close.hash != FIRST.hash


def test_version_1_has_no_place_for_a_register() -> None:
    register = RegisterReference(b"e" * 32, 50, b"r" * 32)
    for version, registers in ((1, (register,)), (3, ()), (0, ())):
        with pytest.raises(LedgerError, match=f"version {version}"):
            replace(FIRST, version=version, securities=(replace(APPLE, registers=registers),)).content  # noqa: B018


def test_the_close_hash_covers_the_one_before_and_the_content() -> None:
    inner = hashlib.sha256(b"{}").digest()
    assert close_hash(bytes(32), b"{}") == hashlib.sha256(b"tallystick:daily-close" + bytes(32) + inner).digest()


def test_the_order_of_securities_statements_and_breaks_does_not_matter() -> None:
    other = replace(APPLE, isin="US5949181045", statements=(replace(STATEMENT, account_hash=bytes(32)), STATEMENT))
    turned = replace(other, statements=other.statements[::-1])
    assert replace(FIRST, securities=(APPLE, other)).content == replace(FIRST, securities=(turned, APPLE)).content


def test_amounts_are_text_so_that_no_reader_loses_digits() -> None:
    security = json.loads(FIRST.content)["securities"][0]
    assert security["supply"] == "18446744073709551615"
    assert security["statements"][0]["quantity"] == "9223372036854775808"


def test_a_chain_of_closes_verifies() -> None:
    verify_chain([FIRST, SECOND, THIRD])
    verify_chain([SECOND, THIRD], previous=FIRST.hash)


@pytest.mark.parametrize(
    "chain",
    [
        [FIRST, THIRD],
        [SECOND],
        [FIRST, replace(SECOND, slot=201), THIRD],
        [FIRST, replace(SECOND, day="2026-11-23")],
        [FIRST, replace(SECOND, slot=100)],
        [FIRST, replace(SECOND, issuer=bytes(32))],
        [FIRST, replace(SECOND, previous=bytes(32))],
    ],
)
def test_a_chain_with_a_day_missing_changed_or_out_of_order_is_refused(chain: list[DailyClose]) -> None:
    with pytest.raises(LedgerError):
        verify_chain(chain)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff",
        FIRST.content + b" ",
        FIRST.content[:-1],
        b"[" * 100_000,
        FIRST.content.replace(b'"version":2', b'"version":1'),
        FIRST.content.replace(b'"version":2', b'"version":3'),
        FIRST.content.replace(b'"version":2', b'"version":"2"'),
        FIRST.content.replace(b'"registers":[],', b""),
        FIRST.content.replace(b'"slot":100', b'"slot":"100"'),
        FIRST.content.replace(b'"slot":100', b'"slot":true'),
        FIRST.content.replace(b"2026-11-23", b"2026-13-23"),
        FIRST.content.replace(b'"supply":"18446744073709551615"', b'"supply":18446744073709551615'),
        FIRST.content.replace(b'"minted":"10"', b'"minted":"010"'),
        FIRST.content.replace(b'"day"', b'"more":1,"day"'),
    ],
)
def test_content_that_is_not_a_close_in_canonical_form_is_refused(content: bytes) -> None:
    with pytest.raises(LedgerError):
        parse_close(content, NO_PREVIOUS)


def test_a_previous_hash_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(LedgerError, match="32 bytes"):
        close_hash(b"", b"{}")
