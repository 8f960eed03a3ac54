"""An officer signs one text for one as-of close; another of either takes another signature."""

from __future__ import annotations

from typing import Any

import pytest
from building_desk import BuildingDesk
from solders.keypair import Keypair
from solders.signature import Signature
from tallystick.adapters.chain.signers import KeypairSigner
from tallystick.domain.reserve_report.assertion import assertion_message
from tallystick.errors import InputError, Refused
from tallystick.services.report_assertion import assert_report, read_assertable
from tallystick.services.report_declaration import declaration_content, parse_declaration

PERIOD = 202609
OFFICER = KeypairSigner(Keypair.from_seed(b"o" * 32))
TEXT = """
[assertion]
text = "We assert."
[[assertion.officers]]
name = "Jo Bell"
title = "Chief Executive"
[[assertion.officers]]
name = "Ann Arc"
title = "Chief Financial Officer"
"""


@pytest.fixture
async def desk() -> BuildingDesk:
    made = BuildingDesk()
    await made.month()
    await declare(made, TEXT)
    return made


async def declare(desk: BuildingDesk, text: str) -> None:
    content = declaration_content(parse_declaration(text))
    await desk.books.declarations.declare(bytes(desk.issuer), PERIOD, content, desk.now)


async def sign(desk: BuildingDesk) -> None:
    assertable = await read_assertable(desk.chain, desk.books, desk.issuer, PERIOD, "Jo Bell")
    await assert_report(desk.books, desk.issuer, assertable, OFFICER, desk.clock)


async def signatures(desk: BuildingDesk) -> list[str | None]:
    document: Any = (await desk.build()).document
    return [each["signature"] for each in document["assertion"]["asserted_by"]]


async def test_a_signature_is_in_the_report_and_is_of_text_and_close(desk: BuildingDesk) -> None:
    await sign(desk)
    signed, unsigned = await signatures(desk)
    close = await desk.closes.last(bytes(desk.issuer))
    assert close is not None
    assert unsigned is None
    message = assertion_message(PERIOD, close.hash, "We assert.")
    assert Signature.from_string(str(signed)).verify(OFFICER.pubkey, message)


async def test_another_text_takes_another_signature(desk: BuildingDesk) -> None:
    await sign(desk)
    await declare(desk, TEXT.replace("We assert.", "We assert more."))
    assert await signatures(desk) == [None, None]
    await sign(desk)
    assert (await signatures(desk))[0] is not None


async def test_another_as_of_close_takes_another_signature() -> None:
    desk = BuildingDesk()
    await desk.begin()
    first = await desk.end_day()
    await declare(desk, TEXT)
    desk.warp(9 * 86_400)
    await desk.anchor(first)
    await sign(desk)
    kept = await desk.books.declarations.assertions(bytes(desk.issuer), PERIOD)
    other = BuildingDesk()
    await other.month()
    await declare(other, TEXT)
    await other.books.declarations.assert_by(bytes(other.issuer), PERIOD, kept[0])
    assert await signatures(other) == [None, None]


async def test_who_is_no_officer_signs_nothing(desk: BuildingDesk) -> None:
    with pytest.raises(InputError, match="none of the officers") as caught:
        await read_assertable(desk.chain, desk.books, desk.issuer, PERIOD, "Eve")
    assert "Jo Bell, Ann Arc" in str(caught.value.hint)
    assert await desk.books.declarations.assertions(bytes(desk.issuer), PERIOD) == ()


async def test_what_is_not_asserted_is_not_signed(desk: BuildingDesk) -> None:
    await declare(desk, "")
    with pytest.raises(Refused, match="Nothing is asserted"):
        await read_assertable(desk.chain, desk.books, desk.issuer, PERIOD, "Jo Bell")


async def test_nothing_is_signed_before_the_as_of_close_is_on_chain() -> None:
    desk = BuildingDesk()
    await desk.begin()
    await desk.end_day()
    await declare(desk, TEXT)
    with pytest.raises(Refused, match="is not over"):
        await read_assertable(desk.chain, desk.books, desk.issuer, PERIOD, "Jo Bell")
    desk.warp(9 * 86_400)
    with pytest.raises(Refused, match="not on chain yet"):
        await read_assertable(desk.chain, desk.books, desk.issuer, PERIOD, "Jo Bell")
