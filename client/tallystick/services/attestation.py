"""Attestation: from the custodians' statements to a reserve in force.

One attestation lists every declared custody account of the security, each with the statement that is the newest for it.
A statement that may not support an attestation (domain/evidence.py) stops it, and the refusal lists why.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.clock import instant
from tallystick.adapters.store.journal import MovementJournal
from tallystick.adapters.store.statements import StatementRegister, StatementStatus, StoredStatement
from tallystick.domain.amounts import MULTIPLIER_DECIMALS, format_base_units, format_shares
from tallystick.domain.breaks import Break, BreakKind
from tallystick.domain.canonical import sha256
from tallystick.domain.evidence import supports_attestation
from tallystick.domain.holdings import statement_hash
from tallystick.domain.identifiers import custody_accounts_hash
from tallystick.domain.reserve import statement_reserve
from tallystick.errors import Refused
from tallystick.program.addresses import (
    attestation_address,
    attestation_hash,
    role_address,
)
from tallystick.program.generated import instructions
from tallystick.program.generated.accounts import Attestation, Issuer, Role, Security
from tallystick.program.generated.types import Approval, AttestationContent, AttestParams, RoleKind, StatementLine
from tallystick.services.chain_reads import list_fills, list_securities, read, read_snapshot, require
from tallystick.services.plans import Action, Plan, new_action
from tallystick.services.redeemed import redeemed_before
from tallystick.services.rules import custody_accounts_at, is_in_force, policy_at
from tallystick.services.securities import CustodyAccount

NONE: Final = Pubkey.default()
LINES_IN_SMALL_TRANSACTION: Final = 6
"""With more custody accounts than this an attestation does not fit 1,232 bytes, and goes as version 1."""


class StatementsRefused(Refused):
    """Statements that may not support an attestation; `breaks` has everything that was found in them."""

    def __init__(self, message: str, breaks: tuple[Break, ...], *, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.breaks = breaks


@dataclass(frozen=True, slots=True)
class Claim:
    """What the attestors would say together, and where it is or would be on chain.

    `received_hash` is the SHA-256 of the one file as received; of several, of their hashes in the order of the lines.
    `breaks` were found in the statements and do not stop an attestation.
    """

    security: Pubkey
    content: AttestationContent
    content_hash: bytes
    address: Pubkey
    received_hash: bytes
    statements: tuple[StoredStatement, ...] = field(repr=False)
    breaks: tuple[Break, ...] = ()


async def build_claim(
    chain: Chain,
    statements: StatementRegister,
    *,
    security: Pubkey,
    custody_accounts: Sequence[CustodyAccount],
    journal: MovementJournal | None = None,
) -> Claim:
    """The claim that the newest statements support. `custody_accounts` are those the security declares.

    Shares redeemed in all that had left custody at the as-of come from the chain and, where there is one, from the
    journal of custody movements (services/redeemed.py says how). StatementsRefused, or Refused, when there is no claim.
    """
    account = await require(chain, Security, security)
    hashes = sorted(each.hash for each in custody_accounts)
    declared = (len(set(hashes)), custody_accounts_hash(hashes)) if len(set(hashes)) == len(hashes) else (0, b"")
    snapshot = await read_snapshot(chain, [security, account.attestation])
    account, now = snapshot.require(Security, security), snapshot.now
    expected_hash, expected = custody_accounts_at(account, now)
    if declared != (expected, expected_hash):
        raise Refused(
            f"These {len(hashes)} custody accounts are not the {expected} that the security declares.",
            hint="Name exactly those it was listed with, as the custodian spells them.",
        )
    isin = account.isin.decode()
    siblings = {each.isin.decode() for each in (await list_securities(chain, account.issuer)).accounts.values()}
    stored = [await statements.latest(each) for each in hashes]
    found = [each for each in stored if each is not None]
    breaks = _breaks(found, account, isin, siblings, hashes, now)
    _require_evidence(custody_accounts, found, breaks)
    lines = tuple(_line(each, isin, account.decimals) for each in found)
    as_of = min(line.as_of for line in lines)
    _require_newer(account, as_of, now)
    fills = await list_fills(chain, security, min_context_slot=snapshot.slot)
    redeemed = redeemed_before(
        security,
        as_of,
        {line.account: line.as_of for line in lines},
        fills.accounts.values(),
        await journal.list(bytes(security)) if journal is not None else (),
    )
    in_force = snapshot.find(Attestation, account.attestation) if account.attestation != NONE else None
    content = AttestationContent(
        as_of=as_of, shares=sum(line.shares for line in lines), redeemed=redeemed, supersedes=NONE, lines=lines
    )
    if in_force is not None and as_of == account.reserve_as_of:
        again = _superseding(content, in_force.supersedes)
        is_same = attestation_hash(security, again) == in_force.content_hash
        content = again if is_same else _superseding(content, account.attestation)
    digest = attestation_hash(security, content)
    sources = [source for each in found for source in each.statement.source_hashes]
    received = sources[0] if len(sources) == 1 else sha256(*sources)
    return Claim(
        security, content, digest, attestation_address(security, digest), received, tuple(found), tuple(breaks)
    )


async def plan_attest(
    chain: Chain,
    statements: StatementRegister,
    *,
    payer: Pubkey,
    security: Pubkey,
    custody_accounts: Sequence[CustodyAccount],
    attestors: Sequence[Pubkey],
    journal: MovementJournal | None = None,
) -> Plan:
    """Approve what the newest statements say, once for each of `attestors`, until the threshold is reached.

    Each approval is a transaction of its own, signed by that attestor. Approvals that are on chain are left out; so is
    everything when the claim is in force. Raises what build_claim raises, and Refused when no attestor is left to sign.
    """
    claim = await build_claim(chain, statements, security=security, custody_accounts=custody_accounts, journal=journal)
    issuer = (await require(chain, Security, security)).issuer
    roles = {key: role_address(issuer, RoleKind.ATTESTOR, key) for key in attestors}
    snapshot = await read_snapshot(chain, [security, issuer, claim.address, *roles.values()])
    account, epoch = snapshot.require(Security, security), snapshot.require(Issuer, issuer).attestor_epoch
    content, decimals = claim.content, account.decimals
    shares, threshold = format_shares(content.shares, decimals), policy_at(account, snapshot.now).threshold
    title = f"Attest {shares} of {account.isin.decode()} as of {instant(content.as_of)}"
    notes = [each.message for each in claim.breaks]
    if content.redeemed:
        notes.append(f"Redeemed and out of custody by then: {format_shares(content.redeemed, decimals)}.")
    notes += _change_notes(account, content, snapshot.now)
    existing = snapshot.find(Attestation, claim.address)
    if existing is not None and existing.in_force_at:
        return Plan(title, notes=(*notes, f"It is in force since {instant(existing.in_force_at)}."))
    approved = approvals_of(existing, epoch)
    missing = threshold - len(approved)
    signing: list[Pubkey] = []
    for key in roles:
        if key in approved:
            notes.append(f"{key} approved it already.")
        elif not is_in_force(snapshot.find(Role, roles[key]), snapshot.now):
            notes.append(f"{key} is no attestor of this issuer now, and is left out.")
        elif len(signing) < missing:
            signing.append(key)
    if not signing and not approved:
        raise Refused(
            f"None of the {len(roles)} keys named is an attestor in force.", hint="Sign with attestors' keys."
        )
    after = len(approved) + len(signing)
    notes.append(
        f"{after} of {threshold} approvals: it comes in force."
        if after >= threshold
        else f"{after} of {threshold} approvals: still to come: {threshold - after}."
    )

    def approve(key: Pubkey) -> Action:
        async def is_done() -> bool:
            found = await read(chain, Attestation, claim.address)
            return found is not None and (found.in_force_at != 0 or key in approvals_of(found, epoch))

        params = AttestParams(content_hash=claim.content_hash, received_hash=claim.received_hash, content=content)
        return new_action(
            f"attest:{claim.address}:{key}:{epoch}",
            f"{title}, by {key}",
            instructions.attest(
                payer=payer,
                attestor=key,
                role=roles[key],
                issuer=issuer,
                security=security,
                attestation=claim.address,
                params=params,
            ),
            payer,
            (key, "attestor"),
            is_done=is_done,
            is_guarded=True,
            version=0 if len(content.lines) <= LINES_IN_SMALL_TRANSACTION else 1,
        )

    return Plan(title, tuple(approve(key) for key in signing), tuple(notes))


def _change_notes(account: Security, content: AttestationContent, now: int) -> Iterator[str]:
    """What to look at near a change of the multiplier: a custodian may book it earlier or later than it takes effect
    here, and shares counted the other way would back too many tokens."""
    at = account.multiplier_effective_at
    if not at or not account.reserve_as_of <= at:
        return
    before, after, decimals = account.multiplier, account.pending_multiplier, account.decimals
    made = format_shares(account.reserve * after // before, decimals)
    change = " to ".join(format_base_units(each, MULTIPLIER_DECIMALS) for each in (before, after))
    attested = f"{format_shares(account.reserve, decimals)} were attested before, which the change makes {made}"
    if now < at:
        yield (
            f"The multiplier changes at {instant(at)}, from {change}: {attested}. Approve only if the custodian has not"
            " booked the change in this statement yet."
        )
    elif at < content.as_of:
        yield (
            f"First statement from after the multiplier changed at {instant(at)}, from {change}: {attested}. Approve"
            " only if the custodian has booked the change in it."
        )


def approvals_of(attestation: Attestation | None, epoch: int) -> frozenset[Pubkey]:
    """Attestors whose approval counts: those given in the current attestor epoch."""
    if attestation is None or attestation.epoch != epoch:
        return frozenset()
    return frozenset(approval.attestor for approval in given_approvals(attestation))


def given_approvals(attestation: Attestation) -> tuple[Approval, ...]:
    """What was approved, in order of arrival, without the empty places behind it."""
    return attestation.approvals[: attestation.approval_count]


def _breaks(
    found: Sequence[StoredStatement],
    account: Security,
    isin: str,
    siblings: set[str],
    hashes: Sequence[bytes],
    now: int,
) -> list[Break]:
    """Everything that speaks against the statements. Other securities of this issuer in them are no news."""
    listed = any(each.statement.lines_of(isin) for each in found)
    breaks: list[Break] = []
    for each in found:
        statement = each.statement
        if each.status is StatementStatus.CONFLICTING:
            breaks.append(
                Break(
                    BreakKind.CONFLICTING_STATEMENT,
                    f"Statement {statement.statement_id or '(no id)'}: {each.reason}",
                    "",
                    statement.account,
                    statement.statement_id,
                    None,
                    statement.as_of,
                )
            )
        for item in supports_attestation(
            statement,
            accounts=hashes,
            securities={isin: account.decimals},
            maximum_age=policy_at(account, now).max_attestation_age,
            now=now,
        ):
            is_sibling = item.kind is BreakKind.UNKNOWN_ISIN and item.instrument in siblings
            # A complete statement without the security says zero; that is odd only if no account holds any.
            is_zero = item.kind is BreakKind.MISSING_IN_CUSTODY and listed
            if not is_sibling and not (is_zero and _quantity(each, isin, account.decimals) == 0):
                breaks.append(item)
    return breaks


def _require_evidence(
    custody_accounts: Sequence[CustodyAccount], found: Sequence[StoredStatement], breaks: Sequence[Break]
) -> None:
    have = {each.account_hash for each in found}
    lacking = [
        f"no statement of account {each.account} at {each.custodian_lei} was received"
        for each in custody_accounts
        if each.hash not in have
    ]
    stopping = [each for each in breaks if each.stops_attestation]
    if lacking or stopping:
        reasons = "; ".join([*lacking, *(f"{each.kind.value}: {each.message}" for each in stopping)])
        raise StatementsRefused(
            f"The statements do not support an attestation: {reasons}",
            tuple(breaks),
            hint="Ask the custodian for a complete, settled statement that is newer, and read it; nothing was signed.",
        )


def _require_newer(account: Security, as_of: int, now: int) -> None:
    if as_of > now:
        raise Refused(
            f"The statements are of {instant(as_of)}, and the chain's clock shows {instant(now)}.",
            hint=f"The custodian's clock is ahead; run this again in {as_of - now} s.",
        )
    if as_of < account.reserve_as_of:
        raise Refused(
            f"A reserve of {instant(account.reserve_as_of)} is in force; these statements are of {instant(as_of)}.",
            hint="Read the custodians' newer statements first; a reserve never goes back in time.",
        )


def _line(stored: StoredStatement, isin: str, decimals: int) -> StatementLine:
    quantity = _quantity(stored, isin, decimals)
    if quantity is None:
        raise Refused(
            f"Statement {stored.statement.statement_id} leaves no certain quantity of {isin}.",
            hint="See its breaks; a quantity is never guessed.",
        )
    return StatementLine(
        account=stored.account_hash,
        shares=quantity,
        statement_hash=statement_hash(stored.statement, isin),
        as_of=stored.statement.as_of,
    )


def _quantity(stored: StoredStatement, isin: str, decimals: int) -> int | None:
    return statement_reserve(stored.statement, isin, decimals).quantity


def _superseding(content: AttestationContent, supersedes: Pubkey) -> AttestationContent:
    return AttestationContent(
        as_of=content.as_of,
        shares=content.shares,
        redeemed=content.redeemed,
        supersedes=supersedes,
        lines=content.lines,
    )
