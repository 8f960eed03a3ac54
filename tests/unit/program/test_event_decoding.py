"""Events among the inner instructions of a transaction, and what only looks like one."""

from __future__ import annotations

import hashlib
import json

import golden_values
import pytest
from solders.pubkey import Pubkey
from tallystick.errors import LedgerError
from tallystick.program.event_decoding import EVENT_TAG, InnerCall, decode_event, decode_events
from tallystick.program.generated.constants import PROGRAM_ID

AUTHORITY = Pubkey.find_program_address([b"__event_authority"], PROGRAM_ID)[0]
OTHER = Pubkey.from_bytes(b"\x07" * 32)


def event_bytes(name: str) -> bytes:
    return bytes.fromhex(json.loads((golden_values.GOLDEN / "events" / f"{name}.json").read_text())["data"])


def call(name: str) -> InnerCall:
    return (PROGRAM_ID, (AUTHORITY,), EVENT_TAG + event_bytes(name))


def test_the_tag_is_anchors() -> None:
    # anchor-lang 1.2 writes the first 8 bytes of SHA-256("anchor:event") as a u64, and that little endian.
    assert hashlib.sha256(b"anchor:event").digest()[:8][::-1] == EVENT_TAG


@pytest.mark.parametrize("name", golden_values.names("events"))
def test_an_event_is_found_by_its_discriminator(name: str) -> None:
    event = decode_event(event_bytes(name))
    assert type(event).__name__ == name
    assert event.encode() == event_bytes(name)


def test_events_come_in_the_order_they_were_emitted_between_other_calls() -> None:
    inner = [
        (OTHER, (AUTHORITY,), b"\x01"),
        call("RoleGranted"),
        (PROGRAM_ID, (AUTHORITY,), b"\x02" * 8),
        call("IssuerInitialized"),
    ]
    assert [type(event).__name__ for event in decode_events(inner)] == ["RoleGranted", "IssuerInitialized"]


@pytest.mark.parametrize(
    "look_alike",
    [
        (OTHER, (AUTHORITY,), EVENT_TAG + event_bytes("RoleGranted")),
        (PROGRAM_ID, (OTHER,), EVENT_TAG + event_bytes("RoleGranted")),
        (PROGRAM_ID, (), EVENT_TAG + event_bytes("RoleGranted")),
        (PROGRAM_ID, (AUTHORITY, OTHER), EVENT_TAG + event_bytes("RoleGranted")),
        (PROGRAM_ID, (AUTHORITY,), event_bytes("RoleGranted")),
        (PROGRAM_ID, (AUTHORITY,), EVENT_TAG[::-1] + event_bytes("RoleGranted")),
    ],
    ids=["another program", "another authority", "no authority", "more accounts", "no tag", "another tag"],
)
def test_a_look_alike_is_no_event(look_alike: InnerCall) -> None:
    assert decode_events([look_alike]) == []


def test_an_event_of_another_deployment_is_found_under_its_own_id() -> None:
    authority = Pubkey.find_program_address([b"__event_authority"], OTHER)[0]
    inner = [(OTHER, (authority,), EVENT_TAG + event_bytes("RoleGranted")), call("RoleGranted")]
    assert len(decode_events(inner, program_id=OTHER)) == 1


def test_an_event_this_client_does_not_know_is_an_error() -> None:
    with pytest.raises(LedgerError, match="newer version of the program"):
        decode_events([(PROGRAM_ID, (AUTHORITY,), EVENT_TAG + b"\x00" * 8)])


def test_an_event_cut_short_is_an_error() -> None:
    with pytest.raises(LedgerError, match="truncated"):
        decode_events([(PROGRAM_ID, (AUTHORITY,), EVENT_TAG + event_bytes("RoleGranted")[:-1])])
