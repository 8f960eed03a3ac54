"""Whatever a plan sends is in the audit log, before and after."""

from __future__ import annotations

import pytest
from desk import SHARE, Desk, movement
from tallystick.adapters.store.audit import AuditEntry, MemoryAuditLog
from tallystick.errors import StoreError
from tallystick.services.audit_trail import AuditTrail
from tallystick.services.movements import Part
from tallystick.services.plans import execute


async def test_what_is_sent_is_noted_before_and_after(ready: Desk) -> None:
    order = await ready.subscribe("alice", SHARE, "o-1")
    plan = await ready.plan_settle(movement("IN", SHARE), Part(order, SHARE))
    log = MemoryAuditLog()
    [result] = await execute(plan, ready.sender, ready.signers, trail=AuditTrail(log, ready.clock, "ops@example"))
    before, after = [entry.document for entry in await log.entries()]
    assert (before["action"], after["action"]) == ("begin", "end")
    assert before["actor"] == after["actor"] == "ops@example"
    assert before["subject"] == after["subject"] == plan.actions[0].intent
    assert before["details"]["signers"] == {str(ready["payer"]): "fee payer", str(ready["operator"]): "operator"}
    assert (after["details"]["outcome"], after["details"]["signature"]) == ("landed", str(result.signature))
    await log.verify()


async def test_nothing_is_signed_when_the_log_cannot_be_written(ready: Desk) -> None:
    class FullDisk(MemoryAuditLog):
        async def append(self, **_: object) -> AuditEntry:  # type: ignore[override]
            raise StoreError("the disk is full")

    order = await ready.subscribe("alice", SHARE, "o-1")
    plan = await ready.plan_settle(movement("IN", SHARE), Part(order, SHARE))
    with pytest.raises(StoreError):
        await execute(plan, ready.sender, ready.signers, trail=AuditTrail(FullDisk(), ready.clock, "ops"))
    assert ready.supply == 0
    assert await ready.outbox.get_by_intent(plan.actions[0].intent) == ()
