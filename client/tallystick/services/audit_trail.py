"""Writes the audit log: what plans send, once before it is signed and once when its outcome is known, and decisions.

The first entry comes first on purpose: where the log cannot be written, nothing is signed.
"""

from __future__ import annotations

from tallystick.adapters.chain.send_result import SendResult
from tallystick.adapters.clock import Clock
from tallystick.adapters.store.audit import AuditLog
from tallystick.domain.canonical import CanonicalValue
from tallystick.services.plans import Action

BEGUN = "begin"
ENDED = "end"


class AuditTrail:
    """What plans.execute tells, and commands. `actor` is whoever gave the command, as this installation knows them."""

    def __init__(self, log: AuditLog, clock: Clock, actor: str) -> None:
        self._log = log
        self._clock = clock
        self._actor = actor

    async def begin(self, action: Action) -> None:
        """Note what is about to be signed, and by which keys. StoreError when the log cannot be written."""
        roles = action.roles or ("signer",) * len(action.signers)
        keys: dict[str, CanonicalValue] = {str(key): role for key, role in zip(action.signers, roles, strict=True)}
        await self.note(BEGUN, action.intent, {"summary": action.summary, "signers": keys})

    async def end(self, action: Action, result: SendResult) -> None:
        """Note what became of it. StoreError when the log cannot be written; what was sent stays sent."""
        await self.resumed(result)

    async def resumed(self, result: SendResult) -> None:
        """Note what became of a transaction that an earlier run began. StoreError as for `end`."""
        await self.note(
            ENDED,
            result.intent,
            {
                "outcome": result.outcome.value,
                "signature": None if result.signature is None else str(result.signature),
                "slot": result.slot,
                "detail": result.detail,
            },
        )

    async def note(self, action: str, subject: str, details: dict[str, CanonicalValue]) -> None:
        """Note what was done here: `action` is what, `subject` of what. StoreError when the log cannot be written."""
        await self._log.append(at=self._clock.now(), actor=self._actor, action=action, subject=subject, details=details)
