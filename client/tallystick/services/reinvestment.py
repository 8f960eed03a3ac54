"""Reinvested dividends: the shares that the dividend bought reach the holders by the multiplier.

The ratio is (shares that the supply requires + shares bought) to the shares that the supply requires, the latter
rounded up: what the tokens require grows by at most what was bought, and the issuer's surplus stays what it was.
Nothing is announced before a custodian's statement shows the shares, nor executed when its newest one does not back it.
Why not the raw quantities in custody: docs/decisions/0028-reinvested-dividends.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import gcd

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.clock import instant
from tallystick.adapters.store.journal import MovementJournal
from tallystick.adapters.store.statements import StatementRegister, StatementStatus
from tallystick.domain.amounts import (
    Rounding,
    changed_multiplier,
    float_bits_to_text,
    format_base_units,
    format_shares,
    format_tokens,
    multiplier_to_float_bits,
    share_equivalent,
)
from tallystick.domain.holdings import StatementOfHoldings
from tallystick.domain.identifiers import event_hash
from tallystick.domain.orders import MovementDirection
from tallystick.domain.reserve import statement_reserve
from tallystick.errors import AmountError, Refused
from tallystick.program.generated.accounts import CorporateAction, Security
from tallystick.program.generated.types import ActionKind, ActionStatus, ActionTerms
from tallystick.services.action_execution import plan_execute_action
from tallystick.services.action_reads import after_ratio, moment_text, multiplier_text
from tallystick.services.action_rules import NO_CURRENCY
from tallystick.services.attestation import Claim, build_claim
from tallystick.services.chain_reads import list_actions, read_snapshot, require
from tallystick.services.corporate_actions import plan_announce_action
from tallystick.services.plans import Plan
from tallystick.services.reconciliation_custody import newest_statement
from tallystick.services.rules import multiplier_at, policy_at
from tallystick.services.securities import CustodyAccount

_LIVE = (ActionStatus.ANNOUNCED, ActionStatus.APPROVED, ActionStatus.EXECUTED)
_SHOWN = 3
"""So many earlier statements are named where none shows the purchase."""


@dataclass(frozen=True, slots=True)
class Reinvestment:
    """What a purchase makes of the multiplier (18 places). Shares in base units, `supply` in raw units.

    `held_before` and `held_after` are the free shares of all custody accounts on the last statements before the
    purchase and on the newest ones, `moved` the named movements between them (deliveries below zero), and
    `held_after` - `held_before` - `moved` = `bought`. `backing` is what of `held_after` no settled redemption has still
    to take. As-ofs in seconds since 1970 UTC. `evidence_hash` is the SHA-256 of the newest statement's file; of
    several, of their hashes in the order of the custody accounts' hashes.
    """

    security: Pubkey
    decimals: int
    supply: int
    required: int
    bought: int
    held_before: int
    held_after: int
    moved: int
    backing: int
    as_of_before: int
    as_of_after: int
    multiplier_before: int
    multiplier_after: int
    numerator: int
    denominator: int
    evidence_hash: bytes

    @property
    def multiplier_bits(self) -> int:
        """The 64 bits of the double that Token-2022 will hold: the greatest one not above `multiplier_after`."""
        return multiplier_to_float_bits(self.multiplier_after)

    @property
    def notes(self) -> tuple[str, ...]:
        """Where the ratio comes from, and both values of the new multiplier, for whoever signs."""
        held = " → ".join(format_base_units(each, self.decimals) for each in (self.held_before, self.held_after))
        moved = f", {format_shares(self.moved, self.decimals)} by named movements" if self.moved else ""
        custody = (
            f"In custody {held} free shares, from {instant(self.as_of_before)} to {instant(self.as_of_after)}{moved}:"
            f" {format_shares(self.bought, self.decimals)} bought."
        )
        backed = (
            f"{format_tokens(self.supply, self.decimals)} require {format_shares(self.required, self.decimals)};"
            f" with the bought ones {format_base_units(self.required + self.bought, self.decimals)},"
            f" of {format_base_units(self.backing, self.decimals)} that back."
        )
        exact = (
            f"Exactly: {multiplier_text(self.multiplier_before)} x {self.numerator} / {self.denominator}, to 18 places"
            f" {multiplier_text(self.multiplier_after)}; {_double(self.multiplier_after)}."
        )
        return custody, backed, exact

    @property
    def details(self) -> dict[str, str]:
        """The same as plain data; amounts as exact decimal text."""
        return {
            "bought": format_base_units(self.bought, self.decimals),
            "required_before": format_base_units(self.required, self.decimals),
            "custody_before": format_base_units(self.held_before, self.decimals),
            "custody_after": format_base_units(self.held_after, self.decimals),
            "moved": format_base_units(self.moved, self.decimals),
            "as_of_before": instant(self.as_of_before),
            "as_of_after": instant(self.as_of_after),
            "numerator": str(self.numerator),
            "denominator": str(self.denominator),
            "multiplier_before": multiplier_text(self.multiplier_before),
            "multiplier_after": multiplier_text(self.multiplier_after),
            "multiplier_double": float_bits_to_text(self.multiplier_bits),
            "multiplier_bits": f"0x{self.multiplier_bits:016x}",
        }


async def find_reinvestment(
    chain: Chain,
    statements: StatementRegister,
    journal: MovementJournal,
    *,
    security: Pubkey,
    custody_accounts: Sequence[CustodyAccount],
    event_id: str,
    bought: int,
) -> Reinvestment:
    """What `bought` shares (base units) make of the multiplier, once the custodians' statements show them.

    The newest statements have to support an attestation. The purchase is looked for backwards from them: the last
    earlier statements from which on exactly `bought` shares came that no booked movement of the journal explains. It is
    never looked for before the statements that another reinvested dividend was announced on, so that one purchase
    counts once. Refused (StatementsRefused among it) when the shares are not there, when there are no tokens, and when
    the supply at the new multiplier would not be backed.
    """
    if bought <= 0:
        raise AmountError("A reinvestment buys a number of shares above zero.", hint="Say what the dividend bought.")
    claim = await build_claim(chain, statements, security=security, custody_accounts=custody_accounts, journal=journal)
    known = await _usable(statements, claim)
    floor = await _last_reinvestment(chain, security, event_id)
    snapshot = await read_snapshot(chain, [security])
    account, now = snapshot.require(Security, security), snapshot.now
    as_of, held, moved = await _before(claim, known, journal, account, bought, floor)
    supply, multiplier = max(account.minted - account.burnt, 0), multiplier_at(account, now)
    required = share_equivalent(supply, multiplier, Rounding.UP)
    if required == 0:
        raise Refused("There are no tokens, so nobody's dividend is reinvested.")
    divisor = gcd(required + bought, required)
    numerator, denominator = (required + bought) // divisor, required // divisor
    after = changed_multiplier(multiplier, numerator, denominator)
    backing = _backing(claim, account)
    _require_backed(supply, after, backing, account.decimals)
    return Reinvestment(
        security=security,
        decimals=account.decimals,
        supply=supply,
        required=required,
        bought=bought,
        held_before=held,
        held_after=claim.content.shares,
        moved=moved,
        backing=backing,
        as_of_before=as_of,
        as_of_after=claim.content.as_of,
        multiplier_before=multiplier,
        multiplier_after=after,
        numerator=numerator,
        denominator=denominator,
        evidence_hash=claim.received_hash,
    )


async def plan_reinvest(
    chain: Chain,
    reinvestment: Reinvestment,
    *,
    payer: Pubkey,
    announcer: Pubkey,
    event_id: str,
    effective_at: int,
    evidence_hash: bytes | None = None,
    corrects: bool = False,
) -> Plan:
    """Announce the reinvested dividend. Signed by a corporate actions key; a second one has to approve it.

    `evidence_hash` is the SHA-256 of the custodian's confirmation of the purchase, where there is one; else the newest
    statement's. Raises what plan_announce_action raises, and Refused while another change of the multiplier is pending.
    """
    terms = ActionTerms(
        ex_at=0,
        record_at=0,
        pay_at=0,
        effective_at=effective_at,
        numerator=reinvestment.numerator,
        denominator=reinvestment.denominator,
        gross_per_share=0,
        currency=NO_CURRENCY,
        withholding=0,
        evidence_hash=evidence_hash or reinvestment.evidence_hash,
    )
    plan = await plan_announce_action(
        chain,
        payer=payer,
        security=reinvestment.security,
        announcer=announcer,
        event_id=event_id,
        kind=ActionKind.REINVESTED_DIVIDEND,
        terms=terms,
        corrects=corrects,
    )
    snapshot = await read_snapshot(chain, [reinvestment.security])
    account, now = snapshot.require(Security, reinvestment.security), snapshot.now
    if now < account.multiplier_effective_at:
        raise Refused(
            f"Another change of the multiplier is pending until {moment_text(account.multiplier_effective_at)}, and a"
            " reinvestment is computed from the multiplier that it changes.",
            hint="Run this again after it took effect, or cancel it first; tally action list shows it.",
        )
    return _told(plan, reinvestment.multiplier_before, reinvestment.multiplier_after, reinvestment.notes)


async def plan_execute_reinvested(
    chain: Chain,
    statements: StatementRegister,
    journal: MovementJournal,
    *,
    payer: Pubkey,
    executor: Pubkey,
    action: Pubkey,
    custody_accounts: Sequence[CustodyAccount],
) -> Plan:
    """As plan_execute_action, for a reinvested dividend: only what the newest statements back.

    Tokens minted since the announcement would grow as well, and no share was bought for them. So it is executed once
    nothing is minted any more: inside the policy's window before the effective time, or while a hold stops minting; and
    Refused when the supply of that moment, at the new multiplier, requires more than backs it.
    """
    plan = await plan_execute_action(chain, payer=payer, executor=executor, action=action)
    if plan.is_empty:
        return plan
    found = await require(chain, CorporateAction, action)
    claim = await build_claim(
        chain, statements, security=found.security, custody_accounts=custody_accounts, journal=journal
    )
    snapshot = await read_snapshot(chain, [found.security])
    account, now = snapshot.require(Security, found.security), snapshot.now
    held_until = _require_no_mints(account, found.terms, now)
    before = multiplier_at(account, now)
    after = after_ratio(before, found.terms)
    if after is None:
        raise Refused("The ratio leaves no multiplier that can be written.", hint="Announce a smaller one.")
    supply, backing = max(account.minted - account.burnt, 0), _backing(claim, account)
    required = _require_backed(supply, after, backing, account.decimals)
    decimals = account.decimals
    note = (
        f"At the new multiplier {format_tokens(supply, decimals)} require {format_shares(required, decimals)}, of"
        f" {format_base_units(backing, decimals)} that back as of {instant(claim.content.as_of)}."
    )
    keep = f"Keep the hold on minting until {moment_text(held_until)}: what is minted before grows too."
    return _told(plan, before, after, (note, keep) if held_until else (note,))


def _told(plan: Plan, before: int, after: int, notes: Sequence[str]) -> Plan:
    """The plan with the notes, and with both values of the multiplier in what the audit log says of each action."""
    change = f": multiplier {multiplier_text(before)} → {multiplier_text(after)}, {_double(after)}"
    actions = tuple(replace(each, summary=each.summary + change) for each in plan.actions)
    return replace(plan, actions=actions, notes=(*notes, *plan.notes))


def _double(multiplier: int) -> str:
    bits = multiplier_to_float_bits(multiplier)
    return f"in Token-2022 the double {float_bits_to_text(bits)} (bits 0x{bits:016x})"


async def _usable(statements: StatementRegister, claim: Claim) -> list[StatementOfHoldings]:
    """Every statement of the claim's accounts that may be used."""
    return [
        each.statement
        for line in claim.content.lines
        for each in await statements.list(line.account)
        if each.status is StatementStatus.USABLE
    ]


async def _last_reinvestment(chain: Chain, security: Pubkey, event_id: str) -> int:
    """When another event's reinvested dividend was last announced, 0 when none was."""
    hashed = event_hash(event_id)
    found = (await list_actions(chain, security)).accounts.values()
    return max(
        (
            each.announced_at
            for each in found
            if each.kind is ActionKind.REINVESTED_DIVIDEND and each.status in _LIVE and each.event_hash != hashed
        ),
        default=0,
    )


async def _before(
    claim: Claim,
    known: Sequence[StatementOfHoldings],
    journal: MovementJournal,
    account: Security,
    bought: int,
    floor: int,
) -> tuple[int, int, int]:
    """As-of and free shares of the last statements before the purchase, and what named movements brought since."""
    isin, decimals = account.isin.decode(), account.decimals
    after = {line.account: line.as_of for line in claim.content.lines}
    movements = await journal.list(bytes(claim.security))
    seen: list[str] = []
    for moment, earlier in _earlier(known, after, floor):
        quantities = [statement_reserve(each, isin, decimals).quantity for each in earlier.values()]
        if None in quantities:
            continue
        held = sum(each for each in quantities if each is not None)
        moved = sum(
            each.shares if each.direction is MovementDirection.RECEIVED else -each.shares
            for each in movements
            if each.account_hash in after
            and each.booked_at is not None
            and earlier[each.account_hash].as_of < each.booked_at <= after[each.account_hash]
        )
        came = claim.content.shares - held - moved
        if came == bought:
            return moment, held, moved
        seen.append(f"{format_base_units(came, decimals)} since {instant(moment)}")
    shown = "; ".join(seen[:_SHOWN]) or "there is no earlier statement to compare with"
    since = " since the last reinvested dividend was announced" if floor else ""
    raise Refused(
        f"The statements{since} do not show {format_shares(bought, decimals)} bought: shares that no movement of the"
        f" journal explains: {shown}.",
        hint="Wait for the statement that has the purchase and read it, record movements that are missing in the"
        " journal, or correct --bought.",
    )


def _earlier(
    known: Sequence[StatementOfHoldings], after: dict[bytes, int], floor: int
) -> Iterator[tuple[int, dict[bytes, StatementOfHoldings]]]:
    """The newest statement of each account at every earlier moment, newest moment first.

    The last moment is the one whose statements were there at `floor`; none when the newest ones were.
    """
    newest = max(after.values())
    if newest <= floor:
        return
    for moment in sorted({each.as_of for each in known if each.as_of < newest}, reverse=True):
        found = {hashed: newest_statement(hashed, known, until=min(moment, as_of)) for hashed, as_of in after.items()}
        if any(each is None for each in found.values()):
            return
        yield moment, {hashed: each for hashed, each in found.items() if each is not None}
        if moment <= floor:
            return


def _backing(claim: Claim, account: Security) -> int:
    """Free shares of the statements less those that settled redemptions have still to take, as law 1 counts them."""
    return max(claim.content.shares - max(account.redeemed - claim.content.redeemed, 0), 0)


def _require_backed(supply: int, multiplier: int, backing: int, decimals: int) -> int:
    """What the supply requires at a multiplier, rounded up. Refused when that is more than backs it."""
    required = share_equivalent(supply, multiplier, Rounding.UP)
    if required > backing:
        raise Refused(
            f"At the new multiplier {format_tokens(supply, decimals)} would require"
            f" {format_shares(required, decimals)}; the newest statements back {format_base_units(backing, decimals)}.",
            hint="Read a newer statement if shares arrived since. Else announce a smaller ratio: tally dividend"
            " reinvest with --corrects.",
        )
    return required


def _require_no_mints(account: Security, terms: ActionTerms, now: int) -> int:
    """Until when a hold has to stop minting, 0 when the change window does. Refused while tokens may be minted."""
    window_from = terms.effective_at - policy_at(account, now).change_window
    if now >= window_from:
        return 0
    if not (account.mint_holds or account.transfer_holds):
        raise Refused(
            f"Tokens may be minted until {moment_text(window_from)}, and would grow by shares that were not bought for"
            " them.",
            hint="Execute it from then on, or stop minting first: tally hold place --scope mint",
        )
    return window_from


__all__ = ["Reinvestment", "find_reinvestment", "plan_execute_reinvested", "plan_reinvest"]
