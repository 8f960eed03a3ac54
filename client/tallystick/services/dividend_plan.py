"""A dividend planned: who is owed what, from the register at the record date and the cash that custodians confirmed.

Nothing is signed, and the same sources make the same bytes, so that a second person can compute it on another machine
and compare the root. What is kept: the list in batches, every owner's entitlement, what is carried forward, and a
document with sources, terms and control totals (docs/decisions/0033-dividend-plans.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.store.confirmations import ConfirmationStore
from tallystick.adapters.store.payouts import PayoutStore
from tallystick.adapters.store.registers import RegisterStore
from tallystick.domain.confirmations import ConfirmedCash, settled_cash
from tallystick.domain.distribution_tree import MAX_ENTRIES, DistributionTree
from tallystick.domain.dividend_terms import is_as_announced
from tallystick.domain.dividends import Carry, EntitlementPage, PayoutBatch, PayoutLine, PayoutRecord
from tallystick.domain.entitlements import (
    DividendTerms,
    Entitlements,
    compute_entitlements,
    pack_pages,
    payout_lines,
)
from tallystick.domain.identifiers import canonical_spelling, event_hash
from tallystick.errors import InputError, Refused, StoreConflict
from tallystick.program.addresses import distribution_address
from tallystick.program.generated.accounts import CorporateAction
from tallystick.program.generated.types import ActionStatus
from tallystick.program.token import associated_token_address, find_associated_token_address
from tallystick.services.action_reads import CODES, PAYS_CASH, currency_text, gross_text, kind_text, moment_text
from tallystick.services.chain_reads import chain_time, require
from tallystick.services.distribution_books import follow_distribution
from tallystick.services.distribution_reads import read_distribution
from tallystick.services.distribution_terms import require_recomputed
from tallystick.services.dividend_documents import Sources, plan_bytes
from tallystick.services.dividend_earlier import carried_before, earlier_distributions, require_known
from tallystick.services.dividend_rules import DividendRequest, DividendRules
from tallystick.services.payment_mints import PaymentMint, read_payment_mint
from tallystick.services.plans import require_text_reference
from tallystick.services.securities import CustodyAccount

DAY: Final = 86_400
FARTHEST_EAST: Final = 14 * 3_600
"""Seconds by which some clock is ahead of UTC."""


@dataclass(frozen=True, slots=True)
class DividendPlan:
    """A dividend as computed. `differences` are those from the announcement that somebody accepted."""

    record: PayoutRecord
    entitlements: Entitlements
    lines: tuple[PayoutLine, ...]
    carries: tuple[Carry, ...]
    tax_class_names: tuple[str, ...]
    differences: tuple[str, ...] = ()

    @property
    def batches(self) -> tuple[PayoutBatch, ...]:
        """The lines as they are paid."""
        size = self.record.batch_size
        return tuple(
            PayoutBatch(number, self.lines[start : start + size])
            for number, start in enumerate(range(0, len(self.lines), size))
        )

    @property
    def pages(self) -> tuple[EntitlementPage, ...]:
        """Every owner's entitlement as it is stored."""
        return tuple(pack_pages(self.entitlements.entitlements, self.tax_class_names))


async def plan_dividend(
    chain: Chain,
    registers: RegisterStore,
    confirmations: ConfirmationStore,
    payouts: PayoutStore,
    rules: DividendRules,
    request: DividendRequest,
    *,
    number: int | None = None,
) -> DividendPlan:
    """Compute a dividend and keep it; nothing is signed. Raises what compute_dividend does, and StoreConflict when
    another plan of this distribution is opened already.

    With the `number` of one that is opened, it is computed anew for a store that lost it; Refused when what comes out
    is not what the chain has. The request names expiry and payout key as they are on chain.
    """
    plan = await compute_dividend(chain, registers, confirmations, payouts, rules, request, number=number)
    if number is not None:
        seen = await read_distribution(chain, Pubkey.from_bytes(plan.record.address))
        require_recomputed(plan.record, seen.require().fields)
    try:
        kept = await payouts.add(plan.record, plan.batches, plan.pages, plan.carries)
    except StoreConflict as error:
        raise StoreConflict(
            error.message,
            hint="It is opened on chain; close it first (tally dividend close), then plan the next one.",
        ) from error
    kept, _ = await follow_distribution(chain, payouts, kept)
    return replace(plan, record=kept)


async def compute_dividend(
    chain: Chain,
    registers: RegisterStore,
    confirmations: ConfirmationStore,
    payouts: PayoutStore,
    rules: DividendRules,
    request: DividendRequest,
    *,
    number: int | None = None,
) -> DividendPlan:
    """Compute a dividend and keep nothing. `number` is that of a distribution which is opened already, for whoever
    computes it anew to compare; else the next one's.

    Refused without a register, without cash confirmed, for an action that is not approved, when confirmations and
    announcement differ and no reason is given, when an earlier distribution of the event is in the way, and, for a next
    one, when the store misses a dividend of the security.
    ConfigurationError when no payment token is declared for the currency; else what the entitlements raise.
    """
    action = await require(chain, CorporateAction, request.action)
    if event_hash(request.event_id) != action.event_hash:
        raise InputError(f"The event {request.event_id} is not the one of the action {request.action}.")
    _require_payable(action)
    register = await registers.find(bytes(action.security), action.event_hash)
    if register is None:
        raise Refused(
            f"No register of {canonical_spelling(request.event_id)} was taken at its record date.",
            hint="Take it with: tally dividend record",
        )
    if register.record_at != action.terms.record_at:
        raise Refused(
            f"The register is of {moment_text(register.record_at)}, the announced record date is"
            f" {moment_text(action.terms.record_at)}.",
            hint="The event was corrected since. Announce it as an event of its own, and take the register of that.",
        )
    event = canonical_spelling(request.event_id)
    cash = settled_cash(await confirmations.list(request.isin, event))
    now = await chain_time(chain)
    _require_credited(cash, request, now)
    payment = await read_payment_mint(chain, rules.payment_mint(cash.currency))
    day = record_day(action.terms.record_at)
    terms = DividendTerms(
        eligible=cash.eligible,
        gross=cash.gross,
        tax=cash.tax,
        net=cash.net,
        payment_decimals=payment.decimals,
        rates=rules.table.rates_on(day),
        default_class=rules.table.default_class,
        fee=rules.fee,
        minimum=rules.minimum.to_base_units(payment.decimals),
    )
    differences = _require_as_announced(action, cash, terms, request.accepted)
    if number is None:
        number = action.distributions
        await require_known(chain, payouts, action.security)
    earlier = await earlier_distributions(chain, payouts, request.action, number, payment, corrects=request.corrects)
    address = distribution_address(request.action, number)
    before = await carried_before(chain, payouts, bytes(action.security), payment, earlier, besides=bytes(address))
    already = dict(earlier.committed)
    for owner, units in before.used.items():
        already[owner] = already.get(owner, 0) + units
    owed = compute_entitlements(register, terms, tax_classes=rules.tax_classes, carried=before.carried, already=already)
    lines = tuple(payout_lines(owed.entitlements, payment_account(payment)))
    if not lines:
        raise Refused(
            "Nobody is paid by this: every part is below the minimum, paid before, or the issuer's own.",
            hint="Lower --minimum, or leave it: what is too little is carried forward once a distribution pays.",
        )
    tree = DistributionTree(bytes(address), [line.entry for line in lines])
    names = tuple(sorted(terms.rates))
    refund = associated_token_address(rules.refund_owner, payment.address, payment.token_program)
    [register_hash] = [
        hashed for event_, _, hashed in await registers.hashes(bytes(action.security)) if event_ == action.event_hash
    ]
    record = PayoutRecord(
        address=bytes(address),
        security=bytes(action.security),
        action=bytes(request.action),
        number=number,
        payment_mint=bytes(payment.address),
        token_program=bytes(payment.token_program),
        payment_decimals=payment.decimals,
        payout_key=bytes(request.payout_key),
        refund=bytes(refund),
        root=tree.root,
        batches=len(tree.batches),
        entries=tree.entries,
        total=tree.total,
        expires_at=request.expires_at,
        document=b"",
        created_at=now,
        batch_size=MAX_ENTRIES,
    )
    sources = Sources(request, action, register, register_hash, cash, rules, terms, day, earlier, differences)
    record = replace(record, document=plan_bytes(record, sources, owed, lines, names))
    return DividendPlan(record, owed, lines, owed.carry_changes(before.kept), names, differences)


def payment_account(payment: PaymentMint) -> Callable[[bytes], tuple[bytes, int]]:
    """Gives each owner's associated account of the payment mint and its bump; a million take some seconds."""
    mint, program = bytes(payment.address), bytes(payment.token_program)

    def account(owner: bytes) -> tuple[bytes, int]:
        address, bump = find_associated_token_address(owner, mint, program)
        return bytes(address), bump

    return account


def record_day(record_at: int) -> str:
    """The record date as a day: one that ends at the record time, 24:00 UTC, is the day before."""
    return datetime.fromtimestamp(record_at - 1, UTC).date().isoformat()


def _require_payable(action: CorporateAction) -> None:
    """Refused unless the action pays cash and stands approved."""
    if action.kind not in PAYS_CASH:
        raise Refused(
            f"A {kind_text(action.kind)} pays no cash, so nothing is planned for it.", hint="See: tally action show"
        )
    if action.status not in (ActionStatus.APPROVED, ActionStatus.EXECUTED):
        raise Refused(
            f"The corporate action is {action.status.name.lower()}; only an approved one is paid.",
            hint="A second corporate actions key approves it with: tally action approve",
        )


def _require_credited(cash: ConfirmedCash, request: DividendRequest, now: int) -> None:
    """Refused for a confirmation of an account that the profile does not name for the security, and for one that is
    posted on a day that has come nowhere on earth."""
    declared = {account.hash for account in request.accounts}
    today = datetime.fromtimestamp(now + FARTHEST_EAST, UTC).date().isoformat()
    for each in cash.standing:
        if each.posted[:10] > today:
            raise Refused(
                f"Confirmation {each.reference} is posted on {each.posted}; that day has not come, and nor has the"
                " cash.",
                hint="Plan it once the custodian has credited the account.",
            )
        if CustodyAccount(each.custodian_lei, each.account).hash not in declared:
            raise Refused(
                f"Confirmation {each.reference} is of account {each.account} at {each.custodian_lei}, not of this"
                " security.",
                hint="Add the account to the security in the profile if shares behind its tokens were there.",
            )


def _require_as_announced(
    action: CorporateAction, cash: ConfirmedCash, terms: DividendTerms, accepted: str
) -> tuple[str, ...]:
    """What differs from the announcement, in sentences. Refused for another currency, and for anything else unless a
    reason was given; InputError for one that is none."""
    announced = currency_text(action.terms)
    if cash.currency != announced:
        raise Refused(
            f"The custodian paid in {cash.currency}; {announced} was announced.",
            hint="Announce the event anew in the currency that is paid: tally action announce --corrects",
        )
    differences: list[str] = []
    if cash.event_code and cash.event_code != CODES[action.kind]:
        differences.append(f"The custodian confirmed a {cash.event_code}, a {CODES[action.kind]} was announced.")
    if not is_as_announced(terms, action.terms.gross_per_share):
        differences.append(
            f"The custodian's gross {cash.gross} {cash.currency} for {cash.eligible} shares is not the announced"
            f" {gross_text(action.terms)} a share."
        )
    days = {record_day(action.terms.record_at), record_day(action.terms.record_at + 1)}
    others = sorted({each.record_date for each in cash.standing if each.record_date} - days)
    if others:
        differences.append(
            f"The custodian's record date is {', '.join(others)}, {record_day(action.terms.record_at)} was announced."
        )
    if not differences:
        return ()
    if not accepted:
        raise Refused(
            " ".join(differences),
            hint="Ask the custodian and compare the notice. Where the confirmation is right and is to be paid, say why:"
            " --accept-difference REASON",
        )
    require_text_reference(accepted, 2_000)
    return tuple(differences)


__all__ = [
    "DividendPlan",
    "DividendRequest",
    "compute_dividend",
    "payment_account",
    "plan_dividend",
    "record_day",
]
