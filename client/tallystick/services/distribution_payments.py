"""Money into a distribution, and one entry out of it: funding and claims. (What is pushed in batches: payout_push.py.)

Both plans read first and refuse in words what the program would refuse.
"""

from __future__ import annotations

from typing import Final

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.store.payouts import PayoutStore
from tallystick.domain.dividends import PayoutRecord
from tallystick.errors import LedgerError, Refused
from tallystick.program.addresses import holder_address
from tallystick.program.distribution_account import DistributionAccount
from tallystick.program.generated import instructions
from tallystick.program.generated.accounts import Holder
from tallystick.program.generated.types import (
    DistributionStatus,
    FundDistributionParams,
    PayEntitlementParams,
)
from tallystick.program.token import (
    TokenAccount,
    associated_token_address,
    create_associated_token_account_idempotent,
)
from tallystick.services.action_reads import moment_text
from tallystick.services.chain_reads import read_snapshot
from tallystick.services.distribution_books import follow_distribution
from tallystick.services.distribution_reads import distribution_in, read_distribution
from tallystick.services.distribution_terms import cash, described, keys, require_same, token_account
from tallystick.services.payment_mints import check_payment_mint
from tallystick.services.payout_lines import find_line, proof_of, whole_tree
from tallystick.services.payout_report import LeftReason, obstacle
from tallystick.services.plans import Action, Plan, new_action

SHORT_PROOF: Final = 22
"""Hashes of both proofs with which a claim fits 1,232 bytes: up to 65,536 batches. Longer ones go as version 1."""


async def plan_fund_distribution(
    chain: Chain, record: PayoutRecord, *, payer: Pubkey, funder: Pubkey, source: Pubkey | None = None
) -> Plan:
    """Move what is missing into the escrow, from `source`, by default the funder's associated account. Signed by
    whoever owns that."""
    address, mint, program = keys(record.address, record.payment_mint, record.token_program)
    source = source or associated_token_address(funder, mint, program)
    snapshot = await read_snapshot(chain, [address, source, mint])
    fields = distribution_in(snapshot, address).require().fields
    require_same(record, fields)
    title = f"Fund {described(record)}"
    missing = fields.total - fields.funded
    if fields.status is DistributionStatus.CLOSED:
        raise Refused(f"It was closed on {moment_text(fields.closed_at)}; nothing is paid from it any more.")
    if missing == 0:
        return Plan(title, notes=(f"It is funded in full, {cash(record, fields.total)}.",))
    if fields.status is DistributionStatus.OPEN:
        raise Refused(
            "It is not approved, and only an approved distribution takes money.",
            hint="A second key approves it with: tally dividend approve",
        )
    check_payment_mint(mint, snapshot.accounts)
    _require_money(record, source, token_account(snapshot.accounts[source], program), mint, funder, missing)

    async def is_done() -> bool:
        return (await read_distribution(chain, address)).require().fields.funded >= fields.funded + missing

    instruction = instructions.fund_distribution(
        funder=funder,
        source=source,
        distribution=address,
        payment_mint=mint,
        escrow=fields.escrow,
        token_program=program,
        params=FundDistributionParams(missing),
    )
    summary = f"{title}: {cash(record, missing)} from {source}"
    step = new_action(
        f"fund-distribution:{address}:{fields.funded}+{missing}",
        summary,
        instruction,
        payer,
        (funder, "owner of the money"),
        is_done=is_done,
        is_guarded=True,
    )
    notes = [f"Into escrow {fields.escrow}, from which only the {record.entries:,} committed payments are made."]
    if fields.funded:
        notes.append(f"{cash(record, fields.funded)} are there already.")
    notes.append(f"What is not paid by the close goes to the refund account {fields.refund}.")
    return Plan(title, (step,), tuple(notes))


async def plan_claim(
    chain: Chain, payouts: PayoutStore, record: PayoutRecord, *, payer: Pubkey, wallet: Pubkey
) -> Plan:
    """Pay one owner's entry, by anyone who pays the fee. Creates the owner's associated account where it is missing.
    Refused for a suspended holder, as by the program."""
    title = f"Pay {wallet} from {described(record)}"
    placed = await find_line(payouts, record, bytes(wallet))
    if placed is None:
        raise Refused(
            f"{wallet} has no payment in this distribution.",
            hint="It held nothing at the record date, or too little, or is the issuer's own: tally dividend statement"
            " says which.",
        )
    address, mint, program = keys(record.address, record.payment_mint, record.token_program)
    destination = Pubkey.from_bytes(placed.line.address)
    seen = (await read_distribution(chain, address)).require().fields
    holder = holder_address(seen.issuer, wallet)
    snapshot = await read_snapshot(chain, [address, destination, holder, mint])
    account = distribution_in(snapshot, address).require()
    fields = account.fields
    require_same(record, fields)
    was_paid = Plan(title, notes=(f"{cash(record, placed.line.amount)} were paid to {destination}.",))
    if fields.status is DistributionStatus.CLOSED:
        await follow_distribution(chain, payouts, record)  # The bits are in the store alone.
        words = await payouts.paid(record.address)
        if placed.batch < len(words) and words[placed.batch] >> placed.index & 1:
            return was_paid
    _require_pays_now(account, placed.batch, placed.index)
    if account.is_paid(placed.batch, placed.index):
        return was_paid
    _require_not_suspended(snapshot.find(Holder, holder), wallet)
    check_payment_mint(mint, snapshot.accounts)
    if fields.funded - fields.paid < placed.line.amount:
        raise Refused(
            f"{cash(record, fields.funded - fields.paid)} are left in escrow, and {cash(record, placed.line.amount)}"
            " are due.",
            hint="Fund it first: tally dividend fund",
        )
    actions = []
    trouble = obstacle(snapshot.accounts[destination], placed.line, record)
    if trouble is LeftReason.MISSING:
        actions.append(_create_account(chain, record, payer, wallet, destination))
    elif trouble is not None:
        raise Refused(
            f"{wallet} cannot be paid: its {trouble.value} ({destination}).",
            hint="Once that has ended, run this again; the money stays in escrow until the expiry.",
        )
    proof = proof_of(await whole_tree(payouts, record), placed)

    async def is_done() -> bool:
        found = (await read_distribution(chain, address)).require()
        return found.fields.status is not DistributionStatus.CLOSED and found.is_paid(placed.batch, placed.index)

    params = PayEntitlementParams(
        batch=placed.batch,
        count=placed.count,
        index=placed.index,
        bump=placed.line.bump,
        raw=placed.line.amount,
        flat_hash=proof.flat_hash,
        entry_proof=proof.entry_proof,
        batch_proof=proof.batch_proof,
    )
    instruction = instructions.pay_entitlement(
        distribution=address,
        destination=destination,
        holder=holder,
        payment_mint=mint,
        escrow=fields.escrow,
        token_program=program,
        params=params,
    )
    summary = f"Pay {cash(record, placed.line.amount)} to {wallet}"
    actions.append(
        new_action(
            f"claim:{address}:{placed.batch}:{placed.index}",
            summary,
            instruction,
            payer,
            is_done=is_done,
            is_guarded=True,
            version=0 if len(proof.entry_proof) + len(proof.batch_proof) <= SHORT_PROOF else 1,
        )
    )
    notes = (f"To {destination}, its associated account; the fee payer can change neither amount nor recipient.",)
    return Plan(title, tuple(actions), notes)


def _create_account(chain: Chain, record: PayoutRecord, payer: Pubkey, wallet: Pubkey, destination: Pubkey) -> Action:
    mint, program = keys(record.payment_mint, record.token_program)

    async def is_done() -> bool:
        return await chain.get_account(destination) is not None

    return new_action(
        f"payment-account:{destination}",
        f"Create the payment account {destination} of {wallet}",
        create_associated_token_account_idempotent(payer=payer, wallet=wallet, mint=mint, token_program=program),
        payer,
        is_done=is_done,
        is_guarded=True,
    )


def _require_pays_now(account: DistributionAccount, batch: int, index: int) -> None:
    fields = account.fields
    if fields.status is DistributionStatus.CLOSED:
        raise Refused(
            f"It was closed on {moment_text(fields.closed_at)}; nothing is paid from it any more.",
            hint="Whoever is still owed something is paid by a linked distribution: tally dividend plan --correct",
        )
    if fields.status is DistributionStatus.OPEN:
        raise Refused("It is not approved yet.", hint="A second key approves it with: tally dividend approve")
    if batch >= len(account.words):
        raise LedgerError(f"The distribution has no batch {batch}, entry {index}.")


def _require_not_suspended(holder: Holder | None, wallet: Pubkey) -> None:
    if holder is not None and holder.suspended_at:
        raise Refused(
            f"{wallet} was suspended on {moment_text(holder.suspended_at)}, and suspended holders are not paid.",
            hint="Its money stays in escrow until the expiry. Compliance ends a suspension: tally holder approve",
        )


def _require_money(
    record: PayoutRecord, source: Pubkey, account: TokenAccount | None, mint: Pubkey, funder: Pubkey, missing: int
) -> None:
    if account is None or account.mint != mint:
        raise Refused(
            f"{source} is no account of the payment token {mint}.",
            hint="Receive the money there first, or name the account that has it with --source.",
        )
    if account.frozen:
        raise Refused(f"{source} is frozen by the issuer of the payment token.", hint="Fund it from another account.")
    is_delegate = account.delegate == funder and account.delegated_amount >= missing
    if account.owner != funder and not is_delegate:
        raise Refused(
            f"{source} belongs to {account.owner}, not to {funder}.", hint="Its owner signs: name the key with --from."
        )
    if account.amount < missing:
        raise Refused(
            f"{cash(record, missing)} are missing, and {source} has {cash(record, account.amount)}.",
            hint=f"Bring {cash(record, missing - account.amount)} more there first.",
        )


__all__ = ["SHORT_PROOF", "plan_claim", "plan_fund_distribution"]
