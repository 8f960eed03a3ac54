"""Pays a distribution to everybody on its list who can be paid, in batches, each entry once.

First one wallet is paid and looked at (the canary), then one batch in a hundred, then the rest. A run that ends at any
point, also in the middle of a write, is carried on by the next.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from solders.pubkey import Pubkey

from tallystick.adapters.chain.outbox import Outbox
from tallystick.adapters.chain.protocol import Chain
from tallystick.adapters.chain.signers import TransactionSigner
from tallystick.adapters.chain.wire import LAMPORTS_PER_SIGNATURE
from tallystick.adapters.clock import Clock
from tallystick.adapters.store.payouts import PayoutStore
from tallystick.domain.amounts import format_base_units
from tallystick.errors import LedgerError, Refused
from tallystick.program.distribution_account import DistributionAccount
from tallystick.program.generated.types import DistributionStatus
from tallystick.program.token import decode_token_account
from tallystick.services.distribution_reads import decode_distribution
from tallystick.services.payout_accounts import AccountOpening
from tallystick.services.payout_calls import PayoutCalls
from tallystick.services.payout_flights import Flights
from tallystick.services.payout_loop import PushLoop, PushSettings
from tallystick.services.payout_report import (
    LeftReason,
    PushProgress,
    PushReport,
    Share,
    Stage,
    Stock,
    read_obstacles,
    take_stock,
)

_TELL_EVERY: Final = 0.2
"""Seconds between two reports of progress."""
_ACCOUNT_BYTES: Final = 170
"""Of an associated account of Token-2022; one of SPL Token is smaller."""

ConfirmStage = Callable[[Stage, PushProgress], Awaitable[bool]]
"""Asked after the canary and after one batch in a hundred, when more is to come: whether to go on."""


async def push(
    chain: Chain,
    store: PayoutStore,
    outbox: Outbox,
    clock: Clock,
    calls: PayoutCalls,
    payer: TransactionSigner,
    *,
    settings: PushSettings | None = None,
    on_progress: Callable[[PushProgress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    confirm_stage: ConfirmStage | None = None,
) -> PushReport:
    """Pay what can be paid of a distribution, and report what is paid and what is left.

    `calls` are its list as just loaded, `payer` is its payout key, which pays fees and rent too. `should_stop` is asked
    before each batch; what is in flight then is followed to its fate.

    Raises, before anything is signed: Refused when the distribution cannot be pushed or the payer holds too little;
    LedgerError when the stored list is not the committed one; InputError when a batch does not fit a transaction. At
    any time: ChainError when the cluster does not answer, StoreError, and StoreConflict when another push of it runs.
    Running it again carries on. A transaction that failed is no exception: the report's
    `stopped` says it.
    """
    run = _Push(chain, store, outbox, clock, settings or PushSettings(), on_progress, confirm_stage)
    return await run.run(calls, payer, should_stop or (lambda: False))


class _Push:
    """One run: its stages."""

    def __init__(
        self,
        chain: Chain,
        store: PayoutStore,
        outbox: Outbox,
        clock: Clock,
        settings: PushSettings,
        on_progress: Callable[[PushProgress], None] | None,
        confirm_stage: ConfirmStage | None,
    ) -> None:
        self._chain = chain
        self._store = store
        self._outbox = outbox
        self._clock = clock
        self._settings = settings
        self._on_progress = on_progress
        self._confirm_stage = confirm_stage
        self._stage = Stage.RESUME
        self._began = self._stage_began = clock.monotonic()
        self._stage_paid = 0
        self._canary: Pubkey | None = None
        self._told_at = self._began - _TELL_EVERY

    async def run(self, calls: PayoutCalls, payer: TransactionSigner, should_stop: Callable[[], bool]) -> PushReport:
        """All stages, and the report."""
        address = Pubkey.from_bytes(calls.record.address)
        flights = Flights(self._chain, self._outbox, self._clock, payer, self._settings.flights)
        accounts_prefix = f"dividend-accounts:{address}:"
        has_witness = self._chain.endpoint_count > 1
        opening = AccountOpening(
            self._store, calls, flights, self._settings.rent_cap, accounts_prefix, has_witness=has_witness
        )
        loop = PushLoop(self._chain, self._clock, calls, flights, opening, self._settings, should_stop, self._tell)
        self._calls, self._flights, self._opening, self._loop = calls, flights, opening, loop

        before = await self._begin(address, payer.pubkey)
        landed = await loop.resume(
            await self._outbox.find(accounts_prefix), await self._outbox.find(f"dividend:{address}:")
        )
        await loop.read_words(loop.floor)
        await self._check_balance(payer.pubkey, loop.unpaid_batches())
        paid = {batch: loop.paid_in(batch) for batch in landed}
        if not any(paid.values()):
            await self._send_canary()
        else:
            await self._ask(Stage.CANARY)
        # A batch in which the canary alone was paid is no sample.
        sampled = sum(entries >= min(2, calls.sizes[batch]) for batch, entries in paid.items())
        if first := max(-(-calls.record.batches // 100) - sampled, 0):
            asked = {batch: loop.target(batch) for batch in loop.unpaid_batches()[:first]}
            await self._send(Stage.SAMPLE, list(asked))
            await self._check_sample(asked)
        else:
            asked = {}
        await self._ask(Stage.SAMPLE)
        await self._send(Stage.REST, [batch for batch in loop.unpaid_batches() if batch not in asked])

        await loop.read_words(loop.floor)
        stock = await self._take_stock()
        again = [batch for batch in stock.payable if loop.may_try(batch)]
        if again and not loop.stopped:
            # An account was opened or thawed meanwhile, or a transaction did not land.
            await self._send(Stage.REST, again)
            stock = await self._take_stock()
        return self._report(before, stock)

    async def _begin(self, address: Pubkey, payer: Pubkey) -> DistributionAccount:
        """The distribution at finalized, which may be pushed; waited for where only the newest blocks say so."""
        give_up_at = self._clock.monotonic() + self._settings.patience
        while True:
            try:
                account = await self._loop.read_words()
                _check(account, self._calls, address, payer)
                return account
            except Refused:
                newest = decode_distribution(address, await self._chain.get_account(address))
                if newest is None or self._clock.monotonic() >= give_up_at:
                    raise
                _check(newest, self._calls, address, payer)
            await self._clock.sleep(self._settings.poll_every)

    async def _check_balance(self, payer: Pubkey, batches: Sequence[int]) -> None:
        if not batches:
            return
        fees = (len(batches) + 1) * (LAMPORTS_PER_SIGNATURE + self._settings.priority_fee)
        rent = max(self._settings.rent_cap - await self._store.rent_reserved(self._calls.record.address), 0)
        if rent:
            each = await self._chain.get_minimum_balance_for_rent_exemption(_ACCOUNT_BYTES)
            rent = min(rent, each * sum(self._loop.target(batch).bit_count() for batch in batches))
        need = fees + rent + await self._chain.get_minimum_balance_for_rent_exemption(0)
        held = await self._chain.get_balance(payer)
        if held < need:
            raise Refused(
                f"The payout key {payer} holds {_sol(held)} SOL; pushing {len(batches):,} batches may take"
                f" {_sol(need)}.",
                hint="Send it some SOL, or lower the cap on rent.",
            )

    # Stages ----------------------------------------------------------------------------------------------------------

    async def _send(self, stage: Stage, batches: Sequence[int]) -> None:
        loop = self._loop
        if not batches or loop.stopped:
            return
        self._stage, self._stage_began, self._stage_paid = stage, self._clock.monotonic(), loop.paid + loop.assumed
        await loop.send(batches)
        self._tell(is_due=True)

    async def _send_canary(self) -> None:
        """Pay one wallet, and see by its bit and its balance that it was."""
        loop = self._loop
        if loop.stopped or (found := await self._find_canary()) is None:
            return
        self._stage, self._stage_began, self._stage_paid = Stage.CANARY, self._clock.monotonic(), loop.paid
        batch, place = found
        line = (await self._calls.batch(batch)).lines[place]
        address, owner = Pubkey.from_bytes(line.address), Pubkey.from_bytes(line.owner)
        before, self._canary = await self._balance(address), address
        if not await loop.send_one(batch, place) and not loop.stopped:
            return  # Its account was closed or frozen just now, and nothing was signed.
        self._tell(is_due=True)
        if batch in loop.unknown:
            loop.stop(f"What became of the payment to the first wallet, {owner}, is not known yet.")
        if loop.stopped:
            return
        await loop.read_words(loop.floor)
        if loop.target(batch) >> place & 1:
            loop.stop(f"The first wallet, {owner}, was not paid: its bit is not set.")
        elif (arrived := await self._balance(address) - before) != line.amount:
            loop.stop(
                f"The first wallet's account, {address}, changed by {arrived} base units and not by {line.amount}; see "
                "whether its owner moved money, and push again."
            )
        await self._ask(Stage.CANARY)

    async def _find_canary(self) -> tuple[int, int] | None:
        """Batch and place of the first entry that can be paid as its account is, else of the first whose account may be
        opened."""
        openable = None
        for number in self._loop.unpaid_batches():
            if not self._loop.may_try(number):
                continue
            target, lines = self._loop.target(number), (await self._calls.batch(number)).lines
            places = [place for place in range(len(lines)) if target >> place & 1]
            wanted = [lines[place] for place in places]
            reasons = await read_obstacles(self._chain, self._calls.record, wanted, "confirmed")
            for place, reason in zip(places, reasons, strict=True):
                if reason is None:
                    return number, place
                if reason is LeftReason.MISSING and openable is None and await self._opening.may_open(lines[place]):
                    openable = (number, place)
        return openable

    async def _balance(self, address: Pubkey) -> int:
        account = await self._loop.read_account(address, self._loop.floor)
        return decode_token_account(account.data).amount if account is not None and account.data else 0

    async def _check_sample(self, targets: Mapping[int, int]) -> None:
        """Stop when more recipients than expected were not paid, or bits are not set that should be."""
        loop = self._loop
        if loop.stopped:
            return
        await loop.read_words(loop.floor)
        asked = unpaid = unexplained = 0
        for number, target in targets.items():
            if number in loop.unknown:
                continue
            missed, lines = target & loop.target(number), (await self._calls.batch(number)).lines
            left = [line for place, line in enumerate(lines) if missed >> place & 1]
            reasons = await read_obstacles(self._chain, self._calls.record, left)
            asked += target.bit_count()
            unpaid += len(left)
            unexplained += sum(reason is None for reason in reasons)
        if unexplained * 10 > asked:
            loop.stop(f"{unexplained} of {asked} recipients take payments and were not paid: the bits do not match.")
        elif unpaid * 10_000 > asked * self._settings.unpaid_limit:
            loop.stop(
                f"{unpaid} of the first {asked} recipients could not be paid; see why, and push again to go on all the "
                "same."
            )

    async def _ask(self, stage: Stage) -> None:
        """Whether to go on after a stage; where an earlier run was through with it, the progress is of another one."""
        if self._confirm_stage is None or self._loop.stopped or not self._loop.unpaid_batches():
            return
        if not await self._confirm_stage(stage, self._progress()):
            self._loop.stop(f"It was stopped after the stage {stage}.")

    # Telling ---------------------------------------------------------------------------------------------------------

    def _tell(self, *, is_due: bool = False) -> None:
        now = self._clock.monotonic()
        if self._on_progress is not None and (is_due or now - self._told_at >= _TELL_EVERY):
            self._told_at = now
            self._on_progress(self._progress())

    def _progress(self) -> PushProgress:
        loop, entries = self._loop, self._calls.record.entries
        paid = loop.paid + loop.assumed
        took, done = self._clock.monotonic() - self._stage_began, paid - self._stage_paid
        left = max(entries - paid - loop.skipped, 0)
        return PushProgress(
            stage=self._stage,
            entries=entries,
            paid=paid,
            skipped=loop.skipped,
            in_flight=len(self._flights),
            unknown=len(loop.unknown),
            lamports=loop.fees + self._opening.rent,
            seconds_left=round(left * took / done) if done > 0 and self._stage is not Stage.CANARY else None,
            canary=self._canary,
        )

    async def _take_stock(self) -> Stock:
        account = await self._loop.read_words(self._loop.floor)
        return await take_stock(self._chain, self._calls, account, self._loop.unknown)

    def _report(self, before: DistributionAccount, stock: Stock) -> PushReport:
        loop, record = self._loop, self._calls.record
        return PushReport(
            stage=self._stage,
            entries=record.entries,
            total=record.total,
            paid=stock.paid,
            paid_now=Share(stock.paid.entries - before.fields.paid_entries, stock.paid.amount - before.fields.paid),
            left=stock.left,
            unknown=tuple(sorted(loop.unknown)),
            transactions=loop.transactions,
            fees=loop.fees,
            rent=self._opening.rent,
            accounts_opened=self._opening.opened,
            seconds=self._clock.monotonic() - self._began,
            stopped=loop.stopped,
        )


def _sol(lamports: int) -> str:
    return format_base_units(lamports, 9)


def _check(account: DistributionAccount, calls: PayoutCalls, address: Pubkey, payer: Pubkey) -> None:
    """Refused unless a distribution can be pushed, LedgerError unless the list is what it commits to."""
    fields, record = account.fields, calls.record
    if fields.status is not DistributionStatus.APPROVED:
        raise Refused(
            f"Distribution {address} is {fields.status.name.lower()}; only an approved one pays.",
            hint="Approve it with: tally dividend approve" if fields.status is DistributionStatus.OPEN else None,
        )
    committed = (fields.root, fields.batches, fields.entries, fields.total)
    if committed != (record.root, record.batches, record.entries, record.total):
        raise LedgerError(f"The stored list is not the one that distribution {address} commits to.")
    if fields.funded < fields.total:
        raise Refused(
            f"Distribution {address} holds {fields.funded} of {fields.total} base units.",
            hint="Fund it first: tally dividend fund",
        )
    if fields.payout_key != payer:
        raise Refused(
            f"Distribution {address} is paid by {fields.payout_key}, not by {payer}.",
            hint="Name that key's file as the payout key in the profile.",
        )


__all__ = ["ConfirmStage", "PushSettings", "push"]
