"""How far a distribution is: what chain and store say of it together, by class of owner, and what comes next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tallystick.adapters.chain.protocol import Chain, Commitment
from tallystick.adapters.store.payouts import PayoutStore
from tallystick.domain.dividends import HolderClass, PayoutRecord, PayoutState
from tallystick.errors import Refused
from tallystick.program.distribution_account import DistributionAccount
from tallystick.program.generated.types import DistributionStatus
from tallystick.services.action_reads import moment_text
from tallystick.services.distribution_books import follow_distribution
from tallystick.services.distribution_reads import read_distribution


@dataclass(frozen=True, slots=True)
class ClassProgress:
    """Payments and base units of one class of owners: all of them, and those not paid yet."""

    entries: int
    amount: int
    unpaid_entries: int
    unpaid_amount: int


@dataclass(frozen=True, slots=True)
class DistributionProgress:
    """`account` is None before the opening. `now` is the chain's clock and `slot` where both were read."""

    record: PayoutRecord
    account: DistributionAccount | None
    slot: int
    now: int
    classes: Mapping[HolderClass, ClassProgress]

    @property
    def unpaid_entries(self) -> int:
        """Payments that are not made yet."""
        return sum(each.unpaid_entries for each in self.classes.values())

    @property
    def is_expired(self) -> bool:
        """Whether it may be closed though not everybody was paid."""
        return self.now >= self.record.expires_at

    @property
    def next_step(self) -> str:
        """What has to happen next, and who does it; empty when nothing has to."""
        return next_step(self)


async def distribution_progress(
    chain: Chain, payouts: PayoutStore, record: PayoutRecord, commitment: Commitment = "confirmed"
) -> DistributionProgress:
    """How far a distribution is. Refused when the chain's account has another root than the plan."""
    record, seen = await follow_distribution(chain, payouts, record)
    if commitment != "confirmed":
        seen = await read_distribution(chain, seen.address, commitment)
    account = seen.account
    words: tuple[int, ...] = ()
    if account is not None:
        if account.fields.root != record.root:
            raise Refused(
                f"The distribution {seen.address} was opened with the root {account.fields.root.hex()}; the plan in"
                f" this store has {record.root.hex()}.",
                hint="Run it where it was planned, or plan it here from the same sources.",
            )
        is_closed = account.fields.status is DistributionStatus.CLOSED
        words = await payouts.paid(record.address) if is_closed else account.words
    found: dict[HolderClass, list[int]] = {}
    for batch in await payouts.batches(record.address):
        word = words[batch.index] if batch.index < len(words) else 0
        for index, line in enumerate(batch.lines):
            sums = found.setdefault(line.holder_class, [0, 0, 0, 0])
            is_unpaid = not word >> index & 1
            sums[0] += 1
            sums[1] += line.amount
            sums[2] += is_unpaid
            sums[3] += line.amount if is_unpaid else 0
    classes = {kind: ClassProgress(*sums) for kind, sums in sorted(found.items())}
    return DistributionProgress(record, account, seen.slot, seen.now, classes)


def next_step(progress: DistributionProgress) -> str:
    """What has to happen next; empty when nothing has to."""
    account, record = progress.account, progress.record
    if account is None:
        if record.state is PayoutState.DISCARDED:
            return ""
        return "A distributor opens it: tally dividend open"
    fields = account.fields
    if fields.status is DistributionStatus.CLOSED:
        left = fields.entries - fields.paid_entries
        return "What it did not pay can be paid by a linked one: tally dividend plan --correct" if left else ""
    if fields.status is DistributionStatus.OPEN:
        if not account.is_full_grown:
            return "Its account has to grow; carry the opening on: tally dividend open"
        return "A second key approves it: tally dividend approve"
    if not progress.unpaid_entries or progress.is_expired:
        return "A distributor closes it, and the rest goes back: tally dividend close"
    if fields.funded < fields.total:
        return "The money is missing in escrow: tally dividend fund"
    wallets = progress.classes.get(HolderClass.WALLET)
    frozen = progress.classes.get(HolderClass.FROZEN)
    if (wallets and wallets.unpaid_entries) or (frozen and frozen.unpaid_entries):
        sends = "The payout key sends the payments: tally dividend push"
        return f"{sends}; who is left out claims: tally dividend claim" if fields.paid_entries else sends
    until = moment_text(record.expires_at)
    return f"The rest is left to claim until {until}, by anyone for its owner: tally dividend claim"


__all__ = ["ClassProgress", "DistributionProgress", "distribution_progress", "next_step"]
