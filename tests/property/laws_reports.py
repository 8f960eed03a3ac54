"""Closed days, draws and reserve reports in the laws' state machine, and law 8: history only grows."""

from __future__ import annotations

import hashlib

from hypothesis import strategies as st
from hypothesis.stateful import rule
from laws_acting import PICK, Acting
from laws_world import DAY, Chain, Custodian, Issuer, Mirror, Pubkey, Receipt, RoleKind, Security, events
from reports import DRAW_SLOTS, LAST_DAY, PERIOD, PERIOD_BEFORE, Reports
from solders.instruction import Instruction

PUBLISHER = RoleKind.PUBLISHER
PERIODS = [PERIOD, PERIOD, PERIOD_BEFORE, PERIOD + 89]
"""Two that are over, and one that is not."""


class ReportRules(Acting):
    """Publishers, and who says so, close days, draw and publish."""

    def begin(self, chain: Chain, alpha: Issuer, acme: Security, custodian: Custodian, mirror: Mirror) -> None:
        """A new program of steps."""
        super().begin(chain, alpha, acme, custodian, mirror)
        self.reports = Reports(alpha)
        self.days_hash = bytes(32)
        self.published: list[Pubkey] = []
        self.versions: dict[int, int] = {}
        self.requested: dict[int, tuple[int, bytes]] = {}
        self.drawn: dict[int, int] = {}

    @rule(pick=PICK, day=st.sampled_from([LAST_DAY, LAST_DAY, -1, -1, -2, 0, -400]))
    def publisher_closes_a_day(self, pick: int, day: int) -> None:
        """The last of the period, yesterday, today, or long ago."""
        number = day if day > 0 else self.chain.now // DAY + day
        close = hashlib.sha256(bytes([pick % 251])).digest()
        self.act(self.reports.close_day(number, close, **self.acting(PUBLISHER, pick, "publisher")))

    @rule(pick=PICK, period=st.sampled_from(PERIODS), version=st.sampled_from([1, 1, 1, 0, 2]))
    def publisher_publishes(self, pick: int, period: int, version: int) -> None:
        """The next version of a period, mostly, correcting the one before or nothing."""
        number = max(1, self.versions.get(period, 0) + version)
        corrects = self.reports.report(period, number - 1) if number > 1 and pick % 5 else None
        if corrects is not None and self.chain.find(corrects) is None:
            corrects = None
        acting = self.acting(PUBLISHER, pick, "publisher")
        self.act(self.reports.publish_report(period, number, corrects, **acting))

    @rule(pick=PICK, period=st.sampled_from(PERIODS), slots=st.sampled_from([0, 1, DRAW_SLOTS + 1, DRAW_SLOTS + 600]))
    def day_is_drawn(self, pick: int, period: int, slots: int) -> None:
        """Requested, and drawn too early, in time, or when the chain has forgotten the slot."""
        self.act(self.reports.request_draw(period, **self.acting(PUBLISHER, pick, "publisher")))
        if slots:
            self.chain.set_slot(self.chain.slot + slots)
        self.act(self.reports.draw_day(period))

    def check_receipt(self, receipt: Receipt, call: Instruction) -> None:
        """Law 8 of what is said every day and every month."""
        for event in receipt.events:
            match event:
                case events.DayClosed():
                    self._in_force(PUBLISHER, event.closed_by)
                    assert (event.day + 1) * DAY <= self.chain.now, "law 8: a day that is not over"
                    text = event.day.to_bytes(4, "little") + event.close_hash + event.as_of_slot.to_bytes(8, "little")
                    self.days_hash = hashlib.sha256(b"tallystick:days" + self.days_hash + text).digest()
                    assert event.days_hash == self.days_hash, "law 8: the running hash of days"
                case events.DrawRequested():
                    assert event.period not in self.drawn, "law 8: drawn again"
                    assert event.target_slot > self.chain.slot, "law 8: a slot that somebody could know"
                    self.requested[event.period] = event.target_slot, event.days_hash
                case events.DayDrawn():
                    assert event.period not in self.drawn, "law 8: drawn again"
                    target, days_hash = self.requested[event.period]
                    assert event.drawn_slot >= target, "law 8: another slot than was named"
                    assert days_hash == self.days_hash or self.issuer.last_day >= LAST_DAY
                    self.drawn[event.period] = event.drawn_day
                case events.ReportPublished():
                    self._in_force(PUBLISHER, event.published_by)
                    assert event.report not in self.published, "law 8: published again"
                    last = self.published[-1] if self.published else Pubkey.default()
                    assert event.previous == last, "law 8: after another than the last"
                    assert event.report_version == self.versions.get(event.period, 0) + 1, "law 8: versions"
                    if event.report_version > 1:
                        before = self.reports.report(event.period, event.report_version - 1)
                        assert event.corrects == before, "law 8: a correction that names nothing"
                    self.published.append(event.report)
                    self.versions[event.period] = event.report_version
                case _:
                    pass
        super().check_receipt(receipt, call)
