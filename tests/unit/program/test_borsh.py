"""Bytes that Borsh does not produce are refused, wherever they are."""

from __future__ import annotations

import pytest
from solders.pubkey import Pubkey
from tallystick.errors import AmountError, InputError, LedgerError
from tallystick.program.borsh import Reader, Writer


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", [8, 16, 32, 64, 128, 256])
def test_an_integer_holds_its_whole_range_and_nothing_beyond(bits: int, signed: bool) -> None:
    name = f"{'i' if signed else 'u'}{bits}"
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    for value in (low, high):
        writer = Writer()
        getattr(writer, name)(value)
        assert writer.finish() == value.to_bytes(bits // 8, "little", signed=signed)
        assert getattr(Reader(writer.finish(), "test"), name)() == value
    for value in (low - 1, high + 1):
        with pytest.raises(AmountError, match=f"shares: .* does not fit {name}"):
            getattr(Writer(), name)(value, "shares")


def test_a_bool_is_zero_or_one() -> None:
    assert Reader(b"\x01", "test").boolean() is True
    with pytest.raises(LedgerError, match="test: a bool of 0 or 1 expected, found 2 at byte 0 of 1"):
        Reader(b"\x02", "test").boolean()


def test_an_option_tag_is_zero_or_one() -> None:
    reader = Reader(b"\x02\x01", "test")
    with pytest.raises(LedgerError, match="option tag"):
        reader.option(reader.u8)


def test_a_list_longer_than_its_bytes_is_refused_before_it_is_read() -> None:
    reader = Reader(b"\xff\xff\xff\xff\x00", "test")
    with pytest.raises(LedgerError, match="a list of 4294967295 values expected, 1 bytes left"):
        reader.vec(reader.u8)


def test_text_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(LedgerError, match="UTF-8"):
        Reader(b"\x01\x00\x00\x00\xff", "test").string()


def test_a_string_longer_than_its_bytes_is_refused() -> None:
    with pytest.raises(LedgerError, match="truncated: 2 bytes expected, 1 left"):
        Reader(b"\x02\x00\x00\x00a", "test").string()


@pytest.mark.parametrize(
    ("method", "value"),
    [("boolean", 1), ("pubkey", bytes(32)), ("byte_string", "text"), ("string", b"bytes"), ("f32", 1e300)],
)
def test_a_value_of_another_kind_is_refused(method: str, value: object) -> None:
    with pytest.raises(InputError, match="field"):
        getattr(Writer(), method)(value, "field")


def test_a_reader_tells_where_it_stands() -> None:
    reader = Reader(bytes(Pubkey.default()) + b"\x05", "test")
    reader.pubkey()
    assert (reader.offset, reader.remaining) == (32, 1)
    with pytest.raises(LedgerError, match="1 bytes left over at byte 32 of 33"):
        reader.finish()
