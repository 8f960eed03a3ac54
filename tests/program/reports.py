"""Builders of an issuer's closed days, draws and reports; conventions as in issuers.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chain_in_process import Chain, digest
from issuers import DAY, Issuer, build
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from tallystick.program import addresses
from tallystick.program.generated import accounts, instructions, types
from tallystick.program.generated.types import RoleKind
from tallystick.program.text import encode_text

PERIOD, PERIOD_BEFORE = 202612, 202611
"""The last two months that have ended where worlds begin, 2027-01-15."""
LAST_DAY = 20_818
"""2026-12-31."""
DRAW_SLOTS = 32


def last_midnight(chain: Chain) -> int:
    """The number of the day that it is; the day before has ended."""
    return chain.now // DAY


@dataclass(frozen=True, slots=True)
class Reports:
    """What the publisher of an issuer does."""

    issuer: Issuer
    number: int = 1

    @property
    def chain(self) -> Chain:
        """Where it lives."""
        return self.issuer.chain

    @property
    def publisher(self) -> Pubkey:
        """The publisher's key."""
        return self.issuer.key(RoleKind.PUBLISHER, self.number)

    @property
    def _acting(self) -> dict[str, Any]:
        role = self.issuer.role(RoleKind.PUBLISHER, self.number)
        return {"publisher": self.publisher, "role": role, "issuer": self.issuer.address}

    def draw(self, period: int = PERIOD) -> Pubkey:
        """Where a draw is kept."""
        return addresses.draw_address(self.issuer.address, period)

    def drawn(self, period: int = PERIOD) -> accounts.DayDraw:
        """The draw."""
        return self.chain.read(accounts.DayDraw, self.draw(period))

    def report(self, period: int = PERIOD, version: int = 1) -> Pubkey:
        """Where a report is kept."""
        return addresses.report_address(self.issuer.address, period, version)

    def published(self, period: int = PERIOD, version: int = 1) -> accounts.ReserveReport:
        """The report."""
        return self.chain.read(accounts.ReserveReport, self.report(period, version))

    def close_day(
        self, day: int | None = None, close_hash: bytes = digest("close"), slot: int | None = None, **change: Any
    ) -> Instruction:
        """Close a day; yesterday unless said otherwise."""
        day = last_midnight(self.chain) - 1 if day is None else day
        params = types.CloseDayParams(day, close_hash, self.chain.slot if slot is None else slot)
        return build(instructions.close_day, self._acting | change, params=params)

    def request_draw(self, period: int = PERIOD, **change: Any) -> Instruction:
        """Ask for a period's day."""
        params = types.RequestDrawParams(period)
        return build(instructions.request_draw, self._acting | change, payer=self.chain.payer, params=params)

    def draw_day(self, period: int = PERIOD, **change: Any) -> Instruction:
        """Draw it."""
        return build(instructions.draw_day, change, draw=self.draw(period))

    def publish_report(
        self, period: int = PERIOD, version: int = 1, corrects: Pubkey | None = None, **change: Any
    ) -> Instruction:
        """Publish after the issuer's last publication; `hash`, `uri` and `as_of_slot` may be given."""
        last = self.issuer.state.last_report
        params = types.PublishReportParams(
            period=period,
            report_version=version,
            hash=change.pop("hash", digest(f"report {period} {version}")),
            uri=change.pop("uri", encode_text(f"https://example.com/{period}.{version}.json", 200)),
            as_of_slot=change.pop("as_of_slot", self.chain.slot),
        )
        return build(
            instructions.publish_report,
            self._acting | change,
            payer=self.chain.payer,
            previous=None if last == Pubkey.default() else last,
            corrects=corrects,
            params=params,
        )

    # Doing -----------------------------------------------------------------------------------------------------------

    def do_request(self, period: int = PERIOD) -> Pubkey:
        """Close the last day of December, where nothing was closed, and ask for the period's day."""
        if not self.issuer.state.days:
            self.chain.send(self.close_day(LAST_DAY))
        self.chain.send(self.request_draw(period))
        return self.draw(period)

    def do_draw(self, period: int = PERIOD) -> Pubkey:
        """Ask, wait and draw."""
        self.do_request(period)
        self.chain.set_slot(self.chain.slot + DRAW_SLOTS + 1)
        self.chain.send(self.draw_day(period))
        return self.draw(period)

    def do_publish(self, *periods: int) -> Pubkey:
        """Publish first versions."""
        for period in periods:
            self.chain.send(self.publish_report(period))
        return self.report(periods[-1])
