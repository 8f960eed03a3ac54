"""What the demo finds on chain when a dividend was paid: a batch sent twice, and every holder's balance to the unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import RenderableType
from rich.text import Text
from solders.pubkey import Pubkey
from tallystick.domain.amounts import format_base_units
from tallystick.domain.dividends import PayoutRecord
from tallystick.errors import LedgerError
from tallystick.program.token import decode_token_account
from tallystick.services.distribution_reads import read_distribution
from tallystick.services.payout_calls import PayoutCalls

from tallystick_cli.commands.dividend_push import Pushed
from tallystick_cli.context import Chain, Tally, new_memory_outbox
from tallystick_cli.render import amount, stack, table


@dataclass(frozen=True, slots=True)
class Repeated:
    """A batch whose payments were asked for a second time: its bits, and the escrow's base units of the payment token
    with its decimals."""

    bits_before: int
    bits_after: int
    before: int
    after: int
    decimals: int

    def document(self) -> dict[str, object]:
        """The same as plain data, the bits in hex."""
        return {
            "payments_asked_again": self.bits_before.bit_count(),
            "bits_before": f"{self.bits_before:016x}",
            "bits_after": f"{self.bits_after:016x}",
            "escrow_before": format_base_units(self.before, self.decimals),
            "escrow_after": format_base_units(self.after, self.decimals),
        }

    def view(self) -> RenderableType:
        """Bits and escrow, before and after."""
        rows = table("", "Bits of the batch", "Paid", "Escrow", right=["Paid", "Escrow"])
        for name, bits, held in (
            ("Before", self.bits_before, self.before),
            ("After", self.bits_after, self.after),
        ):
            rows.add_row(name, f"{bits:016x}", f"{bits.bit_count()}", amount(held, self.decimals))
        return rows


async def repeat_batch(tally: Tally, record: PayoutRecord) -> Repeated:
    """Send the first batch again, asking for what it has paid, past every check of the backoffice. LedgerError when
    that pays anybody."""
    chain, payer, address = tally.open_chain(), tally.signer("payout"), Pubkey.from_bytes(record.address)
    payouts = (await tally.open_store()).payouts
    calls = await PayoutCalls.load(payouts, address, payer.pubkey)
    found = (await read_distribution(chain, address)).require()
    before = await balance(chain, found.fields.escrow)
    call = calls.pay(await calls.batch(0), found.words[0])
    sender = tally.new_sender(new_memory_outbox())
    result = await sender.send([call], [payer], intent=f"demo:again:{address}", version=1)
    result.require_done()
    words = (await read_distribution(chain, address)).require().words
    after = await balance(chain, found.fields.escrow)
    if words != found.words or before != after:
        raise LedgerError("Expected a batch to be paid once, and it was paid again.", hint="Report this: a defect.")
    return Repeated(found.words[0], words[0], before, after, record.payment_decimals)


@dataclass(frozen=True, slots=True)
class Counted:
    """A distribution as counted from balances on chain, in base units of the payment token: what `holders` wallets have
    now, of which `paid` have something, and what the escrow has. `decimals` are the token's."""

    holders: int
    paid: int
    have: int
    escrow: int
    funded: int
    supply: int
    decimals: int

    def document(self) -> dict[str, object]:
        """Counts, and amounts as exact decimal text."""
        return {
            "holders": self.holders,
            "paid_holders": self.paid,
            "holders_have": format_base_units(self.have, self.decimals),
            "escrow_has": format_base_units(self.escrow, self.decimals),
            "funded": format_base_units(self.funded, self.decimals),
            "supply_of_dollars": format_base_units(self.supply, self.decimals),
        }

    def view(self) -> RenderableType:
        """The sum."""
        rows = table("Read from every account on chain", "Holders", "Dollars", right=["Holders", "Dollars"])
        rows.add_row("Have their part, to the last unit", f"{self.paid:,}", amount(self.have, self.decimals))
        rows.add_row("Wait in the escrow", f"{self.holders - self.paid:,}", amount(self.escrow, self.decimals))
        rows.add_row(
            Text("Together, which is what was funded", "bold"), f"{self.holders:,}", amount(self.funded, self.decimals)
        )
        return stack(rows, Text("✓ No unit more or less; there are no other dollars.", style="green"))


async def count(tally: Tally, record: PayoutRecord, supply: int) -> Counted:
    """Read every holder's account and the escrow, and hold them against the list and the bits.

    LedgerError when a holder has another amount than its bit says, or the sum is not what was funded, or not all the
    dollars there are (`supply`, base units).
    """
    chain, address = tally.open_chain(), Pubkey.from_bytes(record.address)
    found = (await read_distribution(chain, address)).require()
    batches = await (await tally.open_store()).payouts.batches(record.address, 0, record.batches)
    lines = [(batch.index, place, line) for batch in batches for place, line in enumerate(batch.lines)]
    have = await balances(chain, [Pubkey.from_bytes(line.address) for _, _, line in lines])
    for held, (batch, place, line) in zip(have, lines, strict=True):
        if held != (line.amount if found.is_paid(batch, place) else 0):
            raise LedgerError(f"{Pubkey.from_bytes(line.owner)} has {held} units, of {line.amount} that it is owed.")
    escrow = await balance(chain, found.fields.escrow)
    if not sum(have) + escrow == found.fields.funded == record.total == supply:
        raise LedgerError(
            f"Holders have {sum(have)} units and the escrow {escrow}; funded were {found.fields.funded} of {supply}.",
            hint="Report this: it is a defect.",
        )
    paid = sum(held > 0 for held in have)
    return Counted(len(lines), paid, sum(have), escrow, found.fields.funded, supply, record.payment_decimals)


async def balances(chain: Chain, accounts: Sequence[Pubkey]) -> list[int]:
    """What token accounts have, in base units; 0 where there is none."""
    _, found = await chain.get_accounts(accounts)
    return [decode_token_account(each.data).amount if each is not None and each.data else 0 for each in found]


async def balance(chain: Chain, account: Pubkey) -> int:
    """The same of one."""
    [held] = await balances(chain, [account])
    return held


@dataclass(frozen=True, slots=True)
class DividendTold:
    """The dividend in figures. `refused` is what was tried and what was said to it."""

    pushed: Pushed
    repeated: Repeated
    counted: Counted
    refused: tuple[tuple[str, str], ...]

    def document(self) -> dict[str, object]:
        """The push, what was counted on chain, and what was refused."""
        pushed = self.pushed.document()
        record = self.pushed.record
        return {
            "event": pushed["event"],
            "distribution": pushed["distribution"],
            "root": record.root.hex(),
            "holders": record.entries,
            "total": pushed["total"],
            "paid_by_push": pushed["paid_entries"],
            "paid_by_claim": self.counted.paid - self.pushed.report.paid.entries,
            "left_by_push": pushed["left"],
            "accounts_opened": pushed["accounts_opened"],
            "transactions": pushed["transactions"],
            "fee_lamports": pushed["fee_lamports"],
            "rent_lamports": pushed["rent_lamports"],
            "sent_again": self.repeated.document(),
            "on_chain": self.counted.document(),
            "refused": [{"tried": tried, "said": said} for tried, said in self.refused],
        }

    def line(self) -> str:
        """One sentence."""
        counted, record = self.counted, self.pushed.record
        total, escrow = (amount(each, record.payment_decimals) for each in (record.total, counted.escrow))
        return (
            f"{total} dollars of dividend to {counted.holders} holders: {counted.paid} paid once, "
            f"{counted.holders - counted.paid} left to claim with {escrow} in escrow"
        )
