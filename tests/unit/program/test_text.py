"""Text in fields of fixed size."""

from __future__ import annotations

import pytest
from tallystick.errors import InputError, LedgerError
from tallystick.program.text import decode_text, encode_text


@pytest.mark.parametrize("text", ["", "AAPL", "Société Générale", "x" * 32, "€" * 10])
def test_text_comes_back_as_it_was_written(text: str) -> None:
    field = encode_text(text, 32)
    assert len(field) == 32
    assert decode_text(field) == text


def test_text_is_measured_in_bytes_and_not_in_characters() -> None:
    with pytest.raises(InputError, match="ticker: at most 32 bytes of UTF-8 fit, got 33"):
        encode_text("€" * 11, 32, "ticker")


@pytest.mark.parametrize("text", ["a\0", "a\nb", "a\x7f", "\ud800"])
def test_text_the_program_would_refuse_is_refused_here(text: str) -> None:
    with pytest.raises(InputError, match="name"):
        encode_text(text, 32, "name")


@pytest.mark.parametrize("field", [b"\0a", b"a\0b\0"])
def test_a_zero_before_the_end_of_the_text_is_refused(field: bytes) -> None:
    with pytest.raises(LedgerError, match="zeros only after the text"):
        decode_text(field, "name")


def test_a_field_that_is_no_text_is_refused() -> None:
    with pytest.raises(LedgerError, match="name: UTF-8 text expected, found c328"):
        decode_text(b"\xc3\x28\0", "name")
