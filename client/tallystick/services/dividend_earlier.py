"""What earlier distributions have committed and carried forward, so that a linked one pays only the difference and what
was carried is paid once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from solders.pubkey import Pubkey

from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.store.payouts import PayoutStore
from tallystick.domain.dividends import CarriedBefore, PayoutRecord, PayoutState
from tallystick.errors import Refused
from tallystick.program.addresses import distribution_address
from tallystick.program.generated.types import DistributionStatus
from tallystick.services.action_reads import moment_text
from tallystick.services.distribution_books import follow_distribution
from tallystick.services.distribution_reads import list_distributions, read_distribution
from tallystick.services.payment_mints import PaymentMint


@dataclass(frozen=True, slots=True)
class Earlier:
    """Earlier distributions that were approved, as (number, address, state, base units that count), and what they
    committed to each owner: one that pays, everything; a closed one, what it paid."""

    committed: Mapping[bytes, int] = field(default_factory=dict)
    distributions: tuple[tuple[int, bytes, PayoutState, int], ...] = ()

    @property
    def addresses(self) -> tuple[bytes, ...]:
        """Where they are."""
        return tuple(address for _, address, _, _ in self.distributions)


async def earlier_distributions(
    chain: Chain, payouts: PayoutStore, action: Pubkey, number: int, payment: PaymentMint, *, corrects: bool
) -> Earlier:
    """Those of an action before `number`. Refused when one is opened and not decided, when there is one and `corrects`
    was not said, when there is none to correct or it pays in another token, and when this store does not know its
    payments."""
    committed: dict[bytes, int] = {}
    found: list[tuple[int, bytes, PayoutState, int]] = []
    for each in range(number):
        address = distribution_address(action, each)
        fields = (await read_distribution(chain, address)).require().fields
        if fields.status is DistributionStatus.OPEN:
            raise Refused(
                f"Distribution {each} of this event was opened on {moment_text(fields.opened_at)} and not approved.",
                hint="Have it approved, or close it first: tally dividend close",
            )
        if fields.approved_at == 0:
            continue
        if not corrects:
            raise Refused(
                f"Distribution {each} of this event was approved on {moment_text(fields.approved_at)}.",
                hint="What it did not pay is planned as a linked one: tally dividend plan --correct",
            )
        record = await payouts.find(bytes(address))
        if record is None or record.root != fields.root:
            raise Refused(
                f"Distribution {each} of this event was approved, and this store does not know what it pays.",
                hint="Run it where it was planned, or copy that store here.",
            )
        record, _ = await follow_distribution(chain, payouts, record)
        if fields.payment_mint != payment.address:
            raise Refused(
                f"Distribution {each} of this event pays in {fields.payment_mint}, this one would in"
                f" {payment.address}, and base units of two tokens are not the same.",
                hint="Declare the first one for this currency in the profile while the event is corrected.",
            )
        total = await _add(payouts, record, committed)
        found.append((each, record.address, record.state, total))
    if corrects and not found:
        raise Refused(
            "No distribution of this event was approved, so there is nothing to correct.", hint="Leave --correct."
        )
    return Earlier(committed, tuple(found))


async def require_known(chain: Chain, payouts: PayoutStore, security: Pubkey) -> None:
    """Refused when a distribution of the security was approved that this store does not have, as an older copy of it
    would not: what that one carried forward would be lost, and what it paid of it paid again."""
    known = {record.address: record.root for record in await payouts.list(security=bytes(security))}
    for address, account in (await list_distributions(chain, security)).items():
        fields = account.fields
        if fields.approved_at and known.get(bytes(address)) != fields.root:
            raise Refused(
                f"Distribution {address} of this security was approved on {moment_text(fields.approved_at)}, and this"
                " store does not know what it carries forward.",
                hint="Plan where all dividends of the security were planned, or copy that store here.",
            )


async def carried_before(
    chain: Chain, payouts: PayoutStore, security: bytes, payment: PaymentMint, earlier: Earlier, *, besides: bytes
) -> CarriedBefore:
    """What owners carried before an action, without its distribution at `besides`. Other dividends of the security
    count as far as they are on chain, not as far as this store has heard."""
    for record in await payouts.list(security=security):
        if record.state in (PayoutState.PLANNED, PayoutState.OPENED):
            await follow_distribution(chain, payouts, record)
    mint = bytes(payment.address)
    balance = await payouts.carried(security, mint, besides=[besides])
    others = await payouts.carried(security, mint, besides=[besides, *earlier.addresses])
    return CarriedBefore.of(balance, others)


async def _add(payouts: PayoutStore, record: PayoutRecord, committed: dict[bytes, int]) -> int:
    """Count a distribution's payments; of a closed one only those it made. Base units of them."""
    words = await payouts.paid(record.address) if record.state is PayoutState.CLOSED else None
    total = 0
    for batch in await payouts.batches(record.address):
        for index, line in enumerate(batch.lines):
            if words is None or words[batch.index] >> index & 1:
                committed[line.owner] = committed.get(line.owner, 0) + line.amount
                total += line.amount
    return total


__all__ = ["Earlier", "carried_before", "earlier_distributions", "require_known"]
