"""Publications of reports as the chain has them, and the plan of one more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain, Commitment, SignatureInfo
from tallystick.adapters.clock import instant
from tallystick.domain.report_anchors import period_text
from tallystick.domain.reserve_report.published import URI_LIMIT, Anchor, ReportHeader
from tallystick.errors import Refused
from tallystick.program.addresses import report_address, role_address
from tallystick.program.event_decoding import decode_events
from tallystick.program.generated import instructions
from tallystick.program.generated.accounts import Issuer, ReserveReport, Role
from tallystick.program.generated.events import ReportPublished
from tallystick.program.generated.types import PublishReportParams, RoleKind
from tallystick.program.text import encode_text
from tallystick.services.chain_reads import chain_time, list_all, list_roles, read, read_snapshot
from tallystick.services.plans import Plan, new_action
from tallystick.services.rules import has_not_ended, require_role

NONE: Final = Pubkey.default()
HISTORY: Final = 20_000
"""Transactions that name a report's account, the newest first, among which its publication is looked for."""
_PAGE: Final = 1_000


def name_of(period: int, version: int) -> str:
    """2026-10 v1, for messages."""
    return f"{period_text(period)} v{version}"


async def list_publications(
    chain: Chain, issuer: Pubkey, commitment: Commitment = "finalized"
) -> tuple[tuple[Pubkey, ReserveReport], ...]:
    """Every publication of an issuer with its account, in the order in which each names the one before.

    Refused when they do not form one chain that ends with the issuer's last: an answer from between two slots.
    """
    found = await list_all(chain, ReserveReport, ("issuer", bytes(issuer)), commitment=commitment)
    following = {report.previous: (address, report) for address, report in found.accounts.items()}
    ordered: list[tuple[Pubkey, ReserveReport]] = []
    at = NONE
    while at in following and len(ordered) < len(found.accounts):
        ordered.append(following[at])
        at = ordered[-1][0]
    if len(ordered) != len(found.accounts):
        raise Refused(
            f"{len(found.accounts)} publications of {issuer} were read, and {len(ordered)} of them form a chain.",
            hint="The endpoint answered with an older state in part; run it again.",
        )
    return tuple(ordered)


async def publisher_keys(chain: Chain, issuer: Pubkey) -> frozenset[Pubkey]:
    """Keys that publish for an issuer, or will once their grant is in force."""
    now, roles = await chain_time(chain), (await list_roles(chain, issuer)).accounts.values()
    return frozenset(each.holder for each in roles if each.kind is RoleKind.PUBLISHER and has_not_ended(each, now))


def require_same_hash(header: ReportHeader, account: Pubkey, there: ReserveReport) -> None:
    """Refused, with both hashes, unless the publication has the hash of this report."""
    if there.hash != header.hash:
        raise Refused(
            f"The chain has {name_of(header.period, header.version)} with another hash: {there.hash.hex()} in"
            f" {account}, published on {instant(there.published_at)}. This report's is {header.hash.hex()}.",
            hint="What is published stays. Compare it with a backup; a change is a new version: tally report build"
            " --correct 'why'.",
        )


def require_next_publication(issuer: Issuer, header: ReportHeader) -> None:
    """Refused unless the issuer's last publication is the one that this report names as previous."""
    last, previous = issuer.last_report, Pubkey.from_string(header.previous) if header.previous else NONE
    if (last, issuer.last_report_hash) != (previous, header.previous_hash):
        said = f"{previous} with hash {header.previous_hash.hex()}" if header.previous else "none"
        there = f"{last} with hash {issuer.last_report_hash.hex()}" if last != NONE else "none"
        raise Refused(
            f"{name_of(header.period, header.version)} names as the publication before it: {said}. The issuer's last"
            f" one is: {there}.",
            hint=f"Build it again, have it approved again: tally report build {period_text(header.period)}",
        )


async def plan_publish_report(
    chain: Chain, header: ReportHeader, *, payer: Pubkey, publisher: Pubkey, notes: Sequence[str] = ()
) -> Plan:
    """Put the hash of a version on chain. Empty when the chain has it with this hash.

    Refused when the chain has this version with another hash, when another publication came in between, and without a
    publisher's role. The files have to be in place before it is carried out.
    """
    issuer = Pubkey.from_string(header.issuer)
    account = report_address(issuer, header.period, header.version)
    role = role_address(issuer, RoleKind.PUBLISHER, publisher)
    name = name_of(header.period, header.version)
    title = f"Publish the reserve report {name}"
    snapshot = await read_snapshot(chain, [issuer, role, account])
    there = snapshot.find(ReserveReport, account)
    if there is not None:
        require_same_hash(header, account, there)
        return Plan(title, notes=(f"The chain has it since {instant(there.published_at)}, in {account}.",))
    require_role(snapshot.find(Role, role), RoleKind.PUBLISHER, publisher, snapshot.now)
    require_next_publication(snapshot.require(Issuer, issuer), header)

    async def is_done() -> bool:
        found = await read(chain, ReserveReport, account)
        return found is not None and found.hash == header.hash

    instruction = instructions.publish_report(
        payer=payer,
        publisher=publisher,
        role=role,
        issuer=issuer,
        previous=Pubkey.from_string(header.previous) if header.previous else None,
        corrects=Pubkey.from_string(header.corrects) if header.corrects else None,
        params=PublishReportParams(
            header.period,
            header.version,
            header.hash,
            encode_text(header.uri, URI_LIMIT, "address of the report"),
            header.as_of_slot,
        ),
    )
    action = new_action(
        # Of one version several reports may be built until one is published: each is an effect of its own.
        f"publish-report:{account}:{header.hash.hex()}",
        f"{title}, SHA-256 {header.hash.hex()}",
        instruction,
        payer,
        (publisher, "publisher"),
        is_done=is_done,
        is_guarded=True,
    )
    return Plan(title, (action,), tuple(notes))


async def find_anchor(chain: Chain, account: Pubkey, there: ReserveReport) -> Anchor:
    """Where the chain has a publication: its account, and the transaction that made it where the node still tells.

    The address is known beforehand, so that anybody may have named it earlier: it is the event that tells.
    """
    history: list[SignatureInfo] = []
    while len(history) < HISTORY:
        before = history[-1].signature if history else None
        page = await chain.get_signatures_for_address(account, limit=_PAGE, before=before, commitment="finalized")
        history += page
        if len(page) < _PAGE:
            break
    for info in reversed(history):
        landed = None if info.error is not None else await chain.get_transaction(info.signature, "finalized")
        if landed is None or landed.error is not None:
            continue
        for event in decode_events((each.program, each.accounts, each.data) for each in landed.inner):
            if isinstance(event, ReportPublished) and event.report == account:
                return Anchor(str(account), there.hash, landed.slot, str(info.signature), there.published_at)
    return Anchor(str(account), there.hash, 0, "", there.published_at)


__all__ = [
    "find_anchor",
    "list_publications",
    "name_of",
    "plan_publish_report",
    "publisher_keys",
    "require_next_publication",
    "require_same_hash",
]
