"""An officer signs management's assertion for one month: of its text, and of the as-of close that the report rests on.

The signature is Ed25519 over assertion_message (domain/reserve_report/assertion.py). It moves nothing on chain. Another
text, or another as-of close, takes another signature; an older one is left out of the report.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from solders.pubkey import Pubkey
from solders.signature import Signature

from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.clock import Clock
from tallystick.adapters.store.declarations import StoredAssertion
from tallystick.domain.canonical import sha256
from tallystick.domain.report_anchors import period_text
from tallystick.domain.reserve_report.assertion import assertion_message
from tallystick.errors import InputError, Refused
from tallystick.services.report_closes import read_month_closes
from tallystick.services.report_declaration import DeclaredOfficer
from tallystick.services.report_inputs import ReportBooks, newest_declaration


class MessageSigner(Protocol):
    """Signs bytes that are no transaction."""

    @property
    def pubkey(self) -> Pubkey: ...

    async def sign_message(self, message: bytes) -> Signature: ...


@dataclass(frozen=True, slots=True)
class Assertable:
    """What an officer is about to sign: the text, and the as-of close by day and hash (32 bytes)."""

    period: int
    officer: DeclaredOfficer
    text: str
    day: str
    close_hash: bytes


async def read_assertable(chain: Chain, books: ReportBooks, issuer: Pubkey, period: int, officer: str) -> Assertable:
    """What an officer of the declared file would sign. Refused when nothing is asserted, or the month is not ready
    (report_closes.py); InputError for a name that the file does not have."""
    declaration = await newest_declaration(books.declarations, bytes(issuer), period)
    if not declaration.assertion_text:
        raise Refused(
            f"Nothing is asserted for {period_text(period)} yet.",
            hint="Write [assertion] with its officers into the declared file, and keep it: tally report declare",
        )
    found = next((each for each in declaration.officers if each.name == officer), None)
    if found is None:
        raise InputError(
            f"{officer!r} is none of the officers of the declared file.",
            hint=f"Its officers: {', '.join(each.name for each in declaration.officers)}.",
        )
    close = (await read_month_closes(chain, books.closes, issuer, period)).as_of
    return Assertable(period, found, declaration.assertion_text, close.day, close.hash)


async def assert_report(
    books: ReportBooks, issuer: Pubkey, assertable: Assertable, signer: MessageSigner, clock: Clock
) -> StoredAssertion:
    """Sign and keep it, in the place of an earlier signature of the same officer. StoreError."""
    message = assertion_message(assertable.period, assertable.close_hash, assertable.text)
    signature = await signer.sign_message(message)
    return await books.declarations.assert_by(
        bytes(issuer),
        assertable.period,
        StoredAssertion(
            officer=assertable.officer.name,
            close_hash=assertable.close_hash,
            text_hash=sha256(assertable.text.encode("utf-8")),
            key=bytes(signer.pubkey),
            signature=bytes(signature),
            asserted_at=clock.now(),
        ),
    )


__all__ = ["Assertable", "MessageSigner", "assert_report", "read_assertable"]
