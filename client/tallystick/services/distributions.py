"""Distributions: opened for a plan, approved by a second key, and closed (law 4).

Each plan reads first and refuses in words what the program would refuse. Funding and claims are in
distribution_payments.py, what is pushed in batches in payout_push.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.store.payouts import PayoutStore
from tallystick.domain.dividends import PayoutRecord
from tallystick.errors import InputError, Refused
from tallystick.program.addresses import distribution_address, role_address
from tallystick.program.distribution_account import HEADER_LENGTH, MAX_GROWTH, WORD
from tallystick.program.generated import instructions
from tallystick.program.generated.accounts import CorporateAction, Role, Security
from tallystick.program.generated.types import (
    ActionStatus,
    ApproveDistributionParams,
    DistributionStatus,
    OpenDistributionParams,
    RoleKind,
)
from tallystick.program.token import (
    associated_token_address,
    create_associated_token_account_idempotent,
)
from tallystick.services.action_reads import PAYS_CASH, moment_text
from tallystick.services.chain_reads import read_snapshot, require
from tallystick.services.distribution_reads import distribution_in, read_distribution
from tallystick.services.distribution_terms import (
    cash,
    described,
    keys,
    require_recomputed,
    require_same,
    terms_notes,
    titled,
    token_account,
)
from tallystick.services.payment_mints import check_payment_mint
from tallystick.services.payout_lines import whole_tree
from tallystick.services.plans import Action, Plan, new_action
from tallystick.services.rules import kind_name, require_role

LONGEST: Final = 3_653 * 86_400
"""Seconds ahead that an expiry may lie (programs/tallystick/src/constants.rs)."""
GROWN_AT_ONCE: Final = 8
"""Calls of grow_distribution in one transaction."""
_DISTRIBUTOR: Final = RoleKind.DISTRIBUTOR
_APPROVER: Final = RoleKind.CORPORATE_ACTIONS


async def plan_open_distribution(
    chain: Chain, record: PayoutRecord, *, payer: Pubkey, distributor: Pubkey, refund_owner: Pubkey
) -> Plan:
    """Open a planned distribution: its refund account where missing, its account with the escrow, and room for a bit of
    every entry. Signed by a distributor; `payer` pays the rent and gets it back at the close.

    `refund_owner` is the wallet whose associated account the plan names as the refund account; InputError otherwise.
    """
    address, action, mint = keys(record.address, record.action, record.payment_mint)
    program, refund = keys(record.token_program, record.refund)
    if associated_token_address(refund_owner, mint, program) != refund:
        raise InputError(
            f"The refund account {refund} of the plan is not the associated account of {refund_owner}.",
            hint="Plan it again with: tally dividend plan — the refund's owner has changed since.",
        )
    security = await require(chain, Security, Pubkey.from_bytes(record.security))
    role = role_address(security.issuer, _DISTRIBUTOR, distributor)
    snapshot = await read_snapshot(chain, [address, action, role, mint, refund])
    now, found = snapshot.now, distribution_in(snapshot, address).account
    title = f"Open {titled(record, security)}"
    notes: list[str] = []
    actions: list[Action] = []
    if found is None:
        _require_openable(record, snapshot.require(CorporateAction, action), now)
        require_role(snapshot.find(Role, role), _DISTRIBUTOR, distributor, now)
        payment = check_payment_mint(mint, snapshot.accounts)
        if (payment.token_program, payment.decimals) != (program, record.payment_decimals):
            raise Refused(f"The payment token {mint} changed since this was planned.", hint="Plan it again.")
        has_refund = snapshot.accounts[refund] is not None
        actions.append(_open(chain, record, title, payer, distributor, role, refund_owner, has_refund=has_refund))
        length = min(HEADER_LENGTH + WORD * record.batches, MAX_GROWTH)
        notes += terms_notes(record)
        if not has_refund:
            notes.append(f"The refund account of {refund_owner} is created with it.")
    else:
        require_same(record, found.fields)
        if found.fields.status is not DistributionStatus.OPEN:
            name = found.fields.status.name.lower()
            return Plan(title, notes=(f"It was opened on {moment_text(found.fields.opened_at)} and is {name}.",))
        notes.append(f"It was opened on {moment_text(found.fields.opened_at)} by {found.fields.opener}.")
        length = found.length
    actions += _growth(chain, record, title, payer, length)
    if actions:
        notes.append("Next, a second key approves it: tally dividend approve")
    return Plan(title, tuple(actions), tuple(notes))


async def plan_approve_distribution(
    chain: Chain,
    payouts: PayoutStore,
    record: PayoutRecord,
    *,
    payer: Pubkey,
    approver: Pubkey,
    recomputed: PayoutRecord,
) -> Plan:
    """Approve who is paid what. Signed by a corporate actions key that did not open it.

    The whole tree is built anew from the payments in the store and compared with the chain's account, and so is
    `recomputed`: the same plan made from the approver's own register and confirmations.
    """
    address, action = keys(record.address, record.action)
    seen = (await read_distribution(chain, address)).require()
    role = role_address(seen.fields.issuer, _APPROVER, approver)
    snapshot = await read_snapshot(chain, [address, action, role, seen.fields.security])
    account, now = distribution_in(snapshot, address).require(), snapshot.now
    fields = account.fields
    security = snapshot.require(Security, fields.security)
    title = f"Approve {titled(record, security)}"
    if fields.status is DistributionStatus.APPROVED:
        require_same(record, fields)
        return Plan(title, notes=(f"{fields.root_approver} approved it on {moment_text(fields.approved_at)}.",))
    if fields.status is DistributionStatus.CLOSED:
        raise Refused(f"It was closed on {moment_text(fields.closed_at)}.", hint="Plan a new one: tally dividend plan")
    require_same(record, fields)
    require_recomputed(recomputed, fields)
    await whole_tree(payouts, record)
    if fields.opener == approver:
        raise Refused(
            f"{approver} opened this distribution, and the key that opened it cannot approve it.",
            hint="A corporate actions key that is another one has to.",
        )
    require_role(snapshot.find(Role, role), _APPROVER, approver, now)
    if not account.is_full_grown:
        raise Refused(
            f"The account still has to grow by {account.growth_steps} steps before it can be approved.",
            hint="Carry the opening on with: tally dividend open",
        )
    _require_pays(snapshot.require(CorporateAction, action))
    notes = [
        *terms_notes(record),
        f"Opened by {fields.opener} on {moment_text(fields.opened_at)}; rent goes back to {fields.payer}.",
        f"All {record.entries:,} payments were computed anew from this machine's register and confirmations.",
        "From then on it can be funded and paid, and only its expiry or the last payment ends it.",
    ]

    async def is_done() -> bool:
        return (await read_distribution(chain, address)).require().fields.approved_at != 0

    params = ApproveDistributionParams(
        record.root, record.entries, record.total, Pubkey.from_bytes(record.refund), record.expires_at
    )
    instruction = instructions.approve_distribution(
        approver=approver, role=role, action=action, distribution=address, params=params
    )
    step = new_action(
        f"approve-distribution:{address}:{record.root[:8].hex()}",
        title,
        instruction,
        payer,
        (approver, kind_name(_APPROVER)),
        is_done=is_done,
        is_guarded=True,
    )
    return Plan(title, (step,), tuple(notes))


async def plan_close_distribution(
    chain: Chain, record: PayoutRecord, *, payer: Pubkey, distributor: Pubkey, refund_owner: Pubkey
) -> Plan:
    """End a distribution and refund what was not paid. Signed by a distributor; only once every entry is paid,
    the expiry has come, or nobody approved it. Creates the refund account again where it is gone."""
    address, mint, program = keys(record.address, record.payment_mint, record.token_program)
    seen = (await read_distribution(chain, address)).require().fields
    role = role_address(seen.issuer, _DISTRIBUTOR, distributor)
    snapshot = await read_snapshot(chain, [address, role, seen.escrow, seen.refund])
    fields, now = distribution_in(snapshot, address).require().fields, snapshot.now
    title = f"Close {described(record)}"
    if fields.status is DistributionStatus.CLOSED:
        paid = f"{fields.paid_entries:,} of {fields.entries:,} entries paid"
        return Plan(title, notes=(f"It was closed on {moment_text(fields.closed_at)}, {paid}.",))
    left = fields.entries - fields.paid_entries
    if fields.status is DistributionStatus.APPROVED and left and now < fields.expires_at:
        raise Refused(
            f"{left:,} of {fields.entries:,} payments are not made; it expires at {moment_text(fields.expires_at)}.",
            hint="Until then holders may claim; pay them with tally dividend push or claim, or wait.",
        )
    require_role(snapshot.find(Role, role), _DISTRIBUTOR, distributor, now)
    escrow = token_account(snapshot.accounts[fields.escrow], program)
    refunded = escrow.amount if escrow is not None else 0
    steps: list[Instruction] = []
    if snapshot.accounts[fields.refund] is None and refunded:
        if associated_token_address(refund_owner, mint, program) != fields.refund:
            raise Refused(
                f"The refund account {fields.refund} is gone.", hint="Its owner has to open it again before the close."
            )
        steps.append(
            create_associated_token_account_idempotent(
                payer=payer, wallet=refund_owner, mint=mint, token_program=program
            )
        )
    steps.append(
        instructions.close_distribution(
            distributor=distributor,
            role=role,
            distribution=address,
            rent_recipient=fields.payer,
            payment_mint=mint,
            escrow=fields.escrow,
            refund=fields.refund,
            token_program=program,
        )
    )

    async def is_done() -> bool:
        return (await read_distribution(chain, address)).require().fields.status is DistributionStatus.CLOSED

    notes = [f"{cash(record, refunded)} go back to {fields.refund}, the rent to {fields.payer}."]
    if fields.status is DistributionStatus.OPEN:
        notes.append("It was never approved: nobody was paid from it, and its number is used up.")
    elif left:
        notes.append(f"{left:,} entries stay unpaid for good; a later linked distribution can pay them.")
    step = new_action(
        f"close-distribution:{address}",
        title,
        tuple(steps),
        payer,
        (distributor, kind_name(_DISTRIBUTOR)),
        is_done=is_done,
        is_guarded=True,
    )
    return Plan(title, (step,), tuple(notes))


def _open(
    chain: Chain,
    record: PayoutRecord,
    title: str,
    payer: Pubkey,
    distributor: Pubkey,
    role: Pubkey,
    refund_owner: Pubkey,
    *,
    has_refund: bool,
) -> Action:
    address, action, mint = keys(record.address, record.action, record.payment_mint)
    program, refund, security = keys(record.token_program, record.refund, record.security)
    steps: list[Instruction] = []
    if not has_refund:
        steps.append(
            create_associated_token_account_idempotent(
                payer=payer, wallet=refund_owner, mint=mint, token_program=program
            )
        )
    params = OpenDistributionParams(
        number=record.number,
        root=record.root,
        batches=record.batches,
        entries=record.entries,
        total=record.total,
        payout_key=Pubkey.from_bytes(record.payout_key),
        expires_at=record.expires_at,
    )
    steps.append(
        instructions.open_distribution(
            payer=payer,
            distributor=distributor,
            role=role,
            security=security,
            action=action,
            linked_to=distribution_address(action, record.number - 1) if record.number else None,
            token_program=program,
            payment_mint=mint,
            escrow=associated_token_address(address, mint, program),
            refund=refund,
            params=params,
        )
    )

    async def is_done() -> bool:
        return (await read_distribution(chain, address)).account is not None

    return new_action(
        f"open-distribution:{address}:{record.root[:8].hex()}",
        title,
        tuple(steps),
        payer,
        (distributor, kind_name(_DISTRIBUTOR)),
        is_done=is_done,
        is_guarded=True,
    )


def _growth(chain: Chain, record: PayoutRecord, title: str, payer: Pubkey, length: int) -> Sequence[Action]:
    """What is left of growing an account of `length` bytes to its full length, some steps to a transaction."""
    address, full = Pubkey.from_bytes(record.address), HEADER_LENGTH + WORD * record.batches
    actions: list[Action] = []
    while length < full:
        steps = min(GROWN_AT_ONCE, -(-(full - length) // MAX_GROWTH))
        length = min(full, length + steps * MAX_GROWTH)
        actions.append(_grow(chain, title, payer, address, length, steps))
    return actions


def _grow(chain: Chain, title: str, payer: Pubkey, address: Pubkey, length: int, steps: int) -> Action:
    async def is_done() -> bool:
        return (await read_distribution(chain, address)).require().length >= length

    return new_action(
        f"grow-distribution:{address}:{length}",
        f"{title}: room up to {length:,} bytes",
        (instructions.grow_distribution(payer=payer, distribution=address),) * steps,
        payer,
        is_done=is_done,
        is_guarded=True,
    )


def _require_openable(record: PayoutRecord, action: CorporateAction, now: int) -> None:
    """Refused for an action that pays nothing, another number, or an expiry out of bounds."""
    _require_pays(action)
    if action.distributions != record.number:
        raise Refused(
            f"The action has opened {action.distributions} distributions, and this plan is of number {record.number}.",
            hint="Plan it again: tally dividend plan — with --correct when it pays what an earlier one did not.",
        )
    if not now < record.expires_at <= now + LONGEST:
        raise Refused(
            f"The expiry {moment_text(record.expires_at)} is not within ten years from now.",
            hint="Plan it again with another --expires.",
        )


def _require_pays(action: CorporateAction) -> None:
    if action.kind not in PAYS_CASH:
        raise Refused("This corporate action pays no cash.", hint="See: tally action show")
    if action.status not in (ActionStatus.APPROVED, ActionStatus.EXECUTED):
        raise Refused(
            f"The corporate action is {action.status.name.lower()}; only an approved one is paid.",
            hint="A second corporate actions key approves it with: tally action approve",
        )


__all__ = ["plan_approve_distribution", "plan_close_distribution", "plan_open_distribution"]
