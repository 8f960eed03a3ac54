"""What other tools need to pay the same list once: arithmetic from what they publish, nothing measured here.

Sources, as read: solana-labs/solana tokens/ (one transfer to a transaction, its signature written before it is sent);
jito-foundation/distributor 2cf79f6 (`ClaimStatus::LEN`, made by the claimant's own transaction); helius-labs/airship
c7f2860 (packages/core/src/config/constants.ts: 15 addresses to a transaction, three compressions of 1,500 lamports,
550,000 compute units at 10,000 micro-lamports). Rent is the cluster's own, asked when the table is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SIGNATURE: Final = 5_000
"""Lamports for one signature."""
SOL: Final = 10**9
BATCH: Final = 57
HEADER, WORD, OVERHEAD = 602, 8, 128
"""Bytes of a distribution before its bits, of the bits of one batch, and what any account is charged beside its own."""
CLAIM_STATUS: Final = 64
"""Bytes of Jito's receipt: 8 of kind, 32 of claimant, three amounts."""
AIRSHIP_AT_ONCE, AIRSHIP_COMPRESSION = 15, 4_500
AIRSHIP_PRIORITY: Final = 550_000 * 10_000 // 1_000_000


@dataclass(frozen=True, slots=True)
class Need:
    """For `holders` payments. `fees` and `rent` in lamports; `payer` says whose fees and rent they are; `twice` what
    stops a second payment of the same entry."""

    tool: str
    transactions: int
    fees: int
    rent: int
    payer: str
    twice: str


def needs(holders: int, lamports_per_byte: int) -> tuple[Need, ...]:
    """Ours first. `lamports_per_byte` is the cluster's rent for one byte."""
    batches, ship = -(-holders // BATCH), -(-holders // AIRSHIP_AT_ONCE)
    bits = (HEADER + WORD * batches + OVERHEAD) * lamports_per_byte
    receipts = holders * (CLAIM_STATUS + OVERHEAD) * lamports_per_byte
    return (
        Need("Tallystick pay_batch", batches, batches * SIGNATURE, bits, "issuer; rent comes back", "a bit on chain"),
        Need("solana-tokens", holders, holders * SIGNATURE, 0, "issuer", "a local file"),
        Need("Jito distributor", holders, holders * SIGNATURE, receipts, "each claimant", "an account on chain"),
        Need(
            "AirShip (compressed tokens)",
            ship,
            ship * (SIGNATURE + AIRSHIP_COMPRESSION + AIRSHIP_PRIORITY),
            0,
            "issuer",
            "a local database, written after sending",
        ),
    )


def table(holders: int, lamports_per_byte: int) -> list[str]:
    """As lines of Markdown."""
    lines = [
        "| tool | transactions | fees, SOL | lamports a holder | rent, SOL | paid by | what stops a second payment |",
        "| --- | ---: | ---: | ---: | ---: | --- | --- |",
    ]
    for each in needs(holders, lamports_per_byte):
        lines.append(
            f"| {each.tool} | {each.transactions:,} | {each.fees / SOL:,.3f} | {each.fees / holders:,.0f} |"
            f" {each.rent / SOL:,.3f} | {each.payer} | {each.twice} |"
        )
    return lines
