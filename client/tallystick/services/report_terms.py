"""Names and custody accounts of a security as they were at the as-of.

Its account has those of now. What changes them names issuer and security together, so the transactions that both
addresses have in common tell whether something changed since; only then all of them are read, from the listing on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain, ConfirmedTransaction, InnerInstruction, SignatureInfo
from tallystick.domain.reserve_report.facts import Moment
from tallystick.program.borsh import Reader
from tallystick.program.generated import events
from tallystick.program.generated.types import VetoSubject
from tallystick.program.layout import EventLayout
from tallystick.program.text import decode_text
from tallystick.program.token import TOKEN_2022_PROGRAM
from tallystick.services.books import SecurityBook
from tallystick.services.chain_reads import ticker_of
from tallystick.services.report_history import Listing, events_in, list_back, oldest_first, read_transactions

_INITIALIZE_METADATA: Final = bytes.fromhex("d2e11ea258b84d8d")
"""First 8 bytes of SHA-256("spl_token_metadata_interface:initialize_account"); name, symbol and URI follow."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a security was called, and the hash of the custody accounts that an attestation had to list."""

    isin: str
    ticker: str
    name: str
    custody_accounts_hash: bytes


async def terms_then(
    chain: Chain, book: SecurityBook, of_issuer: Listing, of_security: Listing, as_of: Moment, program_id: Pubkey
) -> tuple[Terms, bool]:
    """The terms at the as-of, and whether the node served what that takes; those of now where it did not. ChainError.

    The listings reach back to the as-of or before it, as far as the node has them.
    """
    terms = _terms_of(book, as_of)
    if not all(each.reaches or each.until(as_of.slot) for each in (of_issuer, of_security)):
        return terms, False
    later = _in_both(of_issuer.later_than(as_of.slot), of_security.later_than(as_of.slot))
    has_changed = False
    async for transaction in read_transactions(chain, later):
        if transaction is None:
            return terms, False
        has_changed = has_changed or any(_changes(each, book.address) for each in events_in(transaction, program_id))
    if not has_changed:
        return terms, True
    whole = [await list_back(chain, each.address, lambda _: False) for each in (of_issuer, of_security)]
    lines = _in_both(*(each.until(as_of.slot) for each in whole))
    replayed = await _replay(chain, book.address, lines, as_of, program_id)
    return replayed or terms, replayed is not None


def _terms_of(book: SecurityBook, as_of: Moment) -> Terms:
    security, metadata = book.security, book.mint.extensions.metadata
    has_come = 0 < security.pending_policy_from <= as_of.time
    accounts_hash = security.pending_custody_accounts_hash if has_come else security.custody_accounts_hash
    return Terms(book.isin, ticker_of(security), metadata.name if metadata else "", accounts_hash)


def _in_both(one: tuple[SignatureInfo, ...], other: tuple[SignatureInfo, ...]) -> tuple[SignatureInfo, ...]:
    names_other = {line.signature for line in other}
    return oldest_first(tuple(line for line in one if line.signature in names_other))


def _changes(event: EventLayout, security: Pubkey) -> bool:
    return isinstance(event, events.PolicyUpdated | events.MetadataUpdated) and event.security == security


async def _replay(
    chain: Chain, security: Pubkey, lines: tuple[SignatureInfo, ...], as_of: Moment, program_id: Pubkey
) -> Terms | None:
    """The terms from the listing on; None when the node has not all of these transactions."""
    terms: Terms | None = None
    announced: dict[bytes, events.MetadataAnnounced] = {}
    pending, pending_from = bytes(32), 0
    async for transaction in read_transactions(chain, lines):
        if transaction is None or transaction.block_time is None:
            return None
        for event in events_in(transaction, program_id):
            match event:
                case events.SecurityListed(security=named) if named == security:
                    terms = _listed(event, transaction)
                case events.MetadataAnnounced(security=named) if named == security:
                    announced[event.content_hash] = event
                case events.MetadataUpdated(security=named) if named == security and terms:
                    written = announced[event.content_hash]
                    names = (decode_text(written.isin, "isin"), decode_text(written.ticker, "ticker"), written.name)
                    terms = Terms(*names, terms.custody_accounts_hash)
                case events.PolicyUpdated(security=named) if named == security and terms:
                    if 0 < pending_from <= transaction.block_time:
                        terms = replace(terms, custody_accounts_hash=pending)
                    pending, pending_from = event.custody_accounts_hash, event.in_force_from
                case events.ChangeVetoed(kind=VetoSubject.POLICY, subject=named) if named == security:
                    pending_from = 0
                case _:
                    continue
    if terms is not None and 0 < pending_from <= as_of.time:
        terms = replace(terms, custody_accounts_hash=pending)
    return terms


def _listed(event: events.SecurityListed, transaction: ConfirmedTransaction) -> Terms | None:
    for each in transaction.inner:
        if each.program == TOKEN_2022_PROGRAM and each.accounts[:1] == (event.mint,) and _writes_metadata(each):
            reader = Reader(each.data[len(_INITIALIZE_METADATA) :], "token metadata")
            name, ticker = reader.string(), reader.string()
            return Terms(decode_text(event.isin, "isin"), ticker, name, event.custody_accounts_hash)
    return None


def _writes_metadata(instruction: InnerInstruction) -> bool:
    return instruction.data.startswith(_INITIALIZE_METADATA)


__all__ = ["Terms", "terms_then"]
