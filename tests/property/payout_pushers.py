"""Ways to push a distribution: ours, and a careless one that the checks have to catch."""

from __future__ import annotations

from typing import Any

from payout_scenes import PAYER
from payout_trials import Attempt, Trial
from solders.pubkey import Pubkey
from tallystick.adapters.chain.outbox import OutboxRow
from tallystick.adapters.chain.signers import KeypairSigner
from tallystick.adapters.chain.transactions import build_transaction, sign_transaction
from tallystick.domain.dividends import HolderClass, PayoutLine
from tallystick.errors import ChainError
from tallystick.program.token import transfer_checked
from tallystick.services.payout_calls import PayoutCalls
from tallystick.services.payout_push import PushSettings, push
from tallystick.services.payout_report import LeftReason, PushReport

SIGNER = KeypairSigner(PAYER)
CARELESS_PATIENCE = 30.0
"""Seconds after which the careless one sends another transaction."""


async def push_by_us(attempt: Attempt) -> PushReport:
    """The push of the library, looking less often than it does by itself, so that many schedules fit into a second."""
    settings = PushSettings(
        in_flight=attempt.in_flight,
        poll_every=1.0,
        broadcast_every=4.0,
        patience=120.0,
        rent_cap=attempt.rent_cap,
        unpaid_limit=10_000,
    )
    calls = await PayoutCalls.load(
        attempt.payouts, attempt.scene.address, SIGNER.pubkey, suspended=attempt.suspended, frozen=attempt.frozen
    )
    report = await push(
        attempt.chain,
        attempt.payouts,
        attempt.outbox,
        attempt.clock,
        calls,
        SIGNER,
        settings=settings,
        should_stop=attempt.should_stop,
        confirm_stage=attempt.confirm_stage,
    )
    assert isinstance(report, PushReport)
    return report


def says_what_the_chain_says(trial: Trial, report: PushReport, *, is_last: bool) -> bool:
    """Whether a report says that nothing is left to push. In clear weather all of it has to be so on chain; in any
    other, what it calls paid."""
    scene, received = trial.scene, trial.cluster.received
    paid = [line for line in scene.lines if received[line.address]]
    assert (report.entries, report.total) == (scene.record.entries, scene.record.total)
    assert report.paid.entries <= len(paid), "it says that more are paid"
    assert report.paid.amount <= sum(line.amount for line in paid)
    assert report.paid_now.entries <= report.paid.entries
    spent = sum(record.fee for record in trial.cluster.landed if record.payer == trial.cluster.payer)
    assert is_last is False or report.fees <= spent or trial.cluster.undone, "it says that more was spent on fees"
    assert report.rent <= trial.rent_cap
    if not is_last or not report.is_complete:
        return False
    fees = {record.signature: record.fee for record in trial.cluster.landed}
    own = [fees[each] for each in trial.signed_last if each in fees]
    assert report.fees >= sum(own), "it says that less was spent on fees"
    assert report.transactions >= len(own)
    assert (report.paid.entries, report.paid.amount) == (len(paid), sum(line.amount for line in paid))
    left: dict[LeftReason, tuple[int, int]] = {}
    for line in scene.lines:
        if not received[line.address]:
            reason = _reason(trial, line)
            entries, amount = left.get(reason, (0, 0))
            left[reason] = (entries + 1, amount + line.amount)
    assert {reason: (share.entries, share.amount) for reason, share in report.left.items()} == left
    return True


def _reason(trial: Trial, line: PayoutLine) -> LeftReason:
    if line.holder_class is HolderClass.PROGRAM:
        return LeftReason.PROGRAM_OWNED
    if line.owner in trial.suspended:
        return LeftReason.SUSPENDED
    if line.owner in trial.frozen:
        return LeftReason.FROZEN_HOLDER
    match trial.holders.state_of(line):
        case "missing":
            return LeftReason.MISSING
        case "frozen":
            return LeftReason.FROZEN_ACCOUNT
        case "memo":
            return LeftReason.WANTS_MEMO
        case "re-owned":
            return LeftReason.REOWNED
        case _:
            return LeftReason.PAYABLE


async def push_by_transfers(attempt: Attempt) -> None:
    """Pays each holder by a plain transfer from an account of the payer, notes it once it is confirmed, and signs
    another one when it heard nothing for a while."""
    scene, chain = attempt.scene, attempt.chain
    money = scene.payout.payment
    for place, line in enumerate(scene.lines):
        rows = await attempt.outbox.find(f"careless {place} ")
        if any(row.state == "landed" for row in rows):
            continue
        call = transfer_checked(
            source=money.tokens(PAYER.pubkey()), mint=money.mint, destination=Pubkey.from_bytes(line.address),
            authority=PAYER.pubkey(), amount=line.amount, decimals=6, token_program=money.program,
        )  # fmt: skip
        for _ in range(2):
            blockhash = await chain.get_latest_blockhash()
            draft = build_transaction(
                [call], PAYER.pubkey(), blockhash.blockhash, version=1, compute_unit_limit=50_000,
                loaded_accounts_data_size_limit=2**22,
            )  # fmt: skip
            signed = await sign_transaction(draft, [SIGNER])
            intent = f"careless {place} {signed.signatures[0]}"
            await attempt.outbox.put_signed(_row(intent, signed, blockhash.last_valid_block_height))
            signature, sent_at = signed.signatures[0], attempt.clock.monotonic()
            is_done = False
            while not is_done and attempt.clock.monotonic() < sent_at + CARELESS_PATIENCE:
                try:
                    await chain.send(bytes(signed))
                    [status] = await chain.get_signature_statuses([signature])
                    is_done = status is not None and status.commitment != "processed"
                except ChainError:
                    pass
                await attempt.clock.sleep(2.0)
            await attempt.outbox.mark_outcome(signature, "landed" if is_done else "dead", at=attempt.clock.now())
            if is_done:
                break


def _row(intent: str, signed: Any, last_valid: int) -> OutboxRow:
    return OutboxRow(intent, 1, bytes(32), signed.signatures[0], bytes(signed), last_valid, "confirmed", 0, 0)


__all__ = ["push_by_transfers", "push_by_us", "says_what_the_chain_says"]
