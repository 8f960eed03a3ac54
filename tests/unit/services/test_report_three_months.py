"""Three months of one issuer, each closed some minutes after its midnight, reported, corrected, and checked by a
stranger: every report begins where the one before ended."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from acting_desk import NOTHING as NO_TERMS
from building_desk import BuildingDesk
from desk import ACCOUNT, SHARE
from tallystick.adapters.publish.folder import MemoryPublishFolder
from tallystick.adapters.store.reports import StoredReport
from tallystick.domain.amounts import MULTIPLIER_ONE
from tallystick.domain.closes import DailyClose
from tallystick.domain.identifiers import event_hash
from tallystick.domain.reserve_report.checks import Status
from tallystick.program.addresses import action_address
from tallystick.program.generated.types import ActionKind
from tallystick.services.corporate_actions import plan_announce_action
from tallystick.services.daily_close import close_day
from tallystick.services.plans import Plan
from tallystick.services.reconciliation_custody import DeclaredSecurity
from tallystick.services.redemption import plan_cancel_redemption
from tallystick.services.report_declaration import Declaration, declaration_content
from tallystick.services.report_draw import draw_period
from tallystick.services.report_inputs import ReportProfile
from tallystick.services.report_verify import Verified, verify_report
from tallystick.services.securities import plan_list_security, security_of
from test_report_release import approve, publish

SEPTEMBER, OCTOBER, NOVEMBER = 202609, 202610, 202611
OTHER_ISIN = "US0231351067"


class MonthsDesk(BuildingDesk):
    """Closes each day at five past midnight, as a timer would."""

    def __init__(self) -> None:
        super().__init__()
        self.other = security_of(self.issuer, "EXAMPLE-B")
        self.has_other = False
        self.folder = MemoryPublishFolder()

    @property
    def profile(self) -> ReportProfile:
        return replace(super().profile, securities=self.all_declared)

    @property
    def all_declared(self) -> Sequence[DeclaredSecurity]:
        """What the profile says of every security."""
        other = [DeclaredSecurity(self.other.security, (ACCOUNT,))] if self.has_other else []
        return [self.declared, *other]

    def until(self, day: str, seconds: int) -> None:
        """Let time pass until so many seconds of a day."""
        wanted = int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) + seconds
        self.warp(wanted - self.now)

    async def close_yesterday(self) -> DailyClose:
        """The close of the day before this one."""
        yesterday = date.fromisoformat(self.today) - timedelta(days=1)
        statements = [each.statement for each in await self.statements.list()]
        return await close_day(
            self.chain,
            self.issuer,
            yesterday.isoformat(),
            self.all_declared,
            statements,
            self.closes,
            self.breaks,
            self.clock,
            registers=self.registers,
        )

    async def close_until(self, day: str) -> DailyClose:
        """Close every day before this one, each at five past its midnight."""
        last = None
        while self.today < day:
            tomorrow = date.fromisoformat(self.today) + timedelta(days=1)
            self.until(tomorrow.isoformat(), 300)
            last = await self.close_yesterday()
        assert last is not None
        return last

    async def list_other(self) -> None:
        """A second security, of which there will never be a token."""
        spec = replace(
            self.spec(notice=100, change_window=50), security_id="EXAMPLE-B", isin=OTHER_ISIN, ticker="OTHER"
        )
        await self.run(await plan_list_security(self.chain, payer=self["payer"], issuer=self.issuer, spec=spec))
        self.has_other = True

    async def retire_other(self) -> None:
        """Delisted, as soon as may be."""
        terms = replace(NO_TERMS, effective_at=self.now + 200)
        plan = await plan_announce_action(
            self.chain,
            payer=self["payer"],
            security=self.other.security,
            announcer=self["actions-1"],
            event_id="CA-OUT",
            kind=ActionKind.DELISTING,
            terms=terms,
        )
        await self.run(plan)
        action = action_address(self.other.security, event_hash("CA-OUT"), 1)
        await self.run(await self.plan_approve(action))
        self.warp(201)
        await self.run(await self.plan_retire(action))

    async def do(self, plan: Plan) -> None:
        await self.run(plan)

    async def receive_and_give(self, name: str, shares: int, reference: str) -> None:
        """Shares booked at the custodian, and their tokens."""
        await self.journal.record(self.book(f"IN {reference}".upper(), shares, self.now))
        await self.give(name, shares, reference)

    async def report(self, period: int, closes: Sequence[DailyClose]) -> StoredReport:
        """Anchored, drawn, built, approved and published."""
        await self.anchor(*closes)
        await draw_period(
            self.chain,
            self.clock,
            self.do,
            payer=self["payer"],
            issuer=self.issuer,
            publisher=self["publisher"],
            period=period,
        )
        return await self.release(period)

    async def release(self, period: int, reason: str = "") -> StoredReport:
        """Built, approved and published."""
        built = await self.build(period=period, is_draw_needed=True, reason=reason)
        return (await publish(self, await approve(self, built.report), self.folder)).report

    async def closes_of(self, month: str) -> list[DailyClose]:
        return [each for each in await self.closes.all(bytes(self.issuer)) if each.day.startswith(month)]


@dataclass(frozen=True, slots=True)
class Told:
    """What was published, by month and version."""

    desk: MonthsDesk
    reports: Mapping[str, StoredReport]

    def document(self, name: str) -> Any:
        return json.loads(self.reports[name].content)

    async def verify(self, name: str) -> Verified:
        return await verify_report(
            self.desk.chain, self.reports[name].content, self.desk.clock, issuer=self.desk.issuer
        )


async def three_months() -> Told:
    desk, reports = MonthsDesk(), dict[str, StoredReport]()
    await desk.begin()
    await desk.receive_and_give("alice", 300 * SHARE, "s-1")
    await desk.receive_and_give("bob", 200 * SHARE, "s-2")
    await desk.close_until("2026-09-30")
    # Minutes of October that are September's, and within the second of its last close some that are not.
    desk.until("2026-10-01", 120)
    await desk.attest(1_000 * SHARE)
    await desk.receive_and_give("bob", 20 * SHARE, "s-3")
    desk.until("2026-10-01", 300)
    await desk.receive_and_give("bob", 7 * SHARE, "s-4")
    await desk.close_yesterday()
    await desk.receive_and_give("alice", 5 * SHARE, "s-5")
    waiting = await desk.ask("alice", 30 * SHARE, "r-1", accept=False)
    await desk.freeze("bob")
    desk.warp(1)
    reports["2026-09 v1"] = await desk.report(SEPTEMBER, await desk.closes_of("2026-09"))

    await desk.close_until("2026-10-10")
    await desk.thaw("bob")
    await desk.pay_out(await desk.ask("alice", 40 * SHARE, "r-2"), 40 * SHARE, "r-2")
    await desk.close_until("2026-10-15")
    await desk.list_other()
    await desk.close_until("2026-10-31")
    await desk.attest(2_000 * SHARE)
    await desk.executed(desk.split(new=2, after=2 * 86_400), ActionKind.FORWARD_SPLIT, event="CA-SPLIT")
    await desk.close_until("2026-11-01")
    await desk.run(
        await plan_cancel_redemption(
            desk.chain, payer=desk["payer"], authority=desk["operator"], order=waiting, reason_code=6
        )
    )
    desk.warp(1)
    reports["2026-10 v1"] = await desk.report(OCTOBER, await desk.closes_of("2026-10"))
    content = declaration_content(Declaration(basis="Better said."))
    await desk.books.declarations.declare(bytes(desk.issuer), OCTOBER, content, desk.now)
    reports["2026-10 v2"] = await desk.release(OCTOBER, "The basis was unclear.")

    await desk.close_until("2026-11-10")
    await desk.attest(2_100 * SHARE)
    await desk.receive_and_give("bob", 10 * SHARE, "s-6")
    await desk.retire_other()
    await desk.close_until("2026-12-01")
    desk.warp(1)
    reports["2026-11 v1"] = await desk.report(NOVEMBER, await desk.closes_of("2026-11"))
    return Told(desk, reports)


@pytest.fixture(scope="module")
def told() -> Told:
    return asyncio.run(three_months())


NAMES = ("2026-09 v1", "2026-10 v1", "2026-10 v2", "2026-11 v1")


@pytest.mark.parametrize("name", NAMES)
async def test_every_one_of_them_verifies(told: Told, name: str) -> None:
    verified = await told.verify(name)
    assert [(each.name, each.words) for each in verified.checks if each.status is Status.FAILED] == []
    assert {each.status for each in verified.checks} == {Status.PASSED, Status.STATED}
    [opening] = [each for each in verified.checks if each.name == "opening"]
    assert opening.status is Status.PASSED


def of_used(rows: list[Any]) -> Any:
    """The row of the security that has tokens."""
    [found] = [row for row in rows if row["isin"] != OTHER_ISIN]
    return found


@pytest.mark.parametrize("october", ["2026-10 v1", "2026-10 v2"])
def test_each_roll_forward_begins_with_the_closing_of_the_one_before(told: Told, october: str) -> None:
    rows = [of_used(told.document(name)["roll_forward"]) for name in ("2026-09 v1", october, "2026-11 v1")]
    for before, after in pairwise(rows):
        for name in ("", "_shares", "_multiplier"):
            assert after[f"opening{name}"] == before[f"closing{name}"]
    assert rows[0]["opening"] == "0"
    assert [int(row["minted"]) // SHARE for row in rows] == [527, 5, 5]
    assert [int(row["burnt"]) // SHARE for row in rows] == [0, 40, 0]
    assert [int(row["multiplier_effect_shares"]) // SHARE for row in rows] == [0, 0, 492]


def test_headers_follow_one_another(told: Told) -> None:
    headers = [told.document(name)["header"] for name in NAMES]
    assert [each["opening"] and each["opening"]["day"] for each in headers] == [
        None,
        "2026-09-30",
        "2026-09-30",
        "2026-10-31",
    ]
    assert headers[1]["opening"] == headers[0]["as_of"]
    assert headers[3]["opening"] == headers[2]["as_of"]
    assert headers[0]["as_of"]["time"] == "2026-10-01T00:05:00Z"
    previous = [each["previous"] and f"{each['previous']['period']} v{each['previous']['version']}" for each in headers]
    assert previous == [None, "2026-09 v1", "2026-10 v1", "2026-10 v2"]
    assert headers[2]["corrects"]["reason"] == "The basis was unclear."


def test_orders_and_log_entries_are_in_one_month_each(told: Told) -> None:
    documents = [told.document(name) for name in ("2026-09 v1", "2026-10 v2", "2026-11 v1")]
    rows = [of_used(each["activity"]) for each in documents]
    assert [(row["subscriptions"]["opened"], row["subscriptions"]["settled"]) for row in rows] == [
        (4, 4),
        (1, 1),
        (1, 1),
    ]
    redemptions = [row["redemptions"] for row in rows]
    assert [(row["opened"], row["settled"], row["returned"], row["open"]) for row in redemptions] == [
        (0, 0, 0, 0),
        (2, 1, 0, 1),
        (0, 0, 1, 0),
    ]
    entries = [entry for each in documents for entry in each["control_log"]["entries"]]
    assert len({(each["signature"], each["place"]) for each in entries}) == len(entries)
    names = [[each["event"] for each in one["control_log"]["entries"]] for one in documents]
    assert [one.count("AccountFrozen") for one in names] == [0, 1, 0]
    assert [one.count("SecurityListed") for one in names] == [1, 1, 0]
    assert [one.count("SecurityRetired") for one in names] == [0, 0, 1]
    chain = told.desk.chain.ledger
    assert sum(one.count("RoleGranted") for one in names) > 5
    assert max(each["slot"] for each in entries) <= chain.slot


def test_a_split_waits_in_one_month_and_takes_effect_in_the_next(told: Told) -> None:
    october, november = told.document("2026-10 v2"), told.document("2026-11 v1")
    tokens = [of_used(each["tokens"]) for each in (october, november)]
    assert tokens[0]["pending"] == {"multiplier": str(2 * MULTIPLIER_ONE), "effective_at": "2026-11-02T00:05:01Z"}
    assert [int(each["multiplier"]) // MULTIPLIER_ONE for each in tokens] == [1, 2]
    assert tokens[1]["pending"] is None
    actions = [[each["kind"] for each in one["corporate_actions"]] for one in (october, november)]
    assert actions == [["forward_split"], ["delisting", "forward_split"]]


def test_a_security_listed_within_a_month_and_never_used_is_there(told: Told) -> None:
    others = [
        [row for row in told.document(name)["roll_forward"] if row["isin"] == OTHER_ISIN]
        for name in ("2026-09 v1", "2026-10 v2", "2026-11 v1")
    ]
    assert [len(each) for each in others] == [0, 1, 1]
    for [row] in others[1:]:
        assert {row["opening"], row["closing"], row["opening_shares"]} == {"0"}


def test_a_superseded_version_is_shown_as_such(told: Told) -> None:
    listed = json.loads(told.desk.folder.files["proof-of-reserves.json"])["reports"]
    assert {f"{each['period']} v{each['version']}": bool(each["superseded_by"]) for each in listed} == {
        "2026-09 v1": False,
        "2026-10 v1": True,
        "2026-10 v2": False,
        "2026-11 v1": False,
    }


async def test_built_again_after_everything_a_month_stays_what_it_was(told: Told) -> None:
    for period, name in ((SEPTEMBER, "2026-09 v1"), (OCTOBER, "2026-10 v2"), (NOVEMBER, "2026-11 v1")):
        again = await told.desk.build(period=period, is_draw_needed=True)
        assert (again.is_changed, again.report.digest) == (False, told.reports[name].digest)
