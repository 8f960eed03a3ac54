"""What became of one intent."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from solders.signature import Signature

from tallystick.errors import OutcomeUnknown, TransactionError


class Outcome(StrEnum):
    """What is known of an intent once the sender returns."""

    LANDED = "landed"
    """It executed without error at the asked commitment."""
    FAILED = "failed"
    """It executed with an error, or provably never will execute: nothing it would have done happened."""
    UNKNOWN = "unknown"
    """It was sent, and may or may not land. Nothing was signed again. Running the same intent again carries on."""
    ALREADY_DONE = "already done"
    """Its effect is on chain; none of its signatures is known to have brought it about."""


@dataclass(frozen=True, slots=True)
class SendResult:
    """One intent's outcome.

    `signatures` holds every attempt's, oldest first (none when it was already done before anything was signed). `slot`,
    `units` (compute units) and `fee` (lamports) are the last attempt's, where known. `error` is set when it failed.
    `detail` says in one sentence what is known, for a person.
    """

    outcome: Outcome
    intent: str
    signatures: tuple[Signature, ...] = ()
    slot: int | None = None
    units: int | None = None
    fee: int | None = None
    error: TransactionError | None = None
    detail: str = ""

    @property
    def signature(self) -> Signature | None:
        """The last attempt's signature."""
        return self.signatures[-1] if self.signatures else None

    @property
    def is_done(self) -> bool:
        """True when the effect is on chain."""
        return self.outcome in (Outcome.LANDED, Outcome.ALREADY_DONE)

    def require_done(self) -> SendResult:
        """This result when the effect is on chain; else raises its TransactionError, or OutcomeUnknown."""
        if self.error is not None:
            raise self.error
        if not self.is_done:
            raise OutcomeUnknown(
                self.detail, signature=str(self.signature), hint="Run the same command again; it carries on with it."
            )
        return self


__all__ = ["Outcome", "SendResult"]
