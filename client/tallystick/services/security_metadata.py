"""What wallets show of a token, and its terms: announced first with all its content, written after the notice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.clock import instant
from tallystick.domain.identifiers import parse_isin
from tallystick.errors import InputError, Refused
from tallystick.program.addresses import metadata_hash
from tallystick.program.event_decoding import decode_events
from tallystick.program.generated import instructions
from tallystick.program.generated.accounts import Issuer, Security
from tallystick.program.generated.events import MetadataAnnounced
from tallystick.program.generated.types import MetadataParams
from tallystick.program.text import decode_text, encode_text
from tallystick.program.token import Mint
from tallystick.services.chain_reads import read_snapshot, require, ticker_of
from tallystick.services.plans import Plan, last_change, new_action
from tallystick.services.rules import policy_at
from tallystick.services.security_policy import span_text

HISTORY: Final = 20_000
"""Transactions of a security, the newest first, among which its announcement is looked for."""
_PAGE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Metadata:
    """Name (64 bytes), ticker (16) and URI (200) of a token, its ISIN, and the SHA-256 of the terms."""

    name: str
    ticker: str
    uri: str
    isin: str
    terms_hash: bytes

    def params(self) -> MetadataParams:
        """What the program is told. InputError or IdentifierError for what it would refuse."""
        for name, limit in (("name", 64), ("ticker", 16), ("uri", 200)):
            if not getattr(self, name):
                raise InputError(f"A security has a {name}.")
            encode_text(getattr(self, name), limit, name)
        if len(self.terms_hash) != 32 or not any(self.terms_hash):
            raise InputError("The terms' SHA-256 of 32 bytes is expected.")
        return MetadataParams(
            self.name, encode_text(self.ticker, 16), self.uri, parse_isin(self.isin).encode(), self.terms_hash
        )


def current_metadata(security: Security, mint: Mint) -> Metadata:
    """What is written now."""
    written = mint.extensions.metadata
    return Metadata(
        written.name if written else "",
        decode_text(security.ticker),
        written.uri if written else "",
        decode_text(security.isin),
        security.terms_hash,
    )


def differences(before: Metadata, after: Metadata) -> tuple[str, ...]:
    """Each field that differs, old and new."""
    found = [
        f"{name}: {getattr(before, name)} -> {getattr(after, name)}"
        for name in ("name", "ticker", "uri", "isin")
        if getattr(before, name) != getattr(after, name)
    ]
    if before.terms_hash != after.terms_hash:
        found.append(f"terms: SHA-256 {before.terms_hash.hex()[:16]}… -> {after.terms_hash.hex()[:16]}…")
    return tuple(found)


async def read_metadata(chain: Chain, security: Pubkey) -> Metadata:
    """What is written now of a security. Refused when there is none."""
    mint = (await require(chain, Security, security)).mint
    snapshot = await read_snapshot(chain, [security, mint])
    return current_metadata(snapshot.require(Security, security), snapshot.mint(mint))


async def plan_announce_metadata(chain: Chain, *, payer: Pubkey, security: Pubkey, metadata: Metadata) -> Plan:
    """Announce names and terms, to be written after the policy's notice. Signed by the admin; a guardian may veto it.

    Announcing other content replaces what was announced, and its notice starts anew.
    """
    params = metadata.params()
    account = await require(chain, Security, security)
    snapshot = await read_snapshot(chain, [security, account.issuer, account.mint])
    account, issuer, now = snapshot.require(Security, security), snapshot.require(Issuer, account.issuer), snapshot.now
    title = f"Announce the metadata of {ticker_of(account)}"
    content = metadata_hash(security, params)
    if account.pending_metadata_hash == content:
        when = f"it can be written from {instant(account.pending_metadata_from)}"
        return Plan(title, notes=(f"It is announced; {when} with: tally security metadata apply",))
    different = differences(current_metadata(account, snapshot.mint(account.mint)), metadata)
    if not different:
        return Plan(title, notes=("That is what is written already.",))
    notes = [
        *different,
        f"It can be written {span_text(policy_at(account, now).notice)} later, unless a guardian vetoes it.",
    ]
    if account.pending_metadata_from:
        notes.append(f"What was announced to be written from {instant(account.pending_metadata_from)} is dropped.")

    async def is_done() -> bool:
        return (await require(chain, Security, security)).pending_metadata_hash == content

    action = new_action(
        f"announce-metadata:{security}:{content[:8].hex()}:{await last_change(chain, security)}",
        title,
        instructions.announce_metadata(admin=issuer.admin, issuer=account.issuer, security=security, params=params),
        payer,
        (issuer.admin, "admin"),
        is_done=is_done,
    )
    return Plan(title, (action,), tuple(notes))


async def plan_update_metadata(
    chain: Chain, *, payer: Pubkey, security: Pubkey, metadata: Metadata | None = None
) -> Plan:
    """Write what was announced into mint and security, after its notice. Signed by the admin.

    Without `metadata` the content is found in the announcement's own event, and held against its hash.
    """
    account = await require(chain, Security, security)
    snapshot = await read_snapshot(chain, [security, account.issuer, account.mint])
    account, issuer, now = snapshot.require(Security, security), snapshot.require(Issuer, account.issuer), snapshot.now
    title = f"Write the metadata of {ticker_of(account)}"
    written = current_metadata(account, snapshot.mint(account.mint))
    if account.pending_metadata_from == 0:
        if metadata is None or metadata == written:
            return Plan(title, notes=("Nothing is announced.",))
        raise Refused(
            "Nothing is announced, and nothing is written unannounced.", hint="tally security metadata announce"
        )
    if metadata is None:
        metadata = await announced_metadata(chain, security)
    params = metadata.params()
    if metadata_hash(security, params) != account.pending_metadata_hash:
        raise Refused(
            "Other content was announced than this.", hint="Announce this content, which starts its notice anew."
        )
    if now < account.pending_metadata_from:
        raise Refused(
            f"It can be written from {instant(account.pending_metadata_from)}.",
            hint=f"Run this again in {account.pending_metadata_from - now} s.",
        )
    content, before = account.pending_metadata_hash, account.pending_metadata_from

    async def is_done() -> bool:
        state = await require(chain, Security, security)
        return (state.pending_metadata_hash, state.pending_metadata_from) != (content, before)

    action = new_action(
        f"write-metadata:{security}:{content[:8].hex()}:{before}",
        title,
        instructions.update_metadata(
            payer=payer,
            admin=issuer.admin,
            issuer=account.issuer,
            security=security,
            mint=account.mint,
            params=params,
        ),
        payer,
        (issuer.admin, "admin"),
        is_done=is_done,
        is_guarded=True,
    )
    return Plan(title, (action,), differences(written, metadata))


async def announced_metadata(chain: Chain, security: Pubkey) -> Metadata:
    """The content that is announced now, from the event of its announcement.

    Refused when nothing is announced, or the cluster's history does not reach back to it.
    """
    account = await require(chain, Security, security)
    if account.pending_metadata_from == 0:
        raise Refused("Nothing is announced.", hint="Announce it with: tally security metadata announce")
    before, seen = None, 0
    while seen < HISTORY:
        page = await chain.get_signatures_for_address(security, limit=_PAGE, before=before)
        for each in page:
            if each.error is not None:
                continue
            transaction = await chain.get_transaction(each.signature)
            if transaction is None:
                continue
            calls = [(call.program, call.accounts, call.data) for call in transaction.inner]
            for event in decode_events(calls):
                if isinstance(event, MetadataAnnounced) and event.content_hash == account.pending_metadata_hash:
                    return Metadata(
                        event.name, decode_text(event.ticker), event.uri, decode_text(event.isin), event.terms_hash
                    )
        if len(page) < _PAGE:
            break
        before, seen = page[-1].signature, seen + len(page)
    raise Refused(
        "The announcement is not in this endpoint's history.",
        hint="Give the same options again as with announce; what is written is held against the announced hash.",
    )


__all__ = [
    "Metadata",
    "announced_metadata",
    "current_metadata",
    "differences",
    "plan_announce_metadata",
    "plan_update_metadata",
    "read_metadata",
]
