"""Base 58 of any bytes is what solders makes of them, and reads back."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from solders.pubkey import Pubkey
from solders.signature import Signature
from tallystick.domain.base58 import base58_decode, base58_encode


@given(st.binary(min_size=32, max_size=32))
@example(bytes(32))
@example(bytes(31) + b"\1")
@example((58**10).to_bytes(32, "big"))
@example((58**20 - 1).to_bytes(32, "big"))
@example(b"\xff" * 32)
def test_of_an_address(data: bytes) -> None:
    assert base58_encode(data) == str(Pubkey.from_bytes(data))


@given(st.binary(min_size=64, max_size=64))
def test_of_a_signature(data: bytes) -> None:
    assert base58_encode(data) == str(Signature.from_bytes(data))


@given(st.binary(max_size=80))
def test_reads_back(data: bytes) -> None:
    assert base58_decode(base58_encode(data)) == data
