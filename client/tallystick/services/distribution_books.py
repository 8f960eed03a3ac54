"""The store's books of distributions brought in line with the chain, which decides how far each one is."""

from __future__ import annotations

from dataclasses import replace

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.store.payouts import NEXT_STATES, PayoutStore
from tallystick.domain.dividends import PayoutRecord, PayoutState
from tallystick.program.generated.types import DistributionStatus
from tallystick.services.distribution_reads import DistributionSeen, bits_before_close, read_distribution

_STATES = {DistributionStatus.OPEN: PayoutState.OPENED, DistributionStatus.APPROVED: PayoutState.APPROVED}


async def follow_distribution(
    chain: Chain, payouts: PayoutStore, record: PayoutRecord
) -> tuple[PayoutRecord, DistributionSeen]:
    """How far a distribution is by the chain, written down where the store is behind. One that commits to another root
    leaves the store as it is, and so does an endpoint that is behind the store.

    Of a closed one, the bits it had are kept first: the chain keeps only their hash. LedgerError when they cannot be
    found any more.
    """
    address = Pubkey.from_bytes(record.address)
    known = await payouts.find(record.address)
    if known is not None and known.root == record.root:
        record = replace(record, state=known.state)
    seen = await read_distribution(chain, address)
    if seen.account is None or seen.account.fields.root != record.root:
        return record, seen
    fields = seen.account.fields
    if fields.status is DistributionStatus.CLOSED:
        state = PayoutState.CLOSED if fields.approved_at else PayoutState.DISCARDED
        if state is PayoutState.CLOSED and record.state is not state:
            kept = await payouts.paid(record.address)
            words = await bits_before_close(chain, address, record.batches, fields.bits_hash, kept)
            await payouts.keep_paid(record.address, words)
    else:
        state = _STATES[fields.status]
    is_behind = state is PayoutState.CLOSED and record.state in (PayoutState.PLANNED, PayoutState.OPENED)
    for step in (PayoutState.APPROVED, state) if is_behind else (state,):
        # An endpoint that is behind says less than the store knows already.
        if step in NEXT_STATES[record.state]:
            await payouts.set_state(record.address, step)
            record = replace(record, state=step)
    return record, seen


async def keep_bits(chain: Chain, payouts: PayoutStore, record: PayoutRecord) -> None:
    """Write down which entries are paid, before a close that leaves only their hash. Read at finalized, where no fork
    takes a payment back; those that come later are found in the chain's history."""
    seen = await read_distribution(chain, Pubkey.from_bytes(record.address), "finalized")
    account = seen.account
    if account is not None and account.fields.status is DistributionStatus.APPROVED:
        await payouts.keep_paid(record.address, account.words)


__all__ = ["follow_distribution", "keep_bits"]
